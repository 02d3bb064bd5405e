/* A region backend: "xor", a view of the region beneath it (`lower`) through a key, as flash decryption units are: the guest
 * reads plain text, the memory below holds the scrambled bytes. Option: {"key": N}, one byte, 0x5a when absent.
 *
 *   region_new(m, "xor", &(oryx_region_config){ ..., .lower = ram, .options = "{\"key\": 60}" }, &r, &err)
 *
 * The backend is asked for one access at a time and gives no direct pointer, so every guest access passes here. Its
 * invariant: exactly one access of the same width goes to the lower region for each that comes in. */
#include <stdlib.h>
#include <string.h>

#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({
    "id": "example.region-xor",
    "version": "1.0.0",
    "abi": {"major": 1, "minor": 0},
    "licence": "MIT",
    "provides": [{"interface": "oryx.region/1", "class": "xor"}]
}));

typedef struct view {
    const oryx_host *host;
    oryx_region *lower;
    uint64_t key; /* the byte, eight times */
} view;

static oryx_status xor_create(const oryx_host *host, oryx_region *region, const oryx_region_config *config, void **self,
                              oryx_error *err)
{
    (void)region;
    if (!config->lower)
        return host->error_set(err, ORYX_E_INVALID, "region xor: there is nothing beneath it: set `lower` to the region to show");
    if (config->last > host->region_last(config->lower))
        return host->error_set(err, ORYX_E_RANGE, "region xor: larger than the region beneath: make `last` at most its last");
    const char *key = config->options ? strstr(config->options, "\"key\"") : NULL;
    key = key ? strchr(key, ':') : NULL;
    unsigned long byte = key ? strtoul(key + 1, NULL, 0) : 0x5a;
    if (byte > 255)
        return host->error_set(err, ORYX_E_RANGE, "region xor: option \"key\" is one byte: give 0 to 255");
    view *v = calloc(1, sizeof *v);
    if (!v)
        return host->error_set(err, ORYX_E_NOMEM, "region xor: out of memory");
    v->host = host;
    v->lower = config->lower; /* the core keeps it alive while this region is */
    v->key = byte * 0x0101010101010101u;
    *self = v;
    return ORYX_OK;
}

static void xor_destroy(void *self)
{
    free(self);
}

/* One access, by guest, device or debugger: attributes and initiator are passed on unchanged. */
static oryx_status xor_access(void *self, oryx_access *a)
{
    const view *v = self;
    uint64_t mask = a->size == 8 ? ~0ull : (1ull << (8 * a->size)) - 1;
    oryx_access below = *a;
    if (a->write)
        below.value = (a->value ^ v->key) & mask;
    oryx_status s = v->host->region_access(v->lower, &below);
    if (s == ORYX_OK && !a->write)
        a->value = (below.value ^ v->key) & mask;
    return s;
}

/* No direct memory: what is there is not what the guest sees. */
static oryx_status xor_direct(void *self, uint64_t offset, oryx_direct *out)
{
    (void)self;
    (void)offset;
    (void)out;
    return ORYX_E_UNSUPPORTED;
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "xor",
    .create = xor_create,
    .destroy = xor_destroy,
    .access = xor_access,
    .direct = xor_direct, /* describe is NULL: 1 to 8 bytes, unaligned allowed, little-endian */
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_REGION_ID) && !strcmp(cls, "xor") ? &ops : NULL;
}

ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host; /* create is given the host table */
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
