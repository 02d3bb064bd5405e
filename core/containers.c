/* The containers of containers.h.
 * Owns: nothing. Called by: every core file. Invariant: an operation that cannot get memory says so and changes nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

/* data with room for one more of `size` bytes; NULL: out of memory, and data is as it was. */
static void *grown(void *data, guint len, guint *cap, size_t size)
{
    if (len < *cap)
        return data;
    guint n = *cap ? *cap * 2 : 8;
    void *p = oryx__realloc(data, n * size);
    if (p)
        *cap = n;
    return p;
}

/* --- pointers ------------------------------------------------------------------------------------- */

oryx__ptrs *oryx__ptrs_new_with(GDestroyNotify free_fn)
{
    oryx__ptrs *a = oryx__alloc(sizeof(*a));
    if (a)
        a->free_fn = free_fn;
    return a;
}

oryx__ptrs *oryx__ptrs_new(void)
{
    return oryx__ptrs_new_with(NULL);
}

int oryx__ptrs_add(oryx__ptrs *a, void *p)
{
    void **data = a ? grown(a->pdata, a->len, &a->cap, sizeof(void *)) : NULL;
    if (!data)
        return 0;
    a->pdata = data;
    a->pdata[a->len++] = p;
    return 1;
}

void oryx__ptrs_free(oryx__ptrs *a, gboolean with_list)
{
    if (!a)
        return;
    for (guint i = 0; with_list && a->free_fn && i < a->len; i++)
        a->free_fn(a->pdata[i]);
    if (with_list)
        oryx__free(a->pdata);
    oryx__free(a);
}

void *oryx__ptrs_remove_index(oryx__ptrs *a, guint i)
{
    void *p = a->pdata[i];
    memmove(&a->pdata[i], &a->pdata[i + 1], (a->len - i - 1) * sizeof(void *));
    a->len--;
    if (a->free_fn)
        a->free_fn(p);
    return p;
}

gboolean oryx__ptrs_remove(oryx__ptrs *a, const void *p)
{
    for (guint i = 0; a && i < a->len; i++) {
        if (a->pdata[i] == p) {
            oryx__ptrs_remove_index(a, i);
            return TRUE;
        }
    }
    return FALSE;
}

gboolean oryx__ptrs_remove_fast(oryx__ptrs *a, const void *p)
{
    for (guint i = 0; a && i < a->len; i++) {
        if (a->pdata[i] == p) {
            a->pdata[i] = a->pdata[a->len - 1];
            a->pdata[a->len - 1] = (void *)(uintptr_t)p;
            oryx__ptrs_remove_index(a, a->len - 1);
            return TRUE;
        }
    }
    return FALSE;
}

void oryx__ptrs_set_size(oryx__ptrs *a, gint n)
{
    while (a && a->len > (guint)n)
        oryx__ptrs_remove_index(a, a->len - 1);
}

/* --- arrays of values --------------------------------------------------------------------------------- */

oryx__array *oryx__array_new(gboolean zero, gboolean clear, guint size)
{
    oryx__array *a = oryx__alloc(sizeof(*a));
    (void)zero;
    (void)clear;
    if (a)
        a->size = size;
    return a;
}

int oryx__array_append(oryx__array *a, const void *v)
{
    char *data = a ? grown(a->data, a->len, &a->cap, a->size) : NULL;
    if (!data)
        return 0;
    a->data = data;
    memcpy(a->data + (size_t)a->len++ * a->size, v, a->size);
    return 1;
}

char *oryx__array_free(oryx__array *a, gboolean with_data)
{
    char *data = a && !with_data ? a->data : NULL;
    if (a && with_data)
        oryx__free(a->data);
    oryx__free(a);
    return data;
}

oryx__array *oryx__array_remove_index(oryx__array *a, guint i)
{
    memmove(a->data + (size_t)i * a->size, a->data + (size_t)(i + 1) * a->size, (size_t)(a->len - i - 1) * a->size);
    a->len--;
    return a;
}

/* --- tables: open addressing, a removed entry stays as a grave until the next growth ---------------------- */

enum { EMPTY, GRAVE, LIVE };
struct slot {
    void *key, *value;
    guint hash, state;
};

struct oryx__table {
    struct slot *slots;
    guint mask, live, used; /* mask 0: no slots yet; used: graves too */
    GHashFunc hash;
    GEqualFunc equal;
    GDestroyNotify key_free, value_free;
};

oryx__table *oryx__table_new_full(GHashFunc hash, GEqualFunc equal, GDestroyNotify key_free, GDestroyNotify value_free)
{
    oryx__table *t = oryx__alloc(sizeof(*t));
    if (t)
        *t = (oryx__table){ .hash = hash, .equal = equal, .key_free = key_free, .value_free = value_free };
    return t;
}

oryx__table *oryx__table_new(GHashFunc hash, GEqualFunc equal)
{
    return oryx__table_new_full(hash, equal, NULL, NULL);
}

static guint hash_of(const oryx__table *t, const void *key)
{
    guint h = t->hash ? t->hash(key) : (guint)((uintptr_t)key >> 4 ^ (uintptr_t)key);
    return h * 0x9e3779b9u ^ h >> 15;
}

static struct slot *find(const oryx__table *t, const void *key)
{
    if (!t || !t->mask)
        return NULL;
    guint h = hash_of(t, key);
    for (guint i = h & t->mask;; i = (i + 1) & t->mask) {
        struct slot *s = &t->slots[i];
        if (s->state == EMPTY)
            return NULL;
        if (s->state == LIVE && s->hash == h && (s->key == key || (t->equal && t->equal(s->key, key))))
            return s;
    }
}

static struct slot *place(struct slot *slots, guint mask, guint h)
{
    guint i = h & mask;
    while (slots[i].state == LIVE)
        i = (i + 1) & mask;
    return &slots[i];
}

static int room(oryx__table *t)
{
    guint n = t->mask + 1;
    if (t->mask && t->used < n - n / 4)
        return 1;
    while (n < 8 || t->live >= n / 2)
        n = n < 8 ? 8 : n * 2;
    struct slot *slots = oryx__alloc(n * sizeof(*slots));
    if (!slots)
        return t->mask && t->used < t->mask; /* full but for one place: slower */
    for (guint i = 0; t->mask && i <= t->mask; i++)
        if (t->slots[i].state == LIVE)
            *place(slots, n - 1, t->slots[i].hash) = t->slots[i];
    oryx__free(t->slots);
    t->slots = slots;
    t->mask = n - 1;
    t->used = t->live;
    return 1;
}

static gboolean put(oryx__table *t, void *key, void *value, int replace)
{
    struct slot *s = find(t, key);
    if (s) {
        if (t->value_free)
            t->value_free(s->value);
        if (t->key_free)
            t->key_free(replace ? s->key : key);
        s->key = replace ? key : s->key;
        s->value = value;
        return TRUE;
    }
    if (!t || !room(t))
        return FALSE;
    guint h = hash_of(t, key);
    s = place(t->slots, t->mask, h);
    t->used += s->state == EMPTY;
    t->live++;
    *s = (struct slot){ key, value, h, LIVE };
    return TRUE;
}

gboolean oryx__table_insert(oryx__table *t, void *key, void *value)
{
    return put(t, key, value, 0);
}

gboolean oryx__table_add(oryx__table *t, void *key)
{
    return put(t, key, key, 1);
}

void *oryx__table_lookup(const oryx__table *t, const void *key)
{
    const struct slot *s = find(t, key);
    return s ? s->value : NULL;
}

gboolean oryx__table_contains(const oryx__table *t, const void *key)
{
    return find(t, key) != NULL;
}

static void bury(oryx__table *t, struct slot *s)
{
    struct slot was = *s;
    *s = (struct slot){ .state = GRAVE };
    t->live--;
    if (t->key_free)
        t->key_free(was.key);
    if (t->value_free)
        t->value_free(was.value);
}

gboolean oryx__table_remove(oryx__table *t, const void *key)
{
    struct slot *s = find(t, key);
    if (s)
        bury(t, s);
    return s != NULL;
}

guint oryx__table_size(const oryx__table *t)
{
    return t ? t->live : 0;
}

void oryx__table_destroy(oryx__table *t)
{
    if (!t)
        return;
    for (guint i = 0; t->mask && i <= t->mask; i++)
        if (t->slots[i].state == LIVE)
            bury(t, &t->slots[i]);
    oryx__free(t->slots);
    oryx__free(t);
}

void oryx__table_iter_init(oryx__table_iter *it, const oryx__table *t)
{
    *it = (oryx__table_iter){ t, 0 };
}

gboolean oryx__table_iter_next(oryx__table_iter *it, void **key, void **value)
{
    while (it->t && it->t->mask && it->at <= it->t->mask) {
        const struct slot *s = &it->t->slots[it->at++];
        if (s->state != LIVE)
            continue;
        if (key)
            *key = s->key;
        if (value)
            *value = s->value;
        return TRUE;
    }
    return FALSE;
}

/* --- text ----------------------------------------------------------------------------------------------- */

static int longer(oryx__string *s, gsize more)
{
    if (!s || s->len + more < s->cap)
        return s != NULL;
    gsize n = (s->len + more + 1) * 2;
    char *p = oryx__realloc(s->str, n);
    if (!p)
        return 0;
    s->str = p;
    s->cap = n;
    return 1;
}

oryx__string *oryx__string_new_len(const char *text, gssize n)
{
    oryx__string *s = oryx__alloc(sizeof(*s));
    if (!longer(s, (gsize)n + 15)) {
        oryx__free(s);
        return NULL;
    }
    memcpy(s->str, text, (gsize)n);
    s->len = (gsize)n;
    s->str[n] = 0;
    return s;
}

oryx__string *oryx__string_new(const char *text)
{
    return oryx__string_new_len(text ? text : "", text ? (gssize)strlen(text) : 0);
}

oryx__string *oryx__string_append(oryx__string *s, const char *text)
{
    gsize n = strlen(text);
    if (longer(s, n)) {
        memcpy(s->str + s->len, text, n + 1);
        s->len += n;
    }
    return s;
}

oryx__string *oryx__string_append_char(oryx__string *s, char c)
{
    char text[2] = { c, 0 };
    return oryx__string_append(s, text);
}

void oryx__string_append_printf(oryx__string *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || !longer(s, (gsize)n))
        return;
    va_start(ap, fmt);
    vsnprintf(s->str + s->len, (gsize)n + 1, fmt, ap);
    va_end(ap);
    s->len += (gsize)n;
}

char *oryx__string_free(oryx__string *s, gboolean with_text)
{
    char *text = s && !with_text ? s->str : NULL;
    if (s && with_text)
        oryx__free(s->str);
    oryx__free(s);
    return text;
}

char *oryx__strdup(const char *text)
{
    size_t n = text ? strlen(text) + 1 : 0;
    char *copy = text ? oryx__alloc(n) : NULL;
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

void *oryx__new(size_t n, size_t size)
{
    return oryx__alloc(n * size);
}
