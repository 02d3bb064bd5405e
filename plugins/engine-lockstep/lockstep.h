/* engine-lockstep, private. In a block that may use the machine's window (ORYX_TB_WINDOW_*) the other engine does its accesses
 * itself, in memory as it was before the block, and memory is compared afterwards: only for guests of one thread. Otherwise: the reference engine executes a block with every memory access going through memory.c, which
 * performs it and writes it down; the state is put back; the other engine executes the same block and is given the written
 * answers; compare.c looks at both results. */
#ifndef LOCKSTEP_H
#define LOCKSTEP_H

#include <stdbool.h>

#include "oryx_plugin.h"

enum { REFERENCE, OTHER, SIDES };

/* One access of the reference engine, in order. */
typedef struct record {
    uint8_t kind; /* which function of oryx_cpu_fns: 'l' 's' 'r' 'c' 'x' 'y' */
    uint64_t addr, memop;
    oryx_v128 in, in2, out;
    oryx_status status;
    oryx_exc exc;
    uint32_t flags; /* of the block after the access: a store may have invalidated it */
    bool undo;      /* memory of the window was changed: from old to now */
    oryx_v128 old, now;
    struct {
        uint64_t addr;
        oryx_v128 value;
        uint32_t size, active;
    } monitor;
} record;

/* Everything a block can change besides memory. */
typedef struct picture {
    uint8_t *state;
    oryx_exc exc;
    oryx_fpenv fp;
    uint64_t mode;
    uint32_t left, reason, slot;
} picture;

typedef struct lockstep lockstep;
typedef struct vcpu_side {
    lockstep *self;
    oryx_cpu_fns fns;         /* ours, given to both engines */
    const oryx_cpu_fns *core; /* the core's */
    void *data[SIDES];        /* engine_data of each engine */
    uint8_t *frame[SIDES];
    record *log;
    uint32_t n, cap, at;
    int side;                 /* whose access it is */
    oryx_tb *outer, *running; /* the core's block, and the engine's copy of it */
    bool differs;
    bool direct;              /* the other engine's accesses are done, not answered */
    uint64_t rd, wr;          /* the window's limits; the reference sees none */
    char text[256];           /* the first difference among accesses */
    oryx_tlb_entry none[1];   /* an empty translation cache: no access is inline */
    oryx_tlb tlb[ORYX_MMU_INDEXES]; /* the real ones */
    uint64_t *scratch_slots;  /* probe slots of the other engine: events count once */
    oryx_tb *jump[1u << ORYX_JUMP_CACHE_BITS]; /* an empty jump cache: one block an entry */
    picture before, after[SIDES];
} vcpu_side;

struct lockstep {
    const oryx_host *host;
    oryx_machine *machine;
    const oryx_engine_ops *ops[SIDES];
    void *engine[SIDES];
    char name[SIDES][32];
    uint32_t state_size;
    uint64_t blocks;
    vcpu_side *vcpus;
};

#define SCRATCH_SLOTS 65536u

/* A block's two compilations behind tb->code. */
typedef struct pair {
    oryx_tb tb[SIDES];
} pair;

/* memory.c */
void memory_init(vcpu_side *s, const oryx_cpu *cpu);
void memory_hide(vcpu_side *s, oryx_cpu *cpu); /* translation caches become empty */
void memory_show(vcpu_side *s, oryx_cpu *cpu);
void memory_undo(vcpu_side *s, oryx_cpu *cpu);    /* as it was before the reference ran */
void memory_compare(vcpu_side *s, oryx_cpu *cpu); /* with what the reference left */
/* compare.c: NULL when both agree, else a text (malloc) that shows the first difference. */
char *compare_pictures(const lockstep *l, const vcpu_side *s, const oryx_tb *tb);

#endif
