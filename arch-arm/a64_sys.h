/* A64 above EL0: exception levels, system registers, translation, interrupts and timers.
 *
 * A vCPU in mode "a64" is a user-level CPU: EL0, every exception leaves the run, nothing here is used but constants. In mode
 * "bare" it is at EL1 with exceptions that leave the run; in "el1", "el2" and "el3" it is a whole CPU whose highest level is
 * that, and exceptions go to the guest's vectors. */
#ifndef A64_SYS_H
#define A64_SYS_H

#include "a64.h"

/* PSTATE as SPSR shows it; NZCV is in the flags slot, so those bits are 0 here. */
#define PS_SP 1u
#define PS_EL(ps) ((ps) >> 2 & 3)
#define PS_F (1u << 6)
#define PS_I (1u << 7)
#define PS_A (1u << 8)
#define PS_D (1u << 9)
#define PS_DAIF 0x3c0u
#define PS_BTYPE 0xc00u
#define PS_SSBS (1u << 12)
#define PS_IL (1u << 20)
#define PS_SS (1u << 21)
#define PS_PAN (1u << 22)
#define PS_UAO (1u << 23)
#define PS_DIT (1u << 24)

/* Syndromes that travel in oryx_exc.syndrome. TRAP: ESR and the level it goes to (0: by routing); memory: the fault status and more. */
#define A64_TRAP(level, esr) ((uint64_t)(esr) | (uint64_t)(level) << 60)
#define A64_MEM_VALID (1u << 31) /* a walk refused: the low six bits are the fault status code */
#define A64_MEM_CM (1u << 8)     /* cache maintenance */
#define A64_MEM_WNR (1u << 6)
#define ESR_IL (1u << 25)
#define ESR(ec) ((uint32_t)(ec) << 26 | ESR_IL)

/* SCTLR_ELx */
#define SCTLR_M (1u << 0)
#define SCTLR_A (1u << 1)
#define SCTLR_SA (1u << 3)
#define SCTLR_SA0 (1u << 4)
#define SCTLR_UMA (1u << 9)
#define SCTLR_DZE (1u << 14)
#define SCTLR_UCT (1u << 15)
#define SCTLR_NTWI (1u << 16)
#define SCTLR_NTWE (1u << 18)
#define SCTLR_WXN (1u << 19)
#define SCTLR_SPAN (1u << 23)
#define SCTLR_E0E (1u << 24)
#define SCTLR_EE (1u << 25)
#define SCTLR_UCI (1u << 26)
#define SCTLR_BT0 (UINT64_C(1) << 35)
#define SCTLR_BT1 (UINT64_C(1) << 36)
#define SCTLR_DSSBS (UINT64_C(1) << 44)
/* HCR_EL2 */
#define HCR_FMO (1u << 3)
#define HCR_IMO (1u << 4)
#define HCR_AMO (1u << 5)
#define HCR_VF (1u << 6)
#define HCR_VI (1u << 7)
#define HCR_VSE (1u << 8)
#define HCR_TWI (1u << 13)
#define HCR_TWE (1u << 14)
#define HCR_TID1 (1u << 16)
#define HCR_TID2 (1u << 17)
#define HCR_TID3 (1u << 18)
#define HCR_TSC (1u << 19)
#define HCR_TACR (1u << 21)
#define HCR_TSW (1u << 22)
#define HCR_TPC (1u << 23)
#define HCR_TPU (1u << 24)
#define HCR_TTLB (1u << 25)
#define HCR_TVM (1u << 26)
#define HCR_TGE (1u << 27)
#define HCR_TDZ (1u << 28)
#define HCR_HCD (1u << 29)
#define HCR_TRVM (1u << 30)
#define HCR_RW (1u << 31)
#define HCR_APK (UINT64_C(1) << 40)
#define HCR_API (UINT64_C(1) << 41)
/* SCR_EL3 */
#define SCR_NS (1u << 0)
#define SCR_IRQ (1u << 1)
#define SCR_FIQ (1u << 2)
#define SCR_EA (1u << 3)
#define SCR_SMD (1u << 7)
#define SCR_HCE (1u << 8)
#define SCR_RW (1u << 10)
#define SCR_ST (1u << 11)
#define SCR_TWI (1u << 12)
#define SCR_TWE (1u << 13)
#define SCR_APK (1u << 16)
#define SCR_API (1u << 17)

/* Rows of a64_sysregs.def as numbers; state->sys[] holds those that are kept. */
enum {
#define SR(op0, op1, crn, crm, op2, name, ...) SR_##name,
#include "a64_sysregs.def"
#undef SR
    SR_COUNT_
};
_Static_assert(SR_COUNT_ <= A64_SYS_SLOTS, "state->sys holds a slot a row");

static inline a64_state *a64_state_of(const oryx_cpu *cpu)
{
    return (a64_state *)(void *)cpu->state;
}
static inline unsigned a64_el(const a64_state *s)
{
    return PS_EL(s->pstate);
}
/* A register of the table by the level it belongs to: SYS(s, sctlr, el), el 1..3. */
#define SYS_EL(s, reg, el) \
    ((s)->sys[(el) == 3 ? SR_##reg##_el3 : (el) == 2 ? SR_##reg##_el2 : SR_##reg##_el1])
static inline int a64_el2_on(const a64_state *s) /* EL2 exists in the current security state */
{
    return s->level >= 2 && (s->level < 3 || s->sys[SR_scr_el3] & SCR_NS);
}
/* HCR_EL2 as it works at EL1 and EL0; 0 where EL2 does not take part. */
static inline uint64_t a64_hcr(const a64_state *s)
{
    return a64_el2_on(s) ? s->sys[SR_hcr_el2] : 0;
}
/* The level whose regime and SCTLR an access from el uses. */
static inline unsigned a64_regime(unsigned el)
{
    return el ? el : 1;
}
/* Where a synchronous exception from el goes when nothing routes it higher. */
static inline unsigned a64_target(const a64_state *s, unsigned el)
{
    return el ? el : a64_hcr(s) & HCR_TGE ? 2 : 1;
}

/* a64_exception.c */
void a64_reset_level(a64_state *s, unsigned level, uint32_t exits);
oryx_status a64_deliver(oryx_cpu *cpu, const oryx_exc *exc);
oryx_status a64_interrupt(oryx_cpu *cpu, uint64_t lines);
void a64_set_pstate(a64_state *s, uint32_t ps); /* with the stack pointer of its level and selection */
uint64_t a64_system_mode(oryx_cpu *cpu);        /* mode key bits of the system levels */
/* Raise TRAP from a helper: state unchanged. esr without the level. */
void a64_raise_trap(oryx_cpu *cpu, unsigned level, uint32_t esr);
void a64_raise_undefined(oryx_cpu *cpu);
uint64_t a64_pending(const oryx_cpu *cpu); /* ISR_EL1 */
extern const char *const a64_irqs[], *const a64_irq_outs[];
enum { A64_IRQ, A64_FIQ, A64_SERROR, A64_VIRQ, A64_VFIQ, A64_LINE_HCR = 48 };
enum { A64_OUT_CNTP, A64_OUT_CNTV, A64_OUT_CNTHP, A64_OUT_CNTPS };

/* a64_mmu.c */
typedef struct a64_walk {
    uint64_t phys, size;
    uint32_t prot;
    uint32_t fsc;        /* of a refusal */
    uint8_t attr, sh;    /* as PAR_EL1 shows them */
    uint8_t guarded;     /* BTI */
    uint8_t secure;
} a64_walk;
enum { A64_WALK_PAN = 1, A64_WALK_PEEK = 2 /* no access or dirty flag is set */ };
oryx_status a64_translate(oryx_cpu *cpu, uint64_t addr, uint32_t access, unsigned el, uint32_t flags, a64_walk *out);
oryx_status a64_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t mmu_index, oryx_mmu_result *out);
void a64_flush(oryx_cpu *cpu); /* every cached translation of this vCPU */

/* a64_sysreg.c */
typedef struct a64_sr {
    uint16_t id;
    uint8_t kind, trap, flags;
    uint64_t mask;
} a64_sr;
enum { SRK_RW, SRK_RO, SRK_ID, SRK_FN, SRK_RZ };
enum { SRF_S = 1, SRF_M = 2 };
int a64_sysreg_find(uint32_t id); /* row, or -1 */
extern const a64_sr a64_sysregs[];
uint64_t a64_sysreg_get(oryx_cpu *cpu, unsigned sr);
void a64_sysreg_set(oryx_cpu *cpu, unsigned sr, uint64_t v);
uint64_t a64_sysreg_fn_get(oryx_cpu *cpu, unsigned sr); /* a64_sysreg_fn.c: kind FN */
void a64_sysreg_fn_set(oryx_cpu *cpu, unsigned sr, uint64_t v);

/* a64_bti.c: PSTATE.BTYPE */
void a64_btype_check(a64_lift *l);                       /* before the body: may this instruction be a target? */
void a64_btype_done(a64_lift *l);                        /* by a body, right before it ends the block with BTYPE 0 */
void a64_btype_end(a64_lift *l);                         /* after a body that does not end the block */
void a64_btype_next(a64_lift *l, unsigned n, int link);  /* BR and BLR by Xn: what they leave */

/* a64_pauth.c */
oryx_val a64_pac(a64_lift *l, oryx_val ptr, oryx_val modifier, uint32_t word); /* word: key 0..3 (IA IB DA DB), 4 authenticate */
void a64_pac_hint(a64_lift *l, unsigned hint);

/* a64_timer.c */
uint64_t a64_count(oryx_cpu *cpu);                        /* CNTPCT_EL0 */
void a64_timer_changed(oryx_cpu *cpu);
void a64_alarm(oryx_cpu *cpu, uint64_t now);
uint64_t a64_timer_get(oryx_cpu *cpu, unsigned timer, unsigned what); /* what: 0 TVAL, 1 CTL, 2 CVAL */
void a64_timer_set(oryx_cpu *cpu, unsigned timer, unsigned what, uint64_t v);

/* a64_id.c */
uint64_t a64_id_system(const a64_model *model, unsigned level, unsigned sr);
enum { A64_MF_PAN = 1, A64_MF_UAO = 2, A64_MF_SSBS = 4, A64_MF_DIT = 8, A64_MF_HAFDBS = 16, A64_MF_HPDS = 32 };
static inline const a64_model *a64_model_of(const oryx_cpu *cpu)
{
    uint32_t n = a64_state_of(cpu)->model;
    return &a64_models[n < a64_model_count() ? n : 0];
}

#endif
