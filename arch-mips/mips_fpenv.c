/* FCSR as one word, and the FP environment made from it: MD00083, "Floating Point Control and Status Register".
 *
 * Called by the register interface, reset, the mode key and the CTC1 and CFC1 helpers. Invariant: cpu->fp.flags holds FCSR's
 * Flags; everything else of the environment follows from mips_state.fcsr. */
#include <string.h>

#include "mips_fp.h"
#include "mips_sys.h"

/* Bit i of FCSR's Flags, Enables and Cause: inexact, underflow, overflow, division by zero, invalid. */
static const uint32_t sticky[5] = { ORYX_FPF_INEXACT, ORYX_FPF_UNDERFLOW, ORYX_FPF_OVERFLOW, ORYX_FPF_DIVZERO, ORYX_FPF_INVALID };

uint32_t mips_fcsr_read(const oryx_cpu *cpu)
{
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    uint32_t v = s->fcsr & ~(MIPS_FCSR_FCC | 0x1fu << MIPS_FCSR_FLAGS_SHIFT | 0x3fu << MIPS_FCSR_CAUSE_SHIFT);
    for (unsigned i = 0; i < 5; i++)
        if (cpu->fp.flags & sticky[i])
            v |= 1u << (MIPS_FCSR_FLAGS_SHIFT + i);
    return v | mips_fp_cause(s) << MIPS_FCSR_CAUSE_SHIFT | (s->fcc & 1) << 23 | (s->fcc >> 1 & 0x7f) << 25;
}

void mips_fcsr_write(oryx_cpu *cpu, uint32_t v)
{
    mips_state *s = (mips_state *)(void *)cpu->state;
    uint32_t fixed = s->fcsr & (MIPS_FCSR_NAN2008 | MIPS_FCSR_ABS2008);
    s->fcsr = (v & (MIPS_FCSR_RM | 0x1fu << MIPS_FCSR_ENABLES_SHIFT | MIPS_FCSR_FS)) | fixed;
    s->fcc = mips_is_r6(cpu) ? 0 : (v >> 23 & 1) | (v >> 25 & 0x7f) << 1; /* Release 6 has no condition codes */
    s->cause = v >> MIPS_FCSR_CAUSE_SHIFT & 0x3f;
    s->fp_op = 0;
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
    cpu->fp.rounding = rounding[s->fcsr & MIPS_FCSR_RM];
    cpu->fp.flush_in = 0; /* FS is about results; the manual lets operands be flushed, too */
    cpu->fp.flush_out = s->fcsr & MIPS_FCSR_FS ? 1 : 0;
    cpu->fp.default_nan = s->fcsr & MIPS_FCSR_NAN2008 ? 0 : 1;
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

/* --- Helpers -------------------------------------------------------------------------------------------------------------- */

/* Registers that let a program change Status.FR (1 UFR clears, 4 UNFR sets; FIR.UFRP) and Config5.FRE (5, 6; FIR.FREP): Config5.UFR and UFE
 * say whether it may, else it is a Reserved Instruction. NULL: no such
 * register. */
static uint64_t *mode_register(oryx_cpu *cpu, uint32_t n, uint64_t *bit)
{
    mips_state *s = mips_state_of(cpu);
    bool fr = n == 1 || n == 4, fre = n == 5 || n == 6;
    uint64_t may = fr ? C5_UFR : C5_UFE;
    if (!(fr || fre) || !(mips_fir(cpu) >> (fr ? 28 : 29) & 1))
        return NULL;
    if (!(s->cp0[CP0_config5] & may)) {
        mips_raise_now(cpu, ORYX_EXC_UNDEFINED, 0);
        return NULL;
    }
    *bit = fr ? ST_FR : C5_FRE;
    return &s->cp0[fr ? CP0_status : CP0_config5];
}

static uint32_t mode_read(oryx_cpu *cpu, uint32_t n)
{
    uint64_t bit, *at = mode_register(cpu, n, &bit);
    return at && *at & bit;
}

/* The numbers say what is written. The value is r0's. */
static void mode_write(oryx_cpu *cpu, uint32_t n)
{
    mips_state *s = mips_state_of(cpu);
    uint64_t bit, *at = mode_register(cpu, n, &bit);
    if (!at)
        return;
    *at = n == 4 || n == 6 ? *at | bit : *at & ~bit;
    s->status_fr = s->cp0[CP0_status] & ST_FR ? 1 : 0;
}

uint32_t mips_helper_cfc1(oryx_cpu *cpu, uint32_t n)
{
    const mips_state *s = (const mips_state *)(const void *)cpu->state;
    uint32_t fcsr = mips_fcsr_read(cpu);
    switch (n) {
    case 0: return mips_fir(cpu);
    case 1:
    case 5: return mode_read(cpu, n);
    case 25: return s->fcc & 0xff;
    case 26: return fcsr & (0x1fu << MIPS_FCSR_FLAGS_SHIFT | 0x3fu << MIPS_FCSR_CAUSE_SHIFT);
    case 28: return (fcsr & (MIPS_FCSR_RM | 0x1fu << MIPS_FCSR_ENABLES_SHIFT)) | (fcsr & MIPS_FCSR_FS ? 4 : 0);
    case 31: return fcsr;
    default: return 0;
    }
}

uint32_t mips_helper_ctc1(oryx_cpu *cpu, uint32_t n, uint32_t v)
{
    const uint32_t exceptions = 0x1fu << MIPS_FCSR_FLAGS_SHIFT | 0x3fu << MIPS_FCSR_CAUSE_SHIFT;
    const uint32_t controls = MIPS_FCSR_RM | 0x1fu << MIPS_FCSR_ENABLES_SHIFT;
    uint32_t fcsr = mips_fcsr_read(cpu);
    switch (n) {
    case 25: fcsr = (fcsr & ~MIPS_FCSR_FCC) | (v & 1) << 23 | (v & 0xfe) << 24; break;
    case 26: fcsr = (fcsr & ~exceptions) | (v & exceptions); break;
    case 28: fcsr = (fcsr & ~(controls | MIPS_FCSR_FS)) | (v & controls) | (v & 4 ? MIPS_FCSR_FS : 0); break;
    case 31: fcsr = v; break;
    case 1:
    case 4:
    case 5:
    case 6: mode_write(cpu, n); return 0;
    default: return 0;
    }
    mips_fcsr_write(cpu, fcsr);
    uint32_t cause = fcsr >> MIPS_FCSR_CAUSE_SHIFT & 0x3f;
    return (cause & (fcsr >> MIPS_FCSR_ENABLES_SHIFT & 0x1f)) != 0 || cause >> 5;
}

/* CLASS: bits 0 signalling, 1 quiet, then of negative: 2 infinity, 3 normal, 4 subnormal, 5 zero; of positive: 6-9. */
uint64_t mips_helper_class(uint64_t v, uint32_t is_double)
{
    unsigned ebits = is_double ? 11 : 8, fbits = is_double ? 52 : 23;
    uint64_t frac = v & ((1ull << fbits) - 1);
    unsigned e = (unsigned)(v >> fbits) & ((1u << ebits) - 1), base = v >> (ebits + fbits) & 1 ? 2 : 6;
    if (e == (1u << ebits) - 1)
        return frac == 0 ? 1u << base : frac >> (fbits - 1) ? 2 : 1;
    return 1u << (base + (e ? 1 : frac ? 2 : 3));
}
