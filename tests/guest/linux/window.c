/* Memory that compiled code may reach directly: accesses that leave it, cross into pages that forbid them, fault again and
 * again, race with changes of protection; code that changes itself by every road; signals of faults that are blocked or
 * sent. Under Oryx it runs with the window and without; the oracle knows no window. */
#include "check.h"
#include <pthread.h>
#include <setjmp.h>

static sigjmp_buf back;
static volatile int got_sig, got_code;
static volatile uint64_t got_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    got_sig = sig;
    got_code = info->si_code;
    got_addr = (uint64_t)info->si_addr;
    siglongjmp(back, 1);
}

/* Each access in a function of its own, so that its one instruction meets good and bad addresses in turn. */
#define ACCESS(name, body)                                   \
    __attribute__((noinline)) static void name(uint64_t a)   \
    {                                                        \
        __asm__ volatile(body ::"r"(a) : "x9", "x10", "x11", "v0", "v1", "memory"); \
    }
ACCESS(load1, "ldrb w9, [%0]")
ACCESS(load8, "ldr x9, [%0]")
ACCESS(load8_far, "ldr x9, [%0, #32760]")
ACCESS(load8_back, "ldur x9, [%0, #-256]")
ACCESS(load16, "ldr q0, [%0]")
ACCESS(load_pair, "ldp x9, x10, [%0]")
ACCESS(load_acquire, "ldar x9, [%0]")
ACCESS(store1, "strb wzr, [%0]")
ACCESS(store8, "mov x9, #-1\n str x9, [%0]")
ACCESS(store16, "movi v0.16b, #255\n str q0, [%0]")
ACCESS(store_pair, "mov x9, #-1\n stp x9, x9, [%0]")
ACCESS(store_quads, "movi v0.16b, #255\n movi v1.16b, #255\n stp q0, q1, [%0]")
ACCESS(store_release, "stlr xzr, [%0]")
ACCESS(store_index, "mov x10, #3\n mov x9, #-1\n str x9, [%0, x10, lsl #3]")
ACCESS(post_index, "mov x11, %0\n ldr x9, [x11], #16\n ldr x9, [x11], #16\n ldr x9, [x11]")
ACCESS(zero_line, "dc zva, %0")
ACCESS(swap, "1: ldxr x9, [%0]\n stxr w10, x9, [%0]\n cbnz w10, 1b")

static const struct {
    const char *name;
    void (*fn)(uint64_t);
} accesses[] = {
    {"load1", load1}, {"load8", load8}, {"load8_far", load8_far}, {"load8_back", load8_back}, {"load16", load16},
    {"load_pair", load_pair}, {"load_acquire", load_acquire}, {"store1", store1}, {"store8", store8}, {"store16", store16},
    {"store_pair", store_pair}, {"store_quads", store_quads}, {"store_release", store_release}, {"store_index", store_index},
    {"post_index", post_index}, {"zero_line", zero_line}, {"swap", swap},
};
#define N_ACCESSES (sizeof accesses / sizeof accesses[0])

static int faults(void (*fn)(uint64_t), uint64_t a)
{
    got_sig = got_code = 0;
    got_addr = 0;
    if (!sigsetjmp(back, 1))
        fn(a);
    return got_sig;
}

/* Addresses no arm64 program has: far outside, and at the edges of powers of two. */
static void wild(void)
{
    for (unsigned k = 0; k < N_ACCESSES; k++) {
        unsigned caught = 0, n = 0;
        for (unsigned bit = 48; bit < 56; bit++)
            for (int sign = -1; sign <= 1; sign += 2) {
                n++;
                caught += faults(accesses[k].fn, ((uint64_t)1 << bit) + (uint64_t)(int64_t)(sign * 0x20000)) == SIGSEGV;
            }
        for (uint64_t a = 0x10000; a <= 0x20000; a += 0x10000, n++)
            caught += faults(accesses[k].fn, 0x00ff000000000000u - a) == SIGSEGV;
        SAY("%s: %u of %u wild addresses fault", accesses[k].name, caught, n);
    }
}

/* An access that crosses from a page that allows it into one that does not has done nothing. */
static void crossing(uint8_t *page)
{
    const int P = 4096;
    for (unsigned k = 0; k < N_ACCESSES; k++)
        for (int forbid = 0; forbid < 2; forbid++) {
            unsigned n[3] = {0, 0, 0}, changed = 0;
            mprotect(page + P, P, forbid ? PROT_NONE : PROT_READ);
            for (int at = -40; at <= 0; at++) {
                memset(page + P - 64, 0x55, 64);
                int sig = faults(accesses[k].fn, (uint64_t)page + (uint64_t)(P + at));
                n[sig == SIGSEGV ? 1 : sig == SIGBUS ? 2 : 0]++;
                /* The part before the border is whole or untouched, per register that is stored. */
                for (int i = 0; sig && i < 64; i++)
                    changed += page[P - 64 + i] != 0x55;
            }
            mprotect(page + P, P, PROT_READ | PROT_WRITE);
            SAY("%s, %s: %u done, %u refused, %u misaligned, %u bytes of a refused one", accesses[k].name,
                forbid ? "no access" : "read only", n[0], n[1], n[2],
                accesses[k].fn == store_pair || accesses[k].fn == store_quads ? 0 : changed);
        }
}

static uint8_t *volatile shared_page;
static volatile int stop;
static volatile unsigned long reads, caught_in_thread;
static __thread sigjmp_buf thread_back;

static void on_thread_fault(int sig)
{
    (void)sig;
    siglongjmp(thread_back, 1);
}

static void *reader(void *arg)
{
    volatile uint8_t *p = shared_page;
    (void)arg;
    if (sigsetjmp(thread_back, 1))
        __atomic_fetch_add(&caught_in_thread, 1, __ATOMIC_RELAXED);
    while (!stop) {
        p[8]++;
        __atomic_fetch_add((volatile uint32_t *)(p + 64), 1, __ATOMIC_SEQ_CST);
        memset((void *)(p + 4000), 1, 96);
        __atomic_fetch_add(&reads, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* A thread's pages are taken away and given back while it runs: every fault is its own, none the emulator's. */
static void race(uint8_t *page)
{
    struct sigaction sa = {.sa_handler = on_thread_fault}, old[2];
    pthread_t t;
    sigaction(SIGSEGV, &sa, &old[0]);
    sigaction(SIGBUS, &sa, &old[1]);
    shared_page = page;
    stop = 0;
    reads = 0;
    pthread_create(&t, NULL, reader, NULL);
    for (int i = 0; i < 400; i++) {
        mprotect(page, 4096, i & 1 ? PROT_READ : PROT_NONE);
        if (i % 16 == 0)
            usleep(100);
        if (i % 5 == 0)
            mmap(page, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        else
            mprotect(page, 4096, PROT_READ | PROT_WRITE);
    }
    usleep(2000);
    while (!reads)
        sched_yield();
    stop = 1;
    pthread_join(t, NULL);
    sigaction(SIGSEGV, &old[0], NULL);
    sigaction(SIGBUS, &old[1], NULL);
    SAY("the thread went on");
}

static void put_code(uint32_t *code, int value)
{
    code[0] = 0x52800000u | (uint32_t)value << 5; /* mov w0, #value */
    code[1] = 0xd65f03c0u;                        /* ret */
    __builtin___clear_cache((char *)code, (char *)(code + 2));
}

static int call(uint32_t *code)
{
    return ((int (*)(void))code)();
}

/* Code rewritten through protections that change, then by pages that are both at once. */
static void code_changes(void)
{
    uint32_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 4; i++) {
        mprotect(code, 8192, PROT_READ | PROT_WRITE);
        put_code(code, 10 + i);
        mprotect(code, 8192, PROT_READ | PROT_EXEC);
        VALUE(call(code));
    }
    VALUE(faults(store8, (uint64_t)code));
    VALUE(call(code));
    mprotect(code, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (int i = 0; i < 4; i++) {
        put_code(code, 20 + i);
        VALUE(call(code));
    }
    /* The next instruction of the running block. */
    uint32_t patch[] = {0x18000080u /* ldr w0, .+16 */, 0xb9000420u /* str w0, [x1, #4] */};
    memcpy(code + 256, patch, sizeof patch);
    put_code(code, 30);
    VALUE(call(code));
    mprotect(code, 8192, PROT_READ | PROT_EXEC);
    VALUE(call(code));
    VALUE(faults(store8, (uint64_t)code));
    VALUE(munmap(code, 8192));
    VALUE(faults((void (*)(uint64_t))(void *)code, 0));
}

static void beyond_file(void)
{
    int fd = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
    VALUE(ftruncate(fd, 5000));
    uint8_t *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    VALUE(p[4999]);
    VALUE(faults(load8, (uint64_t)p + 8192));
    VALUE(faults(store8, (uint64_t)p + 8192 + 8));
    VALUE(faults(load16, (uint64_t)p + 8192 - 8));
    VALUE(faults(store16, (uint64_t)p + 8192 - 8));
    p[4096] = 7;
    VALUE(ftruncate(fd, 4096));
    VALUE(faults(load8, (uint64_t)p + 4096));
    VALUE(faults(swap, (uint64_t)p + 4096));
    VALUE(ftruncate(fd, 8192));
    VALUE(p[4096]);
    VALUE(faults(load8, (uint64_t)p + 4096));
    p = mremap(p, 3 * 4096, 4096, 0);
    VALUE(p != MAP_FAILED);
    VALUE(faults(load8, (uint64_t)p + 4096));
    close(fd);
}

static volatile int sent;
static void on_sent(int sig, siginfo_t *info, void *context)
{
    (void)context;
    sent += sig * (info->si_code <= 0 ? 1 : 1000);
}

/* Faults of the guest's memory while every signal is blocked, and signals of faults that somebody sends. */
static void masks(uint8_t *page)
{
    sigset_t all, old, pending;
    struct sigaction sa = {.sa_sigaction = on_sent, .sa_flags = SA_SIGINFO}, was;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    for (int i = 0; i < 4096 * 4; i += 64)
        page[i]++; /* direct, not a fault: but it may be one on the way */
    mprotect(page, 4096, PROT_READ);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    page[0]++;
    sigaction(SIGSEGV, &sa, &was);
    kill(getpid(), SIGSEGV);
    VALUE(sent);
    sigpending(&pending);
    VALUE(sigismember(&pending, SIGSEGV));
    sigprocmask(SIG_SETMASK, &old, NULL);
    VALUE(sent);
    raise(SIGSEGV);
    VALUE(sent);
    sigaction(SIGSEGV, &was, NULL);
    pid_t pid = fork();
    if (!pid) { /* a fault whose signal is blocked kills */
        sigprocmask(SIG_SETMASK, &all, NULL);
        *(volatile uint8_t *)8 = 1;
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    VALUE(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    pid = fork();
    if (!pid) { /* ignored: the same */
        signal(SIGSEGV, SIG_IGN);
        raise(SIGSEGV);
        *(volatile uint8_t *)8 = 1;
        _exit(0);
    }
    waitpid(pid, &status, 0);
    VALUE(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    pid = fork();
    if (!pid) {
        signal(SIGBUS, SIG_DFL);
        raise(SIGBUS);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    VALUE(WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

/* An instruction that faults each time, and one whose pointers carry a tag, stay exact when they are compiled anew. */
static void often(uint8_t *page)
{
    unsigned n = 0;
    for (int i = 0; i < 50; i++)
        n += faults(store1, 16) == SIGSEGV && got_addr == 16 && got_code == SEGV_MAPERR;
    VALUE(n);
    n = 0;
    for (int i = 0; i < 50; i++) {
        page[9] = 1;
        n += !faults(store1, ((uint64_t)page + 9) | (uint64_t)(i + 1) << 56) && page[9] == 0;
    }
    VALUE(n);
    mprotect(page, 4096, PROT_READ);
    n = 0;
    for (int i = 0; i < 50; i++)
        n += faults(store1, (uint64_t)page) == SIGSEGV && got_addr == (uint64_t)page && got_code == SEGV_ACCERR && !faults(load1, (uint64_t)page);
    VALUE(n);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    uint8_t *page = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    wild();
    crossing(page);
    often(page);
    race(page);
    masks(page);
    beyond_file();
    code_changes();
    crossing(page); /* now without direct stores, if there were any */
    race(page);
    return 0;
}
