/* Saving the state of a machine to a file: see snapshot_file.h for the format.
 * Owns: the file while it is written. Called by: the ABI (oryx_snapshot_save).
 * Invariant: the file that was there stays as it is until the new one is complete and on disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor.h"
#include "snapshot_file.h"

#define BUFFER (1u << 18)

struct writer {
    oryx_machine *m;
    oryx_error *err;
    const char *path;
    int fd;
    int failed;     /* errno of the first failure */
    uint64_t at;    /* bytes of the file, those in the buffer included */
    uint32_t n_buffer, sections;
    XXH3_state_t *sum;
    uint64_t head_at, payload_at; /* of the section under way */
    uint32_t version, name_len;
    uint8_t buffer[BUFFER];
};

static void flush(struct writer *w)
{
    for (uint32_t done = 0; done < w->n_buffer && !w->failed;) {
        ssize_t n = write(w->fd, w->buffer + done, w->n_buffer - done);
        if (n > 0)
            done += (uint32_t)n;
        else if (n == 0 || errno != EINTR)
            w->failed = n ? errno : EIO;
    }
    w->n_buffer = 0;
}

static void put(struct writer *w, const void *bytes, uint64_t n)
{
    const uint8_t *from = bytes;
    w->at += n;
    while (n && !w->failed) {
        uint32_t k = (uint32_t)MIN(n, BUFFER - w->n_buffer);
        memcpy(w->buffer + w->n_buffer, from, k);
        w->n_buffer += k;
        from += k;
        n -= k;
        if (w->n_buffer == BUFFER)
            flush(w);
    }
}

static void put_summed(struct writer *w, const void *bytes, uint64_t n)
{
    XXH3_64bits_update(w->sum, bytes, n);
    put(w, bytes, n);
}

static void put_at(struct writer *w, uint64_t at, const uint8_t *bytes, size_t n)
{
    flush(w);
    if (!w->failed && pwrite(w->fd, bytes, n, (off_t)at) != (ssize_t)n)
        w->failed = errno ? errno : EIO;
}

static void begin(struct writer *w, uint32_t version, const char *name)
{
    uint8_t head[ORYX__SECTION_HEAD] = {0};
    w->version = version;
    w->name_len = (uint32_t)strlen(name);
    w->head_at = w->at;
    XXH3_64bits_reset(w->sum);
    put(w, head, sizeof(head)); /* known at the end */
    put_summed(w, name, w->name_len);
    w->payload_at = w->at;
    w->sections++;
}

static void end(struct writer *w)
{
    uint8_t head[ORYX__SECTION_HEAD] = {0}, sum[8];
    oryx__put32(head, ORYX__SECTION_MARK);
    oryx__put32(head + 4, w->name_len);
    oryx__put32(head + 8, w->version);
    oryx__put64(head + 16, w->at - w->payload_at);
    XXH3_64bits_update(w->sum, head + 8, 4);
    XXH3_64bits_update(w->sum, head + 16, 8);
    oryx__put64(sum, XXH3_64bits_digest(w->sum));
    put(w, sum, sizeof(sum));
    put_at(w, w->head_at, head, sizeof(head));
}

/* The payload of the section under way, and its end. */
static void put_json(struct writer *w, oryx_json_out *o)
{
    char *text = oryx_json_done(o);
    if (text)
        put_summed(w, text, strlen(text));
    else
        w->failed = ENOMEM;
    end(w);
    free(text);
}

/* --- sections ----------------------------------------------------------------------------------- */

static void save_machine(struct writer *w)
{
    oryx_json_out o = {0};
    oryx_json_open(&o, NULL, "{");
    oryx_json_add_text(&o, "arch", w->m->arch->name);
    oryx_json_add(&o, "skipped", atomic_load(&w->m->skipped));
    oryx_json_add(&o, "vcpus", w->m->vcpus->len);
    oryx_json_close(&o, "}");
    begin(w, 1, "machine");
    put_json(w, &o);
}

static void save_regions(struct writer *w, const struct oryx__tree *t)
{
    oryx_json_out o = {0};
    GHashTable *index = g_hash_table_new(NULL, NULL);
    for (uint64_t i = 0; i < t->n; i++)
        if (!g_hash_table_insert(index, t->rows[i].region, GSIZE_TO_POINTER(i)))
            w->failed = ENOMEM;
    oryx_json_open(&o, NULL, "[");
    for (uint64_t i = 0; i < t->n; i++) {
        const struct oryx__tree_row *row = &t->rows[i];
        oryx_json_open(&o, NULL, "{");
        oryx_json_add_text(&o, "name", row->name);
        oryx_json_add_text(&o, "type", row->region->type);
        oryx_json_add(&o, "last", row->last);
        if (!row->parent || row->parent->space)
            oryx_json_add_text(&o, "parent", row->parent ? row->parent->space->name : NULL);
        else
            oryx_json_add(&o, "parent", GPOINTER_TO_SIZE(g_hash_table_lookup(index, row->parent)));
        oryx_json_add(&o, "offset", row->offset);
        oryx_json_add_signed(&o, "priority", row->priority);
        oryx_json_add(&o, "order", row->added);
        oryx_json_add(&o, "enabled", row->enabled);
        oryx_json_add(&o, "prot", row->prot);
        oryx_json_add(&o, "mode", row->mode);
        oryx_json_close(&o, "}");
    }
    oryx_json_close(&o, "]");
    g_hash_table_destroy(index);
    begin(w, 1, "regions");
    put_json(w, &o);
}

/* Only where there is something to say: readers that do not know the section can then read most files. */
static void save_roots(struct writer *w, const struct oryx__tree *t)
{
    oryx_json_out all = {0};
    int any = 0;
    oryx_json_open(&all, NULL, "[");
    for (guint i = 0; i < t->n_roots; i++) {
        const struct oryx__tree_root *root = &t->roots[i];
        if (root->enabled && root->prot == ORYX_PROT_ALL)
            continue;
        oryx_json_open(&all, NULL, "[");
        oryx_json_add_text(&all, NULL, root->region->space->name);
        oryx_json_add(&all, NULL, root->enabled);
        oryx_json_add(&all, NULL, root->prot);
        oryx_json_close(&all, "]");
        any = 1;
    }
    oryx_json_close(&all, "]");
    if (any) {
        begin(w, 1, "roots");
        put_json(w, &all);
    } else {
        free(all.text);
    }
}

#define NAME_SIZE 512u /* and no longer: the loader's limit */

static void begin_numbered(struct writer *w, uint32_t version, const char *kind, uint64_t i, const char *name)
{
    char full[NAME_SIZE];
    if (snprintf(full, sizeof(full), "%s/%" PRIu64 "%s%s", kind, i, name ? "/" : "", name ? name : "") >= (int)sizeof(full))
        w->failed = ENAMETOOLONG;
    begin(w, version, full);
}

static void save_region_states(struct writer *w, const struct oryx__tree *t)
{
    uint32_t version, low, high;
    const char *id;
    for (uint64_t i = 0; i < t->n; i++) {
        if (!t->rows[i].json)
            continue;
        oryx__state_versions(w->m, ORYX_REGION_ID, t->rows[i].region->type, &version, &low, &high, &id);
        begin_numbered(w, version, "region-state", i, t->rows[i].name);
        put_summed(w, t->rows[i].json, strlen(t->rows[i].json));
        end(w);
    }
}

static void save_vcpu(struct writer *w, guint i)
{
    const oryx_vcpu *v = w->m->vcpus->pdata[i];
    const oryx_cpu *cpu = v->cpu;
    oryx_json_out o = {0};
    uint32_t version, low, high;
    const char *id;
    oryx_json_open(&o, NULL, "{");
    oryx__state_versions(w->m, ORYX_ARCH_ID, w->m->arch->name, &version, &low, &high, &id);
    oryx_json_add_text(&o, "model", v->model ? v->model->name : "");
    oryx_json_add(&o, "insns", v->insns);
    oryx_json_add(&o, "flags", cpu->fp.flags);
    oryx_json_add(&o, "irq", __atomic_load_n(&cpu->irq, __ATOMIC_SEQ_CST));
    oryx_json_add(&o, "alarm", (atomic_load(&v->requests) & ORYX__REQ_ALARM) != 0);
    const uint64_t monitor[] = {(uint64_t)oryx__monitor_valid(v), cpu->monitor.addr, cpu->monitor.size, cpu->monitor.value.lo,
                                cpu->monitor.value.hi};
    oryx_json_add_list(&o, "monitor", monitor, 5);
    oryx_json_close(&o, "}");
    char *text = oryx_json_done(&o);
    if (!text)
        w->failed = ENOMEM;
    begin_numbered(w, version, "vcpu", i, NULL);
    put_summed(w, text ? text : "", text ? strlen(text) + 1 : 0);
    put_summed(w, cpu->state, w->m->arch->state_size);
    end(w);
    free(text);
}

static void save_devices(struct writer *w, const struct oryx__device_states *s)
{
    uint32_t version, low, high;
    const char *id;
    for (guint i = 0; s && i < s->n; i++) {
        const struct oryx__device_row *row = &s->rows[i];
        oryx_json_out o = {0};
        oryx_json_open(&o, NULL, "{");
        oryx_json_add_text(&o, "class", row->cls);
        oryx_json_add(&o, "alarm", row->alarm);
        oryx_json_open(&o, "outputs", "[");
        for (guint k = 0; k < row->outputs->len; k++) {
            const struct oryx__out_row *out = &g_array_index(row->outputs, struct oryx__out_row, k);
            oryx_json_add_list(&o, NULL, (const uint64_t[]){out->line, out->level}, 2);
        }
        oryx_json_close(&o, "]");
        oryx_json_open(&o, "inputs", "[");
        for (guint k = 0; k < row->inputs->len; k++) {
            const struct oryx__in_row *in = &g_array_index(row->inputs, struct oryx__in_row, k);
            oryx_json_add_list(&o, NULL, (const uint64_t[]){in->line, in->outside, in->told, in->rose}, 4);
        }
        oryx_json_close(&o, "]");
        if (row->json)
            oryx_json_add_text(&o, "state", row->json);
        oryx__state_versions(w->m, strcmp(row->cls, "vcpu") ? ORYX_DEVICE_ID : NULL, row->cls, &version, &low, &high, &id);
        oryx_json_close(&o, "}");
        begin_numbered(w, version, "device", i, row->name);
        put_json(w, &o);
    }
    oryx_json_out wires = {0};
    oryx_json_open(&wires, NULL, "[");
    for (guint i = 0; s && i < s->n_wires; i++) {
        const struct oryx__wire_row *r = &s->wires[i];
        oryx_json_add_list(&wires, NULL, (const uint64_t[]){r->from, r->line, r->to, r->input, r->level}, 5);
    }
    oryx_json_close(&wires, "]");
    begin(w, 1, "wires");
    put_json(w, &wires);
}

static int is_zero(const uint8_t *p, uint64_t n)
{
    return !p[0] && (n == 1 || !memcmp(p, p + 1, n - 1));
}

static uint64_t page_size(uint64_t last, uint64_t page)
{
    return MIN(last - (page << ORYX_PAGE_BITS), ORYX__PAGE_MASK) + 1;
}

static void save_memory(struct writer *w, uint64_t row, oryx_region *r)
{
    static const uint8_t zeros[ORYX_PAGE_SIZE];
    const uint8_t *host = oryx__region_host(r);
    uint64_t pages = (r->last >> ORYX_PAGE_BITS) + 1;
    uint8_t number[16];
    begin_numbered(w, 1, "memory", row, r->name);
    oryx__put64(number, r->last);
    put_summed(w, number, 8);
    for (uint64_t p = 0; host && p < pages && !w->failed;) {
        uint64_t n = 0;
        while (p < pages && is_zero(host + (p << ORYX_PAGE_BITS), page_size(r->last, p)))
            p++;
        while (p + n < pages && n < 4096 && !is_zero(host + ((p + n) << ORYX_PAGE_BITS), page_size(r->last, p + n)))
            n++;
        if (!n)
            break;
        oryx__put64(number, p);
        oryx__put64(number + 8, n);
        put_summed(w, number, 16);
        uint64_t bytes = MIN(r->last - (p << ORYX_PAGE_BITS), (n << ORYX_PAGE_BITS) - 1) + 1;
        put_summed(w, host + (p << ORYX_PAGE_BITS), bytes);
        put_summed(w, zeros, (n << ORYX_PAGE_BITS) - bytes);
        p += n;
    }
    oryx__put64(number, 0);
    oryx__put64(number + 8, 0);
    put_summed(w, number, 16);
    end(w);
}

/* --- the file ----------------------------------------------------------------------------------- */

static oryx_status write_all(struct writer *w, const oryx_snapshot_config *c)
{
    oryx_machine *m = w->m;
    const char *const *exclude = c && ORYX_HAS(c, exclude) ? c->exclude : NULL;
    int skip = c && ORYX_HAS(c, flags) && (c->flags & ORYX_SNAPSHOT_SKIP);
    struct oryx__device_states *devices = NULL;
    struct oryx__tree *tree = NULL;
    uint8_t header[ORYX__FILE_HEADER] = {0};
    oryx_status st = oryx__device_states_take(m, exclude, skip, &devices, w->err);
    if (!st)
        st = oryx__tree_take(m, &tree, w->err);
    for (uint64_t i = 0; !st && i < tree->n; i++) {
        int one = oryx__snapshot_region(tree->rows[i].region, exclude, skip, w->err);
        st = one < 0 ? one : ORYX_OK;
    }
    if (!st) {
        put(w, header, sizeof(header));
        save_machine(w);
        save_regions(w, tree);
        save_roots(w, tree);
        save_region_states(w, tree);
        for (guint i = 0; i < m->vcpus->len; i++)
            save_vcpu(w, i);
        save_devices(w, devices);
        for (uint64_t i = 0; i < tree->n; i++)
            if (oryx__snapshot_region(tree->rows[i].region, exclude, 1, NULL) == 1)
                save_memory(w, i, tree->rows[i].region);
        memcpy(header, ORYX__FILE_MAGIC, 8);
        oryx__put32(header + 8, ORYX__FILE_VERSION);
        oryx__put32(header + 12, w->sections);
        oryx__put64(header + 16, w->at);
        oryx__put64(header + 24, XXH3_64bits(header, 24));
        put_at(w, 0, header, sizeof(header));
    }
    oryx__tree_drop(tree);
    oryx__device_states_drop(devices);
    return st;
}

/* The name to save under: through links, as the new file takes the old one's place by a rename. What is there and is no regular file (a
 * device, a pipe, a folder) must not be replaced. */
static oryx_status target_of(const char *path, char *real, oryx_error *err)
{
    struct stat s;
    if (lstat(path, &s) == 0 && S_ISLNK(s.st_mode)) {
        if (!realpath(path, real))
            return oryx__error(err, ORYX_E_IO, "snapshot file %s: cannot be made: %s", path, strerror(errno));
    } else if (g_strlcpy(real, path, PATH_MAX) >= PATH_MAX) {
        return oryx__error(err, ORYX_E_IO, "snapshot file %.60s...: cannot be made: %s", path, strerror(ENAMETOOLONG));
    }
    if (stat(real, &s) == 0 && !S_ISREG(s.st_mode))
        return oryx__error(err, ORYX_E_IO, "snapshot file %s: it is there and no regular file; name another", path);
    return ORYX_OK;
}

static oryx_status save(oryx_machine *m, const oryx_snapshot_config *c, const char *name, oryx_error *err)
{
    char path[PATH_MAX];
    if (target_of(name, path, err))
        return ORYX_E_IO;
    char *temporary = oryx__strf("%s.%ld.new", path, (long)getpid());
    struct writer *w = temporary ? oryx__alloc(sizeof(*w)) : NULL;
    oryx_status st = ORYX_OK;
    if (w) {
        *w = (struct writer){.m = m, .err = err, .path = path, .fd = -1, .sum = XXH3_createState()};
        w->fd = w->sum ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
    }
    if (!w || !w->sum)
        st = oryx__error(err, ORYX_E_NOMEM, "snapshot file %s: out of memory", path);
    else if (w->fd < 0)
        st = oryx__error(err, ORYX_E_IO, "snapshot file %s: cannot be made: %s", path, strerror(errno));
    if (!st) {
        st = write_all(w, c);
        flush(w);
        if (!st && !w->failed && fsync(w->fd) && errno != EINVAL && errno != EROFS)
            w->failed = errno;
        if (close(w->fd) && !w->failed)
            w->failed = errno;
        if (!st && !w->failed && rename(temporary, path))
            w->failed = errno;
        if (!st && w->failed)
            st = oryx__error(err, ORYX_E_IO, "snapshot file %s: cannot be written: %s; %s", path, strerror(w->failed),
                             w->failed == ENOSPC ? "make room, the old file is as it was" : "the old file is as it was");
        if (st)
            unlink(temporary);
    }
    if (w)
        XXH3_freeState(w->sum);
    oryx__free(w);
    oryx__free(temporary);
    return st;
}

oryx_status oryx_snapshot_save(oryx_machine *m, const oryx_snapshot_config *config, const char *path, oryx_error *err)
{
    if (!m || !path)
        return oryx__error(err, ORYX_E_INVALID, "snapshot_save: machine and path must not be NULL");
    if (err)
        err->code = ORYX_OK;
    pthread_mutex_lock(&m->lock);
    oryx_status st = oryx__snapshot_quiet(m, "save", err);
    if (!st)
        st = save(m, config, path, err);
    pthread_mutex_unlock(&m->lock);
    return st;
}
