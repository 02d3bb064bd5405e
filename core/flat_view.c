/* Flat views: a region tree rendered into a sorted array of disjoint rows.
 * Owns: the algorithms over views; the views belong to their space (address_space.c). Called
 * by: address_space.c at commit, access paths for lookups.
 * Invariant: the row that holds an address is the highest-priority enabled leaf there, with
 * what its whole path allows.
 *
 * Rendering collects the leaves of the dirty interval in winning order, then sweeps over their
 * starts with a heap of the leaves that are open, so the cost is O(leaves log leaves) whatever the
 * overlap; rows outside the interval are copied. */
#include <stdlib.h>
#include <string.h>

#include "mem_internal.h"

#define MAX_VISITS (1u << 24) /* aliases of aliases can multiply without bound */

typedef __int128 wide; /* an alias may put its target's start below zero */

struct leaf {
    uint64_t first, last, offset;
    oryx_region *region;
    uint32_t prot, order; /* lower order wins */
};

struct render {
    struct leaf *leaves;
    uint64_t n, cap;
    uint32_t visits;
    int failed; /* out of memory */
};

static void collect(struct render *c, oryx_region *r, wide base, wide lo, wide hi, uint32_t prot)
{
    if (!r->enabled || c->failed || ++c->visits > MAX_VISITS)
        return;
    wide end = base + r->last;
    if (lo < base)
        lo = base;
    if (hi > end)
        hi = end;
    if (lo > hi)
        return;
    prot &= r->prot;
    for (guint i = 0; r->children && i < r->children->len; i++) {
        oryx_region *child = r->children->pdata[i];
        wide at = base + child->offset;
        if (at <= hi && at + child->last >= lo)
            collect(c, child, at, lo, hi, prot);
    }
    if (r->target)
        collect(c, r->target, base - r->target_offset, lo, hi, prot);
    if (!r->ops)
        return;
    if (c->n == c->cap) {
        uint64_t cap = c->cap ? c->cap * 2 : 32;
        struct leaf *p = oryx__realloc(c->leaves, cap * sizeof(*p));
        if (!p) {
            c->failed = 1;
            return;
        }
        c->leaves = p;
        c->cap = cap;
    }
    c->leaves[c->n] = (struct leaf){.first = (uint64_t)lo,
                                    .last = (uint64_t)hi,
                                    .offset = (uint64_t)(lo - base),
                                    .region = r,
                                    .prot = prot,
                                    .order = (uint32_t)c->n};
    c->n++;
}

static int by_first(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

static void heap_push(const struct leaf **heap, uint64_t *n, const struct leaf *l)
{
    uint64_t i = (*n)++;
    while (i && heap[(i - 1) / 2]->order > l->order) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i] = l;
}

static void heap_pop(const struct leaf **heap, uint64_t *n)
{
    const struct leaf *l = heap[--*n];
    uint64_t i = 0;
    for (uint64_t k = 1; k < *n; k = 2 * i + 1) {
        if (k + 1 < *n && heap[k + 1]->order < heap[k]->order)
            k++;
        if (heap[k]->order >= l->order)
            break;
        heap[i] = heap[k];
        i = k;
    }
    heap[i] = l;
}

/* Append a row, joining it to the one before when they are one range of one region. */
static void append(oryx__view *view, const oryx__row *row)
{
    oryx__row *p = view->n ? &view->rows[view->n - 1] : NULL;
    if (p && p->last + 1 == row->first && p->region == row->region && p->prot == row->prot &&
        p->offset + (row->first - p->first) == row->offset) {
        p->last = row->last;
        p->fresh = 1;
        return;
    }
    view->rows[view->n++] = *row;
}

static void sweep(oryx__view *view, const struct leaf *leaves, uint64_t n, const struct leaf **heap)
{
    uint64_t i = 0, open = 0, at = 0;
    while (i < n || open) {
        if (!open)
            at = leaves[i].first;
        while (i < n && leaves[i].first <= at)
            heap_push(heap, &open, &leaves[i++]);
        while (open && heap[0]->last < at)
            heap_pop(heap, &open);
        if (!open)
            continue;
        const struct leaf *top = heap[0];
        uint64_t end = top->last;
        if (i < n && leaves[i].first - 1 < end)
            end = leaves[i].first - 1;
        append(view, &(oryx__row){.first = at,
                                  .last = end,
                                  .region = top->region,
                                  .offset = top->offset + (at - top->first),
                                  .prot = top->prot,
                                  .fresh = 1});
        if (end == UINT64_MAX)
            return;
        at = end + 1;
    }
}

/* Ask the backend for the memory behind a row. A backend may cover a prefix only: the rest goes by
 * `access`. */
static void ask_direct(oryx__row *row)
{
    const oryx_region_ops *ops = row->region->ops;
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    row->fresh = 0;
    row->host = NULL;
    if (!ORYX_HAS(ops, direct) || !ops->direct || ops->direct(row->region->self, row->offset, &d) ||
        !d.host)
        return;
    uint64_t span = row->last - row->first;
    row->host = d.host;
    row->host_last = row->first + (d.last < span ? d.last : span);
    row->dprot = d.prot;
    row->flags = d.flags;
}

/* Room for n rows; the view retired last serves again when it is large enough. Rows are not zeroed.
 */
static oryx__view *view_new(struct oryx__mem *mem, uint64_t n)
{
    oryx__view *view = mem->spare;
    if (view && view->cap >= n) {
        mem->spare = NULL;
        view->n = 0;
        view->next = NULL;
        return view;
    }
    n += n / 2; /* a growing tree asks for a little more each time */
    view = oryx__realloc(NULL, sizeof(*view) + n * sizeof(oryx__row));
    if (view)
        *view = (oryx__view){.cap = n};
    return view;
}

oryx_status oryx__view_build(oryx_space *s, oryx__view **out, oryx_error *err)
{
    const oryx__view *old = atomic_load_explicit(&s->view, memory_order_relaxed);
    struct render c = {0};
    *out = NULL;
    collect(&c, s->root, 0, s->dirty_lo, s->dirty_hi, ORYX_PROT_ALL);
    uint64_t kept = old->n + 2;
    oryx__view *view = NULL;
    const struct leaf **heap = NULL;
    if (!c.failed && c.visits <= MAX_VISITS) {
        view = view_new(s->machine->mem, kept + 2 * c.n + 1);
        heap = oryx__alloc((c.n + 1) * sizeof(*heap));
    }
    if (!view || !heap) {
        oryx__free(c.leaves);
        oryx__free(view);
        oryx__free(heap);
        if (c.visits > MAX_VISITS)
            return oryx__error(
                err, ORYX_E_RANGE,
                "space '%s': aliases multiply to more than %u ranges; flatten the tree", s->name,
                MAX_VISITS);
        return oryx__error(err, ORYX_E_NOMEM,
                           "space '%s': out of memory for its view of %llu ranges", s->name,
                           (unsigned long long)(kept + c.n));
    }
    if (c.n)
        qsort(c.leaves, c.n, sizeof(*c.leaves), by_first);
    /* Rows before the interval as they were; the one that reaches into it is cut. */
    uint64_t i = oryx__view_lower(old, s->dirty_lo);
    memcpy(view->rows, old->rows, i * sizeof(old->rows[0]));
    view->n = i;
    uint64_t asked = i ? i - 1 : 0; /* rows before it are untouched */
    if (i < old->n && old->rows[i].first < s->dirty_lo) {
        view->rows[view->n] = old->rows[i];
        view->rows[view->n].last = s->dirty_lo - 1;
        view->rows[view->n++].fresh = 1;
    }
    sweep(view, c.leaves, c.n, heap);
    /* Rows after it: the first one may be cut, or join what was rendered. */
    i = s->dirty_hi == UINT64_MAX ? old->n : oryx__view_lower(old, s->dirty_hi + 1);
    if (i < old->n) {
        oryx__row row = old->rows[i++];
        if (row.first <= s->dirty_hi) {
            row.offset += s->dirty_hi + 1 - row.first;
            row.first = s->dirty_hi + 1;
            row.fresh = 1;
        }
        append(view, &row);
    }
    uint64_t asked_end = view->n;
    memcpy(view->rows + view->n, old->rows + i, (old->n - i) * sizeof(old->rows[0]));
    view->n += old->n - i;
    for (i = asked; i < asked_end; i++) {
        oryx__row *row = &view->rows[i];
        if (row->fresh || (s->redirect && row->last >= s->dirty_lo && row->first <= s->dirty_hi))
            ask_direct(row);
    }
    oryx__free(c.leaves);
    oryx__free(heap);
    *out = view;
    return ORYX_OK;
}

uint64_t oryx__view_lower(const oryx__view *view, uint64_t addr)
{
    uint64_t lo = 0, hi = view->n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (view->rows[mid].last < addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const oryx__row *oryx__view_find(const oryx__view *view, uint64_t addr, uint64_t *hint)
{
    if (*hint < view->n && addr >= view->rows[*hint].first && addr <= view->rows[*hint].last)
        return &view->rows[*hint];
    uint64_t i = oryx__view_lower(view, addr);
    if (i == view->n || view->rows[i].first > addr)
        return NULL;
    *hint = i;
    return &view->rows[i];
}

int oryx__view_lost(const oryx__view *old, const oryx__view *new_view, uint64_t *lo, uint64_t *hi)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (uint64_t i = oryx__view_lower(old, *lo); i < old->n && old->rows[i].first <= *hi; i++) {
        const oryx__row *a = &old->rows[i];
        uint64_t hint = oryx__view_lower(new_view, a->first);
        const oryx__row *b = hint < new_view->n ? &new_view->rows[hint] : NULL;
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

oryx_region *oryx__region_resolve(oryx_region *r, uint64_t *offset, uint32_t *prot)
{
    if (!r->enabled || *offset > r->last)
        return NULL;
    uint32_t mine = *prot & r->prot;
    for (guint i = 0; r->children && i < r->children->len; i++) {
        oryx_region *child = r->children->pdata[i];
        uint64_t at = *offset - child->offset;
        uint32_t p = mine;
        oryx_region *leaf = *offset >= child->offset ? oryx__region_resolve(child, &at, &p) : NULL;
        if (leaf) {
            *offset = at;
            *prot = p;
            return leaf;
        }
    }
    if (r->target) {
        uint64_t at = *offset + r->target_offset;
        uint32_t p = mine;
        oryx_region *leaf = at >= *offset ? oryx__region_resolve(r->target, &at, &p) : NULL;
        if (leaf) {
            *offset = at;
            *prot = p;
        }
        return leaf;
    }
    *prot = mine;
    return r->ops ? r : NULL;
}
