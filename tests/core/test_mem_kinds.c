/* Kinds of memory and what accesses to nothing give. Each test names its line of docs/DESIGN.md,
 * "Memory"; expected bytes are written out by hand. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

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
    oryx_v128 val = {0x1111, 0};
    oryx_status st = v->cpu->fn->load(v->cpu, addr, memop, &val);
    *out = val.lo;
    return st;
}

static uint64_t loaded(uint64_t addr, uint32_t memop)
{
    uint64_t val;
    assert_ok(load(addr, memop, &val));
    return val;
}

static oryx_status store(uint64_t addr, uint32_t memop, uint64_t lo)
{
    oryx_v128 val = {lo, 0};
    return v->cpu->fn->store(v->cpu, addr, memop, &val);
}

/* A write entry that an engine would use without asking. */
static int fast_write(uint64_t addr)
{
    const oryx_tlb *t = &v->cpu->tlb[0];
    return t->wr[(addr >> 12) & t->mask].tag == (addr & ~0xfffull);
}

static oryx_region *region(const char *type, uint64_t size, const char *options,
                           const oryx_io_ops *io, void *opaque)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = type,
                            .last = size - 1,
                            .options = options,
                            .io = io,
                            .opaque = opaque};
    oryx_region *r = NULL;
    oryx_error err = {0};
    if (oryx_region_new(m, type, &c, &r, &err))
        fail_msg("%s", err.text);
    return r;
}

/* A device that records the last access and answers with a pattern. */
struct record {
    oryx_access last;
    unsigned reads, writes, peeks;
    oryx_status answer;
};

static oryx_status rec_read(void *opaque, oryx_access *a)
{
    struct record *r = opaque;
    r->reads++;
    r->last = *a;
    a->value = 0xa1a2a3a4a5a6a7a8;
    return r->answer;
}

static oryx_status rec_write(void *opaque, const oryx_access *a)
{
    struct record *r = opaque;
    r->writes++;
    r->last = *a;
    return r->answer;
}

static oryx_status rec_peek(void *opaque, oryx_access *a)
{
    struct record *r = opaque;
    r->peeks++;
    a->value = 0x77;
    return ORYX_OK;
}

/* "rom / romd: reads direct; writes ignored, faulted, or (romd) sent to a callback; romd can switch
 * to callback reads" */
static void test_rom_device(void **state)
{
    (void)state;
    setup();
    struct record rec = {0};
    oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops), .read = rec_read, .write = rec_write};
    oryx_region *romd = region("ram", 0x2000, "{\"writes\":\"callback\"}", &io, &rec);
    oryx_space *s = fake_space(m);
    oryx_error err;
    uint32_t v32 = 0x04030201;
    uint8_t bytes[4];
    fake_add(fake_root(m), 0x4000, romd, 0);
    assert_ok(oryx_space_write(s, 0x4010, &v32, 4, ORYX_ATTR_DEBUG)); /* poke: the programmer */
    assert_int_equal(rec.writes, 0);
    assert_int_equal(loaded(0x4010, ORYX_MO_32), 0x04030201);
    assert_int_equal(rec.reads, 0);
    assert_true(v->cpu->tlb[0].rd[4].tag == 0x4000); /* direct: cached */
    assert_ok(store(0x4014, ORYX_MO_16, 0xbeef));
    assert_int_equal(rec.writes, 1);
    assert_int_equal(rec.last.offset, 0x14);
    assert_int_equal(rec.last.size, 2);
    assert_int_equal(rec.last.value, 0xbeef);
    assert_false(fast_write(0x4014));
    assert_int_equal(loaded(0x4014, ORYX_MO_16), 0);
    /* Callback mode: reads ask the device at once, cached pages included. */
    assert_ok(oryx_region_set_mode(romd, ORYX_MODE_CALLBACK, &err));
    assert_int_equal(loaded(0x4010, ORYX_MO_32), 0xa5a6a7a8);
    assert_int_equal(rec.reads, 1);
    assert_ok(oryx_space_read(s, 0x4010, bytes, 4, ORYX_ATTR_DEBUG));
    assert_int_equal(bytes[3], 4); /* a peek sees the memory, without side effect */
    assert_int_equal(rec.reads, 1);
    assert_ok(oryx_region_set_mode(romd, ORYX_MODE_DIRECT, &err));
    assert_int_equal(loaded(0x4010, ORYX_MO_32), 0x04030201);
    assert_int_equal(rec.reads, 1);
    /* The device programs its own memory: region_direct, then region_written. */
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    assert_ok(oryx_region_direct(romd, 0x20, &d));
    ((uint8_t *)d.host)[0] = 0x66;
    oryx__code_page_set(s, 4, 1);
    fake_n_written = 0;
    oryx_region_written(romd, 0x20, 1);
    assert_int_equal(fake_n_written, 1);
    assert_int_equal(fake_written[0].phys, 0x4020);
    assert_int_equal(loaded(0x4020, ORYX_MO_8), 0x66);
    oryx_region *plain = region("ram", 0x1000, NULL, NULL, NULL), *bad = NULL;
    assert_int_equal(oryx_region_set_mode(plain, ORYX_MODE_CALLBACK, &err), ORYX_E_UNSUPPORTED);
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = "x",
                            .last = 15,
                            .options = "{\"writes\":\"callback\"}"};
    assert_int_equal(oryx_region_new(m, "ram", &c, &bad, &err), ORYX_E_INVALID);
    fake_machine_free(m);
}

/* "move, resize": what is shown follows; what shrinking loses reads as zero later. */
static void test_resize(void **state)
{
    (void)state;
    setup();
    oryx_error err;
    oryx_region *r = region("ram", 0x1000, "{\"max\":\"0x4000\"}", NULL, NULL);
    oryx_region *under = region("ram", 0x8000, NULL, NULL, NULL);
    fake_add(fake_root(m), 0x10000, under, -1);
    fake_add(fake_root(m), 0x10000, r, 0);
    assert_ok(store(0x10ff8, ORYX_MO_64, 1));
    assert_ok(store(0x13ff8, ORYX_MO_64, 2)); /* under */
    assert_ok(oryx_region_resize(r, 0x3fff, &err));
    assert_int_equal(loaded(0x10ff8, ORYX_MO_64), 1);
    assert_int_equal(loaded(0x13ff8, ORYX_MO_64), 0);
    assert_ok(store(0x13ff8, ORYX_MO_64, 3));
    assert_ok(oryx_region_resize(r, 0x7ff, &err));
    assert_int_equal(loaded(0x13ff8, ORYX_MO_64), 2);
    assert_int_equal(loaded(0x10ff8, ORYX_MO_64), 0); /* under's */
    assert_ok(oryx_region_resize(r, 0x3fff, &err));
    assert_int_equal(loaded(0x10ff8, ORYX_MO_64), 0);
    assert_int_equal(loaded(0x13ff8, ORYX_MO_64), 0);
    assert_int_equal(oryx_region_resize(r, 0x4000, &err), ORYX_E_RANGE);
    assert_non_null(strstr(err.text, "max"));
    assert_int_equal(oryx_region_last(r), 0x3fff);
    /* A container clips what it holds; an alias shows what its target has now. */
    oryx_region *box = fake_region(m, "container", "box", 0x100),
                *in = region("ram", 0x100, NULL, NULL, NULL);
    fake_add(box, 0, in, 0);
    fake_add(fake_root(m), 0x40000, box, 0);
    fake_add(fake_root(m), 0x50000, fake_alias(m, "a", 0x100, box, 0), 0);
    uint64_t val;
    assert_ok(load(0x50080, ORYX_MO_8, &val));
    assert_ok(oryx_region_resize(box, 0x7f, &err));
    assert_int_equal(load(0x40080, ORYX_MO_8, &val), ORYX_FAULT_DECODE);
    assert_int_equal(load(0x50080, ORYX_MO_8, &val), ORYX_FAULT_DECODE);
    assert_ok(load(0x5007f, ORYX_MO_8, &val));
    assert_int_equal(oryx_region_resize(fake_root(m), 5, &err), ORYX_E_INVALID);
    fake_machine_free(m);
}

/* "Results are DECODE_ERROR, DEVICE_ERROR or OK with the value; the guest gets the architecture's
 * fault by default, or read-as-ones / read-as-zeros / ignore by machine policy." */
static void test_policy(void **state)
{
    (void)state;
    setup();
    struct record rec = {.answer = ORYX_FAULT_DEVICE};
    oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops),
                      .read = rec_read,
                      .write = rec_write,
                      .valid = {.min = 4, .max = 4}};
    oryx_space *s = fake_space(m);
    oryx_error err;
    uint64_t val, old;
    uint32_t word = 0;
    fake_add(fake_root(m), 0x1000, region("ram", 0x1000, NULL, NULL, NULL), 0);
    fake_add(fake_root(m), 0x2000, region("io", 0x1000, NULL, &io, &rec), 0);
    /* The default: faults of their kinds. */
    assert_int_equal(load(0x9000, ORYX_MO_32, &val), ORYX_FAULT_DECODE);
    assert_int_equal(store(0x9000, ORYX_MO_32, 1), ORYX_FAULT_DECODE);
    assert_int_equal(load(0x2000, ORYX_MO_32, &val), ORYX_FAULT_DEVICE);
    assert_int_equal(load(0x2000, ORYX_MO_16, &val), ORYX_FAULT_DEVICE); /* valid */
    oryx_policy p = {.hdr = ORYX_HDR(oryx_policy),
                     .read_unassigned = ORYX_ON_ONES,
                     .write_unassigned = ORYX_ON_IGNORE};
    assert_ok(oryx_space_set_policy(s, &p, &err));
    assert_int_equal(loaded(0x9000, ORYX_MO_32), 0xffffffff);
    assert_ok(store(0x9000, ORYX_MO_32, 1));
    assert_int_equal(load(0x2000, ORYX_MO_32, &val), ORYX_FAULT_DEVICE);
    /* Half in memory, half nowhere: the memory's half is done. */
    assert_ok(store(0xffc, ORYX_MO_64, 0x1122334455667788));
    assert_int_equal(loaded(0x1000, ORYX_MO_32), 0x11223344);
    assert_int_equal(loaded(0xffc, ORYX_MO_64), 0x11223344ffffffff);
    /* An atomic reads ones and its write goes nowhere. */
    assert_ok(v->cpu->fn->rmw(v->cpu, 0x9000, ORYX_MO_32 | (uint64_t)ORYX_RMW_ADD << 32, 1, &old));
    assert_int_equal(old, 0xffffffff);
    assert_int_equal(loaded(0x9000, ORYX_MO_32), 0xffffffff);
    /* The API, DMA and fetches get the status whatever the policy. */
    uint32_t n;
    uint64_t phys;
    uint8_t buf[4];
    assert_int_equal(oryx_space_read(s, 0x9000, &word, 4, ORYX_ATTR_DMA), ORYX_FAULT_DECODE);
    assert_int_equal(oryx__fetch(v, 0x9000, buf, 4, &n, &phys, &(oryx_space *){NULL}), ORYX_FAULT_DECODE);
    /* Device errors have their own policy. */
    p = (oryx_policy){
        .hdr = ORYX_HDR(oryx_policy), .read_error = ORYX_ON_ZEROS, .write_error = ORYX_ON_IGNORE};
    assert_ok(oryx_space_set_policy(s, &p, &err));
    assert_int_equal(loaded(0x2000, ORYX_MO_32), 0);
    assert_int_equal(loaded(0x2002, ORYX_MO_16), 0);
    assert_ok(store(0x2000, ORYX_MO_32, 1));
    assert_ok(store(0x2001, ORYX_MO_8, 1));
    assert_int_equal(load(0x9000, ORYX_MO_32, &val), ORYX_FAULT_DECODE);
    assert_int_equal(oryx_space_read(s, 0x2000, &word, 4, 0), ORYX_FAULT_DEVICE);
    /* Protection is a fault always. */
    oryx_region *ro = region("ram", 0x1000, NULL, NULL, NULL);
    assert_ok(oryx_region_protect(ro, ORYX_PROT_READ, NULL));
    fake_add(fake_root(m), 0x5000, ro, 0);
    assert_int_equal(store(0x5000, ORYX_MO_32, 1), ORYX_FAULT_PROT);
    p.write_error = ORYX_ON_ONES;
    assert_int_equal(oryx_space_set_policy(s, &p, &err), ORYX_E_INVALID);
    fake_machine_free(m);
}

/* "Every access carries attributes: initiator, secure, user, requester id, mmu index, and virtual
 * time." */
static oryx_status secure_mmu(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access,
                              oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr;
    out->prot = ORYX_PROT_ALL;
    out->attrs = ORYX_ATTR_SECURE;
    return ORYX_OK;
}

static void test_attributes(void **state)
{
    (void)state;
    setup();
    struct record rec = {0};
    oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops), .read = rec_read, .write = rec_write};
    uint32_t word = 5;
    fake_add(fake_root(m), 0x2000, region("io", 0x1000, NULL, &io, &rec), 0);
    v->mmu = secure_mmu;
    loaded(0x2010, ORYX_MO_32 | ORYX_MO_USER | ORYX_MO_MMU(2));
    assert_ptr_equal(rec.last.vcpu, v);
    assert_int_equal(rec.last.attrs, ORYX_ATTR_SECURE | ORYX_ATTR_USER);
    assert_int_equal(rec.last.mmu_index, 2);
    assert_int_equal(rec.last.vtime, 12345); /* mem_fake.c's clock */
    assert_int_equal(rec.last.requester, 0);
    oryx_initiator who = {
        .hdr = ORYX_HDR(oryx_initiator), .attrs = ORYX_ATTR_DMA, .requester = 0x1234};
    assert_ok(oryx_space_access(fake_space(m), 0x2010, &word, 4, 1, &who));
    assert_null(rec.last.vcpu);
    assert_int_equal(rec.last.attrs, ORYX_ATTR_DMA);
    assert_int_equal(rec.last.requester, 0x1234);
    assert_int_equal(rec.last.value, 5);
    assert_int_equal(rec.last.vtime, 12345);
    fake_machine_free(m);
}

/* "peek and poke (debuggers, tools) have no side effects on devices." */
static void test_peek(void **state)
{
    (void)state;
    setup();
    struct record rec = {0};
    oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops), .read = rec_read, .write = rec_write};
    static uint32_t device[4] = {0x01020304, 5, 6, 7};
    uint32_t word = 9;
    oryx_space *s = fake_space(m);
    fake_add(fake_root(m), 0x2000, region("io", 0x1000, NULL, &io, &rec), 0);
    assert_ok(oryx_space_read(s, 0x2000, &word, 4, ORYX_ATTR_DEBUG));
    assert_int_equal(word, 0);
    assert_int_equal(oryx_space_write(s, 0x2000, &word, 4, ORYX_ATTR_DEBUG), ORYX_FAULT_DEVICE);
    assert_int_equal(rec.reads + rec.writes, 0);
    io.peek = rec_peek;
    fake_add(fake_root(m), 0x3000, region("io", 0x1000, NULL, &io, &rec), 0);
    assert_ok(oryx_space_read(s, 0x3000, &word, 4, ORYX_ATTR_DEBUG));
    assert_int_equal(word, 0x77);
    assert_int_equal(rec.reads, 0);
    /* ram_device: a look could have side effects, so it is not taken unless the owner allows it. */
    oryx_region_config c = {
        .hdr = ORYX_HDR(oryx_region_config), .name = "bar", .last = 15, .host = device};
    oryx_region *bar = NULL, *open = NULL;
    assert_ok(oryx_region_new(m, "ram_device", &c, &bar, NULL));
    c.options = "{\"peek\":true}";
    assert_ok(oryx_region_new(m, "ram_device", &c, &open, NULL));
    fake_add(fake_root(m), 0x5000, bar, 0);
    fake_add(fake_root(m), 0x6000, open, 0);
    assert_ok(oryx_space_read(s, 0x5000, &word, 4, ORYX_ATTR_DEBUG));
    assert_int_equal(word, 0);
    assert_int_equal(oryx_space_write(s, 0x5000, &word, 4, ORYX_ATTR_DEBUG), ORYX_FAULT_DEVICE);
    assert_int_equal(device[0], 0x01020304);
    assert_ok(oryx_space_read(s, 0x5000, &word, 4, 0));
    assert_int_equal(word, 0x01020304);
    assert_ok(oryx_space_read(s, 0x6000, &word, 4, ORYX_ATTR_DEBUG));
    assert_int_equal(word, 0x01020304);
    fake_machine_free(m);
}

/* --- dirty logging ---------------------------------------------------------------------------- */

static int64_t take(oryx_region *r, uint32_t client, uint64_t *bits)
{
    *bits = 0;
    return oryx_dirty_take(r, client, 0, 16, bits, 1);
}

/* "Dirty logging has several clients, each a bitmap at 4 KiB; set only when someone listens. Pages
 * with ... dirty logging lose their fast path for just as long as needed; other pages pay nothing."
 */
static void test_dirty(void **state)
{
    (void)state;
    setup();
    oryx_region *r = region("ram", 0x10000, NULL, NULL, NULL),
                *other = region("ram", 0x10000, NULL, NULL, NULL);
    oryx_space *s = fake_space(m);
    oryx_error err;
    uint64_t bits, old;
    uint8_t bytes[16] = {0};
    fake_add(fake_root(m), 0x100000, r, 0);
    fake_add(fake_root(m), 0x240000, other, 0);
    fake_add(fake_root(m), 0x300000, fake_alias(m, "alias", 0x10000, r, 0), 0);
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_USER, 0, 16, &bits, 1), ORYX_E_STATE);
    assert_int_equal(oryx_dirty_stop(r, ORYX_DIRTY_USER, &err), ORYX_E_STATE);
    assert_ok(store(0x100000, ORYX_MO_8, 1));
    assert_ok(store(0x240000, ORYX_MO_8, 1));
    assert_true(fast_write(0x100000));
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_DISPLAY, &err));
    assert_int_equal(oryx_dirty_start(r, ORYX_DIRTY_DISPLAY, &err), ORYX_E_BUSY);
    assert_false(fast_write(0x100000));
    assert_true(fast_write(0x240000)); /* not logged: pays nothing */
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 0);
    /* A read dirties nothing; a store does, once, and is fast from then on. */
    loaded(0x103000, ORYX_MO_64);
    assert_ok(store(0x103008, ORYX_MO_64, 1));
    assert_true(fast_write(0x103008));
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 1);
    assert_int_equal(bits, 1 << 3);
    assert_false(fast_write(0x103008)); /* taken: the next store must be seen */
    assert_ok(store(0x103008, ORYX_MO_64, 2));
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 1);
    /* Two clients: each has its own record. */
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_MIGRATION, &err));
    assert_ok(store(0x104ffc, ORYX_MO_64, 1)); /* two pages */
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 2);
    assert_int_equal(bits, 3 << 4);
    assert_ok(store(0x304000, ORYX_MO_8, 1)); /* by another address */
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 1);
    assert_int_equal(take(r, ORYX_DIRTY_MIGRATION, &bits), 2);
    assert_int_equal(bits, 3 << 4);
    /* Looking without clearing. */
    assert_ok(store(0x101000, ORYX_MO_8, 1));
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_USER, 0, 1, NULL, 0), ORYX_E_STATE);
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_DISPLAY, 0, 16, NULL, 0), 1);
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 1);
    take(r, ORYX_DIRTY_MIGRATION, &bits);
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_DISPLAY, 15, 2, &bits, 1), ORYX_E_RANGE);
    /* Every way to write. */
    assert_ok(oryx_space_write(s, 0x100ff8, bytes, 16, ORYX_ATTR_DMA));
    assert_ok(v->cpu->fn->rmw(v->cpu, 0x102000, ORYX_MO_32, 1, &old));
    assert_ok(oryx_vcpu_write(v, 0x103000, bytes, 1));
    oryx_space_written(s, 0x104000, 0x1001);
    oryx_region_written(r, 0x6fff, 2);
    oryx_access a = {.hdr = ORYX_HDR(oryx_access), .offset = 0x8000, .size = 4, .write = 1};
    assert_ok(oryx_region_access(r, &a));
    assert_ok(oryx_region_discard(r, 0x9000, 0x1000, &err));
    oryx_v128 val = {3, 0}, expect = {0, 0}, was;
    assert_ok(v->cpu->fn->cas(v->cpu, 0x10a000, ORYX_MO_64, &expect, &val, &was));
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 11);
    assert_int_equal(bits, 0x7ff);
    assert_int_equal(take(r, ORYX_DIRTY_MIGRATION, &bits), 11);
    /* The last one stops: writes are fast at once, and a later start is clean. */
    assert_ok(oryx_dirty_stop(r, ORYX_DIRTY_DISPLAY, &err));
    assert_ok(oryx_dirty_stop(r, ORYX_DIRTY_MIGRATION, &err));
    assert_ok(store(0x105000, ORYX_MO_8, 1));
    assert_true(fast_write(0x105000));
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_DISPLAY, &err));
    assert_int_equal(take(r, ORYX_DIRTY_DISPLAY, &bits), 0);
    fake_machine_free(m);
}

/* Placed off the page grid, a guest page is two of the region's. */
static void test_dirty_unaligned(void **state)
{
    (void)state;
    setup();
    oryx_region *r = region("ram", 0x4000, NULL, NULL, NULL);
    uint64_t bits;
    fake_add(fake_root(m), 0x10800, r, 0);
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_USER, NULL));
    assert_ok(store(0x11000, ORYX_MO_8, 1)); /* offset 0x800: page 0 */
    assert_false(fast_write(0x11000));       /* page 1 of the region is clean still */
    assert_ok(store(0x11fff, ORYX_MO_8, 1));
    assert_true(fast_write(0x11000));
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_USER, 1, 1, &bits, 1), 1);
    assert_false(fast_write(0x11000));
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_USER, 0, 4, &bits, 1), 1);
    assert_int_equal(bits, 1);
    fake_machine_free(m);
}

/* Sparse: a terabyte costs what is touched; without memory for a bit everything counts as dirty. */
static void test_dirty_sparse(void **state)
{
    (void)state;
    setup();
    oryx_region *r = region("ram", 1ull << 40, NULL, NULL, NULL);
    uint64_t pages = 1ull << 28, bits[2];
    fake_add(fake_root(m), 0, r, 0);
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_SNAPSHOT, NULL));
    assert_int_equal(store(0x10000000000, ORYX_MO_8, 1), ORYX_FAULT_DECODE);
    assert_ok(store(0xfffffff000, ORYX_MO_8, 1));
    assert_ok(store(0x7000000000, ORYX_MO_8, 1));
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_SNAPSHOT, 0, pages, NULL, 0), 2);
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_SNAPSHOT, pages - 70, 70, bits, 1), 1);
    assert_int_equal(bits[0], 0);
    assert_int_equal(bits[1], 1 << 5);
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_SNAPSHOT, 0, pages, NULL, 1), 1);
    oryx_region *small = region("ram", 0x8000, NULL, NULL, NULL);
    fake_add(fake_root(m), 1ull << 41, small, 0);
    assert_ok(oryx_dirty_start(small, ORYX_DIRTY_USER, NULL));
    uint64_t one = 7;
    oryx__alloc_left = 0;
    assert_ok(oryx_space_write(fake_space(m), 1ull << 41, &one, 8, 0));
    oryx__alloc_left = -1;
    assert_int_equal(oryx_dirty_take(small, ORYX_DIRTY_USER, 0, 8, bits, 1), 8);
    assert_int_equal(oryx_dirty_take(small, ORYX_DIRTY_USER, 0, 8, bits, 1), 0);
    fake_machine_free(m);
}

/* "tells listeners: ... dirty-log start/stop" */
struct logged {
    unsigned starts, stops, begins, commits;
    uint64_t first;
};

static void log_begin(void *opaque, oryx_space *s)
{
    (void)s;
    ((struct logged *)opaque)->begins++;
}

static void log_commit(void *opaque, oryx_space *s)
{
    (void)s;
    ((struct logged *)opaque)->commits++;
}

static void log_start(void *opaque, const oryx_view_row *row, uint32_t client)
{
    struct logged *l = opaque;
    assert_int_equal(client, ORYX_DIRTY_DISPLAY);
    l->starts++;
    l->first = row->first;
}

static void log_stop(void *opaque, const oryx_view_row *row, uint32_t client)
{
    (void)row;
    (void)client;
    ((struct logged *)opaque)->stops++;
}

static void test_dirty_told(void **state)
{
    (void)state;
    setup();
    oryx_region *r = region("ram", 0x1000, NULL, NULL, NULL);
    struct logged l = {0};
    oryx_listener_ops ops = {.hdr = ORYX_HDR(oryx_listener_ops),
                             .begin = log_begin,
                             .commit = log_commit,
                             .log_start = log_start,
                             .log_stop = log_stop};
    oryx_listener *who = NULL;
    fake_add(fake_root(m), 0x1000, region("ram", 0x1000, NULL, NULL, NULL), 0);
    fake_add(fake_root(m), 0x5000, r, 0);
    assert_ok(oryx_listener_add(fake_space(m), &ops, &l, &who, NULL));
    l.begins = l.commits = 0;
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_DISPLAY, NULL));
    assert_int_equal(l.starts, 1);
    assert_int_equal(l.first, 0x5000);
    assert_int_equal(l.begins, 1);
    assert_int_equal(l.commits, 1);
    assert_ok(oryx_dirty_stop(r, ORYX_DIRTY_DISPLAY, NULL));
    assert_int_equal(l.stops, 1);
    fake_machine_free(m);
}

/* --- RAM blocks ------------------------------------------------------------------------------- */

/* "host memory (memfd-backed so it can be mapped twice, shared, copied on write)": another process
 * sees and changes the same bytes. */
static void test_shared_and_discarded(void **state)
{
    (void)state;
    setup();
    oryx_error err;
    oryx_region *r = region("ram", 0x4000, "{\"memfd\":true}", NULL, NULL),
                *own = region("ram", 0x4000, NULL, NULL, NULL);
    static uint8_t callers[0x1000];
    oryx_region *theirs = fake_ram(m, "theirs", sizeof(callers), callers);
    int32_t fd = -1;
    uint64_t at = 1;
    fake_add(fake_root(m), 0, r, 0);
    fake_add(fake_root(m), 0x10000, own, 0);
    assert_ok(oryx_region_share(r, &fd, &at, &err));
    assert_int_equal(oryx_region_share(own, &fd, &at, &err), ORYX_E_UNSUPPORTED);
    assert_ok(oryx_region_share(r, &fd, &at, &err));
    assert_ok(store(0x2000, ORYX_MO_32, 0x1234));
    pid_t pid = fork();
    if (!pid) {
        uint32_t *p = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
        int ok = p != MAP_FAILED && p[0x800] == 0x1234;
        if (ok)
            p[0x801] = 0x5678;
        _exit(ok ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(loaded(0x2004, ORYX_MO_32), 0x5678);
    /* Discarded bytes read as zero, their neighbours stay. */
    for (uint64_t base = 0; base <= 0x10000; base += 0x10000) {
        oryx_region *x = base ? own : r;
        assert_ok(store(base + 0x0ff8, ORYX_MO_64, 1));
        assert_ok(store(base + 0x1000, ORYX_MO_64, 2));
        assert_ok(store(base + 0x3000, ORYX_MO_64, 3));
        assert_ok(store(base + 0x3008, ORYX_MO_64, 4));
        assert_ok(oryx_region_discard(x, 0xffc, 0x200c, &err));
        assert_int_equal(loaded(base + 0x0ff8, ORYX_MO_64), 1);
        assert_int_equal(loaded(base + 0x1000, ORYX_MO_64), 0);
        assert_int_equal(loaded(base + 0x2000, ORYX_MO_64), 0);
        assert_int_equal(loaded(base + 0x3000, ORYX_MO_64), 0);
        assert_int_equal(loaded(base + 0x3008, ORYX_MO_64), 4);
        assert_int_equal(oryx_region_discard(x, 0x3fff, 2, &err), ORYX_E_RANGE);
    }
    assert_int_equal(oryx_region_discard(theirs, 0, 1, &err), ORYX_E_UNSUPPORTED);
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rom_device),
        cmocka_unit_test(test_resize),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_peek),
        cmocka_unit_test(test_dirty),
        cmocka_unit_test(test_dirty_unaligned),
        cmocka_unit_test(test_dirty_sparse),
        cmocka_unit_test(test_dirty_told),
        cmocka_unit_test(test_shared_and_discarded),
    };
    return cmocka_run_group_tests_name("mem_kinds", tests, NULL, NULL);
}
