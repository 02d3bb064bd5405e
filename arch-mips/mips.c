/* The MIPS frontends: classes "mips", "mipsel", "mips64", "mips64el". Registers, models, reset, lifting, disassembly.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block. Invariant: at every
 * instruction boundary mips_state.exec equals the mode key's MIPS_MODE_EXEC bits, so a block can start in a delay slot. */
#include <stdio.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "mips_dsp.h"
#include "mips_fp.h"
#include "mips_msa.h"
#include "mips_sys.h"
#include "mips_text.h"

#define COUNT(array) (sizeof array / sizeof array[0])
static oryx_cpu_model list32[16], list64[16];

/* --- The classes ---------------------------------------------------------------------------------------------------- */

/* Handles of registers: r0-r31, then these, then f0-f31, then the ABI's names of r0-r31, then coprocessor 0 by CP0_*. */
enum { REG_LO = 32, REG_HI, REG_PC, REG_FCSR, REG_FIR, REG_USERLOCAL, REG_RESUME, REG_MSAIR, REG_MSACSR, REG_DSPCTL,
       REG_ACC, REG_F0 = REG_ACC + 6, REG_NAMES = REG_F0 + 32, REG_W0 = REG_NAMES + 32,
       REG_CP0 = REG_W0 + 32, REG_COUNT = REG_CP0 + CP0_kscratch6 + 1 };

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

static const char *const vector_names[32] = {
    "w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "w9", "w10", "w11", "w12", "w13", "w14", "w15",
    "w16", "w17", "w18", "w19", "w20", "w21", "w22", "w23", "w24", "w25", "w26", "w27", "w28", "w29", "w30", "w31",
};
static const char *const acc_names[6] = { "hi1", "lo1", "hi2", "lo2", "hi3", "lo3" };

static mips_class classes[4];

static mips_class *class_of(const oryx_cpu *cpu);

static const char *const cp0_names[] = {
#define CP0(reg, sel, name, ...) #name,
#include "mips_cp0.def"
#undef CP0
};

/* The numbers are those GDB gives the rows of its features; they lie mixed, so each has a list of ranges. MSA has none there. */
static const oryx_gdb_feature gdb_features[] = {
    { "org.gnu.gdb.mips.cpu", 0, 31 },  { "org.gnu.gdb.mips.cpu", 33, 34 },  { "org.gnu.gdb.mips.cpu", 37, 37 },
    { "org.gnu.gdb.mips.cp0", 32, 32 }, { "org.gnu.gdb.mips.cp0", 35, 36 }, { "org.gnu.gdb.mips.fpu", 38, 71 },
    { "org.gnu.gdb.mips.dsp", 72, 78 }, { NULL, 0, 0 },
};

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
    for (unsigned n = 0; n < 32; n++)
        c->regs[REG_W0 + n] = (oryx_reg){ vector_names[n], "vector", MIPS_OFF_F(n), 16, ORYX_REG_VECTOR, ORYX_T_V128, 0, -1, 0 };
    for (unsigned n = 0; n < 6; n++)
        c->regs[REG_ACC + n] = (oryx_reg){ acc_names[n], "general", (n & 1 ? MIPS_OFF(lo) : MIPS_OFF(hi)) + 8 * (n / 2 + 1), size, ORYX_REG_INT, type, 0,
                                           72 + (int32_t)n, 0 };
    c->regs[REG_DSPCTL] = (oryx_reg){ "dspctl", "general", MIPS_OFF(dsp), 4, ORYX_REG_SYSTEM, I32, 0, 78, 0 };
    c->regs[REG_MSAIR] = (oryx_reg){ "msair", "vector", 0, 4, ORYX_REG_SYSTEM, I32, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 };
    c->regs[REG_MSACSR] = (oryx_reg){ "msacsr", "vector", 0, 4, ORYX_REG_SYSTEM, I32, ORYX_REG_COMPUTED, -1, 0 };
    for (unsigned n = 0; n < COUNT(cp0_names); n++) {
        int32_t gdb = n == CP0_status ? 32 : n == CP0_badvaddr ? 35 : n == CP0_cause ? 36 : -1;
        uint32_t flags = ORYX_REG_COMPUTED | (n == CP0_userlocal ? ORYX_REG_ALIAS : 0);
        c->regs[REG_CP0 + n] = (oryx_reg){ n == CP0_userlocal ? "c0_userlocal" : cp0_names[n], "system", 0, size, ORYX_REG_SYSTEM, type,
                                           flags, gdb, 0 };
    }
    c->regs[REG_LO] = (oryx_reg){ "lo", "general", MIPS_OFF(lo), size, ORYX_REG_INT, type, 0, 33, 0 };
    c->regs[REG_HI] = (oryx_reg){ "hi", "general", MIPS_OFF(hi), size, ORYX_REG_INT, type, 0, 34, 0 };
    c->regs[REG_PC] = (oryx_reg){ "pc", "general", 0, size, ORYX_REG_INT, type, ORYX_REG_COMPUTED | ORYX_REG_IS_PC, 37, 0 };
    c->regs[REG_FCSR] = (oryx_reg){ "fcsr", "fp", 0, 4, ORYX_REG_SYSTEM, I32, ORYX_REG_COMPUTED, 70, 0 };
    c->regs[REG_FIR] = (oryx_reg){ "fir", "fp", 0, 4, ORYX_REG_SYSTEM, I32, ORYX_REG_COMPUTED | ORYX_REG_READONLY, 71, 0 };
    c->regs[REG_RESUME] = (oryx_reg){ "resume", "system", 0, size, ORYX_REG_SYSTEM, type, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 };
    c->regs[REG_USERLOCAL] = (oryx_reg){ "userlocal", "system", MIPS_OFF(userlocal), size, ORYX_REG_SYSTEM, type, 0, -1, 0 };
}

const mips_model *mips_model_of(const oryx_cpu *cpu)
{
    return &class_of(cpu)->models[((const mips_state *)(const void *)cpu->state)->model];
}

unsigned mips_width(const oryx_cpu *cpu)
{
    return class_of(cpu)->w;
}

uint32_t mips_fir(const oryx_cpu *cpu)
{
    return mips_model_of(cpu)->fir;
}

bool mips_is_r6(const oryx_cpu *cpu)
{
    return mips_model_of(cpu)->features & MIPS_FEAT_R6;
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
    else if (reg == REG_MSAIR)
        v = mips_model_of(cpu)->msair;
    else if (reg == REG_MSACSR)
        v = s->msacsr;
    else if (reg >= REG_CP0 && reg < REG_COUNT)
        v = mips_cp0_get(cpu, reg - REG_CP0);
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
    } else if (reg == REG_MSACSR) {
        s->msacsr = (uint32_t)v & MIPS_MSACSR_RW;
    } else if (reg >= REG_CP0) {
        mips_cp0_force(cpu, reg - REG_CP0, v);
    } else {
        return ORYX_E_NOTFOUND;
    }
    return ORYX_OK;
}

/* --- Reset, mode ---------------------------------------------------------------------------------------------------- */

/* "base", "r6": user level, before and in Release 6. "bare": kernel mode, exceptions leave the run. "system": a whole CPU. */
static const char *const modes[] = { "base", "r6", "bare", "system", NULL };

static oryx_status mode_of(const char *mode, uint64_t *key)
{
    unsigned n = 0;
    while (mode && modes[n] && strcmp(mode, modes[n]))
        n++;
    *key = n == 1 ? MIPS_MODE_R6 : n > 1 ? MIPS_MODE_SYSTEM : 0;
    return modes[n] ? ORYX_OK : ORYX_E_NOTFOUND;
}

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    mips_state *s = mips_state_of(cpu);
    const mips_class *c = class_of(cpu);
    const mips_model *m = model && model->data ? model->data : &c->models[0];
    uint64_t key, is = m->features & MIPS_FEAT_R6 ? MIPS_MODE_R6 : 0;
    if (mode_of(mode, &key) || (mode && key != is && key != MIPS_MODE_SYSTEM)) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "%s: CPU model '%s' has no mode '%.64s'; its modes are %s, bare and system", c->name, m->name,
                     mode, modes[is ? 1 : 0]);
        }
        return ORYX_E_NOTFOUND;
    }
    s->model = (uint32_t)(m - c->models);
    s->status_fr = c->w == I64 || m->features & MIPS_FEAT_R6 ? 1 : 0;
    s->cp0[CP0_status] = s->status_fr ? ST_FR : 0; /* of a user-level CPU */
    for (unsigned i = 0; i < 8; i++)
        s->cp0[CP0_config + i] = m->config[i];
    if (mode && key == MIPS_MODE_SYSTEM)
        mips_cp0_reset(cpu, strcmp(mode, "bare") ? MIPS_SYSTEM : MIPS_BARE);
    s->fcsr = m->features & (MIPS_FEAT_R6 | MIPS_FEAT_MSA) ? MIPS_FCSR_NAN2008 | MIPS_FCSR_ABS2008 : 0;
    cpu->fp.flags = 0;
    mips_fpenv_apply(cpu);
    return ORYX_OK;
}

/* What of MSA and DSP may be used: a user-level CPU has what its model has. */
static uint64_t module_modes(const oryx_cpu *cpu)
{
    const mips_state *s = mips_state_of(cpu);
    uint64_t have = mips_model_of(cpu)->features, key = 0;
    if (have & MIPS_FEAT_MSA)
        key |= mips_msacsr_mode(s) | (!s->level || s->cp0[CP0_config5] & C5_MSAEN ? MIPS_MODE_MSA : 0);
    if (have & MIPS_FEAT_DSP)
        key |= !s->level || s->cp0[CP0_status] & ST_MX ? MIPS_MODE_DSP : 0;
    return key;
}

uint64_t mips_key(oryx_cpu *cpu)
{
    const mips_state *s = mips_state_of(cpu);
    mips_fpenv_apply(cpu);
    return (s->exec & MIPS_MODE_EXEC) | mips_fcsr_mode(s) | (s->status_fr ? MIPS_MODE_FR : 0) |
           (mips_model_of(cpu)->features & MIPS_FEAT_R6 ? MIPS_MODE_R6 : 0) | module_modes(cpu) |
           (s->level ? mips_system_mode(cpu) : 0);
}

/* --- Lifting ------------------------------------------------------------------------------------------------------------ */

static uint32_t word_at(const uint8_t *b, uint32_t be)
{
    uint32_t v;
    memcpy(&v, b, 4);
    return be ? __builtin_bswap32(v) : v;
}

/* Gives every access from op number `from` on the mmu index of the mode. */
static void place_accesses(const mips_lift *l, uint32_t from)
{
    unsigned ksu = l->as_user ? 2 : MIPS_MODE_KSU(l->mode);
    for (uint32_t i = from; i < l->ir->n; i++) {
        oryx_ir_op *o = &l->ir->ops[i];
        if (o->op == ORYX_OP_LOAD || o->op == ORYX_OP_STORE || o->op == ORYX_OP_LDX || o->op == ORYX_OP_STX ||
            o->op == ORYX_OP_RMW)
            o->imm |= ORYX_MO_MMU(ksu) | (ksu == 2 ? ORYX_MO_USER : 0);
    }
}

/* The coprocessor that an instruction needs and may not use here, or -1. MD00087, Coprocessor Unusable. */
static int unusable(const mips_lift *l, const mips_row *row)
{
    unsigned op = l->insn >> 26;
    bool r6 = l->features & MIPS_FEAT_R6, whole = l->mode & MIPS_MODE_SYSTEM;
    if ((op == 0x10 || op == 0x2f || (row && (row->feature & (MIPS_FEAT_EVA | MIPS_FEAT_EVA_5) || !strcmp(row->name, "CACHE_R6")))) && !(l->mode & MIPS_MODE_CU0) &&
        (op != 0x2f || (row && !r6)))
        return 0;
    if (!whole)
        return -1;
    bool fp = (op == 0x11 && !(row && row->feature & MIPS_FEAT_MSA)) || op == 0x31 || op == 0x35 || op == 0x39 || op == 0x3d || (op == 0x13 && (l->model->revision || l->features & MIPS_FEAT_M4_5) && !r6) ||
              (op == 0 && (l->insn & 0x3f) == 1 && !r6 && l->features & MIPS_FEAT_M4_5);
    if (fp && !(l->mode & MIPS_MODE_CU1))
        return 1;
    if (op == 0x12 && !(l->mode & MIPS_MODE_CU2))
        return 2;
    if (!r6 && !(l->features & MIPS_FEAT_OCTEON) && (op == 0x32 || op == 0x36 || op == 0x3a || op == 0x3e) && !(l->mode & MIPS_MODE_CU2))
        return 2;
    return op == 0x13 && l->model->revision == 0 && !(l->features & MIPS_FEAT_M4_5) ? 3 : -1;
}

/* FRE: what touches single words of FPRs is the kernel's to emulate. */
static bool fre_reserved(uint32_t w)
{
    unsigned op = w >> 26, fmt = w >> 21 & 31, fn = w & 63;
    if (op == 0x11)
        return fmt == 0 || fmt == 4 || fmt == 16 || fmt == 20 || (fmt == 17 && (fn == 0x20 || fn == 0x24 || (fn >= 0x0c && fn <= 0x0f)));
    if (op == 0x13)
        return (fn & 7) == 0 ? fn != 0x0f : fn == 8;
    return op == 0x31 || op == 0x39;
}

/* MSA and DSP: disabled ones raise their own exceptions. MSA's registers need those of an FPU that is on
 * to be of 64 bits. */
static bool module_usable(mips_lift *l, const mips_row *row)
{
    bool msa = row->feature & MIPS_FEAT_MSA_ALL;
    if (!(l->mode & (msa ? MIPS_MODE_MSA : MIPS_MODE_DSP)))
        mips_raise(l, ORYX_EXC_UNDEFINED, l->insn | MIPS_SYN_CODE(msa ? EXC_MSADIS : EXC_DSPDIS));
    else if (msa && !(l->mode & MIPS_MODE_FR) && (!(l->mode & MIPS_MODE_SYSTEM) || l->mode & MIPS_MODE_CU1))
        mips_reserved(l);
    else
        return true;
    return false;
}

static void lift_one(mips_lift *l)
{
    uint32_t from = l->ir->n;
    mips_fields f;
    const mips_row *row = mips_decode(l->insn, l->features, &f);
    int cop = unusable(l, row);
    if (cop >= 0) {
        mips_unusable(l, (unsigned)cop);
        return;
    }
    if (!row || (l->mode & MIPS_MODE_FRE && fre_reserved(l->insn)))
        mips_reserved(l);
    else if (row->feature & (MIPS_FEAT_MSA_ALL | MIPS_FEAT_DSP_ALL) && !module_usable(l, row))
        return;
    else if (!(l->mode & MIPS_MODE_ISC) || l->insn >> 29 != 5) /* R3000's isolated cache swallows stores */
        row->lift(l, &f);
    if (l->mode & MIPS_MODE_SYSTEM)
        place_accesses(l, from);
}

static oryx_status lift(const mips_class *c, oryx_lift *in)
{
    const mips_model *model = in->model && in->model->data ? in->model->data : &c->models[0];
    mips_lift l = { .ir = in->ir, .pc = in->pc, .mode = in->mode, .next_mode = in->mode & ~MIPS_MODE_EXEC,
                    .helper_base = in->helper_base, .features = model->features, .model = model, .w = c->w, .be = c->be };
    unsigned slot = MIPS_MODE_SLOT(in->mode);
    if (in->mode & MIPS_MODE_NO64)
        l.features &= ~(uint64_t)MIPS_FEAT_ALL64;
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
    if (!(in->mode & MIPS_MODE_DONE))
        lift_one(&l);
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
    uint64_t features = mode & MIPS_MODE_R6 ? MIPS_FEAT_TEXT_R6 : MIPS_FEAT_TEXT;
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
    [MIPS_HELPER_CFC1] = { "mips_cfc1", "u32(vcpu,u32)", "GER", CODE(mips_helper_cfc1) },
    [MIPS_HELPER_CTC1] = { "mips_ctc1", "u32(vcpu,u32,u32)", "GSER", CODE(mips_helper_ctc1) },
    [MIPS_HELPER_CRC] = { "mips_crc", "u32(u32,u64,u32)", "P", CODE(mips_helper_crc) },
    [MIPS_HELPER_MFC0] = { "mips_mfc0", "u64(vcpu,u32)", "G", CODE(mips_helper_mfc0) },
    [MIPS_HELPER_MTC0] = { "mips_mtc0", "void(vcpu,u64,u32)", "GS", CODE(mips_helper_mtc0) },
    [MIPS_HELPER_RDHWR] = { "mips_rdhwr", "u64(vcpu,u32)", "GR", CODE(mips_helper_rdhwr) },
    [MIPS_HELPER_ERET] = { "mips_eret", "u64(vcpu,u32)", "GS", CODE(mips_helper_eret) },
    [MIPS_HELPER_NEW_MODE] = { "mips_new_mode", "u64(vcpu)", "GS", CODE(mips_helper_new_mode) },
    [MIPS_HELPER_IE] = { "mips_ie", "u64(vcpu,u32)", "GS", CODE(mips_helper_ie) },
    [MIPS_HELPER_RFE] = { "mips_rfe", "void(vcpu)", "GS", CODE(mips_helper_rfe) },
    [MIPS_HELPER_TLB] = { "mips_tlb", "void(vcpu,u32)", "GS", CODE(mips_helper_tlb) },
    [MIPS_HELPER_CACHE] = { "mips_cache", "void(vcpu,u64,u32)", "GSR", CODE(mips_helper_cache) },
    [MIPS_HELPER_MSA_FP] = { "mips_msa_fp", "void(vcpu,u32)", "GSR", CODE(mips_helper_msa_fp) },
    [MIPS_HELPER_CFCMSA] = { "mips_cfcmsa", "u32(vcpu,u32)", "G", CODE(mips_helper_cfcmsa) },
    [MIPS_HELPER_CTCMSA] = { "mips_ctcmsa", "u32(vcpu,u32,u32)", "GS", CODE(mips_helper_ctcmsa) },
    [MIPS_HELPER_DSP] = { "mips_dsp", "u32(vcpu,u32,u32,u32)", "GS", CODE(mips_helper_dsp) },
    [MIPS_HELPER_DSP_ACC] = { "mips_dsp_acc", "void(vcpu,u32,u32,u32)", "GS", CODE(mips_helper_dsp_acc) },
    [MIPS_HELPER_DSP_EXTRACT] = { "mips_dsp_extract", "u32(vcpu,u32,u32)", "GS", CODE(mips_helper_dsp_extract) },
    [MIPS_HELPER_CLASS] = { "mips_class", "u64(u64,u32)", "P", CODE(mips_helper_class) },
};

const oryx_host *mips_host;

static mips_class *class_of(const oryx_cpu *cpu)
{
    const oryx_arch_ops *ops = mips_host->machine_arch(cpu->machine); /* the core's copy: regs is ours */
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
    c->models = w == I32 ? mips_models32 : mips_models64;
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
        .gdb_arch = "mips",
        .gdb_features = gdb_features,
        .modes = modes,
        .models = w == I32 ? list32 : list64,
        .model_stride = sizeof(oryx_cpu_model),
        .n_models = w == I32 ? mips_n_models32 : mips_n_models64,
        .helpers = helpers,
        .helper_stride = sizeof(oryx_helper),
        .n_helpers = MIPS_HELPER_COUNT,
        .insn_align = 4,
        .insn_max = 4,
        .big_endian = be != 0,
        .n_mmu_indexes = 4,
        .reset = reset,
        .mode_key = mips_key,
        .lift = lifts[i],
        .reg_read = reg_read,
        .reg_write = reg_write,
        .disasm = disasms[i],
        .mode_of = mode_of,
        .mmu = mips_mmu,
        .deliver = mips_deliver,
        .irqs = mips_irqs,
        .irq_outs = mips_irq_outs,
        .interrupt = mips_interrupt,
        .alarm = mips_alarm,
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
    mips_host = (const oryx_host *)(const void *)h;
    for (unsigned i = 0; i < mips_n_models32 && i < COUNT(list32); i++)
        list32[i] = (oryx_cpu_model){ mips_models32[i].name, mips_models32[i].text, &mips_models32[i] };
    for (unsigned i = 0; i < mips_n_models64 && i < COUNT(list64); i++)
        list64[i] = (oryx_cpu_model){ mips_models64[i].name, mips_models64[i].text, &mips_models64[i] };
    make_class(0, "mips", "MIPS, 32 bits, big-endian", I32, ORYX_MO_BE);
    make_class(1, "mipsel", "MIPS, 32 bits, little-endian", I32, 0);
    make_class(2, "mips64", "MIPS, 64 bits, big-endian", I64, ORYX_MO_BE);
    make_class(3, "mips64el", "MIPS, 64 bits, little-endian", I64, 0);
    *out = &plugin;
    return ORYX_OK;
}
