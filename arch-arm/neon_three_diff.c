/* AdvSIMD three registers of different lengths, and two registers and a scalar (DDI 0406C A7.4.2, A7.4.3; DDI 0487 F4.1).
 *
 * Called through the decode tables. Invariant: doubleword operands are the low half of a V128 whose high half is zero, so
 * widening ops see no lane the instruction lacks. */
#include "neon_shapes.h"

/* VADDL: both operands widened; w, VADDW: Vm only. */
static void long_op(a32_lift *l, const a32_fields *f, unsigned op, unsigned w)
{
    unsigned is_signed = f->u ? 0 : SIGNED;
    oryx_val m = UN(WIDEN, V128, lane(f->z), neon_wide(l, 0, f->m), is_signed);
    oryx_val n = w ? neon_get(l, 1, N(f)) : UN(WIDEN, V128, lane(f->z), neon_wide(l, 0, N(f)), is_signed);
    neon_set(l, 1, f->d, oryx_vbin(l->ir, op, V128, lane(f->z + 1), n, m, 0));
}

/* The high half of each sum; u adds half a unit of it first. */
static void high_narrow(a32_lift *l, const a32_fields *f, unsigned op)
{
    oryx_val n = neon_get(l, 1, N(f)), m = neon_get(l, 1, f->m);
    oryx_val sum = oryx_vbin(l->ir, op, V128, lane(f->z + 1), n, m, 0);
    oryx_val high = UN(SHRI, V128, lane(f->z + 1), sum, (8u << f->z) | (f->u ? SHIFT_ROUND : 0));
    neon_set(l, 0, f->d, UN(VLOW, V64, V128, UN(NARROW, V128, lane(f->z), high, CUT), 0));
}

/* |Vn - Vm| fits its own width without sign, so it is widened afterwards. */
static oryx_val abs_diff(a32_lift *l, const a32_fields *f)
{
    oryx_val n = neon_wide(l, 0, N(f)), m = neon_wide(l, 0, f->m);
    return UN(WIDEN, V128, lane(f->z), BIN(ABSD, V128, lane(f->z), n, m, f->u ? 0 : SIGNED), 0);
}

static void set_acc(a32_lift *l, const a32_fields *f, unsigned op, oryx_val v)
{
    neon_set(l, 1, f->d, oryx_vbin(l->ir, op, V128, lane(f->z + 1), neon_get(l, 1, f->d), v, 0));
}

void neon_mul_long(a32_lift *l, const a32_fields *f, oryx_val m, unsigned acc, unsigned is_signed)
{
    oryx_val v = BIN(MULW, V128, lane(f->z), neon_wide(l, 0, N(f)), m, is_signed);
    if (acc)
        set_acc(l, f, acc, v);
    else
        neon_set(l, 1, f->d, v);
}

/* 2 * n * m saturated, then perhaps accumulated with saturation: two chances to set QC. */
void neon_qdmul_long(a32_lift *l, const a32_fields *f, oryx_val m, unsigned acc)
{
    unsigned w = lane(f->z + 1);
    oryx_val v = BIN(MULW, V128, lane(f->z), neon_wide(l, 0, N(f)), m, SIGNED);
    v = BIN(QADD, V128, w, v, v, SIGNED | STICKY);
    if (acc)
        v = oryx_vbin(l->ir, acc, V128, w, neon_get(l, 1, f->d), v, SIGNED | STICKY);
    neon_set(l, 1, f->d, v);
}

void neon_rdm(a32_lift *l, const a32_fields *f, oryx_val m, unsigned op)
{
    oryx_val d = neon_wide(l, f->q, f->d), n = neon_wide(l, f->q, N(f));
    neon_set(l, f->q, f->d, arm_rdm(l->ir, f->q, f->z, d, n, m, op));
}

static void poly_long(a32_lift *l, const a32_fields *f, unsigned ln)
{
    oryx_val n = neon_wide(l, 0, N(f));
    neon_set(l, 1, f->d, BIN(PMULW, V128, ln, n, neon_wide(l, 0, f->m), 0));
}

/* --- Three registers of different lengths -------------------------------------------------------------------------- */

ORYX_INSN(VADDL, "1111001u1dzznnnndddd0000n0m0mmmm",
          "[z < 3] vaddl%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    long_op(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(VADDW, "1111001u1dzznnnndddd0001n0m0mmmm",
          "[z < 3] vaddw%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(1, vfp_n(1, n)), %v(0, m)", NEON)
{
    long_op(l, f, ORYX_OP_ADD, 1);
}

ORYX_INSN(VSUBL, "1111001u1dzznnnndddd0010n0m0mmmm",
          "[z < 3] vsubl%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    long_op(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(VSUBW, "1111001u1dzznnnndddd0011n0m0mmmm",
          "[z < 3] vsubw%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(1, vfp_n(1, n)), %v(0, m)", NEON)
{
    long_op(l, f, ORYX_OP_SUB, 1);
}

ORYX_INSN(VADDHN, "1111001u1dzznnnndddd0100n0m0mmmm",
          "[z < 3] v%?(u){r}addhn%c().i%u(16 << z)\t%v(0, d), %v(1, vfp_n(1, n)), %v(1, m)", NEON)
{
    high_narrow(l, f, ORYX_OP_ADD);
}

ORYX_INSN(VABAL, "1111001u1dzznnnndddd0101n0m0mmmm",
          "[z < 3] vabal%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    set_acc(l, f, ORYX_OP_ADD, abs_diff(l, f));
}

ORYX_INSN(VSUBHN, "1111001u1dzznnnndddd0110n0m0mmmm",
          "[z < 3] v%?(u){r}subhn%c().i%u(16 << z)\t%v(0, d), %v(1, vfp_n(1, n)), %v(1, m)", NEON)
{
    high_narrow(l, f, ORYX_OP_SUB);
}

ORYX_INSN(VABDL, "1111001u1dzznnnndddd0111n0m0mmmm",
          "[z < 3] vabdl%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_set(l, 1, f->d, abs_diff(l, f));
}

ORYX_INSN(VMLAL, "1111001u1dzznnnndddd1000n0m0mmmm",
          "[z < 3] vmlal%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_mul_long(l, f, neon_wide(l, 0, f->m), ORYX_OP_ADD, f->u ? 0 : SIGNED);
}

ORYX_INSN(VQDMLAL, "111100101dzznnnndddd1001n0m0mmmm",
          "[z == 1 || z == 2] vqdmlal%c().s%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_qdmul_long(l, f, neon_wide(l, 0, f->m), ORYX_OP_QADD);
}

ORYX_INSN(VMLSL, "1111001u1dzznnnndddd1010n0m0mmmm",
          "[z < 3] vmlsl%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_mul_long(l, f, neon_wide(l, 0, f->m), ORYX_OP_SUB, f->u ? 0 : SIGNED);
}

ORYX_INSN(VQDMLSL, "111100101dzznnnndddd1011n0m0mmmm",
          "[z == 1 || z == 2] vqdmlsl%c().s%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_qdmul_long(l, f, neon_wide(l, 0, f->m), ORYX_OP_QSUB);
}

ORYX_INSN(VMULL, "1111001u1dzznnnndddd1100n0m0mmmm",
          "[z < 3] vmull%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_mul_long(l, f, neon_wide(l, 0, f->m), 0, f->u ? 0 : SIGNED);
}

ORYX_INSN(VQDMULL, "111100101dzznnnndddd1101n0m0mmmm",
          "[z == 1 || z == 2] vqdmull%c().s%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    neon_qdmul_long(l, f, neon_wide(l, 0, f->m), 0);
}

ORYX_INSN(VMULL_p8, "111100101d00nnnndddd1110n0m0mmmm",
          "vmull%c().p8\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", NEON)
{
    poly_long(l, f, I8);
}

ORYX_INSN(VMULL_p64, "111100101d10nnnndddd1110n0m0mmmm",
          "vmull%c().p64\t%v(1, d), %v(0, vfp_n(1, n)), %v(0, m)", AES)
{
    poly_long(l, f, I64);
}

/* --- Two registers and a scalar: D0-D7 by halfword, D0-D15 by word ------------------------------------------------------ */

/* The scalar in every lane of a V64, or (q) a V128. */
static oryx_val spread(a32_lift *l, const a32_fields *f, unsigned q)
{
    unsigned ln = lane(f->z), index = f->z == 1 ? f->m >> 3 : f->m >> 4;
    oryx_val v = UN(VGET, V64, ln, neon_get(l, 0, f->z == 1 ? f->m & 7 : f->m & 15), index);
    return UN(DUP, vec(q), ln, v, 0);
}

static void same_el(a32_lift *l, const a32_fields *f, unsigned op, uint64_t imm, unsigned acc)
{
    unsigned t = vec(f->q), ln = lane(f->z);
    oryx_val v = oryx_vbin(l->ir, op, t, ln, neon_get(l, f->q, N(f)), spread(l, f, f->q), imm);
    if (acc)
        v = oryx_vbin(l->ir, acc, t, ln, neon_get(l, f->q, f->d), v, 0);
    neon_set(l, f->q, f->d, v);
}

static void fp_el(a32_lift *l, const a32_fields *f, unsigned op)
{
    oryx_val n = neon_get(l, f->q, N(f)), d = op == H_MUL ? 0 : neon_get(l, f->q, f->d);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, op, 0, 0, n, spread(l, f, f->q), d));
}

ORYX_INSN(VMLA_el, "1111001q1dzznnnndddd0000n1m0mmmm",
          "[z == 1 || z == 2] vmla%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    same_el(l, f, ORYX_OP_MUL, 0, ORYX_OP_ADD);
}

ORYX_INSN(VMLA_el_f, "1111001q1dzznnnndddd0001n1m0mmmm",
          "[z == 2] vmla%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    fp_el(l, f, N_MLA);
}

ORYX_INSN(VMLAL_el, "1111001u1dzznnnndddd0010n1m0mmmm",
          "[z == 1 || z == 2] vmlal%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    neon_mul_long(l, f, spread(l, f, 1), ORYX_OP_ADD, f->u ? 0 : SIGNED);
}

ORYX_INSN(VQDMLAL_el, "111100101dzznnnndddd0011n1m0mmmm",
          "[z == 1 || z == 2] vqdmlal%c().s%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    neon_qdmul_long(l, f, spread(l, f, 1), ORYX_OP_QADD);
}

ORYX_INSN(VMLS_el, "1111001q1dzznnnndddd0100n1m0mmmm",
          "[z == 1 || z == 2] vmls%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    same_el(l, f, ORYX_OP_MUL, 0, ORYX_OP_SUB);
}

ORYX_INSN(VMLS_el_f, "1111001q1dzznnnndddd0101n1m0mmmm",
          "[z == 2] vmls%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    fp_el(l, f, N_MLS);
}

ORYX_INSN(VMLSL_el, "1111001u1dzznnnndddd0110n1m0mmmm",
          "[z == 1 || z == 2] vmlsl%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    neon_mul_long(l, f, spread(l, f, 1), ORYX_OP_SUB, f->u ? 0 : SIGNED);
}

ORYX_INSN(VQDMLSL_el, "111100101dzznnnndddd0111n1m0mmmm",
          "[z == 1 || z == 2] vqdmlsl%c().s%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    neon_qdmul_long(l, f, spread(l, f, 1), ORYX_OP_QSUB);
}

ORYX_INSN(VMUL_el, "1111001q1dzznnnndddd1000n1m0mmmm",
          "[z == 1 || z == 2] vmul%c().i%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    same_el(l, f, ORYX_OP_MUL, 0, 0);
}

ORYX_INSN(VMUL_el_f, "1111001q1dzznnnndddd1001n1m0mmmm",
          "[z == 2] vmul%c().f32\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    fp_el(l, f, H_MUL);
}

ORYX_INSN(VMULL_el, "1111001u1dzznnnndddd1010n1m0mmmm",
          "[z == 1 || z == 2] vmull%c().%?(u){u}{s}%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    neon_mul_long(l, f, spread(l, f, 1), 0, f->u ? 0 : SIGNED);
}

ORYX_INSN(VQDMULL_el, "111100101dzznnnndddd1011n1m0mmmm",
          "[z == 1 || z == 2] vqdmull%c().s%u(8 << z)\t%v(1, d), %v(0, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    neon_qdmul_long(l, f, spread(l, f, 1), 0);
}

ORYX_INSN(VQDMULH_el, "1111001q1dzznnnndddd1100n1m0mmmm",
          "[z == 1 || z == 2] vqdmulh%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    same_el(l, f, ORYX_OP_QDMULH, STICKY, 0);
}

ORYX_INSN(VQRDMULH_el, "1111001q1dzznnnndddd1101n1m0mmmm",
          "[z == 1 || z == 2] vqrdmulh%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", NEON)
{
    same_el(l, f, ORYX_OP_QDMULH, STICKY | ROUND, 0);
}

ORYX_INSN(VQRDMLAH_el, "1111001q1dzznnnndddd1110n1m0mmmm",
          "[z == 1 || z == 2] vqrdmlah%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", RDM)
{
    neon_rdm(l, f, spread(l, f, 1), ORYX_OP_ADD);
}

ORYX_INSN(VQRDMLSH_el, "1111001q1dzznnnndddd1111n1m0mmmm",
          "[z == 1 || z == 2] vqrdmlsh%c().s%u(8 << z)\t%v(q, d), %v(q, vfp_n(1, n)), %fp(1, z == 1 ? m & 7 : m & 15)[%u(z == 1 ? m >> 3 : m >> 4)]", RDM)
{
    neon_rdm(l, f, spread(l, f, 1), ORYX_OP_SUB);
}
