/* Product of two 40x40 matrices of 32-bit integers a piece of work, the result being the next left
 * operand: multiply-add in three nested loops. */
#include "bench.h"

enum { SIZE = 40 };
static int32_t a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void multiply(void)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            uint32_t sum = 0;
            for (int k = 0; k < SIZE; k++)
                sum += (uint32_t)a[i][k] * (uint32_t)b[k][j];
            c[i][j] = (int32_t)sum;
        }
}

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 11;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = (int32_t)bench_random(&seed);
            b[i][j] = (int32_t)bench_random(&seed);
        }
    uint64_t sum = 0;
    for (; n; n--) {
        multiply();
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                a[i][j] = (c[i][j] >> 3) ^ i;
        sum = bench_mix(sum, (uint32_t)c[n % SIZE][3]);
    }
    return sum;
}
