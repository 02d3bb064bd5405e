/* The guest half of the differential tests: runs every case of the table and reports what it did.
 *
 * Owns the program from _start on; gen_a64.py appends the table and the slots. Uses integer base
 * instructions only (-mgeneral-regs-only), so a broken SIMD or FP unit cannot break the harness.
 * Invariant: what a case starts from depends on (seed, case number) alone, never on earlier cases,
 * so any case can be run again by itself.
 *
 * No arguments: a 64-bit digest a case to stdout, then one of the whole arena.
 * Two arguments FIRST COUNT: full contexts and memory windows before and after, as 64-bit words.
 */
#include <stdint.h>
#include "layout.h"

struct header {
    uint64_t magic, count, first, seed, flags;
    const uint32_t *records;            /* two words a case, see below */
    const uint64_t *overrides;          /* address, value pairs */
    uint64_t windows;
    struct { uint64_t addr, words, fill; } window[12];     /* fill: 0 keep, 1 random, 2 zero */
};
/* record[0]: slot entry in words (24 bits), flags; record[1]: first override (24 bits), count */
#define R_VMODE(r)   ((r) >> 24 & 3)    /* 0 keep, 1 double, 2 single, 3 half and integer lanes */
#define R_ZERO       (1u << 26)         /* registers start as zero (gen_ins.py) */
#define R_FILLWIN    (1u << 27)
#define R_NO_V       (1u << 28)         /* oracle is not exact: leave V out of the digest */
#define R_NO_MEM     (1u << 29)
#define R_FPCR       (1u << 30)         /* random rounding mode, FZ, DN, AHP */
#define R_NO_ADDR    (1u << 31)         /* leave si_addr out */
#define H_FAULT      1                  /* protect the fault pages */

#define HEADER ((const struct header *)LAY_TABLE)
#define IN  ((volatile uint64_t *)LAY_IN)
#define OUT ((volatile uint64_t *)LAY_OUT)
#define SIG ((volatile uint64_t *)LAY_SIG)

void enter(uint64_t entry);
void ret_sig(void);
void sigreturn_stub(void);
void runtime_main(const uint64_t *stack);

static long call3(long nr, long a, long b, long c)
{
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                  x2 __asm__("x2") = c;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory", "cc");
    return x0;
}

static long call4(long nr, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                  x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory", "cc");
    return x0;
}

static void quit(const char *text, int code)
{
    long n = 0;
    while (text[n])
        n++;
    call3(64, 2, (long)text, n);
    call3(94, code, 0, 0);
}

/* Output, in blocks. */
static unsigned char out_buffer[4096];
static unsigned out_used;

static void out_flush(void)
{
    unsigned done = 0;
    while (done < out_used) {
        long n = call3(64, 1, (long)(out_buffer + done), out_used - done);
        if (n <= 0)
            quit("runtime: write failed\n", 98);
        done += (unsigned)n;
    }
    out_used = 0;
}

static void out_word(uint64_t w)
{
    *(uint64_t *)(out_buffer + out_used) = w;
    out_used += 8;
    if (out_used == sizeof out_buffer)
        out_flush();
}

/* Random values: splitmix64, bent toward the values where arithmetic goes wrong. */
static uint64_t rng_state;

static uint64_t rng(void)
{
    uint64_t z = rng_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static const uint64_t int_table[64] = {
    0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128,
    255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
    0x80000001, 0xffffffff, 0x100000000, 0x7fffffff00000000, 0x7fffffffffffffff,
    0x8000000000000000, 0x8000000000000001, 0xffffffff00000000, 0xffffffff80000000,
    0xffffffff7fffffff, 0xffffffffffff8000, 0xffffffffffff7fff, 0xffffffffffffff80,
    0xffffffffffffff7f, 0xfffffffffffffffe, 0xffffffffffffffff, 0x5555555555555555,
    0xaaaaaaaaaaaaaaaa, 0x0f0f0f0f0f0f0f0f, 0xf0f0f0f0f0f0f0f0, 0x00ff00ff00ff00ff,
    0xff00ff00ff00ff00, 0x0000ffff0000ffff, 0x0001000100010001, 0x8000800080008000,
    0x7fff7fff7fff7fff, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f, 0x0101010101010101,
    0x8000000080000000, 0x7fffffff7fffffff, 0x0000000100000001, 0x0123456789abcdef,
    0xfedcba9876543210, 0x4000000000000000, 0xc000000000000000, 0x0a01ffff, 0x0a020001,
    0x1000, 0xfff,
};
static const uint64_t double_table[32] = {
    0, 0x3ff0000000000000, 0x4000000000000000, 0x3fe0000000000000, 0x3ff8000000000000,
    0x4004000000000000, 0x0000000000000001, 0x000fffffffffffff, 0x0010000000000000,
    0x0010000000000001, 0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff8000000000000,
    0x7ff8000000000123, 0x7ff0000000000001, 0x7ff4000000000000, 0x7fffffffffffffff,
    0x41dfffffffc00000, 0x41e0000000000000, 0x41efffffffe00000, 0x41f0000000000000,
    0x43dfffffffffffff, 0x43e0000000000000, 0x43efffffffffffff, 0x43f0000000000000,
    0x47efffffe0000000, 0x47effffff0000000, 0x3810000000000000, 0x36a0000000000000,
    0x40effc0000000000, 0x3f10000000000000, 0x3fefffffffffffff,
};
static const uint32_t single_table[32] = {
    0, 0x3f800000, 0x40000000, 0x3f000000, 0x3fc00000, 0x40200000, 0x00000001, 0x007fffff,
    0x00800000, 0x00800001, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7fc00123, 0x7f800001,
    0x7fa00000, 0x7fffffff, 0x4effffff, 0x4f000000, 0x4f7fffff, 0x4f800000, 0x5effffff,
    0x5f000000, 0x5f7fffff, 0x5f800000, 0x477fe000, 0x477ff000, 0x47000000, 0x33800000,
    0x38800000, 0x3f7fffff, 0x42280000,
};
static const uint16_t half_table[16] = {
    0, 0x3c00, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0x7e00, 0x7e11, 0x7c01, 0x7d00, 0x7fff,
    0x8000, 0x0080, 0x7f7f, 0xffff,
};

static uint64_t random_int(void)
{
    uint64_t w = rng();
    switch (w & 7) {
    case 0:
    case 1:
        return int_table[w >> 8 & 63];
    case 2:
        return int_table[w >> 8 & 63] + (w >> 16 & 7) - 3;
    case 3:
        return (uint64_t)((int64_t)w >> 52);
    case 4:
        return w & 8 ? w >> 32 : (uint64_t)((int64_t)w >> 32);
    case 5:
        return 1ull << (w >> 8 & 63);
    default:
        return rng();
    }
}

static uint64_t random_double(void)
{
    uint64_t w = rng(), r;
    switch (w & 7) {
    case 0:
    case 1:
        return double_table[w >> 8 & 31] ^ (w & 1ull << 63);
    case 2:
        return (double_table[w >> 8 & 31] ^ (w & 1ull << 63)) + (w >> 16 & 3) - 1;
    case 3:
    case 4:                             /* exponents close together: sums and products that round */
        r = rng() & 0x800fffffffffffffu;
        if (w & 8)
            r &= ~0ull << (w >> 16 & 63) | 1ull << 63;
        return r | (1008 + (w >> 8 & 31)) << 52;
    case 5:                             /* in and around the integers' range */
        r = rng() & 0x800fffffffffffffu;
        if (w & 8)
            r &= ~0ull << (40 + (w >> 16 & 15));
        return r | (1018 + (w >> 8 & 63) + (w >> 24 & 15)) << 52;
    case 6:                             /* next to underflow or overflow */
        r = rng() & 0x800fffffffffffffu;
        return r | (w & 8 ? 2046 - (w >> 8 & 1) : (w >> 8 & 3)) << 52;
    default:
        return rng();
    }
}

static uint32_t random_single(void)
{
    uint64_t w = rng();
    uint32_t r = w >> 32 & 0x807fffff;
    switch (w & 7) {
    case 0:
    case 1:
        return single_table[w >> 8 & 31] ^ (w >> 32 & 0x80000000);
    case 2:
        return (single_table[w >> 8 & 31] ^ (w >> 32 & 0x80000000)) + (w >> 16 & 3) - 1;
    case 3:
    case 4:
        if (w & 8)
            r &= ~0u << (w >> 16 & 31) | 1u << 31;
        return r | (uint32_t)(118 + (w >> 8 & 15)) << 23;
    case 5:
        if (w & 8)
            r &= ~0u << (14 + (w >> 16 & 7));
        return r | (uint32_t)(122 + (w >> 8 & 63) + (w >> 24 & 15)) << 23;
    case 6:
        return r | (uint32_t)(w & 8 ? 254 - (w >> 8 & 1) : (w >> 8 & 3)) << 23;
    default:
        return (uint32_t)(w >> 32);
    }
}

static uint64_t random_lanes(void)
{
    uint64_t w = rng(), v = 0;
    if (w & 1)
        return random_int();
    for (int lane = 0; lane < 4; lane++) {
        uint64_t h = w >> (4 + 3 * lane) & 4 ? half_table[w >> (16 + 4 * lane) & 15]
                                             : rng() & 0xffff;
        v |= h << (16 * lane);
    }
    return v;
}

static unsigned vectors_clean;     /* IN holds the constant vectors of mode 0 */

static void fill_vectors(unsigned mode)
{
    for (int i = C_V; i < C_WORDS; i++) {
        if (mode == 1)
            IN[i] = random_double();
        else if (mode == 2)
            IN[i] = random_single() | (uint64_t)random_single() << 32;
        else
            IN[i] = random_lanes();
    }
}

static void fill_windows(void)
{
    for (uint64_t k = 0; k < HEADER->windows; k++) {
        volatile uint64_t *p = (volatile uint64_t *)HEADER->window[k].addr;
        if (HEADER->window[k].fill)
            for (uint64_t i = 0; i < HEADER->window[k].words; i++)
                p[i] = HEADER->window[k].fill == 2 ? 0 : rng();
    }
}

static void prepare(uint64_t number, uint32_t flags, uint32_t over)
{
    if (!vectors_clean && !R_VMODE(flags) && !(flags & R_ZERO)) {
        rng_state = HEADER->seed;
        fill_vectors(1);
        vectors_clean = 1;
    }
    rng_state = HEADER->seed + number * 0xd1342543de82ef95u;
    for (int i = 0; i < C_V; i++)
        IN[i] = flags & R_ZERO || i > C_SP ? 0 : random_int();
    IN[C_NZCV] = flags & R_ZERO ? 0 : rng() & 0xf0000000;
    if (flags & R_FPCR)                 /* AHP, DN, FZ, RMode; no trap enables */
        IN[C_FPCR] = rng() & rng() & 0x07c00000;
    if (R_VMODE(flags) || flags & R_ZERO) {
        vectors_clean = 0;
        if (flags & R_ZERO)
            for (int i = C_V; i < C_WORDS; i++)
                IN[i] = 0;
        else
            fill_vectors(R_VMODE(flags));
    }
    if (flags & R_FILLWIN)
        fill_windows();
    const uint64_t *o = HEADER->overrides + 2 * (uint64_t)(over & 0xffffff);
    for (uint32_t n = over >> 24; n; n--, o += 2)
        *(volatile uint64_t *)o[0] = o[1];
    for (int i = 0; i < C_WORDS; i++)
        SIG[i] = 0;
}

/* Four independent lanes, so the multiplies overlap. */
static uint64_t lane[4];

static void mix(const volatile uint64_t *p, uint64_t words)
{
    uint64_t a = lane[0], b = lane[1], c = lane[2], d = lane[3];
    for (uint64_t i = 0; i + 3 < words; i += 4) {
        a = (a ^ p[i]) * 0x9fb21c651e98df25u;
        b = (b ^ p[i + 1]) * 0xd6e8feb86659fd93u;
        c = (c ^ p[i + 2]) * 0xa0761d6478bd642fu;
        d = (d ^ p[i + 3]) * 0xe7037ed1a0b428dbu;
        a ^= a >> 32;
        b ^= b >> 32;
        c ^= c >> 32;
        d ^= d >> 32;
    }
    lane[0] = a;
    lane[1] = b;
    lane[2] = c;
    lane[3] = d;
}

static uint64_t digest(uint32_t flags)
{
    lane[0] = lane[1] = lane[2] = lane[3] = 0x243f6a8885a308d3u;
    if (flags & R_NO_ADDR)
        SIG[C_ADDR] = 0;
    mix(OUT, C_V);
    if (SIG[C_SIGNO])
        mix(SIG, C_V);
    if (!(flags & R_NO_V)) {
        mix(OUT + C_V, C_WORDS - C_V);
        if (SIG[C_SIGNO])
            mix(SIG + C_V, C_WORDS - C_V);
    }
    if (flags & R_FILLWIN && !(flags & R_NO_MEM))
        for (uint64_t k = 0; k < HEADER->windows; k++)
            mix((const volatile uint64_t *)HEADER->window[k].addr, HEADER->window[k].words);
    return (lane[0] ^ lane[1] >> 7 ^ lane[2] << 9 ^ lane[3] >> 21) * 0x9fb21c651e98df25u ^ lane[3];
}

static void dump(const volatile uint64_t *p, uint64_t words)
{
    for (uint64_t i = 0; i < words; i++)
        out_word(p[i]);
}

static void dump_windows(void)
{
    for (uint64_t k = 0; k < HEADER->windows; k++)
        dump((const volatile uint64_t *)HEADER->window[k].addr, HEADER->window[k].words);
}

/* siginfo: signo, errno, code, pad, addr. ucontext: 176 bytes to uc_mcontext: fault_address, regs,
 * sp, pc, pstate, then records {magic, size} from offset 16-aligned 288 of the mcontext on. */
static void handler(long signo, const int32_t *info, uint64_t *context)
{
    uint64_t *m = context + 176 / 8;
    uint64_t pc = m[33];
    if (pc >= LAY_TEXT && pc < LAY_TEXT + 0x100000)
        quit("runtime: a signal in the runtime itself\n", 99);
    for (int i = 0; i < 32; i++)
        SIG[i] = m[1 + i];
    SIG[C_NZCV] = m[34] & 0xf0000000;
    SIG[C_SIGNO] = (uint64_t)signo;
    /* Linux says ILL_ILLOPC for an undefined instruction, qemu 7.2 ILL_ILLOPN: both are 1 here. */
    SIG[C_CODE] = signo == 4 && info[2] == 2 ? 1 : (uint64_t)(int64_t)info[2];
    SIG[C_ADDR] = *(const uint64_t *)(info + 4);
    SIG[C_PC] = pc;
    const uint32_t *record = (const uint32_t *)(m + 36);
    for (int n = 0; n < 64 && record[0] && record[0] != 0x46508001; n++)
        record = (const uint32_t *)((const char *)record + record[1]);
    if (record[0] == 0x46508001) {
        SIG[C_FPSR] = record[2];
        SIG[C_FPCR] = record[3];
        const uint64_t *v = (const uint64_t *)(record + 4);
        for (int i = 0; i < 64; i++)
            SIG[C_V + i] = v[i];
    }
    m[33] = (uint64_t)ret_sig;
}

static char signal_stack[16384] __attribute__((aligned(16)));

static void install(void)
{
    static const uint8_t signals[] = {4, 5, 7, 8, 11};
    struct { void *sp; int flags; int pad; uint64_t size; } stack = {signal_stack, 0, 0,
                                                                    sizeof signal_stack};
    call3(132, (long)&stack, 0, 0);
    for (unsigned i = 0; i < sizeof signals; i++) {
        struct { void *handler; uint64_t flags; void *restorer; uint64_t mask; } action = {
            (void *)handler, 0x4 | 0x08000000 | 0x40000000 | 0x04000000,
            (void *)sigreturn_stub, 0};
        call4(134, signals[i], (long)&action, 0, 8);
    }
}

/* Pages: 0 rw, 1 none, 2 rw, 3 read only, 4 rw, 5 unmapped, 6 rw. */
static void protect_fault_pages(void)
{
    volatile uint64_t *p = (volatile uint64_t *)LAY_FAULT;
    rng_state = HEADER->seed;
    for (int i = 0; i < 7 * 512; i++)
        p[i] = rng();
    if (call3(226, LAY_FAULT + 0x1000, 0x1000, 0) || call3(226, LAY_FAULT + 0x3000, 0x1000, 1) ||
        call3(215, LAY_FAULT + 0x5000, 0x1000, 0))
        quit("runtime: mprotect or munmap failed\n", 97);
}

static uint64_t number_of(const char *s)
{
    uint64_t v = 0;
    while (*s >= '0' && *s <= '9')
        v = v * 10 + (uint64_t)(*s++ - '0');
    return v;
}

void runtime_main(const uint64_t *stack)
{
    uint64_t first = 0, count = HEADER->count, verbose = stack[0] >= 3;
    if (verbose) {
        first = number_of((const char *)stack[2]) - HEADER->first;
        uint64_t n = number_of((const char *)stack[3]);
        if (first >= count)
            quit("runtime: no such case\n", 96);
        count = n < count - first ? n : count - first;
    }
    install();
    if (HEADER->flags & H_FAULT)
        protect_fault_pages();
    for (uint64_t i = first; i < first + count; i++) {
        uint32_t r = HEADER->records[2 * i], over = HEADER->records[2 * i + 1];
        prepare(HEADER->first + i, r, over);
        if (verbose) {
            out_word(HEADER->first + i);
            dump(IN, C_WORDS);
            dump_windows();
        }
        enter(LAY_SLOTS + 4 * (uint64_t)(r & 0xffffff));
        uint64_t d = digest(r);
        if (verbose) {
            dump(OUT, C_WORDS);
            dump(SIG, C_WORDS);
            dump_windows();
        } else {
            out_word(d);
        }
    }
    if (!verbose) {
        lane[0] = lane[1] = lane[2] = lane[3] = 0;
        mix((const volatile uint64_t *)LAY_ARENA, ARENA_SIZE / 8);
        out_word(lane[0] ^ lane[1] ^ lane[2] ^ lane[3]);
    }
    out_flush();
    call3(94, 0, 0, 0);
}
