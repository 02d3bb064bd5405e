/* x87 instructions: SDM 1 8, 5.2. Each is the host's own, by a helper (x86_fpu.c) that gets its code: opcode and ModRM. Stack,
 * tags, rounding, precision and sticky flags are therefore the host's. Invariant: what waits asks for pending exceptions
 * first where one can be pending, which is where the control word unmasks one (X86_MODE_X87_UNMASKED). */
#include "x86_fpu.h"

static oryx_val code(x86_lift *l)
{
    return x86_imm(l, I32, (l->insn->opcode & 7u) << 8 | (uint32_t)l->insn->raw.modrm.mod << 6 | l->insn->raw.modrm.reg << 3 |
                               l->insn->raw.modrm.rm);
}

/* A waiting instruction. */
static void wait(x86_lift *l)
{
    if (l->mode & X86_MODE_X87_UNMASKED)
        x86_call(l, X86_HELPER_X87_CHECK, ORYX_T_VOID, NULL, 0);
}

static int memory_operand(const x86_lift *l)
{
    for (unsigned i = 0; i < l->insn->operand_count_visible; i++)
        if (x86_is_mem(l, i))
            return (int)i;
    return -1;
}

/* Pointers to this instruction and its operand. */
static void note(x86_lift *l, int memory)
{
    uint64_t op = (l->insn->opcode & 7u) << 8 | (uint32_t)l->insn->raw.modrm.mod << 6 | l->insn->raw.modrm.reg << 3 |
                  l->insn->raw.modrm.rm;
    oryx_put(l->ir, I64, X86_OFF(fpu.last), x86_imm(l, I64, (x86_ip(l, l->pc) & 0xffffffffffffu) | op << 48));
    if (memory >= 0)
        oryx_put(l->ir, I64, X86_OFF(fpu.data), x86_ea(l, (unsigned)memory));
}

static void compute(x86_lift *l)
{
    int m = memory_operand(l);
    oryx_val v[3] = {0};
    wait(l);
    if (m < 0) {
        v[0] = code(l);
        x86_call(l, X86_HELPER_X87_OP, ORYX_T_VOID, v, 1);
    } else {
        oryx_val at = x86_ea(l, (unsigned)m);
        unsigned bits = l->op[m].size, type = bits == 16 ? I16 : bits == 32 ? I32 : I64;
        oryx_val low = oryx_load(l->ir, type, at, x86_memop(type)), high = x86_imm(l, I64, 0);
        if (bits == 80)
            high = oryx_zext(l->ir, I64, I16, oryx_load(l->ir, I16, x86_bini(l, ORYX_OP_ADD, I64, at, 8), ORYX_MO_16));
        v[0] = code(l);
        v[1] = oryx_zext(l->ir, I64, type, low);
        v[2] = high;
        x86_call(l, X86_HELPER_X87_LOAD, ORYX_T_VOID, v, 3);
    }
    note(l, m);
}

/* The helper stores to the state block and pops; the pop is undone when the store to memory faults. */
static void store(x86_lift *l, bool pops)
{
    int m = memory_operand(l);
    bool unmasked = l->mode & X86_MODE_X87_UNMASKED;
    if (m < 0) {
        compute(l);
        return;
    }
    wait(l);
    unsigned bits = l->op[m].size, type = bits == 16 ? I16 : bits == 32 ? I32 : I64;
    const oryx_val v[2] = {code(l), x86_imm(l, I32, pops)};
    oryx_val low = x86_call(l, unmasked ? X86_HELPER_X87_STORE_UNMASKED : X86_HELPER_X87_STORE, I64, v, 2);
    uint32_t skip = 0;
    if (unmasked) {
        skip = x86_label(l);
        oryx_local_put(l->ir, I64, 0, low);
        oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_NE, I32, oryx_get(l->ir, I32, X86_OFF(fpu.skip)), x86_imm(l, I32, 0)), skip);
        low = oryx_local_get(l->ir, I64, 0);
    }
    oryx_val at = x86_ea(l, (unsigned)m);
    if (bits == 80)
        oryx_store(l->ir, I16, x86_bini(l, ORYX_OP_ADD, I64, at, 8),
                   oryx_trunc(l->ir, I16, I64, oryx_get(l->ir, I64, X86_OFF(fpu.out[1]))), ORYX_MO_16);
    oryx_store(l->ir, type, at, oryx_trunc(l->ir, type, I64, low), x86_memop(type));
    if (unmasked)
        x86_place(l, skip);
    if (pops)
        oryx_put(l->ir, I32, X86_OFF(fpu.undo), x86_imm(l, I32, 0));
    note(l, m);
}

static void move_if(x86_lift *l, unsigned cc)
{
    wait(l);
    const oryx_val v[2] = {x86_imm(l, I32, l->insn->raw.modrm.rm), oryx_zext(l->ir, I32, I1, x86_cond(l, cc))};
    x86_call(l, X86_HELPER_X87_MOVE_IF, ORYX_T_VOID, v, 2);
    note(l, -1);
}

static void compare_flags(x86_lift *l)
{
    wait(l);
    const oryx_val c = code(l), word = x86_call(l, X86_HELPER_X87_FLAGS, I32, &c, 1);
    x86_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, word, 0, 0, 0));
    note(l, -1);
}

/* --- Loads, stores: SDM 1 8.3.3 -------------------------------------------------------------------------------------------- */

ORYX_INSN(FLD, "d9 /0 Md; dd /0 Mq; db /5 Mt; d9 c0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FILD, "df /0 Mw; db /0 Md; df /5 Mq", FPU)
{
    compute(l);
}
ORYX_INSN(FBLD, "df /4 Mt", FPU)
{
    compute(l);
}
ORYX_INSN(FST, "d9 /2 Md; dd /2 Mq; dd d0+i", FPU)
{
    store(l, false);
}
ORYX_INSN(FSTP, "d9 /3 Md; dd /3 Mq; db /7 Mt; dd d8+i", FPU)
{
    store(l, true);
}
ORYX_INSN(FSTPNCE, "d9 d8+i", FPU)
{
    store(l, true);
}
ORYX_INSN(FIST, "df /2 Mw; db /2 Md", FPU)
{
    store(l, false);
}
ORYX_INSN(FISTP, "df /3 Mw; db /3 Md; df /7 Mq", FPU)
{
    store(l, true);
}
ORYX_INSN(FISTTP, "df /1 Mw; db /1 Md; dd /1 Mq", SSE3)
{
    store(l, true);
}
ORYX_INSN(FBSTP, "df /6 Mt", FPU)
{
    store(l, true);
}
ORYX_INSN(FXCH, "d9 c8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FCMOVB, "da c0+i", CMOV)
{
    move_if(l, 2);
}
ORYX_INSN(FCMOVE, "da c8+i", CMOV)
{
    move_if(l, 4);
}
ORYX_INSN(FCMOVBE, "da d0+i", CMOV)
{
    move_if(l, 6);
}
ORYX_INSN(FCMOVU, "da d8+i", CMOV)
{
    move_if(l, 10);
}
ORYX_INSN(FCMOVNB, "db c0+i", CMOV)
{
    move_if(l, 3);
}
ORYX_INSN(FCMOVNE, "db c8+i", CMOV)
{
    move_if(l, 5);
}
ORYX_INSN(FCMOVNBE, "db d0+i", CMOV)
{
    move_if(l, 7);
}
ORYX_INSN(FCMOVNU, "db d8+i", CMOV)
{
    move_if(l, 11);
}
ORYX_INSN(FLDZ, "d9 ee", FPU)
{
    compute(l);
}
ORYX_INSN(FLD1, "d9 e8", FPU)
{
    compute(l);
}
ORYX_INSN(FLDPI, "d9 eb", FPU)
{
    compute(l);
}
ORYX_INSN(FLDL2E, "d9 ea", FPU)
{
    compute(l);
}
ORYX_INSN(FLDL2T, "d9 e9", FPU)
{
    compute(l);
}
ORYX_INSN(FLDLG2, "d9 ec", FPU)
{
    compute(l);
}
ORYX_INSN(FLDLN2, "d9 ed", FPU)
{
    compute(l);
}

/* --- Arithmetic: SDM 1 8.3.5 ----------------------------------------------------------------------------------------------- */

ORYX_INSN(FADD, "d8 /0 Md; dc /0 Mq; d8 c0+i; dc c0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FADDP, "de c0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FIADD, "da /0 Md; de /0 Mw", FPU)
{
    compute(l);
}
ORYX_INSN(FMUL, "d8 /1 Md; dc /1 Mq; d8 c8+i; dc c8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FMULP, "de c8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FIMUL, "da /1 Md; de /1 Mw", FPU)
{
    compute(l);
}
ORYX_INSN(FSUB, "d8 /4 Md; dc /4 Mq; d8 e0+i; dc e8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FSUBP, "de e8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FISUB, "da /4 Md; de /4 Mw", FPU)
{
    compute(l);
}
ORYX_INSN(FSUBR, "d8 /5 Md; dc /5 Mq; d8 e8+i; dc e0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FSUBRP, "de e0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FISUBR, "da /5 Md; de /5 Mw", FPU)
{
    compute(l);
}
ORYX_INSN(FDIV, "d8 /6 Md; dc /6 Mq; d8 f0+i; dc f8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FDIVP, "de f8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FIDIV, "da /6 Md; de /6 Mw", FPU)
{
    compute(l);
}
ORYX_INSN(FDIVR, "d8 /7 Md; dc /7 Mq; d8 f8+i; dc f0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FDIVRP, "de f0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FIDIVR, "da /7 Md; de /7 Mw", FPU)
{
    compute(l);
}
ORYX_INSN(FSQRT, "d9 fa", FPU)
{
    compute(l);
}
ORYX_INSN(FSCALE, "d9 fd", FPU)
{
    compute(l);
}
ORYX_INSN(FPREM, "d9 f8", FPU)
{
    compute(l);
}
ORYX_INSN(FPREM1, "d9 f5", FPU)
{
    compute(l);
}
ORYX_INSN(FRNDINT, "d9 fc", FPU)
{
    compute(l);
}
ORYX_INSN(FXTRACT, "d9 f4", FPU)
{
    compute(l);
}
ORYX_INSN(FABS, "d9 e1", FPU)
{
    compute(l);
}
ORYX_INSN(FCHS, "d9 e0", FPU)
{
    compute(l);
}

/* --- Comparison, classification: SDM 1 8.3.6 ------------------------------------------------------------------------------- */

ORYX_INSN(FCOM, "d8 /2 Md; dc /2 Mq; d8 d0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FCOMP, "d8 /3 Md; dc /3 Mq; d8 d8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FCOMPP, "de d9", FPU)
{
    compute(l);
}
ORYX_INSN(FICOM, "de /2 Mw; da /2 Md", FPU)
{
    compute(l);
}
ORYX_INSN(FICOMP, "de /3 Mw; da /3 Md", FPU)
{
    compute(l);
}
ORYX_INSN(FUCOM, "dd e0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FUCOMP, "dd e8+i", FPU)
{
    compute(l);
}
ORYX_INSN(FUCOMPP, "da e9", FPU)
{
    compute(l);
}
ORYX_INSN(FCOMI, "db f0+i", CMOV)
{
    compare_flags(l);
}
ORYX_INSN(FUCOMI, "db e8+i", CMOV)
{
    compare_flags(l);
}
ORYX_INSN(FCOMIP, "df f0+i", CMOV)
{
    compare_flags(l);
}
ORYX_INSN(FUCOMIP, "df e8+i", CMOV)
{
    compare_flags(l);
}
ORYX_INSN(FTST, "d9 e4", FPU)
{
    compute(l);
}
ORYX_INSN(FXAM, "d9 e5", FPU)
{
    compute(l);
}

/* --- Transcendental: SDM 1 8.3.7-8.3.10; as the host's unit computes them -------------------------------------------------- */

ORYX_INSN(FSIN, "d9 fe", FPU)
{
    compute(l);
}
ORYX_INSN(FCOS, "d9 ff", FPU)
{
    compute(l);
}
ORYX_INSN(FSINCOS, "d9 fb", FPU)
{
    compute(l);
}
ORYX_INSN(FPTAN, "d9 f2", FPU)
{
    compute(l);
}
ORYX_INSN(FPATAN, "d9 f3", FPU)
{
    compute(l);
}
ORYX_INSN(F2XM1, "d9 f0", FPU)
{
    compute(l);
}
ORYX_INSN(FYL2X, "d9 f1", FPU)
{
    compute(l);
}
ORYX_INSN(FYL2XP1, "d9 f9", FPU)
{
    compute(l);
}

/* --- Stack ----------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(FINCSTP, "d9 f7", FPU)
{
    compute(l);
}
ORYX_INSN(FDECSTP, "d9 f6", FPU)
{
    compute(l);
}
ORYX_INSN(FFREE, "dd c0+i", FPU)
{
    compute(l);
}
ORYX_INSN(FFREEP, "df c0+i", FPU)
{
    compute(l);
}

/* --- Control: SDM 1 8.3.11 ----------------------------------------------------------------------------------------------- */

ORYX_INSN(FNOP, "d9 d0", FPU)
{
    compute(l);
}
ORYX_INSN(FWAIT, "9b", FPU)
{
    wait(l);
}

/* The 8087's and 80287's own: nothing happens. */
ORYX_INSN(FENI8087_NOP, "db e0", FPU)
{
    (void)l;
}
ORYX_INSN(FDISI8087_NOP, "db e1", FPU)
{
    (void)l;
}
ORYX_INSN(FSETPM287_NOP, "db e4", FPU)
{
    (void)l;
}

/* What may unmask exceptions is another mode key. */
static void resync(x86_lift *l)
{
    oryx_resync(l->ir, l->next);
    l->end = 1;
}

ORYX_INSN(FNINIT, "db e3", FPU)
{
    x86_call(l, X86_HELPER_X87_INIT, ORYX_T_VOID, NULL, 0);
    resync(l);
}
ORYX_INSN(FNCLEX, "db e2", FPU)
{
    x86_call(l, X86_HELPER_X87_CLEAR, ORYX_T_VOID, NULL, 0);
}
ORYX_INSN(FNSTCW, "d9 /7 Mw", FPU)
{
    x86_write(l, 0, oryx_get(l->ir, I16, X86_OFF(fpu.cw)));
}

ORYX_INSN(FLDCW, "d9 /5 Mw", FPU)
{
    wait(l);
    oryx_val v = oryx_zext(l->ir, I32, I16, x86_read(l, 0));
    oryx_val other = x86_call(l, X86_HELPER_X87_CONTROL, I32, &v, 1);
    uint32_t same = x86_label(l);
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_EQ, I32, other, x86_imm(l, I32, 0)), same);
    oryx_resync(l->ir, l->next);
    x86_place(l, same);
}

ORYX_INSN(FNSTSW, "dd /7 Mw; df e0 AX", FPU)
{
    oryx_val v = x86_call(l, X86_HELPER_X87_STATUS, I32, NULL, 0);
    x86_write(l, 0, oryx_trunc(l->ir, I16, I32, v));
}

/* Images in memory. */
static void image(x86_lift *l, unsigned helper, uint32_t what)
{
    int m = memory_operand(l);
    const oryx_val v[2] = {x86_ea(l, (unsigned)m), x86_imm(l, I32, what | (l->insn->operand_width == 16))};
    x86_call(l, helper, ORYX_T_VOID, v, 2);
    resync(l);
}

ORYX_INSN(FNSTENV, "d9 /6 M", FPU)
{
    image(l, X86_HELPER_FNSTENV, 0);
}
ORYX_INSN(FNSAVE, "dd /6 M", FPU)
{
    image(l, X86_HELPER_FNSTENV, 2);
}
ORYX_INSN(FLDENV, "d9 /4 M", FPU)
{
    wait(l);
    image(l, X86_HELPER_FLDENV, 0);
}
ORYX_INSN(FRSTOR, "dd /4 M", FPU)
{
    wait(l);
    image(l, X86_HELPER_FLDENV, 2);
}

static void fx_image(x86_lift *l, unsigned helper, uint32_t wide)
{
    const oryx_val v[2] = {x86_ea(l, 0), x86_imm(l, I32, wide)};
    x86_call(l, helper, ORYX_T_VOID, v, 2);
    resync(l);
}

ORYX_INSN(FXSAVE, "0f ae /0 M", FXSR)
{
    fx_image(l, X86_HELPER_FXSAVE, 0);
}
ORYX_INSN(FXSAVE64, "REX.W 0f ae /0 M", FXSR)
{
    fx_image(l, X86_HELPER_FXSAVE, 1);
}
ORYX_INSN(FXRSTOR, "0f ae /1 M", FXSR)
{
    fx_image(l, X86_HELPER_FXRSTOR, 0);
}
ORYX_INSN(FXRSTOR64, "REX.W 0f ae /1 M", FXSR)
{
    fx_image(l, X86_HELPER_FXRSTOR, 1);
}

/* EDX:EAX chooses the components. */
static void x_image(x86_lift *l, unsigned helper, uint32_t how)
{
    oryx_val mask = x86_bin(l, ORYX_OP_OR, I64, oryx_zext(l->ir, I64, I32, x86_r(l, I32, X86_RAX)),
                            x86_bini(l, ORYX_OP_SHL, I64, oryx_zext(l->ir, I64, I32, x86_r(l, I32, X86_RDX)), 32));
    const oryx_val v[3] = {x86_ea(l, 0), mask, x86_imm(l, I32, how)};
    x86_call(l, helper, ORYX_T_VOID, v, 3);
    resync(l);
}

ORYX_INSN(XSAVE, "0f ae /4 M", XSAVE)
{
    x_image(l, X86_HELPER_XSAVE, 0);
}
ORYX_INSN(XSAVE64, "REX.W 0f ae /4 M", XSAVE)
{
    x_image(l, X86_HELPER_XSAVE, 1);
}
ORYX_INSN(XSAVEOPT, "0f ae /6 M", XSAVEOPT)
{
    x_image(l, X86_HELPER_XSAVE, 2);
}
ORYX_INSN(XSAVEOPT64, "REX.W 0f ae /6 M", XSAVEOPT)
{
    x_image(l, X86_HELPER_XSAVE, 3);
}
ORYX_INSN(XSAVEC, "0f c7 /4 M", XSAVEC)
{
    x_image(l, X86_HELPER_XSAVE, 4);
}
ORYX_INSN(XSAVEC64, "REX.W 0f c7 /4 M", XSAVEC)
{
    x_image(l, X86_HELPER_XSAVE, 5);
}
ORYX_INSN(XRSTOR, "0f ae /5 M", XSAVE)
{
    x_image(l, X86_HELPER_XRSTOR, 0);
}
ORYX_INSN(XRSTOR64, "REX.W 0f ae /5 M", XSAVE)
{
    x_image(l, X86_HELPER_XRSTOR, 1);
}
