/* Precise faults, 32-bit Arm: every kind of load and store takes a SIGSEGV in A32 and in T32, inside IT blocks too; the
 * handler sees the exact pc and address and unchanged registers, moves on by one instruction, and the program goes on. */
#include "check.h"
#include <ucontext.h>

static volatile uint32_t want_pc, skip, thumb;
static volatile int ok;
static uint32_t bad_base;

static void on_segv(int sig, siginfo_t *si, void *context)
{
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    uint32_t addr = (uint32_t)si->si_addr;
    (void)sig;
    ok = m->arm_pc == (want_pc & ~1u);
    ok |= (addr >= bad_base && addr < bad_base + 4096) << 1;
    ok |= (m->arm_r1 == bad_base + 64) << 2;
    ok |= (m->arm_r2 == 0x2222 && m->arm_r3 == 0x3333) << 3;
    ok |= ((m->arm_cpsr >> 5 & 1) == thumb) << 4;
    m->arm_pc += skip;
    m->arm_cpsr &= ~0x0600fc00u; /* what follows is outside the IT block */
}

#ifdef __thumb__
#define HERE ".thumb"
#else
#define HERE ".arm"
#endif
#define TEXT_(n) #n
#define TEXT(n) TEXT_(n)
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define FUNC_arm ""
#define FUNC_thumb ".thumb_func\n"

/* A function of its own for each case: the compiler has no say in its instruction set. */
#define CASE(mode, len, text)                                                                                          \
    {                                                                                                                  \
        extern void PASTE(case_, __LINE__)(uint32_t base, volatile uint32_t *pc, uint32_t *out);                       \
        __asm__(".pushsection .text.cases,\"ax\",%progbits\n .align 2\n .syntax unified\n .arch armv7-a\n ." #mode     \
                "\n" FUNC_##mode ".type case_" TEXT(__LINE__) ", %function\n case_" TEXT(__LINE__)                     \
                ":\n push {r1-r9, lr}\n ldr r4, =1f\n str r4, [r1]\n mov r5, r2\n add r1, r0, #64\n"                   \
                " movw r2, #0x2222\n movw r3, #0x3333\n mov r6, #8\n cmp r2, r3\n" text                                \
                "\n str r1, [r5]\n mrs r6, cpsr\n lsr r6, r6, #28\n str r6, [r5, #4]\n pop {r1-r9, pc}\n .ltorg\n"     \
                " .popsection\n" HERE);                                                                                \
        uint32_t out[2];                                                                                               \
        ok = -1;                                                                                                       \
        skip = len;                                                                                                    \
        thumb = #mode[0] == 't';                                                                                       \
        PASTE(case_, __LINE__)(bad_base, &want_pc, out);                                                               \
        SAY("%-5s %-40s seen %#x, after: base %s, flags %#x", #mode, text, ok,                                         \
            out[0] == bad_base + 64 ? "kept" : "changed", out[1]);                                                     \
    }

static void all(void)
{
    CASE(arm, 4, "1: ldr r2, [r1]")
    CASE(arm, 4, "1: ldrb r2, [r1, #4]!")
    CASE(arm, 4, "1: ldrh r2, [r1], #2")
    CASE(arm, 4, "1: ldrsb r2, [r1, r6]")
    CASE(arm, 4, "1: ldrsh r2, [r1], -r6")
    CASE(arm, 4, "1: ldrd r2, r3, [r1]")
    CASE(arm, 4, "1: ldrd r2, r3, [r1, #8]!")
    CASE(arm, 4, "1: ldr r2, [r1, r6, lsl #2]!")
    CASE(arm, 4, "1: str r2, [r1]")
    CASE(arm, 4, "1: strb r2, [r1], #1")
    CASE(arm, 4, "1: strh r2, [r1, #-2]!")
    CASE(arm, 4, "1: strd r2, r3, [r1], #8")
    CASE(arm, 4, "1: ldmia r1!, {r2, r3}")
    CASE(arm, 4, "1: ldmdb r1!, {r2, r3, r7, r8}")
    CASE(arm, 4, "1: stmia r1!, {r2, r3}")
    CASE(arm, 4, "1: stmdb r1!, {r2, r3, r7}")
    CASE(arm, 4, "1: ldrex r2, [r1]")
    CASE(arm, 4, "1: ldrexd r2, r3, [r1]")
    CASE(arm, 4, "1: ldrne r2, [r1], #4")
    CASE(arm, 4, "1: ldreq r2, [r1], #4")
    CASE(arm, 4, "1: pld [r1]")
    CASE(thumb, 2, "1: ldr r2, [r1]")
    CASE(thumb, 2, "1: ldrb r2, [r1, #4]")
    CASE(thumb, 2, "1: str r2, [r1, r6]")
    CASE(thumb, 2, "1: stmia r1!, {r2, r3}")
    CASE(thumb, 2, "1: ldmia r1!, {r2, r3}")
    CASE(thumb, 4, "1: ldr.w r2, [r1, #4]!")
    CASE(thumb, 4, "1: ldrd r2, r3, [r1], #8")
    CASE(thumb, 4, "1: strd r2, r3, [r1, #8]!")
    CASE(thumb, 4, "1: stmdb r1!, {r2, r3}")
    CASE(thumb, 4, "1: ldrex r2, [r1]")
    CASE(thumb, 2, " it ne\n1: ldrne r2, [r1]")
    CASE(thumb, 4, " itt ne\n addne r7, #1\n1: ldrne.w r2, [r1], #4")
    CASE(thumb, 2, " ite eq\n1: ldreq r2, [r1]\n strne r2, [r5]")
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bad_base = (uint32_t)p + 4096;
    mprotect(p + 4096, 4096, PROT_NONE);
    SAY("no access");
    all();
    munmap(p + 4096, 4096);
    SAY("no mapping");
    all();
    return 0;
}
