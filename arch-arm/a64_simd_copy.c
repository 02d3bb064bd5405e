/* AdvSIMD copy, permute, extract and table lookup (DDI 0487, C4.1 "Advanced SIMD copy", "...
 * permute", "... extract",
 * "... table lookup"; C7.2).
 *
 * Called by the decoder, one body a row. Invariant: imm5 is never zero in its low bits here (the
 * rows' allocation rules), so its lowest set bit names the element size. */
#include "a64_simd.h"

static unsigned imm5_z(const a64_fields *f)
{
    return (unsigned)__builtin_ctz(f->i);
}

static unsigned imm5_index(const a64_fields *f)
{
    return f->i >> (imm5_z(f) + 1);
}

static oryx_val element(a64_lift *l, const a64_fields *f)
{
    return UN(VGET, V128, lane(imm5_z(f)), a64_vreg(l, V128, f->n), imm5_index(f));
}

/* The low bits of a general register as a lane. */
static oryx_val general(a64_lift *l, const a64_fields *f)
{
    unsigned type = lane(imm5_z(f)), from = type == I64 ? I64 : I32;
    return oryx_trunc(l->ir, type, from, a64_reg(l, from, f->n));
}

static void permute(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, oryx_vbin(l->ir, op, t, lane(f->z), n, a64_vreg(l, t, f->m), 0));
}

/* Bytes of the table of l + 1 registers; an index past it finds zero in every one. */
static oryx_val lookup(a64_lift *l, const a64_fields *f, oryx_val index)
{
    unsigned t = vec(f->q);
    oryx_val v = BIN(TBL, t, I8, a64_vreg(l, V128, f->n), index, 0);
    for (unsigned i = 1; i <= f->l; i++) {
        oryx_val part = BIN(SUB, t, I8, index, splat(l, t, 0, 16 * i), 0);
        part = BIN(TBL, t, I8, a64_vreg(l, V128, (f->n + i) & 31), part, 0);
        v = BIN(OR, t, I8, v, part, 0);
    }
    return v;
}

/* --- copy ------------------------------------------------------------------------------------- */

ORYX_INSN(DUP_elem, "0q001110000iiiii000001nnnnnddddd",
          "[(i & 15) != 0 && (q == 1 || (i & 7) != 0)] dup\t%v(__builtin_ctz(i),q,d), "
          "%vx(__builtin_ctz(i),n,i>>(__builtin_ctz(i)+1))", SIMD)
{
    unsigned t = vec(f->q);
    a64_set_vreg(l, t, f->d, UN(DUP, t, lane(imm5_z(f)), element(l, f), 0));
}

ORYX_INSN(DUP_elem_sc, "01011110000iiiii000001nnnnnddddd",
          "[(i & 15) != 0] mov\t%fp(__builtin_ctz(i),d), "
          "%vx(__builtin_ctz(i),n,i>>(__builtin_ctz(i)+1))", SIMD)
{
    a64_set_vreg(l, lane(imm5_z(f)), f->d, element(l, f));
}

ORYX_INSN(DUP_gen, "0q001110000iiiii000011nnnnnddddd",
          "[(i & 15) != 0 && (q == 1 || (i & 7) != 0)] dup\t%v(__builtin_ctz(i),q,d), %r((i "
          "& 15) == 8,n)", SIMD)
{
    unsigned t = vec(f->q);
    a64_set_vreg(l, t, f->d, UN(DUP, t, lane(imm5_z(f)), general(l, f), 0));
}

ORYX_INSN(SMOV, "0q001110000iiiii001011nnnnnddddd",
          "[(i & 3) != 0 || (q == 1 && (i & 7) != 0)] smov\t%r(q,d), "
          "%vx(__builtin_ctz(i),n,i>>(__builtin_ctz(i)+1))", SIMD)
{
    unsigned to = f->q ? I64 : I32;
    a64_set_reg(l, to, f->d, oryx_sext(l->ir, to, lane(imm5_z(f)), element(l, f)));
}

ORYX_INSN(UMOV, "0q001110000iiiii001111nnnnnddddd",
          "[(q == 0 && (i & 7) != 0) || (q == 1 && (i & 15) == 8)] {(i & 3) == 0} "
          "mov\t%r(q,d), %vx(__builtin_ctz(i),n,i>>(__builtin_ctz(i)+1)) ;; umov\t%r(q,d), "
          "%vx(__builtin_ctz(i),n,i>>(__builtin_ctz(i)+1))", SIMD)
{
    unsigned to = f->q ? I64 : I32;
    a64_set_reg(l, to, f->d, oryx_zext(l->ir, to, lane(imm5_z(f)), element(l, f)));
}

ORYX_INSN(INS_gen, "01001110000iiiii000111nnnnnddddd",
          "[(i & 15) != 0] mov\t%vx(__builtin_ctz(i),d,i>>(__builtin_ctz(i)+1)), %r((i & 15) "
          "== 8,n)", SIMD)
{
    oryx_val v = general(l, f), d = a64_vreg(l, V128, f->d);
    a64_set_vreg(l, V128, f->d, BIN(VSET, V128, lane(imm5_z(f)), d, v, imm5_index(f)));
}

ORYX_INSN(INS_elem, "01101110000iiiii0jjjj1nnnnnddddd",
          "[(i & 15) != 0] mov\t%vx(__builtin_ctz(i),d,i>>(__builtin_ctz(i)+1)), "
          "%vx(__builtin_ctz(i),n,j>>__builtin_ctz(i))", SIMD)
{
    unsigned type = lane(imm5_z(f));
    oryx_val v = UN(VGET, V128, type, a64_vreg(l, V128, f->n), f->j >> imm5_z(f));
    oryx_val d = a64_vreg(l, V128, f->d);
    a64_set_vreg(l, V128, f->d, BIN(VSET, V128, type, d, v, imm5_index(f)));
}

/* --- permute, extract ------------------------------------------------------------------------- */

ORYX_INSN(UZP1, "0q001110zz0mmmmm000110nnnnnddddd",
          "[!(z == 3 && q == 0)] uzp1\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    permute(l, f, ORYX_OP_UZP1);
}

ORYX_INSN(TRN1, "0q001110zz0mmmmm001010nnnnnddddd",
          "[!(z == 3 && q == 0)] trn1\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    permute(l, f, ORYX_OP_TRN1);
}

ORYX_INSN(ZIP1, "0q001110zz0mmmmm001110nnnnnddddd",
          "[!(z == 3 && q == 0)] zip1\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    permute(l, f, ORYX_OP_ZIP1);
}

ORYX_INSN(UZP2, "0q001110zz0mmmmm010110nnnnnddddd",
          "[!(z == 3 && q == 0)] uzp2\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    permute(l, f, ORYX_OP_UZP2);
}

ORYX_INSN(TRN2, "0q001110zz0mmmmm011010nnnnnddddd",
          "[!(z == 3 && q == 0)] trn2\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    permute(l, f, ORYX_OP_TRN2);
}

ORYX_INSN(ZIP2, "0q001110zz0mmmmm011110nnnnnddddd",
          "[!(z == 3 && q == 0)] zip2\t%v(z,q,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    permute(l, f, ORYX_OP_ZIP2);
}

ORYX_INSN(EXT, "0q101110000mmmmm0iiii0nnnnnddddd",
          "[q == 1 || i < 8] ext\t%v(0,q,d), %v(0,q,n), %v(0,q,m), #%u(i)", SIMD)
{
    unsigned t = vec(f->q);
    oryx_val n = a64_vreg(l, t, f->n);
    a64_set_vreg(l, t, f->d, BIN(VEXT, t, I8, n, a64_vreg(l, t, f->m), f->i));
}

/* --- table lookup ----------------------------------------------------------------------------- */

ORYX_INSN(TBL, "0q001110000mmmmm0ll000nnnnnddddd",
          "tbl\t%v(0,q,d), %list(l+1,0,1,n), %v(0,q,m)", SIMD)
{
    a64_set_vreg(l, vec(f->q), f->d, lookup(l, f, a64_vreg(l, vec(f->q), f->m)));
}

ORYX_INSN(TBX, "0q001110000mmmmm0ll100nnnnnddddd",
          "tbx\t%v(0,q,d), %list(l+1,0,1,n), %v(0,q,m)", SIMD)
{
    unsigned t = vec(f->q);
    oryx_val index = a64_vreg(l, t, f->m), v = lookup(l, f, index);
    oryx_val inside = BIN(VCMP, t, I8, index, splat(l, t, 0, 16 * (f->l + 1)), ORYX_CC_LTU);
    a64_set_vreg(l, t, f->d, TRI(BITSEL, t, I8, inside, v, a64_vreg(l, t, f->d), 0));
}
