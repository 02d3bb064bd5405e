/* Segments, the TLB, fixed mapping: MD00091 chapters 4 and 5; R3000's TLB as its manual has it.
 *
 * Called by the core to translate (mips_mmu), and by the helpers of TLB and CACHE instructions. The mmu index is mips_ksu: kernel,
 * supervisor, user, and kernel with Status.ERL set, to which the user segment is unmapped. Invariant: whatever changes what an
 * address means flushes the core's translation caches before the next instruction. */
#include "mips_sys.h"

#define HI_EHINV 0x400u
#define LO_G 1u
#define LO_V 2u
#define LO_D 4u
#define LO_XI (UINT64_C(1) << 62)
#define LO_RI (UINT64_C(1) << 63)

void mips_flush(oryx_cpu *cpu)
{
    mips_host->vcpu_tlb_flush(cpu->vcpu, 0, 0);
}

static oryx_status refuse(oryx_mmu_result *out, unsigned code, uint64_t more)
{
    out->syndrome = MIPS_SYN_WALK | MIPS_SYN_CODE(code) | more;
    return code == EXC_TLBL || code == EXC_TLBS ? ORYX_FAULT_TRANSLATE : ORYX_FAULT_PROT;
}

/* --- R3000 -------------------------------------------------------------------------------------------------------------- */

enum { R3_G = 0x100, R3_V = 0x200, R3_D = 0x400 };

static oryx_status walk_r3000(const mips_state *s, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    uint32_t asid = (uint32_t)s->cp0[CP0_entryhi] & 0xfc0, write = access == ORYX_ACCESS_WRITE, miss = write ? EXC_TLBS : EXC_TLBL;
    for (unsigned i = 0; i < 64; i++) {
        const mips_tlb_entry *e = &s->tlb[i];
        uint32_t lo = (uint32_t)e->lo[0];
        if (((e->hi ^ addr) & 0xfffff000) || (!(lo & R3_G) && (e->hi & 0xfc0) != asid))
            continue;
        if (!(lo & R3_V))
            return refuse(out, miss, 0);
        if (write && !(lo & R3_D))
            return refuse(out, EXC_MOD, 0);
        out->phys = (lo & 0xfffff000) | (addr & 0xfff);
        out->prot = ORYX_PROT_READ | ORYX_PROT_EXEC | (lo & R3_D ? ORYX_PROT_WRITE : 0);
        return ORYX_OK;
    }
    return refuse(out, miss, addr < 0x80000000u ? MIPS_SYN_REFILL : 0);
}

/* --- the TLB of R4000 and later ------------------------------------------------------------------------------------------- */

/* Bits of an address that an entry compares: all above its pair of pages that exist. */
static uint64_t compared(const mips_model *m, unsigned width, uint32_t mask)
{
    uint64_t v = width == I32 ? 0xffffffffu : UINT64_C(0xc000000000000000) | ((UINT64_C(1) << m->seg_bits) - 1);
    return v & ~(uint64_t)(mask | 0x1fff);
}

static int find(const oryx_cpu *cpu, uint64_t addr, uint64_t asid)
{
    const mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    unsigned width = mips_width(cpu);
    for (unsigned i = 0; i < m->tlb; i++) {
        const mips_tlb_entry *e = &s->tlb[i];
        if (!((e->hi ^ addr) & compared(m, width, e->mask)) && (e->global || ((e->hi ^ asid) & 0xff) == 0) && !(e->hi & HI_EHINV))
            return (int)i;
    }
    return -1;
}

static oryx_status walk(const oryx_cpu *cpu, uint64_t addr, uint32_t access, uint64_t wide, oryx_mmu_result *out)
{
    const mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    unsigned write = access == ORYX_ACCESS_WRITE, miss = write ? EXC_TLBS : EXC_TLBL;
    int i = find(cpu, addr, s->cp0[CP0_entryhi]);
    if (i < 0)
        return refuse(out, miss, MIPS_SYN_REFILL | wide);
    const mips_tlb_entry *e = &s->tlb[i];
    uint64_t page = ((uint64_t)e->mask | 0x1fff) >> 1, lo = e->lo[(addr & (page + 1)) != 0]; /* page: its offset bits */
    bool iec = s->cp0[CP0_pagegrain] & 0x08000000;
    if (!(lo & LO_V))
        return refuse(out, miss, 0);
    if (access == ORYX_ACCESS_FETCH && lo & LO_XI)
        return refuse(out, iec ? EXC_TLBXI : EXC_TLBL, 0);
    if (access == ORYX_ACCESS_READ && lo & LO_RI)
        return refuse(out, iec ? EXC_TLBRI : EXC_TLBL, 0);
    if (write && !(lo & LO_D))
        return refuse(out, EXC_MOD, 0);
    uint64_t frame = (lo & ~(LO_RI | LO_XI)) >> 6 << 12;
    out->phys = ((frame & ~page) | (addr & page)) & ((UINT64_C(1) << m->pa_bits) - 1);
    out->prot = (lo & LO_RI ? 0 : ORYX_PROT_READ) | (lo & LO_XI ? 0 : ORYX_PROT_EXEC) | (lo & LO_D ? ORYX_PROT_WRITE : 0);
    return ORYX_OK;
}

/* --- segments ------------------------------------------------------------------------------------------------------------- */

static oryx_status unmapped(uint64_t phys, oryx_mmu_result *out)
{
    out->phys = phys;
    return ORYX_OK;
}

static oryx_status mapped(const oryx_cpu *cpu, uint64_t addr, uint32_t access, uint64_t wide, oryx_mmu_result *out)
{
    switch (mips_model_of(cpu)->mmu) {
    case MIPS_MMU_R3000: return walk_r3000(mips_state_of(cpu), addr, access, out);
    case MIPS_MMU_FIXED: /* kuseg lies 1 GiB higher, the upper segments where they are */
        return unmapped(addr < 0x80000000u ? addr + 0x40000000u : addr, out);
    default: return walk(cpu, addr, access, wide, out);
    }
}

/* The compatibility segments. addr: 32 bits. */
static oryx_status segment32(const oryx_cpu *cpu, uint64_t full, unsigned ksu, uint32_t access, uint64_t wide, oryx_mmu_result *out)
{
    uint32_t addr = (uint32_t)full;
    unsigned error = access == ORYX_ACCESS_WRITE ? EXC_ADES : EXC_ADEL;
    if (addr < 0x80000000u)
        return ksu == 3 ? unmapped(addr, out) : mapped(cpu, full, access, wide, out);
    if (ksu == 2 || (ksu == 1 && (addr < 0xc0000000u || addr >= 0xe0000000u)))
        return refuse(out, error, 0);
    if (addr < 0xc0000000u)
        return unmapped(addr & 0x1fffffff, out);
    return mapped(cpu, full, access, wide, out);
}

/* Each segment has its own enable, whoever asks: UX, SX and KX. The vector of a refill goes by it, too. */
static oryx_status segment64(const oryx_cpu *cpu, uint64_t addr, unsigned ksu, uint32_t access, oryx_mmu_result *out)
{
    const mips_model *m = mips_model_of(cpu);
    uint32_t status = (uint32_t)mips_state_of(cpu)->cp0[CP0_status], a = (uint32_t)addr;
    unsigned error = access == ORYX_ACCESS_WRITE ? EXC_ADES : EXC_ADEL;
    uint64_t size = UINT64_C(1) << m->seg_bits, in = addr & UINT64_C(0x3fffffffffffffff);
    if (addr == (uint64_t)(int64_t)(int32_t)a) {
        uint32_t by = a < 0x80000000u ? ST_UX : a >= 0xc0000000u && a < 0xe0000000u ? ST_SX : ST_KX;
        return segment32(cpu, addr, ksu, access, status & by ? MIPS_SYN_WIDE : 0, out);
    }
    switch (addr >> 62) {
    case 0: /* xuseg */
        if (!(status & ST_UX) || in >= size)
            return refuse(out, error, 0);
        return mapped(cpu, addr, access, MIPS_SYN_WIDE, out);
    case 1: /* xsseg */
        if (!(status & ST_SX) || ksu == 2 || in >= size)
            return refuse(out, error, 0);
        return mapped(cpu, addr, access, MIPS_SYN_WIDE, out);
    case 2: /* xkphys: eight windows, one a cache attribute, to the physical addresses that exist */
        if (!(status & ST_KX) || ksu % 3 || (addr & UINT64_C(0x07ffffffffffffff)) >> m->pa_bits)
            return refuse(out, error, 0);
        return unmapped(addr & ((UINT64_C(1) << m->pa_bits) - 1), out);
    default: /* xkseg */
        if (!(status & ST_KX) || ksu % 3 || in >= size - 0x80000000u)
            return refuse(out, error, 0);
        return mapped(cpu, addr, access, MIPS_SYN_WIDE, out);
    }
}

oryx_status mips_mmu(oryx_cpu *cpu, uint64_t addr, uint32_t access, uint32_t index, oryx_mmu_result *out)
{
    const mips_state *s = mips_state_of(cpu);
    if (s->level == MIPS_USER)
        return ORYX_OK;
    unsigned ksu = index == ORYX_MMU_CURRENT ? mips_ksu(s) : index;
    out->attrs = ksu == 2 ? ORYX_ATTR_USER : 0;
    if (mips_width(cpu) == I64)
        return segment64(cpu, addr, ksu, access, out);
    return segment32(cpu, addr & 0xffffffffu, ksu, access, 0, out);
}

/* --- TLB instructions ------------------------------------------------------------------------------------------------------ */

uint32_t mips_random(mips_state *s, const mips_model *m)
{
    uint32_t wired = m->mmu == MIPS_MMU_R3000 ? 8 : (uint32_t)s->cp0[CP0_wired], n = m->tlb > wired ? m->tlb - wired : 1;
    return m->tlb - 1u - s->random % n;
}

static void write_entry(oryx_cpu *cpu, unsigned i)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    if (i >= m->tlb)
        return;
    mips_tlb_entry *e = &s->tlb[i];
    uint64_t hi = s->cp0[CP0_entryhi];
    if (m->mmu == MIPS_MMU_R3000) {
        *e = (mips_tlb_entry){ .hi = hi & 0xffffffc0, .lo = { s->cp0[CP0_entrylo0] & 0xffffff00 } };
    } else {
        uint32_t mask = (uint32_t)s->cp0[CP0_pagemask];
        uint64_t lo0 = s->cp0[CP0_entrylo0], lo1 = s->cp0[CP0_entrylo1];
        *e = (mips_tlb_entry){ .hi = hi & ~(uint64_t)mask, .lo = { lo0, lo1 }, .mask = mask, .global = (uint32_t)(lo0 & lo1 & LO_G) };
        if (!(m->features & MIPS_FEAT_R5))
            e->hi &= ~(uint64_t)HI_EHINV;
    }
    mips_flush(cpu);
}

static void read_entry(oryx_cpu *cpu, unsigned i)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    uint64_t old = s->cp0[CP0_entryhi];
    if (i >= m->tlb)
        return;
    const mips_tlb_entry *e = &s->tlb[i];
    if (m->mmu == MIPS_MMU_R3000) {
        s->cp0[CP0_entryhi] = e->hi;
        s->cp0[CP0_entrylo0] = e->lo[0];
    } else if (e->hi & HI_EHINV) {
        s->cp0[CP0_entryhi] = HI_EHINV;
        s->cp0[CP0_pagemask] = s->cp0[CP0_entrylo0] = s->cp0[CP0_entrylo1] = 0;
    } else {
        s->cp0[CP0_entryhi] = e->hi;
        s->cp0[CP0_pagemask] = e->mask;
        s->cp0[CP0_entrylo0] = (e->lo[0] & ~(uint64_t)LO_G) | e->global;
        s->cp0[CP0_entrylo1] = (e->lo[1] & ~(uint64_t)LO_G) | e->global;
    }
    if ((old ^ s->cp0[CP0_entryhi]) & 0xfff)
        mips_flush(cpu); /* another ASID */
}

static void probe(oryx_cpu *cpu)
{
    mips_state *s = mips_state_of(cpu);
    uint64_t hi = s->cp0[CP0_entryhi], none = mips_width(cpu) == I64 ? UINT64_C(0xffffffff80000000) : 0x80000000u;
    int at = -1;
    if (mips_model_of(cpu)->mmu == MIPS_MMU_R3000) {
        for (int i = 0; i < 64 && at < 0; i++)
            if (!((s->tlb[i].hi ^ hi) & 0xfffff000) && (s->tlb[i].lo[0] & R3_G || !((s->tlb[i].hi ^ hi) & 0xfc0)))
                at = i << 8;
    } else {
        at = find(cpu, hi & ~UINT64_C(0x1fff), hi);
    }
    s->cp0[CP0_index] = at < 0 ? none | (s->cp0[CP0_index] & 0x7fffffff) : (uint64_t)at;
}

/* TLBINV: entries of the current ASID that are not global; TLBINVF: all. Release 5 and 6: the whole TLB, as Config4.IE is 3. */
static void invalidate(oryx_cpu *cpu, bool all)
{
    mips_state *s = mips_state_of(cpu);
    for (unsigned i = 0; i < mips_model_of(cpu)->tlb; i++)
        if (all || (!s->tlb[i].global && !((s->tlb[i].hi ^ s->cp0[CP0_entryhi]) & 0xff)))
            s->tlb[i].hi |= HI_EHINV;
    mips_flush(cpu);
}

void mips_helper_tlb(oryx_cpu *cpu, uint32_t op)
{
    mips_state *s = mips_state_of(cpu);
    const mips_model *m = mips_model_of(cpu);
    unsigned index = (unsigned)s->cp0[CP0_index] & 0x7fffffff;
    if (m->mmu == MIPS_MMU_R3000)
        index = index >> 8 & 63;
    switch (op) {
    case TLB_R: read_entry(cpu, index); break;
    case TLB_WI: write_entry(cpu, index); break;
    case TLB_WR:
        write_entry(cpu, mips_random(s, m));
        s->random++;
        break;
    case TLB_P: probe(cpu); break;
    default: invalidate(cpu, op == TLB_INVF); break;
    }
}

/* CACHE and SYNCI by address: nothing to maintain, but the address must translate as for a load. Index Load Tag reads nothing. */
void mips_helper_cache(oryx_cpu *cpu, uint64_t addr, uint32_t op)
{
    mips_state *s = mips_state_of(cpu);
    oryx_mmu_result out = { .hdr = ORYX_HDR(oryx_mmu_result), .phys = addr, .page_size = 4096, .prot = ORYX_PROT_ALL };
    if (op < 16) { /* by index */
        if (op >> 2 == 1)
            s->cp0[CP0_taglo] = 0;
        return;
    }
    oryx_status st = mips_mmu(cpu, addr, ORYX_ACCESS_READ, ORYX_MMU_CURRENT, &out);
    if (!st)
        return;
    mips_raise_now(cpu, ORYX_EXC_MEMORY, out.syndrome | MIPS_SYN_PROBE);
    cpu->exc.addr = addr;
    cpu->exc.status = st;
    cpu->exc.size = 1;
}
