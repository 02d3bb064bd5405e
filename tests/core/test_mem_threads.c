/* Memory under concurrency: what vCPU threads, the control thread and devices do to each other. Run
 * under TSan too. Expected results are arithmetic (nothing is lost, nothing is torn), not timing.
 */
#include <sched.h>

#include "mem_fake.h"

#define ROUNDS 20000u

static oryx_machine *m;
static _Atomic int go, stop;

struct worker {
    pthread_t thread;
    oryx_vcpu *v;
    uint64_t addr;
    _Atomic uint64_t done;
    uint32_t memop;
};

static void start(struct worker *w, void *(*fn)(void *))
{
    assert_int_equal(pthread_create(&w->thread, NULL, fn, w), 0);
}

static void enter(struct worker *w)
{
    w->v->thread = pthread_self();
    atomic_store(&w->v->running, 1);
    while (!atomic_load(&go))
        sched_yield();
}

/* Load-exclusive, add one, store-exclusive until it takes: the guest's atomic increment. */
static void *exclusive_adder(void *arg)
{
    struct worker *w = arg;
    enter(w);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint32_t failed = 1;
        while (failed) {
            oryx_v128 x;
            if (w->v->cpu->fn->ldx(w->v->cpu, w->addr, w->memop, &x))
                return NULL;
            x.lo++;
            x.hi += 3;
            if (w->v->cpu->fn->stx(w->v->cpu, w->addr, w->memop, &x, &failed))
                return NULL;
        }
        w->done++;
    }
    atomic_store(&w->v->running, 0);
    return NULL;
}

static void *rmw_adder(void *arg)
{
    struct worker *w = arg;
    enter(w);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t old;
        if (w->v->cpu->fn->rmw(w->v->cpu, w->addr, w->memop | (uint64_t)ORYX_RMW_ADD << 32, 1,
                               &old))
            return NULL;
        w->done++;
    }
    atomic_store(&w->v->running, 0);
    return NULL;
}

static void two_adders(void *(*fn)(void *), uint32_t memop, uint64_t addr, uint64_t want_lo,
                       uint64_t want_hi)
{
    struct worker w[2] = {{0}, {0}};
    oryx_v128 got = {0, 0};
    m = fake_machine();
    go = 0;
    fake_add(fake_root(m), 0, fake_ram(m, "ram", 0x2000, NULL), 0);
    for (unsigned i = 0; i < 2; i++) {
        w[i].v = fake_vcpu(m);
        w[i].addr = addr;
        w[i].memop = memop;
    }
    for (unsigned i = 0; i < 2; i++)
        start(&w[i], fn);
    go = 1;
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(w[i].thread, NULL);
        assert_int_equal(w[i].done, ROUNDS);
    }
    assert_ok(w[0].v->cpu->fn->load(w[0].v->cpu, addr, memop & ~ORYX_MO_ALIGN(7), &got));
    assert_int_equal(got.lo, want_lo);
    assert_int_equal(got.hi, want_hi);
    fake_machine_free(m);
}

static void test_exclusive_increment(void **state)
{
    (void)state;
    two_adders(exclusive_adder, ORYX_MO_32, 0x100, 2 * ROUNDS, 0);
    two_adders(exclusive_adder, ORYX_MO_64 | ORYX_MO_BE, 0x100, 2 * ROUNDS, 0);
    two_adders(exclusive_adder, ORYX_MO_128, 0x110, 2 * ROUNDS, 6 * ROUNDS);
}

static void test_atomic_increment(void **state)
{
    (void)state;
    two_adders(rmw_adder, ORYX_MO_64, 0x108, 2 * ROUNDS, 0);
    two_adders(rmw_adder, ORYX_MO_32 | ORYX_MO_BE, 0x108, 2 * ROUNDS, 0);
    two_adders(rmw_adder, ORYX_MO_64, 0xffc, 2 * ROUNDS,
               0); /* across the page: no host instruction does it */
}

/* A vCPU reads one address while the control thread puts other memory there, again and again, and
 * destroys the old. */
static void *reader(void *arg)
{
    struct worker *w = arg;
    enter(w);
    while (!atomic_load(&stop)) {
        oryx_v128 x;
        /* A run loop serves requests at block boundaries; here every access is one. */
        if (w->v->cpu->fn->load(w->v->cpu, 0x1000, ORYX_MO_64, &x))
            break;
        uint32_t low = (uint32_t)x.lo, high = (uint32_t)(x.lo >> 32);
        if (low != high)
            break; /* torn, or freed memory */
        w->done++;
    }
    atomic_store(&w->v->running, 0);
    return NULL;
}

static void test_remap_while_reading(void **state)
{
    (void)state;
    struct worker w = {0};
    m = fake_machine();
    go = stop = 0;
    w.v = fake_vcpu(m);
    oryx_region *old = NULL;
    fake_add(fake_root(m), 0x1000, fake_ram(m, "base", 0x1000, NULL), -1);
    start(&w, reader);
    go = 1;
    for (uint64_t i = 1; i < 500; i++) {
        oryx_region *r = fake_ram(m, "r", 0x1000, NULL);
        oryx_access a = {.hdr = ORYX_HDR(oryx_access), .size = 8, .write = 1, .value = i << 32 | i};
        assert_ok(oryx_region_access(r, &a));
        fake_add(fake_root(m), 0x1000, r, 0);
        if (old) {
            assert_ok(oryx_region_remove(old, NULL));
            assert_ok(oryx_region_destroy(old, NULL));
        }
        old = r;
    }
    while (!atomic_load(&w.done))
        sched_yield();
    stop = 1;
    pthread_join(w.thread, NULL);
    assert_true(w.done > 0);
    assert_int_equal(w.v->cpu->exc.kind, ORYX_EXC_NONE);
    /* Nobody reads: the next commit frees what was retired. */
    assert_ok(oryx_region_remove(old, NULL));
    assert_ok(oryx_region_destroy(old, NULL));
    fake_machine_free(m);
}

/* Marks of code come and go while a vCPU stores: after a mark is set, a store that begins is
 * reported. */
static void *storer(void *arg)
{
    struct worker *w = arg;
    enter(w);
    while (!atomic_load(&stop)) {
        oryx_v128 x = {w->done, 0};
        if (w->v->cpu->fn->store(w->v->cpu, 0x3000, ORYX_MO_64, &x))
            break;
        w->done++;
    }
    atomic_store(&w->v->running, 0);
    return NULL;
}

static void test_marks_while_storing(void **state)
{
    (void)state;
    struct worker w = {0};
    m = fake_machine();
    go = stop = 0;
    w.v = fake_vcpu(m);
    fake_add(fake_root(m), 0, fake_ram(m, "ram", 0x10000, NULL), 0);
    start(&w, storer);
    go = 1;
    for (unsigned i = 0; i < 2000; i++) {
        pthread_mutex_lock(&m->lock);
        oryx__code_page_set(fake_space(m), 3, 1);
        const oryx_tlb *t = &w.v->cpu->tlb[0];
        assert_true(__atomic_load_n(&t->wr[3].tag, __ATOMIC_RELAXED) !=
                    0x3000); /* the fast path is gone */
        if (i & 1)
            oryx__code_page_set(fake_space(m), 3, 0);
        pthread_mutex_unlock(&m->lock);
    }
    while (!atomic_load(&w.done))
        sched_yield();
    stop = 1;
    pthread_join(w.thread, NULL);
    assert_true(w.done > 0);
    fake_machine_free(m);
}

/* A device that maps something else from its own callback, and is refused to destroy itself there.
 */
static oryx_region *bank, *self_region;
static oryx_status refused;

static oryx_status bank_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    refused = oryx_region_destroy(self_region, NULL);
    return oryx_region_enable(bank, a->value != 0, NULL);
}

static void test_change_from_callback(void **state)
{
    (void)state;
    static const oryx_io_ops ops = {.hdr = ORYX_HDR(oryx_io_ops), .write = bank_write};
    m = fake_machine();
    oryx_vcpu *v = fake_vcpu(m);
    oryx_v128 x = {0, 0}, got;
    bank = fake_ram(m, "bank", 0x1000, NULL);
    self_region = fake_io(m, "switch", 16, &ops, NULL);
    fake_add(fake_root(m), 0x1000, bank, 0);
    fake_add(fake_root(m), 0x9000, self_region, 0);
    assert_ok(v->cpu->fn->load(v->cpu, 0x1000, ORYX_MO_8, &got));
    assert_ok(v->cpu->fn->store(v->cpu, 0x9000, ORYX_MO_8, &x));
    assert_int_equal(refused, ORYX_E_STATE);
    assert_int_equal(v->cpu->fn->load(v->cpu, 0x1000, ORYX_MO_8, &got), ORYX_FAULT_DECODE);
    x.lo = 1;
    assert_ok(v->cpu->fn->store(v->cpu, 0x9000, ORYX_MO_8, &x));
    assert_ok(v->cpu->fn->load(v->cpu, 0x1000, ORYX_MO_8, &got));
    fake_machine_free(m);
}

/* Dirty logging while a vCPU stores: pages are copied as they are taken, the vCPU stops, one more
 * round, and the copy is the memory. */
static void *scribbler(void *arg)
{
    struct worker *w = arg;
    uint64_t x = 88172645463325252u;
    enter(w);
    while (!atomic_load(&stop)) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        oryx_v128 val = {w->done, 0};
        if (w->v->cpu->fn->store(w->v->cpu, x % 0x7ff8, ORYX_MO_64, &val))
            break;
        w->done++;
    }
    atomic_store(&w->v->running, 0);
    return NULL;
}

static void copy_dirty(oryx_region *r, const uint8_t *from, uint8_t *to)
{
    uint64_t bits = 0;
    int64_t n = oryx_dirty_take(r, ORYX_DIRTY_MIGRATION, 0, 8, &bits, 1);
    assert_true(n >= 0);
    for (unsigned p = 0; p < 8; p++)
        for (unsigned i = 0; bits >> p & 1 && i < 0x1000; i++)
            to[p * 0x1000 + i] = __atomic_load_n(&from[p * 0x1000 + i], __ATOMIC_RELAXED);
}

static void test_dirty_while_storing(void **state)
{
    (void)state;
    static uint8_t host[0x8000] __attribute__((aligned(4096))), copy[0x8000];
    struct worker w = {0};
    m = fake_machine();
    go = stop = 0;
    w.v = fake_vcpu(m);
    oryx_region *r = fake_ram(m, "ram", sizeof(host), host);
    fake_add(fake_root(m), 0, r, 0);
    start(&w, scribbler);
    go = 1;
    while (!atomic_load(&w.done))
        sched_yield();
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_MIGRATION, NULL));
    for (unsigned i = 0; i < sizeof(host); i++)
        copy[i] = __atomic_load_n(&host[i], __ATOMIC_RELAXED);
    for (unsigned i = 0; i < 300; i++)
        copy_dirty(r, host, copy);
    stop = 1;
    pthread_join(w.thread, NULL);
    copy_dirty(r, host, copy);
    assert_memory_equal(copy, host, sizeof(host));
    assert_true(w.done > 1000);
    fake_machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusive_increment),  cmocka_unit_test(test_atomic_increment),
        cmocka_unit_test(test_remap_while_reading),  cmocka_unit_test(test_marks_while_storing),
        cmocka_unit_test(test_change_from_callback), cmocka_unit_test(test_dirty_while_storing),
    };
    return cmocka_run_group_tests_name("mem_threads", tests, NULL, NULL);
}
