/* Execution: threaded dispatch over prepared ops, block chaining, and every way out of a block.
 *
 * Called by the core through oryx_engine_ops.enter. The invariant: whenever interp_run returns, the pc slot, slice.left
 * and guest state are those of an instruction boundary (a fault: the start of the faulting instruction), and
 * cpu->fp.flags is complete. */
#include <stdlib.h>

#include "interp.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Inline flag makers: on x86-64 the host's own flags, which the packed form mirrors. */
#if defined(__x86_64__)
#define FL_ASM(name, insn, suffix, type)                                                                              \
    static inline uint32_t name(type a, type b)                                                                       \
    {                                                                                                                 \
        uint32_t r;                                                                                                   \
        __asm__(insn "\n\tlahf\n\tseto %%al" : "=&a"(r), "+r"(a) : "r"(b) : "cc");                                    \
        return (r >> 8 & 0xd5) | (r & 1) << 8;                                                                        \
    }
FL_ASM(fl_add32, "addl %2, %1", l, uint32_t)
FL_ASM(fl_add64, "addq %2, %1", q, uint64_t)
FL_ASM(fl_sub32, "cmpl %2, %1", l, uint32_t)
FL_ASM(fl_sub64, "cmpq %2, %1", q, uint64_t)
#define FLV_ADD(W, a, b, c)  fl_add##W(a, b)
#define FLV_SUB(W, a, b, c)  fl_sub##W(a, b)
#define FLV_SUBC(W, a, b, c) (fl_sub##W(a, b) ^ 1u)
#else
#define FLV_ADD(W, a, b, c)  softop_flags(ORYX_FL_ADD, W, a, b, 0)
#define FLV_SUB(W, a, b, c)  softop_flags(ORYX_FL_SUB, W, a, b, 0)
#define FLV_SUBC(W, a, b, c) softop_flags(ORYX_FL_SUBC, W, a, b, 0)
#endif
#define FLV_ADC(W, a, b, c)   softop_flags(ORYX_FL_ADC, W, a, b, R8(c) & 1)
#define FLV_SBC(W, a, b, c)   softop_flags(ORYX_FL_SBC, W, a, b, R8(c) & 1)
#define FLV_SBCC(W, a, b, c)  softop_flags(ORYX_FL_SBCC, W, a, b, R8(c) & 1)
#define FLV_LOGIC(W, a, b, c) softop_flags(ORYX_FL_LOGIC, W, a, 0, 0)

static void value_of(oryx_v128 *v, const uint8_t *base, int32_t at, unsigned type)
{
    v->hi = 0;
    switch (oryx_type_size(type)) {
    case 1:
        v->lo = R8(at);
        break;
    case 2:
        v->lo = R16(at);
        break;
    case 4:
        v->lo = R32(at);
        break;
    case 16:
        v->hi = R64(at + 8);
        /* fall through */
    default:
        v->lo = R64(at);
        break;
    }
}

static void set_value(uint8_t *base, int32_t at, unsigned type, const oryx_v128 *v)
{
    static const uint64_t mask[9] = { 0, 0xff, 0xffff, 0, 0xffffffff, 0, 0, 0, ~0ull };
    if (type == ORYX_T_V128) {
        W64(at, v->lo);
        W64(at + 8, v->hi);
    } else {
        W64(at, v->lo & mask[oryx_type_size(type) & 15]);
    }
}

/* The block's code changed under it: continue in a private copy in which every later instruction starts with LEAVE, so
 * that only the current one is finished. Returns the op to continue with, NULL when there is no memory for the copy. */
static const iop *finish_insn(engine *e, vcpu_data *vd, const code *co, const iop *ip)
{
    const void *leave = e->labels[H_LEAVE];
    size_t at = (size_t)(ip - co->ops), size = sizeof(code) + co->n_ops * sizeof(iop);
    unsigned cur = co->op_insn[at];
    if (vd->copy_size < size) {
        void *p = realloc(vd->copy, size);
        if (!p)
            return NULL;
        vd->copy = p;
        vd->copy_size = size;
    }
    memcpy(vd->copy, co, size);
    for (unsigned k = co->n_insns; k-- > cur + 1;) {
        /* the earliest of instructions that start at the same op wins: it is visited last */
        iop *o = &vd->copy->ops[co->insns[k].first];
        if (co->insns[k].first < co->n_ops - 1) {
            o->label = leave;
            o->imm = co->insns[k].pc;
            o->d = (int32_t)(co->n_insns - k);
        }
    }
    return &vd->copy->ops[at];
}

/* Fault described by the core (or by nobody: then it is ours to describe). */
static void describe(oryx_cpu *cpu, oryx_status st, uint64_t pc)
{
    if (cpu->exc.kind == ORYX_EXC_NONE) {
        cpu->exc.kind = ORYX_EXC_INTERNAL;
        cpu->exc.status = st;
        cpu->exc.phys = ~0ull;
    }
    cpu->exc.pc = pc;
}

#if defined(__clang__)
#define NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define NO_TSAN __attribute__((no_sanitize_thread))
#endif

/* Guest memory races are the guest's own. */
NO_TSAN uint32_t interp_run(engine *e, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave, const void *const **labels_out)
{
    static const void *const labels[H_COUNT] = {
#define X(n, e) &&L_##n##_32r, &&L_##n##_32i, &&L_##n##_64r, &&L_##n##_64i,
        INT_BIN(X)
#undef X
#define X(n, e) &&L_CMP_##n##_32r, &&L_CMP_##n##_32i, &&L_CMP_##n##_64r, &&L_CMP_##n##_64i,
        INT_CC(X)
#undef X
#define X(n, e) &&L_CMPG_##n##_32r, &&L_CMPG_##n##_32i, &&L_CMPG_##n##_64r, &&L_CMPG_##n##_64i,
        INT_CC(X)
#undef X
#define X(n) &&L_FL_##n##_32r, &&L_FL_##n##_32i, &&L_FL_##n##_64r, &&L_FL_##n##_64i,
        FL_KINDS(X)
#undef X
#define X(n) &&L_FLG_##n##_32r, &&L_FLG_##n##_32i, &&L_FLG_##n##_64r, &&L_FLG_##n##_64i,
        FL_KINDS(X)
#undef X
#define X(n, t, e) &&L_LD_##n,
        LOADS(X)
#undef X
#define X(n, t) &&L_ST_##n,
        STORES(X)
#undef X
#define X(n, f, t) &&L_SEXT_##n,
        SEXTS(X)
#undef X
#define X(n, e) &&L_##n##_f32, &&L_##n##_f64,
        FP_BIN(X)
#undef X
#define X(n) &&L_##n,
        PLAIN(X)
#undef X
    };
    if (!cpu) {
        *labels_out = labels;
        return 0;
    }

    vcpu_data *vd = cpu->engine_data;
    uint8_t *const base = vd->frame;
    uint8_t *const state = cpu->state;
    const uint32_t pc_offset = e->pc_offset;
    const code *co;
    const iop *ip;
    uint64_t pc, addr;
    oryx_status st;
    unsigned slot;
    uint32_t reason, saved = softop_fp_begin();

    cpu->exc.kind = ORYX_EXC_NONE;

#define DISPATCH() goto *ip->label
#define NEXT()                                                                                                        \
    do {                                                                                                              \
        ip++;                                                                                                         \
        DISPATCH();                                                                                                   \
    } while (0)
/* Start the block tb, or leave before it when the slice is used up. */
#define ENTER_TB()                                                                                                    \
    do {                                                                                                              \
        co = tb->code;                                                                                                \
        uint32_t left_ = cpu->slice.left, n_ = co->n_insns;                                                           \
        if (UNLIKELY(left_ < n_ || __atomic_load_n(&cpu->slice.kick, __ATOMIC_RELAXED)))                              \
            goto budget;                                                                                              \
        cpu->slice.left = left_ - n_;                                                                                 \
        ip = co->ops;                                                                                                 \
        DISPATCH();                                                                                                   \
    } while (0)
#define EXIT_LINK(n, target)                                                                                          \
    do {                                                                                                              \
        oryx_tb *nx_ = __atomic_load_n(&tb->link[n], __ATOMIC_ACQUIRE);                                               \
        if (LIKELY(nx_ && !(__atomic_load_n(&nx_->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID))) {                     \
            tb = nx_;                                                                                                 \
            ENTER_TB();                                                                                               \
        }                                                                                                             \
        pc = (target);                                                                                                \
        slot = (n);                                                                                                   \
        goto leave_link;                                                                                              \
    } while (0)
#define OTHER_PC(o) ((uint64_t)(uint32_t)(o)->c << 32 | (uint32_t)(o)->b)
#define EXIT_COND(x)                                                                                                  \
    do {                                                                                                              \
        if (x) {                                                                                                      \
            cpu->slice.left += (uint16_t)ip->d;                                                                       \
            EXIT_LINK(0, ip->imm);                                                                                    \
        }                                                                                                             \
        cpu->slice.left += (uint16_t)ip->d;                                                                           \
        EXIT_LINK(1, OTHER_PC(ip));                                                                                   \
    } while (0)
#define CUR_PC() (co->n_insns ? co->insns[co->op_insn[ip - co->ops]].pc : tb->pc)
#define SET_PC(v)                                                                                                     \
    do {                                                                                                              \
        uint64_t pc_ = (v);                                                                                           \
        memcpy(state + pc_offset, &pc_, 8);                                                                           \
    } while (0)
/* Around a call into the core: devices and tools may ask for the pc, and their own arithmetic is not the guest's. */
#define CALL_OUT(call)                                                                                                \
    do {                                                                                                              \
        SET_PC(in_copy ? copy_pc : CUR_PC());                                                                         \
        softop_fp_merge(cpu);                                                                                         \
        st = (call);                                                                                                  \
        softop_fp_discard(cpu);                                                                                       \
        if (UNLIKELY(st))                                                                                             \
            goto fault;                                                                                               \
    } while (0)
#define CHECK_CODE()                                                                                                  \
    do {                                                                                                              \
        if (UNLIKELY(__atomic_load_n(&tb->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID) && !in_copy)                    \
            goto invalidated;                                                                                         \
    } while (0)

    /* Set while the rest of one instruction runs in vd->copy. */
    int in_copy = 0;
    unsigned copy_insn = 0;
    uint64_t copy_pc = 0;

    ENTER_TB();

#include "ops_int.h"
#include "ops_mem.h"
#include "ops_misc.h"

    /* --- calls and control ------------------------------------------------------------------------------------ */
L_SETMODE:
    cpu->mode = R64(ip->a);
    NEXT();
L_SLOTADD:
    cpu->slots[ip->imm] += R64(ip->a);
    NEXT();
L_CALL:
    SET_PC(in_copy ? copy_pc : CUR_PC());
    softop_fp_merge(cpu);
    interp_call(ip->ptr, base, cpu);
    softop_fp_discard(cpu);
    if (UNLIKELY(cpu->exc.kind != ORYX_EXC_NONE)) {
        st = cpu->exc.status;
        goto fault;
    }
    CHECK_CODE();
    NEXT();
L_BR:
    ip += ip->d;
    DISPATCH();
L_BRC:
    ip += R8(ip->a) & 1 ? ip->d : 1;
    DISPATCH();
L_GOTO:
    cpu->slice.left += (uint32_t)ip->d;
    if (ip->b)
        EXIT_LINK(1, ip->imm);
    EXIT_LINK(0, ip->imm);
L_GOTOC:
    EXIT_COND(R8(ip->a) & 1);
L_GOTOCF:
    EXIT_COND(softop_conds[R32(ip->a) & 511] >> ((uint32_t)ip->d >> 16) & 1);
    /* The block changed the mode key: what was linked may belong to another mode. */
L_GOTOM:
    cpu->slice.left += (uint32_t)ip->d;
    pc = ip->imm;
    goto indirect;
L_GOTOCM:
    cpu->slice.left += (uint16_t)ip->d;
    pc = R8(ip->a) & 1 ? ip->imm : OTHER_PC(ip);
    goto indirect;
L_GOTOI:
    cpu->slice.left += (uint32_t)ip->d;
    pc = R64(ip->a);
indirect:
{
    if (UNLIKELY(in_copy))
        goto lookup;
    oryx_tb *nx = __atomic_load_n(&cpu->jump_cache[oryx_jump_hash(pc)], __ATOMIC_ACQUIRE);
    if (LIKELY(nx && nx->pc == pc && nx->mode == cpu->mode &&
               !(__atomic_load_n(&nx->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID))) {
        tb = nx;
        ENTER_TB();
    }
    nx = cpu->fn->tb_find(cpu, pc);
    if (nx) {
        tb = nx;
        ENTER_TB();
    }
    goto lookup;
}
L_RESYNC:
    cpu->slice.left += (uint32_t)ip->d;
    SET_PC(ip->imm);
    reason = ORYX_LEAVE_RESYNC;
    goto out;
L_RAISE:
    cpu->slice.left += (uint32_t)ip->d;
    pc = OTHER_PC(ip);
    cpu->exc.kind = (uint32_t)ip->imm;
    cpu->exc.access = ORYX_ACCESS_READ;
    cpu->exc.pc = pc;
    cpu->exc.syndrome = R64(ip->a);
    cpu->exc.addr = 0;
    cpu->exc.phys = ~0ull;
    cpu->exc.size = 0;
    cpu->exc.status = ORYX_OK;
    SET_PC(pc);
    reason = ORYX_LEAVE_EXC;
    goto out;
L_LEAVE: /* only in a copy: the next instruction's bytes may have changed */
    cpu->slice.left += (uint32_t)ip->d;
    pc = ip->imm;
lookup:
    SET_PC(pc);
    reason = ORYX_LEAVE_LOOKUP;
    goto out;
L_ENDBAD:
    st = ORYX_E_IR;
fault:
{
    unsigned n = in_copy ? copy_insn : co->op_insn[ip - co->ops];
    pc = in_copy ? copy_pc : CUR_PC();
    describe(cpu, st, pc);
    cpu->slice.left += co->n_insns - n;
    SET_PC(pc);
    reason = ORYX_LEAVE_EXC;
    goto out;
}
invalidated:
{
    unsigned n = co->op_insn[ip - co->ops];
    copy_pc = CUR_PC();
    copy_insn = n;
    const iop *go = finish_insn(e, vd, co, ip);
    if (!go) {
        st = ORYX_E_NOMEM;
        goto fault;
    }
    in_copy = 1;
    ip = go;
    NEXT();
}
leave_link:
    SET_PC(pc);
    reason = in_copy ? ORYX_LEAVE_LOOKUP : ORYX_LEAVE_LINK;
    leave->slot = slot;
    goto out;
budget:
    SET_PC(tb->pc);
    reason = ORYX_LEAVE_BUDGET;
out:
    leave->tb = tb;
    softop_fp_end(cpu, saved);
    return reason;
}
