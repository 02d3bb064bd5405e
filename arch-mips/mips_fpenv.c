/* FCSR as one word, and the FP environment made from it: MD00083, "Floating Point Control and Status Register".
 *
 * Called by the register interface, reset, the mode key and the CTC1 and CFC1 helpers. Invariant: cpu->fp.flags holds FCSR's
 * Flags; everything else of the environment follows from mips_state.fcsr. */
#include <string.h>

#include "mips_fp.h"

/* Bit i of FCSR's Flags, Enables and Cause: inexact, underflow, overflow, division by zero, invalid. */
static const uint32_t sticky[5] = { ORYX_FPF_INEXACT, ORYX_FPF_UNDERFLOW, ORYX_FPF_OVERFLOW, ORYX_FPF_DIVZERO, ORYX_FPF_INVALID };

uint32_t mips_fcsr_read(const oryx_cpu *cpu)
{
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    uint32_t v = s->fcsr & ~(MIPS_FCSR_FCC | 0x1fu << MIPS_FCSR_FLAGS_SHIFT | 0x3fu << MIPS_FCSR_CAUSE_SHIFT);
    for (unsigned i = 0; i < 5; i++)
        if (cpu->fp.flags & sticky[i])
            v |= 1u << (MIPS_FCSR_FLAGS_SHIFT + i);
    return v | s->cause << MIPS_FCSR_CAUSE_SHIFT | (s->fcc & 1) << 23 | (s->fcc >> 1 & 0x7f) << 25;
}

void mips_fcsr_write(oryx_cpu *cpu, uint32_t v)
{
    mips_state *s = (mips_state *)(void *)cpu->state;
    uint32_t fixed = s->fcsr & (MIPS_FCSR_NAN2008 | MIPS_FCSR_ABS2008);
    s->fcsr = (v & (MIPS_FCSR_RM | 0x1fu << MIPS_FCSR_ENABLES_SHIFT | MIPS_FCSR_FS)) | fixed;
    s->fcc = (v >> 23 & 1) | (v >> 25 & 0x7f) << 1;
    s->cause = v >> MIPS_FCSR_CAUSE_SHIFT & 0x3f;
    s->last_op = 0;
    cpu->fp.flags = 0;
    for (unsigned i = 0; i < 5; i++)
        if (v >> (MIPS_FCSR_FLAGS_SHIFT + i) & 1)
            cpu->fp.flags |= sticky[i];
    mips_fpenv_apply(cpu);
}

void mips_fpenv_apply(oryx_cpu *cpu)
{
    static const uint8_t rounding[4] = { ORYX_RM_NEAREST, ORYX_RM_ZERO, ORYX_RM_UP, ORYX_RM_DOWN };
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    unsigned flush = s->fcsr & MIPS_FCSR_FS ? 1 : 0;
    cpu->fp.rounding = rounding[s->fcsr & MIPS_FCSR_RM];
    cpu->fp.flush_in = cpu->fp.flush_out = (uint8_t)flush;
    cpu->fp.default_nan = 0;
    cpu->fp.nan_rule = s->fcsr & MIPS_FCSR_NAN2008 ? ORYX_NAN_MIPS_2008 : ORYX_NAN_MIPS;
    cpu->fp.tiny_before = 0;
    cpu->fp.alt_half = 0;
}

uint64_t mips_fcsr_mode(const mips_state *s)
{
    uint64_t v = (s->fcsr & MIPS_FCSR_RM) << MIPS_MODE_FCSR_SHIFT;
    v |= s->fcsr & MIPS_FCSR_FS ? MIPS_MODE_FS : 0;
    v |= s->fcsr & MIPS_FCSR_ABS2008 ? MIPS_MODE_ABS2008 : 0;
    v |= s->fcsr & MIPS_FCSR_NAN2008 ? MIPS_MODE_NAN2008 : 0;
    return v | (s->fcsr & 0x1fu << MIPS_FCSR_ENABLES_SHIFT ? MIPS_MODE_TRAPS : 0);
}

uint64_t mips_fpr_read(const mips_state *s, unsigned n)
{
    const uint8_t *at = (const uint8_t *)s + mips_fpr_offset(s->status_fr, n);
    uint64_t v = 0;
    memcpy(&v, at, s->status_fr ? 8 : 4);
    return v;
}

void mips_fpr_write(mips_state *s, unsigned n, uint64_t v)
{
    memcpy((uint8_t *)s + mips_fpr_offset(s->status_fr, n), &v, s->status_fr ? 8 : 4);
}
