/* The vocabulary of SSE bodies: x86_sse_common.c. */
#ifndef X86_SSE_H
#define X86_SSE_H

#include "x86.h"

#define V64 ORYX_T_V64
#define F32 ORYX_T_F32
#define F64 ORYX_T_F64

bool x86_is_mmx(const x86_lift *l, unsigned i); /* operand i is an MMX register */
/* Operand i as v128: a register, or memory of 128 bits, which must be aligned, or a smaller one in
 * the low part, zeros above. */
oryx_val x86_vec(x86_lift *l, unsigned i);
oryx_val x86_vec_unaligned(x86_lift *l, unsigned i);
oryx_val x86_xmm(x86_lift *l, unsigned n);             /* register by number */
void x86_set_vec(x86_lift *l, unsigned i, oryx_val v); /* register operand i */
oryx_val x86_vop(x86_lift *l, unsigned op, unsigned lane, oryx_val a, oryx_val b, uint64_t imm);
oryx_val x86_vop1(x86_lift *l, unsigned op, unsigned lane, oryx_val a, uint64_t imm);
oryx_val x86_lane(x86_lift *l, unsigned lane, oryx_val v, unsigned n); /* lane n as a scalar */
oryx_val x86_with_lane(x86_lift *l, unsigned lane, oryx_val v, unsigned n, oryx_val s);
oryx_val x86_zero(x86_lift *l);
void x86_movsd_sse(x86_lift *l); /* MOVSD, which shares its name with a string instruction */
void x86_cmpsd_sse(x86_lift *l);                         /* so does CMPSD */
/* dest = op(dest, source) lane-wise. */
void x86_sse(x86_lift *l, unsigned op, unsigned lane, uint64_t imm);

#endif
