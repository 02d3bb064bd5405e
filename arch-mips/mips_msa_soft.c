/* MSA floating point an element at a time: every operation, rounding mode, flush and exception of MSACSR (MD00866, "Floating-Point
 * Exceptions"), on the host's scalar arithmetic.
 *
 * Called by the helper of mips_msa_fp.c's rows with the instruction's word, and by CTCMSA and CFCMSA. NaNs are decided from their bits; the
 * host sees numbers only. Invariant: when an enabled exception traps, no vector register has changed, and the host's environment is kept. */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "mips_msa.h"
#include "mips_sys.h"

enum { INEXACT = 1, UNDERFLOWS = 2, OVERFLOWS = 4, DIVZERO = 8, INVALID = 16 };

/* An element's operation: type, MSACSR and what it signals. */
typedef struct elm {
    bool wide;
    uint32_t csr, flags;
} elm;

static int host_rounding(uint32_t csr)
{
    static const int modes[4] = { FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD };
    return modes[csr & MIPS_FCSR_RM];
}

/* --- formats -------------------------------------------------------------------------------------------------------------- */

static uint64_t sign_bit(bool wide)
{
    return wide ? 1ull << 63 : 1ull << 31;
}

static uint64_t infinity(bool wide)
{
    return wide ? 0x7ffull << 52 : 0xffull << 23;
}

static uint64_t quiet_bit(bool wide)
{
    return wide ? 1ull << 51 : 1ull << 22;
}

static bool is_nan(bool wide, uint64_t v)
{
    return (v & ~sign_bit(wide)) > infinity(wide);
}

static bool is_signalling(bool wide, uint64_t v)
{
    return is_nan(wide, v) && !(v & quiet_bit(wide));
}

static uint64_t default_nan(bool wide)
{
    return infinity(wide) | quiet_bit(wide);
}

static bool is_subnormal(bool wide, uint64_t v)
{
    return !(v & infinity(wide)) && v & ~sign_bit(wide);
}

static double value(bool wide, uint64_t bits)
{
    double d;
    float s;
    uint32_t low = (uint32_t)bits;
    if (wide) {
        memcpy(&d, &bits, 8);
        return d;
    }
    memcpy(&s, &low, 4);
    return (double)s;
}

static uint64_t bits_of(bool wide, double v)
{
    uint64_t bits;
    uint32_t low;
    float s = (float)v; /* it is one */
    memcpy(&bits, &v, 8);
    memcpy(&low, &s, 4);
    return wide ? bits : low;
}

/* The operand as arithmetic sees it; that it was flushed is signalled even when another one is a NaN. */
static uint64_t flushed(elm *e, uint64_t v)
{
    if (!(e->csr & MIPS_MSACSR_FS) || !is_subnormal(e->wide, v))
        return v;
    e->flags |= INEXACT;
    return v & sign_bit(e->wide);
}

/* The first signalling NaN, else the first, made quiet. n operands, one of which is one. */
static uint64_t chosen_nan(elm *e, const uint64_t *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (is_signalling(e->wide, v[i])) {
            e->flags |= INVALID;
            return v[i] | quiet_bit(e->wide);
        }
    for (unsigned i = 0; i < n; i++)
        if (is_nan(e->wide, v[i]))
            return v[i];
    return default_nan(e->wide);
}

static uint32_t raised(void)
{
    int f = fetestexcept(FE_ALL_EXCEPT);
    return (f & FE_INEXACT ? INEXACT : 0) | (f & FE_UNDERFLOW ? UNDERFLOWS : 0) | (f & FE_OVERFLOW ? OVERFLOWS : 0) |
           (f & FE_DIVBYZERO ? DIVZERO : 0) | (f & FE_INVALID ? INVALID : 0);
}

/* --- arithmetic ------------------------------------------------------------------------------------------------------------- */

enum { ADD, SUB, MUL, DIV, SQRT, FUSED, SCALE, TO_SINGLE, RECIP, RSQRT };

static double in_double(unsigned op, double a, double b, double c)
{
    volatile double x = a, y = b, z = c;
    switch (op) {
    case ADD: return x + y;
    case SUB: return x - y;
    case MUL: return x * y;
    case DIV: return x / y;
    case RECIP: return 1 / x;
    case RSQRT: x = sqrt(x); return 1 / x;
    case FUSED: return fma(x, y, z);
    case SCALE: return scalbn(x, (int)y);
    case TO_SINGLE: return (double)(float)x;
    default: return sqrt(x);
    }
}

static double in_single(unsigned op, double a, double b, double c)
{
    volatile float x = (float)a, y = (float)b, z = (float)c;
    switch (op) {
    case ADD: x = x + y; break;
    case SUB: x = x - y; break;
    case MUL: x = x * y; break;
    case DIV: x = x / y; break;
    case RECIP: x = 1 / x; break;
    case RSQRT: x = sqrtf(x); x = 1 / x; break;
    case FUSED: x = fmaf(x, y, z); break;
    case SCALE: x = scalbnf(x, (int)b); break;
    default: x = sqrtf(x); break;
    }
    return (double)x;
}

static double compute(elm *e, unsigned op, const uint64_t *v, double b)
{
    double a = value(e->wide, v[0]);
    return e->wide ? in_double(op, a, b, value(true, v[2])) : in_single(op, a, b, value(false, v[2]));
}

/* With Underflow enabled a tiny result signals, exact or not. */
static uint32_t tiny_enabled(const elm *e)
{
    return e->csr >> MIPS_FCSR_ENABLES_SHIFT & UNDERFLOWS;
}

/* out_wide: the result's type. Subnormal results become zeros with FS, also one that rounding would have made normal. */
static uint64_t rounded(elm *e, unsigned op, const uint64_t *v, double b, bool out_wide)
{
    feclearexcept(FE_ALL_EXCEPT);
    volatile double r = compute(e, op, v, b);
    uint32_t f = raised();
    e->flags |= f;
    if (isnan(r))
        return default_nan(out_wide);
    uint64_t bits = bits_of(out_wide, r);
    if (e->csr & MIPS_MSACSR_FS && f & INEXACT) {
        fesetround(FE_TOWARDZERO);
        volatile double cut = compute(e, op, v, b);
        fesetround(host_rounding(e->csr));
        bool tiny = !(bits_of(out_wide, cut) & infinity(out_wide));
        if (tiny) {
            e->flags = (e->flags & ~(uint32_t)OVERFLOWS) | UNDERFLOWS | INEXACT;
            return bits & sign_bit(out_wide);
        }
    } else if (e->csr & MIPS_MSACSR_FS && is_subnormal(out_wide, bits)) {
        e->flags |= UNDERFLOWS | INEXACT;
        return bits & sign_bit(out_wide);
    }
    if (is_subnormal(out_wide, bits))
        e->flags |= tiny_enabled(e);
    return bits;
}

/* n operands, in the order in which their NaNs are preferred; arithmetic's are v[0], v[1] and the addend v[2]. */
static uint64_t arithmetic(elm *e, unsigned op, uint64_t a, uint64_t b, unsigned n)
{
    uint64_t v[3] = { flushed(e, a), n > 1 ? flushed(e, b) : 0, 0 };
    if (is_nan(e->wide, a) || (n > 1 && is_nan(e->wide, b)))
        return chosen_nan(e, v, n);
    return rounded(e, op, v, value(e->wide, v[1]), e->wide);
}

/* a * b + c. Infinity times zero is invalid, and c when that is a NaN. */
static uint64_t fused(elm *e, uint64_t a, uint64_t b, uint64_t c, bool negate)
{
    uint64_t v[3] = { flushed(e, a), flushed(e, b), flushed(e, c) }, order[3] = { c, a, b }, inf = infinity(e->wide), mag = ~sign_bit(e->wide);
    if (is_nan(e->wide, a) || is_nan(e->wide, b) || is_nan(e->wide, c)) {
        uint64_t x = v[0] & mag, y = v[1] & mag;
        if ((x == inf && y == 0) || (x == 0 && y == inf)) {
            e->flags |= INVALID;
            return c | quiet_bit(e->wide);
        }
        return chosen_nan(e, order, 3);
    }
    if (negate)
        v[0] ^= sign_bit(e->wide);
    return rounded(e, FUSED, v, value(e->wide, v[1]), e->wide);
}

static uint64_t scale(elm *e, uint64_t a, int64_t by)
{
    uint64_t v[3] = { flushed(e, a), 0, 0 };
    if (is_nan(e->wide, a))
        return chosen_nan(e, &a, 1);
    int64_t limit = e->wide ? 0x1000 : 0x200;
    by = by > limit ? limit : by < -limit ? -limit : by;
    return rounded(e, SCALE, v, (double)by, e->wide);
}

/* Inexact alone, unless invalid or a division by zero, or of an infinity. */
static uint64_t reciprocal(elm *e, unsigned op, uint64_t a)
{
    uint64_t r = arithmetic(e, op, a, 0, 1);
    bool exact = (a & ~sign_bit(e->wide)) == infinity(e->wide) || is_nan(e->wide, r);
    if (!exact && !(e->flags & (INVALID | DIVZERO)))
        e->flags = INEXACT;
    return r;
}

static uint64_t log_2(elm *e, uint64_t a)
{
    if (is_nan(e->wide, a))
        return chosen_nan(e, &a, 1);
    a = flushed(e, a);
    if (!(a & ~sign_bit(e->wide))) {
        e->flags |= DIVZERO;
        return infinity(e->wide) | sign_bit(e->wide);
    }
    e->flags &= ~(uint32_t)INEXACT;
    if (a & sign_bit(e->wide)) {
        e->flags |= INVALID;
        return default_nan(e->wide);
    }
    return a == infinity(e->wide) ? a : bits_of(e->wide, logb(value(e->wide, a)));
}

/* magnitude: the absolutely larger or smaller one; of equals as without. A quiet NaN beside a number loses. */
static uint64_t extreme(elm *e, uint64_t a, uint64_t b, bool max, bool magnitude)
{
    uint64_t v[2] = { a, b };
    bool na = is_nan(e->wide, a), nb = is_nan(e->wide, b);
    if (na || nb) {
        if ((na && nb) || is_signalling(e->wide, a) || is_signalling(e->wide, b)) {
            flushed(e, na ? b : a); /* signals, though it is not the result */
            return chosen_nan(e, v, 2);
        }
        return flushed(e, na ? b : a);
    }
    a = flushed(e, a);
    b = flushed(e, b);
    double x = value(e->wide, a), y = value(e->wide, b);
    if (magnitude && fabs(x) != fabs(y))
        return (fabs(x) > fabs(y)) == max ? a : b;
    if (x == y) /* zeros of two signs */
        return a & sign_bit(e->wide) ? max ? b : a : max ? a : b;
    return (x > y) == max ? a : b;
}

/* c: as compare of mips_msa_fp.c. */
static uint64_t compare(elm *e, uint64_t a, uint64_t b, unsigned c, bool invert)
{
    bool v;
    if (is_nan(e->wide, a) || is_nan(e->wide, b)) {
        if (c & 8 || is_signalling(e->wide, a) || is_signalling(e->wide, b))
            e->flags |= INVALID;
        v = c & 1;
    } else {
        double x = value(e->wide, flushed(e, a)), y = value(e->wide, flushed(e, b));
        v = (c & 2 && x == y) || (c & 4 && x < y);
        e->flags = 0; /* a comparison is exact, of flushed operands too */
    }
    return v != invert ? UINT64_MAX : 0;
}

/* --- conversions --------------------------------------------------------------------------------------------------------------- */

static uint64_t to_integer(elm *e, uint64_t a, bool is_signed, int rounding)
{
    double top = e->wide ? is_signed ? 0x1p63 : 0x1p64 : is_signed ? 0x1p31 : 0x1p32, bottom = is_signed ? -top : 0;
    unsigned width = e->wide ? 64 : 32;
    if (is_nan(e->wide, a)) {
        e->flags |= INVALID;
        return 0;
    }
    volatile double v = value(e->wide, flushed(e, a)), r;
    fesetround(rounding);
    r = nearbyint(v);
    fesetround(host_rounding(e->csr));
    if (r >= top || r < bottom) {
        e->flags = INVALID;
        if (r < bottom)
            return is_signed ? 1ull << (width - 1) : 0;
        return is_signed ? (1ull << (width - 1)) - 1 : UINT64_MAX;
    }
    e->flags |= r != v ? INEXACT : 0;
    return is_signed ? (uint64_t)(int64_t)r : r >= 0x1p63 ? (uint64_t)(int64_t)(r - 0x1p63) | 1ull << 63 : (uint64_t)(int64_t)r;
}

static uint64_t to_integral(elm *e, uint64_t a)
{
    if (is_nan(e->wide, a))
        return chosen_nan(e, &a, 1);
    a = flushed(e, a);
    volatile double v = value(e->wide, a), r = nearbyint(v);
    e->flags |= r != v ? INEXACT : 0;
    return bits_of(e->wide, r);
}

static uint64_t from_integer(elm *e, uint64_t a, bool is_signed)
{
    volatile int64_t s = e->wide ? (int64_t)a : is_signed ? (int64_t)(int32_t)a : (int64_t)(uint32_t)a;
    volatile uint64_t u = a;
    volatile float f;
    volatile double d;
    feclearexcept(FE_ALL_EXCEPT);
    if (!e->wide)
        d = (double)(f = (float)s);
    else
        d = is_signed ? (double)s : (double)u;
    e->flags |= raised();
    return bits_of(e->wide, d);
}

/* A number to half precision. */
static uint64_t to_half(elm *e, uint64_t a)
{
    uint64_t sign = a >> 16 & 0x8000;
    if (is_nan(false, a)) {
        e->flags |= is_signalling(false, a) ? INVALID : 0;
        return sign | 0x7e00 | (a >> 13 & 0x1ff);
    }
    a = flushed(e, a);
    double v = value(false, a);
    if (isinf(v))
        return sign | 0x7c00;
    if (v == 0)
        return sign;
    int x = ilogb(v), at = x < -14 ? -14 : x;
    volatile double scaled = scalbn(v, 10 - at), r = nearbyint(scaled), free = scalbn(v, 10 - x);
    bool tiny = x < -14 && fabs(scalbn(nearbyint(free), x - 10)) < 0x1p-14;
    if (e->csr & MIPS_MSACSR_FS && x < -14) {
        e->flags |= INEXACT | UNDERFLOWS;
        return sign;
    }
    if (r != scaled)
        e->flags |= INEXACT | (tiny ? UNDERFLOWS : 0);
    if (x < -14 && r != 0 && fabs(r) < 1024)
        e->flags |= tiny_enabled(e);
    double result = fabs(scalbn(r, at - 10));
    if (result >= 65536) {
        unsigned rm = e->csr & MIPS_FCSR_RM;
        e->flags |= OVERFLOWS | INEXACT;
        return sign | (rm == 1 || (rm == 2 && sign) || (rm == 3 && !sign) ? 0x7bff : 0x7c00);
    }
    uint64_t n = (uint64_t)fabs(r); /* 11 bits, the highest set when normal */
    return sign | (uint64_t)((int64_t)n + ((int64_t)(at + 14) << 10));
}

static uint64_t from_half(elm *e, uint64_t h)
{
    uint64_t sign = (h & 0x8000) << 16, exp = h >> 10 & 31, frac = h & 0x3ff;
    if (exp == 31) {
        if (frac && !(frac & 0x200))
            e->flags |= INVALID;
        return sign | 0x7f800000 | frac << 13 | (frac ? 0x400000 : 0);
    }
    if (!exp && frac && e->csr & MIPS_MSACSR_FS) {
        e->flags |= INEXACT;
        return sign;
    }
    return sign | bits_of(false, exp ? scalbn((double)(frac | 0x400), (int)exp - 25) : scalbn((double)frac, -24));
}

static uint64_t to_single(elm *e, uint64_t a)
{
    uint64_t v[3] = { flushed(e, a), 0, 0 };
    if (is_nan(true, a)) {
        e->flags |= is_signalling(true, a) ? INVALID : 0;
        return (a >> 32 & 0x80000000u) | 0x7fc00000 | (a >> 29 & 0x3fffff);
    }
    return rounded(e, TO_SINGLE, v, 0, false);
}

static uint64_t from_single(elm *e, uint64_t a)
{
    if (is_nan(false, a)) {
        e->flags |= is_signalling(false, a) ? INVALID : 0;
        return (a & 0x80000000u) << 32 | 0x7ff8000000000000ull | (a & 0x3fffff) << 29;
    }
    e->wide = false;
    a = flushed(e, a);
    return bits_of(true, value(false, a));
}

/* To Q15 (of singles) or Q31 (of doubles). What is too large saturates with overflow. */
static uint64_t to_q(elm *e, uint64_t a)
{
    unsigned n = e->wide ? 31 : 15;
    double limit = e->wide ? 0x1p31 : 0x1p15;
    if (is_nan(e->wide, a)) {
        e->flags |= INVALID;
        return 0;
    }
    volatile double v = scalbn(value(e->wide, flushed(e, a)), (int)n), r = nearbyint(v);
    if (r >= limit || r < -limit) {
        e->flags |= OVERFLOWS | INEXACT;
        return r < 0 ? ~((1ull << n) - 1) : (1ull << n) - 1;
    }
    e->flags |= r != v ? INEXACT : 0;
    return (uint64_t)(int64_t)r;
}

/* --- an instruction --------------------------------------------------------------------------------------------------------------- */

static uint64_t get(const oryx_v128 *v, unsigned bytes, unsigned i)
{
    uint64_t x = 0;
    memcpy(&x, (const uint8_t *)v + (size_t)i * bytes, bytes);
    return x;
}

static void set(oryx_v128 *v, unsigned bytes, unsigned i, uint64_t x)
{
    memcpy((uint8_t *)v + (size_t)i * bytes, &x, bytes);
}

/* 3RF, opcode `op` of minor opcode `minor`. */
static uint64_t three(elm *e, unsigned minor, unsigned op, uint64_t s, uint64_t t, uint64_t d)
{
    static const uint8_t inverted[4] = { 0, 1, 2, 3 };
    if (minor == 0x1a)
        return compare(e, s, t, op, false);
    if (minor == 0x1c)
        return compare(e, s, t, inverted[op & 3] | (op & 8), true);
    switch (op) {
    case 0: return arithmetic(e, ADD, s, t, 2);
    case 1: return arithmetic(e, SUB, s, t, 2);
    case 2: return arithmetic(e, MUL, s, t, 2);
    case 3: return arithmetic(e, DIV, s, t, 2);
    case 4: return fused(e, s, t, d, false);
    case 5: return fused(e, s, t, d, true);
    case 7: return scale(e, s, e->wide ? (int64_t)t : (int64_t)(int32_t)t);
    case 12: return extreme(e, s, t, false, false);
    case 13: return extreme(e, s, t, false, true);
    case 14: return extreme(e, s, t, true, false);
    default: return extreme(e, s, t, true, true);
    }
}

static uint64_t two(elm *e, unsigned op, uint64_t s)
{
    switch (op) {
    case 1: return to_integer(e, s, true, FE_TOWARDZERO);
    case 2: return to_integer(e, s, false, FE_TOWARDZERO);
    case 3: return arithmetic(e, SQRT, s, 0, 1);
    case 4: return reciprocal(e, RSQRT, s);
    case 5: return reciprocal(e, RECIP, s);
    case 6: return to_integral(e, s);
    case 7: return log_2(e, s);
    case 8: /* FEXUPL, FEXUPR: s is of half the size */
    case 9: return e->wide ? from_single(e, s) : from_half(e, s);
    case 10: /* FFQL, FFQR */
    case 11: return e->wide ? bits_of(true, scalbn((double)(int32_t)s, -31)) : bits_of(false, scalbn((double)(int16_t)s, -15));
    case 12: return to_integer(e, s, true, host_rounding(e->csr));
    case 13: return to_integer(e, s, false, host_rounding(e->csr));
    case 14: return from_integer(e, s, true);
    default: return from_integer(e, s, false);
    }
}

/* Element i's exceptions: into cause, and an enabled one that does not trap (NX) leaves a signalling NaN with what it was. */
static uint64_t account(const elm *e, uint64_t r, uint64_t snan, uint32_t *cause)
{
    uint32_t enables = e->csr >> MIPS_FCSR_ENABLES_SHIFT & 0x1f;
    if (!(e->flags & enables)) {
        *cause |= e->flags;
        return r;
    }
    if (!(e->csr & MIPS_MSACSR_NX))
        *cause |= e->flags;
    return snan | e->flags;
}

static void run(const mips_state *s, uint32_t insn, oryx_v128 *out, uint32_t *cause)
{
    unsigned minor = insn & 0x3f, wide = minor == 0x1e ? insn >> 16 & 1 : insn >> 21 & 1, op = minor == 0x1e ? insn >> 17 & 15 : insn >> 22 & 15;
    unsigned size = wide ? 8 : 4, half = size / 2;
    const oryx_v128 *ws = &s->f[insn >> 11 & 31], *wt = &s->f[insn >> 16 & 31], *wd = &s->f[insn >> 6 & 31];
    bool narrows = minor == 0x1b && (op == 8 || op == 10), widens = minor == 0x1e && op >= 8 && op <= 11;
    for (unsigned i = 0; i < 16 / size; i++) {
        elm e = { .wide = wide, .csr = s->msacsr };
        uint64_t a = get(ws, size, i), b = get(wt, size, i);
        if (narrows) { /* wd's left half from ws, its right half from wt */
            uint64_t snan = wide ? 0x7f800000 : 0x7c00;
            uint64_t r = op == 10 ? to_q(&e, a) : wide ? to_single(&e, a) : to_half(&e, a);
            set(out, half, i + 16 / size, account(&e, r, snan, cause));
            e = (elm){ .wide = wide, .csr = s->msacsr };
            r = op == 10 ? to_q(&e, b) : wide ? to_single(&e, b) : to_half(&e, b);
            set(out, half, i, account(&e, r, snan, cause));
            continue;
        }
        if (widens) /* even numbers take the left half */
            a = get(ws, half, op & 1 ? i : i + 16 / size);
        uint64_t r = minor == 0x1e ? two(&e, op, a) : three(&e, minor, op, a, b, get(wd, size, i));
        set(out, size, i, account(&e, r, infinity(wide), cause));
    }
}

static void classify(mips_state *s, uint32_t insn)
{
    unsigned wide = insn >> 16 & 1, size = wide ? 8 : 4;
    oryx_v128 v = s->f[insn >> 11 & 31];
    for (unsigned i = 0; i < 16 / size; i++)
        set(&s->f[insn >> 6 & 31], size, i, mips_helper_class(get(&v, size, i), wide));
}

void mips_helper_msa_fp(oryx_cpu *cpu, uint32_t insn)
{
    mips_state *s = mips_state_of(cpu);
    oryx_v128 out;
    uint32_t cause = 0;
    fenv_t keep;
    if ((insn & 0x3f) == 0x1e && (insn >> 17 & 15) == 0) {
        classify(s, insn);
        return;
    }
    feholdexcept(&keep);
    fesetround(host_rounding(s->msacsr));
    run(s, insn, &out, &cause);
    fesetenv(&keep);
    s->msacsr = (s->msacsr & ~(0x3fu << MIPS_FCSR_CAUSE_SHIFT)) | cause << MIPS_FCSR_CAUSE_SHIFT;
    if (cause & s->msacsr >> MIPS_FCSR_ENABLES_SHIFT & 0x1f) {
        mips_raise_now(cpu, ORYX_EXC_FP, MIPS_SYN_MSAFPE);
        return;
    }
    s->msacsr |= cause << MIPS_FCSR_FLAGS_SHIFT;
    s->f[insn >> 6 & 31] = out;
}

/* --- control registers ------------------------------------------------------------------------------------------------------------ */

uint32_t mips_helper_cfcmsa(oryx_cpu *cpu, uint32_t n)
{
    return n == 0 ? mips_model_of(cpu)->msair : n == 1 ? mips_state_of(cpu)->msacsr : 0;
}

/* Whether an enabled Cause bit is set now. */
uint32_t mips_helper_ctcmsa(oryx_cpu *cpu, uint32_t n, uint32_t v)
{
    mips_state *s = mips_state_of(cpu);
    if (n != 1)
        return 0;
    s->msacsr = v & MIPS_MSACSR_RW;
    uint32_t cause = v >> MIPS_FCSR_CAUSE_SHIFT & 0x3f;
    return (cause & (v >> MIPS_FCSR_ENABLES_SHIFT & 0x1f)) != 0 || cause >> 5;
}

uint64_t mips_msacsr_mode(const mips_state *s)
{
    uint32_t fcsr = s->fcsr, csr = s->msacsr;
    bool same = !((fcsr ^ csr) & MIPS_FCSR_RM) && !((fcsr | csr) & MIPS_FCSR_FS) && fcsr & MIPS_FCSR_NAN2008;
    return same && !(csr & 0x1fu << MIPS_FCSR_ENABLES_SHIFT) ? MIPS_MODE_MSA_PLAIN : 0;
}
