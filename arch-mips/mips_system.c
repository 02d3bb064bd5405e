/* System calls, breakpoints, traps, barriers, semihosting: MD00087 tables 3.14-3.17. */
#include "mips.h"

/* The next instruction is where execution goes on. In a delay slot that is the branch's business: the state then says that the
 * slot is done. */
ORYX_INSN(SYSCALL, "000000cccccccccccccccccccc001100", "syscall%?(c){\t%x(c)}", BASE)
{
    if (l->mode & MIPS_MODE_DELIVERS) { /* EPC is the instruction itself */
        mips_raise(l, ORYX_EXC_SYSCALL, f->c);
        return;
    }
    uint64_t next = mips_next(l);
    oryx_raise(l->ir, ORYX_EXC_SYSCALL, oryx_const(l->ir, I64, f->c), next);
    l->end = 1;
}

/* objdump shows the code as two fields of ten bits. */
ORYX_INSN(BREAK, "000000aaaaaaaaaabbbbbbbbbb001101", "break%?(a || b){\t%x(a)}%?(b){,%x(b)}", BASE)
{
    mips_raise(l, ORYX_EXC_BREAKPOINT, f->a << 10 | f->b);
}

/* Code 1 is a semihosting call (UHI). A whole CPU has no debug mode: other codes are reserved there. */
static void debug_break(mips_lift *l, const mips_fields *f)
{
    if (f->c == 1 && l->mode & MIPS_MODE_SYSTEM)
        mips_raise(l, ORYX_EXC_SEMIHOST, f->c);
    else if (l->mode & MIPS_MODE_DELIVERS)
        mips_reserved(l);
    else
        mips_raise(l, ORYX_EXC_BREAKPOINT, f->c);
}

ORYX_INSN(SDBBP, "011100cccccccccccccccccccc111111", "sdbbp%?(c){\t%x(c)}", R1_5)
{
    debug_break(l, f);
}

ORYX_INSN(SDBBP_R6, "000000cccccccccccccccccccc001110", "sdbbp%?(c){\t%x(c)}", R6)
{
    debug_break(l, f);
}

static void trap(mips_lift *l, const mips_fields *f, unsigned cc, oryx_val b)
{
    mips_raise_if(l, oryx_cmp(l->ir, cc, l->w, mips_r(l, f->s), b), ORYX_EXC_TRAP, f->c);
}

ORYX_INSN(TGE, "000000ssssstttttcccccccccc110000", "tge\t%r(s),%r(t)%?(c){,%x(c)}", M2)
{
    trap(l, f, ORYX_CC_GES, mips_r(l, f->t));
}

ORYX_INSN(TGEU, "000000ssssstttttcccccccccc110001", "tgeu\t%r(s),%r(t)%?(c){,%x(c)}", M2)
{
    trap(l, f, ORYX_CC_GEU, mips_r(l, f->t));
}

ORYX_INSN(TLT, "000000ssssstttttcccccccccc110010", "tlt\t%r(s),%r(t)%?(c){,%x(c)}", M2)
{
    trap(l, f, ORYX_CC_LTS, mips_r(l, f->t));
}

ORYX_INSN(TLTU, "000000ssssstttttcccccccccc110011", "tltu\t%r(s),%r(t)%?(c){,%x(c)}", M2)
{
    trap(l, f, ORYX_CC_LTU, mips_r(l, f->t));
}

ORYX_INSN(TEQ, "000000ssssstttttcccccccccc110100", "teq\t%r(s),%r(t)%?(c){,%x(c)}", M2)
{
    trap(l, f, ORYX_CC_EQ, mips_r(l, f->t));
}

ORYX_INSN(TNE, "000000ssssstttttcccccccccc110110", "tne\t%r(s),%r(t)%?(c){,%x(c)}", M2)
{
    trap(l, f, ORYX_CC_NE, mips_r(l, f->t));
}

static void trap_immediate(mips_lift *l, const mips_fields *f, unsigned cc)
{
    mips_raise_if(l, oryx_cmp(l->ir, cc, l->w, mips_r(l, f->s), mips_imm(l, mips_sx(f->i, 16))), ORYX_EXC_TRAP, 0);
}

ORYX_INSN(TGEI, "000001sssss01000iiiiiiiiiiiiiiii", "tgei\t%r(s),%s16(i)", M2_5)
{
    trap_immediate(l, f, ORYX_CC_GES);
}

ORYX_INSN(TGEIU, "000001sssss01001iiiiiiiiiiiiiiii", "tgeiu\t%r(s),%s16(i)", M2_5)
{
    trap_immediate(l, f, ORYX_CC_GEU);
}

ORYX_INSN(TLTI, "000001sssss01010iiiiiiiiiiiiiiii", "tlti\t%r(s),%s16(i)", M2_5)
{
    trap_immediate(l, f, ORYX_CC_LTS);
}

ORYX_INSN(TLTIU, "000001sssss01011iiiiiiiiiiiiiiii", "tltiu\t%r(s),%s16(i)", M2_5)
{
    trap_immediate(l, f, ORYX_CC_LTU);
}

ORYX_INSN(TEQI, "000001sssss01100iiiiiiiiiiiiiiii", "teqi\t%r(s),%s16(i)", M2_5)
{
    trap_immediate(l, f, ORYX_CC_EQ);
}

ORYX_INSN(TNEI, "000001sssss01110iiiiiiiiiiiiiiii", "tnei\t%r(s),%s16(i)", M2_5)
{
    trap_immediate(l, f, ORYX_CC_NE);
}

/* --- Barriers ------------------------------------------------------------------------------------------------------- */

ORYX_INSN(SYNC, "000000000000000000000aaaaa001111", "{a == 4}sync_wmb;;{a >= 16 && a < 20}%pick(a - 16, \"sync_mb sync_acquire sync_release sync_rmb\");;sync%?(a){\t%x(a)}", M2)
{
    (void)f;
    oryx_ir_emit(l->ir, ORYX_OP_FENCE, 0, 0, 0, 0, 0, ORYX_ORDER_SEQ);
}

/* Stores are seen by the next fetch anyhow. */
ORYX_INSN(SYNCI, "000001sssss11111iiiiiiiiiiiiiiii", "synci\t%s16(i)(%r(s))", R2)
{
    if (l->mode & MIPS_MODE_SYSTEM) { /* the address must translate */
        oryx_val v[2] = { mips_ea(l, f->s, mips_sx(f->i, 16)), mips_imm32(l, 31) };
        oryx_call(l->ir, l->helper_base + MIPS_HELPER_CACHE, ORYX_T_VOID, v, 2);
    }
    oryx_ir_emit(l->ir, ORYX_OP_FENCE, 0, 0, 0, 0, 0, ORYX_ORDER_ISYNC);
}
