/* Region type "quirk": an overlay that changes some accesses and passes the rest to the region
 * beneath (`lower`).
 * Owns: the parsed rule of one region. Called by: the core through oryx_region_ops.
 * Invariant: an access reaches the lower region at most once, with the width and offset the
 * guest used (a mirror: the offset in the first window).
 *
 * Custom: config.io and opaque, as for "io"; the callbacks reach below with oryx_region_access.
 * Ready-made, by options:
 *   {"kind":"mirror","size":N}   offset modulo N: copies of the first window
 *   {"kind":"mask","offset":O,"size":S,"and":A,"or":B,"on":W}
 *                                bytes of a register changed; W is "read", "write" or "both"
 *   {"kind":"fixed","offset":O,"size":S,"value":V}
 *                                reads as V, writes ignored; elsewhere as beneath
 *   {"kind":"log","file":F}      one line an access, to a file or standard error
 * Numbers may be JSON numbers or strings such as "0x1000". "endian":"big" when the region beneath
 * is big-endian. */
#include <errno.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "oryx.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "region-quirk",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.region/1", "class" : "quirk"} ],
    "requires" : [],
    "thread" : "any"
}));

enum { CUSTOM, MIRROR, MASK, FIXED, LOG };
static const char *const kinds[] = {"custom", "mirror", "mask", "fixed", "log"};

struct quirk {
    const oryx_host *host;
    oryx_region *lower;
    int kind;
    oryx_io_ops io;
    void *opaque;
    uint64_t offset, size, and_bits, or_bits, value;
    int on_read, on_write;
    uint32_t endian;
    char *name;
    FILE *log;
    pthread_mutex_t log_lock;
};

static oryx_status fail(const struct quirk *q, oryx_error *err, oryx_status st, const char *what,
                        const char *arg)
{
    char text[400];
    snprintf(text, sizeof(text), "quirk region '%s': %s%s", q->name, what, arg);
    return q->host->error_set(err, st, text);
}

static oryx_status number(const struct quirk *q, struct json_object *o, const char *key, int needed,
                          uint64_t *out, oryx_error *err)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, key, &v))
        return needed ? fail(q, err, ORYX_E_FORMAT, "options lack ", key) : ORYX_OK;
    if (json_object_is_type(v, json_type_int)) {
        *out = json_object_get_uint64(v);
        return ORYX_OK;
    }
    char *end = NULL;
    const char *text = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
    errno = 0;
    *out = strtoull(text, &end, 0);
    return *text && !*end && !errno ? ORYX_OK
                                    : fail(q, err, ORYX_E_FORMAT, "not a number in options: ", key);
}

static const char *string(struct json_object *o, const char *key, const char *otherwise)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string)
               ? json_object_get_string(v)
               : otherwise;
}

static oryx_status parse_kind(struct quirk *q, struct json_object *o, oryx_error *err)
{
    const char *kind = string(o, "kind", "");
    for (unsigned i = MIRROR; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kind, kinds[i]))
            q->kind = (int)i;
    if (q->kind == CUSTOM)
        return fail(q, err, ORYX_E_FORMAT, "kind must be mirror, mask, fixed or log, not ",
                    *kind ? kind : "missing");
    if (!q->lower && q->kind != FIXED)
        return fail(q, err, ORYX_E_INVALID, "config.lower must name the region beneath for kind ",
                    kind);
    q->endian = strcmp(string(o, "endian", "little"), "big") ? ORYX_ENDIAN_LITTLE : ORYX_ENDIAN_BIG;
    const char *on = string(o, "on", "both");
    q->on_read = strcmp(on, "write") != 0;
    q->on_write = strcmp(on, "read") != 0;
    q->size = 8;
    q->and_bits = UINT64_MAX;
    oryx_status st = number(q, o, "offset", 0, &q->offset, err);
    if (!st)
        st = number(q, o, "size", q->kind == MIRROR, &q->size, err);
    if (!st)
        st = number(q, o, "and", 0, &q->and_bits, err);
    if (!st)
        st = number(q, o, "or", 0, &q->or_bits, err);
    if (!st)
        st = number(q, o, "value", q->kind == FIXED, &q->value, err);
    if (!st && !q->size)
        st = fail(q, err, ORYX_E_RANGE, "options: size must not be 0", "");
    if (!st && (q->kind == MASK || q->kind == FIXED) && q->size > 8)
        st = fail(q, err, ORYX_E_RANGE, "options: size of a register must be 1 to 8 bytes", "");
    if (!st && q->kind == LOG && string(o, "file", NULL)) {
        q->log = fopen(string(o, "file", ""), "ae");
        if (!q->log)
            st = fail(q, err, ORYX_E_IO, "cannot open the log file: ", strerror(errno));
    }
    return st;
}

static void quirk_destroy(void *self)
{
    struct quirk *q = self;
    if (q->log)
        fclose(q->log);
    pthread_mutex_destroy(&q->log_lock);
    free(q->name);
    free(q);
}

static oryx_status quirk_create(const oryx_host *host, oryx_region *region,
                                const oryx_region_config *c, void **self, oryx_error *err)
{
    (void)region;
    struct quirk *q = calloc(1, sizeof(*q));
    if (!q)
        return host->error_set(err, ORYX_E_NOMEM, "quirk region: out of memory");
    pthread_mutex_init(&q->log_lock, NULL);
    q->host = host;
    q->lower = c->lower;
    q->opaque = c->opaque;
    q->name = strdup(c->name);
    oryx_status st = ORYX_OK;
    if (!q->name) {
        st = host->error_set(err, ORYX_E_NOMEM, "quirk region: out of memory");
    } else if (c->io && ORYX_HAS(c->io, write)) {
        memcpy(&q->io, c->io, c->io->hdr.size < sizeof(q->io) ? c->io->hdr.size : sizeof(q->io));
        q->endian = q->io.endian;
    } else if (c->options) {
        struct json_object *o = json_tokener_parse(c->options);
        st = json_object_is_type(o, json_type_object)
                 ? parse_kind(q, o, err)
                 : fail(q, err, ORYX_E_FORMAT, "options must be a JSON object", "");
        json_object_put(o);
    } else {
        st = fail(q, err, ORYX_E_INVALID, "give config.io, or options naming a kind", "");
    }
    if (st) {
        quirk_destroy(q);
        return st;
    }
    *self = q;
    return ORYX_OK;
}

static oryx_status below(struct quirk *q, oryx_access *a)
{
    return q->lower ? q->host->region_access(q->lower, a) : ORYX_FAULT_DECODE;
}

/* Bit position in the access's number of its byte i in memory. */
static unsigned bit_of(const struct quirk *q, const oryx_access *a, uint32_t i)
{
    return 8 * (q->endian == ORYX_ENDIAN_BIG ? a->size - 1 - i : i);
}

/* The same in the register's number. */
static unsigned reg_bit_of(const struct quirk *q, uint64_t i)
{
    return (unsigned)(8 * (q->endian == ORYX_ENDIAN_BIG ? q->size - 1 - i : i));
}

static uint64_t change(const struct quirk *q, const oryx_access *a)
{
    uint64_t v = a->value;
    for (uint32_t i = 0; i < a->size; i++) {
        uint64_t in =
            a->offset + i - q->offset; /* wraps below the register: then it is not inside either */
        if (in >= q->size)
            continue;
        unsigned to = bit_of(q, a, i), from = reg_bit_of(q, in);
        uint64_t byte = v >> to & 0xff;
        if (q->kind == FIXED)
            byte = q->value >> from & 0xff;
        else
            byte = (byte & q->and_bits >> from) | (q->or_bits >> from & 0xff);
        v = (v & ~((uint64_t)0xff << to)) | (byte & 0xff) << to;
    }
    return v;
}

static int inside(const struct quirk *q, const oryx_access *a)
{
    return a->offset >= q->offset && a->offset - q->offset <= q->size - 1 &&
           a->offset + (a->size - 1) - q->offset <= q->size - 1;
}

static oryx_status fixed(struct quirk *q, oryx_access *a)
{
    if (inside(q, a)) {
        if (!a->write)
            a->value = change(q, a);
        return ORYX_OK;
    }
    /* Outside or across the register: beneath decides, but the register's bytes stay what they are
     * on reads, and on writes they carry the fixed value down. */
    if (a->write) {
        oryx_access w = *a;
        w.value = change(q, a);
        return below(q, &w);
    }
    oryx_status st = below(q, a);
    if (!st)
        a->value = change(q, a);
    return st;
}

static oryx_status mask(struct quirk *q, oryx_access *a)
{
    if (a->write && q->on_write) {
        oryx_access w = *a;
        w.value = change(q, a);
        return below(q, &w);
    }
    oryx_status st = below(q, a);
    if (!st && !a->write && q->on_read)
        a->value = change(q, a);
    return st;
}

static oryx_status mirror(struct quirk *q, oryx_access *a)
{
    oryx_access m = *a;
    m.offset = a->offset % q->size;
    oryx_status st = below(q, &m);
    a->value = m.value;
    return st;
}

static oryx_status logged(struct quirk *q, oryx_access *a)
{
    oryx_status st = below(q, a);
    pthread_mutex_lock(&q->log_lock);
    FILE *f = q->log ? q->log : stderr;
    fprintf(f, "%s: %s%u 0x%llx %s 0x%llx%s%s\n", q->name, a->write ? "write" : "read", a->size * 8,
            (unsigned long long)a->offset, a->write ? "<-" : "->", (unsigned long long)a->value,
            st ? " " : "", st ? q->host->status_text(st) : "");
    fflush(f);
    pthread_mutex_unlock(&q->log_lock);
    return st;
}

static oryx_status custom(struct quirk *q, oryx_access *a)
{
    if (a->attrs & ORYX_ATTR_DEBUG) {
        if (a->write)
            return ORYX_FAULT_DEVICE;
        a->value = 0;
        return q->io.peek ? q->io.peek(q->opaque, a) : ORYX_OK;
    }
    if (a->write)
        return q->io.write ? q->io.write(q->opaque, a) : below(q, a);
    return q->io.read ? q->io.read(q->opaque, a) : below(q, a);
}

static oryx_status quirk_access(void *self, oryx_access *a)
{
    static oryx_status (*const run[])(struct quirk *, oryx_access *) = {custom, mirror, mask, fixed,
                                                                        logged};
    struct quirk *q = self;
    return run[q->kind](q, a);
}

static void quirk_describe(void *self, oryx_limits *valid, oryx_limits *impl, uint32_t *endian)
{
    const struct quirk *q = self;
    if (q->kind == CUSTOM) {
        *valid = q->io.valid;
        *impl = q->io.impl;
    }
    *endian = q->endian;
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "quirk",
    .create = quirk_create,
    .destroy = quirk_destroy,
    .access = quirk_access,
    .describe = quirk_describe,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_REGION_ID) && !strcmp(cls, ops.type) ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = {.hdr = ORYX_HDR(oryx_plugin_ops), .get = get};
    (void)err;
    if (host->major != ORYX_ABI_MAJOR)
        return ORYX_E_VERSION;
    *out = &plugin;
    return ORYX_OK;
}
