/* Instrumentation: interface "oryx.probe/1". A probe is asked at translation time and adds IR: inline SLOTADD on per-vCPU
 * slots, or CALLs of its own helpers. Results of the guest never depend on which probes exist. (Draft until 1.0.) */
#ifndef ORYX_PROBE_H
#define ORYX_PROBE_H

#include "oryx_machine.h"

ORYX_BEGIN

#define ORYX_PROBE_ID "oryx.probe/1"

typedef struct oryx_probe_insn {
    oryx_hdr hdr;
    uint64_t pc;
    const uint8_t *bytes;
    uint32_t len;
    uint32_t index;           /* in the block, 0 first */
    uint64_t mode;
} oryx_probe_insn;

/* A memory op just emitted; addr and value are IR values usable in added IR. */
typedef struct oryx_probe_mem {
    oryx_hdr hdr;
    uint64_t pc;
    oryx_val addr;
    oryx_val value;           /* loaded (after) or stored; 0 when there is none */
    uint32_t type;            /* ORYX_T_* of value */
    uint32_t size;            /* bytes */
    uint32_t write;           /* 0 read, 1 write, 2 read-modify-write */
    uint32_t reserved;
} oryx_probe_mem;

typedef struct oryx_probe_ops {
    oryx_hdr hdr;
    const char *name;
    /* options: JSON object text ("{}" when none). helpers are registered here with host->helper_add. [control] */
    oryx_status (*create)(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err);
    void (*destroy)(void *self);
    /* Translation time; any may be NULL. block: before the first instruction's own IR. The instruction's GETs see state at
     * its start. [vcpu] */
    void (*block)(void *self, oryx_ir *ir, const oryx_probe_insn *first);
    void (*insn)(void *self, oryx_ir *ir, const oryx_probe_insn *insn);
    void (*mem)(void *self, oryx_ir *ir, const oryx_probe_mem *mem);
    /* Run time, outside blocks: an exception is about to leave or be delivered. [vcpu] */
    void (*exception)(void *self, oryx_cpu *cpu, const oryx_exc *exc);
    /* Write results: called once when the program has ended, before destroy. [stopped] */
    void (*finish)(void *self);
    /* A vCPU is about to be destroyed; its slots are kept in oryx_slots_sum. May be NULL. [control] */
    void (*vcpu_gone)(void *self, oryx_cpu *cpu);
} oryx_probe_ops;

/* Attach a probe of a loaded plugin (class name or id). Translated code is dropped, so it takes effect at the next block. [stopped] */
ORYX_API oryx_status oryx_probe_attach(oryx_machine *m, const char *name, const char *options, oryx_probe **out,
                                       oryx_error *err);
ORYX_API void oryx_probe_detach(oryx_probe *p);
/* Call finish of every attached probe, in order of attachment. [stopped] */
ORYX_API void oryx_probe_finish_all(oryx_machine *m);

/* n consecutive zeroed 64-bit slots in every vCPU; returns the first one's number, or a negative status. [stopped] */
ORYX_API int32_t oryx_slots_alloc(oryx_machine *m, uint32_t n);
ORYX_API uint64_t oryx_slots_sum(oryx_machine *m, uint32_t slot);

ORYX_END
#endif
