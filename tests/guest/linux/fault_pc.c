/* Precise faults: every kind of load and store takes a SIGSEGV; the handler sees the exact pc and address and unchanged
 * registers, moves on by one instruction, and the program goes on as if nothing had been. */
#include "check.h"
#include <ucontext.h>

static volatile uint64_t want_pc;
static volatile int ok;
static uint64_t bad_base;

static void on_segv(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    (void)sig;
    uint64_t pc = uc->uc_mcontext.pc, addr = (uint64_t)si->si_addr;
    ok = pc == want_pc;
    ok |= (addr >= bad_base && addr < bad_base + 4096) << 1;
    ok |= (uc->uc_mcontext.regs[1] == bad_base + 64) << 2;                       /* base is not written back */
    ok |= (uc->uc_mcontext.regs[2] == 0x2222 && uc->uc_mcontext.regs[3] == 0x3333) << 3; /* targets are untouched */
    ok |= (uc->uc_mcontext.fault_address == addr) << 4;
    struct fpsimd_context *fp = (struct fpsimd_context *)uc->uc_mcontext.__reserved;
    ok |= ((uint64_t)fp->vregs[4] == 0x4444 && (uint64_t)fp->vregs[5] == 0x5555) << 5;
    uc->uc_mcontext.pc += 4;
}

#define CASE(text)                                                                                            \
    do {                                                                                                      \
        ok = -1;                                                                                              \
        uint64_t x1, flags;                                                                                   \
        __asm__ volatile("adr x9, 1f\n str x9, [%[want]]\n mov x1, %[base]\n add x1, x1, #64\n"               \
                         "mov x2, #0x2222\n mov x3, #0x3333\n mov x6, #8\n"                                   \
                         "mov x9, #0x4444\n fmov d4, x9\n mov x9, #0x5555\n fmov d5, x9\n cmp x2, x3\n"      \
                         "1: " text "\n mov %[x1], x1\n mrs %[flags], nzcv\n"                                 \
                         : [x1] "=&r"(x1), [flags] "=&r"(flags)                                               \
                         : [want] "r"(&want_pc), [base] "r"(bad_base)                                         \
                         : "x1", "x2", "x3", "x6", "x9", "x10", "v4", "v5", "v6", "v7", "cc", "memory");          \
        SAY("%-36s seen %#x, after: base %s, flags %#llx", text, ok, x1 == bad_base + 64 ? "kept" : "changed", \
            (unsigned long long)flags);                                                                       \
    } while (0)

static void all(void)
{
    CASE("ldr x2, [x1]");
    CASE("ldr w2, [x1, #4]");
    CASE("ldrb w2, [x1]");
    CASE("ldrh w2, [x1]");
    CASE("ldrsb x2, [x1]");
    CASE("ldrsw x2, [x1]");
    CASE("ldr x2, [x1, #8]!");
    CASE("ldr x2, [x1], #8");
    CASE("ldr x2, [x1, x6, lsl #3]");
    CASE("ldur x2, [x1, #-3]");
    CASE("str x2, [x1]");
    CASE("strb w2, [x1, #1]!");
    CASE("str x2, [x1], #-8");
    CASE("ldp x2, x3, [x1]");
    CASE("ldp x2, x3, [x1, #16]!");
    CASE("ldp w2, w3, [x1], #8");
    CASE("ldpsw x2, x3, [x1]");
    CASE("stp x2, x3, [x1, #16]!");
    CASE("stp x2, x3, [x1], #16");
    CASE("ldxr x2, [x1]");
    CASE("ldaxr w2, [x1]");
    CASE("ldxp x2, x3, [x1]");
    CASE("ldar x2, [x1]");
    CASE("stlr x2, [x1]");
    CASE("ldr q4, [x1]");
    CASE("ldr d4, [x1], #8");
    CASE("str q4, [x1, #16]!");
    CASE("ldp q4, q5, [x1]");
    CASE("stp d4, d5, [x1, #-16]!");
    CASE("ld1 {v4.16b, v5.16b}, [x1], #32");
    CASE("st1 {v4.4s}, [x1]");
    CASE("ld2 {v4.8h, v5.8h}, [x1]");
    CASE("ld1 {v4.s}[1], [x1], #4");
    CASE("ld1r {v4.2d}, [x1]");
    CASE("prfm pldl1keep, [x1]");
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bad_base = (uint64_t)p + 4096;
    mprotect(p + 4096, 4096, PROT_NONE);
    SAY("no access");
    all();
    munmap(p + 4096, 4096);
    SAY("no mapping");
    all();
    return 0;
}
