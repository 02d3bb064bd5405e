/* Pages that reads through a space found lately: where they lie in host memory, so that the next read is one look at one cache
 * line instead of a hint, a chunk and a row.
 * Owns: struct oryx__known_pages. Called by: address_space.c for reads of bulk memory and when a view is published.
 * Invariant: an entry that says a view's version and a page means that the whole page is readable bulk memory of one row of
 * that view at the host address it says; no two views of a space have the same version.
 *
 * Any thread that reads fills entries. One that finds another one at it leaves it alone; a reader takes an entry whose number
 * is even and the same before and after, so it never believes halves of two. Tables live as long as the space, because
 * an entry's cache line is asked for before the read section begins, where the wait for both is one. */
#include "mem_internal.h"

#define FROM     8u /* rows; fewer are found as fast */
#define MIN_BITS 6u
#define MAX_BITS 16u

void oryx__known_pages_grow(oryx_space *s, uint64_t rows)
{
    struct oryx__known_pages *old = atomic_load(&s->known), *t;
    uint32_t bits = MIN_BITS;
    while (bits < MAX_BITS && (uint64_t)1 << bits < rows * 2)
        bits++;
    if (rows < FROM || (old && 64 - old->shift >= bits))
        return;
    void *block = oryx__alloc(sizeof(*t) + (sizeof(t->at[0]) << bits) + 63);
    if (!block)
        return; /* the smaller one, or none, does as well */
    t = (struct oryx__known_pages *)(((uintptr_t)block + 63) & ~(uintptr_t)63);
    t->block = block;
    t->older = old;
    t->shift = 64 - bits;
    atomic_store_explicit(&s->known, t, memory_order_release);
}

void oryx__known_pages_free(oryx_space *s)
{
    for (struct oryx__known_pages *t = atomic_load(&s->known), *older; t; t = older) {
        older = t->older;
        oryx__free(t->block);
    }
}

void oryx__known_page_fill(struct oryx__known_page *e, const oryx__view *view, const oryx__row *row, uint64_t addr)
{
    uint64_t page = addr & ~ORYX__PAGE_MASK, n = atomic_load_explicit(&e->number, memory_order_relaxed);
    if (page < row->first || (page | ORYX__PAGE_MASK) > row->host_last || (n & 1) ||
        !atomic_compare_exchange_strong_explicit(&e->number, &n, n + 1, memory_order_acq_rel, memory_order_relaxed))
        return;
    atomic_store_explicit(&e->version, view->version, memory_order_release);
    atomic_store_explicit(&e->page, page, memory_order_release);
    atomic_store_explicit(&e->host, (uint64_t)(uintptr_t)(row->host + (page - row->first)), memory_order_release);
    atomic_store_explicit(&e->number, n + 2, memory_order_release);
}
