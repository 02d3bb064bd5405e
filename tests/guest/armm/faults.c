/* Every kind of fault, with its own handler, escalated, and ignored; where execution goes on. */
#include "rt.h"

#define NOWHERE "0x90000000" /* no region on any of the boards */

static void common(void)
{
    TRY("undefined 16", "udf #1");
    TRY("unaligned ldr", "ldr r0, =0x20000101\n ldr r0, [r0]");
    TRY("unaligned ldrh", "ldr r0, =0x20000101\n ldrh r0, [r0]");
    TRY("unaligned str", "ldr r0, =0x20000103\n str r0, [r0]");
    TRY("unaligned ldm", "ldr r0, =0x20000102\n ldm r0!, {r1, r2}");
    TRY("no memory, load", "ldr r0, =" NOWHERE "\n ldr r0, [r0, #4]");
    TRY("no memory, byte store", "ldr r0, =" NOWHERE "\n strb r0, [r0, #5]");
    TRY("to A32", "ldr r0, =0x100\n bx r0\n nop");
    hide_bits = 3u << 30; /* qemu: HFSR.FORCED; the manual: DEBUGEVT */
    TRY("breakpoint", "bkpt 1");
    hide_bits = 0;
}

#if __ARM_ARCH > 6
static void configurable(void)
{
    TRY("undefined 32", ".inst.w 0xf7f0a123");
    TRY("coprocessor", ".inst.w 0xee000510");
    TRY("coprocessor load", ".inst.w 0xed900500");
    TRY("unaligned ldrd", "ldr r0, =0x20000102\n ldrd r1, r2, [r0]");
    TRY("division", "mov r0, #5\n mov r1, #0\n udiv r2, r0, r1");
    TRY("if-then", "movs r0, #0\n itte eq\n moveq r1, #1\n udfeq #3\n movne r0, #4");
    TRY("not executed", "movs r0, #0\n it ne\n udfne #3");
    CCR |= 0x18;
    BARRIER();
    TRY("trap: unaligned ldr", "ldr r0, =0x20000101\n ldr r0, [r0]");
    TRY("trap: unaligned strh", "ldr r0, =0x20000101\n strh r0, [r0]");
    TRY("trap: division", "mov r0, #5\n mov r1, #0\n udiv r2, r0, r1");
    TRY("trap: signed division", "mov r0, #5\n mov r1, #0\n cmp r1, #0\n it eq\n sdiveq r2, r0, r1");
    TRY("no trap: division", "mov r0, #5\n mov r1, #2\n udiv r2, r0, r1");
    CCR &= ~0x18;
    BARRIER();
    TRY("execute never", "ldr r0, =0x40000001\n bx r0");
    TRY("to the control space", "ldr r0, =0xe000ed01\n bx r0");
    TRY("control space, unprivileged", "mrs r1, control\n orr r2, r1, #1\n msr control, r2\n isb\n ldr r0, =0xe000ed00\n ldr r0, [r0]\n");
    TRY("branch to an EXC_RETURN in thread mode", "ldr r0, =0xfffffff9\n bx r0");
}

/* In a handler: what cannot be taken becomes HardFault. */
static void in_handler(struct frame *f, u32 excret)
{
    (void)f, (void)excret;
    TRY(" nested undefined", "udf #2");
    TRY(" nested bus", "ldr r0, =" NOWHERE "\n ldr r0, [r0]");
}

static void escalated(void)
{
    SHCSR = 0;
    TRY("disabled: undefined", "udf #1");
    TRY("disabled: bus", "ldr r0, =" NOWHERE "\n ldr r0, [r0]");
    TRY("disabled: execute never", "ldr r0, =0x40000001\n bx r0");
    SHCSR = 7u << 16;
    SHPR2 = 0x80000000;
    SHPR1 = 0x00808080;
    hooks[11] = in_handler;
    text("same priority");
    line();
    __asm__ volatile("svc 1" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
    SHPR1 = 0x00404040;
    text("more urgent");
    line();
    __asm__ volatile("svc 1" ::: "r0", "r1", "r2", "r3", "r12", "lr", "memory", "cc");
    SHPR1 = 0;
    SHPR2 = 0;
}
#endif

void test(void)
{
    common();
#if __ARM_ARCH > 6
    configurable();
    escalated();
#endif
}
