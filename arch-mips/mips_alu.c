/* Integer arithmetic, logic, shifts, bit fields: MD00087 tables 3.1-3.6.
 *
 * 32-bit operations of a 64-bit CPU work on the low halves and sign-extend the result; an operand that is not a
 * sign-extended word is UNPREDICTABLE there, and its low half is what counts here. */
#include "mips.h"

static void add_immediate(mips_lift *l, const mips_fields *f)
{
    mips_set32(l, f->t, mips_bin32(l, ORYX_OP_ADD, mips_r32(l, f->s), mips_imm32(l, (uint32_t)mips_sx(f->i, 16))));
}

/* Integer Overflow when a + b (a - b) does not fit the type. */
static void overflow(mips_lift *l, unsigned kind, unsigned type, oryx_val a, oryx_val b)
{
    oryx_val fl = oryx_flmake(l->ir, kind, type, a, b, 0);
    mips_raise_if(l, oryx_flcond(l->ir, ORYX_FC_O, fl), ORYX_EXC_ARITHMETIC, 0);
}

ORYX_INSN(ADD, "000000ssssstttttddddd00000100000", "add\t%r(d),%r(s),%r(t)", BASE)
{
    overflow(l, ORYX_FL_ADD, I32, mips_r32(l, f->s), mips_r32(l, f->t));
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_ADD, mips_r32(l, f->s), mips_r32(l, f->t)));
}

ORYX_INSN(ADDI, "001000ssssstttttiiiiiiiiiiiiiiii", "addi\t%r(t),%r(s),%s16(i)", BASE_5)
{
    overflow(l, ORYX_FL_ADD, I32, mips_r32(l, f->s), mips_imm32(l, (uint32_t)mips_sx(f->i, 16)));
    add_immediate(l, f);
}

ORYX_INSN(ADDIU, "001001ssssstttttiiiiiiiiiiiiiiii", "{s == 0}li\t%r(t),%s16(i);;addiu\t%r(t),%r(s),%s16(i)", BASE)
{
    add_immediate(l, f);
}

ORYX_INSN(ADDU, "000000ssssstttttddddd00000100001", "{t == 0}move\t%r(d),%r(s);;addu\t%r(d),%r(s),%r(t)", BASE)
{
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_ADD, mips_r32(l, f->s), mips_r32(l, f->t)));
}

ORYX_INSN(SUB, "000000ssssstttttddddd00000100010", "{s == 0}neg\t%r(d),%r(t);;sub\t%r(d),%r(s),%r(t)", BASE)
{
    overflow(l, ORYX_FL_SUB, I32, mips_r32(l, f->s), mips_r32(l, f->t));
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_SUB, mips_r32(l, f->s), mips_r32(l, f->t)));
}

ORYX_INSN(SUBU, "000000ssssstttttddddd00000100011", "{s == 0}negu\t%r(d),%r(t);;subu\t%r(d),%r(s),%r(t)", BASE)
{
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_SUB, mips_r32(l, f->s), mips_r32(l, f->t)));
}

ORYX_INSN(DADD, "000000ssssstttttddddd00000101100", "dadd\t%r(d),%r(s),%r(t)", M3)
{
    overflow(l, ORYX_FL_ADD, I64, mips_r(l, f->s), mips_r(l, f->t));
    mips_set(l, f->d, mips_bin(l, ORYX_OP_ADD, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(DADDI, "011000ssssstttttiiiiiiiiiiiiiiii", "daddi\t%r(t),%r(s),%s16(i)", M3_5)
{
    overflow(l, ORYX_FL_ADD, I64, mips_r(l, f->s), mips_imm(l, mips_sx(f->i, 16)));
    mips_set(l, f->t, mips_bin(l, ORYX_OP_ADD, mips_r(l, f->s), mips_imm(l, mips_sx(f->i, 16))));
}

ORYX_INSN(DADDIU, "011001ssssstttttiiiiiiiiiiiiiiii", "daddiu\t%r(t),%r(s),%s16(i)", M3)
{
    mips_set(l, f->t, mips_bin(l, ORYX_OP_ADD, mips_r(l, f->s), mips_imm(l, mips_sx(f->i, 16))));
}

ORYX_INSN(DADDU, "000000ssssstttttddddd00000101101", "{t == 0}move\t%r(d),%r(s);;daddu\t%r(d),%r(s),%r(t)", M3)
{
    mips_set(l, f->d, mips_bin(l, ORYX_OP_ADD, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(DSUB, "000000ssssstttttddddd00000101110", "{s == 0}dneg\t%r(d),%r(t);;dsub\t%r(d),%r(s),%r(t)", M3)
{
    overflow(l, ORYX_FL_SUB, I64, mips_r(l, f->s), mips_r(l, f->t));
    mips_set(l, f->d, mips_bin(l, ORYX_OP_SUB, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(DSUBU, "000000ssssstttttddddd00000101111", "{s == 0}dnegu\t%r(d),%r(t);;dsubu\t%r(d),%r(s),%r(t)", M3)
{
    mips_set(l, f->d, mips_bin(l, ORYX_OP_SUB, mips_r(l, f->s), mips_r(l, f->t)));
}

static void less(mips_lift *l, unsigned d, unsigned cc, unsigned s, oryx_val b)
{
    mips_set(l, d, mips_flag(l, oryx_cmp(l->ir, cc, l->w, mips_r(l, s), b)));
}

ORYX_INSN(SLT, "000000ssssstttttddddd00000101010", "slt\t%r(d),%r(s),%r(t)", BASE)
{
    less(l, f->d, ORYX_CC_LTS, f->s, mips_r(l, f->t));
}

ORYX_INSN(SLTU, "000000ssssstttttddddd00000101011", "sltu\t%r(d),%r(s),%r(t)", BASE)
{
    less(l, f->d, ORYX_CC_LTU, f->s, mips_r(l, f->t));
}

ORYX_INSN(SLTI, "001010ssssstttttiiiiiiiiiiiiiiii", "slti\t%r(t),%r(s),%s16(i)", BASE)
{
    less(l, f->t, ORYX_CC_LTS, f->s, mips_imm(l, mips_sx(f->i, 16)));
}

ORYX_INSN(SLTIU, "001011ssssstttttiiiiiiiiiiiiiiii", "sltiu\t%r(t),%r(s),%s16(i)", BASE)
{
    less(l, f->t, ORYX_CC_LTU, f->s, mips_imm(l, mips_sx(f->i, 16)));
}

/* --- Logic ----------------------------------------------------------------------------------------------------- */

ORYX_INSN(AND, "000000ssssstttttddddd00000100100", "and\t%r(d),%r(s),%r(t)", BASE)
{
    mips_set(l, f->d, mips_bin(l, ORYX_OP_AND, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(OR, "000000ssssstttttddddd00000100101", "{t == 0}move\t%r(d),%r(s);;or\t%r(d),%r(s),%r(t)", BASE)
{
    mips_set(l, f->d, f->t ? mips_bin(l, ORYX_OP_OR, mips_r(l, f->s), mips_r(l, f->t)) : mips_r(l, f->s));
}

ORYX_INSN(XOR, "000000ssssstttttddddd00000100110", "xor\t%r(d),%r(s),%r(t)", BASE)
{
    mips_set(l, f->d, mips_bin(l, ORYX_OP_XOR, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(NOR, "000000ssssstttttddddd00000100111", "nor\t%r(d),%r(s),%r(t)", BASE)
{
    mips_set(l, f->d, oryx_un(l->ir, ORYX_OP_NOT, l->w, mips_bin(l, ORYX_OP_OR, mips_r(l, f->s), mips_r(l, f->t))));
}

ORYX_INSN(ANDI, "001100ssssstttttiiiiiiiiiiiiiiii", "andi\t%r(t),%r(s),%x(i)", BASE)
{
    mips_set(l, f->t, mips_bin(l, ORYX_OP_AND, mips_r(l, f->s), mips_imm(l, f->i)));
}

ORYX_INSN(ORI, "001101ssssstttttiiiiiiiiiiiiiiii", "{s == 0}li\t%r(t),%x(i);;ori\t%r(t),%r(s),%x(i)", BASE)
{
    mips_set(l, f->t, mips_bin(l, ORYX_OP_OR, mips_r(l, f->s), mips_imm(l, f->i)));
}

ORYX_INSN(XORI, "001110ssssstttttiiiiiiiiiiiiiiii", "xori\t%r(t),%r(s),%x(i)", BASE)
{
    mips_set(l, f->t, mips_bin(l, ORYX_OP_XOR, mips_r(l, f->s), mips_imm(l, f->i)));
}

/* rs is ignored; Release 6 adds it (AUI). */
ORYX_INSN(LUI, "001111ssssstttttiiiiiiiiiiiiiiii", "{s == 0}lui\t%r(t),%x(i)", BASE)
{
    mips_set32(l, f->t, mips_imm32(l, f->i << 16));
}

/* --- Shifts ----------------------------------------------------------------------------------------------------- */

static void shift32(mips_lift *l, unsigned op, unsigned d, unsigned t, oryx_val by)
{
    mips_set32(l, d, mips_bin32(l, op, mips_r32(l, t), by));
}

static void shift64(mips_lift *l, unsigned op, unsigned d, unsigned t, oryx_val by)
{
    mips_set(l, d, mips_bin(l, op, mips_r(l, t), by));
}

ORYX_INSN(SLL, "00000000000tttttdddddaaaaa000000",
          "{d == 0 && t == 0 && a == 0}nop;;{d == 0 && t == 0 && a == 1}ssnop;;{d == 0 && t == 0 && a == 3}ehb;;"
          "{d == 0 && t == 0 && a == 5}pause;;sll\t%r(d),%r(t),%x(a)", BASE)
{
    if (f->d)
        shift32(l, ORYX_OP_SHL, f->d, f->t, mips_imm32(l, f->a));
}

ORYX_INSN(SRL, "00000000000tttttdddddaaaaa000010", "srl\t%r(d),%r(t),%x(a)", BASE)
{
    shift32(l, ORYX_OP_SHR, f->d, f->t, mips_imm32(l, f->a));
}

ORYX_INSN(ROTR, "00000000001tttttdddddaaaaa000010", "ror\t%r(d),%r(t),%x(a)", R2)
{
    shift32(l, ORYX_OP_ROR, f->d, f->t, mips_imm32(l, f->a));
}

ORYX_INSN(SRA, "00000000000tttttdddddaaaaa000011", "sra\t%r(d),%r(t),%x(a)", BASE)
{
    shift32(l, ORYX_OP_SAR, f->d, f->t, mips_imm32(l, f->a));
}

ORYX_INSN(SLLV, "000000ssssstttttddddd00000000100", "sllv\t%r(d),%r(t),%r(s)", BASE)
{
    shift32(l, ORYX_OP_SHL, f->d, f->t, mips_r32(l, f->s));
}

ORYX_INSN(SRLV, "000000ssssstttttddddd00000000110", "srlv\t%r(d),%r(t),%r(s)", BASE)
{
    shift32(l, ORYX_OP_SHR, f->d, f->t, mips_r32(l, f->s));
}

ORYX_INSN(ROTRV, "000000ssssstttttddddd00001000110", "rorv\t%r(d),%r(t),%r(s)", R2)
{
    shift32(l, ORYX_OP_ROR, f->d, f->t, mips_r32(l, f->s));
}

ORYX_INSN(SRAV, "000000ssssstttttddddd00000000111", "srav\t%r(d),%r(t),%r(s)", BASE)
{
    shift32(l, ORYX_OP_SAR, f->d, f->t, mips_r32(l, f->s));
}

/* x: plus 32. */
ORYX_INSN(DSLL, "00000000000tttttdddddaaaaa111x00", "dsll%?(x){32}\t%r(d),%r(t),%x(a)", M3)
{
    shift64(l, ORYX_OP_SHL, f->d, f->t, mips_imm(l, f->a + 32 * f->x));
}

ORYX_INSN(DSRL, "00000000000tttttdddddaaaaa111x10", "dsrl%?(x){32}\t%r(d),%r(t),%x(a)", M3)
{
    shift64(l, ORYX_OP_SHR, f->d, f->t, mips_imm(l, f->a + 32 * f->x));
}

ORYX_INSN(DROTR, "00000000001tttttdddddaaaaa111x10", "dror%?(x){32}\t%r(d),%r(t),%x(a)", R2_64)
{
    shift64(l, ORYX_OP_ROR, f->d, f->t, mips_imm(l, f->a + 32 * f->x));
}

ORYX_INSN(DSRA, "00000000000tttttdddddaaaaa111x11", "dsra%?(x){32}\t%r(d),%r(t),%x(a)", M3)
{
    shift64(l, ORYX_OP_SAR, f->d, f->t, mips_imm(l, f->a + 32 * f->x));
}

ORYX_INSN(DSLLV, "000000ssssstttttddddd00000010100", "dsllv\t%r(d),%r(t),%r(s)", M3)
{
    shift64(l, ORYX_OP_SHL, f->d, f->t, mips_r(l, f->s));
}

ORYX_INSN(DSRLV, "000000ssssstttttddddd00000010110", "dsrlv\t%r(d),%r(t),%r(s)", M3)
{
    shift64(l, ORYX_OP_SHR, f->d, f->t, mips_r(l, f->s));
}

ORYX_INSN(DROTRV, "000000ssssstttttddddd00001010110", "drorv\t%r(d),%r(t),%r(s)", R2_64)
{
    shift64(l, ORYX_OP_ROR, f->d, f->t, mips_r(l, f->s));
}

ORYX_INSN(DSRAV, "000000ssssstttttddddd00000010111", "dsrav\t%r(d),%r(t),%r(s)", M3)
{
    shift64(l, ORYX_OP_SAR, f->d, f->t, mips_r(l, f->s));
}

/* --- Conditional moves -------------------------------------------------------------------------------------------- */

static void move_if(mips_lift *l, const mips_fields *f, unsigned cc)
{
    oryx_val c = oryx_cmp(l->ir, cc, l->w, mips_r(l, f->t), mips_imm(l, 0));
    mips_set(l, f->d, oryx_select(l->ir, l->w, c, mips_r(l, f->s), mips_r(l, f->d)));
}

ORYX_INSN(MOVZ, "000000ssssstttttddddd00000001010", "movz\t%r(d),%r(s),%r(t)", M4_5)
{
    move_if(l, f, ORYX_CC_EQ);
}

ORYX_INSN(MOVN, "000000ssssstttttddddd00000001011", "movn\t%r(d),%r(s),%r(t)", M4_5)
{
    move_if(l, f, ORYX_CC_NE);
}

/* --- Bit fields ----------------------------------------------------------------------------------------------------- */

/* m: msb, a: lsb. */
ORYX_INSN(EXT, "011111ssssstttttmmmmmaaaaa000000", "[m + a < 32]ext\t%r(t),%r(s),%x(a),%x(m + 1)", R2)
{
    mips_set32(l, f->t, oryx_bfx(l->ir, ORYX_OP_UBFX, I32, mips_r32(l, f->s), f->a, f->m + 1));
}

ORYX_INSN(INS, "011111ssssstttttmmmmmaaaaa000100", "[m >= a]ins\t%r(t),%r(s),%x(a),%x(m - a + 1)", R2)
{
    mips_set32(l, f->t, oryx_bfi(l->ir, I32, mips_r32(l, f->t), mips_r32(l, f->s), f->a, f->m - f->a + 1));
}

static void extract64(mips_lift *l, const mips_fields *f, unsigned pos, unsigned size)
{
    mips_set(l, f->t, oryx_bfx(l->ir, ORYX_OP_UBFX, I64, mips_r(l, f->s), pos, size));
}

static void insert64(mips_lift *l, const mips_fields *f, unsigned pos, unsigned msb)
{
    mips_set(l, f->t, oryx_bfi(l->ir, I64, mips_r(l, f->t), mips_r(l, f->s), pos, msb - pos + 1));
}

ORYX_INSN(DEXTM, "011111ssssstttttmmmmmaaaaa000001", "[m + 33 + a <= 64]dext\t%r(t),%r(s),%x(a),%x(m + 33)", R2_64)
{
    extract64(l, f, f->a, f->m + 33);
}

ORYX_INSN(DEXTU, "011111ssssstttttmmmmmaaaaa000010", "[m + 33 + a <= 64]dext\t%r(t),%r(s),%x(a + 32),%x(m + 1)", R2_64)
{
    extract64(l, f, f->a + 32, f->m + 1);
}

ORYX_INSN(DEXT, "011111ssssstttttmmmmmaaaaa000011", "dext\t%r(t),%r(s),%x(a),%x(m + 1)", R2_64)
{
    extract64(l, f, f->a, f->m + 1);
}

ORYX_INSN(DINSM, "011111ssssstttttmmmmmaaaaa000101", "dins\t%r(t),%r(s),%x(a),%x(m + 33 - a)", R2_64)
{
    insert64(l, f, f->a, f->m + 32);
}

ORYX_INSN(DINSU, "011111ssssstttttmmmmmaaaaa000110", "[m >= a]dins\t%r(t),%r(s),%x(a + 32),%x(m - a + 1)", R2_64)
{
    insert64(l, f, f->a + 32, f->m + 32);
}

ORYX_INSN(DINS, "011111ssssstttttmmmmmaaaaa000111", "[m >= a]dins\t%r(t),%r(s),%x(a),%x(m - a + 1)", R2_64)
{
    insert64(l, f, f->a, f->m);
}

/* --- Bytes -------------------------------------------------------------------------------------------------------- */

static oryx_val swap_in_halves(mips_lift *l, unsigned type, oryx_val v)
{
    uint64_t mask = type == I32 ? 0x00ff00ffu : 0x00ff00ff00ff00ffu;
    oryx_val m = oryx_const(l->ir, type, mask), eight = oryx_const(l->ir, type, 8);
    oryx_val hi = oryx_bin(l->ir, ORYX_OP_AND, type, oryx_bin(l->ir, ORYX_OP_SHR, type, v, eight), m);
    oryx_val lo = oryx_bin(l->ir, ORYX_OP_SHL, type, oryx_bin(l->ir, ORYX_OP_AND, type, v, m), eight);
    return oryx_bin(l->ir, ORYX_OP_OR, type, hi, lo);
}

ORYX_INSN(WSBH, "01111100000tttttddddd00010100000", "wsbh\t%r(d),%r(t)", R2)
{
    mips_set32(l, f->d, swap_in_halves(l, I32, mips_r32(l, f->t)));
}

ORYX_INSN(DSBH, "01111100000tttttddddd00010100100", "dsbh\t%r(d),%r(t)", R2_64)
{
    mips_set(l, f->d, swap_in_halves(l, I64, mips_r(l, f->t)));
}

ORYX_INSN(DSHD, "01111100000tttttddddd00101100100", "dshd\t%r(d),%r(t)", R2_64)
{
    oryx_val bytes = swap_in_halves(l, I64, mips_r(l, f->t));
    mips_set(l, f->d, oryx_un(l->ir, ORYX_OP_BSWAP, I64, bytes));
}

static void extend(mips_lift *l, const mips_fields *f, unsigned bits)
{
    mips_set32(l, f->d, oryx_bfx(l->ir, ORYX_OP_SBFX, I32, mips_r32(l, f->t), 0, bits));
}

ORYX_INSN(SEB, "01111100000tttttddddd10000100000", "seb\t%r(d),%r(t)", R2)
{
    extend(l, f, 8);
}

ORYX_INSN(SEH, "01111100000tttttddddd11000100000", "seh\t%r(d),%r(t)", R2)
{
    extend(l, f, 16);
}

/* --- Counting: rt repeats rd before Release 6 and is not looked at here -------------------------------------------- */

static void count32(mips_lift *l, const mips_fields *f, unsigned invert)
{
    oryx_val v = mips_r32(l, f->s);
    mips_set32(l, f->d, oryx_un(l->ir, ORYX_OP_CLZ, I32, invert ? oryx_un(l->ir, ORYX_OP_NOT, I32, v) : v));
}

static void count64(mips_lift *l, const mips_fields *f, unsigned invert)
{
    oryx_val v = mips_r(l, f->s);
    mips_set(l, f->d, oryx_un(l->ir, ORYX_OP_CLZ, I64, invert ? oryx_un(l->ir, ORYX_OP_NOT, I64, v) : v));
}

ORYX_INSN(CLZ, "011100ssssstttttddddd00000100000", "clz\t%r(d),%r(s)", R1_5)
{
    count32(l, f, 0);
}

ORYX_INSN(CLO, "011100ssssstttttddddd00000100001", "clo\t%r(d),%r(s)", R1_5)
{
    count32(l, f, 1);
}

ORYX_INSN(DCLZ, "011100ssssstttttddddd00000100100", "dclz\t%r(d),%r(s)", R1_64_5)
{
    count64(l, f, 0);
}

ORYX_INSN(DCLO, "011100ssssstttttddddd00000100101", "dclo\t%r(d),%r(s)", R1_64_5)
{
    count64(l, f, 1);
}
