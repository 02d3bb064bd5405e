/* Pointer authentication under keys that the program sets: every instruction, good and spoilt pointers, both halves of the
 * address space, tags, several sizes, disabled keys, combined branches, returns and loads. */
#include "rt.h"

#define KEY(lo, hi, a, b) do { WRITE(lo, a); WRITE(hi, b); } while (0)
static uint64_t seed = 0x123456789abcdef1;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void keys(void)
{
    KEY(s3_0_c2_c1_0, s3_0_c2_c1_1, next(), next());
    KEY(s3_0_c2_c1_2, s3_0_c2_c1_3, next(), next());
    KEY(s3_0_c2_c2_0, s3_0_c2_c2_1, next(), next());
    KEY(s3_0_c2_c2_2, s3_0_c2_c2_3, next(), next());
    KEY(s3_0_c2_c3_0, s3_0_c2_c3_1, next(), next());
}

#define ONE(insn, v, m) ({ uint64_t v_ = (v); __asm__ volatile(insn " %0, %1" : "+r"(v_) : "r"((uint64_t)(m))); v_; })
#define ZERO(insn, v) ({ uint64_t v_ = (v); __asm__ volatile(insn " %0" : "+r"(v_)); v_; })

static void word(uint64_t v)
{
    put(" ");
    hex(v);
}

static void one(uint64_t p, uint64_t m)
{
    uint64_t s;
    hex(p);
    word(m);
    put(":");
    s = ONE("pacia", p, m), word(s), word(ONE("autia", s, m)), word(ONE("autia", s, m + 1)), word(ONE("autib", s, m));
    s = ONE("pacib", p, m), word(s), word(ONE("autib", s, m)), word(ONE("autib", s ^ 1ull << 52, m));
    s = ONE("pacda", p, m), word(s), word(ONE("autda", s, m)), word(ONE("autda", s ^ 1ull << 60, m));
    s = ONE("pacdb", p, m), word(s), word(ONE("autdb", s, m)), word(ONE("autdb", p, m));
    s = ZERO("paciza", p), word(s), word(ZERO("autiza", s));
    s = ZERO("pacdzb", p), word(s), word(ZERO("autdzb", s));
    word(ZERO("xpaci", s)), word(ZERO("xpacd", p));
    __asm__ volatile("pacga %0, %1, %2" : "=r"(s) : "r"(p), "r"(m));
    word(s);
    __asm__ volatile("mov x17, %1\n mov x16, %2\n pacia1716\n mov %0, x17" : "=&r"(s) : "r"(p), "r"(m) : "x16", "x17");
    word(s);
    __asm__ volatile("mov x17, %1\n mov x16, %2\n autib1716\n mov %0, x17" : "=&r"(s) : "r"(p), "r"(m) : "x16", "x17");
    word(s);
    __asm__ volatile("mov x30, %1\n paciaz\n mov %0, x30" : "=r"(s) : "r"(p) : "x30");
    word(s);
    __asm__ volatile("mov x30, %1\n xpaclri\n mov %0, x30" : "=r"(s) : "r"(s) : "x30");
    word(s);
    __asm__ volatile("mov x9, sp\n mov x10, #0x4000\n mov sp, x10\n mov x30, %1\n pacibsp\n mov %0, x30\n autibsp\n eor x30, x30, %0\n"
                     "mov sp, x9\n mov %0, x30" : "=&r"(s) : "r"(p) : "x9", "x10", "x30");
    word(s);
    put("\n");
}

/* Random pointers. uneven: one half has tags only; where bits 63 and 55 then differ, qemu 7.2 takes the half that bit 63 says, the
 * manual's AddPAC the one that bit 55 says, so they do not. */
static uint64_t pointer(int uneven)
{
    uint64_t p = next();
    return uneven ? (p & ~(1ull << 63)) | (p >> 55 & 1) << 63 : p;
}

static void some(int uneven)
{
    for (unsigned i = 0; i < 4; i++) {
        one(0x40200000 + i * 4, next());
        one(~0xffffull << 20 | i, next());
        one(pointer(uneven), next());
        one(pointer(uneven) & 0x7f00ffffffffffff, next());
        one(0x0055000000000000 | next() >> 20, i);
    }
}

static uint64_t data[8] = { 11, 22, 33, 44, 55, 66, 77, 88 };

static void branches(void)
{
    uint64_t r;
    __asm__ volatile("adr x1, 1f\n mov x2, #99\n pacia x1, x2\n blraa x1, x2\n b 2f\n 1: mov x3, #7\n ret\n 2: mov %0, x3"
                     : "=r"(r) : : "x1", "x2", "x3", "x30");
    say("blraa", r);
    __asm__ volatile("adr x1, 1f\n pacizb x1\n blrabz x1\n b 2f\n 1: mov x3, #8\n ret\n 2: mov %0, x3" : "=r"(r) : : "x1", "x3", "x30");
    say("blrabz", r);
    __asm__ volatile("adr x1, 1f\n mov x2, #5\n pacib x1, x2\n brab x1, x2\n mov x3, #1\n 1: mov x3, #9\n mov %0, x3" : "=r"(r) : : "x1", "x2", "x3");
    say("brab", r);
    __asm__ volatile("adr x30, 1f\n paciasp\n retaa\n 1: mov %0, #10" : "=r"(r) : : "x30");
    say("retaa", r);
    __asm__ volatile("adr x30, 1f\n pacibsp\n retab\n 1: mov %0, #12" : "=r"(r) : : "x30");
    say("retab", r);
    __asm__ volatile("mov x1, %1\n pacdza x1\n ldraa %0, [x1, #16]" : "=r"(r) : "r"(data) : "x1");
    say("ldraa", r);
    uint64_t base;
    __asm__ volatile("mov x1, %2\n pacdzb x1\n ldrab %0, [x1, #24]!\n sub %1, x1, %2" : "=&r"(r), "=&r"(base) : "r"(data) : "x1");
    say("ldrab", r);
    say("moved", base);
    if (level() == 1) {
        __asm__ volatile("adr x1, 1f\n mov x2, sp\n pacia x1, x2\n msr elr_el1, x1\n mov x2, #0x3c5\n msr spsr_el1, x2\n eretaa\n 1: mov %0, #13"
                         : "=r"(r) : : "x1", "x2");
        say("eretaa", r);
    }
    title("spoilt");
    __asm__ volatile("adr x1, 1f\n str x1, [%0]\n adr x1, 1f\n mov x2, #99\n pacia x1, x2\n eor x1, x1, #1 << 54\n blraa x1, x2\n 1:"
                     : : "r"(&resume_at) : "x1", "x2", "x30", "memory");
    TRY("mov x1, %0\n ldraa x2, [x1]", : "r"((uint64_t)data | 1ull << 50) : "x1", "x2");
}

static void test(uint64_t arg)
{
    static const uint64_t tcr[] = { 16 | 16ull << 16, 25 | 25ull << 16 | 2ull << 30, 16 | 16ull << 16 | 3ull << 37, 28 | 20ull << 16 | 1ull << 37,
                                    33 | 16ull << 16 | 1ull << 38 };
    (void)arg;
    title("keys off");
    keys();
    one(0x40200000, 1);
    WRITE(sctlr_el1, READ(sctlr_el1) | 1ull << 31 | 1ull << 30 | 1ull << 27 | 1ull << 13);
    for (unsigned i = 0; i < sizeof tcr / sizeof tcr[0]; i++) {
        WRITE(tcr_el1, tcr[i] | 5ull << 32);
        say("tcr", tcr[i]);
        keys();
        some(i >= 3);
    }
    WRITE(tcr_el1, tcr[0] | 5ull << 32);
    keys();
    branches();
    WRITE(sctlr_el1, READ(sctlr_el1) & ~(1ull << 30));
    title("key B off");
    one(0x40200000, 2);
}

static void trapped(uint64_t arg)
{
    (void)arg;
    WRITE(sctlr_el1, READ(sctlr_el1) | 1ull << 31 | 1ull << 30 | 1ull << 27 | 1ull << 13);
    TRY("pacia x1, x2", : : "x1");
    TRY("autdzb x1", : : "x1");
    TRY("xpaci x1", : : "x1");
    TRY("pacga x1, x2, x3", : : "x1");
    TRY("paciasp", : : "x30");
    TRY("mrs x1, s3_0_c2_c1_0", : : "x1");
    TRY("msr s3_0_c2_c3_1, x1");
}

int main(void)
{
    if (level() == 2) {
        title("trapped");
        run_at(1, 1, trapped, 0);
        WRITE(hcr_el2, 1ull << 31 | 3ull << 40);
        run_at(1, 1, test, 0);
    } else if (level() == 1) {
        test(0);
    }
    title("end");
    return 0;
}
