/* The vocabulary of SSE bodies: vector operands and lanes in IR. Called while one instruction is
 * lifted. Invariant: legacy SSE instructions leave the bits of a register above 127 alone, and ask
 * 16-byte memory operands to be aligned (SDM 1 4.1.1). */
#include "x86_sse.h"

bool x86_xmm_only(x86_lift *l)
{
    for (unsigned i = 0; i < l->insn->operand_count_visible; i++)
        if (l->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetClass(l->op[i].reg.value) == ZYDIS_REGCLASS_MMX) {
            x86_undefined(l);
            return false;
        }
    return true;
}

oryx_val x86_xmm(x86_lift *l, unsigned n)
{
    return oryx_get(l->ir, V128, X86_OFF_X(n));
}

static unsigned number(const x86_lift *l, unsigned i)
{
    return (unsigned)(l->op[i].reg.value - ZYDIS_REGISTER_XMM0);
}

static oryx_val low_part(x86_lift *l, unsigned type, oryx_val v)
{
    return x86_with_lane(l, I64, x86_zero(l), 0, oryx_zext(l->ir, I64, type, v));
}

static oryx_val vec(x86_lift *l, unsigned i, uint32_t align)
{
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

void x86_set_vec(x86_lift *l, unsigned i, oryx_val v)
{
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
    if (!x86_xmm_only(l))
        return;
    oryx_val b = x86_vec(l, 1);
    x86_set_vec(l, 0, x86_vop(l, op, lane, x86_vec(l, 0), b, imm));
}
