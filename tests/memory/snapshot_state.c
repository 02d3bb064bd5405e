/* Devices, virtual time and files of snapshots. Oracles: a run that nobody disturbed, on each engine; the text that devices
 * themselves saved; and for the loader the rule that a refused file changes nothing. `snapshot_state N` mutates N files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "snapshot_rig.h"

enum { TIMER = 0x9000000, CHIP = 0x9010000, UART = 0x9020000, RTC = 0x9030000, BLK = 0x9040000, DEVICES = 5 };

/* x14 timer, x15 irqchip, x17 rtc, x19 blk: all that passes there goes into x2 and memory. */
static const uint32_t poll_code[] = {
    0xb94001c3, /* ldr w3, [x14] */
    0x8b030042, /* add x2, x2, x3 */
    0xb94021c3, /* ldr w3, [x14, #32] */
    0x9b040c42, /* madd x2, x2, x4, x3 */
    0xb9401de3, /* ldr w3, [x15, #28] */
    0xb90021f4, /* str w20, [x15, #32] */
    0x8b030042, /* add x2, x2, x3 */
    0xb90015d0, /* str w16, [x14, #20] */
    0xb9400223, /* ldr w3, [x17] */
    0x8b030042, /* add x2, x2, x3 */
    0xb9400a23, /* ldr w3, [x17, #8] */
    0x8b030042, /* add x2, x2, x3 */
    0xb9400663, /* ldr w3, [x19, #4] */
    0x8b030042, /* add x2, x2, x3 */
    0x927d3846, /* and x6, x2, #0x3fff8 */
    0xf8266802, /* str x2, [x0, x6] */
    0x17fffff0, /* b the first */
};

static char folder[64] = "/tmp/oryx-snapshot-XXXXXX";
static char path[96], path2[96], disk[96];
static int mutations = 600;

typedef struct board {
    rig r;
    oryx_device *dev[DEVICES];
    uint32_t heard, level;
} board;

static void on_irq(void *opaque, uint32_t line, uint32_t level)
{
    board *b = opaque;
    (void)line;
    b->heard++;
    b->level = level;
}

static void out(const board *b, uint64_t at, uint32_t x)
{
    if (oryx_space_write(b->r.s, at, &x, 4, 0))
        fail_msg("write to 0x%llx", (unsigned long long)at);
}

static void board_up(board *b, const char *engine)
{
    static const struct {
        const char *cls, *name;
        uint64_t at;
    } rows[DEVICES] = {{"timer", "t0", TIMER}, {"irqchip", "pic", CHIP}, {"uart16550", "com", UART}, {"rtc", "clock", RTC},
                       {"blk", "disk", BLK}};
    oryx_error err = {0};
    char options[200];
    *b = (board){.r = rig_up(engine)};
    for (int i = 0; i < DEVICES; i++) {
        snprintf(options, sizeof(options), "{}");
        if (!strcmp(rows[i].cls, "rtc"))
            snprintf(options, sizeof(options), "{\"clock\": \"fixed\", \"time\": 1000000}");
        if (!strcmp(rows[i].cls, "blk"))
            snprintf(options, sizeof(options), "{\"file\": \"%s\", \"readonly\": true, \"latency\": 3000}", disk);
        if (oryx_device_new(b->r.m, rows[i].cls, rows[i].name, options, &b->dev[i], &err) ||
            oryx_device_map(b->dev[i], 0, b->r.s, rows[i].at, &err))
            fail_msg("%s", err.text);
    }
    static const uint32_t wires[][2] = {{0, 3}, {2, 6}, {3, 4}, {4, 5}};
    for (int i = 0; i < 4; i++)
        if (oryx_device_connect(b->dev[wires[i][0]], 0, b->dev[1], wires[i][1], &err))
            fail_msg("%s", err.text);
    oryx_device_on_irq(b->dev[1], on_irq, b);
    oryx_space_write(b->r.s, CODE, poll_code, sizeof(poll_code), 0);
    set_reg(&b->r, "x14", TIMER);
    set_reg(&b->r, "x15", CHIP);
    set_reg(&b->r, "x16", 1);
    set_reg(&b->r, "x17", RTC);
    set_reg(&b->r, "x19", BLK);
    set_reg(&b->r, "x20", 3);
}

/* Everything in use: a periodic timer on an edge input, an armed alarm, a half set-up UART, a disk command under way. */
static void board_start(const board *b)
{
    out(b, CHIP + 0x08, ~0u);
    out(b, CHIP + 0x14, 1u << 3);
    out(b, CHIP + 0x40 + 4 * 5, 9);
    out(b, TIMER + 0x08, 777);
    out(b, TIMER + 0x10, 7);
    out(b, RTC + 0x18, 1000001);
    out(b, RTC + 0x0c, 3);
    uint8_t byte = 0x0f;
    oryx_space_write(b->r.s, UART + 1, &byte, 1, 0);
    byte = 0x5a;
    oryx_space_write(b->r.s, UART + 7, &byte, 1, 0);
    out(b, BLK + 0x10, 1);
    out(b, BLK + 0x18, RAM + 0x3000);
    out(b, BLK + 0x20, 3);
    out(b, BLK + 0x28, 1);
}

static void disk_read(const board *b)
{
    out(b, BLK + 0x24, 1);
}

/* Of everything that the guest could see. */
static uint64_t digest(const board *b)
{
    XXH3_state_t *x = XXH3_createState();
    uint8_t reg[16];
    const oryx_reg *row;
    XXH3_64bits_reset(x);
    for (int32_t i = 0; (row = oryx_reg_row(b->r.m, i)); i++) {
        if (!oryx_reg_read(b->r.v, i, reg, row->size))
            XXH3_64bits_update(x, reg, row->size);
    }
    oryx_region *all[] = {b->r.code, b->r.ram, b->r.small, b->r.rom};
    for (int i = 0; i < 4; i++) {
        uint64_t last = oryx_region_last(all[i]);
        XXH3_64bits_update(x, &last, sizeof(last));
        if (bytes_of(all[i]))
            XXH3_64bits_update(x, bytes_of(all[i]), last + 1);
    }
    for (int i = 0; i < DEVICES; i++) {
        char *json = NULL;
        oryx_error err = {0};
        if (oryx_device_save(b->dev[i], &json, &err))
            fail_msg("%s", err.text);
        XXH3_64bits_update(x, json, strlen(json));
        free(json);
    }
    uint64_t now[2] = {oryx_machine_vtime(b->r.m), oryx_vcpu_insns(b->r.v)};
    XXH3_64bits_update(x, now, sizeof(now));
    XXH3_64bits_update(x, &b->level, sizeof(b->level));
    uint64_t h = XXH3_64bits_digest(x);
    XXH3_freeState(x);
    return h;
}

static void save(const board *b, const char *to)
{
    oryx_error err = {0};
    if (oryx_snapshot_save(b->r.m, NULL, to, &err))
        fail_msg("%s", err.text);
}

static void load(const board *b, const char *from)
{
    oryx_error err = {0};
    if (oryx_snapshot_load(b->r.m, from, &err))
        fail_msg("%s", err.text);
}

enum { BEFORE = 4001, AFTER = 30011 };

static uint64_t undisturbed(const char *engine, uint64_t *middle)
{
    board b;
    board_up(&b, engine);
    board_start(&b);
    run(&b.r, BEFORE);
    disk_read(&b);
    *middle = digest(&b);
    run(&b.r, AFTER);
    uint64_t end = digest(&b);
    assert_true(b.heard > 10);
    oryx_machine_destroy(b.r.m);
    return end;
}

static void test_runs_on(void **state)
{
    (void)state;
    static const char *const engines[] = {"interp", "x64"};
    uint64_t middle[2], end[2];
    for (int e = 0; e < 2; e++) {
        end[e] = undisturbed(engines[e], &middle[e]);
        board b, c;
        board_up(&b, engines[e]);
        board_start(&b);
        run(&b.r, BEFORE);
        disk_read(&b);
        assert_int_equal(digest(&b), middle[e]);
        oryx_snapshot *s = take(&b.r);
        save(&b, path);
        for (int i = 0; i < 4; i++) {
            run(&b.r, i == 2 ? 2 : AFTER);
            if (i == 3)
                oryx_device_reset(b.dev[1]);
            restore(s);
            assert_int_equal(digest(&b), middle[e]);
        }
        run(&b.r, AFTER);
        assert_int_equal(digest(&b), end[e]);
        oryx_snapshot_drop(s);
        /* Into a machine that has just been made, by the other engine, and into one with a past. */
        board_up(&c, engines[!e]);
        load(&c, path);
        assert_int_equal(digest(&c), middle[e]);
        run(&c.r, AFTER);
        assert_int_equal(digest(&c), end[e]);
        s = take(&c.r);
        load(&c, path);
        assert_int_equal(digest(&c), middle[e]);
        restore(s); /* a load is a change like others */
        assert_int_equal(digest(&c), end[e]);
        load(&c, path);
        run(&c.r, AFTER);
        assert_int_equal(digest(&c), end[e]);
        oryx_machine_destroy(b.r.m);
        oryx_machine_destroy(c.r.m);
    }
    assert_int_equal(middle[0], middle[1]);
    assert_int_equal(end[0], end[1]);
}

/* Listeners outside hear what a restore changes, once. */
static void test_lines(void **state)
{
    (void)state;
    board b;
    board_up(&b, "interp");
    out(&b, CHIP + 0x08, ~0u);
    oryx_snapshot *s = take(&b.r);
    assert_int_equal(oryx_device_irq(b.dev[1], 9, 1), ORYX_OK);
    assert_int_equal(b.level, 1);
    oryx_snapshot *t = take(&b.r);
    b.heard = 0;
    restore(s);
    assert_int_equal(b.heard, 1);
    assert_int_equal(b.level, 0);
    restore(t);
    assert_int_equal(b.heard, 2);
    assert_int_equal(b.level, 1);
    restore(t);
    assert_int_equal(b.heard, 2);
    assert_int_equal(oryx_device_irq(b.dev[1], 9, 0), ORYX_OK); /* the source is still high there: it falls now */
    assert_int_equal(b.level, 0);
    assert_int_equal(oryx_device_disconnect(b.dev[0], 0, b.dev[1], 3, NULL), ORYX_OK);
    REFUSED(oryx_snapshot_restore(s, &err), ORYX_E_STATE, "wired otherwise");
    oryx_machine_destroy(b.r.m);
}

/* Sizes, places and modes go into files, too. */
static void test_tree_file(void **state)
{
    (void)state;
    board a, b;
    oryx_error err = {0};
    board_up(&a, "interp");
    board_up(&b, "interp");
    assert_int_equal(oryx_region_resize(a.r.ram, RAM_MAX - 1, &err), ORYX_OK);
    assert_int_equal(oryx_region_move(a.r.small, 0x51000900, &err), ORYX_OK);
    assert_int_equal(oryx_region_set_mode(a.r.rom, ORYX_MODE_CALLBACK, &err), ORYX_OK);
    assert_int_equal(oryx_region_protect(a.r.small, ORYX_PROT_READ, &err), ORYX_OK);
    out(&a, RAM + RAM_MAX - 4, 0x1234);
    save(&a, path);
    uint64_t want = digest(&a);
    load(&b, path);
    assert_int_equal(digest(&b), want);
    uint32_t x = 0;
    assert_int_equal(oryx_space_read(b.r.s, RAM + RAM_MAX - 4, &x, 4, 0), ORYX_OK);
    assert_int_equal(x, 0x1234);
    assert_int_equal(oryx_space_read(b.r.s, ROM, &x, 1, 0), ORYX_OK);
    assert_int_equal(x & 0xff, 0x55);
    assert_int_equal(oryx_space_write(b.r.s, 0x51000900, &x, 1, 0), ORYX_FAULT_PROT);
    oryx_machine_destroy(a.r.m);
    oryx_machine_destroy(b.r.m);
}

/* --- files that are refused ----------------------------------------------------------------------- */

static uint8_t *slurp(const char *from, size_t *n)
{
    FILE *f = fopen(from, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *p = malloc(*n + 1);
    assert_int_equal(fread(p, 1, *n, f), *n);
    fclose(f);
    return p;
}

static void spit(const char *to, const uint8_t *p, size_t n)
{
    FILE *f = fopen(to, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static void set64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

/* The checks of a file as they must be, as far as its sections hang together: the test's own reading of the format. */
static void sum_again(uint8_t *p, size_t n)
{
    if (n < 32)
        return;
    set64(p + 16, n);
    set64(p + 24, XXH3_64bits(p, 24));
    for (size_t at = 32; at + 32 <= n;) {
        uint32_t name;
        memcpy(&name, p + at + 4, 4);
        uint64_t len = get64(p + at + 16);
        if (name > n || len > n || at + 24 + name + len + 8 > n)
            return;
        XXH3_state_t *x = XXH3_createState();
        XXH3_64bits_reset(x);
        XXH3_64bits_update(x, p + at + 24, name + len);
        XXH3_64bits_update(x, p + at + 8, 4);
        XXH3_64bits_update(x, p + at + 16, 8);
        set64(p + at + 24 + name + len, XXH3_64bits_digest(x));
        XXH3_freeState(x);
        at += 24 + name + len + 8;
    }
}

/* Where a section begins. */
static uint8_t *section(uint8_t *p, size_t n, const char *want)
{
    for (size_t at = 32; at + 32 <= n;) {
        uint32_t name;
        memcpy(&name, p + at + 4, 4);
        if (name == strlen(want) && !memcmp(p + at + 24, want, name))
            return p + at;
        at += 24 + name + get64(p + at + 16) + 8;
    }
    fail_msg("no section %s", want);
    return NULL;
}

/* Replace text inside a section by text of the same length. */
static void edit(uint8_t *p, size_t n, const char *in, const char *from, const char *to)
{
    uint8_t *s = section(p, n, in), *at = memmem(s, 24 + strlen(in) + get64(s + 16), from, strlen(from));
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
}

static void refused(const board *b, oryx_status status, const char *words)
{
    oryx_error err = {0};
    uint64_t before = digest(b);
    oryx_status st = oryx_snapshot_load(b->r.m, path2, &err);
    if (st != status || !strstr(err.text, words) || !strstr(err.text, path2))
        fail_msg("%d, wanted %d with '%s': %s", st, status, words, err.text);
    assert_int_equal(digest(b), before);
}

static void test_refused_files(void **state)
{
    (void)state;
    board b;
    size_t n;
    board_up(&b, "interp");
    board_start(&b);
    run(&b.r, 2000);
    save(&b, path);
    run(&b.r, 500);
    uint8_t *good = slurp(path, &n), *p = malloc(n + 8);
#define EDITED(change, status, words)            \
    do {                                         \
        memcpy(p, good, n);                      \
        change;                                  \
        sum_again(p, n);                         \
        spit(path2, p, n);                       \
        refused(&b, status, words);              \
    } while (0)
    unlink(path2);
    refused(&b, ORYX_E_NOTFOUND, "cannot be opened");
    spit(path2, p, 0);
    refused(&b, ORYX_E_FORMAT, "no snapshot of Oryx");
    spit(path2, (const uint8_t *)"PK\3\4 something else altogether, longer than a header", 50);
    refused(&b, ORYX_E_FORMAT, "no snapshot of Oryx");
    for (size_t cut = 0; cut < n; cut += 1 + n / 50) {
        spit(path2, good, cut);
        refused(&b, ORYX_E_FORMAT, cut < 32 ? "no snapshot of Oryx" : "cut off");
    }
    memcpy(p, good, n);
    p[n] = 0;
    spit(path2, p, n + 1);
    refused(&b, ORYX_E_FORMAT, "cut off or joined");
    for (size_t at = 32; at < n; at += 1 + n / 60) { /* one bit, anywhere */
        memcpy(p, good, n);
        p[at] ^= 4;
        spit(path2, p, n);
        oryx_error err = {0};
        uint64_t before = digest(&b);
        if (!oryx_snapshot_load(b.r.m, path2, &err) || !strstr(err.text, path2))
            fail_msg("a changed bit at %zu: %s", at, err.text);
        assert_int_equal(digest(&b), before);
    }
    EDITED(p[8] = 9, ORYX_E_VERSION, "format is version 9");
    EDITED(section(p, n, "device/0/t0")[8] = 3, ORYX_E_VERSION, "section device/0/t0: its state is version 3, and plugin device-timer");
    EDITED(section(p, n, "vcpu/0")[8] = 7, ORYX_E_VERSION, "section vcpu/0: its state is version 7, and plugin arch-arm");
    EDITED(edit(p, n, "machine", "arm64", "armXX"), ORYX_E_STATE, "armXX machine");
    EDITED(edit(p, n, "machine", "\"vcpus\":1", "\"vcpus\":3"), ORYX_E_STATE, "3 vCPUs");
    EDITED(edit(p, n, "regions", "\"small\"", "\"smell\""), ORYX_E_STATE, "'smell'");
    EDITED(edit(p, n, "regions", "\"parent\":\"system\"", "\"parent\":\"sustem\""), ORYX_E_FORMAT, "does not exist");
    EDITED(edit(p, n, "regions", "\"prot\":7", "\"prot\":9"), ORYX_E_FORMAT, "out of range");
    EDITED(edit(p, n, "device/0/t0", "\"timer\"", "\"tamer\""), ORYX_E_STATE, "another class");
    EDITED(edit(p, n, "device/0/t0", "ticks", "tucks"), ORYX_E_FORMAT, "ticks");
    EDITED(edit(p, n, "device/4/disk", "sectors", "sectorz"), ORYX_E_FORMAT, "sectors"); /* the last: those before go back */
    EDITED(edit(p, n, "wires", "[[0,0,1,3", "[[0,0,1,2"), ORYX_E_STATE, "wire 0 leads elsewhere");
    EDITED(edit(p, n, "device/0/t0", "device/0", "device/1"), ORYX_E_STATE, "no such device");
    EDITED(edit(p, n, "vcpu/0", "vcpu/0", "vcpu/1"), ORYX_E_FORMAT, "no such vCPU");
    EDITED(edit(p, n, "vcpu/0", "vcpu/0", "other!"), ORYX_E_VERSION, "does not know it");
    /* A machine with another region, without the disk. */
    add_region(&b.r, "ram", "more", 0xa000000, 0x1000, NULL, NULL);
    spit(path2, good, n);
    refused(&b, ORYX_E_STATE, "regions, this machine");
    oryx_machine_destroy(b.r.m);
    free(good);
    free(p);
}

/* So do rights and switches of whole spaces, which are their roots'; a file that says nothing of them is one where all were on. */
static void test_roots_file(void **state)
{
    (void)state;
    board a, b;
    oryx_error err = {0};
    oryx_space *bus[2];
    board *both[2] = {&a, &b};
    uint32_t x = 7;
    for (int i = 0; i < 2; i++) {
        oryx_region *r = NULL;
        oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "on the bus", .last = 0xfff};
        board_up(both[i], "interp");
        assert_int_equal(oryx_space_new(both[i]->r.m, "bus", &bus[i], &err), ORYX_OK);
        assert_int_equal(oryx_region_new(both[i]->r.m, "ram", &c, &r, &err), ORYX_OK);
        assert_int_equal(oryx_region_add(oryx_space_root(bus[i]), 0, r, 0, &err), ORYX_OK);
    }
    save(&a, path2); /* no section "roots": what older ones wrote */
    assert_int_equal(oryx_region_protect(oryx_space_root(a.r.s), ORYX_PROT_READ | ORYX_PROT_EXEC, &err), ORYX_OK);
    assert_int_equal(oryx_region_enable(oryx_space_root(bus[0]), 0, &err), ORYX_OK);
    save(&a, path);
    load(&b, path);
    assert_int_equal(oryx_space_write(b.r.s, RAM, &x, 4, 0), ORYX_FAULT_PROT);
    assert_int_equal(oryx_space_read(b.r.s, RAM, &x, 4, 0), ORYX_OK);
    assert_int_equal(oryx_space_read(bus[1], 0, &x, 4, 0), ORYX_FAULT_DECODE);
    load(&b, path2);
    assert_int_equal(oryx_space_write(b.r.s, RAM, &x, 4, 0), ORYX_OK);
    assert_int_equal(oryx_space_read(bus[1], 0, &x, 4, 0), ORYX_OK);
    size_t n;
    uint8_t *good = slurp(path, &n), *p = malloc(n);
#define ROOTS(change, status, words) \
    do {                             \
        memcpy(p, good, n);          \
        change;                      \
        sum_again(p, n);             \
        spit(path2, p, n);           \
        refused(&b, status, words);  \
    } while (0)
    ROOTS(edit(p, n, "roots", "\"bus\"", "\"bug\""), ORYX_E_STATE, "no space 'bug'");
    ROOTS(edit(p, n, "roots", "\"bus\",0", "\"bus\",2"), ORYX_E_FORMAT, "out of range");
    ROOTS(edit(p, n, "roots", "[[", "[{"), ORYX_E_FORMAT, "not the JSON");
    ROOTS(section(p, n, "roots")[8] = 2, ORYX_E_VERSION, "section roots: version 2 is unknown");
    assert_int_equal(oryx_space_write(b.r.s, RAM, &x, 4, 0), ORYX_OK); /* nothing changed */
    free(good);
    free(p);
    oryx_machine_destroy(a.r.m);
    oryx_machine_destroy(b.r.m);
}

static void test_disk_full(void **state)
{
    (void)state;
    board b;
    size_t n, m;
    struct rlimit old, small = {.rlim_cur = 20000};
    board_up(&b, "interp");
    run(&b.r, 2000);
    save(&b, path);
    uint8_t *before = slurp(path, &n);
    run(&b.r, 2000);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    assert_true(n > 20000);
    setrlimit(RLIMIT_FSIZE, &small);
    oryx_error full = {0};
    oryx_status st = oryx_snapshot_save(b.r.m, NULL, path, &full);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(st, ORYX_E_IO);
    assert_non_null(strstr(full.text, "the old file is as it was"));
    uint8_t *after = slurp(path, &m);
    assert_int_equal(m, n);
    assert_memory_equal(before, after, n);
    char temporary[160];
    snprintf(temporary, sizeof(temporary), "%s.%ld.new", path, (long)getpid());
    assert_int_equal(access(temporary, F_OK), -1);
    REFUSED(oryx_snapshot_save(b.r.m, NULL, "/nonexistent/x", &err), ORYX_E_IO, "/nonexistent/x");
    /* Saving renames; what is no regular file stays what it is, and a link stays a link. */
    struct stat s;
    unlink(path2);
    assert_int_equal(mkfifo(path2, 0600), 0);
    REFUSED(oryx_snapshot_save(b.r.m, NULL, path2, &err), ORYX_E_IO, "no regular file");
    assert_true(stat(path2, &s) == 0 && S_ISFIFO(s.st_mode));
    unlink(path2);
    REFUSED(oryx_snapshot_save(b.r.m, NULL, folder, &err), ORYX_E_IO, "no regular file");
    assert_int_equal(symlink(path, path2), 0);
    assert_int_equal(oryx_snapshot_save(b.r.m, NULL, path2, NULL), ORYX_OK);
    assert_true(lstat(path2, &s) == 0 && S_ISLNK(s.st_mode));
    free(after);
    after = slurp(path, &m);
    assert_true(m != n || memcmp(before, after, n));
    unlink(path2);
    free(before);
    free(after);
    oryx_machine_destroy(b.r.m);
}

/* --- mutated files --------------------------------------------------------------------------------- */

static uint64_t seed = 7;

static uint32_t rnd(uint32_t n)
{
    seed = seed * MUL + ADD;
    return (uint32_t)((seed >> 33) % n);
}

static size_t mutate(uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789-\"[]{},:en";
    for (uint32_t k = 1 + rnd(4); k; k--) {
        /* Most of the file is memory: the beginning is where the texts are. */
        size_t at = rnd(4) ? rnd((uint32_t)(n < 6000 ? n : 6000)) : rnd((uint32_t)n);
        switch (rnd(6)) {
        case 0:
            p[at] = (uint8_t)rnd(256);
            break;
        case 1:
        case 2: /* another digit */
            while (at < n && (p[at] < '0' || p[at] > '9'))
                at++;
            if (at < n)
                p[at] = (uint8_t)digits[rnd(rnd(3) ? 10 : sizeof(digits) - 1)];
            break;
        case 3:
            memset(p + at, rnd(2) ? 0xff : 0, n - at < 8 ? n - at : 8);
            break;
        case 4: { /* something else of the file */
            size_t from = rnd((uint32_t)n), len = 1 + rnd(40);
            if (at + len <= n && from + len <= n)
                memmove(p + at, p + from, len);
            break;
        }
        default:
            if (!rnd(4))
                n = at + 1;
        }
    }
    return n;
}

static void test_mutated(void **state)
{
    (void)state;
    board b;
    size_t n;
    int loaded = 0;
    board_up(&b, "interp");
    board_start(&b);
    run(&b.r, 1500);
    save(&b, path);
    uint64_t good = digest(&b);
    uint8_t *file = slurp(path, &n), *p = malloc(n);
    run(&b.r, 300);
    uint64_t before = digest(&b);
    for (int i = 0; i < mutations; i++) {
        memcpy(p, file, n);
        size_t size = mutate(p, n);
        if (rnd(8))
            sum_again(p, size);
        spit(path2, p, size);
        oryx_error err = {0};
        if (oryx_snapshot_load(b.r.m, path2, &err)) {
            if (!strstr(err.text, path2))
                fail_msg("mutation %d: refused with '%s'", i, err.text);
            assert_int_equal(digest(&b), before);
            continue;
        }
        /* A right file after all: whatever it made of the machine, that runs, or not, but it can be put back. */
        loaded++;
        run(&b.r, 50);
        load(&b, path);
        assert_int_equal(digest(&b), good);
        before = good;
    }
    assert_true(loaded < mutations);
    oryx_machine_destroy(b.r.m);
    free(file);
    free(p);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_runs_on),       cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_tree_file),     cmocka_unit_test(test_refused_files), cmocka_unit_test(test_roots_file),
                                       cmocka_unit_test(test_disk_full),     cmocka_unit_test(test_mutated)};
    if (argc > 1)
        mutations = atoi(argv[1]);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 0);
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof(path), "%s/a.snap", folder);
    snprintf(path2, sizeof(path2), "%s/b.snap", folder);
    snprintf(disk, sizeof(disk), "%s/disk", folder);
    FILE *f = fopen(disk, "wb");
    for (int i = 0; f && i < 16 * 512; i++)
        fputc(i * 7 + i / 512, f);
    if (!f || fclose(f))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    unlink(path2);
    unlink(disk);
    rmdir(folder);
    return failed;
}
