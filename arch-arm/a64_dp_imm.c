/* Data processing, immediate: DDI 0487, C4.1.86 (semantics C6.2).
 *
 * Rows and bodies of PC-relative addressing, add and subtract, logical, move wide, bit field, extract.
 * Called through the decode tables only. */
#include "a64_text.h"

static unsigned gpr(unsigned s)
{
    return s ? ORYX_T_I64 : ORYX_T_I32;
}

/* --- PC-relative addressing --------------------------------------------------------------------- */

ORYX_INSN(ADR, "0jj10000iiiiiiiiiiiiiiiiiiiddddd", "adr\t%x(d), %label(a64_sx(i << 2 | j, 21))", BASE)
{
    a64_set_reg(l, ORYX_T_I64, f->d, a64_imm(l, ORYX_T_I64, l->pc + (uint64_t)a64_sx(f->i << 2 | f->j, 21)));
}

ORYX_INSN(ADRP, "1jj10000iiiiiiiiiiiiiiiiiiiddddd", "adrp\t%x(d), %page(a64_sx(i << 2 | j, 21) * 4096)", BASE)
{
    uint64_t page = (l->pc & ~UINT64_C(0xfff)) + ((uint64_t)a64_sx(f->i << 2 | f->j, 21) << 12);
    a64_set_reg(l, ORYX_T_I64, f->d, a64_imm(l, ORYX_T_I64, page));
}

/* --- Add and subtract (immediate) ---------------------------------------------------------------- */

static void add_sub_imm(a64_lift *l, const a64_fields *f, unsigned sub, unsigned set_flags)
{
    unsigned type = gpr(f->s);
    uint64_t value = f->h ? (uint64_t)f->i << 12 : f->i;
    oryx_val a = a64_reg_sp(l, type, f->n), b;
    if (!set_flags) {
        a64_set_reg_sp(l, type, f->d,
                       value ? oryx_bin(l->ir, sub ? ORYX_OP_SUB : ORYX_OP_ADD, type, a, a64_imm(l, type, value)) : a);
        return;
    }
    b = a64_imm(l, type, value);
    if (f->d != 31)
        a64_set_reg(l, type, f->d, oryx_bin(l->ir, sub ? ORYX_OP_SUB : ORYX_OP_ADD, type, a, b));
    a64_set_flags(l, oryx_flmake(l->ir, sub ? ORYX_FL_SUBC : ORYX_FL_ADD, type, a, b, 0));
}

ORYX_INSN(ADD_imm, "s00100010hiiiiiiiiiiiinnnnnddddd",
          "{!h && !i && (d == 31 || n == 31)} mov\t%rsp(s,d), %rsp(s,n) ;; "
          "add\t%rsp(s,d), %rsp(s,n), #%hex(i)%?(h){, lsl #12}", BASE)
{
    add_sub_imm(l, f, 0, 0);
}

ORYX_INSN(ADDS_imm, "s01100010hiiiiiiiiiiiinnnnnddddd",
          "{d == 31} cmn\t%rsp(s,n), #%hex(i)%?(h){, lsl #12} ;; "
          "adds\t%r(s,d), %rsp(s,n), #%hex(i)%?(h){, lsl #12}", BASE)
{
    add_sub_imm(l, f, 0, 1);
}

ORYX_INSN(SUB_imm, "s10100010hiiiiiiiiiiiinnnnnddddd",
          "sub\t%rsp(s,d), %rsp(s,n), #%hex(i)%?(h){, lsl #12}", BASE)
{
    add_sub_imm(l, f, 1, 0);
}

ORYX_INSN(SUBS_imm, "s11100010hiiiiiiiiiiiinnnnnddddd",
          "{d == 31} cmp\t%rsp(s,n), #%hex(i)%?(h){, lsl #12} ;; "
          "subs\t%r(s,d), %rsp(s,n), #%hex(i)%?(h){, lsl #12}", BASE)
{
    add_sub_imm(l, f, 1, 1);
}

/* --- Logical (immediate) -------------------------------------------------------------------------- */

static oryx_val logical_imm(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned type = gpr(f->s);
    oryx_val b = a64_imm(l, type, a64_bitmask(f->k, f->j, f->i, f->s ? 64 : 32));
    if (op == ORYX_OP_OR && f->n == 31)
        return b;
    return oryx_bin(l->ir, op, type, a64_reg(l, type, f->n), b);
}

ORYX_INSN(AND_imm, "s00100100kiiiiiijjjjjjnnnnnddddd",
          "[a64_bitmask(k, j, i, s ? 64 : 32)] and\t%rsp(s,d), %r(s,n), #%hex(a64_bitmask(k, j, i, s ? 64 : 32))", BASE)
{
    a64_set_reg_sp(l, gpr(f->s), f->d, logical_imm(l, f, ORYX_OP_AND));
}

ORYX_INSN(ORR_imm, "s01100100kiiiiiijjjjjjnnnnnddddd",
          "[a64_bitmask(k, j, i, s ? 64 : 32)] {n == 31 && (d == 31 || !a64_move_wide_preferred(s, k, j, i))} "
          "mov\t%rsp(s,d), #%hex(a64_bitmask(k, j, i, s ? 64 : 32)) ;; "
          "orr\t%rsp(s,d), %r(s,n), #%hex(a64_bitmask(k, j, i, s ? 64 : 32))", BASE)
{
    a64_set_reg_sp(l, gpr(f->s), f->d, logical_imm(l, f, ORYX_OP_OR));
}

ORYX_INSN(EOR_imm, "s10100100kiiiiiijjjjjjnnnnnddddd",
          "[a64_bitmask(k, j, i, s ? 64 : 32)] eor\t%rsp(s,d), %r(s,n), #%hex(a64_bitmask(k, j, i, s ? 64 : 32))", BASE)
{
    a64_set_reg_sp(l, gpr(f->s), f->d, logical_imm(l, f, ORYX_OP_XOR));
}

ORYX_INSN(ANDS_imm, "s11100100kiiiiiijjjjjjnnnnnddddd",
          "[a64_bitmask(k, j, i, s ? 64 : 32)] {d == 31} tst\t%r(s,n), #%hex(a64_bitmask(k, j, i, s ? 64 : 32)) ;; "
          "ands\t%r(s,d), %r(s,n), #%hex(a64_bitmask(k, j, i, s ? 64 : 32))", BASE)
{
    oryx_val v = logical_imm(l, f, ORYX_OP_AND);
    a64_set_reg(l, gpr(f->s), f->d, v);
    a64_set_flags(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, gpr(f->s), v, 0, 0));
}

/* --- Move wide (immediate) ------------------------------------------------------------------------ */

ORYX_INSN(MOVN, "s00100101hhiiiiiiiiiiiiiiiiddddd",
          "[s || h < 2] {(i || !h) && (s || i != 0xffff)} "
          "mov\t%r(s,d), #%hex(~((uint64_t)i << (16 * h)) & (s ? ~UINT64_C(0) : 0xffffffff)) ;; "
          "movn\t%r(s,d), #%hex(i)%?(h){, lsl #%u(16 * h)}", BASE)
{
    a64_set_reg(l, ORYX_T_I64, f->d, a64_imm(l, ORYX_T_I64, ~((uint64_t)f->i << (16 * f->h)) & (f->s ? ~UINT64_C(0) : 0xffffffff)));
}

ORYX_INSN(MOVZ, "s10100101hhiiiiiiiiiiiiiiiiddddd",
          "[s || h < 2] {i || !h} mov\t%r(s,d), #%hex((uint64_t)i << (16 * h)) ;; "
          "movz\t%r(s,d), #%hex(i)%?(h){, lsl #%u(16 * h)}", BASE)
{
    a64_set_reg(l, ORYX_T_I64, f->d, a64_imm(l, ORYX_T_I64, (uint64_t)f->i << (16 * f->h)));
}

ORYX_INSN(MOVK, "s11100101hhiiiiiiiiiiiiiiiiddddd",
          "[s || h < 2] movk\t%r(s,d), #%hex(i)%?(h){, lsl #%u(16 * h)}", BASE)
{
    unsigned type = gpr(f->s);
    a64_set_reg(l, type, f->d,
                oryx_bfi(l->ir, type, a64_reg(l, type, f->d), a64_imm(l, type, f->i), 16 * f->h, 16));
}

/* --- Bit field: i is immr, j is imms ---------------------------------------------------------------- */

/* SBFM and UBFM: a run of the source, at bit 0 (j >= i) or at width - i. op: SBFX or UBFX. */
static void bitfield_move(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned type = gpr(f->s), width = f->s ? 64 : 32;
    oryx_val v;
    if (f->s && !f->i && f->j == 31) { /* sxtw, and mov of a W register */
        v = a64_reg(l, ORYX_T_I32, f->n);
        v = op == ORYX_OP_SBFX ? oryx_sext(l->ir, type, ORYX_T_I32, v) : oryx_zext(l->ir, type, ORYX_T_I32, v);
        a64_set_reg(l, type, f->d, v);
        return;
    }
    v = a64_reg(l, type, f->n);
    if (f->j >= f->i) {
        if (f->i || f->j != width - 1)
            v = oryx_bfx(l->ir, op, type, v, f->i, f->j - f->i + 1);
    } else {
        if (f->j + 1 != f->i) /* lsl drops the upper bits by itself */
            v = oryx_bfx(l->ir, op, type, v, 0, f->j + 1);
        v = oryx_bin(l->ir, ORYX_OP_SHL, type, v, a64_imm(l, type, width - f->i));
    }
    a64_set_reg(l, type, f->d, v);
}

ORYX_INSN(SBFM, "s00100110kiiiiiijjjjjjnnnnnddddd",
          "[k == s && (s || (i < 32 && j < 32))] {j == (s ? 63 : 31)} asr\t%r(s,d), %r(s,n), #%u(i) ;; "
          "{j < i} sbfiz\t%r(s,d), %r(s,n), #%u((s ? 64 : 32) - i), #%u(j + 1) ;; "
          "{!i && j == 7} sxtb\t%r(s,d), %w(n) ;; {!i && j == 15} sxth\t%r(s,d), %w(n) ;; "
          "{!i && j == 31} sxtw\t%x(d), %w(n) ;; sbfx\t%r(s,d), %r(s,n), #%u(i), #%u(j - i + 1)", BASE)
{
    bitfield_move(l, f, ORYX_OP_SBFX);
}

ORYX_INSN(BFM, "s01100110kiiiiiijjjjjjnnnnnddddd",
          "[k == s && (s || (i < 32 && j < 32))] {j < i && n == 31} bfc\t%r(s,d), #%u((s ? 64 : 32) - i), #%u(j + 1) ;; "
          "{j < i} bfi\t%r(s,d), %r(s,n), #%u((s ? 64 : 32) - i), #%u(j + 1) ;; "
          "bfxil\t%r(s,d), %r(s,n), #%u(i), #%u(j - i + 1)", BASE)
{
    unsigned type = gpr(f->s), width = f->s ? 64 : 32;
    oryx_val d = a64_reg(l, type, f->d), v = a64_reg(l, type, f->n);
    if (f->j < f->i) {
        d = oryx_bfi(l->ir, type, d, v, width - f->i, f->j + 1);
    } else {
        if (f->i)
            v = oryx_bin(l->ir, ORYX_OP_SHR, type, v, a64_imm(l, type, f->i));
        d = f->j - f->i + 1 == width ? v : oryx_bfi(l->ir, type, d, v, 0, f->j - f->i + 1);
    }
    a64_set_reg(l, type, f->d, d);
}

ORYX_INSN(UBFM, "s10100110kiiiiiijjjjjjnnnnnddddd",
          "[k == s && (s || (i < 32 && j < 32))] {j == (s ? 63 : 31)} lsr\t%r(s,d), %r(s,n), #%u(i) ;; "
          "{j + 1 == i} lsl\t%r(s,d), %r(s,n), #%u((s ? 64 : 32) - i) ;; "
          "{j < i} ubfiz\t%r(s,d), %r(s,n), #%u((s ? 64 : 32) - i), #%u(j + 1) ;; "
          "{!s && !i && j == 7} uxtb\t%w(d), %w(n) ;; {!s && !i && j == 15} uxth\t%w(d), %w(n) ;; "
          "ubfx\t%r(s,d), %r(s,n), #%u(i), #%u(j - i + 1)", BASE)
{
    bitfield_move(l, f, ORYX_OP_UBFX);
}

/* --- Extract --------------------------------------------------------------------------------------- */

ORYX_INSN(EXTR, "s00100111k0mmmmmjjjjjjnnnnnddddd",
          "[k == s && (s || j < 32)] {n == m} ror\t%r(s,d), %r(s,n), #%u(j) ;; "
          "extr\t%r(s,d), %r(s,n), %r(s,m), #%u(j)", BASE)
{
    unsigned type = gpr(f->s);
    oryx_val low = a64_reg(l, type, f->m);
    a64_set_reg(l, type, f->d, f->j ? oryx_ir_emit(l->ir, ORYX_OP_FUNNEL, type, type, a64_reg(l, type, f->n), low, 0, f->j) : low);
}
