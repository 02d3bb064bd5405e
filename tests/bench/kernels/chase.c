/* Follows pointers through NODES nodes of 64 bytes in an order no prefetcher knows, STEPS steps a
 * piece of work: each load waits for the one before. 256 nodes lie in the first-level cache, 65536
 * (4 MiB) do not. */
#include "bench.h"

typedef struct node {
    struct node *next;
    uint64_t value;
    uint64_t pad[6];
} node;
static node nodes[NODES] __attribute__((aligned(64)));

uint64_t kernel(uint64_t n)
{
    /* i -> a*i + c modulo a power of two visits all when a % 4 == 1 and c is odd. */
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i].next = &nodes[(i * 40501u + 12345u) % NODES];
        nodes[i].value = i;
    }
    uint64_t sum = 0;
    const node *p = nodes;
    for (; n; n--) {
        for (int i = 0; i < STEPS; i++)
            p = p->next;
        sum = bench_mix(sum, p->value);
    }
    return sum;
}
