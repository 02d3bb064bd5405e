/* Watchpoints, between watch.c and the places that could meet one: access.c, tlb.c and io_cache.c (no fast path to a page with
 * watched bytes), window.c, tb_cache.c (blocks begin at watched instructions), run.c, and host accesses. */
#ifndef ORYX_CORE_WATCH_H
#define ORYX_CORE_WATCH_H

#include <stdbool.h>

#include "mem_internal.h"

enum { ORYX__WATCH_VIRTUAL, ORYX__WATCH_SPACE, ORYX__WATCH_REGION, ORYX__WATCH_KINDS };

/* A watch in a sorted table; reach: the highest byte of this one and those before it. */
struct oryx__watch_row {
    uint64_t lo, hi, reach;
    const void *of; /* vCPU, space or region; NULL: any vCPU */
    struct oryx_watch *watch;
};

struct oryx__watch_table {
    uint32_t n;
    struct oryx__watch_row *rows;
};

/* Every watch of a machine; never changes, a new one takes its place. */
struct oryx__watch_set {
    struct oryx__watch_set *next; /* retired */
    uint32_t data, host;          /* how many watch vCPUs' data, others' data */
    struct oryx__watch_table of[2][ORYX__WATCH_KINDS]; /* [exec] */
    struct oryx__watch_row rows[];
};

/* A part of an access, and an access. */
struct oryx__watch_part {
    const oryx__row *row; /* NULL: a hole */
    uint64_t phys, n;
    oryx_space *space;
    bool plain;           /* bulk memory, or nothing */
};
struct oryx__watch_access {
    oryx_vcpu *v;
    uint64_t addr, size;
    uint32_t access, attrs, requester, n;
    const struct oryx__watch_part *part;
    oryx_v128 value, old;
    uint32_t known, after;
};

static inline const struct oryx__watch_set *oryx__watch_set(struct oryx__mem *mem)
{
    return atomic_load_explicit(&mem->watches, memory_order_acquire);
}

/* Does a vCPU's access (ORYX_WATCH_READ, _WRITE) to some byte of the pages of [addr, addr + n) have to be seen? Of a device
 * every access, when some of its bytes are watched. */
bool oryx__watch_page(oryx_vcpu *v, uint64_t addr, oryx_space *s, uint64_t phys, uint64_t n, const oryx__row *row, uint32_t access);
/* An access of a vCPU that is resolved and not done. True: it is not to be done now, cpu->exc says so. */
bool oryx__watch_gate(const struct oryx__watch_access *a);
/* It is done, and the vCPU notes. */
void oryx__watch_note(const struct oryx__watch_access *a);
/* An access through the API or by a device is done. addr: in s, or (s NULL) of r. */
void oryx__watch_host(oryx_machine *m, oryx_space *s, oryx_region *r, uint64_t addr, const void *buf, uint64_t size,
                      int write, const oryx__who *who);
/* Notes the watches that v hits by executing at pc, at phys of s. True: there are any. */
bool oryx__watch_exec(oryx_vcpu *v, uint64_t pc, oryx_space *s, uint64_t phys);
/* Does a block have to begin there, for some vCPU? */
bool oryx__watch_begins(const struct oryx__watch_set *set, const oryx_space *s, uint64_t phys, uint64_t pc);
/* ORYX_WATCH_READ and _WRITE of vCPUs' accesses to [0, size) of s, by virtual or physical address, or to r. */
uint32_t oryx__watch_window(struct oryx__mem *mem, const oryx_space *s, uint64_t size, const oryx_region *r);
/* Tells the noted hits to their functions. True: the run shall end. */
bool oryx__watch_tell(oryx_vcpu *v);
/* Hits of others that shall end a run become those of this one. */
bool oryx__watch_others(oryx_vcpu *v);
void oryx__hits_clear(struct oryx__hits *h);

void oryx__watch_gone(oryx_machine *m, const void *of); /* a vCPU or region goes away */
void oryx__watch_vcpu_free(oryx_vcpu *v);
void oryx__watch_destroy(struct oryx__mem *mem);

/* tb_cache.c: which instructions are watched; blocks with those of [lo, hi] (of s, or virtual: NULL) are dropped. */
void oryx__breaks_set(oryx_machine *m, const struct oryx__watch_set *set, oryx_space *s, uint64_t lo, uint64_t hi, bool changed);

#endif
