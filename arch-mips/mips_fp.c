/* Floating point: coprocessor 1 (MD00087 tables 3.18-3.29), before and in Release 6.
 *
 * Field m is the lowest bit of the format: 0 S or W, 1 D or L. The FP environment is the vCPU's (mips_fpenv.c). FCSR.Cause
 * tells of the last operation alone: what it was is noted and done again when Cause is read (mips_fp_cause.c). With some
 * FCSR.Enable or FS set (mode key) the sticky flags are put aside instead, and an enabled exception is raised before the result is written. ABS and NEG never signal, as with FCSR.ABS2008 = 1. */
#include "mips_fp.h"

static uint32_t offset(const mips_lift *l, unsigned n)
{
    return mips_fpr_offset(l->mode & MIPS_MODE_FR, n);
}

/* A double in an odd register of an FR = 0 FPU is a Reserved Instruction (UNPREDICTABLE); false then. */
static bool even(mips_lift *l, unsigned type, unsigned a, unsigned b, unsigned c)
{
    if ((type != F64 && type != I64) || l->mode & MIPS_MODE_FR || !((a | b | c) & 1))
        return true;
    mips_reserved(l);
    return false;
}

oryx_val mips_fpr(mips_lift *l, unsigned type, unsigned n)
{
    return oryx_get(l->ir, type, offset(l, n));
}

void mips_set_fpr(mips_lift *l, unsigned type, unsigned n, oryx_val v)
{
    oryx_put(l->ir, type, offset(l, n), v);
}

/* --- Flags of one operation ---------------------------------------------------------------------------------------------- */

/* Begin and end of an operation that can signal. In between its flags are alone in the environment; result (0: none) is given
 * to the register only when no enabled exception is among them. */
void mips_fp_begin(mips_lift *l)
{
    oryx_ir *ir = l->ir;
    oryx_local_put(ir, I32, 0, oryx_ir_emit(ir, ORYX_OP_FFLAGS, I32, I32, 0, 0, 0, 0));
    oryx_ir_emit(ir, ORYX_OP_FSETFLAGS, 0, 0, mips_imm32(l, 0), 0, 0, 0);
}

static void note(mips_lift *l, unsigned type, uint32_t at, oryx_val v)
{
    if (v)
        oryx_put(l->ir, type, at, v);
}

void mips_fp_begin_noted(mips_lift *l, unsigned kind, unsigned type, oryx_val a, oryx_val b, oryx_val c)
{
    if (l->mode & (MIPS_MODE_TRAPS | MIPS_MODE_FS)) {
        mips_fp_begin(l);
        return;
    }
    l->fp_noted = true;
    oryx_put(l->ir, I32, MIPS_OFF(fp_op), mips_imm32(l, kind | (type == F64 ? MIPS_FP_DOUBLE : 0)));
    note(l, type, MIPS_OFF(fp_a), a);
    note(l, type, MIPS_OFF(fp_b), b);
    note(l, type, MIPS_OFF(fp_c), c);
}

/* FCSR's order of bits from the environment's. */
oryx_val mips_fp_cause_of(mips_lift *l, oryx_val flags)
{
    static const struct {
        unsigned from, to;
    } bit[5] = { { 4, 0 }, { 3, 1 }, { 2, 2 }, { 1, 3 }, { 0, 4 } };
    oryx_val v = 0;
    for (unsigned i = 0; i < 5; i++) {
        oryx_val b = oryx_bfx(l->ir, ORYX_OP_UBFX, I32, flags, bit[i].from, 1);
        if (bit[i].to)
            b = mips_bin32(l, ORYX_OP_SHL, b, mips_imm32(l, bit[i].to));
        v = v ? mips_bin32(l, ORYX_OP_OR, v, b) : b;
    }
    return v;
}

void mips_fp_end(mips_lift *l)
{
    oryx_ir *ir = l->ir;
    if (l->fp_noted)
        return;
    oryx_val mine = oryx_ir_emit(ir, ORYX_OP_FFLAGS, I32, I32, 0, 0, 0, 0), cause = mips_fp_cause_of(l, mine);
    if (l->mode & MIPS_MODE_TRAPS) {
        uint32_t go_on = mips_label(l);
        oryx_local_put(ir, I32, 1, mine);
        oryx_val enables = oryx_bfx(ir, ORYX_OP_UBFX, I32, oryx_get(ir, I32, MIPS_OFF(fcsr)), MIPS_FCSR_ENABLES_SHIFT, 5);
        oryx_brc(ir, oryx_cmp(ir, ORYX_CC_TSTZ, I32, cause, enables), go_on);
        oryx_ir_emit(ir, ORYX_OP_FSETFLAGS, 0, 0, oryx_local_get(ir, I32, 0), 0, 0, 0);
        oryx_put(ir, I32, MIPS_OFF(cause), cause);
        oryx_put(ir, I32, MIPS_OFF(fp_op), mips_imm32(l, 0));
        oryx_raise(ir, ORYX_EXC_FP, oryx_const(ir, I64, 0), l->pc);
        oryx_label(ir, go_on);
        mine = oryx_local_get(ir, I32, 1);
        cause = mips_fp_cause_of(l, mine);
    }
    oryx_ir_emit(ir, ORYX_OP_FSETFLAGS, 0, 0, mips_bin32(l, ORYX_OP_OR, mine, oryx_local_get(ir, I32, 0)), 0, 0, 0);
    oryx_put(ir, I32, MIPS_OFF(cause), cause);
    oryx_put(ir, I32, MIPS_OFF(fp_op), mips_imm32(l, 0));
}

/* The result waits in a local over mips_fp_end's label. */
void mips_fp_finish(mips_lift *l, unsigned type, unsigned d, oryx_val v)
{
    if (l->fp_noted) {
        mips_set_fpr(l, type, d, v);
        return;
    }
    oryx_local_put(l->ir, type, 2, v);
    mips_fp_end(l);
    mips_set_fpr(l, type, d, oryx_local_get(l->ir, type, 2));
}

/* --- Arithmetic ------------------------------------------------------------------------------------------------------------- */

static void binary(mips_lift *l, const mips_fields *f, unsigned op, unsigned kind)
{
    unsigned type = mips_fp_type(f);
    if (!even(l, type, f->s, f->t, f->d))
        return;
    oryx_val a = mips_fpr(l, type, f->s), b = mips_fpr(l, type, f->t);
    mips_fp_begin_noted(l, kind, type, a, b, 0);
    mips_fp_finish(l, type, f->d, oryx_bin(l->ir, op, type, a, b));
}

ORYX_INSN(FP_ADD, "0100011000mtttttsssssddddd000000", "add.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", FPU)
{
    binary(l, f, ORYX_OP_FADD, MIPS_FP_ADD);
}

ORYX_INSN(FP_SUB, "0100011000mtttttsssssddddd000001", "sub.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", FPU)
{
    binary(l, f, ORYX_OP_FSUB, MIPS_FP_SUB);
}

ORYX_INSN(FP_MUL, "0100011000mtttttsssssddddd000010", "mul.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", FPU)
{
    binary(l, f, ORYX_OP_FMUL, MIPS_FP_MUL);
}

ORYX_INSN(FP_DIV, "0100011000mtttttsssssddddd000011", "div.%?(m){d}{s}\t%fr(d),%fr(s),%fr(t)", FPU)
{
    binary(l, f, ORYX_OP_FDIV, MIPS_FP_DIV);
}

/* 1 / v: the reciprocal. */
static oryx_val inverse(mips_lift *l, unsigned type, oryx_val v)
{
    oryx_val one = oryx_const(l->ir, type, type == F64 ? 0x3ff0000000000000ull : 0x3f800000u);
    return oryx_bin(l->ir, ORYX_OP_FDIV, type, one, v);
}

static void unary(mips_lift *l, const mips_fields *f, unsigned root, unsigned inverted)
{
    unsigned type = mips_fp_type(f);
    if (!even(l, type, f->s, 0, f->d))
        return;
    oryx_val v = mips_fpr(l, type, f->s);
    mips_fp_begin_noted(l, !root ? MIPS_FP_RECIP : inverted ? MIPS_FP_RSQRT : MIPS_FP_SQRT, type, v, 0, 0);
    if (root)
        v = oryx_un(l->ir, ORYX_OP_FSQRT, type, v);
    mips_fp_finish(l, type, f->d, inverted ? inverse(l, type, v) : v);
}

ORYX_INSN(FP_SQRT, "0100011000m00000sssssddddd000100", "sqrt.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    unary(l, f, 1, 0);
}

ORYX_INSN(FP_RECIP, "0100011000m00000sssssddddd010101", "recip.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    unary(l, f, 0, 1);
}

ORYX_INSN(FP_RSQRT, "0100011000m00000sssssddddd010110", "rsqrt.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    unary(l, f, 1, 1);
}

static void quiet(mips_lift *l, const mips_fields *f, unsigned op)
{
    unsigned type = mips_fp_type(f);
    if (!even(l, type, f->s, 0, f->d))
        return;
    oryx_val v = mips_fpr(l, type, f->s);
    mips_set_fpr(l, type, f->d, op ? oryx_un(l->ir, op, type, v) : v);
}

ORYX_INSN(FP_ABS, "0100011000m00000sssssddddd000101", "abs.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    quiet(l, f, ORYX_OP_FABS);
}

ORYX_INSN(FP_MOV, "0100011000m00000sssssddddd000110", "mov.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    quiet(l, f, 0);
}

ORYX_INSN(FP_NEG, "0100011000m00000sssssddddd000111", "neg.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    quiet(l, f, ORYX_OP_FNEG);
}

/* Multiply and add with two roundings. negate: the result's sign. */
static void multiply_add(mips_lift *l, const mips_fields *f, unsigned op, unsigned negate)
{
    unsigned type = mips_fp_type(f);
    if (!even(l, type, f->s | f->r, f->t, f->d))
        return;
    oryx_val a = mips_fpr(l, type, f->s), b = mips_fpr(l, type, f->t), c = mips_fpr(l, type, f->r);
    mips_fp_begin_noted(l, op == ORYX_OP_FADD ? MIPS_FP_MADD : MIPS_FP_MSUB, type, a, b, c);
    oryx_val v = oryx_bin(l->ir, op, type, oryx_bin(l->ir, ORYX_OP_FMUL, type, a, b), c);
    mips_fp_finish(l, type, f->d, negate ? oryx_un(l->ir, ORYX_OP_FNEG, type, v) : v);
}

ORYX_INSN(FP_MADD, "010011rrrrrtttttsssssddddd10000m", "madd.%?(m){d}{s}\t%fr(d),%fr(r),%fr(s),%fr(t)", FPU_5)
{
    multiply_add(l, f, ORYX_OP_FADD, 0);
}

ORYX_INSN(FP_MSUB, "010011rrrrrtttttsssssddddd10100m", "msub.%?(m){d}{s}\t%fr(d),%fr(r),%fr(s),%fr(t)", FPU_5)
{
    multiply_add(l, f, ORYX_OP_FSUB, 0);
}

ORYX_INSN(FP_NMADD, "010011rrrrrtttttsssssddddd11000m", "nmadd.%?(m){d}{s}\t%fr(d),%fr(r),%fr(s),%fr(t)", FPU_5)
{
    multiply_add(l, f, ORYX_OP_FADD, 1);
}

ORYX_INSN(FP_NMSUB, "010011rrrrrtttttsssssddddd11100m", "nmsub.%?(m){d}{s}\t%fr(d),%fr(r),%fr(s),%fr(t)", FPU_5)
{
    multiply_add(l, f, ORYX_OP_FSUB, 1);
}

/* --- Conversions --------------------------------------------------------------------------------------------------------------- */

/* 64-bit integers live in the registers of an FR = 1 FPU only. */
static bool long_ok(mips_lift *l)
{
    if (l->mode & MIPS_MODE_FR)
        return true;
    mips_reserved(l);
    return false;
}

static void to_integer(mips_lift *l, const mips_fields *f, unsigned to, unsigned rm)
{
    unsigned type = mips_fp_type(f);
    if ((to == I64 && !long_ok(l)) || !even(l, type, f->s, 0, 0))
        return;
    oryx_val v = mips_fpr(l, type, f->s);
    mips_fp_begin_noted(l, (to == I64 ? MIPS_FP_TO_L : MIPS_FP_TO_W) | MIPS_FP_RM(rm), type, v, 0, 0);
    mips_fp_finish(l, to, f->d, oryx_ir_emit(l->ir, ORYX_OP_FTOI, to, type, v, 0, 0, rm | 8));
}

ORYX_INSN(FP_ROUND_L, "0100011000m00000sssssddddd001000", "round.l.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I64, ORYX_RM_NEAREST);
}

ORYX_INSN(FP_TRUNC_L, "0100011000m00000sssssddddd001001", "trunc.l.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I64, ORYX_RM_ZERO);
}

ORYX_INSN(FP_CEIL_L, "0100011000m00000sssssddddd001010", "ceil.l.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I64, ORYX_RM_UP);
}

ORYX_INSN(FP_FLOOR_L, "0100011000m00000sssssddddd001011", "floor.l.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I64, ORYX_RM_DOWN);
}

ORYX_INSN(FP_ROUND_W, "0100011000m00000sssssddddd001100", "round.w.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I32, ORYX_RM_NEAREST);
}

ORYX_INSN(FP_TRUNC_W, "0100011000m00000sssssddddd001101", "trunc.w.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I32, ORYX_RM_ZERO);
}

ORYX_INSN(FP_CEIL_W, "0100011000m00000sssssddddd001110", "ceil.w.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I32, ORYX_RM_UP);
}

ORYX_INSN(FP_FLOOR_W, "0100011000m00000sssssddddd001111", "floor.w.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I32, ORYX_RM_DOWN);
}

ORYX_INSN(FP_CVT_W, "0100011000m00000sssssddddd100100", "cvt.w.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I32, ORYX_RM_ENV);
}

ORYX_INSN(FP_CVT_L, "0100011000m00000sssssddddd100101", "cvt.l.%?(m){d}{s}\t%fr(d),%fr(s)", FPU)
{
    to_integer(l, f, I64, ORYX_RM_ENV);
}

static void from_integer(mips_lift *l, const mips_fields *f, unsigned to)
{
    if ((f->m && !long_ok(l)) || !even(l, to, f->d, 0, 0))
        return;
    oryx_val v = mips_fpr(l, mips_int_type(f), f->s);
    unsigned kind = f->m ? to == F64 ? MIPS_FP_FROM_L_D : MIPS_FP_FROM_L_S : to == F64 ? MIPS_FP_FROM_W_D : MIPS_FP_FROM_W_S;
    mips_fp_begin_noted(l, kind, mips_int_type(f), v, 0, 0);
    mips_fp_finish(l, to, f->d, oryx_ir_emit(l->ir, ORYX_OP_ITOF, to, mips_int_type(f), v, 0, 0, 8));
}

ORYX_INSN(FP_CVT_S_I, "0100011010m00000sssssddddd100000", "cvt.s.%?(m){l}{w}\t%fr(d),%fr(s)", FPU)
{
    from_integer(l, f, F32);
}

ORYX_INSN(FP_CVT_D_I, "0100011010m00000sssssddddd100001", "cvt.d.%?(m){l}{w}\t%fr(d),%fr(s)", FPU)
{
    from_integer(l, f, F64);
}

ORYX_INSN(FP_CVT_S_D, "0100011000100000sssssddddd100000", "cvt.s.d\t%fr(d),%fr(s)", FPU)
{
    if (!even(l, F64, f->s, 0, 0))
        return;
    oryx_val v = mips_fpr(l, F64, f->s);
    mips_fp_begin_noted(l, MIPS_FP_CVT, F64, v, 0, 0);
    mips_fp_finish(l, F32, f->d, oryx_ir_emit(l->ir, ORYX_OP_FCVT, F32, F64, v, 0, 0, 0));
}

ORYX_INSN(FP_CVT_D_S, "0100011000000000sssssddddd100001", "cvt.d.s\t%fr(d),%fr(s)", FPU)
{
    if (!even(l, F64, f->d, 0, 0))
        return;
    oryx_val v = mips_fpr(l, F32, f->s);
    mips_fp_begin_noted(l, MIPS_FP_CVT, F32, v, 0, 0);
    mips_fp_finish(l, F64, f->d, oryx_ir_emit(l->ir, ORYX_OP_FCVT, F64, F32, v, 0, 0, 0));
}

/* --- Comparisons and conditions ------------------------------------------------------------------------------------------------ */

/* Bits of c: 1 unordered, 2 equal, 4 less, 8 quiet NaNs signal too. */
oryx_val mips_fp_compare(mips_lift *l, const mips_fields *f, unsigned c)
{
    return mips_fp_compare_at(l, mips_fp_type(f), offset(l, f->s), offset(l, f->t), c);
}

oryx_val mips_fp_compare_at(mips_lift *l, unsigned type, uint32_t s, uint32_t t, unsigned c)
{
    static const uint8_t code[3] = { ORYX_FC_O, ORYX_FC_Z, ORYX_FC_S };
    oryx_val a = oryx_get(l->ir, type, s), b = oryx_get(l->ir, type, t), v = 0;
    oryx_val fl = oryx_ir_emit(l->ir, ORYX_OP_FLFCMP, ORYX_T_FL, type, a, b, 0, c >> 3 & 1);
    for (unsigned i = 0; i < 3; i++)
        if (c >> i & 1) {
            oryx_val one = oryx_flcond(l->ir, code[i], fl);
            v = v ? oryx_bin(l->ir, ORYX_OP_OR, I1, v, one) : one;
        }
    return oryx_zext(l->ir, I32, I1, v ? v : oryx_const(l->ir, I1, 0));
}

/* k: condition code register. */
ORYX_INSN(FP_C, "0100011000mtttttssssskkk0011cccc", "c.%pick(c, \"f un eq ueq olt ult ole ule sf ngle seq ngl lt nge le ngt\").%?(m){d}{s}\t%?(k){$fcc%u(k),}%fr(s),%fr(t)", FPU_5)
{
    unsigned type = mips_fp_type(f);
    if (!even(l, type, f->s, f->t, 0))
        return;
    mips_fp_begin_noted(l, f->c & 8 ? MIPS_FP_CMPS : MIPS_FP_CMP, type, mips_fpr(l, type, f->s), mips_fpr(l, type, f->t), 0);
    oryx_local_put(l->ir, I32, 2, mips_fp_compare(l, f, f->c));
    mips_fp_end(l);
    oryx_val old = oryx_get(l->ir, I32, MIPS_OFF(fcc));
    oryx_put(l->ir, I32, MIPS_OFF(fcc), oryx_bfi(l->ir, I32, old, oryx_local_get(l->ir, I32, 2), f->k, 1));
}

/* i1: condition code k is v. */
static oryx_val code_is(mips_lift *l, unsigned k, unsigned v)
{
    oryx_val fcc = oryx_get(l->ir, I32, MIPS_OFF(fcc));
    return oryx_cmp(l->ir, v ? ORYX_CC_TST : ORYX_CC_TSTZ, I32, fcc, mips_imm32(l, 1u << k));
}

/* y: likely, o: branch when true. */
ORYX_INSN(FP_BC1, "01000101000kkkyoiiiiiiiiiiiiiiii", "bc1%?(o){t}{f}%?(y){l}\t%?(k){$fcc%u(k),}%b(i)", FPU_5)
{
    int32_t disp = (int32_t)((uint32_t)mips_sx(f->i, 16) << 2);
    if (!mips_branch_ok(l))
        return;
    if (f->y)
        mips_branch_likely(l, code_is(l, f->k, f->o), disp);
    else
        mips_branch(l, code_is(l, f->k, f->o), disp);
}

ORYX_INSN(MOVCI, "000000ssssskkk0oddddd00000000001", "mov%?(o){t}{f}\t%r(d),%r(s),$fcc%u(k)", FPU_5)
{
    mips_set(l, f->d, oryx_select(l->ir, l->w, code_is(l, f->k, f->o), mips_r(l, f->s), mips_r(l, f->d)));
}

static void move_if(mips_lift *l, const mips_fields *f, oryx_val c)
{
    unsigned type = mips_fp_type(f);
    mips_set_fpr(l, type, f->d, oryx_select(l->ir, type, c, mips_fpr(l, type, f->s), mips_fpr(l, type, f->d)));
}

ORYX_INSN(FP_MOVCF, "0100011000mkkk0osssssddddd010001", "mov%?(o){t}{f}.%?(m){d}{s}\t%fr(d),%fr(s),$fcc%u(k)", FPU_5)
{
    if (even(l, mips_fp_type(f), f->s, 0, f->d))
        move_if(l, f, code_is(l, f->k, f->o));
}

ORYX_INSN(FP_MOVZ, "0100011000mtttttsssssddddd010010", "movz.%?(m){d}{s}\t%fr(d),%fr(s),%r(t)", FPU_5)
{
    if (even(l, mips_fp_type(f), f->s, 0, f->d))
        move_if(l, f, oryx_cmp(l->ir, ORYX_CC_EQ, l->w, mips_r(l, f->t), mips_imm(l, 0)));
}

ORYX_INSN(FP_MOVN, "0100011000mtttttsssssddddd010011", "movn.%?(m){d}{s}\t%fr(d),%fr(s),%r(t)", FPU_5)
{
    if (even(l, mips_fp_type(f), f->s, 0, f->d))
        move_if(l, f, oryx_cmp(l->ir, ORYX_CC_NE, l->w, mips_r(l, f->t), mips_imm(l, 0)));
}
