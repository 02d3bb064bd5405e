/* An arm64 machine whose guest makes one access when told: 64 KiB of RAM at 0 with one instruction in it, everything else is
 * the test's. MEM_ENGINE names the engine, MEM_ARCH another class: arm, mips, mipsel, mips64, mips64el. */
#ifndef GUEST_H
#define GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oryx.h"

#define CODE 0x1000u
#define assert_ok(call) assert_int_equal((call), ORYX_OK)

static oryx_machine *m;
static oryx_vcpu *v;
static oryx_space *s;
static oryx_exit last_exit;
static int arm32, mips, big;

static inline oryx_region *made(const char *type, oryx_region_config c)
{
    oryx_region *r = NULL;
    oryx_error err = {0};
    c.hdr = (oryx_hdr)ORYX_HDR(oryx_region_config);
    c.name = c.name ? c.name : type;
    if (oryx_region_new(m, type, &c, &r, &err))
        fail_msg("%s: %s", type, err.text);
    return r;
}

static inline void put(oryx_region *r, uint64_t addr, int32_t priority)
{
    oryx_error err = {0};
    if (oryx_region_add(oryx_space_root(s), addr, r, priority, &err))
        fail_msg("%s", err.text);
}

static inline void guest_up(void)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    const char *arch = getenv("MEM_ARCH") ? getenv("MEM_ARCH") : "arm64";
    arm32 = !strcmp(arch, "arm");
    mips = !strncmp(arch, "mips", 4);
    big = mips && !strstr(arch, "el");
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                             .arch = arch,
                             .engine = getenv("MEM_ENGINE"),
                             .plugin_path = path};
    oryx_error err = {0};
    if (oryx_machine_new(&c, &m, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    put(made("ram", (oryx_region_config){.name = "code", .last = 0xffff}), 0, 0);
    if (oryx_vcpu_new(m, NULL, &v, &err))
        fail_msg("%s", err.text);
}

static inline void guest_down(void)
{
    oryx_machine_destroy(m);
}

static inline void reg_set(const char *name, uint64_t value)
{
    int32_t r = oryx_reg_find(m, name);
    assert_ok(oryx_reg_write(v, r, &value, oryx_reg_row(m, r)->size));
}

static inline uint64_t reg_get(const char *name)
{
    int32_t r = oryx_reg_find(m, name);
    uint64_t value = 0;
    assert_ok(oryx_reg_read(v, r, &value, oryx_reg_row(m, r)->size));
    return value;
}

/* Execute n instructions from words at CODE: ORYX_OK, or what the fault says. */
static inline oryx_status run_words(const uint32_t *words, uint32_t n_words, uint64_t count)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = count};
    last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
    for (uint32_t i = 0; i < n_words; i++) {
        uint32_t word = big ? __builtin_bswap32(words[i]) : words[i];
        assert_ok(oryx_space_write(s, CODE + 4 * i, &word, 4, 0));
    }
    oryx_vcpu_set_pc(v, CODE);
    assert_ok(oryx_vcpu_run(v, &l, &last_exit));
    if (last_exit.reason == ORYX_EXIT_ERROR)
        fail_msg("%s", last_exit.error.text);
    return last_exit.reason == ORYX_EXIT_FAULT ? last_exit.exc.status : ORYX_OK;
}

/* One load or store of 1, 2, 4 or 8 bytes by an instruction of the guest. */
static inline oryx_status guest_read(uint64_t addr, uint32_t size, uint64_t *value)
{
    static const uint32_t a64[] = {0x39400020, 0x79400020, 0xb9400020, 0xf9400020}; /* ldr{b,h,,} x0, [x1] */
    static const uint32_t a32[] = {0xe5d10000, 0xe1d100b0, 0xe5910000, 0xe1c120d0}; /* ldrd r2, r3, [r1] */
    static const uint32_t ms[] = {0x90820000, 0x94820000, 0x8c820000, 0xdc820000}; /* lbu, lhu, lw, ld r2, 0(r4) */
    unsigned k = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    if (mips) {
        reg_set("r4", addr);
        oryx_status got = run_words(&ms[k], 1, 1);
        *value = reg_get("r2") & (UINT64_MAX >> (64 - 8 * size)); /* lw extends its sign */
        return got;
    }
    reg_set(arm32 ? "r1" : "x1", addr);
    oryx_status st = run_words(arm32 ? &a32[k] : &a64[k], 1, 1);
    *value = !arm32 ? reg_get("x0") : k == 3 ? reg_get("r2") | reg_get("r3") << 32 : reg_get("r0");
    return st;
}

static inline oryx_status guest_write(uint64_t addr, uint32_t size, uint64_t value)
{
    static const uint32_t a64[] = {0x39000020, 0x79000020, 0xb9000020, 0xf9000020};
    static const uint32_t a32[] = {0xe5c10000, 0xe1c100b0, 0xe5810000, 0xe1c120f0};
    static const uint32_t ms[] = {0xa0820000, 0xa4820000, 0xac820000, 0xfc820000}; /* sb, sh, sw, sd r2, 0(r4) */
    unsigned k = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    if (mips) {
        reg_set("r4", addr);
        reg_set("r2", value);
        return run_words(&ms[k], 1, 1);
    }
    reg_set(arm32 ? "r1" : "x1", addr);
    reg_set(arm32 ? "r0" : "x0", value);
    if (arm32 && k == 3) {
        reg_set("r2", (uint32_t)value);
        reg_set("r3", value >> 32);
    }
    return run_words(arm32 ? &a32[k] : &a64[k], 1, 1);
}

static inline uint64_t guest_load(uint64_t addr, uint32_t size)
{
    uint64_t value;
    oryx_status st = guest_read(addr, size, &value);
    if (st)
        fail_msg("load of %u at 0x%llx: %s", size, (unsigned long long)addr, oryx_status_text(st));
    return value;
}

static inline void guest_store(uint64_t addr, uint32_t size, uint64_t value)
{
    oryx_status st = guest_write(addr, size, value);
    if (st)
        fail_msg("store of %u at 0x%llx: %s", size, (unsigned long long)addr, oryx_status_text(st));
}

#endif
