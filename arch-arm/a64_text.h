/* Disassembly directives: %name(args) of a row's text becomes a64_t_name(t, args). Registers by 5-bit number; z is log2 of
 * the element's bytes (0 b, 1 h, 2 s, 3 d, 4 q), q the full-width bit. Also the decoder's own interface. */
#ifndef A64_TEXT_H
#define A64_TEXT_H

#include "a64.h"

typedef struct a64_text {
    char *at, *end;   /* one byte is kept for the NUL */
    uint64_t pc;
    int undefined;    /* set: objdump prints the word as undefined */
} a64_text;

typedef struct a64_row {
    const char *name;
    void (*extract)(uint32_t w, a64_fields *f);
    int (*allocated)(const a64_fields *f); /* NULL: always */
    void (*lift)(a64_lift *l, const a64_fields *f);
    int (*text)(a64_text *t, const a64_fields *f);
    uint32_t feature;
} a64_row;

/* The row of a word with its fields, or NULL when the word is unallocated. Features are the caller's to check. */
const a64_row *a64_decode(uint32_t word, a64_fields *f);
uint32_t a64_row_count(void);

/* Functions for expressions. */
static inline int64_t a64_sx(uint64_t v, unsigned bits)
{
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}
/* DecodeBitMasks (DDI 0487, shared/functions/common): the immediate of the logical instructions, or 0 when reserved
 * (0 is not encodable). size: 32 or 64. */
uint64_t a64_bitmask(unsigned n, unsigned imms, unsigned immr, unsigned size);
/* True when MOVZ or MOVN can load the value, so that the bitmask form is not printed as MOV. As objdump decides: the
 * manual's MoveWidePreferred leaves out some MOVN values. */
int a64_move_wide_preferred(unsigned s, unsigned n, unsigned imms, unsigned immr);

/* SIMD fields. immh:immb of a shift by immediate: log2 of the element's bytes. Element operands: register, index. */
static inline unsigned a64_immh(unsigned i)
{
    return 28u - (unsigned)__builtin_clz(i | 8u);
}
static inline unsigned a64_el_reg(unsigned z, unsigned m)
{
    return z == 1 ? m & 15u : m;
}
static inline unsigned a64_el_index(unsigned z, unsigned h, unsigned l, unsigned m)
{
    return z == 1 ? h << 2 | l << 1 | m >> 4 : z == 2 ? h << 1 | l : h;
}

/* AdvSIMDExpandImm of a 64-bit MOVI: each bit of imm8 becomes a byte. */
static inline uint64_t a64_byte_mask(uint32_t imm8)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= imm8 >> i & 1 ? UINT64_C(0xff) << 8 * i : 0;
    return v;
}

/* Text and numbers. */
void a64_t_str(a64_text *t, const char *s);
void a64_t_u(a64_text *t, uint64_t v);   /* decimal */
void a64_t_i(a64_text *t, int64_t v);    /* signed decimal */
void a64_t_hex(a64_text *t, uint64_t v); /* 0x1f */
void a64_t_imm(a64_text *t, int64_t v);  /* ", #-8", or nothing when 0: an address offset */
void a64_t_fimm(a64_text *t, uint32_t imm8); /* VFPExpandImm as objdump prints it: 1.000000000000000000e+00 */
void a64_t_label(a64_text *t, int64_t offset); /* absolute address pc + offset, 0x400100 */
void a64_t_page(a64_text *t, int64_t offset);  /* (pc & ~0xfff) + offset */
void a64_t_cond(a64_text *t, unsigned c);      /* eq ne cs cc ... al nv; c ^ 1 is the inverse */
void a64_t_pick(a64_text *t, unsigned i, const char *words); /* word number i of a space separated list; beyond: undefined */

/* General registers; s: 0 W, 1 X. The sp forms name register 31 wsp, sp; the others wzr, xzr. */
void a64_t_r(a64_text *t, unsigned s, unsigned n);
void a64_t_rsp(a64_text *t, unsigned s, unsigned n);
void a64_t_w(a64_text *t, unsigned n);
void a64_t_x(a64_text *t, unsigned n);
void a64_t_wsp(a64_text *t, unsigned n);
void a64_t_xsp(a64_text *t, unsigned n);

/* Scalar FP and SIMD registers. */
void a64_t_fp(a64_text *t, unsigned z, unsigned n);    /* b3 h3 s3 d3 q3 by z */
void a64_t_ft(a64_text *t, unsigned type, unsigned n); /* by the ftype field: 0 s, 1 d, 3 h; 2 undefined */
/* Vectors. */
void a64_t_v(a64_text *t, unsigned z, unsigned q, unsigned n);  /* v3.16b, v3.4s, v3.1d; z = 4: v3.1q */
void a64_t_arr(a64_text *t, unsigned z, unsigned q);            /* 16b */
void a64_t_vx(a64_text *t, unsigned z, unsigned n, unsigned index); /* v3.s[1] */
void a64_t_list(a64_text *t, unsigned count, unsigned z, unsigned q, unsigned n); /* {v0.4s-v2.4s}, {v31.4s, v0.4s} */
void a64_t_listx(a64_text *t, unsigned count, unsigned z, unsigned n, unsigned index); /* {v0.s, v1.s}[1] */

/* Operand forms. */
void a64_t_bh(a64_text *t, unsigned z); /* mnemonic suffix by log2 of the size: b, h, nothing, nothing */
void a64_t_shift(a64_text *t, unsigned type, unsigned amount);  /* ", lsl #3"; nothing for lsl #0 */
/* Extended register operand of ADD and SUB (m, option, amount) with sp among its operands or not. */
void a64_t_extend(a64_text *t, unsigned s, unsigned m, unsigned option, unsigned amount, unsigned sp);
/* Register offset of a load or store: ", x1, lsl #3"; z: log2 of the access, h: the S bit. */
void a64_t_offset(a64_text *t, unsigned m, unsigned option, unsigned h, unsigned z);
void a64_t_prfop(a64_text *t, unsigned op);
void a64_t_barrier(a64_text *t, unsigned crm);
void a64_t_sysreg(a64_text *t, unsigned id, unsigned write); /* id: op0:op1:CRn:CRm:op2, 16 bits */

#endif
