/* Guest accesses through cpu->fn: every rule of "Access rules" in docs/DESIGN.md. Expected bytes
 * are worked out by hand from memory order, or (atomics) with the C operators on the values. */
#include "mem_fake.h"

static const uint8_t pattern[16] = {0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87,
                                    0x98, 0xa9, 0xba, 0xcb, 0xdc, 0xed, 0xfe, 0x0f};

static oryx_status load(oryx_vcpu *v, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    v->cpu->exc.kind = ORYX_EXC_NONE;
    return v->cpu->fn->load(v->cpu, addr, memop, out);
}

static oryx_status store(oryx_vcpu *v, uint64_t addr, uint32_t memop, uint64_t lo, uint64_t hi)
{
    oryx_v128 val = {lo, hi};
    v->cpu->exc.kind = ORYX_EXC_NONE;
    return v->cpu->fn->store(v->cpu, addr, memop, &val);
}

static void expect_fault(oryx_vcpu *v, uint32_t access, uint64_t addr, uint64_t phys, uint32_t size,
                         oryx_status st)
{
    const oryx_exc *e = &v->cpu->exc;
    assert_int_equal(e->kind, access == ORYX_ACCESS_FETCH ? ORYX_EXC_FETCH : ORYX_EXC_MEMORY);
    assert_int_equal(e->access, access);
    assert_int_equal(e->addr, addr);
    assert_int_equal(e->phys, phys);
    assert_int_equal(e->size, size);
    assert_int_equal(e->status, st);
}

/* The cached host address for an inline access, as an engine finds it; 0: it would take the slow
 * path. */
static uint64_t inline_host(oryx_vcpu *v, uint64_t addr, uint32_t size, int write)
{
    const oryx_tlb *t = &v->cpu->tlb[0];
    const oryx_tlb_entry *e = &(write ? t->wr : t->rd)[(addr >> 12) & t->mask];
    return (addr & ~0xfffull) == e->tag && ((addr + size - 1) & ~0xfffull) == e->tag
               ? addr + e->addend
               : 0;
}

static uint64_t expected(const uint8_t *bytes, unsigned n, int be)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)bytes[i] << 8 * (be ? n - 1 - i : i);
    return v;
}

/* --- ram -------------------------------------------------------------------------------------- */

static void test_sizes(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    static uint8_t host[0x3000] __attribute__((aligned(4096)));
    memset(host, 0, sizeof(host));
    fake_add(fake_root(m), 0x10000, fake_ram(m, "ram", sizeof(host), host), 0);
    /* Both through the slow path and through a filled cache, at every alignment and across the
     * page. */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint64_t at = 0xff0; at <= 0x1010; at++) {
            for (unsigned log2 = 0; log2 <= 4; log2++) {
                for (unsigned be = 0; be < 2; be++) {
                    unsigned n = 1u << log2;
                    oryx_v128 got = {7, 7};
                    memset(host, 0, sizeof(host));
                    memcpy(host + at, pattern, n);
                    assert_ok(load(v, 0x10000 + at, log2 | (be ? ORYX_MO_BE : 0), &got));
                    if (n == 16) {
                        assert_int_equal(got.lo, be ? expected(pattern + 8, 8, 1)
                                                    : expected(pattern, 8, 0));
                        assert_int_equal(got.hi, be ? expected(pattern, 8, 1)
                                                    : expected(pattern + 8, 8, 0));
                    } else {
                        assert_int_equal(got.lo, expected(pattern, n, (int)be));
                        assert_int_equal(got.hi, 0);
                    }
                    memset(host, 0xee, sizeof(host));
                    assert_ok(store(v, 0x10000 + at, log2 | (be ? ORYX_MO_BE : 0), got.lo, got.hi));
                    assert_memory_equal(host + at, pattern, n);
                    assert_int_equal(host[at - 1], 0xee);
                    assert_int_equal(host[at + n], 0xee);
                }
            }
        }
        if (pass == 0)
            oryx__tlb_flush(v);
    }
    fake_machine_free(m);
}

static void test_alignment_and_faults(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    static uint8_t host[0x1000] __attribute__((aligned(4096)));
    oryx_region *ram = fake_ram(m, "ram", sizeof(host), host),
                *rom = fake_ram(m, "rom", 0x1000, NULL);
    oryx_v128 got;
    memset(host, 0x55, sizeof(host));
    fake_add(fake_root(m), 0x4000, ram, 0);
    fake_add(fake_root(m), 0x8000, rom, 0);
    assert_ok(oryx_region_protect(rom, ORYX_PROT_READ, NULL));
    assert_int_equal(load(v, 0x4004, ORYX_MO_64 | ORYX_MO_ALIGN(3), &got), ORYX_FAULT_ALIGN);
    expect_fault(v, ORYX_ACCESS_READ, 0x4004, UINT64_MAX, 8, ORYX_FAULT_ALIGN);
    assert_ok(load(v, 0x4004, ORYX_MO_64 | ORYX_MO_ALIGN(2), &got));
    assert_int_equal(load(v, 0x3ffc, ORYX_MO_32, &got), ORYX_FAULT_DECODE);
    expect_fault(v, ORYX_ACCESS_READ, 0x3ffc, 0x3ffc, 4, ORYX_FAULT_DECODE);
    /* The first faulting byte is the first byte of the hole, and the part before it is not written.
     */
    assert_int_equal(store(v, 0x4ffd, ORYX_MO_64, 0, 0), ORYX_FAULT_DECODE);
    expect_fault(v, ORYX_ACCESS_WRITE, 0x5000, 0x5000, 8, ORYX_FAULT_DECODE);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(host[0xffd + i], 0x55);
    assert_int_equal(store(v, 0x8010, ORYX_MO_16, 1, 0), ORYX_FAULT_PROT);
    expect_fault(v, ORYX_ACCESS_WRITE, 0x8010, 0x8010, 2, ORYX_FAULT_PROT);
    assert_ok(load(v, 0x8010, ORYX_MO_16, &got));
    /* An access that runs over the end of the address space has a second half nowhere. */
    assert_int_equal(load(v, UINT64_MAX - 3, ORYX_MO_64, &got), ORYX_FAULT_DECODE);
    fake_machine_free(m);
}

/* An MMU that swaps pages 0x20 and 0x30, makes 0x31 read-only and 0x40 unmapped. */
static oryx_status swap_mmu(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access,
                            oryx_mmu_result *out)
{
    (void)cpu;
    (void)access;
    (*(unsigned *)opaque)++;
    uint64_t page = addr >> 12;
    if (page == 0x40)
        return ORYX_FAULT_TRANSLATE;
    out->prot = page == 0x31 ? ORYX_PROT_READ | ORYX_PROT_EXEC : ORYX_PROT_ALL;
    page = page == 0x20 ? 0x30 : page == 0x30 ? 0x20 : page;
    out->phys = page << 12 | (addr & 0xfff);
    return ORYX_OK;
}

static void test_translation(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    static uint8_t host[0x40000] __attribute__((aligned(4096)));
    unsigned walks = 0;
    oryx_v128 got;
    memset(host, 0x11, sizeof(host));
    host[0x30008] = 0x77;
    fake_add(fake_root(m), 0, fake_ram(m, "ram", sizeof(host), host), 0);
    v->mmu = swap_mmu;
    v->mmu_opaque = &walks;
    assert_ok(load(v, 0x20008, ORYX_MO_8, &got));
    assert_int_equal(got.lo, 0x77);
    assert_int_equal(walks, 1);
    assert_int_equal(inline_host(v, 0x20008, 8, 0), (uintptr_t)host + 0x30008);
    assert_int_equal(inline_host(v, 0x20008, 8, 1), 0);
    assert_ok(load(v, 0x20009, ORYX_MO_8, &got));
    assert_int_equal(walks, 1); /* cached */
    /* Across pages that are not neighbours: bytes come from both. */
    host[0x20fff] = 0xaa;
    host[0x31000] = 0xbb;
    assert_ok(load(v, 0x30fff, ORYX_MO_16, &got));
    assert_int_equal(got.lo, 0xbbaa);
    /* A fault of the second page leaves the first as it was and names the second page's first byte.
     */
    assert_int_equal(store(v, 0x30ffc, ORYX_MO_64, 0, 0), ORYX_FAULT_PROT);
    expect_fault(v, ORYX_ACCESS_WRITE, 0x31000, UINT64_MAX, 8, ORYX_FAULT_PROT);
    assert_int_equal(host[0x20ffc], 0x11);
    assert_int_equal(load(v, 0x3fffd, ORYX_MO_64, &got), ORYX_FAULT_TRANSLATE);
    expect_fault(v, ORYX_ACCESS_READ, 0x40000, UINT64_MAX, 8, ORYX_FAULT_TRANSLATE);
    /* A read fills no write entry of a read-only page. */
    assert_ok(load(v, 0x31000, ORYX_MO_8, &got));
    assert_int_equal(store(v, 0x31000, ORYX_MO_8, 1, 0), ORYX_FAULT_PROT);
    /* Host access by virtual address goes page by page. */
    uint8_t buf[16], bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8};
    assert_ok(oryx_vcpu_write(v, 0x20ffc, bytes, 8));
    assert_memory_equal(host + 0x30ffc, bytes, 4);
    assert_memory_equal(host + 0x21000, bytes + 4, 4);
    assert_ok(oryx_vcpu_read(v, 0x20ffc, buf, 8));
    assert_memory_equal(buf, bytes, 8);
    assert_int_equal(oryx_vcpu_read(v, 0x3fff0, buf, 32), ORYX_FAULT_TRANSLATE);
    /* Fetch: bytes up to the end of the page, by the execute right. */
    uint32_t n;
    uint64_t phys;
    assert_ok(oryx__fetch(v, 0x20ffa, buf, 16, &n, &phys, &(oryx_space *){NULL}));
    assert_int_equal(n, 6);
    assert_int_equal(phys, 0x30ffa);
    assert_memory_equal(buf, host + 0x30ffa, 6);
    assert_int_equal(oryx__fetch(v, 0x40000, buf, 4, &n, &phys, &(oryx_space *){NULL}), ORYX_FAULT_TRANSLATE);
    expect_fault(v, ORYX_ACCESS_FETCH, 0x40000, UINT64_MAX, 4, ORYX_FAULT_TRANSLATE);
    fake_machine_free(m);
}

static void test_execute_right(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    oryx_region *ram = fake_ram(m, "ram", 0x1000, NULL);
    uint8_t buf[8];
    uint32_t n;
    uint64_t phys;
    fake_add(fake_root(m), 0x1000, ram, 0);
    assert_ok(oryx__fetch(v, 0x1ff8, buf, 8, &n, &phys, &(oryx_space *){NULL}));
    assert_int_equal(n, 8);
    assert_ok(oryx_region_protect(ram, ORYX_PROT_READ | ORYX_PROT_WRITE, NULL));
    assert_int_equal(oryx__fetch(v, 0x1ff8, buf, 8, &n, &phys, &(oryx_space *){NULL}), ORYX_FAULT_PROT);
    expect_fault(v, ORYX_ACCESS_FETCH, 0x1ff8, 0x1ff8, 8, ORYX_FAULT_PROT);
    assert_int_equal(oryx__fetch(v, 0x2000, buf, 8, &n, &phys, &(oryx_space *){NULL}), ORYX_FAULT_DECODE);
    fake_machine_free(m);
}

/* --- the translation cache -------------------------------------------------------------------- */

static void test_tlb(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    uint64_t size = 8192ull * 4096;
    oryx_region *ram = fake_ram(m, "ram", size, NULL), *hole = fake_ram(m, "hole", 16, NULL);
    oryx_v128 got;
    fake_add(fake_root(m), 0, ram, 0);
    assert_ok(store(v, 0x5008, ORYX_MO_64, 42, 0));
    assert_true(inline_host(v, 0x5008, 8, 1) != 0);
    assert_int_equal(inline_host(v, 0x5ffc, 8, 1), 0); /* crosses */
    assert_ok(load(v, 0x5008, ORYX_MO_64, &got));
    assert_int_equal(got.lo, 42);
    assert_int_equal(inline_host(v, 0x5008, 8, 0), inline_host(v, 0x5008, 8, 1));
    oryx__tlb_flush_range(v, 0x5000, 1);
    assert_int_equal(inline_host(v, 0x5008, 8, 0), 0);
    /* A page that is not one region's is never cached; it is again when the other leaves. */
    assert_ok(load(v, 0x7000, ORYX_MO_8, &got));
    assert_true(inline_host(v, 0x7000, 1, 0) != 0);
    fake_add(fake_root(m), 0x7800, hole, 1);
    assert_int_equal(inline_host(v, 0x7000, 1, 0), 0);
    assert_ok(load(v, 0x7000, ORYX_MO_8, &got));
    assert_int_equal(inline_host(v, 0x7000, 1, 0), 0);
    assert_ok(oryx_region_remove(hole, NULL));
    assert_ok(load(v, 0x7000, ORYX_MO_8, &got));
    assert_true(inline_host(v, 0x7000, 1, 0) != 0);
    /* Adding where nothing was flushes nothing. */
    fake_add(fake_root(m), size, hole, 0);
    assert_true(inline_host(v, 0x7000, 1, 0) != 0);
    /* A working set beyond the table makes it grow, to 4096 and no further. */
    for (unsigned pass = 0; pass < 8; pass++)
        for (uint64_t p = 0; p < 8192; p++)
            assert_ok(load(v, p << 12, ORYX_MO_8, &got));
    assert_int_equal(v->cpu->tlb[0].mask, 4095);
    assert_int_equal(v->cpu->tlb[1].mask, 255);
    /* A vCPU on another thread is asked to flush, and does it before its next access. */
    v->thread = (pthread_t)1;
    assert_ok(oryx_region_enable(ram, 0, NULL));
    assert_true(atomic_load(&v->requests) & ORYX__REQ_TLB_FLUSH);
    assert_true(v->cpu->slice.kick < 0);
    assert_int_equal(load(v, 0x5000, ORYX_MO_8, &got), ORYX_FAULT_DECODE);
    assert_false(atomic_load(&v->requests) & ORYX__REQ_TLB_FLUSH);
    fake_machine_free(m);
}

/* "With a victim cache": pages that share an entry of the table change places with it instead of being translated again; whatever
 * takes an entry away finds it there, too. */
static void test_victims(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    const uint64_t step = 256ull << 12; /* the table's size */
    static uint8_t host[0x1000] __attribute__((aligned(4096)));
    oryx_region *ram = fake_ram(m, "ram", 32 * step, NULL), *page = fake_ram(m, "page", sizeof(host), host);
    oryx_v128 got;
    fake_add(fake_root(m), 0, ram, 0);
    fake_add(fake_root(m), 0x5000, page, 1);
    assert_int_equal(v->cpu->tlb[0].mask, 255);
    assert_ok(store(v, 0x5000, ORYX_MO_64, 42, 0));
    assert_ok(store(v, 0x5000 + step, ORYX_MO_64, 43, 0));
    assert_ok(load(v, 0x5000, ORYX_MO_64, &got));
    assert_ok(load(v, 0x5000 + step, ORYX_MO_64, &got));
    uint64_t fills = m->stats.tlb_fills;
    for (unsigned i = 0; i < 10; i++) {
        uint64_t a = 0x5000 + i % 2 * step, other = 0x5000 + (i + 1) % 2 * step;
        assert_int_equal(inline_host(v, a, 8, 0), 0);
        assert_ok(load(v, a, ORYX_MO_64, &got));
        assert_int_equal(got.lo, i < 2 ? 42 + i : i - 2);
        assert_true(inline_host(v, a, 8, 0) != 0);
        assert_int_equal(inline_host(v, other, 8, 0), 0);
        assert_ok(store(v, a, ORYX_MO_64, i, 0));
        assert_true(inline_host(v, a, 8, 1) != 0);
    }
    assert_int_equal(m->stats.tlb_fills, fills);
    /* Now 0x5000's are out. A flush of it finds them, and not its neighbour's. */
    oryx__tlb_flush_range(v, 0x5000, 1);
    assert_ok(load(v, 0x5000, ORYX_MO_64, &got));
    assert_int_equal(m->stats.tlb_fills, fills + 1);
    assert_ok(store(v, 0x5000, ORYX_MO_64, 1, 0));
    assert_int_equal(m->stats.tlb_fills, fills + 2);
    assert_ok(load(v, 0x5000 + step, ORYX_MO_64, &got));
    assert_ok(store(v, 0x5000 + step, ORYX_MO_64, 1, 0));
    assert_int_equal(m->stats.tlb_fills, fills + 2);
    /* A mark of code takes the store's, wherever it lies; the load's stays. */
    oryx__code_page_set(fake_space(m), 5, 1);
    fake_n_written = 0;
    assert_ok(store(v, 0x5000, ORYX_MO_64, 2, 0));
    assert_int_equal(fake_n_written, 1);
    fills = m->stats.tlb_fills;
    assert_ok(load(v, 0x5000, ORYX_MO_64, &got));
    assert_int_equal(m->stats.tlb_fills, fills);
    /* A change of the view takes all. */
    assert_ok(load(v, 0x5000 + step, ORYX_MO_64, &got));
    assert_ok(oryx_region_remove(page, NULL));
    assert_ok(load(v, 0x5000, ORYX_MO_64, &got));
    assert_int_equal(got.lo, 0);
    /* Eight are kept. */
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < 9; i++)
            assert_ok(load(v, 0x6000 + i * step, ORYX_MO_8, &got));
        fills = pass ? fills : m->stats.tlb_fills;
    }
    assert_int_equal(m->stats.tlb_fills, fills);
    for (unsigned i = 0; i < 20; i++)
        assert_ok(load(v, 0x6000 + i * step, ORYX_MO_8, &got));
    assert_int_equal(m->stats.tlb_fills, fills + 11);
    fake_machine_free(m);
}

static void test_code_pages(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    oryx_space *s = fake_space(m);
    static uint8_t host[0x4000] __attribute__((aligned(4096)));
    oryx_region *ram = fake_ram(m, "ram", sizeof(host), host);
    uint8_t bytes[8] = {0};
    fake_add(fake_root(m), 0, ram, 0);
    fake_add(fake_root(m), 0x100000, fake_alias(m, "mirror", 0x4000, ram, 0), 0);
    assert_ok(store(v, 0x1000, ORYX_MO_8, 1, 0));
    assert_ok(store(v, 0x101000, ORYX_MO_8, 1, 0));
    assert_int_equal(fake_n_written, 0);
    oryx__code_page_set(s, 1, 1);
    /* Both addresses of the page lose their fast write path, and only that. */
    assert_int_equal(inline_host(v, 0x1000, 1, 1), 0);
    assert_int_equal(inline_host(v, 0x101000, 1, 1), 0);
    oryx_v128 got;
    assert_ok(load(v, 0x1000, ORYX_MO_8, &got));
    assert_true(inline_host(v, 0x1000, 1, 0) != 0);
    assert_ok(store(v, 0x1010, ORYX_MO_32, 5, 0));
    assert_int_equal(fake_n_written, 1);
    assert_int_equal(fake_written[0].phys, 0x1010);
    assert_int_equal(fake_written[0].size, 4);
    assert_int_equal(inline_host(v, 0x1000, 1, 1), 0);
    /* Through the alias the code is still the one at 0x1000. */
    assert_ok(store(v, 0x101ffe, ORYX_MO_32, 5, 0));
    assert_int_equal(fake_n_written, 2);
    assert_int_equal(fake_written[1].phys, 0x1ffe);
    assert_int_equal(fake_written[1].size, 2);
    /* Host writes, DMA and notices count (they look before and after). */
    fake_n_written = 0;
    assert_ok(oryx_space_write(s, 0x0ffc, bytes, 8, ORYX_ATTR_DMA));
    assert_int_equal(fake_n_written, 2);
    assert_int_equal(fake_written[0].phys, 0x1000);
    assert_int_equal(fake_written[0].size, 4);
    oryx_space_written(s, 0, 0x4000);
    assert_int_equal(fake_n_written, 3);
    assert_ok(oryx_vcpu_write(v, 0x1020, bytes, 1));
    assert_int_equal(fake_n_written, 5);
    /* Atomics and exclusives too. */
    uint64_t old;
    oryx_v128 zero = {0, 0};
    uint32_t failed;
    fake_n_written = 0;
    assert_ok(v->cpu->fn->rmw(v->cpu, 0x1030, ORYX_MO_32, 1, &old));
    assert_int_equal(fake_n_written, 1);
    assert_ok(v->cpu->fn->ldx(v->cpu, 0x1030, ORYX_MO_32, &got));
    assert_ok(v->cpu->fn->stx(v->cpu, 0x1030, ORYX_MO_32, &zero, &failed));
    assert_int_equal(failed, 0);
    assert_int_equal(fake_n_written, 2);
    /* When the code is gone the page becomes fast again, from the same store on. */
    fake_drop = 1;
    assert_ok(store(v, 0x1010, ORYX_MO_32, 5, 0));
    assert_true(inline_host(v, 0x1010, 4, 1) != 0);
    /* Unmapping a page with code reports it. */
    oryx__code_page_set(s, 2, 1);
    fake_n_written = 0;
    assert_ok(oryx_region_protect(ram, ORYX_PROT_READ, NULL));
    assert_int_equal(fake_n_written, 1);
    assert_int_equal(fake_written[0].phys, 0x2000);
    assert_int_equal(fake_written[0].size, 0x1000);
    fake_machine_free(m);
}

/* Memory that is direct for half of a page: a mark covers both halves, and a write across the
 * middle is reported whole. */
static void test_code_in_half_direct_page(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    fake_add(fake_root(m), 0x5000, fake_region(m, "prefix", "prefix", 0x1000), 0);
    oryx__code_page_set(fake_space(m), 5, 1);
    assert_ok(store(v, 0x5100, ORYX_MO_32, 0, 0));
    assert_int_equal(fake_n_written, 1);
    assert_int_equal(fake_written[0].phys, 0x5100);
    assert_ok(store(v, 0x5900, ORYX_MO_32, 0, 0));
    assert_int_equal(fake_n_written, 2);
    assert_int_equal(fake_written[1].phys, 0x5900);
    assert_ok(store(v, 0x57fe, ORYX_MO_32, 0, 0));
    uint64_t bytes = 0;
    for (unsigned i = 2; i < fake_n_written; i++)
        bytes += fake_written[i].size;
    assert_int_equal(bytes, 4);
    fake_machine_free(m);
}

/* Out of memory for a mark: every page counts as code, so nothing goes stale. */
static void test_code_marks_without_memory(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    fake_add(fake_root(m), 0, fake_ram(m, "ram", 0x4000, NULL), 0);
    assert_ok(store(v, 0x1000, ORYX_MO_8, 1, 0));
    assert_true(inline_host(v, 0x1000, 1, 1) != 0);
    oryx__alloc_left = 0;
    oryx__code_page_set(fake_space(m), 1, 1);
    oryx__alloc_left = -1;
    assert_int_equal(inline_host(v, 0x1000, 1, 1), 0);
    assert_ok(store(v, 0x1000, ORYX_MO_8, 1, 0));
    assert_int_equal(fake_n_written, 1);
    assert_int_equal(inline_host(v, 0x1000, 1, 1), 0);
    fake_machine_free(m);
}

/* --- atomics and exclusives ------------------------------------------------------------------- */

static void test_atomics(void **state)
{
    (void)state;
    static const uint64_t values[] = {0,           1,
                                      0x7f,        0x80,
                                      0xff,        0x7fff,
                                      0x8000,      0x7fffffff,
                                      0x80000000u, 0x123456789abcdef0u,
                                      INT64_MAX,   (uint64_t)INT64_MIN,
                                      UINT64_MAX};
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    static uint8_t host[0x2000] __attribute__((aligned(4096)));
    fake_add(fake_root(m), 0, fake_ram(m, "ram", sizeof(host), host), 0);
    const unsigned n = sizeof(values) / sizeof(values[0]);
    /* Aligned, unaligned, across a cache line and across the page: the last two take the other
     * path. */
    static const uint64_t places[] = {0x100, 0x103, 0x13d, 0xffd};
    for (unsigned p = 0; p < 4; p++) {
        for (unsigned log2 = 0; log2 <= 3; log2++) {
            for (unsigned be = 0; be < 2; be++) {
                for (unsigned op = ORYX_RMW_SWAP; op <= ORYX_RMW_MAXU; op++) {
                    for (unsigned i = 0; i < n * n; i++) {
                        unsigned bits = 8u << log2;
                        uint64_t mask = bits == 64 ? UINT64_MAX : (1ull << bits) - 1;
                        uint64_t a = values[i / n] & mask, b = values[i % n] & mask, want = 0,
                                 old = 99;
                        int64_t sa = (int64_t)(a << (64 - bits)), sb = (int64_t)(b << (64 - bits));
                        switch (op) {
                        case ORYX_RMW_SWAP:
                            want = b;
                            break;
                        case ORYX_RMW_ADD:
                            want = a + b;
                            break;
                        case ORYX_RMW_AND:
                            want = a & b;
                            break;
                        case ORYX_RMW_ANDN:
                            want = a & ~b;
                            break;
                        case ORYX_RMW_OR:
                            want = a | b;
                            break;
                        case ORYX_RMW_XOR:
                            want = a ^ b;
                            break;
                        case ORYX_RMW_MINS:
                            want = sa < sb ? a : b;
                            break;
                        case ORYX_RMW_MAXS:
                            want = sa > sb ? a : b;
                            break;
                        case ORYX_RMW_MINU:
                            want = a < b ? a : b;
                            break;
                        default:
                            want = a > b ? a : b;
                            break;
                        }
                        for (unsigned k = 0; k < 1u << log2; k++)
                            host[places[p] + k] =
                                (uint8_t)(a >> 8 * (be ? (1u << log2) - 1 - k : k));
                        uint64_t memop = log2 | (be ? ORYX_MO_BE : 0) | (uint64_t)op << 32;
                        assert_ok(v->cpu->fn->rmw(v->cpu, places[p], memop, values[i % n], &old));
                        assert_int_equal(old, a);
                        assert_int_equal(expected(host + places[p], 1u << log2, (int)be),
                                         want & mask);
                    }
                }
            }
        }
    }
    /* Compare and swap, 16 bytes included, aligned, unaligned and across the page. */
    static const uint64_t wide_places[] = {0x200, 0x208, 0xff8};
    for (unsigned p = 0; p < 3; p++) {
        oryx_v128 expect = {0x1111, 0x2222}, val = {0x3333, 0x4444}, old;
        memset(host + wide_places[p], 0, 16);
        host[wide_places[p]] = host[wide_places[p] + 1] = 0x11;
        host[wide_places[p] + 8] = 0x22;
        assert_ok(v->cpu->fn->cas(v->cpu, wide_places[p], ORYX_MO_128, &expect, &val, &old));
        assert_int_equal(old.lo, 0x1111);
        assert_int_equal(old.hi, 0x22);
        assert_int_equal(host[wide_places[p]], 0x11); /* differs: left alone */
        expect.hi = 0x22;
        assert_ok(v->cpu->fn->cas(v->cpu, wide_places[p], ORYX_MO_128, &expect, &val, &old));
        assert_int_equal(expected(host + wide_places[p], 8, 0), 0x3333);
        assert_int_equal(expected(host + wide_places[p] + 8, 8, 0), 0x4444);
    }
    /* Bits above the size do not take part. */
    oryx_v128 expect = {0xffffff00, 1}, val = {0xab12, 1}, old;
    host[0x300] = 0;
    assert_ok(v->cpu->fn->cas(v->cpu, 0x300, ORYX_MO_8, &expect, &val, &old));
    assert_int_equal(host[0x300], 0x12);
    assert_int_equal(host[0x301], 0);
    assert_int_equal(
        v->cpu->fn->cas(v->cpu, 0x301, ORYX_MO_64 | ORYX_MO_ALIGN(3), &expect, &val, &old),
        ORYX_FAULT_ALIGN);
    expect_fault(v, ORYX_ACCESS_WRITE, 0x301, UINT64_MAX, 8, ORYX_FAULT_ALIGN);
    fake_machine_free(m);
}

static void test_exclusives(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m), *w = fake_vcpu(m);
    fake_add(fake_root(m), 0, fake_ram(m, "ram", 0x2000, NULL), 0);
    oryx_v128 got, one = {1, 2};
    uint32_t failed = 9;
    for (unsigned log2 = 0; log2 <= 4; log2++) {
        /* Without LDX, with another address or size: fails, and touches nothing (not even an
         * unmapped address). */
        assert_ok(v->cpu->fn->stx(v->cpu, 0x999000, log2, &one, &failed));
        assert_int_equal(failed, 1);
        assert_ok(v->cpu->fn->ldx(v->cpu, 0x100, log2, &got));
        assert_ok(v->cpu->fn->stx(v->cpu, 0x110, log2, &one, &failed));
        assert_int_equal(failed, 1);
        /* The failed store cleared the monitor. */
        assert_ok(v->cpu->fn->stx(v->cpu, 0x100, log2, &one, &failed));
        assert_int_equal(failed, 1);
        assert_ok(v->cpu->fn->ldx(v->cpu, 0x100, log2, &got));
        assert_ok(v->cpu->fn->stx(v->cpu, 0x100, log2, &one, &failed));
        assert_int_equal(failed, 0);
        /* Once only. */
        assert_ok(v->cpu->fn->stx(v->cpu, 0x100, log2, &one, &failed));
        assert_int_equal(failed, 1);
        /* Another vCPU's write, and a device's. */
        assert_ok(v->cpu->fn->ldx(v->cpu, 0x100, log2, &got));
        assert_ok(store(w, 0x100, ORYX_MO_8, 0x40 + log2, 0));
        assert_ok(v->cpu->fn->stx(v->cpu, 0x100, log2, &one, &failed));
        assert_int_equal(failed, 1);
        assert_ok(v->cpu->fn->ldx(v->cpu, 0x100, log2, &got));
        uint8_t byte = (uint8_t)(0x80 + log2);
        assert_ok(oryx_space_write(fake_space(m), 0x100, &byte, 1, ORYX_ATTR_DMA));
        assert_ok(v->cpu->fn->stx(v->cpu, 0x100, log2, &one, &failed));
        assert_int_equal(failed, 1);
        assert_ok(load(v, 0x100, ORYX_MO_8, &got));
        assert_int_equal(got.lo, byte);
    }
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_alignment_and_faults),
        cmocka_unit_test(test_translation),
        cmocka_unit_test(test_execute_right),
        cmocka_unit_test(test_tlb), cmocka_unit_test(test_victims),
        cmocka_unit_test(test_code_pages),
        cmocka_unit_test(test_code_in_half_direct_page),
        cmocka_unit_test(test_code_marks_without_memory),
        cmocka_unit_test(test_atomics),
        cmocka_unit_test(test_exclusives),
    };
    return cmocka_run_group_tests_name("mem_access", tests, NULL, NULL);
}
