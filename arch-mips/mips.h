/* The MIPS frontend: state layout, the row macro, the lift context and its small vocabulary.
 *
 * An instruction is a row and a body, adjacent (mips_<chapter>.c; r6_<chapter>.c for encodings that Release 6 gave to other
 * instructions). Pattern and text language are those of arch-arm/a64.h; directives are mips_t_name of mips_text.h. Field
 * letters: s = rs, t = rt, d = rd, a = sa, i = immediate; of coprocessor 1 s = fs, t = ft, d = fd, m = fmt, r = fr.
 *
 * Sections cited are of MD00087 (MIPS64 instruction set) and MD00083/MD00091 (privileged architecture, MIPS64).
 *
 * A branch does not end its block: it notes in the mode key that the next instruction stands in its delay slot and, when
 * the target is a constant, where it is; the slot's instruction is lifted next, and the jump follows it. So a block can
 * start in a slot, and a fault, a probe or a stop there finds the branch in the state: exec holds the mode key's bits, bcond
 * and btarget what was computed. */
#ifndef MIPS_H
#define MIPS_H

#include <stdbool.h>

#include "oryx.h"

/* The vCPU's state block. 32-bit classes use the low halves of r, hi, lo. */
typedef struct mips_state {
    uint64_t r[32];      /* r[0] is never written */
    uint64_t hi[4], lo[4]; /* HI, LO, and the accumulators 1-3 of the DSP module */
    uint64_t pc;
    uint64_t exec;       /* MIPS_MODE_EXEC bits of the mode key */
    uint64_t btarget;    /* of the indirect jump whose slot is next */
    uint32_t bcond;      /* of the conditional branch whose slot is next: 0 or 1 */
    uint32_t model;      /* index into the class's models */
    uint64_t userlocal;
    uint32_t fcsr;       /* all but the sticky flags, which are cpu->fp.flags, and Cause */
    uint32_t fcc;        /* FP condition codes 0-7 */
    uint32_t status_fr;  /* Status.FR: 0 or 1 */
    uint32_t cause;      /* FCSR.Cause: of the last FP operation, or as CTC1 wrote it */
    uint32_t reserved[2];
    oryx_v128 f[32];     /* FPR n is the low half of f[n]; at a multiple of 16 */
} mips_state;
_Static_assert(offsetof(mips_state, f) % 16 == 0, "vector slots are aligned for whole-register accesses");

typedef struct mips_fields {
    uint32_t insn;
    uint32_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z;
} mips_fields;

/* Mode key. SLOT: what the instruction at pc follows; CONST kinds find the target's distance from pc in bits 32-63. DONE: the
 * slot's instruction has been served (a system call): only its jump is left. */
enum { MIPS_SLOT_NONE, MIPS_SLOT_ALWAYS, MIPS_SLOT_COND, MIPS_SLOT_INDIRECT, MIPS_SLOT_FORBIDDEN };
#define MIPS_MODE_SLOT(mode) ((uint32_t)(mode) & 7u)
#define MIPS_MODE_DONE 8u
#define MIPS_MODE_DISP(mode) ((int32_t)((mode) >> 32))
#define MIPS_MODE_EXEC 0xffffffff0000000full
#define MIPS_MODE_FR 0x10u              /* Status.FR */
#define MIPS_MODE_R6 0x20u              /* the CPU model is of Release 6 */
#define MIPS_MODE_FCSR_SHIFT 16         /* FCSR bits 0-1 (RM) at 16-17, FS at 18, ABS2008 at 19, NAN2008 at 20 */
#define MIPS_MODE_FS 0x40000u
#define MIPS_MODE_ABS2008 0x80000u
#define MIPS_MODE_NAN2008 0x100000u
#define MIPS_MODE_TRAPS 0x200000u       /* some FCSR.Enable is set */

/* Lift context of one instruction. */
typedef struct mips_lift {
    oryx_ir *ir;
    uint64_t pc;
    uint64_t mode, next_mode;
    uint32_t helper_base;
    uint32_t features;
    uint32_t insn;
    unsigned w;          /* ORYX_T_I32 or ORYX_T_I64: general registers */
    uint32_t be;         /* ORYX_MO_BE or 0 */
    uint32_t end;        /* set by bodies that emit a block end */
    uint32_t labels;
} mips_lift;

/* Features: a row names one without the prefix. Names that end in _5 are of instructions that Release 6 removed. M3 and the
 * names with 64 need 64-bit registers. */
#define MIPS_FEATURES(F) F(BASE) F(BASE_5) F(M2) F(M2_5) F(M3) F(M3_5) F(M4) F(M4_5) F(R1) F(R1_5) F(R1_64) F(R1_64_5) F(R2) F(R2_64) \
    F(R6) F(R6_64) F(FPU) F(FPU_5) F(FPU_64)
enum {
#define F(name) MIPS_FEAT_BIT_##name,
    MIPS_FEATURES(F)
#undef F
};
enum {
#define F(name) MIPS_FEAT_##name = 1u << MIPS_FEAT_BIT_##name,
    MIPS_FEATURES(F)
#undef F
};

#define MIPS_FEAT_ALL64 (MIPS_FEAT_M3 | MIPS_FEAT_M3_5 | MIPS_FEAT_R1_64 | MIPS_FEAT_R1_64_5 | MIPS_FEAT_R2_64 | MIPS_FEAT_R6_64 | \
                         MIPS_FEAT_FPU_64)

#define ORYX_INSN(name, pattern, text, feature)                            \
    void mips_lift_##name(mips_lift *l, const mips_fields *f);             \
    void mips_lift_##name(mips_lift *l, const mips_fields *f)

#define MIPS_OFF(member) ((uint32_t)offsetof(mips_state, member))
#define MIPS_OFF_R(n) (MIPS_OFF(r) + 8u * (n))
#define MIPS_OFF_F(n) (MIPS_OFF(f) + 16u * (n))

#define I1 ORYX_T_I1
#define I32 ORYX_T_I32
#define I64 ORYX_T_I64

static inline int32_t mips_sx(uint32_t v, unsigned bits)
{
    return (int32_t)(v << (32 - bits)) >> (32 - bits);
}

/* mips_common.c: the vocabulary of bodies. Values have type l->w unless said. */
oryx_val mips_imm(mips_lift *l, int64_t v);
oryx_val mips_imm32(mips_lift *l, uint32_t v);
oryx_val mips_r(mips_lift *l, unsigned n);
oryx_val mips_r32(mips_lift *l, unsigned n);               /* low 32 bits, i32 */
void mips_set(mips_lift *l, unsigned n, oryx_val v);
void mips_set32(mips_lift *l, unsigned n, oryx_val v);     /* i32, sign-extended */
void mips_put(mips_lift *l, uint32_t offset, oryx_val v);  /* a slot of type l->w */
oryx_val mips_bin(mips_lift *l, unsigned op, oryx_val a, oryx_val b);
oryx_val mips_bin32(mips_lift *l, unsigned op, oryx_val a, oryx_val b);
oryx_val mips_flag(mips_lift *l, oryx_val i1);             /* 0 or 1 as l->w */
uint32_t mips_label(mips_lift *l);
/* Exceptions: end the block, guest state as at the instruction's start. */
void mips_raise(mips_lift *l, unsigned exc, uint32_t syndrome);
void mips_reserved(mips_lift *l);                          /* Reserved Instruction */
void mips_raise_if(mips_lift *l, oryx_val i1, unsigned exc, uint32_t syndrome); /* values do not live across it */
/* Memory. z: log2 of the bytes; addresses are i64. Naturally aligned accesses only, unless the release has others. */
oryx_val mips_ea(mips_lift *l, unsigned base, int32_t offset);
oryx_val mips_ea_reg(mips_lift *l, unsigned base, unsigned index);
uint32_t mips_memop(const mips_lift *l, unsigned z);
/* Branches: disp is from the delay slot (pc + 4). cond: i1, 0 = always. A branch in a slot is a Reserved Instruction:
 * false, and nothing is to be done. */
bool mips_branch_ok(mips_lift *l);
void mips_link(mips_lift *l, unsigned r);                  /* the address behind the slot */
void mips_branch(mips_lift *l, oryx_val cond, int32_t disp);
void mips_branch_likely(mips_lift *l, oryx_val cond, int32_t disp);
void mips_jump(mips_lift *l, oryx_val target);             /* l->w */
void mips_compact(mips_lift *l, oryx_val cond, int32_t disp); /* no slot; disp from pc + 4 */
void mips_leave(mips_lift *l, uint64_t mode);
void mips_finish_slot(mips_lift *l);
uint64_t mips_next(mips_lift *l);                          /* where execution goes on behind this instruction, the state ready for it */
void mips_resync(mips_lift *l);                            /* ends the instruction: the mode key may have changed */

uint64_t mips_resume(const oryx_cpu *cpu);                 /* mips.c */

/* Helpers, by number from helper_base (mips_fpenv.c). */
enum { MIPS_HELPER_CFC1, MIPS_HELPER_CTC1, MIPS_HELPER_CLASS, MIPS_HELPER_COUNT };

/* A class: what its rows may do, its models. */
typedef struct mips_model {
    const char *name, *text;
    uint32_t features;
    uint32_t prid, fir;
} mips_model;

#endif
