/* The A64 helpers' way into and out of arm_softfloat.h: which environment a format obeys.
 *
 * Included by a64_fp_helpers.c and a64_fp16_helpers.c. */
#ifndef A64_SOFTFLOAT_H
#define A64_SOFTFLOAT_H

#include "a64_simd.h"
#include "arm_softfloat.h"

/* The environment for a format by z: half precision has a flush control of its own, FPCR.FZ16. Its
 * flags start clear and are for fp_leave to collect. */
static inline oryx_fpenv fp_enter(const oryx_cpu *cpu, unsigned z)
{
    oryx_fpenv fp = cpu->fp;
    fp.flags = 0;
    if (z == 1)
        fp.flush_in = fp.flush_out =
            (((const a64_state *)(const void *)cpu->state)->fpcr & A64_FPCR_FZ16) != 0;
    return fp;
}

static inline void fp_leave(oryx_cpu *cpu, const oryx_fpenv *fp)
{
    cpu->fp.flags |= fp->flags;
}

#endif
