/* What the two embedder programs (mmio_oryx.c, mmio_unicorn.c) share, so that they differ in
 * nothing but the library: the guest code, its addresses, clocks and the measures' main loop.
 * arm64.
 *
 *   mmio_read   loops over eight 4-byte device reads: ns a read
 *   mmio_write  the same with stores
 *   ram_read    the same loop over memory: what the reads of mmio_read cost without the device
 *   run_one     a run call that executes one instruction, warm: ns a call
 *   open_close  open a machine with 64 KiB of memory, run one instruction, close it: ns a round
 *   machines    100 machines open at once that each ran a small program: KiB of memory each */
#ifndef BENCH_EMBED_H
#define BENCH_EMBED_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CODE = 0x10000, CODE_SIZE = 0x10000, DEVICE = 0x9000000, DEVICE_SIZE = 0x1000 };
enum { MACHINES = 100, SMALL_TURNS = 50 };

/* x0 turns left, x1 the device, x2 sum. */
static const uint32_t code_mmio[] =
    {
        0xb9400023, 0x8b030042, /* ldr w3, [x1]; add x2, x2, x3, eight times */
        0xb9400023, 0x8b030042, 0xb9400023, 0x8b030042, 0xb9400023,
        0x8b030042, 0xb9400023, 0x8b030042, 0xb9400023, 0x8b030042,
        0xb9400023, 0x8b030042, 0xb9400023, 0x8b030042, 0xf1000400, /* subs x0, x0, #1 */
        0x54fffde1,                                                 /* b.ne to the first */
};
static const uint32_t code_mmio_write[] =
    {
        0xb9000022, 0x91000442, /* str w2, [x1]; add x2, x2, #1, eight times */
        0xb9000022, 0x91000442, 0xb9000022, 0x91000442, 0xb9000022,
        0x91000442, 0xb9000022, 0x91000442, 0xb9000022, 0x91000442,
        0xb9000022, 0x91000442, 0xb9000022, 0x91000442, 0xf1000400, /* subs x0, x0, #1 */
        0x54fffde1,                                                 /* b.ne to the first */
};
static const uint32_t code_one[] = {0x91000442, 0x14000000}; /* add x2, x2, #1; b . */
static const uint32_t code_small[] = {
    0x8b000042, /* add x2, x2, x0 */
    0xf1000400, /* subs x0, x0, #1 */
    0x54ffffc1, /* b.ne to the first */
};
enum { MMIO_READS = 8 };

typedef struct embed_clock {
    double wall, cpu;
} embed_clock;

static inline embed_clock embed_now(void)
{
    struct timespec w, c;
    clock_gettime(CLOCK_MONOTONIC, &w);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &c);
    return (embed_clock){(double)w.tv_sec + (double)w.tv_nsec * 1e-9,
                         (double)c.tv_sec + (double)c.tv_nsec * 1e-9};
}

/* Resident memory of this process in KiB. */
static inline double embed_resident(void)
{
    unsigned long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%lu %lu", &total, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1024;
}

/* Prints what run reads: CPU and wall nanoseconds an operation, and the checksum. */
static inline void embed_report(embed_clock from, uint64_t operations, uint64_t checksum)
{
    embed_clock to = embed_now();
    double n = (double)operations;
    printf("%.3f %.3f %016" PRIx64 "\n", (to.cpu - from.cpu) * 1e9 / n,
           (to.wall - from.wall) * 1e9 / n, checksum);
}

#endif
