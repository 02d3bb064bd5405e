/* The decoders over the generated tables: Release 6 asks r6_*.c first.
 *
 * Owns the generated decode tables; called by mips.c (lift, disasm). A word has at most one row: the most specific whose
 * fixed bits match, whose allocation expression holds, and whose feature the CPU has. */
#include "mips_text.h"

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

#include "mips_decode.inc"
#include "r6_decode.inc"

#define DECODE(tables, ROOT)                                                                                     \
    int e = ROOT;                                                                                                \
    while (e >= 0)                                                                                               \
        e = tables##_entries[tables##_nodes[e].first + (word >> tables##_nodes[e].shift & tables##_nodes[e].mask)]; \
    for (const decode_leaf *leaf = &tables##_leaves[~e];; leaf++) {                                              \
        if ((word & leaf->mask) != leaf->value)                                                                  \
            continue;                                                                                            \
        if (leaf->row < 0)                                                                                       \
            return NULL;                                                                                         \
        const mips_row *row = &tables##_rows[leaf->row];                                                         \
        if (!(row->feature & features))                                                                          \
            continue;                                                                                            \
        *f = (mips_fields){ 0 };                                                                                 \
        row->extract(word, f);                                                                                   \
        if (!row->allocated || row->allocated(f))                                                                \
            return row;                                                                                          \
    }

static const mips_row *decode_r6(uint32_t word, uint64_t features, mips_fields *f)
{
    DECODE(r6, R6_ROOT)
}

static const mips_row *decode(uint32_t word, uint64_t features, mips_fields *f)
{
    DECODE(mips, MIPS_ROOT)
}

const mips_row *mips_decode(uint32_t word, uint64_t features, mips_fields *f)
{
    const mips_row *row = features & MIPS_FEAT_R6 ? decode_r6(word, features, f) : NULL;
    return row ? row : decode(word, features, f);
}
