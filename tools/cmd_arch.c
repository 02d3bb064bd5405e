/* `oryx arch`: the guest architectures the plugins provide; registers, modes and CPU models of one. */
#include <string.h>

#include "tool.h"

static char *plugin_path;
static gboolean json;

static const GOptionEntry entries[] = {
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &plugin_path, "more plugin directories, ':' between", "DIRS" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, "JSON output", NULL },
    { 0 },
};

static const char help[] = "Examples:\n"
                           "  oryx arch\n"
                           "  oryx arch arm64\n"
                           "  oryx arch arm64 --json\n";

/* Classes of oryx.arch/1 in the manifests of the search path. */
static GPtrArray *classes(oryx_error *err)
{
    oryx_plugin_info *v = NULL;
    uint32_t n = 0;
    if (oryx_plugin_list(plugin_path, &v, &n, err))
        return NULL;
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (uint32_t i = 0; i < n; i++) {
        struct json_object *o = v[i].refusal ? NULL : json_tokener_parse(v[i].manifest), *list = NULL, *a = NULL;
        if (json_object_object_get_ex(o, "provides", &list))
            for (size_t k = 0; k < json_object_array_length(list); k++) {
                struct json_object *e = json_object_array_get_idx(list, k);
                json_object_object_get_ex(e, "interface", &a);
                if (!strcmp(json_object_get_string(a), ORYX_ARCH_ID) && json_object_object_get_ex(e, "class", &a))
                    g_ptr_array_add(names, g_strdup(json_object_get_string(a)));
            }
        json_object_put(o);
    }
    oryx_plugin_list_free(v, n);
    return names;
}

static char *mode_names(const oryx_arch_ops *a)
{
    GString *s = g_string_new(NULL);
    for (const char *const *m = a->modes; m && *m; m++)
        g_string_append_printf(s, "%s%s", s->len ? " " : "", *m);
    return g_string_free(s, FALSE);
}

static int list(void)
{
    oryx_error err = { .code = ORYX_OK };
    GPtrArray *names = classes(&err);
    if (!names)
        return tool_fail(EXIT_TOOL, "%s", err.text);
    tool_table *t = table_new("Name|Registers|Models|Modes|What it is");
    struct json_object *all = json_object_new_array();
    int code = 0;
    for (guint i = 0; i < names->len; i++) {
        const oryx_arch_ops *a = oryx_plugin_static(plugin_path, ORYX_ARCH_ID, names->pdata[i], &err);
        if (!a) {
            code = tool_fail(EXIT_TOOL, "%s", err.text);
            continue;
        }
        char *regs = g_strdup_printf("%u", a->n_regs), *models = g_strdup_printf("%u", a->n_models), *modes = mode_names(a);
        table_row(t, a->name, regs, models, modes, a->text, NULL);
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "name", json_object_new_string(a->name));
        json_object_object_add(o, "text", json_object_new_string(a->text));
        json_object_array_add(all, o);
        g_free(regs);
        g_free(models);
        g_free(modes);
    }
    g_ptr_array_unref(names);
    if (json) {
        table_free(t);
        tool_json(all, stdout);
    } else {
        json_object_put(all);
        table_print(t, stdout);
    }
    return code;
}

static const oryx_reg *reg_at(const oryx_arch_ops *a, uint32_t i)
{
    return (const oryx_reg *)(const void *)((const char *)a->regs + (size_t)i * a->reg_stride);
}

static const oryx_cpu_model *model_at(const oryx_arch_ops *a, uint32_t i)
{
    return (const oryx_cpu_model *)(const void *)((const char *)a->models + (size_t)i * a->model_stride);
}

static const char *kind_text(const oryx_reg *r)
{
    static const char *const text[] = { "integer", "float", "vector", "flags", "system" };
    return r->kind < G_N_ELEMENTS(text) ? text[r->kind] : "?";
}

static char *notes(const oryx_reg *r)
{
    return g_strdup_printf("%s%s%s%s", r->flags & ORYX_REG_IS_PC ? "program counter " : "",
                           r->flags & ORYX_REG_IS_SP ? "stack pointer " : "", r->flags & ORYX_REG_ALIAS ? "alias " : "",
                           r->flags & ORYX_REG_READONLY ? "read-only" : "");
}

static void show_json(const oryx_arch_ops *a)
{
    struct json_object *o = json_object_new_object(), *regs = json_object_new_array(), *models = json_object_new_array(),
                       *modes = json_object_new_array();
    for (uint32_t i = 0; i < a->n_regs; i++) {
        const oryx_reg *r = reg_at(a, i);
        struct json_object *e = json_object_new_object();
        json_object_object_add(e, "name", json_object_new_string(r->name));
        json_object_object_add(e, "group", json_object_new_string(r->group));
        json_object_object_add(e, "bytes", json_object_new_int(r->size));
        json_object_object_add(e, "kind", json_object_new_string(kind_text(r)));
        json_object_object_add(e, "alias", json_object_new_boolean(r->flags & ORYX_REG_ALIAS));
        json_object_object_add(e, "gdb", json_object_new_int(r->gdb));
        json_object_array_add(regs, e);
    }
    for (uint32_t i = 0; i < a->n_models; i++)
        json_object_array_add(models, json_object_new_string(model_at(a, i)->name));
    for (const char *const *m = a->modes; m && *m; m++)
        json_object_array_add(modes, json_object_new_string(*m));
    json_object_object_add(o, "name", json_object_new_string(a->name));
    json_object_object_add(o, "text", json_object_new_string(a->text));
    json_object_object_add(o, "modes", modes);
    json_object_object_add(o, "models", models);
    json_object_object_add(o, "registers", regs);
    tool_json(o, stdout);
}

static int show(const char *name)
{
    oryx_error err = { .code = ORYX_OK };
    const oryx_arch_ops *a = oryx_plugin_static(plugin_path, ORYX_ARCH_ID, name, &err);
    if (!a)
        return tool_fail(tool_code(err.code), "%s", err.text);
    if (json) {
        show_json(a);
        return 0;
    }
    char *modes = mode_names(a);
    printf("%s%s%s: %s\nmodes: %s\n\n", tool_bold(stdout), a->name, tool_plain(stdout), a->text, modes);
    g_free(modes);
    tool_table *t = table_new("Model|What it is");
    for (uint32_t i = 0; i < a->n_models; i++)
        table_row(t, model_at(a, i)->name, model_at(a, i)->text, NULL);
    table_print(t, stdout);
    putchar('\n');
    t = table_new("Register|Group|Kind|>Bytes|>GDB|Notes");
    for (uint32_t i = 0; i < a->n_regs; i++) {
        const oryx_reg *r = reg_at(a, i);
        char *bytes = g_strdup_printf("%u", r->size), *gdb = r->gdb < 0 ? g_strdup("") : g_strdup_printf("%d", r->gdb),
             *text = notes(r);
        table_row(t, r->name, r->group, kind_text(r), bytes, gdb, text, NULL);
        g_free(bytes);
        g_free(gdb);
        g_free(text);
    }
    table_print(t, stdout);
    return 0;
}

int cmd_arch(int argc, char **argv)
{
    /* "oryx arch NAME --json" reads naturally: an operand before the options is taken aside. */
    const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    if (name) {
        argv[1] = argv[0];
        argc--;
        argv++;
    }
    if (!tool_options(&argc, &argv, entries, "[NAME]", help))
        return EXIT_USAGE;
    if (!name && argc > 1) {
        name = argv[1];
        argc--;
    }
    if (argc > 1)
        return tool_fail(EXIT_USAGE, "arch: at most one name: 'oryx arch --help'");
    return name ? show(name) : list();
}
