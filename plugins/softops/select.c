/* The out-of-line function of an IR op, asked file by file.
 *
 * Called by compile.c for ops without a handler in run.c. The invariant: NULL only for a combination of type and lane
 * that oryx_ir.def does not allow. */
#include "softops.h"

ool_fn softop_select(const oryx_ir_op *op)
{
    ool_fn f = softop_select_fp(op);
    if (!f && (op->type == ORYX_T_V64 || op->type == ORYX_T_V128))
        f = softop_select_vec(op);
    if (!f)
        f = softop_select_vecx(op);
    if (!f)
        f = softop_select_scalar(op);
    return f;
}
