/* MSA: floating point, MD00866 tables of 3RF and 2RF. Field z: 0 W, 1 D.
 *
 * When MSACSR asks for nothing that FCSR's environment has not (MIPS_MODE_MSA_PLAIN) the common operations are IR vector operations with
 * the FPU's sticky flags put aside; all others, and all rare operations, are done by mips_msa_soft.c from the instruction's word. */
#include "mips_msa.h"

static void by_helper(mips_lift *l, const mips_fields *f)
{
    oryx_val v = mips_imm32(l, f->insn);
    oryx_call(l->ir, l->helper_base + MIPS_HELPER_MSA_FP, ORYX_T_VOID, &v, 1);
}

static bool plain(const mips_lift *l)
{
    return l->mode & MIPS_MODE_MSA_PLAIN;
}

/* Around a plain operation: the FPU's flags aside, then MSACSR's Cause and Flags from the operation's own. */
static oryx_val begin(mips_lift *l)
{
    oryx_val kept = oryx_ir_emit(l->ir, ORYX_OP_FFLAGS, I32, I32, 0, 0, 0, 0);
    oryx_ir_emit(l->ir, ORYX_OP_FSETFLAGS, 0, 0, mips_imm32(l, 0), 0, 0, 0);
    return kept;
}

static void finish(mips_lift *l, const mips_fields *f, oryx_val kept, oryx_val v)
{
    oryx_ir *ir = l->ir;
    oryx_val cause = mips_fp_cause_of(l, oryx_ir_emit(ir, ORYX_OP_FFLAGS, I32, I32, 0, 0, 0, 0));
    oryx_ir_emit(ir, ORYX_OP_FSETFLAGS, 0, 0, kept, 0, 0, 0);
    oryx_val csr = oryx_bfi(ir, I32, oryx_get(ir, I32, MIPS_OFF(msacsr)), cause, MIPS_FCSR_CAUSE_SHIFT, 6);
    csr = mips_bin32(l, ORYX_OP_OR, csr, mips_bin32(l, ORYX_OP_SHL, cause, mips_imm32(l, MIPS_FCSR_FLAGS_SHIFT)));
    oryx_put(ir, I32, MIPS_OFF(msacsr), csr);
    msa_set(l, f->d, v);
}

static unsigned lane(const mips_fields *f)
{
    return f->z ? F64 : F32;
}

static void binary(mips_lift *l, const mips_fields *f, unsigned op)
{
    if (!plain(l)) {
        by_helper(l, f);
        return;
    }
    oryx_val kept = begin(l);
    finish(l, f, kept, oryx_vbin(l->ir, op, V128, lane(f), msa_w(l, f->s), msa_w(l, f->t), 0));
}

static void unary(mips_lift *l, const mips_fields *f, unsigned op, uint64_t imm)
{
    if (!plain(l)) {
        by_helper(l, f);
        return;
    }
    oryx_val kept = begin(l);
    finish(l, f, kept, oryx_vun(l->ir, op, V128, lane(f), msa_w(l, f->s), imm));
}

static oryx_val integers(mips_lift *l, const mips_fields *f, unsigned op, oryx_val a, oryx_val b, uint64_t imm)
{
    return msa_op(l, op, f->z + 2, a, b, imm);
}

/* wd plus or minus the product, rounded once. A NaN keeps its sign where the product's is changed. */
static void fused(mips_lift *l, const mips_fields *f, bool negate)
{
    if (!plain(l)) {
        by_helper(l, f);
        return;
    }
    oryx_val kept = begin(l), a = msa_w(l, f->s);
    if (negate) {
        oryx_val sign = msa_splat(l, 3, f->z ? 0x8000000000000000ull : 0x8000000080000000ull);
        oryx_val infinity = msa_splat(l, 3, f->z ? 0x7ff0000000000000ull : 0x7f8000007f800000ull);
        oryx_val number = integers(l, f, ORYX_OP_VCMP, integers(l, f, ORYX_OP_ANDN, a, sign, 0), infinity, ORYX_CC_LES);
        a = integers(l, f, ORYX_OP_XOR, a, integers(l, f, ORYX_OP_AND, number, sign, 0), 0);
    }
    finish(l, f, kept, oryx_vtri(l->ir, ORYX_OP_FMA, V128, lane(f), a, msa_w(l, f->t), msa_w(l, f->d), 0));
}

static oryx_val fcmp(mips_lift *l, const mips_fields *f, unsigned cc, oryx_val a, oryx_val b)
{
    return oryx_vbin(l->ir, ORYX_OP_VFCMP, V128, lane(f), a, b, cc);
}

/* c: bits 1 unordered, 2 equal, 4 less, 8 quiet NaNs signal too; invert: the opposite. Quiet forms compare what is ordered, so that only
 * signalling NaNs signal. */
static void compare(mips_lift *l, const mips_fields *f, unsigned c, bool invert)
{
    if (!plain(l)) {
        by_helper(l, f);
        return;
    }
    unsigned self = c & 8 ? ORYX_CC_GES : ORYX_CC_EQ;
    oryx_val kept = begin(l), a = msa_w(l, f->s), b = msa_w(l, f->t), v = 0;
    oryx_val ordered = integers(l, f, ORYX_OP_AND, fcmp(l, f, self, a, a), fcmp(l, f, self, b, b), 0);
    if (c & 1)
        v = msa_un(l, ORYX_OP_NOT, 3, ordered, 0);
    if (c & 2) {
        oryx_val equal = fcmp(l, f, ORYX_CC_EQ, a, b);
        v = v ? integers(l, f, ORYX_OP_OR, v, equal, 0) : equal;
    }
    if (c & 4) {
        oryx_val x = integers(l, f, ORYX_OP_AND, a, ordered, 0), y = integers(l, f, ORYX_OP_AND, b, ordered, 0);
        oryx_val less = fcmp(l, f, ORYX_CC_GTS, y, x);
        v = v ? integers(l, f, ORYX_OP_OR, v, less, 0) : less;
    }
    if (!v)
        v = msa_splat(l, 3, 0);
    finish(l, f, kept, invert ? msa_un(l, ORYX_OP_NOT, 3, v, 0) : v);
}

/* --- comparisons ---------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_FCAF, "0111100000ztttttsssssddddd011010", "fcaf.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 0, false);
}

ORYX_INSN(MSA_FCUN, "0111100001ztttttsssssddddd011010", "fcun.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 1, false);
}

ORYX_INSN(MSA_FCEQ, "0111100010ztttttsssssddddd011010", "fceq.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 2, false);
}

ORYX_INSN(MSA_FCUEQ, "0111100011ztttttsssssddddd011010", "fcueq.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 3, false);
}

ORYX_INSN(MSA_FCLT, "0111100100ztttttsssssddddd011010", "fclt.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 4, false);
}

ORYX_INSN(MSA_FCULT, "0111100101ztttttsssssddddd011010", "fcult.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 5, false);
}

ORYX_INSN(MSA_FCLE, "0111100110ztttttsssssddddd011010", "fcle.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 6, false);
}

ORYX_INSN(MSA_FCULE, "0111100111ztttttsssssddddd011010", "fcule.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 7, false);
}

ORYX_INSN(MSA_FSAF, "0111101000ztttttsssssddddd011010", "fsaf.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 8, false);
}

ORYX_INSN(MSA_FSUN, "0111101001ztttttsssssddddd011010", "fsun.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 9, false);
}

ORYX_INSN(MSA_FSEQ, "0111101010ztttttsssssddddd011010", "fseq.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 10, false);
}

ORYX_INSN(MSA_FSUEQ, "0111101011ztttttsssssddddd011010", "fsueq.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 11, false);
}

ORYX_INSN(MSA_FSLT, "0111101100ztttttsssssddddd011010", "fslt.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 12, false);
}

ORYX_INSN(MSA_FSULT, "0111101101ztttttsssssddddd011010", "fsult.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 13, false);
}

ORYX_INSN(MSA_FSLE, "0111101110ztttttsssssddddd011010", "fsle.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 14, false);
}

ORYX_INSN(MSA_FSULE, "0111101111ztttttsssssddddd011010", "fsule.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 15, false);
}

ORYX_INSN(MSA_FCOR, "0111100001ztttttsssssddddd011100", "fcor.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 1, true);
}

ORYX_INSN(MSA_FCUNE, "0111100010ztttttsssssddddd011100", "fcune.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 2, true);
}

ORYX_INSN(MSA_FCNE, "0111100011ztttttsssssddddd011100", "fcne.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 3, true);
}

ORYX_INSN(MSA_FSOR, "0111101001ztttttsssssddddd011100", "fsor.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 9, true);
}

ORYX_INSN(MSA_FSUNE, "0111101010ztttttsssssddddd011100", "fsune.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 10, true);
}

ORYX_INSN(MSA_FSNE, "0111101011ztttttsssssddddd011100", "fsne.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    compare(l, f, 11, true);
}

/* --- arithmetic ------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_FADD, "0111100000ztttttsssssddddd011011", "fadd.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_FADD);
}

ORYX_INSN(MSA_FSUB, "0111100001ztttttsssssddddd011011", "fsub.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_FSUB);
}

ORYX_INSN(MSA_FMUL, "0111100010ztttttsssssddddd011011", "fmul.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_FMUL);
}

ORYX_INSN(MSA_FDIV, "0111100011ztttttsssssddddd011011", "fdiv.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_FDIV);
}

ORYX_INSN(MSA_FMADD, "0111100100ztttttsssssddddd011011", "fmadd.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    fused(l, f, false);
}

ORYX_INSN(MSA_FMSUB, "0111100101ztttttsssssddddd011011", "fmsub.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    fused(l, f, true);
}

ORYX_INSN(MSA_FEXP2, "0111100111ztttttsssssddddd011011", "fexp2.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FEXDO, "0111101000ztttttsssssddddd011011", "fexdo.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FTQ, "0111101010ztttttsssssddddd011011", "ftq.%?(z){w}{h}\t%w(d),%w(s),%w(t)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FMIN, "0111101100ztttttsssssddddd011011", "fmin.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_FMINNM);
}

ORYX_INSN(MSA_FMIN_A, "0111101101ztttttsssssddddd011011", "fmin_a.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FMAX, "0111101110ztttttsssssddddd011011", "fmax.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    binary(l, f, ORYX_OP_FMAXNM);
}

ORYX_INSN(MSA_FMAX_A, "0111101111ztttttsssssddddd011011", "fmax_a.%?(z){d}{w}\t%w(d),%w(s),%w(t)", MSA)
{
    by_helper(l, f);
}

/* --- 2RF ---------------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(MSA_FCLASS, "011110110010000zsssssddddd011110", "fclass.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FTRUNC_S, "011110110010001zsssssddddd011110", "ftrunc_s.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_VFTOI, ORYX_RM_ZERO | 8);
}

ORYX_INSN(MSA_FTRUNC_U, "011110110010010zsssssddddd011110", "ftrunc_u.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_VFTOI, ORYX_RM_ZERO);
}

ORYX_INSN(MSA_FSQRT, "011110110010011zsssssddddd011110", "fsqrt.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_FSQRT, 0);
}

ORYX_INSN(MSA_FRSQRT, "011110110010100zsssssddddd011110", "frsqrt.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FRCP, "011110110010101zsssssddddd011110", "frcp.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FRINT, "011110110010110zsssssddddd011110", "frint.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_FROUND, ORYX_RM_ENV | 8);
}

ORYX_INSN(MSA_FLOG2, "011110110010111zsssssddddd011110", "flog2.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FEXUPL, "011110110011000zsssssddddd011110", "fexupl.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FEXUPR, "011110110011001zsssssddddd011110", "fexupr.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FFQL, "011110110011010zsssssddddd011110", "ffql.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FFQR, "011110110011011zsssssddddd011110", "ffqr.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    by_helper(l, f);
}

ORYX_INSN(MSA_FTINT_S, "011110110011100zsssssddddd011110", "ftint_s.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_VFTOI, ORYX_RM_ENV | 8);
}

ORYX_INSN(MSA_FTINT_U, "011110110011101zsssssddddd011110", "ftint_u.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_VFTOI, ORYX_RM_ENV);
}

ORYX_INSN(MSA_FFINT_S, "011110110011110zsssssddddd011110", "ffint_s.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_VITOF, 8);
}

ORYX_INSN(MSA_FFINT_U, "011110110011111zsssssddddd011110", "ffint_u.%?(z){d}{w}\t%w(d),%w(s)", MSA)
{
    unary(l, f, ORYX_OP_VITOF, 0);
}
