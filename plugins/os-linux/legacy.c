/* The calls that 64-bit kernels began without: names without a directory descriptor, times in whole or micro seconds, and the
 * forms that 32-bit kernels keep beside newer ones. Each is the newer call with other arguments. Invariant: nothing here
 * touches the host but through the call it stands for, or with a path from path.c. */
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "linux.h"

#define HERE ((uint64_t)(int64_t)AT_FDCWD)
#define ON(call, ...) return sys_##call(t, (const uint64_t[8]){__VA_ARGS__})

CALL(open)
{
    ON(openat, HERE, a[0], a[1], a[2]);
}

CALL(creat)
{
    ON(openat, HERE, a[0], lx_open_flags_out(t->o, O_CREAT | O_WRONLY | O_TRUNC), a[1]);
}

CALL(link)
{
    ON(linkat, HERE, a[0], HERE, a[1], 0);
}

CALL(unlink)
{
    ON(unlinkat, HERE, a[0], 0);
}

CALL(rmdir)
{
    ON(unlinkat, HERE, a[0], AT_REMOVEDIR);
}

CALL(mkdir)
{
    ON(mkdirat, HERE, a[0], a[1]);
}

CALL(mknod)
{
    ON(mknodat, HERE, a[0], a[1], a[2]);
}

CALL(rename)
{
    ON(renameat, HERE, a[0], HERE, a[1]);
}

CALL(symlink)
{
    ON(symlinkat, a[0], HERE, a[1]);
}

CALL(readlink)
{
    ON(readlinkat, HERE, a[0], a[1], a[2]);
}

CALL(access)
{
    ON(faccessat, HERE, a[0], a[1]);
}

CALL(chmod)
{
    ON(fchmodat, HERE, a[0], a[1]);
}

CALL(chown)
{
    ON(fchownat, HERE, a[0], a[1], a[2], 0);
}

CALL(lchown)
{
    ON(fchownat, HERE, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW);
}

static uint64_t wide_id(uint64_t id)
{
    return (id & 0xffff) == 0xffff ? 0xffffffffu : id & 0xffff;
}

CALL(chown16)
{
    ON(fchownat, HERE, a[0], wide_id(a[1]), wide_id(a[2]), 0);
}

CALL(lchown16)
{
    ON(fchownat, HERE, a[0], wide_id(a[1]), wide_id(a[2]), AT_SYMLINK_NOFOLLOW);
}

CALL(stat)
{
    ON(newfstatat, HERE, a[0], a[1], 0);
}

CALL(lstat)
{
    ON(newfstatat, HERE, a[0], a[1], AT_SYMLINK_NOFOLLOW);
}

CALL(dup2)
{
    if ((int)a[0] == (int)a[1]) {
        int64_t r = SYS3(t, SYS_fcntl, (int)a[0], F_GETFD, 0);
        return r < 0 ? r : (int)a[1];
    }
    ON(dup3, a[0], a[1], 0);
}

CALL(eventfd)
{
    ON(eventfd2, a[0], 0);
}

CALL(inotify_init)
{
    (void)a;
    ON(inotify_init1, 0);
}

CALL(getpgrp)
{
    (void)a;
    return SYS1(t, SYS_getpgrp, 0);
}

CALL(nice)
{
    int64_t r = SYS2(t, SYS_getpriority, 0, 0);
    return r < 0 ? r : SYS3(t, SYS_setpriority, 0, 0, 20 - r + (int)a[0]);
}

CALL(send)
{
    ON(sendto, a[0], a[1], a[2], a[3], 0, 0);
}

CALL(recv)
{
    ON(recvfrom, a[0], a[1], a[2], a[3], 0, 0);
}

/* Offsets of files in pages: always of 4 KiB here. */
CALL(mmap2)
{
    ON(mmap, a[0], a[1], a[2], a[3], a[4], a[5] << 12);
}

/* Arm's order of arguments keeps its 64-bit values in even registers. */
CALL(arm_fadvise64_64)
{
    return SYS4(t, SYS_fadvise64, (int)a[0], a[2], a[3], (int)a[1]);
}

CALL(sync_file_range2)
{
    return SYS4(t, SYS_sync_file_range, (int)a[0], a[2], a[3], (uint32_t)a[1]);
}

/* --- times of files ------------------------------------------------------------------------------------------------- */

static int64_t set_times(task *t, int dir, uint64_t path, const struct timespec *ts)
{
    lx_path p;
    if (!path)
        return SYS4(t, SYS_utimensat, dir, NULL, ts, 0);
    int64_t r = path_get(t->o, dir, path, PATH_FOLLOW, &p);
    if (r)
        return r;
    r = SYS4(t, SYS_utimensat, p.dir, p.name, ts, p.inside ? AT_SYMLINK_NOFOLLOW : 0);
    path_done(&p);
    return r;
}

static int64_t micro_times(task *t, int dir, uint64_t path, uint64_t times)
{
    os *o = t->o;
    struct timeval tv[2];
    struct timespec ts[2];
    for (int i = 0; times && i < 2; i++) {
        if (u_struct_in(o, LX_S_timeval, &tv[i], times + (uint64_t)i * u_struct_size(o, LX_S_timeval)))
            return -EFAULT;
        if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000)
            return -EINVAL;
        ts[i] = (struct timespec){tv[i].tv_sec, tv[i].tv_usec * 1000};
    }
    return set_times(t, dir, path, times ? ts : NULL);
}

CALL(utimes)
{
    return micro_times(t, AT_FDCWD, a[0], a[1]);
}

CALL(futimesat)
{
    return micro_times(t, (int)a[0], a[1], a[2]);
}

CALL(utime)
{
    struct utimbuf b;
    struct timespec ts[2] = {{0, 0}, {0, 0}};
    if (a[1] && u_struct_in(t->o, LX_S_utimbuf, &b, a[1]))
        return -EFAULT;
    if (a[1]) {
        ts[0].tv_sec = b.actime;
        ts[1].tv_sec = b.modtime;
    }
    return set_times(t, AT_FDCWD, a[0], a[1] ? ts : NULL);
}
