/* Release 6: branches without delay slots. After one that is not taken no other branch may follow (the forbidden slot), and
 * none may stand in a delay or forbidden slot itself: Reserved Instruction. MD00087 (revision 6) table 3.12. */
#include "mips.h"

static int32_t disp(uint32_t v, unsigned bits)
{
    return (int32_t)((uint32_t)mips_sx(v, bits) << 2);
}

static void link_here(mips_lift *l)
{
    mips_set(l, 31, mips_imm(l, (int64_t)(l->pc + 4)));
}

/* cc of rs and rt (t 0: zero). */
static void compact(mips_lift *l, unsigned cc, unsigned s, unsigned t, int32_t to, unsigned link)
{
    if (!mips_branch_ok(l))
        return;
    oryx_val c = oryx_cmp(l->ir, cc, l->w, mips_r(l, s), mips_r(l, t));
    if (link)
        link_here(l);
    mips_compact(l, c, to);
}

ORYX_INSN(BC, "110010iiiiiiiiiiiiiiiiiiiiiiiiii", "bc\t%b26(i)", R6)
{
    if (mips_branch_ok(l))
        mips_compact(l, 0, disp(f->i, 26));
}

ORYX_INSN(BALC, "111010iiiiiiiiiiiiiiiiiiiiiiiiii", "balc\t%b26(i)", R6)
{
    if (!mips_branch_ok(l))
        return;
    link_here(l);
    mips_compact(l, 0, disp(f->i, 26));
}

/* JR is JALR that links nothing. */
ORYX_INSN(R6_JR, "000000sssss0000000000h0000001001", "jr%?(h){.hb}\t%r(s)", R6)
{
    if (mips_branch_ok(l))
        mips_jump(l, mips_r(l, f->s));
}

static void jump(mips_lift *l, const mips_fields *f, unsigned link)
{
    if (!mips_branch_ok(l))
        return;
    oryx_val to = mips_bin(l, ORYX_OP_ADD, mips_r(l, f->t), mips_imm(l, mips_sx(f->i, 16)));
    if (link)
        link_here(l);
    mips_leave(l, l->next_mode);
    oryx_gotoi(l->ir, oryx_zext(l->ir, I64, l->w, to), f->t == 31 ? ORYX_HINT_RETURN : link ? ORYX_HINT_CALL : ORYX_HINT_JUMP);
    l->end = 1;
}

ORYX_INSN(JIC, "11011000000tttttiiiiiiiiiiiiiiii", "{i == 0}jrc\t%r(t);;jic\t%r(t),%s16(i)", R6)
{
    jump(l, f, 0);
}

ORYX_INSN(JIALC, "11111000000tttttiiiiiiiiiiiiiiii", "{i == 0}jalrc\t%r(t);;jialc\t%r(t),%s16(i)", R6)
{
    jump(l, f, 1);
}

ORYX_INSN(BEQZC, "110110sssssiiiiiiiiiiiiiiiiiiiii", "[s != 0]beqzc\t%r(s),%b21(i)", R6)
{
    compact(l, ORYX_CC_EQ, f->s, 0, disp(f->i, 21), 0);
}

ORYX_INSN(BNEZC, "111110sssssiiiiiiiiiiiiiiiiiiiii", "[s != 0]bnezc\t%r(s),%b21(i)", R6)
{
    compact(l, ORYX_CC_NE, f->s, 0, disp(f->i, 21), 0);
}

/* BOVC, BNVC: the sum of the low words overflows; of a 64-bit CPU also when an operand is no sign-extended word. */
static void overflow(mips_lift *l, const mips_fields *f, unsigned taken)
{
    if (!mips_branch_ok(l))
        return;
    oryx_ir *ir = l->ir;
    oryx_val a = mips_r32(l, f->s), b = mips_r32(l, f->t);
    oryx_val c = oryx_flcond(ir, ORYX_FC_O, oryx_flmake(ir, ORYX_FL_ADD, I32, a, b, 0));
    if (l->w == I64) {
        oryx_val wide = oryx_cmp(ir, ORYX_CC_NE, I64, mips_r(l, f->s), oryx_sext(ir, I64, I32, a));
        c = oryx_bin(ir, ORYX_OP_OR, I1, c, wide);
        wide = oryx_cmp(ir, ORYX_CC_NE, I64, mips_r(l, f->t), oryx_sext(ir, I64, I32, b));
        c = oryx_bin(ir, ORYX_OP_OR, I1, c, wide);
    }
    mips_compact(l, taken ? c : oryx_un(ir, ORYX_OP_NOT, I1, c), disp(f->i, 16));
}

ORYX_INSN(BOVC, "001000ssssstttttiiiiiiiiiiiiiiii", "[s >= t]bovc\t%r(s),%r(t),%b(i)", R6)
{
    overflow(l, f, 1);
}

ORYX_INSN(BNVC, "011000ssssstttttiiiiiiiiiiiiiiii", "[s >= t]bnvc\t%r(s),%r(t),%b(i)", R6)
{
    overflow(l, f, 0);
}

ORYX_INSN(BLEZALC, "00011000000tttttiiiiiiiiiiiiiiii", "[t != 0]blezalc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_LES, f->t, 0, disp(f->i, 16), 1);
}

ORYX_INSN(BGEZALC, "000110ssssstttttiiiiiiiiiiiiiiii", "[s == t && s != 0]bgezalc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_GES, f->t, 0, disp(f->i, 16), 1);
}

ORYX_INSN(BGEUC, "000110ssssstttttiiiiiiiiiiiiiiii", "[s != t && s != 0 && t != 0]bgeuc\t%r(s),%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_GEU, f->s, f->t, disp(f->i, 16), 0);
}

ORYX_INSN(BGTZALC, "00011100000tttttiiiiiiiiiiiiiiii", "[t != 0]bgtzalc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_GTS, f->t, 0, disp(f->i, 16), 1);
}

ORYX_INSN(BLTZALC, "000111ssssstttttiiiiiiiiiiiiiiii", "[s == t && s != 0]bltzalc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_LTS, f->t, 0, disp(f->i, 16), 1);
}

ORYX_INSN(BLTUC, "000111ssssstttttiiiiiiiiiiiiiiii", "[s != t && s != 0 && t != 0]bltuc\t%r(s),%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_LTU, f->s, f->t, disp(f->i, 16), 0);
}

ORYX_INSN(BEQZALC, "00100000000tttttiiiiiiiiiiiiiiii", "[t != 0]beqzalc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_EQ, f->t, 0, disp(f->i, 16), 1);
}

ORYX_INSN(BEQC, "001000ssssstttttiiiiiiiiiiiiiiii", "[s < t && s != 0]beqc\t%r(s),%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_EQ, f->s, f->t, disp(f->i, 16), 0);
}

ORYX_INSN(BNEZALC, "01100000000tttttiiiiiiiiiiiiiiii", "[t != 0]bnezalc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_NE, f->t, 0, disp(f->i, 16), 1);
}

ORYX_INSN(BNEC, "011000ssssstttttiiiiiiiiiiiiiiii", "[s < t && s != 0]bnec\t%r(s),%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_NE, f->s, f->t, disp(f->i, 16), 0);
}

ORYX_INSN(BLEZC, "01011000000tttttiiiiiiiiiiiiiiii", "[t != 0]blezc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_LES, f->t, 0, disp(f->i, 16), 0);
}

ORYX_INSN(BGEZC, "010110ssssstttttiiiiiiiiiiiiiiii", "[s == t && s != 0]bgezc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_GES, f->t, 0, disp(f->i, 16), 0);
}

ORYX_INSN(BGEC, "010110ssssstttttiiiiiiiiiiiiiiii", "[s != t && s != 0 && t != 0]bgec\t%r(s),%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_GES, f->s, f->t, disp(f->i, 16), 0);
}

ORYX_INSN(BGTZC, "01011100000tttttiiiiiiiiiiiiiiii", "[t != 0]bgtzc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_GTS, f->t, 0, disp(f->i, 16), 0);
}

ORYX_INSN(BLTZC, "010111ssssstttttiiiiiiiiiiiiiiii", "[s == t && s != 0]bltzc\t%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_LTS, f->t, 0, disp(f->i, 16), 0);
}

ORYX_INSN(BLTC, "010111ssssstttttiiiiiiiiiiiiiiii", "[s != t && s != 0 && t != 0]bltc\t%r(s),%r(t),%b(i)", R6)
{
    compact(l, ORYX_CC_LTS, f->s, f->t, disp(f->i, 16), 0);
}
