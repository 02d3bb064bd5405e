/* System calls without a C library and without floating point, in the kernel's own terms, for MIPS O32 and its byte orders.
 * Structs, flags, errnos, signals and 64-bit arguments cross as the kernel's headers of the architecture have them; one line a
 * fact, compared with qemu-user's. */
#include <asm/fcntl.h>
#include <linux/mman.h>
#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/socket.h>
#include <asm/stat.h>
#include <asm/termbits.h>
#include <asm/unistd.h>
#include <linux/eventpoll.h>
#include <linux/resource.h>
#include <linux/time_types.h>
#include <linux/utsname.h>
#include <stddef.h>

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long v0 __asm__("$2") = nr;
    register long r4 __asm__("$4") = a;
    register long r5 __asm__("$5") = b;
    register long r6 __asm__("$6") = c;
    register long r7 __asm__("$7") = d;
    __asm__ volatile(".set push\n.set noreorder\n addiu $sp, $sp, -32\n sw %2, 16($sp)\n sw %3, 20($sp)\n syscall\n nop\n"
                     " addiu $sp, $sp, 32\n.set pop"
                     : "+r"(v0), "+r"(r7)
                     : "r"(e), "r"(f), "r"(r4), "r"(r5), "r"(r6)
                     : "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "hi", "lo", "memory");
    return r7 ? -v0 : v0;
}
#define C6(n, a, b, c, d, e, f) call(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define C3(n, a, b, c) C6(n, a, b, c, 0, 0, 0)
#define C4(n, a, b, c, d) C6(n, a, b, c, d, 0, 0)

static void say(const char *what, long long v)
{
    char line[128], digits[24];
    int n = 0, k = 0, minus = v < 0;
    unsigned long long u = minus ? -(unsigned long long)v : (unsigned long long)v;
    while (what[n] && n < 90) {
        line[n] = what[n];
        n++;
    }
    line[n++] = ' ';
    if (minus)
        line[n++] = '-';
    do {
        /* No 64-bit division: hexadecimal beyond 32 bits. */
        digits[k++] = "0123456789abcdef"[u & 15];
        u >>= 4;
    } while (u);
    line[n++] = '0';
    line[n++] = 'x';
    while (k)
        line[n++] = digits[--k];
    line[n++] = '\n';
    C3(write, 1, line, n);
}
#define SHOW(e) say(#e, (long long)(e))

void *memset(void *p, int c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)p)[i] = (char)c;
    return p;
}

static volatile int hits, seen_sig, seen_code, seen_value;
static void handler(int sig)
{
    hits++;
    seen_sig = sig;
}
static void full(int sig, siginfo_t *si, void *context)
{
    hits++;
    seen_sig = sig;
    seen_code = si->si_code;
    seen_value = si->si_signo;
    (void)context;
}
struct action { unsigned flags; void *handler; unsigned mask[4]; };
#define SIGUSR1_ 16
#define SIGBUS_ 10

static int run(void)
{
    struct stat64 st;
    struct new_utsname un;
    long fd = C3(open, "bare.tmp", O_RDWR | O_CREAT | O_EXCL, 0640), r;
    SHOW(fd >= 3);
    SHOW(C3(open, "bare.tmp", O_RDWR | O_CREAT | O_EXCL, 0640));
    SHOW(C3(open, "bare.tmp/x", O_RDONLY, 0));
    SHOW(C3(write, fd, "hello, bytes", 12));
    SHOW(C6(pwrite64, fd, "far", 3, 0, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 1 : 2, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 2 : 1));
    memset(&st, 0x5a, sizeof(st));
    SHOW(C3(fstat64, fd, &st, 0));
    SHOW(st.st_size);
    SHOW(st.st_mode);
    SHOW(st.st_nlink);
    SHOW(st.st_blksize);
    long long pos = 0;
    SHOW(C6(_llseek, fd, 0, 5, &pos, 0, 0));
    SHOW(pos);
    SHOW(C6(ftruncate64, fd, 0, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 0 : 9, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 9 : 0, 0, 0));
    C3(fstat64, fd, &st, 0);
    SHOW(st.st_size);
    SHOW(C3(fcntl64, fd, F_GETFL, 0) & (O_APPEND | O_NONBLOCK | 3));
    SHOW(C3(fcntl64, fd, F_SETFL, O_APPEND));
    SHOW(C3(fcntl64, fd, F_GETFL, 0) & (O_APPEND | O_NONBLOCK | 3));
    struct flock64 fl = {.l_type = F_WRLCK, .l_start = 2, .l_len = 1ll << 33};
    SHOW(C3(fcntl64, fd, F_SETLK64, &fl));
    SHOW(C3(fcntl64, fd, F_GETLK64, &fl));
    SHOW(fl.l_type);

    char *p = (char *)C6(mmap2, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW((unsigned long)p < 0xfffff000ul);
    p[4096] = 1;
    r = C6(mmap2, 0, 4096, PROT_READ, MAP_SHARED, fd, 0);
    SHOW(*(char *)r);
    SHOW(C3(munmap, p, 8192, 0));

    struct rlimit lim;
    SHOW(C3(getrlimit, RLIMIT_CORE, &lim, 0));
    SHOW(C3(prlimit64, 0, RLIMIT_NOFILE, 0) <= 0);
    struct __kernel_timespec now;
    struct { int sec, nsec; } ts = {0, 1000000}, then;
    SHOW(C3(clock_gettime64, 1, &now, 0));
    SHOW(C3(clock_gettime, 1, &then, 0));
    SHOW(then.sec - (long)now.tv_sec <= 1);
    SHOW(now.tv_nsec < 1000000000);
    SHOW(C3(nanosleep, &ts, 0, 0));
    SHOW(C3(uname, &un, 0, 0));
    say(un.machine, un.sysname[0]);

    int sv[2];
    SHOW(C4(socketpair, 1, 2 /* SOCK_STREAM here */, 0, sv));
    SHOW(C4(socketpair, 1, 77, 0, sv));
    int value = 0;
    unsigned len = 4;
    SHOW(C6(getsockopt, sv[0], SOL_SOCKET, SO_TYPE, &value, &len, 0));
    SHOW(value);
    SHOW(C6(setsockopt, sv[0], SOL_SOCKET, SO_RCVBUF, &(int){40000}, 4, 0));
    SHOW(C6(getsockopt, sv[0], SOL_SOCKET, SO_RCVBUF, &value, &len, 0));
    SHOW(value);
    struct { int fd; short events, revents; } pf[2] = {{sv[0], POLLIN, 0}, {sv[1], POLLOUT, 0}};
    SHOW(C3(poll, pf, 2, 0));
    SHOW(pf[0].revents);
    SHOW(pf[1].revents);
    unsigned long set[4] = {0}, soon[2] = {0, 1000};
    set[sv[1] / 32] |= 1ul << sv[1] % 32;
    SHOW(C6(_newselect, 64, 0, set, 0, soon, 0));
    SHOW(set[sv[1] / 32] == 1ul << sv[1] % 32);
    int ep = C3(epoll_create1, 0, 0, 0);
    struct epoll_event ev = {.events = EPOLLOUT, .data = 0x123456789abcdefull}, got;
    SHOW(C4(epoll_ctl, ep, EPOLL_CTL_ADD, sv[1], &ev));
    SHOW(C6(epoll_pwait, ep, &got, 1, 0, 0, 16));
    SHOW(got.events);
    SHOW(got.data);
    struct { void *base; unsigned long len; } iov[2] = {{"one ", 4}, {"two", 3}};
    SHOW(C3(writev, sv[0], iov, 2));
    char buf[64];
    SHOW(C3(read, sv[1], buf, 64));
    SHOW(buf[4]);

    /* a descriptor through a socket */
    struct { unsigned long len; int level, type, fd; } control = {16, SOL_SOCKET, 1, fd};
    struct { void *name; int namelen; void *iov; unsigned long n; void *control; unsigned long clen; int flags; }
        m = {0, 0, iov, 1, &control, 16, 0};
    SHOW(C3(sendmsg, sv[0], &m, 0));
    control.fd = -1;
    iov[0].base = buf;
    m.clen = 16;
    SHOW(C3(recvmsg, sv[1], &m, 0));
    SHOW(m.clen);
    SHOW(control.len);
    SHOW(control.level == SOL_SOCKET);
    SHOW(control.fd > fd);
    SHOW(C3(fstat64, control.fd, &st, 0));
    SHOW(st.st_size);

    /* signals: numbers, sets, frames */
    struct action act = {0, handler, {0}}, old;
    SHOW(C4(rt_sigaction, SIGUSR1_, &act, &old, 16));
    SHOW(C4(rt_sigaction, SIGUSR1_, &act, &old, 8));
    SHOW(old.handler == 0);
    long pid = C3(getpid, 0, 0, 0);
    SHOW(C3(kill, pid, SIGUSR1_, 0));
    SHOW(hits);
    SHOW(seen_sig);
    act = (struct action){8 /* SA_SIGINFO */, full, {1u << (SIGBUS_ - 1)}};
    C4(rt_sigaction, SIGUSR1_, &act, 0, 16);
    unsigned mask[4] = {1u << (SIGUSR1_ - 1)}, before[4], pend[4] = {0};
    SHOW(C4(rt_sigprocmask, 1 /* SIG_BLOCK */, mask, before, 16));
    SHOW(C3(kill, pid, SIGUSR1_, 0));
    SHOW(hits);
    SHOW(C3(rt_sigpending, pend, 16, 0));
    SHOW(pend[0]);
    SHOW(C4(rt_sigprocmask, 3 /* SIG_SETMASK */, before, 0, 16));
    SHOW(hits);
    SHOW(seen_sig);
    SHOW(seen_code);
    SHOW(seen_value);

    /* a child and its status */
    pid = C3(fork, 0, 0, 0);
    if (!pid)
        C3(kill, C3(getpid, 0, 0, 0), SIGBUS_, 0);
    int status = 0;
    SHOW(C4(wait4, pid, &status, 0, 0) == pid);
    SHOW(status & 0x7f);
    char dents[2048];
    long d = C3(open, ".", O_RDONLY | O_DIRECTORY, 0), n = C3(getdents64, d, dents, sizeof(dents)), files = 0;
    for (long at = 0; at < n; at += *(unsigned short *)(dents + at + 16))
        files++;
    SHOW(files);
    SHOW(C3(unlink, "bare.tmp", 0, 0));
    SHOW(C3(ioctl, fd, 0x540d /* TCGETS */, buf));
    SHOW(C3(futex, &value, 0 /* FUTEX_WAIT */, value + 1));
    SHOW(C3(getpeername, 0, buf, &len));
    SHOW(call(7777, 0, 0, 0, 0, 0, 0));
    return 7;
}

void __start(void);
void __start(void)
{
    C3(exit_group, run(), 0, 0);
}
