/* IOMMU regions: accesses that a model sends on to another place, usually of another space.
 * Owns: region->iommu_listeners. Called by: address_space.c for bulk, io_access.c through the
 * region ops for a single access, the ABI (oryx_iommu_*).
 * Invariant: nothing is cached of a translation: every access asks, so what the model changes
 * counts from the next access on. A mapping (dma_map.c) outlives it; its owner listens. */
#include "mem_internal.h"

#define MAX_NEST 8u /* IOMMUs behind IOMMUs; more is a loop */

static _Thread_local uint32_t nest;

struct watch {
    oryx_iommu_fn fn;
    void *opaque;
};

oryx_status oryx__iommu_translate(oryx_region *r, uint64_t offset, int write, const oryx__who *who,
                                  oryx_iommu_entry *out, uint64_t *n)
{
    oryx_access a = {.hdr = ORYX_HDR(oryx_access),
                     .offset = offset,
                     .write = (uint32_t)write,
                     .attrs = who->attrs,
                     .requester = who->requester,
                     .mmu_index = who->mmu_index,
                     .vcpu = who->vcpu,
                     .vtime = oryx_machine_vtime(r->machine)};
    *out = (oryx_iommu_entry){.hdr = ORYX_HDR(oryx_iommu_entry)};
    oryx_status st = r->iommu->translate(r->iommu_opaque, &a, out);
    if (st)
        return st;
    if (!out->space || out->space->machine != r->machine)
        return ORYX_FAULT_DECODE;
    if (!(out->prot & (write ? ORYX_PROT_WRITE : ORYX_PROT_READ)))
        return ORYX_FAULT_PROT;
    *n = MIN(*n - 1, out->last) + 1;
    return ORYX_OK;
}

oryx_status oryx__iommu_rw(oryx_region *r, uint64_t offset, uint8_t *buf, uint64_t n, int write,
                           const oryx__who *who)
{
    oryx_status st = nest < MAX_NEST ? ORYX_OK : ORYX_FAULT_DECODE;
    nest++;
    while (n && !st) {
        oryx_iommu_entry to;
        uint64_t k = n;
        st = oryx__iommu_translate(r, offset, write, who, &to, &k);
        if (!st)
            st = oryx__space_rw(to.space, to.addr, buf, k, write, who);
        offset += k;
        buf += k;
        n -= k;
    }
    nest--;
    return st;
}

static oryx_status iommu_access(void *self, oryx_access *a)
{
    oryx__who who = {
        .vcpu = a->vcpu, .attrs = a->attrs, .requester = a->requester, .mmu_index = a->mmu_index};
    uint8_t bytes[8];
    uint64_t v = 0;
    for (uint32_t i = 0; i < a->size; i++)
        bytes[i] = (uint8_t)(a->value >> 8 * i);
    oryx_status st = oryx__iommu_rw(self, a->offset, bytes, a->size, (int)a->write, &who);
    for (uint32_t i = 0; i < a->size; i++)
        v |= (uint64_t)bytes[i] << 8 * i;
    if (!a->write)
        a->value = v;
    return st;
}

static void iommu_destroy(void *self)
{
    (void)self;
}

const oryx_region_ops oryx__iommu_ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "iommu",
    .destroy = iommu_destroy,
    .access = iommu_access,
};

oryx_status oryx_iommu_listen(oryx_region *r, oryx_iommu_fn fn, void *opaque, oryx_error *err)
{
    if (!r || !fn || !r->iommu)
        return oryx__error(err, ORYX_E_INVALID,
                           "iommu_listen: give an iommu region and a function");
    struct watch w = {fn, opaque};
    pthread_mutex_lock(&r->machine->lock);
    if (!r->iommu_listeners)
        r->iommu_listeners = g_array_new(FALSE, FALSE, sizeof(struct watch));
    int ok = g_array_append_val(r->iommu_listeners, w);
    pthread_mutex_unlock(&r->machine->lock);
    return ok ? ORYX_OK : oryx__error(err, ORYX_E_NOMEM, "iommu region '%s': out of memory for a listener", r->name);
}

void oryx_iommu_unlisten(oryx_region *r, oryx_iommu_fn fn, void *opaque)
{
    pthread_mutex_lock(&r->machine->lock);
    for (guint i = 0; r->iommu_listeners && i < r->iommu_listeners->len; i++) {
        const struct watch *w = &g_array_index(r->iommu_listeners, struct watch, i);
        if (w->fn == fn && w->opaque == opaque) {
            g_array_remove_index(r->iommu_listeners, i);
            break;
        }
    }
    pthread_mutex_unlock(&r->machine->lock);
}

void oryx_iommu_unmapped(oryx_region *r, uint64_t first, uint64_t last)
{
    if (!r || first > last)
        return;
    /* Under the (recursive) lock, so that no listener is called after it was taken away. */
    pthread_mutex_lock(&r->machine->lock);
    for (guint i = r->iommu_listeners ? r->iommu_listeners->len : 0; i-- > 0;) {
        struct watch w = {0};
        if (i < r->iommu_listeners->len) /* a listener may take itself away */
            w = g_array_index(r->iommu_listeners, struct watch, i);
        if (w.fn)
            w.fn(w.opaque, r, first, last);
    }
    pthread_mutex_unlock(&r->machine->lock);
}
