/* Quirks that move an access: "mirror" and the index/data "window".
 * Owns: the index of a window. Called by: region_quirk.c.
 * Invariant: one access to data is one access beneath, at the place the index names when it comes.
 * The pair is not locked: two vCPUs that use one window at once get each other's index, as on
 * hardware. */
#include <stdlib.h>
#include <string.h>

#include "quirk.h"

/* --- mirror ------------------------------------------------------------------------------------ */

struct mirror {
    uint64_t size, base;
};

static oryx_status parse_mirror(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind", "endian", "size", "base", NULL};
    quirk_obj o = {json, ""};
    struct mirror *m = q->data = calloc(1, sizeof(*m));
    if (!m)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    oryx_status st = quirk_known(q, o, keys);
    uint64_t lower = q->host->region_last(q->lower);
    if (!st)
        st = quirk_number(q, o, "base", 0, 0, lower, &m->base);
    m->size = lower - m->base + 1; /* 2^64 reads as 0: then nothing repeats */
    if (!st)
        st = quirk_number(q, o, "size", 0, 1, m->size ? m->size : UINT64_MAX, &m->size);
    return st;
}

static int everywhere(const quirk *q, uint64_t offset)
{
    const struct mirror *m = q->data;
    return m->size ? (int)(offset / m->size & 1) : 0;
}

static oryx_status mirrored(quirk *q, int copy, oryx_access *a)
{
    const struct mirror *m = q->data;
    oryx_access b = *a;
    (void)copy;
    b.offset = m->base + (m->size ? a->offset % m->size : a->offset);
    oryx_status st = quirk_below(q, &b);
    if (!a->write)
        a->value = b.value;
    return st;
}

/* Over the end of a copy the access goes on at the start of the next. */
static oryx_status mirror_access(quirk *q, oryx_access *a)
{
    return quirk_runs(q, a, everywhere, mirrored);
}

const quirk_kind quirk_mirror = {"mirror", 1, parse_mirror, mirror_access, NULL, NULL, NULL};

/* --- window ------------------------------------------------------------------------------------ */

enum { ON_NONE, ON_READ, ON_WRITE, ON_BOTH };

struct window {
    uint64_t index_at, index_size, mask;
    uint64_t data_at, data_size;
    uint64_t base, scale, step;
    int on; /* which accesses to data move the index */
    uint64_t index, initial;
};

static oryx_status parse_increment(quirk *q, quirk_obj o, struct window *w)
{
    static const char *const keys[] = {"by", "on", NULL};
    static const char *const on[] = {"none", "read", "write", "both", NULL};
    const oryx_json *v = oryx_json_get(o.json, "increment");
    if (!v)
        return ORYX_OK;
    if (v->type != ORYX_JSON_OBJECT)
        return quirk_refuse(q, o, "increment", ORYX_E_FORMAT, "must be an object of \"by\" and \"on\"");
    quirk_obj part = {v, "/increment"};
    w->on = ON_BOTH;
    oryx_status st = quirk_known(q, part, keys);
    if (!st)
        st = quirk_number(q, part, "by", 1, 1, UINT32_MAX, &w->step);
    return st ? st : quirk_word(q, part, "on", on, &w->on);
}

static oryx_status parse_window(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind",      "endian", "index", "index_size",
                                       "data",      "base",   "scale", "data_size",
                                       "increment", "mask",   "value", NULL};
    quirk_obj o = {json, ""};
    struct window *w = q->data = calloc(1, sizeof(*w));
    if (!w)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    w->index_size = w->data_size = 4;
    w->scale = 1;
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = quirk_number(q, o, "index", 1, 0, q->last, &w->index_at);
    if (!st)
        st = quirk_number(q, o, "index_size", 0, 1, 8, &w->index_size);
    if (!st)
        st = quirk_number(q, o, "data", 1, 0, q->last, &w->data_at);
    if (!st)
        st = quirk_number(q, o, "data_size", 0, 1, 65536, &w->data_size);
    if (!st && w->index_size - 1 > q->last - w->index_at)
        st = quirk_refuse(q, o, "index_size", ORYX_E_RANGE, "the index register ends behind the region");
    if (!st && w->data_size - 1 > q->last - w->data_at)
        st = quirk_refuse(q, o, "data_size", ORYX_E_RANGE, "the data registers end behind the region");
    if (!st && w->index_at < w->data_at + w->data_size && w->data_at < w->index_at + w->index_size)
        st = quirk_refuse(q, o, "data", ORYX_E_OVERLAP, "overlaps the index register");
    w->mask = w->index_size == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * w->index_size) - 1;
    if (!st)
        st = quirk_number(q, o, "mask", 0, 0, w->mask, &w->mask);
    if (!st)
        st = quirk_number(q, o, "base", 0, 0, UINT64_MAX, &w->base);
    if (!st)
        st = quirk_number(q, o, "scale", 0, 1, UINT32_MAX, &w->scale);
    if (!st)
        st = quirk_number(q, o, "value", 0, 0, w->mask, &w->initial);
    return st ? st : parse_increment(q, o, w);
}

enum { BESIDE, INDEX, DATA };

static int place(const quirk *q, uint64_t offset)
{
    const struct window *w = q->data;
    if (offset - w->index_at < w->index_size)
        return INDEX;
    return offset - w->data_at < w->data_size ? DATA : BESIDE;
}

static void index_access(quirk *q, struct window *w, oryx_access *a)
{
    pthread_mutex_lock(&q->lock);
    for (uint32_t k = 0; k < a->size; k++) {
        uint64_t i = a->offset + k - w->index_at;
        unsigned at = (unsigned)(8 * (q->endian == ORYX_ENDIAN_BIG ? w->index_size - 1 - i : i));
        if (a->write)
            w->index = ((w->index & ~((uint64_t)0xff << at)) | (uint64_t)quirk_byte(q, a, k) << at) &
                       w->mask;
        else
            quirk_set_byte(q, a, k, (uint8_t)(w->index >> at));
    }
    pthread_mutex_unlock(&q->lock);
}

static oryx_status data_access(quirk *q, struct window *w, oryx_access *a)
{
    oryx_access b = *a;
    int moves = !(a->attrs & ORYX_ATTR_DEBUG) && (w->on & (a->write ? ON_WRITE : ON_READ));
    pthread_mutex_lock(&q->lock);
    uint64_t index = w->index, far;
    if (moves)
        w->index = (w->index + w->step) & w->mask;
    pthread_mutex_unlock(&q->lock);
    if (__builtin_mul_overflow(index, w->scale, &far) || __builtin_add_overflow(far, w->base, &far) ||
        __builtin_add_overflow(far, a->offset - w->data_at, &b.offset))
        return ORYX_FAULT_DECODE;
    oryx_status st = quirk_below(q, &b);
    if (!a->write)
        a->value = b.value;
    return st;
}

static oryx_status window_part(quirk *q, int where, oryx_access *a)
{
    struct window *w = q->data;
    if (where == DATA)
        return data_access(q, w, a);
    if (where == BESIDE)
        return quirk_below(q, a);
    index_access(q, w, a);
    return ORYX_OK;
}

static oryx_status window_access(quirk *q, oryx_access *a)
{
    return quirk_runs(q, a, place, window_part);
}

static void window_reset(quirk *q)
{
    struct window *w = q->data;
    pthread_mutex_lock(&q->lock);
    w->index = w->initial;
    pthread_mutex_unlock(&q->lock);
}

static uint64_t *window_word(quirk *q, uint32_t i)
{
    struct window *w = q->data;
    return i ? NULL : &w->index;
}

const quirk_kind quirk_window = {"window",     1,    parse_window, window_access,
                                 window_reset, NULL, window_word};
