/* Regions: several guest blocks compiled as one. The slots they use most stay in fixed host registers from entry to exit, the
 * flags slot in frame.raw_flags; edges between blocks are jumps; only ways out write to memory, out of line.
 *
 * The slice: LEFT has had the longest way to the next check subtracted (region_block.pot), so blocks count nothing; an edge
 * to a shorter way gives the difference back, a way out the rest. Checks stand where the region is entered and at blocks
 * marked ORYX_BLOCK_CHECK, which every loop passes; when too few instructions are left there, the region is left for the
 * run loop, exact. Called by compile.c and control.c. Invariant: where a block begins, every pinned register holds its
 * slot, and memory has all others. */
#include "x64.h"

#define MAX_PINS 96
#define PIN_XMM 8

typedef struct pin {
    uint32_t offset, count;
    uint8_t type, size, cls;
    bool written, bad;
} pin;

/* --- the blocks ------------------------------------------------------------------------------------------------------------ */
static int find(const jit *j, uint64_t pc)
{
    for (uint32_t i = 0; i < j->n_blocks; i++)
        if (j->block[i].pc == pc)
            return (int)i;
    return -1;
}

static uint64_t successors(const jit *j, uint32_t n, oryx_val end)
{
    uint64_t succ = 0;
    if (j->block[n].flags & ORYX_BLOCK_LEAVES)
        return 0;
    for (oryx_val v = j->block[n].op; v < end; v++) {
        const oryx_ir_op *o = op_of(j, v);
        int a = -1, b = -1;
        if (o->op == ORYX_OP_GOTO || o->op == ORYX_OP_GOTOC)
            a = find(j, o->imm);
        if (o->op == ORYX_OP_GOTOC)
            b = find(j, (uint64_t)o->c << 32 | o->b);
        succ |= (a < 0 ? 0 : 1ull << a) | (b < 0 ? 0 : 1ull << b);
        for (uint32_t i = 0; o->op == ORYX_OP_GOTOI && o->imm == ORYX_HINT_RETURN && i < j->n_blocks; i++)
            succ |= j->block[i].flags & ORYX_BLOCK_RETURN ? 1ull << i : 0;
    }
    return succ;
}

/* Blocks of the loop that the edge from `from` back to `head` closes weigh more. */
static void weigh_loop(jit *j, uint32_t from, uint32_t head)
{
    uint64_t in = 1ull << head, add = 1ull << from;
    while (add & ~in) {
        uint32_t b = (uint32_t)__builtin_ctzll(add & ~in);
        in |= 1ull << b;
        for (uint32_t i = head; i < j->n_blocks; i++)
            if (j->block[i].succ >> b & 1)
                add |= 1ull << i;
    }
    for (; in; in &= in - 1) {
        region_block *b = &j->block[__builtin_ctzll(in)];
        b->weight = b->weight < 512 ? b->weight * 8 : b->weight;
    }
}

bool region_scan(jit *j)
{
    j->n_blocks = 0;
    if (j->ir->n < 2 || op_of(j, 1)->op != ORYX_OP_BLOCK)
        return false;
    for (oryx_val v = 1; v < j->ir->n; v++) {
        const oryx_ir_op *o = op_of(j, v);
        if (o->op != ORYX_OP_BLOCK)
            continue;
        if (j->n_blocks == ORYX_REGION_BLOCKS) {
            j->n_blocks = 0;
            return false;
        }
        j->block[j->n_blocks++] = (region_block){ .pc = o->imm, .op = v, .n = o->a, .flags = o->b, .weight = 1 };
    }
    for (uint32_t i = j->n_blocks; i-- > 0;) {
        region_block *b = &j->block[i];
        b->succ = successors(j, i, i + 1 < j->n_blocks ? j->block[i + 1].op : j->ir->n);
        b->pot = 0;
        for (uint32_t k = i + 1; k < j->n_blocks; k++)
            if (b->succ >> k & 1 && !(j->block[k].flags & ORYX_BLOCK_CHECK) && j->block[k].pot > b->pot)
                b->pot = j->block[k].pot;
        b->pot += b->n;
    }
    for (uint32_t i = 0; i < j->n_blocks; i++)
        for (uint64_t back = j->block[i].succ & ((2ull << i) - 1); back; back &= back - 1)
            weigh_loop(j, i, (uint32_t)__builtin_ctzll(back));
    j->tb->n_insns = j->block[0].pot;
    return true;
}

/* --- which slots ------------------------------------------------------------------------------------------------------------ */
static bool overlaps(const pin *p, uint32_t offset, uint32_t size)
{
    return p->offset < offset + size && offset < p->offset + p->size;
}

/* Note one GET or PUT. A slot that is also reached in another shape stays in memory. */
static unsigned note(pin *pins, unsigned n, const oryx_ir_op *o, uint32_t weight)
{
    uint32_t offset = (uint32_t)o->imm, size = oryx_type_size(o->type);
    bool put = o->op == ORYX_OP_PUT, found = false, bad = false;
    unsigned cls = T_IS_VEC(o->type);
    for (unsigned i = 0; i < n; i++) {
        pin *p = &pins[i];
        if (!overlaps(p, offset, size))
            continue;
        found |= p->offset == offset;
        bad |= p->offset != offset;
        if (p->offset != offset || p->cls != cls || (o->type == ORYX_T_FL) != (p->type == ORYX_T_FL)) {
            p->bad = true;
            p->size = p->offset == offset && size > p->size ? (uint8_t)size : p->size; /* collisions must see all of it */
        } else if (size > p->size) {
            p->bad = p->bad || p->written; /* a narrower write before a wider use */
            p->size = (uint8_t)size;
            p->type = o->type;
        } else if (put && size < p->size) {
            p->bad = true;
        }
        p->count += weight;
        p->written = p->written || put;
    }
    if (!found && n < MAX_PINS)
        pins[n++] = (pin){ .offset = offset, .count = weight, .type = o->type, .size = (uint8_t)size, .cls = (uint8_t)cls, .written = put, .bad = bad };
    return n;
}

/* A slot that grew into a neighbour noted before it. */
static void collisions(pin *pins, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++)
            if (i != k && overlaps(&pins[i], pins[k].offset, pins[k].size))
                pins[i].bad = pins[k].bad = true;
}

static void give_register(jit *j, const pin *p)
{
    static const uint8_t order[] = { RBX, R12, R13, R14, R11, R10, R9, R8, RDI, RSI };
    unsigned reg = 0;
    if (p->cls)
        reg = 31u - (unsigned)__builtin_clz(j->pool[1]);
    else
        for (unsigned i = 0; i < sizeof order && !(j->pool[0] >> (reg = order[i]) & 1); i++)
            ;
    j->pool[p->cls] &= ~(1u << reg);
    j->pinned |= 1u << reg;
    j->homes |= 1u << reg;
    j->home[reg].slot = (int32_t)p->offset;
    j->home[reg].type = p->type;
    j->r[reg] = (host_reg){ .dirty = false };
    slot_in(j, reg, p->offset, p->type);
}

/* C of a borrow is the inverse of an Arm guest's: raw flags hold what most of the region's comparisons give. */
static void flags_polarity(jit *j)
{
    int vote = 0;
    for (oryx_val v = 1; v < j->ir->n; v++) {
        const oryx_ir_op *o = op_of(j, v);
        if (o->op == ORYX_OP_PUT && o->type == ORYX_T_FL && op_of(j, o->a)->op == ORYX_OP_FLMAKE)
            vote += op_of(j, o->a)->imm == ORYX_FL_SUBC || op_of(j, o->a)->imm == ORYX_FL_SBCC ? 1 : -1;
    }
    j->fl_inverted = vote > 0;
}

static void choose_pins(jit *j)
{
    pin pins[MAX_PINS];
    unsigned n = 0, left[2] = { j->max_pins, PIN_XMM };
    uint32_t weight = 1, block = 0;
    for (oryx_val v = 1; v < j->ir->n; v++) {
        const oryx_ir_op *o = op_of(j, v);
        if (o->op == ORYX_OP_BLOCK)
            weight = j->block[block++].weight;
        if (o->op == ORYX_OP_GET || o->op == ORYX_OP_PUT)
            n = note(pins, n, o, weight);
    }
    if (n == MAX_PINS)
        return; /* the table is not complete: no telling what overlaps */
    collisions(pins, n);
    for (unsigned i = 0; i < n; i++)
        if (pins[i].type == ORYX_T_FL && pins[i].written && !pins[i].bad && j->fl_slot < 0) {
            j->fl_slot = (int32_t)pins[i].offset;
            flags_polarity(j);
        }
    for (;;) {
        pin *best = NULL;
        for (unsigned i = 0; i < n; i++)
            if (!pins[i].bad && pins[i].type != ORYX_T_FL && left[pins[i].cls] && (!best || pins[i].count > best->count))
                best = &pins[i];
        if (!best || best->count < 2)
            break;
        best->bad = true;
        left[best->cls]--;
        give_register(j, best);
    }
}

/* Which pinned registers differ from memory where a block begins: what some way there has written. */
static void find_dirty(jit *j)
{
    uint32_t block = 0;
    for (oryx_val v = 1; v < j->ir->n; v++) {
        const oryx_ir_op *o = op_of(j, v);
        if (o->op == ORYX_OP_BLOCK) {
            block = o == op_of(j, 1) ? 0 : block + 1;
            j->block[block].puts = j->block[block].dirty = 0;
        }
        if (o->op != ORYX_OP_PUT)
            continue;
        if ((int32_t)o->imm == j->fl_slot)
            j->block[block].puts |= 1u << RAX;
        for (uint32_t m = j->pinned; m; m &= m - 1)
            if (j->r[__builtin_ctz(m)].slot == (int32_t)o->imm)
                j->block[block].puts |= m & -m;
    }
    for (bool news = true; news;) {
        news = false;
        for (uint32_t i = 0; i < j->n_blocks; i++) {
            uint32_t out = j->block[i].puts | j->block[i].dirty;
            for (uint64_t s = j->block[i].succ; s; s &= s - 1) {
                region_block *to = &j->block[__builtin_ctzll(s)];
                news |= (out & ~to->dirty) != 0;
                to->dirty |= out;
            }
        }
    }
}

/* --- hints: make a value where it will be put ------------------------------------------------------------------------------- */
enum { H_OTHER, H_QUIET = 1, H_MAKES = 2, H_PASSES = 4 }; /* nothing sees state at it; makes a register; its a may share it */

static unsigned hint_class(const oryx_ir_op *o)
{
    if (T_IS_VEC(o->type) && o->op != ORYX_OP_GET && o->op != ORYX_OP_PUT)
        return o->op == ORYX_OP_LOAD ? H_MAKES : op_sees_no_state(o) ? H_QUIET | H_MAKES : H_OTHER;
    switch (o->op) {
    case ORYX_OP_CMP:
    case ORYX_OP_FLMAKE:
    case ORYX_OP_FLCOND:
    case ORYX_OP_CONST:
    case ORYX_OP_NOP:
    case ORYX_OP_GET:
    case ORYX_OP_PUT: return H_QUIET;
    case ORYX_OP_LOAD: return H_MAKES;
    case ORYX_OP_ADD:
    case ORYX_OP_SUB:
    case ORYX_OP_MUL:
    case ORYX_OP_AND:
    case ORYX_OP_OR:
    case ORYX_OP_XOR:
    case ORYX_OP_ANDN:
    case ORYX_OP_SHL:
    case ORYX_OP_SHR:
    case ORYX_OP_SAR:
    case ORYX_OP_ROR:
    case ORYX_OP_NEG:
    case ORYX_OP_NOT:
    case ORYX_OP_UBFX:
    case ORYX_OP_SBFX:
    case ORYX_OP_BFI:
    case ORYX_OP_ZEXT: return o->type == ORYX_T_I64 || o->type == ORYX_T_I32 ? H_QUIET | H_MAKES | H_PASSES : H_OTHER;
    case ORYX_OP_SEXT:
    case ORYX_OP_TRUNC:
    case ORYX_OP_MULHU:
    case ORYX_OP_MULHS:
    case ORYX_OP_DIVU:
    case ORYX_OP_DIVS:
    case ORYX_OP_ORN:
    case ORYX_OP_CLZ:
    case ORYX_OP_CTZ:
    case ORYX_OP_BSWAP:
    case ORYX_OP_BITREV:
    case ORYX_OP_FUNNEL:
    case ORYX_OP_SELECT: return o->type == ORYX_T_I64 || o->type == ORYX_T_I32 ? H_QUIET | H_MAKES : H_OTHER;
    default: return H_OTHER;
    }
}

/* Backward: want[reg] is the value whose PUT to reg's slot lies ahead with nothing between that looks at the slot. */
static void find_hints(jit *j)
{
    oryx_val want[N_REGS] = { 0 };
    for (oryx_val v = j->ir->n; v-- > 1;) {
        const oryx_ir_op *o = op_of(j, v);
        unsigned class = hint_class(o);
        j->hint[v] = NO_REG;
        for (unsigned reg = 0; reg < N_REGS; reg++) {
            if (!want[reg])
                continue;
            if (want[reg] == v) {
                want[reg] = 0;
                if (!(class & H_MAKES))
                    continue;
                j->hint[v] = (uint8_t)reg;
                oryx_val a = o->a;
                if (class & H_PASSES && a && j->uses[a] == 1 && op_of(j, a)->op != ORYX_OP_GET && hint_class(op_of(j, a)) & H_MAKES)
                    want[reg] = a;
            }
        }
        if (!(class & H_QUIET))
            memset(want, 0, sizeof want);
        if (o->op != ORYX_OP_GET && o->op != ORYX_OP_PUT)
            continue;
        for (uint32_t m = j->pinned; m; m &= m - 1) {
            unsigned reg = (unsigned)__builtin_ctz(m);
            if (j->r[reg].slot == (int32_t)o->imm)
                want[reg] = o->op == ORYX_OP_PUT ? o->a : 0;
        }
    }
}

/* --- where everything is used next ------------------------------------------------------------------------------------------- */
#define SLOT_TABLE 128u

typedef struct slot_uses {
    uint32_t offset[SLOT_TABLE], at[SLOT_TABLE], stamp[SLOT_TABLE], now;
} slot_uses;

static uint32_t *slot_use(slot_uses *t, uint32_t offset)
{
    uint32_t k = offset / 8 % SLOT_TABLE;
    if (t->stamp[k] != t->now || t->offset[k] != offset)
        t->at[k] = NEVER;
    t->offset[k] = offset;
    t->stamp[k] = t->now;
    return &t->at[k];
}

/* From here back every home is used at `at`, and nothing else is known of slots. */
static void homes_used(const jit *j, slot_uses *t, uint32_t at)
{
    t->now++;
    for (uint32_t m = j->homes; m; m &= m - 1)
        *slot_use(t, (uint32_t)j->home[__builtin_ctz(m)].slot) = at;
}

/* The slot of a home plus a constant, wanted first where it is PUT there: a writeback behind an access. It is made then. */
static bool put_off(const jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    uint32_t at = j->next_at[v];
    if (o->op != ORYX_OP_ADD || o->type != ORYX_T_I64 || !is_const(j, o->b) || j->hint[v] != NO_REG || at == NEVER)
        return false;
    const oryx_ir_op *get = op_of(j, o->a), *put = op_of(j, at);
    int64_t c = (int64_t)const_of(j, o->b);
    if (get->op != ORYX_OP_GET || get->type != ORYX_T_I64 || put->op != ORYX_OP_PUT || put->imm != get->imm || c != (int32_t)c)
        return false;
    for (oryx_val i = v + 1; i < at; i++)
        if (op_of(j, i)->op == ORYX_OP_PUT && op_of(j, i)->imm == get->imm)
            return false;
    for (uint32_t m = j->homes & 0xffff; m; m &= m - 1)
        if (j->home[__builtin_ctz(m)].slot == (int32_t)get->imm)
            return true;
    return false;
}

static void find_next_uses(jit *j)
{
    slot_uses t = { .now = 0 };
    uint32_t block = j->n_blocks;
    memset(j->next_at, 0xff, j->ir->n * sizeof *j->next_at);
    homes_used(j, &t, j->ir->n);
    for (oryx_val v = j->ir->n; v-- > 1;) {
        const oryx_ir_op *o = op_of(j, v);
        oryx_val operand[3] = { o->a, o->b, o->c };
        unsigned n = op_operands(o);
        if (o->op == ORYX_OP_ADD && !j->place[v].folded)
            j->place[v].folded = put_off(j, v);
        for (unsigned k = 0; k < n; k++)
            j->next[v].at[k] = j->next_at[operand[k]];
        if (is_deferred(j, v)) /* its users want its operands */
            for (unsigned k = 0; k < n; k++)
                if (j->next_at[v] < j->next[v].at[k])
                    j->next[v].at[k] = j->next_at[v];
        for (unsigned k = 0; k < n; k++)
            if (j->uses[v] || o->type == ORYX_T_VOID || o->op == ORYX_OP_PUT || o->op == ORYX_OP_STORE)
                j->next_at[operand[k]] = v;
        switch (o->op) {
        case ORYX_OP_GET:
        case ORYX_OP_PUT: {
            uint32_t *at = slot_use(&t, (uint32_t)o->imm);
            j->next[v].at[1] = *at;
            *at = o->op == ORYX_OP_PUT ? NEVER : v;
            break;
        }
        case ORYX_OP_LABEL:
        case ORYX_OP_BR:
        case ORYX_OP_BRC: homes_used(j, &t, v); break;
        case ORYX_OP_BLOCK:
            block--;
            for (uint32_t m = j->homes; m; m &= m - 1)
                j->block[block].first[__builtin_ctz(m)] = *slot_use(&t, (uint32_t)j->home[__builtin_ctz(m)].slot);
            homes_used(j, &t, v);
            break;
        default: break;
        }
    }
}

/* --- entry and blocks -------------------------------------------------------------------------------------------------------- */
static uint32_t head_label(uint32_t block)
{
    return 256 + 2 * block;
}

static uint32_t body_label(uint32_t block)
{
    return 257 + 2 * block;
}

void region_entry(jit *j)
{
    choose_pins(j);
    find_dirty(j);
    find_hints(j);
    find_next_uses(j);
    fl_loops_find(j);
    check_slice(j, j->block[0].pot, j->block[0].pc);
    if (j->fp)
        fp_block_begin(j);
    for (uint32_t m = j->pinned; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctz(m);
        slot_load(j, reg, j->r[reg].type, (uint32_t)j->r[reg].slot);
    }
    if (j->fl_slot >= 0)
        fl_load(j);
    if (j->block[0].fl.on)
        emit_rm(&j->e, 0x89, W32, LEFT, SB, FRAME_DISP(j, fl_mark));
    if (j->block[0].flags & ORYX_BLOCK_CHECK)
        branch_to(j, emit_jmp(&j->e), body_label(0));
    j->current = ~0u;
}

void region_block_begin(jit *j, oryx_val v)
{
    (void)v;
    j->current++;
    const region_block *b = &j->block[j->current];
    slots_block(j);
    j->near_root = 0;
    window_reset(j);
    j->pc = b->pc;
    j->insn = j->tb->n_insns - b->pot - 1;
    j->rest = b->pot - b->n;
    j->first_insn = true;
    j->first_store_stub = j->n_stubs;
    j->atomic_store = false;
    if (b->flags & ORYX_BLOCK_CHECK) {
        label_here(j, head_label(j->current));
        check_slice(j, b->pot, b->pc);
    }
    label_here(j, body_label(j->current));
}

int region_target(const jit *j, uint64_t pc)
{
    return j->n_blocks && !(j->block[j->current].flags & ORYX_BLOCK_LEAVES) && !stores_pending(j) ? find(j, pc) : -1;
}

/* --- edges ------------------------------------------------------------------------------------------------------------------- */
static bool checked(const jit *j, uint32_t to)
{
    return j->block[to].flags & ORYX_BLOCK_CHECK;
}

/* What the edge has to give back. */
static uint32_t surplus(const jit *j, uint32_t to)
{
    return j->rest - (checked(j, to) ? 0 : j->block[to].pot);
}

static uint32_t edge_label(const jit *j, uint32_t to)
{
    return checked(j, to) ? head_label(to) : body_label(to);
}

static bool is_next(const jit *j, uint32_t to)
{
    return to == j->current + 1 && j->at + 1 < j->ir->n && op_of(j, j->at + 1)->op == ORYX_OP_BLOCK;
}

/* The flags that `to` wants on an edge from the block `from`, whose state is `flags`. */
static void edge_flags(jit *j, unsigned flags, uint32_t from, uint32_t to)
{
    if (from == to && flags == FL_OWN)
        return;
    if (flags == FL_OWN)
        fl_loop_raw(j, from, false);
    fl_mark(j, to);
}

static void jump_inside(jit *j, uint32_t to)
{
    give_back(j, surplus(j, to));
    edge_flags(j, j->fl_loop, j->current, to);
    if (!is_next(j, to))
        branch_to(j, emit_jmp(&j->e), edge_label(j, to));
}

static void jump_outside(jit *j, uint64_t pc, uint32_t rest, const snapshot *s)
{
    give_back(j, rest);
    write_dirty(j, s, false, 0);
    exit_link(j, pc);
}

void region_goto(jit *j, uint64_t pc)
{
    int to = region_target(j, pc);
    homes_restore(j);
    slots_write_back_unpinned(j);
    if (to >= 0) {
        jump_inside(j, (uint32_t)to);
        return;
    }
    snapshot s;
    snapshot_take(j, &s);
    jump_outside(j, pc, j->rest, &s);
}

/* The conditional jump of an edge: to the block when nothing else is to do, else to a stub that does it. */
static void edge(jit *j, unsigned cc, int to, uint64_t pc)
{
    uint32_t from = emit_jcc(&j->e, cc);
    bool same = to >= 0 && ((uint32_t)to == j->current ? j->fl_loop == FL_OWN || !j->block[to].fl.on : !j->fl_loop && !j->block[to].fl.on);
    if (same && !surplus(j, (uint32_t)to)) {
        branch_to(j, from, edge_label(j, (uint32_t)to));
        return;
    }
    stub *s = stub_new(j, STUB_EDGE);
    if (!s)
        return;
    s->from = from;
    s->pc = pc;
    s->imm = to < 0 ? j->rest : surplus(j, (uint32_t)to);
    s->memop = to < 0 ? ~0u : edge_label(j, (uint32_t)to);
    s->disp = to;
    snapshot_take(j, &s->snap);
}

void region_edge(jit *j, const stub *s)
{
    if (s->memop == ~0u) {
        jump_outside(j, s->pc, (uint32_t)s->imm, &s->snap);
        return;
    }
    give_back(j, (uint32_t)s->imm);
    edge_flags(j, s->snap.flags, s->snap.fl_block, (uint32_t)s->disp);
    branch_to(j, emit_jmp(&j->e), s->memop);
}

void region_gotoc(jit *j, const oryx_ir_op *o)
{
    uint64_t taken = o->imm, other = (uint64_t)o->c << 32 | o->b;
    int a = region_target(j, taken), b = region_target(j, other);
    homes_restore(j);
    j->keep_homes = true;
    slots_write_back_unpinned(j);
    unsigned cc = cond_emit(j, o->a);
    if (a >= 0 && is_next(j, (uint32_t)a)) { /* fall through to that one */
        edge(j, cc ^ 1, b, other);
        jump_inside(j, (uint32_t)a);
        return;
    }
    edge(j, cc, a, taken);
    if (b >= 0) {
        jump_inside(j, (uint32_t)b);
        return;
    }
    snapshot s;
    snapshot_take(j, &s);
    jump_outside(j, other, j->rest, &s);
}

void region_return(jit *j, unsigned pc)
{
    if (j->block[j->current].flags & ORYX_BLOCK_LEAVES || stores_pending(j))
        return;
    for (uint32_t i = 0; i < j->n_blocks; i++) {
        uint64_t to = j->block[i].pc;
        if (!(j->block[i].flags & ORYX_BLOCK_RETURN))
            continue;
        if ((int64_t)to == (int32_t)to) {
            emit_alu_ri(&j->e, 7, W64, pc, (int32_t)to);
        } else {
            emit_mov_ri(&j->e, RAX, to);
            emit_alu_rr(&j->e, 7, W64, pc, RAX);
        }
        edge(j, CC_E, (int)i, to);
    }
}
