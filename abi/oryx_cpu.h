/* The execution context of a vCPU: what engines touch inline and frontends' helpers receive.
 *
 * The core allocates it; the frontend's state block follows in the same allocation at the constant distance
 * state - (uint8_t *)cpu, so one host register addresses both. Owned by the core, valid while the vCPU lives;
 * used by the vCPU's thread only, but for `slice.kick`. */
#ifndef ORYX_CPU_H
#define ORYX_CPU_H

#include "oryx_mem.h"

ORYX_BEGIN

enum {
#define EXC(name, text) ORYX_EXC_##name,
#include "oryx_exc.def"
#undef EXC
    ORYX_EXC_COUNT
};

enum { ORYX_ACCESS_READ, ORYX_ACCESS_WRITE, ORYX_ACCESS_FETCH };

/* Details of an exception. pc: the instruction (SYSCALL: the next one, as the architecture's return address).
 * status: for MEMORY and FETCH one of ORYX_FAULT_*. */
typedef struct oryx_exc {
    oryx_hdr hdr;
    uint32_t kind;     /* ORYX_EXC_* */
    uint32_t access;   /* ORYX_ACCESS_*, memory kinds only */
    uint64_t pc;
    uint64_t syndrome; /* frontend's (Arm: the immediate of SVC/BRK/HVC, the word of an undefined instruction) */
    uint64_t addr;     /* first faulting virtual address */
    uint64_t phys;     /* its physical address when known, else ~0 */
    uint32_t size;     /* of the whole access in bytes */
    oryx_status status;
} oryx_exc;

/* The FP environment that IR ops of effect E obey; frontends fill it (vcpu reset, register writes) and end the block
 * with RESYNC. Everything but flags is constant inside a block and part of the mode key. */
enum { ORYX_NAN_ARM, ORYX_NAN_X86, ORYX_NAN_MIPS /* quiet bit 0 is quiet */, ORYX_NAN_MIPS_2008 };
typedef struct oryx_fpenv {
    uint8_t rounding;      /* ORYX_RM_NEAREST..ZERO */
    uint8_t flush_out;     /* denormal results become zero (underflow signalled) */
    uint8_t flush_in;      /* denormal inputs become zero (ORYX_FPF_DENORMAL signalled) */
    uint8_t default_nan;   /* every NaN result is the default NaN */
    uint8_t nan_rule;      /* ORYX_NAN_*: which operand's NaN propagates, sign of the default NaN */
    uint8_t tiny_before;   /* tininess is detected before rounding */
    uint8_t alt_half;      /* Arm alternative half-precision format */
    uint8_t reserved;
    uint32_t flags;        /* sticky ORYX_FPF_*; exact whenever the engine is not inside a block */
    uint32_t reserved2;
} oryx_fpenv;

/* One entry of a translation cache: hit when (addr & ~0xfff) == tag; host byte = addr + addend. Tags of pages that must
 * take the slow path have low bits set and never hit. */
typedef struct oryx_tlb_entry {
    uint64_t tag;
    uint64_t addend;
} oryx_tlb_entry;

/* Index: (addr >> 12) & mask. rd, wr: mask + 1 entries each. Check the last byte's page against the first byte's
 * entry, so an access that crosses a page misses. */
typedef struct oryx_tlb {
    oryx_tlb_entry *rd, *wr;
    uint64_t mask;
} oryx_tlb;

#define ORYX_PAGE_BITS 12
#define ORYX_PAGE_SIZE 4096u
#define ORYX_MMU_INDEXES 4
#define ORYX_MMU_CURRENT 15u

/* A device access that was done once and can be done again as it was: a callback and its argument. The core makes these for
 * the vCPU's thread. fn->load and fn->store use them; an engine may, when fn->io_done is there, for an access with this addr
 * and memop; a write only while *busy is 0. It copies a and e into an oryx_io_call; a.vtime becomes cpu->io.base -
 * slice.left + *cpu->io.skipped, a write's a.value its value & mask. Around access(opaque, &call.a) it sets cpu->io.depth to
 * 1 and then to 0. A read gives call.a.value, of which the bits of mask count. When the callback did not return ORYX_OK, or
 * *e->logged is not 0 after a write, fn->io_done says how the access ends. busy and logged are atomic. */
typedef struct oryx_io_ready {
    uint64_t addr;            /* virtual */
    uint32_t memop;           /* ORYX_IO_NONE: nothing is ready here (any more) */
    uint32_t kind;            /* what memop was; with the rest it stays while io.depth is set */
    oryx_status (*access)(void *opaque, oryx_access *a);
    void *opaque;
    uint64_t mask;
    const uint32_t *busy;     /* writes */
    oryx_access a;
    uint64_t phys;            /* of the page */
    const uint32_t *logged;   /* writes */
} oryx_io_ready;

typedef struct oryx_io_call {
    oryx_access a;
    const oryx_io_ready *e;
} oryx_io_call;

#define ORYX_IO_NONE ~0u
#define ORYX_IO_READY_BITS 6  /* entries for reads, and for writes; direct-mapped; index: oryx_io_hash(addr) */

/* Slow paths in the core. All return ORYX_OK, or a fault that is already described in cpu->exc (all but pc).
 * Values are little-endian-in-register, zero-extended to 16 bytes; memop as in oryx_ir.h. [vcpu] */
typedef struct oryx_cpu_fns {
    oryx_hdr hdr;
    oryx_status (*load)(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out);
    oryx_status (*store)(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val);
    oryx_status (*rmw)(oryx_cpu *cpu, uint64_t addr, uint64_t memop, uint64_t operand, uint64_t *old);
    oryx_status (*cas)(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *expect, const oryx_v128 *val,
                       oryx_v128 *old);
    oryx_status (*ldx)(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out);
    oryx_status (*stx)(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val, uint32_t *failed);
    /* The valid TB for (pc, cpu->mode) when one exists, else NULL. Fills the jump cache. */
    oryx_tb *(*tb_find)(oryx_cpu *cpu, uint64_t pc);
    /* The end of an access that an engine did by oryx_io_ready *e. st: what the callback returned. out: of a read. NULL (in an
     * engine around another one, which wants to see every access): there are none to be done so. */
    oryx_status (*io_done)(oryx_cpu *cpu, const oryx_io_ready *e, oryx_status st, oryx_v128 *out);
} oryx_cpu_fns;

#define ORYX_JUMP_CACHE_BITS 12 /* direct-mapped; index: oryx_jump_hash(pc) */

struct oryx_cpu {
    oryx_hdr hdr;
    uint8_t *state;               /* the frontend's state block; 64-byte aligned */
    /* left: instructions until the run loop wants control. A TB subtracts its n_insns on entry and leaves with
     * ORYX_LEAVE_BUDGET, nothing executed and nothing subtracted, when left < n_insns or kick is non-zero.
     * kick: set from any thread; on a little-endian host both may be read as one int64 that is then negative. */
    struct {
        uint32_t left;
        int32_t kick;
    } slice;
    uint64_t mode;                /* the frontend's mode key: part of every TB's identity */
    const oryx_cpu_fns *fn;
    oryx_tb **jump_cache;         /* 1 << ORYX_JUMP_CACHE_BITS entries; an entry may be NULL, check pc and mode */
    oryx_tlb tlb[ORYX_MMU_INDEXES];
    oryx_fpenv fp;
    oryx_exc exc;                 /* kind != NONE: a helper or slow path raised it */
    uint64_t *slots;              /* probe slots of this vCPU */
    oryx_vcpu *vcpu;
    oryx_machine *machine;
    void *arch_data;              /* the frontend's per-vCPU data */
    void *engine_data;            /* the engine's per-vCPU data */
    /* The exclusive monitor; active: 0 or 1. */
    struct {
        uint64_t addr;
        oryx_v128 value;
        uint32_t size;
        uint32_t active;
    } monitor;
    /* The engine's scratch memory: engine_ops.frame_size bytes, 64-byte aligned, in the same allocation at a distance
     * from state that is the same for every vCPU of the machine; NULL when the engine asked for none. */
    uint8_t *frame;
    /* Interrupt lines, bit n is input n of arch_ops.irqs; bits 48.. are the frontend's own. Atomic: any thread sets it. */
    uint64_t irq;
    /* The window (oryx_space_set_window): the byte of address a is at base + a. An engine may load directly when a < rd and
     * store when a < wr; rd and wr may become 0 at any time, when the window closes. */
    struct {
        uint64_t base, rd, wr;
    } window;
    uint32_t held;                /* an engine around another one keeps this much of slice.left back; else 0 */
    uint32_t reserved;
    /* See oryx_io_ready. Virtual time is base - slice.left + *skipped while one vCPU is all there are. */
    struct {
        const oryx_io_ready *rd, *wr;
        const uint64_t *skipped;  /* atomic */
        uint64_t base;
        uint32_t depth;           /* atomic; 1 while a callback runs that was called without a look-up */
        uint32_t reserved;
    } io;
    /* Not NULL: a helper of the frontend left guest registers in the host's FPU (x87), which host code must not meet. Whoever
     * calls foreign code (a device's, a probe's, an embedder's) or leaves compiled code calls this first: it moves them to the
     * state block and becomes NULL. */
    void (*host_fp)(oryx_cpu *cpu);
};

/* Inaccessible host memory before and behind every window: an access that starts this near to an address that was compared
 * with the limit cannot reach anything else. */
#define ORYX_WINDOW_GUARD 0x80000000u

static inline uint32_t oryx_io_hash(uint64_t addr)
{
    return (uint32_t)addr * 0x9e3779b1u >> (32 - ORYX_IO_READY_BITS);
}

static inline uint32_t oryx_jump_hash(uint64_t pc)
{
    return (uint32_t)(((pc >> 2) ^ (pc >> 14)) & ((1u << ORYX_JUMP_CACHE_BITS) - 1));
}

ORYX_END
#endif
