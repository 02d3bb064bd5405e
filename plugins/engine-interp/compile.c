/* Preparation: turns an IR block into a flat array of prepared ops in one allocation.
 *
 * Called by the core through oryx_engine_ops.compile, under its translation lock. The invariant: at every op that can
 * leave the block, guest memory and the state block hold exactly what the IR order says, whatever was folded. Values get
 * places (frame slots, locals, or the guest register itself); GET costs nothing until its register is overwritten, and an
 * op whose result is only PUT writes the register directly. */
#include <stdlib.h>

#include "interp.h"

enum { K_NONE, K_CONST, K_LOC, K_ADDR };

typedef struct cval {
    uint8_t kind, type, clean, own;
    uint8_t has_loc;   /* a K_CONST that was materialised */
    uint8_t fused;     /* address sum evaluated by its only user */
    int32_t loc;
    uint64_t imm;
    uint32_t uses, last, user;
    uint32_t put;      /* first PUT or LPUT of this value, 0 none */
    oryx_val root;     /* owner of the slot behind loc */
} cval;

struct scratch {
    cval *vals;
    uint32_t n_vals;
    iop *ops;
    uint16_t *h, *op_insn;
    uint32_t n_ops, cap_ops;
    insn_mark *insns;
    uint8_t *insn_stores;
    uint32_t cap_insns;
    call_site *calls;
    uint32_t cap_calls;
    int32_t *free_slots;
    oryx_val *live; /* values read in place from guest registers or locals */
    uint32_t cap_live;
};

typedef struct cc {
    engine *e;
    struct scratch *s;
    const oryx_ir *ir;
    oryx_status error;
    const char *why;
    uint32_t i;           /* current IR op */
    uint32_t n_insns, total_insns, n_calls, n_free, n_live;
    int32_t next_slot;
    uint32_t label_floor; /* no peephole across a label */
    uint32_t setmode;
    uint32_t label_at[256];
} cc;

static const char *const sigs[] = {
#define OP(name, sig, types, effects, meaning) sig,
#include "oryx_ir.def"
#undef OP
};
static const char *const effects_of[] = {
#define OP(name, sig, types, effects, meaning) effects,
#include "oryx_ir.def"
#undef OP
};

static void fail(cc *c, oryx_status status, const char *why)
{
    if (!c->error) {
        c->error = status;
        c->why = why;
    }
}

static void *grown(cc *c, void *p, uint32_t *cap, uint32_t want, size_t size)
{
    if (want <= *cap)
        return p;
    uint32_t n = *cap ? *cap : 256;
    while (n < want)
        n *= 2;
    void *q = realloc(p, n * size);
    if (!q) {
        fail(c, ORYX_E_NOMEM, "out of memory");
        return p;
    }
    *cap = n;
    return q;
}

static iop *emit(cc *c, unsigned h)
{
    struct scratch *s = c->s;
    static iop sink;
    if (s->n_ops == s->cap_ops) {
        uint32_t cap = s->cap_ops, cap2 = s->cap_ops, cap3 = s->cap_ops;
        s->ops = grown(c, s->ops, &cap, s->n_ops + 1, sizeof *s->ops);
        s->h = grown(c, s->h, &cap2, s->n_ops + 1, sizeof *s->h);
        s->op_insn = grown(c, s->op_insn, &cap3, s->n_ops + 1, sizeof *s->op_insn);
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

static iop *emit3(cc *c, unsigned h, int32_t d, int32_t a, int32_t b)
{
    iop *o = emit(c, h);
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
        fail(c, ORYX_E_RANGE, "more live values than the frame holds: make shorter blocks");
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
static unsigned def_width(unsigned type)
{
    return type == ORYX_T_FL ? 4 : type == ORYX_T_V128 ? 16 : 8;
}

static int in_slots(int32_t loc)
{
    return loc >= FRAME_LOCALS * 16 && loc < FRAME_SIZE;
}

static int in_locals(int32_t loc)
{
    return loc >= 0 && loc < FRAME_LOCALS * 16;
}

static void live_add(cc *c, oryx_val v)
{
    struct scratch *s = c->s;
    s->live = grown(c, s->live, &s->cap_live, c->n_live + 1, sizeof *s->live);
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
        emit3(c, move_handler(v->type), to, v->loc, 0);
    } else {
        emit3(c, narrow[size], to, v->loc, 0);
        v->clean = 1;
    }
    v->loc = to;
    v->own = 1;
    v->root = (oryx_val)(v - c->s->vals);
}

/* [lo, lo + size) is about to be written by IR op i: rescue what later ops still read there. size < 0: all guest state. */
static void rescue_range(cc *c, int32_t lo, int32_t size)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < c->n_live; k++) {
        cval *v = &c->s->vals[c->s->live[k]];
        if (v->last <= c->i || in_slots(v->loc))
            continue;
        if (size < 0 ? !in_locals(v->loc) : overlaps(v, lo, size))
            rescue(c, v);
        else
            c->s->live[n++] = c->s->live[k];
    }
    c->n_live = n;
}

/* Place of an operand, materialising constants. */
static int32_t place(cc *c, oryx_val v)
{
    if (v >= c->ir->n || c->s->vals[v].kind == K_NONE) {
        fail(c, ORYX_E_IR, "an operand is used before it is made");
        return FRAME_LOCALS * 16;
    }
    cval *x = &c->s->vals[v];
    if (x->kind == K_CONST && !x->has_loc) {
        x->loc = slot_new(c);
        x->own = x->has_loc = 1;
        x->root = v;
        iop *o = emit(c, x->type == ORYX_T_FL ? H_MOVI4 : H_MOVI);
        o->d = x->loc;
        o->imm = x->imm;
    }
    return x->loc;
}

static int is_const(cc *c, oryx_val v)
{
    return v < c->ir->n && c->s->vals[v].kind == K_CONST;
}

/* v was an operand of the current op: free its slot after the last use. */
static void release(cc *c, oryx_val v)
{
    if (!v || v >= c->ir->n)
        return;
    cval *x = &c->s->vals[v];
    if (x->kind == K_ADDR) {
        release(c, c->ir->ops[v].a);
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
        return !strpbrk(effects_of[o->op], "RWXCB") || o->op == ORYX_OP_NOP;
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
    int32_t lo, size = (int32_t)def_width(type);
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
static int32_t dest(cc *c, unsigned type)
{
    cval *x = &c->s->vals[c->i];
    x->kind = K_LOC;
    x->type = (uint8_t)type;
    x->clean = 1;
    x->root = c->i;
    if (fold_dest(c, c->i, type, &x->loc)) {
        x->root = 0;
        live_add(c, c->i);
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
static void alias(cc *c, oryx_val v, int32_t delta, unsigned type, int clean)
{
    cval *x = &c->s->vals[c->i], *from = &c->s->vals[v];
    int32_t loc = place(c, v);
    x->kind = K_LOC;
    x->type = (uint8_t)type;
    x->clean = (uint8_t)clean;
    x->loc = loc + delta;
    x->root = from->root;
    if (!in_slots(loc))
        live_add(c, c->i);
    release(c, v);
}

static void constant(cc *c, unsigned type, uint64_t imm)
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
static int last_op(cc *c, uint32_t floor, uint32_t *at)
{
    if (!c->s->n_ops || c->s->n_ops - 1 < floor || c->s->n_ops - 1 < c->label_floor)
        return 0;
    *at = c->s->n_ops - 1;
    return 1;
}

static uint32_t insn_first(cc *c)
{
    return c->n_insns ? c->s->insns[c->n_insns - 1].first : 0;
}

/* When cond was just made by FLCOND for one user: take that op back, giving the flags' place and the condition. */
static int take_flcond(cc *c, oryx_val cond, int32_t *fl, unsigned *fc)
{
    uint32_t at;
    const cval *v = &c->s->vals[cond];
    if (v->uses != 1 || v->kind != K_LOC || !last_op(c, insn_first(c), &at) || c->s->h[at] != H_FLCOND ||
        c->s->ops[at].d != v->loc || !in_slots(v->loc))
        return 0;
    *fl = c->s->ops[at].a;
    *fc = (unsigned)c->s->ops[at].imm;
    c->s->n_ops--;
    return 1;
}

static unsigned type_width(unsigned type)
{
    return type == ORYX_T_I1 ? 1 : oryx_type_size(type) * 8;
}

/* Emit h with a const or placed right operand: h is the 32r form of a four-handler group. */
static iop *emit_bin(cc *c, unsigned h, unsigned type, unsigned rtype, oryx_val a, oryx_val b)
{
    int wide = oryx_type_size(type) == 8, imm = is_const(c, b);
    int32_t la = place(c, a), lb = imm ? 0 : place(c, b);
    release(c, a);
    release(c, b);
    int32_t d = dest(c, rtype);
    iop *o = emit3(c, h + (wide ? 2 : 0) + (imm ? 1 : 0), d, la, lb);
    if (imm)
        o->imm = c->s->vals[b].imm;
    return o;
}

static int commutes(unsigned op)
{
    return op == ORYX_OP_ADD || op == ORYX_OP_MUL || op == ORYX_OP_AND || op == ORYX_OP_OR || op == ORYX_OP_XOR;
}

/* --- op classes ------------------------------------------------------------------------------------------ */

static int int_handler(unsigned op)
{
    switch (op) {
#define X(n, e)                                                                                                       \
    case ORYX_OP_##n:                                                                                                 \
        return H_##n##_32r;
        INT_BIN(X)
#undef X
    default:
        return -1;
    }
}

static void do_call(cc *c, const oryx_ir_op *o)
{
    struct scratch *s = c->s;
    oryx_val args[8] = { o->a, o->b, o->c };
    if (c->i && o[-1].op == ORYX_OP_ARGS) {
        args[3] = o[-1].a;
        args[4] = o[-1].b;
        args[5] = o[-1].c;
        args[6] = (uint32_t)o[-1].imm;
        args[7] = (uint32_t)(o[-1].imm >> 32);
    }
    s->calls = grown(c, s->calls, &s->cap_calls, c->n_calls + 1, sizeof *s->calls);
    const oryx_helper_entry *entry = c->e->host->helper_get(c->e->machine, (uint32_t)o->imm);
    if (!entry || entry->n_args > 8)
        fail(c, ORYX_E_IR, "CALL of a helper that is not registered");
    if (c->error)
        return;
    call_site *k = &s->calls[c->n_calls];
    memset(k, 0, sizeof *k);
    k->entry = entry;
    k->host = c->e->host;
    k->ret = o->type;
    k->direct = 1;
    k->uses_fp = strchr(entry->helper->effects, 'E') != NULL;
    for (unsigned n = 0; n < entry->n_args; n++) {
        if (!args[n]) {
            fail(c, ORYX_E_IR, "CALL with fewer operands than the helper takes");
            return;
        }
        k->args[n] = place(c, args[n]);
        if (entry->args[n] == ORYX_T_F32 || entry->args[n] == ORYX_T_F64)
            k->direct = 0;
    }
    if (entry->ret == ORYX_T_F32 || entry->ret == ORYX_T_F64)
        k->direct = 0;
    rescue_range(c, 0, -1); /* the helper may write any register */
    for (unsigned n = 0; n < 8; n++)
        release(c, args[n]);
    if (o->type != ORYX_T_VOID)
        k->dest = dest(c, o->type);
    emit(c, H_CALL)->imm = c->n_calls++; /* becomes the address once the block is placed */
    s->insn_stores[c->n_insns ? c->n_insns - 1 : 0] = 1;
}

static int plain_access(uint32_t mo, unsigned bytes)
{
    return !(mo & (ORYX_MO_BE | ORYX_MO_ACQUIRE | ORYX_MO_RELEASE | ORYX_MO_USER)) &&
           (!ORYX_MO_ALIGN_OF(mo) || bytes == 1) && ORYX_MO_MMU_OF(mo) < ORYX_MMU_INDEXES && bytes <= 16 &&
           !(bytes == 16 && (mo & ORYX_MO_ATOMIC));
}

static int load_handler(uint32_t mo, unsigned type)
{
    unsigned bytes = 1u << ORYX_MO_SIZE(mo), to = oryx_type_size(type);
    if (!plain_access(mo, bytes) || bytes > to)
        return H_LOADG;
    if (bytes == 16)
        return H_LOAD128;
    if (type == ORYX_T_V128)
        return H_LOADG;
    if (!(mo & ORYX_MO_SIGN) || bytes == to)
        return bytes == 1 ? H_LD_U8 : bytes == 2 ? H_LD_U16 : bytes == 4 ? H_LD_U32 : H_LD_U64;
    if (bytes == 1)
        return to == 2 ? H_LD_S8_16 : to == 4 ? H_LD_S8_32 : H_LD_S8_64;
    if (bytes == 2)
        return to == 4 ? H_LD_S16_32 : H_LD_S16_64;
    return H_LD_S32_64;
}

/* Place and displacement of an address operand. */
static int32_t address(cc *c, oryx_val v, uint64_t *disp)
{
    *disp = 0;
    if (v < c->ir->n && c->s->vals[v].kind == K_ADDR) {
        *disp = c->s->vals[v].imm;
        return place(c, c->ir->ops[v].a);
    }
    return place(c, v);
}

static void do_memory(cc *c, const oryx_ir_op *o)
{
    uint32_t mo = (uint32_t)o->imm;
    uint64_t disp;
    int32_t tlb = (int32_t)(offsetof(oryx_cpu, tlb) + (ORYX_MO_MMU_OF(mo) & 3) * sizeof(oryx_tlb));
    int32_t a = address(c, o->a, &disp), b = 0, k = 0;
    iop *p;
    if (o->op != ORYX_OP_LOAD && o->op != ORYX_OP_LDX)
        b = place(c, o->b);
    if (o->op == ORYX_OP_CAS)
        k = place(c, o->c);
    release(c, o->a);
    if (b)
        release(c, o->b);
    if (k)
        release(c, o->c);
    if (o->op != ORYX_OP_LOAD && o->op != ORYX_OP_LDX)
        c->s->insn_stores[c->n_insns ? c->n_insns - 1 : 0] = 1;
    switch (o->op) {
    case ORYX_OP_LOAD:
        p = emit3(c, (unsigned)load_handler(mo, o->type), 0, a, tlb);
        p->c = (int32_t)((mo & 0xffff) | (uint32_t)o->type << 16);
        p->imm = disp;
        break;
    case ORYX_OP_STORE: {
        unsigned bytes = 1u << ORYX_MO_SIZE(mo);
        unsigned h = H_STOREG;
        if (plain_access(mo, bytes) && bytes <= oryx_type_size(o->type))
            h = bytes == 16 ? H_STORE128 : H_ST_8 + ORYX_MO_SIZE(mo);
        p = emit3(c, h, tlb, a, b);
        p->c = (int32_t)((mo & 0xffff) | (uint32_t)o->type << 16);
        p->imm = disp;
        return;
    }
    case ORYX_OP_RMW:
        p = emit3(c, H_RMW, 0, a, b);
        p->c = o->type;
        p->imm = o->imm;
        break;
    case ORYX_OP_CAS:
        p = emit3(c, H_CAS, 0, a, b);
        p->c = k;
        p->imm = mo | (uint64_t)o->type << 32;
        break;
    case ORYX_OP_LDX:
        p = emit3(c, H_LDX, 0, a, 0);
        p->c = o->type;
        p->imm = mo;
        break;
    default:
        p = emit3(c, H_STX, 0, a, b);
        p->c = o->type;
        p->imm = mo;
        p->d = dest(c, ORYX_T_I32);
        return;
    }
    uint32_t at = c->s->n_ops - 1;
    int32_t d = dest(c, o->type);
    c->s->ops[at].d = d;
}

static void do_put(cc *c, const oryx_ir_op *o)
{
    static const uint16_t sput[] = { [1] = H_SPUT8, [2] = H_SPUT16, [4] = H_SPUT32, [8] = H_SPUT64, [16] = H_SPUT128 };
    static const uint16_t stv[] = { [1] = H_ST8, [2] = H_ST16, [4] = H_MOV4, [8] = H_MOV64, [16] = H_MOV128 };
    static const uint16_t sti[] = { [1] = H_STI8, [2] = H_STI16, [4] = H_MOVI4, [8] = H_MOVI };
    unsigned size = oryx_type_size(o->type);
    int local = o->op == ORYX_OP_LPUT;
    if (!local && !c->e->fold) {
        emit3(c, sput[size], 0, place(c, o->a), 0)->imm = o->imm;
        release(c, o->a);
        return;
    }
    int32_t to = local ? (int32_t)(o->imm & (FRAME_LOCALS - 1)) * 16 : c->e->state_delta + (int32_t)o->imm;
    if (local) /* a local is a place like a value's: whole scalars, zero-extended */
        size = def_width(o->type);
    if (is_const(c, o->a)) {
        rescue_range(c, to, local ? 16 : (int32_t)size);
        iop *p = emit(c, sti[size]);
        p->d = to;
        p->imm = c->s->vals[o->a].imm;
        release(c, o->a);
        return;
    }
    int32_t from = place(c, o->a);
    if (from == to && !(local && !c->s->vals[o->a].clean)) {
        release(c, o->a);
        return; /* defined in place */
    }
    rescue_range(c, to, local ? 16 : (int32_t)size);
    from = place(c, o->a); /* the rescue may have moved it */
    unsigned h = stv[size];
    if (local && !c->s->vals[o->a].clean) {
        unsigned w = oryx_type_size(o->type);
        h = w == 1 ? H_Z8 : w == 2 ? H_Z16 : w == 4 && o->type != ORYX_T_FL ? H_Z32 : h;
    }
    emit3(c, h, to, from, 0);
    release(c, o->a);
}

static void do_get(cc *c, const oryx_ir_op *o)
{
    static const uint16_t sget[] = { [1] = H_SGET8, [2] = H_SGET16, [4] = H_SGET32, [8] = H_SGET64, [16] = H_SGET128 };
    unsigned size = oryx_type_size(o->type);
    int local = o->op == ORYX_OP_LGET;
    if (!local && !c->e->fold) {
        int32_t d = dest(c, o->type);
        emit3(c, o->type == ORYX_T_FL ? H_SGET32 : sget[size], d, 0, 0)->imm = o->imm;
        if (o->type == ORYX_T_FL)
            c->s->vals[c->i].clean = 1;
        return;
    }
    int32_t at = local ? (int32_t)(o->imm & (FRAME_LOCALS - 1)) * 16 : c->e->state_delta + (int32_t)o->imm;
    if (!local && o->type == ORYX_T_I1) {
        int32_t d = dest(c, ORYX_T_I1);
        emit3(c, H_Z1, d, at, 0);
        return;
    }
    cval *x = &c->s->vals[c->i];
    x->kind = K_LOC;
    x->type = o->type;
    x->clean = local || size >= 8;
    x->loc = at;
    x->root = 0;
    live_add(c, c->i);
}

static void do_convert(cc *c, const oryx_ir_op *o)
{
    unsigned from = o->lane;
    if (o->a >= c->ir->n) {
        fail(c, ORYX_E_IR, "an operand is used before it is made");
        return;
    }
    cval *a = &c->s->vals[o->a];
    if (a->kind == K_CONST) {
        uint64_t v = a->imm;
        if (o->op == ORYX_OP_SEXT) {
            unsigned w = type_width(from);
            v = (uint64_t)((int64_t)(v << (64 - w)) >> (64 - w));
        }
        if (o->type != ORYX_T_V64) {
            constant(c, o->type, v);
            release(c, o->a);
            return;
        }
    }
    switch (o->op) {
    case ORYX_OP_ZEXT:
        if (a->clean || (a->kind == K_CONST)) {
            alias(c, o->a, 0, o->type, 1);
        } else {
            int32_t p = place(c, o->a);
            release(c, o->a);
            unsigned size = oryx_type_size(from);
            int32_t d = dest(c, o->type);
            emit3(c, from == ORYX_T_I1 ? H_Z1 : size == 1 ? H_Z8 : size == 2 ? H_Z16 : H_Z32, d, p, 0);
        }
        return;
    case ORYX_OP_SEXT: {
        static const uint16_t group[] = { [ORYX_T_I1] = H_SEXT_1_8, [ORYX_T_I8] = H_SEXT_8_16,
                                          [ORYX_T_I16] = H_SEXT_16_32, [ORYX_T_I32] = H_SEXT_32_64 };
        if (from < ORYX_T_I1 || from > ORYX_T_I32 || o->type <= from || o->type > ORYX_T_I64) {
            fail(c, ORYX_E_IR, "SEXT between types that do not widen");
            return;
        }
        int32_t p = place(c, o->a);
        release(c, o->a);
        int32_t d = dest(c, o->type);
        emit3(c, group[from] + (o->type - from - 1u), d, p, 0);
        return;
    }
    case ORYX_OP_TRUNC:
        if (o->type == ORYX_T_I1) {
            int32_t p = place(c, o->a);
            release(c, o->a);
            emit3(c, H_Z1, dest(c, ORYX_T_I1), p, 0);
            return;
        }
        alias(c, o->a, 0, o->type, 0);
        return;
    default: /* BITCAST, FLPACK */
        alias(c, o->a, 0, o->type, o->op == ORYX_OP_BITCAST && (a->clean || oryx_type_size(o->type) == 8));
        return;
    }
}

static void do_select(cc *c, const oryx_ir_op *o)
{
    int32_t fl;
    unsigned fc, h, size = oryx_type_size(o->type);
    int fused = 0;
    if (size >= 4 && size <= 8 && o->type != ORYX_T_FL && o->a < c->ir->n)
        fused = take_flcond(c, o->a, &fl, &fc);
    int32_t a = fused ? fl : place(c, o->a), b = place(c, o->b), k = place(c, o->c);
    release(c, o->a);
    release(c, o->b);
    release(c, o->c);
    int32_t d = dest(c, o->type);
    if (fused)
        h = size == 4 ? H_SELF32 : H_SELF64;
    else if (o->type == ORYX_T_FL)
        h = H_SEL4;
    else
        h = size == 1 ? H_SEL8 : size == 2 ? H_SEL16 : size == 4 ? H_SEL32 : size == 8 ? H_SEL64 : H_SEL128;
    iop *p = emit3(c, h, d, a, b);
    p->c = k;
    if (fused)
        p->imm = fc;
}

/* Everything without a handler of its own. */
static void do_generic(cc *c, const oryx_ir_op *o)
{
    ool_fn fn = interp_select(o);
    if (!fn) {
        fail(c, ORYX_E_UNSUPPORTED, "op not defined for this type and lane");
        return;
    }
    const char *sig = sigs[o->op];
    oryx_val v[3] = { o->a, o->b, o->c };
    int32_t at[3] = { 0, 0, (int32_t)(uint32_t)o->imm };
    unsigned n = sig[1] && sig[1] != '-' ? (unsigned)strlen(sig) - 1 : 0;
    for (unsigned k = 0; k < n; k++)
        if (v[k] || o->op != ORYX_OP_FLMAKE)
            at[k] = place(c, v[k]);
    for (unsigned k = 0; k < n; k++)
        release(c, v[k]);
    unsigned rtype = sig[0] == 'L' ? o->lane : sig[0] == 'b' ? ORYX_T_I1 : sig[0] == 'f' ? ORYX_T_FL : o->type;
    int32_t d = sig[0] == '-' ? 0 : dest(c, rtype);
    iop *p = emit3(c, H_OOL, d, at[0], at[1]);
    p->c = at[2];
    p->fn = fn;
}

static void do_flmake(cc *c, const oryx_ir_op *o)
{
    if ((o->lane != ORYX_T_I32 && o->lane != ORYX_T_I64) || o->imm > ORYX_FL_LOGIC) {
        do_generic(c, o);
        return;
    }
    int carry = o->imm == ORYX_FL_ADC || o->imm == ORYX_FL_SBC || o->imm == ORYX_FL_SBCC;
    int32_t k = carry ? place(c, o->c) : 0;
    oryx_val b = o->b ? o->b : o->a; /* LOGIC has no b */
    if (o->imm == ORYX_FL_LOGIC)
        b = o->a;
    iop *p = emit_bin(c, H_FL_ADD_32r + (unsigned)o->imm * 4, o->lane, ORYX_T_FL, o->a, b);
    p->c = k;
    release(c, o->c); /* not before: emit_bin may put a constant operand into the freed place */
    if (o->imm == ORYX_FL_LOGIC && o->b)
        release(c, o->b);
}

static void do_gotoc(cc *c, const oryx_ir_op *o, uint32_t giveback)
{
    int32_t fl = 0, cond = 0;
    unsigned fc = 0, h = H_GOTOC;
    uint32_t at;
    const cval *v = &c->s->vals[o->a < c->ir->n ? o->a : 0];
    if (c->setmode) {
        cond = place(c, o->a);
        h = H_GOTOCM;
    } else if (o->a < c->ir->n && take_flcond(c, o->a, &fl, &fc)) {
        cond = fl;
        h = H_GOTOCF;
        if (last_op(c, 0, &at) && c->s->h[at] >= H_FL_ADD_32r && c->s->h[at] <= H_FL_LOGIC_64i &&
            c->s->ops[at].d == fl &&
            (c->s->op_insn[at] + 1u == c->n_insns || !c->s->insn_stores[c->s->op_insn[at]])) {
            c->s->h[at] = (uint16_t)(c->s->h[at] - H_FL_ADD_32r + H_FLG_ADD_32r);
            c->s->ops[at].label = c->e->labels[c->s->h[at]];
        }
    } else {
        cond = place(c, o->a);
        if (v->uses == 1 && last_op(c, insn_first(c), &at) && c->s->h[at] >= H_CMP_EQ_32r &&
            c->s->h[at] <= H_CMP_TSTZ_64i && c->s->ops[at].d == cond) {
            c->s->h[at] = (uint16_t)(c->s->h[at] - H_CMP_EQ_32r + H_CMPG_EQ_32r);
            c->s->ops[at].label = c->e->labels[c->s->h[at]];
        }
    }
    release(c, o->a);
    iop *p = emit3(c, h, (int32_t)(giveback | fc << 16), cond, (int32_t)o->b);
    p->c = (int32_t)o->c;
    p->imm = o->imm;
}

static void do_op(cc *c, const oryx_ir_op *o)
{
    uint32_t giveback = c->total_insns - c->n_insns;
    int h;
    iop *p;
    switch (o->op) {
    case ORYX_OP_NOP:
    case ORYX_OP_ARGS:
        return;
    case ORYX_OP_INSN:
        c->s->insns[c->n_insns].pc = o->imm;
        c->s->insns[c->n_insns].first = c->s->n_ops;
        c->s->insn_stores[c->n_insns] = 0;
        c->n_insns++;
        return;
    case ORYX_OP_LABEL:
        c->label_at[o->imm & 255] = c->s->n_ops;
        c->label_floor = c->s->n_ops;
        c->n_live = 0;
        return;
    case ORYX_OP_BR:
        emit(c, H_BR)->imm = o->imm & 255;
        return;
    case ORYX_OP_BRC:
    {
        int32_t a = place(c, o->a);
        release(c, o->a);
        emit3(c, H_BRC, 0, a, 0)->imm = o->imm & 255;
        return;
    }
    case ORYX_OP_CONST:
        constant(c, o->type, o->imm);
        return;
    case ORYX_OP_VCONST: {
        int32_t d = dest(c, o->type);
        p = emit3(c, o->type == ORYX_T_V128 ? H_VCONST : H_MOVI, d, 0, (int32_t)o->b);
        p->c = (int32_t)o->c;
        p->imm = o->imm;
        return;
    }
    case ORYX_OP_GET:
    case ORYX_OP_LGET:
        do_get(c, o);
        return;
    case ORYX_OP_PUT:
    case ORYX_OP_LPUT:
        do_put(c, o);
        return;
    case ORYX_OP_SETMODE:
    {
        int32_t a = place(c, o->a);
        release(c, o->a);
        emit3(c, H_SETMODE, 0, a, 0);
        c->setmode = 1;
        return;
    }
    case ORYX_OP_ZEXT:
    case ORYX_OP_SEXT:
    case ORYX_OP_TRUNC:
    case ORYX_OP_BITCAST:
    case ORYX_OP_FLPACK:
        do_convert(c, o);
        return;
    case ORYX_OP_VLOW:
        alias(c, o->a, 0, ORYX_T_V64, 1);
        return;
    case ORYX_OP_VHIGH:
        alias(c, o->a, 8, ORYX_T_V64, 1);
        return;
    case ORYX_OP_VGET: {
        unsigned size = oryx_type_size(o->lane);
        if (!size || (o->imm + 1) * size > oryx_type_size(o->type)) {
            fail(c, ORYX_E_IR, "VGET of a lane outside the vector");
            return;
        }
        alias(c, o->a, (int32_t)(o->imm * size), o->lane, size == 8);
        return;
    }
    case ORYX_OP_NOT:
    case ORYX_OP_NEG:
    case ORYX_OP_CLZ:
    case ORYX_OP_BSWAP:
    case ORYX_OP_UBFX:
    case ORYX_OP_SBFX: {
        static const struct {
            uint16_t op, h;
        } t[] = { { ORYX_OP_NOT, H_NOT32 },     { ORYX_OP_NEG, H_NEG32 },   { ORYX_OP_CLZ, H_CLZ32 },
                  { ORYX_OP_BSWAP, H_BSWAP32 }, { ORYX_OP_UBFX, H_UBFX32 }, { ORYX_OP_SBFX, H_SBFX32 } };
        if (o->type != ORYX_T_I32 && o->type != ORYX_T_I64 && !(o->type == ORYX_T_I1 && o->op == ORYX_OP_NOT))
            break;
        unsigned k = 0;
        while (t[k].op != o->op)
            k++;
        int32_t a = place(c, o->a);
        release(c, o->a);
        int32_t d = dest(c, o->type);
        p = emit3(c, o->type == ORYX_T_I1 ? (unsigned)H_NOT1 : t[k].h + (o->type == ORYX_T_I64 ? 1u : 0u), d, a, 0);
        p->imm = o->imm;
        return;
    }
    case ORYX_OP_BFI:
    case ORYX_OP_FUNNEL: {
        if (o->type != ORYX_T_I32 && o->type != ORYX_T_I64)
            break;
        int32_t a = place(c, o->a), b = place(c, o->b);
        release(c, o->a);
        release(c, o->b);
        int32_t d = dest(c, o->type);
        p = emit3(c, (o->op == ORYX_OP_BFI ? H_BFI32 : H_FUNNEL32) + (o->type == ORYX_T_I64 ? 1u : 0u), d, a, b);
        p->imm = o->imm;
        return;
    }
    case ORYX_OP_CMP:
        if ((o->lane == ORYX_T_I32 || o->lane == ORYX_T_I64) && o->imm <= ORYX_CC_TSTZ) {
            emit_bin(c, H_CMP_EQ_32r + (unsigned)o->imm * 4, o->lane, ORYX_T_I1, o->a, o->b);
            return;
        }
        break;
    case ORYX_OP_SELECT:
        do_select(c, o);
        return;
    case ORYX_OP_FLMAKE:
        do_flmake(c, o);
        return;
    case ORYX_OP_FLCOND: {
        int32_t a = place(c, o->a);
        release(c, o->a);
        int32_t d = dest(c, ORYX_T_I1);
        emit3(c, H_FLCOND, d, a, 0)->imm = o->imm & 31;
        return;
    }
    case ORYX_OP_LOAD:
    case ORYX_OP_STORE:
    case ORYX_OP_RMW:
    case ORYX_OP_CAS:
    case ORYX_OP_LDX:
    case ORYX_OP_STX:
        do_memory(c, o);
        return;
    case ORYX_OP_CLREX:
        emit(c, H_CLREX);
        return;
    case ORYX_OP_FENCE:
        emit(c, H_FENCE);
        return;
    case ORYX_OP_FADD:
    case ORYX_OP_FSUB:
    case ORYX_OP_FMUL:
    case ORYX_OP_FDIV:
        if (o->type == ORYX_T_F32 || o->type == ORYX_T_F64) {
            int32_t a = place(c, o->a), b = place(c, o->b);
            release(c, o->a);
            release(c, o->b);
            int32_t d = dest(c, o->type);
            emit3(c, H_FADD_f32 + 2u * (o->op - ORYX_OP_FADD) + (o->type == ORYX_T_F64), d, a, b);
            return;
        }
        break;
    case ORYX_OP_CALL:
        do_call(c, o);
        return;
    case ORYX_OP_SLOTADD: {
        int32_t a = place(c, o->a);
        release(c, o->a);
        emit3(c, H_SLOTADD, 0, a, 0)->imm = o->imm;
        return;
    }
    case ORYX_OP_GOTO:
        p = emit3(c, c->setmode ? H_GOTOM : H_GOTO, (int32_t)giveback, 0, (int32_t)(o->a & 1));
        p->imm = o->imm;
        return;
    case ORYX_OP_GOTOC:
        do_gotoc(c, o, giveback);
        return;
    case ORYX_OP_GOTOI: {
        int32_t a = place(c, o->a);
        release(c, o->a);
        emit3(c, H_GOTOI, (int32_t)giveback, a, 0);
        return;
    }
    case ORYX_OP_RAISE: {
        /* The instruction that raises is given back; the core counts it where it retires (system calls). */
        int32_t a = place(c, o->a);
        release(c, o->a);
        p = emit3(c, H_RAISE, (int32_t)(giveback + (c->n_insns ? 1 : 0)), a, (int32_t)o->b);
        p->c = (int32_t)o->c;
        p->imm = o->imm & 0xffff;
        return;
    }
    case ORYX_OP_RESYNC:
        p = emit3(c, H_RESYNC, (int32_t)giveback, 0, 0);
        p->imm = o->imm;
        return;
    default:
        break;
    }
    h = int_handler(o->op);
    if (h >= 0 && (o->type == ORYX_T_I32 || o->type == ORYX_T_I64 || o->type == ORYX_T_I1)) {
        oryx_val a = o->a, b = o->b;
        if (commutes(o->op) && is_const(c, a)) {
            a = o->b;
            b = o->a;
        }
        emit_bin(c, (unsigned)h, o->type, o->type, a, b);
        return;
    }
    do_generic(c, o);
}

/* --- analysis -------------------------------------------------------------------------------------------- */

static int passes_through(unsigned op)
{
    return op == ORYX_OP_ZEXT || op == ORYX_OP_TRUNC || op == ORYX_OP_BITCAST || op == ORYX_OP_FLPACK ||
           op == ORYX_OP_VLOW || op == ORYX_OP_VHIGH || op == ORYX_OP_VGET;
}

static void use(cc *c, oryx_val v, uint32_t at)
{
    if (!v || v >= at)
        return; /* 0: no operand; a forward use is refused when it is placed */
    cval *x = &c->s->vals[v];
    x->uses++;
    x->user = at;
    if (x->last < at)
        x->last = at;
}

/* Backwards: uses, last uses (through ops that only rename a place), folding candidates, dead ops. */
static void analyse(cc *c)
{
    const oryx_ir *ir = c->ir;
    for (uint32_t i = ir->n; i-- > 0;) {
        const oryx_ir_op *o = &ir->ops[i];
        cval *x = &c->s->vals[i];
        if (o->op >= ORYX_OP_COUNT) {
            fail(c, ORYX_E_UNSUPPORTED, "unknown IR op");
            return;
        }
        const char *sig = sigs[o->op], *eff = effects_of[o->op];
        if (o->op == ORYX_OP_INSN)
            c->total_insns++;
        if ((*eff == 'P' || *eff == 'G') && !x->uses)
            continue; /* dead */
        if (o->op == ORYX_OP_ARGS) {
            use(c, o->a, i + 1);
            use(c, o->b, i + 1);
            use(c, o->c, i + 1);
            use(c, (uint32_t)o->imm, i + 1);
            use(c, (uint32_t)(o->imm >> 32), i + 1);
            continue;
        }
        oryx_val v[3] = { o->a, o->b, o->c };
        for (unsigned k = 0; sig[1] && sig[1] != '-' && sig[k + 1] && k < 3; k++)
            use(c, v[k], i);
        if ((o->op == ORYX_OP_PUT || o->op == ORYX_OP_LPUT) && o->a < i)
            c->s->vals[o->a].put = i;
        if (passes_through(o->op) && o->a < i) {
            cval *a = &c->s->vals[o->a];
            if (a->last < x->last)
                a->last = x->last;
            if ((o->op == ORYX_OP_ZEXT || o->op == ORYX_OP_BITCAST) && x->put && (!a->put || x->put < a->put))
                a->put = x->put;
        }
        if (o->op == ORYX_OP_ADD && o->type == ORYX_T_I64 && x->uses == 1 && o->b < i && o->a < i &&
            ir->ops[o->b].op == ORYX_OP_CONST && ir->ops[o->a].op != ORYX_OP_CONST) {
            const oryx_ir_op *m = &ir->ops[x->user];
            if ((m->op == ORYX_OP_LOAD || m->op == ORYX_OP_STORE) && m->a == i) {
                x->fused = 1;
                if (c->s->vals[o->a].last < x->last)
                    c->s->vals[o->a].last = x->last;
            }
        }
    }
}

static int prepare(cc *c)
{
    struct scratch *s = c->s;
    if (c->ir->n > s->n_vals) {
        uint32_t n = c->ir->n + 256;
        cval *v = realloc(s->vals, n * sizeof *v);
        if (v)
            s->vals = v;
        insn_mark *m = realloc(s->insns, n * sizeof *m);
        if (m)
            s->insns = m;
        uint8_t *t = realloc(s->insn_stores, n);
        if (t)
            s->insn_stores = t;
        if (!v || !m || !t)
            return 0;
        s->n_vals = n;
    }
    if (!s->free_slots) {
        s->free_slots = malloc(FRAME_SIZE / 16 * sizeof *s->free_slots);
        if (!s->free_slots)
            return 0;
    }
    memset(s->vals, 0, c->ir->n * sizeof *s->vals);
    s->insn_stores[0] = 0;
    s->n_ops = 0;
    return 1;
}

static code *finish(cc *c)
{
    struct scratch *s = c->s;
    emit(c, H_ENDBAD);
    if (c->error)
        return NULL;
    for (uint32_t k = 0; k < s->n_ops; k++) {
        if (s->h[k] != H_BR && s->h[k] != H_BRC)
            continue;
        uint32_t to = c->label_at[s->ops[k].imm];
        if (to == UINT32_MAX) {
            fail(c, ORYX_E_IR, "branch to a label that is not placed");
            return NULL;
        }
        s->ops[k].d = (int32_t)to - (int32_t)k;
    }
    size_t at_insns = sizeof(code) + s->n_ops * sizeof(iop);
    size_t at_calls = at_insns + c->n_insns * sizeof(insn_mark);
    size_t at_map = at_calls + c->n_calls * sizeof(call_site);
    code *out = malloc(at_map + s->n_ops * sizeof(uint16_t));
    if (!out) {
        fail(c, ORYX_E_NOMEM, "out of memory");
        return NULL;
    }
    uint8_t *p = (uint8_t *)out;
    *out = (code){ .n_ops = s->n_ops, .n_insns = c->n_insns, .n_calls = c->n_calls };
    out->insns = memcpy(p + at_insns, s->insns, c->n_insns * sizeof(insn_mark));
    out->calls = (call_site *)(void *)(p + at_calls);
    if (c->n_calls)
        memcpy(out->calls, s->calls, c->n_calls * sizeof(call_site));
    out->op_insn = memcpy(p + at_map, s->op_insn, s->n_ops * sizeof(uint16_t));
    memcpy(out->ops, s->ops, s->n_ops * sizeof(iop));
    for (uint32_t k = 0; k < s->n_ops; k++)
        if (s->h[k] == H_CALL)
            out->ops[k].ptr = &out->calls[s->ops[k].imm];
    return out;
}

oryx_status interp_compile(engine *e, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    cc c = { .e = e, .s = e->scratch, .ir = ir, .next_slot = FRAME_LOCALS * 16 };
    code *out = NULL;
    memset(c.label_at, 0xff, sizeof c.label_at);
    if (ir->n > 0xfff0)
        fail(&c, ORYX_E_RANGE, "block of more than 65520 IR ops: make shorter blocks");
    else if (!prepare(&c))
        fail(&c, ORYX_E_NOMEM, "out of memory");
    if (!c.error)
        analyse(&c);
    for (c.i = 0; c.i < ir->n && !c.error; c.i++) {
        const oryx_ir_op *o = &ir->ops[c.i];
        cval *x = &c.s->vals[c.i];
        if ((effects_of[o->op][0] == 'P' || effects_of[o->op][0] == 'G') && !x->uses)
            continue;
        if (x->fused) {
            x->kind = K_ADDR;
            x->imm = ir->ops[o->b].imm;
            continue;
        }
        do_op(&c, o);
    }
    if (!c.error)
        out = finish(&c);
    if (c.error) {
        if (err) {
            /* One line: where, what. Written by hand, the engine needs no formatted output elsewhere. */
            static const char hex[] = "0123456789abcdef";
            static const char *const names[] = {
#define OP(name, sig, types, effects, meaning) #name,
#include "oryx_ir.def"
#undef OP
            };
            unsigned op = c.i < ir->n ? ir->ops[c.i].op : 0;
            char *q = err->text;
            err->code = c.error;
            memcpy(q, "block at 0x", 11);
            q += 11;
            for (int k = 60; k >= 0; k -= 4)
                *q++ = hex[ir->pc >> k & 15];
            *q++ = ' ';
            const char *name = op < ORYX_OP_COUNT ? names[op] : "?";
            for (const char *t = name; *t; t++)
                *q++ = *t;
            *q++ = ':';
            *q++ = ' ';
            strncpy(q, c.why, 200);
            q[200] = 0;
        }
        return c.error;
    }
    tb->code = out;
    return ORYX_OK;
}

int interp_scratch_new(engine *e)
{
    e->scratch = calloc(1, sizeof *e->scratch);
    return e->scratch != NULL;
}

void interp_scratch_free(engine *e)
{
    struct scratch *s = e->scratch;
    if (!s)
        return;
    free(s->vals);
    free(s->ops);
    free(s->h);
    free(s->op_insn);
    free(s->insns);
    free(s->insn_stores);
    free(s->calls);
    free(s->free_slots);
    free(s->live);
    free(s);
    e->scratch = NULL;
}
