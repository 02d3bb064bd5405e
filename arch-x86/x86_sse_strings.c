/* SSE4.2's string comparisons (SDM 1 5.11.1, 2B 4.1), dot products, approximations. Comparisons are one helper that gives
 * IntRes2, index and flags. */
#include <string.h>

#include "x86_helpers.h"
#include "x86_sse.h"

/* --- string comparison -------------------------------------------------------------------------------------------------------- */

typedef struct text {
    int32_t at[16];
    unsigned n, valid; /* elements, and those before the end */
} text;

static void take(text *t, const oryx_v128 *v, uint32_t imm)
{
    uint8_t b[16];
    memcpy(b, v, 16);
    t->n = imm & 1 ? 8 : 16;
    for (unsigned i = 0; i < t->n; i++) {
        uint16_t w = imm & 1 ? (uint16_t)(b[2 * i] | b[2 * i + 1] << 8) : b[i];
        t->at[i] = !(imm & 2) ? w : imm & 1 ? (int16_t)w : (int8_t)w;
    }
}

/* Up to the first zero. */
static void implicit(text *t)
{
    for (t->valid = 0; t->valid < t->n && t->at[t->valid]; t->valid++)
        ;
}

/* By the magnitude of a register. */
static void explicit(text *t, uint64_t length, bool wide)
{
    int64_t v = wide ? (int64_t)length : (int32_t)length;
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    t->valid = m < t->n ? (unsigned)m : t->n;
}

static bool equal_any(const text *a, const text *b, unsigned j)
{
    for (unsigned i = 0; i < a->valid; i++)
        if (a->at[i] == b->at[j])
            return true;
    return false;
}

static bool in_ranges(const text *a, const text *b, unsigned j)
{
    for (unsigned i = 0; i + 1 < a->valid; i += 2)
        if (b->at[j] >= a->at[i] && b->at[j] <= a->at[i + 1])
            return true;
    return false;
}

static bool begins(const text *a, const text *b, unsigned j)
{
    for (unsigned i = 0; i < a->valid && j + i < b->n; i++)
        if (j + i >= b->valid || a->at[i] != b->at[j + i])
            return false;
    return true;
}

static uint32_t compare(const text *a, const text *b, uint32_t imm)
{
    uint32_t r = 0, all = (1u << b->n) - 1;
    for (unsigned j = 0; j < b->n; j++) {
        bool one, inside = j < b->valid;
        switch (imm >> 2 & 3) {
        case 0:
            one = inside && equal_any(a, b, j);
            break;
        case 1:
            one = inside && in_ranges(a, b, j);
            break;
        case 2:
            one = inside && j < a->valid ? a->at[j] == b->at[j] : inside == (j < a->valid);
            break;
        default:
            one = begins(a, b, j);
            break;
        }
        r |= (uint32_t)one << j;
    }
    if (imm & 0x10)
        r ^= imm & 0x20 ? (1u << b->valid) - 1 : all;
    return r;
}

/* how: bits 0-7 the immediate, bit 8 explicit lengths, bit 9 of 64 bits. Result: IntRes2, the index at bit 16, flags at 32. */
uint64_t x86_pcmpstr(const oryx_v128 *va, const oryx_v128 *vb, uint64_t la, uint64_t lb, uint32_t how)
{
    text a, b;
    take(&a, va, how);
    take(&b, vb, how);
    if (how & 0x100) {
        explicit(&a, la, how & 0x200);
        explicit(&b, lb, how & 0x200);
    } else {
        implicit(&a);
        implicit(&b);
    }
    uint32_t r = compare(&a, &b, how), index = b.n;
    if (r)
        index = how & 0x40 ? 31u - (uint32_t)__builtin_clz(r) : (uint32_t)__builtin_ctz(r);
    uint32_t flags = (r ? ORYX_FLAG_C : 0) | (b.valid < b.n ? ORYX_FLAG_Z : 0) | (a.valid < a.n ? ORYX_FLAG_S : 0) |
                     (r & 1 ? ORYX_FLAG_O : 0);
    return r | (uint64_t)index << 16 | (uint64_t)flags << 32;
}

/* Elements all ones where a bit is set. */
void x86_pcmpstr_mask(oryx_v128 *out, uint32_t bits, uint32_t words)
{
    uint8_t b[16];
    for (unsigned i = 0; i < 16; i++)
        b[i] = bits >> (words ? i / 2 : i) & 1 ? 0xff : 0;
    memcpy(out, b, 16);
}

static void compare_strings(x86_lift *l, bool lengths, bool mask)
{
    uint32_t imm = (uint32_t)l->op[2].imm.value.u & 0xff;
    oryx_val b = x86_vec_unaligned(l, 1), a = x86_vec(l, 0);
    oryx_val la = lengths ? x86_r(l, I64, X86_RAX) : x86_imm(l, I64, 0), lb = lengths ? x86_r(l, I64, X86_RDX) : x86_imm(l, I64, 0);
    uint32_t how = imm | (lengths ? 0x100 : 0) | (x86_is64(l) && l->insn->raw.rex.W ? 0x200 : 0);
    const oryx_val v[5] = {a, b, la, lb, x86_imm(l, I32, how)};
    oryx_val r = x86_call(l, X86_HELPER_PCMPSTR, I64, v, 5);
    if (mask) {
        oryx_val bits = x86_bini(l, ORYX_OP_AND, I64, r, 0xffff);
        const oryx_val w[2] = {oryx_trunc(l->ir, I32, I64, bits), x86_imm(l, I32, imm & 1)};
        oryx_val v128 = imm & 0x40 ? x86_call(l, X86_HELPER_PCMPSTR_MASK, V128, w, 2) : x86_with_lane(l, I64, x86_zero(l), 0, bits);
        oryx_put(l->ir, V128, X86_OFF_X(0), v128);
    } else {
        x86_set_r(l, I32, X86_RCX, oryx_trunc(l->ir, I32, I64, oryx_bfx(l->ir, ORYX_OP_UBFX, I64, r, 16, 8)));
    }
    oryx_val word = oryx_trunc(l->ir, I32, I64, x86_bini(l, ORYX_OP_SHR, I64, r, 32));
    x86_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, word, 0, 0, 0));
}

ORYX_INSN(PCMPESTRM, "66 0f 3a 60 /r ib Vx,Wx,Ib", SSE42)
{
    compare_strings(l, true, true);
}
ORYX_INSN(PCMPESTRI, "66 0f 3a 61 /r ib Vx,Wx,Ib", SSE42)
{
    compare_strings(l, true, false);
}
ORYX_INSN(PCMPISTRM, "66 0f 3a 62 /r ib Vx,Wx,Ib", SSE42)
{
    compare_strings(l, false, true);
}
ORYX_INSN(PCMPISTRI, "66 0f 3a 63 /r ib Vx,Wx,Ib", SSE42)
{
    compare_strings(l, false, false);
}

/* --- dot products: lanes chosen by imm bits 4-7, summed in pairs, to the lanes of bits 0-3 ------------------------------------------------ */

static void dot(x86_lift *l, unsigned fp)
{
    unsigned n = fp == F32 ? 4 : 2;
    uint64_t imm = l->op[2].imm.value.u;
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), part[4];
    for (unsigned i = 0; i < n; i++)
        part[i] = imm >> (4 + i) & 1
                      ? oryx_bin(l->ir, ORYX_OP_FMUL, fp, x86_lane(l, fp, a, i), x86_lane(l, fp, b, i))
                      : oryx_const(l->ir, fp, 0);
    oryx_val sum = oryx_bin(l->ir, ORYX_OP_FADD, fp, part[0], part[1]);
    if (n == 4)
        sum = oryx_bin(l->ir, ORYX_OP_FADD, fp, sum, oryx_bin(l->ir, ORYX_OP_FADD, fp, part[2], part[3]));
    oryx_val v = x86_zero(l);
    for (unsigned i = 0; i < n; i++)
        if (imm >> i & 1)
            v = x86_with_lane(l, fp, v, i, sum);
    x86_set_vec(l, 0, v);
}

ORYX_INSN(DPPS, "66 0f 3a 40 /r ib Vps,Wps,Ib", SSE41)
{
    dot(l, F32);
}
ORYX_INSN(DPPD, "66 0f 3a 41 /r ib Vpd,Wpd,Ib", SSE41)
{
    dot(l, F64);
}

/* --- approximations: the host's where it has them, else of full precision ------------------------------------------------------------------- */

void x86_approximate(oryx_v128 *out, const oryx_v128 *in, uint32_t root)
{
#ifdef __x86_64__
    float v __attribute__((vector_size(16)));
    memcpy(&v, in, 16);
    if (root)
        __asm__("rsqrtps %1, %0" : "=x"(v) : "x"(v));
    else
        __asm__("rcpps %1, %0" : "=x"(v) : "x"(v));
    memcpy(out, &v, 16);
#else
    float v[4];
    memcpy(v, in, 16);
    for (unsigned i = 0; i < 4; i++)
        v[i] = 1 / (root ? __builtin_sqrtf(v[i]) : v[i]);
    memcpy(out, v, 16);
#endif
}

static void approximate(x86_lift *l, bool root, bool scalar)
{
    const oryx_val v[2] = {x86_vec(l, 1), x86_imm(l, I32, root)};
    oryx_val r = x86_call(l, X86_HELPER_APPROXIMATE, V128, v, 2);
    x86_set_vec(l, 0, scalar ? x86_with_lane(l, I32, x86_vec(l, 0), 0, x86_lane(l, I32, r, 0)) : r);
}

ORYX_INSN(RCPPS, "0f 53 /r Vps,Wps", SSE)
{
    approximate(l, false, false);
}
ORYX_INSN(RCPSS, "F3 0f 53 /r Vss,Wss", SSE)
{
    approximate(l, false, true);
}
ORYX_INSN(RSQRTPS, "0f 52 /r Vps,Wps", SSE)
{
    approximate(l, true, false);
}
ORYX_INSN(RSQRTSS, "F3 0f 52 /r Vss,Wss", SSE)
{
    approximate(l, true, true);
}
