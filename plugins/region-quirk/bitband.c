/* Quirk "bitband": each word of it is one bit of the region beneath, as in Armv7-M's alias regions (DDI 0403E.e, B3.1; the
 * Cortex-M3 manual, "Bit-banding").
 * Owns: the lock of read-modify-writes that no host instruction can do. Called by: region_quirk.c.
 * Invariant: an access of n bytes touches n aligned bytes beneath; a write changes its bit alone, at once with respect to
 * every other write of this alias and to the guest's accesses to memory. */
#include <stdlib.h>

#include "quirk.h"

struct bitband {
    uint64_t base;
    pthread_mutex_t lock;
};

static oryx_status parse(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind", "endian", "base", NULL};
    quirk_obj o = {json, ""};
    uint64_t lower = q->host->region_last(q->lower);
    struct bitband *b = q->data = calloc(1, sizeof(*b));
    if (!b)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    pthread_mutex_init(&b->lock, NULL);
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = quirk_number(q, o, "base", 0, 0, lower, &b->base);
    if (!st && q->last / 32 > lower - b->base)
        st = quirk_refuse(q, o, "", ORYX_E_RANGE, "the alias has more bits than the region beneath: 32 bytes of it are one byte there");
    return st;
}

/* In memory: one host instruction. The region beneath is told before and after, as of any direct write. */
static int direct(quirk *q, uint64_t at, uint32_t bit, uint64_t value)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    if (q->host->region_direct(q->lower, at, &d) || !d.host || !(d.flags & ORYX_DIRECT_BULK) || !(d.prot & ORYX_PROT_WRITE))
        return 0;
    uint8_t *byte = d.host;
    q->host->region_writing(q->lower, at, 1);
    if (value & 1)
        __atomic_fetch_or(byte, (uint8_t)(1u << bit), __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(byte, (uint8_t)~(1u << bit), __ATOMIC_SEQ_CST);
    q->host->region_written(q->lower, at, 1);
    return 1;
}

static oryx_status bitband_access(quirk *q, oryx_access *a)
{
    struct bitband *b = q->data;
    uint64_t byte = b->base + a->offset / 32;
    uint32_t bit = (uint32_t)(a->offset / 4 & 7);
    oryx_access below = *a;
    below.offset = byte & ~(uint64_t)(a->size - 1);
    below.write = 0;
    /* The bit's place in the value, which has the byte order of the region beneath. */
    uint32_t at = (uint32_t)(byte - below.offset), shift = 8 * (q->endian == ORYX_ENDIAN_BIG ? a->size - 1 - at : at) + bit;
    if (!a->write) {
        oryx_status st = quirk_below(q, &below);
        a->value = below.value >> shift & 1;
        return st;
    }
    if (direct(q, byte, bit, a->value))
        return ORYX_OK;
    pthread_mutex_lock(&b->lock);
    oryx_status st = quirk_below(q, &below);
    if (!st) {
        below.value = (below.value & ~((uint64_t)1 << shift)) | (a->value & 1) << shift;
        below.write = 1;
        st = quirk_below(q, &below);
    }
    pthread_mutex_unlock(&b->lock);
    return st;
}

static void bitband_fini(quirk *q)
{
    struct bitband *b = q->data;
    if (b)
        pthread_mutex_destroy(&b->lock);
}

const quirk_kind quirk_bitband = {"bitband", 1, parse, bitband_access, NULL, bitband_fini, NULL};
