/* Execution: threaded dispatch over prepared ops, block chaining, and every way out of a block.
 *
 * Called by the core through oryx_engine_ops.enter. The invariant: whenever interp_run returns, the pc slot, slice.left
 * and guest state are those of an instruction boundary (a fault: the start of the faulting instruction), and
 * cpu->fp.flags is complete. */
#include <stdlib.h>

#include "interp.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Conditions of every packed flags value. */
#define FB(n, bit)  (((n) & ORYX_FLAG_##bit) != 0)
#define CO(n, x, c) ((uint32_t)(c) << ORYX_FC_##x)
#define CONDS(n)                                                                                                      \
    (CO(n, Z, FB(n, Z)) | CO(n, NZ, !FB(n, Z)) | CO(n, C, FB(n, C)) | CO(n, NC, !FB(n, C)) | CO(n, S, FB(n, S)) |      \
     CO(n, NS, !FB(n, S)) | CO(n, O, FB(n, O)) | CO(n, NO, !FB(n, O)) | CO(n, HI, FB(n, C) && !FB(n, Z)) |            \
     CO(n, LS, !(FB(n, C) && !FB(n, Z))) | CO(n, GE, FB(n, S) == FB(n, O)) | CO(n, LT, FB(n, S) != FB(n, O)) |        \
     CO(n, GT, !FB(n, Z) && FB(n, S) == FB(n, O)) | CO(n, LE, FB(n, Z) || FB(n, S) != FB(n, O)) |                     \
     CO(n, A, !FB(n, C) && !FB(n, Z)) | CO(n, BE, FB(n, C) || FB(n, Z)) | CO(n, P, FB(n, P)) | CO(n, NP, !FB(n, P)))
#define C4(n)   CONDS(n), CONDS((n) + 1), CONDS((n) + 2), CONDS((n) + 3)
#define C16(n)  C4(n), C4((n) + 4), C4((n) + 8), C4((n) + 12)
#define C64(n)  C16(n), C16((n) + 16), C16((n) + 32), C16((n) + 48)
#define C256(n) C64(n), C64((n) + 64), C64((n) + 128), C64((n) + 192)
const uint32_t interp_conds[512] = { C256(0), C256(256) };

uint32_t interp_flags(unsigned kind, unsigned width, uint64_t a, uint64_t b, unsigned cin)
{
    uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1, top = 1ull << (width - 1);
    int sub = kind == ORYX_FL_SUB || kind == ORYX_FL_SBC || kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC;
    unsigned borrow = kind == ORYX_FL_SBC ? cin : kind == ORYX_FL_SBCC ? !cin : 0;
    uint64_t r, carry, over;
    a &= mask;
    b &= mask;
    if (kind == ORYX_FL_LOGIC) {
        r = a;
        b = 0;
        carry = over = 0;
    } else if (sub) {
        r = (a - b - borrow) & mask;
        carry = borrow ? a <= b : a < b;
        over = (a ^ b) & (a ^ r) & top;
    } else {
        unsigned in = kind == ORYX_FL_ADC ? cin & 1 : 0;
        r = (a + b + in) & mask;
        carry = in ? r <= a : r < a;
        over = ~(a ^ b) & (a ^ r) & top;
    }
    uint32_t f = 0;
    unsigned p = (unsigned)r & 255;
    p ^= p >> 4;
    p ^= p >> 2;
    p ^= p >> 1;
    if (kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC)
        carry = !carry;
    if (kind != ORYX_FL_LOGIC)
        f |= (uint32_t)(a ^ b ^ r) & ORYX_FLAG_A;
    f |= carry ? ORYX_FLAG_C : 0;
    f |= p & 1 ? 0 : ORYX_FLAG_P;
    f |= r == 0 ? ORYX_FLAG_Z : 0;
    f |= r & top ? ORYX_FLAG_S : 0;
    f |= over ? ORYX_FLAG_O : 0;
    return f;
}

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
#define FLV_ADD(W, a, b, c)  interp_flags(ORYX_FL_ADD, W, a, b, 0)
#define FLV_SUB(W, a, b, c)  interp_flags(ORYX_FL_SUB, W, a, b, 0)
#define FLV_SUBC(W, a, b, c) interp_flags(ORYX_FL_SUBC, W, a, b, 0)
#endif
#define FLV_ADC(W, a, b, c)   interp_flags(ORYX_FL_ADC, W, a, b, R8(c) & 1)
#define FLV_SBC(W, a, b, c)   interp_flags(ORYX_FL_SBC, W, a, b, R8(c) & 1)
#define FLV_SBCC(W, a, b, c)  interp_flags(ORYX_FL_SBCC, W, a, b, R8(c) & 1)
#define FLV_LOGIC(W, a, b, c) interp_flags(ORYX_FL_LOGIC, W, a, 0, 0)

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
    uint32_t reason, saved = interp_fp_begin();

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
        interp_fp_merge(cpu);                                                                                         \
        st = (call);                                                                                                  \
        interp_fp_discard(cpu);                                                                                       \
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

    /* --- integers ---------------------------------------------------------------------------------------- */
#define W 32
#define S int32_t
#define X(n, e)                                                                                                       \
    L_##n##_32r:                                                                                                      \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = R32(ip->b);                                                                      \
        W64(ip->d, (uint32_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_##n##_32i:                                                                                                      \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = (uint32_t)ip->imm;                                                               \
        W64(ip->d, (uint32_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }
    INT_BIN(X)
#undef X
#define X(n, e)                                                                                                       \
    L_CMP_##n##_32r:                                                                                                  \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = R32(ip->b);                                                                      \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMP_##n##_32i:                                                                                                  \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = (uint32_t)ip->imm;                                                               \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMPG_##n##_32r:                                                                                                 \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = R32(ip->b);                                                                      \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }                                                                                                                 \
    L_CMPG_##n##_32i:                                                                                                 \
    {                                                                                                                 \
        uint32_t a = R32(ip->a), b = (uint32_t)ip->imm;                                                               \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }
    INT_CC(X)
#undef X
#undef W
#undef S
#define W 64
#define S int64_t
#define X(n, e)                                                                                                       \
    L_##n##_64r:                                                                                                      \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = R64(ip->b);                                                                      \
        W64(ip->d, (uint64_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_##n##_64i:                                                                                                      \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = ip->imm;                                                                         \
        W64(ip->d, (uint64_t)(e));                                                                                    \
        NEXT();                                                                                                       \
    }
    INT_BIN(X)
#undef X
#define X(n, e)                                                                                                       \
    L_CMP_##n##_64r:                                                                                                  \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = R64(ip->b);                                                                      \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMP_##n##_64i:                                                                                                  \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = ip->imm;                                                                         \
        W64(ip->d, (e));                                                                                              \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_CMPG_##n##_64r:                                                                                                 \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = R64(ip->b);                                                                      \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }                                                                                                                 \
    L_CMPG_##n##_64i:                                                                                                 \
    {                                                                                                                 \
        uint64_t a = R64(ip->a), b = ip->imm;                                                                         \
        ip++;                                                                                                         \
        EXIT_COND(e);                                                                                                 \
    }
    INT_CC(X)
#undef X
#undef W
#undef S

    /* --- flags ------------------------------------------------------------------------------------------- */
#define FL_BODY(n, w, T, B, tail)                                                                                     \
    {                                                                                                                 \
        T a = (T)R##w(ip->a), b = (T)(B);                                                                             \
        uint32_t f = FLV_##n(w, a, b, ip->c);                                                                         \
        (void)b;                                                                                                      \
        W32(ip->d, f);                                                                                                \
        tail                                                                                                          \
    }
#define FL_EXIT                                                                                                       \
    ip++;                                                                                                             \
    EXIT_COND(interp_conds[f & 511] >> ((uint32_t)ip->d >> 16) & 1);
#define X(n)                                                                                                          \
    L_FL_##n##_32r : FL_BODY(n, 32, uint32_t, R32(ip->b), NEXT();)                                                    \
    L_FL_##n##_32i : FL_BODY(n, 32, uint32_t, ip->imm, NEXT();)                                                       \
    L_FL_##n##_64r : FL_BODY(n, 64, uint64_t, R64(ip->b), NEXT();)                                                    \
    L_FL_##n##_64i : FL_BODY(n, 64, uint64_t, ip->imm, NEXT();)                                                       \
    L_FLG_##n##_32r : FL_BODY(n, 32, uint32_t, R32(ip->b), FL_EXIT)                                                   \
    L_FLG_##n##_32i : FL_BODY(n, 32, uint32_t, ip->imm, FL_EXIT)                                                      \
    L_FLG_##n##_64r : FL_BODY(n, 64, uint64_t, R64(ip->b), FL_EXIT)                                                   \
    L_FLG_##n##_64i : FL_BODY(n, 64, uint64_t, ip->imm, FL_EXIT)
    FL_KINDS(X)
#undef X
L_FLCOND:
    W64(ip->d, interp_conds[R32(ip->a) & 511] >> ip->imm & 1);
    NEXT();

    /* --- memory ------------------------------------------------------------------------------------------ */
#define TLB_OF(off) ((const oryx_tlb *)(const void *)((const uint8_t *)cpu + (off)))
#define HIT(t, way, size)                                                                                             \
    const oryx_tlb_entry *en = &(t)->way[addr >> ORYX_PAGE_BITS & (t)->mask];                                         \
    if (LIKELY(((addr + (size) - 1) & ~(uint64_t)(ORYX_PAGE_SIZE - 1)) == en->tag))
#define HOST(T) ((T *)(uintptr_t)(addr + en->addend))
    typedef uint8_t uint8_tu;
    typedef int8_t int8_tu;
    typedef u16u uint16_tu;
    typedef u32u uint32_tu;
    typedef u64u uint64_tu;
    typedef int16_t __attribute__((aligned(1), may_alias)) int16_tu;
    typedef int32_t __attribute__((aligned(1), may_alias)) int32_tu;
#define X(n, T, e)                                                                                                    \
    L_LD_##n:                                                                                                         \
    {                                                                                                                 \
        const oryx_tlb *t = TLB_OF(ip->b);                                                                            \
        addr = R64(ip->a) + ip->imm;                                                                                  \
        HIT(t, rd, sizeof(T))                                                                                         \
        {                                                                                                             \
            T v = *HOST(T##u);                                                                                        \
            W64(ip->d, (e));                                                                                          \
            NEXT();                                                                                                   \
        }                                                                                                             \
        goto load_slow;                                                                                               \
    }
    LOADS(X)
#undef X
#define X(n, T)                                                                                                       \
    L_ST_##n:                                                                                                         \
    {                                                                                                                 \
        const oryx_tlb *t = TLB_OF(ip->d);                                                                            \
        addr = R64(ip->a) + ip->imm;                                                                                  \
        HIT(t, wr, sizeof(T))                                                                                         \
        {                                                                                                             \
            *HOST(T##u) = *(const T##u *)(base + ip->b);                                                              \
            NEXT();                                                                                                   \
        }                                                                                                             \
        goto store_slow;                                                                                              \
    }
    STORES(X)
#undef X
L_LOAD128:
{
    const oryx_tlb *t = TLB_OF(ip->b);
    addr = R64(ip->a) + ip->imm;
    HIT(t, rd, 16)
    {
        uint64_t lo = HOST(u64u)[0], hi = HOST(u64u)[1];
        W64(ip->d, lo);
        W64(ip->d + 8, hi);
        NEXT();
    }
    goto load_slow;
}
L_STORE128:
{
    const oryx_tlb *t = TLB_OF(ip->d);
    addr = R64(ip->a) + ip->imm;
    HIT(t, wr, 16)
    {
        uint64_t lo = R64(ip->b), hi = R64(ip->b + 8);
        HOST(u64u)[0] = lo;
        HOST(u64u)[1] = hi;
        NEXT();
    }
    goto store_slow;
}
#define X(n, T, Tu)                                                                                                   \
    L_LOADX##n:                                                                                                       \
    {                                                                                                                 \
        const oryx_tlb *t = &cpu->tlb[0];                                                                             \
        addr = R64(ip->a) + (R64(ip->b) << (ip->imm & 63));                                                           \
        HIT(t, rd, sizeof(T))                                                                                         \
        {                                                                                                             \
            W64(ip->d, *HOST(Tu));                                                                                    \
            NEXT();                                                                                                   \
        }                                                                                                             \
        goto load_slow;                                                                                               \
    }
    X(8, uint8_t, uint8_t)
    X(32, uint32_t, u32u)
    X(64, uint64_t, u64u)
#undef X
L_LOADG:
    addr = R64(ip->a) + ip->imm;
load_slow:
{
    oryx_v128 v = { 0, 0 };
    uint32_t mo = (uint32_t)ip->c & 0xffff;
    unsigned type = (uint32_t)ip->c >> 16;
    CALL_OUT(interp_load_general(cpu, addr, mo, &v));
    v.lo = interp_extend(v.lo, mo, type);
    set_value(base, ip->d, type, &v);
    CHECK_CODE();
    NEXT();
}
L_STOREG:
    addr = R64(ip->a) + ip->imm;
store_slow:
{
    oryx_v128 v;
    value_of(&v, base, ip->b, (uint32_t)ip->c >> 16);
    CALL_OUT(interp_store_general(cpu, addr, (uint32_t)ip->c & 0xffff, &v));
    CHECK_CODE();
    NEXT();
}
L_RMW:
{
    oryx_v128 v, old = { 0, 0 };
    value_of(&v, base, ip->b, (unsigned)ip->c);
    CALL_OUT(cpu->fn->rmw(cpu, R64(ip->a), ip->imm, v.lo, &old.lo));
    set_value(base, ip->d, (unsigned)ip->c, &old);
    CHECK_CODE();
    NEXT();
}
L_CAS:
{
    oryx_v128 want, v, old = { 0, 0 };
    unsigned type = (unsigned)(ip->imm >> 32);
    value_of(&want, base, ip->b, type);
    value_of(&v, base, ip->c, type);
    CALL_OUT(cpu->fn->cas(cpu, R64(ip->a), (uint32_t)ip->imm, &want, &v, &old));
    set_value(base, ip->d, type, &old);
    CHECK_CODE();
    NEXT();
}
L_LDX:
{
    oryx_v128 v = { 0, 0 };
    CALL_OUT(cpu->fn->ldx(cpu, R64(ip->a), (uint32_t)ip->imm, &v));
    set_value(base, ip->d, (unsigned)ip->c, &v);
    NEXT();
}
L_STX:
{
    oryx_v128 v;
    uint32_t failed = 1;
    value_of(&v, base, ip->b, (unsigned)ip->c);
    CALL_OUT(cpu->fn->stx(cpu, R64(ip->a), (uint32_t)ip->imm, &v, &failed));
    W64(ip->d, failed != 0);
    CHECK_CODE();
    NEXT();
}
L_CLREX:
    cpu->monitor.active = 0;
    NEXT();
L_FENCE:
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT();

    /* --- floating point: the host's result when it is normal and rounding is to nearest ------------------------ */
#define FP_SIMPLE() ((cpu->fp.rounding | cpu->fp.flush_in | cpu->fp.flush_out) == 0)
#define X(n, op)                                                                                                      \
    L_##n##_f32:                                                                                                      \
    {                                                                                                                 \
        if (LIKELY(FP_SIMPLE() && FP_HOST)) {                                                                         \
            float r = *(const f32u *)(base + ip->a) op *(const f32u *)(base + ip->b);                                 \
            uint32_t bits;                                                                                            \
            memcpy(&bits, &r, 4);                                                                                     \
            if (LIKELY((bits >> 23 & 255) - 2u < 253u)) {                                                             \
                W64(ip->d, bits);                                                                                     \
                NEXT();                                                                                               \
            }                                                                                                         \
        }                                                                                                             \
        interp_fp_bin(ORYX_OP_##n, ORYX_T_F32, base, ip, cpu);                                                        \
        NEXT();                                                                                                       \
    }                                                                                                                 \
    L_##n##_f64:                                                                                                      \
    {                                                                                                                 \
        if (LIKELY(FP_SIMPLE() && FP_HOST)) {                                                                         \
            double r = *(const f64u *)(base + ip->a) op *(const f64u *)(base + ip->b);                                \
            uint64_t bits;                                                                                            \
            memcpy(&bits, &r, 8);                                                                                     \
            if (LIKELY((bits >> 52 & 2047) - 2u < 2045u)) {                                                           \
                W64(ip->d, bits);                                                                                     \
                NEXT();                                                                                               \
            }                                                                                                         \
        }                                                                                                             \
        interp_fp_bin(ORYX_OP_##n, ORYX_T_F64, base, ip, cpu);                                                        \
        NEXT();                                                                                                       \
    }
#if defined(__x86_64__)
#define FP_HOST 1 /* inexact is found in MXCSR */
#else
#define FP_HOST (cpu->fp.flags & ORYX_FPF_INEXACT)
#endif
    FP_BIN(X)
#undef X

    /* --- moves, bits, selection ---------------------------------------------------------------------------- */
L_OOL:
    ip->fn(base, ip, cpu);
    NEXT();
L_MOVI:
    W64(ip->d, ip->imm);
    NEXT();
L_MOVI4:
    W32(ip->d, ip->imm);
    NEXT();
L_VCONST:
    W64(ip->d, ip->imm);
    W64(ip->d + 8, OTHER_PC(ip));
    NEXT();
L_Z1:
    W64(ip->d, R8(ip->a) & 1);
    NEXT();
L_Z8:
    W64(ip->d, R8(ip->a));
    NEXT();
L_Z16:
    W64(ip->d, R16(ip->a));
    NEXT();
L_Z32:
    W64(ip->d, R32(ip->a));
    NEXT();
L_MOV4:
    W32(ip->d, R32(ip->a));
    NEXT();
L_MOV64:
    W64(ip->d, R64(ip->a));
    NEXT();
L_MOV128:
{
    uint64_t lo = R64(ip->a), hi = R64(ip->a + 8);
    W64(ip->d, lo);
    W64(ip->d + 8, hi);
    NEXT();
}
L_ST8:
    W8(ip->d, R8(ip->a));
    NEXT();
L_ST16:
    W16(ip->d, R16(ip->a));
    NEXT();
L_STI8:
    W8(ip->d, ip->imm);
    NEXT();
L_STI16:
    W16(ip->d, ip->imm);
    NEXT();
#define SG(n) memcpy(base + ip->d, state + ip->imm, n)
#define SP(n) memcpy(state + ip->imm, base + ip->a, n)
L_SGET8:
    W64(ip->d, 0);
    SG(1);
    NEXT();
L_SGET16:
    W64(ip->d, 0);
    SG(2);
    NEXT();
L_SGET32:
    W64(ip->d, 0);
    SG(4);
    NEXT();
L_SGET64:
    SG(8);
    NEXT();
L_SGET128:
    SG(16);
    NEXT();
L_SPUT8:
    SP(1);
    NEXT();
L_SPUT16:
    SP(2);
    NEXT();
L_SPUT32:
    SP(4);
    NEXT();
L_SPUT64:
    SP(8);
    NEXT();
L_SPUT128:
    SP(16);
    NEXT();
L_NOT1:
    W64(ip->d, ~R8(ip->a) & 1);
    NEXT();
L_NOT32:
    W64(ip->d, (uint32_t)~R32(ip->a));
    NEXT();
L_NOT64:
    W64(ip->d, ~R64(ip->a));
    NEXT();
L_NEG32:
    W64(ip->d, (uint32_t)-R32(ip->a));
    NEXT();
L_NEG64:
    W64(ip->d, -R64(ip->a));
    NEXT();
L_CLZ32:
{
    uint32_t a = R32(ip->a);
    W64(ip->d, a ? __builtin_clz(a) : 32);
    NEXT();
}
L_CLZ64:
{
    uint64_t a = R64(ip->a);
    W64(ip->d, a ? __builtin_clzll(a) : 64);
    NEXT();
}
L_BSWAP32:
    W64(ip->d, __builtin_bswap32(R32(ip->a)));
    NEXT();
L_BSWAP64:
    W64(ip->d, __builtin_bswap64(R64(ip->a)));
    NEXT();
/* Bit fields: shift up to the top, then down; imm = pos | len << 8. */
#define BFX(w, U, V)                                                                                                  \
    unsigned pos = (unsigned)ip->imm & 255, len = (unsigned)(ip->imm >> 8) & 255;                                     \
    V v = (V)(U)((U)R##w(ip->a) << ((w - pos - len) & (w - 1)));                                                      \
    W64(ip->d, (U)(v >> ((w - len) & (w - 1))));                                                                      \
    NEXT();
L_UBFX32:
{
    BFX(32, uint32_t, uint32_t)
}
L_UBFX64:
{
    BFX(64, uint64_t, uint64_t)
}
L_SBFX32:
{
    BFX(32, uint32_t, int32_t)
}
L_SBFX64:
{
    BFX(64, uint64_t, int64_t)
}
#define BFI(w, U)                                                                                                     \
    unsigned pos = (unsigned)ip->imm & 255, len = (unsigned)(ip->imm >> 8) & 255;                                     \
    U mask = (U)(~(U)0 >> ((w - len) & (w - 1))) << (pos & (w - 1));                                                  \
    W64(ip->d, (U)((R##w(ip->a) & ~mask) | ((U)(R##w(ip->b)) << (pos & (w - 1)) & mask)));                            \
    NEXT();
L_BFI32:
{
    BFI(32, uint32_t)
}
L_BFI64:
{
    BFI(64, uint64_t)
}
L_FUNNEL32:
{
    uint64_t v = (uint64_t)R32(ip->a) << 32 | R32(ip->b);
    W64(ip->d, (uint32_t)(v >> (ip->imm & 31)));
    NEXT();
}
L_FUNNEL64:
{
    unsigned n = (unsigned)ip->imm & 63;
    uint64_t a = R64(ip->a), b = R64(ip->b);
    W64(ip->d, n ? b >> n | a << (64 - n) : b);
    NEXT();
}
L_ADDSHL64:
    W64(ip->d, R64(ip->a) + (R64(ip->b) << (ip->imm & 63)));
    NEXT();
#define X(n, bits, T)                                                                                                 \
    L_SEXT_##n:                                                                                                       \
    W64(ip->d, (T)SX_##bits(ip->a));                                                                                  \
    NEXT();
#define SX_1(o)  (-(int64_t)(R8(o) & 1))
#define SX_8(o)  ((int64_t)(int8_t)R8(o))
#define SX_16(o) ((int64_t)(int16_t)R16(o))
#define SX_32(o) ((int64_t)(int32_t)R32(o))
    SEXTS(X)
#undef X
#define COND (R8(ip->a) & 1)
L_SEL8:
    W64(ip->d, COND ? R8(ip->b) : R8(ip->c));
    NEXT();
L_SEL16:
    W64(ip->d, COND ? R16(ip->b) : R16(ip->c));
    NEXT();
L_SEL32:
    W64(ip->d, COND ? R32(ip->b) : R32(ip->c));
    NEXT();
L_SEL64:
    W64(ip->d, COND ? R64(ip->b) : R64(ip->c));
    NEXT();
L_SEL4:
    W32(ip->d, COND ? R32(ip->b) : R32(ip->c));
    NEXT();
L_SEL128:
{
    int32_t from = COND ? ip->b : ip->c;
    uint64_t lo = R64(from), hi = R64(from + 8);
    W64(ip->d, lo);
    W64(ip->d + 8, hi);
    NEXT();
}
#define FLC(fc) (interp_conds[R32(ip->a) & 511] >> (fc) & 1)
L_SELF32:
    W64(ip->d, FLC(ip->imm) ? R32(ip->b) : R32(ip->c));
    NEXT();
L_SELF64:
    W64(ip->d, FLC(ip->imm) ? R64(ip->b) : R64(ip->c));
    NEXT();

    /* --- calls and control ------------------------------------------------------------------------------------ */
L_SETMODE:
    cpu->mode = R64(ip->a);
    NEXT();
L_SLOTADD:
    cpu->slots[ip->imm] += R64(ip->a);
    NEXT();
L_CALL:
    SET_PC(in_copy ? copy_pc : CUR_PC());
    interp_fp_merge(cpu);
    interp_call(ip->ptr, base, cpu);
    interp_fp_discard(cpu);
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
    EXIT_COND(interp_conds[R32(ip->a) & 511] >> ((uint32_t)ip->d >> 16) & 1);
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
    interp_fp_end(cpu, saved);
    return reason;
}
