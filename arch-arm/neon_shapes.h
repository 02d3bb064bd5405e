/* Shapes of several ops that AdvSIMD files share. m: the second factor, already a vector of the operation's width. */
#ifndef NEON_SHAPES_H
#define NEON_SHAPES_H

#include "neon.h"

void neon_rdm(a32_lift *l, const a32_fields *f, oryx_val m, unsigned op);               /* VQRDMLAH, VQRDMLSH; m a V128 */
void neon_mul_long(a32_lift *l, const a32_fields *f, oryx_val m, unsigned acc, unsigned is_signed); /* m a V128 */
void neon_qdmul_long(a32_lift *l, const a32_fields *f, oryx_val m, unsigned acc);

#endif
