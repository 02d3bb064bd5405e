/* Runs instructions as a guest of qemu-user: cases from standard input, results to standard output (tests/diff/mips_diff.py).
 *
 * A BREAK enters: its signal handler puts the case's registers into the signal context and returns into the code. Whatever
 * signal ends the case (a BREAK behind the code, a fault) finds all registers in its context. All in the guest's byte order.
 *
 * -DMSA: the upper halves of the vector registers and MSACSR, which qemu's contexts have not, are moved by the handler itself, as the guest's
 * code leaves and finds them. -DDSP: the context's accumulators and DSPControl are the case's. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE 0x10000000ul
#define DATA 0x20000000ul
#define WORDS 16
#define WINDOW 256

struct state {
    uint64_t r[32], hi, lo, pc, f[32], high[32], acc[6];
    uint32_t fcsr, msacsr, dsp, pad;
    uint8_t mem[WINDOW];
};
struct in {
    uint32_t code[WORDS];
    struct state s;
};
struct out {
    uint32_t signal, code;
    uint64_t addr;
    struct state s;
};

static struct in in;
static struct out out;
static int inside;
static sigjmp_buf done;

#ifdef MSA
static uint64_t vector[32][2]; /* both halves of each */

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) \
    X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define LOAD(n) "ld.d $w" #n ", " #n "*16(%0)\n"
#define STORE(n) "st.d $w" #n ", " #n "*16(%0)\n"
#define BEGIN ".set push\n.set fp=64\n.set msa\n"

static void put_vectors(void)
{
    for (int i = 0; i < 32; i++) {
        vector[i][0] = in.s.f[i];
        vector[i][1] = in.s.high[i];
    }
    __asm__ volatile(BEGIN EACH(LOAD) "ctcmsa $1, %1\n.set pop" : : "r"(vector), "r"(in.s.msacsr) : "memory");
}

static void take_vectors(void)
{
    __asm__ volatile(BEGIN EACH(STORE) ".set pop" : : "r"(vector) : "memory");
    __asm__ volatile(BEGIN "cfcmsa %0, $1\n.set pop" : "=r"(out.s.msacsr));
    for (int i = 0; i < 32; i++)
        out.s.high[i] = vector[i][1];
}
#endif

static void handler(int sig, siginfo_t *info, void *context)
{
    mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
    if (!inside) {
        inside = 1;
        for (int i = 1; i < 32; i++)
            m->gregs[i] = in.s.r[i];
        m->mdhi = in.s.hi;
        m->mdlo = in.s.lo;
        m->pc = CODE;
        for (int i = 0; i < 32; i++)
            memcpy(&m->fpregs.fp_r.fp_dregs[i], &in.s.f[i], 8);
        m->fpc_csr = in.s.fcsr;
#ifdef MSA
        put_vectors();
#endif
#ifdef DSP
        m->hi1 = in.s.acc[0];
        m->lo1 = in.s.acc[1];
        m->hi2 = in.s.acc[2];
        m->lo2 = in.s.acc[3];
        m->hi3 = in.s.acc[4];
        m->lo3 = in.s.acc[5];
        m->dsp = in.s.dsp;
#endif
        return;
    }
    inside = 0;
#ifdef MSA
    take_vectors();
#endif
#ifdef DSP
    const uint64_t acc[6] = { m->hi1, m->lo1, m->hi2, m->lo2, m->hi3, m->lo3 };
    memcpy(out.s.acc, acc, sizeof acc);
    out.s.dsp = (uint32_t)m->dsp;
#endif
    out.signal = (uint32_t)sig;
    out.code = (uint32_t)info->si_code;
    out.addr = (uintptr_t)info->si_addr;
    for (int i = 0; i < 32; i++)
        out.s.r[i] = m->gregs[i];
    out.s.hi = m->mdhi;
    out.s.lo = m->mdlo;
    out.s.pc = m->pc;
    for (int i = 0; i < 32; i++)
        memcpy(&out.s.f[i], &m->fpregs.fp_r.fp_dregs[i], 8);
    out.s.fcsr = m->fpc_csr;
    siglongjmp(done, 1);
}

int main(void)
{
    static uint8_t stack[65536];
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    static const int signals[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE };
    uint32_t *code = mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    uint8_t *data = mmap((void *)DATA, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (code == MAP_FAILED || data == MAP_FAILED || sigaltstack(&ss, NULL))
        return 3;
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &sa, NULL);
    for (unsigned i = 0; i < 1024; i++)
        code[i] = 0x0000000d; /* break */
    while (fread(&in, sizeof in, 1, stdin) == 1) {
        memcpy(code, in.code, sizeof in.code);
        __builtin___clear_cache((char *)code, (char *)(code + WORDS));
        memset(data, 0, 4096);
        memcpy(data, in.s.mem, WINDOW);
        if (!sigsetjmp(done, 1))
            __asm__ volatile("break");
        memcpy(out.s.mem, data, WINDOW);
        if (fwrite(&out, sizeof out, 1, stdout) != 1)
            return 3;
    }
    return fflush(stdout) ? 3 : 0;
}
