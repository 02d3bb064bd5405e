/* Rendering: a region tree becomes the rows of a flat view, where it changed.
 * Owns: the algorithm; views belong to flat_view.c, their publication to address_space.c.
 * Called by: address_space.c at commit.
 * Invariant: the row that holds an address is the highest-priority enabled leaf there, with
 * what its whole path allows; chunks without a changed row are shared with the old view.
 *
 * For each dirty range the leaves that touch it are collected in winning order, then swept by
 * their starts with a heap of the leaves that are open: O(leaves log leaves) whatever the overlap.
 * The rows between come from the old view as they are, cut where a range begins or ends. */
#include <stdlib.h>
#include <string.h>

#include "mem_internal.h"

#define MAX_VISITS (1u << 24) /* aliases of aliases can multiply without bound */
#define FEW        16u        /* rows; a chunk as small as this takes in the rows that follow */

typedef __int128 wide; /* an alias may put its target's start below zero */

struct leaf {
    uint64_t first, last, offset;
    oryx_region *region;
    uint32_t prot, order; /* lower order wins */
};

struct build {
    /* leaves of the range being rendered, and siblings waiting to be visited */
    struct leaf *leaves;
    uint64_t n_leaves, leaves_cap;
    const struct leaf **heap;
    oryx_region **waiting;
    uint64_t n_waiting, waiting_cap;
    uint32_t visits;
    int failed; /* out of memory */
    /* rows not yet in a chunk */
    oryx__row *rows;
    uint64_t n_rows, rows_cap;
    oryx__view *view;
    /* the row of the old view that comes next; cur is its rest */
    const oryx__view *old;
    uint32_t chunk, row;
    int have, whole;
    oryx__row cur;
};

static void *grown(struct build *b, void *p, uint64_t *cap, size_t size, uint64_t need)
{
    if (need <= *cap)
        return p;
    uint64_t n = MAX(need, *cap ? *cap * 2 : 32);
    void *q = oryx__realloc(p, n * size);
    if (!q) {
        b->failed = 1;
        return p;
    }
    *cap = n;
    return q;
}

/* --- leaves ----------------------------------------------------------------------------------- */

static int wait_for(void *opaque, oryx_region *child)
{
    struct build *b = opaque;
    b->waiting = grown(b, b->waiting, &b->waiting_cap, sizeof(*b->waiting), b->n_waiting + 1);
    if (!b->failed)
        b->waiting[b->n_waiting++] = child;
    return b->failed;
}

static int by_rank(const void *x, const void *y)
{
    return oryx__child_wins(*(oryx_region *const *)x, *(oryx_region *const *)y) ? -1 : 1;
}

static void collect(struct build *b, oryx_region *r, wide base, wide lo, wide hi, uint32_t prot)
{
    if (!r->enabled || b->failed || ++b->visits > MAX_VISITS)
        return;
    wide end = base + r->last;
    if (lo < base)
        lo = base;
    if (hi > end)
        hi = end;
    if (lo > hi)
        return;
    prot &= r->prot;
    uint64_t from = b->n_waiting;
    oryx__child_each(r, (uint64_t)(lo - base), (uint64_t)(hi - base), wait_for, b);
    uint64_t to = b->n_waiting;
    if (to - from > 1)
        qsort(b->waiting + from, to - from, sizeof(*b->waiting), by_rank);
    for (uint64_t i = from; i < to && !b->failed; i++)
        collect(b, b->waiting[i], base + b->waiting[i]->offset, lo, hi, prot);
    b->n_waiting = from;
    if (r->target)
        collect(b, r->target, base - r->target_offset, lo, hi, prot);
    if (!r->ops)
        return;
    b->leaves = grown(b, b->leaves, &b->leaves_cap, sizeof(*b->leaves), b->n_leaves + 1);
    if (b->failed)
        return;
    b->leaves[b->n_leaves] = (struct leaf){.first = (uint64_t)lo,
                                           .last = (uint64_t)hi,
                                           .offset = (uint64_t)(lo - base),
                                           .region = r,
                                           .prot = prot,
                                           .order = (uint32_t)b->n_leaves};
    b->n_leaves++;
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

/* --- rows and chunks -------------------------------------------------------------------------- */

static int joins(const oryx__row *p, const oryx__row *row)
{
    return p->last + 1 == row->first && p->region == row->region && p->prot == row->prot &&
           p->offset + (row->first - p->first) == row->offset;
}

/* Append a row, joining it to the one before when they are one range of one region. */
static void put(struct build *b, const oryx__row *row)
{
    if (b->n_rows && joins(&b->rows[b->n_rows - 1], row)) {
        b->rows[b->n_rows - 1].last = row->last;
        b->rows[b->n_rows - 1].fresh = 1;
        return;
    }
    b->rows = grown(b, b->rows, &b->rows_cap, sizeof(*b->rows), b->n_rows + 1);
    if (!b->failed)
        b->rows[b->n_rows++] = *row;
}

/* Ask the backend for the memory behind a row. A backend may cover a prefix only: the rest goes by
 * `access`. */
static void ask_direct(oryx__row *row)
{
    const oryx_region_ops *ops = row->region->ops;
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    row->fresh = 0;
    row->host = NULL;
    row->host_last = 0;
    row->dprot = row->flags = 0;
    if (!ORYX_HAS(ops, direct) || !ops->direct || ops->direct(row->region->self, row->offset, &d) ||
        !d.host)
        return;
    uint64_t span = row->last - row->first;
    row->host = d.host;
    row->host_last = row->first + (d.last < span ? d.last : span);
    row->dprot = d.prot;
    row->flags = d.flags;
}

static void show(struct build *b, oryx__chunk *chunk)
{
    oryx__view *v = b->view;
    if (v->n_chunks == v->cap) {
        uint32_t cap = MAX(v->cap + v->cap / 2, b->old->n_chunks + 2);
        v = oryx__realloc(v, sizeof(*v) + cap * sizeof(v->slots[0]));
        if (!v) {
            b->failed = 1;
            return;
        }
        v->cap = cap;
        b->view = v;
    }
    v->slots[v->n_chunks].first = chunk->rows[0].first;
    v->slots[v->n_chunks++].chunk = chunk;
    v->n += chunk->n;
    chunk->views++;
}

/* The rows at hand into chunks of about equal size. */
static void flush(struct build *b)
{
    uint64_t n = (b->n_rows + ORYX__CHUNK_ROWS - 1) / ORYX__CHUNK_ROWS, done = 0;
    for (uint64_t i = 0; i < n && !b->failed; i++) {
        uint64_t k = (b->n_rows - done) / (n - i);
        oryx__chunk *c = oryx__chunk_new(b->rows + done, k);
        if (!c) {
            b->failed = 1;
            break;
        }
        for (uint64_t r = 0; r < k; r++)
            if (c->rows[r].fresh)
                ask_direct(&c->rows[r]);
        done += k;
        show(b, c);
        oryx__chunk_drop(c); /* the view's now */
    }
    b->n_rows = 0;
}

/* --- the old view as a stream ----------------------------------------------------------------- */

static void load(struct build *b)
{
    b->have = b->chunk < b->old->n_chunks;
    b->whole = 1;
    if (b->have)
        b->cur = b->old->slots[b->chunk].chunk->rows[b->row];
}

static void advance(struct build *b)
{
    if (++b->row == b->old->slots[b->chunk].chunk->n) {
        b->row = 0;
        b->chunk++;
    }
    load(b);
}

/* May the old chunk at the stream's place be shown as it is? end: where the next dirty range
 * begins (when last is not set). */
static int can_share(const struct build *b, uint64_t end, int last)
{
    const oryx__chunk *c = b->old->slots[b->chunk].chunk;
    if (b->row || !b->whole || (b->n_rows && b->n_rows < FEW) ||
        (b->n_rows && joins(&b->rows[b->n_rows - 1], &c->rows[0])))
        return 0;
    if (last)
        return 1;
    if (end == 0 || c->rows[c->n - 1].last >= end - 1)
        return 0;
    /* The chunk before the range takes the new rows in while it has room. */
    return c->n == ORYX__CHUNK_ROWS ||
           (b->chunk + 1 < b->old->n_chunks && b->old->slots[b->chunk + 1].first < end);
}

/* Rows before `end` - all that are left when `last` - as they were. */
static void copy_until(struct build *b, uint64_t end, int last)
{
    while (b->have && !b->failed && (last || b->cur.first < end)) {
        if (can_share(b, end, last)) {
            flush(b);
            if (!b->failed)
                show(b, b->old->slots[b->chunk].chunk);
            b->chunk++;
            load(b);
        } else if (last || b->cur.last < end) {
            put(b, &b->cur);
            advance(b);
        } else {
            oryx__row head = b->cur;
            head.last = end - 1;
            head.fresh = 1;
            put(b, &head);
            return;
        }
    }
}

static void skip_through(struct build *b, uint64_t hi)
{
    while (b->have && b->cur.last <= hi)
        advance(b);
    if (b->have && b->cur.first <= hi) {
        b->cur.offset += hi + 1 - b->cur.first;
        b->cur.first = hi + 1;
        b->cur.fresh = 1;
        b->whole = 0;
    }
}

/* --- sweep ------------------------------------------------------------------------------------ */

static void sweep(struct build *b)
{
    uint64_t i = 0, open = 0, at = 0, n = b->n_leaves;
    const struct leaf *leaves = b->leaves;
    while ((i < n || open) && !b->failed) {
        if (!open)
            at = leaves[i].first;
        while (i < n && leaves[i].first <= at)
            heap_push(b->heap, &open, &leaves[i++]);
        while (open && b->heap[0]->last < at)
            heap_pop(b->heap, &open);
        if (!open)
            continue;
        const struct leaf *top = b->heap[0];
        uint64_t end = top->last;
        if (i < n && leaves[i].first - 1 < end)
            end = leaves[i].first - 1;
        put(b, &(oryx__row){.first = at,
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

static void render(struct build *b, oryx_space *s, const oryx__range *range)
{
    b->n_leaves = 0;
    collect(b, s->root, 0, range->lo, range->hi, ORYX_PROT_ALL);
    if (b->failed || b->visits > MAX_VISITS || !b->n_leaves)
        return;
    oryx__free(b->heap);
    b->heap = oryx__realloc(NULL, b->n_leaves * sizeof(*b->heap));
    if (!b->heap) {
        b->failed = 1;
        return;
    }
    if (b->n_leaves > 1)
        qsort(b->leaves, b->n_leaves, sizeof(*b->leaves), by_first);
    sweep(b);
}

static int by_lo(const void *a, const void *b)
{
    const oryx__range *x = a, *y = b;
    return x->lo < y->lo ? -1 : x->lo > y->lo;
}

/* Sorted and disjoint; neighbours are one range. */
static void tidy(oryx_space *s)
{
    uint32_t n = 0;
    if (s->n_dirty > 1)
        qsort(s->dirty, s->n_dirty, sizeof(*s->dirty), by_lo);
    for (uint32_t i = 0; i < s->n_dirty; i++) {
        oryx__range *p = n ? &s->dirty[n - 1] : NULL;
        if (p && (p->hi == UINT64_MAX || s->dirty[i].lo <= p->hi + 1))
            p->hi = MAX(p->hi, s->dirty[i].hi);
        else
            s->dirty[n++] = s->dirty[i];
    }
    s->n_dirty = n;
}

oryx_status oryx__view_build(oryx_space *s, oryx__view **out, oryx_error *err)
{
    struct build b = {.old = atomic_load_explicit(&s->view, memory_order_relaxed)};
    *out = NULL;
    tidy(s);
    b.view = oryx__view_new();
    b.failed = !b.view;
    load(&b);
    for (uint32_t i = 0; i < s->n_dirty && !b.failed && b.visits <= MAX_VISITS; i++) {
        copy_until(&b, s->dirty[i].lo, 0);
        render(&b, s, &s->dirty[i]);
        skip_through(&b, s->dirty[i].hi);
    }
    if (!b.failed && b.visits <= MAX_VISITS) {
        copy_until(&b, 0, 1);
        flush(&b);
    }
    oryx__free(b.leaves);
    oryx__free(b.heap);
    oryx__free(b.waiting);
    oryx__free(b.rows);
    if (!b.failed && b.visits <= MAX_VISITS) {
        oryx__view_hints(b.view, b.old);
        *out = b.view;
        return ORYX_OK;
    }
    oryx__view_free(b.view);
    if (b.failed)
        return oryx__error(err, ORYX_E_NOMEM,
                           "space '%s': out of memory for its view of %llu ranges", s->name,
                           (unsigned long long)b.old->n);
    return oryx__error(err, ORYX_E_RANGE,
                       "space '%s': aliases multiply to more than %u ranges; flatten the tree",
                       s->name, MAX_VISITS);
}

/* --- one address ------------------------------------------------------------------------------ */

struct ask {
    oryx_region *than, *best;
};

static int next_best(void *opaque, oryx_region *child)
{
    struct ask *a = opaque;
    if ((!a->than || oryx__child_wins(a->than, child)) &&
        (!a->best || oryx__child_wins(child, a->best)))
        a->best = child;
    return 0;
}

oryx_region *oryx__region_resolve(oryx_region *r, uint64_t *offset, uint32_t *prot)
{
    if (!r->enabled || *offset > r->last)
        return NULL;
    uint32_t mine = *prot & r->prot;
    struct ask a = {0};
    for (;;) {
        a.best = NULL;
        oryx__child_each(r, *offset, *offset, next_best, &a);
        if (!a.best)
            break;
        uint64_t at = *offset - a.best->offset;
        uint32_t p = mine;
        oryx_region *leaf = oryx__region_resolve(a.best, &at, &p);
        if (leaf) {
            *offset = at;
            *prot = p;
            return leaf;
        }
        a.than = a.best;
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
