/* Spectral norm of the 64x64 corner of A(i,j) = 1/((i+j)(i+j+1)/2+i+1) in single precision, one
 * step of the power method a piece of work: integer to float conversion, division, square root. */
#include "bench.h"

enum { SIZE = 64 };
static float u[SIZE], v[SIZE], w[SIZE];

static float element(int i, int j)
{
    return 1.0f / (float)((i + j) * (i + j + 1) / 2 + i + 1);
}

static void times(const float *x, float *y)
{
    for (int i = 0; i < SIZE; i++) {
        float sum = 0;
        for (int j = 0; j < SIZE; j++)
            sum += element(i, j) * x[j];
        y[i] = sum;
    }
}

static void times_transposed(const float *x, float *y)
{
    for (int i = 0; i < SIZE; i++) {
        float sum = 0;
        for (int j = 0; j < SIZE; j++)
            sum += element(j, i) * x[j];
        y[i] = sum;
    }
}

uint64_t kernel(uint64_t n)
{
    uint64_t sum = 0;
    for (int i = 0; i < SIZE; i++)
        u[i] = (float)(i % 7 + 1);
    for (; n; n--) {
        float square = 0;
        times(u, w);
        times_transposed(w, v);
        for (int i = 0; i < SIZE; i++)
            square += v[i] * v[i];
        square = __builtin_sqrtf(square);
        for (int i = 0; i < SIZE; i++)
            u[i] = v[i] / square + (float)(n & 7) * 0.001f; /* or it settles and nothing changes */
        sum = bench_mix(sum, bench_bits_float(square));
    }
    return sum;
}
