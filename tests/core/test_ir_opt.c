/* The simplifier: random integer IR does the same before and after it, by mini_eval.h, an evaluator written from
 * oryx_ir.def alone; and named cases say which ops must go. Seed and count are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core.h"
#include "mini_eval.h"

#define STATE 160u
static const oryx_arch_ops arch = { .hdr = ORYX_HDR(oryx_arch_ops), .state_size = STATE };

static uint64_t seed = 0x9e3779b97f4a7c15u;
static uint32_t rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 16) % n);
}

static uint64_t rnd64(void)
{
    static const uint64_t edge[] = { 0, 1, 2, 3, 31, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff, 0x80000000,
                                     0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ull, ~1ull };
    if (rnd(3))
        return edge[rnd(sizeof(edge) / sizeof(edge[0]))];
    return (uint64_t)rnd(0x10000) << 48 ^ (uint64_t)rnd(0x10000) << 32 ^ (uint64_t)rnd(0x10000) << 16 ^ rnd(0x10000);
}

/* --- generation: always a block that the checker accepts ------------------------------------------------------------------ */
static oryx_val line, label_next;
static const unsigned ints[] = { ORYX_T_I8, ORYX_T_I16, ORYX_T_I32, ORYX_T_I64 };

static unsigned any_int(void)
{
    return ints[rnd(4)];
}

/* A value of a type made since the last label, or a new one. */
static oryx_val pick(oryx_ir *ir, unsigned type)
{
    for (int tries = 0; tries < 6 && ir->n > line + 1; tries++) {
        oryx_val v = line + 1 + rnd(ir->n - line - 1);
        if (oryx__ir_type(ir, v) == type)
            return v;
    }
    if (type == ORYX_T_FL) {
        static const unsigned kinds[] = { ORYX_FL_ADD, ORYX_FL_SUB, ORYX_FL_SUBC, ORYX_FL_LOGIC, ORYX_FL_ADC, ORYX_FL_SBCC, ORYX_FL_SBC };
        unsigned t = any_int(), kind = kinds[rnd(7)];
        oryx_val a = pick(ir, t), b = kind == ORYX_FL_LOGIC ? 0 : pick(ir, t);
        return oryx_flmake(ir, kind, t, a, b, kind >= ORYX_FL_ADC && kind != ORYX_FL_SUB && kind != ORYX_FL_SUBC && kind != ORYX_FL_LOGIC ? pick(ir, ORYX_T_I1) : 0);
    }
    if (type == ORYX_T_I1) {
        unsigned t = any_int();
        if (rnd(4) == 0)
            return oryx_flcond(ir, rnd(18), pick(ir, ORYX_T_FL));
        oryx_val a = pick(ir, t), b = pick(ir, t);
        return oryx_cmp(ir, rnd(12), t, a, b);
    }
    if (rnd(2))
        return oryx_get(ir, type, rnd(12) * 8 + (rnd(4) ? 0 : rnd(8)));
    return oryx_const(ir, type, rnd64() & mini_cut(~0ull, mini_bits(type)));
}

static void some_value(oryx_ir *ir)
{
    static const unsigned two[] = { ORYX_OP_ADD, ORYX_OP_SUB, ORYX_OP_MUL, ORYX_OP_MULHU, ORYX_OP_MULHS, ORYX_OP_DIVU, ORYX_OP_DIVS,
                                    ORYX_OP_REMU, ORYX_OP_REMS, ORYX_OP_AND, ORYX_OP_OR, ORYX_OP_XOR, ORYX_OP_ANDN, ORYX_OP_ORN,
                                    ORYX_OP_SHL, ORYX_OP_SHR, ORYX_OP_SAR, ORYX_OP_ROR, ORYX_OP_MINU, ORYX_OP_MINS, ORYX_OP_MAXU,
                                    ORYX_OP_MAXS };
    static const unsigned one[] = { ORYX_OP_NEG, ORYX_OP_NOT, ORYX_OP_CLZ, ORYX_OP_CLS, ORYX_OP_CTZ, ORYX_OP_POPCNT, ORYX_OP_BSWAP,
                                    ORYX_OP_BITREV, ORYX_OP_ABS };
    unsigned t = any_int(), u;
    oryx_val a, b, c;
    switch (rnd(13)) {
    case 0:
    case 1:
    case 2:
    case 3:
        a = pick(ir, t);
        b = pick(ir, t);
        oryx_bin(ir, two[rnd(sizeof(two) / sizeof(two[0]))], t, a, b);
        break;
    case 4:
        a = pick(ir, t);
        oryx_un(ir, one[rnd(sizeof(one) / sizeof(one[0]))], t, a);
        break;
    case 5: /* widen */
        u = rnd(4) ? any_int() : ORYX_T_I1;
        if (mini_bits(u) < mini_bits(t)) {
            a = pick(ir, u);
            (rnd(2) ? oryx_zext : oryx_sext)(ir, t, u, a);
        }
        break;
    case 6: /* narrow */
        u = any_int();
        if (mini_bits(u) > mini_bits(t)) {
            a = pick(ir, u);
            oryx_trunc(ir, rnd(5) ? t : ORYX_T_I1, u, a);
        }
        break;
    case 7: {
        unsigned pos = rnd(mini_bits(t)), len = 1 + rnd(mini_bits(t) - pos);
        if (rnd(5) == 0)
            pos = 0, len = mini_bits(t);
        a = pick(ir, t);
        if (rnd(2)) {
            oryx_bfx(ir, rnd(2) ? ORYX_OP_UBFX : ORYX_OP_SBFX, t, a, pos, len);
        } else {
            b = pick(ir, t);
            oryx_bfi(ir, t, a, b, pos, len);
        }
        break;
    }
    case 8:
        a = pick(ir, t);
        b = pick(ir, t);
        oryx_ir_emit(ir, ORYX_OP_FUNNEL, t, t, a, b, 0, rnd(mini_bits(t)));
        break;
    case 9:
        c = pick(ir, ORYX_T_I1);
        a = pick(ir, t);
        b = pick(ir, t);
        oryx_select(ir, t, c, a, b);
        break;
    case 10:
        pick(ir, ORYX_T_I1);
        break;
    case 11:
        a = pick(ir, ORYX_T_FL);
        oryx_ir_emit(ir, ORYX_OP_FLPACK, ORYX_T_I32, ORYX_T_I32, a, 0, 0, 0);
        break;
    default:
        a = pick(ir, ORYX_T_I32);
        oryx_ir_emit(ir, ORYX_OP_FLUNPACK, ORYX_T_FL, ORYX_T_FL, a, 0, 0, 0);
        break;
    }
}

static void some_put(oryx_ir *ir)
{
    if (rnd(5) == 0) {
        oryx_put(ir, ORYX_T_FL, 96 + 8 * rnd(2), pick(ir, ORYX_T_FL));
        if (rnd(2))
            oryx_get(ir, ORYX_T_FL, 96);
        return;
    }
    unsigned t = rnd(6) ? any_int() : ORYX_T_I1;
    oryx_val v = pick(ir, t);
    oryx_put(ir, t, rnd(12) * 8 + (rnd(4) ? 0 : rnd(8)), v);
}

static void some_memory(oryx_ir *ir)
{
    unsigned t = any_int();
    oryx_val a = pick(ir, ORYX_T_I64);
    uint32_t size = rnd((t - ORYX_T_I8) + 1);
    if (rnd(2)) {
        oryx_load(ir, t, a, size | (rnd(2) ? ORYX_MO_SIGN : 0));
    } else {
        oryx_val v = pick(ir, t);
        oryx_store(ir, t, a, v, size);
    }
}

static uint32_t locals_put;
static unsigned local_types[4];

static void insn(oryx_ir *ir, uint64_t pc)
{
    oryx_ir_emit(ir, ORYX_OP_INSN, 0, 0, 4, 0, 0, pc);
    ir->n_insns++;
    locals_put = 0;
    for (uint32_t k = rnd(4); k; k--)
        some_value(ir);
    if (rnd(3) == 0)
        oryx_ir_emit(ir, ORYX_OP_SLOTADD, 0, 0, oryx_const(ir, ORYX_T_I64, rnd(5)), 0, 0, rnd(3));
    for (uint32_t k = rnd(3); k; k--) {
        uint32_t n = rnd(4);
        if (rnd(2)) {
            local_types[n] = any_int();
            oryx_local_put(ir, local_types[n], n, pick(ir, local_types[n]));
            locals_put |= 1u << n;
        } else if (locals_put >> n & 1) {
            oryx_local_get(ir, local_types[n], n);
        }
    }
    if (rnd(4) == 0)
        some_memory(ir);
    if (rnd(5) == 0) { /* a forward branch; a PUT on one path makes faults after it illegal */
        uint32_t l = label_next++;
        oryx_brc(ir, pick(ir, ORYX_T_I1), l);
        some_value(ir);
        if (rnd(2))
            some_put(ir);
        if (rnd(4) == 0) {
            oryx_goto(ir, 0x9000, 1);
        }
        oryx_label(ir, l);
        line = ir->n - 1;
        if (locals_put & 1 && rnd(2))
            oryx_local_get(ir, local_types[0], 0);
    }
    for (uint32_t k = rnd(3); k; k--)
        some_value(ir);
    for (uint32_t k = rnd(4); k; k--)
        some_put(ir);
}

static void block(oryx_ir *ir)
{
    oryx__ir_reset(ir, 0x1000, 0);
    line = 0;
    label_next = 0;
    uint32_t n = 1 + rnd(8);
    for (uint32_t i = 0; i < n; i++)
        insn(ir, 0x1000 + 4 * i);
    switch (rnd(4)) {
    case 0:
        oryx_goto(ir, 0x1000 + 4 * n, 0);
        break;
    case 1:
        oryx_gotoc(ir, pick(ir, ORYX_T_I1), 0x2000, 0x1234500003000);
        break;
    case 2:
        oryx_gotoi(ir, pick(ir, ORYX_T_I64), 0);
        break;
    default:
        oryx_raise(ir, ORYX_EXC_SYSCALL, pick(ir, ORYX_T_I64), 0x7777000000004000);
        break;
    }
}

/* --- evaluation -------------------------------------------------------------------------------------------------------------- */
typedef struct outcome {
    int how;
    uint64_t pc, syndrome, slots[4];
    uint32_t insns, slot, exc, n_trace;
    uint64_t trace[256];
    uint8_t state[STATE];
    uint32_t fault_at, stale_at, boundaries;
    int stored;
} outcome;

static int note(outcome *o, uint64_t a, uint64_t b)
{
    if (o->n_trace < 254) {
        o->trace[o->n_trace++] = a;
        o->trace[o->n_trace++] = b;
    }
    return o->n_trace / 2 == o->fault_at;
}

static int load(void *opaque, uint64_t addr, uint32_t memop, uint64_t *out)
{
    outcome *o = opaque;
    o->stored = 1;
    *out = mini_cut(addr * 0x9e3779b97f4a7c15u ^ o->n_trace, 8u << ORYX_MO_SIZE(memop));
    return note(o, addr, memop);
}

static int store(void *opaque, uint64_t addr, uint32_t memop, uint64_t v)
{
    outcome *o = opaque;
    o->stored = 1;
    return note(o, addr, mini_cut(v, 8u << ORYX_MO_SIZE(memop)) ^ (uint64_t)memop << 56);
}

/* Engines may leave at the boundary after an access. */
static int stale(void *opaque)
{
    outcome *o = opaque;
    int leave = o->stored && ++o->boundaries == o->stale_at;
    o->stored = 0;
    return leave;
}

static void run(const oryx_ir *ir, outcome *o, const uint8_t *state, uint32_t fault_at, uint32_t stale_at)
{
    static uint64_t val[65536];
    memset(o, 0, sizeof(*o));
    memcpy(o->state, state, STATE);
    o->fault_at = fault_at;
    o->stale_at = stale_at;
    mini m = { .ops = ir->ops, .n = ir->n, .val = val, .state = o->state, .slots = o->slots, .opaque = o, .load = load, .store = store,
               .stale = stale };
    o->how = mini_run(&m);
    o->pc = m.pc;
    o->syndrome = m.syndrome;
    o->insns = m.insns;
    o->slot = m.slot;
    o->exc = m.exc;
    o->boundaries = 0;
}

static void test_random(void **state)
{
    (void)state;
    oryx_ir ir;
    oryx_error err = { 0 };
    static outcome a, b;
    const char *many = getenv("ORYX_TEST_LONG");
    uint32_t n = many ? 2000000 : 60000, faults = 0, stales = 0;
    uint64_t before = 0, after = 0;
    assert_int_equal(oryx__ir_init(&ir), ORYX_OK);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t start = seed;
        uint8_t bytes[STATE];
        block(&ir);
        assert_int_equal(ir.error, ORYX_OK);
        if (oryx__ir_check(&ir, &arch, &err) != ORYX_OK)
            fail_msg("seed 0x%lx: the generator made a bad block: %s", start, err.text);
        oryx_ir_op *keep = malloc(ir.n * sizeof(*keep));
        memcpy(keep, ir.ops, ir.n * sizeof(*keep));
        oryx_ir old = ir;
        old.ops = keep;
        before += ir.n;
        oryx__ir_opt(&ir, NULL);
        after += ir.n;
        if (oryx__ir_check(&ir, &arch, &err) != ORYX_OK)
            fail_msg("seed 0x%lx: simplified block is bad: %s\n%s", start, err.text, oryx__ir_print(&ir));
        for (uint32_t k = 0; k < 4; k++) {
            for (uint32_t j = 0; j < STATE; j += 8) {
                uint64_t v = rnd64();
                memcpy(bytes + j, &v, 8);
            }
            uint32_t fault_at = k == 1 ? 1 : k == 2 ? 2 : 0, stale_at = k == 3;
            /* Flag slots hold flags. */
            for (uint32_t j = 96; j < 112; j += 8) {
                uint32_t f = rnd(0x200) & 0x1d5;
                memcpy(bytes + j, &f, 4);
            }
            run(&old, &a, bytes, fault_at, stale_at);
            run(&ir, &b, bytes, fault_at, stale_at);
            faults += a.how == MINI_FAULT;
            stales += a.how == MINI_STALE;
            if (a.how == MINI_UNKNOWN || memcmp(&a, &b, sizeof(a)) != 0) {
                char *x = oryx__ir_print(&old), *y = oryx__ir_print(&ir);
                print_message("before:\n%s\nafter:\n%s\nend %d %d pc 0x%lx 0x%lx insns %u %u\n", x, y, a.how, b.how, a.pc, b.pc, a.insns,
                              b.insns);
                for (uint32_t j = 0; j < STATE; j++)
                    if (a.state[j] != b.state[j])
                        print_message("state[%u] %02x %02x\n", j, a.state[j], b.state[j]);
                fail_msg("seed 0x%lx, case %u: the simplified block differs", start, k);
            }
        }
        free(keep);
    }
    print_message("%u blocks, %u faults, %u early leaves, %lu ops became %lu\n", n, faults, stales, before, after);
    assert_true(faults > n / 10 && stales > n / 50);
    assert_true(after < before);
    oryx__ir_fini(&ir);
}

/* --- named cases ----------------------------------------------------------------------------------------------------------- */
static uint32_t count(const oryx_ir *ir, unsigned op)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < ir->n; i++)
        n += ir->ops[i].op == op;
    return n;
}

static void start(oryx_ir *ir)
{
    assert_int_equal(oryx__ir_init(ir), ORYX_OK);
    oryx_ir_emit(ir, ORYX_OP_INSN, 0, 0, 4, 0, 0, 0x1000);
}

static void next(oryx_ir *ir, uint64_t pc)
{
    oryx_ir_emit(ir, ORYX_OP_INSN, 0, 0, 4, 0, 0, pc);
}

static void finish(oryx_ir *ir)
{
    oryx_error err = { 0 };
    oryx_goto(ir, 0x2000, 0);
    if (oryx__ir_check(ir, &arch, &err) != ORYX_OK)
        fail_msg("%s", err.text);
    oryx__ir_opt(ir, NULL);
    if (oryx__ir_check(ir, &arch, &err) != ORYX_OK)
        fail_msg("%s", err.text);
}

/* cmp; cmp; b.lt: only the second comparison's flags are made, and the branch compares directly. */
static void test_flags(void **state)
{
    (void)state;
    oryx_ir ir;
    start(&ir);
    oryx_put(&ir, ORYX_T_FL, 96, oryx_flmake(&ir, ORYX_FL_SUBC, ORYX_T_I64, oryx_get(&ir, ORYX_T_I64, 0), oryx_get(&ir, ORYX_T_I64, 8), 0));
    next(&ir, 0x1004);
    oryx_put(&ir, ORYX_T_FL, 96, oryx_flmake(&ir, ORYX_FL_SUBC, ORYX_T_I64, oryx_get(&ir, ORYX_T_I64, 0), oryx_get(&ir, ORYX_T_I64, 16), 0));
    next(&ir, 0x1008);
    oryx_val c = oryx_flcond(&ir, ORYX_FC_LT, oryx_get(&ir, ORYX_T_FL, 96));
    oryx_put(&ir, ORYX_T_I64, 24, oryx_zext(&ir, ORYX_T_I64, ORYX_T_I1, c));
    finish(&ir);
    assert_int_equal(count(&ir, ORYX_OP_FLMAKE), 1);
    assert_int_equal(count(&ir, ORYX_OP_FLCOND), 0);
    assert_int_equal(count(&ir, ORYX_OP_CMP), 1);
    assert_int_equal(count(&ir, ORYX_OP_GET), 2); /* offsets 0 and 16 */
    assert_int_equal(count(&ir, ORYX_OP_PUT), 2);
    oryx__ir_fini(&ir);
}

/* The same with a load between: its fault must see the first flags. */
static void test_flags_fault(void **state)
{
    (void)state;
    oryx_ir ir;
    start(&ir);
    oryx_put(&ir, ORYX_T_FL, 96, oryx_flmake(&ir, ORYX_FL_SUBC, ORYX_T_I64, oryx_get(&ir, ORYX_T_I64, 0), oryx_get(&ir, ORYX_T_I64, 8), 0));
    next(&ir, 0x1004);
    oryx_val v = oryx_load(&ir, ORYX_T_I64, oryx_get(&ir, ORYX_T_I64, 0), ORYX_MO_64);
    oryx_put(&ir, ORYX_T_FL, 96, oryx_flmake(&ir, ORYX_FL_SUBC, ORYX_T_I64, v, oryx_get(&ir, ORYX_T_I64, 16), 0));
    finish(&ir);
    assert_int_equal(count(&ir, ORYX_OP_FLMAKE), 2);
    assert_int_equal(count(&ir, ORYX_OP_PUT), 2);
    oryx__ir_fini(&ir);
}

static void test_fold(void **state)
{
    (void)state;
    oryx_ir ir;
    start(&ir);
    oryx_val page = oryx_const(&ir, ORYX_T_I64, 0x412000);
    oryx_put(&ir, ORYX_T_I64, 0, page);
    next(&ir, 0x1004);
    oryx_put(&ir, ORYX_T_I64, 0, oryx_bin(&ir, ORYX_OP_ADD, ORYX_T_I64, oryx_get(&ir, ORYX_T_I64, 0), oryx_const(&ir, ORYX_T_I64, 0x345)));
    finish(&ir);
    char *text = oryx__ir_print(&ir);
    assert_string_equal(text, "insn 0x1000 len 4\n"
                              "insn 0x1004 len 4\n"
                              "  %3 = const.i64 0x412345\n"
                              "  put.i64 0x0 %3\n"
                              "  goto 0x2000 slot 0\n");
    g_free(text);
    oryx__ir_fini(&ir);
}

/* A counting probe: one addition for a run of instructions that cannot leave. */
static void test_slotadd(void **state)
{
    (void)state;
    oryx_ir ir;
    start(&ir);
    for (int i = 1; i < 5; i++) {
        oryx_ir_emit(&ir, ORYX_OP_SLOTADD, 0, 0, oryx_const(&ir, ORYX_T_I64, 1), 0, 0, 7);
        next(&ir, 0x1000 + 4 * (uint64_t)i);
    }
    finish(&ir);
    assert_int_equal(count(&ir, ORYX_OP_SLOTADD), 1);
    assert_int_equal(count(&ir, ORYX_OP_CONST), 1);
    assert_int_equal(ir.ops[2].imm, 4);
    oryx__ir_fini(&ir);
}

int main(void)
{
    const char *from = getenv("ORYX_TEST_SEED");
    if (from)
        seed = strtoull(from, NULL, 0) | 1;
    print_message("seed 0x%lx\n", (unsigned long)seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags), cmocka_unit_test(test_flags_fault), cmocka_unit_test(test_fold),
        cmocka_unit_test(test_slotadd), cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
