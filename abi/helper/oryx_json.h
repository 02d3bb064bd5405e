/* JSON for plugins and the core: a strict reader that asks for memory once, and a writer that says at the end whether there was any.
 * So running out of memory is an error like any other. Header-only; nothing here is part of the binary interface.
 *
 *   oryx_json_error why;
 *   oryx_json *o = oryx_json_parse(text, &why);       one block: free(o)
 *   if (!oryx_json_unsigned(oryx_json_get(o, "size"), UINT32_MAX, &size)) ...
 *   for (const oryx_json *m = o->first; m; m = m->next) ... m->key ... */
#ifndef ORYX_JSON_H
#define ORYX_JSON_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORYX_JSON_NULL   0u
#define ORYX_JSON_BOOL   1u
#define ORYX_JSON_INT    2u /* fits into 64 bits, with a sign or without */
#define ORYX_JSON_DOUBLE 3u
#define ORYX_JSON_STRING 4u
#define ORYX_JSON_ARRAY  5u
#define ORYX_JSON_OBJECT 6u
#define ORYX_JSON_DEPTH  32u

typedef struct oryx_json {
    uint32_t type;
    uint32_t negative;       /* INT: u is its two's complement */
    uint32_t n;              /* members or elements */
    uint32_t reserved;
    const char *key;         /* in an object */
    const char *text;        /* STRING: UTF-8, without the character 0 */
    uint64_t u;              /* INT; BOOL: 0 or 1 */
    double d;                /* INT, DOUBLE */
    struct oryx_json *first, *next;
} oryx_json;

typedef struct oryx_json_error {
    const char *what;
    size_t at;               /* offset in the text */
    int32_t no_memory;
} oryx_json_error;

typedef struct oryx_json_reader {
    const char *p;
    const char *what;        /* the first error */
    oryx_json *node;
    char *byte;
} oryx_json_reader;

static inline void oryx_json_blanks(oryx_json_reader *r)
{
    r->p += strspn(r->p, " \t\r\n");
}

static inline int oryx_json_bad(oryx_json_reader *r, const char *what)
{
    r->what = r->what ? r->what : what;
    return 0;
}

static inline uint32_t oryx_json_hex4(oryx_json_reader *r)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, r->p++) {
        uint32_t c = (unsigned char)*r->p, digit = c - '0';
        if (digit > 9)
            digit = (c | 32) - 'a' + 10;
        if (digit > 15 || (digit > 9 && (c | 32) < 'a')) {
            oryx_json_bad(r, "four hexadecimal digits are needed after \\u");
            return 0xfffd;
        }
        v = v << 4 | digit;
    }
    return v;
}

static inline oryx_json *oryx_json_none(oryx_json_reader *r, const char *what)
{
    oryx_json_bad(r, what);
    return NULL;
}

static inline void oryx_json_utf8(oryx_json_reader *r, uint32_t c)
{
    if (c < 0x80) {
        *r->byte++ = (char)c;
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *r->byte++ = (char)((0xff00u >> (more + 1) & 0xff) | c >> 6 * more);
    while (more--)
        *r->byte++ = (char)(0x80 | (c >> 6 * more & 63));
}

static inline int oryx_json_escape(oryx_json_reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *k = *r->p ? strchr(from, *r->p) : NULL;
    if (k) {
        *r->byte++ = to[k - from];
        r->p++;
        return 1;
    }
    if (*r->p != 'u')
        return oryx_json_bad(r, "an unknown escape in a string");
    r->p++;
    uint32_t c = oryx_json_hex4(r);
    if (c >= 0xd800 && c < 0xdc00 && r->p[0] == '\\' && r->p[1] == 'u') {
        const char *other = r->p;
        r->p += 2;
        uint32_t low = oryx_json_hex4(r);
        int pair = low >= 0xdc00 && low < 0xe000;
        c = pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
        r->p = pair || r->what ? r->p : other; /* an escape of its own */
    } else if (c >= 0xd800 && c < 0xe000) {
        c = 0xfffd; /* half a pair */
    }
    if (!c)
        return oryx_json_bad(r, "a string cannot have the character 0");
    oryx_json_utf8(r, c);
    return !r->what;
}

static inline const char *oryx_json_word(oryx_json_reader *r)
{
    const char *start = r->byte;
    if (*r->p != '"') {
        oryx_json_bad(r, "a string is needed");
        return NULL;
    }
    r->p++;
    while (*r->p != '"') {
        if ((unsigned char)*r->p < 32) {
            oryx_json_bad(r, *r->p ? "a control character in a string" : "a string without an end");
            return NULL;
        }
        if (*r->p != '\\') {
            *r->byte++ = *r->p++;
        } else if (r->p++, !oryx_json_escape(r)) {
            return NULL;
        }
    }
    r->p++;
    *r->byte++ = 0;
    return start;
}

static inline int oryx_json_digits(const char **p)
{
    const char *from = *p;
    while (**p >= '0' && **p <= '9')
        ++*p;
    return *p > from;
}

static inline int oryx_json_number(oryx_json_reader *r, oryx_json *v)
{
    const char *from = r->p, *p = r->p + (*r->p == '-'), *first = p;
    char *end;
    int whole = 1;
    if (!oryx_json_digits(&p) || (*first == '0' && p - first > 1))
        return oryx_json_bad(r, "a value is needed");
    if (*p == '.' && (whole = 0, p++, !oryx_json_digits(&p)))
        return oryx_json_bad(r, "digits are needed behind the point");
    if ((*p | 32) == 'e') {
        whole = 0;
        p++;
        p += *p == '+' || *p == '-';
        if (!oryx_json_digits(&p))
            return oryx_json_bad(r, "an exponent needs digits");
    }
    /* By hand: strtod and strtoull follow the locale or take signs. */
    errno = 0;
    v->negative = *from == '-';
    v->type = whole ? ORYX_JSON_INT : ORYX_JSON_DOUBLE;
    v->u = whole ? (uint64_t)(v->negative ? strtoll(from, &end, 10) : 0) : 0;
    if (whole && !v->negative)
        v->u = strtoull(from, &end, 10);
    if (errno)
        return oryx_json_bad(r, "a number does not fit into 64 bits");
    if (whole) {
        v->d = v->negative ? (double)(int64_t)v->u : (double)v->u;
    } else {
        double d = 0, scale = 1;
        int exponent = 0, behind = 0;
        const char *q = first;
        for (; q < p && (*q | 32) != 'e'; q++) {
            if (*q == '.') {
                behind = 1;
                continue;
            }
            d = d * 10 + (*q - '0');
            exponent -= behind;
        }
        if (q < p) {
            long e = strtol(q + 1, &end, 10);
            exponent += e > 10000 ? 10000 : e < -10000 ? -10000 : (int)e;
        }
        for (int i = d == 0 ? 0 : exponent < 0 ? -exponent : exponent; i > 0 && scale < 1e308; i--)
            scale *= 10;
        d = exponent < 0 ? d / scale : d * scale;
        if (!(d <= 1.7e308))
            return oryx_json_bad(r, "a number is too large");
        v->d = v->negative ? -d : d;
    }
    r->p = p;
    return 1;
}

static inline oryx_json *oryx_json_value(oryx_json_reader *r, unsigned depth)
{
    static const char *const words[] = { "false", "true", "null" };
    oryx_json *v = r->node++;
    memset(v, 0, sizeof(*v));
    oryx_json_blanks(r);
    for (unsigned i = 0; i < 3; i++) {
        size_t n = strlen(words[i]);
        if (!strncmp(r->p, words[i], n)) {
            v->type = i < 2 ? ORYX_JSON_BOOL : ORYX_JSON_NULL;
            v->u = i == 1;
            r->p += n;
            return v;
        }
    }
    if (*r->p == '"') {
        v->type = ORYX_JSON_STRING;
        return (v->text = oryx_json_word(r)) ? v : NULL;
    }
    if (*r->p != '{' && *r->p != '[')
        return oryx_json_number(r, v) ? v : NULL;
    char close = *r->p++ == '{' ? '}' : ']';
    oryx_json **link = &v->first;
    v->type = close == '}' ? ORYX_JSON_OBJECT : ORYX_JSON_ARRAY;
    oryx_json_blanks(r);
    if (depth == 0)
        return oryx_json_none(r, "too deep");
    for (int more = *r->p != close; more; v->n++) {
        const char *key = NULL;
        oryx_json_blanks(r);
        if (close == '}') {
            if (!(key = oryx_json_word(r)))
                return NULL;
            oryx_json_blanks(r);
            if (*r->p != ':')
                return oryx_json_none(r, "a ':' is needed");
            r->p++;
        }
        if (!(*link = oryx_json_value(r, depth - 1)))
            return NULL;
        (*link)->key = key;
        link = &(*link)->next;
        oryx_json_blanks(r);
        if ((more = *r->p == ','))
            r->p++;
        else if (*r->p != close)
            return oryx_json_none(r, close == '}' ? "',' or '}' is needed" : "',' or ']' is needed");
    }
    r->p++;
    return v;
}

/* The text as a tree in one block, which free() frees; NULL: *why (which may be NULL) says what is wrong. */
static inline oryx_json *oryx_json_parse(const char *text, oryx_json_error *why)
{
    /* Each value but the first stands behind one of these; a string is shorter than its text. */
    size_t nodes = 1, bytes = strlen(text);
    for (const char *p = text; (p = strpbrk(p, ",[{")) != NULL; p++)
        nodes++;
    oryx_json *all = (oryx_json *)malloc(nodes * sizeof(*all) + bytes + 1), *root = NULL;
    oryx_json_reader r = { text, NULL, all, (char *)(all + nodes) };
    if (all) {
        root = oryx_json_value(&r, ORYX_JSON_DEPTH);
        if (root)
            oryx_json_blanks(&r);
        if (root && *r.p)
            oryx_json_bad(&r, "something behind the value");
    }
    if (why) {
        why->what = all ? r.what : "out of memory";
        why->at = (size_t)(r.p - text);
        why->no_memory = !all;
    }
    if (!all || (root && !r.what))
        return root;
    free(all);
    return NULL;
}

/* The member (given twice: the last), or NULL: also when o is none or no object. */
static inline const oryx_json *oryx_json_get(const oryx_json *o, const char *key)
{
    const oryx_json *found = NULL;
    for (const oryx_json *m = o && o->type == ORYX_JSON_OBJECT ? o->first : NULL; m; m = m->next)
        if (!strcmp(m->key, key))
            found = m;
    return found;
}

static inline int oryx_json_is(const oryx_json *v, uint32_t type)
{
    return v && v->type == type;
}

/* NULL: no string. */
static inline const char *oryx_json_text(const oryx_json *v)
{
    return oryx_json_is(v, ORYX_JSON_STRING) ? v->text : NULL;
}

/* 1 and *out for an integer from 0 to max. */
static inline int oryx_json_unsigned(const oryx_json *v, uint64_t max, uint64_t *out)
{
    if (!oryx_json_is(v, ORYX_JSON_INT) || (v->negative && v->u) || v->u > max)
        return 0;
    *out = v->u;
    return 1;
}

/* The same, also as a string, decimal or "0x1000". */
static inline int oryx_json_address(const oryx_json *v, uint64_t max, uint64_t *out)
{
    const char *text = oryx_json_text(v);
    if (!text)
        return oryx_json_unsigned(v, max, out);
    int hex = text[0] == '0' && (text[1] | 32) == 'x';
    const char *digits = text + 2 * hex;
    char *end;
    errno = 0;
    uint64_t n = strtoull(text, &end, hex ? 16 : 10);
    if (strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits) || !*digits || errno || n > max)
        return 0;
    *out = n;
    return 1;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */
typedef struct oryx_json_out {
    char *text; /* malloc'ed; NULL until something is written, and when memory ran out */
    size_t n, cap;
    int failed;
} oryx_json_out;

static inline void oryx_json_bytes(oryx_json_out *w, const char *bytes, size_t n)
{
    if (!w->failed && w->cap - w->n <= n) {
        size_t cap = (w->cap + n) * 2 + 64;
        char *grown = (char *)realloc(w->text, cap);
        w->failed = !grown;
        if (grown) {
            w->text = grown;
            w->cap = cap;
        }
    }
    if (w->failed)
        return;
    memcpy(w->text + w->n, bytes, n);
    w->text[w->n += n] = 0;
}

static inline void oryx_json_quoted(oryx_json_out *w, const char *text)
{
    oryx_json_bytes(w, "\"", 1);
    for (const char *p = text; *p; p++) {
        char escape[8];
        if (*p == '"' || *p == '\\')
            snprintf(escape, sizeof(escape), "\\%c", *p);
        else if ((unsigned char)*p < 32)
            snprintf(escape, sizeof(escape), "\\u%04x", *p);
        else
            snprintf(escape, sizeof(escape), "%c", *p);
        oryx_json_bytes(w, escape, strlen(escape));
    }
    oryx_json_bytes(w, "\"", 1);
}

/* What comes before a value: ',' where one is needed, and its key in an object (NULL in a list). */
static inline void oryx_json_key(oryx_json_out *w, const char *key)
{
    if (w->n && !strchr("{[:", w->text[w->n - 1]))
        oryx_json_bytes(w, ",", 1);
    if (key) {
        oryx_json_quoted(w, key);
        oryx_json_bytes(w, ":", 1);
    }
}

static inline void oryx_json_open(oryx_json_out *w, const char *key, const char *bracket)
{
    oryx_json_key(w, key);
    oryx_json_bytes(w, bracket, 1);
}

static inline void oryx_json_close(oryx_json_out *w, const char *bracket)
{
    oryx_json_bytes(w, bracket, 1);
}

static inline void oryx_json_add(oryx_json_out *w, const char *key, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, v);
    oryx_json_key(w, key);
    oryx_json_bytes(w, text, strlen(text));
}

static inline void oryx_json_add_signed(oryx_json_out *w, const char *key, int64_t v)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, v);
    oryx_json_key(w, key);
    oryx_json_bytes(w, text, strlen(text));
}

/* text NULL: null. */
static inline void oryx_json_add_text(oryx_json_out *w, const char *key, const char *text)
{
    oryx_json_key(w, key);
    if (text)
        oryx_json_quoted(w, text);
    else
        oryx_json_bytes(w, "null", 4);
}

/* Of numbers. */
static inline void oryx_json_add_list(oryx_json_out *w, const char *key, const uint64_t *v, uint32_t n)
{
    oryx_json_open(w, key, "[");
    for (uint32_t i = 0; i < n; i++)
        oryx_json_add(w, NULL, v[i]);
    oryx_json_close(w, "]");
}

/* The text, which is the caller's to free; NULL: out of memory. */
static inline char *oryx_json_done(oryx_json_out *w)
{
    if (w->failed) {
        free(w->text);
        w->text = NULL;
    }
    return w->text;
}

#endif
