/* IEEE arithmetic on integers for one element of any format (DDI 0487, J1.3 shared/functions/float): FPAdd, FPMul, FPDiv,
 * FPSqrt, FPMulAdd, FPMax, FPMin, comparisons, rounding and fixed-point conversion.
 *
 * Called by the helpers of both frontends for what the IR's FP ops cannot say: half-precision arithmetic (hosts rarely
 * have it) and AdvSIMD of AArch32, whose environment is not the vCPU's. Invariant: every operation computes an exact
 * value and rounds it once; the environment is the caller's copy and only its flags change. */
#include "arm_fpop.h"

/* (-1)^sign * mant / 2^126 * 2^exp; mant has bit 126 set, or is 0. */
typedef struct wide {
    unsigned sign;
    int exp;
    u128 mant;
} wide;

static wide widen(number x)
{
    return (wide){ x.sign, x.exp, x.kind == FINITE ? (u128)x.mant << 74 : 0 };
}

static wide normalise(wide w)
{
    while (w.mant && !(w.mant >> 126)) {
        w.mant <<= 1;
        w.exp--;
    }
    return w;
}

static wide product(number x, number y)
{
    wide w = { x.sign ^ y.sign, x.exp + y.exp + 1, 0 };
    if (x.kind == FINITE && y.kind == FINITE)
        w.mant = (u128)x.mant * y.mant << 21;
    return normalise(w);
}

/* a + b; of opposite equal values the zero is the rounding mode's. */
static wide sum(oryx_fpenv *fp, wide a, wide b)
{
    if (!a.mant || !b.mant) {
        wide w = a.mant ? a : b;
        if (!w.mant)
            w.sign = a.sign == b.sign ? a.sign : fp->rounding == ORYX_RM_DOWN;
        return w;
    }
    if (a.exp < b.exp) {
        wide t = a;
        a = b;
        b = t;
    }
    b.mant = shift_jam(b.mant, (unsigned)(a.exp - b.exp));
    if (a.sign == b.sign) {
        a.mant += b.mant;
        if (a.mant >> 127) {
            a.mant = shift_jam(a.mant, 1);
            a.exp++;
        }
        return a;
    }
    if (a.mant == b.mant)
        return (wide){ fp->rounding == ORYX_RM_DOWN, 0, 0 };
    if (a.mant < b.mant)
        return normalise((wide){ b.sign, a.exp, b.mant - a.mant });
    a.mant -= b.mant;
    return normalise(a);
}

static uint64_t finish(oryx_fpenv *fp, const format *fmt, wide w)
{
    return w.mant ? round_pack(fp, fmt, w.sign, w.exp, w.mant, fp->rounding)
                  : pack(fmt, w.sign, 0, 0);
}

static uint64_t invalid(oryx_fpenv *fp, const format *fmt)
{
    fp->flags |= ORYX_FPF_INVALID;
    return default_nan(fmt);
}

/* FPProcessNaNs: the operand whose NaN wins, signalling ones first; -1 when none is a NaN. */
static int nan_of(const number *x, unsigned count)
{
    for (unsigned kind = SNAN; kind >= QNAN; kind--)
        for (unsigned i = 0; i < count; i++)
            if (x[i].kind == kind)
                return (int)i;
    return -1;
}

static uint64_t add(oryx_fpenv *fp, const format *fmt, number x, number y)
{
    if (x.kind == INFINITE && y.kind == INFINITE && x.sign != y.sign)
        return invalid(fp, fmt);
    if (x.kind == INFINITE || y.kind == INFINITE)
        return infinity(fmt, x.kind == INFINITE ? x.sign : y.sign);
    return finish(fp, fmt, sum(fp, widen(x), widen(y)));
}

/* extended: FMULX, where 0 * inf is 2. */
static uint64_t mul(oryx_fpenv *fp, const format *fmt, number x, number y, unsigned extended)
{
    unsigned sign = x.sign ^ y.sign;
    if ((x.kind == INFINITE && y.kind == ZERO) || (x.kind == ZERO && y.kind == INFINITE))
        return extended ? pack(fmt, sign, fmt->bias + 1, 0) : invalid(fp, fmt);
    if (x.kind == INFINITE || y.kind == INFINITE)
        return infinity(fmt, sign);
    return finish(fp, fmt, product(x, y));
}

static uint64_t divide(oryx_fpenv *fp, const format *fmt, number x, number y)
{
    unsigned sign = x.sign ^ y.sign;
    if (x.kind == y.kind && (x.kind == INFINITE || x.kind == ZERO))
        return invalid(fp, fmt);
    if (x.kind == INFINITE || y.kind == ZERO) {
        if (x.kind != INFINITE)
            fp->flags |= ORYX_FPF_DIVZERO;
        return infinity(fmt, sign);
    }
    if (x.kind == ZERO || y.kind == INFINITE)
        return pack(fmt, sign, 0, 0);
    u128 n = (u128)x.mant << 74, q = n / y.mant;
    /* 73 or 74 bits of quotient; what is left only has to be seen. */
    return finish(fp, fmt, normalise((wide){ sign, x.exp - y.exp + 52, q | (n % y.mant != 0) }));
}

static uint64_t square_root(oryx_fpenv *fp, const format *fmt, number x)
{
    if (x.kind == ZERO)
        return pack(fmt, x.sign, 0, 0);
    if (x.sign)
        return invalid(fp, fmt);
    if (x.kind == INFINITE)
        return infinity(fmt, 0);
    /* The radicand as an integer with an even exponent; 60 bits of root. */
    unsigned odd = x.exp & 1;
    u128 n = (u128)x.mant << (68 + odd), root = 0;
    for (u128 bit = (u128)1 << 61; bit; bit >>= 1)
        if ((root | bit) * (root | bit) <= n)
            root |= bit;
    int exp = (x.exp - (int)odd) / 2;
    return finish(fp, fmt, normalise((wide){ 0, exp + 66, root | (root * root != n) }));
}

static unsigned zero_by_infinity(const number *x)
{
    return (x[0].kind == ZERO && x[1].kind == INFINITE) ||
           (x[0].kind == INFINITE && x[1].kind == ZERO);
}

static uint64_t muladd(oryx_fpenv *fp, const format *fmt, const number *x)
{
    unsigned inf_product = x[0].kind == INFINITE || x[1].kind == INFINITE,
             sign = x[0].sign ^ x[1].sign;
    if (zero_by_infinity(x) || (inf_product && x[2].kind == INFINITE && x[2].sign != sign))
        return invalid(fp, fmt);
    if (inf_product || x[2].kind == INFINITE)
        return infinity(fmt, inf_product ? sign : x[2].sign);
    return finish(fp, fmt, sum(fp, product(x[0], x[1]), widen(x[2])));
}

/* Order of two values that are not NaNs, from their bits: -1, 0, 1. */
int arm_fp_order(const format *fmt, uint64_t a, uint64_t b)
{
    uint64_t top = UINT64_C(1) << (fmt->size - 1);
    int64_t x = a & top ? -(int64_t)(a & (top - 1)) : (int64_t)a;
    int64_t y = b & top ? -(int64_t)(b & (top - 1)) : (int64_t)b;
    return (x > y) - (x < y);
}

/* FPMax, FPMin, and the Num forms, whose caller has replaced a lone quiet NaN. */
static uint64_t extreme(const format *fmt, uint64_t a, uint64_t b, unsigned greatest)
{
    int o = arm_fp_order(fmt, a, b);
    if (!o)
        return greatest ? a & b : a | b;
    return (o > 0) == (greatest != 0) ? a : b;
}

static uint64_t compare(oryx_fpenv *fp, const format *fmt, const number *x, uint64_t a, uint64_t b, unsigned op)
{
    if (x[0].kind >= QNAN || x[1].kind >= QNAN) {
        if (op != H_CMEQ || x[0].kind == SNAN || x[1].kind == SNAN)
            fp->flags |= ORYX_FPF_INVALID;
        return 0;
    }
    int o = arm_fp_order(fmt, a, b);
    return (op == H_CMEQ ? !o : op == H_CMGE ? o >= 0 : o > 0) ? UINT64_MAX >> (64 - fmt->size) : 0;
}

/* The integer nearest to x * 2^fraction by mode, its magnitude (or anything above 2^80); *inexact is set when they
 * differ. */
static u128 to_integer(number x, unsigned fraction, unsigned mode, unsigned *inexact)
{
    int exp = x.exp + (int)fraction;
    if (x.kind == ZERO)
        return 0;
    if (exp >= 80)
        return (u128)1 << 81;
    if (exp >= 52)
        return (u128)x.mant << (exp - 52);
    unsigned drop = 52 - exp > 60 ? 60 : (unsigned)(52 - exp);
    uint64_t whole = x.mant >> drop, rest = x.mant & ((UINT64_C(1) << drop) - 1),
             middle = UINT64_C(1) << (drop - 1);
    *inexact = rest != 0;
    switch (mode) {
    case ORYX_RM_NEAREST:
        return whole + (rest > middle || (rest == middle && (whole & 1)));
    case ORYX_RM_AWAY:
        return whole + (rest >= middle);
    case ORYX_RM_UP:
        return whole + (rest && !x.sign);
    case ORYX_RM_DOWN:
        return whole + (rest && x.sign);
    default:
        return whole;
    }
}

static uint64_t round_integral(oryx_fpenv *fp, const format *fmt, number x, uint64_t v, unsigned mode)
{
    unsigned inexact = 0, rounding = (mode & 7) == ORYX_RM_ENV ? fp->rounding : mode & 7;
    if (x.kind == INFINITE || x.kind == ZERO || x.exp >= (int)fmt->frac)
        return v;
    uint64_t whole = (uint64_t)to_integer(x, 0, rounding, &inexact);
    if (inexact && mode & H_EXACT)
        fp->flags |= ORYX_FPF_INEXACT;
    /* At most 2^frac: exact. */
    return finish(fp, fmt, normalise((wide){ x.sign, 126, whole }));
}

/* FPToFixed into `bits` bits. */
uint64_t arm_fp_to_fixed(oryx_fpenv *fp, number x, unsigned mode, unsigned fraction, unsigned bits)
{
    unsigned inexact = 0, is_signed = mode & H_SIGNED,
             rounding = (mode & 7) == ORYX_RM_ENV ? fp->rounding : mode & 7;
    u128 limit = is_signed ? ((u128)1 << (bits - 1)) - !x.sign : x.sign ? 0 : ((u128)1 << bits) - 1;
    u128 whole = x.kind == INFINITE ? limit + 1 : 0;
    if (x.kind >= QNAN) {
        fp->flags |= ORYX_FPF_INVALID;
        return 0;
    }
    if (x.kind == FINITE)
        whole = to_integer(x, fraction, rounding, &inexact);
    if (whole > limit) {
        fp->flags |= ORYX_FPF_INVALID;
        whole = limit;
    } else if (inexact) {
        fp->flags |= ORYX_FPF_INEXACT;
    }
    uint64_t v = (uint64_t)whole;
    v = x.sign ? 0 - v : v;
    return bits == 64 ? v : v & ((UINT64_C(1) << bits) - 1);
}

/* FixedToFP of a `bits` bit integer. */
uint64_t arm_fp_from_fixed(oryx_fpenv *fp, const format *fmt, uint64_t v, unsigned mode, unsigned fraction,
                           unsigned bits)
{
    unsigned sign = mode & H_SIGNED && v >> (bits - 1) & 1;
    if (sign)
        v = 0 - v;
    if (bits < 64)
        v &= (UINT64_C(1) << bits) - 1;
    return finish(fp, fmt, normalise((wide){ v && sign, 126 - (int)fraction, v }));
}

uint64_t arm_fp_operate(oryx_fpenv *fp, const format *fmt, unsigned op, unsigned mode, unsigned fraction, uint64_t *v)
{
    unsigned count = op == H_FMA ? 3 : op >= H_SQRT ? 1 : 2;
    if (op == H_FROMINT)
        return arm_fp_from_fixed(fp, fmt, v[0], mode, fraction, fmt->size);
    number x[3];
    for (unsigned i = 0; i < count; i++) {
        x[i] = unpack(fp, fmt, v[i]);
        if (x[i].kind == ZERO) /* perhaps flushed */
            v[i] &= UINT64_C(1) << (fmt->size - 1);
    }
    if (op == H_TOINT)
        return arm_fp_to_fixed(fp, x[0], mode, fraction, fmt->size);
    if (op == H_CMEQ || op == H_CMGE || op == H_CMGT)
        return compare(fp, fmt, x, v[0], v[1], op);
    uint64_t a = v[0], b = v[1];
    if (op == H_MAXNM || op == H_MINNM) {
        /* One quiet NaN against a number loses: it becomes the infinity that does. */
        uint64_t loser = infinity(fmt, op == H_MAXNM);
        if (x[0].kind == QNAN && x[1].kind < QNAN) {
            x[0].kind = INFINITE;
            a = loser;
        } else if (x[1].kind == QNAN && x[0].kind < QNAN) {
            x[1].kind = INFINITE;
            b = loser;
        }
    }
    if (op == H_FMA) {
        /* The addend's NaN comes first; 0 * inf is invalid even beside a quiet one. */
        number y[3] = { x[2], x[0], x[1] };
        uint64_t w[3] = { v[2], v[0], v[1] };
        int n = nan_of(y, 3);
        if (n >= 0 && zero_by_infinity(x))
            return x[2].kind == QNAN ? invalid(fp, fmt) : process_nan(fp, fmt, y[n], w[n]);
        return n >= 0 ? process_nan(fp, fmt, y[n], w[n]) : muladd(fp, fmt, x);
    }
    int n = nan_of(x, count);
    if (n >= 0)
        return process_nan(fp, fmt, x[n], v[n]);
    switch (op) {
    case H_ADD:
        return add(fp, fmt, x[0], x[1]);
    case H_SUB:
        x[1].sign ^= 1;
        return add(fp, fmt, x[0], x[1]);
    case H_MUL:
    case H_MULX:
        return mul(fp, fmt, x[0], x[1], op == H_MULX);
    case H_DIV:
        return divide(fp, fmt, x[0], x[1]);
    case H_SQRT:
        return square_root(fp, fmt, x[0]);
    case H_ROUND:
        return round_integral(fp, fmt, x[0], a, mode);
    default:
        return extreme(fmt, a, b, op == H_MAX || op == H_MAXNM);
    }
}

/* --- estimates -------------------------------------------------------------------------------- */
/* RecipEstimate: a in 256..511 stands for 0.5..1.0, the result likewise for 1.0..2.0. */
unsigned arm_recip_estimate(unsigned a)
{
    return ((1u << 19) / (a * 2 + 1) + 1) / 2;
}

/* RecipSqrtEstimate: a in 128..511 stands for 0.25..1.0. */
unsigned arm_rsqrt_estimate(unsigned a)
{
    a = a < 256 ? a * 2 + 1 : ((a & ~1u) + 1) * 2;
    unsigned b = 512;
    while (a * (b + 1) * (b + 1) < 1u << 28)
        b++;
    return (b + 1) / 2;
}

uint64_t arm_fp_recip_estimate(oryx_fpenv *fp, const format *fmt, uint64_t v)
{
    number x = unpack(fp, fmt, v);
    if (x.kind >= QNAN)
        return process_nan(fp, fmt, x, v);
    if (x.kind == INFINITE)
        return pack(fmt, x.sign, 0, 0);
    if (x.kind == ZERO) {
        fp->flags |= ORYX_FPF_DIVZERO;
        return infinity(fmt, x.sign);
    }
    if (x.exp < -(int)fmt->bias - 1)
        return overflow(fp, fmt, x.sign, fp->rounding);
    if (fp->flush_out && x.exp >= (int)fmt->bias - 1) {
        fp->flags |= ORYX_FPF_UNDERFLOW;
        return pack(fmt, x.sign, 0, 0);
    }
    int exp = 2 * (int)fmt->bias - 1 - (x.exp + (int)fmt->bias);
    uint64_t frac = (uint64_t)(arm_recip_estimate((unsigned)(x.mant >> 44)) & 0xff) << (fmt->frac - 8);
    /* Large operands give a denormal: the leading one moves into the fraction. */
    uint64_t one = UINT64_C(1) << fmt->frac;
    if (exp <= 0) {
        frac = (one | frac) >> (1 - exp);
        exp = 0;
    }
    return pack(fmt, x.sign, (uint64_t)exp, frac);
}

uint64_t arm_fp_rsqrt_estimate(oryx_fpenv *fp, const format *fmt, uint64_t v)
{
    number x = unpack(fp, fmt, v);
    if (x.kind >= QNAN)
        return process_nan(fp, fmt, x, v);
    if (x.kind == ZERO) {
        fp->flags |= ORYX_FPF_DIVZERO;
        return infinity(fmt, x.sign);
    }
    if (x.sign) {
        fp->flags |= ORYX_FPF_INVALID;
        return default_nan(fmt);
    }
    if (x.kind == INFINITE)
        return pack(fmt, 0, 0, 0);
    int biased = x.exp + (int)fmt->bias;
    unsigned scaled = (unsigned)(biased & 1 ? x.mant >> 45 : x.mant >> 44);
    int exp = (3 * (int)fmt->bias - 1 - biased) / 2;
    return pack(fmt, 0, (uint64_t)exp,
                (uint64_t)(arm_rsqrt_estimate(scaled) & 0xff) << (fmt->frac - 8));
}

/* FPConvert between formats. To the alternative half format NaNs and infinities are invalid: zero, the greatest number. */
uint64_t arm_fp_convert(oryx_fpenv *fp, const format *to, const format *from, uint64_t v)
{
    unsigned alternative = fp->alt_half && (to->size == 16 || from->size == 16);
    oryx_fpenv in = *fp;
    if (from->size == 16)
        in.flush_in = 0; /* a half is never flushed on the way in, nor on the way out */
    number x;
    if (alternative && from->size == 16 && (v >> 10 & 0x1f) == 0x1f) {
        x = (number){ FINITE, (unsigned)(v >> 15 & 1), 16, ((v & 0x3ff) | 0x400) << 42 };
    } else {
        x = unpack(&in, from, v);
        fp->flags |= in.flags;
    }
    if (x.kind >= QNAN) {
        if (alternative) {
            fp->flags |= ORYX_FPF_INVALID;
            return pack(to, x.sign, 0, 0);
        }
        if (x.kind == SNAN)
            fp->flags |= ORYX_FPF_INVALID;
        if (fp->default_nan)
            return default_nan(to);
        uint64_t payload = (v & ((UINT64_C(1) << from->frac) - 1)) << (52 - from->frac) >> (52 - to->frac);
        return pack(to, x.sign, to->exp_max, payload | UINT64_C(1) << (to->frac - 1));
    }
    if (x.kind == INFINITE) {
        if (!alternative)
            return infinity(to, x.sign);
        fp->flags |= ORYX_FPF_INVALID;
        return (uint64_t)x.sign << 15 | 0x7fff;
    }
    if (x.kind == ZERO)
        return pack(to, x.sign, 0, 0);
    if (to->size != 16)
        return round_pack(fp, to, x.sign, x.exp, (u128)x.mant << 74, fp->rounding);
    oryx_fpenv out = *fp;
    out.flush_out = 0;
    out.flags = 0;
    uint64_t r;
    if (alternative) { /* one binade more; beyond it, the greatest number and invalid */
        static const format alternative_half = { 16, 10, 15, 0x20 };
        r = round_pack(&out, &alternative_half, x.sign, x.exp, (u128)x.mant << 74, fp->rounding);
        if (out.flags & ORYX_FPF_OVERFLOW) {
            fp->flags |= ORYX_FPF_INVALID;
            return (uint64_t)x.sign << 15 | 0x7fff;
        }
    } else {
        r = round_pack(&out, to, x.sign, x.exp, (u128)x.mant << 74, fp->rounding);
    }
    fp->flags |= out.flags;
    return r;
}
