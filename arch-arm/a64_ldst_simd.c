/* Loads and stores of B, H, S, D and Q registers: literal, pairs, all immediate forms, register
 * offset (DDI 0487, C4.1 "Loads and stores"; C7.2). Structures: a64_ldst_struct.c.
 *
 * Called by the decoder, one body a row. Invariant: every access of an instruction comes before its
 * first PUT, so a fault leaves base and destination as they were. */
#include "a64_simd.h"

/* The type that carries 1 << z bytes between memory and a V register. */
static unsigned type_of(unsigned z)
{
    static const uint8_t types[5] = { I8, I16, F32, F64, V128 };
    return types[z];
}

static oryx_val load(a64_lift *l, oryx_val addr, unsigned z)
{
    return oryx_load(l->ir, type_of(z), addr, z);
}

static void store(a64_lift *l, oryx_val addr, unsigned z, unsigned t)
{
    oryx_store(l->ir, type_of(z), addr, a64_vreg(l, type_of(z), t), z);
}

static oryx_val plus(a64_lift *l, oryx_val base, int64_t offset)
{
    return offset ? oryx_bin(l->ir, ORYX_OP_ADD, I64, base, a64_imm(l, I64, (uint64_t)offset))
                  : base;
}

/* One register at base + offset; how: where the address comes from and whether the base is written
 * back. */
enum { OFFSET, POST, PRE };

static void load_imm(a64_lift *l, const a64_fields *f, unsigned z, int64_t offset, unsigned how)
{
    oryx_val base = a64_reg_sp(l, I64, f->n), moved = plus(l, base, offset);
    oryx_val v = load(l, how == POST ? base : moved, z);
    a64_set_vreg(l, type_of(z), f->t, v);
    if (how != OFFSET)
        a64_set_reg_sp(l, I64, f->n, moved);
}

static void store_imm(a64_lift *l, const a64_fields *f, unsigned z, int64_t offset, unsigned how)
{
    oryx_val base = a64_reg_sp(l, I64, f->n), moved = plus(l, base, offset);
    store(l, how == POST ? base : moved, z, f->t);
    if (how != OFFSET)
        a64_set_reg_sp(l, I64, f->n, moved);
}

/* Pairs: field o is log2 of the size less 2. A pair with the same register twice is UNPREDICTABLE;
 * the second load stays. */
static void load_pair(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned z = f->o + 2;
    oryx_val base = a64_reg_sp(l, I64, f->n), moved = plus(l, base, a64_sx(f->i, 7) * (1 << z));
    oryx_val addr = how == POST ? base : moved;
    oryx_val t = load(l, addr, z), u = load(l, plus(l, addr, 1 << z), z);
    a64_set_vreg(l, type_of(z), f->t, t);
    a64_set_vreg(l, type_of(z), f->u, u);
    if (how != OFFSET)
        a64_set_reg_sp(l, I64, f->n, moved);
}

static void store_pair(a64_lift *l, const a64_fields *f, unsigned how)
{
    unsigned z = f->o + 2;
    oryx_val base = a64_reg_sp(l, I64, f->n), moved = plus(l, base, a64_sx(f->i, 7) * (1 << z));
    oryx_val addr = how == POST ? base : moved;
    store(l, addr, z, f->t);
    store(l, plus(l, addr, 1 << z), z, f->u);
    if (how != OFFSET)
        a64_set_reg_sp(l, I64, f->n, moved);
}

/* Base plus extended index: o is option (UXTW, LSL, SXTW, SXTX), h the shift-by-size bit. */
static oryx_val indexed(a64_lift *l, const a64_fields *f, unsigned z)
{
    oryx_val index;
    if (f->o & 1)
        index = a64_reg(l, I64, f->m);
    else if (f->o & 4)
        index = oryx_sext(l->ir, I64, I32, a64_reg(l, I32, f->m));
    else
        index = oryx_zext(l->ir, I64, I32, a64_reg(l, I32, f->m));
    if (f->h && z)
        index = oryx_bin(l->ir, ORYX_OP_SHL, I64, index, a64_imm(l, I64, z));
    return oryx_bin(l->ir, ORYX_OP_ADD, I64, a64_reg_sp(l, I64, f->n), index);
}

static void load_indexed(a64_lift *l, const a64_fields *f, unsigned z)
{
    a64_set_vreg(l, type_of(z), f->t, load(l, indexed(l, f, z), z));
}

/* --- literal ---------------------------------------------------------------------------------- */

ORYX_INSN(LDR_lit_fp, "oo011100iiiiiiiiiiiiiiiiiiittttt",
          "[o < 3] ldr\t%fp(o+2,t), %label(a64_sx(i,19)*4)", FP)
{
    unsigned z = f->o + 2;
    oryx_val addr = a64_imm(l, I64, l->pc + (uint64_t)a64_sx(f->i, 19) * 4);
    a64_set_vreg(l, type_of(z), f->t, load(l, addr, z));
}

/* --- pairs ------------------------------------------------------------------------------------ */

ORYX_INSN(STNP_fp, "oo10110000iiiiiiiuuuuunnnnnttttt",
          "[o < 3] stnp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n)%imm(a64_sx(i,7)*(4<<o))]", FP)
{
    store_pair(l, f, OFFSET);
}

ORYX_INSN(LDNP_fp, "oo10110001iiiiiiiuuuuunnnnnttttt",
          "[o < 3] ldnp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n)%imm(a64_sx(i,7)*(4<<o))]", FP)
{
    load_pair(l, f, OFFSET);
}

ORYX_INSN(STP_fp_post, "oo10110010iiiiiiiuuuuunnnnnttttt",
          "[o < 3] stp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n)], #%i(a64_sx(i,7)*(4<<o))", FP)
{
    store_pair(l, f, POST);
}

ORYX_INSN(LDP_fp_post, "oo10110011iiiiiiiuuuuunnnnnttttt",
          "[o < 3] ldp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n)], #%i(a64_sx(i,7)*(4<<o))", FP)
{
    load_pair(l, f, POST);
}

ORYX_INSN(STP_fp_off, "oo10110100iiiiiiiuuuuunnnnnttttt",
          "[o < 3] stp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n)%imm(a64_sx(i,7)*(4<<o))]", FP)
{
    store_pair(l, f, OFFSET);
}

ORYX_INSN(LDP_fp_off, "oo10110101iiiiiiiuuuuunnnnnttttt",
          "[o < 3] ldp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n)%imm(a64_sx(i,7)*(4<<o))]", FP)
{
    load_pair(l, f, OFFSET);
}

ORYX_INSN(STP_fp_pre, "oo10110110iiiiiiiuuuuunnnnnttttt",
          "[o < 3] stp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n), #%i(a64_sx(i,7)*(4<<o))]!", FP)
{
    store_pair(l, f, PRE);
}

ORYX_INSN(LDP_fp_pre, "oo10110111iiiiiiiuuuuunnnnnttttt",
          "[o < 3] ldp\t%fp(o+2,t), %fp(o+2,u), [%xsp(n), #%i(a64_sx(i,7)*(4<<o))]!", FP)
{
    load_pair(l, f, PRE);
}

/* --- unscaled, post-indexed, pre-indexed ------------------------------------------------------ */

ORYX_INSN(STUR_fp, "zz111100000iiiiiiiii00nnnnnttttt",
          "stur\t%fp(z,t), [%xsp(n)%imm(a64_sx(i,9))]", FP)
{
    store_imm(l, f, f->z, a64_sx(f->i, 9), OFFSET);
}

ORYX_INSN(LDUR_fp, "zz111100010iiiiiiiii00nnnnnttttt",
          "ldur\t%fp(z,t), [%xsp(n)%imm(a64_sx(i,9))]", FP)
{
    load_imm(l, f, f->z, a64_sx(f->i, 9), OFFSET);
}

ORYX_INSN(STUR_q, "00111100100iiiiiiiii00nnnnnttttt",
          "stur\t%fp(4,t), [%xsp(n)%imm(a64_sx(i,9))]", FP)
{
    store_imm(l, f, 4, a64_sx(f->i, 9), OFFSET);
}

ORYX_INSN(LDUR_q, "00111100110iiiiiiiii00nnnnnttttt",
          "ldur\t%fp(4,t), [%xsp(n)%imm(a64_sx(i,9))]", FP)
{
    load_imm(l, f, 4, a64_sx(f->i, 9), OFFSET);
}

ORYX_INSN(STR_fp_post, "zz111100000iiiiiiiii01nnnnnttttt",
          "str\t%fp(z,t), [%xsp(n)], #%i(a64_sx(i,9))", FP)
{
    store_imm(l, f, f->z, a64_sx(f->i, 9), POST);
}

ORYX_INSN(LDR_fp_post, "zz111100010iiiiiiiii01nnnnnttttt",
          "ldr\t%fp(z,t), [%xsp(n)], #%i(a64_sx(i,9))", FP)
{
    load_imm(l, f, f->z, a64_sx(f->i, 9), POST);
}

ORYX_INSN(STR_q_post, "00111100100iiiiiiiii01nnnnnttttt",
          "str\t%fp(4,t), [%xsp(n)], #%i(a64_sx(i,9))", FP)
{
    store_imm(l, f, 4, a64_sx(f->i, 9), POST);
}

ORYX_INSN(LDR_q_post, "00111100110iiiiiiiii01nnnnnttttt",
          "ldr\t%fp(4,t), [%xsp(n)], #%i(a64_sx(i,9))", FP)
{
    load_imm(l, f, 4, a64_sx(f->i, 9), POST);
}

ORYX_INSN(STR_fp_pre, "zz111100000iiiiiiiii11nnnnnttttt",
          "str\t%fp(z,t), [%xsp(n), #%i(a64_sx(i,9))]!", FP)
{
    store_imm(l, f, f->z, a64_sx(f->i, 9), PRE);
}

ORYX_INSN(LDR_fp_pre, "zz111100010iiiiiiiii11nnnnnttttt",
          "ldr\t%fp(z,t), [%xsp(n), #%i(a64_sx(i,9))]!", FP)
{
    load_imm(l, f, f->z, a64_sx(f->i, 9), PRE);
}

ORYX_INSN(STR_q_pre, "00111100100iiiiiiiii11nnnnnttttt",
          "str\t%fp(4,t), [%xsp(n), #%i(a64_sx(i,9))]!", FP)
{
    store_imm(l, f, 4, a64_sx(f->i, 9), PRE);
}

ORYX_INSN(LDR_q_pre, "00111100110iiiiiiiii11nnnnnttttt",
          "ldr\t%fp(4,t), [%xsp(n), #%i(a64_sx(i,9))]!", FP)
{
    load_imm(l, f, 4, a64_sx(f->i, 9), PRE);
}

/* --- register offset, unsigned offset --------------------------------------------------------- */

ORYX_INSN(STR_fp_reg, "zz111100001mmmmmoooh10nnnnnttttt",
          "[o & 2] str\t%fp(z,t), [%xsp(n)%offset(m,o,h,z)]", FP)
{
    store(l, indexed(l, f, f->z), f->z, f->t);
}

ORYX_INSN(LDR_fp_reg, "zz111100011mmmmmoooh10nnnnnttttt",
          "[o & 2] ldr\t%fp(z,t), [%xsp(n)%offset(m,o,h,z)]", FP)
{
    load_indexed(l, f, f->z);
}

ORYX_INSN(STR_q_reg, "00111100101mmmmmoooh10nnnnnttttt",
          "[o & 2] str\t%fp(4,t), [%xsp(n)%offset(m,o,h,4)]", FP)
{
    store(l, indexed(l, f, 4), 4, f->t);
}

ORYX_INSN(LDR_q_reg, "00111100111mmmmmoooh10nnnnnttttt",
          "[o & 2] ldr\t%fp(4,t), [%xsp(n)%offset(m,o,h,4)]", FP)
{
    load_indexed(l, f, 4);
}

ORYX_INSN(STR_fp_uimm, "zz11110100iiiiiiiiiiiinnnnnttttt", "str\t%fp(z,t), [%xsp(n)%imm(i<<z)]", FP)
{
    store_imm(l, f, f->z, (int64_t)f->i << f->z, OFFSET);
}

ORYX_INSN(LDR_fp_uimm, "zz11110101iiiiiiiiiiiinnnnnttttt", "ldr\t%fp(z,t), [%xsp(n)%imm(i<<z)]", FP)
{
    load_imm(l, f, f->z, (int64_t)f->i << f->z, OFFSET);
}

ORYX_INSN(STR_q_uimm, "0011110110iiiiiiiiiiiinnnnnttttt", "str\t%fp(4,t), [%xsp(n)%imm(i<<4)]", FP)
{
    store_imm(l, f, 4, (int64_t)f->i << 4, OFFSET);
}

ORYX_INSN(LDR_q_uimm, "0011110111iiiiiiiiiiiinnnnnttttt", "ldr\t%fp(4,t), [%xsp(n)%imm(i<<4)]", FP)
{
    load_imm(l, f, 4, (int64_t)f->i << 4, OFFSET);
}
