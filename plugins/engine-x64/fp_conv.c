/* Conversions between floating-point formats and integers, and rounding to integral values. Called by fp.c, in the
 * environment that rounds to nearest without flushing. Invariant: an instruction that would raise INEXACT where the
 * architecture raises INVALID alone is never executed: such operands are told by their bits first. */
#include "simd.h"

static unsigned scalar(bool wide)
{
    return wide ? OP_F2 : OP_F3;
}

static unsigned ucomi(bool wide)
{
    return wide ? P66(0x0f2e) : 0x0f2e;
}

/* Half precision lies in general registers. Results that are NaNs, infinite or the least normal number take the slow way. */
static bool from_half(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    bool wide = o->type == ORYX_T_F64;
    unsigned a = gpr_use(j, o->a), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    emit_rr(e, 0x0fb7, W32, RAX, a); /* the host converts four: the others are zero */
    emit_rr(e, P66(0x0f6e), W32, d, RAX);
    vex_rr(e, P66(0x0f3813), W32, d, 0, d);
    if (wide)
        x3(j, OP_F3 | 0x0f5a, d, d, d);
    emit_rr(e, ucomi(wide), W32, d, d);
    slow_jump(j, slow, emit_jcc(e, CC_P));
    slow_end(j, slow);
    return true;
}

static bool to_half(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned a = xmm_use(j, o->a), d = gpr_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    x3(j, P66(0x0f3a21), XS0, a, a); /* insertps: the other lanes zero */
    emit8(e, 0x0e);
    vex_rr(e, P66(0x0f3a1d), W32, XS0, 0, XS0);
    emit8(e, 4);
    emit_rr(e, P66(0x0fc5), W32, d, XS0); /* pextrw */
    emit8(e, 0);
    emit_mov_rr(e, W32, RAX, d);
    emit_alu_ri(e, 4, W32, RAX, 0x7fff);
    emit_alu_ri(e, 7, W32, RAX, 0x400);
    slow_jump(j, slow, emit_jcc(e, CC_E));
    emit_alu_ri(e, 7, W32, RAX, 0x7c00);
    slow_jump(j, slow, emit_jcc(e, CC_A));
    slow_end(j, slow);
    return true;
}

static bool between_formats(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    if (j->en->f16c && !j->ir->fp.alt_half && o->lane == ORYX_T_I16)
        return from_half(j, v);
    if (j->en->f16c && !j->ir->fp.alt_half && o->type == ORYX_T_I16 && o->lane == ORYX_T_F32)
        return to_half(j, v);
    bool widen = o->type == ORYX_T_F64 && o->lane == ORYX_T_F32;
    if (!widen && !(o->type == ORYX_T_F32 && o->lane == ORYX_T_F64))
        return false;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    if (widen) {
        x3(j, OP_F3 | 0x0f5a, d, a, a);
        emit_rr(e, ucomi(true), W32, d, d);
        slow_jump(j, slow, emit_jcc(e, CC_P));
    } else {
        x3(j, OP_F2 | 0x0f5a, d, a, a);
        x3k(j, 0x0f54, XS0, d, K_ABS32);
        emit_rm(e, ucomi(false), W32, XS0, SB, KONST(j, K_LEAST32)); /* tininess before rounding */
        slow_jump(j, slow, emit_jcc(e, CC_E));
    }
    slow_end(j, slow);
    return true;
}

/* 2^-n in XS0, as an FP constant of the type. */
static void power(jit *j, bool wide, unsigned n)
{
    emit_mov_ri(&j->e, RAX, wide ? (uint64_t)(1023 - n) << 52 : (uint64_t)(127 - n) << 23);
    emit_rr(&j->e, P66(0x0f6e), wide ? W64 : W32, XS0, RAX);
}

static bool from_int(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    bool wide = o->type == ORYX_T_F64, is_signed = o->imm & 8;
    unsigned fraction = o->imm >> 8 & 255, w = W64;
    if (fraction > 64)
        return false;
    unsigned a = gpr_use(j, o->a), d = xmm_def(j, v);
    uint32_t slow = ~0u;
    if (o->lane == ORYX_T_I32) {
        w = is_signed ? W32 : W64;
        if (!is_signed) {
            emit_mov_rr(e, W32, RAX, a);
            a = RAX;
        }
    } else if (!is_signed) {
        slow = slow_begin(j, v, 1);
        emit_rr(e, 0x85, W64, a, a);
        slow_jump(j, slow, emit_jcc(e, CC_S));
    }
    emit_rr(e, 0x0f57, W32, d, d); /* the conversion keeps the rest of d: cut the dependency */
    emit_rr(e, scalar(wide) | 0x0f2a, w, d, a);
    if (fraction) {
        power(j, wide, fraction);
        emit_rr(e, scalar(wide) | 0x0f59, W32, d, XS0);
    }
    slow_end(j, slow);
    return true;
}

static void fp_const(jit *j, unsigned x, bool wide, double value)
{
    union {
        double d;
        uint64_t u;
    } f64 = { value };
    union {
        float f;
        uint32_t u;
    } f32 = { (float)value };
    emit_mov_ri(&j->e, RCX, wide ? f64.u : f32.u);
    emit_rr(&j->e, P66(0x0f6e), wide ? W64 : W32, x, RCX);
}

/* d = a rounded to integral, ties away, raising nothing. |a| below `limit`, where fractions end, or the slow way. */
static void away(jit *j, uint32_t slow, bool wide, unsigned d, unsigned a, double limit)
{
    emit *e = &j->e;
    unsigned s = scalar(wide);
    x3k(j, 0x0f54, XS0, a, wide ? K_ABS64 : K_ABS32);
    fp_const(j, XS1, wide, limit);
    emit_rr(e, ucomi(wide), W32, XS1, XS0);
    slow_jump(j, slow, emit_jcc(e, CC_BE)); /* or unordered */
    x3(j, P66(wide ? 0x0f3a0b : 0x0f3a0a), XS1, XS0, XS0);
    emit8(e, 3 | 8);
    x3(j, s | 0x0f5c, XS0, XS0, XS1); /* the fraction, exact */
    fp_const(j, XS2, wide, 0.5);
    x3(j, s | 0x0fc2, XS2, XS2, XS0);
    emit8(e, 2);
    fp_const(j, XS0, wide, 1.0);
    x3(j, 0x0f54, XS0, XS0, XS2);
    x3(j, s | 0x0f58, XS1, XS1, XS0);
    x3k(j, 0x0f54, XS0, a, wide ? K_SIGN64 : K_SIGN32);
    x3(j, 0x0f56, d, XS1, XS0);
}

/* Signed, ties away: INEXACT is raised by a rounding whose result is dropped. */
static bool to_int_away(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    bool wide = o->lane == ORYX_T_F64;
    unsigned a = xmm_use(j, o->a), d = gpr_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    away(j, slow, wide, XS1, a, !wide ? 0x1p23 : o->type == ORYX_T_I64 ? 0x1p52 : 0x1p30);
    emit_rr(e, scalar(wide) | 0x0f2c, o->type == ORYX_T_I64 ? W64 : W32, d, XS1);
    x3(j, P66(wide ? 0x0f3a0b : 0x0f3a0a), XS0, a, a);
    emit8(e, 3);
    slow_end(j, slow);
    return true;
}

static bool to_int(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    bool wide = o->lane == ORYX_T_F64, is_signed = o->imm & 8;
    unsigned mode = o->imm & 7, w = o->type == ORYX_T_I64 ? W64 : W32;
    if (mode == ORYX_RM_ENV)
        mode = ORYX_RM_NEAREST;
    if (!(o->imm >> 8 & 255) && mode == ORYX_RM_AWAY && is_signed)
        return to_int_away(j, v);
    if ((o->imm >> 8 & 255) || mode == ORYX_RM_AWAY || (!is_signed && mode != ORYX_RM_ZERO))
        return false;
    unsigned a = xmm_use(j, o->a), d = gpr_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    if (!is_signed) { /* below 2^32 or 2^63, and neither negative nor a NaN, by the bits */
        unsigned exp = w == W64 ? 63 : 32;
        emit_rr(e, P66(0x0f7e), wide ? W64 : W32, a, RAX);
        emit_mov_ri(e, RCX, wide ? (uint64_t)(1023 + exp) << 52 : (uint64_t)(127 + exp) << 23);
        emit_alu_rr(e, 7, wide ? W64 : W32, RAX, RCX);
        slow_jump(j, slow, emit_jcc(e, CC_AE));
        emit_rr(e, scalar(wide) | 0x0f2c, W64, d, a);
    } else {
        unsigned from = a;
        if (mode == ORYX_RM_UP || mode == ORYX_RM_DOWN) {
            if (wide && w == W32) { /* |a| < 2^30, or rounding could leave the range */
                emit_rr(e, P66(0x0f7e), W64, a, RAX);
                emit_alu_rr(e, 0, W64, RAX, RAX);
                emit_mov_ri(e, RCX, (uint64_t)(1023 + 30) << 53);
                emit_alu_rr(e, 7, W64, RAX, RCX);
                slow_jump(j, slow, emit_jcc(e, CC_AE));
            }
            emit_rr(e, P66(wide ? 0x0f3a0b : 0x0f3a0a), W32, XS0, a);
            emit8(e, mode == ORYX_RM_UP ? 2 : 1);
            from = XS0;
        }
        emit_rr(e, scalar(wide) | (mode == ORYX_RM_NEAREST ? 0x0f2d : 0x0f2c), w, d, from);
        emit_alu_ri(e, 7, w, d, 1); /* the most negative integer stands for all that does not fit */
        slow_jump(j, slow, emit_jcc(e, CC_O));
    }
    slow_end(j, slow);
    return true;
}

static bool integral(jit *j, oryx_val v)
{
    static const uint8_t host[] = { [ORYX_RM_NEAREST] = 0, [ORYX_RM_UP] = 2, [ORYX_RM_DOWN] = 1, [ORYX_RM_ZERO] = 3 };
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    bool wide = o->type == ORYX_T_F64;
    unsigned mode = o->imm & 7;
    if (mode == ORYX_RM_ENV)
        mode = ORYX_RM_NEAREST;
    if (mode == ORYX_RM_AWAY && (o->imm & 8))
        return false;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    uint32_t slow = slow_begin(j, v, 1);
    if (mode == ORYX_RM_AWAY) {
        away(j, slow, wide, d, a, wide ? 0x1p52 : 0x1p23);
        slow_end(j, slow);
        return true;
    }
    x3(j, P66(wide ? 0x0f3a0b : 0x0f3a0a), d, a, a);
    emit8(e, host[mode] | (o->imm & 8 ? 0 : 8));
    emit_rr(e, ucomi(wide), W32, d, d);
    slow_jump(j, slow, emit_jcc(e, CC_P));
    slow_end(j, slow);
    return true;
}

bool fp_conv_op(jit *j, oryx_val v)
{
    if (!j->en->sse41)
        return false;
    switch (op_of(j, v)->op) {
    case ORYX_OP_FCVT: return between_formats(j, v);
    case ORYX_OP_ITOF: return from_int(j, v);
    case ORYX_OP_FTOI: return to_int(j, v);
    case ORYX_OP_FROUND: return integral(j, v);
    default: return false;
    }
}
