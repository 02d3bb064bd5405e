/* STREAM's triad, a = b + s*c, over three arrays of 1 MiB of doubles a piece of work (-O3). */
#include "bench.h"

enum { SIZE = 131072 };
static double a[SIZE], b[SIZE], c[SIZE];

static __attribute__((noinline)) void triad(double s)
{
    for (int i = 0; i < SIZE; i++)
        a[i] = b[i] + s * c[i];
}

uint64_t kernel(uint64_t n)
{
    uint64_t sum = 0;
    for (int i = 0; i < SIZE; i += 16)
        for (int j = 0; j < 16; j++) {
            b[i + j] = (double)j;
            c[i + j] = (double)(i & 255);
        }
    for (; n; n--) {
        triad((double)(n & 255));
        sum = bench_mix(sum, bench_bits(a[n * 31 % SIZE]));
    }
    return sum;
}
