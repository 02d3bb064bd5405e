/* Random calls of the public API on whole machines (issue "Memory": "1,000,000 random API calls neither crash nor leak"): regions,
 * transactions, snapshots and their files, watches, windows, dirty logging, mappings, exclusives, runs of random loads and stores.
 * Sanitizers tell of crashes and leaks; what is checked here is that a restore brings back the bytes and the tree that were, and
 * that a watch tells what a run did. tests/core/test_mem_fuzz.c does the same on the memory files alone, with allocations that fail.
 *   ORYX_TEST_CALLS=n  how many calls (default 20000)    ORYX_TEST_SEED=n  which */
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define SIZE     0x40000u /* of the window and the memory below it */
#define REGIONS  24u
#define WATCHES  12u
#define SNAPS    6u
#define MAPS     4u

static uint64_t rng;
static uint32_t rnd(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 20) % n);
}

static uint8_t *reserved, *base;
static oryx_region *regions[REGIONS], *low;
static oryx_watch *watches[WATCHES];
static oryx_mapping maps[MAPS];
static unsigned n_maps, txn, windowed;
static struct {
    oryx_snapshot *s;
    uint64_t rows, x0;
    oryx_view_row row[512];
    uint8_t bytes[SIZE];
} snaps[SNAPS], now;
static uint64_t done_of[24], hits, runs, restored;
static char file[64];

static oryx_status io_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = a->offset;
    return rnd(8) ? ORYX_OK : ORYX_FAULT_DEVICE;
}
static oryx_status io_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    (void)a;
    return rnd(8) ? ORYX_OK : ORYX_FAULT_DEVICE;
}
static const oryx_io_ops ios[] = {
    {.hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write},
    {.hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write, .valid = {2, 4, 0, {0}}},
    {.hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write, .impl = {4, 4, 0, {0}}, .endian = ORYX_ENDIAN_BIG},
};

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

static void fuzz_up(void)
{
    char path[512];
    oryx_error err = {0};
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = getenv("MEM_ENGINE"),
                             .plugin_path = path, .window = rnd(2) ? "auto" : NULL};
    if (oryx_machine_new(&c, &m, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    reserved = mmap(NULL, SIZE + 2ull * ORYX_WINDOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(reserved != MAP_FAILED);
    base = reserved + ORYX_WINDOW_GUARD;
    assert_int_equal(mprotect(base, SIZE, PROT_READ | PROT_WRITE), 0);
    put(low = made("ram", (oryx_region_config){.name = "low", .last = SIZE - 1, .host = base}), 0, 0);
    memset(regions, 0, sizeof regions);
    memset(watches, 0, sizeof watches);
    memset(snaps, 0, sizeof snaps);
    n_maps = txn = windowed = 0;
    if (oryx_vcpu_new(m, NULL, &v, &err))
        fail_msg("%s", err.text);
    oryx_vcpu_set_mmu(v, flat, NULL);
}

static void fuzz_down(void)
{
    while (n_maps)
        oryx_space_unmap(&maps[--n_maps], 1);
    oryx_machine_destroy(m);
    munmap(reserved, SIZE + 2ull * ORYX_WINDOW_GUARD);
}

/* Addresses of the low memory but its code, and of what is made beside it. */
static uint64_t address(void)
{
    return rnd(24) ? 0x8000 + rnd(SIZE) : UINT64_MAX - rnd(0x4000);
}

static oryx_region *any(void)
{
    oryx_region *r = regions[rnd(REGIONS)];
    return r ? r : rnd(3) ? low : oryx_space_root(s);
}

static void make(void)
{
    static const char *const types[] = {"ram", "ram", "io", "container", "alias", "quirk", "ram_device"};
    static const char *const options[] = {NULL, NULL, "{\"writes\":\"ignore\"}", "{\"memfd\":true}", "{\"max\":\"0x10000\"}"};
    static uint8_t device[0x4000] __attribute__((aligned(4096)));
    static uint64_t number;
    char name[32];
    unsigned k = rnd(REGIONS);
    if (regions[k])
        return;
    snprintf(name, sizeof name, "r%llu", (unsigned long long)number++);
    const char *type = types[rnd(7)];
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = name, .last = rnd(0x3f00) | 3, .io = &ios[rnd(3)], .target = any(),
                            .target_offset = rnd(0x2000), .lower = any()};
    c.options = !strcmp(type, "ram") ? options[rnd(5)] : NULL;
    c.host = !strcmp(type, "ram_device") ? device : NULL;
    if (!oryx_region_new(m, type, &c, &regions[k], NULL) && rnd(4))
        oryx_region_add(oryx_space_root(s), SIZE - 0x8000 + rnd(0x10000), regions[k], (int32_t)rnd(5) - 2, NULL);
}

static uint32_t on_hit(void *opaque, const oryx_watch_hit *hit)
{
    assert_true(hit->watch && hit->last >= hit->first);
    hits++;
    if (opaque && rnd(8) == 0) { /* from inside a hit */
        unsigned k = rnd(WATCHES);
        oryx_watch_remove(watches[k]);
        watches[k] = NULL;
    }
    return rnd(4) == 0;
}

static void watch(void)
{
    unsigned k = rnd(WATCHES);
    if (watches[k] && rnd(2)) {
        oryx_watch_remove(watches[k]);
        watches[k] = NULL;
    }
    if (watches[k])
        return;
    oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .addr = address(), .size = rnd(4) ? 1 + rnd(64) : rnd(0x3000), .flags = rnd(64),
                           .fn = rnd(2) ? on_hit : NULL, .opaque = rnd(2) ? m : NULL};
    if (rnd(4) == 0)
        c.addr = CODE + 4 * rnd(8);
    switch (rnd(5)) {
    case 0: c.vcpu = v; break;
    case 1: c.space = s; break;
    case 2:
        c.region = any();
        c.addr = rnd(0x1000);
        break;
    case 3:
        c.attrs_mask = c.attrs = 1u << rnd(5);
        break;
    default: break;
    }
    if (oryx_watch_add(m, &c, &watches[k], NULL))
        watches[k] = NULL;
}

static void run(void)
{
    static const uint32_t words[] = {0x39400020, 0x79400020, 0xb9400020, 0xf9400020, 0x39000020, 0x79000020, 0xb9000020, 0xf9000020, 0x3dc00020,
                                     0x3d800020, 0xa9400c22, 0xa9000c22, 0xf8200022, 0xc8a07c22, 0xc85f7c22, 0xc8037c20, 0xd503201f,
                                     0xf8408424 /* ldr x4, [x1], #8 */, 0x91001021 /* add x1, x1, #4 */, 0xf9000c20 /* str x0, [x1, #24] */};
    uint32_t code[8];
    for (unsigned i = 0; i < 8; i++)
        code[i] = words[rnd(20)];
    if (rnd(3) == 0)
        code[7] = 0x17fffff9; /* b to the start */
    uint64_t at = address() & (rnd(2) ? ~15ull : ~0ull);
    oryx_space_write(s, CODE, code, sizeof code, 0);
    reg_set("x1", at);
    reg_set("x0", rng);
    oryx_vcpu_set_pc(v, CODE);
    uint64_t until = CODE + 4 * rnd(8) + (rnd(8) ? 0 : 2);
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1 + rnd(40), .skip_first = rnd(2), .until = &until, .n_until = rnd(4) == 0};
    for (unsigned i = 0; i < 4; i++) {
        last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
        assert_ok(oryx_vcpu_run(v, &l, &last_exit));
        runs++;
        if (last_exit.reason == ORYX_EXIT_ERROR)
            fail_msg("%s", last_exit.error.text);
        if (last_exit.reason != ORYX_EXIT_DEBUG)
            break;
        oryx_watch_hit h[8];
        assert_true(oryx_vcpu_hits(v, h, 8) > 0);
        l.skip_first = 1;
    }
}

/* What a restore has to bring back. */
static void picture(__typeof__(&now) p)
{
    memset(p->row, 0, sizeof p->row);
    p->rows = oryx_space_view(s, 0, p->row, 512);
    p->x0 = reg_get("x0");
    memcpy(p->bytes, base, SIZE);
}

static void same(const __typeof__(now) *p)
{
    picture(&now);
    assert_int_equal(now.x0, p->x0);
    for (uint32_t i = 0; i < SIZE; i++)
        if (now.bytes[i] != p->bytes[i])
            fail_msg("the byte at 0x%x is not restored", i);
    assert_int_equal(now.rows, p->rows);
    for (uint64_t i = 0; i < now.rows && i < 512; i++) {
        const oryx_view_row *a = &now.row[i], *b = &p->row[i];
        if (a->first != b->first || a->last != b->last || a->region != b->region || a->offset != b->offset || a->prot != b->prot)
            fail_msg("row %u is not restored: 0x%llx..0x%llx %s, was 0x%llx..0x%llx", (unsigned)i, (unsigned long long)a->first,
                     (unsigned long long)a->last, oryx_region_name(a->region), (unsigned long long)b->first, (unsigned long long)b->last);
    }
}

static void snapshot(void)
{
    static const oryx_snapshot_config skip = {.hdr = ORYX_HDR(oryx_snapshot_config), .flags = ORYX_SNAPSHOT_SKIP};
    unsigned k = rnd(SNAPS);
    while (n_maps && rnd(4)) /* refused while memory is mapped */
        oryx_space_unmap(&maps[--n_maps], 1);
    while (txn && rnd(4)) {
        oryx_txn_commit(m, NULL);
        txn--;
    }
    switch (rnd(6)) {
    case 0:
    case 1:
        /* The first one says what is left out. */
        if (!snaps[k].s && (!oryx_snapshot_take(m, &skip, &snaps[k].s, NULL) || !oryx_snapshot_take(m, NULL, &snaps[k].s, NULL)))
            picture(&snaps[k]);
        break;
    case 2:
    case 3:
        if (snaps[k].s && !txn && !oryx_snapshot_restore(snaps[k].s, NULL)) {
            same(&snaps[k]);
            restored++;
        }
        break;
    case 4:
        oryx_snapshot_drop(snaps[k].s);
        snaps[k].s = NULL;
        break;
    default: {
        oryx_snapshot_info info = {.hdr = ORYX_HDR(oryx_snapshot_info)};
        oryx_snapshot_describe(m, &info);
        if (rnd(20) == 0) {
            oryx_snapshot_save(m, &skip, file, NULL);
            oryx_snapshot_load(m, file, NULL);
        }
    }
    }
}

static void bytes(void)
{
    static uint8_t buf[0x3000];
    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator), .attrs = rnd(32), .requester = rnd(4)};
    uint64_t at = address(), n = 1 + rnd(rnd(4) ? 64 : sizeof buf);
    if (at < SIZE && at + n > CODE && at < CODE + 64)
        return;
    for (unsigned i = 0; i < 16; i++)
        buf[rnd(sizeof buf)] = (uint8_t)rng;
    oryx_space_access(s, at, buf, n, rnd(2), &who);
    if (rnd(8) == 0) {
        oryx_space_writing(s, at, n);
        oryx_space_written(s, at, n);
    }
}

static void call(void)
{
    oryx_region *r = any();
    unsigned kind = rnd(24), k;
    uint64_t bits[8];
    done_of[kind]++;
    switch (kind) {
    case 0:
    case 1: make(); break;
    case 2:
        k = rnd(REGIONS);
        if (rnd(8))
            break; /* what is destroyed cannot be restored */
        if (regions[k] && rnd(2))
            oryx_region_remove(regions[k], NULL);
        if (regions[k] && !oryx_region_destroy(regions[k], NULL))
            regions[k] = NULL;
        break;
    case 3: oryx_region_add(rnd(3) ? oryx_space_root(s) : any(), SIZE - 0x8000 + rnd(0x10000), r, (int32_t)rnd(5) - 2, NULL); break;
    case 4: r == low ? 0 : oryx_region_remove(r, NULL); break;
    case 5: r == low ? 0 : oryx_region_move(r, SIZE - 0x8000 + rnd(0x10000), NULL); break;
    case 6: r == low ? 0 : oryx_region_enable(r, rnd(4), NULL); break;
    case 7: r == low ? 0 : oryx_region_protect(r, rnd(4) ? 7 : rnd(8), NULL); break;
    case 8: r == low ? 0 : oryx_region_resize(r, rnd(0x3f00) | 3, NULL); break;
    case 9:
        if (txn < 2 && rnd(6) == 0) {
            oryx_txn_begin(m);
            txn++;
        } else if (txn) {
            oryx_txn_commit(m, NULL);
            txn--;
        }
        break;
    case 10: rnd(2) ? oryx_dirty_start(r, rnd(4), NULL) : oryx_dirty_stop(r, rnd(4), NULL); break;
    case 11: oryx_dirty_take(r, rnd(4), rnd(4), rnd(64), bits, rnd(2)); break;
    case 12:
        if (n_maps < MAPS && rnd(2)) {
            maps[n_maps] = (oryx_mapping){.hdr = ORYX_HDR(oryx_mapping)};
            n_maps += !oryx_space_map(s, address(), 1 + rnd(0x3000), rnd(2), NULL, &maps[n_maps], NULL);
        } else if (n_maps) {
            oryx_space_unmap(&maps[--n_maps], rnd(64));
        }
        break;
    case 13:
        if (rnd(8) == 0) {
            oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = base, .size = SIZE, .mmu = flat, .prot = 1 + rnd(3)};
            windowed = !oryx_space_set_window(s, rnd(3) ? &w : NULL, NULL);
        }
        break;
    case 14:
    case 15:
    case 16: watch(); break;
    case 17:
    case 18: snapshot(); break;
    case 19: bytes(); break;
    default: run();
    }
}

static void test_calls(void **state)
{
    (void)state;
    const char *env = getenv("ORYX_TEST_CALLS");
    uint64_t calls = env ? strtoull(env, NULL, 0) : 20000;
    env = getenv("ORYX_TEST_SEED");
    uint64_t seed = env ? strtoull(env, NULL, 0) : 1;
    snprintf(file, sizeof file, "/tmp/oryx-fuzz-%d", (int)getpid());
    print_message("%llu calls from seed %llu\n", (unsigned long long)calls, (unsigned long long)seed);
    rng = seed * 0x9e3779b97f4a7c15u + 1;
    for (uint64_t done = 0; done < calls;) {
        fuzz_up();
        for (unsigned i = 0; i < 1000 && done < calls; i++, done++)
            call();
        fuzz_down();
    }
    unlink(file);
    print_message("%llu runs, %llu hits told, %llu restores\n", (unsigned long long)runs, (unsigned long long)hits, (unsigned long long)restored);
    assert_true(calls < 5000 || (runs > calls / 10 && hits > calls / 200 && restored > calls / 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
