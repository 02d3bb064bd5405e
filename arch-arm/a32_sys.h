/* A32 and T32 above user mode: processor modes, CP15, translation, interrupts and timers of class "arm".
 *
 * A vCPU in mode "arm" or "thumb" is a user-level CPU: usr mode, every exception leaves the run, nothing here is used but
 * constants. In mode "bare" it is in svc mode with exceptions that leave the run; in "el1" and "el3" it is a whole CPU
 * without and with the Security Extensions, and exceptions go to the guest's vectors. There is no Hyp mode. */
#ifndef A32_SYS_H
#define A32_SYS_H

#include "a32.h"

/* CPSR. psr of the state holds M, F, I, A and J; the other bits live in slots of their own (a32_cpsr joins them). */
#define PSR_M 0x1fu
#define PSR_T (1u << 5)
#define PSR_F (1u << 6)
#define PSR_I (1u << 7)
#define PSR_A (1u << 8)
#define PSR_E (1u << 9)
#define PSR_J (1u << 24)
#define PSR_KEPT (PSR_M | PSR_F | PSR_I | PSR_A)
enum { M_USR = 0x10, M_FIQ = 0x11, M_IRQ = 0x12, M_SVC = 0x13, M_MON = 0x16, M_ABT = 0x17, M_HYP = 0x1a, M_UND = 0x1b, M_SYS = 0x1f };

/* Syndrome of a memory exception that a walk refused: the fault status without its format. */
#define A32_MEM_VALID (1u << 31)
#define A32_MEM_CM (1u << 30)                  /* cache maintenance */
#define A32_MEM(fault, level, domain) (A32_MEM_VALID | (uint32_t)(fault) | (uint32_t)(level) << 4 | (uint32_t)(domain) << 8)
enum { A32_FAULT_TRANSLATION, A32_FAULT_ACCESS, A32_FAULT_DOMAIN, A32_FAULT_PERMISSION, A32_FAULT_WALK, A32_FAULT_EXTERNAL,
       A32_FAULT_ALIGN, A32_FAULT_DEBUG, A32_FAULT_SIZE };

/* SCTLR */
#define SCTLR_M (1u << 0)
#define SCTLR_A (1u << 1)
#define SCTLR_CP15BEN (1u << 5)
#define SCTLR_B (1u << 7)
#define SCTLR_S (1u << 8)       /* before Armv7: System and ROM protection */
#define SCTLR_R (1u << 9)
#define SCTLR_V (1u << 13)
#define SCTLR_NTWI (1u << 16)
#define SCTLR_NTWE (1u << 18)
#define SCTLR_WXN (1u << 19)
#define SCTLR_UWXN (1u << 20)
#define SCTLR_U (1u << 22)
#define SCTLR_XP (1u << 23)
#define SCTLR_EE (1u << 25)
#define SCTLR_TRE (1u << 28)
#define SCTLR_AFE (1u << 29)
#define SCTLR_TE (1u << 30)
/* SCR */
#define SCR_NS (1u << 0)
#define SCR_IRQ (1u << 1)
#define SCR_FIQ (1u << 2)
#define SCR_EA (1u << 3)
#define SCR_FW (1u << 4)
#define SCR_AW (1u << 5)
#define SCR_SCD (1u << 7)
#define SCR_SIF (1u << 9)
#define TTBCR_EAE (1u << 31)
#define FPEXC_EN (1u << 30)

/* Rows of a32_cp15.def as numbers; state->system.sys[] holds those that are kept, secure and non-secure. */
enum {
#define CP(cp, crn, op1, crm, op2, name, ...) CP_##name,
#define CP64(cp, op1, crm, name, ...) CP_##name,
#include "a32_cp15.def"
#undef CP
#undef CP64
    CP_COUNT_
};
_Static_assert(CP_COUNT_ <= A32_SYS_SLOTS, "state->system.sys holds a slot a row");

static inline a32_state *a32_state_of(const oryx_cpu *cpu)
{
    return (a32_state *)(void *)cpu->state;
}
const a32_model *a32_model_of(const oryx_cpu *cpu);

/* Banks of the banked registers. */
enum { BANK_USR, BANK_SVC, BANK_ABT, BANK_UND, BANK_IRQ, BANK_FIQ, BANK_MON, BANK_HYP };

static inline unsigned a32_mode(const a32_state *s)
{
    return s->system.psr & PSR_M;
}
static inline uint32_t a32_scr(const a32_state *s)
{
    return s->system.tz ? (uint32_t)s->system.sys[CP_scr][0] : 0;
}
static inline int a32_secure(const a32_state *s) /* only with the Security Extensions */
{
    return s->system.tz && (a32_mode(s) == M_MON || !(a32_scr(s) & SCR_NS));
}
/* Bank of CP15 that MCR and MRC access; monitor mode looks where SCR.NS says. 0 is also that of a CPU without security. */
static inline unsigned a32_bank(const a32_state *s)
{
    return a32_scr(s) & SCR_NS;
}
/* Bank that the CPU obeys. */
static inline unsigned a32_world(const a32_state *s)
{
    return s->system.tz && !a32_secure(s);
}
static inline uint32_t a32_sctlr(const a32_state *s, unsigned world)
{
    return (uint32_t)s->system.sys[CP_sctlr][world];
}
static inline int a32_lpae(const a32_state *s, const a32_model *m, unsigned world)
{
    return m->system & A32_SYS_LPAE && s->system.sys[CP_ttbcr][world] & TTBCR_EAE;
}

/* a32_exception.c */
uint32_t a32_cpsr(const a32_state *s);
void a32_set_cpsr(oryx_cpu *cpu, uint32_t v, uint32_t mask); /* what an instruction or tool may write; banks follow */
oryx_status a32_reset_system(oryx_cpu *cpu, const a32_model *m, const char *mode, oryx_error *err);
oryx_status a32_deliver(oryx_cpu *cpu, const oryx_exc *exc);
oryx_status a32_interrupt(oryx_cpu *cpu, uint64_t lines);
uint32_t a32_system_mode(const oryx_cpu *cpu);               /* mode key bits of the system level */
void a32_raise_undefined(oryx_cpu *cpu);
uint32_t a32_pending(const oryx_cpu *cpu);                   /* ISR */
void a32_set_scr(oryx_cpu *cpu, uint32_t v);
uint32_t *a32_banked(a32_state *s, unsigned mode, unsigned n); /* where register n (8..14) of a mode is now */
uint32_t *a32_spsr(a32_state *s, unsigned mode);
extern const char *const a32_irqs[], *const a32_irq_outs[];
enum { A32_IRQ, A32_FIQ, A32_SERROR };
enum { A32_OUT_CNTP, A32_OUT_CNTV, A32_OUT_CNTPS };

/* a32_mmu.c, a32_lpae.c */
typedef struct a32_walk {
    uint64_t phys, size;
    uint32_t prot;
    uint32_t fault;      /* of a refusal: A32_MEM() */
    uint32_t par;        /* attributes as a 32-bit PAR shows them */
    uint8_t attr, sh;    /* as a 64-bit PAR */
    uint8_t ns;
} a32_walk;
/* From world 0 (secure, or no security) or 1; user: as PL0. */
oryx_status a32_translate(oryx_cpu *cpu, uint32_t addr, uint32_t access, unsigned world, unsigned user, a32_walk *out);
oryx_status a32_walk_long(oryx_cpu *cpu, uint32_t addr, uint32_t access, unsigned world, unsigned user, a32_walk *out);
oryx_status a32_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t mmu_index, oryx_mmu_result *out);
oryx_status a32_refuse(a32_walk *out, unsigned fault, unsigned level, unsigned domain);
void a32_flush(oryx_cpu *cpu);
void a32_address_translation(oryx_cpu *cpu, uint32_t addr, unsigned op2); /* ATS, c7 c8 */

/* a32_cp15.c */
typedef struct a32_cp {
    uint8_t cp, crn, op1, crm, op2, wide;
    uint8_t kind, access, flags;
    uint32_t need;
    uint64_t mask;
} a32_cp;
enum { CPK_RW, CPK_RO, CPK_ID, CPK_FN, CPK_RZ, CPK_OP };
enum { CPA_P1, CPA_P1R, CPA_P1W, CPA_U, CPA_UR, CPA_URO, CPA_UW, CPA_SEC, CPA_SECW, CPA_PM, CPA_PMR, CPA_PMP1, CPA_CNT, CPA_TP,
       CPA_TV, CPA_FRQ };
enum { CPF_B = 1, CPF_M = 2, CPF_S = 4 };
extern const a32_cp a32_cps[];
/* Row of a register for a model, or -1. */
int a32_cp_find(const a32_model *m, unsigned cp, unsigned crn, unsigned op1, unsigned crm, unsigned op2, unsigned wide);
uint64_t a32_cp_get(oryx_cpu *cpu, unsigned row, unsigned bank);
void a32_cp_set(oryx_cpu *cpu, unsigned row, unsigned bank, uint64_t v);
uint64_t a32_cp_fn_get(oryx_cpu *cpu, unsigned row, unsigned bank); /* a32_cp15_fn.c */
void a32_cp_fn_set(oryx_cpu *cpu, unsigned row, unsigned bank, uint64_t v);
void a32_cp_reset(oryx_cpu *cpu, const a32_model *m);
uint32_t a32_cp_id(const oryx_cpu *cpu, unsigned row);              /* a32_id.c: kind ID */

/* a32_timer.c */
uint64_t a32_count(oryx_cpu *cpu);
void a32_alarm(oryx_cpu *cpu, uint64_t now);
uint64_t a32_timer_get(oryx_cpu *cpu, unsigned timer, unsigned what); /* what: 0 TVAL, 1 CTL, 2 CVAL */
void a32_timer_set(oryx_cpu *cpu, unsigned timer, unsigned what, uint64_t v);

#endif
