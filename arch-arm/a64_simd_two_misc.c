/* AdvSIMD two-register miscellaneous, vector forms (DDI 0487, C4.1 "Advanced SIMD two-register
 * miscellaneous"; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: Q = 0 works on V64, so lanes the instruction
 * does not have raise no flag, and the write clears the upper half. */
#include "a64_simd.h"

static void unary(a64_lift *l, const a64_fields *f, unsigned op, unsigned ln, uint64_t imm)
{
    unsigned t = vec(f->q);
    a64_set_vreg(l, t, f->d, oryx_vun(l->ir, op, t, ln, a64_vreg(l, t, f->n), imm));
}

static void compare_zero(a64_lift *l, const a64_fields *f, unsigned cc)
{
    unsigned t = vec(f->q);
    a64_set_vreg(l, t, f->d, BIN(VCMP, t, lane(f->z), a64_vreg(l, t, f->n), zeros(l, t), cc));
}

static void add_long(a64_lift *l, const a64_fields *f, unsigned is_signed, unsigned acc)
{
    unsigned t = vec(f->q);
    oryx_val v = arm_add_long_pairs(l->ir, t, f->z, a64_vreg(l, t, f->n), is_signed);
    if (acc)
        v = BIN(ADD, t, lane(f->z + 1), a64_vreg(l, t, f->d), v, 0);
    a64_set_vreg(l, t, f->d, v);
}

/* SUQADD (is_signed: of the result) and USQADD: with the sign bit of the accumulator flipped both
 * operands are of one kind, and its saturation points are those wanted. */
static void add_mixed(a64_lift *l, const a64_fields *f, unsigned is_signed)
{
    unsigned t = vec(f->q), ln = lane(f->z);
    oryx_val top = splat(l, t, f->z, UINT64_C(1) << ((8u << f->z) - 1));
    oryx_val d = BIN(XOR, t, ln, a64_vreg(l, t, f->d), top, 0);
    oryx_val sum = BIN(QADD, t, ln, d, a64_vreg(l, t, f->n), STICKY | (is_signed ? 0 : SIGNED));
    a64_set_vreg(l, t, f->d, BIN(XOR, t, ln, sum, top, 0));
}

static void narrow(a64_lift *l, const a64_fields *f, unsigned how)
{
    set_narrow(l, f->q, f->d, UN(NARROW, V128, lane(f->z), a64_vreg(l, V128, f->n), how));
}

static void fcompare_zero(a64_lift *l, const a64_fields *f, unsigned cc, unsigned swap)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n), zero = zeros(l, t);
    a64_set_vreg(l, t, f->d, BIN(VFCMP, t, flane(f->p), swap ? zero : n, swap ? n : zero, cc));
}

static void fround(a64_lift *l, const a64_fields *f, unsigned how)
{
    unary(l, f, ORYX_OP_FROUND, flane(f->p), how);
}

static void to_int(a64_lift *l, const a64_fields *f, unsigned rounding, unsigned is_signed)
{
    unary(l, f, ORYX_OP_VFTOI, flane(f->p), rounding | (is_signed ? FI_SIGNED : 0));
}

/* The estimates, one call for all lanes. */
static void estimate(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v[2] = { a64_vreg(l, V128, f->n),
                      oryx_const(l->ir, I32, FP_LANES(lane_count(f->q, f->p + 2), f->p + 2)) };
    a64_set_vreg(l, V128, f->d, a64_call(l, helper, V128, v, 2));
}

/* --- integer, U = 0 --------------------------------------------------------------------------- */

ORYX_INSN(REV64_v, "0q001110zz100000000010nnnnnddddd", "[z < 3] rev64\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_VREV, lane(f->z), 64);
}

ORYX_INSN(REV16_v, "0q001110zz100000000110nnnnnddddd", "[z == 0] rev16\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_VREV, lane(f->z), 16);
}

ORYX_INSN(SADDLP_v, "0q001110zz100000001010nnnnnddddd",
          "[z < 3] saddlp\t%v(z+1,q,d), %v(z,q,n)", SIMD)
{
    add_long(l, f, 1, 0);
}

ORYX_INSN(SUQADD_v, "0q001110zz100000001110nnnnnddddd",
          "[!(z == 3 && q == 0)] suqadd\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    add_mixed(l, f, 1);
}

ORYX_INSN(CLS_v, "0q001110zz100000010010nnnnnddddd", "[z < 3] cls\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_CLS, lane(f->z), 0);
}

ORYX_INSN(CNT_v, "0q001110zz100000010110nnnnnddddd", "[z == 0] cnt\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_POPCNT, lane(f->z), 0);
}

ORYX_INSN(SADALP_v, "0q001110zz100000011010nnnnnddddd",
          "[z < 3] sadalp\t%v(z+1,q,d), %v(z,q,n)", SIMD)
{
    add_long(l, f, 1, 1);
}

ORYX_INSN(SQABS_v, "0q001110zz100000011110nnnnnddddd",
          "[!(z == 3 && q == 0)] sqabs\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unsigned t = vec(f->q), ln = lane(f->z);
    oryx_val n = a64_vreg(l, t, f->n);
    oryx_val minus = BIN(QSUB, t, ln, zeros(l, t), n, SIGNED | STICKY);
    a64_set_vreg(l, t, f->d, BIN(MAXS, t, ln, n, minus, 0));
}

ORYX_INSN(CMGT_0_v, "0q001110zz100000100010nnnnnddddd",
          "[!(z == 3 && q == 0)] cmgt\t%v(z,q,d), %v(z,q,n), #0", SIMD)
{
    compare_zero(l, f, ORYX_CC_GTS);
}

ORYX_INSN(CMEQ_0_v, "0q001110zz100000100110nnnnnddddd",
          "[!(z == 3 && q == 0)] cmeq\t%v(z,q,d), %v(z,q,n), #0", SIMD)
{
    compare_zero(l, f, ORYX_CC_EQ);
}

ORYX_INSN(CMLT_0_v, "0q001110zz100000101010nnnnnddddd",
          "[!(z == 3 && q == 0)] cmlt\t%v(z,q,d), %v(z,q,n), #0", SIMD)
{
    compare_zero(l, f, ORYX_CC_LTS);
}

ORYX_INSN(ABS_v, "0q001110zz100000101110nnnnnddddd",
          "[!(z == 3 && q == 0)] abs\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_ABS, lane(f->z), 0);
}

ORYX_INSN(XTN_v, "0q001110zz100001001010nnnnnddddd",
          "[z < 3] xtn%?(q){2}\t%v(z,q,d), %v(z+1,1,n)", SIMD)
{
    narrow(l, f, CUT);
}

ORYX_INSN(SQXTN_v, "0q001110zz100001010010nnnnnddddd",
          "[z < 3] sqxtn%?(q){2}\t%v(z,q,d), %v(z+1,1,n)", SIMD)
{
    narrow(l, f, CUT_SS);
}

/* --- integer, U = 1 --------------------------------------------------------------------------- */

ORYX_INSN(REV32_v, "0q101110zz100000000010nnnnnddddd", "[z < 2] rev32\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_VREV, lane(f->z), 32);
}

ORYX_INSN(UADDLP_v, "0q101110zz100000001010nnnnnddddd",
          "[z < 3] uaddlp\t%v(z+1,q,d), %v(z,q,n)", SIMD)
{
    add_long(l, f, 0, 0);
}

ORYX_INSN(USQADD_v, "0q101110zz100000001110nnnnnddddd",
          "[!(z == 3 && q == 0)] usqadd\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    add_mixed(l, f, 0);
}

ORYX_INSN(CLZ_v, "0q101110zz100000010010nnnnnddddd", "[z < 3] clz\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_CLZ, lane(f->z), 0);
}

ORYX_INSN(NOT_v, "0q10111000100000010110nnnnnddddd", "mvn\t%v(0,q,d), %v(0,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_NOT, I64, 0);
}

ORYX_INSN(RBIT_v, "0q10111001100000010110nnnnnddddd", "rbit\t%v(0,q,d), %v(0,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_BITREV, I8, 0);
}

ORYX_INSN(UADALP_v, "0q101110zz100000011010nnnnnddddd",
          "[z < 3] uadalp\t%v(z+1,q,d), %v(z,q,n)", SIMD)
{
    add_long(l, f, 0, 1);
}

ORYX_INSN(SQNEG_v, "0q101110zz100000011110nnnnnddddd",
          "[!(z == 3 && q == 0)] sqneg\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, BIN(QSUB, t, lane(f->z), zeros(l, t), n, SIGNED | STICKY));
}

ORYX_INSN(CMGE_0_v, "0q101110zz100000100010nnnnnddddd",
          "[!(z == 3 && q == 0)] cmge\t%v(z,q,d), %v(z,q,n), #0", SIMD)
{
    compare_zero(l, f, ORYX_CC_GES);
}

ORYX_INSN(CMLE_0_v, "0q101110zz100000100110nnnnnddddd",
          "[!(z == 3 && q == 0)] cmle\t%v(z,q,d), %v(z,q,n), #0", SIMD)
{
    compare_zero(l, f, ORYX_CC_LES);
}

ORYX_INSN(NEG_v, "0q101110zz100000101110nnnnnddddd",
          "[!(z == 3 && q == 0)] neg\t%v(z,q,d), %v(z,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_NEG, lane(f->z), 0);
}

ORYX_INSN(SQXTUN_v, "0q101110zz100001001010nnnnnddddd",
          "[z < 3] sqxtun%?(q){2}\t%v(z,q,d), %v(z+1,1,n)", SIMD)
{
    narrow(l, f, CUT_SU);
}

ORYX_INSN(SHLL_v, "0q101110zz100001001110nnnnnddddd",
          "[z < 3] shll%?(q){2}\t%v(z+1,1,d), %v(z,q,n), #%u(8<<z)", SIMD)
{
    oryx_val v = UN(WIDEN, V128, lane(f->z), a64_vreg(l, V128, f->n), f->q ? HIGH : 0);
    a64_set_vreg(l, V128, f->d, UN(SHLI, V128, lane(f->z + 1), v, 8u << f->z));
}

ORYX_INSN(UQXTN_v, "0q101110zz100001010010nnnnnddddd",
          "[z < 3] uqxtn%?(q){2}\t%v(z,q,d), %v(z+1,1,n)", SIMD)
{
    narrow(l, f, CUT_UU);
}

/* --- floating point --------------------------------------------------------------------------- */

ORYX_INSN(FCVTN_v, "0q0011100p100001011010nnnnnddddd",
          "fcvtn%?(q){2}\t%v(p+1,q,d), %v(p+2,1,n)", SIMD)
{
    oryx_val n = a64_vreg(l, V128, f->n), v = zeros(l, V128);
    unsigned from = flane(f->p), to = f->p ? F32 : I16;
    for (unsigned i = 0; i < lane_count(1, f->p + 2); i++) {
        oryx_val e = UN(FCVT, to, from, UN(VGET, V128, from, n, i), 0);
        v = BIN(VSET, V128, to, v, e, i);
    }
    set_narrow(l, f->q, f->d, v);
}

ORYX_INSN(FCVTL_v, "0q0011100p100001011110nnnnnddddd",
          "fcvtl%?(q){2}\t%v(p+2,1,d), %v(p+1,q,n)", SIMD)
{
    oryx_val n = a64_vreg(l, V128, f->n), v = zeros(l, V128);
    unsigned to = flane(f->p), from = f->p ? F32 : I16, count = lane_count(1, f->p + 2);
    for (unsigned i = 0; i < count; i++) {
        oryx_val e = UN(FCVT, to, from, UN(VGET, V128, from, n, i + (f->q ? count : 0)), 0);
        v = BIN(VSET, V128, to, v, e, i);
    }
    a64_set_vreg(l, V128, f->d, v);
}

ORYX_INSN(FRINTN_v, "0q0011100p100001100010nnnnnddddd",
          "[!(p == 1 && q == 0)] frintn\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_NEAREST);
}

ORYX_INSN(FRINTM_v, "0q0011100p100001100110nnnnnddddd",
          "[!(p == 1 && q == 0)] frintm\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_DOWN);
}

ORYX_INSN(FCVTNS_v, "0q0011100p100001101010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtns\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_NEAREST, 1);
}

ORYX_INSN(FCVTMS_v, "0q0011100p100001101110nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtms\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_DOWN, 1);
}

ORYX_INSN(FCVTAS_v, "0q0011100p100001110010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtas\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_AWAY, 1);
}

ORYX_INSN(SCVTF_v, "0q0011100p100001110110nnnnnddddd",
          "[!(p == 1 && q == 0)] scvtf\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_VITOF, flane(f->p), FI_SIGNED);
}

ORYX_INSN(FCMGT_0_v, "0q0011101p100000110010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmgt\t%v(p+2,q,d), %v(p+2,q,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_CC_GTS, 0);
}

ORYX_INSN(FCMEQ_0_v, "0q0011101p100000110110nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmeq\t%v(p+2,q,d), %v(p+2,q,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_CC_EQ, 0);
}

ORYX_INSN(FCMLT_0_v, "0q0011101p100000111010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmlt\t%v(p+2,q,d), %v(p+2,q,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_CC_GTS, 1);
}

ORYX_INSN(FABS_v, "0q0011101p100000111110nnnnnddddd",
          "[!(p == 1 && q == 0)] fabs\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_FABS, flane(f->p), 0);
}

ORYX_INSN(FRINTP_v, "0q0011101p100001100010nnnnnddddd",
          "[!(p == 1 && q == 0)] frintp\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_UP);
}

ORYX_INSN(FRINTZ_v, "0q0011101p100001100110nnnnnddddd",
          "[!(p == 1 && q == 0)] frintz\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_ZERO);
}

ORYX_INSN(FCVTPS_v, "0q0011101p100001101010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtps\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_UP, 1);
}

ORYX_INSN(FCVTZS_v, "0q0011101p100001101110nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtzs\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_ZERO, 1);
}

ORYX_INSN(URECPE_v, "0q0011101p100001110010nnnnnddddd",
          "[p == 0] urecpe\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    estimate(l, f, A64_HELPER_urecpe);
}

ORYX_INSN(FRECPE_v, "0q0011101p100001110110nnnnnddddd",
          "[!(p == 1 && q == 0)] frecpe\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    estimate(l, f, A64_HELPER_frecpe);
}

ORYX_INSN(FCVTXN_v, "0q1011100p100001011010nnnnnddddd",
          "[p == 1] fcvtxn%?(q){2}\t%v(p+1,q,d), %v(p+2,1,n)", SIMD)
{
    oryx_val v[2] = { a64_vreg(l, V128, f->n), oryx_const(l->ir, I32, FP_LANES(2, 3)) };
    set_narrow(l, f->q, f->d, a64_call(l, A64_HELPER_fcvtxn, V128, v, 2));
}

ORYX_INSN(FRINTA_v, "0q1011100p100001100010nnnnnddddd",
          "[!(p == 1 && q == 0)] frinta\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_AWAY);
}

ORYX_INSN(FRINTX_v, "0q1011100p100001100110nnnnnddddd",
          "[!(p == 1 && q == 0)] frintx\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_ENV | FI_EXACT);
}

ORYX_INSN(FCVTNU_v, "0q1011100p100001101010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtnu\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_NEAREST, 0);
}

ORYX_INSN(FCVTMU_v, "0q1011100p100001101110nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtmu\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_DOWN, 0);
}

ORYX_INSN(FCVTAU_v, "0q1011100p100001110010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtau\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_AWAY, 0);
}

ORYX_INSN(UCVTF_v, "0q1011100p100001110110nnnnnddddd",
          "[!(p == 1 && q == 0)] ucvtf\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_VITOF, flane(f->p), 0);
}

ORYX_INSN(FCMGE_0_v, "0q1011101p100000110010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmge\t%v(p+2,q,d), %v(p+2,q,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_CC_GES, 0);
}

ORYX_INSN(FCMLE_0_v, "0q1011101p100000110110nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmle\t%v(p+2,q,d), %v(p+2,q,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_CC_GES, 1);
}

ORYX_INSN(FNEG_v, "0q1011101p100000111110nnnnnddddd",
          "[!(p == 1 && q == 0)] fneg\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_FNEG, flane(f->p), 0);
}

ORYX_INSN(FRINTI_v, "0q1011101p100001100110nnnnnddddd",
          "[!(p == 1 && q == 0)] frinti\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    fround(l, f, ORYX_RM_ENV);
}

ORYX_INSN(FCVTPU_v, "0q1011101p100001101010nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtpu\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_UP, 0);
}

ORYX_INSN(FCVTZU_v, "0q1011101p100001101110nnnnnddddd",
          "[!(p == 1 && q == 0)] fcvtzu\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    to_int(l, f, ORYX_RM_ZERO, 0);
}

ORYX_INSN(URSQRTE_v, "0q1011101p100001110010nnnnnddddd",
          "[p == 0] ursqrte\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    estimate(l, f, A64_HELPER_ursqrte);
}

ORYX_INSN(FRSQRTE_v, "0q1011101p100001110110nnnnnddddd",
          "[!(p == 1 && q == 0)] frsqrte\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    estimate(l, f, A64_HELPER_frsqrte);
}

ORYX_INSN(FSQRT_v, "0q1011101p100001111110nnnnnddddd",
          "[!(p == 1 && q == 0)] fsqrt\t%v(p+2,q,d), %v(p+2,q,n)", SIMD)
{
    unary(l, f, ORYX_OP_FSQRT, flane(f->p), 0);
}
