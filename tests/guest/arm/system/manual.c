/* What no board of qemu shows; the expected output is from the manuals: rotated loads before Armv6 and with SCTLR.U clear, BE-32 (SCTLR.B),
 * FIQ with its banked registers (DDI 0100I A2.8, DDI 0406C D12, D13, B1.9.12). */
#include "rt.h"

static volatile uint32_t data[8] __attribute__((aligned(64)));
static volatile uint32_t taken;

static void fill(void)
{
    for (unsigned k = 0; k < 8; k++)
        data[k] = 0x03020100 + 0x04040404 * k;
}

static void rotated(void)
{
    uint32_t v, w;
    fill();
    for (unsigned k = 0; k < 4; k++) {
        __asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"((uint32_t)data + k) : "memory");
        say("ldr", v);
    }
    __asm__ volatile("ldrh %0, [%1]" : "=r"(v) : "r"((uint32_t)data + 3) : "memory");
    say("ldrh", v);
    __asm__ volatile("ldrb %0, [%1]" : "=r"(v) : "r"((uint32_t)data + 3) : "memory");
    say("ldrb", v);
    __asm__ volatile("str %0, [%1]" : : "r"(0xaabbccdd), "r"((uint32_t)data + 2) : "memory");
    say("str", data[0]);
    __asm__ volatile("ldmia %2, {r0, r1}\n mov %0, r0\n mov %1, r1" : "=r"(v), "=r"(w) : "r"((uint32_t)data + 6) : "r0", "r1", "memory");
    say("ldm", v);
    say("ldm", w);
    __asm__ volatile("swp %0, %1, [%2]" : "=&r"(v) : "r"(0x11223344), "r"((uint32_t)data + 13) : "memory");
    say("swp", v);
    say("swp", data[3]);
}

static void be32(void)
{
    uint32_t v;
    fill();
    uint32_t sctlr = MRC(15, 0, 1, 0, 0), byte[4], half[2], word;
    volatile uint8_t *b = (uint8_t *)data;
    volatile uint16_t *h = (uint16_t *)data;
    MCR(15, 0, 1, 0, 0, sctlr | 1u << 7);
    for (unsigned k = 0; k < 4; k++)
        byte[k] = b[k];
    half[0] = h[0], half[1] = h[1];
    word = data[0];
    b[4] = 0xaa;
    h[5] = 0xbbcc;
    MCR(15, 0, 1, 0, 0, sctlr);
    for (unsigned k = 0; k < 4; k++)
        say("byte", byte[k]);
    say("half", half[0]);
    say("half", half[1]);
    say("word", word);
    say("strb", data[1]);
    say("strh", data[2]);
    (void)v;
}

static int on_fiq(unsigned n, uint32_t *frame)
{
    taken++;
    say("vector", n);
    say("cpsr", CPSR() & 0x1ff);
    say("spsr", frame[13] & 0x1ff);
    say("r8", frame[8]);
    MCR(15, 0, 14, 2, 1, 0);
    frame[14] -= 4;
    return 1;
}

static void fiq(void)
{
    uint32_t v;
    irq_handler = on_fiq;
    __asm__ volatile("mrs r4, cpsr\n msr cpsr_c, #0xd1\n mov r8, #0xf1\n msr cpsr_c, r4\n mov r8, #0x0f" : : : "r4", "r8", "cc");
    register uint32_t low __asm__("r0") = 1, high __asm__("r1") = 0;
    __asm__ volatile(".inst 0xec410f2e" : : "r"(low), "r"(high)); /* CNTP_CVAL */
    MCR(15, 0, 14, 2, 1, 1);
    say("isr", MRC(15, 0, 12, 1, 0));
    say("taken", taken);
    __asm__ volatile("mrs r4, cpsr\n mov r8, #0x0f\n .inst 0xf1080080\n nop\n mov r5, r8\n .inst 0xf1080040\n nop\n mov %0, r8\n msr cpsr_c, r4"
                     : "=r"(v) : : "r4", "r5", "r8", "memory"); /* cpsie i lets no FIQ in, cpsie f does */
    say("taken", taken);
    say("r8", v);
    say("isr", MRC(15, 0, 12, 1, 0));
}

int main(void)
{
    set_vectors();
    if (!(flags & HAS_V7)) {
        title("rotated");
        rotated();
        title("BE-32");
        be32();
    }
    if (flags & HAS_LPAE) {
        title("fiq");
        fiq();
    }
    title("end");
    finish();
}
