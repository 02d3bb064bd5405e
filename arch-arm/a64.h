/* A64 frontend: state layout, the row macro, the lift context and its small vocabulary.
 *
 * An instruction is a row and a body, adjacent, in the manual's order (a64_<chapter>.c):
 *
 *   ORYX_INSN(ADDS_imm, "s01100010hiiiiiiiiiiiinnnnnddddd",
 *             "{d==31} cmn\t%rsp(s,n), #%hex(i)%?(h){, lsl #12} ;; "
 *             "adds\t%r(s,d), %rsp(s,n), #%hex(i)%?(h){, lsl #12}", BASE)
 *   {
 *       ... emit IR with l->ir, fields f->d, f->n, f->i, f->s ...
 *   }
 *
 * Pattern: 32 characters, most significant bit first; 0 and 1 are fixed, '-' is ignored, a letter a-z is a field, and
 * all bits with the same letter are concatenated, high part first. cmake/gen_decode.py collects the rows of every a64_*.c into
 * the decoder and refuses rows that overlap, unless one is declared a special case of the other by being a strict subset
 * (more fixed bits): the more specific row then wins. Fields the pattern does not name are 0 in a64_fields.
 *
 * Text: [allocated] {guard} template ;; {guard} template ;; template
 *   [allocated]  optional, first: a C expression over the fields. False: the word is not this row's; without another row
 *                it is UNDEFINED. Plain arithmetic here may also tell apart two rows that overlap (shift by immediate:
 *                [i >= 8], whose immh = 0 is the modified immediate's).
 *   {guard}      the first template whose guard holds is printed; only the last may lack one. None: undefined.
 *   template     literal text ("\t" between mnemonic and operands), %% for '%', and
 *     %name(args)            calls a64_t_name(t, args) of a64_text.h; add what is missing there
 *     %?(expr){then}{else}   printed by condition; {else} may be left out; they nest
 * In every expression and argument a single letter is the field (C otherwise, with the functions of a64_text.h:
 * a64_sx(v, bits) sign-extends, a64_bitmask_ok...). "@fn" as the whole template calls
 *   void a64_text_fn(a64_text *t, const a64_fields *f, uint64_t pc);   setting t->undefined refuses the word.
 * The text equals aarch64-linux-gnu-objdump's with preferred aliases, without its trailing "// comment" and symbols. */
#ifndef A64_H
#define A64_H

#include "oryx.h"

#define A64_SYS_SLOTS 192
/* The vCPU's state block. Offsets are the IR's slots. pc is the engine's: bodies use l->pc, never a GET of pc. */
typedef struct a64_state {
    uint64_t x[31];
    uint64_t sp;
    uint64_t pc;
    uint32_t flags;      /* NZCV as an fl slot (packed, ORYX_FLAG_*); C is Arm's carry */
    uint32_t fpcr;
    uint64_t tpidr_el0, tpidrro_el0;
    uint32_t model;      /* index into a64_models: in the state, so a snapshot or another copy of the plugin has it */
    uint32_t reserved0;
    uint64_t reserved[3];
    oryx_v128 v[32];     /* at a multiple of 16 */
    /* The system levels (a64_sys.h); all zero in mode "a64". */
    uint32_t pstate;     /* as in SPSR without NZCV */
    uint8_t level;       /* highest exception level; 0: a user-level CPU */
    uint8_t exits;       /* exceptions leave the run ("bare") */
    uint8_t guards;      /* a walk has met a guarded page (BTI) */
    uint8_t reserved1;
    uint64_t sp_el[4];   /* of the selections that are not current */
    uint64_t sys[A64_SYS_SLOTS]; /* system registers by row of a64_sysregs.def */
} a64_state;
_Static_assert(offsetof(a64_state, v) % 16 == 0, "vector slots are aligned for whole-register accesses");

typedef struct a64_fields {
    uint32_t insn;
    uint32_t a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z;
} a64_fields;

/* Lift context of one instruction. */
typedef struct a64_lift {
    oryx_ir *ir;
    uint64_t pc;
    uint64_t mode;       /* A64_MODE_* bits */
    uint32_t helper_base;
    uint32_t features;   /* A64_FEAT_* of the CPU model */
    const struct a64_model *model;
    uint32_t insn;
    uint32_t end;        /* set by bodies that emit a block end */
    uint32_t memop;      /* joined to the memop of every access: mmu index, byte order */
    uint32_t align;      /* every access must be aligned to its size (or what a body that sets it to more than 1 says + 1) */
} a64_lift;

/* Mode key: what the IR depends on besides the bytes. */
#define A64_MODE_FPCR(mode) ((uint32_t)((mode) & 0x07f79f00u)) /* AHP DN FZ RMode as in FPCR */
#define A64_MODE_EL(mode) ((unsigned)((mode) >> 32 & 3))
#define A64_MODE_SYSTEM (UINT64_C(1) << 34)  /* not a user-level CPU */
#define A64_MODE_FPTRAP (UINT64_C(1) << 35)  /* FP and SIMD trap; to which level, in bits 36, 37 */
#define A64_MODE_FPTRAP_EL(mode) ((unsigned)((mode) >> 36 & 3))
#define A64_MODE_MMU(mode) ((unsigned)((mode) >> 38 & 3)) /* mmu index of accesses */
#define A64_MODE_UNPRIV (UINT64_C(1) << 40)  /* LDTR and STTR are EL0's */
#define A64_MODE_BE (UINT64_C(1) << 41)
#define A64_MODE_ALIGN (UINT64_C(1) << 42)
#define A64_MODE_SPCHECK (UINT64_C(1) << 43)
#define A64_MODE_IL (UINT64_C(1) << 44)      /* PSTATE.IL: every instruction is illegal */
#define A64_MODE_TBI0 (UINT64_C(1) << 45)    /* branch targets lose their tag */
#define A64_MODE_TBI1 (UINT64_C(1) << 46)
#define A64_MODE_LEVEL(mode) ((unsigned)((mode) >> 47 & 3)) /* highest level */
#define A64_MODE_BTYPE(mode) ((unsigned)((mode) >> 49 & 3)) /* of the instruction */

/* Features, by the manual's names; a row names one without the prefix. */
#define A64_FEATURES(F) F(BASE) F(FP) F(SIMD) F(CRC32) F(LSE) F(AES) F(PMULL) F(SHA1) F(SHA256) F(RDM) F(LRCPC) \
    F(FLAGM) F(DOTPROD) F(SHA512) F(SHA3) F(FP16) F(JSCVT) F(FCMA) F(PAUTH) F(BTI) F(SM3) F(SM4)
enum {
#define F(name) A64_FEAT_BIT_##name,
    A64_FEATURES(F)
#undef F
};
enum {
#define F(name) A64_FEAT_##name = 1u << A64_FEAT_BIT_##name,
    A64_FEATURES(F)
#undef F
};

#define ORYX_INSN(name, pattern, text, feature)                          \
    void a64_lift_##name(a64_lift *l, const a64_fields *f);              \
    void a64_lift_##name(a64_lift *l, const a64_fields *f)

#define A64_OFF_X(n) ((uint32_t)(offsetof(a64_state, x) + 8u * (n)))
#define A64_OFF_V(n) ((uint32_t)(offsetof(a64_state, v) + 16u * (n)))
#define A64_OFF(member) ((uint32_t)offsetof(a64_state, member))

/* a64_common.c: the vocabulary of bodies. type: ORYX_T_I32 for W, ORYX_T_I64 for X. */
oryx_val a64_reg(a64_lift *l, unsigned type, unsigned n);            /* register 31 reads as zero */
oryx_val a64_reg_sp(a64_lift *l, unsigned type, unsigned n);         /* register 31 is SP */
void a64_set_reg(a64_lift *l, unsigned type, unsigned n, oryx_val v); /* W writes clear the top; 31 is discarded */
void a64_set_reg_sp(a64_lift *l, unsigned type, unsigned n, oryx_val v);
oryx_val a64_vreg(a64_lift *l, unsigned type, unsigned n);           /* low part of V register n: ORYX_T_V128, V64, F64, F32, I8..I64 */
void a64_set_vreg(a64_lift *l, unsigned type, unsigned n, oryx_val v); /* the rest of the register becomes zero */
oryx_val a64_flags(a64_lift *l);
void a64_set_flags(a64_lift *l, oryx_val fl);
oryx_val a64_cond(a64_lift *l, unsigned cond);                       /* i1: condition code 0..15 of the current flags */
oryx_val a64_imm(a64_lift *l, unsigned type, uint64_t value);
void a64_undefined(a64_lift *l);                                     /* RAISE UNDEFINED with the word; ends the block */
void a64_fp_trap(a64_lift *l);                                       /* RAISE TRAP: FP and SIMD are not enabled */
oryx_val a64_call(a64_lift *l, unsigned helper, unsigned type, const oryx_val *args, unsigned n);

/* a64_id.c: what a CPU model is, and its identification registers as Linux shows them to EL0 (op0 3, op1 0, CRn 0). */
typedef struct a64_model {
    const char *name, *text;
    uint32_t features;
    uint32_t midr;
    uint32_t system;     /* A64_MF_* */
    uint32_t pa_bits;
} a64_model;
extern const a64_model a64_models[];
uint32_t a64_model_count(void);
uint32_t a64_features(const a64_model *model); /* a64_decode.c: the model's features that have rows */
#define A64_SYS(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
/* Value of an identification register for a model; 0 where the architecture's Linux ABI shows zero. */
uint64_t a64_id_register(const a64_model *model, uint32_t id);
#define A64_CTR_EL0 UINT64_C(0xb444c004) /* 64-byte lines; IDC, DIC: code written needs no cache maintenance */
#define A64_DCZID_EL0 UINT64_C(4)        /* DC ZVA of 64 bytes */
#define A64_CNTFRQ_EL0 UINT64_C(62500000)

/* a64_fpenv.c: FPCR and FPSR. The environment fields of cpu->fp follow FPCR; FPSR is computed from cpu->fp.flags. */
#define A64_FPCR_MASK 0x07f70000u /* AHP DN FZ RMode Stride Len; the trap enables read as zero */
#define A64_FPCR_FZ16 0x00080000u /* kept by models with FEAT_FP16; read by the FP16 helpers only, so not in the mode key */
void a64_fpcr_apply(oryx_cpu *cpu);
uint32_t a64_fpsr_from_flags(uint32_t flags);
uint32_t a64_flags_from_fpsr(uint32_t fpsr);
uint32_t a64_nzcv_from_packed(uint32_t packed);
uint32_t a64_packed_from_nzcv(uint32_t nzcv);

/* Host functions for helpers; set once when the plugin is opened, as every helper needs the same table. */
extern const oryx_host *a64_host;

/* Helpers: rows in a64_helpers.def (HELPER(name, signature, effects)), numbered by the enum. */
enum {
#define HELPER(name, signature, effects) A64_HELPER_##name,
#include "a64_helpers.def"
#undef HELPER
    A64_HELPER_COUNT
};

#endif
