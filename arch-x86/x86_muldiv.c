/* Multiplication and division: SDM 2A "DIV", "IDIV", "IMUL", 2B "MUL", "MULX".
 *
 * Quotients that do not fit, and division by zero, are #DE. Flags of division are undefined; they
 * are left alone. S, Z, A and P of a product are undefined. */
#include "x86.h"

static void set_accumulator(x86_lift *l, unsigned type, oryx_val lo, oryx_val hi)
{
    x86_set_r(l, type, X86_RAX, lo);
    x86_set_r(l, type, X86_RDX, hi);
}

/* C and O say whether the high half matters. */
static void product_flags(x86_lift *l, oryx_val big)
{
    oryx_val c = oryx_zext(l->ir, I32, I1, big);
    oryx_val co = x86_bin(l, ORYX_OP_OR, I32, c, x86_bini(l, ORYX_OP_SHL, I32, c, 8));
    x86_set_flags(l, x86_flags_mix(l, x86_flags(l), ORYX_FLAG_C | ORYX_FLAG_O, co));
}

/* rDX:rAX (AX for bytes) = rAX * operand. */
static void multiply(x86_lift *l, bool is_signed)
{
    unsigned type = x86_op_type(l, 0), bits = x86_bits(type);
    oryx_val b = x86_read(l, 0), a = x86_r(l, type, X86_RAX);
    if (type == I64) {
        oryx_val lo = x86_bin(l, ORYX_OP_MUL, I64, a, b);
        oryx_val hi = x86_bin(l, is_signed ? ORYX_OP_MULHS : ORYX_OP_MULHU, I64, a, b);
        oryx_val fill = is_signed ? x86_bini(l, ORYX_OP_SAR, I64, lo, 63) : x86_imm(l, I64, 0);
        set_accumulator(l, I64, lo, hi);
        product_flags(l, oryx_cmp(l->ir, ORYX_CC_NE, I64, hi, fill));
        return;
    }
    oryx_val wide = is_signed ? x86_bin(l, ORYX_OP_MUL, I64, oryx_sext(l->ir, I64, type, a),
                                        oryx_sext(l->ir, I64, type, b))
                              : x86_bin(l, ORYX_OP_MUL, I64, oryx_zext(l->ir, I64, type, a),
                                        oryx_zext(l->ir, I64, type, b));
    oryx_val lo = oryx_trunc(l->ir, type, I64, wide);
    oryx_val again = is_signed ? oryx_sext(l->ir, I64, type, lo) : oryx_zext(l->ir, I64, type, lo);
    if (type == I8)
        x86_set_r(l, I16, X86_RAX, oryx_trunc(l->ir, I16, I64, wide));
    else
        set_accumulator(l, type, lo,
                        oryx_trunc(l->ir, type, I64, x86_bini(l, ORYX_OP_SHR, I64, wide, bits)));
    product_flags(l, oryx_cmp(l->ir, ORYX_CC_NE, I64, wide, again));
}

ORYX_INSN(MUL, "f6 /4 Eb; f7 /4 Ev", BASE)
{
    multiply(l, false);
}

ORYX_INSN(IMUL, "f6 /5 Eb; f7 /5 Ev; 0f af /r Gv,Ev; 6b /r ib Gv,Ev,Ib; 69 /r iz Gv,Ev,Iz", BASE)
{
    unsigned type = x86_op_type(l, 0), n = l->insn->operand_count_visible;
    if (n == 1) {
        multiply(l, true);
        return;
    }
    oryx_val a = x86_read(l, n - 2), b = x86_read(l, n - 1);
    if (type == I64) {
        oryx_val lo = x86_bin(l, ORYX_OP_MUL, I64, a, b), hi = x86_bin(l, ORYX_OP_MULHS, I64, a, b);
        x86_write(l, 0, lo);
        product_flags(l,
                      oryx_cmp(l->ir, ORYX_CC_NE, I64, hi, x86_bini(l, ORYX_OP_SAR, I64, lo, 63)));
        return;
    }
    oryx_val wide = x86_bin(l, ORYX_OP_MUL, I64, oryx_sext(l->ir, I64, type, a),
                            oryx_sext(l->ir, I64, type, b));
    oryx_val lo = oryx_trunc(l->ir, type, I64, wide);
    x86_write(l, 0, lo);
    product_flags(l, oryx_cmp(l->ir, ORYX_CC_NE, I64, wide, oryx_sext(l->ir, I64, type, lo)));
}

/* The low half first: with both destinations alike the high half stays. */
ORYX_INSN(MULX, "VEX.LZ.F2.0F38 f6 /r Gy,By,Ey", BMI2)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 2), a = x86_r(l, type, X86_RDX);
    oryx_val lo = x86_bin(l, ORYX_OP_MUL, type, a, b), hi = x86_bin(l, ORYX_OP_MULHU, type, a, b);
    x86_write(l, 1, lo);
    x86_write(l, 0, hi);
}

/* --- Division
 * ------------------------------------------------------------------------------------------------------------
 */

/* Dividend of twice the width as i64; type is the divisor's, not I64. */
static oryx_val dividend(x86_lift *l, unsigned type, bool is_signed)
{
    if (type == I8) {
        oryx_val ax = x86_r(l, I16, X86_RAX);
        return is_signed ? oryx_sext(l->ir, I64, I16, ax) : oryx_zext(l->ir, I64, I16, ax);
    }
    unsigned bits = x86_bits(type);
    oryx_val both =
        oryx_bfi(l->ir, I64, x86_r(l, I64, X86_RAX), x86_r(l, I64, X86_RDX), bits, bits);
    if (type == I32)
        return both;
    oryx_val low = oryx_trunc(l->ir, I32, I64, both);
    return is_signed ? oryx_sext(l->ir, I64, I32, low) : oryx_zext(l->ir, I64, I32, low);
}

static oryx_val divisor(x86_lift *l, unsigned type, bool is_signed)
{
    oryx_val b = x86_read(l, 0);
    return is_signed ? oryx_sext(l->ir, I64, type, b) : oryx_zext(l->ir, I64, type, b);
}

static void divide(x86_lift *l, bool is_signed)
{
    unsigned type = x86_op_type(l, 0);
    enum { DIVISOR };
    oryx_local_put(l->ir, I64, DIVISOR, divisor(l, type, is_signed));
    if (type == I64) {
        unsigned first = is_signed ? X86_HELPER_IDIV_OVERFLOW : X86_HELPER_DIV_OVERFLOW;
        oryx_val v[3] = {x86_r(l, I64, X86_RAX), x86_r(l, I64, X86_RDX),
                         oryx_local_get(l->ir, I64, DIVISOR)};
        oryx_val bad = x86_call(l, first, I32, v, 3);
        x86_raise_if(l, oryx_cmp(l->ir, ORYX_CC_NE, I32, bad, x86_imm(l, I32, 0)),
                     ORYX_EXC_ARITHMETIC, X86_VEC_DE);
        v[0] = x86_r(l, I64, X86_RAX);
        v[1] = x86_r(l, I64, X86_RDX);
        v[2] = oryx_local_get(l->ir, I64, DIVISOR);
        oryx_val q = x86_call(l, first + 1, I64, v, 3), r = x86_call(l, first + 2, I64, v, 3);
        set_accumulator(l, I64, q, r);
        return;
    }
    oryx_val a = dividend(l, type, is_signed), d = oryx_local_get(l->ir, I64, DIVISOR);
    oryx_val q = x86_bin(l, is_signed ? ORYX_OP_DIVS : ORYX_OP_DIVU, I64, a, d),
             low = oryx_trunc(l->ir, type, I64, q);
    oryx_val fits = is_signed ? oryx_sext(l->ir, I64, type, low) : oryx_zext(l->ir, I64, type, low);
    oryx_val bad = x86_bin(l, ORYX_OP_OR, I1, oryx_cmp(l->ir, ORYX_CC_NE, I64, q, fits),
                           oryx_cmp(l->ir, ORYX_CC_EQ, I64, d, x86_imm(l, I64, 0)));
    x86_raise_if(l, bad, ORYX_EXC_ARITHMETIC, X86_VEC_DE);
    a = dividend(l, type, is_signed);
    d = oryx_local_get(l->ir, I64, DIVISOR);
    q = oryx_trunc(l->ir, type, I64,
                   x86_bin(l, is_signed ? ORYX_OP_DIVS : ORYX_OP_DIVU, I64, a, d));
    oryx_val r = oryx_trunc(l->ir, type, I64,
                            x86_bin(l, is_signed ? ORYX_OP_REMS : ORYX_OP_REMU, I64, a, d));
    if (type == I8) {
        oryx_val ax =
            oryx_bfi(l->ir, I64, oryx_zext(l->ir, I64, I8, q), oryx_zext(l->ir, I64, I8, r), 8, 8);
        x86_set_r(l, I16, X86_RAX, oryx_trunc(l->ir, I16, I64, ax));
    } else {
        set_accumulator(l, type, q, r);
    }
}

ORYX_INSN(DIV, "f6 /6 Eb; f7 /6 Ev", BASE)
{
    divide(l, false);
}

ORYX_INSN(IDIV, "f6 /7 Eb; f7 /7 Ev", BASE)
{
    divide(l, true);
}
