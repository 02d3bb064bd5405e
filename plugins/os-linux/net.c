/* Sockets. Addresses are the same for every architecture but for the path of AF_UNIX, which is
 * resolved like any other path; messages are converted by layout, their control data is shared by
 * 64-bit ABIs. Invariant: a path in a jail names a socket in the jail. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "linux.h"

typedef union addr {
    struct sockaddr sa;
    struct sockaddr_un un;
    struct sockaddr_storage any;
    uint8_t bytes[sizeof(struct sockaddr_storage)];
} addr;

/* Longest guest path that stays a socket name after translation goes through a directory
 * descriptor. */
static int64_t addr_in(task *t, uint64_t at, uint64_t *len, addr *sa, lx_path *p)
{
    os *o = t->o;
    p->close_fd = -1;
    memset(sa, 0, sizeof(*sa));
    if (*len > sizeof(*sa))
        return -EINVAL;
    if (u_in(o, sa, at, *len))
        return -EFAULT;
    if (*len < 3 || sa->sa.sa_family != AF_UNIX || !sa->un.sun_path[0] || (!o->root && !o->sysroot))
        return 0;
    char guest[sizeof(sa->un.sun_path) + 1];
    snprintf(guest, sizeof(guest), "%.*s", (int)(*len - 2), sa->un.sun_path);
    int r = path_host(o, AT_FDCWD, guest, PATH_FOLLOW | PATH_NEW, p);
    if (r)
        return r;
    if (p->inside) {
        char buf[PATH_MAX + 64];
        const char *s = path_string(p, buf, sizeof(buf));
        if (strlen(s) >= sizeof(sa->un.sun_path))
            return -ENAMETOOLONG;
        strcpy(sa->un.sun_path, s);
        *len = offsetof(struct sockaddr_un, sun_path) + strlen(s) + 1;
    }
    return 0;
}

/* Result address to the guest: as much as fits, the true length in *lenp. */
static int64_t addr_out(os *o, uint64_t at, uint64_t lenp, const addr *sa, uint32_t n)
{
    uint32_t room;
    if (!at || !lenp)
        return 0;
    if (u_in(o, &room, lenp, 4))
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    if (u_out(o, at, sa, room < n ? room : n) || u_out(o, lenp, &n, 4))
        return -EFAULT;
    return 0;
}

static int type_in(os *o, uint64_t type)
{
    uint32_t flags = lx_open_flags_in(o, (uint32_t)type & ~15u);
    return (int)((type & 15) | flags);
}

CALL(socket)
{
    return SYS3(t, SYS_socket, (int)a[0], type_in(t->o, a[1]), (int)a[2]);
}

CALL(socketpair)
{
    int fds[2];
    int64_t r = SYS4(t, SYS_socketpair, (int)a[0], type_in(t->o, a[1]), (int)a[2], fds);
    if (r < 0)
        return r;
    if (u_out(t->o, a[3], fds, sizeof(fds))) {
        close(fds[0]);
        close(fds[1]);
        return -EFAULT;
    }
    return 0;
}

static int64_t with_addr(task *t, long nr, const uint64_t *a)
{
    addr sa;
    lx_path p;
    uint64_t len = (uint32_t)a[2];
    int64_t r = addr_in(t, a[1], &len, &sa, &p);
    if (!r)
        r = SYS3(t, nr, (int)a[0], &sa, len);
    path_done(&p);
    return r;
}

CALL(bind)
{
    return with_addr(t, SYS_bind, a);
}

CALL(connect)
{
    return with_addr(t, SYS_connect, a);
}

static int64_t accept_on(task *t, const uint64_t *a, int flags)
{
    addr sa;
    socklen_t n = sizeof(sa);
    memset(&sa, 0, sizeof(sa));
    int64_t r = SYS4(t, SYS_accept4, (int)a[0], a[1] ? &sa : NULL, a[1] ? &n : NULL, flags);
    if (r < 0)
        return r;
    int64_t e = addr_out(t->o, a[1], a[2], &sa, n);
    if (e) {
        close((int)r);
        return e;
    }
    return r;
}

CALL(accept)
{
    return accept_on(t, a, 0);
}

CALL(accept4)
{
    return accept_on(t, a, (int)lx_open_flags_in(t->o, (uint32_t)a[3]));
}

static int64_t name_of(task *t, long nr, const uint64_t *a)
{
    addr sa;
    socklen_t n = sizeof(sa);
    memset(&sa, 0, sizeof(sa));
    int64_t r = SYS3(t, nr, (int)a[0], &sa, &n);
    return r < 0 ? r : addr_out(t->o, a[1], a[2], &sa, n);
}

CALL(getsockname)
{
    return name_of(t, SYS_getsockname, a);
}

CALL(getpeername)
{
    return name_of(t, SYS_getpeername, a);
}

CALL(sendto)
{
    os *o = t->o;
    addr sa;
    lx_path p = {.close_fd = -1};
    uint64_t len = (uint32_t)a[5];
    const void *buf = u_arg(o, a[1], a[2], 0);
    int64_t r = a[4] ? addr_in(t, a[4], &len, &sa, &p) : 0;
    if (!r)
        r = SYS6(t, SYS_sendto, (int)a[0], buf, a[2], (int)a[3], a[4] ? &sa : NULL, a[4] ? len : 0);
    path_done(&p);
    return r;
}

CALL(recvfrom)
{
    os *o = t->o;
    addr sa;
    socklen_t n = sizeof(sa);
    void *buf = u_arg(o, a[1], a[2], 1);
    memset(&sa, 0, sizeof(sa));
    int64_t r =
        SYS6(t, SYS_recvfrom, (int)a[0], buf, a[2], (int)a[3], a[4] ? &sa : NULL, a[4] ? &n : NULL);
    if (r < 0)
        return r;
    u_written(o, a[1], (uint64_t)r < a[2] ? (uint64_t)r : a[2]);
    int64_t e = addr_out(o, a[4], a[5], &sa, n);
    return e ? e : r;
}

/* One message; guest: its msghdr. Fills *out with the number the call returns. */
static int64_t message(task *t, int fd, uint64_t guest, int flags, int sending)
{
    os *o = t->o;
    struct msghdr m;
    addr sa;
    lx_path p = {.close_fd = -1};
    struct iovec *v = NULL;
    int64_t r;
    if (u_struct_in(o, LX_S_msghdr, &m, guest))
        return -EFAULT;
    uint64_t name = (uint64_t)(uintptr_t)m.msg_name, control = (uint64_t)(uintptr_t)m.msg_control;
    uint64_t iov = (uint64_t)(uintptr_t)m.msg_iov, n_iov = m.msg_iovlen,
             room = (uint32_t)m.msg_namelen;
    if (n_iov > UIO_MAXIOV)
        return -EMSGSIZE;
    memset(&sa, 0, sizeof(sa));
    if (name && sending) {
        r = addr_in(t, name, &room, &sa, &p);
        if (r)
            return r;
        m.msg_namelen = (socklen_t)room;
    } else if (name) {
        m.msg_namelen = room < sizeof(sa) ? (socklen_t)room : sizeof(sa);
    }
    m.msg_name = name ? &sa : NULL;
    r = 0;
    if (control && m.msg_controllen) {
        m.msg_control = u_ptr(o, control, m.msg_controllen, !sending);
        if (!m.msg_control)
            r = -EFAULT;
    }
    v = calloc(n_iov ? n_iov : 1, sizeof(*v));
    if (!v)
        r = -ENOMEM;
    for (uint64_t i = 0; !r && i < n_iov; i++) {
        if (u_struct_in(o, LX_S_iovec, &v[i], iov + i * u_struct_size(o, LX_S_iovec)))
            r = -EFAULT;
        else if (v[i].iov_len)
            v[i].iov_base = u_arg(o, (uint64_t)(uintptr_t)v[i].iov_base, v[i].iov_len, !sending);
    }
    m.msg_iov = v;
    if (!r)
        r = sending ? SYS3(t, SYS_sendmsg, fd, &m, flags) : SYS3(t, SYS_recvmsg, fd, &m, flags);
    if (r >= 0 && !sending) {
        int64_t left = r;
        for (uint64_t i = 0; left > 0 && i < n_iov; i++) {
            uint64_t k = (uint64_t)left < v[i].iov_len ? (uint64_t)left : v[i].iov_len;
            u_written(o, (uint64_t)((uint8_t *)v[i].iov_base - o->mm.base), k);
            left -= (int64_t)k;
        }
        if (name && u_out(o, name, &sa, m.msg_namelen < room ? m.msg_namelen : room))
            r = -EFAULT;
        if (control)
            u_written(o, control, m.msg_controllen);
        m.msg_name = (void *)(uintptr_t)name;
        m.msg_iov = (void *)(uintptr_t)iov;
        m.msg_control = (void *)(uintptr_t)control;
        if (u_struct_out(o, LX_S_msghdr, &m, guest))
            r = -EFAULT;
    }
    free(v);
    path_done(&p);
    return r;
}

CALL(sendmsg)
{
    return message(t, (int)a[0], a[1], (int)a[2], 1);
}

CALL(recvmsg)
{
    return message(t, (int)a[0], a[1], (int)a[2], 0);
}

/* struct mmsghdr: a msghdr, then the length, padded to a word. */
static int64_t messages(task *t, const uint64_t *a, int sending)
{
    os *o = t->o;
    uint32_t head = u_struct_size(o, LX_S_msghdr), step = head + o->abi->word, n = (uint32_t)a[2];
    int flags = (int)a[3];
    int64_t r = 0;
    uint32_t i;
    if (n > 1024)
        n = 1024;
    for (i = 0; i < n; i++) {
        r = message(t, (int)a[0], a[1] + (uint64_t)i * step,
                    i && !sending ? flags | MSG_DONTWAIT : flags & ~MSG_WAITFORONE, sending);
        if (r < 0)
            break;
        uint32_t len = (uint32_t)r;
        if (u_out(o, a[1] + (uint64_t)i * step + head, &len, 4))
            return -EFAULT;
    }
    return i ? (int64_t)i : r;
}

CALL(sendmmsg)
{
    return messages(t, a, 1);
}

CALL(recvmmsg)
{
    return messages(t, a, 0);
}

CALL(getsockopt)
{
    os *o = t->o;
    socklen_t n;
    if (u_in(o, &n, a[4], 4))
        return -EFAULT;
    void *p = n ? u_ptr(o, a[3], n, 1) : o->mm.base;
    if (!p)
        return -EFAULT;
    int64_t r = SYS5(t, SYS_getsockopt, (int)a[0], (int)a[1], (int)a[2], p, &n);
    if (r < 0)
        return r;
    u_written(o, a[3], n);
    return u_out(o, a[4], &n, 4) ? -EFAULT : r;
}

CALL(setsockopt)
{
    const void *p = a[4] ? u_ptr(t->o, a[3], (uint32_t)a[4], 0) : NULL;
    if (a[4] && !p)
        return -EFAULT;
    return SYS5(t, SYS_setsockopt, (int)a[0], (int)a[1], (int)a[2], p, (uint32_t)a[4]);
}
