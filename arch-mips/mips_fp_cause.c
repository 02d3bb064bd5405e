/* FCSR.Cause of the last FP operation, worked out when it is read: the operation, noted with its operands (mips_fp_begin_noted), is done
 * again on the host.
 *
 * Called by FCSR reads. What NaNs signal is decided from their bits, since the quiet bit means the opposite in FCSR.NAN2008 = 0; the host
 * sees numbers only. Invariant: the host's FP environment is as before. */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "mips_fp.h"

enum { INEXACT = 1, UNDERFLOWS = 2, OVERFLOWS = 4, DIVZERO = 8, INVALID = 16 };

typedef struct operand {
    double v;            /* of a number */
    bool nan, signalling;
} operand;

static operand load(const mips_state *s, uint64_t bits)
{
    operand o = { 0 };
    bool quiet_is_1 = s->fcsr & MIPS_FCSR_NAN2008;
    if (s->fp_op & MIPS_FP_DOUBLE) {
        o.nan = (bits & 0x7fffffffffffffffull) > 0x7ff0000000000000ull;
        o.signalling = o.nan && (bits >> 51 & 1) != quiet_is_1;
        if (!o.nan)
            memcpy(&o.v, &bits, 8);
        return o;
    }
    float f;
    uint32_t low = (uint32_t)bits;
    o.nan = (low & 0x7fffffffu) > 0x7f800000u;
    o.signalling = o.nan && (low >> 22 & 1) != quiet_is_1;
    if (!o.nan) {
        memcpy(&f, &low, 4);
        o.v = (double)f;
    }
    return o;
}

static int host_rounding(uint32_t rm)
{
    static const int modes[4] = { FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD };
    return modes[rm & MIPS_FCSR_RM];
}

/* Rounding of a conversion: ORYX_RM_*, or FCSR's. */
static int conversion_rounding(const mips_state *s)
{
    switch (s->fp_op >> 16) {
    case ORYX_RM_NEAREST: return FE_TONEAREST;
    case ORYX_RM_UP: return FE_UPWARD;
    case ORYX_RM_DOWN: return FE_DOWNWARD;
    case ORYX_RM_ZERO: return FE_TOWARDZERO;
    default: return host_rounding(s->fcsr);
    }
}

/* One operation in the operands' format; a multiply-add's parts are two. */
static double in_double(unsigned kind, double a, double b)
{
    volatile double x = a, y = b;
    volatile float narrow;
    switch (kind) {
    case MIPS_FP_ADD:
    case MIPS_FP_MADD: return x + y;
    case MIPS_FP_SUB:
    case MIPS_FP_MSUB: return x - y;
    case MIPS_FP_MUL: return x * y;
    case MIPS_FP_DIV: return x / y;
    case MIPS_FP_SQRT: return sqrt(x);
    default: return narrow = (float)x; /* CVT.S.D */
    }
}

static double in_single(unsigned kind, double a, double b)
{
    volatile float x = (float)a, y = (float)b;
    switch (kind) {
    case MIPS_FP_ADD:
    case MIPS_FP_MADD: x = x + y; break;
    case MIPS_FP_SUB:
    case MIPS_FP_MSUB: x = x - y; break;
    case MIPS_FP_MUL: x = x * y; break;
    case MIPS_FP_DIV: x = x / y; break;
    case MIPS_FP_SQRT: x = sqrtf(x); break;
    default: break; /* CVT.D.S is exact */
    }
    return (double)x;
}

static double arithmetic(unsigned kind, bool wide, double a, double b)
{
    volatile double r = wide ? in_double(kind, a, b) : in_single(kind, a, b);
    return r;
}

static uint32_t raised(void)
{
    int f = fetestexcept(FE_ALL_EXCEPT);
    return (f & FE_INEXACT ? INEXACT : 0) | (f & FE_UNDERFLOW ? UNDERFLOWS : 0) | (f & FE_OVERFLOW ? OVERFLOWS : 0) |
           (f & FE_DIVBYZERO ? DIVZERO : 0) | (f & FE_INVALID ? INVALID : 0);
}

static uint32_t to_integer(const mips_state *s, double v)
{
    double limit = (s->fp_op & 0xff) == MIPS_FP_TO_L ? 0x1p63 : 0x1p31, r;
    fesetround(conversion_rounding(s));
    volatile double x = v;
    r = nearbyint(x);
    if (!(r >= -limit && r < limit))
        return INVALID;
    return r != v ? INEXACT : 0;
}

static uint32_t from_integer(const mips_state *s)
{
    volatile int64_t v = (s->fp_op & 0xff) >= MIPS_FP_FROM_L_S ? (int64_t)s->fp_a : (int32_t)s->fp_a;
    volatile double d = 0;
    volatile float f = 0;
    if ((s->fp_op & 0xff) == MIPS_FP_FROM_L_S || (s->fp_op & 0xff) == MIPS_FP_FROM_W_S)
        f = (float)v;
    else
        d = (double)v;
    (void)d;
    (void)f;
    return raised();
}

static uint32_t redo(const mips_state *s)
{
    unsigned kind = s->fp_op & 0xff;
    bool wide = s->fp_op & MIPS_FP_DOUBLE;
    if (kind >= MIPS_FP_FROM_W_S)
        return from_integer(s);
    operand a = load(s, s->fp_a), b = { 0 }, c = { 0 };
    if (kind <= MIPS_FP_DIV || kind == MIPS_FP_MADD || kind == MIPS_FP_MSUB || kind == MIPS_FP_CMP || kind == MIPS_FP_CMPS)
        b = load(s, s->fp_b);
    if (kind == MIPS_FP_MADD || kind == MIPS_FP_MSUB)
        c = load(s, s->fp_c);
    if (a.signalling || b.signalling)
        return INVALID;
    switch (kind) {
    case MIPS_FP_CMP:
        return 0;
    case MIPS_FP_CMPS:
        return a.nan || b.nan ? INVALID : 0;
    case MIPS_FP_TO_W:
    case MIPS_FP_TO_L:
        return a.nan ? INVALID : to_integer(s, a.v);
    default:
        break;
    }
    if (a.nan || b.nan)
        return c.signalling ? INVALID : 0;
    double r;
    switch (kind) {
    case MIPS_FP_RECIP:
        arithmetic(MIPS_FP_DIV, wide, 1, a.v);
        break;
    case MIPS_FP_RSQRT:
        r = arithmetic(MIPS_FP_SQRT, wide, a.v, 0);
        if (!isnan(r))
            arithmetic(MIPS_FP_DIV, wide, 1, r);
        break;
    case MIPS_FP_MADD:
    case MIPS_FP_MSUB:
        r = arithmetic(MIPS_FP_MUL, wide, a.v, b.v);
        if (c.signalling)
            return raised() | INVALID;
        if (!isnan(r) && !c.nan)
            arithmetic(kind, wide, r, c.v);
        break;
    default:
        arithmetic(kind, wide, a.v, b.v);
        break;
    }
    return raised();
}

uint32_t mips_fp_cause(const mips_state *s)
{
    fenv_t keep;
    if (!s->fp_op)
        return s->cause;
    feholdexcept(&keep);
    fesetround(host_rounding(s->fcsr));
    uint32_t v = redo(s);
    fesetenv(&keep);
    return v;
}
