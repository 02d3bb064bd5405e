/* A32 and T32 frontend (class "arm"): state layout, the row macro, the lift context and its small vocabulary.
 *
 * An instruction is a row and a body, adjacent (a32_<chapter>.c, t32_<chapter>.c); the pattern and text language is
 * a64.h's, with these differences:
 *   - An A32 pattern begins with cccc (the condition, 0..14: the wrapper in a32.c applies it, bodies do not see it) or
 *     with 1111 (the unconditional space). A T32 pattern has 16 characters, or 32 (first halfword first).
 *   - Text: %c() prints the instruction's condition (of its field, or of the IT block it stands in), %s16() the "s" of
 *     16-bit data processing outside IT blocks. Directives are a32_t_name of a32_text.h.
 * T32 rows name their fields as the A32 rows of the same instruction do, so both call one function of the fields.
 *
 * Conditions: the wrapper first lifts a conditional body with l->pred set: a32_set_reg, a32_set_flags and a32_put then write
 * SELECT(pred, new, old). When the body made nothing but pure ops and such writes it stays; otherwise it is lifted again
 * behind a BRC around it. Labels of bodies come from a32_label_new. */
#ifndef A32_H
#define A32_H

#include "oryx.h"

#define A32_SYS_SLOTS 192
/* What a vCPU above user level has beside the user's registers (a32_sys.h); all zero for a user-level CPU. */
typedef struct a32_system {
    uint32_t psr;        /* CPSR.M, F, I, A */
    uint8_t level;       /* 0: user level, 1: "bare", 2: a whole CPU */
    uint8_t tz;          /* has the Security Extensions */
    uint8_t reserved[2];
    uint32_t fpexc;
    uint32_t spsr[8], r13[8], r14[8]; /* by BANK_*; r13 and r14 of modes that are not current */
    uint32_t r8_fiq[5], r8_usr[5];    /* r8 to r12 of those that are not current */
    uint32_t tpidr[2][2];             /* TPIDRURW, TPIDRURO of the worlds; the current one's are in the user slots */
    uint64_t sys[A32_SYS_SLOTS][2];   /* by row of a32_cp15.def; [1]: the non-secure copy of a banked one */
} a32_system;

/* The vCPU's state block. r15 is pc, the address of the instruction; bodies read it through a32_reg. */
typedef struct a32_state {
    uint32_t r[15];
    uint32_t reserved0;
    uint64_t pc;
    uint32_t flags;      /* NZCV as an fl slot (packed, ORYX_FLAG_*); C is Arm's carry */
    uint32_t q;          /* CPSR.Q: 0 or 1 */
    uint32_t ge;         /* CPSR.GE: each flag as a byte of zeros or ones */
    uint32_t exec;       /* CPSR.T, E and IT as in the mode key (A32_MODE_*) */
    uint32_t tpidrurw, tpidruro;
    uint32_t fpscr;      /* A32_FPSCR_CONTROL only: the sticky flags are cpu->fp.flags, NZCV is fpflags */
    uint32_t model;      /* index into a32_models */
    uint32_t fpflags;    /* FPSCR.NZCV as an fl slot */
    uint32_t be32;       /* a user-level CPU of a BE-32 program: code and data are big-endian */
    uint32_t reserved[4];
    oryx_v128 v[16];     /* Q0-Q15: D(n) at 8 * n, S(n) at 4 * n; at a multiple of 16 */
    a32_system system;
} a32_state;
_Static_assert(offsetof(a32_state, v) % 16 == 0, "vector slots are aligned for whole-register accesses");

typedef struct a32_fields {
    uint32_t insn;
    uint32_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z;
} a32_fields;

/* Mode key: what the IR depends on besides the bytes. IT is ITSTATE as in the manual: condition and mask of the next
 * instruction, 0 outside IT blocks. */
#define A32_MODE_T 1u
#define A32_MODE_E 2u
/* Of CPUs above user level (0 for others). */
#define A32_MODE_SYSTEM 4u
#define A32_MODE_MMU(mode) ((mode) >> 3 & 3)    /* mmu index: bit 0 user, bit 1 non-secure of a CPU with security */
#define A32_MODE_USER 8u
#define A32_MODE_FPOFF 0x20u            /* CPACR, NSACR: no FP, no AdvSIMD */
#define A32_MODE_FPDIS 0x40u            /* FPEXC.EN is 0 */
#define A32_MODE_ALIGN 0x80u            /* SCTLR.A */
#define A32_MODE_LEGACY 0x08000000u     /* Armv6 with SCTLR.U = 0: unaligned words rotate */
#define A32_MODE_BE32 0x10000000u       /* SCTLR.B; at user level a32_state.be32 */
#define A32_MODE_NOASE 0x20000000u      /* CPACR.ASEDIS, NSACR.NSASEDIS */
#define A32_MODE_IT_SHIFT 8
#define A32_MODE_IT(mode) ((uint32_t)(mode) >> A32_MODE_IT_SHIFT & 0xffu)
#define A32_MODE_EXEC 0xff03u           /* what a32_state.exec holds */
/* Bits 16 to 26 are FPSCR's: AHP DN FZ RMode, and Len and Stride, which must be 0 where VFP data processing is lifted. */
#define A32_FPSCR_CONTROL 0x07f70000u   /* the writable control bits; trap enables read as zero */
#define A32_FPSCR_VECTOR 0x00370000u    /* Len, Stride */
#define A32_MODE_ALL (A32_MODE_EXEC | A32_FPSCR_CONTROL)
/* Bits 2 to 7 and 27 to 31 are each class's own; what ends a block keeps them. */
#define A32_MODE_IT_MASK 0xff00u

/* Lift context of one instruction. */
typedef struct a32_lift {
    oryx_ir *ir;
    uint32_t pc;
    uint32_t len;        /* 2 or 4 */
    uint32_t mode;       /* of this instruction */
    uint32_t next_mode;  /* of the next in sequence: IT advanced, or what the body says */
    uint32_t helper_base;
    uint32_t features;   /* A32_FEAT_* of the CPU model */
    const struct a32_model *model;
    uint32_t insn;
    uint32_t end;        /* set by bodies that emit a block end */
    uint32_t refused;    /* set when a body finds the encoding UNPREDICTABLE (a write to r15): UNDEFINED here */
    oryx_val pred;       /* see above */
    uint32_t own_cond;   /* set by a body that used pred itself */
    uint32_t labels;
    struct armm_extra *m_profile; /* class "armm": a32_set_reg and a32_bx ask the functions below; else NULL */
    uint32_t align;      /* with SCTLR.A: log2 of the alignment asked + 1, where it is not the access's size */
    uint32_t memop;      /* joined to the memop of every access of a CPU above user level: mmu index, user */
} a32_lift;

/* Features: a row names one without the prefix. BASE is Armv4T. VFP is VFPv2 with D0-D15, VFP4 fused multiply-add; V8FP
 * the VFP and AdvSIMD of Armv8. */
#define A32_FEATURES(F) F(BASE) F(V5) F(V5E) F(V6) F(V6K) F(T2) F(V7) F(MP) F(IDIV) F(V8) F(CRC32) \
    F(VFP) F(VFP3) F(D32) F(HALF) F(VFP4) F(NEON) F(V8FP) F(AES) F(SHA1) F(SHA256) F(RDM) F(JSCVT) F(DOTPROD) F(FCMA) F(SEC) F(VIRT)
enum {
#define F(name) A32_FEAT_BIT_##name,
    A32_FEATURES(F)
#undef F
};
enum {
#define F(name) A32_FEAT_##name = 1u << A32_FEAT_BIT_##name,
    A32_FEATURES(F)
#undef F
};

#define ORYX_INSN(name, pattern, text, feature)                          \
    void a32_lift_##name(a32_lift *l, const a32_fields *f);              \
    void a32_lift_##name(a32_lift *l, const a32_fields *f)

#define A32_OFF_R(n) ((uint32_t)(offsetof(a32_state, r) + 4u * (n)))
#define A32_OFF_V(n) ((uint32_t)(offsetof(a32_state, v) + 16u * (n)))
#define A32_OFF_D(n) ((uint32_t)(offsetof(a32_state, v) + 8u * (n)))
#define A32_OFF_S(n) ((uint32_t)(offsetof(a32_state, v) + 4u * (n)))
#define A32_OFF(member) ((uint32_t)offsetof(a32_state, member))

#define I32 ORYX_T_I32
#define I64 ORYX_T_I64

/* The mode key for questions about the A-profile system level: class "armm" uses the same bits for other things. */
static inline uint32_t a32_system_bits(const a32_lift *l)
{
    return l->m_profile ? 0 : l->mode;
}

/* Data is big-endian. User level sees BE-32 as nothing but big-endian; with SCTLR.B addresses tell (a32_bytes32). */
static inline int a32_big(const a32_lift *l)
{
    return l->mode & A32_MODE_E || (a32_system_bits(l) & (A32_MODE_BE32 | A32_MODE_SYSTEM)) == A32_MODE_BE32;
}

/* a32_common.c: the vocabulary of bodies. */
static inline oryx_val a32_imm(a32_lift *l, uint32_t value)
{
    return oryx_const(l->ir, I32, value);
}
static inline oryx_val a32_bin(a32_lift *l, unsigned op, oryx_val a, oryx_val b)
{
    return oryx_bin(l->ir, op, I32, a, b);
}
static inline oryx_val a32_bini(a32_lift *l, unsigned op, oryx_val a, uint32_t b)
{
    return oryx_bin(l->ir, op, I32, a, a32_imm(l, b));
}
static inline int32_t a32_sx(uint32_t v, unsigned bits)
{
    return (int32_t)(v << (32 - bits)) >> (32 - bits);
}
uint32_t a32_pc(const a32_lift *l);                       /* what reading r15 gives: + 8 in A32, + 4 in T32 */
oryx_val a32_reg(a32_lift *l, unsigned n);
void a32_set_reg(a32_lift *l, unsigned n, oryx_val v);    /* n == 15: refused */
void a32_put(a32_lift *l, uint32_t offset, oryx_val v);   /* a 32-bit slot */
oryx_val a32_flags(a32_lift *l);
void a32_set_flags(a32_lift *l, oryx_val fl);
oryx_val a32_carry(a32_lift *l);                          /* i1: C */
void a32_set_nz(a32_lift *l, oryx_val v);                 /* N, Z of v; C, V stay */
void a32_set_nzc(a32_lift *l, oryx_val v, oryx_val c);    /* N, Z of v, C = c (i1), V stays */
void a32_set_nz64(a32_lift *l, oryx_val v);
oryx_val a32_cond(a32_lift *l, unsigned cond);            /* i1: condition code 0..13 of the current flags */
oryx_val a32_cond_not(a32_lift *l, unsigned cond);
void a32_set_q(a32_lift *l, oryx_val saturated);          /* i1: Q |= saturated */
void a32_undefined(a32_lift *l);
void a32_raise(a32_lift *l, unsigned exc, uint32_t syndrome, uint32_t pc);
uint32_t a32_label_new(a32_lift *l);

/* Block ends: bodies end with one of these. */
void a32_leave(a32_lift *l, uint32_t mode);               /* state and mode key of what follows, when it differs */
void a32_branch(a32_lift *l, uint32_t to);                /* same instruction set */
void a32_branch_set(a32_lift *l, uint32_t to, unsigned thumb);
void a32_bx(a32_lift *l, oryx_val to, unsigned hint);     /* BXWritePC */
void a32_branch_reg(a32_lift *l, oryx_val to, unsigned hint); /* BranchWritePC */
void a32_alu_pc(a32_lift *l, oryx_val v);                 /* ALUWritePC */
void a32_load_pc(a32_lift *l, oryx_val v, unsigned hint); /* LoadWritePC */
/* Register n, or pc as data processing writes it. */
void a32_set_reg_alu(a32_lift *l, unsigned n, oryx_val v);

/* Memory: z is log2 of the bytes. Data endianness follows CPSR.E. MemU: unaligned as the architecture version has it;
 * MemA: aligned or ORYX_FAULT_ALIGN. */
oryx_val a32_load(a32_lift *l, oryx_val addr, unsigned z, unsigned sign);
void a32_store(a32_lift *l, oryx_val addr, oryx_val v, unsigned z);
uint32_t a32_mem_a(const a32_lift *l, unsigned z);        /* memop of MemA */
int a32_legacy(const a32_lift *l);
oryx_val a32_base_aligned(a32_lift *l, oryx_val v);       /* the address of words, as unaligned ones are treated */
oryx_val a32_bytes32(a32_lift *l, oryx_val addr, unsigned z);
void a32_unprivileged(a32_lift *l, unsigned yes);
oryx_val a32_addr(a32_lift *l, oryx_val v);               /* 32 to 64 bits */

/* Shifts. type: 0 LSL, 1 LSR, 2 ASR, 3 ROR; carry may be NULL, else *carry is the carry out (i1). */
oryx_val a32_shift_imm(a32_lift *l, oryx_val v, unsigned type, unsigned imm5, oryx_val *carry);
oryx_val a32_shift_reg(a32_lift *l, oryx_val v, unsigned type, oryx_val amount, oryx_val *carry);

/* a32_dp.c, shared by both instruction sets. Operation numbers are the opcode field of A32 data processing, and ORN. */
enum { A32_AND, A32_EOR, A32_SUB, A32_RSB, A32_ADD, A32_ADC, A32_SBC, A32_RSC, A32_TST, A32_TEQ, A32_CMP, A32_CMN,
       A32_ORR, A32_MOV, A32_BIC, A32_MVN, A32_ORN };
/* carry: of the shifter, 0: C stays. s: set flags. */
void a32_data(a32_lift *l, unsigned op, unsigned s, unsigned d, oryx_val n, oryx_val b, oryx_val carry);
void a32_data_imm(a32_lift *l, unsigned op, unsigned s, unsigned d, unsigned n, uint32_t imm, int carry); /* carry -1: stays */
void a32_data_reg(a32_lift *l, unsigned op, unsigned s, unsigned d, unsigned n, unsigned m, unsigned type, unsigned imm5);

/* Other functions of the fields that T32 rows share (field letters as in the A32 row). */
#define A32_SHARED(S) S(multiply) S(mla) S(mls) S(multiply_long) S(umaal) S(sm_half) S(smlaw) S(smlal_half) S(smlad) \
    S(smlald) S(smmla) S(usada8) S(divide) S(parallel) S(extend) S(pkh) S(sat) S(sat16) S(sel) S(clz) S(rev) S(bfx) S(bfi) \
    S(qadd) S(movt) S(ldrex) S(strex) S(ldrexd) S(strexd) S(clrex) S(lda) S(stl) S(crc) S(mrs) S(msr) S(tls_read) \
    S(tls_write) S(cp15_barrier) S(barrier) S(hint) S(wait) S(svc) S(bkpt) S(udf) S(semihost)
#define S(name) void a32_do_##name(a32_lift *l, const a32_fields *f);
A32_SHARED(S)
#undef S
/* Loads and stores of one register or two. p: pre-index, u: add, w: write back, z: log2 of the bytes. */
void a32_ldst(a32_lift *l, const a32_fields *f, unsigned load, unsigned sign, oryx_val offset);
void a32_ldstd(a32_lift *l, const a32_fields *f, unsigned load, unsigned t2, oryx_val offset);
void a32_ldst_multi(a32_lift *l, unsigned load, unsigned n, uint32_t list, unsigned before, unsigned up, unsigned writeback);

/* Helpers: rows in a32_helpers.def, many of them functions of the A64 frontend under names of their own. */
enum {
#define HELPER(name, signature, effects, function) A32_HELPER_##name,
#include "a32_helpers.def"
#undef HELPER
    A32_HELPER_COUNT
};

/* a32.c: what a CPU model is. */
typedef struct a32_model {
    const char *name, *text;
    uint32_t features;
    uint32_t midr, fpsid;
    uint32_t system;     /* A32_SYS_* */
    uint32_t column;     /* of a32_cp15_id.def */
} a32_model;
enum { A32_SYS_LPAE = 1, A32_SYS_TIMER = 2, A32_SYS_VBAR = 4, A32_SYS_PMU = 8 };
extern const a32_model a32_models[];
uint32_t a32_features(const a32_model *model);
oryx_val a32_call(a32_lift *l, unsigned helper, unsigned type, oryx_val a, oryx_val b); /* b 0: one operand, a 0 too: none */
/* a32_id.c: identification registers by name's number. */
enum { A32_MIDR, A32_FPSID, A32_MVFR0, A32_MVFR1, A32_MVFR2, A32_ISAR0, A32_ISAR5, A32_ISAR6 };
uint32_t a32_id_register(const a32_model *model, unsigned id);
/* a32_id.c too: FPSCR as one word, and cpu->fp from its control bits. */
uint32_t a32_fpscr_read(const oryx_cpu *cpu);
void a32_fpscr_write(oryx_cpu *cpu, uint32_t v);
/* a32.c: the parts of lift that class "armm" shares. */
uint32_t a32_thumb_at(const uint8_t *b, uint32_t n, uint32_t *len); /* first halfword above; *len 0: bytes are missing */
uint32_t a32_it_advance(uint32_t it);
/* armm_lift.c: what SP becomes when v is written to it; EXC_RETURN values leave before a BX. */
oryx_val armm_sp_value(a32_lift *l, oryx_val v);
oryx_val armm_before_bx(a32_lift *l, oryx_val to);

const void *a32_arch(void);                                /* its oryx_arch_ops, made ready */

#endif
