/* Guest memory mapped for bulk DMA.
 * Owns: mappings and bounce buffers. Called by: the ABI (oryx_space_map, _unmap).
 * Invariant: memory behind a direct mapping lives until it is unmapped (its region is pinned), and
 * written bytes are made known - code, dirty pages - before unmap returns. */
#include <string.h>

#include "watch.h"

#define BOUNCE_ONE (64u << 10) /* bytes of one buffer */
#define BOUNCE_ALL (4u << 20)  /* of all of a machine at once */
#define MAX_NEST   8u

struct mapping {
    oryx_space *space; /* of the bounced write */
    uint64_t addr;
    oryx__who who;
    oryx_region *region; /* pinned; NULL: bounced */
    uint64_t offset, len;
    int write;
    uint8_t buffer[];
};

/* Follow IOMMUs to the row that holds addr, inside the caller's read section. */
static oryx_status row_at(oryx_space **s, uint64_t *addr, uint64_t *len, int write,
                          const oryx__who *who, const oryx__row **out)
{
    for (uint32_t i = 0; i < MAX_NEST; i++) {
        uint64_t hint = 0;
        const oryx__view *view = atomic_load_explicit(&(*s)->view, memory_order_seq_cst);
        const oryx__row *row = oryx__view_find(view, *addr, &hint);
        if (!row)
            return ORYX_FAULT_DECODE;
        if (!(row->prot & (write ? ORYX_PROT_WRITE : ORYX_PROT_READ)))
            return ORYX_FAULT_PROT;
        *len = MIN(*len - 1, row->last - *addr) + 1;
        *out = row;
        if (!row->region->iommu)
            return ORYX_OK;
        oryx_iommu_entry to;
        oryx_status st = oryx__iommu_translate(row->region, row->offset + (*addr - row->first),
                                               write, who, &to, len);
        if (st)
            return st;
        *s = oryx__space_of(to.space, who->attrs);
        *addr = to.addr;
    }
    return ORYX_FAULT_DECODE;
}

static int is_direct(const oryx__row *row, uint64_t addr, int write)
{
    return row->host && addr <= row->host_last && (row->flags & ORYX_DIRECT_BULK) &&
           (row->dprot & (write ? ORYX_PROT_WRITE : ORYX_PROT_READ));
}

static oryx_status bounce(struct mapping **out, struct oryx__mem *mem, struct mapping head,
                          oryx_error *err)
{
    oryx_status st = ORYX_OK;
    if (atomic_fetch_add(&mem->bounced, head.len) + head.len > BOUNCE_ALL) {
        atomic_fetch_sub(&mem->bounced, head.len);
        return oryx__error(err, ORYX_E_BUSY,
                           "space '%s': bounce buffers are used up; unmap some and try again",
                           head.space->name);
    }
    struct mapping *m = oryx__alloc(sizeof(*m) + head.len);
    if (m) {
        memcpy(m, &head, sizeof(head));
        if (!head.write)
            st = oryx__space_rw(head.space, head.addr, m->buffer, head.len, 0, &head.who);
    } else {
        st = oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory for a bounce buffer",
                         head.space->name);
    }
    if (st) {
        oryx__free(m);
        atomic_fetch_sub(&mem->bounced, head.len);
        return st;
    }
    *out = m;
    return ORYX_OK;
}

oryx_status oryx_space_map(oryx_space *s, uint64_t addr, uint64_t len, uint32_t write,
                           const oryx_initiator *who, oryx_mapping *out, oryx_error *err)
{
    if (!s || !len || !out)
        return oryx__error(err, ORYX_E_INVALID, "space_map: give a space, a length and out");
    struct mapping head = {.write = write != 0, .who = {.attrs = ORYX_ATTR_DMA}};
    if (who && ORYX_HAS(who, requester))
        head.who = (oryx__who){.attrs = who->attrs, .requester = who->requester};
    struct mapping *m = NULL;
    struct oryx__mem *mem = s->machine->mem;
    const oryx__row *row = NULL;
    uint8_t *host = NULL;
    s = oryx__space_of(s, head.who.attrs);
    oryx__api_begin(mem);
    oryx_status st = row_at(&s, &addr, &len, head.write, &head.who, &row);
    head.space = s;
    head.addr = addr;
    if (!st && is_direct(row, addr, head.write)) {
        head.len = MIN(len - 1, row->host_last - addr) + 1;
        head.region = row->region;
        head.offset = row->offset + (addr - row->first);
        host = row->host + (addr - row->first);
        m = oryx__alloc(sizeof(*m));
        if (m) {
            memcpy(m, &head, sizeof(head));
            /* Inside the section: the region cannot be destroyed before it is pinned. */
            atomic_fetch_add(&head.region->pins, 1);
            if (head.write) {
                /* The device writes when it likes: what is there is kept now. */
                atomic_fetch_add(&head.region->write_pins, 1);
                atomic_fetch_add(&mem->write_maps, 1);
                oryx__cow_keep(head.region, head.offset, head.len);
            }
        } else {
            st = oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory for a mapping", s->name);
        }
    } else if (!st) {
        head.len = MIN(len, BOUNCE_ONE);
        st = bounce(&m, mem, head, err);
        host = m ? m->buffer : NULL;
    }
    oryx__api_end(mem);
    if (st)
        return st;
    if (m->region && !m->write)
        oryx__watch_host(s->machine, s, NULL, addr, host, m->len, 0, &m->who);
    out->host = host;
    out->len = m->len;
    out->bounce = !m->region;
    out->core = m;
    return ORYX_OK;
}

oryx_status oryx_space_unmap(oryx_mapping *map, uint64_t done)
{
    struct mapping *m = map ? map->core : NULL;
    oryx_status st = ORYX_OK;
    if (!m)
        return ORYX_E_INVALID;
    done = m->write ? MIN(done, m->len) : 0;
    if (m->region) {
        if (done)
            oryx__region_touch(m->region, m->offset, done);
        if (done)
            oryx__watch_host(m->space->machine, m->space, NULL, m->addr, map->host, done, 1, &m->who);
        if (m->write) {
            atomic_fetch_sub(&m->region->write_pins, 1);
            atomic_fetch_sub(&m->space->machine->mem->write_maps, 1);
        }
        atomic_fetch_sub(&m->region->pins, 1);
    } else {
        if (done)
            st = oryx__space_rw(m->space, m->addr, m->buffer, done, 1, &m->who);
        atomic_fetch_sub(&m->space->machine->mem->bounced, m->len);
    }
    oryx__free(m);
    map->core = map->host = NULL;
    map->len = 0;
    return st;
}
