/* Processor modes, banked registers, CPSR, exception entry and return, interrupts of class "arm": DDI 0406C B1.3, B1.8, B1.9.
 *
 * Called by the core (deliver, interrupt) between blocks and by helpers. Invariant: the user's register slots hold what the
 * current mode sees, system.r13[], r14[], r8_fiq[], r8_usr[] what other modes do, and system.tpidr[] the thread registers of
 * the other world; every change of mode goes through set_mode, every change of SCR through a32_set_scr. */
#include <stdio.h>
#include <string.h>

#include "a32_sys.h"

const char *const a32_irqs[] = { "irq", "fiq", "serror", NULL };
const char *const a32_irq_outs[] = { "cntp", "cntv", "cntps", NULL };

/* --- Modes ------------------------------------------------------------------------------------------------------------- */

/* Bank of a mode, or -1 where there is no such mode. */
static int bank_of(unsigned mode)
{
    switch (mode) {
    case M_USR:
    case M_SYS: return BANK_USR;
    case M_SVC: return BANK_SVC;
    case M_ABT: return BANK_ABT;
    case M_UND: return BANK_UND;
    case M_IRQ: return BANK_IRQ;
    case M_FIQ: return BANK_FIQ;
    case M_MON: return BANK_MON;
    default: return -1;
    }
}

uint32_t *a32_spsr(a32_state *s, unsigned mode)
{
    int b = bank_of(mode);
    return &s->system.spsr[b < 0 ? BANK_USR : b];
}

uint32_t *a32_banked(a32_state *s, unsigned mode, unsigned n)
{
    a32_system *y = &s->system;
    int to = bank_of(mode), now = bank_of(a32_mode(s));
    if (n >= 8 && n < 13) {
        if ((to == BANK_FIQ) == (now == BANK_FIQ))
            return &s->r[n];
        return to == BANK_FIQ ? &y->r8_fiq[n - 8] : &y->r8_usr[n - 8];
    }
    if (n < 8 || n > 14 || to == now || to < 0)
        return &s->r[n < 15 ? n : 14];
    return n == 13 ? &y->r13[to] : &y->r14[to];
}

static void set_mode(a32_state *s, unsigned mode)
{
    a32_system *y = &s->system;
    int from = bank_of(a32_mode(s)), to = bank_of(mode);
    if (from != to && from >= 0 && to >= 0) {
        y->r13[from] = s->r[13];
        y->r14[from] = s->r[14];
        s->r[13] = y->r13[to];
        s->r[14] = y->r14[to];
        if ((from == BANK_FIQ) != (to == BANK_FIQ)) {
            memcpy(from == BANK_FIQ ? y->r8_fiq : y->r8_usr, s->r + 8, sizeof y->r8_fiq);
            memcpy(s->r + 8, to == BANK_FIQ ? y->r8_fiq : y->r8_usr, sizeof y->r8_fiq);
        }
    }
    y->psr = (y->psr & ~PSR_M) | mode;
}

/* NZCV from packed flags: S Z at 7, 6, C at 0, O at 8. */
uint32_t a32_cpsr(const a32_state *s)
{
    uint32_t v = (s->flags & 0xc0) << 24 | (s->flags & ORYX_FLAG_C) << 29 | (s->flags & ORYX_FLAG_O) << 20;
    uint32_t it = A32_MODE_IT(s->exec);
    for (unsigned k = 0; k < 4; k++)
        v |= (s->ge >> 8 * k & 1) << (16 + k);
    v |= s->system.level ? s->system.psr : M_USR;
    return v | (s->q & 1) << 27 | (s->exec & A32_MODE_T ? PSR_T : 0) | (s->exec & A32_MODE_E ? PSR_E : 0) | (it & 3) << 25 |
           (it >> 2) << 10;
}

/* There is the mode, and this state may go there: monitor mode only from the secure world. */
static int mode_exists(const a32_state *s, unsigned mode)
{
    if (mode == M_MON)
        return a32_secure(s);
    return bank_of(mode) >= 0;
}

/* A mode that does not exist leaves the mode bits as they are. */
void a32_set_cpsr(oryx_cpu *cpu, uint32_t v, uint32_t mask)
{
    a32_state *s = a32_state_of(cpu);
    if (mask & 0xf0000000)
        s->flags = (v >> 24 & 0xc0) | (v >> 29 & ORYX_FLAG_C) | (v >> 20 & ORYX_FLAG_O);
    if (mask & 1u << 27)
        s->q = v >> 27 & 1;
    for (unsigned k = 0; k < 4; k++)
        if (mask >> (16 + k) & 1)
            s->ge = (s->ge & ~(0xffu << 8 * k)) | (v >> (16 + k) & 1) * (0xffu << 8 * k);
    if (mask & PSR_E)
        s->exec = (s->exec & ~A32_MODE_E) | (v & PSR_E ? A32_MODE_E : 0);
    if (mask & PSR_T) {
        uint32_t it = v & PSR_T ? (v >> 25 & 3) | (v >> 10 & 0x3f) << 2 : 0;
        s->exec = (s->exec & A32_MODE_E) | (v & PSR_T ? A32_MODE_T : 0) | (it & 15 ? it << A32_MODE_IT_SHIFT : 0);
    }
    if (!s->system.level)
        return;
    if (!(a32_model_of(cpu)->features & A32_FEAT_V6))
        mask &= ~PSR_A;
    s->system.psr = (s->system.psr & ~(mask & (PSR_F | PSR_I | PSR_A))) | (v & mask & (PSR_F | PSR_I | PSR_A));
    if (mask & PSR_M && mode_exists(s, v & PSR_M))
        set_mode(s, v & PSR_M);
}

/* --- Worlds ------------------------------------------------------------------------------------------------------------ */

void a32_set_scr(oryx_cpu *cpu, uint32_t v)
{
    a32_state *s = a32_state_of(cpu);
    unsigned from = a32_scr(s) & SCR_NS, to = v & SCR_NS;
    s->system.sys[CP_scr][0] = v;
    if (from == to)
        return;
    s->system.tpidr[from][0] = s->tpidrurw;
    s->system.tpidr[from][1] = s->tpidruro;
    s->tpidrurw = s->system.tpidr[to][0];
    s->tpidruro = s->system.tpidr[to][1];
}

/* --- Reset, mode key --------------------------------------------------------------------------------------------------- */

oryx_status a32_reset_system(oryx_cpu *cpu, const a32_model *m, const char *mode, oryx_error *err)
{
    a32_state *s = a32_state_of(cpu);
    s->system.tz = !strcmp(mode, "el3");
    if (s->system.tz && !(m->features & A32_FEAT_SEC)) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "%.32s has no Security Extensions; use mode el1", m->name);
        }
        return ORYX_E_NOTFOUND;
    }
    s->system.level = strcmp(mode, "bare") ? 2 : 1;
    s->system.psr = M_SVC | PSR_I | PSR_F | (m->features & A32_FEAT_V6 ? PSR_A : 0);
    a32_cp_reset(cpu, m);
    if (s->system.level == 1) { /* code that somebody runs by itself: FP works, unaligned accesses are those of the model's best */
        s->system.sys[CP_cpacr][0] = 0xfu << 20;
        s->system.fpexc = FPEXC_EN;
        s->system.sys[CP_sctlr][0] |= m->features & A32_FEAT_V6 ? SCTLR_U : 0;
    }
    return ORYX_OK;
}

/* FP and AdvSIMD as CPACR, NSACR and FPEXC let this mode have them. */
static uint32_t fp_key(const a32_state *s, const a32_model *m, unsigned user)
{
    uint32_t key = s->system.fpexc & FPEXC_EN ? 0 : A32_MODE_FPDIS;
    if (!(m->features & A32_FEAT_V6))
        return key; /* there is no CPACR */
    uint32_t cpacr = (uint32_t)s->system.sys[CP_cpacr][0], nsacr = (uint32_t)s->system.sys[CP_nsacr][0];
    int ns = s->system.tz && !a32_secure(s);
    unsigned cp10 = cpacr >> 20 & 3;
    if (!(cp10 & 1) || (cp10 == 1 && user) || (ns && !(nsacr >> 10 & 1)))
        key |= A32_MODE_FPOFF;
    if (cpacr >> 31 || (ns && nsacr >> 15 & 1))
        key |= A32_MODE_NOASE;
    return key;
}

uint32_t a32_system_mode(const oryx_cpu *cpu)
{
    const a32_state *s = a32_state_of(cpu);
    const a32_model *m = a32_model_of(cpu);
    unsigned world = a32_world(s), user = a32_mode(s) == M_USR;
    uint32_t sctlr = a32_sctlr(s, world);
    return A32_MODE_SYSTEM | (user | world << 1) << 3 | fp_key(s, m, user) | (sctlr & SCTLR_A ? A32_MODE_ALIGN : 0) |
           (m->features & A32_FEAT_V6 && !(m->features & A32_FEAT_V7) && !(sctlr & SCTLR_U) ? A32_MODE_LEGACY : 0) |
           (!(m->features & A32_FEAT_V7) && sctlr & SCTLR_B ? A32_MODE_BE32 : 0);
}

/* --- Entry ------------------------------------------------------------------------------------------------------------- */

enum { VEC_UND = 4, VEC_SVC = 8, VEC_PABT = 0xc, VEC_DABT = 0x10, VEC_IRQ = 0x18, VEC_FIQ = 0x1c };

/* DDI 0406C, B1.8.10: LR, SPSR, CPSR and the vector. lr: what the mode's LR gets. */
static void take(oryx_cpu *cpu, unsigned mode, unsigned vector, uint32_t lr)
{
    a32_state *s = a32_state_of(cpu);
    uint32_t cpsr = a32_cpsr(s), scr = a32_scr(s), masks = PSR_I;
    if (a32_mode(s) == M_MON) /* the secure world, whatever SCR said */
        a32_set_scr(cpu, scr & ~SCR_NS);
    scr = a32_scr(s);
    int ns = s->system.tz && scr & SCR_NS && mode != M_MON, virt = (a32_model_of(cpu)->features & A32_FEAT_VIRT) != 0;
    if (mode == M_MON) {
        masks |= PSR_F | PSR_A;
    } else {
        if (vector == VEC_FIQ && (!ns || virt || scr & SCR_FW))
            masks |= PSR_F;
        if (vector >= VEC_PABT && (!ns || virt || scr & SCR_AW))
            masks |= PSR_A;
    }
    if (!(a32_model_of(cpu)->features & A32_FEAT_V6))
        masks &= ~PSR_A;
    set_mode(s, mode);
    s->system.psr |= masks;
    *a32_spsr(s, mode) = cpsr;
    s->r[14] = lr;
    uint32_t sctlr = a32_sctlr(s, a32_world(s));
    s->exec = (sctlr & SCTLR_TE && a32_model_of(cpu)->features & A32_FEAT_T2 ? A32_MODE_T : 0) | (sctlr & SCTLR_EE ? A32_MODE_E : 0);
    uint32_t base = 0;
    if (mode == M_MON)
        base = (uint32_t)s->system.sys[CP_mvbar][0];
    else if (sctlr & SCTLR_V)
        base = 0xffff0000;
    else if (a32_model_of(cpu)->system & A32_SYS_VBAR)
        base = (uint32_t)s->system.sys[CP_vbar][a32_world(s)];
    s->pc = base + vector;
    cpu->monitor.active = 0;
}

/* The fault status of either format. DDI 0406C, B3.13. */
static uint32_t status(uint64_t syndrome, int longer)
{
    static const uint8_t section[] = { 0x05, 0x03, 0x09, 0x0d, 0x0c }, page[] = { 0x07, 0x06, 0x0b, 0x0f, 0x0e };
    unsigned fault = syndrome & 15, level = syndrome >> 4 & 3;
    if (longer) {
        static const uint8_t codes[] = { 0x04, 0x08, 0x3c, 0x0c, 0x14 };
        switch (fault) {
        case A32_FAULT_EXTERNAL: return 0x210;
        case A32_FAULT_ALIGN: return 0x221;
        case A32_FAULT_DEBUG: return 0x222;
        case A32_FAULT_SIZE: return 0x200 | level;
        default: return 0x200 | codes[fault] | level;
        }
    }
    switch (fault) {
    case A32_FAULT_EXTERNAL:
    case A32_FAULT_SIZE: return 0x08;
    case A32_FAULT_ALIGN: return 0x01;
    case A32_FAULT_DEBUG: return 0x02;
    default: return (level == 2 ? page[fault] : section[fault]) | ((uint32_t)syndrome >> 8 & 15) << 4;
    }
}

static void memory_abort(oryx_cpu *cpu, const oryx_exc *exc)
{
    a32_state *s = a32_state_of(cpu);
    const a32_model *m = a32_model_of(cpu);
    uint64_t syndrome = exc->syndrome & A32_MEM_VALID ? exc->syndrome : exc->status == ORYX_FAULT_ALIGN ? A32_FAULT_ALIGN : A32_FAULT_EXTERNAL;
    unsigned fault = syndrome & 15, mode = M_ABT;
    if ((fault == A32_FAULT_EXTERNAL || fault == A32_FAULT_WALK) && a32_scr(s) & SCR_EA)
        mode = M_MON;
    /* Registers of the world that handles it. */
    unsigned world = mode == M_MON ? 0 : a32_world(s), longer = (unsigned)a32_lpae(s, m, world), data = exc->kind == ORYX_EXC_MEMORY;
    uint32_t fsr = status(syndrome, (int)longer), addr = (uint32_t)exc->addr;
    if (data && m->features & A32_FEAT_V6 && (exc->access == ORYX_ACCESS_WRITE || exc->syndrome & A32_MEM_CM))
        fsr |= 1u << 11;
    if (data && exc->syndrome & A32_MEM_VALID && exc->syndrome & A32_MEM_CM && longer)
        fsr |= 1u << 13;
    if (!(addr >> 25)) /* the modified virtual address */
        addr |= (uint32_t)s->system.sys[CP_fcseidr][world] & 0xfe000000;
    s->system.sys[data ? CP_dfsr : CP_ifsr][world] = fsr;
    if (fault != A32_FAULT_DEBUG) /* UNKNOWN then: it stays */
        s->system.sys[data ? CP_dfar : CP_ifar][world] = addr;
    take(cpu, mode, data ? VEC_DABT : VEC_PABT, (uint32_t)exc->pc + (data ? 8 : 4));
}

oryx_status a32_deliver(oryx_cpu *cpu, const oryx_exc *exc)
{
    a32_state *s = a32_state_of(cpu);
    uint32_t pc = (uint32_t)exc->pc;
    if (s->system.level < 2)
        return ORYX_E_UNSUPPORTED;
    switch (exc->kind) {
    case ORYX_EXC_UNDEFINED:
        take(cpu, M_UND, VEC_UND, pc + (s->exec & A32_MODE_T ? 2 : 4));
        return ORYX_OK;
    case ORYX_EXC_SYSCALL:
        take(cpu, M_SVC, VEC_SVC, pc);
        return ORYX_OK;
    case ORYX_EXC_MONITORCALL: /* its pc is the next instruction; where it does not exist it is UNDEFINED */
        take(cpu, M_MON, VEC_SVC, pc);
        return ORYX_OK;
    case ORYX_EXC_BREAKPOINT: {
        oryx_exc e = *exc;
        e.kind = ORYX_EXC_FETCH;
        e.syndrome = A32_MEM(A32_FAULT_DEBUG, 0, 0);
        e.addr = exc->pc;
        memory_abort(cpu, &e);
        return ORYX_OK;
    }
    case ORYX_EXC_MEMORY:
    case ORYX_EXC_FETCH:
        memory_abort(cpu, exc);
        return ORYX_OK;
    default:
        return ORYX_E_UNSUPPORTED; /* semihosting, halts and internal errors are the embedder's */
    }
}

/* --- Interrupts -------------------------------------------------------------------------------------------------------- */

oryx_status a32_interrupt(oryx_cpu *cpu, uint64_t lines)
{
    a32_state *s = a32_state_of(cpu);
    if (s->system.level < 2)
        return ORYX_E_UNSUPPORTED;
    uint32_t scr = a32_scr(s), psr = s->system.psr, back = (uint32_t)s->pc + 4;
    int ns = s->system.tz && !a32_secure(s);
    /* The non-secure world masks neither what it must not (SCR.FW, AW). */
    if (lines >> A32_SERROR & 1 && (!(psr & PSR_A) || (ns && scr & SCR_EA && !(scr & SCR_AW)))) {
        unsigned mode = scr & SCR_EA ? M_MON : M_ABT, world = mode == M_MON ? 0 : a32_world(s);
        s->system.sys[CP_dfsr][world] = a32_lpae(s, a32_model_of(cpu), world) ? 0x211 : 0x406; /* asynchronous external abort */
        take(cpu, mode, VEC_DABT, back + 4);
        return ORYX_OK;
    }
    if (lines >> A32_FIQ & 1 && (!(psr & PSR_F) || (ns && scr & SCR_FIQ && !(scr & SCR_FW)))) {
        take(cpu, scr & SCR_FIQ ? M_MON : M_FIQ, VEC_FIQ, back);
        return ORYX_OK;
    }
    if (lines >> A32_IRQ & 1 && !(psr & PSR_I)) {
        take(cpu, scr & SCR_IRQ ? M_MON : M_IRQ, VEC_IRQ, back);
        return ORYX_OK;
    }
    return ORYX_E_BUSY;
}

uint32_t a32_pending(const oryx_cpu *cpu)
{
    uint64_t lines = __atomic_load_n(&cpu->irq, __ATOMIC_RELAXED);
    return (uint32_t)(lines >> A32_IRQ & 1) << 7 | (uint32_t)(lines >> A32_FIQ & 1) << 6 | (uint32_t)(lines >> A32_SERROR & 1) << 8;
}

/* --- From helpers ------------------------------------------------------------------------------------------------------ */

void a32_raise_undefined(oryx_cpu *cpu)
{
    cpu->exc.hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    cpu->exc.kind = ORYX_EXC_UNDEFINED;
    cpu->exc.syndrome = 0;
    cpu->exc.addr = 0;
    cpu->exc.phys = UINT64_MAX;
    cpu->exc.size = 0;
    cpu->exc.access = 0;
    cpu->exc.status = ORYX_OK;
}

/* MSR and CPS: DDI 0406C, CPSRWriteByInstr. mask: of the bits meant, not yet of those this state may write. */
void a32_helper_write_cpsr(oryx_cpu *cpu, uint32_t v, uint32_t mask)
{
    const a32_state *s = a32_state_of(cpu);
    uint32_t scr = a32_scr(s);
    mask &= 0xf80f0000u | PSR_KEPT | PSR_E;
    if (a32_mode(s) == M_USR)
        mask &= 0xf80f0000u | PSR_E;
    if (!(a32_model_of(cpu)->features & A32_FEAT_V6))
        mask &= ~(0x000f0000u | PSR_E);
    if (s->system.tz && !a32_secure(s) && !(a32_model_of(cpu)->features & A32_FEAT_VIRT))
        mask &= ~((scr & SCR_FW ? 0 : PSR_F) | (scr & SCR_AW ? 0 : PSR_A));
    if (a32_sctlr(s, a32_world(s)) >> 27 & 1 && v & PSR_F) { /* SCTLR.NMFI: F is only ever cleared */
        mask &= ~PSR_F;
    }
    a32_set_cpsr(cpu, v, mask);
}

/* Exception return to pc with a CPSR from SPSR or memory: DDI 0406C, CPSRWriteByInstr with its execution state and BranchWritePC.
 * The result is the address; the block then takes the new mode key and leaves for the run loop. */
uint64_t a32_helper_return(oryx_cpu *cpu, uint32_t pc, uint32_t v)
{
    const a32_state *s = a32_state_of(cpu);
    uint32_t scr = a32_scr(s), mask = 0xffffffffu;
    if (s->system.tz && !a32_secure(s) && !(a32_model_of(cpu)->features & A32_FEAT_VIRT))
        mask &= ~((scr & SCR_FW ? 0 : PSR_F) | (scr & SCR_AW ? 0 : PSR_A));
    a32_set_cpsr(cpu, v, mask);
    cpu->monitor.active = 0;
    return pc & (v & PSR_T ? ~1u : ~3u);
}

uint64_t a32_helper_return_spsr(oryx_cpu *cpu, uint32_t pc)
{
    a32_state *s = a32_state_of(cpu);
    return a32_helper_return(cpu, pc, *a32_spsr(s, a32_mode(s)));
}

/* The mode key after a helper changed it; and the next block goes through the run loop, which looks for interrupts. */
uint64_t a32_helper_new_mode(oryx_cpu *cpu)
{
    const a32_state *s = a32_state_of(cpu);
    __atomic_store_n(&cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    return a32_system_mode(cpu) | (s->exec & A32_MODE_EXEC) | (s->fpscr & A32_FPSCR_CONTROL);
}

uint32_t a32_helper_get_spsr(oryx_cpu *cpu)
{
    a32_state *s = a32_state_of(cpu);
    return *a32_spsr(s, a32_mode(s));
}

/* mask: the bytes' bits. */
void a32_helper_set_spsr(oryx_cpu *cpu, uint32_t v, uint32_t mask)
{
    a32_state *s = a32_state_of(cpu);
    uint32_t *to = a32_spsr(s, a32_mode(s));
    uint32_t f = a32_model_of(cpu)->features; /* bits that the version has */
    mask &= f & A32_FEAT_T2 ? 0xff0fffffu : f & A32_FEAT_V6 ? 0xf90f03ffu : 0xf90000ffu;
    *to = (*to & ~mask) | (v & mask);
}

/* User registers from a privileged mode (LDM, STM with ^). */
uint32_t a32_helper_get_user(oryx_cpu *cpu, uint32_t n)
{
    return *a32_banked(a32_state_of(cpu), M_USR, n);
}

void a32_helper_set_user(oryx_cpu *cpu, uint32_t n, uint32_t v)
{
    *a32_banked(a32_state_of(cpu), M_USR, n) = v;
}

/* MRS and MSR of banked registers: which is R:M:M1. DDI 0406C, B9.2.3. The mode of SYSm, and what this state may reach. */
static uint32_t *banked(oryx_cpu *cpu, uint32_t which)
{
    a32_state *s = a32_state_of(cpu);
    static const uint8_t modes[16] = { M_USR, M_USR, M_USR, M_USR, M_FIQ, M_FIQ, M_FIQ, M_FIQ,
                                       M_IRQ, M_SVC, M_ABT, M_UND, 0, 0, M_MON, M_HYP };
    unsigned sysm = which & 31, mode = modes[sysm >> 1];
    uint32_t *at = NULL;
    if (a32_mode(s) == M_USR || mode == M_HYP || (mode == M_MON && (!a32_secure(s) || a32_mode(s) == M_MON)) || mode == a32_mode(s)) {
        a32_raise_undefined(cpu); /* UNPREDICTABLE where the mode is the current one */
    } else if (which & 32) {
        at = a32_spsr(s, mode);
    } else {
        unsigned n = sysm < 16 ? 8 + (sysm & 7) : sysm & 1 ? 13 : 14;
        if (mode == M_USR && n >= 13 && a32_mode(s) == M_SYS)
            a32_raise_undefined(cpu);
        else if (mode == M_USR && n < 13 && a32_mode(s) != M_FIQ)
            a32_raise_undefined(cpu);
        else
            at = a32_banked(s, mode, n);
    }
    return at;
}

uint32_t a32_helper_get_banked(oryx_cpu *cpu, uint32_t which)
{
    const uint32_t *at = banked(cpu, which);
    return at ? *at : 0;
}

void a32_helper_set_banked(oryx_cpu *cpu, uint32_t which, uint32_t v)
{
    uint32_t *at = banked(cpu, which);
    if (at)
        *at = v;
}

/* SRS: the stack pointer of a mode. */
uint32_t a32_helper_srs_base(oryx_cpu *cpu, uint32_t mode)
{
    a32_state *s = a32_state_of(cpu);
    if (a32_mode(s) == M_USR || a32_mode(s) == M_SYS || bank_of(mode) < 0 || (mode == M_MON && !a32_secure(s))) {
        a32_raise_undefined(cpu);
        return 0;
    }
    return *a32_banked(s, mode, 13);
}

void a32_helper_srs_back(oryx_cpu *cpu, uint32_t mode, uint32_t v)
{
    *a32_banked(a32_state_of(cpu), mode, 13) = v;
}

/* SMC: UNDEFINED without the Security Extensions, in user mode, or when SCR.SCD says so. */
void a32_helper_smc_check(oryx_cpu *cpu)
{
    const a32_state *s = a32_state_of(cpu);
    if (!s->system.tz || a32_mode(s) == M_USR || (a32_scr(s) & SCR_SCD && !a32_secure(s)))
        a32_raise_undefined(cpu);
}

/* WFI (fe 0) and WFE in user mode of Armv8: SCTLR.nTWI, nTWE. */
void a32_helper_wfx_check(oryx_cpu *cpu, uint32_t fe)
{
    const a32_state *s = a32_state_of(cpu);
    if (a32_model_of(cpu)->features & A32_FEAT_V8 && a32_mode(s) == M_USR &&
        !(a32_sctlr(s, a32_world(s)) & (fe ? SCTLR_NTWE : SCTLR_NTWI)) &&
        (fe || !__atomic_load_n(&cpu->irq, __ATOMIC_RELAXED)))
        a32_raise_undefined(cpu);
}
