/* Coprocessors 14 and 15: which registers a model has, who may access them, and access: table a32_cp15.def.
 *
 * Called by a32_system.c when an access is lifted (find) and by generated code (the helpers). What depends on the mode alone
 * was decided when the instruction was lifted; what depends on more state is decided at each access, here. Invariant: a banked
 * register is kept by world, and what changes translation drops the cached ones. */
#include "a32_sys.h"

enum { CPN_ANY, CPN_V6, CPN_V7, CPN_V8, CPN_PRE7, CPN_PRE8, CPN_V5ONLY, CPN_V6ONLY, CPN_SEC, CPN_LPAE, CPN_MP, CPN_ATS, CPN_SECATS,
       CPN_PMU, CPN_A8, CPN_L2, CPN_LOCK, CPN_VBAR, CPN_TIMER, CPN_CBAR, CPN_T2EE };

#define B CPF_B
#define M CPF_M
#define S CPF_S
#define WIDE UINT64_MAX
#define ALL UINT64_C(0xffffffff)
const a32_cp a32_cps[] = {
#define CP(cp, crn, op1, crm, op2, name, kind, access, need, mask, flags) \
    { cp, crn, op1, crm, op2, 0, CPK_##kind, CPA_##access, flags, CPN_##need, mask },
#define CP64(cp, op1, crm, name, kind, access, need, mask, flags) \
    { cp, 0, op1, crm, 0, 1, CPK_##kind, CPA_##access, flags, CPN_##need, mask },
#include "a32_cp15.def"
#undef CP
#undef CP64
};
#undef B
#undef M
#undef S

static int has(const a32_model *m, unsigned need)
{
    uint32_t f = m->features;
    switch (need) {
    case CPN_V6:
    case CPN_ATS: return (f & A32_FEAT_V6) != 0;
    case CPN_V7: return (f & A32_FEAT_V7) != 0;
    case CPN_V8: return (f & A32_FEAT_V8) != 0;
    case CPN_PRE7: return !(f & A32_FEAT_V7);
    case CPN_PRE8:
    case CPN_LOCK: return !(f & A32_FEAT_V8);
    case CPN_V5ONLY: return !(f & A32_FEAT_V6);
    case CPN_V6ONLY: return (f & A32_FEAT_V6) && !(f & A32_FEAT_V7);
    case CPN_SEC:
    case CPN_SECATS: return (f & A32_FEAT_SEC) != 0;
    case CPN_LPAE: return (m->system & A32_SYS_LPAE) != 0;
    case CPN_MP: return (f & A32_FEAT_MP) != 0;
    case CPN_PMU: return (m->system & A32_SYS_PMU) != 0;
    case CPN_A8: return m->column == 2;
    case CPN_L2: return m->column == 2 || m->system & A32_SYS_LPAE;
    case CPN_VBAR: return (m->system & A32_SYS_VBAR) != 0;
    case CPN_TIMER: return (m->system & A32_SYS_TIMER) != 0;
    case CPN_CBAR: return f & A32_FEAT_MP && !(f & A32_FEAT_V8);
    case CPN_T2EE: return f & A32_FEAT_V7 && !(f & A32_FEAT_V8);
    default: return 1;
    }
}

static int matches(unsigned field, unsigned v)
{
    return field == 99 || field == v;
}

int a32_cp_find(const a32_model *m, unsigned cp, unsigned crn, unsigned op1, unsigned crm, unsigned op2, unsigned wide)
{
    for (int i = 0; i < CP_COUNT_; i++) {
        const a32_cp *r = &a32_cps[i];
        if (r->cp == cp && r->wide == wide && matches(r->op1, op1) && matches(r->crm, crm) &&
            (wide || (r->crn == crn && matches(r->op2, op2))) && has(m, r->need))
            return i;
    }
    return -1;
}

/* The accesses that more than the mode decides. */
static int allowed(oryx_cpu *cpu, unsigned row, int write)
{
    const a32_state *s = a32_state_of(cpu);
    const a32_cp *r = &a32_cps[row];
    int user = a32_mode(s) == M_USR, secure = a32_secure(s), ok = 1;
    uint32_t kctl = (uint32_t)s->system.sys[CP_cntkctl][0];
    switch (r->access) {
    case CPA_SEC: ok = secure; break;
    case CPA_SECW: ok = write ? secure : s->system.tz || a32_model_of(cpu)->features & A32_FEAT_V8; break;
    case CPA_PM:
    case CPA_PMR: ok = !user || s->system.sys[CP_pmuserenr][0] & 1; break;
    case CPA_CNT: ok = !user || kctl & (row == CP_cntpct ? 1 : 2); break;
    case CPA_TP: ok = !user || kctl >> 9 & 1; break;
    case CPA_TV: ok = !user || kctl >> 8 & 1; break;
    case CPA_FRQ: ok = write ? !user && (!s->system.tz || secure) : !user || kctl & 3; break;
    default: break;
    }
    if (row >= CP_cp15isb && (row == CP_cp15isb || row == CP_cp15dsb || row == CP_cp15dmb) && a32_model_of(cpu)->features & A32_FEAT_V8)
        ok = (a32_sctlr(s, a32_world(s)) & SCTLR_CP15BEN) != 0;
    if (!ok)
        a32_raise_undefined(cpu);
    return ok;
}

uint64_t a32_cp_get(oryx_cpu *cpu, unsigned row, unsigned bank)
{
    const a32_cp *r = &a32_cps[row];
    switch (r->kind) {
    case CPK_RW:
    case CPK_RO: return a32_state_of(cpu)->system.sys[row][r->flags & CPF_B ? bank : 0];
    case CPK_ID: return a32_cp_id(cpu, row);
    case CPK_FN: return a32_cp_fn_get(cpu, row, bank);
    default: return 0;
    }
}

void a32_cp_set(oryx_cpu *cpu, unsigned row, unsigned bank, uint64_t v)
{
    const a32_cp *r = &a32_cps[row];
    if (r->kind == CPK_RW) {
        uint64_t *at = &a32_state_of(cpu)->system.sys[row][r->flags & CPF_B ? bank : 0];
        v &= r->mask;
        if (*at != v && r->flags & CPF_M)
            a32_flush(cpu);
        *at = v;
    } else if (r->kind == CPK_FN || r->kind == CPK_OP) {
        a32_cp_fn_set(cpu, row, bank, v);
    }
}

uint64_t a32_helper_cp_read(oryx_cpu *cpu, uint32_t row)
{
    return allowed(cpu, row, 0) ? a32_cp_get(cpu, row, a32_bank(a32_state_of(cpu))) : 0;
}

void a32_helper_cp_write(oryx_cpu *cpu, uint64_t v, uint32_t row)
{
    if (allowed(cpu, row, 1))
        a32_cp_set(cpu, row, a32_bank(a32_state_of(cpu)), v);
}
