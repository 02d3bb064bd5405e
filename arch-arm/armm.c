/* The M-profile frontend: class "armm". Models, registers, reset, mode key, disassembly.
 *
 * Called by the core through oryx_arch_ops. Invariant: a.r[13] is the stack pointer that the mode and CONTROL.SPSEL select,
 * sp_other the other one; both change in armm_set_mode alone. */
#include <stdio.h>
#include <string.h>

#include "arm_fp.h"
#include "armm.h"

/* --- Models -------------------------------------------------------------------------------------------------- */

#define V6M (A32_FEAT_BASE | A32_FEAT_V5 | A32_FEAT_V6)
#define V7M (V6M | A32_FEAT_V5E | A32_FEAT_V6K | A32_FEAT_T2 | A32_FEAT_V7 | A32_FEAT_MP | A32_FEAT_IDIV)
#define FPV4 (A32_FEAT_VFP | A32_FEAT_VFP3 | A32_FEAT_HALF | A32_FEAT_VFP4)
#define FPV5 (FPV4 | A32_FEAT_V8FP)
#define MAIN (ARMM_V7 | ARMM_USER | ARMM_VTOR)

/* The default comes first. */
const armm_model armm_models[] = {
    { "cortex-m4", "Armv7E-M with FPv4-SP", MAIN | ARMM_DSP | ARMM_SP, V7M | FPV4, 0x410fc241, 8, { 0x10110021, 0x11000011, 0 } },
    { "cortex-m0", "Armv6-M", 0, V6M, 0x410cc200, 0, { 0 } },
    { "cortex-m0+", "Armv6-M with MPU and unprivileged execution", ARMM_USER | ARMM_VTOR, V6M, 0x410cc601, 8, { 0 } },
    { "cortex-m3", "Armv7-M", MAIN, V7M, 0x412fc231, 8, { 0 } },
    { "cortex-m7", "Armv7E-M with FPv5, single and double precision", MAIN | ARMM_DSP | ARMM_SP | ARMM_DP, V7M | FPV5, 0x411fc272, 16,
      { 0x10110221, 0x12000011, 0x00000040 } },
    { "cortex-m23", "Armv8-M baseline, no security extension", ARMM_V8 | ARMM_USER | ARMM_VTOR, V7M | A32_FEAT_V8, 0x411cd200, 16, { 0 } },
    { "cortex-m33", "Armv8-M mainline with DSP and FPv5-SP, no security extension", MAIN | ARMM_V8 | ARMM_DSP | ARMM_SP,
      V7M | A32_FEAT_V8 | FPV5, 0x410fd213, 16, { 0x10110021, 0x11000011, 0x00000040 } },
};
const uint32_t armm_model_count = sizeof armm_models / sizeof armm_models[0];

static oryx_cpu_model models[sizeof armm_models / sizeof armm_models[0]];

/* CPUID and the registers from 0xD40: ID_PFR0, PFR1, DFR0, AFR0, MMFR0-3, ISAR0-5, CLIDR, CTR, CCSIDR. DDI 0403, B4. */
static void identify(const armm_model *m, oryx_scs *scs)
{
    static const uint32_t v7[17] = { 0x00000030, 0x00000200, 0x00100000, 0, 0x00000030, 0, 0, 0,
                                     0x01141110, 0x02111000, 0x21112231, 0x01111110, 0x01310102 };
    static const uint32_t dsp[17] = { 0x00000030, 0x00000200, 0x00100000, 0, 0x00000030, 0, 0, 0,
                                      0x01141110, 0x02112000, 0x21232231, 0x01111131, 0x01310102 };
    static const uint32_t v8[17] = { 0x00000030, 0x00000200, 0x00200000, 0, 0x00101f40, 0, 0x01000000, 0,
                                     0x01101110, 0x02112000, 0x20232232, 0x01111131, 0x01310132 };
    static const uint32_t v8_base[17] = { 0x00000030, 0x00000200, 0x00200000, 0, 0x00101f40, 0, 0x01000000, 0,
                                          0x01101110, 0x02111000, 0x20112232, 0x01111110, 0x01310132 };
    memset(scs->id, 0, sizeof scs->id);
    if (m->has & ARMM_V8)
        memcpy(scs->id, m->has & ARMM_V7 ? v8 : v8_base, sizeof scs->id);
    else if (m->has & ARMM_V7)
        memcpy(scs->id, m->has & ARMM_DSP ? dsp : v7, sizeof scs->id);
    memcpy(scs->mvfr, m->mvfr, sizeof scs->mvfr);
    scs->cpuid = m->cpuid;
    scs->arch = m->has & ARMM_V8 ? 8 : m->has & ARMM_V7 ? 7 : 6;
    scs->features = (m->has & ARMM_V7 ? ORYX_SCS_MAIN : 0) | (m->has & ARMM_SP ? ORYX_SCS_FP : 0) |
                    (m->has & ARMM_USER ? ORYX_SCS_UNPRIV : 0) | (m->has & ARMM_VTOR ? ORYX_SCS_VTOR : 0);
    scs->mpu_regions = m->mpu_regions;
}

static oryx_status attach(oryx_cpu *cpu, const char *id, void *shared)
{
    oryx_scs *scs = shared;
    if (strcmp(id, ORYX_SCS_ID) || (scs && !ORYX_HAS(scs, mpu_mair)))
        return ORYX_E_UNSUPPORTED;
    cpu->arch_data = scs;
    if (scs) {
        identify(armm_model_of(cpu), scs);
        if (scs->identified)
            scs->identified(scs);
        scs->current = armm_state_of(cpu)->ipsr;
        armm_look(cpu);
    }
    return ORYX_OK;
}

/* --- Program status and stack pointers -------------------------------------------------------------------------- */

uint32_t armm_xpsr(const armm_state *s)
{
    uint32_t it = A32_MODE_IT(s->a.exec);
    uint32_t v = arm_nzcv_from_packed(s->a.flags) | (s->a.q & 1) << 27 | (it & 3) << 25 | (s->a.exec & A32_MODE_T ? 1u << 24 : 0);
    for (unsigned k = 0; k < 4; k++)
        v |= (s->a.ge >> 8 * k & 1) << (16 + k);
    return v | (it >> 2) << 10 | s->ipsr;
}

void armm_set_apsr(armm_state *s, uint32_t v, uint32_t with_ge)
{
    s->a.flags = arm_packed_from_nzcv(v);
    s->a.q = v >> 27 & 1;
    if (!with_ge)
        return;
    s->a.ge = 0;
    for (unsigned k = 0; k < 4; k++)
        s->a.ge |= (v >> (16 + k) & 1) * (0xffu << 8 * k);
}

void armm_set_epsr(armm_state *s, uint32_t v)
{
    uint32_t it = (v >> 25 & 3) | (v >> 10 & 0x3f) << 2;
    s->a.exec = (v >> 24 & 1 ? A32_MODE_T : 0) | (it & 15 ? it << A32_MODE_IT_SHIFT : 0);
}

uint32_t armm_sp(const armm_state *s, unsigned psp)
{
    return armm_uses_psp(s) == (psp != 0) ? s->a.r[13] : s->sp_other;
}

void armm_set_sp(armm_state *s, unsigned psp, uint32_t v)
{
    if (armm_uses_psp(s) == (psp != 0))
        s->a.r[13] = v & ~3u;
    else
        s->sp_other = v & ~3u;
}

void armm_set_mode(armm_state *s, uint32_t ipsr, uint32_t control)
{
    uint32_t before = armm_uses_psp(s);
    s->ipsr = ipsr;
    s->control = control;
    if (before != armm_uses_psp(s)) {
        uint32_t sp = s->a.r[13];
        s->a.r[13] = s->sp_other;
        s->sp_other = sp;
    }
}

/* --- Registers ------------------------------------------------------------------------------------------------- */

enum {
#define REG(name, ...) REG_##name,
#include "armm_regs.def"
#undef REG
};

static const oryx_reg regs[] = {
#define REG(name, group, offset, size, kind, type, flags, gdb, reset) \
    { #name, group, offset, size, ORYX_REG_##kind, ORYX_T_##type, flags, gdb, reset },
#include "armm_regs.def"
#undef REG
};

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    const armm_state *s = armm_state_of(cpu);
    uint32_t v;
    switch (reg) {
    case REG_sp: v = s->a.r[13]; break;
    case REG_pc: v = (uint32_t)s->a.pc; break;
    case REG_xpsr: v = armm_xpsr(s); break;
    case REG_fpscr: v = a32_fpscr_read(cpu); break;
    case REG_msp: v = armm_sp(s, 0); break;
    case REG_psp: v = armm_sp(s, 1); break;
    case REG_control: v = s->control; break;
    case REG_ipsr: v = s->ipsr; break;
    default: return ORYX_E_NOTFOUND;
    }
    memcpy(buf, &v, sizeof v);
    return ORYX_OK;
}

static void set_ipsr(oryx_cpu *cpu, uint32_t v)
{
    armm_state *s = armm_state_of(cpu);
    armm_set_mode(s, v & 0x1ff, s->control);
    if (armm_scs(cpu))
        armm_scs(cpu)->current = s->ipsr;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    armm_state *s = armm_state_of(cpu);
    uint32_t v;
    memcpy(&v, buf, sizeof v);
    switch (reg) {
    case REG_pc: /* of ELF files and vector tables: bit 0 says T32, and there is nothing else */
        s->a.pc = v & ~1u;
        s->pending |= ARMM_HAS_PC;
        break;
    case REG_sp:
        s->a.r[13] = v & ~3u;
        s->pending |= ARMM_HAS_SP;
        break;
    case REG_xpsr:
        set_ipsr(cpu, v);
        armm_set_apsr(s, v, 1);
        armm_set_epsr(s, v);
        break;
    case REG_fpscr:
        a32_fpscr_write(cpu, v & ~A32_FPSCR_VECTOR);
        break;
    case REG_msp:
    case REG_psp:
        armm_set_sp(s, reg == REG_psp, v);
        s->pending |= ARMM_HAS_SP;
        break;
    case REG_control:
        armm_set_mode(s, s->ipsr, v & 7);
        break;
    case REG_ipsr:
        set_ipsr(cpu, v);
        break;
    default:
        return ORYX_E_NOTFOUND;
    }
    if ((s->pending & (ARMM_HAS_PC | ARMM_HAS_SP)) == (ARMM_HAS_PC | ARMM_HAS_SP))
        s->pending &= ~ARMM_BOOT;
    armm_look(cpu);
    return ORYX_OK;
}

/* --- Reset, mode ------------------------------------------------------------------------------------------------- */

static const char *const modes[] = { "thumb", NULL };

static oryx_status mode_of(const char *mode, uint64_t *key)
{
    if (mode && strcmp(mode, modes[0]))
        return ORYX_E_NOTFOUND;
    *key = A32_MODE_T;
    return ORYX_OK;
}

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    armm_state *s = armm_state_of(cpu);
    (void)mode, (void)err;
    s->a.exec = A32_MODE_T;
    s->a.r[14] = UINT32_MAX;
    s->pending = ARMM_BOOT;
    if (model && model->data)
        s->model = (uint32_t)((const armm_model *)model->data - armm_models);
    cpu->fp.flags = 0;
    arm_fpenv_apply(cpu, 0);
    return ORYX_OK;
}

uint64_t armm_mode_key(oryx_cpu *cpu)
{
    const armm_state *s = armm_state_of(cpu);
    const oryx_scs *scs = armm_scs(cpu);
    uint32_t has = armm_model_of(cpu)->has;
    uint64_t key = (s->a.exec & A32_MODE_EXEC) | (s->a.fpscr & A32_FPSCR_CONTROL);
    arm_fpenv_apply(cpu, s->a.fpscr);
    if (s->pending & (ARMM_BOOT | ARMM_SLEEP))
        key |= ARMM_MODE_BEFORE;
    if (!(has & ARMM_V7))
        key |= ARMM_MODE_ALIGN;
    if (!scs)
        return key;
    key |= ARMM_MODE_SYSTEM | (s->ipsr ? ARMM_MODE_HANDLER : 0) | (armm_privileged(s) ? 0 : ARMM_MODE_UNPRIV);
    if (armm_mmu_index(cpu) == ARMM_MMU_NEGATIVE)
        key |= ARMM_MODE_NEGATIVE;
    if (scs->features & ORYX_SCS_MAIN && scs->ccr & 8)
        key |= ARMM_MODE_ALIGN;
    if (scs->features & ORYX_SCS_MAIN && scs->ccr & 16)
        key |= ARMM_MODE_DIV0;
    if (has & ARMM_SP && (!armm_fp_allowed(cpu) || scs->fpccr & 1 || (scs->fpccr >> 31 && !(s->control & ARMM_FPCA))))
        key |= ARMM_MODE_FPTRAP;
    if (has & ARMM_V8 && (armm_uses_psp(s) ? s->psplim : s->msplim))
        key |= ARMM_MODE_LIMIT | (armm_uses_psp(s) ? ARMM_MODE_PSP : 0);
    return key;
}

/* --- Disassembly ------------------------------------------------------------------------------------------------------ */

static oryx_status disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out)
{
    a32_fields f;
    uint32_t it = A32_MODE_IT(mode), len, word = a32_thumb_at(bytes, n_bytes, &len);
    a32_text t = { .at = out->text, .end = out->text + sizeof out->text, .pc = pc, .thumb = 1, .in_it = it != 0, .cond = it ? it >> 4 : 14 };
    if (!len)
        return ORYX_NEED_BYTES;
    const a32_row *row = m32_decode(word, &f);
    out->len = len;
    out->text[0] = 0;
    if (row && row->text(&t, &f))
        return ORYX_OK;
    if (len == 2)
        snprintf(out->text, sizeof out->text, ".inst.n\t0x%04x ; undefined", word >> 16);
    else
        snprintf(out->text, sizeof out->text, ".inst.w\t0x%08x ; undefined", word);
    return ORYX_E_FORMAT;
}

/* --- The class ---------------------------------------------------------------------------------------------------------- */

/* Untyped code pointers: each row's signature says how to call it. */
#define HELPER(name, signature, effects, function) extern void function(void);
#include "a32_helpers.def"
#undef HELPER
#define HELPER(name, signature, effects) extern void armm_helper_##name(void);
#include "armm_helpers.def"
#undef HELPER

static const oryx_helper helpers[ARMM_HELPER_COUNT] = {
#define HELPER(name, signature, effects, function) { "a32_" #name, signature, effects, function },
#include "a32_helpers.def"
#undef HELPER
#define HELPER(name, signature, effects) { "armm_" #name, signature, effects, armm_helper_##name },
#include "armm_helpers.def"
#undef HELPER
};

static const char *const irqs[] = { [ORYX_SCS_LINE_SCS] = "scs", [ORYX_SCS_LINE_EVENT] = "event", NULL };

static const oryx_gdb_feature gdb_features[] = {
    { "org.gnu.gdb.arm.m-profile", 0, 25 },
    { "org.gnu.gdb.arm.vfp", 26, 58 },
    { "org.gnu.gdb.arm.m-system", 59, 66 },
    { NULL, 0, 0 },
};

static oryx_arch_ops ops = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "armm",
    .gdb_arch = "arm",
    .gdb_features = gdb_features,
    .text = "Arm M profile: Armv6-M, Armv7-M and Armv8-M, T32 instruction set",
    .state_size = sizeof(armm_state),
    .pc_offset = offsetof(armm_state, a.pc),
    .regs = regs,
    .reg_stride = sizeof(oryx_reg),
    .n_regs = sizeof regs / sizeof regs[0],
    .modes = modes,
    .models = models,
    .model_stride = sizeof(oryx_cpu_model),
    .n_models = sizeof models / sizeof models[0],
    .helpers = helpers,
    .helper_stride = sizeof(oryx_helper),
    .n_helpers = ARMM_HELPER_COUNT,
    .insn_align = 2,
    .insn_max = 4,
    .n_mmu_indexes = 4,
    .reset = reset,
    .mode_key = armm_mode_key,
    .lift = armm_lift,
    .reg_read = reg_read,
    .reg_write = reg_write,
    .disasm = disasm,
    .mode_of = mode_of,
    .mmu = armm_mmu,
    .deliver = armm_deliver,
    .irqs = irqs,
    .interrupt = armm_interrupt,
    .attach = attach,
};

const void *armm_arch(void)
{
    for (uint32_t i = 0; i < armm_model_count; i++)
        models[i] = (oryx_cpu_model){ armm_models[i].name, armm_models[i].text, &armm_models[i] };
    return &ops;
}
