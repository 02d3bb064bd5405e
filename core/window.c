/* Windows: guest memory that compiled code reaches at a constant distance, without a look-up, and the handler of the host
 * faults that this leads to.
 *
 * Called by the ABI (oryx_space_set_window, oryx_fault_action), the run loop, translate.c, and whatever changes a view or its
 * logging. Invariant: window.rd and window.wr of a running vCPU are not zero only while every byte below them may be
 * reached that way; and a fault that is neither an access of compiled code nor one under a guard goes to the handler that
 * was installed before, as if this one were not there. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "exec.h"
#include "watch.h"
#include "window.h"

#define TLS _Thread_local __attribute__((tls_model("initial-exec"))) /* touched in a signal handler */

static TLS oryx_vcpu *running;       /* whose machine has a window */
static TLS oryx__guard *guards;

/* --- the handler ---------------------------------------------------------------------------------------------------------- */
/* The handlers behind ours: SIGSEGV's and SIGBUS's. A change is written beside the ones before it, so that a handler on another
 * thread never reads half of it. */
#define KEPT 16u
static struct {
    pthread_mutex_t lock;
    uint32_t users;                  /* windows */
    struct sigaction kept[2][KEPT];
    _Atomic uint32_t at[2];
} behind = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const int signals[2] = { SIGSEGV, SIGBUS };

static uint64_t *pc_of(void *context)
{
#if defined(__x86_64__)
    return (uint64_t *)&((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uint64_t *)&((ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return NULL;
#endif
}

/* The process's own answer to the signal, which for these two is its end. */
static void default_action(int sig, int synchronous)
{
    struct sigaction dfl;
    sigset_t set;
    memset(&dfl, 0, sizeof(dfl));
    dfl.sa_handler = SIG_DFL;
    sigaction(sig, &dfl, NULL);
    if (synchronous)
        return; /* the instruction faults again */
    raise(sig);
    sigemptyset(&set);
    sigaddset(&set, sig);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void pass_on(int sig, siginfo_t *info, void *context)
{
    int k = sig == SIGBUS;
    struct sigaction act = behind.kept[k][atomic_load(&behind.at[k]) % KEPT];
    int synchronous = info->si_code > 0;
    if (act.sa_handler == SIG_IGN && !synchronous)
        return;
    if (act.sa_handler == SIG_DFL || act.sa_handler == SIG_IGN) {
        default_action(sig, synchronous);
        return;
    }
    sigset_t mask = act.sa_mask, old;
    if (!(act.sa_flags & SA_NODEFER))
        sigaddset(&mask, sig);
    pthread_sigmask(SIG_BLOCK, &mask, &old);
    if (act.sa_flags & (int)SA_RESETHAND) {
        struct sigaction dfl;
        memset(&dfl, 0, sizeof(dfl));
        oryx_fault_action(sig, &dfl, NULL);
    }
    if (act.sa_flags & SA_SIGINFO)
        act.sa_sigaction(sig, info, context);
    else
        act.sa_handler(sig);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static bool at_guard(const oryx__guard *g, const siginfo_t *info)
{
    const uint8_t *at = info->si_addr;
    return g && at >= g->host && (uint64_t)(at - g->host) < g->n;
}

/* The kernel gives a handler fresh FP units and puts the old ones back when it returns. One that does not return must: part of the
 * guest's FP state, and with x87 its registers, are in the host's while guest code runs. */
static void fp_back(void *context)
{
#if defined(__x86_64__)
    const void *saved = ((ucontext_t *)context)->uc_mcontext.fpregs;
    if (saved)
        __asm__ volatile("fxrstor64 (%0)" : : "r"(saved) : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                         "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#else
    (void)context;
#endif
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
    int saved = errno;
    oryx_vcpu *v = running;
    if (info->si_code > 0 && at_guard(guards, info)) {
        oryx__guard *g = guards;
        guards = g->outer;
        g->sig = sig;
        /* SA_NODEFER left the mask alone, but who wraps sigaction (a sanitizer) may block more. */
        pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
        fp_back(context);
        siglongjmp(g->env, 1);
    }
    uint64_t *pc = v && info->si_code > 0 ? pc_of(context) : NULL;
    uint64_t again = ~(uint64_t)0, to = 0;
    if (pc)
        to = v->machine->engine->recover(v->machine->engine_self, v->cpu, *pc, &again);
    if (to) {
        uint64_t *n = &v->machine->stats.window_faults;
        __atomic_store_n(n, __atomic_load_n(n, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
        *pc = to;
        if (again != ~(uint64_t)0) {
            atomic_store(&v->faulting, again);
            oryx__vcpu_request(v, ORYX__REQ_RETRANSLATE);
        }
    } else {
        pass_on(sig, info, context);
    }
    errno = saved;
}

static oryx_status handler_take(oryx_error *err)
{
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&behind.lock);
    for (int k = 0; k < 2 && !behind.users && !st; k++) {
        struct sigaction act;
        memset(&act, 0, sizeof(act));
        sigemptyset(&act.sa_mask);
        act.sa_sigaction = on_fault;
        act.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
        if (sigaction(signals[k], NULL, &behind.kept[k][atomic_load(&behind.at[k]) % KEPT]) || sigaction(signals[k], &act, NULL))
            st = oryx__error(err, ORYX_E_PERM, "window: the handler of %s cannot be installed: %s", k ? "SIGBUS" : "SIGSEGV",
                             strerror(errno));
    }
    behind.users += st == ORYX_OK;
    pthread_mutex_unlock(&behind.lock);
    return st;
}

static void handler_drop(void)
{
    pthread_mutex_lock(&behind.lock);
    if (--behind.users == 0)
        for (int k = 0; k < 2; k++) {
            struct sigaction now;
            /* Whoever came after us has our address and may call it: then it stays. */
            if (!sigaction(signals[k], NULL, &now) && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault)
                sigaction(signals[k], &behind.kept[k][atomic_load(&behind.at[k]) % KEPT], NULL);
        }
    pthread_mutex_unlock(&behind.lock);
}

int32_t oryx_fault_action(int32_t sig, const void *act, void *old)
{
    int k = sig == SIGBUS, r = 0;
    sigset_t all, mask;
    if (sig != SIGSEGV && sig != SIGBUS)
        return -EINVAL;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &mask);
    pthread_mutex_lock(&behind.lock);
    if (!behind.users) {
        r = sigaction(sig, act, old) ? -errno : 0;
    } else {
        uint32_t at = atomic_load(&behind.at[k]);
        struct sigaction was = behind.kept[k][at % KEPT];
        if (act) {
            behind.kept[k][(at + 1) % KEPT] = *(const struct sigaction *)act;
            atomic_store(&behind.at[k], at + 1);
        }
        if (old)
            *(struct sigaction *)old = was;
    }
    pthread_mutex_unlock(&behind.lock);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return r;
}

/* --- guards ----------------------------------------------------------------------------------------------------------------- */
void oryx__guard_arm(oryx__guard *g, const oryx_space *s)
{
    g->host = s->window.host;
    g->n = s->window.size;
    g->sig = 0;
    g->outer = guards;
    atomic_signal_fence(memory_order_seq_cst);
    guards = g;
    atomic_signal_fence(memory_order_seq_cst);
}

void oryx__guard_disarm(oryx__guard *g)
{
    atomic_signal_fence(memory_order_seq_cst);
    guards = g->outer;
}

static bool try_copy(const oryx_space *s, uint8_t *to, const uint8_t *from, uint64_t n)
{
    oryx__guard g;
    if (sigsetjmp(g.env, 0))
        return false;
    oryx__guard_arm(&g, s);
    memcpy(to, from, n);
    oryx__guard_disarm(&g);
    return true;
}

bool oryx__window_copy(const oryx_space *s, uint8_t *host, uint8_t *buf, uint64_t n, int write)
{
    if (try_copy(s, write ? host : buf, write ? buf : host, n))
        return true;
    /* The guest may not, but we may: the kernel's own way past protections. */
    int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t done = write ? pwrite(fd, buf, n, (off_t)(uintptr_t)host) : pread(fd, buf, n, (off_t)(uintptr_t)host);
    close(fd);
    return done == (ssize_t)n;
}

/* --- opening and closing -------------------------------------------------------------------------------------------------- */
oryx_status oryx__window_config(oryx_machine *m, const char *mode, oryx_error *err)
{
    static const char *const names[] = { "off", "auto", "on" };
    for (uint32_t i = 0; i < 3; i++)
        if (!strcmp(mode ? mode : "off", names[i])) {
            m->window_mode = i;
            return ORYX_OK;
        }
    return oryx__error(err, ORYX_E_INVALID, "machine: window '%s' is unknown: use off, auto or on", mode);
}

/* What the space's window serves now. */
static uint32_t possible(const oryx_space *s)
{
    const struct oryx__window *w = &s->window;
    const oryx__view *view = atomic_load_explicit(&s->view, memory_order_seq_cst);
    uint64_t hint = 0;
    const oryx__row *row = w->host ? oryx__view_find(view, 0, &hint) : NULL;
    if (!row || row->first || row->host != w->host || row->last < w->size - 1 || row->host_last < w->size - 1 ||
        !(row->flags & ORYX_DIRECT_BULK) || (row->prot & row->dprot) != ORYX_PROT_ALL)
        return 0;
    uint32_t watched = oryx__watch_window(s->machine->mem, s, w->size, row->region);
    if (watched & ORYX_WATCH_READ)
        return 0;
    /* First writes must be seen, and all writes where one vCPU may watch for another's. */
    return watched || s->machine->exclusives || atomic_load(&row->region->logging) || atomic_load(&row->region->cow) ? w->prot & ~ORYX_PROT_WRITE : w->prot;
}

static void update(oryx_space *s)
{
    oryx_machine *m = s->machine;
    uint32_t open = possible(s);
    if (open == (atomic_load(&s->window.state) & ORYX_PROT_ALL))
        return;
    /* A new number for every change, so that a vCPU sees that there was one. */
    atomic_store(&s->window.state, (atomic_load(&s->window.state) & ~ORYX_PROT_ALL) + ORYX_PROT_ALL + 1 + open);
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (v->space != s)
            continue;
        if (!(open & ORYX_PROT_READ))
            __atomic_store_n(&v->cpu->window.rd, 0, __ATOMIC_SEQ_CST);
        if (!(open & ORYX_PROT_WRITE))
            __atomic_store_n(&v->cpu->window.wr, 0, __ATOMIC_SEQ_CST);
    }
    oryx__tbs_flush(m);
}

void oryx__window_update(oryx_machine *m)
{
    for (guint i = 0; i < m->mem->spaces->len; i++) {
        oryx_space *s = m->mem->spaces->pdata[i];
        if (s->window.host)
            update(s);
    }
}

void oryx__window_exclusives(oryx_machine *m)
{
    if (!m->exclusives) {
        m->exclusives = 1;
        oryx__window_update(m);
    }
}

void oryx__window_close(oryx_space *s)
{
    if (!s->window.host)
        return;
    s->window.host = NULL; /* then nothing is possible, and no region is looked at: it may be gone */
    update(s);
    handler_drop();
}

static const char *obstacle(const oryx_space *s, const oryx_window *w)
{
    const oryx_engine_ops *e = s->machine->engine;
    const oryx_arch_ops *a = s->machine->arch;
    if (!e->recover)
        return "its engine does not use one: take engine 'x64' on a host whose kernel allows FSGSBASE";
    if (!w->mmu && a && ORYX_HAS(a, mmu) && a->mmu)
        return "the frontend's MMU translates: give the vCPUs a function that maps each address on itself";
    if (s->window.host && (s->window.host != w->host || s->window.size != w->size))
        return "the space has another one: close it first";
    return NULL;
}

oryx_status oryx_space_set_window(oryx_space *s, const oryx_window *w, oryx_error *err)
{
    if (!s || (w && (!ORYX_HAS(w, prot) || !w->host || w->size < ORYX_PAGE_SIZE || (w->size | (uintptr_t)w->host) % ORYX_PAGE_SIZE)))
        return oryx__error(err, ORYX_E_INVALID, "window: give a space, and host and size in whole pages");
    oryx_machine *m = s->machine;
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&m->lock);
    if (!w) {
        oryx__window_close(s);
    } else if (m->window_mode == ORYX__WINDOW_OFF) {
        st = ORYX_E_UNSUPPORTED;
    } else {
        const char *why = obstacle(s, w);
        if (why)
            st = oryx__error(err, m->window_mode == ORYX__WINDOW_ON ? ORYX_E_INVALID : ORYX_E_UNSUPPORTED,
                             "window: the machine cannot have one: %s", why);
        if (!st && !s->window.host)
            st = handler_take(err);
        if (!st) {
            s->window.host = w->host;
            s->window.size = w->size;
            s->window.mmu = w->mmu;
            s->window.opaque = w->opaque;
            s->window.prot = w->prot & ORYX_PROT_WRITE ? ORYX_PROT_READ | ORYX_PROT_WRITE : w->prot & ORYX_PROT_READ;
            update(s);
        }
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

/* --- the run loop's side ------------------------------------------------------------------------------------------------ */
static bool serves(const oryx_vcpu *v)
{
    return v->mmu == v->space->window.mmu && (!v->mmu || v->mmu_opaque == v->space->window.opaque);
}

oryx_vcpu *oryx__window_enter(oryx_vcpu *v)
{
    oryx_vcpu *outer = running;
    running = v->space->window.host ? v : NULL;
    v->window = 0;
    return outer;
}

void oryx__window_leave(oryx_vcpu *outer)
{
    running = outer;
}

void oryx__window_load(oryx_vcpu *v)
{
    const struct oryx__window *w = &v->space->window;
    uint32_t state = atomic_load_explicit(&w->state, memory_order_acquire);
    if (v->window == state)
        return;
    oryx_cpu *cpu = v->cpu;
    bool mine = w->host && serves(v);
    cpu->window.base = w->host ? (uint64_t)(uintptr_t)w->host : 0;
    __atomic_store_n(&cpu->window.rd, mine && state & ORYX_PROT_READ ? w->size : 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cpu->window.wr, mine && state & ORYX_PROT_WRITE ? w->size : 0, __ATOMIC_SEQ_CST);
    v->window = state;
    /* Closed meanwhile: whoever did that may have stored its zeros before ours. */
    if (atomic_load(&w->state) != state) {
        __atomic_store_n(&cpu->window.rd, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&cpu->window.wr, 0, __ATOMIC_SEQ_CST);
    }
}

uint32_t oryx__window_flags(const oryx_vcpu *v)
{
    uint32_t state = atomic_load_explicit(&v->space->window.state, memory_order_acquire);
    return (state & ORYX_PROT_READ ? ORYX_TB_WINDOW_RD : 0) | (state & ORYX_PROT_WRITE ? ORYX_TB_WINDOW_WR : 0);
}

void oryx__window_retranslate(oryx_vcpu *v)
{
    uint64_t pc = atomic_load(&v->faulting);
    if (v->space->window.host && pc < v->space->window.size)
        oryx__code_written(v->space, pc, 1, NULL);
}
