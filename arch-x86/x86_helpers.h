/* Prototypes of the functions behind x86_helpers.def. */
#ifndef X86_HELPERS_H
#define X86_HELPERS_H

#include "x86.h"

extern const oryx_host *x86_host; /* x86.c */

uint32_t x86_div_overflow(uint64_t lo, uint64_t hi, uint64_t d);
uint64_t x86_div_quotient(uint64_t lo, uint64_t hi, uint64_t d);
uint64_t x86_div_remainder(uint64_t lo, uint64_t hi, uint64_t d);
uint32_t x86_idiv_overflow(uint64_t lo, uint64_t hi, uint64_t d);
uint64_t x86_idiv_quotient(uint64_t lo, uint64_t hi, uint64_t d);
uint64_t x86_idiv_remainder(uint64_t lo, uint64_t hi, uint64_t d);
uint64_t x86_rcl(uint64_t a, uint32_t count, uint32_t what);
uint64_t x86_rcr(uint64_t a, uint32_t count, uint32_t what);
uint32_t x86_rcl_carry(uint64_t a, uint32_t count, uint32_t what);
uint32_t x86_rcr_carry(uint64_t a, uint32_t count, uint32_t what);
uint64_t x86_pdep(uint64_t a, uint64_t mask);
uint64_t x86_pext(uint64_t a, uint64_t mask);
uint32_t x86_crc32(uint32_t crc, uint64_t data, uint32_t bytes);
uint64_t x86_bcd(uint32_t what, uint32_t ax, uint32_t flags);
uint32_t x86_helper_eflags(oryx_cpu *cpu);
void x86_popf(oryx_cpu *cpu, uint32_t v, uint32_t mask);
void x86_load_segment(oryx_cpu *cpu, uint32_t seg, uint32_t selector);
uint64_t x86_rdtsc(oryx_cpu *cpu);
uint64_t x86_random(oryx_cpu *cpu);
void x86_ldmxcsr(oryx_cpu *cpu, uint32_t v);
uint32_t x86_stmxcsr(oryx_cpu *cpu, uint32_t flags);
void x86_cpuid(oryx_cpu *cpu); /* x86_cpuid.c */

#endif
