/* Ackermann's function, a(2, 90) and neighbours a piece of work: recursion some 200 frames deep, so
 * deeper than any return predictor. */
#include "bench.h"

static __attribute__((noinline)) uint32_t ack(uint32_t m, uint32_t n)
{
    if (!m)
        return n + 1;
    if (!n)
        return ack(m - 1, 1);
    return ack(m - 1, ack(m, n - 1));
}

uint64_t kernel(uint64_t n)
{
    uint64_t sum = 0;
    for (; n; n--)
        sum = bench_mix(sum, ack(2, 88 + (uint32_t)(n & 3)));
    return sum;
}
