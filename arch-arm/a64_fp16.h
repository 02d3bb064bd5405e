/* Half-precision arithmetic: the operations of the fp16 helper and the call that makes one. */
#ifndef A64_FP16_H
#define A64_FP16_H

#include "a64_simd.h"
#include "arm_fpop.h"

/* The helpers' control word. mode: rounding and FI_* as in FROUND, FTOI, ITOF. */
#define H_CONTROL(op, lanes, mode, fraction) \
    ((uint32_t)(op) | (uint32_t)(lanes) << 8 | (uint32_t)(mode) << 12 | (uint32_t)(fraction) << 16)

/* The operation on V128 operands (0: not used); a V128 whose other lanes are zero. */
oryx_val a64_fp16(a64_lift *l, oryx_val a, oryx_val b, oryx_val c, uint32_t control);
oryx_val a64_fp16_neg(a64_lift *l, oryx_val v); /* FPNeg, FPAbs of every lane */
oryx_val a64_fp16_abs(a64_lift *l, oryx_val v);

#endif
