/* Disassembly directives of A32 and T32 (a64.h tells the text language), and the decoders' interface. */
#ifndef A32_TEXT_H
#define A32_TEXT_H

#include "a32.h"

typedef struct a32_text {
    char *at, *end;   /* one byte is kept for the NUL */
    uint64_t pc;
    int undefined;
    unsigned cond;    /* 14: always */
    unsigned thumb, in_it;
} a32_text;

typedef struct a32_row {
    const char *name;
    void (*extract)(uint32_t w, a32_fields *f);
    int (*allocated)(const a32_fields *f); /* NULL: always */
    void (*lift)(a32_lift *l, const a32_fields *f);
    int (*text)(a32_text *t, const a32_fields *f);
    uint32_t feature;
} a32_row;

/* The row of a word with its fields, or NULL. A32: any word. T32: the first halfword is the upper half. */
const a32_row *a32_decode(uint32_t word, a32_fields *f);
const a32_row *t32_decode(uint32_t word, a32_fields *f);
const a32_row *m32_decode(uint32_t word, a32_fields *f); /* class "armm": rows of its own, else t32_decode */
int a32_row_is_fp(const a32_row *row); /* floating point or AdvSIMD */

/* ARMExpandImm: an 8-bit value rotated right by twice the upper 4 bits. */
static inline uint32_t a32_expand_imm(uint32_t i)
{
    unsigned by = (i >> 8 & 15) * 2;
    return by ? (i & 255) >> by | (i & 255) << (32 - by) : i & 255;
}
uint32_t t32_expand_imm(uint32_t i); /* ThumbExpandImm */

void a32_lift_row(a32_lift *l, const a32_row *row, const a32_fields *f, unsigned cond); /* a32.c; row NULL: UNDEFINED */

void a32_t_str(a32_text *t, const char *s);
void a32_t_u(a32_text *t, uint32_t v);
void a32_t_i(a32_text *t, int32_t v);
void a32_t_hex4(a32_text *t, uint32_t v);    /* four digits at least */
void a32_t_hex8(a32_text *t, uint32_t v);    /* eight */
void a32_t_pick(a32_text *t, unsigned i, const char *words); /* word number i; "_" is empty, "?" undefined */
void a32_t_c(a32_text *t);                   /* the condition, nothing when always */
void a32_t_cond(a32_text *t, unsigned c);    /* a condition by number; 14: nothing */
void a32_t_s16(a32_text *t);
void a32_t_r(a32_text *t, unsigned n);
void a32_t_label(a32_text *t, int32_t offset); /* of the pc that instructions read */
void a32_t_label4(a32_text *t, int32_t offset); /* of Align(PC, 4) */
void a32_t_list(a32_text *t, unsigned list); /* {r0, r1, pc} */
void a32_t_shift(a32_text *t, unsigned type, unsigned imm5); /* ", lsl #3", ", rrx" or nothing */
void a32_t_expand(a32_text *t, unsigned i);  /* "#255", or "#255, 8" when not the canonical rotation */
void a32_t_mem(a32_text *t, unsigned n, unsigned p, unsigned u, unsigned w, unsigned imm);
void a32_t_memr(a32_text *t, unsigned n, unsigned p, unsigned u, unsigned w, unsigned m, unsigned type, unsigned imm5);
void a32_t_barrier(a32_text *t, unsigned o, unsigned option); /* o: 0 DSB, 1 DMB, 2 ISB */
void a32_t_psr(a32_text *t, unsigned mask);
void a32_t_sysm(a32_text *t, unsigned n);     /* an M-profile special register by number */
int a32_banked_ok(unsigned r, unsigned m);   /* SYSm of a banked register (r: SPSR) that there is */
void a32_t_banked(a32_text *t, unsigned r, unsigned m);
void a32_t_it(a32_text *t, unsigned c, unsigned mask);

#endif
