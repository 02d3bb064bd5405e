/* Whose thread runs a vCPU: taking it for a run, and asking from another thread whether it runs.
 *
 * run.c claims a vCPU at the start of each run, which takes a locked exchange: dear for runs of one instruction. A thread that
 * has run a vCPU BIASED times in a row becomes its owner and notes later runs with a plain store to a mark of its own
 * (oryx__vcpu_mark). Who asks from another thread pays instead: after membarrier(2) either the asker sees the mark, or the
 * owner, whose next loads come after the barrier, sees what the asker stored before it asked. Another thread that wants to
 * run the vCPU ends the ownership the same way. Invariant: only its thread writes a mark, and one that is set while the
 * vCPU has that owner means that it runs. */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "exec.h"

#define BIASED 64u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* ownership changes under it */
static int usable; /* 1: registered; -1: the kernel has no such call, or a filter refuses it */

/* ThreadSanitizer does not know the barrier. */
#if defined(__SANITIZE_THREAD__)
#define POSSIBLE 0
#else
#define POSSIBLE 1
#endif

static bool registered(void)
{
    return syscall(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0;
}

/* False: there was none. A child of fork may have to register again. */
static bool barrier(void)
{
    return syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0 ||
           (registered() && syscall(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == 0) ||
           syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0) == 0;
}

int oryx__vcpu_running(oryx_vcpu *v)
{
    oryx__owner *all = atomic_load(&v->owners);
    bool others = false;
    for (const oryx__owner *o = all; o; o = o->next)
        others |= !pthread_equal(o->thread, pthread_self());
    if (others)
        barrier();
    bool runs = atomic_load(&v->running) != 0;
    for (oryx__owner *o = all; o; o = o->next)
        runs |= atomic_load(&o->mark) != 0;
    return runs;
}

/* End the ownership. False: the owner runs the vCPU and stays. */
static bool disown(oryx_vcpu *v)
{
    pthread_mutex_lock(&lock);
    oryx__owner *o = atomic_load(&v->owner);
    atomic_store(&v->owner, NULL);
    bool free = !o || ((pthread_equal(o->thread, pthread_self()) || barrier()) && !atomic_load(&o->mark));
    if (!free)
        atomic_store(&v->owner, o);
    pthread_mutex_unlock(&lock);
    return free;
}

static void own(oryx_vcpu *v, pthread_t self)
{
    pthread_mutex_lock(&lock);
    if (!usable)
        usable = registered() ? 1 : -1;
    oryx__owner *o = atomic_load(&v->owners);
    while (o && !pthread_equal(o->thread, self))
        o = o->next;
    if (!o && usable > 0 && (o = oryx__alloc(sizeof(*o)))) {
        o->thread = self;
        o->next = atomic_load(&v->owners);
        atomic_store(&v->owners, o);
    }
    atomic_store(&v->owner, o); /* from the next run on */
    pthread_mutex_unlock(&lock);
}

void oryx__vcpu_owners_free(oryx_vcpu *v)
{
    for (oryx__owner *o = atomic_load(&v->owners), *next; o; o = next) {
        next = o->next;
        oryx__free(o);
    }
}

bool oryx__vcpu_claim(oryx_vcpu *v)
{
    pthread_t self = pthread_self();
    if (atomic_load(&v->owner) && !disown(v))
        return false;
    if (atomic_exchange(&v->running, 1))
        return false;
    if (!pthread_equal(v->last, self)) {
        v->last = self;
        v->in_a_row = 0;
    } else if (POSSIBLE && ++v->in_a_row >= BIASED) {
        v->in_a_row = 0;
        own(v, self);
    }
    return true;
}
