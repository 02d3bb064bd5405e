/* The MIPS frontends: classes "mips", "mipsel", "mips64", "mips64el". Registers, models, reset, lifting, disassembly.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block. Invariant: at every
 * instruction boundary mips_state.exec equals the mode key's MIPS_MODE_EXEC bits, so a block can start in a delay slot. */
#include <stdio.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "mips_fp.h"
#include "mips_text.h"

/* --- Models ------------------------------------------------------------------------------------------------------ */

#define OLD1 (MIPS_FEAT_BASE | MIPS_FEAT_BASE_5)
#define OLD2 (OLD1 | MIPS_FEAT_M2 | MIPS_FEAT_M2_5)
#define OLD3 (OLD2 | MIPS_FEAT_M3 | MIPS_FEAT_M3_5)
#define OLD4 (OLD3 | MIPS_FEAT_M4 | MIPS_FEAT_M4_5)
#define FP (MIPS_FEAT_FPU | MIPS_FEAT_FPU_5)
#define FP64 (FP | MIPS_FEAT_FPU_64)
#define M32R1 (OLD2 | MIPS_FEAT_M4 | MIPS_FEAT_M4_5 | MIPS_FEAT_R1 | MIPS_FEAT_R1_5)
#define M32R2 (M32R1 | MIPS_FEAT_R2)
#define M64R1 (M32R1 | OLD4 | MIPS_FEAT_R1_64 | MIPS_FEAT_R1_64_5)
#define M64R2 (M64R1 | M32R2 | MIPS_FEAT_R2_64)
#define M32R6 (MIPS_FEAT_BASE | MIPS_FEAT_M2 | MIPS_FEAT_M4 | MIPS_FEAT_R1 | MIPS_FEAT_R2 | MIPS_FEAT_R6 | MIPS_FEAT_FPU)
#define M64R6 (M32R6 | MIPS_FEAT_M3 | MIPS_FEAT_R1_64 | MIPS_FEAT_R2_64 | MIPS_FEAT_R6_64 | MIPS_FEAT_FPU_64)

/* The default comes first. */
static const mips_model models32[] = {
    { "24kf", "MIPS32 Release 2 with FPU", M32R2 | FP, 0x00019300, 0x00f30093 },
    { "r3000", "MIPS I with FPU", OLD1 | FP, 0x00000220, 0x00000300 },
    { "4kc", "MIPS32 Release 1", M32R1, 0x00018000, 0 },
    { "4km", "MIPS32 Release 1, fixed mapping", M32R1, 0x00018300, 0 },
    { "34kf", "MIPS32 Release 2 with FPU", M32R2 | FP, 0x00019500, 0x00f30095 },
    { "74kf", "MIPS32 Release 2 with FPU", M32R2 | FP, 0x00019700, 0x00f30097 },
    { "mips32r6", "MIPS32 Release 6 with FPU", M32R6, 0x00010000, 0x20f30000 },
};
static const mips_model models64[] = {
    { "mips64r2", "MIPS64 Release 2 with FPU", M64R2 | FP64, 0x00010000, 0x00f30000 },
    { "r4000", "MIPS III with FPU", OLD3 | FP64, 0x00000400, 0x00000500 },
    { "5kf", "MIPS64 Release 1 with FPU", M64R1 | FP64, 0x00018100, 0x00f30081 },
    { "i6400", "MIPS64 Release 6 with FPU", M64R6, 0x0001a900, 0x20f30300 },
};
#define COUNT(array) (sizeof array / sizeof array[0])
static oryx_cpu_model list32[COUNT(models32)], list64[COUNT(models64)];

/* --- The classes ---------------------------------------------------------------------------------------------------- */

/* Handles of registers: r0-r31, then these, then f0-f31, then the ABI's names of r0-r31. */
enum { REG_LO = 32, REG_HI, REG_PC, REG_FCSR, REG_FIR, REG_USERLOCAL, REG_RESUME, REG_F0, REG_NAMES = REG_F0 + 32, REG_COUNT = REG_NAMES + 32 };

typedef struct mips_class {
    const char *name, *text;
    unsigned w;
    uint32_t be;
    const mips_model *models;
    oryx_reg regs[REG_COUNT];
    oryx_arch_ops ops;
} mips_class;

static const char *const number_names[32] = {
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31",
};
static const char *const abi_names[32] = {
    "zero", "at", "v0", "v1", "a0", "a1", "a2", "a3", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7",
    "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "t8", "t9", "k0", "k1", "gp", "sp", "fp", "ra",
};
static const char *const new_names[8] = { "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3" }; /* r8-r15 of N32, N64 */
static const char *const fpr_names[32] = {
    "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10", "f11", "f12", "f13", "f14", "f15",
    "f16", "f17", "f18", "f19", "f20", "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28", "f29", "f30", "f31",
};

static mips_class classes[4];

static mips_class *class_of(const oryx_cpu *cpu);

/* gdb: numbers of GDB's org.gnu.gdb.mips.cpu, .cp0 and .fpu features. */
static void make_registers(mips_class *c)
{
    uint16_t size = c->w == I32 ? 4 : 8;
    uint8_t type = (uint8_t)c->w;
    for (unsigned n = 0; n < 32; n++) {
        uint32_t flags = n == 29 ? ORYX_REG_IS_SP : n == 0 ? ORYX_REG_READONLY : 0;
        const char *name = c->w == I64 && n >= 8 && n < 16 ? new_names[n - 8] : abi_names[n];
        c->regs[n] = (oryx_reg){ number_names[n], "general", MIPS_OFF_R(n), size, ORYX_REG_INT, type, flags, (int32_t)n, 0 };
        c->regs[REG_F0 + n] = (oryx_reg){ fpr_names[n], "fp", 0, 8, ORYX_REG_FLOAT, ORYX_T_F64, ORYX_REG_COMPUTED, 38 + (int32_t)n, 0 };
        c->regs[REG_NAMES + n] = (oryx_reg){ name, "general", MIPS_OFF_R(n), size, ORYX_REG_INT, type,
                                             ORYX_REG_ALIAS | (n ? 0 : ORYX_REG_READONLY), -1, 0 };
    }
    c->regs[REG_LO] = (oryx_reg){ "lo", "general", MIPS_OFF(lo), size, ORYX_REG_INT, type, 0, 33, 0 };
    c->regs[REG_HI] = (oryx_reg){ "hi", "general", MIPS_OFF(hi), size, ORYX_REG_INT, type, 0, 34, 0 };
    c->regs[REG_PC] = (oryx_reg){ "pc", "general", 0, size, ORYX_REG_INT, type, ORYX_REG_COMPUTED | ORYX_REG_IS_PC, 37, 0 };
    c->regs[REG_FCSR] = (oryx_reg){ "fcsr", "fp", 0, 4, ORYX_REG_SYSTEM, I32, ORYX_REG_COMPUTED, 70, 0 };
    c->regs[REG_FIR] = (oryx_reg){ "fir", "fp", 0, 4, ORYX_REG_SYSTEM, I32, ORYX_REG_COMPUTED | ORYX_REG_READONLY, 71, 0 };
    c->regs[REG_RESUME] = (oryx_reg){ "resume", "system", 0, size, ORYX_REG_SYSTEM, type, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 };
    c->regs[REG_USERLOCAL] = (oryx_reg){ "userlocal", "system", MIPS_OFF(userlocal), size, ORYX_REG_SYSTEM, type, 0, -1, 0 };
}

static const mips_model *model_of(const oryx_cpu *cpu)
{
    return &class_of(cpu)->models[((const mips_state *)(const void *)cpu->state)->model];
}

uint32_t mips_fir(const oryx_cpu *cpu)
{
    return model_of(cpu)->fir;
}

bool mips_is_r6(const oryx_cpu *cpu)
{
    return model_of(cpu)->features & MIPS_FEAT_R6;
}

/* Where to go on when the delay slot's state is dropped, which an exception does: the branch, to be done again, or its
 * target when the slot's instruction is done. */
uint64_t mips_resume(const oryx_cpu *cpu)
{
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    unsigned slot = MIPS_MODE_SLOT(s->exec);
    uint64_t to = s->pc;
    if (slot == MIPS_SLOT_NONE || slot == MIPS_SLOT_FORBIDDEN)
        return s->pc;
    if (!(s->exec & MIPS_MODE_DONE))
        to -= 4;
    else if (slot == MIPS_SLOT_INDIRECT)
        to = s->btarget;
    else if (slot == MIPS_SLOT_ALWAYS || s->bcond)
        to += (uint64_t)(int64_t)MIPS_MODE_DISP(s->exec);
    else
        to += 4;
    return class_of(cpu)->w == I32 ? (uint32_t)to : to;
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    uint64_t v;
    if (reg >= REG_F0 && reg < REG_F0 + 32)
        v = mips_fpr_read(s, reg - REG_F0);
    else if (reg == REG_PC)
        v = s->pc;
    else if (reg == REG_RESUME)
        v = mips_resume(cpu);
    else if (reg == REG_FCSR)
        v = mips_fcsr_read(cpu);
    else if (reg == REG_FIR)
        v = mips_fir(cpu);
    else
        return ORYX_E_NOTFOUND;
    memcpy(buf, &v, class_of(cpu)->regs[reg].size);
    return ORYX_OK;
}

/* Writing pc leaves a delay slot. */
static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    mips_state *s = (mips_state *)(void *)cpu->state;
    uint64_t v = 0;
    if (reg >= REG_COUNT)
        return ORYX_E_NOTFOUND;
    memcpy(&v, buf, class_of(cpu)->regs[reg].size);
    if (reg >= REG_F0 && reg < REG_F0 + 32) {
        mips_fpr_write(s, reg - REG_F0, v);
    } else if (reg == REG_PC) {
        s->pc = v;
        s->exec = 0;
    } else if (reg == REG_FCSR) {
        mips_fcsr_write(cpu, (uint32_t)v);
    } else {
        return ORYX_E_NOTFOUND;
    }
    return ORYX_OK;
}

/* --- Reset, mode ---------------------------------------------------------------------------------------------------- */

static const char *const modes[] = { "base", "r6", NULL };

static oryx_status mode_of(const char *mode, uint64_t *key)
{
    *key = mode && !strcmp(mode, modes[1]) ? MIPS_MODE_R6 : 0;
    return mode && strcmp(mode, modes[0]) && strcmp(mode, modes[1]) ? ORYX_E_NOTFOUND : ORYX_OK;
}

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    mips_state *s = (mips_state *)(void *)cpu->state;
    const mips_class *c = class_of(cpu);
    const mips_model *m = model && model->data ? model->data : &c->models[0];
    uint64_t key, is = m->features & MIPS_FEAT_R6 ? MIPS_MODE_R6 : 0;
    if (mode_of(mode, &key) || (mode && key != is)) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "%s: CPU model '%s' has no mode '%.64s'; its mode is %s", c->name, m->name, mode,
                     modes[is ? 1 : 0]);
        }
        return ORYX_E_NOTFOUND;
    }
    s->model = (uint32_t)(m - c->models);
    s->status_fr = c->w == I64 || m->features & MIPS_FEAT_R6 ? 1 : 0;
    s->fcsr = m->features & MIPS_FEAT_R6 ? MIPS_FCSR_NAN2008 | MIPS_FCSR_ABS2008 : 0;
    cpu->fp.flags = 0;
    mips_fpenv_apply(cpu);
    return ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    mips_fpenv_apply(cpu);
    return (s->exec & MIPS_MODE_EXEC) | mips_fcsr_mode(s) | (s->status_fr ? MIPS_MODE_FR : 0) |
           (model_of(cpu)->features & MIPS_FEAT_R6 ? MIPS_MODE_R6 : 0);
}

/* --- Lifting ------------------------------------------------------------------------------------------------------------ */

static uint32_t word_at(const uint8_t *b, uint32_t be)
{
    uint32_t v;
    memcpy(&v, b, 4);
    return be ? __builtin_bswap32(v) : v;
}

static oryx_status lift(const mips_class *c, oryx_lift *in)
{
    const mips_model *model = in->model && in->model->data ? in->model->data : &c->models[0];
    mips_lift l = { .ir = in->ir, .pc = in->pc, .mode = in->mode, .next_mode = in->mode & ~MIPS_MODE_EXEC,
                    .helper_base = in->helper_base, .features = model->features, .w = c->w, .be = c->be };
    unsigned slot = MIPS_MODE_SLOT(in->mode);
    mips_fields f;
    in->len = 4;
    if (in->pc & 3) {
        if (in->n_bytes < 4)
            in->len = in->n_bytes;
        oryx_raise(in->ir, ORYX_EXC_PC_ALIGN, oryx_const(in->ir, I64, 0), in->pc);
        in->end = 1;
        return in->ir->error;
    }
    if (in->n_bytes < 4)
        return ORYX_NEED_BYTES;
    l.insn = word_at(in->bytes, c->be);
    if (!(in->mode & MIPS_MODE_DONE)) {
        const mips_row *row = mips_decode(l.insn, l.features, &f);
        if (row)
            row->lift(&l, &f);
        else
            mips_reserved(&l);
    }
    if (!l.end && slot != MIPS_SLOT_NONE && slot != MIPS_SLOT_FORBIDDEN)
        mips_finish_slot(&l);
    else if (!l.end)
        mips_leave(&l, l.next_mode);
    in->mode = l.next_mode;
    in->end = l.end;
    return in->ir->error;
}

/* --- Disassembly ---------------------------------------------------------------------------------------------------------- */

static oryx_status disasm(const mips_class *c, uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out)
{
    mips_fields f;
    mips_text t = { .at = out->text, .end = out->text + sizeof out->text, .pc = pc, .new_abi = c->w == I64 };
    uint32_t features = mode & MIPS_MODE_R6 ? M64R6 : M64R2 | FP64;
    if (n_bytes < 4)
        return ORYX_NEED_BYTES;
    uint32_t word = word_at(bytes, c->be);
    if (c->w == I32)
        features &= ~MIPS_FEAT_ALL64;
    const mips_row *row = mips_decode(word, features, &f);
    out->len = 4;
    out->text[0] = 0;
    if (row && row->text(&t, &f))
        return ORYX_OK;
    snprintf(out->text, sizeof out->text, ".word\t0x%x", word);
    return ORYX_E_FORMAT;
}

/* --- The plugin ------------------------------------------------------------------------------------------------------------ */

/* The core names no class in lift and disasm: one entry of each per class. */
#define ENTRIES(i)                                                                                                    \
    static oryx_status lift_##i(oryx_lift *in)                                                                        \
    {                                                                                                                 \
        return lift(&classes[i], in);                                                                                 \
    }                                                                                                                 \
    static oryx_status disasm_##i(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out) \
    {                                                                                                                 \
        return disasm(&classes[i], pc, mode, bytes, n_bytes, out);                                                    \
    }
ENTRIES(0)
ENTRIES(1)
ENTRIES(2)
ENTRIES(3)

/* The table holds untyped code pointers; each row's signature says how to call it. */
#define CODE(fn) ((void (*)(void))(fn))
static const oryx_helper helpers[MIPS_HELPER_COUNT] = {
    [MIPS_HELPER_CFC1] = { "mips_cfc1", "u32(vcpu,u32)", "GE", CODE(mips_helper_cfc1) },
    [MIPS_HELPER_CTC1] = { "mips_ctc1", "u32(vcpu,u32,u32)", "GSE", CODE(mips_helper_ctc1) },
    [MIPS_HELPER_CLASS] = { "mips_class", "u64(u64,u32)", "P", CODE(mips_helper_class) },
};

static const oryx_host *host;

static mips_class *class_of(const oryx_cpu *cpu)
{
    const oryx_arch_ops *ops = host->machine_arch(cpu->machine); /* the core's copy: regs is ours */
    return (mips_class *)((uintptr_t)ops->regs - offsetof(mips_class, regs));
}

static void make_class(unsigned i, const char *name, const char *text, unsigned w, uint32_t be)
{
    static oryx_status (*const lifts[4])(oryx_lift *) = { lift_0, lift_1, lift_2, lift_3 };
    static oryx_status (*const disasms[4])(uint64_t, uint64_t, const uint8_t *, uint32_t, oryx_disasm *) = {
        disasm_0, disasm_1, disasm_2, disasm_3 };
    mips_class *c = &classes[i];
    c->name = name;
    c->w = w;
    c->be = be;
    c->models = w == I32 ? models32 : models64;
    make_registers(c);
    c->ops = (oryx_arch_ops){
        .hdr = ORYX_HDR(oryx_arch_ops),
        .name = name,
        .text = text,
        .state_size = sizeof(mips_state),
        .pc_offset = offsetof(mips_state, pc),
        .regs = c->regs,
        .reg_stride = sizeof(oryx_reg),
        .n_regs = REG_COUNT,
        .modes = modes,
        .models = w == I32 ? list32 : list64,
        .model_stride = sizeof(oryx_cpu_model),
        .n_models = w == I32 ? COUNT(models32) : COUNT(models64),
        .helpers = helpers,
        .helper_stride = sizeof(oryx_helper),
        .n_helpers = MIPS_HELPER_COUNT,
        .insn_align = 4,
        .insn_max = 4,
        .big_endian = be != 0,
        .n_mmu_indexes = 1,
        .reset = reset,
        .mode_key = mode_key,
        .lift = lifts[i],
        .reg_read = reg_read,
        .reg_write = reg_write,
        .disasm = disasms[i],
        .mode_of = mode_of,
    };
}

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_ARCH_ID))
        return NULL;
    for (unsigned i = 0; i < 4; i++)
        if (!strcmp(classes[i].name, cls))
            return &classes[i].ops;
    return NULL;
}

static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

ORYX_MANIFEST(ORYX_JSON({"id": "arch-mips", "version": "0.1.0", "abi": {"major": 1, "minor": 0}, "licence": "MIT",
                         "text": "MIPS frontends, 32 and 64 bits, both byte orders",
                         "provides": [{"interface": "oryx.arch/1", "class": "mips"}, {"interface": "oryx.arch/1", "class": "mipsel"},
                                      {"interface": "oryx.arch/1", "class": "mips64"},
                                      {"interface": "oryx.arch/1", "class": "mips64el"}]}));

oryx_status oryx_plugin_open_v1(const oryx_hdr *h, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)err;
    host = (const oryx_host *)(const void *)h;
    for (unsigned i = 0; i < COUNT(models32); i++)
        list32[i] = (oryx_cpu_model){ models32[i].name, models32[i].text, &models32[i] };
    for (unsigned i = 0; i < COUNT(models64); i++)
        list64[i] = (oryx_cpu_model){ models64[i].name, models64[i].text, &models64[i] };
    make_class(0, "mips", "MIPS, 32 bits, big-endian, in user mode", I32, ORYX_MO_BE);
    make_class(1, "mipsel", "MIPS, 32 bits, little-endian, in user mode", I32, 0);
    make_class(2, "mips64", "MIPS, 64 bits, big-endian, in user mode", I64, ORYX_MO_BE);
    make_class(3, "mips64el", "MIPS, 64 bits, little-endian, in user mode", I64, 0);
    *out = &plugin;
    return ORYX_OK;
}
