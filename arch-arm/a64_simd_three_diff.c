/* AdvSIMD three different: widening, narrowing and widening multiply forms, vector and scalar (DDI
 * 0487, C4.1 "Advanced SIMD three different"; C7.2), and the product shapes they share with the
 * forms by element.
 *
 * Called by the decoder and by a64_simd_by_element.c. Invariant: WIDEN and MULW take the half that
 * Q names, so results are full V128 values without lanes the instruction lacks. */
#include "a64_simd.h"

/* The half of Vn that Q names, each lane twice as wide. */
static oryx_val wide(a64_lift *l, const a64_fields *f, unsigned n, unsigned is_signed)
{
    return UN(WIDEN, V128, lane(f->z), a64_vreg(l, V128, n), is_signed | (f->q ? HIGH : 0));
}

/* SADDL: both operands widened; SADDW: Vm only. */
static void long_op(a64_lift *l, const a64_fields *f, unsigned op, unsigned is_signed)
{
    oryx_val n = wide(l, f, f->n, is_signed), m = wide(l, f, f->m, is_signed);
    a64_set_vreg(l, V128, f->d, oryx_vbin(l->ir, op, V128, lane(f->z + 1), n, m, 0));
}

static void wide_op(a64_lift *l, const a64_fields *f, unsigned op, unsigned is_signed)
{
    oryx_val n = a64_vreg(l, V128, f->n), m = wide(l, f, f->m, is_signed);
    a64_set_vreg(l, V128, f->d, oryx_vbin(l->ir, op, V128, lane(f->z + 1), n, m, 0));
}

/* ADDHN: the high half of each sum; ROUND adds half a unit of it first. */
static void high_narrow(a64_lift *l, const a64_fields *f, unsigned op, unsigned round)
{
    oryx_val n = a64_vreg(l, V128, f->n), m = a64_vreg(l, V128, f->m);
    oryx_val sum = oryx_vbin(l->ir, op, V128, lane(f->z + 1), n, m, 0);
    oryx_val high = UN(SHRI, V128, lane(f->z + 1), sum, (8u << f->z) | (round ? SHIFT_ROUND : 0));
    set_narrow(l, f->q, f->d, UN(NARROW, V128, lane(f->z), high, CUT));
}

/* |Vn - Vm| fits its own width without sign, so it is widened afterwards. */
static oryx_val abs_diff(a64_lift *l, const a64_fields *f, unsigned is_signed)
{
    oryx_val n = a64_vreg(l, V128, f->n), m = a64_vreg(l, V128, f->m);
    return UN(WIDEN, V128, lane(f->z), BIN(ABSD, V128, lane(f->z), n, m, is_signed),
              f->q ? HIGH : 0);
}

static void set_acc(a64_lift *l, const a64_fields *f, unsigned op, oryx_val v)
{
    a64_set_vreg(l, V128, f->d,
                 oryx_vbin(l->ir, op, V128, lane(f->z + 1), a64_vreg(l, V128, f->d), v, 0));
}

void a64_mul_long(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc, unsigned is_signed)
{
    oryx_val v =
        BIN(MULW, V128, lane(f->z), a64_vreg(l, V128, f->n), m, is_signed | (f->q ? HIGH : 0));
    if (acc)
        set_acc(l, f, acc, v);
    else
        a64_set_vreg(l, V128, f->d, v);
}

/* 2 * n * m saturated, then optionally accumulated with saturation: two chances to set QC, as in
 * the manual. */
static oryx_val doubled(a64_lift *l, unsigned z, oryx_val n, oryx_val m, unsigned half)
{
    oryx_val v = BIN(MULW, V128, lane(z), n, m, SIGNED | half);
    return BIN(QADD, V128, lane(z + 1), v, v, SIGNED | STICKY);
}

void a64_qdmul_long(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc)
{
    oryx_val v = doubled(l, f->z, a64_vreg(l, V128, f->n), m, f->q ? HIGH : 0);
    if (acc)
        v = oryx_vbin(l->ir, acc, V128, lane(f->z + 1), a64_vreg(l, V128, f->d), v,
                      SIGNED | STICKY);
    a64_set_vreg(l, V128, f->d, v);
}

/* The scalar form: m is any V128, only its lane 0 counts. The other lanes of n are zero, so are
 * their products. */
void a64_qdmul_long_scalar(a64_lift *l, const a64_fields *f, oryx_val m, unsigned acc)
{
    oryx_val v = doubled(l, f->z, lane0(l, f->z, f->n), m, 0);
    if (acc)
        v = oryx_vbin(l->ir, acc, V128, lane(f->z + 1), lane0(l, f->z + 1, f->d), v,
                      SIGNED | STICKY);
    a64_set_vreg(l, V128, f->d, v);
}

/* --- U = 0 ------------------------------------------------------------------------------------ */

ORYX_INSN(SADDL, "0q001110zz1mmmmm000000nnnnnddddd",
          "[z < 3] saddl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    long_op(l, f, ORYX_OP_ADD, SIGNED);
}

ORYX_INSN(SADDW, "0q001110zz1mmmmm000100nnnnnddddd",
          "[z < 3] saddw%?(q){2}\t%v(z+1,1,d), %v(z+1,1,n), %v(z,q,m)", SIMD)
{
    wide_op(l, f, ORYX_OP_ADD, SIGNED);
}

ORYX_INSN(SSUBL, "0q001110zz1mmmmm001000nnnnnddddd",
          "[z < 3] ssubl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    long_op(l, f, ORYX_OP_SUB, SIGNED);
}

ORYX_INSN(SSUBW, "0q001110zz1mmmmm001100nnnnnddddd",
          "[z < 3] ssubw%?(q){2}\t%v(z+1,1,d), %v(z+1,1,n), %v(z,q,m)", SIMD)
{
    wide_op(l, f, ORYX_OP_SUB, SIGNED);
}

ORYX_INSN(ADDHN, "0q001110zz1mmmmm010000nnnnnddddd",
          "[z < 3] addhn%?(q){2}\t%v(z,q,d), %v(z+1,1,n), %v(z+1,1,m)", SIMD)
{
    high_narrow(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(SABAL, "0q001110zz1mmmmm010100nnnnnddddd",
          "[z < 3] sabal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    set_acc(l, f, ORYX_OP_ADD, abs_diff(l, f, SIGNED));
}

ORYX_INSN(SUBHN, "0q001110zz1mmmmm011000nnnnnddddd",
          "[z < 3] subhn%?(q){2}\t%v(z,q,d), %v(z+1,1,n), %v(z+1,1,m)", SIMD)
{
    high_narrow(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(SABDL, "0q001110zz1mmmmm011100nnnnnddddd",
          "[z < 3] sabdl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_set_vreg(l, V128, f->d, abs_diff(l, f, SIGNED));
}

ORYX_INSN(SMLAL, "0q001110zz1mmmmm100000nnnnnddddd",
          "[z < 3] smlal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_mul_long(l, f, a64_vreg(l, V128, f->m), ORYX_OP_ADD, SIGNED);
}

ORYX_INSN(SQDMLAL, "0q001110zz1mmmmm100100nnnnnddddd",
          "[z == 1 || z == 2] sqdmlal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_qdmul_long(l, f, a64_vreg(l, V128, f->m), ORYX_OP_QADD);
}

ORYX_INSN(SMLSL, "0q001110zz1mmmmm101000nnnnnddddd",
          "[z < 3] smlsl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_mul_long(l, f, a64_vreg(l, V128, f->m), ORYX_OP_SUB, SIGNED);
}

ORYX_INSN(SQDMLSL, "0q001110zz1mmmmm101100nnnnnddddd",
          "[z == 1 || z == 2] sqdmlsl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_qdmul_long(l, f, a64_vreg(l, V128, f->m), ORYX_OP_QSUB);
}

ORYX_INSN(SMULL, "0q001110zz1mmmmm110000nnnnnddddd",
          "[z < 3] smull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_mul_long(l, f, a64_vreg(l, V128, f->m), 0, SIGNED);
}

ORYX_INSN(SQDMULL, "0q001110zz1mmmmm110100nnnnnddddd",
          "[z == 1 || z == 2] sqdmull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_qdmul_long(l, f, a64_vreg(l, V128, f->m), 0);
}

ORYX_INSN(PMULL, "0q001110zz1mmmmm111000nnnnnddddd",
          "[z == 0] pmull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    oryx_val n = a64_vreg(l, V128, f->n), m = a64_vreg(l, V128, f->m);
    a64_set_vreg(l, V128, f->d, BIN(PMULW, V128, I8, n, m, f->q ? HIGH : 0));
}

/* --- U = 1 ------------------------------------------------------------------------------------ */

ORYX_INSN(UADDL, "0q101110zz1mmmmm000000nnnnnddddd",
          "[z < 3] uaddl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    long_op(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(UADDW, "0q101110zz1mmmmm000100nnnnnddddd",
          "[z < 3] uaddw%?(q){2}\t%v(z+1,1,d), %v(z+1,1,n), %v(z,q,m)", SIMD)
{
    wide_op(l, f, ORYX_OP_ADD, 0);
}

ORYX_INSN(USUBL, "0q101110zz1mmmmm001000nnnnnddddd",
          "[z < 3] usubl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    long_op(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(USUBW, "0q101110zz1mmmmm001100nnnnnddddd",
          "[z < 3] usubw%?(q){2}\t%v(z+1,1,d), %v(z+1,1,n), %v(z,q,m)", SIMD)
{
    wide_op(l, f, ORYX_OP_SUB, 0);
}

ORYX_INSN(RADDHN, "0q101110zz1mmmmm010000nnnnnddddd",
          "[z < 3] raddhn%?(q){2}\t%v(z,q,d), %v(z+1,1,n), %v(z+1,1,m)", SIMD)
{
    high_narrow(l, f, ORYX_OP_ADD, 1);
}

ORYX_INSN(UABAL, "0q101110zz1mmmmm010100nnnnnddddd",
          "[z < 3] uabal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    set_acc(l, f, ORYX_OP_ADD, abs_diff(l, f, 0));
}

ORYX_INSN(RSUBHN, "0q101110zz1mmmmm011000nnnnnddddd",
          "[z < 3] rsubhn%?(q){2}\t%v(z,q,d), %v(z+1,1,n), %v(z+1,1,m)", SIMD)
{
    high_narrow(l, f, ORYX_OP_SUB, 1);
}

ORYX_INSN(UABDL, "0q101110zz1mmmmm011100nnnnnddddd",
          "[z < 3] uabdl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_set_vreg(l, V128, f->d, abs_diff(l, f, 0));
}

ORYX_INSN(UMLAL, "0q101110zz1mmmmm100000nnnnnddddd",
          "[z < 3] umlal%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_mul_long(l, f, a64_vreg(l, V128, f->m), ORYX_OP_ADD, 0);
}

ORYX_INSN(UMLSL, "0q101110zz1mmmmm101000nnnnnddddd",
          "[z < 3] umlsl%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_mul_long(l, f, a64_vreg(l, V128, f->m), ORYX_OP_SUB, 0);
}

ORYX_INSN(UMULL, "0q101110zz1mmmmm110000nnnnnddddd",
          "[z < 3] umull%?(q){2}\t%v(z+1,1,d), %v(z,q,n), %v(z,q,m)", SIMD)
{
    a64_mul_long(l, f, a64_vreg(l, V128, f->m), 0, 0);
}

/* --- scalar three different ------------------------------------------------------------------- */

ORYX_INSN(SQDMLAL_sc, "01011110zz1mmmmm100100nnnnnddddd",
          "[z == 1 || z == 2] sqdmlal\t%fp(z+1,d), %fp(z,n), %fp(z,m)", SIMD)
{
    a64_qdmul_long_scalar(l, f, a64_vreg(l, V128, f->m), ORYX_OP_QADD);
}

ORYX_INSN(SQDMLSL_sc, "01011110zz1mmmmm101100nnnnnddddd",
          "[z == 1 || z == 2] sqdmlsl\t%fp(z+1,d), %fp(z,n), %fp(z,m)", SIMD)
{
    a64_qdmul_long_scalar(l, f, a64_vreg(l, V128, f->m), ORYX_OP_QSUB);
}

ORYX_INSN(SQDMULL_sc, "01011110zz1mmmmm110100nnnnnddddd",
          "[z == 1 || z == 2] sqdmull\t%fp(z+1,d), %fp(z,n), %fp(z,m)", SIMD)
{
    a64_qdmul_long_scalar(l, f, a64_vreg(l, V128, f->m), 0);
}
