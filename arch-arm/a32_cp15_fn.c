/* Registers and operations of CP15 that are more than a value: control, translation, TLB, counters, timers, the PMU.
 *
 * Called by a32_cp15.c after access was allowed, and for the debugger's view. Cache maintenance has nothing to maintain: memory
 * and code are coherent; by address it still translates, and faults. */
#include "a32_sys.h"

extern const oryx_host *a64_host;

/* The cycle counter counts instructions while PMCR.E and its enable are set: a difference to virtual time in between. */
static int counting(const a32_state *s)
{
    return s->system.sys[CP_pmcr][0] & 1 && s->system.sys[CP_pmcntenset][0] >> 31 & 1;
}

static uint64_t running(oryx_cpu *cpu)
{
    return counting(a32_state_of(cpu)) ? a64_host->machine_vtime(cpu->machine) : 0;
}

static uint64_t cycles(oryx_cpu *cpu)
{
    return a32_state_of(cpu)->system.sys[CP_pmccntr][0] + running(cpu);
}

static void pmu_change(oryx_cpu *cpu, unsigned row, uint64_t v)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t now = cycles(cpu);
    s->system.sys[row][0] = v;
    s->system.sys[CP_pmccntr][0] = now - running(cpu);
}

static uint32_t count_cpus(oryx_cpu *cpu)
{
    uint32_t n = 0;
    while (a64_host->machine_vcpu(cpu->machine, n))
        n++;
    return n;
}

uint64_t a32_cp_fn_get(oryx_cpu *cpu, unsigned row, unsigned bank)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t (*sys)[2] = s->system.sys;
    const a32_model *m = a32_model_of(cpu);
    switch (row) {
    case CP_ccsidr:
        switch (sys[CP_csselr][bank]) {
        case 0: return a32_cp_id(cpu, CP_ccsidr);
        case 1: return m->column == 2 ? 0x2007e01a : m->column == 3 ? 0x200fe019 : 0x201fe00a;
        case 2: return m->column == 2 ? 0xf0000000 : m->column == 3 ? 0 : m->column == 4 || m->column == 5 ? 0x711fe07a : 0x701fe07a;
        default: return 0;
        }
    case CP_sctlr: return sys[row][bank];
    case CP_cpacr:
        if (s->system.tz && !a32_secure(s) && !(sys[CP_nsacr][0] >> 10 & 1))
            return sys[row][0] & ~UINT64_C(0xf00000);
        return sys[row][0];
    case CP_scr: return sys[row][0];
    case CP_nsacr: return s->system.tz ? sys[row][0] : 0xc00;
    case CP_ttbr0:
    case CP_ttbr1:
    case CP_par: return sys[row][bank];
    case CP_ttbcr: return sys[row][bank];
    case CP_ttbr0_64: return sys[CP_ttbr0][bank];
    case CP_ttbr1_64: return sys[CP_ttbr1][bank];
    case CP_par_64: return sys[CP_par][bank];
    case CP_test_clean:
    case CP_test_clean_inv: return 1u << 30; /* Z: the cache is clean */
    case CP_pmcr: return sys[row][0] | 0x41000000 | (m->column == 3 ? 0x90000 : m->column == 4 ? 0xf0000 : m->column == 5 ? 0x70000 : m->column == 6 ? 0x10000 : 0);
    case CP_pmcntenset:
    case CP_pmcntenclr: return sys[CP_pmcntenset][0];
    case CP_pmovsr:
    case CP_pmovsset: return sys[CP_pmovsr][0];
    case CP_pmintenset:
    case CP_pmintenclr: return sys[CP_pmintenset][0];
    case CP_pmccntr: return (uint32_t)cycles(cpu);
    case CP_pmccntr_64: return cycles(cpu);
    case CP_pmxevtyper: return sys[CP_pmselr][0] == 31 && m->system & A32_SYS_LPAE ? sys[CP_pmccfiltr][0] : 0;
    case CP_l2ctlr: return m->system & A32_SYS_LPAE && m->column < 6 ? (uint64_t)(count_cpus(cpu) - 1) << 24 | 1u << 23 : 0;
    case CP_isr: return a32_pending(cpu);
    case CP_fcseidr: return sys[row][bank];
    case CP_tpidrurw_: return s->tpidrurw;
    case CP_tpidruro_: return s->tpidruro;
    case CP_cntfrq: return sys[row][0];
    case CP_cntpct: return a32_count(cpu);
    case CP_cntvct: return a32_count(cpu);
    case CP_cntp_tval: return a32_timer_get(cpu, bank, 0);
    case CP_cntp_ctl: return a32_timer_get(cpu, bank, 1);
    case CP_cntp_cval: return a32_timer_get(cpu, bank, 2);
    case CP_cntv_tval: return a32_timer_get(cpu, 2, 0);
    case CP_cntv_ctl: return a32_timer_get(cpu, 2, 1);
    case CP_cntv_cval: return a32_timer_get(cpu, 2, 2);
    case CP_dbgoslsr: return 8 | (sys[CP_dbgoslar][0] & 1) << 1;
    default: return 0;
    }
}

/* TLB operations: by address that page, else everything, as no entry knows its ASID. everywhere: of every CPU. */
static void tlb(oryx_cpu *cpu, int by_address, uint32_t addr, int everywhere)
{
    oryx_vcpu *v;
    const a32_state *s = a32_state_of(cpu);
    if (!(addr >> 25) && s->system.sys[CP_fcseidr][a32_bank(s)])
        by_address = 0;
    for (uint32_t i = 0; (v = a64_host->machine_vcpu(cpu->machine, i)) != NULL; i++) {
        if (v != cpu->vcpu && !everywhere)
            continue;
        if (by_address)
            a64_host->vcpu_tlb_flush(v, addr & ~0xfffu, 4096);
        else
            a64_host->vcpu_tlb_flush(v, 0, 0);
    }
}

/* Cache maintenance by address: it must translate. */
static void by_address(oryx_cpu *cpu, uint32_t addr)
{
    const a32_state *s = a32_state_of(cpu);
    a32_walk w;
    oryx_status st = a32_translate(cpu, addr, ORYX_ACCESS_READ, a32_world(s), 0, &w);
    if (st == ORYX_OK || st == ORYX_FAULT_PROT)
        return;
    oryx_exc *e = &cpu->exc;
    e->hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    e->kind = ORYX_EXC_MEMORY;
    e->access = ORYX_ACCESS_WRITE;
    e->syndrome = w.fault | A32_MEM_CM;
    e->addr = addr;
    e->phys = UINT64_MAX;
    e->size = 32;
    e->status = st;
}

static uint32_t sctlr_mask(const a32_model *m)
{
    if (!(m->features & A32_FEAT_V6))
        return 0x0000f387;
    if (!(m->features & A32_FEAT_V7))
        return 0x33e0fb87;
    return 0x73223c07 | (m->system & A32_SYS_LPAE ? 0x00180000 : 0) | (m->features & A32_FEAT_V8 ? 0x00050020 : 0);
}

static void change(oryx_cpu *cpu, uint64_t *at, uint64_t v)
{
    if (*at != v)
        a32_flush(cpu);
    *at = v;
}

void a32_cp_fn_set(oryx_cpu *cpu, unsigned row, unsigned bank, uint64_t v)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t (*sys)[2] = s->system.sys;
    const a32_model *m = a32_model_of(cpu);
    int secure_only = s->system.tz && !a32_secure(s);
    switch (row) {
    case CP_sctlr: {
        uint32_t mask = sctlr_mask(m);
        change(cpu, &sys[row][bank], (sys[row][bank] & ~(uint64_t)mask) | (v & mask));
        break;
    }
    case CP_cpacr: {
        uint64_t mask = (m->features & A32_FEAT_VFP ? 0xf00000u : 0) | (m->features & A32_FEAT_NEON ? 0x80000000u : 0);
        if (secure_only && !(sys[CP_nsacr][0] >> 10 & 1))
            mask &= ~UINT64_C(0xf00000);
        sys[row][0] = (sys[row][0] & ~mask) | (v & mask);
        break;
    }
    case CP_scr:
        v &= m->features & A32_FEAT_VIRT ? 0x3ff : 0x3f;
        a32_set_scr(cpu, (uint32_t)v);
        break;
    case CP_nsacr: sys[row][0] = v & 0xffff; break;
    case CP_ttbr0:
    case CP_ttbr1: change(cpu, &sys[row][bank], (sys[row][bank] & ~UINT64_C(0xffffffff)) | v); break;
    case CP_ttbr0_64: change(cpu, &sys[CP_ttbr0][bank], v); break;
    case CP_ttbr1_64: change(cpu, &sys[CP_ttbr1][bank], v); break;
    case CP_ttbcr:
        if (m->system & A32_SYS_LPAE && v & TTBCR_EAE)
            v &= 0xbfc73f87;
        else
            v &= m->features & A32_FEAT_SEC ? 0x37 : 7;
        change(cpu, &sys[row][bank], v);
        break;
    case CP_par: sys[row][bank] = v; break;
    case CP_par_64: sys[CP_par][bank] = v; break;
    case CP_ats1cpr:
    case CP_ats1cpw:
    case CP_ats1cur:
    case CP_ats1cuw:
    case CP_ats12nsopr:
    case CP_ats12nsopw:
    case CP_ats12nsour:
    case CP_ats12nsouw: a32_address_translation(cpu, (uint32_t)v, row - CP_ats1cpr); break;
    case CP_icimvau:
    case CP_dcimvac:
    case CP_dccmvac:
    case CP_dccmvau:
    case CP_dccimvac: by_address(cpu, (uint32_t)v); break;
    case CP_tlbiallis:
    case CP_tlbiasidis: tlb(cpu, 0, 0, 1); break;
    case CP_tlbimvais:
    case CP_tlbimvaais:
    case CP_tlbimvalis:
    case CP_tlbimvaalis: tlb(cpu, 1, (uint32_t)v, 1); break;
    case CP_itlbiall:
    case CP_itlbiasid:
    case CP_dtlbiall:
    case CP_dtlbiasid:
    case CP_tlbiall:
    case CP_tlbiasid: tlb(cpu, 0, 0, 0); break;
    case CP_itlbimva:
    case CP_dtlbimva:
    case CP_tlbimva:
    case CP_tlbimvaa:
    case CP_tlbimval:
    case CP_tlbimvaal: tlb(cpu, 1, (uint32_t)v, 0); break;
    case CP_pmcr:
        pmu_change(cpu, row, v & 0x39);
        if (v & 4)
            sys[CP_pmccntr][0] = 0 - running(cpu);
        break;
    case CP_pmcntenset: pmu_change(cpu, row, sys[row][0] | (v & 0x80000000)); break;
    case CP_pmcntenclr: pmu_change(cpu, CP_pmcntenset, sys[CP_pmcntenset][0] & ~v); break;
    case CP_pmovsr: sys[row][0] &= ~v; break;
    case CP_pmovsset: sys[CP_pmovsr][0] |= v & 0x80000000; break;
    case CP_pmintenset: sys[row][0] |= v & 0x80000000; break;
    case CP_pmintenclr: sys[CP_pmintenset][0] &= ~v; break;
    case CP_pmccntr: sys[row][0] = (cycles(cpu) & ~UINT64_C(0xffffffff)) | v; sys[row][0] -= running(cpu); break;
    case CP_pmccntr_64: sys[CP_pmccntr][0] = v - running(cpu); break;
    case CP_pmxevtyper:
        if (sys[CP_pmselr][0] == 31)
            sys[CP_pmccfiltr][0] = v & 0xf8000000;
        break;
    case CP_fcseidr: change(cpu, &sys[row][bank], v & 0xfe000000); break;
    case CP_tpidrurw_: s->tpidrurw = (uint32_t)v; break;
    case CP_tpidruro_: s->tpidruro = (uint32_t)v; break;
    case CP_cntfrq: sys[row][0] = (uint32_t)v; break;
    case CP_cntp_tval: a32_timer_set(cpu, bank, 0, v); break;
    case CP_cntp_ctl: a32_timer_set(cpu, bank, 1, v); break;
    case CP_cntp_cval: a32_timer_set(cpu, bank, 2, v); break;
    case CP_cntv_tval: a32_timer_set(cpu, 2, 0, v); break;
    case CP_cntv_ctl: a32_timer_set(cpu, 2, 1, v); break;
    case CP_cntv_cval: a32_timer_set(cpu, 2, 2, v); break;
    case CP_dbgoslar: sys[row][0] = v == 0xc5acce55; break;
    default: break;
    }
}

void a32_cp_reset(oryx_cpu *cpu, const a32_model *m)
{
    a32_state *s = a32_state_of(cpu);
    uint64_t (*sys)[2] = s->system.sys;
    for (unsigned bank = 0; bank < 2; bank++) {
        sys[CP_sctlr][bank] = a32_cp_id(cpu, CP_sctlr);
        sys[CP_actlr][bank] = a32_cp_id(cpu, CP_actlr);
    }
    sys[CP_dbgoslar][0] = 1;
    sys[CP_cntfrq][0] = m->system & A32_SYS_TIMER ? 62500000 : 0;
}

/* FPEXC holds EN alone. */
void a32_helper_write_fpexc(oryx_cpu *cpu, uint32_t v)
{
    a32_state_of(cpu)->system.fpexc = v & FPEXC_EN;
}

/* VMRS of FPSID, MVFR2, MVFR1, MVFR0, FPEXC. */
uint32_t a32_helper_mvfr(oryx_cpu *cpu, uint32_t which)
{
    static const uint8_t ids[] = { A32_FPSID, 0, 0, 0, 0, A32_MVFR2, A32_MVFR1, A32_MVFR0 };
    return which == 8 ? a32_state_of(cpu)->system.fpexc : a32_id_register(a32_model_of(cpu), ids[which & 7]);
}
