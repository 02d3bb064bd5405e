/* The A32 and T32 decoders over the generated tables.
 *
 * Owns the generated decode tables; called by a32.c and armm*.c (lift, disasm). A word has at most one row: the most specific whose
 * fixed bits match and whose allocation expression holds. */
#include "vfp.h"

typedef struct decode_node {
    uint8_t shift;
    uint16_t mask;
    uint16_t first; /* in the entries */
} decode_node;

/* Leaves: rows to try in order, most specific first, up to one with mask 0. */
typedef struct decode_leaf {
    uint32_t mask, value;
    int16_t row; /* -1: no row */
} decode_leaf;

#include "a32_decode.inc"
#include "a32u_decode.inc"
#include "t32_decode.inc"
#include "m32_decode.inc"
#include "vfpc_decode.inc"
#include "vfpu_decode.inc"

#define DECODE(word, f, tables, ROOT)                                                                     \
    int e = ROOT;                                                                                         \
    while (e >= 0)                                                                                        \
        e = tables##_entries[tables##_nodes[e].first + (word >> tables##_nodes[e].shift & tables##_nodes[e].mask)]; \
    for (const decode_leaf *leaf = &tables##_leaves[~e];; leaf++) {                                       \
        if ((word & leaf->mask) != leaf->value)                                                           \
            continue;                                                                                     \
        if (leaf->row < 0)                                                                                \
            return NULL;                                                                                  \
        const a32_row *row = &tables##_rows[leaf->row];                                                   \
        *f = (a32_fields){ 0 };                                                                           \
        row->extract(word, f);                                                                            \
        if (!row->allocated || row->allocated(f))                                                         \
            return row;                                                                                   \
    }

static const a32_row *unconditional(uint32_t word, a32_fields *f)
{
    DECODE(word, f, a32u, A32U_ROOT)
}

static const a32_row *conditional(uint32_t word, a32_fields *f)
{
    DECODE(word, f, a32, A32_ROOT)
}

/* Floating point and AdvSIMD: rows of both instruction sets, in A32 encoding. */
static const a32_row *vfp_conditional(uint32_t word, a32_fields *f)
{
    DECODE(word, f, vfpc, VFPC_ROOT)
}

static const a32_row *vfp_unconditional(uint32_t word, a32_fields *f)
{
    DECODE(word, f, vfpu, VFPU_ROOT)
}

const a32_row *a32_decode(uint32_t word, a32_fields *f)
{
    const a32_row *row = word >> 28 == 15 ? unconditional(word, f) : conditional(word, f);
    return row ? row : word >> 28 == 15 ? vfp_unconditional(word, f) : vfp_conditional(word, f);
}

static const a32_row *t32_base(uint32_t word, a32_fields *f)
{
    DECODE(word, f, t32, T32_ROOT)
}

const a32_row *t32_decode(uint32_t word, a32_fields *f)
{
    const a32_row *row = t32_base(word, f);
    if (row || word >> 29 != 7)
        return row;
    if ((word >> 24 & 0xef) == 0xef) /* 111U 1111: AdvSIMD data processing */
        return vfp_unconditional((word & 0xe0ffffff) | 0x12000000 | (word >> 28 & 1) << 24, f);
    if (word >> 24 == 0xf9) /* AdvSIMD element and structure loads and stores */
        return vfp_unconditional((word & 0x00ffffff) | 0xf4000000, f);
    if ((word >> 26 & 3) != 3) /* 111x 11xx: the coprocessor space */
        return NULL;
    return word >> 28 == 15 ? vfp_unconditional(word, f) : vfp_conditional(word, f);
}

static const a32_row *m32_own(uint32_t word, a32_fields *f)
{
    DECODE(word, f, m32, M32_ROOT)
}

const a32_row *m32_decode(uint32_t word, a32_fields *f)
{
    const a32_row *row = m32_own(word, f);
    return row ? row : t32_decode(word, f);
}

int a32_row_is_fp(const a32_row *row)
{
    return (row >= vfpc_rows && row < vfpc_rows + sizeof vfpc_rows / sizeof vfpc_rows[0]) ||
           (row >= vfpu_rows && row < vfpu_rows + sizeof vfpu_rows / sizeof vfpu_rows[0]);
}
