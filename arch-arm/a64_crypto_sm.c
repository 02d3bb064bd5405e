/* Cryptographic extension: SM3 and SM4 (DDI 0487, C4.1 "Cryptographic three-register ..."; C7.2;
 * FEAT_SM3, FEAT_SM4).
 *
 * Called by the decoder, one body a row. Rounds are helpers (a64_crypto_sm_helpers.c), all pure. */
#include "a64_simd.h"

/* A helper on the registers Vd, Vn, Vm; how selects among its variants. */
static void sm3(a64_lift *l, const a64_fields *f, unsigned helper, unsigned how)
{
    oryx_val v[4] = { a64_vreg(l, V128, f->d), a64_vreg(l, V128, f->n), a64_vreg(l, V128, f->m),
                      oryx_const(l->ir, I32, how) };
    a64_set_vreg(l, V128, f->d, a64_call(l, helper, V128, v, 4));
}

static void rounds(a64_lift *l, const a64_fields *f, unsigned helper, unsigned a, unsigned b)
{
    oryx_val v[2] = { a64_vreg(l, V128, a), a64_vreg(l, V128, b) };
    a64_set_vreg(l, V128, f->d, a64_call(l, helper, V128, v, 2));
}

ORYX_INSN(SM3SS1, "11001110010mmmmm0aaaaannnnnddddd",
          "sm3ss1\t%v(2,1,d), %v(2,1,n), %v(2,1,m), %v(2,1,a)", SM3)
{
    oryx_val n = UN(VGET, V128, I32, a64_vreg(l, V128, f->n), 3);
    oryx_val m = UN(VGET, V128, I32, a64_vreg(l, V128, f->m), 3);
    oryx_val a = UN(VGET, V128, I32, a64_vreg(l, V128, f->a), 3);
    /* Left by 12 and by 7. */
    n = oryx_bin(l->ir, ORYX_OP_ROR, I32, n, oryx_const(l->ir, I32, 20));
    n = oryx_bin(l->ir, ORYX_OP_ADD, I32, n, oryx_bin(l->ir, ORYX_OP_ADD, I32, m, a));
    n = oryx_bin(l->ir, ORYX_OP_ROR, I32, n, oryx_const(l->ir, I32, 25));
    a64_set_vreg(l, V128, f->d, BIN(VSET, V128, I32, zeros(l, V128), n, 3));
}

ORYX_INSN(SM3TT1A, "11001110010mmmmm10ii00nnnnnddddd",
          "sm3tt1a\t%v(2,1,d), %v(2,1,n), %vx(2,m,i)", SM3)
{
    sm3(l, f, A64_HELPER_sm3tt, f->i);
}

ORYX_INSN(SM3TT1B, "11001110010mmmmm10ii01nnnnnddddd",
          "sm3tt1b\t%v(2,1,d), %v(2,1,n), %vx(2,m,i)", SM3)
{
    sm3(l, f, A64_HELPER_sm3tt, f->i | 4);
}

ORYX_INSN(SM3TT2A, "11001110010mmmmm10ii10nnnnnddddd",
          "sm3tt2a\t%v(2,1,d), %v(2,1,n), %vx(2,m,i)", SM3)
{
    sm3(l, f, A64_HELPER_sm3tt, f->i | 8);
}

ORYX_INSN(SM3TT2B, "11001110010mmmmm10ii11nnnnnddddd",
          "sm3tt2b\t%v(2,1,d), %v(2,1,n), %vx(2,m,i)", SM3)
{
    sm3(l, f, A64_HELPER_sm3tt, f->i | 12);
}

ORYX_INSN(SM3PARTW1, "11001110011mmmmm110000nnnnnddddd",
          "sm3partw1\t%v(2,1,d), %v(2,1,n), %v(2,1,m)", SM3)
{
    sm3(l, f, A64_HELPER_sm3partw, 1);
}

ORYX_INSN(SM3PARTW2, "11001110011mmmmm110001nnnnnddddd",
          "sm3partw2\t%v(2,1,d), %v(2,1,n), %v(2,1,m)", SM3)
{
    sm3(l, f, A64_HELPER_sm3partw, 2);
}

ORYX_INSN(SM4EKEY, "11001110011mmmmm110010nnnnnddddd",
          "sm4ekey\t%v(2,1,d), %v(2,1,n), %v(2,1,m)", SM4)
{
    rounds(l, f, A64_HELPER_sm4ekey, f->n, f->m);
}

ORYX_INSN(SM4E, "1100111011000000100001nnnnnddddd", "sm4e\t%v(2,1,d), %v(2,1,n)", SM4)
{
    rounds(l, f, A64_HELPER_sm4e, f->d, f->n);
}
