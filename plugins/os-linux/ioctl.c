/* ioctl: a row a request says how large its argument is and which way it goes. Requests are those
 * of the generic table, which arm64 shares with this host. Invariant: an unknown request is ENOTTY,
 * never a guess at its argument. */
#include <linux/fs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>

#include "linux.h"

enum { NONE, VALUE, IN, OUT, BOTH };
#define KERNEL_TERMIOS  36 /* struct termios of the kernel: four flags, c_line, 19 characters */
#define KERNEL_TERMIOS2 44

static const struct {
    uint32_t request;
    uint8_t way;
    uint16_t size;
} rows[] = {
    {TCGETS, OUT, KERNEL_TERMIOS},
    {TCSETS, IN, KERNEL_TERMIOS},
    {TCSETSW, IN, KERNEL_TERMIOS},
    {TCSETSF, IN, KERNEL_TERMIOS},
    {0x802c542a, OUT, KERNEL_TERMIOS2}, /* TCGETS2 */
    {0x402c542b, IN, KERNEL_TERMIOS2},
    {0x402c542c, IN, KERNEL_TERMIOS2},
    {0x402c542d, IN, KERNEL_TERMIOS2},
    {TIOCGWINSZ, OUT, 8},
    {TIOCSWINSZ, IN, 8},
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
    {BLKGETSIZE, OUT, 8},
    {BLKSSZGET, OUT, 4},
    {BLKROGET, OUT, 4},
    {FS_IOC_GETFLAGS, OUT, 4},
    {FS_IOC_SETFLAGS, IN, 4},
    {FICLONE, VALUE, 0},
    {FICLONERANGE, IN, 32},
    {FIGETBSZ, OUT, 4},
    {SIOCATMARK, OUT, 4},
    {SIOCGIFFLAGS, BOTH, 40},
    {SIOCGIFADDR, BOTH, 40},
    {SIOCGIFBRDADDR, BOTH, 40},
    {SIOCGIFNETMASK, BOTH, 40},
    {SIOCGIFDSTADDR, BOTH, 40},
    {SIOCGIFMETRIC, BOTH, 40},
    {SIOCGIFMTU, BOTH, 40},
    {SIOCGIFHWADDR, BOTH, 40},
    {SIOCGIFINDEX, BOTH, 40},
    {SIOCGIFTXQLEN, BOTH, 40},
    {SIOCGIFMAP, BOTH, 40},
    {SIOCGIFNAME, BOTH, 40},
};

static int64_t interfaces(task *t, const uint64_t *a)
{
    os *o = t->o;
    struct ifconf c;
    uint64_t buf;
    if (u_in(o, &c.ifc_len, a[2], 4) || u_word_in(o, a[2] + o->abi->word, &buf))
        return -EFAULT;
    c.ifc_buf = buf && c.ifc_len > 0 ? u_ptr(o, buf, (uint64_t)c.ifc_len, 1) : NULL;
    if (buf && c.ifc_len > 0 && !c.ifc_buf)
        return -EFAULT;
    int64_t r = SYS3(t, SYS_ioctl, (int)a[0], SIOCGIFCONF, &c);
    return r < 0 ? r : u_out(o, a[2], &c.ifc_len, 4);
}

CALL(ioctl)
{
    os *o = t->o;
    uint32_t request = (uint32_t)a[1];
    if (request == SIOCGIFCONF)
        return interfaces(t, a);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].request != request)
            continue;
        uint8_t buf[64];
        memset(buf, 0, sizeof(buf));
        switch (rows[i].way) {
        case NONE:
            return SYS3(t, SYS_ioctl, (int)a[0], request, 0);
        case VALUE:
            return SYS3(t, SYS_ioctl, (int)a[0], request, a[2]);
        }
        if (rows[i].way != OUT && u_in(o, buf, a[2], rows[i].size))
            return -EFAULT;
        int64_t r = SYS3(t, SYS_ioctl, (int)a[0], request, buf);
        if (r >= 0 && rows[i].way != IN && u_out(o, a[2], buf, rows[i].size))
            return -EFAULT;
        return r;
    }
    return -ENOTTY;
}
