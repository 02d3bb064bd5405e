/* The plugin's entry, manifest and operations: identify, create, run, stop, destroy. Called by the
 * core's personality host. Invariant: create takes everything it was given by copy, and destroy
 * gives back all but what the process must keep. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/oryx_manifest.h"
#include "linux.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "os-linux",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.os/1", "class" : "linux"} ],
    "requires" : [],
    "thread" : "vcpu"
}));

static char **copy_list(const char *const *v)
{
    size_t n = 0;
    while (v && v[n])
        n++;
    char **c = calloc(n + 1, sizeof(char *));
    for (size_t i = 0; c && i < n; i++)
        c[i] = strdup(v[i]);
    return c;
}

static void free_list(char **v)
{
    for (size_t i = 0; v && v[i]; i++)
        free(v[i]);
    free(v);
}

static void linux_destroy(void *self)
{
    os *o = self;
    if (!o)
        return;
    signals_end(o); /* before the window closes, whose handler lies in front of ours */
    while (o->tasks)
        task_free(o->tasks);
    if (o->space)
        o->host->space_set_window(o->space, NULL, NULL);
    if (o->ram) {
        o->host->region_remove(o->ram, NULL);
        o->host->region_destroy(o->ram, NULL);
    }
    mm_destroy(o);
    int fds[] = {o->sysroot_fd, o->root_fd, o->strace_fd};
    for (int i = 0; i < 3; i++)
        if (fds[i] > 2)
            close(fds[i]);
    free(o->calls);
    free(o->names);
    free(o->program);
    free(o->sysroot);
    free(o->root);
    free(o->self_path);
    free(o->model);
    free(o->exe);
    free(o->exe_guest);
    free_list(o->argv);
    free_list(o->envp);
    free_list(o->self_args);
    pthread_mutex_destroy(&o->lock);
    pthread_cond_destroy(&o->thread_gone);
    pthread_cond_destroy(&o->resume);
    free(o);
}

static oryx_status open_dir(os *o, const char *path, const char *option, char **real, int *fd,
                            oryx_error *err)
{
    char text[400];
    *real = realpath(path, NULL);
    int raw = *real ? open(*real, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    if (raw < 0) {
        snprintf(text, sizeof(text), "%s %.300s: %s: give an existing directory", option, path,
                 strerror(errno));
        return o->host->error_set(err, ORYX_E_NOTFOUND, text);
    }
    *fd = fds_high(o, raw);
    if (*fd != raw)
        close(raw);
    return ORYX_OK;
}

static oryx_status make_memory(os *o, oryx_error *err)
{
    oryx_status st = mm_create(o, o->abi->window, err);
    if (st != ORYX_OK)
        return st;
    oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config),
                             .name = "user",
                             .last = o->mm.size - 1,
                             .prot = ORYX_PROT_ALL,
                             .host = o->mm.base};
    o->space = o->host->space_get(o->m, "system");
    st = o->host->region_new(o->m, "ram", &rc, &o->ram, err);
    if (st == ORYX_OK)
        st = o->host->region_add(o->host->space_root(o->space), 0, o->ram, 0, err);
    return st == ORYX_OK ? mm_window(o, err) : st;
}

static oryx_status configure(os *o, const oryx_os_config *c, oryx_error *err)
{
    oryx_status st = ORYX_OK;
    o->program = strdup(c->program);
    o->argv = copy_list(c->argv);
    o->envp = copy_list(c->envp);
    o->strace = c->strace != 0;
    o->strace_fd = 2;
    if (o->strace) /* the guest may close or replace that one */
        o->strace_fd = fds_high(o, c->strace_fd);
    if (ORYX_HAS(c, self_path) && c->self_path)
        o->self_path = strdup(c->self_path);
    if (ORYX_HAS(c, debug))
        o->debug = c->debug;
    if (ORYX_HAS(c, model) && c->model)
        o->model = strdup(c->model);
    if (ORYX_HAS(c, self_args) && c->self_args)
        o->self_args = copy_list(c->self_args);
    if (c->sysroot && c->sysroot[0])
        st = open_dir(o, c->sysroot, "--sysroot", &o->sysroot, &o->sysroot_fd, err);
    if (st == ORYX_OK && c->root && c->root[0]) {
        st = open_dir(o, c->root, "--root", &o->root, &o->root_fd, err);
        if (st == ORYX_OK)
            o->root_len = strcmp(o->root, "/") ? strlen(o->root) : 0;
    }
    return st;
}

static oryx_status linux_create(const oryx_host *host, oryx_machine *m,
                                const oryx_os_config *config, void **self, oryx_error *err)
{
    const lx_abi *abi = NULL;
    const char *arch = host->machine_arch(m)->name;
    char text[200];
    for (const lx_abi *const *a = lx_abis; *a && !abi; a++)
        if (!strcmp((*a)->arch, arch))
            abi = *a;
    if (!abi) {
        snprintf(text, sizeof(text), "os-linux has no ABI for '%s': it runs arm64, arm and MIPS programs", arch);
        return host->error_set(err, ORYX_E_UNSUPPORTED, text);
    }
    if (!config->program || !config->argv)
        return host->error_set(err, ORYX_E_INVALID, "os-linux needs a program and its argv");
    os *o = calloc(1, sizeof(*o));
    if (!o)
        return host->error_set(err, ORYX_E_NOMEM, "no memory for the personality");
    o->host = host;
    o->m = m;
    o->abi = abi;
    o->sysroot_fd = o->root_fd = -1;
    o->pid0 = getpid();
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->thread_gone, NULL);
    pthread_cond_init(&o->resume, NULL);
    oryx_status st = configure(o, config, err);
    if (st == ORYX_OK)
        loader_choose_abi(o);
    if (st == ORYX_OK)
        st = make_memory(o, err);
    if (st == ORYX_OK)
        st = syscalls_bind(o, err);
    if (st == ORYX_OK)
        st = o->abi->init(o, err);
    if (st == ORYX_OK) {
        o->main = task_new(o, err);
        st = o->main ? ORYX_OK : err && err->code ? err->code : ORYX_E_NOMEM;
    }
    if (st != ORYX_OK) {
        linux_destroy(o);
        return st;
    }
    *self = o;
    return ORYX_OK;
}

static oryx_status linux_run(void *self, oryx_os_status *status, oryx_error *err)
{
    os *o = self;
    task *t = o->main;
    uint64_t mask = 0;
    int committed;
    char cwd[PATH_MAX];
    fds_mark(o);
    /* A jail starts inside itself. */
    if (o->root && (!getcwd(cwd, sizeof(cwd)) || !path_to_guest(o, cwd)) && chdir(o->root))
        return o->host->error_set(err, ORYX_E_IO,
                                  "--root: cannot enter the directory: give one you may search");
    t->tid = (int)syscall(SYS_gettid);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, 8);
    t->sigmask = mask;
    if (loader_exec(t, o->program, o->argv, o->envp, &committed, err))
        return err && err->code ? err->code : ORYX_E_FORMAT;
    lx_self = t;
    signals_begin(o);
    task_loop(t);
    t = o->main; /* a thread that forked is the main one of its process */
    uint64_t old;
    signal_host_block_all(&old);
    pthread_mutex_lock(&o->lock);
    while (o->n_threads)
        pthread_cond_wait(&o->thread_gone, &o->lock);
    pthread_mutex_unlock(&o->lock);
    lx_self = NULL;
    signals_end(o);
    signal_host_set(mask);
    status->code = o->exit_code;
    status->signal = o->exit_signal;
    status->insns = o->insns_gone + o->host->vcpu_insns(t->v);
    if (o->end_text[0])
        return o->host->error_set(err, ORYX_E_INTERNAL, o->end_text);
    return ORYX_OK;
}

static void linux_stop(void *self)
{
    os_end(self, 128 + SIGTERM, SIGTERM);
}

static const oryx_os_ops ops = {
    .hdr = ORYX_HDR(oryx_os_ops),
    .name = "linux",
    .identify = loader_identify,
    .create = linux_create,
    .destroy = linux_destroy,
    .run = linux_run,
    .stop = linux_stop,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_OS_ID) && !strcmp(cls, "linux") ? &ops : NULL;
}

static const oryx_plugin_ops plugin = {ORYX_HDR(oryx_plugin_ops), get, NULL};

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)host;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
