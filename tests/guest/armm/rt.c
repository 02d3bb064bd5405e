/* Run-time of the bare-metal programs: reset, text, the handler of everything. Called by start-up code and the programs.
 * Invariant: a report is one line, written when it is complete. */
#include "rt.h"

extern u32 vectors[];
volatile u32 resume, hide_bits;
handler *volatile hooks[48];
u8 stack_main[4096] __attribute__((aligned(8)));
static char buffer[512];
static u32 used;

void *memset(void *to, int v, unsigned n)
{
    for (volatile u8 *p = to; n--;)
        *p++ = (u8)v;
    return to;
}

static u32 semihost(u32 op, const void *block)
{
    register u32 r0 __asm__("r0") = op;
    register const void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void put(char c)
{
    buffer[used++] = c;
}

void text(const char *s)
{
    while (*s)
        put(*s++);
}

void hex(u32 v)
{
    int shift = 28;
    while (shift && !(v >> shift & 15))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        put("0123456789abcdef"[v >> shift & 15]);
}

void field(const char *name, u32 v)
{
    put(' ');
    text(name);
    put('=');
    hex(v);
}

void line(void)
{
    put('\n');
    put(0);
    semihost(4, buffer);
    used = 0;
}

void finish(void)
{
    text("end");
    line();
    semihost(0x18, (void *)0x20026);
    for (;;)
        ;
}

/* Every exception arrives here. */
void arrived(struct frame *f, u32 excret)
{
    u32 n = MRS(IPSR);
    if (n < 48 && hooks[n]) {
        hooks[n](f, excret);
        return;
    }
    text(" [");
    hex(n);
    field("ret", excret & 0x1f);
#if __ARM_ARCH > 6
    u32 cfsr = CFSR & ~hide_bits;
    field("cfsr", cfsr);
    field("hfsr", HFSR & ~hide_bits);
    if (cfsr & 0x80)
        field("mmfar", MMFAR);
    if (cfsr & 0x8000)
        field("bfar", BFAR);
    CFSR = 0xffffffff;
    HFSR = 0xffffffff;
#endif
    if (f) {
        field("pc", resume ? resume - f->pc : f->pc); /* distance to where it goes on */
        field("psr", f->psr & ~0xf8000000); /* code before it may leave any flags */
    }
    text("]");
    if (f && resume) {
        MSR(CONTROL, MRS(CONTROL) & ~1u); /* qemu serves privileged code alone */
        f->pc = resume & ~1u;
        f->psr = (f->psr & ~0x0600fc00u) | 0x01000000;
    }
}

__asm__(".section .vectors,\"a\"\n"
        ".global vectors\n"
        "vectors: .word stack_main + 4096, reset\n"
        ".rept 46\n .word entry\n .endr\n"
        ".text\n .syntax unified\n .thumb\n"
        ".type entry, %function\n"
        "entry: movs r0, #4\n mov r1, lr\n tst r1, r0\n bne 1f\n mrs r0, msp\n b 2f\n1: mrs r0, psp\n"
        "2: push {r1, r2}\n bl arrived\n pop {r1, r2}\n bx r1\n"
        ".type reset, %function\n .global reset\n"
        "reset: bl begin\n");

extern u8 __bss_start_[] __attribute__((weak));

void begin(void)
{
    used = 0;
    resume = hide_bits = 0;
    for (u32 i = 0; i < 48; i++)
        hooks[i] = 0;
#if __ARM_ARCH > 6
    SHCSR = 7u << 16;
#endif
    test();
    finish();
}
