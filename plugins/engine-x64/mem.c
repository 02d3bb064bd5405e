/* Guest memory. LOAD and STORE hit the vCPU's translation cache inline; everything else (misses, devices, code pages, page
 * crossings, misalignment) goes through a stub behind the block that saves what is live and calls the core. Atomics and
 * exclusives always call. Called by compile.c. Scratch: RAX, RCX, XS0.
 *
 * A fault leaves through the stub: it writes the dirty slots as they were, so the guest sees the start of the instruction. */
#include "x64.h"

/* A store to a code page may have invalidated the running block. It must end at the next instruction: when nothing was
 * emitted between the store's resume point and that boundary, the stub goes straight to the boundary's exit; otherwise the
 * boundary tests frame.smc. See insn_boundary. */

void stub_finish(jit *j, stub *s, unsigned addr, uint32_t memop, unsigned result)
{
    s->addr_reg = (uint8_t)addr;
    s->memop = memop;
    s->insn = j->insn;
    s->pc = j->pc;
    s->smc = ~0u;
    snapshot_take(j, &s->snap);
    if (result != NO_REG && !(j->pinned >> result & 1)) /* a pinned one has its slot's old contents, which a fault wants */
        s->snap.live &= ~(1u << result);
}

/* The core's slow path FN_*, as this block calls it. */
int32_t slow_path_disp(const jit *j, unsigned fn)
{
    return FRAME_DISP(j, fn) + (int32_t)(fn + (j->fp ? 0 : FN_PLAIN)) * 8;
}

/* Host address of the access minus the guest's into RAX, or to the stub. */
static uint32_t lookup(jit *j, unsigned a, uint32_t memop, bool write)
{
    emit *e = &j->e;
    unsigned size = 1u << ORYX_MO_SIZE(memop), mmu = ORYX_MO_MMU_OF(memop), align = ORYX_MO_ALIGN_OF(memop);
    int32_t tlb = CPU_DISP(j, tlb) + (int32_t)(mmu * sizeof(oryx_tlb));
    int32_t table = tlb + (int32_t)(write ? offsetof(oryx_tlb, wr) : offsetof(oryx_tlb, rd));
    if (align == 7)
        align = ORYX_MO_SIZE(memop);
    if (size > 1)
        emit_rm(e, 0x8d, W64, RCX, a, (int32_t)size - 1);
    else
        emit_mov_rr(e, W64, RCX, a);
    emit_mov_rr(e, W64, RAX, a);
    emit_shift_ri(e, 5, W64, RAX, ORYX_PAGE_BITS);
    emit_rm(e, 0x23, W64, RAX, SB, tlb + (int32_t)offsetof(oryx_tlb, mask));
    emit_shift_ri(e, 4, W64, RAX, 4);
    emit_rm(e, 0x03, W64, RAX, SB, table);
    if (align) {
        /* Aligned means no crossing: keep the low bits in the comparison, they must be zero. */
        emit_mov_rr(e, W64, RCX, a);
        emit_alu_ri(e, 4, W64, RCX, (int32_t)(-(int32_t)ORYX_PAGE_SIZE | (int32_t)((1u << align) - 1)));
        if (align < ORYX_MO_SIZE(memop)) {
            j->error = ORYX_E_UNSUPPORTED;
        }
    } else {
        emit_alu_ri(e, 4, W64, RCX, -(int32_t)ORYX_PAGE_SIZE);
    }
    emit_rm(e, 0x3b, W64, RCX, RAX, 0);
    uint32_t miss = emit_jcc(e, CC_NE);
    emit_rm(e, 0x8b, W64, RAX, RAX, (int32_t)offsetof(oryx_tlb_entry, addend));
    return miss;
}

static bool always_slow(uint32_t memop)
{
    return (memop & (ORYX_MO_BE | ORYX_MO_USER)) || ORYX_MO_SIZE(memop) > ORYX_MO_128 ||
           (ORYX_MO_SIZE(memop) == ORYX_MO_128 && (memop & ORYX_MO_ATOMIC)) ||
           (ORYX_MO_ALIGN_OF(memop) && ORYX_MO_ALIGN_OF(memop) < ORYX_MO_SIZE(memop));
}

/* The address as root + offset. */
static oryx_val root_of(const jit *j, oryx_val a, int64_t *offset)
{
    const oryx_ir_op *o = op_of(j, a);
    *offset = 0;
    if (o->op == ORYX_OP_ADD && o->type == ORYX_T_I64 && is_const(j, o->b)) {
        *offset = (int64_t)const_of(j, o->b);
        return o->a;
    }
    return a;
}

/* An access that starts at or after the last one's address and ends in the same page needs no second look-up: pairs, stack
 * frames, structures. Leaves RAX and RCX as lookup() does. */
static uint32_t lookup_near(jit *j, unsigned a, oryx_val addr, uint32_t memop, bool write)
{
    emit *e = &j->e;
    int64_t offset;
    oryx_val root = root_of(j, addr, &offset);
    uint32_t miss;
    if (root == j->near_root && write == j->near_write && offset >= j->near_offset && offset - j->near_offset < ORYX_PAGE_SIZE &&
        !ORYX_MO_ALIGN_OF(memop)) {
        emit_rm(e, 0x8d, W64, RDX, a, (1 << ORYX_MO_SIZE(memop)) - 1);
        emit_alu_ri(e, 4, W64, RDX, -(int32_t)ORYX_PAGE_SIZE);
        emit_alu_rr(e, 7, W64, RDX, RCX);
        miss = emit_jcc(e, CC_NE);
    } else {
        miss = lookup(j, a, memop, write);
        j->near_root = ORYX_MO_ALIGN_OF(memop) ? 0 : root;
        j->near_offset = offset;
        j->near_write = write;
    }
    j->stubs[j->n_stubs - 1].near = true;
    return miss;
}

bool keeps_lookup(const jit *j, const oryx_ir_op *o)
{
    switch (o->op) {
    case ORYX_OP_LOAD:
    case ORYX_OP_STORE: return !always_slow((uint32_t)o->imm) && !((uint32_t)o->imm & ORYX_MO_RELEASE);
    case ORYX_OP_INSN: return !j->atomic_store;
    case ORYX_OP_PUT: return o->type != ORYX_T_FL && o->type != ORYX_T_I1; /* either may be a condition made here */
    case ORYX_OP_GET:
    case ORYX_OP_CONST:
    case ORYX_OP_TRUNC: return !T_IS_VEC(o->type);
    case ORYX_OP_ZEXT: return o->lane == ORYX_T_I32;
    case ORYX_OP_ADD: return o->type == ORYX_T_I64 || o->type == ORYX_T_I32;
    default: return false;
    }
}


/* The host's operand of an access: [base + index + disp], or gs:[base + disp]. */
typedef struct operand {
    unsigned base, index; /* index NO_REG: through the window */
    int32_t disp;
} operand;

static void emit_operand(emit *e, unsigned op, unsigned w, unsigned reg, const operand *m)
{
    if (m->index == NO_REG) {
        emit8(e, 0x65);
        emit_rm(e, op, w, reg, m->base, m->disp);
    } else {
        emit_rx(e, op, w, reg, m->base, m->index, 0, m->disp);
    }
}

static void load_gpr(jit *j, unsigned d, const operand *m, uint32_t memop, unsigned type)
{
    emit *e = &j->e;
    unsigned w = type == ORYX_T_I64 ? W64 : W32;
    bool sign = memop & ORYX_MO_SIGN;
    switch (ORYX_MO_SIZE(memop)) {
    case 0: emit_operand(e, sign ? 0x0fbe : 0x0fb6, sign ? w : W32, d, m); break;
    case 1: emit_operand(e, sign ? 0x0fbf : 0x0fb7, sign ? w : W32, d, m); break;
    case 2:
        if (sign && w == W64)
            emit_operand(e, 0x63, W64, d, m);
        else
            emit_operand(e, 0x8b, W32, d, m);
        break;
    default: emit_operand(e, 0x8b, W64, d, m); break;
    }
}

static void load_xmm(jit *j, unsigned d, const operand *m, uint32_t memop)
{
    switch (ORYX_MO_SIZE(memop)) {
    case 2: emit_operand(&j->e, OP_66 | 0x0f6e, W32, d, m); break;
    case 3: emit_operand(&j->e, OP_F3 | 0x0f7e, W32, d, m); break;
    default: emit_operand(&j->e, 0x0f10, W32, d, m); break;
    }
}

static void store_reg(jit *j, unsigned b, bool vec, const operand *m, uint32_t memop)
{
    emit *e = &j->e;
    switch (ORYX_MO_SIZE(memop)) {
    case 0: emit_operand(e, 0x88, W8, b, m); break;
    case 1: emit_operand(e, 0x89, W16, b, m); break;
    case 2: emit_operand(e, vec ? OP_66 | 0x0f7e : 0x89, W32, b, m); break;
    case 3: emit_operand(e, vec ? OP_66 | 0x0fd6 : 0x89, vec ? W32 : W64, b, m); break;
    default: emit_operand(e, 0x0f11, W32, b, m); break;
    }
}

/* The guest address of an access as register + constant. */
static unsigned address(jit *j, oryx_val v, bool write, int32_t *disp)
{
    *disp = 0;
    if (!j->place[v].folded || j->place[v].reg != NO_REG || !window_serves(j, write))
        return gpr_use(j, v);
    *disp = (int32_t)const_of(j, op_of(j, v)->b);
    return gpr_use(j, op_of(j, v)->a);
}

/* Find the host's operand of the access of stub s to guest address v, which is in s->addr_reg + s->disp. */
static operand reach(jit *j, stub *s, oryx_val v, uint32_t memop, bool write)
{
    emit *e = &j->e;
    unsigned align = ORYX_MO_ALIGN_OF(memop) == 7 ? ORYX_MO_SIZE(memop) : ORYX_MO_ALIGN_OF(memop);
    if (window_serves(j, write)) {
        s->from = window_check(j, s->addr_reg, j->place[v].folded && s->disp ? op_of(j, v)->a : v, s->disp);
        if (align) {
            unsigned r = s->addr_reg;
            if (s->disp) {
                emit_rm(e, 0x8d, W32, RCX, s->addr_reg, s->disp);
                j->near_root = 0;
                r = RCX;
            }
            emit_opcode(e, 0xf6, W8, 0, 0, r, true); /* test r8, imm8 */
            emit8(e, 0xc0 | (r & 7));
            emit8(e, (1u << align) - 1);
            s->from2 = emit_jcc(e, CC_NE);
        }
        return (operand){ s->addr_reg, NO_REG, s->disp };
    }
    s->from = lookup_near(j, s->addr_reg, v, memop, write);
    return (operand){ RAX, s->addr_reg, 0 };
}

static void load(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    uint32_t memop = (uint32_t)o->imm;
    int32_t disp;
    bool vec = T_IS_VEC(o->type);
    unsigned a = address(j, o->a, false, &disp), d = vec ? xmm_def(j, v) : gpr_def(j, v);
    stub *s = stub_new(j, STUB_LOAD);
    if (!s)
        return;
    stub_finish(j, s, a, memop, vec ? XMM(d) : d);
    s->type = o->type;
    s->reg = (uint8_t)d;
    s->disp = disp;
    uint32_t number = j->n_stubs - 1;
    if (always_slow(memop)) {
        s->from = emit_jmp(&j->e);
    } else {
        operand m = reach(j, s, o->a, memop, false);
        if (j->en->windowed)
            window_site(j, number);
        if (vec)
            load_xmm(j, d, &m, memop);
        else
            load_gpr(j, d, &m, memop, o->type);
    }
    j->stubs[number].back = emit_at(&j->e);
}

static void store(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    uint32_t memop = (uint32_t)o->imm;
    int32_t disp;
    bool vec = T_IS_VEC(o->type);
    if (j->place[o->b].reg == NO_REG && (vec || is_deferred(j, o->b)))
        j->near_root = 0; /* making the value may take RAX */
    unsigned a = address(j, o->a, true, &disp), b = vec ? xmm_use(j, o->b) : gpr_use(j, o->b);
    stub *s = stub_new(j, STUB_STORE);
    if (!s)
        return;
    stub_finish(j, s, a, memop, NO_REG);
    s->type = o->type;
    s->reg = (uint8_t)b;
    s->disp = disp;
    uint32_t number = j->n_stubs - 1;
    if (always_slow(memop)) {
        s->from = emit_jmp(e);
    } else {
        operand m = reach(j, s, o->a, memop, true);
        if (j->en->windowed)
            window_site(j, number);
        store_reg(j, b, vec, &m, memop);
    }
    if (memop & ORYX_MO_RELEASE) { /* a later acquire must not pass it: lock or [rsp], 0 */
        emit8(e, 0xf0);
        emit_rm(e, 0x83, W32, 1, RSP, 0);
        emit8(e, 0);
    }
    j->stubs[number].back = emit_at(e);
}

/* --- calls that every execution makes ------------------------------------------------------------------------------------ */
void arg_store(jit *j, oryx_val v, unsigned n)
{
    int32_t at = FRAME_DISP(j, arg) + (int32_t)n * 16;
    if (T_IS_VEC(j->types[v])) {
        emit_rm(&j->e, 0x0f11, W32, xmm_use(j, v), SB, at);
    } else { /* the core takes values zero-extended to 16 bytes */
        unsigned r = gpr_use(j, v), type = j->types[v];
        if (type == ORYX_T_I64)
            emit_mov_rr(&j->e, W64, RAX, r);
        else
            emit_rr(&j->e, type == ORYX_T_I16 ? 0x0fb7 : type == ORYX_T_I8 || type == ORYX_T_I1 ? 0x0fb6 : 0x8b,
                    type == ORYX_T_I8 || type == ORYX_T_I1 ? W8 : W32, RAX, r);
        emit_rm(&j->e, 0x89, W64, RAX, SB, at);
        emit_rm(&j->e, 0xc7, W64, 0, SB, at + 8);
        emit32(&j->e, 0);
    }
    op_done(j);
}

void lea_frame(jit *j, unsigned reg, int32_t disp)
{
    emit_rm(&j->e, 0x8d, W64, reg, SB, disp);
}

/* The budget in memory becomes exact, so that devices and probes see the virtual time. Changes reg. */
void left_tell(jit *j, unsigned reg)
{
    unsigned left = LEFT;
    if (j->rest) { /* as in a block of its own */
        emit_rm(&j->e, 0x8d, W32, reg, LEFT, (int32_t)j->rest);
        left = reg;
    }
    emit_rm(&j->e, 0x89, W32, left, SB, CPU_DISP(j, slice.left));
}

/* The same, and the cpu as an argument. */
void lea_cpu(jit *j, unsigned reg)
{
    left_tell(j, reg);
    lea_frame(j, reg, j->en->cpu_off - BIAS);
}

/* Callbacks may ask for the pc of the instruction that calls them. */
void pc_tell(jit *j, uint64_t pc)
{
    int32_t at = state_disp((uint32_t)j->en->pc_off);
    int near = (uint64_t)(int64_t)(int32_t)pc == pc;
    emit_rm(&j->e, 0xc7, near ? W64 : W32, 0, SB, at);
    emit32(&j->e, (uint32_t)pc);
    if (near)
        return;
    emit_rm(&j->e, 0xc7, W32, 0, SB, at + 4);
    emit32(&j->e, (uint32_t)(pc >> 32));
}

/* Everything out of caller-saved registers and guest state exact in memory; then a call of frame.fn[fn]; then a fault exit. */
static void call_checked(jit *j, unsigned fn)
{
    emit *e = &j->e;
    emit_rm(e, 0xff, W32, 2, SB, slow_path_disp(j, fn));
    emit_rr(e, 0x85, W32, RAX, RAX);
    uint32_t bad = emit_jcc(e, CC_NE);
    stub *s = stub_new(j, STUB_EXC);
    if (s) {
        stub_finish(j, s, 0, 0, NO_REG);
        s->snap.n = 0;
        s->snap.flags = FL_MEMORY;
        s->from = bad;
    }
    regs_reload(j, false);
}

void result_load(jit *j, oryx_val v, unsigned n)
{
    int32_t at = FRAME_DISP(j, arg) + (int32_t)n * 16;
    unsigned type = j->types[v];
    if (T_IS_VEC(type)) /* beside a scalar nothing: see zero_upper */
        emit_rm(&j->e, type == ORYX_T_F32 ? OP_66 | 0x0f6e : type == ORYX_T_F64 ? OP_F3 | 0x0f7e : 0x0f10, W32, xmm_def(j, v), SB, at);
    else
        emit_rm(&j->e, 0x8b, W64, gpr_def(j, v), SB, at);
}

#define ARG(n) (FRAME_DISP(j, arg) + (n) * 16)

static void rmw(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    slots_write_back(j);
    arg_store(j, o->a, 0);
    arg_store(j, o->b, 1);
    regs_spill_caller_saved(j);
    pc_tell(j, j->pc);
    lea_cpu(j, RDI);
    emit_rm(&j->e, 0x8b, W64, RSI, SB, ARG(0));
    emit_mov_ri(&j->e, RDX, o->imm);
    emit_rm(&j->e, 0x8b, W64, RCX, SB, ARG(1));
    lea_frame(j, R8, ARG(2));
    call_checked(j, FN_RMW);
    j->atomic_store = true;
    result_load(j, v, 2);
}

static void cas(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    slots_write_back(j);
    arg_store(j, o->a, 0);
    arg_store(j, o->b, 1);
    arg_store(j, o->c, 2);
    regs_spill_caller_saved(j);
    pc_tell(j, j->pc);
    lea_cpu(j, RDI);
    emit_rm(&j->e, 0x8b, W64, RSI, SB, ARG(0));
    emit_mov_ri(&j->e, RDX, (uint32_t)o->imm);
    lea_frame(j, RCX, ARG(1));
    lea_frame(j, R8, ARG(2));
    lea_frame(j, R9, ARG(3));
    call_checked(j, FN_CAS);
    j->atomic_store = true;
    result_load(j, v, 3);
}

static void ldx(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    slots_write_back(j);
    arg_store(j, o->a, 0);
    regs_spill_caller_saved(j);
    pc_tell(j, j->pc);
    lea_cpu(j, RDI);
    emit_rm(&j->e, 0x8b, W64, RSI, SB, ARG(0));
    emit_mov_ri(&j->e, RDX, (uint32_t)o->imm);
    lea_frame(j, RCX, ARG(1));
    call_checked(j, FN_LDX);
    result_load(j, v, 1);
}

static void stx(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    slots_write_back(j);
    arg_store(j, o->a, 0);
    arg_store(j, o->b, 1);
    regs_spill_caller_saved(j);
    pc_tell(j, j->pc);
    lea_cpu(j, RDI);
    emit_rm(&j->e, 0x8b, W64, RSI, SB, ARG(0));
    emit_mov_ri(&j->e, RDX, (uint32_t)o->imm);
    lea_frame(j, RCX, ARG(1));
    lea_frame(j, R8, ARG(2));
    call_checked(j, FN_STX);
    j->atomic_store = true;
    unsigned d = gpr_def(j, v);
    emit_rm(&j->e, 0x8b, W32, d, SB, ARG(2));
}

bool mem_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    switch (o->op) {
    case ORYX_OP_LOAD: load(j, v); return true;
    case ORYX_OP_STORE: store(j, v); return true;
    case ORYX_OP_RMW: rmw(j, v); return true;
    case ORYX_OP_CAS: cas(j, v); return true;
    case ORYX_OP_LDX: ldx(j, v); return true;
    case ORYX_OP_STX: stx(j, v); return true;
    case ORYX_OP_CLREX: {
        unsigned t = RAX;
        emit_mov_ri(&j->e, t, 0);
        emit_rm(&j->e, 0x89, W32, t, SB, CPU_DISP(j, monitor.active));
        return true;
    }
    case ORYX_OP_FENCE:
        emit8(&j->e, 0xf0);
        emit_rm(&j->e, 0x83, W32, 1, RSP, 0);
        emit8(&j->e, 0);
        return true;
    default: return false;
    }
}
