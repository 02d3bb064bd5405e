/* The vocabulary of x86 bodies: registers, operands, addresses, flags, exceptions and control flow
 * in IR.
 *
 * Called by every body while one instruction is lifted. Invariant: a register slot's high half is
 * zero outside 64-bit code, because every write of 32 bits extends with zeros and none of 64 bits
 * happens there. */
#include "x86.h"

unsigned x86_type(unsigned bits)
{
    switch (bits) {
    case 8:
        return I8;
    case 16:
        return I16;
    case 32:
        return I32;
    case 128:
        return V128;
    default:
        return I64;
    }
}

unsigned x86_bits(unsigned type)
{
    return oryx_type_size(type) * 8;
}

oryx_val x86_imm(x86_lift *l, unsigned type, uint64_t v)
{
    unsigned bits = x86_bits(type);
    return oryx_const(l->ir, type, bits < 64 ? v & (((uint64_t)1 << bits) - 1) : v);
}

oryx_val x86_bin(x86_lift *l, unsigned op, unsigned type, oryx_val a, oryx_val b)
{
    return oryx_bin(l->ir, op, type, a, b);
}

oryx_val x86_bini(x86_lift *l, unsigned op, unsigned type, oryx_val a, uint64_t b)
{
    return oryx_bin(l->ir, op, type, a, x86_imm(l, type, b));
}

oryx_val x86_not(x86_lift *l, oryx_val i1)
{
    return oryx_un(l->ir, ORYX_OP_NOT, I1, i1);
}

uint32_t x86_label(x86_lift *l)
{
    return l->labels++;
}

void x86_place(x86_lift *l, uint32_t label)
{
    oryx_label(l->ir, label);
    l->ea = 0;
}

oryx_val x86_call(x86_lift *l, unsigned helper, unsigned type, const oryx_val *v, unsigned n)
{
    return oryx_call(l->ir, l->helper_base + helper, type, v, n);
}

/* --- Registers
 * ----------------------------------------------------------------------------------------------------
 */

oryx_val x86_r(x86_lift *l, unsigned type, unsigned n)
{
    return oryx_trunc(l->ir, type, I64, oryx_get(l->ir, I64, X86_OFF_R(n)));
}

static void insert(x86_lift *l, unsigned type, unsigned n, unsigned pos, oryx_val v)
{
    oryx_val old = oryx_get(l->ir, I64, X86_OFF_R(n));
    v = oryx_bfi(l->ir, I64, old, oryx_zext(l->ir, I64, type, v), pos, x86_bits(type));
    oryx_put(l->ir, I64, X86_OFF_R(n), v);
}

void x86_set_r(x86_lift *l, unsigned type, unsigned n, oryx_val v)
{
    if (type == I8 || type == I16)
        insert(l, type, n, 0, v);
    else
        oryx_put(l->ir, I64, X86_OFF_R(n), oryx_zext(l->ir, I64, type, v));
}

/* Number of a general register; *high for ah, ch, dh, bh. */
static unsigned gpr(ZydisRegister reg, bool *high)
{
    *high = reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH;
    if (*high)
        return (unsigned)(reg - ZYDIS_REGISTER_AH);
    if (reg >= ZYDIS_REGISTER_SPL && reg <= ZYDIS_REGISTER_R15B)
        return 4 + (unsigned)(reg - ZYDIS_REGISTER_SPL);
    if (reg >= ZYDIS_REGISTER_AL && reg <= ZYDIS_REGISTER_BL)
        return (unsigned)(reg - ZYDIS_REGISTER_AL);
    if (reg >= ZYDIS_REGISTER_AX && reg <= ZYDIS_REGISTER_R15W)
        return (unsigned)(reg - ZYDIS_REGISTER_AX);
    if (reg >= ZYDIS_REGISTER_EAX && reg <= ZYDIS_REGISTER_R15D)
        return (unsigned)(reg - ZYDIS_REGISTER_EAX);
    return (unsigned)(reg - ZYDIS_REGISTER_RAX);
}

unsigned x86_seg_number(ZydisRegister reg)
{
    return (unsigned)(reg - ZYDIS_REGISTER_ES);
}

/* --- Operands
 * -----------------------------------------------------------------------------------------------------
 */

/* An immediate has the type of the first operand. */
unsigned x86_op_type(const x86_lift *l, unsigned i)
{
    return x86_type(l->op[l->op[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? 0 : i].size);
}

bool x86_is_mem(const x86_lift *l, unsigned i)
{
    return l->op[i].type == ZYDIS_OPERAND_TYPE_MEMORY;
}

bool x86_locked(const x86_lift *l)
{
    return l->insn->attributes & ZYDIS_ATTRIB_HAS_LOCK;
}

static unsigned address_type(const x86_lift *l)
{
    return l->insn->address_width == 64 ? I64 : I32;
}

/* Of a 16-bit address only 16 bits count, in an i32. */
static oryx_val wrap_address(x86_lift *l, oryx_val v)
{
    return l->insn->address_width == 16 ? x86_bini(l, ORYX_OP_AND, I32, v, 0xffff) : v;
}

oryx_val x86_linear(x86_lift *l, unsigned seg, oryx_val offset, unsigned type)
{
    oryx_val v = oryx_zext(l->ir, I64, type, offset);
    bool based = seg >= X86_FS || (!x86_is64(l) && !(l->mode & X86_MODE_FLAT));
    if (!based)
        return v;
    v = x86_bin(l, ORYX_OP_ADD, I64, v, oryx_get(l->ir, I64, X86_OFF_SEG(seg, base)));
    return x86_is64(l) ? v : oryx_zext(l->ir, I64, I32, oryx_trunc(l->ir, I32, I64, v));
}

oryx_val x86_offset(x86_lift *l, unsigned i)
{
    const ZydisDecodedOperandMem *m = &l->op[i].mem;
    unsigned type = address_type(l);
    uint64_t disp = (uint64_t)m->disp.value;
    bool high;
    oryx_val v = 0;
    if (m->base == ZYDIS_REGISTER_RIP || m->base == ZYDIS_REGISTER_EIP)
        disp += l->next;
    else if (m->base != ZYDIS_REGISTER_NONE)
        v = x86_r(l, type, gpr(m->base, &high));
    if (m->index != ZYDIS_REGISTER_NONE) {
        oryx_val x = x86_r(l, type, gpr(m->index, &high));
        if (m->scale > 1)
            x = x86_bini(l, ORYX_OP_SHL, type, x, (uint64_t)__builtin_ctz(m->scale));
        v = v ? x86_bin(l, ORYX_OP_ADD, type, v, x) : x;
    }
    if (!v)
        v = x86_imm(l, type, disp);
    else if (disp)
        v = x86_bini(l, ORYX_OP_ADD, type, v, disp);
    return wrap_address(l, v);
}

oryx_val x86_ea(x86_lift *l, unsigned i)
{
    if (!l->ea)
        l->ea =
            x86_linear(l, x86_seg_number(l->op[i].mem.segment), x86_offset(l, i), address_type(l));
    return l->ea;
}

oryx_val x86_read(x86_lift *l, unsigned i)
{
    const ZydisDecodedOperand *o = &l->op[i];
    unsigned type = x86_op_type(l, i), n;
    bool high;
    switch (o->type) {
    case ZYDIS_OPERAND_TYPE_REGISTER:
        if (ZydisRegisterGetClass(o->reg.value) == ZYDIS_REGCLASS_XMM)
            return oryx_get(l->ir, V128, X86_OFF_X((unsigned)(o->reg.value - ZYDIS_REGISTER_XMM0)));
        n = gpr(o->reg.value, &high);
        return high ? oryx_trunc(l->ir, I8, I64,
                                 oryx_bfx(l->ir, ORYX_OP_UBFX, I64,
                                          oryx_get(l->ir, I64, X86_OFF_R(n)), 8, 8))
                    : x86_r(l, type, n);
    case ZYDIS_OPERAND_TYPE_MEMORY:
        return oryx_load(l->ir, type, x86_ea(l, i), x86_memop(type));
    default:
        return x86_imm(l, type, o->imm.value.u);
    }
}

void x86_write(x86_lift *l, unsigned i, oryx_val v)
{
    const ZydisDecodedOperand *o = &l->op[i];
    unsigned type = x86_op_type(l, i), n;
    bool high;
    if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
        oryx_store(l->ir, type, x86_ea(l, i), v, x86_memop(type));
        return;
    }
    if (ZydisRegisterGetClass(o->reg.value) == ZYDIS_REGCLASS_XMM) {
        oryx_put(l->ir, V128, X86_OFF_X((unsigned)(o->reg.value - ZYDIS_REGISTER_XMM0)), v);
        return;
    }
    n = gpr(o->reg.value, &high);
    if (high)
        insert(l, I8, n, 8, v);
    else
        x86_set_r(l, type, n, v);
}

/* --- Flags
 * --------------------------------------------------------------------------------------------------------
 */

oryx_val x86_flags(x86_lift *l)
{
    return oryx_get(l->ir, FL, X86_OFF(fl));
}

void x86_set_flags(x86_lift *l, oryx_val fl)
{
    oryx_put(l->ir, FL, X86_OFF(fl), fl);
}

oryx_val x86_cond(x86_lift *l, unsigned cc)
{
    static const uint8_t fc[16] = {ORYX_FC_O,  ORYX_FC_NO, ORYX_FC_C,  ORYX_FC_NC,
                                   ORYX_FC_Z,  ORYX_FC_NZ, ORYX_FC_BE, ORYX_FC_A,
                                   ORYX_FC_S,  ORYX_FC_NS, ORYX_FC_P,  ORYX_FC_NP,
                                   ORYX_FC_LT, ORYX_FC_GE, ORYX_FC_LE, ORYX_FC_GT};
    return oryx_flcond(l->ir, fc[cc & 15], x86_flags(l));
}

oryx_val x86_carry(x86_lift *l)
{
    return oryx_flcond(l->ir, ORYX_FC_C, x86_flags(l));
}

oryx_val x86_flags_word(x86_lift *l, oryx_val fl)
{
    return oryx_ir_emit(l->ir, ORYX_OP_FLPACK, I32, FL, fl, 0, 0, 0);
}

oryx_val x86_flags_mix(x86_lift *l, oryx_val fl, uint32_t mask, oryx_val bits)
{
    oryx_val kept = x86_bini(l, ORYX_OP_AND, I32, x86_flags_word(l, fl), ~mask);
    oryx_val word = x86_bin(l, ORYX_OP_OR, I32, kept, x86_bini(l, ORYX_OP_AND, I32, bits, mask));
    return oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, word, 0, 0, 0);
}

/* --- Exceptions
 * ---------------------------------------------------------------------------------------------------
 */

void x86_raise(x86_lift *l, unsigned exc, uint64_t syndrome)
{
    oryx_raise(l->ir, exc, oryx_const(l->ir, I64, syndrome), l->pc);
    l->end = 1;
}

void x86_undefined(x86_lift *l)
{
    x86_raise(l, ORYX_EXC_UNDEFINED, X86_VEC_UD);
}

void x86_protection(x86_lift *l)
{
    x86_raise(l, ORYX_EXC_PRIVILEGED, X86_VEC_GP | X86_ERROR_CODE(0));
}

void x86_raise_if(x86_lift *l, oryx_val i1, unsigned exc, uint64_t syndrome)
{
    uint32_t skip = x86_label(l);
    oryx_brc(l->ir, x86_not(l, i1), skip);
    oryx_raise(l->ir, exc, oryx_const(l->ir, I64, syndrome), l->pc);
    x86_place(l, skip);
}

/* --- Control flow
 * -------------------------------------------------------------------------------------------------
 */

uint64_t x86_ip(const x86_lift *l, uint64_t pc)
{
    return x86_is64(l) ? pc : (uint32_t)(pc - X86_MODE_BASE(l->mode));
}

/* An instruction pointer has the width of the operand size outside 64-bit code. */
static uint64_t wrap(const x86_lift *l, uint64_t to)
{
    if (x86_is64(l))
        return to;
    uint64_t ip = x86_ip(l, to) & (l->insn->operand_width == 16 ? 0xffff : 0xffffffff);
    return (uint32_t)(X86_MODE_BASE(l->mode) + ip);
}

void x86_goto(x86_lift *l, uint64_t to)
{
    oryx_goto(l->ir, wrap(l, to), 0);
    l->end = 1;
}

void x86_branch(x86_lift *l, oryx_val cond, uint64_t to)
{
    oryx_gotoc(l->ir, cond, wrap(l, to), l->next);
    l->end = 1;
}

void x86_jump(x86_lift *l, oryx_val to, unsigned type, unsigned hint)
{
    oryx_val v = oryx_zext(l->ir, I64, type, to);
    if (!x86_is64(l) && X86_MODE_BASE(l->mode))
        v = x86_bini(l, ORYX_OP_AND, I64, x86_bini(l, ORYX_OP_ADD, I64, v, X86_MODE_BASE(l->mode)),
                     0xffffffff);
    oryx_gotoi(l->ir, v, hint);
    l->end = 1;
}

/* --- Stack
 * --------------------------------------------------------------------------------------------------------
 */

unsigned x86_stack_type(const x86_lift *l)
{
    return x86_is64(l) ? I64 : l->mode & X86_MODE_STACK16 ? I16 : I32;
}

oryx_val x86_stack_at(x86_lift *l, oryx_val sp)
{
    return x86_linear(l, X86_SS, sp, x86_stack_type(l));
}

void x86_push(x86_lift *l, unsigned type, oryx_val v)
{
    unsigned t = x86_stack_type(l);
    oryx_val sp = x86_bini(l, ORYX_OP_SUB, t, x86_r(l, t, X86_RSP), oryx_type_size(type));
    oryx_store(l->ir, type, x86_stack_at(l, sp), v, x86_memop(type));
    x86_set_r(l, t, X86_RSP, sp);
}
