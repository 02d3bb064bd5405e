/* Lifting for class "armm": the rows a model has, and what the M profile adds around T32 bodies.
 *
 * Called by the core (lift) and by a32_common.c (armm_sp_value, armm_before_bx). Invariants: accesses carry the mmu index of
 * the mode key; bits 1 and 0 of SP are zero; in handler mode an EXC_RETURN value never becomes an address. */
#include <string.h>

#include "armm.h"

/* Lift state beside a32_lift's. */
struct armm_extra {
    const a32_row *row;
    int32_t delta;      /* of SP by an access's writeback */
    uint32_t before;    /* the limit is checked before the body, against SP + delta */
};

/* --- Which rows a model has -------------------------------------------------------------------------------------- */

static int listed(const char *const *names, uint32_t n, const char *name)
{
    for (uint32_t lo = 0, hi = n; lo < hi;) {
        uint32_t mid = (lo + hi) / 2;
        int c = strcmp(name, names[mid]);
        if (!c)
            return 1;
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return 0;
}
#define LISTED(names, name) listed(names, sizeof(names) / sizeof((names)[0]), name)

/* Sorted by strcmp. Rows of t32_*.c that no M profile has. */
static const char *const never[] = { "T_BLX_imm", "T_BXJ", "T_CPS_w", "T_CRC", "T_HLT", "T_LDREXD", "T_MCR_barrier", "T_MCR_isb", "T_MCR_tls",
                                     "T_MRC_tls", "T_MRS", "T_MSR", "T_SETEND", "T_STREXD" };
/* Those of the DSP extension; of T_EXTEND_w the accumulating and the 16-bit ones. */
static const char *const dsp[] = { "T_PARALLEL", "T_PKH", "T_QADD", "T_SAT16", "T_SEL", "T_SMLAD", "T_SMLALD", "T_SMLALxy", "T_SMLAWy",
                                   "T_SMLAxy", "T_SMLSD", "T_SMMLA", "T_SMMLS", "T_UMAAL", "T_USADA8" };
/* The 32-bit rows of v8-M baseline. */
static const char *const baseline[] = { "M_BARRIER", "M_DIV", "M_MRS", "M_MSR", "M_SG", "M_TT", "T_BL", "T_B_w", "T_CLREX", "T_LDA",
                                        "T_LDAEX", "T_LDREX", "T_LDREXBH", "T_MOVT", "T_MOVW", "T_STL", "T_STLEX", "T_STREX", "T_STREXBH",
                                        "T_UDF_w" };

static int is_coprocessor(uint32_t word)
{
    return word >> 29 == 7 && (word >> 26 & 3) == 3;
}

uint32_t armm_has(const armm_model *m, const a32_row *row, const a32_fields *f, uint32_t word)
{
    if (!row || !(m->features & row->feature) || LISTED(never, row->name))
        return 0;
    if (word >> 29 == 7 && word >> 27 != 0x1c && !(m->has & ARMM_V7) && m->has & ARMM_V8)
        return (uint32_t)LISTED(baseline, row->name);
    if (!strcmp(row->name, "T_IT"))
        return m->has & ARMM_V7;
    if (!(m->has & ARMM_DSP) && (LISTED(dsp, row->name) || (!strcmp(row->name, "T_EXTEND_w") && (f->n != 15 || f->o == 2 || f->o == 3))))
        return 0;
    if ((!strcmp(row->name, "T_LDAEX") || !strcmp(row->name, "T_STLEX")) && f->z == 3)
        return 0;
    /* Double-precision data processing, and conversions to and from double. */
    if (is_coprocessor(word) && !(m->has & ARMM_DP) && (word >> 24 & 0xef) == 0xee && !(word & 0x10) &&
        (word >> 8 & 15) == 11)
        return 0;
    if (is_coprocessor(word) && !(m->has & ARMM_DP) && (word & 0xffbf0fd0) == 0xeeb70ac0)
        return 0;
    return 1;
}

/* --- SP ------------------------------------------------------------------------------------------------------------- */

static int word_multiple(const oryx_ir *ir, oryx_val v, int32_t *delta)
{
    const oryx_ir_op *o = &ir->ops[v];
    if (o->op != ORYX_OP_ADD && o->op != ORYX_OP_SUB)
        return 0;
    const oryx_ir_op *a = &ir->ops[o->a], *b = &ir->ops[o->b];
    if (a->op != ORYX_OP_GET || a->imm != A32_OFF_R(13) || b->op != ORYX_OP_CONST || b->imm & 3)
        return 0;
    *delta = (int32_t)(o->op == ORYX_OP_ADD ? (uint32_t)b->imm : 0 - (uint32_t)b->imm);
    return 1;
}

static void check_limit(a32_lift *l, oryx_val v)
{
    uint32_t over = a32_label_new(l);
    oryx_val limit = oryx_get(l->ir, I32, l->mode & ARMM_MODE_PSP ? ARMM_OFF(psplim) : ARMM_OFF(msplim));
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_GEU, I32, v, limit), over);
    oryx_raise(l->ir, ORYX_EXC_TRAP, oryx_const(l->ir, I64, ARMM_TRAP(ARMM_TRAP_LIMIT)), l->pc);
    oryx_label(l->ir, over);
}

oryx_val armm_sp_value(a32_lift *l, oryx_val v)
{
    int32_t delta;
    if (!word_multiple(l->ir, v, &delta))
        v = a32_bini(l, ORYX_OP_AND, v, ~3u);
    if (!(l->mode & ARMM_MODE_LIMIT) || l->m_profile->before)
        return v;
    oryx_local_put(l->ir, I32, 41, v);
    check_limit(l, v);
    return oryx_local_get(l->ir, I32, 41);
}

/* A push below the limit stores nothing: the check comes first. */
static void lift_checked(a32_lift *l, const a32_fields *f)
{
    check_limit(l, a32_bini(l, ORYX_OP_ADD, oryx_get(l->ir, I32, A32_OFF_R(13)), (uint32_t)l->m_profile->delta));
    l->m_profile->row->lift(l, f);
}

static int is_access(unsigned op)
{
    return op == ORYX_OP_LOAD || op == ORYX_OP_STORE || op == ORYX_OP_LDX || op == ORYX_OP_STX;
}

/* Whether the row's body accesses memory and moves SP by a constant: lifted once for a look. */
static int moves_sp(const a32_lift *from, const a32_row *row, const a32_fields *f, int32_t *delta)
{
    a32_lift l = *from;
    oryx_ir *ir = l.ir;
    uint32_t mark = ir->n, access = 0, moved = 0;
    void (*hook)(oryx_ir *, oryx_val) = ir->mem_hook;
    ir->mem_hook = NULL;
    row->lift(&l, f);
    ir->mem_hook = hook;
    for (uint32_t i = mark; i < ir->n; i++) {
        access |= (uint32_t)is_access(ir->ops[i].op);
        if (ir->ops[i].op == ORYX_OP_PUT && ir->ops[i].imm == A32_OFF_R(13))
            moved |= (uint32_t)word_multiple(ir, ir->ops[i].a, delta);
    }
    ir->n = mark;
    return access && moved;
}

/* --- EXC_RETURN -------------------------------------------------------------------------------------------------------- */

/* DDI 0403, BXWritePC, LoadWritePC; DDI 0553, EXC_RETURN has 0xff on top. */
oryx_val armm_before_bx(a32_lift *l, oryx_val to)
{
    if (!(l->mode & ARMM_MODE_HANDLER))
        return to;
    uint32_t over = a32_label_new(l), from = l->features & A32_FEAT_V8 ? 0xff000000u : 0xf0000000u;
    oryx_local_put(l->ir, I32, 40, to);
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_LTU, I32, to, a32_imm(l, from)), over);
    oryx_raise(l->ir, ORYX_EXC_RETURN, oryx_zext(l->ir, I64, I32, to), l->pc + l->len);
    oryx_label(l->ir, over);
    return oryx_local_get(l->ir, I32, 40);
}

/* --- Lifting ------------------------------------------------------------------------------------------------------------- */

static void trap(a32_lift *l, unsigned kind)
{
    oryx_raise(l->ir, ORYX_EXC_TRAP, oryx_const(l->ir, I64, ARMM_TRAP(kind) | l->insn), l->pc);
    l->end = 1;
}

static void lift_nocp(a32_lift *l, const a32_fields *f)
{
    (void)f;
    trap(l, ARMM_TRAP_NOCP);
}

static void lift_fp(a32_lift *l, const a32_fields *f)
{
    (void)f;
    trap(l, ARMM_TRAP_FP);
}

static const a32_row nocp = { .name = "nocp", .lift = lift_nocp, .feature = A32_FEAT_BASE };
static const a32_row fp_first = { .name = "fp", .lift = lift_fp, .feature = A32_FEAT_BASE };
static const a32_row checked = { .name = "checked", .lift = lift_checked, .feature = A32_FEAT_BASE };

static void place_accesses(a32_lift *l, const a32_row *row, const a32_fields *f, uint32_t from)
{
    uint32_t more = l->mode & ARMM_MODE_UNPRIV     ? ORYX_MO_MMU(ARMM_MMU_UNPRIV) | ORYX_MO_USER
                    : l->mode & ARMM_MODE_NEGATIVE ? ORYX_MO_MMU(ARMM_MMU_NEGATIVE)
                                                   : 0;
    /* LDRT, STRT and the like. */
    if (row && f->p && f->u && !f->w && (!strcmp(row->name, "T_LDR_imm8") || !strcmp(row->name, "T_STR_imm8")))
        more = ORYX_MO_MMU(ARMM_MMU_UNPRIV) | ORYX_MO_USER;
    for (uint32_t i = from; i < l->ir->n; i++) {
        oryx_ir_op *o = &l->ir->ops[i];
        if (!is_access(o->op))
            continue;
        uint32_t memop = (uint32_t)o->imm;
        if (l->mode & ARMM_MODE_ALIGN && !ORYX_MO_ALIGN_OF(memop))
            o->imm |= ORYX_MO_ALIGN(ORYX_MO_SIZE(memop));
        if (l->mode & ARMM_MODE_SYSTEM)
            o->imm |= more;
    }
}

static const a32_row *choose(a32_lift *l, const armm_model *m, const a32_row *row, const a32_fields *f, uint32_t word, uint32_t system)
{
    if (is_coprocessor(word) && m->has & ARMM_V7 && (word >> 24 & 3) != 3) {
        uint32_t fp = (word >> 9 & 7) == 5;
        if (!fp || !(m->has & ARMM_SP))
            return &nocp;
        if (l->mode & ARMM_MODE_FPTRAP)
            return &fp_first;
    }
    if (!armm_has(m, row, f, word))
        return NULL;
    if (system & ARMM_MODE_LIMIT && moves_sp(l, row, f, &l->m_profile->delta)) {
        l->m_profile->row = row;
        l->m_profile->before = 1;
        return &checked;
    }
    return row;
}

oryx_status armm_lift(oryx_lift *in)
{
    const armm_model *m = in->model && in->model->data ? in->model->data : &armm_models[0];
    uint32_t it = A32_MODE_IT(in->mode), word, from = in->ir->n;
    struct armm_extra extra = { 0 };
    a32_lift l = { .ir = in->ir, .pc = (uint32_t)in->pc, .mode = (uint32_t)in->mode, .helper_base = in->helper_base,
                   .features = m->features, .m_profile = &extra };
    a32_fields f;
    word = a32_thumb_at(in->bytes, in->n_bytes, &l.len);
    l.next_mode = (l.mode & ~A32_MODE_IT_MASK) | a32_it_advance(it) << A32_MODE_IT_SHIFT;
    if (l.mode & ARMM_MODE_BEFORE || !(l.mode & A32_MODE_T)) {
        in->len = in->n_bytes < 2 ? in->n_bytes : 2;
        trap(&l, l.mode & ARMM_MODE_BEFORE ? ARMM_TRAP_BEFORE : ARMM_TRAP_INVSTATE);
        in->end = 1;
        return in->ir->error;
    }
    if (!l.len)
        return ORYX_NEED_BYTES;
    const a32_row *row = m32_decode(word, &f);
    l.insn = l.len == 2 ? word >> 16 : word;
    /* BKPT has no condition. */
    a32_lift_row(&l, choose(&l, m, row, &f, word, l.mode), &f, it && (l.len == 4 || l.insn >> 8 != 0xbe) ? it >> 4 : 14);
    place_accesses(&l, row, &f, from);
    in->len = l.len;
    in->mode = l.next_mode;
    in->end = l.end;
    return in->ir->error;
}
