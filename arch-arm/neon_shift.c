/* AdvSIMD two registers and a shift amount (DDI 0406C A7.4.4; DDI 0487 F4.1).
 *
 * Called through the decode tables. Invariant: L:imm6 (fields l, i) is at least 8; the shift is 2 * esize - L:imm6 to the
 * right, L:imm6 - esize to the left. */
#include "neon.h"

static unsigned size(const a32_fields *f)
{
    return neon_z(f->l << 6 | f->i);
}

static unsigned right(const a32_fields *f)
{
    return (16u << size(f)) - (f->l << 6 | f->i);
}

static unsigned left(const a32_fields *f)
{
    return (f->l << 6 | f->i) - (8u << size(f));
}

/* how: SHIFT_ROUND or 0; acc: add to Vd. */
static void shift_right(a32_lift *l, const a32_fields *f, unsigned how, unsigned acc)
{
    unsigned t = vec(f->q), ln = lane(size(f));
    oryx_val v = oryx_vun(l->ir, f->u ? ORYX_OP_SHRI : ORYX_OP_SARI, t, ln, neon_get(l, f->q, f->m), right(f) | how);
    if (acc)
        v = BIN(ADD, t, ln, neon_get(l, f->q, f->d), v, 0);
    neon_set(l, f->q, f->d, v);
}

/* The bits the shift brings in keep Vd's. mask: the bits that come from Vm. */
static void insert(a32_lift *l, const a32_fields *f, oryx_val shifted, uint64_t mask)
{
    unsigned t = vec(f->q), z = size(f);
    neon_set(l, f->q, f->d, TRI(BITSEL, t, lane(z), neon_splat(l, t, z, mask), shifted, neon_get(l, f->q, f->d), 0));
}

/* QSHLI's imm above the amount. */
enum { Q_SIGNED = 0x100, Q_STICKY = 0x200, Q_TO_UNSIGNED = 0x400 };

static void qshift_left(a32_lift *l, const a32_fields *f, unsigned how)
{
    oryx_val m = neon_get(l, f->q, f->m);
    neon_set(l, f->q, f->d, UN(QSHLI, vec(f->q), lane(size(f)), m, left(f) | Q_STICKY | how));
}

/* r: round; cut: CUT*. */
static void shift_narrow(a32_lift *l, const a32_fields *f, unsigned is_signed, unsigned cut)
{
    unsigned z = size(f);
    oryx_val v = oryx_vun(l->ir, is_signed ? ORYX_OP_SARI : ORYX_OP_SHRI, V128, lane(z + 1), neon_get(l, 1, f->m),
                          right(f) | (f->r ? SHIFT_ROUND : 0));
    neon_set(l, 0, f->d, UN(VLOW, V64, V128, UN(NARROW, V128, lane(z), v, cut), 0));
}

ORYX_INSN(VSHR, "1111001u1diiiiiidddd0000lqm1mmmm",
          "[l || i > 7] vshr%c().%?(u){u}{s}%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((16 << neon_z(l << 6 | i)) - (l << 6 | i))", NEON)
{
    shift_right(l, f, 0, 0);
}

ORYX_INSN(VSRA, "1111001u1diiiiiidddd0001lqm1mmmm",
          "[l || i > 7] vsra%c().%?(u){u}{s}%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((16 << neon_z(l << 6 | i)) - (l << 6 | i))", NEON)
{
    shift_right(l, f, 0, 1);
}

ORYX_INSN(VRSHR, "1111001u1diiiiiidddd0010lqm1mmmm",
          "[l || i > 7] vrshr%c().%?(u){u}{s}%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((16 << neon_z(l << 6 | i)) - (l << 6 | i))", NEON)
{
    shift_right(l, f, SHIFT_ROUND, 0);
}

ORYX_INSN(VRSRA, "1111001u1diiiiiidddd0011lqm1mmmm",
          "[l || i > 7] vrsra%c().%?(u){u}{s}%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((16 << neon_z(l << 6 | i)) - (l << 6 | i))", NEON)
{
    shift_right(l, f, SHIFT_ROUND, 1);
}

ORYX_INSN(VSRI, "111100111diiiiiidddd0100lqm1mmmm",
          "[l || i > 7] vsri%c().%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((16 << neon_z(l << 6 | i)) - (l << 6 | i))", NEON)
{
    unsigned n = right(f), bits = 8u << size(f);
    insert(l, f, UN(SHRI, vec(f->q), lane(size(f)), neon_get(l, f->q, f->m), n), n == bits ? 0 : UINT64_MAX >> (64 - bits + n));
}

ORYX_INSN(VSHL_imm, "111100101diiiiiidddd0101lqm1mmmm",
          "[l || i > 7] vshl%c().s%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((l << 6 | i) - (8 << neon_z(l << 6 | i)))", NEON)
{
    neon_set(l, f->q, f->d, UN(SHLI, vec(f->q), lane(size(f)), neon_get(l, f->q, f->m), left(f)));
}

ORYX_INSN(VSLI, "111100111diiiiiidddd0101lqm1mmmm",
          "[l || i > 7] vsli%c().%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((l << 6 | i) - (8 << neon_z(l << 6 | i)))", NEON)
{
    insert(l, f, UN(SHLI, vec(f->q), lane(size(f)), neon_get(l, f->q, f->m), left(f)), UINT64_MAX << left(f));
}

ORYX_INSN(VQSHLU, "111100111diiiiiidddd0110lqm1mmmm",
          "[l || i > 7] vqshlu%c().s%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((l << 6 | i) - (8 << neon_z(l << 6 | i)))", NEON)
{
    qshift_left(l, f, Q_SIGNED | Q_TO_UNSIGNED);
}

ORYX_INSN(VQSHL_imm, "1111001u1diiiiiidddd0111lqm1mmmm",
          "[l || i > 7] vqshl%c().%?(u){u}{s}%u(8 << neon_z(l << 6 | i))\t%v(q, d), %v(q, m), #%u((l << 6 | i) - (8 << neon_z(l << 6 | i)))", NEON)
{
    qshift_left(l, f, f->u ? 0 : Q_SIGNED);
}

ORYX_INSN(VSHRN, "111100101diiiiiidddd10000rm1mmmm",
          "[i > 7] v%?(r){r}shrn%c().i%u(16 << neon_z(i))\t%v(0, d), %v(1, m), #%u((16 << neon_z(i)) - i)", NEON)
{
    shift_narrow(l, f, 0, CUT);
}

ORYX_INSN(VQSHRUN, "111100111diiiiiidddd10000rm1mmmm",
          "[i > 7] vq%?(r){r}shrun%c().s%u(16 << neon_z(i))\t%v(0, d), %v(1, m), #%u((16 << neon_z(i)) - i)", NEON)
{
    shift_narrow(l, f, 1, CUT_SU);
}

ORYX_INSN(VQSHRN, "1111001u1diiiiiidddd10010rm1mmmm",
          "[i > 7] vq%?(r){r}shrn%c().%?(u){u}{s}%u(16 << neon_z(i))\t%v(0, d), %v(1, m), #%u((16 << neon_z(i)) - i)", NEON)
{
    shift_narrow(l, f, !f->u, f->u ? CUT_UU : CUT_SS);
}

ORYX_INSN(VSHLL, "1111001u1diiiiiidddd101000m1mmmm",
          "[i > 7] {i == (8u << neon_z(i))} vmovl%c().%?(u){u}{s}%u(8 << neon_z(i))\t%v(1, d), %v(0, m) ;; vshll%c().%?(u){u}{s}%u(8 << neon_z(i))\t%v(1, d), %v(0, m), #%u(i - (8 << neon_z(i)))", NEON)
{
    unsigned z = size(f);
    oryx_val v = UN(WIDEN, V128, lane(z), neon_wide(l, 0, f->m), f->u ? 0 : SIGNED);
    neon_set(l, 1, f->d, left(f) ? UN(SHLI, V128, lane(z + 1), v, left(f)) : v);
}

ORYX_INSN(VCVT_fixed_from, "1111001u1diiiiiidddd11100qm1mmmm",
          "[i >= 32] vcvt%c().f32.%?(u){u}{s}32\t%v(q, d), %v(q, m), #%u(64 - i)", NEON)
{
    neon_set(l, f->q, f->d, neon_fp(l, f->q, H_FROMINT, f->u ? 0 : H_SIGNED, 64 - f->i, neon_get(l, f->q, f->m), 0, 0));
}

ORYX_INSN(VCVT_fixed_to, "1111001u1diiiiiidddd11110qm1mmmm",
          "[i >= 32] vcvt%c().%?(u){u}{s}32.f32\t%v(q, d), %v(q, m), #%u(64 - i)", NEON)
{
    unsigned mode = ORYX_RM_ZERO | (f->u ? 0 : H_SIGNED);
    neon_set(l, f->q, f->d, neon_fp(l, f->q, H_TOINT, mode, 64 - f->i, neon_get(l, f->q, f->m), 0, 0));
}
