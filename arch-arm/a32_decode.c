/* The A32 and T32 decoders over the generated tables.
 *
 * Owns the generated decode tables; called by a32.c (lift, disasm). A word has at most one row: the most specific whose
 * fixed bits match and whose allocation expression holds. */
#include "a32_text.h"

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

const a32_row *a32_decode(uint32_t word, a32_fields *f)
{
    return word >> 28 == 15 ? unconditional(word, f) : conditional(word, f);
}

const a32_row *t32_decode(uint32_t word, a32_fields *f)
{
    DECODE(word, f, t32, T32_ROOT)
}
