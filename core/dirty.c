/* Dirty logging: which 4 KiB pages of a region were written, for several clients at once.
 * Owns: region->log. Called by: every write path (oryx__dirty_mark), tlb.c before it fills a
 * write entry, the ABI (oryx_dirty_*).
 * Invariant: while a client logs a region, a page that is clean in its record has no fast write
 * entry in any vCPU, and a write that began after a take is in the record when it is done.
 *
 * A record is a table of leaves made when their first bit is set; without memory for a leaf all
 * pages of the record count as dirty until they are taken. Marks are set after the store: a take
 * that comes between gives the old bytes and leaves the mark to the next take. */
#include <string.h>

#include "mem_internal.h"

#define LEAF_BITS  15u /* pages a leaf: 128 MiB of the region */
#define LEAF_WORDS ((1u << LEAF_BITS) / 64)

typedef _Atomic uint64_t word;

struct record {
    _Atomic(word *) *leaves;
    _Atomic uint32_t all; /* a bit could not be kept */
};

struct oryx__dirty_log {
    uint64_t pages;
    struct record of[ORYX_DIRTY_CLIENTS];
};

static uint64_t n_leaves(const struct oryx__dirty_log *log)
{
    return (log->pages + (1u << LEAF_BITS) - 1) >> LEAF_BITS;
}

/* The word with a page's bit; make: with a leaf if there is none yet. NULL: none. */
static word *word_of(struct record *rec, uint64_t page, int make)
{
    _Atomic(word *) *slot = &rec->leaves[page >> LEAF_BITS];
    word *leaf = atomic_load_explicit(slot, memory_order_acquire);
    if (!leaf && make) {
        word *fresh = oryx__alloc(LEAF_WORDS * sizeof(*fresh));
        if (!fresh) {
            atomic_store(&rec->all, 1);
            return NULL;
        }
        if (atomic_compare_exchange_strong(slot, &leaf, fresh))
            leaf = fresh;
        else
            oryx__free(fresh);
    }
    return leaf ? &leaf[page % (1u << LEAF_BITS) / 64] : NULL;
}

void oryx__dirty_set(oryx_region *r, uint64_t offset, uint64_t n)
{
    uint32_t clients = atomic_load(&r->logging);
    uint64_t first = offset >> ORYX_PAGE_BITS, last = (offset + (n - 1)) >> ORYX_PAGE_BITS;
    for (uint32_t c = 0; c < ORYX_DIRTY_CLIENTS; c++) {
        for (uint64_t p = first; clients >> c & 1 && p <= last && p < r->log->pages; p++) {
            word *w = word_of(&r->log->of[c], p, 1);
            uint64_t bit = (uint64_t)1 << p % 64;
            if (w && !(atomic_load_explicit(w, memory_order_relaxed) & bit))
                atomic_fetch_or(w, bit);
        }
    }
}

int oryx__dirty_clean(oryx_region *r, uint64_t offset, uint64_t n)
{
    uint32_t clients = atomic_load(&r->logging);
    uint64_t first = offset >> ORYX_PAGE_BITS, last = (offset + (n - 1)) >> ORYX_PAGE_BITS;
    for (uint32_t c = 0; c < ORYX_DIRTY_CLIENTS; c++) {
        struct record *rec = clients >> c & 1 ? &r->log->of[c] : NULL;
        if (!rec || atomic_load(&rec->all))
            continue;
        for (uint64_t p = first; p <= last && p < r->log->pages; p++) {
            word *w = word_of(rec, p, 0);
            if (!w || !(atomic_load(w) >> p % 64 & 1))
                return 1;
        }
    }
    return 0;
}

static void record_free(struct oryx__dirty_log *log, struct record *rec)
{
    for (uint64_t i = 0; rec->leaves && i < n_leaves(log); i++)
        oryx__free((void *)atomic_load(&rec->leaves[i]));
    oryx__free((void *)rec->leaves);
}

void oryx__dirty_free(oryx_region *r)
{
    for (uint32_t c = 0; r->log && c < ORYX_DIRTY_CLIENTS; c++)
        record_free(r->log, &r->log->of[c]);
    oryx__free(r->log);
    r->log = NULL;
}

/* Fast write entries to [offset, offset + n) are taken from every vCPU. */
static void slow(oryx_region *r, uint64_t offset, uint64_t n)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    GPtrArray *vcpus = r->machine->vcpus;
    if (!ORYX_HAS(r->ops, direct) || !r->ops->direct || r->ops->direct(r->self, offset, &d) ||
        !d.host)
        return;
    for (guint i = 0; i < vcpus->len; i++) {
        oryx_vcpu *v = vcpus->pdata[i];
        if (v->tlbs)
            oryx__tlb_slow_host(v, d.host, MIN(d.last, n - 1) + 1);
    }
}

/* A vCPU on another thread may have compared a tag before its entry was taken: wait until its
 * store is done. Not under the machine's lock. */
static void settle(oryx_machine *m)
{
    if (oryx__mem_inside(m))
        return;
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (v->tlbs && !oryx__vcpu_inside(v) && oryx__vcpu_running(v))
            oryx__tlb_request(v);
    }
    pthread_mutex_unlock(&m->lock);
    oryx__mem_synchronize(m);
}

static oryx_status log_make(oryx_region *r, uint32_t client)
{
    if (!r->log) {
        r->log = oryx__alloc(sizeof(*r->log));
        if (!r->log)
            return ORYX_E_NOMEM;
        r->log->pages = (r->last >> ORYX_PAGE_BITS) + 1;
    }
    struct record *rec = &r->log->of[client];
    if (!rec->leaves)
        rec->leaves = oryx__alloc(n_leaves(r->log) * sizeof(*rec->leaves));
    return rec->leaves ? ORYX_OK : ORYX_E_NOMEM;
}

static void record_clear(struct oryx__dirty_log *log, struct record *rec)
{
    for (uint64_t i = 0; i < n_leaves(log); i++) {
        word *leaf = atomic_load(&rec->leaves[i]);
        for (uint32_t k = 0; leaf && k < LEAF_WORDS; k++)
            atomic_store_explicit(&leaf[k], 0, memory_order_relaxed);
    }
    atomic_store(&rec->all, 0);
}

oryx_status oryx_dirty_start(oryx_region *r, uint32_t client, oryx_error *err)
{
    if (!r || client >= ORYX_DIRTY_CLIENTS)
        return oryx__error(err, ORYX_E_INVALID,
                           "dirty_start: give a region and an ORYX_DIRTY_* client");
    if (!r->ops)
        return oryx__error(err, ORYX_E_INVALID,
                           "region '%s' is structure only; log the regions that hold memory",
                           r->name);
    if (r->last >= (uint64_t)1 << 47)
        return oryx__error(err, ORYX_E_RANGE, "region '%s' is too large to be logged", r->name);
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&r->machine->lock);
    if (r->logging >> client & 1) {
        st = oryx__error(err, ORYX_E_BUSY,
                         "region '%s' is already logged for this client; stop it first", r->name);
    } else {
        /* The region may have another size than when it was logged last. */
        if (r->log && !r->logging && r->log->pages != (r->last >> ORYX_PAGE_BITS) + 1)
            oryx__dirty_free(r);
        st = log_make(r, client);
        if (st)
            oryx__error(err, st, "region '%s': out of memory for its dirty pages", r->name);
    }
    if (!st) {
        record_clear(r->log, &r->log->of[client]);
        atomic_fetch_or(&r->logging, 1u << client);
        slow(r, 0, r->last + 1);
        oryx__window_update(r->machine);
        oryx__listeners_log(r, client, 1);
    }
    pthread_mutex_unlock(&r->machine->lock);
    if (!st)
        settle(r->machine);
    return st;
}

oryx_status oryx_dirty_stop(oryx_region *r, uint32_t client, oryx_error *err)
{
    if (!r || client >= ORYX_DIRTY_CLIENTS)
        return oryx__error(err, ORYX_E_INVALID,
                           "dirty_stop: give a region and an ORYX_DIRTY_* client");
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&r->machine->lock);
    if (!(r->logging >> client & 1)) {
        st = oryx__error(err, ORYX_E_STATE, "region '%s' is not logged for this client", r->name);
    } else {
        atomic_fetch_and(&r->logging, ~(1u << client));
        oryx__window_update(r->machine);
        oryx__listeners_log(r, client, 0);
    }
    pthread_mutex_unlock(&r->machine->lock);
    /* A write that saw the client in `logging` is done before the record can be freed or cleared.
     */
    if (!st)
        settle(r->machine);
    return st;
}

int64_t oryx_dirty_take(oryx_region *r, uint32_t client, uint64_t page, uint64_t n, uint64_t *bits,
                        uint32_t clear)
{
    int64_t count = 0;
    if (!r || client >= ORYX_DIRTY_CLIENTS)
        return ORYX_E_INVALID;
    pthread_mutex_lock(&r->machine->lock);
    struct oryx__dirty_log *log = r->logging >> client & 1 ? r->log : NULL;
    if (!log || page > log->pages || n > log->pages - page) {
        pthread_mutex_unlock(&r->machine->lock);
        return log ? ORYX_E_RANGE : ORYX_E_STATE;
    }
    struct record *rec = &log->of[client];
    uint32_t all = atomic_load(&rec->all);
    if (all && clear && (page || n < log->pages)) {
        /* A part of "all": the rest stays dirty, bit by bit if there is memory for it now. */
        for (uint64_t p = 0; p < log->pages; p++) {
            word *w = p < page || p >= page + n ? word_of(rec, p, 1) : NULL;
            if (w)
                atomic_fetch_or(w, (uint64_t)1 << p % 64);
            else if (p < page || p >= page + n)
                clear = 0; /* no memory: everything stays dirty, which is true for somebody */
            if (!clear)
                break;
        }
    }
    if (all && clear)
        atomic_store(&rec->all, 0);
    if (bits)
        memset(bits, 0, (n + 63) / 64 * sizeof(*bits));
    uint64_t run = 0; /* dirty pages just before p */
    for (uint64_t i = 0; i <= n; i++) {
        uint64_t p = page + i;
        word *w = i < n ? word_of(rec, p, 0) : NULL;
        int dirty = i < n && (all || (w && atomic_load(w) >> p % 64 & 1));
        if (i < n && !w && !all && !run) {
            /* No leaf: nothing here is dirty; on to the next. */
            uint64_t next = ((p >> LEAF_BITS) + 1) << LEAF_BITS;
            i += MIN(next - p, n - i) - 1;
            continue;
        }
        if (dirty) {
            count++;
            if (bits)
                bits[i / 64] |= (uint64_t)1 << i % 64;
            if (w && clear)
                atomic_fetch_and(w, ~((uint64_t)1 << p % 64));
            run++;
        } else if (run) {
            if (clear)
                slow(r, (p - run) << ORYX_PAGE_BITS, run << ORYX_PAGE_BITS);
            run = 0;
        }
    }
    pthread_mutex_unlock(&r->machine->lock);
    if (clear && count)
        settle(r->machine);
    return count;
}
