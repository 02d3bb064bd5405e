/* Private to the quirk backend: one region's rule, the reader of its options, pieces of accesses. */
#ifndef QUIRK_H
#define QUIRK_H

#include <pthread.h>
#include <stdio.h>

#include "helper/oryx_json.h"
#include "oryx.h"

typedef struct quirk quirk;

/* A ready-made kind. parse reads the options (options.c has told nothing of them yet); access is one guest access. */
typedef struct quirk_kind {
    const char *name;
    int needs_lower;
    oryx_status (*parse)(quirk *q, const oryx_json *o);
    oryx_status (*access)(quirk *q, oryx_access *a);
    void (*reset)(quirk *q); /* NULL: nothing to reset */
    void (*fini)(quirk *q);  /* NULL: nothing to free but data */
    /* Number i that accesses change, or NULL: there are no more. NULL: there are none. */
    uint64_t *(*word)(quirk *q, uint32_t i);
} quirk_kind;

struct quirk {
    const oryx_host *host;
    oryx_region *region, *lower;
    const quirk_kind *kind; /* NULL: custom */
    oryx_io_ops io;         /* custom */
    void *opaque;
    void *data; /* the kind's, calloc'ed */
    uint64_t last;
    uint32_t endian;
    char *name;
    pthread_mutex_t lock; /* guards data that accesses change; nothing is called under it */
    oryx_error *err;      /* while options are read */
};

extern const quirk_kind quirk_mirror, quirk_window, quirk_mask, quirk_fixed, quirk_register, quirk_log,
    quirk_latency, quirk_fault, quirk_bitband;

/* --- options.c: a refusal begins with the JSON pointer of the member, and returns its status ------ */
typedef struct quirk_obj {
    const oryx_json *json;
    const char *pointer; /* of it in the options: "" or "/registers/1" */
} quirk_obj;

oryx_status quirk_refuse(quirk *q, quirk_obj at, const char *key, oryx_status st, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Only members named in the NULL-terminated list. */
oryx_status quirk_known(quirk *q, quirk_obj at, const char *const *keys);
/* A number in [min, max], JSON or a string such as "0x1000"; absent: *out stays, or is refused when needed. */
oryx_status quirk_number(quirk *q, quirk_obj at, const char *key, int needed, uint64_t min, uint64_t max,
                         uint64_t *out);
/* One of the words of a NULL-terminated list: its index. */
oryx_status quirk_word(quirk *q, quirk_obj at, const char *key, const char *const *words, int *out);

/* --- pieces.c -------------------------------------------------------------------------------------- */
/* Byte i of an access in memory order. */
uint8_t quirk_byte(const quirk *q, const oryx_access *a, uint32_t i);
void quirk_set_byte(const quirk *q, oryx_access *a, uint32_t i, uint8_t byte);
/* The access to the region beneath; without one a decode error. */
oryx_status quirk_below(quirk *q, oryx_access *a);
/* Bytes [i, i + n) of a as an access of the same kind, and its value back; n is a power of two. */
oryx_access quirk_part(const quirk *q, const oryx_access *a, uint32_t i, uint32_t n);
void quirk_join(const quirk *q, oryx_access *a, uint32_t i, const oryx_access *part);
/* Runs of bytes that `which` gives the same number go to fn: a run that is the whole access as it is, others in
 * naturally aligned powers of two, in address order. Ends at the first error. */
oryx_status quirk_runs(quirk *q, oryx_access *a, int (*which)(const quirk *q, uint64_t offset),
                       oryx_status (*fn)(quirk *q, int which, oryx_access *part));

/* Does an access touch [offset, offset + size)? */
static inline int quirk_touches(const oryx_access *a, uint64_t offset, uint64_t size)
{
    return a->offset > offset ? a->offset - offset < size : offset - a->offset < a->size;
}

#endif
