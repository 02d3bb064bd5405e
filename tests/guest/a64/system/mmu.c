/* Stage-1 translation: for every granule and several input sizes, pages and blocks of every permission, missing and wrong
 * descriptors of every level, hierarchical attributes; seen by AT (PAR_EL1), by loads, stores and branches of EL1 and EL0, and
 * by unprivileged accesses. Then the EL2 and EL3 regimes, TLB maintenance, ASIDs, tags, WXN. One line an address: the four
 * PARs, then the syndrome of each access, 0 when it went well. */
#include "rt.h"

#define AF (1ull << 10)
#define SH (3ull << 8)
#define EL0 (1ull << 6)
#define RO (1ull << 7)
#define NG (1ull << 11)
#define CONT (1ull << 52)
#define PXN (1ull << 53)
#define UXN (1ull << 54)
#define ATTR(n) ((uint64_t)(n) << 2)
#define OUTSIDE (1ull << 46)     /* beyond the output size that is set */
#define NOWHERE 0x30000000000ull /* no memory there */

static uint64_t pool[80][8192] __attribute__((aligned(65536)));
static uint64_t target[2][8192] __attribute__((aligned(65536)));
static unsigned used, grain, bits;
static uint64_t *root;

/* At EL0, by an alias that EL0 may execute. */
__asm__(".text\n.balign 65536\n.global user_page\nuser_page:\n ldr x1, [x0]\n svc #0x7f\n nop\n nop\n"
        " str x0, [x0, #64]\n svc #0x7f\n nop\n nop\n br x0\n svc #0x7f\n.balign 65536\n");
extern char user_page[];
#define CODE_SVC 0xd4000fe1u /* svc #0x7f */
#define CODE_RET 0xd65f03c0u

static unsigned stride(void)
{
    return grain - 3;
}

static unsigned shift_of(unsigned at)
{
    return grain + (3 - at) * stride();
}

static unsigned first_level(void)
{
    return 3 - (bits - grain - 1) / stride();
}

static uint64_t *table_new(void)
{
    uint64_t *t = pool[used++];
    for (unsigned i = 0; i < 1u << stride(); i++)
        t[i] = 0;
    return t;
}

/* The entry for va at a level; tables on the way are made. */
static uint64_t *entry(uint64_t va, unsigned at)
{
    uint64_t *t = root;
    for (unsigned l = first_level();; l++) {
        unsigned width = l == first_level() ? bits - shift_of(l) : stride();
        uint64_t *e = &t[va >> shift_of(l) & ((1u << width) - 1)];
        if (l == at)
            return e;
        if (!*e)
            *e = (uint64_t)table_new() | 3;
        t = (uint64_t *)(*e & 0xfffffffff000 & ~((1ull << grain) - 1));
    }
}

static void identity(uint64_t pa, uint64_t attrs)
{
    unsigned at = grain == 12 && bits > 31 ? 1 : 2;
    pa &= ~((1ull << shift_of(at)) - 1);
    *entry(pa, at) = pa | AF | 1 | attrs;
}

static uint64_t slot(unsigned k)
{
    return (1ull << (bits - 1)) + ((uint64_t)k << (grain + stride()));
}

static void page(unsigned k, uint64_t desc)
{
    *entry(slot(k), 3) = desc;
}

static uint64_t good(void)
{
    return (uint64_t)target[0] | AF | SH | 3;
}

/* What is at each slot; 23 is where EL0's code is. */
static void fill(void)
{
    uint64_t block = (uint64_t)target[0] & ~((1ull << shift_of(2)) - 1);
    page(0, good());
    page(1, good() | RO);
    page(2, good() | EL0);
    page(3, good() | EL0 | RO);
    page(4, good() & ~AF);
    page(5, 0);
    page(6, good() & ~2ull);
    page(7, good() | EL0 | RO | UXN);
    page(8, good() | EL0 | RO | PXN);
    page(9, good() | OUTSIDE);
    page(10, good());
    *entry(slot(10), 2) = 0;
    *entry(slot(11), 2) = block | AF | SH | 1;
    *entry(slot(12), 2) = block | AF | SH | EL0 | RO | 1;
    *entry(slot(13), 2) = OUTSIDE | 3;
    *entry(slot(14), 2) = NOWHERE | 3;
    *entry(slot(15), 2) = 0;
    page(15, good() | EL0);
    *entry(slot(15), 2) |= 1ull << 61;
    page(16, good() | EL0);
    *entry(slot(16), 2) |= 1ull << 62;
    page(17, good() | EL0 | RO);
    *entry(slot(17), 2) |= 1ull << 60;
    page(18, good() | EL0 | RO);
    *entry(slot(18), 2) |= 1ull << 59;
    page(19, good() | NG);
    page(20, good() | CONT | EL0);
    page(21, (good() & ~SH) | 2 << 8 | ATTR(1)); /* outer shareable, as PAR shows such memory: qemu 7.2 shows the descriptor */
    page(22, (good() & ~SH) | 2 << 8 | ATTR(2));
    page(23, ((uint64_t)user_page & 0xffffffffffff) | AF | SH | EL0 | RO | 3);
    page(24, good() | UXN);
    *entry(slot(25), 2) = (block & ~AF) | SH | 1;
    *entry(slot(26), 2) = block | OUTSIDE | AF | 1;
}

static uint64_t result;
#define OUTCOME() (exceptions != before ? last_esr : 0)
#define BEGIN() (last_esr = 0, before = exceptions)

static void word(uint64_t v)
{
    put(" ");
    hex(v);
}

static void mark(uint64_t va)
{
    if (last_far != va)
        put("*");
}

static uint64_t par(unsigned op, uint64_t va)
{
    switch (op) {
    case 0: __asm__ volatile("at s1e1r, %0\n isb" : : "r"(va) : "memory"); break;
    case 1: __asm__ volatile("at s1e1w, %0\n isb" : : "r"(va) : "memory"); break;
    case 2: __asm__ volatile("at s1e0r, %0\n isb" : : "r"(va) : "memory"); break;
    case 3: __asm__ volatile("at s1e0w, %0\n isb" : : "r"(va) : "memory"); break;
    case 4: __asm__ volatile("at s1e2r, %0\n isb" : : "r"(va) : "memory"); break;
    case 5: __asm__ volatile("at s1e2w, %0\n isb" : : "r"(va) : "memory"); break;
    case 6: __asm__ volatile("at s1e3r, %0\n isb" : : "r"(va) : "memory"); break;
    default: __asm__ volatile("at s1e3w, %0\n isb" : : "r"(va) : "memory"); break;
    }
    return READ(par_el1);
}

static void execute(uint64_t va)
{
    __asm__ volatile("adr x30, 1f\n str x30, [%1]\n blr %0\n1: str xzr, [%1]" : : "r"(va), "r"(&resume_at) : "x30", "memory");
}

static void probe(const char *name, uint64_t n, uint64_t va)
{
    uint64_t before, user = slot(23);
    unsigned el = level();
    put(name);
    word(n);
    put(":");
    if (el == 1)
        for (unsigned i = 0; i < 4; i++)
            word(par(i, va));
    else
        for (unsigned i = 0; i < 2; i++)
            word(par(el * 2 + i, va));
    put(" |");
    quiet = 1;
    BEGIN();
    __asm__ volatile("ldr %0, [%1]" : "=r"(result) : "r"(va) : "memory");
    word(OUTCOME());
    if (exceptions != before)
        mark(va);
    BEGIN();
    __asm__ volatile("str %0, [%1]" : : "r"(n), "r"(va + 72) : "memory");
    word(OUTCOME());
    if (exceptions != before)
        mark(va + 72);
    BEGIN();
    execute(va + 16);
    word(OUTCOME());
    if (el == 1) {
        BEGIN();
        __asm__ volatile("ldtr %0, [%1]" : "=r"(result) : "r"(va) : "memory");
        word(OUTCOME());
        BEGIN();
        __asm__ volatile("sttr %0, [%1]" : : "r"(n), "r"(va + 80) : "memory");
        word(OUTCOME());
        BEGIN();
        run_user(user, va);
        word(last_esr);
        BEGIN();
        run_user(user + 16, va);
        word(last_esr);
        if (last_esr)
            mark(va + 64);
        BEGIN();
        resume_at = user + 36;
        run_user(user + 32, va);
        word(last_esr);
        if (last_esr)
            mark(va);
        resume_at = 0;
    }
    quiet = 0;
    put("\n");
}

static void all_slots(void)
{
    for (unsigned k = 0; k <= 26; k++)
        if (k != 23) /* of blocks, the part that is ours */
            probe("slot", k, slot(k) + (k == 11 || k == 12 || k >= 25 ? (uint64_t)target[0] & ((1ull << shift_of(2)) - 1) : 0));
    probe("first level", 0, (1ull << (bits - 1)) | 1ull << (bits - 2));
    probe("beyond", 0, 1ull << bits);
    probe("beyond", 1, 1ull << 55 | 8);
    probe("beyond", 2, ~0xfffull << 2);
    probe("tagged", 0, slot(0) | 5ull << 56);
}

#define IPS_40 2ull

static uint64_t tcr1(void)
{
    unsigned tg = grain == 12 ? 0 : grain == 16 ? 1 : 2;
    /* Walks cacheable; the upper half off, with the same size. */
    return (64 - bits) | 1 << 8 | 1 << 10 | 3 << 12 | tg << 14 | (uint64_t)(64 - bits) << 16 | 1 << 23 |
           (uint64_t)(grain == 12 ? 2 : grain == 16 ? 3 : 1) << 30 | IPS_40 << 32;
}

static void make(unsigned g, unsigned b)
{
    put("granule ");
    hex(1u << g);
    put(" bits ");
    hex(b);
    put("\n");
    grain = g;
    bits = b;
    used = 0;
    root = table_new();
    identity(0x09000000, ATTR(1));
    identity((uint64_t)pool, SH);
    fill();
    target[0][0] = CODE_SVC | (uint64_t)CODE_RET << 32;
    target[0][2] = CODE_RET;
    __asm__ volatile("dsb sy\n ic iallu\n dsb sy\n isb" : : : "memory");
}

static void on1(uint64_t tcr)
{
    WRITE(mair_el1, 0x4400ff);
    WRITE(tcr_el1, tcr);
    WRITE(ttbr0_el1, root);
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
    WRITE(sctlr_el1, READ(sctlr_el1) | 1);
}

static void off1(void)
{
    WRITE(sctlr_el1, READ(sctlr_el1) & ~1ull);
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
}

/* --- EL1: one granule after the other -------------------------------------------------------------------------------------- */
static void maintenance(void)
{
    volatile uint64_t *p = (volatile uint64_t *)slot(27);
    uint64_t seen[10];
    unsigned n = 0;
    target[0][8] = 0x1111;
    target[1][8] = 0x2222;
    uint64_t a = good(), b = good() - (uint64_t)target[0] + (uint64_t)target[1];
#define SWITCH(to, how) \
    do { \
        page(27, to); \
        __asm__ volatile("dsb sy\n " how "\n dsb sy\n isb" : : "r"(slot(27) >> 12) : "memory"); \
        seen[n++] = p[8]; \
    } while (0)
    SWITCH(a, "tlbi vmalle1");
    SWITCH(b, "tlbi vae1, %0");
    SWITCH(a, "tlbi vae1is, %0");
    SWITCH(b, "tlbi vaae1, %0");
    SWITCH(a, "tlbi vale1, %0");
    SWITCH(b, "tlbi vaale1is, %0");
    SWITCH(a, "tlbi aside1, xzr");
    SWITCH(b, "tlbi vmalle1is");
    for (unsigned i = 0; i < n; i++)
        say("after tlbi", seen[i]);
    /* Permission taken away, given back; then the page goes. */
    quiet = 1;
    page(27, a | RO);
    __asm__ volatile("dsb sy\n tlbi vae1, %0\n dsb sy\n isb" : : "r"(slot(27) >> 12) : "memory");
    uint64_t before = exceptions;
    p[9] = 1;
    say("read-only", OUTCOME());
    page(27, 0);
    __asm__ volatile("dsb sy\n tlbi vae1, %0\n dsb sy\n isb" : : "r"(slot(27) >> 12) : "memory");
    before = exceptions;
    (void)p[8];
    say("gone", OUTCOME());
    quiet = 0;
}

static void asids(void)
{
    uint64_t *first = root, b = good() - (uint64_t)target[0] + (uint64_t)target[1];
    volatile uint64_t *p = (volatile uint64_t *)slot(28);
    page(28, good() | NG);
    root = table_new();
    identity(0x09000000, ATTR(1));
    identity((uint64_t)pool, SH);
    page(28, b | NG);
    for (unsigned i = 0; i < 4; i++) {
        WRITE(ttbr0_el1, (uint64_t)(i & 1 ? root : first) | (uint64_t)(i & 1 ? 2 : 1) << 48);
        say("asid", p[8]);
    }
    root = first;
    WRITE(ttbr0_el1, root);
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
}

/* The upper half over the same tables: TTBR1, and tags. */
static void upper(void)
{
    uint64_t high = ~0ull << bits, tcr = tcr1() & ~(1ull << 23);
    WRITE(ttbr1_el1, root);
    WRITE(tcr_el1, tcr);
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
    probe("upper", 0, high | slot(0));
    probe("upper", 4, high | slot(4));
    probe("upper", 9, high | slot(9));
    probe("upper missing", 0, high | slot(40));
    probe("upper tagged", 0, (high | slot(0)) ^ 1ull << 60);
    WRITE(tcr_el1, tcr | 3ull << 37);
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
    probe("tag", 0, slot(0) | 0x5aull << 56);
    probe("tag", 1, (high | slot(0)) ^ 0x5aull << 56);
    probe("tag", 5, slot(5) | 0xc0ull << 56);
    WRITE(tcr_el1, tcr1());
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
}

static void cache_by_address(void)
{
    title("instruction order");
    /* Two pages, the second one missing: where the fault is. */
    *entry(slot(29), 3) = good();
    quiet = 1;
    uint64_t before = exceptions, end = slot(29) + (1u << grain) - 4;
    __asm__ volatile("ldr x0, [%0]" : : "r"(end) : "x0", "memory");
    say("across", OUTCOME());
    say("far", last_far - slot(29));
    before = exceptions;
    __asm__ volatile("str x0, [%0]" : : "r"(end) : "x0", "memory");
    say("across", OUTCOME());
    say("far", last_far - slot(29));
    before = exceptions;
    __asm__ volatile("ldp x0, x1, [%0]" : : "r"(end - 4) : "x0", "x1", "memory");
    say("pair", OUTCOME());
    say("far", last_far - slot(29));
    before = exceptions;
    __asm__ volatile("dc zva, %0" : : "r"(slot(5)) : "memory");
    say("zva", OUTCOME());
    before = exceptions;
    __asm__ volatile("ldadd x0, x1, [%0]" : : "r"(slot(1)) : "x1", "memory");
    say("atomic read-only", OUTCOME());
    before = exceptions;
    __asm__ volatile("ldxr x0, [%0]\n" : : "r"(slot(5)) : "x0", "memory");
    say("exclusive", OUTCOME());
    quiet = 0;
}

static void el1(uint64_t arg)
{
    static const uint8_t sizes[][2] = { { 12, 48 }, { 12, 39 }, { 12, 34 }, { 14, 47 }, { 14, 40 }, { 14, 36 }, { 16, 48 }, { 16, 42 } };
    (void)arg;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        make(sizes[i][0], sizes[i][1]);
        on1(tcr1());
        if (i == 0 || i == 4 || i == 7) {
            all_slots();
        } else {
            probe("slot", 0, slot(0));
            probe("slot", 4, slot(4));
            probe("slot", 10, slot(10));
            probe("slot", 14, slot(14));
            probe("first level", 0, (1ull << (bits - 1)) | 1ull << (bits - 2));
            probe("beyond", 0, 1ull << bits);
        }
        maintenance();
        asids();
        cache_by_address();
        off1();
    }
    title("upper half");
    make(12, 39);
    WRITE(ttbr1_el1, root);
    on1(tcr1() & ~(1ull << 23));
    upper();
    off1();
}

/* --- EL2 and EL3 -------------------------------------------------------------------------------------------------------- */
static void one_regime(unsigned el)
{
    static const uint8_t sizes[][2] = { { 12, 48 }, { 14, 40 }, { 16, 42 } };
    for (unsigned i = 0; i < 3; i++) {
        make(sizes[i][0], sizes[i][1]);
        uint64_t tcr = (tcr1() & 0xffff) | IPS_40 << 16 | 1ull << 23 | 1ull << 31;
        if (el == 2) {
            WRITE(mair_el2, 0x4400ff);
            WRITE(tcr_el2, tcr);
            WRITE(ttbr0_el2, root);
            __asm__ volatile("tlbi alle2\n dsb sy\n isb" : : : "memory");
            WRITE(sctlr_el2, READ(sctlr_el2) | 1);
        } else {
            WRITE(mair_el3, 0x4400ff);
            WRITE(tcr_el3, tcr);
            WRITE(ttbr0_el3, root);
            __asm__ volatile("tlbi alle3\n dsb sy\n isb" : : : "memory");
            WRITE(sctlr_el3, READ(sctlr_el3) | 1);
        }
        all_slots();
        if (el == 2)
            WRITE(sctlr_el2, READ(sctlr_el2) & ~1ull);
        else
            WRITE(sctlr_el3, READ(sctlr_el3) & ~1ull);
    }
}

static void el2(uint64_t arg)
{
    (void)arg;
    title("EL2");
    one_regime(2);
    title("EL1");
    run_at(1, 1, el1, 0);
}

int main(void)
{
    unsigned top = level();
    if (top == 3) {
        title("EL3");
        one_regime(3);
        run_at(2, 1, el2, 0);
    } else if (top == 2) {
        el2(0);
    } else {
        title("EL1");
        el1(0);
    }
    title("end");
    return 0;
}
