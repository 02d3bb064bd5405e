/* The two worlds: SCR, monitor mode, SMC, banked CP15 registers, what the non-secure world is refused. */
#include "rt.h"

extern char monitor_vectors[], stacks[];
static uint32_t switch_to;

/* smc #1: the world becomes switch_to; any other is printed. */
static int on_smc(uint32_t *frame)
{
    if ((*(uint32_t *)(frame[14] - 4) & 0xf) != 1)
        return 0;
    MCR(15, 0, 1, 1, 0, (MRC(15, 0, 1, 1, 0) & ~1u) | switch_to);
    return 1;
}

static void world(uint32_t ns)
{
    switch_to = ns;
    __asm__ volatile(".inst 0xe1600071" : : : "memory");
}

static void banked(const char *name)
{
    title(name);
    say("sctlr", MRC(15, 0, 1, 0, 0) & 0x3007);
    say("ttbr0", MRC(15, 0, 2, 0, 0));
    say("ttbr1", MRC(15, 0, 2, 0, 1));
    say("ttbcr", MRC(15, 0, 2, 0, 2));
    say("dacr", MRC(15, 0, 3, 0, 0));
    say("dfsr", MRC(15, 0, 5, 0, 0));
    say("ifsr", MRC(15, 0, 5, 0, 1));
    say("dfar", MRC(15, 0, 6, 0, 0));
    say("ifar", MRC(15, 0, 6, 0, 2));
    say("par", MRC(15, 0, 7, 4, 0));
    say("contextidr", MRC(15, 0, 13, 0, 1));
    say("tpidrurw", MRC(15, 0, 13, 0, 2));
    say("tpidruro", MRC(15, 0, 13, 0, 3));
    say("tpidrprw", MRC(15, 0, 13, 0, 4));
    say("vbar", MRC(15, 0, 12, 0, 0) != 0);
}

static void fill(uint32_t v)
{
    MCR(15, 0, 2, 0, 0, v << 14);
    MCR(15, 0, 2, 0, 1, v << 15);
    MCR(15, 0, 2, 0, 2, v & 7);
    MCR(15, 0, 3, 0, 0, v * 3);
    MCR(15, 0, 5, 0, 0, v & 15);
    MCR(15, 0, 5, 0, 1, (v + 1) & 15);
    MCR(15, 0, 6, 0, 0, v * 5);
    MCR(15, 0, 6, 0, 2, v * 7);
    MCR(15, 0, 7, 4, 0, v << 12);
    MCR(15, 0, 13, 0, 1, v * 9);
    MCR(15, 0, 13, 0, 2, v * 10);
    MCR(15, 0, 13, 0, 3, v * 11);
    MCR(15, 0, 13, 0, 4, v * 12);
}

static void refused(uint32_t arg)
{
    say("cpsr", CPSR() & 0x1ff);
    TRY2("mrc p15, 0, r0, c1, c1, 0", "r0"); /* SCR */
    TRY2("mcr p15, 0, r0, c1, c1, 0", "r0");
    TRY2("mrc p15, 0, r0, c1, c1, 1", "r0"); /* SDER */
    TRY2("mcr p15, 0, r0, c1, c1, 2", "r0"); /* NSACR */
    TRY2("mrc p15, 0, r0, c12, c0, 1", "r0"); /* MVBAR */
    TRY2("mcr p15, 0, r0, c7, c8, 4", "r0"); /* translation in the other world */
    TRY("svc #9");
    TRY(".inst 0xe7f000f0");
    TRY(".inst 0xe1600072"); /* smc #2 */
}

static void user(uint32_t arg)
{
    TRY(".inst 0xe1600072");
    TRY2("mrc p15, 0, r0, c1, c1, 0", "r0");
    say("tpidrurw", MRC(15, 0, 13, 0, 2));
    MCR(15, 0, 13, 0, 2, arg);
    say("tpidrurw", MRC(15, 0, 13, 0, 2));
    say("tpidruro", MRC(15, 0, 13, 0, 3));
}

int main(void)
{
    uint32_t v;
    set_vectors();
    smc_handler = on_smc;
    MCR(15, 0, 12, 0, 1, monitor_vectors);
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1020016\n mov sp, %0\n msr cpsr_c, r4" : : "r"(stacks + 0x4000 * 8) : "r4");
    title("secure");
    say("scr", MRC(15, 0, 1, 1, 0));
    say("nsacr", MRC(15, 0, 1, 1, 2));
    TRY(".inst 0xe1600072");
    call_at(user, 0x77, USR | 0xc0);
    MCR(15, 0, 1, 1, 2, 0xc00);
    say("nsacr", MRC(15, 0, 1, 1, 2));
    fill(0x21);
    banked("secure bank");

    title("non-secure");
    world(1);
    set_vectors();
    fill(0x43);
    banked("non-secure bank");
    refused(0);
    say("nsacr", MRC(15, 0, 1, 1, 2));
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1020016\n mrs %0, cpsr\n msr cpsr_c, r4" : "=r"(v) : : "r4"); /* cps #mon: not from here */
    say("cps mon", v & 0x1ff);
    __asm__ volatile("mrs r4, cpsr\n bic r5, r4, #0x1f\n orr r5, r5, #0x16\n msr cpsr_c, r5\n mrs %0, cpsr\n msr cpsr_c, r4" : "=r"(v) : : "r4", "r5");
    say("msr mon", v & 0x1ff);
    call_at(user, 0x88, USR | 0xc0);
    banked("non-secure bank");
    world(0);
    banked("secure bank");

    title("monitor mode");
    /* Looks at either bank while it stays secure. */
    for (unsigned ns = 0; ns < 2; ns++) {
        uint32_t w[4];
        __asm__ volatile("mrs r4, cpsr\n .inst 0xf1020016\n mrc p15, 0, r5, c1, c1, 0\n bic r6, r5, #1\n orr r6, r6, %1\n mcr p15, 0, r6, c1, c1, 0\n"
                         "mrc p15, 0, r6, c3, c0, 0\n str r6, [%0]\n mrc p15, 0, r6, c13, c0, 2\n str r6, [%0, #4]\n"
                         "mrs r6, cpsr\n str r6, [%0, #8]\n mov r6, #0x5a\n mcr p15, 0, r6, c13, c0, 4\n mcr p15, 0, r5, c1, c1, 0\n msr cpsr_c, r4"
                         : : "r"(w), "r"(ns) : "r4", "r5", "r6", "memory");
        say("dacr", w[0]);
        say("tpidrurw", w[1]);
        say("cpsr", w[2] & 0x1ff);
    }
    banked("secure bank");
    /* An exception in monitor mode with SCR.NS set clears it. */
    title("exception in monitor mode");
    quiet = 1;
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1020016\n mrc p15, 0, r5, c1, c1, 0\n orr r6, r5, #1\n mcr p15, 0, r6, c1, c1, 0\n"
                     "svc #3\n mrc p15, 0, r6, c1, c1, 0\n mcr p15, 0, r5, c1, c1, 0\n msr cpsr_c, r4\n mov %0, r6" : "=r"(v) : : "r4", "r5", "r6", "lr", "memory");
    quiet = 0;
    say("scr", v);
    say("kind", last_kind);

    title("FP in the non-secure world");
    if (flags & HAS_V7) {
        MCR(15, 0, 1, 0, 2, 0xf << 20);
        MCR(15, 0, 1, 1, 2, 0);
        __asm__ volatile("mov r0, #0x40000000\n .inst 0xeee80a10" : : : "r0");
        TRY(".inst 0xeeb00a40");
        world(1);
        TRY(".inst 0xeeb00a40"); /* CPACR reads as zero then: qemu 7.2 has something else */
        MCR(15, 0, 1, 0, 2, 0xf << 20);
        world(0);
        say("cpacr", MRC(15, 0, 1, 0, 2));
        MCR(15, 0, 1, 1, 2, 0xc00);
        world(1);
        TRY(".inst 0xeeb00a40");
        world(0);
    }
    title("translation in the other world");
    fill(0);
    MCR(15, 0, 7, 8, 4, 0x12345678);
    say("par", MRC(15, 0, 7, 4, 0) & 0xfffff201);
    MCR(15, 0, 7, 8, 0, 0x12345678);
    say("par", MRC(15, 0, 7, 4, 0) & 0xfffff201);
    title("end");
    finish();
}
