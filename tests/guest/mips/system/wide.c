/* 64-bit segments: user, supervisor and kernel, xkphys, the XTLB vector, address errors, 64-bit operations in 32-bit mode. */
#include "rt.h"

static void entry(unsigned i, word hi, word lo0, word lo1)
{
    SET(5, 0, 0);
    SETL(10, hi);
    SETL(2, lo0);
    SETL(3, lo1);
    SET(0, 0, i);
    TLBWI;
}

static void user(const char *name, word status, uint32_t code, word v0)
{
    const uint32_t words[2] = { code, 0x0000000c };
    say("%s: ", name);
    user_code(words, 2);
    enter(status, USER, v0, 0);
    word kind = frame[F_CAUSE] >> 2 & 31;
    if (kind && kind < 4)
        say("xcontext %x", CP0L(20) & 0xfffffffffful);
    say(".\n");
}

#define LW 0x8c430000 /* lw v1, 0(v0) */
#define DADDU 0x0043182d

int main(void)
{
    init();
    SET(12, 0, 0x80);
    RUN("ld $2, 0($8)", 0x9000000000100000, 0);
    RUN("ld $2, 0($8)", 0x9800000000100000, 0);
    RUN("ld $2, 0($8)", 0x9000100000000000, 0);
    RUN("ld $2, 0($8)", 0xffffffff80100000, 0);
    RUN("ld $2, 0($8)", 0x0000000010000000, 0);
    RUN("ld $2, 0($8)", 0x0000010000000000, 0);
    RUN("ld $2, 0($8)", 0x0000000080000000, 0);
    RUN("sd $2, 0($8)", 0x4000000000002000, 0);
    RUN("ld $2, 0($8)", 0xc000000000002000, 0);
    RUN("ld $2, 0($8)", 0x0400000000000000, 0);
    RUN("ld $2, 0($8)", 0xc100000000000000, 0);
    RUN("ld $2, 4($8)", 0x9000000000100000, 0);
    entry(1, 0xc000000000002000 | 7, page_of(2) >> 6 | 0x1e, page_of(3) >> 6 | 0x1e);
    SETL(10, 7);
    *(volatile uint64_t *)(0x9000000000000000 + page_of(2) + 8) = 0x123456789abcdef0;
    RUN("ld $2, 8($8)", 0xc000000000002000, 0);
    say("%x\n", *(volatile uint64_t *)0xc000000000002008);
    SET(0, 0, 1);
    TLBR;
    say("%x %x %x\n", CP0L(10), CP0L(2), CP0L(3));
    SETL(10, 0xc000000000002000 | 7);
    TLBP;
    say("%x\n", CP0(0, 0));
    SET(12, 0, 0);
    RUN("ld $2, 0($8)", 0x9000000000100000, 0); /* KX = 0 */
    RUN("ld $2, 0($8)", 0xffffffffc0100000, 0);
    user("user lw, UX 0", 0x12, LW, 0x10000000);
    user("user lw, UX 1", 0x32, LW, 0x10000000);
    user("user lw far, UX 1", 0x32, LW, 0x0000001000002000);
    user("user lw far, UX 0", 0x12, LW, 0x0000001000002000);
    user("user lw of 2 GiB, UX 1", 0x32, LW, 0x80000000);
    user("user lw too far", 0x32, LW, 0x0800000000000000);
    user("user lw kernel", 0x32, LW, 0xffffffff80100000);
    user("user lw supervisor", 0x32, LW, 0x4000000000002000);
    user("user daddu, UX 0", 0x12, DADDU, 0);
    user("user daddu, UX 1", 0x32, DADDU, 0);
    user("user daddu, PX 1", 0x800012, DADDU, 0);
    user("supervisor lw", 0x4a, LW, 0x4000000000002000);
    user("supervisor lw of user", 0x6a, LW, 0x0000000010002000);
    user("supervisor lw of kseg0", 0x4a, LW, 0xffffffff80100000);
    user("supervisor lw of ksseg", 0x4a, LW, 0xffffffffc0000000);
    user("supervisor mfc0", 0x4a, 0x40026000, 0);
    say("end\n");
    finish();
}
