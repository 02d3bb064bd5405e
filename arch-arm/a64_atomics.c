/* Exclusives, acquire and release, and the Armv8.1 atomics: DDI 0487, C4.1.88 (semantics C6.2).
 *
 * Called through the decode tables only. Every access here is naturally aligned or raises FAULT_ALIGN
 * (Armv8.0 rule; with FEAT_LSE2 the hardware may allow more). Fields that should be ones and are not
 * are CONSTRAINED UNPREDICTABLE and ignored, as are s == t and s == n of store-exclusives (the status is
 * written last). LDX is the monitor's only setter, STX its reader. */
#include "a64_text.h"

#define ORDER(acquire, release) (((acquire) ? ORYX_MO_ACQUIRE : 0) | ((release) ? ORYX_MO_RELEASE : 0))

/* z: log2 of the bytes. */
static uint32_t aligned(unsigned z, uint32_t order)
{
    return z | ORYX_MO_ALIGN(z) | ORYX_MO_ATOMIC | order;
}

static unsigned gpr(unsigned z)
{
    return z == 3 ? ORYX_T_I64 : ORYX_T_I32;
}

/* --- Load and store exclusive register ------------------------------------------------------------------ */

/* o: release. */
ORYX_INSN(STXR, "zz001000000ssssso-----nnnnnttttt",
          "st%?(o){l}xr%bh(z)\t%w(s), %r(z == 3, t), [%xsp(n)]", BASE)
{
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n);
    a64_set_reg(l, ORYX_T_I32, f->s,
                oryx_stx(l->ir, gpr(f->z), addr, a64_reg(l, gpr(f->z), f->t), aligned(f->z, ORDER(0, f->o))));
}

/* o: acquire. */
ORYX_INSN(LDXR, "zz001000010-----o-----nnnnnttttt",
          "ld%?(o){a}xr%bh(z)\t%r(z == 3, t), [%xsp(n)]", BASE)
{
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n);
    a64_set_reg(l, ORYX_T_I64, f->t, oryx_ldx(l->ir, ORYX_T_I64, addr, aligned(f->z, ORDER(f->o, 0))));
}

/* Of a pair in one access the first register is at the lower address: the number's high half when data is big-endian. */
static void order(const a64_lift *l, oryx_val *low, oryx_val *high)
{
    if (l->mode & A64_MODE_BE) {
        oryx_val v = *low;
        *low = *high;
        *high = v;
    }
}

/* --- Load and store exclusive pair: one access of twice the size ------------------------------------------ */

ORYX_INSN(STXP, "1z001000001ssssso" "uuuuunnnnnttttt",
          "st%?(o){l}xp\t%w(s), %r(z,t), %r(z,u), [%xsp(n)]", BASE)
{
    oryx_ir *ir = l->ir;
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n), v, low, high;
    unsigned type = f->z ? ORYX_T_V128 : ORYX_T_I64;
    low = a64_reg(l, ORYX_T_I64, f->t);
    high = a64_reg(l, ORYX_T_I64, f->u);
    order(l, &low, &high);
    if (f->z) {
        low = oryx_bitcast(ir, ORYX_T_V64, ORYX_T_I64, low);
        high = oryx_bitcast(ir, ORYX_T_V64, ORYX_T_I64, high);
        v = oryx_vbin(ir, ORYX_OP_VCAT, ORYX_T_V128, ORYX_T_V64, low, high, 0);
    } else {
        v = oryx_bfi(ir, ORYX_T_I64, low, high, 32, 32);
    }
    a64_set_reg(l, ORYX_T_I32, f->s, oryx_stx(ir, type, addr, v, aligned(f->z ? 4 : 3, ORDER(0, f->o))));
}

ORYX_INSN(LDXP, "1z001000011-----ouuuuunnnnnttttt",
          "ld%?(o){a}xp\t%r(z,t), %r(z,u), [%xsp(n)]", BASE)
{
    oryx_ir *ir = l->ir;
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n), low, high;
    if (f->z) {
        oryx_val v = oryx_ldx(ir, ORYX_T_V128, addr, aligned(4, ORDER(f->o, 0)));
        low = oryx_vun(ir, ORYX_OP_VGET, ORYX_T_V128, ORYX_T_I64, v, 0);
        high = oryx_vun(ir, ORYX_OP_VGET, ORYX_T_V128, ORYX_T_I64, v, 1);
    } else {
        oryx_val v = oryx_ldx(ir, ORYX_T_I64, addr, aligned(3, ORDER(f->o, 0)));
        low = oryx_bfx(ir, ORYX_OP_UBFX, ORYX_T_I64, v, 0, 32);
        high = oryx_bfx(ir, ORYX_OP_UBFX, ORYX_T_I64, v, 32, 32);
    }
    order(l, &low, &high);
    /* t == u is CONSTRAINED UNPREDICTABLE: the second value is kept for X, the first for W, as qemu-aarch64 does. */
    a64_set_reg(l, ORYX_T_I64, f->z ? f->t : f->u, f->z ? low : high);
    a64_set_reg(l, ORYX_T_I64, f->z ? f->u : f->t, f->z ? high : low);
}

/* --- Load-acquire, store-release ------------------------------------------------------------------------------ */

ORYX_INSN(STLR, "zz001000100-----1-----nnnnnttttt", "stlr%bh(z)\t%r(z == 3, t), [%xsp(n)]", BASE)
{
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n);
    oryx_store(l->ir, gpr(f->z), addr, a64_reg(l, gpr(f->z), f->t), aligned(f->z, ORYX_MO_RELEASE));
}

static void load_acquire(a64_lift *l, const a64_fields *f)
{
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n);
    a64_set_reg(l, ORYX_T_I64, f->t, oryx_load(l->ir, ORYX_T_I64, addr, aligned(f->z, ORYX_MO_ACQUIRE)));
}

ORYX_INSN(LDAR, "zz001000110-----1-----nnnnnttttt", "ldar%bh(z)\t%r(z == 3, t), [%xsp(n)]", BASE)
{
    load_acquire(l, f);
}

/* FEAT_LRCPC: weaker than LDAR; acquire serves it. */
ORYX_INSN(LDAPR, "zz111000101-----110000nnnnnttttt", "ldapr%bh(z)\t%r(z == 3, t), [%xsp(n)]", LRCPC)
{
    load_acquire(l, f);
}

/* --- Compare and swap (FEAT_LSE) -------------------------------------------------------------------------------- */

/* a: acquire, r: release. */
ORYX_INSN(CAS, "zz0010001a1sssssr11111nnnnnttttt",
          "cas%?(a){a}%?(r){l}%bh(z)\t%r(z == 3, s), %r(z == 3, t), [%xsp(n)]", LSE)
{
    unsigned type = gpr(f->z);
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n);
    oryx_val old = oryx_cas(l->ir, type, addr, a64_reg(l, type, f->s), a64_reg(l, type, f->t),
                            aligned(f->z, ORDER(f->a, f->r)));
    a64_set_reg(l, type, f->s, old);
}

/* Registers n, n + 1 (n even) as one value: the first is the low half in memory. */
static oryx_val pair(a64_lift *l, unsigned z, unsigned n)
{
    oryx_val low = a64_reg(l, ORYX_T_I64, n), high = a64_reg(l, ORYX_T_I64, n + 1);
    order(l, &low, &high);
    if (!z)
        return oryx_bfi(l->ir, ORYX_T_I64, low, high, 32, 32);
    low = oryx_bitcast(l->ir, ORYX_T_V64, ORYX_T_I64, low);
    high = oryx_bitcast(l->ir, ORYX_T_V64, ORYX_T_I64, high);
    return oryx_vbin(l->ir, ORYX_OP_VCAT, ORYX_T_V128, ORYX_T_V64, low, high, 0);
}

ORYX_INSN(CASP, "0z0010000a1sssssr11111nnnnnttttt",
          "[!(s & 1) && !(t & 1)] casp%?(a){a}%?(r){l}\t%r(z,s), %r(z, s + 1), %r(z,t), %r(z, t + 1), [%xsp(n)]", LSE)
{
    oryx_ir *ir = l->ir;
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n), low, high;
    oryx_val old = oryx_cas(ir, f->z ? ORYX_T_V128 : ORYX_T_I64, addr, pair(l, f->z, f->s), pair(l, f->z, f->t),
                            aligned(f->z ? 4 : 3, ORDER(f->a, f->r)));
    if (f->z) {
        low = oryx_vun(ir, ORYX_OP_VGET, ORYX_T_V128, ORYX_T_I64, old, 0);
        high = oryx_vun(ir, ORYX_OP_VGET, ORYX_T_V128, ORYX_T_I64, old, 1);
    } else {
        low = oryx_bfx(ir, ORYX_OP_UBFX, ORYX_T_I64, old, 0, 32);
        high = oryx_bfx(ir, ORYX_OP_UBFX, ORYX_T_I64, old, 32, 32);
    }
    order(l, &low, &high);
    a64_set_reg(l, ORYX_T_I64, f->s, low);
    a64_set_reg(l, ORYX_T_I64, f->s + 1, high);
}

/* --- Atomic memory operations (FEAT_LSE) ---------------------------------------------------------------------------- */

static void atomic(a64_lift *l, const a64_fields *f, unsigned kind)
{
    unsigned type = gpr(f->z);
    oryx_val addr = a64_reg_sp(l, ORYX_T_I64, f->n);
    oryx_val old = oryx_rmw(l->ir, kind, type, addr, a64_reg(l, type, f->s), aligned(f->z, ORDER(f->a, f->r)));
    a64_set_reg(l, type, f->t, old);
}

/* o: ADD CLR EOR SET SMAX SMIN UMAX UMIN. With t == 31 and no acquire it is the ST form. */
ORYX_INSN(LDop, "zz111000ar1sssss0ooo00nnnnnttttt",
          "{t == 31 && !a} st%pick(o, \"add clr eor set smax smin umax umin\")%?(r){l}%bh(z)\t%r(z == 3, s), [%xsp(n)] ;; "
          "ld%pick(o, \"add clr eor set smax smin umax umin\")%?(a){a}%?(r){l}%bh(z)\t"
          "%r(z == 3, s), %r(z == 3, t), [%xsp(n)]", LSE)
{
    static const uint8_t kinds[8] = { ORYX_RMW_ADD, ORYX_RMW_ANDN, ORYX_RMW_XOR, ORYX_RMW_OR,
                                      ORYX_RMW_MAXS, ORYX_RMW_MINS, ORYX_RMW_MAXU, ORYX_RMW_MINU };
    atomic(l, f, kinds[f->o]);
}

ORYX_INSN(SWP, "zz111000ar1sssss100000nnnnnttttt",
          "swp%?(a){a}%?(r){l}%bh(z)\t%r(z == 3, s), %r(z == 3, t), [%xsp(n)]", LSE)
{
    atomic(l, f, ORYX_RMW_SWAP);
}
