/* Processes and threads: clone, fork, vfork, exec, exit, wait and futex. A guest process is a host
 * process, a guest thread a host thread with its own vCPU of the same machine. Invariant: o->tasks
 * lists exactly the live threads of this process, and a thread's host mask is full whenever it is
 * not running its own task. */
#include <linux/futex.h>
#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux.h"

typedef struct thread_start {
    task *t;
    uint64_t mask;
    uint64_t set_tid[2]; /* guest addresses of the tid, or 0 */
    pthread_mutex_t lock;
    pthread_cond_t ready;
    int tid;
} thread_start;

/* A thread that ends with locks of its robust list held marks them so, and wakes one that waits: the head is the list's
 * first link, the offset from a link to its lock word, and the lock being taken or given. */
static void robust_list_end(task *t)
{
    os *o = t->o;
    uint32_t word = o->abi->word, v;
    uint64_t head = t->robust, link, off, pending;
    t->robust = 0;
    if (!head || u_word_in(o, head, &link) || u_word_in(o, head + word, &off) || u_word_in(o, head + 2 * word, &pending))
        return;
    if (word == 4)
        off = (uint64_t)(int32_t)off;
    for (int i = 0; i < 2049; i++) {
        int last = link == head || i == 2048;
        uint64_t at = (last ? pending : link) & ~1ull, lock = at + off;
        if (word == 4)
            lock = (uint32_t)lock;
        if (at && !u_u32_in(o, lock, &v) && (v & FUTEX_TID_MASK) == (uint32_t)t->tid) {
            u_u32_out(o, lock, (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
            void *p = v & FUTEX_WAITERS ? u_ptr(o, lock, 4, 1) : NULL;
            if (p)
                syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0);
        }
        if (last || u_word_in(o, link & ~1ull, &link))
            return;
    }
}

static void futex_wake_clear(task *t)
{
    robust_list_end(t);
    if (!t->clear_tid || u_u32_out(t->o, t->clear_tid, 0))
        return;
    void *p = u_ptr(t->o, t->clear_tid, 4, 1);
    if (p)
        syscall(SYS_futex, p, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *thread_main(void *arg)
{
    thread_start *s = arg;
    task *t = s->t;
    os *o = t->o;
    uint64_t mask = s->mask;
    lx_self = t;
    t->tid = (int)syscall(SYS_gettid);
    /* Before either thread goes on, so that it cannot overwrite the zero that tells of the end. */
    for (int i = 0; i < 2; i++)
        if (s->set_tid[i])
            u_u32_out(o, s->set_tid[i], (uint32_t)t->tid);
    pthread_mutex_lock(&s->lock);
    s->tid = t->tid;
    pthread_cond_signal(&s->ready);
    pthread_mutex_unlock(&s->lock); /* s is gone from here on */
    signal_set_mask(t, mask);
    task_loop(t);
    uint64_t old;
    signal_host_block_all(&old);
    futex_wake_clear(t);
    lx_self = NULL;
    task_free(t);
    pthread_mutex_lock(&o->lock);
    o->n_threads--;
    pthread_cond_broadcast(&o->thread_gone);
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

static int64_t new_thread(task *t, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t tls,
                          uint64_t ctid)
{
    os *o = t->o;
    oryx_error err;
    task *n = task_new(o, &err);
    if (!n)
        return -ENOMEM;
    memcpy(n->state, t->state, o->host->machine_arch(o->m)->state_size);
    n->cpu->fp = t->cpu->fp;
    o->abi->set_result(n, 0);
    if (stack)
        o->abi->set_sp(n, stack);
    if (flags & CLONE_SETTLS)
        o->abi->set_tls(n, tls);
    if (flags & CLONE_CHILD_CLEARTID)
        n->clear_tid = ctid;
    n->sigmask = t->sigmask;

    thread_start s = {
        .t = n,
        .mask = t->sigmask,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .ready = PTHREAD_COND_INITIALIZER,
        .set_tid = {flags & CLONE_PARENT_SETTID ? ptid : 0, flags & CLONE_CHILD_SETTID ? ctid : 0}};
    pthread_attr_t attr;
    pthread_t thread;
    uint64_t old;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 1 << 20);
    pthread_mutex_lock(&o->lock);
    o->n_threads++;
    pthread_mutex_unlock(&o->lock);
    signal_host_block_all(&old);
    pthread_mutex_lock(&s.lock);
    int r = pthread_create(&thread, &attr, thread_main, &s);
    pthread_attr_destroy(&attr);
    if (r == 0) {
        while (!s.tid)
            pthread_cond_wait(&s.ready, &s.lock);
    }
    pthread_mutex_unlock(&s.lock);
    signal_host_set(old);
    if (r) {
        pthread_mutex_lock(&o->lock);
        o->n_threads--;
        pthread_mutex_unlock(&o->lock);
        task_free(n);
        return -r;
    }
    return s.tid;
}

/* The child of a fork: this thread is all there is. */
static void become_child(task *t)
{
    os *o = t->o;
    for (task *x = o->tasks, *next; x; x = next) {
        next = x->next;
        if (x != t) {
            o->host->vcpu_destroy(x->v);
            free(x);
        }
    }
    o->tasks = t;
    t->next = NULL;
    o->main = t;
    if (o->debug)
        o->debug->forked(o->debug->opaque);
    o->debug = NULL;
    atomic_store(&o->pausing, 0);
    o->n_threads = 0;
    t->tid = (int)syscall(SYS_gettid);
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->thread_gone, NULL);
    pthread_cond_init(&o->resume, NULL);
    pthread_rwlock_init(&o->mm.lock, NULL);
}

static int64_t new_process(task *t, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t tls,
                           uint64_t ctid)
{
    os *o = t->o;
    int gate[2] = {-1, -1};
    uint64_t old;
    if ((flags & CLONE_VFORK) && pipe2(gate, O_CLOEXEC) == 0) {
        /* Out of the way of the numbers a program expects. */
        int high = fcntl(gate[1], F_DUPFD_CLOEXEC, 512);
        if (high >= 0) {
            close(gate[1]);
            gate[1] = high;
        }
    }
    signal_host_block_all(&old);
    pthread_mutex_lock(&o->lock);
    os_pause(t);
    pthread_rwlock_wrlock(&o->mm.lock);
    pid_t pid = fork();
    if (pid == 0) {
        become_child(t);
        if (gate[0] >= 0)
            close(gate[0]);
        t->captured = 0;
        o->abi->set_result(t, 0);
        if (stack)
            o->abi->set_sp(t, stack);
        if (flags & CLONE_SETTLS)
            o->abi->set_tls(t, tls);
        t->clear_tid = flags & CLONE_CHILD_CLEARTID ? ctid : 0;
        t->robust = 0;
        if (flags & CLONE_CHILD_SETTID)
            u_u32_out(o, ctid, (uint32_t)t->tid);
        signal_host_set(signal_host_mask(o, t->sigmask));
        return 0;
    }
    int failed = errno;
    pthread_rwlock_unlock(&o->mm.lock);
    os_resume(o);
    pthread_mutex_unlock(&o->lock);
    if (pid > 0 && (flags & CLONE_PARENT_SETTID))
        u_u32_out(o, ptid, (uint32_t)pid);
    if (gate[1] >= 0)
        close(gate[1]);
    if (gate[0] >= 0) {
        char byte;
        while (pid > 0 && read(gate[0], &byte, 1) < 0 && errno == EINTR)
            ;
        close(gate[0]);
    }
    signal_host_set(old);
    return pid < 0 ? -failed : pid;
}

#define NAMESPACES                                                                                \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

int64_t thread_clone(task *t, uint64_t flags, uint64_t stack, uint64_t ptid, uint64_t tls,
                     uint64_t ctid)
{
    uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
    if (flags & NAMESPACES)
        return -EPERM;
    if (flags & CLONE_THREAD) {
        if ((flags & thread) != thread)
            return -EINVAL;
        return new_thread(t, flags, stack, ptid, tls, ctid);
    }
    /* Without CLONE_VFORK a shared address space cannot be had from fork. */
    if ((flags & CLONE_VM) && !(flags & CLONE_VFORK))
        return -EINVAL;
    if (flags & CLONE_PIDFD)
        return -EINVAL;
    return new_process(t, flags, stack, ptid, tls, ctid);
}

int threads_end_others(task *t)
{
    os *o = t->o;
    uint64_t old;
    if (!o->n_threads)
        return 0;
    pthread_mutex_lock(&o->lock);
    for (task *x = o->tasks; x; x = x->next)
        if (x != t)
            x->exiting = 1;
    pthread_mutex_unlock(&o->lock);
    signal_host_block_all(&old);
    os_kick(o, t);
    pthread_mutex_lock(&o->lock);
    int self_is_thread = t != o->main;
    while (o->n_threads > (uint32_t)self_is_thread)
        pthread_cond_wait(&o->thread_gone, &o->lock);
    pthread_mutex_unlock(&o->lock);
    signal_host_set(old);
    return 0;
}

CALL(clone)
{
    return thread_clone(t, a[0], a[1], a[2], a[3], a[4]);
}

CALL(fork)
{
    (void)a;
    return thread_clone(t, SIGCHLD, 0, 0, 0, 0);
}

CALL(vfork)
{
    (void)a;
    return thread_clone(t, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0);
}

/* The list belongs to the kernel's caller, so the host's own stays as it is. */
CALL(set_robust_list)
{
    if (a[1] != 3 * t->o->abi->word)
        return -EINVAL;
    t->robust = a[0];
    return 0;
}

CALL(get_robust_list)
{
    os *o = t->o;
    if ((int)a[0] && (int)a[0] != t->tid)
        return -EPERM;
    return u_word_out(o, a[1], t->robust) || u_word_out(o, a[2], 3 * o->abi->word) ? -EFAULT : 0;
}

CALL(clone3)
{
    uint64_t c[8] = {0}; /* flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls */
    if (a[1] < sizeof(c))
        return -EINVAL;
    for (int i = 0; i < 8; i++)
        if (u_u64_in(t->o, a[0] + 8ull * (unsigned)i, &c[i]))
            return -EFAULT;
    return thread_clone(t, c[0], c[5] ? c[5] + c[6] : 0, c[3], c[7], c[2]);
}

CALL(exit)
{
    os *o = t->o;
    pthread_mutex_lock(&o->lock);
    int last = !o->tasks->next;
    pthread_mutex_unlock(&o->lock);
    if (last)
        os_end(o, (int)a[0], 0);
    else if (t == o->main) { /* the leader's status is the process's, whenever the others end */
        o->exit_code = (int)a[0] & 0xff;
        futex_wake_clear(t);
    }
    t->exiting = 1;
    return -LX_NORESULT;
}

CALL(exit_group)
{
    os_end(t->o, (int)a[0], 0);
    return -LX_NORESULT;
}

CALL(set_tid_address)
{
    t->clear_tid = a[0];
    return t->tid;
}

CALL(wait4)
{
    os *o = t->o;
    int status = 0;
    struct rusage ru;
    memset(&ru, 0, sizeof(ru));
    int64_t r = SYS4(t, SYS_wait4, (int)a[0], &status, (int)a[2], a[3] ? &ru : NULL);
    if (r <= 0)
        return r;
    if ((a[1] && u_u32_out(o, a[1], lx_status_out(o, (uint32_t)status))) || (a[3] && u_struct_out(o, LX_S_rusage, &ru, a[3])))
        return -EFAULT;
    return r;
}

CALL(waitid)
{
    os *o = t->o;
    siginfo_t info;
    struct rusage ru;
    memset(&info, 0, sizeof(info));
    memset(&ru, 0, sizeof(ru));
    int64_t r = SYS5(t, SYS_waitid, (int)a[0], (int)a[1], a[2] ? &info : NULL, (int)a[3],
                     a[4] ? &ru : NULL);
    if (r < 0)
        return r;
    if ((a[2] && u_siginfo_out(o, a[2], &info)) ||
        (a[4] && u_struct_out(o, LX_S_rusage, &ru, a[4])))
        return -EFAULT;
    return r;
}

CALL(futex)
{
    os *o = t->o;
    struct timespec ts, *tp = NULL;
    int op = (int)a[1] & FUTEX_CMD_MASK;
    uint64_t val2 = a[3];
    void *second = NULL, *p = u_ptr(o, a[0], 4, 0);
    switch (op) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        if (a[3]) {
            if (u_struct_in(o, LX_TIMESPEC(t), &ts, a[3]))
                return -EFAULT;
            tp = &ts;
        }
        val2 = (uint64_t)(uintptr_t)tp;
        break;
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        break;
    case FUTEX_REQUEUE:
    case FUTEX_CMP_REQUEUE:
    case FUTEX_WAKE_OP:
        second = u_ptr(o, a[4], 4, 1);
        if (!second)
            return -EFAULT;
        break;
    default:
        return -ENOSYS;
    }
    if (!p)
        return -EFAULT;
    /* The host compares the word as it lies in memory. */
    uint32_t val = (uint32_t)a[2], val3 = (uint32_t)a[5];
    if (u_big(o)) {
        if (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET)
            val = __builtin_bswap32(val);
        else if (op == FUTEX_CMP_REQUEUE)
            val3 = __builtin_bswap32(val3);
        else if (op == FUTEX_WAKE_OP)
            return -ENOSYS;
    }
    return SYS6(t, SYS_futex, p, (int)a[1], val, val2, second, val3);
}
