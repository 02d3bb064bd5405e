/* AdvSIMD shift by immediate, vector and scalar (DDI 0487, C4.1 "Advanced SIMD shift by immediate",
 * "Advanced SIMD scalar shift by immediate"; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: immh:immb (field i) is at least 8, so immh has
 * a set bit; the shift is 2 * esize - i to the right, i - esize to the left. Scalar rows have no q
 * and use V64's one 64-bit lane, or scalar types where a sticky flag could rise. */
#include "a64_simd.h"

static unsigned right(const a64_fields *f)
{
    return (16u << a64_immh(f->i)) - f->i;
}

static unsigned left(const a64_fields *f)
{
    return f->i - (8u << a64_immh(f->i));
}

/* op: SHRI, SARI; how: SHIFT_ROUND or 0; acc: add to Vd. */
static void shift_right(a64_lift *l, const a64_fields *f, unsigned op, unsigned how, unsigned acc)
{
    unsigned t = vec(f->q), ln = lane(a64_immh(f->i));
    oryx_val v = oryx_vun(l->ir, op, t, ln, a64_vreg(l, t, f->n), right(f) | how);
    if (acc)
        v = BIN(ADD, t, ln, a64_vreg(l, t, f->d), v, 0);
    a64_set_vreg(l, t, f->d, v);
}

static void shift_left(a64_lift *l, const a64_fields *f)
{
    unsigned t = vec(f->q);
    a64_set_vreg(l, t, f->d, UN(SHLI, t, lane(a64_immh(f->i)), a64_vreg(l, t, f->n), left(f)));
}

/* SRI, SLI: the bits the shift brings in keep Vd's. mask: the bits that come from Vn. */
static void insert(a64_lift *l, const a64_fields *f, oryx_val shifted, uint64_t mask)
{
    unsigned t = vec(f->q), z = a64_immh(f->i);
    a64_set_vreg(l, t, f->d,
                 TRI(BITSEL, t, lane(z), splat(l, t, z, mask), shifted, a64_vreg(l, t, f->d), 0));
}

static void shift_right_insert(a64_lift *l, const a64_fields *f)
{
    unsigned t = vec(f->q), z = a64_immh(f->i), n = right(f), bits = 8u << z;
    uint64_t mask = n == bits ? 0 : UINT64_MAX >> (64 - bits + n);
    insert(l, f, UN(SHRI, t, lane(z), a64_vreg(l, t, f->n), n), mask);
}

static void shift_left_insert(a64_lift *l, const a64_fields *f)
{
    unsigned t = vec(f->q), z = a64_immh(f->i);
    insert(l, f, UN(SHLI, t, lane(z), a64_vreg(l, t, f->n), left(f)), UINT64_MAX << left(f));
}

/* QSHLI's imm above the amount. */
enum { Q_SIGNED = 0x100, Q_STICKY = 0x200, Q_TO_UNSIGNED = 0x400 };

static void qshift_left(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, UN(QSHLI, t, lane(a64_immh(f->i)), n, left(f) | Q_STICKY | how));
}

static void qshift_left_scalar(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned t = lane(a64_immh(f->i));
    a64_set_vreg(l, t, f->d, UN(QSHLI, t, t, a64_vreg(l, t, f->n), left(f) | Q_STICKY | how));
}

/* op: SHRI or SARI on the wide lanes; cut: CUT*. */
static void shift_narrow(a64_lift *l, const a64_fields *f, unsigned op, unsigned how, unsigned cut)
{
    unsigned z = a64_immh(f->i);
    oryx_val v = oryx_vun(l->ir, op, V128, lane(z + 1), a64_vreg(l, V128, f->n), right(f) | how);
    set_narrow(l, f->q, f->d, UN(NARROW, V128, lane(z), v, cut));
}

static void shift_narrow_scalar(a64_lift *l, const a64_fields *f, unsigned op, unsigned how,
                                unsigned cut)
{
    unsigned z = a64_immh(f->i);
    oryx_val v = oryx_vun(l->ir, op, V128, lane(z + 1), lane0(l, z + 1, f->n), right(f) | how);
    a64_set_vreg(l, V128, f->d, UN(NARROW, V128, lane(z), v, cut));
}

static void shift_long(a64_lift *l, const a64_fields *f, unsigned is_signed)
{
    unsigned z = a64_immh(f->i);
    oryx_val v = UN(WIDEN, V128, lane(z), a64_vreg(l, V128, f->n), is_signed | (f->q ? HIGH : 0));
    if (left(f))
        v = UN(SHLI, V128, lane(z + 1), v, left(f));
    a64_set_vreg(l, V128, f->d, v);
}

/* Fixed-point conversions; op: VITOF or VFTOI on lanes of the same size. */
static void fixed(a64_lift *l, const a64_fields *f, unsigned op, unsigned how)
{
    unsigned t = vec(f->q), ln = flane(a64_immh(f->i) - 2);
    a64_set_vreg(l, t, f->d,
                 oryx_vun(l->ir, op, t, ln, a64_vreg(l, t, f->n), how | (uint64_t)right(f) << 8));
}

static void fixed_to_fp_scalar(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned from = lane(a64_immh(f->i)), to = flane(a64_immh(f->i) - 2);
    oryx_val v = UN(ITOF, to, from, a64_vreg(l, from, f->n), how | (uint64_t)right(f) << 8);
    a64_set_vreg(l, to, f->d, v);
}

static void fp_to_fixed_scalar(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned to = lane(a64_immh(f->i)), from = flane(a64_immh(f->i) - 2);
    oryx_val v =
        UN(FTOI, to, from, a64_vreg(l, from, f->n), ORYX_RM_ZERO | how | (uint64_t)right(f) << 8);
    a64_set_vreg(l, to, f->d, v);
}

/* --- vector, U = 0 ---------------------------------------------------------------------------- */

ORYX_INSN(SSHR_vi, "0q0011110iiiiiii000001nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] sshr\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, 0, 0);
}

ORYX_INSN(SSRA_vi, "0q0011110iiiiiii000101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] ssra\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, 0, 1);
}

ORYX_INSN(SRSHR_vi, "0q0011110iiiiiii001001nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] srshr\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, SHIFT_ROUND, 0);
}

ORYX_INSN(SRSRA_vi, "0q0011110iiiiiii001101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] srsra\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, SHIFT_ROUND, 1);
}

ORYX_INSN(SHL_vi, "0q0011110iiiiiii010101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] shl\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    shift_left(l, f);
}

ORYX_INSN(SQSHL_vi, "0q0011110iiiiiii011101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] sqshl\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    qshift_left(l, f, Q_SIGNED);
}

ORYX_INSN(SHRN_vi, "0q0011110iiiiiii100001nnnnnddddd",
          "[i >= 8 && i < 64] shrn%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SHRI, 0, CUT);
}

ORYX_INSN(RSHRN_vi, "0q0011110iiiiiii100011nnnnnddddd",
          "[i >= 8 && i < 64] rshrn%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SHRI, SHIFT_ROUND, CUT);
}

ORYX_INSN(SQSHRN_vi, "0q0011110iiiiiii100101nnnnnddddd",
          "[i >= 8 && i < 64] sqshrn%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SARI, 0, CUT_SS);
}

ORYX_INSN(SQRSHRN_vi, "0q0011110iiiiiii100111nnnnnddddd",
          "[i >= 8 && i < 64] sqrshrn%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SARI, SHIFT_ROUND, CUT_SS);
}

ORYX_INSN(SSHLL_vi, "0q0011110iiiiiii101001nnnnnddddd",
          "[i >= 8 && i < 64] {i == 8u << a64_immh(i)} sxtl%?(q){2}\t%v(a64_immh(i)+1,1,d), "
          "%v(a64_immh(i),q,n) ;; sshll%?(q){2}\t%v(a64_immh(i)+1,1,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    shift_long(l, f, SIGNED);
}

ORYX_INSN(SCVTF_vi, "0q0011110iiiiiii111001nnnnnddddd",
          "[i >= 32 && (i < 64 || q == 1)] scvtf\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    fixed(l, f, ORYX_OP_VITOF, FI_SIGNED);
}

ORYX_INSN(FCVTZS_vi, "0q0011110iiiiiii111111nnnnnddddd",
          "[i >= 32 && (i < 64 || q == 1)] fcvtzs\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    fixed(l, f, ORYX_OP_VFTOI, ORYX_RM_ZERO | FI_SIGNED);
}

/* --- vector, U = 1 ---------------------------------------------------------------------------- */

ORYX_INSN(USHR_vi, "0q1011110iiiiiii000001nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] ushr\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, 0, 0);
}

ORYX_INSN(USRA_vi, "0q1011110iiiiiii000101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] usra\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, 0, 1);
}

ORYX_INSN(URSHR_vi, "0q1011110iiiiiii001001nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] urshr\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, SHIFT_ROUND, 0);
}

ORYX_INSN(URSRA_vi, "0q1011110iiiiiii001101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] ursra\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, SHIFT_ROUND, 1);
}

ORYX_INSN(SRI_vi, "0q1011110iiiiiii010001nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] sri\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_right_insert(l, f);
}

ORYX_INSN(SLI_vi, "0q1011110iiiiiii010101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] sli\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    shift_left_insert(l, f);
}

ORYX_INSN(SQSHLU_vi, "0q1011110iiiiiii011001nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] sqshlu\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    qshift_left(l, f, Q_SIGNED | Q_TO_UNSIGNED);
}

ORYX_INSN(UQSHL_vi, "0q1011110iiiiiii011101nnnnnddddd",
          "[i >= 8 && (i < 64 || q == 1)] uqshl\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    qshift_left(l, f, 0);
}

ORYX_INSN(SQSHRUN_vi, "0q1011110iiiiiii100001nnnnnddddd",
          "[i >= 8 && i < 64] sqshrun%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SARI, 0, CUT_SU);
}

ORYX_INSN(SQRSHRUN_vi, "0q1011110iiiiiii100011nnnnnddddd",
          "[i >= 8 && i < 64] sqrshrun%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SARI, SHIFT_ROUND, CUT_SU);
}

ORYX_INSN(UQSHRN_vi, "0q1011110iiiiiii100101nnnnnddddd",
          "[i >= 8 && i < 64] uqshrn%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SHRI, 0, CUT_UU);
}

ORYX_INSN(UQRSHRN_vi, "0q1011110iiiiiii100111nnnnnddddd",
          "[i >= 8 && i < 64] uqrshrn%?(q){2}\t%v(a64_immh(i),q,d), %v(a64_immh(i)+1,1,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    shift_narrow(l, f, ORYX_OP_SHRI, SHIFT_ROUND, CUT_UU);
}

ORYX_INSN(USHLL_vi, "0q1011110iiiiiii101001nnnnnddddd",
          "[i >= 8 && i < 64] {i == 8u << a64_immh(i)} uxtl%?(q){2}\t%v(a64_immh(i)+1,1,d), "
          "%v(a64_immh(i),q,n) ;; ushll%?(q){2}\t%v(a64_immh(i)+1,1,d), %v(a64_immh(i),q,n), "
          "#%u(i - (8 << a64_immh(i)))", SIMD)
{
    shift_long(l, f, 0);
}

ORYX_INSN(UCVTF_vi, "0q1011110iiiiiii111001nnnnnddddd",
          "[i >= 32 && (i < 64 || q == 1)] ucvtf\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    fixed(l, f, ORYX_OP_VITOF, 0);
}

ORYX_INSN(FCVTZU_vi, "0q1011110iiiiiii111111nnnnnddddd",
          "[i >= 32 && (i < 64 || q == 1)] fcvtzu\t%v(a64_immh(i),q,d), %v(a64_immh(i),q,n), "
          "#%u((16 << a64_immh(i)) - i)", SIMD)
{
    fixed(l, f, ORYX_OP_VFTOI, ORYX_RM_ZERO);
}

/* --- scalar, U = 0 ---------------------------------------------------------------------------- */

ORYX_INSN(SSHR_sci, "010111110iiiiiii000001nnnnnddddd",
          "[i >= 64] sshr\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, 0, 0);
}

ORYX_INSN(SSRA_sci, "010111110iiiiiii000101nnnnnddddd",
          "[i >= 64] ssra\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, 0, 1);
}

ORYX_INSN(SRSHR_sci, "010111110iiiiiii001001nnnnnddddd",
          "[i >= 64] srshr\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, SHIFT_ROUND, 0);
}

ORYX_INSN(SRSRA_sci, "010111110iiiiiii001101nnnnnddddd",
          "[i >= 64] srsra\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SARI, SHIFT_ROUND, 1);
}

ORYX_INSN(SHL_sci, "010111110iiiiiii010101nnnnnddddd",
          "[i >= 64] shl\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u(i - (8 << "
          "a64_immh(i)))", SIMD)
{
    shift_left(l, f);
}

ORYX_INSN(SQSHL_sci, "010111110iiiiiii011101nnnnnddddd",
          "[i >= 8] sqshl\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u(i - (8 << "
          "a64_immh(i)))", SIMD)
{
    qshift_left_scalar(l, f, Q_SIGNED);
}

ORYX_INSN(SQSHRN_sci, "010111110iiiiiii100101nnnnnddddd",
          "[i >= 8 && i < 64] sqshrn\t%fp(a64_immh(i),d), %fp(a64_immh(i)+1,n), #%u((16 << "
          "a64_immh(i)) - i)", SIMD)
{
    shift_narrow_scalar(l, f, ORYX_OP_SARI, 0, CUT_SS);
}

ORYX_INSN(SQRSHRN_sci, "010111110iiiiiii100111nnnnnddddd",
          "[i >= 8 && i < 64] sqrshrn\t%fp(a64_immh(i),d), %fp(a64_immh(i)+1,n), #%u((16 << "
          "a64_immh(i)) - i)", SIMD)
{
    shift_narrow_scalar(l, f, ORYX_OP_SARI, SHIFT_ROUND, CUT_SS);
}

ORYX_INSN(SCVTF_sci, "010111110iiiiiii111001nnnnnddddd",
          "[i >= 32] scvtf\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    fixed_to_fp_scalar(l, f, FI_SIGNED);
}

ORYX_INSN(FCVTZS_sci, "010111110iiiiiii111111nnnnnddddd",
          "[i >= 32] fcvtzs\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    fp_to_fixed_scalar(l, f, FI_SIGNED);
}

/* --- scalar, U = 1 ---------------------------------------------------------------------------- */

ORYX_INSN(USHR_sci, "011111110iiiiiii000001nnnnnddddd",
          "[i >= 64] ushr\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, 0, 0);
}

ORYX_INSN(USRA_sci, "011111110iiiiiii000101nnnnnddddd",
          "[i >= 64] usra\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, 0, 1);
}

ORYX_INSN(URSHR_sci, "011111110iiiiiii001001nnnnnddddd",
          "[i >= 64] urshr\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, SHIFT_ROUND, 0);
}

ORYX_INSN(URSRA_sci, "011111110iiiiiii001101nnnnnddddd",
          "[i >= 64] ursra\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    shift_right(l, f, ORYX_OP_SHRI, SHIFT_ROUND, 1);
}

ORYX_INSN(SRI_sci, "011111110iiiiiii010001nnnnnddddd",
          "[i >= 64] sri\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) - "
          "i)", SIMD)
{
    shift_right_insert(l, f);
}

ORYX_INSN(SLI_sci, "011111110iiiiiii010101nnnnnddddd",
          "[i >= 64] sli\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u(i - (8 << "
          "a64_immh(i)))", SIMD)
{
    shift_left_insert(l, f);
}

ORYX_INSN(SQSHLU_sci, "011111110iiiiiii011001nnnnnddddd",
          "[i >= 8] sqshlu\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u(i - (8 << "
          "a64_immh(i)))", SIMD)
{
    qshift_left_scalar(l, f, Q_SIGNED | Q_TO_UNSIGNED);
}

ORYX_INSN(UQSHL_sci, "011111110iiiiiii011101nnnnnddddd",
          "[i >= 8] uqshl\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u(i - (8 << "
          "a64_immh(i)))", SIMD)
{
    qshift_left_scalar(l, f, 0);
}

ORYX_INSN(SQSHRUN_sci, "011111110iiiiiii100001nnnnnddddd",
          "[i >= 8 && i < 64] sqshrun\t%fp(a64_immh(i),d), %fp(a64_immh(i)+1,n), #%u((16 << "
          "a64_immh(i)) - i)", SIMD)
{
    shift_narrow_scalar(l, f, ORYX_OP_SARI, 0, CUT_SU);
}

ORYX_INSN(SQRSHRUN_sci, "011111110iiiiiii100011nnnnnddddd",
          "[i >= 8 && i < 64] sqrshrun\t%fp(a64_immh(i),d), %fp(a64_immh(i)+1,n), #%u((16 << "
          "a64_immh(i)) - i)", SIMD)
{
    shift_narrow_scalar(l, f, ORYX_OP_SARI, SHIFT_ROUND, CUT_SU);
}

ORYX_INSN(UQSHRN_sci, "011111110iiiiiii100101nnnnnddddd",
          "[i >= 8 && i < 64] uqshrn\t%fp(a64_immh(i),d), %fp(a64_immh(i)+1,n), #%u((16 << "
          "a64_immh(i)) - i)", SIMD)
{
    shift_narrow_scalar(l, f, ORYX_OP_SHRI, 0, CUT_UU);
}

ORYX_INSN(UQRSHRN_sci, "011111110iiiiiii100111nnnnnddddd",
          "[i >= 8 && i < 64] uqrshrn\t%fp(a64_immh(i),d), %fp(a64_immh(i)+1,n), #%u((16 << "
          "a64_immh(i)) - i)", SIMD)
{
    shift_narrow_scalar(l, f, ORYX_OP_SHRI, SHIFT_ROUND, CUT_UU);
}

ORYX_INSN(UCVTF_sci, "011111110iiiiiii111001nnnnnddddd",
          "[i >= 32] ucvtf\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    fixed_to_fp_scalar(l, f, 0);
}

ORYX_INSN(FCVTZU_sci, "011111110iiiiiii111111nnnnnddddd",
          "[i >= 32] fcvtzu\t%fp(a64_immh(i),d), %fp(a64_immh(i),n), #%u((16 << a64_immh(i)) "
          "- i)", SIMD)
{
    fp_to_fixed_scalar(l, f, 0);
}
