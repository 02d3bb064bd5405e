/* AdvSIMD across lanes and scalar pairwise (DDI 0487, C4.1 "Advanced SIMD across lanes", "Advanced
 * SIMD scalar pairwise"; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: FP reductions combine neighbours first, in the
 * manual's order, so NaNs propagate as it says; Q = 0 reduces a V64. */
#include "a64_simd.h"

enum { REDUCE_ADD, REDUCE_MINU, REDUCE_MINS, REDUCE_MAXU, REDUCE_MAXS };

static void reduce(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned t = vec(f->q);
    a64_set_vreg(l, lane(f->z), f->d, UN(REDUCE, t, lane(f->z), a64_vreg(l, t, f->n), how));
}

static void reduce_long(a64_lift *l, const a64_fields *f, unsigned is_signed)
{
    oryx_val n = a64_vreg(l, V128, f->n), v = UN(WIDEN, V128, lane(f->z), n, is_signed);
    unsigned w = lane(f->z + 1);
    if (f->q)
        v = BIN(ADD, V128, w, v, UN(WIDEN, V128, lane(f->z), n, is_signed | HIGH), 0);
    a64_set_vreg(l, w, f->d, UN(REDUCE, V128, w, v, REDUCE_ADD));
}

/* Four single lanes: (0 op 1) op (2 op 3). */
static void freduce(a64_lift *l, const a64_fields *f, unsigned op)
{
    oryx_val n = a64_vreg(l, V128, f->n), e[4];
    for (unsigned i = 0; i < 4; i++)
        e[i] = UN(VGET, V128, F32, n, i);
    oryx_val low = oryx_bin(l->ir, op, F32, e[0], e[1]),
             high = oryx_bin(l->ir, op, F32, e[2], e[3]);
    a64_set_vreg(l, F32, f->d, oryx_bin(l->ir, op, F32, low, high));
}

static void fpair(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned t = flane(f->p), from = vec(f->p);
    oryx_val n = a64_vreg(l, from, f->n);
    oryx_val a = UN(VGET, from, t, n, 0), b = UN(VGET, from, t, n, 1);
    a64_set_vreg(l, t, f->d, oryx_bin(l->ir, op, t, a, b));
}

/* --- across lanes ----------------------------------------------------------------------------- */

ORYX_INSN(SADDLV, "0q001110zz110000001110nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] saddlv\t%fp(z+1,d), %v(z,q,n)", SIMD)
{
    reduce_long(l, f, SIGNED);
}

ORYX_INSN(SMAXV, "0q001110zz110000101010nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] smaxv\t%fp(z,d), %v(z,q,n)", SIMD)
{
    reduce(l, f, REDUCE_MAXS);
}

ORYX_INSN(SMINV, "0q001110zz110001101010nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] sminv\t%fp(z,d), %v(z,q,n)", SIMD)
{
    reduce(l, f, REDUCE_MINS);
}

ORYX_INSN(ADDV, "0q001110zz110001101110nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] addv\t%fp(z,d), %v(z,q,n)", SIMD)
{
    reduce(l, f, REDUCE_ADD);
}

ORYX_INSN(UADDLV, "0q101110zz110000001110nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] uaddlv\t%fp(z+1,d), %v(z,q,n)", SIMD)
{
    reduce_long(l, f, 0);
}

ORYX_INSN(UMAXV, "0q101110zz110000101010nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] umaxv\t%fp(z,d), %v(z,q,n)", SIMD)
{
    reduce(l, f, REDUCE_MAXU);
}

ORYX_INSN(UMINV, "0q101110zz110001101010nnnnnddddd",
          "[z < 3 && !(z == 2 && q == 0)] uminv\t%fp(z,d), %v(z,q,n)", SIMD)
{
    reduce(l, f, REDUCE_MINU);
}

ORYX_INSN(FMAXNMV, "0110111000110000110010nnnnnddddd", "fmaxnmv\t%fp(2,d), %v(2,1,n)", SIMD)
{
    freduce(l, f, ORYX_OP_FMAXNM);
}

ORYX_INSN(FMAXV, "0110111000110000111110nnnnnddddd", "fmaxv\t%fp(2,d), %v(2,1,n)", SIMD)
{
    freduce(l, f, ORYX_OP_FMAX);
}

ORYX_INSN(FMINNMV, "0110111010110000110010nnnnnddddd", "fminnmv\t%fp(2,d), %v(2,1,n)", SIMD)
{
    freduce(l, f, ORYX_OP_FMINNM);
}

ORYX_INSN(FMINV, "0110111010110000111110nnnnnddddd", "fminv\t%fp(2,d), %v(2,1,n)", SIMD)
{
    freduce(l, f, ORYX_OP_FMIN);
}

/* --- scalar pairwise -------------------------------------------------------------------------- */

ORYX_INSN(ADDP_sc, "0101111011110001101110nnnnnddddd", "addp\t%fp(3,d), %v(3,1,n)", SIMD)
{
    oryx_val n = a64_vreg(l, V128, f->n);
    oryx_val low = UN(VLOW, V64, V128, n, 0), high = UN(VHIGH, V64, V128, n, 0);
    a64_set_vreg(l, V64, f->d, BIN(ADD, V64, I64, low, high, 0));
}

ORYX_INSN(FMAXNMP_sc, "011111100p110000110010nnnnnddddd", "fmaxnmp\t%fp(p+2,d), %v(p+2,p,n)", SIMD)
{
    fpair(l, f, ORYX_OP_FMAXNM);
}

ORYX_INSN(FADDP_sc, "011111100p110000110110nnnnnddddd", "faddp\t%fp(p+2,d), %v(p+2,p,n)", SIMD)
{
    fpair(l, f, ORYX_OP_FADD);
}

ORYX_INSN(FMAXP_sc, "011111100p110000111110nnnnnddddd", "fmaxp\t%fp(p+2,d), %v(p+2,p,n)", SIMD)
{
    fpair(l, f, ORYX_OP_FMAX);
}

ORYX_INSN(FMINNMP_sc, "011111101p110000110010nnnnnddddd", "fminnmp\t%fp(p+2,d), %v(p+2,p,n)", SIMD)
{
    fpair(l, f, ORYX_OP_FMINNM);
}

ORYX_INSN(FMINP_sc, "011111101p110000111110nnnnnddddd", "fminp\t%fp(p+2,d), %v(p+2,p,n)", SIMD)
{
    fpair(l, f, ORYX_OP_FMIN);
}
