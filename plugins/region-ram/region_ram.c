/* Region type "ram": host memory, ROM as ram whose writes do not reach it, and ROM devices.
 * Owns: the memory it maps (never the caller's). Called by: the core through oryx_region_ops.
 * Invariant: the host pointer of an offset never changes while the region lives.
 *
 * Without a host pointer the memory is an anonymous private mapping, so a region of any size costs
 * nothing until it is touched and a fork of the host process copies it on write. Options (JSON):
 *   "memfd": true   shared memory with a descriptor instead, which may be mapped again elsewhere
 *   "max": N        the size in bytes that the region may grow to (default: its size); reserved
 *                   at once, used when touched
 *   "writes": W     what a guest write does: "allow" (default), "ignore", "fault", or "callback":
 *                   config.io's write is called, and its read instead of the memory while the
 *                   region is in callback mode. The API's debug accesses always reach the memory */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/oryx_json.h"
#include "helper/oryx_manifest.h"
#include "oryx.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "region-ram",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.region/1", "class" : "ram"} ],
    "requires" : [],
    "thread" : "any"
}));

enum { WRITES_ALLOW, WRITES_IGNORE, WRITES_FAULT, WRITES_CALLBACK };

struct ram {
    uint8_t *host;
    uint64_t last;  /* of the region now */
    uint64_t max;   /* highest it may have */
    oryx_io_ops io; /* WRITES_CALLBACK: as much as the caller knew, the rest zero */
    void *opaque;
    _Atomic uint32_t mode; /* ORYX_MODE_* */
    void *map;             /* NULL: the caller's memory */
    size_t map_size;
    int fd; /* of memfd, else -1 */
    int writes;
};

static oryx_status fail(const oryx_host *host, oryx_error *err, oryx_status st, const char *name,
                        const char *what)
{
    char text[400];
    snprintf(text, sizeof(text), "ram region '%s': %s", name, what);
    return host->error_set(err, st, text);
}

static oryx_status parse(const oryx_host *host, const oryx_region_config *c, struct ram *r,
                         int *memfd, oryx_error *err)
{
    oryx_status st = ORYX_OK;
    *memfd = 0;
    if (!c->options)
        return ORYX_OK;
    oryx_json_error why;
    uint64_t max = 0;
    oryx_json *o = oryx_json_parse(c->options, &why);
    if (!o && why.no_memory)
        return fail(host, err, ORYX_E_NOMEM, c->name, "out of memory");
    if (!oryx_json_is(o, ORYX_JSON_OBJECT)) {
        free(o);
        return fail(host, err, ORYX_E_FORMAT, c->name,
                    "options must be a JSON object, such as {\"writes\":\"ignore\"}");
    }
    for (const oryx_json *val = o->first; val; val = val->next) {
        const char *key = val->key, *text = val->type == ORYX_JSON_STRING ? val->text : "";
        if (!strcmp(key, "memfd") && val->type == ORYX_JSON_BOOL)
            *memfd = (int)val->u;
        else if (!strcmp(key, "writes") && !strcmp(text, "allow"))
            r->writes = WRITES_ALLOW;
        else if (!strcmp(key, "writes") && !strcmp(text, "ignore"))
            r->writes = WRITES_IGNORE;
        else if (!strcmp(key, "writes") && !strcmp(text, "fault"))
            r->writes = WRITES_FAULT;
        else if (!strcmp(key, "writes") && !strcmp(text, "callback"))
            r->writes = WRITES_CALLBACK;
        else if (!strcmp(key, "max") && oryx_json_address(val, UINT64_MAX, &max) && max)
            r->max = max - 1;
        else
            st = fail(host, err, ORYX_E_FORMAT, c->name,
                      "unknown option; use \"memfd\": true|false, \"max\": bytes and \"writes\": "
                      "\"allow\"|\"ignore\"|\"fault\"|\"callback\"");
    }
    free(o);
    if (!st && r->max < c->last)
        st = fail(host, err, ORYX_E_RANGE, c->name, "\"max\" is less than the region's size");
    if (!st && r->max > c->last && c->host)
        st = fail(host, err, ORYX_E_INVALID, c->name,
                  "\"max\" needs memory of the region's own; give no host pointer");
    if (!st && r->writes == WRITES_CALLBACK && (!c->io || !ORYX_HAS(c->io, write) || !c->io->write))
        st = fail(host, err, ORYX_E_INVALID, c->name,
                  "\"writes\":\"callback\" needs config.io with a write callback");
    return st;
}

static oryx_status map(const oryx_host *host, const oryx_region_config *c, struct ram *r, int memfd,
                       oryx_error *err)
{
    char what[200];
    if (r->max >= (uint64_t)1 << 47) {
        snprintf(what, sizeof(what),
                 "%llu bytes and one are more than the host can map; make it smaller",
                 (unsigned long long)r->max);
        return fail(host, err, ORYX_E_RANGE, c->name, what);
    }
    r->map_size = (size_t)r->max + 1;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    if (memfd) {
        r->fd = memfd_create(c->name, MFD_CLOEXEC);
        if (r->fd < 0 || ftruncate(r->fd, (off_t)r->map_size)) {
            snprintf(what, sizeof(what), "cannot make a memfd of %llu bytes: %s",
                     (unsigned long long)r->map_size, strerror(errno));
            return fail(host, err, ORYX_E_NOMEM, c->name, what);
        }
        flags = MAP_SHARED | MAP_NORESERVE;
    }
    void *p = mmap(NULL, r->map_size, PROT_READ | PROT_WRITE, flags, r->fd, 0);
    if (p == MAP_FAILED) {
        snprintf(what, sizeof(what), "cannot map %llu bytes: %s", (unsigned long long)r->map_size,
                 strerror(errno));
        return fail(host, err, ORYX_E_NOMEM, c->name, what);
    }
    r->map = p;
    r->host = p;
    return ORYX_OK;
}

static void ram_destroy(void *self)
{
    struct ram *r = self;
    if (r->map)
        munmap(r->map, r->map_size);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}

static oryx_status ram_create(const oryx_host *host, oryx_region *region,
                              const oryx_region_config *c, void **self, oryx_error *err)
{
    (void)region;
    int memfd;
    struct ram *r = calloc(1, sizeof(*r));
    if (!r)
        return fail(host, err, ORYX_E_NOMEM, c->name, "out of memory");
    r->fd = -1;
    r->last = r->max = c->last;
    r->host = c->host;
    oryx_status st = parse(host, c, r, &memfd, err);
    if (!st && !c->host)
        st = map(host, c, r, memfd, err);
    if (st) {
        ram_destroy(r);
        return st;
    }
    if (r->writes == WRITES_CALLBACK) {
        memcpy(&r->io, c->io, c->io->hdr.size < sizeof(r->io) ? c->io->hdr.size : sizeof(r->io));
        r->opaque = c->opaque;
    }
    *self = r;
    return ORYX_OK;
}

/* Reached for what the core does not do directly: writes to ROM, and debug writes that pass them.
 */
static oryx_status ram_access(void *self, oryx_access *a)
{
    struct ram *r = self;
    if (a->offset > r->last || a->size - 1 > r->last - a->offset)
        return ORYX_FAULT_DECODE;
    uint8_t *p = r->host + a->offset;
    int debug = (a->attrs & ORYX_ATTR_DEBUG) != 0, big = r->io.endian == ORYX_ENDIAN_BIG;
    if (!a->write) {
        if (r->mode == ORYX_MODE_CALLBACK && !debug)
            return r->io.read ? r->io.read(r->opaque, a) : ORYX_FAULT_DEVICE;
        a->value = 0;
        for (uint32_t i = 0; i < a->size; i++)
            a->value |= (uint64_t)p[i] << 8 * (big ? a->size - 1 - i : i);
        return ORYX_OK;
    }
    if (!debug && r->writes == WRITES_CALLBACK)
        return r->io.write(r->opaque, a);
    if (!debug && r->writes != WRITES_ALLOW)
        return r->writes == WRITES_IGNORE ? ORYX_OK : ORYX_FAULT_PROT;
    for (uint32_t i = 0; i < a->size; i++)
        p[i] = (uint8_t)(a->value >> 8 * (big ? a->size - 1 - i : i));
    return ORYX_OK;
}

static oryx_status ram_direct(void *self, uint64_t offset, oryx_direct *out)
{
    struct ram *r = self;
    if (offset > r->last)
        return ORYX_E_RANGE;
    if (r->mode == ORYX_MODE_CALLBACK)
        return ORYX_E_UNSUPPORTED;
    out->host = r->host + offset;
    out->last = r->last - offset;
    out->flags = ORYX_DIRECT_BULK;
    out->prot = r->writes == WRITES_ALLOW ? ORYX_PROT_ALL : ORYX_PROT_READ | ORYX_PROT_EXEC;
    return ORYX_OK;
}

static void ram_describe(void *self, oryx_limits *valid, oryx_limits *impl, uint32_t *endian)
{
    const struct ram *r = self;
    if (r->writes != WRITES_CALLBACK)
        return;
    *valid = r->io.valid;
    *impl = r->io.impl;
    *endian = r->io.endian;
}

static oryx_status ram_resize(void *self, uint64_t last, oryx_error *err)
{
    struct ram *r = self;
    if (last > r->max) {
        if (err) {
            err->code = ORYX_E_RANGE;
            snprintf(err->text, sizeof(err->text),
                     "ram region: last byte 0x%llx is beyond the 0x%llx it may have; make it with "
                     "option \"max\"",
                     (unsigned long long)last, (unsigned long long)r->max);
        }
        return ORYX_E_RANGE;
    }
    r->last = last;
    return ORYX_OK;
}

static oryx_status ram_set_mode(void *self, uint32_t mode)
{
    struct ram *r = self;
    if (r->writes != WRITES_CALLBACK)
        return ORYX_E_UNSUPPORTED;
    r->mode = mode;
    return ORYX_OK;
}

/* Whole pages go back to the host, what is left of the first and the last is cleared. The range
 * may lie beyond `last`: what a region lost by shrinking. */
static oryx_status ram_discard(void *self, uint64_t offset, uint64_t size)
{
    struct ram *r = self;
    if (!r->map || offset > r->max || size - 1 > r->max - offset)
        return ORYX_E_UNSUPPORTED;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t end = offset + size, lo = (offset + page - 1) & ~(page - 1), hi = end & ~(page - 1);
    if (lo >= hi) {
        memset(r->host + offset, 0, (size_t)size);
        return ORYX_OK;
    }
    memset(r->host + offset, 0, (size_t)(lo - offset));
    memset(r->host + hi, 0, (size_t)(end - hi));
    int failed = r->fd >= 0 ? fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                        (off_t)lo, (off_t)(hi - lo))
                            : madvise(r->host + lo, (size_t)(hi - lo), MADV_DONTNEED);
    if (failed)
        memset(r->host + lo, 0, (size_t)(hi - lo));
    return ORYX_OK;
}

static oryx_status ram_share(void *self, int32_t *fd, uint64_t *fd_offset)
{
    const struct ram *r = self;
    if (r->fd < 0)
        return ORYX_E_UNSUPPORTED;
    *fd = r->fd;
    *fd_offset = 0;
    return ORYX_OK;
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "ram",
    .create = ram_create,
    .destroy = ram_destroy,
    .access = ram_access,
    .direct = ram_direct,
    .describe = ram_describe,
    .resize = ram_resize,
    .set_mode = ram_set_mode,
    .discard = ram_discard,
    .share = ram_share,
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
