/* Release 6: integer instructions that came new or with new encodings: MD00087 (revision 6) tables 3.2, 3.4-3.6, 3.8. */
#include "mips.h"

/* k: unsigned; high: the upper half. */
static void multiply32(mips_lift *l, const mips_fields *f, unsigned high)
{
    unsigned op = f->k ? ORYX_OP_MULHU : ORYX_OP_MULHS;
    mips_set32(l, f->d, mips_bin32(l, high ? op : ORYX_OP_MUL, mips_r32(l, f->s), mips_r32(l, f->t)));
}

static void multiply64(mips_lift *l, const mips_fields *f, unsigned high)
{
    unsigned op = f->k ? ORYX_OP_MULHU : ORYX_OP_MULHS;
    mips_set(l, f->d, mips_bin(l, high ? op : ORYX_OP_MUL, mips_r(l, f->s), mips_r(l, f->t)));
}

static void divide32(mips_lift *l, const mips_fields *f, unsigned op)
{
    mips_set32(l, f->d, mips_bin32(l, op, mips_r32(l, f->s), mips_r32(l, f->t)));
}

static void divide64(mips_lift *l, const mips_fields *f, unsigned op)
{
    mips_set(l, f->d, mips_bin(l, op, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(R6_MUL, "000000ssssstttttddddd0001001100k", "mul%?(k){u}\t%r(d),%r(s),%r(t)", R6)
{
    multiply32(l, f, 0);
}

ORYX_INSN(R6_MUH, "000000ssssstttttddddd0001101100k", "muh%?(k){u}\t%r(d),%r(s),%r(t)", R6)
{
    multiply32(l, f, 1);
}

ORYX_INSN(R6_DIV, "000000ssssstttttddddd0001001101k", "div%?(k){u}\t%r(d),%r(s),%r(t)", R6)
{
    divide32(l, f, f->k ? ORYX_OP_DIVU : ORYX_OP_DIVS);
}

ORYX_INSN(R6_MOD, "000000ssssstttttddddd0001101101k", "mod%?(k){u}\t%r(d),%r(s),%r(t)", R6)
{
    divide32(l, f, f->k ? ORYX_OP_REMU : ORYX_OP_REMS);
}

ORYX_INSN(R6_DMUL, "000000ssssstttttddddd0001001110k", "dmul%?(k){u}\t%r(d),%r(s),%r(t)", R6_64)
{
    multiply64(l, f, 0);
}

ORYX_INSN(R6_DMUH, "000000ssssstttttddddd0001101110k", "dmuh%?(k){u}\t%r(d),%r(s),%r(t)", R6_64)
{
    multiply64(l, f, 1);
}

ORYX_INSN(R6_DDIV, "000000ssssstttttddddd0001001111k", "ddiv%?(k){u}\t%r(d),%r(s),%r(t)", R6_64)
{
    divide64(l, f, f->k ? ORYX_OP_DIVU : ORYX_OP_DIVS);
}

ORYX_INSN(R6_DMOD, "000000ssssstttttddddd0001101111k", "dmod%?(k){u}\t%r(d),%r(s),%r(t)", R6_64)
{
    divide64(l, f, f->k ? ORYX_OP_REMU : ORYX_OP_REMS);
}

static void select_zero(mips_lift *l, const mips_fields *f, unsigned cc)
{
    oryx_val c = oryx_cmp(l->ir, cc, l->w, mips_r(l, f->t), mips_imm(l, 0));
    mips_set(l, f->d, oryx_select(l->ir, l->w, c, mips_r(l, f->s), mips_imm(l, 0)));
}

ORYX_INSN(SELEQZ, "000000ssssstttttddddd00000110101", "seleqz\t%r(d),%r(s),%r(t)", R6)
{
    select_zero(l, f, ORYX_CC_EQ);
}

ORYX_INSN(SELNEZ, "000000ssssstttttddddd00000110111", "selnez\t%r(d),%r(s),%r(t)", R6)
{
    select_zero(l, f, ORYX_CC_NE);
}

/* o: count ones. */
ORYX_INSN(R6_CLZ, "000000sssss00000ddddd0000101000o", "cl%?(o){o}{z}\t%r(d),%r(s)", R6)
{
    oryx_val v = mips_r32(l, f->s);
    mips_set32(l, f->d, oryx_un(l->ir, ORYX_OP_CLZ, I32, f->o ? oryx_un(l->ir, ORYX_OP_NOT, I32, v) : v));
}

ORYX_INSN(R6_DCLZ, "000000sssss00000ddddd0000101001o", "dcl%?(o){o}{z}\t%r(d),%r(s)", R6_64)
{
    oryx_val v = mips_r(l, f->s);
    mips_set(l, f->d, oryx_un(l->ir, ORYX_OP_CLZ, I64, f->o ? oryx_un(l->ir, ORYX_OP_NOT, I64, v) : v));
}

ORYX_INSN(LSA, "000000ssssstttttddddd000aa000101", "lsa\t%r(d),%r(s),%r(t),%x(a + 1)", R6)
{
    oryx_val v = mips_bin32(l, ORYX_OP_SHL, mips_r32(l, f->s), mips_imm32(l, f->a + 1));
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_ADD, v, mips_r32(l, f->t)));
}

ORYX_INSN(DLSA, "000000ssssstttttddddd000aa010101", "dlsa\t%r(d),%r(s),%r(t),%x(a + 1)", R6_64)
{
    oryx_val v = mips_bin(l, ORYX_OP_SHL, mips_r(l, f->s), mips_imm(l, f->a + 1));
    mips_set(l, f->d, mips_bin(l, ORYX_OP_ADD, v, mips_r(l, f->t)));
}

ORYX_INSN(ALIGN, "011111ssssstttttddddd010bb100000", "align\t%r(d),%r(s),%r(t),%u(b)", R6)
{
    oryx_val v = mips_r32(l, f->t);
    if (f->b)
        v = oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, I32, I32, v, mips_r32(l, f->s), 0, 32 - 8 * f->b);
    mips_set32(l, f->d, v);
}

ORYX_INSN(DALIGN, "011111ssssstttttddddd01bbb100100", "dalign\t%r(d),%r(s),%r(t),%u(b)", R6_64)
{
    oryx_val v = mips_r(l, f->t);
    if (f->b)
        v = oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, I64, I64, v, mips_r(l, f->s), 0, 64 - 8 * f->b);
    mips_set(l, f->d, v);
}

/* The bits of each byte reversed: all bits reversed, then the bytes. */
ORYX_INSN(BITSWAP, "01111100000tttttddddd00000100000", "bitswap\t%r(d),%r(t)", R6)
{
    oryx_val v = oryx_un(l->ir, ORYX_OP_BITREV, I32, mips_r32(l, f->t));
    mips_set32(l, f->d, oryx_un(l->ir, ORYX_OP_BSWAP, I32, v));
}

ORYX_INSN(DBITSWAP, "01111100000tttttddddd00000100100", "dbitswap\t%r(d),%r(t)", R6_64)
{
    oryx_val v = oryx_un(l->ir, ORYX_OP_BITREV, I64, mips_r(l, f->t));
    mips_set(l, f->d, oryx_un(l->ir, ORYX_OP_BSWAP, I64, v));
}

/* --- Upper immediates -------------------------------------------------------------------------------------------- */

static void add_const64(mips_lift *l, unsigned to, unsigned from, uint64_t v)
{
    mips_set(l, to, mips_bin(l, ORYX_OP_ADD, mips_r(l, from), mips_imm(l, (int64_t)v)));
}

/* LUI when rs is 0. */
ORYX_INSN(AUI, "001111ssssstttttiiiiiiiiiiiiiiii", "{s == 0}lui\t%r(t),%x(i);;aui\t%r(t),%r(s),%x(i)", R6)
{
    mips_set32(l, f->t, mips_bin32(l, ORYX_OP_ADD, mips_r32(l, f->s), mips_imm32(l, f->i << 16)));
}

ORYX_INSN(DAUI, "011101ssssstttttiiiiiiiiiiiiiiii", "[s != 0]daui\t%r(t),%r(s),%x(i)", R6_64)
{
    add_const64(l, f->t, f->s, (uint64_t)((int64_t)mips_sx(f->i, 16) * 65536));
}

ORYX_INSN(DAHI, "000001sssss00110iiiiiiiiiiiiiiii", "dahi\t%r(s),%r(s),%x(i)", R6_64)
{
    add_const64(l, f->s, f->s, (uint64_t)f->i << 32 | (f->i & 0x8000 ? 0xffffull << 48 : 0));
}

ORYX_INSN(DATI, "000001sssss11110iiiiiiiiiiiiiiii", "dati\t%r(s),%r(s),%x(i)", R6_64)
{
    add_const64(l, f->s, f->s, (uint64_t)f->i << 48);
}

/* --- Relative to pc -------------------------------------------------------------------------------------------------- */

static int64_t pc_relative(const mips_lift *l, uint64_t base, int64_t offset)
{
    uint64_t v = base + (uint64_t)offset;
    return l->w == I32 ? (int64_t)(int32_t)v : (int64_t)v;
}

ORYX_INSN(ADDIUPC, "111011sssss00iiiiiiiiiiiiiiiiiii", "lapc\t%r(s),%pcrel(mips_sx(i, 19) * 4)", R6)
{
    mips_set(l, f->s, mips_imm(l, pc_relative(l, l->pc, (int64_t)mips_sx(f->i, 19) * 4)));
}

static void load_relative(mips_lift *l, const mips_fields *f, uint64_t base, int64_t offset, uint32_t memop)
{
    uint64_t a = base + (uint64_t)offset;
    oryx_val at = oryx_const(l->ir, I64, l->w == I32 ? (uint32_t)a : a);
    mips_set(l, f->s, oryx_load(l->ir, l->w, at, memop | l->be));
}

ORYX_INSN(LWPC, "111011sssss01iiiiiiiiiiiiiiiiiii", "lwpc\t%r(s),%pcrel(mips_sx(i, 19) * 4)", R6)
{
    load_relative(l, f, l->pc, (int64_t)mips_sx(f->i, 19) * 4, ORYX_MO_32 | (l->w == I64 ? ORYX_MO_SIGN : 0));
}

ORYX_INSN(LWUPC, "111011sssss10iiiiiiiiiiiiiiiiiii", "lwupc\t%r(s),%pcrel(mips_sx(i, 19) * 4)", R6_64)
{
    load_relative(l, f, l->pc, (int64_t)mips_sx(f->i, 19) * 4, ORYX_MO_32);
}

ORYX_INSN(LDPC, "111011sssss110iiiiiiiiiiiiiiiiii", "ldpc\t%r(s),%pcrel8(mips_sx(i, 18) * 8)", R6_64)
{
    load_relative(l, f, l->pc & ~7ull, (int64_t)mips_sx(f->i, 18) * 8, ORYX_MO_64);
}

ORYX_INSN(AUIPC, "111011sssss11110iiiiiiiiiiiiiiii", "auipc\t%r(s),%x(i)", R6)
{
    mips_set(l, f->s, mips_imm(l, pc_relative(l, l->pc, (int64_t)mips_sx(f->i, 16) * 65536)));
}

ORYX_INSN(ALUIPC, "111011sssss11111iiiiiiiiiiiiiiii", "aluipc\t%r(s),%x(i)", R6)
{
    mips_set(l, f->s, mips_imm(l, pc_relative(l, l->pc, (int64_t)mips_sx(f->i, 16) * 65536) & ~(int64_t)0xffff));
}

ORYX_INSN(SIGRIE, "0000010000010111iiiiiiiiiiiiiiii", "sigrie\t%x(i)", R6)
{
    (void)f;
    mips_reserved(l);
}
