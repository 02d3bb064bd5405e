/* The toy architecture of the core's tests: sixteen 64-bit registers, two- and four-byte instructions.
 *
 * Two bytes: op, rd << 4 | rs. Four bytes (op >= 0x80): op, rd << 4 | rs, imm16 little-endian. */
#ifndef TOY_H
#define TOY_H

#include <stdint.h>

enum {
    TOY_NOP = 0x00,
    TOY_ADD,    /* rd += rs */
    TOY_MOV,    /* rd = rs */
    TOY_LOAD,   /* rd = [rs] */
    TOY_STORE,  /* [rs] = rd */
    TOY_JR,     /* pc = rs */
    TOY_SYS,    /* system call, syndrome rs field */
    TOY_HALT,
    TOY_STORE8, /* [rs] = low byte of rd */
    TOY_SUB,    /* rd -= rs */
    TOY_HELP,   /* rd = helper toy_mul3(rd) + rs */
    TOY_FLIP,   /* mode ^= 1, resync */
    TOY_BRK,
    TOY_MAX,    /* rd = max(rd, rs), by a branch inside the instruction */
    TOY_MODE,   /* rd = the mode the instruction was translated for */
    TOY_PAIR,   /* [rs] = rd; [rs + 4096] = rd: the second may fault */
    TOY_MOVI = 0x80, /* rd = imm */
    TOY_ADDI,   /* rd += signed imm */
    TOY_B,      /* pc += 2 * signed imm */
    TOY_BNZ,    /* if rd: the same */
};

#define TOY_PC 128
#define TOY_MODE_AT 136
#define TOY_STATE 144

#define T2(op, rd, rs) (uint8_t)(op), (uint8_t)((rd) << 4 | (rs))
#define T4(op, rd, rs, imm) (uint8_t)(op), (uint8_t)((rd) << 4 | (rs)), (uint8_t)((imm) & 255), (uint8_t)(((imm) >> 8) & 255)

#endif
