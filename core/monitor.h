/* Exclusive monitors, between monitor.c, access.c, tlb.c and code_page.c. */
#ifndef ORYX_MONITOR_H
#define ORYX_MONITOR_H

#include "mem_internal.h"

#define ORYX__GRANULE_BITS      6u
#define ORYX__SLOT_BITS         10u
#define ORYX__MONITOR_PAGE_BITS 14u
#define ORYX__TRACKED           1u /* in a write tag: never hits */

struct oryx__slot {
    _Atomic uint32_t lock, armed; /* armed: some monitor may watch; writers need not raise the version otherwise */
    _Atomic uint32_t version;
    uint32_t pad;
};

struct oryx__monitors {
    _Atomic uint32_t epoch; /* added to every version */
    struct oryx__slot slot[1u << ORYX__SLOT_BITS];
    _Atomic uint8_t page[1u << ORYX__MONITOR_PAGE_BITS];
};

/* Load-exclusive, before the value is read: host memory of it, or an address that has no fast read entry. */
void oryx__monitor_arm_host(oryx_vcpu *v, uint8_t *host);
void oryx__monitor_arm(oryx_vcpu *v, uint64_t addr, uint32_t mmu_index);
/* Store-exclusive: true when nobody wrote; then the store is done and end called. Nothing may be called in between. */
int oryx__monitor_begin(oryx_vcpu *v);
void oryx__monitor_end(oryx_vcpu *v);
/* For snapshots, while the vCPU does not run: would its store-exclusive be done; and it would, from now on. */
int oryx__monitor_valid(const oryx_vcpu *v);
void oryx__monitor_again(oryx_vcpu *v);
/* Before a store of n <= 16 bytes of cpu to a tracked page. */
void oryx__monitor_store(oryx_cpu *cpu, const uint8_t *host, uint32_t n);
/* Before a write through a row, by whoever; n bytes. */
void oryx__monitor_written(struct oryx__monitors *mon, const oryx__row *row, uint64_t addr, uint64_t n, oryx_cpu *cpu);
int oryx__monitor_tracks(struct oryx__mem *mem, const uint8_t *host);

#endif
