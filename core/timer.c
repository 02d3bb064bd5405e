/* Timeouts: one thread a machine, made by the first run that asks for one, that turns deadlines into vCPU requests.
 *
 * run.c arms before the loop and disarms after. The thread sleeps to the earliest deadline it knew; disarming does not
 * wake it, so a run call with a timeout costs two short lock sections. Invariant: a vCPU is in the list exactly while its
 * deadline_ns is not zero. */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "exec.h"

struct oryx__timer {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    oryx_vcpu *armed;
    uint64_t sleeping_until; /* 0: not asleep; ~0: until woken */
    pid_t pid;               /* a fork leaves the child without the thread */
    bool quit;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *watch(void *arg)
{
    struct oryx__timer *t = arg;
    pthread_mutex_lock(&t->lock);
    while (!t->quit) {
        uint64_t now = now_ns(), first = ~(uint64_t)0;
        for (oryx_vcpu **at = &t->armed; *at;) {
            oryx_vcpu *v = *at;
            if (v->deadline_ns <= now) {
                *at = v->timer_next;
                v->deadline_ns = 0;
                oryx__vcpu_request(v, ORYX__REQ_TIMEOUT);
                continue;
            }
            first = MIN(first, v->deadline_ns);
            at = &v->timer_next;
        }
        t->sleeping_until = first;
        if (first == ~(uint64_t)0) {
            pthread_cond_wait(&t->wake, &t->lock);
        } else {
            struct timespec until = { (time_t)(first / 1000000000u), (long)(first % 1000000000u) };
            pthread_cond_timedwait(&t->wake, &t->lock, &until);
        }
        t->sleeping_until = 0;
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* Start the thread with every signal blocked: the embedder's handlers run on the embedder's threads. */
static oryx_status start(struct oryx__timer *t)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, &attr);
    pthread_condattr_destroy(&attr);
    t->pid = getpid();
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&t->thread, NULL, watch, t);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return failed ? ORYX_E_NOMEM : ORYX_OK;
}

static struct oryx__timer *timer_of(oryx_machine *m)
{
    pthread_mutex_lock(&m->lock);
    struct oryx__timer *t = m->timer;
    if (t && t->pid != getpid()) {
        /* In a forked child: the thread and the state of its lock stayed behind. */
        for (oryx_vcpu *v = t->armed; v; v = v->timer_next)
            v->deadline_ns = 0;
        oryx__free(t);
        t = m->timer = NULL;
    }
    if (!t && (t = oryx__alloc(sizeof(*t)))) {
        if (start(t) == ORYX_OK) {
            m->timer = t;
        } else {
            oryx__free(t);
            t = NULL;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return t;
}

oryx_status oryx__timer_arm(oryx_vcpu *v, uint64_t us)
{
    struct oryx__timer *t = timer_of(v->machine);
    if (!t)
        return ORYX_E_NOMEM;
    uint64_t ns = us < (uint64_t)1 << 50 ? us * 1000 : (uint64_t)1 << 60;
    pthread_mutex_lock(&t->lock);
    v->deadline_ns = now_ns() + ns;
    v->timer_next = t->armed;
    t->armed = v;
    if (t->sleeping_until > v->deadline_ns)
        pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
    return ORYX_OK;
}

void oryx__timer_disarm(oryx_vcpu *v)
{
    struct oryx__timer *t = v->machine->timer;
    if (!t || t->pid != getpid())
        return;
    pthread_mutex_lock(&t->lock);
    if (v->deadline_ns) {
        oryx_vcpu **at = &t->armed;
        while (*at != v)
            at = &(*at)->timer_next;
        *at = v->timer_next;
        v->deadline_ns = 0;
    }
    pthread_mutex_unlock(&t->lock);
}

void oryx__timer_destroy(oryx_machine *m)
{
    struct oryx__timer *t = m->timer;
    if (!t)
        return;
    if (t->pid == getpid()) {
        pthread_mutex_lock(&t->lock);
        t->quit = true;
        pthread_cond_signal(&t->wake);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->thread, NULL);
        pthread_cond_destroy(&t->wake);
        pthread_mutex_destroy(&t->lock);
    }
    oryx__free(t);
    m->timer = NULL;
}
