/* Exceptions of the M profile: what is let in, stacking, tail-chaining, return. DDI 0403E.e, B1.5 (pseudocode's names);
 * DDI 0553B, B3.
 *
 * Called by the core between blocks (deliver, interrupt). Exceptions pend first and are then chosen, so a more urgent one that
 * arrives while another is entered (late arrival) or ends (tail-chaining) goes first. Stacking faults pend like any other.
 * Choices the manuals leave: registers that are UNKNOWN after entry keep their values, LDM and the like begin anew (ICI is
 * always zero). Invariant: scs->active has the exceptions that were entered and have not returned; IPSR is one of them. */
#include <string.h>

#include "arm_fp.h"
#include "armm.h"

#define CCR_NONBASETHRDENA 1u
#define CCR_STKALIGN 0x200u
#define CFSR_MUNSTKERR (1u << 3)
#define CFSR_MSTKERR (1u << 4)
#define CFSR_UNSTKERR (1u << 11)
#define CFSR_STKERR (1u << 12)
#define CFSR_INVPC (1u << 18)
#define HFSR_VECTTBL 2u
#define SCR_SLEEPONEXIT 2u
#define FPCCR_LSPACT 1u
#define FPCCR_LSPEN (1u << 30)

#define BIT_WAKES 48u /* of cpu->irq: something pends that ends WFI though PRIMASK keeps it out */

/* --- Priorities --------------------------------------------------------------------------------------------------- */

static int32_t priority_without_primask(const oryx_cpu *cpu)
{
    const armm_state *s = armm_state_of(cpu);
    const oryx_scs *scs = armm_scs(cpu);
    int32_t p = oryx_scs_active_priority(scs);
    if (s->basepri && oryx_scs_group(scs, (int32_t)s->basepri) < p)
        p = oryx_scs_group(scs, (int32_t)s->basepri);
    if (s->faultmask && p > -1)
        p = -1;
    return p;
}

int32_t armm_priority(const oryx_cpu *cpu)
{
    if (!armm_scs(cpu))
        return 256;
    int32_t p = priority_without_primask(cpu);
    return armm_state_of(cpu)->primask && p > 0 ? 0 : p;
}

void armm_look(oryx_cpu *cpu)
{
    if (armm_scs(cpu))
        __atomic_fetch_or(&cpu->irq, (uint64_t)1 << ORYX_SCS_LINE_SCS, __ATOMIC_SEQ_CST);
}

/* The pending exception that preempts execution at `priority`, or 0. */
static uint32_t preempts(const oryx_scs *scs, int32_t priority)
{
    uint32_t n = oryx_scs_best(scs);
    return n && oryx_scs_group(scs, oryx_scs_priority(scs, n)) < priority ? n : 0;
}

/* --- Entry -------------------------------------------------------------------------------------------------------- */

/* PushStack. What could not be stored pends a fault; the stack pointer has moved all the same. */
static uint32_t push(oryx_cpu *cpu)
{
    armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    uint32_t fp = armm_model_of(cpu)->has & ARMM_SP && s->control & ARMM_FPCA;
    uint32_t align = fp || scs->ccr & CCR_STKALIGN, psp = armm_uses_psp(s), handler = s->ipsr, index = armm_mmu_index(cpu);
    uint32_t sp = s->a.r[13], odd = align ? sp & 4 : 0, frame = (sp - (fp ? 0x68 : 0x20)) & (align ? ~7u : ~3u);
    uint32_t limit = psp ? s->psplim : s->msplim;
    oryx_status st = ORYX_OK;
    if (armm_model_of(cpu)->has & ARMM_V8 && frame < limit) {
        /* DDI 0553, PushStack: STKOF; nothing is stored and the stack pointer stays at the limit. */
        scs->cfsr |= 1u << 20;
        s->a.r[13] = limit;
        armm_raise(cpu, 6);
    } else {
        uint32_t words[8] = { s->a.r[0], s->a.r[1], s->a.r[2], s->a.r[3], s->a.r[12], s->a.r[14], (uint32_t)s->a.pc,
                              (armm_xpsr(s) & ~0x200u) | odd << 7 };
        s->a.r[13] = frame;
        for (uint32_t k = 0; k < 8 && !st; k++)
            st = armm_store(cpu, frame + 4 * k, index, words[k]);
        if (!st && fp && !(scs->fpccr & FPCCR_LSPEN))
            st = armm_fp_push(cpu, frame + 0x20, index);
        if (st) {
            oryx_exc exc = cpu->exc;
            cpu->exc.kind = ORYX_EXC_NONE;
            armm_memory_fault(cpu, &exc, CFSR_MSTKERR, CFSR_STKERR);
        }
        if (fp && scs->fpccr & FPCCR_LSPEN)
            armm_fp_reserve(cpu, frame);
    }
    /* DDI 0553: without the security extension S and ES are 0. */
    uint32_t excret = armm_model_of(cpu)->has & ARMM_V8 ? 0xffffffa0 : 0xffffffe1;
    return excret | (fp ? 0 : 0x10) | (handler ? 0 : 8) | (psp ? 4 : 0);
}

static void lockup(oryx_cpu *cpu)
{
    armm_scs(cpu)->lockup = 1;
}

/* ExceptionTaken: the handler's state. 0: lockup. */
static uint32_t enter(oryx_cpu *cpu, uint32_t n, uint32_t excret)
{
    armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    uint32_t vector;
    if (armm_load(cpu, scs->vtor + 4 * n, ARMM_MMU_NONE, &vector)) {
        /* The vector of an exception could not be read: HardFault instead; HardFault's own: lockup. */
        cpu->exc.kind = ORYX_EXC_NONE;
        if (n == 3 || n == 2 || armm_priority(cpu) <= -1) {
            lockup(cpu);
            return 0;
        }
        scs->hfsr |= HFSR_VECTTBL;
        oryx_scs_put(scs->pending, 3, 1);
        return enter(cpu, 3, excret);
    }
    oryx_scs_put(scs->pending, n, 0);
    oryx_scs_put(scs->active, n, 1);
    s->a.r[14] = excret;
    armm_set_mode(s, n, s->control & ~(ARMM_FPCA | ARMM_SPSEL));
    s->a.exec = vector & 1 ? A32_MODE_T : 0;
    s->a.pc = vector & ~1u;
    s->event = 1;
    s->pending &= ~ARMM_SLEEP;
    scs->current = n;
    scs->lockup = 0;
    cpu->monitor.active = 0;
    return 1;
}

/* Let in what is most urgent, if it may. excret: 0, or that of a frame on the stack (tail-chaining). */
static uint32_t take(oryx_cpu *cpu, uint32_t excret)
{
    oryx_scs *scs = armm_scs(cpu);
    if (!preempts(scs, armm_priority(cpu)))
        return 0;
    if (!excret)
        excret = push(cpu);
    uint32_t n = preempts(scs, armm_priority(cpu)); /* a stacking fault may be more urgent */
    return n && enter(cpu, n, excret);
}

/* Whether WFI is over although nothing is let in; recomputed whenever something changed. */
static void note_wake(oryx_cpu *cpu)
{
    uint64_t bit = (uint64_t)1 << BIT_WAKES;
    if (armm_state_of(cpu)->primask && preempts(armm_scs(cpu), priority_without_primask(cpu)))
        __atomic_fetch_or(&cpu->irq, bit, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(&cpu->irq, ~bit, __ATOMIC_SEQ_CST);
}

/* --- Return ------------------------------------------------------------------------------------------------------- */

static void deactivate(oryx_cpu *cpu, uint32_t n)
{
    armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    oryx_scs_put(scs->active, n, 0);
    if (n != 2)
        s->faultmask = 0;
    if (n >= 16 && oryx_scs_get(scs->line, n)) /* a level that is still there asks again */
        oryx_scs_put(scs->pending, n, 1);
}

/* Exception n, which pends, or what is more urgent, on the frame that is there. */
static oryx_status chain(oryx_cpu *cpu, uint32_t n, uint32_t excret)
{
    if (n && take(cpu, excret))
        return ORYX_OK;
    lockup(cpu);
    return ORYX_E_STATE;
}

/* INVPC: a UsageFault on the frame that is there. */
static oryx_status bad_return(oryx_cpu *cpu, uint32_t excret)
{
    oryx_scs *scs = armm_scs(cpu);
    scs->cfsr |= CFSR_INVPC;
    return chain(cpu, armm_raise(cpu, 6), excret);
}

/* PopStack but for the stack pointer, which moves when all was read. */
static oryx_status pop(oryx_cpu *cpu, uint32_t frame, uint32_t index, uint32_t fp, uint32_t *words)
{
    oryx_scs *scs = armm_scs(cpu);
    oryx_status st = ORYX_OK;
    for (uint32_t k = 0; k < 8 && !st; k++)
        st = armm_load(cpu, frame + 4 * k, index, &words[k]);
    if (st || !fp)
        return st;
    if (scs->fpccr & FPCCR_LSPACT) {
        scs->fpccr &= ~FPCCR_LSPACT; /* they never left */
        return ORYX_OK;
    }
    return armm_fp_pop(cpu, frame + 0x20, index);
}

static uint32_t legal_return(const oryx_cpu *cpu, uint32_t excret, uint32_t nested)
{
    uint32_t has = armm_model_of(cpu)->has, base = nested == 1 || armm_scs(cpu)->ccr & CCR_NONBASETHRDENA || has & ARMM_V8;
    if (has & ARMM_V8)
        return (excret & 0xffffffc3) == 0xffffff80 && (excret & 0x10 || has & ARMM_SP) && excret & 0x20 &&
               (excret & 8 ? 1 : !(excret & 4) && nested > 1);
    if ((excret & 0x0fffffe0) != 0x0fffffe0 || (!(excret & 0x10) && !(has & ARMM_SP)))
        return 0;
    switch (excret & 15) {
    case 1: return nested > 1;
    case 9: return base;
    case 13: return base;
    default: return 0;
    }
}

/* ExceptionReturn. */
static oryx_status leave(oryx_cpu *cpu, uint32_t excret)
{
    armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    uint32_t from = s->ipsr, nested = oryx_scs_active_count(scs), words[8], fp, psp, thread = excret & 8;
    uint32_t was_active = oryx_scs_get(scs->active, from), keep = 0xf0000000 | excret;
    deactivate(cpu, from);
    if (!was_active || !legal_return(cpu, excret, nested))
        return bad_return(cpu, keep);
    psp = excret & 4 ? ARMM_SPSEL : 0;
    fp = !(excret & 0x10);
    /* The state returned to decides what is let in, and on which stack; IPSR of a handler is known after the pop. */
    uint32_t control = (s->control & ~ARMM_SPSEL) | (thread ? psp : 0), next = preempts(scs, armm_priority(cpu));
    if (next)
        return chain(cpu, next, keep);
    uint32_t frame = armm_sp(s, thread && psp), unprivileged = thread && s->control & ARMM_NPRIV;
    uint32_t index = unprivileged ? ARMM_MMU_UNPRIV : armm_mmu_index(cpu);
    uint32_t align = fp || scs->ccr & CCR_STKALIGN;
    if (pop(cpu, frame, index, fp, words)) {
        oryx_exc exc = cpu->exc;
        cpu->exc.kind = ORYX_EXC_NONE;
        return chain(cpu, armm_memory_fault(cpu, &exc, CFSR_MUNSTKERR, CFSR_UNSTKERR), keep);
    }
    uint32_t psr = words[7];
    if (!(psr & 0x1ff) != !!thread)
        return bad_return(cpu, keep);
    armm_set_mode(s, psr & 0x1ff, (control & ~ARMM_FPCA) | (fp ? ARMM_FPCA : 0));
    s->a.r[13] = (frame + (fp ? 0x68 : 0x20)) | (align ? psr >> 7 & 4 : 0);
    memcpy(s->a.r, words, 16);
    s->a.r[12] = words[4];
    s->a.r[14] = words[5];
    s->a.pc = words[6] & ~1u;
    armm_set_apsr(s, psr, armm_model_of(cpu)->has & ARMM_DSP);
    armm_set_epsr(s, psr);
    s->event = 1;
    scs->current = s->ipsr;
    cpu->monitor.active = 0;
    if (thread && nested == 1 && scs->scr & SCR_SLEEPONEXIT)
        s->pending |= ARMM_SLEEP;
    armm_look(cpu);
    return ORYX_OK;
}

/* --- Boot, reset ---------------------------------------------------------------------------------------------------- */

static oryx_status boot(oryx_cpu *cpu)
{
    armm_state *s = armm_state_of(cpu);
    const oryx_scs *scs = armm_scs(cpu);
    uint32_t table = scs ? scs->vtor : 0, v, set = s->pending;
    s->pending &= ~ARMM_BOOT;
    if (!(set & ARMM_HAS_SP) && !armm_load(cpu, table, ARMM_MMU_NONE, &v))
        armm_set_sp(s, 0, v);
    if (!(set & ARMM_HAS_PC)) {
        if (armm_load(cpu, table + 4, ARMM_MMU_NONE, &v)) {
            s->pending |= ARMM_BOOT;
            cpu->exc.kind = ORYX_EXC_NONE;
            return ORYX_E_STATE; /* there is no vector table */
        }
        s->a.pc = v & ~1u;
        s->a.exec = v & 1 ? A32_MODE_T : 0;
    }
    cpu->exc.kind = ORYX_EXC_NONE;
    return ORYX_OK;
}

/* AIRCR.SYSRESETREQ and VECTRESET; the model of the system control space has reset its registers. */
static void restart(oryx_cpu *cpu)
{
    armm_state *s = armm_state_of(cpu);
    uint32_t model = s->model;
    armm_scs(cpu)->reset_request = 0;
    memset(s, 0, sizeof *s);
    s->model = model;
    s->a.exec = A32_MODE_T;
    s->a.r[14] = UINT32_MAX;
    s->pending = ARMM_BOOT;
    cpu->fp.flags = 0;
    cpu->monitor.active = 0;
    armm_scs(cpu)->current = 0;
    a64_host->vcpu_tlb_flush(cpu->vcpu, 0, 0);
    boot(cpu);
}

/* --- From the core --------------------------------------------------------------------------------------------------- */

/* A synchronous exception n whose frame returns to `back`. */
static oryx_status synchronous(oryx_cpu *cpu, uint32_t n, uint64_t back)
{
    armm_state_of(cpu)->a.pc = back;
    if (n && take(cpu, 0))
        return ORYX_OK;
    lockup(cpu);
    return ORYX_E_STATE;
}

static oryx_status usage(oryx_cpu *cpu, uint32_t bit, uint64_t back)
{
    armm_scs(cpu)->cfsr |= bit;
    return synchronous(cpu, armm_raise(cpu, 6), back);
}

static oryx_status trapped(oryx_cpu *cpu, const oryx_exc *exc)
{
    switch (exc->syndrome >> 32) {
    case ARMM_TRAP_INVSTATE: return usage(cpu, 1u << 17, exc->pc);
    case ARMM_TRAP_NOCP: return usage(cpu, 1u << 19, exc->pc);
    case ARMM_TRAP_LIMIT: return usage(cpu, 1u << 20, exc->pc);
    case ARMM_TRAP_DIV0: return usage(cpu, 1u << 25, exc->pc);
    case ARMM_TRAP_FP: {
        uint32_t pends = 0;
        oryx_status st = armm_fp_check(cpu, &pends);
        return st ? synchronous(cpu, pends, exc->pc) : ORYX_OK;
    }
    default: return ORYX_E_UNSUPPORTED;
    }
}

static oryx_status breakpoint(oryx_cpu *cpu, const oryx_exc *exc)
{
    oryx_scs *scs = armm_scs(cpu);
    uint32_t n = 12;
    if (scs->features & ORYX_SCS_MAIN)
        scs->dfsr |= 2;
    if (!(scs->features & ORYX_SCS_MAIN) || !oryx_scs_get(scs->enabled, 12) ||
        oryx_scs_group(scs, oryx_scs_priority(scs, 12)) >= armm_priority(cpu)) {
        n = armm_priority(cpu) > -1 ? 3 : 0;
        scs->hfsr |= n ? 1u << 31 : 0; /* DEBUGEVT */
    }
    if (n)
        oryx_scs_put(scs->pending, n, 1);
    return synchronous(cpu, n, exc->pc);
}

/* CCR.BFHFNMIGN: a load or store that fails in HardFault, NMI or under FAULTMASK is stepped over. */
static uint32_t ignored(oryx_cpu *cpu, const oryx_exc *exc)
{
    armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    uint32_t word;
    if (exc->kind != ORYX_EXC_MEMORY || exc->syndrome == ARMM_MPU_FAULT || exc->status == ORYX_FAULT_ALIGN || !(scs->ccr & 0x100) ||
        !(scs->features & ORYX_SCS_MAIN) || armm_priority(cpu) > -1)
        return 0;
    if (armm_load(cpu, (uint32_t)exc->pc & ~3u, ARMM_MMU_NONE, &word)) {
        cpu->exc.kind = ORYX_EXC_NONE;
        return 0;
    }
    scs->cfsr |= 1u << 9 | 1u << 15;
    scs->bfar = (uint32_t)exc->addr;
    word = exc->pc & 2 ? word >> 16 : word & 0xffff;
    s->a.pc = exc->pc + (word >> 11 >= 0x1d ? 4 : 2);
    s->a.exec = (s->a.exec & ~A32_MODE_IT_MASK) | a32_it_advance(A32_MODE_IT(s->a.exec)) << A32_MODE_IT_SHIFT;
    return 1;
}

oryx_status armm_deliver(oryx_cpu *cpu, const oryx_exc *exc)
{
    armm_state *s = armm_state_of(cpu);
    if (s->pending & ARMM_BOOT)
        return boot(cpu);
    oryx_scs *scs = armm_scs(cpu);
    if (!scs)
        return ORYX_E_UNSUPPORTED;
    switch (exc->kind) {
    case ORYX_EXC_RETURN:
        return leave(cpu, (uint32_t)exc->syndrome);
    case ORYX_EXC_SYSCALL:
        return synchronous(cpu, armm_raise(cpu, 11), exc->pc);
    case ORYX_EXC_UNDEFINED:
        return usage(cpu, 1u << 16, exc->pc);
    case ORYX_EXC_TRAP:
        return trapped(cpu, exc);
    case ORYX_EXC_BREAKPOINT:
        return breakpoint(cpu, exc);
    case ORYX_EXC_MEMORY:
    case ORYX_EXC_FETCH: {
        if (exc->kind == ORYX_EXC_MEMORY && exc->status == ORYX_FAULT_ALIGN)
            return usage(cpu, 1u << 24, exc->pc);
        if (ignored(cpu, exc))
            return ORYX_OK;
        uint32_t fetch = exc->kind == ORYX_EXC_FETCH;
        return synchronous(cpu, armm_memory_fault(cpu, exc, fetch ? 1 : 2, fetch ? 1u << 8 : 1u << 9), exc->pc);
    }
    default:
        return ORYX_E_UNSUPPORTED; /* semihosting and internal errors are the embedder's */
    }
}

/* A line says "look"; it is taken back before looking, so nothing that comes meanwhile is lost. */
oryx_status armm_interrupt(oryx_cpu *cpu, uint64_t lines)
{
    armm_state *s = armm_state_of(cpu);
    uint64_t look = (uint64_t)1 << ORYX_SCS_LINE_SCS, event = (uint64_t)1 << ORYX_SCS_LINE_EVENT;
    if (!(lines & (look | event)))
        goto wakes;
    __atomic_fetch_and(&cpu->irq, ~(look | event), __ATOMIC_SEQ_CST);
    if (lines & event)
        s->event = 1;
    oryx_scs *scs = armm_scs(cpu);
    if (!scs || s->pending & ARMM_BOOT)
        return ORYX_E_BUSY;
    if (scs->reset_request) {
        restart(cpu);
        return ORYX_OK;
    }
    uint32_t taken = take(cpu, 0);
    note_wake(cpu);
    if (taken)
        return ORYX_OK;
wakes:
    if (s->pending & ARMM_SLEEP && __atomic_load_n(&cpu->irq, __ATOMIC_SEQ_CST) >> BIT_WAKES & 1)
        s->pending &= ~ARMM_SLEEP;
    /* What was written to the system control space may have changed how code is translated. */
    return armm_mode_key(cpu) != cpu->mode ? ORYX_OK : ORYX_E_BUSY;
}
