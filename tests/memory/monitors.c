/* Exclusive monitors under real engines ("Load/store-exclusive is a real monitor that another vCPU's or a device's write
 * clears"): every writer that is not the vCPU itself makes the store-exclusive fail, also when it wrote the value that was
 * there (A-B-A); and a lock-free stack that two threads pop and push loses no node, which comparing values alone does at
 * once. The rules are the architecture's (DDI 0487, B2.12); the monitor watches 64 bytes. */
#include <pthread.h>

#include "guest.h"

#define RAM  0x40000u /* in mode B a window serves it */
#define WORD (RAM + 0x1000)

static oryx_region *ram;
static uint64_t ram_offset; /* of RAM in ram */
static oryx_vcpu *other;

/* What the tests execute, in memory from the start: writing it when it is due would be a write like others, and who shares a
 * slot of the monitors with the granule watched (by a hash of host addresses, so now and then) may make a store fail. */
enum { LDXR, STXR, CLREX, LDR, STR, STP, SWP, CAS };
static const uint32_t insns[] = {
    [LDXR] = 0xc85f7c20, /* ldxr x0, [x1] */
    [STXR] = 0xc8027c20, /* stxr w2, x0, [x1] */
    [CLREX] = 0xd5033f5f,
    [LDR] = 0xf9400020,  /* ldr x0, [x1] */
    [STR] = 0xf9000020,  /* str x0, [x1] */
    [STP] = 0xa9000020,  /* stp x0, x0, [x1] */
    [SWP] = 0xf8208020,  /* swp x0, x0, [x1] */
    [CAS] = 0xc8a07c20,  /* cas x0, x0, [x1] */
};

static void up(int two)
{
    guest_up();
    put_words(insns, sizeof(insns) / sizeof(insns[0]));
    ram = guest_memory("memory", RAM, 0x10000, &ram_offset);
    put(made("alias", (oryx_region_config){.name = "again", .last = 0xffff, .target = ram, .target_offset = ram_offset}), 0x400000, 0);
    if (two)
        other = guest_vcpu();
}

/* One of them on a vCPU with x0 = value, x1 = addr. */
static void one(oryx_vcpu *cpu, unsigned insn, uint64_t addr, uint64_t value)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
    oryx_vcpu *keep = v;
    v = cpu;
    reg_set("x0", value);
    reg_set("x1", addr);
    last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
    oryx_vcpu_set_pc(v, CODE + 4 * insn);
    assert_ok(oryx_vcpu_run(v, &l, &last_exit));
    assert_int_equal(last_exit.reason, ORYX_EXIT_COUNT);
    v = keep;
}

static uint64_t ldxr(uint64_t addr)
{
    one(v, LDXR, addr, 0);
    return reg_get("x0");
}

/* Did the store-exclusive fail? */
static uint64_t stxr(uint64_t addr, uint64_t value)
{
    one(v, STXR, addr, value);
    return reg_get("x2");
}

static uint64_t word(uint64_t addr)
{
    uint64_t value = 0;
    assert_ok(oryx_space_read(s, addr, &value, 8, 0));
    return value;
}

/* Writers of the byte at addr, all with the value 7 that is there. */
static void by_store(uint64_t addr)
{
    one(other, STR, addr, 7);
}
static void by_pair(uint64_t addr)
{
    one(other, STP, addr, 7);
}
static void by_swap(uint64_t addr)
{
    one(other, SWP, addr, 7);
}
static void by_cas(uint64_t addr)
{
    one(other, CAS, addr, 7);
}
static void by_exclusive(uint64_t addr)
{
    one(other, LDXR, addr, 0);
    one(other, STXR, addr, 7);
}
static void by_alias(uint64_t addr)
{
    one(other, STR, addr - RAM + 0x400000, 7);
}
static void by_api(uint64_t addr)
{
    uint64_t seven = 7;
    assert_ok(oryx_space_write(s, addr, &seven, 8, 0));
}
static void by_dma(uint64_t addr)
{
    uint64_t seven = 7;
    assert_ok(oryx_space_write(s, addr, &seven, 8, ORYX_ATTR_DMA));
}
static void by_bulk(uint64_t addr)
{
    static uint64_t page[512];
    page[(addr & 0xfff) / 8] = 7;
    assert_ok(oryx_space_write(s, addr & ~0xfffull, page, sizeof(page), ORYX_ATTR_DMA));
}
static void by_mapping(uint64_t addr)
{
    oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)};
    assert_ok(oryx_space_map(s, addr, 8, 1, NULL, &map, NULL));
    *(uint64_t *)map.host = 7;
    assert_ok(oryx_space_unmap(&map, 8));
}
static void by_region(uint64_t addr)
{
    oryx_access a = {.hdr = ORYX_HDR(oryx_access), .offset = addr - RAM + ram_offset, .value = 7, .size = 8, .write = 1};
    assert_ok(oryx_region_access(ram, &a));
}
static void by_pointer(uint64_t addr)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    assert_ok(oryx_region_direct(ram, addr - RAM + ram_offset, &d));
    *(uint64_t *)d.host = 7;
    oryx_region_written(ram, addr - RAM + ram_offset, 8);
}

static const struct {
    const char *name;
    void (*write)(uint64_t addr);
    int vcpu;
} writers[] = {
    {"store", by_store, 1},         {"pair", by_pair, 1},   {"swap", by_swap, 1}, {"cas", by_cas, 1},
    {"exclusive", by_exclusive, 1}, {"alias", by_alias, 1}, {"api", by_api, 0},   {"dma", by_dma, 0},
    {"bulk", by_bulk, 0},           {"mapping", by_mapping, 0}, {"region", by_region, 0}, {"pointer", by_pointer, 0},
};

static void each_writer(uint64_t addr, int two)
{
    for (unsigned i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        if (writers[i].vcpu && !two)
            continue;
        uint64_t seven = 7;
        assert_ok(oryx_space_write(s, addr, &seven, 8, 0));
        if (two)
            by_store(addr); /* its page is fast for the other vCPU before it is watched */
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(ldxr(addr), 7);
            writers[i].write(addr);
            if (stxr(addr, 8) != 1 || word(addr) != 7)
                fail_msg("a write of the same value by %s was not seen, vCPUs: %d", writers[i].name, 1 + two);
            /* What is not written stays watched: 64 bytes further on. */
            ldxr(addr);
            if (writers[i].write != by_bulk)
                writers[i].write(addr + 64);
            assert_int_equal(stxr(addr, 7), 0);
            assert_int_equal(stxr(addr, 7), 1);
        }
    }
}

static void test_writers(void **state)
{
    (void)state;
    for (int two = 0; two < 2; two++) {
        up(two);
        each_writer(WORD, two);
        each_writer(WORD + 0xfc0 - 64, two);
        guest_down();
    }
}

/* The vCPU's own accesses do not clear it; CLREX does; another address or width does. */
static void test_own(void **state)
{
    (void)state;
    up(1);
    ldxr(WORD);
    one(v, STR, WORD + 128, 1);
    one(v, LDR, WORD + 8, 1);
    assert_int_equal(stxr(WORD, 5), 0);
    assert_int_equal(word(WORD), 5);
    ldxr(WORD);
    one(v, CLREX, 0, 0);
    assert_int_equal(stxr(WORD, 6), 1);
    ldxr(WORD);
    assert_int_equal(stxr(WORD + 8, 6), 1);
    guest_down();
}

/* Memory that has no entry in the translation caches: smaller than a page, with code in it, dirty logged. */
static void test_slow_memory(void **state)
{
    (void)state;
    up(1);
    put(made("ram", (oryx_region_config){.name = "small", .last = 0xff}), 0x200080, 0);
    ram = made("ram", (oryx_region_config){.name = "odd", .last = 0x1fff});
    put(ram, 0x210040, 0);
    uint64_t seven = 7;
    static const uint64_t at[] = {0x200100, 0x210080};
    for (unsigned i = 0; i < 2; i++) {
        assert_ok(oryx_space_write(s, at[i], &seven, 8, 0));
        for (unsigned k = 0; k < 5; k++) {
            assert_int_equal(ldxr(at[i]), 7);
            k ? by_store(at[i]) : by_api(at[i]);
            assert_int_equal(stxr(at[i], 8), 1);
            ldxr(at[i]);
            assert_int_equal(stxr(at[i], 7), 0);
        }
    }
    /* On the page of the code that runs. */
    assert_ok(oryx_space_write(s, CODE + 0x800, &seven, 8, 0));
    ldxr(CODE + 0x800);
    by_store(CODE + 0x800);
    assert_int_equal(stxr(CODE + 0x800, 8), 1);
    guest_down();
    up(1);
    const uint64_t page = (ram_offset + WORD - RAM) / 4096;
    assert_ok(oryx_dirty_start(ram, ORYX_DIRTY_USER, NULL));
    ldxr(WORD);
    assert_int_equal(stxr(WORD, 8), 0);
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, page, 1, NULL, 1), 1);
    ldxr(WORD);
    one(other, STR, WORD, 8);
    assert_int_equal(stxr(WORD, 9), 1);
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, page, 1, NULL, 1), 1);
    guest_down();
}

/* A second vCPU that comes while the first watches. */
static void test_newcomer(void **state)
{
    (void)state;
    up(0);
    ldxr(WORD);
    other = guest_vcpu();
    assert_int_equal(stxr(WORD, 1), 1);
    ldxr(WORD);
    assert_int_equal(stxr(WORD, 1), 0);
    guest_down();
}

/* --- two threads ------------------------------------------------------------------------------------ */

static const uint32_t stack_code[] = {
    0xc85ffd40, 0xb4ffffe0, 0xf9400001, 0xc8027d41, 0x35ffff82, /* pop x0 */
    0xc85ffd44, 0xb4ffffe4, 0xf9400081, 0xc8027d41, 0x35ffff82, /* pop x4 */
    0xf9400403, 0x91000463, 0xf9000403, 0xf9400483, 0x91000463, 0xf9000483, /* x0->used++, x4->used++ */
    0xc85f7d41, 0xf9000001, 0xc802fd40, 0x35ffffa2,             /* push x0 */
    0xc85f7d41, 0xf9000081, 0xc802fd44, 0x35ffffa2,             /* push x4 */
    0xf100056b, 0x54fffce1, 0x14000000,                         /* x11 times, then stay */
};
#define STACK_END (CODE + 26 * 4)
#define NODES     5u

static void *stack_thread(void *arg)
{
    oryx_vcpu *cpu = arg;
    const uint64_t until = STACK_END;
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .until = &until, .n_until = 1, .timeout_us = 60000000};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    oryx_status st = oryx_vcpu_run(cpu, &l, &e);
    return st == ORYX_OK && e.reason == ORYX_EXIT_UNTIL ? NULL : (void *)oryx_exit_text(e.reason);
}

static void test_stack(void **state)
{
    (void)state;
    const char *env = getenv("MEM_ROUNDS");
    uint64_t rounds = env ? strtoull(env, NULL, 0) : 20000, head = WORD, total = 0;
    up(1);
    assert_ok(oryx_space_write(s, CODE, stack_code, sizeof(stack_code), 0));
    /* Nodes on the page of the head and on others. */
    static const uint64_t nodes[NODES] = {WORD + 0x40, WORD + 0x80, WORD + 0x1000, WORD + 0x2000, WORD + 0xc0};
    for (unsigned i = 0; i < NODES; i++) {
        uint64_t node[2] = {i + 1 < NODES ? nodes[i + 1] : 0, 0};
        assert_ok(oryx_space_write(s, nodes[i], node, 16, 0));
    }
    assert_ok(oryx_space_write(s, head, &nodes[0], 8, 0));
    oryx_vcpu *both[2] = {v, other};
    pthread_t thread[2];
    for (unsigned i = 0; i < 2; i++) {
        v = both[i];
        reg_set("x10", head);
        reg_set("x11", rounds);
        oryx_vcpu_set_pc(v, CODE);
        assert_int_equal(pthread_create(&thread[i], NULL, stack_thread, v), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        void *wrong = NULL;
        pthread_join(thread[i], &wrong);
        if (wrong)
            fail_msg("thread %u ended by %s: a node was lost", i, (const char *)wrong);
    }
    unsigned n = 0;
    for (uint64_t node = word(head); node; node = word(node)) {
        total += word(node + 8);
        if (++n > NODES)
            fail_msg("the stack goes in a circle");
    }
    assert_int_equal(n, NODES);
    assert_int_equal(total, 4 * rounds);
    guest_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writers), cmocka_unit_test(test_own), cmocka_unit_test(test_slow_memory),
        cmocka_unit_test(test_newcomer), cmocka_unit_test(test_stack),
    };
    return cmocka_run_group_tests_name("monitors", tests, NULL, NULL);
}
