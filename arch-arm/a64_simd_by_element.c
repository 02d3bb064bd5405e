/* AdvSIMD vector and scalar by element (DDI 0487, C4.1 "Advanced SIMD vector x indexed element";
 * C7.2), with the RDM and dot product bodies their three same forms share.
 *
 * Called by the decoder and by a64_simd_three_same.c and a64_simd_scalar.c. Invariant: the element
 * is first spread over a vector of the operation's width (DUP), then the vector form's IR applies.
 */
#include "a64_simd.h"

/* Element h:l:m (by size) of Vm as a lane-typed scalar, and spread over a vector. z: log2 of its
 * bytes. */
static oryx_val element(a64_lift *l, const a64_fields *f, unsigned z, unsigned type)
{
    oryx_val m = a64_vreg(l, V128, a64_el_reg(z, f->m));
    return UN(VGET, V128, type, m, a64_el_index(z, f->h, f->l, f->m));
}

static oryx_val spread(a64_lift *l, const a64_fields *f, unsigned z, unsigned to, unsigned type)
{
    return UN(DUP, to, type, element(l, f, z, type), 0);
}

/* Integer, same width; acc: 0 or the accumulating op. */
static void same_el(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm, unsigned acc)
{
    unsigned t = vec(f->q), ln = lane(f->z);
    oryx_val v = oryx_vbin(l->ir, op, t, ln, a64_vreg(l, t, f->n), spread(l, f, f->z, t, ln), imm);
    if (acc)
        v = oryx_vbin(l->ir, acc, t, ln, a64_vreg(l, t, f->d), v, 0);
    a64_set_vreg(l, t, f->d, v);
}

static void long_el(a64_lift *l, const a64_fields *f, unsigned acc, unsigned is_signed)
{
    a64_mul_long(l, f, spread(l, f, f->z, V128, lane(f->z)), acc, is_signed);
}

static void qdlong_el(a64_lift *l, const a64_fields *f, unsigned acc)
{
    a64_qdmul_long(l, f, spread(l, f, f->z, V128, lane(f->z)), acc);
}

static void qdlong_scalar_el(a64_lift *l, const a64_fields *f, unsigned acc)
{
    a64_qdmul_long_scalar(l, f, spread(l, f, f->z, V128, lane(f->z)), acc);
}

static void fmul_el(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned t = vec(f->q), ln = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, ln, n, spread(l, f, f->p + 2, t, ln), 0));
}

static void fmla_el(a64_lift *l, const a64_fields *f, unsigned negate)
{
    unsigned t = vec(f->q), ln = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = spread(l, f, f->p + 2, t, ln);
    if (negate)
        n = UN(FNEG, t, ln, n, 0);
    a64_set_vreg(l, t, f->d, TRI(FMA, t, ln, n, m, a64_vreg(l, t, f->d), 0));
}

static void fmul_scalar_el(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, t, n, element(l, f, f->p + 2, t), 0));
}

static void fmla_scalar_el(a64_lift *l, const a64_fields *f, unsigned negate)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = element(l, f, f->p + 2, t);
    if (negate)
        n = UN(FNEG, t, t, n, 0);
    a64_set_vreg(l, t, f->d, TRI(FMA, t, t, n, m, a64_vreg(l, t, f->d), 0));
}

static void qdmulh_scalar_el(a64_lift *l, const a64_fields *f, unsigned imm)
{
    unsigned t = lane(f->z);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, BIN(QDMULH, t, t, n, element(l, f, f->z, t), imm));
}

oryx_val a64_rdm(a64_lift *l, const a64_fields *f, oryx_val m, unsigned op)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n);
    return arm_rdm(l->ir, f->q, f->z, d, n, m, op);
}

/* Scalar: with the other lanes of d and n zero, theirs stay zero and cannot saturate. */
void a64_rdm_scalar(a64_lift *l, const a64_fields *f, oryx_val m, unsigned op)
{
    oryx_val d = lane0(l, f->z, f->d), n = lane0(l, f->z, f->n);
    a64_set_vreg(l, V128, f->d, arm_rdm_half(l->ir, f->z, d, n, m, op, 0));
}

oryx_val a64_dot(a64_lift *l, const a64_fields *f, oryx_val m, unsigned is_signed)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n);
    return arm_dot(l->ir, f->q, d, n, m, is_signed);
}

/* --- integer ---------------------------------------------------------------------------------- */

ORYX_INSN(SMLAL_el, "0q001111zzlmmmmm0010h0nnnnnddddd",
          "[z == 1 || z == 2] smlal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    long_el(l, f, ORYX_OP_ADD, SIGNED);
}

ORYX_INSN(SQDMLAL_el, "0q001111zzlmmmmm0011h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmlal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdlong_el(l, f, ORYX_OP_QADD);
}

ORYX_INSN(SMLSL_el, "0q001111zzlmmmmm0110h0nnnnnddddd",
          "[z == 1 || z == 2] smlsl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    long_el(l, f, ORYX_OP_SUB, SIGNED);
}

ORYX_INSN(SQDMLSL_el, "0q001111zzlmmmmm0111h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmlsl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdlong_el(l, f, ORYX_OP_QSUB);
}

ORYX_INSN(MUL_el, "0q001111zzlmmmmm1000h0nnnnnddddd",
          "[z == 1 || z == 2] mul\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    same_el(l, f, ORYX_OP_MUL, 0, 0);
}

ORYX_INSN(SMULL_el, "0q001111zzlmmmmm1010h0nnnnnddddd",
          "[z == 1 || z == 2] smull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    long_el(l, f, 0, SIGNED);
}

ORYX_INSN(SQDMULL_el, "0q001111zzlmmmmm1011h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdlong_el(l, f, 0);
}

ORYX_INSN(SQDMULH_el, "0q001111zzlmmmmm1100h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmulh\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    same_el(l, f, ORYX_OP_QDMULH, STICKY, 0);
}

ORYX_INSN(SQRDMULH_el, "0q001111zzlmmmmm1101h0nnnnnddddd",
          "[z == 1 || z == 2] sqrdmulh\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    same_el(l, f, ORYX_OP_QDMULH, STICKY | ROUND, 0);
}

ORYX_INSN(MLA_el, "0q101111zzlmmmmm0000h0nnnnnddddd",
          "[z == 1 || z == 2] mla\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    same_el(l, f, ORYX_OP_MUL, 0, ORYX_OP_ADD);
}

ORYX_INSN(UMLAL_el, "0q101111zzlmmmmm0010h0nnnnnddddd",
          "[z == 1 || z == 2] umlal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    long_el(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(MLS_el, "0q101111zzlmmmmm0100h0nnnnnddddd",
          "[z == 1 || z == 2] mls\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    same_el(l, f, ORYX_OP_MUL, 0, ORYX_OP_SUB);
}

ORYX_INSN(UMLSL_el, "0q101111zzlmmmmm0110h0nnnnnddddd",
          "[z == 1 || z == 2] umlsl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    long_el(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(UMULL_el, "0q101111zzlmmmmm1010h0nnnnnddddd",
          "[z == 1 || z == 2] umull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    long_el(l, f, 0, 0);
}

ORYX_INSN(SQRDMLAH_el, "0q101111zzlmmmmm1101h0nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlah\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", RDM)
{
    oryx_val m = spread(l, f, f->z, V128, lane(f->z));
    a64_set_vreg(l, vec(f->q), f->d, a64_rdm(l, f, m, ORYX_OP_ADD));
}

ORYX_INSN(SQRDMLSH_el, "0q101111zzlmmmmm1111h0nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlsh\t%v(z,q,d), %v(z,q,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", RDM)
{
    oryx_val m = spread(l, f, f->z, V128, lane(f->z));
    a64_set_vreg(l, vec(f->q), f->d, a64_rdm(l, f, m, ORYX_OP_SUB));
}

ORYX_INSN(SDOT_el, "0q00111110lmmmmm1110h0nnnnnddddd",
          "sdot\t%v(2,q,d), %v(0,q,n), v%u(m).4b[%u(h*2+l)]", DOTPROD)
{
    a64_set_vreg(l, vec(f->q), f->d, a64_dot(l, f, spread(l, f, 2, V128, I32), SIGNED));
}

ORYX_INSN(UDOT_el, "0q10111110lmmmmm1110h0nnnnnddddd",
          "udot\t%v(2,q,d), %v(0,q,n), v%u(m).4b[%u(h*2+l)]", DOTPROD)
{
    a64_set_vreg(l, vec(f->q), f->d, a64_dot(l, f, spread(l, f, 2, V128, I32), 0));
}

/* --- floating point --------------------------------------------------------------------------- */

ORYX_INSN(FMLA_el, "0q0011111plmmmmm0001h0nnnnnddddd",
          "[p == 0 || (l == 0 && q == 1)] fmla\t%v(p+2,q,d), %v(p+2,q,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmla_el(l, f, 0);
}

ORYX_INSN(FMLS_el, "0q0011111plmmmmm0101h0nnnnnddddd",
          "[p == 0 || (l == 0 && q == 1)] fmls\t%v(p+2,q,d), %v(p+2,q,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmla_el(l, f, 1);
}

ORYX_INSN(FMUL_el, "0q0011111plmmmmm1001h0nnnnnddddd",
          "[p == 0 || (l == 0 && q == 1)] fmul\t%v(p+2,q,d), %v(p+2,q,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmul_el(l, f, ORYX_OP_FMUL);
}

ORYX_INSN(FMULX_el, "0q1011111plmmmmm1001h0nnnnnddddd",
          "[p == 0 || (l == 0 && q == 1)] fmulx\t%v(p+2,q,d), %v(p+2,q,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmul_el(l, f, ORYX_OP_FMULX);
}

/* --- scalar by element ------------------------------------------------------------------------ */

ORYX_INSN(SQDMLAL_scel, "01011111zzlmmmmm0011h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmlal\t%fp(z+1,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdlong_scalar_el(l, f, ORYX_OP_QADD);
}

ORYX_INSN(SQDMLSL_scel, "01011111zzlmmmmm0111h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmlsl\t%fp(z+1,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdlong_scalar_el(l, f, ORYX_OP_QSUB);
}

ORYX_INSN(SQDMULL_scel, "01011111zzlmmmmm1011h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmull\t%fp(z+1,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdlong_scalar_el(l, f, 0);
}

ORYX_INSN(SQDMULH_scel, "01011111zzlmmmmm1100h0nnnnnddddd",
          "[z == 1 || z == 2] sqdmulh\t%fp(z,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdmulh_scalar_el(l, f, STICKY);
}

ORYX_INSN(SQRDMULH_scel, "01011111zzlmmmmm1101h0nnnnnddddd",
          "[z == 1 || z == 2] sqrdmulh\t%fp(z,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", SIMD)
{
    qdmulh_scalar_el(l, f, STICKY | ROUND);
}

ORYX_INSN(SQRDMLAH_scel, "01111111zzlmmmmm1101h0nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlah\t%fp(z,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", RDM)
{
    a64_rdm_scalar(l, f, spread(l, f, f->z, V128, lane(f->z)), ORYX_OP_ADD);
}

ORYX_INSN(SQRDMLSH_scel, "01111111zzlmmmmm1111h0nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlsh\t%fp(z,d), %fp(z,n), "
          "%vx(z,a64_el_reg(z,m),a64_el_index(z,h,l,m))", RDM)
{
    a64_rdm_scalar(l, f, spread(l, f, f->z, V128, lane(f->z)), ORYX_OP_SUB);
}

ORYX_INSN(FMLA_scel, "010111111plmmmmm0001h0nnnnnddddd",
          "[p == 0 || l == 0] fmla\t%fp(p+2,d), %fp(p+2,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmla_scalar_el(l, f, 0);
}

ORYX_INSN(FMLS_scel, "010111111plmmmmm0101h0nnnnnddddd",
          "[p == 0 || l == 0] fmls\t%fp(p+2,d), %fp(p+2,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmla_scalar_el(l, f, 1);
}

ORYX_INSN(FMUL_scel, "010111111plmmmmm1001h0nnnnnddddd",
          "[p == 0 || l == 0] fmul\t%fp(p+2,d), %fp(p+2,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmul_scalar_el(l, f, ORYX_OP_FMUL);
}

ORYX_INSN(FMULX_scel, "011111111plmmmmm1001h0nnnnnddddd",
          "[p == 0 || l == 0] fmulx\t%fp(p+2,d), %fp(p+2,n), "
          "%vx(p+2,m,a64_el_index(p+2,h,l,m))", SIMD)
{
    fmul_scalar_el(l, f, ORYX_OP_FMULX);
}
