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
/* x86_sse_strings.c */
uint64_t x86_pcmpstr(const oryx_v128 *va, const oryx_v128 *vb, uint64_t la, uint64_t lb, uint32_t how);
void x86_pcmpstr_mask(oryx_v128 *out, uint32_t bits, uint32_t words);
void x86_approximate(oryx_v128 *out, const oryx_v128 *in, uint32_t root);
/* x86_fpu.c */
void x86_x87_check(oryx_cpu *cpu);
void x86_x87_op(oryx_cpu *cpu, uint32_t code);
void x86_x87_load(oryx_cpu *cpu, uint32_t code, uint64_t lo, uint64_t hi);
uint64_t x86_x87_store(oryx_cpu *cpu, uint32_t code, uint32_t undo);
uint64_t x86_x87_store_unmasked(oryx_cpu *cpu, uint32_t code, uint32_t undo);
uint32_t x86_x87_flags(oryx_cpu *cpu, uint32_t code);
void x86_x87_move_if(oryx_cpu *cpu, uint32_t i, uint32_t yes);
uint32_t x86_x87_control(oryx_cpu *cpu, uint32_t v);
uint32_t x86_x87_status(oryx_cpu *cpu);
void x86_x87_clear(oryx_cpu *cpu);
void x86_fpu_init(oryx_cpu *cpu);
void x86_mmx_begin(oryx_cpu *cpu);
void x86_mmx_end(oryx_cpu *cpu, uint32_t tag);
/* x86_fpu_memory.c */
void x86_fnstenv(oryx_cpu *cpu, uint64_t at, uint32_t what);
void x86_fldenv(oryx_cpu *cpu, uint64_t at, uint32_t what);
void x86_fxsave(oryx_cpu *cpu, uint64_t at, uint32_t wide);
void x86_fxrstor(oryx_cpu *cpu, uint64_t at, uint32_t wide);
uint64_t x86_xgetbv(oryx_cpu *cpu, uint32_t n);
void x86_xsave(oryx_cpu *cpu, uint64_t at, uint64_t mask, uint32_t how);
void x86_xrstor(oryx_cpu *cpu, uint64_t at, uint64_t mask, uint32_t how);

#endif
