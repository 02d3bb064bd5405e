/* Binary arithmetic and logic, exchange and compare-and-exchange: SDM 1 5.1.1, 5.1.2, 5.1.4.
 *
 * With LOCK, and for XCHG with memory, the destination is accessed by one atomic operation, or by a
 * loop around a compare-and-swap where the IR has none of that kind. */
#include "x86.h"

enum { OLD }; /* local */

/* Destination = f(destination, b), atomically, by compare-and-swap; the old value is left in local
 * OLD. f may use flags. */
static void swap_loop(x86_lift *l, unsigned type,
                      oryx_val (*f)(x86_lift *l, unsigned type, oryx_val old))
{
    uint32_t again = x86_label(l);
    x86_place(l, again);
    oryx_val old = oryx_load(l->ir, type, x86_ea(l, 0), x86_memop(type));
    oryx_val got = oryx_cas(l->ir, type, x86_ea(l, 0), old, f(l, type, old), x86_memop(type));
    oryx_local_put(l->ir, type, OLD, old);
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_NE, type, got, old), again);
    l->ea = 0;
}

/* Old value of the destination after an atomic read-modify-write of kind ORYX_RMW_*. */
static oryx_val fetch(x86_lift *l, unsigned kind, unsigned type, oryx_val b)
{
    return oryx_rmw(l->ir, kind, type, x86_ea(l, 0), b, x86_memop(type));
}

static oryx_val carry_as(x86_lift *l, unsigned type)
{
    return oryx_zext(l->ir, type, I1, x86_carry(l));
}

ORYX_INSN(ADD,
          "04 ib AL,Ib; 05 iz rAX,Iz; 80 /0 ib Eb,Ib; 81 /0 iz Ev,Iz; 83 /0 ib Ev,Ib; 00 /r Eb,Gb; "
          "01 /r Ev,Gv; 02 /r Gb,Eb; "
          "03 /r Gv,Ev",
          BASE)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 1);
    oryx_val a = x86_locked(l) ? fetch(l, ORYX_RMW_ADD, type, b) : x86_read(l, 0);
    if (!x86_locked(l))
        x86_write(l, 0, x86_bin(l, ORYX_OP_ADD, type, a, b));
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_ADD, type, a, b, 0));
}

ORYX_INSN(SUB,
          "2c ib AL,Ib; 2d iz rAX,Iz; 80 /5 ib Eb,Ib; 81 /5 iz Ev,Iz; 83 /5 ib Ev,Ib; 28 /r Eb,Gb; "
          "29 /r Ev,Gv; 2a /r Gb,Eb; "
          "2b /r Gv,Ev",
          BASE)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 1);
    oryx_val a = x86_locked(l) ? fetch(l, ORYX_RMW_ADD, type, oryx_un(l->ir, ORYX_OP_NEG, type, b))
                               : x86_read(l, 0);
    if (!x86_locked(l))
        x86_write(l, 0, x86_bin(l, ORYX_OP_SUB, type, a, b));
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_SUB, type, a, b, 0));
}

ORYX_INSN(CMP,
          "3c ib AL,Ib; 3d iz rAX,Iz; 80 /7 ib Eb,Ib; 81 /7 iz Ev,Iz; 83 /7 ib Ev,Ib; 38 /r Eb,Gb; "
          "39 /r Ev,Gv; 3a /r Gb,Eb; "
          "3b /r Gv,Ev",
          BASE)
{
    oryx_val a = x86_read(l, 0);
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_SUB, x86_op_type(l, 0), a, x86_read(l, 1), 0));
}

static oryx_val plus_carry(x86_lift *l, unsigned type, oryx_val old)
{
    return x86_bin(l, ORYX_OP_ADD, type, x86_bin(l, ORYX_OP_ADD, type, old, x86_read(l, 1)),
                   carry_as(l, type));
}

static oryx_val minus_carry(x86_lift *l, unsigned type, oryx_val old)
{
    return x86_bin(l, ORYX_OP_SUB, type, x86_bin(l, ORYX_OP_SUB, type, old, x86_read(l, 1)),
                   carry_as(l, type));
}

static void with_carry(x86_lift *l, unsigned kind,
                       oryx_val (*f)(x86_lift *l, unsigned type, oryx_val old))
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a, b;
    if (x86_locked(l)) {
        swap_loop(l, type, f);
        a = oryx_local_get(l->ir, type, OLD);
    } else {
        a = x86_read(l, 0);
    }
    b = x86_read(l, 1);
    oryx_val carry = x86_carry(l);
    if (!x86_locked(l)) {
        unsigned op = kind == ORYX_FL_ADC ? ORYX_OP_ADD : ORYX_OP_SUB;
        oryx_val v =
            x86_bin(l, op, type, x86_bin(l, op, type, a, b), oryx_zext(l->ir, type, I1, carry));
        x86_write(l, 0, v);
    }
    x86_set_flags(l, oryx_flmake(l->ir, kind, type, a, b, carry));
}

ORYX_INSN(ADC,
          "14 ib AL,Ib; 15 iz rAX,Iz; 80 /2 ib Eb,Ib; 81 /2 iz Ev,Iz; 83 /2 ib Ev,Ib; 10 /r Eb,Gb; "
          "11 /r Ev,Gv; 12 /r Gb,Eb; "
          "13 /r Gv,Ev",
          BASE)
{
    with_carry(l, ORYX_FL_ADC, plus_carry);
}

ORYX_INSN(SBB,
          "1c ib AL,Ib; 1d iz rAX,Iz; 80 /3 ib Eb,Ib; 81 /3 iz Ev,Iz; 83 /3 ib Ev,Ib; 18 /r Eb,Gb; "
          "19 /r Ev,Gv; 1a /r Gb,Eb; "
          "1b /r Gv,Ev",
          BASE)
{
    with_carry(l, ORYX_FL_SBC, minus_carry);
}

static void logic(x86_lift *l, unsigned op, unsigned kind)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 1);
    oryx_val a = x86_locked(l) ? fetch(l, kind, type, b) : x86_read(l, 0);
    oryx_val v = x86_bin(l, op, type, a, b);
    if (!x86_locked(l))
        x86_write(l, 0, v);
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, type, v, 0, 0));
}

ORYX_INSN(AND,
          "24 ib AL,Ib; 25 iz rAX,Iz; 80 /4 ib Eb,Ib; 81 /4 iz Ev,Iz; 83 /4 ib Ev,Ib; 20 /r Eb,Gb; "
          "21 /r Ev,Gv; 22 /r Gb,Eb; "
          "23 /r Gv,Ev",
          BASE)
{
    logic(l, ORYX_OP_AND, ORYX_RMW_AND);
}

ORYX_INSN(OR,
          "0c ib AL,Ib; 0d iz rAX,Iz; 80 /1 ib Eb,Ib; 81 /1 iz Ev,Iz; 83 /1 ib Ev,Ib; 08 /r Eb,Gb; "
          "09 /r Ev,Gv; 0a /r Gb,Eb; "
          "0b /r Gv,Ev",
          BASE)
{
    logic(l, ORYX_OP_OR, ORYX_RMW_OR);
}

ORYX_INSN(XOR,
          "34 ib AL,Ib; 35 iz rAX,Iz; 80 /6 ib Eb,Ib; 81 /6 iz Ev,Iz; 83 /6 ib Ev,Ib; 30 /r Eb,Gb; "
          "31 /r Ev,Gv; 32 /r Gb,Eb; "
          "33 /r Gv,Ev",
          BASE)
{
    logic(l, ORYX_OP_XOR, ORYX_RMW_XOR);
}

ORYX_INSN(TEST,
          "a8 ib AL,Ib; a9 iz rAX,Iz; f6 /0 ib Eb,Ib; f7 /0 iz Ev,Iz; 84 /r Eb,Gb; 85 /r Ev,Gv",
          BASE)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a = x86_read(l, 0);
    oryx_val v = x86_bin(l, ORYX_OP_AND, type, a, x86_read(l, 1));
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, type, v, 0, 0));
}

/* INC and DEC leave the carry alone. */
static void step(x86_lift *l, unsigned kind)
{
    unsigned type = x86_op_type(l, 0);
    bool up = kind == ORYX_FL_ADD;
    oryx_val one = x86_imm(l, type, 1);
    oryx_val a = x86_locked(l)
                     ? fetch(l, ORYX_RMW_ADD, type, x86_imm(l, type, up ? 1 : ~(uint64_t)0))
                     : x86_read(l, 0);
    if (!x86_locked(l))
        x86_write(l, 0, x86_bin(l, up ? ORYX_OP_ADD : ORYX_OP_SUB, type, a, one));
    oryx_val fl = oryx_flmake(l->ir, kind, type, a, one, 0);
    x86_set_flags(l, x86_flags_mix(l, fl, ORYX_FLAG_C, oryx_zext(l->ir, I32, I1, x86_carry(l))));
}

ORYX_INSN(INC, "fe /0 Eb; ff /0 Ev; 40+r Zv", BASE)
{
    step(l, ORYX_FL_ADD);
}

ORYX_INSN(DEC, "fe /1 Eb; ff /1 Ev; 48+r Zv", BASE)
{
    step(l, ORYX_FL_SUB);
}

static oryx_val negated(x86_lift *l, unsigned type, oryx_val old)
{
    return oryx_un(l->ir, ORYX_OP_NEG, type, old);
}

ORYX_INSN(NEG, "f6 /3 Eb; f7 /3 Ev", BASE)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val a;
    if (x86_locked(l)) {
        swap_loop(l, type, negated);
        a = oryx_local_get(l->ir, type, OLD);
    } else {
        a = x86_read(l, 0);
        x86_write(l, 0, negated(l, type, a));
    }
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_SUB, type, x86_imm(l, type, 0), a, 0));
}

ORYX_INSN(NOT, "f6 /2 Eb; f7 /2 Ev", BASE)
{
    unsigned type = x86_op_type(l, 0);
    if (x86_locked(l))
        fetch(l, ORYX_RMW_XOR, type, x86_imm(l, type, ~(uint64_t)0));
    else
        x86_write(l, 0, oryx_un(l->ir, ORYX_OP_NOT, type, x86_read(l, 0)));
}

/* --- Exchange
 * ------------------------------------------------------------------------------------------------------
 */

/* Memory is always locked; either operand may be it. */
ORYX_INSN(XCHG, "90+r Zv,rAX; 86 /r Eb,Gb; 87 /r Ev,Gv", BASE)
{
    unsigned type = x86_op_type(l, 0), m = x86_is_mem(l, 1);
    if (x86_is_mem(l, m)) {
        oryx_val b = x86_read(l, !m);
        x86_write(l, !m, oryx_rmw(l->ir, ORYX_RMW_SWAP, type, x86_ea(l, m), b, x86_memop(type)));
        return;
    }
    oryx_val a = x86_read(l, 0), b = x86_read(l, 1);
    x86_write(l, 0, b);
    x86_write(l, 1, a);
}

/* The destination is written last: XADD of a register with itself leaves the sum. */
ORYX_INSN(XADD, "0f c0 /r Eb,Gb; 0f c1 /r Ev,Gv", I486)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val b = x86_read(l, 1);
    oryx_val a = x86_locked(l) ? fetch(l, ORYX_RMW_ADD, type, b) : x86_read(l, 0);
    oryx_val v = x86_bin(l, ORYX_OP_ADD, type, a, b);
    if (x86_is_mem(l, 0) && !x86_locked(l))
        x86_write(l, 0, v);
    x86_write(l, 1, a);
    if (!x86_is_mem(l, 0))
        x86_write(l, 0, v);
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_ADD, type, a, b, 0));
}

/* The destination is written even when it differs (with its own value), so a read-only page faults.
 */
ORYX_INSN(CMPXCHG, "0f b0 /r Eb,Gb; 0f b1 /r Ev,Gv", I486)
{
    unsigned type = x86_op_type(l, 0);
    oryx_val acc = x86_r(l, type, X86_RAX), b = x86_read(l, 1), old;
    if (x86_is_mem(l, 0))
        old = oryx_cas(l->ir, type, x86_ea(l, 0), acc, b, x86_memop(type));
    else
        old = x86_read(l, 0);
    oryx_val equal = oryx_cmp(l->ir, ORYX_CC_EQ, type, acc, old);
    if (type == I32) {
        /* What does not change keeps its high half. */
        oryx_val wide = oryx_get(l->ir, I64, X86_OFF_R(X86_RAX)),
                 loaded = oryx_zext(l->ir, I64, I32, old);
        if (!x86_is_mem(l, 0)) {
            unsigned n = (unsigned)(l->op[0].reg.value - ZYDIS_REGISTER_EAX);
            oryx_val kept = oryx_get(l->ir, I64, X86_OFF_R(n));
            oryx_put(l->ir, I64, X86_OFF_R(n),
                     oryx_select(l->ir, I64, equal, oryx_zext(l->ir, I64, I32, b), kept));
            if (n == X86_RAX) {
                x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_SUB, type, acc, old, 0));
                return;
            }
        }
        oryx_put(l->ir, I64, X86_OFF_R(X86_RAX), oryx_select(l->ir, I64, equal, wide, loaded));
    } else {
        if (!x86_is_mem(l, 0))
            x86_write(l, 0, oryx_select(l->ir, type, equal, b, old));
        bool same = !x86_is_mem(l, 0) && (l->op[0].reg.value == ZYDIS_REGISTER_AL ||
                                          l->op[0].reg.value == ZYDIS_REGISTER_AX ||
                                          l->op[0].reg.value == ZYDIS_REGISTER_RAX);
        if (!same)
            x86_set_r(l, type, X86_RAX, oryx_select(l->ir, type, equal, acc, old));
    }
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_SUB, type, acc, old, 0));
}

static void set_zero_flag(x86_lift *l, oryx_val i1)
{
    oryx_val bit = x86_bini(l, ORYX_OP_SHL, I32, oryx_zext(l->ir, I32, I1, i1), 6);
    x86_set_flags(l, x86_flags_mix(l, x86_flags(l), ORYX_FLAG_Z, bit));
}

static oryx_val pair(x86_lift *l, unsigned low, unsigned high)
{
    return oryx_bfi(l->ir, I64, x86_r(l, I64, low), x86_r(l, I64, high), 32, 32);
}

ORYX_INSN(CMPXCHG8B, "0f c7 /1 Mq", CX8)
{
    oryx_val want = pair(l, X86_RAX, X86_RDX);
    oryx_val old = oryx_cas(l->ir, I64, x86_ea(l, 0), want, pair(l, X86_RBX, X86_RCX), ORYX_MO_64);
    oryx_val equal = oryx_cmp(l->ir, ORYX_CC_EQ, I64, old, want);
    oryx_val lo = oryx_zext(l->ir, I64, I32, oryx_trunc(l->ir, I32, I64, old));
    oryx_val hi = x86_bini(l, ORYX_OP_SHR, I64, old, 32);
    oryx_put(l->ir, I64, X86_OFF_R(X86_RAX),
             oryx_select(l->ir, I64, equal, x86_r(l, I64, X86_RAX), lo));
    oryx_put(l->ir, I64, X86_OFF_R(X86_RDX),
             oryx_select(l->ir, I64, equal, x86_r(l, I64, X86_RDX), hi));
    set_zero_flag(l, equal);
}

static oryx_val wide_pair(x86_lift *l, unsigned low, unsigned high)
{
    oryx_val lo = oryx_bitcast(l->ir, ORYX_T_V64, I64, x86_r(l, I64, low));
    oryx_val hi = oryx_bitcast(l->ir, ORYX_T_V64, I64, x86_r(l, I64, high));
    return oryx_vbin(l->ir, ORYX_OP_VCAT, V128, I64, lo, hi, 0);
}

static oryx_val half(x86_lift *l, oryx_val v, unsigned lane)
{
    return oryx_vun(l->ir, ORYX_OP_VGET, V128, I64, v, lane);
}

ORYX_INSN(CMPXCHG16B, "REX.W 0f c7 /1 Mdq", CX16)
{
    oryx_val want = wide_pair(l, X86_RAX, X86_RDX);
    x86_raise_if(l, oryx_cmp(l->ir, ORYX_CC_TST, I64, x86_ea(l, 0), x86_imm(l, I64, 15)),
                 ORYX_EXC_PRIVILEGED, X86_VEC_GP | X86_ERROR_CODE(0));
    want = wide_pair(l, X86_RAX, X86_RDX);
    oryx_val old =
        oryx_cas(l->ir, V128, x86_ea(l, 0), want, wide_pair(l, X86_RBX, X86_RCX), ORYX_MO_128);
    oryx_val lo = half(l, old, 0), hi = half(l, old, 1);
    oryx_val differs =
        x86_bin(l, ORYX_OP_OR, I64, x86_bin(l, ORYX_OP_XOR, I64, lo, x86_r(l, I64, X86_RAX)),
                x86_bin(l, ORYX_OP_XOR, I64, hi, x86_r(l, I64, X86_RDX)));
    oryx_val equal = oryx_cmp(l->ir, ORYX_CC_EQ, I64, differs, x86_imm(l, I64, 0));
    x86_set_r(l, I64, X86_RAX, lo); /* equal: what is there already */
    x86_set_r(l, I64, X86_RDX, hi);
    set_zero_flag(l, equal);
}
