/* The softmmu translation caches of a vCPU: storage, filling, growth, flushing. Behind each table, in the same allocation, lie the
 * entries it threw out last (victims): who misses the table looks there before it translates, and the two change places.
 * Owns: struct oryx__tlb_set and the tables behind cpu->tlb. Called by: access.c for fills,
 * address_space.c and code_page.c when a mapping or a code mark changes, machine.c for life and
 * flushes.
 * Invariant: an entry names a page that lies wholly in one range of bulk memory whose
 * protection allows the access, and a write entry names no page with translated code.
 *
 * Who may touch a table: the vCPU's thread fills, grows and flushes it, under `lock`; another
 * thread only makes write entries slow, under `lock`, by storing a tag that never hits. Engines
 * read entries without the lock: a tag is one aligned 64-bit word, so they see the old one or the
 * new one. */
#include <string.h>

#include "exec.h"
#include "io_cache.h"
#include "monitor.h"
#include "watch.h"

static void set_lock(struct oryx__tlb_set *set)
{
    while (atomic_exchange_explicit(&set->lock, 1, memory_order_acquire))
        ;
}

static void set_unlock(struct oryx__tlb_set *set)
{
    atomic_store_explicit(&set->lock, 0, memory_order_release);
}

static oryx_tlb_entry *table_new(uint64_t n)
{
    oryx_tlb_entry *t = oryx__alloc((n + ORYX__TLB_VICTIMS) * sizeof(*t));
    for (uint64_t i = 0; t && i < n + ORYX__TLB_VICTIMS; i++)
        t[i].tag = ORYX__TLB_NONE;
    return t;
}

/* The last one, victims included. */
static uint64_t last_of(const oryx_tlb *t)
{
    return t->mask + ORYX__TLB_VICTIMS;
}

/* The victim of a page, tracked or not, or NULL. */
static oryx_tlb_entry *victim_of(const oryx_tlb *t, int write, uint64_t page)
{
    oryx_tlb_entry *e = (write ? t->wr : t->rd) + t->mask + 1;
    for (unsigned i = 0; i < ORYX__TLB_VICTIMS; i++)
        if ((__atomic_load_n(&e[i].tag, __ATOMIC_RELAXED) & ~(uint64_t)ORYX__TRACKED) == page)
            return &e[i];
    return NULL;
}

oryx_status oryx__tlb_create(oryx_vcpu *v, oryx_error *err)
{
    v->tlbs = oryx__alloc(sizeof(*v->tlbs));
    oryx_status st = v->tlbs ? ORYX_OK : ORYX_E_NOMEM;
    oryx__io_create(v);
    /* Not 1: neighbouring pages have different entries, which is how an access that crosses misses. */
    uint64_t wanted = oryx__env_number("ORYX_TLB_ENTRIES", 0, 2, ORYX__TLB_MAX), n = wanted && !(wanted & (wanted - 1)) ? wanted : ORYX__TLB_MIN;
    if (!st)
        v->tlbs->most = wanted ? n : ORYX__TLB_MAX;
    for (unsigned i = 0; i < ORYX_MMU_INDEXES && !st; i++) {
        oryx_tlb *t = &v->cpu->tlb[i];
        t->mask = n - 1;
        t->rd = table_new(n);
        t->wr = table_new(n);
        if (!t->rd || !t->wr)
            st = ORYX_E_NOMEM;
        v->tlbs->own[i] = *t;
    }
    if (st) {
        oryx__tlb_destroy(v);
        return oryx__error(err, st, "vCPU: out of memory for its translation caches");
    }
    if (v->machine->mem && v->machine->mem->cows)
        oryx__tlb_writes_begin(v);
    return ORYX_OK;
}

void oryx__tlb_destroy(oryx_vcpu *v)
{
    if (v->tlbs) {
        oryx__free(v->tlbs->writes);
        oryx__watch_vcpu_free(v);
        oryx__watch_gone(v->machine, v);
    }
    for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++) {
        oryx__free(v->cpu->tlb[i].rd);
        oryx__free(v->cpu->tlb[i].wr);
        memset(&v->cpu->tlb[i], 0, sizeof(v->cpu->tlb[i]));
    }
    oryx__io_free(v);
    oryx__free(v->tlbs);
    v->tlbs = NULL;
}

uint64_t oryx__tlb_span(const oryx_vcpu *v)
{
    return v->tlbs->span;
}

static void drop(oryx_tlb_entry *e)
{
    __atomic_store_n(&e->tag, ORYX__TLB_NONE, __ATOMIC_RELAXED);
}

void oryx__tlb_flush(oryx_vcpu *v)
{
    struct oryx__tlb_set *set = v->tlbs;
    oryx__io_flush(v);
    set_lock(set);
    for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++) {
        oryx_tlb *t = &v->tlbs->own[i];
        if (!set->index[i].used)
            continue;
        for (uint64_t k = 0; k <= last_of(t); k++) {
            drop(&t->rd[k]);
            drop(&t->wr[k]);
        }
        set->index[i].used = set->index[i].clashes = 0;
    }
    if (set->writes)
        set->writes->n = 0;
    set_unlock(set);
}

void oryx__tlb_flush_range(oryx_vcpu *v, uint64_t addr, uint64_t size)
{
    uint64_t first = addr & ~ORYX__PAGE_MASK, last = (addr + size - 1) & ~ORYX__PAGE_MASK;
    if (!size || last < first || last - first >= 64 * (uint64_t)ORYX_PAGE_SIZE) {
        oryx__tlb_flush(v);
        return;
    }
    oryx__io_flush(v);
    set_lock(v->tlbs);
    for (uint64_t page = first;; page += ORYX_PAGE_SIZE) {
        for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++) {
            oryx_tlb *t = &v->tlbs->own[i];
            uint64_t k = (page >> ORYX_PAGE_BITS) & t->mask;
            if (t->rd[k].tag == page)
                drop(&t->rd[k]);
            if ((t->wr[k].tag & ~(uint64_t)ORYX__TRACKED) == page)
                drop(&t->wr[k]);
        }
        if (page == last)
            break;
    }
    for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++) {
        oryx_tlb *t = &v->tlbs->own[i];
        for (uint64_t k = t->mask + 1; k <= last_of(t); k++) {
            if (t->rd[k].tag - first <= last - first)
                drop(&t->rd[k]);
            if ((t->wr[k].tag & ~(uint64_t)ORYX__TRACKED) - first <= last - first)
                drop(&t->wr[k]);
        }
    }
    set_unlock(v->tlbs);
}

void oryx__tlb_request(oryx_vcpu *v)
{
    if (oryx__vcpu_inside(v)) {
        oryx__tlb_flush(v);
        return;
    }
    atomic_fetch_or_explicit(&v->requests, ORYX__REQ_TLB_FLUSH, memory_order_seq_cst);
    __atomic_store_n(&v->cpu->slice.kick, -1, __ATOMIC_RELEASE);
    oryx__vcpu_wake(v); /* who asks may wait for the flush, and the vCPU for an interrupt */
}

void oryx__tlb_serve(oryx_vcpu *v)
{
    /* The bit goes first: a request that comes during the flush asks for another one. */
    atomic_fetch_and_explicit(&v->requests, ~ORYX__REQ_TLB_FLUSH, memory_order_seq_cst);
    oryx__tlb_flush(v);
}

/* Four times larger when the table throws out live entries faster than it is large: a working set
 * beyond its reach. */
static void grow(oryx_tlb *t)
{
    uint64_t n = (t->mask + 1) * 4;
    oryx_tlb_entry *rd = table_new(n), *wr = table_new(n);
    if (!rd || !wr) {
        oryx__free(rd);
        oryx__free(wr);
        return;
    }
    for (uint64_t k = last_of(t) + 1; k-- > 0;) { /* victims first: what is in the table is newer */
        if (t->rd[k].tag != ORYX__TLB_NONE)
            rd[(t->rd[k].tag >> ORYX_PAGE_BITS) & (n - 1)] = t->rd[k];
        if (t->wr[k].tag != ORYX__TLB_NONE)
            wr[(t->wr[k].tag >> ORYX_PAGE_BITS) & (n - 1)] = t->wr[k];
    }
    oryx__free(t->rd);
    oryx__free(t->wr);
    t->rd = rd;
    t->wr = wr;
    t->mask = n - 1;
}

/* offset: of addr in the region r whose memory host is. */
void oryx__tlb_fill(oryx_cpu *cpu, uint32_t idx, uint64_t addr, uint8_t *host, int write,
                    oryx_region *r, uint64_t offset)
{
    oryx_vcpu *v = cpu->vcpu;
    struct oryx__tlb_set *set = v->tlbs;
    oryx_tlb *t = &cpu->tlb[idx];
    uint64_t page = addr & ~ORYX__PAGE_MASK;
    uint8_t *host_page = host - (addr & ORYX__PAGE_MASK);
    int kept = write && atomic_load_explicit(&r->cow, memory_order_acquire);
    if (kept) /* the guest's page may be parts of two of the region's */
        oryx__cow_keep(r, offset - (addr & ORYX__PAGE_MASK), ORYX_PAGE_SIZE);
    set_lock(set);
    /* Under the lock: whoever marks the page next finds the entry (tlb_slow_host); whoever marked
     * it before is seen here. */
    if (write && (oryx__code_in_host(v->machine->mem, host_page, ORYX_PAGE_SIZE) ||
                  oryx__dirty_wanted(r, offset - (addr & ORYX__PAGE_MASK), ORYX_PAGE_SIZE))) {
        set_unlock(set);
        return;
    }
    if (set->index[idx].clashes > t->mask / 2 && t->mask + 1 < set->most) {
        grow(t);
        set->own[idx] = *t;
        set->index[idx].clashes = 0;
    }
    oryx_tlb_entry *e = &(write ? t->wr : t->rd)[(page >> ORYX_PAGE_BITS) & t->mask], *old = victim_of(t, write, page);
    if (old)
        drop(old);
    if (e->tag != ORYX__TLB_NONE && (e->tag & ~ORYX__PAGE_MASK) != page) {
        old = old ? old : &(write ? t->wr : t->rd)[t->mask + 1 + set->index[idx].clashes % ORYX__TLB_VICTIMS];
        *old = *e;
        set->index[idx].clashes++;
    }
    set->index[idx].used++;
    e->addend = (uint64_t)(uintptr_t)host_page - page;
    int tracked = write && oryx__monitor_tracks(v->machine->mem, host_page);
    __atomic_store_n(&e->tag, page | (tracked ? ORYX__TRACKED : 0), __ATOMIC_RELAXED);
    struct oryx__tlb_writes *w = kept ? set->writes : NULL;
    if (w && w->n < ORYX__TLB_WRITES) {
        w->at[w->n].page = page;
        w->at[w->n].index = idx;
    }
    if (w && w->n <= ORYX__TLB_WRITES)
        w->n++;
    set_unlock(set);
    uint64_t *fills = &v->machine->stats.tlb_fills;
    __atomic_store_n(fills, __atomic_load_n(fills, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

int oryx__tlb_victim(oryx_cpu *cpu, uint32_t idx, uint64_t addr, uint32_t size, int write)
{
    struct oryx__tlb_set *set = cpu->vcpu->tlbs;
    oryx_tlb *t = &set->own[idx];
    uint64_t page = addr & ~ORYX__PAGE_MASK;
    if (((addr + size - 1) & ~ORYX__PAGE_MASK) != page || cpu->tlb[idx].rd != t->rd || !victim_of(t, write, page))
        return 0;
    set_lock(set); /* another thread may make it slow */
    oryx_tlb_entry *old = victim_of(t, write, page), *e = &(write ? t->wr : t->rd)[(page >> ORYX_PAGE_BITS) & t->mask];
    if (old) {
        oryx_tlb_entry x = *e;
        /* An engine on this thread reads the table; the rest of the world is behind the lock. */
        e->addend = old->addend;
        __atomic_store_n(&e->tag, old->tag, __ATOMIC_RELAXED);
        *old = x;
        set->index[idx].clashes++;
    }
    set_unlock(set);
    return old != NULL;
}

void oryx__tlb_slow_host(oryx_vcpu *v, const uint8_t *host, uint64_t n)
{
    uint64_t lo = (uint64_t)(uintptr_t)host, hi = lo + n - 1;
    set_lock(v->tlbs);
    for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++) {
        oryx_tlb *t = &v->tlbs->own[i];
        for (uint64_t k = 0; v->tlbs->index[i].used && k <= last_of(t); k++) {
            uint64_t at = (t->wr[k].tag & ~ORYX__PAGE_MASK) + t->wr[k].addend;
            if (t->wr[k].tag != ORYX__TLB_NONE && at <= hi && at + ORYX__PAGE_MASK >= lo)
                drop(&t->wr[k]);
        }
    }
    set_unlock(v->tlbs);
}

void oryx__tlb_track(oryx_vcpu *v, const uint8_t *host)
{
    uint64_t page = (uint64_t)(uintptr_t)host & ~ORYX__PAGE_MASK;
    set_lock(v->tlbs);
    for (unsigned i = 0; i < ORYX_MMU_INDEXES; i++) {
        oryx_tlb *t = &v->tlbs->own[i];
        for (uint64_t k = 0; v->tlbs->index[i].used && k <= last_of(t); k++) {
            uint64_t tag = t->wr[k].tag, at = (tag & ~ORYX__PAGE_MASK) + t->wr[k].addend;
            /* Host memory need not lie on the guest's page grid. */
            if (tag != ORYX__TLB_NONE && at + ORYX__PAGE_MASK >= page && at <= page + ORYX__PAGE_MASK)
                __atomic_store_n(&t->wr[k].tag, tag | ORYX__TRACKED, __ATOMIC_RELAXED);
        }
    }
    set_unlock(v->tlbs);
}

void oryx__tlb_untrack(oryx_vcpu *v, oryx_tlb_entry *e, const uint8_t *host)
{
    set_lock(v->tlbs);
    if (e->tag != ORYX__TLB_NONE && !oryx__monitor_tracks(v->machine->mem, host))
        __atomic_store_n(&e->tag, e->tag & ~(uint64_t)ORYX__TRACKED, __ATOMIC_RELAXED);
    set_unlock(v->tlbs);
}

void oryx__tlb_writes_begin(oryx_vcpu *v)
{
    if (!v->tlbs->writes)
        v->tlbs->writes = oryx__alloc(sizeof(*v->tlbs->writes));
    oryx__tlb_slow_host(v, NULL, UINT64_MAX);
}

void oryx__tlb_writes_end(oryx_vcpu *v)
{
    oryx__free(v->tlbs->writes);
    v->tlbs->writes = NULL;
}

void oryx__tlb_writes_drop(oryx_vcpu *v)
{
    struct oryx__tlb_writes *w = v->tlbs->writes;
    if (!w || w->n > ORYX__TLB_WRITES) {
        oryx__tlb_slow_host(v, NULL, UINT64_MAX);
    } else {
        set_lock(v->tlbs);
        for (uint32_t i = 0; i < w->n; i++) {
            oryx_tlb *t = &v->cpu->tlb[w->at[i].index];
            oryx_tlb_entry *e = &t->wr[(w->at[i].page >> ORYX_PAGE_BITS) & t->mask];
            if ((e->tag & ~ORYX__PAGE_MASK) != w->at[i].page) /* tracked or not */
                e = victim_of(t, 1, w->at[i].page);
            if (e)
                drop(e);
        }
        set_unlock(v->tlbs);
    }
    if (w)
        w->n = 0;
}
