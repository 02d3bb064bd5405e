/* Which host register holds which value and which guest slot. Called by every op emitter.
 *
 * A register may hold one value, cache one guest slot, or both (GET makes a value of a slot's register, PUT makes a slot of a
 * value's register; neither moves data). Invariants: a live value is in a register, in a spill slot, or a constant; a dirty
 * slot is in exactly one register and is written to memory before the register is given to anything else; registers locked by
 * the current op are never taken. No function here changes host flags but where it says so. */
#include "x64.h"

#define ALLOC_GPR (1u << RBX | 1u << RSI | 1u << RDI | 1u << R8 | 1u << R9 | 1u << R10 | 1u << R11 | 1u << R12 | 1u << R13 | 1u << R14)
#define ALLOC_XMM (((1u << XS0) - 1) << 16)
/* Registers a System V call preserves. */
#define CALLEE_SAVED (1u << RBX | 1u << R12 | 1u << R13 | 1u << R14)

static unsigned bit(uint32_t mask)
{
    return (unsigned)__builtin_ctz(mask);
}

void regs_reset(jit *j)
{
    for (uint32_t m = j->fresh ? j->used | j->pinned : ~0u; m; m &= m - 1)
        j->r[bit(m)] = (host_reg){ .slot = -1 };
    j->fresh = true;
    j->pool[0] = ALLOC_GPR;
    j->pool[1] = ALLOC_XMM;
    j->lock = j->stamp = j->pinned = j->homes = j->away = j->used = 0;
    memset(j->near_slot, 0, sizeof j->near_slot);
    j->keep_homes = false;
    j->fl_slot = -1;
    j->fl_dirty = false;
    j->fl_loop = 0;
    j->spill_used[0] = j->spill_used[1] = 0;
}

static bool fully_const(const jit *j, oryx_val v)
{
    return is_const(j, v) && !T_IS_VEC(j->types[v]);
}

/* A vector constant is loaded where it is needed. */
static bool is_vec_const(const jit *j, oryx_val v)
{
    unsigned op = op_of(j, v)->op;
    return op == ORYX_OP_VCONST || (op == ORYX_OP_CONST && T_IS_VEC(j->types[v]));
}

/* --- moving data ------------------------------------------------------------------------------------------------------ */
static int32_t spill_disp(const jit *j, int s)
{
    return FRAME_DISP(j, spill) + s * 16;
}

static int spill_take(jit *j)
{
    for (int w = 0; w < 2; w++)
        if (~j->spill_used[w]) {
            int b = __builtin_ctzll(~j->spill_used[w]);
            j->spill_used[w] |= 1ull << b;
            return w * 64 + b;
        }
    j->error = ORYX_E_RANGE; /* 128 live values that do not fit: no block of 64 instructions gets near */
    return 0;
}

void slot_store(jit *j, unsigned reg, unsigned type, uint32_t offset)
{
    emit *e = &j->e;
    int32_t at = state_disp(offset);
    switch (type) {
    case ORYX_T_I1:
    case ORYX_T_I8: emit_rm(e, 0x88, W8, reg, SB, at); break;
    case ORYX_T_I16: emit_rm(e, 0x89, W16, reg, SB, at); break;
    case ORYX_T_I32:
    case ORYX_T_FL: emit_rm(e, 0x89, W32, reg, SB, at); break;
    case ORYX_T_I64: emit_rm(e, 0x89, W64, reg, SB, at); break;
    case ORYX_T_F32: emit_rm(e, OP_66 | 0x0f7e, W32, reg - 16, SB, at); break;
    case ORYX_T_F64:
    case ORYX_T_V64: emit_rm(e, OP_66 | 0x0fd6, W32, reg - 16, SB, at); break;
    default: emit_rm(e, 0x0f11, W32, reg - 16, SB, at); break;
    }
}

void slot_load(jit *j, unsigned reg, unsigned type, uint32_t offset)
{
    emit *e = &j->e;
    int32_t at = state_disp(offset);
    switch (type) {
    case ORYX_T_I1:
    case ORYX_T_I8: emit_rm(e, 0x0fb6, W32, reg, SB, at); break;
    case ORYX_T_I16: emit_rm(e, 0x0fb7, W32, reg, SB, at); break;
    case ORYX_T_I32:
    case ORYX_T_FL: emit_rm(e, 0x8b, W32, reg, SB, at); break;
    case ORYX_T_I64: emit_rm(e, 0x8b, W64, reg, SB, at); break;
    case ORYX_T_F32: emit_rm(e, OP_66 | 0x0f6e, W32, reg - 16, SB, at); break;
    case ORYX_T_F64:
    case ORYX_T_V64: emit_rm(e, OP_F3 | 0x0f7e, W32, reg - 16, SB, at); break;
    default: emit_rm(e, 0x0f10, W32, reg - 16, SB, at); break;
    }
}

static bool is_pinned(const jit *j, unsigned reg)
{
    return j->pinned >> reg & 1;
}

static uint32_t used_regs(const jit *j)
{
    return (j->pool[0] | j->pool[1] | j->pinned) & j->used;
}

/* A pinned slot stays dirty: the next round may have written it again. */
static void write_back(jit *j, unsigned reg)
{
    host_reg *h = &j->r[reg];
    if (h->dirty) {
        slot_store(j, reg, h->type, (uint32_t)h->slot);
        h->dirty = is_pinned(j, reg);
    }
}

static void spill(jit *j, unsigned reg)
{
    oryx_val v = j->r[reg].v;
    place *p = &j->place[v];
    if (p->spill < 0 && !fully_const(j, v) && !is_vec_const(j, v) && !is_deferred(j, v)) {
        p->spill = (int16_t)spill_take(j);
        if (reg < 16)
            emit_rm(&j->e, 0x89, W64, reg, SB, spill_disp(j, p->spill));
        else
            emit_rm(&j->e, 0x0f11, W32, reg - 16, SB, spill_disp(j, p->spill));
    }
    p->reg = NO_REG;
    j->r[reg].v = 0;
}

/* Nothing in reg afterwards. */
static void vacate(jit *j, unsigned reg)
{
    write_back(j, reg);
    j->r[reg].slot = -1;
    if (j->r[reg].v)
        spill(j, reg);
}

/* A home gives its register to something else until homes_restore. */
static void home_leave(jit *j, unsigned reg)
{
    host_reg *h = &j->r[reg];
    if (h->dirty)
        slot_store(j, reg, h->type, (uint32_t)h->slot);
    h->dirty = false;
    h->slot = -1;
    j->pinned &= ~(1u << reg);
    j->away |= 1u << reg;
    j->pool[reg >= 16] |= 1u << reg;
}

/* The register holds its own slot again. */
static void home_return(jit *j, unsigned reg, bool dirty)
{
    host_reg *h = &j->r[reg];
    slot_in(j, reg, (uint32_t)j->home[reg].slot, j->home[reg].type);
    h->dirty = dirty;
    j->pinned |= 1u << reg;
    j->away &= ~(1u << reg);
    j->pool[reg >= 16] &= ~(1u << reg);
}

/* How far it is to the next use of what the register holds, in ops, against what it costs to have it there again. */
static uint32_t distance(const jit *j, unsigned reg)
{
    const host_reg *h = &j->r[reg];
    uint32_t next = NEVER, cost = 1;
    if (h->slot >= 0) {
        next = h->next;
        cost += h->dirty;
    }
    if (h->v) {
        next = j->next_at[h->v] < next ? j->next_at[h->v] : next;
        cost += is_const(j, h->v) || j->place[h->v].spill >= 0 ? 0 : 1;
    }
    uint32_t far = next <= j->at ? 1 : next - j->at;
    return (far < 1u << 24 ? far * 12 : 1u << 28) / cost;
}

/* Regions: the register whose contents are wanted last. Locks it. */
static unsigned take_furthest(jit *j, unsigned cls)
{
    uint32_t can = (j->pool[cls] | (j->keep_homes ? 0 : j->pinned & (cls ? 0xffff0000 : 0xffff) & ~(j->fl_loop ? fl_loop_homes(j) : 0))) & ~j->lock, best = NO_REG, most = 0;
    for (uint32_t m = can; m; m &= m - 1) {
        unsigned reg = bit(m);
        const host_reg *h = &j->r[reg];
        if (!h->v && h->slot < 0) {
            best = reg;
            break;
        }
        uint32_t far = distance(j, reg);
        if (far > most) {
            most = far;
            best = reg;
        }
    }
    if (best == NO_REG) {
        j->error = ORYX_E_INTERNAL;
        return bit(j->pool[cls]);
    }
    if (is_pinned(j, best))
        home_leave(j, best);
    vacate(j, best);
    j->used |= 1u << best;
    j->lock |= 1u << best;
    j->r[best].stamp = ++j->stamp;
    return best;
}

/* A free register of the class: empty, else the least recently used clean cache, dirty cache, or value. Locks it. */
static unsigned take(jit *j, unsigned cls)
{
    if (j->n_blocks)
        return take_furthest(j, cls);
    uint32_t can = j->pool[cls] & ~j->lock;
    unsigned best = can & ~j->used ? bit(can & ~j->used) : NO_REG;
    uint64_t best_cost = ~(uint64_t)0;
    for (uint32_t m = best == NO_REG ? can : 0; m; m &= m - 1) {
        unsigned reg = bit(m);
        const host_reg *h = &j->r[reg];
        if (!h->v && h->slot < 0) {
            best = reg;
            break;
        }
        uint64_t cost = (uint64_t)(h->v ? 2 : 0) + (h->dirty ? 1 : 0);
        cost = cost << 32 | h->stamp;
        if (cost < best_cost) {
            best_cost = cost;
            best = reg;
        }
    }
    if (best == NO_REG) {
        j->error = ORYX_E_INTERNAL;
        return bit(j->pool[cls]);
    }
    vacate(j, best);
    j->used |= 1u << best;
    j->lock |= 1u << best;
    j->r[best].stamp = ++j->stamp;
    return best;
}

/* --- values -------------------------------------------------------------------------------------------------------------- */
static unsigned use(jit *j, oryx_val v, unsigned cls)
{
    place *p = &j->place[v];
    if (p->reg == NO_REG) {
        const oryx_ir_op *o = op_of(j, v);
        unsigned reg = take(j, cls);
        if (cls == 0 && o->op == ORYX_OP_CONST) {
            emit_mov_ri_keep(&j->e, reg, o->imm);
        } else if (p->spill < 0 && is_vec_const(j, v)) {
            vec_const(j, v, reg - 16);
        } else if (p->spill < 0 && is_deferred(j, v)) {
            uint32_t keep = j->lock; /* its operands are needed for the moment only */
            deferred_emit(j, v, reg);
            j->lock = keep;
        } else if (p->spill >= 0) {
            if (cls == 0)
                emit_rm(&j->e, 0x8b, W64, reg, SB, spill_disp(j, p->spill));
            else
                emit_rm(&j->e, 0x0f10, W32, reg - 16, SB, spill_disp(j, p->spill));
        } else {
            j->error = ORYX_E_INTERNAL;
        }
        p->reg = (uint8_t)reg;
        j->r[reg].v = v;
    }
    j->lock |= 1u << p->reg;
    j->r[p->reg].stamp = ++j->stamp;
    return p->reg;
}

unsigned gpr_use(jit *j, oryx_val v)
{
    return use(j, v, 0);
}

unsigned xmm_use(jit *j, oryx_val v)
{
    return use(j, v, 1) - 16;
}

/* The register v would best be made in is free of values: what it holds is the slot's old contents, wanted no more. */
static unsigned hinted(const jit *j, oryx_val v)
{
    unsigned home = j->n_blocks ? j->hint[v] : NO_REG;
    return home != NO_REG && !j->r[home].v && !(j->lock >> home & 1) && (is_pinned(j, home) || j->r[home].slot < 0) ? home : NO_REG;
}

static unsigned def(jit *j, oryx_val v, unsigned cls)
{
    unsigned reg = hinted(j, v);
    if (reg == NO_REG)
        reg = take(j, cls);
    j->lock |= 1u << reg;
    j->place[v].reg = (uint8_t)reg;
    j->r[reg].v = v;
    return reg;
}

unsigned gpr_def(jit *j, oryx_val v)
{
    return def(j, v, 0);
}

unsigned xmm_def(jit *j, oryx_val v)
{
    return def(j, v, 1) - 16;
}

bool gpr_is_last(const jit *j, oryx_val v)
{
    return j->uses[v] == 1;
}

/* from's register can become v's: from dies here and the register is no slot's only copy, or of the slot that v is PUT to. */
static bool can_take_over(const jit *j, oryx_val v, oryx_val from)
{
    const place *p = &j->place[from];
    if (j->uses[from] != 1 || p->reg == NO_REG)
        return false;
    const host_reg *h = &j->r[p->reg];
    if (h->slot < 0 || !j->n_blocks)
        return h->slot < 0;
    return is_pinned(j, p->reg) ? j->hint[v] == p->reg : !h->dirty && h->next == NEVER;
}

static unsigned take_over(jit *j, oryx_val v, oryx_val from)
{
    unsigned reg = j->place[from].reg;
    if (!is_pinned(j, reg))
        j->r[reg].slot = -1;
    j->place[from].reg = NO_REG; /* its last use is this op; val_done finds it homeless */
    j->used |= 1u << reg;
    j->r[reg].v = v;
    j->place[v].reg = (uint8_t)reg;
    j->lock |= 1u << reg;
    j->r[reg].stamp = ++j->stamp;
    return reg;
}

unsigned gpr_def_over(jit *j, oryx_val v, oryx_val x, oryx_val y)
{
    unsigned home = j->n_blocks ? j->hint[v] : NO_REG;
    oryx_val from[2] = { x, y };
    for (int k = 0; k < 2; k++) /* the best place first */
        if (from[k] && home != NO_REG && j->place[from[k]].reg == home && can_take_over(j, v, from[k]))
            return take_over(j, v, from[k]);
    if (hinted(j, v) != NO_REG)
        return def(j, v, 0);
    for (int k = 0; k < 2; k++)
        if (from[k] && can_take_over(j, v, from[k]))
            return take_over(j, v, from[k]);
    return def(j, v, 0);
}

static unsigned def_copy(jit *j, oryx_val v, oryx_val from, unsigned cls)
{
    if (can_take_over(j, v, from) && !(cls == 0 && fully_const(j, from)))
        return take_over(j, v, from);
    if (cls == 0 && is_const(j, from) && j->place[from].reg == NO_REG) {
        unsigned reg = def(j, v, cls);
        emit_mov_ri_keep(&j->e, reg, const_of(j, from));
        return reg;
    }
    unsigned source = use(j, from, cls), reg = def(j, v, cls);
    if (cls == 0)
        emit_mov_rr(&j->e, W64, reg, source);
    else
        emit_rr(&j->e, 0x0f28, W32, reg - 16, source - 16);
    return reg;
}

unsigned gpr_def_copy(jit *j, oryx_val v, oryx_val from)
{
    return def_copy(j, v, from, 0);
}

unsigned xmm_def_copy(jit *j, oryx_val v, oryx_val from)
{
    return def_copy(j, v, from, 1) - 16;
}

unsigned gpr_temp(jit *j)
{
    return take(j, 0);
}

unsigned xmm_temp(jit *j)
{
    return take(j, 1) - 16;
}

void val_keep(jit *j, oryx_val v)
{
    j->uses[v]++;
}

void val_dead(jit *j, oryx_val v)
{
    place *p = &j->place[v];
    if (p->reg != NO_REG && j->r[p->reg].v == v) {
        j->r[p->reg].v = 0;
        if (j->r[p->reg].slot < 0)
            j->used &= ~(1u << p->reg);
    }
    if (p->spill >= 0)
        j->spill_used[p->spill >> 6] &= ~(1ull << (p->spill & 63));
    p->reg = NO_REG;
    p->spill = -1;
    if (is_deferred(j, v)) { /* it held its operands until now */
        const oryx_ir_op *o = op_of(j, v);
        val_done(j, o->a);
        if (o->op != ORYX_OP_FLCOND) {
            val_done(j, o->b);
            val_done(j, o->c);
        }
    }
}

void op_done(jit *j)
{
    j->lock = 0;
}

static void move(jit *j, unsigned d, unsigned s)
{
    if (d < 16)
        emit_mov_rr(&j->e, W64, d, s);
    else
        emit_rr(&j->e, 0x0f28, W32, d - 16, s - 16);
}

/* --- slots --------------------------------------------------------------------------------------------------------------- */
/* Every place that sets host_reg.slot is here, so that near_slot has every cached slot. */
void slot_in(jit *j, unsigned reg, uint32_t offset, unsigned type)
{
    uint32_t last = (offset + oryx_type_size(type) - 1) / 8;
    for (uint32_t g = offset / 8; g <= last; g++)
        j->near_slot[g % NEAR_SLOTS] |= 1u << reg;
    j->used |= 1u << reg;
    j->r[reg].slot = (int32_t)offset;
    j->r[reg].type = (uint8_t)type;
}

/* Registers whose cached slot overlaps [offset, offset + size). */
static uint32_t overlapping(jit *j, uint32_t offset, uint32_t size)
{
    uint32_t mask = 0, last = (offset + size - 1) / 8;
    for (uint32_t g = offset / 8; g <= last; g++) {
        uint32_t *near = &j->near_slot[g % NEAR_SLOTS];
        for (uint32_t m = *near; m; m &= m - 1) {
            unsigned reg = bit(m);
            const host_reg *h = &j->r[reg];
            if (h->slot < 0 || (g - (uint32_t)h->slot / 8) % NEAR_SLOTS > 2)
                *near &= ~(1u << reg); /* not any more */
            else if ((uint32_t)h->slot < offset + size && offset < (uint32_t)h->slot + oryx_type_size(h->type))
                mask |= 1u << reg;
        }
    }
    return mask;
}

/* The home of this slot, when something else is in it. */
static unsigned home_away(const jit *j, uint32_t offset)
{
    for (uint32_t m = j->away; m; m &= m - 1)
        if (j->home[bit(m)].slot == (int32_t)offset)
            return bit(m);
    return NO_REG;
}

void slot_get(jit *j, oryx_val v)
{
    unsigned type = j->types[v], cls = T_IS_VEC(type), size = oryx_type_size(type);
    uint32_t offset = (uint32_t)op_of(j, v)->imm;
    if (j->fl_slot == (int32_t)offset) {
        fl_get(j, def(j, v, 0));
        return;
    }
    for (uint32_t m = overlapping(j, offset, size); m; m &= m - 1) {
        unsigned reg = bit(m);
        host_reg *h = &j->r[reg];
        if (h->slot == (int32_t)offset && (reg >= 16) == cls && oryx_type_size(h->type) >= size) {
            h->stamp = ++j->stamp;
            if (j->n_blocks)
                h->next = j->next[v].at[1];
            if (!h->v) {
                h->v = v;
                j->place[v].reg = (uint8_t)reg;
                return;
            }
            j->lock |= 1u << reg;
            unsigned copy = def(j, v, cls);
            if (cls == 0)
                emit_mov_rr(&j->e, W64, copy, reg);
            else
                emit_rr(&j->e, 0x0f28, W32, copy - 16, reg - 16);
            return;
        }
        write_back(j, reg);
    }
    unsigned home = home_away(j, offset), reg;
    if (home != NO_REG) {
        type = j->home[home].type;
        if (!j->r[home].v && j->r[home].slot < 0 && !(j->lock >> home & 1)) {
            slot_load(j, home, type, offset);
            home_return(j, home, false);
            j->r[home].next = j->next[v].at[1];
            j->r[home].v = v;
            j->place[v].reg = (uint8_t)home;
            j->lock |= 1u << home;
            return;
        }
    }
    reg = def(j, v, cls);
    slot_load(j, reg, type, offset);
    slot_in(j, reg, offset, type);
    j->r[reg].dirty = false;
    if (j->n_blocks)
        j->r[reg].next = j->next[v].at[1];
}

/* The home holds a, and v = a + constant was put off until this PUT (find_next_uses). Changes host flags. */
static bool add_at_home(jit *j, unsigned home, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (!j->place[v].folded || j->place[v].reg != NO_REG || j->r[home].v != o->a || j->uses[o->a] != 1)
        return false;
    emit_alu_ri(&j->e, 0, W64, home, (int32_t)const_of(j, o->b));
    j->place[o->a].reg = NO_REG;
    j->place[v].reg = (uint8_t)home;
    j->place[v].folded = false;
    j->r[home].v = v;
    val_done(j, o->a);
    val_done(j, o->b);
    return true;
}

void slot_put(jit *j, unsigned type, uint32_t offset, oryx_val v)
{
    unsigned cls = T_IS_VEC(type), size = oryx_type_size(type);
    if (j->fl_slot == (int32_t)offset) {
        fl_put(j, v);
        return;
    }
    for (uint32_t m = overlapping(j, offset, size) & j->pinned; m; m &= m - 1) { /* pins have one shape only */
        unsigned home = bit(m);
        host_reg *h = &j->r[home];
        h->dirty = true;
        h->next = j->next[j->at].at[1];
        if (cls == 0 && !h->v && is_const(j, v) && j->place[v].reg == NO_REG) {
            emit_mov_ri_keep(&j->e, home, const_of(j, v));
            return;
        }
        if (cls == 0 && add_at_home(j, home, v))
            return;
        if (cls == 1 && !h->v && is_vec_const(j, v) && j->place[v].reg == NO_REG && j->place[v].spill < 0) {
            vec_const(j, v, home - 16);
            return;
        }
        j->lock |= 1u << home;
        unsigned reg = use(j, v, cls);
        if (home == reg)
            return;
        if (h->v) { /* a value read earlier is still wanted */
            oryx_val old = h->v;
            unsigned copy = take(j, cls);
            move(j, copy, home);
            h->v = 0;
            j->r[copy].v = old;
            j->place[old].reg = (uint8_t)copy;
        }
        move(j, home, reg);
        return;
    }
    unsigned reg = use(j, v, cls);
    for (uint32_t m = overlapping(j, offset, size); m; m &= m - 1) {
        host_reg *h = &j->r[bit(m)];
        bool covered = (uint32_t)h->slot >= offset && (uint32_t)h->slot + oryx_type_size(h->type) <= offset + size;
        if (!covered)
            write_back(j, bit(m));
        h->slot = -1;
        h->dirty = false;
    }
    if (j->n_blocks && j->r[reg].slot >= 0 && !is_pinned(j, reg) && !j->r[reg].dirty && j->r[reg].next == NEVER)
        j->r[reg].slot = -1; /* not read before the block ends */
    if (j->r[reg].slot >= 0) { /* the register is another slot's home: that slot keeps it */
        unsigned copy = take(j, cls);
        if (cls == 0)
            emit_mov_rr(&j->e, W64, copy, reg);
        else
            emit_rr(&j->e, 0x0f28, W32, copy - 16, reg - 16);
        reg = copy;
    }
    slot_in(j, reg, offset, type);
    j->r[reg].dirty = true;
    if (!j->n_blocks)
        return;
    j->r[reg].next = j->next[j->at].at[1];
    if (home_away(j, offset) == reg)
        home_return(j, reg, true);
}

void slots_write_back(jit *j)
{
    if (j->fl_slot >= 0 && j->fl_dirty)
        fl_flush(j);
    for (uint32_t m = used_regs(j); m; m &= m - 1)
        write_back(j, bit(m));
}

void slots_write_back_unpinned(jit *j)
{
    for (uint32_t m = used_regs(j) & ~j->pinned; m; m &= m - 1)
        write_back(j, bit(m));
}

/* Something in a home that is away goes elsewhere. */
static void clear_home(jit *j, unsigned reg)
{
    host_reg *h = &j->r[reg];
    if (h->slot >= 0) {
        write_back(j, reg);
        h->slot = -1;
    }
    if (!h->v)
        return;
    for (uint32_t m = j->pool[reg >= 16] & ~j->away & ~j->lock; m; m &= m - 1) {
        host_reg *to = &j->r[bit(m)];
        if (to->v || (to->slot >= 0 && to->dirty))
            continue;
        move(j, bit(m), reg);
        j->used |= 1u << bit(m);
        *to = *h;
        j->place[h->v].reg = (uint8_t)bit(m);
        h->v = 0;
        return;
    }
    spill(j, reg);
}

static void bring_home(jit *j, unsigned home)
{
    uint32_t m = overlapping(j, (uint32_t)j->home[home].slot, 1);
    if (m) { /* cached in one register, of the home's type */
        host_reg *from = &j->r[bit(m)];
        bool dirty = from->dirty;
        from->slot = -1;
        from->dirty = false;
        if (bit(m) != home)
            move(j, home, bit(m));
        home_return(j, home, dirty);
        return;
    }
    slot_load(j, home, j->home[home].type, (uint32_t)j->home[home].slot);
    home_return(j, home, false);
}

void homes_restore(jit *j)
{
    for (bool news = true; news;) { /* the empty ones first: what is in others may be some home's slot */
        news = false;
        for (uint32_t m = j->away; m; m &= m - 1) {
            const host_reg *h = &j->r[bit(m)];
            if (!h->v && (h->slot < 0 || h->slot == j->home[bit(m)].slot)) {
                bring_home(j, bit(m));
                news = true;
            }
        }
    }
    for (uint32_t m; (m = j->away) != 0;) {
        clear_home(j, bit(m));
        bring_home(j, bit(m));
    }
}

void slots_branch(jit *j)
{
    homes_restore(j);
    slots_write_back_unpinned(j);
    for (uint32_t m = j->pinned; m; m &= m - 1) {
        unsigned reg = bit(m);
        j->branch_dirty |= j->r[reg].dirty ? 1u << reg : 0;
        j->r[reg].dirty = j->branch_dirty >> reg & 1;
    }
}

void slots_block(jit *j)
{
    uint32_t dirty = j->block[j->current].dirty;
    j->pool[0] &= ~j->homes;
    j->pool[1] &= ~j->homes;
    j->pinned = j->homes;
    j->away = j->branch_dirty = 0;
    j->keep_homes = false;
    for (unsigned reg = 0; reg < N_REGS; reg++) {
        j->r[reg].v = 0;
        if (!is_pinned(j, reg)) {
            j->r[reg].slot = -1;
            j->r[reg].dirty = false;
        } else {
            slot_in(j, reg, (uint32_t)j->home[reg].slot, j->home[reg].type);
            j->r[reg].next = j->block[j->current].first[reg];
            j->r[reg].dirty = dirty >> reg & 1;
        }
    }
    j->fl_dirty = dirty & 1u << RAX;
    j->fl_loop = j->block[j->current].fl.on ? FL_LOOP : 0;
}

void slots_forget(jit *j)
{
    for (uint32_t m = used_regs(j) & ~j->pinned; m; m &= m - 1) {
        j->r[bit(m)].slot = -1;
        j->r[bit(m)].dirty = false;
    }
}

void regs_spill_caller_saved(jit *j)
{
    for (uint32_t m = ((j->pool[0] & ~CALLEE_SAVED) | j->pool[1]) & j->used; m; m &= m - 1)
        vacate(j, bit(m));
    /* Pinned registers keep their slots: in memory for the time of the call. It may change the state, so that values leave
     * those that it preserves, too. */
    for (uint32_t m = j->pinned; m; m &= m - 1) {
        if (j->r[bit(m)].v)
            spill(j, bit(m));
        write_back(j, bit(m));
    }
}

void regs_reload(jit *j, bool state_changed)
{
    for (uint32_t m = state_changed ? j->pinned : j->pinned & ~CALLEE_SAVED; m; m &= m - 1)
        slot_load(j, bit(m), j->r[bit(m)].type, (uint32_t)j->r[bit(m)].slot);
    if (state_changed && j->fl_slot >= 0)
        fl_load(j);
}

void snapshot_take(jit *j, snapshot *s)
{
    s->live = s->n = 0;
    s->flags = j->fl_loop ? j->fl_loop : j->fl_slot >= 0 && j->fl_dirty ? FL_RAW : FL_MEMORY;
    s->fl_block = (uint8_t)j->current;
    for (uint32_t m = used_regs(j); m; m &= m - 1) {
        unsigned reg = bit(m);
        const host_reg *h = &j->r[reg];
        if (h->v || h->slot >= 0)
            s->live |= 1u << reg;
        else
            j->used &= ~(1u << reg) | j->lock;
        if (h->dirty) {
            s->dirty[s->n].slot = h->slot;
            s->dirty[s->n].reg = (uint8_t)reg;
            s->dirty[s->n++].type = h->type;
        }
    }
}

void val_alias(jit *j, oryx_val v, oryx_val from)
{
    unsigned cls = T_IS_VEC(j->types[from]);
    unsigned reg = use(j, from, cls);
    if (j->uses[from] == 1) {
        j->place[from].reg = NO_REG;
        j->r[reg].v = v;
        j->place[v].reg = (uint8_t)reg;
        return;
    }
    unsigned copy = def(j, v, cls);
    if (cls == 0)
        emit_mov_rr(&j->e, W64, copy, reg);
    else
        emit_rr(&j->e, 0x0f28, W32, copy - 16, reg - 16);
}
