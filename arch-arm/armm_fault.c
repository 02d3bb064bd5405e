/* Faults of the M profile: status registers, enables and escalation. DDI 0403E.e, B1.5.14.
 *
 * Called by armm_exception.c and armm_fp.c. Invariant: a fault that its own handler cannot take becomes HardFault (HFSR.FORCED),
 * and one that HardFault cannot take either, lockup. */
#include "armm.h"

#define HFSR_FORCED (1u << 30)

uint32_t armm_raise(oryx_cpu *cpu, uint32_t n)
{
    oryx_scs *scs = armm_scs(cpu);
    int32_t now = armm_priority(cpu);
    uint32_t main = scs->features & ORYX_SCS_MAIN, fault = n >= 4 && n <= 6;
    if (n != 3 && ((fault && (!main || !oryx_scs_get(scs->enabled, n))) || oryx_scs_group(scs, oryx_scs_priority(scs, n)) >= now)) {
        n = 3;
        if (main)
            scs->hfsr |= HFSR_FORCED;
    }
    if (n == 3 && now <= -1)
        return 0;
    oryx_scs_put(scs->pending, n, 1);
    return n;
}

/* Alignment apart, an access fails in the MPU or on the bus. Addresses go with data accesses alone. */
uint32_t armm_memory_fault(oryx_cpu *cpu, const oryx_exc *exc, uint32_t mem_bit, uint32_t bus_bit)
{
    oryx_scs *scs = armm_scs(cpu);
    uint32_t own = exc->kind == ORYX_EXC_MEMORY && (mem_bit == 2 || bus_bit == 1u << 9);
    if (exc->syndrome == ARMM_MPU_FAULT) {
        scs->cfsr |= mem_bit;
        if (own) {
            scs->cfsr |= 1u << 7;
            scs->mmfar = (uint32_t)exc->addr;
        }
        return armm_raise(cpu, 4);
    }
    scs->cfsr |= bus_bit;
    if (own) {
        scs->cfsr |= 1u << 15;
        scs->bfar = (uint32_t)exc->addr;
    }
    return armm_raise(cpu, 5);
}
