/* Interrupt lines of an arm64 vCPU by the public ABI: raised before a run, from another thread, through its device; waiting with
 * and without somebody who may call; stops and timeouts while it sleeps. Expected: the manual's WFI and IRQ, and oryx_machine.h.
 * The guest waits in a loop; its handler counts in x2 and stores to a device that lowers the line. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "oryx.h"

#define CODE 0x1000u
#define VECTORS 0x2000u
#define IO 0x10000u

static const uint32_t program[] = {
    0xd2840000, /* mov x0, #0x2000 */
    0xd518c000, /* msr vbar_el1, x0 */
    0xd2a00024, /* mov x4, #0x10000 */
    0xd50342ff, /* msr daifclr, #2 */
    0xd503207f, /* wfi */
    0x91000421, /* add x1, x1, #1 */
    0x17fffffe, /* b to the wfi */
};
static const uint32_t handler[] = {
    0x91000442, /* add x2, x2, #1 */
    0xf9000082, /* str x2, [x4]: the line goes low */
    0xd69f03e0, /* eret */
};

typedef struct rig {
    oryx_machine *m;
    oryx_vcpu *v[2];
    oryx_region *io;
    oryx_io_ops ops;
    oryx_exit exit;
} rig;

static oryx_status lower(void *opaque, const oryx_access *a)
{
    (void)opaque;
    oryx_vcpu_irq(a->vcpu, 0, 0);
    return ORYX_OK;
}

static void must(oryx_status s, const oryx_error *err)
{
    if (s)
        fail_msg("%s (%s)", err->text, oryx_status_text(s));
}

static rig *open_rig(unsigned vcpus)
{
    rig *r = calloc(1, sizeof *r);
    oryx_error err = { 0 };
    oryx_machine_config c = { .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = getenv("IRQ_ENGINE"),
                              .plugin_path = getenv("IRQ_PLUGINS") };
    must(oryx_machine_new(&c, &r->m, &err), &err);
    oryx_region *ram;
    oryx_region_config rc = { .hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = 0xffff };
    oryx_space *s = oryx_space_get(r->m, "system");
    must(oryx_region_new(r->m, "ram", &rc, &ram, &err), &err);
    must(oryx_region_add(oryx_space_root(s), 0, ram, 0, &err), &err);
    r->ops = (oryx_io_ops){ .hdr = ORYX_HDR(oryx_io_ops), .write = lower };
    oryx_region_config ic = { .hdr = ORYX_HDR(oryx_region_config), .name = "lower", .last = 7, .io = &r->ops };
    must(oryx_region_new(r->m, "io", &ic, &r->io, &err), &err);
    must(oryx_region_add(oryx_space_root(s), IO, r->io, 0, &err), &err);
    assert_int_equal(oryx_space_write(s, CODE, program, sizeof program, 0), ORYX_OK);
    assert_int_equal(oryx_space_write(s, VECTORS + 0x280, handler, sizeof handler, 0), ORYX_OK);
    for (unsigned i = 0; i < vcpus; i++) {
        oryx_vcpu_config vc = { .hdr = ORYX_HDR(oryx_vcpu_config), .mode = "el1" };
        must(oryx_vcpu_new(r->m, &vc, &r->v[i], &err), &err);
        oryx_vcpu_set_pc(r->v[i], CODE);
    }
    return r;
}

static void close_rig(rig *r)
{
    oryx_machine_destroy(r->m);
    free(r);
}

static uint64_t reg(const rig *r, unsigned i, const char *name)
{
    uint64_t v = 0;
    assert_int_equal(oryx_reg_read(r->v[i], oryx_reg_find(r->m, name), &v, 8), ORYX_OK);
    return v;
}

static uint32_t run(rig *r, uint32_t idle, uint64_t timeout, uint64_t count)
{
    oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run), .idle = idle, .timeout_us = timeout, .count = count };
    r->exit = (oryx_exit){ .hdr = ORYX_HDR(oryx_exit) };
    assert_int_equal(oryx_vcpu_run(r->v[0], &l, &r->exit), ORYX_OK);
    return r->exit.reason;
}

static void nobody_comes(void **state)
{
    rig *r = open_rig(1);
    (void)state;
    assert_int_equal(run(r, ORYX_IDLE_EXIT, 0, 0), ORYX_EXIT_HALT);
    assert_int_equal(r->exit.exc.kind, ORYX_EXC_WAIT);
    assert_int_equal(r->exit.pc, CODE + 0x14);
    assert_int_equal(r->exit.insns, 5);
    assert_int_equal(reg(r, 0, "x2"), 0);
    /* Asked to sleep: the timeout and nothing else. */
    assert_int_equal(run(r, ORYX_IDLE_SLEEP, 20000, 0), ORYX_EXIT_TIMEOUT);
    assert_int_equal(reg(r, 0, "x1"), 1);
    close_rig(r);
}

static void pending(void **state)
{
    rig *r = open_rig(1);
    (void)state;
    assert_int_equal(oryx_vcpu_irq(r->v[0], 5, 1), ORYX_E_RANGE);
    assert_int_equal(oryx_vcpu_irq(r->v[0], 0, 1), ORYX_OK);
    /* Taken behind the instruction that unmasks it, then the guest waits. */
    assert_int_equal(run(r, ORYX_IDLE_EXIT, 0, 6), ORYX_EXIT_COUNT);
    assert_int_equal(r->exit.pc, VECTORS + 0x288);
    assert_int_equal(run(r, ORYX_IDLE_EXIT, 0, 0), ORYX_EXIT_HALT);
    assert_int_equal(reg(r, 0, "x2"), 1);
    assert_int_equal(reg(r, 0, "x1"), 0);
    assert_int_equal(r->exit.insns, 2);
    close_rig(r);
}

static void by_device(void **state)
{
    rig *r = open_rig(1);
    oryx_error err = { 0 };
    char *json = NULL;
    (void)state;
    oryx_device *d = oryx_vcpu_device(r->v[0]);
    assert_non_null(d);
    assert_ptr_equal(d, oryx_device_find(r->m, "cpu0"));
    assert_int_equal(oryx_device_irq(d, 0, 1), ORYX_OK);
    must(oryx_device_save(d, &json, &err), &err);
    assert_int_equal(oryx_vcpu_irq(r->v[0], 0, 0), ORYX_OK);
    must(oryx_device_load(d, json, &err), &err);
    free(json);
    assert_int_equal(run(r, ORYX_IDLE_EXIT, 0, 0), ORYX_EXIT_HALT);
    assert_int_equal(reg(r, 0, "x2"), 1);
    assert_int_equal(oryx_device_load(d, "{}", &err), ORYX_E_FORMAT);
    close_rig(r);
}

#define TIMES 2000u

static void *interrupter(void *opaque)
{
    rig *r = opaque;
    for (unsigned i = 0; i < TIMES; i++) {
        oryx_vcpu_irq(r->v[0], 0, 1);
        while (__atomic_load_n(&oryx_vcpu_cpu(r->v[0])->irq, __ATOMIC_SEQ_CST))
            sched_yield();
    }
    oryx_vcpu_stop(r->v[0]);
    return NULL;
}

static void other_thread(void **state)
{
    rig *r = open_rig(1);
    pthread_t t;
    (void)state;
    assert_int_equal(pthread_create(&t, NULL, interrupter, r), 0);
    assert_int_equal(run(r, ORYX_IDLE_SLEEP, 0, 0), ORYX_EXIT_STOP);
    pthread_join(t, NULL);
    assert_int_equal(reg(r, 0, "x2"), TIMES);
    close_rig(r);
}

static void *second(void *opaque)
{
    rig *r = opaque;
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    assert_int_equal(oryx_vcpu_run(r->v[1], NULL, &e), ORYX_OK);
    assert_int_equal(e.reason, ORYX_EXIT_HALT);
    return NULL;
}

/* Two that wait for each other find out that nobody will come. */
static void two_wait(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        rig *r = open_rig(2);
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, second, r), 0);
        assert_int_equal(run(r, ORYX_IDLE_EXIT, 0, 0), ORYX_EXIT_HALT);
        pthread_join(t, NULL);
        close_rig(r);
    }
}

/* System registers by name: what the guest would read, RES0 bits of VBAR included; the MMU that they switch on works at once. */
static void registers(void **state)
{
    rig *r = open_rig(1);
    uint64_t v = 0x3fff, byte;
    (void)state;
    assert_int_equal(oryx_reg_write(r->v[0], oryx_reg_find(r->m, "vbar_el1"), &v, 8), ORYX_OK);
    assert_int_equal(reg(r, 0, "vbar_el1"), 0x3800);
    /* One block of 1 GiB at 0, read-only, in a table at 0x8000: level 1, 39 bits, 4K. */
    uint64_t block = 1 | 1 << 10 | 1 << 7, tcr = 25 | 1 << 23, ttbr = 0x8000, sctlr = reg(r, 0, "sctlr_el1") | 1;
    oryx_space *s = oryx_space_get(r->m, "system");
    assert_int_equal(oryx_space_write(s, 0x8000, &block, 8, 0), ORYX_OK);
    assert_int_equal(oryx_vcpu_write(r->v[0], 0x9000, &v, 1), ORYX_OK);
    assert_int_equal(oryx_reg_write(r->v[0], oryx_reg_find(r->m, "tcr_el1"), &tcr, 8), ORYX_OK);
    assert_int_equal(oryx_reg_write(r->v[0], oryx_reg_find(r->m, "ttbr0_el1"), &ttbr, 8), ORYX_OK);
    assert_int_equal(oryx_reg_write(r->v[0], oryx_reg_find(r->m, "sctlr_el1"), &sctlr, 8), ORYX_OK);
    assert_int_equal(oryx_vcpu_read(r->v[0], 0x9000, &byte, 1), ORYX_OK);
    assert_int_equal(oryx_vcpu_write(r->v[0], 0x9000, &v, 1), ORYX_FAULT_PROT);
    assert_int_equal(oryx_vcpu_read(r->v[0], 0x40000000, &byte, 1), ORYX_FAULT_TRANSLATE);
    close_rig(r);
}

/* A fetch abort whose vector cannot be fetched either ends the run instead of going on for ever. */
static void lockup(void **state)
{
    rig *r = open_rig(1);
    uint64_t vbar = 0x400000;
    (void)state;
    assert_int_equal(oryx_reg_write(r->v[0], oryx_reg_find(r->m, "vbar_el1"), &vbar, 8), ORYX_OK);
    oryx_vcpu_set_pc(r->v[0], 0x300000);
    assert_int_equal(run(r, ORYX_IDLE_EXIT, 0, 10), ORYX_EXIT_FAULT);
    assert_int_equal(r->exit.exc.kind, ORYX_EXC_FETCH);
    assert_int_equal(r->exit.exc.pc, vbar + 0x200);
    assert_int_equal(r->exit.insns, 0);
    close_rig(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_comes), cmocka_unit_test(pending),  cmocka_unit_test(by_device),
        cmocka_unit_test(other_thread), cmocka_unit_test(two_wait), cmocka_unit_test(registers),
        cmocka_unit_test(lockup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
