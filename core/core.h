/* Core-private: the machine and vCPU structs and what the core's files offer each other (oryx__ names). One section a
 * file; every subsystem hangs off the machine by one opaque pointer and is created and freed by its own two functions. */
#ifndef ORYX_CORE_H
#define ORYX_CORE_H

#include <glib.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "containers.h"
#include "oryx.h"

struct oryx_machine {
    pthread_mutex_t lock; /* recursive; guards control functions and translation */
    const oryx_arch_ops *arch;
    const oryx_engine_ops *engine;
    void *engine_self;
    uint32_t engine_made;         /* engine->create succeeded */
    uint32_t helper_base;         /* id of arch->helpers[0] */
    int32_t pc_reg;               /* handle of the pc when setting it is the frontend's business (COMPUTED), else -1 */
    GPtrArray *vcpus;             /* of oryx_vcpu, in creation order */
    _Atomic uint32_t several;     /* it has more than one vCPU */
    struct oryx__plugins *plugins; /* plugin_host.c */
    struct oryx__mem *mem;        /* address_space.c */
    struct oryx__tbs *tbs;        /* tb_cache.c */
    struct oryx__helpers *helpers; /* helper.c */
    struct oryx__symbols *symbols; /* symbols.c */
    struct oryx__probes *probes;  /* probe.c */
    struct oryx__devices *devices; /* device.c */
    _Atomic uint64_t next_alarm;  /* device.c: virtual time of the earliest device alarm; ~0 none */
    _Atomic uint64_t skipped;     /* virtual time that passed without instructions */
    struct oryx__os *os;          /* os.c */
    struct oryx__timer *timer;    /* timer.c: made by the first run with a timeout */
    uint64_t serials;             /* numbers given to vCPUs, regions, devices */
    struct oryx__snapshots *snapshots; /* snapshot.c; NULL: there is none */
    GHashTable *reg_names;        /* name -> handle + 1; the frontend's, shared (machine.c) */
    oryx_stats stats;             /* insns: of destroyed vCPUs */
    _Atomic uint32_t n_waiting;   /* vCPUs that wait for an interrupt inside run */
    uint32_t window_mode;         /* ORYX__WINDOW_* */
    uint32_t exclusives;          /* monitor.c: a vCPU watched memory while there were others; stays */
    struct oryx__attached *attached; /* vcpu.c: what device models share with vCPUs */
};
enum { ORYX__WINDOW_OFF, ORYX__WINDOW_AUTO, ORYX__WINDOW_ON };

typedef struct oryx__owner oryx__owner; /* owner.c */
struct oryx_vcpu {
    oryx_machine *machine;
    uint64_t serial;            /* no other vCPU of the machine ever had it */
    oryx_cpu *cpu;
    oryx_space *space;
    const oryx_cpu_model *model;
    oryx_mmu_fn mmu; /* NULL: arch->mmu, which may be NULL too: flat */
    void *mmu_opaque;
    uint32_t default_mode; /* made in the first of arch->modes: at user level, where a class has levels */
    struct oryx__tlb_set *tlbs; /* tlb.c: storage behind cpu->tlb, victim entries, fetch entry */
    struct oryx__io_table *io;  /* io_cache.c; never NULL while tlbs is not */
    void *io_block;             /* the allocation behind it */
    uint32_t io_used;           /* it holds records */
    _Atomic uint32_t requests;  /* ORYX__REQ_*: served at the next block boundary; set then kick */
    uint64_t insns;             /* executed before the current slice */
    _Atomic uint32_t running;   /* owner.c; from other threads by oryx__vcpu_running only */
    _Atomic(oryx__owner *) owner, owners; /* owner.c: who may run it without a locked operation; all that ever might */
    pthread_t last;             /* who claimed it last, and how often in a row */
    uint32_t in_a_row;
    _Atomic pthread_t thread;   /* that runs it; 0 before and after, so a new runner is never taken for the last one */
    /* Execution (vcpu.c, run.c, tb_cache.c). */
    void *block;                /* the allocation behind cpu and its state */
    oryx_cpu_fns fns;           /* cpu->fn */
    uint64_t granted;           /* slice.left when the current slice began */
    _Atomic uint64_t seen;      /* newest epoch this vCPU holds no older block of; ~0 while it does not run */
    oryx_tb **jump_cache;       /* cpu->jump_cache, but for an engine around engines, which shows those an empty one */
    oryx_tb **step_cache;       /* like cpu->jump_cache, for blocks cut to an instruction count */
    struct oryx__cold *cold;    /* cold.c; NULL: not asked for yet */
    uint64_t *until;            /* stop addresses this vCPU keeps registered, and how many */
    uint32_t n_until, until_cap;
    uint32_t stop_misses;       /* registered stops passed since they were last asked for */
    uint64_t deadline_ns;       /* timer.c; 0 not armed */
    oryx_vcpu *timer_next;
    /* Interrupts (irq.c). */
    oryx_device *device;        /* the vCPU's lines as a device; NULL: not asked for yet */
    sem_t wake;                 /* posted for a vCPU that is asleep */
    _Atomic uint32_t asleep;
    uint32_t split, in_monitor; /* access.c: it holds the lock of split atomics (how often), of its monitor */
    uint32_t window;            /* window.c: state of the space's window that cpu->window shows */
    _Atomic uint64_t faulting;  /* guest instruction that shall do without it, for ORYX__REQ_RETRANSLATE */
};
#define ORYX__STEP_CACHE 1024u
#define ORYX__REQ_STOP 1u
#define ORYX__REQ_TLB_FLUSH 2u
#define ORYX__REQ_TIMEOUT 4u
#define ORYX__REQ_ALARM 16u /* arch->alarm is due */
#define ORYX__REQ_RETRANSLATE 32u /* window.c: a site faults too often */
#define ORYX__REQ_WATCH 64u /* hits of others shall end the run */
#define ORYX__REQ_UNMAP 8u /* with TLB_FLUSH: code reached by virtual address, too */

/* One allocation seam, so a test can make allocation n fail: alloc.c. Zeroed memory; NULL when refused. */
void *oryx__alloc(size_t size);
void *oryx__realloc(void *p, size_t size);
void oryx__free(void *p);

/* error.c: printf-formatted; returns code. */
oryx_status oryx__error(oryx_error *err, oryx_status code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- memory (address_space.c, region.c, flat_view.c, access.c, tlb.c) ------------------------------------------------ */
oryx_status oryx__mem_create(oryx_machine *m, oryx_error *err); /* also makes the space "system" */
void oryx__mem_destroy(oryx_machine *m);
oryx_status oryx__tlb_create(oryx_vcpu *v, oryx_error *err);
void oryx__tlb_destroy(oryx_vcpu *v);
/* A vCPU more, under machine->lock: exclusive monitors that are armed know nothing of its fast stores (monitor.c). */
void oryx__monitor_vcpu_added(oryx_machine *m);
uint64_t oryx__tlb_span(const oryx_vcpu *v); /* largest mapping translated so far, in bytes */
void oryx__tlb_flush(oryx_vcpu *v);                                     /* all; on v's thread or while it is stopped */
void oryx__tlb_request(oryx_vcpu *v); /* flush now when this is v's thread, else before v's next access */
void oryx__tlb_flush_range(oryx_vcpu *v, uint64_t addr, uint64_t size);
extern const oryx_cpu_fns oryx__cpu_mem_fns;                            /* access.c's slow paths; run.c adds tb_find */
/* Virtual to physical through the vCPU's MMU hook, the frontend's MMU, or flat. access: ORYX_ACCESS_*. */
oryx_status oryx__translate(oryx_vcpu *v, uint64_t addr, uint32_t access, uint32_t mmu_index, oryx_mmu_result *out);
/* Instruction bytes at addr: up to n into buf, stopping at the end of the page; *got >= 1 on ORYX_OK, *phys the first byte's, *space what
 * they came from.
 * On failure cpu->exc describes a FETCH fault (all but pc). Executability is checked. */
oryx_status oryx__fetch(oryx_vcpu *v, uint64_t addr, uint8_t *buf, uint32_t n, uint32_t *got, uint64_t *phys,
                        oryx_space **space);
/* Physical page (phys >> 12) of a space starts or stops to hold translated code. Write-cached entries to it go slow. */
void oryx__code_page_set(oryx_space *s, uint64_t page, int has_code);

/* --- translation and execution (translate.c, tb_cache.c, run.c, ir_check.c, ir_opt.c, ir_print.c) --------------------- */
oryx_status oryx__tbs_create(oryx_machine *m, oryx_error *err);
void oryx__tbs_destroy(oryx_machine *m);
/* Called by memory before a write to [phys, phys + size) of s becomes visible, when its page has code: drops overlapping TBs,
 * on any thread. cpu: the writer when it is a vCPU inside a block (then the rest of its block must not run stale code: the
 * implementation arranges that it leaves after the current instruction), else NULL. */
void oryx__code_written(oryx_space *s, uint64_t phys, uint64_t size, oryx_cpu *cpu);
/* Mappings changed: drop every TB of the machine (or only unlink, the implementation chooses). */
void oryx__tbs_flush(oryx_machine *m);
/* The physical mapping of executable pages may have changed for [addr, addr + size) (size 0: all): cached lookups and links
 * through it are re-derived. */
void oryx__tbs_unmap(oryx_vcpu *v, uint64_t addr, uint64_t size);

oryx_status oryx__ir_init(oryx_ir *ir); /* ir.c: growing arena; free with oryx__ir_fini */
void oryx__ir_reset(oryx_ir *ir, uint64_t pc, uint64_t mode);
void oryx__ir_fini(oryx_ir *ir);
extern const oryx_ir_info oryx__ir_info[ORYX_OP_COUNT];
unsigned oryx__ir_type(const oryx_ir *ir, oryx_val v);                   /* ORYX_T_* of a value */
oryx_status oryx__ir_check(const oryx_ir *ir, const oryx_arch_ops *arch, oryx_error *err);
void oryx__ir_opt(oryx_ir *ir, oryx_machine *m); /* m: whose helpers CALL names; NULL: assume the worst of them */
char *oryx__ir_print(const oryx_ir *ir);                                 /* text, g_free */

/* --- helpers, symbols, probes, devices, os: create / destroy ------------------------------------------------------------ */
oryx_status oryx__helpers_create(oryx_machine *m, oryx_error *err);
void oryx__helpers_destroy(oryx_machine *m);
void oryx__symbols_destroy(oryx_machine *m);
oryx_status oryx__probes_create(oryx_machine *m, oryx_error *err);
void oryx__probes_destroy(oryx_machine *m);
oryx_status oryx__probes_vcpu_init(oryx_vcpu *v, oryx_error *err);       /* cpu->slots */
void oryx__probes_vcpu_fini(oryx_vcpu *v);
/* Translation-time hooks; cheap when no probe is attached. */
void oryx__probes_block(oryx_machine *m, oryx_ir *ir, const oryx_probe_insn *first);
void oryx__probes_insn(oryx_machine *m, oryx_ir *ir, const oryx_probe_insn *insn); /* also installs ir->mem_hook */
void oryx__probes_exception(oryx_machine *m, oryx_cpu *cpu, const oryx_exc *exc);
void oryx__devices_destroy(oryx_machine *m);
/* A device of the core's own: in no plugin. */
oryx_status oryx__device_builtin(oryx_machine *m, const char *name, const oryx_device_ops *ops, void *self, oryx_device **out);
/* Call the alarms that are due at virtual time now. On a vCPU's thread between blocks, or while none runs. */
void oryx__devices_alarm(oryx_machine *m, uint64_t now);
void oryx__os_destroy(oryx_machine *m);
void oryx__snapshots_destroy(oryx_machine *m);

/* --- window.c --------------------------------------------------------------------------------------------------------- */
oryx_status oryx__window_config(oryx_machine *m, const char *mode, oryx_error *err);
void oryx__window_close(oryx_space *s);                                  /* the space goes away */
/* The view or what is logged changed: open or close. Under machine->lock. */
void oryx__window_update(oryx_machine *m);
/* From now on stores of one vCPU must be seen by another's monitor. */
void oryx__window_exclusives(oryx_machine *m);
/* Around a run: which vCPU this thread's faults belong to. Returns the outer one. */
oryx_vcpu *oryx__window_enter(oryx_vcpu *v);
void oryx__window_leave(oryx_vcpu *outer);
/* cpu->window as the space's window is now; before compiled code is entered. */
void oryx__window_load(oryx_vcpu *v);
uint32_t oryx__window_flags(const oryx_vcpu *v);                         /* of a block to be compiled: ORYX_TB_WINDOW_* */
void oryx__window_retranslate(oryx_vcpu *v);                             /* serve ORYX__REQ_RETRANSLATE */

/* --- owner.c ---------------------------------------------------------------------------------------------------------- */
/* Whether it runs. A run that begins later sees what the caller stored before. */
int oryx__vcpu_running(oryx_vcpu *v);
/* This thread runs it: v->thread is 0 while nobody does. */
static inline int oryx__vcpu_inside(oryx_vcpu *v)
{
    return pthread_equal(atomic_load_explicit(&v->thread, memory_order_relaxed), pthread_self());
}

/* --- plugin host (plugin_host.c, plugin_elf.c, plugin_search.c, manifest.c) ------------------------------------------------ */
extern const oryx_host oryx__host;                                       /* host.c */
oryx_status oryx__plugins_create(oryx_machine *m, const oryx_machine_config *config, oryx_error *err);
void oryx__plugins_destroy(oryx_machine *m);                             /* last of all: code of every backend goes away */

/* error.c: a stress switch from the environment: a number in [low, high], else the fallback. */
uint64_t oryx__env_number(const char *name, uint64_t fallback, uint64_t low, uint64_t high);

#endif
