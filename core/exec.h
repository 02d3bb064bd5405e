/* Translation and execution, shared by run.c, translate.c, tb_cache.c and timer.c: the core's view of a translation block
 * and the machine's TB cache. */
#ifndef ORYX_EXEC_H
#define ORYX_EXEC_H

#include <stdbool.h>

#include "core.h"

typedef struct oryx__tb oryx__tb;

/* A place in an intrusive list of blocks; pprev is NULL while it is in none. */
typedef struct oryx__node {
    oryx__tb *tb;
    struct oryx__node *next, **pprev;
} oryx__node;

/* A physical page that holds translated code. */
typedef struct oryx__page {
    oryx_space *space;
    uint64_t number;   /* phys >> 12 */
    oryx__node *tbs;
    uint64_t granules; /* bit i: some block may have bytes in [i * 64, i * 64 + 64) */
    uint32_t version;  /* counts writes to the page: a translation that saw another version is stale */
    uint32_t holds;    /* translations under way */
    struct oryx__page *next; /* in a list of the moment */
    /* cold.c: code that was executed without being compiled, while the page is held: its bit in `seen`, 0 none, and bytes. */
    struct {
        uint32_t seen;
        uint16_t first, last;
    } cold[4];
    uint32_t n_cold;
} oryx__page;

/* The guest bytes of a block of a region; page: index in oryx__tb.page. */
typedef struct oryx__extent {
    uint64_t pc;
    uint32_t len, page;
} oryx__extent;

#define ORYX__REGION_PAGES 4u

struct oryx__tb {
    oryx_tb pub; /* first: engines' oryx_tb pointers are ours */
    uint64_t hash;
    oryx_space *space;
    const oryx_cpu_model *model;
    uint32_t limit;    /* made for runs that have only this many instructions left; 0: any */
    uint32_t bytes;    /* what it counts against the bound */
    uint32_t heat;     /* how often the engine found it hot */
    uint64_t phys2;    /* of the page after pc's, when the last instruction crosses into it; else ~0 */
    uint32_t n_out;    /* exit slots the core may link */
    uint32_t n_pages;  /* nodes in on_page; regions: pages of code */
    uint32_t n_extents; /* regions: blocks; else 0 */
    oryx__extent *extent;
    uint64_t *vpage_of, *ppage_of; /* regions: virtual and physical address of each page */
    _Atomic bool at_stop; /* pc is a registered stop address: only the run loop may enter */
    uint64_t retired;  /* epoch after which no vCPU can find it */
    oryx__tb *hash_next, *retired_next;
    oryx__node *vpage;    /* in tbs->vpages[hash of pc's page]; regions: one a page */
    oryx__node *on_page;  /* in the physical pages' lists */
    oryx__page **page;
    oryx__node *in;       /* out nodes of blocks linked to this one */
    oryx__node *out;      /* in the linked block's `in` */
    struct {              /* what the pointers above show, but in regions, where it lies behind the struct */
        oryx__node vpage[1], on_page[2], out[2];
        oryx__page *page[2];
    } own;
};

#define ORYX__VPAGES 4096u

struct oryx__tbs {
    pthread_mutex_t lock; /* guards everything below; taken after machine->lock, before any lock of memory's */
    oryx__tb **buckets;
    uint32_t n_buckets, n;
    GHashTable *pages;    /* of oryx__page, by (space, number) */
    oryx__node *vpages[ORYX__VPAGES];
    GHashTable *stops;    /* pc -> how many vCPUs keep it registered */
    bool stops_changed;   /* since the translation under way began */
    const struct oryx__watch_set *breaks; /* whose instructions stop, too; NULL: none */
    _Atomic uint64_t epoch;
    oryx__tb *retired;
    uint32_t n_retired, reclaim_at; /* look for free ones when that many wait */
    uint64_t bytes, max_bytes, retired_bytes;
    uint32_t max_insns;
    uint32_t hot;         /* entries after which an engine says that a block is hot; 0: never */
    uint32_t heat;        /* how often it must say so before the block grows into a region */
    unsigned dump;        /* ORYX__DUMP_*: what to print */
    bool no_links;        /* every block is entered by the run loop or looked up: a stress mode */
    bool region_all;      /* regions take blocks that never ran, too: a stress mode */
    uint32_t *seen;       /* cold.c: what was met before; NULL: everything is compiled at once */
    uint32_t n_seen;
    bool cold_always;     /* what can be executed from IR always is: a stress mode */
    /* translate.c's, under machine->lock */
    oryx_ir ir, ir2;
    uint32_t check_tick;
    bool check_all;
};

/* --- tb_cache.c ------------------------------------------------------------------------------------------------------- */
/* The valid block for (pc, the vCPU's mode, limit), or NULL: none yet (ORYX_OK), or the fetch faults (status; cpu->exc). */
oryx_status oryx__tb_find(oryx_vcpu *v, uint64_t pc, uint32_t limit, oryx__tb **out);
/* Register a compiled block (its pages held). False: code on its pages changed meanwhile; the caller discards it. */
bool oryx__tb_insert(oryx_vcpu *v, oryx__tb *tb, oryx__page *const *held, const uint32_t *version);
/* A block that is not a region, or a region of n blocks on n_pages pages; zeroed, links and lists empty. */
oryx__tb *oryx__tb_new(uint32_t n, uint32_t n_pages);
/* cold.c: which bit of `seen` code has, and that it changed: it may run once again. create: NULL: out of memory. */
uint32_t *oryx__cold_create(void);
uint32_t oryx__cold_bit(uint64_t pc, uint64_t mode);
void oryx__cold_forget(struct oryx__tbs *tbs, uint32_t bit);
/* Some block of limit 0 starts here, that the guest ran before and was found hot so often. */
bool oryx__tb_known(oryx_vcpu *v, oryx_space *space, uint64_t pc, uint64_t phys, uint32_t heat);
/* Hold a physical page as a code page while bytes are read from it. NULL: out of memory. fresh: it was none before. */
oryx__page *oryx__page_hold(struct oryx__tbs *tbs, oryx_space *space, uint64_t phys, uint32_t *version, bool *fresh);
void oryx__page_release(struct oryx__tbs *tbs, oryx__page *p);
/* Link exit slot of `from` to `to` where that is safe. */
void oryx__tb_link(oryx_machine *m, oryx__tb *from, uint32_t slot, oryx__tb *to);
/* Make `until` this vCPU's registered stop addresses. */
oryx_status oryx__stops_set(oryx_vcpu *v, const uint64_t *until, uint32_t n);
/* With tbs->lock: is that a stop address, or a watched instruction? */
bool oryx__stop_at(struct oryx__tbs *tbs, const oryx_space *space, uint64_t phys, uint64_t pc);
/* A vCPU comes or goes: the purge of caches must not meet a half-made list. */
int oryx__tbs_vcpu_add(oryx_vcpu *v); /* 0: out of memory */
void oryx__tbs_vcpu_remove(oryx_vcpu *v);

static inline uint32_t oryx__step_hash(uint64_t pc)
{
    return (uint32_t)(pc >> 2) & (ORYX__STEP_CACHE - 1);
}

/* --- dump.c ----------------------------------------------------------------------------------------------------------- */
enum { ORYX__DUMP_IR = 1, ORYX__DUMP_OPT = 2, ORYX__DUMP_HOST = 4 };
unsigned oryx__dump_wanted(void);
void oryx__dump_ir(const struct oryx__tbs *tbs, unsigned stage, const oryx_ir *ir);
void oryx__dump_host(const struct oryx__tbs *tbs, const oryx_tb *tb);

/* --- translate.c ------------------------------------------------------------------------------------------------------ */
/* Translate at pc for the vCPU's mode. limit: 0 or the most instructions. cold: it may be left to v->cold when it was never met
 * (ORYX_OK with *out NULL). On a status of ORYX_FAULT_* cpu->exc is complete
 * and belongs to the guest; on any other failure *err says what was refused. */
oryx_status oryx__tb_make(oryx_vcpu *v, uint64_t pc, uint32_t limit, bool cold, oryx__tb **out, oryx_error *err);
/* The block at pc was entered often: put in its place a region, or the same block without a counter. Nothing is lost when
 * that fails. */
void oryx__tb_hot(oryx_vcpu *v, uint64_t pc);

/* --- owner.c ------------------------------------------------------------------------------------------------------------ */
bool oryx__vcpu_claim(oryx_vcpu *v); /* false: it runs already */
void oryx__vcpu_owners_free(oryx_vcpu *v);

/* A thread that owns, or owned, a vCPU. */
struct oryx__owner {
    pthread_t thread;
    _Atomic uint32_t mark; /* it runs it */
    oryx__owner *next;
};

/* The mark of this thread, set; NULL: oryx__vcpu_claim decides. */
static inline oryx__owner *oryx__vcpu_mark(oryx_vcpu *v, pthread_t self)
{
    oryx__owner *o = atomic_load_explicit(&v->owner, memory_order_acquire);
    if (!o || !pthread_equal(o->thread, self) || atomic_load_explicit(&o->mark, memory_order_relaxed) ||
        atomic_load_explicit(&v->running, memory_order_acquire))
        return NULL;
    atomic_store_explicit(&o->mark, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst); /* the other side makes the barrier */
    if (atomic_load_explicit(&v->owner, memory_order_relaxed) == o)
        return o;
    atomic_store_explicit(&o->mark, 0, memory_order_release);
    return NULL;
}

/* --- vcpu.c ------------------------------------------------------------------------------------------------------------- */
/* Make the vCPU look at its requests at the next block start. Async-signal-safe. */
void oryx__vcpu_request(oryx_vcpu *v, uint32_t request);

static inline uint64_t *oryx__pc_slot(oryx_vcpu *v)
{
    return (uint64_t *)(void *)(v->cpu->state + v->machine->arch->pc_offset);
}

/* --- irq.c -------------------------------------------------------------------------------------------------------------- */
/* The vCPU sleeps perhaps, and has a reason not to. Async-signal-safe. */
void oryx__vcpu_wake(oryx_vcpu *v);
/* Give the alarm that was asked for to the frontend. [vcpu] */
void oryx__vcpu_alarm(oryx_vcpu *v);
/* The guest waits for an interrupt. True: something is to be done; false: nothing will ever come. sleep: the embedder may
 * still send something. [vcpu] */
bool oryx__vcpu_wait(oryx_vcpu *v, uint64_t left, bool sleep);
/* It does not run any more: those that wait may now be the only ones. */
void oryx__vcpu_left(oryx_machine *m, const oryx_vcpu *v);

/* --- run.c -------------------------------------------------------------------------------------------------------------- */
oryx_tb *oryx__run_tb_find(oryx_cpu *cpu, uint64_t pc); /* cpu->fn->tb_find */

/* --- timer.c ---------------------------------------------------------------------------------------------------------- */
/* Ask for ORYX__REQ_TIMEOUT in `us` microseconds. */
oryx_status oryx__timer_arm(oryx_vcpu *v, uint64_t us);
void oryx__timer_disarm(oryx_vcpu *v);
void oryx__timer_destroy(oryx_machine *m);
void oryx__attached_destroy(oryx_machine *m); /* vcpu.c */

/* --- helper.c, probe.c ------------------------------------------------------------------------------------------------ */
/* A new machine's first helpers, numbered from 0: its frontend's rows, which outlive the process's machines. */
oryx_status oryx__helpers_base(oryx_machine *m, const oryx_helper *rows, uint32_t n, uint32_t stride, oryx_error *err);
/* Ids given out so far; the names of [first, end) become free again (the entries stay). */
uint32_t oryx__helpers_count(oryx_machine *m);
void oryx__helpers_forget(oryx_machine *m, uint32_t first, uint32_t end);
static inline bool oryx__probes_any(const oryx_machine *m)
{
    return m->probes && *(const uint32_t *)(const void *)m->probes != 0; /* struct oryx__probes starts with its count */
}

#endif
