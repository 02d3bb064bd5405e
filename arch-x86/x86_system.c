/* Calls into the system, identification, barriers, hints, and what user programs may not do: SDM
 * 1 5.1.8-5.1.17, 5.20. */
#include "x86.h"

/* --- Calls and traps: the exception's pc is the next instruction
 * ------------------------------------------------------------- */

static void trap(x86_lift *l, unsigned exc, uint64_t syndrome)
{
    oryx_raise(l->ir, exc, oryx_const(l->ir, I64, syndrome), l->next);
    l->end = 1;
}

ORYX_INSN(SYSCALL, "0f 05", LONG)
{
    if (!x86_is64(l)) {
        x86_undefined(l);
        return;
    }
    oryx_val flags = x86_call(l, X86_HELPER_EFLAGS, I32, NULL, 0);
    x86_set_r(l, I64, X86_RCX, x86_imm(l, I64, l->next));
    x86_set_r(l, I32, 11, x86_bini(l, ORYX_OP_AND, I32, flags, ~X86_RF));
    trap(l, ORYX_EXC_SYSCALL, 0x100);
}

ORYX_INSN(SYSENTER, "0f 34", I386)
{
    trap(l, ORYX_EXC_SYSCALL, 0x101);
}

/* Vector 80h is Linux's system call; the others are refused to user programs as its kernel does. */
ORYX_INSN(INT, "cd ib Ib", BASE)
{
    uint64_t n = l->op[0].imm.value.u & 0xff;
    if (n == 0x80)
        trap(l, ORYX_EXC_SYSCALL, n);
    else if (n == X86_VEC_BP)
        trap(l, ORYX_EXC_BREAKPOINT, n);
    else if (n == X86_VEC_OF)
        trap(l, ORYX_EXC_TRAP, n);
    else
        x86_raise(l, ORYX_EXC_PRIVILEGED, X86_VEC_GP | X86_ERROR_CODE(n << 3 | 2));
}

ORYX_INSN(INT3, "cc", BASE)
{
    trap(l, ORYX_EXC_BREAKPOINT, X86_VEC_BP);
}
ORYX_INSN(INT1, "f1", I386)
{
    trap(l, ORYX_EXC_TRAP, X86_VEC_DB);
}

ORYX_INSN(INTO, "ce", BASE)
{
    uint32_t skip = x86_label(l);
    oryx_brc(l->ir, oryx_flcond(l->ir, ORYX_FC_NO, x86_flags(l)), skip);
    oryx_raise(l->ir, ORYX_EXC_TRAP, oryx_const(l->ir, I64, X86_VEC_OF), l->next);
    x86_place(l, skip);
}

ORYX_INSN(BOUND, "62 /r Gv,Ma", I186)
{
    unsigned type = x86_op_type(l, 0), size = oryx_type_size(type),
             log2 = (unsigned)__builtin_ctz(size);
    oryx_val at = x86_ea(l, 1), low = oryx_load(l->ir, type, at, log2);
    oryx_val high = oryx_load(l->ir, type, x86_bini(l, ORYX_OP_ADD, I64, at, size), log2),
             v = x86_read(l, 0);
    oryx_val out = x86_bin(l, ORYX_OP_OR, I1, oryx_cmp(l->ir, ORYX_CC_LTS, type, v, low),
                           oryx_cmp(l->ir, ORYX_CC_GTS, type, v, high));
    x86_raise_if(l, out, ORYX_EXC_TRAP, X86_VEC_BR);
}

ORYX_INSN(UD0, "0f ff /r", BASE)
{
    x86_undefined(l);
}
ORYX_INSN(UD1, "0f b9 /r", BASE)
{
    x86_undefined(l);
}
ORYX_INSN(UD2, "0f 0b", BASE)
{
    x86_undefined(l);
}

/* --- Identification, time, random numbers
 * --------------------------------------------------------------------------------------- */

ORYX_INSN(CPUID, "0f a2", I486)
{
    x86_call(l, X86_HELPER_CPUID, ORYX_T_VOID, NULL, 0);
}

static void time_stamp(x86_lift *l)
{
    oryx_val t = x86_call(l, X86_HELPER_RDTSC, I64, NULL, 0);
    x86_set_r(l, I32, X86_RAX, oryx_trunc(l->ir, I32, I64, t));
    x86_set_r(l, I32, X86_RDX, oryx_trunc(l->ir, I32, I64, x86_bini(l, ORYX_OP_SHR, I64, t, 32)));
}

ORYX_INSN(RDTSC, "0f 31", I486)
{
    time_stamp(l);
}

ORYX_INSN(RDTSCP, "0f 01 f9", RDTSCP)
{
    time_stamp(l);
    x86_set_r(l, I32, X86_RCX, oryx_get(l->ir, I32, X86_OFF(tsc_aux)));
}

ORYX_INSN(RDPID, "F3 0f c7 /7 Rv", RDPID)
{
    x86_write(l, 0,
              oryx_zext(l->ir, x86_op_type(l, 0), I32, oryx_get(l->ir, I32, X86_OFF(tsc_aux))));
}

ORYX_INSN(XGETBV, "0f 01 d0", XSAVE)
{
    unsigned top = l->features & X86_FEAT(XSAVEC) ? 1 : 0; /* 1: those of them in use */
    x86_raise_if(l, oryx_cmp(l->ir, ORYX_CC_GTU, I32, x86_r(l, I32, X86_RCX), x86_imm(l, I32, top)),
                 ORYX_EXC_PRIVILEGED, X86_VEC_GP | X86_ERROR_CODE(0));
    oryx_val ecx = x86_r(l, I32, X86_RCX), v = x86_call(l, X86_HELPER_XGETBV, I64, &ecx, 1);
    x86_set_r(l, I32, X86_RAX, oryx_trunc(l->ir, I32, I64, v));
    x86_set_r(l, I32, X86_RDX, oryx_trunc(l->ir, I32, I64, x86_bini(l, ORYX_OP_SHR, I64, v, 32)));
}

/* A number every time: C is 1. */
static void random_number(x86_lift *l)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val v = x86_call(l, X86_HELPER_RANDOM, I64, NULL, 0);
    x86_write(l, 0, oryx_trunc(l->ir, type, I64, v));
    x86_set_flags(
        l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, x86_imm(l, I32, ORYX_FLAG_C), 0, 0, 0));
}

ORYX_INSN(RDRAND, "0f c7 /6 Rv", RDRAND)
{
    random_number(l);
}
ORYX_INSN(RDSEED, "0f c7 /7 Rv", RDSEED)
{
    random_number(l);
}

/* --- Segment bases
 * ------------------------------------------------------------------------------------------------------------------
 */

static void read_base(x86_lift *l, unsigned seg)
{
    unsigned type = x86_op_type(l, 0);
    x86_write(l, 0, oryx_trunc(l->ir, type, I64, oryx_get(l->ir, I64, X86_OFF_SEG(seg, base))));
}

/* Bits 63-47 must be alike. */
static void write_base(x86_lift *l, unsigned seg)
{
    unsigned type = x86_op_type(l, 0);
    if (type == I64) {
        oryx_val v = x86_read(l, 0), back = oryx_bfx(l->ir, ORYX_OP_SBFX, I64, v, 0, 48);
        x86_raise_if(l, oryx_cmp(l->ir, ORYX_CC_NE, I64, v, back), ORYX_EXC_PRIVILEGED,
                     X86_VEC_GP | X86_ERROR_CODE(0));
    }
    oryx_put(l->ir, I64, X86_OFF_SEG(seg, base), oryx_zext(l->ir, I64, type, x86_read(l, 0)));
}

ORYX_INSN(RDFSBASE, "F3 0f ae /0 Ry", FSGSBASE)
{
    read_base(l, X86_FS);
}
ORYX_INSN(RDGSBASE, "F3 0f ae /1 Ry", FSGSBASE)
{
    read_base(l, X86_GS);
}
ORYX_INSN(WRFSBASE, "F3 0f ae /2 Ry", FSGSBASE)
{
    write_base(l, X86_FS);
}
ORYX_INSN(WRGSBASE, "F3 0f ae /3 Ry", FSGSBASE)
{
    write_base(l, X86_GS);
}

/* --- Barriers and hints
 * ----------------------------------------------------------------------------------------------------------------
 */

static void fence(x86_lift *l, unsigned order)
{
    oryx_ir_emit(l->ir, ORYX_OP_FENCE, 0, 0, 0, 0, 0, order);
}

ORYX_INSN(MFENCE, "0f ae f0", SSE2)
{
    fence(l, ORYX_ORDER_SEQ);
}
ORYX_INSN(LFENCE, "0f ae e8", SSE2)
{
    fence(l, ORYX_ORDER_ACQUIRE);
}
ORYX_INSN(SFENCE, "0f ae f8", SSE)
{
    fence(l, ORYX_ORDER_RELEASE);
}

/* A line must be readable. */
static void touch(x86_lift *l)
{
    oryx_load(l->ir, I8, x86_ea(l, 0), ORYX_MO_8);
}

ORYX_INSN(CLFLUSH, "0f ae /7 Mb", SSE2)
{
    touch(l);
}
ORYX_INSN(CLFLUSHOPT, "66 0f ae /7 Mb", CLFLUSHOPT)
{
    touch(l);
}
ORYX_INSN(CLWB, "66 0f ae /6 Mb", CLWB)
{
    touch(l);
}

ORYX_INSN(NOP, "90; 0f 1f /0 Ev; 0f 18-1f", BASE)
{
    (void)l;
}

/* With REX.B it is the exchange of r8 with the accumulator that the opcode means without F3. */
ORYX_INSN(PAUSE, "F3 90", BASE)
{
    if (!l->insn->raw.rex.B)
        return;
    unsigned type = l->insn->raw.rex.W                                   ? I64
                    : l->insn->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE ? I16
                                                                         : I32;
    oryx_val a = x86_r(l, type, X86_RAX), b = x86_r(l, type, 8);
    x86_set_r(l, type, X86_RAX, b);
    x86_set_r(l, type, 8, a);
}

ORYX_INSN(ENDBR64, "F3 0f 1e fa", NOPL)
{
    (void)l;
}
ORYX_INSN(ENDBR32, "F3 0f 1e fb", NOPL)
{
    (void)l;
}
ORYX_INSN(RDSSPD, "F3 0f 1e /1 Rd", NOPL)
{
    (void)l;
}
ORYX_INSN(RDSSPQ, "F3 REX.W 0f 1e /1 Rq", NOPL)
{
    (void)l;
}
ORYX_INSN(PREFETCHNTA, "0f 18 /0 Mb", SSE)
{
    (void)l;
}
ORYX_INSN(PREFETCHT0, "0f 18 /1 Mb", SSE)
{
    (void)l;
}
ORYX_INSN(PREFETCHT1, "0f 18 /2 Mb", SSE)
{
    (void)l;
}
ORYX_INSN(PREFETCHT2, "0f 18 /3 Mb", SSE)
{
    (void)l;
}
ORYX_INSN(PREFETCHW, "0f 0d /1 Mb", SSE)
{
    (void)l;
}
ORYX_INSN(PREFETCH, "0f 0d /0 Mb", SSE)
{
    (void)l;
}

/* --- What needs a privilege that user programs lack
 * --------------------------------------------------------------------------------------- */

ORYX_INSN(HLT, "f4", BASE)
{
    x86_protection(l);
}
ORYX_INSN(CLI, "fa", BASE)
{
    x86_protection(l);
}
ORYX_INSN(STI, "fb", BASE)
{
    x86_protection(l);
}
ORYX_INSN(CLTS, "0f 06", I386)
{
    x86_protection(l);
}
ORYX_INSN(INVD, "0f 08", I486)
{
    x86_protection(l);
}
ORYX_INSN(WBINVD, "0f 09", I486)
{
    x86_protection(l);
}
ORYX_INSN(INVLPG, "0f 01 /7 M", I486)
{
    x86_protection(l);
}
ORYX_INSN(LGDT, "0f 01 /2 Ms", I386)
{
    x86_protection(l);
}
ORYX_INSN(LIDT, "0f 01 /3 Ms", I386)
{
    x86_protection(l);
}
ORYX_INSN(LLDT, "0f 00 /2 Ew", I386)
{
    x86_protection(l);
}
ORYX_INSN(LTR, "0f 00 /3 Ew", I386)
{
    x86_protection(l);
}
ORYX_INSN(LMSW, "0f 01 /6 Ew", I386)
{
    x86_protection(l);
}
ORYX_INSN(RDMSR, "0f 32", I486)
{
    x86_protection(l);
}
ORYX_INSN(WRMSR, "0f 30", I486)
{
    x86_protection(l);
}
ORYX_INSN(RDPMC, "0f 33", I486)
{
    x86_protection(l);
}
ORYX_INSN(SWAPGS, "0f 01 f8", LONG)
{
    x86_protection(l);
}
ORYX_INSN(SYSRET, "0f 07", LONG)
{
    x86_protection(l);
}
ORYX_INSN(SYSEXIT, "0f 35", I386)
{
    x86_protection(l);
}
ORYX_INSN(XSETBV, "0f 01 d1", XSAVE)
{
    x86_protection(l);
}
ORYX_INSN(IN, "e4 ib AL,Ib; e5 ib eAX,Ib; ec AL,DX; ed eAX,DX", BASE)
{
    x86_protection(l);
}
ORYX_INSN(OUT, "e6 ib Ib,AL; e7 ib Ib,eAX; ee DX,AL; ef DX,eAX", BASE)
{
    x86_protection(l);
}
ORYX_INSN(INSB, "6c", I186)
{
    x86_protection(l);
}
ORYX_INSN(INSW, "6d", I186)
{
    x86_protection(l);
}
ORYX_INSN(INSD, "6d", I386)
{
    x86_protection(l);
}
ORYX_INSN(OUTSB, "6e", I186)
{
    x86_protection(l);
}
ORYX_INSN(OUTSW, "6f", I186)
{
    x86_protection(l);
}
ORYX_INSN(OUTSD, "6f", I386)
{
    x86_protection(l);
}
