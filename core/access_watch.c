/* Guest accesses that could touch watched bytes, as watch.c wants them: with their numbers.
 * Owns: nothing. Called by: access.c, when an access is resolved and when it is done.
 * Invariant: value and old are what the vCPU has in its registers, whatever the byte order and the parts. */
#include <string.h>

#include "access.h"

int oryx__watched_bytes(const struct walk *w, oryx_v128 *out)
{
    for (uint32_t i = 0; i < w->n; i++) {
        const struct part *p = &w->parts[i];
        if (p->policy || !p->row->host || !(p->row->flags & ORYX_DIRECT_BULK) || p->phys + (p->n - 1) > p->row->host_last ||
            !(p->row->dprot & ORYX_PROT_READ))
            return 0;
        memcpy((uint8_t *)out + p->at, p->row->host + (p->phys - p->row->first), p->n);
    }
    return 1;
}

static void watch_access(const struct walk *w, uint32_t access, struct oryx__watch_access *a, struct oryx__watch_part part[16])
{
    *a = (struct oryx__watch_access){.v = w->v, .addr = w->addr, .size = w->size, .access = access, .attrs = w->attrs, .n = w->n, .part = part};
    for (uint32_t i = 0; i < w->n; i++) {
        const struct part *p = &w->parts[i];
        part[i] = (struct oryx__watch_part){.row = p->row, .phys = p->phys, .n = p->n, .space = p->space,
                                            .plain = p->policy || (p->row->flags & ORYX_DIRECT_BULK)};
    }
}

/* From memory order to what the vCPU has; without what lies above it. */
static void watch_numbers(const struct walk *w, uint32_t memop, struct oryx__watch_access *a)
{
    oryx_v128 *number[] = {&a->value, &a->old};
    for (unsigned i = 0; i < 2; i++) {
        if (memop & ORYX_MO_BE)
            turn(number[i], w->size);
        memset((uint8_t *)number[i] + w->size, 0, sizeof(oryx_v128) - w->size);
    }
}

oryx_status oryx__watched_gate(const struct walk *w, uint32_t memop, uint32_t access, const oryx_v128 *value)
{
    struct oryx__watch_part part[16];
    struct oryx__watch_access a;
    watch_access(w, access, &a, part);
    if (oryx__watched_bytes(w, access == ORYX_WATCH_READ ? &a.value : &a.old))
        a.known = access == ORYX_WATCH_READ ? ORYX_HIT_VALUE : ORYX_HIT_OLD;
    if (value) {
        a.value = *value;
        a.known |= ORYX_HIT_VALUE;
    }
    watch_numbers(w, memop, &a);
    return oryx__watch_gate(&a) ? ORYX_FAULT_WATCH : ORYX_OK;
}

void oryx__watched_end(const struct walk *w, uint32_t memop, uint32_t access, oryx_v128 value, oryx_v128 old, int noted)
{
    struct oryx__watch_part part[16];
    struct oryx__watch_access a;
    watch_access(w, access, &a, part);
    a.after = 1;
    a.known = noted > 1 ? ORYX_HIT_VALUE | ORYX_HIT_OLD : ORYX_HIT_VALUE;
    a.value = value;
    a.old = old;
    watch_numbers(w, memop, &a);
    oryx__watch_note(&a);
}
