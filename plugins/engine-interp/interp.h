/* engine-interp, private: prepared ops, compiled blocks, and what its files offer each other.
 *
 * compile.c turns an IR block into an array of prepared ops (iop); run.c executes them by threaded dispatch. Operands are
 * byte distances from one base, the engine's frame; when the core placed the frame beside the guest state (cpu->frame),
 * guest registers are operands like any other.
 *
 * Values: integers and floats of a place are little-endian; producers write scalars zero-extended to 8 bytes (fl: 4 bytes,
 * v64: the low 8 bytes), consumers read only the width of their type. */
#ifndef INTERP_H
#define INTERP_H

#include <string.h>

#include "oryx_plugin.h"
#include "softops.h"

typedef struct call_site {
    const oryx_host *host;
    const oryx_helper_entry *entry;
    int32_t args[8];
    int32_t dest;
    uint32_t ret; /* ORYX_T_* of the IR op */
    uint32_t direct; /* all operands are integers or pointers: no libffi needed on this host */
    uint32_t uses_fp;
    uint32_t foreign; /* not the frontend's: it must not meet guest registers in the host's FPU */
} call_site;

typedef struct insn_mark {
    uint64_t pc;
    uint32_t first; /* index of its first prepared op */
} insn_mark;

/* A compiled block: one allocation with the arrays behind it. */
typedef struct code {
    uint32_t n_ops, n_insns, n_calls, reserved;
    const insn_mark *insns;
    const uint16_t *op_insn; /* instruction number of each op */
    call_site *calls;
    iop ops[];
} code;

#define FRAME_LOCALS 64
#define FRAME_SIZE   65536

/* Per-machine engine. */
typedef struct engine {
    const oryx_host *host;
    oryx_machine *machine;
    const void *const *labels; /* handler addresses by H_* */
    int32_t state_delta;       /* state - frame, when fold */
    int fold;                  /* guest state is addressable from the frame */
    int have_vcpu;
    uint32_t pc_offset;
    struct scratch *scratch;   /* compile.c: working memory, reused */
} engine;

/* Per vCPU (cpu->engine_data). */
typedef struct vcpu_data {
    uint8_t *frame;
    void *own_frame;  /* allocation behind frame when the core gave none */
    code *copy;       /* run.c: private copy of a block that invalidated itself */
    size_t copy_size;
} vcpu_data;

/* Handlers, in the order of run.c's label table. */
#define INT_BIN(X)                                                                                                    \
    X(ADD, a + b) X(SUB, a - b) X(MUL, a *b) X(AND, a &b) X(OR, a | b) X(XOR, a ^ b) X(ANDN, a & ~b) X(ORN, a | ~b)   \
    X(SHL, a << (b & (W - 1))) X(SHR, a >> (b & (W - 1))) X(SAR, (S)a >> (b & (W - 1)))                               \
    X(ROR, a >> (b & (W - 1)) | a << (-b & (W - 1)))
#define INT_CC(X)                                                                                                     \
    X(EQ, a == b) X(NE, a != b) X(LTU, a < b) X(LEU, a <= b) X(GTU, a > b) X(GEU, a >= b) X(LTS, (S)a < (S)b)          \
    X(LES, (S)a <= (S)b) X(GTS, (S)a > (S)b) X(GES, (S)a >= (S)b) X(TST, (a & b) != 0) X(TSTZ, (a & b) == 0)
/* Loads: name, C type in memory, value. The result is cut to the op's type by the mask of the row. */
#define LOADS(X)                                                                                                      \
    X(U8, uint8_t, v) X(U16, uint16_t, v) X(U32, uint32_t, v) X(U64, uint64_t, v)                                      \
    X(S8_16, int8_t, (uint16_t)v) X(S8_32, int8_t, (uint32_t)v) X(S8_64, int8_t, (uint64_t)v)                         \
    X(S16_32, int16_t, (uint32_t)v) X(S16_64, int16_t, (uint64_t)v) X(S32_64, int32_t, (uint64_t)v)
#define STORES(X) X(8, uint8_t) X(16, uint16_t) X(32, uint32_t) X(64, uint64_t)
#define SEXTS(X)                                                                                                      \
    X(1_8, 1, uint8_t) X(1_16, 1, uint16_t) X(1_32, 1, uint32_t) X(1_64, 1, uint64_t) X(8_16, 8, uint16_t)             \
    X(8_32, 8, uint32_t) X(8_64, 8, uint64_t) X(16_32, 16, uint32_t) X(16_64, 16, uint64_t) X(32_64, 32, uint64_t)
#define FP_BIN(X) X(FADD, +) X(FSUB, -) X(FMUL, *) X(FDIV, /)
#define PLAIN(X)                                                                                                      \
    X(OOL) X(MOVI) X(MOVI4) X(VCONST) X(Z1) X(Z8) X(Z16) X(Z32) X(MOV4) X(MOV64) X(MOV128)                             \
    X(ST8) X(ST16) X(STI8) X(STI16)                                                                                   \
    X(SGET8) X(SGET16) X(SGET32) X(SGET64) X(SGET128) X(SPUT8) X(SPUT16) X(SPUT32) X(SPUT64) X(SPUT128)                \
    X(NOT1) X(NOT32) X(NOT64) X(NEG32) X(NEG64) X(CLZ32) X(CLZ64) X(BSWAP32) X(BSWAP64)                                \
    X(UBFX32) X(UBFX64) X(SBFX32) X(SBFX64) X(BFI32) X(BFI64) X(FUNNEL32) X(FUNNEL64) X(ADDSHL64)                      \
    X(SEL8) X(SEL16) X(SEL32) X(SEL64) X(SEL128) X(SEL4) X(SELF32) X(SELF64) X(FLCOND)                                \
    X(LOAD128) X(STORE128) X(LOADG) X(STOREG) X(LOADX8) X(LOADX32) X(LOADX64)                                         \
    X(RMW) X(CAS) X(LDX) X(STX) X(CLREX) X(FENCE) X(SETMODE) X(SLOTADD) X(CALL)                                       \
    X(BR) X(BRC) X(GOTO) X(GOTOM) X(GOTOC) X(GOTOCF) X(GOTOCM) X(GOTOI) X(RAISE) X(RESYNC) X(LEAVE) X(ENDBAD)

enum {
#define X(n, e) H_##n##_32r, H_##n##_32i, H_##n##_64r, H_##n##_64i,
    INT_BIN(X)
#undef X
#define X(n, e) H_CMP_##n##_32r, H_CMP_##n##_32i, H_CMP_##n##_64r, H_CMP_##n##_64i,
    INT_CC(X)
#undef X
#define X(n, e) H_CMPG_##n##_32r, H_CMPG_##n##_32i, H_CMPG_##n##_64r, H_CMPG_##n##_64i,
    INT_CC(X)
#undef X
#define X(n) H_FL_##n##_32r, H_FL_##n##_32i, H_FL_##n##_64r, H_FL_##n##_64i,
    FL_KINDS(X)
#undef X
#define X(n) H_FLG_##n##_32r, H_FLG_##n##_32i, H_FLG_##n##_64r, H_FLG_##n##_64i,
    FL_KINDS(X)
#undef X
#define X(n, t, e) H_LD_##n,
    LOADS(X)
#undef X
#define X(n, t) H_ST_##n,
    STORES(X)
#undef X
#define X(n, f, t) H_SEXT_##n,
    SEXTS(X)
#undef X
#define X(n, e) H_##n##_f32, H_##n##_f64,
    FP_BIN(X)
#undef X
#define X(n) H_##n,
    PLAIN(X)
#undef X
    H_COUNT
};

/* run.c. cpu NULL: only *labels is set. */
uint32_t interp_run(engine *e, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave, const void *const **labels);

/* compile.c */
oryx_status interp_compile(engine *e, const oryx_ir *ir, oryx_tb *tb, oryx_error *err);
int interp_scratch_new(engine *e); /* 0: out of memory */
void interp_scratch_free(engine *e);

/* memory.c: accesses that need more than a hit of plain little-endian data. */
oryx_status interp_load_general(oryx_cpu *cpu, uint64_t addr, uint32_t memop, oryx_v128 *out);
oryx_status interp_store_general(oryx_cpu *cpu, uint64_t addr, uint32_t memop, const oryx_v128 *val);
uint64_t interp_extend(uint64_t v, uint32_t memop, unsigned type); /* sign or zero extension of a loaded value */

/* call.c */
void interp_call(const call_site *s, uint8_t *base, oryx_cpu *cpu);

#endif
