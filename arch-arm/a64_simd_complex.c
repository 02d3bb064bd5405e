/* AdvSIMD complex arithmetic: FCADD, FCMLA (DDI 0487, C4.1 "Advanced SIMD three same extra"; C7.2;
 * FEAT_FCMA).
 *
 * Called by the decoder, one body a row. Invariant: a lane pair is (real, imaginary); each lane is
 * one fused or one plain addition of the manual's pseudocode, signs being flipped beforehand as
 * FPNeg does. */
#include "a64_simd.h"

/* Rotations by 90 * r degrees. */
static void set_fcmla(a64_lift *l, const a64_fields *f, oryx_val m)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n), d = a64_vreg(l, t, f->d);
    arm_complex_factors(l->ir, t, f->p + 2, f->r, &n, &m);
    a64_set_vreg(l, t, f->d, TRI(FMA, t, flane(f->p), n, m, d, 0));
}

ORYX_INSN(FCMLA_v, "0q1011101p0mmmmm110rr1nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmla\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m), #%u(90*r)", FCMA)
{
    set_fcmla(l, f, a64_vreg(l, vec(f->q), f->m));
}

ORYX_INSN(FCADD_v, "0q1011101p0mmmmm111r01nnnnnddddd",
          "[!(p == 1 && q == 0)] fcadd\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m), #%u(r?270:90)", FCMA)
{
    unsigned t = vec(f->q), z = f->p + 2;
    oryx_val m = arm_swap_pairs(l->ir, t, z, a64_vreg(l, t, f->m));
    m = arm_negate_parts(l->ir, t, z, m, !f->r, f->r);
    a64_set_vreg(l, t, f->d, BIN(FADD, t, flane(f->p), a64_vreg(l, t, f->n), m, 0));
}

ORYX_INSN(FCMLA_el, "0q10111110lmmmmm0rr1h0nnnnnddddd",
          "[q && l == 0] fcmla\t%v(2,q,d), %v(2,q,n), %vx(2,m,h), #%u(90*r)", FCMA)
{
    /* The element is a pair of singles. */
    oryx_val pair = UN(VGET, V128, I64, a64_vreg(l, V128, f->m), f->h);
    set_fcmla(l, f, UN(DUP, V128, I64, pair, 0));
}
