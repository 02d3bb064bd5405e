/* What qemu 7.2 does otherwise than the manual says; manual.want is written by hand from DDI 0487:
 * stack alignment (CheckSPAlignment, which qemu does not do), HVC at EL3 (CallHypervisor), WFE traps, and the syndrome of
 * a trapped MSR DAIFSet (EC 0x18: Op2 19:17, Op1 16:14). */
#include "rt.h"

/* The stack pointer, of a level that handles its own with another one. */
static void stack(uint64_t arg)
{
    (void)arg;
    __asm__ volatile("mov x9, sp\n add sp, sp, #8\n ldr x0, [sp]\n str x0, [sp, #8]\n ldp x0, x1, [sp, #16]\n"
                     "ldr q0, [sp]\n ldxr x0, [sp]\n prfm pldl1keep, [sp]\n ldr x0, 1f\n mov sp, x9\n b 2f\n .balign 8\n1: .quad 0\n2:"
                     : : : "x0", "x1", "x9", "v0", "memory");
}

static void waits(uint64_t arg)
{
    (void)arg;
    TRY("wfe");
    TRY("msr daifset, #2");
    TRY("msr daifclr, #15");
}

static void level1(uint64_t arg)
{
    (void)arg;
    title("EL0 stack alignment");
    run_at(0, 0, stack, 0);
    title("EL0 without stack alignment");
    WRITE(sctlr_el1, READ(sctlr_el1) & ~16ull);
    run_at(0, 0, stack, 0);
    title("EL0 traps");
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(5ull << 16));
    run_at(0, 0, waits, 0);
}

int main(void)
{
    brief = 1;
    title("EL3 calls");
    TRY("hvc #5");
    run_at(1, 1, level1, 0);
    title("end");
    return 0;
}
