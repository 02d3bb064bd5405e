/* `oryx run`: a Linux program of a foreign CPU. Exit status and fatal signals of the guest become the command's own. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gdb/gdb.h"

extern char **environ;

static struct {
    char *engine, *cpu, *sysroot, *root, *plugin_path, *stats, *argv0, *strace_file, *window, *dump, *perf, *gdb;
    char **plugins, **set_env, **unset_env, **watches;
    gboolean strace, gdb_jit;
} opt;

static gboolean want_stats(const gchar *name, const gchar *value, gpointer data, GError **error)
{
    (void)name;
    (void)data;
    (void)error;
    g_free(opt.stats);
    opt.stats = g_strdup(value ? value : "text");
    return TRUE;
}

static const GOptionEntry entries[] = {
    { "engine", 'e', 0, G_OPTION_ARG_STRING, &opt.engine, "execution engine: interp, x64, lockstep:A,B (default: the best there is)", "NAME" },
    { "cpu", 0, 0, G_OPTION_ARG_STRING, &opt.cpu, "CPU model (oryx arch NAME lists them; default: the first)", "MODEL" },
    { "window", 0, 0, G_OPTION_ARG_STRING, &opt.window, "reach guest memory directly: on, off (default: where it is possible)", "on|off" },
    { "sysroot", 'L', 0, G_OPTION_ARG_FILENAME, &opt.sysroot, "look up absolute paths below DIR first", "DIR" },
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &opt.root, "the guest sees only DIR, as /", "DIR" },
    { "plugin", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &opt.plugins, "load a plugin (file or id), attach its probes", "P[,k=v...]" },
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &opt.plugin_path, "more plugin directories, ':' between", "DIRS" },
    { "strace", 0, 0, G_OPTION_ARG_NONE, &opt.strace, "print system calls on stderr", NULL },
    { "strace-output", 0, 0, G_OPTION_ARG_FILENAME, &opt.strace_file, "print system calls to FILE", "FILE" },
    { "watch", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.watches, "print who touches LEN bytes at an address of the guest", "A[,LEN][,r|w|rw|x]" },
    { "gdb", 'g', 0, G_OPTION_ARG_STRING, &opt.gdb, "wait for GDB to connect before the first instruction", "[HOST]:PORT|unix:PATH" },
    { "dump", 0, 0, G_OPTION_ARG_STRING, &opt.dump, "print what is translated on stderr: ir, opt, host, ',' between", "STAGES" },
    { "perf", 0, 0, G_OPTION_ARG_STRING, &opt.perf, "compiled code for perf: map, jitdump (of engine x64, in /tmp)", "map|jitdump" },
    { "gdb-jit", 0, 0, G_OPTION_ARG_NONE, &opt.gdb_jit, "compiled code for a GDB that debugs this process (of engine x64)", NULL },
    { "stats", 0, G_OPTION_FLAG_OPTIONAL_ARG, G_OPTION_ARG_CALLBACK, (void *)(uintptr_t)want_stats,
      "counters at the end, on stderr", "json" },
    { "env", 'E', 0, G_OPTION_ARG_STRING_ARRAY, &opt.set_env, "set a variable of the guest", "NAME=VALUE" },
    { "unset", 'U', 0, G_OPTION_ARG_STRING_ARRAY, &opt.unset_env, "unset a variable of the guest", "NAME" },
    { "argv0", '0', 0, G_OPTION_ARG_STRING, &opt.argv0, "argv[0] of the guest", "NAME" },
    { 0 },
};

static const char help[] =
    "The exit status is the guest's; 125 when oryx itself failed, 126 when the program cannot be run, 127 when it is not\n"
    "there, 2 for wrong words.\n\n"
    "Examples:\n"
    "  oryx run ./hello-arm64\n"
    "  oryx run --plugin probe-count,top=10 ./hello-arm64\n"
    "  oryx run --sysroot /srv/arm64 /usr/bin/python3 -c 'print(6 * 7)'\n"
    "  oryx run --root /srv/arm64 --strace /bin/ls -l /\n"
    "  oryx run --gdb :1234 ./hello-arm64     # then: gdb-multiarch -ex 'target remote :1234'\n";

/* The host file the guest's PROG names, for telling its architecture. */
static char *host_path(const char *program)
{
    char *inside = NULL;
    if (opt.root)
        return g_build_filename(opt.root, program, NULL);
    if (opt.sysroot && program[0] == '/')
        inside = g_build_filename(opt.sysroot, program, NULL);
    if (inside && access(inside, F_OK) == 0)
        return inside;
    g_free(inside);
    return g_strdup(program);
}

/* The interpreter a script names in its first line, as a guest path; NULL when the file is no script. */
static char *script_interpreter(const char *path)
{
    char line[256] = "";
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
    if (f)
        fclose(f);
    if (n < 3 || line[0] != '#' || line[1] != '!')
        return NULL;
    line[strcspn(line, "\n")] = 0;
    char **words = g_strsplit_set(g_strchug(line + 2), " \t", 2);
    char *name = words[0] && words[0][0] == '/' ? g_strdup(words[0]) : NULL;
    g_strfreev(words);
    return name;
}

static char **guest_environment(void)
{
    char **env = g_strdupv(environ);
    for (char **u = opt.unset_env; u && *u; u++)
        env = g_environ_unsetenv(env, *u);
    for (char **s = opt.set_env; s && *s; s++) {
        char **pair = g_strsplit(*s, "=", 2);
        env = g_environ_setenv(env, pair[0] ? pair[0] : "", pair[0] && pair[1] ? pair[1] : "", TRUE);
        g_strfreev(pair);
    }
    return env;
}

static void print_stats(oryx_machine *m, const oryx_os_status *status, double seconds)
{
    oryx_stats s = { .hdr = ORYX_HDR(oryx_stats) };
    oryx_machine_stats(m, &s);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "instructions", status->insns ? status->insns : s.insns },
        { "blocks translated", s.tbs },
        { "instructions translated", s.tb_insns },
        { "blocks executed uncompiled", s.tb_cold },
        { "block lookups", s.tb_lookups },
        { "block links", s.tb_links },
        { "regions of blocks", s.regions },
        { "blocks invalidated", s.tb_invalidated },
        { "cache flushes", s.tb_flushes },
        { "translation-cache fills", s.tlb_fills },
        { "translation time (us)", s.translate_ns / 1000 },
        { "code bytes", s.code_bytes },
        { "window faults", s.window_faults },
        { "wall time (us)", (uint64_t)(seconds * 1e6) },
    };
    if (!strcmp(opt.stats, "json")) {
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "engine", json_object_new_string(oryx_machine_engine(m)));
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            char *key = g_strdelimit(g_strdup(rows[i].name), " -()", '_');
            json_object_object_add(o, g_strdelimit(key, "_", '_'), json_object_new_int64((int64_t)rows[i].value));
            g_free(key);
        }
        tool_json(o, stderr);
        return;
    }
    tool_table *t = table_new("Counter|>Value");
    table_row(t, "engine", oryx_machine_engine(m), NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *value = g_strdup_printf("%" G_GUINT64_FORMAT, rows[i].value);
        table_row(t, rows[i].name, value, NULL);
        g_free(value);
    }
    table_print(t, stderr);
}

/* End as the guest ended: by the same signal when one killed it. */
static int end_as(const oryx_os_status *status)
{
    if (!status->signal)
        return status->code & 255;
    fflush(NULL);
    sigset_t set;
    signal(status->signal, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, status->signal);
    raise(status->signal);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return 128 + status->signal;
}

static gdb *debug_server(oryx_machine *m, const char *program, oryx_error *err)
{
    char *path = host_path(program);
    gdb_config c = { .machine = m, .where = opt.gdb, .program = path, .sysroot = opt.root ? opt.root : opt.sysroot };
    gdb *g = gdb_start(&c, err);
    g_free(path);
    return g;
}

static int run(char **args)
{
    char cls[32], arch[32], self[4096] = "";
    oryx_error err = { .code = ORYX_OK };
    char *path = host_path(args[0]), *interpreter = script_interpreter(path);
    if (interpreter) { /* a script is for the architecture of its interpreter */
        g_free(path);
        path = host_path(interpreter);
        g_free(interpreter);
    }
    oryx_status s = oryx_os_identify(opt.plugin_path, path, cls, arch, sizeof arch, &err);
    g_free(path);
    if (s)
        return tool_fail(tool_code(s), "%s", err.text);

    oryx_machine *m = NULL;
    char **files = tool_plugin_files(opt.plugins), **env = guest_environment();
    char *engine, *engine_options;
    char *wanted = g_strconcat(opt.engine ? opt.engine : opt.perf || opt.gdb_jit ? "x64" : "", opt.perf ? ",perf=" : "", opt.perf ? opt.perf : "",
                               opt.gdb_jit ? ",gdb-jit=on" : "", NULL);
    tool_engine(wanted[0] ? wanted : NULL, &engine, &engine_options);
    g_free(wanted);
    if (opt.dump)
        g_setenv("ORYX_DUMP", opt.dump, TRUE);
    oryx_machine_config config = { .hdr = ORYX_HDR(oryx_machine_config), .arch = arch, .engine = engine,
                                   .engine_options = engine_options, .plugin_path = opt.plugin_path, .plugins = (const char *const *)files,
                                   .window = opt.window ? opt.window : "auto" };
    FILE *trace = opt.strace_file ? fopen(opt.strace_file, "we") : NULL;
    oryx_os_status status = { .hdr = ORYX_HDR(oryx_os_status) };
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    const char *program = args[0];
    char *argv0 = args[0];
    args[0] = opt.argv0 ? opt.argv0 : args[0];
    oryx_os_config os = { .hdr = ORYX_HDR(oryx_os_config), .program = program, .argv = (const char *const *)args,
                          .envp = (const char *const *)env, .sysroot = opt.sysroot, .root = opt.root,
                          .strace = opt.strace || trace, .strace_fd = trace ? fileno(trace) : 2, .self_path = self, .model = opt.cpu };
    oryx_os_debug debug = { .hdr = ORYX_HDR(oryx_os_debug), .enter = gdb_enter, .left = gdb_left, .signal = gdb_signal, .gone = gdb_gone,
                            .forked = gdb_forked };
    gdb *server = NULL;
    int code = 0;
    gint64 start = 0;
    if (opt.strace_file && !trace)
        code = tool_fail(EXIT_TOOL, "%s: cannot be written: %s", opt.strace_file, g_strerror(errno));
    else if ((s = oryx_machine_new(&config, &m, &err)) != ORYX_OK || !tool_plugins_attach(m, opt.plugins, &err) ||
             !tool_watches_add(m, opt.watches, &err))
        code = tool_fail(EXIT_TOOL, "%s", err.text);
    else if (!engine && err.text[0] && !strcmp(oryx_machine_engine(m), "interp") && fprintf(stderr, "oryx: %s\n", err.text) < 0)
        code = EXIT_TOOL;
    else if (opt.gdb && !(server = debug_server(m, args[0], &err)))
        code = tool_fail(EXIT_TOOL, "%s", err.text);
    else if (debug.opaque = server, os.debug = server ? &debug : NULL, (s = oryx_os_new(m, cls, &os, &err)) != ORYX_OK)
        code = tool_fail(tool_code(s), "%s", err.text);
    else if (start = g_get_monotonic_time(), (s = oryx_os_run(m, &status, &err)) != ORYX_OK)
        code = tool_fail(tool_code(s), "%s", err.text);
    if (server)
        gdb_end(server, status.code, status.signal);
    if (start) {
        oryx_probe_finish_all(m);
        if (opt.stats)
            print_stats(m, &status, (double)(g_get_monotonic_time() - start) / 1e6);
    }
    args[0] = argv0;
    oryx_machine_destroy(m);
    if (trace)
        fclose(trace);
    g_strfreev(files);
    g_free(engine);
    g_free(engine_options);
    g_strfreev(env);
    return code ? code : end_as(&status);
}

/* GLib gives an option with an optional argument the next word. Here --stats stands alone, and its argument needs the '='. */
static void mend_stats(int argc, char **argv)
{
    static char with_argument[] = "--stats=text";
    for (int i = 1; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
        bool value_follows = false;
        for (const GOptionEntry *e = entries; e->long_name; e++)
            if (e->arg != G_OPTION_ARG_NONE && e->arg != G_OPTION_ARG_CALLBACK &&
                ((argv[i][1] == '-' && !strcmp(argv[i] + 2, e->long_name)) || (argv[i][1] == e->short_name && !argv[i][2])))
                value_follows = true;
        if (!strcmp(argv[i], "--stats"))
            argv[i] = with_argument;
        i += value_follows;
    }
}

/* A list of stages, none of them unknown. */
static bool dump_known(const char *stages)
{
    static const char *const known[] = { "ir", "opt", "host", NULL };
    char **list = g_strsplit(stages, ",", -1);
    bool ok = list[0] != NULL;
    for (char **p = list; ok && *p; p++)
        ok = g_strv_contains(known, *p);
    g_strfreev(list);
    return ok;
}

int cmd_run(int argc, char **argv)
{
    mend_stats(argc, argv);
    if (!tool_options(&argc, &argv, entries, "PROG [ARG...]", help))
        return EXIT_USAGE;
    if (argc < 2)
        return tool_fail(EXIT_USAGE, "run: name a program: 'oryx run --help'");
    if (opt.root && opt.sysroot)
        return tool_fail(EXIT_USAGE, "run: --root and --sysroot exclude each other");
    if (opt.window && strcmp(opt.window, "on") && strcmp(opt.window, "off"))
        return tool_fail(EXIT_USAGE, "run: --window takes on or off, not '%s'", opt.window);
    if (opt.dump && !dump_known(opt.dump))
        return tool_fail(EXIT_USAGE, "run: --dump takes ir, opt, host, ',' between, not '%s'", opt.dump);
    if (opt.perf && strcmp(opt.perf, "map") && strcmp(opt.perf, "jitdump"))
        return tool_fail(EXIT_USAGE, "run: --perf takes map or jitdump, not '%s'", opt.perf);
    if (!tool_watches_known("run", opt.watches))
        return EXIT_USAGE;
    if (opt.stats && strcmp(opt.stats, "text") && strcmp(opt.stats, "json"))
        return tool_fail(EXIT_USAGE, "run: --stats takes =json or nothing, not '%s'", opt.stats);
    return run(argv + 1);
}
