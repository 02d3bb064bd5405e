/* AdvSIMD shapes of several ops that A64 and A32 have in common: rounding doubling multiply-accumulate, dot products, pairs,
 * the message schedules of SHA-1 and SHA-256, and the operand arrangements of complex arithmetic.
 *
 * Called by bodies of both frontends with values only. Invariant: nothing here reads or writes state. */
#include "arm_simd.h"

#undef UN
#undef BIN
#define UN(op, ...)  oryx_vun(ir, ORYX_OP_##op, __VA_ARGS__)
#define BIN(op, ...) oryx_vbin(ir, ORYX_OP_##op, __VA_ARGS__)

/* SQRDMLAH (op ADD), SQRDMLSH (SUB) of one half: (2^w d +- 2 n m + 2^(w-1)) >> w for w bits,
 * saturated once. All terms are halved, so the sum fits 2w bits: (2^(w-1) d +- n m) shifted right
 * by w - 1 with rounding. */
oryx_val arm_rdm_half(oryx_ir *ir, unsigned z, oryx_val d, oryx_val n, oryx_val m, unsigned op, unsigned half)
{
    unsigned w = lane(z + 1), shift = (8u << z) - 1;
    oryx_val acc = UN(SHLI, V128, w, UN(WIDEN, V128, lane(z), d, SIGNED | half), shift);
    oryx_val sum = oryx_vbin(ir, op, V128, w, acc, BIN(MULW, V128, lane(z), n, m, SIGNED | half), 0);
    return UN(NARROW, V128, lane(z), UN(SARI, V128, w, sum, shift | SHIFT_ROUND), CUT_SS);
}

oryx_val arm_rdm(oryx_ir *ir, unsigned q, unsigned z, oryx_val d, oryx_val n, oryx_val m, unsigned op)
{
    oryx_val low = UN(VLOW, V64, V128, arm_rdm_half(ir, z, d, n, m, op, 0), 0);
    if (!q)
        return low;
    return BIN(VCAT, V128, V64, low, UN(VLOW, V64, V128, arm_rdm_half(ir, z, d, n, m, op, HIGH), 0), 0);
}

oryx_val arm_dot(oryx_ir *ir, unsigned q, oryx_val d, oryx_val n, oryx_val m, unsigned is_signed)
{
    oryx_val half[2] = { 0, 0 }, bytes = oryx_vconst(ir, V128, UINT64_C(0x0000ffff0000ffff), UINT64_C(0x0000ffff0000ffff));
    for (unsigned i = 0; i <= q; i++) {
        oryx_val p = BIN(MULW, V128, I8, n, m, is_signed | (i ? HIGH : 0));
        oryx_val even = is_signed ? UN(SARI, V128, I32, UN(SHLI, V128, I32, p, 16), 16) : BIN(AND, V128, I32, p, bytes, 0);
        oryx_val odd = is_signed ? UN(SARI, V128, I32, p, 16) : UN(SHRI, V128, I32, p, 16);
        half[i] = BIN(ADD, V128, I32, even, odd, 0);
    }
    oryx_val high = q ? half[1] : half[0];
    oryx_val a = BIN(UZP1, V128, I32, half[0], high, 0), b = BIN(UZP2, V128, I32, half[0], high, 0);
    oryx_val sum = BIN(ADD, V128, I32, d, BIN(ADD, V128, I32, a, b, 0), 0);
    return q ? sum : UN(VLOW, V64, V128, sum, 0);
}

/* Without unpacking: the odd lanes shifted down and the even ones masked (or sign filled) inside the wide lane. */
oryx_val arm_add_long_pairs(oryx_ir *ir, unsigned t, unsigned z, oryx_val n, unsigned is_signed)
{
    unsigned w = lane(z + 1), bits = 8u << z;
    if (is_signed)
        return BIN(ADD, t, w, UN(SARI, t, w, UN(SHLI, t, w, n, bits), bits), UN(SARI, t, w, n, bits), 0);
    uint64_t low = arm_replicate(z + 1, (UINT64_C(1) << bits) - 1);
    oryx_val even = BIN(AND, t, w, n, oryx_vconst(ir, t, low, t == V128 ? low : 0), 0);
    return BIN(ADD, t, w, even, UN(SHRI, t, w, n, bits), 0);
}

/* --- Complex numbers: pairs (real, imaginary) of lanes of 1 << z bytes, 4 or 8 -------------------------------------- */

oryx_val arm_swap_pairs(oryx_ir *ir, unsigned t, unsigned z, oryx_val v)
{
    return z == 3 ? BIN(VEXT, t, I8, v, v, 8) : UN(VREV, t, I32, v, 64);
}

oryx_val arm_negate_parts(oryx_ir *ir, unsigned t, unsigned z, oryx_val v, unsigned real, unsigned imaginary)
{
    uint64_t re = real ? UINT64_C(1) : 0, im = imaginary ? UINT64_C(1) : 0;
    uint64_t low = z == 3 ? re << 63 : re << 31 | im << 63, high = z == 3 ? im << 63 : low;
    if (!re && !im)
        return v;
    return BIN(XOR, t, I64, v, oryx_vconst(ir, t, low, t == V128 ? high : 0), 0);
}

void arm_complex_factors(oryx_ir *ir, unsigned t, unsigned z, unsigned rotation, oryx_val *n, oryx_val *m)
{
    unsigned odd = rotation & 1;
    *n = odd ? BIN(TRN2, t, lane(z), *n, *n, 0) : BIN(TRN1, t, lane(z), *n, *n, 0);
    *m = arm_negate_parts(ir, t, z, odd ? arm_swap_pairs(ir, t, z, *m) : *m, rotation == 1 || rotation == 2, rotation >= 2);
}

/* --- Message schedules ------------------------------------------------------------------------------------------------ */

static oryx_val eor(oryx_ir *ir, oryx_val a, oryx_val b)
{
    return BIN(XOR, V128, I64, a, b, 0);
}

oryx_val arm_rotate(oryx_ir *ir, unsigned ln, oryx_val v, unsigned n)
{
    unsigned bits = ln == I32 ? 32 : 64;
    return BIN(OR, V128, ln, UN(SHRI, V128, ln, v, n), UN(SHLI, V128, ln, v, bits - n), 0);
}

/* rotr(a) ^ rotr(b) ^ shift(c): the small sigmas of SHA-256. */
static oryx_val sigma(oryx_ir *ir, oryx_val v, unsigned a, unsigned b, unsigned c)
{
    oryx_val r = eor(ir, arm_rotate(ir, I32, v, a), arm_rotate(ir, I32, v, b));
    return eor(ir, r, UN(SHRI, V128, I32, v, c));
}

oryx_val arm_sha1su0(oryx_ir *ir, oryx_val d, oryx_val n, oryx_val m)
{
    return eor(ir, BIN(VEXT, V128, I8, d, n, 8), eor(ir, d, m));
}

oryx_val arm_sha1su1(oryx_ir *ir, oryx_val d, oryx_val n)
{
    oryx_val zero = oryx_vconst(ir, V128, 0, 0), t = eor(ir, d, BIN(VEXT, V128, I8, n, zero, 4));
    oryx_val top = BIN(VEXT, V128, I8, zero, arm_rotate(ir, I32, t, 30), 4);
    return eor(ir, arm_rotate(ir, I32, t, 31), top);
}

oryx_val arm_sha256su0(oryx_ir *ir, oryx_val d, oryx_val n)
{
    return BIN(ADD, V128, I32, d, sigma(ir, BIN(VEXT, V128, I8, d, n, 4), 7, 18, 3), 0);
}

oryx_val arm_sha256su1(oryx_ir *ir, oryx_val d, oryx_val n, oryx_val m)
{
    oryx_val zero = oryx_vconst(ir, V128, 0, 0), sum = BIN(ADD, V128, I32, d, BIN(VEXT, V128, I8, n, m, 4), 0);
    /* The upper words need the lower two of the result; sigma of a zero word is zero. */
    sum = BIN(ADD, V128, I32, sum, sigma(ir, BIN(VEXT, V128, I8, m, zero, 8), 17, 19, 10), 0);
    return BIN(ADD, V128, I32, sum, sigma(ir, BIN(VEXT, V128, I8, zero, sum, 8), 17, 19, 10), 0);
}
