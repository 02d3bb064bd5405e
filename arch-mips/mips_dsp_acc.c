/* DSP: accumulators, DSPControl, indexed loads and the branch: MD00374 tables of the DPA.W.PH and EXTR.W classes, LX, and the multiplier's
 * instructions that name an accumulator. Field a: the accumulator; 0 of an instruction of the base is the base's row. */
#include "mips_dsp.h"

static oryx_val acc(mips_lift *l, unsigned n)
{
    oryx_val hi = oryx_get(l->ir, I32, MIPS_OFF(hi) + 8 * n), lo = oryx_get(l->ir, I32, MIPS_OFF(lo) + 8 * n);
    return oryx_bfi(l->ir, I64, oryx_zext(l->ir, I64, I32, lo), oryx_zext(l->ir, I64, I32, hi), 32, 32);
}

static void set_acc(mips_lift *l, unsigned n, oryx_val v)
{
    oryx_val hi = oryx_trunc(l->ir, I32, I64, oryx_bin(l->ir, ORYX_OP_SHR, I64, v, oryx_const(l->ir, I64, 32)));
    mips_put(l, MIPS_OFF(hi) + 8 * n, oryx_sext(l->ir, l->w, I32, hi));
    mips_put(l, MIPS_OFF(lo) + 8 * n, oryx_sext(l->ir, l->w, I32, oryx_trunc(l->ir, I32, I64, v)));
}

static oryx_val product(mips_lift *l, const mips_fields *f)
{
    unsigned op = f->k ? ORYX_OP_ZEXT : ORYX_OP_SEXT;
    oryx_val a = oryx_ir_emit(l->ir, op, I64, I32, mips_r32(l, f->s), 0, 0, 0), b = oryx_ir_emit(l->ir, op, I64, I32, mips_r32(l, f->t), 0, 0, 0);
    return oryx_bin(l->ir, ORYX_OP_MUL, I64, a, b);
}

static void accumulate(mips_lift *l, const mips_fields *f, unsigned op)
{
    oryx_val v[3] = { mips_r32(l, f->s), mips_r32(l, f->t), mips_imm32(l, op | f->a << 8) };
    oryx_call(l->ir, l->helper_base + MIPS_HELPER_DSP_ACC, ORYX_T_VOID, v, 3);
}

/* by: the shift or size. */
static void extract(mips_lift *l, const mips_fields *f, unsigned op, oryx_val by)
{
    oryx_val v[2] = { by, mips_imm32(l, op | f->a << 8) };
    mips_set32(l, f->t, oryx_call(l->ir, l->helper_base + MIPS_HELPER_DSP_EXTRACT, I32, v, 2));
}

/* --- the multiplier ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_MULT, "000000sssssttttt000aa0000001100k", "[a]mult%?(k){u}\t$ac%u(a),%r(s),%r(t)", DSP)
{
    set_acc(l, f->a, product(l, f));
}

ORYX_INSN(DSP_MADD, "011100sssssttttt000aa0000000000k", "[a]madd%?(k){u}\t$ac%u(a),%r(s),%r(t)", DSP)
{
    set_acc(l, f->a, oryx_bin(l->ir, ORYX_OP_ADD, I64, acc(l, f->a), product(l, f)));
}

ORYX_INSN(DSP_MSUB, "011100sssssttttt000aa0000000010k", "[a]msub%?(k){u}\t$ac%u(a),%r(s),%r(t)", DSP)
{
    set_acc(l, f->a, oryx_bin(l->ir, ORYX_OP_SUB, I64, acc(l, f->a), product(l, f)));
}

ORYX_INSN(DSP_MFHI, "000000000aa00000ddddd00000010000", "[a]mfhi\t%r(d),$ac%u(a)", DSP)
{
    mips_set(l, f->d, oryx_get(l->ir, l->w, MIPS_OFF(hi) + 8 * f->a));
}

ORYX_INSN(DSP_MFLO, "000000000aa00000ddddd00000010010", "[a]mflo\t%r(d),$ac%u(a)", DSP)
{
    mips_set(l, f->d, oryx_get(l->ir, l->w, MIPS_OFF(lo) + 8 * f->a));
}

ORYX_INSN(DSP_MTHI, "000000sssss00000000aa00000010001", "[a]mthi\t%r(s),$ac%u(a)", DSP)
{
    mips_put(l, MIPS_OFF(hi) + 8 * f->a, mips_r(l, f->s));
}

ORYX_INSN(DSP_MTLO, "000000sssss00000000aa00000010011", "[a]mtlo\t%r(s),$ac%u(a)", DSP)
{
    mips_put(l, MIPS_OFF(lo) + 8 * f->a, mips_r(l, f->s));
}

/* --- DPA.W.PH class ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_DPA_W_PH, "011111sssssttttt000aa00000110000", "dpa.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPA);
}

ORYX_INSN(DSP_DPS_W_PH, "011111sssssttttt000aa00001110000", "dps.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPS);
}

ORYX_INSN(DSP_MULSA_W_PH, "011111sssssttttt000aa00010110000", "mulsa.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_MULSA);
}

ORYX_INSN(DSP_DPAU_H_QBL, "011111sssssttttt000aa00011110000", "dpau.h.qbl\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPAU_L);
}

ORYX_INSN(DSP_DPAQ_S_W_PH, "011111sssssttttt000aa00100110000", "dpaq_s.w.ph\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPAQ_S);
}

ORYX_INSN(DSP_DPSQ_S_W_PH, "011111sssssttttt000aa00101110000", "dpsq_s.w.ph\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPSQ_S);
}

ORYX_INSN(DSP_MULSAQ_S_W_PH, "011111sssssttttt000aa00110110000", "mulsaq_s.w.ph\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_MULSAQ_S);
}

ORYX_INSN(DSP_DPAU_H_QBR, "011111sssssttttt000aa00111110000", "dpau.h.qbr\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPAU_R);
}

ORYX_INSN(DSP_DPAX_W_PH, "011111sssssttttt000aa01000110000", "dpax.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPAX);
}

ORYX_INSN(DSP_DPSX_W_PH, "011111sssssttttt000aa01001110000", "dpsx.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPSX);
}

ORYX_INSN(DSP_DPSU_H_QBL, "011111sssssttttt000aa01011110000", "dpsu.h.qbl\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPSU_L);
}

ORYX_INSN(DSP_DPAQ_SA_L_W, "011111sssssttttt000aa01100110000", "dpaq_sa.l.w\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPAQ_SA_L);
}

ORYX_INSN(DSP_DPSQ_SA_L_W, "011111sssssttttt000aa01101110000", "dpsq_sa.l.w\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPSQ_SA_L);
}

ORYX_INSN(DSP_DPSU_H_QBR, "011111sssssttttt000aa01111110000", "dpsu.h.qbr\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_DPSU_R);
}

ORYX_INSN(DSP_MAQ_SA_W_PHL, "011111sssssttttt000aa10000110000", "maq_sa.w.phl\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_MAQ_SA_L);
}

ORYX_INSN(DSP_MAQ_SA_W_PHR, "011111sssssttttt000aa10010110000", "maq_sa.w.phr\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_MAQ_SA_R);
}

ORYX_INSN(DSP_MAQ_S_W_PHL, "011111sssssttttt000aa10100110000", "maq_s.w.phl\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_MAQ_S_L);
}

ORYX_INSN(DSP_MAQ_S_W_PHR, "011111sssssttttt000aa10110110000", "maq_s.w.phr\t$ac%u(a),%r(s),%r(t)", DSP)
{
    accumulate(l, f, DSP_MAQ_S_R);
}

ORYX_INSN(DSP_DPAQX_S_W_PH, "011111sssssttttt000aa11000110000", "dpaqx_s.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPAQX_S);
}

ORYX_INSN(DSP_DPSQX_S_W_PH, "011111sssssttttt000aa11001110000", "dpsqx_s.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPSQX_S);
}

ORYX_INSN(DSP_DPAQX_SA_W_PH, "011111sssssttttt000aa11010110000", "dpaqx_sa.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPAQX_SA);
}

ORYX_INSN(DSP_DPSQX_SA_W_PH, "011111sssssttttt000aa11011110000", "dpsqx_sa.w.ph\t$ac%u(a),%r(s),%r(t)", DSP2)
{
    accumulate(l, f, DSP_DPSQX_SA);
}

/* --- EXTR.W class ------------------------------------------------------------------------------------------------------------------ */

ORYX_INSN(DSP_EXTR_W, "011111sssssttttt000aa00000111000", "extr.w\t%r(t),$ac%u(a),%x(s)", DSP)
{
    extract(l, f, DSP_EXTR, mips_imm32(l, f->s));
}

ORYX_INSN(DSP_EXTRV_W, "011111sssssttttt000aa00001111000", "extrv.w\t%r(t),$ac%u(a),%r(s)", DSP)
{
    extract(l, f, DSP_EXTR, mips_r32(l, f->s));
}

ORYX_INSN(DSP_EXTP, "011111sssssttttt000aa00010111000", "extp\t%r(t),$ac%u(a),%x(s)", DSP)
{
    extract(l, f, DSP_EXTP, mips_imm32(l, f->s));
}

ORYX_INSN(DSP_EXTPV, "011111sssssttttt000aa00011111000", "extpv\t%r(t),$ac%u(a),%r(s)", DSP)
{
    extract(l, f, DSP_EXTP, mips_r32(l, f->s));
}

ORYX_INSN(DSP_EXTR_R_W, "011111sssssttttt000aa00100111000", "extr_r.w\t%r(t),$ac%u(a),%x(s)", DSP)
{
    extract(l, f, DSP_EXTR_R, mips_imm32(l, f->s));
}

ORYX_INSN(DSP_EXTRV_R_W, "011111sssssttttt000aa00101111000", "extrv_r.w\t%r(t),$ac%u(a),%r(s)", DSP)
{
    extract(l, f, DSP_EXTR_R, mips_r32(l, f->s));
}

ORYX_INSN(DSP_EXTR_RS_W, "011111sssssttttt000aa00110111000", "extr_rs.w\t%r(t),$ac%u(a),%x(s)", DSP)
{
    extract(l, f, DSP_EXTR_RS, mips_imm32(l, f->s));
}

ORYX_INSN(DSP_EXTRV_RS_W, "011111sssssttttt000aa00111111000", "extrv_rs.w\t%r(t),$ac%u(a),%r(s)", DSP)
{
    extract(l, f, DSP_EXTR_RS, mips_r32(l, f->s));
}

ORYX_INSN(DSP_EXTPDP, "011111sssssttttt000aa01010111000", "extpdp\t%r(t),$ac%u(a),%x(s)", DSP)
{
    extract(l, f, DSP_EXTPDP, mips_imm32(l, f->s));
}

ORYX_INSN(DSP_EXTPDPV, "011111sssssttttt000aa01011111000", "extpdpv\t%r(t),$ac%u(a),%r(s)", DSP)
{
    extract(l, f, DSP_EXTPDP, mips_r32(l, f->s));
}

ORYX_INSN(DSP_EXTR_S_H, "011111sssssttttt000aa01110111000", "extr_s.h\t%r(t),$ac%u(a),%x(s)", DSP)
{
    extract(l, f, DSP_EXTR_S_H, mips_imm32(l, f->s));
}

ORYX_INSN(DSP_EXTRV_S_H, "011111sssssttttt000aa01111111000", "extrv_s.h\t%r(t),$ac%u(a),%r(s)", DSP)
{
    extract(l, f, DSP_EXTR_S_H, mips_r32(l, f->s));
}

/* DSPControl's bits that a mask of RDDSP and WRDSP names. */
static uint32_t named(uint32_t mask)
{
    static const uint32_t field[6] = { 0x3f, 0x1f80, DSP_C, 0xff0000, 0xf000000, DSP_EFI };
    uint32_t v = 0;
    for (unsigned i = 0; i < 6; i++)
        v |= mask >> i & 1 ? field[i] : 0;
    return v;
}

static void rddsp(mips_lift *l, unsigned to, uint32_t mask)
{
    oryx_val v = oryx_get(l->ir, I32, MIPS_OFF(dsp));
    mips_set32(l, to, mips_bin32(l, ORYX_OP_AND, v, mips_imm32(l, named(mask))));
}

static void wrdsp(mips_lift *l, unsigned from, uint32_t mask)
{
    oryx_val v = mips_bin32(l, ORYX_OP_AND, oryx_get(l->ir, I32, MIPS_OFF(dsp)), mips_imm32(l, ~named(mask)));
    v = mips_bin32(l, ORYX_OP_OR, v, mips_bin32(l, ORYX_OP_AND, mips_r32(l, from), mips_imm32(l, named(mask))));
    oryx_put(l->ir, I32, MIPS_OFF(dsp), v);
}

/* The mask has ten bits, four of them reserved; assemblers set all for the form without a mask. */
ORYX_INSN(DSP_RDDSP, "0111110000iiiiiiddddd10010111000", "rddsp\t%r(d),%x(i)", DSP)
{
    rddsp(l, f->d, f->i);
}

ORYX_INSN(DSP_RDDSP_ALL, "0111111111111111ddddd10010111000", "rddsp\t%r(d)", DSP)
{
    rddsp(l, f->d, 63);
}

ORYX_INSN(DSP_WRDSP, "011111sssss0000iiiiii10011111000", "wrdsp\t%r(s),%x(i)", DSP)
{
    wrdsp(l, f->s, f->i);
}

ORYX_INSN(DSP_WRDSP_ALL, "011111sssss111111111110011111000", "wrdsp\t%r(s)", DSP)
{
    wrdsp(l, f->s, 63);
}

/* by: i32, a signed number of six bits: right when positive. */
static void shift_acc(mips_lift *l, const mips_fields *f, oryx_val by)
{
    oryx_ir *ir = l->ir;
    oryx_val n = oryx_bfx(ir, ORYX_OP_SBFX, I32, by, 0, 6), v = acc(l, f->a);
    oryx_val right = oryx_bin(ir, ORYX_OP_SHR, I64, v, oryx_zext(ir, I64, I32, n));
    oryx_val left = oryx_bin(ir, ORYX_OP_SHL, I64, v, oryx_zext(ir, I64, I32, oryx_un(ir, ORYX_OP_NEG, I32, n)));
    set_acc(l, f->a, oryx_select(ir, I64, oryx_cmp(ir, ORYX_CC_GES, I32, n, mips_imm32(l, 0)), right, left));
}

ORYX_INSN(DSP_SHILO, "011111iiiiii0000000aa11010111000", "shilo\t$ac%u(a),%i(mips_sx(i, 6))", DSP)
{
    shift_acc(l, f, mips_imm32(l, f->i));
}

ORYX_INSN(DSP_SHILOV, "011111sssss00000000aa11011111000", "shilov\t$ac%u(a),%r(s)", DSP)
{
    shift_acc(l, f, mips_r32(l, f->s));
}

ORYX_INSN(DSP_MTHLIP, "011111sssss00000000aa11111111000", "mthlip\t%r(s),$ac%u(a)", DSP)
{
    oryx_val ctl = oryx_get(l->ir, I32, MIPS_OFF(dsp)), pos = mips_bin32(l, ORYX_OP_ADD, ctl, mips_imm32(l, 32));
    mips_put(l, MIPS_OFF(hi) + 8 * f->a, oryx_get(l->ir, l->w, MIPS_OFF(lo) + 8 * f->a));
    mips_put(l, MIPS_OFF(lo) + 8 * f->a, oryx_sext(l->ir, l->w, I32, mips_r32(l, f->s)));
    oryx_put(l->ir, I32, MIPS_OFF(dsp), oryx_bfi(l->ir, I32, ctl, pos, 0, 6));
}

/* --- loads and the branch -------------------------------------------------------------------------------------------------------------- */

static void load_indexed(mips_lift *l, const mips_fields *f, unsigned z, uint32_t sign)
{
    mips_set32(l, f->d, oryx_load(l->ir, I32, mips_ea_reg(l, f->s, f->t), mips_memop(l, z) | sign));
}

ORYX_INSN(DSP_LWX, "011111ssssstttttddddd00000001010", "lwx\t%r(d),%r(t)(%r(s))", DSP)
{
    load_indexed(l, f, 2, 0);
}

ORYX_INSN(DSP_LHX, "011111ssssstttttddddd00100001010", "lhx\t%r(d),%r(t)(%r(s))", DSP)
{
    load_indexed(l, f, 1, ORYX_MO_SIGN);
}

ORYX_INSN(DSP_LBUX, "011111ssssstttttddddd00110001010", "lbux\t%r(d),%r(t)(%r(s))", DSP)
{
    load_indexed(l, f, 0, 0);
}

ORYX_INSN(DSP_BPOSGE32, "0000010000011100iiiiiiiiiiiiiiii", "bposge32\t%b(i)", DSP)
{
    if (!mips_branch_ok(l))
        return;
    oryx_val pos = mips_bin32(l, ORYX_OP_AND, oryx_get(l->ir, I32, MIPS_OFF(dsp)), mips_imm32(l, DSP_POS));
    mips_branch(l, oryx_cmp(l->ir, ORYX_CC_GEU, I32, pos, mips_imm32(l, 32)), (int32_t)((uint32_t)mips_sx(f->i, 16) << 2));
}
