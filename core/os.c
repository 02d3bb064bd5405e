/* OS personalities of a machine: made from a plugin by class, owned by the machine, one at a time.
 *
 * Tools call it. Invariant: m->os exists exactly while a personality's create has succeeded. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "plugin_host.h"

struct oryx__os {
    oryx_os_ops ops;
    void *self;
};

static oryx_status copy_ops(oryx_os_ops *to, const void *from, const char *cls, oryx_error *err)
{
    const oryx_hdr *hdr = from;
    memset(to, 0, sizeof(*to));
    memcpy(to, from, MIN(hdr->size, sizeof(*to)));
    if (!to->create || !to->destroy || !to->run)
        return oryx__error(err, ORYX_E_PLUGIN, "personality '%s' is refused: create, destroy and run must be set", cls);
    return ORYX_OK;
}

oryx_status oryx_os_new(oryx_machine *m, const char *cls, const oryx_os_config *config, oryx_error *err)
{
    if (!m || !cls || !config)
        return oryx__error(err, ORYX_E_INVALID, "personality: machine, class and config must be given");
    if (m->os)
        return oryx__error(err, ORYX_E_STATE, "the machine has a personality already: make another machine");
    if (err)
        err->code = ORYX_OK;
    const void *ops = oryx_plugin_interface(m, ORYX_OS_ID, cls, err);
    if (!ops)
        return err && err->code ? err->code : ORYX_E_NOTFOUND;
    struct oryx__os *os = oryx__alloc(sizeof(*os));
    if (!os)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for personality '%s'", cls);
    oryx_status s = copy_ops(&os->ops, ops, cls, err);
    if (s == ORYX_OK)
        s = os->ops.create(&oryx__host, m, config, &os->self, err);
    if (s == ORYX_OK)
        m->os = os;
    else
        oryx__free(os);
    return s;
}

oryx_status oryx_os_run(oryx_machine *m, oryx_os_status *status, oryx_error *err)
{
    if (!m || !status || !m->os)
        return oryx__error(err, ORYX_E_STATE, "the machine has no personality: call oryx_os_new first");
    return m->os->ops.run(m->os->self, status, err);
}

oryx_status oryx_os_serve(oryx_machine *m, oryx_vcpu *v, const oryx_exit *exit, oryx_os_status *status)
{
    if (!m || !v || !exit || !status)
        return ORYX_E_INVALID;
    return m->os && m->os->ops.serve ? m->os->ops.serve(m->os->self, v, exit, status) : ORYX_E_NOTFOUND;
}

void oryx__os_destroy(oryx_machine *m)
{
    if (!m->os)
        return;
    m->os->ops.destroy(m->os->self);
    oryx__free(m->os);
    m->os = NULL;
}

static int by_id(const void *a, const void *b)
{
    const oryx_plugin *x = *(oryx_plugin *const *)a, *y = *(oryx_plugin *const *)b;
    int order = strcmp(x->manifest.id, y->manifest.id);
    return order ? order : strcmp(x->path, y->path);
}

/* Ask every class of every plugin that provides a personality; the first that knows the file wins, in the order of ids. */
oryx_status oryx_os_identify(const char *plugin_path, const char *path, char *cls, char *arch, uint32_t cap, oryx_error *err)
{
    if (!path || !cls || !arch || cap < 32)
        return oryx__error(err, ORYX_E_INVALID, "identify: path and two buffers of at least 32 bytes must be given");
    oryx_plugin **list = oryx__plugins_known(plugin_path);
    if (!list)
        return oryx__error(err, ORYX_E_NOMEM, "out of memory while listing plugins");
    size_t n = 0;
    for (oryx_plugin **p = list; *p; p++)
        if (!(*p)->refusal_code)
            list[n++] = *p;
    qsort(list, n, sizeof *list, by_id);
    oryx_error first = { 0 };
    oryx_status s = ORYX_E_NOTFOUND;
    for (size_t i = 0; i < n && s != ORYX_OK; i++) {
        const struct oryx__manifest *mf = &list[i]->manifest; /* of the registry: it stays as it is */
        for (uint32_t k = 0; k < mf->n_provides && s != ORYX_OK; k++) {
            const oryx_os_ops *ops;
            if (strcmp(mf->provides[k].interface, ORYX_OS_ID) != 0 || strlen(mf->provides[k].cls) >= cap)
                continue;
            oryx_error why = { 0 };
            ops = oryx_plugin_static(plugin_path, ORYX_OS_ID, mf->provides[k].cls, &why);
            if (ops && ORYX_HAS(ops, identify) && ops->identify)
                s = ops->identify(path, arch, cap, &why);
            if (s == ORYX_OK)
                g_strlcpy(cls, mf->provides[k].cls, cap);
            else if (why.code && !first.code)
                first = why;
        }
    }
    oryx__free(list);
    if (s == ORYX_OK)
        return s;
    if (first.code)
        return oryx__error(err, first.code, "%s", first.text);
    return oryx__error(err, s, "no personality plugin (%s) is installed: look at 'oryx plugins'", ORYX_OS_ID);
}
