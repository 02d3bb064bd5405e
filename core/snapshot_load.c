/* Loading a saved state into a machine: see snapshot_file.h for the format.
 * Owns: what was read of the file. Called by: the ABI (oryx_snapshot_load).
 * Invariant: the whole file is read and checked, and matched with the machine, before anything changes; what fails after
 * that is put back from a snapshot that was taken first. Nothing in the file is believed: it may have been made to harm. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor.h"
#include "snapshot_file.h"

#define NAME_MAX_LEN 512u
#define TEXT_MAX     (64u << 20) /* bytes of a section that is kept in memory */
#define SECTIONS_MAX (1u << 20)
#define BUFFER       (1u << 18)
#define ORDER_MAX    ((uint64_t)1 << 48)

struct section {
    char *name;
    uint32_t version;
    uint64_t at, len; /* of the payload */
    uint64_t sum;
    uint8_t *bytes; /* with a zero behind; NULL: memory, read when it is needed */
    int used;
};

struct image {
    oryx_machine *m;
    oryx_error *err;
    const char *path;
    int fd;
    uint64_t size, skipped;
    struct section *sections;
    uint32_t n;
    struct oryx__tree *tree;
    struct oryx__device_states *devices;
    struct oryx__vcpu_state *vcpus;
    uint32_t n_vcpus;
    uint8_t *buffer;
    XXH3_state_t *sum; /* of the section that is being read */
};

static oryx_status bad(struct image *im, oryx_status st, const char *section, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static oryx_status bad(struct image *im, oryx_status st, const char *section, const char *fmt, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return oryx__error(im->err, st, "snapshot file %s%s%s: %s", im->path, section ? ", section " : "", section ? section : "", text);
}

/* --- reading ------------------------------------------------------------------------------------ */

static oryx_status read_at(struct image *im, uint64_t at, void *to, uint64_t n)
{
    uint8_t *p = to;
    if (at > im->size || n > im->size - at)
        return bad(im, ORYX_E_FORMAT, NULL, "it ends in the middle; it was cut off");
    while (n) {
        ssize_t k = pread(im->fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return bad(im, ORYX_E_IO, NULL, "cannot be read: %s", k ? strerror(errno) : "it became shorter");
        p += k;
        at += (uint64_t)k;
        n -= (uint64_t)k;
    }
    return ORYX_OK;
}

static int is_memory(const char *name)
{
    return !strncmp(name, "memory/", 7);
}

static uint64_t finish_sum(XXH3_state_t *sum, const struct section *s)
{
    uint8_t tail[12];
    oryx__put32(tail, s->version);
    oryx__put64(tail + 4, s->len);
    XXH3_64bits_update(sum, tail, sizeof(tail));
    return XXH3_64bits_digest(sum);
}

static oryx_status check_payload(struct image *im, struct section *s)
{
    oryx_status st = ORYX_OK;
    if (!is_memory(s->name)) {
        if (s->len > TEXT_MAX)
            return bad(im, ORYX_E_FORMAT, s->name, "it is longer than anything of its kind");
        s->bytes = oryx__alloc(s->len + 1);
        if (!s->bytes)
            return bad(im, ORYX_E_NOMEM, s->name, "out of memory");
        st = read_at(im, s->at, s->bytes, s->len);
        XXH3_64bits_update(im->sum, s->bytes, s->len);
        return st;
    }
    for (uint64_t done = 0; done < s->len && !st;) {
        uint64_t n = MIN(s->len - done, BUFFER);
        st = read_at(im, s->at + done, im->buffer, n);
        XXH3_64bits_update(im->sum, im->buffer, n);
        done += n;
    }
    return st;
}

static oryx_status read_section(struct image *im, struct section *s, uint64_t *at)
{
    uint8_t head[ORYX__SECTION_HEAD], sum_bytes[8];
    oryx_status st = read_at(im, *at, head, sizeof(head));
    if (st)
        return st;
    uint32_t name_len = oryx__get32(head + 4);
    s->version = oryx__get32(head + 8);
    s->len = oryx__get64(head + 16);
    if (oryx__get32(head) != ORYX__SECTION_MARK || !name_len || name_len > NAME_MAX_LEN || oryx__get32(head + 12))
        return bad(im, ORYX_E_FORMAT, NULL, "there is no section at byte %" PRIu64 "; it is damaged", *at);
    s->at = *at + sizeof(head) + name_len;
    if (s->at > im->size || s->len > im->size - s->at)
        return bad(im, ORYX_E_FORMAT, NULL, "the section at byte %" PRIu64 " reaches past the end; it was cut off", *at);
    s->name = oryx__alloc(name_len + 1);
    if (!s->name)
        return bad(im, ORYX_E_NOMEM, NULL, "out of memory");
    st = read_at(im, *at + sizeof(head), s->name, name_len);
    for (uint32_t i = 0; i < name_len && !st; i++)
        if ((unsigned char)s->name[i] < 0x20)
            st = bad(im, ORYX_E_FORMAT, NULL, "the section at byte %" PRIu64 " has no name; it is damaged", *at);
    if (st)
        return st;
    XXH3_64bits_reset(im->sum);
    XXH3_64bits_update(im->sum, s->name, name_len);
    st = check_payload(im, s);
    if (!st)
        st = read_at(im, s->at + s->len, sum_bytes, sizeof(sum_bytes));
    s->sum = oryx__get64(sum_bytes);
    if (!st && finish_sum(im->sum, s) != s->sum)
        st = bad(im, ORYX_E_FORMAT, s->name, "its checksum is wrong; the file is damaged");
    *at = s->at + s->len + sizeof(sum_bytes);
    return st;
}

static oryx_status read_file(struct image *im)
{
    uint8_t header[ORYX__FILE_HEADER];
    struct stat info;
    im->fd = open(im->path, O_RDONLY | O_CLOEXEC);
    if (im->fd < 0 || fstat(im->fd, &info))
        return bad(im, errno == ENOENT ? ORYX_E_NOTFOUND : ORYX_E_IO, NULL, "cannot be opened: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return bad(im, ORYX_E_FORMAT, NULL, "it is no regular file");
    im->size = (uint64_t)info.st_size;
    if (im->size < sizeof(header) || read_at(im, 0, header, sizeof(header)) || memcmp(header, ORYX__FILE_MAGIC, 8))
        return bad(im, ORYX_E_FORMAT, NULL, "it is no snapshot of Oryx");
    if (oryx__get64(header + 24) != XXH3_64bits(header, 24))
        return bad(im, ORYX_E_FORMAT, NULL, "the checksum of its header is wrong; it is damaged");
    if (oryx__get32(header + 8) != ORYX__FILE_VERSION)
        return bad(im, ORYX_E_VERSION, NULL, "its format is version %u, this Oryx reads %u; use the Oryx that wrote it",
                   oryx__get32(header + 8), ORYX__FILE_VERSION);
    if (oryx__get64(header + 16) != im->size)
        return bad(im, ORYX_E_FORMAT, NULL, "it has %" PRIu64 " bytes of %" PRIu64 "; it was cut off or joined", im->size,
                   oryx__get64(header + 16));
    uint32_t n = oryx__get32(header + 12);
    if (!n || n > SECTIONS_MAX || n > im->size / ORYX__SECTION_HEAD)
        return bad(im, ORYX_E_FORMAT, NULL, "it cannot hold %u sections; it is damaged", n);
    im->sections = oryx__alloc(n * sizeof(*im->sections));
    im->buffer = oryx__alloc(BUFFER);
    im->sum = XXH3_createState();
    if (!im->sections || !im->buffer || !im->sum)
        return bad(im, ORYX_E_NOMEM, NULL, "out of memory");
    im->n = n;
    uint64_t at = sizeof(header);
    oryx_status st = ORYX_OK;
    for (uint32_t i = 0; i < n && !st; i++)
        st = read_section(im, &im->sections[i], &at);
    if (!st && at != im->size)
        st = bad(im, ORYX_E_FORMAT, NULL, "there is something behind its last section");
    return st;
}

/* --- JSON --------------------------------------------------------------------------------------- */

static struct section *find(struct image *im, const char *name)
{
    for (uint32_t i = 0; i < im->n; i++)
        if (!im->sections[i].used && !strcmp(im->sections[i].name, name))
            return &im->sections[i];
    return NULL;
}

static oryx_status parse(struct image *im, struct section *s, uint32_t type, oryx_json **out)
{
    oryx_json_error why;
    *out = oryx_json_parse((char *)s->bytes, &why);
    if (*out && (*out)->type == type)
        return ORYX_OK;
    free(*out);
    if (!*out && why.no_memory)
        return bad(im, ORYX_E_NOMEM, s->name, "out of memory");
    *out = NULL;
    return bad(im, ORYX_E_FORMAT, s->name, "it is not the JSON it should be");
}

static int member(const oryx_json *o, const char *key, uint64_t max, uint64_t *out)
{
    return oryx_json_unsigned(oryx_json_get(o, key), max, out);
}

static const char *text(const oryx_json *o, const char *key)
{
    return oryx_json_text(oryx_json_get(o, key));
}

/* A list of exactly n numbers. */
static int numbers(const oryx_json *o, uint64_t *out, size_t n)
{
    if (!oryx_json_is(o, ORYX_JSON_ARRAY) || o->n != n)
        return 0;
    for (const oryx_json *v = o->first; v; v = v->next)
        if (!oryx_json_unsigned(v, UINT64_MAX, out++))
            return 0;
    return 1;
}

static oryx_status versions(struct image *im, const struct section *s, const char *interface, const char *cls)
{
    uint32_t version, low, high;
    const char *id;
    oryx__state_versions(im->m, interface, cls, &version, &low, &high, &id);
    if (s->version >= low && s->version <= high)
        return ORYX_OK;
    return bad(im, ORYX_E_VERSION, s->name, "its state is version %u, and %s%s here reads %u to %u: %s", s->version,
               interface ? "plugin " : "", id, low, high,
               s->version > high ? "install a newer one" : "load it with the older one and save it again");
}

/* --- matching with the machine ------------------------------------------------------------------------ */

static oryx_status match_machine(struct image *im)
{
    struct section *s = find(im, "machine");
    oryx_json *o = NULL;
    uint64_t vcpus = 0;
    if (!s)
        return bad(im, ORYX_E_FORMAT, NULL, "it lacks the section 'machine'");
    s->used = 1;
    oryx_status st = s->version == 1 ? parse(im, s, ORYX_JSON_OBJECT, &o)
                                     : bad(im, ORYX_E_VERSION, s->name, "version %u is unknown", s->version);
    const char *arch = st ? NULL : text(o, "arch");
    if (!st && (!arch || !member(o, "skipped", UINT64_MAX, &im->skipped) || !member(o, "vcpus", UINT32_MAX, &vcpus)))
        st = bad(im, ORYX_E_FORMAT, s->name, "a member is missing or out of range");
    else if (!st && strcmp(arch, im->m->arch->name))
        st = bad(im, ORYX_E_STATE, s->name, "it is of an %.32s machine, this one is %s", arch, im->m->arch->name);
    else if (!st && vcpus != im->m->vcpus->len)
        st = bad(im, ORYX_E_STATE, s->name, "it has %" PRIu64 " vCPUs, this machine %u", vcpus, im->m->vcpus->len);
    free(o);
    return st;
}

static oryx_region *parent_of(struct image *im, const oryx_json *v, uint64_t n, int *ok)
{
    uint64_t row;
    *ok = 1;
    if (v->type == ORYX_JSON_NULL)
        return NULL;
    if (v->text) {
        oryx_space *space = oryx_space_get(im->m, v->text);
        *ok = space != NULL;
        return space ? space->root : NULL;
    }
    *ok = oryx_json_unsigned(v, n - 1, &row);
    return *ok ? im->tree->rows[row].region : NULL;
}

struct ordered {
    uint64_t order;
    struct oryx__tree_row *row;
};

static int by_order(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    return x->order != y->order ? (x->order > y->order) - (x->order < y->order) : (x->row > y->row) - (x->row < y->row);
}

static oryx_status match_row(struct image *im, struct section *s, uint64_t i, const oryx_json *o, uint64_t *order)
{
    struct oryx__tree_row *row = &im->tree->rows[i];
    const char *name = text(o, "name"), *type = text(o, "type");
    uint64_t enabled, prot, mode;
    const oryx_json *parent = oryx_json_get(o, "parent"), *priority = oryx_json_get(o, "priority");
    int ok;
    if (!name || !type || !member(o, "last", UINT64_MAX, &row->last) || !member(o, "offset", UINT64_MAX, &row->offset) ||
        !member(o, "order", ORDER_MAX, order) || !member(o, "enabled", 1, &enabled) || !member(o, "prot", ORYX_PROT_ALL, &prot) ||
        !member(o, "mode", ORYX_MODE_CALLBACK, &mode) || !parent ||
        !oryx_json_is(priority, ORYX_JSON_INT) || (int64_t)priority->u != (int32_t)priority->u)
        return bad(im, ORYX_E_FORMAT, s->name, "row %" PRIu64 ": a member is missing or out of range", i);
    if (strcmp(name, row->region->name) || strcmp(type, row->region->type))
        return bad(im, ORYX_E_STATE, s->name, "region %" PRIu64 " is '%.64s' (%.32s), that of this machine is '%.64s' (%s)", i, name,
                   type, row->region->name, row->region->type);
    row->parent = parent_of(im, parent, im->tree->n, &ok);
    if (!ok)
        return bad(im, ORYX_E_FORMAT, s->name, "region '%.64s' is in something that does not exist", name);
    row->priority = (int32_t)priority->u;
    row->enabled = (uint32_t)enabled;
    row->prot = (uint32_t)prot;
    row->mode = (uint32_t)mode;
    return ORYX_OK;
}

/* The tree of the machine as it is, changed to what the file says. */
static oryx_status match_regions(struct image *im)
{
    struct section *s = find(im, "regions");
    oryx_json *all = NULL;
    if (!s)
        return bad(im, ORYX_E_FORMAT, NULL, "it lacks the section 'regions'");
    s->used = 1;
    oryx_status st = s->version == 1 ? parse(im, s, ORYX_JSON_ARRAY, &all)
                                     : bad(im, ORYX_E_VERSION, s->name, "version %u is unknown", s->version);
    if (!st)
        st = oryx__tree_take(im->m, &im->tree, im->err);
    if (!st && all->n != im->tree->n)
        st = bad(im, ORYX_E_STATE, s->name, "it has %u regions, this machine %" PRIu64, all->n, im->tree->n);
    uint64_t n = st ? 0 : im->tree->n;
    struct ordered *order = oryx__alloc((n + 1) * sizeof(*order));
    if (!st && !order)
        st = bad(im, ORYX_E_NOMEM, NULL, "out of memory");
    const oryx_json *v = n ? all->first : NULL;
    for (uint64_t i = 0; i < n && !st; i++, v = v->next) {
        order[i].row = &im->tree->rows[i];
        st = match_row(im, s, i, v, &order[i].order);
    }
    if (!st) {
        /* Numbers that are new to the machine, in the file's order. */
        qsort(order, n, sizeof(*order), by_order);
        for (uint64_t i = 0; i < n; i++)
            order[i].row->added = ++im->m->mem->additions;
        im->tree->foreign = 1;
        im->tree->version = UINT64_MAX;
        for (guint i = 0; i < im->tree->n_roots; i++) {
            im->tree->roots[i].enabled = 1;
            im->tree->roots[i].prot = ORYX_PROT_ALL;
        }
    }
    oryx__free(order);
    free(all);
    return st;
}

/* What is not listed is enabled with every right: so were all roots of files that lack the section. */
static oryx_status match_roots(struct image *im, struct section *s)
{
    oryx_json *all = NULL;
    oryx_status st = s->version == 1 ? parse(im, s, ORYX_JSON_ARRAY, &all)
                                     : bad(im, ORYX_E_VERSION, s->name, "version %u is unknown; use the Oryx that wrote it", s->version);
    size_t i = 0;
    for (const oryx_json *o = st ? NULL : all->first; o && !st; o = o->next, i++) {
        const oryx_json *one = oryx_json_is(o, ORYX_JSON_ARRAY) && o->n == 3 ? o->first : NULL;
        const char *name = oryx_json_text(one);
        uint64_t enabled, prot;
        if (!name || !oryx_json_unsigned(one->next, 1, &enabled) || !oryx_json_unsigned(one->next->next, ORYX_PROT_ALL, &prot)) {
            st = bad(im, ORYX_E_FORMAT, s->name, "row %zu is not a space, enabled and prot, or out of range", i);
            break;
        }
        const oryx_space *space = oryx_space_get(im->m, name);
        struct oryx__tree_root *root = NULL;
        for (guint k = 0; space && k < im->tree->n_roots && !root; k++)
            root = im->tree->roots[k].region == space->root ? &im->tree->roots[k] : NULL;
        if (!root) {
            st = bad(im, ORYX_E_STATE, s->name, "this machine has no space '%.64s'; make it before you load", name);
            break;
        }
        root->enabled = (uint32_t)enabled;
        root->prot = (uint32_t)prot;
    }
    free(all);
    return st;
}

/* "KIND/NUMBER/NAME" or "KIND/NUMBER": the number, and whether the name is what it should be. */
static int row_of_name(const char *name, uint64_t n, uint64_t *row, const char **rest)
{
    char *end;
    const char *at = strchr(name, '/');
    if (!at || at[1] < '0' || at[1] > '9')
        return 0;
    *row = strtoull(at + 1, &end, 10);
    *rest = *end == '/' ? end + 1 : end;
    return (*end == '/' || !*end) && *row < n;
}

static oryx_status match_region_state(struct image *im, struct section *s)
{
    uint64_t i;
    const char *name;
    if (!row_of_name(s->name, im->tree->n, &i, &name) || strcmp(name, im->tree->rows[i].name) || !im->tree->rows[i].json)
        return bad(im, ORYX_E_STATE, s->name, "this machine has no such region with a state");
    oryx_status st = versions(im, s, ORYX_REGION_ID, im->tree->rows[i].region->type);
    if (st)
        return st;
    free(im->tree->rows[i].json);
    im->tree->rows[i].json = strdup((char *)s->bytes);
    im->tree->has_state = 1;
    return im->tree->rows[i].json ? ORYX_OK : bad(im, ORYX_E_NOMEM, s->name, "out of memory");
}

static oryx_status match_vcpu(struct image *im, struct section *s)
{
    uint64_t i, flags, alarm, monitor[5];
    const char *rest, *model;
    oryx_json *o = NULL;
    size_t size = im->m->arch->state_size, at = strlen((char *)s->bytes) + 1;
    if (!row_of_name(s->name, im->m->vcpus->len, &i, &rest) || *rest || im->vcpus[i].vcpu)
        return bad(im, ORYX_E_FORMAT, s->name, "there is no such vCPU");
    oryx_status st = versions(im, s, ORYX_ARCH_ID, im->m->arch->name);
    if (!st)
        st = parse(im, s, ORYX_JSON_OBJECT, &o);
    if (st)
        return st;
    struct oryx__vcpu_state *to = &im->vcpus[i];
    oryx_vcpu *v = im->m->vcpus->pdata[i];
    oryx__vcpu_state_get(v, to);
    if (!(model = text(o, "model")) || !member(o, "insns", INT64_MAX, &to->insns) || !member(o, "flags", UINT32_MAX, &flags) ||
        !member(o, "irq", UINT64_MAX, &to->irq) || !member(o, "alarm", 1, &alarm) ||
        !numbers(oryx_json_get(o, "monitor"), monitor, 5) || monitor[0] > 1 || monitor[2] > 16)
        st = bad(im, ORYX_E_FORMAT, s->name, "a member is missing or out of range");
    else if (strcmp(model, v->model ? v->model->name : ""))
        st = bad(im, ORYX_E_STATE, s->name, "it is of a CPU model '%.64s', this one is '%s'", model, v->model ? v->model->name : "");
    else if (s->len < at || s->len - at != size)
        st = bad(im, ORYX_E_VERSION, s->name, "its registers take another size than those of this frontend; use the one that saved it");
    if (!st) {
        to->fp.flags = (uint32_t)flags;
        to->alarm = alarm ? ORYX__REQ_ALARM : 0;
        to->monitor.active = (uint32_t)monitor[0];
        to->monitor.addr = monitor[1];
        to->monitor.size = (uint32_t)monitor[2];
        to->monitor.value = (oryx_v128){monitor[3], monitor[4]};
        to->slot = NULL;
        memcpy(to->state, s->bytes + at, size);
    }
    free(o);
    return st;
}

static oryx_status match_lines(struct image *im, struct section *s, const oryx_json *o, struct oryx__device_row *row)
{
    const oryx_json *outputs = oryx_json_get(o, "outputs"), *inputs = oryx_json_get(o, "inputs"), *one;
    uint64_t v[4];
    unsigned i = 0;
    if (!oryx_json_is(outputs, ORYX_JSON_ARRAY) || !oryx_json_is(inputs, ORYX_JSON_ARRAY))
        return bad(im, ORYX_E_FORMAT, s->name, "it lacks lines");
    row->outputs->len = row->inputs->len = 0;
    for (one = outputs->first; one; one = one->next, i++) {
        if (!numbers(one, v, 2) || v[0] > UINT32_MAX || v[1] > 1)
            return bad(im, ORYX_E_FORMAT, s->name, "output %u is out of range", i);
        struct oryx__out_row out = {(uint32_t)v[0], (uint32_t)v[1]};
        if (!g_array_append_val(row->outputs, out))
            return bad(im, ORYX_E_NOMEM, s->name, "out of memory");
    }
    for (one = inputs->first, i = 0; one; one = one->next, i++) {
        if (!numbers(one, v, 4) || v[0] > UINT32_MAX || v[1] > 1 || v[2] > 1 || v[3] > 1)
            return bad(im, ORYX_E_FORMAT, s->name, "input %u is out of range", i);
        struct oryx__in_row in = {(uint32_t)v[0], (uint32_t)v[1], 0, (uint32_t)v[2], (uint32_t)v[3]};
        if (!g_array_append_val(row->inputs, in))
            return bad(im, ORYX_E_NOMEM, s->name, "out of memory");
    }
    return ORYX_OK;
}

static oryx_status match_device(struct image *im, struct section *s)
{
    oryx_json *o = NULL;
    struct oryx__device_row *row;
    const char *name, *cls, *state;
    uint64_t i;
    if (!row_of_name(s->name, im->devices ? im->devices->n : 0, &i, &name) || strcmp(name, im->devices->rows[i].name))
        return bad(im, ORYX_E_STATE, s->name, "this machine has no such device");
    row = &im->devices->rows[i];
    oryx_status st = parse(im, s, ORYX_JSON_OBJECT, &o);
    if (!st && (!(cls = text(o, "class")) || strcmp(cls, row->cls)))
        st = bad(im, ORYX_E_STATE, s->name, "it is of another class than '%s'", row->cls);
    if (!st)
        st = versions(im, s, strcmp(row->cls, "vcpu") ? ORYX_DEVICE_ID : NULL, row->cls);
    if (!st && !member(o, "alarm", UINT64_MAX, &row->alarm))
        st = bad(im, ORYX_E_FORMAT, s->name, "its alarm is missing");
    if (!st)
        st = match_lines(im, s, o, row);
    if (!st) {
        free(row->json);
        state = text(o, "state");
        row->json = state ? strdup(state) : NULL;
        if (state && !row->json)
            st = bad(im, ORYX_E_NOMEM, s->name, "out of memory");
    }
    free(o);
    return st;
}

static oryx_status match_wires(struct image *im, struct section *s)
{
    oryx_json *all = NULL;
    uint64_t v[5];
    struct oryx__device_states *d = im->devices;
    oryx_status st = s->version == 1 ? parse(im, s, ORYX_JSON_ARRAY, &all)
                                     : bad(im, ORYX_E_VERSION, s->name, "version %u is unknown", s->version);
    if (!st && all->n != (d ? d->n_wires : 0))
        st = bad(im, ORYX_E_STATE, s->name, "it has %u wires, this machine %u", all->n, d ? d->n_wires : 0);
    const oryx_json *one = st ? NULL : all->first;
    for (guint i = 0; !st && d && i < d->n_wires; i++, one = one->next) {
        struct oryx__wire_row *w = &d->wires[i];
        if (!numbers(one, v, 5) || v[4] > 1)
            st = bad(im, ORYX_E_FORMAT, s->name, "wire %u is out of range", i);
        else if (v[0] != w->from || v[1] != w->line || v[2] != w->to || v[3] != w->input)
            st = bad(im, ORYX_E_STATE, s->name, "wire %u leads elsewhere in this machine", i);
        else
            w->level = (uint32_t)v[4];
    }
    free(all);
    return st;
}

/* How many wires are high at an input is counted, not believed. */
static oryx_status count_inputs(struct image *im)
{
    struct oryx__device_states *d = im->devices;
    for (guint i = 0; d && i < d->n_wires; i++) {
        const struct oryx__wire_row *w = &d->wires[i];
        GArray *inputs = d->rows[w->to].inputs;
        guint k = 0;
        while (k < inputs->len && g_array_index(inputs, struct oryx__in_row, k).line != w->input)
            k++;
        if (k == inputs->len) {
            struct oryx__in_row in = {.line = w->input};
            if (!g_array_append_val(inputs, in))
                return bad(im, ORYX_E_NOMEM, NULL, "out of memory");
        }
        g_array_index(inputs, struct oryx__in_row, k).high += w->level;
    }
    return ORYX_OK;
}

static oryx_status match_memory(struct image *im, struct section *s)
{
    uint8_t number_bytes[16];
    uint64_t row, last, at = 8, next = 0;
    const char *name;
    if (!row_of_name(s->name, im->tree->n, &row, &name) || strcmp(name, im->tree->rows[row].name))
        return bad(im, ORYX_E_STATE, s->name, "this machine has no such region");
    if (s->version != 1 || s->len < 24)
        return bad(im, ORYX_E_VERSION, s->name, "version %u is unknown, or it is too short", s->version);
    if (oryx__snapshot_region(im->tree->rows[row].region, NULL, 0, im->err) != 1)
        return bad(im, ORYX_E_STATE, s->name, "the region's memory cannot be loaded: it has none, it is a device's, or it is shared");
    oryx_status st = read_at(im, s->at, number_bytes, 8);
    last = oryx__get64(number_bytes);
    if (!st && last != im->tree->rows[row].last)
        return bad(im, ORYX_E_FORMAT, s->name, "its size is another than that of the region's row");
    for (uint64_t pages = (last >> ORYX_PAGE_BITS) + 1; !st; at += 16) {
        if (s->len - at < 16)
            return bad(im, ORYX_E_FORMAT, s->name, "its pages end in the middle");
        st = read_at(im, s->at + at, number_bytes, 16);
        uint64_t page = oryx__get64(number_bytes), n = oryx__get64(number_bytes + 8);
        if (!st && !n)
            break;
        if (!st && (page < next || page >= pages || n > pages - page || n > (s->len - at - 16) >> ORYX_PAGE_BITS))
            st = bad(im, ORYX_E_FORMAT, s->name, "it has pages outside the region, or twice");
        next = page + n;
        at += n << ORYX_PAGE_BITS;
    }
    if (!st && at + 16 != s->len)
        st = bad(im, ORYX_E_FORMAT, s->name, "there is something behind its last page");
    return st;
}

static oryx_status match_all(struct image *im)
{
    size_t size = im->m->arch->state_size;
    uint32_t vcpus = im->m->vcpus->len, wires = 0, seen = 0;
    oryx_status st = match_machine(im);
    if (!st)
        st = match_regions(im);
    if (!st)
        st = oryx__device_states_take(im->m, NULL, 1, &im->devices, im->err);
    im->vcpus = oryx__alloc(vcpus * (sizeof(*im->vcpus) + size) + 1);
    if (!st && !im->vcpus)
        st = bad(im, ORYX_E_NOMEM, NULL, "out of memory");
    for (uint32_t i = 0; i < vcpus && !st; i++)
        im->vcpus[i].state = (uint8_t *)&im->vcpus[vcpus] + i * size;
    im->n_vcpus = vcpus;
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    for (uint32_t i = 0; i < im->n && !st; i++) {
        struct section *s = &im->sections[i];
        if (s->used)
            continue;
        s->used = 1;
        if (g_hash_table_contains(names, s->name))
            st = bad(im, ORYX_E_FORMAT, s->name, "it is there twice");
        else if (!g_hash_table_add(names, s->name))
            st = bad(im, ORYX_E_NOMEM, s->name, "out of memory");
        else if (!strcmp(s->name, "roots"))
            st = match_roots(im, s);
        else if (!strncmp(s->name, "region-state/", 13))
            st = match_region_state(im, s);
        else if (!strncmp(s->name, "vcpu/", 5))
            st = match_vcpu(im, s);
        else if (!strncmp(s->name, "device/", 7) && ++seen)
            st = match_device(im, s);
        else if (!strcmp(s->name, "wires") && ++wires)
            st = match_wires(im, s);
        else if (is_memory(s->name))
            st = match_memory(im, s);
        else
            st = bad(im, ORYX_E_VERSION, s->name, "this Oryx does not know it; use the one that wrote the file");
    }
    g_hash_table_destroy(names);
    for (uint32_t i = 0; i < vcpus && !st; i++)
        if (!im->vcpus[i].vcpu)
            st = bad(im, ORYX_E_FORMAT, NULL, "it lacks the section 'vcpu/%u'", i);
    if (!st && !wires)
        st = bad(im, ORYX_E_FORMAT, NULL, "it lacks the section 'wires'");
    if (!st && seen != (im->devices ? im->devices->n : 0))
        st = bad(im, ORYX_E_STATE, NULL, "it has %u devices, this machine %u", seen, im->devices ? im->devices->n : 0);
    return st ? st : count_inputs(im);
}

/* --- putting it in ------------------------------------------------------------------------------------ */

static void put_pages(oryx_region *r, uint64_t *page, uint64_t to, const uint8_t *bytes)
{
    for (; *page < to; ++*page) {
        oryx__cow_write(r, *page, bytes);
        bytes = bytes ? bytes + ORYX_PAGE_SIZE : NULL;
    }
}

/* The section is read a second time: its checksum is looked at again. */
static oryx_status put_memory(struct image *im, const struct section *s)
{
    uint64_t row = 0, at = 0, page = 0;
    uint8_t number_bytes[16];
    const char *name;
    row_of_name(s->name, im->tree->n, &row, &name);
    oryx_region *r = im->tree->rows[row].region;
    uint64_t pages = (r->last >> ORYX_PAGE_BITS) + 1;
    if (!atomic_load(&r->cow))
        return bad(im, ORYX_E_STATE, s->name, "the region is left out of this machine's snapshots; drop them first");
    XXH3_64bits_reset(im->sum);
    XXH3_64bits_update(im->sum, s->name, strlen(s->name));
    oryx_status st = read_at(im, s->at, number_bytes, 8);
    XXH3_64bits_update(im->sum, number_bytes, 8);
    for (at = 8; !st;) {
        st = read_at(im, s->at + at, number_bytes, 16);
        XXH3_64bits_update(im->sum, number_bytes, 16);
        uint64_t first = oryx__get64(number_bytes), n = oryx__get64(number_bytes + 8);
        at += 16;
        if (st || !n)
            break;
        if (first < page || first >= pages || n > pages - first)
            return bad(im, ORYX_E_IO, s->name, "the file changed while it was read");
        put_pages(r, &page, first, NULL);
        while (n && !st) {
            uint64_t k = MIN(n, BUFFER >> ORYX_PAGE_BITS);
            st = read_at(im, s->at + at, im->buffer, k << ORYX_PAGE_BITS);
            if (st)
                break;
            XXH3_64bits_update(im->sum, im->buffer, k << ORYX_PAGE_BITS);
            put_pages(r, &page, page + k, im->buffer);
            at += k << ORYX_PAGE_BITS;
            n -= k;
        }
    }
    if (!st)
        put_pages(r, &page, pages, NULL);
    if (!st && finish_sum(im->sum, s) != s->sum)
        st = bad(im, ORYX_E_IO, s->name, "the file changed while it was read");
    return st;
}

static oryx_status put_all(struct image *im)
{
    oryx_machine *m = im->m;
    struct oryx__tree *before = NULL;
    oryx_error why = {.code = ORYX_OK};
    oryx_status st = oryx__tree_put(m, im->tree, &before, &why);
    if (st)
        return bad(im, st, "regions", "%.200s", why.text);
    if (im->devices && (st = oryx__devices_at(m, im->devices, im->skipped, im->vcpus, im->n_vcpus, &why)) != ORYX_OK)
        st = bad(im, st, "device", "%.200s", why.text);
    for (uint32_t i = 0; i < im->n && !st; i++)
        if (is_memory(im->sections[i].name))
            st = put_memory(im, &im->sections[i]);
    if (!st && before)
        oryx__tree_trim(before);
    for (uint32_t i = 0; i < im->n_vcpus && !st; i++) {
        oryx_cpu *cpu = im->vcpus[i].vcpu->cpu;
        oryx__vcpu_state_put(&im->vcpus[i]);
        if (m->arch->mode_key) /* the FP environment follows from the state */
            cpu->mode = m->arch->mode_key(cpu);
        cpu->fp.flags = im->vcpus[i].fp.flags;
        if (cpu->monitor.active)
            oryx__monitor_arm(im->vcpus[i].vcpu, cpu->monitor.addr, ORYX_MMU_CURRENT);
    }
    if (!st)
        atomic_store(&m->skipped, im->skipped);
    oryx__tree_drop(before);
    return st;
}

static void image_free(struct image *im)
{
    for (uint32_t i = 0; i < im->n; i++) {
        oryx__free(im->sections[i].name);
        oryx__free(im->sections[i].bytes);
    }
    oryx__free(im->sections);
    XXH3_freeState(im->sum);
    oryx__free(im->buffer);
    oryx__free(im->vcpus);
    oryx__tree_drop(im->tree);
    oryx__device_states_drop(im->devices);
    if (im->fd >= 0)
        close(im->fd);
}

oryx_status oryx_snapshot_load(oryx_machine *m, const char *path, oryx_error *err)
{
    if (!m || !path)
        return oryx__error(err, ORYX_E_INVALID, "snapshot_load: machine and path must not be NULL");
    static const oryx_snapshot_config skip = {.hdr = ORYX_HDR(oryx_snapshot_config), .flags = ORYX_SNAPSHOT_SKIP};
    struct image im = {.m = m, .err = err, .path = path, .fd = -1};
    oryx_snapshot *guard = NULL;
    if (err)
        err->code = ORYX_OK;
    pthread_mutex_lock(&m->lock);
    oryx_status st = oryx__snapshot_quiet(m, "load", err);
    if (!st)
        st = read_file(&im);
    if (!st)
        st = match_all(&im);
    if (!st)
        st = oryx_snapshot_take(m, m->snapshots ? NULL : &skip, &guard, err);
    if (!st && (st = put_all(&im)) != ORYX_OK) {
        oryx_error why = {.code = ORYX_OK};
        if (oryx_snapshot_restore(guard, &why))
            oryx__error(err, ORYX_E_INTERNAL, "snapshot file %s: was refused, and the machine could not be put back: %.300s", path,
                        why.text);
    }
    oryx_snapshot_drop(guard);
    image_free(&im);
    pthread_mutex_unlock(&m->lock);
    return st;
}
