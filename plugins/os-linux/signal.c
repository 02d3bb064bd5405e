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
    if (act.handler == 0 || o->abi->frame(t, lx_sig_out(o, sig), info, &act, lx_mask_out(o, mask))) {
        /* A handler without a stack dies of SIGSEGV, as under Linux. */
        os_end(o, 128 + sig, act.handler == 0 ? sig : SIGSEGV);
        return;
    }
    if (act.flags & SA_GUEST_RESETHAND)
        signal_install(o, sig);
    t->fault_addr = t->fault_esr = 0;
    signal_set_mask(t, during);
}

/* What a debugger makes of a signal. */
static int as_debugged(task *t, int sig)
{
    const oryx_os_debug *d = t->o->debug;
    return d ? d->signal(d->opaque, t->v, sig) : sig;
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
            o->abi->set_result(t, -(int64_t)lx_value_out(o, LX_M_errno, EINTR));
        *result = -LX_NORESULT;
    }
    t->captured = 0;
    t->has_saved = 0;
    if (sig)
        sig = info.si_signo = as_debugged(t, sig);
    if (sig)
        act_on(t, sig, &info, mask);
    else
        signal_set_mask(t, mask);
}

void signal_force(task *t, int sig, int code, uint64_t addr)
{
    os *o = t->o;
    siginfo_t info;
    sig = as_debugged(t, sig);
    if (!sig)
        return;
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

/* A struct sigaction of the guest, with the host's numbers. */
static int action_in(os *o, int id, uint64_t addr, lx_sigaction *act)
{
    if (u_struct_in(o, id, act, addr))
        return -EFAULT;
    act->flags = lx_flags_in(o, LX_M_sa, (uint32_t)act->flags);
    act->mask = lx_mask_in(o, act->mask) & ~UNBLOCKABLE;
    return 0;
}

static int action_out(os *o, int id, uint64_t addr, const lx_sigaction *act)
{
    lx_sigaction guest = *act;
    guest.flags = lx_flags_out(o, LX_M_sa, (uint32_t)act->flags);
    guest.mask = lx_mask_out(o, act->mask);
    return u_struct_out(o, id, &guest, addr);
}

static int64_t action(task *t, int sig, uint64_t new, uint64_t before, int id)
{
    os *o = t->o;
    lx_sigaction act = {0}, old;
    if (sig < 1 || sig > LX_NSIG)
        return -EINVAL;
    if (new) {
        if (sig == SIGKILL || sig == SIGSTOP)
            return -EINVAL;
        if (action_in(o, id, new, &act))
            return -EFAULT;
    }
    pthread_mutex_lock(&o->lock);
    old = o->act[sig];
    if (new)
        o->act[sig] = act;
    pthread_mutex_unlock(&o->lock);
    if (new)
        signal_install(o, sig);
    return before && action_out(o, id, before, &old) ? -EFAULT : 0;
}

CALL(rt_sigaction)
{
    if (a[3] != t->o->abi->sigset_size)
        return -EINVAL;
    return action(t, lx_sig_in(t->o, (int)a[0]), a[1], a[2], LX_S_sigaction);
}

CALL(sigaction)
{
    return action(t, lx_sig_in(t->o, (int)a[0]), a[1], a[2], LX_S_old_sigaction);
}

/* `keep`: bits of the old mask that the set cannot name. */
static int64_t change_mask(task *t, int how, uint64_t set, uint64_t keep)
{
    uint64_t old = t->sigmask;
    switch ((int)lx_value_in(t->o, LX_M_how, (uint32_t)how)) {
    case SIG_BLOCK:
        signal_set_mask(t, old | set);
        return 0;
    case SIG_UNBLOCK:
        signal_set_mask(t, old & ~set);
        return 0;
    case SIG_SETMASK:
        signal_set_mask(t, (old & keep) | set);
        return 0;
    }
    return -EINVAL;
}

CALL(rt_sigprocmask)
{
    uint64_t set = 0, old = t->sigmask;
    if (a[3] != t->o->abi->sigset_size)
        return -EINVAL;
    if (a[1]) {
        if (u_sigset_in(t->o, a[1], a[3], &set))
            return -EFAULT;
        uint32_t how = lx_value_in(t->o, LX_M_how, (uint32_t)a[0]);
        if (how > SIG_SETMASK)
            return -EINVAL;
    }
    if (a[2] && u_sigset_out(t->o, a[2], old))
        return -EFAULT;
    return a[1] ? change_mask(t, (int)a[0], set, 0) : 0;
}

/* The first word of a set of signals: what the calls before rt_* take. */
static uint64_t short_set(os *o, uint64_t word)
{
    return lx_mask_in(o, (uint32_t)word);
}

CALL(sigprocmask)
{
    os *o = t->o;
    uint64_t word = 0, old = t->sigmask, rest = ~short_set(o, 0xffffffffu);
    if (a[1] && u_word_in(o, a[1], &word))
        return -EFAULT;
    int64_t r = a[1] ? change_mask(t, (int)a[0], short_set(o, word), rest) : 0;
    if (!r && a[2] && u_word_out(o, a[2], (uint32_t)lx_mask_out(o, old)))
        return -EFAULT;
    return r;
}

CALL(rt_sigpending)
{
    uint64_t set = 0;
    uint8_t raw[16] = {0};
    int64_t r = SYS2(t, SYS_rt_sigpending, &set, 8);
    if (r < 0)
        return r;
    set |= t->held_set & t->sigmask;
    if (a[1] >= t->o->abi->sigset_size)
        return u_sigset_out(t->o, a[0], set);
    set = lx_mask_out(t->o, set);
    memcpy(raw, &set, 8);
    return a[1] > sizeof(raw) ? -EINVAL : u_out(t->o, a[0], raw, a[1]);
}

CALL(sigpending)
{
    uint64_t set = 0;
    int64_t r = SYS2(t, SYS_rt_sigpending, &set, 8);
    set |= t->held_set & t->sigmask;
    return r < 0 ? r : u_word_out(t->o, a[0], (uint32_t)lx_mask_out(t->o, set));
}

/* The mask applies to the host's wait, which the signal ends; the handler's return brings back the
 * old one. */
static int64_t suspend(task *t, uint64_t set)
{
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

CALL(rt_sigsuspend)
{
    uint64_t set;
    int r = u_sigset_in(t->o, a[0], a[1], &set);
    return r ? r : suspend(t, set);
}

/* The set is the third argument, or the first where there are no other two. */
CALL(sigsuspend)
{
    return suspend(t, short_set(t->o, a[2]));
}

CALL(pause)
{
    (void)a;
    int64_t r = SYS1(t, SYS_pause, 0);
    return r == -LX_RESTART ? -EINTR : r;
}

CALL(rt_sigtimedwait)
{
    os *o = t->o;
    uint64_t set;
    struct timespec ts;
    siginfo_t info;
    int e = u_sigset_in(o, a[0], a[3], &set);
    if (e)
        return e;
    if (a[2] && u_struct_in(o, LX_TIMESPEC(t), &ts, a[2]))
        return -EFAULT;
    set &= ~LX_SIGBIT(LX_SIG_KICK);
    int64_t r = SYS4(t, SYS_rt_sigtimedwait, &set, &info, a[2] ? &ts : NULL, 8);
    if (r == -LX_RESTART)
        return -EINTR;
    if (r > 0 && a[1] && u_siginfo_out(o, a[1], &info))
        return -EFAULT;
    return r > 0 ? lx_sig_out(o, (int)r) : r;
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

static int64_t leave_handler(task *t, int rt)
{
    uint64_t mask;
    if (t->o->abi->unframe(t, rt, &mask))
        signal_force(t, SIGSEGV, SI_KERNEL, 0);
    else
        signal_set_mask(t, lx_mask_in(t->o, mask));
    return -LX_NORESULT;
}

CALL(rt_sigreturn)
{
    (void)a;
    return leave_handler(t, 1);
}

CALL(sigreturn)
{
    (void)a;
    return leave_handler(t, 0);
}

CALL(kill)
{
    int sig = lx_sig_in(t->o, (int)a[1]);
    return SYS2(t, SYS_kill, (int)a[0], sig);
}

CALL(tgkill)
{
    int sig = lx_sig_in(t->o, (int)a[2]);
    return sig == LX_SIG_KICK ? 0 : SYS3(t, SYS_tgkill, (int)a[0], (int)a[1], sig);
}

CALL(tkill)
{
    int sig = lx_sig_in(t->o, (int)a[1]);
    return sig == LX_SIG_KICK ? 0 : SYS2(t, SYS_tkill, (int)a[0], sig);
}

CALL(rt_sigqueueinfo)
{
    siginfo_t info;
    if (u_siginfo_in(t->o, a[2], &info))
        return -EFAULT;
    return SYS3(t, SYS_rt_sigqueueinfo, (int)a[0], lx_sig_in(t->o, (int)a[1]), &info);
}

CALL(rt_tgsigqueueinfo)
{
    siginfo_t info;
    int sig = lx_sig_in(t->o, (int)a[2]);
    if (u_siginfo_in(t->o, a[3], &info))
        return -EFAULT;
    return sig == LX_SIG_KICK ? -EINVAL : SYS4(t, SYS_rt_tgsigqueueinfo, (int)a[0], (int)a[1], sig, &info);
}

CALL(signalfd4)
{
    uint64_t set;
    int e = u_sigset_in(t->o, a[1], a[2], &set);
    return e ? e : SYS4(t, SYS_signalfd4, (int)a[0], &set, 8, lx_open_flags_in(t->o, (uint32_t)a[3]));
}

CALL(signalfd)
{
    const uint64_t b[4] = {a[0], a[1], a[2], 0};
    return sys_signalfd4(t, b);
}
