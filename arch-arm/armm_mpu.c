/* The MPU and the default memory map: PMSAv6-M, PMSAv7 and PMSAv8. DDI 0403E.e, B3.5; DDI 0553B, B11.
 *
 * Called by the core for what its translation caches do not have, and by armm_exception.c for stacking. Addresses are never
 * changed. Invariant: a page is reported whole when every byte of it is treated alike, else the 32 bytes around the address. */
#include "armm.h"

uint32_t armm_mmu_index(const oryx_cpu *cpu)
{
    const armm_state *s = armm_state_of(cpu);
    const oryx_scs *scs = armm_scs(cpu);
    if (scs && (s->faultmask || __atomic_load_n(&scs->active[0], __ATOMIC_SEQ_CST) & 0xc))
        return ARMM_MMU_NEGATIVE;
    return armm_privileged(s) ? ARMM_MMU_PRIV : ARMM_MMU_UNPRIV;
}

static oryx_status word_access(oryx_cpu *cpu, uint32_t addr, uint32_t index, uint32_t *v, uint32_t write)
{
    uint32_t memop = ORYX_MO_32 | ORYX_MO_ALIGN(2) | ORYX_MO_MMU(index) | (index == ARMM_MMU_UNPRIV ? ORYX_MO_USER : 0);
    oryx_v128 x = { *v, 0 };
    oryx_status st = write ? cpu->fn->store(cpu, addr, memop, &x) : cpu->fn->load(cpu, addr, memop, &x);
    *v = (uint32_t)x.lo;
    return st;
}

oryx_status armm_load(oryx_cpu *cpu, uint32_t addr, uint32_t index, uint32_t *out)
{
    *out = 0;
    return word_access(cpu, addr, index, out, 0);
}

oryx_status armm_store(oryx_cpu *cpu, uint32_t addr, uint32_t index, uint32_t v)
{
    return word_access(cpu, addr, index, &v, 1);
}

/* Instructions come from Code, SRAM and the two RAM regions. DDI 0403, B3.1. */
static uint32_t default_prot(uint32_t addr)
{
    uint32_t top = addr >> 29;
    return top == 2 || top >= 5 ? ORYX_PROT_READ | ORYX_PROT_WRITE : ORYX_PROT_ALL;
}

/* AP as prot. */
static uint32_t allows(uint32_t ap, uint32_t user)
{
    static const uint8_t privileged[8] = { 0, 3, 3, 3, 0, 1, 1, 1 }, unprivileged[8] = { 0, 0, 1, 3, 0, 0, 1, 1 };
    uint32_t rw = (user ? unprivileged : privileged)[ap & 7];
    return (rw & 1 ? ORYX_PROT_READ : 0) | (rw & 2 ? ORYX_PROT_WRITE : 0);
}

static uint32_t prot_v7(const oryx_scs *scs, uint32_t addr, uint32_t user, uint32_t *fine, uint32_t *prot)
{
    uint32_t found = 0, page = addr & ~0xfffu;
    for (uint32_t i = scs->n_regions; i-- > 0;) {
        uint32_t rasr = scs->mpu_rasr[i], bits = (rasr >> 1 & 31) + 1;
        if (!(rasr & 1) || bits < 5)
            continue;
        uint32_t last = bits == 32 ? UINT32_MAX : (1u << bits) - 1, base = scs->mpu_rbar[i] & ~last & ~31u;
        uint32_t parts = bits >= 8 && rasr & 0xff00; /* with disabled subregions */
        if (base <= (page | 0xfff) && base + last >= page && (bits < 12 || (parts && bits < 15)))
            *fine = 1;
        if (found || addr < base || addr > base + last || (parts && rasr >> (8 + ((addr - base) >> (bits - 3) & 7)) & 1))
            continue;
        found = 1;
        *prot = allows(rasr >> 24, user);
        if (!(rasr >> 28 & 1) && *prot & ORYX_PROT_READ)
            *prot |= default_prot(addr) & ORYX_PROT_EXEC;
    }
    return found;
}

/* 0: none, 1: one, 2: several, which nothing may access. */
static uint32_t prot_v8(const oryx_scs *scs, uint32_t addr, uint32_t user, uint32_t *fine, uint32_t *prot)
{
    uint32_t hits = 0, page = addr & ~0xfffu;
    for (uint32_t i = 0; i < scs->n_regions; i++) {
        uint32_t rbar = scs->mpu_rbar[i], base = rbar & ~31u, last = scs->mpu_rasr[i] | 31u;
        if (!(scs->mpu_rasr[i] & 1))
            continue;
        if ((base > page && base <= (page | 0xfff)) || (last >= page && last < (page | 0xfff)))
            *fine = 1;
        if (addr < base || addr > last)
            continue;
        hits++;
        *prot = user && !(rbar & 2) ? 0 : ORYX_PROT_READ | (rbar & 4 ? 0 : ORYX_PROT_WRITE);
        if (!(rbar & 1) && *prot)
            *prot |= default_prot(addr) & ORYX_PROT_EXEC;
    }
    return hits;
}

oryx_status armm_mmu(oryx_cpu *cpu, uint64_t addr64, uint32_t access, uint32_t index, oryx_mmu_result *out)
{
    static const uint32_t need[] = { ORYX_PROT_READ, ORYX_PROT_WRITE, ORYX_PROT_EXEC };
    const oryx_scs *scs = armm_scs(cpu);
    uint32_t addr = (uint32_t)addr64, hits, fine = 0, prot = 0;
    if (!scs)
        return ORYX_OK;
    out->prot = default_prot(addr);
    if (index == ORYX_MMU_CURRENT)
        index = armm_mmu_index(cpu);
    out->attrs = index == ARMM_MMU_UNPRIV ? ORYX_ATTR_USER : 0;
    /* Vectors are read, and the private peripheral bus is accessed, whatever the MPU says. */
    if ((scs->mpu_ctrl & 1 && index != ARMM_MMU_NONE && addr >> 20 != 0xe00 && (index != ARMM_MMU_NEGATIVE || scs->mpu_ctrl & 2))) {
        hits = scs->arch == 8 ? prot_v8(scs, addr, index == ARMM_MMU_UNPRIV, &fine, &prot)
                              : prot_v7(scs, addr, index == ARMM_MMU_UNPRIV, &fine, &prot);
        if (!hits && scs->mpu_ctrl & 4 && index != ARMM_MMU_UNPRIV)
            prot = default_prot(addr);
        if (hits > 1)
            prot = 0;
        out->prot = prot;
        out->page_size = fine ? 32 : ORYX_PAGE_SIZE;
    }
    if (out->prot & need[access])
        return ORYX_OK;
    out->syndrome = ARMM_MPU_FAULT;
    return ORYX_FAULT_PROT;
}
