/* Operations on one element of a format of arm_softfloat.h, the environment being the caller's. */
#ifndef ARM_FPOP_H
#define ARM_FPOP_H

#include "arm_softfloat.h"

/* Two operands up to H_MULX and the compares, then H_FMA with three (a * b + c), then those with
 * one. */
enum {
    H_ADD,
    H_SUB,
    H_MUL,
    H_DIV,
    H_MAX,
    H_MIN,
    H_MAXNM,
    H_MINNM,
    H_MULX,
    H_CMEQ,
    H_CMGE,
    H_CMGT,
    H_FMA,
    H_SQRT,
    H_ROUND,
    H_TOINT,
    H_FROMINT
};
enum { H_EXACT = 8, H_SIGNED = 8 }; /* beside the rounding in mode: H_ROUND; conversions */

/* v: the operands' bits (overwritten). mode: rounding and H_EXACT or H_SIGNED; fraction bits. Integers have the format's
 * size. */
uint64_t arm_fp_operate(oryx_fpenv *fp, const format *fmt, unsigned op, unsigned mode, unsigned fraction, uint64_t *v);
/* FPToFixed into `bits` bits, FixedToFP of as many. */
uint64_t arm_fp_to_fixed(oryx_fpenv *fp, number x, unsigned mode, unsigned fraction, unsigned bits);
uint64_t arm_fp_from_fixed(oryx_fpenv *fp, const format *fmt, uint64_t v, unsigned mode, unsigned fraction, unsigned bits);
/* Order of two values that are not NaNs, from their bits: -1, 0, 1. */
int arm_fp_order(const format *fmt, uint64_t a, uint64_t b);
/* FPRecipEstimate, FPRSqrtEstimate; and their tables: a in 256..511 stands for 0.5..1.0, a in 128..511 for 0.25..1.0. */
uint64_t arm_fp_recip_estimate(oryx_fpenv *fp, const format *fmt, uint64_t v);
uint64_t arm_fp_rsqrt_estimate(oryx_fpenv *fp, const format *fmt, uint64_t v);
unsigned arm_recip_estimate(unsigned a);
unsigned arm_rsqrt_estimate(unsigned a);
/* FPConvert between formats. */
uint64_t arm_fp_convert(oryx_fpenv *fp, const format *to, const format *from, uint64_t v);

#endif
