/* SSE shuffles, packs, extensions, inserts and blends: SDM 1 5.5.1.4, 5.6.1.4, 5.6.3, 5.8.5, 5.10.
 */
#include "x86_sse.h"

/* --- Unpack: low halves, high halves
 * ------------------------------------------------------------------------------------------------
 */

/* Of MMX registers, the high halves are the high half of what the whole registers give. */
static void unpack_high(x86_lift *l, unsigned lane)
{
    if (!x86_is_mmx(l, 0)) {
        x86_sse(l, ORYX_OP_ZIP2, lane, 0);
        return;
    }
    oryx_val b = x86_vec(l, 1), v = x86_vop(l, ORYX_OP_ZIP1, lane, x86_vec(l, 0), b, 0);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_ZIP2, I64, v, v, 0));
}

ORYX_INSN(PUNPCKLBW, "66 0f 60 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP1, I8, 0);
}
ORYX_INSN(PUNPCKLWD, "66 0f 61 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP1, I16, 0);
}
ORYX_INSN(PUNPCKLDQ, "66 0f 62 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP1, I32, 0);
}
ORYX_INSN(PUNPCKLQDQ, "66 0f 6c /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP1, I64, 0);
}
ORYX_INSN(PUNPCKHBW, "66 0f 68 /r Vx,Wx", SSE2)
{
    unpack_high(l, I8);
}
ORYX_INSN(PUNPCKHWD, "66 0f 69 /r Vx,Wx", SSE2)
{
    unpack_high(l, I16);
}
ORYX_INSN(PUNPCKHDQ, "66 0f 6a /r Vx,Wx", SSE2)
{
    unpack_high(l, I32);
}
ORYX_INSN(PUNPCKHQDQ, "66 0f 6d /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP2, I64, 0);
}
ORYX_INSN(UNPCKLPS, "0f 14 /r Vx,Wx", SSE)
{
    x86_sse(l, ORYX_OP_ZIP1, I32, 0);
}
ORYX_INSN(UNPCKHPS, "0f 15 /r Vx,Wx", SSE)
{
    x86_sse(l, ORYX_OP_ZIP2, I32, 0);
}
ORYX_INSN(UNPCKLPD, "66 0f 14 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP1, I64, 0);
}
ORYX_INSN(UNPCKHPD, "66 0f 15 /r Vx,Wx", SSE2)
{
    x86_sse(l, ORYX_OP_ZIP2, I64, 0);
}

/* --- Pack with saturation: kind as NARROW's bits 2-3
 * ---------------------------------------------------------------------------------- */

static void pack(x86_lift *l, unsigned lane, unsigned kind)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    if (x86_is_mmx(l, 0)) {
        a = x86_vop(l, ORYX_OP_ZIP1, I64, a, b, 0);
        x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_NARROW, lane, a, kind << 2));
        return;
    }
    oryx_val lo = x86_vop1(l, ORYX_OP_NARROW, lane, a, kind << 2),
             hi = x86_vop1(l, ORYX_OP_NARROW, lane, b, kind << 2);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_ZIP1, I64, lo, hi, 0));
}

ORYX_INSN(PACKSSWB, "66 0f 63 /r Vx,Wx", SSE2)
{
    pack(l, I8, 1);
}
ORYX_INSN(PACKSSDW, "66 0f 6b /r Vx,Wx", SSE2)
{
    pack(l, I16, 1);
}
ORYX_INSN(PACKUSWB, "66 0f 67 /r Vx,Wx", SSE2)
{
    pack(l, I8, 3);
}
ORYX_INSN(PACKUSDW, "66 0f 38 2b /r Vx,Wx", SSE41)
{
    pack(l, I16, 3);
}

/* --- Extension
 * ----------------------------------------------------------------------------------------------------------------------------
 */

static void extend(x86_lift *l, unsigned from, unsigned to, unsigned sign)
{
    oryx_val v = x86_vec_unaligned(l, 1);
    for (unsigned lane = from; lane != to; lane++)
        v = x86_vop1(l, ORYX_OP_WIDEN, lane, v, sign);
    x86_set_vec(l, 0, v);
}

ORYX_INSN(PMOVSXBW, "66 0f 38 20 /r Vx,Wq", SSE41)
{
    extend(l, I8, I16, 1);
}
ORYX_INSN(PMOVSXBD, "66 0f 38 21 /r Vx,Wd", SSE41)
{
    extend(l, I8, I32, 1);
}
ORYX_INSN(PMOVSXBQ, "66 0f 38 22 /r Vx,Ww", SSE41)
{
    extend(l, I8, I64, 1);
}
ORYX_INSN(PMOVSXWD, "66 0f 38 23 /r Vx,Wq", SSE41)
{
    extend(l, I16, I32, 1);
}
ORYX_INSN(PMOVSXWQ, "66 0f 38 24 /r Vx,Wd", SSE41)
{
    extend(l, I16, I64, 1);
}
ORYX_INSN(PMOVSXDQ, "66 0f 38 25 /r Vx,Wq", SSE41)
{
    extend(l, I32, I64, 1);
}
ORYX_INSN(PMOVZXBW, "66 0f 38 30 /r Vx,Wq", SSE41)
{
    extend(l, I8, I16, 0);
}
ORYX_INSN(PMOVZXBD, "66 0f 38 31 /r Vx,Wd", SSE41)
{
    extend(l, I8, I32, 0);
}
ORYX_INSN(PMOVZXBQ, "66 0f 38 32 /r Vx,Ww", SSE41)
{
    extend(l, I8, I64, 0);
}
ORYX_INSN(PMOVZXWD, "66 0f 38 33 /r Vx,Wq", SSE41)
{
    extend(l, I16, I32, 0);
}
ORYX_INSN(PMOVZXWQ, "66 0f 38 34 /r Vx,Wd", SSE41)
{
    extend(l, I16, I64, 0);
}
ORYX_INSN(PMOVZXDQ, "66 0f 38 35 /r Vx,Wq", SSE41)
{
    extend(l, I32, I64, 0);
}

/* --- Shuffles by a constant: a table of byte numbers
 * ---------------------------------------------------------------------------------------- */

static oryx_val by_table(x86_lift *l, oryx_val a, const uint8_t from[16])
{
    uint64_t lo = 0, hi = 0;
    for (unsigned i = 0; i < 8; i++) {
        lo |= (uint64_t)from[i] << (8 * i);
        hi |= (uint64_t)from[8 + i] << (8 * i);
    }
    return x86_vop(l, ORYX_OP_TBL, I8, a, oryx_vconst(l->ir, V128, lo, hi), 0);
}

static unsigned choice(uint64_t imm, unsigned n)
{
    return (unsigned)(imm >> (2 * n)) & 3;
}

ORYX_INSN(PSHUFD, "66 0f 70 /r ib Vx,Wx,Ib", SSE2)
{
    uint8_t from[16];
    for (unsigned i = 0; i < 16; i++)
        from[i] = (uint8_t)(choice(l->op[2].imm.value.u, i / 4) * 4 + i % 4);
    x86_set_vec(l, 0, by_table(l, x86_vec(l, 1), from));
}

/* at: the first byte of the half. */
static void shuffle_words(x86_lift *l, unsigned at)
{
    uint8_t from[16];
    for (unsigned i = 0; i < 16; i++)
        from[i] =
            (uint8_t)(i / 8 * 8 == at ? at + choice(l->op[2].imm.value.u, i % 8 / 2) * 2 + i % 2
                                      : i);
    x86_set_vec(l, 0, by_table(l, x86_vec(l, 1), from));
}

ORYX_INSN(PSHUFLW, "F2 0f 70 /r ib Vx,Wx,Ib", SSE2)
{
    shuffle_words(l, 0);
}
ORYX_INSN(PSHUFW, "0f 70 /r ib Pq,Qq,Ib", SSE)
{
    shuffle_words(l, 0);
}
ORYX_INSN(PSHUFHW, "F3 0f 70 /r ib Vx,Wx,Ib", SSE2)
{
    shuffle_words(l, 8);
}

ORYX_INSN(SHUFPS, "0f c6 /r ib Vps,Wps,Ib", SSE)
{
    uint64_t imm = l->op[2].imm.value.u;
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), v = a;
    for (unsigned i = 0; i < 4; i++)
        v = x86_with_lane(l, I32, v, i, x86_lane(l, I32, i < 2 ? a : b, choice(imm, i)));
    x86_set_vec(l, 0, v);
}

ORYX_INSN(SHUFPD, "66 0f c6 /r ib Vpd,Wpd,Ib", SSE2)
{
    uint64_t imm = l->op[2].imm.value.u;
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0);
    oryx_val v = x86_with_lane(l, I64, a, 0, x86_lane(l, I64, a, imm & 1));
    x86_set_vec(l, 0, x86_with_lane(l, I64, v, 1, x86_lane(l, I64, b, imm >> 1 & 1)));
}

/* --- Shuffles by a register
 * --------------------------------------------------------------------------------------------------------------------
 */

/* Bit 7 of an index clears the byte; bits 4-6 do not count. */
ORYX_INSN(PSHUFB, "66 0f 38 00 /r Vx,Wx", SSSE3)
{
    uint64_t used = x86_is_mmx(l, 0) ? 0x8787878787878787u : 0x8f8f8f8f8f8f8f8fu;
    oryx_val index = x86_vop(l, ORYX_OP_AND, I64, x86_vec(l, 1), oryx_vconst(l->ir, V128, used, used), 0);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_TBL, I8, x86_vec(l, 0), index, 0));
}

ORYX_INSN(PALIGNR, "66 0f 3a 0f /r ib Vx,Wx,Ib", SSSE3)
{
    unsigned n = (unsigned)l->op[2].imm.value.u & 0xff;
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), zero = x86_zero(l), v = zero;
    if (x86_is_mmx(l, 0)) {
        b = x86_vop(l, ORYX_OP_ZIP1, I64, b, a, 0);
        x86_set_vec(l, 0, n == 0 ? b : n < 16 ? x86_vop(l, ORYX_OP_VEXT, I8, b, zero, n) : zero);
        return;
    }
    if (n == 0)
        v = b;
    else if (n < 16)
        v = x86_vop(l, ORYX_OP_VEXT, I8, b, a, n);
    else if (n == 16)
        v = a;
    else if (n < 32)
        v = x86_vop(l, ORYX_OP_VEXT, I8, a, zero, n - 16);
    x86_set_vec(l, 0, v);
}

/* --- Insert, extract
 * ----------------------------------------------------------------------------------------------------------------------------
 */

static void insert(x86_lift *l, unsigned lane)
{
    unsigned type = x86_op_type(l, 1),
             n = (unsigned)l->op[2].imm.value.u & ((x86_is_mmx(l, 0) ? 64 : 128) / x86_bits(lane) - 1);
    oryx_val v = x86_read(l, 1);
    x86_set_vec(l, 0,
                x86_with_lane(l, lane, x86_vec(l, 0), n,
                              type == lane ? v : oryx_trunc(l->ir, lane, type, v)));
}

ORYX_INSN(PINSRB, "66 0f 3a 20 /r ib Vx,Rd/Mb,Ib", SSE41)
{
    insert(l, I8);
}
ORYX_INSN(PINSRW, "66 0f c4 /r ib Vx,Rd/Mw,Ib", SSE2)
{
    insert(l, I16);
}
ORYX_INSN(PINSRD, "66 0f 3a 22 /r ib Vx,Ed,Ib", SSE41)
{
    insert(l, I32);
}
ORYX_INSN(PINSRQ, "66 REX.W 0f 3a 22 /r ib Vx,Eq,Ib", SSE41)
{
    insert(l, I64);
}

static void extract(x86_lift *l, unsigned lane)
{
    unsigned n = (unsigned)l->op[2].imm.value.u & ((x86_is_mmx(l, 1) ? 64 : 128) / x86_bits(lane) - 1),
             type = x86_op_type(l, 0);
    x86_write(l, 0, oryx_zext(l->ir, type, lane, x86_lane(l, lane, x86_vec(l, 1), n)));
}

ORYX_INSN(PEXTRB, "66 0f 3a 14 /r ib Rd/Mb,Vx,Ib", SSE41)
{
    extract(l, I8);
}
ORYX_INSN(PEXTRW, "66 0f c5 /r ib Gd,Ux,Ib; 66 0f 3a 15 /r ib Rd/Mw,Vx,Ib", SSE2)
{
    extract(l, I16);
}
ORYX_INSN(PEXTRD, "66 0f 3a 16 /r ib Ed,Vx,Ib", SSE41)
{
    extract(l, I32);
}
ORYX_INSN(PEXTRQ, "66 REX.W 0f 3a 16 /r ib Eq,Vx,Ib", SSE41)
{
    extract(l, I64);
}
ORYX_INSN(EXTRACTPS, "66 0f 3a 17 /r ib Ed,Vx,Ib", SSE41)
{
    extract(l, I32);
}

/* imm: source lane in bits 6-7 (of a register), destination lane in 4-5, lanes to clear in 0-3. */
ORYX_INSN(INSERTPS, "66 0f 3a 21 /r ib Vx,Wd,Ib", SSE41)
{
    unsigned imm = (unsigned)l->op[2].imm.value.u;
    oryx_val s = x86_is_mem(l, 1) ? x86_read(l, 1) : x86_lane(l, I32, x86_vec(l, 1), imm >> 6 & 3);
    oryx_val v = x86_with_lane(l, I32, x86_vec(l, 0), imm >> 4 & 3, s);
    for (unsigned i = 0; i < 4; i++)
        if (imm >> i & 1)
            v = x86_with_lane(l, I32, v, i, x86_imm(l, I32, 0));
    x86_set_vec(l, 0, v);
}

/* --- Blends
 * ------------------------------------------------------------------------------------------------------------------------------------------
 */

static void blend(x86_lift *l, unsigned lane)
{
    uint64_t imm = l->op[2].imm.value.u;
    oryx_val b = x86_vec(l, 1), v = x86_vec(l, 0);
    for (unsigned i = 0; i < 128 / x86_bits(lane); i++)
        if (imm >> i & 1)
            v = x86_with_lane(l, lane, v, i, x86_lane(l, lane, b, i));
    x86_set_vec(l, 0, v);
}

ORYX_INSN(PBLENDW, "66 0f 3a 0e /r ib Vx,Wx,Ib", SSE41)
{
    blend(l, I16);
}
ORYX_INSN(BLENDPS, "66 0f 3a 0c /r ib Vx,Wx,Ib", SSE41)
{
    blend(l, I32);
}
ORYX_INSN(BLENDPD, "66 0f 3a 0d /r ib Vx,Wx,Ib", SSE41)
{
    blend(l, I64);
}

/* By the sign bits of xmm0. */
static void blend_variable(x86_lift *l, unsigned lane)
{
    oryx_val b = x86_vec(l, 1),
             mask = x86_vop1(l, ORYX_OP_SARI, lane, x86_xmm(l, 0), x86_bits(lane) - 1);
    x86_set_vec(l, 0, oryx_vtri(l->ir, ORYX_OP_BITSEL, V128, lane, mask, b, x86_vec(l, 0), 0));
}

ORYX_INSN(PBLENDVB, "66 0f 38 10 /r Vx,Wx", SSE41)
{
    blend_variable(l, I8);
}
ORYX_INSN(BLENDVPS, "66 0f 38 14 /r Vx,Wx", SSE41)
{
    blend_variable(l, I32);
}
ORYX_INSN(BLENDVPD, "66 0f 38 15 /r Vx,Wx", SSE41)
{
    blend_variable(l, I64);
}

/* Z: no bit in common; C: all bits of the source are in the destination. */
ORYX_INSN(PTEST, "66 0f 38 17 /r Vx,Wx", SSE41)
{
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), word = 0;
    for (unsigned i = 0; i < 2; i++) {
        oryx_val v =
            i ? x86_vop(l, ORYX_OP_ANDN, I64, b, a, 0) : x86_vop(l, ORYX_OP_AND, I64, b, a, 0);
        oryx_val any = x86_bin(l, ORYX_OP_OR, I64, x86_lane(l, I64, v, 0), x86_lane(l, I64, v, 1));
        oryx_val none =
            oryx_zext(l->ir, I32, I1, oryx_cmp(l->ir, ORYX_CC_EQ, I64, any, x86_imm(l, I64, 0)));
        word = i ? x86_bin(l, ORYX_OP_OR, I32, word, none) : x86_bini(l, ORYX_OP_SHL, I32, none, 6);
    }
    x86_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, word, 0, 0, 0));
}

/* The least word and where it is first. */
ORYX_INSN(PHMINPOSUW, "66 0f 38 41 /r Vx,Wx", SSE41)
{
    /* Word and number as one: the least of the eight sums. */
    oryx_val v = x86_vec(l, 1), best = 0;
    for (unsigned i = 0; i < 8; i++) {
        oryx_val key =
            x86_bini(l, ORYX_OP_SHL, I64, oryx_zext(l->ir, I64, I16, x86_lane(l, I16, v, i)), 3);
        key = x86_bini(l, ORYX_OP_OR, I64, key, i);
        best = i ? x86_bin(l, ORYX_OP_MINU, I64, best, key) : key;
    }
    oryx_val word = x86_bini(l, ORYX_OP_SHR, I64, best, 3),
             at = x86_bini(l, ORYX_OP_AND, I64, best, 7);
    oryx_val both = x86_bin(l, ORYX_OP_OR, I64, word, x86_bini(l, ORYX_OP_SHL, I64, at, 16));
    x86_set_vec(l, 0, x86_with_lane(l, I64, x86_zero(l), 0, both));
}

/* Sums of four absolute differences: a block of the source, chosen by bits 0-1, against eight of
 * the destination from bit 2 on. */
ORYX_INSN(MPSADBW, "66 0f 3a 42 /r ib Vx,Wx,Ib", SSE41)
{
    uint64_t imm = l->op[2].imm.value.u;
    unsigned to = (unsigned)(imm >> 2 & 1) * 4, from = (unsigned)(imm & 3) * 4;
    oryx_val b = x86_vec(l, 1), a = x86_vec(l, 0), sum = 0;
    for (unsigned k = 0; k < 4; k++) {
        oryx_val s = x86_vop1(l, ORYX_OP_DUP, I8, x86_lane(l, I8, b, from + k), 0);
        oryx_val d = to + k ? x86_vop(l, ORYX_OP_VEXT, I8, a, a, to + k) : a;
        oryx_val w = x86_vop1(l, ORYX_OP_WIDEN, I8, x86_vop(l, ORYX_OP_ABSD, I8, d, s, 0), 0);
        sum = sum ? x86_vop(l, ORYX_OP_ADD, I16, sum, w, 0) : w;
    }
    x86_set_vec(l, 0, sum);
}
