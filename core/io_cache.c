/* Device accesses of vCPUs by record: see io_cache.h.
 * Owns: struct oryx__io_table. Called by: access.c between the translation caches and the walk; tlb.c for life and flushes.
 * Invariant: an access by a record does what the walk would have done: the same callback with the same numbers, or one
 * host access of the same width; code and dirty marks are looked at on every write.
 *
 * A callback may change anything, this record and its region's place included, so nothing is read from a record after the
 * call. The region itself stays: nobody can destroy it while v->io_depth is set. */
#include "io_cache.h"
#include "monitor.h"

/* What a vCPU without records has: nothing in it is ever a hit, or changed. */
static struct oryx__io_table none;

/* The device refused a read: the policy's value, or the guest's fault. */
__attribute__((noinline, cold)) oryx_status oryx__io_load_refused(oryx_vcpu *v, uint64_t addr, uint64_t phys, uint32_t memop,
                                                                  oryx_status st, oryx_v128 *out)
{
    out->hi = 0;
    return oryx__io_refused(v, addr, phys, 1u << ORYX_MO_SIZE(memop), st, &out->lo);
}

static int marked(oryx_vcpu *v, const _Atomic uint32_t *filter)
{
    return atomic_load_explicit(&v->machine->mem->code_all, memory_order_relaxed) ||
           atomic_load_explicit(filter, memory_order_seq_cst);
}

int oryx__io_store(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, uint64_t val, oryx_status *st)
{
    const _Atomic uint32_t *filter = &v->machine->mem->filter[e->filter];
    if (__builtin_expect(marked(v, filter), 0))
        return 0;
    oryx_region *r = e->region;
    uint32_t log = ORYX_MO_SIZE(memop), flags = e->flags;
    uint64_t offset = e->offset + (addr & ORYX__PAGE_MASK), phys = e->phys;
    uint64_t x = oryx__io_cut(val, log);
    x = flags & ORYX__IO_TURN ? oryx__io_turn(x, log) : x;
    if (__builtin_expect(atomic_load_explicit(&r->cow, memory_order_acquire) != NULL, 0))
        oryx__cow_keep(r, offset, 1u << log);
    if (e->access) {
        *st = oryx__io_call(v, e, addr, memop, 1, &x);
    } else {
        if (atomic_load_explicit(&v->machine->mem->monitors, memory_order_relaxed))
            oryx__monitor_store(v->cpu, (uint8_t *)e->to + (addr & ORYX__PAGE_MASK), 1u << log);
        oryx__store8((uint8_t *)e->to + (addr & ORYX__PAGE_MASK), 1u << log, x);
        *st = ORYX_OK;
    }
    oryx__dirty_mark(r, offset, 1u << log);
    if (flags & ORYX__IO_FENCE)
        atomic_thread_fence(memory_order_seq_cst);
    /* As touch_again() in access.c: another vCPU may have begun to translate there meanwhile. */
    if (v->machine->vcpus->len > 1) {
        atomic_thread_fence(memory_order_seq_cst);
        if (marked(v, filter))
            oryx__region_touch(r, offset, 1u << log);
    }
    if (__builtin_expect(*st != ORYX_OK, 0))
        *st = oryx__io_refused(v, addr, phys, 1u << log, *st, NULL);
    return 1;
}

/* --- making records --------------------------------------------------------------------------- */

/* May the callbacks have accesses of n bytes as they come? *align: the bits that must be zero then. */
static int takes(const oryx_region *r, uint32_t n, uint64_t offset, uint16_t *align)
{
    if (n < r->valid.min || n > r->valid.max || n < r->impl.min || n > r->impl.max)
        return 0;
    if (r->valid.unaligned && r->impl.unaligned)
        return 1;
    *align |= (uint16_t)(n - 1);
    return !(offset & (n - 1));
}

void oryx__io_fill(oryx_vcpu *v, const oryx__row *row, uint64_t addr, uint64_t phys, uint32_t memop, uint32_t attrs, int write)
{
    uint32_t n = 1u << ORYX_MO_SIZE(memop);
    uint64_t base = phys & ~ORYX__PAGE_MASK;
    uint64_t first = MAX(row->first, base), last = MIN(row->last, base | ORYX__PAGE_MASK);
    int direct = row->host && (row->dprot & (write ? ORYX_PROT_WRITE : ORYX_PROT_READ));
    if (n > 8 || row->region->iommu || ((phys ^ addr) & ORYX__PAGE_MASK) || last - first < n - 1 || attrs > UINT16_MAX ||
        !atomic_load_explicit(&v->thread, memory_order_relaxed))
        return;
    oryx__io e = {.page = addr & ~ORYX__PAGE_MASK,
                  .not_memop = ~memop,
                  .align = (uint16_t)((1u << ORYX_MO_ALIGN_OF(memop)) - 1),
                  .lo = (uint16_t)(first & ORYX__PAGE_MASK),
                  .span = (uint16_t)(last - first - (n - 1)),
                  .attrs = (uint16_t)attrs,
                  .flags = memop & ORYX_MO_RELEASE ? ORYX__IO_FENCE : 0,
                  .offset = row->offset + (base - row->first),
                  .phys = base,
                  .region = row->region};
    uint8_t *host = direct ? row->host + (base - row->first) : NULL;
    if (direct) {
        /* Stores ask for the code mark of one host page. */
        if (last > row->host_last || (write && ((uintptr_t)host & ORYX__PAGE_MASK)))
            return;
        e.to = host;
    } else {
        if (!takes(row->region, n, e.offset, &e.align))
            return;
        const oryx_region_ops *ops = row->region->ops;
        if (write || !ORYX_HAS(ops, read_fn) || !ops->read_fn || ops->read_fn(row->region->self, &e.access, &e.to)) {
            e.access = ops->access;
            e.to = row->region->self;
        }
    }
    if (!(memop & ORYX_MO_BE) != !(!direct && row->region->endian == ORYX_ENDIAN_BIG))
        e.flags |= ORYX__IO_TURN;
    if (v->io == &none && !(v->io = oryx__alloc(sizeof(*v->io))))
        v->io = &none;
    if (v->io == &none)
        return;
    e.filter = oryx__code_filter(oryx__space_of(v->space, attrs), host, base);
    *oryx__io_slot(v->io, addr, memop, write, last - first == ORYX__PAGE_MASK) = e;
    v->io_used = 1;
}

/* --- life ------------------------------------------------------------------------------------- */

void oryx__io_create(oryx_vcpu *v)
{
    v->io = &none;
}

void oryx__io_flush(oryx_vcpu *v)
{
    if (v->io_used)
        memset(v->io, 0, sizeof(*v->io));
    v->io_used = 0;
}

void oryx__io_free(oryx_vcpu *v)
{
    if (v->io != &none)
        oryx__free(v->io);
    v->io = NULL;
}
