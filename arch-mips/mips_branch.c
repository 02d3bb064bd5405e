/* Branches and jumps with delay slots: MD00087 tables 3.10-3.13. */
#include "mips.h"

static int32_t disp16(const mips_fields *f)
{
    return (int32_t)((uint32_t)mips_sx(f->i, 16) << 2);
}

static oryx_val compare(mips_lift *l, unsigned cc, unsigned s, unsigned t)
{
    return oryx_cmp(l->ir, cc, l->w, mips_r(l, s), mips_r(l, t));
}

/* y: likely. */
static void branch_if(mips_lift *l, const mips_fields *f, unsigned cc, unsigned s, unsigned t, unsigned likely)
{
    if (!mips_branch_ok(l))
        return;
    if (!likely && s == t && (cc == ORYX_CC_EQ || cc == ORYX_CC_GES || cc == ORYX_CC_LES))
        mips_branch(l, 0, disp16(f));
    else if (likely)
        mips_branch_likely(l, compare(l, cc, s, t), disp16(f));
    else
        mips_branch(l, compare(l, cc, s, t), disp16(f));
}

ORYX_INSN(BEQ, "000100ssssstttttiiiiiiiiiiiiiiii",
          "{s == 0 && t == 0}b\t%b(i);;{t == 0}beqz\t%r(s),%b(i);;beq\t%r(s),%r(t),%b(i)", BASE)
{
    branch_if(l, f, ORYX_CC_EQ, f->s, f->t, 0);
}

ORYX_INSN(BNE, "000101ssssstttttiiiiiiiiiiiiiiii", "{t == 0}bnez\t%r(s),%b(i);;bne\t%r(s),%r(t),%b(i)", BASE)
{
    branch_if(l, f, ORYX_CC_NE, f->s, f->t, 0);
}

ORYX_INSN(BLEZ, "000110sssss00000iiiiiiiiiiiiiiii", "blez\t%r(s),%b(i)", BASE)
{
    branch_if(l, f, ORYX_CC_LES, f->s, 0, 0);
}

ORYX_INSN(BGTZ, "000111sssss00000iiiiiiiiiiiiiiii", "bgtz\t%r(s),%b(i)", BASE)
{
    branch_if(l, f, ORYX_CC_GTS, f->s, 0, 0);
}

ORYX_INSN(BEQL, "010100ssssstttttiiiiiiiiiiiiiiii", "{t == 0}beqzl\t%r(s),%b(i);;beql\t%r(s),%r(t),%b(i)", M2_5)
{
    branch_if(l, f, ORYX_CC_EQ, f->s, f->t, 1);
}

ORYX_INSN(BNEL, "010101ssssstttttiiiiiiiiiiiiiiii", "{t == 0}bnezl\t%r(s),%b(i);;bnel\t%r(s),%r(t),%b(i)", M2_5)
{
    branch_if(l, f, ORYX_CC_NE, f->s, f->t, 1);
}

ORYX_INSN(BLEZL, "010110sssss00000iiiiiiiiiiiiiiii", "blezl\t%r(s),%b(i)", M2_5)
{
    branch_if(l, f, ORYX_CC_LES, f->s, 0, 1);
}

ORYX_INSN(BGTZL, "010111sssss00000iiiiiiiiiiiiiiii", "bgtzl\t%r(s),%b(i)", M2_5)
{
    branch_if(l, f, ORYX_CC_GTS, f->s, 0, 1);
}

/* --- REGIMM ------------------------------------------------------------------------------------------------------- */

ORYX_INSN(BLTZ, "000001sssss00000iiiiiiiiiiiiiiii", "bltz\t%r(s),%b(i)", BASE)
{
    branch_if(l, f, ORYX_CC_LTS, f->s, 0, 0);
}

ORYX_INSN(BGEZ, "000001sssss00001iiiiiiiiiiiiiiii", "{s == 0}b\t%b(i);;bgez\t%r(s),%b(i)", BASE)
{
    branch_if(l, f, ORYX_CC_GES, f->s, 0, 0);
}

ORYX_INSN(BLTZL, "000001sssss00010iiiiiiiiiiiiiiii", "bltzl\t%r(s),%b(i)", M2_5)
{
    branch_if(l, f, ORYX_CC_LTS, f->s, 0, 1);
}

ORYX_INSN(BGEZL, "000001sssss00011iiiiiiiiiiiiiiii", "bgezl\t%r(s),%b(i)", M2_5)
{
    branch_if(l, f, ORYX_CC_GES, f->s, 0, 1);
}

/* The link is written whether or not the branch is taken; rs = 31 is UNPREDICTABLE and reads the old value. */
static void branch_link(mips_lift *l, const mips_fields *f, unsigned cc, unsigned likely)
{
    if (!mips_branch_ok(l))
        return;
    if (likely) {
        /* The label ends values and the link comes first, so the test must be told from the new r31. */
        oryx_local_put(l->ir, I1, 0, compare(l, cc, f->s, 0));
        mips_link(l, 31);
        mips_branch_likely(l, oryx_local_get(l->ir, I1, 0), disp16(f));
        return;
    }
    oryx_val c = f->s || cc != ORYX_CC_GES ? compare(l, cc, f->s, 0) : 0;
    mips_link(l, 31);
    mips_branch(l, c, disp16(f));
}

ORYX_INSN(BLTZAL, "000001sssss10000iiiiiiiiiiiiiiii", "bltzal\t%r(s),%b(i)", BASE_5)
{
    branch_link(l, f, ORYX_CC_LTS, 0);
}

ORYX_INSN(BGEZAL, "000001sssss10001iiiiiiiiiiiiiiii", "{s == 0}bal\t%b(i);;bgezal\t%r(s),%b(i)", BASE_5)
{
    branch_link(l, f, ORYX_CC_GES, 0);
}

/* What Release 6 kept of them. NAL is a branch that is never taken. */
ORYX_INSN(NAL, "0000010000010000iiiiiiiiiiiiiiii", "{i == 0}nal", R6)
{
    if (!mips_branch_ok(l))
        return;
    mips_link(l, 31);
    mips_branch(l, 0, 4);
    (void)f;
}

ORYX_INSN(BAL, "0000010000010001iiiiiiiiiiiiiiii", "bal\t%b(i)", R6)
{
    branch_link(l, f, ORYX_CC_GES, 0);
}

ORYX_INSN(BLTZALL, "000001sssss10010iiiiiiiiiiiiiiii", "bltzall\t%r(s),%b(i)", M2_5)
{
    branch_link(l, f, ORYX_CC_LTS, 1);
}

ORYX_INSN(BGEZALL, "000001sssss10011iiiiiiiiiiiiiiii", "bgezall\t%r(s),%b(i)", M2_5)
{
    branch_link(l, f, ORYX_CC_GES, 1);
}

/* --- Jumps --------------------------------------------------------------------------------------------------------- */

static int32_t region(const mips_lift *l, const mips_fields *f)
{
    uint64_t slot = l->pc + 4;
    return (int32_t)(((slot & ~0xfffffffull) | f->i << 2) - slot);
}

ORYX_INSN(J, "000010iiiiiiiiiiiiiiiiiiiiiiiiii", "j\t%j(i)", BASE)
{
    if (mips_branch_ok(l))
        mips_branch(l, 0, region(l, f));
}

ORYX_INSN(JAL, "000011iiiiiiiiiiiiiiiiiiiiiiiiii", "jal\t%j(i)", BASE)
{
    if (!mips_branch_ok(l))
        return;
    mips_link(l, 31);
    mips_branch(l, 0, region(l, f));
}

/* h: hint; 1xxxx asks for hazard barriers (JR.HB, JALR.HB). */
ORYX_INSN(JR, "000000sssss0000000000hhhhh001000", "{h == 16}jr.hb\t%r(s);;{h == 0}jr\t%r(s)", BASE_5)
{
    if (mips_branch_ok(l))
        mips_jump(l, mips_r(l, f->s));
}

ORYX_INSN(JALR, "000000sssss00000dddddhhhhh001001",
          "{d == 31 && (h & 15) == 0}jalr%?(h){.hb}\t%r(s);;{(h & 15) == 0}jalr%?(h){.hb}\t%r(d),%r(s)", BASE)
{
    if (!mips_branch_ok(l))
        return;
    oryx_val to = mips_r(l, f->s);
    mips_link(l, f->d);
    mips_jump(l, to);
}
