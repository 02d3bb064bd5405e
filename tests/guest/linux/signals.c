/* Signals: delivery, masks, restart, stacks, waiting. */
#include "check.h"
#include <poll.h>
#include <setjmp.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t hits, last, nested, on_stack, depth;
static siginfo_t seen;

static void count(int sig)
{
    hits++;
    last = sig;
}

static void info(int sig, siginfo_t *si, void *context)
{
    (void)context;
    hits++;
    last = sig;
    seen = *si;
}

static void nest(int sig)
{
    if (sig == SIGUSR1) {
        depth = 1;
        raise(SIGUSR2);
        nested = depth;
        depth = 0;
    } else {
        depth++;
    }
}

static char alt[32768];
static void stack(int sig)
{
    char here;
    (void)sig;
    stack_t ss;
    sigaltstack(NULL, &ss);
    on_stack = &here >= alt && &here < alt + sizeof(alt) && (ss.ss_flags & SS_ONSTACK);
}

static void set(int sig, void (*fn)(int), int flags)
{
    struct sigaction sa = {.sa_handler = fn, .sa_flags = flags};
    sigaction(sig, &sa, NULL);
}

static void set_info(int sig, int flags)
{
    struct sigaction sa = {.sa_sigaction = info, .sa_flags = SA_SIGINFO | flags};
    sigaction(sig, &sa, NULL);
}

static void alarm_in(int ms)
{
    struct itimerval it = {.it_value = {0, ms * 1000}};
    setitimer(ITIMER_REAL, &it, NULL);
}

static sigjmp_buf env;
static void jump(int sig)
{
    siglongjmp(env, sig);
}

static void change(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    (void)sig;
    (void)si;
#ifdef __arm__
    /* After the general registers come the coprocessors': a magic number, a size, then D0 to D31. */
    uint32_t *vfp = (uint32_t *)uc->uc_regspace;
    uc->uc_mcontext.arm_r8 = 0x1234;
    VALUE(uc->uc_mcontext.arm_cpsr >> 5 & 1);
    uc->uc_mcontext.arm_pc += uc->uc_mcontext.arm_cpsr & 0x20 ? 2 : 4;
    VALUE(vfp[0] == 0x56465001 && vfp[1] == 288);
    ((uint64_t *)(vfp + 2))[9] = 0x700000005ull;
#elif defined(__mips__)
    uc->uc_mcontext.gregs[16] = 0x1234;
    uc->uc_mcontext.pc += 4;
    uc->uc_mcontext.fpregs.fp_r.fp_dregs[20] = 1.5;
#elif defined(__x86_64__)
    struct _libc_fpstate *fp = uc->uc_mcontext.fpregs;
    uc->uc_mcontext.gregs[REG_RBX] = 0x1234;
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    VALUE(fp->cwd);
    VALUE(fp->swd & 0x3800);
    VALUE(fp->ftw & 0xff);
    VALUE(fp->_st[0].exponent);
    VALUE(fp->_st[0].significand[3]);
    fp->_st[0].exponent++;
    fp->_xmm[9].element[0] = 5;
    fp->_xmm[9].element[3] = 7;
#else
    uc->uc_mcontext.regs[19] = 0x1234;
    uc->uc_mcontext.pc += 4;
    struct fpsimd_context *fp = (struct fpsimd_context *)uc->uc_mcontext.__reserved;
    VALUE(fp->head.magic == FPSIMD_MAGIC);
    VALUE(fp->head.size == sizeof(*fp));
    fp->vregs[9] = (__uint128_t)7 << 64 | 5;
#endif
}

int main(void)
{
    set(SIGUSR1, count, 0);
    VALUE(raise(SIGUSR1));
    VALUE(hits);
    set_info(SIGUSR1, 0);
    kill(getpid(), SIGUSR1);
    VALUE(seen.si_signo);
    VALUE(seen.si_code);
    VALUE(seen.si_pid == getpid());
    union sigval sv = {.sival_int = 4711};
    set_info(SIGRTMIN + 1, 0);
    sigqueue(getpid(), SIGRTMIN + 1, sv);
    VALUE(seen.si_code);
    VALUE(seen.si_value.sival_int);

    /* masks and pending */
    sigset_t block, old, pend;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigaddset(&block, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &block, &old);
    hits = 0;
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigqueue(getpid(), SIGRTMIN + 1, sv);
    sigqueue(getpid(), SIGRTMIN + 1, sv);
    VALUE(hits);
    sigpending(&pend);
    VALUE(sigismember(&pend, SIGUSR1));
    VALUE(sigismember(&pend, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
    VALUE(hits);

    /* a handler's mask, nesting, one shot */
    set(SIGUSR1, nest, 0);
    set(SIGUSR2, nest, 0);
    raise(SIGUSR1);
    VALUE(nested);
    struct sigaction sa = {.sa_handler = nest};
    sigaddset(&sa.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &sa, NULL);
    raise(SIGUSR1);
    VALUE(nested);
    set(SIGUSR1, count, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &sa);
    VALUE(sa.sa_handler == SIG_DFL);

    /* stack */
    stack_t ss = {.ss_sp = alt, .ss_size = sizeof(alt)};
    VALUE(sigaltstack(&ss, NULL));
    set(SIGUSR1, stack, SA_ONSTACK);
    raise(SIGUSR1);
    VALUE(on_stack);
    set(SIGUSR1, stack, 0);
    raise(SIGUSR1);
    VALUE(on_stack);
    ss.ss_size = 100;
    TRY(sigaltstack(&ss, NULL));

    /* interrupted and restarted calls */
    int p[2];
    char c;
    VALUE(pipe(p));
    set(SIGALRM, count, 0);
    hits = 0;
    alarm_in(30);
    TRY(read(p[0], &c, 1));
    VALUE(hits);
    struct timespec ts = {5, 0}, rem = {0, 0};
    alarm_in(30);
    TRY(nanosleep(&ts, &rem));
    VALUE(rem.tv_sec);
    alarm_in(30);
    TRY(pause());
    alarm_in(30);
    TRY(poll(NULL, 0, 2000));
    alarm_in(30);
    TRY(select(0, NULL, NULL, NULL, NULL));
    set(SIGALRM, count, SA_RESTART);
    hits = 0;
    pid_t child = fork();
    if (!child) {
        usleep(120000);
        if (write(p[1], "k", 1) != 1)
            _exit(1);
        _exit(3);
    }
    alarm_in(30);
    VALUE(read(p[0], &c, 1));
    VALUE(hits);
    int status;
    alarm_in(1);
    VALUE(waitpid(child, &status, 0) == child);
    VALUE(WEXITSTATUS(status));
    alarm_in(0); /* may not have fired yet */

    /* waiting for signals */
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigaddset(&block, SIGCHLD);
    sigprocmask(SIG_BLOCK, &block, NULL);
    set(SIGUSR1, count, 0);
    hits = 0;
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    TRY(sigsuspend(&none));
    VALUE(hits);
    sigprocmask(SIG_BLOCK, NULL, &old);
    VALUE(sigismember(&old, SIGUSR1));
    raise(SIGUSR1);
    struct timespec now = {0, 0};
    TRY(ppoll(NULL, 0, &(struct timespec){3, 0}, &none));
    VALUE(hits);
    raise(SIGUSR1);
    siginfo_t si;
    VALUE(sigtimedwait(&block, &si, &now));
    VALUE(si.si_code == SI_TKILL);
    TRY(sigtimedwait(&block, &si, &now));
    child = fork();
    if (!child)
        _exit(9);
    VALUE(sigwaitinfo(&block, &si));
    VALUE(si.si_status);
    VALUE(si.si_code);
    VALUE(si.si_pid == child);
    waitpid(child, NULL, 0);
    int sfd = signalfd(-1, &block, SFD_NONBLOCK | SFD_CLOEXEC);
    struct signalfd_siginfo fi;
    TRY(read(sfd, &fi, sizeof(fi)));
    raise(SIGUSR1);
    VALUE(read(sfd, &fi, sizeof(fi)));
    VALUE(fi.ssi_signo);
    sigprocmask(SIG_UNBLOCK, &block, NULL);

    /* leaving by a jump; changing the context */
    set(SIGUSR1, jump, 0);
    int j = sigsetjmp(env, 1);
    if (!j)
        raise(SIGUSR1);
    VALUE(j);
    struct sigaction ca = {.sa_sigaction = change, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &ca, NULL);
#ifdef __arm__
    uint32_t r8;
    __asm__ volatile("mov r8, #1\n udf #0\n mov %0, r8" : "=r"(r8)::"r8");
    VALUE(r8);
#if __ARM_FP
    uint64_t d9;
    __asm__ volatile("mov r8, #0\n vmov d9, r8, r8\n udf #0\n vmov %Q0, %R0, d9" : "=r"(d9)::"r8", "d9");
    VALUE(d9);
#endif
#elif defined(__mips__)
    uint32_t s0;
    double f20;
    __asm__ volatile("li $16, 1\n mtc1 $0, $f20\n .word 0x3d\n move %0, $16\n mov.d %1, $f20" : "=r"(s0), "=f"(f20)::"$16", "$f20");
    VALUE(s0);
    VALUE(f20 * 2);
#elif defined(__x86_64__)
    uint64_t rbx, lo, hi;
    long double st;
    __asm__ volatile("mov $1, %%ebx\n fld1\n pxor %%xmm9, %%xmm9\n ud2\n mov %%rbx, %0\n movq %%xmm9, %1\n punpckhqdq %%xmm9, %%xmm9\n"
                     "movq %%xmm9, %2\n fstpt %3"
                     : "=&r"(rbx), "=&r"(lo), "=&r"(hi), "=m"(st)::"rbx", "xmm9");
    VALUE(rbx);
    VALUE(lo);
    VALUE(hi);
    VALUE((int)st);
#else
    uint64_t x19, lo, hi;
    __asm__ volatile("mov x19, #1\n movi v9.2d, #0\n udf #0\n mov %0, x19\n umov %1, v9.d[0]\n umov %2, v9.d[1]"
                     : "=r"(x19), "=r"(lo), "=r"(hi)::"x19", "v9");
    VALUE(x19);
    VALUE(lo);
    VALUE(hi);
#endif

    /* many timers against a busy loop and against system calls: nothing is lost, nothing is corrupted */
    set(SIGALRM, count, SA_RESTART);
    hits = 0;
    struct itimerval it = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &it, NULL);
    uint64_t sum = 0;
    for (uint64_t i = 0; hits < 50; i++)
        sum += i * i ^ (uint64_t)getpid();
    it = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &it, NULL);
    VALUE(hits >= 50 && sum != 0);

    /* default and ignore */
    signal(SIGUSR2, SIG_IGN);
    VALUE(raise(SIGUSR2));
    int deadly[] = {SIGTERM, SIGSEGV, SIGABRT, SIGKILL, SIGALRM, SIGPIPE};
    for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++) {
        child = fork();
        if (!child) {
            signal(deadly[i], SIG_DFL);
            kill(getpid(), deadly[i]);
            _exit(1);
        }
        waitpid(child, &status, 0);
        VALUE(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    }
    child = fork();
    if (!child) {
        *(volatile int *)8 = 1;
        _exit(1);
    }
    waitpid(child, &status, 0);
    VALUE(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    signal(SIGTERM, SIG_DFL);
    kill(getpid(), SIGTERM);
    return 1;
}
