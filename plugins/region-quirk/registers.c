/* Quirks of registers: "mask", "fixed" and "register", which are one thing with different options.
 * Owns: the list of registers of a region and the values of those kept here. Called by:
 * region_quirk.c.
 * Invariant: an access that touches no register kept here reaches the region beneath once and as
 * wide as the guest made it; every rule is bitwise, so bytes can be taken one by one.
 *
 * A register with "value" is kept here and never reaches the region beneath; another one is the
 * register beneath with its bits changed on the way. Bits of a write, in this order: and, or, xor;
 * then bits of "keep" stay as they are, and of "write_1_clears" a 1 clears. Bits of a read: and, or,
 * xor; then those of "read_clears" are cleared for the next one. What a register beneath holds is
 * asked by a read without side effects. */
#include <stdlib.h>
#include <string.h>

#include "quirk.h"

#define MAX_REGISTERS 256u

struct bits {
    uint64_t and_, or_, xor_;
};

struct reg {
    uint64_t offset, size;
    uint64_t value, initial;
    int kept; /* here; not beneath */
    struct bits rd, wr;
    uint64_t keep, rc, w1c;
};

struct registers {
    uint64_t n;
    struct reg of[];
};

/* --- bytes ------------------------------------------------------------------------------------- */

/* Byte i of the register in memory, out of a number written in the register's width. */
static unsigned at(const quirk *q, const struct reg *r, uint64_t i)
{
    return (unsigned)(8 * (q->endian == ORYX_ENDIAN_BIG ? r->size - 1 - i : i));
}

static uint8_t pick(const quirk *q, const struct reg *r, uint64_t number, uint64_t i)
{
    return (uint8_t)(number >> at(q, r, i));
}

static struct reg *reg_of(const quirk *q, uint64_t offset)
{
    struct registers *all = q->data;
    for (uint64_t i = 0; i < all->n; i++)
        if (offset - all->of[i].offset < all->of[i].size)
            return &all->of[i];
    return NULL;
}

static uint8_t apply(const quirk *q, const struct reg *r, const struct bits *b, uint64_t i,
                     uint8_t byte)
{
    return (uint8_t)(((byte & pick(q, r, b->and_, i)) | pick(q, r, b->or_, i)) ^
                     pick(q, r, b->xor_, i));
}

static uint8_t written(const quirk *q, const struct reg *r, uint64_t i, uint8_t old, uint8_t byte)
{
    uint8_t keep = pick(q, r, r->keep, i), w1c = pick(q, r, r->w1c, i);
    byte = apply(q, r, &r->wr, i, byte);
    return (uint8_t)((byte & ~keep & ~w1c) | (old & keep) | (old & ~byte & w1c));
}

/* --- accesses ---------------------------------------------------------------------------------- */

static void here(quirk *q, oryx_access *a)
{
    int debug = (a->attrs & ORYX_ATTR_DEBUG) != 0;
    pthread_mutex_lock(&q->lock);
    for (uint32_t k = 0; k < a->size; k++) {
        struct reg *r = reg_of(q, a->offset + k);
        uint64_t i = a->offset + k - r->offset, lane = (uint64_t)0xff << at(q, r, i);
        uint8_t old = pick(q, r, r->value, i), now = old;
        if (a->write)
            now = debug ? quirk_byte(q, a, k) : written(q, r, i, old, quirk_byte(q, a, k));
        else
            quirk_set_byte(q, a, k, apply(q, r, &r->rd, i, old));
        if (!a->write && !debug)
            now = old & (uint8_t)~pick(q, r, r->rc, i);
        r->value = (r->value & ~lane) | (uint64_t)now << at(q, r, i);
    }
    pthread_mutex_unlock(&q->lock);
}

static oryx_status write_below(quirk *q, oryx_access *a)
{
    oryx_access w = *a, old = *a;
    int ask = 0;
    if (a->attrs & ORYX_ATTR_DEBUG)
        return quirk_below(q, a);
    for (uint32_t k = 0; k < a->size; k++) {
        const struct reg *r = reg_of(q, a->offset + k);
        ask |= r && pick(q, r, r->keep | r->w1c, a->offset + k - r->offset);
    }
    old.write = 0;
    old.value = 0;
    old.attrs |= ORYX_ATTR_DEBUG;
    oryx_status st = ask ? quirk_below(q, &old) : ORYX_OK;
    for (uint32_t k = 0; !st && k < a->size; k++) {
        const struct reg *r = reg_of(q, a->offset + k);
        if (r)
            quirk_set_byte(q, &w, k,
                           written(q, r, a->offset + k - r->offset, quirk_byte(q, &old, k),
                                   quirk_byte(q, a, k)));
    }
    return st ? st : quirk_below(q, &w);
}

static oryx_status read_below(quirk *q, oryx_access *a)
{
    oryx_status st = quirk_below(q, a);
    for (uint32_t k = 0; !st && k < a->size; k++) {
        const struct reg *r = reg_of(q, a->offset + k);
        if (r)
            quirk_set_byte(q, a, k,
                           apply(q, r, &r->rd, a->offset + k - r->offset, quirk_byte(q, a, k)));
    }
    return st;
}

/* Bits that this read clears beneath: a write of the same bytes, and only when there are any. */
static oryx_status clear_below(quirk *q, const oryx_access *raw)
{
    oryx_access w = *raw;
    int any = 0;
    w.write = 1;
    for (uint32_t k = 0; k < w.size; k++) {
        const struct reg *r = reg_of(q, w.offset + k);
        uint8_t rc = r ? pick(q, r, r->rc, w.offset + k - r->offset) : 0;
        any |= quirk_byte(q, raw, k) & rc;
        quirk_set_byte(q, &w, k, quirk_byte(q, raw, k) & (uint8_t)~rc);
    }
    return any ? quirk_below(q, &w) : ORYX_OK;
}

/* 2: a byte beneath whose read clears something: written back, so no byte beside it may be. */
static int which(const quirk *q, uint64_t offset)
{
    const struct reg *r = reg_of(q, offset);
    return r ? (r->kept ? 1 : r->rc ? 2 : 0) : 0;
}

static oryx_status run(quirk *q, int kept, oryx_access *a)
{
    if (kept == 1) {
        here(q, a);
        return ORYX_OK;
    }
    if (a->write)
        return write_below(q, a);
    if (kept != 2 || (a->attrs & ORYX_ATTR_DEBUG))
        return read_below(q, a);
    oryx_access raw = *a;
    oryx_status st = quirk_below(q, &raw);
    if (!st)
        st = clear_below(q, &raw);
    for (uint32_t k = 0; !st && k < a->size; k++) {
        const struct reg *r = reg_of(q, a->offset + k);
        quirk_set_byte(q, a, k,
                       apply(q, r, &r->rd, a->offset + k - r->offset, quirk_byte(q, &raw, k)));
    }
    return st;
}

static oryx_status registers_access(quirk *q, oryx_access *a)
{
    return quirk_runs(q, a, which, run);
}

static void registers_reset(quirk *q)
{
    struct registers *all = q->data;
    pthread_mutex_lock(&q->lock);
    for (uint64_t i = 0; i < all->n; i++)
        all->of[i].value = all->of[i].initial;
    pthread_mutex_unlock(&q->lock);
}

/* --- options ----------------------------------------------------------------------------------- */

static const struct bits unchanged = {UINT64_MAX, 0, 0};

static oryx_status make(quirk *q, quirk_obj o, uint64_t n)
{
    q->data = calloc(1, sizeof(struct registers) + n * sizeof(struct reg));
    if (!q->data)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    struct registers *all = q->data;
    all->n = n;
    for (uint64_t i = 0; i < n; i++)
        all->of[i] = (struct reg){.size = 8, .rd = unchanged, .wr = unchanged};
    return ORYX_OK;
}

/* Where the register is: inside the region. */
static oryx_status parse_place(quirk *q, quirk_obj o, struct reg *r, int needed)
{
    oryx_status st = quirk_number(q, o, "offset", needed, 0, q->last, &r->offset);
    uint64_t left = q->last - r->offset;
    r->size = left < 7 ? left + 1 : 8;
    return st ? st : quirk_number(q, o, "size", needed, 1, r->size, &r->size);
}

static oryx_status parse_bits(quirk *q, quirk_obj o, struct bits *b)
{
    oryx_status st = quirk_number(q, o, "and", 0, 0, UINT64_MAX, &b->and_);
    if (!st)
        st = quirk_number(q, o, "or", 0, 0, UINT64_MAX, &b->or_);
    return st ? st : quirk_number(q, o, "xor", 0, 0, UINT64_MAX, &b->xor_);
}

static oryx_status parse_mask(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind", "endian", "offset", "size", "and",
                                       "or",   "xor",    "on",     NULL};
    static const char *const on[] = {"both", "read", "write", NULL};
    quirk_obj o = {json, ""};
    struct bits b = unchanged;
    int when = 0;
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = make(q, o, 1);
    struct reg *r = st ? NULL : &((struct registers *)q->data)->of[0];
    if (!st)
        st = parse_place(q, o, r, 0);
    if (!st)
        st = parse_bits(q, o, &b);
    if (!st)
        st = quirk_word(q, o, "on", on, &when);
    if (!st && when != 2)
        r->rd = b;
    if (!st && when != 1)
        r->wr = b;
    return st;
}

static oryx_status parse_fixed(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind", "endian", "offset", "size", "value", NULL};
    quirk_obj o = {json, ""};
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = make(q, o, 1);
    struct reg *r = st ? NULL : &((struct registers *)q->data)->of[0];
    if (!st)
        st = parse_place(q, o, r, 0);
    if (!st)
        st = quirk_number(q, o, "value", 1, 0, UINT64_MAX, &r->initial);
    if (!st) {
        r->kept = 1;
        r->keep = UINT64_MAX;
    }
    return st;
}

static oryx_status parse_part(quirk *q, quirk_obj o, const char *key, struct bits *b)
{
    static const char *const keys[] = {"and", "or", "xor", NULL};
    char pointer[64];
    const oryx_json *v = oryx_json_get(o.json, key);
    if (!v)
        return ORYX_OK;
    if (v->type != ORYX_JSON_OBJECT)
        return quirk_refuse(q, o, key, ORYX_E_FORMAT, "must be an object of \"and\", \"or\", \"xor\"");
    snprintf(pointer, sizeof(pointer), "%s/%s", o.pointer, key);
    quirk_obj part = {v, pointer};
    oryx_status st = quirk_known(q, part, keys);
    return st ? st : parse_bits(q, part, b);
}

static oryx_status parse_one(quirk *q, quirk_obj o, struct reg *r)
{
    static const char *const keys[] = {"offset", "size", "value",       "read",
                                       "write",  "keep", "read_clears", "write_1_clears", NULL};
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = parse_place(q, o, r, 1);
    if (!st)
        st = quirk_number(q, o, "value", 0, 0, UINT64_MAX, &r->initial);
    if (!st)
        st = parse_part(q, o, "read", &r->rd);
    if (!st)
        st = parse_part(q, o, "write", &r->wr);
    if (!st)
        st = quirk_number(q, o, "keep", 0, 0, UINT64_MAX, &r->keep);
    if (!st)
        st = quirk_number(q, o, "read_clears", 0, 0, UINT64_MAX, &r->rc);
    if (!st)
        st = quirk_number(q, o, "write_1_clears", 0, 0, UINT64_MAX, &r->w1c);
    if (!st && (r->keep & r->w1c))
        st = quirk_refuse(q, o, "keep", ORYX_E_RANGE,
                          "bits 0x%llx are in \"write_1_clears\" as well; a bit has one rule",
                          (unsigned long long)(r->keep & r->w1c));
    r->kept = oryx_json_get(o.json, "value") != NULL;
    if (!st && !r->kept && !q->lower)
        st = quirk_refuse(q, o, "", ORYX_E_INVALID,
                          "give \"value\", or name the region beneath: lower");
    return st;
}

static oryx_status parse_register(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind", "endian", "registers", NULL};
    quirk_obj o = {json, ""};
    oryx_status st = quirk_known(q, o, keys);
    if (st)
        return st;
    const oryx_json *list = oryx_json_get(json, "registers");
    uint64_t n = oryx_json_is(list, ORYX_JSON_ARRAY) ? list->n : 0;
    if (!n || n > MAX_REGISTERS)
        return quirk_refuse(q, o, "registers", ORYX_E_FORMAT, "must be a list of 1 to %u registers",
                            MAX_REGISTERS);
    st = make(q, o, n);
    struct registers *all = q->data;
    const oryx_json *v = n ? list->first : NULL;
    for (uint64_t i = 0; i < n && !st; i++, v = v->next) {
        char pointer[32];
        snprintf(pointer, sizeof(pointer), "/registers/%u", (unsigned)i);
        quirk_obj one = {v, pointer};
        struct reg *r = &all->of[i];
        if (one.json->type != ORYX_JSON_OBJECT)
            return quirk_refuse(q, one, "", ORYX_E_FORMAT, "must be an object");
        st = parse_one(q, one, r);
        for (uint64_t k = 0; k < i && !st; k++)
            if (r->offset < all->of[k].offset + all->of[k].size &&
                all->of[k].offset < r->offset + r->size)
                st = quirk_refuse(q, one, "offset", ORYX_E_OVERLAP, "overlaps register %u",
                                  (unsigned)k);
    }
    return st;
}

static uint64_t *registers_word(quirk *q, uint32_t i)
{
    struct registers *all = q->data;
    return i < all->n ? &all->of[i].value : NULL;
}

const quirk_kind quirk_mask = {"mask",          1,    parse_mask,    registers_access,
                               registers_reset, NULL, registers_word};
const quirk_kind quirk_fixed = {"fixed",         0,    parse_fixed,   registers_access,
                                registers_reset, NULL, registers_word};
const quirk_kind quirk_register = {"register",      0,    parse_register, registers_access,
                                   registers_reset, NULL, registers_word};
