/* What every program of this folder uses: the UART, vectors, the handler that prints an exception and leaves. */
#include <stdarg.h>

#include "rt.h"

word frame[36], catch_pc, base_pc;
int fixups;
int (*hook)(unsigned vector);
static uint8_t pages[16 * 4096] __attribute__((aligned(4096)));

#ifdef __mips64
#define KSEG1 0xffffffffa0000000ul
#define KSEG0 0xffffffff80000000ul
#else
#define KSEG1 0xa0000000ul
#define KSEG0 0x80000000ul
#endif

static void put(char c)
{
    *(volatile uint8_t *)(KSEG1 + 0x180003f8) = (uint8_t)c;
}

void say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(*fmt);
            continue;
        }
        fmt++;
        if (*fmt == 's') {
            for (const char *s = va_arg(ap, const char *); *s; s++)
                put(*s == '\n' ? ' ' : *s);
        } else {
            word v = *fmt == 'd' ? (word)va_arg(ap, int) : va_arg(ap, word);
            int n = (int)sizeof(word) * 2;
            while (n > 1 && !(v >> (4 * (n - 1)) & 15))
                n--;
            while (n--)
                put("0123456789abcdef"[v >> (4 * n) & 15]);
        }
    }
    va_end(ap);
}

word page_of(unsigned n)
{
    return ((word)pages + 4096 * n) & 0x1fffffff;
}

void init(void)
{
    extern const uint32_t stub[];
    static const unsigned vectors[] = { 0, 0x80, 0x100, 0x180, 0x200, 0x220, 0x240, 0x260, 0x280, 0x2a0, 0x2c0, 0x2e0 };
    for (unsigned i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        volatile uint32_t *at = (volatile uint32_t *)(KSEG1 + vectors[i]);
        for (unsigned k = 0; k < 4; k++)
            at[k] = stub[k];
        at[3] |= vectors[i];
    }
    SET(12, 0, 0);
    for (unsigned i = 0; i < 64; i++) { /* addresses that nobody uses */
        SETL(10, KSEG0 + (i << 13));
        SET(2, 0, 0);
        SET(3, 0, 0);
        SET(5, 0, 0);
        SET(0, 0, i);
        TLBWI;
    }
    SETL(10, 0);
}

static int addressed(unsigned code)
{
    return (code >= 1 && code <= 5) || code == 19 || code == 20;
}

void handler(void)
{
    word cause = frame[F_CAUSE], code = cause >> 2 & 31;
    if (hook && hook((unsigned)frame[27])) {
        fixups++;
        return;
    }
    say("vector %x code %x", frame[27], code);
    if (cause >> 31 & 1)
        say(" BD");
    if (code == 11)
        say(" CE %x", cause >> 28 & 3);
    say(" EPC %s%x", frame[F_EPC] >= base_pc && frame[F_EPC] < base_pc + 64 ? "+" : "", 
        frame[F_EPC] >= base_pc && frame[F_EPC] < base_pc + 64 ? frame[F_EPC] - base_pc : frame[F_EPC]);
    say(" status %x", frame[F_STATUS] & 0x1f);
    if (addressed((unsigned)code))
        say(" bad %x", frame[F_BAD]);
    if (code >= 1 && code <= 3)
        say(" hi %x context %x", CP0L(10), CP0L(4));
    say("  ");
    frame[F_EPC] = catch_pc;
    frame[F_STATUS] &= ~0x1dul; /* kernel, EXL still set until ERET, interrupts off */
}

void user_code(const uint32_t *code, unsigned n)
{
    volatile uint32_t *to = (volatile uint32_t *)(KSEG1 + page_of(0));
    for (unsigned i = 0; i < n; i++)
        to[i] = code[i];
    SET(5, 0, 0);
    SETL(10, USER);
    SET(2, 0, page_of(0) >> 6 | 0x1f); /* C = 3, D, V, G */
    SET(3, 0, page_of(1) >> 6 | 0x1f);
    SET(0, 0, 0);
    TLBWI;
    SET(6, 0, 1);
    SETL(10, 0);
    base_pc = USER;
}
