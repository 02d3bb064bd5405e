/* Floating point on the host's SIMD unit. Called by compile.c. Sign operations are exact everywhere; arithmetic takes the
 * reference functions. */
#include "x64.h"

#define P(op) (OP_66 | (op))

static bool sign_op(jit *j, oryx_val v, bool clear)
{
    const oryx_ir_op *o = op_of(j, v);
    bool wide = o->lane == ORYX_T_F64;
    emit *e = &j->e;
    uint64_t mask = wide ? 1ull << 63 : 0x8000000080000000u;
    emit_mov_ri(e, RAX, clear ? ~mask : mask);
    emit_rr(e, P(0x0f6e), W64, XS0, RAX);
    emit_rr(e, P(0x0f6c), W32, XS0, XS0);
    unsigned d = xmm_def_copy(j, v, o->a);
    emit_rr(e, clear ? P(0x0fdb) : P(0x0fef), W32, d, XS0);
    return true;
}

bool fp_op(jit *j, oryx_val v)
{
    switch (op_of(j, v)->op) {
    case ORYX_OP_FNEG: return sign_op(j, v, false);
    case ORYX_OP_FABS: return sign_op(j, v, true);
    default: return false;
    }
}
