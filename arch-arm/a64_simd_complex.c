/* AdvSIMD complex arithmetic: FCADD, FCMLA (DDI 0487, C4.1 "Advanced SIMD three same extra"; C7.2;
 * FEAT_FCMA).
 *
 * Called by the decoder, one body a row. Invariant: a lane pair is (real, imaginary); each lane is
 * one fused or one plain addition of the manual's pseudocode, signs being flipped beforehand as
 * FPNeg does. */
#include "a64_simd.h"

static oryx_val swap_pairs(a64_lift *l, unsigned t, unsigned z, oryx_val v)
{
    return z == 3 ? BIN(VEXT, t, I8, v, v, 8) : UN(VREV, t, I32, v, 64);
}

/* FPNeg of the real lanes, the imaginary ones, or both. */
static oryx_val negate_lanes(a64_lift *l, unsigned t, unsigned z, oryx_val v, unsigned real,
                             unsigned imaginary)
{
    uint64_t re = real ? UINT64_C(1) : 0, im = imaginary ? UINT64_C(1) : 0;
    uint64_t low = z == 3 ? re << 63 : re << 31 | im << 63, high = z == 3 ? im << 63 : low;
    if (!re && !im)
        return v;
    return BIN(XOR, t, I64, v, oryx_vconst(l->ir, t, low, t == V128 ? high : 0), 0);
}

/* Rotations by 90 * r degrees. */
static void set_fcmla(a64_lift *l, const a64_fields *f, oryx_val m)
{
    unsigned t = vec(f->q), z = f->p + 2, odd = f->r & 1;
    oryx_val n = a64_vreg(l, t, f->n), d = a64_vreg(l, t, f->d);
    oryx_val a = odd ? BIN(TRN2, t, lane(z), n, n, 0) : BIN(TRN1, t, lane(z), n, n, 0);
    oryx_val b =
        negate_lanes(l, t, z, odd ? swap_pairs(l, t, z, m) : m, f->r == 1 || f->r == 2, f->r >= 2);
    a64_set_vreg(l, t, f->d, TRI(FMA, t, flane(f->p), a, b, d, 0));
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
    oryx_val m = swap_pairs(l, t, z, a64_vreg(l, t, f->m));
    m = negate_lanes(l, t, z, m, !f->r, f->r);
    a64_set_vreg(l, t, f->d, BIN(FADD, t, flane(f->p), a64_vreg(l, t, f->n), m, 0));
}

ORYX_INSN(FCMLA_el, "0q10111110lmmmmm0rr1h0nnnnnddddd",
          "[q && l == 0] fcmla\t%v(2,q,d), %v(2,q,n), %vx(2,m,h), #%u(90*r)", FCMA)
{
    /* The element is a pair of singles. */
    oryx_val pair = UN(VGET, V128, I64, a64_vreg(l, V128, f->m), f->h);
    set_fcmla(l, f, UN(DUP, V128, I64, pair, 0));
}
