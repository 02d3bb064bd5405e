/* "Pages with translated code, watchpoints, copy-on-write or dirty logging lose their fast path for just as long as needed; other pages
 * pay nothing": a loop of loads and stores over 64 pages, with nothing special in the machine and with each of these on another page
 * (or on all, once the first writes are over), in both modes of access; and "just as long": with each of them on one of these
 * pages, and gone again. Prints nanoseconds and ratios (--json: for
 * tests/bench); fails when a loop takes three times as long, which one access in twenty on the slow path would do. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "oryx.h"

enum { SIZE = 0x100000, CODE = 0x1000, AREA = 0x40000, OTHER = 0x90000, ROUNDS = 25, TURNS = 100000 };
enum { PLAIN, WITH_CODE, WATCHED, SNAPSHOT, LOGGED, EXCLUSIVE, CASES };
static const char *const names[CASES] = {"plain", "code", "watch", "snapshot", "dirty", "exclusive"};

static const uint32_t loop[] = {
    0xf8626823, /* ldr x3, [x1, x2] */
    0x91000463, /* add x3, x3, #1 */
    0xf8226823, /* str x3, [x1, x2] */
    0x91012042, /* add x2, x2, #72 */
    0x927d3842, /* and x2, x2, #0x3fff8 */
    0x17fffffb, /* b the first */
};

static oryx_machine *m;
static oryx_vcpu *v, *second;
static oryx_region *ram;
static uint8_t *reserved;

static void must(oryx_status st, const char *what)
{
    if (st) {
        printf("FAIL %s: %s\n", what, oryx_status_text(st));
        exit(1);
    }
}

static oryx_status flat(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr;
    out->page_size = ORYX_PAGE_SIZE;
    out->prot = ORYX_PROT_ALL;
    return ORYX_OK;
}

static void up(int window)
{
    char path[600];
    oryx_error err = {0};
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD") ? getenv("ORYX_BUILD") : ".");
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = "x64", .plugin_path = path,
                             .window = window ? "on" : "off"};
    must(oryx_machine_new(&c, &m, &err), err.text);
    reserved = mmap(NULL, SIZE + 2ull * ORYX_WINDOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *host = reserved + ORYX_WINDOW_GUARD;
    if (reserved == MAP_FAILED || mprotect(host, SIZE, PROT_READ | PROT_WRITE))
        must(ORYX_E_NOMEM, "mmap");
    oryx_space *s = oryx_space_get(m, "system");
    oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config), .name = "memory", .last = SIZE - 1, .host = host};
    must(oryx_region_new(m, "ram", &rc, &ram, &err), err.text);
    must(oryx_region_add(oryx_space_root(s), 0, ram, 0, &err), err.text);
    must(oryx_vcpu_new(m, NULL, &v, &err), err.text);
    oryx_vcpu_set_mmu(v, flat, NULL);
    oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = host, .size = SIZE, .mmu = flat, .prot = ORYX_PROT_WRITE};
    if (window)
        must(oryx_space_set_window(s, &w, &err), err.text);
    must(oryx_space_write(s, CODE, loop, sizeof(loop), 0), "write");
    must(oryx_space_write(s, OTHER, loop, sizeof(loop), 0), "write");
}

static double run(oryx_vcpu *cpu, uint64_t pc, uint64_t base, uint64_t count)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = count};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    struct timespec t0, t1;
    oryx_reg_write(cpu, oryx_reg_find(m, "x1"), &base, 8);
    oryx_vcpu_set_pc(cpu, pc);
    clock_gettime(CLOCK_MONOTONIC, &t0);
    must(oryx_vcpu_run(cpu, &l, &e), "run");
    clock_gettime(CLOCK_MONOTONIC, &t1);
    if (e.reason != ORYX_EXIT_COUNT)
        must(ORYX_E_STATE, oryx_exit_text(e.reason));
    return (double)(t1.tv_sec - t0.tv_sec) * 1e9 + (double)(t1.tv_nsec - t0.tv_nsec);
}

/* Nanoseconds a turn, with the one thing that the case names; gone: with what it left, on a page of the loop. */
static double measured(unsigned which, int window, int gone)
{
    const uint64_t at = gone ? AREA + 0x1000 : OTHER;
    oryx_error err = {0};
    static const uint32_t ldxr = 0xc85f7c20; /* ldxr x0, [x1] */
    up(window);
    run(v, CODE, AREA, 6ull * 20000);
    oryx_watch_config wc = {.hdr = ORYX_HDR(oryx_watch_config), .addr = at, .size = 8, .flags = ORYX_WATCH_READ | ORYX_WATCH_WRITE,
                            .region = ram};
    oryx_watch *watch = NULL;
    oryx_snapshot *snapshot = NULL;
    switch (which) {
    case WITH_CODE:
        must(oryx_space_write(oryx_space_get(m, "system"), at, loop, sizeof(loop), 0), "write");
        run(v, at, gone ? OTHER : AREA, 600);
        break;
    case WATCHED:
        must(oryx_watch_add(m, &wc, &watch, &err), err.text);
        break;
    case SNAPSHOT:
        must(oryx_snapshot_take(m, NULL, &snapshot, &err), err.text);
        break;
    case LOGGED:
        must(oryx_dirty_start(ram, ORYX_DIRTY_USER, &err), err.text);
        break;
    case EXCLUSIVE:
        must(oryx_vcpu_new(m, NULL, &second, &err), err.text);
        must(oryx_space_write(oryx_space_get(m, "system"), CODE + 0x800, &ldxr, 4, 0), "write");
        run(second, CODE + 0x800, at + 0x2000, 1);
        break;
    default:
        break;
    }
    if (gone) {
        run(v, CODE, which == WITH_CODE ? AREA : OTHER, 6ull * 20000);
        oryx_watch_remove(watch);
        if (snapshot) {
            must(oryx_snapshot_restore(snapshot, &err), err.text);
            oryx_snapshot_drop(snapshot);
        }
        if (which == LOGGED)
            must(oryx_dirty_stop(ram, ORYX_DIRTY_USER, &err), err.text);
    }
    run(v, CODE, AREA, 6ull * 20000); /* the first writes, compiled anew */
    double best = 1e30;
    for (unsigned i = 0; i < 3; i++) {
        double took = run(v, CODE, AREA, 6ull * TURNS) / TURNS;
        best = took < best ? took : best;
    }
    oryx_machine_destroy(m);
    munmap(reserved, SIZE + 2ull * ORYX_WINDOW_GUARD);
    return best;
}

int main(int argc, char **argv)
{
    static const double bound = 3;
    int json = argc > 1 && !strcmp(argv[1], "--json"), wrong = 0;
    double ns[2][2][CASES]; /* there or gone, mode, case */
    for (unsigned i = 0; i < 4 * CASES; i++)
        (&ns[0][0][0])[i] = 1e30;
    for (unsigned round = 0; round < (json ? ROUNDS : 5); round++)
        for (unsigned i = 0; i < 4 * CASES; i++) {
            int gone = i >= 2 * CASES, window = i / CASES % 2;
            unsigned k = i % CASES;
            if ((json && gone) || (gone && k == EXCLUSIVE)) /* which stay: monitor.c */
                continue;
            double took = measured(k, window, gone), *best = &ns[gone][window][k];
            *best = took < *best ? took : *best;
        }
    if (json)
        printf("{");
    for (unsigned i = 0; i < 4 * CASES; i++) {
        int gone = i >= 2 * CASES, window = i / CASES % 2;
        unsigned k = i % CASES;
        double ratio = ns[gone][window][k] / ns[gone][window][PLAIN];
        if (ns[gone][window][k] >= 1e30)
            continue;
        if (json && k)
            printf("%s\"pages_%s%s\": %.3f", i > 1 ? ", " : "", names[k], window ? "_window" : "", ratio);
        if (!json)
            printf("%-10s %-5s %s: %.2f ns a turn, ratio %.2f\n", names[k], gone ? "gone" : "", window ? "window" : "caches",
                   ns[gone][window][k], ratio);
        if (ratio > bound) {
            fprintf(stderr, "FAIL %s%s, %s: pages are %.1f times slower, the bound is %.1f\n", names[k], gone ? ", gone" : "",
                    window ? "window" : "caches", ratio, bound);
            wrong = 1;
        }
    }
    if (json)
        printf("}\n");
    return wrong;
}
