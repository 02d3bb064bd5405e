/* Descriptors that this process needs and the guest must neither see closed nor close: the sysroot,
 * the jail, the strace output, and whatever the embedder had open with close-on-exec. Invariant: a
 * number in o->ours is never closed or replaced for the guest. */
#include <dirent.h>
#include <unistd.h>

#include "linux.h"

#define MOST ((int)(sizeof(((os *)0)->ours) * 8))

int fds_ours(os *o, int fd)
{
    return fd >= 0 && fd < MOST && (o->ours[fd / 64] >> (fd % 64) & 1);
}

static void mark(os *o, int fd)
{
    if (fd >= 0 && fd < MOST)
        o->ours[fd / 64] |= 1ull << (fd % 64);
}

int fds_high(os *o, int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 960);
    if (high < 0)
        high = fcntl(fd, F_DUPFD_CLOEXEC, 100);
    if (high < 0)
        high = fd;
    mark(o, high);
    return high;
}

/* Calls fn for every open descriptor. */
static void each(os *o, void (*fn)(os *o, int fd))
{
    int list[MOST], n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d) {
        for (int fd = 0; fd < MOST; fd++)
            fn(o, fd);
        return;
    }
    for (struct dirent *e = readdir(d); e && n < MOST; e = readdir(d))
        if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(d))
            list[n++] = atoi(e->d_name);
    closedir(d);
    for (int i = 0; i < n; i++)
        fn(o, list[i]);
}

static void mark_one(os *o, int fd)
{
    int f = fcntl(fd, F_GETFD);
    if (f >= 0 && (f & FD_CLOEXEC))
        mark(o, fd);
}

static void exec_one(os *o, int fd)
{
    int f = fcntl(fd, F_GETFD);
    if (f >= 0 && (f & FD_CLOEXEC) && !fds_ours(o, fd))
        close(fd);
}

void fds_mark(os *o)
{
    each(o, mark_one);
}

void fds_exec(os *o)
{
    each(o, exec_one);
}
