/* engine-interp: memory ops, faults, counts, block chaining, self-invalidation, calls. Expected values are written out from
 * oryx_ir.def, oryx_engine.h and oryx_machine.h. Every case runs with the frame beside the state and without. */
#include "interp_rig.h"

#define BOTH(r) for (int frame_ = 0; frame_ < 2; frame_++) for (rig *r = rig_new(frame_); r; rig_free(r), r = NULL)

/* --- loads and stores ---------------------------------------------------------------------------------------------- */

static void loads(void **st)
{
    (void)st;
    static const uint64_t at[] = { MEM, MEM + 1, MEM + 8, MEM + 4095, MEM + NEAR - 1, MEM + NEAR, MEM + NEAR + 3 };
    BOTH(r) {
        for (unsigned i = 0; i < MEM_SIZE; i++)
            r->mem[i] = (uint8_t)(i * 37 + 0x80 + (i >> 8));
        for (unsigned type = ORYX_T_I8; type <= ORYX_T_V128; type++)
            for (unsigned size = 0; size <= 4; size++)
                for (unsigned flags = 0; flags < 8; flags++) {
                    uint32_t mo = size | (flags & 1 ? ORYX_MO_SIGN : 0) | (flags & 2 ? ORYX_MO_BE : 0) |
                                  (flags & 4 ? ORYX_MO_ACQUIRE : 0);
                    unsigned bytes = 1u << size, to = oryx_type_size(type);
                    if (bytes > to || ((flags & 1) && type > ORYX_T_I64))
                        continue;
                    for (unsigned k = 0; k < sizeof at / sizeof *at; k++)
                        for (int disp = 0; disp < 2; disp++) {
                            oryx_ir *ir = rig_begin(r, 0x1000);
                            rig_insn(r, 0x1000);
                            oryx_val a = oryx_get(ir, ORYX_T_I64, REG(0));
                            if (disp)
                                a = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, a, oryx_const(ir, ORYX_T_I64, (uint64_t)-24));
                            oryx_val v = oryx_load(ir, type, a, mo);
                            oryx_put(ir, type, REG(1), v);
                            oryx_put(ir, type, REG(0), v);
                            oryx_goto(ir, 0x1004, 0);
                            set_reg(r, 0, at[k] + (disp ? 24 : 0), 0);
                            set_reg(r, 1, 0x1111111111111111, 0x1111111111111111);
                            assert_int_equal(rig_run(r), ORYX_LEAVE_LINK);
                            uint8_t want[16], got[16];
                            memset(want, 0x11, 16);
                            const uint8_t *p = r->mem + (at[k] - MEM);
                            int neg = (flags & 1) && (p[flags & 2 ? 0 : bytes - 1] & 0x80);
                            memset(want, neg ? 0xff : 0, to);
                            for (unsigned i = 0; i < bytes; i++)
                                want[i] = p[flags & 2 ? bytes - 1 - i : i];
                            memcpy(got, r->cpu->state + REG(1), 16);
                            assert_memory_equal(got, want, 16);
                            memcpy(got, r->cpu->state + REG(0), to);
                            assert_memory_equal(got, want, to);
                        }
                }
    }
}

static void stores(void **st)
{
    (void)st;
    static const uint64_t at[] = { MEM, MEM + 1, MEM + 8, MEM + 4095, MEM + NEAR - 1, MEM + NEAR };
    static const uint8_t val[16] = { 0xf1, 2, 3, 0xf4, 5, 6, 7, 0xf8, 9, 10, 11, 12, 13, 14, 15, 0xff };
    BOTH(r) for (unsigned type = ORYX_T_I8; type <= ORYX_T_V128; type++) for (unsigned size = 0; size <= 4; size++)
        for (unsigned flags = 0; flags < 4; flags++) {
            uint32_t mo = size | (flags & 1 ? ORYX_MO_BE : 0) | (flags & 2 ? ORYX_MO_RELEASE : 0);
            unsigned bytes = 1u << size;
            if (bytes > oryx_type_size(type))
                continue;
            for (unsigned k = 0; k < sizeof at / sizeof *at; k++) {
                uint8_t want[MEM_SIZE];
                memset(r->mem, 0x77, MEM_SIZE);
                memset(want, 0x77, MEM_SIZE);
                for (unsigned i = 0; i < bytes; i++)
                    want[at[k] - MEM + i] = val[flags & 1 ? bytes - 1 - i : i];
                oryx_ir *ir = rig_begin(r, 0x1000);
                rig_insn(r, 0x1000);
                oryx_val a = oryx_get(ir, ORYX_T_I64, REG(0));
                a = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, a, oryx_const(ir, ORYX_T_I64, 5));
                oryx_store(ir, type, a, oryx_get(ir, type, REG(1)), mo);
                oryx_put(ir, ORYX_T_I64, REG(0), a); /* the sum is used twice */
                oryx_goto(ir, 0x1004, 0);
                set_reg(r, 0, at[k] - 5, 0);
                memcpy(r->cpu->state + REG(1), val, 16);
                assert_int_equal(rig_run(r), ORYX_LEAVE_LINK);
                assert_memory_equal(r->mem, want, MEM_SIZE);
                assert_int_equal(get_reg(r, 0).lo, at[k]);
            }
        }
}

static void atomics(void **st)
{
    (void)st;
    BOTH(r) {
        for (unsigned type = ORYX_T_I8; type <= ORYX_T_I64; type++) {
            unsigned mo = type - ORYX_T_I8, bytes = 1u << mo;
            uint64_t mask = bytes == 8 ? ~0ull : (1ull << bytes * 8) - 1;
            oryx_ir *ir = rig_begin(r, 0);
            rig_insn(r, 0);
            oryx_val a = oryx_const(ir, ORYX_T_I64, MEM + 64);
            oryx_val old = oryx_rmw(ir, ORYX_RMW_ADD, type, a, oryx_get(ir, type, REG(0)), mo);
            oryx_val now = oryx_cas(ir, type, a, oryx_get(ir, type, REG(1)), oryx_get(ir, type, REG(2)), mo);
            oryx_val x = oryx_ldx(ir, type, a, mo);
            oryx_val f = oryx_stx(ir, type, a, oryx_get(ir, type, REG(3)), mo);
            oryx_val f2 = oryx_stx(ir, type, a, oryx_get(ir, type, REG(4)), mo);
            oryx_put(ir, ORYX_T_I64, REG(5), oryx_zext(ir, ORYX_T_I64, type, old));
            oryx_put(ir, ORYX_T_I64, REG(6), oryx_zext(ir, ORYX_T_I64, type, now));
            oryx_put(ir, ORYX_T_I64, REG(7), oryx_zext(ir, ORYX_T_I64, type, x));
            oryx_put(ir, ORYX_T_I64, REG(8), oryx_zext(ir, ORYX_T_I64, ORYX_T_I32, f));
            oryx_put(ir, ORYX_T_I64, REG(9), oryx_zext(ir, ORYX_T_I64, ORYX_T_I32, f2));
            oryx_goto(ir, 4, 0);
            uint64_t start = 0xfffffffffffffff0, sum = (start + 0x21) & mask, in = 0;
            memcpy(r->mem + 64, &start, 8);
            set_reg(r, 0, 0x21, 0);
            set_reg(r, 1, sum, 0);
            set_reg(r, 2, 0x1234567890abcdef, 0);
            set_reg(r, 3, 0x0f0f0f0f0f0f0f0f, 0);
            set_reg(r, 4, 0x9999999999999999, 0);
            assert_int_equal(rig_run(r), ORYX_LEAVE_LINK);
            memcpy(&in, r->mem + 64, 8);
            assert_int_equal(get_reg(r, 5).lo, start & mask);
            assert_int_equal(get_reg(r, 6).lo, sum);
            assert_int_equal(get_reg(r, 7).lo, 0x1234567890abcdef & mask);
            assert_int_equal(get_reg(r, 8).lo, 0);
            assert_int_equal(get_reg(r, 9).lo, 1);
            assert_int_equal(in, (start & ~mask) | (0x0f0f0f0f0f0f0f0f & mask));
        }
        /* 128 bits, and CLREX */
        oryx_ir *ir = rig_begin(r, 0);
        rig_insn(r, 0);
        oryx_val a = oryx_const(ir, ORYX_T_I64, MEM + 64);
        oryx_val now = oryx_cas(ir, ORYX_T_V128, a, oryx_get(ir, ORYX_T_V128, REG(1)), oryx_get(ir, ORYX_T_V128, REG(2)), 4);
        oryx_val x = oryx_ldx(ir, ORYX_T_V128, a, 4);
        oryx_ir_emit(ir, ORYX_OP_CLREX, 0, 0, 0, 0, 0, 0);
        oryx_val f = oryx_stx(ir, ORYX_T_V128, a, oryx_get(ir, ORYX_T_V128, REG(3)), 4);
        oryx_ir_emit(ir, ORYX_OP_FENCE, 0, 0, 0, 0, 0, ORYX_ORDER_SEQ);
        oryx_put(ir, ORYX_T_V128, REG(4), now);
        oryx_put(ir, ORYX_T_V128, REG(5), x);
        oryx_put(ir, ORYX_T_I32, REG(6), f);
        oryx_goto(ir, 4, 0);
        memset(r->mem + 64, 0x5a, 16);
        set_reg(r, 1, 0x5a5a5a5a5a5a5a5a, 0x5a5a5a5a5a5a5a5a);
        set_reg(r, 2, 1, 2);
        assert_int_equal(rig_run(r), ORYX_LEAVE_LINK);
        assert_int_equal(get_reg(r, 4).hi, 0x5a5a5a5a5a5a5a5a);
        assert_int_equal(get_reg(r, 5).lo, 1);
        assert_int_equal(get_reg(r, 5).hi, 2);
        assert_int_equal(get_reg(r, 6).lo & 0xffffffff, 1);
    }
}

/* --- faults ------------------------------------------------------------------------------------------------------------ */

/* Five instructions that count in registers; number `bad` accesses memory outside. */
static void faulting_block(rig *r, unsigned op, unsigned bad)
{
    oryx_ir *ir = rig_begin(r, 0x1000);
    for (unsigned i = 0; i < 5; i++) {
        rig_insn(r, 0x1000 + 4 * i);
        oryx_val x = oryx_get(ir, ORYX_T_I64, REG(0)), v = 0;
        oryx_val a = oryx_const(ir, ORYX_T_I64, i == bad ? 0x100 : MEM);
        oryx_val z = oryx_const(ir, ORYX_T_I32, 0);
        switch (op) {
        case ORYX_OP_LOAD: v = oryx_load(ir, ORYX_T_I32, a, ORYX_MO_32); break;
        case ORYX_OP_STORE: oryx_store(ir, ORYX_T_I32, a, z, ORYX_MO_32); break;
        case ORYX_OP_RMW: v = oryx_rmw(ir, ORYX_RMW_ADD, ORYX_T_I32, a, z, ORYX_MO_32); break;
        case ORYX_OP_CAS: v = oryx_cas(ir, ORYX_T_I32, a, z, z, ORYX_MO_32); break;
        case ORYX_OP_LDX: v = oryx_ldx(ir, ORYX_T_I32, a, ORYX_MO_32); break;
        default:
            oryx_ldx(ir, ORYX_T_I32, oryx_const(ir, ORYX_T_I64, MEM), ORYX_MO_32);
            r->cpu->monitor.active = 0;
            v = oryx_load(ir, ORYX_T_I32, a, ORYX_MO_32 | ORYX_MO_ALIGN(2));
            break;
        }
        if (v)
            oryx_put(ir, ORYX_T_I32, REG(1), v);
        oryx_put(ir, ORYX_T_I64, REG(0), oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, x, oryx_const(ir, ORYX_T_I64, 1)));
    }
    oryx_goto(ir, 0x1014, 0);
}

static void faults(void **st)
{
    (void)st;
    static const uint16_t ops[] = { ORYX_OP_LOAD, ORYX_OP_STORE, ORYX_OP_RMW, ORYX_OP_CAS, ORYX_OP_LDX, ORYX_OP_STX };
    BOTH(r) for (unsigned k = 0; k < 6; k++) for (unsigned bad = 0; bad < 5; bad++) {
        oryx_tb tb;
        faulting_block(r, ops[k], bad);
        rig_compile(r, &tb);
        set_reg(r, 0, 100, 0);
        set_reg(r, 1, 0x7777777777777777, 0);
        r->cpu->slice.left = 50;
        assert_int_equal(rig_enter(r, &tb), ORYX_LEAVE_EXC);
        assert_int_equal(get_reg(r, 0).lo, 100 + bad);
        assert_int_equal(get_reg(r, 1).lo, bad && ops[k] != ORYX_OP_STORE ? 0x7777777700000000 : 0x7777777777777777);
        assert_int_equal(rig_pc(), 0x1000 + 4 * bad);
        assert_int_equal(r->cpu->exc.pc, 0x1000 + 4 * bad);
        assert_int_equal(r->cpu->exc.kind, ORYX_EXC_MEMORY);
        assert_int_equal(r->cpu->exc.addr, 0x100);
        assert_int_equal(r->cpu->slice.left, 50 - bad);
        assert_int_equal(r->seen_pc, 0x1000 + 4 * bad);
        r->ops->discard(r->engine, &tb);
    }
}

/* What an exception op says. The instruction is given back whatever it raises: the core counts it where it retires. */
static void raises(void **st)
{
    (void)st;
    static const struct {
        uint32_t kind;
        uint64_t pc;
    } t[] = { { ORYX_EXC_SYSCALL, 0x1008 }, { ORYX_EXC_UNDEFINED, 0x1004 }, { ORYX_EXC_BREAKPOINT, 0x1004 },
              { ORYX_EXC_WAIT, 0x1008 } };
    BOTH(r) for (unsigned k = 0; k < 4; k++) {
        oryx_ir *ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_put(ir, ORYX_T_I64, REG(0), oryx_const(ir, ORYX_T_I64, 5));
        rig_insn(r, 0x1004);
        oryx_put(ir, ORYX_T_I64, REG(1), oryx_const(ir, ORYX_T_I64, 6));
        oryx_raise(ir, t[k].kind, oryx_const(ir, ORYX_T_I64, 0x123456789a), t[k].pc);
        set_reg(r, 0, 0, 0);
        set_reg(r, 1, 0, 0);
        assert_int_equal(rig_run(r), ORYX_LEAVE_EXC);
        assert_int_equal(r->cpu->exc.kind, t[k].kind);
        assert_int_equal(r->cpu->exc.syndrome, 0x123456789a);
        assert_int_equal(r->cpu->exc.pc, t[k].pc);
        assert_int_equal(r->cpu->exc.status, ORYX_OK);
        assert_int_equal(rig_pc(), t[k].pc);
        assert_int_equal(get_reg(r, 0).lo, 5);
        assert_int_equal(get_reg(r, 1).lo, 6);
        assert_int_equal(r->cpu->slice.left, 999);
    }
}

/* --- control ------------------------------------------------------------------------------------------------------------- */

/* A block at pc that adds `by` to register 0 and continues at `to` through slot 0. */
static void adder(rig *r, oryx_tb *tb, uint64_t pc, uint64_t by, uint64_t to, unsigned insns)
{
    oryx_ir *ir = rig_begin(r, pc);
    for (unsigned i = 0; i < insns; i++) {
        rig_insn(r, pc + 4 * i);
        oryx_val s = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, oryx_get(ir, ORYX_T_I64, REG(0)), oryx_const(ir, ORYX_T_I64, by));
        oryx_put(ir, ORYX_T_I64, REG(0), s);
    }
    oryx_goto(ir, to, 0);
    rig_compile(r, tb);
}

static void chaining(void **st)
{
    (void)st;
    BOTH(r) {
        oryx_tb a, b;
        adder(r, &a, 0x1000, 1, 0x2000, 2);
        adder(r, &b, 0x2000, 100, 0x1000, 3);
        set_reg(r, 0, 0, 0);
        r->cpu->slice.left = 100;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LINK);
        assert_ptr_equal(r->leave.tb, &a);
        assert_int_equal(r->leave.slot, 0);
        assert_int_equal(rig_pc(), 0x2000);
        a.link[0] = &b;
        b.link[0] = &a;
        set_reg(r, 0, 0, 0);
        r->cpu->slice.left = 12; /* a b a b needs 10; a third a fits exactly, a third b does not */
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_BUDGET);
        assert_int_equal(get_reg(r, 0).lo, 606);
        assert_int_equal(r->cpu->slice.left, 0);
        assert_int_equal(rig_pc(), 0x2000);
        r->cpu->slice.left = 2;
        assert_int_equal(rig_enter(r, &b), ORYX_LEAVE_BUDGET);
        assert_int_equal(r->cpu->slice.left, 2);
        assert_int_equal(get_reg(r, 0).lo, 606);
        /* a kick leaves before anything runs */
        r->cpu->slice.left = 50;
        r->cpu->slice.kick = -1;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_BUDGET);
        assert_int_equal(r->cpu->slice.left, 50);
        r->cpu->slice.kick = 0;
        /* an invalid target is not entered */
        b.flags = ORYX_TB_INVALID;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LINK);
        assert_int_equal(r->cpu->slice.left, 48);
        r->ops->discard(r->engine, &a);
        r->ops->discard(r->engine, &b);
    }
}

static void indirect(void **st)
{
    (void)st;
    BOTH(r) {
        oryx_tb a, b;
        oryx_ir *ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_gotoi(ir, oryx_get(ir, ORYX_T_I64, REG(1)), ORYX_HINT_JUMP);
        rig_compile(r, &a);
        adder(r, &b, 0x2000, 1, 0x3000, 1);
        set_reg(r, 0, 0, 0);
        set_reg(r, 1, 0x2000, 0);
        r->cpu->slice.left = 100;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LOOKUP);
        assert_int_equal(rig_pc(), 0x2000);
        r->jumps[oryx_jump_hash(0x2000)] = &b;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LINK);
        assert_ptr_equal(r->leave.tb, &b);
        assert_int_equal(get_reg(r, 0).lo, 1);
        r->cpu->mode = 7; /* the same pc in another mode is another block */
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LOOKUP);
        b.mode = 7;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LINK);
        b.flags = ORYX_TB_INVALID;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LOOKUP);
        r->cpu->mode = 0;
        r->jumps[oryx_jump_hash(0x2000)] = NULL;
        r->ops->discard(r->engine, &a);
        r->ops->discard(r->engine, &b);
        /* SETMODE: links of the old mode are not followed */
        ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_ir_emit(ir, ORYX_OP_SETMODE, 0, 0, oryx_const(ir, ORYX_T_I64, 9), 0, 0, 0);
        oryx_goto(ir, 0x2000, 0);
        rig_compile(r, &a);
        a.link[0] = &a;
        assert_int_equal(rig_enter(r, &a), ORYX_LEAVE_LOOKUP);
        assert_int_equal(r->cpu->mode, 9);
        r->cpu->mode = 0;
        r->ops->discard(r->engine, &a);
        /* RESYNC */
        ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_resync(ir, 0x1004);
        assert_int_equal(rig_run(r), ORYX_LEAVE_RESYNC);
        assert_int_equal(rig_pc(), 0x1004);
        assert_int_equal(r->cpu->slice.left, 999);
    }
}

/* Early exits give back what was not executed; loops inside one instruction through locals. */
static void inside(void **st)
{
    (void)st;
    BOTH(r) {
        oryx_tb tb;
        oryx_ir *ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_brc(ir, oryx_trunc(ir, ORYX_T_I1, ORYX_T_I64, oryx_get(ir, ORYX_T_I64, REG(0))), 1);
        oryx_goto(ir, 0x5000, 1);
        oryx_label(ir, 1);
        rig_insn(r, 0x1004);
        /* sum of 1..n, n in register 1, by a backward branch */
        oryx_local_put(ir, ORYX_T_I64, 3, oryx_get(ir, ORYX_T_I64, REG(1)));
        oryx_local_put(ir, ORYX_T_I64, 4, oryx_const(ir, ORYX_T_I64, 0));
        oryx_label(ir, 2);
        oryx_val n = oryx_local_get(ir, ORYX_T_I64, 3);
        oryx_local_put(ir, ORYX_T_I64, 4, oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, oryx_local_get(ir, ORYX_T_I64, 4), n));
        oryx_val m = oryx_bin(ir, ORYX_OP_SUB, ORYX_T_I64, n, oryx_const(ir, ORYX_T_I64, 1));
        oryx_local_put(ir, ORYX_T_I64, 3, m);
        oryx_brc(ir, oryx_cmp(ir, ORYX_CC_NE, ORYX_T_I64, m, oryx_const(ir, ORYX_T_I64, 0)), 2);
        oryx_put(ir, ORYX_T_I64, REG(2), oryx_local_get(ir, ORYX_T_I64, 4));
        oryx_br(ir, 3);
        oryx_label(ir, 3);
        rig_insn(r, 0x1008);
        oryx_ir_emit(ir, ORYX_OP_SLOTADD, 0, 0, oryx_get(ir, ORYX_T_I64, REG(2)), 0, 0, 5);
        oryx_goto(ir, 0x100c, 0);
        rig_compile(r, &tb);
        set_reg(r, 0, 2, 0);
        r->cpu->slice.left = 100;
        assert_int_equal(rig_enter(r, &tb), ORYX_LEAVE_LINK);
        assert_int_equal(r->leave.slot, 1);
        assert_int_equal(r->cpu->slice.left, 99);
        set_reg(r, 0, 3, 0);
        set_reg(r, 1, 1000, 0);
        assert_int_equal(rig_enter(r, &tb), ORYX_LEAVE_LINK);
        assert_int_equal(r->leave.slot, 0);
        assert_int_equal(r->cpu->slice.left, 96);
        assert_int_equal(get_reg(r, 2).lo, 500500);
        assert_int_equal(r->slots[5], 500500);
        r->slots[5] = 0;
        r->ops->discard(r->engine, &tb);
    }
}

/* A store in instruction 2 of 5 invalidates the block: that instruction is finished, the next not begun. */
static void self_modifying(void **st)
{
    (void)st;
    BOTH(r) for (unsigned writer = 0; writer < 5; writer++) for (int late_fault = 0; late_fault < 2; late_fault++) {
        oryx_tb tb;
        oryx_ir *ir = rig_begin(r, 0x1000);
        for (unsigned i = 0; i < 5; i++) {
            rig_insn(r, 0x1000 + 4 * i);
            oryx_val x = oryx_get(ir, ORYX_T_I64, REG(0));
            if (i == writer) {
                oryx_store(ir, ORYX_T_I64, oryx_const(ir, ORYX_T_I64, MEM + NEAR), x, ORYX_MO_64);
                if (late_fault)
                    oryx_load(ir, ORYX_T_I64, oryx_const(ir, ORYX_T_I64, 0x10), ORYX_MO_64);
                /* a branch inside the instruction still works */
                oryx_brc(ir, oryx_const(ir, ORYX_T_I1, 1), 9);
                oryx_put(ir, ORYX_T_I64, REG(1), x);
                oryx_label(ir, 9);
                x = oryx_get(ir, ORYX_T_I64, REG(0));
            }
            oryx_put(ir, ORYX_T_I64, REG(0), oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, x, oryx_const(ir, ORYX_T_I64, 1)));
        }
        oryx_goto(ir, 0x1014, 0);
        rig_compile(r, &tb);
        set_reg(r, 0, 0, 0);
        set_reg(r, 1, 55, 0);
        r->cpu->slice.left = 100;
        r->invalidate = &tb;
        tb.link[0] = &tb; /* must not be followed: it is invalid */
        uint32_t why = rig_enter(r, &tb);
        r->invalidate = NULL;
        assert_int_equal(get_reg(r, 1).lo, 55);
        if (late_fault) {
            assert_int_equal(why, ORYX_LEAVE_EXC);
            assert_int_equal(get_reg(r, 0).lo, writer);
            assert_int_equal(rig_pc(), 0x1000 + 4 * writer);
            assert_int_equal(r->cpu->exc.pc, 0x1000 + 4 * writer);
            assert_int_equal(r->cpu->slice.left, 100 - writer);
        } else {
            assert_int_equal(why, ORYX_LEAVE_LOOKUP);
            assert_int_equal(get_reg(r, 0).lo, writer + 1);
            assert_int_equal(rig_pc(), 0x1004 + 4 * writer);
            assert_int_equal(r->cpu->slice.left, 99 - writer);
        }
        r->ops->discard(r->engine, &tb);
    }
}

/* --- calls ---------------------------------------------------------------------------------------------------------------- */

static uint64_t h_mix(oryx_cpu *cpu, uint64_t a, uint32_t b, uint64_t c, uint32_t d, uint64_t e)
{
    assert_ptr_equal(cpu, the_rig->cpu);
    uint64_t five = 5;
    memcpy(cpu->state + REG(9), &five, 8); /* writes state */
    return a + 10 * (uint64_t)b + 100 * c + 1000 * (uint64_t)d + 10000 * e;
}

static void h_vec(oryx_v128 *ret, oryx_cpu *cpu, const oryx_v128 *a, uint32_t n)
{
    memset(cpu->state + REG(3), 0xee, 16); /* where a came from */
    ret->lo = a->hi + n;
    ret->hi = a->lo;
}

static void h_fault(oryx_cpu *cpu, uint32_t yes)
{
    if (yes) {
        cpu->exc.kind = ORYX_EXC_TRAP;
        cpu->exc.syndrome = 77;
    }
}

static double h_scale(oryx_cpu *cpu, double a, float b)
{
    (void)cpu;
    return a * (double)b;
}

static const oryx_helper helper_rows[] = {
    { "mix", "u64(vcpu,u64,u32,u64,u32,u64)", "S", (void (*)(void))h_mix },
    { "vec", "v128(vcpu,v128,u32)", "S", (void (*)(void))h_vec },
    { "fault", "void(vcpu,u32)", "R", (void (*)(void))h_fault },
    { "scale", "f64(vcpu,f64,f32)", "E", (void (*)(void))h_scale },
};
static const oryx_helper_entry helper_entries[] = {
    { .helper = &helper_rows[0], .n_args = 5, .takes_vcpu = 1, .ret = ORYX_T_I64,
      .args = { ORYX_T_I64, ORYX_T_I32, ORYX_T_I64, ORYX_T_I32, ORYX_T_I64 } },
    { .helper = &helper_rows[1], .n_args = 2, .takes_vcpu = 1, .ret = ORYX_T_V128, .args = { ORYX_T_V128, ORYX_T_I32 } },
    { .helper = &helper_rows[2], .n_args = 1, .takes_vcpu = 1, .ret = ORYX_T_VOID, .may_fault = 1, .args = { ORYX_T_I32 } },
    { .helper = &helper_rows[3], .n_args = 2, .takes_vcpu = 1, .ret = ORYX_T_F64, .args = { ORYX_T_F64, ORYX_T_F32 } },
};

static const oryx_helper_entry *rig_helper_get(oryx_machine *m, uint32_t id)
{
    (void)m;
    return id < 4 ? &helper_entries[id] : NULL;
}

static void rig_helper_call(const oryx_helper_entry *e, oryx_cpu *cpu, void *const *args, void *ret)
{
    double a;
    float b;
    assert_ptr_equal(e, &helper_entries[3]);
    memcpy(&a, args[0], 8);
    memcpy(&b, args[1], 4);
    a = h_scale(cpu, a, b);
    memcpy(ret, &a, 8);
}

static void calls(void **st)
{
    (void)st;
    BOTH(r) {
        oryx_tb tb;
        r->host.helper_get = rig_helper_get;
        r->host.helper_call = rig_helper_call;
        oryx_ir *ir = rig_begin(r, 0x1000);
        rig_insn(r, 0x1000);
        oryx_val nine = oryx_get(ir, ORYX_T_I64, REG(9));
        oryx_val v[5] = { oryx_get(ir, ORYX_T_I64, REG(0)), oryx_get(ir, ORYX_T_I32, REG(1)), oryx_const(ir, ORYX_T_I64, 3),
                          oryx_const(ir, ORYX_T_I32, 4), oryx_get(ir, ORYX_T_I64, REG(2)) };
        oryx_val m = oryx_call(ir, 0, ORYX_T_I64, v, 5);
        oryx_put(ir, ORYX_T_I64, REG(10), m);
        oryx_put(ir, ORYX_T_I64, REG(11), nine); /* read before the helper changed it */
        oryx_put(ir, ORYX_T_I64, REG(12), oryx_get(ir, ORYX_T_I64, REG(9)));
        rig_insn(r, 0x1004);
        oryx_val w[2] = { oryx_get(ir, ORYX_T_V128, REG(3)), oryx_const(ir, ORYX_T_I32, 7) };
        oryx_put(ir, ORYX_T_V128, REG(13), oryx_call(ir, 1, ORYX_T_V128, w, 2));
        rig_insn(r, 0x1008);
        oryx_val x[2] = { oryx_get(ir, ORYX_T_F64, REG(4)), oryx_get(ir, ORYX_T_F32, REG(5)) };
        oryx_put(ir, ORYX_T_F64, REG(14), oryx_call(ir, 3, ORYX_T_F64, x, 2));
        rig_insn(r, 0x100c);
        oryx_val y[1] = { oryx_get(ir, ORYX_T_I32, REG(6)) };
        oryx_call(ir, 2, ORYX_T_VOID, y, 1);
        oryx_put(ir, ORYX_T_I64, REG(15), oryx_const(ir, ORYX_T_I64, 1));
        oryx_goto(ir, 0x1010, 0);
        rig_compile(r, &tb);
        for (int fault = 0; fault < 2; fault++) {
            set_reg(r, 0, 1, 0);
            set_reg(r, 1, 0xffffffff00000002, 0);
            set_reg(r, 2, 5, 0);
            set_reg(r, 3, 0x1000, 0x2000);
            double d = 1.5;
            float f = 3.0f;
            memcpy(r->cpu->state + REG(4), &d, 8);
            memcpy(r->cpu->state + REG(5), &f, 4);
            set_reg(r, 6, (uint64_t)fault, 0);
            set_reg(r, 9, 9, 0);
            set_reg(r, 15, 0, 0);
            r->cpu->slice.left = 10;
            assert_int_equal(rig_enter(r, &tb), fault ? ORYX_LEAVE_EXC : ORYX_LEAVE_LINK);
            assert_int_equal(get_reg(r, 10).lo, 1 + 20 + 300 + 4000 + 50000);
            assert_int_equal(get_reg(r, 11).lo, 9);
            assert_int_equal(get_reg(r, 12).lo, 5);
            assert_int_equal(get_reg(r, 13).lo, 0x2007);
            assert_int_equal(get_reg(r, 13).hi, 0x1000);
            memcpy(&d, r->cpu->state + REG(14), 8);
            assert_true(d == 4.5);
            assert_int_equal(get_reg(r, 15).lo, !fault);
            assert_int_equal(r->cpu->slice.left, fault ? 7 : 6);
            if (fault) {
                assert_int_equal(r->cpu->exc.kind, ORYX_EXC_TRAP);
                assert_int_equal(r->cpu->exc.pc, 0x100c);
                assert_int_equal(rig_pc(), 0x100c);
            }
        }
        r->ops->discard(r->engine, &tb);
    }
}

/* Blocks an engine must refuse, with a line that says where. */
static void refusals(void **st)
{
    (void)st;
    BOTH(r) {
        oryx_tb tb = { 0 };
        oryx_error err = { 0 };
        r->host.helper_get = rig_helper_get;
        oryx_ir *ir = rig_begin(r, 0xabc0);
        rig_insn(r, 0xabc0);
        oryx_br(ir, 3);
        assert_int_equal(r->ops->compile(r->engine, ir, &tb, &err), ORYX_E_IR);
        assert_non_null(strstr(err.text, "abc0"));
        ir = rig_begin(r, 0xabc0);
        rig_insn(r, 0xabc0);
        oryx_call(ir, 99, ORYX_T_VOID, NULL, 0);
        oryx_goto(ir, 0, 0);
        assert_int_equal(r->ops->compile(r->engine, ir, &tb, &err), ORYX_E_IR);
        assert_non_null(strstr(err.text, "CALL"));
        ir = rig_begin(r, 0xabc0);
        oryx_ir_emit(ir, ORYX_OP_COUNT, 0, 0, 0, 0, 0, 0);
        assert_int_equal(r->ops->compile(r->engine, ir, &tb, &err), ORYX_E_UNSUPPORTED);
        ir = rig_begin(r, 0xabc0);
        rig_insn(r, 0xabc0);
        oryx_put(ir, ORYX_T_I64, 0, 500);
        assert_int_equal(r->ops->compile(r->engine, ir, &tb, &err), ORYX_E_IR);
        assert_null(tb.code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(loads), cmocka_unit_test(stores), cmocka_unit_test(atomics),
                                        cmocka_unit_test(faults), cmocka_unit_test(raises), cmocka_unit_test(chaining),
                                        cmocka_unit_test(indirect), cmocka_unit_test(inside), cmocka_unit_test(self_modifying),
                                        cmocka_unit_test(calls), cmocka_unit_test(refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
