/* The MIPS N64 ABI of Linux, little-endian: abi_mips64.c with another byte order or word size. Called through lx_abi_mips64el only.
 * Invariant: nothing differs from abi_mips64.c but what ABI_BIG and ABI_N64 say. */
#define ABI_BIG 0
#define ABI_N64 1
#include "abi_mips64.c"
