/* Guest paths to host paths. Without options a path is the host's. With a sysroot an absolute path
 * that exists inside it is that file, else the host's. With a root every path is resolved below it,
 * one component at a time on directory descriptors, so that neither "..", nor a symlink, nor a
 * rename meanwhile leads out. Called by every call that takes a path.
 *
 * Invariant: with a root, path_host never returns a name whose last component the host would follow
 * as a symlink. */
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux.h"

#define MAX_LINKS 40

/* Walk: directories from the root to where we are, each an O_PATH descriptor; 0 is the root itself
 * and not ours to close. */
typedef struct walk {
    int fds[128];
    int depth;
} walk;

static void walk_done(walk *w)
{
    while (w->depth > 0)
        close(w->fds[w->depth--]);
}

/* Resolve path (guest, absolute) below root: *dir gets an open descriptor of the last component's
 * directory, name its name ("." for the root). With PATH_FOLLOW a last symlink is followed. 0 or
 * -errno; the last may be missing (checked by the caller). */
static int resolve_below(int root, const char *path, int how, int *dir, char *name)
{
    walk w = {.depth = 0};
    char rest[PATH_MAX], link[PATH_MAX];
    int links = 0, r = 0;
    w.fds[0] = root;
    if (snprintf(rest, sizeof(rest), "%s", path) >= (int)sizeof(rest))
        return -ENAMETOOLONG;
    strcpy(name, ".");
    char *p = rest;
    for (;;) {
        while (*p == '/')
            p++;
        if (!*p)
            break;
        char *end = p + strcspn(p, "/");
        size_t len = (size_t)(end - p);
        char *next = end + strspn(end, "/");
        int last = !*next, wants_dir = *end == '/';
        if (len > NAME_MAX) {
            r = -ENAMETOOLONG;
            break;
        }
        memcpy(name, p, len);
        name[len] = 0;
        if (!strcmp(name, ".")) {
            p = next;
            continue;
        }
        if (!strcmp(name, "..")) {
            if (w.depth > 0)
                close(w.fds[w.depth--]);
            strcpy(name, ".");
            p = next;
            continue;
        }
        ssize_t n = readlinkat(w.fds[w.depth], name, link, sizeof(link) - 1);
        if (n >= 0 && (!last || wants_dir || (how & PATH_FOLLOW))) {
            link[n] = 0;
            if (++links > MAX_LINKS) {
                r = -ELOOP;
                break;
            }
            char joined[2 * PATH_MAX];
            snprintf(joined, sizeof(joined), "%s/%s", link, end);
            if (strlen(joined) >= sizeof(rest)) {
                r = -ENAMETOOLONG;
                break;
            }
            if (link[0] == '/')
                walk_done(&w);
            strcpy(rest, joined);
            if (last && !wants_dir)
                rest[strlen(rest) - 1] = 0; /* no slash where there was none */
            strcpy(name, ".");
            p = rest;
            continue;
        }
        if (last) {
            struct stat st;
            if (wants_dir && fstatat(w.fds[w.depth], name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                !S_ISDIR(st.st_mode))
                r = -ENOTDIR;
            break;
        }
        int fd = openat(w.fds[w.depth], name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
            r = -errno;
            break;
        }
        if (w.depth + 1 >= (int)(sizeof(w.fds) / sizeof(w.fds[0]))) {
            close(fd);
            r = -ENAMETOOLONG;
            break;
        }
        w.fds[++w.depth] = fd;
        strcpy(name, ".");
        p = next;
    }
    if (!r) {
        *dir = w.depth ? w.fds[w.depth--] : fcntl(root, F_DUPFD_CLOEXEC, 0);
        if (*dir < 0)
            r = -errno;
    }
    walk_done(&w);
    return r;
}

/* The same with one openat2 for the directory part; the walk serves what it cannot (".." at the
 * end, symlinks last). */
static int resolve(int root, const char *path, int how, int *dir, char *name)
{
    size_t n = strlen(path);
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    if (!*base || !strcmp(base, ".") || !strcmp(base, "..") || n >= PATH_MAX ||
        strlen(base) > NAME_MAX)
        return resolve_below(root, path, how, dir, name);
    char parent[PATH_MAX], link[8];
    size_t k = slash ? (size_t)(slash - path) : 0;
    memcpy(parent, path, k);
    strcpy(parent + k, k ? "" : "/");
    struct open_how oh = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                          .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, parent, &oh, sizeof(oh));
    if (fd < 0)
        return errno == ENOSYS || errno == EPERM || errno == EAGAIN
                   ? resolve_below(root, path, how, dir, name)
                   : -errno;
    if ((how & PATH_FOLLOW) && readlinkat(fd, base, link, sizeof(link)) >= 0) {
        close(fd);
        return resolve_below(root, path, how, dir, name);
    }
    *dir = fd;
    strcpy(name, base);
    return 0;
}

/* Where a descriptor points, as a host path. */
static int fd_path(int fd, char *buf, size_t cap)
{
    char link[40];
    ssize_t n;
    if (fd == AT_FDCWD)
        return getcwd(buf, cap) ? 0 : -errno;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, buf, cap - 1);
    if (n < 0)
        return errno == ENOENT ? -EBADF : -errno;
    buf[n] = 0;
    return buf[0] == '/' ? 0 : -ENOTDIR;
}

int path_to_guest(os *o, char *buf)
{
    if (!o->root)
        return 1;
    size_t n = o->root_len;
    if (strncmp(buf, o->root, n) || (buf[n] && buf[n] != '/'))
        return 0;
    if (!buf[n])
        strcpy(buf, "/");
    else
        memmove(buf, buf + n, strlen(buf + n) + 1);
    return 1;
}

int path_guest_cwd(os *o, char *buf, size_t cap)
{
    if (!getcwd(buf, cap))
        return -errno;
    return path_to_guest(o, buf) ? 0 : -ENOENT;
}

static int set_plain(lx_path *p, int dir, const char *guest)
{
    p->dir = dir;
    if (snprintf(p->buf, sizeof(p->buf), "%s", guest) >= (int)sizeof(p->buf))
        return -ENAMETOOLONG;
    return 0;
}

static int jailed(os *o, int dir, const char *guest, int how, lx_path *p)
{
    char full[2 * PATH_MAX];
    int r;
    if (guest[0] == '/') {
        snprintf(full, sizeof(full), "%s", guest);
    } else {
        char base[PATH_MAX];
        r = fd_path(dir, base, sizeof(base));
        if (r)
            return r;
        if (!path_to_guest(o, base))
            return -ENOENT; /* outside: removed, or opened before the jail */
        snprintf(full, sizeof(full), "%s/%s", base, guest);
    }
    if (strlen(full) >= PATH_MAX)
        return -ENAMETOOLONG;
    r = resolve(o->root_fd, full, how, &p->dir, p->buf);
    if (r)
        return r;
    p->close_fd = p->dir;
    p->inside = 1;
    return 0;
}

int path_host(os *o, int dir, const char *guest, int how, lx_path *p)
{
    p->close_fd = -1;
    p->inside = 0;
    p->follow = how & PATH_FOLLOW;
    p->name = p->buf;
    if (o->root) {
        if (!*guest)
            return -ENOENT;
        return jailed(o, dir, guest, how, p);
    }
    if (o->sysroot && guest[0] == '/') {
        struct stat st;
        if (resolve(o->sysroot_fd, guest, how, &p->dir, p->buf) == 0) {
            if (fstatat(p->dir, p->buf, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                p->close_fd = p->dir;
                p->inside = 1;
                return 0;
            }
            close(p->dir);
        }
    }
    return set_plain(p, dir, guest);
}

int path_get(os *o, int dir, uint64_t gpath, int how, lx_path *p)
{
    char guest[PATH_MAX];
    p->close_fd = -1;
    int64_t n = u_str(o, gpath, guest, sizeof(guest));
    return n < 0 ? (int)n : path_host(o, dir, guest, how, p);
}

void path_done(lx_path *p)
{
    if (p->close_fd >= 0)
        close(p->close_fd);
    p->close_fd = -1;
}

const char *path_string(lx_path *p, char *buf, size_t cap)
{
    if (!p->inside)
        return p->buf;
    /* Name the file itself: its entry might become a symlink before the host looks. */
    int fd = p->follow ? openat(p->dir, p->name, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd >= 0) {
        close(p->dir);
        p->dir = p->close_fd = fd;
        snprintf(buf, cap, "/proc/self/fd/%d", fd);
        return buf;
    }
    snprintf(buf, cap, "/proc/self/fd/%d/%s", p->dir, p->buf);
    return buf;
}
