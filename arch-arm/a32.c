/* The A32 and T32 frontend: class "arm". Registers, models, reset, lifting, disassembly.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block. Invariant: at every
 * instruction boundary a32_state.exec equals the mode key, so a block can start at any instruction, IT blocks included. */
#include <stdio.h>
#include <string.h>

#include "a32_sys.h"
#include "a32_text.h"
#include "arm_fp.h"

/* --- Models -------------------------------------------------------------------------------------------------- */

#define V5TE (A32_FEAT_BASE | A32_FEAT_V5 | A32_FEAT_V5E)
#define V6K (V5TE | A32_FEAT_V6 | A32_FEAT_V6K)
#define V7A (V6K | A32_FEAT_T2 | A32_FEAT_V7)
#define VFP3 (A32_FEAT_VFP | A32_FEAT_VFP3 | A32_FEAT_D32 | A32_FEAT_NEON)
#define VFP4 (VFP3 | A32_FEAT_HALF | A32_FEAT_VFP4)

#define V7VE (A32_FEAT_SEC | A32_FEAT_VIRT)
#define SYS_V7 (A32_SYS_VBAR | A32_SYS_PMU)
#define SYS_V7VE (SYS_V7 | A32_SYS_LPAE | A32_SYS_TIMER)

/* The default comes first. The last number is the column of a32_cp15_id.def. */
const a32_model a32_models[] = {
    { "max", "every implemented feature", UINT32_MAX, 0x000f04f0, 0x41034070, SYS_V7VE, 6 },
    { "arm926", "Armv5TEJ with VFPv2", V5TE | A32_FEAT_VFP, 0x41069265, 0x41011090, 0, 0 },
    { "arm1176", "Armv6K with VFPv2", V6K | A32_FEAT_VFP | A32_FEAT_SEC, 0x410fb767, 0x410120b5,
      A32_SYS_VBAR, 1 },
    { "cortex-a7", "Armv7-A with divide, VFPv4, NEON", V7A | A32_FEAT_MP | A32_FEAT_IDIV | VFP4 | V7VE,
      0x410fc075, 0x41023075, SYS_V7VE, 5 },
    { "cortex-a8", "Armv7-A with VFPv3, NEON", V7A | VFP3 | A32_FEAT_SEC, 0x410fc080, 0x410330c0, SYS_V7, 2 },
    { "cortex-a9", "Armv7-A with the multiprocessing extension, VFPv3, NEON", V7A | A32_FEAT_MP | VFP3 | A32_FEAT_HALF | A32_FEAT_SEC,
      0x410fc090, 0x41033090, SYS_V7, 3 },
    { "cortex-a15", "Armv7-A with divide, VFPv4, NEON", V7A | A32_FEAT_MP | A32_FEAT_IDIV | VFP4 | V7VE,
      0x414fc0f0, 0x410430f0, SYS_V7VE, 4 },
};
#define MODEL_COUNT (sizeof a32_models / sizeof a32_models[0])

static oryx_cpu_model models[MODEL_COUNT];

/* --- Registers ------------------------------------------------------------------------------------------------- */

enum { SPSR = CP_COUNT_, FPEXC };

enum {
#define REG(name, ...) REG_##name,
#define IDREG(name, id) REG_##name,
#define SYSREG(name, row) REG_##name,
#include "a32_regs.def"
#undef REG
#undef IDREG
#undef SYSREG
};

static const oryx_reg regs[] = {
#define REG(name, group, offset, size, kind, type, flags, gdb, reset) \
    { #name, group, offset, size, ORYX_REG_##kind, ORYX_T_##type, flags, gdb, reset },
#define IDREG(name, id) \
    { #name, "system", 0, 4, ORYX_REG_SYSTEM, ORYX_T_I32, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 },
#define SYSREG(name, row) { #name, "system", 0, 8, ORYX_REG_SYSTEM, ORYX_T_I64, ORYX_REG_COMPUTED, -1, 0 },
#include "a32_regs.def"
#undef REG
#undef IDREG
#undef SYSREG
};

const a32_model *a32_model_of(const oryx_cpu *cpu)
{
    uint32_t n = a32_state_of(cpu)->model;
    return &a32_models[n < MODEL_COUNT ? n : 0];
}

/* A register of the system level, as the world the CPU is in has it. */
static uint64_t system_get(oryx_cpu *cpu, unsigned row)
{
    a32_state *s = a32_state_of(cpu);
    return row == SPSR ? *a32_spsr(s, a32_mode(s)) : row == FPEXC ? s->system.fpexc : a32_cp_get(cpu, row, a32_world(s));
}

static void system_set(oryx_cpu *cpu, unsigned row, uint64_t v)
{
    a32_state *s = a32_state_of(cpu);
    if (row == SPSR)
        *a32_spsr(s, a32_mode(s)) = (uint32_t)v;
    else if (row == FPEXC)
        s->system.fpexc = (uint32_t)v & FPEXC_EN;
    else if (row == CP_ttbr0 || row == CP_ttbr1)
        a32_cp_set(cpu, row == CP_ttbr0 ? CP_ttbr0_64 : CP_ttbr1_64, a32_world(s), v);
    else
        a32_cp_set(cpu, row, a32_world(s), v);
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    uint32_t v;
    uint64_t wide;
    switch (reg) {
    case REG_cpsr: v = a32_cpsr(a32_state_of(cpu)); break;
    case REG_fpscr: v = a32_fpscr_read(cpu); break;
#define REG(...)
#define IDREG(name, id) \
    case REG_##name: v = a32_id_register(a32_model_of(cpu), id); break;
#define SYSREG(name, row)                \
    case REG_##name:                     \
        wide = system_get(cpu, row);     \
        memcpy(buf, &wide, sizeof wide); \
        return ORYX_OK;
#include "a32_regs.def"
#undef REG
#undef IDREG
#undef SYSREG
    default: return ORYX_E_NOTFOUND;
    }
    memcpy(buf, &v, sizeof v);
    return ORYX_OK;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    uint32_t v;
    uint64_t wide;
    switch (reg) {
#define REG(...)
#define IDREG(...)
#define SYSREG(name, row)                \
    case REG_##name:                     \
        memcpy(&wide, buf, sizeof wide); \
        system_set(cpu, row, wide);      \
        return ORYX_OK;
#include "a32_regs.def"
#undef REG
#undef IDREG
#undef SYSREG
    default: break;
    }
    if (reg != REG_cpsr && reg != REG_fpscr)
        return reg < sizeof regs / sizeof regs[0] && regs[reg].flags & ORYX_REG_READONLY ? ORYX_E_PERM : ORYX_E_NOTFOUND;
    memcpy(&v, buf, sizeof v);
    if (reg == REG_cpsr)
        a32_set_cpsr(cpu, v, UINT32_MAX); /* at user level the mode bits are user mode's whatever is written */
    else
        a32_fpscr_write(cpu, v);
    return ORYX_OK;
}

/* --- Reset, mode ------------------------------------------------------------------------------------------------- */

/* "arm", "thumb": user level. "bare": svc mode, exceptions leave the run. "el1", "el3": a whole CPU without and with the Security
 * Extensions. */
static const char *const modes[] = { "arm", "thumb", "bare", "el1", "el3", NULL };

static oryx_status mode_of(const char *mode, uint64_t *key)
{
    unsigned n = 0;
    while (mode && modes[n] && strcmp(mode, modes[n]))
        n++;
    *key = n == 1 ? A32_MODE_T : n > 1 ? A32_MODE_SYSTEM : 0;
    return modes[n] ? ORYX_OK : ORYX_E_NOTFOUND;
}

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t key;
    if (mode_of(mode, &key)) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "arm has no mode '%.64s'; use arm, thumb, bare, el1 or el3%s", mode,
                     strcmp(mode, "el2") ? "" : " (there is no Hyp mode)");
        }
        return ORYX_E_NOTFOUND;
    }
    s->exec = (uint32_t)key & A32_MODE_EXEC;
    if (model && model->data)
        s->model = (uint32_t)((const a32_model *)model->data - a32_models);
    cpu->fp.flags = 0;
    arm_fpenv_apply(cpu, s->fpscr);
    return key & A32_MODE_SYSTEM ? a32_reset_system(cpu, a32_model_of(cpu), mode, err) : ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    const a32_state *s = a32_state_of(cpu);
    arm_fpenv_apply(cpu, s->fpscr);
    return (s->exec & A32_MODE_EXEC) | (s->fpscr & A32_FPSCR_CONTROL) |
           (s->system.level ? a32_system_mode(cpu) : s->be32 ? A32_MODE_BE32 : 0);
}

/* --- Lifting ------------------------------------------------------------------------------------------------------- */

/* By op: the letters of its effects. */
static const char *const effects[] = {
#define OP(name, sig, types, effects, meaning) [ORYX_OP_##name] = effects,
#include "oryx_ir.def"
#undef OP
};

/* True when the ops from `mark` on neither touch memory or sticky flags nor call, branch or change the mode. */
static int selectable(const oryx_ir *ir, uint32_t mark)
{
    for (uint32_t i = mark; i < ir->n; i++) {
        unsigned op = ir->ops[i].op;
        if (strpbrk(effects[op], "RWEQCBX") || op == ORYX_OP_SETMODE || op == ORYX_OP_CLREX)
            return 0;
    }
    return 1;
}

static void conditional(a32_lift *l, const a32_row *row, const a32_fields *f, unsigned cond)
{
    oryx_ir *ir = l->ir;
    uint32_t mark = ir->n, next_mode = l->next_mode;
    void (*hook)(oryx_ir *, oryx_val) = ir->mem_hook;
    ir->mem_hook = NULL; /* what is thrown away has no probes */
    l->pred = a32_cond(l, cond);
    row->lift(l, f);
    ir->mem_hook = hook;
    if (l->own_cond || (!l->end && selectable(ir, mark)))
        return;
    ir->n = mark;
    l->pred = l->end = l->labels = 0;
    l->next_mode = next_mode;
    uint32_t skip = a32_label_new(l);
    oryx_brc(ir, a32_cond_not(l, cond), skip);
    row->lift(l, f);
    oryx_label(ir, skip);
    if (l->end) {
        a32_leave(l, next_mode);
        oryx_goto(ir, l->pc + l->len, 1);
    }
}

static void lift_undefined(a32_lift *l, const a32_fields *f)
{
    (void)f;
    a32_undefined(l);
}

/* What is UNDEFINED and fails its condition does nothing: IMPLEMENTATION DEFINED, and what CPUs do. */
static const a32_row undefined = { .name = "undefined", .lift = lift_undefined };

void a32_lift_row(a32_lift *l, const a32_row *row, const a32_fields *f, unsigned cond)
{
    uint32_t mark = l->ir->n, next_mode = l->next_mode;
    if (!row || !(l->features & row->feature))
        row = &undefined;
    if (cond >= 14)
        row->lift(l, f);
    else
        conditional(l, row, f, cond);
    if (l->refused) {
        l->ir->n = mark;
        l->refused = l->end = l->pred = l->own_cond = l->labels = 0;
        l->next_mode = next_mode;
        a32_lift_row(l, NULL, f, cond);
    } else if (!l->end) {
        a32_leave(l, l->next_mode);
    }
}

/* FP and AdvSIMD that CPACR, NSACR or FPEXC do not let this mode have. */
static int fp_refused(const a32_lift *l, const a32_row *row)
{
    if (!(l->mode & (A32_MODE_FPOFF | A32_MODE_FPDIS | A32_MODE_NOASE)) || !row || !a32_row_is_fp(row))
        return 0;
    int system = (l->insn & 0x0fe00f10) == 0x0ee00a10; /* VMRS and VMSR ask for themselves */
    int simd = (row->feature & (A32_FEAT_NEON | A32_FEAT_AES | A32_FEAT_SHA1 | A32_FEAT_SHA256 | A32_FEAT_RDM | A32_FEAT_DOTPROD | A32_FEAT_FCMA)) != 0;
    return l->mode & A32_MODE_FPOFF || (l->mode & A32_MODE_FPDIS && !system) || (l->mode & A32_MODE_NOASE && simd);
}

/* Gives every access from op number `from` on the mmu index, privilege and alignment of a CPU above user level. */
static void place_accesses(const a32_lift *l, uint32_t from)
{
    for (uint32_t i = from; i < l->ir->n; i++) {
        oryx_ir_op *o = &l->ir->ops[i];
        switch (o->op) {
        case ORYX_OP_LOAD:
        case ORYX_OP_STORE:
        case ORYX_OP_RMW:
        case ORYX_OP_CAS:
        case ORYX_OP_LDX:
        case ORYX_OP_STX:
            o->imm |= l->memop;
            if (l->mode & A32_MODE_ALIGN && !ORYX_MO_ALIGN_OF(o->imm))
                o->imm |= ORYX_MO_ALIGN(l->align ? l->align - 1 : ORYX_MO_SIZE(o->imm));
            break;
        default:
            break;
        }
    }
}

static void lift_system(a32_lift *l, const a32_row *row, const a32_fields *f, unsigned cond)
{
    uint32_t from = l->ir->n;
    l->memop = ORYX_MO_MMU(A32_MODE_MMU(l->mode)) | (l->mode & A32_MODE_USER ? ORYX_MO_USER : 0);
    a32_lift_row(l, fp_refused(l, row) ? NULL : row, f, cond);
    place_accesses(l, from);
}

static uint32_t word_at(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Code of a BE-32 program: the words, or halfwords, the other way round. */
static const uint8_t *big_code(uint8_t turned[4], const uint8_t *b, uint32_t n, uint64_t mode)
{
    for (uint32_t i = 0; i < 4 && i < n; i++) {
        uint32_t from = mode & A32_MODE_T ? i ^ 1 : 3 - i;
        turned[i] = from < n ? b[from] : 0;
    }
    return turned;
}

/* The first halfword in the upper half; *len: 2 or 4, 0 when bytes are missing. */
uint32_t a32_thumb_at(const uint8_t *b, uint32_t n, uint32_t *len)
{
    *len = 0;
    if (n < 2)
        return 0;
    uint32_t first = b[0] | (uint32_t)b[1] << 8;
    if (first >> 11 < 0x1d) {
        *len = 2;
        return first << 16;
    }
    if (n < 4)
        return 0;
    *len = 4;
    return first << 16 | b[2] | (uint32_t)b[3] << 8;
}

uint32_t a32_it_advance(uint32_t it)
{
    return it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
}

static oryx_status lift(oryx_lift *in)
{
    const a32_model *model = in->model && in->model->data ? in->model->data : &a32_models[0];
    uint32_t it = A32_MODE_IT(in->mode), thumb = in->mode & A32_MODE_T;
    a32_lift l = { .ir = in->ir, .pc = (uint32_t)in->pc, .mode = (uint32_t)in->mode, .helper_base = in->helper_base,
                   .features = model->features, .model = model };
    a32_fields f;
    uint8_t turned[4];
    const uint8_t *bytes = in->bytes;
    void (*one)(a32_lift *, const a32_row *, const a32_fields *, unsigned) = l.mode & A32_MODE_SYSTEM ? lift_system : a32_lift_row;
    if (l.mode & A32_MODE_BE32 && !(l.mode & A32_MODE_SYSTEM))
        bytes = big_code(turned, in->bytes, in->n_bytes, in->mode);
    else if (thumb && l.mode & A32_MODE_BE32)
        return ORYX_E_UNSUPPORTED; /* its halfwords are at the other end of their word, which may lie before pc */
    l.next_mode = (l.mode & ~A32_MODE_IT_MASK) | a32_it_advance(it) << A32_MODE_IT_SHIFT;
    if (in->pc & (thumb ? 1 : 3)) {
        in->len = thumb ? 2 : 4;
        if (in->n_bytes < in->len)
            in->len = in->n_bytes;
        oryx_raise(in->ir, ORYX_EXC_PC_ALIGN, oryx_const(in->ir, I64, 0), in->pc);
        in->end = 1;
        return in->ir->error;
    }
    if (thumb) {
        l.insn = a32_thumb_at(bytes, in->n_bytes, &l.len);
        if (!l.len)
            return ORYX_NEED_BYTES;
        const a32_row *row = t32_decode(l.insn, &f);
        if (l.len == 2)
            l.insn >>= 16;
        one(&l, row, &f, it && (l.len == 4 || l.insn >> 8 != 0xbe) ? it >> 4 : 14); /* BKPT has no condition */
    } else {
        if (in->n_bytes < 4)
            return ORYX_NEED_BYTES;
        l.insn = word_at(bytes);
        l.len = 4;
        const a32_row *row = a32_decode(l.insn, &f);
        one(&l, row, &f, l.insn >> 28);
    }
    in->len = l.len;
    in->mode = l.next_mode;
    in->end = l.end;
    return in->ir->error;
}

/* --- Disassembly ------------------------------------------------------------------------------------------------------ */

static oryx_status disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out)
{
    a32_fields f;
    uint32_t thumb = mode & A32_MODE_T, it = A32_MODE_IT(mode), len = 4, word;
    uint8_t turned[4];
    if ((mode & (A32_MODE_BE32 | A32_MODE_SYSTEM)) == A32_MODE_BE32)
        bytes = big_code(turned, bytes, n_bytes, mode);
    a32_text t = { .at = out->text, .end = out->text + sizeof out->text, .pc = pc, .thumb = thumb, .in_it = it != 0 };
    if (thumb) {
        word = a32_thumb_at(bytes, n_bytes, &len);
        if (!len)
            return ORYX_NEED_BYTES;
        t.cond = it ? it >> 4 : 14;
    } else {
        if (n_bytes < 4)
            return ORYX_NEED_BYTES;
        word = word_at(bytes);
        t.cond = word >> 28;
    }
    const a32_row *row = thumb ? t32_decode(word, &f) : a32_decode(word, &f);
    out->len = len;
    out->text[0] = 0;
    if (row && row->text(&t, &f))
        return ORYX_OK;
    if (len == 2)
        snprintf(out->text, sizeof out->text, ".inst.n\t0x%04x ; undefined", word >> 16);
    else
        snprintf(out->text, sizeof out->text, ".inst%s\t0x%08x ; undefined", thumb ? ".w" : "", word);
    return ORYX_E_FORMAT;
}

/* --- The class ---------------------------------------------------------------------------------------------------------- */

/* Untyped code pointers: each row's signature says how to call it. */
#define HELPER(name, signature, effects, function) extern void function(void);
#include "a32_helpers.def"
#undef HELPER

static const oryx_helper helpers[A32_HELPER_COUNT] = {
#define HELPER(name, signature, effects, function) { "a32_" #name, signature, effects, function },
#include "a32_helpers.def"
#undef HELPER
};

static const oryx_gdb_feature gdb_features[] = {
    { "org.gnu.gdb.arm.core", 0, 25 },
    { "org.gnu.gdb.arm.vfp", 26, 58 },
    { "org.gnu.gdb.arm.neon", -2, -2 },
    { NULL, 0, 0 },
};

static oryx_arch_ops ops = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "arm",
    .gdb_arch = "arm",
    .gdb_features = gdb_features,
    .text = "Arm AArch32, A32 and T32 instruction sets, all modes but Hyp",
    .state_size = sizeof(a32_state),
    .pc_offset = offsetof(a32_state, pc),
    .regs = regs,
    .reg_stride = sizeof(oryx_reg),
    .n_regs = sizeof regs / sizeof regs[0],
    .modes = modes,
    .models = models,
    .model_stride = sizeof(oryx_cpu_model),
    .n_models = MODEL_COUNT,
    .helpers = helpers,
    .helper_stride = sizeof(oryx_helper),
    .n_helpers = A32_HELPER_COUNT,
    .insn_align = 2,
    .insn_max = 4,
    .n_mmu_indexes = 4,
    .reset = reset,
    .mode_key = mode_key,
    .lift = lift,
    .reg_read = reg_read,
    .reg_write = reg_write,
    .disasm = disasm,
    .mode_of = mode_of,
    .mmu = a32_mmu,
    .deliver = a32_deliver,
    .irqs = a32_irqs,
    .irq_outs = a32_irq_outs,
    .interrupt = a32_interrupt,
    .alarm = a32_alarm,
};

const void *a32_arch(void)
{
    for (unsigned i = 0; i < MODEL_COUNT; i++)
        models[i] = (oryx_cpu_model){ a32_models[i].name, a32_models[i].text, &a32_models[i] };
    return &ops;
}
