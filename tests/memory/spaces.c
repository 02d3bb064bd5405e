/* Several address spaces in a machine: secure accesses go to the space "secure", a device's DMA through a space of its own with
 * an IOMMU between, ports through "io". What each must read is written here byte by byte. MEM_ENGINE: the engine. */
#include <unistd.h>

#include "guest.h"

#define RAM 0x40000u /* in mode B a window serves it */

static oryx_region *backed(oryx_space *in, uint64_t addr, uint64_t size, const char *name)
{
    oryx_error err = {0};
    if (guest_window && in == s && addr + size <= WINDOW_SIZE)
        return guest_ram;
    oryx_region *r = made("ram", (oryx_region_config){.name = name, .last = size - 1});
    if (oryx_region_add(oryx_space_root(in), addr, r, 0, &err))
        fail_msg("%s", err.text);
    return r;
}

static oryx_space *space(const char *name)
{
    oryx_error err = {0};
    oryx_space *x = NULL;
    if (oryx_space_new(m, name, &x, &err))
        fail_msg("%s", err.text);
    return x;
}

static void poke32(oryx_space *x, uint64_t addr, uint32_t value, uint32_t attrs)
{
    assert_ok(oryx_space_write(x, addr, &value, 4, attrs));
}

static uint32_t peek32(oryx_space *x, uint64_t addr, uint32_t attrs)
{
    uint32_t value = 0;
    assert_ok(oryx_space_read(x, addr, &value, 4, attrs));
    return value;
}

/* Virtual addresses from 1 TiB on are the same physical ones, seen as secure. */
#define SECURE_VIEW 0x10000000000u
static oryx_status secure_half(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr & (SECURE_VIEW - 1);
    out->attrs = addr & SECURE_VIEW ? ORYX_ATTR_SECURE : 0;
    out->prot = ORYX_PROT_ALL;
    out->page_size = ORYX_PAGE_SIZE;
    return ORYX_OK;
}

static void test_secure(void **state)
{
    (void)state;
    guest_up();
    backed(s, RAM, 0x4000, "normal");
    poke32(s, RAM, 0x11111111, 0);
    /* Without such a space the attribute changes nothing. */
    assert_int_equal(peek32(s, RAM, ORYX_ATTR_SECURE), 0x11111111);
    oryx_space *secure = space("secure");
    backed(secure, RAM, 0x4000, "hidden");
    backed(secure, 0, 0x10000, "hidden code");
    poke32(s, RAM, 0x22222222, ORYX_ATTR_SECURE);
    assert_int_equal(peek32(s, RAM, 0), 0x11111111);
    assert_int_equal(peek32(s, RAM, ORYX_ATTR_SECURE), 0x22222222);
    assert_int_equal(peek32(secure, RAM, 0), 0x22222222);
    /* The guest, on the slow and the fast path, loads and stores. */
    oryx_vcpu_set_mmu(v, secure_half, NULL);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(guest_load(RAM, 4), 0x11111111);
        assert_int_equal(guest_load(RAM + SECURE_VIEW, 4), 0x22222222);
        guest_store(RAM + 8, 4, 3 + i);
        guest_store(RAM + 8 + SECURE_VIEW, 4, 300 + i);
        assert_int_equal(peek32(s, RAM + 8, 0), 3 + i);
        assert_int_equal(peek32(s, RAM + 8, ORYX_ATTR_SECURE), 300 + i);
    }
    /* Faults are those of the space: nothing is mapped there in "system". */
    uint64_t value;
    backed(secure, 0x800000, 0x1000, "only hidden");
    assert_int_equal(guest_read(0x800000, 4, &value), ORYX_FAULT_DECODE);
    assert_int_equal(guest_load(0x800000 + SECURE_VIEW, 4), 0);
    /* Code: the same physical page holds another program there, and a write to it takes effect. */
    static const uint32_t normal = 0xd2800020 /* mov x0, #1 */;
    uint32_t hidden = 0xd2800040 /* mov x0, #2 */;
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
    assert_ok(oryx_space_write(s, 0x2000, &normal, 4, 0));
    for (unsigned i = 0; i < 4; i++) {
        assert_ok(oryx_space_write(secure, 0x2000, &hidden, 4, 0));
        for (unsigned k = 0; k < 2; k++) {
            oryx_vcpu_set_pc(v, 0x2000 + k * SECURE_VIEW);
            assert_ok(oryx_vcpu_run(v, &l, &last_exit));
            assert_int_equal(reg_get("x0"), k ? 2 + i : 1);
        }
        hidden += 0x20; /* the next number */
    }
    guest_down();
}

/* A device that copies 4 bytes: write the destination to register 4, then the source to register 0. */
static oryx_device *dev;

static void test_dma(void **state)
{
    (void)state;
    oryx_error err = {0};
    guest_up();
    backed(s, RAM, 0x4000, "memory");
    oryx_space *bus = space("bus");
    static uint8_t disk[4096];
    char path[] = "/tmp/oryx-disk-XXXXXX", options[100];
    int fd = mkstemp(path);
    for (unsigned i = 0; i < sizeof(disk); i++)
        disk[i] = (uint8_t)(i * 7);
    assert_int_equal(write(fd, disk, sizeof(disk)), sizeof(disk));
    close(fd);
    snprintf(options, sizeof(options), "{\"file\":\"%s\"}", path);
    if (oryx_device_new(m, "blk", "disk", options, &dev, &err))
        fail_msg("%s", err.text);
    oryx_device_set_space(dev, bus);
    uint8_t buf[64];
    /* Nothing is on its bus: its DMA fails, whatever "system" has there. */
    assert_int_equal(oryx_device_write(dev, RAM, "abcd", 4), ORYX_FAULT_DECODE);
    backed(bus, 0, 0x1000, "own");
    assert_ok(oryx_device_write(dev, 0, "abcd", 4));
    assert_ok(oryx_space_read(bus, 0, buf, 4, 0));
    assert_memory_equal(buf, "abcd", 4);
    /* An alias of "system"'s memory on the bus. */
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "window", .last = 0xfff, .target = oryx_space_root(s), .target_offset = RAM};
    oryx_region *window = NULL;
    assert_ok(oryx_region_new(m, "alias", &c, &window, &err));
    assert_ok(oryx_region_add(oryx_space_root(bus), 0x8000, window, 0, &err));
    assert_ok(oryx_device_write(dev, 0x8010, "wxyz", 4));
    assert_int_equal(peek32(s, RAM + 0x10, 0), 0x7a797877);
    assert_int_equal(guest_load(RAM + 0x10, 4), 0x7a797877);
    oryx_device_destroy(dev);
    guest_down();
    remove(path);
}

/* An IOMMU that swaps two pages for requester 7, refuses everybody else, and lets requester 8 read only. */
static oryx_space *iommu_target;
static oryx_status swap_pages(void *opaque, const oryx_access *a, oryx_iommu_entry *out)
{
    (void)opaque;
    if (a->requester != 7 && a->requester != 8)
        return ORYX_FAULT_TRANSLATE;
    if (a->offset >= 0x2000)
        return ORYX_FAULT_PROT;
    out->space = iommu_target;
    out->addr = RAM + (a->offset ^ 0x1000);
    out->last = 0xfff - (a->offset & 0xfff);
    out->prot = a->requester == 7 ? ORYX_PROT_READ | ORYX_PROT_WRITE : ORYX_PROT_READ;
    return ORYX_OK;
}

static void test_iommu(void **state)
{
    (void)state;
    static const oryx_iommu_ops ops = {.hdr = ORYX_HDR(oryx_iommu_ops), .translate = swap_pages};
    oryx_error err = {0};
    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator)};
    uint8_t data[16], got[16];
    guest_up();
    backed(s, RAM, 0x4000, "memory");
    iommu_target = s;
    oryx_space *bus = space("bus");
    oryx_region *r = made("iommu", (oryx_region_config){.name = "iommu", .last = 0xffff, .iommu = &ops});
    assert_ok(oryx_region_add(oryx_space_root(bus), 0, r, 0, &err));
    if (oryx_device_new(m, "rtc", "any", NULL, &dev, &err))
        fail_msg("%s", err.text);
    oryx_device_set_space(dev, bus);
    for (unsigned i = 0; i < 16; i++)
        data[i] = (uint8_t)(0xa0 + i);
    assert_int_equal(oryx_device_write(dev, 0, data, 16), ORYX_FAULT_TRANSLATE);
    who.requester = 7;
    assert_ok(oryx_device_set_initiator(dev, &who));
    assert_ok(oryx_device_write(dev, 0xff8, data, 16)); /* across the pages: to 0x1ff8 and to 0 */
    assert_ok(oryx_space_read(s, RAM + 0x1ff8, got, 8, 0));
    assert_memory_equal(got, data, 8);
    assert_ok(oryx_space_read(s, RAM, got, 8, 0));
    assert_memory_equal(got, data + 8, 8);
    assert_int_equal(oryx_device_write(dev, 0x2000, data, 16), ORYX_FAULT_PROT);
    who.requester = 8;
    assert_ok(oryx_device_set_initiator(dev, &who));
    assert_ok(oryx_device_read(dev, 0xff8, got, 16));
    assert_memory_equal(got, data, 16);
    assert_int_equal(oryx_device_write(dev, 0xff8, data, 16), ORYX_FAULT_PROT);
    /* Secure DMA goes where secure accesses to the target go. */
    oryx_space *secure = space("secure");
    backed(secure, RAM, 0x4000, "hidden");
    who = (oryx_initiator){.hdr = ORYX_HDR(oryx_initiator), .attrs = ORYX_ATTR_SECURE, .requester = 7};
    assert_ok(oryx_device_set_initiator(dev, &who));
    assert_ok(oryx_device_write(dev, 0, "HIDE", 4));
    assert_int_equal(peek32(s, RAM + 0x1000, 0), 0);
    assert_int_equal(peek32(secure, RAM + 0x1000, 0), 0x45444948);
    guest_down();
}

/* Ports: a byte register and a word register beside each other; 4 bytes over both are refused by the first. */
static uint64_t ports[2];
static oryx_status port_read(void *opaque, oryx_access *a)
{
    a->value = ports[(uintptr_t)opaque];
    return ORYX_OK;
}
static oryx_status port_write(void *opaque, const oryx_access *a)
{
    ports[(uintptr_t)opaque] = a->value;
    return ORYX_OK;
}

static void test_ports(void **state)
{
    (void)state;
    static const oryx_io_ops byte = {.hdr = ORYX_HDR(oryx_io_ops), .read = port_read, .write = port_write, .valid = {1, 1, 0, {0}}};
    static const oryx_io_ops word = {.hdr = ORYX_HDR(oryx_io_ops), .read = port_read, .write = port_write, .valid = {2, 2, 0, {0}}};
    oryx_error err = {0};
    guest_up();
    oryx_space *io = space("io");
    oryx_region *a = made("io", (oryx_region_config){.name = "a", .last = 0, .io = &byte, .opaque = (void *)0});
    oryx_region *b = made("io", (oryx_region_config){.name = "b", .last = 1, .io = &word, .opaque = (void *)1});
    assert_ok(oryx_region_add(oryx_space_root(io), 0x64, a, 0, &err));
    assert_ok(oryx_region_add(oryx_space_root(io), 0x70, b, 0, &err));
    uint8_t one = 0x5a;
    uint16_t two = 0xbeef;
    assert_ok(oryx_space_write(io, 0x64, &one, 1, 0));
    assert_ok(oryx_space_write(io, 0x70, &two, 2, 0));
    assert_int_equal(ports[0], 0x5a);
    assert_int_equal(ports[1], 0xbeef);
    one = 0;
    assert_ok(oryx_space_read(io, 0x64, &one, 1, 0));
    assert_int_equal(one, 0x5a);
    assert_int_equal(oryx_space_read(io, 0x70, &one, 1, 0), ORYX_FAULT_DEVICE);
    assert_int_equal(oryx_space_read(io, 0x60, &one, 1, 0), ORYX_FAULT_DECODE);
    assert_int_equal(oryx_space_read(s, 0x10000064, &one, 1, 0), ORYX_FAULT_DECODE); /* "system" knows nothing of it */
    guest_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secure),
        cmocka_unit_test(test_dma),
        cmocka_unit_test(test_iommu),
        cmocka_unit_test(test_ports),
    };
    return cmocka_run_group_tests_name("spaces", tests, NULL, NULL);
}
