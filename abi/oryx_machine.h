/* The embedder's API: machines, vCPUs, run, exits, registers, symbols. Example: examples/embed.c. */
#ifndef ORYX_MACHINE_H
#define ORYX_MACHINE_H

#include "oryx_arch.h"
#include "oryx_mem.h"

ORYX_BEGIN

/* Version of the library, "1.0.0". [any] */
ORYX_API const char *oryx_version(void);
ORYX_API const char *oryx_status_text(oryx_status s);

typedef struct oryx_machine_config {
    oryx_hdr hdr;
    const char *arch;         /* class of an arch plugin, "arm64" */
    const char *engine;       /* "interp"; NULL: the best one that is there */
    const char *engine_options; /* JSON or NULL */
    const char *plugin_path;  /* extra directories, ':' separated, searched first; NULL none */
    const char *const *plugins; /* NULL-terminated plugin files to pin, or NULL */
    /* Whether compiled code may reach guest memory through a window (oryx_space_set_window), which needs a handler of SIGSEGV
     * and SIGBUS: "off" (and NULL), "auto" (where it is possible), "on" (an error where it is not). */
    const char *window;
} oryx_machine_config;

/* Make a machine: loads the frontend, engine and region plugins it needs. Machines share no state. Without a config.engine, where
 * the host refuses the JIT its executable memory, engine "interp" is taken, and err->text says why though all is well. [any] */
ORYX_API oryx_status oryx_machine_new(const oryx_machine_config *config, oryx_machine **out, oryx_error *err);
/* Frees vCPUs, probes, devices, regions, plugins. NULL is allowed. [stopped] */
ORYX_API void oryx_machine_destroy(oryx_machine *m);
ORYX_API const oryx_arch_ops *oryx_machine_arch(oryx_machine *m);
ORYX_API const char *oryx_machine_engine(oryx_machine *m);
ORYX_API uint64_t oryx_machine_vtime(oryx_machine *m);

typedef struct oryx_vcpu_config {
    oryx_hdr hdr;
    const char *model;        /* NULL: the first */
    const char *mode;         /* NULL: the first */
    oryx_space *space;        /* NULL: "system" */
} oryx_vcpu_config;
ORYX_API oryx_status oryx_vcpu_new(oryx_machine *m, const oryx_vcpu_config *config, oryx_vcpu **out, oryx_error *err);
ORYX_API void oryx_vcpu_destroy(oryx_vcpu *v);
/* vCPU number i in creation order, or NULL. [vcpu] */
ORYX_API oryx_vcpu *oryx_machine_vcpu(oryx_machine *m, uint32_t i);
/* For a device model that belongs to vCPU number `vcpu` (in order of making; it may be made later): the frontend learns of the
 * state they share, by an id that says what it is (ORYX_SCS_ID). The model owns it and takes it back with shared NULL before it goes.
 * ORYX_E_UNSUPPORTED: the frontend does not know the id. ORYX_E_BUSY: another model has attached this id there. [control] */
ORYX_API oryx_status oryx_machine_attach(oryx_machine *m, uint32_t vcpu, const char *id, void *shared);
/* Drive interrupt input `line` (a row of arch_ops.irqs). The guest takes it at the next block boundary at which it is not
 * masked; a vCPU that waits for an interrupt wakes up. ORYX_E_RANGE: no such line. [any] */
ORYX_API oryx_status oryx_vcpu_irq(oryx_vcpu *v, uint32_t line, uint32_t level);
/* The vCPU as a device, "cpu0" the first: its inputs are the interrupt lines, its outputs those of arch_ops.irq_outs, to be wired
 * with oryx_device_connect. Made when first asked for; it goes with the vCPU. NULL: no memory, or no lines. [any] */
ORYX_API oryx_device *oryx_vcpu_device(oryx_vcpu *v);
ORYX_API oryx_machine *oryx_vcpu_machine(oryx_vcpu *v);
ORYX_API oryx_cpu *oryx_vcpu_cpu(oryx_vcpu *v);
ORYX_API oryx_space *oryx_vcpu_space(oryx_vcpu *v); /* that its physical addresses are in */

/* Registers by handle (index into the frontend's rows) or name. size must be the register's. [stopped] or [vcpu] in a helper. */
ORYX_API int32_t oryx_reg_find(oryx_machine *m, const char *name); /* handle, or ORYX_E_NOTFOUND */
ORYX_API const oryx_reg *oryx_reg_row(oryx_machine *m, int32_t reg);
ORYX_API oryx_status oryx_reg_read(oryx_vcpu *v, int32_t reg, void *buf, uint32_t size);
ORYX_API oryx_status oryx_reg_write(oryx_vcpu *v, int32_t reg, const void *buf, uint32_t size);
ORYX_API uint64_t oryx_vcpu_pc(oryx_vcpu *v);
ORYX_API void oryx_vcpu_set_pc(oryx_vcpu *v, uint64_t pc);

/* EXIT(name, text) */
#define ORYX_EXITS(EXIT) \
    EXIT(UNTIL, "until") EXIT(COUNT, "count") EXIT(TIMEOUT, "timeout") EXIT(STOP, "stop") EXIT(HALT, "halt") \
    EXIT(SYSCALL, "syscall") EXIT(EXCEPTION, "exception") EXIT(FAULT, "fault") EXIT(DEBUG, "debug") EXIT(ERROR, "error")
enum {
#define EXIT(name, text) ORYX_EXIT_##name,
    ORYX_EXITS(EXIT)
#undef EXIT
    ORYX_EXIT_KINDS
};

/* When run returns; zero members do not limit. until: addresses at which run stops before executing (not at the first
 * instruction of the run when `skip_first`). count: exactly this many guest instructions. */
typedef struct oryx_limits_run {
    oryx_hdr hdr;
    uint64_t count;
    uint64_t timeout_us;
    const uint64_t *until;
    uint32_t n_until;
    uint32_t skip_first;
    uint32_t idle;            /* ORYX_IDLE_*: when the guest waits for an interrupt and no alarm is set */
    uint32_t reserved;
} oryx_limits_run;
enum { ORYX_IDLE_EXIT /* HALT, exc kind WAIT */, ORYX_IDLE_SLEEP /* until an interrupt, a stop or the timeout */ };

/* Why run returned. pc and all state are exact; exc is filled for SYSCALL, HALT, EXCEPTION and FAULT. ERROR: text says
 * what (an engine or frontend refused), the guest state is that of the last boundary. */
typedef struct oryx_exit {
    oryx_hdr hdr;
    uint32_t reason;          /* ORYX_EXIT_* */
    uint32_t reserved;
    uint64_t pc;
    uint64_t insns;           /* executed in this run call, exact; an instruction that faulted does not count, a SYSCALL's does */
    oryx_exc exc;
    oryx_error error;
} oryx_exit;

/* Run until something in limits (NULL: none) or an exit. ORYX_OK whenever exit is filled. [vcpu] */
ORYX_API oryx_status oryx_vcpu_run(oryx_vcpu *v, const oryx_limits_run *limits, oryx_exit *exit);
/* Make the current or next run return with STOP at the next block boundary. [any], async-signal-safe. */
ORYX_API void oryx_vcpu_stop(oryx_vcpu *v);
ORYX_API const char *oryx_exit_text(uint32_t reason);
ORYX_API const char *oryx_exc_text(uint32_t kind);
/* Instructions this vCPU has executed since it was made. [vcpu] */
ORYX_API uint64_t oryx_vcpu_insns(oryx_vcpu *v);

/* Replace the frontend's MMU by a function of the embedder's (OS personalities, virtual TLBs). fn NULL: back. The result may be
 * cached until tlb_flush. [stopped] */
typedef oryx_status (*oryx_mmu_fn)(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out);
ORYX_API void oryx_vcpu_set_mmu(oryx_vcpu *v, oryx_mmu_fn fn, void *opaque);
/* Forget cached translations of [addr, addr + size) (size 0: all), code links through them included. Another vCPU's thread
 * may call it: that vCPU flushes before its next block. [any] */
ORYX_API void oryx_vcpu_tlb_flush(oryx_vcpu *v, uint64_t addr, uint64_t size);
/* Virtual memory as this vCPU sees it now (its MMU, its space, access by ORYX_ACCESS_*). [vcpu] */
ORYX_API oryx_status oryx_vcpu_read(oryx_vcpu *v, uint64_t addr, void *buf, uint64_t size);
ORYX_API oryx_status oryx_vcpu_write(oryx_vcpu *v, uint64_t addr, const void *buf, uint64_t size);
/* As a debugger: whatever is mapped, permissions aside, without side effects on devices (ORYX_ATTR_DEBUG). [stopped] */
ORYX_API oryx_status oryx_vcpu_peek(oryx_vcpu *v, uint64_t addr, void *buf, uint64_t size);
ORYX_API oryx_status oryx_vcpu_poke(oryx_vcpu *v, uint64_t addr, const void *buf, uint64_t size);

/* A window: host memory where the byte of address a of a space, for each a in [0, size), is at host + a whenever it exists. Its
 * owner keeps the host's protections as the guest's are: no access where the guest has none, no write where the guest
 * may not write or where a write must be noticed (a page that may be executed). What reaches a page that way is neither translated
 * nor checked; what faults goes the slow way. host - ORYX_WINDOW_GUARD to host + size + ORYX_WINDOW_GUARD is the owner's. It serves
 * vCPUs whose MMU function is `mmu` with `opaque` (NULL: none of their own), which maps each address on itself. It closes while its part of
 * the view is more than one piece of bulk memory at host; for writes while logged, and from the first load-exclusive among several vCPUs on.
 * prot: ORYX_PROT_READ for loads, ORYX_PROT_WRITE too for loads and stores; 0 closes it. */
typedef struct oryx_window {
    oryx_hdr hdr;
    void *host;
    uint64_t size;
    oryx_mmu_fn mmu;
    void *opaque;
    uint32_t prot;
    uint32_t reserved;
} oryx_window;
/* Open a window on s, or open the same one for another prot. ORYX_E_UNSUPPORTED: the machine does not use one, go on without
 * (its config says "off", or "auto" and it is impossible); any other failure: "on" cannot be had, err says why. The first
 * open window of the process installs the handler of SIGSEGV and SIGBUS, which calls the one that was there for what is not
 * its own; the last one's end restores it. w NULL: close for good. [control] */
ORYX_API oryx_status oryx_space_set_window(oryx_space *s, const oryx_window *w, oryx_error *err);
/* As sigaction(2) for SIGSEGV and SIGBUS, behind the window's handler when there is one. act, old: struct sigaction or NULL. 0, or
 * a negative errno. [any] */
ORYX_API int32_t oryx_fault_action(int32_t sig, const void *act, void *old);

/* Symbols for tools and probes: name copied; the latest added wins on overlap. find: NULL when none. [control] */
ORYX_API oryx_status oryx_symbol_add(oryx_machine *m, const char *name, uint64_t addr, uint64_t size);
ORYX_API const char *oryx_symbol_find(oryx_machine *m, uint64_t addr, uint64_t *base);

/* Counters since the machine was made. */
typedef struct oryx_stats {
    oryx_hdr hdr;
    uint64_t insns, tbs, tb_insns, tb_lookups, tb_links, tb_invalidated, tb_flushes, tlb_fills, translate_ns, code_bytes;
    uint64_t window_faults; /* host faults that were accesses of guests */
    uint64_t regions;       /* of blocks, made by an engine that compiles them */
    uint64_t tb_cold;       /* blocks executed once without being compiled */
} oryx_stats;
ORYX_API void oryx_machine_stats(oryx_machine *m, oryx_stats *out);

ORYX_END
#endif
