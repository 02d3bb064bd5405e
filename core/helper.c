/* Helpers: functions that IR calls, by number. Registry, signature parser, and the call through libffi.
 *
 * machine.c registers the frontend's rows, plugins their own; engines read entries while compiling and call them, directly or
 * through oryx_helper_call. Invariant: an entry never moves and never changes once its number is out, so readers need no
 * lock. */
#include <ffi.h>
#include <string.h>

#include "exec.h"

#define CHUNK 64u
#define CHUNKS 256u
#define MAX_ARGS 8u

struct row {
    oryx_helper_entry entry;
    oryx_helper helper; /* strings owned */
    ffi_cif cif;
    ffi_type *types[MAX_ARGS + 2];
};

/* The rows of a frontend, made once in a process: every machine of that frontend has them under the same numbers. */
struct base {
    const oryx_helper *from;
    uint32_t n, stride;
    struct row *rows;
    GHashTable *names;
    struct base *next;
};

struct oryx__helpers {
    const struct base *base; /* helpers 0 .. base->n - 1; NULL: none */
    _Atomic uint32_t n;
    struct row *chunks[CHUNKS]; /* the machine's own, from base->n on */
    GHashTable *names;          /* of them: name -> id + 1 */
};

static pthread_mutex_t bases_lock = PTHREAD_MUTEX_INITIALIZER;
static struct base *bases; /* for good: a loaded plugin stays */

oryx_status oryx__helpers_create(oryx_machine *m, oryx_error *err)
{
    m->helpers = oryx__alloc(sizeof(*m->helpers));
    if (!m->helpers)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the helper table of a machine");
    m->helpers->names = g_hash_table_new(g_str_hash, g_str_equal);
    if (!m->helpers->names)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the helper table of a machine");
    return ORYX_OK;
}

static uint32_t n_base(const struct oryx__helpers *h)
{
    return h->base ? h->base->n : 0;
}

static struct row *row_at(struct oryx__helpers *h, uint32_t id)
{
    uint32_t n = n_base(h);
    return id < n ? &h->base->rows[id] : &h->chunks[(id - n) / CHUNK][(id - n) % CHUNK];
}

static void row_clear(struct row *r)
{
    g_free((char *)r->helper.name);
    g_free((char *)r->helper.signature);
    g_free((char *)r->helper.effects);
}

void oryx__helpers_destroy(oryx_machine *m)
{
    struct oryx__helpers *h = m->helpers;
    if (!h)
        return;
    g_hash_table_destroy(h->names);
    for (uint32_t i = n_base(h); i < h->n; i++)
        row_clear(row_at(h, i));
    for (uint32_t i = 0; i < CHUNKS; i++)
        oryx__free(h->chunks[i]);
    oryx__free(h);
    m->helpers = NULL;
}

/* --- signatures ----------------------------------------------------------------------------------------------------------- */
static const struct {
    const char *name;
    uint8_t type;
} types[] = {
    { "void", ORYX_T_VOID }, { "u32", ORYX_T_I32 },   { "u64", ORYX_T_I64 },
    { "f32", ORYX_T_F32 },   { "f64", ORYX_T_F64 },   { "v128", ORYX_T_V128 },
};

/* The type whose name is [s, s + n), or -1. */
static int type_named(const char *s, size_t n)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strlen(types[i].name) == n && memcmp(types[i].name, s, n) == 0)
            return types[i].type;
    return -1;
}

static ffi_type *ffi_of(unsigned type)
{
    switch (type) {
    case ORYX_T_I32:
        return &ffi_type_uint32;
    case ORYX_T_I64:
        return &ffi_type_uint64;
    case ORYX_T_F32:
        return &ffi_type_float;
    case ORYX_T_F64:
        return &ffi_type_double;
    case ORYX_T_V128:
        return &ffi_type_pointer;
    default:
        return &ffi_type_void;
    }
}

static oryx_status parse(oryx_helper_entry *e, oryx_error *err)
{
    const char *name = e->helper->name, *s = e->helper->signature;
    const char *open = strchr(s, '(');
    int ret = open ? type_named(s, (size_t)(open - s)) : -1;
    if (ret < 0)
        return oryx__error(err, ORYX_E_FORMAT,
                           "helper '%s': signature '%s' must be RET(ARGS), RET one of void u32 u64 f32 f64 v128", name, s);
    e->ret = (uint8_t)ret;
    const char *p = open + 1;
    while (*p != ')') {
        size_t n = strcspn(p, ",)");
        int type = type_named(p, n);
        if (n == 4 && memcmp(p, "vcpu", 4) == 0) {
            if (p != open + 1)
                return oryx__error(err, ORYX_E_FORMAT, "helper '%s': in '%s' vcpu must be the first argument", name, s);
            e->takes_vcpu = 1;
        } else if (type <= 0) {
            return oryx__error(err, ORYX_E_FORMAT,
                               "helper '%s': in '%s' the argument at '%s' must be one of u32 u64 f32 f64 v128 vcpu", name, s, p);
        } else if (e->n_args == MAX_ARGS) {
            return oryx__error(err, ORYX_E_FORMAT, "helper '%s': '%s' has more than %u arguments", name, s, MAX_ARGS);
        } else {
            e->args[e->n_args++] = (uint8_t)type;
        }
        p += n;
        if (*p == ',' && p[1] != ')')
            p++;
        else if (*p != ')')
            return oryx__error(err, ORYX_E_FORMAT, "helper '%s': signature '%s' must end with ')'", name, s);
    }
    if (p[1])
        return oryx__error(err, ORYX_E_FORMAT, "helper '%s': text after ')' in signature '%s'", name, s);
    for (const char *c = e->helper->effects; *c; c++) {
        if (!strchr("RWGSPE", *c))
            return oryx__error(err, ORYX_E_FORMAT, "helper '%s': effect '%c' is not one of R W G S P E", name, *c);
        e->may_fault |= *c == 'R' || *c == 'W';
    }
    return ORYX_OK;
}

static oryx_status row_fill(struct row *r, const oryx_helper *from, oryx_error *err)
{
    memset(r, 0, sizeof(*r));
    r->helper = (oryx_helper){ g_strdup(from->name), g_strdup(from->signature), g_strdup(from->effects ? from->effects : ""),
                               from->fn };
    r->entry = (oryx_helper_entry){ .hdr = ORYX_HDR(oryx_helper_entry), .helper = &r->helper, .cif = &r->cif };
    if (!r->helper.name || !r->helper.signature || !r->helper.effects) {
        row_clear(r);
        return oryx__error(err, ORYX_E_NOMEM, "no memory for helper '%s'", from->name);
    }
    oryx_status s = parse(&r->entry, err);
    unsigned n = 0;
    if (r->entry.ret == ORYX_T_V128)
        r->types[n++] = &ffi_type_pointer;
    if (r->entry.takes_vcpu)
        r->types[n++] = &ffi_type_pointer;
    for (unsigned i = 0; i < r->entry.n_args; i++)
        r->types[n++] = ffi_of(r->entry.args[i]);
    ffi_type *ret = r->entry.ret == ORYX_T_V128 ? &ffi_type_void : ffi_of(r->entry.ret);
    if (s == ORYX_OK && ffi_prep_cif(&r->cif, FFI_DEFAULT_ABI, n, ret, r->types) != FFI_OK)
        s = oryx__error(err, ORYX_E_INTERNAL, "helper '%s': libffi refuses '%s'", from->name, from->signature);
    if (s != ORYX_OK)
        row_clear(r);
    return s;
}

/* --- registry -------------------------------------------------------------------------------------------------------------- */
static oryx_status check_one(GHashTable *const names[2], const oryx_helper *from, oryx_error *err)
{
    if (!from->name || !from->signature || !from->fn)
        return oryx__error(err, ORYX_E_INVALID, "helper '%s': name, signature and fn must be set", from->name ? from->name : "?");
    for (unsigned i = 0; i < 2; i++)
        if (names[i] && g_hash_table_contains(names[i], from->name))
            return oryx__error(err, ORYX_E_EXISTS, "helper '%s' exists already in this machine: names must be unique",
                               from->name);
    return ORYX_OK;
}

static oryx_status add_one(struct oryx__helpers *h, const oryx_helper *from, oryx_error *err)
{
    uint32_t id = h->n, own = id - n_base(h);
    GHashTable *const names[2] = { h->base ? h->base->names : NULL, h->names };
    oryx_status s = check_one(names, from, err);
    if (s != ORYX_OK)
        return s;
    if (own == CHUNK * CHUNKS)
        return oryx__error(err, ORYX_E_RANGE, "helper '%s': a machine holds at most %u helpers", from->name, CHUNK * CHUNKS);
    struct row **chunk = &h->chunks[own / CHUNK];
    if (!*chunk && !(*chunk = oryx__alloc(CHUNK * sizeof(struct row))))
        return oryx__error(err, ORYX_E_NOMEM, "no memory for helper '%s'", from->name);
    s = row_fill(row_at(h, id), from, err);
    if (s == ORYX_OK && !g_hash_table_insert(h->names, (char *)row_at(h, id)->helper.name, GUINT_TO_POINTER(id + 1))) {
        row_clear(row_at(h, id));
        s = oryx__error(err, ORYX_E_NOMEM, "no memory for helper '%s'", from->name);
    }
    if (s == ORYX_OK) {
        atomic_store_explicit(&h->n, id + 1, memory_order_release);
    }
    return s;
}

static const oryx_helper *helper_at(const oryx_helper *rows, uint32_t i, uint32_t stride)
{
    return (const oryx_helper *)(const void *)((const char *)rows + (size_t)i * stride);
}

static void base_free(struct base *b, uint32_t made)
{
    for (uint32_t i = 0; i < made; i++)
        row_clear(&b->rows[i]);
    g_hash_table_destroy(b->names);
    oryx__free(b->rows);
    oryx__free(b);
}

static oryx_status base_new(const oryx_helper *rows, uint32_t n, uint32_t stride, struct base **out, oryx_error *err)
{
    struct base *b = oryx__alloc(sizeof(*b));
    struct row *made = b ? oryx__alloc(n * sizeof(*made)) : NULL;
    if (!made) {
        oryx__free(b);
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the helpers of a frontend");
    }
    *b = (struct base){ .from = rows, .n = n, .stride = stride, .rows = made, .names = g_hash_table_new(g_str_hash, g_str_equal) };
    GHashTable *const names[2] = { b->names, NULL };
    for (uint32_t i = 0; i < n; i++) {
        oryx_status s = check_one(names, helper_at(rows, i, stride), err);
        if (s == ORYX_OK)
            s = row_fill(&made[i], helper_at(rows, i, stride), err);
        if (s == ORYX_OK && !g_hash_table_insert(b->names, (char *)made[i].helper.name, GUINT_TO_POINTER(i + 1))) {
            row_clear(&made[i]);
            s = oryx__error(err, ORYX_E_NOMEM, "no memory for the helpers of a frontend");
        }
        if (s != ORYX_OK) {
            base_free(b, i);
            return s;
        }
    }
    *out = b;
    return ORYX_OK;
}

oryx_status oryx__helpers_base(oryx_machine *m, const oryx_helper *rows, uint32_t n, uint32_t stride, oryx_error *err)
{
    oryx_status s = ORYX_OK;
    struct base *b;
    if (!n)
        return ORYX_OK;
    pthread_mutex_lock(&bases_lock);
    for (b = bases; b; b = b->next)
        if (b->from == rows && b->n == n && b->stride == stride)
            break;
    if (!b && (s = base_new(rows, n, stride, &b, err)) == ORYX_OK) {
        b->next = bases;
        bases = b;
    }
    pthread_mutex_unlock(&bases_lock);
    if (s == ORYX_OK) {
        m->helpers->base = b;
        m->helpers->n = n;
    }
    return s;
}

int32_t oryx_helper_add(oryx_machine *m, const oryx_helper *rows, uint32_t n, uint32_t stride, oryx_error *err)
{
    if (!m || (n && (!rows || stride < sizeof(oryx_helper))))
        return oryx__error(err, ORYX_E_INVALID, "helpers: rows and a stride of at least %zu bytes are needed",
                           sizeof(oryx_helper));
    pthread_mutex_lock(&m->lock);
    uint32_t first = m->helpers->n;
    oryx_status s = ORYX_OK;
    for (uint32_t i = 0; i < n && s == ORYX_OK; i++)
        s = add_one(m->helpers, helper_at(rows, i, stride), err);
    if (s != ORYX_OK) /* all or none by name; the numbers given out stay valid */
        oryx__helpers_forget(m, first, m->helpers->n);
    pthread_mutex_unlock(&m->lock);
    return s == ORYX_OK ? (int32_t)first : s;
}

const oryx_helper_entry *oryx_helper_get(oryx_machine *m, uint32_t id)
{
    struct oryx__helpers *h = m->helpers;
    return id < atomic_load_explicit(&h->n, memory_order_acquire) ? &row_at(h, id)->entry : NULL;
}

uint32_t oryx__helpers_count(oryx_machine *m)
{
    return m->helpers->n;
}

void oryx__helpers_forget(oryx_machine *m, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        g_hash_table_remove(m->helpers->names, row_at(m->helpers, i)->helper.name);
}

void oryx_helper_call(const oryx_helper_entry *e, oryx_cpu *cpu, void *const *args, void *ret)
{
    void *v[MAX_ARGS + 2];
    const void *vectors[MAX_ARGS];
    unsigned n = 0;
    if (e->ret == ORYX_T_V128)
        v[n++] = &ret;
    if (e->takes_vcpu)
        v[n++] = &cpu;
    for (unsigned i = 0; i < e->n_args; i++) {
        vectors[i] = args[i];
        v[n++] = e->args[i] == ORYX_T_V128 ? (void *)&vectors[i] : args[i];
    }
    /* libffi widens small integer results to a register: give it one, then hand out exactly the result's size. */
    union {
        ffi_arg word;
        uint64_t u64;
        uint32_t u32;
        float f32;
        double f64;
    } out = { 0 };
    ffi_call(e->cif, FFI_FN(e->helper->fn), &out, v);
    switch (e->ret) {
    case ORYX_T_I32:
        *(uint32_t *)ret = (uint32_t)out.word;
        break;
    case ORYX_T_I64:
        *(uint64_t *)ret = out.u64;
        break;
    case ORYX_T_F32:
        memcpy(ret, &out.f32, sizeof(out.f32));
        break;
    case ORYX_T_F64:
        memcpy(ret, &out.f64, sizeof(out.f64));
        break;
    default:
        break;
    }
}
