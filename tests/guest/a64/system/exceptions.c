/* Exceptions of every kind at every level there is: vector, ESR, ELR, SPSR, FAR; traps; level changes; illegal returns. */
#include "rt.h"

static unsigned top; /* highest level */
static uint32_t code_at[32] __attribute__((aligned(64)));

static void both(uint64_t arg)
{
    (void)arg;
    say("CurrentEL", level() << 2);
    TRY("svc #0x1234");
    TRY(".inst 0x00000000");                      /* udf */
    TRY("brk #0x42");
    TRY("hlt #1");
    TRY("ldr x0, [%0]", : "r"(UINT64_C(0xdead000000000)) : "x0"); /* beyond the physical addresses */
    TRY("str x0, [%0]", : "r"(UINT64_C(0xbeef000000008)) : "x0");
    TRY("ldr x0, [%0]", : "r"(UINT64_C(0x30000000000)) : "x0");   /* nothing is there */
    TRY("strb wzr, [%0]", : "r"(UINT64_C(0x30000000001)));
    TRY("ldxr x0, [%0]", : "r"((uint64_t)code_at + 4) : "x0");    /* misaligned exclusive */
    TRY("stlr w0, [%0]", : "r"((uint64_t)code_at + 1));
    /* A branch to nowhere, and to an odd address: back behind it. */
    __asm__ volatile("adr x0, 1f\n str x0, [%0]\n br %1\n1:" : : "r"(&resume_at), "r"(UINT64_C(0x30000000100)) : "x0", "memory");
    __asm__ volatile("adr x0, 1f\n str x0, [%0]\n add x0, x0, #2\n br x0\n nop\n1:" : : "r"(&resume_at) : "x0", "memory");
    TRY("mrs x0, s3_5_c15_c2_7", : : "x0");       /* no such register */
    TRY("mrs x0, s3_7_c4_c5_6", : : "x0");
    TRY("msr midr_el1, x0");                      /* read-only */
    TRY(".inst 0xd4a00001");                      /* dcps1 */
    TRY(".inst 0xd6bf03e0");                      /* drps */
}

static void user(uint64_t arg)
{
    both(0);
    if (top != 1)
        TRY("hvc #1");
    if (top != 2)
        TRY("smc #2");
    TRY("eret");
    TRY("mrs x0, sctlr_el1", : : "x0");
    TRY("msr vbar_el1, x0");
    TRY("mrs x0, CurrentEL", : : "x0");
    TRY("msr spsel, #1");
    TRY("mrs x0, daif", : : "x0");
    TRY("msr daif, x0"); /* no DAIFSet that traps: qemu 7.2 has op1 and op2 of its syndrome exchanged */
    TRY("mrs x0, ctr_el0", : : "x0");
    TRY("mrs x0, dczid_el0", : : "x0");
    TRY("dc zva, %0", : "r"(code_at));
    TRY("dc civac, %0", : "r"(code_at));
    TRY("ic ivau, %0", : "r"(code_at));
    TRY("ic iallu");
    TRY("tlbi vmalle1");
    TRY("at s1e1r, x0");
    TRY("dc isw, x0");
    TRY("mrs x0, cntvct_el0", : : "x0");
    TRY("mrs x0, cntpct_el0", : : "x0");
    TRY("mrs x0, cntfrq_el0", : : "x0");
    TRY("mrs x0, cntv_ctl_el0", : : "x0");
    TRY("msr cntp_cval_el0, x0");
    TRY("mrs x0, pmccntr_el0", : : "x0");
    TRY("mrs x0, id_aa64pfr0_el1", : : "x0");
    TRY("msr tpidrro_el0, x0");
    TRY("fadd d0, d0, d1", : : "v0");
    if (arg) {
        TRY("wfi"); /* no WFE: qemu 7.2 does not trap it */
    }
    TRY("mrs x0, mdccsr_el0", : : "x0");
}

static void user_fp(uint64_t arg)
{
    TRY("fmov d0, x0", : : "v0");
    TRY("ldr q0, [%0]", : "r"(code_at) : "v0");
    TRY("mrs x0, fpcr", : : "x0");
    TRY("msr fpsr, x0");
    TRY("ldp d0, d1, [%0]", : "r"(code_at) : "v0", "v1");
    TRY("aese v0.16b, v1.16b", : : "v0");
    TRY("mrs x0, ctr_el0", : : "x0");
    TRY("dc zva, %0", : "r"(code_at));
    TRY("dc civac, %0", : "r"(code_at));
    if (arg)
        TRY("msr daifset, #2");
    TRY("mrs x0, daif", : : "x0");
    say("daif", READ(daif));
    TRY("mrs x0, cntvct_el0", : : "x0");
}

/* secure: no HVC, which qemu 7.2 takes to EL2 from EL3 and from secure EL1, unlike the manual's CallHypervisor. Without EL3 its
 * machine answers SMC, without EL2 HVC, as its own PSCI. */
static void above(uint64_t secure)
{
    if (level() < 3 && !secure && top > 1)
        TRY("hvc #1");
    if (top != 2)
        TRY("smc #2");
    TRY("mrs x0, hcr_el2", : : "x0");
    TRY("mrs x0, scr_el3", : : "x0");
    TRY("mrs x0, sp_el1", : : "x0");
    TRY("mrs x0, cntps_ctl_el1", : : "x0");
    TRY("tlbi alle2");
    TRY("at s1e3r, x0");
    TRY("mrs x0, rvbar_el1", : : "x0");
}

/* ERET to states that do not exist: PSTATE.IL, then the illegal state exception. */
static void illegal_return(uint64_t spsr)
{
    unsigned el = level();
    say("illegal", spsr);
    __asm__ volatile("adr x0, 1f" : : : "x0");
    uint64_t here;
    __asm__ volatile("adr %0, 1f\n cmp %w1, #2\n b.eq 2f\n b.hi 3f\n msr elr_el1, %0\n msr spsr_el1, %2\n b 4f\n"
                     "2: msr elr_el2, %0\n msr spsr_el2, %2\n b 4f\n3: msr elr_el3, %0\n msr spsr_el3, %2\n4: eret\n nop\n1: nop\n"
                     : "=&r"(here) : "r"(el), "r"(spsr) : "memory", "cc", "x0");
}

static void level1(uint64_t arg)
{
    (void)arg;
    title("EL1");
    both(0);
    above(0);
    title("EL1 illegal returns");
    illegal_return(0x3c9);      /* EL2 */
    illegal_return(0x3cd);      /* EL3 */
    illegal_return(0x3c1);      /* EL0 with SP_ELx */
    illegal_return(0x3c6);      /* M[1] */
    illegal_return(0xf00003d3); /* AArch32 supervisor */
    title("EL1 traps of FP");
    WRITE(cpacr_el1, 0);
    TRY("fadd d0, d0, d1", : : "v0");
    TRY("str q0, [%0]", : "r"(code_at));
    TRY("msr fpcr, xzr");
    run_at(0, 0, user_fp, 0);
    WRITE(cpacr_el1, 1 << 20);
    TRY("fadd d0, d0, d1", : : "v0");
    run_at(0, 0, user_fp, 0);
    WRITE(cpacr_el1, 3 << 20);
    title("EL0");
    run_at(0, 0, user, 0);
    title("EL0 with leave");
    WRITE(sctlr_el1, READ(sctlr_el1) | 1 << 26 | 1 << 15 | 1 << 14 | 1 << 9);
    WRITE(cntkctl_el1, 3);
    run_at(0, 0, user_fp, 1);
    title("EL0 waits");
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(5ull << 16));
    run_at(0, 0, user, 1);
    title("stack pointers");
    WRITE(sp_el0, 0x1230);
    say("sp_el0", READ(sp_el0));
    say("spsel", READ(spsel));
    __asm__ volatile("mov x1, sp\n msr spsel, #0\n mov x2, sp\n add sp, sp, #16\n msr spsel, #1\n mov x3, sp\n str x2, [%0]\n"
                     "sub x3, x3, x1\n str x3, [%0, #8]" : : "r"(code_at) : "x1", "x2", "x3", "memory");
    say("as sp", *(uint64_t *)code_at);
    say("difference", *((uint64_t *)code_at + 1));
    say("sp_el0", READ(sp_el0));
    title("alignment");
    WRITE(sctlr_el1, READ(sctlr_el1) | 2);
    TRY("ldr x0, [%0]", : "r"((uint64_t)code_at + 4) : "x0");
    TRY("ldrh w0, [%0]", : "r"((uint64_t)code_at + 1) : "x0");
    TRY("ldp w0, w1, [%0]", : "r"((uint64_t)code_at + 4) : "x0", "x1");
    TRY("str q0, [%0]", : "r"((uint64_t)code_at + 8));
    TRY("ldrb w0, [%0]", : "r"((uint64_t)code_at + 1) : "x0");
    WRITE(sctlr_el1, READ(sctlr_el1) & ~2ull);
    title("pstate");
    WRITE(daif, 0x3c0);
    __asm__ volatile("msr daifclr, #5");
    say("daif", READ(daif));
    __asm__ volatile("msr daifset, #4");
    say("daif", READ(daif));
    __asm__ volatile("msr daifset, #15");
    __asm__ volatile("cmp xzr, xzr");
    say("nzcv", READ(nzcv));
}

static void level1_traps(uint64_t arg)
{
    say("midr", READ(midr_el1));
    say("mpidr", READ(mpidr_el1));
    TRY("mrs x0, id_aa64isar0_el1", : : "x0");
    TRY("mrs x0, sctlr_el1", : : "x0");
    TRY("msr ttbr0_el1, x0");
    TRY("mrs x0, actlr_el1", : : "x0");
    if (top != 2)
        TRY("smc #9");
    TRY("hvc #9");
    TRY("tlbi vmalle1");
    TRY("dc isw, xzr");
    TRY("dc civac, %0", : "r"(code_at));
    TRY("ic iallu");
    TRY("dc zva, %0", : "r"(code_at));
    TRY("mrs x0, cpacr_el1", : : "x0");
    TRY("fadd d0, d0, d1", : : "v0");
    TRY("mrs x0, cntpct_el0", : : "x0");
    TRY("msr cntp_ctl_el0, xzr");
    if (arg) {
        TRY("wfi"); /* no WFE: qemu 7.2 does not trap it */
    }
}

static void svc_only(uint64_t arg)
{
    (void)arg;
    TRY("svc #77");
    TRY("udf #0");
    TRY("mrs x0, vbar_el1", : : "x0");
}

static void with_el2(void)
{
    title("EL2 traps of EL1");
    WRITE(vpidr_el2, 0x12345678);
    WRITE(vmpidr_el2, 0x80000003);
    run_at(1, 1, level1_traps, 0);
    WRITE(hcr_el2, 1ull << 31 | 1 << 13 | 1 << 14 | 1 << 18 | 1 << 19 | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26 | 1 << 28 |
                       1 << 30);
    WRITE(cptr_el2, 0x800037ff);
    WRITE(cnthctl_el2, 0);
    run_at(1, 1, level1_traps, 1);
    WRITE(hcr_el2, 1ull << 31 | (top == 3 ? 1 << 29 : 0)); /* HCD: of no effect with EL3; without, nobody would come back */
    WRITE(cptr_el2, 0x33ff);
    WRITE(cnthctl_el2, 3);
    title("HVC enabled");
    run_at(1, 1, above, 0);
}

static void at2(uint64_t arg)
{
    (void)arg;
    title("EL2");
    both(0);
    above(0);
    illegal_return(0x3cd);
    illegal_return(0x3c9 | 2);
    with_el2();
    WRITE(hcr_el2, 1ull << 31);
    run_at(1, 1, level1, 0);
    title("TGE");
    WRITE(hcr_el2, 1ull << 31 | 1 << 27);
    run_at(0, 0, svc_only, 0);
    illegal_return(0x3c5);
    WRITE(hcr_el2, 1ull << 31);
}

int main(void)
{
    top = level();
    switch (top) {
    case 3:
        title("EL3");
        both(0);
        above(0);
        illegal_return(0x3c1);
        run_at(2, 1, at2, 0);
        title("secure EL1");
        WRITE(scr_el3, 0x530);
        run_at(1, 1, above, 1);
        title("no SMC");
        WRITE(scr_el3, 0x5b1 & ~0x100);
        WRITE(cptr_el3, 0x80000400);
        TRY("fadd d0, d0, d1", : : "v0");
        break;
    case 2:
        at2(0);
        break;
    default:
        level1(0);
    }
    title("end");
    return 0;
}
