/* Reads by known page (core/known_page.c). The oracle is a byte array kept here: what each address shows after each change of the
 * map; and for threads that read while the map changes, the set of values that an address ever shows. */
#include <pthread.h>

#include "mem_fake.h"

#define PAGES 64u
#define BASE  0x100000u

static uint64_t rng = 3;
static uint64_t rnd(uint64_t n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (rng >> 33) % n;
}

static uint8_t low[PAGES * 4096] __attribute__((aligned(4096))), high[PAGES * 4096] __attribute__((aligned(4096)));

/* Pages of `low` with gaps, and pieces of `high` over them that come and go, some smaller than a page. */
static void test_changes(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_space *s = fake_space(m);
    oryx_region *over[16];
    uint64_t from[16], size[16];
    int on[16] = {0};
    for (uint64_t i = 0; i < sizeof(low); i++) {
        low[i] = (uint8_t)(i * 7 + (i >> 8));
        high[i] = (uint8_t)~low[i];
    }
    for (unsigned i = 0; i < PAGES; i++)
        if (i % 8)
            fake_add(fake_root(m), BASE + i * 4096, fake_ram(m, "low", 4096, low + i * 4096), 0);
    for (unsigned i = 0; i < 16; i++) {
        from[i] = rnd(PAGES - 3) * 4096 + (i & 1 ? rnd(4000) : 0);
        size[i] = i & 2 ? 4096 * (1 + rnd(3)) : 1 + rnd(5000);
        over[i] = fake_ram(m, "high", size[i], high + from[i]);
        fake_add(fake_root(m), BASE + from[i], over[i], 1 + (int32_t)i);
        assert_ok(oryx_region_enable(over[i], 0, NULL));
    }
    unsigned good = 0, bad = 0;
    for (unsigned turn = 0; turn < 600; turn++) {
        unsigned k = (unsigned)rnd(16);
        assert_ok(oryx_region_enable(over[k], on[k] = !on[k], NULL));
        for (unsigned i = 0; i < 60; i++) {
            uint64_t at = rnd(PAGES) * 4096 + (rnd(2) ? rnd(4096) : 4090 + rnd(6)), n = 1 + rnd(rnd(4) ? 16 : 5000);
            uint8_t got[5001], want[5001];
            oryx_status expect = at + n > PAGES * 4096 ? ORYX_FAULT_DECODE : ORYX_OK;
            for (uint64_t b = 0; b < n && !expect; b++) {
                int shown = 0;
                for (unsigned j = 0; j < 16; j++)
                    shown |= on[j] && at + b >= from[j] && at + b - from[j] < size[j];
                want[b] = shown ? high[at + b] : low[at + b];
                if (!shown && (at + b) / 4096 % 8 == 0)
                    expect = ORYX_FAULT_DECODE;
            }
            for (unsigned again = 0; again < 2; again++) {
                assert_int_equal(oryx_space_read(s, BASE + at, got, n, 0), expect);
                if (!expect)
                    assert_memory_equal(got, want, n);
            }
            good += !expect;
            bad += expect != 0;
        }
    }
    assert_true(good > 1000 && bad > 1000);
    assert_non_null(atomic_load(&s->known));
    fake_machine_free(m);
}

/* Protection is asked for each time, and debuggers' reads of what may not be read leave nothing behind. */
static void test_protection(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    oryx_region *r[10];
    uint32_t x;
    for (unsigned i = 0; i < 10; i++)
        fake_add(fake_root(m), BASE + i * 8192, r[i] = fake_ram(m, "r", 4096, low + i * 4096), 0);
    for (unsigned turn = 0; turn < 3; turn++) {
        assert_ok(oryx_region_protect(r[3], ORYX_PROT_WRITE, NULL));
        for (unsigned i = 0; i < 3; i++) {
            assert_ok(oryx_space_read(fake_space(m), BASE + 3 * 8192, &x, 4, ORYX_ATTR_DEBUG));
            assert_int_equal(oryx_space_read(fake_space(m), BASE + 3 * 8192, &x, 4, 0), ORYX_FAULT_PROT);
        }
        assert_ok(oryx_region_protect(r[3], ORYX_PROT_ALL, NULL));
        for (unsigned i = 0; i < 3; i++)
            assert_ok(oryx_space_read(fake_space(m), BASE + 3 * 8192, &x, 4, 0));
    }
    fake_machine_free(m);
}

/* Threads fill and read the same entries while the map changes under them. */
static oryx_space *shared;
static _Atomic int stop;
static _Atomic uint32_t wrong;

static void *reader(void *seed)
{
    uint64_t x = (uint64_t)(uintptr_t)seed;
    for (unsigned i = 0; i < 20000 || !stop; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        uint64_t page = (x >> 33) % 200, v = 0;
        if (oryx_space_read(shared, BASE + page * 4096 + 8, &v, 8, 0) || (v != page && v != page + 1000))
            wrong++;
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    oryx_machine *m = fake_machine();
    static uint64_t under[200][512], upper[200][512];
    pthread_t t[3];
    oryx_region *over[8];
    shared = fake_space(m);
    for (unsigned i = 0; i < 200; i++) {
        under[i][1] = i;
        upper[i][1] = i + 1000;
        fake_add(fake_root(m), BASE + i * 4096, fake_ram(m, "low", 4096, under[i]), 0);
    }
    for (unsigned i = 0; i < 8; i++)
        fake_add(fake_root(m), BASE + i * 25 * 4096, over[i] = fake_ram(m, "high", 4096 * 20, upper[i * 25]), 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, reader, (void *)(uintptr_t)(i + 1)), 0);
    for (unsigned i = 0; i < 400; i++) {
        uint64_t v = 0;
        assert_ok(oryx_region_enable(over[i % 8], i / 8 % 2, NULL));
        assert_ok(oryx_space_read(shared, BASE + i % 8 * 25 * 4096 + 8, &v, 8, 0));
        assert_int_equal(v, i % 8 * 25 + (i / 8 % 2 ? 1000 : 0));
    }
    stop = 1;
    for (unsigned i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(wrong, 0);
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_protection),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
