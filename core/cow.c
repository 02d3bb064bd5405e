/* What snapshots keep of guest memory: the bytes of every page as they were before it was first
 * changed.
 * Owns: struct oryx__cows (the kept pages of a machine) and region->cow. Called by: every write
 * path before it writes (oryx__write_begin, oryx__cow_keep), tlb.c before it fills a write entry,
 * snapshot.c for the rest.
 * Invariant: of a tracked region, a page that is not dirty holds the bytes it had at the last
 * take, revert, join or swap, and no vCPU has a fast write entry for it; a dirty page's old bytes
 * are kept.
 *
 * A kept page is in one of three states: dirty (in cows->dirty: memory may differ), clean (in no
 * list: memory is the same, the copy waits for the next time, so that a loop of restores neither
 * copies nor allocates on a first write), or in a list that belongs to a snapshot. Dirty and clean
 * ones are found by region->cow's table. Keeping may happen on any thread and takes cows->lock;
 * everything else happens while the machine is stopped. */
#include <stdio.h>
#include <string.h>

#include "io_cache.h"
#include "window.h"

#define LEAF_BITS   12u /* pages a leaf of the table: 16 MiB of the region */
#define LEAF_SIZE   (1u << LEAF_BITS)
#define CHUNK_PAGES 32u

struct oryx__cow_page {
    struct oryx__cow_page *next;
    oryx_region *region;
    uint64_t number;
    uint8_t *copy; /* NULL: zeros */
    _Atomic uint32_t dirty;
};
typedef struct oryx__cow_page page;
typedef _Atomic(page *) place;

struct table {
    struct table *older; /* outgrown: a reader may still be in it */
    uint64_t n;
    _Atomic(place *) leaves[];
};

struct oryx__cow {
    uint8_t *host;
    _Atomic(struct table *) table;
    _Atomic uint64_t reach; /* the highest `last` the region has had */
};

struct chunk {
    struct chunk *next;
    page pages[CHUNK_PAGES];
};

struct copies {
    struct copies *next;
    uint8_t pad[64 - sizeof(struct copies *)];
    uint8_t bytes[CHUNK_PAGES][ORYX_PAGE_SIZE];
};

struct oryx__cows {
    _Atomic uint32_t lock; /* what keeping changes */
    page *dirty;
    uint64_t n_dirty;
    page *free_pages;
    uint8_t *free_copies; /* linked by their first bytes */
    uint64_t n_free_copies, n_copies;
    struct chunk *chunks;
    struct copies *copies;
    struct oryx__cow_list *lists;
    _Atomic uint32_t lost;
    char why[240];
    uint8_t spare[ORYX_PAGE_SIZE];
};

static void cows_lock(struct oryx__cows *c)
{
    while (atomic_exchange_explicit(&c->lock, 1, memory_order_acquire))
        ;
}

static void cows_unlock(struct oryx__cows *c)
{
    atomic_store_explicit(&c->lock, 0, memory_order_release);
}

/* --- storage ---------------------------------------------------------------------------------- */

static page *page_new(struct oryx__cows *c)
{
    if (!c->free_pages) {
        struct chunk *chunk = oryx__alloc(sizeof(*chunk));
        if (!chunk)
            return NULL;
        chunk->next = c->chunks;
        c->chunks = chunk;
        for (uint32_t i = 0; i < CHUNK_PAGES; i++) {
            chunk->pages[i].next = c->free_pages;
            c->free_pages = &chunk->pages[i];
        }
    }
    page *p = c->free_pages;
    c->free_pages = p->next;
    *p = (page){0};
    return p;
}

static int copies_add(struct oryx__cows *c)
{
    struct copies *more = oryx__alloc(sizeof(*more));
    if (!more)
        return 0;
    more->next = c->copies;
    c->copies = more;
    for (uint32_t i = CHUNK_PAGES; i-- > 0;) {
        memcpy(more->bytes[i], &c->free_copies, sizeof(c->free_copies));
        c->free_copies = more->bytes[i];
    }
    c->n_free_copies += CHUNK_PAGES;
    return 1;
}

static uint8_t *copy_new(struct oryx__cows *c)
{
    if (!c->free_copies && !copies_add(c))
        return NULL;
    uint8_t *copy = c->free_copies;
    memcpy(&c->free_copies, copy, sizeof(c->free_copies));
    c->n_free_copies--;
    c->n_copies++;
    return copy;
}

static void copy_free(struct oryx__cows *c, uint8_t *copy)
{
    if (!copy)
        return;
    memcpy(copy, &c->free_copies, sizeof(c->free_copies));
    c->free_copies = copy;
    c->n_free_copies++;
    c->n_copies--;
}

static void page_free(struct oryx__cows *c, page *p)
{
    copy_free(c, p->copy);
    p->copy = NULL;
    p->next = c->free_pages;
    c->free_pages = p;
}

/* --- the table -------------------------------------------------------------------------------- */

static place *place_of(struct oryx__cow *cow, uint64_t number)
{
    struct table *t = atomic_load_explicit(&cow->table, memory_order_acquire);
    uint64_t leaf = number >> LEAF_BITS;
    place *places = leaf < t->n ? atomic_load_explicit(&t->leaves[leaf], memory_order_acquire) : NULL;
    return places ? &places[number & (LEAF_SIZE - 1)] : NULL;
}

static struct table *table_new(uint64_t n, const struct table *from)
{
    struct table *t = oryx__alloc(sizeof(*t) + n * sizeof(t->leaves[0]));
    if (!t)
        return NULL;
    t->n = n;
    for (uint64_t i = 0; from && i < from->n; i++)
        atomic_store_explicit(&t->leaves[i],
                              atomic_load_explicit(&from->leaves[i], memory_order_relaxed),
                              memory_order_relaxed);
    return t;
}

/* The place, made if there is none. With the lock. NULL: out of memory. */
static place *place_make(struct oryx__cow *cow, uint64_t number)
{
    struct table *t = atomic_load_explicit(&cow->table, memory_order_relaxed);
    uint64_t leaf = number >> LEAF_BITS;
    if (leaf >= t->n) {
        struct table *more = table_new(leaf + 1 + t->n, t);
        if (!more)
            return NULL;
        more->older = t;
        atomic_store_explicit(&cow->table, more, memory_order_release);
        t = more;
    }
    place *places = atomic_load_explicit(&t->leaves[leaf], memory_order_relaxed);
    if (!places) {
        places = oryx__alloc(LEAF_SIZE * sizeof(*places));
        if (!places)
            return NULL;
        atomic_store_explicit(&t->leaves[leaf], places, memory_order_release);
    }
    return &places[number & (LEAF_SIZE - 1)];
}

static void cow_free(struct oryx__cow *cow)
{
    struct table *t = atomic_load(&cow->table);
    for (uint64_t i = 0; t && i < t->n; i++)
        oryx__free((void *)atomic_load(&t->leaves[i]));
    for (struct table *older; t; t = older) {
        older = t->older;
        oryx__free(t);
    }
    oryx__free(cow);
}

/* --- keeping ---------------------------------------------------------------------------------- */

__attribute__((cold)) void oryx__cow_lose(oryx_region *r, uint64_t number, const char *what)
{
    struct oryx__cows *c = r->machine->mem->cows;
    if (c && atomic_load(&r->cow) && !atomic_exchange(&c->lost, 1))
        snprintf(c->why, sizeof(c->why), "region '%s': the page at 0x%llx %s; drop the snapshots", r->name,
                 (unsigned long long)(number << ORYX_PAGE_BITS), what);
}

static uint64_t page_bytes(const struct oryx__cow *cow, uint64_t number)
{
    uint64_t reach = atomic_load_explicit(&cow->reach, memory_order_relaxed);
    return MIN(reach - (number << ORYX_PAGE_BITS), ORYX__PAGE_MASK) + 1;
}

static int is_zero(const uint8_t *p, uint64_t n)
{
    return !p[0] && (n == 1 || !memcmp(p, p + 1, n - 1));
}

/* Fill the copy of a page from bytes. False: out of memory. */
static int copy_from(struct oryx__cows *c, page *p, const uint8_t *bytes, uint64_t n)
{
    if (is_zero(bytes, n)) {
        copy_free(c, p->copy);
        p->copy = NULL;
        return 1;
    }
    if (!p->copy && !(p->copy = copy_new(c)))
        return 0;
    memcpy(p->copy, bytes, n);
    memset(p->copy + n, 0, ORYX_PAGE_SIZE - n); /* what the region grows by */
    return 1;
}

/* The space whose window has a page: its owner may have taken the page's protections away, so it is copied with care. */
static const oryx_space *window_of(oryx_machine *m, const uint8_t *host)
{
    for (guint i = 0; m->window_mode != ORYX__WINDOW_OFF && i < m->mem->spaces->len; i++)
        if (oryx__window_has(m->mem->spaces->pdata[i], host))
            return m->mem->spaces->pdata[i];
    return NULL;
}

/* The bytes of a page now; in spare when they cannot be read where they are. */
static const uint8_t *page_now(oryx_machine *m, uint8_t *host, uint64_t n)
{
    const oryx_space *s = window_of(m, host);
    if (!s)
        return host;
    oryx__window_copy(s, host, m->mem->cows->spare, n, 0);
    return m->mem->cows->spare;
}

static void dirty_push(struct oryx__cows *c, page *p)
{
    p->next = c->dirty;
    c->dirty = p;
    c->n_dirty++;
    atomic_store_explicit(&p->dirty, 1, memory_order_release);
}

__attribute__((noinline)) static void keep_one(oryx_region *r, uint64_t number)
{
    struct oryx__cows *c = r->machine->mem->cows;
    struct oryx__cow *cow = atomic_load_explicit(&r->cow, memory_order_relaxed);
    cows_lock(c);
    place *at = place_of(cow, number);
    page *p = at ? atomic_load_explicit(at, memory_order_relaxed) : NULL;
    if (!p) {
        at = at ? at : place_make(cow, number);
        p = at ? page_new(c) : NULL;
        uint64_t n = page_bytes(cow, number);
        if (p && !copy_from(c, p, page_now(r->machine, cow->host + (number << ORYX_PAGE_BITS), n), n)) {
            page_free(c, p);
            p = NULL;
        }
        if (p) {
            p->region = r;
            p->number = number;
            dirty_push(c, p);
            atomic_store_explicit(at, p, memory_order_release);
        } else {
            oryx__cow_lose(r, number, "changed, and there was no memory to keep what it held");
        }
    } else if (!atomic_load_explicit(&p->dirty, memory_order_relaxed)) {
        dirty_push(c, p);
    }
    cows_unlock(c);
}

static int is_dirty(struct oryx__cow *cow, uint64_t number)
{
    place *at = place_of(cow, number);
    page *p = at ? atomic_load_explicit(at, memory_order_acquire) : NULL;
    return p && atomic_load_explicit(&p->dirty, memory_order_acquire);
}

void oryx__cow_keep(oryx_region *r, uint64_t offset, uint64_t n)
{
    struct oryx__cow *cow = atomic_load_explicit(&r->cow, memory_order_acquire);
    if (!cow || !n)
        return;
    uint64_t last = MIN(offset + (n - 1), atomic_load_explicit(&cow->reach, memory_order_relaxed));
    for (uint64_t k = offset >> ORYX_PAGE_BITS; k <= last >> ORYX_PAGE_BITS; k++)
        if (!is_dirty(cow, k))
            keep_one(r, k);
}

void oryx__cow_soon(const oryx_region *r, uint64_t offset)
{
    struct oryx__cow *cow = atomic_load_explicit(&r->cow, memory_order_acquire);
    place *at = cow ? place_of(cow, offset >> ORYX_PAGE_BITS) : NULL;
    if (at)
        __builtin_prefetch((void *)at);
}

void oryx__cow_missed(oryx_region *r, uint64_t offset, uint64_t n)
{
    struct oryx__cow *cow = atomic_load_explicit(&r->cow, memory_order_acquire);
    for (uint64_t k = offset >> ORYX_PAGE_BITS; cow && k <= (offset + (n - 1)) >> ORYX_PAGE_BITS; k++)
        if (!is_dirty(cow, k))
            oryx__cow_lose(r, k, "was changed through a direct pointer without oryx_region_writing or oryx_space_writing before");
}

void oryx__write_begin(oryx_space *s, const oryx__row *row, uint64_t addr, uint64_t n,
                       oryx_cpu *cpu)
{
    if (row && atomic_load_explicit(&row->region->cow, memory_order_acquire))
        oryx__cow_keep(row->region, row->offset + (addr - row->first), n);
    oryx__code_touch(s, row, addr, n, cpu);
}

const char *oryx__cow_lost(oryx_machine *m)
{
    struct oryx__cows *c = m->mem->cows;
    return c && atomic_load(&c->lost) ? c->why : NULL;
}

/* --- putting back ----------------------------------------------------------------------------- */

/* Code is dropped where bytes differ, by 64 of them. */
static void touch_differing(oryx_machine *m, const uint8_t *host, const uint8_t *bytes, uint64_t n)
{
    static const uint8_t zeros[64];
    uint64_t from = n;
    for (uint64_t i = 0; i <= n; i += 64) {
        uint64_t k = MIN(64, n - i);
        int differs = k && memcmp(host + i, bytes ? bytes + i : zeros, k);
        if (differs && from == n)
            from = i;
        if (!differs && from < n) {
            oryx__code_touch_host(m, host + from, i - from);
            from = n;
        }
        if (k < 64)
            break;
    }
    if (from < n)
        oryx__code_touch_host(m, host + from, n - from);
}

static void put(oryx_machine *m, const page *p, const uint8_t *bytes)
{
    oryx_region *r = p->region;
    struct oryx__cow *cow = atomic_load_explicit(&r->cow, memory_order_relaxed);
    uint8_t *host = cow->host + (p->number << ORYX_PAGE_BITS);
    uint64_t n = page_bytes(cow, p->number);
    const oryx_space *s = window_of(m, host);
    if (s) {
        static const uint8_t zeros[ORYX_PAGE_SIZE];
        oryx__code_touch_host(m, host, n);
        oryx__window_copy(s, host, (uint8_t *)(uintptr_t)(bytes ? bytes : zeros), n, 1);
        oryx__dirty_mark(r, p->number << ORYX_PAGE_BITS, n);
        return;
    }
    if (oryx__code_in_host(m->mem, host, n))
        touch_differing(m, host, bytes, n);
    if (!bytes)
        memset(host, 0, n);
    else if (n == ORYX_PAGE_SIZE)
        memcpy(host, bytes, ORYX_PAGE_SIZE);
    else
        memcpy(host, bytes, n);
    oryx__dirty_mark(r, p->number << ORYX_PAGE_BITS, n);
}

void oryx__cow_write(oryx_region *r, uint64_t number, const uint8_t *bytes)
{
    struct oryx__cow *cow = atomic_load(&r->cow);
    uint8_t *host = cow->host + (number << ORYX_PAGE_BITS);
    uint64_t n = page_bytes(cow, number);
    const uint8_t *now = page_now(r->machine, host, n);
    if (bytes ? !memcmp(now, bytes, n) : is_zero(now, n))
        return;
    oryx__cow_keep(r, number << ORYX_PAGE_BITS, n);
    put(r->machine, &(page){.region = r, .number = number}, bytes);
}

static void drop_writes(oryx_machine *m)
{
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (v->tlbs)
            oryx__tlb_writes_drop(v);
    }
}

/* Memory that a region had once and has no more is its backend's: get it back for the time in
 * which pages are put there. */
static void reach_all(oryx_machine *m, int begin)
{
    for (oryx_region *r = m->mem->newest; r; r = r->made.older) {
        const struct oryx__cow *cow = atomic_load_explicit(&r->cow, memory_order_relaxed);
        if (cow && cow->reach > r->last)
            r->ops->resize(r->self, begin ? cow->reach : r->last, NULL);
    }
}

static int beyond_end(const page *list)
{
    for (const page *p = list; p; p = p->next) {
        const struct oryx__cow *cow = atomic_load_explicit(&p->region->cow, memory_order_relaxed);
        if (atomic_load_explicit(&cow->reach, memory_order_relaxed) != p->region->last &&
            (p->number << ORYX_PAGE_BITS) + (page_bytes(cow, p->number) - 1) > p->region->last)
            return 1;
    }
    return 0;
}

void oryx__cow_revert(oryx_machine *m)
{
    struct oryx__cows *c = m->mem->cows;
    int beyond = beyond_end(c->dirty);
    if (beyond)
        reach_all(m, 1);
    for (page *p = c->dirty, *next; p; p = next) {
        next = p->next;
        put(m, p, p->copy);
        p->next = NULL;
        atomic_store_explicit(&p->dirty, 0, memory_order_relaxed);
    }
    c->dirty = NULL;
    c->n_dirty = 0;
    if (beyond)
        reach_all(m, 0);
    drop_writes(m);
}

oryx_status oryx__cow_reserve(oryx_machine *m, const struct oryx__cow_list *l, uint64_t *more)
{
    struct oryx__cows *c = m->mem->cows;
    for (const page *p = l->first; p; p = p->next)
        *more += !p->copy;
    while (c->n_free_copies < *more)
        if (!copies_add(c))
            return ORYX_E_NOMEM;
    return ORYX_OK;
}

/* A clean page kept for p's place has other bytes than memory from now on. */
static void forget_clean(struct oryx__cows *c, const page *p)
{
    place *at = place_of(atomic_load_explicit(&p->region->cow, memory_order_relaxed), p->number);
    page *kept = at ? atomic_load_explicit(at, memory_order_relaxed) : NULL;
    if (kept) {
        atomic_store_explicit(at, NULL, memory_order_relaxed);
        page_free(c, kept);
    }
}

void oryx__cow_swap(oryx_machine *m, struct oryx__cow_list *l)
{
    struct oryx__cows *c = m->mem->cows;
    int beyond = beyond_end(l->first);
    if (beyond)
        reach_all(m, 1);
    for (page *p = l->first; p; p = p->next) {
        const struct oryx__cow *cow = atomic_load_explicit(&p->region->cow, memory_order_relaxed);
        uint64_t n = page_bytes(cow, p->number);
        forget_clean(c, p);
        uint8_t *host = cow->host + (p->number << ORYX_PAGE_BITS);
        const uint8_t *now = page_now(m, host, n);
        if (now == host)
            memcpy(c->spare, host, n);
        put(m, p, p->copy);
        copy_from(c, p, c->spare, n); /* there is room: reserved */
    }
    if (beyond)
        reach_all(m, 0);
    drop_writes(m);
}

/* --- lists ------------------------------------------------------------------------------------ */

void oryx__cow_list_init(oryx_machine *m, struct oryx__cow_list *l)
{
    struct oryx__cows *c = m->mem->cows;
    *l = (struct oryx__cow_list){.older = c->lists};
    if (c->lists)
        c->lists->newer = l;
    c->lists = l;
}

void oryx__cow_list_free(oryx_machine *m, struct oryx__cow_list *l)
{
    struct oryx__cows *c = m->mem->cows;
    for (page *p = l->first, *next; p; p = next) {
        next = p->next;
        page_free(c, p);
    }
    if (l->newer)
        l->newer->older = l->older;
    else
        c->lists = l->older;
    if (l->older)
        l->older->newer = l->newer;
    *l = (struct oryx__cow_list){0};
}

void oryx__cow_take(oryx_machine *m, struct oryx__cow_list *l)
{
    struct oryx__cows *c = m->mem->cows;
    l->first = c->dirty;
    l->n = c->n_dirty;
    for (page *p = c->dirty; p; p = p->next) {
        atomic_store_explicit(place_of(atomic_load(&p->region->cow), p->number), NULL,
                              memory_order_relaxed);
        atomic_store_explicit(&p->dirty, 0, memory_order_relaxed);
    }
    c->dirty = NULL;
    c->n_dirty = 0;
    drop_writes(m);
}

void oryx__cow_join(oryx_machine *m, struct oryx__cow_list *l)
{
    struct oryx__cows *c = m->mem->cows;
    for (page *p = l->first, *next; p; p = next) {
        next = p->next;
        place *at = place_of(atomic_load_explicit(&p->region->cow, memory_order_relaxed), p->number);
        page *kept = atomic_load_explicit(at, memory_order_relaxed);
        if (kept) { /* the list's bytes are older */
            copy_free(c, kept->copy);
            kept->copy = p->copy;
            p->copy = NULL;
            page_free(c, p);
            if (!atomic_load_explicit(&kept->dirty, memory_order_relaxed))
                dirty_push(c, kept);
        } else {
            dirty_push(c, p);
            atomic_store_explicit(at, p, memory_order_release);
        }
    }
    l->first = NULL;
    l->n = 0;
}

static guint page_hash(gconstpointer key)
{
    const page *p = key;
    return (guint)(((uint64_t)(uintptr_t)p->region ^ p->number << 20) * 0x9e3779b97f4a7c15u >> 32);
}

static gboolean page_equal(gconstpointer a, gconstpointer b)
{
    const page *x = a, *y = b;
    return x->region == y->region && x->number == y->number;
}

int oryx__cow_merge(oryx_machine *m, struct oryx__cow_list *a, struct oryx__cow_list *b)
{
    struct oryx__cows *c = m->mem->cows;
    GHashTable *in = g_hash_table_new(page_hash, page_equal);
    int ok = in != NULL;
    for (page *p = a->first; p && ok; p = p->next)
        ok = g_hash_table_add(in, p);
    if (!ok) {
        g_hash_table_destroy(in);
        return 0;
    }
    for (page *p = b->first, *next; p; p = next) {
        next = p->next;
        if (g_hash_table_contains(in, p)) {
            page_free(c, p);
        } else {
            p->next = a->first;
            a->first = p;
            a->n++;
        }
    }
    b->first = NULL;
    b->n = 0;
    g_hash_table_destroy(in);
    return 1;
}

/* --- regions, life ---------------------------------------------------------------------------- */

oryx_status oryx__cow_track(oryx_region *r, uint8_t *host, oryx_error *err)
{
    if (!host)
        return oryx__error(err, ORYX_E_UNSUPPORTED,
                           "region '%s': its memory is not direct as a whole; exclude it", r->name);
    struct oryx__cow *cow = oryx__alloc(sizeof(*cow));
    struct table *t = cow ? table_new((r->last >> ORYX_PAGE_BITS >> LEAF_BITS) + 1, NULL) : NULL;
    if (!t) {
        oryx__free(cow);
        return oryx__error(err, ORYX_E_NOMEM, "region '%s': out of memory for its snapshots", r->name);
    }
    cow->host = host;
    atomic_store(&cow->reach, r->last);
    atomic_store(&cow->table, t);
    atomic_store(&r->cow, cow);
    /* Accesses that are ready were made so while writes needed no copy. */
    for (guint i = 0; i < r->machine->vcpus->len; i++)
        if (((oryx_vcpu *)r->machine->vcpus->pdata[i])->tlbs)
            oryx__io_flush(r->machine->vcpus->pdata[i]);
    return ORYX_OK;
}

static page *without(struct oryx__cows *c, page *list, const oryx_region *r, uint64_t *n)
{
    page *first = NULL, **end = &first;
    for (page *p = list, *next; p; p = next) {
        next = p->next;
        if (p->region == r) {
            page_free(c, p);
            --*n;
        } else {
            *end = p;
            end = &p->next;
        }
    }
    *end = NULL;
    return first;
}

void oryx__cow_forget(oryx_region *r)
{
    struct oryx__cows *c = r->machine->mem->cows;
    struct oryx__cow *cow = atomic_load(&r->cow);
    if (!cow)
        return;
    if (c) {
        cows_lock(c);
        c->dirty = without(c, c->dirty, r, &c->n_dirty);
        for (struct oryx__cow_list *l = c->lists; l; l = l->older)
            l->first = without(c, l->first, r, &l->n);
        struct table *t = atomic_load(&cow->table);
        for (uint64_t i = 0; i < t->n; i++) {
            place *places = atomic_load(&t->leaves[i]);
            for (uint32_t k = 0; places && k < LEAF_SIZE; k++) {
                page *p = atomic_load(&places[k]);
                if (p && p->region == r && !atomic_load(&p->dirty))
                    page_free(c, p);
            }
        }
        cows_unlock(c);
    }
    atomic_store(&r->cow, NULL);
    cow_free(cow);
}

void oryx__cow_reach(oryx_region *r, uint64_t last)
{
    struct oryx__cow *cow = atomic_load(&r->cow);
    if (cow && last > atomic_load(&cow->reach))
        atomic_store(&cow->reach, last);
}

void oryx__cow_moved(oryx_region *r)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    struct oryx__cow *cow = atomic_load(&r->cow);
    if (!cow || r->mode == ORYX_MODE_CALLBACK)
        return;
    if (r->ops->direct(r->self, 0, &d) || d.host != cow->host)
        oryx__cow_lose(r, 0, "went away: the backend has moved its memory");
}

oryx_status oryx__cow_start(oryx_machine *m, oryx_error *err)
{
    if (m->mem->cows)
        return ORYX_OK;
    struct oryx__cows *c = oryx__alloc(sizeof(*c));
    if (!c)
        return oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory");
    m->mem->cows = c;
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (v->tlbs)
            oryx__tlb_writes_begin(v);
    }
    return ORYX_OK;
}

void oryx__cow_end(oryx_machine *m)
{
    struct oryx__cows *c = m->mem->cows;
    if (!c)
        return;
    for (oryx_region *r = m->mem->newest; r; r = r->made.older) {
        struct oryx__cow *cow = atomic_load(&r->cow);
        atomic_store(&r->cow, NULL);
        if (cow)
            cow_free(cow);
    }
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (v->tlbs)
            oryx__tlb_writes_end(v);
    }
    m->mem->cows = NULL;
    for (struct chunk *k = c->chunks, *next; k; k = next) {
        next = k->next;
        oryx__free(k);
    }
    for (struct copies *k = c->copies, *next; k; k = next) {
        next = k->next;
        oryx__free(k);
    }
    oryx__free(c);
}

uint64_t oryx__cow_dirty(oryx_machine *m, uint64_t *kept_bytes)
{
    const struct oryx__cows *c = m->mem->cows;
    *kept_bytes = c ? c->n_copies * ORYX_PAGE_SIZE : 0;
    return c ? c->n_dirty : 0;
}
