/* What x86_diff's files share: a case's state and instruction, and their comparison. */
#ifndef X86_DIFF_H
#define X86_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include <Zydis/Zydis.h>

#include "oryx.h"

#define CODE      0x400000000ull
#define DATA      0x440000000ull
#define DATA_SIZE 0x4000u
#define EFLAGS_TF 0x100u
#define EFLAGS_RF 0x10000u
#define COMPARED  0x240cd5u /* C P A Z S D O, AC, ID */

typedef struct state {
    uint64_t r[16];
    oryx_v128 x[16];
    oryx_v128 st[8]; /* of 80 bits, st0 first */
    uint64_t fip, fdp;
    uint16_t cw, sw, tag, fop; /* tag: bit n, physical register n is not empty */
    uint64_t rip, eflags;
    uint32_t mxcsr;
    int signal; /* 0: the step was done */
    uint64_t addr;
} state;

typedef struct insn {
    uint8_t bytes[16];
    ZydisDecodedInstruction d;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
} insn;

bool in_x87(const ZydisDecodedInstruction *d);

/* x86_diff_compare.c. data: the guest's copy of the bytes at DATA. */
bool undefined_result(const insn *i, const state *s);
bool same(const insn *i, const state *h, const state *g, const uint8_t *data);
bool forgive(const insn *i, const state *h, state *g, uint8_t *data);
void show(const insn *i, const state *before, const state *h, const state *g, const uint8_t *data);

#endif
