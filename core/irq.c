/* Interrupt lines of a vCPU, waiting for them, and the vCPU as a device that other devices are wired to.
 *
 * Devices and embedders drive lines on any thread; the run loop (run.c) asks the frontend between blocks while one is high.
 * A vCPU that waits either skips virtual time to the next alarm, when no other one runs, or sleeps on its semaphore.
 * Invariant: who changes a line or a request and then finds `asleep` set posts; who sets `asleep` then looks at both, so
 * no wake-up is lost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec.h"

void oryx__vcpu_wake(oryx_vcpu *v)
{
    if (atomic_load(&v->asleep))
        sem_post(&v->wake);
}

static uint32_t count(const char *const *names)
{
    uint32_t n = 0;
    while (names && names[n])
        n++;
    return n;
}

oryx_status oryx_vcpu_irq(oryx_vcpu *v, uint32_t line, uint32_t level)
{
    if (!v)
        return ORYX_E_INVALID;
    if (line >= count(v->machine->arch->irqs))
        return ORYX_E_RANGE;
    uint64_t bit = (uint64_t)1 << line;
    if (!level) {
        __atomic_fetch_and(&v->cpu->irq, ~bit, __ATOMIC_SEQ_CST);
    } else if (!(__atomic_fetch_or(&v->cpu->irq, bit, __ATOMIC_SEQ_CST) & bit)) {
        __atomic_store_n(&v->cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
        oryx__vcpu_wake(v);
    }
    return ORYX_OK;
}

oryx_vcpu *oryx_machine_vcpu(oryx_machine *m, uint32_t i)
{
    return m && i < m->vcpus->len ? g_ptr_array_index(m->vcpus, i) : NULL;
}

/* --- waiting ---------------------------------------------------------------------------------------------------------- */
static bool due(oryx_vcpu *v)
{
    return __atomic_load_n(&v->cpu->irq, __ATOMIC_SEQ_CST) || atomic_load(&v->requests);
}

/* Every vCPU inside run waits. */
static bool all_wait(oryx_machine *m)
{
    uint32_t running = 0;
    pthread_mutex_lock(&m->tbs->lock);
    for (guint i = 0; i < m->vcpus->len; i++)
        running += oryx__vcpu_running(m->vcpus->pdata[i]);
    pthread_mutex_unlock(&m->tbs->lock);
    return atomic_load(&m->n_waiting) == running;
}

/* Sleep until something is due or another vCPU has news. alone: the others wait too, which was looked at before. */
static void nap(oryx_vcpu *v, bool alone)
{
    oryx_machine *m = v->machine;
    atomic_store(&v->asleep, 1);
    if (!due(v) && alone == all_wait(m))
        while (sem_wait(&v->wake) && errno == EINTR && !due(v))
            ;
    atomic_store(&v->asleep, 0);
    while (!sem_trywait(&v->wake))
        ;
}

static void wake_others(oryx_machine *m, const oryx_vcpu *v)
{
    pthread_mutex_lock(&m->tbs->lock);
    for (guint i = 0; i < m->vcpus->len; i++)
        if (m->vcpus->pdata[i] != v)
            oryx__vcpu_wake(m->vcpus->pdata[i]);
    pthread_mutex_unlock(&m->tbs->lock);
}

bool oryx__vcpu_wait(oryx_vcpu *v, uint64_t left, bool sleep)
{
    oryx_machine *m = v->machine;
    bool more = true;
    atomic_fetch_add(&m->n_waiting, 1);
    while (left && !due(v)) {
        bool alone = all_wait(m);
        if (alone) {
            if (oryx_machine_skip(m) == ORYX_OK)
                continue;
            if (!sleep) {
                more = false;
                break;
            }
        }
        nap(v, alone);
    }
    atomic_fetch_sub(&m->n_waiting, 1);
    return more;
}

void oryx__vcpu_left(oryx_machine *m, const oryx_vcpu *v)
{
    atomic_thread_fence(memory_order_seq_cst); /* it runs no more, then: does somebody wait? The waiter asks the other way round. */
    if (atomic_load(&m->n_waiting))
        wake_others(m, v);
}

/* --- the vCPU as a device --------------------------------------------------------------------------------------------- */
static void dev_irq_in(void *self, uint32_t n, uint32_t level)
{
    oryx_vcpu_irq(self, n, level);
}

/* On the thread of any vCPU: the alarm's owner serves it at the top of its own loop. */
static void dev_alarm(void *self, uint64_t now)
{
    (void)now;
    oryx__vcpu_request(self, ORYX__REQ_ALARM);
}

void oryx__vcpu_alarm(oryx_vcpu *v)
{
    if (v->machine->arch->alarm)
        v->machine->arch->alarm(v->cpu, oryx_machine_vtime(v->machine));
}

static void dev_destroy(void *self)
{
    (void)self;
}

static oryx_status dev_save(void *self, char **json, oryx_error *err)
{
    oryx_vcpu *v = self;
    char text[48];
    snprintf(text, sizeof(text), "{\"lines\": %llu}",
             (unsigned long long)__atomic_load_n(&v->cpu->irq, __ATOMIC_SEQ_CST));
    *json = strdup(text);
    return *json ? ORYX_OK : oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", oryx_device_name(v->device));
}

static oryx_status dev_load(void *self, const char *json, oryx_error *err)
{
    oryx_vcpu *v = self;
    const char *at = strstr(json, "\"lines\":");
    if (!at)
        return oryx__error(err, ORYX_E_FORMAT, "device '%s': its state has no \"lines\"; use what save gave",
                           oryx_device_name(v->device));
    __atomic_store_n(&v->cpu->irq, strtoull(at + 8, NULL, 10), __ATOMIC_SEQ_CST);
    return ORYX_OK;
}

static const oryx_device_ops vcpu_ops = {
    .hdr = ORYX_HDR(oryx_device_ops), .name = "vcpu", .destroy = dev_destroy, .save = dev_save, .load = dev_load,
    .irq_in = dev_irq_in, .alarm = dev_alarm,
};

oryx_device *oryx_vcpu_device(oryx_vcpu *v)
{
    if (!v || (!v->machine->arch->irqs && !v->machine->arch->irq_outs))
        return NULL;
    oryx_machine *m = v->machine;
    pthread_mutex_lock(&m->lock);
    guint n = 0;
    while (n < m->vcpus->len && m->vcpus->pdata[n] != v)
        n++;
    char name[16];
    snprintf(name, sizeof(name), "cpu%u", n);
    if (!v->device)
        oryx__device_builtin(m, name, &vcpu_ops, v, &v->device);
    pthread_mutex_unlock(&m->lock);
    return v->device;
}
