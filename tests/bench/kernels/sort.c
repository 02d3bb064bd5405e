/* Quick sort of 2048 integers a piece of work (median of three, insertion sort below 12): compares
 * and branches that no predictor knows, loads and stores. */
#include "bench.h"

enum { COUNT = 2048 };
static int32_t values[COUNT];

static void insertion(int32_t *a, int32_t *last)
{
    for (int32_t *i = a + 1; i <= last; i++) {
        int32_t v = *i, *j = i;
        for (; j > a && j[-1] > v; j--)
            *j = j[-1];
        *j = v;
    }
}

static void quick(int32_t *a, int32_t *last)
{
    while (last - a > 12) {
        int32_t x = *a, y = a[(last - a) / 2], z = *last;
        int32_t pivot = x < y ? (y < z ? y : x < z ? z : x) : (x < z ? x : y < z ? z : y);
        int32_t *i = a, *j = last;
        while (i <= j) {
            while (*i < pivot)
                i++;
            while (*j > pivot)
                j--;
            if (i <= j) {
                int32_t t = *i;
                *i++ = *j;
                *j-- = t;
            }
        }
        quick(a, j);
        a = i;
    }
    insertion(a, last);
}

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 7;
    uint64_t sum = 0;
    for (; n; n--) {
        for (int i = 0; i < COUNT; i++)
            values[i] = (int32_t)(bench_random(&seed) << 8);
        quick(values, values + COUNT - 1);
        for (int i = 0; i < COUNT; i += 64)
            sum = bench_mix(sum, (uint32_t)values[i]);
    }
    return sum;
}
