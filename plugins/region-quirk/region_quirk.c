/* Region type "quirk": an overlay that changes some accesses and passes the rest to the region
 * beneath (`lower`).
 * Owns: the rule of one region. Called by: the core through oryx_region_ops.
 * Invariant: the region beneath is reached with the initiator's attributes, and a quirk without its
 * rule's bytes in an access passes it on as it came.
 *
 * Custom: config.io and opaque, as for "io"; the callbacks reach below with oryx_region_access.
 * Ready-made, by options; numbers may be JSON numbers or strings such as "0x1000". "endian": "big"
 * when the region beneath is big-endian. docs/quirks.md has an example of each:
 *   mirror    size, base            offsets repeat every `size` bytes, from `base` of the region beneath
 *   window    index, data, ...      an index register and data registers that show what it selects
 *   mask      offset, size, and, or, xor, on     a register's bits changed on the way
 *   fixed     offset, size, value   reads as value, writes ignored
 *   register  registers             the general form: values kept here, write-ignored bits, bits
 *                                   cleared by a read or by writing 1
 *   log       file, base, on, ring  a line an access
 *   latency   offset, size, read_ns, write_ns    virtual time passes
 *   fault     offset, size, on, every, probability, seed, after, count, result, xor
 *   bitband   base                  each word is one bit of the region beneath */
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "quirk.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "region-quirk",
    "version" : "1.1.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.region/1", "class" : "quirk"} ],
    "requires" : [],
    "thread" : "any"
}));

static const quirk_kind *const kinds[] = {&quirk_mirror,   &quirk_window, &quirk_mask,
                                          &quirk_fixed,    &quirk_register, &quirk_log,
                                          &quirk_latency, &quirk_fault,  &quirk_bitband,
                                          NULL};

static oryx_status parse_options(quirk *q, const oryx_json *json)
{
    static const char *const endians[] = {"little", "big", NULL};
    const char *names[sizeof(kinds) / sizeof(kinds[0])];
    quirk_obj o = {json, ""};
    int kind = -1, endian = 0;
    if (!oryx_json_is(json, ORYX_JSON_OBJECT))
        return quirk_refuse(q, o, "", ORYX_E_FORMAT, "options must be a JSON object");
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        names[i] = kinds[i] ? kinds[i]->name : NULL;
    oryx_status st = quirk_word(q, o, "kind", names, &kind);
    if (!st && kind < 0)
        st = quirk_refuse(q, o, "", ORYX_E_FORMAT, "member \"kind\" is missing");
    if (!st)
        st = quirk_word(q, o, "endian", endians, &endian);
    if (st)
        return st;
    q->endian = (uint32_t)endian;
    q->kind = kinds[kind];
    if (q->kind->needs_lower && !q->lower)
        return quirk_refuse(q, o, "kind", ORYX_E_INVALID, "%s needs the region beneath: name it in lower",
                            q->kind->name);
    st = q->kind->parse(q, json);
    if (!st && q->kind->reset)
        q->kind->reset(q);
    return st;
}

static void quirk_destroy(void *self)
{
    quirk *q = self;
    if (q->kind && q->kind->fini)
        q->kind->fini(q);
    pthread_mutex_destroy(&q->lock);
    free(q->data);
    free(q->name);
    free(q);
}

static oryx_status quirk_create(const oryx_host *host, oryx_region *region,
                                const oryx_region_config *c, void **self, oryx_error *err)
{
    quirk *q = calloc(1, sizeof(*q));
    if (!q)
        return host->error_set(err, ORYX_E_NOMEM, "quirk region: out of memory");
    pthread_mutex_init(&q->lock, NULL);
    q->host = host;
    q->region = region;
    q->lower = c->lower;
    q->opaque = c->opaque;
    q->last = c->last;
    q->err = err;
    q->name = strdup(c->name);
    oryx_status st = ORYX_OK;
    if (!q->name) {
        st = host->error_set(err, ORYX_E_NOMEM, "quirk region: out of memory");
    } else if (c->io && ORYX_HAS(c->io, write)) {
        memcpy(&q->io, c->io, c->io->hdr.size < sizeof(q->io) ? c->io->hdr.size : sizeof(q->io));
        q->endian = q->io.endian;
    } else if (c->options) {
        oryx_json_error why;
        oryx_json *o = oryx_json_parse(c->options, &why);
        st = o || !why.no_memory ? parse_options(q, o) : host->error_set(err, ORYX_E_NOMEM, "quirk region: out of memory");
        free(o);
    } else {
        st = quirk_refuse(q, (quirk_obj){NULL, ""}, "", ORYX_E_INVALID,
                          "give config.io, or options naming a kind");
    }
    q->err = NULL;
    if (st) {
        quirk_destroy(q);
        return st;
    }
    *self = q;
    return ORYX_OK;
}

static oryx_status custom(quirk *q, oryx_access *a)
{
    if (a->attrs & ORYX_ATTR_DEBUG) {
        if (a->write)
            return ORYX_FAULT_DEVICE;
        a->value = 0;
        return q->io.peek ? q->io.peek(q->opaque, a) : ORYX_OK;
    }
    if (a->write)
        return q->io.write ? q->io.write(q->opaque, a) : quirk_below(q, a);
    return q->io.read ? q->io.read(q->opaque, a) : quirk_below(q, a);
}

static oryx_status quirk_access(void *self, oryx_access *a)
{
    quirk *q = self;
    return q->kind ? q->kind->access(q, a) : custom(q, a);
}

static void quirk_describe(void *self, oryx_limits *valid, oryx_limits *impl, uint32_t *endian)
{
    const quirk *q = self;
    if (!q->kind) {
        *valid = q->io.valid;
        *impl = q->io.impl;
    }
    *endian = q->endian;
}

static oryx_status quirk_reset(void *self)
{
    quirk *q = self;
    if (q->kind && q->kind->reset)
        q->kind->reset(q);
    return ORYX_OK;
}

/* {"version": 1, "kind": K, "words": [numbers]}; nothing for a rule that remembers nothing, and for a custom one. */
static oryx_status quirk_save(void *self, char **json, oryx_error *err)
{
    quirk *q = self;
    *json = NULL;
    if (!q->kind || !q->kind->word)
        return ORYX_OK;
    oryx_json_out w = {0};
    oryx_json_open(&w, NULL, "{");
    oryx_json_add(&w, "version", 1);
    oryx_json_add_text(&w, "kind", q->kind->name);
    oryx_json_open(&w, "words", "[");
    pthread_mutex_lock(&q->lock);
    for (uint32_t i = 0; q->kind->word(q, i); i++)
        oryx_json_add(&w, NULL, *q->kind->word(q, i));
    pthread_mutex_unlock(&q->lock);
    oryx_json_close(&w, "]");
    oryx_json_close(&w, "}");
    *json = oryx_json_done(&w);
    return *json ? ORYX_OK : q->host->error_set(err, ORYX_E_NOMEM, "quirk: out of memory for its state");
}

static oryx_status quirk_load(void *self, const char *json, oryx_error *err)
{
    quirk *q = self;
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(json, &why);
    const oryx_json *words = oryx_json_get(o, "words"), *v = NULL;
    const char *kind = oryx_json_text(oryx_json_get(o, "kind"));
    char text[300];
    uint64_t version = 0, word = 0;
    uint32_t n = 0;
    if (!o && why.no_memory)
        return q->host->error_set(err, ORYX_E_NOMEM, "quirk: out of memory for its state");
    while (q->kind && q->kind->word && q->kind->word(q, n))
        n++;
    int ok = n && oryx_json_unsigned(oryx_json_get(o, "version"), 1, &version) && version == 1 && kind &&
             !strcmp(kind, q->kind->name) && oryx_json_is(words, ORYX_JSON_ARRAY) && words->n == n;
    for (v = ok ? words->first : NULL; v; v = v->next)
        ok &= oryx_json_unsigned(v, UINT64_MAX, &word);
    pthread_mutex_lock(&q->lock);
    uint32_t i = 0;
    for (v = ok ? words->first : NULL; v; v = v->next)
        *q->kind->word(q, i++) = v->u;
    pthread_mutex_unlock(&q->lock);
    free(o);
    if (ok)
        return ORYX_OK;
    snprintf(text, sizeof(text), "quirk region '%s': its state is not one that save gave", q->name);
    return q->host->error_set(err, ORYX_E_FORMAT, text);
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "quirk",
    .create = quirk_create,
    .destroy = quirk_destroy,
    .access = quirk_access,
    .describe = quirk_describe,
    .reset = quirk_reset,
    .save = quirk_save,
    .load = quirk_load,
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
