/* The table from Zydis's mnemonics to the bodies of x86_*.c, made from their rows by
 * cmake/gen_x86.py. */
#include "x86.h"

#include "x86_rows.inc"
