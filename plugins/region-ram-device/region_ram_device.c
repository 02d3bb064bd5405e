/* Region type "ram_device": memory that is really a device - a mapped BAR, a UIO page, another
 * process's shared memory.
 * Owns: the mapping of a descriptor (never the caller's memory). Called by: the core through
 * oryx_region_ops.
 * Option (JSON) "peek": true   a debugger's reads and writes reach the device too; without it they
 *                              could have side effects, so a peek reads as zero and a poke fails
 * A file that somebody makes shorter while it is mapped raises SIGBUS in the host program at the
 * next access, as with every mapping of it; a process that dies leaves its shared memory mapped.
 * Invariant: no access here or in the core is merged, split, widened or repeated: `direct` does
 * not offer bulk memory, and `access` is one host access of the width asked for, unaligned or
 * not. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/oryx_json.h"
#include "helper/oryx_manifest.h"
#include "oryx.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "region-ram-device",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.region/1", "class" : "ram_device"} ],
    "requires" : [],
    "thread" : "any"
}));

struct ram_device {
    uint8_t *host;
    uint64_t last;
    uint32_t prot;
    int peek;
    void *map; /* NULL: the caller's memory */
    size_t map_size;
};

/* A packed type makes an unaligned access one move on the host; volatile keeps it one. */
typedef struct {
    uint16_t v;
} __attribute__((packed, may_alias)) packed16;
typedef struct {
    uint32_t v;
} __attribute__((packed, may_alias)) packed32;
typedef struct {
    uint64_t v;
} __attribute__((packed, may_alias)) packed64;

static oryx_status fail(const oryx_host *host, oryx_error *err, oryx_status st, const char *name,
                        const char *what)
{
    char text[400];
    snprintf(text, sizeof(text), "ram_device region '%s': %s", name, what);
    return host->error_set(err, st, text);
}

static oryx_status map_fd(const oryx_host *host, const oryx_region_config *c, struct ram_device *r,
                          oryx_error *err)
{
    char what[300];
    struct stat st;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t skip =
        c->fd_offset % page; /* mmap wants whole pages: map from the page's start and step in */
    if (c->last >= (uint64_t)1 << 47 || c->fd_offset > INT64_MAX - c->last - 1)
        return fail(host, err, ORYX_E_RANGE, c->name,
                    "size or fd_offset is more than the host can map; make it smaller");
    if (fstat(c->fd, &st)) {
        snprintf(what, sizeof(what), "descriptor %d: %s; pass an open one", c->fd, strerror(errno));
        return fail(host, err, ORYX_E_IO, c->name, what);
    }
    /* A mapping beyond the end of a file would raise SIGBUS in the host when touched. Devices have
     * no size here. */
    if (S_ISREG(st.st_mode) && c->fd_offset + c->last >= (uint64_t)st.st_size) {
        snprintf(what, sizeof(what),
                 "fd_offset 0x%llx and last 0x%llx reach past the end of the file (%llu bytes); "
                 "extend it",
                 (unsigned long long)c->fd_offset, (unsigned long long)c->last,
                 (unsigned long long)st.st_size);
        return fail(host, err, ORYX_E_RANGE, c->name, what);
    }
    int prot =
        (c->prot & ORYX_PROT_READ ? PROT_READ : 0) | (c->prot & ORYX_PROT_WRITE ? PROT_WRITE : 0);
    r->map_size = (size_t)(skip + c->last + 1);
    void *p = mmap(NULL, r->map_size, prot, MAP_SHARED, c->fd, (off_t)(c->fd_offset - skip));
    if (p == MAP_FAILED) {
        snprintf(what, sizeof(what),
                 "cannot map descriptor %d at 0x%llx: %s; prot must not exceed how it was opened",
                 c->fd, (unsigned long long)c->fd_offset, strerror(errno));
        return fail(host, err, ORYX_E_IO, c->name, what);
    }
    r->map = p;
    r->host = (uint8_t *)p + skip;
    return ORYX_OK;
}

static oryx_status parse(const oryx_host *host, const oryx_region_config *c, struct ram_device *r,
                         oryx_error *err)
{
    oryx_status st = ORYX_OK;
    if (!c->options)
        return ORYX_OK;
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(c->options, &why);
    if (!o && why.no_memory)
        return fail(host, err, ORYX_E_NOMEM, c->name, "out of memory");
    if (!oryx_json_is(o, ORYX_JSON_OBJECT)) {
        free(o);
        return fail(host, err, ORYX_E_FORMAT, c->name,
                    "options must be a JSON object, such as {\"peek\":true}");
    }
    for (const oryx_json *val = o->first; val; val = val->next) {
        if (strcmp(val->key, "peek") || val->type != ORYX_JSON_BOOL)
            st =
                fail(host, err, ORYX_E_FORMAT, c->name, "unknown option; use \"peek\": true|false");
        else
            r->peek = (int)val->u;
    }
    free(o);
    return st;
}

static void ram_device_destroy(void *self)
{
    struct ram_device *r = self;
    if (r->map)
        munmap(r->map, r->map_size);
    free(r);
}

static oryx_status ram_device_create(const oryx_host *host, oryx_region *region,
                                     const oryx_region_config *c, void **self, oryx_error *err)
{
    (void)region;
    if (!c->host && !c->use_fd)
        return fail(host, err, ORYX_E_INVALID, c->name,
                    "give host memory, or use_fd with fd and fd_offset");
    struct ram_device *r = calloc(1, sizeof(*r));
    if (!r)
        return fail(host, err, ORYX_E_NOMEM, c->name, "out of memory");
    r->last = c->last;
    r->prot = c->prot;
    r->host = c->host;
    oryx_status st = parse(host, c, r, err);
    if (!st && !c->host)
        st = map_fd(host, c, r, err);
    if (st) {
        free(r);
        return st;
    }
    *self = r;
    return ORYX_OK;
}

static oryx_status ram_device_access(void *self, oryx_access *a)
{
    struct ram_device *r = self;
    if (a->offset > r->last || a->size - 1 > r->last - a->offset)
        return ORYX_FAULT_DECODE;
    if (!(r->prot & (a->write ? ORYX_PROT_WRITE : ORYX_PROT_READ)))
        return ORYX_FAULT_PROT;
    if ((a->attrs & ORYX_ATTR_DEBUG) && !r->peek) {
        a->value = 0;
        return a->write ? ORYX_FAULT_DEVICE : ORYX_OK;
    }
    uint8_t *p = r->host + a->offset;
    switch (a->size | (a->write ? 16u : 0)) {
    case 1:
        a->value = *(volatile uint8_t *)p;
        break;
    case 2:
        a->value = ((volatile packed16 *)p)->v;
        break;
    case 4:
        a->value = ((volatile packed32 *)p)->v;
        break;
    case 8:
        a->value = ((volatile packed64 *)p)->v;
        break;
    case 16 | 1:
        *(volatile uint8_t *)p = (uint8_t)a->value;
        break;
    case 16 | 2:
        ((volatile packed16 *)p)->v = (uint16_t)a->value;
        break;
    case 16 | 4:
        ((volatile packed32 *)p)->v = (uint32_t)a->value;
        break;
    case 16 | 8:
        ((volatile packed64 *)p)->v = a->value;
        break;
    default:
        return ORYX_FAULT_DEVICE;
    }
    return ORYX_OK;
}

static oryx_status ram_device_direct(void *self, uint64_t offset, oryx_direct *out)
{
    struct ram_device *r = self;
    if (offset > r->last)
        return ORYX_E_RANGE;
    out->host = r->host + offset;
    out->last = r->last - offset;
    out->flags = 0;
    out->prot = r->prot;
    return ORYX_OK;
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "ram_device",
    .create = ram_device_create,
    .destroy = ram_device_destroy,
    .access = ram_device_access,
    .direct = ram_device_direct,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_REGION_ID) && !strcmp(cls, ops.type) ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = {.hdr = ORYX_HDR(oryx_plugin_ops), .get = get};
    (void)err;
    if (host->major != ORYX_ABI_MAJOR)
        return ORYX_E_VERSION;
    *out = &plugin;
    return ORYX_OK;
}
