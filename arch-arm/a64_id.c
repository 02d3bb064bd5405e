/* CPU models and their identification registers.
 *
 * Called by a64.c (models, register reads) and a64_system.c (MRS). A feature is shown in an ID register
 * exactly when rows that name it are lifted for the model. */
#include "a64_sys.h"

#define V8_0 (A64_FEAT_BASE | A64_FEAT_FP | A64_FEAT_SIMD | A64_FEAT_CRC32 | A64_FEAT_AES | A64_FEAT_PMULL | \
              A64_FEAT_SHA1 | A64_FEAT_SHA256)
#define V8_2 (V8_0 | A64_FEAT_LSE | A64_FEAT_RDM | A64_FEAT_LRCPC | A64_FEAT_DOTPROD | A64_FEAT_FP16)

#define MF_8_2 (A64_MF_PAN | A64_MF_UAO | A64_MF_SSBS | A64_MF_HAFDBS | A64_MF_HPDS)

/* Features without a row are masked off (a64_features), so max is everything implemented; the default, so first. */
const a64_model a64_models[] = {
    { "max", "every implemented feature", UINT32_MAX, 0x000f04f0, MF_8_2 | A64_MF_DIT, 48 },
    { "cortex-a53", "Armv8.0-A with CRC32 and cryptography", V8_0, 0x410fd034, 0, 40 },
    { "cortex-a57", "Armv8.0-A with CRC32 and cryptography", V8_0, 0x411fd070, 0, 44 },
    { "cortex-a72", "Armv8.0-A with CRC32 and cryptography", V8_0, 0x410fd083, 0, 44 },
    { "cortex-a76", "Armv8.2-A as far as implemented", V8_2, 0x414fd0b1, MF_8_2, 40 },
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

/* What the registers hold on a whole CPU; a feature that is not there is not shown, whatever the model's silicon has. */
uint64_t a64_id_system(const a64_model *m, unsigned level, unsigned sr)
{
    uint32_t sys = m->system;
    uint64_t pa = m->pa_bits <= 32 ? 0 : m->pa_bits <= 36 ? 1 : m->pa_bits <= 40 ? 2 : m->pa_bits <= 42 ? 3 : m->pa_bits <= 44 ? 4 : 5;
    switch (sr) {
    case SR_id_aa64pfr0_el1: /* EL2, EL3; DIT */
        return a64_id_register(m, A64_SYS(3, 0, 0, 4, 0)) | (level >= 2 ? 0x100 : 0) | (level >= 3 ? 0x1000 : 0) |
               (sys & A64_MF_DIT ? UINT64_C(1) << 48 : 0);
    case SR_id_aa64pfr1_el1: /* BT; SSBS with MSR and MRS; no MTE */
        return field(a64_features(m), A64_FEAT_BTI, 0, 1) | (sys & A64_MF_SSBS ? 0x20 : 0);
    case SR_id_aa64dfr0_el1: /* Armv8.0 debug, PMUv3; no breakpoint or watchpoint beyond the least the field can say */
        return 0x106;
    case SR_id_aa64isar1_el1: /* QARMA5, address and generic */
        return a64_id_register(m, A64_SYS(3, 0, 0, 6, 1)) | field(a64_features(m), A64_FEAT_PAUTH, 4, 1) |
               field(a64_features(m), A64_FEAT_PAUTH, 24, 1);
    case SR_id_aa64mmfr0_el1: /* 4K, 16K, 64K; big-endian data; 16-bit ASIDs are accepted */
        return pa | 2 << 4 | 1 << 8 | 1 << 12 | 1 << 20;
    case SR_id_aa64mmfr1_el1:
        return (sys & A64_MF_HAFDBS ? 2 : 0) | (sys & A64_MF_HPDS ? 1 << 12 : 0) | (sys & A64_MF_PAN ? 2 << 20 : 0);
    case SR_id_aa64mmfr2_el1:
        return sys & A64_MF_UAO ? 1 << 4 : 0;
    case SR_clidr_el1: /* separate level 1, unified level 2 */
        return 0x0a200023;
    case SR_ctr_el0:
        return A64_CTR_EL0;
    default:
        return a64_id_register(m, a64_sysregs[sr].id);
    }
}
