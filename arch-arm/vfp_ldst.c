/* VFP loads and stores (DDI 0406C A7.6; DDI 0487 F4.1 "Advanced SIMD and floating-point load/store"): VLDR, VSTR, VLDM, VSTM
 * and the FLDMX, FSTMX forms.
 *
 * Called through the decode tables. Invariant: accesses first, then the base, then the registers. Every access is aligned to
 * a word, with SCTLR.A or without. */
#include "vfp.h"

static oryx_val load(a32_lift *l, unsigned p, oryx_val addr)
{
    return oryx_load(l->ir, lane(p + 2), a32_addr(l, addr), vfp_memop(l, p + 2, 2));
}

static void store(a32_lift *l, unsigned p, oryx_val addr, oryx_val v)
{
    oryx_store(l->ir, lane(p + 2), a32_addr(l, addr), v, vfp_memop(l, p + 2, 2));
}

static oryx_val at(a32_lift *l, oryx_val base, uint32_t offset)
{
    return offset ? a32_bini(l, ORYX_OP_ADD, base, offset) : base;
}

/* o: load. */
ORYX_INSN(VLDR, "cccc1101ud0onnnndddd101piiiiiiii",
          "%?(o){vldr}{vstr}%c()\t%fp(p, vfp_d(p, d)), %fpmem(n, u, i)", VFP)
{
    oryx_val base = f->n == 15 ? a32_imm(l, a32_pc(l) & ~3u) : a32_reg(l, f->n);
    oryx_val addr = at(l, base, f->u ? f->i * 4 : 0 - f->i * 4);
    unsigned d = vfp_d(f->p, f->d);
    if (f->o)
        vfp_set_bits(l, f->p, d, load(l, f->p, addr));
    else
        store(l, f->p, addr, vfp_get_bits(l, f->p, d));
    if (!f->o && f->n == 15 && l->mode & A32_MODE_T)
        l->refused = 1;
}

/* f: decrement before, w: write back, o: load. The odd immediates of doubles are FLDMX, FSTMX. */
ORYX_INSN(VLDM, "cccc110fudwonnnndddd101piiiiiiii",
          "[((f && !u && w) || (!f && u)) && (n != 15 || !w) && "
          "((p && i > 1 && i < 34 && i < 66 - 2 * d) || (!p && i && (d << 1 & 31) + (d >> 4) + i <= 32))] "
          "{n == 13 && w && !(p && (i & 1)) && o == u} %?(o){vpop}{vpush}%c()\t%fplist(p, vfp_d(p, d), p ? i / 2 : i) ;; "
          "{p && (i & 1)} %?(o){fldm}{fstm}%?(f){dbx}{iax}%c()\t%r(n)%?(w){!}, %fplist(1, d, i / 2) ;; "
          "%?(o){vldm}{vstm}%?(f){db}{ia}%c()\t%r(n)%?(w){!}, %fplist(p, vfp_d(p, d), p ? i / 2 : i)", VFP)
{
    unsigned d = vfp_d(f->p, f->d), count = f->p ? f->i / 2 : f->i;
    oryx_val base = f->n == 15 ? a32_imm(l, a32_pc(l) & ~3u) : a32_reg(l, f->n), v[32] = { 0 };
    uint32_t start = f->f ? 0 - f->i * 4 : 0;
    if (f->n == 15 && l->mode & A32_MODE_T) {
        l->refused = 1;
        return;
    }
    for (unsigned k = 0; k < count; k++) {
        oryx_val addr = at(l, base, start + (k << (f->p + 2)));
        if (f->o)
            v[k] = load(l, f->p, addr);
        else
            store(l, f->p, addr, vfp_get_bits(l, f->p, d + k));
    }
    if (f->w)
        a32_set_reg(l, f->n, a32_bini(l, f->f ? ORYX_OP_SUB : ORYX_OP_ADD, base, f->i * 4));
    for (unsigned k = 0; f->o && k < count; k++)
        vfp_set_bits(l, f->p, d + k, v[k]);
}
