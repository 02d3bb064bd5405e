/* One IR block to host code: a pass back that counts uses, a pass forward that selects, allocates and emits. Called through
 * engine_ops.compile under the engine's lock; working memory belongs to the engine and is reused. Ops without a selection of
 * their own run as calls of the reference functions (softops), operands and result through the frame. */
#include <stdlib.h>

#include "softops.h"
#include "x64.h"

/* pure: dropped when nobody uses the result. */
static const struct {
    uint8_t n_operands, result, pure, fp;
} rows[ORYX_OP_COUNT] = {
#define OP(name, sig, types, effects, meaning) \
    { sizeof(sig) - 2, sig[0], sizeof(effects) == 2 && (effects[0] == 'P' || effects[0] == 'G'), effects[0] == 'E' },
#include "oryx_ir.def"
#undef OP
};

unsigned op_operands(const oryx_ir_op *o)
{
    return rows[o->op].n_operands;
}

/* Whatever the op does, no guest slot is looked at or written. */
bool op_sees_no_state(const oryx_ir_op *o)
{
    return rows[o->op].pure || rows[o->op].fp;
}

static inline unsigned result_type(const oryx_ir_op *o)
{
    switch (rows[o->op].result) {
    case 'T': return o->type;
    case 'L': return o->lane;
    case 'b': return ORYX_T_I1;
    case 'f': return ORYX_T_FL;
    case 'n': return ORYX_T_I32;
    default: return ORYX_T_VOID;
    }
}

static bool grow(jit *j, uint32_t n)
{
    if (n <= j->cap)
        return true;
    uint32_t cap = n * 2;
    uint8_t *types = realloc(j->types, cap);
    j->types = types ? types : j->types;
    uint32_t *uses = realloc(j->uses, cap * sizeof *uses);
    j->uses = uses ? uses : j->uses;
    place *places = realloc(j->place, cap * sizeof *places);
    j->place = places ? places : j->place;
    uint8_t *hint = realloc(j->hint, cap);
    j->hint = hint ? hint : j->hint;
    oryx_ir_op *ops = realloc(j->ops, cap * sizeof *ops);
    j->ops = ops ? ops : j->ops;
    next_use *next = realloc(j->next, cap * sizeof *next);
    j->next = next ? next : j->next;
    uint32_t *next_at = realloc(j->next_at, cap * sizeof *next_at);
    j->next_at = next_at ? next_at : j->next_at;
    if (!types || !uses || !places || !hint || !ops || !next || !next_at)
        return false;
    j->cap = cap;
    return true;
}

/* Used as an address by plain accesses only, root + constant needs no instruction of its own. */
static void fold_candidate(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (o->op != ORYX_OP_ADD || o->type != ORYX_T_I64 || !(j->tb->flags & ORYX_TB_WINDOW_WR) || !is_const(j, o->b) || is_const(j, o->a))
        return;
    int64_t c = (int64_t)const_of(j, o->b);
    j->place[v].folded = c > -(1 << 30) && c < 1 << 30;
}

static bool is_zero(const jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    return o->op == ORYX_OP_VCONST && !o->imm && !o->b && !o->c;
}

/* Nothing is in v's register but the scalar v. */
bool zero_upper(const jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    switch (o->op) {
    case ORYX_OP_LOAD: return o->type == ORYX_T_F32 || o->type == ORYX_T_F64;
    case ORYX_OP_FADD: /* the host takes the rest of the first operand: fp.c chooses which that is */
    case ORYX_OP_FMUL: return zero_upper(j, o->a) || zero_upper(j, o->b);
    case ORYX_OP_FSUB:
    case ORYX_OP_FDIV:
    case ORYX_OP_FSQRT:
    case ORYX_OP_FABS: return zero_upper(j, o->a);
    case ORYX_OP_FMA: return zero_upper(j, o->c);
    case ORYX_OP_ITOF: return !T_IS_VEC(o->lane) && (o->type == ORYX_T_F32 || o->type == ORYX_T_F64);
    default: return false;
    }
}

/* Whoever takes v as operand k may take `for` it instead the register its bits already are in: a zero extension of what the
 * host has extended, and, where only the low half is looked at, a truncation. */
static oryx_val stands_for(const jit *j, const oryx_ir_op *user, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    switch (o->op) {
    case ORYX_OP_ZEXT:
        if (o->type == ORYX_T_I64 && o->lane == ORYX_T_I32 && zero_extends(j, o->a))
            return o->a;
        return v;
    case ORYX_OP_UBFX:
        if (o->type == ORYX_T_I64 && o->imm == 32 << 8 && j->types[o->a] == ORYX_T_I32 && zero_extends(j, o->a))
            return o->a;
        return v;
    case ORYX_OP_TRUNC:
        if (o->type != ORYX_T_I32 || o->lane != ORYX_T_I64 || is_const(j, o->a))
            return v;
        break;
    case ORYX_OP_VSET: /* a scalar alone in its register */
        if (user->op != ORYX_OP_PUT || user->type != ORYX_T_V128 || o->imm || !T_IS_VEC(o->lane) || !is_zero(j, o->a) || !zero_upper(j, o->b))
            return v;
        return o->b;
    case ORYX_OP_VGET:
        if (o->imm || (o->lane != ORYX_T_F32 && o->lane != ORYX_T_F64))
            return v;
        break;
    default: return v;
    }
    switch (user->op) {
    case ORYX_OP_FADD:
    case ORYX_OP_FSUB:
    case ORYX_OP_FMUL:
    case ORYX_OP_FDIV:
    case ORYX_OP_FSQRT:
    case ORYX_OP_FMA:
    case ORYX_OP_FABS:
    case ORYX_OP_FLFCMP:
    case ORYX_OP_ADD:
    case ORYX_OP_SUB:
    case ORYX_OP_MUL:
    case ORYX_OP_AND:
    case ORYX_OP_OR:
    case ORYX_OP_XOR:
    case ORYX_OP_ANDN:
    case ORYX_OP_ORN:
    case ORYX_OP_NEG:
    case ORYX_OP_NOT:
    case ORYX_OP_SHL:
    case ORYX_OP_SHR:
    case ORYX_OP_SAR:
    case ORYX_OP_ROR:
    case ORYX_OP_UBFX:
    case ORYX_OP_SBFX:
    case ORYX_OP_BFI:
    case ORYX_OP_FUNNEL:
    case ORYX_OP_CMP:
    case ORYX_OP_FLMAKE:
    case ORYX_OP_STORE: return o->a;
    default: return v;
    }
}

/* Uses and types; ops whose result nobody uses and that do nothing else are dropped by the forward pass. */
static void count_uses(jit *j)
{
    bool fp = false, fp_eager = false;
    uint32_t count = j->ir->n;
    oryx_ir_op *ops = j->ops;
    for (uint32_t v = 0; v < count; v++) {
        oryx_ir_op *o = &ops[v];
        unsigned type = result_type(o), n = op_operands(o);
        if (n > 0)
            o->a = stands_for(j, o, o->a);
        if (n > 1)
            o->b = stands_for(j, o, o->b);
        if (n > 2)
            o->c = stands_for(j, o, o->c);
        j->types[v] = (uint8_t)type;
        j->uses[v] = 0;
        fp |= rows[o->op].fp;
        fp_eager |= o->op == ORYX_OP_FSETFLAGS;
        j->place[v] = (place){ .reg = NO_REG, .cls = T_IS_VEC(type), .spill = -1 };
        fold_candidate(j, v);
    }
    j->fp = fp;
    j->fp_eager = fp_eager;
    for (uint32_t v = count; v-- > 0;) {
        const oryx_ir_op *o = &ops[v];
        if (rows[o->op].pure && !j->uses[v])
            continue;
        unsigned n = op_operands(o);
        if (n > 0 && o->a) {
            j->uses[o->a]++;
            if (o->op != ORYX_OP_LOAD && o->op != ORYX_OP_STORE)
                j->place[o->a].folded = false;
        }
        if (n > 1 && o->b) {
            j->uses[o->b]++;
            j->place[o->b].folded = false;
        }
        if (n > 2 && o->c) {
            j->uses[o->c]++;
            j->place[o->c].folded = false;
        }
        if (o->op == ORYX_OP_ARGS) {
            j->place[(uint32_t)o->imm].folded = j->place[o->imm >> 32].folded = false;
            if ((uint32_t)o->imm)
                j->uses[(uint32_t)o->imm]++;
            if (o->imm >> 32)
                j->uses[o->imm >> 32]++;
        }
    }
}

static inline void consume(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned n = op_operands(o);
    if (!n || o->op == ORYX_OP_ARGS)
        return; /* the call that follows consumes them */
    if (j->n_blocks) {
        oryx_val operand[3] = { o->a, o->b, o->c };
        for (unsigned k = 0; k < n; k++)
            j->next_at[operand[k]] = j->next[v].at[k];
    }
    val_done(j, o->a);
    if (n > 1) {
        val_done(j, o->b);
        if (n > 2)
            val_done(j, o->c);
    }
    if (o->op == ORYX_OP_CALL && v && op_of(j, v - 1)->op == ORYX_OP_ARGS) {
        const oryx_ir_op *more = op_of(j, v - 1);
        val_done(j, more->a);
        val_done(j, more->b);
        val_done(j, more->c);
        val_done(j, (uint32_t)more->imm);
        val_done(j, (uint32_t)(more->imm >> 32));
    }
}

/* --- reference functions -------------------------------------------------------------------------------------------------------- */
/* Operand k at frame.arg[k], result at frame.arg[4]; the prepared op lies in the code, jumped over. */
static bool soft_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    ool_fn fn = softop_select(o);
    if (!fn)
        return false;
    unsigned n = op_operands(o);
    oryx_val operand[3] = { o->a, o->b, o->c };
    iop p = { .d = 4 * 16, .a = 0, .b = 16, .c = (int32_t)(uint32_t)o->imm, .fn = fn };
    for (unsigned k = 0; k < n; k++)
        if (operand[k])
            arg_store(j, operand[k], k);
    if (n > 2)
        p.c = 2 * 16;
    regs_spill_caller_saved(j);
    uint32_t over = emit_jmp(e);
    while ((uintptr_t)e->p & 7)
        emit8(e, 0xcc);
    uint32_t at = emit_at(e);
    for (unsigned i = 0; i < sizeof p; i++)
        emit8(e, ((const uint8_t *)&p)[i]);
    emit_here(e, over);
    lea_frame(j, RDI, FRAME_DISP(j, arg));
    emit_rm(e, 0x8d, W64, RSI, RBP, 0); /* becomes lea rsi, [rip + p] */
    e->p -= 4;
    emit8(e, 0x48);
    emit8(e, 0x8d);
    emit8(e, 0x35);
    emit32(e, at - (emit_at(e) + 4));
    lea_cpu(j, RDX);
    emit_mov_ri(e, RAX, (uintptr_t)fn);
    emit_rr(e, 0xff, W32, 2, RAX);
    regs_reload(j, false);
    if (j->types[v] != ORYX_T_VOID)
        result_load(j, v, 4);
    return true;
}

static void forward(jit *j)
{
    for (uint32_t v = 1; v < j->ir->n && !j->error && !j->e.full; v++) {
        const oryx_ir_op *o = op_of(j, v);
        j->at = v;
        if (o->op == ORYX_OP_INSN) { /* no operands, no result, nothing held */
            if (j->atomic_store)
                j->near_root = 0;
            insn_boundary(j, v);
            continue;
        }
        if (rows[o->op].pure && !j->uses[v])
            continue;
        bool near = (!j->near_root && o->op != ORYX_OP_LOAD && o->op != ORYX_OP_STORE) || keeps_lookup(j, o);
        bool done = j->place[v].folded || int_op(j, v) || flags_op(j, v) || mem_op(j, v) || control_op(j, v) || vec_op(j, v) || fp_op(j, v) || soft_op(j, v);
        if (!done) {
            j->error = ORYX_E_UNSUPPORTED;
            return;
        }
        if (!near)
            j->near_root = 0;
        if (!is_deferred(j, v))
            consume(j, v);
        if (!j->uses[v] && j->place[v].reg != NO_REG) { /* effects only: the result is dropped at once */
            j->uses[v] = 1;
            val_done(j, v);
        }
        op_done(j);
    }
}

/* Count the entry where the core asks for it: the sum overflows when there were about as many as it said. */
static void count_entry(jit *j)
{
    emit *e = &j->e;
    uint32_t often = j->tb->exec_count, hash = (uint32_t)(j->tb->pc >> 2 ^ j->tb->pc >> 11) % COUNTS;
    if (!(j->tb->flags & ORYX_TB_COUNT))
        return;
    if (often > 1) {
        emit_rm(e, 0x81, W32, 0, SB, FRAME_DISP(j, count) + (int32_t)hash * 4);
        emit32(e, (uint32_t)(0x100000000u / often));
    }
    uint32_t from = often > 1 ? emit_jcc(e, CC_B) : emit_jmp(e);
    stub *s = stub_new(j, STUB_HOT);
    if (s)
        s->from = from;
}

/* One try with the room there is. */
static void compile_once(jit *j)
{
    j->n_stubs = j->n_fix = j->n_exits = 0;
    j->insn = ~0u;
    j->first_insn = true;
    j->pc = j->tb->pc;
    j->first_store_stub = 0;
    j->near_root = 0;
    j->flags_of = 0;
    j->n_sites = 0;
    window_reset(j);
    j->atomic_store = false;
    j->current = ~0u;
    j->rest = 0;
    j->n_labels = 0;
    memset(&j->head, 0, sizeof j->head);
    count_uses(j);
    regs_reset(j);
    if (j->n_blocks) {
        region_entry(j);
    } else {
        count_entry(j);
        check_slice(j, j->tb->n_insns, j->tb->pc);
        if (j->fp)
            fp_block_begin(j);
    }
    forward(j);
    if (!j->error && !j->e.full)
        stubs_emit(j);
    if (!j->error && !j->e.full && j->en->windowed)
        window_sites_emit(j);
    if (!j->error && j->n_blocks) {
        while ((uintptr_t)j->e.p & 3)
            emit8(&j->e, 0xcc);
        j->head.exits = emit_at(&j->e);
        j->head.n_exits = j->tb->n_exits = j->n_exits;
        for (uint32_t i = 0; i < j->n_exits; i++) {
            emit32(&j->e, j->exits[i].jump);
            emit32(&j->e, j->exits[i].stub);
        }
    }
}

#define MOST_PINS 8 /* an op that needs more registers than that leaves makes the region compile with fewer */

oryx_status compile_block(engine *en, const oryx_ir *ir, oryx_tb *tb)
{
    jit *j = en->jit;
    j->en = en;
    j->ir = ir;
    j->tb = tb;
    if (!grow(j, ir->n))
        return ORYX_E_NOMEM;
    memcpy(j->ops, ir->ops, ir->n * sizeof *j->ops);
    en->windowed = en->windowed || (tb->flags & (ORYX_TB_WINDOW_RD | ORYX_TB_WINDOW_WR));
    uint32_t room = 1024 + ir->n * (region_scan(j) ? 64 : 160);
    uint8_t *at = NULL;
    if (tb->flags & ORYX_TB_REGION && !j->n_blocks)
        return ORYX_E_UNSUPPORTED;
    j->max_pins = MOST_PINS;
    for (;;) {
        if (room > CHUNK - 64 || !(at = cache_room(&en->cache, room)))
            return ORYX_E_NOMEM;
        j->error = ORYX_OK;
        j->e = (emit){ .p = at + sizeof(code_head), .start = at + sizeof(code_head), .end = at + room };
        compile_once(j);
        if (j->error == ORYX_E_INTERNAL && j->n_blocks && j->max_pins > 1)
            j->max_pins -= 2;
        else if (j->error)
            return j->error;
        else if (j->e.full)
            room *= 2;
        else
            break;
    }
    j->head.size = (uint32_t)(j->e.p - at);
    j->head.size = (j->head.size + 15) & ~15u;
    j->head.chunk = (uint32_t)((at - en->cache.write) / CHUNK);
    memcpy(at, &j->head, sizeof j->head);
    cache_take(&en->cache, j->head.size, en->windowed);
    tb->code_size = emit_at(&j->e);
    tb->code = en->cache.exec + (at - en->cache.write) + sizeof(code_head);
    return ORYX_OK;
}
