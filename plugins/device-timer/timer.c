/* Device model "timer": a 64-bit counter and a one-shot or periodic timer in virtual time.
 * Owns: its registers, one io region of 64 bytes, the device's alarm. Called by: the core through
 * oryx_device_ops, region-io for accesses.
 * Invariant: line 0 is high exactly while EXPIRED and IRQ are set; the alarm stands at the deadline
 * exactly while ENABLE is set.
 *
 * Registers, little-endian, aligned accesses of 4 bytes (8 reads or writes two, the lower first).
 * A tick is 1/hz of a virtual second; 64-bit registers are read low half first, which latches the
 * high half.
 *   0x00 COUNT_LO  RO  ticks since reset
 *   0x04 COUNT_HI  RO
 *   0x08 LOAD_LO   RW  interval in ticks; 0 counts as 1. Takes effect at the next start
 *   0x0c LOAD_HI   RW
 *   0x10 CTRL      RW  bit 0 ENABLE, bit 1 PERIODIC, bit 2 IRQ. A write with ENABLE set starts the
 *                      interval anew; a one-shot timer clears ENABLE when it expires
 *   0x14 STATUS    RW  bit 0 EXPIRED; writing 1 clears it
 *   0x18 VALUE_LO  RO  ticks until it expires (rounded up), 0 when not enabled
 *   0x1c VALUE_HI  RO
 *   0x20 TICKS     RO  how often it expired since reset (wraps)
 * Other offsets are refused (the guest gets a bus error), and so are writes to RO registers.
 *
 * Options: {"hz": 1..1000000000, 1000000000 when left out}. Reset stops the timer, clears all. */
#include <pthread.h>

#include "helper/oryx_device_plugin.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-timer",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "timer"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "state" : {"version" : 2, "reads" : [ 2, 2 ]},
    "thread" : "any"
}));

enum {
    COUNT_LO = 0x00,
    COUNT_HI = 0x04,
    LOAD_LO = 0x08,
    LOAD_HI = 0x0c,
    CTRL = 0x10,
    STATUS = 0x14,
    VALUE_LO = 0x18,
    VALUE_HI = 0x1c,
    TICKS = 0x20
};

#define ENABLE   1u
#define PERIODIC 2u
#define IRQ      4u
#define NEVER    UINT64_MAX
#define SECOND   1000000000u

struct timer {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    oryx_line line;
    pthread_mutex_t lock; /* what follows */
    uint32_t hz;
    uint64_t origin;   /* virtual time of reset */
    uint64_t deadline; /* virtual time; meaningful while enabled */
    uint64_t load;
    uint32_t ctrl, status, ticks, count_hi, value_hi;
    /* state as saved: times relative to now, which differs where it is loaded */
    uint64_t age, rest;
};

/* The first nanosecond at which `ticks` are over. */
static uint64_t to_ns(const struct timer *t, uint64_t ticks)
{
    unsigned __int128 ns = ((unsigned __int128)ticks * SECOND + t->hz - 1) / t->hz;
    return ns > NEVER ? NEVER : (uint64_t)ns;
}

static uint64_t to_ticks(const struct timer *t, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * t->hz / SECOND);
}

static uint64_t after(uint64_t now, uint64_t ns)
{
    return now > NEVER - 1 - ns ? NEVER - 1 : now + ns;
}

static uint64_t interval(const struct timer *t)
{
    return to_ns(t, t->load ? t->load : 1);
}

static uint32_t line_level(void *self)
{
    struct timer *t = self;
    pthread_mutex_lock(&t->lock);
    uint32_t level = (t->status & 1) && (t->ctrl & IRQ);
    pthread_mutex_unlock(&t->lock);
    return level;
}

static void tell(struct timer *t)
{
    oryx_line_update(&t->line, t->host, t->dev, 0, line_level, t);
}

/* With the lock. */
static void alarm_set(struct timer *t)
{
    t->host->device_alarm(t->dev, t->ctrl & ENABLE ? t->deadline : NEVER);
}

/* With the lock: whatever expired until now has expired, also when the alarm is still to come. */
static void catch_up(struct timer *t, uint64_t now)
{
    if (!(t->ctrl & ENABLE) || now < t->deadline)
        return;
    uint64_t step = interval(t), n = 1;
    if (t->ctrl & PERIODIC) {
        n += (now - t->deadline) / step;
        t->deadline = n > (NEVER - 1 - t->deadline) / step ? NEVER - 1 : t->deadline + n * step;
    } else {
        t->ctrl &= ~ENABLE;
    }
    t->status |= 1;
    t->ticks += (uint32_t)n;
    alarm_set(t);
}

static void vtimer_alarm(void *self, uint64_t now)
{
    struct timer *t = self;
    pthread_mutex_lock(&t->lock);
    catch_up(t, now);
    alarm_set(t);
    pthread_mutex_unlock(&t->lock);
    tell(t);
}

static uint64_t now_of(const struct timer *t)
{
    return t->host->machine_vtime(t->host->device_machine(t->dev));
}

static oryx_status read_reg(struct timer *t, oryx_access *a, uint64_t now, int peek)
{
    uint64_t count = to_ticks(t, now - t->origin), value = 0;
    if (t->ctrl & ENABLE && t->deadline > now)
        value = (uint64_t)(((unsigned __int128)(t->deadline - now) * t->hz + SECOND - 1) / SECOND);
    switch (a->offset) {
    case COUNT_LO:
        if (!peek)
            t->count_hi = (uint32_t)(count >> 32);
        a->value = (uint32_t)count;
        break;
    case COUNT_HI:
        a->value = t->count_hi;
        break;
    case LOAD_LO:
        a->value = (uint32_t)t->load;
        break;
    case LOAD_HI:
        a->value = t->load >> 32;
        break;
    case CTRL:
        a->value = t->ctrl;
        break;
    case STATUS:
        a->value = t->status;
        break;
    case VALUE_LO:
        if (!peek)
            t->value_hi = (uint32_t)(value >> 32);
        a->value = (uint32_t)value;
        break;
    case VALUE_HI:
        a->value = t->value_hi;
        break;
    case TICKS:
        a->value = t->ticks;
        break;
    default:
        return ORYX_FAULT_DEVICE;
    }
    return ORYX_OK;
}

static oryx_status vtimer_read(void *opaque, oryx_access *a)
{
    struct timer *t = opaque;
    pthread_mutex_lock(&t->lock);
    uint64_t now = now_of(t);
    catch_up(t, now);
    oryx_status st = read_reg(t, a, now, 0);
    pthread_mutex_unlock(&t->lock);
    tell(t);
    return st;
}

static oryx_status vtimer_peek(void *opaque, oryx_access *a)
{
    struct timer *t = opaque;
    pthread_mutex_lock(&t->lock);
    oryx_status st = read_reg(t, a, now_of(t), 1);
    pthread_mutex_unlock(&t->lock);
    return st;
}

static oryx_status vtimer_write(void *opaque, const oryx_access *a)
{
    struct timer *t = opaque;
    oryx_status st = ORYX_OK;
    uint32_t v = (uint32_t)a->value;
    pthread_mutex_lock(&t->lock);
    uint64_t now = now_of(t);
    catch_up(t, now);
    switch (a->offset) {
    case LOAD_LO:
        t->load = (t->load >> 32 << 32) | v;
        break;
    case LOAD_HI:
        t->load = (uint64_t)v << 32 | (uint32_t)t->load;
        break;
    case CTRL:
        t->ctrl = v & (ENABLE | PERIODIC | IRQ);
        if (v & ENABLE)
            t->deadline = after(now, interval(t));
        alarm_set(t);
        break;
    case STATUS:
        t->status &= ~v;
        break;
    default:
        st = ORYX_FAULT_DEVICE;
    }
    pthread_mutex_unlock(&t->lock);
    tell(t);
    return st;
}

static const oryx_io_ops io_ops = {.hdr = ORYX_HDR(oryx_io_ops),
                                   .read = vtimer_read,
                                   .write = vtimer_write,
                                   .peek = vtimer_peek,
                                   .valid = {.min = 4, .max = 8},
                                   .impl = {.min = 4, .max = 4}};

static oryx_status vtimer_reset(void *self)
{
    struct timer *t = self;
    pthread_mutex_lock(&t->lock);
    t->origin = now_of(t);
    t->load = 0;
    t->ctrl = t->status = t->ticks = t->count_hi = t->value_hi = 0;
    alarm_set(t);
    pthread_mutex_unlock(&t->lock);
    tell(t);
    return ORYX_OK;
}

static void vtimer_destroy(void *self)
{
    struct timer *t = self;
    if (t->region)
        t->host->region_destroy(t->region, NULL);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static oryx_status options(struct timer *t, const char *text, oryx_error *err)
{
    static const oryx_option known[] = {
        ORYX_OPTION(struct timer, hz, "hz", ORYX_OPTION_NUMBER, 1, SECOND, NULL),
    };
    oryx_json *tree;
    oryx_status st = oryx_options_read(t->host, t->dev, "timer", text, known, 1, t, &tree, err);
    free(tree);
    return st;
}

static oryx_status vtimer_create(const oryx_host *host, oryx_device *dev, const char *text,
                                 void **self, oryx_error *err)
{
    struct timer *t = calloc(1, sizeof(*t));
    if (!t)
        return host->error_set(err, ORYX_E_NOMEM, "timer: out of memory");
    t->host = host;
    t->dev = dev;
    t->hz = SECOND;
    t->origin = now_of(t);
    pthread_mutex_init(&t->lock, NULL);
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = host->device_name(dev),
                            .last = 0x3f,
                            .prot = ORYX_PROT_READ | ORYX_PROT_WRITE,
                            .io = &io_ops,
                            .opaque = t};
    oryx_status st = options(t, text, err);
    if (!st)
        st = host->region_new(host->device_machine(dev), "io", &c, &t->region, err);
    if (st) {
        vtimer_destroy(t);
        return st;
    }
    *self = t;
    return ORYX_OK;
}

static oryx_region *vtimer_region(void *self, uint32_t n)
{
    return n == 0 ? ((struct timer *)self)->region : NULL;
}

static const oryx_state_row rows[] = {
    ORYX_STATE(struct timer, load),     ORYX_STATE(struct timer, ctrl),
    ORYX_STATE(struct timer, status),   ORYX_STATE(struct timer, ticks),
    ORYX_STATE(struct timer, count_hi), ORYX_STATE(struct timer, value_hi),
    ORYX_STATE(struct timer, age),      ORYX_STATE(struct timer, rest),
    ORYX_STATE(struct timer, hz),
};
#define N_ROWS        (sizeof(rows) / sizeof(rows[0]))
#define STATE_VERSION 2u /* 1 did not have hz */

static oryx_status vtimer_save(void *self, char **json, oryx_error *err)
{
    struct timer *t = self;
    pthread_mutex_lock(&t->lock);
    uint64_t now = now_of(t);
    catch_up(t, now);
    t->age = now - t->origin;
    t->rest = t->ctrl & ENABLE ? t->deadline - now : 0;
    *json = oryx_state_save(t, rows, N_ROWS, STATE_VERSION);
    pthread_mutex_unlock(&t->lock);
    tell(t);
    return *json ? ORYX_OK
                 : oryx_device_fail(t->host, t->dev, "timer", err, ORYX_E_NOMEM, "out of memory");
}

static oryx_status vtimer_load(void *self, const char *json, oryx_error *err)
{
    struct timer *t = self, s = {0};
    char text[160];
    const char *bad = oryx_state_load(&s, rows, N_ROWS, STATE_VERSION, json);
    if (!bad && s.ctrl & ~(ENABLE | PERIODIC | IRQ))
        bad = "ctrl";
    if (!bad && s.hz != t->hz) /* its numbers are ticks */
        bad = "hz";
    if (bad) {
        snprintf(text, sizeof(text),
                 "state: field '%s' is missing or does not fit; use a state that save wrote with the same options", bad);
        return oryx_device_fail(t->host, t->dev, "timer", err, ORYX_E_FORMAT, text);
    }
    pthread_mutex_lock(&t->lock);
    uint64_t now = now_of(t);
    t->load = s.load;
    t->ctrl = s.ctrl;
    t->status = s.status & 1;
    t->ticks = s.ticks;
    t->count_hi = s.count_hi;
    t->value_hi = s.value_hi;
    t->origin = now - s.age; /* may be before virtual time began: differences are what counts */
    t->deadline = after(now, s.rest);
    alarm_set(t);
    pthread_mutex_unlock(&t->lock);
    tell(t);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "timer",
    .options = "{\"type\":\"object\",\"properties\":{\"hz\":{\"type\":\"integer\",\"minimum\":1,"
               "\"maximum\":1000000000,\"description\":\"ticks a virtual second\"}}}",
    .create = vtimer_create,
    .destroy = vtimer_destroy,
    .reset = vtimer_reset,
    .region = vtimer_region,
    .save = vtimer_save,
    .load = vtimer_load,
    .alarm = vtimer_alarm,
    .outputs = 1,
};
ORYX_DEVICE_PLUGIN(ops)
