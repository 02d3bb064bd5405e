/* Interrupts from the generic timer: taken or masked by CPSR.I, in ARM and Thumb code and IT blocks, in usr mode, while another exception
 * is handled; LR and SPSR; WFI; ISR. Under qemu the lines go through its GIC. */
#include "rt.h"

#define TIMERS(op1, reg, v) MCR(15, 0, 14, reg, op1, v)
static volatile uint32_t taken, physical;

static void cval(unsigned phys, uint64_t v)
{
    register uint32_t low __asm__("r0") = (uint32_t)v, high __asm__("r1") = (uint32_t)(v >> 32);
    if (phys)
        __asm__ volatile(".inst 0xec410f2e" : : "r"(low), "r"(high)); /* mcrr p15, 2, r0, r1, c14 */
    else
        __asm__ volatile(".inst 0xec410f3e" : : "r"(low), "r"(high));
}

static void control(unsigned phys, uint32_t v)
{
    if (phys)
        MCR(15, 0, 14, 2, 1, v);
    else
        MCR(15, 0, 14, 3, 1, v);
    __asm__ volatile(".inst 0xf57ff06f");
}

static void gic(void)
{
#ifdef QEMU
    volatile uint32_t *d = (uint32_t *)0x08000000, *c = (uint32_t *)0x08010000;
    c[1] = 0xff; /* PMR */
    c[0] = 1;
    d[0] = 1;
    d[0x100 / 4] = 1u << 27 | 1u << 30; /* PPI 27: virtual, 30: physical */
#endif
}

static uint32_t acknowledge(void)
{
#ifdef QEMU
    return ((volatile uint32_t *)0x08010000)[3];
#else
    return 0;
#endif
}

static int on_irq(unsigned n, uint32_t *frame)
{
    uint32_t isr = MRC(15, 0, 12, 1, 0) & 0x80, id = acknowledge();
    taken++;
    say("irq", n);
    say("spsr", frame[13] & 0x0fffffff);
    say("cpsr", CPSR() & 0x0fffffff);
    say("isr", isr);
    say("timer", MRC(15, 0, 14, 3, 1) | MRC(15, 0, 14, 2, 1) << 4);
    control(0, 0);
    control(1, 0);
#ifdef QEMU
    ((volatile uint32_t *)0x08010000)[4] = id;
#endif
    frame[14] -= 4;
    return 1;
}

/* A timer that is already due, let in at once. */
static void due(uint32_t phys)
{
    cval(phys, 1);
    control(phys, 1);
}

static void unmask(uint32_t arg)
{
    uint32_t before = taken;
    due(arg);
    for (volatile int i = 0; taken == before && i < 100000; i++)
        ;
    say("taken", taken - before);
}

static void masked(uint32_t arg)
{
    uint32_t before = taken;
    due(arg);
    for (volatile int i = 0; i < 100; i++)
        ;
    say("taken", taken - before);
    say("isr", MRC(15, 0, 12, 1, 0) & 0x80);
    control(arg, 3); /* masked at the timer */
    say("isr", MRC(15, 0, 12, 1, 0) & 0x80);
    say("ctl", arg ? MRC(15, 0, 14, 2, 1) : MRC(15, 0, 14, 3, 1));
    control(arg, 1);
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1080080\n nop\n nop\n msr cpsr_c, r4" : : : "r4", "memory"); /* cpsie i */
    say("taken", taken - before);
}

static void user_due(uint32_t arg)
{
    uint32_t before = taken;
    for (volatile int i = 0; taken == before && i < 1000; i++)
        ;
    say("taken", taken - before);
    TRY2("mrc p15, 0, r0, c14, c3, 1", "r0"); /* not allowed by CNTKCTL */
    TRY2("mrc p15, 0, r0, c14, c0, 0", "r0");
    TRY2(".inst 0xec510f1e", "r0", "r"(0));   /* CNTVCT */
}

static void user_allowed(uint32_t arg)
{
    TRY2("mrc p15, 0, r0, c14, c3, 1", "r0");
    TRY2("mrc p15, 0, r0, c14, c2, 1", "r0");
    TRY2("mrc p15, 0, r0, c14, c0, 0", "r0");
    TRY2(".inst 0xec510f1e", "r0", "r"(0));
    TRY2(".inst 0xec510f0e", "r0", "r"(0));
    TRY2("mcr p15, 0, r0, c14, c0, 0", "r0");
}

/* In svc's handler, which masks IRQ, and behind it. */
static void nested(void)
{
    uint32_t before = taken;
    due(0);
    TRY("svc #1");
    say("taken in svc", taken - before);
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1080080\n nop\n msr cpsr_c, r4" : : : "r4", "memory");
    say("taken", taken - before);
}

static void wait(void)
{
    uint32_t before = taken, low, high;
    __asm__ volatile(".inst 0xec510f1e\n mov %0, r0\n mov %1, r1" : "=r"(low), "=r"(high) : : "r0", "r1");
    cval(0, ((uint64_t)high << 32 | low) + 200000);
    control(0, 1);
    __asm__ volatile(".inst 0xe320f003" : : : "memory"); /* WFI wakes up with the interrupt masked */
    say("isr", MRC(15, 0, 12, 1, 0) & 0x80);
    say("taken", taken - before);
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1080080\n nop\n msr cpsr_c, r4" : : : "r4", "memory");
    say("taken", taken - before);
    MCR(15, 0, 14, 3, 0, 100000); /* TVAL */
    control(0, 1);
    __asm__ volatile("mrs r4, cpsr\n .inst 0xf1080080\n .inst 0xe320f003\n msr cpsr_c, r4" : : : "r4", "memory");
    say("taken", taken - before);
}

int main(void)
{
    set_vectors();
    gic();
    irq_handler = on_irq;
    say("cntfrq", MRC(15, 0, 14, 0, 0));
    for (unsigned phys = 0; phys < 2; phys++) {
        title(phys ? "physical" : "virtual");
        masked(phys);
        call_at(unmask, phys, SVC | 0x40);
        call_at(unmask, phys, SYS | 0x40);
        call_at(unmask, phys, SYS);
    }
    title("usr");
    MCR(15, 0, 14, 1, 0, 0);
    due(0);
    call_at(user_due, 0, USR);
    MCR(15, 0, 14, 1, 0, 0x303);
    call_at(user_allowed, 0, USR);
    title("nested");
    nested();
    title("wfi");
    wait();
    title("end");
    finish();
}
