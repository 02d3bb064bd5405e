/* `oryx plugins`: what there is, what a manifest says, and why a file would be refused. Nothing is executed by it. */
#include <string.h>

#include "tool.h"

static char *plugin_path;
static gboolean json;

static const GOptionEntry entries[] = {
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &plugin_path, "more plugin directories, ':' between", "DIRS" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "JSON output", NULL },
    { 0 },
};

static const char help[] =
    "list          every plugin of the search path (the default)\n"
    "show ID       one manifest\n"
    "verify FILE   check a file against every loading rule without running it; exit 1 when one is broken\n\n"
    "Examples:\n"
    "  oryx plugins\n"
    "  oryx plugins show arch-arm\n"
    "  oryx plugins verify ./my-device.so\n";

/* "interface class, ..." of a manifest. */
static char *provides(const char *manifest)
{
    struct json_object *o = manifest ? json_tokener_parse(manifest) : NULL, *list = NULL, *a = NULL, *b = NULL;
    GString *s = g_string_new(NULL);
    if (json_object_object_get_ex(o, "provides", &list))
        for (size_t i = 0; i < json_object_array_length(list); i++) {
            struct json_object *e = json_object_array_get_idx(list, i);
            json_object_object_get_ex(e, "interface", &a);
            json_object_object_get_ex(e, "class", &b);
            g_string_append_printf(s, "%s%s %s", s->len ? ", " : "", json_object_get_string(a), json_object_get_string(b));
        }
    json_object_put(o);
    return g_string_free(s, FALSE);
}

static struct json_object *to_json(const oryx_plugin_info *p)
{
    struct json_object *o = p->manifest ? json_tokener_parse(p->manifest) : NULL;
    struct json_object *row = json_object_new_object();
    json_object_object_add(row, "path", json_object_new_string(p->path));
    if (p->refusal)
        json_object_object_add(row, "refusal", json_object_new_string(p->refusal));
    json_object_object_add(row, "manifest", o);
    return row;
}

static int list(const oryx_plugin_info *v, uint32_t n)
{
    tool_table *t = table_new("Id|Version|Provides|File");
    struct json_object *all = json_object_new_array();
    for (uint32_t i = 0; i < n; i++) {
        char *text = v[i].refusal ? g_strdup("refused: see 'oryx plugins verify'") : provides(v[i].manifest);
        json_object_array_add(all, to_json(&v[i]));
        table_row(t, v[i].id ? v[i].id : "?", v[i].version ? v[i].version : "?", text, v[i].path, NULL);
        g_free(text);
    }
    if (json) {
        tool_json(all, stdout);
        table_free(t);
    } else {
        json_object_put(all);
        table_print(t, stdout);
    }
    return 0;
}

static int show(const oryx_plugin_info *v, uint32_t n, const char *id)
{
    int found = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!v[i].id || strcmp(v[i].id, id) != 0)
            continue;
        found++;
        if (json) {
            tool_json(to_json(&v[i]), stdout);
            continue;
        }
        struct json_object *o = json_tokener_parse(v[i].manifest);
        printf("%s%s%s\n%s\n", tool_bold(stdout), v[i].path, tool_plain(stdout),
               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(o);
        if (v[i].refusal)
            printf("refused: %s\n", v[i].refusal);
    }
    return found ? 0 : tool_fail(EXIT_MISSING, "no plugin '%s' on the search path: 'oryx plugins' lists them", id);
}

static struct json_object *rules;
static void report(void *opaque, const char *rule, int32_t ok, const char *text)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "rule", json_object_new_string(rule));
    json_object_object_add(o, "ok", json_object_new_boolean(ok));
    json_object_object_add(o, "text", json_object_new_string(text));
    json_object_array_add(rules, o);
    table_row(opaque, ok ? "ok" : "BROKEN", rule, text, NULL);
}

static int verify(const char *file)
{
    oryx_error err = { .code = ORYX_OK };
    tool_table *t = table_new("Result|Rule|What is asked");
    rules = json_object_new_array();
    oryx_status s = oryx_plugin_verify(file, report, t, &err);
    if (json) {
        table_free(t);
        tool_json(rules, stdout);
    } else {
        table_print(t, stdout);
        json_object_put(rules);
        printf("%s\n", s ? err.text : "every rule holds");
    }
    return s ? 1 : 0;
}

int cmd_plugins(int argc, char **argv)
{
    oryx_error err = { .code = ORYX_OK };
    oryx_plugin_info *v = NULL;
    uint32_t n = 0;
    if (!tool_options(&argc, &argv, entries, "[list | show ID | verify FILE]", help))
        return EXIT_USAGE;
    const char *what = argc > 1 ? argv[1] : "list";
    bool needs_operand = !strcmp(what, "show") || !strcmp(what, "verify");
    if ((!needs_operand && strcmp(what, "list") != 0) || argc != (needs_operand ? 3 : argc > 1 ? 2 : 1))
        return tool_fail(EXIT_USAGE, "plugins: wrong words: 'oryx plugins --help'");
    if (!strcmp(what, "verify"))
        return verify(argv[2]);
    if (oryx_plugin_list(plugin_path, &v, &n, &err))
        return tool_fail(EXIT_TOOL, "%s", err.text);
    int code = needs_operand ? show(v, n, argv[2]) : list(v, n);
    oryx_plugin_list_free(v, n);
    return code;
}
