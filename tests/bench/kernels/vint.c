/* Integer loops the compiler vectorises (-O3): y = a*x + y and a dot product over 4096 elements,
 * four times a piece of work. */
#include "bench.h"

enum { SIZE = 4096 };
static uint32_t x[SIZE], y[SIZE];

static void axpy(uint32_t a)
{
    for (int i = 0; i < SIZE; i++)
        y[i] += a * x[i];
}

static uint32_t dot(void)
{
    uint32_t sum = 0;
    for (int i = 0; i < SIZE; i++)
        sum += x[i] * y[i];
    return sum;
}

static void blend(void)
{
    for (int i = 0; i < SIZE; i++) {
        uint32_t d = y[i] - x[i];
        x[i] = (int32_t)d < 0 ? y[i] : x[i] + (d >> 2);
    }
}

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 19;
    uint64_t sum = 0;
    for (int i = 0; i < SIZE; i++) {
        x[i] = bench_random(&seed);
        y[i] = bench_random(&seed);
    }
    for (; n; n--)
        for (uint32_t i = 0; i < 4; i++) {
            axpy(i + 3);
            sum = bench_mix(sum, dot());
            blend();
        }
    return sum;
}
