/* For authors of device models: the plugin's entry, options and state as JSON by tables of members, an output line that is told
 * right. Header-only; nothing here is part of the binary interface. Examples: plugins/device-timer, plugins/device-rtc. */
#ifndef ORYX_DEVICE_PLUGIN_H
#define ORYX_DEVICE_PLUGIN_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../oryx.h"
#include "oryx_json.h"

/* The entry of a plugin that is one device model. */
#define ORYX_DEVICE_PLUGIN(ops)                                                                                \
    static const void *oryx_device_get(const char *interface, const char *cls)                                 \
    {                                                                                                          \
        return !strcmp(interface, ORYX_DEVICE_ID) && !strcmp(cls, (ops).name) ? &(ops) : NULL;                 \
    }                                                                                                          \
    ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out,             \
                                                oryx_error *err)                                               \
    {                                                                                                          \
        static const oryx_plugin_ops plugin = { ORYX_HDR(oryx_plugin_ops), oryx_device_get, NULL };            \
        (void)err;                                                                                             \
        if (host->major != ORYX_ABI_MAJOR)                                                                     \
            return ORYX_E_VERSION;                                                                             \
        *out = &plugin;                                                                                        \
        return ORYX_OK;                                                                                        \
    }

/* "CLASS 'NAME': what" into err; returns st. */
static inline oryx_status oryx_device_fail(const oryx_host *host, oryx_device *dev, const char *cls, oryx_error *err,
                                           oryx_status st, const char *what)
{
    char text[480];
    snprintf(text, sizeof(text), "%s '%s': %s", cls, host->device_name(dev), what);
    return host->error_set(err, st, text);
}

/* --- options ---------------------------------------------------------------------------------------------------------- */
#define ORYX_OPTION_NUMBER 0u /* from min to max, JSON or a string such as "0x1000", into a member of 4 or 8 bytes */
#define ORYX_OPTION_FLAG   1u /* true or false, into a uint32_t */
#define ORYX_OPTION_WORD   2u /* one of words, NULL-terminated: its index, into a uint32_t */
#define ORYX_OPTION_TEXT   3u /* a string, into a const char *, which lives until the options are freed */

typedef struct oryx_option {
    const char *name;
    uint32_t kind, offset, size;
    uint64_t min, max;
    const char *const *words;
} oryx_option;
#define ORYX_OPTION(type, member, name, kind, min, max, words) \
    { name, kind, (uint32_t)offsetof(type, member), (uint32_t)sizeof(((type *)0)->member), min, max, words }

/* "/MEMBER: CLASS 'NAME': what": the JSON pointer of the option comes first, so that who read it from a file can tell the line. */
static inline oryx_status oryx_option_refuse(const oryx_host *host, oryx_device *dev, const char *cls, const char *key, oryx_error *err,
                                             oryx_status st, const char *what)
{
    char text[480];
    snprintf(text, sizeof(text), "/%.60s: %s '%s': %s", key, cls, host->device_name(dev), what);
    return host->error_set(err, st, text);
}

/* What is wrong with a value, or "" when it is in *self. */
static inline void oryx_option_take(void *self, const oryx_option *o, const oryx_json *v, char *what, size_t size)
{
    char *to = (char *)self + o->offset;
    const char *text = oryx_json_text(v);
    uint64_t n = 0;
    uint32_t word = 0;
    *what = 0;
    switch (o->kind) {
    case ORYX_OPTION_NUMBER:
        if (!oryx_json_address(v, UINT64_MAX, &n))
            snprintf(what, size, "must be a number from %" PRIu64 " to %" PRIu64 ", or a string such as \"0x10\"", o->min, o->max);
        else if (n < o->min || n > o->max)
            snprintf(what, size, "must be %" PRIu64 " to %" PRIu64 ", not %" PRIu64, o->min, o->max, n);
        word = (uint32_t)n;
        memcpy(to, o->size == 8 ? (void *)&n : (void *)&word, o->size == 8 ? 8 : 4);
        break;
    case ORYX_OPTION_FLAG:
        word = (uint32_t)v->u;
        if (v->type != ORYX_JSON_BOOL)
            snprintf(what, size, "must be true or false");
        memcpy(to, &word, 4);
        break;
    case ORYX_OPTION_WORD:
        while (o->words[word] && (!text || strcmp(o->words[word], text)))
            word++;
        memcpy(to, &word, 4);
        if (o->words[word])
            break;
        snprintf(what, size, "must be one of");
        for (uint32_t i = 0; o->words[i]; i++)
            snprintf(what + strlen(what), size - strlen(what), "%s %s", i ? "," : "", o->words[i]);
        break;
    default:
        if (!text)
            snprintf(what, size, "must be a string");
        memcpy(to, &text, sizeof(text));
    }
}

/* Options text into *self by a table; what is absent stays. *tree: keep for as long as a TEXT is used, then free() it; NULL when
 * refused. Options that are no object, a member not in the table and a value out of its range are refused. */
static inline oryx_status oryx_options_read(const oryx_host *host, oryx_device *dev, const char *cls, const char *text,
                                            const oryx_option *rows, uint32_t n, void *self, oryx_json **tree, oryx_error *err)
{
    char what[320];
    oryx_json_error why;
    oryx_status st = ORYX_OK;
    *tree = oryx_json_parse(text ? text : "{}", &why);
    if (!*tree && why.no_memory)
        return oryx_device_fail(host, dev, cls, err, ORYX_E_NOMEM, "out of memory");
    if (!oryx_json_is(*tree, ORYX_JSON_OBJECT)) {
        snprintf(what, sizeof(what), "options must be a JSON object%s%s", *tree ? "" : ": ", *tree ? "" : why.what);
        st = oryx_device_fail(host, dev, cls, err, ORYX_E_FORMAT, what);
    }
    for (const oryx_json *v = st ? NULL : (*tree)->first; v && !st; v = v->next) {
        uint32_t i = 0;
        while (i < n && strcmp(rows[i].name, v->key))
            i++;
        if (i < n) {
            oryx_option_take(self, &rows[i], v, what, sizeof(what));
        } else {
            snprintf(what, sizeof(what), "unknown option; known are");
            for (uint32_t k = 0; k < n; k++)
                snprintf(what + strlen(what), sizeof(what) - strlen(what), "%s %s", k ? "," : "", rows[k].name);
        }
        if (*what)
            st = oryx_option_refuse(host, dev, cls, v->key, err, ORYX_E_FORMAT, what);
    }
    if (st) {
        free(*tree);
        *tree = NULL;
    }
    return st;
}

/* --- an output line ------------------------------------------------------------------------------------------------- */
/* The level that was told last. No lock: whoever tells a level looks again afterwards, so what is told last is right. */
typedef struct oryx_line {
    uint32_t level;
} oryx_line;

/* Bring line n to what level(self) says; level takes the model's lock by itself, which must not be held here. */
static inline void oryx_line_update(oryx_line *l, const oryx_host *host, oryx_device *dev, uint32_t n,
                                    uint32_t (*level)(void *self), void *self)
{
    uint32_t want = level(self), told;
    if (__atomic_load_n(&l->level, __ATOMIC_SEQ_CST) == want)
        return; /* also when another thread has said so and is just telling it */
    do {
        told = want;
        __atomic_store_n(&l->level, told, __ATOMIC_SEQ_CST);
        host->device_set_irq(dev, n, told);
        want = level(self);
    } while (want != told);
}

/* --- state ------------------------------------------------------------------------------------------------------------ */
/* A member of the model's struct, or an array of them: unsigned numbers of 1, 2, 4 or 8 bytes. */
typedef struct oryx_state_row {
    const char *name;
    uint32_t offset, size, count;
} oryx_state_row;
#define ORYX_STATE(type, member) { #member, (uint32_t)offsetof(type, member), (uint32_t)sizeof(((type *)0)->member), 1 }
#define ORYX_STATE_ARRAY(type, member, n) \
    { #member, (uint32_t)offsetof(type, member), (uint32_t)sizeof(((type *)0)->member[0]), n }

static inline uint64_t oryx_state_get(const void *from, const oryx_state_row *r, uint32_t i)
{
    const char *p = (const char *)from + r->offset + (size_t)i * r->size;
    uint8_t b;
    uint16_t h;
    uint32_t w;
    uint64_t d;
    switch (r->size) {
    case 1: memcpy(&b, p, 1); return b;
    case 2: memcpy(&h, p, 2); return h;
    case 4: memcpy(&w, p, 4); return w;
    default: memcpy(&d, p, 8); return d;
    }
}

static inline void oryx_state_set(void *to, const oryx_state_row *r, uint32_t i, uint64_t v)
{
    char *p = (char *)to + r->offset + (size_t)i * r->size;
    uint8_t b = (uint8_t)v;
    uint16_t h = (uint16_t)v;
    uint32_t w = (uint32_t)v;
    switch (r->size) {
    case 1: memcpy(p, &b, 1); break;
    case 2: memcpy(p, &h, 2); break;
    case 4: memcpy(p, &w, 4); break;
    default: memcpy(p, &v, 8); break;
    }
}

/* {"version": N, "name": 1, "array": [1, 2]}, malloc'ed; NULL: out of memory. */
static inline char *oryx_state_save(const void *from, const oryx_state_row *rows, uint32_t n, uint32_t version)
{
    size_t cap = 64, at;
    for (uint32_t i = 0; i < n; i++)
        cap += strlen(rows[i].name) + 16 + (size_t)rows[i].count * 24;
    char *text = (char *)malloc(cap);
    if (!text)
        return NULL;
    at = (size_t)snprintf(text, cap, "{\"version\": %u", version);
    for (uint32_t i = 0; i < n; i++) {
        int list = rows[i].count > 1;
        at += (size_t)snprintf(text + at, cap - at, ", \"%s\": %s", rows[i].name, list ? "[" : "");
        for (uint32_t k = 0; k < rows[i].count; k++)
            at += (size_t)snprintf(text + at, cap - at, "%s%" PRIu64, k ? ", " : "", oryx_state_get(from, &rows[i], k));
        at += (size_t)snprintf(text + at, cap - at, "%s", list ? "]" : "");
    }
    snprintf(text + at, cap - at, "}");
    return text;
}

/* Where the value of a member of a flat object begins, or NULL. */
static inline const char *oryx_state_find(const char *json, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = json; (p = strchr(p, '"')) != NULL;) {
        const char *end = strchr(p + 1, '"');
        if (!end)
            return NULL;
        const char *after = end + 1 + strspn(end + 1, " \t\r\n");
        if ((size_t)(end - p - 1) == len && !memcmp(p + 1, name, len) && *after == ':')
            return after + 1 + strspn(after + 1, " \t\r\n");
        p = end + 1;
    }
    return NULL;
}

static inline const char *oryx_state_number(const char *p, uint32_t size, uint64_t *out)
{
    uint64_t v = 0, max = size == 8 ? ~(uint64_t)0 : ((uint64_t)1 << (8 * size)) - 1;
    if (*p < '0' || *p > '9')
        return NULL;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (v > (max - digit) / 10)
            return NULL;
        v = v * 10 + digit;
    }
    *out = v;
    return p + strspn(p, " \t\r\n");
}

/* Into `to`, a copy of the model's struct, so that a bad state changes nothing. Returns NULL, or the name of the member that is
 * missing or out of range. */
static inline const char *oryx_state_load(void *to, const oryx_state_row *rows, uint32_t n, uint32_t version, const char *json)
{
    uint64_t v = 0;
    const char *p = json ? json + strspn(json, " \t\r\n") : "";
    if (*p != '{' || !(p = oryx_state_find(json, "version")) || !oryx_state_number(p, 4, &v) || v != version)
        return "version";
    for (uint32_t i = 0; i < n; i++) {
        int list = rows[i].count > 1;
        p = oryx_state_find(json, rows[i].name);
        if (!p || (list && *p++ != '['))
            return rows[i].name;
        for (uint32_t k = 0; k < rows[i].count; k++) {
            p = oryx_state_number(p + strspn(p, " \t\r\n"), rows[i].size, &v);
            if (!p || (list && *p++ != (k + 1 < rows[i].count ? ',' : ']')))
                return rows[i].name;
            oryx_state_set(to, &rows[i], k, v);
        }
    }
    return NULL;
}

#endif
