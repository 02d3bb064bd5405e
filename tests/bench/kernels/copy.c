/* Copies 256 KiB a piece of work, forth and back, in 64-bit words that the compiler may widen
 * (-O3). */
#include "bench.h"

enum { WORDS = 32768 };
static uint64_t a[WORDS], b[WORDS];

static __attribute__((noinline)) void copy(uint64_t *restrict to, const uint64_t *restrict from)
{
    for (int i = 0; i < WORDS; i++)
        to[i] = from[i];
}

uint64_t kernel(uint64_t n)
{
    uint64_t sum = 0;
    for (int i = 0; i < WORDS; i++)
        a[i] = (uint64_t)i * 0x9e3779b97f4a7c15u;
    for (; n; n--) {
        a[n % WORDS] ^= n;
        copy(b, a);
        b[n * 7 % WORDS] += n;
        copy(a, b);
        sum = bench_mix(sum, a[n * 5 % WORDS]);
    }
    return sum;
}
