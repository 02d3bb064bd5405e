/* Device model "irqchip": an interrupt controller of 32 inputs with levels, edges, masks and
 * priorities, and one output.
 * Owns: its registers, one io region of 256 bytes. Called by: the core through oryx_device_ops
 * (irq_in from any thread), region-io for accesses.
 * Invariant: line 0 is high exactly when CLAIM would give an input.
 *
 * Line 0 is for whoever stands for the CPU: the embedder hears it through oryx_device_on_irq,
 * another irqchip through a wire. A guest that has no interrupt input polls CLAIM.
 *
 * An input is pending when it is a level input that is high, or an edge input that rose since it
 * was claimed or cleared, or when SET asked for it. It is a candidate when it is pending, enabled,
 * not active, and its priority is above THRESHOLD. Among candidates the highest priority wins, then
 * the lowest number.
 *
 * Registers, little-endian, aligned accesses of 4 bytes; bit n stands for input n.
 *   0x00 LEVEL      RO  inputs as they are
 *   0x04 PENDING    RO  pending, enabled or not
 *   0x08 ENABLE     RW  1: may become a candidate
 *   0x0c ENABLE_SET W1  sets bits of ENABLE; reads as ENABLE
 *   0x10 ENABLE_CLR W1  clears bits of ENABLE; reads as ENABLE
 *   0x14 EDGE       RW  1: edge input (rising), 0: level input; changing it forgets edges seen
 *   0x18 ACTIVE     RO  claimed and not ended
 *   0x1c CLAIM      RO  the winner's number, which becomes active and forgets its edge;
 *                       0xffffffff: none. Peeking has no effect
 *   0x20 EOI        WO  number of the input that is done with: not active any more
 *   0x24 THRESHOLD  RW  0..15
 *   0x28 SET        W1  make pending as an edge does
 *   0x2c CLEAR      W1  forget edges
 *   0x40 + 4 n      RW  priority of input n, 0..15; 1 after reset
 * Other offsets, writes to RO and reads of WO registers are refused.
 *
 * Options: {"edge": MASK, EDGE after reset}. Reset keeps the inputs' levels and clears all else. */
#include <pthread.h>

#include "helper/oryx_device_plugin.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-irqchip",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "irqchip"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "thread" : "any"
}));

enum {
    LEVEL = 0x00,
    PENDING = 0x04,
    ENABLE = 0x08,
    ENABLE_SET = 0x0c,
    ENABLE_CLR = 0x10,
    EDGE = 0x14,
    ACTIVE = 0x18,
    CLAIM = 0x1c,
    EOI = 0x20,
    THRESHOLD = 0x24,
    SET = 0x28,
    CLEAR = 0x2c,
    PRIORITY = 0x40
};

#define INPUTS 32u
#define NONE   UINT32_MAX

struct irqchip {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    oryx_line line;
    uint32_t reset_edge;
    pthread_mutex_t lock; /* what follows */
    uint32_t level, latch, enable, edge, active, threshold;
    uint8_t priority[INPUTS];
};

static uint32_t pending(const struct irqchip *c)
{
    return c->latch | (c->level & ~c->edge);
}

static uint32_t winner(const struct irqchip *c)
{
    uint32_t candidates = pending(c) & c->enable & ~c->active, best = NONE, top = c->threshold;
    for (uint32_t i = 0; i < INPUTS; i++)
        if (candidates >> i & 1 && c->priority[i] > top) {
            top = c->priority[i];
            best = i;
        }
    return best;
}

static uint32_t line_level(void *self)
{
    struct irqchip *c = self;
    pthread_mutex_lock(&c->lock);
    uint32_t level = winner(c) != NONE;
    pthread_mutex_unlock(&c->lock);
    return level;
}

static void tell(struct irqchip *c)
{
    oryx_line_update(&c->line, c->host, c->dev, 0, line_level, c);
}

static void irqchip_in(void *self, uint32_t n, uint32_t level)
{
    struct irqchip *c = self;
    if (n >= INPUTS)
        return;
    uint32_t bit = 1u << n;
    pthread_mutex_lock(&c->lock);
    if (level && !(c->level & bit))
        c->latch |= bit & c->edge;
    c->level = level ? c->level | bit : c->level & ~bit;
    pthread_mutex_unlock(&c->lock);
    tell(c);
}

static oryx_status read_reg(struct irqchip *c, oryx_access *a, int peek)
{
    if (a->offset >= PRIORITY && a->offset < PRIORITY + 4 * INPUTS) {
        a->value = c->priority[(a->offset - PRIORITY) / 4];
        return ORYX_OK;
    }
    switch (a->offset) {
    case LEVEL:
        a->value = c->level;
        break;
    case PENDING:
        a->value = pending(c);
        break;
    case ENABLE:
    case ENABLE_SET:
    case ENABLE_CLR:
        a->value = c->enable;
        break;
    case EDGE:
        a->value = c->edge;
        break;
    case ACTIVE:
        a->value = c->active;
        break;
    case CLAIM:
        a->value = winner(c);
        if (!peek && a->value != NONE) {
            c->active |= 1u << a->value;
            c->latch &= ~(1u << a->value);
        }
        break;
    case THRESHOLD:
        a->value = c->threshold;
        break;
    default:
        return ORYX_FAULT_DEVICE;
    }
    return ORYX_OK;
}

static oryx_status write_reg(struct irqchip *c, uint64_t offset, uint32_t v)
{
    if (offset >= PRIORITY && offset < PRIORITY + 4 * INPUTS) {
        c->priority[(offset - PRIORITY) / 4] = v & 15;
        return ORYX_OK;
    }
    switch (offset) {
    case ENABLE:
        c->enable = v;
        break;
    case ENABLE_SET:
        c->enable |= v;
        break;
    case ENABLE_CLR:
        c->enable &= ~v;
        break;
    case EDGE:
        c->latch &= ~(c->edge ^ v);
        c->edge = v;
        break;
    case EOI:
        if (v < INPUTS)
            c->active &= ~(1u << v);
        break;
    case THRESHOLD:
        c->threshold = v & 15;
        break;
    case SET:
        c->latch |= v;
        break;
    case CLEAR:
        c->latch &= ~v;
        break;
    default:
        return ORYX_FAULT_DEVICE;
    }
    return ORYX_OK;
}

static oryx_status irqchip_read(void *opaque, oryx_access *a)
{
    struct irqchip *c = opaque;
    pthread_mutex_lock(&c->lock);
    oryx_status st = read_reg(c, a, 0);
    pthread_mutex_unlock(&c->lock);
    tell(c);
    return st;
}

static oryx_status irqchip_peek(void *opaque, oryx_access *a)
{
    struct irqchip *c = opaque;
    pthread_mutex_lock(&c->lock);
    oryx_status st = read_reg(c, a, 1);
    pthread_mutex_unlock(&c->lock);
    return st;
}

static oryx_status irqchip_write(void *opaque, const oryx_access *a)
{
    struct irqchip *c = opaque;
    pthread_mutex_lock(&c->lock);
    oryx_status st = write_reg(c, a->offset, (uint32_t)a->value);
    pthread_mutex_unlock(&c->lock);
    tell(c);
    return st;
}

static const oryx_io_ops io_ops = {.hdr = ORYX_HDR(oryx_io_ops),
                                   .read = irqchip_read,
                                   .write = irqchip_write,
                                   .peek = irqchip_peek,
                                   .valid = {.min = 4, .max = 4},
                                   .impl = {.min = 4, .max = 4}};

static oryx_status irqchip_reset(void *self)
{
    struct irqchip *c = self;
    pthread_mutex_lock(&c->lock);
    c->latch = c->enable = c->active = c->threshold = 0;
    c->edge = c->reset_edge;
    memset(c->priority, 1, sizeof(c->priority));
    pthread_mutex_unlock(&c->lock);
    tell(c);
    return ORYX_OK;
}

static void irqchip_destroy(void *self)
{
    struct irqchip *c = self;
    if (c->region)
        c->host->region_destroy(c->region, NULL);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static oryx_status options(struct irqchip *c, const char *text, oryx_error *err)
{
    static const oryx_option known[] = {
        ORYX_OPTION(struct irqchip, reset_edge, "edge", ORYX_OPTION_NUMBER, 0, UINT32_MAX, NULL),
    };
    oryx_json *tree;
    oryx_status st = oryx_options_read(c->host, c->dev, "irqchip", text, known, 1, c, &tree, err);
    free(tree);
    return st;
}

static oryx_status irqchip_create(const oryx_host *host, oryx_device *dev, const char *text,
                                  void **self, oryx_error *err)
{
    struct irqchip *c = calloc(1, sizeof(*c));
    if (!c)
        return host->error_set(err, ORYX_E_NOMEM, "irqchip: out of memory");
    c->host = host;
    c->dev = dev;
    pthread_mutex_init(&c->lock, NULL);
    oryx_region_config config = {.hdr = ORYX_HDR(oryx_region_config),
                                 .name = host->device_name(dev),
                                 .last = 0xff,
                                 .prot = ORYX_PROT_READ | ORYX_PROT_WRITE,
                                 .io = &io_ops,
                                 .opaque = c};
    oryx_status st = options(c, text, err);
    if (!st)
        st = host->region_new(host->device_machine(dev), "io", &config, &c->region, err);
    if (st) {
        irqchip_destroy(c);
        return st;
    }
    irqchip_reset(c);
    *self = c;
    return ORYX_OK;
}

static oryx_region *irqchip_region(void *self, uint32_t n)
{
    return n == 0 ? ((struct irqchip *)self)->region : NULL;
}

static const oryx_state_row rows[] = {
    ORYX_STATE(struct irqchip, level),
    ORYX_STATE(struct irqchip, latch),
    ORYX_STATE(struct irqchip, enable),
    ORYX_STATE(struct irqchip, edge),
    ORYX_STATE(struct irqchip, active),
    ORYX_STATE(struct irqchip, threshold),
    ORYX_STATE_ARRAY(struct irqchip, priority, INPUTS),
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static oryx_status irqchip_save(void *self, char **json, oryx_error *err)
{
    struct irqchip *c = self;
    pthread_mutex_lock(&c->lock);
    *json = oryx_state_save(c, rows, N_ROWS, 1);
    pthread_mutex_unlock(&c->lock);
    return *json ? ORYX_OK
                 : oryx_device_fail(c->host, c->dev, "irqchip", err, ORYX_E_NOMEM, "out of memory");
}

static oryx_status irqchip_load(void *self, const char *json, oryx_error *err)
{
    struct irqchip *c = self, s = {0};
    char text[160];
    const char *bad = oryx_state_load(&s, rows, N_ROWS, 1, json);
    for (uint32_t i = 0; i < INPUTS && !bad; i++)
        bad = s.priority[i] > 15 ? "priority" : s.threshold > 15 ? "threshold" : NULL;
    if (bad) {
        snprintf(text, sizeof(text),
                 "state: field '%s' is missing or out of range; use a state that save wrote", bad);
        return oryx_device_fail(c->host, c->dev, "irqchip", err, ORYX_E_FORMAT, text);
    }
    pthread_mutex_lock(&c->lock);
    c->level = s.level;
    c->latch = s.latch;
    c->enable = s.enable;
    c->edge = s.edge;
    c->active = s.active;
    c->threshold = s.threshold;
    memcpy(c->priority, s.priority, sizeof(c->priority));
    pthread_mutex_unlock(&c->lock);
    tell(c);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "irqchip",
    .options = "{\"type\":\"object\",\"properties\":{\"edge\":{\"type\":\"integer\",\"minimum\":0,"
               "\"maximum\":4294967295,\"description\":\"EDGE after reset\"}}}",
    .create = irqchip_create,
    .destroy = irqchip_destroy,
    .reset = irqchip_reset,
    .region = irqchip_region,
    .save = irqchip_save,
    .load = irqchip_load,
    .irq_in = irqchip_in,
    .outputs = 1,
    .inputs = INPUTS,
};
ORYX_DEVICE_PLUGIN(ops)
