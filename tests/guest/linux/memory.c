/* Mappings: placement, protection, sharing, growth; each wrong access is caught and its signal told. */
#include "check.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int got_sig, got_code;
static void *volatile got_addr;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    (void)context;
    got_sig = sig;
    got_code = info->si_code;
    got_addr = info->si_addr;
    siglongjmp(back, 1);
}

#define FAULTS(stmt, where)                                                                                 \
    do {                                                                                                    \
        got_sig = 0;                                                                                        \
        if (!sigsetjmp(back, 1)) {                                                                          \
            stmt;                                                                                           \
        }                                                                                                   \
        SAY("%s: signal %d code %d at %s", #stmt, got_sig, got_code,                                        \
            !got_sig ? "nothing" : got_addr == (void *)(where) ? "the address" : "elsewhere");              \
    } while (0)

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    const size_t P = 4096;
    volatile char *p = mmap(NULL, 16 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    VALUE(p != MAP_FAILED);
    p[0] = 1;
    p[16 * P - 1] = 2;
    VALUE(mprotect((void *)(p + P), P, PROT_READ));
    VALUE(p[P]);
    FAULTS(p[P] = 1, p + P);
    FAULTS(p[P + 100] = 1, p + P + 100);
    VALUE(mprotect((void *)(p + 2 * P), P, PROT_NONE));
    FAULTS((void)p[2 * P], p + 2 * P);
    VALUE(mprotect((void *)(p + 2 * P), P, PROT_READ | PROT_WRITE));
    p[2 * P] = 3;
    VALUE(munmap((void *)(p + 4 * P), 2 * P));
    FAULTS((void)p[4 * P + 8], p + 4 * P + 8);
    FAULTS(*(volatile int *)16 = 1, 16);
    FAULTS(*(volatile int *)0x7ffffffffff8 = 1, 0x7ffffffffff8);
    TRY(mprotect((void *)(p + 3 * P), 3 * P, PROT_READ));
    TRY(mprotect((void *)(p + 1), P, PROT_READ));
    TRY(munmap((void *)(p + 1), P));
    TRY(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    TRY(mmap(NULL, P, PROT_READ, MAP_PRIVATE, -1, 0));
    void *q = mmap((void *)(p + 4 * P), P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    VALUE(q == (void *)(p + 4 * P));
    VALUE(p[4 * P]);
    q = mmap((void *)(p + 4 * P), P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    VALUE(q == MAP_FAILED && errno == EEXIST);

    /* files */
    int fd = open("map", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char page[4096];
    memset(page, 'x', sizeof(page));
    VALUE(write(fd, page, 4096));
    VALUE(write(fd, "tail", 4));
    volatile char *s = mmap(NULL, 4 * P, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    VALUE(s != MAP_FAILED);
    VALUE(s[P]);
    VALUE(s[P + 4]);
    s[1] = 'Y';
    char c = 0;
    VALUE(pread(fd, &c, 1, 1));
    VALUE(c);
    VALUE(pwrite(fd, "Z", 1, 2));
    VALUE(s[2]);
    FAULTS((void)s[2 * P], s + 2 * P);
    FAULTS(s[3 * P] = 1, s + 3 * P);
    TRY(write(1, (const void *)(s + 2 * P), 1));
    TRY(read(fd, (void *)(s + 3 * P), 1));
    volatile char *v = mmap(NULL, 2 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    v[1] = 'P';
    VALUE(s[1]);
    VALUE(v[1]);
    volatile char *o = mmap(NULL, P, PROT_READ, MAP_SHARED, fd, P);
    VALUE(o[0]);
    TRY(mmap(NULL, P, PROT_READ, MAP_SHARED, fd, 100));
    VALUE(msync((void *)s, P, MS_SYNC));
    int ro = open("map", O_RDONLY);
    TRY(mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
    volatile char *r = mmap(NULL, P, PROT_READ, MAP_SHARED, ro, 0);
    VALUE(r[1]);
    TRY(mprotect((void *)r, P, PROT_READ | PROT_WRITE));

    VALUE(s[P]);
    VALUE(ftruncate(fd, 100));
    FAULTS((void)s[P], s + P); /* a page that was there */
    VALUE(ftruncate(fd, 8192));
    VALUE(s[P]);

    /* growth */
    char *g = mmap(NULL, 2 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(g, "grow");
    g = mremap(g, 2 * P, 64 * P, MREMAP_MAYMOVE);
    VALUE(g != MAP_FAILED);
    TEXT(g);
    g[64 * P - 1] = 9;
    g = mremap(g, 64 * P, P, 0);
    TEXT(g);
    FAULTS(g[P] = 1, g + P);
    void *to = mmap(NULL, 4 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *h = mremap(g, P, 2 * P, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    VALUE(h == to);
    TEXT(h);
    h[2 * P - 1] = 1;
    FAULTS(h[2 * P] = 1, h + 2 * P);
    FAULTS(g[0] = 1, g);
    TRY(mremap((void *)16, P, P, 0));
    VALUE(madvise(h, P, MADV_DONTNEED));
    VALUE(h[0]);
    char *brk0 = sbrk(0);
    VALUE(sbrk(100000) == brk0);
    brk0[99999] = 1;
    VALUE(sbrk(-100000) == brk0 + 100000);
    VALUE(sbrk(0) == brk0);

    /* fork: private is private, shared is shared */
    char *sh = mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    sh[0] = 1;
    p[0] = 1;
    pid_t pid = fork();
    if (!pid) {
        sh[0] = 5;
        p[0] = 5;
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    VALUE(sh[0]);
    VALUE(p[0]);

    /* code written at run time */
#ifdef __arm__
    enum { MOV = 0xe3a00000u, SHIFT = 0 };  /* mov r0, #imm */
    const uint32_t ret = 0xe12fff1eu;       /* bx lr */
#elif defined(__mips__)
    enum { MOV = 0x24020000u, SHIFT = 0 };  /* li v0, imm; what follows the jump is a nop */
    const uint32_t ret = 0x03e00008u;       /* jr ra */
#elif defined(__x86_64__)
    enum { MOV = 0x000000b8u, SHIFT = 8 };  /* mov eax, imm32: three bytes of it */
    const uint32_t ret = 0x0000c300u;       /* the fourth, ret */
#else
    enum { MOV = 0x52800000u, SHIFT = 5 };  /* mov w0, #imm */
    const uint32_t ret = 0xd65f03c0u;       /* ret */
#endif
    uint32_t *code = mmap(NULL, P, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 3; i++) {
        code[0] = MOV | (uint32_t)(i * 11) << SHIFT;
        code[1] = ret;
        __builtin___clear_cache((char *)code, (char *)(code + 2));
        VALUE(((int (*)(void))code)());
    }
    int cf = open("code", O_RDWR | O_CREAT | O_TRUNC, 0700);
    uint32_t words[2] = {MOV | 77u << SHIFT, ret};
    VALUE(write(cf, words, 8));
    lseek(cf, 0, SEEK_SET);
    VALUE(read(cf, code, 8)); /* a system call overwrites code that has run */
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    VALUE(((int (*)(void))code)());
    VALUE(mprotect(code, P, PROT_READ));
    FAULTS(((int (*)(void))code)(), code);
    return 0;
}
