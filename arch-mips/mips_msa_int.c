/* MSA: integer arithmetic, bitwise, shifts, comparisons, fixed point and permutations of whole vectors: MD00866 tables of 3R, VEC and 2R, and
 * their forms with an immediate (I5, I8, BIT).
 *
 * Bodies are IR vector operations, so an engine with SIMD inlines them. What the manual leaves UNPREDICTABLE, division by zero, gives -1 (or 1
 * for a negative dividend) and the dividend as remainder. */
#include "mips_msa.h"

/* --- shared forms --------------------------------------------------------------------------------------------------------- */

static void binary(mips_lift *l, const mips_fields *f, unsigned op, uint64_t imm)
{
    msa_set(l, f->d, msa_op(l, op, f->z, msa_w(l, f->s), msa_w(l, f->t), imm));
}

/* The same with operands exchanged, as the interleaves have them. */
static void exchanged(mips_lift *l, const mips_fields *f, unsigned op)
{
    msa_set(l, f->d, msa_op(l, op, f->z, msa_w(l, f->t), msa_w(l, f->s), 0));
}

static oryx_val compare(mips_lift *l, unsigned z, unsigned cc, oryx_val a, oryx_val b)
{
    return msa_op(l, ORYX_OP_VCMP, z, a, b, cc);
}

static oryx_val magnitude(mips_lift *l, unsigned z, unsigned n)
{
    return msa_un(l, ORYX_OP_ABS, z, msa_w(l, n), 0);
}

/* Shift amounts of wt: modulo the element's width. */
static oryx_val amounts(mips_lift *l, const mips_fields *f)
{
    return msa_op(l, ORYX_OP_AND, f->z, msa_w(l, f->t), msa_splat(l, f->z, msa_bits(f->z) - 1), 0);
}

static oryx_val shifted(mips_lift *l, unsigned z, oryx_val v, oryx_val by, uint64_t how)
{
    return msa_op(l, ORYX_OP_VSHL, z, v, by, how);
}

/* how: of VSHL. */
static void shift_right(mips_lift *l, const mips_fields *f, uint64_t how)
{
    oryx_val by = msa_un(l, ORYX_OP_NEG, f->z, amounts(l, f), 0);
    msa_set(l, f->d, shifted(l, f->z, msa_w(l, f->s), by, how));
}

static void bit_op(mips_lift *l, const mips_fields *f, unsigned op)
{
    oryx_val bit = shifted(l, f->z, msa_splat(l, f->z, 1), amounts(l, f), 0);
    msa_set(l, f->d, msa_op(l, op, f->z, msa_w(l, f->s), bit, 0));
}

static uint64_t ones(unsigned n)
{
    return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

/* --- 3R --------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_SLL, "011110000zztttttsssssddddd001101", "sll.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, shifted(l, f->z, msa_w(l, f->s), amounts(l, f), 0));
}

ORYX_INSN(MSA_SRA, "011110001zztttttsssssddddd001101", "sra.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    shift_right(l, f, 1);
}

ORYX_INSN(MSA_SRL, "011110010zztttttsssssddddd001101", "srl.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    shift_right(l, f, 0);
}

ORYX_INSN(MSA_BCLR, "011110011zztttttsssssddddd001101", "bclr.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    bit_op(l, f, ORYX_OP_ANDN);
}

ORYX_INSN(MSA_BSET, "011110100zztttttsssssddddd001101", "bset.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    bit_op(l, f, ORYX_OP_OR);
}

ORYX_INSN(MSA_BNEG, "011110101zztttttsssssddddd001101", "bneg.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    bit_op(l, f, ORYX_OP_XOR);
}

/* wt modulo the width, plus one: how many bits of ws, from its left or right, go in. */
ORYX_INSN(MSA_BINSL, "011110110zztttttsssssddddd001101", "binsl.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val top = msa_splat(l, f->z, 1ull << (msa_bits(f->z) - 1)), by = msa_un(l, ORYX_OP_NEG, f->z, amounts(l, f), 0);
    msa_set(l, f->d, msa_mix(l, shifted(l, f->z, top, by, 1), msa_w(l, f->s), msa_w(l, f->d)));
}

ORYX_INSN(MSA_BINSR, "011110111zztttttsssssddddd001101", "binsr.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val by = msa_op(l, ORYX_OP_SUB, f->z, amounts(l, f), msa_splat(l, f->z, msa_bits(f->z) - 1), 0);
    msa_set(l, f->d, msa_mix(l, shifted(l, f->z, msa_splat(l, f->z, UINT64_MAX), by, 0), msa_w(l, f->s), msa_w(l, f->d)));
}

ORYX_INSN(MSA_ADDV, "011110000zztttttsssssddddd001110", "addv.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(MSA_SUBV, "011110001zztttttsssssddddd001110", "subv.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(MSA_MAX_S, "011110010zztttttsssssddddd001110", "max_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_MAXS, 0);
}

ORYX_INSN(MSA_MAX_U, "011110011zztttttsssssddddd001110", "max_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_MAXU, 0);
}

ORYX_INSN(MSA_MIN_S, "011110100zztttttsssssddddd001110", "min_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_MINS, 0);
}

ORYX_INSN(MSA_MIN_U, "011110101zztttttsssssddddd001110", "min_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_MINU, 0);
}

ORYX_INSN(MSA_MAX_A, "011110110zztttttsssssddddd001110", "max_a.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val more = compare(l, f->z, ORYX_CC_GTU, magnitude(l, f->z, f->s), magnitude(l, f->z, f->t));
    msa_set(l, f->d, msa_mix(l, more, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_MIN_A, "011110111zztttttsssssddddd001110", "min_a.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val less = compare(l, f->z, ORYX_CC_LTU, magnitude(l, f->z, f->s), magnitude(l, f->z, f->t));
    msa_set(l, f->d, msa_mix(l, less, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_CEQ, "011110000zztttttsssssddddd001111", "ceq.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, compare(l, f->z, ORYX_CC_EQ, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_CLT_S, "011110010zztttttsssssddddd001111", "clt_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, compare(l, f->z, ORYX_CC_LTS, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_CLT_U, "011110011zztttttsssssddddd001111", "clt_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, compare(l, f->z, ORYX_CC_LTU, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_CLE_S, "011110100zztttttsssssddddd001111", "cle_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, compare(l, f->z, ORYX_CC_LES, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_CLE_U, "011110101zztttttsssssddddd001111", "cle_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, compare(l, f->z, ORYX_CC_LEU, msa_w(l, f->s), msa_w(l, f->t)));
}

ORYX_INSN(MSA_ADD_A, "011110000zztttttsssssddddd010000", "add_a.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, msa_op(l, ORYX_OP_ADD, f->z, magnitude(l, f->z, f->s), magnitude(l, f->z, f->t), 0));
}

ORYX_INSN(MSA_ADDS_A, "011110001zztttttsssssddddd010000", "adds_a.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val v = msa_op(l, ORYX_OP_QADD, f->z, magnitude(l, f->z, f->s), magnitude(l, f->z, f->t), 0);
    msa_set(l, f->d, msa_op(l, ORYX_OP_MINU, f->z, v, msa_splat(l, f->z, ones(msa_bits(f->z) - 1)), 0));
}

ORYX_INSN(MSA_ADDS_S, "011110010zztttttsssssddddd010000", "adds_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_QADD, 1);
}

ORYX_INSN(MSA_ADDS_U, "011110011zztttttsssssddddd010000", "adds_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_QADD, 0);
}

ORYX_INSN(MSA_AVE_S, "011110100zztttttsssssddddd010000", "ave_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_HADD, 1);
}

ORYX_INSN(MSA_AVE_U, "011110101zztttttsssssddddd010000", "ave_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_HADD, 0);
}

ORYX_INSN(MSA_AVER_S, "011110110zztttttsssssddddd010000", "aver_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_HADD, 5);
}

ORYX_INSN(MSA_AVER_U, "011110111zztttttsssssddddd010000", "aver_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_HADD, 4);
}

ORYX_INSN(MSA_SUBS_S, "011110000zztttttsssssddddd010001", "subs_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_QSUB, 1);
}

ORYX_INSN(MSA_SUBS_U, "011110001zztttttsssssddddd010001", "subs_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_QSUB, 0);
}

/* Unsigned minus signed, to unsigned. */
ORYX_INSN(MSA_SUBSUS_U, "011110010zztttttsssssddddd010001", "subsus_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val a = msa_w(l, f->s), b = msa_w(l, f->t);
    oryx_val negative = compare(l, f->z, ORYX_CC_LTS, b, msa_splat(l, f->z, 0));
    oryx_val sum = msa_op(l, ORYX_OP_QADD, f->z, a, msa_un(l, ORYX_OP_NEG, f->z, b, 0), 0);
    msa_set(l, f->d, msa_mix(l, negative, sum, msa_op(l, ORYX_OP_QSUB, f->z, a, b, 0)));
}

/* Unsigned minus unsigned, to signed: both moved by half the range. */
ORYX_INSN(MSA_SUBSUU_S, "011110011zztttttsssssddddd010001", "subsuu_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val half = msa_splat(l, f->z, 1ull << (msa_bits(f->z) - 1));
    oryx_val a = msa_op(l, ORYX_OP_XOR, f->z, msa_w(l, f->s), half, 0), b = msa_op(l, ORYX_OP_XOR, f->z, msa_w(l, f->t), half, 0);
    msa_set(l, f->d, msa_op(l, ORYX_OP_QSUB, f->z, a, b, 1));
}

ORYX_INSN(MSA_ASUB_S, "011110100zztttttsssssddddd010001", "asub_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_ABSD, 1);
}

ORYX_INSN(MSA_ASUB_U, "011110101zztttttsssssddddd010001", "asub_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_ABSD, 0);
}

ORYX_INSN(MSA_MULV, "011110000zztttttsssssddddd010010", "mulv.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_MUL, 0);
}

ORYX_INSN(MSA_MADDV, "011110001zztttttsssssddddd010010", "maddv.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val v = msa_op(l, ORYX_OP_MUL, f->z, msa_w(l, f->s), msa_w(l, f->t), 0);
    msa_set(l, f->d, msa_op(l, ORYX_OP_ADD, f->z, msa_w(l, f->d), v, 0));
}

ORYX_INSN(MSA_MSUBV, "011110010zztttttsssssddddd010010", "msubv.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val v = msa_op(l, ORYX_OP_MUL, f->z, msa_w(l, f->s), msa_w(l, f->t), 0);
    msa_set(l, f->d, msa_op(l, ORYX_OP_SUB, f->z, msa_w(l, f->d), v, 0));
}

static void divide(mips_lift *l, const mips_fields *f, unsigned op)
{
    oryx_ir *ir = l->ir;
    unsigned lane = msa_lane(f->z);
    oryx_val a = msa_w(l, f->s), b = msa_w(l, f->t), v = a;
    for (unsigned i = 0; i < 16u >> f->z; i++) {
        oryx_val x = oryx_ir_emit(ir, ORYX_OP_VGET, V128, lane, a, 0, 0, i), y = oryx_ir_emit(ir, ORYX_OP_VGET, V128, lane, b, 0, 0, i);
        v = oryx_ir_emit(ir, ORYX_OP_VSET, V128, lane, v, oryx_bin(ir, op, lane, x, y), 0, i);
    }
    if (op == ORYX_OP_DIVS || op == ORYX_OP_DIVU) {
        oryx_val zero = msa_splat(l, f->z, 0), by_zero = msa_splat(l, f->z, UINT64_MAX);
        if (op == ORYX_OP_DIVS) /* 1 of a negative dividend */
            by_zero = msa_mix(l, compare(l, f->z, ORYX_CC_LTS, a, zero), msa_splat(l, f->z, 1), by_zero);
        v = msa_mix(l, compare(l, f->z, ORYX_CC_EQ, b, zero), by_zero, v);
    }
    msa_set(l, f->d, v);
}

ORYX_INSN(MSA_DIV_S, "011110100zztttttsssssddddd010010", "div_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    divide(l, f, ORYX_OP_DIVS);
}

ORYX_INSN(MSA_DIV_U, "011110101zztttttsssssddddd010010", "div_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    divide(l, f, ORYX_OP_DIVU);
}

ORYX_INSN(MSA_MOD_S, "011110110zztttttsssssddddd010010", "mod_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    divide(l, f, ORYX_OP_REMS);
}

ORYX_INSN(MSA_MOD_U, "011110111zztttttsssssddddd010010", "mod_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    divide(l, f, ORYX_OP_REMU);
}

/* The even or odd elements of half the width, extended to df z. */
static oryx_val half_of(mips_lift *l, unsigned z, oryx_val v, bool odd, bool is_signed)
{
    unsigned half = msa_bits(z) / 2;
    if (!odd)
        v = msa_un(l, ORYX_OP_SHLI, z, v, half);
    return msa_un(l, is_signed ? ORYX_OP_SARI : ORYX_OP_SHRI, z, v, half);
}

/* Products of even elements plus products of odd ones; acc: 0, or how they go to wd. */
static void dot(mips_lift *l, const mips_fields *f, bool is_signed, unsigned acc)
{
    oryx_val a = msa_w(l, f->s), b = msa_w(l, f->t), p[2];
    for (unsigned i = 0; i < 2; i++)
        p[i] = msa_op(l, ORYX_OP_MUL, f->z, half_of(l, f->z, a, i, is_signed), half_of(l, f->z, b, i, is_signed), 0);
    oryx_val v = msa_op(l, ORYX_OP_ADD, f->z, p[0], p[1], 0);
    msa_set(l, f->d, acc ? msa_op(l, acc, f->z, msa_w(l, f->d), v, 0) : v);
}

ORYX_INSN(MSA_DOTP_S, "011110000zztttttsssssddddd010011", "[z != 0]dotp_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    dot(l, f, true, 0);
}

ORYX_INSN(MSA_DOTP_U, "011110001zztttttsssssddddd010011", "[z != 0]dotp_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    dot(l, f, false, 0);
}

ORYX_INSN(MSA_DPADD_S, "011110010zztttttsssssddddd010011", "[z != 0]dpadd_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    dot(l, f, true, ORYX_OP_ADD);
}

ORYX_INSN(MSA_DPADD_U, "011110011zztttttsssssddddd010011", "[z != 0]dpadd_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    dot(l, f, false, ORYX_OP_ADD);
}

ORYX_INSN(MSA_DPSUB_S, "011110100zztttttsssssddddd010011", "[z != 0]dpsub_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    dot(l, f, true, ORYX_OP_SUB);
}

ORYX_INSN(MSA_DPSUB_U, "011110101zztttttsssssddddd010011", "[z != 0]dpsub_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    dot(l, f, false, ORYX_OP_SUB);
}

ORYX_INSN(MSA_PCKEV, "011110010zztttttsssssddddd010100", "pckev.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    exchanged(l, f, ORYX_OP_UZP1);
}

ORYX_INSN(MSA_PCKOD, "011110011zztttttsssssddddd010100", "pckod.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    exchanged(l, f, ORYX_OP_UZP2);
}

ORYX_INSN(MSA_ILVL, "011110100zztttttsssssddddd010100", "ilvl.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    exchanged(l, f, ORYX_OP_ZIP2);
}

ORYX_INSN(MSA_ILVR, "011110101zztttttsssssddddd010100", "ilvr.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    exchanged(l, f, ORYX_OP_ZIP1);
}

ORYX_INSN(MSA_ILVEV, "011110110zztttttsssssddddd010100", "ilvev.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    exchanged(l, f, ORYX_OP_TRN1);
}

ORYX_INSN(MSA_ILVOD, "011110111zztttttsssssddddd010100", "ilvod.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    exchanged(l, f, ORYX_OP_TRN2);
}

ORYX_INSN(MSA_SRAR, "011110001zztttttsssssddddd010101", "srar.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    shift_right(l, f, 5);
}

ORYX_INSN(MSA_SRLR, "011110010zztttttsssssddddd010101", "srlr.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    shift_right(l, f, 4);
}

ORYX_INSN(MSA_HADD_S, "011110100zztttttsssssddddd010101", "[z != 0]hadd_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val a = half_of(l, f->z, msa_w(l, f->s), true, true), b = half_of(l, f->z, msa_w(l, f->t), false, true);
    msa_set(l, f->d, msa_op(l, ORYX_OP_ADD, f->z, a, b, 0));
}

ORYX_INSN(MSA_HADD_U, "011110101zztttttsssssddddd010101", "[z != 0]hadd_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val a = half_of(l, f->z, msa_w(l, f->s), true, false), b = half_of(l, f->z, msa_w(l, f->t), false, false);
    msa_set(l, f->d, msa_op(l, ORYX_OP_ADD, f->z, a, b, 0));
}

ORYX_INSN(MSA_HSUB_S, "011110110zztttttsssssddddd010101", "[z != 0]hsub_s.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val a = half_of(l, f->z, msa_w(l, f->s), true, true), b = half_of(l, f->z, msa_w(l, f->t), false, true);
    msa_set(l, f->d, msa_op(l, ORYX_OP_SUB, f->z, a, b, 0));
}

ORYX_INSN(MSA_HSUB_U, "011110111zztttttsssssddddd010101", "[z != 0]hsub_u.%df(z)\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val a = half_of(l, f->z, msa_w(l, f->s), true, false), b = half_of(l, f->z, msa_w(l, f->t), false, false);
    msa_set(l, f->d, msa_op(l, ORYX_OP_SUB, f->z, a, b, 0));
}

/* --- fixed point: Q15 and Q31 ----------------------------------------------------------------------------------------------- */

/* z: 0 halfwords, 1 words. */
static void q_multiply(mips_lift *l, const mips_fields *f, uint64_t round)
{
    msa_set(l, f->d, msa_op(l, ORYX_OP_QDMULH, f->z + 1, msa_w(l, f->s), msa_w(l, f->t), round));
}

/* wd and the product in elements of twice the width, then saturated: no step of it overflows there. */
static void q_accumulate(mips_lift *l, const mips_fields *f, unsigned op, bool round)
{
    unsigned z = f->z + 1, n = msa_bits(z), wide = z + 1;
    oryx_val part[2];
    for (unsigned i = 0; i < 2; i++) {
        oryx_val a = half_of(l, wide, msa_w(l, f->s), i, true), b = half_of(l, wide, msa_w(l, f->t), i, true);
        oryx_val c = msa_un(l, ORYX_OP_SHLI, wide, half_of(l, wide, msa_w(l, f->d), i, true), n - 1);
        oryx_val v = msa_op(l, op, wide, c, msa_op(l, ORYX_OP_MUL, wide, a, b, 0), 0);
        if (round)
            v = msa_op(l, ORYX_OP_ADD, wide, v, msa_splat(l, wide, 1ull << (n - 2)), 0);
        v = msa_un(l, ORYX_OP_SARI, wide, v, n - 1);
        v = msa_op(l, ORYX_OP_MINS, wide, v, msa_splat(l, wide, ones(n - 1)), 0);
        part[i] = msa_op(l, ORYX_OP_MAXS, wide, v, msa_splat(l, wide, ~ones(n - 1)), 0);
    }
    msa_set(l, f->d, msa_op(l, ORYX_OP_TRN1, z, part[0], part[1], 0));
}

ORYX_INSN(MSA_MUL_Q, "0111100100ztttttsssssddddd011100", "mul_q.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    q_multiply(l, f, 0);
}

ORYX_INSN(MSA_MADD_Q, "0111100101ztttttsssssddddd011100", "madd_q.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    q_accumulate(l, f, ORYX_OP_ADD, false);
}

ORYX_INSN(MSA_MSUB_Q, "0111100110ztttttsssssddddd011100", "msub_q.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    q_accumulate(l, f, ORYX_OP_SUB, false);
}

ORYX_INSN(MSA_MULR_Q, "0111101100ztttttsssssddddd011100", "mulr_q.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    q_multiply(l, f, 4);
}

ORYX_INSN(MSA_MADDR_Q, "0111101101ztttttsssssddddd011100", "maddr_q.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    q_accumulate(l, f, ORYX_OP_ADD, true);
}

ORYX_INSN(MSA_MSUBR_Q, "0111101110ztttttsssssddddd011100", "msubr_q.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    q_accumulate(l, f, ORYX_OP_SUB, true);
}

/* --- VEC -------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_AND_V, "01111000000tttttsssssddddd011110", "and.v\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_AND, 0);
}

ORYX_INSN(MSA_OR_V, "01111000001tttttsssssddddd011110", "or.v\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_OR, 0);
}

ORYX_INSN(MSA_NOR_V, "01111000010tttttsssssddddd011110", "nor.v\t%w(d),%w(s),%w(t)", MSA)
{
    oryx_val v = msa_op(l, ORYX_OP_OR, 3, msa_w(l, f->s), msa_w(l, f->t), 0);
    msa_set(l, f->d, msa_un(l, ORYX_OP_NOT, 3, v, 0));
}

ORYX_INSN(MSA_XOR_V, "01111000011tttttsssssddddd011110", "xor.v\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_XOR, 0);
}

ORYX_INSN(MSA_BMNZ_V, "01111000100tttttsssssddddd011110", "bmnz.v\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, msa_mix(l, msa_w(l, f->t), msa_w(l, f->s), msa_w(l, f->d)));
}

ORYX_INSN(MSA_BMZ_V, "01111000101tttttsssssddddd011110", "bmz.v\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, msa_mix(l, msa_w(l, f->t), msa_w(l, f->d), msa_w(l, f->s)));
}

ORYX_INSN(MSA_BSEL_V, "01111000110tttttsssssddddd011110", "bsel.v\t%w(d),%w(s),%w(t)", MSA)
{
    msa_set(l, f->d, msa_mix(l, msa_w(l, f->d), msa_w(l, f->t), msa_w(l, f->s)));
}

/* --- 2R --------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_FILL, "01111011000000zzsssssddddd011110", "[z != 3]fill.%df(z)\t%w(d),%r(s)", MSA)
{
    oryx_val v = oryx_trunc(l->ir, msa_lane(f->z), l->w, mips_r(l, f->s));
    msa_set(l, f->d, oryx_vun(l->ir, ORYX_OP_DUP, V128, msa_lane(f->z), v, 0));
}

ORYX_INSN(MSA_FILL_D, "0111101100000011sssssddddd011110", "fill.d\t%w(d),%r(s)", MSA_64)
{
    msa_set(l, f->d, oryx_vun(l->ir, ORYX_OP_DUP, V128, I64, mips_r(l, f->s), 0));
}

ORYX_INSN(MSA_PCNT, "01111011000001zzsssssddddd011110", "pcnt.%df(z)\t%w(d),%w(s)", MSA)
{
    msa_set(l, f->d, msa_un(l, ORYX_OP_POPCNT, f->z, msa_w(l, f->s), 0));
}

ORYX_INSN(MSA_NLOC, "01111011000010zzsssssddddd011110", "nloc.%df(z)\t%w(d),%w(s)", MSA)
{
    oryx_val v = msa_un(l, ORYX_OP_NOT, f->z, msa_w(l, f->s), 0);
    msa_set(l, f->d, msa_un(l, ORYX_OP_CLZ, f->z, v, 0));
}

ORYX_INSN(MSA_NLZC, "01111011000011zzsssssddddd011110", "nlzc.%df(z)\t%w(d),%w(s)", MSA)
{
    msa_set(l, f->d, msa_un(l, ORYX_OP_CLZ, f->z, msa_w(l, f->s), 0));
}

/* --- I5, LDI ------------------------------------------------------------------------------------------------------------------- */

static void with_i5(mips_lift *l, const mips_fields *f, unsigned op, bool is_signed)
{
    oryx_val v = msa_splat(l, f->z, is_signed ? (uint64_t)(int64_t)mips_sx(f->i, 5) : f->i);
    msa_set(l, f->d, msa_op(l, op, f->z, msa_w(l, f->s), v, 0));
}

static void compare_i5(mips_lift *l, const mips_fields *f, unsigned cc, bool is_signed)
{
    oryx_val v = msa_splat(l, f->z, is_signed ? (uint64_t)(int64_t)mips_sx(f->i, 5) : f->i);
    msa_set(l, f->d, compare(l, f->z, cc, msa_w(l, f->s), v));
}

ORYX_INSN(MSA_ADDVI, "011110000zziiiiisssssddddd000110", "addvi.%df(z)\t%w(d),%w(s),%u(i)", MSA)
{
    with_i5(l, f, ORYX_OP_ADD, false);
}

ORYX_INSN(MSA_SUBVI, "011110001zziiiiisssssddddd000110", "subvi.%df(z)\t%w(d),%w(s),%u(i)", MSA)
{
    with_i5(l, f, ORYX_OP_SUB, false);
}

ORYX_INSN(MSA_MAXI_S, "011110010zziiiiisssssddddd000110", "maxi_s.%df(z)\t%w(d),%w(s),%i(mips_sx(i, 5))", MSA)
{
    with_i5(l, f, ORYX_OP_MAXS, true);
}

ORYX_INSN(MSA_MAXI_U, "011110011zziiiiisssssddddd000110", "maxi_u.%df(z)\t%w(d),%w(s),%u(i)", MSA)
{
    with_i5(l, f, ORYX_OP_MAXU, false);
}

ORYX_INSN(MSA_MINI_S, "011110100zziiiiisssssddddd000110", "mini_s.%df(z)\t%w(d),%w(s),%i(mips_sx(i, 5))", MSA)
{
    with_i5(l, f, ORYX_OP_MINS, true);
}

ORYX_INSN(MSA_MINI_U, "011110101zziiiiisssssddddd000110", "mini_u.%df(z)\t%w(d),%w(s),%u(i)", MSA)
{
    with_i5(l, f, ORYX_OP_MINU, false);
}

ORYX_INSN(MSA_CEQI, "011110000zziiiiisssssddddd000111", "ceqi.%df(z)\t%w(d),%w(s),%i(mips_sx(i, 5))", MSA)
{
    compare_i5(l, f, ORYX_CC_EQ, true);
}

ORYX_INSN(MSA_CLTI_S, "011110010zziiiiisssssddddd000111", "clti_s.%df(z)\t%w(d),%w(s),%i(mips_sx(i, 5))", MSA)
{
    compare_i5(l, f, ORYX_CC_LTS, true);
}

ORYX_INSN(MSA_CLTI_U, "011110011zziiiiisssssddddd000111", "clti_u.%df(z)\t%w(d),%w(s),%u(i)", MSA)
{
    compare_i5(l, f, ORYX_CC_LTU, false);
}

ORYX_INSN(MSA_CLEI_S, "011110100zziiiiisssssddddd000111", "clei_s.%df(z)\t%w(d),%w(s),%i(mips_sx(i, 5))", MSA)
{
    compare_i5(l, f, ORYX_CC_LES, true);
}

ORYX_INSN(MSA_CLEI_U, "011110101zziiiiisssssddddd000111", "clei_u.%df(z)\t%w(d),%w(s),%u(i)", MSA)
{
    compare_i5(l, f, ORYX_CC_LEU, false);
}

ORYX_INSN(MSA_LDI, "011110110zziiiiiiiiiiddddd000111", "ldi.%df(z)\t%w(d),%i(mips_sx(i, 10))", MSA)
{
    msa_set(l, f->d, msa_splat(l, f->z, (uint64_t)(int64_t)mips_sx(f->i, 10)));
}

/* --- BIT: m is df and bit number, 0mmmmmm D, 10mmmmm W, 110mmmm H, 1110mmm B ---------------------------------------------------- */

static unsigned bit_df(const mips_fields *f)
{
    return f->m < 0x40 ? 3 : f->m < 0x60 ? 2 : f->m < 0x70 ? 1 : 0;
}

static unsigned bit_number(const mips_fields *f)
{
    return f->m & (msa_bits(bit_df(f)) - 1);
}

static void by_constant(mips_lift *l, const mips_fields *f, unsigned op, uint64_t imm)
{
    msa_set(l, f->d, msa_un(l, op, bit_df(f), msa_w(l, f->s), imm | bit_number(f)));
}

static void with_bit(mips_lift *l, const mips_fields *f, unsigned op)
{
    unsigned z = bit_df(f);
    msa_set(l, f->d, msa_op(l, op, z, msa_w(l, f->s), msa_splat(l, z, 1ull << bit_number(f)), 0));
}

ORYX_INSN(MSA_SLLI, "011110000mmmmmmmsssssddddd001001", "[m < 0x78]slli.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    by_constant(l, f, ORYX_OP_SHLI, 0);
}

ORYX_INSN(MSA_SRAI, "011110001mmmmmmmsssssddddd001001", "[m < 0x78]srai.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    by_constant(l, f, ORYX_OP_SARI, 0);
}

ORYX_INSN(MSA_SRLI, "011110010mmmmmmmsssssddddd001001", "[m < 0x78]srli.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    by_constant(l, f, ORYX_OP_SHRI, 0);
}

ORYX_INSN(MSA_BCLRI, "011110011mmmmmmmsssssddddd001001", "[m < 0x78]bclri.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    with_bit(l, f, ORYX_OP_ANDN);
}

ORYX_INSN(MSA_BSETI, "011110100mmmmmmmsssssddddd001001", "[m < 0x78]bseti.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    with_bit(l, f, ORYX_OP_OR);
}

ORYX_INSN(MSA_BNEGI, "011110101mmmmmmmsssssddddd001001", "[m < 0x78]bnegi.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    with_bit(l, f, ORYX_OP_XOR);
}

ORYX_INSN(MSA_BINSLI, "011110110mmmmmmmsssssddddd001001", "[m < 0x78]binsli.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    unsigned z = bit_df(f), n = bit_number(f) + 1;
    oryx_val mask = msa_splat(l, z, ~ones(msa_bits(z) - n));
    msa_set(l, f->d, msa_mix(l, mask, msa_w(l, f->s), msa_w(l, f->d)));
}

ORYX_INSN(MSA_BINSRI, "011110111mmmmmmmsssssddddd001001", "[m < 0x78]binsri.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    oryx_val mask = msa_splat(l, bit_df(f), ones(bit_number(f) + 1));
    msa_set(l, f->d, msa_mix(l, mask, msa_w(l, f->s), msa_w(l, f->d)));
}

/* Saturation to m + 1 bits. */
ORYX_INSN(MSA_SAT_S, "011110000mmmmmmmsssssddddd001010", "[m < 0x78]sat_s.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    unsigned z = bit_df(f), n = bit_number(f);
    oryx_val v = msa_op(l, ORYX_OP_MINS, z, msa_w(l, f->s), msa_splat(l, z, ones(n)), 0);
    msa_set(l, f->d, msa_op(l, ORYX_OP_MAXS, z, v, msa_splat(l, z, ~ones(n)), 0));
}

ORYX_INSN(MSA_SAT_U, "011110001mmmmmmmsssssddddd001010", "[m < 0x78]sat_u.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    unsigned z = bit_df(f);
    msa_set(l, f->d, msa_op(l, ORYX_OP_MINU, z, msa_w(l, f->s), msa_splat(l, z, ones(bit_number(f) + 1)), 0));
}

ORYX_INSN(MSA_SRARI, "011110010mmmmmmmsssssddddd001010", "[m < 0x78]srari.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    by_constant(l, f, ORYX_OP_SARI, bit_number(f) ? 0x100 : 0);
}

ORYX_INSN(MSA_SRLRI, "011110011mmmmmmmsssssddddd001010", "[m < 0x78]srlri.%dfm(m)\t%w(d),%w(s),%xm(m)", MSA)
{
    by_constant(l, f, ORYX_OP_SHRI, bit_number(f) ? 0x100 : 0);
}

/* --- I8 --------------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_ANDI_B, "01111000iiiiiiiisssssddddd000000", "andi.b\t%w(d),%w(s),%x(i)", MSA)
{
    msa_set(l, f->d, msa_op(l, ORYX_OP_AND, 0, msa_w(l, f->s), msa_splat(l, 0, f->i), 0));
}

ORYX_INSN(MSA_ORI_B, "01111001iiiiiiiisssssddddd000000", "ori.b\t%w(d),%w(s),%x(i)", MSA)
{
    msa_set(l, f->d, msa_op(l, ORYX_OP_OR, 0, msa_w(l, f->s), msa_splat(l, 0, f->i), 0));
}

ORYX_INSN(MSA_NORI_B, "01111010iiiiiiiisssssddddd000000", "nori.b\t%w(d),%w(s),%x(i)", MSA)
{
    oryx_val v = msa_op(l, ORYX_OP_OR, 0, msa_w(l, f->s), msa_splat(l, 0, f->i), 0);
    msa_set(l, f->d, msa_un(l, ORYX_OP_NOT, 0, v, 0));
}

ORYX_INSN(MSA_XORI_B, "01111011iiiiiiiisssssddddd000000", "xori.b\t%w(d),%w(s),%x(i)", MSA)
{
    msa_set(l, f->d, msa_op(l, ORYX_OP_XOR, 0, msa_w(l, f->s), msa_splat(l, 0, f->i), 0));
}

ORYX_INSN(MSA_BMNZI_B, "01111000iiiiiiiisssssddddd000001", "bmnzi.b\t%w(d),%w(s),%x(i)", MSA)
{
    msa_set(l, f->d, msa_mix(l, msa_splat(l, 0, f->i), msa_w(l, f->s), msa_w(l, f->d)));
}

ORYX_INSN(MSA_BMZI_B, "01111001iiiiiiiisssssddddd000001", "bmzi.b\t%w(d),%w(s),%x(i)", MSA)
{
    msa_set(l, f->d, msa_mix(l, msa_splat(l, 0, f->i), msa_w(l, f->d), msa_w(l, f->s)));
}

ORYX_INSN(MSA_BSELI_B, "01111010iiiiiiiisssssddddd000001", "bseli.b\t%w(d),%w(s),%x(i)", MSA)
{
    msa_set(l, f->d, msa_mix(l, msa_w(l, f->d), msa_splat(l, 0, f->i), msa_w(l, f->s)));
}
