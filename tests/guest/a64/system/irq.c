/* Interrupts of the generic timer: taken at each level, masked, routed higher, nested, waited for; virtual interrupts.
 * qemu's machine has a GIC between timer and CPU (-DGIC); in Oryx's the timers' lines are wired to "irq" directly, so they are
 * level-sensitive in both: a handler quietens its timer. */
#include "rt.h"

#define REG(a) (*(volatile uint32_t *)(uint64_t)(a))
#ifdef GIC
static void gic(void)
{
    REG(0x08000000) = 1;
    REG(0x08000100) = 1u << 26 | 1u << 27 | 1u << 30;
    for (unsigned n = 24; n < 32; n += 4)
        REG(0x08000400 + n) = 0x80808080;
    *(volatile uint8_t *)(0x08000400ull + 30) = 0x40; /* CNTP before CNTV */
    REG(0x08010004) = 0xff;
    REG(0x08010000) = 1;
}
static uint32_t acknowledge(void)
{
    return REG(0x0801000c);
}
static void done(uint32_t id)
{
    REG(0x08010010) = id;
}
#else
static void gic(void)
{
}
static uint32_t acknowledge(void)
{
    /* ENABLE, not IMASK, ISTATUS */
    return (READ(cntp_ctl_el0) & 7) == 5 ? 30 : (READ(cntv_ctl_el0) & 7) == 5 ? 27 : level() > 1 && (READ(cnthp_ctl_el2) & 7) == 5 ? 26 : 1023;
}
static void done(uint32_t id)
{
    (void)id;
}
#endif

static volatile unsigned taken, nest;

static int handle(unsigned el, unsigned kind)
{
    uint32_t id = acknowledge();
    taken++;
    put("  irq at EL");
    hex(el);
    say(kind == 1 ? "source" : "kind", id);
    if (id == 30)
        WRITE(cntp_ctl_el0, 3);
    else if (id == 27)
        WRITE(cntv_ctl_el0, 3);
    else if (id == 26)
        WRITE(cnthp_ctl_el2, 3);
    if (nest && id == 27) {
        /* A second one inside the first. */
        uint64_t elr = READ(elr_el1), spsr = READ(spsr_el1);
        nest = 0;
        WRITE(cntp_cval_el0, 0);
        WRITE(cntp_ctl_el0, 1);
        put("  in\n");
        __asm__ volatile("msr daifclr, #2" : : : "memory");
        while (taken < 2)
            ;
        __asm__ volatile("msr daifset, #2" : : : "memory");
        put("  out\n");
        WRITE(elr_el1, elr);
        WRITE(spsr_el1, spsr);
    }
    done(id);
    return 1;
}

static void masks(uint64_t arg)
{
    (void)arg;
    taken = 0;
    title("masked: pending only");
    WRITE(cntv_cval_el0, 0);
    WRITE(cntv_ctl_el0, 1);
    while (!(READ(isr_el1) & 0x80))
        ;
    say("isr", READ(isr_el1));
    say("ctl", READ(cntv_ctl_el0));
    say("taken", taken);
    title("unmasked");
    __asm__ volatile("msr daifclr, #2\n nop\n nop\n msr daifset, #2" : : : "memory");
    say("taken", taken);
    say("ctl", READ(cntv_ctl_el0));
    say("isr", READ(isr_el1));
    title("wait, masked");
    WRITE(cntv_cval_el0, READ(cntvct_el0) + 20000);
    WRITE(cntv_ctl_el0, 1);
    __asm__ volatile("wfi");
    say("late enough", READ(cntvct_el0) >= READ(cntv_cval_el0));
    say("taken", taken);
    __asm__ volatile("msr daifclr, #2\n nop\n msr daifset, #2" : : : "memory");
    say("taken", taken);
    title("wait, unmasked");
    WRITE(cntv_tval_el0, 20000);
    WRITE(cntv_ctl_el0, 1);
    __asm__ volatile("msr daifclr, #2" : : : "memory");
    while (taken < 3)
        __asm__ volatile("wfi");
    __asm__ volatile("msr daifset, #2" : : : "memory");
    say("taken", taken);
    title("busy");
    WRITE(cntv_tval_el0, 5000);
    WRITE(cntv_ctl_el0, 1);
    __asm__ volatile("msr daifclr, #2" : : : "memory");
    while (taken < 4)
        ;
    __asm__ volatile("msr daifset, #2" : : : "memory");
    title("timer masked");
    WRITE(cntv_tval_el0, 0);
    WRITE(cntv_ctl_el0, 3);
    __asm__ volatile("msr daifclr, #2\n nop\n nop\n msr daifset, #2" : : : "memory");
    say("ctl", READ(cntv_ctl_el0));
    say("taken", taken);
    WRITE(cntv_ctl_el0, 0);
    say("off", READ(cntv_ctl_el0));
    WRITE(cntv_cval_el0, ~0ull);
    WRITE(cntv_ctl_el0, 1);
    say("far", READ(cntv_ctl_el0));
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntv_tval_el0, 0xffffffff);
    say("negative", READ(cntv_cval_el0) < READ(cntvct_el0));
    WRITE(cntv_tval_el0, 0x10000);
    say("tval", READ(cntv_tval_el0) <= 0x10000);
    say("cntfrq", READ(cntfrq_el0));
}

static void loop(uint64_t arg)
{
    (void)arg;
    while (!taken)
        ;
}

static void level1(uint64_t arg)
{
    (void)arg;
    masks(0);
    title("nested");
    taken = 0;
    nest = 1;
    WRITE(cntv_cval_el0, 0);
    WRITE(cntv_ctl_el0, 1);
    __asm__ volatile("msr daifclr, #2\n nop\n nop\n msr daifset, #2" : : : "memory");
    say("taken", taken);
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntp_ctl_el0, 0);
    title("EL0, unmasked");
    taken = 0;
    WRITE(cntv_tval_el0, 5000);
    WRITE(cntv_ctl_el0, 1);
    unmasked = 0x80;
    run_at(0, 0, loop, 0);
    say("taken", taken);
    WRITE(cntv_ctl_el0, 0);
}

static void level1_below(uint64_t arg)
{
    (void)arg;
    while (!taken)
        ;
    say("back at", level());
}

static void virtual_one(uint64_t arg)
{
    (void)arg;
    say("isr", READ(isr_el1));
    __asm__ volatile("msr daifclr, #2" : : : "memory");
    while (!taken)
        ;
    __asm__ volatile("msr daifset, #2" : : : "memory");
}

static int handle_virtual(unsigned el, unsigned kind)
{
    taken++;
    put("  virtual at EL");
    hex(el);
    say("kind", kind);
    /* It stays until the hypervisor takes it back: mask it in what is returned to. */
    WRITE(spsr_el1, READ(spsr_el1) | 0x80);
    return 1;
}

static void level2(uint64_t arg)
{
    (void)arg;
    title("EL2");
    WRITE(hcr_el2, 1ull << 31 | 1 << 4);
    masks(0);
    title("EL1 masked, routed to EL2");
    taken = 0;
    WRITE(cntv_tval_el0, 5000);
    WRITE(cntv_ctl_el0, 1);
    run_at(1, 1, level1_below, 0);
    title("hypervisor timer");
    taken = 0;
    WRITE(cnthp_tval_el2, 3000);
    WRITE(cnthp_ctl_el2, 1);
    __asm__ volatile("msr daifclr, #2" : : : "memory");
    while (!taken)
        __asm__ volatile("wfi");
    __asm__ volatile("msr daifset, #2" : : : "memory");
    WRITE(cnthp_ctl_el2, 0);
    title("virtual interrupt");
    taken = 0;
    irq_handler = handle_virtual;
    WRITE(hcr_el2, 1ull << 31 | 1 << 4 | 1 << 7);
    run_at(1, 1, virtual_one, 0);
    irq_handler = handle;
    WRITE(hcr_el2, 1ull << 31);
    title("EL1");
    run_at(1, 1, level1, 0);
}

int main(void)
{
    gic();
    irq_handler = handle;
    if (level() == 2)
        level2(0);
    else
        level1(0);
    title("end");
    return 0;
}
