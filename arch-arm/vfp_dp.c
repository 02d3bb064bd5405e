/* VFP data processing: arithmetic, moves, comparison, selection, rounding (DDI 0406C A7.5; DDI 0487 F4.1 "Floating-point
 * data-processing").
 *
 * Called through the decode tables. Invariant: each FP op of the IR is one rounding of the manual's pseudocode; signs are
 * flipped as FPNeg does, NaNs included. */
#include "vfp.h"

static oryx_val get_d(a32_lift *l, const a32_fields *f)
{
    return vfp_get(l, f->p, vfp_d(f->p, f->d));
}

static oryx_val get_n(a32_lift *l, const a32_fields *f)
{
    return vfp_get(l, f->p, vfp_n(f->p, f->n));
}

static oryx_val get_m(a32_lift *l, const a32_fields *f)
{
    return vfp_get(l, f->p, vfp_d(f->p, f->m));
}

static void set_d(a32_lift *l, const a32_fields *f, oryx_val v)
{
    vfp_data(l);
    vfp_set(l, f->p, vfp_d(f->p, f->d), v);
}

static oryx_val neg(a32_lift *l, const a32_fields *f, oryx_val v)
{
    return UN(FNEG, flane(f->p), flane(f->p), v, 0);
}

static oryx_val bin(a32_lift *l, const a32_fields *f, unsigned op, oryx_val a, oryx_val b)
{
    return oryx_vbin(l->ir, op, flane(f->p), flane(f->p), a, b, 0);
}

static void arithmetic(a32_lift *l, const a32_fields *f, unsigned op)
{
    set_d(l, f, bin(l, f, op, get_n(l, f), get_m(l, f)));
}

static void unary(a32_lift *l, const a32_fields *f, unsigned op, uint64_t imm)
{
    set_d(l, f, oryx_vun(l->ir, op, flane(f->p), flane(f->p), get_m(l, f), imm));
}

/* Two roundings: the product's, then the sum's. */
static void multiply_add(a32_lift *l, const a32_fields *f, unsigned negate_product, unsigned negate_addend)
{
    oryx_val product = bin(l, f, ORYX_OP_FMUL, get_n(l, f), get_m(l, f)), d = get_d(l, f);
    if (negate_product)
        product = neg(l, f, product);
    if (negate_addend)
        d = neg(l, f, d);
    set_d(l, f, bin(l, f, ORYX_OP_FADD, d, product));
}

static void fused(a32_lift *l, const a32_fields *f, unsigned negate_product, unsigned negate_addend)
{
    oryx_val n = get_n(l, f), d = get_d(l, f);
    if (negate_product)
        n = neg(l, f, n);
    if (negate_addend)
        d = neg(l, f, d);
    set_d(l, f, TRI(FMA, flane(f->p), flane(f->p), n, get_m(l, f), d, 0));
}

/* --- Arithmetic ------------------------------------------------------------------------------------------------- */

ORYX_INSN(VMLA, "cccc11100d00nnnndddd101pn0m0mmmm",
          "vmla%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    multiply_add(l, f, 0, 0);
}

ORYX_INSN(VMLS, "cccc11100d00nnnndddd101pn1m0mmmm",
          "vmls%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    multiply_add(l, f, 1, 0);
}

ORYX_INSN(VNMLS, "cccc11100d01nnnndddd101pn0m0mmmm",
          "vnmls%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    multiply_add(l, f, 0, 1);
}

ORYX_INSN(VNMLA, "cccc11100d01nnnndddd101pn1m0mmmm",
          "vnmla%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    multiply_add(l, f, 1, 1);
}

ORYX_INSN(VMUL, "cccc11100d10nnnndddd101pn0m0mmmm",
          "vmul%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    arithmetic(l, f, ORYX_OP_FMUL);
}

ORYX_INSN(VNMUL, "cccc11100d10nnnndddd101pn1m0mmmm",
          "vnmul%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    set_d(l, f, neg(l, f, bin(l, f, ORYX_OP_FMUL, get_n(l, f), get_m(l, f))));
}

ORYX_INSN(VADD, "cccc11100d11nnnndddd101pn0m0mmmm",
          "vadd%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    arithmetic(l, f, ORYX_OP_FADD);
}

ORYX_INSN(VSUB, "cccc11100d11nnnndddd101pn1m0mmmm",
          "vsub%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    arithmetic(l, f, ORYX_OP_FSUB);
}

ORYX_INSN(VDIV, "cccc11101d00nnnndddd101pn0m0mmmm",
          "vdiv%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP)
{
    arithmetic(l, f, ORYX_OP_FDIV);
}

ORYX_INSN(VFNMS, "cccc11101d01nnnndddd101pn0m0mmmm",
          "vfnms%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP4)
{
    fused(l, f, 0, 1);
}

ORYX_INSN(VFNMA, "cccc11101d01nnnndddd101pn1m0mmmm",
          "vfnma%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP4)
{
    fused(l, f, 1, 1);
}

ORYX_INSN(VFMA, "cccc11101d10nnnndddd101pn0m0mmmm",
          "vfma%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP4)
{
    fused(l, f, 0, 0);
}

ORYX_INSN(VFMS, "cccc11101d10nnnndddd101pn1m0mmmm",
          "vfms%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", VFP4)
{
    fused(l, f, 1, 0);
}

/* --- Moves, sign, square root ------------------------------------------------------------------------------------- */

ORYX_INSN(VMOV_imm, "cccc11101d11iiiidddd101p0000iiii", "vmov%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), #%u(i)", VFP3)
{
    set_d(l, f, oryx_const(l->ir, flane(f->p), a64_expand_fp_imm(f->p, f->i)));
}

ORYX_INSN(VMOV_reg, "cccc11101d110000dddd101p01m0mmmm", "vmov%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", VFP)
{
    set_d(l, f, get_m(l, f));
}

ORYX_INSN(VABS, "cccc11101d110000dddd101p11m0mmmm", "vabs%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", VFP)
{
    unary(l, f, ORYX_OP_FABS, 0);
}

ORYX_INSN(VNEG, "cccc11101d110001dddd101p01m0mmmm", "vneg%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", VFP)
{
    unary(l, f, ORYX_OP_FNEG, 0);
}

ORYX_INSN(VSQRT, "cccc11101d110001dddd101p11m0mmmm", "vsqrt%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", VFP)
{
    unary(l, f, ORYX_OP_FSQRT, 0);
}

/* --- Comparison: into FPSCR's NZCV. e: quiet NaNs signal ------------------------------------------------------------ */

static void compare(a32_lift *l, const a32_fields *f, oryx_val m)
{
    vfp_data(l);
    oryx_put(l->ir, ORYX_T_FL, A32_OFF(fpflags),
             oryx_vbin(l->ir, ORYX_OP_FLFCMP, ORYX_T_FL, flane(f->p), get_d(l, f), m, f->e));
}

ORYX_INSN(VCMP, "cccc11101d110100dddd101pe1m0mmmm",
          "vcmp%?(e){e}%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", VFP)
{
    compare(l, f, get_m(l, f));
}

ORYX_INSN(VCMP_zero, "cccc11101d110101dddd101pe1000000", "vcmp%?(e){e}%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), #0.0", VFP)
{
    compare(l, f, oryx_const(l->ir, flane(f->p), 0));
}

/* --- Rounding to integral --------------------------------------------------------------------------------------------- */

ORYX_INSN(VRINTR, "cccc11101d110110dddd101p01m0mmmm",
          "vrintr%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", V8FP)
{
    unary(l, f, ORYX_OP_FROUND, ORYX_RM_ENV);
}

ORYX_INSN(VRINTZ, "cccc11101d110110dddd101p11m0mmmm",
          "vrintz%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", V8FP)
{
    unary(l, f, ORYX_OP_FROUND, ORYX_RM_ZERO);
}

ORYX_INSN(VRINTX, "cccc11101d110111dddd101p01m0mmmm",
          "vrintx%c().f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", V8FP)
{
    unary(l, f, ORYX_OP_FROUND, ORYX_RM_ENV | FI_EXACT);
}

/* r: A N P M. */
ORYX_INSN(VRINT_rm, "111111101d1110rrdddd101p01m0mmmm",
          "vrint%pick(r, \"a n p m\").f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_d(p, m))", V8FP)
{
    static const uint8_t modes[4] = { ORYX_RM_AWAY, ORYX_RM_NEAREST, ORYX_RM_UP, ORYX_RM_DOWN };
    unary(l, f, ORYX_OP_FROUND, modes[f->r]);
}

/* --- Armv8: selection, maximum ------------------------------------------------------------------------------------------ */

ORYX_INSN(VSEL, "111111100dccnnnndddd101pn0m0mmmm",
          "vsel%pick(c, \"eq vs ge gt\").f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", V8FP)
{
    static const uint8_t conditions[4] = { 0, 6, 10, 12 };
    oryx_val n = get_n(l, f), m = get_m(l, f);
    set_d(l, f, oryx_select(l->ir, flane(f->p), a32_cond(l, conditions[f->c]), n, m));
}

ORYX_INSN(VMAXNM, "111111101d00nnnndddd101pn0m0mmmm",
          "vmaxnm.f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", V8FP)
{
    arithmetic(l, f, ORYX_OP_FMAXNM);
}

ORYX_INSN(VMINNM, "111111101d00nnnndddd101pn1m0mmmm",
          "vminnm.f%u(32 << p)\t%fp(p, vfp_d(p, d)), %fp(p, vfp_n(p, n)), %fp(p, vfp_d(p, m))", V8FP)
{
    arithmetic(l, f, ORYX_OP_FMINNM);
}
