/* The run loop against the toy machine: exits, exact counts and PCs, until, stop, timeout, exceptions, registers.
 * Expected values are worked out by hand from the toy instruction set (toy_arch/toy.h). */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "toy_machine.h"

/* r1 = 5; do { r2 += r1; r1 -= 1 } while (r1); halt — 1 + 5 * 3 instructions before the halt. */
static void load_sum(toy *t)
{
    TOY_CODE(t, 0x1000, T4(TOY_MOVI, 1, 0, 5), T2(TOY_ADD, 2, 1), T4(TOY_ADDI, 1, 0, -1), T4(TOY_BNZ, 1, 0, -3), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t->v, 0x1000);
}

static void test_sum(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    load_sum(&t);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(e.insns, 16);
    assert_int_equal(e.pc, 0x100e);
    assert_int_equal(e.exc.kind, ORYX_EXC_HALT);
    assert_int_equal(toy_reg(&t, 2), 15);
    assert_int_equal(oryx_vcpu_insns(t.v), 16);
    assert_int_equal(toy_stats(&t).insns, 16);
    oryx_machine_destroy(t.m);
}

/* Every count up to the end gives exactly the state that many single steps give. */
static void test_count(void **state)
{
    (void)state;
    toy one = toy_new(NULL), many = toy_new(NULL);
    load_sum(&one);
    load_sum(&many);
    for (uint64_t n = 1; n <= 16; n++) {
        oryx_exit a = toy_run(&one, 1, NULL, 0);
        assert_int_equal(a.reason, ORYX_EXIT_COUNT);
        assert_int_equal(a.insns, 1);
        for (unsigned r = 0; r < 16; r++)
            toy_set(&many, r, 0);
        oryx_vcpu_set_pc(many.v, 0x1000);
        oryx_exit b = toy_run(&many, n, NULL, 0);
        assert_int_equal(b.reason, ORYX_EXIT_COUNT);
        assert_int_equal(b.insns, n);
        assert_int_equal(a.pc, b.pc);
        assert_int_equal(toy_reg(&one, 1), toy_reg(&many, 1));
        assert_int_equal(toy_reg(&one, 2), toy_reg(&many, 2));
    }
    oryx_exit e = toy_run(&one, 1, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(e.insns, 0);
    oryx_machine_destroy(one.m);
    oryx_machine_destroy(many.m);
}

static void test_until(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    load_sum(&t);
    uint64_t body = 0x1006, halt = 0x100e, start = 0x1000;
    /* The loop runs warm first, so blocks that contain the later stop addresses exist and are linked. */
    toy_run(&t, 0, NULL, 0);
    for (int round = 0; round < 2; round++) {
        oryx_vcpu_set_pc(t.v, 0x1000);
        toy_set(&t, 2, 0);
        oryx_exit e = toy_run(&t, 0, &body, 1);
        assert_int_equal(e.reason, ORYX_EXIT_UNTIL);
        assert_int_equal(e.pc, body);
        assert_int_equal(e.insns, 2);
        e = toy_run(&t, 0, &body, 1); /* already there */
        assert_int_equal(e.reason, ORYX_EXIT_UNTIL);
        assert_int_equal(e.insns, 0);
        oryx_exit s = { .hdr = ORYX_HDR(oryx_exit) };
        oryx_limits_run skip = { .hdr = ORYX_HDR(oryx_limits_run), .until = &body, .n_until = 1, .skip_first = 1 };
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(oryx_vcpu_run(t.v, &skip, &s), ORYX_OK);
            assert_int_equal(s.reason, ORYX_EXIT_UNTIL);
            assert_int_equal(s.insns, 3);
            assert_int_equal(s.pc, body);
        }
        assert_int_equal(toy_reg(&t, 2), 15);
        uint64_t both[] = { start, halt };
        e = toy_run(&t, 0, both, 2);
        assert_int_equal(e.reason, ORYX_EXIT_UNTIL);
        assert_int_equal(e.pc, halt);
        assert_int_equal(e.insns, 2);
    }
    /* No until: old stop addresses do not stop. */
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_set(&t, 2, 0);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(toy_reg(&t, 2), 15);
    /* count and until together: whichever comes first, exactly. */
    oryx_vcpu_set_pc(t.v, 0x1000);
    e = toy_run(&t, 2, &body, 1);
    assert_int_equal(e.reason, ORYX_EXIT_UNTIL);
    oryx_vcpu_set_pc(t.v, 0x1000);
    e = toy_run(&t, 1, &body, 1);
    assert_int_equal(e.reason, ORYX_EXIT_COUNT);
    assert_int_equal(e.pc, 0x1004);
    /* An address without memory behind it stops before the fetch. */
    uint64_t nowhere = 0x900000;
    TOY_CODE(&t, 0x2000, T2(TOY_JR, 0, 3));
    toy_set(&t, 3, nowhere);
    oryx_vcpu_set_pc(t.v, 0x2000);
    e = toy_run(&t, 0, &nowhere, 1);
    assert_int_equal(e.reason, ORYX_EXIT_UNTIL);
    assert_int_equal(e.pc, nowhere);
    e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_FAULT);
    assert_int_equal(e.exc.kind, ORYX_EXC_FETCH);
    assert_int_equal(e.exc.pc, nowhere);
    assert_int_equal(e.exc.addr, nowhere);
    oryx_machine_destroy(t.m);
}

/* A hot loop crossed by a stop address that is no longer asked for gets its links back. */
static void test_until_forgotten(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, -1), T4(TOY_BNZ, 1, 0, -2), T2(TOY_HALT, 0, 0));
    uint64_t at = 0x1000;
    toy_set(&t, 1, 10);
    oryx_vcpu_set_pc(t.v, 0x1004);
    assert_int_equal(toy_run(&t, 0, &at, 1).reason, ORYX_EXIT_UNTIL);
    toy_set(&t, 1, 5000);
    assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_HALT);
    assert_int_equal(g_hash_table_size(t.m->tbs->stops), 0);
    assert_int_equal(oryx_vcpu_insns(t.v), 1 + 10000);
    oryx_machine_destroy(t.m);
}

static void test_exceptions(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T2(TOY_NOP, 0, 0), T2(TOY_SYS, 0, 7), T2(TOY_BRK, 0, 3), T2(0x7f, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_SYSCALL);
    assert_int_equal(e.pc, 0x1004);
    assert_int_equal(e.insns, 2);
    assert_int_equal(e.exc.syndrome, 7);
    assert_int_equal(e.exc.pc, 0x1004);
    e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_EXCEPTION);
    assert_int_equal(e.exc.kind, ORYX_EXC_BREAKPOINT);
    assert_int_equal(e.pc, 0x1004);
    assert_int_equal(e.insns, 0);
    oryx_vcpu_set_pc(t.v, 0x1006);
    e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_EXCEPTION);
    assert_int_equal(e.exc.kind, ORYX_EXC_UNDEFINED);
    assert_int_equal(e.exc.syndrome, 0x7f);
    /* Exactly at the limit a system call is still a system call. */
    oryx_vcpu_set_pc(t.v, 0x1000);
    e = toy_run(&t, 2, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_SYSCALL);
    assert_int_equal(e.insns, 2);
    oryx_vcpu_set_pc(t.v, 0x1001);
    e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_EXCEPTION);
    assert_int_equal(e.exc.kind, ORYX_EXC_PC_ALIGN);
    assert_int_equal(e.exc.pc, 0x1001);
    oryx_machine_destroy(t.m);
}

static void test_fault(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 1), T4(TOY_ADDI, 1, 0, 1), T2(TOY_STORE, 1, 4), T4(TOY_ADDI, 1, 0, 1), T2(TOY_HALT, 0, 0));
    toy_set(&t, 4, 0x500000);
    oryx_vcpu_set_pc(t.v, 0x1000);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_FAULT);
    assert_int_equal(e.exc.kind, ORYX_EXC_MEMORY);
    assert_int_equal(e.exc.access, ORYX_ACCESS_WRITE);
    assert_int_equal(e.exc.addr, 0x500000);
    assert_int_equal(e.exc.size, 8);
    assert_int_equal(e.exc.pc, 0x1008);
    assert_int_equal(e.pc, 0x1008);
    assert_int_equal(e.insns, 2);
    assert_int_equal(toy_reg(&t, 1), 2);
    toy_set(&t, 4, 0x3000); /* repaired, it goes on where it was */
    e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(toy_reg(&t, 1), 3);
    assert_int_equal(e.insns, 2);
    oryx_machine_destroy(t.m);
}

/* Code that runs off the end of memory: the block ends before, and the fault is the fetch's. */
static void test_fetch_fault(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, RAM_SIZE - 6, T4(TOY_MOVI, 1, 0, 9), 0x80, 0x10); /* half of a MOVI */
    oryx_vcpu_set_pc(t.v, RAM_SIZE - 6);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_FAULT);
    assert_int_equal(e.exc.kind, ORYX_EXC_FETCH);
    assert_int_equal(e.exc.pc, RAM_SIZE - 2);
    assert_int_equal(e.exc.addr, RAM_SIZE);
    assert_int_equal(e.pc, RAM_SIZE - 2);
    assert_int_equal(e.insns, 1);
    assert_int_equal(toy_reg(&t, 1), 9);
    oryx_machine_destroy(t.m);
}

/* An instruction across a page border, and its bytes changed on the second page. */
static void test_page_cross(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1ffa, T4(TOY_MOVI, 1, 0, 1), T4(TOY_MOVI, 2, 0, 0x1234), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1ffa);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(e.pc, 0x2002);
    assert_int_equal(toy_reg(&t, 2), 0x1234);
    TOY_CODE(&t, 0x2000, 0x78, 0x56);
    oryx_vcpu_set_pc(t.v, 0x1ffa);
    e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(toy_reg(&t, 2), 0x5678);
    oryx_machine_destroy(t.m);
}

static void test_mode(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T2(TOY_MODE, 1, 0), T2(TOY_FLIP, 0, 0), T2(TOY_MODE, 2, 0), T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    assert_int_equal(toy_reg(&t, 1), 0);
    assert_int_equal(toy_reg(&t, 2), 1);
    /* A write of the mode register counts from the next run on. */
    uint64_t five = 5;
    assert_int_equal(oryx_reg_write(t.v, oryx_reg_find(t.m, "mode"), &five, 8), ORYX_OK);
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_run(&t, 0, NULL, 0);
    assert_int_equal(toy_reg(&t, 1), 5);
    assert_int_equal(toy_reg(&t, 2), 4);
    oryx_machine_destroy(t.m);
}

static void test_helper_and_labels(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_MOVI, 1, 0, 7), T4(TOY_MOVI, 2, 0, 2), T2(TOY_HELP, 1, 2), T2(TOY_MAX, 2, 1), T2(TOY_MAX, 1, 3),
             T2(TOY_HALT, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_HALT);
    assert_int_equal(toy_reg(&t, 1), 23);
    assert_int_equal(toy_reg(&t, 2), 23);
    oryx_machine_destroy(t.m);
}

static void test_stop_sticky(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    load_sum(&t);
    oryx_vcpu_stop(t.v);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_STOP);
    assert_int_equal(e.insns, 0);
    assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_HALT);
    oryx_machine_destroy(t.m);
}

static oryx_vcpu *victim;
static void on_alarm(int sig)
{
    (void)sig;
    oryx_vcpu_stop(victim);
}

static void test_stop_signal(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_ADDI, 1, 0, 1), T4(TOY_B, 0, 0, -2));
    oryx_vcpu_set_pc(t.v, 0x1000);
    victim = t.v;
    signal(SIGALRM, on_alarm);
    struct itimerval in = { .it_value = { .tv_usec = 20000 } };
    setitimer(ITIMER_REAL, &in, NULL);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_STOP);
    /* The state is that of a block border, and the count agrees with what was done. */
    assert_int_equal(e.insns, 2 * toy_reg(&t, 1));
    oryx_machine_destroy(t.m);
}

static uint64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

static void test_timeout(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    TOY_CODE(&t, 0x1000, T4(TOY_B, 0, 0, 0));
    oryx_vcpu_set_pc(t.v, 0x1000);
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run), .timeout_us = 30000 };
    uint64_t start = now_us();
    assert_int_equal(oryx_vcpu_run(t.v, &l, &e), ORYX_OK);
    assert_int_equal(e.reason, ORYX_EXIT_TIMEOUT);
    assert_true(now_us() - start >= 30000);
    /* A timeout that did not strike leaves nothing behind. */
    l.count = 5;
    l.timeout_us = 1000;
    assert_int_equal(oryx_vcpu_run(t.v, &l, &e), ORYX_OK);
    assert_int_equal(e.reason, ORYX_EXIT_COUNT);
    struct timespec nap = { 0, 5000000 };
    nanosleep(&nap, NULL);
    assert_int_equal(toy_run(&t, 5, NULL, 0).reason, ORYX_EXIT_COUNT);
    oryx_machine_destroy(t.m);
}

static void test_registers(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    uint64_t big = 0x1122334455667788;
    uint32_t small = 0xaabbccdd;
    int32_t r0 = oryx_reg_find(t.m, "r0"), w0 = oryx_reg_find(t.m, "w0"), id = oryx_reg_find(t.m, "id");
    assert_int_equal(r0, 0);
    assert_int_equal(oryx_reg_find(t.m, "r99"), ORYX_E_NOTFOUND);
    assert_int_equal(oryx_reg_write(t.v, r0, &big, 8), ORYX_OK);
    assert_int_equal(oryx_reg_write(t.v, r0, &big, 4), ORYX_E_RANGE);
    assert_int_equal(oryx_reg_write(t.v, id, &big, 8), ORYX_E_PERM);
    assert_int_equal(oryx_reg_read(t.v, 999, &big, 8), ORYX_E_NOTFOUND);
    assert_int_equal(oryx_reg_read(t.v, -3, &big, 8), ORYX_E_NOTFOUND);
    assert_int_equal(oryx_reg_read(t.v, r0, NULL, 8), ORYX_E_INVALID);
    assert_int_equal(oryx_reg_read(t.v, w0, &small, 4), ORYX_OK);
    assert_int_equal(small, 0x55667788);
    small = 9;
    assert_int_equal(oryx_reg_write(t.v, w0, &small, 4), ORYX_OK);
    assert_int_equal(toy_reg(&t, 0), 9);
    assert_string_equal(oryx_reg_row(t.m, w0)->name, "w0");
    assert_null(oryx_reg_row(t.m, 1000));
    assert_int_equal((uintptr_t)oryx_vcpu_cpu(t.v) % 64, 0);
    assert_int_equal((uintptr_t)oryx_vcpu_cpu(t.v)->state % 64, 0);
    oryx_machine_destroy(t.m);
}

static void test_errors(void **state)
{
    (void)state;
    oryx_error err = { 0 };
    oryx_machine *m;
    oryx_vcpu *v;
    assert_int_not_equal(toy_machine_try("nonesuch", "toy-eval", NULL, &m, &err), ORYX_OK);
    assert_null(m);
    assert_non_null(strstr(err.text, "nonesuch"));
    assert_int_not_equal(toy_machine_try("toy", "no-engine", NULL, &m, &err), ORYX_OK);
    assert_non_null(strstr(err.text, "no-engine"));
    assert_int_equal(toy_machine_try("toy", "toy-eval", "{\"fail\":1}", &m, &err), ORYX_E_PLUGIN);
    assert_int_equal(oryx_machine_new(NULL, &m, &err), ORYX_E_INVALID);
    toy t = toy_new(getenv("TOY_ENGINE") ? NULL : "{\"refuse\":1}"); /* toy-eval's own option */
    oryx_vcpu_config vc = { .hdr = ORYX_HDR(oryx_vcpu_config), .model = "toy3" };
    assert_int_equal(oryx_vcpu_new(t.m, &vc, &v, &err), ORYX_E_NOTFOUND);
    assert_string_equal(err.text, "frontend 'toy' has no CPU model 'toy3': use one of toy1 toy2");
    vc.model = NULL;
    vc.mode = "x";
    assert_int_equal(oryx_vcpu_new(t.m, &vc, &v, &err), ORYX_E_NOTFOUND);
    assert_non_null(strstr(err.text, "use one of plain flipped"));
    /* An engine that refuses a block: an ERROR exit with its words, state as before. */
    if (!getenv("TOY_ENGINE")) {
        TOY_CODE(&t, 0x1000, T2(TOY_NOP, 0, 0), T4(TOY_B, 0, 0, 1), T2(0, 0, 0), T2(TOY_BRK, 0, 0));
        TOY_CODE(&t, 0x1004, T2(TOY_BRK, 0, 0));
        oryx_vcpu_set_pc(t.v, 0x1004);
        oryx_exit e = toy_run(&t, 0, NULL, 0);
        assert_int_equal(e.reason, ORYX_EXIT_ERROR);
        assert_int_equal(e.pc, 0x1004);
        assert_string_equal(e.error.text, "toy-eval was asked to refuse breakpoints");
    }
    oryx_exit bad = { 0 };
    assert_int_equal(oryx_vcpu_run(t.v, NULL, &bad), ORYX_E_INVALID);
    oryx_machine_destroy(t.m);
}

/* Allocation number n fails, for every n that machine and vCPU creation make: an error each time, no leak, no crash. */
static void test_allocation(void **state)
{
    (void)state;
    extern _Thread_local int64_t oryx__alloc_left;
    int exact = 0;
    for (int64_t n = 0; n < 4000; n++) {
        oryx_machine *m = NULL;
        oryx_vcpu *v = NULL;
        oryx_error err = { 0 };
        oryx__alloc_left = n;
        oryx_status s = toy_machine_try("toy", "toy-eval", NULL, &m, &err);
        if (s == ORYX_OK)
            s = oryx_vcpu_new(m, NULL, &v, &err);
        int64_t left = oryx__alloc_left;
        oryx__alloc_left = -1;
        oryx_machine_destroy(m);
        if (s == ORYX_OK && left > 0)
            return;
        /* Success with none left is the number it takes, once; more often, a failure was swallowed. */
        if (s == ORYX_OK)
            assert_int_equal(++exact, 1);
    }
    fail_msg("creation never ran out of allocations to fail");
}

static toy *nested;
static oryx_status io_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    (void)a;
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    assert_int_equal(oryx_vcpu_run(nested->v, NULL, &e), ORYX_E_STATE);
    return ORYX_OK;
}

static void test_nested(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    static const oryx_io_ops io = { .hdr = ORYX_HDR(oryx_io_ops), .write = io_write };
    oryx_region_config rc = { .hdr = ORYX_HDR(oryx_region_config), .name = "dev", .last = 0xfff, .io = &io };
    oryx_region *dev;
    must(oryx_region_new(t.m, "io", &rc, &dev, &err), err);
    must(oryx_region_add(oryx_space_root(oryx_space_get(t.m, "system")), 0x100000, dev, 0, &err), err);
    nested = &t;
    TOY_CODE(&t, 0x1000, T2(TOY_STORE, 1, 4), T2(TOY_HALT, 0, 0));
    toy_set(&t, 4, 0x100000);
    oryx_vcpu_set_pc(t.v, 0x1000);
    assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_HALT);
    oryx_machine_destroy(t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),       cmocka_unit_test(test_count),
        cmocka_unit_test(test_until),     cmocka_unit_test(test_until_forgotten),
        cmocka_unit_test(test_exceptions), cmocka_unit_test(test_fault),
        cmocka_unit_test(test_fetch_fault), cmocka_unit_test(test_page_cross),
        cmocka_unit_test(test_mode),      cmocka_unit_test(test_helper_and_labels),
        cmocka_unit_test(test_stop_sticky), cmocka_unit_test(test_stop_signal),
        cmocka_unit_test(test_timeout),   cmocka_unit_test(test_registers),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_nested),
        cmocka_unit_test(test_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
