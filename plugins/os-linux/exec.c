/* execve: an image of this ABI replaces the guest's in place; a program of the host or of another
 * architecture goes to the host's own execve, or to the running command with its options.
 * Invariant: before the old image is gone every failure is an errno to the guest; after it the
 * process ends. */
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#define MAX_STRINGS (1u << 20)

static void free_strings(char **v)
{
    for (size_t i = 0; v && v[i]; i++)
        free(v[i]);
    free(v);
}

/* A NULL-terminated array of strings out of guest memory. */
static int strings_in(os *o, uint64_t at, char ***out)
{
    size_t n = 0, cap = 16;
    char **v = calloc(cap, sizeof(*v)), *buf = malloc(MAX_STRINGS);
    int r = v && buf ? 0 : -ENOMEM;
    for (; !r && at; at += o->abi->word) {
        uint64_t p;
        if (u_word_in(o, at, &p)) {
            r = -EFAULT;
            break;
        }
        if (!p)
            break;
        if (n + 2 > cap) {
            char **bigger = realloc(v, (cap *= 2) * sizeof(*v));
            if (!bigger) {
                r = -ENOMEM;
                break;
            }
            v = bigger;
        }
        int64_t len = u_str(o, p, buf, 128u << 10);
        if (len < 0)
            r = len == -ENAMETOOLONG ? -E2BIG : (int)len;
        else if (!(v[n] = strdup(buf)))
            r = -ENOMEM;
        else
            v[++n] = NULL;
    }
    free(buf);
    if (r && v) {
        v[n] = NULL;
        free_strings(v);
        v = NULL;
    }
    *out = v;
    return r;
}

/* Not a program for this vCPU: the host's kernel may know it, or another run of this command. */
static int64_t foreign(task *t, const char *path, char **argv, char **envp)
{
    os *o = t->o;
    char buf[PATH_MAX + 64], arch[32];
    lx_path p;
    oryx_error err;
    if (o->root)
        return -ENOEXEC; /* it would run outside the jail */
    int64_t r = path_host(o, AT_FDCWD, path, PATH_FOLLOW, &p);
    if (r)
        return r;
    const char *host = path_string(&p, buf, sizeof(buf));
    r = SYS3(t, SYS_execve, host, argv, envp);
    if (r == -ENOEXEC && o->self_path &&
        loader_identify(host, arch, sizeof(arch), &err) == ORYX_OK) {
        size_t n_self = 0, n_args = 0, k = 0;
        while (o->self_args && o->self_args[n_self])
            n_self++;
        while (argv[n_args])
            n_args++;
        char **all = calloc(n_self + n_args + 3, sizeof(*all));
        if (all) {
            all[k++] = o->self_path;
            for (size_t i = 0; i < n_self; i++)
                all[k++] = o->self_args[i];
            all[k++] = (char *)(uintptr_t)host;
            for (size_t i = 1; i < n_args; i++)
                all[k++] = argv[i];
            r = SYS3(t, SYS_execve, o->self_path, all, envp);
            free(all);
        }
    }
    path_done(&p);
    return r;
}

static int64_t exec(task *t, const char *path, uint64_t argv_at, uint64_t envp_at)
{
    os *o = t->o;
    char **argv = NULL, **envp = NULL, exe[PATH_MAX];
    oryx_error err;
    int committed = 0;
    int64_t r = strings_in(o, argv_at, &argv);
    if (!r)
        r = strings_in(o, envp_at, &envp);
    if (!r && argv && !argv[0]) { /* as Linux since 5.18 */
        char **one = calloc(2, sizeof(*one));
        if (one)
            one[0] = strdup("");
        free_strings(argv);
        argv = one;
    }
    if (r) {
        free_strings(argv);
        return r;
    }
    if (procfs_link(t, path, exe, sizeof(exe)) > 0)
        path = exe;
    err.text[0] = 0;
    r = loader_exec(t, path, argv, envp, &committed, &err);
    if (r == -ENOEXEC && !committed)
        r = foreign(t, path, argv, envp);
    if (r == 0) {
        const char *base = strrchr(path, '/');
        char name[16];
        snprintf(name, sizeof(name), "%.15s", base ? base + 1 : path);
        SYS2(t, SYS_prctl, 15 /* PR_SET_NAME */, name);
        signals_exec(o);
        t->altstack = (lx_sigstack){.flags = SS_DISABLE};
        t->clear_tid = t->robust = 0;
        r = -LX_NORESULT;
    } else if (committed) {
        snprintf(o->end_text, sizeof(o->end_text), "%.380s", err.text);
        os_end(o, 127, SIGKILL);
        r = -LX_NORESULT;
    }
    free_strings(argv);
    free_strings(envp);
    return r;
}

CALL(execve)
{
    char path[PATH_MAX];
    int64_t n = u_str(t->o, a[0], path, sizeof(path));
    return n < 0 ? n : exec(t, path, a[1], a[2]);
}

CALL(execveat)
{
    char path[PATH_MAX], link[PATH_MAX + 64];
    int64_t n = u_str(t->o, a[1], path, sizeof(path));
    if (n < 0)
        return n;
    if (!path[0] && !((int)a[4] & AT_EMPTY_PATH))
        return -ENOENT;
    if (path[0] == '/' || (int)a[0] == AT_FDCWD)
        return exec(t, path, a[2], a[3]);
    if (t->o->root) { /* by name below the root, as open does */
        char link_path[40], base[PATH_MAX];
        snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", (int)a[0]);
        ssize_t k = readlink(link_path, base, sizeof(base) - 1);
        if (k < 0)
            return -EBADF;
        base[k] = 0;
        if (!path_to_guest(t->o, base) || strlen(base) + strlen(path) + 2 > sizeof(link))
            return -ENOENT;
        snprintf(link, sizeof(link), "%.4000s%s%.100s", base, path[0] ? "/" : "", path);
    } else {
        snprintf(link, sizeof(link), "/proc/self/fd/%d%s%s", (int)a[0], path[0] ? "/" : "", path);
    }
    return exec(t, link, a[2], a[3]);
}
