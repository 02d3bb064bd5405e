/* A device model: a counter with an interrupt and four LEDs, behind five 32-bit registers.
 *
 *   0x00 LED      read/write  low four bits: output lines 1..4
 *   0x04 COUNT    read/write  the counter
 *   0x08 COMPARE  read/write  when COUNT reaches it, output line 0 rises (0: never)
 *   0x0c STEP     write       COUNT += value
 *   0x10 ACK      write       output line 0 falls
 *
 * A rising edge on input line 0 counts one too. A device makes its regions of type "io" with callbacks, drives lines with
 * device_set_irq, and keeps all of its state in one struct that save and load can name, so that a machine can be
 * snapshotted and the model replaced while it runs. Option: {"compare": N} is COMPARE after reset. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({
    "id": "example.device-counter",
    "version": "1.0.0",
    "abi": {"major": 1, "minor": 0},
    "licence": "MIT",
    "provides": [{"interface": "oryx.device/1", "class": "counter"}]
}));

enum { LED = 0x00, COUNT = 0x04, COMPARE = 0x08, STEP = 0x0c, ACK = 0x10 };

typedef struct counter {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    oryx_io_ops io;         /* must live as long as the region */
    uint32_t reset_compare; /* the option */
    uint32_t input;         /* level of input line 0 */
    uint32_t led, count, compare, irq;
} counter;

/* The number after "name": in a flat JSON object, or otherwise. */
static uint32_t number(const char *json, const char *name, uint32_t otherwise)
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\"", name);
    const char *at = json ? strstr(json, key) : NULL;
    at = at ? strchr(at + strlen(key), ':') : NULL;
    return at ? (uint32_t)strtoul(at + 1, NULL, 0) : otherwise;
}

static void set_irq(counter *c, uint32_t level)
{
    if (c->irq != level) {
        c->irq = level;
        c->host->device_set_irq(c->dev, 0, level);
    }
}

static void set_led(counter *c, uint32_t led)
{
    uint32_t changed = c->led ^ led;
    c->led = led;
    for (uint32_t i = 0; i < 4; i++)
        if (changed >> i & 1)
            c->host->device_set_irq(c->dev, 1 + i, led >> i & 1);
}

static void step(counter *c, uint32_t n)
{
    uint32_t before = c->count;
    c->count += n;
    if (c->compare && c->compare - before - 1 < n) /* COMPARE lies in (before, before + n], also across a wrap */
        set_irq(c, 1);
}

/* The core sees to width and alignment: `valid` and `impl` below say that only aligned 4-byte accesses come here. */
static oryx_status counter_read(void *opaque, oryx_access *a)
{
    counter *c = opaque;
    switch (a->offset) {
    case LED: a->value = c->led; return ORYX_OK;
    case COUNT: a->value = c->count; return ORYX_OK;
    case COMPARE: a->value = c->compare; return ORYX_OK;
    default: return ORYX_FAULT_DEVICE; /* the guest gets its architecture's bus error */
    }
}

static oryx_status counter_write(void *opaque, const oryx_access *a)
{
    counter *c = opaque;
    uint32_t value = (uint32_t)a->value;
    switch (a->offset) {
    case LED: set_led(c, value & 15); return ORYX_OK;
    case COUNT: c->count = value; return ORYX_OK;
    case COMPARE: c->compare = value; return ORYX_OK;
    case STEP: step(c, value); return ORYX_OK;
    case ACK: set_irq(c, 0); return ORYX_OK;
    default: return ORYX_FAULT_DEVICE;
    }
}

static oryx_status counter_reset(void *self)
{
    counter *c = self;
    set_irq(c, 0);
    set_led(c, 0);
    c->count = 0;
    c->compare = c->reset_compare;
    return ORYX_OK;
}

static oryx_status counter_create(const oryx_host *host, oryx_device *dev, const char *options, void **self, oryx_error *err)
{
    counter *c = calloc(1, sizeof *c);
    if (!c)
        return host->error_set(err, ORYX_E_NOMEM, "device counter: out of memory");
    c->host = host;
    c->dev = dev;
    c->reset_compare = c->compare = number(options, "compare", 0);
    c->io = (oryx_io_ops){ .hdr = ORYX_HDR(oryx_io_ops),
                           .read = counter_read,
                           .write = counter_write,
                           .peek = counter_read, /* reading changes nothing here, so debuggers may */
                           .valid = { .min = 4, .max = 4 },
                           .impl = { .min = 4, .max = 4 },
                           .endian = ORYX_ENDIAN_LITTLE };
    oryx_region_config config = { .hdr = ORYX_HDR(oryx_region_config), .name = host->device_name(dev), .last = 0x13,
                                  .prot = ORYX_PROT_READ | ORYX_PROT_WRITE, .io = &c->io, .opaque = c };
    oryx_status s = host->region_new(host->device_machine(dev), "io", &config, &c->region, err);
    if (s) {
        free(c);
        return s;
    }
    *self = c;
    return ORYX_OK;
}

static void counter_destroy(void *self)
{
    counter *c = self;
    c->host->region_destroy(c->region, NULL); /* the core has unmapped it */
    free(c);
}

static oryx_region *counter_region(void *self, uint32_t n)
{
    return n == 0 ? ((counter *)self)->region : NULL;
}

static oryx_status counter_save(void *self, char **json, oryx_error *err)
{
    const counter *c = self;
    char text[160];
    snprintf(text, sizeof text, "{\"led\": %" PRIu32 ", \"count\": %" PRIu32 ", \"compare\": %" PRIu32 ", \"irq\": %" PRIu32 "}",
             c->led, c->count, c->compare, c->irq);
    *json = malloc(sizeof text); /* the caller frees it */
    if (!*json)
        return c->host->error_set(err, ORYX_E_NOMEM, "device counter: out of memory");
    memcpy(*json, text, sizeof text);
    return ORYX_OK;
}

static oryx_status counter_load(void *self, const char *json, oryx_error *err)
{
    counter *c = self;
    if (!json || !strstr(json, "\"count\""))
        return c->host->error_set(err, ORYX_E_FORMAT, "device counter: the state has no member \"count\": give what save gave");
    set_led(c, number(json, "led", 0) & 15);
    set_irq(c, number(json, "irq", 0) & 1);
    c->count = number(json, "count", 0);
    c->compare = number(json, "compare", 0);
    return ORYX_OK;
}

static void counter_irq_in(void *self, uint32_t n, uint32_t level)
{
    counter *c = self;
    if (n == 0 && level && !c->input)
        step(c, 1);
    if (n == 0)
        c->input = level;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "counter",
    .options = "{\"type\": \"object\", \"properties\": {\"compare\": {\"type\": \"integer\", \"minimum\": 0}}}",
    .create = counter_create,
    .destroy = counter_destroy,
    .reset = counter_reset,
    .region = counter_region,
    .save = counter_save,
    .load = counter_load,
    .irq_in = counter_irq_in,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_DEVICE_ID) && !strcmp(cls, "counter") ? &ops : NULL;
}

ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host; /* create is given the host table */
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
