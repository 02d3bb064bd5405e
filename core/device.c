/* Devices: models made from plugins (interface "oryx.device/1"), their regions in spaces, their
 * interrupt lines.
 * Owns: the device objects of a machine. Called by: the ABI (oryx_device_*), machine.c at the
 * end.
 * Invariant: every region a device placed through oryx_device_map is removed before the model
 * is destroyed. */
#include <string.h>

#include "core.h"

struct oryx_device {
    oryx_machine *machine;
    char *name;
    const oryx_device_ops *ops;
    void *self;
    GPtrArray *mapped; /* regions placed by map */
    pthread_mutex_t
        irq_lock; /* a line may change on a device's own thread while the listener is replaced */
    oryx_irq_fn irq_fn;
    void *irq_opaque;
};

struct oryx__devices {
    GPtrArray *all; /* in creation order */
};

static void device_free(oryx_device *d)
{
    if (d->self)
        d->ops->destroy(d->self);
    if (d->mapped)
        g_ptr_array_free(d->mapped, TRUE);
    pthread_mutex_destroy(&d->irq_lock);
    oryx__free(d->name);
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

static int devices_made(oryx_machine *m)
{
    pthread_mutex_lock(&m->lock);
    if (!m->devices) {
        m->devices = oryx__alloc(sizeof(*m->devices));
        if (m->devices)
            m->devices->all = g_ptr_array_new();
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
    oryx_device *d = oryx__alloc(sizeof(*d));
    if (d) {
        pthread_mutex_init(&d->irq_lock, NULL);
        d->machine = m;
        d->mapped = g_ptr_array_new();
        d->name = oryx__alloc(strlen(name) + 1);
    }
    if (!d || !d->name || !devices_made(m)) {
        st = oryx__error(err, ORYX_E_NOMEM, "device '%s': out of memory", name);
    } else {
        strcpy(d->name, name);
        /* Not under the lock: a model that fails destroys its regions, which waits for running
         * vCPUs. */
        st = device_open(d, cls, options, err);
    }
    if (st && d) {
        d->self = NULL; /* create failed: there is nothing to destroy */
        device_free(d);
    } else if (!st) {
        pthread_mutex_lock(&m->lock);
        g_ptr_array_add(m->devices->all, d);
        pthread_mutex_unlock(&m->lock);
        *out = d;
    }
    return st;
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
    oryx_status st = oryx_region_add_exclusive(oryx_space_root(s), addr, r, err);
    if (!st)
        g_ptr_array_add(d->mapped, r);
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

void oryx_device_destroy(oryx_device *d)
{
    if (!d)
        return;
    oryx_machine *m = d->machine;
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; i < d->mapped->len; i++)
        oryx_region_remove(d->mapped->pdata[i],
                           NULL); /* fails when the embedder removed it already */
    g_ptr_array_remove(m->devices->all, d);
    pthread_mutex_unlock(&m->lock);
    device_free(d);
}

void oryx__devices_destroy(oryx_machine *m)
{
    if (!m->devices)
        return;
    while (m->devices->all->len)
        oryx_device_destroy(m->devices->all->pdata[m->devices->all->len - 1]);
    g_ptr_array_free(m->devices->all, TRUE);
    oryx__free(m->devices);
    m->devices = NULL;
}

void oryx_device_on_irq(oryx_device *d, oryx_irq_fn fn, void *opaque)
{
    pthread_mutex_lock(&d->irq_lock);
    d->irq_fn = fn;
    d->irq_opaque = opaque;
    pthread_mutex_unlock(&d->irq_lock);
}

void oryx_device_set_irq(oryx_device *d, uint32_t line, uint32_t level)
{
    pthread_mutex_lock(&d->irq_lock);
    oryx_irq_fn fn = d->irq_fn;
    void *opaque = d->irq_opaque;
    pthread_mutex_unlock(&d->irq_lock);
    if (fn)
        fn(opaque, line, level);
}

oryx_machine *oryx_device_machine(oryx_device *d)
{
    return d->machine;
}

const char *oryx_device_name(oryx_device *d)
{
    return d->name;
}
