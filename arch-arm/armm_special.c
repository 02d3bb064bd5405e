/* MRS, MSR, CPS, VMSR and TT: special registers by number. DDI 0403E.e, B5.2.2, B5.2.3; DDI 0553B, C2.4.111.
 *
 * Called by generated code (m32_system.c). Invariant: only the vCPU's own state changes here; what may now be let in is looked
 * at before the next block. */
#include "arm_fp.h"
#include "armm.h"

enum { MSP = 8, PSP, MSPLIM, PSPLIM, PRIMASK = 16, BASEPRI, BASEPRI_MAX, FAULTMASK, CONTROL, CPS = 0x100, FPSCR = 0x200 };

uint32_t armm_helper_mrs(oryx_cpu *cpu, uint32_t sysm)
{
    const armm_state *s = armm_state_of(cpu);
    uint32_t has = armm_model_of(cpu)->has, all = armm_privileged(s), main = has & ARMM_V7;
    if (sysm < 8) {
        uint32_t v = armm_xpsr(s), mask = sysm & 4 ? 0 : 0xf8000000;
        if (!(sysm & 4) && has & ARMM_DSP)
            mask |= 0x000f0000;
        return v & (mask | (sysm & 1 ? 0x1ff : 0)); /* EPSR reads as zero */
    }
    switch (sysm) {
    case MSP:
    case PSP: return all ? armm_sp(s, sysm == PSP) : 0;
    case MSPLIM: return all && has & ARMM_V8 ? s->msplim : 0;
    case PSPLIM: return all && has & ARMM_V8 ? s->psplim : 0;
    case PRIMASK: return all ? s->primask : 0;
    case BASEPRI:
    case BASEPRI_MAX: return all && main ? s->basepri : 0;
    case FAULTMASK: return all && main ? s->faultmask : 0;
    case CONTROL: return s->ipsr ? s->control & ~ARMM_SPSEL : s->control;
    default: return 0;
    }
}

static uint32_t implemented(const oryx_cpu *cpu, uint32_t priority)
{
    const oryx_scs *scs = armm_scs(cpu);
    return priority & (scs ? scs->priority_mask : 0xff);
}

static void set_faultmask(oryx_cpu *cpu, uint32_t on)
{
    armm_state *s = armm_state_of(cpu);
    if (!on || armm_priority(cpu) > -1)
        s->faultmask = on;
}

static void set_control(oryx_cpu *cpu, uint32_t v)
{
    armm_state *s = armm_state_of(cpu);
    uint32_t has = armm_model_of(cpu)->has, to = s->control;
    if (has & ARMM_USER)
        to = (to & ~ARMM_NPRIV) | (v & ARMM_NPRIV);
    if (!s->ipsr)
        to = (to & ~ARMM_SPSEL) | (v & ARMM_SPSEL);
    if (has & ARMM_SP)
        to = (to & ~ARMM_FPCA) | (v & ARMM_FPCA);
    armm_set_mode(s, s->ipsr, to);
}

void armm_helper_msr(oryx_cpu *cpu, uint32_t sysm, uint32_t v)
{
    armm_state *s = armm_state_of(cpu);
    uint32_t has = armm_model_of(cpu)->has, main = has & ARMM_V7;
    if (sysm == FPSCR) {
        a32_fpscr_write(cpu, v & ~A32_FPSCR_VECTOR);
        return;
    }
    if (!armm_privileged(s))
        return;
    switch (sysm) {
    case MSP:
    case PSP:
        armm_set_sp(s, sysm == PSP, v);
        break;
    case MSPLIM:
        s->msplim = has & ARMM_V8 ? v & ~7u : 0;
        break;
    case PSPLIM:
        s->psplim = has & ARMM_V8 ? v & ~7u : 0;
        break;
    case PRIMASK:
        s->primask = v & 1;
        break;
    case BASEPRI:
        if (main)
            s->basepri = implemented(cpu, v & 0xff);
        break;
    case BASEPRI_MAX:
        v = implemented(cpu, v & 0xff);
        if (main && v && (v < s->basepri || !s->basepri))
            s->basepri = v;
        break;
    case FAULTMASK:
        if (main)
            set_faultmask(cpu, v & 1);
        break;
    case CONTROL:
        set_control(cpu, v);
        break;
    case CPS | 1:
    case CPS | 2:
    case CPS | 3:
        if (sysm & 2)
            s->primask = v;
        if (sysm & 1 && main)
            set_faultmask(cpu, v);
        break;
    default:
        break;
    }
    armm_look(cpu);
}

/* The memory region of addr, and what may be done there. No security extension: SREGION and IREGION are not valid. */
uint32_t armm_helper_tt(oryx_cpu *cpu, uint32_t addr, uint32_t unprivileged)
{
    const oryx_scs *scs = armm_scs(cpu);
    uint32_t index = unprivileged ? ARMM_MMU_UNPRIV : armm_mmu_index(cpu), hits = 0, region = 0, r = 0;
    oryx_mmu_result read = { .hdr = ORYX_HDR(oryx_mmu_result) }, write = read;
    if (!scs || !(scs->mpu_ctrl & 1))
        return armm_privileged(armm_state_of(cpu)) ? 0xc0000 : 0;
    for (uint32_t i = 0; i < scs->n_regions; i++)
        if (scs->mpu_rasr[i] & 1 && addr >= (scs->mpu_rbar[i] & ~31u) && addr <= (scs->mpu_rasr[i] | 31u)) {
            hits++;
            region = i;
        }
    if (hits == 1)
        r = region | 1u << 16; /* MRVALID */
    if (hits > 1)
        return r;
    if (armm_privileged(armm_state_of(cpu)) || unprivileged) {
        if (!armm_mmu(cpu, addr, ORYX_ACCESS_READ, index, &read) && read.prot & ORYX_PROT_READ)
            r |= 1u << 18;
        if (!armm_mmu(cpu, addr, ORYX_ACCESS_WRITE, index, &write) && write.prot & ORYX_PROT_WRITE)
            r |= 1u << 19;
    }
    return r;
}
