/* What AdvSIMD bodies of both frontends share: names of the IR's types and immediates, short forms of the builder, and
 * the shapes (arm_simd.c) that are several ops long.
 *
 * Included by a64_simd.h and neon.h. Every body's lift context is l, whose member ir is the builder's. */
#ifndef ARM_SIMD_H
#define ARM_SIMD_H

#include "oryx.h"

/* Bits of imm of the IR's integer vector ops. */
enum { SIGNED = 1, STICKY = 2, ROUND = 4, SATURATE = 8 };
enum { HIGH = 2 }; /* WIDEN, MULW, PMULW: the high half */
enum {
    CUT = 0,
    CUT_SS = 1 << 2 | STICKY,
    CUT_UU = 2 << 2 | STICKY,
    CUT_SU = 3 << 2 | STICKY
};                                    /* NARROW */
enum { SHIFT_ROUND = 0x100 };         /* SHRI, SARI */
enum { FI_EXACT = 8, FI_SIGNED = 8 }; /* FROUND; FTOI, ITOF */

/* IR of one op; every body's lift context is l. UN(op, type, lane, a, imm) and so on. */
#define UN(op, ...)  oryx_vun(l->ir, ORYX_OP_##op, __VA_ARGS__)
#define BIN(op, ...) oryx_vbin(l->ir, ORYX_OP_##op, __VA_ARGS__)
#define TRI(op, ...) oryx_vtri(l->ir, ORYX_OP_##op, __VA_ARGS__)

#define V64  ORYX_T_V64
#define V128 ORYX_T_V128
#define I8   ORYX_T_I8
#define I16  ORYX_T_I16
#define I32  ORYX_T_I32
#define I64  ORYX_T_I64
#define F32  ORYX_T_F32
#define F64  ORYX_T_F64

static inline unsigned vec(unsigned q)
{
    return q ? V128 : V64;
}
static inline unsigned lane(unsigned z)
{
    return I8 + z;
}
static inline unsigned flane(unsigned p)
{
    return F32 + p;
}
static inline unsigned lane_count(unsigned q, unsigned z)
{
    return (q ? 16u : 8u) >> z;
}

/* The low 8 << z bits of v in every lane of a 64-bit half. */
static inline uint64_t arm_replicate(unsigned z, uint64_t v)
{
    if (z < 3)
        v &= (UINT64_C(1) << (8u << z)) - 1;
    for (unsigned bits = 8u << z; bits < 64; bits *= 2)
        v |= v << bits;
    return v;
}

/* VFPExpandImm: imm8 as the bits of a single (p = 0) or double. */
static inline uint64_t a64_expand_fp_imm(unsigned p, uint32_t imm8)
{
    uint64_t sign = imm8 >> 7, b = imm8 >> 6 & 1, low = imm8 & 63;
    if (p)
        return sign << 63 | (b ? UINT64_C(0xff) : UINT64_C(0x100)) << 54 | low << 48;
    return sign << 31 | (b ? UINT64_C(0x1f) : UINT64_C(0x20)) << 25 | low << 19;
}

/* The same for half precision. */
static inline uint64_t a64_expand_fp16_imm(uint32_t imm8)
{
    uint64_t b = imm8 >> 6 & 1;
    return (uint64_t)(imm8 >> 7) << 15 | (b ? 3u : 4u) << 12 | (uint64_t)(imm8 & 63) << 6;
}

/* arm_simd.c. Values are V128 unless t or q says otherwise. */
oryx_val arm_rdm_half(oryx_ir *ir, unsigned z, oryx_val d, oryx_val n, oryx_val m, unsigned op, unsigned half);
oryx_val arm_rdm(oryx_ir *ir, unsigned q, unsigned z, oryx_val d, oryx_val n, oryx_val m, unsigned op); /* a vec(q) */
/* Sums of four byte products added to each 32-bit lane of d; a vec(q). */
oryx_val arm_dot(oryx_ir *ir, unsigned q, oryx_val d, oryx_val n, oryx_val m, unsigned is_signed);
/* Sums of neighbours, twice as wide. */
oryx_val arm_add_long_pairs(oryx_ir *ir, unsigned t, unsigned z, oryx_val n, unsigned is_signed);
oryx_val arm_swap_pairs(oryx_ir *ir, unsigned t, unsigned z, oryx_val v);
/* FPNeg of the real lanes, the imaginary ones, or both. */
oryx_val arm_negate_parts(oryx_ir *ir, unsigned t, unsigned z, oryx_val v, unsigned real, unsigned imaginary);
/* FCMLA's factors for a rotation by 90 * rotation degrees; the sum is a fused multiply-add of them. */
void arm_complex_factors(oryx_ir *ir, unsigned t, unsigned z, unsigned rotation, oryx_val *n, oryx_val *m);
oryx_val arm_rotate(oryx_ir *ir, unsigned ln, oryx_val v, unsigned n); /* lanes of 32 or 64 bits, right */
oryx_val arm_sha1su0(oryx_ir *ir, oryx_val d, oryx_val n, oryx_val m);
oryx_val arm_sha1su1(oryx_ir *ir, oryx_val d, oryx_val n);
oryx_val arm_sha256su0(oryx_ir *ir, oryx_val d, oryx_val n);
oryx_val arm_sha256su1(oryx_ir *ir, oryx_val d, oryx_val n, oryx_val m);

/* The last argument of the FP helpers: how many lanes take part, log2 of their bytes. */
#define FP_LANES(count, z) ((count) << 4 | (z))

#endif
