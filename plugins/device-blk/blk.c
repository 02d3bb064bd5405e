/* Device model "blk": a disk of 512-byte sectors kept in a file, with DMA.
 * Owns: the open file, its registers, one io region of 64 bytes. Called by: the core through
 * oryx_device_ops, region-io for accesses.
 * Invariant: no lock is held during DMA or file input and output, and only one command runs at a
 * time: BUSY is set from the write of COMMAND until DONE.
 *
 * Registers, little-endian, aligned accesses of 4 bytes (8 reads or writes two, the lower first).
 *   0x00 MAGIC       RO  0x4b4c4258 ("XBLK")
 *   0x04 STATUS      RO  bit 0 BUSY, bit 1 DONE, bit 2 FAILED, bit 3 READONLY
 *   0x08 CAPACITY_LO RO  sectors
 *   0x0c CAPACITY_HI RO
 *   0x10 SECTOR_LO   RW  first sector
 *   0x14 SECTOR_HI   RW
 *   0x18 ADDR_LO     RW  address of the data in the device's address space
 *   0x1c ADDR_HI     RW
 *   0x20 COUNT       RW  sectors
 *   0x24 COMMAND     WO  1 READ (disk to memory), 2 WRITE, 3 FLUSH. Clears DONE and FAILED and
 * starts; while BUSY it is ignored 0x28 IRQ         RW  bit 0: line 0 is high while DONE 0x2c ACK
 * W1  bit 1 clears DONE, bit 2 FAILED 0x30 ERROR       RO  of the last command: 0 none, 1 no such
 * sector (nothing is done), 2 input or output failed, 3 DMA refused, 4 write to a read-only disk, 5
 * no such command 0x34 SECTORS     RO  sectors the last command completed before it ended Other
 * offsets, writes to RO and reads of WO registers are refused.
 *
 * Options: {"file": PATH (needed; a regular file or block device, whose last partial sector is left
 * out), "readonly": false, "latency": virtual nanoseconds from COMMAND to DONE, 0 is at once}.
 * Reset drops a command that waits and clears all registers; the disk stays as it is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/oryx_device_plugin.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-blk",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "blk"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "thread" : "any"
}));

enum {
    MAGIC = 0x00,
    STATUS = 0x04,
    CAPACITY_LO = 0x08,
    CAPACITY_HI = 0x0c,
    SECTOR_LO = 0x10,
    SECTOR_HI = 0x14,
    ADDR_LO = 0x18,
    ADDR_HI = 0x1c,
    COUNT = 0x20,
    COMMAND = 0x24,
    IRQ = 0x28,
    ACK = 0x2c,
    ERROR = 0x30,
    SECTORS = 0x34
};
enum { READ = 1, WRITE = 2, FLUSH = 3 };
enum { ERROR_NONE, ERROR_RANGE, ERROR_IO, ERROR_DMA, ERROR_READONLY, ERROR_COMMAND };

#define BUSY     1u
#define DONE     2u
#define FAILED   4u
#define READONLY 8u
#define SECTOR   512u
#define CHUNK    128u /* sectors moved at once */
#define NEVER    UINT64_MAX

struct blk {
    const oryx_host *host;
    oryx_device *dev;
    oryx_region *region;
    oryx_line line;
    int fd;
    const char *path; /* while options are read */
    uint32_t readonly;
    uint64_t latency, capacity;
    pthread_mutex_t lock; /* what follows */
    uint64_t sector, addr;
    uint32_t status, count, irq, error, sectors;
    uint32_t command; /* what BUSY is about */
    uint32_t epoch;   /* counts resets and loads: a command of an older one ends without a trace */
    uint64_t due;     /* virtual time at which a waiting command runs */
    uint64_t rest;    /* as saved: until due; for a machine whose time is another */
};

static uint32_t line_level(void *self)
{
    struct blk *b = self;
    pthread_mutex_lock(&b->lock);
    uint32_t level = (b->status & DONE) && (b->irq & 1);
    pthread_mutex_unlock(&b->lock);
    return level;
}

static void tell(struct blk *b)
{
    oryx_line_update(&b->line, b->host, b->dev, 0, line_level, b);
}

/* All n bytes or an error: a file that became shorter is one, too. */
static int file_all(const struct blk *b, int write, uint8_t *data, size_t n, uint64_t at)
{
    while (n) {
        ssize_t got = write ? pwrite(b->fd, data, n, (off_t)at) : pread(b->fd, data, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ERROR_IO;
        data += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return ERROR_NONE;
}

/* Without the lock. */
static uint32_t transfer(struct blk *b, int write, uint64_t sector, uint64_t addr, uint32_t count,
                         uint32_t *done)
{
    uint8_t *data = malloc(CHUNK * SECTOR);
    uint32_t error = data ? ERROR_NONE : ERROR_IO;
    while (!error && *done < count) {
        uint32_t n = count - *done < CHUNK ? count - *done : CHUNK;
        uint64_t at = (sector + *done) * SECTOR, to = addr + (uint64_t)*done * SECTOR;
        if (write && b->host->device_read(b->dev, to, data, (uint64_t)n * SECTOR))
            error = ERROR_DMA;
        else if (file_all(b, write, data, (size_t)n * SECTOR, at))
            error = ERROR_IO;
        else if (!write && b->host->device_write(b->dev, to, data, (uint64_t)n * SECTOR))
            error = ERROR_DMA;
        else
            *done += n;
    }
    free(data);
    return error;
}

static void run_command(struct blk *b)
{
    pthread_mutex_lock(&b->lock);
    uint32_t command = b->command, count = b->count, epoch = b->epoch, done = 0, error = ERROR_NONE;
    uint64_t sector = b->sector, addr = b->addr;
    pthread_mutex_unlock(&b->lock);
    if (command < READ || command > FLUSH)
        error = ERROR_COMMAND;
    else if (command == WRITE && b->readonly)
        error = ERROR_READONLY;
    else if (command == FLUSH)
        error = !b->readonly && fdatasync(b->fd) && errno != EINVAL ? ERROR_IO : ERROR_NONE;
    else if (sector > b->capacity || count > b->capacity - sector)
        error = ERROR_RANGE;
    else
        error = transfer(b, command == WRITE, sector, addr, count, &done);
    pthread_mutex_lock(&b->lock);
    if (epoch == b->epoch) {
        b->status = (b->status & ~BUSY) | DONE | (error ? FAILED : 0);
        b->error = error;
        b->sectors = done;
    }
    pthread_mutex_unlock(&b->lock);
    tell(b);
}

static uint64_t now_of(const struct blk *b)
{
    return b->host->machine_vtime(b->host->device_machine(b->dev));
}

static void blk_alarm(void *self, uint64_t now)
{
    struct blk *b = self;
    pthread_mutex_lock(&b->lock);
    int run = (b->status & BUSY) && now >= b->due;
    if (b->status & BUSY && !run)
        b->host->device_alarm(b->dev, b->due);
    pthread_mutex_unlock(&b->lock);
    if (run)
        run_command(b);
}

static oryx_status read_reg(const struct blk *b, oryx_access *a)
{
    switch (a->offset) {
    case MAGIC:
        a->value = 0x4b4c4258;
        break;
    case STATUS:
        a->value = b->status | (b->readonly ? READONLY : 0);
        break;
    case CAPACITY_LO:
        a->value = (uint32_t)b->capacity;
        break;
    case CAPACITY_HI:
        a->value = b->capacity >> 32;
        break;
    case SECTOR_LO:
        a->value = (uint32_t)b->sector;
        break;
    case SECTOR_HI:
        a->value = b->sector >> 32;
        break;
    case ADDR_LO:
        a->value = (uint32_t)b->addr;
        break;
    case ADDR_HI:
        a->value = b->addr >> 32;
        break;
    case COUNT:
        a->value = b->count;
        break;
    case IRQ:
        a->value = b->irq;
        break;
    case ERROR:
        a->value = b->error;
        break;
    case SECTORS:
        a->value = b->sectors;
        break;
    default:
        return ORYX_FAULT_DEVICE;
    }
    return ORYX_OK;
}

/* Nothing here has a side effect on reading, so peek is the same. */
static oryx_status blk_read(void *opaque, oryx_access *a)
{
    struct blk *b = opaque;
    pthread_mutex_lock(&b->lock);
    oryx_status st = read_reg(b, a);
    pthread_mutex_unlock(&b->lock);
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

/* With the lock. Returns 1 when the command is to be run at once, without it. */
static int start(struct blk *b, uint32_t command)
{
    if (b->status & BUSY)
        return 0;
    b->command = command;
    b->status = BUSY;
    b->error = b->sectors = 0;
    if (!b->latency)
        return 1;
    uint64_t now = now_of(b);
    b->due = b->latency > NEVER - 1 - now ? NEVER - 1 : now + b->latency;
    b->host->device_alarm(b->dev, b->due);
    return 0;
}

static oryx_status blk_write(void *opaque, const oryx_access *a)
{
    struct blk *b = opaque;
    oryx_status st = ORYX_OK;
    uint32_t v = (uint32_t)a->value;
    int run = 0;
    pthread_mutex_lock(&b->lock);
    switch (a->offset) {
    case SECTOR_LO:
        b->sector = low(b->sector, v);
        break;
    case SECTOR_HI:
        b->sector = high(b->sector, v);
        break;
    case ADDR_LO:
        b->addr = low(b->addr, v);
        break;
    case ADDR_HI:
        b->addr = high(b->addr, v);
        break;
    case COUNT:
        b->count = v;
        break;
    case COMMAND:
        run = start(b, v);
        break;
    case IRQ:
        b->irq = v & 1;
        break;
    case ACK:
        b->status &= ~(v & (DONE | FAILED));
        break;
    default:
        st = ORYX_FAULT_DEVICE;
    }
    pthread_mutex_unlock(&b->lock);
    tell(b); /* a command that starts again takes DONE away first */
    if (run)
        run_command(b);
    return st;
}

static const oryx_io_ops io_ops = {.hdr = ORYX_HDR(oryx_io_ops),
                                   .read = blk_read,
                                   .write = blk_write,
                                   .peek = blk_read,
                                   .valid = {.min = 4, .max = 8},
                                   .impl = {.min = 4, .max = 4}};

static oryx_status blk_reset(void *self)
{
    struct blk *b = self;
    pthread_mutex_lock(&b->lock);
    b->epoch++;
    b->sector = b->addr = 0;
    b->status = b->count = b->irq = b->error = b->sectors = b->command = 0;
    b->host->device_alarm(b->dev, NEVER);
    pthread_mutex_unlock(&b->lock);
    tell(b);
    return ORYX_OK;
}

static void blk_destroy(void *self)
{
    struct blk *b = self;
    if (b->region)
        b->host->region_destroy(b->region, NULL);
    if (b->fd >= 0)
        close(b->fd);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static oryx_status fail(const struct blk *b, oryx_error *err, oryx_status st, const char *what)
{
    return oryx_device_fail(b->host, b->dev, "blk", err, st, what);
}

static oryx_status disk_open(struct blk *b, oryx_error *err)
{
    char text[400];
    struct stat s;
    /* What is no disk is refused unopened: a pipe would wait for its other end. */
    if (stat(b->path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISBLK(s.st_mode)) {
        snprintf(text, sizeof(text), "'%.200s' is no regular file or block device; give one", b->path);
        return oryx_option_refuse(b->host, b->dev, "blk", "file", err, ORYX_E_IO, text);
    }
    b->fd = open(b->path, (b->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    off_t size = b->fd < 0 ? -1 : lseek(b->fd, 0, SEEK_END);
    if (size < 0) {
        snprintf(text, sizeof(text), "cannot open '%.200s': %s%s", b->path, strerror(errno),
                 errno == EACCES || errno == EROFS ? "; \"readonly\": true may help" : "");
        return oryx_option_refuse(b->host, b->dev, "blk", "file", err,
                                  errno == ENOENT ? ORYX_E_NOTFOUND : ORYX_E_IO, text);
    }
    b->capacity = (uint64_t)size / SECTOR;
    return ORYX_OK;
}

static oryx_status options(struct blk *b, const char *text, oryx_error *err)
{
    static const oryx_option known[] = {
        ORYX_OPTION(struct blk, path, "file", ORYX_OPTION_TEXT, 0, 0, NULL),
        ORYX_OPTION(struct blk, readonly, "readonly", ORYX_OPTION_FLAG, 0, 0, NULL),
        ORYX_OPTION(struct blk, latency, "latency", ORYX_OPTION_NUMBER, 0, UINT64_MAX, NULL),
    };
    oryx_json *tree;
    oryx_status st = oryx_options_read(b->host, b->dev, "blk", text, known, 3, b, &tree, err);
    if (!st)
        st = b->path ? disk_open(b, err)
                     : fail(b, err, ORYX_E_FORMAT, "option 'file' is missing: the path of the disk");
    free(tree);
    b->path = NULL;
    return st;
}

static oryx_status blk_create(const oryx_host *host, oryx_device *dev, const char *text,
                              void **self, oryx_error *err)
{
    struct blk *b = calloc(1, sizeof(*b));
    if (!b)
        return host->error_set(err, ORYX_E_NOMEM, "blk: out of memory");
    b->host = host;
    b->dev = dev;
    b->fd = -1;
    pthread_mutex_init(&b->lock, NULL);
    oryx_status st = options(b, text, err);
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = host->device_name(dev),
                            .last = 0x3f,
                            .prot = ORYX_PROT_READ | ORYX_PROT_WRITE,
                            .io = &io_ops,
                            .opaque = b};
    if (!st)
        st = host->region_new(host->device_machine(dev), "io", &c, &b->region, err);
    if (st) {
        blk_destroy(b);
        return st;
    }
    *self = b;
    return ORYX_OK;
}

static oryx_region *blk_region(void *self, uint32_t n)
{
    return n == 0 ? ((struct blk *)self)->region : NULL;
}

static const oryx_state_row rows[] = {
    ORYX_STATE(struct blk, sector),  ORYX_STATE(struct blk, addr),
    ORYX_STATE(struct blk, status),  ORYX_STATE(struct blk, count),
    ORYX_STATE(struct blk, irq),     ORYX_STATE(struct blk, error),
    ORYX_STATE(struct blk, sectors), ORYX_STATE(struct blk, command),
    ORYX_STATE(struct blk, rest),    ORYX_STATE(struct blk, capacity),
};
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static oryx_status blk_save(void *self, char **json, oryx_error *err)
{
    struct blk *b = self;
    pthread_mutex_lock(&b->lock);
    uint64_t now = now_of(b);
    b->rest = b->status & BUSY && b->due > now ? b->due - now : 0;
    *json = oryx_state_save(b, rows, N_ROWS, 1);
    pthread_mutex_unlock(&b->lock);
    return *json ? ORYX_OK : fail(b, err, ORYX_E_NOMEM, "out of memory");
}

static oryx_status blk_load(void *self, const char *json, oryx_error *err)
{
    struct blk *b = self, s = {0};
    char text[200];
    const char *bad = oryx_state_load(&s, rows, N_ROWS, 1, json);
    if (!bad && s.status & ~(BUSY | DONE | FAILED))
        bad = "status";
    if (bad) {
        snprintf(text, sizeof(text),
                 "state: field '%s' is missing or out of range; use a state that save wrote", bad);
        return fail(b, err, ORYX_E_FORMAT, text);
    }
    if (s.capacity != b->capacity) {
        snprintf(text, sizeof(text),
                 "state: it is of a disk of %" PRIu64 " sectors, this one has %" PRIu64
                 "; give option 'file' the same disk",
                 s.capacity, b->capacity);
        return fail(b, err, ORYX_E_STATE, text);
    }
    pthread_mutex_lock(&b->lock);
    b->epoch++;
    b->sector = s.sector;
    b->addr = s.addr;
    b->status = s.status;
    b->count = s.count;
    b->irq = s.irq & 1;
    b->error = s.error;
    b->sectors = s.sectors;
    b->command = s.command;
    b->due = now_of(b) + s.rest;
    b->host->device_alarm(b->dev, b->status & BUSY ? b->due : NEVER);
    pthread_mutex_unlock(&b->lock);
    tell(b);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "blk",
    .options =
        "{\"type\":\"object\",\"required\":[\"file\"],\"properties\":{\"file\":{\"type\":"
        "\"string\"},"
        "\"readonly\":{\"type\":\"boolean\"},\"latency\":{\"type\":\"integer\",\"minimum\":0,"
        "\"description\":\"virtual nanoseconds a command takes\"}}}",
    .create = blk_create,
    .destroy = blk_destroy,
    .reset = blk_reset,
    .region = blk_region,
    .save = blk_save,
    .load = blk_load,
    .alarm = blk_alarm,
    .outputs = 1,
};
ORYX_DEVICE_PLUGIN(ops)
