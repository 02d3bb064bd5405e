/* The FP extension around exceptions: access, context creation, the extended frame, lazy stacking. */
#include "rt.h"

static volatile u32 seen_fpccr, seen_fpcar, before;

static u32 s0(void)
{
    u32 v;
    __asm__ volatile("vmov %0, s0" : "=r"(v));
    return v;
}

static void set_s(u32 v)
{
    __asm__ volatile("vmov s0, %0\n vmov s15, %0\n vmov s16, %0" :: "r"(v));
}

static void show(struct frame *f, u32 excret)
{
    field("ret", excret & 0x1f);
    field("control", MRS(CONTROL));
    field("lspact", FPCCR & 1);
    field("fpccr", FPCCR & 0xc000000b);
    field("car", FPCCR & 1 ? FPCAR - (u32)f : 0);
}

static void quiet(struct frame *f, u32 excret) /* uses no FP */
{
    show(f, excret);
}

static void uses(struct frame *f, u32 excret)
{
    u32 fpscr;
    show(f, excret);
    __asm__ volatile("vmrs %0, fpscr" : "=r"(fpscr));
    field("fpscr", fpscr);
    set_s(0x40000000);
    field("then lspact", FPCCR & 1);
    field("control", MRS(CONTROL));
    field("saved", ((volatile u32 *)f)[8]);
    field("saved", ((volatile u32 *)f)[23]);
    field("fpscr", ((volatile u32 *)f)[24]);
}

static void nested(struct frame *f, u32 excret)
{
    show(f, excret);
    ICSR = 1u << 28;
    BARRIER();
    field("after", FPCCR & 1);
    set_s(0x41000000);
    field("then", FPCCR & 1);
}

static void svc(const char *what)
{
    text(what);
    text(":");
    __asm__ volatile("svc 0" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
    field("back", MRS(CONTROL));
    line();
}

static void all(const char *what)
{
    text(what);
    line();
    MSR(CONTROL, 0);
    svc("no context");
    hooks[11] = uses;
    svc("no context, used");
    hooks[11] = quiet;
    set_s(0x3f800000);
    svc("context");
    field("s0", s0());
    line();
    hooks[11] = uses;
    __asm__ volatile("vmsr fpscr, %0" :: "r"(0x00c0001f));
    set_s(0x3f800000);
    svc("context, used");
    field("s0", s0());
    u32 v;
    __asm__ volatile("vmrs %0, fpscr" : "=r"(v));
    field("fpscr", v);
    __asm__ volatile("vmov %0, s16" : "=r"(v));
    field("s16", v);
    __asm__ volatile("vmsr fpscr, %0" :: "r"(0));
    line();
    hooks[11] = nested;
    hooks[14] = uses;
    set_s(0x3f800000);
    svc("nested");
    field("s0", s0());
    line();
    hooks[11] = quiet;
}

void test(void)
{
    hooks[11] = quiet;
    hooks[14] = quiet;
    field("cpacr", CPACR);
    field("fpccr", FPCCR);
    field("fpdscr", FPDSCR);
    field("mvfr0", REG(0xe000ef40));
    field("mvfr1", REG(0xe000ef44));
    line();
    TRY("not enabled", "vmov s0, s1");
    TRY("not enabled, vldr", "ldr r0, =0x20000000\n vldr s0, [r0]");
    TRY("not executed", "movs r0, #0\n it ne\n vmovne.f32 s0, s1");
    TRY("another coprocessor", ".inst.w 0xee000510");
    CPACR = 0xf00000;
    BARRIER();
    TRY("enabled", "vmov s0, s1");
#ifdef __ARM_FEATURE_FMA
    TRY("double", ".inst.w 0xee310b02"); /* vadd.f64 d0, d1, d2 */
#endif
    field("control", MRS(CONTROL));
    line();
    all("lazy");
    FPCCR = 0x80000000;
    all("automatic, not lazy");
    FPCCR = 0;
    all("by hand");
    FPCCR = 0xc0000000;
    FPDSCR = 0x03c00000;
    hooks[11] = uses;
    MSR(CONTROL, 0);
    svc("FPDSCR");
    FPDSCR = 0;
    CPACR = 0x500000; /* privileged only */
    BARRIER();
    MSR(CONTROL, 0);
    TRY("unprivileged", "movs r0, #1\n msr control, r0\n isb\n vmov s0, s1");
    CPACR = 0xf00000;
    BARRIER();
}
