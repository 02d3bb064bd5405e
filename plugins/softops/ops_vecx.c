/* Saturating, widening, narrowing and reducing ops; scalars and vectors.
 *
 * Called through H_OOL. The invariant: arithmetic is done in 128 bits and then saturated, so no step overflows. */
#include "vec.h"

/* v clamped to w bits; *sat is set when that changed it. */
static inline uint64_t clamp_s(s128 v, unsigned w, unsigned *sat)
{
    s128 max = ((s128)1 << (w - 1)) - 1, min = -max - 1;
    if (v > max || v < min) {
        *sat = 1;
        return (uint64_t)(v < 0 ? min : max);
    }
    return (uint64_t)v;
}

static inline uint64_t clamp_u(s128 v, unsigned w, unsigned *sat)
{
    s128 max = ((s128)1 << w) - 1;
    if (v > max || v < 0) {
        *sat = 1;
        return v < 0 ? 0 : (uint64_t)max;
    }
    return (uint64_t)v;
}

static inline uint64_t q_addsub(uint64_t x, uint64_t y, int64_t sx, int64_t sy, int sub, unsigned w, uint32_t imm,
                                unsigned *sticky)
{
    unsigned sat = 0;
    uint64_t r = imm & 1 ? clamp_s(sub ? (s128)sx - sy : (s128)sx + sy, w, &sat)
                         : clamp_u(sub ? (s128)x - y : (s128)x + y, w, &sat);
    *sticky |= sat & imm >> 1;
    return r;
}

static inline uint64_t q_shli(uint64_t x, int64_t sx, unsigned w, uint32_t imm, unsigned *sticky)
{
    unsigned sat = 0, n = imm & 63;
    s128 v = imm & 0x100 ? (s128)((u128)(s128)sx << n) : (s128)((u128)x << n);
    uint64_t r;
    if (!(imm & 0x100) && v < 0) { /* 64-bit source shifted by 63: bit 127 */
        sat = 1;
        r = ~0ull;
    } else {
        r = (imm & 0x100) && !(imm & 0x400) ? clamp_s(v, w, &sat) : clamp_u(v, w, &sat);
    }
    *sticky |= sat & imm >> 9;
    return r;
}

/* Shift of a signed or unsigned lane by a signed amount. */
static inline uint64_t v_shift(uint64_t x, int64_t sx, int8_t by, unsigned w, uint32_t imm, unsigned *sticky)
{
    s128 v = imm & 1 ? (s128)sx : (s128)x;
    if (by < 0) {
        unsigned n = (unsigned)-(int)by;
        if (n > w + 1)
            n = w + 1; /* everything beyond is sign, and half of it rounds to the same */
        if (imm & 4)
            v += (s128)1 << (n - 1);
        return (uint64_t)(v >> n);
    }
    if (!(imm & 8))
        return by >= (int)w ? 0 : (uint64_t)((u128)v << by);
    unsigned sat = 0;
    uint64_t r;
    if (v == 0) {
        r = 0;
    } else if (by >= (int)w || (!(imm & 1) && by && x >> (w - (unsigned)by))) {
        sat = 1;
        r = imm & 1 ? (uint64_t)(v < 0 ? -((s128)1 << (w - 1)) : ((s128)1 << (w - 1)) - 1) : ~0ull;
    } else {
        r = imm & 1 ? clamp_s((s128)((u128)v << by), w, &sat) : (uint64_t)((u128)v << by);
    }
    *sticky |= sat & imm >> 1;
    return r;
}

static inline uint64_t q_dmulh(int64_t x, int64_t y, unsigned w, uint32_t imm, unsigned *sticky)
{
    s128 min = -((s128)1 << (w - 1));
    if (x == min && y == min) { /* the only product that does not fit */
        *sticky |= imm >> 1 & 1;
        return (uint64_t)(-min - 1);
    }
    s128 v = 2 * ((s128)x * y);
    if (imm & 4)
        v += (s128)1 << (w - 1);
    return (uint64_t)(v >> w);
}

VEC3(QADD, q_addsub(x, y, (S)x, (S)y, 0, W, imm, &sat))
VEC3(QSUB, q_addsub(x, y, (S)x, (S)y, 1, W, imm, &sat))
VEC3(QSHLI, q_shli(x, (S)x, W, imm, &sat))
VEC3(VSHL, v_shift(x, (S)x, (int8_t)y, W, imm, &sat))
VEC3(QDMULH, q_dmulh((S)x, (S)y, W, imm, &sat))

/* --- widths that change: v128 to v128 ------------------------------------------------------------------------ */
#define WIDEF(w, ww)                                                                                                  \
    static void widen_##w(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                 \
    {                                                                                                                 \
        enum { N = 128 / ww };                                                                                        \
        uint##w##_t a[N];                                                                                             \
        uint##ww##_t d[N];                                                                                            \
        (void)cpu;                                                                                                    \
        memcpy(a, base + o->a + (o->c & 2 ? 8 : 0), 8);                                                               \
        for (unsigned i = 0; i < N; i++)                                                                              \
            d[i] = o->c & 1 ? (uint##ww##_t)(int##w##_t)a[i] : a[i];                                                  \
        memcpy(base + o->d, d, 16);                                                                                   \
    }                                                                                                                 \
    static void mulw_##w(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                  \
    {                                                                                                                 \
        enum { N = 128 / ww };                                                                                        \
        uint##w##_t a[N], b[N];                                                                                       \
        uint##ww##_t d[N];                                                                                            \
        int high = o->c & 2 ? 8 : 0;                                                                                  \
        (void)cpu;                                                                                                    \
        memcpy(a, base + o->a + high, 8);                                                                             \
        memcpy(b, base + o->b + high, 8);                                                                             \
        for (unsigned i = 0; i < N; i++)                                                                              \
            d[i] = o->c & 1 ? (uint##ww##_t)((int64_t)(int##w##_t)a[i] * (int##w##_t)b[i])                            \
                            : (uint##ww##_t)((uint64_t)a[i] * b[i]);                                                  \
        memcpy(base + o->d, d, 16);                                                                                   \
    }                                                                                                                 \
    static void narrow_##w(uint8_t *base, const iop *o, oryx_cpu *cpu)                                                \
    {                                                                                                                 \
        enum { N = 128 / ww };                                                                                        \
        uint##ww##_t a[N];                                                                                            \
        uint##w##_t d[2 * N] = { 0 };                                                                                 \
        unsigned sat = 0, mode = (unsigned)o->c >> 2 & 3;                                                             \
        memcpy(a, base + o->a, 16);                                                                                   \
        for (unsigned i = 0; i < N; i++)                                                                              \
            d[i] = (uint##w##_t)(mode == 0   ? a[i]                                                                   \
                                 : mode == 1 ? clamp_s((int##ww##_t)a[i], w, &sat)                                    \
                                 : mode == 2 ? clamp_u(a[i], w, &sat)                                                 \
                                             : clamp_u((int##ww##_t)a[i], w, &sat));                                  \
        memcpy(base + o->d, d, 16);                                                                                   \
        if (sat && (o->c & 2))                                                                                        \
            cpu->fp.flags |= ORYX_FPF_SATURATED;                                                                      \
    }
WIDEF(8, 16)
WIDEF(16, 32)
WIDEF(32, 64)
static const ool_fn t_widen[3] = { widen_8, widen_16, widen_32 };
static const ool_fn t_mulw[3] = { mulw_8, mulw_16, mulw_32 };
static const ool_fn t_narrow[3] = { narrow_8, narrow_16, narrow_32 };

static void pmulw_8(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    uint8_t a[8], b[8];
    uint16_t d[8] = { 0 };
    int high = o->c & 2 ? 8 : 0;
    (void)cpu;
    memcpy(a, base + o->a + high, 8);
    memcpy(b, base + o->b + high, 8);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned k = 0; k < 8; k++)
            d[i] = (uint16_t)(d[i] ^ (b[i] >> k & 1 ? a[i] << k : 0));
    memcpy(base + o->d, d, 16);
}

static void pmulw_64(uint8_t *base, const iop *o, oryx_cpu *cpu)
{
    int high = o->c & 2 ? 8 : 0;
    uint64_t b = R64(o->b + high);
    u128 a = R64(o->a + high), r = 0;
    (void)cpu;
    for (unsigned k = 0; k < 64; k++)
        r ^= b >> k & 1 ? a << k : 0;
    W64(o->d, (uint64_t)r);
    W64(o->d + 8, (uint64_t)(r >> 64));
}

/* --- all lanes to one --------------------------------------------------------------------------------------- */
#define REDUCEF(w, N, TAG)                                                                                            \
    static void reduce_##w##TAG(uint8_t *base, const iop *o, oryx_cpu *cpu)                                           \
    {                                                                                                                 \
        uint##w##_t a[N];                                                                                             \
        (void)cpu;                                                                                                    \
        memcpy(a, base + o->a, sizeof a);                                                                             \
        uint##w##_t r = a[0];                                                                                         \
        for (unsigned i = 1; i < N; i++) {                                                                            \
            int take;                                                                                                 \
            switch (o->c) {                                                                                           \
            case 0:                                                                                                   \
                r = (uint##w##_t)(r + a[i]);                                                                          \
                continue;                                                                                             \
            case 1:                                                                                                   \
                take = a[i] < r;                                                                                      \
                break;                                                                                                \
            case 2:                                                                                                   \
                take = (int##w##_t)a[i] < (int##w##_t)r;                                                              \
                break;                                                                                                \
            case 3:                                                                                                   \
                take = a[i] > r;                                                                                      \
                break;                                                                                                \
            default:                                                                                                  \
                take = (int##w##_t)a[i] > (int##w##_t)r;                                                              \
                break;                                                                                                \
            }                                                                                                         \
            if (take)                                                                                                 \
                r = a[i];                                                                                             \
        }                                                                                                             \
        W64(o->d, r);                                                                                                 \
    }
REDUCEF(8, 8, d) REDUCEF(8, 16, q) REDUCEF(16, 4, d) REDUCEF(16, 8, q) REDUCEF(32, 2, d) REDUCEF(32, 4, q)
REDUCEF(64, 1, d) REDUCEF(64, 2, q)
static const ool_fn t_reduce[4][2] = { { reduce_8d, reduce_8q }, { reduce_16d, reduce_16q }, { reduce_32d, reduce_32q },
                                       { reduce_64d, reduce_64q } };

ool_fn softop_select_vecx(const oryx_ir_op *op)
{
    int vec = op->type == ORYX_T_V64 || op->type == ORYX_T_V128;
    int n = op->type == ORYX_T_V128 ? 2 : op->type == ORYX_T_V64 ? 1 : 0;
    int k = vec ? lane_idx(op->lane) : op->type >= ORYX_T_I8 && op->type <= ORYX_T_I64 ? (int)op->type - ORYX_T_I8 : -1;
    if (k < 0)
        return NULL;
    switch (op->op) {
#define ROW(n_)                                                                                                       \
    case ORYX_OP_##n_:                                                                                                \
        return v_##n_[k][n];
        ROW(QADD) ROW(QSUB) ROW(QSHLI) ROW(VSHL) ROW(QDMULH)
#undef ROW
    default:
        break;
    }
    if (!vec)
        return NULL;
    switch (op->op) {
    case ORYX_OP_WIDEN:
        return k < 3 ? t_widen[k] : NULL;
    case ORYX_OP_NARROW:
        return k < 3 ? t_narrow[k] : NULL;
    case ORYX_OP_MULW:
        return k < 3 ? t_mulw[k] : NULL;
    case ORYX_OP_PMULW:
        return k == 0 ? pmulw_8 : k == 3 ? pmulw_64 : NULL;
    case ORYX_OP_REDUCE:
        return t_reduce[k][n - 1];
    default:
        return NULL;
    }
}
