/* Constant folding: the result of one integer or flag op whose operands are known.
 *
 * ir_opt.c calls it. Invariant: results are cut to the op's type, as a CONST's immediate must be; an op without a rule
 * here is simply not folded. */
#include "ir_opt.h"

static int64_t sign(uint64_t v, unsigned bits)
{
    return bits >= 64 ? (int64_t)v : (int64_t)(v << (64 - bits)) >> (64 - bits);
}

static bool compare(unsigned cc, uint64_t a, uint64_t b, unsigned w)
{
    int64_t sa = sign(a, w), sb = sign(b, w);
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

static uint64_t reverse(uint64_t v, unsigned w)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < w; i++)
        r |= (v >> i & 1) << (w - 1 - i);
    return r;
}

static uint64_t divide(unsigned op, uint64_t a, uint64_t b, unsigned w)
{
    int64_t sa = sign(a, w), sb = sign(b, w);
    switch (op) {
    case ORYX_OP_DIVU:
        return b ? a / b : 0;
    case ORYX_OP_REMU:
        return b ? a % b : a;
    case ORYX_OP_DIVS:
        return !b ? 0 : sb == -1 ? 0 - a : (uint64_t)(sa / sb);
    default:
        return !b ? a : sb == -1 ? 0 : (uint64_t)(sa % sb);
    }
}

bool oryx__ir_fold(const oryx_ir_op *o, uint64_t a, uint64_t b, uint64_t c, uint64_t *out)
{
    unsigned w = oryx__bits(o->type), lw = oryx__bits(o->lane);
    unsigned pos = (unsigned)(o->imm & 255), len = (unsigned)(o->imm >> 8 & 255);
    __extension__ typedef unsigned __int128 u128;
    __extension__ typedef __int128 s128;
    uint64_t r;
    switch (o->op) {
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
        r = (uint64_t)(((u128)a * b) >> w);
        break;
    case ORYX_OP_MULHS:
        r = (uint64_t)(((s128)sign(a, w) * sign(b, w)) >> w);
        break;
    case ORYX_OP_DIVU:
    case ORYX_OP_DIVS:
    case ORYX_OP_REMU:
    case ORYX_OP_REMS:
        r = divide(o->op, a, b, w);
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
        r = a << (b & (w - 1));
        break;
    case ORYX_OP_SHR:
        r = a >> (b & (w - 1));
        break;
    case ORYX_OP_SAR:
        r = (uint64_t)(sign(a, w) >> (b & (w - 1)));
        break;
    case ORYX_OP_ROR:
        b &= w - 1;
        r = b ? a >> b | a << (w - b) : a;
        break;
    case ORYX_OP_CLZ:
        r = a ? (unsigned)__builtin_clzll(a) - (64 - w) : w;
        break;
    case ORYX_OP_CTZ:
        r = a ? (unsigned)__builtin_ctzll(a) : w;
        break;
    case ORYX_OP_CLS: {
        uint64_t x = (uint64_t)sign(a, w);
        x ^= x << 1;
        r = (unsigned)__builtin_clzll(x | 1) - (64 - w);
        break;
    }
    case ORYX_OP_POPCNT:
        r = (unsigned)__builtin_popcountll(a);
        break;
    case ORYX_OP_BSWAP:
        r = __builtin_bswap64(a) >> (64 - w);
        break;
    case ORYX_OP_BITREV:
        r = reverse(a, w);
        break;
    case ORYX_OP_ABS:
        r = sign(a, w) < 0 ? 0 - a : a;
        break;
    case ORYX_OP_MINU:
        r = MIN(a, b);
        break;
    case ORYX_OP_MAXU:
        r = MAX(a, b);
        break;
    case ORYX_OP_MINS:
        r = sign(a, w) < sign(b, w) ? a : b;
        break;
    case ORYX_OP_MAXS:
        r = sign(a, w) > sign(b, w) ? a : b;
        break;
    case ORYX_OP_ZEXT:
    case ORYX_OP_TRUNC:
        r = a;
        break;
    case ORYX_OP_BITCAST:
        if (lw > 64)
            return false;
        r = a;
        break;
    case ORYX_OP_SEXT:
        r = (uint64_t)sign(a, lw);
        break;
    case ORYX_OP_UBFX:
        r = a >> pos & oryx__mask(len);
        break;
    case ORYX_OP_SBFX:
        r = (uint64_t)sign(a >> pos, len);
        break;
    case ORYX_OP_BFI:
        r = (a & ~(oryx__mask(len) << pos)) | (b & oryx__mask(len)) << pos;
        break;
    case ORYX_OP_FUNNEL:
        r = (uint64_t)(((u128)a << w | b) >> o->imm);
        break;
    case ORYX_OP_CMP:
        r = compare((unsigned)o->imm, a, b, lw);
        break;
    case ORYX_OP_SELECT:
        r = a ? b : c;
        break;
    default:
        return false;
    }
    *out = r & oryx__mask(w);
    return true;
}
