/* A toy machine for white-box tests: RAM at 0, one vCPU, engine by environment TOY_ENGINE (default toy-eval). */
#ifndef TOY_MACHINE_H
#define TOY_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec.h"
#include "toy_arch/toy.h"

#define RAM_SIZE 0x20000u

typedef struct toy {
    oryx_machine *m;
    oryx_vcpu *v;
    oryx_region *ram;
} toy;

#define must(expr, err) \
    do { \
        oryx_status must_s = (expr); \
        if (must_s != ORYX_OK) \
            fail_msg("%s: %s (%s)", #expr, (err).text, oryx_status_text(must_s)); \
    } while (0)

static inline oryx_status toy_machine_try(const char *arch, const char *engine, const char *options, oryx_machine **out,
                                          oryx_error *err)
{
    const char *pins[] = { getenv("TOY_PLUGIN"), NULL };
    oryx_machine_config c = { .hdr = ORYX_HDR(oryx_machine_config), .arch = arch, .engine = engine, .engine_options = options,
                              .plugin_path = getenv("TOY_PLUGINS"), .plugins = pins };
    return oryx_machine_new(&c, out, err);
}

static inline toy toy_new(const char *options)
{
    toy t = { 0 };
    oryx_error err = { 0 };
    const char *engine = getenv("TOY_ENGINE");
    must(toy_machine_try("toy", engine ? engine : "toy-eval", options, &t.m, &err), err);
    oryx_region_config rc = { .hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = RAM_SIZE - 1 };
    must(oryx_region_new(t.m, "ram", &rc, &t.ram, &err), err);
    must(oryx_region_add(oryx_space_root(oryx_space_get(t.m, "system")), 0, t.ram, 0, &err), err);
    must(oryx_vcpu_new(t.m, NULL, &t.v, &err), err);
    return t;
}

static inline void toy_code(toy *t, uint64_t at, const uint8_t *bytes, size_t n)
{
    assert_int_equal(oryx_space_write(oryx_space_get(t->m, "system"), at, bytes, n, 0), ORYX_OK);
}
#define TOY_CODE(t, at, ...) \
    do { \
        const uint8_t toy_bytes[] = { __VA_ARGS__ }; \
        toy_code(t, at, toy_bytes, sizeof(toy_bytes)); \
    } while (0)

static inline uint64_t toy_reg(toy *t, unsigned i)
{
    uint64_t v;
    assert_int_equal(oryx_reg_read(t->v, (int32_t)i, &v, 8), ORYX_OK);
    return v;
}

static inline void toy_set(toy *t, unsigned i, uint64_t v)
{
    assert_int_equal(oryx_reg_write(t->v, (int32_t)i, &v, 8), ORYX_OK);
}

static inline oryx_exit toy_run(toy *t, uint64_t count, const uint64_t *until, uint32_t n_until)
{
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run), .count = count, .until = until, .n_until = n_until };
    assert_int_equal(oryx_vcpu_run(t->v, &l, &e), ORYX_OK);
    return e;
}

static inline oryx_stats toy_stats(toy *t)
{
    oryx_stats s = { .hdr = ORYX_HDR(oryx_stats) };
    oryx_machine_stats(t->m, &s);
    return s;
}

#endif
