/* Loads and stores of one general register: DDI 0487, C4.1.88 (semantics C6.2).
 *
 * Rows and bodies of every addressing mode but pairs and exclusives. Called through the decode tables
 * only. Order inside a body: the access, then base writeback, then the loaded register, so a fault
 * leaves the state of the instruction's start. SP alignment is not checked (as qemu-aarch64; Linux
 * delivers SIGBUS). CONSTRAINED UNPREDICTABLE writeback with t == n: a store stores the original
 * value, a load's register is then overwritten by the writeback. At EL1 LDTR and STTR are EL0's accesses. */
#include "a64_text.h"

typedef struct place {
    oryx_val addr;      /* of the access */
    oryx_val writeback; /* new value of the base, 0: none */
} place;

static oryx_val offset(a64_lift *l, oryx_val base, int64_t imm)
{
    return imm ? oryx_bin(l->ir, ORYX_OP_ADD, ORYX_T_I64, base, a64_imm(l, ORYX_T_I64, (uint64_t)imm)) : base;
}

static place at_offset(a64_lift *l, unsigned n, int64_t imm)
{
    return (place){ offset(l, a64_reg_sp(l, ORYX_T_I64, n), imm), 0 };
}

static place pre_index(a64_lift *l, unsigned n, int64_t imm)
{
    oryx_val addr = offset(l, a64_reg_sp(l, ORYX_T_I64, n), imm);
    return (place){ addr, addr };
}

static place post_index(a64_lift *l, unsigned n, int64_t imm)
{
    oryx_val base = a64_reg_sp(l, ORYX_T_I64, n);
    return (place){ base, offset(l, base, imm) };
}

/* Base plus register m, extended by option and shifted by the access size when f->h. */
static place at_register(a64_lift *l, const a64_fields *f)
{
    oryx_val base = a64_reg_sp(l, ORYX_T_I64, f->n), m;
    if (f->o & 1) {
        m = a64_reg(l, ORYX_T_I64, f->m);
    } else {
        m = a64_reg(l, ORYX_T_I32, f->m);
        m = f->o & 4 ? oryx_sext(l->ir, ORYX_T_I64, ORYX_T_I32, m) : oryx_zext(l->ir, ORYX_T_I64, ORYX_T_I32, m);
    }
    if (f->h && f->z)
        m = oryx_bin(l->ir, ORYX_OP_SHL, ORYX_T_I64, m, a64_imm(l, ORYX_T_I64, f->z));
    return (place){ oryx_bin(l->ir, ORYX_OP_ADD, ORYX_T_I64, base, m), 0 };
}

/* z: log2 of the bytes. */
static void store(a64_lift *l, const a64_fields *f, place p)
{
    unsigned type = f->z == 3 ? ORYX_T_I64 : ORYX_T_I32;
    oryx_store(l->ir, type, p.addr, a64_reg(l, type, f->t), f->z);
    if (p.writeback)
        a64_set_reg_sp(l, ORYX_T_I64, f->n, p.writeback);
}

static void load_as(a64_lift *l, const a64_fields *f, place p, unsigned type, uint32_t memop)
{
    oryx_val v = oryx_load(l->ir, type, p.addr, memop);
    if (!p.writeback || f->t != f->n || f->n == 31)
        a64_set_reg(l, type, f->t, v);
    if (p.writeback)
        a64_set_reg_sp(l, ORYX_T_I64, f->n, p.writeback);
}

static void load(a64_lift *l, const a64_fields *f, place p)
{
    load_as(l, f, p, ORYX_T_I64, f->z); /* zero-extended to X by the load itself */
}

/* e: 1 extends to 32 bits, 0 to 64. */
static void load_signed(a64_lift *l, const a64_fields *f, place p)
{
    load_as(l, f, p, f->e ? ORYX_T_I32 : ORYX_T_I64, f->z | ORYX_MO_SIGN);
}

/* --- Load register (literal) -------------------------------------------------------------------------- */

static place literal(a64_lift *l, const a64_fields *f)
{
    return (place){ a64_imm(l, ORYX_T_I64, l->pc + (uint64_t)(a64_sx(f->i, 19) * 4)), 0 };
}

ORYX_INSN(LDR_lit, "0s011000iiiiiiiiiiiiiiiiiiittttt", "ldr\t%r(s,t), %label(a64_sx(i, 19) * 4)", BASE)
{
    load_as(l, f, literal(l, f), ORYX_T_I64, f->s ? ORYX_MO_64 : ORYX_MO_32);
}

ORYX_INSN(LDRSW_lit, "10011000iiiiiiiiiiiiiiiiiiittttt", "ldrsw\t%x(t), %label(a64_sx(i, 19) * 4)", BASE)
{
    load_as(l, f, literal(l, f), ORYX_T_I64, ORYX_MO_32 | ORYX_MO_SIGN);
}

/* Prefetches are hints: no access, no fault. */
ORYX_INSN(PRFM_lit, "11011000iiiiiiiiiiiiiiiiiiittttt", "prfm\t%prfop(t), %label(a64_sx(i, 19) * 4)", BASE)
{
    (void)l, (void)f;
}

/* --- Unscaled immediate ---------------------------------------------------------------------------------- */

ORYX_INSN(STUR, "zz111000000iiiiiiiii00nnnnnttttt",
          "stur%bh(z)\t%r(z == 3, t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    store(l, f, at_offset(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDUR, "zz111000010iiiiiiiii00nnnnnttttt",
          "ldur%bh(z)\t%r(z == 3, t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    load(l, f, at_offset(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDURS, "zz1110001e0iiiiiiiii00nnnnnttttt",
          "[z < 2 || (z == 2 && !e)] ldurs%pick(z, \"b h w\")\t%r(!e, t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    load_signed(l, f, at_offset(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(PRFUM, "11111000100iiiiiiiii00nnnnnttttt", "prfum\t%prfop(t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    (void)l, (void)f;
}

/* --- Immediate, post-indexed and pre-indexed --------------------------------------------------------------- */

ORYX_INSN(STR_post, "zz111000000iiiiiiiii01nnnnnttttt",
          "str%bh(z)\t%r(z == 3, t), [%xsp(n)], #%i(a64_sx(i, 9))", BASE)
{
    store(l, f, post_index(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDR_post, "zz111000010iiiiiiiii01nnnnnttttt",
          "ldr%bh(z)\t%r(z == 3, t), [%xsp(n)], #%i(a64_sx(i, 9))", BASE)
{
    load(l, f, post_index(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDRS_post, "zz1110001e0iiiiiiiii01nnnnnttttt",
          "[z < 2 || (z == 2 && !e)] ldrs%pick(z, \"b h w\")\t%r(!e, t), [%xsp(n)], #%i(a64_sx(i, 9))", BASE)
{
    load_signed(l, f, post_index(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(STR_pre, "zz111000000iiiiiiiii11nnnnnttttt",
          "str%bh(z)\t%r(z == 3, t), [%xsp(n), #%i(a64_sx(i, 9))]!", BASE)
{
    store(l, f, pre_index(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDR_pre, "zz111000010iiiiiiiii11nnnnnttttt",
          "ldr%bh(z)\t%r(z == 3, t), [%xsp(n), #%i(a64_sx(i, 9))]!", BASE)
{
    load(l, f, pre_index(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDRS_pre, "zz1110001e0iiiiiiiii11nnnnnttttt",
          "[z < 2 || (z == 2 && !e)] ldrs%pick(z, \"b h w\")\t%r(!e, t), [%xsp(n), #%i(a64_sx(i, 9))]!", BASE)
{
    load_signed(l, f, pre_index(l, f->n, a64_sx(f->i, 9)));
}

/* --- Unprivileged ---------------------------------------------------------------------------------------------- */

static void unprivileged(a64_lift *l)
{
    if (l->mode & A64_MODE_UNPRIV)
        l->memop = (l->memop & ~ORYX_MO_MMU(15)) | ORYX_MO_USER;
}

ORYX_INSN(STTR, "zz111000000iiiiiiiii10nnnnnttttt",
          "sttr%bh(z)\t%r(z == 3, t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    unprivileged(l);
    store(l, f, at_offset(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDTR, "zz111000010iiiiiiiii10nnnnnttttt",
          "ldtr%bh(z)\t%r(z == 3, t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    unprivileged(l);
    load(l, f, at_offset(l, f->n, a64_sx(f->i, 9)));
}

ORYX_INSN(LDTRS, "zz1110001e0iiiiiiiii10nnnnnttttt",
          "[z < 2 || (z == 2 && !e)] ldtrs%pick(z, \"b h w\")\t%r(!e, t), [%xsp(n)%imm(a64_sx(i, 9))]", BASE)
{
    unprivileged(l);
    load_signed(l, f, at_offset(l, f->n, a64_sx(f->i, 9)));
}

/* --- Register offset -------------------------------------------------------------------------------------------- */

ORYX_INSN(STR_reg, "zz111000001mmmmmoooh10nnnnnttttt",
          "[o & 2] str%bh(z)\t%r(z == 3, t), [%xsp(n)%offset(m, o, h, z)]", BASE)
{
    store(l, f, at_register(l, f));
}

ORYX_INSN(LDR_reg, "zz111000011mmmmmoooh10nnnnnttttt",
          "[o & 2] ldr%bh(z)\t%r(z == 3, t), [%xsp(n)%offset(m, o, h, z)]", BASE)
{
    load(l, f, at_register(l, f));
}

ORYX_INSN(LDRS_reg, "zz1110001e1mmmmmoooh10nnnnnttttt",
          "[o & 2 && (z < 2 || (z == 2 && !e))] ldrs%pick(z, \"b h w\")\t%r(!e, t), [%xsp(n)%offset(m, o, h, z)]", BASE)
{
    load_signed(l, f, at_register(l, f));
}

ORYX_INSN(PRFM_reg, "11111000101mmmmmoooh10nnnnnttttt",
          "[o & 2] prfm\t%prfop(t), [%xsp(n)%offset(m, o, h, 3)]", BASE)
{
    (void)l, (void)f;
}

/* --- Unsigned immediate -------------------------------------------------------------------------------------------- */

ORYX_INSN(STR_uimm, "zz11100100iiiiiiiiiiiinnnnnttttt",
          "str%bh(z)\t%r(z == 3, t), [%xsp(n)%imm(i << z)]", BASE)
{
    store(l, f, at_offset(l, f->n, f->i << f->z));
}

ORYX_INSN(LDR_uimm, "zz11100101iiiiiiiiiiiinnnnnttttt",
          "ldr%bh(z)\t%r(z == 3, t), [%xsp(n)%imm(i << z)]", BASE)
{
    load(l, f, at_offset(l, f->n, f->i << f->z));
}

ORYX_INSN(LDRS_uimm, "zz1110011eiiiiiiiiiiiinnnnnttttt",
          "[z < 2 || (z == 2 && !e)] ldrs%pick(z, \"b h w\")\t%r(!e, t), [%xsp(n)%imm(i << z)]", BASE)
{
    load_signed(l, f, at_offset(l, f->n, f->i << f->z));
}

ORYX_INSN(PRFM_uimm, "1111100110iiiiiiiiiiiinnnnnttttt", "prfm\t%prfop(t), [%xsp(n)%imm(i << 3)]", BASE)
{
    (void)l, (void)f;
}
