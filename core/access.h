/* One guest access on its way through the slow path: what it was cut into. Between access.c and access_watch.c. */
#ifndef ORYX_ACCESS_H
#define ORYX_ACCESS_H

#include "watch.h"

struct part {
    const oryx__row *row;
    uint64_t phys;
    uint32_t at, n;  /* bytes [at, at + n) of the access */
    oryx_space *space;
    uint32_t policy; /* not 0: nothing is accessed, a read gives what it says (oryx__policy) */
};

struct walk {
    oryx_vcpu *v;
    oryx_space *space; /* that view shows */
    const oryx__view *view;
    uint64_t addr;
    uint32_t size, need; /* ORYX_PROT_* */
    uint32_t access, idx, attrs;
    uint32_t n;
    uint32_t mapped; /* what the MMU allows on the page, when one page */
    uint32_t fine;   /* a translation was of less than a page: nothing is cached */
    struct part parts[16];
};

static inline void turn(oryx_v128 *v, uint32_t size)
{
    uint8_t *b = (uint8_t *)v;
    for (uint32_t i = 0; i < size / 2; i++) {
        uint8_t t = b[i];
        b[i] = b[size - 1 - i];
        b[size - 1 - i] = t;
    }
}

/* --- access_watch.c: accesses that could touch watched bytes ---------------------------------------- */
oryx_status oryx__watched_gate(const struct walk *w, uint32_t memop, uint32_t access, const oryx_v128 *value);
/* It is done. noted: of watch_old(); value, old in memory order but for memop 0. */
void oryx__watched_end(const struct walk *w, uint32_t memop, uint32_t access, oryx_v128 value, oryx_v128 old, int noted);
/* What plain memory holds where the access goes, in memory order; 0: some of it is not plain. */
int oryx__watched_bytes(const struct walk *w, oryx_v128 *out);

/* The access is resolved and not done. value: to be stored, in memory order, or NULL. */
static inline oryx_status watch_begin(const struct walk *w, uint32_t memop, uint32_t access, const oryx_v128 *value)
{
    const struct oryx__watch_set *set = oryx__watch_set(w->v->machine->mem);
    return set && set->data && !w->v->tlbs->watcher.step ? oryx__watched_gate(w, memop, access, value) : ORYX_OK;
}

/* Shall it be noted when it is done? Then what it replaces is kept. */
static inline int watch_old(const struct walk *w, oryx_v128 *old)
{
    return w->v->tlbs->watcher.step ? 1 + oryx__watched_bytes(w, old) : 0;
}

#endif
