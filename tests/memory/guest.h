/* An arm64 machine whose guest makes one access when told: 64 KiB of RAM at 0 with one instruction in it, everything else is
 * the test's. MEM_ENGINE names the engine, MEM_ARCH another class: arm, mips, mipsel, mips64, mips64el, amd64, i386.
 * MEM_WINDOW=on is mode B: the RAM at 0 is 1 MiB that a window serves (guest_memory says what a test then takes of it); who
 * asks for a window and does not get one fails. */
#ifndef GUEST_H
#define GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "oryx.h"

#define CODE 0x1000u
#define assert_ok(call) assert_int_equal((call), ORYX_OK)

static oryx_machine *m;
static oryx_vcpu *v;
static oryx_space *s;
static oryx_exit last_exit;
static int arm32, mips, big, x86, wide_regs; /* wide_regs: registers of 64 bits */
/* The RAM at 0, and its host memory in mode B. */
#define WINDOW_SIZE 0x100000u
static oryx_region *guest_ram;
static uint8_t *guest_window;

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

/* What a window asks for: an MMU function of the embedder's that leaves every address as it is. */
static inline oryx_status guest_flat(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr;
    out->page_size = ORYX_PAGE_SIZE;
    out->prot = ORYX_PROT_ALL;
    return ORYX_OK;
}

/* Every vCPU of a test comes from here. */
static inline oryx_vcpu *guest_vcpu(void)
{
    oryx_vcpu *cpu = NULL;
    oryx_error err = {0};
    if (oryx_vcpu_new(m, NULL, &cpu, &err))
        fail_msg("%s", err.text);
    if (guest_window)
        oryx_vcpu_set_mmu(cpu, guest_flat, NULL);
    return cpu;
}

static inline void guest_class(void)
{
    const char *arch = getenv("MEM_ARCH") ? getenv("MEM_ARCH") : "arm64";
    arm32 = !strcmp(arch, "arm");
    mips = !strncmp(arch, "mips", 4);
    big = mips && !strstr(arch, "el");
    x86 = !strcmp(arch, "amd64") || !strcmp(arch, "i386");
    wide_regs = strstr(arch, "64") != NULL;
}

static inline void guest_up(void)
{
    const char *mode = getenv("MEM_WINDOW");
    char path[512];
    guest_class();
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                             .arch = getenv("MEM_ARCH") ? getenv("MEM_ARCH") : "arm64",
                             .engine = getenv("MEM_ENGINE"),
                             .plugin_path = path,
                             .window = mode};
    oryx_error err = {0};
    if (oryx_machine_new(&c, &m, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    guest_window = NULL;
    if (mode) {
        uint8_t *all = mmap(NULL, WINDOW_SIZE + 2ull * ORYX_WINDOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        assert_true(all != MAP_FAILED);
        guest_window = all + ORYX_WINDOW_GUARD;
        assert_int_equal(mprotect(guest_window, WINDOW_SIZE, PROT_READ | PROT_WRITE), 0);
    }
    guest_ram = made("ram", (oryx_region_config){.name = "code", .last = mode ? WINDOW_SIZE - 1 : 0xffff, .host = guest_window});
    put(guest_ram, 0, 0);
    v = guest_vcpu();
    if (mode) {
        oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = guest_window, .size = WINDOW_SIZE, .mmu = guest_flat, .prot = ORYX_PROT_WRITE};
        if (oryx_space_set_window(s, &w, &err))
            fail_msg("MEM_WINDOW: %s", err.text);
    }
}

static inline void guest_down(void)
{
    oryx_machine_destroy(m);
    if (guest_window)
        munmap(guest_window - ORYX_WINDOW_GUARD, WINDOW_SIZE + 2ull * ORYX_WINDOW_GUARD);
}

/* RAM at addr, below 1 MiB: in mode B a part of what the window serves. *offset: of addr in the region. */
static inline oryx_region *guest_memory(const char *name, uint64_t addr, uint64_t size, uint64_t *offset)
{
    *offset = guest_window ? addr : 0;
    if (guest_window)
        return guest_ram;
    oryx_region *r = made("ram", (oryx_region_config){.name = name, .last = size - 1});
    put(r, addr, 0);
    return r;
}

static inline void reg_set(const char *name, uint64_t value)
{
    int32_t r = oryx_reg_find(m, name);
    uint64_t bytes[2] = {value, 0};
    assert_ok(oryx_reg_write(v, r, bytes, oryx_reg_row(m, r)->size));
}

static inline uint64_t reg_get(const char *name)
{
    int32_t r = oryx_reg_find(m, name);
    uint64_t bytes[2] = {0};
    assert_ok(oryx_reg_read(v, r, bytes, oryx_reg_row(m, r)->size));
    return bytes[0];
}

/* Where instructions of the tests have an address and a value. */
static inline const char *reg_addr(void)
{
    return x86 ? wide_regs ? "rcx" : "ecx" : mips ? "r4" : arm32 ? "r1" : "x1";
}

static inline const char *reg_value(uint32_t size)
{
    return x86 ? wide_regs ? "rax" : size == 8 ? "xmm0" : "eax" : mips ? "r2" : arm32 ? "r0" : "x0";
}

static inline void put_words(const uint32_t *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = big ? __builtin_bswap32(words[i]) : words[i];
        assert_ok(oryx_space_write(s, CODE + 4 * i, &word, 4, 0));
    }
}

/* Execute n instructions from words at CODE: ORYX_OK, or what the fault says. */
static inline oryx_status run_words(const uint32_t *words, uint32_t n_words, uint64_t count)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = count};
    last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
    put_words(words, n_words);
    oryx_vcpu_set_pc(v, CODE);
    assert_ok(oryx_vcpu_run(v, &l, &last_exit));
    if (last_exit.reason == ORYX_EXIT_ERROR)
        fail_msg("%s", last_exit.error.text);
    return last_exit.reason == ORYX_EXIT_FAULT ? last_exit.exc.status : ORYX_OK;
}

/* One load or store of 1, 2, 4 or 8 bytes by an instruction of the guest. */
static inline const uint32_t *guest_insn(uint32_t size, int write)
{
    static const uint32_t a64[2][4] = {{0x39400020, 0x79400020, 0xb9400020, 0xf9400020},  /* ldr{b,h,,} x0, [x1] */
                                       {0x39000020, 0x79000020, 0xb9000020, 0xf9000020}};
    static const uint32_t a32[2][4] = {{0xe5d10000, 0xe1d100b0, 0xe5910000, 0xe1c120d0},  /* ldrd r2, r3, [r1] */
                                       {0xe5c10000, 0xe1c100b0, 0xe5810000, 0xe1c120f0}};
    static const uint32_t ms[2][4] = {{0x90820000, 0x94820000, 0x8c820000, 0xdc820000},   /* lbu, lhu, lw, ld r2, 0(r4) */
                                      {0xa0820000, 0xa4820000, 0xac820000, 0xfc820000}};
    /* movzx eax, [rcx]; mov [rcx], al; and so on; bytes, first one lowest, nops behind. */
    static const uint32_t x64[2][4] = {{0x9001b60f, 0x9001b70f, 0x9090018b, 0x90018b48},
                                       {0x90900188, 0x90018966, 0x90900189, 0x90018948}};
    static const uint32_t x32[2][4] = {{0x9001b60f, 0x9001b70f, 0x9090018b, 0x017e0ff3},  /* movq xmm0, [ecx] */
                                       {0x90900188, 0x90018966, 0x90900189, 0x01d60f66}};
    unsigned k = size == 1 ? 0 : size == 2 ? 1 : size == 4 ? 2 : 3;
    return &(mips ? ms : x86 ? wide_regs ? x64 : x32 : arm32 ? a32 : a64)[write][k];
}

static inline oryx_status guest_read(uint64_t addr, uint32_t size, uint64_t *value)
{
    reg_set(reg_addr(), addr);
    oryx_status st = run_words(guest_insn(size, 0), 1, 1);
    *value = arm32 && size == 8 ? reg_get("r2") | reg_get("r3") << 32 : reg_get(reg_value(size));
    *value &= UINT64_MAX >> (64 - 8 * size); /* lw extends its sign */
    return st;
}

static inline oryx_status guest_write(uint64_t addr, uint32_t size, uint64_t value)
{
    reg_set(reg_addr(), addr);
    reg_set(reg_value(size), value);
    if (arm32 && size == 8) {
        reg_set("r2", (uint32_t)value);
        reg_set("r3", value >> 32);
    }
    return run_words(guest_insn(size, 1), 1, 1);
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
