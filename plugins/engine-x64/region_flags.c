/* Flags of loops that nobody looks at. A block that leads back to itself and ends with a comparison of what its homes hold
 * keeps no flags: where it may be left, a stub makes them from the homes, which still have the operands of the round before.
 *
 * Whoever enters such a block from elsewhere brings raw flags and notes in frame.fl_mark what LEFT is in the first round: LEFT
 * only falls while a region runs, so a stub that finds it there takes the raw flags, and else the comparison. Called by
 * region.c, control.c (stubs), flags.c and regs.c. Invariant: the homes of the comparison change in no place from which
 * something that looks at flags comes before the block's own new flags. */
#include "x64.h"

/* Which home has the value x where the block ends, as home + offset; false: none. */
static bool at_home(const jit *j, oryx_val first, oryx_val end, oryx_val x, unsigned lane, uint8_t *reg, int32_t *offset)
{
    for (uint32_t m = j->homes & 0xffff; m; m &= m - 1) {
        unsigned r = (unsigned)__builtin_ctz(m);
        oryx_val last = 0;
        if (oryx_type_size(j->home[r].type) < oryx_type_size(lane))
            continue;
        for (oryx_val v = first; v < end; v++) {
            const oryx_ir_op *o = op_of(j, v);
            if ((int32_t)o->imm == j->home[r].slot && (o->op == ORYX_OP_PUT || (o->op == ORYX_OP_GET && !last)))
                last = o->op == ORYX_OP_PUT ? o->a : v;
        }
        const oryx_ir_op *f = op_of(j, last);
        bool sum = last && (f->op == ORYX_OP_ADD || f->op == ORYX_OP_SUB) && f->type == lane && f->a == x && is_const(j, f->b);
        int64_t c = sum ? (int64_t)const_of(j, f->b) : 0;
        c = lane == ORYX_T_I32 ? (int32_t)c : c;
        if (!last || (last != x && (!sum || c < -(1 << 30) || c > 1 << 30)))
            continue;
        *reg = (uint8_t)r;
        *offset = last == x ? 0 : f->op == ORYX_OP_ADD ? -(int32_t)c : (int32_t)c;
        return true;
    }
    return false;
}

static bool changes(const jit *j, const fl_loop *f, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    uint32_t regs = 1u << f->a | (f->b == NO_REG ? 0 : 1u << f->b);
    if (j->hint[v] != NO_REG && regs >> j->hint[v] & 1)
        return true;
    return o->op == ORYX_OP_PUT && ((int32_t)o->imm == j->home[f->a].slot || (f->b != NO_REG && (int32_t)o->imm == j->home[f->b].slot));
}

static bool is_flags(const jit *j, const oryx_ir_op *o)
{
    return (o->op == ORYX_OP_PUT || o->op == ORYX_OP_GET) && (int32_t)o->imm == j->fl_slot;
}

/* The ops of the block, and the order of its accesses, changes of homes, and the PUT of flags, allow it. */
static bool allowed(const jit *j, const fl_loop *f, oryx_val first, oryx_val end)
{
    bool changed = false, stored = false, done = false;
    for (oryx_val v = first; v < end; v++) {
        const oryx_ir_op *o = op_of(j, v);
        done |= v == f->put;
        switch (o->op) {
        case ORYX_OP_LOAD:
        case ORYX_OP_STORE:
            if (done || changed)
                return false;
            stored |= o->op == ORYX_OP_STORE;
            break;
        case ORYX_OP_INSN:
            if (stored && (done || changed))
                return false;
            stored = false;
            break;
        case ORYX_OP_CALL:
        case ORYX_OP_ARGS: return false;
        case ORYX_OP_GOTO:
        case ORYX_OP_GOTOC: break;
        default:
            if ((is_flags(j, o) && v != f->put) || (!op_sees_no_state(o) && o->op != ORYX_OP_PUT))
                return false;
        }
        changed |= changes(j, f, v);
    }
    return done && !stored;
}

static bool describe(const jit *j, fl_loop *f, oryx_val first, oryx_val end)
{
    for (oryx_val v = first; v < end; v++)
        if (is_flags(j, op_of(j, v)))
            f->put = v;
    const oryx_ir_op *t = f->put && op_of(j, f->put)->op == ORYX_OP_PUT ? op_of(j, op_of(j, f->put)->a) : NULL;
    if (!t || t->op != ORYX_OP_FLMAKE || (t->lane != ORYX_T_I32 && t->lane != ORYX_T_I64))
        return false;
    if (t->imm != ORYX_FL_LOGIC && t->imm != ORYX_FL_SUB && t->imm != ORYX_FL_SUBC)
        return false;
    f->kind = (uint8_t)t->imm;
    f->lane = t->lane;
    f->b = NO_REG;
    if (is_const(j, t->a) || !at_home(j, first, end, t->a, t->lane, &f->a, &f->a_offset))
        return false;
    if (f->kind == ORYX_FL_LOGIC)
        return true;
    if (!is_const(j, t->b))
        return at_home(j, first, end, t->b, t->lane, &f->b, &f->b_offset);
    int64_t c = t->lane == ORYX_T_I32 ? (int32_t)const_of(j, t->b) : (int64_t)const_of(j, t->b);
    f->b_offset = (int32_t)c;
    return c == (int32_t)c;
}

void fl_loops_find(jit *j)
{
    for (uint32_t i = 0; i < j->n_blocks; i++) {
        region_block *b = &j->block[i];
        oryx_val first = b->op + 1, end = i + 1 < j->n_blocks ? j->block[i + 1].op : j->ir->n;
        b->fl = (fl_loop){ .on = false };
        b->fl.on = j->fl_slot >= 0 && b->succ >> i & 1 && b->flags & ORYX_BLOCK_CHECK && describe(j, &b->fl, first, end) && allowed(j, &b->fl, first, end);
    }
}

uint32_t fl_loop_homes(const jit *j)
{
    const fl_loop *f = &j->block[j->current].fl;
    return f->on ? 1u << f->a | (f->b == NO_REG ? 0 : 1u << f->b) : 0;
}

/* An edge brings raw flags to the block: LEFT, as its check will leave it, is noted. */
void fl_mark(jit *j, uint32_t block)
{
    if (!j->block[block].fl.on)
        return;
    emit_rm(&j->e, 0x8d, W32, RAX, LEFT, -(int32_t)j->block[block].pot);
    emit_rm(&j->e, 0x89, W32, RAX, SB, FRAME_DISP(j, fl_mark));
}

/* The home's register, or a scratch register that has what it held (saved: before the call of a stub) plus the offset. */
static unsigned operand(jit *j, unsigned home, int32_t offset, bool saved, unsigned scratch)
{
    emit *e = &j->e;
    unsigned from = home;
    if (saved) {
        slot_saved(j, scratch, home);
        from = scratch;
    }
    if (!offset)
        return from;
    emit_rm(e, 0x8d, W64, scratch, from, offset);
    return scratch;
}

/* raw_flags become those of the block's comparison. */
void fl_loop_raw(jit *j, uint32_t block, bool saved)
{
    emit *e = &j->e;
    const fl_loop *f = &j->block[block].fl;
    unsigned w = f->lane == ORYX_T_I64 ? W64 : W32, a = operand(j, f->a, f->a_offset, saved, RAX);
    if (f->kind == ORYX_FL_LOGIC) {
        emit_rr(e, 0x85, w, a, a);
    } else if (f->b == NO_REG) {
        emit_alu_ri(e, 7, w, a, f->b_offset);
    } else {
        unsigned b = operand(j, f->b, f->b_offset, saved, RCX);
        emit_alu_rr(e, 7, w, a, b);
    }
    fl_keep(j, f->kind == ORYX_FL_SUBC, f->kind == ORYX_FL_LOGIC);
}

/* The same before a way out of the block's middle: not in the first round. */
void fl_loop_leave(jit *j, uint32_t block, bool saved, uint32_t taken)
{
    emit *e = &j->e;
    emit_rm(e, 0x8d, W32, RAX, LEFT, -(int32_t)taken);
    emit_rm(e, 0x3b, W32, RAX, SB, FRAME_DISP(j, fl_mark));
    uint32_t first = emit_jcc(e, CC_E);
    fl_loop_raw(j, block, saved);
    emit_here(e, first);
}
