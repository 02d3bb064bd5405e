/* File system calls that name files: open, stat, links, directories, attributes. Each resolves its
 * paths with path.c and hands the host an (directory, name) pair. Invariant: in a jail the host
 * never follows a last symlink for us. */
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "linux.h"

static int64_t open_on(task *t, int dir, const char *guest, uint32_t flags, uint32_t mode)
{
    lx_path p;
    int64_t r;
    if (guest[0] == '/' && !(flags & (O_PATH | O_CREAT))) {
        int fd = procfs_open(t, guest, (int)flags);
        if (fd != -ENOENT)
            return fd;
    }
    int follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
    r = path_host(t->o, dir, guest, (follow ? PATH_FOLLOW : 0) | PATH_NEW, &p);
    if (r)
        return r;
    r = SYS4(t, SYS_openat, p.dir, p.name, flags | (p.inside ? O_NOFOLLOW : 0), mode);
    path_done(&p);
    if (r >= 0 && (flags & O_TRUNC))
        mm_truncated(t->o, (int)r);
    return r;
}

CALL(openat)
{
    char guest[PATH_MAX];
    int64_t n = u_str(t->o, a[1], guest, sizeof(guest));
    return n < 0 ? n
                 : open_on(t, (int)a[0], guest, lx_open_flags_in(t->o, (uint32_t)a[2]),
                           (uint32_t)a[3]);
}

CALL(openat2)
{
    char guest[PATH_MAX];
    struct open_how how;
    uint64_t v[3];
    if (a[3] < sizeof(how))
        return -EINVAL;
    int64_t n = u_str(t->o, a[1], guest, sizeof(guest));
    if (n < 0 || u_u64_in(t->o, a[2], &v[0]) || u_u64_in(t->o, a[2] + 8, &v[1]) || u_u64_in(t->o, a[2] + 16, &v[2]))
        return n < 0 ? n : -EFAULT;
    how = (struct open_how){.flags = v[0], .mode = v[1], .resolve = v[2]};
    how.flags = lx_open_flags_in(t->o, (uint32_t)how.flags);
    if (t->o->root || t->o->sysroot)
        return how.resolve ? -ENOSYS
                           : open_on(t, (int)a[0], guest, (uint32_t)how.flags, (uint32_t)how.mode);
    return SYS4(t, SYS_openat2, (int)a[0], guest, &how, sizeof(how));
}

/* 32-bit ABIs have two structs: the old one refuses what it cannot hold. */
static int64_t stat_out(task *t, const struct stat *st, uint64_t addr)
{
    os *o = t->o;
    struct stat back;
    uint8_t raw[LX_STRUCT_MAX] = {0};
    int id = t->call->wide ? LX_S_stat64 : LX_S_stat;
    lx_struct_put(o, id, st, raw);
    if (o->abi->word == 4) {
        memset(&back, 0, sizeof(back));
        lx_struct_get(o, id, &back, raw);
        if (back.st_size != st->st_size || back.st_ino != st->st_ino || back.st_nlink != st->st_nlink)
            return -EOVERFLOW;
    }
    return u_out(o, addr, raw, u_struct_size(o, id));
}

/* stat of a path by fstatat; AT_EMPTY_PATH with an empty path is the descriptor itself. */
CALL(newfstatat)
{
    os *o = t->o;
    struct stat st;
    char guest[PATH_MAX];
    lx_path p;
    int flags = (int)a[3];
    int64_t n = u_str(o, a[1], guest, sizeof(guest)), r;
    if (n < 0)
        return n;
    if (!guest[0] && (flags & AT_EMPTY_PATH)) {
        r = SYS4(t, SYS_newfstatat, (int)a[0], "", &st, flags);
    } else {
        r = path_host(o, (int)a[0], guest, flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
        if (r)
            return r;
        r = SYS4(t, SYS_newfstatat, p.dir, p.name, &st,
                 flags | (p.inside ? AT_SYMLINK_NOFOLLOW : 0));
        path_done(&p);
    }
    return r < 0 ? r : stat_out(t, &st, a[2]);
}

CALL(fstat)
{
    struct stat st;
    int64_t r = SYS2(t, SYS_fstat, (int)a[0], &st);
    return r < 0 ? r : stat_out(t, &st, a[1]);
}

/* struct statx is the same for every architecture but for byte order: its members by size, in order. */
static void statx_swap(struct statx *sx)
{
    static const uint8_t sizes[] = {4, 4, 8, 4, 4, 4, 2, 2, 8, 8, 8, 8, 8, 4, 4, 8, 4, 4, 8, 4, 4, 8, 4, 4, 4, 4, 4, 4, 8};
    uint8_t *p = (uint8_t *)sx;
    for (size_t i = 0; i < sizeof(sizes); p += sizes[i++])
        for (unsigned k = 0; k < sizes[i] / 2u; k++) {
            uint8_t b = p[k];
            p[k] = p[sizes[i] - 1u - k];
            p[sizes[i] - 1u - k] = b;
        }
}

CALL(statx)
{
    os *o = t->o;
    struct statx sx;
    char guest[PATH_MAX];
    lx_path p;
    int flags = (int)a[2];
    int64_t n = u_str(o, a[1], guest, sizeof(guest)), r;
    if (n < 0)
        return n;
    if (!guest[0] && (flags & AT_EMPTY_PATH)) {
        r = SYS5(t, SYS_statx, (int)a[0], "", flags, (uint32_t)a[3], &sx);
    } else {
        r = path_host(o, (int)a[0], guest, flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
        if (r)
            return r;
        r = SYS5(t, SYS_statx, p.dir, p.name, flags | (p.inside ? AT_SYMLINK_NOFOLLOW : 0),
                 (uint32_t)a[3], &sx);
        path_done(&p);
    }
    if (r >= 0 && u_big(o))
        statx_swap(&sx);
    return r < 0 ? r : u_out(o, a[4], &sx, sizeof(sx));
}

static int64_t access_on(task *t, int dir, uint64_t path, int mode, int flags)
{
    lx_path p;
    int64_t r = path_get(t->o, dir, path, flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
    if (r == -ENOENT && (flags & AT_EMPTY_PATH))
        return SYS4(t, SYS_faccessat2, dir, "", mode, flags);
    if (r)
        return r;
    if (p.inside)
        flags |= AT_SYMLINK_NOFOLLOW;
    r = flags ? SYS4(t, SYS_faccessat2, p.dir, p.name, mode, flags)
              : SYS3(t, SYS_faccessat, p.dir, p.name, mode);
    path_done(&p);
    return r;
}

CALL(faccessat)
{
    return access_on(t, (int)a[0], a[1], (int)a[2], 0);
}

CALL(faccessat2)
{
    return access_on(t, (int)a[0], a[1], (int)a[2], (int)a[3]);
}

CALL(readlinkat)
{
    os *o = t->o;
    char guest[PATH_MAX], link[PATH_MAX];
    lx_path p;
    int64_t n = u_str(o, a[1], guest, sizeof(guest)), r;
    if (n < 0)
        return n;
    if ((int)a[3] <= 0)
        return -EINVAL;
    r = guest[0] == '/' ? procfs_link(t, guest, link, sizeof(link)) : -ENOENT;
    if (r == -ENOENT) {
        if (!guest[0]) {
            r = SYS4(t, SYS_readlinkat, (int)a[0], "", link, sizeof(link));
        } else {
            r = path_host(o, (int)a[0], guest, 0, &p);
            if (r)
                return r;
            r = SYS4(t, SYS_readlinkat, p.dir, p.name, link, sizeof(link));
            path_done(&p);
        }
    }
    if (r < 0)
        return r;
    if (r > (int)a[3])
        r = (int)a[3];
    return u_out(o, a[2], link, (uint64_t)r) ? -EFAULT : r;
}

CALL(mkdirat)
{
    lx_path p;
    int64_t r = path_get(t->o, (int)a[0], a[1], PATH_NEW, &p);
    if (r)
        return r;
    r = SYS3(t, SYS_mkdirat, p.dir, p.name, (uint32_t)a[2]);
    path_done(&p);
    return r;
}

CALL(mknodat)
{
    lx_path p;
    int64_t r = path_get(t->o, (int)a[0], a[1], PATH_NEW, &p);
    if (r)
        return r;
    r = SYS4(t, SYS_mknodat, p.dir, p.name, (uint32_t)a[2], (uint32_t)a[3]);
    path_done(&p);
    return r;
}

CALL(unlinkat)
{
    lx_path p;
    int64_t r = path_get(t->o, (int)a[0], a[1], 0, &p);
    if (r)
        return r;
    r = SYS3(t, SYS_unlinkat, p.dir, p.name, (int)a[2]);
    path_done(&p);
    return r;
}

CALL(symlinkat)
{
    lx_path p;
    char target[PATH_MAX];
    int64_t n = u_str(t->o, a[0], target, sizeof(target));
    int64_t r = n < 0 ? n : path_get(t->o, (int)a[1], a[2], PATH_NEW, &p);
    if (r)
        return r;
    r = SYS3(t, SYS_symlinkat, target, p.dir, p.name);
    path_done(&p);
    return r;
}

CALL(linkat)
{
    lx_path from, to;
    int flags = (int)a[4];
    char empty[1];
    int is_empty = (flags & AT_EMPTY_PATH) && u_in(t->o, empty, a[1], 1) == 0 && !empty[0];
    int64_t r = is_empty ? 0
                         : path_get(t->o, (int)a[0], a[1],
                                    flags & AT_SYMLINK_FOLLOW ? PATH_FOLLOW : 0, &from);
    if (r)
        return r;
    r = path_get(t->o, (int)a[2], a[3], PATH_NEW, &to);
    if (!r) {
        r = is_empty ? SYS5(t, SYS_linkat, (int)a[0], "", to.dir, to.name, flags)
                     : SYS5(t, SYS_linkat, from.dir, from.name, to.dir, to.name,
                            from.inside ? flags & ~AT_SYMLINK_FOLLOW : flags);
        path_done(&to);
    }
    if (!is_empty)
        path_done(&from);
    return r;
}

static int64_t rename_on(task *t, const uint64_t *a, uint32_t flags)
{
    lx_path from, to;
    int64_t r = path_get(t->o, (int)a[0], a[1], 0, &from);
    if (r)
        return r;
    r = path_get(t->o, (int)a[2], a[3], PATH_NEW, &to);
    if (!r) {
        r = SYS5(t, SYS_renameat2, from.dir, from.name, to.dir, to.name, flags);
        path_done(&to);
    }
    path_done(&from);
    return r;
}

CALL(renameat)
{
    return rename_on(t, a, 0);
}

CALL(renameat2)
{
    return rename_on(t, a, (uint32_t)a[4]);
}

CALL(fchmodat)
{
    lx_path p;
    char buf[PATH_MAX + 64];
    int64_t r = path_get(t->o, (int)a[0], a[1], PATH_FOLLOW, &p);
    if (r)
        return r;
    r = SYS3(t, SYS_fchmodat, p.inside ? AT_FDCWD : p.dir, path_string(&p, buf, sizeof(buf)),
             (uint32_t)a[2]);
    path_done(&p);
    return r;
}

CALL(fchownat)
{
    lx_path p;
    int flags = (int)a[4];
    char empty[1];
    if ((flags & AT_EMPTY_PATH) && u_in(t->o, empty, a[1], 1) == 0 && !empty[0])
        return SYS5(t, SYS_fchownat, (int)a[0], "", (uint32_t)a[2], (uint32_t)a[3], flags);
    int64_t r = path_get(t->o, (int)a[0], a[1], flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
    if (r)
        return r;
    r = SYS5(t, SYS_fchownat, p.dir, p.name, (uint32_t)a[2], (uint32_t)a[3],
             flags | (p.inside ? AT_SYMLINK_NOFOLLOW : 0));
    path_done(&p);
    return r;
}

CALL(utimensat)
{
    os *o = t->o;
    lx_path p;
    struct timespec ts[2];
    int flags = (int)a[3];
    int id = LX_TIMESPEC(t);
    if (a[2] && (u_struct_in(o, id, &ts[0], a[2]) || u_struct_in(o, id, &ts[1], a[2] + u_struct_size(o, id))))
        return -EFAULT;
    if (!a[1])
        return SYS4(t, SYS_utimensat, (int)a[0], NULL, a[2] ? ts : NULL, flags);
    int64_t r = path_get(o, (int)a[0], a[1], flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW, &p);
    if (r)
        return r;
    r = SYS4(t, SYS_utimensat, p.dir, p.name, a[2] ? ts : NULL,
             flags | (p.inside ? AT_SYMLINK_NOFOLLOW : 0));
    path_done(&p);
    return r;
}

CALL(ftruncate)
{
    int64_t r = SYS2(t, SYS_ftruncate, (int)a[0], a[1]);
    if (r == 0)
        mm_truncated(t->o, (int)a[0]);
    return r;
}

CALL(truncate)
{
    lx_path p;
    char buf[PATH_MAX + 64];
    int64_t r = path_get(t->o, AT_FDCWD, a[0], PATH_FOLLOW, &p);
    if (r)
        return r;
    const char *host = path_string(&p, buf, sizeof(buf));
    r = SYS2(t, SYS_truncate, host, a[1]);
    int fd = r ? -1 : open(host, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        mm_truncated(t->o, fd);
        close(fd);
    }
    path_done(&p);
    return r;
}

static int64_t statfs_out(task *t, const struct statfs *sf, uint64_t addr)
{
    os *o = t->o;
    if (t->call->wide)
        return u_struct_out(o, LX_S_statfs64, sf, addr);
    if (o->abi->word == 4 && (sf->f_blocks > 0xffffffffu || sf->f_bfree > 0xffffffffu))
        return -EOVERFLOW;
    return u_struct_out(o, LX_S_statfs, sf, addr);
}

/* The 64-bit forms have a size before the struct. */
CALL(statfs)
{
    struct statfs sf;
    lx_path p;
    char buf[PATH_MAX + 64];
    int64_t r = path_get(t->o, AT_FDCWD, a[0], PATH_FOLLOW, &p);
    if (r)
        return r;
    r = SYS2(t, SYS_statfs, path_string(&p, buf, sizeof(buf)), &sf);
    path_done(&p);
    return r < 0 ? r : statfs_out(t, &sf, a[t->call->wide ? 2 : 1]);
}

CALL(fstatfs)
{
    struct statfs sf;
    int64_t r = SYS2(t, SYS_fstatfs, (int)a[0], &sf);
    return r < 0 ? r : statfs_out(t, &sf, a[t->call->wide ? 2 : 1]);
}

CALL(getcwd)
{
    char cwd[PATH_MAX];
    int r = path_guest_cwd(t->o, cwd, sizeof(cwd));
    if (r)
        return r;
    size_t n = strlen(cwd) + 1;
    if (n > a[1])
        return -ERANGE;
    return u_out(t->o, a[0], cwd, n) ? -EFAULT : (int64_t)n;
}

/* Only a privileged process may; in a jail the root is not moved again. */
CALL(chroot)
{
    lx_path p;
    char buf[PATH_MAX + 64];
    if (t->o->root)
        return -EPERM;
    int64_t r = path_get(t->o, AT_FDCWD, a[0], PATH_FOLLOW, &p);
    if (r)
        return r;
    r = SYS1(t, SYS_chroot, path_string(&p, buf, sizeof(buf)));
    path_done(&p);
    return r;
}

static int64_t getxattr_on(task *t, const uint64_t *a, long nr, int how)
{
    lx_path p;
    char buf[PATH_MAX + 64], name[XATTR_NAME_MAX + 1];
    void *value = a[3] ? u_ptr(t->o, a[2], a[3], 1) : NULL;
    int64_t n = u_str(t->o, a[1], name, sizeof(name)), r;
    if (n < 0)
        return n == -ENAMETOOLONG ? -ERANGE : n;
    if (a[3] && !value)
        return -EFAULT;
    if (nr == SYS_fgetxattr)
        return SYS4(t, nr, (int)a[0], name, value, a[3]);
    r = path_get(t->o, AT_FDCWD, a[0], how, &p);
    if (r)
        return r;
    r = SYS4(t, nr, path_string(&p, buf, sizeof(buf)), name, value, a[3]);
    path_done(&p);
    return r;
}

CALL(getxattr)
{
    return getxattr_on(t, a, SYS_getxattr, PATH_FOLLOW);
}

CALL(lgetxattr)
{
    return getxattr_on(t, a, SYS_lgetxattr, 0);
}

CALL(fgetxattr)
{
    return getxattr_on(t, a, SYS_fgetxattr, 0);
}
