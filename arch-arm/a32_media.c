/* A32 media instructions: DDI 0406C A5.4; the functions are T32's too.
 *
 * SIMD32 works on v64 values whose upper half is zero. Invariant: GE is stored as a mask of whole bytes, as SEL uses it. */
#include "a32_text.h"

static oryx_val to_vector(a32_lift *l, oryx_val v)
{
    return oryx_bitcast(l->ir, ORYX_T_V64, I64, oryx_zext(l->ir, I64, I32, v));
}

static oryx_val to_word(a32_lift *l, oryx_val v)
{
    return oryx_trunc(l->ir, I32, I64, oryx_bitcast(l->ir, I64, ORYX_T_V64, v));
}

/* p: 1 s, 2 q, 3 sh, 5 u, 6 uq, 7 uh. The result of one operation on all lanes, and *ge its GE mask (p 1 and 5). */
static oryx_val lanes(a32_lift *l, unsigned p, unsigned sub, unsigned lane, oryx_val n, oryx_val m, oryx_val *ge)
{
    oryx_ir *ir = l->ir;
    unsigned v64 = ORYX_T_V64, is_signed = p < 4;
    switch (p & 3) {
    case 2:
        return to_word(l, oryx_vbin(ir, sub ? ORYX_OP_QSUB : ORYX_OP_QADD, v64, lane, n, m, is_signed));
    case 3:
        return to_word(l, oryx_vbin(ir, sub ? ORYX_OP_HSUB : ORYX_OP_HADD, v64, lane, n, m, is_signed));
    default: {
        oryx_val v = oryx_vbin(ir, sub ? ORYX_OP_SUB : ORYX_OP_ADD, v64, lane, n, m, 0);
        if (is_signed) { /* the exact result is not negative: neither is its half */
            oryx_val h = oryx_vbin(ir, sub ? ORYX_OP_HSUB : ORYX_OP_HADD, v64, lane, n, m, 1);
            *ge = oryx_vbin(ir, ORYX_OP_VCMP, v64, lane, h, oryx_vconst(ir, v64, 0, 0), ORYX_CC_GES);
        } else if (sub) {
            *ge = oryx_vbin(ir, ORYX_OP_VCMP, v64, lane, n, m, ORYX_CC_GEU);
        } else { /* carry out */
            *ge = oryx_vbin(ir, ORYX_OP_VCMP, v64, lane, v, n, ORYX_CC_LTU);
        }
        *ge = to_word(l, *ge);
        return to_word(l, v);
    }
    }
}

/* o: 0 add16, 1 asx, 2 sax, 3 sub16, 4 add8, 7 sub8. */
void a32_do_parallel(a32_lift *l, const a32_fields *f)
{
    oryx_val n = to_vector(l, a32_reg(l, f->n)), m = a32_reg(l, f->m), ge = 0, v;
    unsigned lane = f->o & 4 ? ORYX_T_I8 : ORYX_T_I16;
    if (f->o == 1 || f->o == 2) {
        /* asx: the top half adds, the bottom subtracts, crosswise; sax the other way round. */
        oryx_val ge_sub = 0, sub;
        m = to_vector(l, a32_bini(l, ORYX_OP_ROR, m, 16));
        v = lanes(l, f->p, 0, lane, n, m, &ge);
        sub = lanes(l, f->p, 1, lane, n, m, &ge_sub);
        unsigned at = f->o == 1 ? 0 : 16; /* where the difference goes */
        if (at)
            sub = a32_bini(l, ORYX_OP_SHR, sub, 16);
        v = oryx_bfi(l->ir, I32, v, sub, at, 16);
        if (ge)
            ge = oryx_bfi(l->ir, I32, ge, at ? a32_bini(l, ORYX_OP_SHR, ge_sub, 16) : ge_sub, at, 16);
    } else {
        v = lanes(l, f->p, (f->o & 3) == 3, lane, n, to_vector(l, m), &ge);
    }
    a32_set_reg(l, f->d, v);
    if (ge)
        a32_put(l, A32_OFF(ge), ge);
}

ORYX_INSN(PARALLEL, "cccc01100pppnnnndddd1111ooo1mmmm",
          "[(p & 3) && o != 5 && o != 6] %pick(p, \"? s q sh ? u uq uh\")%pick(o, \"add16 asx sax sub16 add8 ? ? sub8\")%c()\t"
          "%r(d), %r(n), %r(m)", V6)
{
    a32_do_parallel(l, f);
}

/* o: 0 sxtb16, 2 sxtb, 3 sxth, 4 uxtb16, 6 uxtb, 7 uxth; r: rotation / 8; n == 15: no addend. */
void a32_do_extend(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val m = a32_reg(l, f->m), n = f->n == 15 ? 0 : a32_reg(l, f->n), v;
    unsigned op = f->o & 4 ? ORYX_OP_UBFX : ORYX_OP_SBFX;
    if (f->r)
        m = a32_bini(l, ORYX_OP_ROR, m, f->r * 8);
    if (f->o & 3) {
        v = oryx_bfx(ir, op, I32, m, 0, f->o & 1 ? 16 : 8);
        if (n)
            v = a32_bin(l, ORYX_OP_ADD, n, v);
    } else {
        oryx_val low = oryx_bfx(ir, op, I32, m, 0, 8), high = oryx_bfx(ir, op, I32, m, 16, 8);
        if (n) {
            low = a32_bin(l, ORYX_OP_ADD, n, low);
            high = a32_bin(l, ORYX_OP_ADD, a32_bini(l, ORYX_OP_SHR, n, 16), high);
        }
        v = oryx_bfi(ir, I32, low, high, 16, 16);
    }
    a32_set_reg(l, f->d, v);
}

ORYX_INSN(EXTEND, "cccc01101ooonnnnddddrr000111mmmm",
          "[o != 1 && o != 5] {n == 15} %pick(o, \"sxtb16 ? sxtb sxth uxtb16 ? uxtb uxth\")%c()\t%r(d), %r(m)%?(r){, ror #%u(r * 8)} ;; "
          "%pick(o, \"sxtab16 ? sxtab sxtah uxtab16 ? uxtab uxtah\")%c()\t%r(d), %r(n), %r(m)%?(r){, ror #%u(r * 8)}", V6)
{
    a32_do_extend(l, f);
}

/* t: PKHTB. */
void a32_do_pkh(a32_lift *l, const a32_fields *f)
{
    oryx_val m = a32_shift_imm(l, a32_reg(l, f->m), f->t ? 2 : 0, f->i, NULL), n = a32_reg(l, f->n);
    if (f->t)
        a32_set_reg(l, f->d, oryx_bfi(l->ir, I32, n, m, 0, 16));
    else
        a32_set_reg(l, f->d, oryx_bfi(l->ir, I32, m, n, 0, 16));
}

ORYX_INSN(PKH, "cccc01101000nnnnddddiiiiit01mmmm",
          "{t} pkhtb%c()\t%r(d), %r(n), %r(m), asr #%u(i ? i : 32) ;; pkhbt%c()\t%r(d), %r(n), %r(m)%?(i){, lsl #%u(i)}", V6)
{
    a32_do_pkh(l, f);
}

void a32_do_sel(a32_lift *l, const a32_fields *f)
{
    oryx_val ge = oryx_get(l->ir, I32, A32_OFF(ge));
    oryx_val v = a32_bin(l, ORYX_OP_AND, a32_reg(l, f->n), ge);
    a32_set_reg(l, f->d, a32_bin(l, ORYX_OP_OR, v, a32_bin(l, ORYX_OP_ANDN, a32_reg(l, f->m), ge)));
}

ORYX_INSN(SEL, "cccc01101000nnnndddd11111011mmmm", "sel%c()\t%r(d), %r(n), %r(m)", V6)
{
    a32_do_sel(l, f);
}

/* v limited to [-2^(bits - 1), 2^(bits - 1)) or, u, [0, 2^bits); *q gathers. */
static oryx_val limit(a32_lift *l, oryx_val v, unsigned u, unsigned bits, oryx_val *q)
{
    uint32_t top = u ? (bits ? 0xffffffffu >> (32 - bits) : 0) : (1u << (bits - 1)) - 1;
    oryx_val r = a32_bini(l, ORYX_OP_MINS, a32_bini(l, ORYX_OP_MAXS, v, u ? 0 : ~top), top);
    oryx_val differs = oryx_cmp(l->ir, ORYX_CC_NE, I32, r, v);
    *q = *q ? oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I1, *q, differs) : differs;
    return r;
}

/* u: unsigned, w: the saturation field, i, h: shift amount and ASR. */
void a32_do_sat(a32_lift *l, const a32_fields *f)
{
    oryx_val v = a32_shift_imm(l, a32_reg(l, f->n), f->h ? 2 : 0, f->i, NULL), q = 0;
    v = limit(l, v, f->u, f->u ? f->w : f->w + 1, &q);
    a32_set_reg(l, f->d, v);
    a32_set_q(l, q);
}

ORYX_INSN(SAT, "cccc01101u1wwwwwddddiiiiih01nnnn",
          "%?(u){u}{s}sat%c()\t%r(d), #%u(u ? w : w + 1), %r(n)%?(h){, asr #%u(i ? i : 32)}{%?(i){, lsl #%u(i)}}", V6)
{
    a32_do_sat(l, f);
}

void a32_do_sat16(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val n = a32_reg(l, f->n), q = 0;
    unsigned bits = f->u ? f->w : f->w + 1;
    oryx_val low = limit(l, oryx_bfx(ir, ORYX_OP_SBFX, I32, n, 0, 16), f->u, bits, &q);
    oryx_val high = limit(l, oryx_bfx(ir, ORYX_OP_SBFX, I32, n, 16, 16), f->u, bits, &q);
    a32_set_reg(l, f->d, oryx_bfi(ir, I32, low, high, 16, 16));
    a32_set_q(l, q);
}

ORYX_INSN(SAT16, "cccc01101u10wwwwdddd11110011nnnn",
          "%?(u){u}{s}sat16%c()\t%r(d), #%u(u ? w : w + 1), %r(n)", V6)
{
    a32_do_sat16(l, f);
}

/* o: 0 rev, 1 rev16, 2 rbit, 3 revsh. */
void a32_do_rev(a32_lift *l, const a32_fields *f)
{
    oryx_val m = a32_reg(l, f->m), v;
    if (f->o == 2) {
        v = oryx_un(l->ir, ORYX_OP_BITREV, I32, m);
    } else {
        v = oryx_un(l->ir, ORYX_OP_BSWAP, I32, m);
        if (f->o == 1)
            v = a32_bini(l, ORYX_OP_ROR, v, 16);
        else if (f->o == 3)
            v = a32_bini(l, ORYX_OP_SAR, v, 16);
    }
    a32_set_reg(l, f->d, v);
}

ORYX_INSN(REV, "cccc011010111111dddd1111o011mmmm", "rev%?(o){16}%c()\t%r(d), %r(m)", V6)
{
    a32_do_rev(l, f);
}

ORYX_INSN(RBIT, "cccc011011111111dddd11110011mmmm", "rbit%c()\t%r(d), %r(m)", T2)
{
    a32_fields g = *f;
    g.o = 2;
    a32_do_rev(l, &g);
}

ORYX_INSN(REVSH, "cccc011011111111dddd11111011mmmm", "revsh%c()\t%r(d), %r(m)", V6)
{
    a32_fields g = *f;
    g.o = 3;
    a32_do_rev(l, &g);
}

/* a == 15: without addend. */
void a32_do_usada8(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val d = to_word(l, oryx_vbin(ir, ORYX_OP_ABSD, ORYX_T_V64, ORYX_T_I8, to_vector(l, a32_reg(l, f->n)),
                                      to_vector(l, a32_reg(l, f->m)), 0));
    oryx_val v = f->a == 15 ? 0 : a32_reg(l, f->a);
    for (unsigned k = 0; k < 4; k++) {
        oryx_val byte = oryx_bfx(ir, ORYX_OP_UBFX, I32, d, 8 * k, 8);
        v = v ? a32_bin(l, ORYX_OP_ADD, v, byte) : byte;
    }
    a32_set_reg(l, f->d, v);
}

ORYX_INSN(USADA8, "cccc01111000ddddaaaammmm0001nnnn",
          "{a == 15} usad8%c()\t%r(d), %r(n), %r(m) ;; usada8%c()\t%r(d), %r(n), %r(m), %r(a)", V6)
{
    a32_do_usada8(l, f);
}

/* u: unsigned, i: lsb, w: width - 1. */
void a32_do_bfx(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->d, oryx_bfx(l->ir, f->u ? ORYX_OP_UBFX : ORYX_OP_SBFX, I32, a32_reg(l, f->n), f->i, f->w + 1));
}

ORYX_INSN(BFX, "cccc01111u1wwwwwddddiiiii101nnnn",
          "[i + w < 32] %?(u){u}{s}bfx%c()\t%r(d), %r(n), #%u(i), #%u(w + 1)", T2)
{
    a32_do_bfx(l, f);
}

/* i: lsb, w: msb; n == 15: BFC. */
void a32_do_bfi(a32_lift *l, const a32_fields *f)
{
    oryx_val v = f->n == 15 ? a32_imm(l, 0) : a32_reg(l, f->n);
    a32_set_reg(l, f->d, oryx_bfi(l->ir, I32, a32_reg(l, f->d), v, f->i, f->w - f->i + 1));
}

ORYX_INSN(BFI, "cccc0111110wwwwwddddiiiii001nnnn",
          "[w >= i] {n == 15} bfc%c()\t%r(d), #%u(i), #%u(w - i + 1) ;; bfi%c()\t%r(d), %r(n), #%u(i), #%u(w - i + 1)", T2)
{
    a32_do_bfi(l, f);
}
