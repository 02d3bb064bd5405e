/* Paired single: two singles in a 64-bit FPR, MD00087 table 3.24. The registers of an FR = 1 FPU only.
 *
 * Arithmetic is done on one half after the other inside one begin and end, so Cause and the flags are those of both. */
#include "mips_fp.h"

static bool wide(mips_lift *l)
{
    if (l->mode & MIPS_MODE_FR)
        return true;
    mips_reserved(l);
    return false;
}

/* Half u of register n: 0 lower, 1 upper. */
static oryx_val half(mips_lift *l, unsigned type, unsigned n, unsigned u)
{
    return oryx_get(l->ir, type, MIPS_OFF_F(n) + 4 * u);
}

static oryx_val bits(mips_lift *l, oryx_val single)
{
    return oryx_zext(l->ir, I64, I32, oryx_ir_emit(l->ir, ORYX_OP_BITCAST, I32, F32, single, 0, 0, 0));
}

static oryx_val pair(mips_lift *l, oryx_val upper, oryx_val lower)
{
    return oryx_bin(l->ir, ORYX_OP_OR, I64, oryx_bin(l->ir, ORYX_OP_SHL, I64, upper, oryx_const(l->ir, I64, 32)), lower);
}

static void binary(mips_lift *l, const mips_fields *f, unsigned op)
{
    oryx_val v[2];
    if (!wide(l))
        return;
    mips_fp_begin(l);
    for (unsigned u = 0; u < 2; u++)
        v[u] = bits(l, oryx_bin(l->ir, op, F32, half(l, F32, f->s, u), half(l, F32, f->t, u)));
    mips_fp_finish(l, I64, f->d, pair(l, v[1], v[0]));
}

ORYX_INSN(PS_ADD, "01000110110tttttsssssddddd000000", "add.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    binary(l, f, ORYX_OP_FADD);
}

ORYX_INSN(PS_SUB, "01000110110tttttsssssddddd000001", "sub.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    binary(l, f, ORYX_OP_FSUB);
}

ORYX_INSN(PS_MUL, "01000110110tttttsssssddddd000010", "mul.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    binary(l, f, ORYX_OP_FMUL);
}

static void multiply_add(mips_lift *l, const mips_fields *f, unsigned op, unsigned negate)
{
    oryx_val v[2];
    if (!wide(l))
        return;
    mips_fp_begin(l);
    for (unsigned u = 0; u < 2; u++) {
        oryx_val m = oryx_bin(l->ir, ORYX_OP_FMUL, F32, half(l, F32, f->s, u), half(l, F32, f->t, u));
        m = oryx_bin(l->ir, op, F32, m, half(l, F32, f->r, u));
        v[u] = bits(l, negate ? oryx_un(l->ir, ORYX_OP_FNEG, F32, m) : m);
    }
    mips_fp_finish(l, I64, f->d, pair(l, v[1], v[0]));
}

ORYX_INSN(PS_MADD, "010011rrrrrtttttsssssddddd100110", "madd.ps\t%fr(d),%fr(r),%fr(s),%fr(t)", PS)
{
    multiply_add(l, f, ORYX_OP_FADD, 0);
}

ORYX_INSN(PS_MSUB, "010011rrrrrtttttsssssddddd101110", "msub.ps\t%fr(d),%fr(r),%fr(s),%fr(t)", PS)
{
    multiply_add(l, f, ORYX_OP_FSUB, 0);
}

ORYX_INSN(PS_NMADD, "010011rrrrrtttttsssssddddd110110", "nmadd.ps\t%fr(d),%fr(r),%fr(s),%fr(t)", PS)
{
    multiply_add(l, f, ORYX_OP_FADD, 1);
}

ORYX_INSN(PS_NMSUB, "010011rrrrrtttttsssssddddd111110", "nmsub.ps\t%fr(d),%fr(r),%fr(s),%fr(t)", PS)
{
    multiply_add(l, f, ORYX_OP_FSUB, 1);
}

/* --- what moves bits ------------------------------------------------------------------------------------------------------------ */

static void quiet(mips_lift *l, const mips_fields *f, unsigned op, uint64_t mask)
{
    if (!wide(l))
        return;
    oryx_val v = mips_fpr(l, I64, f->s);
    mips_set_fpr(l, I64, f->d, op ? oryx_bin(l->ir, op, I64, v, oryx_const(l->ir, I64, mask)) : v);
}

ORYX_INSN(PS_ABS, "0100011011000000sssssddddd000101", "abs.ps\t%fr(d),%fr(s)", PS)
{
    quiet(l, f, ORYX_OP_AND, 0x7fffffff7fffffffull);
}

ORYX_INSN(PS_MOV, "0100011011000000sssssddddd000110", "mov.ps\t%fr(d),%fr(s)", PS)
{
    quiet(l, f, 0, 0);
}

ORYX_INSN(PS_NEG, "0100011011000000sssssddddd000111", "neg.ps\t%fr(d),%fr(s)", PS)
{
    quiet(l, f, ORYX_OP_XOR, 0x8000000080000000ull);
}

static void move_if(mips_lift *l, const mips_fields *f, unsigned cc)
{
    if (!wide(l))
        return;
    oryx_val c = oryx_cmp(l->ir, cc, l->w, mips_r(l, f->t), mips_imm(l, 0));
    mips_set_fpr(l, I64, f->d, oryx_select(l->ir, I64, c, mips_fpr(l, I64, f->s), mips_fpr(l, I64, f->d)));
}

ORYX_INSN(PS_MOVZ, "01000110110tttttsssssddddd010010", "movz.ps\t%fr(d),%fr(s),%r(t)", PS)
{
    move_if(l, f, ORYX_CC_EQ);
}

ORYX_INSN(PS_MOVN, "01000110110tttttsssssddddd010011", "movn.ps\t%fr(d),%fr(s),%r(t)", PS)
{
    move_if(l, f, ORYX_CC_NE);
}

/* k: condition code of the lower half, k + 1 that of the upper. o: move when true. */
ORYX_INSN(PS_MOVCF, "01000110110kkk0osssssddddd010001", "[(k & 1) == 0]mov%?(o){t}{f}.ps\t%fr(d),%fr(s),$fcc%u(k)", PS)
{
    oryx_val v[2];
    if (!wide(l))
        return;
    for (unsigned u = 0; u < 2; u++) {
        oryx_val fcc = oryx_get(l->ir, I32, MIPS_OFF(fcc));
        oryx_val c = oryx_cmp(l->ir, f->o ? ORYX_CC_TST : ORYX_CC_TSTZ, I32, fcc, mips_imm32(l, 1u << ((f->k + u) & 7)));
        v[u] = oryx_zext(l->ir, I64, I32, oryx_select(l->ir, I32, c, half(l, I32, f->s, u), half(l, I32, f->d, u)));
    }
    mips_set_fpr(l, I64, f->d, pair(l, v[1], v[0]));
}

/* a of fs becomes the upper half, b of ft the lower. */
static void join(mips_lift *l, const mips_fields *f, unsigned a, unsigned b)
{
    if (!wide(l))
        return;
    oryx_val upper = oryx_zext(l->ir, I64, I32, half(l, I32, f->s, a)), lower = oryx_zext(l->ir, I64, I32, half(l, I32, f->t, b));
    mips_set_fpr(l, I64, f->d, pair(l, upper, lower));
}

ORYX_INSN(PS_CVT_PS_S, "01000110000tttttsssssddddd100110", "cvt.ps.s\t%fr(d),%fr(s),%fr(t)", PS)
{
    join(l, f, 0, 0);
}

ORYX_INSN(PS_PLL, "01000110110tttttsssssddddd101100", "pll.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    join(l, f, 0, 0);
}

ORYX_INSN(PS_PLU, "01000110110tttttsssssddddd101101", "plu.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    join(l, f, 0, 1);
}

ORYX_INSN(PS_PUL, "01000110110tttttsssssddddd101110", "pul.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    join(l, f, 1, 0);
}

ORYX_INSN(PS_PUU, "01000110110tttttsssssddddd101111", "puu.ps\t%fr(d),%fr(s),%fr(t)", PS)
{
    join(l, f, 1, 1);
}

ORYX_INSN(PS_CVT_S_PU, "0100011011000000sssssddddd100000", "cvt.s.pu\t%fr(d),%fr(s)", PS)
{
    if (wide(l))
        mips_set_fpr(l, I32, f->d, half(l, I32, f->s, 1));
}

ORYX_INSN(PS_CVT_S_PL, "0100011011000000sssssddddd101000", "cvt.s.pl\t%fr(d),%fr(s)", PS)
{
    if (wide(l))
        mips_set_fpr(l, I32, f->d, half(l, I32, f->s, 0));
}

/* The pair that begins in the middle of fs and goes on in ft, in memory order. rs selects: 0 fs itself, 4 the middle. */
ORYX_INSN(PS_ALNV, "010011aaaaatttttsssssddddd011110", "alnv.ps\t%fr(d),%fr(s),%fr(t),%r(a)", PS)
{
    if (!wide(l))
        return;
    oryx_val c = oryx_cmp(l->ir, ORYX_CC_TST, l->w, mips_r(l, f->a), mips_imm(l, 4));
    oryx_val first = mips_fpr(l, I64, l->be ? f->s : f->t), second = mips_fpr(l, I64, l->be ? f->t : f->s);
    oryx_val middle = oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, I64, I64, first, second, 0, 32);
    mips_set_fpr(l, I64, f->d, oryx_select(l->ir, I64, c, middle, mips_fpr(l, I64, f->s)));
}

ORYX_INSN(PS_C, "01000110110tttttssssskkk0011cccc", "[(k & 1) == 0]c.%pick(c, \"f un eq ueq olt ult ole ule sf ngle seq ngl lt nge le ngt\").ps\t%?(k){$fcc%u(k),}%fr(s),%fr(t)", PS)
{
    if (!wide(l))
        return;
    mips_fp_begin(l);
    oryx_val lower = mips_fp_compare_at(l, F32, MIPS_OFF_F(f->s), MIPS_OFF_F(f->t), f->c);
    oryx_val upper = mips_fp_compare_at(l, F32, MIPS_OFF_F(f->s) + 4, MIPS_OFF_F(f->t) + 4, f->c);
    oryx_local_put(l->ir, I32, 2, mips_bin32(l, ORYX_OP_OR, lower, mips_bin32(l, ORYX_OP_SHL, upper, mips_imm32(l, 1))));
    mips_fp_end(l);
    oryx_val old = oryx_get(l->ir, I32, MIPS_OFF(fcc));
    oryx_put(l->ir, I32, MIPS_OFF(fcc), oryx_bfi(l->ir, I32, old, oryx_local_get(l->ir, I32, 2), f->k, 2));
}
