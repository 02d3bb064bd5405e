/* Runtime of the bare-metal tests; see rt.h. */
#include "rt.h"

volatile uint64_t resume_at, exceptions, last_esr, last_far;
static uint64_t plain(unsigned ec, uint64_t esr);
uint64_t unmasked;
int quiet, brief;
int (*irq_handler)(unsigned, unsigned);
static uint64_t contexts[4][16];
static volatile unsigned busy[4];
extern char stacks[], landing[], landing_hvc[], landing_smc[];
int save_context(uint64_t *ctx) __attribute__((returns_twice));
void load_context(uint64_t *ctx) __attribute__((noreturn));
void handler(uint64_t n, uint64_t *frame);

void put(const char *s)
{
    for (; *s; s++)
        *(volatile uint32_t *)0x09000000 = (uint8_t)*s;
}

void hex(uint64_t v)
{
    char text[19] = "0x", *at = text + 2;
    int shift = 60;
    while (shift && !(v >> shift & 15))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[v >> shift & 15];
    *at = 0;
    put(text);
}

void say(const char *name, uint64_t v)
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

unsigned level(void)
{
    return READ(CurrentEL) >> 2 & 3;
}

#define BY_LEVEL(reg, el) ((el) == 3 ? READ(reg##_el3) : (el) == 2 ? READ(reg##_el2) : READ(reg##_el1))

static void set_return(unsigned el, uint64_t pc)
{
    if (el == 3)
        WRITE(elr_el3, pc);
    else if (el == 2)
        WRITE(elr_el2, pc);
    else
        WRITE(elr_el1, pc);
}

/* qemu 7.2 describes the instruction (ISV..AR) in every data abort that goes to EL2; by the manual that is for those of the
 * second stage. */
static uint64_t plain(unsigned ec, uint64_t esr)
{
    return ec == 0x24 || ec == 0x25 ? esr & ~UINT64_C(0x1ffc000) : esr;
}

void handler(uint64_t n, uint64_t *frame)
{
    static const char *const kinds[] = { "sync", "irq", "fiq", "serror" };
    static const char *const from[] = { "sp0", "spx", "lower", "lower32" };
    unsigned el = level(), kind = n & 3, ec;
    uint64_t esr = BY_LEVEL(esr, el), elr = BY_LEVEL(elr, el), spsr = BY_LEVEL(spsr, el);
    (void)frame;
    ec = esr >> 26 & 63;
    exceptions++;
    if (!kind && ec >= 0x20 && ec < 0x26) {
        last_esr = plain(ec, esr);
        last_far = BY_LEVEL(far, el);
    }
    if (kind) {
        if (irq_handler && irq_handler(el, kind))
            return;
    } else if ((ec == 0x15 || ec == 0x16 || ec == 0x17) && (esr & 0xffff) == 0x7f && busy[el]) {
        busy[el] = 0;
        load_context(contexts[el]);
    }
    if (!quiet) {
        put("  EL");
        hex(el);
        put(" ");
        put(kinds[kind]);
        put(" from ");
        put(from[n >> 2]);
        if (!kind) {
            put(" esr ");
            hex(plain(ec, esr));
        }
        if (!brief) {
            put(" elr ");
            hex(elr);
        }
        put(" spsr ");
        /* BTYPE is shown where the manual says what it is: interrupts, wrong targets, illegal states, fetches, breakpoints. */
        hex(kind || ec == 0x0d || ec == 0x0e || (ec & 0x3d) == 0x20 || ec == 0x22 || ec == 0x3c ? spsr : spsr & ~UINT64_C(0xc00));
        /* FAR is only of aborts and a misaligned PC. */
        if (!kind && (ec == 0x20 || ec == 0x21 || ec == 0x22 || ec == 0x24 || ec == 0x25)) {
            put(" far ");
            hex(BY_LEVEL(far, el));
        }
        put("\n");
    }
    if (kind)
        return;
    if (resume_at)
        set_return(el, resume_at);
    else if (ec != 0x15 && ec != 0x16 && !(ec == 0x17 && el == 3))
        set_return(el, elr + 4);
    resume_at = 0;
    /* An illegal state or a wrong branch target would come back for ever. */
    if (ec == 0x0e || ec == 0x0d) {
        spsr &= ~(UINT64_C(1) << 20 | 0xc00);
        if (el == 3)
            WRITE(spsr_el3, spsr);
        else if (el == 2)
            WRITE(spsr_el2, spsr);
        else
            WRITE(spsr_el1, spsr);
    }
}

void run_at(unsigned to, unsigned sp, void (*fn)(uint64_t), uint64_t arg)
{
    unsigned el = level();
    uint64_t spsr = (0x3c0 & ~unmasked) | to << 2 | sp, at = to == 0 ? (uint64_t)landing : (uint64_t)(el == 3 ? landing_smc : landing_hvc);
    uint64_t stack = (uint64_t)stacks + (sp ? to + 1 : 0 + 1) * 0x4000ull;
    unmasked = 0;
    if (save_context(contexts[el]))
        return;
    busy[el] = 1;
    if (!sp)
        WRITE(sp_el0, stack);
    else if (to == 2)
        WRITE(sp_el2, stack);
    else
        WRITE(sp_el1, stack);
    /* Its own exceptions need a stack too. */
    if (to == 1 && el > 1 && !sp)
        WRITE(sp_el1, (uint64_t)stacks + 2 * 0x4000ull);
    if (to == 2 && !sp)
        WRITE(sp_el2, (uint64_t)stacks + 3 * 0x4000ull);
    set_return(el, at);
    if (el == 3)
        WRITE(spsr_el3, spsr);
    else if (el == 2)
        WRITE(spsr_el2, spsr);
    else
        WRITE(spsr_el1, spsr);
    register uint64_t x0 __asm__("x0") = (uint64_t)fn;
    register uint64_t x1 __asm__("x1") = arg;
    __asm__ volatile("eret" : : "r"(x0), "r"(x1) : "memory");
    __builtin_unreachable();
}

void run_user(uint64_t entry, uint64_t arg)
{
    unsigned el = level();
    if (save_context(contexts[el]))
        return;
    busy[el] = 1;
    set_return(el, entry);
    WRITE(spsr_el1, 0x3c0);
    register uint64_t x0 __asm__("x0") = arg;
    __asm__ volatile("eret" : : "r"(x0) : "memory");
    __builtin_unreachable();
}
