/* engine-lockstep, private: two engines execute the same instructions, and everything they leave
 * behind is compared.
 *
 * One of the two runs *performs* its memory accesses through the core and writes each down
 * (memory.c); the other is then given the written answers and must ask for the same, so memory and
 * devices see every access once. A block: the reference performs. A region: the other performs, and
 * says by where it leaves how many instructions the reference then does, block by block. Code that
 * may use the machine's window reaches memory without being seen: there the reference runs first,
 * ahead of where the other may leave, memory is put back as it was, the other runs as it likes, and
 * the bytes that either wrote are compared - for guests of one thread. drive.c has these orders,
 * compare.c the comparison, report.c the narrowing down. */
#ifndef LOCKSTEP_H
#define LOCKSTEP_H

#include <stdbool.h>

#include "oryx_plugin.h"

enum { REFERENCE, OTHER, SIDES };
enum { PERFORM, ANSWER, DIRECT }; /* what becomes of an access */

/* One access, in order, as it was performed. */
typedef struct record {
    uint8_t kind;   /* which function of oryx_cpu_fns: 'l' 's' 'r' 'c' 'x' 'y' */
    bool undo;      /* memory of the window was changed: from old to now */
    uint32_t flags; /* of the block after the access: a store may have invalidated it */
    uint64_t addr, memop;
    oryx_v128 in, in2, out;
    oryx_status status;
    oryx_exc exc;
    oryx_v128 old, now;
    struct {
        uint64_t addr;
        oryx_v128 value;
        uint32_t size, active;
    } monitor;
} record;

/* Everything but memory that instructions change. */
typedef struct picture {
    uint8_t *state;
    oryx_exc exc;
    oryx_fpenv fp;
    uint64_t mode;
    uint32_t count, reason, slot; /* count: instructions executed */
} picture;

/* A block the reference executed: what a report shows. */
typedef struct path_step {
    uint64_t pc, phys, mode;
    uint32_t done, n; /* instructions before it, and in it */
} path_step;
#define PATH       4096u
#define AHEAD_MOST 4096u /* instructions of a region in one entry: the log is bounded */

typedef struct touched {
    uint64_t addr;
    uint8_t used, old, now;
} touched;

typedef struct lockstep lockstep;
typedef struct vcpu_side {
    lockstep *self;
    oryx_cpu_fns fns;         /* ours, given to both engines */
    const oryx_cpu_fns *core; /* the core's */
    void *data[SIDES];        /* engine_data of each engine */
    uint8_t *frame[SIDES];
    record *log;
    uint32_t n, cap, at;      /* at: how much of it was answered */
    int side, role, writer;   /* who runs, how; whose accesses the log has */
    oryx_tb *outer, *running; /* the core's block, and the engine's copy of it */
    bool inside;    /* an engine runs; otherwise a frontend that delivers an exception may access memory, which is nobody's to compare */
    bool differs;
    bool window;                    /* old and new values of memory are noted */
    bool ahead, stopped;            /* no access but to the window's memory; one was refused */
    uint64_t rd, wr;                /* the window's limits; who performs sees none */
    char text[256];                 /* the first difference among accesses */
    oryx_tlb_entry none[1];         /* an empty translation cache: no access is inline */
    oryx_tlb tlb[ORYX_MMU_INDEXES]; /* the real ones */
    uint64_t *scratch_slots;        /* probe slots of runs that do not count */
    touched *bytes;                 /* what the window's log touched, by hash of the address */
    uint32_t n_bytes;
    path_step *path;
    uint32_t n_path;
    oryx_tb *jump[1u << ORYX_JUMP_CACHE_BITS]; /* an empty jump cache: one block an entry */
    picture before, after[SIDES];
} vcpu_side;

enum { EVERY_REGION, EVERY_BLOCK, EVERY_INSN };

struct lockstep {
    const oryx_host *host;
    oryx_machine *machine;
    const oryx_engine_ops *ops[SIDES];
    void *engine[SIDES];
    char name[SIDES][32];
    int every;
    uint32_t state_size;
    uint64_t blocks, regions;
    vcpu_side *vcpus;
};

#define SCRATCH_SLOTS 65536u

/* What tb->code is: a block's two compilations; a region's one, and its blocks. */
typedef struct pair {
    oryx_tb tb[SIDES];
    uint32_t entries;  /* ORYX_TB_COUNT: both engines must count alike */
    uint32_t n_blocks; /* 0: not a region */
    struct {
        uint64_t pc;
        uint32_t n;
        oryx_tb *tb; /* the core's single block, while entered */
    } block[];
} pair;

/* One entry: what drive.c keeps while it lets the engines run. */
typedef struct entry {
    lockstep *l;
    vcpu_side *s;
    oryx_cpu *cpu;
    oryx_tb *tb;
    pair *p;
    uint32_t all; /* the core's budget */
    bool kicked;
    bool cut;                 /* the reference's last block is cut to the count */
    uint64_t *slots; /* the real ones */
    __typeof__(((oryx_cpu *)0)->monitor) monitor;
} entry;

/* drive.c */
uint32_t drive(lockstep *l, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave);
void restart(entry *e, int side, int role); /* everything but memory as before the entry */
void run_other(entry *e, oryx_tb *copy, uint32_t slice, oryx_leave *why);
void run_reference(entry *e, uint32_t target, uint32_t reason);
/* memory.c */
void memory_init(vcpu_side *s, const oryx_cpu *cpu);
void memory_hide(vcpu_side *s, oryx_cpu *cpu); /* translation caches become empty */
void memory_show(vcpu_side *s, oryx_cpu *cpu);
void memory_undo(vcpu_side *s, oryx_cpu *cpu);    /* as it was before the log */
void memory_restore(vcpu_side *s, oryx_cpu *cpu); /* the same after the other engine changed it */
void memory_compare(vcpu_side *s, oryx_cpu *cpu,
                    uint32_t upto); /* with what the first `upto` accesses of the log make of it */
/* compare.c */
typedef struct story {
    char *s;
    size_t n, cap;
} story;
void add(story *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool equal(const entry *e);              /* the two pictures, and the accesses */
void describe(const entry *e, story *t); /* how they differ */
void insn_text(const lockstep *l, uint64_t pc, uint64_t phys, uint64_t mode, uint32_t skip,
               uint32_t n, story *t);
/* report.c: what is known to differ, narrowed down. malloc. */
char *report(entry *e);

#endif
