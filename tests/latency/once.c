/* Code that runs once is executed from its IR (core/cold.c): what it leaves is what compiled code leaves. The oracles are the
 * architecture manual, by hand for each case, and the same run with everything compiled at once (ORYX_COLD=0). */
#include "machine.h"

#define START 0x1000u
#define AT(i) (START + 4u * (i))

typedef struct outcome {
    oryx_exit exit;
    uint64_t x[6], pc, cold, tbs, insns;
} outcome;

static outcome go(const char *cold, int window, const uint32_t *code, size_t n)
{
    static const char *const names[] = {"x0", "x1", "x2", "x3", "x4", "x5"};
    setenv("ORYX_COLD", cold, 1);
    guest g = guest_up("x64", window);
    outcome o = {.exit = {.hdr = ORYX_HDR(oryx_exit)}};
    oryx_stats st = {.hdr = ORYX_HDR(oryx_stats)};
    code_put(&g, START, code, n * sizeof *code);
    oryx_vcpu_set_pc(g.v, START);
    reg_to(&g, "x1", START);
    assert_int_equal(oryx_vcpu_run(g.v, NULL, &o.exit), ORYX_OK);
    oryx_machine_stats(g.m, &st);
    for (unsigned i = 0; i < 6; i++)
        o.x[i] = reg_of(&g, names[i]);
    o.pc = o.exit.pc;
    o.cold = st.tb_cold;
    o.tbs = st.tbs;
    o.insns = o.exit.insns;
    guest_down(&g);
    return o;
}

/* Both ways, in both modes of access; the answer of the first. */
static outcome both(const uint32_t *code, size_t n)
{
    outcome first = go("1", 0, code, n);
    assert_true(first.cold > 0);
    for (int window = 0; window < 2; window++)
        for (int c = 0; c < 3; c++) {
            outcome o = go(c == 0 ? "0" : c == 1 ? "1" : "2", window, code, n);
            assert_int_equal(o.cold > 0, c > 0);
            assert_int_equal(o.pc, first.pc);
            assert_int_equal(o.insns, first.insns);
            assert_int_equal(o.exit.reason, first.exit.reason);
            assert_int_equal(o.exit.exc.kind, first.exit.exc.kind);
            assert_int_equal(o.exit.exc.addr, first.exit.exc.addr);
            assert_memory_equal(o.x, first.x, sizeof o.x);
        }
    return first;
}

/* A store over the next instruction but one of its own block: the new one runs. */
static void own_block(void **state)
{
    static const uint32_t code[] = {
        0xb9401822, /* ldr w2, [x1, #24]: the word at AT(6) */
        0xb9001022, /* str w2, [x1, #16]: over AT(4) */
        0x91000400, /* add x0, x0, #1 */
        0x91000400, 0x91010000, /* add x0, x0, #1; add x0, x0, #64: becomes add x0, x0, #16 */
        0xd4000001, /* svc #0 */
        0x91004000, /* add x0, x0, #16 */
    };
    (void)state;
    outcome o = both(code, sizeof code / sizeof code[0]);
    assert_int_equal(o.x[0], 18);
    assert_int_equal(o.insns, 6);
    assert_int_equal(o.pc, AT(6));
}

/* A fault in the middle: the state is that before its instruction, whose base register is not written back. */
static void fault(void **state)
{
    static const uint32_t code[] = {
        0xd2a02003, /* mov x3, #0x1000000: no memory */
        0x91000442, /* add x2, x2, #1 */
        0xf8408464, /* ldr x4, [x3], #8 */
        0x91000442,
    };
    (void)state;
    outcome o = both(code, sizeof code / sizeof code[0]);
    assert_int_equal(o.exit.reason, ORYX_EXIT_FAULT);
    assert_int_equal(o.pc, AT(2));
    assert_int_equal(o.insns, 2);
    assert_int_equal(o.x[2], 1);
    assert_int_equal(o.x[3], 0x1000000);
    assert_int_equal(o.exit.exc.addr, 0x1000000);
}

/* Flags, conditions, narrow and signed accesses, a loop: compiled from its second turn on. */
static void mix(void **state)
{
    static const uint32_t code[] = {
        0xd2800065, /* mov x5, #3 */
        0x38800022, /* ldursb x2, [x1]: 0x65 */
        0xb1000443, /* adds x3, x2, #1 */
        0x9a9f17e4, /* cset x4, eq */
        0x7a41a064, /* ccmp w3, w1, #4, ge */
        0x9a9f3484, /* csinc x4, x4, xzr, lo */
        0xf10004a5, /* subs x5, x5, #1 */
        0x54ffff41, /* b.ne AT(1) */
        0xd4000001, /* svc #0 */
    };
    (void)state;
    outcome o = both(code, sizeof code / sizeof code[0]);
    assert_int_equal(o.x[2], 0x65);
    assert_int_equal(o.x[3], 0x66);
    assert_int_equal(o.x[5], 0);
    assert_int_equal(o.insns, 1 + 3 * 7 + 1);
}

/* Changed each time before it runs: executed from IR each time, and never compiled. */
static void rewritten(void **state)
{
    static const uint32_t code[] = {
        0xd2800c85, /* mov x5, #100 */
        0xd2840003, /* mov x3, #0x2000 */
        0x52b22002, /* mov w2, #0x91000000: add x0, x0, #0 */
        0x2a052842, /* orr w2, w2, w5, lsl #10: add x0, x0, #x5 */
        0xb9000062, /* str w2, [x3] */
        0x52807802, /* mov w2, #0x3c0 */
        0x72bacbe2, /* movk w2, #0xd65f, lsl #16: ret */
        0xb9000462, /* str w2, [x3, #4] */
        0xd63f0060, /* blr x3 */
        0xf10004a5, /* subs x5, x5, #1 */
        0x54ffff01, /* b.ne AT(2) */
        0xd4000001, /* svc #0 */
    };
    (void)state;
    outcome o = both(code, sizeof code / sizeof code[0]);
    assert_int_equal(o.x[0], 5050);
    assert_int_equal(o.insns, 2 + 100 * 11 + 1);
    assert_true(o.cold >= 100);
    if (o.tbs >= 12)
        fail_msg("%u blocks compiled", (unsigned)o.tbs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(own_block), cmocka_unit_test(fault), cmocka_unit_test(mix),
                                       cmocka_unit_test(rewritten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
