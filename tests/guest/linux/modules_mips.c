/* MSA, DSP and Release 6 as compilers use them: loops that gcc turns into vectors, DSP intrinsics, and what a signal handler that uses the same
 * registers leaves (modules_mips.py). Prints results and HWCAP's bits of Release 6 and MSA. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>

#define N 64
static float a[N], b[N], c[N];
static double d[N];
static int x[N], y[N];
static short s[N];
static unsigned char u[N];
static volatile int hits;

__attribute__((noinline)) static void work(void)
{
    for (int i = 0; i < N; i++) {
        c[i] = a[i] * b[i] + c[i];
        d[i] = sqrt(d[i]) + a[i] / 3;
        x[i] = x[i] * y[i] + (x[i] >> 3) + (c[i] > 10 ? (int)b[i] : 1);
        s[i] = s[i] > 7 ? s[i] - 3 : s[i] + 5;
        u[i] = (unsigned char)((u[i] + i + 1) >> 1);
    }
}

#ifdef __mips_dsp
typedef short q15 __attribute__((vector_size(4)));

__attribute__((noinline)) static long long dsp(int seed)
{
    q15 v = { (short)(seed * 7919), (short)(seed * 31337) }, w = { 0x7fff, (short)0x8000 };
    long long acc = seed;
    for (int i = 0; i < 20; i++) {
        v = __builtin_mips_addq_s_ph(v, __builtin_mips_mulq_rs_ph(v, w));
        acc = __builtin_mips_dpaq_s_w_ph(acc, v, w);
        acc += __builtin_mips_extr_s_h(acc, 5);
    }
    return acc ^ __builtin_mips_rddsp(63);
}
#endif

static void handler(int n)
{
    (void)n;
    hits++;
    work();
#ifdef __mips_dsp
    __asm__ volatile("mthi $0, $ac1\n mtlo $0, $ac3\n wrdsp $0, 63");
#endif
}

int main(void)
{
    for (int i = 0; i < N; i++) {
        a[i] = (float)i * 0.5f;
        b[i] = 3 - (float)i * 0.25f;
        d[i] = i * 100;
        x[i] = i * 7919;
        y[i] = 31 - i;
        s[i] = (short)i;
        u[i] = (unsigned char)(i * 3);
    }
    for (int k = 0; k < 50; k++)
        work();
    signal(SIGUSR1, handler);
#ifdef __mips_msa
    static const unsigned long long before[2] = { 0x1122334455667788ull, 0x99aabbccddeeff00ull };
    unsigned long long after[2];
    __asm__ volatile("ld.d $w30, 0(%0)" : : "r"(before) : "memory", "$f30");
    raise(SIGUSR1);
    __asm__ volatile("st.d $w30, 0(%0)" : : "r"(after) : "memory");
    printf("upper half kept: %d\n", after[1] == before[1]);
#endif
#ifdef __mips_dsp
    unsigned hi, lo, ctl;
    __asm__ volatile("mthi %0, $ac1\n mtlo %1, $ac3\n wrdsp %2, 63" : : "r"(0x12345678), "r"(0x9abcdef0), "r"(0x03aa2305));
    raise(SIGUSR1);
    __asm__ volatile("mfhi %0, $ac1\n mflo %1, $ac3\n rddsp %2, 63" : "=r"(hi), "=r"(lo), "=r"(ctl));
    printf("kept: %x %x %x\n", hi, lo, ctl);
    for (int i = 0; i < 5; i++)
        printf("dsp %llx\n", dsp(i * 77));
#endif
    double t = 0;
    long long z = 0;
    for (int i = 0; i < N; i++) {
        t += c[i] + d[i];
        z += x[i] + s[i] + u[i];
    }
    printf("hwcap %lx, %d signals, %.9g, %lld, %g\n", getauxval(AT_HWCAP) & 3, hits, t, z, sqrt(t * t));
    return 0;
}
