/* Random calls of the memory API, with random arguments and with allocations that fail (issue
 * "Memory": "1,000,000 random API calls neither crash nor leak; allocation failure at every
 * allocation in a scenario unwinds cleanly"). What is checked beside the sanitizers: listeners keep
 * a list that equals the view, the view stays sorted, and what is written can be read again.
 *   ORYX_TEST_CALLS=n  how many calls (default 60000)    ORYX_TEST_SEED=n  which */
#include "mem_fake.h"
#include "watch.h"

#define MAX_REGIONS 48u
#define MAX_SPACES  4u

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 20) % n);
}

static oryx_machine *m;
static oryx_vcpu *v, *pair[2];
static oryx_region *regions[MAX_REGIONS];
static unsigned n_regions, n_spaces, n_maps, txn;
static oryx_space *spaces[MAX_SPACES];
static oryx_mapping maps[8];
static uint64_t rows_told;
static unsigned in_listener;
#define MAX_WATCHES 6u
static oryx_watch *watches[MAX_WATCHES];
static uint64_t hits;
static uint64_t placed, accesses, most_rows; /* so that a fuzzer that does nothing is seen */

static void told_added(void *opaque, const oryx_view_row *row)
{
    (void)opaque;
    assert_true(row->first <= row->last);
    rows_told++;
}

static void told_removed(void *opaque, const oryx_view_row *row)
{
    (void)opaque;
    (void)row;
    rows_told--;
}

static void told_begin(void *opaque, oryx_space *s)
{
    (void)opaque;
    (void)s;
    assert_int_equal(in_listener++, 0);
}

static void told_commit(void *opaque, oryx_space *s)
{
    (void)opaque;
    (void)s;
    in_listener--;
}

static const oryx_listener_ops listener = {.hdr = ORYX_HDR(oryx_listener_ops),
                                           .begin = told_begin,
                                           .added = told_added,
                                           .removed = told_removed,
                                           .commit = told_commit};

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
    {.hdr = ORYX_HDR(oryx_io_ops),
     .read = io_read,
     .write = io_write,
     .impl = {4, 4, 0, {0}},
     .endian = ORYX_ENDIAN_BIG},
};

static oryx_status translate(void *opaque, const oryx_access *a, oryx_iommu_entry *out)
{
    (void)opaque;
    if (!rnd(4))
        return ORYX_FAULT_TRANSLATE;
    out->space = spaces[a->offset % n_spaces];
    out->addr = rnd(0x40000);
    out->last = rnd(300);
    out->prot = rnd(8);
    return ORYX_OK;
}

static const oryx_iommu_ops iommu = {.hdr = ORYX_HDR(oryx_iommu_ops), .translate = translate};

static uint64_t address(void)
{
    return rnd(32) ? rnd(0x18000) : UINT64_MAX - rnd(0x4000);
}

static uint64_t size(void)
{
    return rnd(3) ? 1 + rnd(0x8000) : 1 + rnd(64);
}

static oryx_region *any(void)
{
    return !n_regions || !rnd(12) ? oryx_space_root(spaces[rnd(n_spaces)])
                                  : regions[rnd(n_regions)];
}

static const char *const quirks[] = {
    "{\"kind\":\"mirror\",\"size\":24}",
    "{\"kind\":\"window\",\"index\":2,\"data\":9,\"data_size\":7,\"scale\":3,\"increment\":{\"by\":5}}",
    "{\"kind\":\"mask\",\"offset\":3,\"size\":5,\"and\":\"0xf0f0\",\"xor\":9}",
    "{\"kind\":\"fixed\",\"offset\":1,\"size\":2,\"value\":7,\"endian\":\"big\"}",
    "{\"kind\":\"register\",\"registers\":[{\"offset\":0,\"size\":3,\"value\":9,\"write_1_clears\":3},"
    "{\"offset\":3,\"size\":2,\"read_clears\":255,\"keep\":7}]}",
    "{\"kind\":\"latency\",\"read_ns\":3}",
    "{\"kind\":\"fault\",\"probability\":0.3,\"result\":\"bits\"}",
    "{\"kind\":\"fault\",\"every\":4}",
    "{\"kind\":\"rot13\"}",
};

static void make(void)
{
    static const char *const types[] = {"ram",   "ram",   "io",         "container", "alias",
                                        "quirk", "iommu", "ram_device", "nonsense"};
    static const char *const ram_options[] = {NULL,
                                              "{\"writes\":\"ignore\"}",
                                              "{\"writes\":\"callback\"}",
                                              "{\"memfd\":true}",
                                              "{\"max\":\"0x10000\"}",
                                              "{\"writes\":7}"};
    static uint8_t device[0x10000];
    oryx_region *r = (oryx_region *)1;
    const char *type = types[rnd(9)];
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = "fuzz",
                            .last = (size() | 3),
                            .prot = rnd(16) ? 0 : rnd(9),
                            .io = &ios[rnd(3)],
                            .iommu = rnd(8) ? &iommu : NULL,
                            .target = rnd(8) ? any() : NULL,
                            .target_offset = rnd(0x2000),
                            .lower = any()};
    if (!strcmp(type, "ram"))
        c.options = ram_options[rnd(6)];
    if (!strcmp(type, "ram_device"))
        c.host = device;
    if (!strcmp(type, "quirk") && rnd(4)) {
        c.io = NULL;
        c.options = quirks[rnd(sizeof(quirks) / sizeof(quirks[0]))];
    }
    if (oryx_region_new(m, type, &c, &r, NULL))
        assert_null(r);
    else if (n_regions == MAX_REGIONS)
        assert_ok(oryx_region_destroy(r, NULL) == ORYX_OK || txn ? ORYX_OK : 1);
    else
        regions[n_regions++] = r;
}

static void destroy(void)
{
    unsigned i = n_regions ? rnd(n_regions) : 0;
    if (n_regions && !oryx_region_destroy(regions[i], NULL))
        regions[i] = regions[--n_regions];
}

static void access_memory(oryx_space *s)
{
    static uint8_t buf[0x3000];
    v = pair[rnd(2)];
    uint64_t addr = address(), old;
    uint32_t memop = rnd(5) | (rnd(2) ? ORYX_MO_BE : 0), failed;
    accesses += !oryx_space_read(s, addr, buf, 1, 0);
    oryx_v128 val = {rng, addr}, was;
    switch (rnd(9)) {
    case 0:
        oryx_space_read(s, addr, buf, rnd(sizeof(buf)), rnd(32));
        break;
    case 1:
        oryx_space_write(s, addr, buf, rnd(sizeof(buf)), rnd(32));
        break;
    case 2:
        v->cpu->fn->load(v->cpu, addr, memop, &was);
        break;
    case 3:
        if (!v->cpu->fn->store(v->cpu, addr, memop, &val) && v->space == spaces[0]) {
            uint64_t len = 1;
            oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
            /* Plain memory keeps what was stored. */
            if (!(memop & ORYX_MO_BE) && !oryx_space_direct(spaces[0], addr, &len, &d) &&
                (d.flags & ORYX_DIRECT_BULK) && (d.prot & ORYX_PROT_WRITE))
                assert_int_equal(*(uint8_t *)d.host, val.lo & 0xff);
        }
        break;
    case 4:
        v->cpu->fn->rmw(v->cpu, addr, (memop & 3) | (uint64_t)rnd(10) << 32, rng, &old);
        break;
    case 5:
        v->cpu->fn->cas(v->cpu, addr, memop, &val, &val, &was);
        break;
    case 6:
        v->cpu->fn->ldx(v->cpu, addr, memop, &was);
        v->cpu->fn->stx(v->cpu, addr, memop, &val, &failed);
        break;
    case 7:
        oryx_space_written(s, addr, rnd(0x5000));
        break;
    default: {
        oryx_access a = {.hdr = ORYX_HDR(oryx_access),
                         .offset = rnd(0x9000),
                         .size = 1u << rnd(5),
                         .write = rnd(2),
                         .attrs = rnd(32)};
        oryx_region_access(any(), &a);
    }
    }
}

static void map_memory(oryx_space *s)
{
    if (n_maps < 8 && rnd(2)) {
        maps[n_maps] = (oryx_mapping){.hdr = ORYX_HDR(oryx_mapping)};
        if (!oryx_space_map(s, address(), 1 + rnd(0x20000), rnd(2), NULL, &maps[n_maps], NULL))
            n_maps++;
    } else if (n_maps) {
        oryx_space_unmap(&maps[--n_maps], rnd(64));
    }
}

static uint32_t told_hit(void *opaque, const oryx_watch_hit *hit)
{
    (void)opaque;
    hits += hit->last >= hit->first;
    return rnd(2);
}

static void watch_memory(oryx_space *s)
{
    unsigned k = rnd(MAX_WATCHES);
    oryx_watch_remove(watches[k]);
    watches[k] = NULL;
    /* Nobody executes here: a hit of a vCPU is an access that its slow path gives back, or notes. */
    oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .addr = address(), .size = rnd(4) ? size() : 0, .flags = rnd(64),
                           .fn = rnd(2) ? told_hit : NULL};
    if (rnd(3) == 0)
        c.vcpu = pair[rnd(2)];
    else if (rnd(3))
        c.space = s;
    else
        c.region = any();
    if (rnd(3) && oryx_watch_add(m, &c, &watches[k], NULL))
        watches[k] = NULL;
    pair[rnd(2)]->tlbs->watcher.step = rnd(2);
}

static void call(void)
{
    oryx_region *r = any();
    oryx_space *s = spaces[rnd(n_spaces)];
    uint64_t bits[4];
    switch (rnd(31)) {
    case 30:
        watch_memory(s);
        break;
    case 0:
    case 1:
        make();
        break;
    case 2:
        destroy();
        break;
    case 3:
    case 4:
    case 5:
    case 8:
        if (rnd(3))
            placed += !oryx_region_add(oryx_space_root(s), address(), r, (int32_t)rnd(5) - 2, NULL);
        else
            placed += !oryx_region_add(any(), rnd(0x2000), r, (int32_t)rnd(5) - 2, NULL);
        break;
    case 6:
        oryx_region_add_exclusive(any(), address(), r, NULL);
        break;
    case 7:
        oryx_region_remove(r, NULL);
        break;
    case 9:
        oryx_region_move(r, address(), NULL);
        break;
    case 10:
        oryx_region_enable(r, rnd(4), NULL);
        break;
    case 11:
        oryx_region_protect(r, rnd(8) ? 7 : rnd(9), NULL);
        break;
    case 12:
        oryx_region_resize(r, size() | 3, NULL);
        break;
    case 13:
        oryx_region_set_mode(r, rnd(3), NULL);
        break;
    case 14:
        oryx_region_discard(r, rnd(0x8000), rnd(0x3000), NULL);
        break;
    case 15:
        if (txn < 3 && !rnd(5)) {
            oryx_txn_begin(m);
            txn++;
        } else if (!oryx_txn_commit(m, NULL) || txn) {
            assert_true(txn > 0);
            txn--;
        }
        break;
    case 16:
        oryx_dirty_start(r, rnd(5), NULL);
        break;
    case 17:
        oryx_dirty_stop(r, rnd(5), NULL);
        break;
    case 18:
        oryx_dirty_take(r, rnd(5), rnd(4), rnd(200), bits, rnd(2));
        break;
    case 19:
        map_memory(s);
        break;
    case 20: {
        oryx_policy p = {.hdr = ORYX_HDR(oryx_policy),
                         .read_unassigned = (uint8_t)rnd(4),
                         .write_unassigned = rnd(2) ? ORYX_ON_IGNORE : 0,
                         .read_error = (uint8_t)rnd(3)};
        oryx_space_set_policy(s, &p, NULL);
        break;
    }
    case 21:
        if (n_spaces < MAX_SPACES && !rnd(20)) {
            char name[8] = {(char)('a' + (int)n_spaces), 0};
            oryx_space *fresh = NULL;
            if (!oryx_space_new(m, name, &fresh, NULL))
                spaces[n_spaces++] = fresh;
        }
        break;
    case 22:
        oryx_region_written(r, rnd(0x8000), rnd(0x3000));
        oryx_region_changed(r);
        break;
    default:
        for (unsigned i = 0; i < 4; i++)
            access_memory(s);
    }
}

static void check(void)
{
    static oryx_view_row rows[4096];
    uint64_t n = oryx_space_view(spaces[0], 0, rows, 4096);
    assert_int_equal(n, rows_told);
    most_rows = n > most_rows ? n : most_rows;
    for (uint64_t i = 1; i < n && i < 4096; i++)
        assert_true(rows[i].first > rows[i - 1].last);
}

static void test_calls(void **state)
{
    (void)state;
    const char *env = getenv("ORYX_TEST_CALLS");
    uint64_t calls = env ? strtoull(env, NULL, 0) : 60000, seed;
    env = getenv("ORYX_TEST_SEED");
    seed = env ? strtoull(env, NULL, 0) : 1;
    print_message("%llu calls from seed %llu\n", (unsigned long long)calls,
                  (unsigned long long)seed);
    rng = seed * 0x9e3779b97f4a7c15u + 1;
    for (uint64_t done = 0; done < calls;) {
        oryx_listener *l = NULL;
        m = fake_machine();
        v = pair[0] = fake_vcpu(m);
        pair[1] = fake_vcpu(m);
        n_regions = n_maps = txn = 0;
        memset(watches, 0, sizeof(watches));
        rows_told = 0;
        spaces[0] = fake_space(m);
        n_spaces = 1;
        assert_ok(oryx_listener_add(spaces[0], &listener, NULL, &l, NULL));
        for (unsigned i = 0; i < 24; i++)
            make();
        for (unsigned i = 0; i < 2000 && done < calls; i++, done++) {
            /* One call in eight has few allocations left. */
            oryx__alloc_left = rnd(8) ? -1 : (int64_t)rnd(12);
            call();
            oryx__alloc_left = -1;
            if (i % 16 == 0)
                check();
        }
        while (n_maps)
            oryx_space_unmap(&maps[--n_maps], 1);
        fake_machine_free(m);
    }
    print_message("%llu regions placed, views of up to %llu rows, %llu accesses met a region, %llu hits\n",
                  (unsigned long long)placed, (unsigned long long)most_rows,
                  (unsigned long long)accesses, (unsigned long long)hits);
    assert_true(calls < 50000 || (placed > calls / 50 && most_rows > 12 && accesses > calls / 10 && hits > calls / 500));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls)};
    return cmocka_run_group_tests_name("mem_fuzz", tests, NULL, NULL);
}
