/* Vector floating point, lane-wise. Called by fp.c, in the environment that rounds to nearest without flushing. The upper half
 * of a v64 is undefined: it is replaced by zeros (divisors: ones) before an instruction that could raise a flag for it. */
#include "simd.h"

bool fp_vec_op(jit *j, oryx_val v)
{
    (void)j;
    (void)v;
    return false;
}
