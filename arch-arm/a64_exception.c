/* Exceptions: entry, return, routing, interrupts, and what PSTATE means to translation. DDI 0487, D1.
 *
 * Called by the core (deliver, interrupt) between blocks and by helpers. Invariant: the sp slot holds the stack pointer that
 * PSTATE selects, sp_el[] those of the other selections; every change of EL or SPSel goes through a64_set_pstate. */
#include "a64_sys.h"

const char *const a64_irqs[] = { "irq", "fiq", "serror", "virq", "vfiq", NULL };
const char *const a64_irq_outs[] = { "cntp", "cntv", "cnthp", "cntps", NULL };

/* --- PSTATE ------------------------------------------------------------------------------------------------------------ */

static unsigned bank(uint32_t ps)
{
    return ps & PS_SP ? PS_EL(ps) : 0;
}

void a64_set_pstate(a64_state *s, uint32_t ps)
{
    unsigned from = bank(s->pstate), to = bank(ps);
    if (from != to) {
        s->sp_el[from] = s->sp;
        s->sp = s->sp_el[to];
    }
    s->pstate = ps;
}

static uint64_t spsr_of(const a64_state *s)
{
    return s->pstate | a64_nzcv_from_packed(s->flags);
}

void a64_reset_level(a64_state *s, unsigned level, uint32_t exits)
{
    /* RES1 bits, SA, SA0, nTWI, nTWE set; MMU, alignment checks and caches off. */
    for (unsigned el = 1; el <= 3; el++)
        SYS_EL(s, sctlr, el) = el == 1 ? 0x30d50838 : 0x30c50838;
    s->level = (uint8_t)level;
    s->exits = (uint8_t)exits;
    s->pstate = level << 2 | PS_SP | PS_DAIF;
    s->sys[SR_hcr_el2] = HCR_RW;
    s->sys[SR_scr_el3] = SCR_RW | 0x30;
    s->sys[SR_cptr_el2] = 0;
    s->sys[SR_cnthctl_el2] = 3;
    s->sys[SR_cntfrq_el0] = A64_CNTFRQ_EL0;
    s->sys[SR_vpidr_el2] = a64_models[s->model].midr;
    s->sys[SR_vmpidr_el2] = 0x80000000;
    if (exits) /* code that somebody runs by itself: FP works */
        s->sys[SR_cpacr_el1] = 3u << 20;
}

/* Level that FP and SIMD instructions trap to from el, or 0. */
static unsigned fp_trap(const a64_state *s, unsigned el)
{
    unsigned fpen = s->sys[SR_cpacr_el1] >> 20 & 3;
    if (el < 2 && !(a64_hcr(s) & HCR_TGE) && (!(fpen & 1) || (fpen == 1 && el == 0)))
        return 1;
    if (el < 3 && a64_el2_on(s) && s->sys[SR_cptr_el2] & 0x400)
        return 2;
    return s->level == 3 && s->sys[SR_cptr_el3] & 0x400 ? 3 : 0;
}

uint64_t a64_system_mode(oryx_cpu *cpu)
{
    const a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s), regime = a64_regime(el);
    uint64_t sctlr = SYS_EL(s, sctlr, regime), tcr = SYS_EL(s, tcr, regime), key;
    unsigned trap = fp_trap(s, el), index = el == 1 && s->pstate & PS_PAN && s->level < 3 ? 3 : el;
    key = A64_MODE_SYSTEM | (uint64_t)el << 32 | (uint64_t)index << 38 | (uint64_t)s->level << 47;
    if (trap)
        key |= A64_MODE_FPTRAP | (uint64_t)(trap == 1 && el == 0 ? a64_target(s, 0) : trap) << 36;
    if (el == 1 && !(s->pstate & PS_UAO))
        key |= A64_MODE_UNPRIV;
    if (sctlr & (el ? SCTLR_EE : SCTLR_E0E))
        key |= A64_MODE_BE;
    if (sctlr & SCTLR_A)
        key |= A64_MODE_ALIGN;
    if (sctlr & (el ? SCTLR_SA : SCTLR_SA0))
        key |= A64_MODE_SPCHECK;
    if (s->pstate & PS_IL)
        key |= A64_MODE_IL;
    if (regime == 1)
        key |= (tcr >> 37 & 1 ? A64_MODE_TBI0 : 0) | (tcr >> 38 & 1 ? A64_MODE_TBI1 : 0);
    else if (tcr >> 20 & 1)
        key |= A64_MODE_TBI0;
    key |= (uint64_t)(s->pstate >> 10 & 3) << 49;
    return key;
}

/* --- entry ------------------------------------------------------------------------------------------------------------- */

enum { VEC_SYNC = 0, VEC_IRQ = 0x80, VEC_FIQ = 0x100, VEC_SERROR = 0x180 };

/* DDI 0487, AArch64.TakeException. back: the preferred return address. */
static void take(oryx_cpu *cpu, unsigned to, unsigned vector, uint64_t back)
{
    a64_state *s = a64_state_of(cpu);
    unsigned from = a64_el(s);
    vector += from < to ? 0x400 : s->pstate & PS_SP ? 0x200 : 0;
    uint64_t spsr = spsr_of(s), sctlr = SYS_EL(s, sctlr, to);
    uint32_t ps = (s->pstate & (PS_PAN | PS_DIT)) | to << 2 | PS_SP | PS_DAIF;
    if (to == 1 && a64_model_of(cpu)->system & A64_MF_PAN && !(sctlr & SCTLR_SPAN))
        ps |= PS_PAN;
    if (a64_model_of(cpu)->system & A64_MF_SSBS && sctlr & SCTLR_DSSBS)
        ps |= PS_SSBS;
    if (s->level == 3 && to == 1 && (ps ^ s->pstate) & PS_PAN)
        a64_flush(cpu); /* no mmu index of its own there */
    a64_set_pstate(s, ps);
    SYS_EL(s, spsr, to) = spsr;
    SYS_EL(s, elr, to) = back;
    s->pc = SYS_EL(s, vbar, to) + vector;
    cpu->monitor.active = 0;
}

static void take_sync(oryx_cpu *cpu, unsigned to, uint32_t esr, uint64_t back)
{
    a64_state *s = a64_state_of(cpu);
    SYS_EL(s, esr, to) = esr;
    take(cpu, to, VEC_SYNC, back);
}

/* Fault status of an access that no walk refused: the alignment, or what the space said. */
static uint32_t status_code(const oryx_exc *exc)
{
    if (exc->syndrome & A64_MEM_VALID)
        return exc->syndrome & 0x3f;
    return exc->status == ORYX_FAULT_ALIGN ? 0x21 : 0x10; /* else a synchronous external abort */
}

static oryx_status memory_abort(oryx_cpu *cpu, const oryx_exc *exc)
{
    a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s), to = a64_target(s, el);
    uint32_t fsc = status_code(exc), iss = fsc;
    int external = fsc == 0x10 || (fsc & 0x3c) == 0x14;
    if (external && s->level == 3 && s->sys[SR_scr_el3] & SCR_EA)
        to = 3;
    if (exc->kind == ORYX_EXC_MEMORY && exc->access == ORYX_ACCESS_WRITE)
        iss |= A64_MEM_WNR;
    iss |= (uint32_t)exc->syndrome & A64_MEM_CM;
    SYS_EL(s, far, to) = exc->addr;
    take_sync(cpu, to, ESR((exc->kind == ORYX_EXC_FETCH ? 0x20 : 0x24) + (to == el)) | iss, exc->pc);
    return ORYX_OK;
}

static oryx_status at_vector(oryx_cpu *cpu, unsigned to, uint32_t esr, uint64_t back)
{
    take_sync(cpu, to, esr, back);
    return ORYX_OK;
}

/* HVC and SMC arrive with the level they were meant for; whether they exist here is known only now. */
static oryx_status call(oryx_cpu *cpu, const oryx_exc *exc)
{
    a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s);
    uint64_t here = exc->pc - 4;
    uint32_t imm = exc->syndrome & 0xffff;
    if (exc->kind == ORYX_EXC_HYPERCALL) {
        int on = s->level == 3 ? (s->sys[SR_scr_el3] & SCR_HCE) != 0 : !(s->sys[SR_hcr_el2] & HCR_HCD);
        if (!el || s->level < 2 || !on || (el == 1 && !a64_el2_on(s)))
            return at_vector(cpu, a64_target(s, el), ESR(0), here);
        return at_vector(cpu, el == 3 ? 3 : 2, ESR(0x16) | imm, exc->pc);
    }
    if (el == 1 && a64_hcr(s) & HCR_TSC)
        return at_vector(cpu, 2, ESR(0x17) | imm, here);
    if (!el || s->level < 3 || s->sys[SR_scr_el3] & SCR_SMD)
        return at_vector(cpu, a64_target(s, el), ESR(0), here);
    return at_vector(cpu, 3, ESR(0x17) | imm, exc->pc);
}

oryx_status a64_deliver(oryx_cpu *cpu, const oryx_exc *exc)
{
    a64_state *s = a64_state_of(cpu);
    if (!s->level || s->exits)
        return ORYX_E_UNSUPPORTED;
    unsigned el = a64_el(s), to = a64_target(s, el);
    switch (exc->kind) {
    case ORYX_EXC_UNDEFINED:
        return at_vector(cpu, to, ESR(0), exc->pc);
    case ORYX_EXC_TRAP:
        return at_vector(cpu, exc->syndrome >> 60 ? (unsigned)(exc->syndrome >> 60) : to, (uint32_t)exc->syndrome, exc->pc);
    case ORYX_EXC_SYSCALL:
        return at_vector(cpu, to, ESR(0x15) | (exc->syndrome & 0xffff), exc->pc);
    case ORYX_EXC_HYPERCALL:
    case ORYX_EXC_MONITORCALL:
        return call(cpu, exc);
    case ORYX_EXC_BREAKPOINT:
        if (el < 2 && a64_el2_on(s) && s->sys[SR_mdcr_el2] & 0x100)
            to = 2; /* TDE */
        return at_vector(cpu, to, ESR(0x3c) | (exc->syndrome & 0xffff), exc->pc);
    case ORYX_EXC_MEMORY:
    case ORYX_EXC_FETCH:
        return memory_abort(cpu, exc);
    case ORYX_EXC_PC_ALIGN:
        SYS_EL(s, far, to) = exc->pc;
        return at_vector(cpu, to, ESR(0x22), exc->pc);
    case ORYX_EXC_SP_ALIGN:
        return at_vector(cpu, to, ESR(0x26), exc->pc);
    default:
        return ORYX_E_UNSUPPORTED; /* semihosting, halts and internal errors are the embedder's */
    }
}

/* --- interrupts -------------------------------------------------------------------------------------------------------- */

/* Takes a physical interrupt (which: its DAIF bit) when its target and PSTATE let it in. DDI 0487, D1.3.6. */
static int physical(oryx_cpu *cpu, uint32_t mask, uint64_t scr_bit, uint64_t hcr_bit, unsigned vector)
{
    a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s), to = 1;
    if (s->level == 3 && s->sys[SR_scr_el3] & scr_bit)
        to = 3;
    else if (a64_hcr(s) & (hcr_bit | HCR_TGE))
        to = 2;
    /* To a higher level than EL1 the mask of a lower one does not count. */
    if (to < el || ((to == el || to == 1) && s->pstate & mask))
        return 0;
    if (vector == VEC_SERROR)
        SYS_EL(s, esr, to) = ESR(0x2f);
    take(cpu, to, vector, s->pc);
    return 1;
}

static int virtual(oryx_cpu *cpu, uint32_t mask, uint64_t hcr_bit, unsigned vector)
{
    a64_state *s = a64_state_of(cpu);
    uint64_t hcr = a64_hcr(s);
    if (a64_el(s) > 1 || !(hcr & hcr_bit) || hcr & HCR_TGE || s->pstate & mask)
        return 0;
    if (vector == VEC_SERROR) {
        s->sys[SR_hcr_el2] &= ~(uint64_t)HCR_VSE; /* taken once */
        SYS_EL(s, esr, 1) = ESR(0x2f);
    }
    take(cpu, 1, vector, s->pc);
    return 1;
}

oryx_status a64_interrupt(oryx_cpu *cpu, uint64_t lines)
{
    const a64_state *s = a64_state_of(cpu);
    if (!s->level || s->exits)
        return ORYX_E_UNSUPPORTED;
    uint64_t hcr = a64_hcr(s);
    int vi = (lines >> A64_VIRQ & 1) || hcr & HCR_VI, vf = (lines >> A64_VFIQ & 1) || hcr & HCR_VF;
    if ((lines >> A64_SERROR & 1 && physical(cpu, PS_A, SCR_EA, HCR_AMO, VEC_SERROR)) ||
        (lines >> A64_FIQ & 1 && physical(cpu, PS_F, SCR_FIQ, HCR_FMO, VEC_FIQ)) ||
        (lines >> A64_IRQ & 1 && physical(cpu, PS_I, SCR_IRQ, HCR_IMO, VEC_IRQ)) ||
        (vf && virtual(cpu, PS_F, HCR_FMO, VEC_FIQ)) || (vi && virtual(cpu, PS_I, HCR_IMO, VEC_IRQ)) ||
        (hcr & HCR_VSE && virtual(cpu, PS_A, HCR_AMO, VEC_SERROR)))
        return ORYX_OK;
    return ORYX_E_BUSY;
}

/* ISR_EL1: what is pending, physical or virtual as HCR_EL2 says. */
uint64_t a64_pending(const oryx_cpu *cpu)
{
    const a64_state *s = a64_state_of(cpu);
    uint64_t lines = __atomic_load_n(&cpu->irq, __ATOMIC_RELAXED), hcr = a64_el(s) < 2 ? a64_hcr(s) : 0;
    int i = hcr & HCR_IMO ? (lines >> A64_VIRQ & 1) || hcr & HCR_VI : lines >> A64_IRQ & 1;
    int f = hcr & HCR_FMO ? (lines >> A64_VFIQ & 1) || hcr & HCR_VF : lines >> A64_FIQ & 1;
    int a = hcr & HCR_AMO ? (hcr & HCR_VSE) != 0 : lines >> A64_SERROR & 1;
    return (uint64_t)i << 7 | (uint64_t)f << 6 | (uint64_t)a << 8;
}

/* --- from helpers ------------------------------------------------------------------------------------------------------ */

static void raise(oryx_cpu *cpu, unsigned kind, uint64_t syndrome)
{
    cpu->exc.hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    cpu->exc.kind = kind;
    cpu->exc.syndrome = syndrome;
    cpu->exc.addr = 0;
    cpu->exc.phys = UINT64_MAX;
    cpu->exc.size = 0;
    cpu->exc.access = 0;
    cpu->exc.status = ORYX_OK;
}

void a64_raise_trap(oryx_cpu *cpu, unsigned level, uint32_t esr)
{
    raise(cpu, ORYX_EXC_TRAP, A64_TRAP(level, esr));
}

void a64_raise_undefined(oryx_cpu *cpu)
{
    raise(cpu, ORYX_EXC_UNDEFINED, 0);
}

/* WFI, WFE: fe is 1 for WFE. Traps, or returns to let the instruction wait. DDI 0487, CheckForWFxTrap. */
void a64_helper_wfx_check(oryx_cpu *cpu, uint32_t fe)
{
    const a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s), to = 0;
    if (!fe && __atomic_load_n(&cpu->irq, __ATOMIC_RELAXED))
        return; /* it would not wait */
    if (el == 0 && !(a64_hcr(s) & HCR_TGE) && !(s->sys[SR_sctlr_el1] & (fe ? SCTLR_NTWE : SCTLR_NTWI)))
        to = 1;
    else if (el < 2 && a64_hcr(s) & (fe ? HCR_TWE : HCR_TWI))
        to = 2;
    else if (el < 3 && s->level == 3 && s->sys[SR_scr_el3] & (fe ? SCR_TWE : SCR_TWI))
        to = 3;
    if (to)
        a64_raise_trap(cpu, to, ESR(0x01) | 1u << 24 | 0xeu << 20 | fe);
}

/* --- return ------------------------------------------------------------------------------------------------------------ */

/* DDI 0487, AArch64.IllegalExceptionReturn (there is no AArch32 here). */
static int illegal(const a64_state *s, uint64_t spsr, unsigned el)
{
    unsigned to = spsr >> 2 & 3;
    if (spsr & 0x12 || to > el || to > s->level || (to == 0 && spsr & 1))
        return 1;
    if (to == 2 && !a64_el2_on(s))
        return 1;
    return to == 1 && a64_hcr(s) & HCR_TGE;
}

/* ERET to pc (ELR, authenticated or not): the state becomes that of SPSR; the result is pc without a tag. The block then takes
 * the new mode key (a64_helper_new_mode) and leaves for the run loop, which looks for interrupts. */
uint64_t a64_helper_eret(oryx_cpu *cpu, uint64_t pc)
{
    a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s);
    uint64_t spsr = SYS_EL(s, spsr, el);
    uint32_t m = a64_model_of(cpu)->system;
    uint32_t keep = PS_DAIF | PS_IL | PS_SS | (m & A64_MF_PAN ? PS_PAN : 0) | (m & A64_MF_UAO ? PS_UAO : 0) |
                    (m & A64_MF_DIT ? PS_DIT : 0) | (m & A64_MF_SSBS ? PS_SSBS : 0) |
                    (a64_features(a64_model_of(cpu)) & A64_FEAT_BTI ? PS_BTYPE : 0);
    uint32_t ps = (uint32_t)spsr & keep;
    if (illegal(s, spsr, el))
        ps |= PS_IL | (s->pstate & (PS_SP | 3u << 2));
    else
        ps |= (uint32_t)spsr & (PS_SP | 3u << 2);
    if (s->level == 3 && (ps ^ s->pstate) & PS_PAN)
        a64_flush(cpu);
    s->flags = a64_packed_from_nzcv((uint32_t)spsr & 0xf0000000);
    a64_set_pstate(s, ps);
    cpu->monitor.active = 0;
    unsigned to = a64_regime(PS_EL(ps));
    uint64_t tcr = SYS_EL(s, tcr, to);
    if (to == 1 ? tcr >> (37 + (pc >> 55 & 1)) & 1 : tcr >> 20 & 1)
        pc = to == 1 ? (uint64_t)((int64_t)(pc << 8) >> 8) : pc & (UINT64_MAX >> 8);
    return pc;
}

/* The mode key after a helper changed it; and the next block goes through the run loop. */
uint64_t a64_helper_new_mode(oryx_cpu *cpu)
{
    __atomic_store_n(&cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    return a64_system_mode(cpu) | A64_MODE_FPCR(a64_state_of(cpu)->fpcr);
}
