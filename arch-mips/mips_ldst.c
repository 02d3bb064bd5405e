/* Loads and stores: MD00087 tables 3.7-3.9.
 *
 * Aligned accesses only before Release 6, whose implementations may take any address. LWL and its kin read the aligned word
 * that holds the address and store just the bytes that are theirs; the reported fault address is then that of the first byte
 * touched. */
#include "mips.h"

static void load(mips_lift *l, const mips_fields *f, unsigned z, unsigned sign)
{
    uint32_t mo = mips_memop(l, z) | (sign ? ORYX_MO_SIGN : 0);
    oryx_val a = mips_ea(l, f->s, mips_sx(f->i, 16));
    mips_set(l, f->t, oryx_load(l->ir, l->w, a, mo));
}

static void store(mips_lift *l, const mips_fields *f, unsigned z)
{
    oryx_val a = mips_ea(l, f->s, mips_sx(f->i, 16));
    if (z == 3)
        oryx_store(l->ir, I64, a, mips_r(l, f->t), mips_memop(l, z));
    else
        oryx_store(l->ir, I32, a, mips_r32(l, f->t), mips_memop(l, z));
}

ORYX_INSN(LB, "100000ssssstttttiiiiiiiiiiiiiiii", "lb\t%r(t),%s16(i)(%r(s))", BASE)
{
    load(l, f, 0, 1);
}

ORYX_INSN(LBU, "100100ssssstttttiiiiiiiiiiiiiiii", "lbu\t%r(t),%s16(i)(%r(s))", BASE)
{
    load(l, f, 0, 0);
}

ORYX_INSN(LH, "100001ssssstttttiiiiiiiiiiiiiiii", "lh\t%r(t),%s16(i)(%r(s))", BASE)
{
    load(l, f, 1, 1);
}

ORYX_INSN(LHU, "100101ssssstttttiiiiiiiiiiiiiiii", "lhu\t%r(t),%s16(i)(%r(s))", BASE)
{
    load(l, f, 1, 0);
}

ORYX_INSN(LW, "100011ssssstttttiiiiiiiiiiiiiiii", "lw\t%r(t),%s16(i)(%r(s))", BASE)
{
    load(l, f, 2, l->w == I64);
}

ORYX_INSN(LWU, "100111ssssstttttiiiiiiiiiiiiiiii", "lwu\t%r(t),%s16(i)(%r(s))", M3)
{
    load(l, f, 2, 0);
}

ORYX_INSN(LD, "110111ssssstttttiiiiiiiiiiiiiiii", "ld\t%r(t),%s16(i)(%r(s))", M3)
{
    load(l, f, 3, 0);
}

ORYX_INSN(SB, "101000ssssstttttiiiiiiiiiiiiiiii", "sb\t%r(t),%s16(i)(%r(s))", BASE)
{
    store(l, f, 0);
}

ORYX_INSN(SH, "101001ssssstttttiiiiiiiiiiiiiiii", "sh\t%r(t),%s16(i)(%r(s))", BASE)
{
    store(l, f, 1);
}

ORYX_INSN(SW, "101011ssssstttttiiiiiiiiiiiiiiii", "sw\t%r(t),%s16(i)(%r(s))", BASE)
{
    store(l, f, 2);
}

ORYX_INSN(SD, "111111ssssstttttiiiiiiiiiiiiiiii", "sd\t%r(t),%s16(i)(%r(s))", M3)
{
    store(l, f, 3);
}

/* --- Unaligned parts ----------------------------------------------------------------------------------------------- */

typedef struct part {
    oryx_val aligned;   /* address of the word or doubleword */
    oryx_val bits;      /* 8 * (address mod size), in the type */
} part;

/* For the left instruction of a big-endian CPU, and the right one of a little-endian, bits counts the bytes before the
 * address; turned round it counts those behind it. */
static part part_of(mips_lift *l, const mips_fields *f, unsigned type, unsigned turn)
{
    oryx_ir *ir = l->ir;
    uint64_t low = type == I64 ? 7 : 3;
    oryx_val a = mips_ea(l, f->s, mips_sx(f->i, 16)), k = oryx_bin(ir, ORYX_OP_AND, I64, a, oryx_const(ir, I64, low));
    oryx_val n = turn ? oryx_bin(ir, ORYX_OP_XOR, I64, k, oryx_const(ir, I64, low)) : k;
    n = oryx_bin(ir, ORYX_OP_SHL, I64, n, oryx_const(ir, I64, 3));
    return (part){ oryx_bin(ir, ORYX_OP_SUB, I64, a, k), oryx_trunc(ir, type, I64, n) };
}

static void load_part(mips_lift *l, const mips_fields *f, unsigned type, unsigned left)
{
    oryx_ir *ir = l->ir;
    part p = part_of(l, f, type, left == (l->be == 0));
    oryx_val v = oryx_load(ir, type, p.aligned, (type == I64 ? ORYX_MO_64 : ORYX_MO_32) | l->be);
    oryx_val old = type == I64 ? mips_r(l, f->t) : mips_r32(l, f->t), ones = oryx_const(ir, type, type == I64 ? ~0ull : 0xffffffffu);
    unsigned op = left ? ORYX_OP_SHL : ORYX_OP_SHR;
    oryx_val mask = oryx_bin(ir, op, type, ones, p.bits);
    v = oryx_bin(ir, ORYX_OP_OR, type, oryx_bin(ir, op, type, v, p.bits), oryx_bin(ir, ORYX_OP_ANDN, type, old, mask));
    if (type == I64)
        mips_set(l, f->t, v);
    else
        mips_set32(l, f->t, v);
}

/* The `count` bytes that are the instruction's, in pieces of 8, 4, 2 and 1: one for each bit of count, in address order. */
static void store_part(mips_lift *l, const mips_fields *f, unsigned type, unsigned left)
{
    oryx_ir *ir = l->ir;
    unsigned size = type == I64 ? 8 : 4;
    uint32_t done = mips_label(l);
    for (unsigned bytes = size; bytes; bytes /= 2) {
        uint32_t skip = mips_label(l);
        part p = part_of(l, f, type, left == (l->be == 0));
        oryx_val a = mips_ea(l, f->s, mips_sx(f->i, 16)), v = type == I64 ? mips_r(l, f->t) : mips_r32(l, f->t);
        oryx_val count = oryx_bin(ir, ORYX_OP_SUB, type, oryx_const(ir, type, 8 * size), p.bits); /* in bits */
        oryx_brc(ir, oryx_cmp(ir, ORYX_CC_TSTZ, type, count, oryx_const(ir, type, 8 * bytes)), skip);
        if (left) /* the upper bytes of rt, right-justified */
            v = oryx_bin(ir, ORYX_OP_SHR, type, v, p.bits);
        /* The bytes of larger pieces are stored before: whole bits of count above this one. */
        oryx_val before = oryx_bin(ir, ORYX_OP_AND, type, count, oryx_const(ir, type, ~(uint64_t)(16 * bytes - 1) & (16 * size - 1)));
        oryx_val after = oryx_bin(ir, ORYX_OP_AND, type, count, oryx_const(ir, type, 8 * bytes - 1));
        oryx_val start = left == (l->be != 0) ? a : p.aligned;
        oryx_val to = oryx_bin(ir, ORYX_OP_ADD, I64, start, oryx_zext(ir, I64, type,
                               oryx_bin(ir, ORYX_OP_SHR, type, before, oryx_const(ir, type, 3))));
        v = oryx_bin(ir, ORYX_OP_SHR, type, v, l->be ? after : before);
        oryx_store(ir, type, to, v, (uint32_t)__builtin_ctz(bytes) | l->be);
        if (bytes == size)
            oryx_br(ir, done);
        oryx_label(ir, skip);
    }
    oryx_label(ir, done);
}

ORYX_INSN(LWL, "100010ssssstttttiiiiiiiiiiiiiiii", "lwl\t%r(t),%s16(i)(%r(s))", BASE_5)
{
    load_part(l, f, I32, 1);
}

ORYX_INSN(LWR, "100110ssssstttttiiiiiiiiiiiiiiii", "lwr\t%r(t),%s16(i)(%r(s))", BASE_5)
{
    load_part(l, f, I32, 0);
}

ORYX_INSN(SWL, "101010ssssstttttiiiiiiiiiiiiiiii", "swl\t%r(t),%s16(i)(%r(s))", BASE_5)
{
    store_part(l, f, I32, 1);
}

ORYX_INSN(SWR, "101110ssssstttttiiiiiiiiiiiiiiii", "swr\t%r(t),%s16(i)(%r(s))", BASE_5)
{
    store_part(l, f, I32, 0);
}

ORYX_INSN(LDL, "011010ssssstttttiiiiiiiiiiiiiiii", "ldl\t%r(t),%s16(i)(%r(s))", M3_5)
{
    load_part(l, f, I64, 1);
}

ORYX_INSN(LDR, "011011ssssstttttiiiiiiiiiiiiiiii", "ldr\t%r(t),%s16(i)(%r(s))", M3_5)
{
    load_part(l, f, I64, 0);
}

ORYX_INSN(SDL, "101100ssssstttttiiiiiiiiiiiiiiii", "sdl\t%r(t),%s16(i)(%r(s))", M3_5)
{
    store_part(l, f, I64, 1);
}

ORYX_INSN(SDR, "101101ssssstttttiiiiiiiiiiiiiiii", "sdr\t%r(t),%s16(i)(%r(s))", M3_5)
{
    store_part(l, f, I64, 0);
}

/* --- Load linked, store conditional ---------------------------------------------------------------------------------- */

static void load_linked(mips_lift *l, unsigned t, oryx_val a, unsigned z)
{
    oryx_val v = oryx_ldx(l->ir, z == 3 ? I64 : I32, a, z | l->be | ORYX_MO_ALIGN(z));
    if (z == 3)
        mips_set(l, t, v);
    else
        mips_set32(l, t, v);
}

static void store_conditional(mips_lift *l, unsigned t, oryx_val a, unsigned z)
{
    oryx_val failed = z == 3 ? oryx_stx(l->ir, I64, a, mips_r(l, t), z | l->be | ORYX_MO_ALIGN(z))
                             : oryx_stx(l->ir, I32, a, mips_r32(l, t), z | l->be | ORYX_MO_ALIGN(z));
    mips_set32(l, t, mips_bin32(l, ORYX_OP_XOR, failed, mips_imm32(l, 1)));
}

ORYX_INSN(LL, "110000ssssstttttiiiiiiiiiiiiiiii", "ll\t%r(t),%s16(i)(%r(s))", M2_5)
{
    load_linked(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 2);
}

ORYX_INSN(SC, "111000ssssstttttiiiiiiiiiiiiiiii", "sc\t%r(t),%s16(i)(%r(s))", M2_5)
{
    store_conditional(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 2);
}

ORYX_INSN(LLD, "110100ssssstttttiiiiiiiiiiiiiiii", "lld\t%r(t),%s16(i)(%r(s))", M3_5)
{
    load_linked(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 3);
}

ORYX_INSN(SCD, "111100ssssstttttiiiiiiiiiiiiiiii", "scd\t%r(t),%s16(i)(%r(s))", M3_5)
{
    store_conditional(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 16)), 3);
}

/* Release 6: 9-bit offsets. */
ORYX_INSN(LL_R6, "011111ssssstttttiiiiiiiii0110110", "ll\t%r(t),%s9(i)(%r(s))", R6)
{
    load_linked(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 9)), 2);
}

ORYX_INSN(SC_R6, "011111ssssstttttiiiiiiiii0100110", "sc\t%r(t),%s9(i)(%r(s))", R6)
{
    store_conditional(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 9)), 2);
}

ORYX_INSN(LLD_R6, "011111ssssstttttiiiiiiiii0110111", "lld\t%r(t),%s9(i)(%r(s))", R6_64)
{
    load_linked(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 9)), 3);
}

ORYX_INSN(SCD_R6, "011111ssssstttttiiiiiiiii0100111", "scd\t%r(t),%s9(i)(%r(s))", R6_64)
{
    store_conditional(l, f->t, mips_ea(l, f->s, mips_sx(f->i, 9)), 3);
}

/* Paired, Release 6: two words in a doubleword, two doublewords in sixteen bytes. rt is the lower half of the whole. */
static void load_pair(mips_lift *l, const mips_fields *f, unsigned z)
{
    oryx_ir *ir = l->ir;
    oryx_val a = mips_ea(l, f->s, 0), lo, hi;
    if (z == 4) {
        oryx_val v = oryx_ldx(ir, ORYX_T_V128, a, 4 | l->be | ORYX_MO_ALIGN(4));
        lo = oryx_ir_emit(ir, ORYX_OP_VGET, ORYX_T_V128, I64, v, 0, 0, 0);
        hi = oryx_ir_emit(ir, ORYX_OP_VGET, ORYX_T_V128, I64, v, 0, 0, 1);
        mips_set(l, f->t, lo);
        mips_set(l, f->d, hi);
        return;
    }
    oryx_val v = oryx_ldx(ir, I64, a, 3 | l->be | ORYX_MO_ALIGN(3));
    lo = oryx_trunc(ir, I32, I64, v);
    hi = oryx_trunc(ir, I32, I64, oryx_bin(ir, ORYX_OP_SHR, I64, v, oryx_const(ir, I64, 32)));
    mips_set32(l, f->t, lo);
    mips_set32(l, f->d, hi);
}

static void store_pair(mips_lift *l, const mips_fields *f, unsigned z)
{
    oryx_ir *ir = l->ir;
    oryx_val a = mips_ea(l, f->s, 0), failed;
    if (z == 4) {
        oryx_val v = oryx_ir_emit(ir, ORYX_OP_DUP, ORYX_T_V128, I64, mips_r(l, f->t), 0, 0, 0);
        v = oryx_ir_emit(ir, ORYX_OP_VSET, ORYX_T_V128, I64, v, mips_r(l, f->d), 0, 1);
        failed = oryx_stx(ir, ORYX_T_V128, a, v, 4 | l->be | ORYX_MO_ALIGN(4));
    } else {
        oryx_val hi = oryx_bin(ir, ORYX_OP_SHL, I64, oryx_zext(ir, I64, I32, mips_r32(l, f->d)), oryx_const(ir, I64, 32));
        oryx_val v = oryx_bin(ir, ORYX_OP_OR, I64, hi, oryx_zext(ir, I64, I32, mips_r32(l, f->t)));
        failed = oryx_stx(ir, I64, a, v, 3 | l->be | ORYX_MO_ALIGN(3));
    }
    mips_set32(l, f->t, mips_bin32(l, ORYX_OP_XOR, failed, mips_imm32(l, 1)));
}

ORYX_INSN(LLWP, "011111ssssstttttddddd00001110110", "llwp\t%r(t),%r(d),%r(s)", XNP)
{
    load_pair(l, f, 3);
}

ORYX_INSN(SCWP, "011111ssssstttttddddd00001100110", "scwp\t%r(t),%r(d),%r(s)", XNP)
{
    store_pair(l, f, 3);
}

ORYX_INSN(LLDP, "011111ssssstttttddddd00001110111", "lldp\t%r(t),%r(d),%r(s)", XNP_64)
{
    load_pair(l, f, 4);
}

ORYX_INSN(SCDP, "011111ssssstttttddddd00001100111", "scdp\t%r(t),%r(d),%r(s)", XNP_64)
{
    store_pair(l, f, 4);
}

/* --- EVA: kernel accesses with the user's mapping ------------------------------------------------------------------------ */

static oryx_val user_address(mips_lift *l, const mips_fields *f)
{
    l->as_user = true; /* mips.c gives the accesses the user's mmu index */
    return mips_ea(l, f->s, mips_sx(f->i, 9));
}

static void load_user(mips_lift *l, const mips_fields *f, unsigned z, unsigned sign)
{
    oryx_val a = user_address(l, f);
    mips_set(l, f->t, oryx_load(l->ir, l->w, a, mips_memop(l, z) | (sign && (z < 2 || l->w == I64) ? ORYX_MO_SIGN : 0)));
}

static void store_user(mips_lift *l, const mips_fields *f, unsigned z)
{
    oryx_val a = user_address(l, f);
    oryx_store(l->ir, I32, a, mips_r32(l, f->t), mips_memop(l, z));
}

ORYX_INSN(LBUE, "011111ssssstttttiiiiiiiii0101000", "lbue\t%r(t),%s9(i)(%r(s))", EVA)
{
    load_user(l, f, 0, 0);
}

ORYX_INSN(LHUE, "011111ssssstttttiiiiiiiii0101001", "lhue\t%r(t),%s9(i)(%r(s))", EVA)
{
    load_user(l, f, 1, 0);
}

ORYX_INSN(LBE, "011111ssssstttttiiiiiiiii0101100", "lbe\t%r(t),%s9(i)(%r(s))", EVA)
{
    load_user(l, f, 0, 1);
}

ORYX_INSN(LHE, "011111ssssstttttiiiiiiiii0101101", "lhe\t%r(t),%s9(i)(%r(s))", EVA)
{
    load_user(l, f, 1, 1);
}

ORYX_INSN(LWE, "011111ssssstttttiiiiiiiii0101111", "lwe\t%r(t),%s9(i)(%r(s))", EVA)
{
    load_user(l, f, 2, 1);
}

ORYX_INSN(SBE, "011111ssssstttttiiiiiiiii0011100", "sbe\t%r(t),%s9(i)(%r(s))", EVA)
{
    store_user(l, f, 0);
}

ORYX_INSN(SHE, "011111ssssstttttiiiiiiiii0011101", "she\t%r(t),%s9(i)(%r(s))", EVA)
{
    store_user(l, f, 1);
}

ORYX_INSN(SWE, "011111ssssstttttiiiiiiiii0011111", "swe\t%r(t),%s9(i)(%r(s))", EVA)
{
    store_user(l, f, 2);
}

ORYX_INSN(LLE, "011111ssssstttttiiiiiiiii0101110", "lle\t%r(t),%s9(i)(%r(s))", EVA)
{
    load_linked(l, f->t, user_address(l, f), 2);
}

ORYX_INSN(SCE, "011111ssssstttttiiiiiiiii0011110", "sce\t%r(t),%s9(i)(%r(s))", EVA)
{
    store_conditional(l, f->t, user_address(l, f), 2);
}

/* The forms of MIPS I with nine bits of offset. */
static void part_user(mips_lift *l, const mips_fields *f, void (*lift)(mips_lift *, const mips_fields *, unsigned, unsigned), unsigned left)
{
    mips_fields g = *f;
    g.i = (uint32_t)mips_sx(f->i, 9) & 0xffff;
    l->as_user = true;
    lift(l, &g, I32, left);
}

ORYX_INSN(LWLE, "011111ssssstttttiiiiiiiii0011001", "lwle\t%r(t),%s9(i)(%r(s))", EVA_5)
{
    part_user(l, f, load_part, 1);
}

ORYX_INSN(LWRE, "011111ssssstttttiiiiiiiii0011010", "lwre\t%r(t),%s9(i)(%r(s))", EVA_5)
{
    part_user(l, f, load_part, 0);
}

ORYX_INSN(SWLE, "011111ssssstttttiiiiiiiii0100001", "swle\t%r(t),%s9(i)(%r(s))", EVA_5)
{
    part_user(l, f, store_part, 1);
}

ORYX_INSN(SWRE, "011111ssssstttttiiiiiiiii0100010", "swre\t%r(t),%s9(i)(%r(s))", EVA_5)
{
    part_user(l, f, store_part, 0);
}

/* --- Hints ------------------------------------------------------------------------------------------------------------ */

ORYX_INSN(PREF, "110011ssssshhhhhiiiiiiiiiiiiiiii", "pref\t%x(h),%s16(i)(%r(s))", M4_5)
{
    (void)l;
    (void)f;
}

ORYX_INSN(PREF_R6, "011111ssssshhhhhiiiiiiiii0110101", "pref\t%x(h),%s9(i)(%r(s))", R6)
{
    (void)l;
    (void)f;
}

ORYX_INSN(PREFE, "011111ssssshhhhhiiiiiiiii0100011", "prefe\t%x(h),%s9(i)(%r(s))", EVA)
{
    (void)l;
    (void)f;
}
