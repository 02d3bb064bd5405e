/* Stage-1 address translation: DDI 0487, D8 (VMSAv8-64). Granules of 4K, 16K and 64K; the EL1&0, EL2 and EL3 regimes.
 *
 * Called by the core on a miss of its translation caches (a64_mmu), and by AT, DC and BTI. Reads tables through the vCPU's
 * space. The order of faults is the manual's: size of the input, then level by level external abort, translation, address
 * size; then access flag, permission. Invariant: of the state block only the note that there are guarded pages is written here;
 * access and dirty flags, when the guest asked for them, are written to its tables. */
#include "a64_sys.h"

enum { FSC_SIZE = 0x00, FSC_TRANSLATION = 0x04, FSC_ACCESS = 0x08, FSC_PERMISSION = 0x0c, FSC_WALK = 0x14 };

/* What a regime's control registers say for one address. */
typedef struct regime {
    uint64_t base;       /* TTBR */
    uint64_t sctlr;
    unsigned el;         /* 1..3 */
    unsigned bits;       /* of the input address */
    unsigned grain, stride;
    unsigned pa_bits;
    unsigned upper;      /* the address is in the upper range */
    unsigned tbi;
    uint8_t epd, hpd, ha, hd, bad;
} regime;

static unsigned size_of(unsigned ps)
{
    static const uint8_t bits[8] = { 32, 36, 40, 42, 44, 48, 48, 48 };
    return bits[ps];
}

static void granule(regime *r, unsigned tg, int upper)
{
    /* TG0: 0 4K, 1 64K, 2 16K; TG1: 1 16K, 2 4K, 3 64K. */
    unsigned g = upper ? (tg == 1 ? 14 : tg == 3 ? 16 : 12) : (tg == 1 ? 16 : tg == 2 ? 14 : 12);
    r->grain = g;
    r->stride = g - 3;
}

static void regime_of(const a64_state *s, const a64_model *m, uint64_t addr, unsigned el, regime *r)
{
    uint64_t tcr = SYS_EL(s, tcr, el);
    unsigned tsz;
    *r = (regime){ .el = el, .sctlr = SYS_EL(s, sctlr, el) };
    if (el == 1) {
        r->upper = addr >> 55 & 1;
        tsz = tcr >> (r->upper ? 16 : 0) & 63;
        r->base = s->sys[r->upper ? SR_ttbr1_el1 : SR_ttbr0_el1];
        r->epd = tcr >> (r->upper ? 23 : 7) & 1;
        r->tbi = tcr >> (37 + r->upper) & 1;
        r->hpd = tcr >> (41 + r->upper) & 1;
        r->ha = tcr >> 39 & 1;
        r->hd = tcr >> 40 & 1;
        granule(r, tcr >> (r->upper ? 30 : 14) & 3, r->upper != 0);
        r->pa_bits = size_of(tcr >> 32 & 7);
    } else {
        tsz = tcr & 63;
        r->base = el == 2 ? s->sys[SR_ttbr0_el2] : s->sys[SR_ttbr0_el3];
        r->tbi = tcr >> 20 & 1;
        r->hpd = tcr >> 24 & 1;
        r->ha = tcr >> 21 & 1;
        r->hd = tcr >> 22 & 1;
        granule(r, tcr >> 14 & 3, 0);
        r->pa_bits = size_of(tcr >> 16 & 7);
    }
    if (!(m->system & A64_MF_HAFDBS))
        r->ha = r->hd = 0;
    if (!(m->system & A64_MF_HPDS))
        r->hpd = 0;
    r->hd &= r->ha;
    if (r->pa_bits > m->pa_bits)
        r->pa_bits = m->pa_bits;
    r->bad = tsz < 16 || tsz > 39; /* CONSTRAINED UNPREDICTABLE: a translation fault */
    r->bits = 64 - tsz;
}

static oryx_status refuse(a64_walk *out, uint32_t fsc)
{
    out->fsc = fsc;
    return (fsc & 0x3c) == FSC_PERMISSION ? ORYX_FAULT_PROT : fsc >= FSC_WALK ? ORYX_FAULT_DEVICE : ORYX_FAULT_TRANSLATE;
}

static uint64_t swap(uint64_t v, int big)
{
    return big ? __builtin_bswap64(v) : v;
}

/* Permissions of a leaf for el: DDI 0487, D8.4. ro: not writable; user: AP[1]. */
static uint32_t permissions(const a64_state *s, const regime *r, uint64_t desc, uint64_t table, unsigned el, uint32_t flags, int ro)
{
    int wxn = (r->sctlr & SCTLR_WXN) != 0;
    int uxn = (desc >> 54 & 1) || (table >> 60 & 1), pxn = (desc >> 53 & 1) || (table >> 59 & 1);
    int user = (desc >> 6 & 1) && !(table >> 61 & 1);
    uint32_t prot = 0;
    (void)s;
    if (r->el != 1) {
        prot = ORYX_PROT_READ | (ro ? 0 : ORYX_PROT_WRITE);
        if (!uxn && !(wxn && !ro))
            prot |= ORYX_PROT_EXEC;
        return prot;
    }
    if (el == 0) {
        prot = user ? ORYX_PROT_READ | (ro ? 0 : ORYX_PROT_WRITE) : 0;
        if (!uxn && !(wxn && user && !ro))
            prot |= ORYX_PROT_EXEC;
        return prot;
    }
    if (!(flags & A64_WALK_PAN) || !user)
        prot = ORYX_PROT_READ | (ro ? 0 : ORYX_PROT_WRITE);
    if (!pxn && !(user && !ro) && !(wxn && !ro))
        prot |= ORYX_PROT_EXEC;
    return prot;
}

/* Writes the descriptor back when it is still what was read; the flags are the guest's memory like any other. */
static oryx_status update(oryx_space *space, uint64_t at, uint64_t desc, int big)
{
    uint64_t raw = swap(desc, big);
    return a64_host->space_write(space, at, &raw, sizeof raw, 0);
}

static oryx_status off(const a64_model *m, uint64_t addr, unsigned el, const a64_state *s, a64_walk *out)
{
    uint64_t tcr = SYS_EL(s, tcr, el);
    int tbi = el == 1 ? tcr >> (37 + (addr >> 55 & 1)) & 1 : tcr >> 20 & 1;
    uint64_t flat = tbi ? addr & (UINT64_MAX >> 8) : addr;
    if (flat >> m->pa_bits)
        return refuse(out, FSC_SIZE);
    out->phys = flat;
    out->size = 4096;
    out->prot = ORYX_PROT_ALL;
    out->sh = 2;
    return ORYX_OK;
}

oryx_status a64_translate(oryx_cpu *cpu, uint64_t addr, uint32_t access, unsigned from, uint32_t flags, a64_walk *out)
{
    const a64_state *s = a64_state_of(cpu);
    const a64_model *m = a64_model_of(cpu);
    unsigned el = a64_regime(from);
    regime r;
    *out = (a64_walk){ .secure = s->level == 3 && (el == 3 || !(s->sys[SR_scr_el3] & SCR_NS)) };
    /* With HCR_EL2.TGE the EL1 regime is off for EL0. */
    if (!(SYS_EL(s, sctlr, el) & SCTLR_M) || (el == 1 && a64_hcr(s) & HCR_TGE))
        return off(m, addr, el, s, out);
    regime_of(s, m, addr, el, &r);
    int big = (r.sctlr & SCTLR_EE) != 0;
    uint64_t high = r.tbi ? (uint64_t)((int64_t)(addr << 8) >> 8) : addr;
    if (r.bad || r.epd || (r.upper ? ~high : high) >> r.bits)
        return refuse(out, FSC_TRANSLATION);
    unsigned level = 3 - (r.bits - r.grain - 1) / r.stride, top = r.bits;
    unsigned shift = r.grain + (3 - level) * r.stride;
    uint64_t base = r.base & UINT64_C(0x0000ffffffffffff) & ~((UINT64_C(8) << (r.bits - shift)) - 1), table = 0, desc, at;
    if (base >> r.pa_bits)
        return refuse(out, FSC_SIZE);
    oryx_space *space = a64_host->vcpu_space(cpu->vcpu);
    for (;; level++, shift -= r.stride) {
        at = base | (addr >> shift & ((UINT64_C(1) << (top - shift)) - 1)) << 3;
        top = shift;
        if (a64_host->space_read(space, at, &desc, sizeof desc, 0))
            return refuse(out, FSC_WALK | level);
        desc = swap(desc, big);
        if (!(desc & 1) || (level == 3 && !(desc & 2)))
            return refuse(out, FSC_TRANSLATION | level);
        uint64_t to = desc & UINT64_C(0x0000ffffffffffff) & ~((UINT64_C(1) << r.grain) - 1);
        if (level == 3 || !(desc & 2))
            break;
        if (to >> r.pa_bits)
            return refuse(out, FSC_SIZE | level);
        base = to;
        if (!r.hpd)
            table |= desc & UINT64_C(0x7800000000000000);
    }
    /* Blocks: at level 1 and 2 with 4K, at level 2 with 16K and 64K. */
    if (level < 3 && (level == 0 || (level == 1 && r.grain != 12)))
        return refuse(out, FSC_TRANSLATION | level);
    uint64_t mask = (UINT64_C(1) << shift) - 1, phys = desc & UINT64_C(0x0000ffffffffffff) & ~mask;
    if (phys >> r.pa_bits)
        return refuse(out, FSC_SIZE | level);
    uint64_t was = desc;
    if (!(desc >> 10 & 1)) {
        if (!r.ha)
            return refuse(out, FSC_ACCESS | level);
        desc |= 1u << 10;
    }
    int dbm = r.hd && desc >> 51 & 1, ro = (!dbm && desc >> 7 & 1) || table >> 62 & 1;
    uint32_t prot = permissions(s, &r, desc, table, from, flags, ro);
    static const uint32_t need[] = { ORYX_PROT_READ, ORYX_PROT_WRITE, ORYX_PROT_EXEC };
    out->phys = phys | (addr & mask);
    out->size = mask + 1;
    if (!(prot & need[access]))
        return refuse(out, FSC_PERMISSION | level);
    if (access == ORYX_ACCESS_WRITE && dbm)
        desc &= ~UINT64_C(0x80); /* clean becomes dirty */
    if (desc >> 7 & 1)
        prot &= ~ORYX_PROT_WRITE; /* clean: the first write must come here */
    if (desc != was && !(flags & A64_WALK_PEEK) && update(space, at, desc, big))
        return refuse(out, FSC_WALK | level);
    out->prot = prot;
    out->attr = (uint8_t)(SYS_EL(s, mair, el) >> (desc >> 2 & 7) * 8);
    out->sh = desc >> 8 & 3;
    out->guarded = desc >> 50 & 1;
    return ORYX_OK;
}

/* Indexes: the level's number; 3 is EL1 with PAN where there is no EL3. */
oryx_status a64_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t index, oryx_mmu_result *out)
{
    const a64_state *s = a64_state_of(cpu);
    if (!s->level)
        return ORYX_OK;
    unsigned el = index == ORYX_MMU_CURRENT ? a64_el(s) : index;
    uint32_t flags = 0;
    if (index == 3 && s->level < 3) {
        el = 1;
        flags = A64_WALK_PAN;
    } else if (el == 1 && s->pstate & PS_PAN && (s->level == 3 || index == ORYX_MMU_CURRENT)) {
        flags = A64_WALK_PAN;
    }
    a64_walk w;
    oryx_status st = a64_translate(cpu, addr, access, el, flags, &w);
    if (st) {
        out->syndrome = A64_MEM_VALID | w.fsc;
        return st;
    }
    if (w.guarded)
        a64_state_of(cpu)->guards = 1;
    out->phys = w.phys;
    out->page_size = w.size;
    out->prot = w.prot;
    out->attrs = (el ? 0 : ORYX_ATTR_USER) | (w.secure ? ORYX_ATTR_SECURE : 0);
    return ORYX_OK;
}

void a64_flush(oryx_cpu *cpu)
{
    a64_host->vcpu_tlb_flush(cpu->vcpu, 0, 0);
}

/* --- AT, TLBI and cache maintenance by address ----------------------------------------------------------------------- */

/* AT S1E*: op is CRm << 3 | op2 with the level of op1. DDI 0487, D17.2.104: PAR_EL1. */
void a64_helper_at(oryx_cpu *cpu, uint64_t addr, uint32_t id)
{
    a64_state *s = a64_state_of(cpu);
    unsigned op1 = id >> 11 & 7, op2 = id & 7, pan = (id >> 3 & 15) == 9;
    unsigned el = op1 == 6 ? 3 : op1 == 4 && op2 < 4 ? 2 : op2 & 2 ? 0 : 1;
    a64_walk w;
    uint32_t flags = A64_WALK_PEEK | (pan && s->pstate & PS_PAN ? A64_WALK_PAN : 0);
    if (a64_translate(cpu, addr, op2 & 1 ? ORYX_ACCESS_WRITE : ORYX_ACCESS_READ, el, flags, &w)) {
        s->sys[SR_par_el1] = UINT64_C(1) << 11 | (uint64_t)w.fsc << 1 | 1;
        return;
    }
    /* Device and Non-cacheable memory is shown as outer shareable. */
    unsigned sh = (w.attr & 0xf0) == 0 || w.attr == 0x44 ? 2 : w.sh;
    s->sys[SR_par_el1] = (uint64_t)w.attr << 56 | (w.phys & UINT64_C(0x0000fffffffff000)) | UINT64_C(1) << 11 |
                         (w.secure ? 0 : 1u << 9) | (uint64_t)sh << 7;
}

static void flush_page(oryx_vcpu *v, uint64_t addr)
{
    a64_host->vcpu_tlb_flush(v, addr, 4096);
}

/* TLBI: id is the instruction's. By address: that mapping; else everything, as no entry knows its ASID. */
void a64_helper_tlbi(oryx_cpu *cpu, uint64_t v, uint32_t id)
{
    const a64_state *s = a64_state_of(cpu);
    unsigned op1 = id >> 11 & 7, crm = id >> 3 & 15, op2 = id & 7;
    uint64_t addr = (uint64_t)((int64_t)(v << 20) >> 8);
    unsigned el = op1 == 6 ? 3 : op1 == 4 ? 2 : 1;
    uint64_t tcr = SYS_EL(s, tcr, el);
    /* A tagged address may be cached under any tag. */
    int tbi = el == 1 ? (tcr >> 37 & 3) != 0 : tcr >> 20 & 1;
    int by_address = !tbi && (op1 == 0 ? op2 & 1 : op2 == 1 || op2 == 5) && (crm == 3 || crm == 7);
    oryx_vcpu *other;
    for (uint32_t i = 0; (other = a64_host->machine_vcpu(cpu->machine, i)) != NULL; i++) {
        if (other != cpu->vcpu && crm != 3)
            continue; /* not inner shareable */
        if (by_address)
            flush_page(other, addr);
        else
            a64_host->vcpu_tlb_flush(other, 0, 0);
    }
}

/* DC and IC by address: nothing to maintain, but the address must translate. write: DC IVAC asks for write permission. */
void a64_helper_dc_va(oryx_cpu *cpu, uint64_t addr, uint32_t write)
{
    const a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s);
    a64_walk w;
    oryx_status st = a64_translate(cpu, addr, write ? ORYX_ACCESS_WRITE : ORYX_ACCESS_READ, el, 0, &w);
    if (st == ORYX_OK || (st == ORYX_FAULT_PROT && el && !write))
        return; /* only EL0 needs permission to read */
    oryx_exc *e = &cpu->exc;
    e->hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    e->kind = ORYX_EXC_MEMORY;
    e->access = ORYX_ACCESS_WRITE;
    e->syndrome = A64_MEM_VALID | A64_MEM_CM | A64_MEM_WNR | w.fsc;
    e->addr = addr;
    e->phys = UINT64_MAX;
    e->size = 64;
    e->status = st;
}
