/* Register access of the AdvSIMD bodies, and FP arithmetic: inline on ordinary numbers, else a call.
 *
 * Called by neon_*.c. Invariant: with l->pred set (an IT block) a write is a SELECT of the old value. */
#include "neon.h"

static uint32_t slot(a32_lift *l, unsigned q, unsigned r)
{
    if (q && r & 1)
        l->refused = 1;
    return A32_OFF_D(q ? r & ~1u : r);
}

oryx_val neon_get(a32_lift *l, unsigned q, unsigned r)
{
    return oryx_get(l->ir, vec(q), slot(l, q, r));
}

void neon_set(a32_lift *l, unsigned q, unsigned r, oryx_val v)
{
    uint32_t offset = slot(l, q, r);
    if (l->pred)
        v = oryx_select(l->ir, vec(q), l->pred, v, oryx_get(l->ir, vec(q), offset));
    oryx_put(l->ir, vec(q), offset, v);
}

oryx_val neon_widen_value(a32_lift *l, unsigned q, oryx_val v)
{
    return q ? v : oryx_vbin(l->ir, ORYX_OP_VCAT, V128, V64, v, oryx_vconst(l->ir, V64, 0, 0), 0);
}

oryx_val neon_wide(a32_lift *l, unsigned q, unsigned r)
{
    return neon_widen_value(l, q, neon_get(l, q, r));
}

oryx_val neon_narrow_value(a32_lift *l, unsigned q, oryx_val v)
{
    return q ? v : UN(VLOW, V64, V128, v, 0);
}

static oryx_val call_fp(a32_lift *l, unsigned q, uint32_t control, oryx_val a, oryx_val b, oryx_val c)
{
    oryx_val first = neon_widen_value(l, q, a);
    oryx_val args[4] = { first, b ? neon_widen_value(l, q, b) : first, c ? neon_widen_value(l, q, c) : first, a32_imm(l, control) };
    return neon_narrow_value(l, q, vfp_call(l, A32_HELPER_neon_fp, V128, args, 4));
}

/* Lanes of ones where v is not ordinary. An operand is when it is zero or normal; so is a result, but for the least binade, where
 * rounding and flushing come in another order. With the sign shifted out and 0x81000000 added, zero is the value added, and what
 * is to be found lies below `limit` as a signed number. */
static oryx_val odd_lanes(a32_lift *l, unsigned q, oryx_val v, uint32_t limit)
{
    unsigned t = vec(q);
    oryx_val w = BIN(ADD, t, I32, UN(SHLI, t, I32, v, 1), neon_splat(l, t, 2, 0x81000000u), 0);
    oryx_val low = BIN(VCMP, t, I32, neon_splat(l, t, 2, limit), w, ORYX_CC_GTS);
    return BIN(ANDN, t, I32, low, BIN(VCMP, t, I32, w, neon_splat(l, t, 2, 0x81000000u), ORYX_CC_EQ), 0);
}
enum { OPERAND_LIMIT = 0x82000000u, RESULT_LIMIT = 0x83000000u };

static void leave_if_any(a32_lift *l, unsigned q, oryx_val mask, uint32_t label)
{
    oryx_ir *ir = l->ir;
    oryx_val bits;
    if (q)
        bits = oryx_bin(ir, ORYX_OP_OR, I64, UN(VGET, V128, I64, mask, 0), UN(VGET, V128, I64, mask, 1));
    else
        bits = UN(BITCAST, I64, V64, mask, 0);
    oryx_brc(ir, oryx_cmp(ir, ORYX_CC_NE, I64, bits, oryx_const(ir, I64, 0)), label);
}

/* The IR's op, 0 for none: what neither NaN, infinity nor denormals meet is the same in every environment that rounds to nearest. */
static unsigned host_op(const a32_lift *l, unsigned op)
{
    if (l->mode >> 22 & 3)
        return 0;
    switch (op) {
    case H_ADD: return ORYX_OP_FADD;
    case H_SUB:
    case N_ABD: return ORYX_OP_FSUB;
    case H_MUL:
    case N_MLA:
    case N_MLS: return ORYX_OP_FMUL;
    case H_FMA: return ORYX_OP_FMA;
    default: return 0;
    }
}

enum { RESULT, A, B, C }; /* locals: values do not pass labels */

oryx_val neon_fp(a32_lift *l, unsigned q, unsigned op, unsigned mode, unsigned fraction, oryx_val a, oryx_val b, oryx_val c)
{
    uint32_t control = NEON_CONTROL(op, q ? 4 : 2, mode, fraction);
    unsigned host = host_op(l, op), t = vec(q);
    oryx_ir *ir = l->ir;
    if (!host)
        return call_fp(l, q, control, a, b, c);
    uint32_t exact = a32_label_new(l), done = a32_label_new(l);
    oryx_local_put(ir, t, A, a);
    oryx_local_put(ir, t, B, b);
    if (c)
        oryx_local_put(ir, t, C, c);
    if (host == ORYX_OP_FMUL || host == ORYX_OP_FMA) {
        /* A product may be tiny and inexact; flushed it is not inexact. Once that flag stands it makes no difference. */
        oryx_val sticky = oryx_ir_emit(ir, ORYX_OP_FFLAGS, I32, 0, 0, 0, 0, 0);
        sticky = oryx_bin(ir, ORYX_OP_AND, I32, sticky, a32_imm(l, ORYX_FPF_INEXACT));
        oryx_brc(ir, oryx_cmp(ir, ORYX_CC_EQ, I32, sticky, a32_imm(l, 0)), exact);
    }
    oryx_val odd = BIN(OR, t, I32, odd_lanes(l, q, a, OPERAND_LIMIT), odd_lanes(l, q, b, OPERAND_LIMIT), 0);
    if (c)
        odd = BIN(OR, t, I32, odd, odd_lanes(l, q, c, OPERAND_LIMIT), 0);
    leave_if_any(l, q, odd, exact);
    oryx_val r = host == ORYX_OP_FMA ? oryx_vtri(ir, host, t, F32, a, b, c, 0) : oryx_vbin(ir, host, t, F32, a, b, 0);
    odd = odd_lanes(l, q, r, RESULT_LIMIT);
    if (op == N_MLA || op == N_MLS) {
        leave_if_any(l, q, odd, exact);
        r = oryx_vbin(ir, op == N_MLA ? ORYX_OP_FADD : ORYX_OP_FSUB, t, F32, c, r, 0);
        odd = odd_lanes(l, q, r, RESULT_LIMIT);
    }
    leave_if_any(l, q, odd, exact);
    oryx_local_put(ir, t, RESULT, op == N_ABD ? UN(FABS, t, F32, r, 0) : r);
    oryx_br(ir, done);
    oryx_label(ir, exact);
    a = oryx_local_get(ir, t, A);
    b = oryx_local_get(ir, t, B);
    oryx_local_put(ir, t, RESULT, call_fp(l, q, control, a, b, c ? oryx_local_get(ir, t, C) : 0));
    oryx_label(ir, done);
    return oryx_local_get(ir, t, RESULT);
}
