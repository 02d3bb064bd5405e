/* Shared by the subcommands: option parsing, errors, numbers. The command never aborts: every failure is one line on
 * stderr and an exit code. */
#include "tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int tool_fail(int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%soryx:%s ", tool_bold(stderr), tool_plain(stderr));
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return code;
}

int tool_code(oryx_status s)
{
    return s == ORYX_E_NOTFOUND ? EXIT_MISSING : s == ORYX_E_FORMAT || s == ORYX_E_PERM ? EXIT_CANNOT_RUN : EXIT_TOOL;
}

static bool output_told;

int tool_output_failed(void)
{
    int code = errno;
    if (!output_told)
        tool_fail(0, "cannot write the output%s%s", code ? ": " : "", code ? g_strerror(code) : "");
    output_told = true;
    return EXIT_TOOL;
}

/* At exit, since --help ends inside GLib: what could not be written is never silently lost. */
static void output_end(void)
{
    errno = 0;
    if (!fflush(stdout) && !ferror(stdout))
        return;
    tool_output_failed();
    fflush(NULL);
    _exit(EXIT_TOOL);
}

void tool_output_begin(void)
{
    atexit(output_end);
}

/* GLib ignores a value given to a flag, and so a user's mistake: "--json=no". False: that is said. */
static bool flags_are_bare(int argc, char **argv, const GOptionEntry *entries)
{
    for (int i = 1; i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0; i++) {
        bool is_long = argv[i][1] == '-', value_follows = false;
        size_t n = is_long ? strcspn(argv[i] + 2, "=") : 0;
        for (const GOptionEntry *e = entries; e->long_name; e++) {
            if (is_long ? strlen(e->long_name) != n || strncmp(argv[i] + 2, e->long_name, n) != 0 : e->short_name != argv[i][1])
                continue;
            bool flag = e->arg == G_OPTION_ARG_NONE, optional = e->flags & G_OPTION_FLAG_OPTIONAL_ARG;
            if (flag && is_long && argv[i][2 + n]) {
                tool_fail(0, "--%s takes no value, not '%s': see '%s --help'", e->long_name, argv[i] + 3 + n, g_get_prgname());
                return false;
            }
            value_follows = !flag && !optional && (is_long ? !argv[i][2 + n] : !argv[i][2]);
        }
        i += value_follows;
    }
    return true;
}

static char **words; /* of the command line, as edited by tool_options */
__attribute__((destructor)) static void words_free(void)
{
    g_free(words);
}

bool tool_options(int *argc, char ***argv, const GOptionEntry *entries, const char *usage, const char *help)
{
    char *program = g_strdup_printf("oryx %s", (*argv)[0]);
    g_set_prgname(program);
    g_free(program);
    if (!flags_are_bare(*argc, *argv, entries))
        return false;
    GOptionContext *c = g_option_context_new(usage);
    GError *error = NULL;
    g_option_context_add_main_entries(c, entries, NULL);
    g_option_context_set_description(c, help);
    g_option_context_set_strict_posix(c, TRUE);
    /* GLib edits the vector in place; main's must stay whole, and the caller uses the copy to the end. */
    char **copy = words = g_memdup2(*argv, ((size_t)*argc + 1) * sizeof *copy);
    *argv = copy;
    bool ok = g_option_context_parse(c, argc, argv, &error);
    if (!ok) {
        tool_fail(0, "%s: see '%s --help'", error->message, g_get_prgname());
        g_error_free(error);
    } else if (*argc > 1 && !strcmp((*argv)[1], "--")) {
        memmove(*argv + 1, *argv + 2, (size_t)(*argc - 1) * sizeof **argv);
        --*argc;
    }
    g_option_context_free(c);
    return ok;
}

bool tool_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    if (!text || !g_ascii_isdigit(*text))
        return false;
    *out = g_ascii_strtoull(text, &end, text[0] == '0' && (text[1] | 32) == 'x' ? 16 : 10);
    return errno == 0 && *end == 0;
}

GByteArray *tool_hex(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    int high = -1;
    for (const char *p = text; *p; p++) {
        int digit = g_ascii_xdigit_value(*p);
        if (g_ascii_isspace(*p) && high < 0)
            continue;
        if (digit < 0) {
            g_byte_array_unref(bytes);
            return NULL;
        }
        if (high < 0) {
            high = digit;
            continue;
        }
        guint8 b = (guint8)(high << 4 | digit);
        g_byte_array_append(bytes, &b, 1);
        high = -1;
    }
    if (high >= 0 || !bytes->len) {
        g_byte_array_unref(bytes);
        return NULL;
    }
    return bytes;
}

void tool_engine(const char *spec, char **name, char **options)
{
    const char *colon = spec ? strpbrk(spec, ":,") : NULL;
    *name = colon ? g_strndup(spec, (gsize)(colon - spec)) : g_strdup(spec);
    *options = NULL;
    if (!colon)
        return;
    struct json_object *o = json_object_new_object();
    char **list = g_strsplit(colon + 1, ",", -1);
    GString *engines = g_string_new(NULL);
    for (char **w = list; *w; w++) {
        char *equals = strchr(*w, '=');
        if (equals) {
            *equals = 0;
            json_object_object_add(o, *w, json_object_new_string(equals + 1));
        } else {
            g_string_append_printf(engines, "%s%s", engines->len ? "," : "", *w);
        }
    }
    if (engines->len)
        json_object_object_add(o, "engines", json_object_new_string(engines->str));
    *options = g_strdup(json_object_to_json_string(o));
    g_string_free(engines, TRUE);
    g_strfreev(list);
    json_object_put(o);
}
