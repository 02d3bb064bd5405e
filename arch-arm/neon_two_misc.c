/* AdvSIMD two registers, miscellaneous (DDI 0406C A7.4.5; DDI 0487 F4.1 "Advanced SIMD two registers misc").
 *
 * Called through the decode tables. Invariant: Q = 0 works on V64, so lanes the instruction does not have raise no flag. */
#include "neon.h"

static void unary(a32_lift *l, const a32_fields *f, unsigned op, unsigned ln, uint64_t imm)
{
    neon_set(l, f->q, f->d, oryx_vun(l->ir, op, vec(f->q), ln, neon_get(l, f->q, f->m), imm));
}

static oryx_val negated(a32_lift *l, const a32_fields *f, oryx_val v)
{
    unsigned t = vec(f->q);
    return BIN(QSUB, t, lane(f->z), oryx_vconst(l->ir, t, 0, 0), v, SIGNED | STICKY);
}

static void fp_unary(a32_lift *l, const a32_fields *f, unsigned op, unsigned mode)
{
    neon_set(l, f->q, f->d, neon_fp(l, f->q, op, mode, 0, neon_get(l, f->q, f->m), 0, 0));
}

/* swap: zero compared with Vm, for LE and LT. */
static void compare_zero(a32_lift *l, const a32_fields *f, unsigned op, unsigned swap)
{
    oryx_val m = neon_get(l, f->q, f->m), zero = oryx_vconst(l->ir, vec(f->q), 0, 0);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, op, 0, 0, swap ? zero : m, swap ? m : zero, 0));
}

static void set_both(a32_lift *l, const a32_fields *f, oryx_val d, oryx_val m)
{
    neon_set(l, f->q, f->m, m);
    neon_set(l, f->q, f->d, d);
}

/* Both registers from both; of the same register twice, which is UNKNOWN, Vd's value stays. */
static void permute(a32_lift *l, const a32_fields *f, unsigned op_d, unsigned op_m)
{
    unsigned t = vec(f->q), ln = lane(f->z);
    oryx_val d = neon_get(l, f->q, f->d), m = neon_get(l, f->q, f->m);
    oryx_val new_d = oryx_vbin(l->ir, op_d, t, ln, d, m, 0);
    set_both(l, f, new_d, oryx_vbin(l->ir, op_m, t, ln, d, m, 0));
}

static void narrow(a32_lift *l, const a32_fields *f, unsigned how)
{
    oryx_val v = UN(NARROW, V128, lane(f->z), neon_get(l, 1, f->m), how);
    neon_set(l, 0, f->d, UN(VLOW, V64, V128, v, 0));
}

static void estimate(a32_lift *l, const a32_fields *f, unsigned op, unsigned helper)
{
    if (f->f) {
        fp_unary(l, f, op, 0);
        return;
    }
    oryx_val args[2] = { neon_wide(l, f->q, f->m), a32_imm(l, FP_LANES(f->q ? 4 : 2, 2)) };
    neon_set(l, f->q, f->d, neon_narrow_value(l, f->q, vfp_call(l, helper, V128, args, 2)));
}

ORYX_INSN(VREV64, "111100111d11zz00dddd00000qm0mmmm",
          "[z < 3] vrev64%c().%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_VREV, lane(f->z), 64);
}

ORYX_INSN(VREV32, "111100111d11zz00dddd00001qm0mmmm",
          "[z < 2] vrev32%c().%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_VREV, lane(f->z), 32);
}

ORYX_INSN(VREV16, "111100111d11zz00dddd00010qm0mmmm",
          "[z < 1] vrev16%c().%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_VREV, lane(f->z), 16);
}

ORYX_INSN(VPADDL, "111100111d11zz00dddd0010uqm0mmmm",
          "[z < 3] vpaddl%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    neon_set(l, f->q, f->d, arm_add_long_pairs(l->ir, vec(f->q), f->z, neon_get(l, f->q, f->m), !f->u));
}

ORYX_INSN(VPADAL, "111100111d11zz00dddd0110uqm0mmmm",
          "[z < 3] vpadal%c().%?(u){u}{s}%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unsigned t = vec(f->q);
    oryx_val v = arm_add_long_pairs(l->ir, t, f->z, neon_get(l, f->q, f->m), !f->u);
    neon_set(l, f->q, f->d, BIN(ADD, t, lane(f->z + 1), neon_get(l, f->q, f->d), v, 0));
}

ORYX_INSN(VCLS, "111100111d11zz00dddd01000qm0mmmm",
          "[z < 3] vcls%c().s%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_CLS, lane(f->z), 0);
}

ORYX_INSN(VCLZ, "111100111d11zz00dddd01001qm0mmmm",
          "[z < 3] vclz%c().i%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_CLZ, lane(f->z), 0);
}

ORYX_INSN(VCNT, "111100111d110000dddd01010qm0mmmm",
          "vcnt%c().8\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_POPCNT, lane(f->z), 0);
}

ORYX_INSN(VMVN_reg, "111100111d110000dddd01011qm0mmmm",
          "vmvn%c()\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_NOT, I64, 0);
}

ORYX_INSN(VQABS, "111100111d11zz00dddd01110qm0mmmm",
          "[z < 3] vqabs%c().s%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    oryx_val m = neon_get(l, f->q, f->m), minus = negated(l, f, m);
    neon_set(l, f->q, f->d, BIN(MAXS, vec(f->q), lane(f->z), m, minus, 0));
}

ORYX_INSN(VQNEG, "111100111d11zz00dddd01111qm0mmmm",
          "[z < 3] vqneg%c().s%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    neon_set(l, f->q, f->d, negated(l, f, neon_get(l, f->q, f->m)));
}

ORYX_INSN(VCGT_0, "111100111d11zz01dddd00000qm0mmmm",
          "[z < 3] vcgt%c().s%u(8 << z)\t%v(q, d), %v(q, m), #0", NEON)
{
    unsigned t = vec(f->q);
    neon_set(l, f->q, f->d, BIN(VCMP, t, lane(f->z), neon_get(l, f->q, f->m), oryx_vconst(l->ir, t, 0, 0), ORYX_CC_GTS));
}

ORYX_INSN(VCGT_0_f, "111100111d111001dddd01000qm0mmmm",
          "vcgt%c().f32\t%v(q, d), %v(q, m), #0", NEON)
{
    compare_zero(l, f, H_CMGT, 0);
}

ORYX_INSN(VCGE_0, "111100111d11zz01dddd00001qm0mmmm",
          "[z < 3] vcge%c().s%u(8 << z)\t%v(q, d), %v(q, m), #0", NEON)
{
    unsigned t = vec(f->q);
    neon_set(l, f->q, f->d, BIN(VCMP, t, lane(f->z), neon_get(l, f->q, f->m), oryx_vconst(l->ir, t, 0, 0), ORYX_CC_GES));
}

ORYX_INSN(VCGE_0_f, "111100111d111001dddd01001qm0mmmm",
          "vcge%c().f32\t%v(q, d), %v(q, m), #0", NEON)
{
    compare_zero(l, f, H_CMGE, 0);
}

ORYX_INSN(VCEQ_0, "111100111d11zz01dddd00010qm0mmmm",
          "[z < 3] vceq%c().i%u(8 << z)\t%v(q, d), %v(q, m), #0", NEON)
{
    unsigned t = vec(f->q);
    neon_set(l, f->q, f->d, BIN(VCMP, t, lane(f->z), neon_get(l, f->q, f->m), oryx_vconst(l->ir, t, 0, 0), ORYX_CC_EQ));
}

ORYX_INSN(VCEQ_0_f, "111100111d111001dddd01010qm0mmmm",
          "vceq%c().f32\t%v(q, d), %v(q, m), #0", NEON)
{
    compare_zero(l, f, H_CMEQ, 0);
}

ORYX_INSN(VCLE_0, "111100111d11zz01dddd00011qm0mmmm",
          "[z < 3] vcle%c().s%u(8 << z)\t%v(q, d), %v(q, m), #0", NEON)
{
    unsigned t = vec(f->q);
    neon_set(l, f->q, f->d, BIN(VCMP, t, lane(f->z), neon_get(l, f->q, f->m), oryx_vconst(l->ir, t, 0, 0), ORYX_CC_LES));
}

ORYX_INSN(VCLE_0_f, "111100111d111001dddd01011qm0mmmm",
          "vcle%c().f32\t%v(q, d), %v(q, m), #0", NEON)
{
    compare_zero(l, f, H_CMGE, 1);
}

ORYX_INSN(VCLT_0, "111100111d11zz01dddd00100qm0mmmm",
          "[z < 3] vclt%c().s%u(8 << z)\t%v(q, d), %v(q, m), #0", NEON)
{
    unsigned t = vec(f->q);
    neon_set(l, f->q, f->d, BIN(VCMP, t, lane(f->z), neon_get(l, f->q, f->m), oryx_vconst(l->ir, t, 0, 0), ORYX_CC_LTS));
}

ORYX_INSN(VCLT_0_f, "111100111d111001dddd01100qm0mmmm",
          "vclt%c().f32\t%v(q, d), %v(q, m), #0", NEON)
{
    compare_zero(l, f, H_CMGT, 1);
}

ORYX_INSN(VABS_int, "111100111d11zz01dddd00110qm0mmmm",
          "[z < 3] vabs%c().s%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_ABS, lane(f->z), 0);
}

ORYX_INSN(VNEG_int, "111100111d11zz01dddd00111qm0mmmm",
          "[z < 3] vneg%c().s%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_NEG, lane(f->z), 0);
}

ORYX_INSN(VABS_v, "111100111d111001dddd01110qm0mmmm",
          "vabs%c().f32\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_FABS, F32, 0);
}

ORYX_INSN(VNEG_v, "111100111d111001dddd01111qm0mmmm",
          "vneg%c().f32\t%v(q, d), %v(q, m)", NEON)
{
    unary(l, f, ORYX_OP_FNEG, F32, 0);
}

ORYX_INSN(VSWP, "111100111d110010dddd00000qm0mmmm",
          "vswp%c()\t%v(q, d), %v(q, m)", NEON)
{
    oryx_val d = neon_get(l, f->q, f->d), m = neon_get(l, f->q, f->m);
    set_both(l, f, m, d);
}

ORYX_INSN(VTRN, "111100111d11zz10dddd00001qm0mmmm",
          "[z < 3] vtrn%c().%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    permute(l, f, ORYX_OP_TRN1, ORYX_OP_TRN2);
}

ORYX_INSN(VUZP, "111100111d11zz10dddd00010qm0mmmm",
          "[z < 2 || (z == 2 && q)] vuzp%c().%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    permute(l, f, ORYX_OP_UZP1, ORYX_OP_UZP2);
}

ORYX_INSN(VZIP, "111100111d11zz10dddd00011qm0mmmm",
          "[z < 2 || (z == 2 && q)] vzip%c().%u(8 << z)\t%v(q, d), %v(q, m)", NEON)
{
    permute(l, f, ORYX_OP_ZIP1, ORYX_OP_ZIP2);
}

ORYX_INSN(VMOVN, "111100111d11zz10dddd001000m0mmmm",
          "[z < 3] vmovn%c().i%u(16 << z)\t%v(0, d), %v(1, m)", NEON)
{
    narrow(l, f, CUT);
}

ORYX_INSN(VQMOVUN, "111100111d11zz10dddd001001m0mmmm",
          "[z < 3] vqmovun%c().s%u(16 << z)\t%v(0, d), %v(1, m)", NEON)
{
    narrow(l, f, CUT_SU);
}

ORYX_INSN(VQMOVN, "111100111d11zz10dddd00101um0mmmm",
          "[z < 3] vqmovn%c().%?(u){u}{s}%u(16 << z)\t%v(0, d), %v(1, m)", NEON)
{
    narrow(l, f, f->u ? CUT_UU : CUT_SS);
}

ORYX_INSN(VSHLL_max, "111100111d11zz10dddd001100m0mmmm",
          "[z < 3] vshll%c().i%u(8 << z)\t%v(1, d), %v(0, m), #%u(8 << z)", NEON)
{
    oryx_val v = UN(WIDEN, V128, lane(f->z), neon_wide(l, 0, f->m), 0);
    neon_set(l, 1, f->d, UN(SHLI, V128, lane(f->z + 1), v, 8u << f->z));
}

ORYX_INSN(VRINTN_v, "111100111d111010dddd01000qm0mmmm",
          "vrintn.f32\t%v(q, d), %v(q, m)", V8FP)
{
    fp_unary(l, f, H_ROUND, ORYX_RM_NEAREST);
}

ORYX_INSN(VRINTX_v, "111100111d111010dddd01001qm0mmmm",
          "vrintx.f32\t%v(q, d), %v(q, m)", V8FP)
{
    fp_unary(l, f, H_ROUND, ORYX_RM_NEAREST | H_EXACT);
}

ORYX_INSN(VRINTA_v, "111100111d111010dddd01010qm0mmmm",
          "vrinta.f32\t%v(q, d), %v(q, m)", V8FP)
{
    fp_unary(l, f, H_ROUND, ORYX_RM_AWAY);
}

ORYX_INSN(VRINTZ_v, "111100111d111010dddd01011qm0mmmm",
          "vrintz.f32\t%v(q, d), %v(q, m)", V8FP)
{
    fp_unary(l, f, H_ROUND, ORYX_RM_ZERO);
}

ORYX_INSN(VRINTM_v, "111100111d111010dddd01101qm0mmmm",
          "vrintm.f32\t%v(q, d), %v(q, m)", V8FP)
{
    fp_unary(l, f, H_ROUND, ORYX_RM_DOWN);
}

ORYX_INSN(VRINTP_v, "111100111d111010dddd01111qm0mmmm",
          "vrintp.f32\t%v(q, d), %v(q, m)", V8FP)
{
    fp_unary(l, f, H_ROUND, ORYX_RM_UP);
}

ORYX_INSN(VCVT_rm_v, "111100111d111011dddd00rruqm0mmmm",
          "vcvt%pick(r, \"a n p m\").%?(u){u}{s}32.f32\t%v(q, d), %v(q, m)", V8FP)
{
    static const uint8_t modes[4] = { ORYX_RM_AWAY, ORYX_RM_NEAREST, ORYX_RM_UP, ORYX_RM_DOWN };
    fp_unary(l, f, H_TOINT, modes[f->r] | (f->u ? 0 : H_SIGNED));
}

ORYX_INSN(VCVT_half, "111100111d110110dddd011000m0mmmm",
          "vcvt%c().f16.f32\t%v(0, d), %v(1, m)", HALF)
{
    oryx_val v = vfp_call(l, A32_HELPER_neon_to_half, I64, (oryx_val[1]){ neon_get(l, 1, f->m) }, 1);
    neon_set(l, 0, f->d, UN(BITCAST, V64, I64, v, 0));
}

ORYX_INSN(VCVT_single, "111100111d110110dddd011100m0mmmm",
          "vcvt%c().f32.f16\t%v(1, d), %v(0, m)", HALF)
{
    oryx_val m = UN(BITCAST, I64, V64, neon_get(l, 0, f->m), 0);
    neon_set(l, 1, f->d, vfp_call(l, A32_HELPER_neon_from_half, V128, &m, 1));
}

ORYX_INSN(VRECPE, "111100111d111011dddd010f0qm0mmmm",
          "vrecpe%c().%?(f){f}{u}32\t%v(q, d), %v(q, m)", NEON)
{
    estimate(l, f, N_RECPE, A32_HELPER_urecpe);
}

ORYX_INSN(VRSQRTE, "111100111d111011dddd010f1qm0mmmm",
          "vrsqrte%c().%?(f){f}{u}32\t%v(q, d), %v(q, m)", NEON)
{
    estimate(l, f, N_RSQRTE, A32_HELPER_ursqrte);
}

ORYX_INSN(VCVT_from_int_v, "111100111d111011dddd0110uqm0mmmm",
          "vcvt%c().f32.%?(u){u}{s}32\t%v(q, d), %v(q, m)", NEON)
{
    fp_unary(l, f, H_FROMINT, f->u ? 0 : H_SIGNED);
}

ORYX_INSN(VCVT_to_int_v, "111100111d111011dddd0111uqm0mmmm",
          "vcvt%c().%?(u){u}{s}32.f32\t%v(q, d), %v(q, m)", NEON)
{
    fp_unary(l, f, H_TOINT, ORYX_RM_ZERO | (f->u ? 0 : H_SIGNED));
}
