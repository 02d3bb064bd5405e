/* FPCR, FPSR and NZCV between their architectural layout and the engine's.
 *
 * Called by a64.c and a64_system.c. Invariant: the rounding, flush and NaN fields of cpu->fp are a
 * function of the FPCR slot alone; cpu->fp.flags is the only home of FPSR. */
#include "a64.h"
#include "arm_fp.h"

void a64_fpcr_apply(oryx_cpu *cpu)
{
    arm_fpenv_apply(cpu, ((const a64_state *)(const void *)cpu->state)->fpcr);
}

uint32_t a64_fpsr_from_flags(uint32_t flags)
{
    return arm_fpsr_from_flags(flags);
}

uint32_t a64_flags_from_fpsr(uint32_t fpsr)
{
    return arm_flags_from_fpsr(fpsr);
}

uint32_t a64_nzcv_from_packed(uint32_t packed)
{
    return arm_nzcv_from_packed(packed);
}

uint32_t a64_packed_from_nzcv(uint32_t nzcv)
{
    return arm_packed_from_nzcv(nzcv);
}
