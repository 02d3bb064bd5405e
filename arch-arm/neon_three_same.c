/* AdvSIMD three registers of the same length (DDI 0406C A7.4.1; DDI 0487 F4.1 "Advanced SIMD three registers of the same
 * length").
 *
 * Called through the decode tables. Invariant: Q = 0 works on V64, so lanes the instruction does not have raise no flag. */
#include "neon.h"
#include "neon_shapes.h"

static void same(a32_lift *l, const a32_fields *f, unsigned op, uint64_t imm)
{
    unsigned t = vec(f->q);
    oryx_val n = neon_get(l, f->q, N(f));
    neon_set(l, f->q, f->d, oryx_vbin(l->ir, op, t, lane(f->z), n, neon_get(l, f->q, f->m), imm));
}

/* Vd = Vd acc (Vn op Vm): VMLA, VABA. */
static void same_acc(a32_lift *l, const a32_fields *f, unsigned acc, unsigned op, uint64_t imm)
{
    unsigned t = vec(f->q), ln = lane(f->z);
    oryx_val n = neon_get(l, f->q, N(f));
    oryx_val v = oryx_vbin(l->ir, op, t, ln, n, neon_get(l, f->q, f->m), imm);
    neon_set(l, f->q, f->d, oryx_vbin(l->ir, acc, t, ln, neon_get(l, f->q, f->d), v, 0));
}

/* Vm shifted by the lanes of Vn. */
static void shift(a32_lift *l, const a32_fields *f, unsigned how)
{
    oryx_val m = neon_get(l, f->q, f->m);
    neon_set(l, f->q, f->d, BIN(VSHL, vec(f->q), lane(f->z), m, neon_get(l, f->q, N(f)), how | (f->u ? 0 : SIGNED)));
}

/* op on neighbours of Dm:Dn. */
static void pairwise(a32_lift *l, const a32_fields *f, unsigned op)
{
    oryx_val n = neon_get(l, 0, N(f)), m = neon_get(l, 0, f->m);
    oryx_val even = BIN(UZP1, V64, lane(f->z), n, m, 0), odd = BIN(UZP2, V64, lane(f->z), n, m, 0);
    neon_set(l, 0, f->d, oryx_vbin(l->ir, op, V64, lane(f->z), even, odd, 0));
}

/* Bits of a where mask is set, else of b. */
static void bitselect(a32_lift *l, const a32_fields *f, unsigned mask, unsigned a, unsigned b)
{
    oryx_val k = neon_get(l, f->q, mask), x = neon_get(l, f->q, a);
    neon_set(l, f->q, f->d, TRI(BITSEL, vec(f->q), I64, k, x, neon_get(l, f->q, b), 0));
}

static void fsame(a32_lift *l, const a32_fields *f, unsigned op)
{
    oryx_val n = neon_get(l, f->q, N(f));
    neon_set(l, f->q, f->d, neon_fp(l, f->q, op, 0, 0, n, neon_get(l, f->q, f->m), 0));
}

static void fpairwise(a32_lift *l, const a32_fields *f, unsigned op)
{
    oryx_val n = neon_get(l, 0, N(f)), m = neon_get(l, 0, f->m);
    oryx_val even = BIN(UZP1, V64, I32, n, m, 0), odd = BIN(UZP2, V64, I32, n, m, 0);
    neon_set(l, 0, f->d, neon_fp(l, 0, op, 0, 0, even, odd, 0));
}

static void fmla(a32_lift *l, const a32_fields *f, unsigned op, unsigned negate)
{
    oryx_val n = neon_get(l, f->q, N(f)), m = neon_get(l, f->q, f->m);
    if (negate)
        n = UN(FNEG, vec(f->q), F32, n, 0);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, op, 0, 0, n, m, neon_get(l, f->q, f->d)));
}

static void facmp(a32_lift *l, const a32_fields *f, unsigned op)
{
    unsigned t = vec(f->q);
    oryx_val n = UN(FABS, t, F32, neon_get(l, f->q, N(f)), 0), m = UN(FABS, t, F32, neon_get(l, f->q, f->m), 0);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, op, 0, 0, n, m, 0));
}

/* --- Integer ---------------------------------------------------------------------------------------------------- */

ORYX_INSN(VHADD, "1111001u0dzznnnndddd0000nqm0mmmm",
          "[z < 3] vhadd%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_HADD, (f->u ? 0 : SIGNED));
}

ORYX_INSN(VQADD, "1111001u0dzznnnndddd0000nqm1mmmm",
          "vqadd%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_QADD, (f->u ? 0 : SIGNED) | STICKY);
}

ORYX_INSN(VRHADD, "1111001u0dzznnnndddd0001nqm0mmmm",
          "[z < 3] vrhadd%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_HADD, (f->u ? 0 : SIGNED) | ROUND);
}

ORYX_INSN(VHSUB, "1111001u0dzznnnndddd0010nqm0mmmm",
          "[z < 3] vhsub%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_HSUB, (f->u ? 0 : SIGNED));
}

ORYX_INSN(VQSUB, "1111001u0dzznnnndddd0010nqm1mmmm",
          "vqsub%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_QSUB, (f->u ? 0 : SIGNED) | STICKY);
}

ORYX_INSN(VCGT, "1111001u0dzznnnndddd0011nqm0mmmm",
          "[z < 3] vcgt%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_VCMP, f->u ? ORYX_CC_GTU : ORYX_CC_GTS);
}

ORYX_INSN(VCGE, "1111001u0dzznnnndddd0011nqm1mmmm",
          "[z < 3] vcge%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_VCMP, f->u ? ORYX_CC_GEU : ORYX_CC_GES);
}

ORYX_INSN(VSHL_reg, "1111001u0dzznnnndddd0100nqm0mmmm",
          "vshl%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, m), %v(q, vfp_n(1, n))", NEON)
{
    shift(l, f, 0);
}

ORYX_INSN(VQSHL_reg, "1111001u0dzznnnndddd0100nqm1mmmm",
          "vqshl%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, m), %v(q, vfp_n(1, n))", NEON)
{
    shift(l, f, STICKY | SATURATE);
}

ORYX_INSN(VRSHL, "1111001u0dzznnnndddd0101nqm0mmmm",
          "vrshl%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, m), %v(q, vfp_n(1, n))", NEON)
{
    shift(l, f, ROUND);
}

ORYX_INSN(VQRSHL, "1111001u0dzznnnndddd0101nqm1mmmm",
          "vqrshl%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, m), %v(q, vfp_n(1, n))", NEON)
{
    shift(l, f, STICKY | ROUND | SATURATE);
}

ORYX_INSN(VMAX, "1111001u0dzznnnndddd0110nqm0mmmm",
          "[z < 3] vmax%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    oryx_val n = neon_get(l, f->q, N(f));
    neon_set(l, f->q, f->d, oryx_vbin(l->ir, f->u ? ORYX_OP_MAXU : ORYX_OP_MAXS, vec(f->q), lane(f->z), n, neon_get(l, f->q, f->m), 0));
}

ORYX_INSN(VMIN, "1111001u0dzznnnndddd0110nqm1mmmm",
          "[z < 3] vmin%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    oryx_val n = neon_get(l, f->q, N(f));
    neon_set(l, f->q, f->d, oryx_vbin(l->ir, f->u ? ORYX_OP_MINU : ORYX_OP_MINS, vec(f->q), lane(f->z), n, neon_get(l, f->q, f->m), 0));
}

ORYX_INSN(VABD, "1111001u0dzznnnndddd0111nqm0mmmm",
          "[z < 3] vabd%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_ABSD, (f->u ? 0 : SIGNED));
}

ORYX_INSN(VABA, "1111001u0dzznnnndddd0111nqm1mmmm",
          "[z < 3] vaba%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same_acc(l, f, ORYX_OP_ADD, ORYX_OP_ABSD, (f->u ? 0 : SIGNED));
}

ORYX_INSN(VADD_int, "111100100dzznnnndddd1000nqm0mmmm",
          "vadd%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(VSUB_int, "111100110dzznnnndddd1000nqm0mmmm",
          "vsub%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(VTST, "111100100dzznnnndddd1000nqm1mmmm",
          "[z < 3] vtst%c().%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_TST);
}

ORYX_INSN(VCEQ, "111100110dzznnnndddd1000nqm1mmmm",
          "[z < 3] vceq%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_VCMP, ORYX_CC_EQ);
}

ORYX_INSN(VMLA_int, "111100100dzznnnndddd1001nqm0mmmm",
          "[z < 3] vmla%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same_acc(l, f, ORYX_OP_ADD, ORYX_OP_MUL, 0);
}

ORYX_INSN(VMLS_int, "111100110dzznnnndddd1001nqm0mmmm",
          "[z < 3] vmls%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same_acc(l, f, ORYX_OP_SUB, ORYX_OP_MUL, 0);
}

ORYX_INSN(VMUL_int, "111100100dzznnnndddd1001nqm1mmmm",
          "[z < 3] vmul%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_MUL, 0);
}

ORYX_INSN(VMUL_poly, "111100110d00nnnndddd1001nqm1mmmm",
          "vmul%c().p8\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_PMUL, 0);
}

ORYX_INSN(VPMAX, "1111001u0dzznnnndddd1010nqm0mmmm",
          "[z < 3 && !q] vpmax%c().%?(u){u}{s}%u(8 << z)\t%v(0, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    pairwise(l, f, f->u ? ORYX_OP_MAXU : ORYX_OP_MAXS);
}

ORYX_INSN(VPMIN, "1111001u0dzznnnndddd1010nqm1mmmm",
          "[z < 3 && !q] vpmin%c().%?(u){u}{s}%u(8 << z)\t%v(0, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    pairwise(l, f, f->u ? ORYX_OP_MINU : ORYX_OP_MINS);
}

ORYX_INSN(VQDMULH, "111100100dzznnnndddd1011nqm0mmmm",
          "[z == 1 || z == 2] vqdmulh%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_QDMULH, STICKY);
}

ORYX_INSN(VQRDMULH, "111100110dzznnnndddd1011nqm0mmmm",
          "[z == 1 || z == 2] vqrdmulh%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_QDMULH, STICKY | ROUND);
}

ORYX_INSN(VPADD_int, "111100100dzznnnndddd1011nqm1mmmm",
          "[z < 3 && !q] vpadd%c().i%u(8 << z)\t%v(0, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    pairwise(l, f, ORYX_OP_ADD);
}

ORYX_INSN(VQRDMLAH, "111100110dzznnnndddd1011nqm1mmmm",
          "[z == 1 || z == 2] vqrdmlah%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", RDM)
{
    neon_rdm(l, f, neon_wide(l, f->q, f->m), ORYX_OP_ADD);
}

ORYX_INSN(VQRDMLSH, "111100110dzznnnndddd1100nqm1mmmm",
          "[z == 1 || z == 2] vqrdmlsh%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", RDM)
{
    neon_rdm(l, f, neon_wide(l, f->q, f->m), ORYX_OP_SUB);
}

/* --- Logical: the size field is the operation -------------------------------------------------------------------- */

ORYX_INSN(VAND, "111100100d00nnnndddd0001nqm1mmmm",
          "vand%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_AND, 0);
}

ORYX_INSN(VBIC, "111100100d01nnnndddd0001nqm1mmmm",
          "vbic%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_ANDN, 0);
}

ORYX_INSN(VORR, "111100100d10nnnndddd0001nqm1mmmm",
          "vorr%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_OR, 0);
}

ORYX_INSN(VORN, "111100100d11nnnndddd0001nqm1mmmm",
          "vorn%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_ORN, 0);
}

ORYX_INSN(VEOR, "111100110d00nnnndddd0001nqm1mmmm",
          "veor%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    same(l, f, ORYX_OP_XOR, 0);
}

ORYX_INSN(VBSL, "111100110d01nnnndddd0001nqm1mmmm",
          "vbsl%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    bitselect(l, f, f->d, N(f), f->m);
}

ORYX_INSN(VBIT, "111100110d10nnnndddd0001nqm1mmmm",
          "vbit%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    bitselect(l, f, f->m, N(f), f->d);
}

ORYX_INSN(VBIF, "111100110d11nnnndddd0001nqm1mmmm",
          "vbif%c()\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    bitselect(l, f, f->m, f->d, N(f));
}

/* --- Floating point ------------------------------------------------------------------------------------------------- */

ORYX_INSN(VFMA_v, "111100100d00nnnndddd1100nqm1mmmm",
          "vfma%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", VFP4)
{
    fmla(l, f, H_FMA, 0);
}

ORYX_INSN(VFMS_v, "111100100d10nnnndddd1100nqm1mmmm",
          "vfms%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", VFP4)
{
    fmla(l, f, H_FMA, 1);
}

ORYX_INSN(VADD_v, "111100100d00nnnndddd1101nqm0mmmm",
          "vadd%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_ADD);
}

ORYX_INSN(VSUB_v, "111100100d10nnnndddd1101nqm0mmmm",
          "vsub%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_SUB);
}

ORYX_INSN(VPADD_v, "111100110d00nnnndddd1101nqm0mmmm",
          "[!q] vpadd%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fpairwise(l, f, H_ADD);
}

ORYX_INSN(VABD_v, "111100110d10nnnndddd1101nqm0mmmm",
          "vabd%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, N_ABD);
}

ORYX_INSN(VMLA_v, "111100100d00nnnndddd1101nqm1mmmm",
          "vmla%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fmla(l, f, N_MLA, 0);
}

ORYX_INSN(VMLS_v, "111100100d10nnnndddd1101nqm1mmmm",
          "vmls%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fmla(l, f, N_MLS, 0);
}

ORYX_INSN(VMUL_v, "111100110d00nnnndddd1101nqm1mmmm",
          "vmul%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_MUL);
}

ORYX_INSN(VCEQ_v, "111100100d00nnnndddd1110nqm0mmmm",
          "vceq%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_CMEQ);
}

ORYX_INSN(VCGE_v, "111100110d00nnnndddd1110nqm0mmmm",
          "vcge%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_CMGE);
}

ORYX_INSN(VCGT_v, "111100110d10nnnndddd1110nqm0mmmm",
          "vcgt%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_CMGT);
}

ORYX_INSN(VACGE, "111100110d00nnnndddd1110nqm1mmmm",
          "vacge%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    facmp(l, f, H_CMGE);
}

ORYX_INSN(VACGT, "111100110d10nnnndddd1110nqm1mmmm",
          "vacgt%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    facmp(l, f, H_CMGT);
}

ORYX_INSN(VMAX_v, "111100100d00nnnndddd1111nqm0mmmm",
          "vmax%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_MAX);
}

ORYX_INSN(VMIN_v, "111100100d10nnnndddd1111nqm0mmmm",
          "vmin%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, H_MIN);
}

ORYX_INSN(VPMAX_v, "111100110d00nnnndddd1111nqm0mmmm",
          "[!q] vpmax%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fpairwise(l, f, H_MAX);
}

ORYX_INSN(VPMIN_v, "111100110d10nnnndddd1111nqm0mmmm",
          "[!q] vpmin%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fpairwise(l, f, H_MIN);
}

ORYX_INSN(VRECPS, "111100100d00nnnndddd1111nqm1mmmm",
          "vrecps%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, N_RECPS);
}

ORYX_INSN(VRSQRTS, "111100100d10nnnndddd1111nqm1mmmm",
          "vrsqrts%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", NEON)
{
    fsame(l, f, N_RSQRTS);
}

ORYX_INSN(VMAXNM_v, "111100110d00nnnndddd1111nqm1mmmm",
          "vmaxnm%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", V8FP)
{
    fsame(l, f, H_MAXNM);
}

ORYX_INSN(VMINNM_v, "111100110d10nnnndddd1111nqm1mmmm",
          "vminnm%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", V8FP)
{
    fsame(l, f, H_MINNM);
}
