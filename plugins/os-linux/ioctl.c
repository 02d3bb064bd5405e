/* ioctl: a row a request says how large its argument is and which way it goes. Requests are this host's, the generic
 * table's; an ABI that has others maps them (LX_M_ioctl). Invariant: an unknown request is ENOTTY, never a guess at its
 * argument. */
#include <linux/fs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "linux.h"

enum { NONE, VALUE, IN, OUT, BOTH };
#define LONG            0xffff /* a long of the guest */
#define IFREQ_GUEST(o)  ((o)->abi->word == 8 ? (uint32_t)sizeof(struct ifreq) : 32u)
#define TCGETS2_        0x802c542a /* as the kernel's header has them */
#define TCSETS2_        0x402c542b
#define TCSETSW2_       0x402c542c
#define TCSETSF2_       0x402c542d

static const struct {
    uint32_t request;
    uint8_t way;
    uint16_t size;
} rows[] = {
    {TIOCGPGRP, OUT, 4},
    {TIOCSPGRP, IN, 4},
    {TIOCGSID, OUT, 4},
    {TIOCOUTQ, OUT, 4},
    {TIOCINQ, OUT, 4}, /* FIONREAD */
    {TIOCMGET, OUT, 4},
    {TIOCMSET, IN, 4},
    {TIOCMBIS, IN, 4},
    {TIOCMBIC, IN, 4},
    {TIOCGETD, OUT, 4},
    {TIOCSETD, IN, 4},
    {TIOCGPTN, OUT, 4},
    {TIOCSPTLCK, IN, 4},
    {TIOCGPTPEER, VALUE, 0},
    {TIOCSTI, IN, 1},
    {TIOCPKT, IN, 4},
    {TIOCSCTTY, VALUE, 0},
    {TIOCNOTTY, NONE, 0},
    {TIOCEXCL, NONE, 0},
    {TIOCNXCL, NONE, 0},
    {TIOCSBRK, NONE, 0},
    {TIOCCBRK, NONE, 0},
    {TCSBRK, VALUE, 0},
    {TCSBRKP, VALUE, 0},
    {TCXONC, VALUE, 0},
    {TCFLSH, VALUE, 0},
    {FIONBIO, IN, 4},
    {FIOASYNC, IN, 4},
    {FIOCLEX, NONE, 0},
    {FIONCLEX, NONE, 0},
    {FIOQSIZE, OUT, 8},
    {BLKGETSIZE64, OUT, 8},
    {BLKGETSIZE, OUT, LONG},
    {BLKSSZGET, OUT, 4},
    {BLKROGET, OUT, 4},
    {FS_IOC_GETFLAGS, OUT, 4},
    {FS_IOC_SETFLAGS, IN, 4},
    {FICLONE, VALUE, 0},
    {FICLONERANGE, IN, 32},
    {FIGETBSZ, OUT, 4},
    {SIOCATMARK, OUT, 4},
    {SIOCGIFFLAGS, BOTH, 0},
    {SIOCGIFADDR, BOTH, 0},
    {SIOCGIFBRDADDR, BOTH, 0},
    {SIOCGIFNETMASK, BOTH, 0},
    {SIOCGIFDSTADDR, BOTH, 0},
    {SIOCGIFMETRIC, BOTH, 0},
    {SIOCGIFMTU, BOTH, 0},
    {SIOCGIFHWADDR, BOTH, 0},
    {SIOCGIFINDEX, BOTH, 0},
    {SIOCGIFTXQLEN, BOTH, 0},
    {SIOCGIFMAP, BOTH, 0},
    {SIOCGIFNAME, BOTH, 0},
};

static const struct {
    uint32_t request;
    uint8_t out;
    int strct;
} converted[] = {
    {TCGETS, 1, LX_S_termios},
    {TCSETS, 0, LX_S_termios},
    {TCSETSW, 0, LX_S_termios},
    {TCSETSF, 0, LX_S_termios},
    {TCGETS2_, 1, LX_S_termios2},
    {TCSETS2_, 0, LX_S_termios2},
    {TCSETSW2_, 0, LX_S_termios2},
    {TCSETSF2_, 0, LX_S_termios2},
    {TIOCGWINSZ, 1, LX_S_winsize},
    {TIOCSWINSZ, 0, LX_S_winsize},
};

static void termios_flags(os *o, lx_termios *t, uint32_t (*fn)(os *, int, uint32_t))
{
    t->c_iflag = fn(o, LX_M_iflag, t->c_iflag);
    t->c_oflag = fn(o, LX_M_oflag, t->c_oflag);
    t->c_cflag = fn(o, LX_M_cflag, t->c_cflag);
    t->c_lflag = fn(o, LX_M_lflag, t->c_lflag);
}

/* Arguments that are structs with a layout. */
static int64_t by_layout(task *t, int fd, uint32_t request, size_t row, uint64_t addr)
{
    os *o = t->o;
    int id = converted[row].strct, terminal = id != LX_S_winsize;
    union {
        lx_termios termios;
        struct winsize size;
    } u;
    memset(&u, 0, sizeof(u));
    if (!converted[row].out) {
        if (u_struct_in(o, id, &u, addr))
            return -EFAULT;
        if (terminal)
            termios_flags(o, &u.termios, lx_flags_in);
        return SYS3(t, SYS_ioctl, fd, request, &u);
    }
    int64_t r = SYS3(t, SYS_ioctl, fd, request, &u);
    if (r < 0)
        return r;
    if (terminal)
        termios_flags(o, &u.termios, lx_flags_out);
    return u_struct_out(o, id, &u, addr);
}

static int64_t interfaces(task *t, const uint64_t *a)
{
    os *o = t->o;
    uint32_t len, each = IFREQ_GUEST(o);
    uint64_t buf;
    if (u_u32_in(o, a[2], &len) || u_word_in(o, a[2] + o->abi->word, &buf))
        return -EFAULT;
    struct ifconf c = {.ifc_len = (int)(len / each * sizeof(struct ifreq))};
    if (c.ifc_len < 0 || c.ifc_len > 1 << 20)
        return -EINVAL;
    c.ifc_buf = buf ? malloc((size_t)c.ifc_len + 1) : NULL;
    int64_t r = SYS3(t, SYS_ioctl, (int)a[0], SIOCGIFCONF, &c);
    uint32_t n = (uint32_t)c.ifc_len / (uint32_t)sizeof(struct ifreq);
    for (uint32_t i = 0; r >= 0 && buf && i < n; i++) {
        struct ifreq q = c.ifc_req[i];
        if (u_big(o))
            q.ifr_addr.sa_family = __builtin_bswap16(q.ifr_addr.sa_family);
        if (u_out(o, buf + (uint64_t)i * each, &q, each))
            r = -EFAULT;
    }
    free(c.ifc_buf);
    return r < 0 ? r : u_u32_out(o, a[2], n * each);
}

/* A struct ifreq: a name, and an address, a number, or (SIOCGIFMAP) two longs and more. */
static int64_t interface(task *t, int fd, uint32_t request, uint64_t addr)
{
    os *o = t->o;
    struct ifreq q;
    uint32_t n = IFREQ_GUEST(o);
    memset(&q, 0, sizeof(q));
    if (u_in(o, &q, addr, n))
        return -EFAULT;
    if (request == SIOCGIFNAME && u_u32_in(o, addr + IFNAMSIZ, (uint32_t *)&q.ifr_ifindex))
        return -EFAULT;
    int64_t r = SYS3(t, SYS_ioctl, fd, request, &q);
    if (r < 0)
        return r;
    switch (request) {
    case SIOCGIFMAP:
        if (o->abi->word == 4) {
            uint32_t ends[2] = {(uint32_t)q.ifr_map.mem_start, (uint32_t)q.ifr_map.mem_end};
            uint16_t base = u_big(o) ? __builtin_bswap16(q.ifr_map.base_addr) : q.ifr_map.base_addr;
            uint8_t rest[3] = {q.ifr_map.irq, q.ifr_map.dma, q.ifr_map.port};
            return u_u32s_out(o, addr + IFNAMSIZ, ends, 2) || u_out(o, addr + IFNAMSIZ + 8, &base, 2) ||
                           u_out(o, addr + IFNAMSIZ + 10, rest, 3)
                       ? -EFAULT
                       : 0;
        }
        break;
    case SIOCGIFINDEX:
    case SIOCGIFMETRIC:
    case SIOCGIFMTU:
    case SIOCGIFTXQLEN:
        return u_u32_out(o, addr + IFNAMSIZ, (uint32_t)q.ifr_ifindex);
    case SIOCGIFFLAGS: /* a short */
    case SIOCGIFADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFDSTADDR:
    case SIOCGIFHWADDR:
        if (u_big(o))
            q.ifr_addr.sa_family = __builtin_bswap16(q.ifr_addr.sa_family);
        break;
    }
    return u_out(o, addr, &q, n);
}

CALL(ioctl)
{
    os *o = t->o;
    uint32_t request = lx_value_in(o, LX_M_ioctl, (uint32_t)a[1]);
    int fd = (int)a[0];
    if (request == SIOCGIFCONF)
        return interfaces(t, a);
    for (size_t i = 0; i < sizeof(converted) / sizeof(converted[0]); i++)
        if (converted[i].request == request)
            return by_layout(t, fd, request, i, a[2]);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].request != request)
            continue;
        union {
            uint8_t bytes[64];
            uint32_t word;
            uint64_t wide;
        } u;
        uint32_t size = rows[i].size == LONG ? o->abi->word : rows[i].size;
        memset(&u, 0, sizeof(u));
        switch (rows[i].way) {
        case NONE:
            return SYS3(t, SYS_ioctl, fd, request, 0);
        case VALUE:
            return SYS3(t, SYS_ioctl, fd, request, a[2]);
        case BOTH:
            return interface(t, fd, request, a[2]);
        case IN:
            if (size == 4 ? u_u32_in(o, a[2], &u.word) : u_in(o, u.bytes, a[2], size))
                return -EFAULT;
            for (unsigned k = 0; size == 32 && u_big(o) && k < 32; k += 8) {
                uint64_t v;
                memcpy(&v, u.bytes + k, 8);
                v = __builtin_bswap64(v);
                memcpy(u.bytes + k, &v, 8);
            }
            return SYS3(t, SYS_ioctl, fd, request, &u);
        }
        int64_t r = SYS3(t, SYS_ioctl, fd, request, &u);
        if (r >= 0 && (size == 8 ? u_u64_out(o, a[2], u.wide) : u_u32_out(o, a[2], u.word)))
            return -EFAULT;
        return r;
    }
    return -ENOTTY;
}
