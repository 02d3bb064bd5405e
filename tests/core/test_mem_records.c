/* Accesses by record (core/io_cache.h) against the same accesses by the walk, which other tests prove. The oracle is the walk:
 * each random access is made once with the vCPU's caches empty and then twice more; what the device hears, what the guest gets
 * and how it faults must be the same each time. */
#include "mem_fake.h"

#define LOG 16

struct heard {
    uint32_t n;
    oryx_access a[LOG];
};

static struct heard heard;
static int refuse; /* the device refuses what ends in 4 */

static oryx_status dev_read(void *opaque, oryx_access *a)
{
    if (heard.n < LOG)
        heard.a[heard.n++] = *a;
    a->value = ((uint64_t)(uintptr_t)opaque << 56) ^ (a->offset * 0x0123456789abcdefu) ^ a->size;
    a->size = 77; /* a device may scribble on what it was given */
    a->attrs = 99;
    return refuse && (a->offset & 0xf) == 4 ? ORYX_FAULT_DEVICE : ORYX_OK;
}

static oryx_status dev_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    if (heard.n < LOG)
        heard.a[heard.n++] = *a;
    return refuse && (a->offset & 0xf) == 4 ? ORYX_FAULT_DEVICE : ORYX_OK;
}

static uint64_t rng = 1;
static uint64_t rnd(void)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return rng >> 29;
}

struct outcome {
    oryx_status st;
    oryx_v128 val;
    oryx_exc exc;
    struct heard heard;
};

static struct outcome access_once(oryx_vcpu *v, uint64_t addr, uint32_t memop, int write, uint64_t value)
{
    struct outcome o;
    memset(&o, 0, sizeof(o));
    memset(&heard, 0, sizeof(heard));
    memset(&v->cpu->exc, 0, sizeof(v->cpu->exc));
    o.val = (oryx_v128){value, ~value};
    o.st = write ? v->cpu->fn->store(v->cpu, addr, memop, &o.val) : v->cpu->fn->load(v->cpu, addr, memop, &o.val);
    if (o.st && !write)
        memset(&o.val, 0, sizeof(o.val)); /* undefined then */
    o.exc = v->cpu->exc;
    o.heard = heard;
    return o;
}

static void same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->st, b->st);
    assert_memory_equal(&a->val, &b->val, sizeof(a->val));
    assert_memory_equal(&a->exc, &b->exc, sizeof(a->exc));
    assert_int_equal(a->heard.n, b->heard.n);
    for (uint32_t i = 0; i < a->heard.n; i++)
        assert_memory_equal(&a->heard.a[i], &b->heard.a[i], sizeof(a->heard.a[i]));
}

static oryx_status mmu(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr & 0xffffff;
    out->attrs = addr >> 24 & 1 ? ORYX_ATTR_SECURE : 0;
    out->prot = addr >> 25 & 1 ? ORYX_PROT_READ : ORYX_PROT_ALL;
    return ORYX_OK;
}

static uint8_t device_memory[0x2000] __attribute__((aligned(4096)));
static uint8_t ram[0x3000] __attribute__((aligned(4096)));

/* Devices of every kind of limits, alone in a page and several in one; device memory; memory that shares its page. */
static oryx_machine *make_machine(oryx_io_ops *ops)
{
    static const oryx_limits limits[][2] = {
        {{.min = 1, .max = 8, .unaligned = 1}, {.min = 1, .max = 8, .unaligned = 1}},
        {{.min = 1, .max = 8, .unaligned = 1}, {.min = 1, .max = 8}},
        {{.min = 1, .max = 8}, {.min = 4, .max = 4}},
        {{.min = 4, .max = 4}, {.min = 4, .max = 4}},
        {{.min = 1, .max = 4, .unaligned = 1}, {.min = 2, .max = 8}},
    };
    oryx_machine *m = fake_machine();
    for (unsigned i = 0; i < 10; i++) {
        ops[i] = (oryx_io_ops){.hdr = ORYX_HDR(oryx_io_ops), .read = dev_read, .write = dev_write};
        ops[i].valid = limits[i / 2][0];
        ops[i].impl = limits[i / 2][1];
        ops[i].endian = i & 1;
        void *name = (void *)(uintptr_t)(i + 1);
        fake_add(fake_root(m), 0x10000 + i * 0x2000, fake_io(m, "page", 0x1800, &ops[i], name), 0);
        fake_add(fake_root(m), 0x30000 + i * 0x190, fake_io(m, "part", 0x100 + i * 4, &ops[i], name), 0);
    }
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "bar", .last = 0x17ff, .host = device_memory};
    oryx_region *bar;
    assert_ok(oryx_region_new(m, "ram_device", &c, &bar, NULL));
    fake_add(fake_root(m), 0x31800, bar, 1);
    fake_add(fake_root(m), 0x33000, fake_ram(m, "some", 0x800, ram), 0);
    fake_add(fake_root(m), 0x33800, fake_ram(m, "more", 0x1800, ram + 0x1400), 0);
    return m;
}

static void test_random(void **state)
{
    (void)state;
    oryx_io_ops ops[10];
    oryx_machine *m = make_machine(ops);
    oryx_vcpu *v = fake_vcpu(m);
    unsigned by_record = 0;
    v->mmu = mmu;
    m->skipped = oryx_machine_vtime(m); /* a record adds the time up by itself; mem_fake.c has one time */
    for (unsigned i = 0; i < 60000; i++) {
        uint64_t addr = 0x10000 + rnd() % 0x26000;
        if (rnd() % 2)
            addr = (addr & ~0xfffull) | (rnd() % 3 ? rnd() % 64 : 0xff0 + rnd() % 16);
        addr |= rnd() % 4 << 24;
        uint32_t memop = (uint32_t)(rnd() % 5) | (rnd() % 4 ? 0 : ORYX_MO_BE) | (rnd() % 4 ? 0 : ORYX_MO_USER) |
                         (rnd() % 4 ? 0 : ORYX_MO_ALIGN(rnd() % 4)) | (rnd() % 8 ? 0 : ORYX_MO_ACQUIRE) |
                         (rnd() % 8 ? 0 : ORYX_MO_RELEASE) | ORYX_MO_MMU(rnd() % 4);
        int write = (int)(rnd() % 2);
        uint64_t value = rnd() * 0x9e3779b97f4a7c15u;
        refuse = rnd() % 4 == 0;
        oryx_policy p = {.hdr = ORYX_HDR(oryx_policy), .read_error = (uint8_t)(rnd() % 3), .write_error = rnd() % 2 ? ORYX_ON_IGNORE : 0};
        assert_ok(oryx_space_set_policy(fake_space(m), &p, NULL));
        oryx__tlb_flush(v);
        struct outcome first = access_once(v, addr, memop, write, value);
        by_record += v->io_used;
        for (unsigned k = 0; k < 2; k++) {
            struct outcome again = access_once(v, addr, memop, write, value);
            same(&first, &again);
        }
        /* A neighbour may not be taken for it. */
        uint64_t near = addr + rnd() % 16 - 8 + 256 * (rnd() % 3) - 256; /* the same slot, or its neighbours */
        struct outcome by_neighbour = access_once(v, near, memop, write, value);
        oryx__tlb_flush(v);
        struct outcome alone = access_once(v, near, memop, write, value);
        same(&alone, &by_neighbour);
    }
    assert_in_range(by_record, 6000, 60000);
    fake_machine_free(m);
}

/* What changes the map, or marks code, ends records. */
static void test_changes(void **state)
{
    (void)state;
    oryx_io_ops ops[10];
    oryx_machine *m = make_machine(ops);
    oryx_vcpu *v = fake_vcpu(m);
    oryx_region *over = fake_ram(m, "over", 0x1000, ram);
    refuse = 0;
    for (unsigned i = 0; i < 3; i++)
        access_once(v, 0x10008, ORYX_MO_32, 0, 0);
    assert_true(v->io_used);
    ram[8] = 0x5a;
    fake_add(fake_root(m), 0x10000, over, 1);
    struct outcome o = access_once(v, 0x10008, ORYX_MO_8, 0, 0);
    assert_int_equal(o.heard.n, 0);
    assert_int_equal(o.val.lo, 0x5a);
    assert_ok(oryx_region_remove(over, NULL));
    o = access_once(v, 0x10008, ORYX_MO_8, 0, 0);
    assert_int_equal(o.heard.n, 1);
    /* A store to a device's page with translated code reports it each time. */
    for (unsigned i = 0; i < 3; i++)
        access_once(v, 0x10010, ORYX_MO_32, 1, 7);
    fake_n_written = 0;
    oryx__code_page_set(fake_space(m), 0x10, 1);
    access_once(v, 0x10010, ORYX_MO_32, 1, 7);
    access_once(v, 0x10010, ORYX_MO_32, 1, 7);
    assert_int_equal(fake_n_written, 2);
    oryx__code_page_set(fake_space(m), 0x10, 0);
    /* Dirty pages of device memory are seen by record, too. */
    for (unsigned i = 0; i < 3; i++)
        access_once(v, 0x31910, ORYX_MO_32, 1, 7);
    oryx_view_row row;
    uint64_t n = oryx_space_view(fake_space(m), 0, NULL, 0);
    oryx_region *bar = NULL;
    for (uint64_t i = 0; i < n; i++)
        if (oryx_space_view(fake_space(m), i, &row, 1) && row.first <= 0x31910 && row.last >= 0x31910)
            bar = row.region;
    assert_string_equal(oryx_region_name(bar), "bar");
    assert_ok(oryx_dirty_start(bar, ORYX_DIRTY_USER, NULL));
    for (unsigned i = 0; i < 3; i++)
        access_once(v, 0x31910, ORYX_MO_32, 1, 7);
    assert_int_equal(oryx_dirty_take(bar, ORYX_DIRTY_USER, 0, 2, NULL, 1), 1);
    fake_machine_free(m);
}

/* A callback that was called from a record: it may not destroy its region, and a nested access works. */
static struct {
    oryx_vcpu *v;
    oryx_region *self;
    oryx_status destroyed, nested;
    unsigned depth;
} inner;

static oryx_status nest_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    oryx_v128 out;
    a->value = a->offset;
    if (inner.depth++ == 0) {
        inner.destroyed = oryx_region_destroy(inner.self, NULL);
        inner.nested = inner.v->cpu->fn->load(inner.v->cpu, 0x5000 + a->offset + 4, ORYX_MO_32, &out);
        assert_int_equal(out.lo, a->offset + 4);
    }
    inner.depth--;
    return ORYX_OK;
}

static void test_nested(void **state)
{
    (void)state;
    oryx_io_ops ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = nest_read, .write = dev_write};
    oryx_machine *m = fake_machine();
    inner.v = fake_vcpu(m);
    inner.self = fake_io(m, "nest", 0x1000, &ops, NULL);
    fake_add(fake_root(m), 0x5000, inner.self, 0);
    for (unsigned i = 0; i < 3; i++) {
        oryx_v128 out;
        assert_ok(inner.v->cpu->fn->load(inner.v->cpu, 0x5000, ORYX_MO_32, &out));
        assert_int_equal(out.lo, 0);
        assert_int_equal(inner.destroyed, ORYX_E_STATE);
        assert_ok(inner.nested);
        assert_int_equal(inner.v->cpu->io.depth, 0);
    }
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
