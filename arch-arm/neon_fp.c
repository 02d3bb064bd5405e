/* AdvSIMD floating point of A32 and T32: lanes of singles in the standard FPSCR value's environment.
 *
 * Called by generated code through the rows of a32_helpers.def. Invariant: default NaN, flush to zero and rounding to nearest
 * hold here whatever FPSCR says; only AHP and the sticky flags are its own. Once the inexact flag stands, a lane whose
 * operands and result are ordinary numbers is the host's arithmetic: it can raise no other flag. */
#include <string.h>

#include "neon.h"

static const format *const single = &formats[2];
static const format *const half = &formats[1];

static oryx_fpenv standard(const oryx_cpu *cpu)
{
    oryx_fpenv fp = cpu->fp;
    fp.rounding = ORYX_RM_NEAREST;
    fp.flush_in = fp.flush_out = fp.default_nan = 1;
    fp.flags = 0;
    return fp;
}

static uint64_t arithmetic(oryx_fpenv *fp, unsigned op, uint64_t a, uint64_t b)
{
    uint64_t v[2] = { a, b };
    return arm_fp_operate(fp, single, op, 0, 0, v);
}

static int is_nothing(uint64_t v) /* zero, once flushed */
{
    return !(v & 0x7f800000);
}

/* VRECPS: 2 - a * b; VRSQRTS: (3 - a * b) / 2: two roundings, and an answer of their own to 0 * infinity. */
static uint64_t step(oryx_fpenv *fp, uint64_t a, uint64_t b, unsigned root)
{
    unsigned a_infinite = (a & 0x7fffffff) == 0x7f800000, b_infinite = (b & 0x7fffffff) == 0x7f800000;
    if ((a_infinite && is_nothing(b)) || (is_nothing(a) && b_infinite)) {
        if ((a_infinite ? b : a) & 0x7fffff)
            fp->flags |= ORYX_FPF_DENORMAL;
        return root ? 0x3fc00000 : 0x40000000;
    }
    uint64_t r = arithmetic(fp, H_SUB, root ? 0x40400000 : 0x40000000, arithmetic(fp, H_MUL, a, b));
    return root ? arithmetic(fp, H_MUL, r, 0x3f000000) : r;
}

static uint64_t operate(oryx_fpenv *fp, unsigned op, unsigned mode, unsigned fraction, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t v[3] = { a, b, c };
    switch (op) {
    case N_MLA:
        return arithmetic(fp, H_ADD, c, arithmetic(fp, H_MUL, a, b));
    case N_MLS:
        return arithmetic(fp, H_ADD, c, arithmetic(fp, H_MUL, a, b) ^ 0x80000000);
    case N_ABD:
        return arithmetic(fp, H_SUB, a, b) & 0x7fffffff;
    case N_RECPS:
    case N_RSQRTS:
        return step(fp, a, b, op == N_RSQRTS);
    case N_RECPE:
        return arm_fp_recip_estimate(fp, single, a);
    case N_RSQRTE:
        return arm_fp_rsqrt_estimate(fp, single, a);
    default:
        return arm_fp_operate(fp, single, op, mode, fraction, v);
    }
}

/* A number that is neither NaN, infinite nor denormal. */
static int ordinary(uint32_t v)
{
    return (v & 0x7fffffff) == 0 || (v << 1) - 0x01000000u < 0xfe000000u;
}

/* The same as a result: the least binades are left to the exact way, where tininess counts. */
static int safe(uint32_t v)
{
    return (v << 1) - 0x02000000u < 0xfd000000u;
}

static int fast(unsigned op, uint32_t a, uint32_t b, uint32_t c, uint32_t *out)
{
    float x, y, z, r;
    if (!ordinary(a) || !ordinary(b) || (op >= N_MLA && !ordinary(c)))
        return 0;
    memcpy(&x, &a, 4), memcpy(&y, &b, 4), memcpy(&z, &c, 4);
    switch (op) {
    case H_ADD: r = x + y; break;
    case H_SUB: r = x - y; break;
    case H_MUL: r = x * y; break;
    case N_MLA:
    case N_MLS: {
        uint32_t product;
        r = x * y;
        memcpy(&product, &r, 4);
        if (!safe(product))
            return 0;
        r = op == N_MLA ? z + r : z - r;
        break;
    }
    default: return 0;
    }
    memcpy(out, &r, 4);
    return safe(*out);
}

void a32_helper_neon_fp(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *a, const oryx_v128 *b, const oryx_v128 *c,
                        uint32_t control)
{
    unsigned op = control & 255, lanes = control >> 8 & 15, mode = control >> 12 & 15, fraction = control >> 16;
    oryx_fpenv fp = standard(cpu);
    oryx_v128 r = { 0, 0 };
    unsigned host = cpu->fp.flags & ORYX_FPF_INEXACT && (op <= H_MUL || op == N_MLA || op == N_MLS);
    for (unsigned i = 0; i < lanes; i++) {
        uint64_t x = lane_get(a, 2, i), y = lane_get(b, 2, i), z = lane_get(c, 2, i);
        uint32_t quick;
        if (host && fast(op, (uint32_t)x, (uint32_t)y, (uint32_t)z, &quick))
            lane_put(&r, 2, i, quick);
        else
            lane_put(&r, 2, i, operate(&fp, op, mode, fraction, x, y, z));
    }
    cpu->fp.flags |= fp.flags;
    *out = r;
}

uint64_t a32_helper_neon_to_half(oryx_cpu *cpu, const oryx_v128 *v)
{
    oryx_fpenv fp = standard(cpu);
    uint64_t r = 0;
    for (unsigned i = 0; i < 4; i++)
        r |= arm_fp_convert(&fp, half, single, lane_get(v, 2, i)) << 16 * i;
    cpu->fp.flags |= fp.flags;
    return r;
}

void a32_helper_neon_from_half(oryx_v128 *out, oryx_cpu *cpu, uint64_t v)
{
    oryx_fpenv fp = standard(cpu);
    oryx_v128 r = { 0, 0 };
    for (unsigned i = 0; i < 4; i++)
        lane_put(&r, 2, i, arm_fp_convert(&fp, single, half, v >> 16 * i & 0xffff));
    cpu->fp.flags |= fp.flags;
    *out = r;
}
