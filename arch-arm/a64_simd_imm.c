/* AdvSIMD modified immediate (DDI 0487, C4.1 "Advanced SIMD modified immediate"; AdvSIMDExpandImm;
 * C7.2).
 *
 * Called by the decoder, one body a row. Invariant: the immediate is one VCONST, so nothing is left
 * to run time. */
#include "a64_simd.h"

static void move(a64_lift *l, const a64_fields *f, unsigned z, uint64_t v)
{
    a64_set_vreg(l, vec(f->q), f->d, splat(l, vec(f->q), z, v));
}

/* ORR, BIC. */
static void combine(a64_lift *l, const a64_fields *f, unsigned op, unsigned z, uint64_t v)
{
    unsigned t = vec(f->q);
    oryx_val d = a64_vreg(l, t, f->d);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, lane(z), d, splat(l, t, z, v), 0));
}

/* The immediate shifted left by 8 or 16 with ones behind it. */
static uint32_t ones(const a64_fields *f)
{
    return f->s ? f->i << 16 | 0xffff : f->i << 8 | 0xff;
}

ORYX_INSN(MOVI_32, "0q00111100000iii0ss001iiiiiddddd",
          "movi\t%v(2,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    move(l, f, 2, f->i << 8 * f->s);
}

ORYX_INSN(ORR_32i, "0q00111100000iii0ss101iiiiiddddd",
          "orr\t%v(2,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    combine(l, f, ORYX_OP_OR, 2, f->i << 8 * f->s);
}

ORYX_INSN(MOVI_16, "0q00111100000iii10s001iiiiiddddd",
          "movi\t%v(1,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    move(l, f, 1, f->i << 8 * f->s);
}

ORYX_INSN(ORR_16i, "0q00111100000iii10s101iiiiiddddd",
          "orr\t%v(1,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    combine(l, f, ORYX_OP_OR, 1, f->i << 8 * f->s);
}

ORYX_INSN(MOVI_msl, "0q00111100000iii110s01iiiiiddddd",
          "movi\t%v(2,q,d), #%hex(i), msl #%u(8+8*s)", SIMD)
{
    move(l, f, 2, ones(f));
}

ORYX_INSN(MOVI_8, "0q00111100000iii111001iiiiiddddd", "movi\t%v(0,q,d), #%hex(i)", SIMD)
{
    move(l, f, 0, f->i);
}

ORYX_INSN(FMOV_vS, "0q00111100000iii111101iiiiiddddd", "fmov\t%v(2,q,d), #%fimm(i)", SIMD)
{
    move(l, f, 2, a64_expand_fp_imm(0, f->i));
}

ORYX_INSN(MVNI_32, "0q10111100000iii0ss001iiiiiddddd",
          "mvni\t%v(2,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    move(l, f, 2, ~(uint64_t)(f->i << 8 * f->s));
}

ORYX_INSN(BIC_32i, "0q10111100000iii0ss101iiiiiddddd",
          "bic\t%v(2,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    combine(l, f, ORYX_OP_ANDN, 2, f->i << 8 * f->s);
}

ORYX_INSN(MVNI_16, "0q10111100000iii10s001iiiiiddddd",
          "mvni\t%v(1,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    move(l, f, 1, ~(uint64_t)(f->i << 8 * f->s));
}

ORYX_INSN(BIC_16i, "0q10111100000iii10s101iiiiiddddd",
          "bic\t%v(1,q,d), #%hex(i)%?(s){, lsl #%u(8*s)}", SIMD)
{
    combine(l, f, ORYX_OP_ANDN, 1, f->i << 8 * f->s);
}

ORYX_INSN(MVNI_msl, "0q10111100000iii110s01iiiiiddddd",
          "mvni\t%v(2,q,d), #%hex(i), msl #%u(8+8*s)", SIMD)
{
    move(l, f, 2, ~(uint64_t)ones(f));
}

ORYX_INSN(MOVI_D, "0010111100000iii111001iiiiiddddd",
          "movi\t%fp(3,d), #%hex(a64_byte_mask(i))", SIMD)
{
    move(l, f, 3, a64_byte_mask(f->i));
}

ORYX_INSN(MOVI_2D, "0110111100000iii111001iiiiiddddd",
          "movi\t%v(3,1,d), #%hex(a64_byte_mask(i))", SIMD)
{
    a64_set_vreg(l, V128, f->d, splat(l, V128, 3, a64_byte_mask(f->i)));
}

ORYX_INSN(FMOV_v2D, "0110111100000iii111101iiiiiddddd", "fmov\t%v(3,1,d), #%fimm(i)", SIMD)
{
    a64_set_vreg(l, V128, f->d, splat(l, V128, 3, a64_expand_fp_imm(1, f->i)));
}
