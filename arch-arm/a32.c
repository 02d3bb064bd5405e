/* The A32 and T32 frontend: class "arm". Registers, models, reset, lifting, disassembly.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block. Invariant: at every
 * instruction boundary a32_state.exec equals the mode key, so a block can start at any instruction, IT blocks included. */
#include <stdio.h>
#include <string.h>

#include "a32_text.h"
#include "arm_fp.h"

/* --- Models -------------------------------------------------------------------------------------------------- */

#define V5TE (A32_FEAT_BASE | A32_FEAT_V5 | A32_FEAT_V5E)
#define V6K (V5TE | A32_FEAT_V6 | A32_FEAT_V6K)
#define V7A (V6K | A32_FEAT_T2 | A32_FEAT_V7)
#define VFP3 (A32_FEAT_VFP | A32_FEAT_VFP3 | A32_FEAT_D32 | A32_FEAT_NEON)
#define VFP4 (VFP3 | A32_FEAT_HALF | A32_FEAT_VFP4)

/* The default comes first. */
const a32_model a32_models[] = {
    { "max", "every implemented feature", UINT32_MAX, 0x000f04f0, 0x41034070 },
    { "arm926", "Armv5TEJ with VFPv2", V5TE | A32_FEAT_VFP, 0x41069265, 0x41011090 },
    { "arm1176", "Armv6K with VFPv2", V6K | A32_FEAT_VFP, 0x410fb767, 0x410120b5 },
    { "cortex-a7", "Armv7-A with divide, VFPv4, NEON", V7A | A32_FEAT_MP | A32_FEAT_IDIV | VFP4, 0x410fc075, 0x41023075 },
    { "cortex-a8", "Armv7-A with VFPv3, NEON", V7A | VFP3, 0x410fc080, 0x410330c0 },
    { "cortex-a9", "Armv7-A with the multiprocessing extension, VFPv3, NEON", V7A | A32_FEAT_MP | VFP3 | A32_FEAT_HALF,
      0x410fc090, 0x41033090 },
    { "cortex-a15", "Armv7-A with divide, VFPv4, NEON", V7A | A32_FEAT_MP | A32_FEAT_IDIV | VFP4, 0x412fc0f1, 0x410430f0 },
};
#define MODEL_COUNT (sizeof a32_models / sizeof a32_models[0])

static oryx_cpu_model models[MODEL_COUNT];

/* --- Registers ------------------------------------------------------------------------------------------------- */

enum {
#define REG(name, ...) REG_##name,
#define IDREG(name, id) REG_##name,
#include "a32_regs.def"
#undef REG
#undef IDREG
};

static const oryx_reg regs[] = {
#define REG(name, group, offset, size, kind, type, flags, gdb, reset) \
    { #name, group, offset, size, ORYX_REG_##kind, ORYX_T_##type, flags, gdb, reset },
#define IDREG(name, id) \
    { #name, "system", 0, 4, ORYX_REG_SYSTEM, ORYX_T_I32, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 },
#include "a32_regs.def"
#undef REG
#undef IDREG
};

/* NZCV from packed flags: S Z at 7, 6, C at 0, O at 8. */
static uint32_t cpsr(const a32_state *s)
{
    uint32_t v = 0x10 | (s->flags & 0xc0) << 24 | (s->flags & ORYX_FLAG_C) << 29 | (s->flags & ORYX_FLAG_O) << 20;
    uint32_t it = A32_MODE_IT(s->exec);
    for (unsigned k = 0; k < 4; k++)
        v |= (s->ge >> 8 * k & 1) << (16 + k);
    return v | (s->q & 1) << 27 | (s->exec & A32_MODE_T ? 0x20 : 0) | (s->exec & A32_MODE_E ? 0x200 : 0) | (it & 3) << 25 |
           (it >> 2) << 10;
}

/* The mode bits are user mode's whatever is written. */
static void set_cpsr(a32_state *s, uint32_t v)
{
    s->flags = (v >> 24 & 0xc0) | (v >> 29 & ORYX_FLAG_C) | (v >> 20 & ORYX_FLAG_O);
    s->q = v >> 27 & 1;
    s->ge = 0;
    for (unsigned k = 0; k < 4; k++)
        s->ge |= (v >> (16 + k) & 1) * (0xffu << 8 * k);
    uint32_t it = v & 0x20 ? (v >> 25 & 3) | (v >> 10 & 0x3f) << 2 : 0;
    s->exec = (v & 0x20 ? A32_MODE_T : 0) | (v & 0x200 ? A32_MODE_E : 0) | (it & 15 ? it << A32_MODE_IT_SHIFT : 0);
}

static const a32_model *model_of(const oryx_cpu *cpu)
{
    uint32_t n = ((const a32_state *)(const void *)cpu->state)->model;
    return &a32_models[n < MODEL_COUNT ? n : 0];
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    uint32_t v;
    switch (reg) {
    case REG_cpsr: v = cpsr((const a32_state *)(const void *)cpu->state); break;
    case REG_fpscr: v = a32_fpscr_read(cpu); break;
#define REG(...)
#define IDREG(name, id) \
    case REG_##name: v = a32_id_register(model_of(cpu), id); break;
#include "a32_regs.def"
#undef REG
#undef IDREG
    default: return ORYX_E_NOTFOUND;
    }
    memcpy(buf, &v, sizeof v);
    return ORYX_OK;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    uint32_t v;
    if (reg != REG_cpsr && reg != REG_fpscr)
        return reg < sizeof regs / sizeof regs[0] && regs[reg].flags & ORYX_REG_READONLY ? ORYX_E_PERM : ORYX_E_NOTFOUND;
    memcpy(&v, buf, sizeof v);
    if (reg == REG_cpsr)
        set_cpsr((a32_state *)(void *)cpu->state, v);
    else
        a32_fpscr_write(cpu, v);
    return ORYX_OK;
}

/* --- Reset, mode ------------------------------------------------------------------------------------------------- */

static const char *const modes[] = { "arm", "thumb", NULL };

static oryx_status mode_of(const char *mode, uint64_t *key)
{
    if (mode && strcmp(mode, modes[0]) && strcmp(mode, modes[1]))
        return ORYX_E_NOTFOUND;
    *key = mode && !strcmp(mode, modes[1]) ? A32_MODE_T : 0;
    return ORYX_OK;
}

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    a32_state *s = (a32_state *)(void *)cpu->state;
    uint64_t key;
    if (mode_of(mode, &key)) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "arm has no mode '%.64s'; use arm or thumb", mode);
        }
        return ORYX_E_NOTFOUND;
    }
    s->exec = (uint32_t)key;
    if (model && model->data)
        s->model = (uint32_t)((const a32_model *)model->data - a32_models);
    cpu->fp.flags = 0;
    arm_fpenv_apply(cpu, s->fpscr);
    return ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    const a32_state *s = (const a32_state *)(const void *)cpu->state;
    arm_fpenv_apply(cpu, s->fpscr);
    return (s->exec & A32_MODE_EXEC) | (s->fpscr & A32_FPSCR_CONTROL);
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

static uint32_t word_at(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
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
        l.insn = a32_thumb_at(in->bytes, in->n_bytes, &l.len);
        if (!l.len)
            return ORYX_NEED_BYTES;
        const a32_row *row = t32_decode(l.insn, &f);
        if (l.len == 2)
            l.insn >>= 16;
        a32_lift_row(&l, row, &f, it && (l.len == 4 || l.insn >> 8 != 0xbe) ? it >> 4 : 14); /* BKPT has no condition */
    } else {
        if (in->n_bytes < 4)
            return ORYX_NEED_BYTES;
        l.insn = word_at(in->bytes);
        l.len = 4;
        a32_lift_row(&l, a32_decode(l.insn, &f), &f, l.insn >> 28);
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

static oryx_arch_ops ops = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "arm",
    .text = "Arm AArch32, A32 and T32 instruction sets in user mode",
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
    .n_mmu_indexes = 1,
    .reset = reset,
    .mode_key = mode_key,
    .lift = lift,
    .reg_read = reg_read,
    .reg_write = reg_write,
    .disasm = disasm,
    .mode_of = mode_of,
};

const void *a32_arch(void)
{
    for (unsigned i = 0; i < MODEL_COUNT; i++)
        models[i] = (oryx_cpu_model){ a32_models[i].name, a32_models[i].text, &a32_models[i] };
    return &ops;
}
