/* Soft float: arithmetic that is exact before its one rounding, for every format.
 *
 * ops_fp.c calls it whenever the host's own result cannot be taken as it is. Follows the pseudocode of the Arm manual
 * (FPUnpack, FPProcessNaNs, FPRound, FPAdd...) in meaning. The invariant: a finite value is sig * 2^exp without loss, and
 * only fp_round_pack rounds. */
#include "fp.h"

const fp_fmt fp_f16 = { 5, 10 }, fp_f32 = { 8, 23 }, fp_f64 = { 11, 52 };

static int bias_of(const fp_fmt *f)
{
    return (1 << (f->ebits - 1)) - 1;
}

static uint64_t sign_bit(const fp_fmt *f, unsigned sign)
{
    return (uint64_t)sign << (f->ebits + f->fbits);
}

static uint64_t frac_mask(const fp_fmt *f)
{
    return (1ull << f->fbits) - 1;
}

uint64_t fp_inf(const fp_fmt *f, unsigned sign)
{
    return sign_bit(f, sign) | ((1ull << f->ebits) - 1) << f->fbits;
}

uint64_t fp_default_nan(const fp_fmt *f, const oryx_fpenv *env)
{
    if (env->nan_rule == ORYX_NAN_MIPS) /* all ones below a quiet bit of 0 */
        return fp_inf(f, 0) | ((1ull << (f->fbits - 1)) - 1);
    return fp_inf(f, env->nan_rule == ORYX_NAN_X86) | 1ull << (f->fbits - 1);
}

fp_num fp_unpack(const fp_fmt *f, uint64_t bits, oryx_fpenv *env)
{
    unsigned top = (1u << f->ebits) - 1, e = (unsigned)(bits >> f->fbits) & top;
    uint64_t frac = bits & frac_mask(f);
    fp_num n = { .sign = bits >> (f->ebits + f->fbits) & 1, .bits = bits };
    if (e == 0) {
        /* Half-precision operands are never flushed by these controls. */
        if (frac && env->flush_in && f != &fp_f16) {
            if (env->nan_rule != ORYX_NAN_X86) /* DAZ signals nothing */
                env->flags |= ORYX_FPF_DENORMAL;
            frac = 0;
        }
        n.kind = frac ? FP_FINITE : FP_ZERO;
        n.sig = frac;
        n.exp = 1 - bias_of(f) - f->fbits;
    } else if (e == top && !(f == &fp_f16 && env->alt_half)) {
        n.kind = frac == 0 ? FP_INF : frac >> (f->fbits - 1) == (env->nan_rule != ORYX_NAN_MIPS) ? FP_QNAN : FP_SNAN;
    } else {
        n.kind = FP_FINITE;
        n.sig = frac | 1ull << f->fbits;
        n.exp = (int)e - bias_of(f) - f->fbits;
    }
    return n;
}

/* --- NaNs ------------------------------------------------------------------------------------------------- */

static int is_nan(const fp_num *n)
{
    return n->kind >= FP_QNAN;
}

static uint64_t quieted(const fp_fmt *f, const fp_num *n, oryx_fpenv *env)
{
    if (n->kind == FP_SNAN)
        env->flags |= ORYX_FPF_INVALID;
    if (env->default_nan || (env->nan_rule == ORYX_NAN_MIPS && n->kind == FP_SNAN))
        return fp_default_nan(f, env);
    return env->nan_rule == ORYX_NAN_MIPS ? n->bits : n->bits | 1ull << (f->fbits - 1);
}

/* Which of n operands propagates: x86 takes the first NaN, the others the first signalling one before any quiet one. Of a
 * signalling NaN the older MIPS rule makes the default NaN. */
static uint64_t nan_of(const fp_fmt *f, const fp_num *const *v, unsigned n, oryx_fpenv *env)
{
    const fp_num *pick = NULL;
    for (unsigned i = 0; i < n; i++) {
        if (v[i]->kind == FP_SNAN)
            env->flags |= ORYX_FPF_INVALID;
        if (!is_nan(v[i]))
            continue;
        if (!pick || (env->nan_rule != ORYX_NAN_X86 && pick->kind == FP_QNAN && v[i]->kind == FP_SNAN))
            pick = v[i];
    }
    return quieted(f, pick, env);
}

uint64_t fp_nan2(const fp_fmt *f, const fp_num *a, const fp_num *b, oryx_fpenv *env)
{
    const fp_num *v[2] = { a, b };
    return nan_of(f, v, 2, env);
}

static uint64_t invalid(const fp_fmt *f, oryx_fpenv *env)
{
    env->flags |= ORYX_FPF_INVALID;
    return fp_default_nan(f, env);
}

/* --- rounding --------------------------------------------------------------------------------------------- */

static int msb(u128 v)
{
    uint64_t hi = (uint64_t)(v >> 64);
    return hi ? 127 - __builtin_clzll(hi) : 63 - __builtin_clzll((uint64_t)v);
}

/* sig / 2^shift rounded to an integer; *inexact tells whether anything was lost. */
static u128 round_shift(u128 sig, int shift, unsigned sign, unsigned rm, int *inexact)
{
    if (shift <= 0) {
        *inexact = 0;
        return sig << -shift;
    }
    u128 m = shift > 127 ? 0 : sig >> shift;
    u128 rest = shift > 127 ? sig : sig & (((u128)1 << shift) - 1);
    int above = 0, tie = 0; /* rest against one half; beyond 128 bits it is always below */
    if (shift <= 128) {
        u128 half = (u128)1 << (shift - 1);
        above = rest > half;
        tie = rest == half;
    }
    *inexact = rest != 0;
    switch (rm) {
    case ORYX_RM_NEAREST:
        return m + (above || (tie && (m & 1)));
    case ORYX_RM_AWAY:
        return m + (above || tie);
    case ORYX_RM_UP:
        return m + (rest && !sign);
    case ORYX_RM_DOWN:
        return m + (rest && sign);
    default:
        return m;
    }
}

uint64_t fp_round_pack(const fp_fmt *f, unsigned sign, int exp, u128 sig, unsigned rm, oryx_fpenv *env)
{
    int e = exp + msb(sig), emin = 1 - bias_of(f), inexact;
    int tiny = e < emin, denormal = tiny;
    int flush = env->flush_out && f != &fp_f16;
    if (tiny && !env->tiny_before) {
        /* After rounding to full precision with an unbounded exponent, is it still below the least normal? */
        u128 m = round_shift(sig, e - f->fbits - exp, sign, rm, &inexact);
        tiny = !(e == emin - 1 && m >> (f->fbits + 1));
    }
    if (tiny && flush) {
        env->flags |= env->tiny_before ? ORYX_FPF_UNDERFLOW : ORYX_FPF_UNDERFLOW | ORYX_FPF_INEXACT;
        return sign_bit(f, sign);
    }
    uint64_t m = (uint64_t)round_shift(sig, (denormal ? emin : e) - f->fbits - exp, sign, rm, &inexact);
    int biased = denormal ? 0 : e - emin + 1;
    if (denormal && m >> f->fbits) {
        biased = 1; /* rounded up to the least normal */
    } else if (m >> (f->fbits + 1)) {
        m >>= 1;
        biased++;
    }
    int top = (1 << f->ebits) - 1;
    if (f == &fp_f16 && env->alt_half) {
        if (biased > top) {
            env->flags |= ORYX_FPF_INVALID; /* and nothing else: the format has no infinity */
            return sign_bit(f, sign) | 0x7fff;
        }
    } else if (biased >= top) {
        int to_inf = rm == ORYX_RM_NEAREST || rm == ORYX_RM_AWAY || (rm == ORYX_RM_UP && !sign) ||
                     (rm == ORYX_RM_DOWN && sign);
        env->flags |= ORYX_FPF_OVERFLOW | ORYX_FPF_INEXACT;
        return to_inf ? fp_inf(f, sign) : fp_inf(f, sign) - 1;
    }
    if (tiny && inexact)
        env->flags |= ORYX_FPF_UNDERFLOW;
    if (inexact)
        env->flags |= ORYX_FPF_INEXACT;
    return sign_bit(f, sign) | (uint64_t)biased << f->fbits | (m & frac_mask(f));
}

/* --- addition, product, fused ------------------------------------------------------------------------------ */

/* One addend, exact: (-1)^sign * sig * 2^exp with the leading bit of sig at 125. */
typedef struct term {
    unsigned sign;
    int exp;
    u128 sig;
} term;

static term term_of(unsigned sign, int exp, u128 sig)
{
    int up = 125 - msb(sig);
    return (term){ sign, exp - up, sig << up };
}

/* x + y, rounded. When bits are shifted out the exponents differ so much that at most one leading bit cancels. */
static uint64_t sum(const fp_fmt *f, term x, term y, oryx_fpenv *env)
{
    if (x.exp < y.exp || (x.exp == y.exp && x.sig < y.sig)) {
        term t = x;
        x = y;
        y = t;
    }
    int d = x.exp - y.exp;
    u128 small = d > 126 ? 1 : y.sig >> d | ((y.sig & (((u128)1 << d) - 1)) != 0);
    u128 sig = x.sign == y.sign ? x.sig + small : x.sig - small;
    if (sig == 0)
        return sign_bit(f, env->rounding == ORYX_RM_DOWN);
    return fp_round_pack(f, x.sign, x.exp, sig, env->rounding, env);
}

static uint64_t add_sub(const fp_fmt *f, uint64_t a, uint64_t b, unsigned negate, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    if (is_nan(&x) || is_nan(&y))
        return fp_nan2(f, &x, &y, env);
    y.sign ^= negate;
    if (x.kind == FP_INF || y.kind == FP_INF) {
        if (x.kind == FP_INF && y.kind == FP_INF && x.sign != y.sign)
            return invalid(f, env);
        return fp_inf(f, x.kind == FP_INF ? x.sign : y.sign);
    }
    if (x.kind == FP_ZERO && y.kind == FP_ZERO)
        return sign_bit(f, x.sign == y.sign ? x.sign : env->rounding == ORYX_RM_DOWN);
    if (x.kind == FP_ZERO)
        return fp_round_pack(f, y.sign, y.exp, y.sig, env->rounding, env);
    if (y.kind == FP_ZERO)
        return fp_round_pack(f, x.sign, x.exp, x.sig, env->rounding, env);
    return sum(f, term_of(x.sign, x.exp, x.sig), term_of(y.sign, y.exp, y.sig), env);
}

uint64_t fp_add(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return add_sub(f, a, b, 0, env);
}

uint64_t fp_sub(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return add_sub(f, a, b, 1, env);
}

static uint64_t product(const fp_fmt *f, uint64_t a, uint64_t b, int extended, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    unsigned sign = x.sign ^ y.sign;
    if (is_nan(&x) || is_nan(&y))
        return fp_nan2(f, &x, &y, env);
    if ((x.kind == FP_INF && y.kind == FP_ZERO) || (x.kind == FP_ZERO && y.kind == FP_INF))
        return extended ? sign_bit(f, sign) | (uint64_t)(bias_of(f) + 1) << f->fbits : invalid(f, env);
    if (x.kind == FP_INF || y.kind == FP_INF)
        return fp_inf(f, sign);
    if (x.kind == FP_ZERO || y.kind == FP_ZERO)
        return sign_bit(f, sign);
    return fp_round_pack(f, sign, x.exp + y.exp, (u128)x.sig * y.sig, env->rounding, env);
}

uint64_t fp_mul(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return product(f, a, b, 0, env);
}

uint64_t fp_mulx(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return product(f, a, b, 1, env);
}

uint64_t fp_fma(const fp_fmt *f, uint64_t a, uint64_t b, uint64_t c, oryx_fpenv *env)
{
    /* The addend is looked at first. */
    fp_num z = fp_unpack(f, c, env), x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    unsigned sign = x.sign ^ y.sign;
    int inf_zero = (x.kind == FP_INF && y.kind == FP_ZERO) || (x.kind == FP_ZERO && y.kind == FP_INF);
    int inf = x.kind == FP_INF || y.kind == FP_INF, zero = x.kind == FP_ZERO || y.kind == FP_ZERO;
    if (z.kind == FP_QNAN && inf_zero && env->nan_rule == ORYX_NAN_ARM)
        return invalid(f, env);
    if (inf_zero && is_nan(&z) && env->nan_rule == ORYX_NAN_MIPS)
        return invalid(f, env);
    if (inf_zero && is_nan(&z) && env->nan_rule == ORYX_NAN_MIPS_2008) {
        env->flags |= ORYX_FPF_INVALID;
        return quieted(f, &z, env);
    }
    if (is_nan(&x) || is_nan(&y) || is_nan(&z)) {
        int addend_first = env->nan_rule == ORYX_NAN_ARM || env->nan_rule == ORYX_NAN_MIPS_2008;
        const fp_num *arm[3] = { &z, &x, &y }, *other[3] = { &x, &y, &z };
        return nan_of(f, addend_first ? arm : other, 3, env);
    }
    if (inf_zero || (z.kind == FP_INF && inf && z.sign != sign))
        return invalid(f, env);
    if (z.kind == FP_INF)
        return fp_inf(f, z.sign);
    if (inf)
        return fp_inf(f, sign);
    if (zero && z.kind == FP_ZERO)
        return sign_bit(f, sign == z.sign ? sign : env->rounding == ORYX_RM_DOWN);
    if (zero)
        return fp_round_pack(f, z.sign, z.exp, z.sig, env->rounding, env);
    u128 p = (u128)x.sig * y.sig;
    if (z.kind == FP_ZERO)
        return fp_round_pack(f, sign, x.exp + y.exp, p, env->rounding, env);
    return sum(f, term_of(sign, x.exp + y.exp, p), term_of(z.sign, z.exp, z.sig), env);
}

/* --- quotient, root ------------------------------------------------------------------------------------------ */

uint64_t fp_div(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    unsigned sign = x.sign ^ y.sign;
    if (is_nan(&x) || is_nan(&y))
        return fp_nan2(f, &x, &y, env);
    if (x.kind == y.kind && (x.kind == FP_INF || x.kind == FP_ZERO))
        return invalid(f, env);
    if (x.kind == FP_INF || y.kind == FP_ZERO) {
        if (x.kind != FP_INF)
            env->flags |= ORYX_FPF_DIVZERO;
        return fp_inf(f, sign);
    }
    if (x.kind == FP_ZERO || y.kind == FP_INF)
        return sign_bit(f, sign);
    /* Both to full width first, so that the quotient has at least 63 bits. */
    int nx = __builtin_clzll(x.sig), ny = __builtin_clzll(y.sig);
    u128 n = (u128)(x.sig << nx) << 63;
    uint64_t d = y.sig << ny;
    u128 q = n / d;
    q |= n % d != 0;
    return fp_round_pack(f, sign, x.exp - nx - 63 - (y.exp - ny), q, env->rounding, env);
}

uint64_t fp_sqrt(const fp_fmt *f, uint64_t a, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env);
    if (is_nan(&x))
        return quieted(f, &x, env);
    if (x.kind == FP_ZERO)
        return sign_bit(f, x.sign);
    if (x.sign)
        return invalid(f, env);
    if (x.kind == FP_INF)
        return fp_inf(f, 0);
    /* n * 2^e with e even and n of 126 or 127 bits: a root of 63 or 64 bits, digit by digit. */
    int up = 126 - msb(x.sig), e = x.exp - up;
    u128 n = (u128)x.sig << up;
    if (e & 1) {
        n >>= 1; /* the lowest bit is zero: the significand is short */
        e++;
    }
    u128 root = 0, rem = n;
    for (u128 bit = (u128)1 << 126; bit; bit >>= 2) {
        if (rem >= root + bit) {
            rem -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return fp_round_pack(f, 0, e / 2, root | (rem != 0), env->rounding, env);
}

/* --- minimum, maximum ---------------------------------------------------------------------------------------- */

/* -1, 0, 1 as x is below, equal to or above y; no NaNs; the zeros are equal. */
static int order(const fp_num *x, const fp_num *y)
{
    int zx = x->kind == FP_ZERO, zy = y->kind == FP_ZERO;
    if (zx && zy)
        return 0;
    if (zx)
        return y->sign ? 1 : -1;
    if (zy || x->sign != y->sign)
        return x->sign ? -1 : 1;
    uint64_t mask = ~0ull >> 1; /* equal signs: patterns without sign order as magnitudes */
    uint64_t a = x->bits & mask, b = y->bits & mask;
    return a == b ? 0 : (a < b) == !x->sign ? -1 : 1;
}

static uint64_t chosen(const fp_fmt *f, uint64_t a, uint64_t b, int want_max, oryx_fpenv *env)
{
    fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    if (is_nan(&x) || is_nan(&y))
        return fp_nan2(f, &x, &y, env);
    int o = order(&x, &y);
    if (o == 0 && x.kind == FP_ZERO)
        return sign_bit(f, want_max ? x.sign & y.sign : x.sign | y.sign);
    const fp_num *r = (want_max ? o > 0 : o < 0) ? &x : &y;
    return r->kind == FP_ZERO ? sign_bit(f, r->sign)
           : r->kind == FP_INF ? r->bits
                               : fp_round_pack(f, r->sign, r->exp, r->sig, env->rounding, env);
}

uint64_t fp_min(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return chosen(f, a, b, 0, env);
}

uint64_t fp_max(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return chosen(f, a, b, 1, env);
}

/* A single quiet NaN counts as the infinity that loses. */
static uint64_t chosen_num(const fp_fmt *f, uint64_t a, uint64_t b, int want_max, oryx_fpenv *env)
{
    oryx_fpenv quiet = *env; /* only to look at the kinds */
    fp_num x = fp_unpack(f, a, &quiet), y = fp_unpack(f, b, &quiet);
    if (x.kind == FP_QNAN && y.kind != FP_QNAN)
        a = fp_inf(f, (unsigned)want_max);
    else if (x.kind != FP_QNAN && y.kind == FP_QNAN)
        b = fp_inf(f, (unsigned)want_max);
    return chosen(f, a, b, want_max, env);
}

uint64_t fp_minnm(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return chosen_num(f, a, b, 0, env);
}

uint64_t fp_maxnm(const fp_fmt *f, uint64_t a, uint64_t b, oryx_fpenv *env)
{
    return chosen_num(f, a, b, 1, env);
}
