/* IOMMUs of machine descriptions: fixed windows, each for everybody or for one requester. Called by machine_build.c. The
 * table is read by vCPUs and devices and never changes once the region is made. */
#include "machine.h"

typedef struct window {
    uint64_t first, last, to;
    oryx_space *space;
    uint32_t prot, requester;
    bool one; /* for this requester only */
} window;

typedef struct table {
    size_t n;
    window of[];
} table;

static oryx_status translate(void *opaque, const oryx_access *a, oryx_iommu_entry *out)
{
    const table *t = opaque;
    for (size_t i = 0; i < t->n; i++) {
        const window *w = &t->of[i];
        if (a->offset < w->first || a->offset > w->last || (w->one && w->requester != a->requester))
            continue;
        if (!(w->prot & (a->write ? ORYX_PROT_WRITE : ORYX_PROT_READ)))
            return ORYX_FAULT_PROT;
        out->space = w->space;
        out->addr = w->to + (a->offset - w->first);
        out->last = w->last - a->offset;
        out->prot = w->prot;
        return ORYX_OK;
    }
    return ORYX_FAULT_TRANSLATE;
}

static const oryx_iommu_ops ops = { .hdr = ORYX_HDR(oryx_iommu_ops), .translate = translate };

static bool window_of(machine_build *b, struct json_object *o, const char *pointer, window *w, uint64_t size)
{
    const char *in = machine_string(o, "in", "system"), *prot = machine_string(o, "prot", "rw");
    uint64_t bytes = 0, requester = 0;
    w->space = oryx_space_get(b->machine, in);
    if (!w->space)
        return machine_wrong(b->file, pointer, "there is no space '%s'", in);
    if (!machine_member_number(b, o, pointer, "addr", &w->first) || !machine_member_number(b, o, pointer, "size", &bytes) ||
        !machine_member_number(b, o, pointer, "to", &w->to) || !machine_member_number(b, o, pointer, "requester", &requester))
        return false;
    if (!bytes || w->first >= size || bytes > size - w->first)
        return machine_wrong(b->file, pointer, "the window is empty or reaches beyond the region's size");
    if (w->to + (bytes - 1) < w->to || requester > UINT32_MAX)
        return machine_wrong(b->file, pointer, "\"to\" wraps round, or \"requester\" is more than 32 bits");
    w->last = w->first + (bytes - 1);
    w->prot = (strchr(prot, 'r') ? ORYX_PROT_READ : 0) | (strchr(prot, 'w') ? ORYX_PROT_WRITE : 0);
    w->requester = (uint32_t)requester;
    w->one = json_object_object_get_ex(o, "requester", NULL);
    return true;
}

bool machine_windows(machine_build *b, struct json_object *o, const char *pointer, oryx_region_config *c)
{
    struct json_object *list = machine_list(o, "windows");
    size_t n = machine_length(list);
    uint64_t size = machine_number(o, "size", 0);
    table *t = g_malloc0(sizeof *t + n * sizeof t->of[0]);
    g_ptr_array_add(b->iommus, t);
    t->n = n;
    for (size_t i = 0; i < n; i++) {
        char *p = g_strdup_printf("%s/windows/%zu", pointer, i);
        bool ok = window_of(b, json_object_array_get_idx(list, i), p, &t->of[i], size);
        g_free(p);
        if (!ok)
            return false;
    }
    c->iommu = &ops;
    c->opaque = t;
    return true;
}
