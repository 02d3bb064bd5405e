/* Which model a vCPU has: x86.c. */
#ifndef X86_MODELS_H
#define X86_MODELS_H

#include "x86.h"

const x86_model *x86_model_of(const oryx_cpu *cpu);

#endif
