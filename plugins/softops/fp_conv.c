/* Soft float: conversions, rounding to integral values, comparison.
 *
 * ops_fp.c calls it. Follows FPRoundInt, FPConvert, FPToFixed, FixedToFP and FPCompare of the Arm manual in meaning. The
 * invariant: one rounding, and INVALID excludes INEXACT when a result does not fit. */
#include "fp.h"

static unsigned mode_of(unsigned rm, const oryx_fpenv *env)
{
    return (rm & 7) == ORYX_RM_ENV ? env->rounding : rm & 7;
}

/* Magnitude sig * 2^exp rounded to an integer (exp < 0 or small enough to shift up). */
static u128 to_integer(uint64_t sig, int exp, unsigned sign, unsigned rm, int *inexact)
{
    if (exp >= 0) {
        *inexact = 0;
        return (u128)sig << exp;
    }
    int n = -exp;
    uint64_t m = n > 63 ? 0 : sig >> n, rest = n > 63 ? sig : sig & ((1ull << n) - 1);
    int above = 0, tie = 0;
    if (n <= 64) {
        uint64_t half = 1ull << (n - 1);
        above = rest > half;
        tie = rest == half;
    }
    *inexact = rest != 0;
    switch (rm) {
    case ORYX_RM_NEAREST:
        return m + (uint64_t)(above || (tie && (m & 1)));
    case ORYX_RM_AWAY:
        return m + (uint64_t)(above || tie);
    case ORYX_RM_UP:
        return m + (uint64_t)(rest && !sign);
    case ORYX_RM_DOWN:
        return m + (uint64_t)(rest && sign);
    default:
        return m;
    }
}

uint64_t fp_round_int(const fp_fmt *f, uint64_t a, unsigned rm, int exact, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env);
    uint64_t zero = (uint64_t)x.sign << (f->ebits + f->fbits);
    int inexact;
    if (x.kind >= FP_QNAN)
        return fp_nan2(f, &x, &x, env);
    if (x.kind == FP_ZERO)
        return zero;
    if (x.kind == FP_INF || x.exp >= 0)
        return a;
    u128 m = to_integer(x.sig, x.exp, x.sign, mode_of(rm, env), &inexact);
    if (inexact && exact)
        env->flags |= ORYX_FPF_INEXACT;
    return m ? fp_round_pack(f, x.sign, 0, m, ORYX_RM_ZERO, env) : zero;
}

/* A NaN's payload keeps its high bits. */
static uint64_t convert_nan(const fp_fmt *to, const fp_fmt *from, const fp_num *x, const oryx_fpenv *env)
{
    uint64_t frac = x->bits & ((1ull << from->fbits) - 1);
    frac = to->fbits >= from->fbits ? frac << (to->fbits - from->fbits) : frac >> (from->fbits - to->fbits);
    if (env->nan_rule == ORYX_NAN_MIPS)
        return x->kind == FP_SNAN || !frac ? fp_default_nan(to, env) : fp_inf(to, x->sign) | frac;
    return fp_inf(to, x->sign) | frac | 1ull << (to->fbits - 1);
}

uint64_t fp_convert(const fp_fmt *to, const fp_fmt *from, uint64_t a, oryx_fpenv *env)
{
    fp_num x = fp_unpack(from, a, env);
    uint64_t sign = (uint64_t)x.sign << (to->ebits + to->fbits);
    int alt = to == &fp_f16 && env->alt_half;
    switch (x.kind) {
    case FP_QNAN:
    case FP_SNAN:
        if (x.kind == FP_SNAN || alt)
            env->flags |= ORYX_FPF_INVALID;
        return alt ? sign : env->default_nan ? fp_default_nan(to, env) : convert_nan(to, from, &x, env);
    case FP_INF:
        if (alt) {
            env->flags |= ORYX_FPF_INVALID;
            return sign | 0x7fff;
        }
        return fp_inf(to, x.sign);
    case FP_ZERO:
        return sign;
    default:
        return fp_round_pack(to, x.sign, x.exp, x.sig, env->rounding, env);
    }
}

uint64_t fp_to_int(const fp_fmt *f, uint64_t a, unsigned width, uint32_t imm, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env);
    int is_signed = imm >> 3 & 1, fraction = (int)(imm >> 8 & 255), inexact = 0;
    uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1;
    uint64_t max = is_signed ? mask >> 1 : mask;
    uint64_t low = is_signed ? max + 1 : 0; /* magnitude of the least value */
    if (x.kind >= FP_QNAN) {
        env->flags |= ORYX_FPF_INVALID;
        return env->nan_rule == ORYX_NAN_MIPS ? max : 0;
    }
    if (x.kind == FP_ZERO)
        return 0;
    int exp = x.exp + fraction;
    u128 m = (u128)1 << 127;
    if (x.kind != FP_INF && exp <= 64)
        m = to_integer(x.sig, exp, x.sign, mode_of(imm, env), &inexact);
    if (m > (x.sign ? low : max)) {
        env->flags |= ORYX_FPF_INVALID;
        return (x.sign && env->nan_rule != ORYX_NAN_MIPS ? 0 - low : max) & mask;
    }
    if (inexact)
        env->flags |= ORYX_FPF_INEXACT;
    return (x.sign ? 0 - (uint64_t)m : (uint64_t)m) & mask;
}

uint64_t fp_from_int(const fp_fmt *f, uint64_t a, unsigned width, uint32_t imm, oryx_fpenv *env)
{
    unsigned sign = 0;
    if (width < 64)
        a &= (1ull << width) - 1;
    if ((imm & 8) && a >> (width - 1)) {
        sign = 1;
        a = 0 - a;
        if (width < 64)
            a &= (1ull << width) - 1;
    }
    return a ? fp_round_pack(f, sign, -(int)(imm >> 8 & 255), a, env->rounding, env) : 0;
}

int fp_compare(const fp_fmt *f, uint64_t a, uint64_t b, int signal_quiet, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    if (x.kind >= FP_QNAN || y.kind >= FP_QNAN) {
        if (signal_quiet || x.kind == FP_SNAN || y.kind == FP_SNAN)
            env->flags |= ORYX_FPF_INVALID;
        return FP_UNORDERED;
    }
    if (x.kind == FP_ZERO && y.kind == FP_ZERO)
        return FP_EQUAL;
    if (x.kind == FP_ZERO)
        return y.sign ? FP_GREATER : FP_LESS;
    if (y.kind == FP_ZERO || x.sign != y.sign)
        return x.sign ? FP_LESS : FP_GREATER;
    if (x.bits == y.bits)
        return FP_EQUAL;
    return (x.bits < y.bits) == !x.sign ? FP_LESS : FP_GREATER;
}
