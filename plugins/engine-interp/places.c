/* Places: where values of a block live while it is prepared, and the array of prepared ops.
 *
 * compile.c asks for places of operands and results. A value is a constant, a frame slot, or, while nothing overwrites it, the
 * guest register or local it was read from or will be written to. The invariant: whenever bytes that a later op still reads
 * are about to be written, ic_rescue_range has copied them to a slot first. */
#include <stdlib.h>

#include "compile.h"

const char *const ic_sigs[] = {
#define OP(name, sig, types, effects, meaning) sig,
#include "oryx_ir.def"
#undef OP
};
const char *const ic_effects[] = {
#define OP(name, sig, types, effects, meaning) effects,
#include "oryx_ir.def"
#undef OP
};

void ic_fail(cc *c, oryx_status status, const char *why)
{
    if (!c->error) {
        c->error = status;
        c->why = why;
    }
}

void *ic_grown(cc *c, void *p, uint32_t *cap, uint32_t want, size_t size)
{
    if (want <= *cap)
        return p;
    uint32_t n = *cap ? *cap : 256;
    while (n < want)
        n *= 2;
    void *q = realloc(p, n * size);
    if (!q) {
        ic_fail(c, ORYX_E_NOMEM, "out of memory");
        return p;
    }
    *cap = n;
    return q;
}

iop *ic_emit(cc *c, unsigned h)
{
    struct scratch *s = c->s;
    static iop sink;
    if (s->n_ops == s->cap_ops) {
        uint32_t cap = s->cap_ops, cap2 = s->cap_ops, cap3 = s->cap_ops;
        s->ops = ic_grown(c, s->ops, &cap, s->n_ops + 1, sizeof *s->ops);
        s->h = ic_grown(c, s->h, &cap2, s->n_ops + 1, sizeof *s->h);
        s->op_insn = ic_grown(c, s->op_insn, &cap3, s->n_ops + 1, sizeof *s->op_insn);
        if (c->error)
            return &sink;
        s->cap_ops = cap;
    }
    iop *o = &s->ops[s->n_ops];
    memset(o, 0, sizeof *o);
    o->label = c->e->labels[h];
    s->h[s->n_ops] = (uint16_t)h;
    s->op_insn[s->n_ops] = (uint16_t)(c->n_insns ? c->n_insns - 1 : 0);
    s->n_ops++;
    return o;
}

iop *ic_emit3(cc *c, unsigned h, int32_t d, int32_t a, int32_t b)
{
    iop *o = ic_emit(c, h);
    o->d = d;
    o->a = a;
    o->b = b;
    return o;
}

/* --- places ---------------------------------------------------------------------------------------------- */

static int32_t slot_new(cc *c)
{
    if (c->n_free)
        return c->s->free_slots[--c->n_free];
    int32_t loc = c->next_slot;
    if (loc + 16 > FRAME_SIZE) {
        ic_fail(c, ORYX_E_RANGE, "more live values than the frame holds: make shorter blocks");
        return FRAME_LOCALS * 16;
    }
    c->next_slot += 16;
    return loc;
}

static void slot_free(cc *c, int32_t loc)
{
    c->s->free_slots[c->n_free++] = loc;
}

/* Bytes a definition of this type writes; 4 (fl), 8 or 16. */
unsigned ic_def_width(unsigned type)
{
    return type == ORYX_T_FL ? 4 : type == ORYX_T_V128 ? 16 : 8;
}

int ic_in_slots(int32_t loc)
{
    return loc >= FRAME_LOCALS * 16 && loc < FRAME_SIZE;
}

static int in_locals(int32_t loc)
{
    return loc >= 0 && loc < FRAME_LOCALS * 16;
}

void ic_live_add(cc *c, oryx_val v)
{
    struct scratch *s = c->s;
    s->live = ic_grown(c, s->live, &s->cap_live, c->n_live + 1, sizeof *s->live);
    if (!c->error)
        s->live[c->n_live++] = v;
}

static int overlaps(const cval *v, int32_t lo, int32_t size)
{
    return v->loc < lo + size && lo < v->loc + (int32_t)oryx_type_size(v->type);
}

static unsigned move_handler(unsigned type)
{
    return type == ORYX_T_FL ? H_MOV4 : type == ORYX_T_V128 ? H_MOV128 : H_MOV64;
}

/* Give v a slot of its own, because what it was read from is about to change. */
static void rescue(cc *c, cval *v)
{
    static const uint16_t narrow[] = { [1] = H_Z8, [2] = H_Z16, [4] = H_Z32 };
    int32_t to = slot_new(c);
    unsigned size = oryx_type_size(v->type);
    if (v->type == ORYX_T_FL || size >= 8) {
        ic_emit3(c, move_handler(v->type), to, v->loc, 0);
    } else {
        ic_emit3(c, narrow[size], to, v->loc, 0);
        v->clean = 1;
    }
    v->loc = to;
    v->own = 1;
    v->root = (oryx_val)(v - c->s->vals);
}

/* [lo, lo + size) is about to be written by IR op i: rescue what later ops still read there. size < 0: all guest state. */
void ic_rescue_range(cc *c, int32_t lo, int32_t size)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < c->n_live; k++) {
        cval *v = &c->s->vals[c->s->live[k]];
        if (v->last <= c->i || ic_in_slots(v->loc))
            continue;
        if (size < 0 ? !in_locals(v->loc) : overlaps(v, lo, size))
            rescue(c, v);
        else
            c->s->live[n++] = c->s->live[k];
    }
    c->n_live = n;
}

/* Place of an operand, materialising constants. */
int32_t ic_place(cc *c, oryx_val v)
{
    if (v >= c->ir->n || c->s->vals[v].kind == K_NONE) {
        ic_fail(c, ORYX_E_IR, "an operand is used before it is made");
        return FRAME_LOCALS * 16;
    }
    cval *x = &c->s->vals[v];
    if (x->kind == K_CONST && !x->has_loc) {
        x->loc = slot_new(c);
        x->own = x->has_loc = 1;
        x->root = v;
        iop *o = ic_emit(c, x->type == ORYX_T_FL ? H_MOVI4 : H_MOVI);
        o->d = x->loc;
        o->imm = x->imm;
    }
    return x->loc;
}

int ic_is_const(cc *c, oryx_val v)
{
    return v < c->ir->n && c->s->vals[v].kind == K_CONST;
}

/* v was an operand of the current op: free its slot after the last use. */
void ic_release(cc *c, oryx_val v)
{
    if (!v || v >= c->ir->n)
        return;
    cval *x = &c->s->vals[v];
    if (x->kind == K_ADDR) {
        ic_release(c, c->ir->ops[v].a);
        return;
    }
    if (x->kind == K_NONE || !x->root)
        return;
    cval *r = &c->s->vals[x->root];
    if (r->own && r->last <= c->i) {
        r->own = 0;
        slot_free(c, r->loc);
    }
}

/* May op k stand between a definition and the PUT it is folded into (bytes [lo, lo + size))? */
static int transparent(cc *c, const oryx_ir_op *o, int32_t lo, int32_t size)
{
    int32_t at;
    switch (o->op) {
    case ORYX_OP_GET:
    case ORYX_OP_PUT:
        at = c->e->state_delta + (int32_t)o->imm;
        break;
    case ORYX_OP_LGET:
    case ORYX_OP_LPUT:
        at = (int32_t)o->imm * 16;
        break;
    default:
        return !strpbrk(ic_effects[o->op], "RWXCB") || o->op == ORYX_OP_NOP;
    }
    int32_t n = o->op == ORYX_OP_LGET || o->op == ORYX_OP_LPUT ? 16 : (int32_t)oryx_type_size(o->type);
    return at + n <= lo || lo + size <= at;
}

/* The guest register or local that may receive v's definition directly. */
static int fold_dest(cc *c, oryx_val v, unsigned type, int32_t *out)
{
    const cval *x = &c->s->vals[v];
    uint32_t p = x->put;
    if (!p || p - c->i > 24)
        return 0;
    const oryx_ir_op *put = &c->ir->ops[p];
    int32_t lo, size = (int32_t)ic_def_width(type);
    if (put->op == ORYX_OP_LPUT) {
        lo = (int32_t)(put->imm & (FRAME_LOCALS - 1)) * 16;
        size = 16;
    } else {
        if (!c->e->fold || (int32_t)oryx_type_size(put->type) != size)
            return 0;
        lo = c->e->state_delta + (int32_t)put->imm;
    }
    for (uint32_t k = c->i + 1; k < p; k++)
        if (!transparent(c, &c->ir->ops[k], lo, size))
            return 0;
    for (uint32_t k = 0; k < c->n_live; k++) {
        const cval *l = &c->s->vals[c->s->live[k]];
        if (l->last > c->i && overlaps(l, lo, size))
            return 0;
    }
    *out = lo;
    return 1;
}

/* Place for the result of the current op. Operands must have been released. */
int32_t ic_dest(cc *c, unsigned type)
{
    cval *x = &c->s->vals[c->i];
    x->kind = K_LOC;
    x->type = (uint8_t)type;
    x->clean = 1;
    x->root = c->i;
    if (fold_dest(c, c->i, type, &x->loc)) {
        x->root = 0;
        ic_live_add(c, c->i);
        return x->loc;
    }
    x->loc = slot_new(c);
    x->own = 1;
    if (!x->uses) {
        x->own = 0;
        slot_free(c, x->loc);
    }
    return x->loc;
}

/* The current value is found inside the place of v at byte `delta`. */
void ic_alias(cc *c, oryx_val v, int32_t delta, unsigned type, int clean)
{
    cval *x = &c->s->vals[c->i], *from = &c->s->vals[v];
    int32_t loc = ic_place(c, v);
    x->kind = K_LOC;
    x->type = (uint8_t)type;
    x->clean = (uint8_t)clean;
    x->loc = loc + delta;
    x->root = from->root;
    if (!ic_in_slots(loc))
        ic_live_add(c, c->i);
    ic_release(c, v);
}

void ic_constant(cc *c, unsigned type, uint64_t imm)
{
    static const uint64_t mask[9] = { 0, 0xff, 0xffff, 0, 0xffffffff, 0, 0, 0, ~0ull };
    cval *x = &c->s->vals[c->i];
    x->kind = K_CONST;
    x->type = (uint8_t)type;
    x->clean = 1;
    x->imm = type == ORYX_T_I1 ? imm & 1 : imm & mask[oryx_type_size(type) & 15];
}

/* --- peepholes ------------------------------------------------------------------------------------------- */

/* Index of the last emitted op when it may be changed or taken back. */
int ic_last_op(cc *c, uint32_t floor, uint32_t *at)
{
    if (!c->s->n_ops || c->s->n_ops - 1 < floor || c->s->n_ops - 1 < c->label_floor)
        return 0;
    *at = c->s->n_ops - 1;
    return 1;
}

uint32_t ic_insn_first(cc *c)
{
    return c->n_insns ? c->s->insns[c->n_insns - 1].first : 0;
}

/* When cond was just made by FLCOND for one user: take that op back, giving the flags' place and the condition. */
int ic_take_flcond(cc *c, oryx_val cond, int32_t *fl, unsigned *fc)
{
    uint32_t at;
    const cval *v = &c->s->vals[cond];
    if (v->uses != 1 || v->kind != K_LOC || !ic_last_op(c, ic_insn_first(c), &at) || c->s->h[at] != H_FLCOND ||
        c->s->ops[at].d != v->loc || !ic_in_slots(v->loc))
        return 0;
    *fl = c->s->ops[at].a;
    *fc = (unsigned)c->s->ops[at].imm;
    c->s->n_ops--;
    return 1;
}

