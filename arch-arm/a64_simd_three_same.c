/* AdvSIMD three same, and the RDM and dot product forms of three same extra (DDI 0487, C4.1
 * "Advanced SIMD three same"; C7.2). Scalar forms: a64_simd_scalar.c.
 *
 * Called by the decoder, one body a row. Invariant: Q = 0 works on V64, so lanes the instruction
 * does not have raise no flag, and the write clears the upper half. */
#include "a64_simd.h"

static oryx_val same2(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n);
    return oryx_vbin(l->ir, op, t, lane(f->z), n, a64_vreg(l, t, f->m), imm);
}

static void same(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm)
{
    a64_set_vreg(l, vec(f->q), f->d, same2(l, f, op, imm));
}

/* Vd = Vd acc (Vn op Vm): MLA, SABA. */
static void same_acc(a64_lift *l, const a64_fields *f, unsigned acc, unsigned op, uint64_t imm)
{
    unsigned t = vec(f->q);
    oryx_val v = same2(l, f, op, imm);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, acc, t, lane(f->z), a64_vreg(l, t, f->d), v, 0));
}

/* op on neighbours of Vm:Vn. ln: the element type. */
static void pairwise(a64_lift *l, const a64_fields *f, unsigned op, unsigned ln)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m);
    oryx_val even = BIN(UZP1, t, ln, n, m, 0), odd = BIN(UZP2, t, ln, n, m, 0);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, ln, even, odd, 0));
}

/* BSL, BIT, BIF: bits of a where mask is set, else of b, in registers. */
static void bitselect(a64_lift *l, const a64_fields *f, unsigned mask, unsigned a, unsigned b)
{
    unsigned t = vec(f->q);
    oryx_val k = a64_vreg(l, t, mask), x = a64_vreg(l, t, a);
    a64_set_vreg(l, t, f->d, TRI(BITSEL, t, I64, k, x, a64_vreg(l, t, b), 0));
}

static void fsame(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, flane(f->p), n, a64_vreg(l, t, f->m), imm));
}

static void facmp(a64_lift *l, const a64_fields *f, unsigned cc)
{
    unsigned t = vec(f->q), ln = flane(f->p);
    oryx_val n = UN(FABS, t, ln, a64_vreg(l, t, f->n), 0),
             m = UN(FABS, t, ln, a64_vreg(l, t, f->m), 0);
    a64_set_vreg(l, t, f->d, BIN(VFCMP, t, ln, n, m, cc));
}

static void fmla(a64_lift *l, const a64_fields *f, unsigned negate)
{
    unsigned t = vec(f->q), ln = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m), d = a64_vreg(l, t, f->d);
    if (negate)
        n = UN(FNEG, t, ln, n, 0);
    a64_set_vreg(l, t, f->d, TRI(FMA, t, ln, n, m, d, 0));
}

/* FRECPS, FRSQRTS: fused steps with results of their own for 0 * inf. */
static void step(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v[3] = { a64_vreg(l, V128, f->n), a64_vreg(l, V128, f->m),
                      oryx_const(l->ir, I32, FP_LANES(lane_count(f->q, f->p + 2), f->p + 2)) };
    a64_set_vreg(l, V128, f->d, a64_call(l, helper, V128, v, 3));
}

/* --- integer, U = 0 --------------------------------------------------------------------------- */

ORYX_INSN(SHADD_v, "0q001110zz1mmmmm000001nnnnnddddd",
          "[z < 3] shadd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_HADD, SIGNED);
}

ORYX_INSN(SQADD_v, "0q001110zz1mmmmm000011nnnnnddddd",
          "[!(z == 3 && q == 0)] sqadd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_QADD, SIGNED | STICKY);
}

ORYX_INSN(SRHADD_v, "0q001110zz1mmmmm000101nnnnnddddd",
          "[z < 3] srhadd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_HADD, SIGNED | ROUND);
}

ORYX_INSN(SHSUB_v, "0q001110zz1mmmmm001001nnnnnddddd",
          "[z < 3] shsub\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_HSUB, SIGNED);
}

ORYX_INSN(SQSUB_v, "0q001110zz1mmmmm001011nnnnnddddd",
          "[!(z == 3 && q == 0)] sqsub\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_QSUB, SIGNED | STICKY);
}

ORYX_INSN(CMGT_v, "0q001110zz1mmmmm001101nnnnnddddd",
          "[!(z == 3 && q == 0)] cmgt\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_GTS);
}

ORYX_INSN(CMGE_v, "0q001110zz1mmmmm001111nnnnnddddd",
          "[!(z == 3 && q == 0)] cmge\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_GES);
}

ORYX_INSN(SSHL_v, "0q001110zz1mmmmm010001nnnnnddddd",
          "[!(z == 3 && q == 0)] sshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, SIGNED);
}

ORYX_INSN(SQSHL_v, "0q001110zz1mmmmm010011nnnnnddddd",
          "[!(z == 3 && q == 0)] sqshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, SIGNED | STICKY | SATURATE);
}

ORYX_INSN(SRSHL_v, "0q001110zz1mmmmm010101nnnnnddddd",
          "[!(z == 3 && q == 0)] srshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, SIGNED | ROUND);
}

ORYX_INSN(SQRSHL_v, "0q001110zz1mmmmm010111nnnnnddddd",
          "[!(z == 3 && q == 0)] sqrshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, SIGNED | STICKY | ROUND | SATURATE);
}

ORYX_INSN(SMAX_v, "0q001110zz1mmmmm011001nnnnnddddd",
          "[z < 3] smax\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_MAXS, 0);
}

ORYX_INSN(SMIN_v, "0q001110zz1mmmmm011011nnnnnddddd",
          "[z < 3] smin\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_MINS, 0);
}

ORYX_INSN(SABD_v, "0q001110zz1mmmmm011101nnnnnddddd",
          "[z < 3] sabd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_ABSD, SIGNED);
}

ORYX_INSN(SABA_v, "0q001110zz1mmmmm011111nnnnnddddd",
          "[z < 3] saba\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same_acc(l, f, ORYX_OP_ADD, ORYX_OP_ABSD, SIGNED);
}

ORYX_INSN(ADD_v, "0q001110zz1mmmmm100001nnnnnddddd",
          "[!(z == 3 && q == 0)] add\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(CMTST_v, "0q001110zz1mmmmm100011nnnnnddddd",
          "[!(z == 3 && q == 0)] cmtst\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_TST);
}

ORYX_INSN(MLA_v, "0q001110zz1mmmmm100101nnnnnddddd",
          "[z < 3] mla\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same_acc(l, f, ORYX_OP_ADD, ORYX_OP_MUL, 0);
}

ORYX_INSN(MUL_v, "0q001110zz1mmmmm100111nnnnnddddd",
          "[z < 3] mul\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_MUL, 0);
}

ORYX_INSN(SMAXP_v, "0q001110zz1mmmmm101001nnnnnddddd",
          "[z < 3] smaxp\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_MAXS, lane(f->z));
}

ORYX_INSN(SMINP_v, "0q001110zz1mmmmm101011nnnnnddddd",
          "[z < 3] sminp\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_MINS, lane(f->z));
}

ORYX_INSN(SQDMULH_v, "0q001110zz1mmmmm101101nnnnnddddd",
          "[z == 1 || z == 2] sqdmulh\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_QDMULH, STICKY);
}

ORYX_INSN(ADDP_v, "0q001110zz1mmmmm101111nnnnnddddd",
          "[!(z == 3 && q == 0)] addp\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_ADD, lane(f->z));
}

/* --- integer, U = 1 --------------------------------------------------------------------------- */

ORYX_INSN(UHADD_v, "0q101110zz1mmmmm000001nnnnnddddd",
          "[z < 3] uhadd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_HADD, 0);
}

ORYX_INSN(UQADD_v, "0q101110zz1mmmmm000011nnnnnddddd",
          "[!(z == 3 && q == 0)] uqadd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_QADD, STICKY);
}

ORYX_INSN(URHADD_v, "0q101110zz1mmmmm000101nnnnnddddd",
          "[z < 3] urhadd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_HADD, ROUND);
}

ORYX_INSN(UHSUB_v, "0q101110zz1mmmmm001001nnnnnddddd",
          "[z < 3] uhsub\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_HSUB, 0);
}

ORYX_INSN(UQSUB_v, "0q101110zz1mmmmm001011nnnnnddddd",
          "[!(z == 3 && q == 0)] uqsub\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_QSUB, STICKY);
}

ORYX_INSN(CMHI_v, "0q101110zz1mmmmm001101nnnnnddddd",
          "[!(z == 3 && q == 0)] cmhi\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_GTU);
}

ORYX_INSN(CMHS_v, "0q101110zz1mmmmm001111nnnnnddddd",
          "[!(z == 3 && q == 0)] cmhs\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_GEU);
}

ORYX_INSN(USHL_v, "0q101110zz1mmmmm010001nnnnnddddd",
          "[!(z == 3 && q == 0)] ushl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, 0);
}

ORYX_INSN(UQSHL_v, "0q101110zz1mmmmm010011nnnnnddddd",
          "[!(z == 3 && q == 0)] uqshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, STICKY | SATURATE);
}

ORYX_INSN(URSHL_v, "0q101110zz1mmmmm010101nnnnnddddd",
          "[!(z == 3 && q == 0)] urshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, ROUND);
}

ORYX_INSN(UQRSHL_v, "0q101110zz1mmmmm010111nnnnnddddd",
          "[!(z == 3 && q == 0)] uqrshl\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VSHL, STICKY | ROUND | SATURATE);
}

ORYX_INSN(UMAX_v, "0q101110zz1mmmmm011001nnnnnddddd",
          "[z < 3] umax\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_MAXU, 0);
}

ORYX_INSN(UMIN_v, "0q101110zz1mmmmm011011nnnnnddddd",
          "[z < 3] umin\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_MINU, 0);
}

ORYX_INSN(UABD_v, "0q101110zz1mmmmm011101nnnnnddddd",
          "[z < 3] uabd\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_ABSD, 0);
}

ORYX_INSN(UABA_v, "0q101110zz1mmmmm011111nnnnnddddd",
          "[z < 3] uaba\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same_acc(l, f, ORYX_OP_ADD, ORYX_OP_ABSD, 0);
}

ORYX_INSN(SUB_v, "0q101110zz1mmmmm100001nnnnnddddd",
          "[!(z == 3 && q == 0)] sub\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(CMEQ_v, "0q101110zz1mmmmm100011nnnnnddddd",
          "[!(z == 3 && q == 0)] cmeq\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_EQ);
}

ORYX_INSN(MLS_v, "0q101110zz1mmmmm100101nnnnnddddd",
          "[z < 3] mls\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same_acc(l, f, ORYX_OP_SUB, ORYX_OP_MUL, 0);
}

ORYX_INSN(PMUL_v, "0q101110zz1mmmmm100111nnnnnddddd",
          "[z == 0] pmul\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_PMUL, 0);
}

ORYX_INSN(UMAXP_v, "0q101110zz1mmmmm101001nnnnnddddd",
          "[z < 3] umaxp\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_MAXU, lane(f->z));
}

ORYX_INSN(UMINP_v, "0q101110zz1mmmmm101011nnnnnddddd",
          "[z < 3] uminp\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_MINU, lane(f->z));
}

ORYX_INSN(SQRDMULH_v, "0q101110zz1mmmmm101101nnnnnddddd",
          "[z == 1 || z == 2] sqrdmulh\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    same(l, f, ORYX_OP_QDMULH, STICKY | ROUND);
}

/* --- logical: z plays no part, any lane type serves ------------------------------------------- */

ORYX_INSN(AND_v, "0q001110001mmmmm000111nnnnnddddd", "and\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    same(l, f, ORYX_OP_AND, 0);
}

ORYX_INSN(BIC_v, "0q001110011mmmmm000111nnnnnddddd", "bic\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    same(l, f, ORYX_OP_ANDN, 0);
}

ORYX_INSN(ORR_v, "0q001110101mmmmm000111nnnnnddddd",
          "{n == m} mov\t%v(0,q,d), %v(0,q,n) ;; orr\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    if (f->n == f->m)
        a64_set_vreg(l, vec(f->q), f->d, a64_vreg(l, vec(f->q), f->n));
    else
        same(l, f, ORYX_OP_OR, 0);
}

ORYX_INSN(ORN_v, "0q001110111mmmmm000111nnnnnddddd", "orn\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    same(l, f, ORYX_OP_ORN, 0);
}

ORYX_INSN(EOR_v, "0q101110001mmmmm000111nnnnnddddd", "eor\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    same(l, f, ORYX_OP_XOR, 0);
}

ORYX_INSN(BSL_v, "0q101110011mmmmm000111nnnnnddddd", "bsl\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    bitselect(l, f, f->d, f->n, f->m);
}

ORYX_INSN(BIT_v, "0q101110101mmmmm000111nnnnnddddd", "bit\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    bitselect(l, f, f->m, f->n, f->d);
}

ORYX_INSN(BIF_v, "0q101110111mmmmm000111nnnnnddddd", "bif\t%v(0,q,d), %v(0,q,n), %v(0,q,m)", SIMD)
{
    bitselect(l, f, f->m, f->d, f->n);
}

/* --- floating point --------------------------------------------------------------------------- */

ORYX_INSN(FMAXNM_v, "0q0011100p1mmmmm110001nnnnnddddd",
          "[!(p == 1 && q == 0)] fmaxnm\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FMAXNM, 0);
}

ORYX_INSN(FMLA_v, "0q0011100p1mmmmm110011nnnnnddddd",
          "[!(p == 1 && q == 0)] fmla\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fmla(l, f, 0);
}

ORYX_INSN(FADD_v, "0q0011100p1mmmmm110101nnnnnddddd",
          "[!(p == 1 && q == 0)] fadd\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FADD, 0);
}

ORYX_INSN(FMULX_v, "0q0011100p1mmmmm110111nnnnnddddd",
          "[!(p == 1 && q == 0)] fmulx\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FMULX, 0);
}

ORYX_INSN(FCMEQ_v, "0q0011100p1mmmmm111001nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmeq\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_VFCMP, ORYX_CC_EQ);
}

ORYX_INSN(FMAX_v, "0q0011100p1mmmmm111101nnnnnddddd",
          "[!(p == 1 && q == 0)] fmax\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FMAX, 0);
}

ORYX_INSN(FRECPS_v, "0q0011100p1mmmmm111111nnnnnddddd",
          "[!(p == 1 && q == 0)] frecps\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    step(l, f, A64_HELPER_frecps);
}

ORYX_INSN(FMINNM_v, "0q0011101p1mmmmm110001nnnnnddddd",
          "[!(p == 1 && q == 0)] fminnm\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FMINNM, 0);
}

ORYX_INSN(FMLS_v, "0q0011101p1mmmmm110011nnnnnddddd",
          "[!(p == 1 && q == 0)] fmls\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fmla(l, f, 1);
}

ORYX_INSN(FSUB_v, "0q0011101p1mmmmm110101nnnnnddddd",
          "[!(p == 1 && q == 0)] fsub\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FSUB, 0);
}

ORYX_INSN(FMIN_v, "0q0011101p1mmmmm111101nnnnnddddd",
          "[!(p == 1 && q == 0)] fmin\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FMIN, 0);
}

ORYX_INSN(FRSQRTS_v, "0q0011101p1mmmmm111111nnnnnddddd",
          "[!(p == 1 && q == 0)] frsqrts\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    step(l, f, A64_HELPER_frsqrts);
}

ORYX_INSN(FMAXNMP_v, "0q1011100p1mmmmm110001nnnnnddddd",
          "[!(p == 1 && q == 0)] fmaxnmp\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_FMAXNM, flane(f->p));
}

ORYX_INSN(FADDP_v, "0q1011100p1mmmmm110101nnnnnddddd",
          "[!(p == 1 && q == 0)] faddp\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_FADD, flane(f->p));
}

ORYX_INSN(FMUL_v, "0q1011100p1mmmmm110111nnnnnddddd",
          "[!(p == 1 && q == 0)] fmul\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FMUL, 0);
}

ORYX_INSN(FCMGE_v, "0q1011100p1mmmmm111001nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmge\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_VFCMP, ORYX_CC_GES);
}

ORYX_INSN(FACGE_v, "0q1011100p1mmmmm111011nnnnnddddd",
          "[!(p == 1 && q == 0)] facge\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    facmp(l, f, ORYX_CC_GES);
}

ORYX_INSN(FMAXP_v, "0q1011100p1mmmmm111101nnnnnddddd",
          "[!(p == 1 && q == 0)] fmaxp\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_FMAX, flane(f->p));
}

ORYX_INSN(FDIV_v, "0q1011100p1mmmmm111111nnnnnddddd",
          "[!(p == 1 && q == 0)] fdiv\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_FDIV, 0);
}

ORYX_INSN(FMINNMP_v, "0q1011101p1mmmmm110001nnnnnddddd",
          "[!(p == 1 && q == 0)] fminnmp\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_FMINNM, flane(f->p));
}

ORYX_INSN(FABD_v, "0q1011101p1mmmmm110101nnnnnddddd",
          "[!(p == 1 && q == 0)] fabd\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    unsigned t = vec(f->q), ln = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m);
    a64_set_vreg(l, t, f->d, UN(FABS, t, ln, BIN(FSUB, t, ln, n, m, 0), 0));
}

ORYX_INSN(FCMGT_v, "0q1011101p1mmmmm111001nnnnnddddd",
          "[!(p == 1 && q == 0)] fcmgt\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    fsame(l, f, ORYX_OP_VFCMP, ORYX_CC_GTS);
}

ORYX_INSN(FACGT_v, "0q1011101p1mmmmm111011nnnnnddddd",
          "[!(p == 1 && q == 0)] facgt\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    facmp(l, f, ORYX_CC_GTS);
}

ORYX_INSN(FMINP_v, "0q1011101p1mmmmm111101nnnnnddddd",
          "[!(p == 1 && q == 0)] fminp\t%v(p+2,q,d), %v(p+2,q,n), %v(p+2,q,m)", SIMD)
{
    pairwise(l, f, ORYX_OP_FMIN, flane(f->p));
}

/* --- three same extra ------------------------------------------------------------------------- */

ORYX_INSN(SQRDMLAH_v, "0q101110zz0mmmmm100001nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlah\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", RDM)
{
    oryx_val m = a64_vreg(l, V128, f->m);
    a64_set_vreg(l, vec(f->q), f->d, a64_rdm(l, f, m, ORYX_OP_ADD));
}

ORYX_INSN(SQRDMLSH_v, "0q101110zz0mmmmm100011nnnnnddddd",
          "[z == 1 || z == 2] sqrdmlsh\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", RDM)
{
    oryx_val m = a64_vreg(l, V128, f->m);
    a64_set_vreg(l, vec(f->q), f->d, a64_rdm(l, f, m, ORYX_OP_SUB));
}

ORYX_INSN(SDOT_v, "0q001110100mmmmm100101nnnnnddddd",
          "sdot\t%v(2,q,d), %v(0,q,n), %v(0,q,m)", DOTPROD)
{
    a64_set_vreg(l, vec(f->q), f->d, a64_dot(l, f, a64_vreg(l, V128, f->m), SIGNED));
}

ORYX_INSN(UDOT_v, "0q101110100mmmmm100101nnnnnddddd",
          "udot\t%v(2,q,d), %v(0,q,n), %v(0,q,m)", DOTPROD)
{
    a64_set_vreg(l, vec(f->q), f->d, a64_dot(l, f, a64_vreg(l, V128, f->m), 0));
}
