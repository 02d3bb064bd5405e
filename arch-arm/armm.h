/* Class "armm": the M profile. T32 only, two stack pointers, exceptions that the hardware stacks and that a system control
 * space (oryx_scs.h, device class "nvic") configures. Instructions are the rows of t32_*.c and vfp_*.c; m32_*.c has those that
 * the M profile has alone or differently. DDI 0419 is Armv6-M's manual, DDI 0403 Armv7-M's, DDI 0553 Armv8-M's.
 *
 * Without a system control space (an embedder that runs code by itself) exceptions leave the run, FP works, and nothing is
 * protected. */
#ifndef ARMM_H
#define ARMM_H

#include "a32_text.h"
#include "oryx_scs.h"

/* The vCPU's state block: what A32 and T32 bodies use comes first. a.r[13] is the stack pointer in use. */
typedef struct armm_state {
    a32_state a;
    uint32_t ipsr;       /* exception number, 0: thread mode */
    uint32_t control;    /* nPRIV, SPSEL, FPCA */
    uint32_t primask, basepri, faultmask;
    uint32_t sp_other;   /* the stack pointer that is not in use */
    uint32_t msplim, psplim;
    uint32_t event;      /* the event register: 0 or 1 */
    uint32_t pending;    /* ARMM_BOOT.. */
    uint32_t model;      /* index into armm_models */
    uint32_t reserved;
} armm_state;

/* armm_state.pending: what happens before the next instruction. */
#define ARMM_BOOT 1u     /* the vector table has not been read yet */
#define ARMM_HAS_PC 2u   /* somebody has set pc, or sp: what the table says of it does not count */
#define ARMM_HAS_SP 4u
#define ARMM_SLEEP 8u    /* sleep-on-exit */

#define ARMM_NPRIV 1u
#define ARMM_SPSEL 2u
#define ARMM_FPCA 4u

/* Mode key, beside A32_MODE_T, IT and FPSCR's control bits. */
#define ARMM_MODE_HANDLER 0x04u        /* branches ask whether they go to an EXC_RETURN */
#define ARMM_MODE_UNPRIV 0x08u
#define ARMM_MODE_NEGATIVE 0x10u       /* execution priority below 0: mmu index 2 */
#define ARMM_MODE_FPTRAP 0x20u         /* FP instructions leave first (ARMM_TRAP_FP) */
#define ARMM_MODE_ALIGN 0x40u          /* every access must be aligned */
#define ARMM_MODE_DIV0 0x80u           /* division by zero traps */
#define ARMM_MODE_BEFORE 0x08000000u   /* something comes before the instruction: armm_state.pending */
#define ARMM_MODE_LIMIT 0x10000000u    /* the stack pointer in use has a limit */
#define ARMM_MODE_SYSTEM 0x20000000u   /* there is a system control space */
#define ARMM_MODE_PSP 0x40000000u      /* with LIMIT: the limit is PSPLIM */

/* mmu indexes */
enum { ARMM_MMU_PRIV, ARMM_MMU_UNPRIV, ARMM_MMU_NEGATIVE, ARMM_MMU_NONE };

/* Syndromes of ORYX_EXC_TRAP: the kind in the upper half. */
enum { ARMM_TRAP_INVSTATE = 1, ARMM_TRAP_NOCP, ARMM_TRAP_DIV0, ARMM_TRAP_LIMIT, ARMM_TRAP_FP, ARMM_TRAP_BEFORE };
#define ARMM_TRAP(kind) ((uint64_t)(kind) << 32)
#define ARMM_MPU_FAULT 1u              /* syndrome of what the MPU refused */

/* What a model has. v6-M has none of it. */
enum {
    ARMM_V7 = 1u,        /* T32 whole, main extension */
    ARMM_V8 = 2u,        /* v8-M */
    ARMM_DSP = 4u,
    ARMM_SP = 8u,        /* FP, single precision */
    ARMM_DP = 16u,
    ARMM_USER = 32u,     /* unprivileged execution */
    ARMM_VTOR = 64u,
};
typedef struct armm_model {
    const char *name, *text;
    uint32_t has;        /* ARMM_V7.. */
    uint32_t features;   /* A32_FEAT_* */
    uint32_t cpuid, mpu_regions;
    uint32_t mvfr[3];
} armm_model;
extern const armm_model armm_models[];
extern const uint32_t armm_model_count;
extern const oryx_host *a64_host;      /* a64.c: the plugin's */

static inline armm_state *armm_state_of(const oryx_cpu *cpu)
{
    return (armm_state *)(void *)cpu->state;
}
static inline oryx_scs *armm_scs(const oryx_cpu *cpu)
{
    return cpu->arch_data;
}
static inline const armm_model *armm_model_of(const oryx_cpu *cpu)
{
    uint32_t n = armm_state_of(cpu)->model;
    return &armm_models[n < armm_model_count ? n : 0];
}
static inline uint32_t armm_privileged(const armm_state *s)
{
    return s->ipsr || !(s->control & ARMM_NPRIV);
}
static inline uint32_t armm_uses_psp(const armm_state *s)
{
    return !s->ipsr && s->control & ARMM_SPSEL;
}

#define ARMM_OFF(member) ((uint32_t)offsetof(armm_state, member))

/* armm.c */
uint64_t armm_mode_key(oryx_cpu *cpu);
uint32_t armm_xpsr(const armm_state *s);
void armm_set_apsr(armm_state *s, uint32_t v, uint32_t with_ge);
void armm_set_epsr(armm_state *s, uint32_t v);             /* T, IT */
uint32_t armm_sp(const armm_state *s, unsigned psp);
void armm_set_sp(armm_state *s, unsigned psp, uint32_t v);
/* Mode and stack selection change together: the stack pointer in use is exchanged when it must be. */
void armm_set_mode(armm_state *s, uint32_t ipsr, uint32_t control);

/* armm_exception.c */
oryx_status armm_deliver(oryx_cpu *cpu, const oryx_exc *exc);
oryx_status armm_interrupt(oryx_cpu *cpu, uint64_t lines);
int32_t armm_priority(const oryx_cpu *cpu);                /* of execution */
void armm_look(oryx_cpu *cpu);                             /* something may be let in now: before the next block */
/* armm_fault.c: what happened becomes status bits and an exception, with escalation. */
uint32_t armm_raise(oryx_cpu *cpu, uint32_t exception);    /* pends it or HardFault; 0: lockup */
uint32_t armm_memory_fault(oryx_cpu *cpu, const oryx_exc *exc, uint32_t mem_bit, uint32_t bus_bit); /* the same of a failed access */
/* armm_fp.c */
oryx_status armm_fp_check(oryx_cpu *cpu, uint32_t *pends);
void armm_fp_reserve(oryx_cpu *cpu, uint32_t frame);       /* lazy stacking: FPCCR, FPCAR */
oryx_status armm_fp_push(oryx_cpu *cpu, uint32_t at, uint32_t index);
oryx_status armm_fp_pop(oryx_cpu *cpu, uint32_t at, uint32_t index);
uint32_t armm_fp_allowed(const oryx_cpu *cpu);
/* armm_mpu.c */
oryx_status armm_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t mmu_index, oryx_mmu_result *out);
uint32_t armm_mmu_index(const oryx_cpu *cpu);              /* of accesses as the state is now */
oryx_status armm_load(oryx_cpu *cpu, uint32_t addr, uint32_t index, uint32_t *out); /* an aligned word; a fault is in cpu->exc */
oryx_status armm_store(oryx_cpu *cpu, uint32_t addr, uint32_t index, uint32_t v);
/* armm_lift.c */
oryx_status armm_lift(oryx_lift *in);
const a32_row *armm_decode(uint32_t word, a32_fields *f);  /* with the model's rows: armm_has */
uint32_t armm_has(const armm_model *m, const a32_row *row, const a32_fields *f, uint32_t word);

/* Helpers: those of a32_helpers.def and then these. */
enum {
    ARMM_HELPER_first_ = A32_HELPER_COUNT - 1,
#define HELPER(name, signature, effects) ARMM_HELPER_##name,
#include "armm_helpers.def"
#undef HELPER
    ARMM_HELPER_COUNT
};
const void *armm_arch(void);

#endif
