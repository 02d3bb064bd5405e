/* The A64 frontend as a plugin: registers, reset, lifting, disassembly, and the entry point.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block. */
#include <stdio.h>
#include <string.h>

#include "a64_sys.h"
#include "a64_text.h"
#include "helper/oryx_manifest.h"

const oryx_host *a64_host;
const void *a32_arch(void);  /* a32.c: the class "arm" */
const void *armm_arch(void); /* armm.c: the class "armm" */

/* --- Registers ------------------------------------------------------------------------------------------ */

enum {
#define REG(name, ...) REG_##name,
#define IDREG(name, id) REG_##name,
#define SREG(name) REG_##name,
#include "regs.def"
#undef REG
#undef IDREG
#undef SREG
};

static const oryx_reg regs[] = {
#define REG(name, group, offset, size, kind, type, flags, gdb, reset) \
    { #name, group, offset, size, ORYX_REG_##kind, ORYX_T_##type, flags, gdb, reset },
#define IDREG(name, id) \
    { #name, "system", 0, 8, ORYX_REG_SYSTEM, ORYX_T_I64, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 },
#define SREG(name) { #name, "system", 0, 8, ORYX_REG_SYSTEM, ORYX_T_I64, ORYX_REG_COMPUTED, -1, 0 },
#include "regs.def"
#undef REG
#undef IDREG
#undef SREG
};

static const a64_model *model_of(const oryx_cpu *cpu)
{
    uint32_t n = ((const a64_state *)(const void *)cpu->state)->model;
    return &a64_models[n < a64_model_count() ? n : 0];
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    const a64_state *s = (const a64_state *)(const void *)cpu->state;
    uint32_t v;
    uint64_t id;
    switch (reg) {
    case REG_nzcv: v = a64_nzcv_from_packed(s->flags); break;
    case REG_cpsr: v = a64_nzcv_from_packed(s->flags) | s->pstate; break;
    case REG_fpsr: v = a64_fpsr_from_flags(cpu->fp.flags); break;
    case REG_fpcr: v = s->fpcr; break;
#define REG(...)
#define IDREG(name, id_)                         \
    case REG_##name:                             \
        id = a64_id_register(model_of(cpu), id_); \
        memcpy(buf, &id, sizeof id);             \
        return ORYX_OK;
#define SREG(name)                          \
    case REG_##name:                        \
        id = a64_sysreg_get(cpu, SR_##name); \
        memcpy(buf, &id, sizeof id);        \
        return ORYX_OK;
#include "regs.def"
#undef REG
#undef IDREG
#undef SREG
    default: return ORYX_E_NOTFOUND;
    }
    memcpy(buf, &v, sizeof v);
    return ORYX_OK;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    a64_state *s = (a64_state *)(void *)cpu->state;
    uint32_t v;
    uint64_t wide;
    switch (reg) {
#define REG(...)
#define IDREG(...)
#define SREG(name)                              \
    case REG_##name:                            \
        memcpy(&wide, buf, sizeof wide);        \
        a64_sysreg_set(cpu, SR_##name, wide);   \
        return ORYX_OK;
#include "regs.def"
#undef REG
#undef IDREG
#undef SREG
    default:
        break;
    }
    if (reg != REG_nzcv && reg != REG_cpsr && reg != REG_fpsr && reg != REG_fpcr)
        return reg < sizeof regs / sizeof regs[0] && regs[reg].flags & ORYX_REG_READONLY ? ORYX_E_PERM : ORYX_E_NOTFOUND;
    memcpy(&v, buf, sizeof v);
    if (reg == REG_nzcv) {
        s->flags = a64_packed_from_nzcv(v);
    } else if (reg == REG_cpsr) {
        s->flags = a64_packed_from_nzcv(v & 0xf0000000);
        a64_set_pstate(s, v & 0x0fffffff);
    } else if (reg == REG_fpsr) {
        cpu->fp.flags = a64_flags_from_fpsr(v);
    } else {
        s->fpcr = v & (A64_FPCR_MASK | A64_FPCR_FZ16);
        a64_fpcr_apply(cpu);
    }
    return ORYX_OK;
}

/* --- Reset, mode ------------------------------------------------------------------------------------------- */

static oryx_cpu_model models[8];
/* "a64": user level. "bare": EL1, exceptions leave the run. "elN": a whole CPU whose highest level is N. */
static const char *const modes[] = { "a64", "bare", "el1", "el2", "el3", NULL };

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    unsigned n = 0;
    while (mode && modes[n] && strcmp(mode, modes[n]))
        n++;
    if (!modes[n]) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "arm64 has no mode '%.64s'; use a64, bare, el1, el2 or el3", mode);
        }
        return ORYX_E_NOTFOUND;
    }
    if (model && model->data)
        ((a64_state *)(void *)cpu->state)->model = (uint32_t)((const a64_model *)model->data - a64_models);
    if (n)
        a64_reset_level(a64_state_of(cpu), n == 1 ? 1 : n - 1, n == 1);
    cpu->fp.flags = 0;
    a64_fpcr_apply(cpu);
    return ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    a64_fpcr_apply(cpu);
    const a64_state *s = a64_state_of(cpu);
    return A64_MODE_FPCR(s->fpcr) | (s->level ? a64_system_mode(cpu) : 0);
}

#define STACK_LABEL 0u /* bodies of loads and stores have no label */

/* --- Lifting, disassembly ------------------------------------------------------------------------------------ */

static uint32_t word_at(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* FP and SIMD, data processing, loads and stores: bits 27 and 26 are set in all of them and in nothing else. */
static int is_fp(uint32_t insn)
{
    return (insn & 0x0c000000) == 0x0c000000;
}

/* A load or store with SP as its base, not a literal and not a prefetch: DDI 0487, CheckSPAlignment. */
static int uses_stack(uint32_t insn)
{
    return (insn & 0x0a000000) == 0x08000000 && (insn >> 5 & 31) == 31 && (insn & 0x3b000000) != 0x18000000 &&
           (insn & 0xffc00000) != 0xf9800000 && (insn & 0xffe00000) != 0xf8a00000 && (insn & 0xffe00c00) != 0xf8800000;
}

static void check_stack(a64_lift *l)
{
    oryx_val low = oryx_bin(l->ir, ORYX_OP_AND, ORYX_T_I64, a64_reg_sp(l, ORYX_T_I64, 31), a64_imm(l, ORYX_T_I64, 15));
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_EQ, ORYX_T_I64, low, a64_imm(l, ORYX_T_I64, 0)), STACK_LABEL);
    oryx_raise(l->ir, ORYX_EXC_SP_ALIGN, a64_imm(l, ORYX_T_I64, 0), l->pc);
    oryx_label(l->ir, STACK_LABEL);
}

/* Gives every access from op number `from` on the mmu index, byte order and alignment of the level. */
static void place_accesses(const a64_lift *l, uint32_t from)
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
            if (l->align && !ORYX_MO_ALIGN_OF(o->imm))
                o->imm |= ORYX_MO_ALIGN(l->align > 1 ? l->align - 1 : ORYX_MO_SIZE(o->imm));
            break;
        default:
            break;
        }
    }
}

/* An instruction of a whole CPU: what its level and PSTATE add. */
static void lift_whole(a64_lift *l, const a64_row *row, const a64_fields *f)
{
    uint32_t from = l->ir->n;
    if (l->mode & A64_MODE_IL) {
        oryx_raise(l->ir, ORYX_EXC_TRAP, a64_imm(l, ORYX_T_I64, A64_TRAP(0, ESR(0x0e))), l->pc);
        l->end = 1;
        return;
    }
    a64_btype_check(l);
    if (!row || !(l->features & row->feature)) {
        a64_undefined(l);
        return;
    }
    if (l->mode & A64_MODE_FPTRAP && is_fp(l->insn)) {
        a64_fp_trap(l);
        return;
    }
    if (l->mode & A64_MODE_SPCHECK && uses_stack(l->insn))
        check_stack(l);
    l->memop = ORYX_MO_MMU(A64_MODE_MMU(l->mode)) | (l->mode & A64_MODE_BE ? ORYX_MO_BE : 0) |
               (A64_MODE_EL(l->mode) ? 0 : ORYX_MO_USER);
    l->align = (l->mode & A64_MODE_ALIGN) != 0;
    row->lift(l, f);
    place_accesses(l, from);
    a64_btype_end(l);
}

static oryx_status lift(oryx_lift *in)
{
    const a64_model *model = in->model && in->model->data ? in->model->data : &a64_models[0];
    a64_lift l = { .ir = in->ir, .pc = in->pc, .mode = in->mode, .helper_base = in->helper_base,
                   .features = a64_features(model), .model = model };
    if (!(in->mode & A64_MODE_SYSTEM))
        l.features &= ~(uint32_t)(A64_FEAT_PAUTH | A64_FEAT_BTI); /* keys and guarded pages are a kernel's: user-level CPUs have neither */
    a64_fields f;
    in->len = 4;
    if (in->pc & 3) {
        oryx_raise(in->ir, ORYX_EXC_PC_ALIGN, a64_imm(&l, ORYX_T_I64, 0), in->pc);
        in->end = 1;
        return in->ir->error;
    }
    if (in->n_bytes < 4)
        return ORYX_NEED_BYTES;
    l.insn = word_at(in->bytes);
    const a64_row *row = a64_decode(l.insn, &f);
    if (l.mode & A64_MODE_SYSTEM)
        lift_whole(&l, row, &f);
    else if (row && l.features & row->feature)
        row->lift(&l, &f);
    else
        a64_undefined(&l);
    in->end = l.end;
    return in->ir->error;
}

static oryx_status disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out)
{
    a64_fields f;
    a64_text t = { out->text, out->text + sizeof out->text, pc, 0 };
    (void)mode;
    if (n_bytes < 4)
        return ORYX_NEED_BYTES;
    uint32_t word = word_at(bytes);
    const a64_row *row = a64_decode(word, &f);
    out->len = 4;
    out->text[0] = 0;
    if (row && row->text(&t, &f))
        return ORYX_OK;
    snprintf(out->text, sizeof out->text, ".inst\t0x%08x ; undefined", word);
    return ORYX_E_FORMAT;
}

/* --- Helpers ---------------------------------------------------------------------------------------------------- */

/* The table holds untyped code pointers and each row's signature says how to call it, so the true types are not
 * needed here; the definitions are in a64_helpers.c, a64_fp_helpers.c and a64_crypto_helpers.c. */
#define HELPER(name, signature, effects) extern void a64_helper_##name(void);
#include "a64_helpers.def"
#undef HELPER

static const oryx_helper helpers[] = {
#define HELPER(name, signature, effects) { "a64_" #name, signature, effects, a64_helper_##name },
#include "a64_helpers.def"
#undef HELPER
};

/* --- The plugin ---------------------------------------------------------------------------------------------------- */

static const oryx_gdb_feature gdb_features[] = {
    { "org.gnu.gdb.aarch64.core", 0, 33 },
    { "org.gnu.gdb.aarch64.fpu", 34, 67 },
    { NULL, 0, 0 },
};

static oryx_arch_ops ops = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "arm64",
    .text = "Arm AArch64, A64 instruction set, EL0 to EL3",
    .state_size = sizeof(a64_state),
    .pc_offset = offsetof(a64_state, pc),
    .regs = regs,
    .reg_stride = sizeof(oryx_reg),
    .n_regs = sizeof regs / sizeof regs[0],
    .modes = modes,
    .models = models,
    .model_stride = sizeof(oryx_cpu_model),
    .helpers = helpers,
    .helper_stride = sizeof(oryx_helper),
    .n_helpers = sizeof helpers / sizeof helpers[0],
    .insn_align = 4,
    .gdb_arch = "aarch64",
    .gdb_features = gdb_features,
    .insn_max = 4,
    .n_mmu_indexes = 4,
    .reset = reset,
    .mode_key = mode_key,
    .lift = lift,
    .reg_read = reg_read,
    .reg_write = reg_write,
    .disasm = disasm,
    .mmu = a64_mmu,
    .deliver = a64_deliver,
    .irqs = a64_irqs,
    .irq_outs = a64_irq_outs,
    .interrupt = a64_interrupt,
    .alarm = a64_alarm,
};

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_ARCH_ID))
        return NULL;
    return !strcmp(cls, "arm64") ? &ops : !strcmp(cls, "arm") ? a32_arch() : !strcmp(cls, "armm") ? armm_arch() : NULL;
}

static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

ORYX_MANIFEST("{\"id\": \"arch-arm\", \"version\": \"0.1.0\", \"abi\": {\"major\": 1, \"minor\": 0}, \"licence\": \"MIT\","
              " \"text\": \"Arm AArch64, AArch32 and M-profile frontends\","
              " \"provides\": [{\"interface\": \"oryx.arch/1\", \"class\": \"arm64\"},"
              " {\"interface\": \"oryx.arch/1\", \"class\": \"arm\"},"
              " {\"interface\": \"oryx.arch/1\", \"class\": \"armm\"}]}");

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)err;
    a64_host = (const oryx_host *)(const void *)host;
    for (ops.n_models = 0; ops.n_models < a64_model_count(); ops.n_models++) {
        const a64_model *m = &a64_models[ops.n_models];
        models[ops.n_models] = (oryx_cpu_model){ m->name, m->text, m };
    }
    *out = &plugin;
    return ORYX_OK;
}
