/* Lane-wise vector ops: arithmetic, comparison, immediate shifts, permutations.
 *
 * Called through H_OOL. The invariant: operands are read before the result is written, so any places may coincide. */
#include "vec.h"

static unsigned leading(uint64_t v, unsigned w)
{
    return v ? (unsigned)__builtin_clzll(v) - (64 - w) : w;
}

static uint64_t reversed(uint64_t v, unsigned w)
{
    v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    v = (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
    return __builtin_bswap64(v) >> (64 - w);
}

#define SX(v) ((int64_t)(S)(v))
VEC(ADD, x + y)
VEC(SUB, x - y)
VEC(MUL, (uint64_t)x *y)
VEC(NEG, 0u - x)
VEC(CLZ, leading(x, W))
VEC(CLS, leading((U)(x ^ (U)(SX(x) >> 1)), W) - 1)
VEC(POPCNT, __builtin_popcountll(x))
VEC(BITREV, reversed(x, W))
VEC(ABS, (S)x < 0 ? 0u - x : x)
VEC(MINU, x < y ? x : y)
VEC(MINS, (S)x < (S)y ? x : y)
VEC(MAXU, x > y ? x : y)
VEC(MAXS, (S)x > (S)y ? x : y)
/* Halving through the identities a + b = 2(a & b) + (a ^ b) and a - b = (a ^ b) - 2(~a & b). */
VEC(HADDU, (x & y) + ((U)(x ^ y) >> 1) + ((imm >> 2 & 1) & (x ^ y)))
VEC(HADDS, (U)(x & y) + (U)((S)(x ^ y) >> 1) + (U)((imm >> 2 & 1) & (x ^ y)))
VEC(HSUBU, ((U)(x ^ y) >> 1) - (U)(~x & y))
VEC(HSUBS, (U)((S)(x ^ y) >> 1) - (U)(~x & y))
VEC(ABSDU, x > y ? x - y : y - x)
VEC(ABSDS, (S)x > (S)y ? x - y : y - x)
VEC(CEQ, x == y ? -1 : 0)
VEC(CNE, x != y ? -1 : 0)
VEC(CLTU, x < y ? -1 : 0)
VEC(CLEU, x <= y ? -1 : 0)
VEC(CLTS, (S)x < (S)y ? -1 : 0)
VEC(CLES, (S)x <= (S)y ? -1 : 0)
VEC(CGTU, x > y ? -1 : 0)
VEC(CGEU, x >= y ? -1 : 0)
VEC(CGTS, (S)x > (S)y ? -1 : 0)
VEC(CGES, (S)x >= (S)y ? -1 : 0)
VEC(CTST, (x & y) ? -1 : 0)
VEC(CTSTZ, (x & y) ? 0 : -1)
VEC(SHLI, (U)((uint64_t)x << (imm & 63)))
/* Shift by n, plus bit n - 1 when rounding: the same as adding half first, without a carry to lose. */
#define N8 (imm & 255)
#define RND (imm >> 8 & 1)
VEC(SHRI, N8 ? (N8 < W ? (uint64_t)x >> N8 : 0) + (RND ? (uint64_t)x >> (N8 - 1) & 1 : 0) : x)
VEC(SARI, N8 ? (uint64_t)(SX(x) >> (N8 < W ? N8 : W - 1)) + (RND ? (uint64_t)(SX(x) >> (N8 - 1)) & 1 : 0) : x)

static uint8_t carryless8(unsigned x, unsigned y)
{
    unsigned r = 0;
    for (unsigned i = 0; i < 8; i++)
        r ^= y >> i & 1 ? x << i : 0;
    return (uint8_t)r;
}
VF_D(PMUL, 8, carryless8(x, y))
VF_Q(PMUL, 8, carryless8(x, y))

/* Bitwise: lanes do not matter. */
VF_D(NOT, 64, ~x)
VF_Q(NOT, 64, ~x)
VF_D(AND, 64, x &y)
VF_Q(AND, 64, x &y)
VF_D(OR, 64, x | y)
VF_Q(OR, 64, x | y)
VF_D(XOR, 64, x ^ y)
VF_Q(XOR, 64, x ^ y)
VF_D(ANDN, 64, x & ~y)
VF_Q(ANDN, 64, x & ~y)
VF_D(ORN, 64, x | ~y)
VF_Q(ORN, 64, x | ~y)

static void bitsel_d(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    (void)cpu;
    W64(o->d, (R64(o->b) & R64(o->a)) | (R64(o->c) & ~R64(o->a)));
}

static void bitsel_q(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    uint64_t lo = (R64(o->b) & R64(o->a)) | (R64(o->c) & ~R64(o->a));
    uint64_t hi = (R64(o->b + 8) & R64(o->a + 8)) | (R64(o->c + 8) & ~R64(o->a + 8));
    (void)cpu;
    W64(o->d, lo);
    W64(o->d + 8, hi);
}

/* --- permutations: n lanes of w bits ----------------------------------------------------------------------- */
#define PF(NAME, w, N, TAG, EXPR)                                                                                     \
    static void NAME##_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                           \
    {                                                                                                                 \
        enum { n = N, W = w };                                                                                        \
        const uint32_t imm = (uint32_t)o->c;                                                                          \
        uint##w##_t a[n], b[n], d[n];                                                                                 \
        (void)cpu, (void)imm, (void)W;                                                                                \
        memcpy(a, base + o->a, sizeof a);                                                                             \
        memcpy(b, base + o->b, sizeof b);                                                                             \
        for (unsigned i = 0; i < n; i++)                                                                              \
            d[i] = EXPR;                                                                                              \
        memcpy(base + o->d, d, sizeof d);                                                                             \
    }
#define PERM(NAME, EXPR)                                                                                              \
    PF(NAME, 8, 8, d, EXPR)                                                                                           \
    PF(NAME, 8, 16, q, EXPR)                                                                                          \
    PF(NAME, 16, 4, d, EXPR)                                                                                          \
    PF(NAME, 16, 8, q, EXPR)                                                                                          \
    PF(NAME, 32, 2, d, EXPR)                                                                                          \
    PF(NAME, 32, 4, q, EXPR)                                                                                          \
    PF(NAME, 64, 1, d, EXPR)                                                                                          \
    PF(NAME, 64, 2, q, EXPR)                                                                                          \
    static const ool_fn v_##NAME[4][2] = { { NAME##_8d, NAME##_8q }, { NAME##_16d, NAME##_16q },                      \
                                           { NAME##_32d, NAME##_32q }, { NAME##_64d, NAME##_64q } };
#define PAIR(x, y) (i & 1 ? (y) : (x))
PERM(ZIP1, PAIR(a[i / 2], b[i / 2]))
PERM(ZIP2, PAIR(a[(n + i) / 2], b[(n + i) / 2]))
PERM(UZP1, 2 * i < n ? a[2 * i % n] : b[(2 * i - n) % n])
PERM(UZP2, 2 * i + 1 < n ? a[(2 * i + 1) % n] : b[(2 * i + 1 - n) % n])
PERM(TRN1, PAIR(a[i & ~1u], b[i & ~1u]))
PERM(TRN2, PAIR(a[(i | 1) % n], b[(i | 1) % n]))
PERM(VREV, a[imm > W ? (i & ~(imm / W - 1)) + (imm / W - 1 - (i & (imm / W - 1))) : i])

/* DUP reads one scalar only. */
#define DUPF(w, N, TAG)                                                                                               \
    static void dup_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                              \
    {                                                                                                                 \
        uint##w##_t v, d[N];                                                                                          \
        (void)cpu;                                                                                                    \
        memcpy(&v, base + o->a, sizeof v);                                                                            \
        for (unsigned i = 0; i < N; i++)                                                                              \
            d[i] = v;                                                                                                 \
        memcpy(base + o->d, d, sizeof d);                                                                             \
    }
DUPF(8, 8, d) DUPF(8, 16, q) DUPF(16, 4, d) DUPF(16, 8, q) DUPF(32, 2, d) DUPF(32, 4, q) DUPF(64, 1, d) DUPF(64, 2, q)
static const ool_fn v_dup[4][2] = { { dup_8d, dup_8q }, { dup_16d, dup_16q }, { dup_32d, dup_32q }, { dup_64d, dup_64q } };

/* VSET: a with lane imm replaced. */
#define VSETF(w, bytes, TAG)                                                                                          \
    static void vset_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                             \
    {                                                                                                                 \
        uint8_t d[bytes];                                                                                             \
        uint##w##_t v;                                                                                                \
        (void)cpu;                                                                                                    \
        memcpy(d, base + o->a, bytes);                                                                                \
        memcpy(&v, base + o->b, sizeof v);                                                                            \
        memcpy(d + ((unsigned)o->c * (w / 8) & (bytes - 1)), &v, sizeof v);                                           \
        memcpy(base + o->d, d, bytes);                                                                                \
    }
VSETF(8, 8, d) VSETF(8, 16, q) VSETF(16, 8, d) VSETF(16, 16, q) VSETF(32, 8, d) VSETF(32, 16, q) VSETF(64, 8, d)
VSETF(64, 16, q)
static const ool_fn v_vset[4][2] = { { vset_8d, vset_8q }, { vset_16d, vset_16q }, { vset_32d, vset_32q },
                                     { vset_64d, vset_64q } };

#define VEXTF(bytes, TAG)                                                                                             \
    static void vext_##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                \
    {                                                                                                                 \
        uint8_t v[2 * bytes];                                                                                         \
        unsigned from = (uint32_t)o->c <= bytes ? (uint32_t)o->c : bytes;                                             \
        (void)cpu;                                                                                                    \
        memcpy(v, base + o->a, bytes);                                                                                \
        memcpy(v + bytes, base + o->b, bytes);                                                                        \
        memcpy(base + o->d, v + from, bytes);                                                                         \
    }
VEXTF(8, d)
VEXTF(16, q)

#define TBLF(bytes, TAG)                                                                                              \
    static void tbl_##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                 \
    {                                                                                                                 \
        uint8_t table[16], at[bytes], d[bytes];                                                                       \
        (void)cpu;                                                                                                    \
        memcpy(table, base + o->a, 16);                                                                               \
        memcpy(at, base + o->b, bytes);                                                                               \
        for (unsigned i = 0; i < bytes; i++)                                                                          \
            d[i] = at[i] < 16 ? table[at[i] & 15] : 0;                                                                \
        memcpy(base + o->d, d, bytes);                                                                                \
    }
TBLF(8, d)
TBLF(16, q)

static void vcat(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    uint64_t lo = R64(o->a), hi = R64(o->b);
    (void)cpu;
    W64(o->d, lo);
    W64(o->d + 8, hi);
}

ool_fn softop_select_vec(const oryx_ir_op *op)
{
    int q = op->type == ORYX_T_V128, k = lane_idx(op->lane);
    switch (op->op) {
    case ORYX_OP_NOT:
        return q ? NOT_64q : NOT_64d;
    case ORYX_OP_AND:
        return q ? AND_64q : AND_64d;
    case ORYX_OP_OR:
        return q ? OR_64q : OR_64d;
    case ORYX_OP_XOR:
        return q ? XOR_64q : XOR_64d;
    case ORYX_OP_ANDN:
        return q ? ANDN_64q : ANDN_64d;
    case ORYX_OP_ORN:
        return q ? ORN_64q : ORN_64d;
    case ORYX_OP_BITSEL:
        return q ? bitsel_q : bitsel_d;
    case ORYX_OP_VEXT:
        return q ? vext_q : vext_d;
    case ORYX_OP_TBL:
        return q ? tbl_q : tbl_d;
    case ORYX_OP_VCAT:
        return vcat;
    default:
        break;
    }
    if (k < 0)
        return NULL;
    switch (op->op) {
#define ROW(n)                                                                                                        \
    case ORYX_OP_##n:                                                                                                 \
        return v_##n[k][q];
        ROW(ADD) ROW(SUB) ROW(MUL) ROW(NEG) ROW(CLZ) ROW(CLS) ROW(POPCNT) ROW(BITREV) ROW(ABS) ROW(MINU) ROW(MINS)
        ROW(MAXU) ROW(MAXS) ROW(SHLI) ROW(SHRI) ROW(SARI) ROW(ZIP1) ROW(ZIP2) ROW(UZP1) ROW(UZP2) ROW(TRN1) ROW(TRN2)
        ROW(VREV)
#undef ROW
    case ORYX_OP_DUP:
        return v_dup[k][q];
    case ORYX_OP_VSET:
        return v_vset[k][q];
    case ORYX_OP_PMUL:
        return k ? NULL : q ? PMUL_8q : PMUL_8d;
    case ORYX_OP_HADD:
        return op->imm & 1 ? v_HADDS[k][q] : v_HADDU[k][q];
    case ORYX_OP_HSUB:
        return op->imm & 1 ? v_HSUBS[k][q] : v_HSUBU[k][q];
    case ORYX_OP_ABSD:
        return op->imm & 1 ? v_ABSDS[k][q] : v_ABSDU[k][q];
    case ORYX_OP_VCMP:
        switch (op->imm) {
#define CC(n)                                                                                                         \
    case ORYX_CC_##n:                                                                                                 \
        return v_C##n[k][q];
            CC(EQ) CC(NE) CC(LTU) CC(LEU) CC(GTU) CC(GEU) CC(LTS) CC(LES) CC(GTS) CC(GES) CC(TST) CC(TSTZ)
#undef CC
        default:
            return NULL;
        }
    default:
        return NULL;
    }
}
