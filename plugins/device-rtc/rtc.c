/* Device model "rtc": the time of day and one alarm.
 * Owns: its registers, one io region of 64 bytes, the device's alarm. Called by: the core through
 * oryx_device_ops, region-io for accesses.
 * Invariant: line 0 is high exactly while ALARM is set in STATUS and IRQ in CTRL.
 *
 * Registers, little-endian, aligned accesses of 4 bytes (8 reads or writes two, the lower first).
 *   0x00 TIME_LO   RO  seconds since 1970-01-01 00:00 UTC; latches TIME_HI and NSEC
 *   0x04 TIME_HI   RO
 *   0x08 NSEC      RO  nanoseconds of that second
 *   0x0c CTRL      RW  bit 0 IRQ, bit 1 ARM: the alarm is waited for; cleared when it comes
 *   0x10 SET_LO    RW  the time that a write of SET_HI sets the clock to (at nanosecond 0)
 *   0x14 SET_HI    RW
 *   0x18 ALARM_LO  RW  seconds since 1970 at which STATUS gets its bit when ARM is set; a time that
 *   0x1c ALARM_HI  RW  has passed is reached at once
 *   0x20 STATUS    RW  bit 0 ALARM; writing 1 clears it
 * Other offsets and writes to RO registers are refused.
 *
 * Options: {"clock": "host" (default): the host's real time, as set off by the guest | "fixed":
 * begins at "time" and passes with virtual time, so that runs repeat; "time": seconds since 1970, 0
 * when left out}. With "host" the alarm is looked for once a virtual millisecond. Reset stops the
 * alarm and clears STATUS; as with a clock that has a battery, the time goes on. */
#include <pthread.h>
#include <time.h>

#include "helper/oryx_device_plugin.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-rtc",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "rtc"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "thread" : "any"
}));

enum {
    TIME_LO = 0x00,
    TIME_HI = 0x04,
    NSEC = 0x08,
    CTRL = 0x0c,
    SET_LO = 0x10,
    SET_HI = 0x14,
    ALARM_LO = 0x18,
    ALARM_HI = 0x1c,
    STATUS = 0x20
};

#define IRQ    1u
#define ARM    2u
#define NEVER  UINT64_MAX
#define SECOND 1000000000u
#define POLL   1000000u /* virtual nanoseconds */

struct rtc {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    oryx_line line;
    uint32_t fixed;
    uint64_t begin; /* "time" */
    pthread_mutex_t lock; /* what follows */
    uint64_t seconds,
        nanos; /* added to the source (the host's time or virtual time), modulo 2^64 */
    uint64_t set, alarm;
    uint32_t ctrl, status, time_hi, nsec;
    uint64_t saved_seconds,
        saved_nanos; /* as saved: the time itself when fixed, else the addends */
};

struct moment {
    uint64_t seconds;
    uint32_t nanos;
};

static struct moment source(const struct rtc *r)
{
    if (!r->fixed) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        return (struct moment){(uint64_t)t.tv_sec, (uint32_t)t.tv_nsec};
    }
    uint64_t ns = r->host->machine_vtime(r->host->device_machine(r->dev));
    return (struct moment){ns / SECOND, (uint32_t)(ns % SECOND)};
}

static struct moment now_of(const struct rtc *r)
{
    struct moment m = source(r);
    uint64_t nanos = m.nanos + r->nanos;
    return (struct moment){m.seconds + r->seconds + nanos / SECOND, (uint32_t)(nanos % SECOND)};
}

/* Make it `to` now. nanos stays below a second, so the sum above is small. */
static void set_now(struct rtc *r, struct moment to)
{
    struct moment m = source(r);
    uint32_t borrow = to.nanos < m.nanos;
    r->nanos = (uint64_t)to.nanos + (borrow ? SECOND : 0) - m.nanos;
    r->seconds = to.seconds - m.seconds - borrow;
}

static uint32_t line_level(void *self)
{
    struct rtc *r = self;
    pthread_mutex_lock(&r->lock);
    uint32_t level = (r->status & 1) && (r->ctrl & IRQ);
    pthread_mutex_unlock(&r->lock);
    return level;
}

static void tell(struct rtc *r)
{
    oryx_line_update(&r->line, r->host, r->dev, 0, line_level, r);
}

/* With the lock: ring when it is time, otherwise ask to be woken. */
static void check(struct rtc *r)
{
    uint64_t wake = NEVER;
    if (r->ctrl & ARM) {
        struct moment m = now_of(r);
        if (m.seconds >= r->alarm) {
            r->status |= 1;
            r->ctrl &= ~ARM;
        } else {
            uint64_t vtime = r->host->machine_vtime(r->host->device_machine(r->dev)), ns = POLL;
            if (r->fixed) {
                uint64_t whole = r->alarm - m.seconds;
                ns = whole > NEVER / 2 / SECOND ? NEVER / 2 : whole * SECOND - m.nanos;
            }
            wake = ns > NEVER - 1 - vtime ? NEVER - 1 : vtime + ns;
        }
    }
    r->host->device_alarm(r->dev, wake);
}

static void rtc_alarm(void *self, uint64_t now)
{
    struct rtc *r = self;
    (void)now;
    pthread_mutex_lock(&r->lock);
    check(r);
    pthread_mutex_unlock(&r->lock);
    tell(r);
}

static oryx_status read_reg(struct rtc *r, oryx_access *a, int peek)
{
    struct moment m;
    switch (a->offset) {
    case TIME_LO:
        m = now_of(r);
        a->value = (uint32_t)m.seconds;
        if (!peek) {
            r->time_hi = (uint32_t)(m.seconds >> 32);
            r->nsec = m.nanos;
        }
        break;
    case TIME_HI:
        a->value = r->time_hi;
        break;
    case NSEC:
        a->value = r->nsec;
        break;
    case CTRL:
        a->value = r->ctrl;
        break;
    case SET_LO:
        a->value = (uint32_t)r->set;
        break;
    case SET_HI:
        a->value = r->set >> 32;
        break;
    case ALARM_LO:
        a->value = (uint32_t)r->alarm;
        break;
    case ALARM_HI:
        a->value = r->alarm >> 32;
        break;
    case STATUS:
        a->value = r->status;
        break;
    default:
        return ORYX_FAULT_DEVICE;
    }
    return ORYX_OK;
}

static oryx_status rtc_read(void *opaque, oryx_access *a)
{
    struct rtc *r = opaque;
    pthread_mutex_lock(&r->lock);
    check(r);
    oryx_status st = read_reg(r, a, 0);
    pthread_mutex_unlock(&r->lock);
    tell(r);
    return st;
}

static oryx_status rtc_peek(void *opaque, oryx_access *a)
{
    struct rtc *r = opaque;
    pthread_mutex_lock(&r->lock);
    oryx_status st = read_reg(r, a, 1);
    pthread_mutex_unlock(&r->lock);
    return st;
}

static uint64_t low(uint64_t old, uint32_t v)
{
    return (old >> 32 << 32) | v;
}

static uint64_t high(uint64_t old, uint32_t v)
{
    return (uint64_t)v << 32 | (uint32_t)old;
}

static oryx_status rtc_write(void *opaque, const oryx_access *a)
{
    struct rtc *r = opaque;
    oryx_status st = ORYX_OK;
    uint32_t v = (uint32_t)a->value;
    pthread_mutex_lock(&r->lock);
    switch (a->offset) {
    case CTRL:
        r->ctrl = v & (IRQ | ARM);
        break;
    case SET_LO:
        r->set = low(r->set, v);
        break;
    case SET_HI:
        r->set = high(r->set, v);
        set_now(r, (struct moment){r->set, 0});
        break;
    case ALARM_LO:
        r->alarm = low(r->alarm, v);
        break;
    case ALARM_HI:
        r->alarm = high(r->alarm, v);
        break;
    case STATUS:
        r->status &= ~v;
        break;
    default:
        st = ORYX_FAULT_DEVICE;
    }
    check(r);
    pthread_mutex_unlock(&r->lock);
    tell(r);
    return st;
}

static const oryx_io_ops io_ops = {.hdr = ORYX_HDR(oryx_io_ops),
                                   .read = rtc_read,
                                   .write = rtc_write,
                                   .peek = rtc_peek,
                                   .valid = {.min = 4, .max = 8},
                                   .impl = {.min = 4, .max = 4}};

static oryx_status rtc_reset(void *self)
{
    struct rtc *r = self;
    pthread_mutex_lock(&r->lock);
    r->ctrl = r->status = r->time_hi = r->nsec = 0;
    r->set = r->alarm = 0;
    check(r);
    pthread_mutex_unlock(&r->lock);
    tell(r);
    return ORYX_OK;
}

static void rtc_destroy(void *self)
{
    struct rtc *r = self;
    if (r->region)
        r->host->region_destroy(r->region, NULL);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static oryx_status fail(const struct rtc *r, oryx_error *err, oryx_status st, const char *what)
{
    return oryx_device_fail(r->host, r->dev, "rtc", err, st, what);
}

static oryx_status options(struct rtc *r, const char *text, oryx_error *err)
{
    static const char *const clocks[] = {"host", "fixed", NULL};
    static const oryx_option known[] = {
        ORYX_OPTION(struct rtc, fixed, "clock", ORYX_OPTION_WORD, 0, 0, clocks),
        ORYX_OPTION(struct rtc, begin, "time", ORYX_OPTION_NUMBER, 0, INT64_MAX, NULL),
    };
    oryx_json *tree;
    oryx_status st = oryx_options_read(r->host, r->dev, "rtc", text, known, 2, r, &tree, err);
    if (!st && oryx_json_get(tree, "time") && !r->fixed)
        st = oryx_option_refuse(r->host, r->dev, "rtc", "time", err, ORYX_E_FORMAT,
                                "option 'time' needs \"clock\": \"fixed\"");
    free(tree);
    if (!st && r->fixed)
        set_now(r, (struct moment){r->begin, 0});
    return st;
}

static oryx_status rtc_create(const oryx_host *host, oryx_device *dev, const char *text,
                              void **self, oryx_error *err)
{
    struct rtc *r = calloc(1, sizeof(*r));
    if (!r)
        return host->error_set(err, ORYX_E_NOMEM, "rtc: out of memory");
    r->host = host;
    r->dev = dev;
    pthread_mutex_init(&r->lock, NULL);
    oryx_status st = options(r, text, err);
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = host->device_name(dev),
                            .last = 0x3f,
                            .prot = ORYX_PROT_READ | ORYX_PROT_WRITE,
                            .io = &io_ops,
                            .opaque = r};
    if (!st)
        st = host->region_new(host->device_machine(dev), "io", &c, &r->region, err);
    if (st) {
        rtc_destroy(r);
        return st;
    }
    *self = r;
    return ORYX_OK;
}

static oryx_region *rtc_region(void *self, uint32_t n)
{
    return n == 0 ? ((struct rtc *)self)->region : NULL;
}

static const oryx_state_row rows[] = {
    ORYX_STATE(struct rtc, fixed),       ORYX_STATE(struct rtc, set),
    ORYX_STATE(struct rtc, alarm),       ORYX_STATE(struct rtc, ctrl),
    ORYX_STATE(struct rtc, status),      ORYX_STATE(struct rtc, time_hi),
    ORYX_STATE(struct rtc, nsec),        ORYX_STATE(struct rtc, saved_seconds),
    ORYX_STATE(struct rtc, saved_nanos),
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static oryx_status rtc_save(void *self, char **json, oryx_error *err)
{
    struct rtc *r = self;
    pthread_mutex_lock(&r->lock);
    struct moment m = now_of(r);
    r->saved_seconds = r->fixed ? m.seconds : r->seconds;
    r->saved_nanos = r->fixed ? m.nanos : r->nanos;
    *json = oryx_state_save(r, rows, N_ROWS, 1);
    pthread_mutex_unlock(&r->lock);
    return *json ? ORYX_OK : fail(r, err, ORYX_E_NOMEM, "out of memory");
}

static oryx_status rtc_load(void *self, const char *json, oryx_error *err)
{
    struct rtc *r = self, s = {0};
    char text[160];
    const char *bad = oryx_state_load(&s, rows, N_ROWS, 1, json);
    if (!bad && (s.fixed != r->fixed || s.saved_nanos >= SECOND))
        bad = s.fixed != r->fixed ? "fixed" : "saved_nanos";
    if (bad) {
        snprintf(text, sizeof(text),
                 "state: field '%s' is missing or does not fit; use a state that save wrote with "
                 "the same clock",
                 bad);
        return fail(r, err, ORYX_E_FORMAT, text);
    }
    pthread_mutex_lock(&r->lock);
    r->set = s.set;
    r->alarm = s.alarm;
    r->ctrl = s.ctrl & (IRQ | ARM);
    r->status = s.status & 1;
    r->time_hi = s.time_hi;
    r->nsec = s.nsec;
    if (r->fixed) {
        set_now(r, (struct moment){s.saved_seconds, (uint32_t)s.saved_nanos});
    } else {
        r->seconds = s.saved_seconds;
        r->nanos = s.saved_nanos;
    }
    check(r);
    pthread_mutex_unlock(&r->lock);
    tell(r);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "rtc",
    .options = "{\"type\":\"object\",\"properties\":{\"clock\":{\"enum\":[\"host\",\"fixed\"]},"
               "\"time\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"seconds since 1970, "
               "with fixed\"}}}",
    .create = rtc_create,
    .destroy = rtc_destroy,
    .reset = rtc_reset,
    .region = rtc_region,
    .save = rtc_save,
    .load = rtc_load,
    .alarm = rtc_alarm,
    .outputs = 1,
};
ORYX_DEVICE_PLUGIN(ops)
