/* FP helpers of A32 and T32: VFP conversions that are no IR op.
 *
 * Called by generated code through the rows of a32_helpers.def. Invariant: flags are only added to cpu->fp.flags. */
#include "a32.h"
#include "arm_fpop.h"
#include "vfp.h"

/* Towards zero, into 16 bits; control: VFP_FIXED. */
uint64_t a32_helper_vfp_to_fixed(oryx_cpu *cpu, uint64_t v, uint32_t control)
{
    oryx_fpenv fp = cpu->fp;
    const format *fmt = &formats[control & 3];
    number x = unpack(&fp, fmt, v);
    v = arm_fp_to_fixed(&fp, x, ORYX_RM_ZERO | (control & VFP_FIXED_SIGNED ? H_SIGNED : 0), control >> 8, 16);
    cpu->fp.flags |= fp.flags;
    return v;
}

/* To nearest whatever the environment says. v: 32 bits, extended by the caller. */
uint64_t a32_helper_vfp_from_fixed(oryx_cpu *cpu, uint64_t v, uint32_t control)
{
    oryx_fpenv fp = cpu->fp;
    fp.rounding = ORYX_RM_NEAREST;
    v = arm_fp_from_fixed(&fp, &formats[control & 3], v, control & VFP_FIXED_SIGNED ? H_SIGNED : 0, control >> 8, 32);
    cpu->fp.flags |= fp.flags;
    return v;
}
