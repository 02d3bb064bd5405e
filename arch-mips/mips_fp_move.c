/* Floating-point moves, loads and stores, control registers: MD00087 tables 3.18, 3.19, 3.27. */
#include "mips_fp.h"

static uint32_t word_at(const mips_lift *l, unsigned n)
{
    return mips_fpr_offset(l->mode & MIPS_MODE_FR, n);
}

/* The upper half of a double: of the pair that n is in when FR = 0. */
static uint32_t upper_at(const mips_lift *l, unsigned n)
{
    return (l->mode & MIPS_MODE_FR ? MIPS_OFF_F(n) : MIPS_OFF_F(n & ~1u)) + 4;
}

static bool double_ok(mips_lift *l, unsigned n)
{
    if (l->mode & MIPS_MODE_FR || !(n & 1))
        return true;
    mips_reserved(l);
    return false;
}

ORYX_INSN(FP_MFC1, "01000100000tttttsssss00000000000", "mfc1\t%r(t),%fr(s)", FPU)
{
    mips_set32(l, f->t, oryx_get(l->ir, I32, word_at(l, f->s)));
}

ORYX_INSN(FP_DMFC1, "01000100001tttttsssss00000000000", "dmfc1\t%r(t),%fr(s)", FPU_64)
{
    if (double_ok(l, f->s))
        mips_set(l, f->t, oryx_get(l->ir, I64, word_at(l, f->s)));
}

ORYX_INSN(FP_MFHC1, "01000100011tttttsssss00000000000", "mfhc1\t%r(t),%fr(s)", R2)
{
    mips_set32(l, f->t, oryx_get(l->ir, I32, upper_at(l, f->s)));
}

ORYX_INSN(FP_MTC1, "01000100100tttttsssss00000000000", "mtc1\t%r(t),%fr(s)", FPU)
{
    oryx_put(l->ir, I32, word_at(l, f->s), mips_r32(l, f->t));
}

ORYX_INSN(FP_DMTC1, "01000100101tttttsssss00000000000", "dmtc1\t%r(t),%fr(s)", FPU_64)
{
    if (double_ok(l, f->s))
        oryx_put(l->ir, I64, word_at(l, f->s), mips_r(l, f->t));
}

ORYX_INSN(FP_MTHC1, "01000100111tttttsssss00000000000", "mthc1\t%r(t),%fr(s)", R2)
{
    oryx_put(l->ir, I32, upper_at(l, f->s), mips_r32(l, f->t));
}

/* --- Control registers: 0 FIR, 25 FCCR, 26 FEXR, 28 FENR, 31 FCSR ----------------------------------------------------------- */

ORYX_INSN(FP_CFC1, "01000100010tttttsssss00000000000", "cfc1\t%r(t),%fc(s)", FPU)
{
    oryx_val v = mips_imm32(l, f->s);
    v = oryx_call(l->ir, l->helper_base + MIPS_HELPER_CFC1, I32, &v, 1);
    mips_set32(l, f->t, v);
}

ORYX_INSN(FP_CTC1, "01000100110tttttsssss00000000000", "ctc1\t%r(t),%fc(s)", FPU)
{
    oryx_ir *ir = l->ir;
    oryx_val v[2] = { mips_imm32(l, f->s), mips_r32(l, f->t) };
    oryx_val raises = oryx_call(ir, l->helper_base + MIPS_HELPER_CTC1, I32, v, 2);
    uint32_t go_on = mips_label(l);
    oryx_brc(ir, oryx_cmp(ir, ORYX_CC_EQ, I32, raises, mips_imm32(l, 0)), go_on);
    oryx_raise(ir, ORYX_EXC_FP, oryx_const(ir, I64, 0), l->pc);
    oryx_label(ir, go_on);
    mips_resync(l);
}

/* --- Loads and stores ------------------------------------------------------------------------------------------------------------ */

static void load(mips_lift *l, unsigned n, oryx_val a, unsigned z)
{
    if (z == 3 && !double_ok(l, n))
        return;
    unsigned type = z == 3 ? I64 : I32;
    oryx_put(l->ir, type, word_at(l, n), oryx_load(l->ir, type, a, mips_memop(l, z)));
}

static void store(mips_lift *l, unsigned n, oryx_val a, unsigned z)
{
    if (z == 3 && !double_ok(l, n))
        return;
    unsigned type = z == 3 ? I64 : I32;
    oryx_store(l->ir, type, a, oryx_get(l->ir, type, word_at(l, n)), mips_memop(l, z));
}

ORYX_INSN(LWC1, "110001ssssstttttiiiiiiiiiiiiiiii", "lwc1\t%fr(t),%s16(i)(%r(s))", FPU)
{
    load(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 2);
}

ORYX_INSN(LDC1, "110101ssssstttttiiiiiiiiiiiiiiii", "ldc1\t%fr(t),%s16(i)(%r(s))", FPU)
{
    load(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 3);
}

ORYX_INSN(SWC1, "111001ssssstttttiiiiiiiiiiiiiiii", "swc1\t%fr(t),%s16(i)(%r(s))", FPU)
{
    store(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 2);
}

ORYX_INSN(SDC1, "111101ssssstttttiiiiiiiiiiiiiiii", "sdc1\t%fr(t),%s16(i)(%r(s))", FPU)
{
    store(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 3);
}

/* Indexed: base s, index t. LUXC1 and SUXC1 ignore the low three bits of the address and need FR = 1. */
static oryx_val aligned(mips_lift *l, const mips_fields *f)
{
    return oryx_bin(l->ir, ORYX_OP_AND, I64, mips_ea_reg(l, f->s, f->t), oryx_const(l->ir, I64, ~7ull));
}

ORYX_INSN(LWXC1, "010011sssssttttt00000ddddd000000", "lwxc1\t%fr(d),%r(t)(%r(s))", FPU_5)
{
    load(l, f->d, mips_ea_reg(l, f->s, f->t), 2);
}

ORYX_INSN(LDXC1, "010011sssssttttt00000ddddd000001", "ldxc1\t%fr(d),%r(t)(%r(s))", FPU_5)
{
    load(l, f->d, mips_ea_reg(l, f->s, f->t), 3);
}

ORYX_INSN(LUXC1, "010011sssssttttt00000ddddd000101", "luxc1\t%fr(d),%r(t)(%r(s))", FPU_5)
{
    if (!(l->mode & MIPS_MODE_FR))
        mips_reserved(l);
    else
        load(l, f->d, aligned(l, f), 3);
}

ORYX_INSN(SWXC1, "010011ssssstttttddddd00000001000", "swxc1\t%fr(d),%r(t)(%r(s))", FPU_5)
{
    store(l, f->d, mips_ea_reg(l, f->s, f->t), 2);
}

ORYX_INSN(SDXC1, "010011ssssstttttddddd00000001001", "sdxc1\t%fr(d),%r(t)(%r(s))", FPU_5)
{
    store(l, f->d, mips_ea_reg(l, f->s, f->t), 3);
}

ORYX_INSN(SUXC1, "010011ssssstttttddddd00000001101", "suxc1\t%fr(d),%r(t)(%r(s))", FPU_5)
{
    if (!(l->mode & MIPS_MODE_FR))
        mips_reserved(l);
    else
        store(l, f->d, aligned(l, f), 3);
}

ORYX_INSN(PREFX, "010011ssssstttttddddd00000001111", "prefx\t%x(d),%r(t)(%r(s))", FPU_5)
{
    (void)l;
    (void)f;
}
