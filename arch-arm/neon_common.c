/* Register access of the AdvSIMD bodies and the call for FP arithmetic.
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

oryx_val neon_fp(a32_lift *l, unsigned q, unsigned op, unsigned mode, unsigned fraction, oryx_val a, oryx_val b, oryx_val c)
{
    oryx_val first = neon_widen_value(l, q, a);
    oryx_val args[4] = { first, b ? neon_widen_value(l, q, b) : first, c ? neon_widen_value(l, q, c) : first,
                         a32_imm(l, NEON_CONTROL(op, q ? 4 : 2, mode, fraction)) };
    return neon_narrow_value(l, q, vfp_call(l, A32_HELPER_neon_fp, V128, args, 4));
}
