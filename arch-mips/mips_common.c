/* The vocabulary of MIPS bodies: registers, exceptions, memory operands and branches in IR.
 *
 * Called by every body while one instruction is lifted. Invariant: whatever leaves the instruction finds in the state what
 * the mode key of the next instruction says (exec), so execution can stop and resume in a delay slot. */
#include "mips_fp.h"

oryx_val mips_imm(mips_lift *l, int64_t v)
{
    return oryx_const(l->ir, l->w, l->w == I32 ? (uint32_t)v : (uint64_t)v);
}

oryx_val mips_imm32(mips_lift *l, uint32_t v)
{
    return oryx_const(l->ir, I32, v);
}

oryx_val mips_r(mips_lift *l, unsigned n)
{
    return n ? oryx_get(l->ir, l->w, MIPS_OFF_R(n)) : mips_imm(l, 0);
}

oryx_val mips_r32(mips_lift *l, unsigned n)
{
    return n ? oryx_trunc(l->ir, I32, l->w, mips_r(l, n)) : mips_imm32(l, 0);
}

void mips_put(mips_lift *l, uint32_t offset, oryx_val v)
{
    oryx_put(l->ir, l->w, offset, v);
}

void mips_set(mips_lift *l, unsigned n, oryx_val v)
{
    if (n)
        mips_put(l, MIPS_OFF_R(n), v);
}

void mips_set32(mips_lift *l, unsigned n, oryx_val v)
{
    if (n)
        mips_set(l, n, oryx_sext(l->ir, l->w, I32, v));
}

oryx_val mips_bin(mips_lift *l, unsigned op, oryx_val a, oryx_val b)
{
    return oryx_bin(l->ir, op, l->w, a, b);
}

oryx_val mips_bin32(mips_lift *l, unsigned op, oryx_val a, oryx_val b)
{
    return oryx_bin(l->ir, op, I32, a, b);
}

oryx_val mips_flag(mips_lift *l, oryx_val i1)
{
    return oryx_zext(l->ir, l->w, I1, i1);
}

uint32_t mips_label(mips_lift *l)
{
    return l->labels++;
}

void mips_leave(mips_lift *l, uint64_t mode)
{
    if (mode == l->mode)
        return;
    if ((mode ^ l->mode) & MIPS_MODE_EXEC)
        oryx_put(l->ir, I64, MIPS_OFF(exec), oryx_const(l->ir, I64, mode & MIPS_MODE_EXEC));
    oryx_ir_emit(l->ir, ORYX_OP_SETMODE, 0, 0, oryx_const(l->ir, I64, mode), 0, 0, 0);
}

/* --- Exceptions ----------------------------------------------------------------------------------------------- */

void mips_raise(mips_lift *l, unsigned exc, uint64_t syndrome)
{
    oryx_raise(l->ir, exc, oryx_const(l->ir, I64, syndrome), l->pc);
    l->end = 1;
}

void mips_reserved(mips_lift *l)
{
    mips_raise(l, ORYX_EXC_UNDEFINED, l->insn);
}

void mips_unusable(mips_lift *l, unsigned coprocessor)
{
    mips_raise(l, ORYX_EXC_PRIVILEGED, l->insn | (uint64_t)coprocessor << 40);
}

void mips_raise_if(mips_lift *l, oryx_val i1, unsigned exc, uint32_t syndrome)
{
    uint32_t skip = mips_label(l);
    oryx_brc(l->ir, oryx_un(l->ir, ORYX_OP_NOT, I1, i1), skip);
    oryx_raise(l->ir, exc, oryx_const(l->ir, I64, syndrome), l->pc);
    oryx_label(l->ir, skip);
}

/* --- Memory ----------------------------------------------------------------------------------------------------- */

static oryx_val address(mips_lift *l, oryx_val v)
{
    return oryx_zext(l->ir, I64, l->w, v);
}

oryx_val mips_ea(mips_lift *l, unsigned base, int32_t offset)
{
    oryx_val v = mips_r(l, base);
    return address(l, offset ? mips_bin(l, ORYX_OP_ADD, v, mips_imm(l, offset)) : v);
}

oryx_val mips_ea_reg(mips_lift *l, unsigned base, unsigned index)
{
    return address(l, mips_bin(l, ORYX_OP_ADD, mips_r(l, base), mips_r(l, index)));
}

uint32_t mips_memop(const mips_lift *l, unsigned z)
{
    return z | l->be | (l->features & MIPS_FEAT_R6 ? 0 : ORYX_MO_ALIGN(z));
}

/* --- Branches --------------------------------------------------------------------------------------------------- */

static uint64_t pc_plus(const mips_lift *l, int64_t n)
{
    uint64_t to = l->pc + (uint64_t)n;
    return l->w == I32 ? (uint32_t)to : to;
}

/* Slot kind and displacement for the next instruction. */
static void set_slot(mips_lift *l, unsigned kind, int32_t disp)
{
    l->next_mode = (l->next_mode & ~MIPS_MODE_EXEC) | kind | (uint64_t)(uint32_t)disp << 32;
}

bool mips_branch_ok(mips_lift *l)
{
    if (MIPS_MODE_SLOT(l->mode) == MIPS_SLOT_NONE)
        return true;
    mips_reserved(l);
    return false;
}

void mips_link(mips_lift *l, unsigned r)
{
    mips_set(l, r, mips_imm(l, (int64_t)pc_plus(l, 8)));
}

void mips_branch(mips_lift *l, oryx_val cond, int32_t disp)
{
    if (cond)
        oryx_put(l->ir, I32, MIPS_OFF(bcond), oryx_zext(l->ir, I32, I1, cond));
    set_slot(l, cond ? MIPS_SLOT_COND : MIPS_SLOT_ALWAYS, disp);
}

void mips_branch_likely(mips_lift *l, oryx_val cond, int32_t disp)
{
    uint32_t taken = mips_label(l);
    oryx_brc(l->ir, cond, taken);
    mips_leave(l, l->next_mode);
    oryx_goto(l->ir, pc_plus(l, 8), 1);
    oryx_label(l->ir, taken);
    set_slot(l, MIPS_SLOT_ALWAYS, disp);
}

void mips_jump(mips_lift *l, oryx_val target)
{
    oryx_put(l->ir, I64, MIPS_OFF(btarget), oryx_zext(l->ir, I64, l->w, target));
    set_slot(l, MIPS_SLOT_INDIRECT, 0);
}

void mips_compact(mips_lift *l, oryx_val cond, int32_t disp)
{
    uint64_t to = pc_plus(l, 4 + (int64_t)disp);
    l->end = 1;
    if (!cond) {
        mips_leave(l, l->next_mode);
        oryx_goto(l->ir, to, 0);
        return;
    }
    /* Not taken: the next instruction is in the forbidden slot. */
    uint32_t taken = mips_label(l);
    uint64_t plain = l->next_mode;
    oryx_brc(l->ir, cond, taken);
    set_slot(l, MIPS_SLOT_FORBIDDEN, 0);
    mips_leave(l, l->next_mode);
    oryx_goto(l->ir, pc_plus(l, 4), 1);
    oryx_label(l->ir, taken);
    mips_leave(l, plain);
    oryx_goto(l->ir, to, 0);
}

/* After the slot's instruction: the jump it was waiting for. */
void mips_finish_slot(mips_lift *l)
{
    uint64_t to = pc_plus(l, MIPS_MODE_DISP(l->mode));
    oryx_val v = 0;
    unsigned kind = MIPS_MODE_SLOT(l->mode);
    if (kind == MIPS_SLOT_COND)
        v = oryx_cmp(l->ir, ORYX_CC_NE, I32, oryx_get(l->ir, I32, MIPS_OFF(bcond)), mips_imm32(l, 0));
    else if (kind == MIPS_SLOT_INDIRECT)
        v = oryx_get(l->ir, I64, MIPS_OFF(btarget));
    mips_leave(l, l->next_mode);
    if (kind == MIPS_SLOT_COND)
        oryx_gotoc(l->ir, v, to, pc_plus(l, 4));
    else if (kind == MIPS_SLOT_INDIRECT)
        oryx_gotoi(l->ir, v, ORYX_HINT_JUMP);
    else
        oryx_goto(l->ir, to, 0);
    l->end = 1;
}

/* In a delay slot the jump is still to come: the state says that the slot's instruction is done. */
uint64_t mips_next(mips_lift *l)
{
    unsigned slot = MIPS_MODE_SLOT(l->mode);
    bool waits = slot != MIPS_SLOT_NONE && slot != MIPS_SLOT_FORBIDDEN;
    mips_leave(l, waits ? l->mode | MIPS_MODE_DONE : l->next_mode);
    return waits ? l->pc : pc_plus(l, 4);
}

void mips_resync(mips_lift *l)
{
    oryx_resync(l->ir, mips_next(l));
    l->end = 1;
}

/* --- CRC32 ---------------------------------------------------------------------------------------------------------- */

/* how: bits of v, and bit 8 for Castagnoli's polynomial; both reflected. */
uint32_t mips_helper_crc(uint32_t crc, uint64_t v, uint32_t how)
{
    uint32_t poly = how & 0x100 ? 0x82f63b78u : 0xedb88320u;
    for (uint32_t i = 0; i < (how & 0xff); i++) {
        crc ^= (uint32_t)(v >> i & 1);
        crc = crc >> 1 ^ (crc & 1 ? poly : 0);
    }
    return crc;
}
