/* SysTick: what holds at any speed of the clock. */
#include "rt.h"

static volatile u32 ticks, frames;

static void on_tick(struct frame *f, u32 excret)
{
    (void)f, (void)excret;
    ticks++;
}

void test(void)
{
    SYST_CSR = 0;
    SYST_RVR = 0xff123456;
    SYST_CVR = 77;
    field("reload", SYST_RVR);
    field("value", SYST_CVR);
    field("csr", SYST_CSR & ~4u);
    line();
    hooks[15] = on_tick;
    SYST_RVR = 20000;
    SYST_CVR = 0;
    SYST_CSR = 5;
    u32 over = 0, last = 20000, up = 0;
    for (u32 i = 0; i < 50; i++) {
        u32 now = SYST_CVR;
        over |= now > 20000;
        up += now > last;
        last = now;
    }
    field("over", over);
    field("counts down", up < 20);
    while (!(SYST_CSR & 0x10000))
        ;
    field("flag is cleared", SYST_CSR >> 16 & 1);
    field("no interrupts", ticks);
    line();
    SYST_CSR = 7;
    while (ticks < 3)
        ;
    field("three interrupts", ticks >= 3);
    while (ticks < 5)
        __asm__ volatile("wfi");
    field("waited for", ticks >= 5);
    SYST_CSR = 0;
    u32 still = ticks;
    for (volatile u32 i = 0; i < 1000; i++)
        ;
    field("stopped", ticks == still);
    line();
    ICSR = 1u << 26;
    BARRIER();
    field("pended by software", ticks - still);
    __asm__ volatile("cpsid i" ::: "memory");
    ICSR = 1u << 26;
    BARRIER();
    field("pending", ICSR >> 26 & 1);
    ICSR = 1u << 25;
    BARRIER();
    field("taken back", ICSR >> 26 & 1);
    __asm__ volatile("cpsie i" ::: "memory");
    field("none", ticks - still);
    line();
}
