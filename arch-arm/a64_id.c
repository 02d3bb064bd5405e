/* CPU models and their identification registers.
 *
 * Called by a64.c (models, register reads) and a64_system.c (MRS). A feature is shown in an ID register
 * exactly when rows that name it are lifted for the model. */
#include "a64.h"

#define V8_0 (A64_FEAT_BASE | A64_FEAT_FP | A64_FEAT_SIMD | A64_FEAT_CRC32 | A64_FEAT_AES | A64_FEAT_PMULL | \
              A64_FEAT_SHA1 | A64_FEAT_SHA256)
#define V8_2 (V8_0 | A64_FEAT_LSE | A64_FEAT_RDM | A64_FEAT_LRCPC | A64_FEAT_DOTPROD | A64_FEAT_FP16)

/* Features without a row are masked off (a64_features), so max is everything implemented; the default, so first. */
const a64_model a64_models[] = {
    { "max", "every implemented feature", UINT32_MAX, 0x000f04f0 },
    { "cortex-a53", "Armv8.0-A with CRC32 and cryptography", V8_0, 0x410fd034 },
    { "cortex-a57", "Armv8.0-A with CRC32 and cryptography", V8_0, 0x411fd070 },
    { "cortex-a72", "Armv8.0-A with CRC32 and cryptography", V8_0, 0x410fd083 },
    { "cortex-a76", "Armv8.2-A as far as implemented", V8_2, 0x414fd0b1 },
};

uint32_t a64_model_count(void)
{
    return sizeof a64_models / sizeof a64_models[0];
}

static uint64_t field(uint32_t features, uint32_t feature, unsigned shift, uint64_t value)
{
    return features & feature ? value << shift : 0;
}

uint64_t a64_id_register(const a64_model *model, uint32_t id)
{
    uint32_t f = a64_features(model);
    switch (id) {
    case A64_SYS(3, 0, 0, 0, 0): /* MIDR_EL1 */
        return model->midr;
    case A64_SYS(3, 0, 0, 0, 5): /* MPIDR_EL1 */
        return 0x80000000;
    case A64_SYS(3, 0, 0, 4, 0): /* ID_AA64PFR0_EL1: FP, AdvSIMD (0 there, 15 not, 1 with FP16), AArch64 at EL1 and EL0 */
        return (f & A64_FEAT_FP ? field(f, A64_FEAT_FP16, 16, 0x11) : 0xff0000) | 0x11;
    case A64_SYS(3, 0, 0, 4, 1): /* ID_AA64PFR1_EL1: BT */
        return field(f, A64_FEAT_BTI, 0, 1);
    case A64_SYS(3, 0, 0, 5, 0): /* ID_AA64DFR0_EL1: Armv8.0 debug */
        return 6;
    case A64_SYS(3, 0, 0, 6, 0): /* ID_AA64ISAR0_EL1 */
        return (f & A64_FEAT_PMULL ? 2 << 4 : field(f, A64_FEAT_AES, 4, 1)) | field(f, A64_FEAT_SHA1, 8, 1) |
               (f & A64_FEAT_SHA512 ? 2 << 12 : field(f, A64_FEAT_SHA256, 12, 1)) | field(f, A64_FEAT_CRC32, 16, 1) |
               field(f, A64_FEAT_LSE, 20, 2) | field(f, A64_FEAT_RDM, 28, 1) | field(f, A64_FEAT_SHA3, 32, 1) |
               field(f, A64_FEAT_SM3, 36, 1) | field(f, A64_FEAT_SM4, 40, 1) |
               field(f, A64_FEAT_DOTPROD, 44, 1) | field(f, A64_FEAT_FLAGM, 52, 1);
    case A64_SYS(3, 0, 0, 6, 1): /* ID_AA64ISAR1_EL1 */
        return field(f, A64_FEAT_JSCVT, 12, 1) | field(f, A64_FEAT_FCMA, 16, 1) | field(f, A64_FEAT_LRCPC, 20, 1);
    case A64_SYS(3, 0, 0, 7, 0): /* ID_AA64MMFR0_EL1: granules hidden, as Linux */
        return 0xff000000;
    default:
        return 0;
    }
}
