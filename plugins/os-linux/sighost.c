/* The host's side of signals: which handlers this process installs for the guest, the handler
 * itself, thread masks.
 *
 * A captured signal leaves its thread with every signal blocked until the guest has got it
 * (signal.c), so one slot a thread is enough and the kernel keeps the rest in order. The handler is
 * async-signal-safe: it stores, stops the vCPU and moves the program counter out of a host call.
 * Only one personality of a process owns signals, the one that began first; its end restores what
 * was there. */
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

_Thread_local task *lx_self __attribute__((tls_model("initial-exec")));
static os *_Atomic owner;

#define FAULTS (LX_SIGBIT(SIGSEGV) | LX_SIGBIT(SIGBUS))

/* With direct access to guest memory a fault of compiled code is a signal to this thread, and one
 * that is blocked would kill: the guest's block of these two is kept by handler() alone. */
uint64_t signal_host_mask(os *o, uint64_t guest)
{
    guest &= ~(LX_SIGBIT(LX_SIG_KICK) | LX_SIGBIT(SIGKILL) | LX_SIGBIT(SIGSTOP));
    return o->mm.exact ? guest & ~FAULTS : guest;
}

void signal_release(task *t)
{
    uint64_t go = t->held_set & ~t->sigmask;
    for (int k = 0; k < 2; k++) {
        int sig = k ? SIGBUS : SIGSEGV;
        if (!(go & LX_SIGBIT(sig)))
            continue;
        siginfo_t info = t->held[k];
        t->held_set &= ~LX_SIGBIT(sig);
        if (syscall(SYS_rt_tgsigqueueinfo, getpid(), t->tid, sig, &info))
            syscall(SYS_tgkill, getpid(), t->tid, sig); /* a sender the kernel does not let us name */
    }
}

void signal_host_set(uint64_t mask)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

void signal_host_block_all(uint64_t *old)
{
    uint64_t all = ~0ull;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, old, 8);
}

static int synchronous(int sig)
{
    return sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP;
}

static void handler(int sig, siginfo_t *info, void *ucontext)
{
    task *t = lx_self;
    int saved = errno;
    if (!t) {
        /* Not a guest's thread: pass it on to one. */
        os *o = atomic_load(&owner);
        if (o && o->main)
            syscall(SYS_rt_tgsigqueueinfo, getpid(), o->main->tid, sig, info);
        errno = saved;
        return;
    }
    if (synchronous(sig) && info->si_code > 0 && info->si_code != SI_KERNEL) {
        /* A fault of this program itself: it happens again, and then for good. */
        struct sigaction dfl;
        memset(&dfl, 0, sizeof(dfl));
        dfl.sa_handler = SIG_DFL;
        sigaction(sig, &dfl, NULL);
        return;
    }
    if ((LX_SIGBIT(sig) & FAULTS) && (t->captured || (t->sigmask & LX_SIGBIT(sig)))) {
        t->held[sig == SIGBUS] = *info;
        t->held_set |= LX_SIGBIT(sig);
        errno = saved;
        return;
    }
    if (!t->captured) {
        t->info = *info;
        if (sig == LX_SIG_KICK)
            t->info.si_signo = 0;
    }
    t->captured = 1;
    t->o->host->vcpu_stop(t->v);
    lx_syscall_rewind(ucontext);
    sigfillset(&((ucontext_t *)ucontext)->uc_sigmask);
    if (t->o->mm.exact) {
        sigdelset(&((ucontext_t *)ucontext)->uc_sigmask, SIGSEGV);
        sigdelset(&((ucontext_t *)ucontext)->uc_sigmask, SIGBUS);
    }
    errno = saved;
}

static void set(os *o, int sig, void (*fn)(int, siginfo_t *, void *), void (*simple)(int))
{
    struct sigaction act, old;
    int fault = sig == SIGSEGV || sig == SIGBUS;
    memset(&act, 0, sizeof(act));
    sigfillset(&act.sa_mask);
    if (fn) {
        act.sa_sigaction = fn;
        act.sa_flags = SA_SIGINFO | SA_RESTART;
        if (sig == SIGCHLD)
            act.sa_flags |= (int)(o->act[sig].flags & (SA_NOCLDSTOP | SA_NOCLDWAIT));
    } else {
        act.sa_handler = simple;
    }
    if ((fault ? o->host->fault_action(sig, &act, &old) : sigaction(sig, &act, &old)) == 0 &&
        !(o->old_set & LX_SIGBIT(sig))) {
        o->old[sig] = old;
        o->old_set |= LX_SIGBIT(sig);
    }
}

void signal_install(os *o, int sig)
{
    uint64_t h = o->act[sig].handler;
    if (!o->signals_on || sig == LX_SIG_KICK || sig == SIGKILL || sig == SIGSTOP ||
        (sig >= 32 && sig <= 33))
        return;
    if (o->mm.exact && (LX_SIGBIT(sig) & FAULTS)) /* one that is sent waits while the guest blocks it */
        set(o, sig, h == 1 ? NULL : handler, h == 1 ? SIG_IGN : NULL);
    else if (synchronous(sig) && h <= 1) /* only a forced one matters, and that needs no host handler */
        set(o, sig, NULL, SIG_DFL);
    else if (h > 1 || (h == 0 && signal_fatal(sig)))
        set(o, sig, handler, NULL);
    else
        set(o, sig, NULL, h == 1 ? SIG_IGN : SIG_DFL);
}

void signals_begin(os *o)
{
    os *none = NULL;
    if (!atomic_compare_exchange_strong(&owner, &none, o))
        return;
    o->signals_on = 1;
    for (int sig = 1; sig < LX_NSIG; sig++) {
        struct sigaction now;
        if (sig == SIGKILL || sig == SIGSTOP || (sig >= 32 && sig <= 33) ||
            (LX_SIGBIT(sig) & FAULTS ? o->host->fault_action(sig, NULL, &now)
                                     : sigaction(sig, NULL, &now)))
            continue;
        o->act[sig] = (lx_sigaction){0};
        if (now.sa_handler == SIG_IGN && !(now.sa_flags & SA_SIGINFO))
            o->act[sig].handler = 1;
        else if (o->mm.exact && (LX_SIGBIT(sig) & FAULTS))
            signal_install(o, sig);
        else if (signal_fatal(sig) && !synchronous(sig))
            signal_install(o, sig);
    }
    set(o, LX_SIG_KICK, handler, NULL);
}

void signals_exec(os *o)
{
    for (int sig = 1; sig < LX_NSIG; sig++)
        if (o->act[sig].handler > 1) {
            o->act[sig] = (lx_sigaction){0};
            signal_install(o, sig);
        }
}

void signals_end(os *o)
{
    if (!o->signals_on)
        return;
    o->signals_on = 0;
    /* A kick that came too late must not find the default action. */
    sigset_t kick;
    struct timespec now = {0, 0};
    sigemptyset(&kick);
    sigaddset(&kick, LX_SIG_KICK);
    while (sigtimedwait(&kick, NULL, &now) > 0)
        ;
    for (int sig = 1; sig <= LX_NSIG; sig++)
        if ((o->old_set & LX_SIGBIT(sig)) && (sig == SIGSEGV || sig == SIGBUS))
            o->host->fault_action(sig, &o->old[sig], NULL);
        else if (o->old_set & LX_SIGBIT(sig))
            sigaction(sig, &o->old[sig], NULL);
    o->old_set = 0;
    atomic_store(&owner, NULL);
}
