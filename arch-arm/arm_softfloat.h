/* Exact binary floating point on integers, for the helper files: unpack, round once, pack; lanes of
 * a vector (DDI 0487, J1.3 shared/functions/float).
 *
 * Included by arm_fpop.c and the helper files of both frontends. Invariant: cpu->fp is obeyed as the
 * pseudocode obeys FPCR, and its sticky flags are only ever added to. */
#ifndef ARM_SOFTFLOAT_H
#define ARM_SOFTFLOAT_H

#include "oryx.h"

typedef unsigned __int128 u128;

enum { ROUND_ODD = 16 }; /* beside ORYX_RM_* */

/* A format by z: 1 half, 2 single, 3 double. */
typedef struct format {
    unsigned size, frac, bias;
    uint64_t exp_max; /* the exponent field of infinity */
} format;

static const format formats[4] = {
    { 0, 0, 0, 0 },
    { 16, 10, 15, 0x1f },
    { 32, 23, 127, 0xff },
    { 64, 52, 1023, 0x7ff },
};

enum { ZERO, FINITE, INFINITE, QNAN, SNAN };

/* value = mant / 2^52 * 2^exp with 1 <= mant / 2^52 < 2 when FINITE, whatever the format. */
typedef struct number {
    unsigned kind, sign;
    int exp;
    uint64_t mant;
} number;

static inline uint64_t pack(const format *fmt, unsigned sign, uint64_t exp, uint64_t frac)
{
    return (uint64_t)sign << (fmt->size - 1) | exp << fmt->frac | frac;
}

/* FPUnpack. A flushed half raises no flag. */
static inline number unpack(oryx_fpenv *fp, const format *fmt, uint64_t v)
{
    number x = { ZERO, (unsigned)(v >> (fmt->size - 1) & 1), 0, 0 };
    uint64_t exp = v >> fmt->frac & fmt->exp_max, frac = v & ((UINT64_C(1) << fmt->frac) - 1);
    if (exp == fmt->exp_max) {
        x.kind = !frac ? INFINITE : frac >> (fmt->frac - 1) ? QNAN : SNAN;
    } else if (exp) {
        x.kind = FINITE;
        x.exp = (int)exp - (int)fmt->bias;
        x.mant = (frac | UINT64_C(1) << fmt->frac) << (52 - fmt->frac);
    } else if (frac && fp->flush_in) {
        fp->flags |= fmt->size > 16 ? ORYX_FPF_DENORMAL : 0;
    } else if (frac) {
        unsigned shift = (unsigned)__builtin_clzll(frac) - 11;
        x.kind = FINITE;
        x.exp = 1 - (int)fmt->bias + 52 - (int)fmt->frac - (int)shift;
        x.mant = frac << shift;
    }
    return x;
}

static inline uint64_t default_nan(const format *fmt)
{
    return pack(fmt, 0, fmt->exp_max, UINT64_C(1) << (fmt->frac - 1));
}

/* FPProcessNaN of an operand that is one. */
static inline uint64_t process_nan(oryx_fpenv *fp, const format *fmt, number x, uint64_t v)
{
    if (x.kind == SNAN)
        fp->flags |= ORYX_FPF_INVALID;
    return fp->default_nan ? default_nan(fmt) : v | UINT64_C(1) << (fmt->frac - 1);
}

static inline uint64_t infinity(const format *fmt, unsigned sign)
{
    return pack(fmt, sign, fmt->exp_max, 0);
}

static inline uint64_t max_normal(const format *fmt, unsigned sign)
{
    return pack(fmt, sign, fmt->exp_max - 1, (UINT64_C(1) << fmt->frac) - 1);
}

static inline uint64_t overflow(oryx_fpenv *fp, const format *fmt, unsigned sign, unsigned mode)
{
    fp->flags |= ORYX_FPF_OVERFLOW | ORYX_FPF_INEXACT;
    unsigned to_infinity = mode == ORYX_RM_NEAREST || mode == (sign ? ORYX_RM_DOWN : ORYX_RM_UP);
    return to_infinity ? infinity(fmt, sign) : max_normal(fmt, sign);
}

/* FPRound of (-1)^sign * mant / 2^126 * 2^exp, mant's top bit being bit 126. Tininess is seen
 * before rounding. */
static inline uint64_t round_pack(oryx_fpenv *fp, const format *fmt, unsigned sign, int exp,
                                  u128 mant, unsigned mode)
{
    int least = 1 - (int)fmt->bias;
    unsigned drop = 126 - fmt->frac;
    uint64_t biased = 0;
    if (exp < least) {
        if (fp->flush_out) {
            fp->flags |= ORYX_FPF_UNDERFLOW;
            return pack(fmt, sign, 0, 0);
        }
        unsigned more = (unsigned)(least - exp);
        if (drop + more > 127) { /* below half the least denormal: only sticky */
            drop = 127;
            mant = 1;
        } else {
            drop += more;
        }
    } else {
        biased = (uint64_t)(exp - least + 1);
    }
    uint64_t kept = (uint64_t)(mant >> drop);
    u128 rest = mant & (((u128)1 << drop) - 1), half = (u128)1 << (drop - 1);
    if (rest && !biased)
        fp->flags |= ORYX_FPF_UNDERFLOW;
    if (mode == ORYX_RM_NEAREST)
        kept += rest > half || (rest == half && (kept & 1));
    else if (mode == ROUND_ODD)
        kept |= rest != 0;
    else if (mode == (sign ? ORYX_RM_DOWN : ORYX_RM_UP))
        kept += rest != 0;
    if (kept >> (fmt->frac + 1)) {
        kept >>= 1;
        biased++;
    } else if (!biased && kept >> fmt->frac) {
        biased = 1;
    }
    if (biased >= fmt->exp_max)
        return overflow(fp, fmt, sign, mode);
    if (rest)
        fp->flags |= ORYX_FPF_INEXACT;
    return pack(fmt, sign, biased, kept & ((UINT64_C(1) << fmt->frac) - 1));
}

/* --- lanes ------------------------------------------------------------------------------------ */
static inline uint64_t lane_get(const oryx_v128 *v, unsigned z, unsigned i)
{
    unsigned bit = i << z << 3;
    uint64_t word = bit >= 64 ? v->hi : v->lo;
    return z == 3 ? word : word >> (bit & 63) & ((UINT64_C(1) << (8u << z)) - 1);
}

/* Lanes are filled upwards into zeroed v. */
static inline void lane_put(oryx_v128 *v, unsigned z, unsigned i, uint64_t value)
{
    unsigned bit = i << z << 3;
    *(bit >= 64 ? &v->hi : &v->lo) |= value << (bit & 63);
}

/* Shift right, ones that fall off kept as a sticky low bit. */
static inline u128 shift_jam(u128 v, unsigned n)
{
    if (n > 126)
        return v != 0;
    return v >> n | ((v & (((u128)1 << n) - 1)) != 0);
}

#endif
