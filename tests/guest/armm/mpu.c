/* The MPU: regions, sizes below a page, subregions, overlap, background, execute never, privilege. */
#include "rt.h"

static u8 area[8192] __attribute__((aligned(8192)));
volatile u32 value;

static void region(u32 n, u32 base, u32 rasr)
{
    MPU_RNR = n;
    MPU_RBAR = base;
    MPU_RASR = rasr;
    BARRIER();
}

/* Whether each of `n` words from `at`, `step` apart, can be read and written. */
static volatile u32 failed;
static void on_fault(struct frame *f, u32 excret)
{
    (void)excret;
    failed = 1;
    if (MMFAR != f->r[0])
        failed = 2;
    CFSR = 0xffffffff;
    f->pc += 2;
}

static void map(const char *what, u32 at, u32 step, u32 n, u32 unprivileged)
{
    text(what);
    text(": ");
    hooks[4] = on_fault;
    for (u32 i = 0; i < n; i++) {
        register u32 r0 __asm__("r0") = at + i * step;
        failed = 0;
        MSR(CONTROL, unprivileged);
        __asm__ volatile(".balign 4\n ldrb r1, [r0]\n nop" :: "r"(r0) : "r1", "memory");
        u32 read = failed;
        failed = 0;
        __asm__ volatile(".balign 4\n strb r1, [r0]\n nop" :: "r"(r0) : "r1", "memory");
        __asm__ volatile("svc 0" ::: "r1", "r2", "r3", "r12", "lr", "memory", "cc");
        static const char shown[3][3] = { { 'w', 'r', '!' }, { 'o', '-', '!' }, { '!', '!', '!' } };
        char s[2] = { shown[read][failed], 0 };
        text(s);
    }
    hooks[4] = 0;
    line();
}

static void privileged_again(struct frame *f, u32 excret)
{
    (void)f, (void)excret;
    MSR(CONTROL, 0);
}

#define FULL 0x03000000u
#define RO 0x06000000u
#define PRIV 0x01000000u
#define PRIV_URO 0x02000000u
#define PRIV_RO 0x05000000u
#define XN 0x10000000u
#define SIZE(log2) (((log2) - 1) << 1 | 1)

void test(void)
{
    u32 at = (u32)area;
    hooks[11] = privileged_again;
    field("type", MPU_TYPE >> 8 & 0xff);
    line();
    MPU_CTRL = 5;
    BARRIER();
    map("background", at, 1024, 4, 0);
    map("background, unprivileged", at, 1024, 0, 1);
    region(0, 0, FULL | SIZE(20));
    region(1, 0x20000000, FULL | XN | SIZE(20));
    map("all, unprivileged", at, 1024, 4, 1);
    region(2, at, RO | SIZE(12));
    map("a page read only", at, 512, 16, 0);
    region(2, at + 64, RO | SIZE(5));
    map("32 bytes read only", at, 16, 16, 0);
    region(2, at, PRIV | SIZE(13) | 0x8100);
    map("8 KiB privileged, subregions", at, 512, 16, 1);
    map("the same, privileged", at, 512, 16, 0);
    region(3, at + 2048, PRIV_URO | SIZE(11));
    region(4, at + 3072, PRIV_RO | SIZE(10));
    map("overlap", at, 512, 16, 1);
    map("the same, privileged", at, 512, 16, 0);
    region(2, 0, 0);
    region(3, 0, 0);
    region(4, 0, 0);
    TRY("execute never", "ldr r0, =0x20000401\n bx r0");
    region(2, at, FULL | SIZE(12));
    *(volatile u32 *)(at + 0x40) = 0x4770bf00; /* nop; bx lr */
    BARRIER();
    text("code in memory: ");
    ((void (*)(void))(at + 0x41))();
    text("ran");
    line();
    region(2, at + 0x40, FULL | XN | SIZE(5));
    value = at + 0x41;
    TRY("no longer", "ldr r0, =value\n ldr r0, [r0]\n bx r0");
    region(2, at, RO | SIZE(12));
    text("under FAULTMASK:");
    MSR(FAULTMASK, 1);
    *(volatile u32 *)at = 5;
    MSR(FAULTMASK, 0);
    field("written", *(volatile u32 *)at);
    line();
    MPU_CTRL = 0;
    BARRIER();
    map("off", at, 1024, 4, 1);
    MPU_RBAR = at | 0x15;
    MPU_RASR = FULL | SIZE(5) | 2;
    field("rnr", MPU_RNR);
    field("rbar", MPU_RBAR - at);
    field("rasr", MPU_RASR);
    line();
}
