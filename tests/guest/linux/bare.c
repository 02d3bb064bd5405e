/* System calls without a C library and without floating point, in the kernel's own terms, for MIPS O32 and the Arm EABI in their byte
 * orders (the Arm ones big-endian have no library here).
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

#ifdef __arm__
#define SOCK_STREAM_ 1
#define SET 8
#define SIGUSR1_ 10
#define SIGBUS_ 7
#define SIGSEGV_ 11
#define BLOCK 0
#define SETMASK 2
#define TCGETS_ 0x5401
#define GETRLIMIT ugetrlimit
struct action { void *handler; unsigned flags; void *restorer; unsigned mask[4]; };
#define ACTION(how, what, bits) ((struct action){.handler = what, .flags = how, .mask = {bits}})
#ifdef RESTORER /* qemu 7.2 has no code of its own to return from a handler of a BE8 program */
__attribute__((naked, noinline)) static void restorer(void)
{
    __asm__ volatile("mov r7, #173\n svc #0");
}
__attribute__((naked, noinline)) static void old_restorer(void)
{
    __asm__ volatile("mov r7, #119\n svc #0");
}
#undef ACTION
#define ACTION(how, what, bits) \
    ((struct action){.handler = what, .flags = (how) | 0x04000000, .restorer = (how) & 4 ? restorer : old_restorer, .mask = {bits}})
#endif
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r7 __asm__("r7") = nr;
    register long r0 __asm__("r0") = a;
    register long r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c;
    register long r3 __asm__("r3") = d;
    register long r4 __asm__("r4") = e;
    register long r5 __asm__("r5") = f;
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5), "r"(r7) : "memory");
    return r0;
}
#else
#define SOCK_STREAM_ 2
#define SET 16
#define SIGUSR1_ 16
#define SIGBUS_ 10
#define BLOCK 1
#define SETMASK 3
#define TCGETS_ 0x540d
#define GETRLIMIT getrlimit
struct action { unsigned flags; void *handler; unsigned mask[4]; };
#define ACTION(how, what, bits) ((struct action){.handler = what, .flags = how, .mask = {bits}})
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
#endif
#define C6(n, a, b, c, d, e, f) C6_(n, a, b, c, d, e, f)
#define C6_(n, a, b, c, d, e, f) call(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
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

void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((volatile char *)to)[i] = ((const char *)from)[i];
    return to;
}

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

#ifdef __arm__
/* What only Arm has: frames with registers and D registers, the kernel's helper page, loads of two words, SETEND. */
struct context {
    unsigned flags, link, stack[3], trap, error, oldmask, r[16], cpsr, address, mask[32], magic, size;
    unsigned long long d[32];
};
static volatile unsigned saw[8];
static void fault(int sig, siginfo_t *si, void *context)
{
    struct context *c = context;
    saw[0] = sig;
    saw[1] = (unsigned)si->si_addr;
    saw[2] = c->r[5];
    saw[3] = c->magic;
    saw[4] = c->cpsr & 0x0600fe20; /* IT, E, A, T */
    saw[5] = c->address;
    c->r[6] = 0x1234;
    c->r[15] += c->cpsr & 0x20 ? 2 : 4;
}

static void arm(void)
{
    static unsigned two[2] __attribute__((aligned(8))) = {0x01020304, 0x05060708};
    unsigned a = 0, b = 0;
    unsigned long long q = 0, old = 0x0102030405060708, new = 0x1112131415161718, where = old;
    C4(rt_sigaction, SIGSEGV_, &ACTION(4 /* SA_SIGINFO */, fault, 0), 0, 8);
    __asm__ volatile("movs r5, #85\n movs r6, #0\n movs r4, #16\n ldr r4, [r4]\n mov %0, r6" : "=r"(a) : : "r4", "r5", "r6", "cc", "memory");
    SHOW(a);
    for (unsigned i = 0; i < 6; i++)
        SHOW(i == 5 ? saw[i] & ~16u : saw[i]); /* qemu 7.2 leaves the fault's address out */
    SHOW(((int (*)(long long *, long long *, long long *))0xffff0f60)((void *)&old, (void *)&new, (void *)&where));
    SHOW(where);
    SHOW(((int (*)(int, int, int *))0xffff0fc0)(0x05060708, 0x21222324, (int *)&two[1]));
    SHOW(two[1]);
    SHOW(*(unsigned *)0xffff0ffc);
#ifndef __thumb__
    __asm__ volatile("ldrd %0, %H0, [%1]" : "=&r"(q) : "r"(two), "m"(two));
    SHOW(q);
#endif
    __asm__ volatile("ldm %2, {%0, %1}" : "=&r"(a), "=&r"(b) : "r"(two), "m"(two));
    SHOW(a);
    SHOW(b);
    SHOW(*(unsigned char *)two);
    SHOW(*(unsigned short *)two);
#ifndef OLD
    /* VLDR D, VLDR S, VLD1 of halfwords, LDREXD; D registers in a frame. */
    __asm__ volatile(".fpu neon\n vldr d0, [%1]\n vmov %Q0, %R0, d0" : "=r"(q) : "r"(two), "m"(two) : "d0");
    SHOW(q);
    __asm__ volatile("vld1.16 {d1}, [%1]\n vmov %Q0, %R0, d1" : "=r"(q) : "r"(two), "m"(two) : "d1");
    SHOW(q);
    __asm__ volatile("ldrexd %0, %H0, [%1]\n clrex" : "=&r"(q) : "r"(two), "m"(two));
    SHOW(q);
    __asm__ volatile("setend le\n ldr %0, [%2]\n setend be\n ldr %1, [%2]\n" : "=&r"(a), "=&r"(b) : "r"(two), "m"(two));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    __asm__ volatile("setend le" : : : "memory");
#endif
    SHOW(a);
    SHOW(b);
#endif
}
#endif

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
    SHOW(C3(GETRLIMIT, RLIMIT_CORE, &lim, 0));
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
    SHOW(C4(socketpair, 1, SOCK_STREAM_, 0, sv));
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
    SHOW(C6(epoll_pwait, ep, &got, 1, 0, 0, SET));
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
    struct action act = ACTION(0, handler, 0), old;
    SHOW(C4(rt_sigaction, SIGUSR1_, &act, &old, SET));
    SHOW(C4(rt_sigaction, SIGUSR1_, &act, &old, SET + 8));
    SHOW(old.handler == 0);
    long pid = C3(getpid, 0, 0, 0);
    SHOW(C3(kill, pid, SIGUSR1_, 0));
    SHOW(hits);
    SHOW(seen_sig);
    act = ACTION(SET == 8 ? 4 : 8 /* SA_SIGINFO */, full, 1u << (SIGBUS_ - 1));
    C4(rt_sigaction, SIGUSR1_, &act, 0, SET);
    unsigned mask[4] = {1u << (SIGUSR1_ - 1)}, before[4], pend[4] = {0};
    SHOW(C4(rt_sigprocmask, BLOCK, mask, before, SET));
    SHOW(C3(kill, pid, SIGUSR1_, 0));
    SHOW(hits);
    SHOW(C3(rt_sigpending, pend, SET, 0));
    SHOW(pend[0]);
    SHOW(C4(rt_sigprocmask, SETMASK, before, 0, SET));
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
    SHOW(C3(ioctl, fd, TCGETS_, buf));
    SHOW(C3(futex, &value, 0 /* FUTEX_WAIT */, value + 1));
    SHOW(C3(getpeername, 0, buf, &len));
    SHOW(call(7777, 0, 0, 0, 0, 0, 0));
#ifdef __arm__
    arm();
#endif
    return 7;
}

void __start(void);
void __start(void)
{
    C3(exit_group, run(), 0, 0);
}
