/* Loads and stores of general register pairs: DDI 0487, C4.1.88 (semantics C6.2).
 *
 * Called through the decode tables only. Both accesses come before any register write, so a fault of
 * the second leaves every register unchanged (memory written by the first store of a pair may remain,
 * as the architecture allows). CONSTRAINED UNPREDICTABLE: a load with t == u keeps the first word; with
 * writeback and t or u == n the base's new value wins; a store stores the original value. */
#include "a64_text.h"

enum { OFFSET, PRE, POST };

static oryx_val plus(a64_lift *l, oryx_val base, int64_t imm)
{
    return imm ? oryx_bin(l->ir, ORYX_OP_ADD, ORYX_T_I64, base, a64_imm(l, ORYX_T_I64, (uint64_t)imm)) : base;
}

/* op: of the access; z: log2 of one register's bytes. */
static void store_pair(a64_lift *l, const a64_fields *f, unsigned mode)
{
    unsigned type = f->s ? ORYX_T_I64 : ORYX_T_I32, z = f->s ? 3 : 2;
    int64_t imm = a64_sx(f->i, 7) * (1 << z);
    oryx_val base = a64_reg_sp(l, ORYX_T_I64, f->n), moved = plus(l, base, imm);
    oryx_val addr = mode == POST ? base : moved;
    oryx_store(l->ir, type, addr, a64_reg(l, type, f->t), z);
    oryx_store(l->ir, type, plus(l, addr, 1 << z), a64_reg(l, type, f->u), z);
    if (mode != OFFSET)
        a64_set_reg_sp(l, ORYX_T_I64, f->n, moved);
}

static void load_pair_as(a64_lift *l, const a64_fields *f, unsigned mode, unsigned z, uint32_t sign)
{
    int64_t imm = a64_sx(f->i, 7) * (1 << z);
    oryx_val base = a64_reg_sp(l, ORYX_T_I64, f->n), moved = plus(l, base, imm);
    oryx_val addr = mode == POST ? base : moved;
    oryx_val first = oryx_load(l->ir, ORYX_T_I64, addr, z | sign);
    oryx_val second = oryx_load(l->ir, ORYX_T_I64, plus(l, addr, 1 << z), z | sign);
    a64_set_reg(l, ORYX_T_I64, f->u, second);
    a64_set_reg(l, ORYX_T_I64, f->t, first);
    if (mode != OFFSET)
        a64_set_reg_sp(l, ORYX_T_I64, f->n, moved);
}

static void load_pair(a64_lift *l, const a64_fields *f, unsigned mode)
{
    load_pair_as(l, f, mode, f->s ? 3 : 2, 0);
}

/* --- No-allocate pair (offset): the hint is ignored --------------------------------------------------- */

ORYX_INSN(STNP, "s010100000iiiiiiiuuuuunnnnnttttt",
          "stnp\t%r(s,t), %r(s,u), [%xsp(n)%imm(a64_sx(i, 7) * (s ? 8 : 4))]", BASE)
{
    store_pair(l, f, OFFSET);
}

ORYX_INSN(LDNP, "s010100001iiiiiiiuuuuunnnnnttttt",
          "ldnp\t%r(s,t), %r(s,u), [%xsp(n)%imm(a64_sx(i, 7) * (s ? 8 : 4))]", BASE)
{
    load_pair(l, f, OFFSET);
}

/* --- Post-indexed ------------------------------------------------------------------------------------------ */

ORYX_INSN(STP_post, "s010100010iiiiiiiuuuuunnnnnttttt",
          "stp\t%r(s,t), %r(s,u), [%xsp(n)], #%i(a64_sx(i, 7) * (s ? 8 : 4))", BASE)
{
    store_pair(l, f, POST);
}

ORYX_INSN(LDP_post, "s010100011iiiiiiiuuuuunnnnnttttt",
          "ldp\t%r(s,t), %r(s,u), [%xsp(n)], #%i(a64_sx(i, 7) * (s ? 8 : 4))", BASE)
{
    load_pair(l, f, POST);
}

ORYX_INSN(LDPSW_post, "0110100011iiiiiiiuuuuunnnnnttttt",
          "ldpsw\t%x(t), %x(u), [%xsp(n)], #%i(a64_sx(i, 7) * 4)", BASE)
{
    load_pair_as(l, f, POST, 2, ORYX_MO_SIGN);
}

/* --- Signed offset --------------------------------------------------------------------------------------------- */

ORYX_INSN(STP_off, "s010100100iiiiiiiuuuuunnnnnttttt",
          "stp\t%r(s,t), %r(s,u), [%xsp(n)%imm(a64_sx(i, 7) * (s ? 8 : 4))]", BASE)
{
    store_pair(l, f, OFFSET);
}

ORYX_INSN(LDP_off, "s010100101iiiiiiiuuuuunnnnnttttt",
          "ldp\t%r(s,t), %r(s,u), [%xsp(n)%imm(a64_sx(i, 7) * (s ? 8 : 4))]", BASE)
{
    load_pair(l, f, OFFSET);
}

ORYX_INSN(LDPSW_off, "0110100101iiiiiiiuuuuunnnnnttttt",
          "ldpsw\t%x(t), %x(u), [%xsp(n)%imm(a64_sx(i, 7) * 4)]", BASE)
{
    load_pair_as(l, f, OFFSET, 2, ORYX_MO_SIGN);
}

/* --- Pre-indexed ------------------------------------------------------------------------------------------------- */

ORYX_INSN(STP_pre, "s010100110iiiiiiiuuuuunnnnnttttt",
          "stp\t%r(s,t), %r(s,u), [%xsp(n), #%i(a64_sx(i, 7) * (s ? 8 : 4))]!", BASE)
{
    store_pair(l, f, PRE);
}

ORYX_INSN(LDP_pre, "s010100111iiiiiiiuuuuunnnnnttttt",
          "ldp\t%r(s,t), %r(s,u), [%xsp(n), #%i(a64_sx(i, 7) * (s ? 8 : 4))]!", BASE)
{
    load_pair(l, f, PRE);
}

ORYX_INSN(LDPSW_pre, "0110100111iiiiiiiuuuuunnnnnttttt",
          "ldpsw\t%x(t), %x(u), [%xsp(n), #%i(a64_sx(i, 7) * 4)]!", BASE)
{
    load_pair_as(l, f, PRE, 2, ORYX_MO_SIGN);
}
