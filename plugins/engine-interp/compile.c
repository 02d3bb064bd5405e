/* Preparation of single IR ops: which handler or function executes an op, with operands folded in.
 *
 * block.c calls ic_op for every op in order. The invariant: at every op that can leave the block, guest memory and the state
 * block hold exactly what the IR order says, whatever was folded: GET costs nothing until its register is overwritten, an
 * op whose result is only PUT writes the register directly, comparisons merge with the branch behind them. */
#include "compile.h"

static unsigned type_width(unsigned type)
{
    return type == ORYX_T_I1 ? 1 : oryx_type_size(type) * 8;
}

/* Emit h with a const or placed right operand: h is the 32r form of a four-handler group. */
static iop *emit_bin(cc *c, unsigned h, unsigned type, unsigned rtype, oryx_val a, oryx_val b)
{
    int wide = oryx_type_size(type) == 8, imm = ic_is_const(c, b);
    int32_t la = ic_place(c, a), lb = imm ? 0 : ic_place(c, b);
    ic_release(c, a);
    ic_release(c, b);
    int32_t d = ic_dest(c, rtype);
    iop *o = ic_emit3(c, h + (wide ? 2 : 0) + (imm ? 1 : 0), d, la, lb);
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
    s->calls = ic_grown(c, s->calls, &s->cap_calls, c->n_calls + 1, sizeof *s->calls);
    const oryx_helper_entry *entry = c->e->host->helper_get(c->e->machine, (uint32_t)o->imm);
    if (!entry || entry->n_args > 8)
        ic_fail(c, ORYX_E_IR, "CALL of a helper that is not registered");
    if (c->error)
        return;
    call_site *k = &s->calls[c->n_calls];
    memset(k, 0, sizeof *k);
    k->entry = entry;
    k->host = c->e->host;
    k->ret = o->type;
    k->direct = 1;
    k->foreign = (uint32_t)o->imm >= c->e->host->machine_arch(c->e->machine)->n_helpers;
    k->uses_fp = strchr(entry->helper->effects, 'E') != NULL;
    for (unsigned n = 0; n < entry->n_args; n++) {
        if (!args[n]) {
            ic_fail(c, ORYX_E_IR, "CALL with fewer operands than the helper takes");
            return;
        }
        k->args[n] = ic_place(c, args[n]);
        if (entry->args[n] == ORYX_T_F32 || entry->args[n] == ORYX_T_F64)
            k->direct = 0;
    }
    if (entry->ret == ORYX_T_F32 || entry->ret == ORYX_T_F64)
        k->direct = 0;
    ic_rescue_range(c, 0, -1); /* the helper may write any register */
    for (unsigned n = 0; n < 8; n++)
        ic_release(c, args[n]);
    if (o->type != ORYX_T_VOID)
        k->dest = ic_dest(c, o->type);
    ic_emit(c, H_CALL)->imm = c->n_calls++; /* becomes the address once the block is placed */
    s->insn_stores[c->n_insns ? c->n_insns - 1 : 0] = 1;
}

static int plain_access(uint32_t mo, unsigned bytes)
{
    return !(mo & (ORYX_MO_BE | ORYX_MO_ACQUIRE | ORYX_MO_RELEASE | ORYX_MO_USER)) &&
           !ORYX_MO_ALIGN_OF(mo) && ORYX_MO_MMU_OF(mo) < ORYX_MMU_INDEXES && bytes <= 16 &&
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
        return ic_place(c, c->ir->ops[v].a);
    }
    return ic_place(c, v);
}

/* base + (index << n) just computed for this load only: the load does it. */
static int do_indexed_load(cc *c, const oryx_ir_op *o)
{
    uint32_t mo = (uint32_t)o->imm, at;
    unsigned h = (unsigned)load_handler(mo, o->type);
    const cval *v = &c->s->vals[o->a < c->ir->n ? o->a : 0];
    h = h == H_LD_U8 ? H_LOADX8 : h == H_LD_U32 ? H_LOADX32 : h == H_LD_U64 ? H_LOADX64 : 0;
    if (!h || ORYX_MO_MMU_OF(mo) || v->kind != K_LOC || v->uses != 1 || !ic_in_slots(v->loc) ||
        !ic_last_op(c, ic_insn_first(c), &at) || c->s->ops[at].d != v->loc ||
        (c->s->h[at] != H_ADDSHL64 && c->s->h[at] != H_ADD_64r))
        return 0;
    iop sum = c->s->ops[at];
    uint64_t shift = c->s->h[at] == H_ADDSHL64 ? sum.imm : 0;
    c->s->n_ops--;
    ic_release(c, o->a);
    int32_t d = ic_dest(c, o->type);
    iop *p = ic_emit3(c, h, d, sum.a, sum.b);
    p->c = (int32_t)((mo & 0xffff) | (uint32_t)o->type << 16);
    p->imm = shift;
    return 1;
}

/* a + (b << n) with the shift just made for this sum only. */
static int do_add_shifted(cc *c, const oryx_ir_op *o)
{
    uint32_t at;
    const cval *v = &c->s->vals[o->b < c->ir->n ? o->b : 0];
    if (v->kind != K_LOC || v->uses != 1 || o->a == o->b || !ic_in_slots(v->loc) ||
        !ic_last_op(c, ic_insn_first(c), &at) || c->s->h[at] != H_SHL_64i || c->s->ops[at].d != v->loc ||
        ic_is_const(c, o->a))
        return 0;
    iop shift = c->s->ops[at];
    int32_t a = ic_place(c, o->a);
    c->s->n_ops--;
    ic_release(c, o->a);
    ic_release(c, o->b);
    int32_t d = ic_dest(c, ORYX_T_I64);
    ic_emit3(c, H_ADDSHL64, d, a, shift.a)->imm = shift.imm & 63;
    return 1;
}

static void do_memory(cc *c, const oryx_ir_op *o)
{
    uint32_t mo = (uint32_t)o->imm;
    uint64_t disp;
    int32_t tlb = (int32_t)(offsetof(oryx_cpu, tlb) + (ORYX_MO_MMU_OF(mo) & 3) * sizeof(oryx_tlb));
    if (o->op == ORYX_OP_LOAD && do_indexed_load(c, o))
        return;
    int32_t a = address(c, o->a, &disp), b = 0, k = 0;
    iop *p;
    if (o->op != ORYX_OP_LOAD && o->op != ORYX_OP_LDX)
        b = ic_place(c, o->b);
    if (o->op == ORYX_OP_CAS)
        k = ic_place(c, o->c);
    ic_release(c, o->a);
    if (b)
        ic_release(c, o->b);
    if (k)
        ic_release(c, o->c);
    if (o->op != ORYX_OP_LOAD && o->op != ORYX_OP_LDX)
        c->s->insn_stores[c->n_insns ? c->n_insns - 1 : 0] = 1;
    switch (o->op) {
    case ORYX_OP_LOAD:
        p = ic_emit3(c, (unsigned)load_handler(mo, o->type), 0, a, tlb);
        p->c = (int32_t)((mo & 0xffff) | (uint32_t)o->type << 16);
        p->imm = disp;
        break;
    case ORYX_OP_STORE: {
        unsigned bytes = 1u << ORYX_MO_SIZE(mo);
        unsigned h = H_STOREG;
        if (plain_access(mo, bytes) && bytes <= oryx_type_size(o->type))
            h = bytes == 16 ? H_STORE128 : H_ST_8 + ORYX_MO_SIZE(mo);
        p = ic_emit3(c, h, tlb, a, b);
        p->c = (int32_t)((mo & 0xffff) | (uint32_t)o->type << 16);
        p->imm = disp;
        return;
    }
    case ORYX_OP_RMW:
        p = ic_emit3(c, H_RMW, 0, a, b);
        p->c = o->type;
        p->imm = o->imm;
        break;
    case ORYX_OP_CAS:
        p = ic_emit3(c, H_CAS, 0, a, b);
        p->c = k;
        p->imm = mo | (uint64_t)o->type << 32;
        break;
    case ORYX_OP_LDX:
        p = ic_emit3(c, H_LDX, 0, a, 0);
        p->c = o->type;
        p->imm = mo;
        break;
    default:
        p = ic_emit3(c, H_STX, 0, a, b);
        p->c = o->type;
        p->imm = mo;
        p->d = ic_dest(c, ORYX_T_I32);
        return;
    }
    uint32_t at = c->s->n_ops - 1;
    int32_t d = ic_dest(c, o->type);
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
        ic_emit3(c, sput[size], 0, ic_place(c, o->a), 0)->imm = o->imm;
        ic_release(c, o->a);
        return;
    }
    int32_t to = local ? (int32_t)(o->imm & (FRAME_LOCALS - 1)) * 16 : c->e->state_delta + (int32_t)o->imm;
    if (local) /* a local is a place like a value's: whole scalars, zero-extended */
        size = ic_def_width(o->type);
    if (ic_is_const(c, o->a)) {
        ic_rescue_range(c, to, local ? 16 : (int32_t)size);
        iop *p = ic_emit(c, sti[size]);
        p->d = to;
        p->imm = c->s->vals[o->a].imm;
        ic_release(c, o->a);
        return;
    }
    int32_t from = ic_place(c, o->a);
    if (from == to && !(local && !c->s->vals[o->a].clean)) {
        ic_release(c, o->a);
        return; /* defined in place */
    }
    ic_rescue_range(c, to, local ? 16 : (int32_t)size);
    from = ic_place(c, o->a); /* the rescue may have moved it */
    unsigned h = stv[size];
    if (local && !c->s->vals[o->a].clean) {
        unsigned w = oryx_type_size(o->type);
        h = w == 1 ? H_Z8 : w == 2 ? H_Z16 : w == 4 && o->type != ORYX_T_FL ? H_Z32 : h;
    }
    ic_emit3(c, h, to, from, 0);
    ic_release(c, o->a);
}

static void do_get(cc *c, const oryx_ir_op *o)
{
    static const uint16_t sget[] = { [1] = H_SGET8, [2] = H_SGET16, [4] = H_SGET32, [8] = H_SGET64, [16] = H_SGET128 };
    unsigned size = oryx_type_size(o->type);
    int local = o->op == ORYX_OP_LGET;
    if (!local && !c->e->fold) {
        int32_t d = ic_dest(c, o->type);
        ic_emit3(c, o->type == ORYX_T_FL ? H_SGET32 : sget[size], d, 0, 0)->imm = o->imm;
        if (o->type == ORYX_T_FL)
            c->s->vals[c->i].clean = 1;
        return;
    }
    int32_t at = local ? (int32_t)(o->imm & (FRAME_LOCALS - 1)) * 16 : c->e->state_delta + (int32_t)o->imm;
    if (!local && o->type == ORYX_T_I1) {
        int32_t d = ic_dest(c, ORYX_T_I1);
        ic_emit3(c, H_Z1, d, at, 0);
        return;
    }
    cval *x = &c->s->vals[c->i];
    x->kind = K_LOC;
    x->type = o->type;
    x->clean = local || size >= 8;
    x->loc = at;
    x->root = 0;
    ic_live_add(c, c->i);
}

static void do_convert(cc *c, const oryx_ir_op *o)
{
    unsigned from = o->lane;
    if (o->a >= c->ir->n) {
        ic_fail(c, ORYX_E_IR, "an operand is used before it is made");
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
            ic_constant(c, o->type, v);
            ic_release(c, o->a);
            return;
        }
    }
    switch (o->op) {
    case ORYX_OP_ZEXT:
        if (a->clean || (a->kind == K_CONST)) {
            ic_alias(c, o->a, 0, o->type, 1);
        } else {
            int32_t p = ic_place(c, o->a);
            ic_release(c, o->a);
            unsigned size = oryx_type_size(from);
            int32_t d = ic_dest(c, o->type);
            ic_emit3(c, from == ORYX_T_I1 ? H_Z1 : size == 1 ? H_Z8 : size == 2 ? H_Z16 : H_Z32, d, p, 0);
        }
        return;
    case ORYX_OP_SEXT: {
        static const uint16_t group[] = { [ORYX_T_I1] = H_SEXT_1_8, [ORYX_T_I8] = H_SEXT_8_16,
                                          [ORYX_T_I16] = H_SEXT_16_32, [ORYX_T_I32] = H_SEXT_32_64 };
        if (from < ORYX_T_I1 || from > ORYX_T_I32 || o->type <= from || o->type > ORYX_T_I64) {
            ic_fail(c, ORYX_E_IR, "SEXT between types that do not widen");
            return;
        }
        int32_t p = ic_place(c, o->a);
        ic_release(c, o->a);
        int32_t d = ic_dest(c, o->type);
        ic_emit3(c, group[from] + (o->type - from - 1u), d, p, 0);
        return;
    }
    case ORYX_OP_TRUNC:
        if (o->type == ORYX_T_I1) {
            int32_t p = ic_place(c, o->a);
            ic_release(c, o->a);
            ic_emit3(c, H_Z1, ic_dest(c, ORYX_T_I1), p, 0);
            return;
        }
        ic_alias(c, o->a, 0, o->type, 0);
        return;
    default: /* BITCAST, FLPACK */
        ic_alias(c, o->a, 0, o->type, o->op == ORYX_OP_BITCAST && (a->clean || oryx_type_size(o->type) == 8));
        return;
    }
}

static void do_select(cc *c, const oryx_ir_op *o)
{
    int32_t fl;
    unsigned fc, h, size = oryx_type_size(o->type);
    int fused = 0;
    if (size >= 4 && size <= 8 && o->type != ORYX_T_FL && o->a < c->ir->n)
        fused = ic_take_flcond(c, o->a, &fl, &fc);
    int32_t a = fused ? fl : ic_place(c, o->a), b = ic_place(c, o->b), k = ic_place(c, o->c);
    ic_release(c, o->a);
    ic_release(c, o->b);
    ic_release(c, o->c);
    int32_t d = ic_dest(c, o->type);
    if (fused)
        h = size == 4 ? H_SELF32 : H_SELF64;
    else if (o->type == ORYX_T_FL)
        h = H_SEL4;
    else
        h = size == 1 ? H_SEL8 : size == 2 ? H_SEL16 : size == 4 ? H_SEL32 : size == 8 ? H_SEL64 : H_SEL128;
    iop *p = ic_emit3(c, h, d, a, b);
    p->c = k;
    if (fused)
        p->imm = fc;
}

/* Everything without a handler of its own. */
static void do_generic(cc *c, const oryx_ir_op *o)
{
    ool_fn fn = softop_select(o);
    if (!fn) {
        ic_fail(c, ORYX_E_UNSUPPORTED, "op not defined for this type and lane");
        return;
    }
    const char *sig = ic_sigs[o->op];
    oryx_val v[3] = { o->a, o->b, o->c };
    int32_t at[3] = { 0, 0, (int32_t)(uint32_t)o->imm };
    unsigned n = sig[1] && sig[1] != '-' ? (unsigned)strlen(sig) - 1 : 0;
    for (unsigned k = 0; k < n; k++)
        if (v[k] || o->op != ORYX_OP_FLMAKE)
            at[k] = ic_place(c, v[k]);
    for (unsigned k = 0; k < n; k++)
        ic_release(c, v[k]);
    unsigned rtype = sig[0] == 'L' ? o->lane : sig[0] == 'b' ? ORYX_T_I1 : sig[0] == 'f' ? ORYX_T_FL : o->type;
    int32_t d = sig[0] == '-' ? 0 : ic_dest(c, rtype);
    iop *p = ic_emit3(c, H_OOL, d, at[0], at[1]);
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
    int32_t k = carry ? ic_place(c, o->c) : 0;
    oryx_val b = o->b ? o->b : o->a; /* LOGIC has no b */
    if (o->imm == ORYX_FL_LOGIC)
        b = o->a;
    iop *p = emit_bin(c, H_FL_ADD_32r + (unsigned)o->imm * 4, o->lane, ORYX_T_FL, o->a, b);
    p->c = k;
    ic_release(c, o->c); /* not before: emit_bin may put a constant operand into the freed place */
    if (o->imm == ORYX_FL_LOGIC && o->b)
        ic_release(c, o->b);
}

static void do_gotoc(cc *c, const oryx_ir_op *o, uint32_t giveback)
{
    int32_t fl = 0, cond = 0;
    unsigned fc = 0, h = H_GOTOC;
    uint32_t at;
    const cval *v = &c->s->vals[o->a < c->ir->n ? o->a : 0];
    if (c->setmode) {
        cond = ic_place(c, o->a);
        h = H_GOTOCM;
    } else if (o->a < c->ir->n && ic_take_flcond(c, o->a, &fl, &fc)) {
        cond = fl;
        h = H_GOTOCF;
        if (ic_last_op(c, 0, &at) && c->s->h[at] >= H_FL_ADD_32r && c->s->h[at] <= H_FL_LOGIC_64i &&
            c->s->ops[at].d == fl &&
            (c->s->op_insn[at] + 1u == c->n_insns || !c->s->insn_stores[c->s->op_insn[at]])) {
            c->s->h[at] = (uint16_t)(c->s->h[at] - H_FL_ADD_32r + H_FLG_ADD_32r);
            c->s->ops[at].label = c->e->labels[c->s->h[at]];
        }
    } else {
        cond = ic_place(c, o->a);
        if (v->uses == 1 && ic_last_op(c, ic_insn_first(c), &at) && c->s->h[at] >= H_CMP_EQ_32r &&
            c->s->h[at] <= H_CMP_TSTZ_64i && c->s->ops[at].d == cond) {
            c->s->h[at] = (uint16_t)(c->s->h[at] - H_CMP_EQ_32r + H_CMPG_EQ_32r);
            c->s->ops[at].label = c->e->labels[c->s->h[at]];
        }
    }
    ic_release(c, o->a);
    iop *p = ic_emit3(c, h, (int32_t)(giveback | fc << 16), cond, (int32_t)o->b);
    p->c = (int32_t)o->c;
    p->imm = o->imm;
}

void ic_op(cc *c, const oryx_ir_op *o)
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
        ic_emit(c, H_BR)->imm = o->imm & 255;
        return;
    case ORYX_OP_BRC:
    {
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        ic_emit3(c, H_BRC, 0, a, 0)->imm = o->imm & 255;
        return;
    }
    case ORYX_OP_CONST:
        ic_constant(c, o->type, o->imm);
        return;
    case ORYX_OP_VCONST: {
        int32_t d = ic_dest(c, o->type);
        p = ic_emit3(c, o->type == ORYX_T_V128 ? H_VCONST : H_MOVI, d, 0, (int32_t)o->b);
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
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        ic_emit3(c, H_SETMODE, 0, a, 0);
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
        ic_alias(c, o->a, 0, ORYX_T_V64, 1);
        return;
    case ORYX_OP_VHIGH:
        ic_alias(c, o->a, 8, ORYX_T_V64, 1);
        return;
    case ORYX_OP_VGET: {
        unsigned size = oryx_type_size(o->lane);
        if (!size || (o->imm + 1) * size > oryx_type_size(o->type)) {
            ic_fail(c, ORYX_E_IR, "VGET of a lane outside the vector");
            return;
        }
        ic_alias(c, o->a, (int32_t)(o->imm * size), o->lane, size == 8);
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
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        int32_t d = ic_dest(c, o->type);
        p = ic_emit3(c, o->type == ORYX_T_I1 ? (unsigned)H_NOT1 : t[k].h + (o->type == ORYX_T_I64 ? 1u : 0u), d, a, 0);
        p->imm = o->imm;
        return;
    }
    case ORYX_OP_BFI:
    case ORYX_OP_FUNNEL: {
        if (o->type != ORYX_T_I32 && o->type != ORYX_T_I64)
            break;
        int32_t a = ic_place(c, o->a), b = ic_place(c, o->b);
        ic_release(c, o->a);
        ic_release(c, o->b);
        int32_t d = ic_dest(c, o->type);
        p = ic_emit3(c, (o->op == ORYX_OP_BFI ? H_BFI32 : H_FUNNEL32) + (o->type == ORYX_T_I64 ? 1u : 0u), d, a, b);
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
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        int32_t d = ic_dest(c, ORYX_T_I1);
        ic_emit3(c, H_FLCOND, d, a, 0)->imm = o->imm & 31;
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
        ic_emit(c, H_CLREX);
        return;
    case ORYX_OP_FENCE:
        ic_emit(c, H_FENCE);
        return;
    case ORYX_OP_FADD:
    case ORYX_OP_FSUB:
    case ORYX_OP_FMUL:
    case ORYX_OP_FDIV:
        if (o->type == ORYX_T_F32 || o->type == ORYX_T_F64) {
            int32_t a = ic_place(c, o->a), b = ic_place(c, o->b);
            ic_release(c, o->a);
            ic_release(c, o->b);
            int32_t d = ic_dest(c, o->type);
            ic_emit3(c, H_FADD_f32 + 2u * (o->op - ORYX_OP_FADD) + (o->type == ORYX_T_F64), d, a, b);
            return;
        }
        break;
    case ORYX_OP_CALL:
        do_call(c, o);
        return;
    case ORYX_OP_SLOTADD: {
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        ic_emit3(c, H_SLOTADD, 0, a, 0)->imm = o->imm;
        return;
    }
    case ORYX_OP_GOTO:
        p = ic_emit3(c, c->setmode ? H_GOTOM : H_GOTO, (int32_t)giveback, 0, (int32_t)(o->a & 1));
        p->imm = o->imm;
        return;
    case ORYX_OP_GOTOC:
        do_gotoc(c, o, giveback);
        return;
    case ORYX_OP_GOTOI: {
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        ic_emit3(c, H_GOTOI, (int32_t)giveback, a, 0);
        return;
    }
    case ORYX_OP_RAISE: {
        /* The instruction that raises is given back; the core counts it where it retires (system calls). */
        int32_t a = ic_place(c, o->a);
        ic_release(c, o->a);
        p = ic_emit3(c, H_RAISE, (int32_t)(giveback + (c->n_insns ? 1 : 0)), a, (int32_t)o->b);
        p->c = (int32_t)o->c;
        p->imm = o->imm & 0xffff;
        return;
    }
    case ORYX_OP_RESYNC:
        p = ic_emit3(c, H_RESYNC, (int32_t)giveback, 0, 0);
        p->imm = o->imm;
        return;
    default:
        break;
    }
    h = int_handler(o->op);
    if (h >= 0 && (o->type == ORYX_T_I32 || o->type == ORYX_T_I64 || o->type == ORYX_T_I1)) {
        oryx_val a = o->a, b = o->b;
        if (o->op == ORYX_OP_ADD && o->type == ORYX_T_I64 && do_add_shifted(c, o))
            return;
        if (commutes(o->op) && ic_is_const(c, a)) {
            a = o->b;
            b = o->a;
        }
        emit_bin(c, (unsigned)h, o->type, o->type, a, b);
        return;
    }
    do_generic(c, o);
}
