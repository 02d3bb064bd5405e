/* Sockets. Addresses are the same for every architecture but for the path of AF_UNIX, which is
 * resolved like any other path; messages and their control data are converted by layout. Invariant: a path in a jail names
 * a socket in the jail. */
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <linux/netlink.h>
#include <netpacket/packet.h>
#include <unistd.h>

#include "linux.h"

typedef union addr {
    struct sockaddr sa;
    struct sockaddr_un un;
    struct sockaddr_storage any;
    uint8_t bytes[sizeof(struct sockaddr_storage)];
} addr;

/* Addresses are in network order but for the family and a few numbers that the kernel wants in its own. */
static void addr_swap(os *o, addr *sa, uint64_t n, int in)
{
    if (!u_big(o) || n < 2)
        return;
    unsigned family = in ? __builtin_bswap16(sa->sa.sa_family) : sa->sa.sa_family;
    struct sockaddr_nl *nl = (struct sockaddr_nl *)sa;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;
    struct sockaddr_ll *ll = (struct sockaddr_ll *)sa;
    sa->sa.sa_family = __builtin_bswap16(sa->sa.sa_family);
    if (family == AF_INET6 && n >= sizeof(*in6))
        in6->sin6_scope_id = __builtin_bswap32(in6->sin6_scope_id);
    if (family == AF_NETLINK && n >= sizeof(*nl)) {
        nl->nl_pid = __builtin_bswap32(nl->nl_pid);
        nl->nl_groups = __builtin_bswap32(nl->nl_groups);
    }
    if (family == AF_PACKET && n >= 8)
        ll->sll_ifindex = (int)__builtin_bswap32((uint32_t)ll->sll_ifindex);
}

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
    addr_swap(o, sa, *len, 1);
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
static int64_t addr_out(os *o, uint64_t at, uint64_t lenp, addr *sa, uint32_t n)
{
    uint32_t room;
    if (!at || !lenp)
        return 0;
    if (u_u32_in(o, lenp, &room))
        return -EFAULT;
    if ((int32_t)room < 0)
        return -EINVAL;
    addr_swap(o, sa, n, 0);
    if (u_out(o, at, sa, room < n ? room : n) || u_u32_out(o, lenp, n))
        return -EFAULT;
    return 0;
}

static int type_in(os *o, uint64_t type)
{
    uint32_t flags = lx_open_flags_in(o, (uint32_t)type & ~15u);
    return (int)(lx_value_in(o, LX_M_socket, (uint32_t)type & 15) | flags);
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
    if (u_u32s_out(t->o, a[3], (const uint32_t *)fds, 2)) {
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

/* --- control messages ------------------------------------------------------------------------------------------------ */

static uint32_t aligned(os *o, uint32_t n)
{
    return (n + o->abi->word - 1) & ~(o->abi->word - 1);
}

/* What a control message holds, for byte order and size: ints (descriptors, credentials, addresses' indices), a time, or
 * bytes. */
enum { BYTES, INTS, TIMEVAL, TIMESPEC };
static int holds(const struct cmsghdr *c)
{
    if (c->cmsg_level != SOL_SOCKET)
        return c->cmsg_len == CMSG_LEN(4) ? INTS : BYTES;
    switch (c->cmsg_type) {
    case SO_TIMESTAMP:
        return TIMEVAL;
    case SO_TIMESTAMPNS:
        return TIMESPEC;
    }
    return INTS;
}

static uint64_t int_at(os *o, const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return u_big(o) ? __builtin_bswap32(v) : v;
}

static void copy_ints(os *o, uint8_t *to, const uint8_t *from, size_t n)
{
    memcpy(to, from, n);
    for (size_t i = 0; u_big(o) && i + 4 <= n; i += 4) {
        uint32_t v = (uint32_t)int_at(o, from + i);
        memcpy(to + i, &v, 4);
    }
}

/* The guest's control data at raw[n] into host form; bytes made, or -errno. */
static int64_t control_in(os *o, const uint8_t *raw, uint64_t n, uint8_t *out, uint64_t room)
{
    uint32_t head = u_struct_size(o, LX_S_cmsghdr);
    uint64_t made = 0;
    for (uint64_t at = 0; at + head <= n;) {
        struct cmsghdr c;
        memset(&c, 0, sizeof(c));
        lx_struct_get(o, LX_S_cmsghdr, &c, raw + at);
        uint64_t len = c.cmsg_len, data = len - head;
        if (len < head || len > n - at)
            return -EINVAL;
        c.cmsg_level = (int)lx_value_in(o, LX_M_level, (uint32_t)c.cmsg_level);
        c.cmsg_len = CMSG_LEN(data);
        if (made + CMSG_SPACE(data) > room)
            return -ENOBUFS;
        memset(out + made, 0, CMSG_SPACE(data));
        memcpy(out + made, &c, sizeof(c));
        if (holds(&c) == INTS)
            copy_ints(o, out + made + sizeof(c), raw + at + head, data);
        else
            memcpy(out + made + sizeof(c), raw + at + head, data);
        made += CMSG_SPACE(data);
        at += aligned(o, (uint32_t)len);
    }
    return (int64_t)made;
}

/* The host's control data into the guest's buffer; bytes used. MSG_CTRUNC when some had no room. */
static uint64_t control_out(os *o, const struct msghdr *m, uint8_t *raw, uint64_t room, int *flags)
{
    uint32_t head = u_struct_size(o, LX_S_cmsghdr);
    uint64_t at = 0;
    memset(raw, 0, room);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)m, c)) {
        const uint8_t *from = CMSG_DATA(c);
        uint64_t data = c->cmsg_len - CMSG_LEN(0), fits;
        uint8_t time[64] = {0};
        struct cmsghdr g = *c;
        int kind = holds(c), id = kind == TIMEVAL ? LX_S_timeval : LX_S_timespec;
        if (kind >= TIMEVAL) {
            lx_struct_put(o, id, from, time);
            data = u_struct_size(o, id);
            from = time;
        }
        fits = at + head > room ? 0 : data < room - at - head ? data : room - at - head;
        if (fits < data) {
            *flags |= MSG_CTRUNC;
            /* Descriptors that the guest is not told of must not stay open. */
            for (uint64_t i = (fits + 3) / 4; c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && i < data / 4; i++) {
                int fd;
                memcpy(&fd, from + 4 * i, 4);
                close(fd);
            }
        }
        if (at + head > room)
            continue;
        g.cmsg_len = head + fits;
        g.cmsg_level = (int)lx_value_out(o, LX_M_level, (uint32_t)g.cmsg_level);
        lx_struct_put(o, LX_S_cmsghdr, &g, raw + at);
        if (kind == INTS)
            copy_ints(o, raw + at + head, from, fits);
        else
            memcpy(raw + at + head, from, fits);
        at += aligned(o, (uint32_t)g.cmsg_len);
    }
    return at < room ? at : room;
}

/* How much more the host needs for what fits in `room` of the guest: its headers and padding are larger. A message of one
 * header and few ints is the smallest, so this never leaves out what the guest has room for. */
static uint64_t control_growth(os *o, uint64_t room)
{
    return o->abi->word == 8 ? 0 : room / u_struct_size(o, LX_S_cmsghdr) * 8 + 8;
}

#define CONTROL_MOST 65536u

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
    /* Ours may be larger than the guest's: headers grow. */
    uint64_t guest_room = control ? m.msg_controllen : 0, most = 4 * guest_room + 64;
    uint8_t *guest_control = NULL, *host_control = NULL;
    m.msg_control = NULL;
    m.msg_controllen = 0;
    if (guest_room > CONTROL_MOST) {
        if (sending)
            r = -ENOBUFS;
        guest_room = CONTROL_MOST;
        most = 4 * guest_room + 64;
    }
    if (guest_room) {
        guest_control = malloc(guest_room);
        host_control = malloc(most);
        if (!guest_control || !host_control)
            r = -ENOMEM;
        else if (sending && u_in(o, guest_control, control, guest_room))
            r = -EFAULT;
        m.msg_control = host_control;
        m.msg_controllen = guest_room + (sending ? 0 : control_growth(o, guest_room));
        if (!r && sending) {
            int64_t made = control_in(o, guest_control, guest_room, host_control, most);
            if (made < 0)
                r = made;
            else
                m.msg_controllen = (size_t)made;
        }
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
        addr_swap(o, &sa, name ? m.msg_namelen : 0, 0);
        if (name && u_out(o, name, &sa, m.msg_namelen < room ? m.msg_namelen : room))
            r = -EFAULT;
        if (guest_room) {
            m.msg_controllen = control_out(o, &m, guest_control, guest_room, &m.msg_flags);
            if (u_out(o, control, guest_control, m.msg_controllen))
                r = -EFAULT;
        }
        m.msg_name = (void *)(uintptr_t)name;
        m.msg_iov = (void *)(uintptr_t)iov;
        m.msg_control = (void *)(uintptr_t)control;
        if (u_struct_out(o, LX_S_msghdr, &m, guest))
            r = -EFAULT;
    }
    free(v);
    free(guest_control);
    free(host_control);
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
        if (u_u32_out(o, a[1] + (uint64_t)i * step + head, (uint32_t)r))
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

/* Options of SOL_SOCKET that are a timeval of longs; their newer numbers, of 64 bits everywhere, pass as they are. */
static int is_time(int level, int name)
{
    return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

static int64_t get_time(task *t, int fd, int name, uint64_t at, uint64_t lenp)
{
    os *o = t->o;
    struct timeval tv;
    socklen_t n = sizeof(tv);
    uint32_t room, size = u_struct_size(o, LX_S_timeval);
    uint8_t raw[64] = {0};
    if (u_u32_in(o, lenp, &room))
        return -EFAULT;
    int64_t r = SYS5(t, SYS_getsockopt, fd, SOL_SOCKET, name, &tv, &n);
    if (r < 0)
        return r;
    lx_struct_put(o, LX_S_timeval, &tv, raw);
    room = room < size ? room : size;
    return u_out(o, at, raw, room) || u_u32_out(o, lenp, room) ? -EFAULT : 0;
}

CALL(getsockopt)
{
    os *o = t->o;
    uint32_t n;
    int level = (int)lx_value_in(o, LX_M_level, (uint32_t)a[1]);
    int name = level == SOL_SOCKET ? (int)lx_value_in(o, LX_M_option, (uint32_t)a[2]) : (int)a[2];
    if (is_time(level, name))
        return get_time(t, (int)a[0], name, a[3], a[4]);
    if (u_u32_in(o, a[4], &n))
        return -EFAULT;
    uint32_t room = n;
    void *p = n ? u_ptr(o, a[3], n, 1) : o->mm.base;
    if (!p)
        return -EFAULT;
    int64_t r = SYS5(t, SYS_getsockopt, (int)a[0], level, name, p, &n);
    if (r < 0)
        return r;
    u_written(o, a[3], n < room ? n : room);
    if (level == SOL_SOCKET && n == 4 && (name == SO_TYPE || name == SO_ERROR)) { /* numbers of their own on some ABIs */
        uint32_t v;
        memcpy(&v, p, 4);
        v = lx_value_out(o, name == SO_TYPE ? LX_M_socket : LX_M_errno, v);
        return u_u32_out(o, a[3], v) || u_u32_out(o, a[4], n) ? -EFAULT : r;
    }
    uint32_t ints[3]; /* an int, or SO_LINGER, SO_PEERCRED */
    if (u_big(o) && n % 4 == 0 && n <= sizeof(ints)) {
        memcpy(ints, p, n);
        if (u_u32s_out(o, a[3], ints, n / 4))
            return -EFAULT;
    }
    return u_u32_out(o, a[4], n) ? -EFAULT : r;
}

CALL(setsockopt)
{
    os *o = t->o;
    int level = (int)lx_value_in(o, LX_M_level, (uint32_t)a[1]);
    int name = level == SOL_SOCKET ? (int)lx_value_in(o, LX_M_option, (uint32_t)a[2]) : (int)a[2];
    uint32_t n = (uint32_t)a[4], ints[3];
    if (is_time(level, name)) {
        struct timeval tv;
        if (n < u_struct_size(o, LX_S_timeval))
            return -EINVAL;
        if (u_struct_in(o, LX_S_timeval, &tv, a[3]))
            return -EFAULT;
        return SYS5(t, SYS_setsockopt, (int)a[0], level, name, &tv, sizeof(tv));
    }
    const void *p = n ? u_ptr(o, a[3], n, 0) : NULL;
    if (n && !p)
        return -EFAULT;
    if (u_big(o) && n && n % 4 == 0 && n <= sizeof(ints)) {
        if (u_u32s_in(o, a[3], ints, n / 4))
            return -EFAULT;
        p = ints;
    }
    return SYS5(t, SYS_setsockopt, (int)a[0], level, name, p, n);
}
