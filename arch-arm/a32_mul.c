/* A32 multiplies and divides: DDI 0406C A5.2.5, A5.2.7, A5.4.4; the functions are T32's too.
 *
 * Fields: d = Rd (or RdHi), a = Ra (or RdLo), n, m the factors. A register 15 is UNPREDICTABLE and reads as pc, writes
 * are redirected by a32_set_reg. RdHi == RdLo is UNPREDICTABLE: the high half is kept. */
#include "a32_text.h"

static void set(a32_lift *l, const a32_fields *f, oryx_val v)
{
    a32_set_reg(l, f->d, v);
    if (f->s)
        a32_set_nz(l, v);
}

static oryx_val product(a32_lift *l, const a32_fields *f)
{
    return a32_bin(l, ORYX_OP_MUL, a32_reg(l, f->n), a32_reg(l, f->m));
}

void a32_do_multiply(a32_lift *l, const a32_fields *f)
{
    set(l, f, product(l, f));
}

ORYX_INSN(MUL, "cccc0000000sdddd0000mmmm1001nnnn", "mul%?(s){s}%c()\t%r(d), %r(n), %r(m)", BASE)
{
    a32_do_multiply(l, f);
}

void a32_do_mla(a32_lift *l, const a32_fields *f)
{
    set(l, f, a32_bin(l, ORYX_OP_ADD, product(l, f), a32_reg(l, f->a)));
}

ORYX_INSN(MLA, "cccc0000001sddddaaaammmm1001nnnn", "mla%?(s){s}%c()\t%r(d), %r(n), %r(m), %r(a)", BASE)
{
    a32_do_mla(l, f);
}

void a32_do_mls(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->d, a32_bin(l, ORYX_OP_SUB, a32_reg(l, f->a), product(l, f)));
}

ORYX_INSN(MLS, "cccc00000110ddddaaaammmm1001nnnn", "mls%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_do_mls(l, f);
}

static oryx_val wide(a32_lift *l, unsigned op, unsigned n)
{
    return oryx_ir_emit(l->ir, op, I64, I32, a32_reg(l, n), 0, 0, 0);
}

static oryx_val pair(a32_lift *l, const a32_fields *f)
{
    return oryx_bfi(l->ir, I64, wide(l, ORYX_OP_ZEXT, f->a), wide(l, ORYX_OP_ZEXT, f->d), 32, 32);
}

static void set_pair(a32_lift *l, const a32_fields *f, oryx_val v)
{
    a32_set_reg(l, f->a, oryx_trunc(l->ir, I32, I64, v));
    a32_set_reg(l, f->d, oryx_trunc(l->ir, I32, I64, oryx_bin(l->ir, ORYX_OP_SHR, I64, v, oryx_const(l->ir, I64, 32))));
}

/* u: signed, o: accumulate. */
void a32_do_multiply_long(a32_lift *l, const a32_fields *f)
{
    unsigned op = f->u ? ORYX_OP_SEXT : ORYX_OP_ZEXT;
    oryx_val v = oryx_bin(l->ir, ORYX_OP_MUL, I64, wide(l, op, f->n), wide(l, op, f->m));
    if (f->o)
        v = oryx_bin(l->ir, ORYX_OP_ADD, I64, v, pair(l, f));
    set_pair(l, f, v);
    if (f->s)
        a32_set_nz64(l, v);
}

ORYX_INSN(MULL, "cccc00001uosddddaaaammmm1001nnnn",
          "%?(u){s}{u}m%?(o){la}{ul}l%?(s){s}%c()\t%r(a), %r(d), %r(n), %r(m)", BASE)
{
    a32_do_multiply_long(l, f);
}

void a32_do_umaal(a32_lift *l, const a32_fields *f)
{
    oryx_val v = oryx_bin(l->ir, ORYX_OP_MUL, I64, wide(l, ORYX_OP_ZEXT, f->n), wide(l, ORYX_OP_ZEXT, f->m));
    v = oryx_bin(l->ir, ORYX_OP_ADD, I64, v, wide(l, ORYX_OP_ZEXT, f->a));
    set_pair(l, f, oryx_bin(l->ir, ORYX_OP_ADD, I64, v, wide(l, ORYX_OP_ZEXT, f->d)));
}

ORYX_INSN(UMAAL, "cccc00000100ddddaaaammmm1001nnnn", "umaal%c()\t%r(a), %r(d), %r(n), %r(m)", V6)
{
    a32_do_umaal(l, f);
}

/* --- Halfword multiplies: x, y choose the top half of n, m ------------------------------------------------- */

static oryx_val half(a32_lift *l, unsigned n, unsigned top)
{
    return oryx_bfx(l->ir, ORYX_OP_SBFX, I32, a32_reg(l, n), top ? 16 : 0, 16);
}

/* v + Ra, Q when the signed addition overflows. */
static void accumulate(a32_lift *l, const a32_fields *f, oryx_val v)
{
    oryx_val a = a32_reg(l, f->a), sum = a32_bin(l, ORYX_OP_ADD, v, a);
    oryx_val sat = oryx_vbin(l->ir, ORYX_OP_QADD, I32, I32, v, a, 1);
    a32_set_reg(l, f->d, sum);
    a32_set_q(l, oryx_cmp(l->ir, ORYX_CC_NE, I32, sat, sum));
}

/* o: accumulate. */
void a32_do_sm_half(a32_lift *l, const a32_fields *f)
{
    oryx_val v = a32_bin(l, ORYX_OP_MUL, half(l, f->n, f->x), half(l, f->m, f->y));
    if (f->o)
        accumulate(l, f, v);
    else
        a32_set_reg(l, f->d, v);
}

ORYX_INSN(SMLAxy, "cccc00010000ddddaaaammmm1yx0nnnn",
          "smla%?(x){t}{b}%?(y){t}{b}%c()\t%r(d), %r(n), %r(m), %r(a)", V5E)
{
    a32_fields g = *f;
    g.o = 1;
    a32_do_sm_half(l, &g);
}

ORYX_INSN(SMULxy, "cccc00010110dddd0000mmmm1yx0nnnn", "smul%?(x){t}{b}%?(y){t}{b}%c()\t%r(d), %r(n), %r(m)", V5E)
{
    a32_do_sm_half(l, f);
}

/* Bits 47..16 of n * half m. o: accumulate. */
void a32_do_smlaw(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val v = oryx_bin(ir, ORYX_OP_MUL, I64, wide(l, ORYX_OP_SEXT, f->n), oryx_sext(ir, I64, I32, half(l, f->m, f->y)));
    v = oryx_trunc(ir, I32, I64, oryx_bin(ir, ORYX_OP_SHR, I64, v, oryx_const(ir, I64, 16)));
    if (f->o)
        accumulate(l, f, v);
    else
        a32_set_reg(l, f->d, v);
}

ORYX_INSN(SMLAWy, "cccc00010010ddddaaaammmm1y00nnnn", "smlaw%?(y){t}{b}%c()\t%r(d), %r(n), %r(m), %r(a)", V5E)
{
    a32_fields g = *f;
    g.o = 1;
    a32_do_smlaw(l, &g);
}

ORYX_INSN(SMULWy, "cccc00010010dddd0000mmmm1y10nnnn", "smulw%?(y){t}{b}%c()\t%r(d), %r(n), %r(m)", V5E)
{
    a32_do_smlaw(l, f);
}

void a32_do_smlal_half(a32_lift *l, const a32_fields *f)
{
    oryx_val v = a32_bin(l, ORYX_OP_MUL, half(l, f->n, f->x), half(l, f->m, f->y));
    set_pair(l, f, oryx_bin(l->ir, ORYX_OP_ADD, I64, oryx_sext(l->ir, I64, I32, v), pair(l, f)));
}

ORYX_INSN(SMLALxy, "cccc00010100ddddaaaammmm1yx0nnnn",
          "smlal%?(x){t}{b}%?(y){t}{b}%c()\t%r(a), %r(d), %r(n), %r(m)", V5E)
{
    a32_do_smlal_half(l, f);
}

/* --- Dual multiplies: x exchanges m's halves, o subtracts ----------------------------------------------------- */

/* The two products, sign-extended to 64 bits; the second is added or subtracted there. */
static oryx_val dual(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val p = a32_bin(l, ORYX_OP_MUL, half(l, f->n, 0), half(l, f->m, f->x));
    oryx_val q = a32_bin(l, ORYX_OP_MUL, half(l, f->n, 1), half(l, f->m, !f->x));
    return oryx_bin(ir, f->o ? ORYX_OP_SUB : ORYX_OP_ADD, I64, oryx_sext(ir, I64, I32, p), oryx_sext(ir, I64, I32, q));
}

/* a == 15: without addend. Q when the exact sum does not fit. */
void a32_do_smlad(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val v = dual(l, f);
    if (f->a != 15)
        v = oryx_bin(ir, ORYX_OP_ADD, I64, v, wide(l, ORYX_OP_SEXT, f->a));
    oryx_val low = oryx_trunc(ir, I32, I64, v);
    a32_set_reg(l, f->d, low);
    a32_set_q(l, oryx_cmp(ir, ORYX_CC_NE, I64, v, oryx_sext(ir, I64, I32, low)));
}

ORYX_INSN(SMLAD, "cccc01110000ddddaaaammmm0ox1nnnn",
          "{a == 15} smu%?(o){s}{a}d%?(x){x}%c()\t%r(d), %r(n), %r(m) ;; "
          "sml%?(o){s}{a}d%?(x){x}%c()\t%r(d), %r(n), %r(m), %r(a)", V6)
{
    a32_do_smlad(l, f);
}

void a32_do_smlald(a32_lift *l, const a32_fields *f)
{
    set_pair(l, f, oryx_bin(l->ir, ORYX_OP_ADD, I64, dual(l, f), pair(l, f)));
}

ORYX_INSN(SMLALD, "cccc01110100ddddaaaammmm0ox1nnnn",
          "sml%?(o){s}{a}ld%?(x){x}%c()\t%r(a), %r(d), %r(n), %r(m)", V6)
{
    a32_do_smlald(l, f);
}

/* Most significant word, r: rounded, o: subtract from Ra. */
void a32_do_smmla(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val v = oryx_bin(ir, ORYX_OP_MUL, I64, wide(l, ORYX_OP_SEXT, f->n), wide(l, ORYX_OP_SEXT, f->m));
    if (f->a != 15 || f->o) {
        oryx_val a = oryx_bin(ir, ORYX_OP_SHL, I64, wide(l, ORYX_OP_ZEXT, f->a), oryx_const(ir, I64, 32));
        v = oryx_bin(ir, f->o ? ORYX_OP_SUB : ORYX_OP_ADD, I64, a, v);
    }
    if (f->r)
        v = oryx_bin(ir, ORYX_OP_ADD, I64, v, oryx_const(ir, I64, 0x80000000));
    a32_set_reg(l, f->d, oryx_trunc(ir, I32, I64, oryx_bin(ir, ORYX_OP_SHR, I64, v, oryx_const(ir, I64, 32))));
}

ORYX_INSN(SMMLA, "cccc01110101ddddaaaammmm00r1nnnn",
          "{a == 15} smmul%?(r){r}%c()\t%r(d), %r(n), %r(m) ;; smmla%?(r){r}%c()\t%r(d), %r(n), %r(m), %r(a)", V6)
{
    a32_do_smmla(l, f);
}

ORYX_INSN(SMMLS, "cccc01110101ddddaaaammmm11r1nnnn", "smmls%?(r){r}%c()\t%r(d), %r(n), %r(m), %r(a)", V6)
{
    a32_fields g = *f;
    g.o = 1;
    a32_do_smmla(l, &g);
}

/* u: unsigned. Division by zero gives 0. */
void a32_do_divide(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->d, a32_bin(l, f->u ? ORYX_OP_DIVU : ORYX_OP_DIVS, a32_reg(l, f->n), a32_reg(l, f->m)));
}

ORYX_INSN(DIV, "cccc011100u1dddd1111mmmm0001nnnn", "%?(u){u}{s}div%c()\t%r(d), %r(n), %r(m)", IDIV)
{
    a32_do_divide(l, f);
}
