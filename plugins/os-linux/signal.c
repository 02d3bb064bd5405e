/* Guest signals: dispositions, masks, delivery to handlers, default actions, and the system calls
 * about them. The host's kernel does the queueing: a signal the guest blocks is blocked here too
 * (sighost.c), so pending sets, sigtimedwait and signalfd are the kernel's own. Invariant: between
 * capture and delivery no other signal can be captured by the thread. */
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#define SA_GUEST_NODEFER   0x40000000u
#define SA_GUEST_RESETHAND 0x80000000u
#define SA_GUEST_RESTART   0x10000000u
#define SA_GUEST_ONSTACK   0x08000000u
#define UNBLOCKABLE        (LX_SIGBIT(SIGKILL) | LX_SIGBIT(SIGSTOP))

int signal_fatal(int sig)
{
    switch (sig) {
    case SIGCHLD:
    case SIGURG:
    case SIGWINCH:
    case SIGCONT:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return 0;
    }
    return 1;
}

void signal_set_mask(task *t, uint64_t mask)
{
    t->sigmask = mask & ~UNBLOCKABLE;
    signal_host_set(signal_host_mask(t->o, t->sigmask));
    if (t->held_set)
        signal_release(t);
}

static int on_altstack(task *t, uint64_t sp)
{
    const lx_sigstack *s = &t->altstack;
    return !(s->flags & SS_DISABLE) && s->size && sp > s->sp && sp - s->sp <= s->size;
}

uint64_t signal_frame_sp(task *t, const lx_sigaction *act, uint64_t sp)
{
    const lx_sigstack *s = &t->altstack;
    if ((act->flags & SA_GUEST_ONSTACK) && !(s->flags & SS_DISABLE) && s->size &&
        !on_altstack(t, sp))
        return s->sp + s->size;
    return sp;
}

/* Enter the guest's handler, or do the default action. mask: what the handler's return restores. */
static void act_on(task *t, int sig, const siginfo_t *info, uint64_t mask)
{
    os *o = t->o;
    pthread_mutex_lock(&o->lock);
    lx_sigaction act = o->act[sig];
    if (act.handler > 1 && (act.flags & SA_GUEST_RESETHAND))
        o->act[sig].handler = 0;
    pthread_mutex_unlock(&o->lock);
    if (o->strace)
        strace_signal(t, sig, info);
    if (act.handler == 1 || (act.handler == 0 && !signal_fatal(sig))) {
        signal_set_mask(t, mask);
        return;
    }
    uint64_t during = t->sigmask | act.mask | (act.flags & SA_GUEST_NODEFER ? 0 : LX_SIGBIT(sig));
    if (act.handler == 0 || o->abi->frame(t, sig, info, &act, mask)) {
        /* A handler without a stack dies of SIGSEGV, as under Linux. */
        os_end(o, 128 + sig, act.handler == 0 ? sig : SIGSEGV);
        return;
    }
    if (act.flags & SA_GUEST_RESETHAND)
        signal_install(o, sig);
    t->fault_addr = t->fault_esr = 0;
    signal_set_mask(t, during);
}

void signal_deliver(task *t, int64_t *result)
{
    os *o = t->o;
    siginfo_t info = t->info;
    uint64_t mask = t->has_saved ? t->saved_mask : t->sigmask;
    int sig = info.si_signo;
    if (result && *result == -LX_RESTART) {
        pthread_mutex_lock(&o->lock);
        int again = sig == 0 || o->act[sig].handler <= 1 || (o->act[sig].flags & SA_GUEST_RESTART);
        pthread_mutex_unlock(&o->lock);
        if (again)
            o->abi->restart(t);
        else
            o->abi->set_result(t, -EINTR);
        *result = -LX_NORESULT;
    }
    t->captured = 0;
    t->has_saved = 0;
    if (sig)
        act_on(t, sig, &info, mask);
    else
        signal_set_mask(t, mask);
}

void signal_force(task *t, int sig, int code, uint64_t addr)
{
    os *o = t->o;
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = sig;
    info.si_code = code;
    info.si_addr = (void *)(uintptr_t)addr;
    pthread_mutex_lock(&o->lock);
    if ((t->sigmask & LX_SIGBIT(sig)) || o->act[sig].handler == 1)
        o->act[sig].handler = 0; /* cannot be blocked or ignored: it kills */
    pthread_mutex_unlock(&o->lock);
    act_on(t, sig, &info, t->sigmask);
}

/* --- system calls
 * -----------------------------------------------------------------------------------------------------
 */

CALL(rt_sigaction)
{
    os *o = t->o;
    int sig = (int)a[0];
    lx_sigaction act, old;
    if (sig < 1 || sig > LX_NSIG || a[3] != 8)
        return -EINVAL;
    if (a[1]) {
        if (sig == SIGKILL || sig == SIGSTOP)
            return -EINVAL;
        if (u_struct_in(o, LX_S_sigaction, &act, a[1]))
            return -EFAULT;
    }
    pthread_mutex_lock(&o->lock);
    old = o->act[sig];
    if (a[1]) {
        act.mask &= ~UNBLOCKABLE;
        o->act[sig] = act;
    }
    pthread_mutex_unlock(&o->lock);
    if (a[1])
        signal_install(o, sig);
    if (a[2] && u_struct_out(o, LX_S_sigaction, &old, a[2]))
        return -EFAULT;
    return 0;
}

CALL(rt_sigprocmask)
{
    uint64_t set, old = t->sigmask, mask;
    if (a[3] != 8)
        return -EINVAL;
    if (a[1]) {
        if (u_in(t->o, &set, a[1], 8))
            return -EFAULT;
        switch ((int)a[0]) {
        case SIG_BLOCK:
            mask = old | set;
            break;
        case SIG_UNBLOCK:
            mask = old & ~set;
            break;
        case SIG_SETMASK:
            mask = set;
            break;
        default:
            return -EINVAL;
        }
        if (a[2] && u_out(t->o, a[2], &old, 8))
            return -EFAULT;
        signal_set_mask(t, mask);
        return 0;
    }
    return a[2] && u_out(t->o, a[2], &old, 8) ? -EFAULT : 0;
}

CALL(rt_sigpending)
{
    uint64_t set = 0;
    int64_t r = SYS2(t, SYS_rt_sigpending, &set, 8);
    set |= t->held_set & t->sigmask;
    return r < 0 ? r : u_out(t->o, a[0], &set, a[1] < 8 ? a[1] : 8);
}

/* The mask applies to the host's wait, which the signal ends; the handler's return brings back the
 * old one. */
CALL(rt_sigsuspend)
{
    uint64_t set;
    if (a[1] != 8)
        return -EINVAL;
    if (u_in(t->o, &set, a[0], 8))
        return -EFAULT;
    t->saved_mask = t->sigmask;
    t->has_saved = 1;
    t->sigmask = set & ~UNBLOCKABLE;
    uint64_t host = signal_host_mask(t->o, set);
    int64_t r = SYS2(t, SYS_rt_sigsuspend, &host, 8);
    if (!t->captured) {
        signal_set_mask(t, t->saved_mask);
        t->has_saved = 0;
    }
    return r == -LX_RESTART ? -EINTR : r;
}

CALL(rt_sigtimedwait)
{
    os *o = t->o;
    uint64_t set;
    struct timespec ts;
    siginfo_t info;
    if (a[3] != 8)
        return -EINVAL;
    if (u_in(o, &set, a[0], 8) || (a[2] && u_struct_in(o, LX_S_timespec, &ts, a[2])))
        return -EFAULT;
    set &= ~LX_SIGBIT(LX_SIG_KICK);
    int64_t r = SYS4(t, SYS_rt_sigtimedwait, &set, &info, a[2] ? &ts : NULL, 8);
    if (r == -LX_RESTART)
        return -EINTR;
    if (r > 0 && a[1] && u_out(o, a[1], &info, sizeof(info)))
        return -EFAULT;
    return r;
}

CALL(sigaltstack)
{
    os *o = t->o;
    lx_sigstack s, old = t->altstack;
    int on = on_altstack(t, o->abi->get_sp(t));
    if (a[0]) {
        if (u_struct_in(o, LX_S_sigstack, &s, a[0]))
            return -EFAULT;
        if (on)
            return -EPERM;
        if (s.flags & ~(SS_DISABLE | SS_ONSTACK | (int)0x80000000u))
            return -EINVAL;
        if (s.flags & SS_DISABLE) {
            s.sp = 0;
            s.size = 0;
        } else if (s.size < o->abi->minsigstksz) {
            return -ENOMEM;
        }
        s.flags &= ~SS_ONSTACK;
        t->altstack = s;
    }
    if (a[1]) {
        if (on)
            old.flags |= SS_ONSTACK;
        if (u_struct_out(o, LX_S_sigstack, &old, a[1]))
            return -EFAULT;
    }
    return 0;
}

CALL(rt_sigreturn)
{
    uint64_t mask;
    (void)a;
    if (t->o->abi->unframe(t, &mask)) {
        signal_force(t, SIGSEGV, 128 /* SI_KERNEL */, 0);
        return -LX_NORESULT;
    }
    signal_set_mask(t, mask);
    return -LX_NORESULT;
}

CALL(kill)
{
    return SYS2(t, SYS_kill, (int)a[0], (int)a[1]);
}

CALL(tgkill)
{
    if ((int)a[2] == LX_SIG_KICK)
        return 0;
    return SYS3(t, SYS_tgkill, (int)a[0], (int)a[1], (int)a[2]);
}

CALL(tkill)
{
    if ((int)a[1] == LX_SIG_KICK)
        return 0;
    return SYS2(t, SYS_tkill, (int)a[0], (int)a[1]);
}

CALL(rt_sigqueueinfo)
{
    siginfo_t info;
    if (u_in(t->o, &info, a[2], sizeof(info)))
        return -EFAULT;
    return SYS3(t, SYS_rt_sigqueueinfo, (int)a[0], (int)a[1], &info);
}

CALL(signalfd4)
{
    uint64_t set;
    if (a[2] != 8)
        return -EINVAL;
    if (u_in(t->o, &set, a[1], 8))
        return -EFAULT;
    return SYS4(t, SYS_signalfd4, (int)a[0], &set, 8, lx_open_flags_in(t->o, (uint32_t)a[3]));
}
