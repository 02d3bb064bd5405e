/* probe-trace: one line for each executed instruction - address, disassembly, then as asked for the registers it changed and
 * its memory accesses: "0x1000: add r1, r2 | r1=0x5 | w8[0x3000]=0x5". An instruction that faults says so at the end.
 *
 * Translation inserts a call before each instruction in range, and one after each access. A line is complete when the next
 * instruction of its vCPU begins, or an exception passes, or the trace ends. Invariant: lines of one vCPU are in execution
 * order, and a line is written whole. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_json.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({"id" : "probe-trace",
                         "version" : "1.0.0",
                         "abi" : {"major" : 1, "minor" : 0},
                         "licence" : "MIT",
                         "provides" : [ {"interface" : "oryx.probe/1", "class" : "trace"} ],
                         "requires" : [],
                         "thread" : "any"}));

#define BUCKETS 4096u

typedef struct trace trace;

/* An instruction as translated; blocks point to it, so it lives as long as the probe. */
typedef struct record {
    trace *t;
    struct record *next;
    uint64_t pc, mode;
    uint32_t len;
    uint8_t bytes[16];
    char text[];
} record;

/* A vCPU's unfinished line and the registers before it. */
typedef struct line {
    struct line *next;
    oryx_cpu *cpu;
    const record *of; /* NULL: none begun */
    uint8_t *before;
    size_t n, cap;
    char *text;
} line;

struct trace {
    const oryx_host *host;
    oryx_machine *machine;
    const oryx_arch_ops *arch;
    record *records[BUCKETS];
    pthread_mutex_t lock; /* lines list, output */
    line *lines;
    FILE *out;
    char *output;
    uint64_t first, last;
    int mem, regs;
    int before_in_range; /* translating: the instruction before */
    uint32_t helper;
    char names[4][40];
};

/* --- lines -------------------------------------------------------------------------------------------------------------------- */
static line *line_of(trace *t, oryx_cpu *cpu)
{
    pthread_mutex_lock(&t->lock);
    line *l = t->lines;
    while (l && l->cpu != cpu)
        l = l->next;
    if (!l && (l = calloc(1, sizeof(*l)))) {
        l->cpu = cpu;
        l->before = malloc(t->arch->state_size);
        l->cap = 512;
        l->text = malloc(l->cap);
        l->next = t->lines;
        t->lines = l;
    }
    pthread_mutex_unlock(&t->lock);
    return l && l->before && l->text ? l : NULL;
}

static void append(line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void append(line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(l->text + l->n, l->cap - l->n, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if (l->n + (size_t)n >= l->cap) {
        size_t cap = (l->n + (size_t)n) * 2;
        char *text = realloc(l->text, cap);
        if (!text)
            return;
        l->text = text;
        l->cap = cap;
        va_start(ap, fmt);
        vsnprintf(l->text + l->n, l->cap - l->n, fmt, ap);
        va_end(ap);
    }
    l->n += (size_t)n;
}

static void append_hex(line *l, const uint8_t *bytes, uint32_t size)
{
    uint64_t v[2] = { 0, 0 };
    memcpy(v, bytes, size < 16 ? size : 16);
    if (v[1])
        append(l, "0x%" PRIx64 "%016" PRIx64, v[1], v[0]);
    else
        append(l, "0x%" PRIx64, v[0]);
}

static void append_changes(trace *t, line *l)
{
    const oryx_arch_ops *a = t->arch;
    for (uint32_t i = 0; i < a->n_regs; i++) {
        const oryx_reg *r = (const oryx_reg *)(const void *)((const char *)a->regs + (size_t)i * a->reg_stride);
        if (r->flags & (ORYX_REG_IS_PC | ORYX_REG_COMPUTED | ORYX_REG_ALIAS))
            continue;
        if (memcmp(l->before + r->offset, l->cpu->state + r->offset, r->size) == 0)
            continue;
        append(l, " | %s=", r->name);
        append_hex(l, l->cpu->state + r->offset, r->size);
    }
}

static void line_end(trace *t, line *l)
{
    if (!l->of)
        return;
    if (t->regs)
        append_changes(t, l);
    append(l, "\n");
    pthread_mutex_lock(&t->lock);
    fwrite(l->text, 1, l->n, t->out);
    pthread_mutex_unlock(&t->lock);
    l->of = NULL;
    l->n = 0;
}

/* --- run time: helpers ------------------------------------------------------------------------------------------------------- */
static void do_insn(oryx_cpu *cpu, uint64_t at)
{
    const record *r = (const record *)(uintptr_t)at;
    trace *t = r->t;
    line *l = line_of(t, cpu);
    if (!l)
        return;
    line_end(t, l);
    l->of = r;
    append(l, "0x%" PRIx64 ": %s", r->pc, r->text);
    if (t->regs)
        memcpy(l->before, cpu->state, t->arch->state_size);
}

static void do_end(oryx_cpu *cpu, uint64_t self)
{
    trace *t = (trace *)(uintptr_t)self;
    line *l = line_of(t, cpu);
    if (l)
        line_end(t, l);
}

/* meta: bytes | write << 8 */
static void do_access(oryx_cpu *cpu, uint64_t self, uint64_t addr, const oryx_v128 *value, uint32_t meta)
{
    static const char *const kind[] = { "r", "w", "x" };
    line *l = line_of((trace *)(uintptr_t)self, cpu);
    if (!l || !l->of)
        return;
    append(l, " | %s%u[0x%" PRIx64 "]=", kind[meta >> 8], meta & 255, addr);
    append_hex(l, (const uint8_t *)value, meta & 255);
}

static void do_mem(oryx_cpu *cpu, uint64_t self, uint64_t addr, uint64_t value, uint32_t meta)
{
    oryx_v128 v = { value, 0 };
    do_access(cpu, self, addr, &v, meta);
}

static void on_exception(void *self, oryx_cpu *cpu, const oryx_exc *exc)
{
    static const char *const names[] = {
#define EXC(name, text) text,
#include "oryx_exc.def"
#undef EXC
    };
    trace *t = self;
    line *l = line_of(t, cpu);
    if (!l || !l->of)
        return;
    append(l, " ! %s", exc->kind < ORYX_EXC_COUNT ? names[exc->kind] : "exception");
    if (exc->kind == ORYX_EXC_MEMORY || exc->kind == ORYX_EXC_FETCH)
        append(l, " at 0x%" PRIx64, exc->addr);
    line_end(t, l);
}

/* --- translation ------------------------------------------------------------------------------------------------------------- */
static int in_range(const trace *t, uint64_t pc)
{
    return pc >= t->first && pc <= t->last;
}

static record *record_of(trace *t, const oryx_probe_insn *i)
{
    record **head = &t->records[(i->pc >> 1) % BUCKETS];
    uint32_t len = i->len < 16 ? i->len : 16;
    for (record *r = *head; r; r = r->next)
        if (r->pc == i->pc && r->mode == i->mode && r->len == len && memcmp(r->bytes, i->bytes, len) == 0)
            return r;
    oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
    if (!t->arch->disasm)
        d.text[0] = 0;
    else if (t->arch->disasm(i->pc, i->mode, i->bytes, i->len, &d) != ORYX_OK && !d.text[0])
        snprintf(d.text, sizeof(d.text), "(bad)");
    record *r = calloc(1, sizeof(*r) + strlen(d.text) + 1);
    if (!r)
        return NULL;
    r->t = t;
    r->pc = i->pc;
    r->mode = i->mode;
    r->len = len;
    memcpy(r->bytes, i->bytes, len);
    strcpy(r->text, d.text);
    for (char *p = r->text; *p; p++)
        if (*p == '\t')
            *p = ' ';
    r->next = *head;
    *head = r;
    return r;
}

static void on_insn(void *self, oryx_ir *ir, const oryx_probe_insn *insn)
{
    trace *t = self;
    if (!in_range(t, insn->pc)) {
        /* What the guest does from here on is not the last traced instruction's. */
        if (insn->index == 0 || t->before_in_range) {
            oryx_val me = oryx_const(ir, ORYX_T_I64, (uintptr_t)t);
            oryx_call(ir, t->helper + 3, ORYX_T_VOID, &me, 1);
        }
        t->before_in_range = 0;
        return;
    }
    t->before_in_range = 1;
    record *r = record_of(t, insn);
    if (!r)
        return;
    oryx_val arg = oryx_const(ir, ORYX_T_I64, (uintptr_t)r);
    oryx_call(ir, t->helper, ORYX_T_VOID, &arg, 1);
}

static void on_mem(void *self, oryx_ir *ir, const oryx_probe_mem *mem)
{
    trace *t = self;
    if (!t->mem || !in_range(t, mem->pc))
        return;
    oryx_val v[4] = { oryx_const(ir, ORYX_T_I64, (uintptr_t)t), mem->addr, mem->value, 0 };
    unsigned wide = 0;
    switch (mem->type) {
    case ORYX_T_V128:
        wide = 1;
        break;
    case ORYX_T_V64:
    case ORYX_T_F64:
        v[2] = oryx_bitcast(ir, ORYX_T_I64, mem->type, mem->value);
        break;
    case ORYX_T_F32:
        v[2] = oryx_zext(ir, ORYX_T_I64, ORYX_T_I32, oryx_bitcast(ir, ORYX_T_I32, ORYX_T_F32, mem->value));
        break;
    default:
        v[2] = oryx_zext(ir, ORYX_T_I64, mem->type, mem->value);
        break;
    }
    v[3] = oryx_const(ir, ORYX_T_I32, mem->size | mem->write << 8);
    oryx_call(ir, t->helper + 1 + wide, ORYX_T_VOID, v, 4);
}

static void line_free(line *l)
{
    free(l->before);
    free(l->text);
    free(l);
}

static void vcpu_gone(void *self, oryx_cpu *cpu)
{
    trace *t = self;
    pthread_mutex_lock(&t->lock);
    line **at = &t->lines;
    while (*at && (*at)->cpu != cpu)
        at = &(*at)->next;
    line *l = *at;
    if (l)
        *at = l->next;
    pthread_mutex_unlock(&t->lock);
    if (!l)
        return;
    if (l->before && l->text)
        line_end(t, l);
    line_free(l);
}

static void finish(void *self)
{
    trace *t = self;
    for (line *l = t->lines; l; l = l->next)
        line_end(t, l);
    fflush(t->out);
}

/* --- life --------------------------------------------------------------------------------------------------------------------- */
static void destroy(void *self)
{
    trace *t = self;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        for (record *r = t->records[i], *next; r; r = next) {
            next = r->next;
            free(r);
        }
    }
    for (line *l = t->lines, *next; l; l = next) {
        next = l->next;
        line_free(l);
    }
    if (t->out && t->out != stderr)
        fclose(t->out);
    free(t->output);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static oryx_status bad(const oryx_host *host, oryx_error *err, const char *what)
{
    char text[240];
    snprintf(text, sizeof(text), "probe-trace: %s; options are output=PATH, range=0xFIRST-0xLAST, mem=true, regs=true", what);
    return host->error_set(err, ORYX_E_INVALID, text);
}

static int truth(const oryx_json *v)
{
    return v->text ? strcmp(v->text, "false") && strcmp(v->text, "0") : v->u != 0;
}

static int parse_range(trace *t, const char *s)
{
    char *end;
    t->first = strtoull(s, &end, 0);
    if (end == s || *end != '-')
        return 0;
    s = end + 1;
    t->last = strtoull(s, &end, 0);
    return end != s && !*end && t->first <= t->last;
}

static oryx_status parse(trace *t, const char *options, oryx_error *err)
{
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(options, &why);
    oryx_status s = ORYX_OK;
    if (!oryx_json_is(o, ORYX_JSON_OBJECT)) {
        oryx_status st = !o && why.no_memory ? t->host->error_set(err, ORYX_E_NOMEM, "probe-trace: out of memory")
                                             : bad(t->host, err, "options must be a JSON object");
        free(o);
        return st;
    }
    for (const oryx_json *value = o->first; value && !s; value = value->next) {
        const char *key = value->key;
        char what[100];
        snprintf(what, sizeof(what), "unknown option '%.40s'", key);
        if (strcmp(key, "output") == 0 && value->text) {
            free(t->output);
            t->output = strdup(value->text);
            if (!t->output)
                s = t->host->error_set(err, ORYX_E_NOMEM, "probe-trace: out of memory");
        } else if (strcmp(key, "mem") == 0) {
            t->mem = truth(value);
        } else if (strcmp(key, "regs") == 0) {
            t->regs = truth(value);
        } else if (strcmp(key, "range") != 0) {
            s = bad(t->host, err, what);
        } else if (!value->text || !parse_range(t, value->text)) {
            s = bad(t->host, err, "range must be two addresses joined by '-', the lower first");
        }
    }
    free(o);
    return s;
}

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    trace *t = calloc(1, sizeof(*t));
    if (!t)
        return host->error_set(err, ORYX_E_NOMEM, "probe-trace: no memory");
    t->host = host;
    t->machine = m;
    t->arch = host->machine_arch(m);
    t->last = ~(uint64_t)0;
    pthread_mutex_init(&t->lock, NULL);
    oryx_status s = parse(t, options, err);
    if (s == ORYX_OK) {
        t->out = t->output ? fopen(t->output, "w") : stderr;
        if (!t->out) {
            char text[200];
            snprintf(text, sizeof(text), "probe-trace: cannot write '%.120s': give output=PATH of a writable file", t->output);
            s = host->error_set(err, ORYX_E_IO, text);
        }
    }
    /* With regs the call looks at the state, so it must be up to date; names are unique to this probe. */
    const char *effects = t->regs ? "G" : "";
    static const char *const what[] = { "insn", "mem", "memv", "end" };
    for (int i = 0; i < 4; i++)
        snprintf(t->names[i], sizeof(t->names[i]), "probe-trace.%s.%" PRIxPTR, what[i], (uintptr_t)t);
    const oryx_helper rows[] = {
        { t->names[0], "void(vcpu,u64)", effects, (void (*)(void))do_insn },
        { t->names[1], "void(vcpu,u64,u64,u64,u32)", "", (void (*)(void))do_mem },
        { t->names[2], "void(vcpu,u64,u64,v128,u32)", "", (void (*)(void))do_access },
        { t->names[3], "void(vcpu,u64)", effects, (void (*)(void))do_end },
    };
    int32_t id = s == ORYX_OK ? host->helper_add(m, rows, 4, sizeof(rows[0]), err) : 0;
    if (s == ORYX_OK && id < 0)
        s = id;
    if (s != ORYX_OK) {
        destroy(t);
        return s;
    }
    t->helper = (uint32_t)id;
    *self = t;
    return ORYX_OK;
}

static const oryx_probe_ops probe = {
    .hdr = ORYX_HDR(oryx_probe_ops),
    .name = "trace",
    .create = create,
    .destroy = destroy,
    .insn = on_insn,
    .mem = on_mem,
    .exception = on_exception,
    .finish = finish,
    .vcpu_gone = vcpu_gone,
};

static const void *get(const char *interface, const char *cls)
{
    return strcmp(interface, ORYX_PROBE_ID) == 0 && strcmp(cls, "trace") == 0 ? &probe : NULL;
}

static const oryx_plugin_ops ops = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)host;
    (void)err;
    *out = &ops;
    return ORYX_OK;
}
