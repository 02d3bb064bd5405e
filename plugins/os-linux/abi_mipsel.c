/* The MIPS O32 ABI of Linux, little-endian: abi_mips.c with the other byte order. Called through lx_abi_mipsel only.
 * Invariant: nothing differs from abi_mips.c but ABI_BIG. */
#define ABI_BIG 0
#include "abi_mips.c"
