/* Vector floating point, lane-wise. Called by fp.c, in the environment that rounds to nearest without flushing. The upper half
 * of a v64 is undefined: it is replaced by zeros (divisors: ones) before an instruction that could raise a flag for it. */
#include "simd.h"

typedef struct shape {
    bool wide;   /* f64 lanes */
    bool half;   /* v64 */
    unsigned p;  /* prefix of packed forms */
} shape;

static shape shape_of(const oryx_ir_op *o)
{
    bool wide = o->lane == ORYX_T_F64 || o->lane == ORYX_T_I64;
    return (shape){ wide, o->type == ORYX_T_V64, wide ? OP_66 : 0 };
}

/* The operand with a harmless upper half: itself, or a copy in the scratch register. */
static unsigned whole(jit *j, shape s, oryx_val v, unsigned scratch)
{
    unsigned r = xmm_use(j, v);
    if (!s.half)
        return r;
    emit_rr(&j->e, OP_F3 | 0x0f7e, W32, scratch, r);
    return scratch;
}

static unsigned whole_divisor(jit *j, shape s, oryx_val v, unsigned scratch)
{
    unsigned r = xmm_use(j, v);
    if (!s.half)
        return r;
    emit_rm(&j->e, 0x0f28, W32, scratch, SB, KONST(j, K_ONE32));
    emit_rr(&j->e, OP_F2 | 0x0f10, W32, scratch, r);
    return scratch;
}

/* Any lane of XS0 set: the slow way. */
static void leave_if_any(jit *j, uint32_t slow)
{
    emit_rr(&j->e, 0x0f50, W32, RAX, XS0); /* movmskps: every lane is all ones or zero */
    emit_rr(&j->e, 0x85, W32, RAX, RAX);
    slow_jump(j, slow, emit_jcc(&j->e, CC_NE));
}

static void unordered(jit *j, uint32_t slow, shape s, unsigned a, unsigned b)
{
    x3(j, s.p | 0x0fc2, XS0, a, b);
    emit8(&j->e, 3);
    leave_if_any(j, slow);
}

/* NaN, or (tiny) the least normal number of either sign, in any lane. */
static void check(jit *j, uint32_t slow, shape s, unsigned d, bool tiny)
{
    if (tiny && j->ir->fp.tiny_before) {
        x3k(j, 0x0f54, XS0, d, s.wide ? K_ABS64 : K_ABS32);
        vex_rm(&j->e, s.p | 0x0fc2, W32, XS0, XS0, KONST(j, s.wide ? K_LEAST64 : K_LEAST32));
        emit8(&j->e, 8); /* equal or unordered, quiet */
        leave_if_any(j, slow);
    } else {
        unordered(j, slow, s, d, d);
    }
}

static bool binary(jit *j, oryx_val v, unsigned code, bool tiny)
{
    const oryx_ir_op *o = op_of(j, v);
    shape s = shape_of(o);
    unsigned a = whole(j, s, o->a, XS1), b = code == 0x0f5e ? whole_divisor(j, s, o->b, XS2) : whole(j, s, o->b, XS2);
    unsigned d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 2);
    x3(j, s.p | code, d, a, b);
    check(j, slow, s, d, tiny);
    slow_end(j, slow);
    return true;
}

static bool root(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    shape s = shape_of(o);
    unsigned a = whole(j, s, o->a, XS1), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    x2(j, s.p | 0x0f51, d, a);
    check(j, slow, s, d, false);
    slow_end(j, slow);
    return true;
}

static bool fused(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    shape s = shape_of(o);
    unsigned a = whole(j, s, o->a, XS1), b = whole(j, s, o->b, XS2), c = xmm_use(j, o->c), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 3);
    if (s.half)
        emit_rr(&j->e, OP_F3 | 0x0f7e, W32, d, c);
    else
        x_mov(&j->e, d, c);
    vex_rr(&j->e, P66(0x0f38b8), s.wide ? W64 : W32, d, a, b);
    check(j, slow, s, d, true);
    slow_end(j, slow);
    return true;
}

static bool extreme(jit *j, oryx_val v, bool max)
{
    const oryx_ir_op *o = op_of(j, v);
    shape s = shape_of(o);
    unsigned a = whole(j, s, o->a, XS1), b = whole(j, s, o->b, XS2), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 2);
    unordered(j, slow, s, a, b);
    x3(j, s.p | (max ? 0x0f5f : 0x0f5d), XS0, a, b);
    x3(j, s.p | (max ? 0x0f5f : 0x0f5d), d, b, a);
    x3(j, max ? 0x0f54 : 0x0f56, d, d, XS0);
    slow_end(j, slow);
    return true;
}

/* EQ is quiet; GES and GTS are the host's signalling LE and LT with the operands exchanged. */
static bool compare(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    shape s = shape_of(o);
    unsigned a = whole(j, s, o->a, XS1), b = whole(j, s, o->b, XS2), d = xmm_def(j, v);
    if (o->imm == ORYX_CC_EQ)
        x3(j, s.p | 0x0fc2, d, a, b);
    else
        x3(j, s.p | 0x0fc2, d, b, a);
    emit8(&j->e, o->imm == ORYX_CC_EQ ? 0 : o->imm == ORYX_CC_GES ? 2 : 1);
    return true;
}

static bool integral(jit *j, oryx_val v)
{
    static const uint8_t host[] = { [ORYX_RM_NEAREST] = 0, [ORYX_RM_UP] = 2, [ORYX_RM_DOWN] = 1, [ORYX_RM_ZERO] = 3 };
    const oryx_ir_op *o = op_of(j, v);
    shape s = shape_of(o);
    unsigned mode = o->imm & 7;
    if (mode == ORYX_RM_ENV)
        mode = ORYX_RM_NEAREST;
    if (mode == ORYX_RM_AWAY)
        return false;
    unsigned a = whole(j, s, o->a, XS1), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    x2(j, P66(s.wide ? 0x0f3a09 : 0x0f3a08), d, a);
    emit8(&j->e, host[mode] | (o->imm & 8 ? 0 : 8));
    check(j, slow, s, d, false);
    slow_end(j, slow);
    return true;
}

/* 2^-n (n may be negative) in every lane of x. */
static void power(jit *j, bool wide, int n, unsigned x)
{
    uint64_t bits = wide ? (uint64_t)(1023 - n) << 52 : (uint64_t)(127 - n) << 23 | (uint64_t)(127 - n) << 55;
    emit_mov_ri(&j->e, RAX, bits);
    emit_rr(&j->e, P66(0x0f6e), W64, x, RAX);
    emit_rr(&j->e, P66(0x0f6c), W32, x, x);
}

static bool from_int(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    shape s = shape_of(o);
    int fraction = (int)(o->imm >> 8 & 255);
    bool is_signed = o->imm & 8;
    if ((!is_signed && s.wide) || fraction > 64)
        return false;
    unsigned a = whole(j, s, o->a, XS1), d = xmm_def(j, v);
    if (s.wide) {
        emit_rr(e, P66(0x0f7e), W64, a, RAX);
        emit_rr(e, P66(0x0f3a16), W64, a, RCX);
        emit8(e, 1);
        emit_rr(e, 0x0f57, W32, d, d);
        emit_rr(e, 0x0f57, W32, XS0, XS0);
        emit_rr(e, OP_F2 | 0x0f2a, W64, d, RAX);
        emit_rr(e, OP_F2 | 0x0f2a, W64, XS0, RCX);
        emit_rr(e, P66(0x0f14), W32, d, XS0); /* unpcklpd */
    } else if (is_signed) {
        x2(j, 0x0f5b, d, a);
    } else { /* the halves of a lane are exact: one rounding, in the sum */
        vex_rr(e, P66(0x0f72), W32, 2, XS0, a);
        emit8(e, 16);
        x2(j, 0x0f5b, XS0, XS0);
        power(j, false, -16, XS2);
        x3(j, 0x0f59, XS0, XS0, XS2);
        x3k(j, P66(0x0f3a0e), d, a, K_ZERO); /* pblendw: the low halves */
        emit8(e, 0xaa);
        x2(j, 0x0f5b, d, d);
        x3(j, 0x0f58, d, d, XS0);
    }
    if (fraction) {
        power(j, s.wide, fraction, XS0);
        emit_rr(e, s.p | 0x0f59, W32, d, XS0);
    }
    return true;
}

/* The most negative integer stands for all that does not fit. */
static bool to_int(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    shape s = shape_of(o);
    unsigned mode = o->imm & 7;
    bool to_nearest = mode == ORYX_RM_NEAREST || mode == ORYX_RM_ENV;
    bool is_signed = o->imm & 8;
    if ((o->imm >> 8 & 255) || !(to_nearest || mode == ORYX_RM_ZERO) || (!is_signed && (s.wide || to_nearest)))
        return false;
    unsigned a = whole(j, s, o->a, XS1), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    if (s.wide) {
        emit_rr(e, P66(0x0f70), W32, XS0, a);
        emit8(e, 0xee);
        emit_rr(e, OP_F2 | (to_nearest ? 0x0f2d : 0x0f2c), W64, RAX, a);
        emit_rr(e, OP_F2 | (to_nearest ? 0x0f2d : 0x0f2c), W64, RCX, XS0);
        emit_rr(e, P66(0x0f6e), W64, d, RAX);
        emit_rr(e, P66(0x0f3a22), W64, d, RCX);
        emit8(e, 1);
        x3k(j, P66(0x0f3829), XS0, d, K_SIGN64);
    } else {
        if (!is_signed) { /* from 2^31 on, negative or NaN: told by the bits, before anything is raised */
            emit_mov_ri(e, RAX, 0x4effffff4effffffu);
            emit_rr(e, P66(0x0f6e), W64, XS0, RAX);
            emit_rr(e, P66(0x0f6c), W32, XS0, XS0);
            x3(j, P66(0x0f66), XS0, a, XS0);
            x3(j, P66(0x0feb), XS0, XS0, a);
            leave_if_any(j, slow);
        }
        x2(j, (to_nearest ? OP_66 : OP_F3) | 0x0f5b, d, a);
        if (!is_signed) {
            slow_end(j, slow);
            return true;
        }
        x3k(j, P66(0x0f76), XS0, d, K_SIGN32);
    }
    leave_if_any(j, slow);
    slow_end(j, slow);
    return true;
}

bool fp_vec_op(jit *j, oryx_val v)
{
    if (!j->en->avx)
        return false;
    switch (op_of(j, v)->op) {
    case ORYX_OP_FADD: return binary(j, v, 0x0f58, false);
    case ORYX_OP_FSUB: return binary(j, v, 0x0f5c, false);
    case ORYX_OP_FMUL: return binary(j, v, 0x0f59, true);
    case ORYX_OP_FDIV: return binary(j, v, 0x0f5e, true);
    case ORYX_OP_FSQRT: return root(j, v);
    case ORYX_OP_FMA: return j->en->fma && fused(j, v);
    case ORYX_OP_FMIN:
    case ORYX_OP_FMINNM: return extreme(j, v, false);
    case ORYX_OP_FMAX:
    case ORYX_OP_FMAXNM: return extreme(j, v, true);
    case ORYX_OP_VFCMP: return compare(j, v);
    case ORYX_OP_FROUND: return integral(j, v);
    case ORYX_OP_VITOF: return from_int(j, v);
    case ORYX_OP_VFTOI: return to_int(j, v);
    default: return false;
    }
}
