/* Product of two 40x40 matrices of doubles a piece of work, scaled to stay finite. */
#include "bench.h"

enum { SIZE = 40 };
static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            double sum = 0;
            for (int k = 0; k < SIZE; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 17;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (double)bench_random(&seed) / 16777216.0 - 0.5;
            b[i][j] = (double)bench_random(&seed) / 16777216.0 - 0.5;
        }
    uint64_t sum = 0;
    for (; n; n--) {
        multiply();
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                a[i][j] = a[i][j] * 0.5 + c[i][j] * 0.0625;
        sum = bench_mix(sum, bench_bits(c[n % SIZE][5]));
    }
    return sum;
}
