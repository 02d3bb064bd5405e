/* Host system calls that cannot sleep through a signal. A signal that arrives between the check of
 * task.captured and the system call instruction is seen by the handler, which moves the program
 * counter past the call (lx_syscall_rewind); one that arrives inside ends the call with EINTR or
 * makes the kernel go back to the instruction, which is the same case. Invariant: lx_raw_syscall
 * returns -LX_RESTART only when the call has had no effect. */
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "linux.h"

#if defined(__x86_64__)
/* Arguments: rdi stop, rsi nr, rdx a, rcx b, r8 c, r9 d, then e and f on the stack. */
__asm__(".pushsection .text\n"
        ".type lx_raw_syscall, @function\n"
        ".hidden lx_raw_syscall\n"
        ".globl lx_raw_syscall\n"
        "lx_raw_syscall:\n"
        ".cfi_startproc\n"
        "    mov %rdi, %r11\n"
        "    mov %rsi, %rax\n"
        "    mov %rdx, %rdi\n"
        "    mov %rcx, %rsi\n"
        "    mov %r8, %rdx\n"
        "    mov %r9, %r10\n"
        "    mov 8(%rsp), %r8\n"
        "    mov 16(%rsp), %r9\n"
        ".hidden lx_syscall_begin\n"
        ".globl lx_syscall_begin\n"
        "lx_syscall_begin:\n"
        "    cmpl $0, (%r11)\n"
        "    jne lx_syscall_interrupted\n"
        "    syscall\n"
        ".hidden lx_syscall_end\n"
        ".globl lx_syscall_end\n"
        "lx_syscall_end:\n"
        "    ret\n"
        ".hidden lx_syscall_interrupted\n"
        ".globl lx_syscall_interrupted\n"
        "lx_syscall_interrupted:\n"
        "    mov $-512, %rax\n"
        "    ret\n"
        ".cfi_endproc\n"
        ".size lx_raw_syscall, . - lx_raw_syscall\n"
        ".popsection\n");

extern const char lx_syscall_begin[] __attribute__((visibility("hidden")));
extern const char lx_syscall_end[] __attribute__((visibility("hidden")));
extern const char lx_syscall_interrupted[] __attribute__((visibility("hidden")));

int lx_syscall_rewind(void *ucontext)
{
    greg_t *rip = &((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP];
    if (*rip < (greg_t)lx_syscall_begin || *rip >= (greg_t)lx_syscall_end)
        return 0;
    *rip = (greg_t)lx_syscall_interrupted;
    return 1;
}
#else
/* Other hosts: the check and the call are separate, so a signal in between is served only after the
 * call returns. */
int64_t lx_raw_syscall(volatile int *stop, long nr, long a, long b, long c, long d, long e, long f)
{
    if (*stop)
        return -LX_RESTART;
    long r = syscall(nr, a, b, c, d, e, f);
    return r == -1 ? -errno : r;
}

int lx_syscall_rewind(void *ucontext)
{
    (void)ucontext;
    return 0;
}
#endif
