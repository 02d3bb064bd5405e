/* Accesses by bytes: what a quirk does to some of them and not to others.
 * Owns: nothing. Called by: the kinds.
 * Invariant: bytes keep their memory order; a value is put together by the region's endianness, so
 * parts and whole agree for both. */
#include "quirk.h"

static unsigned shift(const quirk *q, uint32_t size, uint32_t i)
{
    return 8 * (q->endian == ORYX_ENDIAN_BIG ? size - 1 - i : i);
}

uint8_t quirk_byte(const quirk *q, const oryx_access *a, uint32_t i)
{
    return (uint8_t)(a->value >> shift(q, a->size, i));
}

void quirk_set_byte(const quirk *q, oryx_access *a, uint32_t i, uint8_t byte)
{
    unsigned s = shift(q, a->size, i);
    a->value = (a->value & ~((uint64_t)0xff << s)) | (uint64_t)byte << s;
}

oryx_status quirk_below(quirk *q, oryx_access *a)
{
    return q->lower ? q->host->region_access(q->lower, a) : ORYX_FAULT_DECODE;
}

oryx_access quirk_part(const quirk *q, const oryx_access *a, uint32_t i, uint32_t n)
{
    oryx_access part = *a;
    part.offset = a->offset + i;
    part.size = n;
    part.value = 0;
    for (uint32_t k = 0; a->write && k < n; k++)
        quirk_set_byte(q, &part, k, quirk_byte(q, a, i + k));
    return part;
}

void quirk_join(const quirk *q, oryx_access *a, uint32_t i, const oryx_access *part)
{
    for (uint32_t k = 0; k < part->size; k++)
        quirk_set_byte(q, a, i + k, quirk_byte(q, part, k));
}

oryx_status quirk_runs(quirk *q, oryx_access *a, int (*which)(const quirk *q, uint64_t offset),
                       oryx_status (*fn)(quirk *q, int which, oryx_access *part))
{
    for (uint32_t i = 0; i < a->size;) {
        int kind = which(q, a->offset + i);
        uint32_t n = 1;
        while (i + n < a->size && which(q, a->offset + i + n) == kind)
            n++;
        if (n == a->size)
            return fn(q, kind, a);
        uint32_t k = 8;
        while (k > n || ((a->offset + i) & (k - 1)))
            k /= 2;
        oryx_access part = quirk_part(q, a, i, k);
        oryx_status st = fn(q, kind, &part);
        if (st)
            return st;
        if (!a->write)
            quirk_join(q, a, i, &part);
        i += k;
    }
    return ORYX_OK;
}
