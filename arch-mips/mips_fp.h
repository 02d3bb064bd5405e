/* Floating point of the MIPS frontend: FCSR, the FP environment, where FPRs are. */
#ifndef MIPS_FP_H
#define MIPS_FP_H

#include "mips.h"

#define F32 ORYX_T_F32
#define F64 ORYX_T_F64

/* FCSR fields. */
#define MIPS_FCSR_RM 0x3u
#define MIPS_FCSR_FLAGS_SHIFT 2    /* I U O Z V from bit 2 */
#define MIPS_FCSR_ENABLES_SHIFT 7
#define MIPS_FCSR_CAUSE_SHIFT 12   /* and E, of what must be emulated, at 17 */
#define MIPS_FCSR_NAN2008 0x40000u
#define MIPS_FCSR_ABS2008 0x80000u
#define MIPS_FCSR_FS 0x1000000u
#define MIPS_FCSR_FCC 0xfe800000u  /* FCC0 at 23, FCC1-7 from 25 */

/* mips_fpenv.c */
uint32_t mips_fcsr_read(const oryx_cpu *cpu);
void mips_fcsr_write(oryx_cpu *cpu, uint32_t v);
void mips_fpenv_apply(oryx_cpu *cpu);
uint64_t mips_fcsr_mode(const mips_state *s);              /* its part of the mode key */
uint64_t mips_fpr_read(const mips_state *s, unsigned n);   /* FR = 0: 32 bits */
void mips_fpr_write(mips_state *s, unsigned n, uint64_t v);

/* With Status.FR = 0 an odd register is the upper half of the even one below it, so a double is one 64-bit slot. */
static inline uint32_t mips_fpr_offset(uint64_t fr, unsigned n)
{
    return fr ? MIPS_OFF_F(n) : MIPS_OFF_F(n & ~1u) + (n & 1) * 4;
}

/* mips_fp.c: what Release 6's rows share. Field m: 0 single, 1 double. */
static inline unsigned mips_fp_type(const mips_fields *f)
{
    return f->m ? F64 : F32;
}
static inline unsigned mips_int_type(const mips_fields *f)
{
    return f->m ? I64 : I32;
}
oryx_val mips_fpr(mips_lift *l, unsigned type, unsigned n);
void mips_set_fpr(mips_lift *l, unsigned type, unsigned n, oryx_val v);
/* Around an operation that can signal: sticky flags put aside; Cause from the operation's own; an enabled exception is raised.
 * finish: end, then the result into register d. Locals 0-2 are used, and values do not live across the end. */
void mips_fp_begin(mips_lift *l);
/* The same for an operation that mips_fp_cause.c can do again: with no exception enabled and no flushing it is only noted, and Cause is
 * worked out when somebody reads it. kind: MIPS_FP_*; a, b, c: operands of `type` (the type of the source), 0 none. */
enum { MIPS_FP_NONE, MIPS_FP_ADD, MIPS_FP_SUB, MIPS_FP_MUL, MIPS_FP_DIV, MIPS_FP_SQRT, MIPS_FP_RECIP, MIPS_FP_RSQRT, MIPS_FP_MADD, MIPS_FP_MSUB,
       MIPS_FP_CVT, MIPS_FP_CMP, MIPS_FP_CMPS, MIPS_FP_TO_W, MIPS_FP_TO_L, MIPS_FP_FROM_W_S, MIPS_FP_FROM_W_D, MIPS_FP_FROM_L_S, MIPS_FP_FROM_L_D };
#define MIPS_FP_DOUBLE 0x100u          /* operands are doubles */
#define MIPS_FP_RM(rm) ((uint32_t)(rm) << 16)
void mips_fp_begin_noted(mips_lift *l, unsigned kind, unsigned type, oryx_val a, oryx_val b, oryx_val c);
uint32_t mips_fp_cause(const mips_state *s);               /* FCSR.Cause now */
oryx_val mips_fp_cause_of(mips_lift *l, oryx_val flags);   /* FCSR's order of bits from the environment's */
void mips_fp_end(mips_lift *l);
void mips_fp_finish(mips_lift *l, unsigned type, unsigned d, oryx_val v);
/* i32 0 or 1. Bits of c: 1 unordered, 2 equal, 4 less, 8 quiet NaNs signal too. */
oryx_val mips_fp_compare(mips_lift *l, const mips_fields *f, unsigned c);

oryx_val mips_fp_compare_at(mips_lift *l, unsigned type, uint32_t s, uint32_t t, unsigned c); /* of two state offsets */

uint32_t mips_helper_crc(uint32_t crc, uint64_t v, uint32_t how);
uint32_t mips_fir(const oryx_cpu *cpu);                     /* mips.c: the model's */
bool mips_is_r6(const oryx_cpu *cpu);
/* Helpers of CFC1 and CTC1: control register n; ctc1 gives whether an enabled Cause bit is set now. CLASS.fmt. */
uint32_t mips_helper_cfc1(oryx_cpu *cpu, uint32_t n);
uint32_t mips_helper_ctc1(oryx_cpu *cpu, uint32_t n, uint32_t v);
uint64_t mips_helper_class(uint64_t v, uint32_t is_double);

#endif
