/* The IR checker, printer and builder, the helper registry and the symbol table: each rule broken once, with the words a
 * plugin author gets. Expected texts are written by hand from oryx_ir.def and oryx_arch.h. */
#include "toy_machine.h"

static const oryx_arch_ops arch = { .hdr = ORYX_HDR(oryx_arch_ops), .state_size = 256 };
#define OPS_MAX 32

/* A block of these ops after "insn; const i64 5 (%2); const i1 1 (%3)"; want: part of the refusal, NULL: accepted. */
static void check(const oryx_ir_op *ops, uint32_t n, const char *want, int line)
{
    oryx_ir ir;
    oryx_error err = { 0 };
    assert_int_equal(oryx__ir_init(&ir), ORYX_OK);
    oryx_ir_emit(&ir, ORYX_OP_INSN, 0, 0, 4, 0, 0, 0x1000);
    oryx_const(&ir, ORYX_T_I64, 5);
    oryx_const(&ir, ORYX_T_I1, 1);
    for (uint32_t i = 0; i < n; i++)
        oryx_ir_emit(&ir, ops[i].op, ops[i].type, ops[i].lane, ops[i].a, ops[i].b, ops[i].c, ops[i].imm);
    oryx_status s = oryx__ir_check(&ir, &arch, &err);
    if (want ? s != ORYX_E_IR || !strstr(err.text, want) : s != ORYX_OK)
        fail_msg("line %d: status %d, text '%s', want '%s'", line, s, err.text, want ? want : "accepted");
    g_free(oryx__ir_print(&ir)); /* anything prints */
    oryx__ir_fini(&ir);
}
#define CHECK(want, ...) \
    do { \
        const oryx_ir_op check_ops[] = { __VA_ARGS__ }; \
        check(check_ops, sizeof(check_ops) / sizeof(check_ops[0]), want, __LINE__); \
    } while (0)
#define O(name, ...) { .op = ORYX_OP_##name, __VA_ARGS__ }
#define I64 .type = ORYX_T_I64, .lane = ORYX_T_I64
#define END O(GOTO, .imm = 0x2000)

static void test_checker(void **state)
{
    (void)state;
    CHECK(NULL, END);
    CHECK("is the last op", O(ADD, I64, .a = 2, .b = 2));
    CHECK("number 9999 is no op", { .op = 9999 }, END);
    CHECK("operand b is missing", O(ADD, I64, .a = 2), END);
    CHECK("operand b is 4, which comes later", O(ADD, I64, .a = 2, .b = 4), END);
    CHECK("operand a is 1 (INSN), which makes no value", O(NEG, I64, .a = 1), END);
    CHECK("operand b is 3 of type i1, want i64", O(ADD, I64, .a = 2, .b = 3), END);
    CHECK("type f64 is not allowed here", O(SHL, .type = ORYX_T_F64, .lane = ORYX_T_F64, .a = 2, .b = 2), END);
    CHECK("type 77, lane 5: no such type", O(NEG, .type = 77, .lane = 5, .a = 2), END);
    CHECK("lies outside the state block of 256 bytes", O(GET, I64, .imm = 249), END);
    CHECK("lies outside the state block", O(PUT, I64, .a = 2, .imm = ~0ull - 3), END);
    CHECK(NULL, O(PUT, I64, .a = 2, .imm = 248), END);
    CHECK("local 64, want 0..63", O(LPUT, I64, .a = 2, .imm = 64), END);
    CHECK("local 3 was not put as i64", O(LGET, I64, .imm = 3), END);
    CHECK("local 3 was not put as i64", O(LPUT, I64, .a = 2, .imm = 3), O(INSN, .a = 4, .imm = 0x1004), O(LGET, I64, .imm = 3), END);
    CHECK(NULL, O(LPUT, I64, .a = 2, .imm = 3), O(LGET, I64, .imm = 3), END);
    CHECK("length 0, want 1..16", O(INSN, .imm = 4), END);
    CHECK("label 1 is never placed", O(BRC, .a = 3, .imm = 1), END);
    CHECK("label 1 is placed twice", O(LABEL, .imm = 1), O(LABEL, .imm = 1), END);
    CHECK("lies in another instruction", O(BRC, .a = 3, .imm = 1), O(INSN, .a = 4, .imm = 0x1004), O(LABEL, .imm = 1), END);
    CHECK("made before a label", O(BRC, .a = 3, .imm = 1), O(LABEL, .imm = 1), O(NEG, I64, .a = 2), END);
    CHECK("cannot be reached", END, O(NOP), END);
    CHECK("cannot be reached", O(BR, .imm = 1), O(NOP), O(LABEL, .imm = 1), END);
    CHECK(NULL, O(BRC, .a = 3, .imm = 1), END, O(LABEL, .imm = 1), END);
    CHECK("bits [60, +5) do not fit in i64", O(UBFX, I64, .a = 2, .imm = 60 | 5 << 8), END);
    CHECK("bits [0, +0)", O(UBFX, I64, .a = 2), END);
    CHECK("shift 64, want less than 64", O(FUNNEL, I64, .a = 2, .b = 2, .imm = 64), END);
    CHECK("unknown comparison 12", O(CMP, .type = ORYX_T_I1, .lane = ORYX_T_I64, .a = 2, .b = 2, .imm = 12), END);
    CHECK("cuts i64 to i64", O(TRUNC, I64, .a = 2), END);
    CHECK("extends i64 to i64", O(ZEXT, I64, .a = 2), END);
    CHECK("casts i64 to f32", O(BITCAST, .type = ORYX_T_F32, .lane = ORYX_T_I64, .a = 2), END);
    CHECK("moves 16 bytes, more than type i64 holds", O(LOAD, I64, .a = 2, .imm = ORYX_MO_128), END);
    CHECK("size code 7", O(LOAD, I64, .a = 2, .imm = 7), END);
    CHECK("only an integer LOAD sign-extends", O(STORE, I64, .a = 2, .b = 2, .imm = ORYX_MO_64 | ORYX_MO_SIGN), END);
    CHECK("mmu index 9", O(LOAD, I64, .a = 2, .imm = ORYX_MO_64 | ORYX_MO_MMU(9)), END);
    CHECK("unknown atomic operation 77", O(RMW, I64, .a = 2, .b = 2, .imm = ORYX_MO_64 | 77ull << 32), END);
    CHECK("can fault after op 4 (PUT) changed the state", O(PUT, I64, .a = 2, .imm = 8), O(LOAD, I64, .a = 2, .imm = ORYX_MO_64), END);
    CHECK(NULL, O(PUT, I64, .a = 2, .imm = 8), O(INSN, .a = 4, .imm = 0x1004), O(LOAD, I64, .a = 2, .imm = ORYX_MO_64), END);
    /* A PUT on one arm only: the access after the join can follow it. */
    CHECK("can fault after op 5", O(BRC, .a = 3, .imm = 1), O(PUT, I64, .a = 2, .imm = 8), O(LABEL, .imm = 1),
          O(CONST, I64, .imm = 1), O(LOAD, I64, .a = 7, .imm = ORYX_MO_64), END);
    CHECK(NULL, O(BRC, .a = 3, .imm = 1), O(PUT, I64, .a = 2, .imm = 8), END, O(LABEL, .imm = 1), O(CONST, I64, .imm = 1),
          O(LOAD, I64, .a = 8, .imm = ORYX_MO_64), END);
    /* A loop: the PUT at its end comes before the access at its head. */
    CHECK("can fault after", O(LABEL, .imm = 1), O(CONST, I64, .imm = 1), O(LOAD, I64, .a = 5, .imm = ORYX_MO_64),
          O(PUT, I64, .a = 6, .imm = 8), O(CONST, .type = ORYX_T_I1, .lane = ORYX_T_I1, .imm = 1), O(BRC, .a = 8, .imm = 1), END);
    CHECK("operand c is missing", O(FLMAKE, .type = ORYX_T_FL, .lane = ORYX_T_I64, .a = 2, .b = 2, .imm = ORYX_FL_ADC), END);
    CHECK(NULL, O(FLMAKE, .type = ORYX_T_FL, .lane = ORYX_T_I64, .a = 2, .imm = ORYX_FL_LOGIC), END);
    CHECK("unknown exception 0", O(RAISE, .a = 2));
    CHECK("link slot 2, want 0 or 1", O(GOTO, .a = 2));
    CHECK("must stand right before a CALL", O(ARGS, .a = 2), O(NOP), END);
    CHECK("lane is v128, want an element type", O(VCONST, .type = ORYX_T_V128), O(ADD, .type = ORYX_T_V128, .lane = ORYX_T_V128, .a = 4, .b = 4),
          END);
    CHECK("lane number 4 of i32 in v128", O(VCONST, .type = ORYX_T_V128),
          O(VGET, .type = ORYX_T_V128, .lane = ORYX_T_I32, .a = 4, .imm = 4), END);
    CHECK(NULL, O(VCONST, .type = ORYX_T_V128), O(VGET, .type = ORYX_T_V128, .lane = ORYX_T_I32, .a = 4, .imm = 3),
          O(PUT, .type = ORYX_T_I32, .lane = ORYX_T_I32, .a = 5), END);
}

/* Any bytes are answered, never crashed on. */
static void test_checker_random(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252ull;
    for (int i = 0; i < 30000; i++) {
        oryx_ir_op ops[OPS_MAX];
        uint32_t n = 1 + (uint32_t)(x % OPS_MAX);
        for (uint32_t k = 0; k < n; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            ops[k] = (oryx_ir_op){ .op = (uint16_t)(x % (ORYX_OP_COUNT + 3)), .type = (uint8_t)(x >> 8 & 15), .lane = (uint8_t)(x >> 12 & 15),
                                   .a = (uint32_t)(x >> 16 & 63), .b = (uint32_t)(x >> 22 & 63), .c = (uint32_t)(x >> 28 & 63),
                                   .imm = x >> 34 & 1 ? x : x & 31 };
        }
        oryx_ir ir;
        oryx_error err;
        assert_int_equal(oryx__ir_init(&ir), ORYX_OK);
        for (uint32_t k = 0; k < n; k++)
            oryx_ir_emit(&ir, ops[k].op, ops[k].type, ops[k].lane, ops[k].a, ops[k].b, ops[k].c, ops[k].imm);
        oryx_status s = oryx__ir_check(&ir, &arch, &err);
        g_free(oryx__ir_print(&ir));
        if (s == ORYX_OK) {
            oryx__ir_opt(&ir, NULL);
            assert_int_equal(oryx__ir_check(&ir, &arch, &err), ORYX_OK);
        }
        oryx__ir_fini(&ir);
    }
}

static void test_builder_limit(void **state)
{
    (void)state;
    oryx_ir ir;
    assert_int_equal(oryx__ir_init(&ir), ORYX_OK);
    for (uint32_t i = 0; i < (1u << 20) + 10; i++)
        oryx_const(&ir, ORYX_T_I64, i);
    assert_int_equal(ir.error, ORYX_E_RANGE);
    assert_int_equal(oryx_const(&ir, ORYX_T_I64, 1), 0);
    oryx__ir_fini(&ir);
}

static void test_printer(void **state)
{
    (void)state;
    oryx_ir ir;
    assert_int_equal(oryx__ir_init(&ir), ORYX_OK);
    oryx_ir_emit(&ir, ORYX_OP_INSN, 0, 0, 4, 0, 0, 0x1000);
    oryx_val a = oryx_get(&ir, ORYX_T_I64, 16), v = oryx_load(&ir, ORYX_T_I64, a, ORYX_MO_32 | ORYX_MO_SIGN | ORYX_MO_BE);
    oryx_rmw(&ir, ORYX_RMW_ADD, ORYX_T_I64, a, v, ORYX_MO_64 | ORYX_MO_ACQUIRE);
    oryx_val f = oryx_flmake(&ir, ORYX_FL_SUBC, ORYX_T_I64, a, v, 0);
    oryx_put(&ir, ORYX_T_FL, 96, f);
    oryx_vun(&ir, ORYX_OP_SHLI, ORYX_T_V128, ORYX_T_I16, oryx_vconst(&ir, ORYX_T_V128, 1, 2), 3);
    oryx_gotoc(&ir, oryx_flcond(&ir, ORYX_FC_GT, f), 0x1004, 0x2000);
    char *text = oryx__ir_print(&ir);
    assert_string_equal(text, "insn 0x1000 len 4\n"
                              "  %2 = get.i64 0x10\n"
                              "  %3 = load.i64 32s be %2\n"
                              "  %4 = rmw.i64 add 64 acquire %2, %3\n"
                              "  %5 = flmake.fl.i64 subc %2, %3\n"
                              "  put.fl 0x60 %5\n"
                              "  %7 = vconst.v128.i64 0x00000000000000020000000000000001\n"
                              "  %8 = shli.v128.i16 #3 %7\n"
                              "  %9 = flcond.i1.fl gt %5\n"
                              "  gotoc 0x1004 : 0x2000 %9\n");
    g_free(text);
    oryx__ir_fini(&ir);
}

/* --- helpers ---------------------------------------------------------------------------------------------------------------- */
static uint64_t eight(oryx_cpu *cpu, uint64_t a, uint32_t b, uint64_t c, uint32_t d, uint64_t e, uint32_t f, uint64_t g, uint32_t h)
{
    return cpu ? a + b * 10ull + c * 100 + d * 1000ull + e * 10000 + f * 100000ull + g * 1000000 + h * 10000000ull : 0;
}
static uint32_t low(uint32_t a)
{
    return ~a;
}
static double sum(double a, float b)
{
    return a + b;
}
static void swap(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *a)
{
    (void)cpu;
    *out = (oryx_v128){ a->hi, a->lo };
}

static void test_helpers(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    oryx_error err = { 0 };
    const oryx_helper rows[] = {
        { "t.eight", "u64(vcpu,u64,u32,u64,u32,u64,u32,u64,u32)", "", (void (*)(void))eight },
        { "t.low", "u32(u32)", "P", (void (*)(void))low },
        { "t.sum", "f64(f64,f32)", "P", (void (*)(void))sum },
        { "t.swap", "v128(vcpu,v128)", "RG", (void (*)(void))swap },
    };
    int32_t id = oryx_helper_add(t.m, rows, 4, sizeof(rows[0]), &err);
    assert_true(id >= 0);
    uint64_t v[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, r = 0;
    void *args[8];
    for (int i = 0; i < 8; i++)
        args[i] = &v[i];
    oryx_helper_call(oryx_helper_get(t.m, (uint32_t)id), t.v->cpu, args, &r);
    assert_int_equal(r, 87654321);
    r = ~0ull;
    oryx_helper_call(oryx_helper_get(t.m, (uint32_t)id + 1), t.v->cpu, args, &r);
    assert_int_equal(r, 0xfffffffffffffffe); /* exactly four bytes written */
    double x = 1.5, y = 0;
    float z = 2.25f;
    void *fp[] = { &x, &z };
    oryx_helper_call(oryx_helper_get(t.m, (uint32_t)id + 2), t.v->cpu, fp, &y);
    assert_true(y == 3.75);
    oryx_v128 in = { 1, 2 }, out = { 0, 0 };
    void *vec[] = { &in };
    const oryx_helper_entry *e = oryx_helper_get(t.m, (uint32_t)id + 3);
    oryx_helper_call(e, t.v->cpu, vec, &out);
    assert_int_equal(out.lo, 2);
    assert_int_equal(out.hi, 1);
    assert_int_equal(e->may_fault, 1);
    assert_int_equal(e->n_args, 1);
    assert_int_equal(e->ret, ORYX_T_V128);
    assert_null(oryx_helper_get(t.m, 99999));
    static const struct {
        const char *signature, *effects, *want;
    } bad[] = {
        { "u64", "", "must be RET(ARGS)" },
        { "u65(u64)", "", "RET one of" },
        { "u64(u64", "", "must end with ')'" },
        { "u64(u64,)", "", "must end with ')'" },
        { "u64(void)", "", "the argument at 'void)'" },
        { "u64(u64,vcpu)", "", "vcpu must be the first" },
        { "u64(u64)x", "", "text after ')'" },
        { "u64(u64,u64,u64,u64,u64,u64,u64,u64,u64)", "", "more than 8 arguments" },
        { "u64(u64)", "Z", "effect 'Z'" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        oryx_helper row = { "t.bad", bad[i].signature, bad[i].effects, (void (*)(void))low };
        assert_true(oryx_helper_add(t.m, &row, 1, sizeof(row), &err) < 0);
        if (!strstr(err.text, bad[i].want))
            fail_msg("'%s' lacks '%s'", err.text, bad[i].want);
    }
    assert_int_equal(oryx_helper_add(t.m, rows, 1, sizeof(rows[0]), &err), ORYX_E_EXISTS);
    oryx_machine_destroy(t.m);
}

static void test_symbols(void **state)
{
    (void)state;
    toy t = toy_new(NULL);
    uint64_t base = 0;
    assert_null(oryx_symbol_find(t.m, 0x1000, &base));
    oryx_symbol_add(t.m, "whole", 0x1000, 0x1000);
    oryx_symbol_add(t.m, "inner", 0x1200, 0x100);
    oryx_symbol_add(t.m, "point", 0x1400, 0);
    oryx_symbol_add(t.m, "top", ~0ull - 15, 16);
    oryx_symbol_add(t.m, "old", 0x5000, 0x10);
    oryx_symbol_add(t.m, "new", 0x5000, 0x10);
    assert_null(oryx_symbol_find(t.m, 0xfff, NULL));
    assert_string_equal(oryx_symbol_find(t.m, 0x11ff, &base), "whole");
    assert_string_equal(oryx_symbol_find(t.m, 0x1200, &base), "inner");
    assert_int_equal(base, 0x1200);
    assert_string_equal(oryx_symbol_find(t.m, 0x12ff, NULL), "inner");
    assert_string_equal(oryx_symbol_find(t.m, 0x1300, &base), "whole");
    assert_int_equal(base, 0x1000);
    assert_string_equal(oryx_symbol_find(t.m, 0x1400, NULL), "point");
    assert_string_equal(oryx_symbol_find(t.m, 0x1401, NULL), "whole");
    assert_string_equal(oryx_symbol_find(t.m, 0x1fff, NULL), "whole");
    assert_null(oryx_symbol_find(t.m, 0x2000, NULL));
    assert_string_equal(oryx_symbol_find(t.m, ~0ull, NULL), "top");
    assert_string_equal(oryx_symbol_find(t.m, 0x5008, NULL), "new");
    oryx_symbol_add(t.m, "later", 0x1200, 0x10); /* after a find: sorted again */
    assert_string_equal(oryx_symbol_find(t.m, 0x1200, NULL), "later");
    oryx_machine_destroy(t.m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checker), cmocka_unit_test(test_checker_random), cmocka_unit_test(test_builder_limit),
        cmocka_unit_test(test_printer), cmocka_unit_test(test_helpers),        cmocka_unit_test(test_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
