/* Scalar floating point: data processing, compare, select, immediates, conversions (DDI 0487, C4.1
 * "Data processing: scalar floating-point and advanced SIMD"; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: each FP op of the IR stands for one rounding of
 * the manual's pseudocode, on exactly one element, so sticky flags are the architecture's. */
#include "a64_simd.h"

static void fp1(a64_lift *l, const a64_fields *f, unsigned op, uint64_t imm)
{
    unsigned t = flane(f->p);
    a64_set_vreg(l, t, f->d, oryx_vun(l->ir, op, t, t, a64_vreg(l, t, f->n), imm));
}

static void fp2(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, t, n, a64_vreg(l, t, f->m), 0));
}

/* FPMulAdd with the signs of the product and the addend as asked. */
static void muladd(a64_lift *l, const a64_fields *f, unsigned negate_product,
                   unsigned negate_addend)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m), a = a64_vreg(l, t, f->a);
    if (negate_product)
        n = UN(FNEG, t, t, n, 0);
    if (negate_addend)
        a = UN(FNEG, t, t, a, 0);
    a64_set_vreg(l, t, f->d, TRI(FMA, t, t, n, m, a, 0));
}

/* type: of the result; from: of the source; half precision travels as i16. */
static void convert(a64_lift *l, const a64_fields *f, unsigned type, unsigned from)
{
    a64_set_vreg(l, type, f->d, UN(FCVT, type, from, a64_vreg(l, from, f->n), 0));
}

static oryx_val compare(a64_lift *l, unsigned t, oryx_val n, oryx_val m, unsigned signal_all)
{
    return oryx_vbin(l->ir, ORYX_OP_FLFCMP, ORYX_T_FL, t, n, m, signal_all);
}

/* FCMP, FCMPE; zero: the second operand is +0.0. */
static void fcmp(a64_lift *l, const a64_fields *f, unsigned zero, unsigned signal_all)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n);
    oryx_val m = zero ? oryx_const(l->ir, t, 0) : a64_vreg(l, t, f->m);
    a64_set_flags(l, compare(l, t, n, m, signal_all));
}

static void fccmp(a64_lift *l, const a64_fields *f, unsigned signal_all)
{
    static const uint32_t bit[4] = { ORYX_FLAG_O, ORYX_FLAG_C, ORYX_FLAG_Z, ORYX_FLAG_S };
    unsigned t = flane(f->p);
    uint32_t nzcv = 0;
    for (unsigned i = 0; i < 4; i++)
        nzcv |= f->v >> i & 1 ? bit[i] : 0;
    /* When the condition fails nothing is compared, so no flag may rise: compare zeros then. */
    oryx_val cond = a64_cond(l, f->c), zero = oryx_const(l->ir, t, 0);
    oryx_val n = oryx_select(l->ir, t, cond, a64_vreg(l, t, f->n), zero);
    oryx_val m = oryx_select(l->ir, t, cond, a64_vreg(l, t, f->m), zero);
    oryx_val given = UN(FLUNPACK, ORYX_T_FL, I32, oryx_const(l->ir, I32, nzcv), 0);
    a64_set_flags(l, oryx_select(l->ir, ORYX_T_FL, cond, compare(l, t, n, m, signal_all), given));
}

/* FP to general register. */
static void to_int(a64_lift *l, const a64_fields *f, unsigned rounding, unsigned is_signed,
                   unsigned fraction)
{
    unsigned from = flane(f->p), to = f->f ? I64 : I32;
    uint64_t imm = rounding | (is_signed ? FI_SIGNED : 0) | (uint64_t)fraction << 8;
    a64_set_reg(l, to, f->d, UN(FTOI, to, from, a64_vreg(l, from, f->n), imm));
}

static void from_int(a64_lift *l, const a64_fields *f, unsigned is_signed, unsigned fraction)
{
    unsigned to = flane(f->p), from = f->f ? I64 : I32;
    uint64_t imm = (is_signed ? FI_SIGNED : 0) | (uint64_t)fraction << 8;
    a64_set_vreg(l, to, f->d, UN(ITOF, to, from, a64_reg(l, from, f->n), imm));
}

/* --- data processing, one source -------------------------------------------------------------- */

ORYX_INSN(FMOV_reg, "000111100p100000010000nnnnnddddd", "fmov\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    a64_set_vreg(l, flane(f->p), f->d, a64_vreg(l, flane(f->p), f->n));
}

ORYX_INSN(FABS_s, "000111100p100000110000nnnnnddddd", "fabs\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FABS, 0);
}

ORYX_INSN(FNEG_s, "000111100p100001010000nnnnnddddd", "fneg\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FNEG, 0);
}

ORYX_INSN(FSQRT_s, "000111100p100001110000nnnnnddddd", "fsqrt\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FSQRT, 0);
}

ORYX_INSN(FCVT_sd, "0001111000100010110000nnnnnddddd", "fcvt\t%fp(3,d), %fp(2,n)", FP)
{
    convert(l, f, F64, F32);
}

ORYX_INSN(FCVT_sh, "0001111000100011110000nnnnnddddd", "fcvt\t%fp(1,d), %fp(2,n)", FP)
{
    convert(l, f, I16, F32);
}

ORYX_INSN(FCVT_ds, "0001111001100010010000nnnnnddddd", "fcvt\t%fp(2,d), %fp(3,n)", FP)
{
    convert(l, f, F32, F64);
}

ORYX_INSN(FCVT_dh, "0001111001100011110000nnnnnddddd", "fcvt\t%fp(1,d), %fp(3,n)", FP)
{
    convert(l, f, I16, F64);
}

ORYX_INSN(FCVT_hs, "0001111011100010010000nnnnnddddd", "fcvt\t%fp(2,d), %fp(1,n)", FP)
{
    convert(l, f, F32, I16);
}

ORYX_INSN(FCVT_hd, "0001111011100010110000nnnnnddddd", "fcvt\t%fp(3,d), %fp(1,n)", FP)
{
    convert(l, f, F64, I16);
}

ORYX_INSN(FRINTN_s, "000111100p100100010000nnnnnddddd", "frintn\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_NEAREST);
}

ORYX_INSN(FRINTP_s, "000111100p100100110000nnnnnddddd", "frintp\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_UP);
}

ORYX_INSN(FRINTM_s, "000111100p100101010000nnnnnddddd", "frintm\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_DOWN);
}

ORYX_INSN(FRINTZ_s, "000111100p100101110000nnnnnddddd", "frintz\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_ZERO);
}

ORYX_INSN(FRINTA_s, "000111100p100110010000nnnnnddddd", "frinta\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_AWAY);
}

ORYX_INSN(FRINTX_s, "000111100p100111010000nnnnnddddd", "frintx\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_ENV | FI_EXACT);
}

ORYX_INSN(FRINTI_s, "000111100p100111110000nnnnnddddd", "frinti\t%fp(p+2,d), %fp(p+2,n)", FP)
{
    fp1(l, f, ORYX_OP_FROUND, ORYX_RM_ENV);
}

/* --- compare, conditional compare, select, immediate ------------------------------------------ */

ORYX_INSN(FCMP, "000111100p1mmmmm001000nnnnn00000", "fcmp\t%fp(p+2,n), %fp(p+2,m)", FP)
{
    fcmp(l, f, 0, 0);
}

/* Rm of the forms with zero should be 0 and is ignored. */
ORYX_INSN(FCMP_zero, "000111100p1-----001000nnnnn01000", "fcmp\t%fp(p+2,n), #0.0", FP)
{
    fcmp(l, f, 1, 0);
}

ORYX_INSN(FCMPE, "000111100p1mmmmm001000nnnnn10000", "fcmpe\t%fp(p+2,n), %fp(p+2,m)", FP)
{
    fcmp(l, f, 0, 1);
}

ORYX_INSN(FCMPE_zero, "000111100p1-----001000nnnnn11000", "fcmpe\t%fp(p+2,n), #0.0", FP)
{
    fcmp(l, f, 1, 1);
}

ORYX_INSN(FMOV_imm, "000111100p1iiiiiiii10000000ddddd", "fmov\t%fp(p+2,d), #%fimm(i)", FP)
{
    a64_set_vreg(l, flane(f->p), f->d,
                 oryx_const(l->ir, flane(f->p), a64_expand_fp_imm(f->p, f->i)));
}

ORYX_INSN(FCCMP, "000111100p1mmmmmcccc01nnnnn0vvvv",
          "fccmp\t%fp(p+2,n), %fp(p+2,m), #%hex(v), %cond(c)", FP)
{
    fccmp(l, f, 0);
}

ORYX_INSN(FCCMPE, "000111100p1mmmmmcccc01nnnnn1vvvv",
          "fccmpe\t%fp(p+2,n), %fp(p+2,m), #%hex(v), %cond(c)", FP)
{
    fccmp(l, f, 1);
}

ORYX_INSN(FCSEL, "000111100p1mmmmmcccc11nnnnnddddd",
          "fcsel\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m), %cond(c)", FP)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m);
    a64_set_vreg(l, t, f->d, oryx_select(l->ir, t, a64_cond(l, f->c), n, m));
}

/* --- data processing, two and three sources --------------------------------------------------- */

ORYX_INSN(FMUL_s, "000111100p1mmmmm000010nnnnnddddd",
          "fmul\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FMUL);
}

ORYX_INSN(FDIV_s, "000111100p1mmmmm000110nnnnnddddd",
          "fdiv\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FDIV);
}

ORYX_INSN(FADD_s, "000111100p1mmmmm001010nnnnnddddd",
          "fadd\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FADD);
}

ORYX_INSN(FSUB_s, "000111100p1mmmmm001110nnnnnddddd",
          "fsub\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FSUB);
}

ORYX_INSN(FMAX_s, "000111100p1mmmmm010010nnnnnddddd",
          "fmax\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FMAX);
}

ORYX_INSN(FMIN_s, "000111100p1mmmmm010110nnnnnddddd",
          "fmin\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FMIN);
}

ORYX_INSN(FMAXNM_s, "000111100p1mmmmm011010nnnnnddddd",
          "fmaxnm\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FMAXNM);
}

ORYX_INSN(FMINNM_s, "000111100p1mmmmm011110nnnnnddddd",
          "fminnm\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    fp2(l, f, ORYX_OP_FMINNM);
}

ORYX_INSN(FNMUL_s, "000111100p1mmmmm100010nnnnnddddd",
          "fnmul\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m)", FP)
{
    unsigned t = flane(f->p);
    oryx_val n = a64_vreg(l, t, f->n), m = a64_vreg(l, t, f->m);
    a64_set_vreg(l, t, f->d, UN(FNEG, t, t, BIN(FMUL, t, t, n, m, 0), 0));
}

ORYX_INSN(FMADD, "000111110p0mmmmm0aaaaannnnnddddd",
          "fmadd\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m), %fp(p+2,a)", FP)
{
    muladd(l, f, 0, 0);
}

ORYX_INSN(FMSUB, "000111110p0mmmmm1aaaaannnnnddddd",
          "fmsub\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m), %fp(p+2,a)", FP)
{
    muladd(l, f, 1, 0);
}

ORYX_INSN(FNMADD, "000111110p1mmmmm0aaaaannnnnddddd",
          "fnmadd\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m), %fp(p+2,a)", FP)
{
    muladd(l, f, 1, 1);
}

ORYX_INSN(FNMSUB, "000111110p1mmmmm1aaaaannnnnddddd",
          "fnmsub\t%fp(p+2,d), %fp(p+2,n), %fp(p+2,m), %fp(p+2,a)", FP)
{
    muladd(l, f, 0, 1);
}

/* --- conversion between FP and integer, FMOV between register files --------------------------- */

ORYX_INSN(FCVTNS_int, "f00111100p100000000000nnnnnddddd", "fcvtns\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_NEAREST, 1, 0);
}

ORYX_INSN(FCVTNU_int, "f00111100p100001000000nnnnnddddd", "fcvtnu\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_NEAREST, 0, 0);
}

ORYX_INSN(SCVTF_int, "f00111100p100010000000nnnnnddddd", "scvtf\t%fp(p+2,d), %r(f,n)", FP)
{
    from_int(l, f, 1, 0);
}

ORYX_INSN(UCVTF_int, "f00111100p100011000000nnnnnddddd", "ucvtf\t%fp(p+2,d), %r(f,n)", FP)
{
    from_int(l, f, 0, 0);
}

ORYX_INSN(FCVTAS_int, "f00111100p100100000000nnnnnddddd", "fcvtas\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_AWAY, 1, 0);
}

ORYX_INSN(FCVTAU_int, "f00111100p100101000000nnnnnddddd", "fcvtau\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_AWAY, 0, 0);
}

ORYX_INSN(FCVTPS_int, "f00111100p101000000000nnnnnddddd", "fcvtps\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_UP, 1, 0);
}

ORYX_INSN(FCVTPU_int, "f00111100p101001000000nnnnnddddd", "fcvtpu\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_UP, 0, 0);
}

ORYX_INSN(FCVTMS_int, "f00111100p110000000000nnnnnddddd", "fcvtms\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_DOWN, 1, 0);
}

ORYX_INSN(FCVTMU_int, "f00111100p110001000000nnnnnddddd", "fcvtmu\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_DOWN, 0, 0);
}

ORYX_INSN(FCVTZS_int, "f00111100p111000000000nnnnnddddd", "fcvtzs\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_ZERO, 1, 0);
}

ORYX_INSN(FCVTZU_int, "f00111100p111001000000nnnnnddddd", "fcvtzu\t%r(f,d), %fp(p+2,n)", FP)
{
    to_int(l, f, ORYX_RM_ZERO, 0, 0);
}

ORYX_INSN(FMOV_ws, "0001111000100110000000nnnnnddddd", "fmov\t%w(d), %fp(2,n)", FP)
{
    a64_set_reg(l, I32, f->d, a64_vreg(l, I32, f->n));
}

ORYX_INSN(FMOV_sw, "0001111000100111000000nnnnnddddd", "fmov\t%fp(2,d), %w(n)", FP)
{
    a64_set_vreg(l, I32, f->d, a64_reg(l, I32, f->n));
}

ORYX_INSN(FMOV_xd, "1001111001100110000000nnnnnddddd", "fmov\t%x(d), %fp(3,n)", FP)
{
    a64_set_reg(l, I64, f->d, a64_vreg(l, I64, f->n));
}

ORYX_INSN(FMOV_dx, "1001111001100111000000nnnnnddddd", "fmov\t%fp(3,d), %x(n)", FP)
{
    a64_set_vreg(l, I64, f->d, a64_reg(l, I64, f->n));
}

ORYX_INSN(FMOV_xvd1, "1001111010101110000000nnnnnddddd", "fmov\t%x(d), %vx(3,n,1)", FP)
{
    a64_set_reg(l, I64, f->d, oryx_get(l->ir, I64, A64_OFF_V(f->n) + 8u));
}

ORYX_INSN(FMOV_vd1x, "1001111010101111000000nnnnnddddd", "fmov\t%vx(3,d,1), %x(n)", FP)
{
    oryx_put(l->ir, I64, A64_OFF_V(f->d) + 8u, a64_reg(l, I64, f->n));
}

ORYX_INSN(SCVTF_fix, "f00111100p000010ssssssnnnnnddddd",
          "[f == 1 || s >= 32] scvtf\t%fp(p+2,d), %r(f,n), #%u(64-s)", FP)
{
    from_int(l, f, 1, 64 - f->s);
}

ORYX_INSN(UCVTF_fix, "f00111100p000011ssssssnnnnnddddd",
          "[f == 1 || s >= 32] ucvtf\t%fp(p+2,d), %r(f,n), #%u(64-s)", FP)
{
    from_int(l, f, 0, 64 - f->s);
}

ORYX_INSN(FCVTZS_fix, "f00111100p011000ssssssnnnnnddddd",
          "[f == 1 || s >= 32] fcvtzs\t%r(f,d), %fp(p+2,n), #%u(64-s)", FP)
{
    to_int(l, f, ORYX_RM_ZERO, 1, 64 - f->s);
}

ORYX_INSN(FCVTZU_fix, "f00111100p011001ssssssnnnnnddddd",
          "[f == 1 || s >= 32] fcvtzu\t%r(f,d), %fp(p+2,n), #%u(64-s)", FP)
{
    to_int(l, f, ORYX_RM_ZERO, 0, 64 - f->s);
}

/* JavaScript's ToInt32; the helper returns the packed flags above the result: Z when nothing was
 * lost. */
ORYX_INSN(FJCVTZS, "0001111001111110000000nnnnnddddd", "fjcvtzs\t%w(d), %fp(3,n)", JSCVT)
{
    oryx_val n = a64_vreg(l, I64, f->n);
    oryx_val v = a64_call(l, A64_HELPER_fjcvtzs, I64, &n, 1);
    oryx_val exact = oryx_trunc(l->ir, I32, I64, oryx_bfx(l->ir, ORYX_OP_UBFX, I64, v, 32, 32));
    a64_set_reg(l, I32, f->d, oryx_trunc(l->ir, I32, I64, v));
    a64_set_flags(l, UN(FLUNPACK, ORYX_T_FL, I32, exact, 0));
}
