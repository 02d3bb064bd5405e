/* The core's containers: GLib's names and shapes, allocation by the core's seam. GLib ends the process when memory runs out; a
 * library must not. So in the core GPtrArray, GArray, GHashTable and GString are these, with the few functions it uses, and
 * what GLib declares void or never fails says here whether it worked: new returns NULL, add, append and insert return 0 and
 * leave the container as it was. Every function takes NULL for "no container". Included by core.h after glib.h; files that
 * do not include core.h have GLib's own. */
#ifndef ORYX_CONTAINERS_H
#define ORYX_CONTAINERS_H

#include <glib.h>

typedef struct oryx__ptrs {
    void **pdata;
    guint len, cap;
    GDestroyNotify free_fn;
} oryx__ptrs;
oryx__ptrs *oryx__ptrs_new(void);
oryx__ptrs *oryx__ptrs_new_with(GDestroyNotify free_fn);
int oryx__ptrs_add(oryx__ptrs *a, void *p);
void oryx__ptrs_free(oryx__ptrs *a, gboolean with_list);
gboolean oryx__ptrs_remove(oryx__ptrs *a, const void *p);
gboolean oryx__ptrs_remove_fast(oryx__ptrs *a, const void *p);
void *oryx__ptrs_remove_index(oryx__ptrs *a, guint i);
void oryx__ptrs_set_size(oryx__ptrs *a, gint n); /* to fewer */

typedef struct oryx__array {
    char *data;
    guint len, cap, size;
} oryx__array;
oryx__array *oryx__array_new(gboolean zero, gboolean clear, guint size);
int oryx__array_append(oryx__array *a, const void *v);
char *oryx__array_free(oryx__array *a, gboolean with_data);
oryx__array *oryx__array_remove_index(oryx__array *a, guint i);

typedef struct oryx__table oryx__table;
typedef struct oryx__table_iter {
    const oryx__table *t;
    guint at;
} oryx__table_iter;
oryx__table *oryx__table_new(GHashFunc hash, GEqualFunc equal);
oryx__table *oryx__table_new_full(GHashFunc hash, GEqualFunc equal, GDestroyNotify key_free, GDestroyNotify value_free);
/* insert keeps the old key of an entry that is there and frees the given one; add is for sets: the key is the value. */
gboolean oryx__table_insert(oryx__table *t, void *key, void *value);
gboolean oryx__table_add(oryx__table *t, void *key);
void *oryx__table_lookup(const oryx__table *t, const void *key);
gboolean oryx__table_contains(const oryx__table *t, const void *key);
gboolean oryx__table_remove(oryx__table *t, const void *key);
guint oryx__table_size(const oryx__table *t);
void oryx__table_destroy(oryx__table *t);
void oryx__table_iter_init(oryx__table_iter *it, const oryx__table *t);
gboolean oryx__table_iter_next(oryx__table_iter *it, void **key, void **value);

/* Text that stops growing when memory runs out. */
typedef struct oryx__string {
    char *str;
    gsize len, cap;
} oryx__string;
oryx__string *oryx__string_new(const char *text);
oryx__string *oryx__string_new_len(const char *text, gssize n);
oryx__string *oryx__string_append(oryx__string *s, const char *text);
oryx__string *oryx__string_append_char(oryx__string *s, char c);
void oryx__string_append_printf(oryx__string *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *oryx__string_free(oryx__string *s, gboolean with_text);
char *oryx__strdup(const char *text);
void *oryx__new(size_t n, size_t size);

#define GPtrArray                      oryx__ptrs
#define g_ptr_array_new                oryx__ptrs_new
#define g_ptr_array_new_with_free_func oryx__ptrs_new_with
#define g_ptr_array_add                oryx__ptrs_add
#define g_ptr_array_free               oryx__ptrs_free
#define g_ptr_array_remove             oryx__ptrs_remove
#define g_ptr_array_remove_fast        oryx__ptrs_remove_fast
#define g_ptr_array_remove_index       oryx__ptrs_remove_index
#define g_ptr_array_set_size           oryx__ptrs_set_size
#define GArray                         oryx__array
#define g_array_new                    oryx__array_new
#undef g_array_append_val
#define g_array_append_val(a, v) oryx__array_append((a), &(v))
#define g_array_free             oryx__array_free
#define g_array_remove_index     oryx__array_remove_index
#define GHashTable               oryx__table
#define GHashTableIter           oryx__table_iter
#define g_hash_table_new         oryx__table_new
#define g_hash_table_new_full    oryx__table_new_full
#define g_hash_table_insert      oryx__table_insert
#define g_hash_table_add         oryx__table_add
#define g_hash_table_lookup      oryx__table_lookup
#define g_hash_table_contains    oryx__table_contains
#define g_hash_table_remove      oryx__table_remove
#define g_hash_table_size        oryx__table_size
#define g_hash_table_destroy     oryx__table_destroy
#define g_hash_table_iter_init   oryx__table_iter_init
#define g_hash_table_iter_next   oryx__table_iter_next
#define GString                  oryx__string
#define g_string_new             oryx__string_new
#define g_string_new_len         oryx__string_new_len
#undef g_string_append
#define g_string_append oryx__string_append
#undef g_string_append_c
#define g_string_append_c      oryx__string_append_char
#define g_string_append_printf oryx__string_append_printf
#undef g_string_free
#define g_string_free oryx__string_free
#undef g_strdup
#define g_strdup oryx__strdup
#undef g_new
#define g_new(type, n) ((type *)oryx__new((n), sizeof(type)))
#undef g_new0
#define g_new0(type, n) ((type *)oryx__new((n), sizeof(type)))

#endif
