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

#define MIPS_CP0_REGISTERS 64
#define MIPS_TLB_MAX 64

typedef struct mips_tlb_entry {
    uint64_t hi;         /* EntryHi: region, VPN2, EHINV, ASID */
    uint64_t lo[2];      /* EntryLo: RI and XI at 63 and 62, frame from bit 6, C, D, V */
    uint32_t mask;       /* PageMask */
    uint32_t global;
} mips_tlb_entry;

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
    uint32_t cause;      /* FCSR.Cause while fp_op is 0: of the last FP operation, or as CTC1 wrote it */
    uint32_t level;      /* MIPS_USER..: mips_sys.h */
    uint32_t random;     /* steps of Random */
    oryx_v128 f[32];     /* FPR n is the low half of f[n]; at a multiple of 16 */
    uint64_t cp0[MIPS_CP0_REGISTERS]; /* by CP0_*: mips_sys.h */
    uint64_t fp_a, fp_b, fp_c; /* operands of the last FP operation, when fp_op tells which: Cause is worked out when it is asked for */
    uint32_t fp_op;      /* MIPS_FP_*, or 0: cause holds it */
    uint32_t msacsr;     /* mips_msa.h */
    uint64_t count_at;   /* virtual ticks at which Count was 0 */
    mips_tlb_entry tlb[MIPS_TLB_MAX];
    uint32_t dsp;        /* DSPControl: mips_dsp.h */
    uint32_t reserved;
} mips_state;
_Static_assert(offsetof(mips_state, f) % 16 == 0, "vector slots are aligned for whole-register accesses");

typedef struct mips_fields {
    uint32_t insn;
    uint32_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z;
} mips_fields;
typedef struct mips_model mips_model;

/* Mode key. SLOT: what the instruction at pc follows; CONST kinds find the target's distance from pc in bits 32-63. DONE: the
 * slot's instruction has been served (a system call): only its jump is left. */
enum { MIPS_SLOT_NONE, MIPS_SLOT_ALWAYS, MIPS_SLOT_COND, MIPS_SLOT_INDIRECT, MIPS_SLOT_FORBIDDEN };
#define MIPS_MODE_SLOT(mode) ((uint32_t)(mode) & 7u)
#define MIPS_MODE_DONE 8u
#define MIPS_MODE_DISP(mode) ((int32_t)((mode) >> 32))
#define MIPS_MODE_EXEC 0xffffffff0000000full
#define MIPS_MODE_FR 0x10u              /* Status.FR */
#define MIPS_MODE_R6 0x20u              /* the CPU model is of Release 6 */
#define MIPS_MODE_SYSTEM 0x40u          /* a whole CPU, or bare */
#define MIPS_MODE_KSU(mode) ((uint32_t)(mode) >> 7 & 3u) /* mips_ksu, also the mmu index */
#define MIPS_MODE_CU0 0x200u            /* coprocessors that may be used; kernel mode has CU0 */
#define MIPS_MODE_CU1 0x400u
#define MIPS_MODE_CU2 0x800u
#define MIPS_MODE_NO64 0x1000u          /* 64-bit operations are reserved */
#define MIPS_MODE_DELIVERS 0x2000u      /* exceptions go to the guest's vectors */
#define MIPS_MODE_ISC 0x4000u           /* R3000: stores go to the isolated cache */
#define MIPS_MODE_FRE 0x8000u           /* Config5.FRE with FR = 1: operations on words are reserved */
#define MIPS_MODE_FCSR_SHIFT 16         /* FCSR bits 0-1 (RM) at 16-17, FS at 18, ABS2008 at 19, NAN2008 at 20 */
#define MIPS_MODE_FS 0x40000u
#define MIPS_MODE_ABS2008 0x80000u
#define MIPS_MODE_NAN2008 0x100000u
#define MIPS_MODE_TRAPS 0x200000u       /* some FCSR.Enable is set */
#define MIPS_MODE_MSA 0x400000u         /* MSA may be used: Config5.MSAEn */
#define MIPS_MODE_MSA_PLAIN 0x800000u   /* MSACSR: FCSR's rounding, nothing enabled, nothing flushed by either */
#define MIPS_MODE_DSP 0x1000000u        /* the DSP module may be used: Status.MX */

/* Lift context of one instruction. */
typedef struct mips_lift {
    oryx_ir *ir;
    uint64_t pc;
    uint64_t mode, next_mode;
    uint32_t helper_base;
    uint64_t features;
    const mips_model *model;
    uint32_t insn;
    unsigned w;          /* ORYX_T_I32 or ORYX_T_I64: general registers */
    uint32_t be;         /* ORYX_MO_BE or 0 */
    uint32_t end;        /* set by bodies that emit a block end */
    uint32_t labels;
    bool fp_noted;       /* between mips_fp_begin_noted and mips_fp_end */
    bool as_user;        /* its accesses are the user's (EVA) */
} mips_lift;

/* Features: a row names one without the prefix. Names that end in _5 are of instructions that Release 6 removed. M3 and the
 * names with 64 need 64-bit registers. */
#define MIPS_FEATURES(F) \
    F(BASE) F(BASE_5) F(M2) F(M2_5) F(M3) F(M3_5) F(M4) F(M4_5) F(R1) F(R1_5) F(R1_64) F(R1_64_5) F(R2) F(R2_64) F(R6) F(R6_64) \
    F(FPU) F(FPU_5) F(FPU_64) F(PS) F(R3000) F(ERET) F(MVH) F(EVA) F(EVA_5) F(R5) F(OCTEON) F(XNP) F(XNP_64) F(CRC) F(CRC_64) \
    F(MSA) F(MSA_64) F(MSA_LSA) F(MSA_LSA_64) F(DSP) F(DSP2) F(DSP3) F(DSP_64) F(DSP2_64)
enum {
#define F(name) MIPS_FEAT_BIT_##name,
    MIPS_FEATURES(F)
#undef F
};
enum {
#define F(name) MIPS_FEAT_##name = 1ull << MIPS_FEAT_BIT_##name,
    MIPS_FEATURES(F)
#undef F
};

#define MIPS_FEAT_ALL64 (MIPS_FEAT_M3 | MIPS_FEAT_M3_5 | MIPS_FEAT_R1_64 | MIPS_FEAT_R1_64_5 | MIPS_FEAT_R2_64 | MIPS_FEAT_R6_64 | \
                         MIPS_FEAT_FPU_64 | MIPS_FEAT_XNP_64 | MIPS_FEAT_CRC_64 | MIPS_FEAT_MSA_64 | MIPS_FEAT_MSA_LSA_64 | MIPS_FEAT_DSP_64 | \
                         MIPS_FEAT_DSP2_64)
#define MIPS_FEAT_MSA_ALL (MIPS_FEAT_MSA | MIPS_FEAT_MSA_64)
#define MIPS_FEAT_DSP_ALL (MIPS_FEAT_DSP | MIPS_FEAT_DSP2 | MIPS_FEAT_DSP3 | MIPS_FEAT_DSP_64 | MIPS_FEAT_DSP2_64)

/* What the disassembler knows: everything that no other CPU's instruction contradicts. */
#define MIPS_FEAT_TEXT_R6 (MIPS_FEAT_BASE | MIPS_FEAT_ERET | MIPS_FEAT_M2 | MIPS_FEAT_M3 | MIPS_FEAT_M4 | MIPS_FEAT_R1 | MIPS_FEAT_R1_64 | \
                           MIPS_FEAT_R2 | MIPS_FEAT_R2_64 | MIPS_FEAT_R6 | MIPS_FEAT_R6_64 | MIPS_FEAT_FPU | MIPS_FEAT_FPU_64 | MIPS_FEAT_MVH | \
                           MIPS_FEAT_EVA | MIPS_FEAT_R5 | MIPS_FEAT_XNP | MIPS_FEAT_XNP_64 | MIPS_FEAT_CRC | MIPS_FEAT_CRC_64 | MIPS_FEAT_MSA_ALL | \
                           MIPS_FEAT_DSP_ALL)
#define MIPS_FEAT_TEXT (~(uint64_t)(MIPS_FEAT_R6 | MIPS_FEAT_R6_64 | MIPS_FEAT_R3000 | MIPS_FEAT_OCTEON | MIPS_FEAT_R5 | MIPS_FEAT_XNP | \
                                    MIPS_FEAT_XNP_64 | MIPS_FEAT_CRC | MIPS_FEAT_CRC_64))

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
void mips_raise(mips_lift *l, unsigned exc, uint64_t syndrome);
void mips_reserved(mips_lift *l);                          /* Reserved Instruction */
void mips_unusable(mips_lift *l, unsigned coprocessor);    /* Coprocessor Unusable */
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
enum {
    MIPS_HELPER_CFC1, MIPS_HELPER_CTC1, MIPS_HELPER_CLASS, MIPS_HELPER_MFC0, MIPS_HELPER_MTC0, MIPS_HELPER_RDHWR, MIPS_HELPER_ERET,
    MIPS_HELPER_NEW_MODE, MIPS_HELPER_IE, MIPS_HELPER_RFE, MIPS_HELPER_TLB, MIPS_HELPER_CACHE, MIPS_HELPER_CRC,
    MIPS_HELPER_MSA_FP, MIPS_HELPER_CFCMSA, MIPS_HELPER_CTCMSA,
    MIPS_HELPER_DSP, MIPS_HELPER_DSP_ACC, MIPS_HELPER_DSP_EXTRACT, MIPS_HELPER_COUNT
};

/* A CPU model. kind: of its MMU. */
enum { MIPS_MMU_TLB, MIPS_MMU_FIXED, MIPS_MMU_R3000 };
struct mips_model {
    const char *name, *text;
    uint64_t features;
    uint32_t prid, fir;
    uint8_t mmu, tlb;          /* MIPS_MMU_*, entries */
    uint8_t seg_bits, pa_bits; /* of user space in 64-bit mode, of physical addresses */
    uint8_t revision;          /* 0: before MIPS32; 1, 2, 5, 6 */
    uint32_t config[8];
    uint32_t status_rw;        /* bits of Status that can be written */
    uint32_t config5_rw, kscratch; /* kscratch: KScrExist */
    uint32_t msair;            /* MSAIR */
};

extern const mips_model mips_models32[], mips_models64[];   /* mips_models.c */
extern const unsigned mips_n_models32, mips_n_models64;

#endif
