/* What snapshots refuse, and that a refusal changes nothing; code on restored pages; two vCPUs. Expected values: the text of
 * oryx_snapshot.h, and the bytes the test itself wrote. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapshot_rig.h"

static rig r;
static const char *engine;

static int up(void **state)
{
    (void)state;
    r = rig_up(engine);
    return 0;
}

static int down(void **state)
{
    (void)state;
    oryx_machine_destroy(r.m);
    return 0;
}

static uint32_t word(uint64_t at)
{
    uint32_t x = 0;
    assert_int_equal(oryx_space_read(r.s, at, &x, 4, 0), ORYX_OK);
    return x;
}

static void put_word(uint64_t at, uint32_t x)
{
    assert_int_equal(oryx_space_write(r.s, at, &x, 4, 0), ORYX_OK);
}

/* --- while something runs ------------------------------------------------------------------------- */

static oryx_status from_inside(void *opaque, oryx_access *a)
{
    oryx_snapshot *s;
    REFUSED(oryx_snapshot_take(r.m, NULL, &s, &err), ORYX_E_STATE, "vCPU 0 runs");
    REFUSED(oryx_snapshot_restore(opaque ? *(oryx_snapshot **)opaque : NULL, &err), ORYX_E_STATE, "vCPU 0 runs");
    a->value = 77;
    return ORYX_OK;
}

static void test_running(void **state)
{
    (void)state;
    static oryx_snapshot *snap;
    static const oryx_io_ops ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = from_inside};
    static const uint32_t load[] = {0xb9400003 /* ldr w3, [x0] */, 0x14000000};
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "io", .last = 0xfff, .io = &ops, .opaque = &snap};
    oryx_region *io;
    oryx_error err;
    assert_int_equal(oryx_region_new(r.m, "io", &c, &io, &err), ORYX_OK);
    assert_int_equal(oryx_region_add(oryx_space_root(r.s), 0x9000000, io, 0, &err), ORYX_OK);
    oryx_space_write(r.s, CODE, load, sizeof(load), 0);
    set_reg(&r, "x0", 0x9000000);
    snap = take(&r);
    assert_int_equal(run(&r, 1), 1);
    assert_int_equal(get_reg(&r, "x3"), 77);
    restore(snap);
    assert_int_equal(get_reg(&r, "x3"), 0);
}

static void test_mapped(void **state)
{
    (void)state;
    oryx_snapshot *s = take(&r), *t;
    oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)}, rd = map;
    oryx_error e;
    put_word(RAM, 1);
    assert_int_equal(oryx_space_map(r.s, RAM, 0x2000, 1, NULL, &map, &e), ORYX_OK);
    assert_int_equal(oryx_space_map(r.s, RAM, 0x2000, 0, NULL, &rd, &e), ORYX_OK);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_BUSY, "'ram' is mapped for writing");
    REFUSED(oryx_snapshot_take(r.m, NULL, &t, &err), ORYX_E_BUSY, "'ram' is mapped for writing");
    assert_int_equal(word(RAM), 1);
    memset(map.host, 9, 0x2000); /* the device writes without saying how much */
    oryx_space_unmap(&map, 0);
    restore(s); /* mapped for reading only */
    assert_int_equal(word(RAM), 0);
    assert_int_equal(word(RAM + 0x1ffc), 0);
    oryx_space_unmap(&rd, 0);
}

static void test_transaction(void **state)
{
    (void)state;
    oryx_snapshot *s = take(&r);
    oryx_txn_begin(r.m);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "transaction");
    assert_int_equal(oryx_txn_commit(r.m, NULL), ORYX_OK);
    restore(s);
}

/* --- what cannot be captured ------------------------------------------------------------------------ */

static void test_device_memory(void **state)
{
    (void)state;
    oryx_error e;
    oryx_snapshot *s = NULL;
    static uint32_t bar[1024];
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "bar", .last = sizeof(bar) - 1, .host = bar};
    oryx_region *dev;
    assert_int_equal(oryx_region_new(r.m, "ram_device", &c, &dev, &e), ORYX_OK);
    assert_int_equal(oryx_region_add(oryx_space_root(r.s), 0x9000000, dev, 0, &e), ORYX_OK);
    REFUSED(oryx_snapshot_take(r.m, NULL, &s, &err), ORYX_E_UNSUPPORTED, "'bar'");
    assert_null(s);
    const char *names[] = {"bar", NULL};
    oryx_snapshot_config by_name = {.hdr = ORYX_HDR(oryx_snapshot_config), .exclude = names};
    oryx_snapshot_config skip = {.hdr = ORYX_HDR(oryx_snapshot_config), .flags = ORYX_SNAPSHOT_SKIP};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(oryx_snapshot_take(r.m, i ? &skip : &by_name, &s, &e), ORYX_OK);
        put_word(0x9000000, 5);
        put_word(RAM, 5);
        restore(s);
        assert_int_equal(bar[0], 5);
        assert_int_equal(word(RAM), 0);
        oryx_snapshot *t;
        REFUSED(oryx_snapshot_take(r.m, &skip, &t, &err), ORYX_E_STATE, "first snapshot");
        oryx_snapshot_drop(s);
    }
    skip.flags = 8;
    REFUSED(oryx_snapshot_take(r.m, &skip, &s, &err), ORYX_E_INVALID, "flags");
}

static void test_shared(void **state)
{
    (void)state;
    oryx_snapshot *s;
    int32_t fd;
    uint64_t at;
    oryx_error e;
    oryx_region *shm = add_region(&r, "ram", "shm", 0x9000000, 0x2000, "{\"memfd\": true}", NULL);
    s = take(&r); /* not shared yet */
    put_word(0x9000000, 5);
    restore(s);
    assert_int_equal(word(0x9000000), 0);
    assert_int_equal(oryx_region_share(shm, &fd, &at, &e), ORYX_OK);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "'shm'");
    oryx_snapshot_drop(s);
    REFUSED(oryx_snapshot_take(r.m, NULL, &s, &err), ORYX_E_UNSUPPORTED, "shared with another process");
}

static void test_unannounced(void **state)
{
    (void)state;
    oryx_snapshot *s = take(&r), *t;
    uint8_t *host = bytes_of(r.ram);
    oryx_space_writing(r.s, RAM + 0x1000, 8);
    memset(host + 0x1000, 7, 8);
    oryx_space_written(r.s, RAM + 0x1000, 8);
    restore(s);
    assert_int_equal(host[0x1000], 0);
    memset(host + 0x3000, 7, 8);
    oryx_space_written(r.s, RAM + 0x3000, 8);
    put_word(RAM, 3);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "0x3000 was changed through a direct pointer");
    REFUSED(oryx_snapshot_take(r.m, NULL, &t, &err), ORYX_E_STATE, "drop the snapshots");
    assert_int_equal(word(RAM), 3);
    oryx_snapshot_drop(s);
    s = take(&r);
    put_word(RAM, 4);
    restore(s);
    assert_int_equal(word(RAM), 3);
}

/* --- what is gone ------------------------------------------------------------------------------------- */

static void test_gone(void **state)
{
    (void)state;
    oryx_error e;
    oryx_region *more = add_region(&r, "ram", "more", 0x9000000, 0x1000, NULL, NULL);
    oryx_device *d, *d2;
    oryx_vcpu *v2;
    assert_int_equal(oryx_device_new(r.m, "timer", "t0", NULL, &d, &e), ORYX_OK);
    assert_int_equal(oryx_device_map(d, 0, r.s, 0x9010000, &e), ORYX_OK);
    oryx_snapshot *s = take(&r);
    /* Unplugged, but not destroyed: it is put back. */
    assert_int_equal(oryx_device_unmap(d, &e), ORYX_OK);
    uint32_t x;
    assert_int_equal(oryx_space_read(r.s, 0x9010000, &x, 4, 0), ORYX_FAULT_DECODE);
    restore(s);
    assert_int_equal(oryx_space_read(r.s, 0x9010000, &x, 4, 0), ORYX_OK);
    assert_int_equal(oryx_device_unmap(d, &e), ORYX_OK); /* it knows its regions again */
    assert_int_equal(oryx_space_read(r.s, 0x9010000, &x, 4, 0), ORYX_FAULT_DECODE);
    restore(s);
    /* Made since: destroy it first. */
    assert_int_equal(oryx_device_new(r.m, "timer", "t1", NULL, &d2, &e), ORYX_OK);
    put_word(RAM, 8);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "device 't1' was made after");
    assert_int_equal(word(RAM), 8);
    oryx_device_destroy(d2);
    assert_int_equal(oryx_vcpu_new(r.m, NULL, &v2, &e), ORYX_OK);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "vCPU 1 was made after");
    oryx_vcpu_destroy(v2);
    restore(s);
    put_word(0x9000000, 8);
    assert_int_equal(oryx_region_remove(more, &e), ORYX_OK);
    restore(s);
    assert_int_equal(word(0x9000000), 0);
    put_word(RAM, 8);
    assert_int_equal(oryx_region_remove(more, &e), ORYX_OK);
    assert_int_equal(oryx_region_destroy(more, &e), ORYX_OK);
    oryx_region *other = add_region(&r, "ram", "more", 0x9000000, 0x1000, NULL, NULL); /* perhaps where the old one was */
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "'more' was destroyed");
    assert_int_equal(word(RAM), 8);
    assert_int_equal(oryx_space_read(r.s, 0x9000000, &x, 4, 0), ORYX_OK);
    assert_int_equal(oryx_region_last(other), 0xfff);
    oryx_snapshot_drop(s);
    s = take(&r);
    oryx_device_destroy(d);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "'t0' was destroyed");
}

/* --- code --------------------------------------------------------------------------------------------- */

static uint64_t invalidated(void)
{
    oryx_stats st = {.hdr = ORYX_HDR(oryx_stats)};
    oryx_machine_stats(r.m, &st);
    return st.tb_invalidated;
}

static void test_code(void **state)
{
    (void)state;
    /* x3 += 1; the word after the code, on its page, is data. */
    static const uint32_t one[] = {0x91000463 /* add x3, x3, #1 */, 0xb9000061 /* str w1, [x3] */, 0x14000000};
    oryx_space_write(r.s, RAM, one, sizeof(one), 0);
    oryx_vcpu_set_pc(r.v, RAM);
    set_reg(&r, "x3", RAM + 0x800 - 1);
    oryx_snapshot *s = take(&r);
    run(&r, 3);
    restore(s);
    uint64_t before = invalidated();
    for (int i = 0; i < 50; i++) { /* data on a page with code changes and comes back: the code stays translated */
        set_reg(&r, "x1", (uint64_t)i + 1);
        run(&r, 3);
        assert_int_equal(word(RAM + 0x800), i + 1);
        restore(s);
        assert_int_equal(word(RAM + 0x800), 0);
    }
    assert_int_equal(invalidated(), before);
    put_word(RAM, 0x91000863); /* add x3, x3, #2 */
    set_reg(&r, "x3", RAM + 0x900);
    run(&r, 1);
    assert_int_equal(get_reg(&r, "x3"), RAM + 0x902);
    restore(s);
    set_reg(&r, "x3", RAM + 0x900);
    run(&r, 1);
    assert_int_equal(get_reg(&r, "x3"), RAM + 0x901); /* the old code, from a block made anew */
    /* Code that is new since the snapshot does not survive it. */
    put_word(RAM + 0x5000, 0x91000c63); /* add x3, x3, #3 */
    oryx_vcpu_set_pc(r.v, RAM + 0x5000);
    run(&r, 1);
    restore(s);
    put_word(RAM + 0x5000, 0x91001063); /* add x3, x3, #4 */
    oryx_vcpu_set_pc(r.v, RAM + 0x5000);
    set_reg(&r, "x3", 0);
    run(&r, 1);
    assert_int_equal(get_reg(&r, "x3"), 4);
}

/* Translations: VA leads where a word of RAM says. */
enum { VA = 0x80000000 };

static oryx_status by_table(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    uint64_t to = 0;
    memcpy(&to, bytes_of(r.ram) + 0x8000, sizeof(to));
    if (addr >> 12 == VA >> 12 && !to)
        return ORYX_FAULT_TRANSLATE;
    out->phys = addr >> 12 == VA >> 12 ? to | (addr & 0xfff) : addr;
    return ORYX_OK;
}

static void test_translations(void **state)
{
    (void)state;
    static const uint32_t load[] = {0xf9400003 /* ldr x3, [x0] */, 0xf9000005 /* str x5, [x0] */, 0x17fffffe};
    uint64_t to = RAM + 0x10000;
    oryx_space_write(r.s, CODE, load, sizeof(load), 0);
    put_word(RAM + 0x10000, 1);
    put_word(RAM + 0x20000, 2);
    oryx_vcpu_set_mmu(r.v, by_table, NULL);
    set_reg(&r, "x0", VA);
    set_reg(&r, "x5", 77);
    oryx_snapshot *none = take(&r);
    oryx_space_write(r.s, RAM + 0x8000, &to, sizeof(to), 0);
    oryx_vcpu_tlb_flush(r.v, 0, 0);
    oryx_snapshot *s = take(&r);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(run(&r, 2), 2);
        assert_int_equal(get_reg(&r, "x3"), 1);
        assert_int_equal(word(RAM + 0x10000), 77);
        to = RAM + 0x20000;
        oryx_space_write(r.s, RAM + 0x8000, &to, sizeof(to), 0);
        oryx_vcpu_tlb_flush(r.v, 0, 0);
        assert_int_equal(run(&r, 3), 3);
        assert_int_equal(get_reg(&r, "x3"), 2);
        assert_int_equal(word(RAM + 0x20000), 77);
        restore(none); /* from unmapped to mapped needs no flush of the guest's, the way back does */
        assert_int_equal(run(&r, 1), 0);
        restore(s);
    }
}

/* What a quirk remembers: the index of an index/data window. */
static void test_quirk(void **state)
{
    (void)state;
    oryx_error e = {0};
    oryx_region *q;
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "window", .last = 0xff, .lower = r.ram,
                            .options = "{\"kind\": \"window\", \"index\": 0, \"index_size\": 4, \"data\": 4, \"data_size\": 4}"};
    if (oryx_region_new(r.m, "quirk", &c, &q, &e))
        fail_msg("%s", e.text);
    assert_int_equal(oryx_region_add(oryx_space_root(r.s), 0x9000000, q, 0, &e), ORYX_OK);
    put_word(RAM + 0x10, 111);
    put_word(RAM + 0x20, 222);
    put_word(0x9000000, 0x10);
    assert_int_equal(word(0x9000004), 111);
    oryx_snapshot *s = take(&r);
    put_word(0x9000000, 0x20);
    assert_int_equal(word(0x9000004), 222);
    oryx_snapshot *t = take(&r);
    restore(s);
    assert_int_equal(word(0x9000000), 0x10);
    assert_int_equal(word(0x9000004), 111);
    restore(t);
    assert_int_equal(word(0x9000004), 222);
}

/* Dirty pages of other clients hear of what a restore changes. */
static void test_dirty_log(void **state)
{
    (void)state;
    oryx_error e;
    uint64_t bits[1];
    oryx_snapshot *s = take(&r);
    put_word(RAM + 0x3000, 1);
    assert_int_equal(oryx_dirty_start(r.ram, ORYX_DIRTY_DISPLAY, &e), ORYX_OK);
    assert_int_equal(oryx_dirty_take(r.ram, ORYX_DIRTY_DISPLAY, 0, 64, bits, 1), 0);
    restore(s);
    assert_int_equal(oryx_dirty_take(r.ram, ORYX_DIRTY_DISPLAY, 0, 64, bits, 1), 1);
    assert_int_equal(bits[0], 1u << 3);
    assert_int_equal(oryx_dirty_stop(r.ram, ORYX_DIRTY_DISPLAY, &e), ORYX_OK);
}

/* An exclusive pair that a snapshot splits: the monitor is part of the state. */
static void test_monitor(void **state)
{
    (void)state;
    static const uint32_t pair[] = {0xc85f7c0b /* ldxr x11, [x0] */, 0xc80c7c02 /* stxr w12, x2, [x0] */, 0x14000000};
    oryx_space_write(r.s, CODE, pair, sizeof(pair), 0);
    set_reg(&r, "x12", 9);
    run(&r, 1);
    oryx_snapshot *s = take(&r);
    for (int i = 0; i < 3; i++) {
        run(&r, 1);
        assert_int_equal(get_reg(&r, "x12"), 0);
        assert_int_equal(word(RAM), 1);
        restore(s);
        assert_int_equal(word(RAM), 0);
    }
}

/* --- two vCPUs ------------------------------------------------------------------------------------------ */

static void *run_other(void *opaque)
{
    rig *o = opaque;
    run(o, 20000);
    return NULL;
}

static void test_two(void **state)
{
    (void)state;
    oryx_error e;
    rig two = r;
    assert_int_equal(oryx_vcpu_new(r.m, NULL, &two.v, &e), ORYX_OK);
    set_reg(&two, "x0", RAM);
    set_reg(&two, "x1", SMALL + 64);
    set_reg(&two, "x2", 99);
    set_reg(&two, "x4", MUL);
    set_reg(&two, "x5", ADD);
    oryx_vcpu_set_pc(two.v, CODE);
    run(&r, 3000);
    uint8_t *copy = malloc(RAM_SIZE), small[SMALL_SIZE];
    memcpy(copy, bytes_of(r.ram), RAM_SIZE);
    memcpy(small, bytes_of(r.small), SMALL_SIZE);
    uint64_t x2 = get_reg(&r, "x2");
    oryx_snapshot *s = take(&r);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, run_other, &two), 0);
        run(&r, 20000);
        pthread_join(t, NULL);
        restore(s);
        assert_memory_equal(bytes_of(r.ram), copy, RAM_SIZE);
        assert_memory_equal(bytes_of(r.small), small, SMALL_SIZE);
        assert_int_equal(get_reg(&r, "x2"), x2);
        assert_int_equal(get_reg(&two, "x2"), 99);
        assert_int_equal(oryx_vcpu_insns(two.v), 0);
    }
    free(copy);
}

static void test_bad_calls(void **state)
{
    (void)state;
    oryx_snapshot *s;
    oryx_snapshot_drop(NULL);
    oryx_snapshot_describe(r.m, NULL);
    REFUSED(oryx_snapshot_take(NULL, NULL, &s, &err), ORYX_E_INVALID, "NULL");
    REFUSED(oryx_snapshot_restore(NULL, &err), ORYX_E_INVALID, "not dropped");
    assert_int_equal(oryx_snapshot_take(r.m, NULL, NULL, NULL), ORYX_E_INVALID);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_running, up, down),    cmocka_unit_test_setup_teardown(test_mapped, up, down),
        cmocka_unit_test_setup_teardown(test_transaction, up, down), cmocka_unit_test_setup_teardown(test_device_memory, up, down),
        cmocka_unit_test_setup_teardown(test_shared, up, down),     cmocka_unit_test_setup_teardown(test_unannounced, up, down),
        cmocka_unit_test_setup_teardown(test_gone, up, down),       cmocka_unit_test_setup_teardown(test_code, up, down),
        cmocka_unit_test_setup_teardown(test_dirty_log, up, down),  cmocka_unit_test_setup_teardown(test_monitor, up, down),
        cmocka_unit_test_setup_teardown(test_two, up, down),        cmocka_unit_test_setup_teardown(test_quirk, up, down),      cmocka_unit_test_setup_teardown(test_translations, up, down),
        cmocka_unit_test_setup_teardown(test_bad_calls, up, down),
    };
    engine = argc > 1 ? argv[1] : "interp";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
