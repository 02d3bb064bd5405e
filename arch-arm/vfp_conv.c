/* VFP conversions: between formats, to and from integers and fixed point (DDI 0406C A8.8.305 to A8.8.309; DDI 0487 F6.1
 * VCVT...).
 *
 * Called through the decode tables. Invariant: conversions to fixed point truncate and those from it round to nearest,
 * whatever FPSCR says; those to integers name their rounding or take FPSCR's. */
#include "vfp.h"

ORYX_INSN(VCVT_precision, "cccc11101d110111dddd101p11m0mmmm",
          "vcvt%c().f%u(64 >> p).f%u(32 << p)\t%fp(!p, vfp_d(!p, d)), %fp(p, vfp_d(p, m))", VFP)
{
    vfp_data(l);
    oryx_val v = vfp_get(l, f->p, vfp_d(f->p, f->m));
    vfp_set(l, !f->p, vfp_d(!f->p, f->d), UN(FCVT, flane(!f->p), flane(f->p), v, 0));
}

/* Half number t of S(n). */
static oryx_val get_half(a32_lift *l, unsigned n, unsigned t)
{
    return oryx_get(l->ir, I16, A32_OFF_S(n) + 2 * t);
}

static void set_half(a32_lift *l, unsigned n, unsigned t, oryx_val v)
{
    oryx_put(l->ir, I16, A32_OFF_S(n) + 2 * t, v);
}

ORYX_INSN(VCVT_from_half, "cccc11101d110010dddd101pt1m0mmmm",
          "vcvt%?(t){t}{b}%c().f%u(32 << p).f16\t%fp(p, vfp_d(p, d)), %fp(0, vfp_d(0, m))", HALF)
{
    vfp_data(l);
    if (f->p && !(l->features & A32_FEAT_V8FP))
        l->refused = 1;
    vfp_set(l, f->p, vfp_d(f->p, f->d), UN(FCVT, flane(f->p), I16, get_half(l, vfp_d(0, f->m), f->t), 0));
}

ORYX_INSN(VCVT_to_half, "cccc11101d110011dddd101pt1m0mmmm",
          "vcvt%?(t){t}{b}%c().f16.f%u(32 << p)\t%fp(0, vfp_d(0, d)), %fp(p, vfp_d(p, m))", HALF)
{
    vfp_data(l);
    if (f->p && !(l->features & A32_FEAT_V8FP))
        l->refused = 1;
    set_half(l, vfp_d(0, f->d), f->t, UN(FCVT, I16, flane(f->p), vfp_get(l, f->p, vfp_d(f->p, f->m)), 0));
}

/* --- Integers --------------------------------------------------------------------------------------------------------- */

static void to_int(a32_lift *l, const a32_fields *f, unsigned rounding, unsigned is_signed)
{
    vfp_data(l);
    oryx_val v = vfp_get(l, f->p, vfp_d(f->p, f->m));
    vfp_set_bits(l, 0, vfp_d(0, f->d), UN(FTOI, I32, flane(f->p), v, rounding | (is_signed ? FI_SIGNED : 0)));
}

/* s: signed, z: towards zero. */
ORYX_INSN(VCVT_to_int, "cccc11101d11110sdddd101pz1m0mmmm",
          "vcvt%?(z){}{r}%c().%?(s){s}{u}32.f%u(32 << p)\t%fp(0, vfp_d(0, d)), %fp(p, vfp_d(p, m))", VFP)
{
    to_int(l, f, f->z ? ORYX_RM_ZERO : ORYX_RM_ENV, f->s);
}

ORYX_INSN(VCVT_from_int, "cccc11101d111000dddd101ps1m0mmmm",
          "vcvt%c().f%u(32 << p).%?(s){s}{u}32\t%fp(p, vfp_d(p, d)), %fp(0, vfp_d(0, m))", VFP)
{
    vfp_data(l);
    oryx_val v = vfp_get_bits(l, 0, vfp_d(0, f->m));
    vfp_set(l, f->p, vfp_d(f->p, f->d), UN(ITOF, flane(f->p), I32, v, f->s ? FI_SIGNED : 0));
}

/* r: A N P M. */
ORYX_INSN(VCVT_rm, "111111101d1111rrdddd101ps1m0mmmm",
          "vcvt%pick(r, \"a n p m\").%?(s){s}{u}32.f%u(32 << p)\t%fp(0, vfp_d(0, d)), %fp(p, vfp_d(p, m))", V8FP)
{
    static const uint8_t modes[4] = { ORYX_RM_AWAY, ORYX_RM_NEAREST, ORYX_RM_UP, ORYX_RM_DOWN };
    to_int(l, f, modes[f->r], f->s);
}

/* JavaScript's ToInt32; Z of FPSCR when nothing was lost. */
ORYX_INSN(VJCVT, "cccc11101d111001dddd101111m0mmmm", "vjcvt%c().s32.f64\t%fp(0, vfp_d(0, d)), %fp(1, m)", JSCVT)
{
    vfp_data(l);
    oryx_val m = vfp_get_bits(l, 1, f->m), v = vfp_call(l, A32_HELPER_fjcvtzs, I64, &m, 1);
    oryx_val exact = oryx_trunc(l->ir, I32, I64, oryx_bfx(l->ir, ORYX_OP_UBFX, I64, v, 32, 32));
    vfp_set_bits(l, 0, vfp_d(0, f->d), oryx_trunc(l->ir, I32, I64, v));
    oryx_put(l->ir, ORYX_T_FL, A32_OFF(fpflags), UN(FLUNPACK, ORYX_T_FL, I32, exact, 0));
}

/* --- Fixed point: in place. u: unsigned, x: 32 bits, i: the size less the fraction bits ------------------------------------ */

/* The immediate has its low bit first. */
#define FRACTION(x, i) (((x) ? 32 : 16) - (((i) << 1 & 30) | (i) >> 4))

ORYX_INSN(VCVT_from_fixed, "cccc11101d11101udddd101px1i0iiii",
          "[x || (i & 15) < 8 || i == 8] vcvt%c().f%u(32 << p).%?(u){u}{s}%u(x ? 32 : 16)\t%fp(p, vfp_d(p, d)), "
          "%fp(p, vfp_d(p, d)), #%u((x ? 32 : 16) - ((i << 1 & 30) | i >> 4))", VFP3)
{
    vfp_data(l);
    unsigned d = vfp_d(f->p, f->d), fraction = FRACTION(f->x, f->i);
    oryx_val v = vfp_get_bits(l, f->p, d);
    if (f->p)
        v = oryx_trunc(l->ir, I32, I64, v);
    if (!f->x)
        v = oryx_bfx(l->ir, f->u ? ORYX_OP_UBFX : ORYX_OP_SBFX, I32, v, 0, 16);
    if (f->p || !f->x || !(l->mode >> 22 & 3)) { /* exact, or to nearest as it is */
        vfp_set(l, f->p, d, UN(ITOF, flane(f->p), I32, v, (f->u ? 0 : FI_SIGNED) | (uint64_t)fraction << 8));
        return;
    }
    oryx_val args[2] = { oryx_zext(l->ir, I64, I32, v),
                         a32_imm(l, VFP_FIXED(f->p, fraction) | (f->u ? 0 : VFP_FIXED_SIGNED)) };
    vfp_set_bits(l, 0, d, oryx_trunc(l->ir, I32, I64, vfp_call(l, A32_HELPER_vfp_from_fixed, I64, args, 2)));
}

ORYX_INSN(VCVT_to_fixed, "cccc11101d11111udddd101px1i0iiii",
          "[x || (i & 15) < 8 || i == 8] vcvt%c().%?(u){u}{s}%u(x ? 32 : 16).f%u(32 << p)\t%fp(p, vfp_d(p, d)), "
          "%fp(p, vfp_d(p, d)), #%u((x ? 32 : 16) - ((i << 1 & 30) | i >> 4))", VFP3)
{
    vfp_data(l);
    unsigned d = vfp_d(f->p, f->d), fraction = FRACTION(f->x, f->i);
    oryx_val v;
    if (f->x) {
        uint64_t how = ORYX_RM_ZERO | (f->u ? 0 : FI_SIGNED) | (uint64_t)fraction << 8;
        v = UN(FTOI, I32, flane(f->p), vfp_get(l, f->p, d), how);
    } else {
        v = vfp_get_bits(l, f->p, d);
        oryx_val args[2] = { f->p ? v : oryx_zext(l->ir, I64, I32, v),
                             a32_imm(l, VFP_FIXED(f->p, fraction) | (f->u ? 0 : VFP_FIXED_SIGNED)) };
        v = oryx_trunc(l->ir, I32, I64, vfp_call(l, A32_HELPER_vfp_to_fixed, I64, args, 2));
        v = oryx_bfx(l->ir, f->u ? ORYX_OP_UBFX : ORYX_OP_SBFX, I32, v, 0, 16);
    }
    if (f->p)
        v = f->u ? oryx_zext(l->ir, I64, I32, v) : oryx_sext(l->ir, I64, I32, v);
    vfp_set_bits(l, f->p, d, v);
}
