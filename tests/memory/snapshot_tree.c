/* Random trees of snapshots: take, run, write in every way there is, change the region tree, restore and drop in any order.
 * The oracle is a naive model in this file: every take copies all bytes, registers and places, every restore compares them. */
#include "snapshot_rig.h"

enum { LIVE = 12, REGIONS = 4 };

struct model {
    oryx_snapshot *snap;
    uint8_t *bytes[REGIONS];
    uint64_t last[REGIONS];
    uint64_t view_hash;
    uint8_t regs[8192];
    uint32_t n_regs;
    uint64_t insns, vtime;
};

static rig r;
static oryx_region *regions[REGIONS];
static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * MUL + ADD;
    return (uint32_t)((seed >> 33) % n);
}

static uint64_t view_hash(void)
{
    oryx_view_row rows[64];
    uint64_t n = oryx_space_view(r.s, 0, rows, 64), h = n;
    assert_true(n <= 64);
    for (uint64_t i = 0; i < n; i++) {
        h = (h ^ rows[i].first) * MUL;
        h = (h ^ rows[i].last) * MUL;
        h = (h ^ rows[i].offset ^ (uint64_t)rows[i].prot << 60) * MUL;
        h = (h ^ (uint64_t)(uintptr_t)rows[i].region) * MUL;
    }
    return h;
}

static uint32_t read_regs(uint8_t *to)
{
    uint32_t at = 0;
    const oryx_reg *row;
    for (int32_t i = 0; (row = oryx_reg_row(r.m, i)); i++) {
        if (row->flags & ORYX_REG_COMPUTED)
            continue;
        assert_true(at + row->size <= sizeof(((struct model *)0)->regs));
        oryx_reg_read(r.v, i, to + at, row->size);
        at += row->size;
    }
    return at;
}

/* A ROM device that reads its callbacks gives no pointer. */
static uint8_t *peek_bytes(int i, uint64_t *n)
{
    *n = oryx_region_last(regions[i]) + 1;
    uint8_t *host = bytes_of(regions[i]), *copy = malloc(*n);
    if (host)
        memcpy(copy, host, *n);
    for (uint64_t k = 0; !host && k < *n; k++) {
        oryx_access a = {.hdr = ORYX_HDR(oryx_access), .offset = k, .size = 1, .attrs = ORYX_ATTR_DEBUG};
        assert_int_equal(oryx_region_access(regions[i], &a), ORYX_OK);
        copy[k] = (uint8_t)a.value;
    }
    return copy;
}

static void model_take(struct model *md)
{
    md->snap = take(&r);
    for (int i = 0; i < REGIONS; i++) {
        md->bytes[i] = peek_bytes(i, &md->last[i]);
    }
    md->view_hash = view_hash();
    md->n_regs = read_regs(md->regs);
    md->insns = oryx_vcpu_insns(r.v);
    md->vtime = oryx_machine_vtime(r.m);
}

static void model_compare(const struct model *md)
{
    uint8_t regs[sizeof(md->regs)];
    for (int i = 0; i < REGIONS; i++) {
        uint64_t n;
        uint8_t *now = peek_bytes(i, &n);
        assert_int_equal(n, md->last[i]);
        for (uint64_t k = 0; k < n; k++)
            if (now[k] != md->bytes[i][k])
                fail_msg("region %s differs at 0x%llx", oryx_region_name(regions[i]), (unsigned long long)k);
        free(now);
    }
    assert_int_equal(view_hash(), md->view_hash);
    assert_int_equal(read_regs(regs), md->n_regs);
    assert_memory_equal(regs, md->regs, md->n_regs);
    assert_int_equal(oryx_vcpu_insns(r.v), md->insns);
    assert_int_equal(oryx_machine_vtime(r.m), md->vtime);
}

static void model_drop(struct model *md)
{
    oryx_snapshot_drop(md->snap);
    for (int i = 0; i < REGIONS; i++)
        free(md->bytes[i]);
    memset(md, 0, sizeof(*md));
}

/* --- changes ------------------------------------------------------------------------------------ */

static void change_memory(void)
{
    uint8_t junk[9000];
    oryx_region *g = regions[rnd(REGIONS)];
    uint64_t size = oryx_region_last(g) + 1, at = rnd((uint32_t)size), n = 1 + rnd(rnd(4) ? 64 : 8192);
    n = n > size - at ? size - at : n;
    for (uint64_t i = 0; i < n; i++)
        junk[i] = rnd(3) ? (uint8_t)rnd(256) : 0;
    uint8_t *host = bytes_of(g);
    oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)};
    oryx_error err = {0};
    oryx_access a = {.hdr = ORYX_HDR(oryx_access), .offset = at, .size = 1, .write = 1, .value = junk[0], .attrs = ORYX_ATTR_DEBUG};
    static const uint64_t bases[] = {CODE + 0x800, RAM, SMALL, ROM};
    switch (rnd(6)) {
    case 0: /* poke */
        oryx_space_write(r.s, bases[rnd(4)] + at % 0x800, junk, n < 0x700 ? n : 0x700, ORYX_ATTR_DEBUG);
        break;
    case 1: /* bulk */
        oryx_space_write(r.s, RAM + at, junk, n, 0);
        break;
    case 2: /* a device's DMA */
        if (!oryx_space_map(r.s, RAM + at, n, 1, NULL, &map, &err)) {
            n = map.len < n ? map.len : n;
            memcpy(map.host, junk, n);
            oryx_space_unmap(&map, n);
        }
        break;
    case 3: /* by region */
        oryx_region_access(g, &a);
        break;
    case 4: /* by direct pointer, as it must be done */
        if (host && g != r.code) {
            oryx_region_writing(g, at, n);
            memcpy(host + at, junk, n);
            oryx_region_written(g, at, n);
        }
        break;
    default:
        if (g != r.code)
            oryx_region_discard(g, at, n, &err);
    }
}

static void change_tree(oryx_region **extra)
{
    oryx_error err;
    oryx_region *g = regions[1 + rnd(REGIONS - 1)];
    switch (rnd(9)) {
    case 0:
        oryx_region_enable(g, rnd(2), &err);
        break;
    case 1:
        oryx_region_protect(g, 1 + rnd(7), &err);
        break;
    case 2:
        oryx_region_move(g, 0x70000000 + (uint64_t)rnd(64) * 0x900, &err);
        break;
    case 3:
        oryx_region_remove(g, &err);
        break;
    case 4:
        oryx_region_add(oryx_space_root(r.s), RAM + (uint64_t)rnd(1 << 20), g, (int32_t)rnd(3) - 1, &err);
        break;
    case 5:
    case 6:
        oryx_region_resize(r.ram, rnd(2) ? RAM_SIZE - 1 + rnd(RAM_MAX - RAM_SIZE) : rnd(RAM_SIZE), &err);
        break;
    case 7:
        oryx_region_set_mode(r.rom, rnd(2), &err);
        break;
    default:
        if (!*extra) {
            oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "extra", .last = 0xfff};
            assert_int_equal(oryx_region_new(r.m, "ram", &c, extra, &err), ORYX_OK);
        }
        oryx_region_add(oryx_space_root(r.s), RAM + 0x800, *extra, 5, &err);
    }
}

static void random_tree(const char *engine, uint64_t start, int steps)
{
    struct model live[LIVE] = {0};
    int n = 0, restores = 0;
    oryx_region *extra = NULL;
    seed = start;
    r = rig_up(engine);
    regions[0] = r.code;
    regions[1] = r.ram;
    regions[2] = r.small;
    regions[3] = r.rom;
    for (int i = 0; i < steps; i++) {
        uint32_t what = rnd(100);
        if (what < 18 && n < LIVE) {
            model_take(&live[n++]);
        } else if (what < 45 && n) {
            struct model *md = &live[rnd((uint32_t)n)];
            restore(md->snap);
            model_compare(md);
            restores++;
        } else if (what < 55 && n) {
            int k = (int)rnd((uint32_t)n);
            model_drop(&live[k]);
            live[k] = live[--n];
            live[n] = (struct model){0};
        } else if (what < 75) {
            run(&r, 1 + rnd(600));
        } else if (what < 92) {
            change_memory();
        } else {
            change_tree(&extra);
        }
    }
    assert_true(restores > steps / 10);
    while (n)
        model_drop(&live[--n]);
    oryx_snapshot_info info = {.hdr = ORYX_HDR(oryx_snapshot_info)};
    oryx_snapshot_describe(r.m, &info);
    assert_int_equal(info.snapshots, 0);
    assert_int_equal(info.kept_bytes, 0);
    oryx_machine_destroy(r.m);
}

static int rounds = 12;

static void test_interp(void **state)
{
    (void)state;
    for (int i = 0; i < rounds; i++)
        random_tree("interp", 1000 + (uint64_t)i, 250);
}

static void test_x64(void **state)
{
    (void)state;
    for (int i = 0; i < rounds; i++)
        random_tree("x64", 2000 + (uint64_t)i, 250);
}

/* A machine that is destroyed with snapshots still there. */
static void test_left_over(void **state)
{
    (void)state;
    r = rig_up("interp");
    take(&r);
    run(&r, 500);
    oryx_snapshot *s = take(&r);
    run(&r, 500);
    take(&r);
    oryx_snapshot_drop(s);
    oryx_machine_destroy(r.m);
}

/* What a loop keeps does not grow: neither with restores, nor when each snapshot replaces the one before. */
static void test_bounded(void **state)
{
    (void)state;
    oryx_snapshot_info first = {.hdr = ORYX_HDR(oryx_snapshot_info)}, now = first;
    r = rig_up("interp");
    oryx_snapshot *root = take(&r), *old = take(&r);
    for (int i = 0; i < 200; i++) {
        run(&r, 200);
        restore(old);
        oryx_snapshot_describe(r.m, i ? &now : &first);
        if (i)
            assert_int_equal(now.kept_bytes, first.kept_bytes);
    }
    for (int i = 0; i < 200; i++) {
        set_reg(&r, "x2", (uint64_t)i);
        run(&r, 200);
        oryx_snapshot *next = take(&r);
        oryx_snapshot_drop(old);
        old = next;
    }
    oryx_snapshot_describe(r.m, &now);
    assert_int_equal(now.snapshots, 2);
    assert_true(now.kept_bytes <= RAM_SIZE + 0x4000); /* of root, at most everything once */
    restore(root);
    assert_int_equal(get_reg(&r, "x2"), 1);
    oryx_machine_destroy(r.m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_interp), cmocka_unit_test(test_x64), cmocka_unit_test(test_left_over),
                                       cmocka_unit_test(test_bounded)};
    if (argc > 1)
        rounds = atoi(argv[1]); /* the long form */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
