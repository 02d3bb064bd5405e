/* Octeon's base instructions: bit branches, bit fields, population counts, compares, and the three-part multiplier. From the
 * instructions' descriptions in the Octeon hardware reference (chapter cnMIPS cores).
 *
 * MPL0-2 and P0-2 are the accumulators that other models use as DSP's: mips_state.hi[1..3] and lo[1..3]. Not here: the
 * encryption units of coprocessor 2 and Octeon 2's additions. */
#include "mips.h"

#define MPL(n) (MIPS_OFF(hi) + 8u * ((n) + 1))
#define P(n) (MIPS_OFF(lo) + 8u * ((n) + 1))

static void branch_bit(mips_lift *l, const mips_fields *f, unsigned set)
{
    if (!mips_branch_ok(l))
        return;
    oryx_val bit = oryx_const(l->ir, I64, 1ull << (f->p + 32 * f->x));
    mips_branch(l, oryx_cmp(l->ir, set ? ORYX_CC_TST : ORYX_CC_TSTZ, I64, mips_r(l, f->s), bit), (int32_t)((uint32_t)mips_sx(f->i, 16) << 2));
}

/* x: bits 32 to 63. */
ORYX_INSN(BBIT0, "110x10ssssspppppiiiiiiiiiiiiiiii", "bbit0%?(x){32}\t%r(s),%x(p),%b(i)", OCTEON)
{
    branch_bit(l, f, 0);
}

ORYX_INSN(BBIT1, "111x10ssssspppppiiiiiiiiiiiiiiii", "bbit1%?(x){32}\t%r(s),%x(p),%b(i)", OCTEON)
{
    branch_bit(l, f, 1);
}

ORYX_INSN(BADDU, "011100ssssstttttddddd00000101000", "baddu\t%r(d),%r(s),%r(t)", OCTEON)
{
    oryx_val v = mips_bin32(l, ORYX_OP_ADD, mips_r32(l, f->s), mips_r32(l, f->t));
    mips_set32(l, f->d, mips_bin32(l, ORYX_OP_AND, v, mips_imm32(l, 0xff)));
}

ORYX_INSN(DMUL, "011100ssssstttttddddd00000000011", "dmul\t%r(d),%r(s),%r(t)", OCTEON)
{
    mips_set(l, f->d, mips_bin(l, ORYX_OP_MUL, mips_r(l, f->s), mips_r(l, f->t)));
}

ORYX_INSN(POP, "011100sssss00000ddddd00000101100", "pop\t%r(d),%r(s)", OCTEON)
{
    mips_set32(l, f->d, oryx_un(l->ir, ORYX_OP_POPCNT, I32, mips_r32(l, f->s)));
}

ORYX_INSN(DPOP, "011100sssss00000ddddd00000101101", "dpop\t%r(d),%r(s)", OCTEON)
{
    mips_set(l, f->d, oryx_un(l->ir, ORYX_OP_POPCNT, I64, mips_r(l, f->s)));
}

ORYX_INSN(SEQ, "011100ssssstttttddddd00000101010", "seq\t%r(d),%r(s),%r(t)", OCTEON)
{
    mips_set(l, f->d, mips_flag(l, oryx_cmp(l->ir, ORYX_CC_EQ, l->w, mips_r(l, f->s), mips_r(l, f->t))));
}

ORYX_INSN(SNE, "011100ssssstttttddddd00000101011", "sne\t%r(d),%r(s),%r(t)", OCTEON)
{
    mips_set(l, f->d, mips_flag(l, oryx_cmp(l->ir, ORYX_CC_NE, l->w, mips_r(l, f->s), mips_r(l, f->t))));
}

ORYX_INSN(SEQI, "011100ssssstttttiiiiiiiiii101110", "seqi\t%r(t),%r(s),%i(mips_sx(i, 10))", OCTEON)
{
    mips_set(l, f->t, mips_flag(l, oryx_cmp(l->ir, ORYX_CC_EQ, l->w, mips_r(l, f->s), mips_imm(l, mips_sx(f->i, 10)))));
}

ORYX_INSN(SNEI, "011100ssssstttttiiiiiiiiii101111", "snei\t%r(t),%r(s),%i(mips_sx(i, 10))", OCTEON)
{
    mips_set(l, f->t, mips_flag(l, oryx_cmp(l->ir, ORYX_CC_NE, l->w, mips_r(l, f->s), mips_imm(l, mips_sx(f->i, 10)))));
}

/* a: position, m: length minus one; x: position plus 32. What reaches above bit 63 is cut. */
ORYX_INSN(CINS, "011100ssssstttttmmmmmaaaaa11001x", "cins%?(x){32}\t%r(t),%r(s),%x(a),%x(m)", OCTEON)
{
    unsigned p = f->a + 32 * f->x;
    oryx_val v = oryx_bfx(l->ir, ORYX_OP_UBFX, I64, mips_r(l, f->s), 0, f->m + 1);
    mips_set(l, f->t, oryx_bin(l->ir, ORYX_OP_SHL, I64, v, oryx_const(l->ir, I64, p)));
}

ORYX_INSN(EXTS, "011100ssssstttttmmmmmaaaaa11101x", "exts%?(x){32}\t%r(t),%r(s),%x(a),%x(m)", OCTEON)
{
    unsigned p = f->a + 32 * f->x, n = f->m + 1;
    if (p + n > 64) /* bits above 63 repeat it */
        n = 64 - p;
    mips_set(l, f->t, oryx_bfx(l->ir, ORYX_OP_SBFX, I64, mips_r(l, f->s), p, n));
}

/* --- the multiplier: MPL0-2 times rs, plus P0-2 ------------------------------------------------------------------------------ */

static void load_mpl(mips_lift *l, const mips_fields *f, unsigned n)
{
    oryx_put(l->ir, I64, MPL(n), mips_r(l, f->s));
    for (unsigned i = 0; i < 3; i++)
        oryx_put(l->ir, I64, P(i), oryx_const(l->ir, I64, 0));
}

ORYX_INSN(MTM0, "011100sssss000000000000000001000", "mtm0\t%r(s)", OCTEON)
{
    load_mpl(l, f, 0);
}

ORYX_INSN(MTM1, "011100sssss000000000000000001100", "mtm1\t%r(s)", OCTEON)
{
    load_mpl(l, f, 1);
}

ORYX_INSN(MTM2, "011100sssss000000000000000001101", "mtm2\t%r(s)", OCTEON)
{
    load_mpl(l, f, 2);
}

ORYX_INSN(MTP0, "011100sssss000000000000000001001", "mtp0\t%r(s)", OCTEON)
{
    oryx_put(l->ir, I64, P(0), mips_r(l, f->s));
}

ORYX_INSN(MTP1, "011100sssss000000000000000001010", "mtp1\t%r(s)", OCTEON)
{
    oryx_put(l->ir, I64, P(1), mips_r(l, f->s));
}

ORYX_INSN(MTP2, "011100sssss000000000000000001011", "mtp2\t%r(s)", OCTEON)
{
    oryx_put(l->ir, I64, P(2), mips_r(l, f->s));
}

/* n words of MPL times rs, plus P, plus rt: the low word is the result, the others are the new P. */
static void multiply(mips_lift *l, const mips_fields *f, unsigned n)
{
    oryx_ir *ir = l->ir;
    oryx_val rs = mips_r(l, f->s), carry = mips_r(l, f->t), word[4];
    for (unsigned i = 0; i < n; i++) {
        oryx_val m = oryx_get(ir, I64, MPL(i)), p = i < 3 ? oryx_get(ir, I64, P(i)) : 0;
        oryx_val lo = oryx_bin(ir, ORYX_OP_MUL, I64, m, rs), hi = oryx_bin(ir, ORYX_OP_MULHU, I64, m, rs);
        oryx_val add[2] = { p, carry };
        for (unsigned k = 0; k < 2; k++) {
            lo = oryx_bin(ir, ORYX_OP_ADD, I64, lo, add[k]);
            hi = oryx_bin(ir, ORYX_OP_ADD, I64, hi, oryx_zext(ir, I64, I1, oryx_cmp(ir, ORYX_CC_LTU, I64, lo, add[k])));
        }
        word[i] = lo;
        carry = hi;
    }
    word[n] = carry;
    for (unsigned i = 0; i < n; i++)
        oryx_put(ir, I64, P(i), word[i + 1]);
    mips_set(l, f->d, word[0]);
}

ORYX_INSN(VMULU, "011100ssssstttttddddd00000001111", "vmulu\t%r(d),%r(s),%r(t)", OCTEON)
{
    multiply(l, f, 1);
}

/* The same with MPL0 loaded by the result. */
ORYX_INSN(VMM0, "011100ssssstttttddddd00000010000", "vmm0\t%r(d),%r(s),%r(t)", OCTEON)
{
    oryx_ir *ir = l->ir;
    oryx_val rt = mips_r(l, f->t), lo = oryx_bin(ir, ORYX_OP_MUL, I64, oryx_get(ir, I64, MPL(0)), mips_r(l, f->s));
    lo = oryx_bin(ir, ORYX_OP_ADD, I64, lo, oryx_bin(ir, ORYX_OP_ADD, I64, oryx_get(ir, I64, P(0)), rt));
    oryx_put(ir, I64, MPL(0), lo);
    for (unsigned i = 0; i < 3; i++)
        oryx_put(ir, I64, P(i), oryx_const(ir, I64, 0));
    mips_set(l, f->d, lo);
}

ORYX_INSN(V3MULU, "011100ssssstttttddddd00000010001", "v3mulu\t%r(d),%r(s),%r(t)", OCTEON)
{
    multiply(l, f, 3);
}

/* Atomic additions to memory. */
ORYX_INSN(SAA, "011100sssssttttt0000000000011000", "saa\t%r(t),(%r(s))", OCTEON)
{
    oryx_rmw(l->ir, ORYX_RMW_ADD, I32, mips_ea(l, f->s, 0), mips_r32(l, f->t), 2 | l->be | ORYX_MO_ALIGN(2));
}

ORYX_INSN(SAAD, "011100sssssttttt0000000000011001", "saad\t%r(t),(%r(s))", OCTEON)
{
    oryx_rmw(l->ir, ORYX_RMW_ADD, I64, mips_ea(l, f->s, 0), mips_r(l, f->t), 3 | l->be | ORYX_MO_ALIGN(3));
}
