/* AdvSIMD half-precision arithmetic, vector and scalar (FEAT_FP16; DDI 0487, C4.1 "Advanced SIMD
 * three same (FP16)",
 * "... two-register miscellaneous (FP16)"; C7.2).
 *
 * Called by the decoder, one body a row; scalar rows set bit 28 and have no q. Invariant: the
 * helper is told how many lanes the instruction has, so no other can raise a flag, and returns
 * zeros above them. */
#include "a64_fp16.h"

static unsigned lanes(const a64_fields *f)
{
    return f->insn >> 28 & 1 ? 1 : f->q ? 8 : 4;
}

static oryx_val reg(a64_lift *l, unsigned n)
{
    return a64_vreg(l, V128, n);
}

static void set(a64_lift *l, const a64_fields *f, oryx_val v)
{
    a64_set_vreg(l, V128, f->d, v);
}

static void op1(a64_lift *l, const a64_fields *f, unsigned op, unsigned mode)
{
    set(l, f, a64_fp16(l, reg(l, f->n), 0, 0, H_CONTROL(op, lanes(f), mode, 0)));
}

static void op2(a64_lift *l, const a64_fields *f, unsigned op)
{
    set(l, f, a64_fp16(l, reg(l, f->n), reg(l, f->m), 0, H_CONTROL(op, lanes(f), 0, 0)));
}

static void muladd(a64_lift *l, const a64_fields *f, oryx_val m, unsigned negate)
{
    oryx_val n = reg(l, f->n);
    if (negate)
        n = a64_fp16_neg(l, n);
    set(l, f, a64_fp16(l, n, m, reg(l, f->d), H_CONTROL(H_FMA, lanes(f), 0, 0)));
}

/* FABS, FNEG, FABD's last step: integer ops on the lanes that exist. */
static void set_lanes(a64_lift *l, const a64_fields *f, oryx_val v)
{
    if (f->q)
        set(l, f, v);
    else
        a64_set_vreg(l, V64, f->d, UN(VLOW, V64, V128, v, 0));
}

static void absolute_difference(a64_lift *l, const a64_fields *f)
{
    oryx_val v = a64_fp16(l, reg(l, f->n), reg(l, f->m), 0, H_CONTROL(H_SUB, lanes(f), 0, 0));
    set(l, f, a64_fp16_abs(l, v));
}

static void absolute_compare(a64_lift *l, const a64_fields *f, unsigned op)
{
    oryx_val n = a64_fp16_abs(l, reg(l, f->n)), m = a64_fp16_abs(l, reg(l, f->m));
    set(l, f, a64_fp16(l, n, m, 0, H_CONTROL(op, lanes(f), 0, 0)));
}

static void compare_zero(a64_lift *l, const a64_fields *f, unsigned op, unsigned swap)
{
    oryx_val n = reg(l, f->n), zero = zeros(l, V128);
    set(l, f, a64_fp16(l, swap ? zero : n, swap ? n : zero, 0, H_CONTROL(op, lanes(f), 0, 0)));
}

/* Neighbours of Vm:Vn. For four lanes the low halves are joined first. */
static void pairwise(a64_lift *l, const a64_fields *f, unsigned op)
{
    oryx_val n = reg(l, f->n), m = reg(l, f->m);
    if (!f->q)
        n = BIN(UZP1, V128, I64, n, m, 0);
    oryx_val even = BIN(UZP1, V128, I16, n, m, 0), odd = BIN(UZP2, V128, I16, n, m, 0);
    set(l, f, a64_fp16(l, even, odd, 0, H_CONTROL(op, lanes(f), 0, 0)));
}

/* Scalar pairwise, and one halving step of a reduction over n lanes: neighbours combine. */
static oryx_val halve(a64_lift *l, oryx_val v, unsigned op, unsigned n)
{
    oryx_val even = BIN(UZP1, V128, I16, v, v, 0), odd = BIN(UZP2, V128, I16, v, v, 0);
    return a64_fp16(l, even, odd, 0, H_CONTROL(op, n / 2, 0, 0));
}

static void reduce(a64_lift *l, const a64_fields *f, unsigned op)
{
    oryx_val v = reg(l, f->n);
    for (unsigned n = f->q ? 8 : 4; n > 1; n /= 2)
        v = halve(l, v, op, n);
    set(l, f, v);
}

/* The element h:l:m spread over a V128. */
static oryx_val element(a64_lift *l, const a64_fields *f)
{
    oryx_val e = UN(VGET, V128, I16, reg(l, f->m & 15), a64_el_index(1, f->h, f->l, f->m));
    return UN(DUP, V128, I16, e, 0);
}

static void op2_element(a64_lift *l, const a64_fields *f, unsigned op)
{
    set(l, f, a64_fp16(l, reg(l, f->n), element(l, f), 0, H_CONTROL(op, lanes(f), 0, 0)));
}

static void estimate(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v[2] = { reg(l, f->n), oryx_const(l->ir, I32, FP_LANES(lanes(f), 1)) };
    set(l, f, a64_call(l, helper, V128, v, 2));
}

static void step(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v[3] = { reg(l, f->n), reg(l, f->m), oryx_const(l->ir, I32, FP_LANES(lanes(f), 1)) };
    set(l, f, a64_call(l, helper, V128, v, 3));
}

/* Fixed-point conversions by immh:immb, 16 + i. */
static void fixed(a64_lift *l, const a64_fields *f, unsigned op, unsigned mode)
{
    set(l, f, a64_fp16(l, reg(l, f->n), 0, 0, H_CONTROL(op, lanes(f), mode, 16 - f->i)));
}

/* Rotations by 90 * r degrees; see a64_simd_complex.c. Lanes are (real, imaginary) pairs. */
static oryx_val rotated(a64_lift *l, oryx_val m, unsigned swap, unsigned negate_real,
                        unsigned negate_imaginary)
{
    uint64_t mask = (negate_real ? 0x8000u : 0) | (negate_imaginary ? 0x80000000u : 0);
    if (swap)
        m = UN(VREV, V128, I16, m, 32);
    return BIN(XOR, V128, I16, m, splat(l, V128, 2, mask), 0);
}

static void complex_muladd(a64_lift *l, const a64_fields *f, oryx_val m)
{
    unsigned odd = f->r & 1;
    oryx_val n = reg(l, f->n);
    n = odd ? BIN(TRN2, V128, I16, n, n, 0) : BIN(TRN1, V128, I16, n, n, 0);
    m = rotated(l, m, odd, f->r == 1 || f->r == 2, f->r >= 2);
    set(l, f, a64_fp16(l, n, m, reg(l, f->d), H_CONTROL(H_FMA, lanes(f), 0, 0)));
}

/* --- three same ------------------------------------------------------------------------------- */

ORYX_INSN(FMAXNM_v8h, "0q001110010mmmmm000001nnnnnddddd",
          "fmaxnm\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_MAXNM);
}

ORYX_INSN(FMLA_v8h, "0q001110010mmmmm000011nnnnnddddd",
          "fmla\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    muladd(l, f, reg(l, f->m), 0);
}

ORYX_INSN(FADD_v8h, "0q001110010mmmmm000101nnnnnddddd",
          "fadd\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_ADD);
}

ORYX_INSN(FMULX_v8h, "0q001110010mmmmm000111nnnnnddddd",
          "fmulx\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_MULX);
}

ORYX_INSN(FCMEQ_v8h, "0q001110010mmmmm001001nnnnnddddd",
          "fcmeq\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_CMEQ);
}

ORYX_INSN(FMAX_v8h, "0q001110010mmmmm001101nnnnnddddd",
          "fmax\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_MAX);
}

ORYX_INSN(FRECPS_v8h, "0q001110010mmmmm001111nnnnnddddd",
          "frecps\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    step(l, f, A64_HELPER_frecps);
}

ORYX_INSN(FMINNM_v8h, "0q001110110mmmmm000001nnnnnddddd",
          "fminnm\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_MINNM);
}

ORYX_INSN(FMLS_v8h, "0q001110110mmmmm000011nnnnnddddd",
          "fmls\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    muladd(l, f, reg(l, f->m), 1);
}

ORYX_INSN(FSUB_v8h, "0q001110110mmmmm000101nnnnnddddd",
          "fsub\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_SUB);
}

ORYX_INSN(FMIN_v8h, "0q001110110mmmmm001101nnnnnddddd",
          "fmin\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_MIN);
}

ORYX_INSN(FRSQRTS_v8h, "0q001110110mmmmm001111nnnnnddddd",
          "frsqrts\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    step(l, f, A64_HELPER_frsqrts);
}

ORYX_INSN(FMAXNMP_v8h, "0q101110010mmmmm000001nnnnnddddd",
          "fmaxnmp\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    pairwise(l, f, H_MAXNM);
}

ORYX_INSN(FADDP_v8h, "0q101110010mmmmm000101nnnnnddddd",
          "faddp\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    pairwise(l, f, H_ADD);
}

ORYX_INSN(FMUL_v8h, "0q101110010mmmmm000111nnnnnddddd",
          "fmul\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_MUL);
}

ORYX_INSN(FCMGE_v8h, "0q101110010mmmmm001001nnnnnddddd",
          "fcmge\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_CMGE);
}

ORYX_INSN(FACGE_v8h, "0q101110010mmmmm001011nnnnnddddd",
          "facge\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    absolute_compare(l, f, H_CMGE);
}

ORYX_INSN(FMAXP_v8h, "0q101110010mmmmm001101nnnnnddddd",
          "fmaxp\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    pairwise(l, f, H_MAX);
}

ORYX_INSN(FDIV_v8h, "0q101110010mmmmm001111nnnnnddddd",
          "fdiv\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_DIV);
}

ORYX_INSN(FMINNMP_v8h, "0q101110110mmmmm000001nnnnnddddd",
          "fminnmp\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    pairwise(l, f, H_MINNM);
}

ORYX_INSN(FABD_v8h, "0q101110110mmmmm000101nnnnnddddd",
          "fabd\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    absolute_difference(l, f);
}

ORYX_INSN(FCMGT_v8h, "0q101110110mmmmm001001nnnnnddddd",
          "fcmgt\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    op2(l, f, H_CMGT);
}

ORYX_INSN(FACGT_v8h, "0q101110110mmmmm001011nnnnnddddd",
          "facgt\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    absolute_compare(l, f, H_CMGT);
}

ORYX_INSN(FMINP_v8h, "0q101110110mmmmm001101nnnnnddddd",
          "fminp\t%v(1,q,d), %v(1,q,n), %v(1,q,m)", FP16)
{
    pairwise(l, f, H_MIN);
}

ORYX_INSN(FMULX_sch, "01011110010mmmmm000111nnnnnddddd",
          "fmulx\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_MULX);
}

ORYX_INSN(FCMEQ_sch, "01011110010mmmmm001001nnnnnddddd",
          "fcmeq\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_CMEQ);
}

ORYX_INSN(FRECPS_sch, "01011110010mmmmm001111nnnnnddddd",
          "frecps\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    step(l, f, A64_HELPER_frecps);
}

ORYX_INSN(FRSQRTS_sch, "01011110110mmmmm001111nnnnnddddd",
          "frsqrts\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    step(l, f, A64_HELPER_frsqrts);
}

ORYX_INSN(FCMGE_sch, "01111110010mmmmm001001nnnnnddddd",
          "fcmge\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_CMGE);
}

ORYX_INSN(FACGE_sch, "01111110010mmmmm001011nnnnnddddd",
          "facge\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    absolute_compare(l, f, H_CMGE);
}

ORYX_INSN(FABD_sch, "01111110110mmmmm000101nnnnnddddd", "fabd\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    absolute_difference(l, f);
}

ORYX_INSN(FCMGT_sch, "01111110110mmmmm001001nnnnnddddd",
          "fcmgt\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_CMGT);
}

ORYX_INSN(FACGT_sch, "01111110110mmmmm001011nnnnnddddd",
          "facgt\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    absolute_compare(l, f, H_CMGT);
}

ORYX_INSN(FCMLA_v8h, "0q101110010mmmmm110rr1nnnnnddddd",
          "fcmla\t%v(1,q,d), %v(1,q,n), %v(1,q,m), #%u(90*r)", FP16)
{
    complex_muladd(l, f, reg(l, f->m));
}

ORYX_INSN(FCADD_v8h, "0q101110010mmmmm111r01nnnnnddddd",
          "fcadd\t%v(1,q,d), %v(1,q,n), %v(1,q,m), #%u(r?270:90)", FP16)
{
    oryx_val m = rotated(l, reg(l, f->m), 1, !f->r, f->r);
    set(l, f, a64_fp16(l, reg(l, f->n), m, 0, H_CONTROL(H_ADD, lanes(f), 0, 0)));
}

/* --- two-register miscellaneous --------------------------------------------------------------- */

ORYX_INSN(FRINTN_v8h, "0q00111001111001100010nnnnnddddd", "frintn\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_NEAREST);
}

ORYX_INSN(FRINTM_v8h, "0q00111001111001100110nnnnnddddd", "frintm\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_DOWN);
}

ORYX_INSN(FCVTNS_v8h, "0q00111001111001101010nnnnnddddd", "fcvtns\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_NEAREST | FI_SIGNED);
}

ORYX_INSN(FCVTMS_v8h, "0q00111001111001101110nnnnnddddd", "fcvtms\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_DOWN | FI_SIGNED);
}

ORYX_INSN(FCVTAS_v8h, "0q00111001111001110010nnnnnddddd", "fcvtas\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_AWAY | FI_SIGNED);
}

ORYX_INSN(SCVTF_v8h, "0q00111001111001110110nnnnnddddd", "scvtf\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_FROMINT, FI_SIGNED);
}

ORYX_INSN(FCMGT_0_v8h, "0q00111011111000110010nnnnnddddd",
          "fcmgt\t%v(1,q,d), %v(1,q,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGT, 0);
}

ORYX_INSN(FCMEQ_0_v8h, "0q00111011111000110110nnnnnddddd",
          "fcmeq\t%v(1,q,d), %v(1,q,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMEQ, 0);
}

ORYX_INSN(FCMLT_0_v8h, "0q00111011111000111010nnnnnddddd",
          "fcmlt\t%v(1,q,d), %v(1,q,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGT, 1);
}

ORYX_INSN(FABS_v8h, "0q00111011111000111110nnnnnddddd", "fabs\t%v(1,q,d), %v(1,q,n)", FP16)
{
    set_lanes(l, f, a64_fp16_abs(l, reg(l, f->n)));
}

ORYX_INSN(FRINTP_v8h, "0q00111011111001100010nnnnnddddd", "frintp\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_UP);
}

ORYX_INSN(FRINTZ_v8h, "0q00111011111001100110nnnnnddddd", "frintz\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_ZERO);
}

ORYX_INSN(FCVTPS_v8h, "0q00111011111001101010nnnnnddddd", "fcvtps\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_UP | FI_SIGNED);
}

ORYX_INSN(FCVTZS_v8h, "0q00111011111001101110nnnnnddddd", "fcvtzs\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_ZERO | FI_SIGNED);
}

ORYX_INSN(FRECPE_v8h, "0q00111011111001110110nnnnnddddd", "frecpe\t%v(1,q,d), %v(1,q,n)", FP16)
{
    estimate(l, f, A64_HELPER_frecpe);
}

ORYX_INSN(FRINTA_v8h, "0q10111001111001100010nnnnnddddd", "frinta\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_AWAY);
}

ORYX_INSN(FRINTX_v8h, "0q10111001111001100110nnnnnddddd", "frintx\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_ENV | FI_EXACT);
}

ORYX_INSN(FCVTNU_v8h, "0q10111001111001101010nnnnnddddd", "fcvtnu\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_NEAREST);
}

ORYX_INSN(FCVTMU_v8h, "0q10111001111001101110nnnnnddddd", "fcvtmu\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_DOWN);
}

ORYX_INSN(FCVTAU_v8h, "0q10111001111001110010nnnnnddddd", "fcvtau\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_AWAY);
}

ORYX_INSN(UCVTF_v8h, "0q10111001111001110110nnnnnddddd", "ucvtf\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_FROMINT, 0);
}

ORYX_INSN(FCMGE_0_v8h, "0q10111011111000110010nnnnnddddd",
          "fcmge\t%v(1,q,d), %v(1,q,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGE, 0);
}

ORYX_INSN(FCMLE_0_v8h, "0q10111011111000110110nnnnnddddd",
          "fcmle\t%v(1,q,d), %v(1,q,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGE, 1);
}

ORYX_INSN(FNEG_v8h, "0q10111011111000111110nnnnnddddd", "fneg\t%v(1,q,d), %v(1,q,n)", FP16)
{
    set_lanes(l, f, a64_fp16_neg(l, reg(l, f->n)));
}

ORYX_INSN(FRINTI_v8h, "0q10111011111001100110nnnnnddddd", "frinti\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_ENV);
}

ORYX_INSN(FCVTPU_v8h, "0q10111011111001101010nnnnnddddd", "fcvtpu\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_UP);
}

ORYX_INSN(FCVTZU_v8h, "0q10111011111001101110nnnnnddddd", "fcvtzu\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_ZERO);
}

ORYX_INSN(FRSQRTE_v8h, "0q10111011111001110110nnnnnddddd", "frsqrte\t%v(1,q,d), %v(1,q,n)", FP16)
{
    estimate(l, f, A64_HELPER_frsqrte);
}

ORYX_INSN(FSQRT_v8h, "0q10111011111001111110nnnnnddddd", "fsqrt\t%v(1,q,d), %v(1,q,n)", FP16)
{
    op1(l, f, H_SQRT, 0);
}

ORYX_INSN(FCVTNS_sch, "0101111001111001101010nnnnnddddd", "fcvtns\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_NEAREST | FI_SIGNED);
}

ORYX_INSN(FCVTMS_sch, "0101111001111001101110nnnnnddddd", "fcvtms\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_DOWN | FI_SIGNED);
}

ORYX_INSN(FCVTAS_sch, "0101111001111001110010nnnnnddddd", "fcvtas\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_AWAY | FI_SIGNED);
}

ORYX_INSN(SCVTF_sch, "0101111001111001110110nnnnnddddd", "scvtf\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_FROMINT, FI_SIGNED);
}

ORYX_INSN(FCMGT_0_sch, "0101111011111000110010nnnnnddddd", "fcmgt\t%fp(1,d), %fp(1,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGT, 0);
}

ORYX_INSN(FCMEQ_0_sch, "0101111011111000110110nnnnnddddd", "fcmeq\t%fp(1,d), %fp(1,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMEQ, 0);
}

ORYX_INSN(FCMLT_0_sch, "0101111011111000111010nnnnnddddd", "fcmlt\t%fp(1,d), %fp(1,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGT, 1);
}

ORYX_INSN(FCVTPS_sch, "0101111011111001101010nnnnnddddd", "fcvtps\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_UP | FI_SIGNED);
}

ORYX_INSN(FCVTZS_sch, "0101111011111001101110nnnnnddddd", "fcvtzs\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_ZERO | FI_SIGNED);
}

ORYX_INSN(FRECPE_sch, "0101111011111001110110nnnnnddddd", "frecpe\t%fp(1,d), %fp(1,n)", FP16)
{
    estimate(l, f, A64_HELPER_frecpe);
}

ORYX_INSN(FRECPX_sch, "0101111011111001111110nnnnnddddd", "frecpx\t%fp(1,d), %fp(1,n)", FP16)
{
    estimate(l, f, A64_HELPER_frecpx);
}

ORYX_INSN(FCVTNU_sch, "0111111001111001101010nnnnnddddd", "fcvtnu\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_NEAREST);
}

ORYX_INSN(FCVTMU_sch, "0111111001111001101110nnnnnddddd", "fcvtmu\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_DOWN);
}

ORYX_INSN(FCVTAU_sch, "0111111001111001110010nnnnnddddd", "fcvtau\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_AWAY);
}

ORYX_INSN(UCVTF_sch, "0111111001111001110110nnnnnddddd", "ucvtf\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_FROMINT, 0);
}

ORYX_INSN(FCMGE_0_sch, "0111111011111000110010nnnnnddddd", "fcmge\t%fp(1,d), %fp(1,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGE, 0);
}

ORYX_INSN(FCMLE_0_sch, "0111111011111000110110nnnnnddddd", "fcmle\t%fp(1,d), %fp(1,n), #0.0", FP16)
{
    compare_zero(l, f, H_CMGE, 1);
}

ORYX_INSN(FCVTPU_sch, "0111111011111001101010nnnnnddddd", "fcvtpu\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_UP);
}

ORYX_INSN(FCVTZU_sch, "0111111011111001101110nnnnnddddd", "fcvtzu\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_TOINT, ORYX_RM_ZERO);
}

ORYX_INSN(FRSQRTE_sch, "0111111011111001110110nnnnnddddd", "frsqrte\t%fp(1,d), %fp(1,n)", FP16)
{
    estimate(l, f, A64_HELPER_frsqrte);
}

/* --- across lanes, scalar pairwise, modified immediate ---------------------------------------- */

ORYX_INSN(FMAXNMV_h, "0q00111000110000110010nnnnnddddd", "fmaxnmv\t%fp(1,d), %v(1,q,n)", FP16)
{
    reduce(l, f, H_MAXNM);
}

ORYX_INSN(FMAXV_h, "0q00111000110000111110nnnnnddddd", "fmaxv\t%fp(1,d), %v(1,q,n)", FP16)
{
    reduce(l, f, H_MAX);
}

ORYX_INSN(FMINNMV_h, "0q00111010110000110010nnnnnddddd", "fminnmv\t%fp(1,d), %v(1,q,n)", FP16)
{
    reduce(l, f, H_MINNM);
}

ORYX_INSN(FMINV_h, "0q00111010110000111110nnnnnddddd", "fminv\t%fp(1,d), %v(1,q,n)", FP16)
{
    reduce(l, f, H_MIN);
}

ORYX_INSN(FMAXNMP_sch, "0101111000110000110010nnnnnddddd", "fmaxnmp\t%fp(1,d), v%u(n).2h", FP16)
{
    set(l, f, halve(l, reg(l, f->n), H_MAXNM, 2));
}

ORYX_INSN(FADDP_sch, "0101111000110000110110nnnnnddddd", "faddp\t%fp(1,d), v%u(n).2h", FP16)
{
    set(l, f, halve(l, reg(l, f->n), H_ADD, 2));
}

ORYX_INSN(FMAXP_sch, "0101111000110000111110nnnnnddddd", "fmaxp\t%fp(1,d), v%u(n).2h", FP16)
{
    set(l, f, halve(l, reg(l, f->n), H_MAX, 2));
}

ORYX_INSN(FMINNMP_sch, "0101111010110000110010nnnnnddddd", "fminnmp\t%fp(1,d), v%u(n).2h", FP16)
{
    set(l, f, halve(l, reg(l, f->n), H_MINNM, 2));
}

ORYX_INSN(FMINP_sch, "0101111010110000111110nnnnnddddd", "fminp\t%fp(1,d), v%u(n).2h", FP16)
{
    set(l, f, halve(l, reg(l, f->n), H_MIN, 2));
}

ORYX_INSN(FMOV_v8h, "0q00111100000iii111111iiiiiddddd", "fmov\t%v(1,q,d), #%fimm(i)", FP16)
{
    a64_set_vreg(l, vec(f->q), f->d, splat(l, vec(f->q), 1, a64_expand_fp16_imm(f->i)));
}

/* --- shift by immediate: fixed point ---------------------------------------------------------- */

ORYX_INSN(SCVTF_vih, "0q0011110001iiii111001nnnnnddddd",
          "scvtf\t%v(1,q,d), %v(1,q,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_FROMINT, FI_SIGNED);
}

ORYX_INSN(FCVTZS_vih, "0q0011110001iiii111111nnnnnddddd",
          "fcvtzs\t%v(1,q,d), %v(1,q,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_TOINT, ORYX_RM_ZERO | FI_SIGNED);
}

ORYX_INSN(SCVTF_scih, "010111110001iiii111001nnnnnddddd",
          "scvtf\t%fp(1,d), %fp(1,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_FROMINT, FI_SIGNED);
}

ORYX_INSN(FCVTZS_scih, "010111110001iiii111111nnnnnddddd",
          "fcvtzs\t%fp(1,d), %fp(1,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_TOINT, ORYX_RM_ZERO | FI_SIGNED);
}

ORYX_INSN(UCVTF_vih, "0q1011110001iiii111001nnnnnddddd",
          "ucvtf\t%v(1,q,d), %v(1,q,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_FROMINT, 0);
}

ORYX_INSN(FCVTZU_vih, "0q1011110001iiii111111nnnnnddddd",
          "fcvtzu\t%v(1,q,d), %v(1,q,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_TOINT, ORYX_RM_ZERO);
}

ORYX_INSN(UCVTF_scih, "011111110001iiii111001nnnnnddddd",
          "ucvtf\t%fp(1,d), %fp(1,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_FROMINT, 0);
}

ORYX_INSN(FCVTZU_scih, "011111110001iiii111111nnnnnddddd",
          "fcvtzu\t%fp(1,d), %fp(1,n), #%u(16-i)", FP16)
{
    fixed(l, f, H_TOINT, ORYX_RM_ZERO);
}

/* --- by element ------------------------------------------------------------------------------- */

ORYX_INSN(FMLA_el8h, "0q00111100lmmmmm0001h0nnnnnddddd",
          "fmla\t%v(1,q,d), %v(1,q,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    muladd(l, f, element(l, f), 0);
}

ORYX_INSN(FMLA_scelh, "0101111100lmmmmm0001h0nnnnnddddd",
          "fmla\t%fp(1,d), %fp(1,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    muladd(l, f, element(l, f), 0);
}

ORYX_INSN(FMLS_el8h, "0q00111100lmmmmm0101h0nnnnnddddd",
          "fmls\t%v(1,q,d), %v(1,q,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    muladd(l, f, element(l, f), 1);
}

ORYX_INSN(FMLS_scelh, "0101111100lmmmmm0101h0nnnnnddddd",
          "fmls\t%fp(1,d), %fp(1,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    muladd(l, f, element(l, f), 1);
}

ORYX_INSN(FMUL_el8h, "0q00111100lmmmmm1001h0nnnnnddddd",
          "fmul\t%v(1,q,d), %v(1,q,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    op2_element(l, f, H_MUL);
}

ORYX_INSN(FMUL_scelh, "0101111100lmmmmm1001h0nnnnnddddd",
          "fmul\t%fp(1,d), %fp(1,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    op2_element(l, f, H_MUL);
}

ORYX_INSN(FMULX_el8h, "0q10111100lmmmmm1001h0nnnnnddddd",
          "fmulx\t%v(1,q,d), %v(1,q,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    op2_element(l, f, H_MULX);
}

ORYX_INSN(FMULX_scelh, "0111111100lmmmmm1001h0nnnnnddddd",
          "fmulx\t%fp(1,d), %fp(1,n), %vx(1,a64_el_reg(1,m),a64_el_index(1,h,l,m))", FP16)
{
    op2_element(l, f, H_MULX);
}

ORYX_INSN(FCMLA_el8h, "0q10111101lmmmmm0rr1h0nnnnnddddd",
          "[q || h == 0] fcmla\t%v(1,q,d), %v(1,q,n), %vx(1,m,h*2+l), #%u(90*r)", FP16)
{
    oryx_val pair = UN(VGET, V128, I32, reg(l, f->m), f->h * 2 + f->l);
    complex_muladd(l, f, UN(DUP, V128, I32, pair, 0));
}
