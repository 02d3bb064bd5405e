/* Shifts and rotates: SDM 1 5.1.5, SDM 2B "SAL/SAR/SHL/SHR", "RCL/RCR/ROL/ROR", "SHLD", "SHRD".
 *
 * A count of zero changes no flag. Where the manual leaves a flag undefined, AMD's Zen is followed:
 * AF of a shift is set, OF of a longer one as the last step of one makes it. */
#include "x86.h"

static bool constant(const x86_lift *l, unsigned i, unsigned type, unsigned *count)
{
    if (l->op[i].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
        return false;
    *count = (unsigned)l->op[i].imm.value.u & (type == I64 ? 63 : 31);
    return true;
}

/* The count, masked as the operand's size says, as i32. */
static oryx_val count_of(x86_lift *l, unsigned i, unsigned type)
{
    unsigned n;
    if (constant(l, i, type, &n))
        return x86_imm(l, I32, n);
    oryx_val c = oryx_zext(l->ir, I32, x86_op_type(l, i), x86_read(l, i));
    return x86_bini(l, ORYX_OP_AND, I32, c, type == I64 ? 63 : 31);
}

/* Low bit of v (i64) as a flag bit of the packed word. */
static oryx_val flag(x86_lift *l, oryx_val v, unsigned position)
{
    oryx_val b = x86_bini(l, ORYX_OP_AND, I32, oryx_trunc(l->ir, I32, I64, v), 1);
    return position ? x86_bini(l, ORYX_OP_SHL, I32, b, position) : b;
}

/* Flags of result v: S Z P from it, A set, C and O from co; the old flags when count is 0. */
static void set(x86_lift *l, unsigned type, oryx_val v, oryx_val co, oryx_val count)
{
    oryx_val fl = oryx_flmake(l->ir, ORYX_FL_LOGIC, type, v, 0, 0);
    fl = x86_flags_mix(l, fl, ORYX_FLAG_C | ORYX_FLAG_O | ORYX_FLAG_A,
                       x86_bini(l, ORYX_OP_OR, I32, co, ORYX_FLAG_A));
    if (count) {
        oryx_val zero = oryx_cmp(l->ir, ORYX_CC_EQ, I32, count, x86_imm(l, I32, 0));
        fl = oryx_select(l->ir, FL, zero, x86_flags(l), fl);
    }
    x86_set_flags(l, fl);
}

/* Work on 64 bits: a is extended so that bits shifted in are right for any count below 64. */
static void shift(x86_lift *l, unsigned op)
{
    unsigned type = x86_op_type(l, 0), bits = x86_bits(type), n = 0;
    bool fixed = constant(l, 1, type, &n);
    if (fixed && !n) {
        if (x86_is_mem(l, 0))
            x86_write(l, 0, x86_read(l, 0));
        else if (type == I32)
            x86_write(l, 0, x86_read(l, 0)); /* clears the high half */
        return;
    }
    oryx_val count = fixed ? 0 : count_of(l, 1, type), a = x86_read(l, 0), v, c, o;
    oryx_val by = fixed ? x86_imm(l, I64, n) : oryx_zext(l->ir, I64, I32, count);
    oryx_val wide =
        op == ORYX_OP_SAR ? oryx_sext(l->ir, I64, type, a) : oryx_zext(l->ir, I64, type, a);
    oryx_val before = x86_bini(l, ORYX_OP_SUB, I64, by, 1);
    if (op == ORYX_OP_SHL) {
        oryx_val last = x86_bin(l, ORYX_OP_SHL, I64, wide,
                                before); /* its top bit goes out; count 0 is not used */
        oryx_val full = x86_bini(l, ORYX_OP_SHL, I64, last, 1);
        v = oryx_trunc(l->ir, type, I64, full);
        c = x86_bini(l, ORYX_OP_SHR, I64, last, bits - 1);
        o = x86_bin(l, ORYX_OP_XOR, I64, c, x86_bini(l, ORYX_OP_SHR, I64, full, bits - 1));
        if (!fixed)
            v = oryx_trunc(l->ir, type, I64, x86_bin(l, ORYX_OP_SHL, I64, wide, by));
    } else {
        v = oryx_trunc(l->ir, type, I64, x86_bin(l, op, I64, wide, by));
        c = x86_bin(l, op, I64, wide, before);
        /* SHR: the top bit of the operand if shifted by one; longer shifts: bit 62 of what one bit
         * less leaves. */
        if (op == ORYX_OP_SHR)
            o = x86_bini(l, ORYX_OP_SHR, I64, c, bits - 1);
        else
            o = x86_imm(l, I64, 0);
    }
    x86_write(l, 0, v);
    oryx_val co = x86_bin(l, ORYX_OP_OR, I32, flag(l, c, 0), flag(l, o, 8));
    set(l, type, v, co, count);
}

ORYX_INSN(SHL,
          "d0 /4 Eb,1; d2 /4 Eb,CL; c0 /4 ib Eb,Ib; d1 /4 Ev,1; d3 /4 Ev,CL; c1 /4 ib Ev,Ib; d0 /6 "
          "Eb,1; d1 /6 Ev,1",
          BASE)
{
    shift(l, ORYX_OP_SHL);
}

ORYX_INSN(SHR, "d0 /5 Eb,1; d2 /5 Eb,CL; c0 /5 ib Eb,Ib; d1 /5 Ev,1; d3 /5 Ev,CL; c1 /5 ib Ev,Ib",
          BASE)
{
    shift(l, ORYX_OP_SHR);
}

ORYX_INSN(SAR, "d0 /7 Eb,1; d2 /7 Eb,CL; c0 /7 ib Eb,Ib; d1 /7 Ev,1; d3 /7 Ev,CL; c1 /7 ib Ev,Ib",
          BASE)
{
    shift(l, ORYX_OP_SAR);
}

/* --- Rotates: only C and O change
 * -------------------------------------------------------------------------------------- */

static void set_co(x86_lift *l, oryx_val c, oryx_val o, oryx_val count)
{
    oryx_val co = x86_bin(l, ORYX_OP_OR, I32, flag(l, c, 0), flag(l, o, 8));
    oryx_val old = x86_flags(l), fl = x86_flags_mix(l, old, ORYX_FLAG_C | ORYX_FLAG_O, co);
    if (count) {
        oryx_val zero = oryx_cmp(l->ir, ORYX_CC_EQ, I32, count, x86_imm(l, I32, 0));
        fl = oryx_select(l->ir, FL, zero, old, fl);
    }
    x86_set_flags(l, fl);
}

static void rotate(x86_lift *l, bool left)
{
    unsigned type = x86_op_type(l, 0), bits = x86_bits(type), n = 0;
    bool fixed = constant(l, 1, type, &n);
    oryx_val count = fixed ? x86_imm(l, I32, n) : count_of(l, 1, type), a = x86_read(l, 0);
    oryx_val by = left ? oryx_un(l->ir, ORYX_OP_NEG, I32, count) : count;
    by = type == I64 ? oryx_zext(l->ir, I64, I32, by) : oryx_trunc(l->ir, type, I32, by);
    oryx_val v = x86_bin(l, ORYX_OP_ROR, type, a, by);
    if (fixed && !n && type != I32 && !x86_is_mem(l, 0))
        return;
    x86_write(l, 0, v);
    if (fixed && !n)
        return;
    oryx_val wide = oryx_zext(l->ir, I64, type, v),
             top = x86_bini(l, ORYX_OP_SHR, I64, wide, bits - 1);
    oryx_val c = left ? wide : top;
    oryx_val o = x86_bin(l, ORYX_OP_XOR, I64, top,
                         left ? wide : x86_bini(l, ORYX_OP_SHR, I64, wide, bits - 2));
    set_co(l, c, o, fixed ? 0 : count);
}

ORYX_INSN(ROL, "d0 /0 Eb,1; d2 /0 Eb,CL; c0 /0 ib Eb,Ib; d1 /0 Ev,1; d3 /0 Ev,CL; c1 /0 ib Ev,Ib",
          BASE)
{
    rotate(l, true);
}

ORYX_INSN(ROR, "d0 /1 Eb,1; d2 /1 Eb,CL; c0 /1 ib Eb,Ib; d1 /1 Ev,1; d3 /1 Ev,CL; c1 /1 ib Ev,Ib",
          BASE)
{
    rotate(l, false);
}

/* Through the carry: a rotation of width + 1 bits. what packs the width and the carry going in. */
static void rotate_carry(x86_lift *l, bool left)
{
    unsigned type = x86_op_type(l, 0), bits = x86_bits(type), n = 0;
    bool fixed = constant(l, 1, type, &n);
    if (fixed && !n && type != I32 && !x86_is_mem(l, 0))
        return;
    oryx_val count = fixed ? x86_imm(l, I32, n) : count_of(l, 1, type), a = x86_read(l, 0);
    oryx_val what =
        x86_bini(l, ORYX_OP_OR, I32,
                 x86_bini(l, ORYX_OP_SHL, I32, oryx_zext(l->ir, I32, I1, x86_carry(l)), 8), bits);
    oryx_val v[3] = {oryx_zext(l->ir, I64, type, a), count, what};
    oryx_val wide = x86_call(l, left ? X86_HELPER_RCL : X86_HELPER_RCR, I64, v, 3);
    oryx_val c =
        oryx_zext(l->ir, I64, I32,
                  x86_call(l, left ? X86_HELPER_RCL_CARRY : X86_HELPER_RCR_CARRY, I32, v, 3));
    x86_write(l, 0, oryx_trunc(l->ir, type, I64, wide));
    oryx_val top = x86_bini(l, ORYX_OP_SHR, I64, wide, bits - 1);
    oryx_val o =
        x86_bin(l, ORYX_OP_XOR, I64, top, left ? c : x86_bini(l, ORYX_OP_SHR, I64, wide, bits - 2));
    set_co(l, c, o, count);
}

ORYX_INSN(RCL, "d0 /2 Eb,1; d2 /2 Eb,CL; c0 /2 ib Eb,Ib; d1 /2 Ev,1; d3 /2 Ev,CL; c1 /2 ib Ev,Ib",
          BASE)
{
    rotate_carry(l, true);
}

ORYX_INSN(RCR, "d0 /3 Eb,1; d2 /3 Eb,CL; c0 /3 ib Eb,Ib; d1 /3 Ev,1; d3 /3 Ev,CL; c1 /3 ib Ev,Ib",
          BASE)
{
    rotate_carry(l, false);
}

/* --- Double shifts
 * ------------------------------------------------------------------------------------------------------
 */

/* A 16-bit operand shifted by more than 16 is undefined; the other operand's bits come, then its
 * own. */
static void double_shift(x86_lift *l, bool left)
{
    unsigned type = x86_op_type(l, 0), bits = x86_bits(type);
    oryx_val count = count_of(l, 2, type), a = x86_read(l, 0), b = x86_read(l, 1), v, c;
    oryx_val by = oryx_zext(l->ir, I64, I32, count), before = x86_bini(l, ORYX_OP_SUB, I64, by, 1);
    if (type == I64) {
        oryx_val rest = x86_bin(l, ORYX_OP_SUB, I64, x86_imm(l, I64, 63),
                                by); /* with one more: a shift by 64 leaves nothing */
        if (left) {
            v = x86_bin(l, ORYX_OP_OR, I64, x86_bin(l, ORYX_OP_SHL, I64, a, by),
                        x86_bin(l, ORYX_OP_SHR, I64, x86_bini(l, ORYX_OP_SHR, I64, b, 1), rest));
            c = x86_bini(l, ORYX_OP_SHR, I64, x86_bin(l, ORYX_OP_SHL, I64, a, before), 63);
        } else {
            v = x86_bin(l, ORYX_OP_OR, I64, x86_bin(l, ORYX_OP_SHR, I64, a, by),
                        x86_bin(l, ORYX_OP_SHL, I64, x86_bini(l, ORYX_OP_SHL, I64, b, 1), rest));
            c = x86_bin(l, ORYX_OP_SHR, I64, a, before);
        }
    } else {
        oryx_val wa = oryx_zext(l->ir, I64, type, a), wb = oryx_zext(l->ir, I64, type, b);
        oryx_val all;
        if (type == I16) /* a:b:a, 48 bits */
            all = left ? oryx_bfi(l->ir, I64, x86_bini(l, ORYX_OP_SHL, I64, wb, 16), wa, 32, 16)
                       : oryx_bfi(l->ir, I64, wa, wb, 16, 16);
        else
            all =
                left ? oryx_bfi(l->ir, I64, wb, wa, 32, 32) : oryx_bfi(l->ir, I64, wa, wb, 32, 32);
        if (type == I16)
            all =
                left ? x86_bin(l, ORYX_OP_OR, I64, all, wa) : oryx_bfi(l->ir, I64, all, wa, 32, 16);
        unsigned top = 32;
        if (left) {
            oryx_val last = x86_bin(l, ORYX_OP_SHL, I64, all, before);
            v = oryx_trunc(
                l->ir, type, I64,
                x86_bini(l, ORYX_OP_SHR, I64, x86_bin(l, ORYX_OP_SHL, I64, all, by), top));
            c = x86_bini(l, ORYX_OP_SHR, I64, last, top + bits - 1);
        } else {
            v = oryx_trunc(l->ir, type, I64, x86_bin(l, ORYX_OP_SHR, I64, all, by));
            c = x86_bin(l, ORYX_OP_SHR, I64, all, before);
        }
    }
    oryx_val zero = oryx_cmp(l->ir, ORYX_CC_EQ, I32, count, x86_imm(l, I32, 0));
    v = oryx_select(l->ir, type, zero, a, v);
    x86_write(l, 0, v);
    oryx_val wide = oryx_zext(l->ir, I64, type, v),
             top = x86_bini(l, ORYX_OP_SHR, I64, wide, bits - 1);
    oryx_val o =
        x86_bin(l, ORYX_OP_XOR, I64, top, left ? c : x86_bini(l, ORYX_OP_SHR, I64, wide, bits - 2));
    set(l, type, v, x86_bin(l, ORYX_OP_OR, I32, flag(l, c, 0), flag(l, o, 8)), count);
}

ORYX_INSN(SHLD, "0f a4 /r ib Ev,Gv,Ib; 0f a5 /r Ev,Gv,CL", I386)
{
    double_shift(l, true);
}

ORYX_INSN(SHRD, "0f ac /r ib Ev,Gv,Ib; 0f ad /r Ev,Gv,CL", I386)
{
    double_shift(l, false);
}

/* --- BMI2: no flags
 * -----------------------------------------------------------------------------------------------------
 */

static void plain_shift(x86_lift *l, unsigned op)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1);
    x86_write(l, 0, x86_bin(l, op, type, a, x86_read(l, 2)));
}

ORYX_INSN(RORX, "VEX.LZ.F2.0F3A f0 /r ib Gy,Ey,Ib", BMI2)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1);
    x86_write(l, 0, x86_bini(l, ORYX_OP_ROR, type, a, l->op[2].imm.value.u));
}

ORYX_INSN(SARX, "VEX.LZ.F3.0F38 f7 /r Gy,Ey,By", BMI2)
{
    plain_shift(l, ORYX_OP_SAR);
}

ORYX_INSN(SHLX, "VEX.LZ.66.0F38 f7 /r Gy,Ey,By", BMI2)
{
    plain_shift(l, ORYX_OP_SHL);
}

ORYX_INSN(SHRX, "VEX.LZ.F2.0F38 f7 /r Gy,Ey,By", BMI2)
{
    plain_shift(l, ORYX_OP_SHR);
}
