/* Quirks that pass accesses on and do something beside: "log", "latency", "fault".
 * Owns: the log's ring and file, the counts and the random state of faults. Called by:
 * region_quirk.c.
 * Invariant: the access beneath is the guest's own, at most once; what a debugger looks at is
 * neither logged nor delayed nor failed. Faults and delays depend on the accesses before and the
 * seed only, so a run repeats. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "quirk.h"

static const char *const on_words[] = {"both", "read", "write", NULL};

static int wanted(int on, const oryx_access *a)
{
    return !on || (on == 2) == (a->write != 0);
}

/* --- log --------------------------------------------------------------------------------------- */

struct entry {
    uint64_t offset, value, pc, vtime;
    uint32_t size, write, attrs, requester;
    oryx_status status;
    int has_pc;
};

struct log {
    FILE *file;
    uint64_t base;
    int on;
    uint64_t n, count; /* of the ring; ever logged into it since it was written */
    struct entry *ring;
    int told; /* of a file that cannot be written */
};

static oryx_status parse_log(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind", "endian", "file", "base", "on", "ring", NULL};
    quirk_obj o = {json, ""};
    const oryx_json *v = oryx_json_get(json, "file");
    const char *file = oryx_json_text(v);
    struct log *l = q->data = calloc(1, sizeof(*l));
    if (!l)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = quirk_number(q, o, "base", 0, 0, UINT64_MAX, &l->base);
    if (!st)
        st = quirk_word(q, o, "on", on_words, &l->on);
    if (!st)
        st = quirk_number(q, o, "ring", 0, 1, 1u << 20, &l->n);
    if (!st && l->n) {
        l->ring = calloc(l->n, sizeof(*l->ring));
        if (!l->ring)
            st = quirk_refuse(q, o, "ring", ORYX_E_NOMEM, "out of memory");
    }
    if (!st && v) {
        l->file = file ? fopen(file, "ae") : NULL;
        if (!l->file)
            st = quirk_refuse(q, o, "file", ORYX_E_IO, "cannot open %s: %s",
                              file ? file : "what is no string", strerror(file ? errno : EINVAL));
    }
    return st;
}

static void print(const quirk *q, const struct log *l, const struct entry *e)
{
    FILE *f = l->file ? l->file : stderr;
    fprintf(f, "%s: %s%" PRIu32 " 0x%" PRIx64 " %s 0x%" PRIx64, q->name, e->write ? "write" : "read",
            e->size * 8, l->base + e->offset, e->write ? "<-" : "->", e->value);
    if (e->has_pc)
        fprintf(f, " pc 0x%" PRIx64, e->pc);
    else if (e->attrs & ORYX_ATTR_DMA)
        fprintf(f, " dma %" PRIu32, e->requester);
    if (e->status)
        fprintf(f, " %s", q->host->status_text(e->status));
    fputc('\n', f);
}

/* Under the lock. What could not be written is said once; the guest goes on. */
static void flushed(const quirk *q, struct log *l)
{
    if (!fflush(l->file ? l->file : stderr) || !l->file || l->told)
        return;
    fprintf(stderr, "quirk region '%s': the log cannot be written: %s\n", q->name, strerror(errno));
    l->told = 1;
}

/* Under the lock. */
static void ring_write(const quirk *q, struct log *l)
{
    uint64_t first = l->count > l->n ? l->count - l->n : 0;
    for (uint64_t i = first; i < l->count; i++)
        print(q, l, &l->ring[i % l->n]);
    l->count = 0;
    flushed(q, l);
}

static oryx_status log_access(quirk *q, oryx_access *a)
{
    struct log *l = q->data;
    oryx_status st = quirk_below(q, a);
    if ((a->attrs & ORYX_ATTR_DEBUG) || !wanted(l->on, a))
        return st;
    struct entry e = {.offset = a->offset,
                      .value = a->value,
                      .vtime = a->vtime,
                      .size = a->size,
                      .write = a->write,
                      .attrs = a->attrs,
                      .requester = a->requester,
                      .status = st,
                      .has_pc = a->vcpu != NULL};
    if (a->vcpu)
        e.pc = q->host->vcpu_pc(a->vcpu);
    pthread_mutex_lock(&q->lock);
    if (l->ring) {
        l->ring[l->count++ % l->n] = e;
        if (st)
            ring_write(q, l);
    } else {
        print(q, l, &e);
        flushed(q, l);
    }
    pthread_mutex_unlock(&q->lock);
    return st;
}

static void log_reset(quirk *q)
{
    pthread_mutex_lock(&q->lock);
    ring_write(q, q->data);
    pthread_mutex_unlock(&q->lock);
}

static void log_fini(quirk *q)
{
    struct log *l = q->data;
    if (!l)
        return;
    if (l->ring)
        ring_write(q, l);
    if (l->file)
        fclose(l->file);
    free(l->ring);
}

const quirk_kind quirk_log = {"log", 1, parse_log, log_access, log_reset, log_fini, NULL};

/* --- latency ----------------------------------------------------------------------------------- */

struct latency {
    uint64_t offset, size, read_ns, write_ns;
};

static oryx_status parse_latency(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind",   "endian",  "offset",
                                       "size", "read_ns", "write_ns", NULL};
    quirk_obj o = {json, ""};
    struct latency *l = q->data = calloc(1, sizeof(*l));
    if (!l)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = quirk_number(q, o, "offset", 0, 0, q->last, &l->offset);
    l->size = q->last - l->offset + 1;
    if (!st)
        st = quirk_number(q, o, "size", 0, 1, l->size ? l->size : UINT64_MAX, &l->size);
    l->size = l->size ? l->size : UINT64_MAX;
    if (!st)
        st = quirk_number(q, o, "read_ns", 0, 0, 1000000000000, &l->read_ns);
    if (!st)
        st = quirk_number(q, o, "write_ns", 0, 0, 1000000000000, &l->write_ns);
    if (!st && !l->read_ns && !l->write_ns)
        st = quirk_refuse(q, o, "", ORYX_E_FORMAT, "give \"read_ns\", \"write_ns\" or both");
    return st;
}

/* The time passes first: what is beneath sees the access when it arrives. */
static oryx_status latency_access(quirk *q, oryx_access *a)
{
    const struct latency *l = q->data;
    uint64_t ns = a->write ? l->write_ns : l->read_ns;
    if (!ns || (a->attrs & ORYX_ATTR_DEBUG) || !quirk_touches(a, l->offset, l->size))
        return quirk_below(q, a);
    q->host->machine_advance(q->host->region_machine(q->region), ns);
    a->vtime += ns;
    return quirk_below(q, a);
}

const quirk_kind quirk_latency = {"latency", 1, parse_latency, latency_access, NULL, NULL, NULL};

/* --- faults ------------------------------------------------------------------------------------ */

enum { BY_DEVICE, BY_DECODE, BY_BITS };

struct fault {
    uint64_t offset, size, every, after, count, limit, seed, xor_;
    uint64_t threshold; /* of a 64-bit draw; 0: not by chance */
    int on, result;
    uint64_t seen, done, rng;
};

static oryx_status parse_chance(quirk *q, quirk_obj o, struct fault *f)
{
    const oryx_json *v = oryx_json_get(o.json, "probability");
    if (!v)
        return ORYX_OK;
    double p = v->type == ORYX_JSON_DOUBLE || v->type == ORYX_JSON_INT ? v->d
                   : -1;
    if (!(p > 0 && p <= 1))
        return quirk_refuse(q, o, "probability", ORYX_E_RANGE, "must be more than 0 and at most 1");
    if (f->every)
        return quirk_refuse(q, o, "probability", ORYX_E_INVALID, "give \"every\" or \"probability\", not both");
    f->threshold = p >= 1 ? UINT64_MAX : (uint64_t)(p * 18446744073709551616.0);
    return ORYX_OK;
}

static void fault_reset(quirk *q)
{
    struct fault *f = q->data;
    pthread_mutex_lock(&q->lock);
    f->seen = f->done = 0;
    f->rng = f->seed;
    pthread_mutex_unlock(&q->lock);
}

static oryx_status parse_fault(quirk *q, const oryx_json *json)
{
    static const char *const keys[] = {"kind",  "endian", "offset", "size",        "on",   "every",
                                       "after", "count",  "xor",    "probability", "seed", "result",
                                       NULL};
    static const char *const results[] = {"device", "decode", "bits", NULL};
    quirk_obj o = {json, ""};
    struct fault *f = q->data = calloc(1, sizeof(*f));
    if (!f)
        return quirk_refuse(q, o, "", ORYX_E_NOMEM, "out of memory");
    f->limit = UINT64_MAX;
    f->seed = 1;
    oryx_status st = quirk_known(q, o, keys);
    if (!st)
        st = quirk_number(q, o, "offset", 0, 0, q->last, &f->offset);
    f->size = q->last - f->offset + 1;
    if (!st)
        st = quirk_number(q, o, "size", 0, 1, f->size ? f->size : UINT64_MAX, &f->size);
    f->size = f->size ? f->size : UINT64_MAX;
    if (!st)
        st = quirk_word(q, o, "on", on_words, &f->on);
    if (!st)
        st = quirk_number(q, o, "every", 0, 1, UINT64_MAX, &f->every);
    if (!st)
        st = quirk_number(q, o, "after", 0, 0, UINT64_MAX, &f->after);
    if (!st)
        st = quirk_number(q, o, "count", 0, 1, UINT64_MAX, &f->limit);
    if (!st)
        st = quirk_number(q, o, "seed", 0, 0, UINT64_MAX, &f->seed);
    if (!st)
        st = quirk_number(q, o, "xor", 0, 1, UINT64_MAX, &f->xor_);
    if (!st)
        st = quirk_word(q, o, "result", results, &f->result);
    return st ? st : parse_chance(q, o, f);
}

/* splitmix64: any seed will do. */
static uint64_t draw(struct fault *f)
{
    uint64_t z = f->rng += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Does this access fail? *bits: which are wrong then. */
static int strikes(quirk *q, struct fault *f, const oryx_access *a, uint64_t *bits)
{
    int hit = 0;
    pthread_mutex_lock(&q->lock);
    uint64_t n = f->seen++;
    if (n >= f->after && f->done < f->limit) {
        n -= f->after;
        hit = f->threshold ? draw(f) < f->threshold : (n + 1) % (f->every ? f->every : 1) == 0;
    }
    f->done += (uint64_t)hit;
    *bits = f->xor_ ? f->xor_ : hit && f->result == BY_BITS ? (uint64_t)1 << draw(f) % (8 * a->size) : 0;
    pthread_mutex_unlock(&q->lock);
    return hit;
}

static oryx_status fault_access(quirk *q, oryx_access *a)
{
    struct fault *f = q->data;
    uint64_t bits, low = a->size == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * a->size) - 1;
    if ((a->attrs & ORYX_ATTR_DEBUG) || !wanted(f->on, a) || !quirk_touches(a, f->offset, f->size) ||
        !strikes(q, f, a, &bits))
        return quirk_below(q, a);
    if (f->result != BY_BITS)
        return f->result == BY_DEVICE ? ORYX_FAULT_DEVICE : ORYX_FAULT_DECODE;
    oryx_access wrong = *a;
    if (a->write)
        wrong.value ^= bits & low;
    oryx_status st = quirk_below(q, &wrong);
    if (!st && !a->write)
        a->value = wrong.value ^ (bits & low);
    return st;
}

static uint64_t *fault_word(quirk *q, uint32_t i)
{
    struct fault *f = q->data;
    return i == 0 ? &f->seen : i == 1 ? &f->done : i == 2 ? &f->rng : NULL;
}

const quirk_kind quirk_fault = {"fault", 1, parse_fault, fault_access, fault_reset, NULL, fault_word};
