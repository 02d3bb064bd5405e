/* The IR block: a growing array of ops, and the table of what each op is, generated from oryx_ir.def.
 *
 * translate.c owns one block a machine and refills it; tests make their own. Invariant: op 0 is a NOP, so value 0 means
 * "none" everywhere. */
#include "core.h"

const oryx_ir_info oryx__ir_info[ORYX_OP_COUNT] = {
#define OP(name, sig, types, effects, meaning) { #name, sig, types, effects },
#include "oryx_ir.def"
#undef OP
};

/* Far above what 64 instructions make; a frontend or probe that runs away gets a sticky error, not all of memory. */
#define MAX_OPS (1u << 20)

static oryx_status grow(oryx_ir *ir)
{
    if (ir->cap >= MAX_OPS)
        return ORYX_E_RANGE;
    uint32_t cap = ir->cap ? ir->cap * 2 : 512;
    oryx_ir_op *ops = oryx__realloc(ir->ops, cap * sizeof(*ops));
    if (!ops)
        return ORYX_E_NOMEM;
    ir->ops = ops;
    ir->cap = cap;
    return ORYX_OK;
}

oryx_status oryx__ir_init(oryx_ir *ir)
{
    *ir = (oryx_ir){ .hdr = ORYX_HDR(oryx_ir), .grow = grow };
    oryx_status s = grow(ir);
    if (s == ORYX_OK)
        oryx__ir_reset(ir, 0, 0);
    return s;
}

void oryx__ir_reset(oryx_ir *ir, uint64_t pc, uint64_t mode)
{
    ir->n = 0;
    ir->error = ORYX_OK;
    ir->n_insns = 0;
    ir->pc = pc;
    ir->mode = mode;
    ir->mem_hook = NULL;
    ir->hook_arg = NULL;
    ir->fp = (oryx_fpenv){ 0 };
    oryx_ir_emit(ir, ORYX_OP_NOP, ORYX_T_VOID, ORYX_T_VOID, 0, 0, 0, 0);
}

void oryx__ir_fini(oryx_ir *ir)
{
    oryx__free(ir->ops);
    ir->ops = NULL;
    ir->n = ir->cap = 0;
}

unsigned oryx__ir_type(const oryx_ir *ir, oryx_val v)
{
    if (v == 0 || v >= ir->n)
        return ORYX_T_VOID;
    const oryx_ir_op *o = &ir->ops[v];
    if (o->op >= ORYX_OP_COUNT)
        return ORYX_T_VOID;
    switch (oryx__ir_info[o->op].sig[0]) {
    case 'T':
        return o->type;
    case 'L':
        return o->lane;
    case 'b':
        return ORYX_T_I1;
    case 'n':
        return ORYX_T_I32;
    case 'f':
        return ORYX_T_FL;
    case 'a':
    case 'w':
        return ORYX_T_I64;
    default:
        return ORYX_T_VOID;
    }
}
