/* The loop that runs a guest thread: enter the vCPU, serve why it came out, again. Owns tasks and
 * the end of the program. Called by plugin.c for the main thread and by thread.c for the others.
 * Invariant: a captured signal is delivered before the vCPU runs again, and nothing runs once
 * o->ending is set. */
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

task *task_new(os *o, oryx_error *err)
{
    oryx_vcpu_config config = {.hdr = ORYX_HDR(oryx_vcpu_config), .model = o->model};
    task *t = calloc(1, sizeof(*t));
    if (!t) {
        o->host->error_set(err, ORYX_E_NOMEM, "no memory for a guest thread");
        return NULL;
    }
    if (o->host->vcpu_new(o->m, &config, &t->v, err) != ORYX_OK) {
        free(t);
        return NULL;
    }
    t->o = o;
    t->cpu = o->host->vcpu_cpu(t->v);
    t->state = t->cpu->state;
    t->altstack.flags = SS_DISABLE;
    o->host->vcpu_set_mmu(t->v, mm_translate, o);
    pthread_mutex_lock(&o->lock);
    t->next = o->tasks;
    o->tasks = t;
    pthread_mutex_unlock(&o->lock);
    return t;
}

void task_free(task *t)
{
    os *o = t->o;
    pthread_mutex_lock(&o->lock);
    for (task **p = &o->tasks; *p; p = &(*p)->next)
        if (*p == t) {
            *p = t->next;
            break;
        }
    o->insns_gone += o->host->vcpu_insns(t->v);
    pthread_mutex_unlock(&o->lock);
    if (o->debug)
        o->debug->gone(o->debug->opaque, t->v);
    o->host->vcpu_destroy(t->v);
    free(t);
}

void os_kick(os *o, task *except)
{
    pthread_mutex_lock(&o->lock);
    for (task *t = o->tasks; t; t = t->next)
        if (t != except) {
            o->host->vcpu_stop(t->v);
            if (t->tid)
                syscall(SYS_tgkill, getpid(), t->tid, LX_SIG_KICK);
        }
    pthread_mutex_unlock(&o->lock);
}

void os_pause(task *t)
{
    os *o = t->o;
    atomic_store(&o->pausing, 1);
    for (task *x = o->tasks; x; x = x->next)
        if (x != t) {
            o->host->vcpu_stop(x->v);
            while (atomic_load(&x->in_run))
                sched_yield();
        }
}

void os_resume(os *o)
{
    atomic_store(&o->pausing, 0);
    pthread_cond_broadcast(&o->resume);
}

/* Whether the vCPU may run now; waits while a fork is under way. */
static int may_run(task *t)
{
    os *o = t->o;
    atomic_store(&t->in_run, 1);
    if (!atomic_load(&o->pausing))
        return 1;
    atomic_store(&t->in_run, 0);
    pthread_mutex_lock(&o->lock);
    while (atomic_load(&o->pausing))
        pthread_cond_wait(&o->resume, &o->lock);
    pthread_mutex_unlock(&o->lock);
    return 0;
}

void os_end(os *o, int code, int sig)
{
    int zero = 0;
    if (!atomic_compare_exchange_strong(&o->ending, &zero, 1))
        return;
    o->exit_code = code & 0xff;
    o->exit_signal = sig;
    if (o->strace)
        strace_end(o, code, sig);
    os_kick(o, lx_self);
}

/* What the architecture's exceptions are to a Linux program. */
static void raise_exception(task *t, const oryx_exc *e)
{
    static const struct {
        uint32_t kind;
        int sig, code;
    } rows[] = {
        {ORYX_EXC_UNDEFINED, SIGILL, ILL_ILLOPC},   {ORYX_EXC_PRIVILEGED, SIGILL, ILL_ILLOPC},
        {ORYX_EXC_HYPERCALL, SIGILL, ILL_ILLOPC},   {ORYX_EXC_MONITORCALL, SIGILL, ILL_ILLOPC},
        {ORYX_EXC_SEMIHOST, SIGTRAP, TRAP_BRKPT},   {ORYX_EXC_HALT, SIGILL, ILL_ILLOPC},
        {ORYX_EXC_BREAKPOINT, SIGTRAP, TRAP_BRKPT}, {ORYX_EXC_TRAP, SIGTRAP, TRAP_BRKPT},
        {ORYX_EXC_PC_ALIGN, SIGBUS, BUS_ADRALN},    {ORYX_EXC_SP_ALIGN, SIGBUS, BUS_ADRALN},
        {ORYX_EXC_ARITHMETIC, SIGFPE, FPE_INTDIV},  {ORYX_EXC_FP, SIGFPE, FPE_FLTINV},
    };
    os *o = t->o;
    o->abi->fault(t, e);
    if (e->kind == ORYX_EXC_MEMORY || e->kind == ORYX_EXC_FETCH) {
        switch (e->status) {
        case ORYX_FAULT_PROT:
            signal_force(t, SIGSEGV, SEGV_ACCERR, e->addr);
            return;
        case ORYX_FAULT_ALIGN:
            if (o->abi->elf_machine == EM_X86_64)
                signal_force(t, SIGSEGV, SI_KERNEL, 0);
            else
                signal_force(t, SIGBUS, BUS_ADRALN, e->addr);
            return;
        case ORYX_FAULT_DEVICE:
            signal_force(t, SIGBUS, BUS_ADRERR, e->addr);
            return;
        default:
            signal_force(t, SIGSEGV, SEGV_MAPERR, e->addr);
            return;
        }
    }
    if (e->kind == ORYX_EXC_WAIT || e->kind == ORYX_EXC_INTERRUPT)
        return;
    int code = 0, sig;
    uint64_t addr = e->pc;
    if (o->abi->signal_of && (sig = o->abi->signal_of(t, e, &code, &addr)) != 0) {
        signal_force(t, sig, code, addr);
        return;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].kind == e->kind) {
            signal_force(t, rows[i].sig, rows[i].code, e->pc);
            return;
        }
    snprintf(o->end_text, sizeof(o->end_text),
             "the vCPU raised '%s' at %#llx, which Linux has no signal for",
             o->host->exc_text(e->kind), (unsigned long long)e->pc);
    os_end(o, 127, 0);
}

void task_loop(task *t)
{
    os *o = t->o;
    oryx_exit ex;
    while (!t->exiting && !atomic_load_explicit(&o->ending, memory_order_relaxed)) {
        if (t->captured) {
            signal_deliver(t, NULL);
            continue;
        }
        oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run)};
        if (o->debug && o->debug->enter(o->debug->opaque, t->v, t->tid, &limits)) {
            os_end(o, 0, SIGKILL);
            break;
        }
        if (!may_run(t))
            continue;
        ex.hdr = (oryx_hdr)ORYX_HDR(oryx_exit);
        oryx_status st = o->host->vcpu_run(t->v, o->debug ? &limits : NULL, &ex);
        atomic_store_explicit(&t->in_run, 0, memory_order_release);
        if (o->debug)
            o->debug->left(o->debug->opaque, t->v, &ex);
        if (st != ORYX_OK) {
            snprintf(o->end_text, sizeof(o->end_text), "the vCPU cannot run: %s",
                     o->host->status_text(st));
            os_end(o, 127, 0);
            break;
        }
        switch (ex.reason) {
        case ORYX_EXIT_SYSCALL:
            syscall_serve(t);
            break;
        case ORYX_EXIT_STOP:
            break;
        case ORYX_EXIT_FAULT:
        case ORYX_EXIT_EXCEPTION:
            raise_exception(t, &ex.exc);
            break;
        case ORYX_EXIT_HALT:
            if (ex.exc.kind == ORYX_EXC_HALT)
                raise_exception(t, &ex.exc);
            break;
        case ORYX_EXIT_ERROR:
            snprintf(o->end_text, sizeof(o->end_text), "at %#llx: %.340s",
                     (unsigned long long)ex.pc, ex.error.text);
            os_end(o, 127, 0);
            break;
        default:
            break;
        }
    }
}
