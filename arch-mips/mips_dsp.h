/* The DSP module (MD00374), revisions 1 and 2 in 32-bit registers: DSPControl and what the rows of mips_dsp_*.c ask the helpers for.
 *
 * Accumulator n is mips_state.hi[n], lo[n]: 0 is HI and LO. Field a is the accumulator. */
#ifndef MIPS_DSP_H
#define MIPS_DSP_H

#include "mips.h"

/* DSPControl: pos, scount, c, EFI, ouflag, ccond. */
#define DSP_POS 0x3fu
#define DSP_SCOUNT_SHIFT 7
#define DSP_C 0x2000u
#define DSP_C_SHIFT 13
#define DSP_EFI 0x4000u
#define DSP_OU_ACC 16   /* of accumulator 0; one each */
#define DSP_OU_ADD 20
#define DSP_OU_MUL 21
#define DSP_OU_SHIFT 22
#define DSP_OU_EXTRACT 23
#define DSP_CCOND_SHIFT 24
#define DSP_WRITABLE 0x0fff7fbfu

/* mips_helper_dsp's operations; code: DSP_LANES. b of a shift is its amount. */
enum {
    DSP_SUBUH_R, DSP_SUBQH_R, DSP_MUL, DSP_MUL_S, DSP_MULQ_S, DSP_MULQ_RS, DSP_SHLL, DSP_SHLL_S, DSP_SHLLU, DSP_SHRA, DSP_SHRA_R, DSP_SHRL,
    /* of whole registers */
    DSP_WHOLE, DSP_ADDSC = DSP_WHOLE, DSP_ADDWC, DSP_MODSUB, DSP_RADDU, DSP_MULEU_L, DSP_MULEU_R, DSP_MULEQ_L, DSP_MULEQ_R, DSP_CMPU_EQ, DSP_CMPU_LT,
    DSP_CMPU_LE, DSP_CMPGU_EQ, DSP_CMPGU_LT, DSP_CMPGU_LE, DSP_CMPGDU_EQ, DSP_CMPGDU_LT, DSP_CMPGDU_LE, DSP_CMP_EQ, DSP_CMP_LT, DSP_CMP_LE,
    DSP_PICK_QB, DSP_PICK_PH, DSP_PRECRQ_QB, DSP_PRECR_QB, DSP_PRECRQU_S, DSP_PRECRQ_RS, DSP_BITREV, DSP_OP_COUNT
};
#define DSP_LANES(op, bits) ((uint32_t)(op) | (uint32_t)(bits) << 8)

/* mips_helper_dsp_acc's operations; code: | accumulator << 8. */
enum {
    DSP_DPAU_L, DSP_DPAU_R, DSP_DPSU_L, DSP_DPSU_R, DSP_DPA, DSP_DPS, DSP_DPAX, DSP_DPSX, DSP_MULSA, DSP_DPAQ_S, DSP_DPSQ_S, DSP_DPAQX_S, DSP_DPSQX_S,
    DSP_DPAQX_SA, DSP_DPSQX_SA, DSP_MULSAQ_S, DSP_DPAQ_SA_L, DSP_DPSQ_SA_L, DSP_MAQ_S_L, DSP_MAQ_S_R, DSP_MAQ_SA_L, DSP_MAQ_SA_R
};
/* mips_helper_dsp_extract's; code: | accumulator << 8. */
enum { DSP_EXTR, DSP_EXTR_R, DSP_EXTR_RS, DSP_EXTR_S_H, DSP_EXTP, DSP_EXTPDP };

uint32_t mips_helper_dsp(oryx_cpu *cpu, uint32_t a, uint32_t b, uint32_t code);
void mips_helper_dsp_acc(oryx_cpu *cpu, uint32_t a, uint32_t b, uint32_t code);
uint32_t mips_helper_dsp_extract(oryx_cpu *cpu, uint32_t n, uint32_t code);

#endif
