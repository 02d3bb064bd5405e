/* Device accesses of compiled code that are done without a look-up (oryx_io_ready), against the same accesses through the walk:
 * each is made once with every cache empty and then again and again; what the device hears, what the guest gets, where
 * it faults and the instruction a callback sees must be the same each time. The oracle is the first time, which
 * contract.c proves; values, widths and counts are computed here. */
#include "guest.h"

#define DEV 0x100000u
#define LOG 8u

static struct heard {
    oryx_access a;
    uint64_t pc, insns;
} heard[LOG];
static unsigned n_heard;
static oryx_status answer;
static void (*during)(void); /* what else the callback does */

static void hear(const oryx_access *a)
{
    assert_true(n_heard < LOG);
    heard[n_heard] = (struct heard){*a, oryx_vcpu_pc(v), oryx_vcpu_insns(v)};
    n_heard++;
    if (during)
        during();
}

static uint64_t shown(uint64_t offset)
{
    return (offset + 1) * 0xf123456789abcdefu;
}

static oryx_status dev_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    hear(a);
    a->value = shown(a->offset); /* all 64 bits, whatever the size */
    a->size = 3;
    a->vcpu = NULL;
    return answer;
}

static oryx_status dev_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    hear(a);
    return answer;
}

static void up(oryx_limits valid, oryx_limits impl, uint32_t endian)
{
    static oryx_io_ops ops;
    ops = (oryx_io_ops){.hdr = ORYX_HDR(oryx_io_ops), .read = dev_read, .write = dev_write, .valid = valid, .impl = impl,
                        .endian = endian};
    guest_up();
    put(made("io", (oryx_region_config){.name = "dev", .last = 0xfff, .io = &ops}), DEV, 0);
    put(made("io", (oryx_region_config){.name = "part", .last = 0x7f, .io = &ops}), DEV + 0x2040, 0);
    answer = ORYX_OK;
    during = NULL;
}

/* Every cache of the vCPU goes: the map changed. */
static void forget(void)
{
    oryx_region *r = made("container", (oryx_region_config){.name = "c", .last = 0xfff});
    put(r, 0x40000000, 0);
    assert_ok(oryx_region_remove(r, NULL));
    assert_ok(oryx_region_destroy(r, NULL));
}

/* Loads and stores of x0 or v0 at [x1]. */
static const struct {
    uint32_t word;
    uint8_t size, write, sign; /* sign: to how many bytes, 0 none */
    uint8_t vec;
} insns[] = {
    {0x39400020, 1, 0, 0, 0}, {0x79400020, 2, 0, 0, 0}, {0xb9400020, 4, 0, 0, 0}, {0xf9400020, 8, 0, 0, 0}, /* ldr{b,h,,} */
    {0x39800020, 1, 0, 8, 0}, {0x39c00020, 1, 0, 4, 0}, {0x79800020, 2, 0, 8, 0}, {0x79c00020, 2, 0, 4, 0}, /* ldrs{b,h} */
    {0xb9800020, 4, 0, 8, 0}, {0x88dffc20, 4, 0, 0, 0}, {0xc8dffc20, 8, 0, 0, 0},                           /* ldrsw, ldar */
    {0x3d400020, 1, 0, 0, 1}, {0x7d400020, 2, 0, 0, 1}, {0xbd400020, 4, 0, 0, 1}, {0xfd400020, 8, 0, 0, 1}, /* ldr b h s d */
    {0x39000020, 1, 1, 0, 0}, {0x79000020, 2, 1, 0, 0}, {0xb9000020, 4, 1, 0, 0}, {0xf9000020, 8, 1, 0, 0}, /* str */
    {0x889ffc20, 4, 1, 0, 0}, {0xc89ffc20, 8, 1, 0, 0},                                                     /* stlr */
    {0x3d000020, 1, 1, 0, 1}, {0x7d000020, 2, 1, 0, 1}, {0xbd000020, 4, 1, 0, 1}, {0xfd000020, 8, 1, 0, 1}, /* str b h s d */
};
#define N_INSNS (sizeof(insns) / sizeof(insns[0]))

struct outcome {
    oryx_status st;
    oryx_exc exc;
    uint64_t x0, v0[2], pc;
    unsigned n;
    struct heard heard[LOG];
};

static struct outcome once(uint32_t word, uint64_t addr, uint64_t value, int fp)
{
    /* fadd s2, s2, s2 puts the access into a block with FP ops; nop does not. */
    uint32_t words[] = {fp ? 0x1e222842 : 0xd503201f, word, 0xd503201f};
    uint64_t v0[2] = {value, ~value};
    struct outcome o;
    memset(&o, 0, sizeof(o));
    n_heard = 0;
    reg_set("x0", value);
    reg_set("x1", addr);
    assert_ok(oryx_reg_write(v, oryx_reg_find(m, "v0"), v0, sizeof(v0)));
    uint64_t before = oryx_vcpu_insns(v);
    o.st = run_words(words, 3, 3);
    o.exc = last_exit.exc;
    o.x0 = reg_get("x0");
    assert_ok(oryx_reg_read(v, oryx_reg_find(m, "v0"), o.v0, sizeof(o.v0)));
    o.pc = oryx_vcpu_pc(v);
    o.n = n_heard;
    for (unsigned i = 0; i < n_heard; i++) {
        o.heard[i] = heard[i];
        o.heard[i].a.vtime -= before; /* time passes from one to the next */
        o.heard[i].insns -= before;
    }
    return o;
}

static uint64_t rng = 5;
static unsigned rnd(unsigned n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rng >> 33) % n;
}

static void test_same(void **state)
{
    static const oryx_limits limits[][2] = {
        {{.min = 1, .max = 8, .unaligned = 1}, {.min = 1, .max = 8, .unaligned = 1}},
        {{.min = 1, .max = 8}, {.min = 1, .max = 8}},
        {{.min = 1, .max = 8}, {.min = 4, .max = 4}},
        {{.min = 2, .max = 4}, {.min = 1, .max = 8}},
    };
    (void)state;
    unsigned plain = 0;
    for (unsigned k = 0; k < 8; k++) {
        up(limits[k / 2][0], limits[k / 2][1], k & 1);
        for (unsigned i = 0; i < 150; i++) {
            unsigned which = rnd(N_INSNS), size = insns[which].size;
            uint64_t addr = (rnd(2) ? DEV : DEV + 0x2040) + rnd(16) * (rnd(4) ? size : 1), value = rng;
            int fp = !rnd(3);
            oryx_policy p = {.hdr = ORYX_HDR(oryx_policy), .read_error = (uint8_t)rnd(3), .write_error = rnd(2) ? ORYX_ON_IGNORE : 0};
            assert_ok(oryx_space_set_policy(s, &p, NULL));
            answer = rnd(4) ? ORYX_OK : ORYX_FAULT_DEVICE;
            forget();
            struct outcome first = once(insns[which].word, addr, value, fp);
            for (unsigned again = 0; again < 3; again++) {
                struct outcome o = once(insns[which].word, addr, value, fp);
                assert_memory_equal(&first, &o, sizeof(o));
            }
            /* One callback of the access's own size: what it gives and gets is known. */
            if (first.n != 1 || first.st || answer || first.heard[0].a.size != size || (k & 1))
                continue;
            plain++;
            uint64_t mask = UINT64_MAX >> (64 - 8 * size), x = shown(first.heard[0].a.offset) & mask;
            assert_int_equal(first.heard[0].pc, CODE + 4);
            assert_int_equal(first.heard[0].a.vtime, first.heard[0].insns);
            if (insns[which].write) {
                assert_int_equal(first.heard[0].a.value, value & mask);
                continue;
            }
            if (insns[which].sign && x >> (8 * size - 1))
                x |= ~mask & (UINT64_MAX >> (64 - 8 * insns[which].sign));
            assert_int_equal(insns[which].vec ? first.v0[0] : first.x0, x);
            assert_int_equal(insns[which].vec ? first.v0[1] : 0, 0);
        }
        guest_down();
    }
    assert_true(plain > 200);
}

/* Two neighbours, two sizes and two directions at one address are not taken for each other. */
static void test_neighbours(void **state)
{
    (void)state;
    up((oryx_limits){.min = 1, .max = 8}, (oryx_limits){.min = 1, .max = 8}, 0);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = 0; k < 64; k++) {
            assert_int_equal(once(0xb9400020, DEV + 8 * k, 0, 0).x0, (uint32_t)shown(8 * k));
            assert_int_equal(once(0x39400020, DEV + 8 * k, 0, 0).x0, (uint8_t)shown(8 * k));
            assert_int_equal(once(0x39400020, DEV + 8 * k + 1, 0, 0).x0, (uint8_t)shown(8 * k + 1));
            struct outcome o = once(0xb9000020, DEV + 8 * k, 0xabcd, 0);
            assert_int_equal(o.heard[0].a.write, 1);
            assert_int_equal(o.heard[0].a.value, 0xabcd);
        }
    guest_down();
}

/* A callback that takes its own region away: this access ends as it should, the next one finds nothing. */
static oryx_region *own;
static unsigned left;
static void take_away(void)
{
    if (!left--)
        assert_ok(oryx_region_enable(own, 0, NULL));
}

static void test_unplugged_inside(void **state)
{
    static const uint32_t word[] = {0xb9400020, 0xb9000020};
    (void)state;
    static const oryx_io_ops ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = dev_read, .write = dev_write};
    for (unsigned k = 0; k < 12; k++) {
        up((oryx_limits){0}, (oryx_limits){0}, 0);
        own = made("io", (oryx_region_config){.name = "own", .last = 0xfff, .io = &ops});
        put(own, DEV + 0x4000, 0);
        left = k / 4;
        during = take_away;
        answer = k & 2 ? ORYX_FAULT_DEVICE : ORYX_OK;
        for (unsigned i = 0; i <= k / 4; i++) {
            struct outcome o = once(word[k & 1], DEV + 0x4010, 7, 0);
            assert_int_equal(o.n, 1);
            assert_int_equal(o.st, answer);
            if (answer) {
                assert_int_equal(o.exc.addr, DEV + 0x4010);
                assert_int_equal(o.exc.phys, DEV + 0x4010);
                assert_int_equal(o.exc.pc, CODE + 4);
                assert_int_equal(o.x0, 7);
            }
        }
        struct outcome o = once(word[k & 1], DEV + 0x4010, 7, 0);
        assert_int_equal(o.n, 0);
        assert_int_equal(o.st, ORYX_FAULT_DECODE);
        guest_down();
    }
}

/* A callback that advances virtual time, and one that reads memory and another register as the vCPU would. */
static unsigned advanced;
static void advance(void)
{
    oryx_machine_advance(m, 1000);
    advanced++;
}

static void look(void)
{
    uint8_t b[4];
    during = NULL;
    assert_ok(oryx_vcpu_read(v, DEV + 0x20, b, 4));
    assert_int_equal(*(uint32_t *)(void *)b, (uint32_t)shown(0x20));
    during = look;
}

static void test_inside(void **state)
{
    (void)state;
    up((oryx_limits){0}, (oryx_limits){0}, 0);
    uint64_t last = 0;
    during = advance;
    for (unsigned i = 0; i < 5; i++) {
        uint64_t before = oryx_machine_vtime(m);
        once(0xb9400020, DEV, 0, 0);
        assert_true(heard[0].a.vtime >= before && heard[0].a.vtime <= before + 3);
        assert_true(!i || heard[0].a.vtime >= last + 1000);
        last = heard[0].a.vtime;
        assert_int_equal(oryx_machine_vtime(m), before + 1003);
    }
    assert_int_equal(advanced, 5);
    for (unsigned i = 0; i < 5; i++) {
        during = look;
        struct outcome o = once(0xb9400020, DEV + 0x10, 0, 0);
        assert_int_equal(o.x0, (uint32_t)shown(0x10));
        assert_int_equal(o.n, 2);
    }
    guest_down();
}

/* A ROM device's writes go to its callback, which may change the memory: code in it is translated again. */
static uint32_t rom[1024] __attribute__((aligned(4096)));
static oryx_status rom_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    rom[a->offset / 4] = (uint32_t)a->value;
    return ORYX_OK;
}

static void test_rom_code(void **state)
{
    (void)state;
    static const oryx_io_ops ops = {.hdr = ORYX_HDR(oryx_io_ops), .write = rom_write};
    up((oryx_limits){0}, (oryx_limits){0}, 0);
    put(made("ram", (oryx_region_config){.name = "romd", .last = 0xfff, .host = rom, .io = &ops,
                                         .options = "{\"writes\":\"callback\"}"}), DEV + 0x8000, 0);
    for (unsigned i = 0; i < 6; i++) {
        once(0xb9000020, DEV + 0x8000, 0xd2800000 | i << 5, 0); /* str w0: mov x0, #i */
        reg_set("x0", 99);
        oryx_vcpu_set_pc(v, DEV + 0x8000);
        oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
        oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
        assert_ok(oryx_vcpu_run(v, &l, &e));
        assert_int_equal(e.reason, ORYX_EXIT_COUNT);
        assert_int_equal(reg_get("x0"), i);
    }
    guest_down();
}

/* A second vCPU: virtual time is then the machine's, and both reach the device. */
static void test_second(void **state)
{
    (void)state;
    up((oryx_limits){0}, (oryx_limits){0}, 0);
    for (unsigned i = 0; i < 4; i++)
        once(0xb9400020, DEV, 0, 0);
    oryx_vcpu *first = v, *second;
    assert_ok(oryx_vcpu_new(m, NULL, &second, NULL));
    for (unsigned i = 0; i < 4; i++) {
        v = second;
        for (unsigned k = 0; k < 20; k++)
            once(0xb9400020, DEV, 0, 0);
        assert_ptr_equal(heard[0].a.vcpu, second);
        uint64_t ahead = oryx_machine_vtime(m);
        v = first;
        once(0xb9400020, DEV, 0, 0);
        assert_ptr_equal(heard[0].a.vcpu, first);
        assert_int_equal(heard[0].a.vtime, ahead);
    }
    oryx_vcpu_destroy(second);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(once(0xb9400020, DEV, 0, 0).x0, (uint32_t)shown(0));
    guest_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),     cmocka_unit_test(test_neighbours), cmocka_unit_test(test_unplugged_inside),
        cmocka_unit_test(test_inside),   cmocka_unit_test(test_rom_code),   cmocka_unit_test(test_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
