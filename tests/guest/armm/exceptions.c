/* SVC, PendSV and interrupts: frames, EXC_RETURN, priorities, masks, tail-chaining, registers of the system control space. */
#include "rt.h"

static u8 stack_process[1024] __attribute__((aligned(8)));
static volatile u32 order[64], used;

static void note(u32 v)
{
    order[used++ & 63] = v;
}

static void show(const char *what)
{
    text(what);
    text(":");
    for (u32 i = 0; i < used; i++) {
        text(" ");
        hex(order[i]);
    }
    used = 0;
    line();
}

static void on_svc(struct frame *f, u32 excret)
{
    u32 number = *(volatile u8 *)(f->pc - 2);
    text(" svc");
    field("n", number);
    field("ret", excret & 0x1f);
    field("icsr", ICSR & 0x1ff);
    field("r0", f->r[0]);
    field("r12", f->r12);
    field("psr", f->psr);
    field("control", MRS(CONTROL));
    field("sp", MRS(MSP) & 7);
    f->r[0] = f->r[0] + f->r[1];
    if (number == 2) /* two at once, to be chained */
        ICSR = 1u << 28;
    if (number == 3)
        MSR(CONTROL, 0);
}

static u32 svc1(u32 a, u32 b)
{
    register u32 r0 __asm__("r0") = a;
    register u32 r1 __asm__("r1") = b;
    __asm__ volatile("svc 1" : "+r"(r0) : "r"(r1) : "r2", "r3", "r12", "lr", "memory", "cc");
    return r0;
}

static void on_pendsv(struct frame *f, u32 excret)
{
    (void)f;
    note(0xe);
    note(excret & 0x1f);
    note(ICSR & 0x1ff);
}

static void irq_note(struct frame *f, u32 excret)
{
    u32 n = MRS(IPSR) - 16;
    (void)f;
    note(0x100 | n);
    note(excret & 0x1f);
    if (n == 5) { /* a more urgent one and a less urgent one */
        ISPR = 1u << 6 | 1u << 4;
        BARRIER();
        note(0x205);
        note(ICSR & 0x1ff);
#if __ARM_ARCH > 6
        note(ICSR >> 11 & 1);
        note(ICSR >> 12 & 0x1ff);
        note(IABR & 0xff);
#endif
    }
}

static void with_sp(u32 misalign)
{
    __asm__ volatile("mrs r4, msp\n subs r4, r4, %0\n mov r5, sp\n msr msp, r4\n isb\n movs r0, #7\n movs r1, #8\n svc 1\n msr msp, r5\n isb\n"
                     :: "r"(misalign) : "r0", "r1", "r2", "r3", "r4", "r5", "r12", "lr", "memory", "cc");
    line();
}

static void frames(void)
{
    text("svc");
    field("back", svc1(3, 4));
    line();
    text("aligned");
    with_sp(8);
    text("odd");
    with_sp(4);
    text("process stack");
    MSR(PSP, (u32)(stack_process + sizeof stack_process - 4));
    u32 old = MRS(CONTROL);
    MSR(CONTROL, 2);
    svc1(1, 2);
    field("psp", MRS(PSP) - (u32)stack_process);
    MSR(CONTROL, old);
    line();
#if __ARM_ARCH > 6 /* Cortex-M0 has nothing else than privileged */
    text("unprivileged");
    MSR(PSP, (u32)(stack_process + sizeof stack_process));
    MSR(CONTROL, 3);
    svc1(1, 2);
    MSR(PRIMASK, 1); /* ignored */
    MSR(MSP, 64);
    field("control", MRS(CONTROL));
    field("primask", MRS(PRIMASK));
    field("msp", MRS(MSP));
    field("ipsr", MRS(IPSR));
    __asm__ volatile("svc 3" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
    MSR(CONTROL, 0);
    field("control", MRS(CONTROL));
    line();
#endif
    text("chained");
    __asm__ volatile("svc 2" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
    line();
    show("order");
}

static void interrupts(void)
{
    for (u32 n = 16; n < 48; n++)
        hooks[n] = irq_note;
    ISER = 0xff;
    IPR(0) = 0xc0c08040;
    IPR(1) = 0x40c0c080; /* 4 at 80, 5 at c0, 6 at c0, 7 at 40 */
    IPR(1) = 0x4040c0c0; /* 4 at c0, 5 at c0, 6 at 40, 7 at 40 */
    field("ipr", IPR(0));
    field("ipr", IPR(1));
    field("iser", ISER);
    field("icer", ICER);
    line();
    ISPR = 1u << 5;
    BARRIER();
    show("nested, then chained");
    MSR(PRIMASK, 1);
    ISPR = 0x8f;
    BARRIER();
    note(ISPR & 0xff);
    note(ICSR >> 12 & 0x1ff);
    note(ICSR >> 22 & 1);
    ICPR = 8;
    BARRIER();
    MSR(PRIMASK, 0);
    show("by priority, by number");
    ICER = 2;
    ISPR = 2;
    BARRIER();
    note(0);
    ISER = 2;
    BARRIER();
    show("when enabled");
    hooks[14] = on_pendsv;
    SHPR3 = 0x00400000;
    MSR(PRIMASK, 1);
    ICSR = 1u << 28;
    ISPR = 1;
    BARRIER();
    note(ICSR >> 28 & 1);
    __asm__ volatile("cpsie i\n isb" ::: "memory");
    show("PendSV at the priority of interrupt 0");
    MSR(PRIMASK, 1);
    ICSR = 1u << 28;
    BARRIER();
    ICSR = 1u << 27;
    BARRIER();
    MSR(PRIMASK, 0);
    show("PendSV taken back");
}

#if __ARM_ARCH > 6
static void masks(void)
{
    MSR(BASEPRI, 0x80);
    ISPR = 1u << 4 | 1u << 1 | 1u << 6; /* c0, 80, 40 */
    BARRIER();
    show("BASEPRI 80 lets 6 in");
    MSR(BASEPRI_MAX, 0xc0);
    note(MRS(BASEPRI));
    MSR(BASEPRI_MAX, 0x40);
    note(MRS(BASEPRI));
    MSR(BASEPRI_MAX, 0);
    note(MRS(BASEPRI));
    MSR(BASEPRI, 0xc0);
    show("and c0 1 too");
    MSR(BASEPRI, 0);
    show("and 0 all");
    MSR(FAULTMASK, 1);
    ISPR = 1;
    ICSR = 1u << 28;
    BARRIER();
    note(MRS(FAULTMASK));
    MSR(FAULTMASK, 0);
    show("FAULTMASK");
    AIRCR = 0x05fa0600; /* groups of one bit: 40 and 00 are one, 80 and c0 */
    note(AIRCR >> 8 & 7);
    ISPR = 1u << 5;
    BARRIER();
    show("groups");
    AIRCR = 0x05fa0000;
    STIR = 3;
    BARRIER();
    show("STIR");
    MSR(PRIMASK, 1);
    TRY("SVC under PRIMASK", "svc 9");
    MSR(PRIMASK, 0);
    /* The stack has no memory: stacking fails, and BusFault, which is more urgent, comes first. */
    SHPR1 = 0x00002000;
    hooks[16] = irq_note;
    text("stacking fails:");
    u32 sp = MRS(MSP);
    MSR(PSP, 0x90000000);
    __asm__ volatile("adr r3, 9f\n adds r3, #1\n str r3, [%0]\n movs r2, #2\n msr control, r2\n isb\n movs r3, #1\n str r3, [%1]\n dsb\n isb\n"
                     ".balign 4\n9:\n" :: "r"(&resume), "r"(0xe000e200) : "r2", "r3", "memory");
    (void)sp;
    MSR(CONTROL, 0);
    resume = 0;
    line();
    show("and the interrupt");
}

static void on_bus(struct frame *f, u32 excret)
{
    text(" bus");
    field("cfsr", CFSR);
    field("ret", excret & 0x1f);
    field("active", IABR & 1);
    (void)f;
    CFSR = 0xffffffff;
    MSR(PSP, (u32)(stack_process + 512)); /* a frame that can be returned to */
    u32 *p = (u32 *)(stack_process + 512);
    p[6] = resume;
    p[7] = 0x01000000;
}

static void bad_returns(void)
{
    static const u32 values[] = { 0xfffffff1, 0xfffffff3, 0xfffffff2, 0xfffffff8 };
    for (u32 i = 0; i < 4; i++) {
        text("EXC_RETURN");
        field("is", values[i]);
        resume = 0;
        __asm__ volatile("push {r4-r11}\n mov r0, %0\n svc 7\n pop {r4-r11}" :: "r"(values[i]) : "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
        line();
    }
}

/* SVC whose handler returns by the value in r0, once. */
static volatile u32 bad_value;
static void on_svc_bad(struct frame *f, u32 excret)
{
    (void)excret;
    bad_value = f->r[0];
    __asm__ volatile("mov r0, %0\n mov sp, %1\n bx r0\n" :: "r"(bad_value), "r"(f) : "r0");
}

static void on_usage(struct frame *f, u32 excret)
{
    text(" usage");
    field("cfsr", CFSR);
    field("lr", excret);
    field("pc", *(volatile u8 *)(f->pc - 2));
    CFSR = 0xffffffff;
    __asm__ volatile("mov sp, %0\n ldr r0, =0xfffffff9\n bx r0" :: "r"(f) : "r0");
}
#endif

void test(void)
{
    hooks[11] = on_svc;
    hooks[14] = on_pendsv;
    text("reset");
    field("control", MRS(CONTROL));
    field("ccr", CCR);
    field("aircr", AIRCR);
    field("xpsr", MRS(XPSR) & ~0xf0000000);
    line();
    frames();
    interrupts();
#if __ARM_ARCH > 6
    hooks[5] = on_bus;
    masks();
    hooks[5] = 0;
    hooks[11] = on_svc_bad;
    hooks[6] = on_usage;
    bad_returns();
#endif
    text("events:");
    __asm__ volatile("sev\n wfe\n" ::: "memory");
    text(" sev");
    MSR(PRIMASK, 1);
    ISPR = 1;
    __asm__ volatile("dsb\n wfi\n" ::: "memory");
    text(" wfi");
    ICPR = 1;
    MSR(PRIMASK, 0);
    line();
}
