/* The simplifier's two files: ir_opt.c walks blocks, ir_fold.c knows arithmetic. */
#ifndef ORYX_IR_OPT_H
#define ORYX_IR_OPT_H

#include <stdbool.h>

#include "core.h"

static inline unsigned oryx__bits(unsigned type)
{
    return type == ORYX_T_I1 ? 1 : oryx_type_size(type) * 8;
}

static inline uint64_t oryx__mask(unsigned bits)
{
    return bits >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1;
}

/* The value of o when its operands are a, b, c; false: not known here. */
bool oryx__ir_fold(const oryx_ir_op *o, uint64_t a, uint64_t b, uint64_t c, uint64_t *out);

#endif
