/* Vocabulary of the floating-point and AdvSIMD rows (vfp_*.c, neon_*.c), which serve A32 and T32 alike.
 *
 * Their patterns are A32 encodings; a32_decode.c turns a T32 word into one: the coprocessor space is the same with 1110
 * for the condition, AdvSIMD moves its U bit (DDI 0406C, A7.4, A7.7).
 * Register fields: d and m are D:Vd and M:Vm, the number of a doubleword register; n is Vn:N, that of a single, as the bits
 * lie. p is sz: 0 single, 1 double. */
#ifndef VFP_H
#define VFP_H

#include "a32_text.h"
#include "arm_simd.h"

/* Register numbers of fields d and m, and of n, at precision p. */
static inline unsigned vfp_d(unsigned p, unsigned d)
{
    return p ? d : (d << 1 & 31) | d >> 4;
}
static inline unsigned vfp_n(unsigned p, unsigned n)
{
    return p ? n >> 1 | (n & 1) << 4 : n;
}

/* Single or double register number n. Without D32 there are 16 doubles: the instruction is refused. */
oryx_val vfp_get(a32_lift *l, unsigned p, unsigned n);
void vfp_set(a32_lift *l, unsigned p, unsigned n, oryx_val v);
/* The same as integers of its width. */
oryx_val vfp_get_bits(a32_lift *l, unsigned p, unsigned n);
void vfp_set_bits(a32_lift *l, unsigned p, unsigned n, oryx_val v);
/* Data processing starts here: no short vectors (FPSCR.Len, Stride). */
void vfp_data(a32_lift *l);
oryx_val vfp_call(a32_lift *l, unsigned helper, unsigned type, const oryx_val *args, unsigned n);
/* Memory op of one element of 1 << z bytes, aligned to 1 << align (0: any). */
uint32_t vfp_memop(const a32_lift *l, unsigned z, unsigned align);

/* Control word of the fixed-point helpers: 2 single, 3 double; fraction bits. */
#define VFP_FIXED(p, fraction) ((uint32_t)((p) + 2) | (uint32_t)(fraction) << 8)
#define VFP_FIXED_SIGNED 4u

/* log2 of the element's bytes from L:imm6 of a shift: its highest bit above bit 2. */
static inline unsigned neon_z(uint32_t i)
{
    return i < 16 ? 0 : i < 32 ? 1 : i < 64 ? 2 : 3;
}

/* Text. */
void a32_t_fp(a32_text *t, unsigned p, unsigned n);                  /* s3, d3 */
void a32_t_fplist(a32_text *t, unsigned p, unsigned n, unsigned count);
void a32_t_v(a32_text *t, unsigned q, unsigned n);                   /* d6, or q3 for n == 6 */
void a32_t_vlist(a32_text *t, unsigned n, unsigned count);           /* {d0-d3} */
void a32_t_neon_int(a32_text *t, uint64_t v);
void a32_t_neon_float(a32_text *t, uint32_t v);
void a32_t_fpsys(a32_text *t, unsigned reg);
void a32_t_fpmem(a32_text *t, unsigned n, unsigned u, unsigned imm);

#endif
