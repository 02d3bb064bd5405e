/* Several vCPUs on threads over one TB cache: translation races, invalidation and freeing under foot, stop and flush from
 * another thread. Run under TSan (label threads); in a plain build it checks results. */
#include <pthread.h>
#include <time.h>

#include "toy_machine.h"

#define THREADS 3

typedef struct worker {
    toy t;
    pthread_t thread;
    unsigned rounds, failed;
} worker;

static void nap(void)
{
    struct timespec ts = { 0, 200000 };
    nanosleep(&ts, NULL);
}

static _Atomic int hold; /* workers go on for as long as it is set */

/* Loops through 64 blocks on two pages and checks the sum; the patched block may add 1 or 2. */
static void *work(void *arg)
{
    worker *w = arg;
    for (unsigned i = 0; i < w->rounds || hold; i++) {
        toy_set(&w->t, 1, 0);
        toy_set(&w->t, 2, 50);
        oryx_vcpu_set_pc(w->t.v, 0x1000);
        oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
        oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run) };
        do {
            l.count = i & 1 ? 37 : 0;
            oryx_vcpu_run(w->t.v, &l, &e);
        } while (e.reason == ORYX_EXIT_COUNT || e.reason == ORYX_EXIT_STOP);
        uint64_t sum = toy_reg(&w->t, 1);
        if (e.reason != ORYX_EXIT_HALT || sum < 64 * 50 || sum > 65 * 50)
            w->failed++;
    }
    return NULL;
}

static void load_blocks(toy *t)
{
    uint64_t at = 0x1000;
    for (unsigned i = 0; i < 64; i++) {
        uint64_t next = i == 63 ? 0x3000 : at + 0x80;
        int16_t off = (int16_t)((next - (at + 4)) / 2);
        TOY_CODE(t, at, T4(TOY_ADDI, 1, 0, 1), T4(TOY_B, 0, 0, off));
        at += 0x80;
    }
    TOY_CODE(t, 0x3000, T4(TOY_ADDI, 2, 0, -1), T4(TOY_BNZ, 2, 0, -0x1002), T2(TOY_HALT, 0, 0));
}

static void start(worker *w, toy *t, unsigned rounds)
{
    oryx_error err = { 0 };
    for (int i = 0; i < THREADS; i++) {
        w[i] = (worker){ .t = *t, .rounds = rounds };
        if (i)
            must(oryx_vcpu_new(t->m, NULL, &w[i].t.v, &err), err);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_create(&w[i].thread, NULL, work, &w[i]);
}

static void join(worker *w)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_join(w[i].thread, NULL);
        assert_int_equal(w[i].failed, 0);
    }
}

static void test_shared(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    worker w[THREADS];
    load_blocks(&t);
    start(w, &t, 40);
    join(w);
    /* However many threads raced, each block is in the cache once for each limit. */
    assert_int_equal(toy_stats(&t).tb_invalidated, 0);
    assert_null(t.m->tbs->retired);
    oryx_machine_destroy(t.m);
}

/* The main thread rewrites an instruction, flushes address mappings and stops vCPUs while they run. */
static void test_disturbed(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    worker w[THREADS];
    load_blocks(&t);
    hold = 1;
    start(w, &t, 40);
    for (unsigned i = 0; i < 60 || !toy_stats(&t).tb_invalidated; i++) { /* a busy machine may start the workers late */
        TOY_CODE(&t, 0x1802, (uint8_t)(1 + (i & 1)));
        if (i % 3 == 0)
            oryx_vcpu_tlb_flush(w[i % THREADS].t.v, i & 4 ? 0x1000 : 0, i & 4 ? 0x1000 : 0);
        if (i % 5 == 0)
            oryx_vcpu_stop(w[i % THREADS].t.v);
        if (i % 20 == 7)
            oryx__tbs_flush(t.m);
        nap();
    }
    hold = 0;
    join(w);
    assert_true(toy_stats(&t).tb_invalidated > 0);
    oryx_machine_destroy(t.m);
}

/* A vCPU that never leaves its linked loop must not keep dropped blocks alive without bound. */
static void *spin(void *arg)
{
    toy *t = arg;
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_vcpu_run(t->v, NULL, &e);
    assert_int_equal(e.reason, ORYX_EXIT_STOP);
    return NULL;
}

static void test_retired_bounded(void **state)
{
    (void)state;
    toy t = toy_new(NULL), u = t;
    oryx_error err = { 0 };
    pthread_t thread;
    must(oryx_vcpu_new(t.m, NULL, &u.v, &err), err);
    t.m->tbs->max_bytes = 64 * 1024;
    TOY_CODE(&t, 0x8000, T4(TOY_B, 0, 0, 0));
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 1), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(u.v, 0x8000);
    pthread_create(&thread, NULL, spin, &u);
    uint64_t worst = 0;
    for (unsigned i = 0; i < 4000; i++) {
        TOY_CODE(&t, 0x1002, (uint8_t)i);
        oryx_vcpu_set_pc(t.v, 0x1000);
        toy_run(&t, 0, NULL, 0);
        assert_int_equal(toy_reg(&t, 1), i & 0xff);
        worst = MAX(worst, t.m->tbs->retired_bytes);
        if (i % 64 == 0)
            nap();
    }
    oryx_vcpu_stop(u.v);
    pthread_join(thread, NULL);
    assert_true(worst < 16 * t.m->tbs->max_bytes);
    oryx_machine_destroy(t.m);
}

/* Two threads want one vCPU, which both have run often enough to own it: a run that is not refused is alone. The guest
 * counts its instructions; a count lost or made twice shows that two were inside. */
typedef struct rival {
    toy t;
    pthread_t thread;
    uint64_t runs, refused;
    int last;
} rival;

static void *compete(void *arg)
{
    rival *r = arg;
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run), .count = 2 };
    for (int i = 0; i < r->last; i++) {
        oryx_status s = oryx_vcpu_run(r->t.v, &l, &e);
        r->runs += s == ORYX_OK;
        r->refused += s == ORYX_E_STATE;
        if (i % 500 == 499)
            nap(); /* time for the other to become the owner */
    }
    return NULL;
}

static void test_owner(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    rival r[2] = { { .t = t, .last = 20000 }, { .t = t, .last = 20000 } };
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, 1), T4(TOY_B, 0, 0, -2));
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_set(&t, 1, 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&r[i].thread, NULL, compete, &r[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(r[i].thread, NULL);
    assert_int_equal(r[0].runs + r[0].refused, r[0].last);
    assert_int_equal(r[1].runs + r[1].refused, r[1].last);
    assert_int_equal(toy_reg(&t, 1), r[0].runs + r[1].runs);
    assert_int_equal(oryx_vcpu_insns(t.v), 2 * (r[0].runs + r[1].runs));
    oryx_machine_destroy(t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_disturbed),
        cmocka_unit_test(test_retired_bounded),
        cmocka_unit_test(test_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
