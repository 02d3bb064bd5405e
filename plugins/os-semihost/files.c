/* Handles of semihosting, and the files behind them.
 *
 * Called by the semihost_<abi>.c files with the lock held. Invariant: every name is resolved inside the folder of option
 * "root", symbolic links included (openat2, RESOLVE_IN_ROOT); without a root there are no files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "semihost.h"

static const uint8_t features[] = { 'S', 'H', 'F', 'B', 3 }; /* SYS_EXIT_EXTENDED; :tt tells stdout from stderr */

static int64_t failed(semihost *s, int error)
{
    s->error = error;
    return -1;
}

static handle *find(semihost *s, uint64_t n)
{
    handle *h = n && n <= HANDLES ? &s->handles[n - 1] : NULL;
    if (h && h->used)
        return h;
    s->error = EBADF;
    return NULL;
}

static int64_t make(semihost *s, int used, int fd)
{
    for (uint32_t i = 0; i < HANDLES; i++)
        if (!s->handles[i].used) {
            s->handles[i] = (handle){ used, fd, 0 };
            return i + 1;
        }
    return failed(s, EMFILE);
}

static int inside(const semihost *s, const char *name, int flags, uint32_t mode)
{
    struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC | O_NONBLOCK), .mode = flags & O_CREAT ? mode : 0,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    if (s->root < 0) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_openat2, s->root, name, &how, sizeof how);
}

int64_t files_open(semihost *s, const char *name, int flags, uint32_t mode)
{
    struct stat st;
    int fd = inside(s, name, flags, mode);
    if (fd < 0)
        return failed(s, errno);
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return failed(s, EACCES);
    }
    int64_t n = make(s, H_FILE, fd);
    if (n < 0)
        close(fd);
    return n;
}

int64_t files_console(semihost *s, int fd)
{
    return make(s, H_CONSOLE, fd);
}

int64_t files_features(semihost *s)
{
    return make(s, H_FEATURES, -1);
}

int64_t files_close(semihost *s, uint64_t n)
{
    handle *h = find(s, n);
    if (!h)
        return -1;
    int bad = h->used == H_FILE && close(h->fd);
    h->used = H_FREE;
    return bad ? failed(s, errno) : 0;
}

int64_t files_read(semihost *s, uint64_t n, void *to, size_t size)
{
    handle *h = find(s, n);
    if (!h)
        return -1;
    if (h->used == H_FEATURES) {
        size_t left = h->at < sizeof features ? sizeof features - (size_t)h->at : 0, k = size < left ? size : left;
        memcpy(to, features + (left ? h->at : 0), k);
        h->at += k;
        return (int64_t)k;
    }
    ssize_t got;
    do
        got = read(h->fd, to, size);
    while (got < 0 && errno == EINTR && !s->stop);
    return got < 0 ? failed(s, errno) : got;
}

int64_t files_write(semihost *s, uint64_t n, const void *from, size_t size)
{
    handle *h = find(s, n);
    size_t done = 0;
    if (!h)
        return -1;
    if (h->used == H_FEATURES)
        return failed(s, EBADF);
    while (done < size) {
        ssize_t put = write(h->fd, (const char *)from + done, size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return done ? (int64_t)done : failed(s, errno);
        done += (size_t)put;
    }
    return (int64_t)done;
}

int64_t files_seek(semihost *s, uint64_t n, uint64_t to)
{
    handle *h = find(s, n);
    if (!h)
        return -1;
    if (h->used == H_FEATURES) {
        h->at = to;
        return 0;
    }
    return lseek(h->fd, (off_t)to, SEEK_SET) < 0 ? failed(s, errno) : 0;
}

int64_t files_length(semihost *s, uint64_t n)
{
    handle *h = find(s, n);
    struct stat st;
    if (!h)
        return -1;
    if (h->used == H_FEATURES)
        return sizeof features;
    if (h->used == H_CONSOLE)
        return 0;
    return fstat(h->fd, &st) ? failed(s, errno) : (int64_t)st.st_size;
}

int64_t files_is_terminal(semihost *s, uint64_t n)
{
    handle *h = find(s, n);
    return h ? h->used == H_CONSOLE : -1;
}

/* The folder of a name, opened inside the root, and the last part; -1 with errno. */
static int folder_of(const semihost *s, const char *name, const char **last)
{
    char *copy = strdup(name), *slash = copy ? strrchr(copy, '/') : NULL;
    if (!copy)
        return -1;
    *last = slash ? name + (slash - copy) + 1 : name;
    if (slash)
        *slash = 0;
    int fd = inside(s, slash ? (*copy ? copy : "/") : ".", O_RDONLY | O_DIRECTORY, 0);
    free(copy);
    if (fd >= 0 && (!**last || !strcmp(*last, ".") || !strcmp(*last, ".."))) {
        close(fd);
        errno = EINVAL;
        return -1;
    }
    return fd;
}

int64_t files_remove(semihost *s, const char *name)
{
    const char *last;
    int dir = folder_of(s, name, &last), bad = dir < 0 || unlinkat(dir, last, 0), error = errno;
    if (dir >= 0)
        close(dir);
    return bad ? failed(s, error) : 0;
}

int64_t files_rename(semihost *s, const char *from, const char *to)
{
    const char *last_from, *last_to;
    int a = folder_of(s, from, &last_from), b = a < 0 ? -1 : folder_of(s, to, &last_to);
    int bad = a < 0 || b < 0 || renameat(a, last_from, b, last_to), error = errno;
    if (a >= 0)
        close(a);
    if (b >= 0)
        close(b);
    return bad ? failed(s, error) : 0;
}

void files_close_all(semihost *s)
{
    for (uint32_t i = 0; i < HANDLES; i++)
        if (s->handles[i].used == H_FILE)
            close(s->handles[i].fd);
}
