/* A second, deliberately plain evaluator of the integer part of the IR, written from oryx_ir.def alone: the oracle for the
 * simplifier's property test and, wrapped as the engine "toy-eval", for the run loop's tests. Ops it lacks end with
 * MINI_UNKNOWN. */
#ifndef MINI_EVAL_H
#define MINI_EVAL_H

#include <string.h>

#include "oryx.h"

enum { MINI_GOTO, MINI_GOTOI, MINI_RESYNC, MINI_RAISE, MINI_FAULT, MINI_STALE, MINI_UNKNOWN };

typedef struct mini {
    /* in */
    const oryx_ir_op *ops;
    uint32_t n;
    uint64_t *val; /* n values */
    uint8_t *state;
    uint64_t *slots;
    void *opaque;
    int (*load)(void *opaque, uint64_t addr, uint32_t memop, uint64_t *out);       /* non-zero: fault */
    int (*store)(void *opaque, uint64_t addr, uint32_t memop, uint64_t v);
    int (*call)(void *opaque, const oryx_ir_op *op, const uint64_t *args, uint64_t *out);
    int (*stale)(void *opaque); /* asked at each INSN; may be NULL */
    void (*setmode)(void *opaque, uint64_t mode);
    /* out */
    uint64_t pc;          /* next, or of the instruction that faulted or raised (RAISE: as the op says) */
    uint64_t insn_pc;
    uint32_t insns;       /* INSN ops passed, the current one included */
    uint32_t slot, exc;
    uint64_t syndrome;
    uint64_t local[64];
} mini;

static inline unsigned mini_bits(unsigned t)
{
    switch (t) {
    case ORYX_T_I1:
        return 1;
    case ORYX_T_I8:
        return 8;
    case ORYX_T_I16:
        return 16;
    case ORYX_T_I32:
    case ORYX_T_FL:
    case ORYX_T_F32:
        return 32;
    default:
        return 64;
    }
}

static inline uint64_t mini_cut(uint64_t v, unsigned bits)
{
    return bits >= 64 ? v : v & ((1ull << bits) - 1);
}

static inline int64_t mini_sx(uint64_t v, unsigned bits)
{
    if (bits >= 64)
        return (int64_t)v;
    uint64_t sign = 1ull << (bits - 1);
    return (int64_t)((mini_cut(v, bits) ^ sign) - sign);
}

static inline int mini_cmp(unsigned cc, uint64_t a, uint64_t b, unsigned w)
{
    int64_t sa = mini_sx(a, w), sb = mini_sx(b, w);
    switch (cc) {
    case ORYX_CC_EQ:
        return a == b;
    case ORYX_CC_NE:
        return a != b;
    case ORYX_CC_LTU:
        return a < b;
    case ORYX_CC_LEU:
        return a <= b;
    case ORYX_CC_GTU:
        return a > b;
    case ORYX_CC_GEU:
        return a >= b;
    case ORYX_CC_LTS:
        return sa < sb;
    case ORYX_CC_LES:
        return sa <= sb;
    case ORYX_CC_GTS:
        return sa > sb;
    case ORYX_CC_GES:
        return sa >= sb;
    case ORYX_CC_TST:
        return (a & b) != 0;
    default:
        return (a & b) == 0;
    }
}

/* Packed flags by adding bit by bit: slow, and nothing to get wrong. */
static inline uint32_t mini_flags(unsigned kind, uint64_t a, uint64_t b, unsigned c, unsigned w)
{
    uint32_t f = 0;
    uint64_t r = 0;
    if (kind == ORYX_FL_LOGIC) {
        r = a;
    } else {
        int sub = kind == ORYX_FL_SUB || kind == ORYX_FL_SBC || kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC;
        unsigned carry = kind == ORYX_FL_ADD ? 0 : kind == ORYX_FL_ADC || kind == ORYX_FL_SBCC ? c : kind == ORYX_FL_SBC ? !c : 1;
        unsigned half = 0, into_top = 0;
        for (unsigned i = 0; i < w; i++) {
            unsigned x = a >> i & 1, y = (b >> i & 1) ^ (unsigned)sub, s = x + y + carry;
            r |= (uint64_t)(s & 1) << i;
            if (i == w - 1)
                into_top = carry;
            carry = s >> 1;
            if (i == 3)
                half = carry;
        }
        if (into_top != carry)
            f |= ORYX_FLAG_O;
        if (sub ? !half : half)
            f |= ORYX_FLAG_A;
        if (kind == ORYX_FL_SUB || kind == ORYX_FL_SBC ? !carry : carry)
            f |= ORYX_FLAG_C;
    }
    if (r == 0)
        f |= ORYX_FLAG_Z;
    if (r >> (w - 1) & 1)
        f |= ORYX_FLAG_S;
    unsigned ones = 0;
    for (unsigned i = 0; i < 8; i++)
        ones += r >> i & 1;
    if (!(ones & 1))
        f |= ORYX_FLAG_P;
    return f;
}

static inline unsigned mini_cond(unsigned cond, uint32_t f)
{
    unsigned z = !!(f & ORYX_FLAG_Z), c = !!(f & ORYX_FLAG_C), s = !!(f & ORYX_FLAG_S), o = !!(f & ORYX_FLAG_O),
             p = !!(f & ORYX_FLAG_P), r = 0;
    switch (cond & ~1u) {
    case ORYX_FC_Z:
        r = z;
        break;
    case ORYX_FC_C:
        r = c;
        break;
    case ORYX_FC_S:
        r = s;
        break;
    case ORYX_FC_O:
        r = o;
        break;
    case ORYX_FC_HI:
        r = c && !z;
        break;
    case ORYX_FC_GE:
        r = s == o;
        break;
    case ORYX_FC_GT:
        r = s == o && !z;
        break;
    case ORYX_FC_A:
        r = !c && !z;
        break;
    default:
        r = p;
        break;
    }
    return r ^ (cond & 1);
}

/* One value op. Non-zero: not one of ours. */
static inline int mini_value(const oryx_ir_op *o, const uint64_t *val, uint64_t *out)
{
    unsigned w = mini_bits(o->type), lw = mini_bits(o->lane);
    uint64_t a = val[o->a], b = 0, r = 0;
    unsigned pos = (unsigned)(o->imm & 255), len = (unsigned)(o->imm >> 8 & 255);
    if (o->op != ORYX_OP_VCONST)
        b = val[o->b];
    switch (o->op) {
    case ORYX_OP_CONST:
        r = o->imm;
        break;
    case ORYX_OP_ADD:
        r = a + b;
        break;
    case ORYX_OP_SUB:
        r = a - b;
        break;
    case ORYX_OP_MUL:
        r = a * b;
        break;
    case ORYX_OP_MULHU:
        r = (uint64_t)((unsigned __int128)a * b >> w);
        break;
    case ORYX_OP_MULHS:
        r = (uint64_t)((__int128)mini_sx(a, w) * mini_sx(b, w) >> w);
        break;
    case ORYX_OP_DIVU:
        r = b ? a / b : 0;
        break;
    case ORYX_OP_DIVS:
        r = b ? (uint64_t)((__int128)mini_sx(a, w) / mini_sx(b, w)) : 0;
        break;
    case ORYX_OP_REMU:
        r = b ? a % b : a;
        break;
    case ORYX_OP_REMS:
        r = b ? (uint64_t)((__int128)mini_sx(a, w) % mini_sx(b, w)) : a;
        break;
    case ORYX_OP_NEG:
        r = 0 - a;
        break;
    case ORYX_OP_NOT:
        r = ~a;
        break;
    case ORYX_OP_AND:
        r = a & b;
        break;
    case ORYX_OP_OR:
        r = a | b;
        break;
    case ORYX_OP_XOR:
        r = a ^ b;
        break;
    case ORYX_OP_ANDN:
        r = a & ~b;
        break;
    case ORYX_OP_ORN:
        r = a | ~b;
        break;
    case ORYX_OP_SHL:
        r = a << (b % w);
        break;
    case ORYX_OP_SHR:
        r = a >> (b % w);
        break;
    case ORYX_OP_SAR:
        r = (uint64_t)(mini_sx(a, w) >> (b % w));
        break;
    case ORYX_OP_ROR:
        for (r = a, b %= w; b; b--)
            r = r >> 1 | (r & 1) << (w - 1);
        break;
    case ORYX_OP_CLZ:
        for (r = 0; r < w && !(a >> (w - 1 - r) & 1);)
            r++;
        break;
    case ORYX_OP_CLS:
        for (r = 0; r < w - 1 && (a >> (w - 2 - r) & 1) == (a >> (w - 1) & 1);)
            r++;
        break;
    case ORYX_OP_CTZ:
        for (r = 0; r < w && !(a >> r & 1);)
            r++;
        break;
    case ORYX_OP_POPCNT:
        for (unsigned i = 0; i < w; i++)
            r += a >> i & 1;
        break;
    case ORYX_OP_BSWAP:
        for (unsigned i = 0; i < w; i += 8)
            r |= (a >> i & 255) << (w - 8 - i);
        break;
    case ORYX_OP_BITREV:
        for (unsigned i = 0; i < w; i++)
            r |= (a >> i & 1) << (w - 1 - i);
        break;
    case ORYX_OP_ABS:
        r = mini_sx(a, w) < 0 ? 0 - a : a;
        break;
    case ORYX_OP_MINU:
        r = a < b ? a : b;
        break;
    case ORYX_OP_MAXU:
        r = a > b ? a : b;
        break;
    case ORYX_OP_MINS:
        r = mini_sx(a, w) < mini_sx(b, w) ? a : b;
        break;
    case ORYX_OP_MAXS:
        r = mini_sx(a, w) > mini_sx(b, w) ? a : b;
        break;
    case ORYX_OP_ZEXT:
    case ORYX_OP_TRUNC:
    case ORYX_OP_BITCAST:
        r = a;
        break;
    case ORYX_OP_SEXT:
        r = (uint64_t)mini_sx(a, lw);
        break;
    case ORYX_OP_UBFX:
        r = mini_cut(a >> pos, len);
        break;
    case ORYX_OP_SBFX:
        r = (uint64_t)mini_sx(a >> pos, len);
        break;
    case ORYX_OP_BFI:
        r = (a & ~(mini_cut(~0ull, len) << pos)) | mini_cut(b, len) << pos;
        break;
    case ORYX_OP_FUNNEL:
        r = (uint64_t)(((unsigned __int128)a << w | b) >> o->imm);
        break;
    case ORYX_OP_CMP:
        r = (uint64_t)mini_cmp((unsigned)o->imm, a, b, lw);
        break;
    case ORYX_OP_SELECT:
        r = a ? b : val[o->c];
        break;
    case ORYX_OP_FLMAKE:
        r = mini_flags((unsigned)o->imm, a, b, (unsigned)val[o->c], lw);
        break;
    case ORYX_OP_FLCOND:
        r = mini_cond((unsigned)o->imm, (uint32_t)a);
        break;
    case ORYX_OP_FLPACK:
    case ORYX_OP_FLUNPACK:
        r = a & 0x1d5;
        break;
    default:
        return 1;
    }
    *out = mini_cut(r, o->op == ORYX_OP_FLUNPACK || o->op == ORYX_OP_FLMAKE ? 32 : w);
    return 0;
}

static inline uint32_t mini_find_label(const mini *m, uint64_t label)
{
    for (uint32_t i = 1; i < m->n; i++)
        if (m->ops[i].op == ORYX_OP_LABEL && m->ops[i].imm == label)
            return i;
    return 0;
}

static inline int mini_run(mini *m)
{
    uint32_t args_at = 0;
    m->insns = 0;
    for (uint32_t i = 1, steps = 0; i < m->n; i++) {
        const oryx_ir_op *o = &m->ops[i];
        uint64_t *v = m->val, pair = (uint64_t)o->c << 32 | o->b;
        unsigned size = oryx_type_size(o->type);
        uint64_t args[8];
        v[i] = 0;
        if (++steps > 100000)
            return MINI_UNKNOWN;
        switch (o->op) {
        case ORYX_OP_NOP:
        case ORYX_OP_LABEL:
        case ORYX_OP_FENCE:
            break;
        case ORYX_OP_ARGS:
            args_at = i;
            break;
        case ORYX_OP_INSN:
            if (m->insns && m->stale && m->stale(m->opaque)) {
                m->pc = o->imm;
                return MINI_STALE;
            }
            m->insns++;
            m->insn_pc = o->imm;
            memset(m->local, 0, sizeof(m->local));
            break;
        case ORYX_OP_BRC:
            if (!v[o->a])
                break;
            /* fall through */
        case ORYX_OP_BR:
            i = mini_find_label(m, o->imm);
            if (!i)
                return MINI_UNKNOWN;
            break;
        case ORYX_OP_GET:
            memcpy(&v[i], m->state + o->imm, size);
            if (o->type == ORYX_T_I1)
                v[i] &= 1;
            break;
        case ORYX_OP_PUT:
            memcpy(m->state + o->imm, &v[o->a], size);
            break;
        case ORYX_OP_LGET:
            v[i] = m->local[o->imm];
            break;
        case ORYX_OP_LPUT:
            m->local[o->imm] = v[o->a];
            break;
        case ORYX_OP_SETMODE:
            if (m->setmode)
                m->setmode(m->opaque, v[o->a]);
            break;
        case ORYX_OP_SLOTADD:
            m->slots[o->imm] += v[o->a];
            break;
        case ORYX_OP_LOAD:
            m->pc = m->insn_pc;
            if (m->load(m->opaque, v[o->a], (uint32_t)o->imm, &v[i]))
                return MINI_FAULT;
            if (o->imm & ORYX_MO_SIGN)
                v[i] = (uint64_t)mini_sx(v[i], 8u << ORYX_MO_SIZE(o->imm));
            v[i] = mini_cut(v[i], mini_bits(o->type));
            break;
        case ORYX_OP_STORE:
            m->pc = m->insn_pc;
            if (m->store(m->opaque, v[o->a], (uint32_t)o->imm, v[o->b]))
                return MINI_FAULT;
            break;
        case ORYX_OP_CALL: {
            const oryx_ir_op *x = args_at == i - 1 ? &m->ops[args_at] : NULL;
            uint32_t at[8] = { o->a, o->b, o->c, x ? x->a : 0, x ? x->b : 0, x ? x->c : 0, x ? (uint32_t)x->imm : 0,
                               x ? (uint32_t)(x->imm >> 32) : 0 };
            for (int k = 0; k < 8; k++)
                args[k] = at[k] ? v[at[k]] : 0;
            m->pc = m->insn_pc;
            if (!m->call)
                return MINI_UNKNOWN;
            if (m->call(m->opaque, o, args, &v[i]))
                return MINI_FAULT;
            break;
        }
        case ORYX_OP_GOTO:
            m->pc = o->imm;
            m->slot = o->a;
            return MINI_GOTO;
        case ORYX_OP_GOTOC:
            m->pc = v[o->a] ? o->imm : pair;
            m->slot = v[o->a] ? 0 : 1;
            return MINI_GOTO;
        case ORYX_OP_GOTOI:
            m->pc = v[o->a];
            return MINI_GOTOI;
        case ORYX_OP_RESYNC:
            m->pc = o->imm;
            return MINI_RESYNC;
        case ORYX_OP_RAISE:
            m->pc = pair;
            m->exc = (uint32_t)(o->imm & 65535);
            m->syndrome = v[o->a];
            return MINI_RAISE;
        default:
            if (mini_value(o, v, &v[i]))
                return MINI_UNKNOWN;
            break;
        }
    }
    return MINI_UNKNOWN;
}

#endif
