/* The A64 decoder and disassembler over the generated tables.
 *
 * Owns the generated decode tables; called by a64.c (lift, disasm). A word has at most one row: the
 * most specific whose fixed bits match and whose allocation expression holds. */
#include "a64_text.h"

typedef struct decode_node {
    uint8_t shift;
    uint16_t mask;
    uint16_t first; /* in a64_entries */
} decode_node;

/* Leaves: rows to try in order, most specific first, up to one with mask 0. */
typedef struct decode_leaf {
    uint32_t mask, value;
    int16_t row; /* -1: no row */
} decode_leaf;

#include "a64_decode.inc"

uint32_t a64_row_count(void)
{
    return A64_ROW_COUNT;
}

uint32_t a64_features(const a64_model *model)
{
    return model->features & (A64_ROW_FEATURES | A64_FEAT_BTI); /* BTI is a hint and has no row */
}

/* Seven wide stores: the compiler's own choice for an object this small is a string instruction of three times the cost. */
static void clear(a64_fields *f)
{
    typedef uint64_t wide __attribute__((vector_size(16), aligned(4), may_alias));
    _Static_assert(sizeof *f > 96 && sizeof *f <= 112, "seven stores cover a64_fields");
    wide *part = (wide *)(void *)f, *last = (wide *)(void *)((uint8_t *)f + sizeof *f - sizeof(wide));
    part[0] = part[1] = part[2] = part[3] = part[4] = part[5] = *last = (wide){ 0 };
}

const a64_row *a64_decode(uint32_t word, a64_fields *f)
{
    int e = A64_ROOT;
    while (e >= 0)
        e = a64_entries[a64_nodes[e].first + (word >> a64_nodes[e].shift & a64_nodes[e].mask)];
    for (const decode_leaf *leaf = &a64_leaves[~e];; leaf++) {
        if ((word & leaf->mask) != leaf->value)
            continue;
        if (leaf->row < 0)
            return NULL;
        const a64_row *row = &a64_rows[leaf->row];
        clear(f);
        row->extract(word, f);
        if (!row->allocated || row->allocated(f))
            return row;
    }
}
