/* The System Control Space of an Arm M-profile core, 0xE000E000: what the frontend (class "armm"), which takes and ends
 * exceptions, and a device model (class "nvic"), which shows the registers, share. The model owns the struct and attaches it
 * (oryx_machine_attach); from then on the CPU has exceptions.
 *
 * pending, line and active change on any thread, by atomic operations; everything else is changed by the vCPU's own thread or
 * while it is stopped. Whoever changes what the CPU may have to act on drives the vCPU's line "scs" afterwards. */
#ifndef ORYX_SCS_H
#define ORYX_SCS_H

#include "oryx_types.h"

ORYX_BEGIN

#define ORYX_SCS_ID "oryx.armm-scs/1"
#define ORYX_SCS_EXCEPTIONS 512u
#define ORYX_SCS_WORDS (ORYX_SCS_EXCEPTIONS / 32)

/* The vCPU's input lines: something changed; an event (RXEV, and a pending interrupt with SCR.SEVONPEND). */
enum { ORYX_SCS_LINE_SCS, ORYX_SCS_LINE_EVENT };

/* features */
#define ORYX_SCS_MAIN 1u      /* not v6-M or v8-M baseline: configurable faults, priority groups, FAULTMASK, BASEPRI */
#define ORYX_SCS_FP 2u        /* FPCCR and the rest */
#define ORYX_SCS_UNPRIV 4u    /* there is unprivileged execution */
#define ORYX_SCS_VTOR 8u

typedef struct oryx_scs {
    oryx_hdr hdr;
    /* What the CPU model has; the frontend fills it in when it is attached. */
    uint32_t arch;            /* 6, 7, 8 */
    uint32_t features;
    uint32_t mpu_regions;     /* most that the model may have */
    uint32_t id[17];          /* 0xD40: ID_PFR0 to ID_ISAR5, CLIDR, CTR, CCSIDR */
    uint32_t mvfr[3];
    uint32_t cpuid;
    /* Of the device model. identified: called when the frontend has filled in the above. */
    void (*identified)(struct oryx_scs *s);
    uint32_t n_exceptions;    /* 16 and the interrupts */
    uint32_t priority_mask;   /* bits of a priority that exist, 0xe0 */
    uint32_t n_regions;       /* MPU regions, at most mpu_regions */
    /* Bit n % 32 of word n / 32 is exception n. enabled: the faults as in SHCSR, DebugMonitor as DEMCR.MON_EN; NMI, HardFault,
     * SVCall, PendSV and SysTick always. line: levels of the interrupt inputs. */
    uint32_t pending[16], active[16], enabled[16], line[16];
    uint8_t priority[512];
    uint32_t current;         /* the CPU's IPSR, for ICSR.VECTACTIVE */
    uint32_t lockup;          /* DHCSR.S_LOCKUP */
    uint32_t reset_request;   /* AIRCR asked for a reset: the CPU clears it and starts over */
    /* Registers, bits where the architecture has them. */
    uint32_t vtor, aircr, scr, ccr, cfsr, hfsr, dfsr, mmfar, bfar, cpacr, demcr;
    uint32_t fpccr, fpcar, fpdscr;
    uint32_t mpu_ctrl, mpu_rnr;
    uint32_t mpu_rbar[16];
    uint32_t mpu_rasr[16];    /* v8-M: RLAR */
    uint32_t mpu_mair[2];
} oryx_scs;

#define ORYX_SCS_PRIGROUP(aircr) ((aircr) >> 8 & 7u)

static inline uint32_t oryx_scs_get(const uint32_t *set, uint32_t n)
{
    return __atomic_load_n(&set[n / 32], __ATOMIC_SEQ_CST) >> n % 32 & 1;
}
static inline void oryx_scs_put(uint32_t *set, uint32_t n, uint32_t on)
{
    if (on)
        __atomic_fetch_or(&set[n / 32], 1u << n % 32, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&set[n / 32], ~(1u << n % 32), __ATOMIC_SEQ_CST);
}
/* Without the group: NMI -2, HardFault -1, else what its register says. */
static inline int32_t oryx_scs_priority(const oryx_scs *s, uint32_t n)
{
    return n == 2 ? -2 : n == 3 ? -1 : s->priority[n];
}
/* What of a priority counts for preemption: AIRCR.PRIGROUP. */
static inline int32_t oryx_scs_group(const oryx_scs *s, int32_t priority)
{
    return priority < 0 ? priority : priority & (int32_t)~((2u << ORYX_SCS_PRIGROUP(s->aircr)) - 1);
}
/* The most urgent of pending and enabled exceptions: lowest priority, then lowest number. 0: none. */
static inline uint32_t oryx_scs_best(const oryx_scs *s)
{
    uint32_t best = 0;
    for (uint32_t w = 0; w < (s->n_exceptions + 31) / 32; w++)
        for (uint32_t bits = __atomic_load_n(&s->pending[w], __ATOMIC_SEQ_CST) & s->enabled[w]; bits; bits &= bits - 1) {
            uint32_t n = w * 32 + (uint32_t)__builtin_ctz(bits);
            if (!best || oryx_scs_priority(s, n) < oryx_scs_priority(s, best))
                best = n;
        }
    return best;
}
/* The lowest priority value of those active, with its group; 256: none is. */
static inline int32_t oryx_scs_active_priority(const oryx_scs *s)
{
    int32_t p = 256;
    for (uint32_t w = 0; w < (s->n_exceptions + 31) / 32; w++)
        for (uint32_t bits = __atomic_load_n(&s->active[w], __ATOMIC_SEQ_CST); bits; bits &= bits - 1) {
            int32_t q = oryx_scs_group(s, oryx_scs_priority(s, w * 32 + (uint32_t)__builtin_ctz(bits)));
            p = q < p ? q : p;
        }
    return p;
}
static inline uint32_t oryx_scs_active_count(const oryx_scs *s)
{
    uint32_t n = 0;
    for (uint32_t w = 0; w < (s->n_exceptions + 31) / 32; w++)
        n += (uint32_t)__builtin_popcount(s->active[w]);
    return n;
}

ORYX_END
#endif
