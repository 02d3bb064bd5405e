/* System registers that are more than a value: PSTATE fields, banked stack pointers, HCR and SCR, counters, timers, PMU.
 *
 * Called by a64_sysreg.c after traps were decided, and for the debugger's view. */
#include "a64_sys.h"

static uint64_t bit_of(const a64_state *s, uint32_t bit)
{
    return s->pstate & bit;
}

static uint64_t *stack_of(a64_state *s, unsigned el)
{
    unsigned now = s->pstate & PS_SP ? a64_el(s) : 0;
    return now == el ? &s->sp : &s->sp_el[el];
}

/* The cycle counter counts instructions while PMCR.E and its enable are set: a difference to virtual time in between. */
static int counting(const a64_state *s)
{
    return s->sys[SR_pmcr_el0] & 1 && s->sys[SR_pmcntenset_el0] >> 31 & 1;
}

static uint64_t cycles(oryx_cpu *cpu)
{
    const a64_state *s = a64_state_of(cpu);
    return s->sys[SR_pmccntr_el0] + (counting(s) ? a64_host->machine_vtime(cpu->machine) : 0);
}

static void pmu_change(oryx_cpu *cpu, unsigned sr, uint64_t v)
{
    a64_state *s = a64_state_of(cpu);
    uint64_t now = cycles(cpu);
    s->sys[sr] = v;
    s->sys[SR_pmccntr_el0] = now - (counting(s) ? a64_host->machine_vtime(cpu->machine) : 0);
}

uint64_t a64_sysreg_fn_get(oryx_cpu *cpu, unsigned sr)
{
    a64_state *s = a64_state_of(cpu);
    switch (sr) {
    case SR_oslsr_el1: return 8 | (s->sys[SR_oslar_el1] & 1) << 1;
    case SR_ccsidr_el1: /* 32K of data, 48K of instructions, 1M at level 2, 64-byte lines */
        switch (s->sys[SR_csselr_el1]) {
        case 0: return 0x700fe01a;
        case 1: return 0x201fe00a;
        case 2: return 0x703fe07a;
        default: return 0;
        }
    case SR_dczid_el0: {
        int no = a64_el(s) == 0 ? !(a64_hcr(s) & HCR_TGE) && !(s->sys[SR_sctlr_el1] & SCTLR_DZE) : 0;
        return A64_DCZID_EL0 | (no || (a64_el(s) < 2 && a64_hcr(s) & HCR_TDZ) ? 16 : 0);
    }
    case SR_sp_el0: return *stack_of(s, 0);
    case SR_sp_el1: return *stack_of(s, 1);
    case SR_sp_el2: return *stack_of(s, 2);
    case SR_spsel: return bit_of(s, PS_SP);
    case SR_currentel: return s->pstate & 0xc;
    case SR_pan: return bit_of(s, PS_PAN);
    case SR_uao: return bit_of(s, PS_UAO);
    case SR_daif: return bit_of(s, PS_DAIF);
    case SR_dit: return bit_of(s, PS_DIT);
    case SR_ssbs: return bit_of(s, PS_SSBS);
    case SR_isr_el1: return a64_pending(cpu);
    case SR_cntfrq_el0: return s->sys[sr];
    case SR_cntpct_el0: return a64_count(cpu);
    case SR_cntvct_el0: return a64_count(cpu) - s->sys[SR_cntvoff_el2];
    case SR_cntp_tval_el0: return a64_timer_get(cpu, A64_OUT_CNTP, 0);
    case SR_cntp_ctl_el0: return a64_timer_get(cpu, A64_OUT_CNTP, 1);
    case SR_cntp_cval_el0: return a64_timer_get(cpu, A64_OUT_CNTP, 2);
    case SR_cntv_tval_el0: return a64_timer_get(cpu, A64_OUT_CNTV, 0);
    case SR_cntv_ctl_el0: return a64_timer_get(cpu, A64_OUT_CNTV, 1);
    case SR_cntv_cval_el0: return a64_timer_get(cpu, A64_OUT_CNTV, 2);
    case SR_cnthp_tval_el2: return a64_timer_get(cpu, A64_OUT_CNTHP, 0);
    case SR_cnthp_ctl_el2: return a64_timer_get(cpu, A64_OUT_CNTHP, 1);
    case SR_cnthp_cval_el2: return a64_timer_get(cpu, A64_OUT_CNTHP, 2);
    case SR_cntps_tval_el1: return a64_timer_get(cpu, A64_OUT_CNTPS, 0);
    case SR_cntps_ctl_el1: return a64_timer_get(cpu, A64_OUT_CNTPS, 1);
    case SR_cntps_cval_el1: return a64_timer_get(cpu, A64_OUT_CNTPS, 2);
    case SR_cntvoff_el2:
    case SR_hcr_el2:
    case SR_scr_el3: return s->sys[sr];
    case SR_pmcr_el0: return s->sys[sr] | 0x41u << 24 | 1u << 6; /* no event counter; long cycle counter */
    case SR_pmcntenset_el0:
    case SR_pmcntenclr_el0: return s->sys[SR_pmcntenset_el0];
    case SR_pmovsset_el0:
    case SR_pmovsclr_el0: return s->sys[SR_pmovsset_el0];
    case SR_pmintenset_el1:
    case SR_pmintenclr_el1: return s->sys[SR_pmintenset_el1];
    case SR_pmccntr_el0: return cycles(cpu);
    default: return 0;
    }
}

static void set_bits(a64_state *s, uint32_t mask, uint64_t v)
{
    a64_set_pstate(s, (s->pstate & ~mask) | ((uint32_t)v & mask));
}

void a64_sysreg_fn_set(oryx_cpu *cpu, unsigned sr, uint64_t v)
{
    a64_state *s = a64_state_of(cpu);
    switch (sr) {
    case SR_oslar_el1: s->sys[sr] = v & 1; break;
    case SR_sp_el0: *stack_of(s, 0) = v; break;
    case SR_sp_el1: *stack_of(s, 1) = v; break;
    case SR_sp_el2: *stack_of(s, 2) = v; break;
    case SR_spsel: set_bits(s, PS_SP, v); break;
    case SR_pan:
        if (s->level == 3 && ((uint32_t)v ^ s->pstate) & PS_PAN)
            a64_flush(cpu);
        set_bits(s, PS_PAN, v);
        break;
    case SR_uao: set_bits(s, PS_UAO, v); break;
    case SR_daif: set_bits(s, PS_DAIF, v); break;
    case SR_dit: set_bits(s, PS_DIT, v); break;
    case SR_ssbs: set_bits(s, PS_SSBS, v); break;
    case SR_cntfrq_el0:
        if (a64_el(s) == s->level)
            s->sys[sr] = (uint32_t)v;
        break;
    case SR_cntp_tval_el0: a64_timer_set(cpu, A64_OUT_CNTP, 0, v); break;
    case SR_cntp_ctl_el0: a64_timer_set(cpu, A64_OUT_CNTP, 1, v); break;
    case SR_cntp_cval_el0: a64_timer_set(cpu, A64_OUT_CNTP, 2, v); break;
    case SR_cntv_tval_el0: a64_timer_set(cpu, A64_OUT_CNTV, 0, v); break;
    case SR_cntv_ctl_el0: a64_timer_set(cpu, A64_OUT_CNTV, 1, v); break;
    case SR_cntv_cval_el0: a64_timer_set(cpu, A64_OUT_CNTV, 2, v); break;
    case SR_cnthp_tval_el2: a64_timer_set(cpu, A64_OUT_CNTHP, 0, v); break;
    case SR_cnthp_ctl_el2: a64_timer_set(cpu, A64_OUT_CNTHP, 1, v); break;
    case SR_cnthp_cval_el2: a64_timer_set(cpu, A64_OUT_CNTHP, 2, v); break;
    case SR_cntps_tval_el1: a64_timer_set(cpu, A64_OUT_CNTPS, 0, v); break;
    case SR_cntps_ctl_el1: a64_timer_set(cpu, A64_OUT_CNTPS, 1, v); break;
    case SR_cntps_cval_el1: a64_timer_set(cpu, A64_OUT_CNTPS, 2, v); break;
    case SR_cntvoff_el2:
        s->sys[sr] = v;
        a64_timer_changed(cpu);
        break;
    case SR_hcr_el2:
        s->sys[sr] = (v & ~UINT64_C(1)) | HCR_RW; /* no second stage, no AArch32 */
        if (v & (HCR_VI | HCR_VF | HCR_VSE)) /* virtual lines of its own: the run loop is to ask */
            __atomic_fetch_or(&cpu->irq, UINT64_C(1) << A64_LINE_HCR, __ATOMIC_SEQ_CST);
        else
            __atomic_fetch_and(&cpu->irq, ~(UINT64_C(1) << A64_LINE_HCR), __ATOMIC_SEQ_CST);
        a64_flush(cpu);
        break;
    case SR_scr_el3:
        s->sys[sr] = (v & 0x3ffff) | SCR_RW | 0x30;
        a64_flush(cpu);
        break;
    case SR_pmcr_el0:
        pmu_change(cpu, sr, v & 0x39);
        if (v & 4)
            s->sys[SR_pmccntr_el0] = 0 - (counting(s) ? a64_host->machine_vtime(cpu->machine) : 0);
        break;
    case SR_pmcntenset_el0: pmu_change(cpu, sr, s->sys[sr] | (v & 0x80000000)); break;
    case SR_pmcntenclr_el0: pmu_change(cpu, SR_pmcntenset_el0, s->sys[SR_pmcntenset_el0] & ~v); break;
    case SR_pmovsset_el0: s->sys[sr] |= v & 0x80000000; break;
    case SR_pmovsclr_el0: s->sys[SR_pmovsset_el0] &= ~v; break;
    case SR_pmintenset_el1: s->sys[sr] |= v & 0x80000000; break;
    case SR_pmintenclr_el1: s->sys[SR_pmintenset_el1] &= ~v; break;
    case SR_pmccntr_el0: s->sys[sr] = v - (counting(s) ? a64_host->machine_vtime(cpu->machine) : 0); break;
    default: break;
    }
}
