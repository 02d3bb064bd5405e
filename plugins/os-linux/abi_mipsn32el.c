/* The MIPS N32 ABI of Linux, little-endian: abi_mips64.c with another byte order or word size. Called through lx_abi_mipsn32el only.
 * Invariant: nothing differs from abi_mips64.c but what ABI_BIG and ABI_N64 say. */
#define ABI_BIG 0
#define ABI_N64 0
#include "abi_mips64.c"
