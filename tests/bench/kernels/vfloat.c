/* Single-precision loops the compiler vectorises (-O3): y = a*x + b*y and a dot product over 4096
 * elements, four times a piece of work. The dot product keeps eight sums, so that its order is the
 * source's and the result the same on every host. */
#include "bench.h"

enum { SIZE = 4096 };
static float x[SIZE], y[SIZE];

static void axpy(float a)
{
    for (int i = 0; i < SIZE; i++)
        y[i] = a * x[i] + 0.75f * y[i];
}

static float dot(void)
{
    float part[8] = {0};
    for (int i = 0; i < SIZE; i += 8)
        for (int j = 0; j < 8; j++)
            part[j] += x[i + j] * y[i + j];
    float sum = 0;
    for (int j = 0; j < 8; j++)
        sum += part[j];
    return sum;
}

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 23;
    uint64_t sum = 0;
    for (int i = 0; i < SIZE; i++) {
        x[i] = (float)bench_random(&seed) / 16777216.0f - 0.5f;
        y[i] = (float)bench_random(&seed) / 16777216.0f - 0.5f;
    }
    for (; n; n--)
        for (int i = 0; i < 4; i++) {
            axpy((float)(n & 15) * 0.125f + (float)i);
            sum = bench_mix(sum, bench_bits_float(dot()));
        }
    return sum;
}
