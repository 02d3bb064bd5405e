/* A machine for tests of device models: arm64, 64 KiB of RAM at 0, an endless loop of two instructions at 0x100 so that
 * running n instructions is n ns of virtual time; 32-bit register access. */
#ifndef RIG_H
#define RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oryx.h"

#define LOOP 0x100u

static oryx_machine *m;
static oryx_vcpu *v;
static oryx_space *s;
static uint8_t *ram;

static void rig_up(void)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                             .arch = "arm64",
                             .engine = getenv("RIG_ENGINE"),
                             .plugin_path = path};
    oryx_error err = {0};
    oryx_region *r = NULL;
    static const uint32_t loop[] = {0xd503201f /* nop */, 0x17ffffff /* b .-4 */};
    ram = calloc(1, 0x10000);
    memcpy(ram + LOOP, loop, sizeof(loop));
    oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = 0xffff, .host = ram};
    if (oryx_machine_new(&c, &m, &err) || oryx_region_new(m, "ram", &rc, &r, &err) ||
        oryx_region_add(oryx_space_root(s = oryx_space_get(m, "system")), 0, r, 0, &err) ||
        oryx_vcpu_new(m, NULL, &v, &err))
        fail_msg("%s", err.text);
    oryx_vcpu_set_pc(v, LOOP);
}

static void rig_down(void)
{
    oryx_machine_destroy(m);
    free(ram);
}

static inline oryx_device *dev(const char *cls, const char *name, const char *options, uint64_t addr)
{
    oryx_device *d = NULL;
    oryx_error err = {0};
    if (oryx_device_new(m, cls, name, options, &d, &err) || oryx_device_map(d, 0, s, addr, &err))
        fail_msg("%s", err.text);
    return d;
}

static inline void pass(uint64_t ns)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = ns};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    assert_int_equal(oryx_vcpu_run(v, &l, &e), ORYX_OK);
    assert_int_equal(e.reason, ORYX_EXIT_COUNT);
    assert_int_equal(e.insns, ns);
}

static inline uint32_t in(uint64_t addr)
{
    uint32_t x = 0;
    assert_int_equal(oryx_space_read(s, addr, &x, 4, 0), ORYX_OK);
    return x;
}

static inline uint32_t peek(uint64_t addr)
{
    uint32_t x = 0;
    assert_int_equal(oryx_space_read(s, addr, &x, 4, ORYX_ATTR_DEBUG), ORYX_OK);
    return x;
}

static inline void out(uint64_t addr, uint32_t x)
{
    assert_int_equal(oryx_space_write(s, addr, &x, 4, 0), ORYX_OK);
}

/* Read and write of 4 bytes are refused. */
static inline void refused_read(uint64_t addr)
{
    uint32_t x = 0;
    assert_int_equal(oryx_space_read(s, addr, &x, 4, 0), ORYX_FAULT_DEVICE);
}

static inline void refused_write(uint64_t addr)
{
    uint32_t x = 0;
    assert_int_equal(oryx_space_write(s, addr, &x, 4, 0), ORYX_FAULT_DEVICE);
}

static inline char *saved(oryx_device *d)
{
    char *json = NULL;
    oryx_error err = {0};
    if (oryx_device_save(d, &json, &err))
        fail_msg("%s", err.text);
    return json;
}

static inline void loaded(oryx_device *d, const char *json)
{
    oryx_error err = {0};
    if (oryx_device_load(d, json, &err))
        fail_msg("%s", err.text);
}

/* save, reset, load, save: the same text, and a state with any member taken out is refused and named. */
static inline void state_round(oryx_device *d)
{
    char *a = saved(d), *b;
    oryx_error err = {0};
    oryx_device_reset(d);
    loaded(d, a);
    b = saved(d);
    assert_string_equal(a, b);
    assert_int_equal(oryx_device_load(d, "nonsense", &err), ORYX_E_FORMAT);
    assert_int_equal(oryx_device_load(d, "{}", &err), ORYX_E_FORMAT);
    for (size_t p = strcspn(a, "\""); a[p]; p += strcspn(a + p, "\"")) {
        char name[64];
        size_t len = strcspn(a + p + 1, "\"");
        snprintf(name, sizeof(name), "'%.*s'", (int)len, a + p + 1);
        a[p + 1] ^= 1; /* another name */
        assert_int_equal(oryx_device_load(d, a, &err), ORYX_E_FORMAT);
        if (!strstr(err.text, name))
            fail_msg("%s is not named in: %s", name, err.text);
        a[p + 1] ^= 1;
        p += len + 2;
    }
    free(b);
    b = saved(d);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

#endif
