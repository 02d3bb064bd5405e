/* DSP: arithmetic, comparisons, packing, shifts and bits in general registers: MD00374 tables of the ADDU.QB, CMPU.EQ.QB, ABSQ_S.PH, SHLL.QB and
 * ADDUH.QB classes. Elements of a register are lanes of a 64-bit vector whose upper half is zero. */
#include "mips_dsp.h"

#define I8 ORYX_T_I8
#define I16 ORYX_T_I16
#define V64 ORYX_T_V64

/* --- shared forms ------------------------------------------------------------------------------------------------------------- */

static void by_helper(mips_lift *l, unsigned d, oryx_val a, oryx_val b, uint32_t code)
{
    oryx_val v[3] = { a, b, mips_imm32(l, code) };
    mips_set32(l, d, oryx_call(l->ir, l->helper_base + MIPS_HELPER_DSP, I32, v, 3));
}

static void three(mips_lift *l, const mips_fields *f, unsigned op, unsigned bits)
{
    by_helper(l, f->d, mips_r32(l, f->s), mips_r32(l, f->t), DSP_LANES(op, bits));
}

/* rt by rs, or by the constant in its place. */
static void shift_var(mips_lift *l, const mips_fields *f, unsigned op, unsigned bits)
{
    by_helper(l, f->d, mips_r32(l, f->t), mips_r32(l, f->s), DSP_LANES(op, bits));
}

static void shift_const(mips_lift *l, const mips_fields *f, unsigned op, unsigned bits)
{
    by_helper(l, f->d, mips_r32(l, f->t), mips_imm32(l, f->s), DSP_LANES(op, bits));
}

static oryx_val vector(mips_lift *l, unsigned n)
{
    return oryx_bitcast(l->ir, V64, I64, oryx_zext(l->ir, I64, I32, mips_r32(l, n)));
}

static oryx_val scalar(mips_lift *l, oryx_val v)
{
    return oryx_trunc(l->ir, I32, I64, oryx_bitcast(l->ir, I64, V64, v));
}

/* ouflag bit when differ, an i64, is not 0. */
static void flag_if(mips_lift *l, oryx_val differ, unsigned bit)
{
    oryx_val on = oryx_zext(l->ir, I32, I1, oryx_cmp(l->ir, ORYX_CC_NE, I64, differ, oryx_const(l->ir, I64, 0)));
    on = mips_bin32(l, ORYX_OP_SHL, on, mips_imm32(l, bit));
    oryx_put(l->ir, I32, MIPS_OFF(dsp), mips_bin32(l, ORYX_OP_OR, oryx_get(l->ir, I32, MIPS_OFF(dsp)), on));
}

/* Add or subtract with a flag: overflow is where the saturated result is another. */
static void sum(mips_lift *l, const mips_fields *f, unsigned lane, unsigned op, bool is_signed, bool saturated)
{
    unsigned q = op == ORYX_OP_ADD ? ORYX_OP_QADD : ORYX_OP_QSUB, type = lane == I32 ? I32 : V64;
    oryx_val a = lane == I32 ? mips_r32(l, f->s) : vector(l, f->s), b = lane == I32 ? mips_r32(l, f->t) : vector(l, f->t);
    oryx_val wrapped = oryx_vbin(l->ir, op, type, lane, a, b, 0), limited = oryx_vbin(l->ir, q, type, lane, a, b, is_signed);
    oryx_val differ = oryx_vbin(l->ir, ORYX_OP_XOR, type, lane, wrapped, limited, 0), v = saturated ? limited : wrapped;
    flag_if(l, lane == I32 ? oryx_zext(l->ir, I64, I32, differ) : oryx_bitcast(l->ir, I64, V64, differ), DSP_OU_ADD);
    mips_set32(l, f->d, lane == I32 ? v : scalar(l, v));
}

/* imm: of HADD, HSUB. */
static void halved(mips_lift *l, const mips_fields *f, unsigned lane, unsigned op, uint64_t imm)
{
    mips_set32(l, f->d, scalar(l, oryx_vbin(l->ir, op, V64, lane, vector(l, f->s), vector(l, f->t), imm)));
}

static void absolute(mips_lift *l, const mips_fields *f, unsigned lane)
{
    oryx_val a = vector(l, f->t), zero = oryx_vconst(l->ir, V64, 0, 0);
    oryx_val v = oryx_vbin(l->ir, ORYX_OP_MAXS, V64, lane, a, oryx_vbin(l->ir, ORYX_OP_QSUB, V64, lane, zero, a, 1), 0);
    oryx_val differ = oryx_vbin(l->ir, ORYX_OP_XOR, V64, lane, v, oryx_vun(l->ir, ORYX_OP_ABS, V64, lane, a, 0), 0);
    flag_if(l, oryx_bitcast(l->ir, I64, V64, differ), DSP_OU_ADD);
    mips_set32(l, f->d, scalar(l, v));
}

static oryx_val and32(mips_lift *l, oryx_val v, uint32_t mask)
{
    return mips_bin32(l, ORYX_OP_AND, v, mips_imm32(l, mask));
}

/* v moved left, or right when n is negative. */
static oryx_val moved(mips_lift *l, oryx_val v, int n)
{
    return n ? mips_bin32(l, n > 0 ? ORYX_OP_SHL : ORYX_OP_SHR, v, mips_imm32(l, (uint32_t)(n > 0 ? n : -n))) : v;
}

static oryx_val or32(mips_lift *l, oryx_val a, oryx_val b)
{
    return mips_bin32(l, ORYX_OP_OR, a, b);
}

/* Bytes `high` and `low` of rt into the halfwords, moved left by n. */
static void two_bytes(mips_lift *l, const mips_fields *f, unsigned high, unsigned low, unsigned n)
{
    oryx_val v = mips_r32(l, f->t);
    oryx_val h = moved(l, and32(l, moved(l, v, -8 * (int)high), 0xff), 16 + (int)n), w = moved(l, and32(l, moved(l, v, -8 * (int)low), 0xff), (int)n);
    mips_set32(l, f->d, or32(l, h, w));
}

/* --- ADDU.QB class ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_ADDU_QB, "011111ssssstttttddddd00000010000", "addu.qb\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I8, ORYX_OP_ADD, false, false);
}

ORYX_INSN(DSP_SUBU_QB, "011111ssssstttttddddd00001010000", "subu.qb\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I8, ORYX_OP_SUB, false, false);
}

ORYX_INSN(DSP_ADDU_S_QB, "011111ssssstttttddddd00100010000", "addu_s.qb\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I8, ORYX_OP_ADD, false, true);
}

ORYX_INSN(DSP_SUBU_S_QB, "011111ssssstttttddddd00101010000", "subu_s.qb\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I8, ORYX_OP_SUB, false, true);
}

ORYX_INSN(DSP_ADDU_PH, "011111ssssstttttddddd01000010000", "addu.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    sum(l, f, I16, ORYX_OP_ADD, false, false);
}

ORYX_INSN(DSP_SUBU_PH, "011111ssssstttttddddd01001010000", "subu.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    sum(l, f, I16, ORYX_OP_SUB, false, false);
}

ORYX_INSN(DSP_ADDQ_PH, "011111ssssstttttddddd01010010000", "addq.ph\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I16, ORYX_OP_ADD, true, false);
}

ORYX_INSN(DSP_SUBQ_PH, "011111ssssstttttddddd01011010000", "subq.ph\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I16, ORYX_OP_SUB, true, false);
}

ORYX_INSN(DSP_ADDU_S_PH, "011111ssssstttttddddd01100010000", "addu_s.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    sum(l, f, I16, ORYX_OP_ADD, false, true);
}

ORYX_INSN(DSP_SUBU_S_PH, "011111ssssstttttddddd01101010000", "subu_s.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    sum(l, f, I16, ORYX_OP_SUB, false, true);
}

ORYX_INSN(DSP_ADDQ_S_PH, "011111ssssstttttddddd01110010000", "addq_s.ph\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I16, ORYX_OP_ADD, true, true);
}

ORYX_INSN(DSP_SUBQ_S_PH, "011111ssssstttttddddd01111010000", "subq_s.ph\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I16, ORYX_OP_SUB, true, true);
}

ORYX_INSN(DSP_ADDQ_S_W, "011111ssssstttttddddd10110010000", "addq_s.w\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I32, ORYX_OP_ADD, true, true);
}

ORYX_INSN(DSP_SUBQ_S_W, "011111ssssstttttddddd10111010000", "subq_s.w\t%r(d),%r(s),%r(t)", DSP)
{
    sum(l, f, I32, ORYX_OP_SUB, true, true);
}

ORYX_INSN(DSP_ADDSC, "011111ssssstttttddddd10000010000", "addsc\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_ADDSC, 32);
}

ORYX_INSN(DSP_ADDWC, "011111ssssstttttddddd10001010000", "addwc\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_ADDWC, 32);
}

ORYX_INSN(DSP_MODSUB, "011111ssssstttttddddd10010010000", "modsub\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_MODSUB, 32);
}

ORYX_INSN(DSP_RADDU_W_QB, "011111sssss00000ddddd10100010000", "raddu.w.qb\t%r(d),%r(s)", DSP)
{
    three(l, f, DSP_RADDU, 32);
}

ORYX_INSN(DSP_MULEU_S_PH_QBL, "011111ssssstttttddddd00110010000", "muleu_s.ph.qbl\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_MULEU_L, 32);
}

ORYX_INSN(DSP_MULEU_S_PH_QBR, "011111ssssstttttddddd00111010000", "muleu_s.ph.qbr\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_MULEU_R, 32);
}

ORYX_INSN(DSP_MULEQ_S_W_PHL, "011111ssssstttttddddd11100010000", "muleq_s.w.phl\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_MULEQ_L, 32);
}

ORYX_INSN(DSP_MULEQ_S_W_PHR, "011111ssssstttttddddd11101010000", "muleq_s.w.phr\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_MULEQ_R, 32);
}

ORYX_INSN(DSP_MULQ_S_PH, "011111ssssstttttddddd11110010000", "mulq_s.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_MULQ_S, 16);
}

ORYX_INSN(DSP_MULQ_RS_PH, "011111ssssstttttddddd11111010000", "mulq_rs.ph\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_MULQ_RS, 16);
}

/* --- CMPU.EQ.QB class ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_CMPU_EQ_QB, "011111sssssttttt0000000000010001", "cmpu.eq.qb\t%r(s),%r(t)", DSP)
{
    by_helper(l, 0, mips_r32(l, f->s), mips_r32(l, f->t), DSP_CMPU_EQ);
}

ORYX_INSN(DSP_CMPU_LT_QB, "011111sssssttttt0000000001010001", "cmpu.lt.qb\t%r(s),%r(t)", DSP)
{
    by_helper(l, 0, mips_r32(l, f->s), mips_r32(l, f->t), DSP_CMPU_LT);
}

ORYX_INSN(DSP_CMPU_LE_QB, "011111sssssttttt0000000010010001", "cmpu.le.qb\t%r(s),%r(t)", DSP)
{
    by_helper(l, 0, mips_r32(l, f->s), mips_r32(l, f->t), DSP_CMPU_LE);
}

ORYX_INSN(DSP_CMP_EQ_PH, "011111sssssttttt0000001000010001", "cmp.eq.ph\t%r(s),%r(t)", DSP)
{
    by_helper(l, 0, mips_r32(l, f->s), mips_r32(l, f->t), DSP_CMP_EQ);
}

ORYX_INSN(DSP_CMP_LT_PH, "011111sssssttttt0000001001010001", "cmp.lt.ph\t%r(s),%r(t)", DSP)
{
    by_helper(l, 0, mips_r32(l, f->s), mips_r32(l, f->t), DSP_CMP_LT);
}

ORYX_INSN(DSP_CMP_LE_PH, "011111sssssttttt0000001010010001", "cmp.le.ph\t%r(s),%r(t)", DSP)
{
    by_helper(l, 0, mips_r32(l, f->s), mips_r32(l, f->t), DSP_CMP_LE);
}

ORYX_INSN(DSP_PICK_QB, "011111ssssstttttddddd00011010001", "pick.qb\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_PICK_QB, 32);
}

ORYX_INSN(DSP_CMPGU_EQ_QB, "011111ssssstttttddddd00100010001", "cmpgu.eq.qb\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_CMPGU_EQ, 32);
}

ORYX_INSN(DSP_CMPGU_LT_QB, "011111ssssstttttddddd00101010001", "cmpgu.lt.qb\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_CMPGU_LT, 32);
}

ORYX_INSN(DSP_CMPGU_LE_QB, "011111ssssstttttddddd00110010001", "cmpgu.le.qb\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_CMPGU_LE, 32);
}

ORYX_INSN(DSP_PICK_PH, "011111ssssstttttddddd01011010001", "pick.ph\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_PICK_PH, 32);
}

ORYX_INSN(DSP_PRECRQ_QB_PH, "011111ssssstttttddddd01100010001", "precrq.qb.ph\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_PRECRQ_QB, 32);
}

ORYX_INSN(DSP_PRECR_QB_PH, "011111ssssstttttddddd01101010001", "precr.qb.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_PRECR_QB, 32);
}

ORYX_INSN(DSP_PRECRQU_S_QB_PH, "011111ssssstttttddddd01111010001", "precrqu_s.qb.ph\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_PRECRQU_S, 32);
}

ORYX_INSN(DSP_PRECRQ_RS_PH_W, "011111ssssstttttddddd10101010001", "precrq_rs.ph.w\t%r(d),%r(s),%r(t)", DSP)
{
    three(l, f, DSP_PRECRQ_RS, 32);
}

ORYX_INSN(DSP_CMPGDU_EQ_QB, "011111ssssstttttddddd11000010001", "cmpgdu.eq.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_CMPGDU_EQ, 32);
}

ORYX_INSN(DSP_CMPGDU_LT_QB, "011111ssssstttttddddd11001010001", "cmpgdu.lt.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_CMPGDU_LT, 32);
}

ORYX_INSN(DSP_CMPGDU_LE_QB, "011111ssssstttttddddd11010010001", "cmpgdu.le.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_CMPGDU_LE, 32);
}

ORYX_INSN(DSP_PACKRL_PH, "011111ssssstttttddddd01110010001", "packrl.ph\t%r(d),%r(s),%r(t)", DSP)
{
    mips_set32(l, f->d, or32(l, moved(l, mips_r32(l, f->s), 16), moved(l, mips_r32(l, f->t), -16)));
}

ORYX_INSN(DSP_PRECRQ_PH_W, "011111ssssstttttddddd10100010001", "precrq.ph.w\t%r(d),%r(s),%r(t)", DSP)
{
    mips_set32(l, f->d, or32(l, and32(l, mips_r32(l, f->s), 0xffff0000u), moved(l, mips_r32(l, f->t), -16)));
}

/* Both words moved right by a, then their lower halves. */
static void pack_moved(mips_lift *l, const mips_fields *f, bool round)
{
    oryx_val v[2] = { mips_r32(l, f->t), mips_r32(l, f->s) };
    for (unsigned i = 0; i < 2 && f->a; i++) {
        if (round)
            v[i] = mips_bin32(l, ORYX_OP_ADD, mips_bin32(l, ORYX_OP_SAR, v[i], mips_imm32(l, f->a - 1)), mips_imm32(l, 1));
        v[i] = mips_bin32(l, ORYX_OP_SAR, v[i], mips_imm32(l, round ? 1 : f->a));
    }
    mips_set32(l, f->t, or32(l, moved(l, v[0], 16), and32(l, v[1], 0xffff)));
}

ORYX_INSN(DSP_PRECR_SRA_PH_W, "011111ssssstttttaaaaa11110010001", "precr_sra.ph.w\t%r(t),%r(s),%x(a)", DSP2)
{
    pack_moved(l, f, false);
}

ORYX_INSN(DSP_PRECR_SRA_R_PH_W, "011111ssssstttttaaaaa11111010001", "precr_sra_r.ph.w\t%r(t),%r(s),%x(a)", DSP2)
{
    pack_moved(l, f, true);
}

/* --- ABSQ_S.PH class ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_ABSQ_S_QB, "01111100000tttttddddd00001010010", "absq_s.qb\t%r(d),%r(t)", DSP2)
{
    absolute(l, f, I8);
}

ORYX_INSN(DSP_ABSQ_S_PH, "01111100000tttttddddd01001010010", "absq_s.ph\t%r(d),%r(t)", DSP)
{
    absolute(l, f, I16);
}

ORYX_INSN(DSP_ABSQ_S_W, "01111100000tttttddddd10001010010", "absq_s.w\t%r(d),%r(t)", DSP)
{
    oryx_val a = mips_r32(l, f->t), most = mips_imm32(l, 0x7fffffff), least = oryx_cmp(l->ir, ORYX_CC_EQ, I32, a, mips_imm32(l, 0x80000000u));
    oryx_val v = oryx_un(l->ir, ORYX_OP_ABS, I32, a);
    flag_if(l, oryx_zext(l->ir, I64, I1, least), DSP_OU_ADD);
    mips_set32(l, f->d, oryx_select(l->ir, I32, least, most, v));
}

ORYX_INSN(DSP_REPL_QB, "01111100iiiiiiiiddddd00010010010", "repl.qb\t%r(d),%x(i)", DSP)
{
    mips_set32(l, f->d, mips_imm32(l, f->i * 0x01010101u));
}

ORYX_INSN(DSP_REPLV_QB, "01111100000tttttddddd00011010010", "replv.qb\t%r(d),%r(t)", DSP)
{
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_MUL, and32(l, mips_r32(l, f->t), 0xff), mips_imm32(l, 0x01010101)));
}

ORYX_INSN(DSP_REPL_PH, "011111iiiiiiiiiiddddd01010010010", "repl.ph\t%r(d),%i(mips_sx(i, 10))", DSP)
{
    mips_set32(l, f->d, mips_imm32(l, ((uint32_t)mips_sx(f->i, 10) & 0xffff) * 0x10001u));
}

ORYX_INSN(DSP_REPLV_PH, "01111100000tttttddddd01011010010", "replv.ph\t%r(d),%r(t)", DSP)
{
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_MUL, and32(l, mips_r32(l, f->t), 0xffff), mips_imm32(l, 0x10001)));
}

ORYX_INSN(DSP_PRECEQ_W_PHL, "01111100000tttttddddd01100010010", "preceq.w.phl\t%r(d),%r(t)", DSP)
{
    mips_set32(l, f->d, and32(l, mips_r32(l, f->t), 0xffff0000u));
}

ORYX_INSN(DSP_PRECEQ_W_PHR, "01111100000tttttddddd01101010010", "preceq.w.phr\t%r(d),%r(t)", DSP)
{
    mips_set32(l, f->d, moved(l, mips_r32(l, f->t), 16));
}

ORYX_INSN(DSP_PRECEQU_PH_QBL, "01111100000tttttddddd00100010010", "precequ.ph.qbl\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 3, 2, 7);
}

ORYX_INSN(DSP_PRECEQU_PH_QBR, "01111100000tttttddddd00101010010", "precequ.ph.qbr\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 1, 0, 7);
}

ORYX_INSN(DSP_PRECEQU_PH_QBLA, "01111100000tttttddddd00110010010", "precequ.ph.qbla\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 3, 1, 7);
}

ORYX_INSN(DSP_PRECEQU_PH_QBRA, "01111100000tttttddddd00111010010", "precequ.ph.qbra\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 2, 0, 7);
}

ORYX_INSN(DSP_PRECEU_PH_QBL, "01111100000tttttddddd11100010010", "preceu.ph.qbl\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 3, 2, 0);
}

ORYX_INSN(DSP_PRECEU_PH_QBR, "01111100000tttttddddd11101010010", "preceu.ph.qbr\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 1, 0, 0);
}

ORYX_INSN(DSP_PRECEU_PH_QBLA, "01111100000tttttddddd11110010010", "preceu.ph.qbla\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 3, 1, 0);
}

ORYX_INSN(DSP_PRECEU_PH_QBRA, "01111100000tttttddddd11111010010", "preceu.ph.qbra\t%r(d),%r(t)", DSP)
{
    two_bytes(l, f, 2, 0, 0);
}

ORYX_INSN(DSP_BITREV, "01111100000tttttddddd11011010010", "bitrev\t%r(d),%r(t)", DSP)
{
    by_helper(l, f->d, mips_imm32(l, 0), mips_r32(l, f->t), DSP_BITREV);
}

/* --- SHLL.QB class ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_SHLL_QB, "01111100ssstttttddddd00000010011", "shll.qb\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHLLU, 8);
}

ORYX_INSN(DSP_SHRL_QB, "01111100ssstttttddddd00001010011", "shrl.qb\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHRL, 8);
}

ORYX_INSN(DSP_SHLLV_QB, "011111ssssstttttddddd00010010011", "shllv.qb\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHLLU, 8);
}

ORYX_INSN(DSP_SHRLV_QB, "011111ssssstttttddddd00011010011", "shrlv.qb\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHRL, 8);
}

ORYX_INSN(DSP_SHRA_QB, "01111100ssstttttddddd00100010011", "shra.qb\t%r(d),%r(t),%x(s)", DSP2)
{
    shift_const(l, f, DSP_SHRA, 8);
}

ORYX_INSN(DSP_SHRA_R_QB, "01111100ssstttttddddd00101010011", "shra_r.qb\t%r(d),%r(t),%x(s)", DSP2)
{
    shift_const(l, f, DSP_SHRA_R, 8);
}

ORYX_INSN(DSP_SHRAV_QB, "011111ssssstttttddddd00110010011", "shrav.qb\t%r(d),%r(t),%r(s)", DSP2)
{
    shift_var(l, f, DSP_SHRA, 8);
}

ORYX_INSN(DSP_SHRAV_R_QB, "011111ssssstttttddddd00111010011", "shrav_r.qb\t%r(d),%r(t),%r(s)", DSP2)
{
    shift_var(l, f, DSP_SHRA_R, 8);
}

ORYX_INSN(DSP_SHLL_PH, "0111110sssstttttddddd01000010011", "shll.ph\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHLL, 16);
}

ORYX_INSN(DSP_SHRA_PH, "0111110sssstttttddddd01001010011", "shra.ph\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHRA, 16);
}

ORYX_INSN(DSP_SHLLV_PH, "011111ssssstttttddddd01010010011", "shllv.ph\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHLL, 16);
}

ORYX_INSN(DSP_SHRAV_PH, "011111ssssstttttddddd01011010011", "shrav.ph\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHRA, 16);
}

ORYX_INSN(DSP_SHLL_S_PH, "0111110sssstttttddddd01100010011", "shll_s.ph\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHLL_S, 16);
}

ORYX_INSN(DSP_SHRA_R_PH, "0111110sssstttttddddd01101010011", "shra_r.ph\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHRA_R, 16);
}

ORYX_INSN(DSP_SHLLV_S_PH, "011111ssssstttttddddd01110010011", "shllv_s.ph\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHLL_S, 16);
}

ORYX_INSN(DSP_SHRAV_R_PH, "011111ssssstttttddddd01111010011", "shrav_r.ph\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHRA_R, 16);
}

ORYX_INSN(DSP_SHLL_S_W, "011111ssssstttttddddd10100010011", "shll_s.w\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHLL_S, 32);
}

ORYX_INSN(DSP_SHRA_R_W, "011111ssssstttttddddd10101010011", "shra_r.w\t%r(d),%r(t),%x(s)", DSP)
{
    shift_const(l, f, DSP_SHRA_R, 32);
}

ORYX_INSN(DSP_SHLLV_S_W, "011111ssssstttttddddd10110010011", "shllv_s.w\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHLL_S, 32);
}

ORYX_INSN(DSP_SHRAV_R_W, "011111ssssstttttddddd10111010011", "shrav_r.w\t%r(d),%r(t),%r(s)", DSP)
{
    shift_var(l, f, DSP_SHRA_R, 32);
}

ORYX_INSN(DSP_SHRL_PH, "0111110sssstttttddddd11001010011", "shrl.ph\t%r(d),%r(t),%x(s)", DSP2)
{
    shift_const(l, f, DSP_SHRL, 16);
}

ORYX_INSN(DSP_SHRLV_PH, "011111ssssstttttddddd11011010011", "shrlv.ph\t%r(d),%r(t),%r(s)", DSP2)
{
    shift_var(l, f, DSP_SHRL, 16);
}

/* --- ADDUH.QB class ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_ADDUH_QB, "011111ssssstttttddddd00000011000", "adduh.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I8, ORYX_OP_HADD, 0);
}

ORYX_INSN(DSP_SUBUH_QB, "011111ssssstttttddddd00001011000", "subuh.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I8, ORYX_OP_HSUB, 0);
}

ORYX_INSN(DSP_ADDUH_R_QB, "011111ssssstttttddddd00010011000", "adduh_r.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I8, ORYX_OP_HADD, 4);
}

ORYX_INSN(DSP_ADDQH_PH, "011111ssssstttttddddd01000011000", "addqh.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I16, ORYX_OP_HADD, 1);
}

ORYX_INSN(DSP_SUBQH_PH, "011111ssssstttttddddd01001011000", "subqh.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I16, ORYX_OP_HSUB, 1);
}

ORYX_INSN(DSP_ADDQH_R_PH, "011111ssssstttttddddd01010011000", "addqh_r.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I16, ORYX_OP_HADD, 5);
}

ORYX_INSN(DSP_ADDQH_W, "011111ssssstttttddddd10000011000", "addqh.w\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I32, ORYX_OP_HADD, 1);
}

ORYX_INSN(DSP_SUBQH_W, "011111ssssstttttddddd10001011000", "subqh.w\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I32, ORYX_OP_HSUB, 1);
}

ORYX_INSN(DSP_ADDQH_R_W, "011111ssssstttttddddd10010011000", "addqh_r.w\t%r(d),%r(s),%r(t)", DSP2)
{
    halved(l, f, I32, ORYX_OP_HADD, 5);
}

ORYX_INSN(DSP_SUBUH_R_QB, "011111ssssstttttddddd00011011000", "subuh_r.qb\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_SUBUH_R, 8);
}

ORYX_INSN(DSP_SUBQH_R_PH, "011111ssssstttttddddd01011011000", "subqh_r.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_SUBQH_R, 16);
}

ORYX_INSN(DSP_MUL_PH, "011111ssssstttttddddd01100011000", "mul.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_MUL, 16);
}

ORYX_INSN(DSP_MUL_S_PH, "011111ssssstttttddddd01110011000", "mul_s.ph\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_MUL_S, 16);
}

ORYX_INSN(DSP_SUBQH_R_W, "011111ssssstttttddddd10011011000", "subqh_r.w\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_SUBQH_R, 32);
}

ORYX_INSN(DSP_MULQ_S_W, "011111ssssstttttddddd10110011000", "mulq_s.w\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_MULQ_S, 32);
}

ORYX_INSN(DSP_MULQ_RS_W, "011111ssssstttttddddd10111011000", "mulq_rs.w\t%r(d),%r(s),%r(t)", DSP2)
{
    three(l, f, DSP_MULQ_RS, 32);
}

/* --- bits ------------------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(DSP_INSV, "011111sssssttttt0000000000001100", "insv\t%r(t),%r(s)", DSP)
{
    /* scount bits of rs at pos; what does not fit is UNPREDICTABLE: rt stays. */
    oryx_val ctl = oryx_get(l->ir, I32, MIPS_OFF(dsp)), pos = and32(l, ctl, DSP_POS), size = oryx_bfx(l->ir, ORYX_OP_UBFX, I32, ctl, DSP_SCOUNT_SHIFT, 6);
    oryx_val one = oryx_const(l->ir, I64, 1), wide_pos = oryx_zext(l->ir, I64, I32, pos), rt = mips_r32(l, f->t);
    oryx_val mask = oryx_bin(l->ir, ORYX_OP_SUB, I64, oryx_bin(l->ir, ORYX_OP_SHL, I64, one, oryx_zext(l->ir, I64, I32, size)), one);
    mask = oryx_trunc(l->ir, I32, I64, oryx_bin(l->ir, ORYX_OP_SHL, I64, mask, wide_pos));
    oryx_val put = oryx_trunc(l->ir, I32, I64, oryx_bin(l->ir, ORYX_OP_SHL, I64, oryx_zext(l->ir, I64, I32, mips_r32(l, f->s)), wide_pos));
    oryx_val v = or32(l, mips_bin32(l, ORYX_OP_AND, put, mask), mips_bin32(l, ORYX_OP_AND, rt, oryx_un(l->ir, ORYX_OP_NOT, I32, mask)));
    oryx_val fits = oryx_cmp(l->ir, ORYX_CC_LEU, I32, mips_bin32(l, ORYX_OP_ADD, pos, size), mips_imm32(l, 32));
    mips_set32(l, f->t, oryx_select(l->ir, I32, fits, v, rt));
}

ORYX_INSN(DSP_APPEND, "011111ssssstttttaaaaa00000110001", "append\t%r(t),%r(s),%x(a)", DSP2)
{
    if (f->a)
        mips_set32(l, f->t, oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, I32, I32, mips_r32(l, f->t), moved(l, mips_r32(l, f->s), 32 - (int)f->a), 0, 32 - f->a));
    else
        mips_set32(l, f->t, mips_r32(l, f->t));
}

ORYX_INSN(DSP_PREPEND, "011111ssssstttttaaaaa00001110001", "prepend\t%r(t),%r(s),%x(a)", DSP2)
{
    oryx_val v = mips_r32(l, f->t);
    if (f->a)
        v = oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, I32, I32, mips_r32(l, f->s), v, 0, f->a);
    mips_set32(l, f->t, v);
}

ORYX_INSN(DSP_BALIGN, "011111sssssttttt000bb10000110001", "balign\t%r(t),%r(s),%x(b)", DSP2)
{
    oryx_val v = mips_r32(l, f->t);
    if (f->b)
        v = oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, I32, I32, v, mips_r32(l, f->s), 0, 32 - 8 * f->b);
    mips_set32(l, f->t, v);
}
