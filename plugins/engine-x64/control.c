/* Block ends, branches inside an instruction, helper calls, guest instruction boundaries, and the out-of-line stubs behind the
 * block. Called by compile.c. Invariant: at every way out guest state in memory, the pc slot and LEFT are exact. */
#include <stdlib.h>

#include "x64.h"

#define PC_DISP(j) state_disp((uint32_t)(j)->en->pc_off)

stub *stub_new(jit *j, unsigned kind)
{
    if (j->n_stubs == j->cap_stubs) {
        uint32_t cap = j->cap_stubs ? j->cap_stubs * 2 : 64;
        stub *grown = realloc(j->stubs, cap * sizeof *grown);
        if (!grown) {
            j->error = ORYX_E_NOMEM;
            return NULL;
        }
        j->stubs = grown;
        j->cap_stubs = cap;
    }
    stub *s = &j->stubs[j->n_stubs++];
    memset(s, 0, offsetof(stub, snap));
    s->kind = (uint8_t)kind;
    s->insn = j->insn;
    s->rest = j->rest;
    s->pc = j->pc;
    s->smc = ~0u;
    s->snap.live = s->snap.n = 0;
    s->snap.flags = FL_MEMORY;
    return s;
}

static uint32_t left_over(const jit *j, uint32_t insn)
{
    return j->tb->n_insns - insn;
}

static void set_pc(jit *j, uint64_t pc)
{
    emit *e = &j->e;
    if ((int64_t)pc == (int32_t)pc) {
        emit_rm(e, 0xc7, W64, 0, SB, PC_DISP(j));
        emit32(e, (uint32_t)pc);
    } else {
        emit_mov_ri(e, RAX, pc);
        emit_rm(e, 0x89, W64, RAX, SB, PC_DISP(j));
    }
}

void give_back(jit *j, uint32_t n)
{
    if (n)
        emit_alu_ri(&j->e, 0, W32, LEFT, (int32_t)n);
}

/* Jump to code at an offset of the cache. */
static void jmp_cache(jit *j, uint32_t offset)
{
    int64_t here = (j->e.p - j->en->cache.write) + 5;
    emit8(&j->e, 0xe9);
    emit32(&j->e, (uint32_t)((int64_t)offset - here));
}

static void leave(jit *j, unsigned reason)
{
    emit_mov_ri(&j->e, RAX, reason);
    jmp_cache(j, j->en->exit_at);
}

/* --- instruction boundaries ----------------------------------------------------------------------------------------------- */
static uint32_t smc_stub(jit *j)
{
    stub *s = stub_new(j, STUB_SMC);
    if (!s)
        return ~0u;
    snapshot_take(j, &s->snap);
    return j->n_stubs - 1;
}

void insn_boundary(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    uint32_t stores = j->n_stubs, here = emit_at(e), number = ~0u;
    bool first = j->first_insn, flag = false;
    j->first_insn = false;
    j->insn++;
    j->pc = o->imm;
    if (first) {
        j->first_store_stub = j->n_stubs;
        return;
    }
    for (uint32_t i = j->first_store_stub; i < stores; i++)
        if (j->stubs[i].kind == STUB_STORE) {
            if (number == ~0u && (number = smc_stub(j)) == ~0u)
                return;
            j->stubs[i].smc = number;
            if (j->stubs[i].back != here) {
                j->stubs[i].smc |= 0x80000000u; /* by the flag */
                flag = true;
            }
        }
    if (flag || j->atomic_store) {
        if (number == ~0u && (number = smc_stub(j)) == ~0u)
            return;
        if (j->atomic_store) {
            emit_mov_ri(e, RAX, (uintptr_t)&j->tb->flags);
            emit_rm(e, 0xf6, W32, 0, RAX, 0);
            emit8(e, ORYX_TB_INVALID);
        } else {
            emit_rm(e, 0x83, W32, 7, SB, FRAME_DISP(j, smc));
            emit8(e, 0);
        }
        j->stubs[number].from = emit_jcc(e, CC_NE);
    }
    j->atomic_store = false;
    j->first_store_stub = j->n_stubs;
}

bool stores_pending(const jit *j)
{
    for (uint32_t i = j->first_store_stub; i < j->n_stubs; i++)
        if (j->stubs[i].kind == STUB_STORE)
            return true;
    return j->atomic_store;
}

/* Take n instructions from the slice, or leave with pc before them. */
void check_slice(jit *j, uint32_t n, uint64_t pc)
{
    emit *e = &j->e;
    emit_rm(e, 0x83, W32, 7, SB, CPU_DISP(j, slice.kick));
    emit8(e, 0);
    uint32_t kicked = emit_jcc(e, CC_NE);
    emit_alu_ri(e, 5, W32, LEFT, (int32_t)n);
    uint32_t over = emit_jcc(e, CC_B);
    stub *s = stub_new(j, STUB_BUDGET);
    if (s) {
        s->from = over;
        s->back = kicked;
        s->pc = pc;
        s->imm = n;
        if (j->n_blocks && j->current != ~0u)
            snapshot_take(j, &s->snap);
    }
}

/* --- ends ------------------------------------------------------------------------------------------------------------------ */
/* Place nops so that a rel32 at emit_at + lead does not straddle 8 bytes: it is patched with one aligned store. */
static void align_jump(jit *j, unsigned lead)
{
    static const uint8_t nop[3][3] = { { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 } };
    uintptr_t at = (uintptr_t)j->e.p + lead;
    unsigned over = at & 7, n = over > 4 ? 8 - over : 0;
    for (unsigned i = 0; i < n; i++)
        emit8(&j->e, nop[n - 1][i]);
}

/* A patchable jump to pc; registers are already written back. */
static void link_exit(jit *j, unsigned slot, uint64_t pc, unsigned cc)
{
    align_jump(j, cc == NO_REG ? 1 : 2);
    uint32_t from = cc == NO_REG ? emit_jmp(&j->e) : emit_jcc(&j->e, cc);
    stub *s = stub_new(j, STUB_LINK);
    if (!s)
        return;
    s->from = from;
    s->pc = pc;
    s->slot = (uint8_t)slot;
    j->head.jump[slot] = from;
}

void exit_link(jit *j, uint64_t pc)
{
    if (j->n_exits == sizeof j->exits / sizeof j->exits[0]) {
        j->error = ORYX_E_RANGE;
        return;
    }
    align_jump(j, 1);
    uint32_t from = emit_jmp(&j->e);
    stub *s = stub_new(j, STUB_LINK);
    if (!s)
        return;
    s->from = from;
    s->pc = pc;
    s->slot = (uint8_t)j->n_exits;
    j->exits[j->n_exits++].jump = from;
}

static void goto_conditional(jit *j, const oryx_ir_op *o)
{
    uint64_t taken = o->imm, other = (uint64_t)o->c << 32 | o->b;
    slots_write_back(j);
    unsigned cc = cond_emit(j, o->a);
    link_exit(j, 0, taken, cc);
    link_exit(j, 1, other, NO_REG);
}

static void goto_indirect(jit *j, const oryx_ir_op *o)
{
    emit *e = &j->e;
    homes_restore(j);
    j->keep_homes = true;
    unsigned pc = gpr_use(j, o->a);
    uint32_t rest = j->rest;
    if (j->n_blocks) {
        slots_write_back_unpinned(j);
        if (o->imm == ORYX_HINT_RETURN)
            region_return(j, pc);
        give_back(j, j->rest);
        j->rest = 0;
    }
    slots_write_back(j);
    emit_mov_rr(e, W64, RAX, pc);
    emit_mov_rr(e, W64, RCX, pc);
    emit_shift_ri(e, 5, W64, RAX, 2);
    emit_shift_ri(e, 5, W64, RCX, 14);
    emit_alu_rr(e, 6, W32, RAX, RCX);
    emit_alu_ri(e, 4, W32, RAX, (1 << ORYX_JUMP_CACHE_BITS) - 1);
    emit_rm(e, 0x8b, W64, RCX, SB, CPU_DISP(j, jump_cache));
    emit_rx(e, 0x8b, W64, RAX, RCX, RAX, 3, 0);
    emit_rr(e, 0x85, W64, RAX, RAX);
    uint32_t none = emit_jcc(e, CC_E);
    emit_rm(e, 0x3b, W64, pc, RAX, (int32_t)offsetof(oryx_tb, pc));
    uint32_t other = emit_jcc(e, CC_NE);
    emit_rm(e, 0x8b, W64, RCX, SB, CPU_DISP(j, mode));
    emit_rm(e, 0x3b, W64, RCX, RAX, (int32_t)offsetof(oryx_tb, mode));
    uint32_t mode = emit_jcc(e, CC_NE);
    emit_rm(e, 0xff, W32, 4, RAX, (int32_t)offsetof(oryx_tb, code));
    emit_here(e, none);
    emit_here(e, other);
    emit_here(e, mode);
    emit_rm(e, 0x89, W64, pc, SB, PC_DISP(j));
    emit_mov_rr(e, W64, RSI, pc);
    lea_cpu(j, RDI);
    emit_rm(e, 0xff, W32, 2, SB, FRAME_DISP(j, fn) + FN_TB_FIND * 8);
    emit_rr(e, 0x85, W64, RAX, RAX);
    uint32_t missing = emit_jcc(e, CC_E);
    emit_rm(e, 0xff, W32, 4, RAX, (int32_t)offsetof(oryx_tb, code));
    emit_here(e, missing);
    leave(j, ORYX_LEAVE_LOOKUP);
    j->rest = rest;
}

static void raise_op(jit *j, const oryx_ir_op *o)
{
    emit *e = &j->e;
    uint64_t pc = (uint64_t)o->c << 32 | o->b;
    unsigned syndrome = gpr_use(j, o->a);
    slots_write_back(j);
    emit_rm(e, 0x89, W64, syndrome, SB, CPU_DISP(j, exc.syndrome));
    emit_mov_ri(e, RAX, o->imm & 0xffff); /* access READ is 0 */
    emit_rm(e, 0x89, W64, RAX, SB, CPU_DISP(j, exc.kind));
    emit_mov_ri(e, RAX, pc);
    emit_rm(e, 0x89, W64, RAX, SB, CPU_DISP(j, exc.pc));
    emit_rm(e, 0x89, W64, RAX, SB, PC_DISP(j));
    emit_mov_ri(e, RAX, 0);
    emit_rm(e, 0x89, W64, RAX, SB, CPU_DISP(j, exc.addr));
    emit_rm(e, 0x89, W64, RAX, SB, CPU_DISP(j, exc.size)); /* and status */
    emit_mov_ri(e, RAX, ~0ull);
    emit_rm(e, 0x89, W64, RAX, SB, CPU_DISP(j, exc.phys));
    give_back(j, left_over(j, j->insn));
    leave(j, ORYX_LEAVE_EXC);
}

/* --- labels: every register is forgotten, state is in memory ----------------------------------------------------------------- */
void branch_to(jit *j, uint32_t from, uint32_t label)
{
    if (label < j->n_labels && j->label[label] != ~0u) {
        emit_patch(&j->e, from, j->label[label]);
        return;
    }
    if (j->n_fix == j->cap_fix) {
        uint32_t cap = j->cap_fix ? j->cap_fix * 2 : 32;
        void *grown = realloc(j->fix, cap * sizeof *j->fix);
        if (!grown) {
            j->error = ORYX_E_NOMEM;
            return;
        }
        j->fix = grown;
        j->cap_fix = cap;
    }
    j->fix[j->n_fix].from = from;
    j->fix[j->n_fix++].label = label;
}

void label_here(jit *j, uint32_t n)
{
    window_reset(j);
    for (; j->n_labels <= n; j->n_labels++)
        j->label[j->n_labels] = ~0u;
    j->label[n] = emit_at(&j->e);
    for (uint32_t i = 0; i < j->n_fix; i++)
        if (j->fix[i].label == n)
            emit_here(&j->e, j->fix[i].from);
}

/* --- helper calls ---------------------------------------------------------------------------------------------------------- */
static bool has(const char *effects, char c)
{
    return effects && strchr(effects, c);
}

static void call(jit *j, oryx_val v)
{
    static const uint8_t order[6] = { RDI, RSI, RDX, RCX, R8, R9 };
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    const oryx_helper_entry *h = j->en->host->helper_get(j->en->machine, (uint32_t)o->imm);
    if (!h) {
        j->error = ORYX_E_NOTFOUND;
        return;
    }
    oryx_val args[8] = { o->a, o->b, o->c };
    if (h->n_args > 3) {
        const oryx_ir_op *more = op_of(j, v - 1);
        args[3] = more->a;
        args[4] = more->b;
        args[5] = more->c;
        args[6] = (oryx_val)more->imm;
        args[7] = (oryx_val)(more->imm >> 32);
    }
    const char *effects = h->helper->effects;
    bool pure = has(effects, 'P') && !h->may_fault;
    if (!pure)
        slots_write_back(j);
    for (unsigned i = 0; i < h->n_args; i++)
        arg_store(j, args[i], i);
    regs_spill_caller_saved(j);
    if (!pure)
        fp_call_before(j);
    if (o->imm >= j->en->host->machine_arch(j->en->machine)->n_helpers) { /* a probe's: not with the guest's FPU */
        emit_rm(e, 0x8b, W64, RAX, SB, CPU_DISP(j, host_fp));
        emit_rr(e, 0x85, W64, RAX, RAX);
        uint32_t none = emit_jcc8(e, CC_E);
        lea_cpu(j, RDI);
        emit_rr(e, 0xff, W32, 2, RAX);
        emit_here8(e, none);
    }
    bool wide = h->ret == ORYX_T_V128;
    unsigned n = 0, x = 0;
    if ((unsigned)wide + h->takes_vcpu + h->n_args > 6u) {
        j->error = ORYX_E_UNSUPPORTED;
        return;
    }
    if (wide)
        lea_frame(j, order[n++], FRAME_DISP(j, arg) + 7 * 16);
    if (h->takes_vcpu) {
        pc_tell(j, j->pc);
        lea_cpu(j, order[n++]);
    }
    for (unsigned i = 0; i < h->n_args; i++) {
        int32_t at = FRAME_DISP(j, arg) + (int32_t)i * 16;
        if (h->args[i] == ORYX_T_V128)
            lea_frame(j, order[n++], at);
        else if (h->args[i] == ORYX_T_F32 || h->args[i] == ORYX_T_F64)
            emit_rm(e, OP_F3 | 0x0f7e, W32, x++, SB, at);
        else
            emit_rm(e, 0x8b, h->args[i] == ORYX_T_I64 ? W64 : W32, order[n++], SB, at);
    }
    emit_mov_ri(e, RAX, (uintptr_t)h->helper->fn);
    emit_rr(e, 0xff, W32, 2, RAX);
    if (!pure)
        fp_call_after(j);
    if (h->may_fault) {
        emit_rm(e, 0x83, W32, 7, SB, CPU_DISP(j, exc.kind));
        emit8(e, ORYX_EXC_NONE);
        uint32_t bad = emit_jcc(e, CC_NE);
        stub *s = stub_new(j, STUB_EXC);
        if (!s)
            return;
        s->from = bad;
        j->atomic_store = true;
    }
    bool changes = !pure && (has(effects, 'S') || h->may_fault);
    if (changes)
        slots_forget(j);
    regs_reload(j, changes);
    if (o->type == ORYX_T_VOID)
        return;
    if (wide) {
        result_load(j, v, 7);
    } else if (h->ret == ORYX_T_F32 || h->ret == ORYX_T_F64) {
        unsigned d = xmm_def(j, v);
        emit_rr(e, 0x0f28, W32, d, 0);
    } else if (T_IS_VEC(o->type)) {
        unsigned d = xmm_def(j, v);
        emit_rr(e, OP_66 | 0x0f6e, W64, d, RAX);
    } else {
        emit_mov_rr(e, W64, gpr_def(j, v), RAX);
    }
}

/* A way out of the block. There may be instructions behind it (a delay slot that is not executed): they are given back. */
static void block_end(jit *j, const oryx_ir_op *o)
{
    uint32_t rest = j->rest;
    j->rest = j->insn == ~0u ? rest : left_over(j, j->insn) - 1;
    if (!j->n_blocks && j->rest) {
        give_back(j, j->rest);
        j->rest = 0;
    }
    switch (o->op) {
    case ORYX_OP_GOTO:
        if (j->n_blocks) {
            region_goto(j, o->imm);
        } else {
            slots_write_back(j);
            link_exit(j, o->a & 1, o->imm, NO_REG);
        }
        break;
    case ORYX_OP_GOTOC:
        if (j->n_blocks)
            region_gotoc(j, o);
        else
            goto_conditional(j, o);
        break;
    case ORYX_OP_GOTOI: goto_indirect(j, o); break;
    default:
        give_back(j, j->rest);
        slots_write_back(j);
        set_pc(j, o->imm);
        leave(j, ORYX_LEAVE_RESYNC);
        break;
    }
    j->rest = rest;
}

bool control_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    switch (o->op) {
    case ORYX_OP_INSN: insn_boundary(j, v); return true;
    case ORYX_OP_ARGS: return true;
    case ORYX_OP_BLOCK: region_block_begin(j, v); return true;
    case ORYX_OP_LABEL:
        slots_branch(j);
        slots_forget(j);
        label_here(j, (uint32_t)o->imm);
        return true;
    case ORYX_OP_BR:
        slots_branch(j);
        branch_to(j, emit_jmp(e), (uint32_t)o->imm);
        return true;
    case ORYX_OP_BRC: {
        slots_branch(j);
        j->keep_homes = true;
        unsigned cc = cond_emit(j, o->a);
        j->keep_homes = false;
        branch_to(j, emit_jcc(e, cc), (uint32_t)o->imm);
        return true;
    }
    case ORYX_OP_CALL: call(j, v); return true;
    case ORYX_OP_SLOTADD:
        emit_rm(e, 0x8b, W64, RAX, SB, CPU_DISP(j, slots));
        if (is_const(j, o->a) && (int64_t)const_of(j, o->a) == (int32_t)const_of(j, o->a)) {
            emit_rm(e, 0x81, W64, 0, RAX, (int32_t)o->imm * 8);
            emit32(e, (uint32_t)const_of(j, o->a));
        } else {
            emit_rm(e, 0x01, W64, gpr_use(j, o->a), RAX, (int32_t)o->imm * 8);
        }
        return true;
    case ORYX_OP_GOTO:
    case ORYX_OP_GOTOC:
    case ORYX_OP_GOTOI:
    case ORYX_OP_RESYNC: block_end(j, o); return true;
    case ORYX_OP_RAISE: raise_op(j, o); return true;
    default: return false;
    }
}

/* --- stubs ------------------------------------------------------------------------------------------------------------------ */
#define CALLER_SAVED (~(1u << RBX | 1u << R12 | 1u << R13 | 1u << R14))

static int32_t save_disp(const jit *j, unsigned reg)
{
    return reg < 16 ? FRAME_DISP(j, save) + (int32_t)reg * 8 : FRAME_DISP(j, save_xmm) + (int32_t)(reg - 16) * 16;
}

static void save_live(jit *j, uint32_t live, bool restore)
{
    for (uint32_t m = live & CALLER_SAVED; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctz(m);
        if (reg < 16)
            emit_rm(&j->e, restore ? 0x8b : 0x89, W64, reg, SB, save_disp(j, reg));
        else
            emit_rm(&j->e, restore ? 0x0f10 : 0x0f11, W32, reg - 16, SB, save_disp(j, reg));
    }
}

void slot_saved(jit *j, unsigned to, unsigned reg)
{
    if (CALLER_SAVED >> reg & 1)
        emit_rm(&j->e, 0x8b, W64, to, SB, save_disp(j, reg));
    else
        emit_mov_rr(&j->e, W64, to, reg);
}

/* Write the dirty slots of a snapshot; those in caller-saved registers come from the save area when `saved`. */
void write_dirty(jit *j, const snapshot *s, bool saved, uint32_t taken)
{
    if (s->flags == FL_LOOP)
        fl_loop_leave(j, s->fl_block, saved, taken);
    if (s->flags == FL_OWN)
        fl_loop_raw(j, s->fl_block, saved);
    if (s->flags)
        fl_flush(j);
    for (uint32_t i = 0; i < s->n; i++) {
        unsigned reg = s->dirty[i].reg;
        if (saved && (CALLER_SAVED >> reg & 1)) {
            unsigned t = reg < 16 ? RCX : XMM(XS0);
            if (reg < 16)
                emit_rm(&j->e, 0x8b, W64, t, SB, save_disp(j, reg));
            else
                emit_rm(&j->e, 0x0f10, W32, XS0, SB, save_disp(j, reg));
            reg = t;
        }
        slot_store(j, reg, s->dirty[i].type, (uint32_t)s->dirty[i].slot);
    }
}

static void fault_exit(jit *j, const stub *s, bool saved)
{
    write_dirty(j, &s->snap, saved, 0);
    emit_mov_ri(&j->e, RAX, s->pc);
    emit_rm(&j->e, 0x89, W64, RAX, SB, PC_DISP(j));
    emit_rm(&j->e, 0x89, W64, RAX, SB, CPU_DISP(j, exc.pc));
    give_back(j, left_over(j, s->insn));
    leave(j, ORYX_LEAVE_EXC);
}

/* What follows in line may compare with the page in RCX: make it one that no address has. */
static void no_page(emit *e, const stub *s)
{
    if (s->near)
        emit_mov_ri(e, RCX, 1);
}

static void stub_address(emit *e, const stub *s)
{
    if (s->disp)
        emit_rm(e, 0x8d, W64, RSI, s->addr_reg, s->disp);
    else
        emit_mov_rr(e, W64, RSI, s->addr_reg);
}

/* The slow path; blocks without FP ops leave two arguments to device.c. */
static void call_access(jit *j, const stub *s, unsigned fn)
{
    emit *e = &j->e;
    pc_tell(j, s->pc);
    left_tell(j, RDI);
    if (j->fp) {
        lea_frame(j, RDI, j->en->cpu_off - BIAS);
        lea_frame(j, RCX, FRAME_DISP(j, arg));
    }
    emit_mov_ri(e, RDX, s->memop);
    emit_rm(e, 0xff, W32, 2, SB, slow_path_disp(j, fn));
}

static void load_stub(jit *j, const stub *s)
{
    emit *e = &j->e;
    save_live(j, s->snap.live, false);
    stub_address(e, s);
    call_access(j, s, FN_LOAD);
    emit_rr(e, 0x85, W32, RAX, RAX);
    uint32_t bad = emit_jcc(e, CC_NE);
    save_live(j, s->snap.live, true);
    int32_t at = FRAME_DISP(j, arg);
    bool sign = s->memop & ORYX_MO_SIGN;
    unsigned w = s->type == ORYX_T_I64 ? W64 : W32;
    unsigned size = ORYX_MO_SIZE(s->memop);
    if (T_IS_VEC(s->type)) {
        emit_rm(e, size == 2 ? OP_66 | 0x0f6e : size == 3 ? OP_F3 | 0x0f7e : 0x0f10, W32, s->reg, SB, at);
    } else if (sign && size < 3 && !(size == 2 && w == W32)) {
        emit_rm(e, size == 0 ? 0x0fbe : size == 1 ? 0x0fbf : 0x63, w, s->reg, SB, at);
    } else { /* as many bytes as were asked for: device.c leaves more */
        emit_rm(e, size == 0 ? 0x0fb6 : size == 1 ? 0x0fb7 : 0x8b, size == 3 ? W64 : W32, s->reg, SB, at);
    }
    no_page(e, s);
    emit_patch(e, emit_jmp(e), s->back);
    emit_here(e, bad);
    fault_exit(j, s, true);
}

static void store_stub(jit *j, const stub *s, uint32_t *smc_jumps, uint32_t *n_smc)
{
    emit *e = &j->e;
    bool vec = T_IS_VEC(s->type);
    save_live(j, s->snap.live, false);
    int32_t at = FRAME_DISP(j, arg);
    if (vec) {
        emit_rm(e, 0x0f11, W32, s->reg, SB, at);
    } else {
        emit_rm(e, 0x89, W64, s->reg, SB, at);
    }
    stub_address(e, s);
    call_access(j, s, FN_STORE);
    emit_rr(e, 0x85, W32, RAX, RAX);
    uint32_t bad = emit_jcc(e, CC_NE);
    save_live(j, s->snap.live, true);
    if (s->smc != ~0u) {
        emit_mov_ri(e, RAX, (uintptr_t)&j->tb->flags);
        emit_rm(e, 0xf6, W32, 0, RAX, 0);
        emit8(e, ORYX_TB_INVALID);
        uint32_t jump = emit_jcc(e, CC_NE);
        no_page(e, s);
        emit_patch(e, emit_jmp(e), s->back);
        if (s->smc & 0x80000000u) {
            emit_here(e, jump);
            no_page(e, s);
            emit_rm(e, 0xc7, W32, 0, SB, FRAME_DISP(j, smc));
            emit32(e, 1);
            emit_patch(e, emit_jmp(e), s->back);
        } else {
            smc_jumps[2 * *n_smc] = jump;
            smc_jumps[2 * (*n_smc)++ + 1] = s->smc;
        }
    } else {
        no_page(e, s);
        emit_patch(e, emit_jmp(e), s->back);
    }
    emit_here(e, bad);
    fault_exit(j, s, true);
}

static void smc_exit(jit *j, const stub *s)
{
    emit *e = &j->e;
    write_dirty(j, &s->snap, false, 0);
    emit_rm(e, 0xc7, W32, 0, SB, FRAME_DISP(j, smc));
    emit32(e, 0);
    set_pc(j, s->pc);
    give_back(j, left_over(j, s->insn));
    leave(j, ORYX_LEAVE_LOOKUP);
}

void again_exit(jit *j, const stub *s)
{
    write_dirty(j, &s->snap, false, 0);
    set_pc(j, s->pc);
    give_back(j, left_over(j, s->insn));
}

void stubs_emit(jit *j)
{
    emit *e = &j->e;
    uint32_t *jumps = malloc((size_t)(j->n_stubs + 1) * 2 * sizeof *jumps), n = 0;
    if (!jumps) {
        j->error = ORYX_E_NOMEM;
        return;
    }
    for (uint32_t i = 0; i < j->n_stubs && !e->full && !j->error; i++) {
        stub copy, *s = &j->stubs[i];
        if (s->kind == STUB_EDGE) { /* one that leaves makes another stub */
            copy = *s;
            s = &copy;
        }
        uint32_t at = emit_at(e);
        j->rest = s->rest;
        if (s->leads) {
            emit_here(e, s->from);
            window_beyond(j, s);
            leave(j, ORYX_LEAVE_LOOKUP);
            at = emit_at(e);
        } else if (s->from) {
            emit_here(e, s->from);
        }
        if (s->from2 && (s->kind == STUB_LOAD || s->kind == STUB_STORE))
            emit_here(e, s->from2);
        switch (s->kind) {
        case STUB_LOAD: load_stub(j, s); break;
        case STUB_STORE: store_stub(j, s, jumps, &n); break;
        case STUB_EXC: fault_exit(j, s, false); break;
        case STUB_SMC: smc_exit(j, s); break;
        case STUB_FP: fp_stub(j, s); break;
        case STUB_LIT:
            while ((uintptr_t)e->p & 15)
                emit8(e, 0xcc);
            emit_here(e, s->from);
            emit64(e, s->pc);
            emit64(e, s->imm);
            break;
        case STUB_BUDGET:
            give_back(j, (uint32_t)s->imm);
            emit_here(e, s->back); /* kicked: nothing was subtracted yet */
            write_dirty(j, &s->snap, false, (uint32_t)s->imm);
            set_pc(j, s->pc);
            leave(j, ORYX_LEAVE_BUDGET);
            break;
        case STUB_HOT:
            set_pc(j, j->tb->pc);
            leave(j, ORYX_LEAVE_HOT);
            break;
        case STUB_EDGE: region_edge(j, s); break;
        default: /* STUB_LINK */
            if (j->n_blocks)
                j->exits[s->slot].stub = at;
            else
                j->head.stub[s->slot] = at;
            set_pc(j, s->pc);
            emit_mov_ri(e, RAX, (uintptr_t)j->tb);
            emit_rm(e, 0x89, W64, RAX, SB, FRAME_DISP(j, leave_tb));
            emit_rm(e, 0xc7, W32, 0, SB, FRAME_DISP(j, leave_slot));
            emit32(e, s->slot);
            leave(j, ORYX_LEAVE_LINK);
            break;
        }
        j->stubs[i].back = at; /* where smc_jumps find it */
    }
    for (uint32_t i = 0; i < n; i++)
        emit_patch(e, jumps[2 * i], j->stubs[jumps[2 * i + 1]].back);
    free(jumps);
}
