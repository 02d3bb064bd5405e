/* Device model "pl011": Arm's PrimeCell UART as far as a console needs it: output, status, masks; nothing is received.
 * Owns: its registers, one io region of 4 KiB, the file it writes to. Called by: the core through oryx_device_ops,
 * region-io for accesses.
 * Invariant: line 0 is high exactly while a raw interrupt that the mask lets through is pending.
 *
 * Registers as in DDI 0183, section 3: DR 0x00, RSR 0x04, FR 0x18, IBRD 0x24, FBRD 0x28, LCR_H 0x2c, CR 0x30, IFLS 0x34,
 * IMSC 0x38, RIS 0x3c, MIS 0x40, ICR 0x44, the peripheral identification from 0xfe0. A byte is sent at once, so the
 * transmit FIFO is always empty and its interrupt is raised by every byte.
 *
 * Options: {"chardev": "stdio" (default), "null" or "file:PATH"}. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "helper/oryx_device_plugin.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-pl011",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "pl011"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "thread" : "any"
}));

enum { DR = 0x00, RSR = 0x04, FR = 0x18, ILPR = 0x20, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38,
       RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48, PERIPH_ID = 0xfe0 };
#define TX_INT 0x20u
#define FR_TXFE 0x80u
#define FR_RXFE 0x10u

struct pl011 {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    oryx_line line;
    pthread_mutex_t lock; /* what follows */
    int fd;
    uint32_t own_fd;
    const char *chardev; /* while options are read */
    uint32_t ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
};

static uint32_t line_level(void *self)
{
    struct pl011 *p = self;
    pthread_mutex_lock(&p->lock);
    uint32_t level = (p->ris & p->imsc) != 0;
    pthread_mutex_unlock(&p->lock);
    return level;
}

static void tell(struct pl011 *p)
{
    oryx_line_update(&p->line, p->host, p->dev, 0, line_level, p);
}

static void send(struct pl011 *p, uint8_t byte)
{
    while (p->fd >= 0 && write(p->fd, &byte, 1) < 0 && errno == EINTR)
        ;
    p->ris |= TX_INT;
}

static uint32_t *plain(struct pl011 *p, uint64_t offset)
{
    switch (offset) {
    case ILPR: return &p->ilpr;
    case IBRD: return &p->ibrd;
    case FBRD: return &p->fbrd;
    case LCR_H: return &p->lcr;
    case CR: return &p->cr;
    case IFLS: return &p->ifls;
    case IMSC: return &p->imsc;
    case DMACR: return &p->dmacr;
    default: return NULL;
    }
}

static oryx_status pl011_read(void *opaque, oryx_access *a)
{
    static const uint8_t id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    struct pl011 *p = opaque;
    pthread_mutex_lock(&p->lock);
    const uint32_t *reg = plain(p, a->offset);
    if (reg)
        a->value = *reg;
    else if (a->offset == FR)
        a->value = FR_TXFE | FR_RXFE;
    else if (a->offset == RIS)
        a->value = p->ris;
    else if (a->offset == MIS)
        a->value = p->ris & p->imsc;
    else
        a->value = a->offset >= PERIPH_ID ? id[(a->offset - PERIPH_ID) / 4] : 0;
    pthread_mutex_unlock(&p->lock);
    return ORYX_OK;
}

static oryx_status pl011_write(void *opaque, const oryx_access *a)
{
    static const uint16_t width[] = { [ILPR / 4] = 0xff, [IBRD / 4] = 0xffff, [FBRD / 4] = 0x3f, [LCR_H / 4] = 0xff, [CR / 4] = 0xffff,
                                      [IFLS / 4] = 0x3f, [IMSC / 4] = 0x7ff, [DMACR / 4] = 7 };
    struct pl011 *p = opaque;
    pthread_mutex_lock(&p->lock);
    uint32_t *reg = plain(p, a->offset);
    if (reg)
        *reg = (uint32_t)a->value & width[a->offset / 4];
    else if (a->offset == DR)
        send(p, (uint8_t)a->value);
    else if (a->offset == ICR)
        p->ris &= ~(uint32_t)a->value;
    pthread_mutex_unlock(&p->lock);
    tell(p);
    return ORYX_OK;
}

static const oryx_io_ops io_ops = { .hdr = ORYX_HDR(oryx_io_ops), .read = pl011_read, .write = pl011_write, .peek = pl011_read,
                                    .valid = { .min = 1, .max = 8 }, .impl = { .min = 4, .max = 4 } };

static oryx_status pl011_reset(void *self)
{
    struct pl011 *p = self;
    pthread_mutex_lock(&p->lock);
    p->ilpr = p->ibrd = p->fbrd = p->lcr = p->imsc = p->ris = p->dmacr = 0;
    p->cr = 0x300;
    p->ifls = 0x12;
    pthread_mutex_unlock(&p->lock);
    tell(p);
    return ORYX_OK;
}

static void pl011_destroy(void *self)
{
    struct pl011 *p = self;
    if (p->region)
        p->host->region_destroy(p->region, NULL);
    if (p->own_fd)
        close(p->fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static oryx_status options(struct pl011 *p, const char *text, oryx_error *err)
{
    static const oryx_option known[] = { ORYX_OPTION(struct pl011, chardev, "chardev", ORYX_OPTION_TEXT, 0, 0, NULL) };
    oryx_json *tree;
    char what[300];
    oryx_status st = oryx_options_read(p->host, p->dev, "pl011", text, known, 1, p, &tree, err);
    const char *to = p->chardev ? p->chardev : "stdio";
    if (st) {
        p->fd = -1;
    } else if (!strcmp(to, "null")) {
        p->fd = -1;
    } else if (!strcmp(to, "stdio")) {
        p->fd = 1;
    } else if (!strncmp(to, "file:", 5)) {
        /* A pipe without a reader is an error at once, not a wait for one. */
        p->fd = open(to + 5, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666);
        p->own_fd = p->fd >= 0;
        if (p->fd < 0 || fcntl(p->fd, F_SETFL, 0)) {
            snprintf(what, sizeof(what), "cannot open '%.200s' for writing: %s", to + 5, strerror(errno));
            st = oryx_option_refuse(p->host, p->dev, "pl011", "chardev", err, ORYX_E_IO, what);
        }
    } else {
        st = oryx_option_refuse(p->host, p->dev, "pl011", "chardev", err, ORYX_E_FORMAT, "must be stdio, null or file:PATH");
    }
    free(tree);
    p->chardev = NULL;
    return st;
}

static oryx_status pl011_create(const oryx_host *host, oryx_device *dev, const char *text, void **self, oryx_error *err)
{
    struct pl011 *p = calloc(1, sizeof(*p));
    if (!p)
        return host->error_set(err, ORYX_E_NOMEM, "pl011: out of memory");
    p->host = host;
    p->dev = dev;
    pthread_mutex_init(&p->lock, NULL);
    oryx_region_config c = { .hdr = ORYX_HDR(oryx_region_config), .name = host->device_name(dev), .last = 0xfff,
                             .prot = ORYX_PROT_READ | ORYX_PROT_WRITE, .io = &io_ops, .opaque = p };
    oryx_status st = options(p, text, err);
    if (!st)
        st = host->region_new(host->device_machine(dev), "io", &c, &p->region, err);
    if (st) {
        pl011_destroy(p);
        return st;
    }
    pl011_reset(p);
    *self = p;
    return ORYX_OK;
}

static oryx_region *pl011_region(void *self, uint32_t n)
{
    return n == 0 ? ((struct pl011 *)self)->region : NULL;
}

static const oryx_state_row rows[] = {
    ORYX_STATE(struct pl011, ilpr), ORYX_STATE(struct pl011, ibrd), ORYX_STATE(struct pl011, fbrd),
    ORYX_STATE(struct pl011, lcr),  ORYX_STATE(struct pl011, cr),   ORYX_STATE(struct pl011, ifls),
    ORYX_STATE(struct pl011, imsc), ORYX_STATE(struct pl011, ris),  ORYX_STATE(struct pl011, dmacr),
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static oryx_status pl011_save(void *self, char **json, oryx_error *err)
{
    struct pl011 *p = self;
    pthread_mutex_lock(&p->lock);
    *json = oryx_state_save(p, rows, N_ROWS, 1);
    pthread_mutex_unlock(&p->lock);
    return *json ? ORYX_OK : oryx_device_fail(p->host, p->dev, "pl011", err, ORYX_E_NOMEM, "out of memory");
}

static oryx_status pl011_load(void *self, const char *json, oryx_error *err)
{
    struct pl011 *p = self, s = { 0 };
    char text[160];
    const char *bad = oryx_state_load(&s, rows, N_ROWS, 1, json);
    if (bad) {
        snprintf(text, sizeof(text), "state: field '%s' is missing or out of range; use a state that save wrote", bad);
        return oryx_device_fail(p->host, p->dev, "pl011", err, ORYX_E_FORMAT, text);
    }
    pthread_mutex_lock(&p->lock);
    for (size_t i = 0; i < N_ROWS; i++)
        oryx_state_set(p, &rows[i], 0, oryx_state_get(&s, &rows[i], 0));
    pthread_mutex_unlock(&p->lock);
    tell(p);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "pl011",
    .options = "{\"type\":\"object\",\"properties\":{\"chardev\":{\"type\":\"string\",\"description\":\"stdio, null or file:PATH\"}}}",
    .create = pl011_create,
    .destroy = pl011_destroy,
    .reset = pl011_reset,
    .region = pl011_region,
    .save = pl011_save,
    .load = pl011_load,
    .outputs = 1,
};
ORYX_DEVICE_PLUGIN(ops)
