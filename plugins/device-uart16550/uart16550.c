/* Device model "uart16550": the 16550A serial port (National PC16550D data sheet, "Registers").
 * Owns: the register state, one io region, one chardev. Called by: the core through
 * oryx_device_ops, region-io for accesses, the chardev's thread for input.
 * Invariant: line 0 is high exactly when IIR bit 0 is clear; levels are told in the order they
 * came about.
 *
 * Characters take no time: a byte written to THR is sent at once, so THRE and TEMT are always set,
 * and the "character timeout" of the receive FIFO is there as soon as bytes below the trigger level
 * wait. Input is read by a thread and kept outside while the FIFO is full, so an overrun happens
 * only in loopback, as the guest's own doing.
 *
 * Options: {"chardev": "null" (default) | "stdio" | "file:PATH" | "pty" | "socket:PATH" | "memory",
 * "input": TEXT for memory, "shift": 0..3, log2 of the distance of two registers}. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chardev.h"
#include "helper/oryx_device_plugin.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-uart16550",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "uart16550"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "thread" : "any"
}));

enum { RBR_THR_DLL, IER_DLM, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RDA        0x01u
#define IER_THRE       0x02u
#define IER_RLS        0x04u
#define IER_MS         0x08u
#define IIR_NONE       0x01u
#define FCR_ENABLE     0x01u
#define FCR_RX_RESET   0x02u
#define LCR_BREAK      0x40u
#define LCR_DLAB       0x80u
#define MCR_LOOP       0x10u
#define LSR_DR         0x01u
#define LSR_OE         0x02u
#define LSR_BI         0x10u
#define LSR_ERRORS     0x1eu
#define LSR_THRE       0x20u
#define LSR_TEMT       0x40u
#define LSR_FIFO_ERROR 0x80u
#define MSR_LINES      0xf0u
#define MSR_IDLE       0xb0u /* carrier, ready, clear to send; no ring */
#define FIFO           16u

struct uart {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    chardev *chr;
    uint32_t shift;
    const char *spec, *input; /* while options are read */
    pthread_mutex_t lock;     /* the registers */
    pthread_mutex_t irq_lock; /* recursive, around telling the line: keeps levels in order without
                                 holding `lock` */
    uint32_t level;
    /* state */
    uint8_t dll, dlm, ier, fcr, lcr, mcr, lsr, msr, scr;
    uint8_t thre_pending; /* the THR-empty interrupt was not yet acknowledged */
    uint8_t rx[FIFO], rx_error[FIFO];
    uint32_t rx_n;
};

/* --- receive ---------------------------------------------------------------------------------- */

static uint32_t depth(const struct uart *u)
{
    return u->fcr & FCR_ENABLE ? FIFO : 1;
}

static uint32_t trigger(const struct uart *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14};
    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* LSR's view of the character at the top, and of errors anywhere in the FIFO. */
static void top_changed(struct uart *u)
{
    u->lsr = (uint8_t)(u->rx_n ? u->lsr | LSR_DR : u->lsr & ~LSR_DR);
    if (u->rx_n)
        u->lsr |= u->rx_error[0];
    u->lsr &= (uint8_t)~LSR_FIFO_ERROR;
    for (uint32_t i = 0; i < u->rx_n && (u->fcr & FCR_ENABLE); i++)
        if (u->rx_error[i])
            u->lsr |= LSR_FIFO_ERROR;
}

static void push(struct uart *u, uint8_t byte, uint8_t error)
{
    if (u->rx_n == depth(u)) {
        u->lsr |= LSR_OE;
        if (u->fcr & FCR_ENABLE)
            return;  /* the FIFO is kept, the character in the shift register is lost */
        u->rx_n = 0; /* without FIFO the new character replaces the old */
    }
    u->rx[u->rx_n] = byte;
    u->rx_error[u->rx_n++] = error;
    top_changed(u);
}

static uint8_t pop(struct uart *u)
{
    uint8_t byte = u->rx[0];
    if (!u->rx_n)
        return 0;
    u->rx_n--;
    memmove(u->rx, u->rx + 1, u->rx_n);
    memmove(u->rx_error, u->rx_error + 1, u->rx_n);
    top_changed(u);
    return byte;
}

static void rx_clear(struct uart *u)
{
    u->rx_n = 0;
    top_changed(u);
}

/* --- interrupts ------------------------------------------------------------------------------- */

/* Data sheet table IV: the highest-priority source that is enabled and active. */
static uint8_t iir(const struct uart *u)
{
    uint8_t fifo = u->fcr & FCR_ENABLE ? 0xc0 : 0;
    if ((u->ier & IER_RLS) && (u->lsr & LSR_ERRORS))
        return 0x06 | fifo;
    if ((u->ier & IER_RDA) && u->rx_n >= trigger(u))
        return 0x04 | fifo;
    if ((u->ier & IER_RDA) && u->rx_n)
        return 0x0c | fifo;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return 0x02 | fifo;
    if ((u->ier & IER_MS) && (u->msr & 0x0f))
        return 0x00 | fifo;
    return IIR_NONE | fifo;
}

static void tell_irq(struct uart *u)
{
    pthread_mutex_lock(&u->irq_lock);
    pthread_mutex_lock(&u->lock);
    uint32_t level = !(iir(u) & IIR_NONE);
    pthread_mutex_unlock(&u->lock);
    if (level != u->level) {
        u->level = level;
        u->host->device_set_irq(u->dev, 0, level);
    }
    pthread_mutex_unlock(&u->irq_lock);
}

static size_t receive(void *opaque, const uint8_t *bytes, size_t n)
{
    struct uart *u = opaque;
    size_t taken = 0;
    pthread_mutex_lock(&u->lock);
    /* In loopback the input pin is cut off: what comes waits outside. */
    while (!(u->mcr & MCR_LOOP) && taken < n && u->rx_n < depth(u))
        push(u, bytes[taken++], 0);
    pthread_mutex_unlock(&u->lock);
    tell_irq(u);
    return taken;
}

/* --- modem lines ------------------------------------------------------------------------------ */

/* Set the input lines (MSR bits 4-7) and note changes in bits 0-3; a ring is noted when it ends. */
static void modem_lines(struct uart *u, uint8_t lines)
{
    uint8_t was = u->msr & MSR_LINES, changed = was ^ lines;
    uint8_t delta = (uint8_t)(changed >> 4 & 0x0b);
    if ((changed & 0x40) && !(lines & 0x40))
        delta |= 0x04;
    u->msr = (uint8_t)(lines | (u->msr & 0x0f) | delta);
}

static void set_mcr(struct uart *u, uint8_t value)
{
    u->mcr = value & 0x1f;
    if (u->mcr & MCR_LOOP) /* RTS to CTS, DTR to DSR, OUT1 to RI, OUT2 to DCD */
        modem_lines(u, (uint8_t)((u->mcr & 2) << 3 | (u->mcr & 1) << 5 | (u->mcr & 4) << 4 |
                                 (u->mcr & 8) << 4));
    else
        modem_lines(u, MSR_IDLE);
}

/* --- registers -------------------------------------------------------------------------------- */

static void set_fcr(struct uart *u, uint8_t value)
{
    if ((value ^ u->fcr) & FCR_ENABLE)
        rx_clear(u);
    u->fcr = value & 0xc9;
    if (value & FCR_RX_RESET)
        rx_clear(u);
    if (!(value & FCR_ENABLE))
        u->fcr = 0; /* the other bits hold only while the FIFOs are on */
    top_changed(u);
}

/* Returns 1 when the byte must be sent, after the lock is released. */
static int reg_write(struct uart *u, uint32_t reg, uint8_t value)
{
    int dlab = u->lcr & LCR_DLAB;
    switch (reg) {
    case RBR_THR_DLL:
        if (dlab) {
            u->dll = value;
            return 0;
        }
        u->thre_pending = 1; /* cleared by the write, set again as the byte leaves at once */
        if (!(u->mcr & MCR_LOOP))
            return 1;
        push(u, value, 0);
        return 0;
    case IER_DLM:
        if (dlab) {
            u->dlm = value;
            return 0;
        }
        if ((value & IER_THRE) && !(u->ier & IER_THRE))
            u->thre_pending = 1; /* the transmitter is empty: enabling says so */
        u->ier = value & 0x0f;
        return 0;
    case IIR_FCR:
        set_fcr(u, value);
        return 0;
    case LCR:
        if ((u->mcr & MCR_LOOP) && (value & LCR_BREAK) && !(u->lcr & LCR_BREAK))
            push(u, 0, LSR_BI);
        u->lcr = value;
        return 0;
    case MCR:
        set_mcr(u, value);
        return 0;
    case SCR:
        u->scr = value;
        return 0;
    default:
        return 0; /* LSR, MSR: for factory tests only */
    }
}

/* peek: no side effects. */
static uint8_t reg_read(struct uart *u, uint32_t reg, int peek)
{
    int dlab = u->lcr & LCR_DLAB;
    uint8_t value;
    switch (reg) {
    case RBR_THR_DLL:
        if (dlab)
            return u->dll;
        return peek ? (u->rx_n ? u->rx[0] : 0) : pop(u);
    case IER_DLM:
        return dlab ? u->dlm : u->ier;
    case IIR_FCR:
        value = iir(u);
        if (!peek && (value & 0x0f) == 0x02)
            u->thre_pending = 0;
        return value;
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        value = u->lsr;
        if (!peek) {
            u->lsr &= (uint8_t)~LSR_ERRORS;
            if (u->rx_n)
                u->rx_error[0] = 0;
            top_changed(u);
        }
        return value;
    case MSR:
        value = u->msr;
        if (!peek)
            u->msr &= MSR_LINES;
        return value;
    default:
        return u->scr;
    }
}

static oryx_status io_access(struct uart *u, oryx_access *a, int write, int peek, uint64_t value)
{
    uint32_t reg = (uint32_t)(a->offset >> u->shift) & 7;
    if (a->offset & ((1u << u->shift) - 1)) {
        a->value = write ? a->value : 0; /* between two registers */
        return ORYX_OK;
    }
    int send = 0, room = 0;
    pthread_mutex_lock(&u->lock);
    uint32_t before = u->rx_n, loop = u->mcr & MCR_LOOP;
    if (write)
        send = reg_write(u, reg, (uint8_t)value);
    else
        a->value = reg_read(u, reg, peek);
    room = u->rx_n < before || (loop && !(u->mcr & MCR_LOOP)) || (write && reg == IIR_FCR);
    pthread_mutex_unlock(&u->lock);
    if (peek)
        return ORYX_OK;
    if (send)
        chardev_send(u->chr, (uint8_t)value);
    if (room)
        chardev_room(u->chr);
    tell_irq(u);
    return ORYX_OK;
}

static oryx_status io_read(void *opaque, oryx_access *a)
{
    return io_access(opaque, a, 0, 0, 0);
}

static oryx_status io_write(void *opaque, const oryx_access *a)
{
    oryx_access copy = *a;
    return io_access(opaque, &copy, 1, 0, a->value);
}

static oryx_status io_peek(void *opaque, oryx_access *a)
{
    return io_access(opaque, a, 0, 1, 0);
}

/* One a register distance: at distance 1 a wider access is one byte after the other, as on the ISA
 * bus. */
static const oryx_io_ops io_ops[4] = {
#define IO(n)                                                                              \
    {                                                                                      \
        .hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write, .peek = io_peek, \
        .valid = {.min = 1, .max = 8}, .impl = {                                           \
            .min = 1,                                                                      \
            .max = n                                                                       \
        }                                                                                  \
    }
    IO(1), IO(2), IO(4), IO(8)
#undef IO
};

/* --- life ------------------------------------------------------------------------------------- */

static oryx_status uart_reset(void *self)
{
    struct uart *u = self;
    pthread_mutex_lock(&u->lock);
    u->ier = u->fcr = u->lcr = u->mcr = u->dll = u->dlm = 0;
    u->rx_n = 0;
    u->thre_pending = 0;
    u->lsr = LSR_THRE | LSR_TEMT;
    u->msr = MSR_IDLE;
    pthread_mutex_unlock(&u->lock);
    if (u->chr)
        chardev_room(u->chr);
    tell_irq(u);
    return ORYX_OK;
}

static void uart_destroy(void *self)
{
    struct uart *u = self;
    chardev_close(u->chr); /* first: its thread calls receive */
    if (u->region)
        u->host->region_destroy(u->region, NULL);
    pthread_mutex_destroy(&u->lock);
    pthread_mutex_destroy(&u->irq_lock);
    free(u);
}

static oryx_status fail(const struct uart *u, oryx_error *err, oryx_status st, const char *what)
{
    return oryx_device_fail(u->host, u->dev, "uart16550", err, st, what);
}

static oryx_status uart_open(struct uart *u, oryx_error *err)
{
    char text[300];
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = u->host->device_name(u->dev),
                            .last = (8u << u->shift) - 1,
                            .prot = ORYX_PROT_READ | ORYX_PROT_WRITE,
                            .io = &io_ops[u->shift],
                            .opaque = u};
    oryx_status st =
        u->host->region_new(u->host->device_machine(u->dev), "io", &c, &u->region, err);
    if (st)
        return st;
    uart_reset(u);
    u->chr = chardev_open(u->spec ? u->spec : "null", u->input ? u->input : "", receive, u, text,
                          sizeof(text));
    if (!u->chr)
        return oryx_option_refuse(u->host, u->dev, "uart16550", "chardev", err, ORYX_E_IO, text);
    chardev_room(u->chr);
    if (*chardev_where(u->chr))
        fprintf(stderr, "uart16550 '%s': %s\n", u->host->device_name(u->dev),
                chardev_where(u->chr));
    return ORYX_OK;
}

static oryx_status uart_create(const oryx_host *host, oryx_device *dev, const char *options,
                               void **self, oryx_error *err)
{
    struct uart *u = calloc(1, sizeof(*u));
    if (!u)
        return host->error_set(err, ORYX_E_NOMEM, "uart16550: out of memory");
    u->host = host;
    u->dev = dev;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&u->irq_lock, &attr);
    pthread_mutexattr_destroy(&attr);
    pthread_mutex_init(&u->lock, NULL);
    static const oryx_option known[] = {
        ORYX_OPTION(struct uart, spec, "chardev", ORYX_OPTION_TEXT, 0, 0, NULL),
        ORYX_OPTION(struct uart, input, "input", ORYX_OPTION_TEXT, 0, 0, NULL),
        ORYX_OPTION(struct uart, shift, "shift", ORYX_OPTION_NUMBER, 0, 3, NULL),
    };
    oryx_json *tree;
    oryx_status st = oryx_options_read(host, dev, "uart16550", options, known, 3, u, &tree, err);
    if (!st)
        st = uart_open(u, err);
    free(tree);
    u->spec = u->input = NULL;
    if (st) {
        uart_destroy(u);
        return st;
    }
    *self = u;
    return ORYX_OK;
}

static oryx_region *uart_region(void *self, uint32_t n)
{
    struct uart *u = self;
    return n == 0 ? u->region : NULL;
}

/* --- state ------------------------------------------------------------------------------------ */

/* One row a saved register. */
#define STATE(ROW) \
    ROW(dll)       \
    ROW(dlm) ROW(ier) ROW(fcr) ROW(lcr) ROW(mcr) ROW(lsr) ROW(msr) ROW(scr) ROW(thre_pending)

static void add_bytes(oryx_json_out *w, const char *key, const uint8_t *bytes, size_t n)
{
    uint64_t v[FIFO];
    for (size_t i = 0; i < n; i++)
        v[i] = bytes[i];
    oryx_json_add_list(w, key, v, (uint32_t)n);
}

/* Any bytes as a string: what is no printable ASCII by its number. */
static void add_output(oryx_json_out *w, const uint8_t *bytes, size_t n)
{
    char escape[8];
    oryx_json_key(w, "output");
    oryx_json_bytes(w, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        int plain = bytes[i] >= 32 && bytes[i] < 127 && bytes[i] != '"' && bytes[i] != '\\';
        snprintf(escape, sizeof(escape), plain ? "%c" : "\\u%04x", bytes[i]);
        oryx_json_bytes(w, escape, strlen(escape));
    }
    oryx_json_bytes(w, "\"", 1);
}

static oryx_status uart_save(void *self, char **json, oryx_error *err)
{
    struct uart *u = self;
    oryx_json_out w = {0};
    size_t n;
    pthread_mutex_lock(&u->lock);
    oryx_json_open(&w, NULL, "{");
    oryx_json_add(&w, "version", 1);
#define ROW(name) oryx_json_add(&w, #name, u->name);
    STATE(ROW)
#undef ROW
    add_bytes(&w, "rx", u->rx, u->rx_n);
    add_bytes(&w, "rx_error", u->rx_error, u->rx_n);
    pthread_mutex_unlock(&u->lock);
    const uint8_t *out = chardev_output(u->chr, &n);
    if (out) /* for the reader; load ignores it */
        add_output(&w, out, n);
    oryx_json_close(&w, "}");
    *json = oryx_json_done(&w);
    return *json ? ORYX_OK : fail(u, err, ORYX_E_NOMEM, "out of memory for its state");
}

static int byte_of(const oryx_json *v, uint8_t *out)
{
    uint64_t n = 0;
    int ok = oryx_json_unsigned(v, 255, &n);
    *out = (uint8_t)n;
    return ok;
}

static int bytes_of(const oryx_json *o, const char *key, uint8_t *out, uint32_t *n)
{
    const oryx_json *a = oryx_json_get(o, key);
    if (!oryx_json_is(a, ORYX_JSON_ARRAY) || a->n > FIFO)
        return 0;
    *n = 0;
    for (const oryx_json *v = a->first; v; v = v->next)
        if (!byte_of(v, &out[(*n)++]))
            return 0;
    return 1;
}

static oryx_status uart_load(void *self, const char *json, oryx_error *err)
{
    struct uart *u = self;
    struct uart s = {0}; /* read into a copy: a bad state changes nothing */
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(json, &why);
    const char *bad = NULL;
    uint64_t version = 0;
    uint32_t n_error = 0;
    if (!o && why.no_memory)
        return fail(u, err, ORYX_E_NOMEM, "out of memory for its state");
    if (!oryx_json_unsigned(oryx_json_get(o, "version"), 1, &version) || version != 1)
        bad = "version";
#define ROW(name)                                           \
    if (!bad && !byte_of(oryx_json_get(o, #name), &s.name)) \
        bad = #name;
    STATE(ROW)
#undef ROW
    if (!bad &&
        (!bytes_of(o, "rx", s.rx, &s.rx_n) || !bytes_of(o, "rx_error", s.rx_error, &n_error) ||
         n_error != s.rx_n || s.rx_n > depth(&s)))
        bad = "rx";
    free(o);
    if (bad) {
        char text[120];
        snprintf(text, sizeof(text),
                 "state: field '%s' is missing or out of range; use a state that save wrote", bad);
        return fail(u, err, ORYX_E_FORMAT, text);
    }
    pthread_mutex_lock(&u->lock);
#define ROW(name) u->name = s.name;
    STATE(ROW)
#undef ROW
    memcpy(u->rx, s.rx, sizeof(s.rx));
    memcpy(u->rx_error, s.rx_error, sizeof(s.rx_error));
    u->rx_n = s.rx_n;
    /* What registers cannot hold is not taken over from a state that somebody edited. */
    u->ier &= 0x0f;
    u->fcr = u->fcr & FCR_ENABLE ? u->fcr & 0xc9 : 0;
    u->mcr &= 0x1f;
    u->lsr = (uint8_t)((u->lsr & LSR_ERRORS) | LSR_THRE | LSR_TEMT);
    for (uint32_t i = 0; i < u->rx_n; i++)
        u->rx_error[i] &= LSR_ERRORS;
    top_changed(u);
    pthread_mutex_unlock(&u->lock);
    chardev_room(u->chr);
    tell_irq(u);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "uart16550",
    .options =
        "{\"type\":\"object\",\"properties\":{\"chardev\":{\"type\":\"string\",\"description\":"
        "\"null, stdio, file:PATH, "
        "pty, socket:PATH or "
        "memory\"},\"input\":{\"type\":\"string\"},\"shift\":{\"type\":\"integer\",\"minimum\":0,"
        "\"maximum\":3}}}",
    .create = uart_create,
    .destroy = uart_destroy,
    .reset = uart_reset,
    .region = uart_region,
    .save = uart_save,
    .load = uart_load,
    .outputs = 1,
};

ORYX_DEVICE_PLUGIN(ops)
