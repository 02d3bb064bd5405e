/* What bodies of system instructions share: a32_system.c, t32_system.c, and the rows of other files that do more in a
 * privileged mode. */
#ifndef A32_SYSTEM_H
#define A32_SYSTEM_H

#include "a32_sys.h"
#include "a32_text.h"

/* Of a whole CPU, in another mode than usr. */
static inline int a32_privileged(const a32_lift *l)
{
    return (a32_system_bits(l) & (A32_MODE_SYSTEM | A32_MODE_USER)) == A32_MODE_SYSTEM;
}
void a32_resync(a32_lift *l);
void a32_return_spsr(a32_lift *l, oryx_val pc);            /* exception return: ends the block */
void a32_write_cpsr(a32_lift *l, oryx_val v, uint32_t mask);
void a32_msr_cpsr(a32_lift *l, unsigned m, oryx_val v);
#define A32_SYSTEM_SHARED(S) S(cps) S(mrs_spsr) S(msr_spsr) S(mrs_banked) S(msr_banked) S(rfe) S(srs) S(eret) S(smc) S(mrc) S(mcr) \
    S(mrrc) S(mcrr)
#define S(name) void a32_do_##name(a32_lift *l, const a32_fields *f);
A32_SYSTEM_SHARED(S)
#undef S

#endif
