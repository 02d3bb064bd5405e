/* Vocabulary of the AdvSIMD and FP bodies: types by field, short names for the IR's vector
 * builders, register access.
 *
 * z is log2 of the element's bytes, q the full-width bit, p the precision bit (0 single, 1 double).
 * The invariant the bodies keep: an op that can set a sticky flag (effects E and Q of oryx_ir.def)
 * never sees lanes the instruction does not have, so Q = 0 forms work on V64 and scalar forms on
 * scalar types or masked vectors. */
#ifndef A64_SIMD_H
#define A64_SIMD_H

#include "a64_text.h"

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

enum {
    V64 = ORYX_T_V64,
    V128 = ORYX_T_V128,
    I8 = ORYX_T_I8,
    I16 = ORYX_T_I16,
    I32 = ORYX_T_I32,
    I64 = ORYX_T_I64,
    F32 = ORYX_T_F32,
    F64 = ORYX_T_F64
};

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

/* A vector constant: the low 8 << z bits of v in every lane. */
static inline oryx_val splat(a64_lift *l, unsigned type, unsigned z, uint64_t v)
{
    if (z < 3)
        v &= (UINT64_C(1) << (8u << z)) - 1;
    for (unsigned bits = 8u << z; bits < 64; bits *= 2)
        v |= v << bits;
    return oryx_vconst(l->ir, type, v, type == V128 ? v : 0);
}
static inline oryx_val zeros(a64_lift *l, unsigned type)
{
    return oryx_vconst(l->ir, type, 0, 0);
}
/* Every lane but number 0 cleared, as a V128: for scalar forms of ops that exist on V128 only. */
static inline oryx_val lane0(a64_lift *l, unsigned z, unsigned n)
{
    uint64_t mask = z < 3 ? (UINT64_C(1) << (8u << z)) - 1 : UINT64_MAX;
    return BIN(AND, V128, I64, a64_vreg(l, V128, n), oryx_vconst(l->ir, V128, mask, 0), 0);
}
/* The result of a narrowing op, lanes in the low half of the V128 v: the low half of Vd and zeros,
 * or (q) the high half beside Vd's low one. */
static inline void set_narrow(a64_lift *l, unsigned q, unsigned d, oryx_val v)
{
    if (q) {
        oryx_val high = UN(VLOW, V64, V128, v, 0);
        oryx_put(l->ir, V64, A64_OFF_V(d) + 8u, high);
    } else {
        a64_set_vreg(l, V128, d, v);
    }
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

/* The last argument of the FP helpers: how many lanes take part, log2 of their bytes. */
#define FP_LANES(count, z) ((count) << 4 | (z))

/* Multiply shapes shared by three different (a64_simd_three_diff.c) and by element. m: the second
 * factor, a V128; acc: 0, or the op that accumulates on Vd. */
void a64_mul_long(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc, unsigned is_signed);
void a64_qdmul_long(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc);
void a64_qdmul_long_scalar(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc);

/* a64_simd_by_element.c: SQRDMLAH, SQRDMLSH (op ADD, SUB) and the dot products; the results have
 * type vec(f->q). */
oryx_val a64_rdm(a64_lift *l, const a64_fields *f, oryx_val m, unsigned op);
void a64_rdm_scalar(a64_lift *l, const a64_fields *f, oryx_val m, unsigned op);
oryx_val a64_dot(a64_lift *l, const a64_fields *f, oryx_val m, unsigned is_signed);

#endif
