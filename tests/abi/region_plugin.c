/* A region backend for region_test.c: types "half" and "short".
 * Owns: the bytes of each region. Called by: the core.
 * Invariant: "half" is direct in its first half, and only while it is open; writing 0 or 1 to
 * its last byte closes or opens it. */
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "oryx.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "abi-region",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [
        {"interface" : "oryx.region/1", "class" : "half"},
        {"interface" : "oryx.region/1", "class" : "short"}
    ],
    "requires" : [],
    "thread" : "any"
}));

struct half {
    const oryx_host *host;
    oryx_region *region;
    uint8_t bytes[4096];
    uint64_t calls; /* to access: told in the 8 bytes before the last */
    int open;
};

static oryx_status half_create(const oryx_host *host, oryx_region *region,
                               const oryx_region_config *config, void **self, oryx_error *err)
{
    if (config->last != 4095)
        return host->error_set(err, ORYX_E_RANGE, "half: last must be 4095");
    struct half *h = calloc(1, sizeof(*h));
    if (!h)
        return host->error_set(err, ORYX_E_NOMEM, "half: out of memory");
    h->host = host;
    h->region = region;
    h->open = 1;
    *self = h;
    return ORYX_OK;
}

static void half_destroy(void *self)
{
    free(self);
}

static oryx_status half_access(void *self, oryx_access *a)
{
    struct half *h = self;
    h->calls++;
    if (a->write && a->offset == 4095) {
        h->open = a->value & 1;
        h->host->region_changed(h->region);
        return ORYX_OK;
    }
    if (!a->write && a->offset == 4088 && a->size == 4) {
        a->value = h->calls;
        return ORYX_OK;
    }
    if (!a->write)
        a->value = 0;
    memcpy(a->write ? (void *)(h->bytes + a->offset) : (void *)&a->value,
           a->write ? (const void *)&a->value : (const void *)(h->bytes + a->offset), a->size);
    return ORYX_OK;
}

static oryx_status half_direct(void *self, uint64_t offset, oryx_direct *out)
{
    struct half *h = self;
    if (!h->open || offset >= 2048)
        return ORYX_E_UNSUPPORTED;
    out->host = h->bytes + offset;
    out->last = 2047 - offset;
    out->flags = ORYX_DIRECT_BULK;
    out->prot = ORYX_PROT_ALL;
    return ORYX_OK;
}

static const oryx_region_ops half_ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "half",
    .create = half_create,
    .destroy = half_destroy,
    .access = half_access,
    .direct = half_direct,
};

/* As a plugin built from a header without `direct` and what follows would have it; the poison
 * behind must not be used. */
static const oryx_region_ops short_ops = {
    .hdr = {offsetof(oryx_region_ops, direct), ORYX_ABI_MAJOR, ORYX_ABI_MINOR},
    .type = "short",
    .create = half_create,
    .destroy = half_destroy,
    .access = half_access,
    .direct = (oryx_status(*)(void *, uint64_t, oryx_direct *))(uintptr_t)0x5151,
    .describe = (void (*)(void *, oryx_limits *, oryx_limits *, uint32_t *))(uintptr_t)0x5151,
};

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_REGION_ID))
        return NULL;
    return !strcmp(cls, "half") ? &half_ops : !strcmp(cls, "short") ? &short_ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = {.hdr = ORYX_HDR(oryx_plugin_ops), .get = get};
    (void)host;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
