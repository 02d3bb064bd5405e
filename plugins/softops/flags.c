/* Packed flags of an operation and every condition on them, as oryx_ir.h defines them. Called by the engines and by
 * ops_scalar.c. */
#include "softops.h"

/* Conditions of every packed flags value. */
#define FB(n, bit)  (((n) & ORYX_FLAG_##bit) != 0)
#define CO(n, x, c) ((uint32_t)(c) << ORYX_FC_##x)
#define CONDS(n)                                                                                                      \
    (CO(n, Z, FB(n, Z)) | CO(n, NZ, !FB(n, Z)) | CO(n, C, FB(n, C)) | CO(n, NC, !FB(n, C)) | CO(n, S, FB(n, S)) |      \
     CO(n, NS, !FB(n, S)) | CO(n, O, FB(n, O)) | CO(n, NO, !FB(n, O)) | CO(n, HI, FB(n, C) && !FB(n, Z)) |            \
     CO(n, LS, !(FB(n, C) && !FB(n, Z))) | CO(n, GE, FB(n, S) == FB(n, O)) | CO(n, LT, FB(n, S) != FB(n, O)) |        \
     CO(n, GT, !FB(n, Z) && FB(n, S) == FB(n, O)) | CO(n, LE, FB(n, Z) || FB(n, S) != FB(n, O)) |                     \
     CO(n, A, !FB(n, C) && !FB(n, Z)) | CO(n, BE, FB(n, C) || FB(n, Z)) | CO(n, P, FB(n, P)) | CO(n, NP, !FB(n, P)))
#define C4(n)   CONDS(n), CONDS((n) + 1), CONDS((n) + 2), CONDS((n) + 3)
#define C16(n)  C4(n), C4((n) + 4), C4((n) + 8), C4((n) + 12)
#define C64(n)  C16(n), C16((n) + 16), C16((n) + 32), C16((n) + 48)
#define C256(n) C64(n), C64((n) + 64), C64((n) + 128), C64((n) + 192)
const uint32_t softop_conds[512] = { C256(0), C256(256) };

uint32_t softop_flags(unsigned kind, unsigned width, uint64_t a, uint64_t b, unsigned cin)
{
    uint64_t mask = width == 64 ? ~0ull : (1ull << width) - 1, top = 1ull << (width - 1);
    int sub = kind == ORYX_FL_SUB || kind == ORYX_FL_SBC || kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC;
    unsigned borrow = kind == ORYX_FL_SBC ? cin : kind == ORYX_FL_SBCC ? !cin : 0;
    uint64_t r, carry, over;
    a &= mask;
    b &= mask;
    if (kind == ORYX_FL_LOGIC) {
        r = a;
        b = 0;
        carry = over = 0;
    } else if (sub) {
        r = (a - b - borrow) & mask;
        carry = borrow ? a <= b : a < b;
        over = (a ^ b) & (a ^ r) & top;
    } else {
        unsigned in = kind == ORYX_FL_ADC ? cin & 1 : 0;
        r = (a + b + in) & mask;
        carry = in ? r <= a : r < a;
        over = ~(a ^ b) & (a ^ r) & top;
    }
    uint32_t f = 0;
    unsigned p = (unsigned)r & 255;
    p ^= p >> 4;
    p ^= p >> 2;
    p ^= p >> 1;
    if (kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC)
        carry = !carry;
    if (kind != ORYX_FL_LOGIC)
        f |= (uint32_t)(a ^ b ^ r) & ORYX_FLAG_A;
    f |= carry ? ORYX_FLAG_C : 0;
    f |= p & 1 ? 0 : ORYX_FLAG_P;
    f |= r == 0 ? ORYX_FLAG_Z : 0;
    f |= r & top ? ORYX_FLAG_S : 0;
    f |= over ? ORYX_FLAG_O : 0;
    return f;
}
