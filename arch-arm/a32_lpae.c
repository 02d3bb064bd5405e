/* Translation by long descriptors: DDI 0406C B3.6, the Large Physical Address Extension, stage 1.
 *
 * Called by a32_mmu.c where TTBCR.EAE is set. Invariant: as there. */
#include "a32_sys.h"

extern const oryx_host *a64_host;
#define MAIR(s, world, n) ((uint8_t)((s)->system.sys[(n) & 4 ? CP_nmrr : CP_prrr][world] >> ((n) & 3) * 8))

oryx_status a32_walk_long(oryx_cpu *cpu, uint32_t addr, uint32_t access, unsigned world, unsigned user, a32_walk *out)
{
    const a32_state *s = a32_state_of(cpu);
    uint32_t ttbcr = (uint32_t)s->system.sys[CP_ttbcr][world], sctlr = a32_sctlr(s, world);
    unsigned t0 = ttbcr & 7, t1 = ttbcr >> 16 & 7, upper = 0, size;
    if (t0 && addr >> (32 - t0)) {
        upper = 1;
        if (t1 && ~addr >> (32 - t1))
            return a32_refuse(out, A32_FAULT_TRANSLATION, 1, 0);
    } else if (!t0 && t1 && !(~addr >> (32 - t1))) {
        upper = 1;
    }
    size = upper ? t1 : t0;
    if (ttbcr >> (upper ? 23 : 7) & 1)
        return a32_refuse(out, A32_FAULT_TRANSLATION, 1, 0);
    uint64_t ttbr = s->system.sys[upper ? CP_ttbr1 : CP_ttbr0][world], table = 0, desc;
    unsigned level = size > 1 ? 2 : 1, shift = level == 2 ? 21 : 30, bits = 32 - size - shift;
    uint64_t base = ttbr & UINT64_C(0xffffffffff) & ~((UINT64_C(8) << bits) - 1);
    oryx_space *space = a64_host->vcpu_space(cpu->vcpu);
    int secure = !world && s->system.tz;
    for (;;) {
        uint64_t at = base | (uint64_t)(addr >> shift & ((1u << bits) - 1)) << 3;
        if (a64_host->space_read(space, at, &desc, sizeof desc, secure && !(table >> 63) ? ORYX_ATTR_SECURE : 0))
            return a32_refuse(out, A32_FAULT_WALK, level, 0);
        if (sctlr & SCTLR_EE)
            desc = __builtin_bswap64(desc);
        if (!(desc & 1) || (level == 3 && !(desc & 2)))
            return a32_refuse(out, A32_FAULT_TRANSLATION, level, 0);
        if (level == 3 || !(desc & 2))
            break;
        table |= desc & UINT64_C(0xf800000000000000);
        base = desc & UINT64_C(0xfffffff000);
        level++;
        shift -= 9;
        bits = 9;
    }
    if (!(desc >> 10 & 1))
        return a32_refuse(out, A32_FAULT_ACCESS, level, 0);
    int el0 = (desc >> 6 & 1) && !(table >> 61 & 1), ro = (desc >> 7 & 1) || (table >> 62 & 1);
    int xn = (desc >> 54 & 1) || (table >> 60 & 1), pxn = (desc >> 53 & 1) || (table >> 59 & 1);
    uint32_t prot = user && !el0 ? 0 : ORYX_PROT_READ | (ro ? 0 : ORYX_PROT_WRITE);
    int ns = !secure || (desc >> 5 & 1) || (table >> 63 & 1);
    int exec = prot && !xn && !(pxn && !user) && !(sctlr & SCTLR_WXN && prot & ORYX_PROT_WRITE) &&
               !(sctlr & SCTLR_UWXN && !user && el0 && !ro) && !(secure && ns && a32_scr(s) & SCR_SIF);
    if (exec)
        prot |= ORYX_PROT_EXEC;
    static const uint32_t need[] = { ORYX_PROT_READ, ORYX_PROT_WRITE, ORYX_PROT_EXEC };
    if (!(prot & need[access]))
        return a32_refuse(out, A32_FAULT_PERMISSION, level, 0);
    uint64_t mask = (UINT64_C(1) << shift) - 1;
    out->phys = (desc & UINT64_C(0xfffffff000) & ~mask) | (addr & mask);
    out->size = mask + 1;
    out->prot = prot;
    out->ns = (uint8_t)ns;
    out->attr = MAIR(s, world, desc >> 2 & 7);
    out->sh = desc >> 8 & 3;
    return ORYX_OK;
}
