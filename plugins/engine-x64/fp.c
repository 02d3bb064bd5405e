/* Floating point on the host's SIMD unit: scalar arithmetic, the sticky flags, and the way out to the reference functions.
 * Called by compile.c.
 *
 * While a block with FP ops runs (fp_out.c), MXCSR's sticky bits stand for the guest's INVALID, DIVZERO, OVERFLOW, UNDERFLOW and INEXACT, beside
 * cpu->fp.flags: in the environment native code is made for (to nearest, no flushing) the host raises exactly what the
 * architecture raises, but for tininess before rounding: a product that rounds up to the least normal number. Such a result and
 * every NaN (operand choice, sign and payload differ) go to the reference function out of line; the flags the host raised
 * for them are due as well. Invariant: an instruction that could raise a flag that is not due is never executed, but for INVALID with
 * the NaNs of fp_legacy, which the way out of line takes back. */
#include "simd.h"
#include "softops.h"

#define MXCSR_DEFAULT 0x1f80u

/* --- flags -------------------------------------------------------------------------------------------------------------- */
uint32_t fp_flags_of(uint32_t mxcsr)
{
    return (mxcsr & 1) | (mxcsr >> 1 & 0x1e); /* the denormal-operand bit has no counterpart */
}

static void read_flags(jit *j, oryx_val v)
{
    emit *e = &j->e;
    unsigned d = gpr_def(j, v);
    emit_rm(e, 0x0fae, W32, 3, SB, FRAME_DISP(j, mxcsr_guest)); /* stmxcsr */
    emit_rm(e, 0x8b, W32, RAX, SB, FRAME_DISP(j, mxcsr_guest));
    emit_mov_rr(e, W32, d, RAX);
    emit_alu_ri(e, 4, W32, d, 1);
    emit_shift_ri(e, 5, W32, RAX, 1);
    emit_alu_ri(e, 4, W32, RAX, 0x1e);
    emit_alu_rr(e, 1, W32, d, RAX);
    emit_rm(e, 0x0b, W32, d, SB, CPU_DISP(j, fp.flags));
}

static void write_flags(jit *j, oryx_val v)
{
    emit *e = &j->e;
    emit_rm(e, 0x89, W32, gpr_use(j, op_of(j, v)->a), SB, CPU_DISP(j, fp.flags));
    emit_rm(e, 0xc7, W32, 0, SB, FRAME_DISP(j, mxcsr_guest));
    emit32(e, MXCSR_DEFAULT);
    emit_rm(e, 0x0fae, W32, 2, SB, FRAME_DISP(j, mxcsr_guest)); /* ldmxcsr */
}

/* --- constants, slow way -------------------------------------------------------------------------------------------------- */
void fp_constants(frame *f)
{
    static const uint64_t value[K_COUNT] = {
        [K_SIGN32] = 0x8000000080000000u, [K_SIGN64] = 0x8000000000000000u, [K_ABS32] = 0x7fffffff7fffffffu,
        [K_ABS64] = 0x7fffffffffffffffu,  [K_LEAST32] = 0x0080000000800000u, [K_LEAST64] = 0x0010000000000000u,
        [K_ONE32] = 0x3f8000003f800000u,
    };
    for (unsigned i = 0; i < K_COUNT; i++)
        f->konst[i] = (oryx_v128){ value[i], value[i] };
}

#define CALLER_SAVED (1u << RSI | 1u << RDI | 1u << R8 | 1u << R9 | 1u << R10 | 1u << R11 | ((1u << XS0) - 1) << 16)

static void save_all(emit *e, int32_t frame_at, bool restore)
{
    for (uint32_t m = CALLER_SAVED; m; m &= m - 1) {
        unsigned reg = (unsigned)__builtin_ctz(m);
        if (reg < 16)
            emit_rm(e, restore ? 0x8b : 0x89, W64, reg, SB, frame_at + (int32_t)offsetof(frame, save) + (int32_t)reg * 8);
        else
            emit_rm(e, restore ? 0x0f28 : 0x0f29, W32, reg - 16, SB,
                    frame_at + (int32_t)offsetof(frame, save_xmm) + (int32_t)(reg - 16) * 16);
    }
}

/* The shared part of all slow ways: RAX = prepared op, operands and result in frame.arg; keeps every allocatable register. */
bool fp_thunk(engine *en)
{
    uint8_t *at = cache_room(&en->cache, 1024);
    if (!at)
        return false;
    emit e = { .p = at, .start = at, .end = at + 1024 };
    int32_t frame_at = en->frame_off - BIAS;
    emit_alu_ri(&e, 5, W64, RSP, 8);
    save_all(&e, frame_at, false);
    emit_rm(&e, 0x8d, W64, RDI, SB, frame_at + (int32_t)offsetof(frame, arg));
    emit_mov_rr(&e, W64, RSI, RAX);
    emit_rm(&e, 0x8d, W64, RDX, SB, en->cpu_off - BIAS);
    emit_rm(&e, 0xff, W32, 2, RAX, (int32_t)offsetof(iop, fn));
    save_all(&e, frame_at, true);
    emit_alu_ri(&e, 0, W64, RSP, 8);
    emit8(&e, 0xc3);
    en->fp_thunk_at = (uint32_t)(at - en->cache.write);
    cache_take(&en->cache, (emit_at(&e) + 63) & ~63u, false);
    return true;
}

uint32_t slow_begin(jit *j, oryx_val v, unsigned n)
{
    const oryx_ir_op *o = op_of(j, v);
    const oryx_val operand[3] = { o->a, o->b, o->c };
    stub *s = stub_new(j, STUB_FP);
    if (!s)
        return ~0u;
    s->imm = v;
    s->n_operands = (uint8_t)n;
    for (unsigned k = 0; k < n; k++)
        s->operand[k] = j->place[operand[k]].reg;
    return j->n_stubs - 1;
}

void slow_jump(jit *j, uint32_t slow, uint32_t from)
{
    if (slow == ~0u)
        return;
    stub *s = &j->stubs[slow];
    if (s->from)
        s->from2 = from;
    else
        s->from = from;
}

void slow_end(jit *j, uint32_t slow)
{
    if (slow == ~0u)
        return;
    stub *s = &j->stubs[slow];
    s->reg = j->place[s->imm].reg;
    s->back = emit_at(&j->e);
}

void fp_stub(jit *j, const stub *s)
{
    emit *e = &j->e;
    const oryx_ir_op *o = op_of(j, (oryx_val)s->imm);
    iop p = { .d = 4 * 16, .a = 0, .b = 16, .c = s->n_operands > 2 ? 2 * 16 : (int32_t)(uint32_t)o->imm };
    p.fn = softop_select(o);
    if (!p.fn) {
        j->error = ORYX_E_UNSUPPORTED;
        return;
    }
    if (s->from2)
        emit_here(e, s->from2);
    for (unsigned k = 0; k < s->n_operands; k++) {
        int32_t at = FRAME_DISP(j, arg) + (int32_t)k * 16;
        if (s->operand[k] < 16)
            emit_rm(e, 0x89, W64, s->operand[k], SB, at);
        else
            emit_rm(e, 0x0f29, W32, s->operand[k] - 16, SB, at);
    }
    emit8(e, 0x48); /* lea rax, [rip + p] */
    emit8(e, 0x8d);
    emit8(e, 0x05);
    emit32(e, 0);
    uint32_t lea = emit_at(e);
    int64_t here = (e->p - j->en->cache.write) + 5;
    emit8(e, 0xe8);
    emit32(e, (uint32_t)((int64_t)j->en->fp_thunk_at - here));
    int32_t at = FRAME_DISP(j, arg) + 4 * 16;
    unsigned type = j->types[s->imm];
    if (s->reg >= 16)
        emit_rm(e, type == ORYX_T_F32 ? P66(0x0f6e) : type == ORYX_T_F64 ? OP_F3 | 0x0f7e : 0x0f28, W32, s->reg - 16, SB, at);
    else
        emit_rm(e, 0x8b, type == ORYX_T_I64 ? W64 : W32, s->reg, SB, at);
    if (fp_legacy(j)) { /* the reference function raised what is due */
        int32_t word = FRAME_DISP(j, mxcsr_guest);
        emit_rm(e, 0x0fae, W32, 3, SB, word);
        emit_rm(e, 0x83, W32, 4, SB, word);
        emit8(e, 0xfe);
        emit_rm(e, 0x0fae, W32, 2, SB, word);
    }
    emit_patch(e, emit_jmp(e), s->back);
    while ((uintptr_t)e->p & 7)
        emit8(e, 0xcc);
    emit_here(e, lea);
    for (unsigned i = 0; i < sizeof p; i++)
        emit8(e, ((const uint8_t *)&p)[i]);
}

/* --- scalars --------------------------------------------------------------------------------------------------------------- */
/* NaN, or (tiny) the least normal number of either sign: the slow way. */
static void check(jit *j, uint32_t slow, unsigned d, bool wide, bool tiny)
{
    emit *e = &j->e;
    unsigned ucomi = wide ? P66(0x0f2e) : 0x0f2e;
    if (tiny && j->ir->fp.tiny_before) {
        x3k(j, 0x0f54, XS0, d, wide ? K_ABS64 : K_ABS32);
        emit_rm(e, ucomi, W32, XS0, SB, KONST(j, wide ? K_LEAST64 : K_LEAST32));
        slow_jump(j, slow, emit_jcc(e, CC_E)); /* unordered sets Z too */
    } else {
        emit_rr(e, ucomi, W32, d, d);
        slow_jump(j, slow, emit_jcc(e, CC_P));
    }
}

static bool binary(jit *j, oryx_val v, unsigned code, bool tiny)
{
    const oryx_ir_op *o = op_of(j, v);
    bool wide = o->type == ORYX_T_F64;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 2);
    bool swap = (o->op == ORYX_OP_FADD || o->op == ORYX_OP_FMUL) && !zero_upper(j, o->a) && zero_upper(j, o->b);
    x3(j, (wide ? OP_F2 : OP_F3) | code, d, swap ? b : a, swap ? a : b);
    check(j, slow, d, wide, tiny);
    slow_end(j, slow);
    return true;
}

static bool root(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    bool wide = o->type == ORYX_T_F64;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    x3(j, (wide ? OP_F2 : OP_F3) | 0x0f51, d, a, a);
    check(j, slow, d, wide, false);
    slow_end(j, slow);
    return true;
}

static bool fused(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    bool wide = o->type == ORYX_T_F64;
    if (!j->en->fma || !j->en->avx)
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), c = xmm_use(j, o->c), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 3);
    x_mov(&j->e, d, c);
    vex_rr(&j->e, P66(0x0f38b9), wide ? W64 : W32, d, a, b); /* vfmadd231 */
    check(j, slow, d, wide, true);
    slow_end(j, slow);
    return true;
}

/* Both orders agree but for zeros of two signs, where the union is -0 and the intersection +0. */
static bool extreme(jit *j, oryx_val v, bool max)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    bool wide = o->type == ORYX_T_F64;
    unsigned code = (wide ? OP_F2 : OP_F3) | (max ? 0x0f5f : 0x0f5d);
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 2);
    emit_rr(e, wide ? P66(0x0f2e) : 0x0f2e, W32, a, b);
    slow_jump(j, slow, emit_jcc(e, CC_P));
    x3(j, code, XS0, a, b);
    x3(j, code, d, b, a);
    x3(j, max ? 0x0f54 : 0x0f56, d, d, XS0);
    slow_end(j, slow);
    return true;
}

static bool sign_op(jit *j, oryx_val v, bool clear)
{
    const oryx_ir_op *o = op_of(j, v);
    bool wide = o->lane == ORYX_T_F64;
    unsigned k = clear ? (wide ? K_ABS64 : K_ABS32) : (wide ? K_SIGN64 : K_SIGN32);
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    x3k(j, clear ? 0x0f54 : 0x0f57, d, a, k);
    return true;
}

bool fp_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    switch (o->op) {
    case ORYX_OP_FNEG: return sign_op(j, v, false);
    case ORYX_OP_FABS: return sign_op(j, v, true);
    case ORYX_OP_FFLAGS: read_flags(j, v); return true;
    case ORYX_OP_FSETFLAGS: write_flags(j, v); return true;
    default: break;
    }
    if (!fp_simple(j))
        return false;
    if (o->type == ORYX_T_V64 || o->type == ORYX_T_V128)
        return !fp_legacy(j) && fp_vec_op(j, v);
    switch (o->op) {
    case ORYX_OP_FLFCMP: return fcmp_op(j, v);
    case ORYX_OP_FADD: return binary(j, v, 0x0f58, false);
    case ORYX_OP_FSUB: return binary(j, v, 0x0f5c, false);
    case ORYX_OP_FMUL: return binary(j, v, 0x0f59, true);
    case ORYX_OP_FDIV: return binary(j, v, 0x0f5e, true);
    case ORYX_OP_FSQRT: return root(j, v);
    case ORYX_OP_FMA: return fused(j, v);
    case ORYX_OP_FMIN:
    case ORYX_OP_FMINNM: return extreme(j, v, false);
    case ORYX_OP_FMAX:
    case ORYX_OP_FMAXNM: return extreme(j, v, true);
    default: return fp_conv_op(j, v);
    }
}
