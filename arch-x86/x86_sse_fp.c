/* SSE floating point: SDM 1 5.5.1, 5.6.1, 10, 11. Environment: MXCSR's rounding, DAZ, FZ are the
 * IR's; its sticky flags are cpu->fp.flags. Exceptions are masked: a program that unmasks one gets
 * the masked response. Invariant: a scalar instruction leaves the rest of its destination alone. */
#include "x86_sse.h"

static unsigned int_lane(unsigned fp)
{
    return fp == F32 ? I32 : I64;
}

/* Scalar operand i of type fp. */
static oryx_val scalar(x86_lift *l, unsigned fp, unsigned i)
{
    if (x86_is_mem(l, i))
        return oryx_bitcast(l->ir, fp, int_lane(fp), x86_read(l, i));
    return x86_lane(l, fp, x86_vec(l, i), 0);
}

static void set_scalar(x86_lift *l, unsigned fp, oryx_val v)
{
    x86_set_vec(l, 0, x86_with_lane(l, fp, x86_vec(l, 0), 0, v));
}

static void arith_s(x86_lift *l, unsigned op, unsigned fp)
{
    oryx_val b = scalar(l, fp, 1);
    set_scalar(l, fp, oryx_bin(l->ir, op, fp, x86_lane(l, fp, x86_vec(l, 0), 0), b));
}

ORYX_INSN(ADDPS, "0f 58 /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_FADD, F32, 0);
}
ORYX_INSN(ADDPD, "66 0f 58 /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_FADD, F64, 0);
}
ORYX_INSN(ADDSS, "F3 0f 58 /r Vss,Wss", SSE)
{
    arith_s(l, ORYX_OP_FADD, F32);
}
ORYX_INSN(ADDSD, "F2 0f 58 /r Vsd,Wsd", SSE2)
{
    arith_s(l, ORYX_OP_FADD, F64);
}
ORYX_INSN(SUBPS, "0f 5c /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_FSUB, F32, 0);
}
ORYX_INSN(SUBPD, "66 0f 5c /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_FSUB, F64, 0);
}
ORYX_INSN(SUBSS, "F3 0f 5c /r Vss,Wss", SSE)
{
    arith_s(l, ORYX_OP_FSUB, F32);
}
ORYX_INSN(SUBSD, "F2 0f 5c /r Vsd,Wsd", SSE2)
{
    arith_s(l, ORYX_OP_FSUB, F64);
}
ORYX_INSN(MULPS, "0f 59 /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_FMUL, F32, 0);
}
ORYX_INSN(MULPD, "66 0f 59 /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_FMUL, F64, 0);
}
ORYX_INSN(MULSS, "F3 0f 59 /r Vss,Wss", SSE)
{
    arith_s(l, ORYX_OP_FMUL, F32);
}
ORYX_INSN(MULSD, "F2 0f 59 /r Vsd,Wsd", SSE2)
{
    arith_s(l, ORYX_OP_FMUL, F64);
}
ORYX_INSN(DIVPS, "0f 5e /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_FDIV, F32, 0);
}
ORYX_INSN(DIVPD, "66 0f 5e /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_FDIV, F64, 0);
}
ORYX_INSN(DIVSS, "F3 0f 5e /r Vss,Wss", SSE)
{
    arith_s(l, ORYX_OP_FDIV, F32);
}
ORYX_INSN(DIVSD, "F2 0f 5e /r Vsd,Wsd", SSE2)
{
    arith_s(l, ORYX_OP_FDIV, F64);
}

ORYX_INSN(SQRTPS, "0f 51 /r Vps,Wps", SSE)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_FSQRT, F32, x86_vec(l, 1), 0));
}
ORYX_INSN(SQRTPD, "66 0f 51 /r Vpd,Wpd", SSE2)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_FSQRT, F64, x86_vec(l, 1), 0));
}
ORYX_INSN(SQRTSS, "F3 0f 51 /r Vss,Wss", SSE)
{
    set_scalar(l, F32, oryx_un(l->ir, ORYX_OP_FSQRT, F32, scalar(l, F32, 1)));
}
ORYX_INSN(SQRTSD, "F2 0f 51 /r Vsd,Wsd", SSE2)
{
    set_scalar(l, F64, oryx_un(l->ir, ORYX_OP_FSQRT, F64, scalar(l, F64, 1)));
}

/* Neighbours added or subtracted. */
static void horizontal(x86_lift *l, unsigned op, unsigned fp)
{
    unsigned lane = int_lane(fp);
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    x86_set_vec(l, 0,
                x86_vop(l, op, fp, x86_vop(l, ORYX_OP_UZP1, lane, a, b, 0),
                        x86_vop(l, ORYX_OP_UZP2, lane, a, b, 0), 0));
}

ORYX_INSN(HADDPS, "F2 0f 7c /r Vps,Wps", SSE3)
{
    horizontal(l, ORYX_OP_FADD, F32);
}
ORYX_INSN(HADDPD, "66 0f 7c /r Vpd,Wpd", SSE3)
{
    horizontal(l, ORYX_OP_FADD, F64);
}
ORYX_INSN(HSUBPS, "F2 0f 7d /r Vps,Wps", SSE3)
{
    horizontal(l, ORYX_OP_FSUB, F32);
}
ORYX_INSN(HSUBPD, "66 0f 7d /r Vpd,Wpd", SSE3)
{
    horizontal(l, ORYX_OP_FSUB, F64);
}

/* Even lanes are subtracted, odd ones added. */
static void add_subtract(x86_lift *l, unsigned fp)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), v = a;
    for (unsigned i = 0; i < 128 / x86_bits(int_lane(fp)); i++)
        v = x86_with_lane(l, fp, v, i,
                          oryx_bin(l->ir, i & 1 ? ORYX_OP_FADD : ORYX_OP_FSUB, fp,
                                   x86_lane(l, fp, a, i), x86_lane(l, fp, b, i)));
    x86_set_vec(l, 0, v);
}

ORYX_INSN(ADDSUBPS, "F2 0f d0 /r Vps,Wps", SSE3)
{
    add_subtract(l, F32);
}
ORYX_INSN(ADDSUBPD, "66 0f d0 /r Vpd,Wpd", SSE3)
{
    add_subtract(l, F64);
}

/* --- Minimum, maximum: the second operand unless the first is less (greater), so of zeros and NaNs
 * too ------------------------------- */

static oryx_val less(x86_lift *l, unsigned fp, oryx_val a, oryx_val b)
{
    return x86_vop(l, ORYX_OP_VFCMP, fp, b, a, ORYX_CC_GTS);
}

/* Denormals as zeros, where MXCSR.DAZ says so: these instructions hand an operand on. */
static oryx_val flushed(x86_lift *l, unsigned fp, oryx_val v)
{
    if (!l->ir->fp.flush_in)
        return v;
    uint64_t sign = fp == F32 ? 0x8000000080000000u : 0x8000000000000000u;
    oryx_val zero = x86_vop(l, ORYX_OP_VFCMP, fp, v, x86_zero(l), ORYX_CC_EQ);
    oryx_val signs = x86_vop(l, ORYX_OP_AND, I64, v, oryx_vconst(l->ir, V128, sign, sign), 0);
    return oryx_vtri(l->ir, ORYX_OP_BITSEL, V128, int_lane(fp), zero, signs, v, 0);
}

static void minmax(x86_lift *l, unsigned fp, bool max)
{
    oryx_val b = flushed(l, fp, x86_vec(l, 1)), a = flushed(l, fp, x86_vec(l, 0)),
             m = max ? less(l, fp, b, a) : less(l, fp, a, b);
    x86_set_vec(l, 0, oryx_vtri(l->ir, ORYX_OP_BITSEL, V128, int_lane(fp), m, a, b, 0));
}

static void minmax_s(x86_lift *l, unsigned fp, bool max)
{
    oryx_val b = scalar(l, fp, 1), a = x86_lane(l, fp, x86_vec(l, 0), 0);
    if (l->ir->fp.flush_in) {
        b = x86_lane(l, fp, flushed(l, fp, x86_with_lane(l, fp, x86_zero(l), 0, b)), 0);
        a = x86_lane(l, fp, flushed(l, fp, x86_with_lane(l, fp, x86_zero(l), 0, a)), 0);
    }
    oryx_val fl = oryx_ir_emit(l->ir, ORYX_OP_FLFCMP, FL, fp, max ? b : a, max ? a : b, 0, 1);
    set_scalar(l, fp, oryx_select(l->ir, fp, oryx_flcond(l->ir, ORYX_FC_S, fl), a, b));
}

ORYX_INSN(MINPS, "0f 5d /r Vps,Wps", SSE)
{
    minmax(l, F32, false);
}
ORYX_INSN(MINPD, "66 0f 5d /r Vpd,Wpd", SSE2)
{
    minmax(l, F64, false);
}
ORYX_INSN(MINSS, "F3 0f 5d /r Vss,Wss", SSE)
{
    minmax_s(l, F32, false);
}
ORYX_INSN(MINSD, "F2 0f 5d /r Vsd,Wsd", SSE2)
{
    minmax_s(l, F64, false);
}
ORYX_INSN(MAXPS, "0f 5f /r Vps,Wps", SSE)
{
    minmax(l, F32, true);
}
ORYX_INSN(MAXPD, "66 0f 5f /r Vpd,Wpd", SSE2)
{
    minmax(l, F64, true);
}
ORYX_INSN(MAXSS, "F3 0f 5f /r Vss,Wss", SSE)
{
    minmax_s(l, F32, true);
}
ORYX_INSN(MAXSD, "F2 0f 5f /r Vsd,Wsd", SSE2)
{
    minmax_s(l, F64, true);
}

/* --- Comparison
 * -----------------------------------------------------------------------------------------------------------------------
 */

/* Masks of predicate 0-7: EQ LT LE UNORD NEQ NLT NLE ORD. */
static oryx_val compare(x86_lift *l, unsigned fp, oryx_val a, oryx_val b, unsigned predicate)
{
    oryx_val v;
    switch (predicate & 3) {
    case 0:
        v = x86_vop(l, ORYX_OP_VFCMP, fp, a, b, ORYX_CC_EQ);
        break;
    case 1:
        v = x86_vop(l, ORYX_OP_VFCMP, fp, b, a, ORYX_CC_GTS);
        break;
    case 2:
        v = x86_vop(l, ORYX_OP_VFCMP, fp, b, a, ORYX_CC_GES);
        break;
    default:
        v = x86_vop(l, ORYX_OP_AND, I64, x86_vop(l, ORYX_OP_VFCMP, fp, a, a, ORYX_CC_EQ),
                    x86_vop(l, ORYX_OP_VFCMP, fp, b, b, ORYX_CC_EQ), 0);
        predicate ^= 4;
        break;
    }
    return predicate & 4 ? x86_vop1(l, ORYX_OP_NOT, I64, v, 0) : v;
}

static void compare_packed(x86_lift *l, unsigned fp)
{
    oryx_val b = x86_vec(l, 1);
    x86_set_vec(l, 0, compare(l, fp, x86_vec(l, 0), b, (unsigned)l->op[2].imm.value.u & 7));
}

static void compare_scalar(x86_lift *l, unsigned fp)
{
    oryx_val b = x86_with_lane(l, fp, x86_zero(l), 0, scalar(l, fp, 1));
    oryx_val a = x86_with_lane(l, fp, x86_zero(l), 0, x86_lane(l, fp, x86_vec(l, 0), 0));
    oryx_val m = compare(l, fp, a, b, (unsigned)l->op[2].imm.value.u & 7);
    set_scalar(l, fp, x86_lane(l, fp, m, 0));
}

ORYX_INSN(CMPPS, "0f c2 /r ib Vps,Wps,Ib", SSE)
{
    compare_packed(l, F32);
}
ORYX_INSN(CMPPD, "66 0f c2 /r ib Vpd,Wpd,Ib", SSE2)
{
    compare_packed(l, F64);
}
ORYX_INSN(CMPSS, "F3 0f c2 /r ib Vss,Wss,Ib", SSE)
{
    compare_scalar(l, F32);
}

void x86_cmpsd_sse(x86_lift *l)
{
    if (l->features & X86_FEAT(SSE2))
        compare_scalar(l, F64);
    else
        x86_undefined(l);
}

/* Z P C: 000 greater, 001 less, 100 equal, 111 unordered. */
static void compare_flags(x86_lift *l, unsigned fp, uint64_t signals)
{
    oryx_val b = scalar(l, fp, 1),
             fl = oryx_ir_emit(l->ir, ORYX_OP_FLFCMP, FL, fp, x86_lane(l, fp, x86_vec(l, 0), 0), b,
                               0, signals);
    oryx_val z = oryx_zext(l->ir, I32, I1, oryx_flcond(l->ir, ORYX_FC_Z, fl)),
             s = oryx_zext(l->ir, I32, I1, oryx_flcond(l->ir, ORYX_FC_S, fl));
    oryx_val o = oryx_flcond(l->ir, ORYX_FC_O, fl);
    oryx_val word = x86_bin(l, ORYX_OP_OR, I32, x86_bini(l, ORYX_OP_SHL, I32, z, 6), s);
    word =
        oryx_select(l->ir, I32, o, x86_imm(l, I32, ORYX_FLAG_Z | ORYX_FLAG_P | ORYX_FLAG_C), word);
    x86_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, word, 0, 0, 0));
}

ORYX_INSN(COMISS, "0f 2f /r Vss,Wss", SSE)
{
    compare_flags(l, F32, 1);
}
ORYX_INSN(COMISD, "66 0f 2f /r Vsd,Wsd", SSE2)
{
    compare_flags(l, F64, 1);
}
ORYX_INSN(UCOMISS, "0f 2e /r Vss,Wss", SSE)
{
    compare_flags(l, F32, 0);
}
ORYX_INSN(UCOMISD, "66 0f 2e /r Vsd,Wsd", SSE2)
{
    compare_flags(l, F64, 0);
}

/* --- Conversion
 * -------------------------------------------------------------------------------------------------------------------------
 */

ORYX_INSN(CVTSS2SD, "F3 0f 5a /r Vsd,Wss", SSE2)
{
    set_scalar(l, F64, oryx_ir_emit(l->ir, ORYX_OP_FCVT, F64, F32, scalar(l, F32, 1), 0, 0, 0));
}

ORYX_INSN(CVTSD2SS, "F2 0f 5a /r Vss,Wsd", SSE2)
{
    set_scalar(l, F32, oryx_ir_emit(l->ir, ORYX_OP_FCVT, F32, F64, scalar(l, F64, 1), 0, 0, 0));
}

ORYX_INSN(CVTPS2PD, "0f 5a /r Vpd,Wps", SSE2)
{
    oryx_val a = x86_vec_unaligned(l, 1), v = x86_zero(l);
    for (unsigned i = 0; i < 2; i++)
        v = x86_with_lane(
            l, F64, v, i,
            oryx_ir_emit(l->ir, ORYX_OP_FCVT, F64, F32, x86_lane(l, F32, a, i), 0, 0, 0));
    x86_set_vec(l, 0, v);
}

ORYX_INSN(CVTPD2PS, "66 0f 5a /r Vps,Wpd", SSE2)
{
    oryx_val a = x86_vec(l, 1), v = x86_zero(l);
    for (unsigned i = 0; i < 2; i++)
        v = x86_with_lane(
            l, F32, v, i,
            oryx_ir_emit(l->ir, ORYX_OP_FCVT, F32, F64, x86_lane(l, F64, a, i), 0, 0, 0));
    x86_set_vec(l, 0, v);
}

/* From integers. */
static void from_int(x86_lift *l, unsigned fp)
{
    unsigned type = x86_op_type(l, 1);
    oryx_val v = x86_read(l, 1);
    set_scalar(l, fp, oryx_ir_emit(l->ir, ORYX_OP_ITOF, fp, type, v, 0, 0, 8));
}

ORYX_INSN(CVTSI2SS, "F3 0f 2a /r Vss,Ey", SSE)
{
    from_int(l, F32);
}
ORYX_INSN(CVTSI2SD, "F2 0f 2a /r Vsd,Ey", SSE2)
{
    from_int(l, F64);
}

/* To integers: what does not fit, and a NaN, is the most negative number. IR saturates, so a result
 * of the greatest is looked at again: it is right when the operand is below the limit that still
 * rounds to it. */
static oryx_val to_int(x86_lift *l, unsigned type, unsigned fp, oryx_val a, unsigned rm)
{
    unsigned mode = rm == ORYX_RM_ENV ? l->ir->fp.rounding : rm, bits = x86_bits(type);
    oryx_val v = oryx_ir_emit(l->ir, ORYX_OP_FTOI, type, fp, a, 0, 0, rm | 8);
    double limit = bits == 64                ? 0x1p63
                   : fp == F32               ? 0x1p31
                   : mode == ORYX_RM_NEAREST ? 0x1p31 - 0.5
                   : mode == ORYX_RM_UP      ? 0x1p31 - 1
                                             : 0x1p31;
    bool inclusive = bits == 32 && fp == F64 && mode == ORYX_RM_UP;
    union {
        double d;
        uint64_t u;
    } d = {.d = limit};
    union {
        float f;
        uint32_t u;
    } s = {.f = (float)limit};
    oryx_val at = oryx_const(l->ir, fp, fp == F32 ? s.u : d.u);
    oryx_val fl =
        oryx_ir_emit(l->ir, ORYX_OP_FLFCMP, FL, fp, inclusive ? at : a, inclusive ? a : at, 0, 0);
    /* a < limit; or a <= limit as not (limit < a) and ordered. */
    oryx_val fits =
        inclusive ? oryx_flcond(l->ir, ORYX_FC_GE, fl) : oryx_flcond(l->ir, ORYX_FC_S, fl);
    return oryx_select(l->ir, type, fits, v, x86_imm(l, type, (uint64_t)1 << (bits - 1)));
}

static void to_int_s(x86_lift *l, unsigned fp, unsigned rm)
{
    oryx_val a = scalar(l, fp, 1);
    x86_write(l, 0, to_int(l, x86_op_type(l, 0), fp, a, rm));
}

ORYX_INSN(CVTSS2SI, "F3 0f 2d /r Gy,Wss", SSE)
{
    to_int_s(l, F32, ORYX_RM_ENV);
}
ORYX_INSN(CVTSD2SI, "F2 0f 2d /r Gy,Wsd", SSE2)
{
    to_int_s(l, F64, ORYX_RM_ENV);
}
ORYX_INSN(CVTTSS2SI, "F3 0f 2c /r Gy,Wss", SSE)
{
    to_int_s(l, F32, ORYX_RM_ZERO);
}
ORYX_INSN(CVTTSD2SI, "F2 0f 2c /r Gy,Wsd", SSE2)
{
    to_int_s(l, F64, ORYX_RM_ZERO);
}

/* n lanes of fp to 32-bit integers in the low part. */
static void to_int_p(x86_lift *l, unsigned fp, unsigned n, unsigned rm)
{
    oryx_val a = x86_vec(l, 1), v = x86_zero(l);
    for (unsigned i = 0; i < n; i++)
        v = x86_with_lane(l, I32, v, i, to_int(l, I32, fp, x86_lane(l, fp, a, i), rm));
    x86_set_vec(l, 0, v);
}

ORYX_INSN(CVTPS2DQ, "66 0f 5b /r Vx,Wps", SSE2)
{
    to_int_p(l, F32, 4, ORYX_RM_ENV);
}
ORYX_INSN(CVTTPS2DQ, "F3 0f 5b /r Vx,Wps", SSE2)
{
    to_int_p(l, F32, 4, ORYX_RM_ZERO);
}
ORYX_INSN(CVTPD2DQ, "F2 0f e6 /r Vx,Wpd", SSE2)
{
    to_int_p(l, F64, 2, ORYX_RM_ENV);
}
ORYX_INSN(CVTTPD2DQ, "66 0f e6 /r Vx,Wpd", SSE2)
{
    to_int_p(l, F64, 2, ORYX_RM_ZERO);
}

ORYX_INSN(CVTDQ2PS, "0f 5b /r Vps,Wx", SSE2)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_VITOF, F32, x86_vec(l, 1), 8));
}
ORYX_INSN(CVTDQ2PD, "F3 0f e6 /r Vpd,Wq", SSE2)
{
    oryx_val a = x86_vec_unaligned(l, 1), v = x86_zero(l);
    for (unsigned i = 0; i < 2; i++)
        v = x86_with_lane(
            l, F64, v, i,
            oryx_ir_emit(l->ir, ORYX_OP_ITOF, F64, I32, x86_lane(l, I32, a, i), 0, 0, 8));
    x86_set_vec(l, 0, v);
}

/* Of MMX registers: two 32-bit integers. */
ORYX_INSN(CVTPI2PS, "0f 2a /r Vps,Qpi", SSE)
{
    oryx_val a = x86_vec_unaligned(l, 1), v = x86_vec(l, 0);
    for (unsigned i = 0; i < 2; i++)
        v = x86_with_lane(l, F32, v, i, oryx_ir_emit(l->ir, ORYX_OP_ITOF, F32, I32, x86_lane(l, I32, a, i), 0, 0, 8));
    x86_set_vec(l, 0, v);
}
ORYX_INSN(CVTPI2PD, "66 0f 2a /r Vpd,Qpi", SSE2)
{
    oryx_val a = x86_vec_unaligned(l, 1), v = x86_zero(l);
    for (unsigned i = 0; i < 2; i++)
        v = x86_with_lane(l, F64, v, i, oryx_ir_emit(l->ir, ORYX_OP_ITOF, F64, I32, x86_lane(l, I32, a, i), 0, 0, 8));
    x86_set_vec(l, 0, v);
}
ORYX_INSN(CVTPS2PI, "0f 2d /r Ppi,Wps", SSE)
{
    to_int_p(l, F32, 2, ORYX_RM_ENV);
}
ORYX_INSN(CVTTPS2PI, "0f 2c /r Ppi,Wps", SSE)
{
    to_int_p(l, F32, 2, ORYX_RM_ZERO);
}
ORYX_INSN(CVTPD2PI, "66 0f 2d /r Ppi,Wpd", SSE2)
{
    to_int_p(l, F64, 2, ORYX_RM_ENV);
}
ORYX_INSN(CVTTPD2PI, "66 0f 2c /r Ppi,Wpd", SSE2)
{
    to_int_p(l, F64, 2, ORYX_RM_ZERO);
}

/* --- Rounding: imm bits 0-1 the mode, bit 2 MXCSR's, bit 3 inexact is not signalled
 * ------------------------------------------------------------ */

static uint64_t rounding(const x86_lift *l)
{
    static const uint8_t mode[4] = {ORYX_RM_NEAREST, ORYX_RM_DOWN, ORYX_RM_UP, ORYX_RM_ZERO};
    uint64_t imm = l->op[2].imm.value.u;
    return (imm & 4 ? ORYX_RM_ENV : mode[imm & 3]) | (imm & 8 ? 0 : 8);
}

static void round_scalar(x86_lift *l, unsigned fp)
{
    set_scalar(l, fp,
               oryx_ir_emit(l->ir, ORYX_OP_FROUND, fp, fp, scalar(l, fp, 1), 0, 0, rounding(l)));
}

ORYX_INSN(ROUNDPS, "66 0f 3a 08 /r ib Vps,Wps,Ib", SSE41)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_FROUND, F32, x86_vec(l, 1), rounding(l)));
}
ORYX_INSN(ROUNDPD, "66 0f 3a 09 /r ib Vpd,Wpd,Ib", SSE41)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_FROUND, F64, x86_vec(l, 1), rounding(l)));
}
ORYX_INSN(ROUNDSS, "66 0f 3a 0a /r ib Vss,Wss,Ib", SSE41)
{
    round_scalar(l, F32);
}
ORYX_INSN(ROUNDSD, "66 0f 3a 0b /r ib Vsd,Wsd,Ib", SSE41)
{
    round_scalar(l, F64);
}

/* --- MXCSR
 * ------------------------------------------------------------------------------------------------------------------------------------------
 */

/* Reserved bits are #GP. */
ORYX_INSN(LDMXCSR, "0f ae /2 Md", SSE)
{
    oryx_val v = x86_read(l, 0);
    oryx_local_put(l->ir, I32, 0, v);
    x86_raise_if(l, oryx_cmp(l->ir, ORYX_CC_GTU, I32, v, x86_imm(l, I32, 0xffff)),
                 ORYX_EXC_PRIVILEGED, X86_VEC_GP | X86_ERROR_CODE(0));
    v = oryx_local_get(l->ir, I32, 0);
    x86_call(l, X86_HELPER_LDMXCSR, ORYX_T_VOID, &v, 1);
    oryx_resync(l->ir, l->next);
    l->end = 1;
}

ORYX_INSN(STMXCSR, "0f ae /3 Md", SSE)
{
    oryx_val flags = oryx_ir_emit(l->ir, ORYX_OP_FFLAGS, I32, I32, 0, 0, 0, 0);
    x86_write(l, 0, x86_call(l, X86_HELPER_STMXCSR, I32, &flags, 1));
}
