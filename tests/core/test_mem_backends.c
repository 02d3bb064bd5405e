/* What a device sees of a guest access: widths, order, numbers; and the region plugins themselves.
 * Expected calls are written out by hand from "Access rules" and "Regions" of docs/DESIGN.md. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem_fake.h"

/* A device that keeps its bytes and writes down every call. */
struct dev {
    uint8_t bytes[64];
    struct call {
        uint64_t offset, value;
        uint32_t size, write, attrs;
    } calls[16];
    unsigned n;
    uint32_t endian;
    oryx_status result;
    uint64_t vtime;
    oryx_vcpu *vcpu;
};

static uint64_t number(const uint8_t *b, uint32_t n, uint32_t endian)
{
    uint64_t v = 0;
    for (uint32_t i = 0; i < n; i++)
        v = v << 8 | b[endian ? i : n - 1 - i];
    return v;
}

static void note(struct dev *d, const oryx_access *a)
{
    assert_true(d->n < 16);
    assert_true(a->offset + a->size <= 64);
    d->vtime = a->vtime;
    d->vcpu = a->vcpu;
    d->calls[d->n++] = (struct call){a->offset, a->value, a->size, a->write, a->attrs};
}

static oryx_status dev_read(void *opaque, oryx_access *a)
{
    struct dev *d = opaque;
    a->value = number(d->bytes + a->offset, a->size, d->endian);
    note(d, a);
    return d->result;
}

static oryx_status dev_peek(void *opaque, oryx_access *a)
{
    struct dev *d = opaque;
    a->value = number(d->bytes + a->offset, a->size, d->endian);
    return ORYX_OK;
}

static oryx_status dev_write(void *opaque, const oryx_access *a)
{
    struct dev *d = opaque;
    note(d, a);
    for (uint32_t i = 0; i < a->size; i++)
        d->bytes[a->offset + i] = (uint8_t)(a->value >> 8 * (d->endian ? a->size - 1 - i : i));
    return d->result;
}

static oryx_io_ops ops_of(struct dev *d, unsigned vmin, unsigned vmax, unsigned vun, unsigned imin,
                          unsigned imax, unsigned iun)
{
    memset(d, 0, sizeof(*d));
    for (unsigned i = 0; i < 64; i++)
        d->bytes[i] = (uint8_t)(i + 1);
    return (oryx_io_ops){
        .hdr = ORYX_HDR(oryx_io_ops),
        .read = dev_read,
        .write = dev_write,
        .peek = dev_peek,
        .valid = {.min = (uint8_t)vmin, .max = (uint8_t)vmax, .unaligned = (uint8_t)vun},
        .impl = {.min = (uint8_t)imin, .max = (uint8_t)imax, .unaligned = (uint8_t)iun}};
}

static void expect_call(const struct dev *d, unsigned i, uint32_t write, uint64_t offset,
                        uint32_t size, uint64_t value)
{
    assert_true(i < d->n);
    assert_int_equal(d->calls[i].write, write);
    assert_int_equal(d->calls[i].offset, offset);
    assert_int_equal(d->calls[i].size, size);
    assert_int_equal(d->calls[i].value, value);
}

static oryx_machine *m;
static oryx_vcpu *v;

static void setup(void)
{
    m = fake_machine();
    v = fake_vcpu(m);
}

static uint64_t load(uint64_t addr, uint32_t memop)
{
    oryx_v128 got;
    assert_ok(v->cpu->fn->load(v->cpu, addr, memop, &got));
    return got.lo;
}

static oryx_status try_load(uint64_t addr, uint32_t memop)
{
    oryx_v128 got;
    return v->cpu->fn->load(v->cpu, addr, memop, &got);
}

static oryx_status store(uint64_t addr, uint32_t memop, uint64_t value)
{
    oryx_v128 val = {value, ~value};
    return v->cpu->fn->store(v->cpu, addr, memop, &val);
}

static void test_split(void **state)
{
    (void)state;
    for (uint32_t endian = 0; endian < 2; endian++) {
        struct dev d;
        oryx_io_ops ops = ops_of(&d, 1, 8, 0, 1, 2, 0);
        ops.endian = d.endian = endian;
        setup();
        fake_add(fake_root(m), 0x1000, fake_io(m, "io", 64, &ops, &d), 0);
        /* Bytes 9 10 11 12 in memory, whatever the device calls them. */
        assert_int_equal(load(0x1008, ORYX_MO_32), 0x0c0b0a09);
        assert_int_equal(d.n, 2);
        expect_call(&d, 0, 0, 8, 2, endian ? 0x090a : 0x0a09);
        expect_call(&d, 1, 0, 10, 2, endian ? 0x0b0c : 0x0c0b);
        assert_int_equal(d.vtime, 12345);
        assert_ptr_equal(d.vcpu, v);
        assert_int_equal(load(0x1008, ORYX_MO_32 | ORYX_MO_BE), 0x090a0b0c);
        d.n = 0;
        assert_ok(store(0x1010, ORYX_MO_64, 0x8877665544332211u));
        assert_int_equal(d.n, 4);
        expect_call(&d, 0, 1, 16, 2, endian ? 0x1122 : 0x2211);
        expect_call(&d, 3, 1, 22, 2, endian ? 0x7788 : 0x8877);
        assert_int_equal(load(0x1010, ORYX_MO_64), 0x8877665544332211u);
        fake_machine_free(m);
    }
}

static void test_widen(void **state)
{
    (void)state;
    for (uint32_t endian = 0; endian < 2; endian++) {
        struct dev d;
        oryx_io_ops ops = ops_of(&d, 1, 8, 1, 4, 4, 0);
        ops.endian = d.endian = endian;
        setup();
        fake_add(fake_root(m), 0x1000, fake_io(m, "io", 64, &ops, &d), 0);
        /* One byte of a word-only device: the word is read, the byte taken from the right place. */
        assert_int_equal(load(0x1006, ORYX_MO_8), 7);
        assert_int_equal(d.n, 1);
        expect_call(&d, 0, 0, 4, 4, endian ? 0x05060708 : 0x08070605);
        assert_int_equal(load(0x1006, ORYX_MO_16), 0x0807);
        /* Unaligned for the device: the two words it lies in. */
        d.n = 0;
        assert_int_equal(load(0x1002, ORYX_MO_32), 0x06050403);
        assert_int_equal(d.n, 2);
        expect_call(&d, 0, 0, 0, 4, endian ? 0x01020304 : 0x04030201);
        expect_call(&d, 1, 0, 4, 4, endian ? 0x05060708 : 0x08070605);
        /* A narrow write keeps the bytes around it and reads nothing: they come from peek. */
        d.n = 0;
        assert_ok(store(0x1006, ORYX_MO_8, 0xee));
        assert_int_equal(d.n, 1);
        expect_call(&d, 0, 1, 4, 4, endian ? 0x0506ee08 : 0x08ee0605);
        fake_machine_free(m);
    }
}

static void test_valid(void **state)
{
    (void)state;
    struct dev d;
    oryx_io_ops ops = ops_of(&d, 2, 4, 0, 1, 8, 1);
    setup();
    fake_add(fake_root(m), 0x1000, fake_io(m, "io", 64, &ops, &d), 0);
    /* Too narrow, too wide, unaligned: an error to the guest, and the device hears nothing. */
    assert_int_equal(try_load(0x1000, ORYX_MO_8), ORYX_FAULT_DEVICE);
    assert_int_equal(v->cpu->exc.addr, 0x1000);
    assert_int_equal(v->cpu->exc.phys, 0x1000);
    assert_int_equal(try_load(0x1000, ORYX_MO_64), ORYX_FAULT_DEVICE);
    assert_int_equal(try_load(0x1000, ORYX_MO_128), ORYX_FAULT_DEVICE);
    assert_int_equal(try_load(0x1001, ORYX_MO_16), ORYX_FAULT_DEVICE);
    assert_int_equal(store(0x1002, ORYX_MO_32, 0), ORYX_FAULT_DEVICE);
    assert_int_equal(d.n, 0);
    assert_ok(store(0x1004, ORYX_MO_32, 0x01020304));
    assert_int_equal(d.n, 1);
    /* What the device refuses becomes the guest's fault. */
    d.result = ORYX_FAULT_DECODE;
    assert_int_equal(try_load(0x1004, ORYX_MO_32), ORYX_FAULT_DECODE);
    assert_int_equal(v->cpu->exc.status, ORYX_FAULT_DECODE);
    assert_int_equal(v->cpu->exc.size, 4);
    /* Nothing of it is ever cached. */
    assert_int_equal(v->cpu->tlb[0].rd[1].tag, UINT64_MAX);
    fake_machine_free(m);
}

static void test_sixteen_and_host(void **state)
{
    (void)state;
    struct dev d;
    oryx_io_ops ops = ops_of(&d, 1, 8, 0, 1, 8, 0);
    oryx_v128 got;
    uint8_t buf[16];
    setup();
    oryx_region *io = fake_io(m, "io", 64, &ops, &d);
    fake_add(fake_root(m), 0x1000, io, 0);
    assert_ok(v->cpu->fn->load(v->cpu, 0x1010, ORYX_MO_128, &got));
    assert_int_equal(d.n, 2);
    expect_call(&d, 0, 0, 16, 8, 0x1817161514131211u);
    expect_call(&d, 1, 0, 24, 8, 0x201f1e1d1c1b1a19u);
    assert_int_equal(got.hi, 0x201f1e1d1c1b1a19u);
    /* A host transfer uses naturally aligned powers of two; debug reads are peeks, debug writes are
     * refused. */
    d.n = 0;
    assert_ok(oryx_space_read(fake_space(m), 0x1003, buf, 11, 0));
    assert_int_equal(d.n, 4);
    expect_call(&d, 0, 0, 3, 1, 4);
    expect_call(&d, 1, 0, 4, 4, 0x08070605);
    expect_call(&d, 2, 0, 8, 4, 0x0c0b0a09);
    expect_call(&d, 3, 0, 12, 2, 0x0e0d);
    assert_null(d.vcpu);
    d.n = 0;
    assert_ok(oryx_space_read(fake_space(m), 0x1003, buf, 11, ORYX_ATTR_DEBUG));
    assert_int_equal(d.n, 0);
    assert_int_equal(buf[10], 14);
    assert_int_equal(oryx_space_write(fake_space(m), 0x1000, buf, 4, ORYX_ATTR_DEBUG),
                     ORYX_FAULT_DEVICE);
    assert_int_equal(d.n, 0);
    assert_int_equal(oryx_space_read(fake_space(m), 0x103c, buf, 8, 0), ORYX_FAULT_DECODE);
    /* An atomic on a device: a read, then a write. */
    uint64_t old;
    d.n = 0;
    assert_ok(v->cpu->fn->rmw(v->cpu, 0x1004, ORYX_MO_32 | (uint64_t)ORYX_RMW_ADD << 32, 1, &old));
    assert_int_equal(old, 0x08070605);
    assert_int_equal(d.n, 2);
    expect_call(&d, 1, 1, 4, 4, 0x08070606);
    /* Changes inside a device's callback are possible, destroying the region there is refused (see
     * threads). */
    assert_int_equal(oryx_region_destroy(io, NULL), ORYX_E_BUSY);
    fake_machine_free(m);
}

static void test_borders(void **state)
{
    (void)state;
    struct dev a, b;
    oryx_io_ops ops_a = ops_of(&a, 1, 8, 1, 1, 8, 1), ops_b = ops_of(&b, 1, 8, 1, 1, 8, 1);
    uint8_t ram[16];
    ops_b.endian = b.endian = ORYX_ENDIAN_BIG;
    memset(ram, 0xcc, sizeof(ram));
    setup();
    /* io 3 bytes | ram 2 bytes | big-endian io: one access of 8 bytes over all three. */
    fake_add(fake_root(m), 0x1000, fake_io(m, "a", 3, &ops_a, &a), 0);
    fake_add(fake_root(m), 0x1003, fake_ram(m, "ram", 2, ram), 0);
    fake_add(fake_root(m), 0x1005, fake_io(m, "b", 64, &ops_b, &b), 0);
    assert_int_equal(load(0x1000, ORYX_MO_64), 0x030201cccc030201u);
    assert_int_equal(a.n, 2);
    expect_call(&a, 0, 0, 0, 2, 0x0201); /* a cut-off part: naturally aligned powers of two */
    expect_call(&a, 1, 0, 2, 1, 3);
    assert_int_equal(b.n, 2);
    expect_call(&b, 0, 0, 0, 2, 0x0102);
    a.n = b.n = 0;
    assert_ok(store(0x1000, ORYX_MO_64, 0x8877665544332211u));
    assert_int_equal(ram[0], 0x44);
    assert_int_equal(ram[1], 0x55);
    assert_int_equal(ram[2], 0xcc);
    expect_call(&b, 0, 1, 0, 2, 0x6677);
    /* An error of one part does not stop the others, and is the guest's. */
    a.result = ORYX_FAULT_DEVICE;
    b.n = 0;
    assert_int_equal(store(0x1002, ORYX_MO_32, 0), ORYX_FAULT_DEVICE);
    assert_int_equal(v->cpu->exc.addr, 0x1002);
    assert_int_equal(ram[0], 0);
    assert_int_equal(b.n, 1);
    /* A hole in the last part: nothing is done at all. */
    a.n = b.n = 0;
    assert_int_equal(store(0x1041, ORYX_MO_64, 0), ORYX_FAULT_DECODE);
    assert_int_equal(v->cpu->exc.addr, 0x1045);
    assert_int_equal(b.n, 0);
    fake_machine_free(m);
}

/* --- ram_device ------------------------------------------------------------------------------- */

static void test_ram_device(void **state)
{
    (void)state;
    oryx_error err = {0};
    oryx_region *r;
    uint8_t buf[64];
    int fd = memfd_create("bar", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 0x3000), 0);
    uint8_t *bar = mmap(NULL, 0x3000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    setup();
    /* An offset inside a page; the same bytes through the other mapping. */
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = "bar",
                            .last = 0x1fff,
                            .use_fd = 1,
                            .fd = fd,
                            .fd_offset = 0x678};
    assert_ok(oryx_region_new(m, "ram_device", &c, &r, &err));
    fake_add(fake_root(m), 0x10000, r, 0);
    assert_ok(store(0x10003, ORYX_MO_32, 0xaabbccdd));
    assert_int_equal(bar[0x678 + 3], 0xdd);
    assert_int_equal(bar[0x678 + 6], 0xaa);
    bar[0x678 + 0xffe] = 0x12;
    bar[0x678 + 0xfff] = 0x34;
    bar[0x678 + 0x1000] = 0x56;
    assert_int_equal(load(0x10ffe, ORYX_MO_16), 0x3412);
    assert_int_equal(load(0x10fff, ORYX_MO_16), 0x5634);
    /* Never in the fast path. */
    assert_int_equal(v->cpu->tlb[0].rd[0x10].tag, UINT64_MAX);
    assert_int_equal(v->cpu->tlb[0].wr[0x10].tag, UINT64_MAX);
    for (unsigned i = 0; i < 64; i++)
        buf[i] = (uint8_t)i;
    assert_ok(oryx_space_write(fake_space(m), 0x10101, buf, 61, 0));
    assert_memory_equal(bar + 0x678 + 0x101, buf, 61);
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    uint64_t len = 16;
    assert_ok(oryx_space_direct(fake_space(m), 0x10000, &len, &d));
    assert_int_equal(d.flags & ORYX_DIRECT_BULK, 0);
    /* Beyond the end of the file a touch would kill the host. */
    c.fd_offset = 0x1001;
    oryx_region *bad = NULL;
    assert_int_equal(oryx_region_new(m, "ram_device", &c, &bad, &err), ORYX_E_RANGE);
    assert_non_null(strstr(err.text, "end of the file"));
    /* The layers of an assigned device: with the mapping disabled the io path serves the same
     * bytes. */
    struct dev dv;
    oryx_io_ops ops = ops_of(&dv, 1, 8, 1, 1, 8, 1);
    memcpy(bar + 0x678, dv.bytes, 64);
    fake_add(fake_root(m), 0x10000, fake_io(m, "base", 64, &ops, &dv), -1);
    uint64_t direct = load(0x10021, ORYX_MO_64);
    assert_int_equal(dv.n, 0);
    assert_ok(oryx_region_enable(r, 0, NULL));
    assert_int_equal(load(0x10021, ORYX_MO_64), direct);
    assert_int_equal(dv.n, 1);
    fake_machine_free(m);
    munmap(bar, 0x3000);
    close(fd);
}

/* --- rom, quirks, region access --------------------------------------------------------------- */

static oryx_region *with_options(const char *type, const char *options, oryx_region *lower,
                                 uint64_t size)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = type,
                            .last = size - 1,
                            .options = options,
                            .lower = lower};
    oryx_region *r = NULL;
    oryx_error err = {0};
    if (oryx_region_new(m, type, &c, &r, &err))
        fail_msg("%s", err.text);
    return r;
}

static void test_rom(void **state)
{
    (void)state;
    setup();
    uint8_t byte = 0x5a;
    fake_add(fake_root(m), 0x1000, with_options("ram", "{\"writes\":\"ignore\"}", NULL, 0x1000), 0);
    fake_add(fake_root(m), 0x2000,
             with_options("ram", "{\"writes\":\"fault\",\"memfd\":true}", NULL, 0x1000), 0);
    for (uint64_t at = 0x1000; at <= 0x2000; at += 0x1000) {
        assert_int_equal(store(at, ORYX_MO_8, 1), at == 0x1000 ? ORYX_OK : ORYX_FAULT_PROT);
        assert_int_equal(oryx_space_write(fake_space(m), at, &byte, 1, 0),
                         at == 0x1000 ? ORYX_OK : ORYX_FAULT_PROT);
        assert_int_equal(load(at, ORYX_MO_8), 0);
        assert_int_equal(v->cpu->tlb[0].wr[at >> 12].tag, UINT64_MAX);
        assert_int_equal(v->cpu->tlb[0].rd[at >> 12].tag, at);
        assert_ok(oryx_space_write(fake_space(m), at, &byte, 1, ORYX_ATTR_DEBUG));
        assert_int_equal(load(at, ORYX_MO_8), 0x5a);
    }
    /* A gigabyte costs nothing until touched. */
    fake_add(fake_root(m), 0x100000000, fake_ram(m, "big", 1ull << 30, NULL), 0);
    assert_ok(store(0x13fffffff, ORYX_MO_8, 7));
    assert_int_equal(load(0x13fffffff, ORYX_MO_8), 7);
    oryx_region *bad = NULL;
    oryx_region_config c = {
        .hdr = ORYX_HDR(oryx_region_config), .name = "bad", .last = 15, .options = "{\"write\":1}"};
    oryx_error err;
    assert_int_equal(oryx_region_new(m, "ram", &c, &bad, &err), ORYX_E_FORMAT);
    c.options = NULL;
    c.last = UINT64_MAX;
    assert_int_equal(oryx_region_new(m, "ram", &c, &bad, &err), ORYX_E_RANGE);
    fake_machine_free(m);
}

static void test_quirks(void **state)
{
    (void)state;
    struct dev d;
    oryx_io_ops ops = ops_of(&d, 1, 8, 1, 1, 8, 1);
    setup();
    oryx_region *io = fake_io(m, "io", 64, &ops, &d);
    char path[] = "/tmp/oryx-quirk-XXXXXX", options[128], line[128] = {0};
    close(mkstemp(path));
    snprintf(options, sizeof(options), "{\"kind\":\"log\",\"file\":\"%s\"}", path);
    fake_add(fake_root(m), 0, io, 0);
    fake_add(fake_root(m), 0x1000,
             with_options("quirk", "{\"kind\":\"mirror\",\"size\":16}", io, 64), 0);
    fake_add(fake_root(m), 0x2000,
             with_options("quirk",
                          "{\"kind\":\"mask\",\"offset\":4,\"size\":4,\"and\":\"0xffff00ff\","
                          "\"or\":\"0x80000000\","
                          "\"on\":\"read\"}",
                          io, 64),
             0);
    fake_add(fake_root(m), 0x3000,
             with_options("quirk",
                          "{\"kind\":\"fixed\",\"offset\":8,\"size\":4,\"value\":\"0xcafe1234\"}",
                          io, 64),
             0);
    fake_add(fake_root(m), 0x4000, with_options("quirk", options, io, 64), 0);
    assert_int_equal(load(0x1000 + 37, ORYX_MO_16), 0x0706); /* 37 mod 16 = 5 */
    expect_call(&d, 0, 0, 5, 2, 0x0706);
    assert_int_equal(load(0x2004, ORYX_MO_32), 0x88070005);
    assert_int_equal(load(0x2005, ORYX_MO_8), 0);
    assert_int_equal(load(0x2006, ORYX_MO_32), 0x0a098807);
    assert_ok(store(0x2004, ORYX_MO_32, 0x11111111));
    assert_int_equal(load(0x2004, ORYX_MO_32), 0x91110011);
    d.n = 0;
    assert_int_equal(load(0x3008, ORYX_MO_32), 0xcafe1234);
    assert_int_equal(load(0x300a, ORYX_MO_16), 0xcafe);
    assert_ok(store(0x3008, ORYX_MO_32, 0));
    assert_int_equal(d.n, 0);
    assert_int_equal(load(0x300c, ORYX_MO_8), 13);
    assert_int_equal(load(0x4010, ORYX_MO_16), 0x1211);
    FILE *f = fopen(path, "r");
    assert_non_null(fgets(line, sizeof(line), f));
    assert_string_equal(line, "quirk: read16 0x10 -> 0x1211 pc 0x1000\n");
    fclose(f);
    unlink(path);
    oryx_region *bad = NULL;
    oryx_error err;
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = "bad",
                            .last = 15,
                            .lower = io,
                            .options = "{\"kind\":\"rot13\"}"};
    assert_int_equal(oryx_region_new(m, "quirk", &c, &bad, &err), ORYX_E_FORMAT);
    assert_non_null(strstr(err.text, "/kind: "));
    assert_int_equal(oryx_region_destroy(io, &err), ORYX_E_BUSY);
    fake_machine_free(m);
}

static void test_region_access(void **state)
{
    (void)state;
    uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    setup();
    oryx_region *ram = fake_ram(m, "ram", 8, bytes),
                *box = fake_region(m, "container", "box", 0x100);
    fake_add(box, 0x10, ram, 0);
    oryx_access a = {.hdr = ORYX_HDR(oryx_access), .offset = 0x12, .size = 4};
    assert_ok(oryx_region_access(box, &a));
    assert_int_equal(a.value, 0x06050403);
    a.offset = 0x16;
    assert_int_equal(oryx_region_access(box, &a), ORYX_FAULT_DECODE);
    a = (oryx_access){
        .hdr = ORYX_HDR(oryx_access), .offset = 1, .size = 2, .write = 1, .value = 0xbbaa};
    assert_ok(oryx_region_access(ram, &a));
    assert_int_equal(bytes[1], 0xaa);
    assert_int_equal(bytes[2], 0xbb);
    assert_ok(oryx_region_protect(ram, ORYX_PROT_READ, NULL));
    assert_int_equal(oryx_region_access(ram, &a), ORYX_FAULT_PROT);
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    assert_ok(oryx_region_direct(box, 0x13, &d));
    assert_ptr_equal(d.host, bytes + 3);
    assert_int_equal(d.last, 4);
    a.size = 3;
    assert_int_equal(oryx_region_access(ram, &a), ORYX_E_INVALID);
    fake_machine_free(m);
}

static void test_limits_refused(void **state)
{
    (void)state;
    struct dev d;
    oryx_io_ops ops = ops_of(&d, 3, 8, 0, 1, 8, 0);
    oryx_region_config c = {
        .hdr = ORYX_HDR(oryx_region_config), .name = "io", .last = 63, .io = &ops, .opaque = &d};
    oryx_region *r = NULL;
    oryx_error err;
    setup();
    assert_int_equal(oryx_region_new(m, "io", &c, &r, &err), ORYX_E_INVALID);
    ops = ops_of(&d, 1, 8, 0, 4, 4, 0);
    c.last = 61;
    assert_int_equal(oryx_region_new(m, "io", &c, &r, &err), ORYX_E_INVALID);
    assert_int_equal(oryx_region_new(m, "nonsense", &c, &r, &err), ORYX_E_NOTFOUND);
    c.io = NULL;
    assert_int_equal(oryx_region_new(m, "io", &c, &r, &err), ORYX_E_INVALID);
    assert_int_equal(oryx_region_new(m, "alias", &c, &r, &err), ORYX_E_INVALID);
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),         cmocka_unit_test(test_widen),
        cmocka_unit_test(test_valid),         cmocka_unit_test(test_sixteen_and_host),
        cmocka_unit_test(test_borders),       cmocka_unit_test(test_ram_device),
        cmocka_unit_test(test_rom),           cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_region_access), cmocka_unit_test(test_limits_refused),
    };
    return cmocka_run_group_tests_name("mem_backends", tests, NULL, NULL);
}
