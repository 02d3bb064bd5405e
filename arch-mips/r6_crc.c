/* CRC32 and CRC32C of Release 6: MD00087, CRC32B and its kin. Reflected, without inversions. */
#include "mips.h"

/* The polynomials IEEE 802.3 and Castagnoli, reflected, a bit at a time in 64 bits. */
static void crc(mips_lift *l, const mips_fields *f, unsigned bits)
{
    oryx_val v[3] = { mips_r32(l, f->t), oryx_zext(l->ir, I64, l->w, mips_r(l, f->s)), mips_imm32(l, bits | f->c << 8) };
    mips_set32(l, f->t, oryx_call(l->ir, l->helper_base + MIPS_HELPER_CRC, I32, v, 3));
}

/* c: Castagnoli. */
ORYX_INSN(CRC32B, "011111sssssttttt0000000c00001111", "crc32%?(c){c}b\t%r(t),%r(s),%r(t)", CRC)
{
    crc(l, f, 8);
}

ORYX_INSN(CRC32H, "011111sssssttttt0000000c01001111", "crc32%?(c){c}h\t%r(t),%r(s),%r(t)", CRC)
{
    crc(l, f, 16);
}

ORYX_INSN(CRC32W, "011111sssssttttt0000000c10001111", "crc32%?(c){c}w\t%r(t),%r(s),%r(t)", CRC)
{
    crc(l, f, 32);
}

ORYX_INSN(CRC32D, "011111sssssttttt0000000c11001111", "crc32%?(c){c}d\t%r(t),%r(s),%r(t)", CRC_64)
{
    crc(l, f, 64);
}
