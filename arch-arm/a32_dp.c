/* A32 data processing: DDI 0406C A5.2, and the functions T32 shares.
 *
 * Called through the decode tables and by t32_*.c. Flag-setting forms with Rd = PC are exception returns, which user
 * mode does not have: UNDEFINED there. Bits that should be zero or one
 * and are not make a word UNDEFINED, as for objdump. */
#include "a32_system.h"

static int logical(unsigned op)
{
    return op < 2 || op == A32_TST || op == A32_TEQ || op >= A32_ORR;
}

static oryx_val compute(a32_lift *l, unsigned op, oryx_val n, oryx_val b)
{
    static const uint8_t ops[] = { ORYX_OP_AND, ORYX_OP_XOR, ORYX_OP_SUB, ORYX_OP_SUB, ORYX_OP_ADD, ORYX_OP_ADD,
                                   ORYX_OP_SUB, ORYX_OP_SUB, ORYX_OP_AND, ORYX_OP_XOR, ORYX_OP_SUB, ORYX_OP_ADD,
                                   ORYX_OP_OR, 0, ORYX_OP_ANDN, 0, ORYX_OP_ORN };
    if (op == A32_MOV)
        return b;
    if (op == A32_MVN)
        return oryx_un(l->ir, ORYX_OP_NOT, I32, b);
    oryx_val v = a32_bin(l, ops[op], n, b);
    if (op == A32_ADC)
        v = a32_bin(l, ORYX_OP_ADD, v, oryx_zext(l->ir, I32, ORYX_T_I1, a32_carry(l)));
    else if (op == A32_SBC || op == A32_RSC)
        v = a32_bin(l, ORYX_OP_SUB, v, oryx_zext(l->ir, I32, ORYX_T_I1, oryx_flcond(l->ir, ORYX_FC_NC, a32_flags(l))));
    return v;
}

void a32_data(a32_lift *l, unsigned op, unsigned s, unsigned d, oryx_val n, oryx_val b, oryx_val carry)
{
    unsigned compare = op >= A32_TST && op <= A32_CMN;
    if (op == A32_RSB || op == A32_RSC) {
        oryx_val t = n;
        n = b;
        b = t;
    }
    if (s && d == 15 && !compare) {
        if (a32_privileged(l))
            a32_return_spsr(l, compute(l, op, n, b));
        else
            a32_undefined(l);
        return;
    }
    oryx_val v = compare && !logical(op) ? 0 : compute(l, op, n, b), fl = 0;
    if (s && !logical(op)) {
        unsigned kind = op == A32_ADD || op == A32_CMN ? ORYX_FL_ADD : op == A32_ADC ? ORYX_FL_ADC
                        : op == A32_SBC || op == A32_RSC ? ORYX_FL_SBCC : ORYX_FL_SUBC;
        fl = oryx_flmake(l->ir, kind, I32, n, b, kind == ORYX_FL_ADC || kind == ORYX_FL_SBCC ? a32_carry(l) : 0);
    }
    if (!compare)
        a32_set_reg_alu(l, d, v);
    if (fl)
        a32_set_flags(l, fl);
    else if (s && carry)
        a32_set_nzc(l, v, carry);
    else if (s)
        a32_set_nz(l, v);
}

static oryx_val first(a32_lift *l, unsigned op, unsigned n)
{
    return op == A32_MOV || op == A32_MVN ? 0 : a32_reg(l, n);
}

void a32_data_imm(a32_lift *l, unsigned op, unsigned s, unsigned d, unsigned n, uint32_t imm, int carry)
{
    oryx_val c = s && carry >= 0 && logical(op) ? oryx_const(l->ir, ORYX_T_I1, (unsigned)carry) : 0;
    a32_data(l, op, s, d, first(l, op, n), a32_imm(l, imm), c);
}

void a32_data_reg(a32_lift *l, unsigned op, unsigned s, unsigned d, unsigned n, unsigned m, unsigned type, unsigned imm5)
{
    oryx_val c = 0, b;
    unsigned want = s && logical(op) && (type || imm5);
    b = a32_shift_imm(l, a32_reg(l, m), type, imm5, want ? &c : NULL);
    a32_data(l, op, s, d, first(l, op, n), b, c);
}


ORYX_INSN(DP_imm, "cccc001oooosnnnnddddiiiiiiiiiiii",
          "[((o & 12) != 8 || (s && d == 0)) && ((o & 13) != 13 || n == 0)] @dp_imm", BASE)
{
    uint32_t imm = a32_expand_imm(f->i);
    a32_data_imm(l, f->o, f->s, f->d, f->n, imm, f->i >> 8 ? (int)(imm >> 31) : -1);
}

ORYX_INSN(DP_reg, "cccc000oooosnnnnddddiiiiihh0mmmm",
          "[((o & 12) != 8 || (s && d == 0)) && ((o & 13) != 13 || n == 0)] @dp_reg", BASE)
{
    a32_data_reg(l, f->o, f->s, f->d, f->n, f->m, f->h, f->i);
}

ORYX_INSN(DP_shift, "cccc000oooosnnnnddddiiii0hh1mmmm",
          "[((o & 12) != 8 || (s && d == 0)) && ((o & 13) != 13 || n == 0)] @dp_shift", BASE)
{
    oryx_val c = 0, by = a32_reg(l, f->i), m = a32_reg(l, f->m);
    oryx_val b = a32_shift_reg(l, m, f->h, by, f->s && logical(f->o) ? &c : NULL);
    a32_data(l, f->o, f->s, f->d, first(l, f->o, f->n), b, c);
}

ORYX_INSN(MOVW, "cccc00110000iiiiddddiiiiiiiiiiii", "movw%c()\t%r(d), #%u(i)", T2)
{
    a32_set_reg_alu(l, f->d, a32_imm(l, f->i));
}

void a32_do_movt(a32_lift *l, const a32_fields *f)
{
    a32_set_reg_alu(l, f->d, oryx_bfi(l->ir, I32, a32_reg(l, f->d), a32_imm(l, f->i), 16, 16));
}

ORYX_INSN(MOVT, "cccc00110100iiiiddddiiiiiiiiiiii", "movt%c()\t%r(d), #%u(i)", T2)
{
    a32_do_movt(l, f);
}

/* --- Miscellaneous ------------------------------------------------------------------------------------------ */

void a32_do_clz(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->d, oryx_un(l->ir, ORYX_OP_CLZ, I32, a32_reg(l, f->m)));
}

ORYX_INSN(CLZ, "cccc000101101111dddd11110001mmmm", "clz%c()\t%r(d), %r(m)", V5)
{
    a32_do_clz(l, f);
}

/* One saturating step of QADD and its kind; *q gathers whether it saturated. */
static oryx_val saturating(a32_lift *l, unsigned sub, oryx_val a, oryx_val b, oryx_val *q)
{
    oryx_val v = oryx_vbin(l->ir, sub ? ORYX_OP_QSUB : ORYX_OP_QADD, I32, I32, a, b, 1);
    oryx_val plain = a32_bin(l, sub ? ORYX_OP_SUB : ORYX_OP_ADD, a, b);
    oryx_val differs = oryx_cmp(l->ir, ORYX_CC_NE, I32, v, plain);
    *q = *q ? oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I1, *q, differs) : differs;
    return v;
}

/* o: QADD QSUB QDADD QDSUB. */
void a32_do_qadd(a32_lift *l, const a32_fields *f)
{
    oryx_val n = a32_reg(l, f->n), m = a32_reg(l, f->m), q = 0;
    if (f->o & 2)
        n = saturating(l, 0, n, n, &q);
    oryx_val v = saturating(l, f->o & 1, m, n, &q);
    a32_set_reg(l, f->d, v);
    a32_set_q(l, q);
}

ORYX_INSN(QADD, "cccc00010oo0nnnndddd00000101mmmm",
          "%pick(o, \"qadd qsub qdadd qdsub\")%c()\t%r(d), %r(m), %r(n)", V5E)
{
    a32_do_qadd(l, f);
}
