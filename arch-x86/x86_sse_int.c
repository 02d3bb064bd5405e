/* SSE integer arithmetic: SDM 1 5.6.3, 5.8, 5.10. */
#include "x86_sse.h"

#define SIGNED 1u

ORYX_INSN(PADDB, "66 0f fc /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ADD, I8, 0);
}
ORYX_INSN(PADDW, "66 0f fd /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ADD, I16, 0);
}
ORYX_INSN(PADDD, "66 0f fe /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ADD, I32, 0);
}
ORYX_INSN(PADDQ, "66 0f d4 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ADD, I64, 0);
}
ORYX_INSN(PSUBB, "66 0f f8 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_SUB, I8, 0);
}
ORYX_INSN(PSUBW, "66 0f f9 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_SUB, I16, 0);
}
ORYX_INSN(PSUBD, "66 0f fa /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_SUB, I32, 0);
}
ORYX_INSN(PSUBQ, "66 0f fb /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_SUB, I64, 0);
}
ORYX_INSN(PADDSB, "66 0f ec /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QADD, I8, SIGNED);
}
ORYX_INSN(PADDSW, "66 0f ed /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QADD, I16, SIGNED);
}
ORYX_INSN(PADDUSB, "66 0f dc /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QADD, I8, 0);
}
ORYX_INSN(PADDUSW, "66 0f dd /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QADD, I16, 0);
}
ORYX_INSN(PSUBSB, "66 0f e8 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QSUB, I8, SIGNED);
}
ORYX_INSN(PSUBSW, "66 0f e9 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QSUB, I16, SIGNED);
}
ORYX_INSN(PSUBUSB, "66 0f d8 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QSUB, I8, 0);
}
ORYX_INSN(PSUBUSW, "66 0f d9 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_QSUB, I16, 0);
}
ORYX_INSN(PAVGB, "66 0f e0 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_HADD, I8, 4);
}
ORYX_INSN(PAVGW, "66 0f e3 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_HADD, I16, 4);
}
ORYX_INSN(PMULLW, "66 0f d5 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_MUL, I16, 0);
}
ORYX_INSN(PMULLD, "66 0f 38 40 /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MUL, I32, 0);
}
ORYX_INSN(PMINUB, "66 0f da /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_MINU, I8, 0);
}
ORYX_INSN(PMAXUB, "66 0f de /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_MAXU, I8, 0);
}
ORYX_INSN(PMINSW, "66 0f ea /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_MINS, I16, 0);
}
ORYX_INSN(PMAXSW, "66 0f ee /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_MAXS, I16, 0);
}
ORYX_INSN(PMINSB, "66 0f 38 38 /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MINS, I8, 0);
}
ORYX_INSN(PMAXSB, "66 0f 38 3c /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MAXS, I8, 0);
}
ORYX_INSN(PMINUW, "66 0f 38 3a /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MINU, I16, 0);
}
ORYX_INSN(PMAXUW, "66 0f 38 3e /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MAXU, I16, 0);
}
ORYX_INSN(PMINSD, "66 0f 38 39 /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MINS, I32, 0);
}
ORYX_INSN(PMAXSD, "66 0f 38 3d /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MAXS, I32, 0);
}
ORYX_INSN(PMINUD, "66 0f 38 3b /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MINU, I32, 0);
}
ORYX_INSN(PMAXUD, "66 0f 38 3f /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_MAXU, I32, 0);
}
ORYX_INSN(PCMPEQB, "66 0f 74 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_VCMP, I8, ORYX_CC_EQ);
}
ORYX_INSN(PCMPEQW, "66 0f 75 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_VCMP, I16, ORYX_CC_EQ);
}
ORYX_INSN(PCMPEQD, "66 0f 76 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_VCMP, I32, ORYX_CC_EQ);
}
ORYX_INSN(PCMPEQQ, "66 0f 38 29 /r Vx,Wx", SSE41)
{
    x86_sse(l, ORYX_OP_VCMP, I64, ORYX_CC_EQ);
}
ORYX_INSN(PCMPGTB, "66 0f 64 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_VCMP, I8, ORYX_CC_GTS);
}
ORYX_INSN(PCMPGTW, "66 0f 65 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_VCMP, I16, ORYX_CC_GTS);
}
ORYX_INSN(PCMPGTD, "66 0f 66 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_VCMP, I32, ORYX_CC_GTS);
}
ORYX_INSN(PCMPGTQ, "66 0f 38 37 /r Vx,Wx", SSE42)
{
    x86_sse(l, ORYX_OP_VCMP, I64, ORYX_CC_GTS);
}

/* --- Logic: one operation under three names
 * -------------------------------------------------------------------------------------- */

ORYX_INSN(PAND, "66 0f db /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_AND, I64, 0);
}
ORYX_INSN(ANDPS, "0f 54 /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_AND, I64, 0);
}
ORYX_INSN(ANDPD, "66 0f 54 /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_AND, I64, 0);
}
ORYX_INSN(POR, "66 0f eb /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_OR, I64, 0);
}
ORYX_INSN(ORPS, "0f 56 /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_OR, I64, 0);
}
ORYX_INSN(ORPD, "66 0f 56 /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_OR, I64, 0);
}
ORYX_INSN(PXOR, "66 0f ef /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_XOR, I64, 0);
}
ORYX_INSN(XORPS, "0f 57 /r Vps,Wps", SSE)
{
    x86_sse(l, ORYX_OP_XOR, I64, 0);
}
ORYX_INSN(XORPD, "66 0f 57 /r Vpd,Wpd", SSE2)
{
    x86_sse(l, ORYX_OP_XOR, I64, 0);
}

static void and_not(x86_lift *l)
{
    oryx_val b = x86_vec(l, 1);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_ANDN, I64, b, x86_vec(l, 0), 0));
}

ORYX_INSN(PANDN, "66 0f df /r Vx,Wx", SSE2)
{
    and_not(l);
}
ORYX_INSN(ANDNPS, "0f 55 /r Vps,Wps", SSE)
{
    and_not(l);
}
ORYX_INSN(ANDNPD, "66 0f 55 /r Vpd,Wpd", SSE2)
{
    and_not(l);
}

/* --- Products
 * ------------------------------------------------------------------------------------------------------------------------
 */

/* Upper halves of 16-bit products: both halves' products of 32 bits, odd words of them. */
static void high_product(x86_lift *l, unsigned imm)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    oryx_val lo = x86_vop(l, ORYX_OP_MULW, I16, a, b, imm),
             hi = x86_vop(l, ORYX_OP_MULW, I16, a, b, imm | 2);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_UZP2, I16, lo, hi, 0));
}

ORYX_INSN(PMULHW, "66 0f e5 /r Vx,Wx", SSE2)
{
    high_product(l, SIGNED);
}
ORYX_INSN(PMULHUW, "66 0f e4 /r Vx,Wx", SSE2)
{
    high_product(l, 0);
}

/* Even doublewords. */
static void even_product(x86_lift *l, unsigned imm)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    a = x86_vop(l, ORYX_OP_UZP1, I32, a, a, 0);
    b = x86_vop(l, ORYX_OP_UZP1, I32, b, b, 0);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_MULW, I32, a, b, imm));
}

ORYX_INSN(PMULUDQ, "66 0f f4 /r Vx,Wx", SSE2)
{
    even_product(l, 0);
}
ORYX_INSN(PMULDQ, "66 0f 38 28 /r Vx,Wx", SSE41)
{
    even_product(l, SIGNED);
}

/* Sum of neighbours: even lanes plus odd lanes of a and b. */
static oryx_val pairs(x86_lift *l, unsigned op, unsigned lane, oryx_val a, oryx_val b, unsigned imm)
{
    return x86_vop(l, op, lane, x86_vop(l, ORYX_OP_UZP1, lane, a, b, 0),
                   x86_vop(l, ORYX_OP_UZP2, lane, a, b, 0), imm);
}

ORYX_INSN(PMADDWD, "66 0f f5 /r Vx,Wx", SSE2)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    oryx_val lo = x86_vop(l, ORYX_OP_MULW, I16, a, b, SIGNED),
             hi = x86_vop(l, ORYX_OP_MULW, I16, a, b, SIGNED | 2);
    x86_set_vec(l, 0, pairs(l, ORYX_OP_ADD, I32, lo, hi, 0));
}

/* Unsigned bytes of the destination times signed ones, neighbours added with saturation. */
ORYX_INSN(PMADDUBSW, "66 0f 38 04 /r Vx,Wx", SSSE3)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), half[2];
    for (unsigned h = 0; h < 2; h++) {
        oryx_val wa = x86_vop1(l, ORYX_OP_WIDEN, I8, a, h << 1),
                 wb = x86_vop1(l, ORYX_OP_WIDEN, I8, b, h << 1 | SIGNED);
        half[h] = x86_vop(l, ORYX_OP_MUL, I16, wa, wb, 0);
    }
    x86_set_vec(l, 0, pairs(l, ORYX_OP_QADD, I16, half[0], half[1], SIGNED));
}

/* (a * b + 2^14) >> 15, which does not saturate: -1 * -1 is -1. */
ORYX_INSN(PMULHRSW, "66 0f 38 0b /r Vx,Wx", SSSE3)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), half[2];
    for (unsigned h = 0; h < 2; h++)
        half[h] = x86_vop1(l, ORYX_OP_SARI, I32,
                           x86_vop(l, ORYX_OP_MULW, I16, a, b, SIGNED | h << 1), 15 | 0x100);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_UZP1, I16, half[0], half[1], 0));
}

/* Absolute differences of bytes, summed in each half. */
ORYX_INSN(PSADBW, "66 0f f6 /r Vx,Wx", SSE2)
{
    oryx_val b = x86_vec(l, 1), d = x86_vop(l, ORYX_OP_ABSD, I8, x86_vec(l, 0), b, 0),
             v = x86_zero(l);
    for (unsigned h = 0; h < 2; h++) {
        oryx_val wide = x86_vop1(l, ORYX_OP_WIDEN, I8, d, h << 1);
        oryx_val sum = oryx_vun(l->ir, ORYX_OP_REDUCE, V128, I16, wide, 0);
        v = x86_with_lane(l, I64, v, h, oryx_zext(l->ir, I64, I16, sum));
    }
    x86_set_vec(l, 0, v);
}

/* --- SSSE3: neighbours, signs
 * ----------------------------------------------------------------------------------------------------------
 */

static void horizontal(x86_lift *l, unsigned op, unsigned lane, unsigned imm)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    if (x86_is_mmx(l, 0))
        a = b = x86_vop(l, ORYX_OP_ZIP1, I64, a, b, 0);
    x86_set_vec(l, 0, pairs(l, op, lane, a, b, imm));
}

ORYX_INSN(PHADDW, "66 0f 38 01 /r Vx,Wx", SSSE3)
{
    horizontal(l, ORYX_OP_ADD, I16, 0);
}
ORYX_INSN(PHADDD, "66 0f 38 02 /r Vx,Wx", SSSE3)
{
    horizontal(l, ORYX_OP_ADD, I32, 0);
}
ORYX_INSN(PHADDSW, "66 0f 38 03 /r Vx,Wx", SSSE3)
{
    horizontal(l, ORYX_OP_QADD, I16, SIGNED);
}
ORYX_INSN(PHSUBW, "66 0f 38 05 /r Vx,Wx", SSSE3)
{
    horizontal(l, ORYX_OP_SUB, I16, 0);
}
ORYX_INSN(PHSUBD, "66 0f 38 06 /r Vx,Wx", SSSE3)
{
    horizontal(l, ORYX_OP_SUB, I32, 0);
}
ORYX_INSN(PHSUBSW, "66 0f 38 07 /r Vx,Wx", SSSE3)
{
    horizontal(l, ORYX_OP_QSUB, I16, SIGNED);
}

/* The destination negated, kept or cleared by the sign of the source. */
static void by_sign(x86_lift *l, unsigned lane)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), zero = x86_zero(l);
    oryx_val negative = x86_vop(l, ORYX_OP_VCMP, lane, zero, b, ORYX_CC_GTS),
             none = x86_vop(l, ORYX_OP_VCMP, lane, b, zero, ORYX_CC_EQ);
    oryx_val v = oryx_vtri(l->ir, ORYX_OP_BITSEL, V128, lane, negative,
                           x86_vop1(l, ORYX_OP_NEG, lane, a, 0), a, 0);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_ANDN, I64, v, none, 0));
}

ORYX_INSN(PSIGNB, "66 0f 38 08 /r Vx,Wx", SSSE3)
{
    by_sign(l, I8);
}
ORYX_INSN(PSIGNW, "66 0f 38 09 /r Vx,Wx", SSSE3)
{
    by_sign(l, I16);
}
ORYX_INSN(PSIGND, "66 0f 38 0a /r Vx,Wx", SSSE3)
{
    by_sign(l, I32);
}

static void absolute(x86_lift *l, unsigned lane)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_ABS, lane, x86_vec(l, 1), 0));
}

ORYX_INSN(PABSB, "66 0f 38 1c /r Vx,Wx", SSSE3)
{
    absolute(l, I8);
}
ORYX_INSN(PABSW, "66 0f 38 1d /r Vx,Wx", SSSE3)
{
    absolute(l, I16);
}
ORYX_INSN(PABSD, "66 0f 38 1e /r Vx,Wx", SSSE3)
{
    absolute(l, I32);
}

/* --- Shifts
 * -------------------------------------------------------------------------------------------------------------------------------
 */

static void shift_imm(x86_lift *l, unsigned op, unsigned lane)
{
    unsigned bits = x86_bits(lane), n = (unsigned)l->op[1].imm.value.u & 0xff;
    oryx_val a = x86_vec(l, 0);
    if (op == ORYX_OP_SARI)
        x86_set_vec(l, 0, x86_vop1(l, op, lane, a, n < bits ? n : bits - 1));
    else
        x86_set_vec(l, 0, n < bits ? x86_vop1(l, op, lane, a, n) : x86_zero(l));
}

/* By the low quadword of a register, the same for all lanes. IR's variable shift takes signed
 * bytes, so counts are capped. */
static void shift(x86_lift *l, unsigned op, unsigned lane)
{
    if (l->op[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        shift_imm(l, op, lane);
        return;
    }
    unsigned bits = x86_bits(lane);
    oryx_val n = x86_lane(l, I64, x86_vec(l, 1), 0),
             cap = x86_imm(l, I64, op == ORYX_OP_SARI ? bits - 1 : bits);
    n = x86_bin(l, ORYX_OP_MINU, I64, n, cap);
    if (op != ORYX_OP_SHLI)
        n = oryx_un(l->ir, ORYX_OP_NEG, I64, n);
    oryx_val by = x86_vop1(l, ORYX_OP_DUP, lane, oryx_trunc(l->ir, lane, I64, n), 0);
    x86_set_vec(l, 0,
                x86_vop(l, ORYX_OP_VSHL, lane, x86_vec(l, 0), by, op == ORYX_OP_SARI ? SIGNED : 0));
}

ORYX_INSN(PSLLW, "66 0f f1 /r Vx,Wx; 66 0f 71 /6 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SHLI, I16);
}
ORYX_INSN(PSLLD, "66 0f f2 /r Vx,Wx; 66 0f 72 /6 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SHLI, I32);
}
ORYX_INSN(PSLLQ, "66 0f f3 /r Vx,Wx; 66 0f 73 /6 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SHLI, I64);
}
ORYX_INSN(PSRLW, "66 0f d1 /r Vx,Wx; 66 0f 71 /2 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SHRI, I16);
}
ORYX_INSN(PSRLD, "66 0f d2 /r Vx,Wx; 66 0f 72 /2 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SHRI, I32);
}
ORYX_INSN(PSRLQ, "66 0f d3 /r Vx,Wx; 66 0f 73 /2 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SHRI, I64);
}
ORYX_INSN(PSRAW, "66 0f e1 /r Vx,Wx; 66 0f 71 /4 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SARI, I16);
}
ORYX_INSN(PSRAD, "66 0f e2 /r Vx,Wx; 66 0f 72 /4 ib Ux,Ib", SSE2)
{
    shift(l, ORYX_OP_SARI, I32);
}

ORYX_INSN(PSLLDQ, "66 0f 73 /7 ib Ux,Ib", SSE2)
{
    unsigned n = (unsigned)l->op[1].imm.value.u & 0xff;
    oryx_val a = x86_vec(l, 0), zero = x86_zero(l);
    x86_set_vec(l, 0, n == 0 ? a : n > 15 ? zero : x86_vop(l, ORYX_OP_VEXT, I8, zero, a, 16 - n));
}

ORYX_INSN(PSRLDQ, "66 0f 73 /3 ib Ux,Ib", SSE2)
{
    unsigned n = (unsigned)l->op[1].imm.value.u & 0xff;
    oryx_val a = x86_vec(l, 0), zero = x86_zero(l);
    x86_set_vec(l, 0, n == 0 ? a : n > 15 ? zero : x86_vop(l, ORYX_OP_VEXT, I8, a, zero, n));
}
