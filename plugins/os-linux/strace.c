/* System calls as strace prints them: name(arguments) = result. The letters of syscalls.def say how
 * an argument reads; the value tables below name bits. Invariant: printing reads guest memory only
 * through checked copies and changes nothing. */
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"

typedef struct bit {
    uint64_t value;
    const char *name;
} bit;
#define B(x)  \
    {         \
        x, #x \
    }
#define END     \
    {           \
        0, NULL \
    }

static const bit open_bits[] = {B(O_CREAT),    B(O_EXCL),
                                B(O_NOCTTY),   B(O_TRUNC),
                                B(O_APPEND),   B(O_NONBLOCK),
                                B(O_SYNC),     B(O_DSYNC),
                                B(O_TMPFILE),  B(O_DIRECTORY),
                                B(O_NOFOLLOW), B(O_CLOEXEC),
                                B(O_DIRECT),   {0x8000, "O_LARGEFILE"},
                                B(O_NOATIME),  B(O_PATH),
                                B(O_ASYNC),    END};
static const bit prot_bits[] = {B(PROT_READ), B(PROT_WRITE), B(PROT_EXEC), END};
static const bit map_bits[] = {B(MAP_SHARED),          B(MAP_PRIVATE),
                               B(MAP_FIXED),           B(MAP_ANONYMOUS),
                               B(MAP_NORESERVE),       B(MAP_POPULATE),
                               B(MAP_STACK),           B(MAP_DENYWRITE),
                               B(MAP_GROWSDOWN),       B(MAP_LOCKED),
                               B(MAP_NONBLOCK),        B(MAP_HUGETLB),
                               B(MAP_FIXED_NOREPLACE), END};
static const bit at_bits[] = {B(AT_SYMLINK_NOFOLLOW), B(AT_REMOVEDIR),  B(AT_SYMLINK_FOLLOW),
                              B(AT_NO_AUTOMOUNT),     B(AT_EMPTY_PATH), END};
static const bit access_bits[] = {B(R_OK), B(W_OK), B(X_OK), END};
static const bit clone_bits[] = {B(CLONE_VM),
                                 B(CLONE_FS),
                                 B(CLONE_FILES),
                                 B(CLONE_SIGHAND),
                                 B(CLONE_PTRACE),
                                 B(CLONE_VFORK),
                                 B(CLONE_PARENT),
                                 B(CLONE_THREAD),
                                 B(CLONE_NEWNS),
                                 B(CLONE_SYSVSEM),
                                 B(CLONE_SETTLS),
                                 B(CLONE_PARENT_SETTID),
                                 B(CLONE_CHILD_CLEARTID),
                                 B(CLONE_UNTRACED),
                                 B(CLONE_CHILD_SETTID),
                                 END};
static const bit sock_bits[] = {B(SOCK_NONBLOCK), B(SOCK_CLOEXEC), END};
static const bit clocks[] = {B(CLOCK_MONOTONIC),         B(CLOCK_PROCESS_CPUTIME_ID),
                             B(CLOCK_THREAD_CPUTIME_ID), B(CLOCK_MONOTONIC_RAW),
                             B(CLOCK_REALTIME_COARSE),   B(CLOCK_MONOTONIC_COARSE),
                             B(CLOCK_BOOTTIME),          END};
static const bit families[] = {B(AF_UNIX),    B(AF_INET),   B(AF_INET6),
                               B(AF_NETLINK), B(AF_PACKET), END};
static const bit socktypes[] = {B(SOCK_STREAM), B(SOCK_DGRAM), B(SOCK_RAW), B(SOCK_SEQPACKET), END};
static const bit fcntls[] = {B(F_GETFD),         B(F_SETFD),      B(F_GETFL),
                             B(F_SETFL),         B(F_GETLK),      B(F_SETLK),
                             B(F_SETLKW),        B(F_SETOWN),     B(F_GETOWN),
                             B(F_DUPFD_CLOEXEC), B(F_GETPIPE_SZ), B(F_SETPIPE_SZ),
                             B(F_ADD_SEALS),     B(F_GET_SEALS),  B(F_OFD_SETLK),
                             B(F_OFD_SETLKW),    B(F_OFD_GETLK),  END};
static const bit ioctls[] = {B(TCGETS),     B(TCSETS),     B(TCSETSW),   B(TCSETSF),
                             B(TIOCGWINSZ), B(TIOCSWINSZ), B(TIOCGPGRP), B(TIOCSPGRP),
                             B(TIOCSCTTY),  B(FIONREAD),   B(FIONBIO),   B(FIOCLEX),
                             B(TIOCGPTN),   B(TIOCSPTLCK), END};
static const bit whences[] = {B(SEEK_CUR), B(SEEK_END), B(SEEK_DATA), B(SEEK_HOLE), END};
static const bit advices[] = {
    B(MADV_RANDOM),   B(MADV_SEQUENTIAL), B(MADV_WILLNEED), B(MADV_DONTNEED), B(MADV_FREE),
    B(MADV_HUGEPAGE), B(MADV_NOHUGEPAGE), B(MADV_DONTDUMP), B(MADV_DONTFORK), END};
static const bit futexes[] = {B(FUTEX_WAKE),        B(FUTEX_REQUEUE),     B(FUTEX_CMP_REQUEUE),
                              B(FUTEX_WAKE_OP),     B(FUTEX_LOCK_PI),     B(FUTEX_UNLOCK_PI),
                              B(FUTEX_WAIT_BITSET), B(FUTEX_WAKE_BITSET), END};

static void add(lx_line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(lx_line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, fmt, ap);
    va_end(ap);
    l->n += n < 0 ? 0 : (size_t)n;
    if (l->n >= sizeof(l->text))
        l->n = sizeof(l->text) - 1;
}

static void bits(lx_line *l, const bit *rows, uint64_t v, const char *none, int started)
{
    for (; rows->name; rows++)
        if ((v & rows->value) == rows->value && rows->value) {
            add(l, "%s%s", started ? "|" : "", rows->name);
            v &= ~rows->value;
            started = 1;
        }
    if (v || !started)
        v ? add(l, "%s%#llx", started ? "|" : "", (unsigned long long)v) : add(l, "%s", none);
}

static void one_of(lx_line *l, const bit *rows, uint64_t v, const char *zero)
{
    for (; rows->name; rows++)
        if (rows->value == v) {
            add(l, "%s", rows->name);
            return;
        }
    if (!v && zero)
        add(l, "%s", zero);
    else
        add(l, "%#llx", (unsigned long long)v);
}

static void quoted(lx_line *l, const char *s, size_t n, int more)
{
    add(l, "\"");
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        static const char from[] = "\n\t\r\v\f\"\\", to[] = "ntrvf\"\\";
        const char *e = c ? strchr(from, c) : NULL;
        if (e)
            add(l, "\\%c", to[e - from]);
        else if (c >= 32 && c < 127)
            add(l, "%c", c);
        else if (i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '9')
            add(l, "\\%03o", c);
        else
            add(l, "\\%o", c);
    }
    add(l, "\"%s", more ? "..." : "");
}

static void string(task *t, lx_line *l, uint64_t addr, size_t most)
{
    char buf[PATH_MAX];
    if (!addr) {
        add(l, "NULL");
        return;
    }
    int64_t n = u_str(t->o, addr, buf, most);
    if (n == -EFAULT)
        add(l, "%#llx", (unsigned long long)addr);
    else
        quoted(l, buf, n < 0 ? most : (size_t)n, n < 0);
}

static void buffer(task *t, lx_line *l, uint64_t addr, uint64_t n)
{
    char buf[32];
    uint64_t k = n < sizeof(buf) ? n : sizeof(buf);
    if (!addr || u_in(t->o, buf, addr, k))
        addr ? add(l, "%#llx", (unsigned long long)addr) : add(l, "NULL");
    else
        quoted(l, buf, k, n > k);
}

static const char *const signals[] = {
    "0",    "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
    "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "IO",   "PWR",  "SYS"};

const char *lx_signame(int sig, char *buf, size_t cap)
{
    if (sig > 0 && sig < 32)
        snprintf(buf, cap, "SIG%s", signals[sig]);
    else if (sig >= 32 && sig <= 64)
        snprintf(buf, cap, "SIGRT_%d", sig - 32);
    else
        snprintf(buf, cap, "%d", sig);
    return buf;
}

static void signal_set(task *t, lx_line *l, uint64_t addr)
{
    uint64_t set;
    char name[16];
    if (!addr || u_sigset_in(t->o, addr, t->o->abi->sigset_size, &set)) {
        addr ? add(l, "%#llx", (unsigned long long)addr) : add(l, "NULL");
        return;
    }
    int count = 0, invert = __builtin_popcountll(set) > 32;
    add(l, invert ? "~[" : "[");
    for (int s = 1; s <= 64; s++)
        if ((set >> (s - 1) & 1) != (unsigned)invert)
            add(l, "%s%s", count++ ? " " : "",
                lx_signame(s, name, sizeof(name)) + (s < 32 ? 3 : 0));
    add(l, "]");
}

static void socket_address(task *t, lx_line *l, uint64_t addr, uint64_t n)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } u;
    char text[64];
    memset(&u, 0, sizeof(u));
    if (n < 2 || n > sizeof(u) || u_in(t->o, &u, addr, n)) {
        add(l, "%#llx", (unsigned long long)addr);
        return;
    }
    if (u_big(t->o))
        u.sa.sa_family = __builtin_bswap16(u.sa.sa_family);
    switch (u.sa.sa_family) {
    case AF_INET:
        add(l, "{sa_family=AF_INET, sin_port=htons(%u), sin_addr=inet_addr(\"%s\")}",
            ntohs(u.in.sin_port), inet_ntop(AF_INET, &u.in.sin_addr, text, sizeof(text)));
        break;
    case AF_INET6:
        add(l, "{sa_family=AF_INET6, sin6_port=htons(%u), inet_pton(AF_INET6, \"%s\")}",
            ntohs(u.in6.sin6_port), inet_ntop(AF_INET6, &u.in6.sin6_addr, text, sizeof(text)));
        break;
    case AF_UNIX:
        add(l, "{sa_family=AF_UNIX, sun_path=\"%.100s\"}", u.un.sun_path);
        break;
    default:
        add(l, "{sa_family=%u}", u.sa.sa_family);
    }
}

static void structure(task *t, lx_line *l, char letter, uint64_t addr)
{
    union {
        uint8_t bytes[LX_STRUCT_MAX];
        struct timespec ts;
        struct timeval tv;
        struct itimerval it;
        struct itimerspec its;
        struct rlimit lim;
        struct stat st;
        struct flock fl;
        struct epoll_event ev;
        lx_sigaction act;
        struct winsize ws;
    } u;
    os *o = t->o;
    char name[16];
    if (!addr) {
        add(l, "NULL");
        return;
    }
    int id = lx_struct_by_letter(letter);
    if (u_struct_in(o, id, &u, addr)) {
        add(l, "%#llx", (unsigned long long)addr);
        return;
    }
    switch (letter) {
    case 'T':
    case 't':
        add(l, "{tv_sec=%lld, tv_nsec=%ld}", (long long)u.ts.tv_sec, u.ts.tv_nsec);
        return;
    case 'V':
        add(l, "{tv_sec=%lld, tv_usec=%ld}", (long long)u.tv.tv_sec, (long)u.tv.tv_usec);
        return;
    case 'I':
        add(l, "{it_interval={tv_sec=%lld, tv_usec=%ld}, it_value={tv_sec=%lld, tv_usec=%ld}}",
            (long long)u.it.it_interval.tv_sec, (long)u.it.it_interval.tv_usec,
            (long long)u.it.it_value.tv_sec, (long)u.it.it_value.tv_usec);
        return;
    case 'J':
    case 'j':
        add(l, "{it_interval={tv_sec=%lld, tv_nsec=%ld}, it_value={tv_sec=%lld, tv_nsec=%ld}}",
            (long long)u.its.it_interval.tv_sec, u.its.it_interval.tv_nsec,
            (long long)u.its.it_value.tv_sec, u.its.it_value.tv_nsec);
        return;
    case 'L':
    case 'l':
        add(l, "{rlim_cur=%lld, rlim_max=%lld}", (long long)u.lim.rlim_cur,
            (long long)u.lim.rlim_max);
        return;
    case 'S':
    case 's':
        add(l, "{st_mode=%s|0%o, st_size=%lld, ...}",
            S_ISREG(u.st.st_mode)    ? "S_IFREG"
            : S_ISDIR(u.st.st_mode)  ? "S_IFDIR"
            : S_ISCHR(u.st.st_mode)  ? "S_IFCHR"
            : S_ISLNK(u.st.st_mode)  ? "S_IFLNK"
            : S_ISFIFO(u.st.st_mode) ? "S_IFIFO"
            : S_ISSOCK(u.st.st_mode) ? "S_IFSOCK"
                                     : "S_IFBLK",
            u.st.st_mode & 07777, (long long)u.st.st_size);
        return;
    case 'K':
    case 'k':
        add(l, "{l_type=%s, l_whence=%d, l_start=%lld, l_len=%lld}",
            u.fl.l_type == F_RDLCK   ? "F_RDLCK"
            : u.fl.l_type == F_WRLCK ? "F_WRLCK"
                                     : "F_UNLCK",
            u.fl.l_whence, (long long)u.fl.l_start, (long long)u.fl.l_len);
        return;
    case 'E':
        add(l, "{events=%#x, data=%#llx}", u.ev.events, (unsigned long long)u.ev.data.u64);
        return;
    case 'A':
    case 'a':
        if (u.act.handler <= 1)
            add(l, "{sa_handler=%s, ", u.act.handler ? "SIG_IGN" : "SIG_DFL");
        else
            add(l, "{sa_handler=%#llx, ", (unsigned long long)u.act.handler);
        add(l, "sa_mask=[");
        for (int s = 1, k = 0; s <= 64; s++)
            if (u.act.mask >> (s - 1) & 1)
                add(l, "%s%s", k++ ? " " : "",
                    lx_signame(s, name, sizeof(name)) + (s < 32 ? 3 : 0));
        add(l, "], sa_flags=%#llx}", (unsigned long long)u.act.flags);
        return;
    case 'W':
        add(l, "{ws_row=%u, ws_col=%u}", u.ws.ws_row, u.ws.ws_col);
        return;
    }
    add(l, "{...}");
}

/* Prints argument `letter`; out-arguments only when the call is over. */
static void argument(task *t, lx_line *l, const char *s, uint64_t v, uint64_t next, int64_t r)
{
    char name[16];
    uint64_t type;
    uint32_t flags;
    switch (*s) {
    case 'i':
    case 'e':
    case 'f':
        add(l, "%d", (int)v);
        return;
    case 'u':
        add(l, "%u", (unsigned)v);
        return;
    case 'x':
        v ? add(l, "%#x", (unsigned)v) : add(l, "0");
        return;
    case 'l':
    case 'q':
    case 'j':
    case 'z':
        *s != 'z' ? add(l, "%lld", (long long)v) : add(l, "%llu", (unsigned long long)v);
        return;
    case 'd':
        (int)v == AT_FDCWD ? add(l, "AT_FDCWD") : add(l, "%d", (int)v);
        return;
    case 's':
    case 'a':
    case 'n':
        string(t, l, v, *s == 's' ? 64 : PATH_MAX - 1);
        return;
    case 'r':
        buffer(t, l, v, next);
        return;
    case 'w':
        r >= 0 ? buffer(t, l, v, (uint64_t)r) : add(l, "%#llx", (unsigned long long)v);
        return;
    case 'o':
        flags = lx_open_flags_in(t->o, (uint32_t)v);
        add(l, "%s", (flags & 3) == 0 ? "O_RDONLY" : (flags & 3) == 1 ? "O_WRONLY" : "O_RDWR");
        if (flags & ~3u)
            bits(l, open_bits, flags & ~3u, "", 1);
        return;
    case 'm':
        add(l, "0%o", (unsigned)v);
        return;
    case 'b':
        add(l, "%s", lx_signame(lx_sig_in(t->o, (int)v), name, sizeof(name)));
        return;
    case 'c':
        one_of(l, clocks, v, "CLOCK_REALTIME");
        return;
    case 'h':
        bits(l, prot_bits, v, "PROT_NONE", 0);
        return;
    case 'g':
        bits(l, map_bits, lx_flags_in(t->o, LX_M_mmap, (uint32_t)v), "0", 0);
        return;
    case 'A':
        bits(l, at_bits, v, "0", 0);
        return;
    case 'X':
        bits(l, access_bits, v, "F_OK", 0);
        return;
    case 'G':
        bits(l, clone_bits, v & ~0xffull, "0", 0);
        if (v & 0xff)
            add(l, "|%s", lx_signame((int)(v & 0xff), name, sizeof(name)));
        return;
    case 't':
        one_of(l, families, v, "AF_UNSPEC");
        return;
    case 'y':
        type = lx_open_flags_in(t->o, (uint32_t)v);
        if (type & 15)
            one_of(l, socktypes, lx_value_in(t->o, LX_M_socket, type & 15), NULL);
        if (type & ~15ull)
            bits(l, sock_bits, type & ~15ull, "", (type & 15) != 0);
        return;
    case 'F':
        one_of(l, fcntls, lx_value_in(t->o, LX_M_fcntl, (uint32_t)v), "F_DUPFD");
        return;
    case 'I':
        one_of(l, ioctls, lx_value_in(t->o, LX_M_ioctl, (uint32_t)v), NULL);
        return;
    case 'W':
        one_of(l, whences, v, "SEEK_SET");
        return;
    case 'O':
        one_of(l, advices, v, "MADV_NORMAL");
        return;
    case 'E':
        one_of(l, futexes, v & FUTEX_CMD_MASK, "FUTEX_WAIT");
        if (v & FUTEX_PRIVATE_FLAG)
            add(l, "_PRIVATE");
        return;
    case 'S':
        signal_set(t, l, v);
        return;
    case 'k':
        socket_address(t, l, v, (uint32_t)next);
        return;
    case 'v': {
        int st;
        if (!v || r <= 0 || u_in(t->o, &st, v, 4))
            v ? add(l, "%#llx", (unsigned long long)v) : add(l, "NULL");
        else if (WIFEXITED(st))
            add(l, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(st));
        else if (WIFSIGNALED(st))
            add(l, "[{WIFSIGNALED(s) && WTERMSIG(s) == %s}]",
                lx_signame(WTERMSIG(st), name, sizeof(name)));
        else
            add(l, "[%#x]", (unsigned)st);
        return;
    }
    case '<':
        structure(t, l, s[1], v);
        return;
    case '>':
        r >= 0 ? structure(t, l, s[1], v) : add(l, "%#llx", (unsigned long long)v);
        return;
    }
    v ? add(l, "%#llx", (unsigned long long)v) : add(l, "NULL");
}

/* Index of the first argument that only the finished call can show. */
static int first_out(const char *sig)
{
    int i = 0;
    for (const char *s = sig; *s; s++, i++) {
        if (*s == 'w' || *s == '>' || *s == 'v')
            return i;
        if (*s == '<')
            s++;
    }
    return i;
}

static void arguments(task *t, lx_line *l, const char *sig, const uint64_t *a, int from, int to,
                      int64_t r)
{
    int i = 0;
    for (const char *s = sig; *s && i < to && i < 6; s++, i++) {
        if (i >= from) {
            if (i)
                add(l, ", ");
            argument(t, l, s, a[i], i < 5 ? a[i + 1] : 0, r);
        }
        if (*s == '<' || *s == '>')
            s++;
    }
}

void strace_enter(task *t, lx_line *l, const char *name, const lx_call *c, const uint64_t *a)
{
    if (getpid() != t->o->pid0 || t->o->n_threads)
        add(l, "[pid %d] ", t->tid);
    add(l, "%s(", name);
    if (c)
        arguments(t, l, c->sig, a, 0, first_out(c->sig), 0);
    else
        for (int i = 0; i < 6; i++)
            add(l, "%s%#llx", i ? ", " : "", (unsigned long long)a[i]);
    /* Calls that do not come back are shown now. */
    if (c && (!strncmp(name, "exit", 4) || strstr(name, "sigreturn"))) {
        add(l, ") = ?\n");
        lx_tell(t->o, "%.*s", (int)l->n, l->text);
        l->n = 0;
    }
}

void strace_leave(task *t, lx_line *l, const lx_call *c, const uint64_t *a, int64_t r)
{
    if (!l->n)
        return;
    if (c)
        arguments(t, l, c->sig, a, first_out(c->sig), 6, r);
    add(l, ") = ");
    if (r == -LX_NORESULT)
        add(l, "0");
    else if (r == -LX_RESTART)
        add(l, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
    else if (r < 0 && r > -4096)
        add(l, "-1 %s (%s)", strerrorname_np((int)-r), strerrordesc_np((int)-r));
    else if (c &&
             (!strncmp(c->name, "mmap", 4) || !strcmp(c->name, "brk") || !strcmp(c->name, "mremap")))
        add(l, "%#llx", (unsigned long long)r);
    else
        add(l, "%lld", (long long)r);
    if (l->n > sizeof(l->text) - 2)
        l->n = sizeof(l->text) - 2;
    l->text[l->n++] = '\n';
    ssize_t w = write(t->o->strace_fd, l->text, l->n);
    (void)w;
}

void strace_signal(task *t, int sig, const siginfo_t *info)
{
    char name[16];
    lx_signame(sig, name, sizeof(name));
    if (info->si_code > 0 && info->si_code != SI_KERNEL && sig != SIGCHLD)
        lx_tell(t->o, "--- %s {si_signo=%s, si_code=%d, si_addr=%p} ---\n", name, name,
                info->si_code, info->si_addr);
    else
        lx_tell(t->o, "--- %s {si_signo=%s, si_code=%d, si_pid=%d, si_uid=%u} ---\n", name, name,
                info->si_code, info->si_pid, info->si_uid);
}

void strace_end(os *o, int code, int sig)
{
    char name[16];
    if (sig)
        lx_tell(o, "+++ killed by %s +++\n", lx_signame(sig, name, sizeof(name)));
    else
        lx_tell(o, "+++ exited with %d +++\n", code & 0xff);
}
