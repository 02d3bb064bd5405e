/* A machine for tests of snapshots: arm64, code at CODE, 256 KiB of RAM that may grow at RAM, a small region that begins and
 * ends inside pages at SMALL, a ROM device at ROM. */
#ifndef SNAPSHOT_RIG_H
#define SNAPSHOT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oryx.h"

enum { CODE = 0x10000, RAM = 0x40000000, RAM_SIZE = 0x40000, RAM_MAX = 0x60000, SMALL = 0x50000800, SMALL_SIZE = 5000,
       ROM = 0x60000000, ROM_SIZE = 0x3000 };
#define MUL 6364136223846793005u
#define ADD 1442695040888963407u

/* Stores of every kind to pages that the seed in x2 chooses: plain, exclusive, atomic, zeroing, unaligned vectors, bytes. */
static const uint32_t mess[] = {
    0x9b041442, /* madd x2, x2, x4, x5 */
    0xd36efc46, /* lsr x6, x2, #46 */
    0x927d38c6, /* and x6, x6, #0x3fff8 */
    0xf8266802, /* str x2, [x0, x6] */
    0xd35efc47, /* lsr x7, x2, #30 */
    0x927d38e7, /* and x7, x7, #0x3fff8 */
    0xf8676808, /* ldr x8, [x0, x7] */
    0x8b080129, /* add x9, x9, x8 */
    0x8b07000a, /* add x10, x0, x7 */
    0xc85f7d4b, /* ldxr x11, [x10] */
    0x8b09016b, /* add x11, x11, x9 */
    0xc80c7d4b, /* stxr w12, x11, [x10] */
    0xf822014d, /* ldadd x2, x13, [x10] */
    0xf260085f, /* tst x2, #0x700000000 */
    0x54000041, /* b.ne over it */
    0xd50b742a, /* dc zva, x10 */
    0xf260105f, /* tst x2, #0x1f00000000 */
    0x54000041, /* b.ne over it */
    0x3c803143, /* stur q3, [x10, #3] */
    0x6e231c63, /* eor v3.16b, v3.16b, v3.16b */
    0x4e081c43, /* mov v3.d[0], x2 */
    0x39000029, /* strb w9, [x1] */
    0x17ffffea, /* b the first */
};

typedef struct rig {
    oryx_machine *m;
    oryx_vcpu *v;
    oryx_space *s;
    oryx_region *code, *ram, *small, *rom;
} rig;

static inline oryx_status rom_access(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = 0x55;
    return ORYX_OK;
}

static inline oryx_status rom_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    (void)a;
    return ORYX_OK;
}

static const oryx_io_ops rom_ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = rom_access, .write = rom_write};

static inline oryx_region *add_region(rig *r, const char *type, const char *name, uint64_t at, uint64_t size, const char *options,
                                      const oryx_io_ops *io)
{
    oryx_error err = {0};
    oryx_region *out = NULL;
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = name, .last = size - 1, .options = options, .io = io};
    if (oryx_region_new(r->m, type, &c, &out, &err) || oryx_region_add(oryx_space_root(r->s), at, out, 0, &err))
        fail_msg("%s", err.text);
    return out;
}

static inline void set_reg(const rig *r, const char *name, uint64_t value)
{
    assert_int_equal(oryx_reg_write(r->v, oryx_reg_find(r->m, name), &value, 8), ORYX_OK);
}

static inline uint64_t get_reg(const rig *r, const char *name)
{
    uint64_t value = 0;
    assert_int_equal(oryx_reg_read(r->v, oryx_reg_find(r->m, name), &value, 8), ORYX_OK);
    return value;
}

static inline rig rig_up(const char *engine)
{
    rig r = {0};
    char path[512];
    oryx_error err = {0};
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = engine, .plugin_path = path};
    if (oryx_machine_new(&c, &r.m, &err))
        fail_msg("%s", err.text);
    r.s = oryx_space_get(r.m, "system");
    r.code = add_region(&r, "ram", "code", CODE, 0x1000, NULL, NULL);
    r.ram = add_region(&r, "ram", "ram", RAM, RAM_SIZE, "{\"max\": 393216}", NULL);
    r.small = add_region(&r, "ram", "small", SMALL, SMALL_SIZE, NULL, NULL);
    r.rom = add_region(&r, "ram", "rom", ROM, ROM_SIZE, "{\"writes\": \"callback\"}", &rom_ops);
    if (oryx_vcpu_new(r.m, NULL, &r.v, &err))
        fail_msg("%s", err.text);
    assert_int_equal(oryx_space_write(r.s, CODE, mess, sizeof(mess), 0), ORYX_OK);
    set_reg(&r, "x0", RAM);
    set_reg(&r, "x1", SMALL + 100);
    set_reg(&r, "x2", 1);
    set_reg(&r, "x4", MUL);
    set_reg(&r, "x5", ADD);
    oryx_vcpu_set_pc(r.v, CODE);
    return r;
}

/* Instructions done; a fault ends it early. */
static inline uint64_t run(const rig *r, uint64_t n)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = n};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    assert_int_equal(oryx_vcpu_run(r->v, &l, &e), ORYX_OK);
    return e.insns;
}

static inline oryx_snapshot *take(const rig *r)
{
    oryx_error err = {0};
    oryx_snapshot *s = NULL;
    if (oryx_snapshot_take(r->m, NULL, &s, &err))
        fail_msg("%s", err.text);
    return s;
}

static inline void restore(oryx_snapshot *s)
{
    oryx_error err = {0};
    if (oryx_snapshot_restore(s, &err))
        fail_msg("%s", err.text);
}

/* The bytes of a region, whatever shows it. */
static inline uint8_t *bytes_of(oryx_region *r)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    return oryx_region_direct(r, 0, &d) ? NULL : d.host;
}

#define REFUSED(call, status, words)                                                 \
    do {                                                                             \
        oryx_error err = {0};                                                        \
        assert_int_equal(call, status);                                              \
        if (!strstr(err.text, words))                                                \
            fail_msg("'%s' is not in: %s", words, err.text);                         \
    } while (0)

#endif
