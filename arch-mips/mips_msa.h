/* MSA, 128-bit SIMD (MD00866, MD00868): the vocabulary of the rows in mips_msa_*.c.
 *
 * Vector register n is mips_state.f[n], element 0 in its lowest bits in both byte orders; FPR n is its low half. Field letters: s, t, d = ws,
 * wt, wd; z = df (0 B, 1 H, 2 W, 3 D) or, of floating point, 0 W, 1 D. lift_one has checked that MSA may be used. */
#ifndef MIPS_MSA_H
#define MIPS_MSA_H

#include "mips_fp.h"

#define V128 ORYX_T_V128
#define MIPS_SYN_MSAFPE (UINT64_C(14) << 32) /* EXC_MSAFPE, as a syndrome */

/* MSACSR, besides RM, Flags, Enables and Cause, which stand as in FCSR. */
#define MIPS_MSACSR_NX 0x40000u
#define MIPS_MSACSR_FS 0x1000000u
#define MIPS_MSACSR_RW 0x0107ffffu

static inline unsigned msa_lane(unsigned z)
{
    return ORYX_T_I8 + z;
}

static inline unsigned msa_bits(unsigned z)
{
    return 8u << z;
}

static inline oryx_val msa_w(mips_lift *l, unsigned n)
{
    return oryx_get(l->ir, V128, MIPS_OFF_F(n));
}

static inline void msa_set(mips_lift *l, unsigned n, oryx_val v)
{
    oryx_put(l->ir, V128, MIPS_OFF_F(n), v);
}

/* v in every element of df z. */
static inline oryx_val msa_splat(mips_lift *l, unsigned z, uint64_t v)
{
    uint64_t all = z == 0 ? (v & 0xff) * 0x0101010101010101ull : z == 1 ? (v & 0xffff) * 0x0001000100010001ull
                   : z == 2 ? (v & 0xffffffff) * 0x0000000100000001ull : v;
    return oryx_vconst(l->ir, V128, all, all);
}

static inline oryx_val msa_op(mips_lift *l, unsigned op, unsigned z, oryx_val a, oryx_val b, uint64_t imm)
{
    return oryx_vbin(l->ir, op, V128, msa_lane(z), a, b, imm);
}

static inline oryx_val msa_un(mips_lift *l, unsigned op, unsigned z, oryx_val a, uint64_t imm)
{
    return oryx_vun(l->ir, op, V128, msa_lane(z), a, imm);
}

/* (b & mask) | (c & ~mask) */
static inline oryx_val msa_mix(mips_lift *l, oryx_val mask, oryx_val b, oryx_val c)
{
    return oryx_vtri(l->ir, ORYX_OP_BITSEL, V128, ORYX_T_I64, mask, b, c, 0);
}

/* mips_msa_elm.c: byte i of the result is byte n[i] of v, or 0 when n[i] > 15. */
static inline oryx_val msa_table(mips_lift *l, oryx_val v, oryx_val n)
{
    return oryx_vbin(l->ir, ORYX_OP_TBL, V128, ORYX_T_I8, v, n, 0);
}

/* mips_msa_soft.c: instruction word `insn` on the vectors of the state, with MSACSR. */
void mips_helper_msa_fp(oryx_cpu *cpu, uint32_t insn);
uint32_t mips_helper_cfcmsa(oryx_cpu *cpu, uint32_t n);
uint32_t mips_helper_ctcmsa(oryx_cpu *cpu, uint32_t n, uint32_t v);
uint64_t mips_msacsr_mode(const mips_state *s);

#endif
