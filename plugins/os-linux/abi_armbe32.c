/* The Arm EABI of Linux with big-endian data and code (BE-32, CPUs before Armv6): abi_arm.c again. Called through lx_abi_armbe32 only.
 * Invariant: nothing differs from abi_arm.c but what ABI_BIG says. */
#define ABI_BIG 2
#include "abi_arm.c"
