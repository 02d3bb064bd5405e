/* The Arm EABI of Linux with big-endian data and little-endian code (BE8): abi_arm.c again. Called through lx_abi_armeb only.
 * Invariant: nothing differs from abi_arm.c but what ABI_BIG says. */
#define ABI_BIG 1
#include "abi_arm.c"
