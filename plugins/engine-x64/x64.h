/* engine-x64, private: the engine, the code cache, the state of one compilation, and what the files offer each other.
 *
 * Compilation is one pass back (uses) and one pass forward (selection, allocation, emission) over an IR block:
 *   compile.c  the two passes and the op switch        regs.c   which host register holds which value and guest slot
 *   int.c      integer ops       flags.c  flags and conditions      mem.c    loads, stores, atomics and their slow paths
 *   control.c  block ends, calls  vec.c fp.c  vectors, floating point
 *   region.c   several blocks as one: fixed registers for guest slots, the slice, edges
 *   region_flags.c  loops that keep no flags
 *   cache.c    executable memory  device.c  accesses to devices  plugin.c   trampolines and engine operations
 *
 * Host registers: RBP = guest state + BIAS, R15 = instructions left in the slice, RAX RCX RDX and XMM13-15 scratch;
 * the others hold values and guest slots. Guest slots are written to memory only where someone can see them: at block ends,
 * calls that read state, labels, and (out of line) where a fault leaves the block. */
#ifndef X64_H
#define X64_H

#include <pthread.h>
#include <stdio.h>

#include "emit.h"
#include "oryx_plugin.h"

#define SB RBP
#define BIAS 128
#define LEFT R15
#define XMM(n) (16 + (n)) /* index of XMM n in the allocator's table */
#define N_REGS 32
#define XS0 13 /* scratch XMM registers */
#define XS1 14
#define XS2 15

#define COUNTS 512u

/* In every vCPU, at a constant distance from its state. */
typedef struct frame {
    oryx_v128 spill[128];
    oryx_v128 local[64];
    oryx_v128 save_xmm[16];
    uint64_t save[16];
    oryx_v128 arg[8];      /* operands and results of C calls */
    oryx_v128 konst[8];    /* K_*: fp_constants */
    void *fn[16];          /* FN_*: the core's slow paths (fp_slow_paths); + FN_PLAIN for blocks without FP ops */
    oryx_tb *leave_tb;
    uint32_t leave_slot;
    uint32_t smc;          /* the running block was invalidated by its own store */
    uint32_t raw_flags;    /* the flags slot inside a region: as lahf and seto leave them in AX, see fl_load */
    uint32_t fl_mark;      /* LEFT in the first round of a loop without flags of its own: region_flags.c */
    uint32_t mxcsr_host, mxcsr_guest;
    uint32_t fp_live;      /* MXCSR is the guest's (fp_out.c) */
    uint32_t count[COUNTS]; /* entries of blocks by hash of pc, scaled so that the wanted number overflows */
} frame;
enum { K_SIGN32, K_SIGN64, K_ABS32, K_ABS64, K_LEAST32, K_LEAST64, K_ONE32, K_ZERO, K_COUNT };
enum { FN_LOAD, FN_STORE, FN_RMW, FN_CAS, FN_LDX, FN_STX, FN_TB_FIND, FN_CALL, FN_PLAIN };

typedef struct cache {
    uint8_t *write, *exec; /* two views of the same memory, `reserved` bytes of address space each */
    uint64_t reserved, mapped, used; /* mapped: chunks in use so far, in bytes */
    uint32_t *live;        /* blocks alive in each chunk */
    uint32_t *blocks;      /* blocks in it that may fault; where each starts is at its end, downwards */
    uint64_t touched;      /* bytes from the start whose memory has been asked for */
    uint8_t *copy;         /* between fork's two handlers */
} cache;
#define CHUNK (1u << 20)

/* Behind tb->code - sizeof(code_head) in the executable view. */
typedef struct code_head {
    uint32_t size, chunk;
    uint32_t jump[2];      /* offset just after the rel32 of exit slot i, 0: none */
    uint32_t stub[2];      /* where it goes while unlinked */
    uint32_t exits, n_exits; /* regions: where an array of code_exit stands instead of jump and stub */
    uint32_t sites, n_sites; /* window.c: where an access may fault */
    uint64_t pc;           /* the guest's */
} code_head;
typedef struct code_exit {
    uint32_t jump, stub;
} code_exit;

/* An access of compiled code that may fault, and its stub. */
typedef struct window_site_t {
    uint32_t at, stub;     /* offsets from the block's start; while compiling: number of the stub */
    int32_t pc;            /* of the guest instruction, from the block's */
    uint32_t count;        /* faults */
} window_site_t;
#define SLOW_PCS 256u

typedef struct jit jit;
typedef struct engine engine;
struct engine {
    const oryx_host *host;
    oryx_machine *machine;
    cache cache;
    pthread_mutex_t lock;  /* guards the code cache: compile, discard and link come from any thread */
    jit *jit;
    int32_t cpu_off, frame_off, pc_off; /* distance from state; pc_off: offset in it */
    struct engine *next;   /* list of engines of the process, for fork */
    bool dead;             /* a forked child without memory for its code */
    bool placed;           /* the offsets are known (first vCPU) */
    bool bmi1, bmi2, lzcnt, popcnt, movbe, fma, avx, avx2, f16c, sse41, sse42, pclmul;
    uint32_t (*enter)(uint8_t *state_bias, const void *code); /* trampoline */
    uint32_t exit_at, budget_at; /* common exits: offsets in the cache */
    uint32_t fp_thunk_at;  /* the shared part of STUB_FP */
    uint32_t fp_before_at, fp_after_at; /* flags around a helper */
    uint32_t fp_begin_at;  /* MXCSR becomes the guest's */
    uint32_t plain_at[6];  /* slow paths of blocks without FP ops */
    uint32_t device_at[4]; /* what comes before the first two of them, and without devices */
    bool windowed;         /* a block with a window was compiled: host faults are possible everywhere */
    uint64_t shared;       /* bytes at the cache's start that are no blocks */
    uint32_t n_slow;       /* guest instructions that fault too often to use the window */
    uint64_t slow_pc[SLOW_PCS];
    /* publish.c */
    FILE *perf;            /* /tmp/perf-PID.map or /tmp/jit-PID.dump, NULL: not wanted */
    void *jitdump;         /* the page of the latter by which perf finds it; NULL: it is the former */
    uint64_t published_n;
    bool gdb, listing;
    struct published *published;
    bool no_near;          /* that list is full: every access compares */
};

/* compile.c */
oryx_status compile_block(engine *en, const oryx_ir *ir, oryx_tb *tb);
unsigned op_operands(const oryx_ir_op *o);
bool op_sees_no_state(const oryx_ir_op *o);

/* listing.c: a block's code as text on stderr. */
bool listing_wanted(void);
void listing_block(const oryx_tb *tb, const char *name);
/* publish.c: by option, blocks made known to perf and GDB. */
oryx_status publish_open(engine *en, const char *options, oryx_error *err);
void publish_block(engine *en, const oryx_tb *tb);
void publish_drop(engine *en, const oryx_tb *tb);
void publish_close(engine *en);

/* cache.c */
oryx_status cache_open(cache *c, uint64_t limit, oryx_error *err);
void cache_close(cache *c);
/* Room for `size` bytes in one chunk, or NULL when the bound is reached. The bytes are at write + offset. */
uint8_t *cache_room(cache *c, uint32_t size);
void cache_take(cache *c, uint32_t size, bool list); /* of the room just given; list: the block may fault */
void cache_fork_prepare(cache *c);
void cache_fork_parent(cache *c);
bool cache_fork_child(cache *c); /* false: no memory; compiled code is gone */
void cache_pool_fork_prepare(void);
void cache_pool_fork_done(bool child);

/* --- one compilation ---------------------------------------------------------------------------------------------------- */
typedef struct place {
    uint8_t reg;       /* allocator index, NO_REG: none */
    uint8_t cls;       /* 0 general, 1 vector */
    int16_t spill;     /* frame.spill index, -1 none */
    bool folded;       /* root + constant, made by the accesses that use it as an address */
} place;

typedef struct host_reg {
    oryx_val v;        /* value here, 0 none */
    int32_t slot;      /* guest slot cached here, -1 none */
    uint8_t type;      /* ORYX_T_* of the slot */
    bool dirty;        /* memory does not have it yet */
    uint32_t stamp;    /* of the last use, for eviction */
    uint32_t next;     /* regions: where the slot is read next, NEVER: not before it is written */
} host_reg;
#define NEVER (~0u)

/* Regions: where an op's operands are used next after it; of GET and PUT [1] is the slot. */
typedef struct next_use {
    uint32_t at[3];
} next_use;

enum { FL_MEMORY, FL_RAW, FL_LOOP, FL_OWN }; /* the slot; raw_flags; a loop's comparison but in its first round; that, surely */

/* What the registers held at a point: enough to write the dirty slots back later. */
typedef struct snapshot {
    uint32_t live;     /* registers with a value or slot */
    uint32_t n;
    uint8_t flags;     /* FL_*: what is newer than the flags slot */
    uint8_t fl_block;  /* whose comparison */
    struct {
        int32_t slot;
        uint8_t reg, type;
    } dirty[26];
} snapshot;

enum { STUB_LOAD, STUB_STORE, STUB_BUDGET, STUB_LINK, STUB_EXC, STUB_SMC, STUB_FP, STUB_LIT, STUB_HOT, STUB_EDGE };
typedef struct stub {
    uint8_t kind, type, reg, addr_reg, data_reg, slot;
    bool near;         /* the code after it may use RAX and RCX: they must not match */
    bool leads;        /* through the window: accesses after it trust its comparison */
    bool saved_rcx;
    uint32_t from;     /* patch: offset after the rel32 that comes here */
    uint32_t back;     /* resume offset */
    uint32_t memop;
    int32_t disp;      /* the address is addr_reg + disp */
    uint32_t insn;     /* index of the guest instruction */
    uint32_t rest;     /* of jit */
    uint64_t pc, imm;
    uint32_t smc;      /* stub number of the boundary that follows, or ~0 */
    uint32_t from2;    /* a second way in, 0 none */
    uint8_t operand[3], n_operands; /* STUB_FP: registers; imm is the op */
    snapshot snap;
} stub;

/* The comparison whose flags a block that leads back to itself does not keep. */
typedef struct fl_loop {
    bool on;
    uint8_t kind, lane, a, b;  /* homes; b NO_REG: a constant, b_offset */
    int32_t a_offset, b_offset;
    oryx_val put;
} fl_loop;

#define WINDOW_NEAR 8u
#define NEAR_SLOTS 64u
/* A block of the region that is compiled. */
typedef struct region_block {
    uint64_t pc;
    oryx_val op;       /* its BLOCK */
    uint32_t n, flags; /* instructions; ORYX_BLOCK_* */
    uint32_t pot;      /* most instructions until the slice is checked next, its own among them: taken from LEFT before */
    uint32_t weight;
    uint64_t succ;     /* blocks it leads to, as a bit set */
    fl_loop fl;
    uint32_t first[N_REGS]; /* where it reads the slot of each home first */
    uint32_t puts, dirty; /* pinned registers it writes; that may differ from memory when it starts (bit RAX: the flags) */
} region_block;

struct jit {
    engine *en;
    emit e;
    const oryx_ir *ir;
    oryx_ir_op *ops;   /* ir's, with operands that need no code of their own replaced by what they are made of */
    oryx_tb *tb;
    uint8_t *types;    /* ORYX_T_* of each value */
    uint32_t *uses;    /* operand uses left */
    place *place;
    uint32_t cap;      /* of the arrays */
    host_reg r[N_REGS];
    uint32_t pool[2];  /* allocatable registers of each class */
    uint32_t used;     /* registers that may hold something: none beside them does */
    bool fresh;        /* those beside `used` and `pinned` are as regs_reset leaves them */
    uint32_t near_slot[NEAR_SLOTS]; /* registers that may cache a slot in a granule of 8 bytes of state, by its number mod NEAR_SLOTS */
    /* Regions: region.c. n_blocks 0: a single block. */
    region_block block[ORYX_REGION_BLOCKS];
    uint32_t n_blocks, current;
    /* Homes: registers that hold one slot wherever a block begins or ends. Inside a block a home may be taken for something
     * else when registers are scarce (away); homes_restore brings its slot back. pinned: homes that hold theirs. */
    uint32_t homes, pinned, away;
    struct {
        int32_t slot;
        uint8_t type;
    } home[N_REGS];
    bool keep_homes;   /* the block ends: they stay */
    uint32_t branch_dirty; /* homes that were dirty at a branch to a label of this block */
    next_use *next;    /* of each op */
    uint32_t *next_at; /* of each value, where it is used next */
    uint32_t max_pins; /* general ones; fewer when an op finds too few registers left */
    uint8_t *hint;     /* of each value: the pinned register it is soon PUT to and may be made in, or NO_REG */
    int32_t fl_slot;   /* the flags slot that lives in frame.raw_flags, -1 none */
    uint8_t fl_loop;   /* FL_LOOP or FL_OWN: the flags are the current block's comparison; else 0 */
    bool fl_inverted, fl_dirty; /* its C is the inverse of the guest's; it is newer than memory */
    uint32_t flags_at; /* up to this offset host flags are those of token flags_of, CF as its operation left it */
    oryx_val flags_of;
    code_exit exits[2 * ORYX_REGION_BLOCKS];
    uint32_t n_exits;
    uint32_t rest;     /* taken from LEFT beyond the current block; also while its stubs are emitted */
    uint32_t lock;     /* registers the current op holds */
    uint32_t stamp;
    uint64_t spill_used[2];
    stub *stubs;
    uint32_t n_stubs, cap_stubs;
    uint32_t n_labels;     /* of the array below that have a value */
    uint32_t label[256 + 2 * ORYX_REGION_BLOCKS]; /* offset of each label, ~0 not yet; then of blocks, with their check and behind it */
    struct {
        uint32_t from, label;
    } *fix;
    uint32_t n_fix, cap_fix;
    uint32_t insn;     /* guest instructions started, less one; regions: so that n_insns - insn is what to give back */
    bool first_insn;   /* of a block */
    uint64_t pc;       /* of the current guest instruction */
    uint32_t first_store_stub; /* stores of the current instruction, from this stub on */
    /* RAX and RCX still hold the last translation (addend, page) of address root + offset; root 0: they do not. */
    oryx_val near_root;
    int64_t near_offset;
    bool near_write;
    /* Addresses that are known to be below the window's limit: values and offsets. */
    oryx_val near_val[WINDOW_NEAR];
    int64_t near_at[WINDOW_NEAR];
    uint32_t near_stub[WINDOW_NEAR]; /* of the access that compared */
    uint32_t n_near;
    uint64_t window_pc;    /* window_slow is about it */
    bool window_slow;
    window_site_t *sites;
    uint32_t n_sites, cap_sites;
    bool atomic_store; /* the current instruction has a store that only the flag can report */
    bool fp;           /* the block has ops that read the FP environment or raise sticky flags */
    bool fp_eager;     /* the block writes the sticky FP flags: no comparison is made later than it stands */
    code_head head;
    uint32_t at;       /* op being emitted */
    oryx_status error;
};

#define T_IS_VEC(t) ((t) >= ORYX_T_F32 && (t) <= ORYX_T_V128)

static inline const oryx_ir_op *op_of(const jit *j, oryx_val v)
{
    return &j->ops[v];
}
static inline bool is_const(const jit *j, oryx_val v)
{
    return op_of(j, v)->op == ORYX_OP_CONST;
}
static inline uint64_t const_of(const jit *j, oryx_val v)
{
    return op_of(j, v)->imm;
}
static inline int32_t state_disp(uint32_t offset)
{
    return (int32_t)offset - BIAS;
}
#define FRAME_DISP(j, member) ((j)->en->frame_off - BIAS + (int32_t)offsetof(frame, member))
#define CPU_DISP(j, member) ((j)->en->cpu_off - BIAS + (int32_t)offsetof(oryx_cpu, member))

/* regs.c. General registers are RAX.. numbers; vector registers are XMM numbers 0..15 in emission and XMM(n) in tables. */
void regs_reset(jit *j);
unsigned gpr_use(jit *j, oryx_val v);            /* v in a register, locked for this op */
unsigned xmm_use(jit *j, oryx_val v);
unsigned gpr_def(jit *j, oryx_val v);            /* a register for the result */
unsigned xmm_def(jit *j, oryx_val v);
/* A register for the result of one host instruction that reads x and y (0: none): theirs when they die. */
unsigned gpr_def_over(jit *j, oryx_val v, oryx_val x, oryx_val y);
/* A register for v that starts as a copy of `from` (taken over when this is its last use). */
unsigned gpr_def_copy(jit *j, oryx_val v, oryx_val from);
unsigned xmm_def_copy(jit *j, oryx_val v, oryx_val from);
/* v is the same bits as from (a truncation, a known-zero extension): no code when from dies here. */
void val_alias(jit *j, oryx_val v, oryx_val from);
unsigned gpr_temp(jit *j);                       /* free after this op */
unsigned xmm_temp(jit *j);
void val_dead(jit *j, oryx_val v);
static inline void val_done(jit *j, oryx_val v)  /* one use less */
{
    if (v && !--j->uses[v])
        val_dead(j, v);
}
void val_keep(jit *j, oryx_val v);               /* one use more */
void slot_in(jit *j, unsigned reg, uint32_t offset, unsigned type); /* note that reg caches it */
void slot_get(jit *j, oryx_val v);
void slot_put(jit *j, unsigned type, uint32_t offset, oryx_val v);
void slots_write_back(jit *j);                   /* memory becomes exact; caches stay, clean */
void slots_forget(jit *j);                       /* after write-back: nothing cached */
void regs_spill_caller_saved(jit *j);            /* before a C call in line: no value stays in a register C may change */
void snapshot_take(jit *j, snapshot *s);
void slot_store(jit *j, unsigned reg, unsigned type, uint32_t offset);
void op_done(jit *j);                            /* locks and temporaries of the op end */
bool gpr_is_last(const jit *j, oryx_val v);
void slot_load(jit *j, unsigned reg, unsigned type, uint32_t offset);
void slots_write_back_unpinned(jit *j);
void slots_branch(jit *j);                       /* before a label or a branch to one: all where every way there has it */

void regs_reload(jit *j, bool state_changed);    /* after a C call in line: pinned registers have their slots again */
void slots_block(jit *j);                        /* a block of a region begins: nothing cached but pins */
void homes_restore(jit *j);                      /* changes no flags */

/* region_flags.c */
void fl_loops_find(jit *j);
uint32_t fl_loop_homes(const jit *j);
void fl_mark(jit *j, uint32_t block);
void fl_loop_raw(jit *j, uint32_t block, bool saved);                  /* changes RAX, RCX */
void fl_loop_leave(jit *j, uint32_t block, bool saved, uint32_t taken); /* taken: LEFT is so much higher than in the block */

/* region.c */
bool region_scan(jit *j);                        /* false: not a region, or one beyond the bounds */
void region_entry(jit *j);
void region_block_begin(jit *j, oryx_val v);
int region_target(const jit *j, uint64_t pc);    /* the block inside that the current one may go to, or -1 */
void region_goto(jit *j, uint64_t pc);
void region_gotoc(jit *j, const oryx_ir_op *o);
void region_return(jit *j, unsigned pc);         /* GOTOI: to the return sites that match */
void region_edge(jit *j, const stub *s);         /* STUB_EDGE */

bool zero_upper(const jit *j, oryx_val v);       /* compile.c */
bool zero_extends(const jit *j, oryx_val v);     /* bits 32 to 63 of the i32 v are 0 in its register */
/* int.c, flags.c, mem.c, control.c, vec.c, fp.c: emit op number v; false: not of this file. */
bool int_op(jit *j, oryx_val v);
bool flags_op(jit *j, oryx_val v);
bool mem_op(jit *j, oryx_val v);
bool control_op(jit *j, oryx_val v);
bool vec_op(jit *j, oryx_val v);
bool fp_op(jit *j, oryx_val v);

/* flags.c: emit what makes host flags for i1 value v; returns the condition code that means true. */
unsigned cond_emit(jit *j, oryx_val v);
/* Operands of deferred conditions and flags are consumed through these. */
bool fcmp_deferred(const jit *j);
static inline bool is_deferred(const jit *j, oryx_val v)
{
    switch (op_of(j, v)->op) {
    case ORYX_OP_CMP:
    case ORYX_OP_FLCOND:
    case ORYX_OP_FLMAKE: return true;
    case ORYX_OP_ADD: return j->place[v].folded;
    case ORYX_OP_FLFCMP: return fcmp_deferred(j);
    default: return false;
    }
}
void deferred_emit(jit *j, oryx_val v, unsigned reg); /* a deferred value as data */
void flags_pack(jit *j, oryx_val fl, unsigned reg); /* packed flags of a token into a register (not RAX RCX RDX) or RAX */
/* The flags slot of a region, in frame.raw_flags. fl_flush and fl_put change RAX. */
void fl_load(jit *j);                  /* from memory; changes RCX */
void fl_flush(jit *j);                 /* to memory */
void fl_put(jit *j, oryx_val fl);
void fl_keep(jit *j, bool inverted, bool logic); /* the host's flags become raw_flags */
void fl_get(jit *j, unsigned reg);     /* packed */

/* mem.c: shared with control.c's calls. Arguments travel through frame.arg. */
void arg_store(jit *j, oryx_val v, unsigned n);
void lea_frame(jit *j, unsigned reg, int32_t disp); /* disp from SB */
void left_tell(jit *j, unsigned reg);
void lea_cpu(jit *j, unsigned reg);
void pc_tell(jit *j, uint64_t pc);
void result_load(jit *j, oryx_val v, unsigned n);
int32_t slow_path_disp(const jit *j, unsigned fn);
bool keeps_lookup(const jit *j, const oryx_ir_op *o); /* the op leaves RAX and RCX as a look-up left them */
void stub_finish(jit *j, stub *s, unsigned addr, uint32_t memop, unsigned result);

/* window.c */
bool window_serves(jit *j, bool write);      /* the current instruction's accesses may go through the window */
void window_reset(jit *j);                   /* nothing is known of addresses */
/* Jump away when the value v in reg, or reg + disp, is not near the window; 0 when it is known to be, else what to patch. */
uint32_t window_check(jit *j, unsigned reg, oryx_val v, int32_t disp);
void window_beyond(jit *j, const stub *s);    /* out of line: the comparison that others trust failed */
void window_site(jit *j, uint32_t number);    /* the instruction emitted next may fault */
void window_sites_emit(jit *j);
uint64_t window_recover(void *self, oryx_cpu *cpu, uint64_t host_pc, uint64_t *again);

/* fp_out.c: MXCSR's sticky bits are the guest's flags from the first block with FP ops until compiled code is left. */
void fp_block_begin(jit *j);
void fp_leave(oryx_cpu *cpu, frame *f);
void fp_constants(frame *f);
bool fp_thunk(engine *en);
void fp_stub(jit *j, const stub *s);
/* fp_out.c: the core's slow paths for frame.fn, and what surrounds the call of a helper that is not pure. */
void fp_slow_paths(const engine *en, frame *f, const oryx_cpu_fns *fn);
bool fp_out_thunks(engine *en);
void fp_call_before(jit *j); /* changes RAX, RCX */
void fp_call_after(jit *j);
/* device.c: accesses to devices without the core; after fp_out_thunks and fp_slow_paths. */
bool device_thunks(engine *en);
void device_paths(const engine *en, frame *f, const oryx_cpu_fns *fn);
/* fp_cmp.c: FLFCMP tokens. */
bool fcmp_direct(const jit *j, oryx_val token, unsigned fc);
unsigned fcmp_cond(jit *j, const oryx_ir_op *o, unsigned fc);
void fcmp_pack(jit *j, const oryx_ir_op *o, unsigned reg);

/* vec.c: constant v into XMM d; no other register and no flag changes. */
void vec_const(jit *j, oryx_val v, unsigned d);

/* control.c */
stub *stub_new(jit *j, unsigned kind);
void stubs_emit(jit *j);
void again_exit(jit *j, const stub *s);          /* state and pc of the stub's instruction, nothing of it done: LOOKUP */
void insn_boundary(jit *j, oryx_val v);
void branch_to(jit *j, uint32_t from, uint32_t label);
void label_here(jit *j, uint32_t label);
void give_back(jit *j, uint32_t n);
void check_slice(jit *j, uint32_t n, uint64_t pc);
void write_dirty(jit *j, const snapshot *s, bool saved, uint32_t taken);
void slot_saved(jit *j, unsigned to, unsigned reg); /* in a stub, behind its call: what reg held before */
void exit_link(jit *j, uint64_t pc);             /* regions: the patchable jump of a new exit; state is in memory */
bool stores_pending(const jit *j);               /* the last instruction stored: what follows may be stale */

#endif
