/* Scalar half-precision arithmetic (FEAT_FP16; DDI 0487, C4.1 "Data processing: scalar
 * floating-point ..."; C7.2).
 *
 * Called by the decoder, one body a row. Arithmetic is one helper call (a64_fp16_helpers.c); moves,
 * signs and selection are IR. Invariant: a scalar form gives the helper one lane, so nothing else
 * can raise a flag. */
#include "a64_fp16.h"

oryx_val a64_fp16(a64_lift *l, oryx_val a, oryx_val b, oryx_val c, uint32_t control)
{
    oryx_val v[4] = { a, b ? b : a, c ? c : a, oryx_const(l->ir, I32, control) };
    return a64_call(l, A64_HELPER_fp16, V128, v, 4);
}

oryx_val a64_fp16_neg(a64_lift *l, oryx_val v)
{
    return BIN(XOR, V128, I16, v, splat(l, V128, 1, 0x8000), 0);
}

oryx_val a64_fp16_abs(a64_lift *l, oryx_val v)
{
    return BIN(AND, V128, I16, v, splat(l, V128, 1, 0x7fff), 0);
}

static oryx_val reg(a64_lift *l, unsigned n)
{
    return a64_vreg(l, V128, n);
}

static void op1(a64_lift *l, const a64_fields *f, unsigned op, unsigned mode)
{
    a64_set_vreg(l, V128, f->d, a64_fp16(l, reg(l, f->n), 0, 0, H_CONTROL(op, 1, mode, 0)));
}

static void op2(a64_lift *l, const a64_fields *f, unsigned op)
{
    a64_set_vreg(l, V128, f->d, a64_fp16(l, reg(l, f->n), reg(l, f->m), 0, H_CONTROL(op, 1, 0, 0)));
}

/* Lane 0 with its sign changed by XOR or AND, the rest cleared. */
static void sign(a64_lift *l, const a64_fields *f, unsigned op, uint64_t mask)
{
    oryx_val n = a64_vreg(l, I16, f->n);
    a64_set_vreg(l, I16, f->d, oryx_bin(l->ir, op, I16, n, oryx_const(l->ir, I16, mask)));
}

static void muladd(a64_lift *l, const a64_fields *f, unsigned negate_product,
                   unsigned negate_addend)
{
    oryx_val n = reg(l, f->n), a = reg(l, f->a);
    if (negate_product)
        n = a64_fp16_neg(l, n);
    if (negate_addend)
        a = a64_fp16_neg(l, a);
    a64_set_vreg(l, V128, f->d, a64_fp16(l, n, reg(l, f->m), a, H_CONTROL(H_FMA, 1, 0, 0)));
}

static oryx_val compare(a64_lift *l, oryx_val n, oryx_val m, unsigned signal_all)
{
    oryx_val v[3] = { oryx_zext(l->ir, I32, I16, n), oryx_zext(l->ir, I32, I16, m),
                      oryx_const(l->ir, I32, signal_all) };
    return UN(FLUNPACK, ORYX_T_FL, I32, a64_call(l, A64_HELPER_fp16_fcmp, I32, v, 3), 0);
}

static void fcmp(a64_lift *l, const a64_fields *f, unsigned zero, unsigned signal_all)
{
    oryx_val n = a64_vreg(l, I16, f->n),
             m = zero ? oryx_const(l->ir, I16, 0) : a64_vreg(l, I16, f->m);
    a64_set_flags(l, compare(l, n, m, signal_all));
}

/* As in a64_fp.c: zeros are compared when the condition fails, so that no flag rises. */
static void fccmp(a64_lift *l, const a64_fields *f, unsigned signal_all)
{
    oryx_val cond = a64_cond(l, f->c), zero = oryx_const(l->ir, I16, 0);
    oryx_val n = oryx_select(l->ir, I16, cond, a64_vreg(l, I16, f->n), zero);
    oryx_val m = oryx_select(l->ir, I16, cond, a64_vreg(l, I16, f->m), zero);
    oryx_val given =
        UN(FLUNPACK, ORYX_T_FL, I32, oryx_const(l->ir, I32, a64_packed_from_nzcv(f->v << 28)), 0);
    a64_set_flags(l, oryx_select(l->ir, ORYX_T_FL, cond, compare(l, n, m, signal_all), given));
}

static void to_int(a64_lift *l, const a64_fields *f, unsigned rounding, unsigned is_signed,
                   unsigned fraction)
{
    unsigned mode = rounding | (is_signed ? FI_SIGNED : 0), to = f->f ? I64 : I32;
    oryx_val v[2] = { oryx_zext(l->ir, I64, I16, a64_vreg(l, I16, f->n)),
                      oryx_const(l->ir, I32, H_CONTROL(H_TOINT, f->f, mode, fraction)) };
    a64_set_reg(l, to, f->d,
                oryx_trunc(l->ir, to, I64, a64_call(l, A64_HELPER_fp16_to_int, I64, v, 2)));
}

static void from_int(a64_lift *l, const a64_fields *f, unsigned is_signed, unsigned fraction)
{
    unsigned mode = is_signed ? FI_SIGNED : 0, from = f->f ? I64 : I32;
    oryx_val v[2] = { oryx_zext(l->ir, I64, from, a64_reg(l, from, f->n)),
                      oryx_const(l->ir, I32, H_CONTROL(H_FROMINT, f->f, mode, fraction)) };
    oryx_val r = a64_call(l, A64_HELPER_fp16_from_int, I64, v, 2);
    a64_set_vreg(l, I16, f->d, oryx_trunc(l->ir, I16, I64, r));
}

ORYX_INSN(FMOV_h, "0001111011100000010000nnnnnddddd", "fmov\t%fp(1,d), %fp(1,n)", FP16)
{
    a64_set_vreg(l, I16, f->d, a64_vreg(l, I16, f->n));
}

ORYX_INSN(FABS_h, "0001111011100000110000nnnnnddddd", "fabs\t%fp(1,d), %fp(1,n)", FP16)
{
    sign(l, f, ORYX_OP_AND, 0x7fff);
}

ORYX_INSN(FNEG_h, "0001111011100001010000nnnnnddddd", "fneg\t%fp(1,d), %fp(1,n)", FP16)
{
    sign(l, f, ORYX_OP_XOR, 0x8000);
}

ORYX_INSN(FSQRT_h, "0001111011100001110000nnnnnddddd", "fsqrt\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_SQRT, 0);
}

ORYX_INSN(FRINTN_h, "0001111011100100010000nnnnnddddd", "frintn\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_NEAREST);
}

ORYX_INSN(FRINTP_h, "0001111011100100110000nnnnnddddd", "frintp\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_UP);
}

ORYX_INSN(FRINTM_h, "0001111011100101010000nnnnnddddd", "frintm\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_DOWN);
}

ORYX_INSN(FRINTZ_h, "0001111011100101110000nnnnnddddd", "frintz\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_ZERO);
}

ORYX_INSN(FRINTA_h, "0001111011100110010000nnnnnddddd", "frinta\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_AWAY);
}

ORYX_INSN(FRINTX_h, "0001111011100111010000nnnnnddddd", "frintx\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_ENV | FI_EXACT);
}

ORYX_INSN(FRINTI_h, "0001111011100111110000nnnnnddddd", "frinti\t%fp(1,d), %fp(1,n)", FP16)
{
    op1(l, f, H_ROUND, ORYX_RM_ENV);
}

ORYX_INSN(FCMP_h, "00011110111mmmmm001000nnnnn00000", "fcmp\t%fp(1,n), %fp(1,m)", FP16)
{
    fcmp(l, f, 0, 0);
}

ORYX_INSN(FCMP_zero_h, "00011110111-----001000nnnnn01000", "fcmp\t%fp(1,n), #0.0", FP16)
{
    fcmp(l, f, 1, 0);
}

ORYX_INSN(FCMPE_h, "00011110111mmmmm001000nnnnn10000", "fcmpe\t%fp(1,n), %fp(1,m)", FP16)
{
    fcmp(l, f, 0, 1);
}

ORYX_INSN(FCMPE_zero_h, "00011110111-----001000nnnnn11000", "fcmpe\t%fp(1,n), #0.0", FP16)
{
    fcmp(l, f, 1, 1);
}

ORYX_INSN(FMOV_imm_h, "00011110111iiiiiiii10000000ddddd", "fmov\t%fp(1,d), #%fimm(i)", FP16)
{
    a64_set_vreg(l, I16, f->d, oryx_const(l->ir, I16, a64_expand_fp16_imm(f->i)));
}

ORYX_INSN(FCCMP_h, "00011110111mmmmmcccc01nnnnn0vvvv",
          "fccmp\t%fp(1,n), %fp(1,m), #%hex(v), %cond(c)", FP16)
{
    fccmp(l, f, 0);
}

ORYX_INSN(FCCMPE_h, "00011110111mmmmmcccc01nnnnn1vvvv",
          "fccmpe\t%fp(1,n), %fp(1,m), #%hex(v), %cond(c)", FP16)
{
    fccmp(l, f, 1);
}

ORYX_INSN(FCSEL_h, "00011110111mmmmmcccc11nnnnnddddd",
          "fcsel\t%fp(1,d), %fp(1,n), %fp(1,m), %cond(c)", FP16)
{
    oryx_val n = a64_vreg(l, I16, f->n), m = a64_vreg(l, I16, f->m);
    a64_set_vreg(l, I16, f->d, oryx_select(l->ir, I16, a64_cond(l, f->c), n, m));
}

ORYX_INSN(FMUL_h, "00011110111mmmmm000010nnnnnddddd", "fmul\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_MUL);
}

ORYX_INSN(FDIV_h, "00011110111mmmmm000110nnnnnddddd", "fdiv\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_DIV);
}

ORYX_INSN(FADD_h, "00011110111mmmmm001010nnnnnddddd", "fadd\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_ADD);
}

ORYX_INSN(FSUB_h, "00011110111mmmmm001110nnnnnddddd", "fsub\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_SUB);
}

ORYX_INSN(FMAX_h, "00011110111mmmmm010010nnnnnddddd", "fmax\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_MAX);
}

ORYX_INSN(FMIN_h, "00011110111mmmmm010110nnnnnddddd", "fmin\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_MIN);
}

ORYX_INSN(FMAXNM_h, "00011110111mmmmm011010nnnnnddddd",
          "fmaxnm\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_MAXNM);
}

ORYX_INSN(FMINNM_h, "00011110111mmmmm011110nnnnnddddd",
          "fminnm\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    op2(l, f, H_MINNM);
}

ORYX_INSN(FNMUL_h, "00011110111mmmmm100010nnnnnddddd", "fnmul\t%fp(1,d), %fp(1,n), %fp(1,m)", FP16)
{
    oryx_val v = a64_fp16(l, reg(l, f->n), reg(l, f->m), 0, H_CONTROL(H_MUL, 1, 0, 0));
    oryx_val low = UN(VGET, V128, I16, v, 0);
    a64_set_vreg(l, I16, f->d,
                 oryx_bin(l->ir, ORYX_OP_XOR, I16, low, oryx_const(l->ir, I16, 0x8000)));
}

ORYX_INSN(FMADD_h, "00011111110mmmmm0aaaaannnnnddddd",
          "fmadd\t%fp(1,d), %fp(1,n), %fp(1,m), %fp(1,a)", FP16)
{
    muladd(l, f, 0, 0);
}

ORYX_INSN(FMSUB_h, "00011111110mmmmm1aaaaannnnnddddd",
          "fmsub\t%fp(1,d), %fp(1,n), %fp(1,m), %fp(1,a)", FP16)
{
    muladd(l, f, 1, 0);
}

ORYX_INSN(FNMADD_h, "00011111111mmmmm0aaaaannnnnddddd",
          "fnmadd\t%fp(1,d), %fp(1,n), %fp(1,m), %fp(1,a)", FP16)
{
    muladd(l, f, 1, 1);
}

ORYX_INSN(FNMSUB_h, "00011111111mmmmm1aaaaannnnnddddd",
          "fnmsub\t%fp(1,d), %fp(1,n), %fp(1,m), %fp(1,a)", FP16)
{
    muladd(l, f, 0, 1);
}

ORYX_INSN(FCVTNS_int_h, "f001111011100000000000nnnnnddddd", "fcvtns\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_NEAREST, 1, 0);
}

ORYX_INSN(FCVTNU_int_h, "f001111011100001000000nnnnnddddd", "fcvtnu\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_NEAREST, 0, 0);
}

ORYX_INSN(FCVTAS_int_h, "f001111011100100000000nnnnnddddd", "fcvtas\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_AWAY, 1, 0);
}

ORYX_INSN(FCVTAU_int_h, "f001111011100101000000nnnnnddddd", "fcvtau\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_AWAY, 0, 0);
}

ORYX_INSN(FCVTPS_int_h, "f001111011101000000000nnnnnddddd", "fcvtps\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_UP, 1, 0);
}

ORYX_INSN(FCVTPU_int_h, "f001111011101001000000nnnnnddddd", "fcvtpu\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_UP, 0, 0);
}

ORYX_INSN(FCVTMS_int_h, "f001111011110000000000nnnnnddddd", "fcvtms\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_DOWN, 1, 0);
}

ORYX_INSN(FCVTMU_int_h, "f001111011110001000000nnnnnddddd", "fcvtmu\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_DOWN, 0, 0);
}

ORYX_INSN(FCVTZS_int_h, "f001111011111000000000nnnnnddddd", "fcvtzs\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_ZERO, 1, 0);
}

ORYX_INSN(FCVTZU_int_h, "f001111011111001000000nnnnnddddd", "fcvtzu\t%r(f,d), %fp(1,n)", FP16)
{
    to_int(l, f, ORYX_RM_ZERO, 0, 0);
}

ORYX_INSN(SCVTF_int_h, "f001111011100010000000nnnnnddddd", "scvtf\t%fp(1,d), %r(f,n)", FP16)
{
    from_int(l, f, 1, 0);
}

ORYX_INSN(UCVTF_int_h, "f001111011100011000000nnnnnddddd", "ucvtf\t%fp(1,d), %r(f,n)", FP16)
{
    from_int(l, f, 0, 0);
}

ORYX_INSN(FMOV_gh, "f001111011100110000000nnnnnddddd", "fmov\t%r(f,d), %fp(1,n)", FP16)
{
    unsigned to = f->f ? I64 : I32;
    a64_set_reg(l, to, f->d, oryx_zext(l->ir, to, I16, a64_vreg(l, I16, f->n)));
}

ORYX_INSN(FMOV_hg, "f001111011100111000000nnnnnddddd", "fmov\t%fp(1,d), %r(f,n)", FP16)
{
    a64_set_vreg(l, I16, f->d, oryx_trunc(l->ir, I16, I32, a64_reg(l, I32, f->n)));
}

ORYX_INSN(SCVTF_fix_h, "f001111011000010ssssssnnnnnddddd",
          "[f == 1 || s >= 32] scvtf\t%fp(1,d), %r(f,n), #%u(64-s)", FP16)
{
    from_int(l, f, 1, 64 - f->s);
}

ORYX_INSN(UCVTF_fix_h, "f001111011000011ssssssnnnnnddddd",
          "[f == 1 || s >= 32] ucvtf\t%fp(1,d), %r(f,n), #%u(64-s)", FP16)
{
    from_int(l, f, 0, 64 - f->s);
}

ORYX_INSN(FCVTZS_fix_h, "f001111011011000ssssssnnnnnddddd",
          "[f == 1 || s >= 32] fcvtzs\t%r(f,d), %fp(1,n), #%u(64-s)", FP16)
{
    to_int(l, f, ORYX_RM_ZERO, 1, 64 - f->s);
}

ORYX_INSN(FCVTZU_fix_h, "f001111011011001ssssssnnnnnddddd",
          "[f == 1 || s >= 32] fcvtzu\t%r(f,d), %fp(1,n), #%u(64-s)", FP16)
{
    to_int(l, f, ORYX_RM_ZERO, 0, 64 - f->s);
}
