/* What qemu 7.2 has otherwise than the manual; the expected output is by hand, from DDI 0403E.e: BKPT's HardFault is DEBUGEVT and
 * sets DFSR.BKPT (B1.5.14, C1.6.4); exclusives check alignment (A3.2.1); CCR.BFHFNMIGN (B3.2.8); subregions smaller than a page (B3.5.3); an exception entry with the stack pointer in the MPU's way (MSTKERR) goes to MemManage. */
#include "rt.h"

static u8 area[2048] __attribute__((aligned(1024)));
static u8 memory[64] __attribute__((aligned(32)));

static void on_memory(struct frame *f, u32 excret)
{
    text(" memory");
    field("cfsr", CFSR);
    field("ret", excret & 0x1f);
    CFSR = 0xffffffff;
    MPU_CTRL = 0;
    MSR(PSP, (u32)memory);
    f = (struct frame *)memory;
    f->pc = resume;
    f->psr = 0x01000000;
    ICSR = 1u << 27;
}

static volatile u32 failed;
static void skip(struct frame *f, u32 excret)
{
    failed = 1;
    CFSR = 0xffffffff;
    f->pc += 2;
}

/* 1 KiB read only, of whose eighths 0, 2, 5 and 7 are not part. */
static void subregions(void)
{
    hooks[4] = skip;
    MPU_RNR = 0;
    MPU_RBAR = (u32)area;
    MPU_RASR = 0x06000013 | 0xa500;
    MPU_CTRL = 5;
    BARRIER();
    text("subregions: ");
    for (u32 i = 0; i < 18; i++) {
        failed = 0;
        __asm__ volatile(".balign 4\n strb r1, [%0]\n nop" :: "r"(area + 64 * i) : "memory");
        text(failed ? "r" : "w");
    }
    MPU_CTRL = MPU_RASR = 0;
    BARRIER();
    line();
}

void test(void)
{
    subregions();
    REG(0xe000ed30) = 0x1f;
    TRY("breakpoint", "bkpt 1");
    field("dfsr", REG(0xe000ed30));
    line();
    TRY("unaligned ldrex", "ldr r0, =0x20000102\n ldrex r1, [r0]");
    TRY("unaligned strex", "ldr r0, =0x20000102\n strex r1, r2, [r0]");
    MSR(FAULTMASK, 1);
    CCR |= 0x100;
    BARRIER();
    __asm__ volatile("ldr r0, [%0]\n cmp r0, r0\n ite eq\n ldreq r0, [%0]\n movne r0, #0" :: "r"(0x90000000) : "r0", "memory", "cc");
    text("ignored under FAULTMASK:");
    field("cfsr", CFSR);
    field("bfar", BFAR);
    field("faultmask", MRS(FAULTMASK));
    MSR(FAULTMASK, 0);
    CCR &= ~0x100;
    CFSR = 0xffffffff;
    line();
    /* PSP points to 32 bytes that nobody may write. */
    hooks[4] = on_memory;
    MPU_RNR = 7;
    MPU_RBAR = (u32)memory;
    MPU_RASR = 0x06000009; /* 32 bytes, read only */
    MPU_CTRL = 5;
    BARRIER();
    text("stacking refused:");
    MSR(PSP, (u32)(memory + 32));
    __asm__ volatile("adr r3, 9f\n adds r3, #1\n str r3, [%0]\n movs r2, #2\n msr control, r2\n isb\n svc 1\n.balign 4\n9:\n"
                     :: "r"(&resume) : "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
    MSR(CONTROL, 0);
    resume = 0;
    field("svc pends", SHCSR >> 15 & 1);
    line();
}
