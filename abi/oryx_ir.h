/* The IR: types, immediates, the op array, and the inline builder frontends and probes use.
 *
 * A block is an array of ops in program order; the index of an op is the value it makes (0 is "none").
 * Values live inside one block between labels. Guest state is read and written with GET and PUT on the byte
 * offsets a frontend declares (oryx_arch.h). Each guest instruction starts with INSN. Inside one instruction every
 * op that can fault comes before the first PUT, SETMODE or LPUT-visible effect, so a fault leaves the state of the
 * instruction's start; the checker refuses a block that breaks this. Op semantics: oryx_ir.def. */
#ifndef ORYX_IR_H
#define ORYX_IR_H

#include "oryx_cpu.h"

ORYX_BEGIN

typedef uint32_t oryx_val;

enum {
    ORYX_T_VOID, ORYX_T_I1, ORYX_T_I8, ORYX_T_I16, ORYX_T_I32, ORYX_T_I64,
    ORYX_T_F32, ORYX_T_F64, ORYX_T_V64, ORYX_T_V128, ORYX_T_FL, ORYX_T_COUNT
};

enum {
#define OP(name, sig, types, effects, meaning) ORYX_OP_##name,
#include "oryx_ir.def"
#undef OP
    ORYX_OP_COUNT
};

/* Integer comparison codes (CMP, VCMP, VFCMP). */
enum {
    ORYX_CC_EQ, ORYX_CC_NE, ORYX_CC_LTU, ORYX_CC_LEU, ORYX_CC_GTU, ORYX_CC_GEU,
    ORYX_CC_LTS, ORYX_CC_LES, ORYX_CC_GTS, ORYX_CC_GES, ORYX_CC_TST, ORYX_CC_TSTZ /* (a & b) != 0, == 0 */
};

/* FLMAKE kinds. C is the guest's carry: SUB and SBC leave the borrow (x86), SUBC and SBCC its inverse (Arm); SBC
 * takes a borrow-in, SBCC a carry-in (a + ~b + c). LOGIC: S and Z of a, C = O = 0; b unused (0). */
enum {
    ORYX_FL_ADD, ORYX_FL_ADC, ORYX_FL_SUB, ORYX_FL_SBC, ORYX_FL_SUBC, ORYX_FL_SBCC, ORYX_FL_LOGIC
};

/* Packed flags: x86 lahf layout, overflow beside it. P is even parity of the low byte, A the carry out
 * of bit 3 (all subtractions: the borrow, not inverted; LOGIC: 0). */
#define ORYX_FLAG_C 0x001u
#define ORYX_FLAG_P 0x004u
#define ORYX_FLAG_A 0x010u
#define ORYX_FLAG_Z 0x040u
#define ORYX_FLAG_S 0x080u
#define ORYX_FLAG_O 0x100u

/* FLCOND conditions on the guest's bits; an odd code is the inverse of the even one before it. */
enum {
    ORYX_FC_Z, ORYX_FC_NZ, ORYX_FC_C, ORYX_FC_NC, ORYX_FC_S, ORYX_FC_NS, ORYX_FC_O, ORYX_FC_NO,
    ORYX_FC_HI /* C && !Z */, ORYX_FC_LS, ORYX_FC_GE /* S == O */, ORYX_FC_LT, ORYX_FC_GT, ORYX_FC_LE,
    ORYX_FC_A /* !C && !Z */, ORYX_FC_BE, ORYX_FC_P, ORYX_FC_NP
};

/* memop: the imm of LOAD, STORE, CAS, LDX, STX and the low half of RMW's. */
#define ORYX_MO_SIZE(mo) ((mo) & 7u)              /* log2 of the bytes, 0..4 */
#define ORYX_MO_8 0u
#define ORYX_MO_16 1u
#define ORYX_MO_32 2u
#define ORYX_MO_64 3u
#define ORYX_MO_128 4u
#define ORYX_MO_SIGN 0x08u                        /* sign-extend a LOAD */
#define ORYX_MO_BE 0x10u                          /* big-endian data */
#define ORYX_MO_ALIGN(log2) ((uint32_t)(log2) << 5) /* bits 5-7: required alignment, 0 none */
#define ORYX_MO_ALIGN_OF(mo) (((mo) >> 5) & 7u)
#define ORYX_MO_ACQUIRE 0x100u
#define ORYX_MO_RELEASE 0x200u                    /* a later ACQUIRE access does not pass it (Arm STLR, LDAR) */
#define ORYX_MO_ATOMIC 0x400u                     /* single-copy atomic when naturally aligned */
#define ORYX_MO_USER 0x800u                       /* as an unprivileged access */
#define ORYX_MO_MMU(i) ((uint32_t)(i) << 12)      /* bits 12-15: mmu index */
#define ORYX_MO_MMU_OF(mo) (((mo) >> 12) & 15u)

enum { ORYX_RMW_SWAP, ORYX_RMW_ADD, ORYX_RMW_AND, ORYX_RMW_ANDN, ORYX_RMW_OR, ORYX_RMW_XOR,
       ORYX_RMW_MINS, ORYX_RMW_MAXS, ORYX_RMW_MINU, ORYX_RMW_MAXU };
enum { ORYX_ORDER_ACQUIRE = 1, ORYX_ORDER_RELEASE = 2, ORYX_ORDER_SEQ = 3, ORYX_ORDER_ISYNC = 4 };
enum { ORYX_RM_NEAREST, ORYX_RM_UP, ORYX_RM_DOWN, ORYX_RM_ZERO, ORYX_RM_AWAY /* ties away */, ORYX_RM_ENV = 7 };
enum { ORYX_HINT_JUMP, ORYX_HINT_CALL, ORYX_HINT_RETURN };

/* BLOCK: a way back leads here, so the slice is checked and the state is exact; a GOTOI with HINT_RETURN may lead here;
 * no exit of the block stays inside the region. */
#define ORYX_BLOCK_CHECK 1u
#define ORYX_BLOCK_RETURN 2u
#define ORYX_BLOCK_LEAVES 4u
#define ORYX_REGION_BLOCKS 64u  /* most blocks of a region */
#define ORYX_REGION_RETURNS 4u  /* most of them with ORYX_BLOCK_RETURN */

/* Sticky FP flags (FFLAGS, FSETFLAGS, oryx_fpenv.flags). */
#define ORYX_FPF_INVALID 1u
#define ORYX_FPF_DIVZERO 2u
#define ORYX_FPF_OVERFLOW 4u
#define ORYX_FPF_UNDERFLOW 8u
#define ORYX_FPF_INEXACT 16u
#define ORYX_FPF_DENORMAL 32u /* a denormal input was flushed */
#define ORYX_FPF_SATURATED 64u

/* One op. type: of the result, or of the value moved. lane: element or source type (equals type for plain scalars). */
typedef struct oryx_ir_op {
    uint16_t op;
    uint8_t type;
    uint8_t lane;
    oryx_val a, b, c;
    uint64_t imm;
} oryx_ir_op;

/* What the core and engines know of each op; generated from oryx_ir.def. */
typedef struct oryx_ir_info {
    const char *name, *sig, *types, *effects;
} oryx_ir_info;

/* An IR block under construction. The builder writes ops[n]; when n reaches cap it calls grow, which may move ops.
 * error is sticky: after the first failure the builder does nothing and returns value 0. */
struct oryx_ir {
    oryx_hdr hdr;
    oryx_ir_op *ops;
    uint32_t n, cap;
    oryx_status error;
    uint32_t n_insns;
    uint64_t pc, mode;
    oryx_status (*grow)(oryx_ir *ir);
    /* Set by the core while memory probes listen; called after each memory op with its index. */
    void (*mem_hook)(oryx_ir *ir, oryx_val op);
    void *hook_arg;
    /* The vCPU's FP environment, constant in the block but for fp.flags (of no meaning here). */
    oryx_fpenv fp;
};

static inline oryx_val oryx_ir_emit(oryx_ir *ir, unsigned op, unsigned type, unsigned lane, oryx_val a, oryx_val b,
                                    oryx_val c, uint64_t imm)
{
    if (ir->error || (ir->n == ir->cap && (ir->error = ir->grow(ir)) != 0))
        return 0;
    oryx_ir_op *o = &ir->ops[ir->n];
    o->op = (uint16_t)op;
    o->type = (uint8_t)type;
    o->lane = (uint8_t)lane;
    o->a = a;
    o->b = b;
    o->c = c;
    o->imm = imm;
    return ir->n++;
}

/* Size in bytes of a value of this type (i1: 1, fl: 4). */
static inline unsigned oryx_type_size(unsigned type)
{
    static const uint8_t size[ORYX_T_COUNT] = { 0, 1, 1, 2, 4, 8, 4, 8, 8, 16, 4 };
    return type < ORYX_T_COUNT ? size[type] : 0;
}

#include "oryx_ir_build.h"

ORYX_END
#endif
