/* Inline builders, one a shape of op. Included by oryx_ir.h only. T is an ORYX_T_* type, every result is a value. */
#ifndef ORYX_IR_BUILD_H
#define ORYX_IR_BUILD_H

#include "oryx_ir.h"

static inline oryx_val oryx_const(oryx_ir *ir, unsigned type, uint64_t imm)
{
    return oryx_ir_emit(ir, ORYX_OP_CONST, type, type, 0, 0, 0, imm);
}
static inline oryx_val oryx_vconst(oryx_ir *ir, unsigned type, uint64_t lo, uint64_t hi)
{
    return oryx_ir_emit(ir, ORYX_OP_VCONST, type, ORYX_T_I64, 0, (uint32_t)hi, (uint32_t)(hi >> 32), lo);
}
static inline oryx_val oryx_get(oryx_ir *ir, unsigned type, uint32_t offset)
{
    return oryx_ir_emit(ir, ORYX_OP_GET, type, type, 0, 0, 0, offset);
}
static inline void oryx_put(oryx_ir *ir, unsigned type, uint32_t offset, oryx_val v)
{
    oryx_ir_emit(ir, ORYX_OP_PUT, type, type, v, 0, 0, offset);
}
static inline oryx_val oryx_local_get(oryx_ir *ir, unsigned type, uint32_t n)
{
    return oryx_ir_emit(ir, ORYX_OP_LGET, type, type, 0, 0, 0, n);
}
static inline void oryx_local_put(oryx_ir *ir, unsigned type, uint32_t n, oryx_val v)
{
    oryx_ir_emit(ir, ORYX_OP_LPUT, type, type, v, 0, 0, n);
}
/* Scalar unary and binary: lane = type. */
static inline oryx_val oryx_un(oryx_ir *ir, unsigned op, unsigned type, oryx_val a)
{
    return oryx_ir_emit(ir, op, type, type, a, 0, 0, 0);
}
static inline oryx_val oryx_bin(oryx_ir *ir, unsigned op, unsigned type, oryx_val a, oryx_val b)
{
    return oryx_ir_emit(ir, op, type, type, a, b, 0, 0);
}
/* Vector (or lane-attributed) forms with an immediate. */
static inline oryx_val oryx_vun(oryx_ir *ir, unsigned op, unsigned type, unsigned lane, oryx_val a, uint64_t imm)
{
    return oryx_ir_emit(ir, op, type, lane, a, 0, 0, imm);
}
static inline oryx_val oryx_vbin(oryx_ir *ir, unsigned op, unsigned type, unsigned lane, oryx_val a, oryx_val b,
                                 uint64_t imm)
{
    return oryx_ir_emit(ir, op, type, lane, a, b, 0, imm);
}
static inline oryx_val oryx_vtri(oryx_ir *ir, unsigned op, unsigned type, unsigned lane, oryx_val a, oryx_val b,
                                 oryx_val c, uint64_t imm)
{
    return oryx_ir_emit(ir, op, type, lane, a, b, c, imm);
}
static inline oryx_val oryx_zext(oryx_ir *ir, unsigned to, unsigned from, oryx_val a)
{
    return to == from ? a : oryx_ir_emit(ir, ORYX_OP_ZEXT, to, from, a, 0, 0, 0);
}
static inline oryx_val oryx_sext(oryx_ir *ir, unsigned to, unsigned from, oryx_val a)
{
    return to == from ? a : oryx_ir_emit(ir, ORYX_OP_SEXT, to, from, a, 0, 0, 0);
}
static inline oryx_val oryx_trunc(oryx_ir *ir, unsigned to, unsigned from, oryx_val a)
{
    return to == from ? a : oryx_ir_emit(ir, ORYX_OP_TRUNC, to, from, a, 0, 0, 0);
}
static inline oryx_val oryx_bitcast(oryx_ir *ir, unsigned to, unsigned from, oryx_val a)
{
    return to == from ? a : oryx_ir_emit(ir, ORYX_OP_BITCAST, to, from, a, 0, 0, 0);
}
/* Bit field extract: op is ORYX_OP_UBFX or ORYX_OP_SBFX. */
static inline oryx_val oryx_bfx(oryx_ir *ir, unsigned op, unsigned type, oryx_val a, unsigned pos, unsigned len)
{
    return oryx_ir_emit(ir, op, type, type, a, 0, 0, pos | (uint64_t)len << 8);
}
static inline oryx_val oryx_bfi(oryx_ir *ir, unsigned type, oryx_val a, oryx_val b, unsigned pos, unsigned len)
{
    return oryx_ir_emit(ir, ORYX_OP_BFI, type, type, a, b, 0, pos | (uint64_t)len << 8);
}
static inline oryx_val oryx_cmp(oryx_ir *ir, unsigned cc, unsigned type, oryx_val a, oryx_val b)
{
    return oryx_ir_emit(ir, ORYX_OP_CMP, ORYX_T_I1, type, a, b, 0, cc);
}
static inline oryx_val oryx_select(oryx_ir *ir, unsigned type, oryx_val cond, oryx_val a, oryx_val b)
{
    return oryx_ir_emit(ir, ORYX_OP_SELECT, type, type, cond, a, b, 0);
}
static inline oryx_val oryx_flmake(oryx_ir *ir, unsigned kind, unsigned type, oryx_val a, oryx_val b, oryx_val cin)
{
    return oryx_ir_emit(ir, ORYX_OP_FLMAKE, ORYX_T_FL, type, a, b, cin, kind);
}
static inline oryx_val oryx_flcond(oryx_ir *ir, unsigned cond, oryx_val fl)
{
    return oryx_ir_emit(ir, ORYX_OP_FLCOND, ORYX_T_I1, ORYX_T_FL, fl, 0, 0, cond);
}
/* Memory. memop: ORYX_MO_*. */
static inline oryx_val oryx_mem_hooked(oryx_ir *ir, oryx_val v)
{
    if (ir->mem_hook && v)
        ir->mem_hook(ir, v);
    return v;
}
static inline oryx_val oryx_load(oryx_ir *ir, unsigned type, oryx_val addr, uint32_t memop)
{
    return oryx_mem_hooked(ir, oryx_ir_emit(ir, ORYX_OP_LOAD, type, type, addr, 0, 0, memop));
}
static inline void oryx_store(oryx_ir *ir, unsigned type, oryx_val addr, oryx_val v, uint32_t memop)
{
    oryx_mem_hooked(ir, oryx_ir_emit(ir, ORYX_OP_STORE, type, type, addr, v, 0, memop));
}
static inline oryx_val oryx_rmw(oryx_ir *ir, unsigned kind, unsigned type, oryx_val addr, oryx_val v, uint32_t memop)
{
    return oryx_mem_hooked(ir, oryx_ir_emit(ir, ORYX_OP_RMW, type, type, addr, v, 0, memop | (uint64_t)kind << 32));
}
static inline oryx_val oryx_cas(oryx_ir *ir, unsigned type, oryx_val addr, oryx_val expect, oryx_val v, uint32_t memop)
{
    return oryx_mem_hooked(ir, oryx_ir_emit(ir, ORYX_OP_CAS, type, type, addr, expect, v, memop));
}
static inline oryx_val oryx_ldx(oryx_ir *ir, unsigned type, oryx_val addr, uint32_t memop)
{
    return oryx_mem_hooked(ir, oryx_ir_emit(ir, ORYX_OP_LDX, type, type, addr, 0, 0, memop));
}
static inline oryx_val oryx_stx(oryx_ir *ir, unsigned type, oryx_val addr, oryx_val v, uint32_t memop)
{
    return oryx_mem_hooked(ir, oryx_ir_emit(ir, ORYX_OP_STX, type, type, addr, v, 0, memop));
}
/* A helper call with n (0..8) operands; type is the result's or ORYX_T_VOID. */
static inline oryx_val oryx_call(oryx_ir *ir, uint32_t helper, unsigned type, const oryx_val *v, unsigned n)
{
    oryx_val w[8] = { 0 };
    for (unsigned i = 0; i < n && i < 8; i++)
        w[i] = v[i];
    if (n > 3)
        oryx_ir_emit(ir, ORYX_OP_ARGS, ORYX_T_VOID, ORYX_T_VOID, w[3], w[4], w[5], (uint64_t)w[7] << 32 | w[6]);
    return oryx_ir_emit(ir, ORYX_OP_CALL, type, type, w[0], w[1], w[2], helper);
}
/* Labels and block ends. */
static inline void oryx_label(oryx_ir *ir, uint32_t n)
{
    oryx_ir_emit(ir, ORYX_OP_LABEL, 0, 0, 0, 0, 0, n);
}
static inline void oryx_br(oryx_ir *ir, uint32_t n)
{
    oryx_ir_emit(ir, ORYX_OP_BR, 0, 0, 0, 0, 0, n);
}
static inline void oryx_brc(oryx_ir *ir, oryx_val cond, uint32_t n)
{
    oryx_ir_emit(ir, ORYX_OP_BRC, 0, 0, cond, 0, 0, n);
}
static inline void oryx_goto(oryx_ir *ir, uint64_t pc, unsigned slot)
{
    oryx_ir_emit(ir, ORYX_OP_GOTO, 0, 0, slot, 0, 0, pc);
}
static inline void oryx_gotoc(oryx_ir *ir, oryx_val cond, uint64_t taken, uint64_t other)
{
    oryx_ir_emit(ir, ORYX_OP_GOTOC, 0, 0, cond, (uint32_t)other, (uint32_t)(other >> 32), taken);
}
static inline void oryx_gotoi(oryx_ir *ir, oryx_val pc, unsigned hint)
{
    oryx_ir_emit(ir, ORYX_OP_GOTOI, 0, 0, pc, 0, 0, hint);
}
static inline void oryx_raise(oryx_ir *ir, unsigned exc, oryx_val syndrome, uint64_t pc)
{
    oryx_ir_emit(ir, ORYX_OP_RAISE, 0, 0, syndrome, (uint32_t)pc, (uint32_t)(pc >> 32), exc);
}
static inline void oryx_resync(oryx_ir *ir, uint64_t pc)
{
    oryx_ir_emit(ir, ORYX_OP_RESYNC, 0, 0, 0, 0, 0, pc);
}

#endif
