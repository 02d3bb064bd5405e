/* AdvSIMD scalar three same and scalar two-register miscellaneous (DDI 0487, C4.1 "Advanced SIMD
 * scalar ..."; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: ops that can set a sticky flag work on scalar
 * types (or on a V128 with every other lane zero); forms on D registers that cannot stay on V64
 * with its one 64-bit lane. */
#include "a64_simd.h"

/* Integer forms of every size that saturate. */
static void scalar2(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm)
{
    unsigned t = lane(f->z);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, t, n, a64_vreg(l, t, f->m), imm));
}

/* Forms that exist for D only. */
static void double2(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm)
{
    oryx_val n = a64_vreg(l, V64, f->n);
    a64_set_vreg(l, V64, f->d, oryx_vbin(l->ir, op, V64, I64, n, a64_vreg(l, V64, f->m), imm));
}

static void double1(a64_lift *l, const a64_fields *f, unsigned op)
{
    a64_set_vreg(l, V64, f->d, oryx_vun(l->ir, op, V64, I64, a64_vreg(l, V64, f->n), 0));
}

static void double_compare_zero(a64_lift *l, const a64_fields *f, unsigned cc)
{
    oryx_val n = a64_vreg(l, V64, f->n);
    a64_set_vreg(l, V64, f->d, BIN(VCMP, V64, I64, n, zeros(l, V64), cc));
}

/* All ones when the FP comparison holds. cond: ORYX_FC_* of the flags an FCMP or FCMPE would give.
 */
static void set_fcompare(a64_lift *l, const a64_fields *f, oryx_val n, oryx_val m, unsigned cond)
{
    unsigned t = flane(f->p), to = lane(f->p + 2);
    oryx_val fl = oryx_vbin(l->ir, ORYX_OP_FLFCMP, ORYX_T_FL, t, n, m, cond != ORYX_FC_Z);
    a64_set_vreg(l, to, f->d, oryx_sext(l->ir, to, ORYX_T_I1, oryx_flcond(l->ir, cond, fl)));
}

static void fcompare(a64_lift *l, const a64_fields *f, unsigned cond)
{
    oryx_val n = a64_vreg(l, flane(f->p), f->n);
    set_fcompare(l, f, n, a64_vreg(l, flane(f->p), f->m), cond);
}

static void facompare(a64_lift *l, const a64_fields *f, unsigned cond)
{
    unsigned t = flane(f->p);
    oryx_val n = UN(FABS, t, t, a64_vreg(l, t, f->n), 0);
    set_fcompare(l, f, n, UN(FABS, t, t, a64_vreg(l, t, f->m), 0), cond);
}

static void fcompare_zero(a64_lift *l, const a64_fields *f, unsigned cond, unsigned swap)
{
    oryx_val n = a64_vreg(l, flane(f->p), f->n), zero = oryx_const(l->ir, flane(f->p), 0);
    set_fcompare(l, f, swap ? zero : n, swap ? n : zero, cond);
}

/* FP to the integer of its own size, inside the SIMD register. */
static void to_int(a64_lift *l, const a64_fields *f, unsigned rounding, unsigned is_signed)
{
    unsigned from = flane(f->p), to = lane(f->p + 2);
    uint64_t imm = rounding | (is_signed ? FI_SIGNED : 0);
    a64_set_vreg(l, to, f->d, UN(FTOI, to, from, a64_vreg(l, from, f->n), imm));
}

static void from_int(a64_lift *l, const a64_fields *f, unsigned is_signed)
{
    unsigned to = flane(f->p), from = lane(f->p + 2);
    a64_set_vreg(l, to, f->d,
                 UN(ITOF, to, from, a64_vreg(l, from, f->n), is_signed ? FI_SIGNED : 0));
}

static void estimate(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v[2] = { a64_vreg(l, V128, f->n), oryx_const(l->ir, I32, FP_LANES(1, f->p + 2)) };
    a64_set_vreg(l, V128, f->d, a64_call(l, helper, V128, v, 2));
}

static void step(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v[3] = { a64_vreg(l, V128, f->n), a64_vreg(l, V128, f->m),
                      oryx_const(l->ir, I32, FP_LANES(1, f->p + 2)) };
    a64_set_vreg(l, V128, f->d, a64_call(l, helper, V128, v, 3));
}

/* SUQADD, USQADD: see add_mixed in a64_simd_two_misc.c. */
static void add_mixed(a64_lift *l, const a64_fields *f, unsigned is_signed)
{
    unsigned t = lane(f->z);
    oryx_val top = oryx_const(l->ir, t, UINT64_C(1) << ((8u << f->z) - 1));
    oryx_val d = oryx_bin(l->ir, ORYX_OP_XOR, t, a64_vreg(l, t, f->d), top);
    oryx_val sum = BIN(QADD, t, t, d, a64_vreg(l, t, f->n), STICKY | (is_signed ? 0 : SIGNED));
    a64_set_vreg(l, t, f->d, oryx_bin(l->ir, ORYX_OP_XOR, t, sum, top));
}

static void narrow(a64_lift *l, const a64_fields *f, unsigned how)
{
    a64_set_vreg(l, V128, f->d, UN(NARROW, V128, lane(f->z), lane0(l, f->z + 1, f->n), how));
}

/* --- scalar three same ------------------------------------------------------------------------ */

ORYX_INSN(SQADD_sc, "01011110zz1mmmmm000011nnnnnddddd", "sqadd\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_QADD, SIGNED | STICKY);
}

ORYX_INSN(SQSUB_sc, "01011110zz1mmmmm001011nnnnnddddd", "sqsub\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_QSUB, SIGNED | STICKY);
}

ORYX_INSN(CMGT_sc, "01011110111mmmmm001101nnnnnddddd", "cmgt\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VCMP, ORYX_CC_GTS);
}

ORYX_INSN(CMGE_sc, "01011110111mmmmm001111nnnnnddddd", "cmge\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VCMP, ORYX_CC_GES);
}

ORYX_INSN(SSHL_sc, "01011110111mmmmm010001nnnnnddddd", "sshl\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VSHL, SIGNED);
}

ORYX_INSN(SQSHL_sc, "01011110zz1mmmmm010011nnnnnddddd", "sqshl\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_VSHL, SIGNED | STICKY | SATURATE);
}

ORYX_INSN(SRSHL_sc, "01011110111mmmmm010101nnnnnddddd", "srshl\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VSHL, SIGNED | ROUND);
}

ORYX_INSN(SQRSHL_sc, "01011110zz1mmmmm010111nnnnnddddd",
          "sqrshl\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_VSHL, SIGNED | STICKY | ROUND | SATURATE);
}

ORYX_INSN(ADD_sc, "01011110111mmmmm100001nnnnnddddd", "add\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(CMTST_sc, "01011110111mmmmm100011nnnnnddddd", "cmtst\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VCMP, ORYX_CC_TST);
}

ORYX_INSN(SQDMULH_sc, "01011110zz1mmmmm101101nnnnnddddd",
          "[z == 1 || z == 2] sqdmulh\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_QDMULH, STICKY);
}

ORYX_INSN(UQADD_sc, "01111110zz1mmmmm000011nnnnnddddd", "uqadd\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_QADD, STICKY);
}

ORYX_INSN(UQSUB_sc, "01111110zz1mmmmm001011nnnnnddddd", "uqsub\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_QSUB, STICKY);
}

ORYX_INSN(CMHI_sc, "01111110111mmmmm001101nnnnnddddd", "cmhi\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VCMP, ORYX_CC_GTU);
}

ORYX_INSN(CMHS_sc, "01111110111mmmmm001111nnnnnddddd", "cmhs\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VCMP, ORYX_CC_GEU);
}

ORYX_INSN(USHL_sc, "01111110111mmmmm010001nnnnnddddd", "ushl\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VSHL, 0);
}

ORYX_INSN(UQSHL_sc, "01111110zz1mmmmm010011nnnnnddddd", "uqshl\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_VSHL, STICKY | SATURATE);
}

ORYX_INSN(URSHL_sc, "01111110111mmmmm010101nnnnnddddd", "urshl\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VSHL, ROUND);
}

ORYX_INSN(UQRSHL_sc, "01111110zz1mmmmm010111nnnnnddddd",
          "uqrshl\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_VSHL, STICKY | ROUND | SATURATE);
}

ORYX_INSN(SUB_sc, "01111110111mmmmm100001nnnnnddddd", "sub\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(CMEQ_sc, "01111110111mmmmm100011nnnnnddddd", "cmeq\t%fp(3,d), %fp(3,n), %fp(3,m)", SIMD)
{
    double2(l, f, ORYX_OP_VCMP, ORYX_CC_EQ);
}

ORYX_INSN(SQRDMULH_sc, "01111110zz1mmmmm101101nnnnnddddd",
          "[z == 1 || z == 2] sqrdmulh\t%fp(z,d), %fp(z,n), %fp(z,m)", SIMD)
{
    scalar2(l, f, ORYX_OP_QDMULH, STICKY | ROUND);
}

ORYX_INSN(FMULX_sc, "010111100p1mmmmm110111nnnnnddddd",
          "fmulx\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, BIN(FMULX, t, t, n, a64_vreg(l, t, f->m), 0));
}

ORYX_INSN(FCMEQ_sc, "010111100p1mmmmm111001nnnnnddddd",
          "fcmeq\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    fcompare(l, f, ORYX_FC_Z);
}

ORYX_INSN(FRECPS_sc, "010111100p1mmmmm111111nnnnnddddd",
          "frecps\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    step(l, f, A64_HELPER_frecps);
}

ORYX_INSN(FRSQRTS_sc, "010111101p1mmmmm111111nnnnnddddd",
          "frsqrts\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    step(l, f, A64_HELPER_frsqrts);
}

ORYX_INSN(FCMGE_sc, "011111100p1mmmmm111001nnnnnddddd",
          "fcmge\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    fcompare(l, f, ORYX_FC_GE);
}

ORYX_INSN(FACGE_sc, "011111100p1mmmmm111011nnnnnddddd",
          "facge\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    facompare(l, f, ORYX_FC_GE);
}

ORYX_INSN(FABD_sc, "011111101p1mmmmm110101nnnnnddddd",
          "fabd\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m);
    a64_set_vreg(l, t, f->d, UN(FABS, t, t, BIN(FSUB, t, t, n, m, 0), 0));
}

ORYX_INSN(FCMGT_sc, "011111101p1mmmmm111001nnnnnddddd",
          "fcmgt\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    fcompare(l, f, ORYX_FC_GT);
}

ORYX_INSN(FACGT_sc, "011111101p1mmmmm111011nnnnnddddd",
          "facgt\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", SIMD)
{
    facompare(l, f, ORYX_FC_GT);
}

ORYX_INSN(SQRDMLAH_sc, "01111110zz0mmmmm100001nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlah\t%fp(z,d), %fp(z,n), %fp(z,m)", RDM)
{
    a64_rdm_scalar(l, f, lane0(l, f->z, f->m), ORYX_OP_ADD);
}

ORYX_INSN(SQRDMLSH_sc, "01111110zz0mmmmm100011nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlsh\t%fp(z,d), %fp(z,n), %fp(z,m)", RDM)
{
    a64_rdm_scalar(l, f, lane0(l, f->z, f->m), ORYX_OP_SUB);
}

/* --- scalar two-register miscellaneous, integer ----------------------------------------------- */

ORYX_INSN(SUQADD_sc, "01011110zz100000001110nnnnnddddd", "suqadd\t%fp(z,d), %fp(z,n)", SIMD)
{
    add_mixed(l, f, 1);
}

ORYX_INSN(SQABS_sc, "01011110zz100000011110nnnnnddddd", "sqabs\t%fp(z,d), %fp(z,n)", SIMD)
{
    unsigned t = lane(f->z);
    oryx_val n = a64_vreg(l, t, f->n);
    oryx_val minus = BIN(QSUB, t, t, oryx_const(l->ir, t, 0), n, SIGNED | STICKY);
    a64_set_vreg(l, t, f->d, oryx_bin(l->ir, ORYX_OP_MAXS, t, n, minus));
}

ORYX_INSN(CMGT_0_sc, "0101111011100000100010nnnnnddddd", "cmgt\t%fp(3,d), %fp(3,n), #0", SIMD)
{
    double_compare_zero(l, f, ORYX_CC_GTS);
}

ORYX_INSN(CMEQ_0_sc, "0101111011100000100110nnnnnddddd", "cmeq\t%fp(3,d), %fp(3,n), #0", SIMD)
{
    double_compare_zero(l, f, ORYX_CC_EQ);
}

ORYX_INSN(CMLT_0_sc, "0101111011100000101010nnnnnddddd", "cmlt\t%fp(3,d), %fp(3,n), #0", SIMD)
{
    double_compare_zero(l, f, ORYX_CC_LTS);
}

ORYX_INSN(ABS_sc, "0101111011100000101110nnnnnddddd", "abs\t%fp(3,d), %fp(3,n)", SIMD)
{
    double1(l, f, ORYX_OP_ABS);
}

ORYX_INSN(SQXTN_sc, "01011110zz100001010010nnnnnddddd", "[z < 3] sqxtn\t%fp(z,d), %fp(z+1,n)", SIMD)
{
    narrow(l, f, CUT_SS);
}

ORYX_INSN(USQADD_sc, "01111110zz100000001110nnnnnddddd", "usqadd\t%fp(z,d), %fp(z,n)", SIMD)
{
    add_mixed(l, f, 0);
}

ORYX_INSN(SQNEG_sc, "01111110zz100000011110nnnnnddddd", "sqneg\t%fp(z,d), %fp(z,n)", SIMD)
{
    unsigned t = lane(f->z);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, BIN(QSUB, t, t, oryx_const(l->ir, t, 0), n, SIGNED | STICKY));
}

ORYX_INSN(CMGE_0_sc, "0111111011100000100010nnnnnddddd", "cmge\t%fp(3,d), %fp(3,n), #0", SIMD)
{
    double_compare_zero(l, f, ORYX_CC_GES);
}

ORYX_INSN(CMLE_0_sc, "0111111011100000100110nnnnnddddd", "cmle\t%fp(3,d), %fp(3,n), #0", SIMD)
{
    double_compare_zero(l, f, ORYX_CC_LES);
}

ORYX_INSN(NEG_sc, "0111111011100000101110nnnnnddddd", "neg\t%fp(3,d), %fp(3,n)", SIMD)
{
    double1(l, f, ORYX_OP_NEG);
}

ORYX_INSN(SQXTUN_sc, "01111110zz100001001010nnnnnddddd",
          "[z < 3] sqxtun\t%fp(z,d), %fp(z+1,n)", SIMD)
{
    narrow(l, f, CUT_SU);
}

ORYX_INSN(UQXTN_sc, "01111110zz100001010010nnnnnddddd", "[z < 3] uqxtn\t%fp(z,d), %fp(z+1,n)", SIMD)
{
    narrow(l, f, CUT_UU);
}

/* --- scalar two-register miscellaneous, floating point ---------------------------------------- */

ORYX_INSN(FCVTNS_sc, "010111100p100001101010nnnnnddddd", "fcvtns\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_NEAREST, 1);
}

ORYX_INSN(FCVTMS_sc, "010111100p100001101110nnnnnddddd", "fcvtms\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_DOWN, 1);
}

ORYX_INSN(FCVTAS_sc, "010111100p100001110010nnnnnddddd", "fcvtas\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_AWAY, 1);
}

ORYX_INSN(SCVTF_sc, "010111100p100001110110nnnnnddddd", "scvtf\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    from_int(l, f, 1);
}

ORYX_INSN(FCMGT_0_sc, "010111101p100000110010nnnnnddddd",
          "fcmgt\t%fp(p+2,d), %fp(p+2,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_FC_GT, 0);
}

ORYX_INSN(FCMEQ_0_sc, "010111101p100000110110nnnnnddddd",
          "fcmeq\t%fp(p+2,d), %fp(p+2,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_FC_Z, 0);
}

ORYX_INSN(FCMLT_0_sc, "010111101p100000111010nnnnnddddd",
          "fcmlt\t%fp(p+2,d), %fp(p+2,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_FC_GT, 1);
}

ORYX_INSN(FCVTPS_sc, "010111101p100001101010nnnnnddddd", "fcvtps\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_UP, 1);
}

ORYX_INSN(FCVTZS_sc, "010111101p100001101110nnnnnddddd", "fcvtzs\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_ZERO, 1);
}

ORYX_INSN(FRECPE_sc, "010111101p100001110110nnnnnddddd", "frecpe\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    estimate(l, f, A64_HELPER_frecpe);
}

ORYX_INSN(FRECPX_sc, "010111101p100001111110nnnnnddddd", "frecpx\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    estimate(l, f, A64_HELPER_frecpx);
}

ORYX_INSN(FCVTXN_sc, "011111100p100001011010nnnnnddddd",
          "[p == 1] fcvtxn\t%fp(p+1,d), %fp(p+2,n)", SIMD)
{
    estimate(l, f, A64_HELPER_fcvtxn);
}

ORYX_INSN(FCVTNU_sc, "011111100p100001101010nnnnnddddd", "fcvtnu\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_NEAREST, 0);
}

ORYX_INSN(FCVTMU_sc, "011111100p100001101110nnnnnddddd", "fcvtmu\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_DOWN, 0);
}

ORYX_INSN(FCVTAU_sc, "011111100p100001110010nnnnnddddd", "fcvtau\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_AWAY, 0);
}

ORYX_INSN(UCVTF_sc, "011111100p100001110110nnnnnddddd", "ucvtf\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    from_int(l, f, 0);
}

ORYX_INSN(FCMGE_0_sc, "011111101p100000110010nnnnnddddd",
          "fcmge\t%fp(p+2,d), %fp(p+2,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_FC_GE, 0);
}

ORYX_INSN(FCMLE_0_sc, "011111101p100000110110nnnnnddddd",
          "fcmle\t%fp(p+2,d), %fp(p+2,n), #0.0", SIMD)
{
    fcompare_zero(l, f, ORYX_FC_GE, 1);
}

ORYX_INSN(FCVTPU_sc, "011111101p100001101010nnnnnddddd", "fcvtpu\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_UP, 0);
}

ORYX_INSN(FCVTZU_sc, "011111101p100001101110nnnnnddddd", "fcvtzu\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    to_int(l, f, ORYX_RM_ZERO, 0);
}

ORYX_INSN(FRSQRTE_sc, "011111101p100001110110nnnnnddddd", "frsqrte\t%fp(p+2,d), %fp(p+2,n)", SIMD)
{
    estimate(l, f, A64_HELPER_frsqrte);
}
