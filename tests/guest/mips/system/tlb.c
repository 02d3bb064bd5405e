/* The TLB: refill and general vectors, page masks, ASIDs and global entries, invalid and clean pages, TLBP and TLBR, wired entries. */
#include "rt.h"

#ifdef __mips64
#define SEG(a) ((word)(int64_t)(int32_t)(a))
#else
#define SEG(a) ((word)(a))
#endif

static void entry(unsigned i, word hi, word mask, word lo0, word lo1)
{
    SET(5, 0, mask);
    SETL(10, hi);
    SET(2, 0, lo0);
    SET(3, 0, lo1);
    SET(0, 0, i);
    TLBWI;
}

static void show(unsigned i)
{
    SET(0, 0, i);
    TLBR;
    word hi = CP0L(10);
    say("entry %x: hi %x mask %x lo %x %x\n", (word)i, hi, CP0(5, 0), CP0(2, 0), CP0(3, 0));
}

static void probe(word hi)
{
    SETL(10, hi);
    TLBP;
    say("probe %x: %x\n", hi, CP0(0, 0));
}

/* A refill handler: pages map to page 2, odd ones to page 3. */
static int refill(unsigned vector)
{
    if (vector != 0 && vector != 0x80)
        return 0;
    SET(2, 0, page_of(2) >> 6 | 0x1e);
    SET(3, 0, page_of(3) >> 6 | 0x1a);
    SET(5, 0, 0);
    TLBWR;
    return 1;
}

int main(void)
{
    volatile uint32_t *p = (volatile uint32_t *)(SEG(0xa0000000) + page_of(2)), *q = (volatile uint32_t *)(SEG(0xa0000000) + page_of(3));
    init();
    p[0] = 0x11111111;
    p[1] = 0x22222222;
    q[0] = 0x33333333;
    RUN("lw $2, 0($8)", 0x10000000, 0);
    RUN("sw $2, 0($8)", 0x10001004, 0);
    RUN("b 9f; lw $2, 0($8)", 0x10000008, 0);
    RUN("lw $2, 0($8)", SEG(0xc0000000), 0);
    RUN("sw $2, 0($8)", SEG(0xe0002000), 0);
    RUN("jr $8; nop", 0x10000000, 0);
    entry(1, 0x10000000 | 5, 0, page_of(2) >> 6 | 0x1e, page_of(3) >> 6 | 0x1a);
    SETL(10, 5);
    RUN("lw $2, 0($8)", 0x10000000, 0);
    say("%x %x\n", (word)*(volatile uint32_t *)0x10000004, (word)*(volatile uint32_t *)0x10001000);
    RUN("sw $9, 0($8)", 0x10000000, 0x4444);
    say("%x\n", (word)p[0]);
    RUN("sw $9, 0($8)", 0x10001000, 0x5555);        /* clean: modified */
    say("%x\n", (word)q[0]);
    SETL(10, 6);
    RUN("lw $2, 0($8)", 0x10000000, 0);              /* another ASID */
    entry(1, 0x10000000 | 5, 0, page_of(2) >> 6 | 0x1f, page_of(3) >> 6 | 0x1b);
    SETL(10, 6);
    RUN("lw $2, 0($8)", 0x10000000, 0);              /* global */
    entry(1, 0x10000000 | 5, 0, page_of(2) >> 6 | 0x1f, page_of(3) >> 6 | 0x19);
    SETL(10, 7);
    RUN("lw $2, 0($8)", 0x10001000, 0);              /* invalid: the general vector */
    RUN("sw $2, 0($8)", 0x10001000, 0);
    show(1);
    entry(2, 0x20000000 | 9, 0x6000, page_of(0) >> 6 & ~0xfful | 0x1e, 0x1e);
    show(2);
    entry(3, 0x30000000 | 9, 0x1ffe000, 0x1e, 0x1000000 >> 6 | 0x1f);
    show(3);
    probe(0x20000009);
    probe(0x20007009);
    probe(0x20008009);
    probe(0x20000008);
    probe(0x31fff009);
    probe(0x10000001);
    entry(3, 0x40000000 | 9, 0x6000, 0x1e, 0x4000 >> 6 | 0x1e); /* 16 KiB pages: the vectors at 0x180 are in the first */
    SETL(10, 9);
    say("%x %x\n", (word)(*(volatile uint32_t *)0x40000180 == *(volatile uint32_t *)SEG(0xa0000180)),
        (word)(*(volatile uint32_t *)0x40004000 == *(volatile uint32_t *)SEG(0xa0004000)));
    entry(4, SEG(0xc0000000) | 9, 0, page_of(2) >> 6 | 0x1e, page_of(3) >> 6 | 0x1e);
    SETL(10, 9);
    RUN("lw $2, 0($8)", SEG(0xc0000004), 0);
    SET(6, 0, 6);
    hook = refill;
    for (unsigned i = 0; i < 40; i++)
        if (*(volatile uint32_t *)(0x50000000 + 8192 * (word)i + 4) != 0x22222222)
            say("refill %x\n", (word)i);
    say("refills: %x\n", (word)(fixups >= 40));
    RUN("sw $9, 0($8)", 0x50041000, 1);
    hook = 0;
    SET(6, 0, 8);
    say("random %x wired %x\n", (word)(CP0(1, 0) >= 8), CP0(6, 0));
    SET(12, 0, 4); /* ERL: the user segment is unmapped */
    word v = *(volatile uint32_t *)0x180;
    SET(12, 0, 0);
    say("%x\n", (word)(v == *(volatile uint32_t *)SEG(0x80000180)));
    say("%x\n", (word)(*(volatile uint32_t *)SEG(0x80000180) == *(volatile uint32_t *)SEG(0xa0000180)));
    say("end\n");
    finish();
}
