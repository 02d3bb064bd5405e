/* Vocabulary of the AdvSIMD rows of A32 and T32 (neon_*.c).
 *
 * Fields as vfp.h has them, q the full-width bit, z log2 of the element's bytes, u the unsigned bit. Registers are numbered
 * as doublewords; a Q register has an even number, or the word is UNDEFINED. FP arithmetic obeys the "standard FPSCR value"
 * (default NaN, flush to zero, to nearest), not the vCPU's: neon_fp uses the IR's FP ops where the two cannot differ, helpers
 * (neon_fp.c) elsewhere. */
#ifndef NEON_H
#define NEON_H

#include "arm_fpop.h"
#include "vfp.h"

#define N(f) vfp_n(1, (f)->n)

oryx_val neon_get(a32_lift *l, unsigned q, unsigned r);
void neon_set(a32_lift *l, unsigned q, unsigned r, oryx_val v);
/* A doubleword register as the low half of a V128, zeros above: for ops that exist on V128 only. */
oryx_val neon_wide(a32_lift *l, unsigned q, unsigned r);
oryx_val neon_widen_value(a32_lift *l, unsigned q, oryx_val v);
/* The low half of a V128 for q = 0, or all of it. */
oryx_val neon_narrow_value(a32_lift *l, unsigned q, oryx_val v);
static inline oryx_val neon_splat(a32_lift *l, unsigned type, unsigned z, uint64_t v)
{
    v = arm_replicate(z, v);
    return oryx_vconst(l->ir, type, v, type == V128 ? v : 0);
}

uint64_t neon_expand_imm(unsigned c, unsigned o, uint32_t i, unsigned *z); /* neon_copy.c: AdvSIMDExpandImm, log2 of its bytes */

/* neon_fp.c: FP on lanes of singles. Operations beyond arm_fpop.h's, each a formula of the manual. */
enum { N_MLA = 32, N_MLS, N_ABD, N_RECPS, N_RSQRTS, N_RECPE, N_RSQRTE };
#define NEON_CONTROL(op, lanes, mode, fraction) \
    ((uint32_t)(op) | (uint32_t)(lanes) << 8 | (uint32_t)(mode) << 12 | (uint32_t)(fraction) << 16)
/* a, b, c: vectors of type vec(q), 0: not used. */
oryx_val neon_fp(a32_lift *l, unsigned q, unsigned op, unsigned mode, unsigned fraction, oryx_val a, oryx_val b, oryx_val c);

#endif
