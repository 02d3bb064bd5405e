/* The children of a region, found by address: a treap ordered by start, in which every node knows
 * how far what is below it reaches.
 * Owns: region->children and region->index. Called by: region.c for changes, view_build.c and
 * region.c for questions.
 * Invariant: finding the k children that touch a range among n siblings costs O(k + log n), and
 * no change allocates. */
#include "mem_internal.h"

static int before(const oryx_region *a, const oryx_region *b)
{
    return a->offset != b->offset ? a->offset < b->offset : a->added < b->added;
}

static void measure(oryx_region *t)
{
    t->index.reach = oryx__child_last(t);
    if (t->index.below)
        t->index.reach = MAX(t->index.reach, t->index.below->index.reach);
    if (t->index.above)
        t->index.reach = MAX(t->index.reach, t->index.above->index.reach);
}

/* Those of t that come before n into *lo, the others into *hi. */
static void split(oryx_region *t, const oryx_region *n, oryx_region **lo, oryx_region **hi)
{
    if (!t) {
        *lo = *hi = NULL;
        return;
    }
    if (before(t, n)) {
        split(t->index.above, n, &t->index.above, hi);
        *lo = t;
    } else {
        split(t->index.below, n, lo, &t->index.below);
        *hi = t;
    }
    measure(t);
}

static oryx_region *join(oryx_region *lo, oryx_region *hi)
{
    if (!lo || !hi)
        return lo ? lo : hi;
    if (lo->index.heap > hi->index.heap) {
        lo->index.above = join(lo->index.above, hi);
        measure(lo);
        return lo;
    }
    hi->index.below = join(lo, hi->index.below);
    measure(hi);
    return hi;
}

static oryx_region *insert(oryx_region *t, oryx_region *n)
{
    if (!t || n->index.heap > t->index.heap) {
        split(t, n, &n->index.below, &n->index.above);
        measure(n);
        return n;
    }
    if (before(n, t))
        t->index.below = insert(t->index.below, n);
    else
        t->index.above = insert(t->index.above, n);
    measure(t);
    return t;
}

static oryx_region *erase(oryx_region *t, const oryx_region *n)
{
    if (t == n)
        return join(t->index.below, t->index.above);
    if (before(n, t))
        t->index.below = erase(t->index.below, n);
    else
        t->index.above = erase(t->index.above, n);
    measure(t);
    return t;
}

void oryx__child_insert(oryx_region *parent, oryx_region *child)
{
    /* Mixed, so that no order of additions makes a deep tree. */
    uint64_t x = child->added * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    child->index.heap = (uint32_t)((x ^ x >> 27) * 0x94d049bb133111ebu >> 32);
    child->index.below = child->index.above = NULL;
    parent->children = insert(parent->children, child);
}

void oryx__child_erase(oryx_region *parent, oryx_region *child)
{
    parent->children = erase(parent->children, child);
    child->index.below = child->index.above = NULL;
}

static int each(oryx_region *t, uint64_t lo, uint64_t hi,
                int (*fn)(void *opaque, oryx_region *child), void *opaque)
{
    if (!t || t->index.reach < lo)
        return 0;
    int stop = each(t->index.below, lo, hi, fn, opaque);
    if (stop || t->offset > hi)
        return stop;
    if (oryx__child_last(t) >= lo && (stop = fn(opaque, t)))
        return stop;
    return each(t->index.above, lo, hi, fn, opaque);
}

int oryx__child_each(const oryx_region *parent, uint64_t lo, uint64_t hi,
                     int (*fn)(void *opaque, oryx_region *child), void *opaque)
{
    return each(parent->children, lo, hi, fn, opaque);
}
