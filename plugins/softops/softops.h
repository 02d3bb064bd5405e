/* Reference functions of IR ops: one function an op, type and lane, working on places in memory. A static library linked into
 * the engines: engine-interp calls them for what has no handler of its own, engine-x64 for what has no host code.
 *
 * An op is described by an iop; operands are byte distances from a base. Scalars are written zero-extended to 8 bytes (fl: 4
 * bytes, v64: the low 8 bytes); only the width of the type is read. All functions are thread-safe; those of effect E use
 * cpu->fp, those of effect Q its flags. */
#ifndef SOFTOPS_H
#define SOFTOPS_H

#include <string.h>

#include "oryx_plugin.h"

typedef struct iop iop;

/* A small immediate comes in c when the op has fewer than three operands. */
typedef void (*ool_fn)(uint8_t *base, const iop *o, oryx_cpu *cpu);

struct iop {
    const void *label; /* the engine's */
    int32_t d, a, b, c;
    union {
        uint64_t imm;
        ool_fn fn;
        const void *ptr;
    };
};

/* select.c: the function of an op, or NULL when the row does not allow this type and lane. */
ool_fn softop_select(const oryx_ir_op *op);
ool_fn softop_select_scalar(const oryx_ir_op *op); /* ops_scalar.c */
ool_fn softop_select_vec(const oryx_ir_op *op);    /* ops_vec.c */
ool_fn softop_select_vecx(const oryx_ir_op *op);   /* ops_vecx.c */
ool_fn softop_select_fp(const oryx_ir_op *op);     /* ops_fp.c */

/* Kinds of FLMAKE, in ORYX_FL_* order. */
#define FL_KINDS(X) X(ADD) X(ADC) X(SUB) X(SBC) X(SUBC) X(SBCC) X(LOGIC)
/* Flags of an operation in packed form, any width 8..64 (the portable reference). */
uint32_t softop_flags(unsigned kind, unsigned width, uint64_t a, uint64_t b, unsigned cin);
/* Bit ORYX_FC_* of softop_conds[flags]. */
extern const uint32_t softop_conds[512];

/* ops_fp.c: the host's sticky inexact flag stands for ORYX_FPF_INEXACT while a block runs. */
uint32_t softop_fp_begin(void);                       /* clears it; returns what to give to end */
void softop_fp_end(oryx_cpu *cpu, uint32_t saved);
void softop_fp_merge(oryx_cpu *cpu);                  /* host flag -> cpu->fp.flags; clears the host's */
void softop_fp_discard(oryx_cpu *cpu);                /* forget what host code outside the engine has set */
void softop_fp_bin(unsigned op, unsigned type, uint8_t *base, const iop *o, oryx_cpu *cpu); /* slow FADD..FDIV */

/* Unaligned places. */
typedef uint16_t __attribute__((aligned(1), may_alias)) u16u;
typedef uint32_t __attribute__((aligned(1), may_alias)) u32u;
typedef uint64_t __attribute__((aligned(1), may_alias)) u64u;
typedef float __attribute__((aligned(1), may_alias)) f32u;
typedef double __attribute__((aligned(1), may_alias)) f64u;
__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 s128;

#define R8(off)        (*(const uint8_t *)(base + (off)))
#define R16(off)       (*(const u16u *)(base + (off)))
#define R32(off)       (*(const u32u *)(base + (off)))
#define R64(off)       (*(const u64u *)(base + (off)))
#define W8(off, v)     (*(uint8_t *)(base + (off)) = (uint8_t)(v))
#define W16(off, v)    (*(u16u *)(base + (off)) = (uint16_t)(v))
#define W32(off, v)    (*(u32u *)(base + (off)) = (uint32_t)(v))
#define W64(off, v)    (*(u64u *)(base + (off)) = (uint64_t)(v))

#endif
