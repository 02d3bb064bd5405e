/* Branches and exception generation: DDI 0487, C4.1.87 (semantics C6.2).
 *
 * Rows and bodies of the instructions that end a block. Called through the decode tables only. Every
 * body sets l->end after its block end op. A misaligned target raises PC_ALIGN when it is lifted. */
#include "a64_sys.h"
#include "a64_text.h"

static uint64_t target(const a64_lift *l, unsigned imm, unsigned bits)
{
    return l->pc + (uint64_t)(a64_sx(imm, bits) * 4);
}

static void branch_if(a64_lift *l, oryx_val cond, uint64_t taken)
{
    a64_btype_done(l);
    oryx_gotoc(l->ir, cond, taken, l->pc + 4);
    l->end = 1;
}

static void branch(a64_lift *l, uint64_t to)
{
    a64_btype_done(l);
    oryx_goto(l->ir, to, 0);
    l->end = 1;
}

ORYX_INSN(B_cond, "01010100iiiiiiiiiiiiiiiiiii0cccc", "b.%cond(c)\t%label(a64_sx(i, 19) * 4)", BASE)
{
    if (f->c >= 14)
        branch(l, target(l, f->i, 19));
    else
        branch_if(l, a64_cond(l, f->c), target(l, f->i, 19));
}

/* --- Exception generation ------------------------------------------------------------------------- */

static void raise(a64_lift *l, unsigned exc, uint64_t syndrome, uint64_t pc)
{
    if (pc != l->pc)
        a64_btype_done(l);
    oryx_raise(l->ir, exc, a64_imm(l, ORYX_T_I64, syndrome), pc);
    l->end = 1;
}

ORYX_INSN(SVC, "11010100000iiiiiiiiiiiiiiii00001", "svc\t#%hex(i)", BASE)
{
    raise(l, ORYX_EXC_SYSCALL, f->i, l->pc + 4);
}

/* HVC and SMC are UNDEFINED at EL0, DCPS outside debug state; above, whether the call exists is decided on delivery. */
ORYX_INSN(HVC, "11010100000iiiiiiiiiiiiiiii00010", "hvc\t#%hex(i)", BASE)
{
    if (A64_MODE_EL(l->mode))
        raise(l, ORYX_EXC_HYPERCALL, f->i, l->pc + 4);
    else
        a64_undefined(l);
}

ORYX_INSN(SMC, "11010100000iiiiiiiiiiiiiiii00011", "smc\t#%hex(i)", BASE)
{
    if (A64_MODE_EL(l->mode))
        raise(l, ORYX_EXC_MONITORCALL, f->i, l->pc + 4);
    else
        a64_undefined(l);
}

ORYX_INSN(BRK, "11010100001iiiiiiiiiiiiiiii00000", "brk\t#%hex(i)", BASE)
{
    raise(l, ORYX_EXC_BREAKPOINT, f->i, l->pc);
}

/* Halting debug is off, so HLT is UNDEFINED but for 0xf000, the semihosting call. */
ORYX_INSN(HLT, "11010100010iiiiiiiiiiiiiiii00000", "hlt\t#%hex(i)", BASE)
{
    if (f->i == 0xf000) {
        a64_btype_done(l);
        raise(l, ORYX_EXC_SEMIHOST, f->i, l->pc);
    } else {
        a64_undefined(l);
    }
}

ORYX_INSN(DCPS, "11010100101iiiiiiiiiiiiiiii000cc", "[c] dcps%u(c)%?(i){\t#%hex(i)}", BASE)
{
    (void)f;
    a64_undefined(l);
}

ORYX_INSN(UDF, "0000000000000000iiiiiiiiiiiiiiii", "udf\t#%u(i)", BASE)
{
    (void)f;
    a64_undefined(l);
}

/* --- Unconditional branch (register) ------------------------------------------------------------------- */

/* Where addresses have tags, a branch drops them: DDI 0487, BranchAddr. */
static oryx_val untagged(a64_lift *l, oryx_val to)
{
    int low = (l->mode & A64_MODE_TBI0) != 0, high = (l->mode & A64_MODE_TBI1) != 0;
    if (!low && !high)
        return to;
    if (A64_MODE_EL(l->mode) > 1)
        return oryx_bfx(l->ir, ORYX_OP_UBFX, ORYX_T_I64, to, 0, 56);
    oryx_val bare = oryx_bfx(l->ir, ORYX_OP_SBFX, ORYX_T_I64, to, 0, 56);
    if (low && high)
        return bare;
    oryx_val upper = oryx_cmp(l->ir, ORYX_CC_TST, ORYX_T_I64, to, a64_imm(l, ORYX_T_I64, UINT64_C(1) << 55));
    return low ? oryx_select(l->ir, ORYX_T_I64, upper, to, bare) : oryx_select(l->ir, ORYX_T_I64, upper, bare, to);
}

static void branch_reg(a64_lift *l, oryx_val to, unsigned n, unsigned hint)
{
    to = untagged(l, to);
    if (hint == ORYX_HINT_RETURN)
        a64_btype_done(l);
    else
        a64_btype_next(l, n, hint == ORYX_HINT_CALL);
    oryx_gotoi(l->ir, to, hint);
    l->end = 1;
}

ORYX_INSN(BR, "1101011000011111000000nnnnn00000", "br\t%x(n)", BASE)
{
    branch_reg(l, a64_reg(l, ORYX_T_I64, f->n), f->n, ORYX_HINT_JUMP);
}

ORYX_INSN(BLR, "1101011000111111000000nnnnn00000", "blr\t%x(n)", BASE)
{
    oryx_val to = a64_reg(l, ORYX_T_I64, f->n); /* before the link write: BLR X30 */
    a64_set_reg(l, ORYX_T_I64, 30, a64_imm(l, ORYX_T_I64, l->pc + 4));
    branch_reg(l, to, f->n, ORYX_HINT_CALL);
}

ORYX_INSN(RET, "1101011001011111000000nnnnn00000", "ret%?(n != 30){\t%x(n)}", BASE)
{
    branch_reg(l, a64_reg(l, ORYX_T_I64, f->n), f->n, ORYX_HINT_RETURN);
}

static uint32_t return_slot(const a64_lift *l)
{
    static const uint16_t rows[4] = { SR_elr_el1, SR_elr_el1, SR_elr_el2, SR_elr_el3 };
    return A64_OFF(sys) + 8u * rows[A64_MODE_EL(l->mode)];
}

static void exception_return(a64_lift *l, oryx_val pc)
{
    oryx_val to = a64_call(l, A64_HELPER_eret, ORYX_T_I64, &pc, 1);
    oryx_val mode = a64_call(l, A64_HELPER_new_mode, ORYX_T_I64, NULL, 0);
    oryx_ir_emit(l->ir, ORYX_OP_SETMODE, ORYX_T_VOID, ORYX_T_VOID, mode, 0, 0, 0);
    oryx_gotoi(l->ir, to, ORYX_HINT_JUMP);
    l->end = 1;
}

/* ERET is UNDEFINED at EL0, DRPS outside debug state. */
ORYX_INSN(ERET, "11010110100111110000001111100000", "eret", BASE)
{
    (void)f;
    if (!A64_MODE_EL(l->mode)) {
        a64_undefined(l);
        return;
    }
    exception_return(l, oryx_get(l->ir, ORYX_T_I64, return_slot(l)));
}

ORYX_INSN(DRPS, "11010110101111110000001111100000", "drps", BASE)
{
    (void)f;
    a64_undefined(l);
}

/* With pointer authentication: by key A (k 0) or B; z: modifier in m, else zero. */
ORYX_INSN(BRA, "1101011z00c1111100001knnnnnmmmmm",
          "[z || m == 31] {z} %?(c){blra}{bra}%?(k){b}{a}\t%x(n), %xsp(m) ;; %?(c){blra}{bra}%?(k){b}{a}z\t%x(n)", PAUTH)
{
    oryx_val modifier = f->z ? a64_reg_sp(l, ORYX_T_I64, f->m) : a64_imm(l, ORYX_T_I64, 0);
    oryx_val to = a64_pac(l, a64_reg(l, ORYX_T_I64, f->n), modifier, f->k | 4);
    if (f->c)
        a64_set_reg(l, ORYX_T_I64, 30, a64_imm(l, ORYX_T_I64, l->pc + 4));
    branch_reg(l, to, f->n, f->c ? ORYX_HINT_CALL : ORYX_HINT_JUMP);
}

ORYX_INSN(RETA, "110101100101111100001k1111111111", "reta%?(k){b}{a}", PAUTH)
{
    oryx_val to = a64_pac(l, a64_reg(l, ORYX_T_I64, 30), a64_reg_sp(l, ORYX_T_I64, 31), f->k | 4);
    branch_reg(l, to, 30, ORYX_HINT_RETURN);
}

ORYX_INSN(ERETA, "110101101001111100001k1111111111", "ereta%?(k){b}{a}", PAUTH)
{
    if (!A64_MODE_EL(l->mode)) {
        a64_undefined(l);
        return;
    }
    oryx_val elr = oryx_get(l->ir, ORYX_T_I64, return_slot(l));
    exception_return(l, a64_pac(l, elr, a64_reg_sp(l, ORYX_T_I64, 31), f->k | 4));
}

/* --- Unconditional branch (immediate) --------------------------------------------------------------------- */

ORYX_INSN(B, "000101iiiiiiiiiiiiiiiiiiiiiiiiii", "b\t%label(a64_sx(i, 26) * 4)", BASE)
{
    branch(l, target(l, f->i, 26));
}

ORYX_INSN(BL, "100101iiiiiiiiiiiiiiiiiiiiiiiiii", "bl\t%label(a64_sx(i, 26) * 4)", BASE)
{
    a64_set_reg(l, ORYX_T_I64, 30, a64_imm(l, ORYX_T_I64, l->pc + 4));
    branch(l, target(l, f->i, 26));
}

/* --- Compare and branch, test and branch --------------------------------------------------------------------- */

static void compare_branch(a64_lift *l, const a64_fields *f, unsigned cc)
{
    unsigned type = f->s ? ORYX_T_I64 : ORYX_T_I32;
    branch_if(l, oryx_cmp(l->ir, cc, type, a64_reg(l, type, f->t), a64_imm(l, type, 0)), target(l, f->i, 19));
}

ORYX_INSN(CBZ, "s0110100iiiiiiiiiiiiiiiiiiittttt", "cbz\t%r(s,t), %label(a64_sx(i, 19) * 4)", BASE)
{
    compare_branch(l, f, ORYX_CC_EQ);
}

ORYX_INSN(CBNZ, "s0110101iiiiiiiiiiiiiiiiiiittttt", "cbnz\t%r(s,t), %label(a64_sx(i, 19) * 4)", BASE)
{
    compare_branch(l, f, ORYX_CC_NE);
}

static void test_branch(a64_lift *l, const a64_fields *f, unsigned cc)
{
    unsigned type = f->b & 32 ? ORYX_T_I64 : ORYX_T_I32;
    oryx_val mask = a64_imm(l, type, UINT64_C(1) << f->b);
    branch_if(l, oryx_cmp(l->ir, cc, type, a64_reg(l, type, f->t), mask), target(l, f->i, 14));
}

ORYX_INSN(TBZ, "b0110110bbbbbiiiiiiiiiiiiiittttt", "tbz\t%r(b >> 5, t), #%u(b), %label(a64_sx(i, 14) * 4)", BASE)
{
    test_branch(l, f, ORYX_CC_TSTZ);
}

ORYX_INSN(TBNZ, "b0110111bbbbbiiiiiiiiiiiiiittttt", "tbnz\t%r(b >> 5, t), #%u(b), %label(a64_sx(i, 14) * 4)", BASE)
{
    test_branch(l, f, ORYX_CC_TST);
}
