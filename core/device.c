/* Devices: models made from plugins (interface "oryx.device/1"), their regions in spaces, their
 * interrupt lines, wires between them, alarms in virtual time and DMA.
 * Owns: the device objects and wires of a machine. Called by: the ABI (oryx_device_*), run.c for
 * alarms, machine.c at the end.
 * Invariant: when a model is destroyed none of its regions is mapped, no wire leads to it and no
 * thread is inside one of its callbacks.
 *
 * No lock is held while a model or a listener is called, so they may take their own locks and call
 * back. What keeps a device alive then is its count of calls. */
#include <sched.h>
#include <string.h>

#include "exec.h"
#include "device_internal.h"

static void device_free(oryx_device *d)
{
    if (d->self)
        d->ops->destroy(d->self);
    if (d->mapped)
        g_ptr_array_free(d->mapped, TRUE);
    if (d->inputs)
        g_ptr_array_free(d->inputs, TRUE);
    if (d->outputs)
        g_hash_table_destroy(d->outputs);
    oryx__free(d->name);
    oryx__free(d->cls);
    oryx__free(d);
}

static oryx_status device_open(oryx_device *d, const char *cls, const char *options,
                               oryx_error *err)
{
    if (err)
        err->code = ORYX_OK;
    d->ops = oryx_plugin_interface(d->machine, ORYX_DEVICE_ID, cls, err);
    if (!d->ops)
        return err && err->code ? err->code
                                : oryx__error(err, ORYX_E_NOTFOUND,
                                              "device '%s': no plugin provides device class '%s'; "
                                              "put one on the plugin path",
                                              d->name, cls);
    if (!ORYX_HAS(d->ops, region) || !d->ops->create || !d->ops->destroy)
        return oryx__error(err, ORYX_E_PLUGIN,
                           "device '%s': the model '%s' lacks create or destroy; update the plugin",
                           d->name, cls);
    return d->ops->create(&oryx__host, d, options ? options : "{}", &d->self, err);
}

/* The object without its model; NULL: out of memory. */
static oryx_device *device_alloc(oryx_machine *m, const char *name, const char *cls)
{
    oryx_device *d = oryx__alloc(sizeof(*d));
    if (d) {
        d->name = oryx__alloc(strlen(name) + 1);
        d->cls = oryx__alloc(strlen(cls) + 1);
    }
    if (!d || !d->name || !d->cls) {
        if (d) {
            oryx__free(d->name);
            oryx__free(d->cls);
        }
        oryx__free(d);
        return NULL;
    }
    strcpy(d->name, name);
    strcpy(d->cls, cls);
    d->machine = m;
    atomic_init(&d->alarm, ~(uint64_t)0);
    atomic_init(&d->space, oryx_space_get(m, "system"));
    d->mapped = g_ptr_array_new();
    d->inputs = g_ptr_array_new_with_free_func(g_free);
    d->outputs = g_hash_table_new(NULL, NULL);
    if (d->mapped && d->inputs && d->outputs)
        return d;
    device_free(d);
    return NULL;
}

/* With the lock. 0: out of memory. */
static int device_list(oryx_device *d)
{
    oryx_machine *m = d->machine;
    d->serial = ++m->serials;
    m->devices->version++;
    return g_ptr_array_add(m->devices->all, d);
}

static int devices_made(oryx_machine *m)
{
    pthread_mutex_lock(&m->lock);
    if (!m->devices) {
        m->devices = oryx__alloc(sizeof(*m->devices));
        if (m->devices) {
            m->devices->all = g_ptr_array_new();
            m->devices->wires = g_ptr_array_new();
            pthread_mutex_init(&m->devices->lock, NULL);
        }
        if (m->devices && (!m->devices->all || !m->devices->wires)) {
            g_ptr_array_free(m->devices->all, TRUE);
            g_ptr_array_free(m->devices->wires, TRUE);
            oryx__free(m->devices);
            m->devices = NULL;
        }
    }
    pthread_mutex_unlock(&m->lock);
    return m->devices != NULL;
}

oryx_status oryx_device_new(oryx_machine *m, const char *cls, const char *name, const char *options,
                            oryx_device **out, oryx_error *err)
{
    if (!m || !cls || !out)
        return oryx__error(err, ORYX_E_INVALID,
                           "device_new: machine, class and out must not be NULL");
    *out = NULL;
    name = name ? name : cls;
    oryx_status st = ORYX_OK;
    oryx_device *d = device_alloc(m, name, cls);
    int ok = d && devices_made(m);
    if (!ok) {
        st = oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", name);
    } else {
        /* Not under the lock: a model that fails destroys its regions, which waits for running
         * vCPUs. */
        st = device_open(d, cls, options, err);
    }
    if (st && d) {
        d->self = NULL; /* create failed: there is nothing to destroy */
        device_free(d);
    } else if (!st) {
        pthread_mutex_lock(&m->lock);
        ok = device_list(d);
        pthread_mutex_unlock(&m->lock);
        if (ok) {
            *out = d;
        } else {
            device_free(d);
            st = oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", name);
        }
    }
    return st;
}

oryx_status oryx__device_builtin(oryx_machine *m, const char *name, const oryx_device_ops *ops,
                                 void *self, oryx_device **out)
{
    oryx_device *d = devices_made(m) ? device_alloc(m, name, ops->name) : NULL;
    int ok = d != NULL;
    if (ok) {
        pthread_mutex_lock(&m->lock);
        ok = device_list(d);
        pthread_mutex_unlock(&m->lock);
    }
    if (!ok) {
        if (d)
            device_free(d); /* without a self there is nothing of the model's */
        return ORYX_E_NOMEM;
    }
    d->ops = ops;
    d->self = self;
    *out = d;
    return ORYX_OK;
}

oryx_status oryx_device_map(oryx_device *d, uint32_t n, oryx_space *s, uint64_t addr,
                            oryx_error *err)
{
    if (!d || !s)
        return oryx__error(err, ORYX_E_INVALID, "device_map: device and space must not be NULL");
    oryx_region *r = d->ops->region ? d->ops->region(d->self, n) : NULL;
    if (!r)
        return oryx__error(err, ORYX_E_NOTFOUND, "device '%s' has no region number %u", d->name, n);
    pthread_mutex_lock(&d->machine->lock);
    oryx_status st = g_ptr_array_add(d->mapped, r)
                         ? oryx_region_add_exclusive(oryx_space_root(s), addr, r, err)
                         : oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", d->name);
    if (st && d->mapped->len && d->mapped->pdata[d->mapped->len - 1] == r)
        g_ptr_array_remove_index(d->mapped, d->mapped->len - 1);
    pthread_mutex_unlock(&d->machine->lock);
    return st;
}

oryx_status oryx_device_reset(oryx_device *d)
{
    return d->ops->reset ? d->ops->reset(d->self) : ORYX_OK;
}

oryx_status oryx_device_save(oryx_device *d, char **json, oryx_error *err)
{
    *json = NULL;
    if (!ORYX_HAS(d->ops, save) || !d->ops->save)
        return oryx__error(err, ORYX_E_UNSUPPORTED, "device '%s': its model cannot save its state",
                           d->name);
    return d->ops->save(d->self, json, err);
}

oryx_status oryx_device_load(oryx_device *d, const char *json, oryx_error *err)
{
    if (!ORYX_HAS(d->ops, load) || !d->ops->load)
        return oryx__error(err, ORYX_E_UNSUPPORTED, "device '%s': its model cannot load a state",
                           d->name);
    return d->ops->load(d->self, json, err);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* The input, made when it is new; NULL: out of memory. Under devices->lock. */
struct input *oryx__input_of(oryx_device *d, uint32_t line)
{
    for (guint i = 0; i < d->inputs->len; i++)
        if (((struct input *)d->inputs->pdata[i])->line == line)
            return d->inputs->pdata[i];
    struct input *in = g_new0(struct input, 1);
    if (in)
        in->line = line;
    if (in && !g_ptr_array_add(d->inputs, in)) {
        g_free(in);
        in = NULL;
    }
    return in;
}

/* A source of `in` changed. Held: devices->lock, given up while the model is called. A thread that
 * finds another one telling leaves the news to it. */
static void input_tell(oryx_device *d, struct input *in)
{
    pthread_mutex_t *lock = &d->machine->devices->lock;
    if (in->telling) {
        in->rose |= in->high || in->outside;
        return;
    }
    in->telling = 1;
    for (;;) {
        uint32_t level = in->high || in->outside;
        if (in->rose && !in->told)
            level = 1;
        if (level)
            in->rose = 0;
        if (level == in->told)
            break;
        in->told = level;
        atomic_fetch_add(&d->calls, 1);
        pthread_mutex_unlock(lock);
        d->ops->irq_in(d->self, in->line, level);
        pthread_mutex_lock(lock);
        atomic_fetch_sub(&d->calls, 1);
    }
    in->telling = 0;
}

static int hears(const oryx_device *d)
{
    return ORYX_HAS(d->ops, irq_in) && d->ops->irq_in;
}

static oryx_status no_inputs(const oryx_device *d, oryx_error *err)
{
    return oryx__error(err, ORYX_E_UNSUPPORTED,
                       "device '%s': its model '%s' has no input lines; wire to another device",
                       d->name, d->ops->name);
}

oryx_status oryx_device_irq(oryx_device *d, uint32_t line, uint32_t level)
{
    if (!d)
        return ORYX_E_INVALID;
    if (!hears(d))
        return no_inputs(d, NULL);
    pthread_mutex_t *lock = &d->machine->devices->lock;
    pthread_mutex_lock(lock);
    struct input *in = oryx__input_of(d, line);
    if (in) {
        in->outside = !!level;
        input_tell(d, in);
    }
    pthread_mutex_unlock(lock);
    return in ? ORYX_OK : ORYX_E_NOMEM;
}

static void wire_level(struct wire *w, uint32_t level)
{
    if (w->level == level)
        return;
    w->level = level;
    w->in->high += level ? 1 : (uint32_t)-1;
    input_tell(w->to, w->in);
}

uint32_t oryx__output(const oryx_device *d, uint32_t line)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(d->outputs, GUINT_TO_POINTER(line)));
}

void oryx__output_set(oryx_device *d, uint32_t line, uint32_t bits)
{
    g_hash_table_insert(d->outputs, GUINT_TO_POINTER(line), GUINT_TO_POINTER(bits));
}

/* List and level may change while a model is called: begin again then. Wires that have the level
 * are passed over. */
void oryx__wires_tell(struct oryx__devices *all, oryx_device *d, uint32_t line)
{
    for (guint i = 0; i < all->wires->len; i++) {
        struct wire *w = all->wires->pdata[i];
        if (w->from == d && w->line == line && w->level != (oryx__output(d, line) & ORYX__OUT_LEVEL)) {
            wire_level(w, oryx__output(d, line) & ORYX__OUT_LEVEL);
            i = (guint)-1;
        }
    }
}

void oryx_device_set_irq(oryx_device *d, uint32_t line, uint32_t level)
{
    struct oryx__devices *all = d->machine->devices;
    pthread_mutex_lock(&all->lock);
    oryx__output_set(d, line, (oryx__output(d, line) & ORYX__OUT_HEARD) | !!level);
    if (!all->frozen) {
        oryx__wires_tell(all, d, line);
        oryx__output_tell(d, line);
    }
    pthread_mutex_unlock(&all->lock);
}

void oryx__output_tell(oryx_device *d, uint32_t line)
{
    struct oryx__devices *all = d->machine->devices;
    uint32_t now;
    /* Who is called may change the line; what it leaves behind is told by this loop or its own. */
    while ((now = oryx__output(d, line) & ORYX__OUT_LEVEL) != !!(oryx__output(d, line) & ORYX__OUT_HEARD)) {
        oryx__output_set(d, line, now ? ORYX__OUT_LEVEL | ORYX__OUT_HEARD : 0);
        oryx_irq_fn fn = d->irq_fn;
        void *opaque = d->irq_opaque;
        pthread_mutex_unlock(&all->lock);
        if (fn)
            fn(opaque, line, now);
        pthread_mutex_lock(&all->lock);
    }
}

static struct wire *wire_find(struct oryx__devices *all, oryx_device *from, uint32_t line,
                              oryx_device *to, uint32_t input)
{
    for (guint i = 0; i < all->wires->len; i++) {
        struct wire *w = all->wires->pdata[i];
        if (w->from == from && w->line == line && w->to == to && w->in->line == input)
            return w;
    }
    return NULL;
}

/* Is there no such line? `at`: of the member that says how many there are. */
static int too_many(const oryx_device *d, uint32_t line, size_t at, const char *what, oryx_error *err)
{
    uint32_t n = 0;
    if (at + sizeof(n) <= d->ops->hdr.size)
        memcpy(&n, (const char *)d->ops + at, sizeof(n));
    if (!n || line < n)
        return 0;
    oryx__error(err, ORYX_E_RANGE, "device '%s' has %u %s line%s, from 0; there is no %u", d->name, n, what, n == 1 ? "" : "s",
                line);
    return 1;
}

oryx_status oryx_device_connect(oryx_device *from, uint32_t line, oryx_device *to, uint32_t input,
                                oryx_error *err)
{
    if (!from || !to || from->machine != to->machine)
        return oryx__error(err, ORYX_E_INVALID,
                           "device_connect: give two devices of the same machine");
    if (!hears(to))
        return no_inputs(to, err);
    if (too_many(from, line, offsetof(oryx_device_ops, outputs), "output", err) ||
        too_many(to, input, offsetof(oryx_device_ops, inputs), "input", err))
        return ORYX_E_RANGE;
    struct oryx__devices *all = from->machine->devices;
    struct wire *w = oryx__alloc(sizeof(*w));
    if (!w)
        return oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", from->name);
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&all->lock);
    if (wire_find(all, from, line, to, input)) {
        st = oryx__error(err, ORYX_E_EXISTS,
                         "line %u of device '%s' is wired to input %u of '%s' already", line,
                         from->name, input, to->name);
        oryx__free(w);
    } else {
        *w = (struct wire){.from = from, .to = to, .line = line, .in = oryx__input_of(to, input)};
        if (!w->in || !g_ptr_array_add(all->wires, w)) {
            st = oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", from->name);
            oryx__free(w);
        } else {
            all->version++;
            wire_level(w, oryx__output(from, line) & ORYX__OUT_LEVEL);
        }
    }
    pthread_mutex_unlock(&all->lock);
    return st;
}

/* Under devices->lock. */
static void wire_cut(struct oryx__devices *all, struct wire *w)
{
    oryx_device *to = w->to;
    struct input *in = w->in;
    in->high -= w->level;
    all->version++;
    g_ptr_array_remove(all->wires, w);
    oryx__free(w);
    input_tell(to, in);
}

oryx_status oryx_device_disconnect(oryx_device *from, uint32_t line, oryx_device *to,
                                   uint32_t input, oryx_error *err)
{
    if (!from || !to || from->machine != to->machine)
        return oryx__error(err, ORYX_E_INVALID,
                           "device_disconnect: give two devices of the same machine");
    struct oryx__devices *all = from->machine->devices;
    pthread_mutex_lock(&all->lock);
    struct wire *w = wire_find(all, from, line, to, input);
    oryx_status st = w ? ORYX_OK
                       : oryx__error(err, ORYX_E_NOTFOUND,
                                     "line %u of device '%s' is not wired to input %u of '%s'",
                                     line, from->name, input, to->name);
    if (w)
        wire_cut(all, w);
    pthread_mutex_unlock(&all->lock);
    return st;
}

void oryx_device_on_irq(oryx_device *d, oryx_irq_fn fn, void *opaque)
{
    pthread_mutex_lock(&d->machine->devices->lock);
    d->irq_fn = fn;
    d->irq_opaque = opaque;
    pthread_mutex_unlock(&d->machine->devices->lock);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* Wires of d go: the ones that lead to it first, so that it hears nothing any more. */
static void wires_cut(oryx_device *d)
{
    struct oryx__devices *all = d->machine->devices;
    pthread_mutex_lock(&all->lock);
    for (guint i = 0; i < all->wires->len;) {
        struct wire *w = all->wires->pdata[i];
        if (w->to == d) {
            g_ptr_array_remove_index(all->wires, i);
            oryx__free(w);
        } else if (w->from == d) {
            wire_cut(all, w); /* gives the lock up: from the start */
            i = 0;
        } else {
            i++;
        }
    }
    pthread_mutex_unlock(&all->lock);
}

oryx_status oryx_device_unmap(oryx_device *d, oryx_error *err)
{
    if (!d)
        return oryx__error(err, ORYX_E_INVALID, "device_unmap: device must not be NULL");
    oryx_machine *m = d->machine;
    pthread_mutex_lock(&m->lock);
    oryx_txn_begin(m);
    for (guint i = 0; i < d->mapped->len; i++)
        oryx_region_remove(d->mapped->pdata[i],
                           NULL); /* fails when the embedder removed it already */
    oryx_status st = oryx_txn_commit(m, err);
    if (!st)
        g_ptr_array_set_size(d->mapped, 0);
    pthread_mutex_unlock(&m->lock);
    return st;
}

void oryx_device_destroy(oryx_device *d)
{
    if (!d)
        return;
    oryx_machine *m = d->machine;
    oryx_device_unmap(d, NULL);
    pthread_mutex_lock(&m->lock);
    g_ptr_array_remove(m->devices->all, d);
    m->devices->version++;
    pthread_mutex_unlock(&m->lock);
    wires_cut(d);
    /* A vCPU may be inside a callback of the model, or hold its old view: not under the lock, which
     * it may be waiting for. */
    oryx__mem_synchronize(m);
    /* With the lock: who leaves a call may still be busy with the input until it gives that up. */
    pthread_mutex_lock(&m->devices->lock);
    while (atomic_load(&d->calls)) {
        pthread_mutex_unlock(&m->devices->lock);
        sched_yield();
        pthread_mutex_lock(&m->devices->lock);
    }
    pthread_mutex_unlock(&m->devices->lock);
    device_free(d);
}

void oryx__devices_destroy(oryx_machine *m)
{
    if (!m->devices)
        return;
    for (guint i = 0; i < m->vcpus->len; i++)
        ((oryx_vcpu *)m->vcpus->pdata[i])->device = NULL; /* they go here */
    while (m->devices->all->len)
        oryx_device_destroy(m->devices->all->pdata[m->devices->all->len - 1]);
    g_ptr_array_free(m->devices->all, TRUE);
    g_ptr_array_free(m->devices->wires, TRUE);
    pthread_mutex_destroy(&m->devices->lock);
    oryx__free(m->devices);
    m->devices = NULL;
}

/* --- alarms ----------------------------------------------------------------------------------- */

static void next_alarm_lower(oryx_machine *m, uint64_t when)
{
    uint64_t next = atomic_load(&m->next_alarm);
    while (when < next && !atomic_compare_exchange_weak(&m->next_alarm, &next, when))
        ;
}

void oryx_device_alarm(oryx_device *d, uint64_t when)
{
    oryx_machine *m = d->machine;
    atomic_store(&d->alarm, when);
    if (when >= atomic_load(&m->next_alarm))
        return; /* an earlier one makes the vCPU look again; one that went away costs a look */
    next_alarm_lower(m, when);
    /* Kick without a request: the next block entry leaves, and the loop takes a shorter budget. */
    for (guint i = 0; i < m->vcpus->len; i++)
        __atomic_store_n(&((oryx_vcpu *)m->vcpus->pdata[i])->cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
}

void oryx__devices_alarm(oryx_machine *m, uint64_t now)
{
    /* Reset, then ring, then look who is left: one that is set meanwhile lowers it by itself. */
    atomic_store(&m->next_alarm, ~(uint64_t)0);
    for (guint i = 0;; i++) {
        pthread_mutex_lock(&m->lock);
        oryx_device *d = m->devices && i < m->devices->all->len ? m->devices->all->pdata[i] : NULL;
        uint64_t when = d ? atomic_load(&d->alarm) : 0;
        int due =
            d && when <= now && atomic_compare_exchange_strong(&d->alarm, &when, ~(uint64_t)0);
        if (due)
            atomic_fetch_add(&d->calls, 1);
        pthread_mutex_unlock(&m->lock);
        if (!d)
            break;
        if (due) {
            if (ORYX_HAS(d->ops, alarm) && d->ops->alarm)
                d->ops->alarm(d->self, now);
            atomic_fetch_sub(&d->calls, 1);
        }
    }
    oryx__alarms_look(m);
}

void oryx__alarms_look(oryx_machine *m)
{
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; m->devices && i < m->devices->all->len; i++)
        next_alarm_lower(m, atomic_load(&((oryx_device *)m->devices->all->pdata[i])->alarm));
    pthread_mutex_unlock(&m->lock);
}

oryx_status oryx_machine_skip(oryx_machine *m)
{
    if (!m)
        return ORYX_E_INVALID;
    uint64_t when = atomic_load(&m->next_alarm), now = oryx_machine_vtime(m);
    if (when == ~(uint64_t)0)
        return ORYX_E_NOTFOUND;
    if (when > now)
        atomic_fetch_add(&m->skipped, when - now);
    oryx__devices_alarm(m, MAX(when, now));
    return ORYX_OK;
}

void oryx_machine_advance(oryx_machine *m, uint64_t ns)
{
    atomic_fetch_add(&m->skipped, ns);
    /* Budgets were given out before: whoever runs asks for the next alarm again. */
    if (atomic_load(&m->next_alarm) == ~(uint64_t)0)
        return;
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (oryx__vcpu_running(v))
            oryx__vcpu_request(v, 0);
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

void oryx_device_set_space(oryx_device *d, oryx_space *s)
{
    atomic_store(&d->space, s ? s : oryx_space_get(d->machine, "system"));
}

oryx_status oryx_device_set_initiator(oryx_device *d, const oryx_initiator *who)
{
    if (!d || !who || !ORYX_HAS(who, requester))
        return ORYX_E_INVALID;
    atomic_store(&d->attrs, who->attrs & (ORYX_ATTR_SECURE | ORYX_ATTR_USER));
    atomic_store(&d->requester, who->requester);
    return ORYX_OK;
}

oryx_status oryx_device_read(oryx_device *d, uint64_t addr, void *buf, uint64_t size)
{
    oryx__who who = {.attrs = ORYX_ATTR_DMA | atomic_load(&d->attrs), .requester = atomic_load(&d->requester)};
    return oryx__space_rw(atomic_load(&d->space), addr, buf, size, 0, &who);
}

oryx_status oryx_device_write(oryx_device *d, uint64_t addr, const void *buf, uint64_t size)
{
    oryx__who who = {.attrs = ORYX_ATTR_DMA | atomic_load(&d->attrs), .requester = atomic_load(&d->requester)};
    return oryx__space_rw(atomic_load(&d->space), addr, (uint8_t *)(uintptr_t)buf, size, 1, &who);
}

/* --- names ------------------------------------------------------------------------------------ */

oryx_device *oryx_device_find(oryx_machine *m, const char *name)
{
    oryx_device *found = NULL;
    if (!m || !name)
        return NULL;
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; m->devices && i < m->devices->all->len && !found; i++)
        if (!strcmp(((oryx_device *)m->devices->all->pdata[i])->name, name))
            found = m->devices->all->pdata[i];
    pthread_mutex_unlock(&m->lock);
    return found;
}

oryx_region *oryx_device_region(oryx_device *d, uint32_t n)
{
    return d && d->ops->region ? d->ops->region(d->self, n) : NULL;
}

oryx_machine *oryx_device_machine(oryx_device *d)
{
    return d->machine;
}

const char *oryx_device_name(oryx_device *d)
{
    return d->name;
}
