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
/* fcntl64's own commands, as the generic 32-bit kernels number them. */
#define LX_F_GETLK64  12
#define LX_F_SETLK64  13
#define LX_F_SETLKW64 14

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

/* Descriptors whose bytes are numbers of the kernel's own byte order, or signals' numbers. */
enum { PLAIN, NUMBER, SIGNALS, EVENTS };
static int special(int fd)
{
    static const struct {
        const char *link;
        int kind;
    } rows[] = {{"anon_inode:[eventfd]", NUMBER}, {"anon_inode:[timerfd]", NUMBER}, {"anon_inode:[signalfd]", SIGNALS}, {"anon_inode:inotify", EVENTS}};
    char path[40], link[40];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, link, sizeof(link) - 1);
    link[n > 0 ? n : 0] = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!strcmp(rows[i].link, link))
            return rows[i].kind;
    return PLAIN;
}

static void swap_at(uint8_t *p, unsigned n)
{
    for (unsigned k = 0; k < n / 2; k++) {
        uint8_t b = p[k];
        p[k] = p[n - 1 - k];
        p[n - 1 - k] = b;
    }
}

/* struct signalfd_siginfo by the sizes of its members; struct inotify_event has four words and a name. */
static void swap_records(os *o, int kind, uint8_t *p, int64_t n)
{
    static const uint8_t sizes[] = {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 2, 2, 4, 8, 4};
    uint32_t len;
    for (int64_t at = 0; kind == SIGNALS && at + 128 <= n; at += 128) {
        uint32_t sig;
        memcpy(&sig, p + at, 4);
        sig = (uint32_t)lx_sig_out(o, (int)sig);
        memcpy(p + at, &sig, 4);
        for (unsigned i = 0, k = 0; u_big(o) && i < sizeof(sizes); k += sizes[i++])
            swap_at(p + at + k, sizes[i]);
    }
    for (int64_t at = 0; kind == EVENTS && u_big(o) && at + 16 <= n; at += 16 + len) {
        memcpy(&len, p + at + 12, 4);
        for (unsigned i = 0; i < 16; i += 4)
            swap_at(p + at + i, 4);
    }
}

CALL(read)
{
    os *o = t->o;
    int kind = u_big(o) || o->map_n[LX_M_signal] ? special((int)a[0]) : PLAIN;
    uint8_t *to = u_arg(o, a[1], a[2], 1);
    int64_t r = SYS3(t, SYS_read, (int)a[0], to, a[2]);
    if (r <= 0)
        return r;
    if (kind == NUMBER && r == 8 && u_big(o))
        swap_at(to, 8);
    else if (kind != PLAIN)
        swap_records(o, kind, to, r);
    u_written(o, a[1], (uint64_t)r);
    return r;
}

CALL(write)
{
    os *o = t->o;
    uint64_t v;
    if (u_big(o) && a[2] == 8 && special((int)a[0]) == NUMBER)
        return u_u64_in(o, a[1], &v) ? -EFAULT : SYS3(t, SYS_write, (int)a[0], &v, 8);
    return SYS3(t, SYS_write, (int)a[0], u_arg(o, a[1], a[2], 0), a[2]);
}

static int64_t vector(task *t, long nr, const uint64_t *a, int write, int n_args)
{
    os *o = t->o;
    struct iovec *v;
    int64_t r = iov_in(o, a[1], (uint32_t)a[2], write, &v);
    if (r)
        return r;
    /* The host takes an offset in two registers of which the second is empty. */
    r = SYS6(t, nr, (int)a[0], v, (uint32_t)a[2], n_args > 3 ? a[3] : 0, 0, n_args > 4 ? a[4] : 0);
    if (write) {
        int64_t left = r;
        for (uint64_t i = 0; left > 0 && i < (uint32_t)a[2]; i++) {
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
    return vector(t, SYS_preadv2, a, 1, 5);
}

CALL(pwritev2)
{
    return vector(t, SYS_pwritev2, a, 0, 5);
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
    if (u_u32s_out(t->o, a[0], (const uint32_t *)fds, 2)) {
        close(fds[0]);
        close(fds[1]);
        return -EFAULT;
    }
    return 0;
}

/* Where the ABI has a second result register, both descriptors come in registers. */
CALL(pipe)
{
    const uint64_t b[2] = {a[0], 0};
    int fds[2];
    if (!t->o->abi->set_second)
        return sys_pipe2(t, b);
    int64_t r = SYS2(t, SYS_pipe2, fds, 0);
    if (r < 0)
        return r;
    t->o->abi->set_second(t, (uint32_t)fds[1]);
    return fds[0];
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

static int64_t lock_on(task *t, int fd, int cmd, int id, uint64_t addr)
{
    struct flock fl;
    if (u_struct_in(t->o, id, &fl, addr))
        return -EFAULT;
    int64_t r = SYS3(t, SYS_fcntl, fd, cmd, &fl);
    if (r == 0 && (cmd == F_GETLK || cmd == F_OFD_GETLK) && u_struct_out(t->o, id, &fl, addr))
        return -EFAULT;
    return r;
}

CALL(fcntl)
{
    os *o = t->o;
    int fd = (int)a[0], cmd = (int)lx_value_in(o, LX_M_fcntl, (uint32_t)a[1]), wide = t->call && t->call->wide;
    uint64_t arg = o->abi->word == 4 ? (uint32_t)a[2] : a[2];
    uint32_t pair[2];
    int64_t r;
    switch (cmd) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        return lock_on(t, fd, cmd, LX_S_flock, arg);
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_on(t, fd, cmd, wide ? LX_S_flock64 : LX_S_flock, arg);
    case LX_F_GETLK64:
    case LX_F_SETLK64:
    case LX_F_SETLKW64:
        if (!wide)
            return -EINVAL;
        return lock_on(t, fd, cmd == LX_F_GETLK64 ? F_GETLK : cmd == LX_F_SETLK64 ? F_SETLK : F_SETLKW, LX_S_flock64, arg);
    case F_GETFL:
        r = SYS3(t, SYS_fcntl, fd, cmd, 0);
        return r < 0 ? r : lx_open_flags_out(o, (uint32_t)r);
    case F_SETFL:
        return SYS3(t, SYS_fcntl, fd, cmd, lx_open_flags_in(o, (uint32_t)a[2]));
    case F_SETOWN_EX_:
        return u_u32s_in(o, arg, pair, 2) ? -EFAULT : SYS3(t, SYS_fcntl, fd, cmd, pair);
    case F_GETOWN_EX_:
        r = SYS3(t, SYS_fcntl, fd, cmd, pair);
        return r < 0 ? r : u_u32s_out(o, arg, pair, 2);
    case F_SETSIG:
        return SYS3(t, SYS_fcntl, fd, cmd, lx_sig_in(o, (int32_t)a[2]));
    case F_GETSIG:
        r = SYS3(t, SYS_fcntl, fd, cmd, 0);
        return r < 0 ? r : lx_sig_out(o, (int)r);
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETOWN:
    case F_SETOWN:
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
    return u_u64_in(o, addr, (uint64_t *)off);
}

/* The offset is a long, but for sendfile64's. */
CALL(sendfile)
{
    os *o = t->o;
    int64_t off, *p;
    int is_long = o->abi->word == 4 && !t->call->wide;
    if (is_long && a[2]) {
        uint32_t v;
        if (u_u32_in(o, a[2], &v))
            return -EFAULT;
        off = (int32_t)v;
        p = &off;
    } else if (off_in(o, a[2], &off, &p)) {
        return -EFAULT;
    }
    int64_t r = SYS4(t, SYS_sendfile, (int)a[0], (int)a[1], p, a[3]);
    if (r >= 0 && p && (is_long ? u_u32_out(o, a[2], (uint32_t)off) : u_u64_out(o, a[2], (uint64_t)off)))
        return -EFAULT;
    return r;
}

static int64_t two_offsets(task *t, long nr, const uint64_t *a)
{
    int64_t in, out, *pin, *pout;
    if (off_in(t->o, a[1], &in, &pin) || off_in(t->o, a[3], &out, &pout))
        return -EFAULT;
    int64_t r = SYS6(t, nr, (int)a[0], pin, (int)a[2], pout, a[4], (uint32_t)a[5]);
    if (r >= 0 && ((pin && u_u64_out(t->o, a[1], (uint64_t)in)) || (pout && u_u64_out(t->o, a[3], (uint64_t)out))))
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

/* Directory entries. The 64-bit form is the same for every architecture but for byte order; the old one has longs and the
 * type in the last byte. */
typedef struct entry {
    uint64_t ino, off;
    uint16_t reclen;
    uint8_t type;
    char name[];
} entry;
#define ENTRY_NAME 19

static void put_int(os *o, uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[u_big(o) ? n - 1 - i : i] = (uint8_t)(v >> (8 * i));
}

static int64_t entries(task *t, int fd, uint64_t at, uint32_t room, int old)
{
    os *o = t->o;
    uint32_t word = old ? o->abi->word : 8, name_at = old ? 2 * word + 2 : ENTRY_NAME, out = 0;
    /* Old entries are never longer than new ones. */
    uint8_t *in = malloc(room ? room : 1), *raw = calloc(1, NAME_MAX + 64);
    int64_t r = in && raw ? SYS3(t, SYS_getdents64, fd, in, room) : -ENOMEM;
    for (int64_t i = 0; r > 0 && i < r;) {
        entry e;
        memcpy(&e, in + i, ENTRY_NAME);
        const char *name = (const char *)in + i + ENTRY_NAME;
        size_t len = strlen(name) + 1, whole = (name_at + len + (size_t)old + word - 1) / word * word;
        if (len > NAME_MAX + 1 || out + whole > room) {
            r = -EINVAL;
            break;
        }
        memset(raw, 0, whole);
        put_int(o, raw, e.ino, word);
        put_int(o, raw + word, e.off, word);
        put_int(o, raw + 2 * word, whole, 2);
        memcpy(raw + name_at, name, len);
        raw[old ? whole - 1 : 18u] = e.type;
        if (u_out(o, at + out, raw, whole))
            r = -EFAULT;
        out += (uint32_t)whole;
        i += e.reclen;
    }
    free(in);
    free(raw);
    return r > 0 ? (int64_t)out : r;
}

CALL(getdents64)
{
    uint32_t room = (uint32_t)a[2];
    if (u_big(t->o))
        return entries(t, (int)a[0], a[1], room > 1u << 20 ? 1u << 20 : room, 0);
    int64_t r = SYS3(t, SYS_getdents64, (int)a[0], u_arg(t->o, a[1], room, 1), room);
    if (r > 0)
        u_written(t->o, a[1], (uint64_t)r);
    return r;
}

CALL(getdents)
{
    uint32_t room = (uint32_t)a[2];
    return entries(t, (int)a[0], a[1], room > 1u << 20 ? 1u << 20 : room, 1);
}

CALL(_llseek)
{
    int64_t r = SYS3(t, SYS_lseek, (int)a[0], (a[1] & 0xffffffffu) << 32 | (uint32_t)a[2], (int)a[4]);
    if (r < 0)
        return r;
    return u_u64_out(t->o, a[3], (uint64_t)r) ? -EFAULT : 0;
}

/* An offset that does not fit the guest's long is an error, not a wrong offset. */
CALL(lseek)
{
    int64_t r = SYS3(t, SYS_lseek, (int)a[0], a[1], (int)a[2]);
    return t->o->abi->word == 4 && t->o->abi->pairs && r > INT32_MAX ? -EOVERFLOW : r;
}
