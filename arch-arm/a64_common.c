/* The vocabulary of instruction bodies: register, flag and immediate access in IR.
 *
 * Called by every a64_*.c body while one instruction is lifted. Invariant: a W write clears the upper
 * half of the X register, and a write to register 31 as zero register leaves no trace. */
#include "a64_sys.h"

oryx_val a64_imm(a64_lift *l, unsigned type, uint64_t value)
{
    switch (type) {
    case ORYX_T_I1: value &= 1; break;
    case ORYX_T_I8: value = (uint8_t)value; break;
    case ORYX_T_I16: value = (uint16_t)value; break;
    case ORYX_T_I32: case ORYX_T_F32: value = (uint32_t)value; break;
    default: break;
    }
    return oryx_const(l->ir, type, value);
}

oryx_val a64_reg(a64_lift *l, unsigned type, unsigned n)
{
    return n == 31 ? a64_imm(l, type, 0) : oryx_get(l->ir, type, A64_OFF_X(n));
}

oryx_val a64_reg_sp(a64_lift *l, unsigned type, unsigned n)
{
    return oryx_get(l->ir, type, n == 31 ? A64_OFF(sp) : A64_OFF_X(n));
}

void a64_set_reg(a64_lift *l, unsigned type, unsigned n, oryx_val v)
{
    if (n != 31)
        a64_set_reg_sp(l, type, n, v);
}

void a64_set_reg_sp(a64_lift *l, unsigned type, unsigned n, oryx_val v)
{
    oryx_put(l->ir, ORYX_T_I64, n == 31 ? A64_OFF(sp) : A64_OFF_X(n), oryx_zext(l->ir, ORYX_T_I64, type, v));
}

oryx_val a64_vreg(a64_lift *l, unsigned type, unsigned n)
{
    return oryx_get(l->ir, type, A64_OFF_V(n));
}

void a64_set_vreg(a64_lift *l, unsigned type, unsigned n, oryx_val v)
{
    /* One write of the whole register: engines keep V registers whole, and a scalar into a zero vector is one move. */
    if (type == ORYX_T_V64)
        v = oryx_vbin(l->ir, ORYX_OP_VCAT, ORYX_T_V128, ORYX_T_V64, v, oryx_vconst(l->ir, ORYX_T_V64, 0, 0), 0);
    else if (type != ORYX_T_V128)
        v = oryx_vbin(l->ir, ORYX_OP_VSET, ORYX_T_V128, type, oryx_vconst(l->ir, ORYX_T_V128, 0, 0), v, 0);
    oryx_put(l->ir, ORYX_T_V128, A64_OFF_V(n), v);
}

oryx_val a64_flags(a64_lift *l)
{
    return oryx_get(l->ir, ORYX_T_FL, A64_OFF(flags));
}

void a64_set_flags(a64_lift *l, oryx_val fl)
{
    oryx_put(l->ir, ORYX_T_FL, A64_OFF(flags), fl);
}

oryx_val a64_cond(a64_lift *l, unsigned cond)
{
    /* ORYX_FC_Z..LE are numbered as the manual numbers eq..le; al and nv hold always. */
    if (cond >= 14)
        return a64_imm(l, ORYX_T_I1, 1);
    return oryx_flcond(l->ir, ORYX_FC_Z + cond, a64_flags(l));
}

void a64_undefined(a64_lift *l)
{
    oryx_raise(l->ir, ORYX_EXC_UNDEFINED, a64_imm(l, ORYX_T_I64, l->insn), l->pc);
    l->end = 1;
}

oryx_val a64_call(a64_lift *l, unsigned helper, unsigned type, const oryx_val *args, unsigned n)
{
    return oryx_call(l->ir, l->helper_base + helper, type, args, n);
}

void a64_fp_trap(a64_lift *l)
{
    uint32_t esr = ESR(0x07) | 1u << 24 | 0xeu << 20;
    oryx_raise(l->ir, ORYX_EXC_TRAP, a64_imm(l, ORYX_T_I64, A64_TRAP(A64_MODE_FPTRAP_EL(l->mode), esr)), l->pc);
    l->end = 1;
}
