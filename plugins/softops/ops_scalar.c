/* Scalar integer ops without a handler of their own in run.c, every width.
 *
 * Called through H_OOL. The invariant: results are zero-extended to 8 bytes; oryx_ir.def defines every input. */
#include "softops.h"

/* Index by integer type: 0..3 for i8..i64. */
static int idx(unsigned type)
{
    return type >= ORYX_T_I8 && type <= ORYX_T_I64 ? (int)type - ORYX_T_I8 : -1;
}

#define ONE(NAME, w, EXPR)                                                                                            \
    static void NAME##_##w(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                \
    {                                                                                                                 \
        typedef uint##w##_t U;                                                                                        \
        typedef int##w##_t S;                                                                                         \
        enum { W = w };                                                                                               \
        const uint64_t a = R##w(o->a), b = R##w(o->b);                                                                \
        const uint32_t imm = (uint32_t)o->c;                                                                          \
        (void)cpu, (void)b, (void)imm, (void)(U)0, (void)(S)0;                                                        \
        W64(o->d, (U)(EXPR));                                                                                         \
    }
#define FOUR(NAME, EXPR)                                                                                              \
    ONE(NAME, 8, EXPR)                                                                                                \
    ONE(NAME, 16, EXPR)                                                                                               \
    ONE(NAME, 32, EXPR)                                                                                               \
    ONE(NAME, 64, EXPR)                                                                                               \
    static const ool_fn t_##NAME[4] = { NAME##_8, NAME##_16, NAME##_32, NAME##_64 };

static unsigned leading(uint64_t v, unsigned w)
{
    return v ? (unsigned)__builtin_clzll(v) - (64 - w) : w;
}

static uint64_t reversed(uint64_t v, unsigned w)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < w; i++)
        r |= (v >> i & 1) << (w - 1 - i);
    return r;
}

static uint64_t ones(unsigned n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

static int64_t divs(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

#define SX(v) ((int64_t)(S)(v))
FOUR(ADD, a + b)
FOUR(SUB, a - b)
FOUR(MUL, a *b)
FOUR(MULHU, (u128)a *b >> W)
FOUR(MULHS, (s128)SX(a) * SX(b) >> W)
FOUR(DIVU, b ? a / b : 0)
FOUR(DIVS, divs(SX(a), SX(b)))
FOUR(REMU, b ? a % b : a)
FOUR(REMS, a - (uint64_t)divs(SX(a), SX(b)) * b)
FOUR(NEG, 0 - a)
FOUR(NOT, ~a)
FOUR(AND, a &b)
FOUR(OR, a | b)
FOUR(XOR, a ^ b)
FOUR(ANDN, a & ~b)
FOUR(ORN, a | ~b)
FOUR(SHL, a << (b & (W - 1)))
FOUR(SHR, a >> (b & (W - 1)))
FOUR(SAR, SX(a) >> (b & (W - 1)))
FOUR(ROR, a >> (b & (W - 1)) | a << ((W - (b & (W - 1))) & (W - 1)))
FOUR(CLZ, leading(a, W))
FOUR(CLS, leading((U)(a ^ (uint64_t)(SX(a) >> 1)), W) - 1)
FOUR(CTZ, a ? __builtin_ctzll(a) : W)
FOUR(POPCNT, __builtin_popcountll(a))
FOUR(BSWAP, __builtin_bswap64(a) >> (64 - W))
FOUR(BITREV, reversed(a, W))
FOUR(ABS, SX(a) < 0 ? 0 - a : a)
FOUR(MINU, a < b ? a : b)
FOUR(MINS, SX(a) < SX(b) ? a : b)
FOUR(MAXU, a > b ? a : b)
FOUR(MAXS, SX(a) > SX(b) ? a : b)
FOUR(UBFX, a >> (imm & 63) & ones(imm >> 8 & 255))
FOUR(SBFX, (int64_t)(a >> (imm & 63) << (64 - (imm >> 8 & 127))) >> (64 - (imm >> 8 & 127)))
FOUR(BFI, (a & ~(ones(imm >> 8 & 255) << (imm & 63))) | (b & ones(imm >> 8 & 255)) << (imm & 63))
FOUR(FUNNEL, ((u128)a << W | b) >> (imm & (W - 1)))

/* Comparison of narrow lanes; an i1 is one signed bit. */
static int compare(unsigned cc, uint64_t a, uint64_t b, unsigned w)
{
    int64_t sa = (int64_t)(a << (64 - w)) >> (64 - w), sb = (int64_t)(b << (64 - w)) >> (64 - w);
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

static void cmp1(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    (void)cpu;
    W64(o->d, compare((unsigned)o->c, R8(o->a) & 1, R8(o->b) & 1, 1));
}

FOUR(CMP, compare(imm, a, b, W))

#define FL(kind)                                                                                                      \
    static void fl_##kind##_8(uint8_t *base, const iop *o, oryx_cpu *cpu)                                             \
    {                                                                                                                 \
        (void)cpu;                                                                                                    \
        W32(o->d, softop_flags(ORYX_FL_##kind, 8, R8(o->a), R8(o->b), R8(o->c) & 1));                                 \
    }                                                                                                                 \
    static void fl_##kind##_16(uint8_t *base, const iop *o, oryx_cpu *cpu)                                            \
    {                                                                                                                 \
        (void)cpu;                                                                                                    \
        W32(o->d, softop_flags(ORYX_FL_##kind, 16, R16(o->a), R16(o->b), R8(o->c) & 1));                              \
    }
FL_KINDS(FL)
static const ool_fn t_flmake[][2] = {
#define ROW(kind) { fl_##kind##_8, fl_##kind##_16 },
    FL_KINDS(ROW)
#undef ROW
};

static void flunpack(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    (void)cpu;
    W32(o->d, R32(o->a) & (ORYX_FLAG_C | ORYX_FLAG_P | ORYX_FLAG_A | ORYX_FLAG_Z | ORYX_FLAG_S | ORYX_FLAG_O));
}

ool_fn softop_select_scalar(const oryx_ir_op *op)
{
    int k = idx(op->type);
    if (op->op == ORYX_OP_FLUNPACK)
        return flunpack;
    if (op->op == ORYX_OP_FLMAKE)
        return op->lane == ORYX_T_I8 || op->lane == ORYX_T_I16
                   ? op->imm <= ORYX_FL_LOGIC ? t_flmake[op->imm][op->lane - ORYX_T_I8] : NULL
                   : NULL;
    if (op->op == ORYX_OP_CMP)
        return op->imm > ORYX_CC_TSTZ ? NULL : op->lane == ORYX_T_I1 ? cmp1 : idx(op->lane) < 0 ? NULL : t_CMP[idx(op->lane)];
    if (k < 0)
        return NULL;
    switch (op->op) {
#define ROW(n)                                                                                                        \
    case ORYX_OP_##n:                                                                                                 \
        return t_##n[k];
        ROW(ADD) ROW(SUB) ROW(MUL) ROW(MULHU) ROW(MULHS) ROW(DIVU) ROW(DIVS) ROW(REMU) ROW(REMS) ROW(NEG) ROW(NOT)
        ROW(AND) ROW(OR) ROW(XOR) ROW(ANDN) ROW(ORN) ROW(SHL) ROW(SHR) ROW(SAR) ROW(ROR) ROW(CLZ) ROW(CLS) ROW(CTZ)
        ROW(POPCNT) ROW(BSWAP) ROW(BITREV) ROW(ABS) ROW(MINU) ROW(MINS) ROW(MAXU) ROW(MAXS) ROW(UBFX) ROW(SBFX)
        ROW(BFI) ROW(FUNNEL)
#undef ROW
    default:
        return NULL;
    }
}
