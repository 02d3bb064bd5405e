/* Fibonacci numbers by plain recursion, fib(20) a piece of work: calls, returns and stack frames.
 */
#include "bench.h"

static __attribute__((noinline)) uint64_t fib(uint64_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t kernel(uint64_t n)
{
    uint64_t sum = 0;
    for (; n; n--)
        sum = bench_mix(sum, fib(18 + (n & 3)));
    return sum;
}
