/* `oryx machine`: build a machine from its description and run its CPUs, one on the command's thread, more on one each.
 * Waiting for an interrupt (WFI) skips virtual time to the next device alarm when there is one CPU; with several it is
 * a pause. The run ends when every CPU has ended. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "gdb/gdb.h"
#include "machine.h"

static struct {
    char *engine, *plugin_path, *count, *timeout, *load, *save, *gdb;
    char **sets, **until, **exclude, **watches;
    gboolean check, stats, semihosting;
} opt;

static const GOptionEntry entries[] = {
    { "check", 0, 0, G_OPTION_ARG_NONE, &opt.check, "build it, say what is wrong, do not run it", NULL },
    { "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &opt.sets, "override a value, e.g. cpus.0.pc=0x1000", "PATH=VALUE" },
    { "count", 'c', 0, G_OPTION_ARG_STRING, &opt.count, "execute N instructions on each CPU", "N" },
    { "until", 'u', 0, G_OPTION_ARG_STRING_ARRAY, &opt.until, "stop before the instruction at A", "A" },
    { "watch", 'w', 0, G_OPTION_ARG_STRING_ARRAY, &opt.watches, "print who touches LEN bytes at a virtual address", "A[,LEN][,r|w|rw|x]" },
    { "gdb", 'g', 0, G_OPTION_ARG_STRING, &opt.gdb, "wait for GDB to connect before the first instruction", "[HOST]:PORT|unix:PATH" },
    { "timeout", 't', 0, G_OPTION_ARG_STRING, &opt.timeout, "stop after so many seconds", "S" },
    { "load-snapshot", 0, 0, G_OPTION_ARG_FILENAME, &opt.load, "begin in a state that was saved", "FILE" },
    { "save-snapshot", 0, 0, G_OPTION_ARG_FILENAME, &opt.save, "save the state at the end of the run", "FILE" },
    { "snapshot-exclude", 0, 0, G_OPTION_ARG_STRING_ARRAY, &opt.exclude, "leave a region or device out of what is saved", "NAME" },
    { "semihosting", 0, 0, G_OPTION_ARG_NONE, &opt.semihosting, "serve the guest's requests to its host, as --set semihosting=true", NULL },
    { "stats", 0, 0, G_OPTION_ARG_NONE, &opt.stats, "counters at the end, on stderr", NULL },
    { "engine", 'e', 0, G_OPTION_ARG_STRING, &opt.engine, "execution engine and its options, whatever the description says", "NAME" },
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &opt.plugin_path, "more plugin directories, ':' between", "DIRS" },
    { 0 },
};

static const char help[] =
    "FILE is JSON; its schema is docs/machine.schema.json. PATH names members and elements of lists (by number or name)\n"
    "with dots between; VALUE is JSON, or text when it is none.\n\n"
    "With semihosting a program that ends gives the exit status. Otherwise it is 0 when every CPU stopped at --until, --count, a\n"
    "halt or by Ctrl-C, 1 when one stopped at a fault or an exception nobody handles, 124 when --timeout ended it, 126 when the description is wrong, 127 when it is not there.\n\n"
    "Examples:\n"
    "  oryx machine --check board.json\n"
    "  oryx machine --until 0x80000 board.json\n"
    "  oryx machine --count 1000000 --save-snapshot booted.snap board.json\n"
    "  oryx machine --load-snapshot booted.snap board.json\n"
    "  oryx machine --gdb :1234 board.json    # then: gdb-multiarch -ex 'target remote :1234'\n"
    "  oryx machine --set devices.uart0.options.chardev=pty --count 1000000 --stats board.json\n";

typedef struct runner {
    machine_build *b;
    oryx_vcpu *cpu;
    guint index;
    oryx_limits_run limits;
    gint64 deadline; /* monotonic, us; 0 none */
    oryx_exit exit;
    uint64_t insns;
    oryx_status status;
    pthread_t thread;
    gdb *server;            /* NULL: nobody debugs */
    bool ended;             /* the program has, by semihosting */
    oryx_os_status program;
} runner;

static GPtrArray *running;
static volatile sig_atomic_t interrupted;

/* The second time the CPUs may be inside a write that nobody reads: the signal's own way then. */
static void on_signal(int number)
{
    if (interrupted) {
        signal(number, SIG_DFL);
        raise(number);
    }
    interrupted = 1;
    for (guint i = 0; i < running->len; i++)
        oryx_vcpu_stop(running->pdata[i]);
}

/* Nothing to do until an interrupt: on to the next alarm. False: there is none and never will be. */
static bool wait_over(runner *r)
{
    if (oryx_machine_arch(r->b->machine)->interrupt)
        return false; /* the run loop has waited already, and nothing will come */
    if (r->b->cpus->len > 1)
        return sched_yield() == 0;
    return oryx_machine_skip(r->b->machine) == ORYX_OK;
}

/* Does the CPU go on after the end of a run, when GDB says so? served: what the personality made of it. */
static bool debugged(runner *r, oryx_status served)
{
    static const struct {
        uint32_t reason;
        int signal;
    } rows[] = { { ORYX_EXIT_FAULT, SIGSEGV }, { ORYX_EXIT_EXCEPTION, SIGTRAP }, { ORYX_EXIT_ERROR, SIGILL }, { ORYX_EXIT_SYSCALL, SIGTRAP } };
    if (r->status || served == ORYX_E_STATE || (r->exit.reason == ORYX_EXIT_HALT && r->exit.exc.kind == ORYX_EXC_HALT))
        return false;
    for (size_t i = 0; served && i < G_N_ELEMENTS(rows); i++)
        if (rows[i].reason == r->exit.reason)
            gdb_signal(r->server, r->cpu, rows[i].signal);
    if (r->exit.reason == ORYX_EXIT_HALT && !wait_over(r)) /* nothing will ever wake it */
        gdb_signal(r->server, r->cpu, SIGINT);
    return true;
}

/* For going back: as run, but by the debugger's thread. */
static void advance(void *opaque, oryx_vcpu *v, oryx_limits_run *limits, oryx_exit *exit)
{
    machine_build *b = opaque;
    oryx_os_status program;
    uint64_t count = limits->count;
    while (count) {
        limits->count = count;
        if (oryx_vcpu_run(v, limits, exit))
            break;
        count -= MIN(count, exit->insns);
        if (exit->reason == ORYX_EXIT_COUNT || exit->reason == ORYX_EXIT_DEBUG || oryx_os_serve(b->machine, v, exit, &program))
            break;
        exit->reason = ORYX_EXIT_COUNT;
    }
}

static void *run(void *opaque)
{
    runner *r = opaque;
    uint64_t count = r->limits.count;
    for (;;) {
        if (r->deadline) {
            gint64 rest = r->deadline - g_get_monotonic_time();
            r->limits.timeout_us = rest > 0 ? (uint64_t)rest : 1;
        }
        r->limits.count = count ? count - r->insns : 0;
        if (r->server && gdb_enter(r->server, r->cpu, (int32_t)r->index + 1, &r->limits)) { /* killed */
            r->exit.reason = ORYX_EXIT_STOP;
            return NULL;
        }
        r->exit = (oryx_exit){ .hdr = ORYX_HDR(oryx_exit) };
        r->status = oryx_vcpu_run(r->cpu, &r->limits, &r->exit);
        r->insns += r->exit.insns;
        if (r->server && r->status == ORYX_OK)
            gdb_left(r->server, r->cpu, &r->exit);
        oryx_status served = r->status ? ORYX_E_NOTFOUND : oryx_os_serve(r->b->machine, r->cpu, &r->exit, &r->program);
        if (r->server && debugged(r, served))
            continue;
        if (served == ORYX_OK && !(count && r->insns >= count))
            continue;
        if (served == ORYX_OK)
            r->exit.reason = ORYX_EXIT_COUNT;
        if (served == ORYX_E_STATE) {
            r->ended = true;
            for (guint i = 0; i < r->b->cpus->len; i++)
                if (r->b->cpus->pdata[i] != r->cpu)
                    oryx_vcpu_stop(r->b->cpus->pdata[i]);
            return NULL;
        }
        bool waits = r->status == ORYX_OK && r->exit.reason == ORYX_EXIT_HALT && r->exit.exc.kind == ORYX_EXC_WAIT;
        if (waits && count && r->insns >= count)
            r->exit.reason = ORYX_EXIT_COUNT;
        else if (waits && r->deadline && g_get_monotonic_time() >= r->deadline)
            r->exit.reason = ORYX_EXIT_TIMEOUT;
        else if (waits && interrupted)
            r->exit.reason = ORYX_EXIT_STOP;
        else if (waits && wait_over(r))
            continue;
        return NULL;
    }
}

static int report(const runner *r)
{
    const oryx_exit *e = &r->exit;
    if (r->ended)
        return r->program.code & 255;
    const char *what = oryx_exit_text(e->reason);
    if (r->status || e->reason == ORYX_EXIT_ERROR)
        return tool_fail(1, "cpu %u: %s", r->index, r->status ? oryx_status_text(r->status) : e->error.text);
    switch (e->reason) {
    case ORYX_EXIT_SYSCALL:
    case ORYX_EXIT_EXCEPTION:
        return tool_fail(1, "cpu %u: %s at 0x%" PRIx64 " (syndrome 0x%" PRIx64 ") after %" PRIu64 " instructions: nobody handles it",
                         r->index, oryx_exc_text(e->exc.kind), e->exc.pc, e->exc.syndrome, r->insns);
    case ORYX_EXIT_FAULT:
        return tool_fail(1, "cpu %u: %s at 0x%" PRIx64 ": %s of %u bytes at 0x%" PRIx64 ": %s, after %" PRIu64 " instructions", r->index,
                         oryx_exc_text(e->exc.kind), e->exc.pc,
                         e->exc.access == ORYX_ACCESS_READ ? "read" : e->exc.access == ORYX_ACCESS_WRITE ? "write" : "fetch",
                         e->exc.size, e->exc.addr, oryx_status_text(e->exc.status), r->insns);
    default:
        fprintf(stderr, "cpu %u: %s at 0x%" PRIx64 " after %" PRIu64 " instructions\n", r->index, what, e->pc, r->insns);
        return e->reason == ORYX_EXIT_TIMEOUT ? 124 : 0;
    }
}

static void print_stats(oryx_machine *m, double seconds)
{
    oryx_stats s = { .hdr = ORYX_HDR(oryx_stats) };
    oryx_machine_stats(m, &s);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "instructions", s.insns }, { "virtual time (ns)", oryx_machine_vtime(m) }, { "blocks translated", s.tbs },
        { "block lookups", s.tb_lookups }, { "block links", s.tb_links }, { "blocks invalidated", s.tb_invalidated },
        { "translation-cache fills", s.tlb_fills }, { "code bytes", s.code_bytes }, { "wall time (us)", (uint64_t)(seconds * 1e6) },
    };
    tool_table *t = table_new("Counter|>Value");
    table_row(t, "engine", oryx_machine_engine(m), NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *value = g_strdup_printf("%" G_GUINT64_FORMAT, rows[i].value);
        table_row(t, rows[i].name, value, NULL);
        g_free(value);
    }
    table_print(t, stderr);
}

static int run_all(machine_build *b, const oryx_limits_run *limits, double timeout)
{
    guint n = b->cpus->len;
    runner *runners = g_new0(runner, n);
    gint64 start = g_get_monotonic_time();
    struct sigaction act = { .sa_handler = on_signal }, old_int, old_term;
    int code = 0;
    oryx_limits_run l = *limits;
    oryx_error err = { .code = ORYX_OK };
    gdb_config c = { .machine = b->machine, .where = opt.gdb, .attached = true, .advance = advance, .opaque = b };
    gdb *server = opt.gdb ? gdb_start(&c, &err) : NULL;
    if (opt.gdb && !server) {
        g_free(runners);
        return tool_fail(EXIT_USAGE, "machine: %s", err.text);
    }
    running = b->cpus;
    if (!server) { /* else Ctrl-C is GDB's, and here it ends the command */
        sigaction(SIGINT, &act, &old_int);
        sigaction(SIGTERM, &act, &old_term);
    }
    for (guint i = 0; i < n; i++) {
        l.idle = b->listens || server ? ORYX_IDLE_SLEEP : ORYX_IDLE_EXIT;
        runners[i] = (runner){ .b = b, .cpu = b->cpus->pdata[i], .index = i, .limits = l, .server = server,
                               .deadline = timeout > 0 ? start + (gint64)(timeout * 1e6) : 0 };
        if (n == 1)
            run(&runners[i]);
        else if (pthread_create(&runners[i].thread, NULL, run, &runners[i]))
            runners[i].status = ORYX_E_NOMEM;
    }
    for (guint i = 0; n > 1 && i < n; i++)
        if (runners[i].thread)
            pthread_join(runners[i].thread, NULL);
    if (!server) {
        sigaction(SIGINT, &old_int, NULL);
        sigaction(SIGTERM, &old_term, NULL);
    } else {
        gdb_end(server, runners[0].ended ? runners[0].program.code : 0, 0);
    }
    double seconds = (double)(g_get_monotonic_time() - start) / 1e6;
    fflush(stdout);
    for (guint i = 0; i < n; i++) {
        int one = report(&runners[i]);
        code = code == 1 ? 1 : MAX(code, one);
    }
    oryx_probe_finish_all(b->machine);
    if (opt.stats)
        print_stats(b->machine, seconds);
    g_free(runners);
    return code;
}

/* Around the run; loading a state into a description's machine replaces what its images and registers were. */
static int run_between_snapshots(machine_build *b, const oryx_limits_run *limits, double timeout)
{
    oryx_error err = { .code = ORYX_OK };
    oryx_snapshot_config c = { .hdr = ORYX_HDR(oryx_snapshot_config), .exclude = (const char *const *)opt.exclude };
    if (opt.load && oryx_snapshot_load(b->machine, opt.load, &err))
        return tool_fail(err.code == ORYX_E_NOTFOUND ? EXIT_MISSING : EXIT_CANNOT_RUN, "machine: %s", err.text);
    for (char **x = opt.exclude; x && *x; x++) {
        bool known = oryx_device_find(b->machine, *x) != NULL;
        for (guint i = 0; !known && i < b->nodes->len; i++)
            known = !strcmp(((machine_node *)b->nodes->pdata[i])->name, *x);
        if (!known)
            return tool_fail(EXIT_USAGE, "machine: --snapshot-exclude: there is no region or device '%s'", *x);
    }
    if (!tool_watches_add(b->machine, opt.watches, &err))
        return tool_fail(EXIT_USAGE, "machine: %s", err.text);
    int code = run_all(b, limits, timeout);
    if (opt.save && oryx_snapshot_save(b->machine, &c, opt.save, &err))
        return tool_fail(1, "machine: %s", err.text);
    return code;
}

/* Words to limits; the addresses are *until's. */
static int limits_of(oryx_limits_run *l, uint64_t **until, double *timeout)
{
    char *end = NULL;
    if (opt.count && (!tool_number(opt.count, &l->count) || !l->count))
        return tool_fail(EXIT_USAGE, "machine: --count takes a number of instructions, not '%s'", opt.count);
    if (opt.timeout && ((*timeout = g_ascii_strtod(opt.timeout, &end)) <= 0 || *end || !(*timeout < 1e9)))
        return tool_fail(EXIT_USAGE, "machine: --timeout takes seconds, not '%s'", opt.timeout);
    for (char **u = opt.until; u && *u; u++) {
        *until = g_renew(uint64_t, *until, l->n_until + 1);
        if (!tool_number(*u, &(*until)[l->n_until++]))
            return tool_fail(EXIT_USAGE, "machine: --until takes an address, not '%s'", *u);
    }
    l->until = *until;
    return 0;
}

static char **with_semihosting(char **sets)
{
    guint n = sets ? g_strv_length(sets) : 0;
    char **all = g_new0(char *, n + 2);
    all[0] = g_strdup("semihosting=true");
    for (guint i = 0; i < n; i++)
        all[i + 1] = g_strdup(sets[i]);
    return all;
}

int cmd_machine(int argc, char **argv)
{
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run) };
    uint64_t *until = NULL;
    double timeout = 0;
    int code = 0;
    if (!tool_options(&argc, &argv, entries, "FILE", help))
        return EXIT_USAGE;
    if (argc != 2)
        return tool_fail(EXIT_USAGE, "machine: name one description, after the options: 'oryx machine --help'");
    if (!tool_watches_known("machine", opt.watches))
        return EXIT_USAGE;
    if (opt.gdb && (opt.count || opt.timeout || opt.until))
        return tool_fail(EXIT_USAGE, "machine: --gdb says when to stop: leave out --count, --until and --timeout");
    if ((code = limits_of(&limits, &until, &timeout)) != 0) {
        g_free(until);
        return code;
    }
    char **sets = opt.semihosting ? with_semihosting(opt.sets) : g_strdupv(opt.sets);
    machine_file *f = machine_open(argv[1], sets, &code);
    g_strfreev(sets);
    machine_build *b = f && machine_validate(f) ? machine_build_new(f, opt.plugin_path, opt.engine, opt.check) : NULL;
    if (f && !b) {
        code = f->code;
    } else if (b && !opt.check) {
        g_array_append_vals(b->until, limits.until, limits.n_until);
        limits.until = (const uint64_t *)(const void *)b->until->data;
        limits.n_until = b->until->len;
        code = run_between_snapshots(b, &limits, timeout);
    } else if (b) {
        printf("%s: right (%u region%s and device maps, %u CPU%s)\n", f->path, b->nodes->len, b->nodes->len == 1 ? "" : "s", b->cpus->len,
               b->cpus->len == 1 ? "" : "s");
    }
    machine_build_free(b);
    machine_close(f);
    g_free(until);
    return code;
}
