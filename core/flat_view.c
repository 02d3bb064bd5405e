/* Flat views: the sorted, disjoint rows that a space shows, kept in chunks that views share.
 * Owns: chunks, views and their hints. Called by: view_build.c and address_space.c at commit,
 * access paths for lookups.
 * Invariant: a published view and its chunks do not change; a chunk lives while a view shows it.
 *
 * A lookup asks the row found last, then where the page was found last (a hash of hints, verified
 * by the row itself, so it may be wrong), and only then searches. */
#include <string.h>

#include "mem_internal.h"

#define HINTS_FROM     8u /* rows; a smaller view is searched as fast */
#define HINTS_MIN_BITS 8u
#define HINTS_MAX_BITS 20u

static void hints_drop(oryx__hints *h)
{
    if (h && --h->views == 0)
        oryx__free(h);
}

oryx__view *oryx__view_new(void)
{
    return oryx__alloc(sizeof(oryx__view));
}

oryx__chunk *oryx__chunk_new(const oryx__row *rows, uint64_t n)
{
    void *block = oryx__realloc(NULL, sizeof(oryx__chunk) + 63);
    if (!block)
        return NULL;
    oryx__chunk *c = (oryx__chunk *)(((uintptr_t)block + 63) & ~(uintptr_t)63);
    c->n = (uint32_t)n;
    c->views = 1;
    c->block = block;
    memcpy(c->rows, rows, n * sizeof(c->rows[0]));
    for (uint64_t i = n; i < ORYX__CHUNK_ROWS; i++)
        c->rows[i] = (oryx__row){.first = 1, .last = 0};
    return c;
}

void oryx__chunk_drop(oryx__chunk *c)
{
    if (--c->views == 0)
        oryx__free(c->block);
}

void oryx__view_free(oryx__view *view)
{
    if (!view)
        return;
    for (uint32_t i = 0; i < view->n_chunks; i++)
        oryx__chunk_drop(view->slots[i].chunk);
    hints_drop(view->hints);
    oryx__free(view);
}

void oryx__view_hints(oryx__view *view, const oryx__view *old)
{
    uint32_t bits = HINTS_MIN_BITS;
    if (view->n < HINTS_FROM)
        return;
    while (bits < HINTS_MAX_BITS && (uint64_t)1 << bits < view->n * 4)
        bits++;
    if (old->hints && 64 - old->hints->shift >= bits) {
        view->hints = old->hints;
    } else {
        /* Without memory for them every lookup searches. */
        view->hints = oryx__alloc(sizeof(*view->hints) + (sizeof(uint32_t) << bits));
        if (!view->hints)
            return;
        view->hints->shift = 64 - bits;
    }
    view->hints->views++;
}

/* Neighbours stay neighbours: a run of pages shares cache lines, and up to the size of the table has no clashes. What lies
 * further apart is moved by a hash of the distance. */
static uint64_t slot_of(const oryx__hints *h, uint64_t page)
{
    uint32_t bits = 64 - h->shift;
    return (page + ((page >> bits) * 0x9e3779b97f4a7c15u >> h->shift)) & (((uint64_t)1 << bits) - 1);
}

static uint64_t search(const oryx__view *view, uint64_t addr)
{
    if (!view->n_chunks)
        return 0;
    /* The last chunk that starts at or before addr, then the first row there that ends at or
     * after it. Written so that the compiler needs no branch for the direction. */
    uint64_t lo = 0;
    for (uint64_t n = view->n_chunks; n > 1;) {
        uint64_t half = n / 2;
        lo = view->slots[lo + half].first <= addr ? lo + half : lo;
        n -= half;
    }
    const oryx__chunk *c = view->slots[lo].chunk;
    uint64_t row = 0;
    for (uint64_t n = c->n; n > 0;) {
        uint64_t half = n / 2;
        int right = c->rows[row + half].last < addr;
        row = right ? row + half + 1 : row;
        n = right ? n - half - 1 : half;
    }
    return row == c->n ? (lo + 1) << ORYX__CHUNK_BITS : lo << ORYX__CHUNK_BITS | row;
}

uint64_t oryx__view_lower(const oryx__view *view, uint64_t addr)
{
    return search(view, addr);
}

const oryx__row *oryx__view_find(const oryx__view *view, uint64_t addr, uint64_t *hint)
{
    const oryx__row *row = oryx__view_hit(view, *hint, addr);
    if (row)
        return row;
    _Atomic uint32_t *known = NULL;
    if (view->hints) {
        known = &view->hints->at[slot_of(view->hints, addr >> ORYX_PAGE_BITS)];
        uint64_t at = atomic_load_explicit(known, memory_order_relaxed);
        row = oryx__view_hit(view, at, addr);
        if (row) {
            *hint = at;
            return row;
        }
    }
    uint64_t at = search(view, addr);
    row = oryx__view_at(view, at);
    if (!row || row->first > addr)
        return NULL;
    if (known && at <= UINT32_MAX)
        atomic_store_explicit(known, (uint32_t)at, memory_order_relaxed);
    *hint = at;
    return row;
}

int oryx__view_lost(const oryx__view *old, const oryx__view *new_view, uint64_t *lo, uint64_t *hi)
{
    uint64_t first = UINT64_MAX, last = 0;
    const oryx__row *a;
    for (uint64_t at = oryx__view_lower(old, *lo); (a = oryx__view_at(old, at)) && a->first <= *hi;
         at = oryx__view_next(old, at)) {
        const oryx__row *b = oryx__view_at(new_view, oryx__view_lower(new_view, a->first));
        /* Still the same memory when one new row holds all of it at the same place. */
        if (b && b->first <= a->first && b->last >= a->last && b->region == a->region &&
            b->prot == a->prot && b->offset + (a->first - b->first) == a->offset &&
            b->flags == a->flags && b->dprot == a->dprot &&
            (a->host ? b->host && b->host + (a->first - b->first) == a->host &&
                           b->host_last >= a->host_last
                     : !b->host))
            continue;
        first = MIN(first, a->first);
        last = MAX(last, a->last);
    }
    if (first > last)
        return 0;
    *lo = MAX(*lo, first);
    *hi = MIN(*hi, last);
    return 1;
}

static int same_row(const oryx__row *a, const oryx__row *b)
{
    return a->first == b->first && a->last == b->last && a->region == b->region &&
           a->offset == b->offset && a->prot == b->prot;
}

/* Rows next to a dirty range may have been cut or joined, so the range is taken one byte wider. A
 * row that reaches into several ranges is told once. */
int oryx__view_diff(oryx_space *s, const oryx__view *old, const oryx__view *new_view)
{
    uint64_t old_at = 0, new_at = 0;
    for (uint32_t i = 0; i < s->n_dirty; i++) {
        uint64_t lo = s->dirty[i].lo - (s->dirty[i].lo != 0);
        uint64_t hi = s->dirty[i].hi + (s->dirty[i].hi != UINT64_MAX);
        const oryx__row *a, *b;
        uint64_t start = oryx__view_lower(old, lo);
        for (old_at = MAX(old_at, start); (a = oryx__view_at(old, old_at)) && a->first <= hi;
             old_at = oryx__view_next(old, old_at)) {
            b = oryx__view_at(new_view, oryx__view_lower(new_view, a->first));
            oryx__change c = {.row = a};
            if ((!b || !same_row(a, b)) && !g_array_append_val(s->removed, c))
                return 0;
        }
        start = oryx__view_lower(new_view, lo);
        for (new_at = MAX(new_at, start); (b = oryx__view_at(new_view, new_at)) && b->first <= hi;
             new_at = oryx__view_next(new_view, new_at)) {
            a = oryx__view_at(old, oryx__view_lower(old, b->first));
            oryx__change c = {.row = b, .same = a && same_row(a, b)};
            if (!g_array_append_val(s->added, c))
                return 0;
        }
    }
    return 1;
}
