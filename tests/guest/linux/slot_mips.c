/* Faults in branch delay slots, every MIPS ABI: the handler sees the pc of the branch, puts a register right and returns, and the
 * branch is executed again; breakpoints and traps, which have no register to put right, leave through ra. */
#include "check.h"
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

static char *bad, *good;
static volatile uintptr_t start;
static volatile int visits, seen_sig, seen_code, seen_offset, addr_is_pc;

static void on_fault(int sig, siginfo_t *si, void *context)
{
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    visits++;
    seen_sig = sig;
    seen_code = sig == SIGUSR1 ? 0 : si->si_code;
    seen_offset = (int)((uintptr_t)m->pc - start);
    addr_is_pc = sig == SIGFPE || sig == SIGILL ? (uintptr_t)si->si_addr == (uintptr_t)m->pc : -1;
    if (sig == SIGSEGV || sig == SIGBUS)
        m->gregs[8] = (uintptr_t)good;
    else if (sig != SIGUSR1)
        m->pc = m->gregs[31];
}

/* $8 is the bad address, $9 that of label 1, $31 where handlers leave to. 2: the branch was taken, 1: it was not, 3: left. */
#define CASE(branch, slot)                                                                                                      \
    {                                                                                                                           \
        long r;                                                                                                                 \
        visits = seen_sig = seen_code = seen_offset = addr_is_pc = 0;                                                               \
        __asm__ volatile(".set push\n .set noreorder\n .set noat\n"                                                             \
                         " bal 9f\n nop\n"                                                                                      \
                         "9: " ADD " $31, $31, 3f - 9b\n " ADD " $9, $31, 1f - 3f\n " ADD " $10, $31, 2f - 3f\n"                  \
                         " move $8, %1\n move $12, %2\n sw $0, 0($12)\n " STORE " $10, %3\n"                                   \
                         "2: " branch "\n " slot "\n li $2, 1\n b 4f\n nop\n"                                                   \
                         "1: li $2, 2\n b 4f\n nop\n"                                                                           \
                         "3: li $2, 3\n"                                                                                        \
                         "4: move %0, $2\n .set pop"                                                                            \
                         : "=&r"(r) : "r"(bad), "r"(good), "m"(start)                                              \
                         : "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$31", "memory");               \
        SAY("%-22s %-20s result %ld, signal %d code %d, %d visits, pc at %d, si_addr %d", branch, slot, r, seen_sig, seen_code, \
            visits, seen_offset, addr_is_pc);                                                                                   \
    }
#if _MIPS_SIM == _ABI64
#define STORE "sd"
#define ADD "daddiu"
#else
#define STORE "sw"
#define ADD "addiu"
#endif

#define SLOTS(branch)                                  \
    CASE(branch, "lw $3, 0($8)")                       \
    CASE(branch, "sb $3, 5($8)")                       \
    CASE(branch, "lh $3, 4($8)")                       \
    CASE(branch, "break")                              \
    CASE(branch, "break 7")                            \
    CASE(branch, "teq $0, $0, 6")                      \
    CASE(branch, "teq $0, $0")                         \
    CASE(branch, ".word 0x7000003b")                   \
    CASE(branch, "nop")

int main(void)
{
    static const int sigs[] = {SIGSEGV, SIGBUS, SIGTRAP, SIGILL, SIGFPE, SIGUSR1};
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    for (unsigned i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        sigaction(sigs[i], &sa, NULL);
    bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    good = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SLOTS("b 1f")
    SLOTS("beq $0, $12, 1f")
    SLOTS("bne $0, $12, 1f")
    SLOTS("bgtzl $12, 1f")
    SLOTS("jr $9")
    SLOTS("jalr $11, $9")
    SLOTS("blez $12, 1f")
    return 0;
}
