/* FP operations that are not IR ops: reciprocal estimates and steps, FRECPX, FCVTXN (DDI 0487, J1.3
 * shared/functions/float).
 *
 * Called by generated code through the rows of a64_helpers.def. Invariant: arithmetic is exact, and
 * rounded once by round_pack. */
#include "a64_softfloat.h"
#include "arm_fpop.h"

typedef uint64_t unary_fn(oryx_fpenv *fp, const format *fmt, uint64_t v);
typedef uint64_t binary_fn(oryx_fpenv *fp, const format *fmt, uint64_t a, uint64_t b);

static void unary(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, uint32_t lanes, unary_fn *fn)
{
    unsigned z = lanes & 15;
    oryx_v128 r = { 0, 0 };
    oryx_fpenv fp = fp_enter(cpu, z);
    for (unsigned i = 0; i < lanes >> 4; i++)
        lane_put(&r, z, i, fn(&fp, &formats[z], lane_get(n, z, i)));
    fp_leave(cpu, &fp);
    *out = r;
}

static void binary(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, const oryx_v128 *m,
                   uint32_t lanes, binary_fn *fn)
{
    unsigned z = lanes & 15;
    oryx_v128 r = { 0, 0 };
    oryx_fpenv fp = fp_enter(cpu, z);
    for (unsigned i = 0; i < lanes >> 4; i++)
        lane_put(&r, z, i, fn(&fp, &formats[z], lane_get(n, z, i), lane_get(m, z, i)));
    fp_leave(cpu, &fp);
    *out = r;
}

static uint64_t recpx(oryx_fpenv *fp, const format *fmt, uint64_t v)
{
    number x = unpack(fp, fmt, v);
    if (x.kind >= QNAN)
        return process_nan(fp, fmt, x, v);
    uint64_t exp = v >> fmt->frac & fmt->exp_max;
    return pack(fmt, x.sign, exp ? ~exp & fmt->exp_max : fmt->exp_max - 1, 0);
}

/* Double to single, rounded to odd, so that a second rounding is right. */
static uint64_t cvtxn(oryx_fpenv *fp, const format *fmt, uint64_t v)
{
    const format *to = &formats[2];
    number x = unpack(fp, fmt, v);
    switch (x.kind) {
    case QNAN:
    case SNAN:
        v = process_nan(fp, fmt, x, v);
        return pack(to, (unsigned)(v >> 63), to->exp_max, (v >> 29) & 0x7fffff);
    case INFINITE:
        return infinity(to, x.sign);
    case ZERO:
        return pack(to, x.sign, 0, 0);
    default:
        return round_pack(fp, to, x.sign, x.exp, (u128)x.mant << 74, ROUND_ODD);
    }
}

/* --- steps ------------------------------------------------------------------------------------ */
/* (constant - a * b) * 2^scale, rounded once; constant is 2.0 or 3.0, its value for 0 * inf is
 * given. */
static uint64_t step(oryx_fpenv *fp, const format *fmt, uint64_t a, uint64_t b, unsigned three)
{
    a ^= UINT64_C(1) << (fmt->size - 1);
    number x = unpack(fp, fmt, a), y = unpack(fp, fmt, b);
    if (x.kind == SNAN || (x.kind == QNAN && y.kind != SNAN))
        return process_nan(fp, fmt, x, a);
    if (y.kind >= QNAN)
        return process_nan(fp, fmt, y, b);
    /* 0 * anything: 2.0, or 3.0 / 2 = 1.5, exactly. */
    uint64_t nothing = three ? pack(fmt, 0, fmt->bias, UINT64_C(1) << (fmt->frac - 1))
                             : pack(fmt, 0, fmt->bias + 1, 0);
    if (x.kind == ZERO || y.kind == ZERO)
        return nothing;
    if (x.kind == INFINITE || y.kind == INFINITE)
        return infinity(fmt, x.sign ^ y.sign);
    unsigned sign = x.sign ^ y.sign;
    u128 p = (u128)x.mant * y.mant, c = three ? (u128)3 << 125 : (u128)1 << 126;
    int exp = x.exp + y.exp;
    exp += (int)(p >> 105);
    p <<= p >> 105 ? 21 : 22;
    /* Align to the larger exponent; the constant has exponent 1. */
    if (exp > 1)
        c = shift_jam(c, (unsigned)(exp - 1));
    else
        p = shift_jam(p, (unsigned)(1 - exp));
    exp = exp > 1 ? exp : 1;
    u128 sum;
    if (!sign) {
        sum = p + c;
        if (sum >> 127) {
            sum = shift_jam(sum, 1);
            exp++;
        }
    } else {
        if (p == c)
            return pack(fmt, fp->rounding == ORYX_RM_DOWN, 0, 0);
        sign = p > c;
        sum = sign ? p - c : c - p;
        while (!(sum >> 126)) {
            sum <<= 1;
            exp--;
        }
    }
    return round_pack(fp, fmt, sign, exp - (three ? 1 : 0), sum, fp->rounding);
}

static uint64_t recps(oryx_fpenv *fp, const format *fmt, uint64_t a, uint64_t b)
{
    return step(fp, fmt, a, b, 0);
}

static uint64_t rsqrts(oryx_fpenv *fp, const format *fmt, uint64_t a, uint64_t b)
{
    return step(fp, fmt, a, b, 1);
}

/* --- the helpers ------------------------------------------------------------------------------ */
void a64_helper_frecpe(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, uint32_t lanes)
{
    unary(out, cpu, n, lanes, arm_fp_recip_estimate);
}

void a64_helper_frsqrte(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, uint32_t lanes)
{
    unary(out, cpu, n, lanes, arm_fp_rsqrt_estimate);
}

void a64_helper_frecpx(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, uint32_t lanes)
{
    unary(out, cpu, n, lanes, recpx);
}

/* Results are singles, packed in the low half. */
void a64_helper_fcvtxn(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, uint32_t lanes)
{
    oryx_v128 r = { 0, 0 };
    for (unsigned i = 0; i < lanes >> 4; i++)
        lane_put(&r, 2, i, cvtxn(&cpu->fp, &formats[3], lane_get(n, 3, i)));
    *out = r;
}

void a64_helper_frecps(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, const oryx_v128 *m,
                       uint32_t lanes)
{
    binary(out, cpu, n, m, lanes, recps);
}

void a64_helper_frsqrts(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *n, const oryx_v128 *m,
                        uint32_t lanes)
{
    binary(out, cpu, n, m, lanes, rsqrts);
}

void a64_helper_urecpe(oryx_v128 *out, const oryx_v128 *n, uint32_t lanes)
{
    oryx_v128 r = { 0, 0 };
    for (unsigned i = 0; i < lanes >> 4; i++) {
        uint32_t v = (uint32_t)lane_get(n, 2, i);
        lane_put(&r, 2, i, v >> 31 ? arm_recip_estimate(v >> 23) << 23 : UINT32_MAX);
    }
    *out = r;
}

void a64_helper_ursqrte(oryx_v128 *out, const oryx_v128 *n, uint32_t lanes)
{
    oryx_v128 r = { 0, 0 };
    for (unsigned i = 0; i < lanes >> 4; i++) {
        uint32_t v = (uint32_t)lane_get(n, 2, i);
        lane_put(&r, 2, i, v >> 30 ? arm_rsqrt_estimate(v >> 23) << 23 : UINT32_MAX);
    }
    *out = r;
}

/* FPToFixedJS: towards zero, modulo 2^32. Packed flags in the high half. */
uint64_t a64_helper_fjcvtzs(oryx_cpu *cpu, uint64_t v)
{
    number x = unpack(&cpu->fp, &formats[3], v);
    if (x.kind >= INFINITE) {
        cpu->fp.flags |= ORYX_FPF_INVALID;
        return 0;
    }
    if (x.kind == ZERO)
        return x.sign ? 0
                      : (uint64_t)ORYX_FLAG_Z
                            << 32; /* -0, or a denormal flushed to it, is not exact */
    /* Whole part modulo 2^64: bits beyond shift out. */
    uint64_t whole = x.exp < 0     ? 0
                     : x.exp < 52  ? x.mant >> (52 - x.exp)
                     : x.exp < 116 ? x.mant << (x.exp - 52)
                                   : 0;
    unsigned inexact = x.exp < 0 || (x.exp < 52 && x.mant << (12 + x.exp));
    uint64_t limit = UINT64_C(0x7fffffff) + x.sign;
    uint32_t result = (uint32_t)(x.sign ? 0 - whole : whole);
    if (x.exp > 31 || whole > limit)
        cpu->fp.flags |= ORYX_FPF_INVALID;
    else if (inexact)
        cpu->fp.flags |= ORYX_FPF_INEXACT;
    else
        return (uint64_t)ORYX_FLAG_Z << 32 | result;
    return result;
}
