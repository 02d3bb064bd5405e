/* The x87 unit's functions: x86_fpu.c and x86_fpu_memory.c. */
#ifndef X86_FPU_H
#define X86_FPU_H

#include "x86_helpers.h"

#ifdef __x86_64__
#define X86_HOST_FPU 1
#endif

static inline x86_state *x86_state_of(oryx_cpu *cpu)
{
    return (x86_state *)(void *)cpu->state;
}

void x86_fpu_load(oryx_cpu *cpu); /* registers to the host's unit, when they are not there */
void x86_fpu_save(oryx_cpu *cpu); /* and back to the state block */
void x86_fpu_init(oryx_cpu *cpu);
void x86_fpu_status(x86_fpu *f, uint16_t sw); /* sets sw; summary bits by the masks */
uint8_t x86_fpu_tag(const x86_fpu *f, unsigned i); /* 0 valid, 1 zero, 2 special, 3 empty; i physical */

#endif
