/* Device accesses of vCPUs by record: see io_cache.h.
 * Owns: struct oryx__io_table. Called by: access.c between the translation caches and the walk; tlb.c for life and flushes.
 * Invariant: an access by a record does what the walk would have done: the same callback with the same numbers, or one
 * host access of the same width; code and dirty marks are looked at on every write.
 *
 * A callback may change anything, this record and its region's place included, so nothing is read from a record after the
 * call. The region itself stays: nobody can destroy it while cpu->io.depth is set. */
#include "io_cache.h"
#include "monitor.h"

/* What a vCPU without records has: nothing in it is ever a hit, or changed. */
#define FOUR(x) x, x, x, x
#define SLOTS   FOUR(FOUR(FOUR({.memop = ORYX_IO_NONE})))
_Static_assert(ORYX_IO_READY_BITS == 6, "as many as SLOTS has");
static struct oryx__io_table none = {.ready = {{SLOTS}, {SLOTS}}};

/* The device refused a read: the policy's value, or the guest's fault. */
__attribute__((noinline, cold)) oryx_status oryx__io_load_refused(oryx_vcpu *v, uint64_t addr, uint64_t phys, uint32_t memop,
                                                                  oryx_status st, oryx_v128 *out)
{
    out->hi = 0;
    return oryx__io_refused(v, addr, phys, 1u << ORYX_MO_SIZE(memop), st, &out->lo);
}

static int marked(const _Atomic uint32_t *filter)
{
    return atomic_load_explicit(filter, memory_order_seq_cst) != 0;
}

int oryx__io_store(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, uint64_t val, oryx_status *st)
{
    const _Atomic uint32_t *filter = &v->machine->mem->filter[e->filter];
    if (__builtin_expect(marked(filter), 0))
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
        if (marked(filter))
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

/* The function behind the backend's access, where it adds nothing of its own. */
static int backend_fn(const oryx_region *r, int write, oryx__io *e)
{
    union {
        oryx_status (*write)(void *opaque, const oryx_access *a);
        oryx_status (*access)(void *opaque, oryx_access *a);
    } fn = {NULL};
    if (!write)
        return ORYX_HAS(r->ops, read_fn) && r->ops->read_fn && !r->ops->read_fn(r->self, &e->access, &e->to);
    if (!ORYX_HAS(r->ops, write_fn) || !r->ops->write_fn || r->ops->write_fn(r->self, &fn.write, &e->to))
        return 0;
    e->access = fn.access;
    return 1;
}

static void table_set(oryx_vcpu *v, struct oryx__io_table *t)
{
    v->io = t;
    v->cpu->io.rd = t->ready[0];
    v->cpu->io.wr = t->ready[1];
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
    uint8_t *host = row->host ? row->host + (base - row->first) : NULL;
    /* Code marks of memory are kept by its host address, whoever serves the writes; a record asks for one of them. */
    if (write && host && (last > row->host_last || ((uintptr_t)host & ORYX__PAGE_MASK)))
        return;
    if (direct) {
        if (last > row->host_last)
            return;
        e.to = host;
    } else {
        if (!takes(row->region, n, e.offset, &e.align))
            return;
        if (!backend_fn(row->region, write, &e)) {
            e.access = row->region->ops->access;
            e.to = row->region->self;
        }
    }
    if (!(memop & ORYX_MO_BE) != !(!direct && row->region->endian == ORYX_ENDIAN_BIG))
        e.flags |= ORYX__IO_TURN;
    if (v->io == &none) {
        v->io_block = oryx__alloc(sizeof(struct oryx__io_table) + 127);
        if (!v->io_block)
            return;
        struct oryx__io_table *made = (void *)(((uintptr_t)v->io_block + 127) & ~(uintptr_t)127);
        memcpy(made->ready, none.ready, sizeof(made->ready));
        table_set(v, made);
    }
    e.filter = oryx__code_filter(oryx__space_of(v->space, attrs), host, base);
    *oryx__io_slot(v->io, addr, memop, write, last - first == ORYX__PAGE_MASK) = e;
    v->io_used = 1;
}

void oryx__io_prepare(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, int write)
{
    uint32_t n = 1u << ORYX_MO_SIZE(memop);
    if (!e->access || (e->flags & (ORYX__IO_TURN | ORYX__IO_FENCE)) || oryx__io_several(v) ||
        __atomic_load_n(&v->cpu->io.depth, __ATOMIC_RELAXED) ||
        (write && atomic_load_explicit(&e->region->cow, memory_order_relaxed)))
        return;
    v->io->ready[write][oryx_io_hash(addr)] = (oryx_io_ready){
        .addr = addr,
        .memop = memop,
        .kind = memop,
        .access = e->access,
        .opaque = e->to,
        .mask = UINT64_MAX >> (64 - 8 * n),
        .busy = (const uint32_t *)&v->machine->mem->filter[e->filter],
        .phys = e->phys,
        .logged = (const uint32_t *)&e->region->logging,
        .a = {.hdr = ORYX_HDR(oryx_access),
              .offset = e->offset + (addr & ORYX__PAGE_MASK),
              .size = n,
              .write = (uint32_t)write,
              .attrs = e->attrs,
              .vcpu = v,
              .mmu_index = oryx__mo_index(memop)},
    };
}

/* --- life ------------------------------------------------------------------------------------- */

void oryx__io_create(oryx_vcpu *v)
{
    v->cpu->io.skipped = (const uint64_t *)&v->machine->skipped;
    table_set(v, &none);
}

void oryx__io_flush(oryx_vcpu *v)
{
    if (v->io_used) {
        for (uint32_t i = 0; i < 1u << ORYX_IO_READY_BITS; i++)
            v->io->ready[0][i].memop = v->io->ready[1][i].memop = ORYX_IO_NONE;
        memset(v->io->page, 0, sizeof(*v->io) - offsetof(struct oryx__io_table, page));
    }
    v->io_used = 0;
}

void oryx__io_free(oryx_vcpu *v)
{
    oryx__free(v->io_block);
    v->io_block = NULL;
    v->io = NULL;
}
