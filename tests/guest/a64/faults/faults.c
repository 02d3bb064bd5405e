/* A guest that handles the fault of every kind of memory access and checks what the handler is told.
 *
 * Each access of faults.def is made to a no-access, an unmapped and a read-only page, across the borders
 * between good and bad pages, and misaligned where alignment is demanded. The handler checks si_signo,
 * si_code, si_addr (the lowest byte that faults), the exact PC, X0-X30, SP, NZCV and V0-V31; after it,
 * memory must be unchanged. Prints one row an access; the last line counts what is wrong.
 *
 * `strict` also checks what qemu-user 7.2 does not guarantee and Oryx does: V registers after a fault in
 * the middle of a load of several elements.
 *
 * Freestanding, integer registers only, so that what it tests is only what enter.S executes.
 */
#include <stdint.h>

#define L 1
#define S 2
#define A 4
#define M 8
#define E 16
#define PAGE 4096

struct probe {
    const char *text;
    int64_t offset;
    uint64_t size;
    unsigned flags;
};
#define PROBE(text, offset, size, flags) {text, offset, size, flags},
static const struct probe probes[] = {
#include "faults.def"
};
#undef PROBE
#define N_PROBES (sizeof probes / sizeof *probes)

struct registers {
    uint64_t x[31], sp, v[64];
};

extern const uint64_t probe_table[];
void run_probe(struct registers *r);
void probe_back(void);
void sigreturn_stub(void);
void faults_main(const uint64_t *stack);

static struct registers regs;
static char signal_stack[16384] __attribute__((aligned(16)));
static unsigned char *pages;           /* 0 rw, 1 none, 2 rw, 3 read only, 4 rw, 5 unmapped, 6 rw */
static unsigned long wrong, cases;
static int strict;

/* What the next fault must look like; `got` is the handler's verdict. */
static struct {
    int64_t signo, code;
    uint64_t addr, pc;
    int check_v;
    int signalled;
    const char *verdict;
    uint64_t seen;
} expect;

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                  x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e,
                  x5 __asm__("x5") = f;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
}

static void put(const char *s, unsigned width)
{
    unsigned n = 0;
    while (s[n])
        n++;
    call6(64, 1, (long)s, n, 0, 0, 0);
    while (n++ < width)
        call6(64, 1, (long)" ", 1, 0, 0, 0);
}

static void put_number(uint64_t v, unsigned base)
{
    char buffer[24], *p = buffer + sizeof buffer - 1;
    *p = 0;
    do
        *--p = "0123456789abcdef"[v % base];
    while (v /= base);
    put(p, 0);
}

static void check(int ok, const char *what, uint64_t seen)
{
    if (!ok && !expect.verdict) {
        expect.verdict = what;
        expect.seen = seen;
    }
}

/* mcontext: fault_address, regs[31], sp, pc, pstate, then at its byte 288 the records. */
static void handler(long signo, const int32_t *info, uint64_t *context)
{
    uint64_t *m = context + 176 / 8;
    static const char names[31][4] = {
        "X0", "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X13",
        "X14", "X15", "X16", "X17", "X18", "X19", "X20", "X21", "X22", "X23", "X24", "X25", "X26",
        "X27", "X28", "X29", "X30"};
    expect.signalled++;
    check(signo == expect.signo, "signal", (uint64_t)signo);
    check(info[2] == expect.code, "si_code", (uint64_t)(int64_t)info[2]);
    check(m[33] == expect.pc, "PC", m[33]);
    check(*(const uint64_t *)(info + 4) == expect.addr, "si_addr", *(const uint64_t *)(info + 4));
    for (int i = 0; i < 31; i++)
        check(m[1 + i] == regs.x[i], names[i], m[1 + i]);
    check(m[32] == regs.sp, "SP", m[32]);
    check((m[34] & 0xf0000000) == 0xb0000000, "NZCV", m[34]);
    const uint32_t *record = (const uint32_t *)(m + 36);
    for (int n = 0; n < 64 && record[0] && record[0] != 0x46508001; n++)
        record = (const uint32_t *)((const char *)record + record[1]);
    check(record[0] == 0x46508001, "no fpsimd_context", record[0]);
    if (record[0] == 0x46508001 && expect.check_v) {
        const uint64_t *v = (const uint64_t *)(record + 4);
        for (int i = 0; i < 64; i++)
            check(v[i] == regs.v[i], "V", (uint64_t)i / 2);
    }
    m[33] = (uint64_t)probe_back;
}

/* Memory holds its pattern around the access; the bad pages are left alone. */
#define NEAR 80

static unsigned char pattern(const unsigned char *p)
{
    unsigned long i = (unsigned long)(p - pages) % PAGE;
    return (unsigned char)(i * 37 + (i >> 8));
}

static int page_is(const unsigned char *p, unsigned set)
{
    unsigned long page = (unsigned long)(p - pages) / PAGE;
    return p >= pages && page < 7 && (set >> page & 1);
}

static void fill(unsigned char *p, const unsigned char *end)
{
    for (; p < end; p++)
        if (page_is(p, 0x55))           /* 0 2 4 6 */
            *p = pattern(p);
}

static int same(const unsigned char *p, const unsigned char *end)
{
    for (; p < end; p++)
        if (page_is(p, 0x5d) && *p != pattern(p))
            return 0;
    return 1;
}

/* One access at `address`; `fault` 0: must not fault; else the signal. */
static const char *access_at(unsigned long k, unsigned char *address, int64_t signo, int64_t code,
                             const unsigned char *bad)
{
    const struct probe *p = &probes[k];
    for (int i = 0; i < 31; i++)
        regs.x[i] = 0x0101010101010101u * (uint64_t)(i + 0x40);
    for (int i = 0; i < 64; i++)
        regs.v[i] = 0x0123456789abcdefu + 0x0101010101010101u * (uint64_t)i;
    regs.x[0] = (uint64_t)address - (uint64_t)p->offset;
    regs.x[1] = 16;
    regs.x[16] = probe_table[k];
    expect.signo = signo;
    expect.code = code;
    expect.addr = (uint64_t)bad;
    expect.pc = probe_table[k] + (p->flags & E && signo ? 4 : 0);
    expect.check_v = strict || !(p->flags & M);
    expect.signalled = 0;
    expect.verdict = 0;
    run_probe(&regs);
    cases++;
    if (!expect.verdict && expect.signalled != (signo != 0))
        expect.verdict = signo ? "no signal" : "a signal";
    if (signo && !(p->flags & M) && !same(address - NEAR, address + p->size + NEAR))
        check(0, "memory", (uint64_t)address);
    fill(address - NEAR, address + p->size + NEAR);
    if (!expect.verdict)
        return signo == 11 ? "segv" : signo == 7 ? "bus" : "-";
    wrong++;
    return "WRONG";
}

static void detail(void)
{
    if (expect.verdict) {
        put("\n    wrong: ", 0);
        put(expect.verdict, 0);
        put(" 0x", 0);
        put_number(expect.seen, 16);
        put(", PC of the access 0x", 0);
        put_number(expect.pc, 16);
        put(", si_addr must be 0x", 0);
        put_number(expect.addr, 16);
        put("\n", 0);
    }
}

static void column(const char *text)
{
    put(text, 9);
    detail();
    expect.verdict = 0;
}

/* Across a border: every split of the access. `at` is the border; the upper side is bad, or the lower. */
static const char *border(unsigned long k, unsigned char *at, int upper_bad, int64_t code, int faults)
{
    const struct probe *p = &probes[k];
    const char *text = "n/a";
    if (p->flags & (A | E))
        return text;
    for (uint64_t below = 1; below < p->size; below += p->size > 8 ? 5 : 1) {
        unsigned char *address = at - below;
        text = access_at(k, address, faults ? 11 : 0, faults ? code : 0, upper_bad ? at : address);
        if (expect.verdict)
            return text;
    }
    return text;
}

static void one_probe(unsigned long k)
{
    const struct probe *p = &probes[k];
    int store = (p->flags & S) != 0;
    put(p->text, 40);
    if (p->flags & E) {                 /* the store must be what faults: read-only only */
        column("n/a");
        column("n/a");
    } else {
        column(access_at(k, pages + PAGE + 64, 11, 2, pages + PAGE + 64));
        column(access_at(k, pages + 5 * PAGE + 64, 11, 1, pages + 5 * PAGE + 64));
    }
    column(access_at(k, pages + 3 * PAGE + 64, store ? 11 : 0, store ? 2 : 0, pages + 3 * PAGE + 64));
    column(border(k, pages + PAGE, 1, 2, 1));
    column(border(k, pages + 2 * PAGE, 0, 2, 1));
    column(border(k, pages + 3 * PAGE, 1, 2, store));
    column(border(k, pages + 4 * PAGE, 0, 2, store));
    column(border(k, pages + 5 * PAGE, 1, 1, 1));
    column(border(k, pages + 6 * PAGE, 0, 1, 1));
    if (p->flags & A && p->size > 1)
        put(access_at(k, pages + 2 * PAGE + 64 + p->size / 2, 7, 1,
                      pages + 2 * PAGE + 64 + p->size / 2), 0);
    else
        put("n/a", 0);
    detail();
    put("\n", 0);
}

static void install(void)
{
    static const uint8_t signals[] = {4, 7, 11};
    struct { void *sp; int flags; int pad; uint64_t size; } stack = {signal_stack, 0, 0,
                                                                    sizeof signal_stack};
    call6(132, (long)&stack, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < sizeof signals; i++) {
        struct { void *handler; uint64_t flags; void *restorer; uint64_t mask; } action = {
            (void *)handler, 0x4 | 0x08000000 | 0x04000000, (void *)sigreturn_stub, 0};
        call6(134, signals[i], (long)&action, 0, 8, 0, 0);
    }
}

void faults_main(const uint64_t *stack)
{
    strict = stack[0] > 1;
    pages = (unsigned char *)call6(222, 0x20000000, 7 * PAGE, 3, 0x22 | 0x10, -1, 0);
    for (unsigned char *p = pages; p < pages + 7 * PAGE; p++)
        *p = pattern(p);
    call6(226, (long)(pages + PAGE), PAGE, 0, 0, 0, 0);
    call6(226, (long)(pages + 3 * PAGE), PAGE, 1, 0, 0, 0);
    call6(215, (long)(pages + 5 * PAGE), PAGE, 0, 0, 0, 0);
    install();
    put("access", 40);
    put("none     unmapped readonly rw|none  none|rw  rw|ro    ro|rw    rw|unmap unmap|rw misalign\n", 0);
    for (unsigned long k = 0; k < N_PROBES; k++)
        one_probe(k);
    put_number(cases, 10);
    put(" accesses of ", 0);
    put_number(N_PROBES, 10);
    put(" kinds, ", 0);
    put_number(wrong, 10);
    put(" wrong\n", 0);
    call6(94, wrong != 0, 0, 0, 0, 0, 0);
}
