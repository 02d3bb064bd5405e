/* What a change among 10,000 siblings costs, and a lookup in that map against one in a map of 10
 * regions. Run: ORYX_BUILD=<build directory> bench_regions
 * Goal (issue "Memory"): a change costs microseconds, a lookup at most 1.5 times that of 10. The
 * regions share their bytes, so that the ratio is about finding them and not about the host's
 * caches for 40 MB of memory. */
#include <time.h>

#include "mem_fake.h"

#define STRIDE 0x2000u

static uint8_t memory[0x1000] __attribute__((aligned(4096)));

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct map {
    oryx_machine *m;
    oryx_region **r;
    unsigned n;
};

static struct map map_new(unsigned n)
{
    struct map map = {fake_machine(), calloc(n, sizeof(oryx_region *)), n};
    for (unsigned i = 0; i < n; i++) {
        map.r[i] = fake_ram(map.m, "r", 0x1000, memory);
        fake_add(fake_root(map.m), (uint64_t)i * STRIDE, map.r[i], 0);
    }
    return map;
}

static uint64_t order[4096];

/* Reads go round `set` random regions of the map, in random order. */
static double lookup(const struct map *map, unsigned set)
{
    uint64_t some[10000];
    uint64_t y = 99;
    for (unsigned i = 0; i < set; i++) {
        y = y * 6364136223846793005u + 1442695040888963407u;
        some[i] = (y >> 33) % map->n * STRIDE;
    }
    uint64_t sum = 0, x = 1;
    uint32_t v;
    for (unsigned i = 0; i < 4096; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        order[i] = some[(x >> 33) % set] + (x >> 20 & 0xffc);
    }
    oryx_space *s = fake_space(map->m);
    double t = now();
    for (unsigned i = 0; i < 400000; i++) {
        oryx_space_read(s, order[i & 4095], &v, 4, 0);
        sum += v;
    }
    t = (now() - t) / 400000;
    return sum == 1 ? 0 : t;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof(*v), by_value);
    return v[n / 2];
}

#define ROUNDS 2001

int main(int argc, char **argv)
{
    int json = argc > 1 && !strcmp(argv[1], "--json");
    static double add[ROUNDS], del[ROUNDS], move[ROUNDS], toggle[ROUNDS], few[15], many[15],
        ratio[15];
    struct map big = map_new(10000), small = map_new(10);
    oryx_region *extra = fake_ram(big.m, "extra", 0x800, memory);
    uint64_t x = 7;
    for (unsigned i = 0; i < ROUNDS; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        uint64_t at = (x >> 33) % 10000 * STRIDE + 0x1000;
        oryx_region *r = big.r[(x >> 40) % 10000];
        double t0 = now();
        assert_ok(oryx_region_add(fake_root(big.m), at, extra, 0, NULL));
        double t1 = now();
        assert_ok(oryx_region_move(extra, (at + 0x1000000) % 0x4e20000, NULL));
        double t2 = now();
        assert_ok(oryx_region_remove(extra, NULL));
        double t3 = now();
        assert_ok(oryx_region_enable(r, 0, NULL));
        double t4 = now();
        assert_ok(oryx_region_enable(r, 1, NULL));
        add[i] = t1 - t0;
        move[i] = t2 - t1;
        del[i] = t3 - t2;
        toggle[i] = t4 - t3;
    }
    double change = (median(add, ROUNDS) + median(move, ROUNDS) + median(del, ROUNDS) + median(toggle, ROUNDS)) / 4e3;
    if (!json)
        printf("one of 10,000 siblings, median: add %.1f us, move %.1f us, remove %.1f us, toggle %.1f "
           "us\n",
           median(add, ROUNDS) / 1e3, median(move, ROUNDS) / 1e3, median(del, ROUNDS) / 1e3,
           median(toggle, ROUNDS) / 1e3);
    static const unsigned sets[] = {10, 100, 1000, 10000};
    for (unsigned k = 0; k < 4; k++) {
        for (unsigned i = 0; i < 15; i++) {
            few[i] = lookup(&small, 10);
            many[i] = lookup(&big, sets[k]);
            ratio[i] = many[i] / few[i];
        }
        if (json && k == 3)
            printf("{\"region_change\": %.3f, \"region_lookup\": %.3f}\n", change, median(ratio, 15));
        if (!json)
            printf("4-byte read, random among %5u regions of 10,000: %.1f ns; of a map of 10: %.1f ns; "
               "ratio %.2f\n",
               sets[k], median(many, 15), median(few, 15), median(ratio, 15));
    }
    fake_machine_free(big.m);
    fake_machine_free(small.m);
    free(big.r);
    free(small.r);
    return 0;
}
