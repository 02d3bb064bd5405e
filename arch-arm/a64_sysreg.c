/* System register accesses above EL0, and the traps of system instructions: table a64_sysregs.def.
 *
 * Called by a64_system.c when an access is lifted (find) and by generated code (the helpers). A trap that depends on
 * state is decided at each access, here; what depends on the level alone was decided when the instruction was lifted. */
#include "a64_sys.h"

enum { SRT_NONE, SRT_TVM, SRT_TID1, SRT_TID2, SRT_TID3, SRT_TACR, SRT_TCPAC, SRT_TCPAC3, SRT_UCT, SRT_UMA, SRT_PAN, SRT_UAO,
       SRT_DIT, SRT_SSBS, SRT_APK, SRT_PM, SRT_PMU, SRT_TPM, SRT_TDCC, SRT_TOP, SRT_CNTF, SRT_CNTP, SRT_CNTV, SRT_TIMP,
       SRT_TIMV, SRT_TIMS };
#define SRF_0 0

const a64_sr a64_sysregs[] = {
#define SRF_FLAG(flags) SRF_##flags
#define SR(op0, op1, crn, crm, op2, name, kind, trap, mask, flags) \
    { A64_SYS(op0, op1, crn, crm, op2), SRK_##kind, SRT_##trap, SRF_FLAG(flags), mask },
#define ALL UINT64_MAX
#include "a64_sysregs.def"
#undef SR
};

/* Breakpoint and watchpoint registers, and the rest of the identification space, are rows by rule. */
int a64_sysreg_find(uint32_t id)
{
    for (int i = 0; i < SR_COUNT_; i++)
        if (a64_sysregs[i].id == id)
            return i;
    return -1;
}

/* Level an access at el traps to, 0 none. */
static unsigned trap_of(oryx_cpu *cpu, const a64_sr *r, unsigned el, int write)
{
    const a64_state *s = a64_state_of(cpu);
    uint64_t hcr = a64_hcr(s), kctl = s->sys[SR_cntkctl_el1], hctl = s->sys[SR_cnthctl_el2], bit = 0;
    unsigned low = a64_target(s, 0); /* where EL0's traps go */
    switch (r->trap) {
    case SRT_TVM: bit = el == 1 ? (write ? HCR_TVM : HCR_TRVM) : 0; break;
    case SRT_TID1: bit = el == 1 ? HCR_TID1 : 0; break;
    case SRT_TID2: bit = el == 1 ? HCR_TID2 : 0; break;
    case SRT_TID3: bit = el == 1 ? HCR_TID3 : 0; break;
    case SRT_TACR: bit = el == 1 ? HCR_TACR : 0; break;
    case SRT_UCT:
        if (!el && !(hcr & HCR_TGE) && !(s->sys[SR_sctlr_el1] & SCTLR_UCT))
            return low;
        bit = el < 2 ? HCR_TID2 : 0;
        break;
    case SRT_UMA: return !el && !(hcr & HCR_TGE) && !(s->sys[SR_sctlr_el1] & SCTLR_UMA) ? low : 0;
    case SRT_TCPAC:
        if (el == 1 && a64_el2_on(s) && s->sys[SR_cptr_el2] >> 31 & 1)
            return 2;
        /* fall through */
    case SRT_TCPAC3: return el < 3 && s->level == 3 && s->sys[SR_cptr_el3] >> 31 & 1 ? 3 : 0;
    case SRT_APK:
        if (el == 1 && a64_el2_on(s) && !(s->sys[SR_hcr_el2] & HCR_APK))
            return 2;
        return el < 3 && s->level == 3 && !(s->sys[SR_scr_el3] & SCR_APK) ? 3 : 0;
    case SRT_PM:
        if (!el && !(s->sys[SR_pmuserenr_el0] & 1))
            return low;
        /* fall through */
    case SRT_TPM:
        if (el < 2 && a64_el2_on(s) && s->sys[SR_mdcr_el2] >> 6 & 1)
            return 2;
        return el < 3 && s->level == 3 && s->sys[SR_mdcr_el3] >> 6 & 1 ? 3 : 0;
    case SRT_TDCC: return !el && s->sys[SR_mdscr_el1] >> 12 & 1 ? low : 0;
    case SRT_CNTF: return !el && !(kctl & 3) && !(hcr & HCR_TGE) ? low : 0;
    case SRT_CNTP:
    case SRT_TIMP:
        if (!el && !(kctl & (r->trap == SRT_CNTP ? 1u : 1u << 9)) && !(hcr & HCR_TGE))
            return low;
        return el < 2 && a64_el2_on(s) && !(hctl & (r->trap == SRT_CNTP ? 1 : 2)) ? 2 : 0;
    case SRT_CNTV: return !el && !(kctl & 2) && !(hcr & HCR_TGE) ? low : 0;
    case SRT_TIMV: return !el && !(kctl & 1u << 8) && !(hcr & HCR_TGE) ? low : 0;
    case SRT_TIMS: return el == 1 && !(s->sys[SR_scr_el3] & SCR_ST) ? 3 : 0;
    default: return 0;
    }
    return hcr & bit ? 2 : 0;
}

/* Registers that are not there for this model or state: UNDEFINED. */
static int absent(oryx_cpu *cpu, const a64_sr *r, unsigned el)
{
    const a64_state *s = a64_state_of(cpu);
    const a64_model *m = a64_model_of(cpu);
    switch (r->trap) {
    case SRT_PAN: return !(m->system & A64_MF_PAN);
    case SRT_UAO: return !(m->system & A64_MF_UAO);
    case SRT_DIT: return !(m->system & A64_MF_DIT);
    case SRT_SSBS: return !(m->system & A64_MF_SSBS);
    case SRT_APK: return !(a64_features(m) & A64_FEAT_PAUTH);
    case SRT_TOP: return s->level != (r->id >> 11 & 7 ? 2u : 1u); /* RVBAR of the highest level only */
    case SRT_TIMS: return s->level < 3 || el == 2 || (el == 1 && s->sys[SR_scr_el3] & SCR_NS);
    default: return 0;
    }
}

/* ISS of a trapped MSR, MRS or SYS: DDI 0487, D17.2.37, EC 0x18. */
static uint32_t iss(uint32_t id, uint32_t rt, int read)
{
    return ESR(0x18) | (id >> 14 & 3) << 20 | (id & 7) << 17 | (id >> 11 & 7) << 14 | (id >> 7 & 15) << 10 | rt << 5 |
           (id >> 3 & 15) << 1 | (unsigned)read;
}

static int allowed(oryx_cpu *cpu, const a64_sr *r, uint32_t rt, int write)
{
    unsigned el = a64_el(a64_state_of(cpu));
    if (absent(cpu, r, el)) {
        a64_raise_undefined(cpu);
        return 0;
    }
    unsigned to = trap_of(cpu, r, el, write);
    if (to)
        a64_raise_trap(cpu, to, iss(r->id, rt, !write));
    return !to;
}

uint64_t a64_sysreg_get(oryx_cpu *cpu, unsigned sr)
{
    const a64_sr *r = &a64_sysregs[sr];
    const a64_state *s = a64_state_of(cpu);
    switch (r->kind) {
    case SRK_RW:
    case SRK_RO: return s->sys[sr];
    case SRK_ID: return a64_id_system(a64_model_of(cpu), s->level, sr);
    case SRK_FN: return a64_sysreg_fn_get(cpu, sr);
    default: return 0;
    }
}

void a64_sysreg_set(oryx_cpu *cpu, unsigned sr, uint64_t v)
{
    const a64_sr *r = &a64_sysregs[sr];
    a64_state *s = a64_state_of(cpu);
    if (r->kind == SRK_RW) {
        v = (v & r->mask);
        int changed = s->sys[sr] != v;
        s->sys[sr] = v;
        if (changed && r->flags & SRF_M)
            a64_flush(cpu);
    } else if (r->kind == SRK_FN) {
        a64_sysreg_fn_set(cpu, sr, v);
    }
}

/* word: row | Rt << 16. */
uint64_t a64_helper_sysreg_read(oryx_cpu *cpu, uint32_t word)
{
    unsigned sr = word & 0xffff;
    const a64_state *s = a64_state_of(cpu);
    if (!allowed(cpu, &a64_sysregs[sr], word >> 16, 0))
        return 0;
    /* At EL1 below EL2 the identity is what EL2 says. */
    if (a64_el(s) == 1 && a64_el2_on(s) && (sr == SR_midr_el1 || sr == SR_mpidr_el1))
        return s->sys[sr == SR_midr_el1 ? SR_vpidr_el2 : SR_vmpidr_el2];
    return a64_sysreg_get(cpu, sr);
}

void a64_helper_sysreg_write(oryx_cpu *cpu, uint64_t v, uint32_t word)
{
    unsigned sr = word & 0xffff;
    if (allowed(cpu, &a64_sysregs[sr], word >> 16, 1))
        a64_sysreg_set(cpu, sr, v);
}

/* MSR (immediate) of DAIFSet and DAIFClr at EL0, and SYS at every level: word is A64_SYS | Rt << 16. Returns when allowed. */
void a64_helper_sys_check(oryx_cpu *cpu, uint32_t word)
{
    const a64_state *s = a64_state_of(cpu);
    uint32_t id = word & 0xffff, op1 = id >> 11 & 7, crn = id >> 7 & 15, crm = id >> 3 & 15;
    unsigned el = a64_el(s), to = 0;
    uint64_t hcr = a64_hcr(s), sctlr = s->sys[SR_sctlr_el1];
    if (crn == 4) { /* DAIFSet, DAIFClr */
        to = !el && !(hcr & HCR_TGE) && !(sctlr & SCTLR_UMA) ? a64_target(s, 0) : 0;
    } else if (crn == 8) {
        to = el == 1 && hcr & HCR_TTLB ? 2 : 0;
    } else if (crm == 4) { /* DC ZVA */
        if (!el && !(hcr & HCR_TGE) && !(sctlr & SCTLR_DZE))
            to = a64_target(s, 0);
        else if (el < 2 && hcr & HCR_TDZ)
            to = 2;
    } else if (crn == 7) {
        int unify = crm == 11 || crm == 5 || crm == 1, set_way = op1 == 0 && crm != 5 && crm != 1 && (id & 7) == 2;
        if (!el && !(hcr & HCR_TGE) && !(sctlr & SCTLR_UCI))
            to = a64_target(s, 0);
        else if (el < 2 && hcr & (set_way ? HCR_TSW : unify ? HCR_TPU : HCR_TPC))
            to = 2;
    }
    if (to)
        a64_raise_trap(cpu, to, iss(id, word >> 16, 0) | (crn == 4 ? 0 : 1u << 20)); /* op0 is 1 for SYS */
}
