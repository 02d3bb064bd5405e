/* Cryptographic extension: AES, SHA-1, SHA-256, SHA-512, SHA-3, 64-bit PMULL (DDI 0487, C4.1
 * "Cryptographic ..."; C7.2).
 *
 * Called by the decoder, one body a row. Rounds are helpers (a64_crypto_helpers.c), all pure;
 * message schedules are plain vector IR. */
#include "a64_simd.h"

static oryx_val call1(a64_lift *l, unsigned helper, oryx_val a)
{
    return a64_call(l, helper, V128, &a, 1);
}

static oryx_val call3(a64_lift *l, unsigned helper, oryx_val a, oryx_val b, oryx_val c)
{
    oryx_val v[3] = { a, b, c };
    return a64_call(l, helper, V128, v, 3);
}

static oryx_val eor(a64_lift *l, oryx_val a, oryx_val b)
{
    return BIN(XOR, V128, I64, a, b, 0);
}

static oryx_val rotate(a64_lift *l, unsigned ln, oryx_val v, unsigned n)
{
    return arm_rotate(l->ir, ln, v, n);
}

/* AESE, AESD: key addition first, then the rest of the round. */
static void aes_round(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val v = eor(l, a64_vreg(l, V128, f->d), a64_vreg(l, V128, f->n));
    a64_set_vreg(l, V128, f->d, call1(l, helper, v));
}

static void sha1_rounds(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val d = a64_vreg(l, V128, f->d), e = a64_vreg(l, I32, f->n);
    a64_set_vreg(l, V128, f->d, call3(l, helper, d, e, a64_vreg(l, V128, f->m)));
}

static void three(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n);
    a64_set_vreg(l, V128, f->d, call3(l, helper, d, n, a64_vreg(l, V128, f->m)));
}

/* --- AES -------------------------------------------------------------------------------------- */

ORYX_INSN(AESE, "0100111000101000010010nnnnnddddd", "aese\t%v(0,1,d), %v(0,1,n)", AES)
{
    aes_round(l, f, A64_HELPER_aese);
}

ORYX_INSN(AESD, "0100111000101000010110nnnnnddddd", "aesd\t%v(0,1,d), %v(0,1,n)", AES)
{
    aes_round(l, f, A64_HELPER_aesd);
}

ORYX_INSN(AESMC, "0100111000101000011010nnnnnddddd", "aesmc\t%v(0,1,d), %v(0,1,n)", AES)
{
    a64_set_vreg(l, V128, f->d, call1(l, A64_HELPER_aesmc, a64_vreg(l, V128, f->n)));
}

ORYX_INSN(AESIMC, "0100111000101000011110nnnnnddddd", "aesimc\t%v(0,1,d), %v(0,1,n)", AES)
{
    a64_set_vreg(l, V128, f->d, call1(l, A64_HELPER_aesimc, a64_vreg(l, V128, f->n)));
}

/* --- SHA-1, SHA-256 --------------------------------------------------------------------------- */

ORYX_INSN(SHA1C, "01011110000mmmmm000000nnnnnddddd", "sha1c\t%fp(4,d), %fp(2,n), %v(2,1,m)", SHA1)
{
    sha1_rounds(l, f, A64_HELPER_sha1c);
}

ORYX_INSN(SHA1P, "01011110000mmmmm000100nnnnnddddd", "sha1p\t%fp(4,d), %fp(2,n), %v(2,1,m)", SHA1)
{
    sha1_rounds(l, f, A64_HELPER_sha1p);
}

ORYX_INSN(SHA1M, "01011110000mmmmm001000nnnnnddddd", "sha1m\t%fp(4,d), %fp(2,n), %v(2,1,m)", SHA1)
{
    sha1_rounds(l, f, A64_HELPER_sha1m);
}

ORYX_INSN(SHA1SU0, "01011110000mmmmm001100nnnnnddddd",
          "sha1su0\t%v(2,1,d), %v(2,1,n), %v(2,1,m)", SHA1)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n), m = a64_vreg(l, V128, f->m);
    a64_set_vreg(l, V128, f->d, arm_sha1su0(l->ir, d, n, m));
}

ORYX_INSN(SHA256H, "01011110000mmmmm010000nnnnnddddd",
          "sha256h\t%fp(4,d), %fp(4,n), %v(2,1,m)", SHA256)
{
    three(l, f, A64_HELPER_sha256h);
}

ORYX_INSN(SHA256H2, "01011110000mmmmm010100nnnnnddddd",
          "sha256h2\t%fp(4,d), %fp(4,n), %v(2,1,m)", SHA256)
{
    three(l, f, A64_HELPER_sha256h2);
}

ORYX_INSN(SHA256SU1, "01011110000mmmmm011000nnnnnddddd",
          "sha256su1\t%v(2,1,d), %v(2,1,n), %v(2,1,m)", SHA256)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n), m = a64_vreg(l, V128, f->m);
    a64_set_vreg(l, V128, f->d, arm_sha256su1(l->ir, d, n, m));
}

ORYX_INSN(SHA1H, "0101111000101000000010nnnnnddddd", "sha1h\t%fp(2,d), %fp(2,n)", SHA1)
{
    oryx_val n = a64_vreg(l, I32, f->n), two = oryx_const(l->ir, I32, 2);
    a64_set_vreg(l, I32, f->d, oryx_bin(l->ir, ORYX_OP_ROR, I32, n, two));
}

ORYX_INSN(SHA1SU1, "0101111000101000000110nnnnnddddd", "sha1su1\t%v(2,1,d), %v(2,1,n)", SHA1)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n);
    a64_set_vreg(l, V128, f->d, arm_sha1su1(l->ir, d, n));
}

ORYX_INSN(SHA256SU0, "0101111000101000001010nnnnnddddd", "sha256su0\t%v(2,1,d), %v(2,1,n)", SHA256)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n);
    a64_set_vreg(l, V128, f->d, arm_sha256su0(l->ir, d, n));
}

/* --- PMULL on doublewords --------------------------------------------------------------------- */

ORYX_INSN(PMULL_64, "0q001110111mmmmm111000nnnnnddddd",
          "pmull%?(q){2}\t%v(4,1,d), %v(3,q,n), %v(3,q,m)", PMULL)
{
    oryx_val n = a64_vreg(l, V128, f->n), m = a64_vreg(l, V128, f->m);
    a64_set_vreg(l, V128, f->d, BIN(PMULW, V128, I64, n, m, f->q ? HIGH : 0));
}

/* --- SHA-512, SHA-3 --------------------------------------------------------------------------- */

ORYX_INSN(SHA512H, "11001110011mmmmm100000nnnnnddddd",
          "sha512h\t%fp(4,d), %fp(4,n), %v(3,1,m)", SHA512)
{
    three(l, f, A64_HELPER_sha512h);
}

ORYX_INSN(SHA512H2, "11001110011mmmmm100001nnnnnddddd",
          "sha512h2\t%fp(4,d), %fp(4,n), %v(3,1,m)", SHA512)
{
    three(l, f, A64_HELPER_sha512h2);
}

ORYX_INSN(SHA512SU1, "11001110011mmmmm100010nnnnnddddd",
          "sha512su1\t%v(3,1,d), %v(3,1,n), %v(3,1,m)", SHA512)
{
    oryx_val n = a64_vreg(l, V128, f->n);
    oryx_val s =
        eor(l, rotate(l, I64, n, 19), eor(l, rotate(l, I64, n, 61), UN(SHRI, V128, I64, n, 6)));
    oryx_val sum = BIN(ADD, V128, I64, a64_vreg(l, V128, f->d), a64_vreg(l, V128, f->m), 0);
    a64_set_vreg(l, V128, f->d, BIN(ADD, V128, I64, sum, s, 0));
}

ORYX_INSN(SHA512SU0, "1100111011000000100000nnnnnddddd", "sha512su0\t%v(3,1,d), %v(3,1,n)", SHA512)
{
    oryx_val d = a64_vreg(l, V128, f->d), n = a64_vreg(l, V128, f->n);
    oryx_val v = BIN(VEXT, V128, I8, d, n, 8);
    oryx_val s =
        eor(l, rotate(l, I64, v, 1), eor(l, rotate(l, I64, v, 8), UN(SHRI, V128, I64, v, 7)));
    a64_set_vreg(l, V128, f->d, BIN(ADD, V128, I64, d, s, 0));
}

ORYX_INSN(RAX1, "11001110011mmmmm100011nnnnnddddd", "rax1\t%v(3,1,d), %v(3,1,n), %v(3,1,m)", SHA3)
{
    oryx_val n = a64_vreg(l, V128, f->n);
    a64_set_vreg(l, V128, f->d, eor(l, n, rotate(l, I64, a64_vreg(l, V128, f->m), 63)));
}

ORYX_INSN(XAR, "11001110100mmmmmiiiiiinnnnnddddd",
          "xar\t%v(3,1,d), %v(3,1,n), %v(3,1,m), #%u(i)", SHA3)
{
    oryx_val v = eor(l, a64_vreg(l, V128, f->n), a64_vreg(l, V128, f->m));
    a64_set_vreg(l, V128, f->d, f->i ? rotate(l, I64, v, f->i) : v);
}

ORYX_INSN(EOR3, "11001110000mmmmm0aaaaannnnnddddd",
          "eor3\t%v(0,1,d), %v(0,1,n), %v(0,1,m), %v(0,1,a)", SHA3)
{
    oryx_val v = eor(l, a64_vreg(l, V128, f->n), a64_vreg(l, V128, f->m));
    a64_set_vreg(l, V128, f->d, eor(l, v, a64_vreg(l, V128, f->a)));
}

ORYX_INSN(BCAX, "11001110001mmmmm0aaaaannnnnddddd",
          "bcax\t%v(0,1,d), %v(0,1,n), %v(0,1,m), %v(0,1,a)", SHA3)
{
    oryx_val m = a64_vreg(l, V128, f->m);
    oryx_val v = BIN(ANDN, V128, I64, m, a64_vreg(l, V128, f->a), 0);
    a64_set_vreg(l, V128, f->d, eor(l, a64_vreg(l, V128, f->n), v));
}
