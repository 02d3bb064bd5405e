/* Probes on the toy machine: probe-count's numbers against the core's own count and hand-worked tables, probe-trace's lines
 * against hand-written ones, slots, attach and detach. */
#include <unistd.h>

#include "toy_machine.h"

static char *slurp(const char *path)
{
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static char path[64];
static char *options(const char *more)
{
    static char text[200];
    snprintf(path, sizeof(path), "probe-test-%d.out", (int)getpid());
    snprintf(text, sizeof(text), "{\"output\":\"%s\"%s}", path, more);
    return text;
}

/* main: 3 + 1 instructions and the halt; loop: 4 rounds of 4 with one store and one load each. */
static void load_program(toy *t)
{
    TOY_CODE(t, 0x1000, T4(TOY_MOVI, 1, 0, 4), T4(TOY_MOVI, 4, 0, 0x3000), T4(TOY_B, 0, 0, 0x7c)); /* to 0x1100 */
    TOY_CODE(t, 0x1100, T2(TOY_STORE, 1, 4), T2(TOY_LOAD, 2, 4), T4(TOY_ADDI, 1, 0, -1), T4(TOY_BNZ, 1, 0, -4), T4(TOY_B, 0, 0, 0x7a));
    TOY_CODE(t, 0x1200, T2(TOY_STORE, 1, 5));
    oryx_symbol_add(t->m, "main", 0x1000, 0x100);
    oryx_symbol_add(t->m, "loop", 0x1100, 0x100);
    toy_set(t, 5, 0x700000);
    oryx_vcpu_set_pc(t->v, 0x1000);
}

static void test_count(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    oryx_probe *p;
    load_program(&t);
    must(oryx_probe_attach(t.m, "count", options(""), &p, &err), err);
    oryx_exit e = toy_run(&t, 0, NULL, 0);
    assert_int_equal(e.reason, ORYX_EXIT_FAULT);
    assert_int_equal(e.pc, 0x1200);
    assert_int_equal(e.insns, 3 + 4 * 4 + 1);
    oryx_probe_finish_all(t.m);
    char *text = slurp(path);
    /* The store at 0x1200 faulted: it was begun, not executed. */
    assert_string_equal(text, "symbol          instructions              blocks        reads       writes\n"
                              "loop                      17  85.0%            5            4            4\n"
                              "main                       3  15.0%            1            0            0\n"
                              "(no symbol)                0   0.0%            1            0            0\n"
                              "total                     20 100.0%            7            4            4\n");
    g_free(text);
    unlink(path);
    oryx_machine_destroy(t.m);
}

static void test_count_json(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    load_program(&t);
    must(oryx_probe_attach(t.m, "probe-count", options(",\"json\":true"), NULL, &err), err);
    /* Any slicing gives the same numbers; blocks are those that were entered. */
    uint64_t n = 0;
    oryx_exit e;
    do {
        e = toy_run(&t, 3, NULL, 0);
        n += e.insns;
    } while (e.reason == ORYX_EXIT_COUNT);
    assert_int_equal(n, 20);
    oryx_vcpu_destroy(t.v); /* its counts stay */
    oryx_probe_finish_all(t.m);
    char *text = slurp(path);
    assert_non_null(strstr(text, "\"total\":{\"name\":\"total\",\"addr\":\"0x0\",\"instructions\":20,"));
    assert_non_null(strstr(text, "\"name\":\"loop\",\"addr\":\"0x1100\",\"instructions\":17,"));
    g_free(text);
    unlink(path);
    oryx_machine_destroy(t.m);
}

static void test_trace(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    load_program(&t);
    must(oryx_probe_attach(t.m, "trace", options(",\"mem\":true,\"regs\":true"), NULL, &err), err);
    toy_run(&t, 6, NULL, 0);
    toy_set(&t, 1, 0); /* by hand: not the guest's change, but it shows */
    oryx_vcpu_set_pc(t.v, 0x1200);
    toy_run(&t, 0, NULL, 0);
    oryx_probe_finish_all(t.m);
    char *text = slurp(path);
    const char *want = "0x1000: op80 r1, r0 | r1=0x4\n"
                       "0x1004: op80 r4, r0 | r4=0x3000\n"
                       "0x1008: op82 r0, r0\n"
                       "0x1100: op04 r1, r4 | w8[0x3000]=0x4\n"
                       "0x1102: op03 r2, r4 | r8[0x3000]=0x4 | r2=0x4\n"
                       "0x1104: op81 r1, r0 | r1=0x0\n"
                       "0x1200: op04 r1, r5 ! memory fault at 0x700000\n";
    assert_string_equal(text, want);
    g_free(text);
    unlink(path);
    oryx_machine_destroy(t.m);
}

static void test_trace_range(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    load_program(&t);
    must(oryx_probe_attach(t.m, "trace", options(",\"range\":\"0x1000-0x1007\""), NULL, &err), err);
    toy_run(&t, 0, NULL, 0);
    oryx_probe_finish_all(t.m);
    char *text = slurp(path);
    assert_string_equal(text, "0x1000: op80 r1, r0\n0x1004: op80 r4, r0\n");
    g_free(text);
    unlink(path);
    oryx_machine_destroy(t.m);
}

static void test_options(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    assert_int_equal(oryx_probe_attach(t.m, "count", "{\"tpo\":3}", NULL, &err), ORYX_E_INVALID);
    assert_string_equal(err.text, "probe-count: unknown or bad option 'tpo'; options are output=PATH, top=N, json=true");
    assert_int_equal(oryx_probe_attach(t.m, "trace", "{\"range\":\"5\"}", NULL, &err), ORYX_E_INVALID);
    assert_int_equal(oryx_probe_attach(t.m, "trace", "[]", NULL, &err), ORYX_E_INVALID);
    assert_int_equal(oryx_probe_attach(t.m, "trace", "{\"output\":\"/nonexistent/x\"}", NULL, &err), ORYX_E_IO);
    assert_int_not_equal(oryx_probe_attach(t.m, "no-such-probe", NULL, NULL, &err), ORYX_OK);
    assert_int_not_equal(oryx_probe_attach(t.m, "region-ram", NULL, NULL, &err), ORYX_OK);
    oryx_machine_destroy(t.m);
}

/* Detached, a probe costs nothing and its code is gone; attached again it starts anew; two at once both count. */
static void test_detach(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    oryx_probe *p, *q;
    load_program(&t);
    must(oryx_probe_attach(t.m, "trace", options(""), &p, &err), err);
    must(oryx_probe_attach(t.m, "count", options(""), &q, &err), err);
    toy_run(&t, 6, NULL, 0);
    oryx_probe_detach(p);
    oryx_probe_detach(q);
    assert_int_equal(toy_run(&t, 0, NULL, 0).reason, ORYX_EXIT_FAULT);
    must(oryx_probe_attach(t.m, "trace", options(""), &p, &err), err);
    oryx_vcpu_set_pc(t.v, 0x1000);
    toy_run(&t, 1, NULL, 0);
    oryx_probe_finish_all(t.m);
    char *text = slurp(path);
    assert_string_equal(text, "0x1000: op80 r1, r0\n");
    g_free(text);
    unlink(path);
    oryx_machine_destroy(t.m);
}

static void test_slots(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    oryx_vcpu *second;
    int32_t a = oryx_slots_alloc(t.m, 3);
    assert_true(a >= 0);
    t.v->cpu->slots[a] = 5;
    int32_t b = oryx_slots_alloc(t.m, 100000); /* moves the arrays */
    assert_int_equal(b, a + 3);
    must(oryx_vcpu_new(t.m, NULL, &second, &err), err);
    second->cpu->slots[a] = 7;
    second->cpu->slots[b + 99999] = 1;
    assert_int_equal(oryx_slots_sum(t.m, (uint32_t)a), 12);
    assert_int_equal(oryx_slots_sum(t.m, (uint32_t)b + 99999), 1);
    oryx_vcpu_destroy(second);
    assert_int_equal(oryx_slots_sum(t.m, (uint32_t)a), 12);
    assert_int_equal(oryx_slots_alloc(t.m, 1), b + 100000);
    assert_int_equal(oryx_slots_sum(t.m, (uint32_t)a), 12);
    assert_int_equal(oryx_slots_alloc(t.m, 1u << 30), ORYX_E_RANGE);
    assert_int_equal(oryx_slots_sum(t.m, 1u << 30), 0);
    oryx_machine_destroy(t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count), cmocka_unit_test(test_count_json), cmocka_unit_test(test_trace),
        cmocka_unit_test(test_trace_range), cmocka_unit_test(test_options), cmocka_unit_test(test_detach),
        cmocka_unit_test(test_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
