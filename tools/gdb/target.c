/* What GDB is told of the CPU: the target description made from the frontend's rows, registers, the auxiliary vector. Used by
 * server.c. Invariant: a register's number is its row's; rows without one are numbered on behind the standard ones. */
#include <string.h>

#include "gdb.h"

typedef struct gdb_reg {
    int32_t number;
    int32_t handle;
    uint32_t size;
    const char *feature;
    bool standard; /* in `g` packets */
} gdb_reg;

static const oryx_reg *row(gdb *g, int32_t handle)
{
    return oryx_reg_row(g->c.machine, handle);
}

static int by_number(const void *a, const void *b)
{
    const gdb_reg *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static const char *type_of(const gdb_reg *r, const oryx_reg *o)
{
    if (o->flags & ORYX_REG_IS_PC)
        return "code_ptr";
    if (o->flags & ORYX_REG_IS_SP)
        return "data_ptr";
    if (r->size == 16 || r->size == 32)
        return r->size == 16 ? "oryx_v128" : "uint128";
    if (r->size == 10)
        return "i387_ext";
    if (o->kind == ORYX_REG_FLOAT)
        return r->size == 8 ? "ieee_double" : "ieee_single";
    return o->kind == ORYX_REG_FLAGS || o->kind == ORYX_REG_SYSTEM ? "int" : r->size == 8 ? "int64" : r->size == 4 ? "int32" : "int";
}

static const char vectors[] =
    "<vector id=\"oryx_v2d\" type=\"ieee_double\" count=\"2\"/><vector id=\"oryx_v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"oryx_v2i\" type=\"uint64\" count=\"2\"/><vector id=\"oryx_v4i\" type=\"uint32\" count=\"4\"/>"
    "<vector id=\"oryx_v8i\" type=\"uint16\" count=\"8\"/><vector id=\"oryx_v16i\" type=\"uint8\" count=\"16\"/>"
    "<union id=\"oryx_v128\"><field name=\"v2_double\" type=\"oryx_v2d\"/><field name=\"v4_float\" type=\"oryx_v4f\"/>"
    "<field name=\"v2_int64\" type=\"oryx_v2i\"/><field name=\"v4_int32\" type=\"oryx_v4i\"/><field name=\"v8_int16\" type=\"oryx_v8i\"/>"
    "<field name=\"v16_int8\" type=\"oryx_v16i\"/><field name=\"uint128\" type=\"uint128\"/></union>";

static void describe(gdb *g, const char *feature)
{
    bool typed = false;
    g_string_append_printf(g->xml, "<feature name=\"%s\">", feature);
    for (guint i = 0; i < g->features->len; i++) {
        const gdb_reg *r = &g_array_index(g->features, gdb_reg, i);
        const oryx_reg *o = row(g, r->handle);
        if (strcmp(r->feature, feature))
            continue;
        if (r->size == 16 && !typed) {
            g_string_append(g->xml, vectors);
            typed = true;
        }
        g_string_append_printf(g->xml, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%d\" type=\"%s\"%s/>", o->name, r->size * 8, r->number,
                               type_of(r, o), r->standard ? "" : " group=\"system\"");
    }
    g_string_append(g->xml, "</feature>");
}

bool gdb_target_init(gdb *g, oryx_error *err)
{
    static const char system_feature[] = "org.oryx.system";
    const oryx_arch_ops *a = oryx_machine_arch(g->c.machine);
    const oryx_gdb_feature *features = ORYX_HAS(a, gdb_features) ? a->gdb_features : NULL;
    int32_t next = 0;
    if (!features || !a->gdb_arch) {
        err->code = ORYX_E_UNSUPPORTED;
        g_snprintf(err->text, sizeof err->text, "--gdb: frontend '%s' does not say what GDB calls its registers", a->name);
        return false;
    }
    g->features = g_array_new(FALSE, TRUE, sizeof(gdb_reg));
    for (int32_t h = 0; (uint32_t)h < a->n_regs; h++) {
        const oryx_reg *o = row(g, h);
        for (const oryx_gdb_feature *f = features; f->name && o->gdb >= 0; f++)
            if (o->gdb >= f->first && o->gdb <= f->last) {
                gdb_reg r = { .number = o->gdb, .handle = h, .size = o->size, .feature = f->name, .standard = true };
                g_array_append_val(g->features, r);
                next = MAX(next, o->gdb + 1);
                break;
            }
    }
    for (int32_t h = 0; (uint32_t)h < a->n_regs; h++) {
        const oryx_reg *o = row(g, h);
        gdb_reg r = { .number = next, .handle = h, .size = o->size, .feature = system_feature };
        if (o->gdb >= 0 || o->flags & ORYX_REG_ALIAS || o->size > 16)
            continue;
        g_array_append_val(g->features, r);
        next++;
    }
    g_array_sort(g->features, by_number);
    g->xml = g_string_new("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\">");
    g_string_append_printf(g->xml, "<architecture>%s</architecture>", a->gdb_arch);
    for (const oryx_gdb_feature *f = features; f->name; f++)
        if (f == features || strcmp(f->name, f[-1].name)) /* several ranges make one */
            describe(g, f->name);
    describe(g, system_feature);
    g_string_append(g->xml, "</target>");
    return true;
}

void gdb_target_free(gdb *g)
{
    if (g->features)
        g_array_free(g->features, TRUE);
    if (g->xml)
        g_string_free(g->xml, TRUE);
}

/* GDB has registers in the target's byte order, we have numbers as the host does. */
static void turn(gdb *g, const gdb_reg *r, uint8_t *value)
{
    if (oryx_machine_arch(g->c.machine)->big_endian)
        for (uint32_t i = 0; i < r->size / 2; i++) {
            uint8_t keep = value[i];
            value[i] = value[r->size - 1 - i];
            value[r->size - 1 - i] = keep;
        }
}

static bool read_one(gdb *g, gdb_thread *t, const gdb_reg *r, GString *out)
{
    uint8_t value[32] = { 0 };
    if (oryx_reg_read(t->v, r->handle, value, r->size))
        return false;
    turn(g, r, value);
    gdb_hex_out(out, value, r->size);
    return true;
}

static const gdb_reg *find(gdb *g, int32_t n)
{
    for (guint i = 0; i < g->features->len; i++) {
        const gdb_reg *r = &g_array_index(g->features, gdb_reg, i);
        if (r->number == n)
            return r;
    }
    return NULL;
}

bool gdb_register_read(gdb *g, gdb_thread *t, int32_t n, GString *out)
{
    const gdb_reg *r = find(g, n);
    return r && read_one(g, t, r, out);
}

bool gdb_register_write(gdb *g, gdb_thread *t, int32_t n, const GByteArray *value)
{
    const gdb_reg *r = find(g, n);
    uint8_t bytes[32];
    if (!r || value->len != r->size || t->at == GDB_OUTSIDE)
        return false;
    memcpy(bytes, value->data, r->size);
    turn(g, r, bytes);
    return oryx_reg_write(t->v, r->handle, bytes, r->size) == ORYX_OK;
}

void gdb_registers_read(gdb *g, gdb_thread *t, GString *out)
{
    for (guint i = 0; i < g->features->len; i++) {
        const gdb_reg *r = &g_array_index(g->features, gdb_reg, i);
        if (r->standard && !read_one(g, t, r, out))
            for (uint32_t k = 0; k < r->size; k++)
                g_string_append(out, "xx");
    }
}

bool gdb_registers_write(gdb *g, gdb_thread *t, const GByteArray *all)
{
    guint at = 0;
    bool ok = true;
    for (guint i = 0; i < g->features->len; i++) {
        const gdb_reg *r = &g_array_index(g->features, gdb_reg, i);
        if (!r->standard || at + r->size > all->len)
            continue;
        GByteArray *one = g_byte_array_new();
        g_byte_array_append(one, all->data + at, r->size);
        at += r->size;
        if (!(row(g, r->handle)->flags & ORYX_REG_READONLY))
            ok &= gdb_register_write(g, t, r->number, one);
        g_byte_array_free(one, TRUE);
    }
    return ok;
}

uint64_t gdb_sp(gdb *g, oryx_vcpu *v)
{
    uint64_t value = 0;
    for (guint i = 0; i < g->features->len; i++) {
        const gdb_reg *r = &g_array_index(g->features, gdb_reg, i);
        if (row(g, r->handle)->flags & ORYX_REG_IS_SP && r->size <= 8 && oryx_reg_read(v, r->handle, &value, r->size) == ORYX_OK)
            return value;
    }
    return 0;
}

/* The program's file says how wide a word of its stack is. */
static uint32_t word_size(const gdb *g)
{
    uint8_t ident[5] = { 0 };
    FILE *f = g->c.program ? fopen(g->c.program, "re") : NULL;
    size_t n = f ? fread(ident, 1, sizeof ident, f) : 0;
    if (f)
        fclose(f);
    return n < sizeof ident ? 0 : ident[4] == 2 ? 8 : 4;
}

static bool word(gdb *g, gdb_thread *t, uint64_t *at, uint32_t size, GByteArray *out, uint64_t *value)
{
    uint8_t raw[8];
    if (oryx_vcpu_peek(t->v, *at, raw, size))
        return false;
    if (out)
        g_byte_array_append(out, raw, size);
    *value = 0;
    for (uint32_t i = 0; i < size; i++)
        *value |= (uint64_t)raw[i] << 8 * (oryx_machine_arch(g->c.machine)->big_endian ? size - 1 - i : i);
    *at += size;
    return true;
}

/* On the first stack: argc, the arguments and a 0, the environment and a 0, pairs up to one of 0. */
bool gdb_auxv(gdb *g, GByteArray *out)
{
    gdb_thread *t = gdb_find(g, 0);
    uint32_t size = word_size(g);
    uint64_t at = g->first_sp, v, value;
    if (!t || !size || !word(g, t, &at, size, NULL, &v) || v > 1 << 20)
        return false;
    at += (v + 1) * size;
    do {
        if (!word(g, t, &at, size, NULL, &v))
            return false;
    } while (v);
    do {
        if (!word(g, t, &at, size, out, &v) || !word(g, t, &at, size, out, &value))
            return false;
    } while (v && out->len < 4096);
    return true;
}
