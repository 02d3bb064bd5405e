/* Disassembly directives of MIPS (arch-arm/a64.h tells the text language), rows, and the decoders' interface. */
#ifndef MIPS_TEXT_H
#define MIPS_TEXT_H

#include "mips.h"

typedef struct mips_text {
    char *at, *end;      /* one byte is kept for the NUL */
    uint64_t pc;
    int undefined;
    unsigned new_abi;    /* register names of N32 and N64 */
} mips_text;

typedef struct mips_row {
    const char *name;
    void (*extract)(uint32_t w, mips_fields *f);
    int (*allocated)(const mips_fields *f); /* NULL: always */
    void (*lift)(mips_lift *l, const mips_fields *f);
    int (*text)(mips_text *t, const mips_fields *f);
    uint64_t feature;
} mips_row;

/* The row of a word with its fields when a CPU of these features has it, else NULL. */
const mips_row *mips_decode(uint32_t word, uint64_t features, mips_fields *f);

void mips_t_str(mips_text *t, const char *s);
void mips_t_r(mips_text *t, unsigned n);          /* general register */
void mips_t_fr(mips_text *t, unsigned n);         /* $f12 */
void mips_t_fc(mips_text *t, unsigned n);         /* FP control register */
void mips_t_h(mips_text *t, unsigned n);          /* hardware register of RDHWR */
void mips_t_x(mips_text *t, uint32_t v);          /* 0x10 */
void mips_t_i(mips_text *t, int32_t v);           /* -4 */
void mips_t_u(mips_text *t, uint32_t v);          /* 4 */
void mips_t_s16(mips_text *t, uint32_t v);        /* sign-extended, decimal */
void mips_t_s9(mips_text *t, uint32_t v);
void mips_t_b(mips_text *t, uint32_t v);          /* branch target of a 16-bit offset; 21, 26 bits */
void mips_t_b21(mips_text *t, uint32_t v);
void mips_t_b26(mips_text *t, uint32_t v);
void mips_t_j(mips_text *t, uint32_t v);          /* jump target in the slot's region */
void mips_t_pcrel(mips_text *t, int32_t offset);  /* an address from pc; from pc & ~7 */
void mips_t_pcrel8(mips_text *t, int32_t offset);
/* MSA: $w3, a control register, df of a field; of bit fields and element fields that hold df and a number, df and the number. */
void mips_t_w(mips_text *t, unsigned n);
void mips_t_wc(mips_text *t, unsigned n);
void mips_t_df(mips_text *t, unsigned z);
void mips_t_dfm(mips_text *t, unsigned m);
void mips_t_xm(mips_text *t, unsigned m);
void mips_t_dfn(mips_text *t, unsigned n);
void mips_t_elm(mips_text *t, unsigned n);
void mips_t_pick(mips_text *t, unsigned i, const char *words); /* word number i; "_" is empty, "?" undefined */

#endif
