/* The text of a machine description: reading, JSON pointers to lines, --set. json-c keeps no lines, so the valid text is
 * walked once more by a scanner of our own, which also finds members given twice. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "machine.h"

char *machine_pointer(const char *parent, const char *key)
{
    GString *s = g_string_new(parent);
    g_string_append_c(s, '/');
    for (; *key; key++) {
        if (*key == '~')
            g_string_append(s, "~0");
        else if (*key == '/')
            g_string_append(s, "~1");
        else
            g_string_append_c(s, *key);
    }
    return g_string_free(s, FALSE);
}

bool machine_wrong(machine_file *f, const char *pointer, const char *fmt, ...)
{
    va_list ap;
    const char *set = NULL;
    guint line = 0;
    if (f->code)
        return false; /* the first error is the one to mend */
    f->code = EXIT_CANNOT_RUN;
    char *p = g_strdup(pointer), *cut;
    for (;;) {
        set = g_hash_table_lookup(f->sets, p);
        line = GPOINTER_TO_UINT(g_hash_table_lookup(f->lines, p));
        if (set || line || !(cut = strrchr(p, '/')))
            break;
        *cut = 0;
    }
    va_start(ap, fmt);
    char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (set)
        tool_fail(0, "%s: --set %s: %s: %s", f->path, set, *pointer ? pointer : "/", text);
    else
        tool_fail(0, "%s:%u: %s: %s", f->path, line ? line : 1, *pointer ? pointer : "/", text);
    g_free(text);
    g_free(p);
    return false;
}

/* --- lines ------------------------------------------------------------------------------------------------------------ */
typedef struct scan {
    machine_file *f;
    const char *p;
    guint line;
} scan;

static void blanks(scan *s)
{
    for (; g_ascii_isspace(*s->p); s->p++)
        s->line += *s->p == '\n';
}

/* The string at p, its quotes and escapes as they are: keys of descriptions have none. */
static char *word(scan *s)
{
    const char *from = ++s->p;
    while (*s->p && *s->p != '"')
        s->p += *s->p == '\\' && s->p[1] ? 2 : 1;
    char *text = g_strndup(from, (gsize)(s->p - from));
    s->p += *s->p == '"';
    return text;
}

static void value(scan *s, const char *pointer)
{
    blanks(s);
    if (g_hash_table_contains(s->f->lines, pointer)) {
        guint first = GPOINTER_TO_UINT(g_hash_table_lookup(s->f->lines, pointer));
        g_hash_table_insert(s->f->lines, g_strdup(pointer), GUINT_TO_POINTER(s->line));
        machine_wrong(s->f, pointer, "given twice, first in line %u: take one out", first);
    }
    g_hash_table_insert(s->f->lines, g_strdup(pointer), GUINT_TO_POINTER(s->line));
    if (*s->p == '{' || *s->p == '[') {
        char close = *s->p == '{' ? '}' : ']';
        s->p++;
        for (guint i = 0;; i++) {
            blanks(s);
            if (*s->p == close || !*s->p)
                break;
            char *key = close == '}' ? word(s) : g_strdup_printf("%u", i);
            blanks(s);
            s->p += *s->p == ':';
            char *below = machine_pointer(pointer, key);
            value(s, below);
            g_free(below);
            g_free(key);
            blanks(s);
            s->p += *s->p == ',';
        }
        s->p += *s->p != 0;
    } else if (*s->p == '"') {
        g_free(word(s));
    } else {
        while (*s->p && !strchr(",]} \t\r\n", *s->p))
            s->p++;
    }
}

/* --- --set ------------------------------------------------------------------------------------------------------------ */
/* Element of a list by number or by its "name"; -1: none. */
static int element(struct json_object *list, const char *key)
{
    uint64_t n;
    size_t length = json_object_array_length(list);
    for (size_t i = 0; i < length; i++) {
        struct json_object *name = NULL, *e = json_object_array_get_idx(list, i);
        if (json_object_is_type(e, json_type_object) && json_object_object_get_ex(e, "name", &name) &&
            json_object_is_type(name, json_type_string) && !strcmp(json_object_get_string(name), key))
            return (int)i;
    }
    return tool_number(key, &n) && n < length ? (int)n : -1;
}

static struct json_object *parsed(const char *text)
{
    struct json_tokener *t = json_tokener_new();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT);
    struct json_object *o = json_tokener_parse_ex(t, text, (int)strlen(text) + 1);
    bool null = json_tokener_get_error(t) == json_tokener_success;
    json_tokener_free(t);
    return o || null ? o : json_object_new_string(text);
}

static bool set_one(machine_file *f, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text) {
        f->code = EXIT_USAGE;
        tool_fail(0, "--set takes PATH=VALUE, not '%s'", text);
        return false;
    }
    char *path = g_strndup(text, (gsize)(equals - text)), **keys = g_strsplit(path, ".", 0), *pointer = g_strdup("");
    struct json_object *at = f->root, *next;
    bool ok = true;
    for (char **k = keys; ok && *k; k++) {
        bool last = !k[1];
        char *key = g_strdup(*k);
        if (json_object_is_type(at, json_type_array)) {
            int i = element(at, *k);
            ok = i >= 0;
            if (ok && last)
                json_object_array_put_idx(at, (size_t)i, parsed(equals + 1));
            next = ok ? json_object_array_get_idx(at, (size_t)i) : NULL;
            g_free(key);
            key = g_strdup_printf("%d", i);
        } else if ((ok = json_object_is_type(at, json_type_object))) {
            if (last)
                json_object_object_add(at, *k, parsed(equals + 1));
            else if (!json_object_object_get_ex(at, *k, &next))
                json_object_object_add(at, *k, json_object_new_object());
            json_object_object_get_ex(at, *k, &next);
        }
        if (!ok) {
            f->code = EXIT_USAGE;
            tool_fail(0, "--set %s: %s: there is no '%s' in '%s'; name a member, or an element of a list by its name or number", text,
                      f->path, *k, *pointer ? pointer : "/");
        } else {
            char *below = machine_pointer(pointer, key);
            g_free(pointer);
            pointer = below;
            at = next;
        }
        g_free(key);
    }
    if (ok)
        g_hash_table_insert(f->sets, g_strdup(pointer), g_strdup(text));
    g_free(pointer);
    g_free(path);
    g_strfreev(keys);
    return ok;
}

/* --- files ------------------------------------------------------------------------------------------------------------ */
static bool parse(machine_file *f, const char *text, gsize size)
{
    struct json_tokener *t = json_tokener_new();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    if (size >= G_MAXINT || strlen(text) != size) {
        machine_wrong(f, "", "is no text: it has a byte 0 or more than 2 GiB");
    } else {
        f->root = json_tokener_parse_ex(t, text, (int)size + 1);
        enum json_tokener_error e = json_tokener_get_error(t);
        size_t at = json_tokener_get_parse_end(t);
        if (e != json_tokener_success) {
            guint line = 1;
            for (size_t i = 0; i < at && i < size; i++)
                line += text[i] == '\n';
            g_hash_table_insert(f->lines, g_strdup(""), GUINT_TO_POINTER(line));
            machine_wrong(f, "", "no valid JSON: %s", e == json_tokener_continue ? "unexpected end of data" : json_tokener_error_desc(e));
        } else if (!json_object_is_type(f->root, json_type_object)) {
            machine_wrong(f, "", "a machine is a JSON object: {...}");
        }
    }
    json_tokener_free(t);
    return !f->code;
}

machine_file *machine_open(const char *path, char **sets, int *code)
{
    gchar *text = NULL;
    gsize size = 0;
    GError *e = NULL;
    if (!g_file_get_contents(path, &text, &size, &e)) {
        *code = tool_fail(e->code == G_FILE_ERROR_NOENT ? EXIT_MISSING : EXIT_CANNOT_RUN, "%s", e->message);
        g_error_free(e);
        return NULL;
    }
    machine_file *f = g_new0(machine_file, 1);
    f->path = g_strdup(path);
    f->folder = g_path_get_dirname(path);
    f->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    f->sets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (parse(f, text, size)) {
        scan s = { .f = f, .p = text, .line = 1 };
        value(&s, "");
    }
    for (; !f->code && sets && *sets; sets++)
        set_one(f, *sets);
    g_free(text);
    if (!f->code)
        return f;
    *code = f->code;
    machine_close(f);
    return NULL;
}

void machine_close(machine_file *f)
{
    if (!f)
        return;
    json_object_put(f->root);
    g_hash_table_unref(f->lines);
    g_hash_table_unref(f->sets);
    g_free(f->path);
    g_free(f->folder);
    g_free(f);
}
