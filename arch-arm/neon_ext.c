/* AdvSIMD extensions of Armv8: AES, SHA-1, SHA-256, dot product, complex arithmetic (DDI 0487 F4.1 "Advanced SIMD three
 * registers of the same length extension", "two registers and scalar extension"; F6.1).
 *
 * Called through the decode tables. Rounds are the A64 frontend's helpers, all pure; message schedules are IR. */
#include "neon.h"

static oryx_val call1(a32_lift *l, unsigned helper, oryx_val a)
{
    return vfp_call(l, helper, V128, &a, 1);
}

/* --- AES: o: decryption ------------------------------------------------------------------------------------------ */

ORYX_INSN(AESE, "111100111d110000dddd00110om0mmmm", "aes%?(o){d}{e}.8\t%v(1, d), %v(1, m)", AES)
{
    oryx_val v = BIN(XOR, V128, I64, neon_get(l, 1, f->d), neon_get(l, 1, f->m), 0);
    neon_set(l, 1, f->d, call1(l, f->o ? A32_HELPER_aesd : A32_HELPER_aese, v));
}

ORYX_INSN(AESMC, "111100111d110000dddd00111om0mmmm", "aes%?(o){i}mc.8\t%v(1, d), %v(1, m)", AES)
{
    neon_set(l, 1, f->d, call1(l, f->o ? A32_HELPER_aesimc : A32_HELPER_aesmc, neon_get(l, 1, f->m)));
}

/* --- SHA-1, SHA-256 ------------------------------------------------------------------------------------------------ */

ORYX_INSN(SHA1H, "111100111d111001dddd001011m0mmmm", "sha1h.32\t%v(1, d), %v(1, m)", SHA1)
{
    oryx_val m = UN(VGET, V128, I32, neon_get(l, 1, f->m), 0), zero = oryx_vconst(l->ir, V128, 0, 0);
    neon_set(l, 1, f->d, BIN(VSET, V128, I32, zero, a32_bini(l, ORYX_OP_ROR, m, 2), 0));
}

ORYX_INSN(SHA1SU1, "111100111d111010dddd001110m0mmmm", "sha1su1.32\t%v(1, d), %v(1, m)", SHA1)
{
    neon_set(l, 1, f->d, arm_sha1su1(l->ir, neon_get(l, 1, f->d), neon_get(l, 1, f->m)));
}

ORYX_INSN(SHA256SU0, "111100111d111010dddd001111m0mmmm", "sha256su0.32\t%v(1, d), %v(1, m)", SHA256)
{
    neon_set(l, 1, f->d, arm_sha256su0(l->ir, neon_get(l, 1, f->d), neon_get(l, 1, f->m)));
}

/* z: C P M, the schedule. */
ORYX_INSN(SHA1, "111100100dzznnnndddd1100n1m0mmmm",
          "sha1%pick(z, \"c p m su0\").32\t%v(1, d), %v(1, vfp_n(1, n)), %v(1, m)", SHA1)
{
    static const uint8_t helpers[3] = { A32_HELPER_sha1c, A32_HELPER_sha1p, A32_HELPER_sha1m };
    oryx_val d = neon_get(l, 1, f->d), n = neon_get(l, 1, N(f)), m = neon_get(l, 1, f->m);
    if (f->z == 3) {
        neon_set(l, 1, f->d, arm_sha1su0(l->ir, d, n, m));
        return;
    }
    oryx_val args[3] = { d, UN(VGET, V128, I32, n, 0), m };
    neon_set(l, 1, f->d, vfp_call(l, helpers[f->z], V128, args, 3));
}

ORYX_INSN(SHA256, "111100110dzznnnndddd1100n1m0mmmm",
          "[z < 3] sha256%pick(z, \"h h2 su1\").32\t%v(1, d), %v(1, vfp_n(1, n)), %v(1, m)", SHA256)
{
    oryx_val d = neon_get(l, 1, f->d), n = neon_get(l, 1, N(f)), m = neon_get(l, 1, f->m);
    oryx_val args[3] = { d, n, m };
    if (f->z == 2)
        neon_set(l, 1, f->d, arm_sha256su1(l->ir, d, n, m));
    else
        neon_set(l, 1, f->d, vfp_call(l, f->z ? A32_HELPER_sha256h2 : A32_HELPER_sha256h, V128, args, 3));
}

/* --- Dot product ---------------------------------------------------------------------------------------------------- */

static void dot(a32_lift *l, const a32_fields *f, oryx_val m)
{
    oryx_val d = neon_wide(l, f->q, f->d), n = neon_wide(l, f->q, N(f));
    neon_set(l, f->q, f->d, arm_dot(l->ir, f->q, d, n, m, f->u ? 0 : SIGNED));
}

ORYX_INSN(VDOT, "111111000d10nnnndddd1101nqmummmm",
          "v%?(u){u}{s}dot.%?(u){u}{s}8\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m)", DOTPROD)
{
    dot(l, f, neon_wide(l, f->q, f->m));
}

/* M is the number of the 32-bit element. */
ORYX_INSN(VDOT_el, "111111100d10nnnndddd1101nqiummmm",
          "v%?(u){u}{s}dot.%?(u){u}{s}8\t%v(q, d), %v(q, vfp_n(1, n)), %v(0, m)[%u(i)]", DOTPROD)
{
    dot(l, f, UN(DUP, V128, I32, UN(VGET, V64, I32, neon_get(l, 0, f->m), f->i), 0));
}

/* --- Complex numbers: r * 90 degrees --------------------------------------------------------------------------------- */

static void multiply_complex(a32_lift *l, const a32_fields *f, oryx_val m)
{
    oryx_val n = neon_get(l, f->q, N(f));
    arm_complex_factors(l->ir, vec(f->q), 2, f->r, &n, &m);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, H_FMA, 0, 0, n, m, neon_get(l, f->q, f->d)));
}

ORYX_INSN(VCMLA, "1111110rrd11nnnndddd1000nqm0mmmm",
          "vcmla.f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m), #%u(90 * r)", FCMA)
{
    multiply_complex(l, f, neon_get(l, f->q, f->m));
}

ORYX_INSN(VCADD, "1111110r1d01nnnndddd1000nqm0mmmm",
          "vcadd.f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m), #%u(r ? 270 : 90)", FCMA)
{
    unsigned t = vec(f->q);
    oryx_val m = arm_swap_pairs(l->ir, t, 2, neon_get(l, f->q, f->m));
    m = arm_negate_parts(l->ir, t, 2, m, !f->r, f->r);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, H_ADD, 0, 0, neon_get(l, f->q, N(f)), m, 0));
}

ORYX_INSN(VCMLA_el, "111111101drrnnnndddd1000nqm0mmmm",
          "vcmla.f32\t%v(q, d), %v(q, vfp_n(1, n)), %v(0, m)[0], #%u(90 * r)", FCMA)
{
    oryx_val m = neon_get(l, 0, f->m);
    multiply_complex(l, f, f->q ? BIN(VCAT, V128, V64, m, m, 0) : m);
}
