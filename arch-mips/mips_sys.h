/* MIPS above user level: coprocessor 0, segments and the TLB, exceptions, interrupts, the timer.
 *
 * A vCPU in mode "base" or "r6" is a user-level CPU: every exception leaves the run, nothing here is used but constants. In mode "bare" it
 * is in kernel mode with exceptions that leave the run; in "system" it is a whole CPU as after reset, whose exceptions go to the
 * guest's vectors. Not there, and Config says so: EJTAG debugging, watch registers (but R4000's, which never match), performance
 * counters, shadow sets, MT, VZ, 1 KiB pages, large physical addresses above 36 bits. */
#ifndef MIPS_SYS_H
#define MIPS_SYS_H

#include "mips.h"

enum { MIPS_USER, MIPS_BARE, MIPS_SYSTEM }; /* mips_state.level */

/* Exception codes of Cause. */
enum {
    EXC_INT = 0, EXC_MOD = 1, EXC_TLBL = 2, EXC_TLBS = 3, EXC_ADEL = 4, EXC_ADES = 5, EXC_IBE = 6, EXC_DBE = 7, EXC_SYS = 8, EXC_BP = 9,
    EXC_RI = 10, EXC_CPU = 11, EXC_OV = 12, EXC_TR = 13, EXC_MSAFPE = 14, EXC_FPE = 15, EXC_TLBRI = 19, EXC_TLBXI = 20,
    EXC_MSADIS = 21, EXC_MCHECK = 24, EXC_DSPDIS = 26
};

/* Syndromes of whole CPUs: the word of the instruction, a code that is not the kind's own, the coprocessor of a CpU. Of memory
 * kinds: what the walk refused. */
#define MIPS_SYN_CODE(code) ((uint64_t)(code) << 32)
#define MIPS_SYN_CE(n) ((uint64_t)(n) << 40)
#define MIPS_SYN_WALK (UINT64_C(1) << 63)
#define MIPS_SYN_REFILL (UINT64_C(1) << 62) /* no entry matches */
#define MIPS_SYN_WIDE (UINT64_C(1) << 61)   /* the XTLB vector */
#define MIPS_SYN_PROBE (UINT64_C(1) << 60)  /* by CACHE: a load, whatever access says */

/* Status */
#define ST_IE 1u
#define ST_EXL 2u
#define ST_ERL 4u
#define ST_KSU 0x18u
#define ST_UX 0x20u
#define ST_SX 0x40u
#define ST_KX 0x80u
#define ST_IM 0xff00u
#define ST_NMI 0x80000u
#define ST_SR 0x100000u
#define ST_TS 0x200000u
#define ST_BEV 0x400000u
#define ST_PX 0x800000u
#define ST_MX 0x1000000u
#define ST_FR 0x4000000u
#define ST_CU(n) (1u << (28 + (n)))
/* Config5 */
#define C5_UFR 4u
#define C5_FRE 0x100u
#define C5_UFE 0x200u
#define C5_MSAEN 0x8000000u
/* Cause */
#define CA_IP 0xff00u
#define CA_WP 0x400000u
#define CA_IV 0x800000u
#define CA_DC 0x8000000u
#define CA_TI 0x40000000u
#define CA_BD 0x80000000u

enum {
#define CP0(reg, sel, name, ...) CP0_##name,
#include "mips_cp0.def"
#undef CP0
};
_Static_assert(CP0_kscratch6 < MIPS_CP0_REGISTERS, "mips_state.cp0 holds every register");

#define IS(cpu, feature) (mips_model_of(cpu)->features & MIPS_FEAT_##feature)

static inline mips_state *mips_state_of(const oryx_cpu *cpu)
{
    return (mips_state *)(void *)cpu->state;
}

/* mips.c */
extern const oryx_host *mips_host;
const mips_model *mips_model_of(const oryx_cpu *cpu);
unsigned mips_width(const oryx_cpu *cpu);                   /* I32 or I64 */
uint64_t mips_key(oryx_cpu *cpu);                           /* the mode key */

/* mips_cp0.c */
int mips_cp0_find(const mips_model *m, unsigned width, unsigned reg, unsigned sel); /* CP0_*, or -1: not there */
uint64_t mips_cp0_get(oryx_cpu *cpu, unsigned n);
void mips_cp0_set(oryx_cpu *cpu, unsigned n, uint64_t v);
void mips_cp0_force(oryx_cpu *cpu, unsigned n, uint64_t v); /* by a debugger: what the guest cannot write, too */
void mips_cp0_reset(oryx_cpu *cpu, unsigned level);
uint64_t mips_helper_mfc0(oryx_cpu *cpu, uint32_t n);
void mips_helper_mtc0(oryx_cpu *cpu, uint64_t v, uint32_t n); /* n: CP0_*, and MTC0_HIGH, MTC0_WIDE */
#define MTC0_HIGH 0x100u
#define MTC0_WIDE 0x200u
uint64_t mips_helper_rdhwr(oryx_cpu *cpu, uint32_t n);

/* mips_exception.c */
extern const char *const mips_irqs[], *const mips_irq_outs[];
oryx_status mips_deliver(oryx_cpu *cpu, const oryx_exc *exc);
oryx_status mips_interrupt(oryx_cpu *cpu, uint64_t lines);
void mips_alarm(oryx_cpu *cpu, uint64_t now);
uint32_t mips_cause(const oryx_cpu *cpu);                   /* with the lines as they are */
void mips_irq_changed(oryx_cpu *cpu);                       /* software interrupts of Cause */
uint32_t mips_count(oryx_cpu *cpu);
void mips_count_set(oryx_cpu *cpu, uint32_t v);
void mips_timer_changed(oryx_cpu *cpu);
unsigned mips_ksu(const mips_state *s);                     /* 0 kernel, 1 supervisor, 2 user, 3 kernel with ERL; the mmu index */
uint64_t mips_system_mode(const oryx_cpu *cpu);             /* the mode key's part */
void mips_raise_now(oryx_cpu *cpu, unsigned kind, uint64_t syndrome); /* from a helper */
uint64_t mips_helper_eret(oryx_cpu *cpu, uint32_t nc);
uint64_t mips_helper_new_mode(oryx_cpu *cpu);
uint64_t mips_helper_ie(oryx_cpu *cpu, uint32_t on);
void mips_helper_rfe(oryx_cpu *cpu);

/* mips_mmu.c */
oryx_status mips_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t index, oryx_mmu_result *out);
void mips_flush(oryx_cpu *cpu);
enum { TLB_R, TLB_WI, TLB_WR, TLB_P, TLB_INV, TLB_INVF };
void mips_helper_tlb(oryx_cpu *cpu, uint32_t op);
void mips_helper_cache(oryx_cpu *cpu, uint64_t addr, uint32_t op);
uint32_t mips_random(mips_state *s, const mips_model *m);

#endif
