/* Watchpoints and breakpoints: who touches given bytes, and who executes there.
 *
 * A watch is a range of bytes, of one vCPU's virtual addresses, of all vCPUs', of a space's physical ones, or of a region
 * wherever it is seen. Any number of them may overlap. A hit ends the vCPU's run (ORYX_EXIT_DEBUG) or calls a function. Only
 * accesses to pages with watched bytes are slower, and only while there is a watch. Example: tools/watch.c. */
#ifndef ORYX_WATCH_H
#define ORYX_WATCH_H

#include "oryx_machine.h"

ORYX_BEGIN

typedef struct oryx_watch oryx_watch;

/* What is watched. READ and WRITE: data accesses of vCPUs that touch a byte of the range. EXEC: instructions that begin in the
 * range, before they are executed; not of regions. */
#define ORYX_WATCH_READ 1u
#define ORYX_WATCH_WRITE 2u
#define ORYX_WATCH_EXEC 4u
/* Data accesses are told before the instruction has done anything, not when it is done. Of an instruction that makes several
 * accesses, those behind the first that hits are told when it is done. */
#define ORYX_WATCH_BEFORE 8u
/* Accesses that no vCPU makes, too: of devices (DMA) and of the API, when they are done; peeks and pokes never. A mapping for
 * DMA counts as one access when it is unmapped (written) or mapped (read). Not of virtual addresses. */
#define ORYX_WATCH_HOST 16u
/* Only those: vCPUs' accesses are not told, and cost nothing. */
#define ORYX_WATCH_HOST_ONLY 32u

#define ORYX_HIT_VALUE 1u /* value is filled in: by a read before it is done only of plain memory */
#define ORYX_HIT_OLD 2u   /* old is */

/* One access that touched watched bytes, or one instruction. */
typedef struct oryx_watch_hit {
    oryx_hdr hdr;
    oryx_watch *watch;
    oryx_vcpu *vcpu;      /* NULL: the API's or a device's */
    oryx_space *space;    /* that it went to */
    uint64_t pc;          /* of the instruction; ~0 without a vCPU */
    uint64_t addr;        /* first byte of the access: a vCPU's virtual address, else physical */
    uint64_t phys;        /* the same byte's physical address */
    uint64_t first, last; /* the touched bytes that are watched: as the watch counts, virtual, physical or offset in the region */
    uint64_t size;        /* of the whole access; EXEC: 0 */
    uint32_t access;      /* ORYX_WATCH_READ, _WRITE, both (an atomic) or _EXEC */
    uint32_t after;       /* 1: it is done, 0: nothing of the instruction is */
    uint32_t known;       /* ORYX_HIT_* */
    uint32_t attrs;       /* ORYX_ATTR_* */
    uint32_t requester;
    uint32_t reserved;
    oryx_v128 value;      /* read, or written: the number as the vCPU has it; else the first 16 bytes in memory order */
    oryx_v128 old;        /* what a write replaced in plain memory, what an atomic found */
} oryx_watch_hit;

/* Told of a hit: for a vCPU's on its thread between two instructions, where it may do what an embedder may do between two
 * runs but run; for others on the thread that made the access, when it is done. Returns 0: go on; else the run ends (for others:
 * of the machine's first vCPU). */
typedef uint32_t (*oryx_watch_fn)(void *opaque, const oryx_watch_hit *hit);

typedef struct oryx_watch_config {
    oryx_hdr hdr;
    uint64_t addr;
    uint64_t size;        /* bytes; 0: all from addr on */
    uint32_t flags;       /* ORYX_WATCH_*: at least one of READ, WRITE, EXEC */
    uint32_t attrs_mask;  /* data accesses hit only when (their attrs & attrs_mask) == attrs */
    uint32_t attrs;
    uint32_t reserved;
    oryx_vcpu *vcpu;      /* addr is this vCPU's virtual address; at most one of the three; none: any vCPU's */
    oryx_space *space;    /* physical */
    oryx_region *region;  /* offset in a region that is a leaf */
    oryx_watch_fn fn;     /* NULL: every hit ends the run */
    void *opaque;
} oryx_watch_config;

/* Watch from now on: other threads that run vCPUs have noticed when add returns, but for EXEC, which they meet at their next
 * block. From inside a callback of a region: from the next block on. [any] */
ORYX_API oryx_status oryx_watch_add(oryx_machine *m, const oryx_watch_config *config, oryx_watch **out, oryx_error *err);
/* The handle is no longer valid, the function is not called any more by this thread; what is not removed goes with the machine. A
 * vCPU or region that is destroyed leaves its watches without effect. NULL is allowed. [any] */
ORYX_API void oryx_watch_remove(oryx_watch *w);
/* The hits that the last run ended with, in the order they came: up to n copied; returns how many there are. After a run that
 * ended with something else: those of the instruction it ended at. While a function is told: those of the instruction. A run that goes on where one ended before an
 * instruction (EXEC, BEFORE) needs oryx_limits_run.skip_first. [vcpu] */
ORYX_API uint32_t oryx_vcpu_hits(oryx_vcpu *v, oryx_watch_hit *hits, uint32_t n);

ORYX_END
#endif
