/* Release 6: floating point that came new or with new encodings: MD00087 (revision 6) tables 3.18-3.29. FR is 1 there. */
#include "mips_fp.h"

/* -v as an operand: a NaN keeps its sign. */
static oryx_val negated(mips_lift *l, unsigned type, oryx_val v)
{
    unsigned it = type == F64 ? I64 : I32;
    uint64_t inf = type == F64 ? 0x7ff0000000000000ull : 0x7f800000u;
    oryx_val bits = oryx_bitcast(l->ir, it, type, oryx_un(l->ir, ORYX_OP_FABS, type, v));
    oryx_val number = oryx_cmp(l->ir, ORYX_CC_LEU, it, bits, oryx_const(l->ir, it, inf));
    return oryx_select(l->ir, type, number, oryx_un(l->ir, ORYX_OP_FNEG, type, v), v);
}

static void fused(mips_lift *l, const mips_fields *f, unsigned negate)
{
    unsigned type = mips_fp_type(f);
    mips_fp_begin(l);
    oryx_val a = mips_fpr(l, type, f->s), b = mips_fpr(l, type, f->t), c = mips_fpr(l, type, f->d);
    mips_fp_finish(l, type, f->d, oryx_vtri(l->ir, ORYX_OP_FMA, type, type, negate ? negated(l, type, a) : a, b, c, 0));
}

ORYX_INSN(FP_MADDF, "0100011000mtttttsssssddddd011000", "maddf.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    fused(l, f, 0);
}

ORYX_INSN(FP_MSUBF, "0100011000mtttttsssssddddd011001", "msubf.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    fused(l, f, 1);
}

ORYX_INSN(FP_RINT, "0100011000m00000sssssddddd011010", "rint.%?(m){d}{s}\t%fr(d),%fr(s)", R6)
{
    unsigned type = mips_fp_type(f);
    mips_fp_begin(l);
    mips_fp_finish(l, type, f->d, oryx_ir_emit(l->ir, ORYX_OP_FROUND, type, type, mips_fpr(l, type, f->s), 0, 0, ORYX_RM_ENV | 8));
}

ORYX_INSN(FP_CLASS, "0100011000m00000sssssddddd011011", "class.%?(m){d}{s}\t%fr(d),%fr(s)", R6)
{
    unsigned type = mips_int_type(f);
    oryx_val v[2] = { oryx_zext(l->ir, I64, type, mips_fpr(l, type, f->s)), mips_imm32(l, f->m) };
    oryx_val c = oryx_call(l->ir, l->helper_base + MIPS_HELPER_CLASS, I64, v, 2);
    mips_set_fpr(l, type, f->d, oryx_trunc(l->ir, type, I64, c));
}

/* magnitude: the operand of the smaller (larger) magnitude, when one is. */
static void extreme(mips_lift *l, const mips_fields *f, unsigned op, unsigned magnitude)
{
    oryx_ir *ir = l->ir;
    unsigned type = mips_fp_type(f);
    mips_fp_begin(l);
    oryx_val a = mips_fpr(l, type, f->s), b = mips_fpr(l, type, f->t), v = oryx_bin(ir, op, type, a, b);
    if (magnitude) {
        oryx_val fl = oryx_ir_emit(ir, ORYX_OP_FLFCMP, ORYX_T_FL, type, oryx_un(ir, ORYX_OP_FABS, type, a),
                                   oryx_un(ir, ORYX_OP_FABS, type, b), 0, 0);
        bool least = op == ORYX_OP_FMINNM;
        v = oryx_select(ir, type, oryx_flcond(ir, ORYX_FC_S, fl), least ? a : b, v);
        v = oryx_select(ir, type, oryx_flcond(ir, ORYX_FC_GT, fl), least ? b : a, v);
    }
    mips_fp_finish(l, type, f->d, v);
}

ORYX_INSN(FP_MIN, "0100011000mtttttsssssddddd011100", "min.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    extreme(l, f, ORYX_OP_FMINNM, 0);
}

ORYX_INSN(FP_MINA, "0100011000mtttttsssssddddd011101", "mina.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    extreme(l, f, ORYX_OP_FMINNM, 1);
}

ORYX_INSN(FP_MAX, "0100011000mtttttsssssddddd011110", "max.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    extreme(l, f, ORYX_OP_FMAXNM, 0);
}

ORYX_INSN(FP_MAXA, "0100011000mtttttsssssddddd011111", "maxa.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    extreme(l, f, ORYX_OP_FMAXNM, 1);
}

/* --- Selection by bit 0 of a register -------------------------------------------------------------------------------------------- */

static oryx_val bit0(mips_lift *l, unsigned n)
{
    return oryx_cmp(l->ir, ORYX_CC_TST, I32, mips_fpr(l, I32, n), mips_imm32(l, 1));
}

static void select_by(mips_lift *l, const mips_fields *f, unsigned by, oryx_val then, oryx_val otherwise)
{
    unsigned type = mips_int_type(f);
    mips_set_fpr(l, type, f->d, oryx_select(l->ir, type, bit0(l, by), then, otherwise));
}

ORYX_INSN(FP_SEL, "0100011000mtttttsssssddddd010000", "sel.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    select_by(l, f, f->d, mips_fpr(l, mips_int_type(f), f->t), mips_fpr(l, mips_int_type(f), f->s));
}

ORYX_INSN(FP_SELEQZ, "0100011000mtttttsssssddddd010100", "seleqz.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    select_by(l, f, f->t, oryx_const(l->ir, mips_int_type(f), 0), mips_fpr(l, mips_int_type(f), f->s));
}

ORYX_INSN(FP_SELNEZ, "0100011000mtttttsssssddddd010111", "selnez.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    select_by(l, f, f->t, mips_fpr(l, mips_int_type(f), f->s), oryx_const(l->ir, mips_int_type(f), 0));
}

ORYX_INSN(FP_BC1EQZ, "01000101001tttttiiiiiiiiiiiiiiii", "bc1eqz\t%fr(t),%b(i)", R6)
{
    if (mips_branch_ok(l))
        mips_branch(l, oryx_un(l->ir, ORYX_OP_NOT, I1, bit0(l, f->t)), (int32_t)((uint32_t)mips_sx(f->i, 16) << 2));
}

ORYX_INSN(FP_BC1NEZ, "01000101101tttttiiiiiiiiiiiiiiii", "bc1nez\t%fr(t),%b(i)", R6)
{
    if (mips_branch_ok(l))
        mips_branch(l, bit0(l, f->t), (int32_t)((uint32_t)mips_sx(f->i, 16) << 2));
}

/* --- Comparisons: all ones or zero ----------------------------------------------------------------------------------------------- */

/* c: bits as in mips_fp_compare; n: the opposite (or, une, ne). */
ORYX_INSN(FP_CMP, "0100011010mtttttsssssddddd0ncccc", "[!n || ((c & 7) >= 1 && (c & 7) <= 3)]cmp.%?(c & 8){s}%?(n){%pick((c & 7) - 1, \"or une ne\")}{%pick(c & 7, \"af un eq ueq lt ult le ule\")}.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", R6)
{
    unsigned type = mips_int_type(f), fp = mips_fp_type(f);
    mips_fp_begin_noted(l, f->c & 8 ? MIPS_FP_CMPS : MIPS_FP_CMP, fp, mips_fpr(l, fp, f->s), mips_fpr(l, fp, f->t), 0);
    oryx_local_put(l->ir, I32, 2, mips_fp_compare(l, f, f->c));
    mips_fp_end(l);
    oryx_val v = oryx_local_get(l->ir, I32, 2);
    if (f->n)
        v = mips_bin32(l, ORYX_OP_XOR, v, mips_imm32(l, 1));
    v = oryx_un(l->ir, ORYX_OP_NEG, I32, v);
    mips_set_fpr(l, type, f->d, oryx_sext(l->ir, type, I32, v));
}
