/* Transfers between core and FP registers, and the FP system registers (DDI 0406C A7.8, A7.9; DDI 0487 F4.1 "Advanced SIMD
 * and floating-point register transfer").
 *
 * Called through the decode tables. Invariant: a32_state.fpscr has the control bits alone; FPSCR is put together here and in
 * a32_id.c. r15 as a core register is UNPREDICTABLE but where VMRS names the flags: refused. */
#include "vfp.h"
#include "a32_system.h"

/* --- One register ------------------------------------------------------------------------------------------------- */

/* o: to the core register. */
ORYX_INSN(VMOV_core_s, "cccc1110000onnnntttt1010n0010000",
          "{o} vmov%c()\t%r(t), %fp(0, n) ;; vmov%c()\t%fp(0, n), %r(t)", VFP)
{
    l->refused = f->t == 15;
    if (f->o)
        a32_set_reg(l, f->t, vfp_get_bits(l, 0, f->n));
    else
        vfp_set_bits(l, 0, f->n, a32_reg(l, f->t));
}

/* log2 of the bytes and number of the element that opc1:opc2 names; no size 3. */
static unsigned element(unsigned x, unsigned *index)
{
    unsigned z = x & 8 ? 0 : x & 1 ? 1 : 2;
    *index = z == 0 ? x & 7 : z == 1 ? x >> 1 & 3 : x >> 2 & 1;
    return z;
}

ORYX_INSN(VMOV_to_element, "cccc11100xx0nnnntttt1011nxx10000",
          "[(x & 8) || (x & 1) || !(x & 2)] vmov%c().%u((x & 8) ? 8 : (x & 1) ? 16 : 32)\t"
          "%fp(1, vfp_n(1, n))[%u((x & 8) ? x & 7 : (x & 1) ? x >> 1 & 3 : x >> 2 & 1)], %r(t)", VFP)
{
    unsigned index, z = element(f->x, &index), n = vfp_n(1, f->n);
    if (f->t == 15 || (z < 2 && !(l->features & A32_FEAT_NEON)) || (n >= 16 && !(l->features & A32_FEAT_D32)))
        l->refused = 1;
    oryx_val v = a32_reg(l, f->t);
    uint32_t offset = A32_OFF_D(n) + (index << z);
    if (z < 2)
        v = oryx_trunc(l->ir, lane(z), I32, v);
    if (l->pred)
        v = oryx_select(l->ir, lane(z), l->pred, v, oryx_get(l->ir, lane(z), offset));
    oryx_put(l->ir, lane(z), offset, v);
}

ORYX_INSN(VMOV_from_element, "cccc1110uxx1nnnntttt1011nxx10000",
          "[(x & 8) || (x & 1) || (!(x & 2) && !u)] vmov%c().%?((x & 9) != 0){%?(u){u}{s}}{}%u((x & 8) ? 8 : (x & 1) ? 16 : 32)\t"
          "%r(t), %fp(1, vfp_n(1, n))[%u((x & 8) ? x & 7 : (x & 1) ? x >> 1 & 3 : x >> 2 & 1)]", VFP)
{
    unsigned index, z = element(f->x, &index), n = vfp_n(1, f->n);
    if (f->t == 15 || (z < 2 && !(l->features & A32_FEAT_NEON)) || (n >= 16 && !(l->features & A32_FEAT_D32)))
        l->refused = 1;
    oryx_val v = oryx_get(l->ir, lane(z), A32_OFF_D(n) + (index << z));
    if (z < 2)
        v = f->u ? oryx_zext(l->ir, I32, lane(z), v) : oryx_sext(l->ir, I32, lane(z), v);
    a32_set_reg(l, f->t, v);
}

/* b, e: the element size; a core register in every lane. */
ORYX_INSN(VDUP_core, "cccc11101bq0nnnntttt1011n0e10000",
          "[!(b && e) && !(q && (n & 2))] vdup%c().%u(b ? 8 : e ? 16 : 32)\t%v(q, vfp_n(1, n)), %r(t)", NEON)
{
    unsigned z = f->b ? 0 : f->e ? 1 : 2, t = vec(f->q);
    oryx_val v = a32_reg(l, f->t);
    l->refused = f->t == 15;
    if (z < 2)
        v = oryx_trunc(l->ir, lane(z), I32, v);
    v = UN(DUP, t, lane(z), v, 0);
    if (l->pred)
        v = oryx_select(l->ir, t, l->pred, v, oryx_get(l->ir, t, A32_OFF_D(vfp_n(1, f->n))));
    oryx_put(l->ir, t, A32_OFF_D(vfp_n(1, f->n)), v);
}

/* --- Two core registers -------------------------------------------------------------------------------------------- */

ORYX_INSN(VMOV_core2_s, "cccc1100010ouuuutttt101000m1mmmm",
          "{o} vmov%c()\t%r(t), %r(u), %fp(0, vfp_d(0, m)), %fp(0, vfp_d(0, m) + 1) ;; "
          "vmov%c()\t%fp(0, vfp_d(0, m)), %fp(0, vfp_d(0, m) + 1), %r(t), %r(u)", VFP)
{
    unsigned m = vfp_d(0, f->m);
    if (m == 31 || f->t == 15 || f->u == 15 || (f->o && f->t == f->u)) {
        l->refused = 1;
    } else if (f->o) {
        oryx_val low = vfp_get_bits(l, 0, m), high = vfp_get_bits(l, 0, m + 1);
        a32_set_reg(l, f->t, low);
        a32_set_reg(l, f->u, high);
    } else {
        vfp_set_bits(l, 0, m, a32_reg(l, f->t));
        vfp_set_bits(l, 0, m + 1, a32_reg(l, f->u));
    }
}

ORYX_INSN(VMOV_core2_d, "cccc1100010ouuuutttt101100m1mmmm",
          "{o} vmov%c()\t%r(t), %r(u), %fp(1, m) ;; vmov%c()\t%fp(1, m), %r(t), %r(u)", VFP)
{
    if (f->t == 15 || f->u == 15 || (f->o && f->t == f->u)) {
        l->refused = 1;
    } else if (f->o) {
        oryx_val v = vfp_get_bits(l, 1, f->m);
        a32_set_reg(l, f->t, oryx_trunc(l->ir, I32, I64, v));
        a32_set_reg(l, f->u, oryx_trunc(l->ir, I32, I64, oryx_bfx(l->ir, ORYX_OP_UBFX, I64, v, 32, 32)));
    } else {
        oryx_val low = oryx_zext(l->ir, I64, I32, a32_reg(l, f->t)), high = oryx_zext(l->ir, I64, I32, a32_reg(l, f->u));
        vfp_set_bits(l, 1, f->m, oryx_bfi(l->ir, I64, low, high, 32, 32));
    }
}

/* --- System registers: user level has FPSCR, and FPSID before VFPv3 -------------------------------------------------- */

/* v's bits [from, from + count) at `to`. */
static oryx_val moved(a32_lift *l, oryx_val into, oryx_val v, unsigned from, unsigned to, unsigned count)
{
    if (from)
        v = a32_bini(l, ORYX_OP_SHR, v, from);
    return oryx_bfi(l->ir, I32, into, v, to, count);
}

static oryx_val read_fpscr(a32_lift *l)
{
    oryx_val sticky = oryx_ir_emit(l->ir, ORYX_OP_FFLAGS, I32, 0, 0, 0, 0, 0);
    oryx_val packed = oryx_ir_emit(l->ir, ORYX_OP_FLPACK, I32, ORYX_T_FL, oryx_get(l->ir, ORYX_T_FL, A32_OFF(fpflags)), 0, 0, 0);
    oryx_val v = a32_imm(l, l->mode & A32_FPSCR_CONTROL);
    v = moved(l, v, sticky, 0, 0, 5);
    v = moved(l, v, sticky, 5, 7, 1);
    v = moved(l, v, sticky, 6, 27, 1);
    v = moved(l, v, packed, 6, 30, 2);
    v = moved(l, v, packed, 0, 29, 1);
    return moved(l, v, packed, 8, 28, 1);
}

/* Registers of privileged modes: FPSID, MVFR2, MVFR1, MVFR0, FPEXC. */
static int system_register(const a32_lift *l, unsigned r)
{
    return r == 0 || r == 8 || (r == 5 && l->features & A32_FEAT_V8FP) || ((r == 6 || r == 7) && l->features & A32_FEAT_V6);
}

ORYX_INSN(VMRS, "cccc11101111rrrrtttt101000010000",
          "{r == 1 && t == 15} vmrs%c()\tAPSR_nzcv, fpscr ;; vmrs%c()\t%r(t), %fpsys(r)", VFP)
{
    if (f->r == 1 && a32_system_bits(l) & A32_MODE_FPDIS)
        l->refused = 1;
    else if (f->r == 1 && f->t == 15)
        a32_set_flags(l, oryx_get(l->ir, ORYX_T_FL, A32_OFF(fpflags)));
    else if (f->r == 1)
        a32_set_reg(l, f->t, read_fpscr(l));
    else if (a32_privileged(l) && f->t != 15 && system_register(l, f->r))
        a32_set_reg(l, f->t, a32_call(l, A32_HELPER_mvfr, I32, a32_imm(l, f->r), 0));
    else if (f->r == 0 && !(l->features & A32_FEAT_VFP3) && !(a32_system_bits(l) & A32_MODE_SYSTEM))
        a32_set_reg(l, f->t, a32_imm(l, l->model->fpsid));
    else
        l->refused = 1;
}

/* The control bits are part of the mode key: what follows is lifted anew. */
ORYX_INSN(VMSR, "cccc11101110rrrrtttt101000010000", "vmsr%c()\t%fpsys(r), %r(t)", VFP)
{
    oryx_ir *ir = l->ir;
    if (f->t != 15 && a32_privileged(l) && system_register(l, f->r)) {
        if (f->r != 8)
            return; /* read-only: ignored */
        a32_call(l, A32_HELPER_write_fpexc, ORYX_T_VOID, a32_reg(l, f->t), 0);
        a32_resync(l);
        return;
    }
    if (f->r != 1 || f->t == 15 || a32_system_bits(l) & A32_MODE_FPDIS) {
        l->refused = 1;
        return;
    }
    oryx_val v = a32_reg(l, f->t), zero = a32_imm(l, 0);
    oryx_val packed = moved(l, moved(l, moved(l, zero, v, 30, 6, 2), v, 29, 0, 1), v, 28, 8, 1);
    oryx_val sticky = moved(l, moved(l, moved(l, zero, v, 0, 0, 5), v, 7, 5, 1), v, 27, 6, 1);
    oryx_put(ir, I32, A32_OFF(fpscr), a32_bini(l, ORYX_OP_AND, v, A32_FPSCR_CONTROL));
    oryx_put(ir, ORYX_T_FL, A32_OFF(fpflags), oryx_ir_emit(ir, ORYX_OP_FLUNPACK, ORYX_T_FL, I32, packed, 0, 0, 0));
    oryx_ir_emit(ir, ORYX_OP_FSETFLAGS, ORYX_T_VOID, ORYX_T_VOID, sticky, 0, 0, 0);
    if (l->next_mode != l->mode)
        oryx_put(ir, I32, A32_OFF(exec), a32_imm(l, l->next_mode & A32_MODE_EXEC));
    oryx_resync(ir, l->pc + l->len);
    l->end = 1;
}
