/* engine-interp: random blocks of many instructions, where results stay live across PUTs of the registers they came from,
 * locals, branches inside an instruction, narrow and overlapping state slots. The oracle is an evaluator below that executes the
 * IR ops one after the other on plain arrays and knows nothing of places or folding. */
#include "interp_rig.h"

static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

typedef struct model {
    uint8_t state[STATE];
    uint8_t mem[MEM_SIZE];
    oryx_v128 local[64];
    uint64_t slots[8];
    uint64_t exit_pc;
} model;

static uint64_t mask_of(unsigned type)
{
    unsigned n = oryx_type_size(type);
    return type == ORYX_T_I1 ? 1 : n >= 8 ? ~0ull : (1ull << 8 * n) - 1;
}

static uint32_t sub_flags(uint64_t a, uint64_t b, unsigned type)
{
    uint64_t m = mask_of(type), top = m ^ m >> 1, r = (a - b) & m;
    uint32_t f = (a >= b ? ORYX_FLAG_C : 0) | (r == 0 ? ORYX_FLAG_Z : 0) | (r & top ? ORYX_FLAG_S : 0) |
                 ((a ^ b) & (a ^ r) & top ? ORYX_FLAG_O : 0) | ((a ^ b ^ r) & 16 ? ORYX_FLAG_A : 0);
    return f | (__builtin_parityll(r & 255) ? 0 : ORYX_FLAG_P);
}

static void evaluate(const oryx_ir *ir, model *m)
{
    oryx_v128 *v = calloc(ir->n, sizeof *v);
    for (uint32_t i = 1; i < ir->n; i++) {
        const oryx_ir_op *o = &ir->ops[i];
        uint64_t a = o->a < ir->n ? v[o->a].lo : 0, b = o->b < ir->n ? v[o->b].lo : 0, k = mask_of(o->type);
        unsigned w = oryx_type_size(o->type) * 8, size = oryx_type_size(o->type);
        oryx_v128 *d = &v[i];
        switch (o->op) {
        case ORYX_OP_CONST: d->lo = o->imm & k; break;
        case ORYX_OP_VCONST: d->lo = o->imm; d->hi = (uint64_t)o->c << 32 | o->b; break;
        case ORYX_OP_GET: memcpy(d, m->state + o->imm, size); if (o->type == ORYX_T_I1) d->lo &= 1; break;
        case ORYX_OP_PUT: memcpy(m->state + o->imm, &v[o->a], size); break;
        case ORYX_OP_LGET: *d = m->local[o->imm]; break;
        case ORYX_OP_LPUT: m->local[o->imm] = v[o->a]; break;
        case ORYX_OP_ADD:
            if (o->type == ORYX_T_V128) {
                d->lo = a + b;
                d->hi = v[o->a].hi + v[o->b].hi;
            } else {
                d->lo = (a + b) & k;
            }
            break;
        case ORYX_OP_SUB: d->lo = (a - b) & k; break;
        case ORYX_OP_AND: d->lo = a & b; break;
        case ORYX_OP_XOR: d->lo = a ^ b; d->hi = v[o->a].hi ^ v[o->b].hi; break;
        case ORYX_OP_SHL: d->lo = a << (b & (w - 1)) & k; break;
        case ORYX_OP_SHR: d->lo = a >> (b & (w - 1)); break;
        case ORYX_OP_ZEXT: d->lo = a; break;
        case ORYX_OP_SEXT: {
            unsigned from = o->lane == ORYX_T_I1 ? 1 : oryx_type_size(o->lane) * 8;
            d->lo = (uint64_t)((int64_t)(a << (64 - from)) >> (64 - from)) & k;
            break;
        }
        case ORYX_OP_TRUNC: d->lo = a & k; break;
        case ORYX_OP_BITCAST: d->lo = a; break;
        case ORYX_OP_VLOW: d->lo = a; break;
        case ORYX_OP_VHIGH: d->lo = v[o->a].hi; break;
        case ORYX_OP_VCAT: d->lo = a; d->hi = b; break;
        case ORYX_OP_VGET: {
            uint8_t bytes[16];
            memcpy(bytes, &v[o->a], 16);
            memcpy(d, bytes + o->imm * oryx_type_size(o->lane), oryx_type_size(o->lane));
            break;
        }
        case ORYX_OP_CMP: d->lo = o->imm == ORYX_CC_LTU ? a < b : a == b; break;
        case ORYX_OP_SELECT: *d = a ? v[o->b] : v[o->c]; break;
        case ORYX_OP_FLMAKE: d->lo = sub_flags(a, b, o->lane); break;
        case ORYX_OP_FLCOND: d->lo = !!(a & ORYX_FLAG_C) && !(a & ORYX_FLAG_Z); break; /* HI */
        case ORYX_OP_LOAD: memcpy(d, m->mem + (a - MEM), 1u << ORYX_MO_SIZE(o->imm)); break;
        case ORYX_OP_STORE: memcpy(m->mem + (a - MEM), &v[o->b], 1u << ORYX_MO_SIZE(o->imm)); break;
        case ORYX_OP_SLOTADD: m->slots[o->imm] += a; break;
        case ORYX_OP_BR:
        case ORYX_OP_BRC:
            if (o->op == ORYX_OP_BR || a)
                for (i = 1; ir->ops[i].op != ORYX_OP_LABEL || ir->ops[i].imm != o->imm; i++)
                    ;
            break;
        case ORYX_OP_GOTO: m->exit_pc = o->imm; i = ir->n; break;
        case ORYX_OP_GOTOC: m->exit_pc = a ? o->imm : (uint64_t)o->c << 32 | o->b; i = ir->n; break;
        case ORYX_OP_NOP: case ORYX_OP_INSN: case ORYX_OP_LABEL: break;
        default: fail_msg("evaluator lacks op %u", o->op);
        }
    }
    free(v);
}

/* --- generator -------------------------------------------------------------------------------------------------------------- */
static oryx_val vals[4096];
static uint8_t types[4096];
static unsigned n_vals;

static oryx_val keep(oryx_val v, unsigned type)
{
    vals[n_vals] = v;
    types[n_vals++] = (uint8_t)type;
    return v;
}

/* A live value of the type, made if there is none. */
static oryx_val want(oryx_ir *ir, unsigned type)
{
    for (unsigned k = 0; k < 12 && n_vals; k++) {
        unsigned i = n_vals - 1 - rnd(n_vals < 24 ? n_vals : 24);
        if (types[i] == type)
            return vals[i];
    }
    if (type == ORYX_T_V128)
        return keep(rnd(4) ? oryx_get(ir, type, REG(rnd(8))) : oryx_vconst(ir, type, seed, seed * 3), type);
    if (type == ORYX_T_I1)
        return keep(oryx_cmp(ir, rnd(2) ? ORYX_CC_LTU : ORYX_CC_EQ, ORYX_T_I64, want(ir, ORYX_T_I64), want(ir, ORYX_T_I64)), type);
    if (type == ORYX_T_FL)
        return keep(rnd(2) ? oryx_get(ir, type, REG(40 + rnd(2)))
                           : oryx_flmake(ir, ORYX_FL_SUBC, ORYX_T_I32, want(ir, ORYX_T_I32), want(ir, ORYX_T_I32), 0), type);
    if (type == ORYX_T_V64 || rnd(3))
        return keep(oryx_get(ir, type, REG(rnd(8)) + rnd(16 / oryx_type_size(type)) * oryx_type_size(type)), type);
    return keep(oryx_const(ir, type, rnd(2) ? rnd(40) : seed), type);
}

static const uint8_t ints[] = { ORYX_T_I8, ORYX_T_I16, ORYX_T_I32, ORYX_T_I64, ORYX_T_I64, ORYX_T_I32 };

/* Addresses: a masked value inside near or far memory. */
static oryx_val address(oryx_ir *ir)
{
    if (rnd(3) == 0) { /* base + (index << n) */
        oryx_val base = oryx_bin(ir, ORYX_OP_AND, ORYX_T_I64, want(ir, ORYX_T_I64), oryx_const(ir, ORYX_T_I64, 0x2fc7));
        base = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, base, oryx_const(ir, ORYX_T_I64, MEM));
        oryx_val index = oryx_bin(ir, ORYX_OP_AND, ORYX_T_I64, want(ir, ORYX_T_I64), oryx_const(ir, ORYX_T_I64, 0x3f));
        if (rnd(3))
            index = oryx_bin(ir, ORYX_OP_SHL, ORYX_T_I64, index, oryx_const(ir, ORYX_T_I64, rnd(4)));
        oryx_val sum = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, base, index);
        return rnd(4) ? sum : keep(sum, ORYX_T_I64);
    }
    oryx_val x = oryx_bin(ir, ORYX_OP_AND, ORYX_T_I64, want(ir, ORYX_T_I64), oryx_const(ir, ORYX_T_I64, 0x3fc7));
    x = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, x, oryx_const(ir, ORYX_T_I64, MEM + rnd(24)));
    return rnd(4) ? x : keep(x, ORYX_T_I64);
}

static void any_op(oryx_ir *ir, int pure)
{
    static const uint16_t bin[] = { ORYX_OP_ADD, ORYX_OP_SUB, ORYX_OP_AND, ORYX_OP_XOR, ORYX_OP_SHL, ORYX_OP_SHR };
    unsigned t = ints[rnd(6)], u = ints[rnd(6)];
    switch (rnd(pure ? 12 : 14)) {
    case 0: case 1: case 2:
        keep(oryx_bin(ir, bin[rnd(6)], t, want(ir, t), want(ir, t)), t);
        break;
    case 3:
        if (oryx_type_size(t) != oryx_type_size(u)) {
            unsigned lo = t < u ? t : u, hi = t < u ? u : t;
            unsigned op = rnd(3);
            oryx_val x = want(ir, op == 2 ? hi : lo);
            keep(op == 2 ? oryx_trunc(ir, lo, hi, x) : op ? oryx_sext(ir, hi, lo, x) : oryx_zext(ir, hi, lo, x), op == 2 ? lo : hi);
        }
        break;
    case 4:
        keep(oryx_select(ir, t, want(ir, ORYX_T_I1), want(ir, t), want(ir, t)), t);
        break;
    case 5:
        keep(oryx_flmake(ir, ORYX_FL_SUBC, t, want(ir, t), want(ir, t), 0), ORYX_T_FL);
        break;
    case 6:
        keep(oryx_flcond(ir, ORYX_FC_HI, want(ir, ORYX_T_FL)), ORYX_T_I1);
        break;
    case 7:
        keep(oryx_vbin(ir, rnd(2) ? ORYX_OP_ADD : ORYX_OP_XOR, ORYX_T_V128, ORYX_T_I64, want(ir, ORYX_T_V128), want(ir, ORYX_T_V128), 0),
             ORYX_T_V128);
        break;
    case 8:
        keep(oryx_ir_emit(ir, ORYX_OP_VGET, ORYX_T_V128, t, want(ir, ORYX_T_V128), 0, 0, rnd(16 / oryx_type_size(t))), t);
        break;
    case 9:
        keep(oryx_vun(ir, rnd(2) ? ORYX_OP_VLOW : ORYX_OP_VHIGH, ORYX_T_V64, ORYX_T_V64, want(ir, ORYX_T_V128), 0), ORYX_T_V64);
        break;
    case 10:
        keep(oryx_vbin(ir, ORYX_OP_VCAT, ORYX_T_V128, ORYX_T_V64, want(ir, ORYX_T_V64), want(ir, ORYX_T_V64), 0), ORYX_T_V128);
        break;
    case 11:
        if (rnd(2))
            keep(oryx_bitcast(ir, ORYX_T_V64, ORYX_T_I64, want(ir, ORYX_T_I64)), ORYX_T_V64);
        else
            keep(oryx_bitcast(ir, ORYX_T_I64, ORYX_T_V64, want(ir, ORYX_T_V64)), ORYX_T_I64);
        break;
    case 12: {
        unsigned lt = rnd(5) ? t : ORYX_T_V128;
        oryx_val a = address(ir);
        keep(oryx_load(ir, lt, a, lt == ORYX_T_V128 ? ORYX_MO_128 : lt - ORYX_T_I8), lt);
        break;
    }
    default: {
        oryx_val x = want(ir, t), a = address(ir);
        oryx_store(ir, t, a, x, rnd((unsigned)(t - ORYX_T_I8) + 1));
        break;
    }
    }
}

static void some_put(oryx_ir *ir)
{
    static const uint8_t all[] = { ORYX_T_I1, ORYX_T_I8, ORYX_T_I16, ORYX_T_I32, ORYX_T_I64, ORYX_T_I64, ORYX_T_V64, ORYX_T_V128, ORYX_T_FL };
    unsigned t = all[rnd(9)];
    if (t == ORYX_T_FL)
        oryx_put(ir, t, REG(40 + rnd(2)), want(ir, t));
    else
        oryx_put(ir, t, REG(rnd(8)) + rnd(16 / oryx_type_size(t)) * oryx_type_size(t), want(ir, t));
}

static void instruction(oryx_ir *ir, unsigned index)
{
    for (unsigned k = 1 + rnd(5); k--;)
        any_op(ir, 0);
    if (rnd(5) == 0) {
        /* a local carries a value past a branch */
        unsigned t = rnd(5) ? ints[rnd(6)] : ORYX_T_V128, label = index * 2;
        oryx_local_put(ir, t, index % 64, want(ir, t));
        oryx_brc(ir, want(ir, ORYX_T_I1), label);
        oryx_local_put(ir, t, index % 64, want(ir, t));
        if (rnd(2))
            some_put(ir);
        if (rnd(2)) {
            oryx_br(ir, label + 1);
            oryx_label(ir, label);
            n_vals = 0;
            oryx_local_put(ir, t, index % 64, want(ir, t));
            some_put(ir);
            oryx_label(ir, label + 1);
        } else {
            oryx_label(ir, label);
        }
        n_vals = 0;
        keep(oryx_local_get(ir, t, index % 64), t);
    }
    for (unsigned k = rnd(4); k--;) {
        if (rnd(2))
            any_op(ir, 1);
        some_put(ir);
    }
    if (rnd(6) == 0)
        oryx_ir_emit(ir, ORYX_OP_SLOTADD, 0, 0, want(ir, ORYX_T_I64), 0, 0, rnd(8));
}

static void random_blocks(void **st)
{
    (void)st;
    rig *rigs[2] = { rig_new(0), rig_new(1) };
    model *m = malloc(sizeof *m);
    for (unsigned n = 0; n < 6000; n++) {
        seed = n * 0x9e3779b97f4a7c15 + 12345;
        memset(m, 0, sizeof *m);
        for (unsigned i = 0; i < PC_OFF; i++)
            m->state[i] = (uint8_t)(rnd(4) ? rnd(256) : 0);
        for (unsigned i = 40; i < 42; i++)
            memset(m->state + REG(i), 0, 16);
        for (unsigned i = 0; i < MEM_SIZE; i++)
            m->mem[i] = (uint8_t)rnd(256);
        uint32_t ops = 0;
        for (int k = 0; k < 2; k++) {
            rig *r = rigs[k];
            the_rig = r;
            memcpy(r->cpu->state, m->state, PC_OFF);
            memcpy(r->mem, m->mem, MEM_SIZE);
            memset(r->slots, 0, sizeof r->slots);
        }
        /* build once; both rigs compile the same ops */
        uint64_t gen = seed;
        for (int k = 0; k < 2; k++) {
            rig *r = rigs[k];
            oryx_tb tb;
            seed = gen;
            n_vals = 0;
            oryx_ir *ir = rig_begin(r, 0x1000);
            unsigned count = 1 + rnd(12);
            for (unsigned i = 0; i < count; i++) {
                rig_insn(r, 0x1000 + 4 * i);
                instruction(ir, i);
            }
            if (rnd(2))
                oryx_gotoc(ir, want(ir, ORYX_T_I1), 0x2000, 0x300000000000);
            else
                oryx_goto(ir, 0x4000, 0);
            assert_int_equal(ir->error, 0);
            ops = ir->n;
            rig_compile(r, &tb);
            r->cpu->slice.left = 100;
            assert_int_equal(rig_enter(r, &tb), ORYX_LEAVE_LINK);
            assert_int_equal(r->cpu->slice.left, 100 - count);
            r->ops->discard(r->engine, &tb);
        }
        evaluate(&rigs[0]->ir, m);
        for (int k = 0; k < 2; k++) {
            the_rig = rigs[k];
            for (unsigned i = 0; i < PC_OFF; i++)
                if (rigs[k]->cpu->state[i] != m->state[i])
                    fail_msg("block %u (%u ops), frame %d: register %u byte %u is %02x, want %02x", n, ops, k, i / 16, i % 16,
                             rigs[k]->cpu->state[i], m->state[i]);
            assert_memory_equal(rigs[k]->mem, m->mem, MEM_SIZE);
            assert_memory_equal(rigs[k]->slots, m->slots, sizeof m->slots);
            assert_int_equal(rig_pc(), m->exit_pc);
        }
    }
    free(m);
    rig_free(rigs[0]);
    rig_free(rigs[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_blocks) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
