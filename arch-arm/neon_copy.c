/* AdvSIMD modified immediates, extraction, table lookup and duplication (DDI 0406C A7.4.6, A8.8 VEXT, VTBL, VDUP (scalar);
 * DDI 0487 F4.1 "Advanced SIMD one register and modified immediate").
 *
 * Called through the decode tables. */
#include "neon.h"

/* AdvSIMDExpandImm with the operation's own size; z: of the element as disassembled. */
uint64_t neon_expand_imm(unsigned c, unsigned o, uint32_t i, unsigned *z)
{
    *z = c < 8 ? 2 : c < 12 ? 1 : c < 14 ? 2 : c == 14 ? (o ? 3 : 0) : 2;
    if (c < 8)
        return arm_replicate(2, (uint64_t)i << (c >> 1 & 3) * 8);
    if (c < 12)
        return arm_replicate(1, (uint64_t)i << (c >> 1 & 1) * 8);
    if (c < 14)
        return arm_replicate(2, c & 1 ? (uint64_t)i << 16 | 0xffff : (uint64_t)i << 8 | 0xff);
    if (c == 15)
        return arm_replicate(2, a64_expand_fp_imm(0, i));
    if (!o)
        return arm_replicate(0, i);
    uint64_t v = 0;
    for (unsigned k = 0; k < 8; k++)
        v |= (i >> k & 1 ? UINT64_C(0xff) : 0) << 8 * k;
    return v;
}

/* VMOV, VMVN, VORR, VBIC: cmode and op. */
ORYX_INSN(VMOV_imm_v, "1111001i1d000iiiddddcccc0qo1iiii", "[!(c == 15 && o)] @neon_imm", NEON)
{
    unsigned t = vec(f->q), z;
    uint64_t imm = neon_expand_imm(f->c, f->o, f->i, &z);
    oryx_val v = oryx_vconst(l->ir, t, imm, f->q ? imm : 0);
    if (f->c < 12 && f->c & 1) /* with the register */
        v = oryx_vbin(l->ir, f->o ? ORYX_OP_ANDN : ORYX_OP_OR, t, I64, neon_get(l, f->q, f->d), v, 0);
    else if (f->o && f->c != 14)
        v = oryx_vconst(l->ir, t, ~imm, f->q ? ~imm : 0);
    neon_set(l, f->q, f->d, v);
}

ORYX_INSN(VEXT, "111100101d11nnnnddddiiiinqm0mmmm",
          "[q || i < 8] vext%c().8\t%v(q, d), %v(q, vfp_n(1, n)), %v(q, m), #%u(i)", NEON)
{
    oryx_val n = neon_get(l, f->q, N(f));
    neon_set(l, f->q, f->d, BIN(VEXT, vec(f->q), I8, n, neon_get(l, f->q, f->m), f->i));
}

/* Tables of D registers, two in a V128 of the IR's TBL. o: VTBX, which keeps the byte where the index is too great. */
ORYX_INSN(VTBL, "111100111d11nnnndddd10llnom0mmmm",
          "[(n >> 1) + (n & 1) * 16 + l < 32] vtb%?(o){x}{l}%c().8\t%v(0, d), %vlist(vfp_n(1, n), l + 1), %v(0, m)", NEON)
{
    oryx_val index = neon_get(l, 0, f->m), zero = oryx_vconst(l->ir, V64, 0, 0), v = 0;
    unsigned n = N(f), count = f->l + 1;
    for (unsigned k = 0; k < count; k += 2) {
        oryx_val low = neon_get(l, 0, n + k), high = k + 1 < count ? neon_get(l, 0, n + k + 1) : zero;
        oryx_val table = BIN(VCAT, V128, V64, low, high, 0);
        oryx_val at = k ? BIN(SUB, V64, I8, index, neon_splat(l, V64, 0, 16), 0) : index;
        oryx_val part = BIN(TBL, V64, I8, table, at, 0);
        v = v ? BIN(OR, V64, I8, v, part, 0) : part;
    }
    if (f->o) {
        oryx_val inside = BIN(VCMP, V64, I8, index, neon_splat(l, V64, 0, 8 * count), ORYX_CC_LTU);
        v = TRI(BITSEL, V64, I8, inside, v, neon_get(l, 0, f->d), 0);
    }
    neon_set(l, 0, f->d, v);
}

/* i: the lowest set bit is the size, the rest the index. */
ORYX_INSN(VDUP_scalar, "111100111d11iiiidddd11000qm0mmmm",
          "[i & 7] vdup%c().%u((i & 1) ? 8 : (i & 2) ? 16 : 32)\t%v(q, d), %v(0, m)[%u((i & 1) ? i >> 1 : (i & 2) ? i >> 2 : i >> 3)]", NEON)
{
    unsigned z = f->i & 1 ? 0 : f->i & 2 ? 1 : 2;
    oryx_val v = UN(VGET, V64, lane(z), neon_get(l, 0, f->m), f->i >> (z + 1));
    neon_set(l, f->q, f->d, UN(DUP, vec(f->q), lane(z), v, 0));
}

/* --- Text -------------------------------------------------------------------------------------------------------- */

void a32_text_neon_imm(a32_text *t, const a32_fields *f, uint64_t pc);
void a32_text_neon_imm(a32_text *t, const a32_fields *f, uint64_t pc)
{
    unsigned z, o = f->o, c = f->c;
    uint64_t v = neon_expand_imm(c, o, f->i, &z);
    (void)pc;
    a32_t_str(t, c < 12 && c & 1 ? (o ? "vbic" : "vorr") : o && c != 14 ? "vmvn" : "vmov");
    a32_t_c(t);
    a32_t_str(t, c == 15 ? ".f" : ".i");
    a32_t_u(t, 8u << z);
    a32_t_str(t, "\t");
    a32_t_v(t, f->q, f->d);
    a32_t_str(t, ", #");
    if (c == 15) {
        a32_t_neon_float(t, (uint32_t)v);
    } else if (z == 3) {
        a32_t_str(t, "0x");
        a32_t_hex8(t, (uint32_t)(v >> 32));
        a32_t_hex8(t, (uint32_t)v);
    } else {
        a32_t_neon_int(t, z == 0 ? v & 0xff : z == 1 ? v & 0xffff : v & 0xffffffff);
    }
}
