/* Marks of memory that holds translated code, so that every write to it drops the translations
 * first.
 * Owns: the marks of a machine. Called by: tb_cache.c (oryx__code_page_set), every write path,
 * commits.
 * Invariant: while a page of a space is marked, no write to its memory - through any address,
 * space, vCPU or the API - becomes visible without oryx__code_written for the marked address,
 * and no vCPU has a fast write entry for that memory.
 *
 * A mark is kept by the host memory behind it, so a write through an alias finds code that was
 * translated at another address. Protocol between translating and writing threads: the translator
 * sets the mark (which takes fast write entries away from every vCPU) before it reads the code
 * bytes. A slow write drops code, stores, then looks at the marks again after a fence: either the
 * translator reads the new bytes, or the writer sees the mark and drops the block once more. A fast
 * store that had compared its tag before the entry was taken away and stores after the bytes were
 * read is not seen; guests that modify code another vCPU is fetching need their architecture's
 * maintenance instructions, which drop code too. */
#include <string.h>

#include "monitor.h"

struct piece {
    const uint8_t *host; /* NULL: not direct */
    uint64_t phys, n;
};

struct code_page {
    oryx_space *space;
    uint64_t page;
    uint64_t n;
    struct piece pieces[];
};

#define FILTER_SIZE (1u << ORYX__FILTER_BITS)

static uint64_t host_key(const uint8_t *host)
{
    return (uint64_t)(uintptr_t)host >> ORYX_PAGE_BITS;
}

/* Memory that is not direct is known by its address; the top bit keeps these apart from host pages.
 */
static uint64_t phys_key(const oryx_space *s, uint64_t phys)
{
    return (((uint64_t)(uintptr_t)s * 0x9e3779b97f4a7c15u) ^ (phys >> ORYX_PAGE_BITS)) | 1ull << 63;
}

static _Atomic uint32_t *slot(struct oryx__mem *mem, uint64_t key)
{
    return &mem->filter[(key * 0x9e3779b97f4a7c15u) >> (64 - ORYX__FILTER_BITS)];
}

uint16_t oryx__code_filter(const oryx_space *s, const uint8_t *host, uint64_t phys)
{
    struct oryx__mem *mem = s->machine->mem;
    return (uint16_t)(slot(mem, host ? host_key(host) : phys_key(s, phys)) - mem->filter);
}

static guint page_hash(gconstpointer p)
{
    const struct code_page *c = p;
    uint64_t h = (c->page ^ (uint64_t)(uintptr_t)c->space) * 0x9e3779b97f4a7c15u;
    return (guint)(h >> 32);
}

static gboolean page_equal(gconstpointer a, gconstpointer b)
{
    const struct code_page *x = a, *y = b;
    return x->page == y->page && x->space == y->space;
}

oryx_status oryx__code_create(struct oryx__mem *mem, oryx_error *err)
{
    pthread_mutex_init(&mem->code_lock, NULL);
    mem->filter = oryx__alloc(FILTER_SIZE * sizeof(*mem->filter));
    if (!mem->filter)
        return oryx__error(err, ORYX_E_NOMEM, "machine: out of memory for its code marks");
    mem->code_pages = g_hash_table_new(page_hash, page_equal);
    mem->code_granules = g_hash_table_new(g_int64_hash, g_int64_equal);
    if (!mem->code_pages || !mem->code_granules)
        return oryx__error(err, ORYX_E_NOMEM, "machine: out of memory for its code marks");
    return ORYX_OK;
}

/* A granule: one page of host memory and the marks that touch it. */
struct granule {
    gint64 key;
    GPtrArray *pages; /* of struct code_page */
};

static void granule_drop(struct oryx__mem *mem, struct granule *g)
{
    g_hash_table_remove(mem->code_granules, &g->key);
    g_ptr_array_free(g->pages, TRUE);
    oryx__free(g);
}

static int link_key(struct oryx__mem *mem, uint64_t key, struct code_page *c)
{
    gint64 k = (gint64)key;
    struct granule *g = g_hash_table_lookup(mem->code_granules, &k);
    if (!g) {
        g = g_new0(struct granule, 1);
        if (!g)
            return 0;
        g->key = k;
        g->pages = g_ptr_array_new();
        if (!g->pages || !g_hash_table_insert(mem->code_granules, &g->key, g)) {
            g_ptr_array_free(g->pages, TRUE);
            oryx__free(g);
            return 0;
        }
    }
    if (!g_ptr_array_add(g->pages, c)) {
        if (!g->pages->len)
            granule_drop(mem, g);
        return 0;
    }
    atomic_fetch_add_explicit(slot(mem, key), 1, memory_order_seq_cst);
    return 1;
}

/* Also of a key that could not be linked. */
static int unlink_key(struct oryx__mem *mem, uint64_t key, struct code_page *c)
{
    gint64 k = (gint64)key;
    struct granule *g = g_hash_table_lookup(mem->code_granules, &k);
    if (!g || !g_ptr_array_remove_fast(g->pages, c))
        return 1;
    if (!g->pages->len)
        granule_drop(mem, g);
    atomic_fetch_sub_explicit(slot(mem, key), 1, memory_order_seq_cst);
    return 1;
}

static int each_key(struct oryx__mem *mem, struct code_page *c,
                    int (*fn)(struct oryx__mem *, uint64_t, struct code_page *))
{
    int ok = 1;
    for (uint64_t i = 0; i < c->n; i++) {
        const struct piece *p = &c->pieces[i];
        if (!p->host) {
            ok &= fn(mem, phys_key(c->space, p->phys), c);
            continue;
        }
        for (uint64_t k = host_key(p->host); k <= host_key(p->host + p->n - 1); k++)
            ok &= fn(mem, k, c);
    }
    return ok;
}

static void page_free(struct oryx__mem *mem, struct code_page *c)
{
    each_key(mem, c, unlink_key);
    g_hash_table_remove(mem->code_pages, c);
    oryx__free(c);
}

void oryx__code_destroy(struct oryx__mem *mem)
{
    GHashTableIter it;
    gpointer key;
    g_hash_table_iter_init(&it, mem->code_pages);
    while (g_hash_table_iter_next(&it, &key, NULL)) {
        each_key(mem, key, unlink_key);
        oryx__free(key);
    }
    g_hash_table_destroy(mem->code_pages);
    g_hash_table_destroy(mem->code_granules);
    oryx__free((void *)mem->filter);
    pthread_mutex_destroy(&mem->code_lock);
}

static int mark(oryx_space *s, uint64_t page)
{
    const oryx__view *view = atomic_load_explicit(&s->view, memory_order_seq_cst);
    uint64_t lo = page << ORYX_PAGE_BITS, hi = lo | ORYX__PAGE_MASK, n = 0;
    uint64_t first = oryx__view_lower(view, lo);
    const oryx__row *r;
    for (uint64_t i = first; (r = oryx__view_at(view, i)) && r->first <= hi;
         i = oryx__view_next(view, i))
        n += 2;
    struct code_page *c = oryx__alloc(sizeof(*c) + n * sizeof(c->pieces[0]));
    if (!c)
        return 0;
    c->space = s;
    c->page = page;
    for (uint64_t i = first; (r = oryx__view_at(view, i)) && r->first <= hi;
         i = oryx__view_next(view, i)) {
        uint64_t a = MAX(r->first, lo), b = MIN(r->last, hi);
        /* Direct memory may end inside the row; the rest is known by its address. */
        uint64_t direct = r->host && a <= r->host_last ? MIN(b, r->host_last) - a + 1 : 0;
        if (direct)
            c->pieces[c->n++] =
                (struct piece){.host = r->host + (a - r->first), .phys = a, .n = direct};
        if (!direct || direct <= b - a)
            c->pieces[c->n++] =
                (struct piece){.host = NULL, .phys = a + direct, .n = b - a + 1 - direct};
    }
    struct oryx__mem *mem = s->machine->mem;
    if (each_key(mem, c, link_key) && g_hash_table_add(mem->code_pages, c))
        return 1;
    each_key(mem, c, unlink_key);
    oryx__free(c);
    return 0;
}

/* Take fast write entries to the memory of a page from every vCPU. Not under code_lock: fills hold
 * their table's lock while they ask for marks. The caller holds what keeps machine->vcpus as it is.
 */
static void slow_page(oryx_space *s, uint64_t page)
{
    GPtrArray *vcpus = s->machine->vcpus;
    uint64_t lo = page << ORYX_PAGE_BITS, hi = lo | ORYX__PAGE_MASK;
    oryx__api_begin(s->machine->mem);
    const oryx__view *view = atomic_load_explicit(&s->view, memory_order_seq_cst);
    const oryx__row *r;
    for (uint64_t i = oryx__view_lower(view, lo); (r = oryx__view_at(view, i)) && r->first <= hi;
         i = oryx__view_next(view, i)) {
        uint64_t a = MAX(r->first, lo), b = MIN(r->last, hi);
        for (guint k = 0; r->host && a <= r->host_last && k < vcpus->len; k++) {
            oryx_vcpu *v = vcpus->pdata[k];
            if (v->tlbs)
                oryx__tlb_slow_host(v, r->host + (a - r->first), MIN(b, r->host_last) - a + 1);
        }
    }
    oryx__api_end(s->machine->mem);
}

/* Marks cannot be kept: from now on every page counts as code, and every slow write reports.
 * Slower, never stale. */
static void give_up(oryx_machine *m)
{
    if (!atomic_exchange_explicit(&m->mem->code_all, 1, memory_order_seq_cst))
        for (uint32_t i = 0; i < FILTER_SIZE; i++) /* who asks a counter alone hears yes */
            atomic_fetch_add_explicit(&m->mem->filter[i], 1, memory_order_seq_cst);
    for (guint k = 0; k < m->vcpus->len; k++) {
        oryx_vcpu *v = m->vcpus->pdata[k];
        if (v->tlbs)
            oryx__tlb_slow_host(v, NULL, UINT64_MAX);
    }
}

/* again: the mapping of a marked page changed, mark what it shows now. */
static void set(oryx_space *s, uint64_t page, int has_code, int again)
{
    struct oryx__mem *mem = s->machine->mem;
    struct code_page key = {.space = s, .page = page};
    int ok = 1, fresh = 0;
    pthread_mutex_lock(&mem->code_lock);
    struct code_page *c = g_hash_table_lookup(mem->code_pages, &key);
    if (c && (again || !has_code))
        page_free(mem, c);
    if (again ? c != NULL : has_code && !c) {
        oryx__api_begin(mem);
        ok = fresh = mark(s, page);
        oryx__api_end(mem);
    }
    pthread_mutex_unlock(&mem->code_lock);
    if (!ok)
        give_up(s->machine);
    else if (fresh)
        slow_page(s, page);
}

void oryx__code_page_set(oryx_space *s, uint64_t page, int has_code)
{
    set(s, page, has_code, 0);
}

int oryx__code_in_host(struct oryx__mem *mem, const uint8_t *host, uint64_t n)
{
    if (atomic_load_explicit(&mem->code_all, memory_order_relaxed))
        return 1;
    for (uint64_t k = host_key(host); k <= host_key(host + n - 1); k++) {
        if (!atomic_load_explicit(slot(mem, k), memory_order_seq_cst))
            continue;
        gint64 key = (gint64)k;
        pthread_mutex_lock(&mem->code_lock);
        int found = g_hash_table_contains(mem->code_granules, &key);
        pthread_mutex_unlock(&mem->code_lock);
        if (found)
            return 1;
    }
    return 0;
}

struct hit {
    oryx_space *space;
    uint64_t phys, n;
};

/* Report to every mark under one key that [host, host + n) - without host: [phys, phys + n) of s -
 * touches. Collected first, because a report may take marks away. */
static void touch_key(oryx_space *s, uint64_t key, const uint8_t *host, uint64_t phys, uint64_t n,
                      oryx_cpu *cpu)
{
    struct oryx__mem *mem = s->machine->mem;
    gint64 k = (gint64)key;
    if (!atomic_load_explicit(slot(mem, key), memory_order_seq_cst))
        return;
    pthread_mutex_lock(&mem->code_lock);
    struct granule *g = g_hash_table_lookup(mem->code_granules, &k);
    GArray *hits = g ? g_array_new(FALSE, FALSE, sizeof(struct hit)) : NULL;
    int ok = !g || hits;
    for (guint l = 0; g && l < g->pages->len; l++) {
        const struct code_page *c = g->pages->pdata[l];
        for (uint64_t i = 0; i < c->n; i++) {
            const struct piece *p = &c->pieces[i];
            uint64_t start = host ? (uint64_t)(uintptr_t)host : phys;
            uint64_t base = host ? (uint64_t)(uintptr_t)p->host : p->phys;
            if (!p->host != !host || (!host && c->space != s))
                continue;
            uint64_t a = MAX(start, base), b = MIN(start + n - 1, base + p->n - 1);
            struct hit h = {c->space, p->phys + (a - base), b - a + 1};
            if (a <= b)
                ok &= g_array_append_val(hits, h);
        }
    }
    pthread_mutex_unlock(&mem->code_lock);
    for (guint i = 0; hits && i < hits->len; i++) {
        const struct hit *h = &g_array_index(hits, struct hit, i);
        oryx__code_written(h->space, h->phys, h->n, cpu);
    }
    g_array_free(hits, TRUE);
    /* Out of memory for the list: all code goes. */
    if (!ok)
        oryx__tbs_flush(s->machine);
}

void oryx__code_touch(oryx_space *s, const oryx__row *row, uint64_t addr, uint64_t n, oryx_cpu *cpu)
{
    struct oryx__monitors *mon =
        atomic_load_explicit(&s->machine->mem->monitors, memory_order_acquire);
    if (mon)
        oryx__monitor_written(mon, row, addr, n, cpu);
    if (atomic_load_explicit(&s->machine->mem->code_all, memory_order_relaxed)) {
        oryx__code_written(s, addr, n, cpu);
        return;
    }
    uint64_t direct =
        row && row->host && addr <= row->host_last ? MIN(n - 1, row->host_last - addr) + 1 : 0;
    if (direct < n)
        touch_key(s, phys_key(s, addr + direct), NULL, addr + direct, n - direct, cpu);
    if (!direct)
        return;
    const uint8_t *host = row->host + (addr - row->first);
    n = direct;
    for (uint64_t k = host_key(host), last = host_key(host + n - 1); k <= last; k++) {
        const uint8_t *a =
            (const uint8_t *)(uintptr_t)MAX(k << ORYX_PAGE_BITS, (uint64_t)(uintptr_t)host);
        const uint8_t *b = (const uint8_t *)(uintptr_t)MIN(((k + 1) << ORYX_PAGE_BITS) - 1,
                                                           (uint64_t)(uintptr_t)(host + n - 1));
        touch_key(s, k, a, addr, (uint64_t)(b - a) + 1, cpu);
    }
}

void oryx__code_touch_host(oryx_machine *m, const uint8_t *host, uint64_t n)
{
    if (atomic_load_explicit(&m->mem->code_all, memory_order_relaxed)) {
        oryx__tbs_flush(m); /* whose memory it is nobody knows */
        return;
    }
    oryx__row row = {.last = n - 1, .host = (uint8_t *)(uintptr_t)host, .host_last = n - 1};
    oryx__code_touch(m->mem->spaces->pdata[0], &row, 0, n, NULL);
}

void oryx__code_unmap(oryx_space *s, uint64_t lo, uint64_t hi)
{
    struct oryx__mem *mem = s->machine->mem;
    GArray *pages = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    GHashTableIter it;
    gpointer key;
    uint64_t first = lo >> ORYX_PAGE_BITS, n = (hi >> ORYX_PAGE_BITS) - first + 1;
    pthread_mutex_lock(&mem->code_lock);
    /* Few pages are asked for one by one: the marks may be many. */
    int few = n < g_hash_table_size(mem->code_pages), ok = pages != NULL;
    for (uint64_t i = 0; few && i < n; i++) {
        struct code_page want = {.space = s, .page = first + i};
        if (g_hash_table_contains(mem->code_pages, &want))
            ok &= g_array_append_val(pages, want.page);
    }
    g_hash_table_iter_init(&it, mem->code_pages);
    while (!few && g_hash_table_iter_next(&it, &key, NULL)) {
        const struct code_page *c = key;
        if (c->space == s && c->page >= lo >> ORYX_PAGE_BITS && c->page <= hi >> ORYX_PAGE_BITS)
            ok &= g_array_append_val(pages, c->page);
    }
    pthread_mutex_unlock(&mem->code_lock);
    if (!ok) {
        give_up(s->machine);
        oryx__tbs_flush(s->machine);
    }
    for (guint i = 0; pages && i < pages->len; i++) {
        uint64_t page = g_array_index(pages, uint64_t, i);
        oryx__code_written(s, page << ORYX_PAGE_BITS, ORYX_PAGE_SIZE, NULL);
        set(s, page, 1, 1);
    }
    g_array_free(pages, TRUE);
}
