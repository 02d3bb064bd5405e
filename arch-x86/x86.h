/* The x86 frontend: state layout, the row macro, the lift context and its small vocabulary.
 *
 * Zydis decodes; a row is a mnemonic with the manual's forms, and its body works on decoded
 * operands, so one body serves every form (x86_<chapter>.c). cmake/gen_x86.py makes the table from
 * the rows: mnemonic -> body and feature.
 *
 * Sections cited are of the Intel 64 and IA-32 Architectures Software Developer's Manual (SDM). */
#ifndef X86_H
#define X86_H

#include <stdbool.h>

#include <Zydis/Zydis.h>

#include "oryx.h"

/* A segment register with its hidden part: SDM 3A 3.4.3. */
typedef struct x86_seg {
    uint64_t base;
    uint32_t limit; /* last valid offset */
    uint16_t selector;
    uint16_t attr; /* descriptor bits 40-55: type, S, DPL, P, then AVL, L, D/B, G at 12-15 */
} x86_seg;
enum { X86_ES, X86_CS, X86_SS, X86_DS, X86_FS, X86_GS };

/* The x87 unit, in which MMX registers are the low halves of r. While live (oryx_cpu.host_fp), r, sw and tag are in the host's
 * own unit and stale here. Owned by x86_fpu.c. */
typedef struct x86_fpu {
    oryx_v128 r[8]; /* physical registers, 80 bits; mm0 is r[0] whatever TOP is */
    uint16_t cw;    /* always valid here */
    uint16_t sw;    /* with TOP */
    uint16_t tag;   /* bit n: r[n] is not empty */
    uint16_t host_cw;
    uint32_t undo; /* a popping store has popped but not stored yet: it is undone when the store faults */
    uint32_t skip; /* an unmasked exception kept the result from being stored */
    uint64_t last; /* instruction pointer in bits 0-47, opcode in bits 48-58 */
    uint64_t data; /* data pointer */
    uint64_t out[2]; /* of a store */
} x86_fpu;

/* The vCPU's state block. Outside 64-bit code the high halves of r are zero. */
typedef struct x86_state {
    uint64_t r[16];  /* rax rcx rdx rbx rsp rbp rsi rdi r8-r15 */
    uint64_t pc;     /* linear: CS.base + rIP */
    uint64_t step;   /* 1, or all ones when EFLAGS.DF is set */
    uint32_t fl;     /* C P A Z S, O at bit 8: the IR's packed flags */
    uint32_t eflags; /* the other bits of EFLAGS but DF; bit 1 set */
    x86_seg seg[6];
    uint32_t model;  /* index into the class's models */
    uint32_t mode;   /* X86_MODE_CODE bits: 0 16-bit code, 1 32-bit, 2 64-bit */
    uint64_t random; /* state of the generator behind RDRAND and RDSEED */
    uint64_t tsc_offset;
    uint32_t mxcsr; /* all but the sticky flags, which are cpu->fp.flags and mxcsr_de */
    uint32_t tsc_aux;
    uint64_t xcr0;
    uint64_t reserved[4];
    oryx_v128 x[32]; /* xmm n at 2n, the high half of ymm n behind it */
    x86_fpu fpu;
} x86_state;
_Static_assert(offsetof(x86_state, x) % 16 == 0,
               "vector slots are aligned for whole-register accesses");

enum { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI };

/* Mode key. */
#define X86_MODE_CODE        3u             /* 0: 16-bit code, 1: 32-bit, 2: 64-bit */
#define X86_MODE_FLAT        4u             /* the bases of ES, CS, SS and DS are 0 */
#define X86_MODE_STACK16     8u             /* SS.B is 0 */
#define X86_MODE_BASE(mode)  ((mode) >> 32) /* CS.base */
#define X86_MODE_MXCSR_SHIFT 16 /* MXCSR bits 6 (DAZ), 7-12 (masks), 13-14 (RC), 15 (FZ) at 16-25 \
                                 */

#define X86_MODE_X87_UNMASKED 16u /* the x87 control word unmasks an exception */

/* EFLAGS bits: SDM 1 3.4.3. */
#define X86_CF 0x1u
#define X86_PF 0x4u
#define X86_AF 0x10u
#define X86_ZF 0x40u
#define X86_SF 0x80u
#define X86_TF 0x100u
#define X86_IF 0x200u
#define X86_DF 0x400u
#define X86_OF 0x800u
#define X86_NT 0x4000u
#define X86_RF 0x10000u
#define X86_AC 0x40000u
#define X86_ID 0x200000u
#define X86_ARITH \
    (X86_CF | X86_PF | X86_AF | X86_ZF | X86_SF) /* at the same places in the IR's packed flags */

/* Syndrome of an exception: vector in bits 0-7, error code in bits 8-39, bit 40: there is an error
 * code. */
enum {
    X86_VEC_DE = 0,
    X86_VEC_DB = 1,
    X86_VEC_BP = 3,
    X86_VEC_OF = 4,
    X86_VEC_BR = 5,
    X86_VEC_UD = 6,
    X86_VEC_NM = 7,
    X86_VEC_NP = 11,
    X86_VEC_SS = 12,
    X86_VEC_GP = 13,
    X86_VEC_PF = 14,
    X86_VEC_MF = 16,
    X86_VEC_AC = 17,
    X86_VEC_XM = 19
};
#define X86_ERROR_CODE(code) ((uint64_t)1 << 40 | (uint64_t)(code) << 8)

/* Features: a row names one without the prefix; a CPU model has a set. */
#define X86_FEATURES(F)                                                                           \
    F(BASE)                                                                                       \
    F(I186) F(I386) F(I486) F(CX8) F(CMOV) F(NOPL) F(SSE) F(SSE2) F(SSE3) F(SSSE3) F(SSE41)       \
        F(SSE42) F(POPCNT) F(LZCNT) F(BMI1) F(BMI2) F(ADX) F(MOVBE) F(CX16) F(LAHF64) F(FSGSBASE) \
            F(RDRAND) F(RDSEED) F(RDPID) F(RDTSCP) F(CLFLUSHOPT) F(CLWB) F(LONG) F(FPU) F(MMX)   \
                F(FXSR) F(XSAVE) F(XSAVEOPT) F(XSAVEC)
enum {
#define F(name) X86_FEAT_BIT_##name,
    X86_FEATURES(F)
#undef F
};
#define X86_FEAT(name) ((uint64_t)1 << X86_FEAT_BIT_##name)

/* Lift context of one instruction. */
typedef struct x86_lift {
    oryx_ir *ir;
    uint64_t pc, next; /* of this instruction, behind it */
    uint64_t mode;
    uint32_t helper_base;
    uint64_t features;
    uint32_t end; /* set by bodies that emit a block end */
    uint32_t labels;
    const ZydisDecodedInstruction *insn;
    const ZydisDecodedOperand *op;
    oryx_val ea; /* address of the memory operand once x86_ea has made it; 0 across labels */
} x86_lift;

/* forms: opcode and operands as in the manual's tables, separated by "; ". */
#define ORYX_INSN(name, forms, feature) \
    void x86_lift_##name(x86_lift *l);  \
    void x86_lift_##name(x86_lift *l)

typedef struct x86_row {
    void (*lift)(x86_lift *l);
    uint32_t feature; /* number */
} x86_row;
extern const x86_row x86_rows[ZYDIS_MNEMONIC_MAX_VALUE + 1];

#define X86_OFF(member) ((uint32_t)offsetof(x86_state, member))
#define X86_OFF_R(n)    (X86_OFF(r) + 8u * (n))
#define X86_OFF_X(n)    (X86_OFF(x) + 32u * (n))
#define X86_OFF_MM(n)   (X86_OFF(fpu.r) + 16u * (n))
#define X86_OFF_SEG(n, member) \
    (X86_OFF(seg) + (uint32_t)(sizeof(x86_seg) * (n) + offsetof(x86_seg, member)))

#define I1   ORYX_T_I1
#define I8   ORYX_T_I8
#define I16  ORYX_T_I16
#define I32  ORYX_T_I32
#define I64  ORYX_T_I64
#define FL   ORYX_T_FL
#define V128 ORYX_T_V128

/* x86_common.c: the vocabulary of bodies. */
static inline bool x86_is64(const x86_lift *l)
{
    return (l->mode & X86_MODE_CODE) == 2;
}
unsigned x86_type(unsigned bits); /* ORYX_T_I8..I64, V128 */
unsigned x86_bits(unsigned type);
static inline uint32_t x86_memop(unsigned type) /* a plain access of this type */
{
    return (uint32_t)__builtin_ctz(oryx_type_size(type));
}
oryx_val x86_imm(x86_lift *l, unsigned type, uint64_t v);
oryx_val x86_bin(x86_lift *l, unsigned op, unsigned type, oryx_val a, oryx_val b);
oryx_val x86_bini(x86_lift *l, unsigned op, unsigned type, oryx_val a, uint64_t b);
oryx_val x86_not(x86_lift *l, oryx_val i1);
uint32_t x86_label(x86_lift *l);
void x86_place(x86_lift *l, uint32_t label); /* values die here */
/* General registers by number; a write of 32 bits clears the high half, one of 8 or 16 keeps the
 * rest. high: ah..bh. */
oryx_val x86_r(x86_lift *l, unsigned type, unsigned n);
void x86_set_r(x86_lift *l, unsigned type, unsigned n, oryx_val v);
/* Operands by number; a value has the operand's type. */
unsigned x86_op_type(const x86_lift *l, unsigned i);
bool x86_is_mem(const x86_lift *l, unsigned i);
oryx_val x86_read(x86_lift *l, unsigned i);
void x86_write(x86_lift *l, unsigned i, oryx_val v);
oryx_val x86_ea(x86_lift *l, unsigned i); /* linear address of memory operand i, i64 */
oryx_val x86_offset(x86_lift *l,
                    unsigned i); /* without the segment's base, in the type of the address size */
oryx_val x86_linear(x86_lift *l, unsigned seg, oryx_val offset, unsigned type); /* seg: X86_ES.. */
unsigned x86_seg_number(ZydisRegister reg);
/* Flags: tokens of type FL; x86_flags_cond: condition code as in opcodes (0 O .. 15 G). */
oryx_val x86_flags(x86_lift *l);
void x86_set_flags(x86_lift *l, oryx_val fl);
oryx_val x86_cond(x86_lift *l, unsigned cc);
oryx_val x86_carry(x86_lift *l); /* i1 */
/* Flags with the bits of mask (IR's packed layout) from the i32 bits, the others from fl. */
oryx_val x86_flags_mix(x86_lift *l, oryx_val fl, uint32_t mask, oryx_val bits);
oryx_val x86_flags_word(x86_lift *l, oryx_val fl); /* packed, i32 */
/* Exceptions: end the block, guest state as at the instruction's start. */
void x86_raise(x86_lift *l, unsigned exc, uint64_t syndrome);
void x86_undefined(x86_lift *l);
void x86_protection(x86_lift *l); /* #GP(0): a privileged instruction */
void x86_raise_if(x86_lift *l, oryx_val i1, unsigned exc, uint64_t syndrome);
/* Control flow. Constant targets are linear, those of x86_jump offsets in CS. */
uint64_t x86_ip(const x86_lift *l, uint64_t pc); /* offset in CS of a linear address */
void x86_goto(x86_lift *l, uint64_t to);
void x86_branch(x86_lift *l, oryx_val cond, uint64_t to);
void x86_jump(x86_lift *l, oryx_val to, unsigned type, unsigned hint);
/* Stack: type is of the value, or of the stack pointer (x86_stack_type). */
unsigned x86_stack_type(const x86_lift *l);
oryx_val x86_stack_at(x86_lift *l, oryx_val sp); /* linear address of SS:sp */
void x86_push(x86_lift *l, unsigned type, oryx_val v);
/* Lock prefix on a memory destination, which x86_lock_* then access atomically. */
bool x86_locked(const x86_lift *l);
oryx_val x86_call(x86_lift *l, unsigned helper, unsigned type, const oryx_val *v, unsigned n);

/* Helpers, by number from helper_base; rows in x86_helpers.def. */
enum {
#define HELPER(NAME, fn, signature, effects) X86_HELPER_##NAME,
#include "x86_helpers.def"
#undef HELPER
    X86_HELPER_COUNT
};

/* x86_helpers.c: EFLAGS as software sees it. */
uint32_t x86_eflags(const x86_state *s);
void x86_set_eflags(x86_state *s, uint32_t v);

typedef struct x86_model {
    const char *name, *text;
    uint64_t features;
    uint32_t signature; /* CPUID.1 EAX */
} x86_model;

const x86_model *x86_model_of(const oryx_cpu *cpu); /* x86.c */

#endif
