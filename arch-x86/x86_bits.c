/* Bit and byte instructions, BMI1, BMI2, ADX, CRC32: SDM 1 5.1.6, 5.1.16. */
#include "x86.h"

/* --- Bit test: the offset in a register may lie outside the operand when that is in memory
 * -------------------------------- */

enum { BT_TEST, BT_SET, BT_RESET, BT_COMPLEMENT };

static oryx_val changed(x86_lift *l, unsigned what, unsigned type, oryx_val v, oryx_val mask)
{
    switch (what) {
    case BT_SET:
        return x86_bin(l, ORYX_OP_OR, type, v, mask);
    case BT_RESET:
        return x86_bin(l, ORYX_OP_ANDN, type, v, mask);
    default:
        return x86_bin(l, ORYX_OP_XOR, type, v, mask);
    }
}

static void bit_test(x86_lift *l, unsigned what)
{
    static const uint8_t rmw[] = {0, ORYX_RMW_OR, ORYX_RMW_ANDN, ORYX_RMW_XOR};
    unsigned type = x86_op_type(l, 0), log2 = x86_memop(type) + 3;
    bool fixed = l->op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
    oryx_val n = fixed ? x86_imm(l, type, l->op[1].imm.value.u) : x86_read(l, 1), a;
    oryx_val mask = x86_bin(l, ORYX_OP_SHL, type, x86_imm(l, type, 1), n);
    if (x86_is_mem(l, 0) && !fixed) {
        unsigned t = l->insn->address_width == 64 ? I64 : I32;
        oryx_val words = x86_bini(l, ORYX_OP_SAR, I64, oryx_sext(l->ir, I64, type, n), log2);
        oryx_val bytes = x86_bini(l, ORYX_OP_SHL, I64, words, log2 - 3);
        oryx_val offset =
            x86_bin(l, ORYX_OP_ADD, t, x86_offset(l, 0), oryx_trunc(l->ir, t, I64, bytes));
        if (l->insn->address_width == 16)
            offset = x86_bini(l, ORYX_OP_AND, I32, offset, 0xffff);
        l->ea = x86_linear(l, x86_seg_number(l->op[0].mem.segment), offset, t);
    }
    if (what != BT_TEST && x86_locked(l)) {
        a = oryx_rmw(l->ir, rmw[what], type, x86_ea(l, 0), mask, x86_memop(type));
    } else {
        a = x86_read(l, 0);
        if (what != BT_TEST)
            x86_write(l, 0, changed(l, what, type, a, mask));
    }
    oryx_val c = oryx_zext(l->ir, I32, I1, oryx_cmp(l->ir, ORYX_CC_TST, type, a, mask));
    x86_set_flags(l, x86_flags_mix(l, x86_flags(l), ORYX_FLAG_C, c));
}

ORYX_INSN(BT, "0f a3 /r Ev,Gv; 0f ba /4 ib Ev,Ib", I386)
{
    bit_test(l, BT_TEST);
}
ORYX_INSN(BTS, "0f ab /r Ev,Gv; 0f ba /5 ib Ev,Ib", I386)
{
    bit_test(l, BT_SET);
}
ORYX_INSN(BTR, "0f b3 /r Ev,Gv; 0f ba /6 ib Ev,Ib", I386)
{
    bit_test(l, BT_RESET);
}
ORYX_INSN(BTC, "0f bb /r Ev,Gv; 0f ba /7 ib Ev,Ib", I386)
{
    bit_test(l, BT_COMPLEMENT);
}

/* --- Scans and counts
 * -------------------------------------------------------------------------------------------------------
 */

static void set_bits(x86_lift *l, uint32_t mask, oryx_val word)
{
    x86_set_flags(l, x86_flags_mix(l, x86_flags(l), mask, word));
}

static oryx_val z_bit(x86_lift *l, unsigned type, oryx_val v)
{
    oryx_val z = oryx_cmp(l->ir, ORYX_CC_EQ, type, v, x86_imm(l, type, 0));
    return x86_bini(l, ORYX_OP_SHL, I32, oryx_zext(l->ir, I32, I1, z), 6);
}

/* Of zero: the destination stays (its high half too), as documented by AMD and done by both makers.
 */
static void scan(x86_lift *l, bool reverse)
{
    unsigned type = x86_op_type(l, 0), bits = x86_bits(type);
    oryx_val a = x86_read(l, 1), found = reverse ? oryx_un(l->ir, ORYX_OP_CLZ, type, a)
                                                 : oryx_un(l->ir, ORYX_OP_CTZ, type, a);
    oryx_val zero = oryx_cmp(l->ir, ORYX_CC_EQ, type, a, x86_imm(l, type, 0));
    if (reverse)
        found = x86_bin(l, ORYX_OP_SUB, type, x86_imm(l, type, bits - 1), found);
    oryx_val z = z_bit(l, type, a);
    if (type == I32) {
        unsigned n = (unsigned)(l->op[0].reg.value - ZYDIS_REGISTER_EAX);
        oryx_val wide = oryx_get(l->ir, I64, X86_OFF_R(n));
        oryx_put(l->ir, I64, X86_OFF_R(n),
                 oryx_select(l->ir, I64, zero, wide, oryx_zext(l->ir, I64, I32, found)));
    } else {
        x86_write(l, 0, oryx_select(l->ir, type, zero, x86_read(l, 0), found));
    }
    set_bits(l, ORYX_FLAG_Z, z);
}

ORYX_INSN(BSF, "0f bc /r Gv,Ev", I386)
{
    scan(l, false);
}
ORYX_INSN(BSR, "0f bd /r Gv,Ev", I386)
{
    scan(l, true);
}

static void count_zeros(x86_lift *l, unsigned op)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1), v = oryx_un(l->ir, op, type, a);
    oryx_val c =
        oryx_zext(l->ir, I32, I1, oryx_cmp(l->ir, ORYX_CC_EQ, type, a, x86_imm(l, type, 0)));
    x86_write(l, 0, v);
    set_bits(l, ORYX_FLAG_C | ORYX_FLAG_Z | ORYX_FLAG_S | ORYX_FLAG_A | ORYX_FLAG_P,
             x86_bin(l, ORYX_OP_OR, I32, c, z_bit(l, type, v)));
}

/* Without the feature the prefix means nothing: BSF, BSR. */
ORYX_INSN(TZCNT, "F3 0f bc /r Gv,Ev", I386)
{
    if (l->features & X86_FEAT(BMI1))
        count_zeros(l, ORYX_OP_CTZ);
    else
        scan(l, false);
}

ORYX_INSN(LZCNT, "F3 0f bd /r Gv,Ev", I386)
{
    if (l->features & X86_FEAT(LZCNT))
        count_zeros(l, ORYX_OP_CLZ);
    else
        scan(l, true);
}

ORYX_INSN(POPCNT, "F3 0f b8 /r Gv,Ev", POPCNT)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1);
    oryx_val z = z_bit(l, type, a);
    x86_write(l, 0, oryx_un(l->ir, ORYX_OP_POPCNT, type, a));
    set_bits(l, ORYX_FLAG_C | ORYX_FLAG_Z | ORYX_FLAG_S | ORYX_FLAG_O | ORYX_FLAG_A | ORYX_FLAG_P,
             z);
}

/* --- BMI1, BMI2
 * -----------------------------------------------------------------------------------------------------------------
 */

/* S, Z and P of v, O and A clear, C as given (i1, 0: clear). */
static void bmi_flags(x86_lift *l, unsigned type, oryx_val v, oryx_val carry)
{
    oryx_val fl = oryx_flmake(l->ir, ORYX_FL_LOGIC, type, v, 0, 0);
    oryx_val c = carry ? oryx_zext(l->ir, I32, I1, carry) : x86_imm(l, I32, 0);
    x86_set_flags(l, x86_flags_mix(l, fl, ORYX_FLAG_C, c));
}

ORYX_INSN(ANDN, "VEX.LZ.0F38 f2 /r Gy,By,Ey", BMI1)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 2), v = x86_bin(l, ORYX_OP_ANDN, type, b, x86_read(l, 1));
    x86_write(l, 0, v);
    bmi_flags(l, type, v, 0);
}

static oryx_val nonzero(x86_lift *l, unsigned type, oryx_val v)
{
    return oryx_cmp(l->ir, ORYX_CC_NE, type, v, x86_imm(l, type, 0));
}

ORYX_INSN(BLSI, "VEX.LZ.0F38 f3 /3 By,Ey", BMI1)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1),
             v = x86_bin(l, ORYX_OP_AND, type, a, oryx_un(l->ir, ORYX_OP_NEG, type, a));
    oryx_val c = nonzero(l, type, a);
    x86_write(l, 0, v);
    bmi_flags(l, type, v, c);
}

ORYX_INSN(BLSMSK, "VEX.LZ.0F38 f3 /2 By,Ey", BMI1)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1),
             v = x86_bin(l, ORYX_OP_XOR, type, a, x86_bini(l, ORYX_OP_SUB, type, a, 1));
    oryx_val c = x86_not(l, nonzero(l, type, a));
    x86_write(l, 0, v);
    bmi_flags(l, type, v, c);
}

ORYX_INSN(BLSR, "VEX.LZ.0F38 f3 /1 By,Ey", BMI1)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 1),
             v = x86_bin(l, ORYX_OP_AND, type, a, x86_bini(l, ORYX_OP_SUB, type, a, 1));
    oryx_val c = x86_not(l, nonzero(l, type, a));
    x86_write(l, 0, v);
    bmi_flags(l, type, v, c);
}

/* Byte n (0, 1) of operand i as i64. */
static oryx_val byte_of(x86_lift *l, oryx_val v, unsigned type, unsigned n)
{
    return oryx_bfx(l->ir, ORYX_OP_UBFX, I64, oryx_zext(l->ir, I64, type, v), 8 * n, 8);
}

/* The low n bits of v (i64), n (i64) any byte. */
static oryx_val low_bits(x86_lift *l, oryx_val v, oryx_val n)
{
    oryx_val mask =
        x86_bini(l, ORYX_OP_SUB, I64, x86_bin(l, ORYX_OP_SHL, I64, x86_imm(l, I64, 1), n), 1);
    oryx_val all = oryx_cmp(l->ir, ORYX_CC_GTU, I64, n, x86_imm(l, I64, 63));
    return oryx_select(l->ir, I64, all, v, x86_bin(l, ORYX_OP_AND, I64, v, mask));
}

ORYX_INSN(BEXTR, "VEX.LZ.0F38 f7 /r Gy,Ey,By", BMI1)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = oryx_zext(l->ir, I64, type, x86_read(l, 1)), control = x86_read(l, 2);
    oryx_val start = byte_of(l, control, type, 0), len = byte_of(l, control, type, 1);
    oryx_val out = oryx_cmp(l->ir, ORYX_CC_GTU, I64, start, x86_imm(l, I64, 63));
    oryx_val v =
        oryx_select(l->ir, I64, out, x86_imm(l, I64, 0), x86_bin(l, ORYX_OP_SHR, I64, a, start));
    v = oryx_trunc(l->ir, type, I64, low_bits(l, v, len));
    x86_write(l, 0, v);
    oryx_val fl = oryx_flmake(l->ir, ORYX_FL_LOGIC, type, v, 0, 0);
    x86_set_flags(l, x86_flags_mix(l, fl, ORYX_FLAG_A | ORYX_FLAG_S, x86_imm(l, I32, ORYX_FLAG_A)));
}

ORYX_INSN(BZHI, "VEX.LZ.0F38 f5 /r Gy,Ey,By", BMI2)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = oryx_zext(l->ir, I64, type, x86_read(l, 1)),
             n = byte_of(l, x86_read(l, 2), type, 0);
    oryx_val v = oryx_trunc(l->ir, type, I64, low_bits(l, a, n));
    oryx_val c = oryx_cmp(l->ir, ORYX_CC_GTU, I64, n, x86_imm(l, I64, x86_bits(type) - 1));
    x86_write(l, 0, v);
    bmi_flags(l, type, v, c);
}

static void spread(x86_lift *l, unsigned helper)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val mask = oryx_zext(l->ir, I64, type, x86_read(l, 2));
    oryx_val v[2] = {oryx_zext(l->ir, I64, type, x86_read(l, 1)), mask};
    x86_write(l, 0, oryx_trunc(l->ir, type, I64, x86_call(l, helper, I64, v, 2)));
}

ORYX_INSN(PDEP, "VEX.LZ.F2.0F38 f5 /r Gy,By,Ey", BMI2)
{
    spread(l, X86_HELPER_PDEP);
}
ORYX_INSN(PEXT, "VEX.LZ.F3.0F38 f5 /r Gy,By,Ey", BMI2)
{
    spread(l, X86_HELPER_PEXT);
}

/* --- ADX: a carry chain in C, another in O
 * ------------------------------------------------------------------------------------------- */

static void add_chain(x86_lift *l, unsigned fc, uint32_t flag, unsigned position)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 1), a = x86_read(l, 0), carry = oryx_flcond(l->ir, fc, x86_flags(l));
    oryx_val out =
        oryx_flcond(l->ir, ORYX_FC_C, oryx_flmake(l->ir, ORYX_FL_ADC, type, a, b, carry));
    oryx_val bit = oryx_zext(l->ir, I32, I1, out);
    if (position)
        bit = x86_bini(l, ORYX_OP_SHL, I32, bit, position);
    x86_write(l, 0,
              x86_bin(l, ORYX_OP_ADD, type, x86_bin(l, ORYX_OP_ADD, type, a, b),
                      oryx_zext(l->ir, type, I1, carry)));
    set_bits(l, flag, bit);
}

ORYX_INSN(ADCX, "66 0f 38 f6 /r Gy,Ey", ADX)
{
    add_chain(l, ORYX_FC_C, ORYX_FLAG_C, 0);
}
ORYX_INSN(ADOX, "F3 0f 38 f6 /r Gy,Ey", ADX)
{
    add_chain(l, ORYX_FC_O, ORYX_FLAG_O, 8);
}

ORYX_INSN(CRC32, "F2 0f 38 f0 /r Gd,Eb; F2 0f 38 f1 /r Gd,Ev", SSE42)
{
    unsigned type = x86_op_type(l, 1);
    oryx_val data = oryx_zext(l->ir, I64, type, x86_read(l, 1));
    oryx_val old =
        x86_op_type(l, 0) == I64 ? oryx_trunc(l->ir, I32, I64, x86_read(l, 0)) : x86_read(l, 0);
    oryx_val v[3] = {old, data, x86_imm(l, I32, oryx_type_size(type))};
    x86_write(l, 0,
              oryx_zext(l->ir, x86_op_type(l, 0), I32, x86_call(l, X86_HELPER_CRC32, I32, v, 3)));
}
