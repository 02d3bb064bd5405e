/* Slow paths of guest memory: every access that misses the translation caches passes here.
 * Owns: alignment, translation, faults, splitting at pages and borders, atomics and the
 * exclusive monitor. Called by: engines through cpu->fn, the fetch of translate.c,
 * oryx_vcpu_read and oryx_vcpu_write.
 * Invariant: nothing is written and no device is touched before the whole access is known to be
 * translated, mapped and allowed; translated code on a written page is dropped before return.
 *
 * An access becomes parts: one a row of the flat view it touches, in address order. One part in
 * bulk memory is the common case; it fills the translation cache when its whole page is that
 * memory. Bytes travel in memory order; the number is turned round once, for big-endian accesses.
 */
#include <signal.h>
#include <string.h>

#include "access.h"
#include "io_cache.h"
#include "monitor.h"
#include "window.h"

/* --- faults and translation ------------------------------------------------------------------- */

static oryx_status fault(oryx_cpu *cpu, uint32_t access, uint64_t addr, uint64_t phys,
                         uint32_t size, oryx_status st)
{
    oryx_exc *e = &cpu->exc;
    e->hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    e->kind = access == ORYX_ACCESS_FETCH ? ORYX_EXC_FETCH : ORYX_EXC_MEMORY;
    e->access = access;
    e->syndrome = 0;
    e->addr = addr;
    e->phys = phys;
    e->size = size;
    e->status = st;
    return st;
}

oryx_status oryx__translate(oryx_vcpu *v, uint64_t addr, uint32_t access, uint32_t mmu_index,
                            oryx_mmu_result *out)
{
    static const uint32_t need[] = {ORYX_PROT_READ, ORYX_PROT_WRITE, ORYX_PROT_EXEC};
    const oryx_arch_ops *arch = v->machine->arch;
    oryx_status st;
    *out = (oryx_mmu_result){.hdr = ORYX_HDR(oryx_mmu_result),
                             .phys = addr,
                             .page_size = ORYX_PAGE_SIZE,
                             .prot = ORYX_PROT_ALL};
    if (v->mmu)
        st = v->mmu(v->mmu_opaque, v->cpu, addr, access, out);
    else if (arch && ORYX_HAS(arch, mmu) && arch->mmu)
        st = arch->mmu(v->cpu, addr, access, mmu_index, out);
    else
        return ORYX_OK;
    if (st)
        return st;
    if (!out->page_size)
        out->page_size = ORYX_PAGE_SIZE;
    if (out->page_size > v->tlbs->span)
        v->tlbs->span = out->page_size;
    return out->prot & need[access] ? ORYX_OK : ORYX_FAULT_PROT;
}

/* --- walking ---------------------------------------------------------------------------------- */

static inline const oryx__row *find(const struct walk *w, uint64_t pa)
{
    uint64_t *hint = &w->v->tlbs->row;
    const oryx__row *row = oryx__view_hit(w->view, *hint, pa);
    return row ? row : oryx__view_find(w->view, pa, hint);
}

/* Bytes at pa, at most n, that no region has. */
static uint32_t hole(const struct walk *w, uint64_t pa, uint32_t n)
{
    const oryx__row *next = oryx__view_at(w->view, oryx__view_lower(w->view, pa));
    return next && next->first - pa < n ? (uint32_t)(next->first - pa) : n;
}

/* Parts of the access, checked; nothing is done yet. */
static oryx_status resolve(struct walk *w)
{
    oryx_cpu *cpu = w->v->cpu;
    for (uint32_t at = 0; at < w->size;) {
        uint64_t va = w->addr + at;
        uint32_t left = (uint32_t)MIN(w->size - at, ORYX_PAGE_SIZE - (va & ORYX__PAGE_MASK));
        oryx_mmu_result t;
        oryx_status st = oryx__translate(w->v, va, w->access, w->idx, &t);
        if (st) {
            fault(cpu, w->access, va, UINT64_MAX, w->size, st);
            cpu->exc.syndrome = t.syndrome;
            return st;
        }
        if (!at)
            w->mapped = t.prot;
        if (t.page_size < ORYX_PAGE_SIZE) {
            w->fine = 1;
            left = (uint32_t)MIN(left, t.page_size - (va & (t.page_size - 1)));
        }
        w->attrs |= t.attrs;
        oryx_space *space = oryx__space_of(w->v->space, t.attrs);
        if (space != w->space) {
            w->space = space;
            w->view = atomic_load_explicit(&space->view, memory_order_seq_cst);
        }
        /* Over a page border that is none in physical memory the access stays one: what is behind
         * it may count them. Otherwise the second page is translated in its turn. */
        oryx_mmu_result next;
        if (at + left < w->size && !oryx__translate(w->v, va + left, w->access, w->idx, &next) &&
            next.phys == t.phys + left && next.attrs == t.attrs)
            left = w->size - at;
        for (uint64_t pa = t.phys; left;) {
            const oryx__row *row = find(w, pa);
            uint32_t n = row ? (uint32_t)(MIN(left - 1, row->last - pa) + 1) : hole(w, pa, left);
            /* Direct memory that allows it all: the common case needs no more questions. */
            if (row && row->host && (row->prot & row->dprot & w->need) == w->need &&
                pa + (n - 1) <= row->host_last)
                st = ORYX_OK;
            else
                st = oryx__row_check(row, pa, n, w->need);
            uint32_t policy = st ? oryx__policy(space, st, w->need) : 0;
            if (st && !policy)
                return fault(cpu, w->access, w->addr + at, pa, w->size, st);
            w->parts[w->n++] = (struct part){row, pa, at, n, space, policy};
            at += n;
            pa += n;
            left -= n;
        }
    }
    return ORYX_OK;
}

/* Host bytes of the access when it is one part in direct memory that allows `need`, else NULL. */
static uint8_t *direct_host(const struct walk *w, uint32_t need)
{
    const struct part *p = &w->parts[0];
    if (w->n != 1 || p->policy || !p->row->host || p->phys + (p->n - 1) > p->row->host_last ||
        (p->row->dprot & need) != need)
        return NULL;
    return p->row->host + (p->phys - p->row->first);
}

/* A one-part access to what has no place in the translation caches gets a record for the next one. */
static void record(const struct walk *w, uint32_t memop, int write)
{
    const struct part *p = &w->parts[0];
    if (w->n == 1 && !w->fine && !p->policy && p->n <= 8 && !(w->attrs & ORYX_ATTR_DEBUG) &&
        !oryx__watch_page(w->v, w->addr, p->space, p->phys, 1, p->row, write ? ORYX_WATCH_WRITE : ORYX_WATCH_READ))
        oryx__io_fill(w->v, p->row, w->addr, p->phys, memop, w->attrs, write);
}

/* The page of a one-part access goes into the cache when it is bulk memory as a whole. */
static void fill(const struct walk *w, uint8_t *host, uint32_t memop, int write)
{
    const struct part *p = &w->parts[0];
    uint64_t page = p->phys & ~ORYX__PAGE_MASK;
    if (w->fine || oryx__watch_page(w->v, w->addr, p->space, p->phys, 1, p->row, write ? ORYX_WATCH_WRITE : ORYX_WATCH_READ))
        return;
    if ((p->row->flags & ORYX_DIRECT_BULK) && page >= p->row->first &&
        (page | ORYX__PAGE_MASK) <= p->row->host_last)
        oryx__tlb_fill(w->v->cpu, w->idx, w->addr, host, write, p->row->region,
                       p->row->offset + (p->phys - p->row->first));
    else if (p->row->flags & ORYX_DIRECT_BULK)
        record(w, memop, write);
}

static void touch_code(const struct walk *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        oryx__code_touch(w->parts[i].space, w->parts[i].row, w->parts[i].phys, w->parts[i].n, w->v->cpu);
}

/* Before the store. */
static void write_begin(const struct walk *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        oryx__write_begin(w->parts[i].space, w->parts[i].policy ? NULL : w->parts[i].row, w->parts[i].phys,
                          w->parts[i].n, w->v->cpu);
}

/* After the store: its pages are dirty. And a vCPU that began to translate between touch_code and
 * the store has read old bytes; its mark is seen here. Alone in the machine there is nobody to
 * race with. */
static void touch_again(const struct walk *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        const struct part *p = &w->parts[i];
        if (p->row && !p->policy)
            oryx__dirty_mark(p->row->region, p->row->offset + (p->phys - p->row->first), p->n);
    }
    if (w->v->machine->vcpus->len < 2)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    touch_code(w);
}

static oryx_status transfer(const struct walk *w, uint8_t *buf, int write)
{
    oryx__who who = {.vcpu = w->v, .attrs = w->attrs, .mmu_index = w->idx};
    oryx_cpu *cpu = w->v->cpu;
    oryx_status st = ORYX_OK;
    for (uint32_t i = 0; i < w->n; i++) {
        const struct part *p = &w->parts[i];
        uint32_t policy = p->policy;
        oryx_status one = ORYX_OK;
        if (!policy) {
            one = oryx__row_access(p->row, p->phys, buf + p->at, p->n, write, &who);
            policy = one ? oryx__policy(p->space, one, write ? ORYX_PROT_WRITE : w->need) : 0;
        }
        if (policy) {
            one = ORYX_OK;
            if (!write)
                memset(buf + p->at, policy == 1 + ORYX_ON_ONES ? 0xff : 0, p->n);
        }
        if (one && !st)
            st = fault(cpu, w->access, w->addr + p->at, p->phys, w->size, one);
    }
    return st;
}

static void walk_init(struct walk *w, oryx_cpu *cpu, uint64_t addr, uint32_t size, uint32_t memop,
                      uint32_t access, uint32_t need)
{
    w->v = cpu->vcpu;
    w->addr = addr;
    w->size = size;
    w->need = need;
    w->access = access;
    w->idx = oryx__mo_index(memop);
    w->attrs = memop & ORYX_MO_USER ? ORYX_ATTR_USER : 0;
    w->n = w->fine = 0;
    w->space = w->v->space;
    w->view = oryx__vcpu_begin(w->v);
}

static int misaligned(uint64_t addr, uint32_t memop)
{
    return (addr & (((uint64_t)1 << ORYX_MO_ALIGN_OF(memop)) - 1)) != 0;
}

static void serve(oryx_vcpu *v)
{
    /* Not from inside a device's callback: who waits for the flush waits for the callback, too. */
    if ((atomic_load_explicit(&v->requests, memory_order_relaxed) & ORYX__REQ_TLB_FLUSH) &&
        !__atomic_load_n(&v->cpu->io.depth, __ATOMIC_RELAXED))
        oryx__tlb_serve(v);
}

/* Cached host address, or NULL. Engines come here after a miss, the interpreter may come always. */
static uint8_t *cached(oryx_cpu *cpu, const oryx_tlb_entry *table, uint32_t idx, uint64_t addr,
                       uint32_t size)
{
    const oryx_tlb_entry *e = &table[(addr >> ORYX_PAGE_BITS) & cpu->tlb[idx].mask];
    uint64_t tag =
        __atomic_load_n(&e->tag, __ATOMIC_RELAXED); /* another thread may make the entry slow */
    if ((addr & ~ORYX__PAGE_MASK) != tag || ((addr + size - 1) & ~ORYX__PAGE_MASK) != tag)
        return NULL;
    return (uint8_t *)(uintptr_t)(addr + e->addend);
}

/* Cached host address of a store to a page that exclusives use, announced to their monitors; or NULL. */
static uint8_t *tracked(oryx_cpu *cpu, uint32_t idx, uint64_t addr, uint32_t size, int announce)
{
    oryx_tlb_entry *e = &cpu->tlb[idx].wr[(addr >> ORYX_PAGE_BITS) & cpu->tlb[idx].mask];
    uint64_t page = addr & ~ORYX__PAGE_MASK;
    if (__atomic_load_n(&e->tag, __ATOMIC_RELAXED) != (page | ORYX__TRACKED) ||
        ((addr + size - 1) & ~ORYX__PAGE_MASK) != page)
        return NULL;
    uint8_t *host = (uint8_t *)(uintptr_t)(addr + e->addend);
    if (!announce)
        return host;
    if (!oryx__monitor_tracks(cpu->vcpu->machine->mem, host))
        oryx__tlb_untrack(cpu->vcpu, e, host);
    oryx__monitor_store(cpu, host, size);
    return host;
}

/* --- memory of a window ----------------------------------------------------------------------- */

/* Its host protections are the guest's, and another thread of the guest may change them between
 * the check and the access. Then the access starts again, with nothing cached; what faults however
 * often it is tried is the guest's fault. */
#define MAX_TRIES 16u
struct attempt {
    oryx__guard guard;
    uint32_t nest, split, tries;
};

static void attempt_begin(struct attempt *a, oryx_cpu *cpu)
{
    a->nest = cpu->vcpu->tlbs->nest;
    a->split = cpu->vcpu->split;
    a->tries = 0;
}

static oryx_status attempt_again(struct attempt *a, oryx_cpu *cpu, uint32_t access, uint64_t addr,
                                 uint32_t memop)
{
    oryx_vcpu *v = cpu->vcpu;
    if (v->in_monitor)
        oryx__monitor_end(v);
    v->in_monitor = 0;
    while (v->tlbs->nest > a->nest)
        oryx__vcpu_end(v);
    for (; v->split > a->split; v->split--)
        pthread_mutex_unlock(&v->machine->mem->split_lock);
    oryx__tlb_flush(v);
    return ++a->tries < MAX_TRIES
               ? ORYX_OK
               : fault(cpu, access, addr, UINT64_MAX, 1u << ORYX_MO_SIZE(memop),
                       a->guard.sig == SIGBUS ? ORYX_FAULT_DEVICE : ORYX_FAULT_PROT);
}

/* --- load, store ------------------------------------------------------------------------------ */

oryx_status oryx__io_refused(oryx_vcpu *v, uint64_t addr, uint64_t phys, uint32_t size,
                             oryx_status st, uint64_t *val)
{
    uint32_t policy = oryx__policy(v->space, st, val ? ORYX_PROT_READ : ORYX_PROT_WRITE);
    if (!policy)
        return fault(v->cpu, val ? ORYX_ACCESS_READ : ORYX_ACCESS_WRITE, addr,
                     phys | (addr & ORYX__PAGE_MASK), size, st);
    if (val)
        *val = policy == 1 + ORYX_ON_ONES ? UINT64_MAX >> (64 - 8 * size) : 0;
    return ORYX_OK;
}

/* Out of line, so that a hit does not pay for the walk's registers and stack. */
__attribute__((noinline)) static oryx_status load_slow(oryx_cpu *cpu, uint64_t addr, uint32_t memop,
                                                       oryx_v128 *val)
{
    struct walk w;
    walk_init(&w, cpu, addr, 1u << ORYX_MO_SIZE(memop), memop, ORYX_ACCESS_READ, ORYX_PROT_READ);
    oryx_status st = resolve(&w);
    if (!st)
        st = watch_begin(&w, memop, ORYX_WATCH_READ, NULL);
    uint8_t *host = st ? NULL : direct_host(&w, ORYX_PROT_READ);
    if (host && (w.parts[0].row->flags & ORYX_DIRECT_BULK)) {
        *val = oryx__bulk_load(host, w.size);
        fill(&w, host, memop, 0);
    } else if (!st) {
        record(&w, memop, 0);
        st = transfer(&w, (uint8_t *)val, 0);
    }
    if (!st && w.v->tlbs->watcher.step)
        oryx__watched_end(&w, memop, ORYX_WATCH_READ, *val, (oryx_v128){0, 0}, 1);
    oryx__vcpu_end(w.v);
    return st;
}

/* Not by a record. */
__attribute__((noinline)) static oryx_status load_memory(oryx_cpu *cpu, uint64_t addr,
                                                         uint32_t memop, oryx_v128 *out)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop), idx = oryx__mo_index(memop);
    if (misaligned(addr, memop))
        return fault(cpu, ORYX_ACCESS_READ, addr, UINT64_MAX, size, ORYX_FAULT_ALIGN);
    serve(cpu->vcpu);
    oryx_v128 val = {0, 0};
    const uint8_t *hit = cached(cpu, cpu->tlb[idx].rd, idx, addr, size);
    if (!hit && oryx__tlb_victim(cpu, idx, addr, size, 0))
        hit = cached(cpu, cpu->tlb[idx].rd, idx, addr, size);
    if (hit) {
        val = oryx__bulk_load(hit, size);
    } else {
        oryx_status st = load_slow(cpu, addr, memop, &val);
        if (st)
            return st;
    }
    if (memop & ORYX_MO_ACQUIRE)
        atomic_thread_fence(memory_order_acquire);
    if (memop & ORYX_MO_BE)
        turn(&val, size);
    *out = val;
    return ORYX_OK;
}

static oryx_status guarded_load(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    struct attempt a;
    oryx_status st;
    attempt_begin(&a, cpu);
    if (sigsetjmp(a.guard.env, 0) &&
        (st = attempt_again(&a, cpu, ORYX_ACCESS_READ, addr, memop)) != ORYX_OK)
        return st;
    oryx__guard_arm(&a.guard, cpu->vcpu->space);
    st = load_memory(cpu, addr, memop, out);
    oryx__guard_disarm(&a.guard);
    return st;
}

/* Not a ready device access. */
__attribute__((noinline)) static oryx_status load_other(oryx_cpu *cpu, uint64_t addr, uint32_t memop,
                                                        oryx_v128 *out)
{
    oryx_vcpu *v = cpu->vcpu;
    const oryx__io *io = oryx__io_find(v, addr, memop, 0);
    if (!io)
        return cpu->window.base ? guarded_load(cpu, addr, memop, out)
                                : load_memory(cpu, addr, memop, out);
    oryx__io_prepare(v, io, addr, memop, 0);
    return oryx__io_load(v, io, addr, memop, out);
}

/* Whatever the callback did, nothing was made ready in place of e. */
__attribute__((cold)) static oryx_status io_done(oryx_cpu *cpu, const oryx_io_ready *e, oryx_status st,
                                                 oryx_v128 *out)
{
    uint32_t size = 1u << ORYX_MO_SIZE(e->kind);
    if (out)
        return st ? oryx__io_load_refused(cpu->vcpu, e->addr, e->phys, e->kind, st, out) : ORYX_OK;
    oryx_region *r =
        (oryx_region *)(void *)((uint8_t *)(uintptr_t)e->logged - offsetof(oryx_region, logging));
    oryx__dirty_mark(r, e->a.offset, size);
    return st ? oryx__io_refused(cpu->vcpu, e->addr, e->phys, size, st, NULL) : ORYX_OK;
}

/* Devices first: engines find memory in the translation caches by themselves. */
static oryx_status mem_load(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    const oryx_io_ready *e = &cpu->io.rd[oryx_io_hash(addr)];
    if (__builtin_expect(!oryx__io_is_ready(cpu, e, addr, memop), 0))
        return load_other(cpu, addr, memop, out);
    oryx_io_call c = {.a = e->a, .e = e};
    oryx_status st = oryx__io_go(cpu, &c);
    if (__builtin_expect(st != ORYX_OK, 0))
        return io_done(cpu, c.e, st, out);
    out->lo = c.a.value & c.e->mask;
    out->hi = 0;
    return ORYX_OK;
}

/* Acquire and release together order a store before later loads (x86 hosts need a fence for that).
 */
static void store_fence(uint32_t memop)
{
    if (memop & ORYX_MO_RELEASE)
        atomic_thread_fence(memory_order_seq_cst);
}

__attribute__((noinline)) static oryx_status store_slow(oryx_cpu *cpu, uint64_t addr,
                                                        uint32_t memop, oryx_v128 val)
{
    struct walk w;
    walk_init(&w, cpu, addr, 1u << ORYX_MO_SIZE(memop), memop, ORYX_ACCESS_WRITE, ORYX_PROT_WRITE);
    oryx_status st = resolve(&w);
    uint8_t *host = st ? NULL : direct_host(&w, ORYX_PROT_WRITE);
    if (host) { /* a first write: each of these is far away, and between their uses are locks */
        __builtin_prefetch(host, 1);
        __builtin_prefetch((void *)&w.v->machine->mem->filter[oryx__code_filter(w.space, host, 0)]);
        __builtin_prefetch(&cpu->tlb[w.idx].wr[(addr >> ORYX_PAGE_BITS) & cpu->tlb[w.idx].mask], 1);
        oryx__cow_soon(w.parts[0].row->region, w.parts[0].row->offset + (w.parts[0].phys - w.parts[0].row->first));
    }
    if (!st)
        st = watch_begin(&w, memop, ORYX_WATCH_WRITE, &val);
    if (!st) {
        oryx_v128 old = {0, 0};
        int noted = watch_old(&w, &old);
        write_begin(&w);
        if (host && (w.parts[0].row->flags & ORYX_DIRECT_BULK)) {
            oryx__bulk_store(host, w.size, val);
            touch_again(&w);
            fill(&w, host, memop, 1);
        } else {
            record(&w, memop, 1);
            st = transfer(&w, (uint8_t *)&val, 1);
            touch_again(&w);
        }
        if (noted && !st)
            oryx__watched_end(&w, memop, ORYX_WATCH_WRITE, val, old, noted);
    }
    oryx__vcpu_end(w.v);
    return st;
}

__attribute__((noinline)) static oryx_status store_memory(oryx_cpu *cpu, uint64_t addr,
                                                          uint32_t memop, const oryx_v128 *in)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop), idx = oryx__mo_index(memop);
    if (misaligned(addr, memop))
        return fault(cpu, ORYX_ACCESS_WRITE, addr, UINT64_MAX, size, ORYX_FAULT_ALIGN);
    serve(cpu->vcpu);
    oryx_v128 val = *in;
    oryx_status st = ORYX_OK;
    if (memop & ORYX_MO_BE)
        turn(&val, size);
    if (memop & ORYX_MO_RELEASE)
        atomic_thread_fence(memory_order_release);
    uint8_t *hit = cached(cpu, cpu->tlb[idx].wr, idx, addr, size);
    if (!hit && oryx__tlb_victim(cpu, idx, addr, size, 1))
        hit = cached(cpu, cpu->tlb[idx].wr, idx, addr, size);
    if (!hit) {
        store_fence(memop); /* of a release: before the look at monitors */
        hit = tracked(cpu, idx, addr, size, 1);
    }
    if (hit)
        oryx__bulk_store(hit, size, val);
    else
        st = store_slow(cpu, addr, memop, val);
    store_fence(memop);
    return st;
}

static oryx_status guarded_store(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *in)
{
    struct attempt a;
    oryx_status st;
    attempt_begin(&a, cpu);
    if (sigsetjmp(a.guard.env, 0) &&
        (st = attempt_again(&a, cpu, ORYX_ACCESS_WRITE, addr, memop)) != ORYX_OK)
        return st;
    oryx__guard_arm(&a.guard, cpu->vcpu->space);
    st = store_memory(cpu, addr, memop, in);
    oryx__guard_disarm(&a.guard);
    return st;
}

__attribute__((noinline)) static oryx_status store_other(oryx_cpu *cpu, uint64_t addr,
                                                         uint32_t memop, const oryx_v128 *in)
{
    oryx_vcpu *v = cpu->vcpu;
    const oryx__io *io = oryx__io_find(v, addr, memop, 1);
    oryx_status st;
    if (io) {
        oryx__io_prepare(v, io, addr, memop, 1);
        if (oryx__io_store(v, io, addr, memop, in->lo, &st))
            return st;
    }
    return cpu->window.base ? guarded_store(cpu, addr, memop, in) : store_memory(cpu, addr, memop, in);
}

static oryx_status mem_store(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *in)
{
    const oryx_io_ready *e = &cpu->io.wr[oryx_io_hash(addr)];
    /* busy: translated code may lie there. */
    if (__builtin_expect(!oryx__io_is_ready(cpu, e, addr, memop) ||
                         __atomic_load_n(e->busy, __ATOMIC_SEQ_CST), 0))
        return store_other(cpu, addr, memop, in);
    oryx_io_call c = {.a = e->a, .e = e};
    c.a.value = in->lo & e->mask;
    oryx_status st = oryx__io_go(cpu, &c);
    if (__builtin_expect(st != ORYX_OK || __atomic_load_n(c.e->logged, __ATOMIC_RELAXED), 0))
        return io_done(cpu, c.e, st, NULL);
    return ORYX_OK;
}

/* --- atomics ---------------------------------------------------------------------------------- */

static oryx_v128 cut(oryx_v128 v, uint32_t size)
{
    if (size < 16)
        v.hi = 0;
    if (size < 8)
        v.lo &= ((uint64_t)1 << 8 * size) - 1;
    return v;
}

/* What an atomic does to memory: given the old value, the new one, or "leave it". Numbers, not
 * memory order. */
struct atomic {
    uint32_t kind; /* 0 rmw, 1 compare and swap, 2 store-exclusive: swap when nobody wrote */
    uint32_t op;
    oryx_v128 expect, val;
    oryx_v128 old; /* out */
    uint32_t swapped;
};

static int step(struct atomic *a, oryx_v128 old, uint32_t size, oryx_v128 *to)
{
    a->old = old;
    if (a->kind) {
        a->swapped = old.lo == a->expect.lo && old.hi == a->expect.hi;
        *to = a->val;
        return (int)a->swapped;
    }
    *to = cut((oryx_v128){oryx__combine(a->op, old.lo, a->val.lo, size), 0}, size);
    return 1;
}

/* One host atomic, repeated until it takes. host is aligned for 16 bytes; smaller sizes may be
 * unaligned (locked instructions allow that on x86; elsewhere unaligned ones go by the split lock).
 */
static void host_atomic(uint8_t *host, uint32_t size, uint32_t memop, struct atomic *a)
{
    oryx_v128 old = oryx__bulk_load(host, size);
    for (;;) {
        oryx_v128 number = old, to;
        if (memop & ORYX_MO_BE)
            turn(&number, size);
        if (!step(a, number, size, &to)) {
            /* A failed compare is still an atomic read: confirm that this value was there as a
             * whole. */
            to = number;
        }
        if (memop & ORYX_MO_BE)
            turn(&to, size);
        if (oryx__cas_host(host, size, &old, to))
            return;
    }
}

static void watched_atomic(oryx_vcpu *v, uint8_t *host, uint32_t size, uint32_t memop,
                           struct atomic *a)
{
    if (a->kind != 2) {
        host_atomic(host, size, memop, a);
        return;
    }
    if (!oryx__monitor_begin(v))
        return;
    v->in_monitor = 1;
    atomic_signal_fence(memory_order_seq_cst);
    if (v->tlbs->monitor.slot && v->machine->vcpus->len < 2) {
        /* All others who write pass the core, which waits for the monitor: no host atomic is needed. */
        oryx_v128 old = oryx__bulk_load(host, size), to;
        if (memop & ORYX_MO_BE)
            turn(&old, size);
        if (step(a, old, size, &to)) {
            if (memop & ORYX_MO_BE)
                turn(&to, size);
            oryx__bulk_store(host, size, to);
        }
    } else {
        host_atomic(host, size, memop, a);
    }
    atomic_signal_fence(memory_order_seq_cst);
    v->in_monitor = 0;
    oryx__monitor_end(v);
}

static oryx_status atomic_once(oryx_cpu *cpu, uint64_t addr, uint32_t memop, struct atomic *a)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop);
    if (misaligned(addr, memop))
        return fault(cpu, ORYX_ACCESS_WRITE, addr, UINT64_MAX, size, ORYX_FAULT_ALIGN);
    serve(cpu->vcpu);
    uint32_t idx = oryx__mo_index(memop);
    uint8_t *hit = cached(cpu, cpu->tlb[idx].wr, idx, addr, size);
    if (!hit)
        hit = tracked(cpu, idx, addr, size, a->kind != 2);
    if (hit && cached(cpu, cpu->tlb[idx].rd, idx, addr, size) == hit &&
        oryx__cas_host_ok(hit, size)) {
        watched_atomic(cpu->vcpu, hit, size, memop, a);
        return ORYX_OK;
    }
    struct walk w;
    walk_init(&w, cpu, addr, size, memop, ORYX_ACCESS_WRITE, ORYX_PROT_READ | ORYX_PROT_WRITE);
    oryx_status st = resolve(&w);
    if (!st)
        st = watch_begin(&w, memop, a->kind == 2 ? ORYX_WATCH_WRITE : ORYX_WATCH_READ | ORYX_WATCH_WRITE, NULL);
    uint8_t *host = st ? NULL : direct_host(&w, ORYX_PROT_READ | ORYX_PROT_WRITE);
    if (!st)
        write_begin(&w);
    if (host && oryx__cas_host_ok(host, size)) {
        watched_atomic(w.v, host, size, memop, a);
        touch_again(&w);
        fill(&w, host, memop, 1);
        if (w.mapped & ORYX_PROT_READ)
            fill(&w, host, memop, 0);
    } else if (!st) {
        /* Across pages, borders or in a device: read, then write, one vCPU at a time. */
        pthread_mutex_t *lock = &w.v->machine->mem->split_lock;
        oryx_v128 old = {0, 0}, to;
        pthread_mutex_lock(lock);
        w.v->split++;
        /* No monitor is held while a device is called. */
        if (a->kind == 2 && oryx__monitor_begin(w.v))
            oryx__monitor_end(w.v);
        else if (a->kind == 2)
            goto unlock;
        st = transfer(&w, (uint8_t *)&old, 0);
        if (!st) {
            if (memop & ORYX_MO_BE)
                turn(&old, size);
            if (step(a, old, size, &to)) {
                if (memop & ORYX_MO_BE)
                    turn(&to, size);
                st = transfer(&w, (uint8_t *)&to, 1);
            }
        }
    unlock:
        w.v->split--;
        pthread_mutex_unlock(lock);
        touch_again(&w);
    }
    if (!st && w.v->tlbs->watcher.step) {
        uint32_t wrote = !a->kind || a->swapped ? ORYX_WATCH_WRITE : 0;
        oryx_v128 value = a->kind ? a->val : cut((oryx_v128){oryx__combine(a->op, a->old.lo, a->val.lo, size), 0}, size);
        if (a->kind != 2 || wrote)
            oryx__watched_end(&w, 0, wrote | (a->kind == 2 ? 0 : ORYX_WATCH_READ), wrote ? value : a->old, a->old, 2);
    }
    oryx__vcpu_end(w.v);
    return st;
}

static oryx_status guarded_atomic(oryx_cpu *cpu, uint64_t addr, uint32_t memop, struct atomic *op)
{
    struct attempt a;
    oryx_status st;
    attempt_begin(&a, cpu);
    if (sigsetjmp(a.guard.env, 0) &&
        (st = attempt_again(&a, cpu, ORYX_ACCESS_WRITE, addr, memop)) != ORYX_OK)
        return st;
    oryx__guard_arm(&a.guard, cpu->vcpu->space);
    st = atomic_once(cpu, addr, memop, op);
    oryx__guard_disarm(&a.guard);
    return st;
}

static oryx_status do_atomic(oryx_cpu *cpu, uint64_t addr, uint32_t memop, struct atomic *op)
{
    return cpu->window.base ? guarded_atomic(cpu, addr, memop, op)
                            : atomic_once(cpu, addr, memop, op);
}

static oryx_status mem_rmw(oryx_cpu *cpu, uint64_t addr, uint64_t memop, uint64_t operand,
                           uint64_t *old)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop);
    struct atomic a = {.op = (uint32_t)(memop >> 32), .val = cut((oryx_v128){operand, 0}, size)};
    if (size > 8)
        return fault(cpu, ORYX_ACCESS_WRITE, addr, UINT64_MAX, size, ORYX_E_UNSUPPORTED);
    oryx_status st = do_atomic(cpu, addr, (uint32_t)memop, &a);
    if (!st)
        *old = a.old.lo;
    return st;
}

static oryx_status mem_cas(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect,
                           const oryx_v128 *val, oryx_v128 *old)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop);
    struct atomic a = {.kind = 1, .expect = cut(*expect, size), .val = cut(*val, size)};
    oryx_status st = do_atomic(cpu, addr, memop, &a);
    if (!st)
        *old = a.old;
    return st;
}

/* --- exclusives ------------------------------------------------------------------------------- */

static oryx_status mem_ldx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop), idx = oryx__mo_index(memop);
    serve(cpu->vcpu);
    /* Armed before the value is read: who writes from now on is seen. */
    uint8_t *hit = misaligned(addr, memop) ? NULL : cached(cpu, cpu->tlb[idx].rd, idx, addr, size);
    oryx_status st = ORYX_OK;
    if (hit) {
        oryx__monitor_arm_host(cpu->vcpu, hit);
        *out = oryx__bulk_load(hit, size);
        if (memop & ORYX_MO_ACQUIRE)
            atomic_thread_fence(memory_order_acquire);
        if (memop & ORYX_MO_BE)
            turn(out, size);
    } else {
        oryx__monitor_arm(cpu->vcpu, addr, idx);
        st = mem_load(cpu, addr, memop, out);
    }
    cpu->monitor.active = st == ORYX_OK;
    if (!st) {
        cpu->monitor.addr = addr;
        cpu->monitor.value = *out;
        cpu->monitor.size = size;
    }
    return st;
}

/* Fails when somebody wrote what LDX watches (monitor.c). The value is compared as well: an emulated store in flight when the
 * page was watched for the first time is not announced. */
static oryx_status mem_stx(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val,
                           uint32_t *failed)
{
    uint32_t size = 1u << ORYX_MO_SIZE(memop);
    struct atomic a = {.kind = 2, .expect = cpu->monitor.value, .val = cut(*val, size)};
    int held = cpu->monitor.active && cpu->monitor.addr == addr && cpu->monitor.size == size;
    if (misaligned(addr, memop))
        return fault(cpu, ORYX_ACCESS_WRITE, addr, UINT64_MAX, size, ORYX_FAULT_ALIGN);
    oryx_status st = held ? do_atomic(cpu, addr, memop, &a) : ORYX_OK;
    if (st)
        return st;
    cpu->monitor.active = 0;
    *failed = !held || !a.swapped;
    return ORYX_OK;
}

const oryx_cpu_fns oryx__cpu_mem_fns = {
    .hdr = ORYX_HDR(oryx_cpu_fns),
    .load = mem_load,
    .store = mem_store,
    .rmw = mem_rmw,
    .cas = mem_cas,
    .ldx = mem_ldx,
    .stx = mem_stx,
    .io_done = io_done,
};
