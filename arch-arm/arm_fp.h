/* What both frontends, A64's and A32's, know of floating-point state.
 *
 * FPCR and the control bits of FPSCR are one layout (AHP 26, DN 25, FZ 24, RMode 23:22), and so are FPSR and the sticky bits
 * of FPSCR, which cpu->fp.flags holds. */
#ifndef ARM_FP_H
#define ARM_FP_H

#include "oryx.h"

/* The rounding, flush and NaN fields of cpu->fp from the control bits. */
static inline void arm_fpenv_apply(oryx_cpu *cpu, uint32_t fpcr)
{
    if (!(fpcr & 0x07c00000)) { /* what programs run with: one store */
        cpu->fp.rounding = cpu->fp.flush_out = cpu->fp.flush_in = cpu->fp.default_nan = cpu->fp.alt_half = 0;
        cpu->fp.nan_rule = ORYX_NAN_ARM;
        cpu->fp.tiny_before = 1;
        return;
    }
    cpu->fp.rounding = fpcr >> 22 & 3; /* RN RP RM RZ: ORYX_RM_NEAREST UP DOWN ZERO */
    cpu->fp.flush_in = cpu->fp.flush_out = fpcr >> 24 & 1;
    cpu->fp.default_nan = fpcr >> 25 & 1;
    cpu->fp.alt_half = fpcr >> 26 & 1;
    cpu->fp.nan_rule = ORYX_NAN_ARM;
    cpu->fp.tiny_before = 1;
}

/* FPSR: IOC 0, DZC 1, OFC 2, UFC 3, IXC 4 stand as ORYX_FPF_* do; IDC is bit 7, QC bit 27. */
static inline uint32_t arm_fpsr_from_flags(uint32_t flags)
{
    return (flags & 0x1f) | (flags & ORYX_FPF_DENORMAL) << 2 | (flags & ORYX_FPF_SATURATED) << 21;
}

static inline uint32_t arm_flags_from_fpsr(uint32_t fpsr)
{
    return (fpsr & 0x1f) | (fpsr >> 2 & ORYX_FPF_DENORMAL) | (fpsr >> 21 & ORYX_FPF_SATURATED);
}

/* NZCV at bits 31..28, packed S Z at 7, 6, C at 0, O at 8. */
static inline uint32_t arm_nzcv_from_packed(uint32_t packed)
{
    return (packed & 0xc0) << 24 | (packed & ORYX_FLAG_C) << 29 | (packed & ORYX_FLAG_O) << 20;
}

static inline uint32_t arm_packed_from_nzcv(uint32_t nzcv)
{
    return (nzcv >> 24 & 0xc0) | (nzcv >> 29 & ORYX_FLAG_C) | (nzcv >> 20 & ORYX_FLAG_O);
}

#endif
