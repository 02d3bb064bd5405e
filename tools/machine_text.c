/* The text of a machine description: reading, JSON pointers to lines, --set. json-c keeps no lines, so the valid text is
 * walked once more by a scanner of our own, which also finds members given twice. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

#define LARGEST (64 << 20)

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

/* The --set word that made what is at the pointer: its value, one around it, or an object that had to be made on its way. */
static const char *set_of(machine_file *f, const char *pointer)
{
    char *p = g_strdup(pointer), *cut, *below = g_strdup_printf("%s/", pointer);
    const char *set;
    while (!(set = g_hash_table_lookup(f->sets, p)) && (cut = strrchr(p, '/')))
        *cut = 0;
    GHashTableIter it;
    gpointer key, value;
    g_hash_table_iter_init(&it, f->sets);
    while (!set && *pointer && !g_hash_table_contains(f->lines, pointer) && g_hash_table_iter_next(&it, &key, &value))
        if (g_str_has_prefix(key, below))
            set = value;
    g_free(below);
    g_free(p);
    return set;
}

/* One line of it that a terminal shows as it is: descriptions may hold anything. */
static char *one_line(char *text)
{
    GString *s = g_string_new(NULL);
    for (const char *p = text; *p; p++) {
        if (s->len > 600) {
            g_string_append(s, "...");
            break;
        }
        if ((guchar)*p < 32 || *p == 127)
            g_string_append_printf(s, "\\x%02x", (guchar)*p);
        else
            g_string_append_c(s, *p);
    }
    g_free(text);
    char *valid = g_utf8_make_valid(s->str, -1);
    g_string_free(s, TRUE);
    return valid;
}

bool machine_wrong(machine_file *f, const char *pointer, const char *fmt, ...)
{
    va_list ap;
    guint line = 0;
    if (f->code)
        return false; /* the first error is the one to mend */
    f->code = EXIT_CANNOT_RUN;
    const char *set = set_of(f, pointer);
    char *p = g_strdup(pointer), *cut;
    while (!(line = GPOINTER_TO_UINT(g_hash_table_lookup(f->lines, p))) && (cut = strrchr(p, '/')))
        *cut = 0;
    g_free(p);
    va_start(ap, fmt);
    char *text = one_line(g_strdup_vprintf(fmt, ap)), *at = one_line(g_strdup(*pointer ? pointer : "/"));
    va_end(ap);
    if (set)
        tool_fail(0, "%s: --set %s: %s: %s", f->path, set, at, text);
    else
        tool_fail(0, "%s:%u: %s: %s", f->path, line ? line : 1, at, text);
    g_free(text);
    g_free(at);
    return false;
}

/* --- lines ------------------------------------------------------------------------------------------------------------ */
typedef struct scan {
    machine_file *f;
    GHashTable *seen; /* pointer -> line: of the file f->lines, of a --set its own */
    const char *p;
    guint line;
} scan;

static struct json_object *parsed_or_null(const char *text, size_t size)
{
    struct json_tokener *t = json_tokener_new();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    char *copy = g_strndup(text, size); /* with a byte 0, at which a number ends */
    struct json_object *o = json_tokener_parse_ex(t, copy, (int)size + 1);
    g_free(copy);
    json_tokener_free(t);
    return o;
}

static void blanks(scan *s)
{
    for (; g_ascii_isspace(*s->p); s->p++)
        s->line += *s->p == '\n';
}

/* The string at p, decoded. A character 0 in it would end it for everybody who reads it: refused. */
static char *word(scan *s, const char *pointer)
{
    const char *from = ++s->p;
    bool escapes = false;
    while (*s->p && *s->p != '"') {
        escapes |= *s->p == '\\';
        if (g_str_has_prefix(s->p, "\\u0000")) {
            g_hash_table_insert(s->seen, g_strdup(pointer), GUINT_TO_POINTER(s->line)); /* of a member, whose own begins elsewhere */
            machine_wrong(s->f, pointer, "a string cannot have the character 0 (\\u0000)");
        }
        s->p += *s->p == '\\' && s->p[1] ? 2 : 1;
    }
    struct json_object *o = escapes ? parsed_or_null(from - 1, (size_t)(s->p - from) + 2) : NULL;
    char *text = o ? g_strdup(json_object_get_string(o)) : g_strndup(from, (gsize)(s->p - from));
    json_object_put(o);
    s->p += *s->p == '"';
    return text;
}

/* A number must be one of JSON's and fit: json-c takes NaN, and makes the largest there is of what is larger. */
static void bare(scan *s, const char *pointer)
{
    size_t n = strcspn(s->p, ",]} \t\r\n");
    char *text = g_strndup(s->p, n), *end;
    errno = 0;
    if (g_ascii_isdigit(*text) || (*text == '-' && g_ascii_isdigit(text[1]))) {
        if (strpbrk(text, ".eE"))
            g_ascii_strtod(text, &end);
        else if (*text == '-')
            g_ascii_strtoll(text, &end, 10);
        else
            g_ascii_strtoull(text, &end, 10);
        if (errno == ERANGE)
            machine_wrong(s->f, pointer, "%s does not fit into 64 bits", text);
    } else if (strcmp(text, "true") && strcmp(text, "false") && strcmp(text, "null")) {
        machine_wrong(s->f, pointer, "%s is no JSON value", text);
    }
    g_free(text);
    s->p += n;
}

static void value(scan *s, const char *pointer)
{
    blanks(s);
    if (g_hash_table_contains(s->seen, pointer)) {
        guint first = GPOINTER_TO_UINT(g_hash_table_lookup(s->seen, pointer));
        g_hash_table_insert(s->seen, g_strdup(pointer), GUINT_TO_POINTER(s->line));
        machine_wrong(s->f, pointer, "given twice, first in line %u: take one out", first);
    }
    g_hash_table_insert(s->seen, g_strdup(pointer), GUINT_TO_POINTER(s->line));
    if (*s->p == '{' || *s->p == '[') {
        char close = *s->p == '{' ? '}' : ']';
        s->p++;
        for (guint i = 0;; i++) {
            blanks(s);
            if (*s->p == close || !*s->p)
                break;
            char *key = close == '}' ? word(s, pointer) : g_strdup_printf("%u", i);
            blanks(s);
            s->p += close == '}' && *s->p == ':';
            char *below = machine_pointer(pointer, key);
            value(s, below);
            g_free(below);
            g_free(key);
            blanks(s);
            s->p += *s->p == ',';
        }
        s->p += *s->p != 0;
    } else if (*s->p == '"') {
        g_free(word(s, pointer));
    } else {
        bare(s, pointer);
    }
}

/* 1.0 and 1e3 are integers, as JSON Schema has it: they become such. */
static struct json_object *whole(struct json_object *o)
{
    double d = json_object_is_type(o, json_type_double) ? json_object_get_double(o) : 0.5;
    if (d == (double)(int64_t)CLAMP(d, -9e18, 9e18))
        return json_object_new_int64((int64_t)d);
    if (json_object_is_type(o, json_type_object)) {
        json_object_object_foreach(o, key, v)
        {
            struct json_object *w = whole(v);
            if (w)
                json_object_object_add(o, key, w);
        }
    }
    for (size_t i = 0; json_object_is_type(o, json_type_array) && i < json_object_array_length(o); i++) {
        struct json_object *w = whole(json_object_array_get_idx(o, i));
        if (w)
            json_object_array_put_idx(o, i, w);
    }
    return NULL;
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

/* A --set value: JSON, or text when it is none. */
static struct json_object *parsed(machine_file *f, const char *text, const char *pointer)
{
    struct json_object *o = parsed_or_null(text, strlen(text)), *w;
    bool word_only = json_object_is_type(o, json_type_double) && !g_ascii_isdigit(text[*text == '-']); /* NaN is a word */
    if (word_only) {
        json_object_put(o);
        o = NULL;
    }
    if (!o && strcmp(text, "null") != 0)
        return json_object_new_string(text);
    scan s = { .f = f, .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), .p = text, .line = 1 };
    value(&s, pointer);
    g_hash_table_unref(s.seen);
    if (!(w = whole(o)))
        return o;
    json_object_put(o);
    return w;
}

static gboolean is_below(gpointer pointer, gpointer set, gpointer above)
{
    (void)set;
    return g_str_has_prefix(pointer, above) && ((const char *)pointer)[strlen(above)] == '/';
}

/* The value that *at holds under key, which is changed to its number in a list; *at becomes it. last: it gets the value of text. */
static bool set_step(machine_file *f, struct json_object **at, char **key, char **pointer, const char *text, const char *last)
{
    struct json_object *next = NULL;
    bool list = json_object_is_type(*at, json_type_array);
    int i = list ? element(*at, *key) : -1;
    if (list ? i < 0 : !json_object_is_type(*at, json_type_object)) {
        f->code = EXIT_USAGE;
        tool_fail(0, "--set %s: %s: there is no '%s' in '%s'; name a member, or an element of a list by its name or number", text,
                  f->path, *key, **pointer ? *pointer : "/");
        return false;
    }
    if (list) {
        g_free(*key);
        *key = g_strdup_printf("%d", i);
    }
    char *below = machine_pointer(*pointer, *key);
    g_free(*pointer);
    *pointer = below;
    if (last) {
        g_hash_table_foreach_remove(f->sets, is_below, below);
        g_hash_table_insert(f->sets, g_strdup(below), g_strdup(text));
        next = parsed(f, last, below);
    } else if (list) {
        next = json_object_get(json_object_array_get_idx(*at, (size_t)i));
    } else {
        next = json_object_object_get_ex(*at, *key, &next) ? json_object_get(next) : json_object_new_object();
    }
    if (list)
        json_object_array_put_idx(*at, (size_t)i, next);
    else
        json_object_object_add(*at, *key, next);
    *at = next;
    return true;
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
    struct json_object *at = f->root;
    bool ok = true;
    for (char **k = keys; ok && *k; k++)
        ok = set_step(f, &at, k, &pointer, text, k[1] ? NULL : equals + 1);
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
    if (strlen(text) != size) {
        machine_wrong(f, "", "is no text: it has a byte 0");
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

/* Any kind of file, as a shell's <(...) is a pipe; not without end. */
static GString *read_all(const char *path, int *code)
{
    GString *s = g_string_new(NULL);
    char buf[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 0;
    while (fd >= 0 && s->len <= LARGEST && ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR)))
        g_string_append_len(s, buf, MAX(n, 0));
    if (n < 0)
        *code = tool_fail(errno == ENOENT ? EXIT_MISSING : EXIT_CANNOT_RUN, "%s: %s", path, g_strerror(errno));
    else if (s->len > LARGEST)
        *code = tool_fail(EXIT_CANNOT_RUN, "%s: more than %d MiB are no machine description", path, LARGEST >> 20);
    if (fd >= 0)
        close(fd);
    if (n >= 0 && s->len <= LARGEST)
        return s;
    g_string_free(s, TRUE);
    return NULL;
}

machine_file *machine_open(const char *path, char **sets, int *code)
{
    GString *text = read_all(path, code);
    if (!text)
        return NULL;
    machine_file *f = g_new0(machine_file, 1);
    f->path = g_strdup(path);
    f->folder = g_path_get_dirname(path);
    f->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    f->sets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (parse(f, text->str, text->len)) {
        scan s = { .f = f, .seen = f->lines, .p = text->str, .line = 1 };
        value(&s, "");
        whole(f->root);
    }
    for (; !f->code && sets && *sets; sets++)
        set_one(f, *sets);
    g_string_free(text, TRUE);
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
