/* The serial port against its data sheet (National PC16550D): register by register, interrupts in
 * their order, FIFOs, loopback, modem lines, state. Expected values are the data sheet's tables;
 * section names in comments. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "oryx.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, THR = 0, FCR = 2, DLL = 0, DLM = 1 };

static oryx_machine *m;
static oryx_device *d;
static oryx_space *s;
static _Atomic uint32_t level, edges;

static void on_irq(void *opaque, uint32_t line, uint32_t to)
{
    (void)opaque;
    assert_int_equal(line, 0);
    assert_int_not_equal(level, to); /* told only when it changes */
    level = to;
    edges++;
}

static void setup(const char *options)
{
    const char *pins[] = {getenv("TOY_PLUGIN"), NULL};
    char path[512];
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                             .arch = "toy",
                             .engine = "toy-eval",
                             .plugin_path = path,
                             .plugins = pins};
    oryx_error err = {0};
    level = edges = 0;
    if (oryx_machine_new(&c, &m, &err) ||
        oryx_device_new(m, "uart16550", "serial0", options, &d, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    oryx_device_on_irq(d, on_irq, NULL);
    assert_int_equal(oryx_device_map(d, 0, s, 0x3f8, &err), ORYX_OK);
}

static void teardown(void)
{
    oryx_machine_destroy(m);
}

static uint8_t in(unsigned reg)
{
    uint8_t v = 0;
    assert_int_equal(oryx_space_read(s, 0x3f8 + reg, &v, 1, 0), ORYX_OK);
    return v;
}

static void out(unsigned reg, unsigned value)
{
    uint8_t v = (uint8_t)value;
    assert_int_equal(oryx_space_write(s, 0x3f8 + reg, &v, 1, 0), ORYX_OK);
}

/* The text the memory chardev kept. */
static void expect_output(const char *want)
{
    char *json = NULL, look[128];
    assert_int_equal(oryx_device_save(d, &json, NULL), ORYX_OK);
    snprintf(look, sizeof(look), "\"output\":\"%s\"", want);
    assert_non_null(strstr(json, look));
    free(json);
}

static void test_reset_values(void **state)
{
    (void)state;
    setup("{}");
    /* "Reset configuration" */
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(IIR), 0x01);
    assert_int_equal(in(LCR), 0);
    assert_int_equal(in(MCR), 0);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(MSR)&0x0f, 0);
    /* Divisor latch, scratch, and the bits that are always zero. */
    out(SCR, 0xa5);
    out(LCR, 0x83);
    out(DLL, 0x0c);
    out(DLM, 0x01);
    assert_int_equal(in(DLL), 0x0c);
    assert_int_equal(in(DLM), 0x01);
    out(LCR, 0x03);
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(LCR), 0x03);
    assert_int_equal(in(SCR), 0xa5);
    out(IER, 0xff);
    assert_int_equal(in(IER), 0x0f);
    out(MCR, 0xff);
    assert_int_equal(in(MCR), 0x1f);
    assert_int_equal(oryx_device_reset(d), ORYX_OK);
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(MCR), 0);
    assert_int_equal(in(SCR), 0xa5); /* not affected by reset */
    teardown();
}

static void test_transmit(void **state)
{
    (void)state;
    setup("{\"chardev\":\"memory\"}");
    for (const char *p = "hello"; *p; p++) {
        assert_int_equal(in(LSR)&0x60, 0x60);
        out(THR, (unsigned char)*p);
    }
    expect_output("hello");
    /* THR-empty interrupt: by enabling, acknowledged by reading IIR, again by each write
     * ("Interrupt control functions"). */
    assert_int_equal(level, 0);
    out(IER, 0x02);
    assert_int_equal(level, 1);
    assert_int_equal(in(IIR), 0x02);
    assert_int_equal(level, 0);
    assert_int_equal(in(IIR), 0x01);
    out(THR, '!');
    assert_int_equal(level, 1);
    out(IER, 0);
    assert_int_equal(level, 0);
    expect_output("hello!");
    teardown();
}

static void test_receive(void **state)
{
    (void)state;
    setup("{\"chardev\":\"memory\",\"input\":\"abcdefghijklmnopqrstuvwxyz\"}");
    /* Without FIFO: one character at a time; the rest waits outside, nothing overruns. */
    assert_int_equal(in(LSR), 0x61);
    out(IER, 0x05);
    assert_int_equal(in(IIR), 0x04);
    assert_int_equal(in(RBR), 'a');
    assert_int_equal(in(RBR), 'b');
    assert_int_equal(in(LSR), 0x61);
    /* Turning the FIFO on clears what was received; then it fills to 16. */
    out(FCR, 0x81); /* trigger 8 */
    assert_int_equal(in(IIR), 0xc4);
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(in(RBR), 'd' + i);
    assert_int_equal(level, 1);
    for (unsigned i = 9; i < 16 + 0; i++)
        assert_int_equal(in(RBR), 'd' + i);
    /* 7 left of 26: below the trigger there is the character timeout. */
    assert_int_equal(in(IIR), 0xcc);
    for (unsigned i = 16; i < 23; i++)
        assert_int_equal(in(RBR), 'd' + i);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(IIR), 0xc1);
    assert_int_equal(level, 0);
    teardown();
}

static void test_loopback(void **state)
{
    (void)state;
    setup("{\"chardev\":\"memory\"}");
    out(MCR, 0x10);
    (void)in(MSR);
    out(IER, 0x0f);
    (void)in(IIR);
    out(THR, 0x41);
    expect_output(""); /* cut off from outside */
    assert_int_equal(in(IIR), 0x04);
    /* Overrun without FIFO: the new one replaces the old, line status is the highest source. */
    out(THR, 0x42);
    assert_int_equal(in(IIR), 0x06);
    assert_int_equal(in(LSR), 0x63);
    assert_int_equal(in(LSR), 0x61); /* read clears the error */
    assert_int_equal(in(RBR), 0x42);
    /* Overrun with FIFO: the FIFO is kept. */
    out(FCR, 0x01);
    for (unsigned i = 0; i < 17; i++)
        out(THR, i);
    assert_int_equal(in(LSR), 0x63);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(in(RBR), i);
    assert_int_equal(in(LSR), 0x60);
    /* Break: a zero with BI, and the FIFO's error bit until it is read. */
    out(LCR, 0x40);
    assert_int_equal(in(LSR), 0xf1);
    assert_int_equal(in(RBR), 0);
    assert_int_equal(in(LSR), 0x60);
    /* FCR bit 1 empties the receiver. */
    out(THR, 1);
    assert_int_equal(in(LSR)&1, 1);
    out(FCR, 0x03);
    assert_int_equal(in(LSR)&1, 0);
    /* MCR to MSR: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2 to DCD; deltas, TERI at the ring's end.
     */
    out(IER, 0x08);
    assert_int_equal(in(IIR), 0xc1);
    out(MCR, 0x1f);
    assert_int_equal(in(IIR), 0xc0);
    assert_int_equal(in(MSR), 0xfb);
    assert_int_equal(in(IIR), 0xc1);
    out(MCR, 0x1b); /* OUT1 off */
    assert_int_equal(in(MSR), 0xb4);
    out(MCR, 0x11);
    assert_int_equal(in(MSR), 0x29);
    teardown();
}

static void test_peek_and_width(void **state)
{
    (void)state;
    setup("{\"chardev\":\"memory\",\"input\":\"xy\",\"shift\":2}");
    uint8_t v = 0;
    uint32_t word = 0;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(oryx_space_read(s, 0x3f8, &v, 1, ORYX_ATTR_DEBUG), ORYX_OK);
        assert_int_equal(v, 'x');
    }
    assert_int_equal(oryx_space_read(s, 0x3f8, &word, 4, 0), ORYX_OK);
    assert_int_equal(word, 'x');
    assert_int_equal(oryx_space_read(s, 0x3f8 + 5 * 4, &word, 4, 0), ORYX_OK);
    assert_int_equal(word, 0x61);
    teardown();
}

static void test_save_load(void **state)
{
    (void)state;
    char *a = NULL, *b = NULL;
    oryx_error err = {0};
    setup("{\"chardev\":\"memory\"}");
    out(LCR, 0x83);
    out(DLL, 0x22);
    out(LCR, 0x03);
    out(FCR, 0x41);
    out(IER, 0x05);
    out(MCR, 0x1b);
    for (unsigned i = 0; i < 5; i++)
        out(THR, 0x60 + i);
    assert_int_equal(level, 1);
    assert_int_equal(oryx_device_save(d, &a, &err), ORYX_OK);
    oryx_device_reset(d);
    assert_int_equal(level, 0);
    assert_int_equal(oryx_device_load(d, a, &err), ORYX_OK);
    assert_int_equal(level, 1);
    assert_int_equal(oryx_device_save(d, &b, &err), ORYX_OK);
    assert_string_equal(a, b);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(in(RBR), 0x60 + i);
    /* A bad state names its field and changes nothing. */
    free(b);
    assert_int_equal(oryx_device_save(d, &b, &err), ORYX_OK);
    free(a);
    assert_int_equal(oryx_device_load(d, "{\"version\":1,\"dll\":300}", &err), ORYX_E_FORMAT);
    assert_non_null(strstr(err.text, "dll"));
    assert_int_equal(oryx_device_load(d, "nonsense", &err), ORYX_E_FORMAT);
    assert_int_equal(oryx_device_save(d, &a, &err), ORYX_OK);
    assert_string_equal(a, b);
    free(a);
    free(b);
    teardown();
}

static void test_options_and_map(void **state)
{
    (void)state;
    oryx_device *bad = NULL;
    oryx_error err = {0};
    setup(NULL);
    assert_int_equal(
        oryx_device_new(m, "uart16550", "x", "{\"chardev\":\"carrier-pigeon\"}", &bad, &err),
        ORYX_E_IO);
    assert_non_null(strstr(err.text, "carrier-pigeon"));
    assert_int_equal(oryx_device_new(m, "uart16550", "x", "{\"baud\":9600}", &bad, &err),
                     ORYX_E_FORMAT);
    assert_non_null(strstr(err.text, "baud"));
    assert_int_equal(oryx_device_new(m, "uart16550", "x", "[]", &bad, &err), ORYX_E_FORMAT);
    assert_int_equal(
        oryx_device_new(m, "uart16550", "x", "{\"chardev\":\"file:/nonexistent/f\"}", &bad, &err),
        ORYX_E_IO);
    assert_int_not_equal(oryx_device_new(m, "no-such-device", "x", NULL, &bad, &err), ORYX_OK);
    assert_null(bad);
    assert_int_equal(oryx_device_map(d, 1, s, 0, &err), ORYX_E_NOTFOUND);
    assert_int_equal(oryx_device_new(m, "uart16550", "serial1", NULL, &bad, &err), ORYX_OK);
    assert_int_equal(oryx_device_map(bad, 0, s, 0x3fa, &err), ORYX_E_OVERLAP);
    assert_non_null(strstr(err.text, "serial0"));
    oryx_device_destroy(d);
    assert_int_equal(oryx_device_map(bad, 0, s, 0x3fa, &err), ORYX_OK);
    teardown();
}

/* --- the outside ------------------------------------------------------------------------------ */

static uint8_t wait_in(void)
{
    for (unsigned i = 0; i < 2000 && !(in(LSR)&1); i++)
        usleep(1000);
    assert_int_equal(in(LSR)&1, 1);
    return in(RBR);
}

static void test_file(void **state)
{
    (void)state;
    char path[] = "/tmp/oryx-uart-XXXXXX", options[128], got[16] = {0};
    int fd = mkstemp(path);
    snprintf(options, sizeof(options), "{\"chardev\":\"file:%s\"}", path);
    setup(options);
    out(THR, 'o');
    out(THR, 'k');
    assert_int_equal(read(fd, got, sizeof(got)), 2);
    assert_string_equal(got, "ok");
    teardown();
    close(fd);
    unlink(path);
}

static void test_socket(void **state)
{
    (void)state;
    char dir[] = "/tmp/oryx-uart-XXXXXX", options[192], byte = 0;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(dir));
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/serial", dir);
    snprintf(options, sizeof(options), "{\"chardev\":\"socket:%s\"}", a.sun_path);
    setup(options);
    out(FCR, 0x01);
    out(THR, '-'); /* nobody there: dropped */
    for (unsigned client = 0; client < 2; client++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        /* More than the FIFO holds: the rest waits in the thread and the socket, nothing is lost.
         */
        char text[600];
        for (unsigned i = 0; i < sizeof(text); i++)
            text[i] = (char)(i * 7);
        out(IER, 0x01);
        assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
        for (unsigned i = 0; i < sizeof(text); i++)
            assert_int_equal(wait_in(), (uint8_t)(i * 7));
        assert_true(edges > 0);
        out(THR, 'A' + client);
        assert_int_equal(read(fd, &byte, 1), 1);
        assert_int_equal(byte, 'A' + client);
        close(fd);
    }
    teardown();
    assert_int_equal(access(a.sun_path, F_OK), -1);
    rmdir(dir);
}

static void test_pty(void **state)
{
    (void)state;
    /* The name of the terminal is told on standard error. */
    int saved = dup(STDERR_FILENO), ends[2];
    char line[128] = {0}, *name;
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    setup("{\"chardev\":\"pty\"}");
    dup2(saved, STDERR_FILENO);
    assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
    line[strcspn(line, "\n")] = 0;
    name = strstr(line, "/dev/pts/");
    assert_non_null(name);
    int fd = open(name, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "q", 1), 1);
    assert_int_equal(wait_in(), 'q');
    out(THR, '\n'); /* raw: no carriage return is added */
    assert_int_equal(read(fd, line, sizeof(line)), 1);
    assert_int_equal(line[0], '\n');
    close(fd);
    teardown();
    close(saved);
    close(ends[0]);
    close(ends[1]);
}

/* --- peers and hosts that fail ------------------------------------------------------------------ */

static int client(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* Run with standard error caught; what was said. */
static int caught[2], kept_error;
static void catch_errors(void)
{
    assert_int_equal(pipe(caught), 0);
    fcntl(caught[0], F_SETFL, O_NONBLOCK);
    kept_error = dup(STDERR_FILENO);
    dup2(caught[1], STDERR_FILENO);
}

static const char *errors(void)
{
    static char text[1000];
    dup2(kept_error, STDERR_FILENO);
    ssize_t n = read(caught[0], text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = 0;
    close(kept_error);
    close(caught[0]);
    close(caught[1]);
    return text;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_peers(void **state)
{
    (void)state;
    char dir[] = "/tmp/oryx-uart-XXXXXX", path[64], options[128];
    static char block[1 << 20];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/serial", dir);
    snprintf(options, sizeof(options), "{\"chardev\":\"socket:%s\"}", path);
    setup(options);
    out(FCR, 0x01);
    /* One that is slow gets every byte. */
    int fd = client(path);
    assert_int_equal(write(fd, "?", 1), 1);
    assert_int_equal(wait_in(), '?');
    pid_t child = fork();
    if (!child) {
        size_t n = 0;
        for (ssize_t got; n < 300000 && (got = read(fd, block, 4096)) > 0; usleep(100))
            for (ssize_t i = 0; i < got; i++, n++)
                if (block[i] != (char)(n * 11))
                    _exit(1);
        _exit(n != 300000);
    }
    for (unsigned i = 0; i < 300000; i++)
        out(THR, (uint8_t)(i * 11));
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    /* One that reads nothing does not stop the guest, and is served again when it reads. */
    double from = seconds();
    for (unsigned i = 0; i < 200000 && seconds() - from < 30; i++)
        out(THR, 'x');
    assert_true(seconds() - from < 30);
    while (recv(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
        ;
    out(THR, 'y');
    assert_int_equal(recv(fd, block, 1, 0), 1);
    assert_int_equal(block[0], 'y');
    /* One that leaves while the FIFO is full and more is under way: what it sent arrives, and the next one is heard. */
    for (unsigned i = 0; i < 100; i++)
        block[i] = (char)i;
    assert_int_equal(write(fd, block, 100), 100);
    for (unsigned i = 0; i < 2000 && !(in(LSR)&1); i++)
        usleep(1000);
    close(fd);
    out(THR, '-'); /* nobody is there: no SIGPIPE */
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(wait_in(), i);
    fd = client(path);
    assert_int_equal(write(fd, "n", 1), 1);
    assert_int_equal(wait_in(), 'n');
    /* Unplugged while the other end sends, with a full FIFO. */
    assert_int_equal(write(fd, block, 100), 100);
    oryx_device_destroy(d);
    assert_true(read(fd, block, 1) <= 0);
    close(fd);
    teardown();
    assert_int_equal(rmdir(dir), 0); /* the socket is gone, too */
}

static void test_hosts(void **state)
{
    (void)state;
    oryx_device *bad = NULL;
    oryx_error err = {0};
    /* A full disk: told once, and the guest goes on. */
    catch_errors();
    setup("{\"chardev\":\"file:/dev/full\"}");
    for (unsigned i = 0; i < 100; i++)
        out(THR, 'x');
    assert_int_equal(in(LSR), 0x60);
    teardown();
    const char *said = errors(), *first = strstr(said, "No space left");
    assert_non_null(first);
    assert_null(strstr(first + 1, "No space left"));
    /* A pipe: without a reader an error, not a wait; with one that leaves no SIGPIPE. */
    char path[] = "/tmp/oryx-uart-XXXXXX", options[128], got[4] = {0};
    close(mkstemp(path));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    snprintf(options, sizeof(options), "{\"chardev\":\"file:%s\"}", path);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    setup(options);
    out(THR, 'a');
    assert_int_equal(read(fd, got, 1), 1);
    assert_int_equal(got[0], 'a');
    close(fd);
    catch_errors();
    out(THR, 'b');
    out(THR, 'c');
    assert_non_null(strstr(errors(), "Broken pipe"));
    assert_int_equal(oryx_device_new(m, "uart16550", "x", options, &bad, &err), ORYX_E_IO);
    assert_true(!strncmp(err.text, "/chardev: ", 10));
    unlink(path);
    teardown();
    /* A terminal nobody reads does not stop the guest. */
    catch_errors();
    setup("{\"chardev\":\"pty\"}");
    errors();
    double from = seconds();
    for (unsigned i = 0; i < 100000; i++)
        out(THR, 'x');
    assert_true(seconds() - from < 20);
    teardown();
    /* Standard input that has ended. */
    int kept = dup(0);
    fd = open("/dev/null", O_RDONLY);
    dup2(fd, 0);
    setup("{\"chardev\":\"stdio\"}");
    usleep(20000);
    assert_int_equal(in(LSR), 0x60);
    teardown();
    dup2(kept, 0);
    close(kept);
    close(fd);
}

/* State in flight: FIFO full with a break in it, overrun, an interrupt of each kind pending; reset drops it, load brings it back,
 * and a state that somebody edited cannot make registers hold what they cannot. */
static void test_in_flight(void **state)
{
    (void)state;
    char *a = NULL, *b = NULL;
    oryx_error err = {0};
    setup("{\"chardev\":\"memory\"}");
    out(FCR, 0xc1);
    out(IER, 0x0f);
    out(MCR, 0x10);
    for (unsigned i = 0; i < 15; i++)
        out(THR, 0x30 + i);
    out(LCR, 0x43); /* a break */
    out(THR, '!'); /* overrun */
    out(MCR, 0x13);
    assert_int_equal(oryx_device_save(d, &a, &err), ORYX_OK);
    assert_int_equal(oryx_device_reset(d), ORYX_OK);
    assert_int_equal(level, 0);
    assert_int_equal(in(LSR), 0x60);
    assert_int_equal(in(RBR), 0);
    assert_int_equal(oryx_device_load(d, a, &err), ORYX_OK);
    assert_int_equal(level, 1);
    assert_int_equal(oryx_device_save(d, &b, &err), ORYX_OK);
    assert_string_equal(a, b);
    assert_int_equal(in(IIR), 0xc6); /* line status first */
    assert_int_equal(in(LSR), 0xe3); /* overrun, an error in the FIFO, data */
    assert_int_equal(in(IIR), 0xc4);
    for (unsigned i = 0; i < 15; i++)
        assert_int_equal(in(RBR), 0x30 + i);
    assert_int_equal(in(LSR), 0xf1); /* the break is at the top */
    assert_int_equal(in(IIR), 0xcc);
    assert_int_equal(in(RBR), 0);
    assert_int_equal(in(IIR), 0xc2);
    assert_int_equal(in(IIR), 0xc0);
    assert_int_equal(in(MSR), 0x3b);
    assert_int_equal(in(IIR), 0xc1);
    assert_int_equal(level, 0);
    free(a);
    free(b);
    const char *odd = "{\"version\":1,\"dll\":0,\"dlm\":0,\"ier\":255,\"fcr\":255,\"lcr\":3,\"mcr\":239,\"lsr\":255,\"msr\":176,"
                      "\"scr\":9,\"thre_pending\":1,\"rx\":[],\"rx_error\":[]}";
    assert_int_equal(oryx_device_load(d, odd, &err), ORYX_OK);
    assert_int_equal(in(IER), 0x0f);
    assert_int_equal(in(MCR), 0x0f);
    assert_int_equal(in(LSR) & 0xe1, 0x60);
    teardown();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reset_values),    cmocka_unit_test(test_transmit),
        cmocka_unit_test(test_receive),         cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_peek_and_width),  cmocka_unit_test(test_save_load),
        cmocka_unit_test(test_options_and_map), cmocka_unit_test(test_file),
        cmocka_unit_test(test_socket),          cmocka_unit_test(test_pty),
        cmocka_unit_test(test_peers),           cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_in_flight),
    };
    return cmocka_run_group_tests_name("uart16550", tests, NULL, NULL);
}
