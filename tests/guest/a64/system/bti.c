/* Branch target identification: every kind of branch, from guarded and other pages, to every kind of target on a guarded page and
 * another, at EL1, EL0 and EL2, with SCTLR.BT clear and set; BTYPE in SPSR; BTYPE given by an exception return. The same code is
 * mapped three times: as it lies (not guarded), guarded for EL1 and EL2, guarded for EL0. */
#include "rt.h"

#define AF_SH (1ull << 10 | 3ull << 8)
#define GP (1ull << 50)
#define RO (1ull << 7)
#define EL0 (1ull << 6)
#define GUARDED 0x40000000u      /* added to an address */
#define USER 0x80000000u         /* guarded, EL0 */
#define USER_PLAIN 0xc0000000u

static uint64_t table[512] __attribute__((aligned(4096)));

/* Targets of 16 bytes; RET leaves BTYPE zero. */
#define T(insn) insn "\n ret x20\n .balign 16\n"
__asm__(".arch armv8.5-a+crypto\n.text\n.balign 4096\n.global targets\ntargets:\n"
        T("nop") T("bti") T("bti c") T("bti j") T("bti jc") T("paciasp") T("pacibsp") T("autiasp") T("brk #1") T("hlt #1") T("svc #3")
        T("udf #0") T("ldr x1, [x2]") T("add x1, x1, #1") T("b .+4") T("cbz xzr, .+4") T("msr nzcv, xzr") T("isb")
        T("mrs x1, sctlr_el1") T("ldp x1, x3, [sp]") "targets_end:\n.balign 4096\n"
        ".global sources\nsources:\n"
        "br x9\n nop\n br x16\n nop\n br x17\n nop\n blr x9\n nop\n ret x9\n nop\n braaz x9\n nop\n blraaz x9\n nop\n b targets + 16\n nop\n");
extern char targets[], targets_end[], sources[];
static const char *const names[] = { "nop", "bti", "bti c", "bti j", "bti jc", "paciasp", "pacibsp", "autiasp", "brk", "hlt", "svc", "udf",
    "ldr", "add", "b", "cbz", "msr", "isb", "mrs", "ldp" };
static const char *const kinds[] = { "br", "br x16", "br x17", "blr", "ret", "braaz", "blraaz", "b" };

static void jump(uint64_t source, uint64_t target)
{
    __asm__ volatile("mov x9, %1\n mov x16, %1\n mov x17, %1\n mov x10, %0\n mov x2, #1 << 46\n adr x20, 1f\n adr x11, 1f\n str x11, [%2]\n"
                     "str xzr, [%2]\n ret x10\n 1:" : : "r"(source), "r"(target), "r"(&resume_at)
                     : "x1", "x2", "x3", "x9", "x10", "x11", "x16", "x17", "x20", "x30", "cc", "memory");
}

static void all(uint64_t from, uint64_t to)
{
    /* A line ends with an exception: that of the last target it names. */
    for (unsigned k = 0; k < 8; k++) {
        put(kinds[k]);
        put(" to");
        for (unsigned t = 0; t < (unsigned)(targets_end - targets) / 16 && t < sizeof names / sizeof names[0]; t++) {
            put(" ");
            put(names[t]);
            jump((uint64_t)sources + from + 8 * k, (uint64_t)targets + to + 16 * t);
        }
        put("\n");
    }
}

static void map(void)
{
    table[0] = AF_SH | 1 | 1 << 2 | 1ull << 54 | 1ull << 53; /* devices */
    table[1] = 0x40000000 | AF_SH | 1 | 1ull << 54;
    table[2] = 0x40000000 | AF_SH | 1 | 1ull << 54 | GP;
    table[3] = 0x40000000 | AF_SH | 1 | EL0 | RO | GP;
    table[4] = 0x40000000 | AF_SH | 1 | EL0 | RO;
}

#define TCR (25ull | 1ull << 8 | 1ull << 10 | 3ull << 12)

/* At EL0: the jump that x0 (source) and x1 (target) say, then SVC to end. */
__asm__(".text\n.balign 64\n.global user_jump\nuser_jump:\n mov x10, x0\n ldr x9, [x10]\n ldr x10, [x10, #8]\n mov x16, x9\n mov x17, x9\n"
        " mov x2, #1 << 46\n adr x20, 1f\n ret x10\n 1: svc #0x7f\n .balign 64\n");
extern char user_jump[];
static volatile uint64_t pair[2] __attribute__((aligned(4096)));

static void from_user(void)
{
    for (unsigned k = 0; k < 4; k++)
        for (unsigned t = 0; t < 15; t++) {
            put("EL0 ");
            put(kinds[k]);
            put(" to ");
            put(names[t]);
            pair[0] = (uint64_t)targets + USER + 16 * t;
            pair[1] = (uint64_t)sources + USER + 8 * k;
            if (k == 0 && t == 0)
                pair[1] = (uint64_t)sources + USER_PLAIN;
            run_user((uint64_t)user_jump + USER_PLAIN, (uint64_t)pair + USER_PLAIN);
        }
}

static void returned(uint64_t address, uint64_t btype)
{
    say("eret with btype", btype);
    __asm__ volatile("msr elr_el1, %0\n msr spsr_el1, %1\n adr x20, 1f\n eret\n 1:" : : "r"(address), "r"(0x3c5 | btype << 10)
                     : "x1", "x3", "x20", "x30", "cc", "memory");
}

static void test(uint64_t bt)
{
    map();
    WRITE(mair_el1, 0xff | 0ull << 8);
    WRITE(tcr_el1, TCR | 1ull << 23 | 2ull << 32);
    WRITE(ttbr0_el1, (uint64_t)table);
    WRITE(cpacr_el1, 3ull << 20);
    WRITE(sctlr_el1, (READ(sctlr_el1) & ~(3ull << 35)) | 1 | bt << 35);
    __asm__ volatile("tlbi vmalle1\n dsb sy\n isb" : : : "memory");
    say("SCTLR.BT", bt);
    if (!bt && level() == 1) {
        title("plain to plain");
        all(0, 0);
    }
    title("plain to guarded");
    all(0, GUARDED);
    title("guarded to guarded");
    all(GUARDED, GUARDED);
    title("guarded to plain");
    all(GUARDED, 0);
    for (unsigned b = 0; b < 4; b++)
        for (unsigned t = 0; t < 7; t++)
            returned((uint64_t)targets + GUARDED + 16 * t, b);
    title("no such page, no such address");
    resume_at = 0;
    __asm__ volatile("adr x1, 1f\n str x1, [%0]\n mov x9, #1 << 46\n blr x9\n 1: adr x1, 2f\n str x1, [%0]\n adr x9, 1b\n add x9, x9, #2\n br x9\n 2:"
                     : : "r"(&resume_at) : "x1", "x9", "x30", "memory");
    from_user();
    WRITE(sctlr_el1, READ(sctlr_el1) & ~1ull);
}

static void at_el2(uint64_t bt)
{
    map();
    WRITE(mair_el2, 0xff);
    WRITE(tcr_el2, TCR | 2ull << 16 | 1ull << 23 | 1ull << 31);
    WRITE(ttbr0_el2, (uint64_t)table);
    table[1] &= ~(1ull << 54), table[2] &= ~(1ull << 54);
    WRITE(sctlr_el2, (READ(sctlr_el2) & ~(1ull << 36)) | 1 | bt << 36);
    __asm__ volatile("tlbi alle2\n dsb sy\n isb" : : : "memory");
    title("EL2");
    all(GUARDED, GUARDED);
    WRITE(sctlr_el2, READ(sctlr_el2) & ~1ull);
}

int main(void)
{
    say("ID_AA64PFR1_EL1.BT", READ(id_aa64pfr1_el1) & 15);
    if (level() == 2) {
        at_el2(0);
        at_el2(1);
        run_at(1, 1, test, 3);
    } else {
        test(0);
        test(3);
    }
    title("end");
    return 0;
}
