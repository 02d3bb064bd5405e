/* An arm64 machine of one vCPU over memory of this process; window: 0 none, 1 for loads, 2 for stores as well (then nothing may
 * write code: a window's owner has to say so). */
#ifndef LATENCY_MACHINE_H
#define LATENCY_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <oryx.h>

#define MEMORY 0x100000u

typedef struct guest {
    oryx_machine *m;
    oryx_vcpu *v;
    uint8_t *reserved, *base;
} guest;

static oryx_status flat(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr;
    out->page_size = ORYX_PAGE_SIZE;
    out->prot = ORYX_PROT_ALL;
    return ORYX_OK;
}

static inline guest guest_up(const char *engine, int window)
{
    guest g = {0};
    char path[512];
    oryx_error err = {.code = ORYX_OK};
    snprintf(path, sizeof path, "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = engine, .plugin_path = path,
                             .window = window ? "on" : "off"};
    if (oryx_machine_new(&c, &g.m, &err))
        fail_msg("%s", err.text);
    g.reserved = mmap(NULL, MEMORY + 2ull * ORYX_WINDOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(g.reserved != MAP_FAILED);
    g.base = g.reserved + ORYX_WINDOW_GUARD;
    assert_int_equal(mprotect(g.base, MEMORY, PROT_READ | PROT_WRITE), 0);
    oryx_space *space = oryx_space_get(g.m, "system");
    oryx_region *ram;
    oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config), .name = "memory", .last = MEMORY - 1, .host = g.base};
    if (oryx_region_new(g.m, "ram", &rc, &ram, &err) || oryx_region_add_exclusive(oryx_space_root(space), 0, ram, &err))
        fail_msg("%s", err.text);
    oryx_vcpu_config vc = {.hdr = ORYX_HDR(oryx_vcpu_config)};
    if (oryx_vcpu_new(g.m, &vc, &g.v, &err))
        fail_msg("%s", err.text);
    if (window) {
        oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = g.base, .size = MEMORY, .mmu = flat,
                         .prot = ORYX_PROT_READ | (window > 1 ? ORYX_PROT_WRITE : 0)};
        oryx_vcpu_set_mmu(g.v, flat, NULL);
        if (oryx_space_set_window(space, &w, &err))
            fail_msg("%s", err.text);
    }
    return g;
}

static inline void guest_down(guest *g)
{
    oryx_machine_destroy(g->m);
    munmap(g->reserved, MEMORY + 2ull * ORYX_WINDOW_GUARD);
}

static inline void code_put(guest *g, uint64_t at, const void *words, size_t size)
{
    assert_int_equal(oryx_space_write(oryx_space_get(g->m, "system"), at, words, size, 0), ORYX_OK);
}

static inline uint64_t reg_of(guest *g, const char *name)
{
    uint64_t value = 0;
    assert_int_equal(oryx_reg_read(g->v, oryx_reg_find(g->m, name), &value, sizeof value), ORYX_OK);
    return value;
}

static inline void reg_to(guest *g, const char *name, uint64_t value)
{
    assert_int_equal(oryx_reg_write(g->v, oryx_reg_find(g->m, name), &value, sizeof value), ORYX_OK);
}

#endif
