/* Faults on purpose and looks at what its SIGSEGV handler is told: the address, the exact instruction, and that a load or
 * store with writeback left its base register unchanged. Ends with status 3 so that the caller can see that too. */
#include "tiny.h"

#define SIGSEGV 11
#define SA_SIGINFO 4
#define NOWHERE 0x123456780ul /* no mapping here */

/* The parts of the kernel's structures that are read. */
struct siginfo {
    int32_t number, error, code, pad;
    uint64_t addr;
};
struct context {
    uint64_t flags, link, stack[3], mask[16], pad;
    uint64_t fault_address, regs[31], sp, pc, pstate;
};
struct action {
    void (*handler)(int, struct siginfo *, struct context *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

static uint64_t fault_addr, fault_pc, fault_base;
static uint32_t n_faults;

static void on_fault(int number, struct siginfo *info, struct context *context)
{
    (void)number;
    n_faults++;
    fault_addr = info->addr;
    fault_pc = context->pc;
    fault_base = context->regs[2];
    context->pc += 4; /* go on behind the instruction */
}

static void report(const char *insn, uint64_t pc, uint64_t base)
{
    print(insn);
    print(" faults at ");
    print_hex(fault_addr);
    print(fault_pc == pc ? ", pc exact" : ", pc WRONG");
    print(fault_base == base ? ", base unchanged\n" : ", base CHANGED\n");
    fault_addr = fault_pc = fault_base = 0;
}

/* Runs one instruction with x2 = base; the label before it is the pc that the handler must see. */
#define TRY(insn)                                                                                                 \
    do {                                                                                                          \
        register uint64_t base __asm__("x2") = NOWHERE;                                                           \
        uint64_t pc;                                                                                              \
        __asm__ volatile("adr %0, 1f\n1: " insn : "=&r"(pc), "+r"(base) : : "x3", "x4", "x5", "v0", "v1", "memory"); \
        report(insn, pc, NOWHERE);                                                                                \
    } while (0)

int main(int argc, char **argv)
{
    struct action action = { on_fault, SA_SIGINFO, 0, 0 };
    (void)argc;
    (void)argv;
    if (syscall4(SYS_rt_sigaction, SIGSEGV, (long)&action, 0, 8)) {
        print("sigaction failed\n");
        return 1;
    }
    TRY("ldr x3, [x2]            ");
    TRY("str x3, [x2, #16]!      ");
    TRY("ldp x3, x4, [x2], #32   ");
    TRY("stp q0, q1, [x2, #-64]! ");
    TRY("ldaxr x3, [x2]          ");
    print_number(n_faults, 0);
    print(" faults handled\n");
    return n_faults == 5 ? 3 : 1;
}
