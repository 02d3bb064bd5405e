/* A byte-code machine whose sixteen operations are functions called through a table, 16,384 calls a
 * piece of work over a program of 512 steps: indirect calls with many targets, and returns. */
#include "bench.h"

typedef struct machine {
    uint64_t a, b;
    uint64_t mem[16];
} machine;

typedef void (*operation)(machine *m, uint32_t arg);

#define OP(name, what)                         \
    static void name(machine *m, uint32_t arg) \
    {                                          \
        (void)arg;                             \
        what;                                  \
    }
OP(op_add, m->a += m->b + arg)
OP(op_sub, m->a -= m->b ^ arg)
OP(op_xor, m->a ^= m->b << 1)
OP(op_mul, m->a *= arg | 1)
OP(op_shl, m->a = m->a << 3 | m->a >> 61)
OP(op_shr, m->b ^= m->a >> 7)
OP(op_load, m->b = m->mem[arg & 15])
OP(op_store, m->mem[arg & 15] = m->a)
OP(op_swap, uint64_t t = m->a; m->a = m->b; m->b = t)
OP(op_inc, m->a++)
OP(op_not, m->b = ~m->b)
OP(op_min, if (m->a < m->b) m->b = m->a)
OP(op_max, if (m->a > m->b) m->b = m->a)
OP(op_loadx, m->a += m->mem[m->b & 15])
OP(op_storex, m->mem[m->b & 15] ^= m->a)
OP(op_set, m->b = arg)

static const operation table[16] = {op_add,  op_sub,   op_xor,    op_mul, op_shl, op_shr,
                                    op_load, op_store, op_swap,   op_inc, op_not, op_min,
                                    op_max,  op_loadx, op_storex, op_set};
static uint8_t program[512];

uint64_t kernel(uint64_t n)
{
    uint32_t seed = 13;
    machine m = {.a = 1, .b = 2};
    for (size_t i = 0; i < sizeof program; i++)
        program[i] = (uint8_t)bench_random(&seed);
    for (; n; n--)
        for (int round = 0; round < 32; round++)
            for (size_t i = 0; i < sizeof program; i++)
                table[program[i] & 15](&m, program[i]);
    uint64_t sum = bench_mix(m.a, m.b);
    for (int i = 0; i < 16; i++)
        sum = bench_mix(sum, m.mem[i]);
    return sum;
}
