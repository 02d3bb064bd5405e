/* The vocabulary of MMX and SSE bodies: vector operands and lanes in IR. An MMX operand is the low half of a vector whose high
 * half is zero, and of a result the low half counts. Called while one instruction is
 * lifted. Invariant: legacy SSE instructions leave the bits of a register above 127 alone, and ask
 * 16-byte memory operands to be aligned (SDM 1 4.1.1). */
#include "x86_sse.h"

bool x86_is_mmx(const x86_lift *l, unsigned i)
{
    return l->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(l->op[i].reg.value) == ZYDIS_REGCLASS_MMX;
}

oryx_val x86_xmm(x86_lift *l, unsigned n)
{
    return oryx_get(l->ir, V128, X86_OFF_X(n));
}

static unsigned number(const x86_lift *l, unsigned i)
{
    return (unsigned)(l->op[i].reg.value - ZYDIS_REGISTER_XMM0);
}

static unsigned mmx_number(const x86_lift *l, unsigned i)
{
    return (unsigned)(l->op[i].reg.value - ZYDIS_REGISTER_MM0);
}

static oryx_val low_part(x86_lift *l, unsigned type, oryx_val v)
{
    return x86_with_lane(l, I64, x86_zero(l), 0, oryx_zext(l->ir, I64, type, v));
}

static oryx_val vec(x86_lift *l, unsigned i, uint32_t align)
{
    if (x86_is_mmx(l, i))
        return low_part(l, I64, oryx_get(l->ir, I64, X86_OFF_MM(mmx_number(l, i))));
    if (!x86_is_mem(l, i))
        return x86_xmm(l, number(l, i));
    if (l->op[i].size == 128)
        return oryx_load(l->ir, V128, x86_ea(l, i), ORYX_MO_128 | align);
    return low_part(l, x86_op_type(l, i), x86_read(l, i));
}

oryx_val x86_vec(x86_lift *l, unsigned i)
{
    return vec(l, i, ORYX_MO_ALIGN(4));
}

oryx_val x86_vec_unaligned(x86_lift *l, unsigned i)
{
    return vec(l, i, 0);
}

/* The x87 register around an MMX register that is written becomes a NaN: SDM 1 9.2.2. */
void x86_set_vec(x86_lift *l, unsigned i, oryx_val v)
{
    if (x86_is_mmx(l, i)) {
        uint32_t at = X86_OFF_MM(mmx_number(l, i));
        oryx_put(l->ir, I64, at, x86_lane(l, I64, v, 0));
        oryx_put(l->ir, I64, at + 8, x86_imm(l, I64, 0xffff));
        return;
    }
    oryx_put(l->ir, V128, X86_OFF_X(number(l, i)), v);
}

oryx_val x86_vop(x86_lift *l, unsigned op, unsigned lane, oryx_val a, oryx_val b, uint64_t imm)
{
    return oryx_vbin(l->ir, op, V128, lane, a, b, imm);
}

oryx_val x86_vop1(x86_lift *l, unsigned op, unsigned lane, oryx_val a, uint64_t imm)
{
    return oryx_vun(l->ir, op, V128, lane, a, imm);
}

oryx_val x86_lane(x86_lift *l, unsigned lane, oryx_val v, unsigned n)
{
    return x86_vop1(l, ORYX_OP_VGET, lane, v, n);
}

oryx_val x86_with_lane(x86_lift *l, unsigned lane, oryx_val v, unsigned n, oryx_val s)
{
    return x86_vop(l, ORYX_OP_VSET, lane, v, s, n);
}

oryx_val x86_zero(x86_lift *l)
{
    return oryx_vconst(l->ir, V128, 0, 0);
}

void x86_sse(x86_lift *l, unsigned op, unsigned lane, uint64_t imm)
{
    oryx_val b = x86_vec(l, 1);
    x86_set_vec(l, 0, x86_vop(l, op, lane, x86_vec(l, 0), b, imm));
}
