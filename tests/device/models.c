/* The models timer, irqchip, blk and rtc against the register descriptions at the top of their sources. Expected values
 * are worked out from those texts; virtual time is the number of instructions that were run. */
#define _GNU_SOURCE
#include "rig.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define T 0x100000u /* timer */
#define C 0x200000u /* irqchip */
#define B 0x300000u /* blk */
#define R 0x400000u /* rtc */

static uint32_t level, edges;
static uint64_t rose_at;

static void on_irq(void *opaque, uint32_t line, uint32_t to)
{
    (void)opaque;
    assert_int_equal(line, 0);
    assert_int_not_equal(level, to);
    level = to;
    edges++;
    if (to)
        rose_at = oryx_machine_vtime(m);
}

static oryx_device *heard(oryx_device *d)
{
    level = edges = 0;
    rose_at = 0;
    oryx_device_on_irq(d, on_irq, NULL);
    return d;
}

static int setup(void **state)
{
    (void)state;
    rig_up();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_down();
    return 0;
}

/* --- timer ------------------------------------------------------------------------------------------------------------ */
static void timer_one_shot(void **state)
{
    (void)state;
    pass(500);
    oryx_device *d = heard(dev("timer", NULL, NULL, T));
    assert_int_equal(in(T), 0); /* COUNT begins when it is made */
    pass(123);
    assert_int_equal(in(T), 123);
    out(T + 8, 1000);
    assert_int_equal(in(T + 0x18), 0);
    out(T + 0x10, 1 | 4);
    assert_int_equal(in(T + 0x18), 1000);
    pass(999);
    assert_int_equal(in(T + 0x18), 1);
    assert_int_equal(level, 0);
    assert_int_equal(in(T + 0x14), 0);
    pass(1);
    pass(1); /* heard before the next instruction */
    assert_int_equal(level, 1);
    assert_int_equal(rose_at, 500 + 123 + 1000);
    assert_int_equal(in(T + 0x14), 1);
    assert_int_equal(in(T + 0x10), 4); /* ENABLE went */
    assert_int_equal(in(T + 0x20), 1);
    pass(5000);
    assert_int_equal(in(T + 0x20), 1);
    out(T + 0x14, 1);
    assert_int_equal(level, 0);
    assert_int_equal(edges, 2);
    /* IRQ off: expires silently, and setting IRQ then raises the line. */
    out(T + 0x10, 1);
    pass(1001);
    assert_int_equal(in(T + 0x14), 1);
    assert_int_equal(level, 0);
    out(T + 0x10, 4);
    assert_int_equal(level, 1);
    oryx_device_reset(d);
    assert_int_equal(level, 0);
    assert_int_equal(in(T), 0);
    assert_int_equal(in(T + 8), 0);
}

static void timer_periodic(void **state)
{
    (void)state;
    oryx_device *d = heard(dev("timer", NULL, NULL, T));
    out(T + 8, 300);
    out(T + 0x10, 7);
    /* In one run: the line rises inside, at exactly the deadline. */
    pass(1000);
    assert_int_equal(rose_at, 300);
    assert_int_equal(in(T + 0x20), 3);
    out(T + 0x14, 1);
    pass(250);
    assert_int_equal(rose_at, 1200);
    assert_int_equal(in(T + 0x18), 250);
    out(T + 0x14, 1);
    state_round(d);
    assert_int_equal(in(T + 0x18), 250);
    pass(251);
    assert_int_equal(rose_at, 1500);
    out(T + 0x10, 0);
    pass(1000);
    assert_int_equal(in(T + 0x20), 5);
    /* Zero counts as one; other bits are ignored; a stopped machine skips to the next deadline. */
    out(T + 8, 0);
    out(T + 0x10, 0xfffffff1u);
    assert_int_equal(in(T + 0x10), 1);
    assert_int_equal(in(T + 0x18), 1);
    assert_int_equal(oryx_machine_skip(m), ORYX_OK);
    assert_int_equal(in(T + 0x20), 6);
    assert_int_equal(oryx_machine_skip(m), ORYX_E_NOTFOUND);
    out(T + 0x0c, 1); /* 2^32 ticks */
    out(T + 0x10, 1);
    uint64_t before = oryx_machine_vtime(m), wide = 0;
    assert_int_equal(in(T + 0x18), 0);
    assert_int_equal(in(T + 0x1c), 1);
    assert_int_equal(oryx_machine_skip(m), ORYX_OK);
    assert_int_equal(oryx_machine_vtime(m) - before, 1ull << 32);
    assert_int_equal(oryx_space_read(s, T, &wide, 8, 0), ORYX_OK);
    assert_int_equal(wide, oryx_machine_vtime(m));
}

static void timer_guest_sets_it(void **state)
{
    (void)state;
    heard(dev("timer", NULL, NULL, T));
    /* mov x0, #0x100000; mov w1, #50; str w1, [x0, #8]; mov w1, #5; str w1, [x0, #16]; b . */
    static const uint32_t code[] = {0xd2a00200, 0x52800641, 0xb9000801, 0x528000a1, 0xb9001001, 0x14000000};
    memcpy(ram + 0x200, code, sizeof(code));
    oryx_vcpu_set_pc(v, 0x200);
    pass(4);
    assert_int_equal(in(T + 8), 50);
    pass(200);
    assert_int_equal(level, 1);
    /* Inside a block the time is somewhere between that of its instruction and its end. */
    assert_in_range(rose_at, 5 + 50, 6 + 50);
}

/* COUNT as a guest sees it in a loop that no exit interrupts. */
static void timer_polled(void **state)
{
    (void)state;
    dev("timer", NULL, NULL, T);
    /* mov x0, #0x100000; mov w2, #5000; again: ldr w1, [x0]; cmp w1, w2; b.lo again; done: b done */
    static const uint32_t code[] = {0xd2a00200, 0x52827102, 0xb9400001, 0x6b02003f, 0x54ffffc3, 0x14000000};
    memcpy(ram + 0x200, code, sizeof(code));
    oryx_vcpu_set_pc(v, 0x200);
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .timeout_us = 5000000, .n_until = 1, .until = (const uint64_t[]){0x214}};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    assert_int_equal(oryx_vcpu_run(v, &l, &e), ORYX_OK);
    assert_int_equal(e.reason, ORYX_EXIT_UNTIL);
    assert_in_range(e.insns, 4998, 5008);
}

static void timer_options(void **state)
{
    (void)state;
    oryx_error err = {0};
    oryx_device *d = NULL;
    dev("timer", NULL, "{\"hz\": 1000000}", T);
    pass(2500);
    assert_int_equal(in(T), 2);
    out(T + 8, 3);
    out(T + 0x10, 1);
    pass(2999);
    assert_int_equal(in(T + 0x18), 1); /* rounded up */
    assert_int_equal(in(T + 0x14), 0);
    pass(1);
    assert_int_equal(in(T + 0x14), 1);
    static const char *const bad[] = {"{\"hz\":0}", "{\"hz\":1000000001}", "{\"hertz\":1}", "[]", "{"};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(oryx_device_new(m, "timer", "bad", bad[i], &d, &err), ORYX_E_FORMAT);
        assert_non_null(strstr(err.text, "timer 'bad'"));
    }
    refused_read(T + 0x24);
    refused_write(T);
    refused_write(T + 0x20);
    uint8_t byte;
    assert_int_equal(oryx_space_read(s, T + 8, &byte, 1, 0), ORYX_FAULT_DEVICE);
}

/* --- irqchip ---------------------------------------------------------------------------------------------------------- */
static void irqchip_levels(void **state)
{
    (void)state;
    oryx_device *d = heard(dev("irqchip", NULL, NULL, C));
    assert_int_equal(in(C + 0x1c), UINT32_MAX);
    oryx_device_irq(d, 5, 1);
    assert_int_equal(in(C), 1u << 5);
    assert_int_equal(in(C + 4), 1u << 5);
    assert_int_equal(level, 0); /* not enabled */
    out(C + 0x0c, 1u << 5 | 1u << 9);
    assert_int_equal(in(C + 8), 1u << 5 | 1u << 9);
    assert_int_equal(level, 1);
    assert_int_equal(peek(C + 0x1c), 5);
    assert_int_equal(in(C + 0x1c), 5);
    assert_int_equal(in(C + 0x18), 1u << 5);
    assert_int_equal(level, 0); /* active */
    assert_int_equal(in(C + 0x1c), UINT32_MAX);
    out(C + 0x20, 5); /* still high: again */
    assert_int_equal(level, 1);
    assert_int_equal(in(C + 0x1c), 5);
    oryx_device_irq(d, 5, 0);
    out(C + 0x20, 5);
    assert_int_equal(level, 0);
    oryx_device_irq(d, 9, 1);
    assert_int_equal(level, 1);
    out(C + 0x10, 1u << 9);
    assert_int_equal(level, 0);
    assert_int_equal(in(C + 8), 1u << 5);
    oryx_device_irq(d, 32, 1); /* no such input */
    assert_int_equal(in(C), 1u << 9);
    refused_write(C);
    refused_write(C + 0x1c);
    refused_read(C + 0x20);
    refused_read(C + 0x28);
    refused_read(C + 0xc0);
    refused_write(C + 0x30);
}

static void irqchip_edges(void **state)
{
    (void)state;
    oryx_device *d = heard(dev("irqchip", NULL, "{\"edge\": 12}", C));
    assert_int_equal(in(C + 0x14), 12);
    out(C + 8, 0xff);
    oryx_device_irq(d, 2, 1);
    oryx_device_irq(d, 2, 0); /* a pulse is kept */
    assert_int_equal(level, 1);
    assert_int_equal(in(C + 0x1c), 2);
    assert_int_equal(in(C + 4), 0);
    oryx_device_irq(d, 2, 1); /* again while active: after EOI */
    assert_int_equal(level, 0);
    out(C + 0x20, 2);
    assert_int_equal(level, 1);
    assert_int_equal(in(C + 0x1c), 2);
    out(C + 0x20, 2);
    assert_int_equal(level, 0); /* high, but it does not rise */
    out(C + 0x28, 1u << 7); /* by software, a level input too */
    assert_int_equal(in(C + 0x1c), 7);
    out(C + 0x20, 7);
    assert_int_equal(in(C + 4), 0);
    out(C + 0x28, 1u << 7);
    out(C + 0x2c, 1u << 7);
    assert_int_equal(level, 0);
    oryx_device_irq(d, 3, 1);
    out(C + 0x14, 4); /* input 3 becomes a level: pending as long as it is high */
    assert_int_equal(in(C + 4), 8);
    oryx_device_irq(d, 3, 0);
    assert_int_equal(in(C + 4), 0);
    oryx_device_reset(d);
    assert_int_equal(in(C + 0x14), 12);
    assert_int_equal(in(C), 4); /* the level of an input is its driver's */
}

static void irqchip_priorities(void **state)
{
    (void)state;
    oryx_device *d = heard(dev("irqchip", NULL, NULL, C));
    out(C + 8, UINT32_MAX);
    for (unsigned i = 0; i < 32; i++)
        assert_int_equal(in(C + 0x40 + 4 * i), 1);
    out(C + 0x40 + 4 * 3, 2);
    out(C + 0x40 + 4 * 31, 0x1f); /* four bits */
    out(C + 0x40 + 4 * 4, 0);
    assert_int_equal(in(C + 0x40 + 4 * 31), 15);
    for (unsigned i = 0; i < 32; i++)
        oryx_device_irq(d, i, 1);
    assert_int_equal(in(C + 0x1c), 31);
    assert_int_equal(in(C + 0x1c), 3);
    state_round(d);
    assert_int_equal(in(C + 0x18), 1u << 31 | 1u << 3);
    out(C + 0x24, 1);
    assert_int_equal(in(C + 0x24), 1);
    assert_int_equal(level, 0);
    out(C + 0x24, 0);
    assert_int_equal(level, 1);
    for (unsigned i = 0; i < 31; i++)
        if (i != 3 && i != 4)
            assert_int_equal(in(C + 0x1c), i);
    assert_int_equal(in(C + 0x1c), UINT32_MAX); /* priority 0 never */
    oryx_error err = {0};
    assert_int_equal(oryx_device_new(m, "irqchip", "bad", "{\"edge\": -1}", &d, &err), ORYX_E_FORMAT);
}

/* --- blk -------------------------------------------------------------------------------------------------------------- */
static char disk[64];

static int disk_make(void **state)
{
    setup(state);
    strcpy(disk, "/tmp/oryx-blk-XXXXXX");
    int fd = mkstemp(disk);
    for (unsigned i = 0; i < 300 * 512 + 100; i++) { /* the last 100 bytes are no sector */
        uint8_t b = (uint8_t)(i / 512 * 7 + i);
        if (write(fd, &b, 1) != 1)
            return -1;
    }
    close(fd);
    return 0;
}

static int disk_drop(void **state)
{
    unlink(disk);
    return teardown(state);
}

static oryx_device *blk(const char *more)
{
    char options[200];
    snprintf(options, sizeof(options), "{\"file\": \"%s\"%s}", disk, more);
    return heard(dev("blk", "disk", options, B));
}

static uint32_t command(uint32_t what, uint64_t sector, uint64_t addr, uint32_t count)
{
    out(B + 0x10, (uint32_t)sector);
    out(B + 0x14, (uint32_t)(sector >> 32));
    out(B + 0x18, (uint32_t)addr);
    out(B + 0x1c, (uint32_t)(addr >> 32));
    out(B + 0x20, count);
    out(B + 0x24, what);
    return in(B + 4);
}

static void blk_read_write(void **state)
{
    (void)state;
    uint8_t got[512];
    oryx_device *d = blk("");
    assert_int_equal(in(B), 0x4b4c4258);
    assert_int_equal(in(B + 8), 300);
    assert_int_equal(in(B + 12), 0);
    assert_int_equal(in(B + 4), 0);
    out(B + 0x28, 1);
    assert_int_equal(command(1, 5, 0x4001, 20), 2);
    assert_int_equal(level, 1);
    assert_int_equal(in(B + 0x34), 20);
    for (unsigned i = 0; i < 20 * 512; i++)
        assert_int_equal(ram[0x4001 + i], (uint8_t)((i / 512 + 5) * 7 + i));
    assert_int_equal(ram[0x4000] | ram[0x4001 + 20 * 512], 0);
    out(B + 0x2c, 2);
    assert_int_equal(level, 0);
    assert_int_equal(in(B + 4), 0);
    memset(ram + 0x1000, 0xa5, 512);
    assert_int_equal(command(2, 299, 0x1000, 1), 2);
    assert_int_equal(command(3, 0, 0, 0), 2);
    int fd = open(disk, O_RDONLY);
    assert_int_equal(pread(fd, got, 512, 299 * 512), 512);
    assert_memory_equal(got, ram + 0x1000, 512);
    assert_int_equal(lseek(fd, 0, SEEK_END), 300 * 512 + 100);
    close(fd);
    /* A command that is started while DONE lowers the line and raises it again. */
    out(B + 0x2c, 6);
    edges = 0;
    command(1, 0, 0x1000, 0);
    command(1, 0, 0x1000, 0);
    assert_int_equal(edges, 3);
    state_round(d);
    assert_int_equal(level, 1);
    oryx_device_reset(d);
    assert_int_equal(level, 0);
    assert_int_equal(in(B + 0x20), 0);
    refused_write(B);
    refused_read(B + 0x24);
    refused_read(B + 0x38);
}

static void blk_errors(void **state)
{
    (void)state;
    blk("");
    ram[0x1000] = 0x77;
    assert_int_equal(command(1, 300, 0x1000, 1), 6);
    assert_int_equal(in(B + 0x30), 1);
    assert_int_equal(command(1, 299, 0x1000, 2), 6); /* nothing is done */
    assert_int_equal(in(B + 0x34), 0);
    assert_int_equal(ram[0x1000], 0x77);
    assert_int_equal(command(1, UINT64_MAX, 0x1000, 2), 6);
    assert_int_equal(in(B + 0x30), 1);
    assert_int_equal(command(1, 0, 0x10000 - 512, 1), 2);
    assert_int_equal(in(B + 0x30), 0);
    assert_int_equal(command(1, 0, 0x500000, 1), 6); /* no memory there */
    assert_int_equal(in(B + 0x30), 3);
    assert_int_equal(command(2, 0, 0x500000, 1), 6);
    assert_int_equal(in(B + 0x30), 3);
    assert_int_equal(command(9, 0, 0x1000, 1), 6);
    assert_int_equal(in(B + 0x30), 5);
    assert_int_equal(truncate(disk, 200 * 512), 0); /* the host takes it away: EIO */
    assert_int_equal(command(1, 199, 0x1000, 1), 2);
    assert_int_equal(command(1, 199, 0x1000, 2), 6);
    assert_int_equal(in(B + 0x30), 2);
}

static void blk_readonly_and_options(void **state)
{
    (void)state;
    oryx_device *d = blk(", \"readonly\": true");
    oryx_error err = {0};
    char *text;
    assert_int_equal(in(B + 4), 8);
    assert_int_equal(command(2, 0, 0x1000, 1), 8 | 6);
    assert_int_equal(in(B + 0x30), 4);
    assert_int_equal(command(1, 0, 0x1000, 1), 8 | 2);
    assert_int_equal(command(3, 0, 0x1000, 1), 8 | 2);
    text = saved(d);
    oryx_device_destroy(d);
    static const char *const bad[] = {"{}", "{\"file\": 3}", "{\"file\": \"x\", \"what\": 1}", "[]"};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(oryx_device_new(m, "blk", "bad", bad[i], &d, &err), ORYX_E_FORMAT);
    assert_int_equal(oryx_device_new(m, "blk", "bad", "{\"file\": \"/nonexistent/disk\"}", &d, &err), ORYX_E_NOTFOUND);
    assert_non_null(strstr(err.text, "/nonexistent/disk"));
    assert_int_equal(oryx_device_new(m, "blk", "bad", "{\"file\": \"/dev/null\"}", &d, &err), ORYX_E_IO);
    /* A state belongs to a disk of its size. */
    assert_int_equal(truncate(disk, 100 * 512), 0);
    d = blk("");
    assert_int_equal(oryx_device_load(d, text, &err), ORYX_E_STATE);
    assert_non_null(strstr(err.text, "300"));
    free(text);
}

static void blk_latency_and_space(void **state)
{
    (void)state;
    oryx_device *d = blk(", \"latency\": 1000");
    oryx_error err = {0};
    oryx_space *own = NULL;
    oryx_region *alias = NULL;
    out(B + 0x28, 1);
    assert_int_equal(command(1, 1, 0x2000, 1), 1);
    command(2, 0, 0x2000, 1); /* ignored while BUSY, but the registers are the guest's */
    pass(1001);
    assert_int_equal(rose_at, 1000);
    assert_int_equal(in(B + 4), 2);
    /* DMA through a space of its own, where RAM begins at 1 GiB. */
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "window", .last = 0xffff};
    assert_int_equal(oryx_space_new(m, "dma", &own, &err), ORYX_OK);
    oryx_view_row row = {.hdr = ORYX_HDR(oryx_view_row)};
    oryx_space_view(s, 0, &row, 1);
    c.target = row.region;
    assert_int_equal(oryx_region_new(m, "alias", &c, &alias, &err), ORYX_OK);
    assert_int_equal(oryx_region_add(oryx_space_root(own), 0x40000000, alias, 0, &err), ORYX_OK);
    oryx_device_set_space(d, own);
    command(1, 3, 0x40003000, 1);
    /* A command under way is part of the state. */
    pass(400);
    char *text = saved(d);
    oryx_device_reset(d);
    pass(700);
    assert_int_equal(ram[0x3001], 0);
    loaded(d, text);
    free(text);
    pass(599);
    assert_int_equal(in(B + 4), 1);
    pass(1);
    pass(1);
    assert_int_equal(in(B + 4), 2);
    assert_int_equal(ram[0x3001], 3 * 7 + 1);
    command(1, 3, 0x3000, 1); /* not there any more */
    assert_int_equal(oryx_machine_skip(m), ORYX_OK);
    assert_int_equal(in(B + 0x30), 3);
    oryx_device_set_space(d, NULL);
    command(1, 3, 0x3000, 1);
    assert_int_equal(oryx_machine_skip(m), ORYX_OK);
    assert_int_equal(in(B + 0x30), 0);
}

/* The host's disk is full, or not even a disk. A limit of file sizes makes writes fail as a full disk does. */
static void blk_host_errors(void **state)
{
    (void)state;
    oryx_device *d = NULL;
    oryx_error err = {0};
    struct rlimit old, small;
    char pipe[80], options[128];
    blk("");
    memset(ram + 0x1000, 0x5a, 4 * 512);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 202 * 512, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    uint32_t status = command(2, 200, 0x1000, 4);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, 6);
    assert_int_equal(in(B + 0x30), 2);
    assert_int_equal(command(2, 200, 0x1000, 4), 2); /* there is room again */
    assert_int_equal(in(B + 0x34), 4);
    snprintf(pipe, sizeof(pipe), "%s.pipe", disk);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    snprintf(options, sizeof(options), "{\"file\": \"%s\"}", pipe);
    assert_int_equal(oryx_device_new(m, "blk", "bad", options, &d, &err), ORYX_E_IO); /* and no waiting for its other end */
    assert_true(!strncmp(err.text, "/file: blk 'bad': ", 18));
    unlink(pipe);
    if (geteuid()) {
        assert_int_equal(chmod(disk, 0400), 0);
        snprintf(options, sizeof(options), "{\"file\": \"%s\"}", disk);
        assert_int_equal(oryx_device_new(m, "blk", "bad", options, &d, &err), ORYX_E_IO);
        assert_non_null(strstr(err.text, "readonly"));
    }
}

/* Every refusal of an option begins with its JSON pointer and says what is right; numbers may be strings. */
static void options_of_all(void **state)
{
    (void)state;
    static const struct {
        const char *cls, *options, *begins, *says;
    } rows[] = {
        {"timer", "{\"hz\": 0}", "/hz: timer 'x': ", "1 to 1000000000, not 0"},
        {"timer", "{\"hz\": \"0x100000000\"}", "/hz: ", "not 4294967296"},
        {"timer", "{\"hz\": 1.5}", "/hz: ", "must be a number"},
        {"timer", "{\"hz\": -1}", "/hz: ", "must be a number"},
        {"timer", "{\"hz\": \"1e3\"}", "/hz: ", "must be a number"},
        {"timer", "{\"hz\": 18446744073709551616}", "timer 'x': ", "64 bits"},
        {"timer", "{\"khz\": 1}", "/khz: ", "known are hz"},
        {"timer", "{\"hz\": 1} x", "timer 'x': options", "behind"},
        {"timer", "", "timer 'x': options", "JSON object"},
        {"irqchip", "{\"edge\": 4294967296}", "/edge: ", "0 to 4294967295"},
        {"irqchip", "[1]", "irqchip 'x': ", "JSON object"},
        {"blk", "{\"file\": null}", "/file: ", "string"},
        {"blk", "{\"file\": \"/tmp\"}", "/file: ", "no regular file"},
        {"blk", "{\"readonly\": 1, \"file\": \"/tmp\"}", "/readonly: ", "true or false"},
        {"blk", "{\"latency\": \"soon\"}", "/latency: ", "must be a number"},
        {"rtc", "{\"clock\": \"sun\"}", "/clock: ", "one of host, fixed"},
        {"rtc", "{\"clock\": 1}", "/clock: ", "one of host, fixed"},
        {"rtc", "{\"time\": 1}", "/time: ", "fixed"},
        {"rtc", "{\"clock\": \"fixed\", \"time\": 9223372036854775808}", "/time: ", "9223372036854775807"},
        {"uart16550", "{\"chardev\": 1}", "/chardev: ", "string"},
        {"uart16550", "{\"chardev\": \"tin\"}", "/chardev: ", "null, stdio"},
        {"uart16550", "{\"shift\": 4}", "/shift: ", "0 to 3"},
        {"uart16550", "{\"input\": \"a\\u0000b\"}", "uart16550 'x': ", "character 0"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        oryx_device *d = NULL;
        oryx_error err = {0};
        oryx_status st = oryx_device_new(m, rows[i].cls, "x", rows[i].options, &d, &err);
        if ((st != ORYX_E_FORMAT && st != ORYX_E_IO) || strncmp(err.text, rows[i].begins, strlen(rows[i].begins)) ||
            !strstr(err.text, rows[i].says))
            fail_msg("%s with %s: %d, %s", rows[i].cls, rows[i].options, st, err.text);
        assert_null(oryx_device_find(m, "x"));
    }
    oryx_device *d = dev("timer", "t", "{\"hz\": \"0xf4240\"}", T);
    char *text = saved(d);
    pass(5000);
    assert_int_equal(in(T), 5);
    oryx_device_destroy(d);
    d = dev("timer", "t", "{\"hz\": 1000}", T); /* a state in ticks of another length */
    oryx_error err = {0};
    assert_int_equal(oryx_device_load(d, text, &err), ORYX_E_FORMAT);
    assert_non_null(strstr(err.text, "'hz'"));
    free(text);
}

/* --- rtc -------------------------------------------------------------------------------------------------------------- */
static void rtc_fixed(void **state)
{
    (void)state;
    oryx_device *d = heard(dev("rtc", NULL, "{\"clock\": \"fixed\", \"time\": 1000000000}", R));
    assert_int_equal(in(R), 1000000000);
    pass(1234);
    assert_int_equal(in(R + 8), 0); /* latched */
    assert_int_equal(in(R), 1000000000);
    assert_int_equal(in(R + 8), 1234);
    out(R + 0x18, 1000000002);
    out(R + 0x0c, 3);
    assert_int_equal(level, 0);
    state_round(d);
    assert_int_equal(oryx_machine_skip(m), ORYX_OK);
    assert_int_equal(level, 1);
    assert_int_equal(rose_at, 2000000000);
    assert_int_equal(in(R), 1000000002);
    assert_int_equal(in(R + 8), 0);
    assert_int_equal(in(R + 0x20), 1);
    assert_int_equal(in(R + 0x0c), 1); /* ARM went */
    out(R + 0x20, 1);
    assert_int_equal(level, 0);
    out(R + 0x0c, 3); /* passed already: at once */
    assert_int_equal(level, 1);
    oryx_device_reset(d);
    assert_int_equal(level, 0);
    assert_int_equal(in(R), 1000000002); /* goes on */
    /* Setting, also beyond 2106. */
    out(R + 0x10, 5);
    out(R + 0x14, 3);
    pass(10);
    uint64_t wide = 0;
    assert_int_equal(oryx_space_read(s, R, &wide, 8, 0), ORYX_OK);
    assert_int_equal(wide, 3ull << 32 | 5);
    assert_int_equal(in(R + 8), 10);
    refused_write(R);
    refused_write(R + 8);
    refused_read(R + 0x24);
}

static void rtc_host(void **state)
{
    (void)state;
    oryx_error err = {0};
    oryx_device *d = heard(dev("rtc", NULL, NULL, R));
    uint64_t before = (uint64_t)time(NULL), wide = 0;
    assert_int_equal(oryx_space_read(s, R, &wide, 8, 0), ORYX_OK);
    assert_true(wide >= before && wide <= (uint64_t)time(NULL) + 1); /* time() may lag */
    out(R + 0x10, 1000);
    out(R + 0x14, 0);
    assert_true(in(R) - 1000 < 100);
    state_round(d); /* keeps the distance to the host's time */
    assert_true(in(R) - 1000 < 100);
    out(R + 0x18, in(R) + 1);
    out(R + 0x0c, 3);
    for (unsigned i = 0; i < 3000 && !level; i++) { /* looked for once a virtual millisecond */
        usleep(1000);
        assert_int_equal(oryx_machine_skip(m), ORYX_OK);
    }
    assert_int_equal(level, 1);
    static const char *const bad[] = {"{\"clock\": \"sun\"}", "{\"time\": 3}", "{\"clock\": \"fixed\", \"time\": -1}", "[]"};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(oryx_device_new(m, "rtc", "bad", bad[i], &d, &err), ORYX_E_FORMAT);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define DISK(f) cmocka_unit_test_setup_teardown(f, disk_make, disk_drop)
    const struct CMUnitTest tests[] = {
        CASE(timer_one_shot), CASE(timer_periodic), CASE(timer_guest_sets_it), CASE(timer_polled), CASE(timer_options),
        CASE(irqchip_levels), CASE(irqchip_edges),  CASE(irqchip_priorities),
        DISK(blk_read_write), DISK(blk_errors),     DISK(blk_readonly_and_options), DISK(blk_latency_and_space),
        DISK(blk_host_errors), CASE(options_of_all),
        CASE(rtc_fixed),      CASE(rtc_host),
    };
    return cmocka_run_group_tests_name("device models", tests, NULL, NULL);
}
