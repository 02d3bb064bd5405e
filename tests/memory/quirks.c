/* Ready-made quirks under a real guest and engine: each kind at every width, across a border into the layer beneath, switched
 * at run time, looked at without side effects, and every option that is refused with the pointer of the member. Expected
 * values are worked out here from what docs/quirks.md says. MEM_ENGINE: the engine. */
#include <fcntl.h>
#include <unistd.h>

#include "guest.h"

#define DEV 0x100000u
#define TOP 0x200000u

/* The layer beneath: bytes, and a record of the accesses that came down. */
static struct {
    uint8_t bytes[256];
    struct {
        uint64_t offset, value, vtime;
        uint32_t size, write;
    } calls[32];
    unsigned n;
} dev;

static oryx_status dev_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = 0;
    memcpy(&a->value, dev.bytes + a->offset, a->size);
    if (dev.n < 32) {
        dev.calls[dev.n].offset = a->offset;
        dev.calls[dev.n].value = a->value;
        dev.calls[dev.n].size = a->size;
        dev.calls[dev.n].write = 0;
        dev.calls[dev.n].vtime = a->vtime;
    }
    dev.n++;
    return ORYX_OK;
}

static oryx_status dev_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    memcpy(dev.bytes + a->offset, &a->value, a->size);
    if (dev.n < 32) {
        dev.calls[dev.n].offset = a->offset;
        dev.calls[dev.n].value = a->value;
        dev.calls[dev.n].size = a->size;
        dev.calls[dev.n].write = 1;
        dev.calls[dev.n].vtime = a->vtime;
    }
    dev.n++;
    return ORYX_OK;
}

static oryx_status dev_peek(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = 0;
    memcpy(&a->value, dev.bytes + a->offset, a->size);
    return ORYX_OK;
}

static const oryx_io_ops dev_ops = {.hdr = ORYX_HDR(oryx_io_ops),
                                    .read = dev_read,
                                    .write = dev_write,
                                    .peek = dev_peek,
                                    .valid = {1, 8, 1, {0}},
                                    .impl = {1, 8, 1, {0}}};
static oryx_region *io;

static void up(void)
{
    guest_up();
    for (unsigned i = 0; i < sizeof(dev.bytes); i++)
        dev.bytes[i] = (uint8_t)i;
    dev.n = 0;
    io = made("io", (oryx_region_config){.name = "dev", .last = 255, .io = &dev_ops});
    put(io, DEV, 0);
}

static oryx_region *quirk(const char *options, uint64_t size)
{
    oryx_region *r = made("quirk", (oryx_region_config){.name = "q", .last = size - 1, .lower = io, .options = options});
    put(r, TOP, 0);
    return r;
}

static void down(uint64_t offset, uint32_t size, uint32_t write, uint64_t value)
{
    assert_int_equal(dev.n, 1);
    assert_int_equal(dev.calls[0].offset, offset);
    assert_int_equal(dev.calls[0].size, size);
    assert_int_equal(dev.calls[0].write, write);
    assert_int_equal(dev.calls[0].value, value);
    dev.n = 0;
}

/* What bytes i, i + 1, ... of the layer beneath give as a little-endian number, by the naive rule byte i is i. */
static uint64_t plain(uint64_t i, uint32_t size)
{
    uint64_t n = 0;
    for (uint32_t k = 0; k < size; k++)
        n |= (i + k) << 8 * k;
    return n;
}

static uint64_t peek(uint64_t addr, uint32_t size)
{
    uint64_t n = 0;
    assert_ok(oryx_space_read(s, addr, &n, size, ORYX_ATTR_DEBUG));
    return n;
}

static void test_mirror(void **state)
{
    (void)state;
    up();
    quirk("{\"kind\":\"mirror\",\"size\":16,\"base\":32}", 256);
    for (uint32_t size = 1; size <= 8; size *= 2) {
        assert_int_equal(guest_load(TOP + 37, size), plain(32 + 5, size)); /* 37 mod 16 = 5 */
        down(32 + 5, size, 0, plain(32 + 5, size));
    }
    /* Over the end of a copy. */
    assert_int_equal(guest_load(TOP + 14, 4), 0x21202f2e);
    guest_store(TOP + 0x40 + 3, 1, 0xee);
    assert_int_equal(guest_load(TOP + 3, 1), 0xee);
    guest_down();
}

static void test_window(void **state)
{
    (void)state;
    up();
    quirk("{\"kind\":\"window\",\"index\":8,\"index_size\":2,\"mask\":31,\"data\":12,\"data_size\":4,"
          "\"base\":64,\"scale\":4,\"increment\":{\"by\":1,\"on\":\"read\"}}",
          32);
    guest_store(TOP + 8, 2, 3);
    assert_int_equal(dev.n, 0);
    assert_int_equal(guest_load(TOP + 12, 4), plain(64 + 12, 4));
    down(64 + 12, 4, 0, plain(64 + 12, 4));
    assert_int_equal(guest_load(TOP + 8, 2), 4); /* moved */
    assert_int_equal(peek(TOP + 12, 4), plain(64 + 16, 4));
    assert_int_equal(guest_load(TOP + 8, 2), 4); /* a look moves nothing */
    guest_store(TOP + 14, 1, 0xaa);              /* writes do not move either; a part of the data register */
    down(64 + 16 + 2, 1, 1, 0xaa);
    assert_int_equal(guest_load(TOP + 8, 2), 4);
    guest_store(TOP + 8, 2, 0xffff);
    assert_int_equal(guest_load(TOP + 8, 2), 31); /* the mask */
    assert_int_equal(guest_load(TOP + 8, 1), 31);
    guest_load(TOP + 12, 4);
    assert_int_equal(guest_load(TOP + 8, 2), 0); /* and round */
    /* Beside: the layer beneath at the same offset; across the border the index and what is beside it. */
    dev.n = 0;
    assert_int_equal(guest_load(TOP + 16, 8), plain(16, 8));
    down(16, 8, 0, plain(16, 8));
    guest_store(TOP + 8, 4, 0xbeef0005); /* 2 bytes of index, 2 beside */
    down(10, 2, 1, 0xbeef);
    assert_int_equal(guest_load(TOP + 8, 2), 5);
    /* One store of 8 bytes that sets the index and writes data through it. */
    guest_store(TOP + 8, 8, 0x1234567800000007);
    assert_int_equal(peek(DEV + 64 + 28, 4), 0x12345678);
    guest_down();
}

static void test_mask(void **state)
{
    (void)state;
    up();
    oryx_region *q = quirk("{\"kind\":\"mask\",\"offset\":4,\"size\":4,\"and\":\"0xffff00ff\",\"or\":\"0x80000000\","
                           "\"xor\":1,\"on\":\"read\"}",
                           64);
    assert_int_equal(guest_load(TOP + 4, 4), 0x87060005);
    down(4, 4, 0, 0x07060504);
    assert_int_equal(guest_load(TOP + 5, 1), 0);
    assert_int_equal(guest_load(TOP + 2, 4), 0x00050302); /* half beside: one access beneath all the same */
    assert_int_equal(dev.calls[1].size, 4);
    assert_int_equal(guest_load(TOP + 6, 4), 0x09088706);
    assert_int_equal(guest_load(TOP, 8), 0x8706000503020100);
    dev.n = 0;
    guest_store(TOP + 4, 4, 0x11111111);
    down(4, 4, 1, 0x11111111);
    /* Off and on under the guest: the same code sees the layer beneath, then the quirk again. */
    put(made("alias", (oryx_region_config){.name = "under", .last = 63, .target = io}), TOP, -1);
    assert_int_equal(guest_load(TOP + 4, 4), 0x91110010);
    assert_ok(oryx_region_enable(q, 0, NULL));
    assert_int_equal(guest_load(TOP + 4, 4), 0x11111111);
    assert_ok(oryx_region_enable(q, 1, NULL));
    assert_int_equal(guest_load(TOP + 4, 4), 0x91110010);
    guest_down();
    up();
    quirk("{\"kind\":\"mask\",\"offset\":4,\"size\":2,\"and\":\"0xff\",\"on\":\"write\"}", 64);
    guest_store(TOP + 4, 4, 0x44332211);
    down(4, 4, 1, 0x44330011);
    assert_int_equal(guest_load(TOP + 4, 2), 0x0011);
    guest_down();
}

static void test_fixed(void **state)
{
    (void)state;
    up();
    quirk("{\"kind\":\"fixed\",\"offset\":8,\"size\":4,\"value\":\"0xcafe1234\"}", 64);
    for (uint32_t size = 1; size <= 4; size *= 2)
        assert_int_equal(guest_load(TOP + 8, size), 0xcafe1234u & (0xffffffffu >> (32 - 8 * size)));
    assert_int_equal(guest_load(TOP + 10, 2), 0xcafe);
    guest_store(TOP + 8, 4, 0);
    assert_int_equal(dev.n, 0);
    assert_int_equal(guest_load(TOP + 8, 8), 0x0f0e0d0ccafe1234); /* half beneath */
    down(12, 4, 0, 0x0f0e0d0c);
    guest_store(TOP + 6, 4, 0x44332211); /* only what is beside it is written */
    down(6, 2, 1, 0x2211);
    assert_int_equal(guest_load(TOP + 8, 4), 0xcafe1234);
    guest_down();
}

static void test_register(void **state)
{
    (void)state;
    up();
    oryx_region *q = quirk(
        "{\"kind\":\"register\",\"registers\":["
        "{\"offset\":0,\"size\":4,\"value\":\"0xf0f0\",\"keep\":\"0xff\",\"write_1_clears\":\"0xf000\",\"read_clears\":\"0xf00000\"},"
        "{\"offset\":8,\"size\":4,\"keep\":\"0xffff\",\"write\":{\"xor\":\"0x10000000\"},\"read\":{\"or\":\"0x80000000\"}},"
        "{\"offset\":16,\"size\":4,\"read_clears\":\"0xff00\"},"
        "{\"offset\":20,\"size\":4,\"write_1_clears\":\"0xffffffff\"}]}",
        64);
    /* Kept here. */
    assert_int_equal(guest_load(TOP, 4), 0xf0f0);
    guest_store(TOP, 4, 0x55a0350f); /* keep f0; clear bits of 3 in f: c; rest written */
    assert_int_equal(guest_load(TOP, 4), 0x55a0c5f0);
    assert_int_equal(guest_load(TOP, 4), 0x5500c5f0); /* the read cleared */
    guest_store(TOP + 2, 2, 0x00f0);
    assert_int_equal(peek(TOP, 4), 0x00f0c5f0);
    assert_int_equal(peek(TOP, 4), 0x00f0c5f0); /* a look clears nothing */
    assert_int_equal(guest_load(TOP + 2, 1), 0xf0);
    assert_int_equal(guest_load(TOP + 2, 1), 0);
    assert_int_equal(dev.n, 0);
    /* Beneath: write-ignored bits come from there without a read that counts. */
    guest_store(TOP + 8, 4, 0x44332211);
    down(8, 4, 1, 0x54330908);
    assert_int_equal(guest_load(TOP + 8, 4), 0xd4330908);
    dev.n = 0;
    assert_int_equal(guest_load(TOP + 16, 4), 0x13121110);
    assert_int_equal(guest_load(TOP + 16, 4), 0x13120010);
    dev.n = 0;
    guest_store(TOP + 20, 2, 0x0004);
    down(20, 2, 1, 0x1510);
    /* Across two registers and plain bytes: 16 (read-clears) is told apart, the rest goes as it is. */
    assert_int_equal(guest_load(TOP + 12, 4), plain(12, 4));
    assert_int_equal(guest_load(TOP + 14, 4), 0x00100f0e);
    (void)q;
    guest_down();
    /* Big-endian: the register's number is read most significant byte first. */
    up();
    quirk("{\"kind\":\"register\",\"endian\":\"big\",\"registers\":[{\"offset\":0,\"size\":4,\"value\":\"0x11223344\"}]}", 4);
    assert_int_equal(guest_load(TOP, 4), 0x44332211);
    assert_int_equal(guest_load(TOP + 1, 2), 0x3322);
    guest_down();
}

static void lines_of(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(out, 1, size - 1, f) : 0;
    out[n] = 0;
    if (f)
        fclose(f);
}

static void test_log(void **state)
{
    (void)state;
    char path[] = "/tmp/oryx-quirk-XXXXXX", options[160], text[1024];
    close(mkstemp(path));
    up();
    snprintf(options, sizeof(options), "{\"kind\":\"log\",\"file\":\"%s\",\"base\":\"0x200000\"}", path);
    quirk(options, 512);
    guest_load(TOP + 16, 2);
    guest_store(TOP + 8, 8, 0x1122334455667788);
    assert_int_equal(peek(TOP, 1), 0);
    uint64_t value, word = 5;
    assert_int_equal(guest_read(TOP + 300, 4, &value), ORYX_FAULT_DECODE);
    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator), .attrs = ORYX_ATTR_DMA, .requester = 42};
    assert_ok(oryx_space_access(s, TOP, &word, 4, 1, &who));
    /* The pc of the instruction that does it, not of its block. */
    static const uint32_t block[] = {0xd503201f, 0xd503201f, 0xb9400020}; /* nop; nop; ldr w0, [x1] */
    reg_set("x1", TOP + 4);
    assert_ok(run_words(block, 3, 3));
    lines_of(path, text, sizeof(text));
    assert_string_equal(text, "q: read16 0x200010 -> 0x1110 pc 0x1000\n"
                              "q: write64 0x200008 <- 0x1122334455667788 pc 0x1000\n"
                              "q: read32 0x20012c -> 0x0 pc 0x1000 no region at this address\n"
                              "q: write32 0x200000 <- 0x5 dma 42\n"
                              "q: read32 0x200004 -> 0x7060504 pc 0x1008\n");
    guest_down();
    /* A ring: nothing until something fails, then the last ones. */
    unlink(path);
    up();
    snprintf(options, sizeof(options), "{\"kind\":\"log\",\"file\":\"%s\",\"ring\":2,\"on\":\"read\"}", path);
    quirk(options, 512);
    for (unsigned i = 0; i < 5; i++)
        guest_load(TOP + i, 1);
    guest_store(TOP, 1, 0);
    lines_of(path, text, sizeof(text));
    assert_string_equal(text, "");
    guest_read(TOP + 300, 1, &value);
    lines_of(path, text, sizeof(text));
    assert_string_equal(text, "q: read8 0x4 -> 0x4 pc 0x1000\nq: read8 0x12c -> 0x0 pc 0x1000 no region at this address\n");
    guest_load(TOP + 9, 1);
    guest_down(); /* and the rest at the end */
    lines_of(path, text, sizeof(text));
    assert_non_null(strstr(text, "q: read8 0x9 -> 0x9 pc 0x1000\n"));
    /* A full disk is said once, and the guest goes on. */
    int kept = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_TRUNC);
    dup2(fd, STDERR_FILENO);
    up();
    quirk("{\"kind\":\"log\",\"file\":\"/dev/full\"}", 512);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(guest_load(TOP + i, 1), i);
    guest_down();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd);
    lines_of(path, text, sizeof(text));
    assert_string_equal(text, "quirk region 'q': the log cannot be written: No space left on device\n");
    unlink(path);
}

static void test_latency(void **state)
{
    (void)state;
    up();
    quirk("{\"kind\":\"latency\",\"offset\":8,\"size\":8,\"read_ns\":1000,\"write_ns\":50}", 64);
    uint64_t t = oryx_machine_vtime(m);
    guest_load(TOP, 4); /* beside it: one instruction, one nanosecond */
    assert_int_equal(oryx_machine_vtime(m), t + 1);
    guest_load(TOP + 6, 4); /* touches it */
    assert_int_equal(oryx_machine_vtime(m), t + 1002);
    guest_store(TOP + 15, 1, 7);
    assert_int_equal(oryx_machine_vtime(m), t + 1053);
    assert_true(dev.calls[1].vtime >= t + 1001 && dev.calls[1].vtime <= t + 1002);
    peek(TOP + 8, 8);
    assert_int_equal(oryx_machine_vtime(m), t + 1053);
    guest_down();
    /* The same run twice takes the same virtual time. */
    uint64_t first = 0;
    for (unsigned i = 0; i < 2; i++) {
        static const uint32_t loop[] = {0xb9400020, 0x17ffffff}; /* ldr w0, [x1]; b .-4 */
        up();
        quirk("{\"kind\":\"latency\",\"read_ns\":7}", 64);
        reg_set("x1", TOP);
        assert_ok(run_words(loop, 2, 10001));
        if (i)
            assert_int_equal(oryx_machine_vtime(m), first);
        first = oryx_machine_vtime(m);
        assert_int_equal(first, 10001 + 7 * 5001);
        guest_down();
    }
}

static void test_fault(void **state)
{
    (void)state;
    uint64_t value;
    up();
    quirk("{\"kind\":\"fault\",\"offset\":4,\"size\":4,\"on\":\"read\",\"every\":3,\"after\":1,\"count\":2}", 64);
    static const unsigned char fails[] = {0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0};
    for (unsigned i = 0; i < sizeof(fails); i++) {
        guest_load(TOP, 4);      /* beside it */
        peek(TOP + 4, 4);        /* a look does not count */
        guest_store(TOP + 4, 4, 0x07060504);
        assert_int_equal(guest_read(TOP + 4, 4, &value), fails[i] ? ORYX_FAULT_DEVICE : ORYX_OK);
    }
    guest_down();
    up();
    quirk("{\"kind\":\"fault\",\"result\":\"decode\"}", 64);
    assert_int_equal(guest_write(TOP, 8, 1), ORYX_FAULT_DECODE);
    assert_int_equal(dev.n, 0);
    guest_down();
    up();
    quirk("{\"kind\":\"fault\",\"result\":\"bits\",\"xor\":\"0x101\",\"every\":2}", 64);
    assert_int_equal(guest_load(TOP + 4, 4), 0x07060504);
    assert_int_equal(guest_load(TOP + 4, 4), 0x07060405);
    guest_store(TOP, 4, 0);
    guest_store(TOP, 1, 0);
    assert_int_equal(dev.bytes[0], 1);
    guest_down();
    /* By chance: about the rate asked for, another seed another pattern, the same seed the same. */
    uint8_t seen[3][400];
    for (unsigned k = 0; k < 3; k++) {
        unsigned hits = 0;
        char options[100];
        up();
        snprintf(options, sizeof(options), "{\"kind\":\"fault\",\"probability\":0.25,\"seed\":%u}", k < 2 ? 7 : 8);
        quirk(options, 64);
        for (unsigned i = 0; i < 400; i++) {
            uint32_t x;
            seen[k][i] = oryx_space_read(s, TOP, &x, 4, 0) != ORYX_OK;
            hits += seen[k][i];
        }
        assert_in_range(hits, 60, 140); /* 100 expected, sigma 8.7 */
        guest_down();
    }
    assert_memory_equal(seen[0], seen[1], 400);
    assert_memory_not_equal(seen[0], seen[2], 400);
}

/* Quirks stand on quirks: a log above a mask above a device. */
static void test_stack(void **state)
{
    (void)state;
    char path[] = "/tmp/oryx-quirk-XXXXXX", options[128], text[200];
    close(mkstemp(path));
    up();
    oryx_region *mask = made("quirk", (oryx_region_config){.name = "mask", .last = 63, .lower = io, .options =
        "{\"kind\":\"mask\",\"offset\":0,\"size\":1,\"or\":128}"});
    snprintf(options, sizeof(options), "{\"kind\":\"log\",\"file\":\"%s\"}", path);
    put(made("quirk", (oryx_region_config){.name = "log", .last = 63, .lower = mask, .options = options}), TOP, 0);
    assert_int_equal(guest_load(TOP, 2), 0x180);
    lines_of(path, text, sizeof(text));
    assert_string_equal(text, "log: read16 0x0 -> 0x180 pc 0x1000\n");
    guest_down();
    unlink(path);
}

/* "a C interface for custom ones with access to `lower`": reads are turned round, writes go as they came. */
static oryx_status custom_read(void *opaque, oryx_access *a)
{
    oryx_status st = oryx_region_access(opaque, a);
    a->value = ~a->value;
    return st;
}

static oryx_status custom_write(void *opaque, const oryx_access *a)
{
    oryx_access w = *a;
    return oryx_region_access(opaque, &w);
}

static void test_custom(void **state)
{
    (void)state;
    static const oryx_io_ops ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = custom_read, .write = custom_write};
    up();
    put(made("quirk", (oryx_region_config){.name = "custom", .last = 255, .lower = io, .io = &ops, .opaque = io}), TOP, 0);
    assert_int_equal(guest_load(TOP + 4, 4), 0xf8f9fafb);
    down(4, 4, 0, 0x07060504);
    guest_store(TOP + 4, 2, 0xbeef);
    down(4, 2, 1, 0xbeef);
    guest_down();
}

/* The layer beneath is a container of two memories: an access over their border reaches both. */
static void test_border(void **state)
{
    (void)state;
    up();
    oryx_error err = {0};
    oryx_region *both = made("container", (oryx_region_config){.name = "both", .last = 0xff});
    for (unsigned i = 0; i < 2; i++) {
        oryx_region *part = made("ram", (oryx_region_config){.name = "part", .last = 0x7f});
        assert_ok(oryx_region_add(both, i * 0x80, part, 0, &err));
    }
    put(both, DEV + 0x10000, 0);
    put(made("quirk", (oryx_region_config){.name = "q", .last = 0xff, .lower = both, .options =
        "{\"kind\":\"mask\",\"offset\":0,\"size\":1,\"or\":1}"}), TOP, 0);
    for (uint32_t size = 2; size <= 8; size *= 2) {
        for (uint64_t at = 0x80 - size + 1; at < 0x80; at++) {
            uint64_t value = 0x8877665544332211u >> 8 * (8 - size), naive = 0;
            guest_store(TOP + at, size, value);
            assert_ok(oryx_space_read(s, DEV + 0x10000 + at, &naive, size, 0));
            assert_int_equal(naive, value);
            assert_int_equal(guest_load(TOP + at, size), value);
        }
    }
    guest_down();
}

/* The Cortex-M3 manual's formula: word (byte * 32 + bit * 4) is bit `bit` of byte `byte`. */
static void test_bitband(void **state)
{
    (void)state;
    up();
    quirk("{\"kind\":\"bitband\",\"base\":164}", 256);
    for (uint32_t size = 1; size <= 4; size *= 2)
        for (uint32_t byte = 0; byte < 8; byte++)
            for (uint32_t bit = 0; bit < 8; bit++) {
                uint32_t at = byte * 32 + bit * 4, beneath = (164 + byte) & ~(size - 1);
                dev.n = 0;
                assert_int_equal(guest_load(TOP + at, size), (164 + byte) >> bit & 1);
                down(beneath, size, 0, plain(beneath, size));
                uint8_t was = dev.bytes[164 + byte];
                guest_store(TOP + at, size, ~(uint64_t)was >> bit); /* only bit 0 of what is written counts: the other value */
                assert_int_equal(dev.bytes[164 + byte], was ^ 1u << bit);
                assert_int_equal(dev.n, 2);
                assert_int_equal(dev.calls[1].offset, beneath);
                assert_int_equal(dev.calls[1].size, size);
                guest_store(TOP + at, size, was >> bit & 1);
                assert_int_equal(dev.bytes[164 + byte], was);
            }
    guest_down();
    /* Memory beneath: no access is seen there, and the guest's own loads agree. */
    up();
    oryx_region *ram = made("ram", (oryx_region_config){.name = "low", .last = 0xfff});
    put(ram, DEV + 0x10000, 0);
    oryx_region *r = made("quirk", (oryx_region_config){.name = "q", .last = 0x1ffff, .lower = ram, .options = "{\"kind\":\"bitband\"}"});
    put(r, TOP, 0);
    guest_store(DEV + 0x10000 + 0x124, 4, 0x80000001);
    assert_int_equal(guest_load(TOP + 0x124 * 32, 4), 1);
    assert_int_equal(guest_load(TOP + 0x127 * 32 + 7 * 4, 4), 1);
    guest_store(TOP + 0x125 * 32 + 3 * 4, 4, 0xff);
    guest_store(TOP + 0x124 * 32, 4, 0xfe);
    assert_int_equal(guest_load(DEV + 0x10000 + 0x124, 4), 0x80000800);
    guest_down();
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *options, *text;
    } bad[] = {
        {"[]", "/: "},
        {"{}", "/: "},
        {"{\"kind\":\"rot13\"}", "/kind: "},
        {"{\"kind\":\"bitband\",\"base\":256}", "/base: "},
        {"{\"kind\":\"bitband\",\"base\":255}", "/: "},
        {"{\"kind\":\"bitband\",\"size\":1}", "/size: "},
        {"{\"kind\":\"mirror\",\"size\":0}", "/size: "},
        {"{\"kind\":\"mirror\",\"size\":257}", "/size: "},
        {"{\"kind\":\"mirror\",\"sise\":4}", "/sise: "},
        {"{\"kind\":\"mirror\",\"endian\":\"middle\"}", "/endian: "},
        {"{\"kind\":\"window\",\"data\":4}", "/: "},
        {"{\"kind\":\"window\",\"index\":0,\"data\":3}", "/data: "},
        {"{\"kind\":\"window\",\"index\":62,\"data\":4}", "/index_size: "},
        {"{\"kind\":\"window\",\"index\":0,\"data\":62}", "/data_size: "},
        {"{\"kind\":\"window\",\"index\":0,\"data\":8,\"mask\":\"0x100000000\"}", "/mask: "},
        {"{\"kind\":\"window\",\"index\":0,\"data\":8,\"increment\":{\"on\":\"read\"}}", "/increment: "},
        {"{\"kind\":\"window\",\"index\":0,\"data\":8,\"increment\":{\"by\":1,\"on\":\"x\"}}", "/increment/on: "},
        {"{\"kind\":\"mask\",\"offset\":64}", "/offset: "},
        {"{\"kind\":\"mask\",\"offset\":60,\"size\":8}", "/size: "},
        {"{\"kind\":\"mask\",\"and\":\"x\"}", "/and: "},
        {"{\"kind\":\"mask\",\"and\":-1}", "/and: "},
        {"{\"kind\":\"fixed\"}", "/: "},
        {"{\"kind\":\"register\"}", "/registers: "},
        {"{\"kind\":\"register\",\"registers\":[{\"offset\":0}]}", "/registers/0: "},
        {"{\"kind\":\"register\",\"registers\":[3]}", "/registers/0: "},
        {"{\"kind\":\"register\",\"registers\":[{\"offset\":0,\"size\":4},{\"offset\":2,\"size\":4}]}", "/registers/1/offset: "},
        {"{\"kind\":\"register\",\"registers\":[{\"offset\":0,\"size\":4,\"read\":{\"nand\":1}}]}", "/registers/0/read/nand: "},
        {"{\"kind\":\"register\",\"registers\":[{\"offset\":0,\"size\":4,\"keep\":1,\"write_1_clears\":1}]}", "/registers/0/keep: "},
        {"{\"kind\":\"log\",\"file\":\"/nonexistent/x\"}", "/file: "},
        {"{\"kind\":\"log\",\"ring\":0}", "/ring: "},
        {"{\"kind\":\"latency\"}", "/: "},
        {"{\"kind\":\"fault\",\"every\":0}", "/every: "},
        {"{\"kind\":\"fault\",\"probability\":1.5}", "/probability: "},
        {"{\"kind\":\"fault\",\"probability\":0.5,\"every\":2}", "/probability: "},
        {"{\"kind\":\"fault\",\"result\":\"fire\"}", "/result: "},
    };
    up();
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "bad", .last = 63, .lower = io, .options = bad[i].options};
        oryx_region *r = NULL;
        oryx_error err = {0};
        assert_int_not_equal(oryx_region_new(m, "quirk", &c, &r, &err), ORYX_OK);
        if (strncmp(err.text, bad[i].text, strlen(bad[i].text)))
            fail_msg("%s: %s", bad[i].options, err.text);
        c.lower = NULL;
        assert_int_not_equal(oryx_region_new(m, "quirk", &c, &r, &err), ORYX_OK);
    }
    guest_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mirror),   cmocka_unit_test(test_window),  cmocka_unit_test(test_mask),
        cmocka_unit_test(test_fixed),    cmocka_unit_test(test_register), cmocka_unit_test(test_log),
        cmocka_unit_test(test_latency),  cmocka_unit_test(test_fault),   cmocka_unit_test(test_stack),
        cmocka_unit_test(test_custom),   cmocka_unit_test(test_border),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bitband),
    };
    return cmocka_run_group_tests_name("quirks", tests, NULL, NULL);
}
