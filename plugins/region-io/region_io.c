/* Region type "io": callbacks of the embedder or a device model.
 * Owns: nothing but the link to the callbacks, which stay the caller's. Called by: the core
 * through oryx_region_ops, which has already applied valid, impl and the declared byte order.
 * Invariant: a debug access never reaches read or write: it is a peek, or reads as zero, or is
 * refused. */
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "oryx.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "region-io",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.region/1", "class" : "io"} ],
    "requires" : [],
    "thread" : "any"
}));

struct io {
    oryx_io_ops ops; /* as much as the caller knew, the rest zero */
    void *opaque;
};

static oryx_status io_create(const oryx_host *host, oryx_region *region,
                             const oryx_region_config *c, void **self, oryx_error *err)
{
    (void)region;
    if (!c->io || !ORYX_HAS(c->io, write))
        return host->error_set(err, ORYX_E_INVALID, "io region: config.io must name its callbacks");
    struct io *io = calloc(1, sizeof(*io));
    if (!io)
        return host->error_set(err, ORYX_E_NOMEM, "io region: out of memory");
    memcpy(&io->ops, c->io, c->io->hdr.size < sizeof(io->ops) ? c->io->hdr.size : sizeof(io->ops));
    io->opaque = c->opaque;
    *self = io;
    return ORYX_OK;
}

static void io_destroy(void *self)
{
    free(self);
}

static oryx_status io_access(void *self, oryx_access *a)
{
    const struct io *io = self;
    if (a->attrs & ORYX_ATTR_DEBUG) {
        if (a->write)
            return ORYX_FAULT_DEVICE;
        a->value = 0;
        return io->ops.peek ? io->ops.peek(io->opaque, a) : ORYX_OK;
    }
    if (a->write)
        return io->ops.write ? io->ops.write(io->opaque, a) : ORYX_FAULT_DEVICE;
    return io->ops.read ? io->ops.read(io->opaque, a) : ORYX_FAULT_DEVICE;
}

static void io_describe(void *self, oryx_limits *valid, oryx_limits *impl, uint32_t *endian)
{
    const struct io *io = self;
    *valid = io->ops.valid;
    *impl = io->ops.impl;
    *endian = io->ops.endian;
}

static oryx_status io_read_fn(void *self, oryx_status (**fn)(void *opaque, oryx_access *a), void **opaque)
{
    const struct io *io = self;
    if (!io->ops.read)
        return ORYX_E_UNSUPPORTED;
    *fn = io->ops.read;
    *opaque = io->opaque;
    return ORYX_OK;
}

static oryx_status io_write_fn(void *self, oryx_status (**fn)(void *opaque, const oryx_access *a), void **opaque)
{
    const struct io *io = self;
    if (!io->ops.write)
        return ORYX_E_UNSUPPORTED;
    *fn = io->ops.write;
    *opaque = io->opaque;
    return ORYX_OK;
}

/* The callbacks see offsets only: any size will do. */
static oryx_status io_resize(void *self, uint64_t last, oryx_error *err)
{
    (void)self;
    (void)last;
    (void)err;
    return ORYX_OK;
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "io",
    .create = io_create,
    .destroy = io_destroy,
    .access = io_access,
    .describe = io_describe,
    .resize = io_resize,
    .read_fn = io_read_fn,
    .write_fn = io_write_fn,
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
