/* `oryx exec`: JSON lines in, JSON lines out, one case a line. Machines are kept between cases of the same architecture and
 * engine; memory and vCPU are new for each. A bad line is answered with an error object and the stream goes on. */
#include <errno.h>
#include <string.h>

#include "exec_case.h"

char *exec_plugin_path;
static char *default_engine;
static GHashTable *machines; /* "arch engine" -> oryx_machine */

static const GOptionEntry entries[] = {
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &exec_plugin_path, "more plugin directories, ':' between", "DIRS" },
    { "engine", 'e', 0, G_OPTION_ARG_STRING, &default_engine, "engine of cases that name none", "NAME" },
    { 0 },
};

static const char help[] =
    "A case:   {\"id\": any, \"arch\": \"arm64\", \"mode\": .., \"cpu\": .., \"engine\": ..,\n"
    "           \"map\": [{\"addr\": .., \"size\": .., \"type\": \"ram|rom|io\", \"prot\": \"rwx\", \"hex\": .. or \"file\": ..}],\n"
    "           \"regs\": {\"x0\": \"0x..\"}, \"until\": [\"0x..\"], \"count\": N, \"timeout_us\": N,\n"
    "           \"read\": {\"regs\": [..] or \"all\", \"mem\": [{\"addr\": .., \"size\": ..}]}, \"trace\": false,\n"
    "           \"watch\": [\"ADDR[,LEN][,r|w|rw|x]\", ..]}\n"
    "Answer:   {\"id\", \"exit\": {\"reason\", \"pc\", \"detail\"}, \"insns\", \"regs\", \"mem\", \"io\", \"hits\", \"trace\"}\n"
    "          or {\"id\", \"error\"} for a line that is wrong.\n\n"
    "Examples:\n"
    "  echo '{\"arch\":\"arm64\",\"map\":[{\"addr\":\"0x1000\",\"size\":4096,\"hex\":\"20008052\"}],\n"
    "         \"regs\":{\"pc\":\"0x1000\"},\"count\":1,\"read\":{\"regs\":[\"x0\"]}}' | tr -d '\\n' | oryx exec\n"
    "  oryx exec cases.jsonl > results.jsonl\n";

static void machine_free(gpointer m)
{
    oryx_machine_destroy(m);
}

oryx_machine *exec_machine(exec_case *c, const char *arch, const char *engine)
{
    engine = engine ? engine : default_engine;
    char *key = g_strdup_printf("%s %s", arch, engine ? engine : "");
    oryx_machine *m = g_hash_table_lookup(machines, key);
    if (!m) {
        oryx_error err = { .code = ORYX_OK };
        char *name, *options;
        tool_engine(engine, &name, &options);
        oryx_machine_config config = { .hdr = ORYX_HDR(oryx_machine_config), .arch = arch, .engine = name,
                                       .engine_options = options, .plugin_path = exec_plugin_path };
        oryx_status s = oryx_machine_new(&config, &m, &err);
        g_free(name);
        g_free(options);
        if (s) {
            exec_wrong(c, "%s", err.text);
            m = NULL;
        } else {
            g_hash_table_insert(machines, g_strdup(key), m);
        }
    }
    g_free(key);
    return m;
}

static bool answer(const char *line)
{
    exec_case c = { 0 };
    enum json_tokener_error e;
    c.in = json_tokener_parse_verbose(line, &e);
    if (!c.in || !json_object_is_type(c.in, json_type_object))
        exec_wrong(&c, "the line is not a JSON object: %s", c.in ? "another type" : json_tokener_error_desc(e));
    else
        exec_case_run(&c);
    struct json_object *o = exec_result(&c);
    bool ok = fprintf(stdout, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)) > 0;
    json_object_put(o);
    exec_case_clear(&c);
    json_object_put(c.in);
    return ok;
}

int cmd_exec(int argc, char **argv)
{
    if (!tool_options(&argc, &argv, entries, "[FILE | -]", help))
        return EXIT_USAGE;
    if (argc > 2)
        return tool_fail(EXIT_USAGE, "exec: at most one file: 'oryx exec --help'");
    const char *name = argc > 1 && strcmp(argv[1], "-") ? argv[1] : NULL;
    FILE *in = name ? fopen(name, "re") : stdin;
    if (!in)
        return tool_fail(EXIT_MISSING, "%s: %s", name, g_strerror(errno));
    machines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, machine_free);
    char *line = NULL;
    size_t cap = 0;
    int code = 0;
    for (ssize_t n; !code && (n = getline(&line, &cap, in)) >= 0;) {
        if (strspn(line, " \t\r\n") == strlen(line))
            continue;
        if (!answer(line))
            code = tool_output_failed();
        /* An interactive peer waits for each answer; a file does not. */
        if (!name && fflush(stdout))
            code = tool_output_failed();
    }
    if (!code && ferror(in))
        code = tool_fail(EXIT_TOOL, "%s: %s", name ? name : "stdin", g_strerror(errno));
    if (!code && fflush(stdout))
        code = tool_output_failed();
    free(line);
    if (name)
        fclose(in);
    g_hash_table_unref(machines);
    return code;
}
