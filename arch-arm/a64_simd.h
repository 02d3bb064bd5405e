/* Vocabulary of the AdvSIMD and FP bodies: types by field, short names for the IR's vector
 * builders, register access.
 *
 * z is log2 of the element's bytes, q the full-width bit, p the precision bit (0 single, 1 double).
 * The invariant the bodies keep: an op that can set a sticky flag (effects E and Q of oryx_ir.def)
 * never sees lanes the instruction does not have, so Q = 0 forms work on V64 and scalar forms on
 * scalar types or masked vectors. */
#ifndef A64_SIMD_H
#define A64_SIMD_H

#include "a64_text.h"
#include "arm_simd.h"

/* A vector constant: the low 8 << z bits of v in every lane. */
static inline oryx_val splat(a64_lift *l, unsigned type, unsigned z, uint64_t v)
{
    v = arm_replicate(z, v);
    return oryx_vconst(l->ir, type, v, type == V128 ? v : 0);
}
static inline oryx_val zeros(a64_lift *l, unsigned type)
{
    return oryx_vconst(l->ir, type, 0, 0);
}
/* Every lane but number 0 cleared, as a V128: for scalar forms of ops that exist on V128 only. */
static inline oryx_val lane0(a64_lift *l, unsigned z, unsigned n)
{
    uint64_t mask = z < 3 ? (UINT64_C(1) << (8u << z)) - 1 : UINT64_MAX;
    return BIN(AND, V128, I64, a64_vreg(l, V128, n), oryx_vconst(l->ir, V128, mask, 0), 0);
}
/* The result of a narrowing op, lanes in the low half of the V128 v: the low half of Vd and zeros,
 * or (q) the high half beside Vd's low one. */
static inline void set_narrow(a64_lift *l, unsigned q, unsigned d, oryx_val v)
{
    if (q) {
        oryx_val high = UN(VLOW, V64, V128, v, 0);
        oryx_put(l->ir, V64, A64_OFF_V(d) + 8u, high);
    } else {
        a64_set_vreg(l, V128, d, v);
    }
}

/* Multiply shapes shared by three different (a64_simd_three_diff.c) and by element. m: the second
 * factor, a V128; acc: 0, or the op that accumulates on Vd. */
void a64_mul_long(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc, unsigned is_signed);
void a64_qdmul_long(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc);
void a64_qdmul_long_scalar(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc);

/* a64_simd_by_element.c: SQRDMLAH, SQRDMLSH (op ADD, SUB) and the dot products; the results have
 * type vec(f->q). */
oryx_val a64_rdm(a64_lift *l, const a64_fields *f, oryx_val m, unsigned op);
void a64_rdm_scalar(a64_lift *l, const a64_fields *f, oryx_val m, unsigned op);
oryx_val a64_dot(a64_lift *l, const a64_fields *f, oryx_val m, unsigned is_signed);

#endif
