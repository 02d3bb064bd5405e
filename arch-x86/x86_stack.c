/* Stack and control transfer: SDM 1 6.2-6.5, 5.1.7.
 *
 * Memory is written before the stack pointer changes, so a fault leaves it; POP to memory computes
 * its address with the stack pointer already raised. */
#include "x86.h"

static unsigned push_type(const x86_lift *l)
{
    return x86_type(l->insn->operand_width);
}

static bool is_segment(const x86_lift *l)
{
    return l->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(l->op[0].reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

ORYX_INSN(PUSH,
          "50+r Zv; 6a ib Ib; 68 iz Iz; ff /6 Ev; 06 ES; 0e CS; 16 SS; 1e DS; 0f a0 FS; 0f a8 GS",
          BASE)
{
    unsigned type = push_type(l);
    if (is_segment(l)) {
        /* Only 16 bits are written; the rest of the slot keeps what it had. */
        unsigned t = x86_stack_type(l);
        oryx_val sp = x86_bini(l, ORYX_OP_SUB, t, x86_r(l, t, X86_RSP), oryx_type_size(type));
        oryx_val v =
            oryx_get(l->ir, I16, X86_OFF_SEG(x86_seg_number(l->op[0].reg.value), selector));
        if (type == I64)
            oryx_store(l->ir, I64, x86_stack_at(l, sp), oryx_zext(l->ir, I64, I16, v), ORYX_MO_64);
        else
            oryx_store(l->ir, I16, x86_stack_at(l, sp), v, ORYX_MO_16);
        x86_set_r(l, t, X86_RSP, sp);
        return;
    }
    oryx_val v = l->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE
                     ? x86_imm(l, type, l->op[0].imm.value.u)
                     : x86_read(l, 0);
    x86_push(l, type, v);
}

/* Value at SS:sp + at. */
static oryx_val peek(x86_lift *l, unsigned type, uint64_t at)
{
    unsigned t = x86_stack_type(l);
    oryx_val sp = x86_r(l, t, X86_RSP);
    if (at)
        sp = x86_bini(l, ORYX_OP_ADD, t, sp, at);
    return oryx_load(l->ir, type, x86_stack_at(l, sp), x86_memop(type));
}

static void drop(x86_lift *l, uint64_t bytes)
{
    unsigned t = x86_stack_type(l);
    x86_set_r(l, t, X86_RSP, x86_bini(l, ORYX_OP_ADD, t, x86_r(l, t, X86_RSP), bytes));
}

ORYX_INSN(POP, "58+r Zv; 8f /0 Ev; 07 ES; 17 SS; 1f DS; 0f a1 FS; 0f a9 GS", BASE)
{
    unsigned type = push_type(l), size = oryx_type_size(type);
    if (is_segment(l)) {
        oryx_val v[2] = {x86_imm(l, I32, x86_seg_number(l->op[0].reg.value)),
                         oryx_trunc(l->ir, I32, type, peek(l, type, 0))};
        if (type == I16)
            v[1] = oryx_zext(l->ir, I32, I16, peek(l, I16, 0));
        x86_call(l, X86_HELPER_SEGMENT, ORYX_T_VOID, v, 2);
        drop(l, size);
        oryx_resync(l->ir, l->next);
        l->end = 1;
        return;
    }
    oryx_val v = peek(l, type, 0);
    if (!x86_is_mem(l, 0)) {
        drop(l, size); /* POP rSP keeps what was popped */
        x86_write(l, 0, v);
        return;
    }
    const ZydisDecodedOperandMem *m = &l->op[0].mem;
    bool on_sp = m->base == ZYDIS_REGISTER_RSP || m->base == ZYDIS_REGISTER_ESP;
    if (on_sp) {
        ZydisDecodedOperand moved = l->op[0];
        moved.mem.disp.value += size;
        x86_lift at = *l;
        at.op = &moved;
        l->ea = x86_ea(&at, 0);
    }
    x86_write(l, 0, v);
    drop(l, size);
}

static void push_all(x86_lift *l, unsigned type)
{
    unsigned t = x86_stack_type(l), size = oryx_type_size(type);
    oryx_val sp = x86_r(l, t, X86_RSP);
    for (unsigned n = 0; n < 8; n++) {
        oryx_val at = x86_bini(l, ORYX_OP_SUB, t, sp, (n + 1) * size);
        oryx_store(l->ir, type, x86_stack_at(l, at), x86_r(l, type, n), x86_memop(type));
    }
    x86_set_r(l, t, X86_RSP, x86_bini(l, ORYX_OP_SUB, t, sp, 8 * size));
}

ORYX_INSN(PUSHA, "60", I186)
{
    push_all(l, I16);
}
ORYX_INSN(PUSHAD, "60", I386)
{
    push_all(l, I32);
}

static void pop_all(x86_lift *l, unsigned type)
{
    unsigned size = oryx_type_size(type);
    oryx_val v[8];
    for (unsigned n = 0; n < 8; n++)
        v[n] = n == X86_RSP ? 0 : peek(l, type, (7 - n) * size);
    for (unsigned n = 0; n < 8; n++)
        if (n != X86_RSP)
            x86_set_r(l, type, n, v[n]);
    drop(l, 8 * size);
}

ORYX_INSN(POPA, "61", I186)
{
    pop_all(l, I16);
}
ORYX_INSN(POPAD, "61", I386)
{
    pop_all(l, I32);
}

static void push_flags(x86_lift *l, unsigned type)
{
    oryx_val v = x86_bini(l, ORYX_OP_AND, I32, x86_call(l, X86_HELPER_EFLAGS, I32, NULL, 0),
                          0xfcffff); /* without VM, RF */
    x86_push(l, type,
             type == I16 ? oryx_trunc(l->ir, I16, I32, v) : oryx_zext(l->ir, type, I32, v));
}

ORYX_INSN(PUSHF, "9c", BASE)
{
    push_flags(l, I16);
}
ORYX_INSN(PUSHFD, "9c", I386)
{
    push_flags(l, I32);
}
ORYX_INSN(PUSHFQ, "9c", LONG)
{
    push_flags(l, I64);
}

/* The trap flag acts behind the next instruction: the mode may change. */
static void pop_flags(x86_lift *l, unsigned type)
{
    oryx_val v = peek(l, type, 0);
    v = type == I16 ? oryx_zext(l->ir, I32, I16, v) : oryx_trunc(l->ir, I32, type, v);
    oryx_val args[2] = {v, x86_imm(l, I32, type == I16 ? 0xffff : 0xffffffff)};
    x86_call(l, X86_HELPER_POPF, ORYX_T_VOID, args, 2);
    drop(l, oryx_type_size(type));
    oryx_resync(l->ir, l->next);
    l->end = 1;
}

ORYX_INSN(POPF, "9d", BASE)
{
    pop_flags(l, I16);
}
ORYX_INSN(POPFD, "9d", I386)
{
    pop_flags(l, I32);
}
ORYX_INSN(POPFQ, "9d", LONG)
{
    pop_flags(l, I64);
}

/* Level 0-31: the frame pointers of the levels around are copied. */
ORYX_INSN(ENTER, "c8 iw ib Iw,Ib", I186)
{
    unsigned type = push_type(l), t = x86_stack_type(l), size = oryx_type_size(type);
    uint64_t room = l->op[0].imm.value.u, level = l->op[1].imm.value.u & 31;
    oryx_val sp = x86_bini(l, ORYX_OP_SUB, t, x86_r(l, t, X86_RSP), size),
             bp = x86_r(l, t, X86_RBP), frame = sp;
    oryx_store(l->ir, type, x86_stack_at(l, sp), x86_r(l, type, X86_RBP), x86_memop(type));
    for (uint64_t i = 1; i < level; i++) {
        bp = x86_bini(l, ORYX_OP_SUB, t, bp, size);
        sp = x86_bini(l, ORYX_OP_SUB, t, sp, size);
        oryx_val v = oryx_load(l->ir, type, x86_stack_at(l, bp), x86_memop(type));
        oryx_store(l->ir, type, x86_stack_at(l, sp), v, x86_memop(type));
    }
    oryx_val kept = t == type  ? frame
                    : t < type ? oryx_bfi(l->ir, type, x86_r(l, type, X86_RSP),
                                          oryx_zext(l->ir, type, t, frame), 0, 16)
                               : oryx_trunc(l->ir, type, t, frame);
    if (level) {
        sp = x86_bini(l, ORYX_OP_SUB, t, sp, size);
        oryx_store(l->ir, type, x86_stack_at(l, sp), kept, x86_memop(type));
    }
    sp = x86_bini(l, ORYX_OP_SUB, t, sp, room);
    /* The manual's last step probes the new top of the stack for writing. */
    oryx_val probe = oryx_load(l->ir, type, x86_stack_at(l, sp), x86_memop(type));
    oryx_store(l->ir, type, x86_stack_at(l, sp), probe, x86_memop(type));
    x86_set_r(l, type, X86_RBP, kept);
    x86_set_r(l, t, X86_RSP, sp);
}

ORYX_INSN(LEAVE, "c9", I186)
{
    unsigned type = push_type(l), t = x86_stack_type(l);
    oryx_val sp = x86_r(l, t, X86_RBP),
             v = oryx_load(l->ir, type, x86_stack_at(l, sp), x86_memop(type));
    x86_set_r(l, t, X86_RSP, x86_bini(l, ORYX_OP_ADD, t, sp, oryx_type_size(type)));
    x86_set_r(l, type, X86_RBP, v);
}

/* --- Transfers
 * ---------------------------------------------------------------------------------------------------------
 */

static uint64_t target(const x86_lift *l)
{
    return l->next + l->op[0].imm.value.u;
}

static bool far_operand(x86_lift *l)
{
    if (l->insn->meta.branch_type != ZYDIS_BRANCH_TYPE_FAR)
        return false;
    x86_undefined(l); /* user programs have no other code segment to go to */
    return true;
}

static oryx_val branch_operand(x86_lift *l, unsigned *type)
{
    *type = x86_is64(l) ? I64 : x86_op_type(l, 0);
    return x86_read(l, 0);
}

ORYX_INSN(JMP, "eb cb Jb; e9 cz Jz; ff /4 Ev", BASE)
{
    unsigned type;
    if (far_operand(l))
        return;
    if (l->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        x86_goto(l, target(l));
        return;
    }
    oryx_val to = branch_operand(l, &type);
    x86_jump(l, to, type, ORYX_HINT_JUMP);
}

ORYX_INSN(CALL, "e8 cz Jz; ff /2 Ev", BASE)
{
    unsigned type = push_type(l), jump;
    if (far_operand(l))
        return;
    if (l->op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        x86_push(l, type, x86_imm(l, type, x86_ip(l, l->next)));
        x86_goto(l, target(l));
        return;
    }
    oryx_val to = branch_operand(l, &jump);
    x86_push(l, type, x86_imm(l, type, x86_ip(l, l->next)));
    x86_jump(l, to, jump, ORYX_HINT_CALL);
}

ORYX_INSN(RET, "c3; c2 iw Iw", BASE)
{
    unsigned type = push_type(l);
    if (far_operand(l))
        return;
    uint64_t more = l->insn->operand_count_visible ? l->op[0].imm.value.u : 0;
    oryx_val to = peek(l, type, 0);
    drop(l, oryx_type_size(type) + more);
    x86_jump(l, to, type, ORYX_HINT_RETURN);
}

static void jump_if(x86_lift *l, unsigned cc)
{
    x86_branch(l, x86_cond(l, cc), target(l));
}

ORYX_INSN(JO, "70 cb Jb; 0f 80 cz Jz", BASE)
{
    jump_if(l, 0);
}
ORYX_INSN(JNO, "71 cb Jb; 0f 81 cz Jz", BASE)
{
    jump_if(l, 1);
}
ORYX_INSN(JB, "72 cb Jb; 0f 82 cz Jz", BASE)
{
    jump_if(l, 2);
}
ORYX_INSN(JNB, "73 cb Jb; 0f 83 cz Jz", BASE)
{
    jump_if(l, 3);
}
ORYX_INSN(JZ, "74 cb Jb; 0f 84 cz Jz", BASE)
{
    jump_if(l, 4);
}
ORYX_INSN(JNZ, "75 cb Jb; 0f 85 cz Jz", BASE)
{
    jump_if(l, 5);
}
ORYX_INSN(JBE, "76 cb Jb; 0f 86 cz Jz", BASE)
{
    jump_if(l, 6);
}
ORYX_INSN(JNBE, "77 cb Jb; 0f 87 cz Jz", BASE)
{
    jump_if(l, 7);
}
ORYX_INSN(JS, "78 cb Jb; 0f 88 cz Jz", BASE)
{
    jump_if(l, 8);
}
ORYX_INSN(JNS, "79 cb Jb; 0f 89 cz Jz", BASE)
{
    jump_if(l, 9);
}
ORYX_INSN(JP, "7a cb Jb; 0f 8a cz Jz", BASE)
{
    jump_if(l, 10);
}
ORYX_INSN(JNP, "7b cb Jb; 0f 8b cz Jz", BASE)
{
    jump_if(l, 11);
}
ORYX_INSN(JL, "7c cb Jb; 0f 8c cz Jz", BASE)
{
    jump_if(l, 12);
}
ORYX_INSN(JNL, "7d cb Jb; 0f 8d cz Jz", BASE)
{
    jump_if(l, 13);
}
ORYX_INSN(JLE, "7e cb Jb; 0f 8e cz Jz", BASE)
{
    jump_if(l, 14);
}
ORYX_INSN(JNLE, "7f cb Jb; 0f 8f cz Jz", BASE)
{
    jump_if(l, 15);
}

static unsigned count_type(const x86_lift *l)
{
    return x86_type(l->insn->address_width);
}

static void jump_if_no_count(x86_lift *l)
{
    unsigned t = count_type(l);
    x86_branch(l, oryx_cmp(l->ir, ORYX_CC_EQ, t, x86_r(l, t, X86_RCX), x86_imm(l, t, 0)),
               target(l));
}

ORYX_INSN(JCXZ, "e3 cb Jb", BASE)
{
    jump_if_no_count(l);
}
ORYX_INSN(JECXZ, "e3 cb Jb", I386)
{
    jump_if_no_count(l);
}
ORYX_INSN(JRCXZ, "e3 cb Jb", LONG)
{
    jump_if_no_count(l);
}

/* zero: ZF must be this, or -1. */
static void loop(x86_lift *l, int zero)
{
    unsigned t = count_type(l);
    oryx_val n = x86_bini(l, ORYX_OP_SUB, t, x86_r(l, t, X86_RCX), 1);
    oryx_val go = oryx_cmp(l->ir, ORYX_CC_NE, t, n, x86_imm(l, t, 0));
    if (zero >= 0)
        go = x86_bin(l, ORYX_OP_AND, I1, go, x86_cond(l, zero ? 4 : 5));
    x86_set_r(l, t, X86_RCX, n);
    x86_branch(l, go, target(l));
}

ORYX_INSN(LOOP, "e2 cb Jb", BASE)
{
    loop(l, -1);
}
ORYX_INSN(LOOPE, "e1 cb Jb", BASE)
{
    loop(l, 1);
}
ORYX_INSN(LOOPNE, "e0 cb Jb", BASE)
{
    loop(l, 0);
}
