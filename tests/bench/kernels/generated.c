/* Runs generated code once: n of the command line is 0 or 1. `generated` is written by gen_code.py,
 * which also computes what it must return. */
#include "bench.h"

uint64_t generated(uint64_t *memory, const uint64_t *values);

uint64_t kernel(uint64_t n)
{
    static uint64_t memory[64], values[8];
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++)
        values[i] = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u;
    for (; n; n--)
        sum = generated(memory, values);
    return sum;
}
