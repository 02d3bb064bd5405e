/* The vocabulary of A32 and T32 bodies: registers, flags, shifts, memory and block ends in IR.
 *
 * Called by every a32_*.c and t32_*.c body while one instruction is lifted. Invariants: with l->pred set every state
 * write is a SELECT of the old value; a block end is preceded by the state and mode key of what follows it. */
#include "a32.h"

uint32_t a32_pc(const a32_lift *l)
{
    return l->pc + (l->mode & A32_MODE_T ? 4 : 8);
}

oryx_val a32_reg(a32_lift *l, unsigned n)
{
    return n == 15 ? a32_imm(l, a32_pc(l)) : oryx_get(l->ir, I32, A32_OFF_R(n));
}

void a32_put(a32_lift *l, uint32_t offset, oryx_val v)
{
    if (l->pred)
        v = oryx_select(l->ir, I32, l->pred, v, oryx_get(l->ir, I32, offset));
    oryx_put(l->ir, I32, offset, v);
}

void a32_set_reg(a32_lift *l, unsigned n, oryx_val v)
{
    if (n == 15)
        l->refused = 1;
    else
        a32_put(l, A32_OFF_R(n), n == 13 && l->m_profile ? armm_sp_value(l, v) : v);
}

oryx_val a32_flags(a32_lift *l)
{
    return oryx_get(l->ir, ORYX_T_FL, A32_OFF(flags));
}

void a32_set_flags(a32_lift *l, oryx_val fl)
{
    if (l->pred)
        fl = oryx_select(l->ir, ORYX_T_FL, l->pred, fl, a32_flags(l));
    oryx_put(l->ir, ORYX_T_FL, A32_OFF(flags), fl);
}

oryx_val a32_carry(a32_lift *l)
{
    return oryx_flcond(l->ir, ORYX_FC_C, a32_flags(l));
}

static oryx_val pack(a32_lift *l, oryx_val fl)
{
    return oryx_ir_emit(l->ir, ORYX_OP_FLPACK, I32, ORYX_T_FL, fl, 0, 0, 0);
}

static void set_packed(a32_lift *l, oryx_val v)
{
    a32_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, ORYX_T_FL, I32, v, 0, 0, 0));
}

static void merge_nz(a32_lift *l, oryx_val logic, uint32_t kept, oryx_val more)
{
    oryx_val p = a32_bini(l, ORYX_OP_AND, pack(l, a32_flags(l)), kept);
    p = a32_bin(l, ORYX_OP_OR, p, a32_bini(l, ORYX_OP_AND, pack(l, logic), ORYX_FLAG_S | ORYX_FLAG_Z));
    set_packed(l, more ? a32_bin(l, ORYX_OP_OR, p, more) : p);
}

void a32_set_nz(a32_lift *l, oryx_val v)
{
    merge_nz(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, I32, v, 0, 0), ORYX_FLAG_C | ORYX_FLAG_O, 0);
}

void a32_set_nz64(a32_lift *l, oryx_val v)
{
    merge_nz(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, I64, v, 0, 0), ORYX_FLAG_C | ORYX_FLAG_O, 0);
}

void a32_set_nzc(a32_lift *l, oryx_val v, oryx_val c)
{
    merge_nz(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, I32, v, 0, 0), ORYX_FLAG_O, oryx_zext(l->ir, I32, ORYX_T_I1, c));
}

oryx_val a32_cond(a32_lift *l, unsigned cond)
{
    /* ORYX_FC_Z..LE are numbered as the manual numbers eq..le. */
    return oryx_flcond(l->ir, ORYX_FC_Z + cond, a32_flags(l));
}

oryx_val a32_cond_not(a32_lift *l, unsigned cond)
{
    return a32_cond(l, cond ^ 1);
}

void a32_set_q(a32_lift *l, oryx_val saturated)
{
    oryx_val q = oryx_get(l->ir, I32, A32_OFF(q));
    a32_put(l, A32_OFF(q), a32_bin(l, ORYX_OP_OR, q, oryx_zext(l->ir, I32, ORYX_T_I1, saturated)));
}

oryx_val a32_call(a32_lift *l, unsigned helper, unsigned type, oryx_val a, oryx_val b)
{
    oryx_val args[2] = { a, b };
    return oryx_call(l->ir, l->helper_base + helper, type, args, a ? (b ? 2 : 1) : 0);
}

uint32_t a32_label_new(a32_lift *l)
{
    return l->labels++;
}

/* --- Block ends ------------------------------------------------------------------------------------------- */

void a32_leave(a32_lift *l, uint32_t mode)
{
    if (mode == l->mode)
        return;
    oryx_put(l->ir, I32, A32_OFF(exec), a32_imm(l, mode & A32_MODE_EXEC));
    oryx_ir_emit(l->ir, ORYX_OP_SETMODE, 0, 0, oryx_const(l->ir, I64, mode), 0, 0, 0);
}

void a32_raise(a32_lift *l, unsigned exc, uint32_t syndrome, uint32_t pc)
{
    if (pc != l->pc)
        a32_leave(l, l->next_mode);
    oryx_raise(l->ir, exc, oryx_const(l->ir, I64, syndrome), pc);
    l->end = 1;
}

void a32_undefined(a32_lift *l)
{
    a32_raise(l, ORYX_EXC_UNDEFINED, l->insn, l->pc);
}

void a32_branch(a32_lift *l, uint32_t to)
{
    a32_leave(l, l->next_mode);
    oryx_goto(l->ir, to, 0);
    l->end = 1;
}

void a32_branch_set(a32_lift *l, uint32_t to, unsigned thumb)
{
    a32_leave(l, (l->next_mode & ~A32_MODE_T) | (thumb ? A32_MODE_T : 0));
    oryx_goto(l->ir, to, 0);
    l->end = 1;
}

void a32_bx(a32_lift *l, oryx_val to, unsigned hint)
{
    oryx_ir *ir = l->ir;
    uint32_t rest = l->next_mode & A32_MODE_EXEC & ~A32_MODE_T, beside = l->next_mode & ~A32_MODE_EXEC;
    if (l->m_profile)
        to = armm_before_bx(l, to);
    oryx_val mode = a32_bini(l, ORYX_OP_AND, to, A32_MODE_T);
    if (rest)
        mode = a32_bini(l, ORYX_OP_OR, mode, rest);
    oryx_put(ir, I32, A32_OFF(exec), mode);
    if (beside)
        mode = a32_bini(l, ORYX_OP_OR, mode, beside);
    oryx_ir_emit(ir, ORYX_OP_SETMODE, 0, 0, oryx_zext(ir, I64, I32, mode), 0, 0, 0);
    oryx_gotoi(ir, oryx_zext(ir, I64, I32, a32_bini(l, ORYX_OP_AND, to, ~1u)), hint);
    l->end = 1;
}

void a32_branch_reg(a32_lift *l, oryx_val to, unsigned hint)
{
    a32_leave(l, l->next_mode);
    to = a32_bini(l, ORYX_OP_AND, to, l->mode & A32_MODE_T ? ~1u : ~3u);
    oryx_gotoi(l->ir, oryx_zext(l->ir, I64, I32, to), hint);
    l->end = 1;
}

void a32_alu_pc(a32_lift *l, oryx_val v)
{
    if (l->features & A32_FEAT_V7 && !(l->mode & A32_MODE_T))
        a32_bx(l, v, ORYX_HINT_JUMP);
    else
        a32_branch_reg(l, v, ORYX_HINT_JUMP);
}

void a32_load_pc(a32_lift *l, oryx_val v, unsigned hint)
{
    if (l->features & A32_FEAT_V5)
        a32_bx(l, v, hint);
    else
        a32_branch_reg(l, v, hint);
}

void a32_set_reg_alu(a32_lift *l, unsigned n, oryx_val v)
{
    if (n == 15)
        a32_alu_pc(l, v);
    else
        a32_set_reg(l, n, v);
}

/* --- Memory ------------------------------------------------------------------------------------------------- */

oryx_val a32_addr(a32_lift *l, oryx_val v)
{
    return oryx_zext(l->ir, I64, I32, v);
}

static uint32_t endian(const a32_lift *l)
{
    return a32_big(l) ? ORYX_MO_BE : 0;
}

uint32_t a32_mem_a(const a32_lift *l, unsigned z)
{
    return z | ORYX_MO_ALIGN(z) | ORYX_MO_ATOMIC | endian(l);
}

/* Unaligned accesses as before Armv6: by the architecture, or an Armv6 with SCTLR.U clear. With SCTLR.A they fault. */
int a32_legacy(const a32_lift *l)
{
    return (!(l->features & A32_FEAT_V6) || a32_system_bits(l) & A32_MODE_LEGACY) && !(a32_system_bits(l) & A32_MODE_ALIGN);
}

/* Legacy: the low bits of an address of words do not count. */
oryx_val a32_base_aligned(a32_lift *l, oryx_val v)
{
    return a32_legacy(l) ? a32_bini(l, ORYX_OP_AND, v, ~3u) : v;
}

/* With SCTLR.B (BE-32) words stay what they are, and bytes and halfwords are counted from a word's other end. */
oryx_val a32_bytes32(a32_lift *l, oryx_val addr, unsigned z)
{
    const uint32_t word_invariant = A32_MODE_BE32 | A32_MODE_SYSTEM;
    return (a32_system_bits(l) & word_invariant) == word_invariant && z < 2 ? a32_bini(l, ORYX_OP_XOR, addr, z ? 2 : 3) : addr;
}

/* Legacy: the low address bits are ignored; a word load then rotates the word it read. */
oryx_val a32_load(a32_lift *l, oryx_val addr, unsigned z, unsigned sign)
{
    uint32_t memop = z | (sign ? ORYX_MO_SIGN : 0) | endian(l);
    if (!a32_legacy(l) || !z)
        return oryx_load(l->ir, I32, a32_addr(l, a32_bytes32(l, addr, z)), memop);
    oryx_val at = a32_bytes32(l, a32_bini(l, ORYX_OP_AND, addr, z == 2 ? ~3u : ~1u), z);
    oryx_val v = oryx_load(l->ir, I32, a32_addr(l, at), memop);
    return z == 2 ? a32_bin(l, ORYX_OP_ROR, v, a32_bini(l, ORYX_OP_SHL, addr, 3)) : v;
}

void a32_store(a32_lift *l, oryx_val addr, oryx_val v, unsigned z)
{
    if (a32_legacy(l) && z)
        addr = a32_bini(l, ORYX_OP_AND, addr, z == 2 ? ~3u : ~1u);
    oryx_store(l->ir, I32, a32_addr(l, a32_bytes32(l, addr, z)), v, z | endian(l));
}

/* --- Shifts --------------------------------------------------------------------------------------------------- */

static oryx_val bit(a32_lift *l, oryx_val v, unsigned n)
{
    return oryx_cmp(l->ir, ORYX_CC_TST, I32, v, a32_imm(l, 1u << n));
}

oryx_val a32_shift_imm(a32_lift *l, oryx_val v, unsigned type, unsigned imm5, oryx_val *carry)
{
    oryx_ir *ir = l->ir;
    static const uint8_t ops[4] = { ORYX_OP_SHL, ORYX_OP_SHR, ORYX_OP_SAR, ORYX_OP_ROR };
    if (!imm5) {
        switch (type) {
        case 0: /* no shift */
            if (carry)
                *carry = a32_carry(l);
            return v;
        case 1: /* LSR #32 */
            if (carry)
                *carry = bit(l, v, 31);
            return a32_imm(l, 0);
        case 2: /* ASR #32 */
            if (carry)
                *carry = bit(l, v, 31);
            return a32_bini(l, ORYX_OP_SAR, v, 31);
        default: { /* RRX */
            oryx_val in = oryx_zext(ir, I32, ORYX_T_I1, a32_carry(l));
            if (carry)
                *carry = bit(l, v, 0);
            return oryx_bfi(ir, I32, a32_bini(l, ORYX_OP_SHR, v, 1), in, 31, 1);
        }
        }
    }
    if (carry)
        *carry = bit(l, v, type ? imm5 - 1 : 32 - imm5);
    return a32_bini(l, ops[type], v, imm5);
}

/* In 64 bits with one bit below (right) or above (left) the word, which then is the carry. */
oryx_val a32_shift_reg(a32_lift *l, oryx_val v, unsigned type, oryx_val amount, oryx_val *carry)
{
    oryx_ir *ir = l->ir;
    oryx_val by = a32_bini(l, ORYX_OP_AND, amount, 0xff), r, c;
    if (type == 3) {
        r = a32_bin(l, ORYX_OP_ROR, v, by);
        c = carry ? bit(l, r, 31) : 0;
    } else {
        oryx_val by64 = oryx_zext(ir, I64, I32, a32_bini(l, ORYX_OP_MINU, by, 33)), one = oryx_const(ir, I64, 1);
        oryx_val wide = type == 2 ? oryx_sext(ir, I64, I32, v) : oryx_zext(ir, I64, I32, v);
        if (type)
            wide = oryx_bin(ir, ORYX_OP_SHL, I64, wide, one);
        wide = oryx_bin(ir, type == 0 ? ORYX_OP_SHL : type == 1 ? ORYX_OP_SHR : ORYX_OP_SAR, I64, wide, by64);
        c = carry ? oryx_cmp(ir, ORYX_CC_TST, I64, wide, oryx_const(ir, I64, type ? 1 : UINT64_C(1) << 32)) : 0;
        r = oryx_trunc(ir, I32, I64, type ? oryx_bin(ir, ORYX_OP_SHR, I64, wide, one) : wide);
    }
    if (carry)
        *carry = oryx_select(ir, ORYX_T_I1, oryx_cmp(ir, ORYX_CC_EQ, I32, by, a32_imm(l, 0)), a32_carry(l), c);
    return r;
}
