/* Guest accesses that need more than a hit of plain little-endian data: byte order, alignment checks, ordering.
 *
 * Called by run.c only. The invariant: what the inline path in run.c accepts gives the same result here. */
#include "interp.h"

uint64_t interp_extend(uint64_t v, uint32_t memop, unsigned type)
{
    unsigned bits = 8u << ORYX_MO_SIZE(memop);
    if (bits >= 64)
        return v;
    v &= (1ull << bits) - 1;
    if ((memop & ORYX_MO_SIGN) && type != ORYX_T_V128)
        v = (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
    return v;
}

/* Host address of an aligned, ordinary access that hits, else NULL. */
static void *hit(oryx_cpu *cpu, uint64_t addr, uint32_t memop, int write)
{
    unsigned bytes = 1u << ORYX_MO_SIZE(memop), align = ORYX_MO_ALIGN_OF(memop);
    unsigned mmu = ORYX_MO_MMU_OF(memop);
    if (mmu >= ORYX_MMU_INDEXES || (memop & ORYX_MO_USER) || bytes > 8 || (addr & ((1ull << align) - 1)))
        return NULL;
    const oryx_tlb *t = &cpu->tlb[mmu];
    const oryx_tlb_entry *e = &(write ? t->wr : t->rd)[addr >> ORYX_PAGE_BITS & t->mask];
    if (((addr + bytes - 1) & ~(uint64_t)(ORYX_PAGE_SIZE - 1)) != e->tag)
        return NULL;
    return (void *)(uintptr_t)(addr + e->addend);
}

static uint64_t swapped(uint64_t v, uint32_t memop)
{
    return (memop & ORYX_MO_BE) ? __builtin_bswap64(v) >> (64 - (8u << ORYX_MO_SIZE(memop))) : v;
}

oryx_status interp_load_general(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out)
{
    void *p = hit(cpu, addr, memop, 0);
    oryx_status st = ORYX_OK;
    if (p) {
        switch (ORYX_MO_SIZE(memop)) {
        case 0:
            out->lo = *(uint8_t *)p;
            break;
        case 1:
            out->lo = *(u16u *)p;
            break;
        case 2:
            out->lo = *(u32u *)p;
            break;
        default:
            out->lo = *(u64u *)p;
            break;
        }
        out->lo = swapped(out->lo, memop);
        out->hi = 0;
    } else {
        st = cpu->fn->load(cpu, addr, memop, out);
    }
    if (memop & ORYX_MO_ACQUIRE)
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return st;
}

oryx_status interp_store_general(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val)
{
    void *p = hit(cpu, addr, memop, 1);
    oryx_status st = ORYX_OK;
    if (memop & ORYX_MO_RELEASE)
        __atomic_thread_fence(__ATOMIC_RELEASE);
    if (p) {
        uint64_t v = swapped(val->lo, memop);
        switch (ORYX_MO_SIZE(memop)) {
        case 0:
            *(uint8_t *)p = (uint8_t)v;
            break;
        case 1:
            *(u16u *)p = (uint16_t)v;
            break;
        case 2:
            *(u32u *)p = (uint32_t)v;
            break;
        default:
            *(u64u *)p = v;
            break;
        }
    } else {
        st = cpu->fn->store(cpu, addr, memop, val);
    }
    /* A later load-acquire must not pass a store-release. */
    if (memop & ORYX_MO_RELEASE)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return st;
}
