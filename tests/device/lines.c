/* What the core does for devices: input lines, wires, DMA, alarms that are due together, hot-plug and hot-unplug under a
 * running vCPU. Expected values follow from abi/oryx_device.h. */
#define _GNU_SOURCE
#include "rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define T 0x100000u
#define C 0x200000u
#define U 0x300000u

static int setup(void **state)
{
    (void)state;
    rig_up();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_down();
    return 0;
}

static void wires(void **state)
{
    (void)state;
    oryx_error err = {0};
    oryx_device *t = dev("timer", "t", NULL, T), *t2 = dev("timer", "t2", NULL, T + 0x1000);
    oryx_device *first = dev("irqchip", "first", NULL, C), *second = dev("irqchip", "second", NULL, C + 0x1000);
    assert_ptr_equal(oryx_device_find(m, "first"), first);
    assert_null(oryx_device_find(m, "third"));
    assert_non_null(oryx_device_region(first, 0));
    assert_null(oryx_device_region(first, 1));
    assert_int_equal(oryx_device_connect(t, 0, first, 3, &err), ORYX_OK);
    assert_int_equal(oryx_device_connect(t, 0, first, 3, &err), ORYX_E_EXISTS);
    assert_int_equal(oryx_device_connect(t, 0, first, 4, &err), ORYX_OK);
    assert_int_equal(oryx_device_connect(t2, 0, first, 4, &err), ORYX_OK);
    assert_int_equal(oryx_device_connect(first, 0, second, 0, &err), ORYX_OK);
    assert_int_equal(oryx_device_connect(first, 0, t, 0, &err), ORYX_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'t'"));
    assert_int_equal(oryx_device_irq(t, 0, 1), ORYX_E_UNSUPPORTED);
    assert_int_equal(oryx_device_disconnect(t2, 0, first, 3, &err), ORYX_E_NOTFOUND);
    out(C + 8, UINT32_MAX);
    /* One output at two inputs, through a cascade, within the write that lets it expire. */
    out(T + 8, 10);
    out(T + 0x10, 5);
    pass(11);
    assert_int_equal(in(C), 0x18);
    assert_int_equal(in(C + 0x1000), 1);
    /* An input is the OR of its sources: two wires and the embedder. */
    out(T + 0x1008, 10);
    out(T + 0x1010, 5);
    pass(11);
    oryx_device_irq(first, 4, 1);
    out(T + 0x14, 1);
    assert_int_equal(in(C), 0x10);
    out(T + 0x1014, 1);
    assert_int_equal(in(C), 0x10);
    oryx_device_irq(first, 4, 0);
    assert_int_equal(in(C), 0);
    assert_int_equal(in(C + 0x1000), 0);
    /* A new wire tells the present level, one that is cut takes it away. */
    out(T + 0x10, 5);
    pass(11);
    assert_int_equal(oryx_device_connect(t, 0, second, 7, &err), ORYX_OK);
    assert_int_equal(in(C + 0x1000), 0x81);
    assert_int_equal(oryx_device_disconnect(t, 0, second, 7, &err), ORYX_OK);
    assert_int_equal(in(C + 0x1000), 1);
    oryx_device_destroy(t);
    assert_int_equal(in(C), 0);
    assert_int_equal(in(C + 0x1000), 0);
    oryx_device_destroy(second); /* the wire to it goes, too */
    oryx_device_irq(first, 1, 1);
    assert_int_equal(in(C), 2);
}

/* An acknowledge in the listener, while the line is being told: the model is called again by its own doing. */
static void acknowledge(void *opaque, uint32_t line, uint32_t level)
{
    (void)opaque;
    (void)line;
    if (level)
        out(T + 0x14, 1);
}

static void nested_calls(void **state)
{
    (void)state;
    oryx_device *t = dev("timer", "t", NULL, T), *c = dev("irqchip", "c", "{\"edge\": 1}", C);
    oryx_error err = {0};
    oryx_device_on_irq(t, acknowledge, NULL);
    assert_int_equal(oryx_device_connect(t, 0, c, 0, &err), ORYX_OK);
    out(T + 8, 10);
    out(T + 0x10, 7);
    pass(100);
    pass(1);
    assert_int_equal(in(T + 0x20), 10);
    assert_int_equal(in(T + 0x14), 0);
    assert_int_equal(in(C), 0);
}

struct beats {
    uint64_t at[8];
    unsigned n;
};

static void beat(void *opaque, uint32_t line, uint32_t level)
{
    struct beats *b = opaque;
    (void)line;
    if (level && b->n < 8)
        b->at[b->n++] = oryx_machine_vtime(m);
}

static void alarms_in_order(void **state)
{
    (void)state;
    static const uint64_t after[] = {700, 300, 300, 5000};
    struct beats b[4] = {{{0}, 0}};
    oryx_device *d[4];
    for (unsigned i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof(name), "t%u", i);
        d[i] = dev("timer", name, NULL, T + 0x1000 * i);
        oryx_device_on_irq(d[i], beat, &b[i]);
        out(T + 0x1000 * i + 8, (uint32_t)after[i]);
        out(T + 0x1000 * i + 0x10, 5);
    }
    oryx_device_destroy(d[3]); /* nobody rings for it */
    pass(400);
    oryx_device_reset(d[0]);
    pass(6000);
    assert_int_equal(b[0].n, 0);
    assert_int_equal(b[1].n, 1);
    assert_int_equal(b[1].at[0], 300);
    assert_int_equal(b[2].at[0], 300);
    assert_int_equal(b[3].n, 0);
    assert_int_equal(oryx_machine_skip(m), ORYX_E_NOTFOUND);
}

static void dma_over_code(void **state)
{
    (void)state;
    static const uint32_t other = 0xd2800540; /* mov x0, #42 */
    oryx_device *t = dev("timer", "t", NULL, T);
    uint64_t x0 = 0;
    uint32_t got = 0;
    pass(100);
    assert_int_equal(oryx_device_write(t, LOOP, &other, 4), ORYX_OK);
    assert_int_equal(oryx_device_read(t, LOOP, &got, 4), ORYX_OK);
    assert_int_equal(got, other);
    pass(2);
    oryx_reg_read(v, oryx_reg_find(m, "x0"), &x0, 8);
    assert_int_equal(x0, 42);
    assert_int_equal(oryx_device_read(t, 0x800000, &got, 4), ORYX_FAULT_DECODE);
}

/* "A write through the API, by DMA, by another vCPU and by the guest itself to a page with translated code takes effect at the next
 * fetch": the loop has run, its first instruction is replaced, and the next pass executes the new one. */
static void *until_break(void *opaque)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .timeout_us = 20000000};
    oryx_vcpu_run(v, &l, opaque);
    return NULL;
}

static void code_writers(void **state)
{
    (void)state;
    static const uint32_t loop[] = {0xd503201f /* nop */, 0x17ffffff /* b .-4 */};
    static const uint32_t store[] = {0xb9000041 /* str w1, [x2] */, 0x17ffff7f /* b LOOP */};
    static const char *const who[] = {"the API", "DMA", "another vCPU", "the guest itself"};
    oryx_device *t = dev("timer", "t", NULL, T);
    oryx_vcpu *other = NULL;
    oryx_error err = {0};
    uint64_t at = LOOP;
    if (oryx_vcpu_new(m, NULL, &other, &err))
        fail_msg("%s", err.text);
    memcpy(ram + 0x300, store, sizeof(store));
    for (unsigned k = 0; k < 4; k++) {
        uint32_t code = 0xd2800000 | (40 + k) << 5; /* mov x0, #(40 + k) */
        uint64_t word = code, x0 = 0;
        oryx_vcpu *writer = k == 2 ? other : v;
        oryx_limits_run one = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
        oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
        assert_int_equal(oryx_space_write(s, LOOP, loop, sizeof(loop), 0), ORYX_OK);
        oryx_vcpu_set_pc(v, LOOP);
        pass(1000);
        oryx_reg_write(writer, oryx_reg_find(m, "x1"), &word, 8);
        oryx_reg_write(writer, oryx_reg_find(m, "x2"), &at, 8);
        if (k == 0) {
            assert_int_equal(oryx_space_write(s, LOOP, &code, 4, 0), ORYX_OK);
        } else if (k == 1) {
            assert_int_equal(oryx_device_write(t, LOOP, &code, 4), ORYX_OK);
        } else if (k == 2) {
            oryx_vcpu_set_pc(other, 0x300);
            assert_int_equal(oryx_vcpu_run(other, &one, &e), ORYX_OK);
            assert_int_equal(e.insns, 1);
        } else {
            oryx_vcpu_set_pc(v, 0x300);
            pass(2);
        }
        oryx_vcpu_set_pc(v, LOOP);
        pass(1);
        oryx_reg_read(v, oryx_reg_find(m, "x0"), &x0, 8);
        if (x0 != 40 + k)
            fail_msg("what %s wrote was not executed: x0 is %u", who[k], (unsigned)x0);
    }
    /* While the vCPU runs: the new instruction ends it. */
    for (unsigned k = 0; k < 3; k++) {
        const uint32_t brk = 0xd4200000;
        uint64_t word = brk;
        oryx_limits_run one = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
        oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)}, ended = {.hdr = ORYX_HDR(oryx_exit)};
        pthread_t thread;
        assert_int_equal(oryx_space_write(s, LOOP, loop, sizeof(loop), 0), ORYX_OK);
        oryx_vcpu_set_pc(v, LOOP);
        pthread_create(&thread, NULL, until_break, &ended);
        usleep(20000);
        if (k == 0) {
            oryx_space_write(s, LOOP, &brk, 4, 0);
        } else if (k == 1) {
            oryx_device_write(t, LOOP, &brk, 4);
        } else {
            oryx_reg_write(other, oryx_reg_find(m, "x1"), &word, 8);
            oryx_vcpu_set_pc(other, 0x300);
            oryx_vcpu_run(other, &one, &e);
        }
        pthread_join(thread, NULL);
        if (ended.reason != ORYX_EXIT_EXCEPTION || ended.exc.kind != ORYX_EXC_BREAKPOINT)
            fail_msg("what %s wrote did not end the running vCPU: %s", who[k], oryx_exit_text(ended.reason));
    }
}

/* --- hot-plug --------------------------------------------------------------------------------------------------------- */
static _Atomic uint32_t faults, quit;

/* Runs on through faults, as a guest's handler would. */
static void *runner(void *opaque)
{
    (void)opaque;
    while (!atomic_load(&quit)) {
        oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
        oryx_vcpu_run(v, NULL, &e);
        if (e.reason == ORYX_EXIT_FAULT) {
            if (e.exc.status != ORYX_FAULT_DECODE || e.exc.addr != C + 0x14)
                abort();
            atomic_fetch_add(&faults, 1);
        } else if (e.reason != ORYX_EXIT_STOP) {
            abort();
        }
    }
    return NULL;
}

static uint32_t cell(void)
{
    return __atomic_load_n((uint32_t *)(void *)(ram + 0x8000), __ATOMIC_RELAXED);
}

static void hot_plug(void **state)
{
    (void)state;
    /* mov x0, #C; mov x2, #0x8000; again: ldr w1, [x0, #0x14]; str w1, [x2]; b again */
    static const uint32_t code[] = {0xd2a00400, 0xd2900002, 0xb9401401, 0xb9000041, 0x17fffffe};
    oryx_device *t = dev("timer", "t", NULL, T);
    pthread_t thread;
    oryx_error err = {0};
    memcpy(ram + 0x200, code, sizeof(code));
    oryx_vcpu_set_pc(v, 0x200);
    faults = quit = 0;
    out(T + 8, 1000); /* alarms all the time, wired to what comes and goes */
    out(T + 0x10, 7);
    pthread_create(&thread, NULL, runner, NULL);
    for (unsigned i = 1; i <= 100; i++) {
        char options[32];
        oryx_device *c = NULL;
        uint32_t before = atomic_load(&faults);
        snprintf(options, sizeof(options), "{\"edge\": %u}", i);
        while (atomic_load(&faults) == before) /* it is not there */
            sched_yield();
        if (oryx_device_new(m, "irqchip", "c", options, &c, &err) || oryx_device_connect(t, 0, c, i % 32, &err) ||
            oryx_device_map(c, 0, s, C, &err))
            fail_msg("%s", err.text);
        while (cell() != i) /* seen by the running guest */
            sched_yield();
        out(T + 0x14, 1);
        if (i % 2) {
            assert_int_equal(oryx_device_unmap(c, &err), ORYX_OK);
            before = atomic_load(&faults);
            while (atomic_load(&faults) == before)
                sched_yield();
        }
        oryx_device_destroy(c);
    }
    atomic_store(&quit, 1);
    oryx_vcpu_stop(v);
    pthread_join(thread, NULL);
    assert_true(in(T + 0x20) > 0);
}

/* A disk pulled out and put in under a guest that reads from it all the time: its DMA runs on the vCPU's thread while the device
 * goes. A sector that came whole or not at all, and nothing after the unplug. */
static void *reader(void *opaque)
{
    (void)opaque;
    while (!atomic_load(&quit)) {
        oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
        oryx_vcpu_run(v, NULL, &e);
        if (e.reason == ORYX_EXIT_FAULT)
            atomic_fetch_add(&faults, 1);
        else if (e.reason != ORYX_EXIT_STOP)
            abort();
    }
    return NULL;
}

static void unplug_in_dma(void **state)
{
    (void)state;
    /* mov x0, #C; mov w1, #0x4000; mov w2, #64; mov w3, #1; str w1, [x0, #0x18]; str w2, [x0, #0x20]; str w3, [x0, #0x24]; b .-12 */
    static const uint32_t code[] = {0xd2a00400, 0x52880001, 0x52800802, 0x52800023, 0xb9001801, 0xb9002002, 0xb9002403, 0x17fffffd};
    char disk[] = "/tmp/oryx-blk-XXXXXX", options[80];
    int fd = mkstemp(disk);
    uint8_t sector[512];
    memset(sector, 0x5a, sizeof(sector));
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(write(fd, sector, sizeof(sector)), 512);
    close(fd);
    snprintf(options, sizeof(options), "{\"file\": \"%s\"}", disk);
    memcpy(ram + 0x200, code, sizeof(code));
    oryx_vcpu_set_pc(v, 0x200);
    faults = quit = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, reader, NULL);
    for (unsigned i = 0; i < 60; i++) {
        uint32_t before = atomic_load(&faults);
        while (atomic_load(&faults) == before)
            sched_yield();
        oryx_device *d = dev("blk", "disk", options, C);
        const volatile uint8_t *last = ram + 0x4000 + 64 * 512 - 1;
        while (*last != 0x5a)
            sched_yield();
        oryx_device_destroy(d);
        memset(ram + 0x4000, 0, 64 * 512);
        for (unsigned k = 0; k < 64 * 512; k++)
            assert_int_equal(((volatile uint8_t *)ram)[0x4000 + k], 0); /* no DMA of a device that is gone */
    }
    atomic_store(&quit, 1);
    oryx_vcpu_stop(v);
    pthread_join(thread, NULL);
    unlink(disk);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {CASE(wires),         CASE(nested_calls), CASE(alarms_in_order),
                                       CASE(dma_over_code), CASE(hot_plug), CASE(unplug_in_dma), CASE(code_writers)};
    return cmocka_run_group_tests_name("device lines", tests, NULL, NULL);
}
