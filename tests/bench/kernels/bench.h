/* What every kernel sees. A kernel does `n` equal pieces of work and returns a checksum that
 * depends on all of them; with n = 0 it does its set-up only, which is how start-up is subtracted.
 * It has no libc: start.c has the entry, memcpy and memset, and the few system calls there are. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

uint64_t kernel(uint64_t n);

/* Anonymous memory of `size` bytes that may be written and executed; ends the program when refused.
 */
void *bench_code_memory(size_t size);
void bench_print(const char *text);

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);

/* A 32-bit linear congruential generator (Numerical Recipes' constants), the high bits are good. */
static inline uint32_t bench_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Folds a value into a checksum so that order matters. */
static inline uint64_t bench_mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ sum >> 29;
}

static inline uint64_t bench_bits(double value)
{
    union {
        double d;
        uint64_t u;
    } both = {.d = value};
    return both.u;
}

static inline uint32_t bench_bits_float(float value)
{
    union {
        float f;
        uint32_t u;
    } both = {.f = value};
    return both.u;
}

#endif
