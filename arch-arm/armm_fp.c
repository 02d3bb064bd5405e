/* The floating-point extension around exceptions: access, the context's creation, stacking when it is needed. DDI 0403E.e,
 * B1.5.7 and ExecuteFPCheck.
 *
 * Called by armm_exception.c. FP instructions leave their block with ARMM_TRAP_FP while anything here is to be done, and are
 * executed after it. Invariant: with FPCCR.LSPACT set the FP registers are those of the frame at FPCAR. */
#include "arm_fp.h"
#include "armm.h"

#define LSPACT 1u
#define USER 2u
#define THREAD 8u
#define HFRDY 0x10u
#define MMRDY 0x20u
#define BFRDY 0x40u
#define MONRDY 0x100u

/* CPACR, CP10. */
uint32_t armm_fp_allowed(const oryx_cpu *cpu)
{
    uint32_t cp10 = armm_scs(cpu)->cpacr >> 20 & 3;
    return cp10 == 3 || (cp10 == 1 && armm_privileged(armm_state_of(cpu)));
}

static uint32_t s_register(const armm_state *s, uint32_t n)
{
    uint64_t pair = n & 2 ? s->a.v[n / 4].hi : s->a.v[n / 4].lo;
    return (uint32_t)(n & 1 ? pair >> 32 : pair);
}

static void set_s_register(armm_state *s, uint32_t n, uint32_t v)
{
    uint64_t *pair = n & 2 ? &s->a.v[n / 4].hi : &s->a.v[n / 4].lo;
    *pair = n & 1 ? (*pair & 0xffffffff) | (uint64_t)v << 32 : (*pair & ~UINT64_C(0xffffffff)) | v;
}

oryx_status armm_fp_push(oryx_cpu *cpu, uint32_t at, uint32_t index)
{
    oryx_status st = ORYX_OK;
    for (uint32_t k = 0; k < 16 && !st; k++)
        st = armm_store(cpu, at + 4 * k, index, s_register(armm_state_of(cpu), k));
    return st ? st : armm_store(cpu, at + 0x40, index, a32_fpscr_read(cpu));
}

oryx_status armm_fp_pop(oryx_cpu *cpu, uint32_t at, uint32_t index)
{
    uint32_t v[17];
    oryx_status st = ORYX_OK;
    for (uint32_t k = 0; k < 17 && !st; k++)
        st = armm_load(cpu, at + 4 * k, index, &v[k]);
    for (uint32_t k = 0; k < 16 && !st; k++)
        set_s_register(armm_state_of(cpu), k, v[k]);
    if (!st)
        a32_fpscr_write(cpu, v[16] & ~A32_FPSCR_VECTOR);
    return st;
}

/* UpdateFPCCR. */
void armm_fp_reserve(oryx_cpu *cpu, uint32_t frame)
{
    const armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    static const struct {
        uint8_t n;
        uint16_t bit;
    } rows[] = { { 3, HFRDY }, { 4, MMRDY }, { 5, BFRDY }, { 12, MONRDY } };
    int32_t now = armm_priority(cpu);
    scs->fpcar = (frame + 0x20) & ~7u;
    scs->fpccr &= ~(USER | THREAD | HFRDY | MMRDY | BFRDY | MONRDY);
    scs->fpccr |= LSPACT | (armm_privileged(s) ? 0 : USER) | (s->ipsr ? 0 : THREAD);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((rows[i].n == 3 || oryx_scs_get(scs->enabled, rows[i].n)) && oryx_scs_group(scs, oryx_scs_priority(scs, rows[i].n)) < now)
            scs->fpccr |= rows[i].bit;
}

/* A fault of lazy stacking goes to the handler that was ready when the frame was made. 0: lockup. */
static uint32_t lazy_fault(oryx_cpu *cpu, const oryx_exc *exc)
{
    oryx_scs *scs = armm_scs(cpu);
    uint32_t mpu = exc->syndrome == ARMM_MPU_FAULT, n = mpu ? 4 : 5;
    scs->cfsr |= mpu ? 1u << 5 : 1u << 13;
    if (scs->fpccr & (mpu ? MMRDY : BFRDY) && oryx_scs_get(scs->enabled, n)) {
        oryx_scs_put(scs->pending, n, 1);
        return n;
    }
    if (!(scs->fpccr & HFRDY) || armm_priority(cpu) <= -1)
        return 0;
    scs->hfsr |= 1u << 30;
    oryx_scs_put(scs->pending, 3, 1);
    return 3;
}

/* ExecuteFPCheck: ORYX_OK, and the instruction goes on; else *pends is the exception, 0 lockup. */
oryx_status armm_fp_check(oryx_cpu *cpu, uint32_t *pends)
{
    armm_state *s = armm_state_of(cpu);
    oryx_scs *scs = armm_scs(cpu);
    if (!armm_fp_allowed(cpu)) {
        scs->cfsr |= 1u << 19;
        *pends = armm_raise(cpu, 6);
        return ORYX_E_PERM;
    }
    if (scs->fpccr & LSPACT) {
        uint32_t index = scs->fpccr & USER ? ARMM_MMU_UNPRIV : ARMM_MMU_PRIV;
        oryx_status st = armm_fp_push(cpu, scs->fpcar, index);
        if (st) {
            oryx_exc exc = cpu->exc;
            cpu->exc.kind = ORYX_EXC_NONE;
            *pends = lazy_fault(cpu, &exc);
            scs->fpccr &= ~LSPACT;
            armm_look(cpu);
            /* Not more urgent than what runs: it stays pending and the instruction goes on. */
            if (*pends && oryx_scs_group(scs, oryx_scs_priority(scs, *pends)) >= armm_priority(cpu))
                return ORYX_OK;
            return st;
        }
        scs->fpccr &= ~LSPACT;
    }
    if (scs->fpccr >> 31 && !(s->control & ARMM_FPCA)) {
        a32_fpscr_write(cpu, scs->fpdscr & 0x07c00000u); /* the flags are UNKNOWN: clear */
        s->control |= ARMM_FPCA;
    }
    return ORYX_OK;
}
