/* A custom quirk as a plugin: "bank", an overlay for a device whose second half shows one of several banks of the region beneath,
 * chosen by a register that has no bytes beneath at all. From JSON: {"type": "bank", "lower": "flash", "size": "0x2000", ...}.
 *
 *   offset 0 .. half-1    bank 0 of `lower`; a byte written to offset half-1 selects the bank and is not passed on
 *   offset half .. end    the selected bank
 *
 * Its invariant: what it does not intercept reaches `lower` as the guest did it, with the same width, attributes and initiator. */
#include <stdlib.h>
#include <string.h>

#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({
    "id": "example.region-bank",
    "version": "1.0.0",
    "abi": {"major": 1, "minor": 0},
    "licence": "MIT",
    "provides": [{"interface": "oryx.region/1", "class": "bank"}]
}));

typedef struct bank {
    const oryx_host *host;
    oryx_region *lower;
    uint64_t half;
    uint8_t selected; /* vCPUs may race for it, as on hardware */
} bank;

static oryx_status bank_create(const oryx_host *host, oryx_region *region, const oryx_region_config *config, void **self,
                               oryx_error *err)
{
    (void)region;
    if (!config->lower)
        return host->error_set(err, ORYX_E_INVALID, "region bank: there is nothing beneath it: set `lower` to the region with the banks");
    if (config->last % 2 == 0 || config->last < 15)
        return host->error_set(err, ORYX_E_RANGE, "region bank: needs an even size of at least 16: two halves");
    bank *b = calloc(1, sizeof *b);
    if (!b)
        return host->error_set(err, ORYX_E_NOMEM, "region bank: out of memory");
    b->host = host;
    b->lower = config->lower; /* the core keeps it alive while this region is */
    b->half = config->last / 2 + 1;
    *self = b;
    return ORYX_OK;
}

static void bank_destroy(void *self)
{
    free(self);
}

static oryx_status bank_access(void *self, oryx_access *a)
{
    bank *b = self;
    oryx_access below = *a;
    if (a->write && a->size == 1 && a->offset == b->half - 1) {
        b->selected = (uint8_t)a->value;
        return ORYX_OK;
    }
    if (a->offset >= b->half)
        below.offset = a->offset - b->half + b->selected * b->half;
    oryx_status s = b->host->region_access(b->lower, &below);
    a->value = below.value;
    return s;
}

static oryx_status bank_reset(void *self)
{
    ((bank *)self)->selected = 0;
    return ORYX_OK;
}

static const oryx_region_ops ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "bank",
    .create = bank_create,
    .destroy = bank_destroy,
    .access = bank_access,
    .reset = bank_reset,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_REGION_ID) && !strcmp(cls, "bank") ? &ops : NULL;
}

ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host; /* create is given the host table */
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
