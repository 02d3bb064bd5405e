/* The region ABI through the whole library, with the backend of region_plugin.c. Expected values
 * follow from that file's rules and abi/oryx_mem.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oryx.h"

static oryx_machine *m;
static oryx_vcpu *v;
static oryx_space *s;

static oryx_region *setup(const char *type)
{
    const char *pins[] = {getenv("TOY_PLUGIN"), getenv("REGION_PLUGIN"), NULL};
    char path[512];
    oryx_error err = {0};
    oryx_region *r = NULL;
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                             .arch = "toy",
                             .engine = "toy-eval",
                             .plugin_path = path,
                             .plugins = pins};
    oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config), .name = type, .last = 4095};
    if (oryx_machine_new(&c, &m, &err) || oryx_vcpu_new(m, NULL, &v, &err) ||
        oryx_region_new(m, type, &rc, &r, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    assert_int_equal(oryx_region_add(oryx_space_root(s), 0x10000, r, 0, &err), ORYX_OK);
    return r;
}

static uint32_t calls(void)
{
    uint32_t n = 0;
    assert_int_equal(oryx_space_read(s, 0x10000 + 4088, &n, 4, 0), ORYX_OK);
    return n;
}

static uint64_t load(uint64_t addr, uint32_t memop)
{
    oryx_cpu *cpu = oryx_vcpu_cpu(v);
    oryx_v128 got;
    assert_int_equal(cpu->fn->load(cpu, addr, memop, &got), ORYX_OK);
    return got.lo;
}

static void store(uint64_t addr, uint32_t memop, uint64_t value)
{
    oryx_cpu *cpu = oryx_vcpu_cpu(v);
    oryx_v128 val = {value, 0};
    assert_int_equal(cpu->fn->store(cpu, addr, memop, &val), ORYX_OK);
}

static void test_prefix(void **state)
{
    (void)state;
    setup("half");
    uint32_t before = calls();
    store(0x10100, ORYX_MO_64, 0x1122334455667788u);
    assert_int_equal(load(0x10100, ORYX_MO_64), 0x1122334455667788u);
    assert_int_equal(calls(), before + 1); /* only the question itself */
    store(0x10900, ORYX_MO_32, 0xcafe);
    assert_int_equal(load(0x10900, ORYX_MO_32), 0xcafe);
    assert_int_equal(calls(), before + 4);
    /* Across the end of the direct part the whole access goes to the backend. */
    store(0x107fe, ORYX_MO_32, 0x44332211);
    assert_int_equal(load(0x107fe, ORYX_MO_32), 0x44332211);
    assert_int_equal(load(0x107fe, ORYX_MO_16), 0x2211);
    uint64_t len = 4096;
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    assert_int_equal(oryx_space_direct(s, 0x10700, &len, &d), ORYX_OK);
    assert_int_equal(len, 0x100);
    assert_int_equal(d.last, 0xff);
    assert_int_equal(oryx_space_direct(s, 0x10800, &len, &d), ORYX_E_UNSUPPORTED);
    oryx_machine_destroy(m);
}

static void test_changed(void **state)
{
    (void)state;
    setup("half");
    store(0x10100, ORYX_MO_8, 0x5a);
    store(0x10fff, ORYX_MO_8, 0); /* closes itself from inside its callback */
    uint32_t before = calls();
    assert_int_equal(load(0x10100, ORYX_MO_8), 0x5a);
    assert_int_equal(calls(), before + 2);
    store(0x10fff, ORYX_MO_8, 1);
    before = calls();
    assert_int_equal(load(0x10100, ORYX_MO_8), 0x5a);
    assert_int_equal(calls(), before + 1);
    oryx_machine_destroy(m);
}

static void test_short_ops(void **state)
{
    (void)state;
    oryx_region *r = setup("short");
    uint64_t len = 8;
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    uint32_t before = calls();
    store(0x10101, ORYX_MO_32, 0x01020304);
    assert_int_equal(load(0x10101, ORYX_MO_32), 0x01020304); /* no limits: 1..8, unaligned */
    assert_int_equal(calls(), before + 3);
    assert_int_equal(oryx_space_direct(s, 0x10000, &len, &d), ORYX_E_UNSUPPORTED);
    assert_int_equal(oryx_region_direct(r, 0, &d), ORYX_E_UNSUPPORTED);
    oryx_error err = {0};
    assert_int_equal(oryx_region_remove(r, &err), ORYX_OK);
    assert_int_equal(oryx_region_destroy(r, &err), ORYX_OK);
    /* The backend's own refusal reaches the caller. */
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "x", .last = 1};
    assert_int_equal(oryx_region_new(m, "short", &c, &r, &err), ORYX_E_RANGE);
    assert_string_equal(err.text, "half: last must be 4095");
    oryx_machine_destroy(m);
}

/* A caller of an older header has a shorter config: what it lacks counts as zero. */
static void test_short_config(void **state)
{
    (void)state;
    setup("half");
    oryx_region_config c;
    oryx_region *r = NULL;
    oryx_error err = {0};
    memset(&c, 0x5a, sizeof(c));
    c.hdr = (oryx_hdr){offsetof(oryx_region_config, prot), ORYX_ABI_MAJOR, ORYX_ABI_MINOR};
    c.name = "ram";
    c.last = 0xfff;
    if (oryx_region_new(m, "ram", &c, &r, &err))
        fail_msg("%s", err.text);
    assert_int_equal(oryx_region_add(oryx_space_root(s), 0x20000, r, 0, &err), ORYX_OK);
    store(0x20000, ORYX_MO_64, 1);
    oryx_machine_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_short_ops),
        cmocka_unit_test(test_short_config),
    };
    return cmocka_run_group_tests_name("abi_region", tests, NULL, NULL);
}
