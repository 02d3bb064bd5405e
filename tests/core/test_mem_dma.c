/* DMA: IOMMU regions, mapped guest memory, ports. Lines of docs/DESIGN.md, "Memory", are named. */
#include "mem_fake.h"

static oryx_machine *m;
static oryx_vcpu *v;

static void setup(void)
{
    m = fake_machine();
    v = fake_vcpu(m);
}

static oryx_status load(uint64_t addr, uint32_t memop, uint64_t *out)
{
    oryx_v128 val = {0, 0};
    oryx_status st = v->cpu->fn->load(v->cpu, addr, memop, &val);
    *out = val.lo;
    return st;
}

static oryx_status store(uint64_t addr, uint32_t memop, uint64_t lo)
{
    oryx_v128 val = {lo, 0};
    return v->cpu->fn->store(v->cpu, addr, memop, &val);
}

/* An IOMMU of 8 pages: page -> page of the system space, or none; requester 9 sees none. */
struct iommu {
    oryx_space *to;
    int32_t page[8];
    uint32_t prot, asked;
    oryx_access last;
};

static oryx_status translate(void *opaque, const oryx_access *a, oryx_iommu_entry *out)
{
    struct iommu *i = opaque;
    i->asked++;
    i->last = *a;
    int32_t page = i->page[a->offset >> 12 & 7];
    if (page < 0 || a->requester == 9)
        return ORYX_FAULT_TRANSLATE;
    out->space = i->to;
    out->addr = (uint64_t)page << 12 | (a->offset & 0xfff);
    out->last = 0xfff - (a->offset & 0xfff);
    out->prot = i->prot;
    return ORYX_OK;
}

static const oryx_iommu_ops iommu_ops = {.hdr = ORYX_HDR(oryx_iommu_ops), .translate = translate};

static oryx_region *iommu_region(struct iommu *i, oryx_status want)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = "iommu",
                            .last = 0x7fff,
                            .iommu = want ? NULL : &iommu_ops,
                            .opaque = i};
    oryx_region *r = NULL;
    oryx_error err = {0};
    assert_int_equal(oryx_region_new(m, "iommu", &c, &r, &err), want);
    return r;
}

struct heard {
    unsigned n;
    uint64_t first, last;
};

static void unmapped(void *opaque, oryx_region *r, uint64_t first, uint64_t last)
{
    (void)r;
    *(struct heard *)opaque = (struct heard){((struct heard *)opaque)->n + 1, first, last};
}

/* "iommu: translates (addr, attrs) to a target space; can fault; can notify of unmaps" */
static void test_iommu(void **state)
{
    (void)state;
    setup();
    static uint8_t host[0x10000] __attribute__((aligned(4096)));
    oryx_space *dev = NULL, *system = fake_space(m);
    struct iommu unit = {.to = system, .page = {3, 7, -1, 4, 5, 5, 0, 1}, .prot = ORYX_PROT_ALL};
    uint8_t buf[0x2000], want[0x2000];
    uint64_t val, old;
    oryx_error err;
    for (unsigned i = 0; i < sizeof(host); i++)
        host[i] = (uint8_t)(i * 7 + (i >> 8));
    fake_add(fake_root(m), 0, fake_ram(m, "ram", sizeof(host), host), 0);
    assert_ok(oryx_space_new(m, "device 1", &dev, &err));
    iommu_region(&unit, ORYX_E_INVALID);
    oryx_region *r = iommu_region(&unit, ORYX_OK);
    fake_add(oryx_space_root(dev), 0x100000, r, 0);
    /* Bulk over two pages that lie apart. */
    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator), .attrs = ORYX_ATTR_DMA, .requester = 5};
    memcpy(want, host + 0x3000, 0x1000);
    memcpy(want + 0x1000, host + 0x7000, 0x1000);
    assert_ok(oryx_space_access(dev, 0x100000, buf, 0x2000, 0, &who));
    assert_memory_equal(buf, want, 0x2000);
    assert_int_equal(unit.last.requester, 5);
    assert_int_equal(unit.last.attrs, ORYX_ATTR_DMA);
    assert_int_equal(unit.last.vtime, 12345);
    assert_int_equal(unit.asked, 2);
    /* Faults: by address, by requester, by right; bytes before the fault are done. */
    memset(buf, 0xcc, sizeof(buf));
    assert_int_equal(oryx_space_access(dev, 0x101ff0, buf, 32, 1, &who), ORYX_FAULT_TRANSLATE);
    assert_int_equal(host[0x7fff], 0xcc);
    who.requester = 9;
    assert_int_equal(oryx_space_access(dev, 0x100000, buf, 4, 0, &who), ORYX_FAULT_TRANSLATE);
    unit.prot = ORYX_PROT_READ;
    assert_int_equal(oryx_space_write(dev, 0x100000, buf, 4, 0), ORYX_FAULT_PROT);
    assert_ok(oryx_space_read(dev, 0x100000, buf, 4, 0));
    unit.prot = ORYX_PROT_ALL;
    /* A vCPU behind it: loads, stores, atomics, across pages; what the model changes counts at
     * once. */
    v->space = dev;
    oryx__tlb_flush(v);
    assert_ok(store(0x103ffc, ORYX_MO_64, 0x1122334455667788)); /* pages 4 and 5 */
    assert_ok(load(0x103ffc, ORYX_MO_64, &val));
    assert_int_equal(val, 0x1122334455667788);
    assert_memory_equal(host + 0x4ffc, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
    assert_ok(
        v->cpu->fn->rmw(v->cpu, 0x103ffc, ORYX_MO_32 | (uint64_t)ORYX_RMW_ADD << 32, 1, &old));
    assert_int_equal(host[0x4ffc], 0x89);
    assert_int_equal(load(0x102000, ORYX_MO_8, &val), ORYX_FAULT_TRANSLATE);
    assert_int_equal(v->cpu->exc.status, ORYX_FAULT_TRANSLATE);
    unit.page[2] = 3;
    assert_ok(load(0x102000, ORYX_MO_8, &val));
    assert_int_equal(val, host[0x3000]);
    /* Code behind it is dropped when a device writes there. */
    oryx__code_page_set(system, 3, 1);
    fake_n_written = 0;
    assert_ok(oryx_space_write(dev, 0x100010, buf, 4, ORYX_ATTR_DMA));
    assert_true(fake_n_written > 0);
    assert_int_equal(fake_written[0].phys, 0x3010);
    /* Unmaps are heard by who asked. */
    struct heard a = {0}, b = {0};
    assert_ok(oryx_iommu_listen(r, unmapped, &a, &err));
    assert_ok(oryx_iommu_listen(r, unmapped, &b, &err));
    assert_int_equal(oryx_iommu_listen(oryx_space_root(dev), unmapped, &b, &err), ORYX_E_INVALID);
    oryx_iommu_unmapped(r, 0x2000, 0x2fff);
    oryx_iommu_unlisten(r, unmapped, &b);
    oryx_iommu_unmapped(r, 0, 0xfff);
    assert_int_equal(a.n, 2);
    assert_int_equal(a.last, 0xfff);
    assert_int_equal(b.n, 1);
    assert_int_equal(b.first, 0x2000);
    /* An IOMMU that leads to itself ends in a fault, not in the stack. */
    struct iommu loop = {.to = dev, .page = {0x200}, .prot = ORYX_PROT_ALL};
    fake_add(oryx_space_root(dev), 0x200000, iommu_region(&loop, ORYX_OK), 0);
    assert_int_equal(oryx_space_read(dev, 0x200000, buf, 4, 0), ORYX_FAULT_DECODE);
    v->space = system;
    fake_machine_free(m);
}

static oryx_status io_read(void *opaque, oryx_access *a)
{
    a->value = ((uint8_t *)opaque)[a->offset];
    return a->offset >= 0x80 ? ORYX_FAULT_DEVICE : ORYX_OK;
}

static oryx_status io_write(void *opaque, const oryx_access *a)
{
    ((uint8_t *)opaque)[a->offset] = (uint8_t)a->value;
    return ORYX_OK;
}

/* "map/unmap of guest ranges for bulk DMA with bounce buffers" */
static void test_map(void **state)
{
    (void)state;
    setup();
    static uint8_t host[0x4000] __attribute__((aligned(4096))), port[256];
    oryx_space *s = fake_space(m), *dev = NULL;
    oryx_region *ram = fake_ram(m, "ram", sizeof(host), host);
    static const oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops),
                                   .read = io_read,
                                   .write = io_write,
                                   .impl = {.min = 1, .max = 1}};
    oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)}, more[80];
    oryx_error err;
    uint64_t bits = 0;
    fake_add(fake_root(m), 0x10000, ram, 0);
    fake_add(fake_root(m), 0x14000, fake_io(m, "io", 0x100, &io, port), 0);
    /* Direct: the memory itself, up to its end. */
    assert_ok(oryx_dirty_start(ram, ORYX_DIRTY_USER, NULL));
    assert_ok(oryx_space_map(s, 0x10ff0, 0x10000, 1, NULL, &map, &err));
    assert_ptr_equal(map.host, host + 0xff0);
    assert_int_equal(map.len, 0x3010);
    assert_int_equal(map.bounce, 0);
    memset(map.host, 0x5a, 0x20);
    assert_ok(oryx_region_remove(ram, &err));
    assert_int_equal(oryx_region_destroy(ram, &err), ORYX_E_BUSY);
    assert_non_null(strstr(err.text, "mapped"));
    assert_int_equal(oryx_region_resize(ram, 0xfff, &err), ORYX_E_BUSY);
    fake_add(fake_root(m), 0x10000, ram, 0);
    oryx__code_page_set(s, 0x11, 1);
    fake_n_written = 0;
    assert_ok(oryx_space_unmap(&map, 0x20));
    assert_true(fake_n_written > 0);
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, 0, 4, &bits, 1), 2);
    assert_int_equal(bits, 3);
    assert_int_equal(oryx_space_unmap(&map, 0), ORYX_E_INVALID);
    /* A device that only reads dirties nothing, whatever it says. */
    assert_ok(oryx_space_map(s, 0x10000, 16, 0, NULL, &map, &err));
    assert_ok(oryx_space_unmap(&map, 16));
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, 0, 4, &bits, 1), 0);
    /* Bounced: filled before, written back after - as much as is done. */
    port[3] = 0x33;
    assert_ok(oryx_space_map(s, 0x14000, 0x40, 0, NULL, &map, &err));
    assert_int_equal(map.bounce, 1);
    assert_int_equal(((uint8_t *)map.host)[3], 0x33);
    ((uint8_t *)map.host)[3] = 1;
    assert_ok(oryx_space_unmap(&map, 0x40));
    assert_int_equal(port[3], 0x33);
    assert_ok(oryx_space_map(s, 0x14000, 0x40, 1, NULL, &map, &err));
    memset(map.host, 0x44, 0x40);
    assert_int_equal(port[4], 0);
    assert_ok(oryx_space_unmap(&map, 5));
    assert_int_equal(port[4], 0x44);
    assert_int_equal(port[5], 0);
    /* Faults and limits. */
    assert_int_equal(oryx_space_map(s, 0x14070, 0x20, 0, NULL, &map, &err), ORYX_FAULT_DEVICE);
    assert_int_equal(oryx_space_map(s, 0x9000, 4, 0, NULL, &map, &err), ORYX_FAULT_DECODE);
    assert_ok(oryx_region_protect(ram, ORYX_PROT_READ, NULL));
    assert_int_equal(oryx_space_map(s, 0x10000, 4, 1, NULL, &map, &err), ORYX_FAULT_PROT);
    assert_ok(oryx_region_protect(ram, ORYX_PROT_ALL, NULL));
    static uint8_t device[0x10000];
    oryx_region_config c = {
        .hdr = ORYX_HDR(oryx_region_config), .name = "bar", .last = 0xffff, .host = device};
    oryx_region *bar = NULL;
    assert_ok(oryx_region_new(m, "ram_device", &c, &bar, &err));
    fake_add(fake_root(m), 0x100000, bar, 0);
    unsigned n = 0;
    oryx_status st = ORYX_OK;
    while (n < 80 && !st) {
        more[n] = (oryx_mapping){.hdr = ORYX_HDR(oryx_mapping)};
        st = oryx_space_map(s, 0x100000, 0x10000, 1, NULL, &more[n], &err);
        n += !st;
    }
    assert_int_equal(st, ORYX_E_BUSY);
    assert_int_equal(n, 64); /* 4 MiB of 64 KiB */
    while (n)
        assert_ok(oryx_space_unmap(&more[--n], 0));
    assert_ok(oryx_space_map(s, 0x100000, 8, 1, NULL, &map, &err));
    assert_ok(oryx_space_unmap(&map, 8));
    /* Through an IOMMU: what one translation covers. */
    struct iommu unit = {.to = s, .page = {0x11, 0x10, -1}, .prot = ORYX_PROT_ALL};
    assert_ok(oryx_space_new(m, "device", &dev, &err));
    fake_add(oryx_space_root(dev), 0, iommu_region(&unit, ORYX_OK), 0);
    assert_ok(oryx_space_map(dev, 0x800, 0x1800, 1, NULL, &map, &err));
    assert_ptr_equal(map.host, host + 0x1800);
    assert_int_equal(map.len, 0x800);
    assert_ok(oryx_space_unmap(&map, 1));
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, 0, 4, &bits, 1), 1);
    assert_int_equal(bits, 2);
    assert_int_equal(oryx_space_map(dev, 0x2000, 4, 0, NULL, &map, &err), ORYX_FAULT_TRANSLATE);
    /* Every allocation fails once: nothing stays pinned or counted. */
    for (unsigned kind = 0; kind < 2; kind++) {
        for (int64_t k = 0;; k++) {
            oryx__alloc_left = k;
            st = oryx_space_map(s, kind ? 0x14000 : 0x10000, 16, 1, NULL, &map, NULL);
            oryx__alloc_left = -1;
            if (!st)
                break;
            assert_int_equal(st, ORYX_E_NOMEM);
            assert_int_equal(ram->pins, 0);
            assert_int_equal(m->mem->bounced, 0);
        }
        assert_ok(oryx_space_unmap(&map, 0));
    }
    assert_int_equal(ram->pins, 0);
    fake_machine_free(m);
}

/* "I/O ports are an address space like any other." */
static void test_ports(void **state)
{
    (void)state;
    setup();
    static uint8_t port[256];
    static const oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops),
                                   .read = io_read,
                                   .write = io_write,
                                   .impl = {.min = 1, .max = 1}};
    oryx_space *s = NULL, *again = NULL;
    oryx_error err;
    uint8_t byte = 0x12;
    uint16_t two = 0;
    assert_ok(oryx_space_new(m, "io", &s, &err));
    assert_int_equal(oryx_space_new(m, "io", &again, &err), ORYX_E_EXISTS);
    assert_ptr_equal(oryx_space_get(m, "io"), s);
    fake_add(oryx_space_root(s), 0x3f8, fake_io(m, "uart", 8, &io, port), 0);
    assert_ok(oryx_space_write(s, 0x3fb, &byte, 1, 0));
    assert_int_equal(port[3], 0x12);
    assert_ok(oryx_space_read(s, 0x3fb, &two, 2, 0));
    assert_int_equal(two, 0x12);
    /* The same number is another place in memory. */
    assert_int_equal(oryx_space_read(fake_space(m), 0x3f8, &byte, 1, 0), ORYX_FAULT_DECODE);
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iommu),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests_name("mem_dma", tests, NULL, NULL);
}
