/* A vCPU's records of where its device accesses go, so that one costs a compare and a call: no lock, no read section, no
 * search. Private to io_cache.c, access.c and tlb.c.
 *
 * A record stands for a range of one page that lies in one row, translated and allowed for one direction, mmu index and
 * privilege. Either a callback that takes accesses of some sizes as they come, or host memory whose access width is kept.
 * What is none of these has no record and goes the way through resolve().
 *
 * Records live as long as entries of the translation caches and by the same rule: only the vCPU's thread makes, uses and
 * drops them, and a mapping that changes asks for a flush, which who destroys a region waits for. While a callback runs
 * from a record, cpu->io.depth is set, and no flush is served. */
#ifndef ORYX_IO_CACHE_H
#define ORYX_IO_CACHE_H

#include "host_memory.h"
#include "mem_internal.h"

#define ORYX__IO_PAGES 32u /* records of whole pages, by page */
#define ORYX__IO_PARTS 64u /* records of parts of pages, by address: registers of several devices in one page */

/* One cache line. All zero: no record. */
typedef struct oryx__io {
    uint64_t page;     /* virtual */
    uint32_t not_memop; /* ~memop of the accesses it serves */
    uint16_t align;    /* bits of the address that must be zero */
    uint16_t lo, span; /* first byte in the page where an access may begin, and how many more */
    uint16_t filter;   /* writes: where the page's code mark is counted */
    uint16_t attrs;
    uint16_t flags;    /* ORYX__IO_* */
    oryx_status (*access)(void *self, oryx_access *a); /* NULL: host memory */
    void *to;          /* the backend's self, or the host address of the page */
    uint64_t offset;   /* of the page in the region; below zero when the region begins inside it */
    uint64_t phys;     /* of the page */
    oryx_region *region;
} oryx__io;
_Static_assert(sizeof(oryx__io) == 64, "a record is a cache line");

#define ORYX__IO_TURN  1u /* the number's bytes are turned between the guest and the callback, or the host memory */
#define ORYX__IO_FENCE 2u /* a store that later loads must not pass */

/* An oryx_io_ready is what an access by a record leaves for the next one to the same address, of the same size and kind;
 * only for callbacks that take the guest's number as it is, and while the machine has one vCPU. */
struct oryx__io_table {
    oryx_io_ready ready[2][1u << ORYX_IO_READY_BITS]; /* [write] */
    oryx__io page[2][ORYX__IO_PAGES];
    oryx__io part[2][ORYX__IO_PARTS];
};

static inline oryx__io *oryx__io_slot(struct oryx__io_table *t, uint64_t addr, uint32_t memop, int write, int whole)
{
    return whole ? &t->page[write][((addr >> ORYX_PAGE_BITS) + 8 * (memop & 3)) & (ORYX__IO_PAGES - 1)]
                 : &t->part[write][(addr >> 2) & (ORYX__IO_PARTS - 1)];
}

static inline int oryx__io_hit(const oryx__io *e, uint64_t addr, uint32_t memop)
{
    return e->not_memop == ~memop && (addr & (e->align | ~ORYX__PAGE_MASK)) == e->page &&
           (uint32_t)((uint32_t)(addr & ORYX__PAGE_MASK) - e->lo) <= e->span;
}

/* The record for an access, or NULL. */
static inline const oryx__io *oryx__io_find(const oryx_vcpu *v, uint64_t addr, uint32_t memop, int write)
{
    const oryx__io *e = oryx__io_slot(v->io, addr, memop, write, 1);
    if (__builtin_expect(oryx__io_hit(e, addr, memop), 1))
        return e;
    e = oryx__io_slot(v->io, addr, memop, write, 0);
    return oryx__io_hit(e, addr, memop) ? e : NULL;
}

/* io_cache.c. A part that resolve() found, allowed and translated: make a record of it where it can have one. */
void oryx__io_fill(oryx_vcpu *v, const oryx__row *row, uint64_t addr, uint64_t phys, uint32_t memop, uint32_t attrs, int write);
/* The next such access is ready, where it can be. */
void oryx__io_prepare(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, int write);
void oryx__io_create(oryx_vcpu *v);
void oryx__io_flush(oryx_vcpu *v);
void oryx__io_free(oryx_vcpu *v);
/* The store by a record. 1: done, *st says how. 0: not by the record: translated code may lie there. */
int oryx__io_store(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, uint64_t val, oryx_status *st);
oryx_status oryx__io_load_refused(oryx_vcpu *v, uint64_t addr, uint64_t phys, uint32_t memop, oryx_status st, oryx_v128 *out);
/* access.c: a device refused an access by record. The policy's value in *val, or the guest's fault. phys: of its page. */
oryx_status oryx__io_refused(oryx_vcpu *v, uint64_t addr, uint64_t phys, uint32_t size, oryx_status st, uint64_t *val);

static inline uint64_t oryx__io_cut(uint64_t v, uint32_t log)
{
    static const uint64_t mask[] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};
    return v & mask[log];
}

static inline uint64_t oryx__io_turn(uint64_t v, uint32_t log)
{
    return __builtin_bswap64(v) >> (64 - (8u << log));
}

static inline int oryx__io_several(const oryx_vcpu *v)
{
    return atomic_load_explicit(&v->machine->several, memory_order_relaxed) != 0;
}

/* Virtual time as this vCPU sees it, when it is the only one. */
static inline uint64_t oryx__io_vtime(const oryx_cpu *cpu)
{
    return cpu->io.base - cpu->slice.left + __atomic_load_n(cpu->io.skipped, __ATOMIC_RELAXED);
}

static inline int oryx__io_is_ready(const oryx_cpu *cpu, const oryx_io_ready *e, uint64_t addr, uint32_t memop)
{
    return e->addr == addr && e->memop == memop && !__atomic_load_n(&cpu->io.depth, __ATOMIC_RELAXED);
}

/* The callback has a pointer into *c, so a compiler takes c->e from memory after the call and keeps no register for it. */
static inline oryx_status oryx__io_go(oryx_cpu *cpu, oryx_io_call *c)
{
    c->a.vtime = oryx__io_vtime(cpu);
    __atomic_store_n(&cpu->io.depth, 1, __ATOMIC_RELAXED);
    oryx_status st = c->e->access(c->e->opaque, &c->a);
    __atomic_store_n(&cpu->io.depth, 0, __ATOMIC_RELAXED);
    return st;
}

/* The callback. Every member of the access is stored by itself, as it will be loaded: a wide store of several would stall
 * the loads. */
static inline oryx_status oryx__io_call(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, uint32_t write,
                                        uint64_t *value)
{
    oryx_cpu *cpu = v->cpu;
    uint32_t outer = __atomic_load_n(&cpu->io.depth, __ATOMIC_RELAXED);
    oryx_access a;
    a.hdr = (oryx_hdr)ORYX_HDR(oryx_access);
    a.offset = e->offset + (addr & ORYX__PAGE_MASK);
    a.value = *value;
    a.size = 1u << ORYX_MO_SIZE(memop);
    a.write = write;
    a.attrs = e->attrs;
    a.requester = 0;
    a.vtime = oryx__io_several(v) ? oryx_machine_vtime(v->machine) : oryx__io_vtime(cpu);
    a.vcpu = v;
    a.mmu_index = oryx__mo_index(memop);
    a.reserved = 0;
    __atomic_store_n(&cpu->io.depth, 1, __ATOMIC_RELAXED);
    oryx_status st = e->access(e->to, &a);
    __atomic_store_n(&cpu->io.depth, outer, __ATOMIC_RELAXED);
    *value = a.value;
    return st;
}

/* The load by a record: ORYX_OK, or a fault that is described in cpu->exc. */
static inline oryx_status oryx__io_load(oryx_vcpu *v, const oryx__io *e, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    uint32_t log = ORYX_MO_SIZE(memop), flags = e->flags;
    uint64_t x = 0, phys = e->phys;
    if (e->access) {
        oryx_status st = oryx__io_call(v, e, addr, memop, 0, &x);
        if (__builtin_expect(st != ORYX_OK, 0))
            return oryx__io_load_refused(v, addr, phys, memop, st, out);
        x = oryx__io_cut(x, log);
    } else {
        x = oryx__load8((const uint8_t *)e->to + (addr & ORYX__PAGE_MASK), 1u << log);
    }
    out->lo = __builtin_expect(flags & ORYX__IO_TURN, 0) ? oryx__io_turn(x, log) : x;
    out->hi = 0;
    return ORYX_OK;
}

#endif
