/* Runtime of the bare-metal tests; see rt.h. */
#include "rt.h"

volatile uint32_t expected, resume_at, exceptions, last_kind, last_fsr, last_far, undefined;
uint32_t near;
int quiet;
int (*irq_handler)(unsigned, uint32_t *);
int (*smc_handler)(uint32_t *);
unsigned flags = FLAGS;
uint32_t seen = FLAGS & HAS_V6 ? 0x0fffffff : 0x0ffffeff; /* no condition flags; no A before Armv6, which qemu sets */
extern char vectors[], monitor_vectors[], call_back[];
extern uint32_t call_saved[2];
void handler(unsigned n, uint32_t *frame);

void put(const char *s)
{
    for (; *s; s++)
        *(volatile uint32_t *)UART = (uint8_t)*s;
}

void hex(uint32_t v)
{
    char text[11] = "0x", *at = text + 2;
    int shift = 28;
    while (shift && !(v >> shift & 15))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[v >> shift & 15];
    *at = 0;
    put(text);
}

void say(const char *name, uint32_t v)
{
    put("  ");
    put(name);
    put(" ");
    hex(v);
    put("\n");
}

void title(const char *s)
{
    put(s);
    put("\n");
}

/* Models without VBAR have their vectors at 0. */
void set_vectors(void)
{
    if (flags & HAS_VBAR) {
        MCR(15, 0, 12, 0, 0, vectors);
    } else {
        volatile uint32_t *to = 0;
        __asm__("" : "+r"(to));
        for (unsigned i = 0; i < 16; i++)
            to[i] = ((uint32_t *)vectors)[i];
    }
}

/* Bytes of the instruction at an address. */
static unsigned length(uint32_t at, uint32_t spsr)
{
    return !(spsr & 0x20) ? 4 : *(uint16_t *)at >> 11 < 0x1d ? 2 : 4;
}

void handler(unsigned n, uint32_t *frame)
{
    static const char *const names[] = { "reset", "und", "svc", "pabt", "dabt", "hyp", "irq", "fiq",
                                         "m-reset", "m-und", "smc", "m-pabt", "m-dabt", "m-hyp", "m-irq", "m-fiq" };
    uint32_t spsr = frame[13], lr = frame[14];
    unsigned kind = n & 7;
    exceptions++;
    last_kind = n;
    if (kind == 2 && n < 8 && !(spsr & 0x20) && (*(uint32_t *)(lr - 4) & 0xffffff) == 0x7f) { /* call_at is done */
        frame[13] = call_saved[1];
        frame[14] = (uint32_t)call_back;
        return;
    }
    if ((kind >= 6 && irq_handler && irq_handler(n, frame)) || (n == 10 && smc_handler && smc_handler(frame)))
        return;
    if (kind == 3)
        last_fsr = MRC(15, 0, 5, 0, 1), last_far = flags & HAS_V6 ? MRC(15, 0, 6, 0, 2) : 0;
    else if (kind == 4)
        last_fsr = MRC(15, 0, 5, 0, 0), last_far = MRC(15, 0, 6, 0, 0);
    if (kind == 1)
        undefined = 1;
    if (!quiet) {
        put("  ");
        put(names[n]);
        put(" lr+");
        hex(lr - expected);
        put(" spsr ");
        hex(spsr & seen);
        put(" cpsr ");
        hex(CPSR() & seen);
        if (kind == 3 || kind == 4) {
            put(" fsr ");
            hex(last_fsr);
            /* After a breakpoint IFAR is UNKNOWN. */
            if (kind == 4 || (flags & HAS_V6 && (last_fsr & 0x1f) != 2)) {
                put(" far ");
                if (last_far - expected < 16) {
                    put("+");
                    hex(last_far - expected);
                } else if (last_far - near < 4096) {
                    put("near+");
                    hex(last_far - near);
                } else {
                    hex(last_far);
                }
            }
        }
        put("\n");
    }
    if (resume_at)
        frame[14] = resume_at;
    else if (kind == 1)
        frame[14] = lr - (spsr & 0x20 ? 2 : 4) + length(lr - (spsr & 0x20 ? 2 : 4), spsr);
    else if (kind == 3)
        frame[14] = lr - 4 + length(lr - 4, spsr);
    else if (kind == 4)
        frame[14] = lr - 8 + length(lr - 8, spsr);
    else if (kind >= 6)
        frame[14] = lr - 4;
    /* An instruction of an IT block was stepped over: its condition goes with it. */
    if (kind != 2 && kind < 6 && spsr & 0x20 && spsr & 0x0600fc00) {
        uint32_t it = (spsr >> 25 & 3) | (spsr >> 8 & 0xfc);
        it = it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
        frame[13] = (spsr & ~0x0600fc00u) | (it & 3) << 25 | (it >> 2) << 10;
    }
    resume_at = 0;
}
