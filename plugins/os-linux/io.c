/* Descriptor system calls: vectors, fcntl, pipes, copying between descriptors, directory lists.
 * Guest buffers go to the host as they lie in the window, checked against the guest's protections
 * first. Invariant: bytes the host wrote into guest memory are reported to the core before the call
 * returns. */
#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "linux.h"

#define F_SETOWN_EX_ 15
#define F_GETOWN_EX_ 16

/* Guest iovecs into host ones. Entries of bad addresses become what the kernel answers EFAULT for.
 */
static int64_t iov_in(os *o, uint64_t addr, uint64_t n, int write, struct iovec **out)
{
    uint32_t size = u_struct_size(o, LX_S_iovec);
    *out = NULL;
    if (n > UIO_MAXIOV)
        return -EINVAL;
    struct iovec *v = calloc(n ? n : 1, sizeof(*v));
    if (!v)
        return -ENOMEM;
    for (uint64_t i = 0; i < n; i++) {
        if (u_struct_in(o, LX_S_iovec, &v[i], addr + i * size)) {
            free(v);
            return -EFAULT;
        }
        if (!v[i].iov_len)
            continue;
        if ((ssize_t)v[i].iov_len < 0) {
            free(v);
            return -EINVAL;
        }
        v[i].iov_base = u_arg(o, (uint64_t)(uintptr_t)v[i].iov_base, v[i].iov_len, write);
    }
    *out = v;
    return 0;
}

static int64_t vector(task *t, long nr, const uint64_t *a, int write, int n_args)
{
    os *o = t->o;
    struct iovec *v;
    int64_t r = iov_in(o, a[1], (uint32_t)a[2], write, &v);
    if (r)
        return r;
    r = SYS6(t, nr, (int)a[0], v, (uint32_t)a[2], n_args > 3 ? a[3] : 0, 0, n_args > 5 ? a[5] : 0);
    if (write) {
        int64_t left = r;
        for (uint64_t i = 0; left > 0 && i < a[2]; i++) {
            uint64_t k = (uint64_t)left < v[i].iov_len ? (uint64_t)left : v[i].iov_len;
            u_written(o, (uint64_t)((uint8_t *)v[i].iov_base - o->mm.base), k);
            left -= (int64_t)k;
        }
    }
    free(v);
    return r;
}

CALL(readv)
{
    return vector(t, SYS_readv, a, 1, 3);
}

CALL(writev)
{
    return vector(t, SYS_writev, a, 0, 3);
}

CALL(preadv)
{
    return vector(t, SYS_preadv, a, 1, 4);
}

CALL(pwritev)
{
    return vector(t, SYS_pwritev, a, 0, 4);
}

CALL(preadv2)
{
    return vector(t, SYS_preadv2, a, 1, 6);
}

CALL(pwritev2)
{
    return vector(t, SYS_pwritev2, a, 0, 6);
}

CALL(vmsplice)
{
    struct iovec *v;
    int64_t r = iov_in(t->o, a[1], (uint32_t)a[2], 0, &v);
    if (r)
        return r;
    r = SYS4(t, SYS_vmsplice, (int)a[0], v, (uint32_t)a[2], (uint32_t)a[3]);
    free(v);
    return r;
}

CALL(close)
{
    if (fds_ours(t->o, (int)a[0]))
        return -EBADF;
    return SYS1(t, SYS_close, (int)a[0]);
}

CALL(close_range)
{
    uint64_t first = (uint32_t)a[0], last = (uint32_t)a[1];
    if (first > last || (a[2] & ~6ull))
        return -EINVAL;
    /* Around the descriptors that are not the guest's, all of which are small. */
    for (uint64_t fd = first; fd <= last && fd < 4096; fd++) {
        if (!fds_ours(t->o, (int)fd))
            continue;
        if (fd > first) {
            int64_t r = SYS3(t, SYS_close_range, first, fd - 1, (uint32_t)a[2]);
            if (r < 0)
                return r;
        }
        first = fd + 1;
    }
    return first > last ? 0 : SYS3(t, SYS_close_range, first, last, (uint32_t)a[2]);
}

CALL(dup3)
{
    if (fds_ours(t->o, (int)a[1]))
        return -EBADF;
    return SYS3(t, SYS_dup3, (int)a[0], (int)a[1], lx_open_flags_in(t->o, (uint32_t)a[2]));
}

CALL(pipe2)
{
    int fds[2];
    int64_t r = SYS2(t, SYS_pipe2, fds, lx_open_flags_in(t->o, (uint32_t)a[1]));
    if (r < 0)
        return r;
    if (u_out(t->o, a[0], fds, sizeof(fds))) {
        close(fds[0]);
        close(fds[1]);
        return -EFAULT;
    }
    return 0;
}

CALL(eventfd2)
{
    return SYS2(t, SYS_eventfd2, (uint32_t)a[0], lx_open_flags_in(t->o, (uint32_t)a[1]));
}

CALL(inotify_init1)
{
    return SYS1(t, SYS_inotify_init1, lx_open_flags_in(t->o, (uint32_t)a[0]));
}

CALL(memfd_create)
{
    char name[256];
    int64_t n = u_str(t->o, a[0], name, sizeof(name));
    if (n < 0)
        return n == -ENAMETOOLONG ? -EINVAL : n;
    return SYS2(t, SYS_memfd_create, name, (uint32_t)a[1]);
}

CALL(fcntl)
{
    os *o = t->o;
    struct flock fl;
    int fd = (int)a[0], cmd = (int)a[1];
    int64_t r;
    switch (cmd) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        if (u_struct_in(o, LX_S_flock, &fl, a[2]))
            return -EFAULT;
        r = SYS3(t, SYS_fcntl, fd, cmd, &fl);
        if (r == 0 && (cmd == F_GETLK || cmd == F_OFD_GETLK) &&
            u_struct_out(o, LX_S_flock, &fl, a[2]))
            return -EFAULT;
        return r;
    case F_GETFL:
        r = SYS3(t, SYS_fcntl, fd, cmd, 0);
        return r < 0 ? r : lx_open_flags_out(o, (uint32_t)r);
    case F_SETFL:
        return SYS3(t, SYS_fcntl, fd, cmd, lx_open_flags_in(o, (uint32_t)a[2]));
    case F_SETOWN_EX_:
    case F_GETOWN_EX_: {
        void *p = u_ptr(o, a[2], 8, cmd == F_GETOWN_EX_);
        return p ? SYS3(t, SYS_fcntl, fd, cmd, p) : -EFAULT;
    }
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETOWN:
    case F_SETOWN:
    case F_GETSIG:
    case F_SETSIG:
    case F_SETLEASE:
    case F_GETLEASE:
    case F_NOTIFY:
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return SYS3(t, SYS_fcntl, fd, cmd, (int32_t)a[2]);
    }
    return -EINVAL;
}

/* A 64-bit file offset in guest memory, or none. */
static int off_in(os *o, uint64_t addr, int64_t *off, int64_t **p)
{
    *p = NULL;
    if (!addr)
        return 0;
    *p = off;
    return u_in(o, off, addr, 8);
}

CALL(sendfile)
{
    int64_t off, *p;
    if (off_in(t->o, a[2], &off, &p))
        return -EFAULT;
    int64_t r = SYS4(t, SYS_sendfile, (int)a[0], (int)a[1], p, a[3]);
    return r >= 0 && p && u_out(t->o, a[2], p, 8) ? -EFAULT : r;
}

static int64_t two_offsets(task *t, long nr, const uint64_t *a)
{
    int64_t in, out, *pin, *pout;
    if (off_in(t->o, a[1], &in, &pin) || off_in(t->o, a[3], &out, &pout))
        return -EFAULT;
    int64_t r = SYS6(t, nr, (int)a[0], pin, (int)a[2], pout, a[4], (uint32_t)a[5]);
    if (r >= 0 && ((pin && u_out(t->o, a[1], pin, 8)) || (pout && u_out(t->o, a[3], pout, 8))))
        return -EFAULT;
    return r;
}

CALL(splice)
{
    return two_offsets(t, SYS_splice, a);
}

CALL(copy_file_range)
{
    return two_offsets(t, SYS_copy_file_range, a);
}

/* struct linux_dirent64 is the same for every architecture. */
CALL(getdents64)
{
    int64_t r =
        SYS3(t, SYS_getdents64, (int)a[0], u_arg(t->o, a[1], (uint32_t)a[2], 1), (uint32_t)a[2]);
    if (r > 0)
        u_written(t->o, a[1], (uint64_t)r);
    return r;
}
