/* The simplifier: rewrites a checked block, in place and in linear time, into one that does the same with fewer ops.
 *
 * translate.c calls it between the check and the engine. Forward: operands follow copies; constants fold; algebraic
 * identities; GET after PUT or GET of a slot (and LGET after LPUT) becomes the value. Backward: values nobody uses, PUTs
 * that are overwritten before anything can see them, and with them dead flags, go - in a region also when the blocks that
 * follow overwrite them; SLOTADDs of one slot join. Then the holes are closed. Invariant: at every point where the block can be left - an op that can fault, the instruction boundary
 * after a write to memory or a call, every end - the state is what the unsimplified block has there. */
#include <string.h>

#include "ir_opt.h"

/* A small direct-mapped memory of state slots, by 8-byte granule. stamp: valid when equal to the table's. */
#define SLOTS 128u
typedef struct slot {
    uint32_t offset, stamp;
    oryx_val value; /* forward: its value; backward: unused */
    uint8_t type, size;
} slot;

/* Of a region's block: slots it writes before anything can see them. */
typedef struct kills {
    uint64_t pc;
    uint32_t n;
    struct {
        uint32_t offset, size;
    } k[6];
} kills;

typedef struct opt {
    oryx_ir *ir;
    oryx_ir_op *ops;
    oryx_machine *m;
    oryx_val *to;     /* forward: what stands for a value; later its new number */
    uint32_t *uses;
    slot slots[SLOTS];
    uint32_t stamp;
    bool wide;        /* a slot reaches beyond its granule: what overlaps may be in the entry before */
    oryx_val local[64];
    uint64_t locals;  /* forward: which are known; backward: which are read later */
    kills *kills;     /* of a region's blocks that only forward edges enter unseen; NULL: no region */
    uint32_t n_kills;
} opt;

/* --- effects --------------------------------------------------------------------------------------------------------------- */
enum { PURE = 1, READS_STATE = 2, WRITES_STATE = 4, CAN_FAULT = 8, WRITES_MEM = 16, ENDS = 32, SPECIAL = 64, LOOKS = 128 };

static unsigned call_effects(const opt *p, const oryx_ir_op *o)
{
    const oryx_helper_entry *e = p->m ? oryx_helper_get(p->m, (uint32_t)o->imm) : NULL;
    unsigned all = READS_STATE | WRITES_STATE | CAN_FAULT | WRITES_MEM;
    if (!e)
        return all;
    unsigned r = e->helper->effects[0] ? 0 : WRITES_MEM; /* no letter: unknown to the outside world, but no guest state */
    for (const char *c = e->helper->effects; *c; c++) {
        switch (*c) {
        case 'G':
            r |= READS_STATE;
            break;
        case 'S':
            r |= READS_STATE | WRITES_STATE;
            break;
        case 'R':
            r |= CAN_FAULT;
            break;
        case 'W':
            r |= CAN_FAULT | WRITES_MEM;
            break;
        case 'P':
            r |= PURE;
            break;
        default:
            r |= WRITES_MEM;
            break;
        }
    }
    return r == PURE ? PURE : r & ~(unsigned)PURE;
}

/* Of every op but CALL; Q ops are pure unless their immediate asks for the sticky flag: both are SPECIAL. */
static uint8_t op_effects[ORYX_OP_COUNT];

static unsigned letters(const char *effects)
{
    unsigned r = 0;
    for (const char *c = effects; *c; c++) {
        switch (*c) {
        case 'P':
        case 'G':
            r |= PURE; /* PUTs and GETs are looked at one by one */
            break;
        case 'R':
            r |= CAN_FAULT;
            break;
        case 'W':
            r |= CAN_FAULT | WRITES_MEM;
            break;
        case 'C':
            r |= ENDS;
            break;
        default:
            break;
        }
    }
    return r;
}

static void tables(void)
{
    static const uint8_t special[] = { ORYX_OP_CALL, ORYX_OP_QADD, ORYX_OP_QSUB, ORYX_OP_NARROW, ORYX_OP_VSHL, ORYX_OP_QDMULH, ORYX_OP_QSHLI };
    for (unsigned i = 0; i < ORYX_OP_COUNT; i++)
        op_effects[i] = (uint8_t)letters(oryx__ir_info[i].effects);
    for (unsigned i = 0; i < sizeof special; i++)
        op_effects[special[i]] |= SPECIAL;
    op_effects[ORYX_OP_LABEL] |= LOOKS;
    op_effects[ORYX_OP_BLOCK] |= LOOKS;
}

static unsigned special_effects(const opt *p, const oryx_ir_op *o)
{
    switch (o->op) {
    case ORYX_OP_CALL:
        return call_effects(p, o);
    case ORYX_OP_QADD:
    case ORYX_OP_QSUB:
    case ORYX_OP_NARROW:
    case ORYX_OP_VSHL:
    case ORYX_OP_QDMULH:
        return o->imm & 2 ? 0 : PURE;
    default: /* QSHLI */
        return o->imm & 1u << 9 ? 0 : PURE;
    }
}

static inline unsigned effects(const opt *p, const oryx_ir_op *o)
{
    unsigned e = op_effects[o->op];
    return e & SPECIAL ? special_effects(p, o) : e;
}

/* Number of value operands in a, b, c. */
static inline unsigned operands(const oryx_ir_op *o)
{
    static const uint8_t n[ORYX_OP_COUNT] = {
#define OP(name, sig, types, effects, meaning) sizeof(sig) - 2,
#include "oryx_ir.def"
#undef OP
    };
    return n[o->op];
}

/* --- state slots --------------------------------------------------------------------------------------------------------- */
static slot *slot_at(opt *p, uint64_t granule)
{
    return &p->slots[granule % SLOTS];
}

static void slots_forget(opt *p)
{
    p->stamp++;
}

/* Drop what overlaps [offset, offset + size). */
static void slots_drop(opt *p, uint64_t offset, unsigned size)
{
    uint64_t first = offset / 8, last = (offset + size - 1) / 8;
    for (uint64_t g = first && p->wide ? first - 1 : first; g <= last; g++) {
        slot *s = slot_at(p, g);
        if (s->stamp == p->stamp && s->offset < offset + size && offset < s->offset + s->size)
            s->stamp = 0;
    }
}

static void slots_set(opt *p, uint64_t offset, unsigned type, oryx_val v)
{
    unsigned size = oryx_type_size(type);
    p->wide |= offset % 8 + size > 8;
    *slot_at(p, offset / 8) = (slot){ (uint32_t)offset, p->stamp, v, (uint8_t)type, (uint8_t)size };
}

/* --- forward ------------------------------------------------------------------------------------------------------------- */
static bool is_const(const opt *p, oryx_val v)
{
    return p->ops[v].op == ORYX_OP_CONST;
}

static bool const_is(const opt *p, oryx_val v, uint64_t imm)
{
    return is_const(p, v) && p->ops[v].imm == imm;
}

static void become_const(oryx_ir_op *o, uint64_t v)
{
    o->op = ORYX_OP_CONST;
    o->lane = o->type;
    o->a = o->b = o->c = 0;
    o->imm = v;
}

/* Op i is the value v: users take that. */
static bool become(opt *p, oryx_val i, oryx_val v)
{
    p->to[i] = v;
    p->ops[i] = (oryx_ir_op){ .op = ORYX_OP_NOP };
    return true;
}

static bool commutes(unsigned op)
{
    switch (op) {
    case ORYX_OP_ADD:
    case ORYX_OP_MUL:
    case ORYX_OP_MULHU:
    case ORYX_OP_MULHS:
    case ORYX_OP_AND:
    case ORYX_OP_OR:
    case ORYX_OP_XOR:
    case ORYX_OP_MINU:
    case ORYX_OP_MINS:
    case ORYX_OP_MAXU:
    case ORYX_OP_MAXS:
        return true;
    default:
        return false;
    }
}

static uint64_t mirrored(uint64_t cc)
{
    switch (cc) {
    case ORYX_CC_LTU:
        return ORYX_CC_GTU;
    case ORYX_CC_GTU:
        return ORYX_CC_LTU;
    case ORYX_CC_LEU:
        return ORYX_CC_GEU;
    case ORYX_CC_GEU:
        return ORYX_CC_LEU;
    case ORYX_CC_LTS:
        return ORYX_CC_GTS;
    case ORYX_CC_GTS:
        return ORYX_CC_LTS;
    case ORYX_CC_LES:
        return ORYX_CC_GES;
    case ORYX_CC_GES:
        return ORYX_CC_LES;
    default:
        return cc;
    }
}

/* Two-operand identities; constants stand in b. */
static bool identity2(opt *p, oryx_val i)
{
    oryx_ir_op *o = &p->ops[i];
    uint64_t ones = oryx__mask(oryx__bits(o->type));
    bool same = o->a == o->b, known = is_const(p, o->b);
    uint64_t k = known ? p->ops[o->b].imm : 0;
    switch (o->op) {
    case ORYX_OP_SUB:
    case ORYX_OP_XOR:
        if (same) {
            become_const(o, 0);
            return true;
        }
        return known && k == 0 && become(p, i, o->a);
    case ORYX_OP_ADD:
        return known && k == 0 && become(p, i, o->a);
    case ORYX_OP_OR:
        if (known && k == ones)
            return become(p, i, o->b);
        return (same || (known && k == 0)) && become(p, i, o->a);
    case ORYX_OP_AND:
        if (known && k == 0)
            return become(p, i, o->b);
        return (same || (known && k == ones)) && become(p, i, o->a);
    case ORYX_OP_ANDN:
        if (same) {
            become_const(o, 0);
            return true;
        }
        return known && k == 0 && become(p, i, o->a);
    case ORYX_OP_ORN:
        if (same) {
            become_const(o, ones);
            return true;
        }
        return known && k == ones && become(p, i, o->a);
    case ORYX_OP_MUL:
        if (known && k == 0)
            return become(p, i, o->b);
        return known && k == 1 && become(p, i, o->a);
    case ORYX_OP_DIVU:
    case ORYX_OP_DIVS:
        return known && k == 1 && o->type != ORYX_T_I1 && become(p, i, o->a);
    case ORYX_OP_SHL:
    case ORYX_OP_SHR:
    case ORYX_OP_SAR:
    case ORYX_OP_ROR:
        return known && (k & (oryx__bits(o->type) - 1)) == 0 && become(p, i, o->a);
    case ORYX_OP_MINU:
    case ORYX_OP_MINS:
    case ORYX_OP_MAXU:
    case ORYX_OP_MAXS:
        return same && become(p, i, o->a);
    default:
        return false;
    }
}

/* Widths: chains of extensions and cuts, and bit fields. */
static bool identity_width(opt *p, oryx_val i)
{
    oryx_ir_op *o = &p->ops[i];
    const oryx_ir_op *x = &p->ops[o->a];
    unsigned w = oryx__bits(o->type);
    switch (o->op) {
    case ORYX_OP_ZEXT:
    case ORYX_OP_SEXT:
        if (x->op == o->op || (x->op == ORYX_OP_ZEXT && o->op == ORYX_OP_SEXT)) {
            o->op = x->op; /* what was zero-extended has no sign */
            o->lane = x->lane;
            o->a = x->a;
            return true;
        }
        if (x->op == ORYX_OP_TRUNC && x->lane == o->type) {
            o->imm = (uint64_t)oryx__bits(o->lane) << 8;
            o->op = o->op == ORYX_OP_ZEXT ? ORYX_OP_UBFX : ORYX_OP_SBFX;
            o->lane = o->type;
            o->a = x->a;
            return true;
        }
        return false;
    case ORYX_OP_TRUNC:
        if (x->op == ORYX_OP_ZEXT || x->op == ORYX_OP_SEXT) {
            if (x->lane == o->type)
                return become(p, i, x->a);
            unsigned from = oryx__bits(x->lane);
            o->op = from < w ? x->op : ORYX_OP_TRUNC;
            o->lane = x->lane;
            o->a = x->a;
            return true;
        }
        if (x->op == ORYX_OP_TRUNC) {
            o->lane = x->lane;
            o->a = x->a;
            return true;
        }
        return false;
    case ORYX_OP_BITCAST:
        if (o->lane == o->type)
            return become(p, i, o->a);
        return x->op == ORYX_OP_BITCAST && x->lane == o->type && become(p, i, x->a);
    case ORYX_OP_UBFX:
    case ORYX_OP_SBFX:
        if (o->op == ORYX_OP_UBFX && x->op == ORYX_OP_ZEXT && o->imm == (uint64_t)oryx__bits(x->lane) << 8)
            return become(p, i, o->a);
        return o->imm == (uint64_t)w << 8 && become(p, i, o->a);
    case ORYX_OP_BFI:
        return o->imm == (uint64_t)w << 8 && become(p, i, o->b);
    case ORYX_OP_FUNNEL:
        return o->imm == 0 && become(p, i, o->b);
    case ORYX_OP_NOT:
    case ORYX_OP_NEG:
        return x->op == o->op && x->type == o->type && x->lane == o->lane && become(p, i, x->a);
    default:
        return false;
    }
}

/* A condition of flags that a comparison, or the packed form, says directly. */
static bool identity_flags(opt *p, oryx_val i)
{
    oryx_ir_op *o = &p->ops[i];
    const oryx_ir_op *x = &p->ops[o->a];
    int cc = -1;
    if (o->op == ORYX_OP_FLPACK || o->op == ORYX_OP_FLUNPACK)
        return x->op == ORYX_OP_FLUNPACK && o->op == ORYX_OP_FLPACK && is_const(p, x->a) &&
               (become_const(o, p->ops[x->a].imm & 0x1d5), true);
    if (o->op != ORYX_OP_FLCOND || x->op != ORYX_OP_FLMAKE)
        return false;
    bool borrow = x->imm == ORYX_FL_SUB;
    if (!borrow && x->imm != ORYX_FL_SUBC) {
        if (x->imm != ORYX_FL_LOGIC || o->imm > ORYX_FC_NZ)
            return false;
        *o = (oryx_ir_op){ .op = ORYX_OP_CMP, .type = ORYX_T_I1, .lane = x->lane, .a = x->a, .b = x->a,
                           .imm = o->imm == ORYX_FC_Z ? ORYX_CC_TSTZ : ORYX_CC_TST };
        return true;
    }
    switch (o->imm) {
    case ORYX_FC_Z:
        cc = ORYX_CC_EQ;
        break;
    case ORYX_FC_NZ:
        cc = ORYX_CC_NE;
        break;
    case ORYX_FC_C:
        cc = borrow ? ORYX_CC_LTU : ORYX_CC_GEU;
        break;
    case ORYX_FC_NC:
        cc = borrow ? ORYX_CC_GEU : ORYX_CC_LTU;
        break;
    case ORYX_FC_HI:
    case ORYX_FC_LS:
        if (!borrow)
            cc = o->imm == ORYX_FC_HI ? ORYX_CC_GTU : ORYX_CC_LEU;
        break;
    case ORYX_FC_A:
    case ORYX_FC_BE:
        if (borrow)
            cc = o->imm == ORYX_FC_A ? ORYX_CC_GTU : ORYX_CC_LEU;
        break;
    case ORYX_FC_GE:
        cc = ORYX_CC_GES;
        break;
    case ORYX_FC_LT:
        cc = ORYX_CC_LTS;
        break;
    case ORYX_FC_GT:
        cc = ORYX_CC_GTS;
        break;
    case ORYX_FC_LE:
        cc = ORYX_CC_LES;
        break;
    default:
        break;
    }
    if (cc < 0)
        return false;
    *o = (oryx_ir_op){ .op = ORYX_OP_CMP, .type = ORYX_T_I1, .lane = x->lane, .a = x->a, .b = x->b, .imm = (uint64_t)cc };
    return true;
}

static bool is_scalar(unsigned type)
{
    return type >= ORYX_T_I1 && type <= ORYX_T_F64;
}

/* One rewriting of op i; false: it stays as it is. */
static bool rewrite(opt *p, oryx_val i)
{
    oryx_ir_op *o = &p->ops[i];
    const char *sig = oryx__ir_info[o->op].sig;
    unsigned n = operands(o);
    uint64_t v;
    if (!(effects(p, o) & PURE) || o->op == ORYX_OP_CALL || !n)
        return false;
    if (is_scalar(o->type) && (sig[0] == 'T' || sig[0] == 'b') && is_const(p, o->a) && (n < 2 || is_const(p, o->b)) &&
        (n < 3 || is_const(p, o->c)) && o->lane < ORYX_T_V64 &&
        oryx__ir_fold(o, p->ops[o->a].imm, n > 1 ? p->ops[o->b].imm : 0, n > 2 ? p->ops[o->c].imm : 0, &v)) {
        become_const(o, v);
        return true;
    }
    if (o->op == ORYX_OP_SELECT) {
        if (is_const(p, o->a))
            return become(p, i, p->ops[o->a].imm ? o->b : o->c);
        return o->b == o->c && become(p, i, o->b);
    }
    if (o->op == ORYX_OP_VGET) {
        const oryx_ir_op *x = &p->ops[o->a];
        if (x->op == ORYX_OP_VSET && x->lane == o->lane && x->type == o->type) {
            if (x->imm == o->imm)
                return become(p, i, x->b);
            o->a = x->a;
            return true;
        }
        return x->op == ORYX_OP_DUP && x->lane == o->lane && become(p, i, x->a);
    }
    if (!is_scalar(o->type) && o->op != ORYX_OP_BITCAST)
        return false;
    if (o->op == ORYX_OP_CMP) {
        if (is_const(p, o->a) && !is_const(p, o->b)) {
            oryx_val a = o->a;
            o->a = o->b;
            o->b = a;
            o->imm = mirrored(o->imm);
            return true;
        }
        if (o->a == o->b && o->imm < ORYX_CC_TST) {
            become_const(o, o->imm == ORYX_CC_EQ || o->imm == ORYX_CC_LEU || o->imm == ORYX_CC_GEU || o->imm == ORYX_CC_LES ||
                                o->imm == ORYX_CC_GES);
            return true;
        }
        return false;
    }
    if (n == 2 && commutes(o->op) && is_const(p, o->a) && !is_const(p, o->b)) {
        oryx_val a = o->a;
        o->a = o->b;
        o->b = a;
    }
    if (n == 2 && identity2(p, i))
        return true;
    return identity_width(p, i) || identity_flags(p, i);
}

static bool is_int(unsigned t)
{
    return t >= ORYX_T_I8 && t <= ORYX_T_I64;
}

/* GET of a slot whose value is known. */
static void forward_get(opt *p, oryx_val i)
{
    oryx_ir_op *o = &p->ops[i];
    const slot *s = slot_at(p, o->imm / 8);
    if (s->stamp == p->stamp && s->offset == o->imm) {
        if (s->type == o->type) {
            become(p, i, s->value);
            return;
        }
        oryx_val v = s->value;
        if (is_int(s->type) && is_int(o->type) && s->size > oryx_type_size(o->type)) {
            *o = (oryx_ir_op){ .op = ORYX_OP_TRUNC, .type = o->type, .lane = s->type, .a = v };
            return;
        }
        const oryx_ir_op *x = &p->ops[v];
        if (x->op == ORYX_OP_VSET && x->imm == 0 && x->lane == o->type) {
            become(p, i, x->b);
            return;
        }
        if (x->op == ORYX_OP_VCAT && o->type == ORYX_T_V64) {
            become(p, i, x->a);
            return;
        }
        if (s->type == ORYX_T_V128 && o->type == ORYX_T_V64) {
            *o = (oryx_ir_op){ .op = ORYX_OP_VLOW, .type = ORYX_T_V64, .lane = ORYX_T_V64, .a = v };
            return;
        }
        if (s->type == ORYX_T_V128 && (is_int(o->type) || o->type == ORYX_T_F32 || o->type == ORYX_T_F64)) {
            *o = (oryx_ir_op){ .op = ORYX_OP_VGET, .type = ORYX_T_V128, .lane = o->type, .a = v };
            return;
        }
        return; /* keep the wider knowledge */
    }
    slots_set(p, o->imm, o->type, i);
}

static bool slot_holds(opt *p, const oryx_ir_op *put)
{
    const slot *s = slot_at(p, put->imm / 8);
    return s->stamp == p->stamp && s->offset == put->imm && s->type == put->type && s->value == put->a;
}

static inline void use(opt *p, const oryx_ir_op *o, int by)
{
    unsigned n = operands(o);
    if (n > 0)
        p->uses[o->a] += (uint32_t)by;
    if (n > 1)
        p->uses[o->b] += (uint32_t)by;
    if (n > 2)
        p->uses[o->c] += (uint32_t)by;
    if (o->op == ORYX_OP_ARGS) {
        p->uses[(uint32_t)o->imm] += (uint32_t)by;
        p->uses[o->imm >> 32] += (uint32_t)by;
    }
}

/* Leaves in uses[] how often each value is used, and in to[] of boundaries whether the instruction before accesses memory or
 * calls, so that the boundary may be an exit. No operand names a boundary. */
static void forward(opt *p)
{
    bool leaves = false;
    oryx_val *to = p->to;
    uint32_t count = p->ir->n;
    to[0] = p->uses[0] = 0;
    for (oryx_val i = 1; i < count; i++) {
        oryx_ir_op *o = &p->ops[i];
        unsigned n = operands(o);
        to[i] = i;
        p->uses[i] = 0;
        if (n > 0) {
            o->a = to[o->a];
            if (n > 1) {
                o->b = to[o->b];
                if (n > 2)
                    o->c = to[o->c];
            }
        }
        switch (o->op) {
        case ORYX_OP_ARGS:
            o->imm = (uint64_t)p->to[o->imm >> 32] << 32 | p->to[(uint32_t)o->imm];
            break;
        case ORYX_OP_INSN:
            p->locals = 0;
            to[i] = leaves;
            leaves = false;
            continue;
        case ORYX_OP_LABEL:
        case ORYX_OP_BLOCK:
            slots_forget(p);
            p->locals = 0;
            break;
        case ORYX_OP_PUT:
            if (slot_holds(p, o)) {
                *o = (oryx_ir_op){ .op = ORYX_OP_NOP };
                continue;
            }
            slots_drop(p, o->imm, oryx_type_size(o->type));
            slots_set(p, o->imm, o->type, o->a);
            break;
        case ORYX_OP_GET:
            forward_get(p, i);
            if (o->op != ORYX_OP_GET && o->op != ORYX_OP_NOP)
                rewrite(p, i);
            break;
        case ORYX_OP_LPUT:
            p->local[o->imm & 63] = o->a;
            p->locals |= (uint64_t)1 << (o->imm & 63);
            break;
        case ORYX_OP_LGET:
            if (p->locals >> (o->imm & 63) & 1)
                become(p, i, p->local[o->imm & 63]);
            break;
        case ORYX_OP_CALL:
            if (call_effects(p, o) & WRITES_STATE)
                slots_forget(p);
            break;
        case ORYX_OP_BRC:
            if (const_is(p, o->a, 0))
                *o = (oryx_ir_op){ .op = ORYX_OP_NOP };
            break;
        case ORYX_OP_GOTOC:
            if (is_const(p, o->a)) {
                bool taken = p->ops[o->a].imm != 0;
                *o = (oryx_ir_op){ .op = ORYX_OP_GOTO, .a = !taken, .imm = taken ? o->imm : (uint64_t)o->c << 32 | o->b };
            }
            break;
        default:
            /* Each rewriting shortens a chain or makes a constant; four see the end of any chain that lifting makes. */
            for (int k = 0; k < 4 && p->ops[i].op != ORYX_OP_NOP && rewrite(p, i); k++)
                ;
            break;
        }
        leaves |= (effects(p, o) & (CAN_FAULT | WRITES_MEM)) != 0;
        use(p, o, 1);
    }
}

/* --- backward ------------------------------------------------------------------------------------------------------------ */
static void drop(opt *p, oryx_val i)
{
    use(p, &p->ops[i], -1);
    p->ops[i] = (oryx_ir_op){ .op = ORYX_OP_NOP };
}

/* True when a later PUT, with nothing between that looks, covers this one; else it becomes such a PUT. */
static bool put_is_dead(opt *p, const oryx_ir_op *o)
{
    unsigned size = oryx_type_size(o->type);
    uint64_t granule = o->imm / 8;
    for (uint64_t g = granule && p->wide ? granule - 1 : granule; g <= granule; g++) {
        const slot *s = slot_at(p, g);
        if (s->stamp == p->stamp && s->offset <= o->imm && o->imm + size <= s->offset + s->size)
            return true;
    }
    slots_set(p, o->imm, o->type, 0);
    return false;
}

/* Join this SLOTADD with a later one of the same slot when both add constants of their own. */
static void join_slotadd(opt *p, oryx_val i, oryx_val later)
{
    oryx_ir_op *o = &p->ops[i], *l = &p->ops[later];
    if (l->imm != o->imm || !is_const(p, o->a) || !is_const(p, l->a) || o->a == l->a || p->uses[o->a] != 1)
        return;
    oryx_val added = l->a;
    p->ops[o->a].imm += p->ops[added].imm;
    drop(p, later);
    if (!p->uses[added])
        p->ops[added] = (oryx_ir_op){ .op = ORYX_OP_NOP };
}

/* --- regions: what the next blocks overwrite ------------------------------------------------------------------------------ */
static bool observes(const opt *p, const oryx_ir_op *o)
{
    return effects(p, o) & (CAN_FAULT | ENDS | READS_STATE | WRITES_MEM) || o->op == ORYX_OP_LABEL || o->op == ORYX_OP_BLOCK;
}

static void block_kills(opt *p, oryx_val first, kills *out)
{
    out->pc = p->ops[first].imm;
    if (p->ops[first].b & ORYX_BLOCK_CHECK)
        return; /* left at its start when the slice is used up: everything is seen there */
    uint64_t read[8];
    unsigned n_read = 0;
    for (oryx_val i = first + 1; i < p->ir->n && !observes(p, &p->ops[i]); i++) {
        const oryx_ir_op *o = &p->ops[i];
        bool seen = false;
        if (o->op == ORYX_OP_GET) {
            if (n_read == 8)
                return;
            read[n_read++] = o->imm << 8 | oryx_type_size(o->type);
        }
        if (o->op != ORYX_OP_PUT || out->n == G_N_ELEMENTS(out->k))
            continue;
        for (unsigned k = 0; k < n_read; k++)
            seen |= read[k] >> 8 < o->imm + oryx_type_size(o->type) && o->imm < (read[k] >> 8) + (read[k] & 255);
        if (!seen) {
            out->k[out->n].offset = (uint32_t)o->imm;
            out->k[out->n++].size = oryx_type_size(o->type);
        }
    }
}

static void find_kills(opt *p)
{
    if (p->ir->n < 2 || p->ops[1].op != ORYX_OP_BLOCK || !(p->kills = oryx__alloc(ORYX_REGION_BLOCKS * sizeof(*p->kills))))
        return;
    for (oryx_val i = 1; i < p->ir->n && p->n_kills < ORYX_REGION_BLOCKS; i++)
        if (p->ops[i].op == ORYX_OP_BLOCK)
            block_kills(p, i, &p->kills[p->n_kills++]);
}

static const kills *kills_of(const opt *p, uint64_t pc)
{
    for (uint32_t i = 0; i < p->n_kills; i++)
        if (p->kills[i].pc == pc)
            return &p->kills[i];
    return NULL;
}

static void slot_killed(opt *p, uint32_t offset, uint32_t size)
{
    p->wide |= offset % 8 + size > 8;
    *slot_at(p, offset / 8) = (slot){ .offset = offset, .stamp = p->stamp, .size = (uint8_t)size };
}

/* The end of a block in a region: begin with what both ways overwrite. leaves: the block is of those that stay in no region. */
static void end_kills(opt *p, const oryx_ir_op *o, bool leaves)
{
    if (leaves || (o->op != ORYX_OP_GOTO && o->op != ORYX_OP_GOTOC))
        return;
    const kills *a = kills_of(p, o->imm);
    const kills *b = o->op == ORYX_OP_GOTO ? a : kills_of(p, (uint64_t)o->c << 32 | o->b);
    for (uint32_t i = 0; a && b && i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++)
            if (a->k[i].offset == b->k[k].offset && a->k[i].size == b->k[k].size)
                slot_killed(p, a->k[i].offset, a->k[i].size);
}

/* Of a region: to[] of BLOCKs as of INSNs, and of ends: nothing of the region may follow, or is followed. */
static void region_marks(opt *p)
{
    bool stays = true;   /* the block may lead to others of the region */
    bool leaves = false; /* as in forward */
    for (oryx_val i = 1; i < p->ir->n; i++) {
        const oryx_ir_op *o = &p->ops[i];
        if (o->op == ORYX_OP_INSN || o->op == ORYX_OP_BLOCK) {
            p->to[i] = leaves;
            leaves = false;
            stays = o->op == ORYX_OP_BLOCK ? !(o->b & ORYX_BLOCK_LEAVES) : stays;
        } else if (op_effects[o->op] & ENDS) {
            p->to[i] = leaves || !stays;
        } else {
            leaves |= (effects(p, o) & (CAN_FAULT | WRITES_MEM)) != 0;
        }
    }
}

static void backward(opt *p)
{
    oryx_val slotadd[4] = { 0 };
    unsigned next = 0;
    uint32_t n = p->ir->n;
    if (p->kills)
        region_marks(p);
    p->locals = 0;
    slots_forget(p);
    for (oryx_val i = n - 1; i; i--) {
        oryx_ir_op *o = &p->ops[i];
        unsigned e = effects(p, o);
        bool look = e & (CAN_FAULT | ENDS | READS_STATE | LOOKS) || (o->op == ORYX_OP_INSN && p->to[i]);
        if (look) {
            slots_forget(p);
            memset(slotadd, 0, sizeof(slotadd));
            if (p->kills)
                end_kills(p, o, p->to[i]);
        }
        if (o->op == ORYX_OP_CALL) /* of a probe: it may look at the slots */
            memset(slotadd, 0, sizeof(slotadd));
        switch (o->op) {
        case ORYX_OP_NOP:
            break;
        case ORYX_OP_INSN:
        case ORYX_OP_BLOCK:
            p->locals = 0;
            break;
        case ORYX_OP_LABEL:
        case ORYX_OP_BR:
        case ORYX_OP_BRC:
            p->locals = ~(uint64_t)0;
            break;
        case ORYX_OP_PUT:
            if (put_is_dead(p, o))
                drop(p, i);
            break;
        case ORYX_OP_LPUT:
            if (!(p->locals >> (o->imm & 63) & 1))
                drop(p, i);
            else
                p->locals &= ~((uint64_t)1 << (o->imm & 63));
            break;
        case ORYX_OP_SLOTADD: {
            oryx_val *free_at = NULL;
            for (int k = 0; k < 4 && !free_at; k++)
                if (slotadd[k] && p->ops[slotadd[k]].imm == o->imm)
                    free_at = &slotadd[k];
            if (free_at)
                join_slotadd(p, i, *free_at);
            else
                free_at = &slotadd[next++ % 4];
            *free_at = i;
            break;
        }
        default:
            if (!p->uses[i] && e & PURE) {
                bool args = o->op == ORYX_OP_CALL && p->ops[i - 1].op == ORYX_OP_ARGS;
                drop(p, i);
                if (args)
                    drop(p, i - 1);
            } else if (o->op == ORYX_OP_GET) {
                slots_drop(p, o->imm, oryx_type_size(o->type));
            } else if (o->op == ORYX_OP_LGET) {
                p->locals |= (uint64_t)1 << (o->imm & 63);
            }
            break;
        }
    }
}

/* --- holes -------------------------------------------------------------------------------------------------------------- */
static void compact(opt *p)
{
    uint32_t n = 1, count = p->ir->n;
    oryx_val *to = p->to;
    to[0] = 0;
    for (oryx_val i = 1; i < count; i++) {
        const oryx_ir_op *from = &p->ops[i];
        if (from->op == ORYX_OP_NOP)
            continue;
        oryx_ir_op *o = &p->ops[n];
        unsigned k = operands(from);
        if (n != i)
            *o = *from;
        if (k > 0) {
            o->a = to[o->a];
            if (k > 1) {
                o->b = to[o->b];
                if (k > 2)
                    o->c = to[o->c];
            }
            if (o->op == ORYX_OP_ARGS)
                o->imm = (uint64_t)to[o->imm >> 32] << 32 | to[(uint32_t)o->imm];
        }
        to[i] = n++;
    }
    p->ir->n = n;
}

void oryx__ir_opt(oryx_ir *ir, oryx_machine *m)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, tables);
    opt p; /* the locals need no value */
    oryx_val room[2 * 1024];
    p.ir = ir;
    p.ops = ir->ops;
    p.m = m;
    p.stamp = 1;
    p.wide = false;
    p.locals = 0;
    p.kills = NULL;
    p.n_kills = 0;
    memset(p.slots, 0, sizeof p.slots);
    p.to = ir->n <= 1024 ? room : oryx__alloc(ir->n * (sizeof(*p.to) + sizeof(*p.uses)));
    if (!p.to)
        return; /* the block is right as it is */
    p.uses = p.to + ir->n;
    forward(&p);
    find_kills(&p);
    backward(&p);
    compact(&p);
    oryx__free(p.kills);
    if (p.to != room)
        oryx__free(p.to);
}
