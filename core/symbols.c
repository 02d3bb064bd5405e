/* Symbols of the guest, for tools and probes: an array sorted on demand.
 *
 * Invariant: while `sorted`, rows ascend by address, the later added after the earlier at one address, and reach[i] is the
 * highest end of rows 0..i, which bounds the search backwards. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

struct symbol {
    uint64_t addr, last; /* inclusive */
    uint32_t order;
    char *name;
};

struct oryx__symbols {
    struct symbol *rows;
    uint64_t *reach;
    uint32_t n, cap;
    int sorted;
};

oryx_status oryx_symbol_add(oryx_machine *m, const char *name, uint64_t addr, uint64_t size)
{
    if (!m || !name)
        return ORYX_E_INVALID;
    pthread_mutex_lock(&m->lock);
    oryx_status s = ORYX_E_NOMEM;
    if (!m->symbols && !(m->symbols = oryx__alloc(sizeof(*m->symbols))))
        goto out;
    struct oryx__symbols *t = m->symbols;
    if (t->n == t->cap) {
        uint32_t cap = t->cap ? t->cap * 2 : 256;
        struct symbol *rows = oryx__realloc(t->rows, cap * sizeof(*rows));
        if (!rows)
            goto out;
        t->rows = rows;
        uint64_t *reach = oryx__realloc(t->reach, cap * sizeof(*reach));
        if (!reach)
            goto out;
        t->reach = reach;
        t->cap = cap;
    }
    uint64_t last = size ? addr + size - 1 : addr;
    char *copy = g_strdup(name);
    if (!copy)
        goto out;
    t->rows[t->n] = (struct symbol){ addr, last < addr ? ~(uint64_t)0 : last, t->n, copy };
    t->n++;
    t->sorted = 0;
    s = ORYX_OK;
out:
    pthread_mutex_unlock(&m->lock);
    return s;
}

static int compare(const void *a, const void *b)
{
    const struct symbol *p = a, *q = b;
    if (p->addr != q->addr)
        return p->addr < q->addr ? -1 : 1;
    return p->order < q->order ? -1 : p->order > q->order;
}

static void sort(struct oryx__symbols *t)
{
    qsort(t->rows, t->n, sizeof(*t->rows), compare);
    for (uint32_t i = 0; i < t->n; i++)
        t->reach[i] = i && t->reach[i - 1] > t->rows[i].last ? t->reach[i - 1] : t->rows[i].last;
    t->sorted = 1;
}

const char *oryx_symbol_find(oryx_machine *m, uint64_t addr, uint64_t *base)
{
    const struct symbol *best = NULL;
    pthread_mutex_lock(&m->lock);
    struct oryx__symbols *t = m->symbols;
    if (t && t->n) {
        if (!t->sorted)
            sort(t);
        uint32_t low = 0, high = t->n; /* first row beyond addr */
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (t->rows[mid].addr <= addr)
                low = mid + 1;
            else
                high = mid;
        }
        for (uint32_t i = low; i-- && t->reach[i] >= addr;)
            if (t->rows[i].last >= addr && (!best || t->rows[i].order > best->order))
                best = &t->rows[i];
    }
    if (best && base)
        *base = best->addr;
    const char *name = best ? best->name : NULL;
    pthread_mutex_unlock(&m->lock);
    return name;
}

void oryx__symbols_destroy(oryx_machine *m)
{
    struct oryx__symbols *t = m->symbols;
    if (!t)
        return;
    for (uint32_t i = 0; i < t->n; i++)
        g_free(t->rows[i].name);
    oryx__free(t->rows);
    oryx__free(t->reach);
    oryx__free(t);
    m->symbols = NULL;
}
