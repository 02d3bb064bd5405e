/* What the vector and floating-point emitters share: three-operand SSE/AVX forms, constants of the frame, the way out to a
 * reference function. A file that includes it owns no state; the functions are in fp.c. */
#ifndef X64_SIMD_H
#define X64_SIMD_H

#include "x64.h"

#define P66(op) (OP_66 | (op))

/* VEX prefix and opcode byte for an opcode in the notation of emit.h. */
static inline void vex_opcode(emit *e, unsigned op, unsigned w, unsigned reg, unsigned vvvv, unsigned rm)
{
    unsigned prefix = op >> 24, pp = prefix == 0x66 ? 1 : prefix == 0xf3 ? 2 : prefix == 0xf2 ? 3 : 0;
    unsigned lead = op >> 8 & 0xffff, map = lead == 0x0f ? 1 : lead == 0x0f38 ? 2 : 3;
    if (map == 1 && !(w & W64) && !(rm & 8)) {
        emit8(e, 0xc5);
        emit8(e, (~reg & 8) << 4 | (~vvvv & 15) << 3 | pp);
    } else {
        emit8(e, 0xc4);
        emit8(e, (~reg & 8) << 4 | 0x40 | (~rm & 8) << 2 | map);
        emit8(e, (w & W64 ? 0x80u : 0u) | (~vvvv & 15) << 3 | pp);
    }
    emit8(e, op & 0xff);
}

static inline void vex_rr(emit *e, unsigned op, unsigned w, unsigned reg, unsigned vvvv, unsigned rm)
{
    vex_opcode(e, op, w, reg, vvvv, rm);
    emit8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* [SB + disp] */
static inline void vex_rm(emit *e, unsigned op, unsigned w, unsigned reg, unsigned vvvv, int32_t disp)
{
    vex_opcode(e, op, w, reg, vvvv, SB);
    emit8(e, 0x80 | (reg & 7) << 3 | (SB & 7));
    emit32(e, (uint32_t)disp);
}

static inline void x_mov(emit *e, unsigned d, unsigned s)
{
    if (d != s)
        emit_rr(e, 0x0f28, W32, d, s);
}

/* d = a op b. Without AVX d must not be b (a fresh register never is) unless a is d too. */
static inline void x3(jit *j, unsigned op, unsigned d, unsigned a, unsigned b)
{
    if (j->en->avx) {
        vex_rr(&j->e, op, W32, d, a, b);
    } else {
        x_mov(&j->e, d, a);
        emit_rr(&j->e, op, W32, d, b);
    }
}

/* d = a op constant k of the frame. */
#define KONST(j, k) (FRAME_DISP(j, konst) + (int32_t)(k) * 16)
static inline void x3k(jit *j, unsigned op, unsigned d, unsigned a, unsigned k)
{
    if (j->en->avx) {
        vex_rm(&j->e, op, W32, d, a, KONST(j, k));
    } else {
        x_mov(&j->e, d, a);
        emit_rm(&j->e, op, W32, d, SB, KONST(j, k));
    }
}

/* d = op s, with a false dependency on d only where the encoding has one. */
static inline void x2(jit *j, unsigned op, unsigned d, unsigned s)
{
    emit_rr(&j->e, op, W32, d, s);
}

/* The environment is the one native arithmetic needs: to nearest, nothing flushed. */
static inline bool fp_simple(const jit *j)
{
    return (j->ir->fp.rounding | j->ir->fp.flush_in | j->ir->fp.flush_out) == 0;
}

/* NaNs are quiet with their top bit clear: the host takes them for signalling ones. Whatever makes the host raise INVALID then has a
 * NaN (or, of a conversion, the integer that stands for none) as its result, so the way out of line decides the flag from the operands
 * and clears the host's: MXCSR never has it in between. Scalars only. */
static inline bool fp_legacy(const jit *j)
{
    return j->ir->fp.nan_rule == ORYX_NAN_MIPS;
}

/* fp.c: op v may leave the fast way. Each jump to the slow way is given to slow_jump, in any order; slow_end is called when the
 * fast way's last instruction is emitted. The n operands are in registers and keep their values up to there. */
uint32_t fp_flags_of(uint32_t mxcsr);
uint32_t slow_begin(jit *j, oryx_val v, unsigned n);
void slow_jump(jit *j, uint32_t slow, uint32_t from);
void slow_end(jit *j, uint32_t slow);

/* vec.c: any constant into XMM d; vec_int.c, vec_shuffle.c: what one instruction does not do. */
void vec_literal(jit *j, unsigned d, uint64_t lo, uint64_t hi);
bool vec_int_op(jit *j, oryx_val v, int lane);
bool vec_shuffle_op(jit *j, oryx_val v, int lane);
/* fp_cmp.c */
bool fcmp_op(jit *j, oryx_val v);
/* fp_conv.c */
bool fp_conv_op(jit *j, oryx_val v);
/* fp_vec.c: v64 and v128 of f32 and f64. */
bool fp_vec_op(jit *j, oryx_val v);

#endif
