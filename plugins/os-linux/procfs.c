/* The files of /proc/self that would show the emulator instead of the guest: exe, maps, cmdline,
 * auxv, environ; stat's and comm are left to the host; and /proc/cpuinfo. Called by open and readlink. Invariant: any
 * other path is -ENOENT here and goes the usual way. */
#include <sys/mman.h>
#include <unistd.h>

#include "linux.h"

/* The part after /proc/self/ or /proc/<own pid>/, or NULL. */
static const char *own(const char *path)
{
    char pid[32], task_self[40];
    snprintf(pid, sizeof(pid), "/proc/%d/", getpid());
    snprintf(task_self, sizeof(task_self), "/proc/self/task/%d/", getpid());
    const char *prefixes[] = {task_self, "/proc/thread-self/", "/proc/self/", pid};
    for (int i = 0; i < 4; i++)
        if (!strncmp(path, prefixes[i], strlen(prefixes[i])))
            return path + strlen(prefixes[i]);
    return NULL;
}

/* A file that holds guest memory [from, to). */
static int memory_fd(task *t, const char *name, uint64_t from, uint64_t to)
{
    int fd = memfd_create(name, 0);
    if (fd < 0)
        return -errno;
    const void *p = to > from ? u_ptr(t->o, from, to - from, 0) : NULL;
    if (p && write(fd, p, to - from) < 0) {
        close(fd);
        return -EIO;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static int cpuinfo_fd(os *o, int flags)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    int fd = memfd_create("cpuinfo", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (f) {
        o->abi->cpuinfo(o, f);
        fclose(f);
    }
    if (fd >= 0 && text && write(fd, text, n) == (ssize_t)n)
        lseek(fd, 0, SEEK_SET);
    free(text);
    return fd < 0 ? -errno : fd;
}

int procfs_open(task *t, const char *path, int flags)
{
    const lx_mm *mm = &t->o->mm;
    const char *name = strncmp(path, "/proc/", 6) ? NULL : own(path);
    int fd = -ENOENT;
    if (!strcmp(path, "/proc/cpuinfo") && t->o->abi->cpuinfo && (flags & O_ACCMODE) == O_RDONLY)
        return cpuinfo_fd(t->o, flags);
    if (!name)
        return -ENOENT;
    if (!strcmp(name, "exe"))
        fd = t->o->exe ? open(t->o->exe, flags | O_CLOEXEC) : -1;
    else if ((flags & O_ACCMODE) != O_RDONLY)
        return -ENOENT;
    else if (!strcmp(name, "maps"))
        fd = mm_maps_fd(t->o);
    else if (!strcmp(name, "cmdline"))
        fd = memory_fd(t, name, mm->arg_start, mm->arg_end);
    else if (!strcmp(name, "environ"))
        fd = memory_fd(t, name, mm->env_start, mm->env_end);
    else if (!strcmp(name, "auxv"))
        fd = memory_fd(t, name, mm->auxv, mm->auxv + mm->auxv_size);
    if (fd == -1)
        return -errno;
    if (fd >= 0)
        fcntl(fd, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0);
    return fd;
}

int procfs_link(task *t, const char *path, char *buf, size_t cap)
{
    const char *name = strncmp(path, "/proc/", 6) ? NULL : own(path);
    if (!name || strcmp(name, "exe") || !t->o->exe_guest)
        return -ENOENT;
    size_t n = strlen(t->o->exe_guest);
    if (n >= cap)
        n = cap - 1;
    memcpy(buf, t->o->exe_guest, n);
    buf[n] = 0;
    return (int)n;
}
