/* Multiply and divide with HI and LO: MD00087 table 3.2; removed by Release 6 (r6_alu.c has what came instead).
 *
 * Division by zero leaves HI and LO UNPREDICTABLE: here LO is 0 and HI the dividend. Row field k: 0 signed, 1 unsigned,
 * as in the encoding. */
#include "mips.h"

static oryx_val wide(mips_lift *l, unsigned n, unsigned is_unsigned)
{
    return oryx_ir_emit(l->ir, is_unsigned ? ORYX_OP_ZEXT : ORYX_OP_SEXT, I64, I32, mips_r32(l, n), 0, 0, 0);
}

static void set_hilo32(mips_lift *l, oryx_val hi, oryx_val lo)
{
    mips_put(l, MIPS_OFF(hi), oryx_sext(l->ir, l->w, I32, hi));
    mips_put(l, MIPS_OFF(lo), oryx_sext(l->ir, l->w, I32, lo));
}

static void set_product(mips_lift *l, oryx_val v)
{
    oryx_val hi = oryx_bin(l->ir, ORYX_OP_SHR, I64, v, oryx_const(l->ir, I64, 32));
    set_hilo32(l, oryx_trunc(l->ir, I32, I64, hi), oryx_trunc(l->ir, I32, I64, v));
}

static oryx_val product(mips_lift *l, const mips_fields *f)
{
    return oryx_bin(l->ir, ORYX_OP_MUL, I64, wide(l, f->s, f->k), wide(l, f->t, f->k));
}

/* HI:LO as 64 bits. */
static oryx_val hilo(mips_lift *l)
{
    oryx_val hi = oryx_get(l->ir, I32, MIPS_OFF(hi)), lo = oryx_get(l->ir, I32, MIPS_OFF(lo));
    return oryx_bfi(l->ir, I64, oryx_zext(l->ir, I64, I32, lo), oryx_zext(l->ir, I64, I32, hi), 32, 32);
}

ORYX_INSN(MULT, "000000sssssttttt000000000001100k", "mult%?(k){u}\t%r(s),%r(t)", BASE_5)
{
    set_product(l, product(l, f));
}

ORYX_INSN(DIV, "000000sssssttttt000000000001101k", "div%?(k){u}\tzero,%r(s),%r(t)", BASE_5)
{
    oryx_val a = mips_r32(l, f->s), b = mips_r32(l, f->t);
    oryx_val hi = mips_bin32(l, f->k ? ORYX_OP_REMU : ORYX_OP_REMS, a, b);
    set_hilo32(l, hi, mips_bin32(l, f->k ? ORYX_OP_DIVU : ORYX_OP_DIVS, a, b));
}

ORYX_INSN(DMULT, "000000sssssttttt000000000001110k", "dmult%?(k){u}\t%r(s),%r(t)", M3_5)
{
    oryx_val a = mips_r(l, f->s), b = mips_r(l, f->t);
    oryx_val hi = mips_bin(l, f->k ? ORYX_OP_MULHU : ORYX_OP_MULHS, a, b);
    mips_put(l, MIPS_OFF(lo), mips_bin(l, ORYX_OP_MUL, a, b));
    mips_put(l, MIPS_OFF(hi), hi);
}

ORYX_INSN(DDIV, "000000sssssttttt000000000001111k", "ddiv%?(k){u}\tzero,%r(s),%r(t)", M3_5)
{
    oryx_val a = mips_r(l, f->s), b = mips_r(l, f->t);
    oryx_val hi = mips_bin(l, f->k ? ORYX_OP_REMU : ORYX_OP_REMS, a, b);
    mips_put(l, MIPS_OFF(lo), mips_bin(l, f->k ? ORYX_OP_DIVU : ORYX_OP_DIVS, a, b));
    mips_put(l, MIPS_OFF(hi), hi);
}

ORYX_INSN(MADD, "011100sssssttttt000000000000000k", "madd%?(k){u}\t%r(s),%r(t)", R1_5)
{
    set_product(l, oryx_bin(l->ir, ORYX_OP_ADD, I64, hilo(l), product(l, f)));
}

ORYX_INSN(MSUB, "011100sssssttttt000000000000010k", "msub%?(k){u}\t%r(s),%r(t)", R1_5)
{
    set_product(l, oryx_bin(l->ir, ORYX_OP_SUB, I64, hilo(l), product(l, f)));
}

ORYX_INSN(MUL, "011100ssssstttttddddd00000000010", "mul\t%r(d),%r(s),%r(t)", R1_5)
{
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_MUL, mips_r32(l, f->s), mips_r32(l, f->t)));
}

ORYX_INSN(MFHI, "0000000000000000ddddd00000010000", "mfhi\t%r(d)", BASE_5)
{
    mips_set(l, f->d, oryx_get(l->ir, l->w, MIPS_OFF(hi)));
}

ORYX_INSN(MTHI, "000000sssss000000000000000010001", "mthi\t%r(s)", BASE_5)
{
    mips_put(l, MIPS_OFF(hi), mips_r(l, f->s));
}

ORYX_INSN(MFLO, "0000000000000000ddddd00000010010", "mflo\t%r(d)", BASE_5)
{
    mips_set(l, f->d, oryx_get(l->ir, l->w, MIPS_OFF(lo)));
}

ORYX_INSN(MTLO, "000000sssss000000000000000010011", "mtlo\t%r(s)", BASE_5)
{
    mips_put(l, MIPS_OFF(lo), mips_r(l, f->s));
}
