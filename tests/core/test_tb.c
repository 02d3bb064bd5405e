/* The TB cache against the toy machine: self-modifying code, exact invalidation, links, remapping, two models and spaces,
 * the bound, probes' flush. Counters of oryx_machine_stats tell what was translated, dropped and linked. */
#include "toy_machine.h"

static uint32_t pages(toy *t)
{
    return g_hash_table_size(t->m->tbs->pages);
}

/* A loop of two blocks in one page: after warm-up nothing is looked up or linked any more. */
static void test_links(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, -1), T4(TOY_B, 0, 0, 6));
    TOY_CODE(&t, 0x1010, T4(TOY_BNZ, 1, 0, -8), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_set(&t, 1, 100);
    assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_HALT);
    oryx_stats a = toy_stats(&t);
    assert_int_equal(a.tbs, 3);
    assert_int_equal(a.tb_links, 3);
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_set(&t, 1, 100);
    toy_run(&t, 0, NULL, 0);
    oryx_stats b = toy_stats(&t);
    assert_int_equal(b.tbs, a.tbs);
    assert_int_equal(b.tb_links, a.tb_links);
    assert_int_equal(b.tb_lookups, a.tb_lookups);
    assert_int_equal(b.insns, 2 * 300);
    oryx_machine_destroy(t.m);
}

/* A write drops exactly the blocks whose bytes it touches; data on the page may change freely. */
static void test_exact(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 1), T4(TOY_B, 0, 0, 0x7e)); /* to 0x1100 */
    TOY_CODE(&t, 0x1100, T4(TOY_MOVI, 2, 0, 2), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_run(&t, 0, NULL, 0);
    oryx_stats s = toy_stats(&t);
    assert_int_equal(s.tbs, 2);
    assert_int_equal(pages(&t), 1);
    TOY_CODE(&t, 0x1008, 1, 2, 3, 4, 5, 6, 7, 8); /* right behind the first block */
    TOY_CODE(&t, 0x10ff, 9);                      /* right before the second */
    TOY_CODE(&t, 0x1106, 9);
    assert_int_equal(toy_stats(&t).tb_invalidated, 0);
    TOY_CODE(&t, 0x1105, 0); /* the halt's last byte */
    assert_int_equal(toy_stats(&t).tb_invalidated, 1);
    assert_int_equal(t.m->tbs->n, 1);
    TOY_CODE(&t, 0x1007, 0); /* the first one's last byte */
    assert_int_equal(toy_stats(&t).tb_invalidated, 2);
    assert_int_equal(t.m->tbs->n, 0);
    assert_int_equal(pages(&t), 0); /* and its page is ordinary memory again */
    assert_null(t.m->tbs->retired);
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_run(&t, 0, NULL, 0);
    assert_int_equal(toy_stats(&t).tbs, 4);
    oryx_machine_destroy(t.m);
}

/* Guest code that rewrites an instruction of another block, of a linked block, and the next one of its own block. */
static void test_self_modifying(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    /* 0x1000: [r4] = low byte of r3; 0x1002: r5 = 7 (its low byte is at 0x1004); halt */
    TOY_CODE(&t, 0x1000, T2(TOY_STORE8, 3, 4), T4(TOY_MOVI, 5, 0, 7), T2(TOY_HALT, 0, 0));
    for (unsigned i = 0; i < 20; i++) {
        toy_set(&t, 3, 10 + i);
        toy_set(&t, 4, 0x1004);
        oryx_vcpu_set_pc(t.v, 0x1000);
        oryx_exit e = toy_run(&t, 0, NULL, 0);
        assert_int_equal(e.reason, ORYX_EXIT_HALT);
        assert_int_equal(e.insns, 2);
        assert_int_equal(toy_reg(&t, 5), 10 + i);
    }
    /* A loop whose body another block patches every round: sum of what it saw. */
    TOY_CODE(&t, 0x3000, T2(TOY_STORE8, 1, 4), T4(TOY_B, 0, 0, 0x7f));               /* patch, go to 0x3100 */
    TOY_CODE(&t, 0x3100, T4(TOY_MOVI, 2, 0, 0), T2(TOY_ADD, 3, 2), T4(TOY_ADDI, 1, 0, -1), T4(TOY_BNZ, 1, 0, -0x85), T2(TOY_HALT, 0, 0));
    toy_set(&t, 1, 100);
    toy_set(&t, 3, 0);
    toy_set(&t, 4, 0x3102);
    oryx_vcpu_set_pc(t.v, 0x3000);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(toy_reg(&t, 3), 5050);
    assert_int_equal(e.insns, 100 * 6);
    oryx_machine_destroy(t.m);
}

/* The same with exact counts: a write inside a cut block and single steps over it. */
static void test_self_modifying_steps(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T2(TOY_STORE8, 3, 4), T4(TOY_MOVI, 5, 0, 7), T4(TOY_B, 0, 0, -3));
    toy_set(&t, 4, 0x1004);
    oryx_vcpu_set_pc(t.v, 0x1000);
    for (unsigned i = 0; i < 60; i++) {
        toy_set(&t, 3, i & 0x7f);
        oryx_exit e = toy_run(&t, 1, NULL, 0);
        assert_int_equal(e.reason, ORYX_EXIT_COUNT);
        assert_int_equal(e.insns, 1);
        if (i % 3 == 1)
            assert_int_equal(toy_reg(&t, 5), i - 1 + 0); /* stored by the step before */
    }
    oryx_machine_destroy(t.m);
}

/* Single steps over warm code translate nothing. */
static void test_step_warm(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, 1), T4(TOY_ADDI, 1, 0, 1), T4(TOY_B, 0, 0, -4));
    oryx_vcpu_set_pc(t.v, 0x1000);
    for (unsigned i = 0; i < 9; i++)
        toy_run(&t, 1, NULL, 0);
    oryx_stats a = toy_stats(&t);
    for (unsigned i = 0; i < 999; i++)
        assert_int_equal(toy_run(&t, 1, NULL, 0).insns, 1);
    oryx_stats b = toy_stats(&t);
    assert_int_equal(a.tbs, b.tbs);
    assert_int_equal(a.tb_lookups, b.tb_lookups);
    assert_int_equal(toy_reg(&t, 1), 2 * 336);
    oryx_machine_destroy(t.m);
}

/* A run of every length over the same loop makes a bounded number of blocks and no flush. */
static void test_counts_bounded(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, 1), T4(TOY_ADDI, 2, 0, 1), T4(TOY_B, 0, 0, -4));
    oryx_vcpu_set_pc(t.v, 0x1000);
    uint64_t total = 0;
    for (unsigned i = 1; i < 200; i++) {
        assert_int_equal(toy_run(&t, i, NULL, 0).insns, i);
        total += i;
    }
    assert_int_equal(oryx_vcpu_insns(t.v), total);
    oryx_stats s = toy_stats(&t);
    assert_true(s.tbs < 140);
    assert_int_equal(s.tb_flushes, 0);
    oryx_machine_destroy(t.m);
}

/* --- an MMU of the test's: page tables in an array ------------------------------------------------------------------------- */
static uint64_t map[64];
static unsigned walks;
static oryx_status mmu(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    walks++;
    uint64_t page = addr >> 12;
    if (page >= 64 || !map[page])
        return ORYX_FAULT_TRANSLATE;
    out->phys = map[page] | (addr & 0xfff);
    out->page_size = 4096;
    out->prot = ORYX_PROT_ALL;
    return ORYX_OK;
}

/* Two virtual pages whose code jumps back and forth; the second is mapped elsewhere between runs. */
static void test_remap(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    memset(map, 0, sizeof(map));
    map[1] = 0x1000;
    map[2] = 0x2000;
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, -1), T4(TOY_B, 0, 0, 0x7fe)); /* to 0x2000 */
    TOY_CODE(&t, 0x2000, T4(TOY_ADDI, 2, 0, 1), T4(TOY_BNZ, 1, 0, -0x802), T2(TOY_HALT, 0, 0));
    TOY_CODE(&t, 0x3000, T4(TOY_ADDI, 3, 0, 1), T4(TOY_BNZ, 1, 0, -0x802), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_mmu(t.v, mmu, NULL);
    for (unsigned i = 0; i < 3; i++) {
        map[2] = i & 1 ? 0x3000 : 0x2000;
        oryx_vcpu_tlb_flush(t.v, 0x2000, 0x1000);
        toy_set(&t, 1, 50);
        oryx_vcpu_set_pc(t.v, 0x1000);
        assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_HALT);
    }
    assert_int_equal(toy_reg(&t, 2), 100);
    assert_int_equal(toy_reg(&t, 3), 50);
    /* Three pages of code, translated once each: remapping threw nothing away. */
    assert_int_equal(toy_stats(&t).tb_invalidated, 0);
    /* Unmapped: the fetch faults at the exact pc, although a block for it is cached. */
    map[2] = 0;
    oryx_vcpu_tlb_flush(t.v, 0, 0);
    toy_set(&t, 1, 50);
    oryx_vcpu_set_pc(t.v, 0x1000);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_FAULT);
    assert_int_equal(e.exc.kind, ORYX_EXC_FETCH);
    assert_int_equal(e.exc.status, ORYX_FAULT_TRANSLATE);
    assert_int_equal(e.pc, 0x2000);
    assert_int_equal(e.insns, 2);
    oryx_machine_destroy(t.m);
}

/* An instruction that crosses pages, whose second page is remapped or shown twice. */
static void test_remap_cross(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    memset(map, 0, sizeof(map));
    map[1] = 0x1000;
    map[2] = 0x2000;
    TOY_CODE(&t, 0x1ffe, T4(TOY_MOVI, 1, 0, 0x111), T2(TOY_HALT, 0, 0));
    TOY_CODE(&t, 0x3000, 0x22, 0x02, T2(TOY_HALT, 0, 0));
    TOY_CODE(&t, 0x1000, 0x33, 0x03, T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_mmu(t.v, mmu, NULL);
    static const uint64_t second[] = { 0x2000, 0x3000, 0x1000, 0x2000 }, want[] = { 0x111, 0x222, 0x333, 0x111 };
    for (unsigned i = 0; i < 4; i++) {
        map[2] = second[i];
        oryx_vcpu_tlb_flush(t.v, 0x2000, 1);
        oryx_vcpu_set_pc(t.v, 0x1ffe);
        oryx_exit e = toy_run(&t, 0, NULL, 0);
        assert_int_equal(e.reason, ORYX_EXIT_HALT);
        assert_int_equal(toy_reg(&t, 1), want[i]);
        assert_int_equal(e.insns, 1);
    }
    /* Both halves on one physical page: a write to either drops the block, once. */
    map[2] = 0x1000;
    oryx_vcpu_tlb_flush(t.v, 0x2000, 0x1000);
    oryx_vcpu_set_pc(t.v, 0x1ffe);
    toy_run(&t, 0, NULL, 0);
    oryx_vcpu_set_pc(t.v, 0x1ffe);
    TOY_CODE(&t, 0x1000, 0x44, 0x04);
    toy_run(&t, 0, NULL, 0);
    assert_int_equal(toy_reg(&t, 1), 0x444);
    TOY_CODE(&t, 0x1ffe, TOY_MOVI, 0x20);
    oryx_vcpu_set_pc(t.v, 0x1ffe);
    toy_run(&t, 0, NULL, 0);
    assert_int_equal(toy_reg(&t, 2), 0x444);
    oryx_machine_destroy(t.m);
}

/* A region moved away and back: the physical bytes behind an address change without a store. */
static void test_view_change(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    oryx_region_config rc = { .hdr = ORYX_HDR(oryx_region_config), .name = "over", .last = 0xfff };
    oryx_region *over;
    must(oryx_region_new(t.m, "ram", &rc, &over, &err), err);
    must(oryx_region_add(oryx_space_root(oryx_space_get(t.m, "system")), 0x1000, over, 5, &err), err);
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 2), T2(TOY_HALT, 0, 0));
    must(oryx_region_enable(over, 0, &err), err);
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 1), T2(TOY_HALT, 0, 0));
    for (unsigned i = 0; i < 4; i++) {
        must(oryx_region_enable(over, i & 1, &err), err);
        oryx_vcpu_set_pc(t.v, 0x1000);
        toy_run(&t, 0, NULL, 0);
        assert_int_equal(toy_reg(&t, 1), 1 + (i & 1));
    }
    oryx_machine_destroy(t.m);
}

/* More code than the bound holds: generations are flushed, everything still runs, memory stays bounded. */
static void test_bound(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    t.m->tbs->max_bytes = 64 * 1024;
    for (uint64_t at = 0x1000; at < 0x10000; at += 8)
        TOY_CODE(&t, at, T4(TOY_ADDI, 1, 0, 1), T4(TOY_B, 0, 0, 2));
    TOY_CODE(&t, 0x10000, T2(TOY_HALT, 0, 0));
    for (unsigned i = 0; i < 3; i++) {
        oryx_vcpu_set_pc(t.v, 0x1000);
        toy_set(&t, 1, 0);
        oryx_exit e = toy_run(&t, 0, NULL, 0);
        assert_int_equal(e.reason, ORYX_EXIT_HALT);
        assert_int_equal(toy_reg(&t, 1), 0xf000 / 8);
        assert_true(t.m->tbs->bytes <= t.m->tbs->max_bytes);
    }
    assert_true(toy_stats(&t).tb_flushes > 3);
    unsigned retired = 0;
    for (oryx__tb *tb = t.m->tbs->retired; tb; tb = tb->retired_next)
        retired++;
    assert_true(retired < 2000);
    oryx_machine_destroy(t.m);
}

/* Two vCPUs of different models share the machine but not the blocks (a frontend may lift them differently). */
static void test_models(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    oryx_vcpu_config vc = { .hdr = ORYX_HDR(oryx_vcpu_config), .model = "toy2" };
    toy u = t;
    must(oryx_vcpu_new(t.m, &vc, &u.v, &err), err);
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 1), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    oryx_vcpu_set_pc(u.v, 0x1000);
    toy_run(&t, 0, NULL, 0);
    toy_run(&u, 0, NULL, 0);
    assert_int_equal(toy_stats(&t).tbs, 2);
    oryx_vcpu_destroy(u.v);
    assert_int_equal(toy_stats(&t).insns, 2);
    oryx_machine_destroy(t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),          cmocka_unit_test(test_exact),
        cmocka_unit_test(test_self_modifying), cmocka_unit_test(test_self_modifying_steps),
        cmocka_unit_test(test_step_warm),      cmocka_unit_test(test_counts_bounded),
        cmocka_unit_test(test_remap),          cmocka_unit_test(test_remap_cross),
        cmocka_unit_test(test_view_change),    cmocka_unit_test(test_bound),
        cmocka_unit_test(test_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
