/* The registers of the three-layer demonstration: a page of POSIX shared memory that a process of its own serves.
 *
 *   0x00 ID       "ORYX" as a little-endian word
 *   0x04 BEATS    counts up for as long as the server runs
 *   0x08 COMMAND  written by the guest: the server answers and sets it to 0
 *   0x0c RESULT   the answer: COMMAND squared
 *   0x10 REVISION the server says 1; the quirk layer shows the guest 2 (a register with a known fault, fixed up)
 *   0x20..0x3f    scratch, bytes as written */
#ifndef REGISTERS_H
#define REGISTERS_H

enum { ID = 0x00, BEATS = 0x04, COMMAND = 0x08, RESULT = 0x0c, REVISION = 0x10, SCRATCH = 0x20, REG_SIZE = 0x1000 };
#define ID_VALUE 0x5859524fu

#endif
