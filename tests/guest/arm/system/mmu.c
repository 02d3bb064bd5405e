/* Translation: every descriptor, permission, domain and fault of the formats a model has; FSR, FAR and PAR. */
#include "rt.h"

#define L1 ((volatile uint32_t *)(TABLES))
#define L2 ((volatile uint32_t *)(TABLES + 0x4000))          /* coarse: 256 entries */
#define FINE ((volatile uint32_t *)(TABLES + 0x5000))        /* 1024 entries */
#define L1B ((volatile uint32_t *)(TABLES + 0x8000))         /* for TTBR1 */
#define LPAE1 ((volatile uint64_t *)(TABLES + 0xc000))
#define LPAE2 ((volatile uint64_t *)(TABLES + 0xd000))
#define LPAE3 ((volatile uint64_t *)(TABLES + 0xe000))
#define TABLES (RAM + 0x1000000u)
#define PAGES (RAM + 0x1100000u)                             /* what is mapped in the tests */
#define VA 0xa0000000u
#define VA2 0xa0100000u

static uint32_t probe[2];

/* A load, a store, a fetch at va; the state's privilege is the caller's. */
static void touch(uint32_t va)
{
    uint32_t before = exceptions;
    put("   r:");
    TRY2("ldr r0, [%1]", "r0", "r"(va));
    put(before == exceptions ? "ok" : "");
    before = exceptions;
    put("   w:");
    TRY2("str r0, [%1]", "r0", "r"(va + 4));
    put(before == exceptions ? "ok" : "");
}

static void run(uint32_t va)
{
    uint32_t before = exceptions;
    put("   x:");
    expected = va;
    __asm__ volatile("adr r0, 1f\n str r0, [%0]\n mov lr, r0\n bx %1\n1:" : : "r"(&resume_at), "r"(va) : "r0", "lr", "memory");
    resume_at = 0;
    put(before == exceptions ? "ok\n" : "");
}

static void both(uint32_t va)
{
    touch(va);
    run(va + 8);
}

static void flush(void)
{
    MCR(15, 0, 8, 7, 0, 0);
    MCR(15, 0, 7, 5, 0, 0);
    if (flags & HAS_V7)
        __asm__ volatile(".inst 0xf57ff04f\n .inst 0xf57ff06f");
}

/* As PL1, then as PL0. */
static void levels(uint32_t va)
{
    flush();
    put("  PL1");
    both(va);
    put("  PL0");
    call_at(both, va, USR | 0xc0);
}

/* Flat sections of RAM, the vectors' and the console's, open to everybody. */
static void flat(volatile uint32_t *l1, uint32_t attributes)
{
    for (unsigned i = 0; i < 4096; i++)
        l1[i] = 0;
    for (unsigned i = 0; i < 64; i++)
        l1[(RAM >> 20) + i] = (RAM + (i << 20)) | attributes;
    l1[UART >> 20] = (UART & 0xfff00000) | attributes;
    l1[0] = 0 | attributes;
}

static void mmu(int on)
{
    uint32_t v = MRC(15, 0, 1, 0, 0);
    flush();
    MCR(15, 0, 1, 0, 0, on ? v | 1 : v & ~1u);
    flush();
}

static void pages(void)
{
    for (unsigned i = 0; i < 0x100000 / 4; i += 256)
        ((volatile uint32_t *)PAGES)[i] = 0xe12fff1e, ((volatile uint32_t *)PAGES)[i + 2] = 0xe12fff1e; /* bx lr */
    for (unsigned i = 0; i < 256; i++)
        ((volatile uint32_t *)PAGES)[i] = 0xe12fff1e;
}

/* --- short descriptors, Armv6 and Armv7 ------------------------------------------------------------------------------------ */

static void aps(uint32_t descriptor, volatile uint32_t *at, unsigned shift_ap, unsigned shift_apx, uint32_t va)
{
    for (unsigned ap = 0; ap < 8; ap++) {
        if (ap == 4)
            continue; /* reserved */
        if (ap == 7 && !(flags & HAS_V7))
            continue;
        say("AP", ap);
        *at = descriptor | (ap & 3) << shift_ap | (ap >> 2) << shift_apx;
        levels(va);
    }
}

static void short6(void)
{
    flat(L1, 0xc02);
    MCR(15, 0, 2, 0, 0, L1);
    MCR(15, 0, 2, 0, 2, 0);
    MCR(15, 0, 3, 0, 0, 1); /* domain 0: client */
    MCR(15, 0, 1, 0, 0, MRC(15, 0, 1, 0, 0) | 1u << 23); /* XP */
    mmu(1);
    title("nothing");
    levels(VA);
    title("sections");
    aps(PAGES | 2, &L1[VA >> 20], 10, 15, VA);
    title("execute never");
    L1[VA >> 20] = PAGES | 0xc12;
    levels(VA);
    title("small pages");
    L1[VA >> 20] = (uint32_t)L2 | 1;
    for (unsigned i = 0; i < 256; i++)
        L2[i] = 0;
    levels(VA + 0x3000);
    aps(PAGES | 2, &L2[3], 4, 9, VA + 0x3000);
    L2[3] = PAGES | 0x33;
    title("execute never");
    levels(VA + 0x3000);
    title("large pages");
    for (unsigned k = 0; k < 16; k++)
        L2[16 + k] = PAGES | 0x31;
    levels(VA + 0x14000);
    for (unsigned k = 0; k < 16; k++)
        L2[16 + k] = PAGES | 0x8231;
    levels(VA + 0x1f000);
    title("supersections");
    for (unsigned k = 0; k < 16; k++)
        L1[(VA >> 20) + k] = (PAGES & 0xff000000) | 0x40c02;
    levels(VA + (PAGES & 0xffffff));
    for (unsigned k = 0; k < 16; k++)
        L1[(VA >> 20) + k] = (PAGES & 0xff000000) | 0x48402;
    levels(VA + (PAGES & 0xffffff));
    for (unsigned k = 0; k < 16; k++)
        L1[(VA >> 20) + k] = 0;

    title("domains");
    for (unsigned d = 0; d < 4; d++) {
        say("DACR", d);
        MCR(15, 0, 3, 0, 0, 1 | d << 10);
        L1[VA >> 20] = PAGES | 0xc02 | 5 << 5;
        levels(VA);
        L1[VA >> 20] = PAGES | 0x412 | 5 << 5; /* privileged, execute never */
        levels(VA);
        L1[VA >> 20] = (uint32_t)L2 | 1 | 5 << 5;
        L2[0] = PAGES | 0x32;
        levels(VA);
        if (d & 1) { /* where the domain refuses qemu does not look at the second level */
            L2[0] = 0;
            levels(VA);
        }
    }
    MCR(15, 0, 3, 0, 0, 1);

    title("access flag");
    uint32_t sctlr = MRC(15, 0, 1, 0, 0);
    MCR(15, 0, 1, 0, 0, sctlr | 1u << 29);
    for (unsigned ap = 0; ap < 8; ap++) {
        say("AP", ap);
        L1[VA >> 20] = PAGES | 2 | (ap & 3) << 10 | (ap >> 2) << 15;
        levels(VA);
        L1[VA >> 20] = (uint32_t)L2 | 1;
        L2[0] = PAGES | 2 | (ap & 3) << 4 | (ap >> 2) << 9;
        levels(VA);
    }
    MCR(15, 0, 1, 0, 0, sctlr);

    title("two tables");
    flat(L1B, 0xc02);
    MCR(15, 0, 2, 0, 1, L1B);
    for (unsigned n = 1; n < 8; n += 2) {
        say("N", n);
        MCR(15, 0, 2, 0, 2, n);
        uint32_t border = 1u << (32 - n);
        if (border > RAM + 0x4000000 && border > UART) { /* below: what the program needs is in TTBR0's part */
            L1B[VA >> 20] = PAGES | 0xc02, L1[VA >> 20] = 0;
            levels(VA);
        } else {
            L1B[VA >> 20] = PAGES | 0xc02;
            levels(VA);
        }
        L1B[VA >> 20] = 0;
        levels(VA);
    }
    if ((flags & HAS_V7 || flags & HAS_TZ) && RAM < 0x80000000u) {
        MCR(15, 0, 2, 0, 2, 1 | 1 << 5); /* PD1 */
        levels(VA);
    }
    MCR(15, 0, 2, 0, 2, 0);

    title("walks that fail");
    if (ABORTS) {
        L1[VA >> 20] = 0xf8000001; /* a table where nothing is */
        levels(VA);
    }
    title("page borders");
    L1[VA >> 20] = PAGES | 0xc02;
    L1[(VA >> 20) + 1] = 0;
    flush();
    if (flags & HAS_V7) {
        TRY2("ldr r0, [%1]", "r0", "r"(VA + 0xffffe));
        TRY2("str r0, [%1]", "r0", "r"(VA + 0xfffff));
        TRY2("ldrh r0, [%1]", "r0", "r"(VA + 0xfffff));
    }
    TRY2("ldmia %1, {r0, r1}", "r0", "r"(VA + 0xffffc));
    TRY2("stmia %1!, {r0, r1}", "r0", "r"(VA + 0xffffc));
    TRY2("ldrt r0, [%1]", "r0", "r"(VA2));
    L1[VA >> 20] = PAGES | 0x402;
    flush();
    TRY2("ldrt r0, [%1], #4", "r0", "r"(VA)); /* as PL0 */
    TRY2("strbt r0, [%1], #4", "r0", "r"(VA));
    TRY2("ldr r0, [%1]", "r0", "r"(VA));

    title("address translation");
    static const uint32_t leaves[] = { 0x002, 0x402, 0x802, 0xc02, 0x8402, 0x8802, 0 };
    for (unsigned i = 0; i < sizeof leaves / sizeof *leaves; i++) {
        L1[VA >> 20] = leaves[i] ? PAGES | leaves[i] : 0;
        flush();
        for (unsigned k = 0; k < 4; k++) {
            switch (k) {
            case 0: MCR(15, 0, 7, 8, 0, VA + 0x1234); break;
            case 1: MCR(15, 0, 7, 8, 1, VA + 0x1234); break;
            case 2: MCR(15, 0, 7, 8, 2, VA + 0x1234); break;
            default: MCR(15, 0, 7, 8, 3, VA + 0x1234); break;
            }
            uint32_t par = MRC(15, 0, 7, 4, 0);
            say("PAR", par & 1 ? par : (par & 0xfffff201) - PAGES); /* qemu shows no memory attributes */
        }
    }
    L1[VA >> 20] = (uint32_t)L2 | 1;
    L2[1] = 0, L2[2] = PAGES | 0x12, L2[3] = PAGES | 0x32;
    flush();
    for (unsigned k = 0; k < 4; k++) {
        MCR(15, 0, 7, 8, 2, VA + 0x1000 * k);
        uint32_t par = MRC(15, 0, 7, 4, 0);
        say("PAR", par & 1 ? par : (par & 0xfffff201) - PAGES);
    }

    if (flags & HAS_LPAE) {
        title("PXN"); /* no UWXN: qemu 7.2 has it only with long descriptors */
        L1[VA >> 20] = PAGES | 0xc03;
        levels(VA);
        L1[VA >> 20] = (uint32_t)L2 | 5;
        L2[0] = PAGES | 0x32;
        levels(VA);
    }
    mmu(0);
}

/* --- the format of Armv4 and Armv5: subpages, tiny pages -------------------------------------------------------------------- */

static void short5(void)
{
    flat(L1, 0xc12);
    MCR(15, 0, 2, 0, 0, L1);
    if (flags & HAS_V6) {
        MCR(15, 0, 2, 0, 2, 0);
        MCR(15, 0, 1, 0, 0, MRC(15, 0, 1, 0, 0) & ~(1u << 23));
    }
    MCR(15, 0, 3, 0, 0, 1);
    mmu(1);
    title("nothing");
    levels(VA);
    title("sections, S and R");
    uint32_t sctlr = MRC(15, 0, 1, 0, 0);
    for (unsigned sr = 0; sr < 3; sr++) {
        MCR(15, 0, 1, 0, 0, (sctlr & ~0x300u) | sr << 8);
        for (unsigned ap = 0; ap < 4; ap++) {
            if (sr && ap)
                continue;
            say("AP", sr << 4 | ap);
            L1[VA >> 20] = PAGES | 0x12 | ap << 10;
            levels(VA);
        }
    }
    MCR(15, 0, 1, 0, 0, sctlr);
    title("small pages with subpages");
    L1[VA >> 20] = (uint32_t)L2 | 0x11;
    for (unsigned i = 0; i < 256; i++)
        L2[i] = 0;
    levels(VA);
    L2[0] = PAGES | 0xe42; /* AP 0, 1, 2, 3 */
    for (unsigned k = 0; k < 4; k++)
        levels(VA + 0x400 * k);
    for (unsigned k = 4; k-- > 0;) /* and again in the other order, with what was translated */
        touch(VA + 0x400 * k);
    title("large pages with subpages");
    for (unsigned k = 0; k < 16; k++)
        L2[16 + k] = PAGES | 0xe41;
    for (unsigned k = 0; k < 4; k++)
        levels(VA + 0x10000 + 0x4000 * k);
    title("domains");
    for (unsigned d = 0; d < 4; d++) {
        say("DACR", d);
        MCR(15, 0, 3, 0, 0, 1 | d << 10);
        L1[VA >> 20] = PAGES | 0xc12 | 5 << 5;
        levels(VA);
        L1[VA >> 20] = (uint32_t)L2 | 0x11 | 5 << 5;
        L2[0] = PAGES | 0xff2;
        levels(VA);
    }
    MCR(15, 0, 3, 0, 0, 1);
    if (!(flags & HAS_V6)) {
        title("fine tables, tiny pages");
        L1[VA >> 20] = (uint32_t)FINE | 0x13;
        for (unsigned i = 0; i < 1024; i++)
            FINE[i] = 0;
        levels(VA);
        for (unsigned k = 0; k < 4; k++)
            FINE[k] = (PAGES + 0x400 * ((k + 1) & 3)) | 3 | k << 4;
        for (unsigned k = 0; k < 4; k++) {
            ((volatile uint32_t *)PAGES)[0x100 * k + 1] = 0x100 + k;
            flush();
            touch(VA + 0x400 * k);
            put("\n");
        }
        MCR(15, 0, 3, 0, 0, 3);
        for (unsigned k = 0; k < 4; k++)
            ((volatile uint32_t *)PAGES)[0x100 * k + 2] = 0x100 + k;
        for (unsigned k = 0; k < 4; k++)
            say("word", *(volatile uint32_t *)(VA + 0x400 * k + 8));
        MCR(15, 0, 3, 0, 0, 1);
    }
    title("FCSE");
    L1[VA >> 20] = 0;
    L1[0x04000000 >> 20] = PAGES | 0xc12;
    L1[0x04100000 >> 20] = 0;
    flush();
    (void)probe;
    mmu(0);
}

/* --- long descriptors ---------------------------------------------------------------------------------------------------------- */

#define AF 0x400ull
#define BLOCK 1ull
#define PAGE 3ull
#define XN (1ull << 54)
#define PXN (1ull << 53)

static void lpae_flat(void)
{
    for (unsigned i = 0; i < 512; i++)
        LPAE1[i] = LPAE2[i] = LPAE3[i] = 0;
    LPAE1[UART >> 30] = (UART & 0xc0000000) | BLOCK | AF | 0x40;
    LPAE1[RAM >> 30] = (RAM & 0xc0000000) | BLOCK | AF | 0x40;
    LPAE1[VA >> 30] = (uint32_t)LPAE2 | 3;
}

static void par64(const char *name)
{
    uint32_t low, high;
    __asm__ volatile(".inst 0xec510f07\n mov %0, r0\n mov %1, r1" : "=r"(low), "=r"(high) : : "r0", "r1");
    put("  ");
    put(name);
    put(" ");
    hex(high);
    put(" ");
    hex(low & 1 ? low : low & ~0xffffe000);
    put("\n");
}

static void lpae(void)
{
    const uint64_t page = PAGES;
    volatile uint64_t *l2 = &LPAE2[VA >> 21 & 511], *l3 = LPAE3;
    lpae_flat();
    MCR(15, 0, 10, 2, 0, 0x00ff4404);
    MCR(15, 0, 10, 2, 1, 0);
    __asm__ volatile("mov r0, %0\n mov r1, #0\n .inst 0xec410f02" : : "r"(LPAE1) : "r0", "r1"); /* mcrr: TTBR0 */
    MCR(15, 0, 2, 0, 2, 1u << 31);
    MCR(15, 0, 3, 0, 0, 0); /* domains do not count */
    mmu(1);
    title("nothing");
    levels(VA);
    LPAE1[3] = 0;
    levels(0xf0000000);
    title("blocks of 2M");
    for (unsigned ap = 0; ap < 4; ap++) {
        say("AP", ap);
        *l2 = (page & ~0x1fffffull) | BLOCK | AF | ap << 6;
        levels(VA + (PAGES & 0x1fffff));
    }
    title("pages");
    *l2 = (uint32_t)LPAE3 | 3;
    levels(VA);
    for (unsigned ap = 0; ap < 4; ap++) {
        say("AP", ap);
        l3[0] = page | PAGE | AF | ap << 6;
        levels(VA);
    }
    l3[0] = page | BLOCK | AF | 0x40; /* no page */
    levels(VA);
    title("never");
    l3[0] = page | PAGE | AF | 0x40 | XN;
    levels(VA);
    l3[0] = page | PAGE | AF | 0x40 | PXN;
    levels(VA);
    /* What PL0 may write PL1 does not execute; the program itself must not be such memory then. */
    uint32_t sctlr = MRC(15, 0, 1, 0, 0);
    mmu(0);
    LPAE1[RAM >> 30] &= ~0x40ull;
    MCR(15, 0, 1, 0, 0, sctlr & ~1u | 1u << 20);
    mmu(1);
    for (unsigned ap = 0; ap < 4; ap++) {
        l3[0] = page | PAGE | AF | ap << 6;
        flush();
        both(VA);
    }
    mmu(0);
    LPAE1[RAM >> 30] |= 0x40;
    MCR(15, 0, 1, 0, 0, sctlr & ~1u);
    mmu(1);
    title("access flag");
    l3[0] = page | PAGE | 0x40;
    levels(VA);
    *l2 = (page & ~0x1fffffull) | BLOCK | 0x40;
    levels(VA);
    title("tables' attributes");
    l3[0] = page | PAGE | AF | 0x40;
    for (unsigned k = 0; k < 16; k++) {
        say("table", k);
        *l2 = (uint32_t)LPAE3 | 3 | (uint64_t)(k & 3) << 61 | (uint64_t)(k >> 2) << 59;
        levels(VA);
    }
    *l2 = (uint32_t)LPAE3 | 3;
    title("walks that fail");
    if (ABORTS) {
        *l2 = 0xf8000003;
        levels(VA);
        *l2 = (uint32_t)LPAE3 | 3;
    }
    title("sizes");
    static const uint32_t sizes[] = { 0x00000001, 0x00010000, 0x00010001, 0x00020001, 0x00800000, 0x00000080 };
    for (unsigned i = 0; i < 6; i++) {
        uint32_t t0 = sizes[i] & 7, t1 = sizes[i] >> 16 & 7;
        if (t0 == 1 && (RAM | UART) >> 31)
            continue; /* the program itself would be outside */
        if (sizes[i] == 0x80)
            continue;
        say("TTBCR", sizes[i]);
        __asm__ volatile("mov r0, %0\n mov r1, #0\n .inst 0xec410f12" : : "r"(t1 == 2 ? (uint32_t)LPAE2 : t1 == 1 ? (uint32_t)&LPAE1[2] : (uint32_t)LPAE1) : "r0", "r1");
        MCR(15, 0, 2, 0, 2, 1u << 31 | sizes[i]);
        levels(VA);
        levels(0xf0000000);
    }
    MCR(15, 0, 2, 0, 2, 1u << 31);
    title("address translation");
    for (unsigned i = 0; i < 6; i++) {
        l3[0] = i < 4 ? page | PAGE | AF | i << 6 : i == 4 ? page | PAGE | 0x40 | 1 << 2 | 2 << 8 : 0;
        flush();
        MCR(15, 0, 7, 8, 0, VA);
        par64("PL1 r");
        MCR(15, 0, 7, 8, 1, VA);
        par64("PL1 w");
        MCR(15, 0, 7, 8, 2, VA);
        par64("PL0 r");
        MCR(15, 0, 7, 8, 3, VA);
        par64("PL0 w");
    }
    title("alignment");
    l3[0] = page | PAGE | AF | 0x40;
    flush();
    TRY2("ldmia %1, {r0, r1}", "r0", "r"(VA + 2));
    TRY(".inst 0xe1200070");
    mmu(0);
    MCR(15, 0, 2, 0, 2, 0);
}

int main(void)
{
    set_vectors();
    near = VA;
    pages();
    if (!(flags & HAS_V7))
        short5();
    if (flags & HAS_V6) {
        title("--- extended format");
        short6();
    }
    if (flags & HAS_LPAE && RAM >> 30 != VA >> 30) {
        title("--- long descriptors");
        lpae();
    }
    title("end");
    finish();
}
