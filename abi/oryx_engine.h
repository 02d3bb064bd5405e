/* Execution engines: interface "oryx.engine/1". The core translates, checks and simplifies; an engine compiles an IR
 * block once and executes compiled blocks until one of the reasons below. */
#ifndef ORYX_ENGINE_H
#define ORYX_ENGINE_H

#include "oryx_cpu.h"
#include "oryx_ir.h"

ORYX_BEGIN

#define ORYX_ENGINE_ID "oryx.engine/1"

#define ORYX_TB_INVALID 1u /* set when code changed; never entered again */
#define ORYX_TB_NO_LINK 2u /* the core will not link this block's exits */
#define ORYX_TB_WINDOW_RD 4u /* its loads may use cpu->window, the engine's recover answers for faults; set before compile */
#define ORYX_TB_WINDOW_WR 8u /* its loads and stores may, against window.wr */
#define ORYX_TB_COUNT 16u   /* leave with ORYX_LEAVE_HOT when entered exec_count times, roughly */
#define ORYX_TB_REGION 32u  /* made of several IR blocks (ORYX_OP_BLOCK) */

/* A translation block. The core allocates it, owns it and fills all but `code`. flags and link are atomic: read them with
 * acquire. link[i]: the block that exit slot i (GOTO, GOTOC) continues with, NULL until linked. */
struct oryx_tb {
    uint64_t pc, phys, mode;
    uint32_t flags;
    uint32_t n_insns;
    uint32_t guest_len;   /* bytes */
    uint32_t exec_count;  /* ORYX_TB_COUNT: after how many entries the core wants to know */
    void *code;           /* the engine's */
    oryx_tb *link[2];
    /* Regions: compile numbers the ways out itself, at most two a block, and says how many; their slots go to link and
     * oryx_leave only. It also sets n_insns: what the slice must hold for the region to be entered. */
    uint32_t n_exits;
    uint32_t code_size;   /* bytes of host code at `code`; 0: nothing to show */
};

/* Why enter returned. */
enum {
    ORYX_LEAVE_LINK,      /* tb's exit `slot` has no link; pc is set: the core finds the next block and calls link */
    ORYX_LEAVE_LOOKUP,    /* indirect jump not found inline; pc is set */
    ORYX_LEAVE_BUDGET,    /* slice used up or kicked at a block start; pc is that block's */
    ORYX_LEAVE_EXC,       /* cpu->exc is complete; state is exact; pc is set (faults: the instruction's own) */
    ORYX_LEAVE_RESYNC,    /* pc is set; the frontend recomputes the mode key */
    ORYX_LEAVE_HOT        /* a block with ORYX_TB_COUNT was entered often; pc is set, nothing of it executed or counted */
};

typedef struct oryx_leave {
    oryx_tb *tb;          /* the block that was left (LINK), else the last one entered */
    uint32_t slot;
    uint32_t reserved;
} oryx_leave;

#define ORYX_ENGINE_REGIONS 1u /* compiles regions and counts entries for them */
#define ORYX_ENGINE_COLD 2u    /* compiling costs much more than executing once: the core may execute what it meets first */

typedef struct oryx_engine_ops {
    oryx_hdr hdr;
    const char *name;
    /* Make an engine for a machine. options: JSON object text or NULL. [control] */
    oryx_status (*create)(const oryx_host *host, oryx_machine *machine, const char *options, void **self, oryx_error *err);
    void (*destroy)(void *self);
    /* Fill tb->code from ir, which is valid during the call only. Refuses ops it lacks with ORYX_E_UNSUPPORTED. [vcpu] */
    oryx_status (*compile)(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err);
    /* Free tb->code. No vCPU is inside tb. [any] */
    void (*discard)(void *self, oryx_tb *tb);
    /* Execute from tb until a reason above. Before: cpu->fp holds the environment. After: state, cpu->fp.flags, pc slot and
     * slice.left are exact: instructions not executed are given back, the one that raised (LEAVE_EXC) always among
     * them; the core counts it where its pc is the next one (SYSCALL, HYPERCALL, MONITORCALL, WAIT). The pc slot is at
     * cpu->state + oryx_machine_arch(machine)->pc_offset. [vcpu] */
    uint32_t (*enter)(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave);
    /* The core has stored target in tb->link[slot] (NULL: unlinked); engines that patch code do it here. May be NULL. [any] */
    void (*link)(void *self, oryx_tb *tb, uint32_t slot, oryx_tb *target);
    /* Per-vCPU set-up and tear-down of cpu->engine_data. May be NULL. [control] */
    oryx_status (*vcpu_init)(void *self, oryx_cpu *cpu, oryx_error *err);
    void (*vcpu_fini)(void *self, oryx_cpu *cpu);
    /* One bit an op that compile accepts, ORYX_OP_COUNT bits; NULL: all. */
    const uint64_t *supports;
    uint32_t frame_size; /* bytes of cpu->frame the core provides in every vCPU; set before vcpu_init */
    uint32_t reserved;
    /* A host fault at host_pc while this vCPU's thread executes: where to go on instead (the access's way through cpu->fn), or
     * 0 when it is no access of compiled code through the window. *again: the guest instruction, when it faults so often that
     * its block shall be made anew without the window, else ~0. NULL: the engine does not use windows. Runs in a signal
     * handler. [vcpu] */
    uint64_t (*recover)(void *self, oryx_cpu *cpu, uint64_t host_pc, uint64_t *again);
    uint32_t caps;       /* ORYX_ENGINE_* */
    uint32_t reserved2;
    /* What this engine's options change for its machine: *caps (of those above) and *max_insns, the most instructions a block
     * may have. Called once, after create. May be NULL. [control] */
    void (*tune)(void *self, uint32_t *caps, uint32_t *max_insns);
} oryx_engine_ops;

/* For engines around engines: the block at pc, cut to at most `limit` instructions, never a region; translated when there is
 * none. Valid until the running `enter` returns, even when its code is changed meanwhile. ORYX_FAULT_*: cpu->exc says what the
 * fetch met. [vcpu] Since 0.2. */
ORYX_API oryx_status oryx_vcpu_block(oryx_vcpu *v, uint64_t pc, uint32_t limit, oryx_tb **out, oryx_error *err);

ORYX_END
#endif
