/* probe-count: instructions, blocks, memory reads and writes per symbol, counted by inline additions to per-vCPU slots.
 *
 * The core calls it while translating; nothing of it runs while the guest does, but for exceptions. Invariant: the sum of
 * `instructions` is exactly what the core counts: an instruction that faulted is taken back when its exception passes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_json.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({"id" : "probe-count",
                         "version" : "1.0.0",
                         "abi" : {"major" : 1, "minor" : 0},
                         "licence" : "MIT",
                         "provides" : [ {"interface" : "oryx.probe/1", "class" : "count"} ],
                         "requires" : [],
                         "thread" : "any"}));

/* Slots exist before the first block is translated, so their number is fixed: symbols beyond it are counted together. */
#define GROUPS 4096u
#define NO_SYMBOL 0u
#define OTHERS 1u
enum { INSNS, BLOCKS, READS, WRITES, KINDS };

typedef struct group {
    uint64_t base;
    char *name;
    uint32_t next; /* in its hash chain, 0: end */
} group;

typedef struct count {
    const oryx_host *host;
    oryx_machine *machine;
    uint32_t slot;
    uint32_t n;
    group groups[GROUPS];
    uint32_t heads[GROUPS];
    uint32_t top;
    int json;
    char *output;
} count;

/* --- translation ------------------------------------------------------------------------------------------------------------- */
static uint32_t group_of(count *c, uint64_t pc)
{
    uint64_t base;
    const char *name = c->host->symbol_find(c->machine, pc, &base);
    if (!name)
        return NO_SYMBOL;
    uint32_t *head = &c->heads[(base >> 2) % GROUPS];
    for (uint32_t g = *head; g; g = c->groups[g].next)
        if (c->groups[g].base == base && strcmp(c->groups[g].name, name) == 0)
            return g;
    if (c->n == GROUPS)
        return OTHERS;
    char *copy = strdup(name);
    if (!copy)
        return OTHERS;
    c->groups[c->n] = (group){ base, copy, *head };
    *head = c->n;
    return c->n++;
}

static void add(count *c, oryx_ir *ir, uint64_t pc, unsigned kind)
{
    uint32_t slot = c->slot + group_of(c, pc) * KINDS + kind;
    oryx_val one = oryx_const(ir, ORYX_T_I64, 1);
    oryx_ir_emit(ir, ORYX_OP_SLOTADD, ORYX_T_VOID, ORYX_T_VOID, one, 0, 0, slot);
}

static void on_block(void *self, oryx_ir *ir, const oryx_probe_insn *first)
{
    add(self, ir, first->pc, BLOCKS);
}

static void on_insn(void *self, oryx_ir *ir, const oryx_probe_insn *insn)
{
    add(self, ir, insn->pc, INSNS);
}

static void on_mem(void *self, oryx_ir *ir, const oryx_probe_mem *mem)
{
    if (mem->write != 1)
        add(self, ir, mem->pc, READS);
    if (mem->write)
        add(self, ir, mem->pc, WRITES);
}

/* The addition stood at the start of the instruction; one that did not finish is not counted. */
static void on_exception(void *self, oryx_cpu *cpu, const oryx_exc *exc)
{
    count *c = self;
    switch (exc->kind) {
    case ORYX_EXC_SYSCALL:
    case ORYX_EXC_HYPERCALL:
    case ORYX_EXC_MONITORCALL:
    case ORYX_EXC_WAIT:
    case ORYX_EXC_FETCH:    /* never began */
    case ORYX_EXC_PC_ALIGN:
    case ORYX_EXC_INTERRUPT:
        return;
    default:
        cpu->slots[c->slot + group_of(c, exc->pc) * KINDS + INSNS]--;
        return;
    }
}

/* --- results ------------------------------------------------------------------------------------------------------------------ */
typedef struct row {
    const char *name;
    uint64_t base;
    uint64_t v[KINDS];
} row;

static int by_insns(const void *a, const void *b)
{
    const row *p = a, *q = b;
    if (p->v[INSNS] != q->v[INSNS])
        return p->v[INSNS] > q->v[INSNS] ? -1 : 1;
    return strcmp(p->name, q->name);
}

static void print_row(FILE *f, const row *r, uint64_t all, int width)
{
    fprintf(f, "%-*s %15" PRIu64 " %5.1f%% %12" PRIu64 " %12" PRIu64 " %12" PRIu64 "\n", width, r->name, r->v[INSNS],
            all ? 100.0 * (double)r->v[INSNS] / (double)all : 0.0, r->v[BLOCKS], r->v[READS], r->v[WRITES]);
}

static void print_table(const count *c, FILE *f, const row *rows, uint32_t n, const row *total)
{
    uint32_t shown = n < c->top ? n : c->top;
    int width = 12;
    for (uint32_t i = 0; i < shown; i++) {
        int len = (int)strlen(rows[i].name);
        width = len > width ? (len < 40 ? len : 40) : width;
    }
    fprintf(f, "%-*s %15s %6s %12s %12s %12s\n", width, "symbol", "instructions", "", "blocks", "reads", "writes");
    for (uint32_t i = 0; i < shown; i++)
        print_row(f, &rows[i], total->v[INSNS], width);
    if (shown < n) {
        row rest = { .name = "(the rest)" };
        for (uint32_t i = shown; i < n; i++)
            for (unsigned k = 0; k < KINDS; k++)
                rest.v[k] += rows[i].v[k];
        print_row(f, &rest, total->v[INSNS], width);
    }
    print_row(f, total, total->v[INSNS], width);
}

static void json_row(oryx_json_out *w, const char *key, const row *r)
{
    static const char *const names[] = {[INSNS] = "instructions", [BLOCKS] = "blocks", [READS] = "reads", [WRITES] = "writes"};
    static const int order[] = {INSNS, BLOCKS, READS, WRITES};
    char addr[20];
    snprintf(addr, sizeof(addr), "0x%" PRIx64, r->base);
    oryx_json_open(w, key, "{");
    oryx_json_add_text(w, "name", r->name);
    oryx_json_add_text(w, "addr", addr);
    for (size_t i = 0; i < 4; i++)
        oryx_json_add(w, names[order[i]], r->v[order[i]]);
    oryx_json_close(w, "}");
}

static void print_json(FILE *f, const row *rows, uint32_t n, const row *total)
{
    oryx_json_out w = {0};
    oryx_json_open(&w, NULL, "{");
    oryx_json_add_text(&w, "probe", "count");
    oryx_json_open(&w, "symbols", "[");
    for (uint32_t i = 0; i < n; i++)
        json_row(&w, NULL, &rows[i]);
    oryx_json_close(&w, "]");
    json_row(&w, "total", total);
    oryx_json_close(&w, "}");
    char *text = oryx_json_done(&w);
    fprintf(f, "%s\n", text ? text : "{\"probe\":\"count\",\"error\":\"out of memory\"}");
    free(text);
}

static void finish(void *self)
{
    count *c = self;
    row *rows = calloc(c->n, sizeof(*rows)), total = { .name = "total" };
    FILE *f = c->output ? fopen(c->output, "w") : stderr;
    if (!rows || !f) {
        fprintf(stderr, "probe-count: cannot write '%s': no result\n", c->output ? c->output : "standard error");
        free(rows);
        return;
    }
    uint32_t n = 0;
    for (uint32_t g = 0; g < c->n; g++) {
        row r = { c->groups[g].name, c->groups[g].base, { 0 } };
        for (unsigned k = 0; k < KINDS; k++) {
            r.v[k] = c->host->slots_sum(c->machine, c->slot + g * KINDS + k);
            total.v[k] += r.v[k];
        }
        if (r.v[INSNS] || r.v[BLOCKS])
            rows[n++] = r;
    }
    qsort(rows, n, sizeof(*rows), by_insns);
    if (c->json)
        print_json(f, rows, n, &total);
    else
        print_table(c, f, rows, n, &total);
    if (f == stderr)
        fflush(f);
    else
        fclose(f);
    free(rows);
}

/* --- life --------------------------------------------------------------------------------------------------------------------- */
static void destroy(void *self)
{
    count *c = self;
    for (uint32_t g = 0; g < c->n; g++)
        free(c->groups[g].name);
    free(c->output);
    free(c);
}

static oryx_status bad(const oryx_host *host, oryx_error *err, const char *what)
{
    char text[200];
    snprintf(text, sizeof(text), "probe-count: %s; options are output=PATH, top=N, json=true", what);
    return host->error_set(err, ORYX_E_INVALID, text);
}

static oryx_status parse(count *c, const char *options, oryx_error *err)
{
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(options, &why);
    oryx_status s = ORYX_OK;
    if (!o && why.no_memory)
        return c->host->error_set(err, ORYX_E_NOMEM, "probe-count: out of memory");
    if (!oryx_json_is(o, ORYX_JSON_OBJECT)) {
        free(o);
        return bad(c->host, err, "options must be a JSON object");
    }
    for (const oryx_json *v = o->first; v && !s; v = v->next) {
        uint64_t top = 0;
        if (strcmp(v->key, "output") == 0 && v->text) {
            free(c->output);
            c->output = strdup(v->text);
            if (!c->output)
                s = c->host->error_set(err, ORYX_E_NOMEM, "probe-count: out of memory");
        } else if (strcmp(v->key, "top") == 0 && oryx_json_address(v, UINT64_MAX, &top) && top) {
            c->top = top > GROUPS ? GROUPS : (uint32_t)top;
        } else if (strcmp(v->key, "json") == 0 && (v->text || v->type == ORYX_JSON_BOOL)) {
            c->json = v->text ? strcmp(v->text, "false") && strcmp(v->text, "0") : (int)v->u;
        } else {
            char what[100];
            snprintf(what, sizeof(what), "unknown or bad option '%.40s'", v->key);
            s = bad(c->host, err, what);
        }
    }
    free(o);
    return s;
}

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    count *c = calloc(1, sizeof(*c));
    if (!c)
        return host->error_set(err, ORYX_E_NOMEM, "probe-count: no memory");
    c->host = host;
    c->machine = m;
    c->top = 20;
    c->groups[NO_SYMBOL].name = strdup("(no symbol)");
    c->groups[OTHERS].name = strdup("(others)");
    c->n = 2;
    oryx_status s = parse(c, options, err);
    int32_t slot = s == ORYX_OK ? host->slots_alloc(m, GROUPS * KINDS) : 0;
    if (s == ORYX_OK && slot < 0)
        s = host->error_set(err, slot, "probe-count: no room for its counters");
    if (s != ORYX_OK) {
        destroy(c);
        return s;
    }
    c->slot = (uint32_t)slot;
    *self = c;
    return ORYX_OK;
}

static const oryx_probe_ops probe = {
    .hdr = ORYX_HDR(oryx_probe_ops),
    .name = "count",
    .create = create,
    .destroy = destroy,
    .block = on_block,
    .insn = on_insn,
    .mem = on_mem,
    .exception = on_exception,
    .finish = finish,
};

static const void *get(const char *interface, const char *cls)
{
    return strcmp(interface, ORYX_PROBE_ID) == 0 && strcmp(cls, "count") == 0 ? &probe : NULL;
}

static const oryx_plugin_ops ops = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)host;
    (void)err;
    *out = &ops;
    return ORYX_OK;
}
