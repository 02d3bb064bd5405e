/* Rule 3 of the ABI: the reader of a struct uses the smaller of two sizes. Structs of an older and of a newer caller are handed
 * to the library; what an older caller does not have is filled with rubbish that must not be read, what a newer one has
 * more must not disturb. The oracle is the rule; rubbish pointers would crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <oryx.h>

/* A struct followed by what a newer version may have added. */
#define NEWER(type) struct { type is; uint8_t more[96]; }
#define FILL(x) memset(&(x), 0xa5, sizeof(x))
#define END(type, member) (uint32_t)(offsetof(type, member) + sizeof(((type *)0)->member))

static oryx_error err;

static oryx_machine *machine(void)
{
    oryx_machine_config c = { .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = "interp" };
    oryx_machine *m = NULL;
    if (oryx_machine_new(&c, &m, &err))
        fail_msg("%s", err.text);
    return m;
}

static oryx_vcpu *vcpu(oryx_machine *m)
{
    oryx_vcpu_config c = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    oryx_region_config rc = { .hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = 0xffff };
    static const uint32_t code[] = { 0x91000400, 0x91000400, 0x91000400, 0x14000000 }; /* add x0, x0, #1 three times; b . */
    oryx_region *r;
    oryx_vcpu *v = NULL;
    assert_int_equal(oryx_region_new(m, "ram", &rc, &r, &err), ORYX_OK);
    assert_int_equal(oryx_region_add_exclusive(oryx_space_root(oryx_space_get(m, "system")), 0, r, &err), ORYX_OK);
    assert_int_equal(oryx_space_write(oryx_space_get(m, "system"), 0x1000, code, sizeof code, 0), ORYX_OK);
    assert_int_equal(oryx_vcpu_new(m, &c, &v, &err), ORYX_OK);
    oryx_vcpu_set_pc(v, 0x1000);
    return v;
}

static void machine_config(void **state)
{
    (void)state;
    oryx_machine_config old;
    NEWER(oryx_machine_config) new;
    oryx_machine *m = NULL;
    FILL(old);
    old.hdr = (oryx_hdr){ END(oryx_machine_config, engine), 1, 0 };
    old.arch = "arm64";
    old.engine = "interp"; /* options, path and plugins are rubbish that this caller does not know */
    assert_int_equal(oryx_machine_new(&old, &m, &err), ORYX_OK);
    oryx_machine_destroy(m);
    FILL(new);
    new.is = (oryx_machine_config){ .hdr = { sizeof new, 1, 7 }, .arch = "arm64", .engine = "interp" };
    assert_int_equal(oryx_machine_new(&new.is, &m, &err), ORYX_OK);
    oryx_machine_destroy(m);
    old.hdr.size = END(oryx_machine_config, hdr); /* too old to name an architecture */
    assert_int_equal(oryx_machine_new(&old, &m, &err), ORYX_E_INVALID);
    assert_true(strlen(err.text) > 0);
}

static void vcpu_config(void **state)
{
    (void)state;
    oryx_machine *m = machine();
    oryx_vcpu_config old;
    NEWER(oryx_vcpu_config) new;
    oryx_vcpu *v = NULL;
    FILL(old);
    old.hdr = (oryx_hdr){ END(oryx_vcpu_config, hdr), 1, 0 };
    assert_int_equal(oryx_vcpu_new(m, &old, &v, &err), ORYX_OK);
    FILL(new);
    new.is = (oryx_vcpu_config){ .hdr = { sizeof new, 1, 7 } };
    assert_int_equal(oryx_vcpu_new(m, &new.is, &v, &err), ORYX_OK);
    oryx_machine_destroy(m);
}

static void limits_and_exit(void **state)
{
    (void)state;
    oryx_machine *m = machine();
    oryx_vcpu *v = vcpu(m);
    oryx_limits_run old;
    NEWER(oryx_limits_run) new;
    NEWER(oryx_exit) e;
    uint64_t x0 = 0;
    FILL(old);
    old.hdr = (oryx_hdr){ END(oryx_limits_run, count), 1, 0 };
    old.count = 2; /* timeout and until are rubbish */
    FILL(e);
    e.is.hdr = (oryx_hdr){ sizeof e, 1, 7 };
    assert_int_equal(oryx_vcpu_run(v, &old, &e.is), ORYX_OK);
    assert_int_equal(e.is.reason, ORYX_EXIT_COUNT);
    assert_int_equal(e.is.insns, 2);
    for (size_t i = 0; i < sizeof e.more; i++)
        assert_int_equal(e.more[i], 0xa5); /* the library does not know what that is */
    FILL(new);
    new.is = (oryx_limits_run){ .hdr = { sizeof new, 1, 7 }, .count = 1 };
    assert_int_equal(oryx_vcpu_run(v, &new.is, &e.is), ORYX_OK);
    assert_int_equal(e.is.pc, 0x100c);
    assert_int_equal(oryx_reg_read(v, oryx_reg_find(m, "x0"), &x0, 8), ORYX_OK);
    assert_int_equal(x0, 3);
    e.is.hdr.size = END(oryx_exit, pc); /* an exit that could not hold what every caller of 1.0 has */
    assert_int_equal(oryx_vcpu_run(v, &new.is, &e.is), ORYX_E_INVALID);
    oryx_machine_destroy(m);
}

static void region_config(void **state)
{
    (void)state;
    oryx_machine *m = machine();
    oryx_region_config old;
    NEWER(oryx_region_config) new;
    oryx_region *r = NULL;
    FILL(old);
    old.hdr = (oryx_hdr){ END(oryx_region_config, prot), 1, 0 };
    old.name = "old";
    old.last = 0xfff;
    old.prot = 0; /* fd, flags, host, io, target, options are rubbish */
    assert_int_equal(oryx_region_new(m, "ram", &old, &r, &err), ORYX_OK);
    assert_int_equal(oryx_region_destroy(r, &err), ORYX_OK);
    FILL(new);
    new.is = (oryx_region_config){ .hdr = { sizeof new, 1, 7 }, .name = "new", .last = 0xfff };
    assert_int_equal(oryx_region_new(m, "ram", &new.is, &r, &err), ORYX_OK);
    assert_string_equal(oryx_region_name(r), "new");
    oryx_machine_destroy(m);
}

static oryx_status read7(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = 7;
    return ORYX_OK;
}

static void io_ops(void **state)
{
    (void)state;
    oryx_machine *m = machine();
    oryx_space *s = oryx_space_get(m, "system");
    oryx_io_ops old;
    NEWER(oryx_io_ops) new;
    FILL(old);
    old.hdr = (oryx_hdr){ END(oryx_io_ops, write), 1, 0 };
    old.read = read7;
    old.write = NULL; /* peek, limits and endianness are rubbish */
    FILL(new);
    new.is = (oryx_io_ops){ .hdr = { sizeof new, 1, 7 }, .read = read7 };
    const oryx_io_ops *const both[] = { &old, &new.is };
    for (int i = 0; i < 2; i++) {
        oryx_region_config c = { .hdr = ORYX_HDR(oryx_region_config), .name = "io", .last = 0xfff, .io = both[i] };
        oryx_region *r = NULL;
        uint32_t value = 0;
        assert_int_equal(oryx_region_new(m, "io", &c, &r, &err), ORYX_OK);
        assert_int_equal(oryx_region_add_exclusive(oryx_space_root(s), 0x1000u * (unsigned)i, r, &err), ORYX_OK);
        assert_int_equal(oryx_space_read(s, 0x1000u * (unsigned)i, &value, 4, 0), ORYX_OK);
        assert_int_equal(value, 7);
        assert_int_equal(oryx_space_read(s, 0x1000u * (unsigned)i, &value, 4, ORYX_ATTR_DEBUG), ORYX_OK);
        assert_int_equal(value, 0); /* there is no peek */
    }
    oryx_machine_destroy(m);
}

static void stats(void **state)
{
    (void)state;
    oryx_machine *m = machine();
    oryx_vcpu *v = vcpu(m);
    oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run), .count = 3 };
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_stats old;
    NEWER(oryx_stats) new;
    assert_int_equal(oryx_vcpu_run(v, &l, &e), ORYX_OK);
    FILL(old);
    old.hdr = (oryx_hdr){ END(oryx_stats, insns), 1, 0 };
    oryx_machine_stats(m, &old);
    assert_int_equal(old.insns, 3);
    assert_int_equal(old.tbs, 0xa5a5a5a5a5a5a5a5u); /* not this caller's */
    FILL(new);
    new.is.hdr = (oryx_hdr){ sizeof new, 1, 7 };
    oryx_machine_stats(m, &new.is);
    assert_int_equal(new.is.insns, 3);
    assert_true(new.is.hdr.size <= sizeof new.is); /* and so the caller sees what was filled in */
    assert_int_equal(new.more[0], 0xa5);
    oryx_machine_destroy(m);
}

/* Every name of the host table is there, and the table ends with the last. */
static void host_table(void **state)
{
    (void)state;
    static const char *const names[] = {
#define FN(name) #name,
#include <oryx_host.def>
#undef FN
    };
    size_t n = sizeof names / sizeof *names;
    assert_int_equal(sizeof(oryx_host), offsetof(oryx_host, query) + sizeof(void *) * (n + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine_config), cmocka_unit_test(vcpu_config), cmocka_unit_test(limits_and_exit),
        cmocka_unit_test(region_config), cmocka_unit_test(io_ops),        cmocka_unit_test(stats),
        cmocka_unit_test(host_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
