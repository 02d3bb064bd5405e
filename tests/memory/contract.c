/* Lines of the memory contract that need a guest and an engine, on every architecture (MEM_ARCH, MEM_ENGINE, MEM_WINDOW): what every
 * invalid access gives under every policy, events of probes, dirty pages, attributes, ROM devices, mapped descriptors, hot-plug.
 * Expected values are tables of the contract, or counted here. lines.json says which sentence each test proves. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define DEV 0x100000u
#define RAM 0x40000u    /* in mode B a window serves it */
#define AREA 0x400000u  /* not this */

static struct {
    oryx_access last;
    unsigned reads, writes;
    oryx_status answer;
} seen;

static oryx_status seen_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    seen.last = *a;
    seen.reads++;
    a->value = 0x1122334455667788 >> 8 * (8 - a->size);
    return seen.answer;
}

static oryx_status seen_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    seen.last = *a;
    seen.writes++;
    return seen.answer;
}

static const oryx_io_ops seen_ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = seen_read, .write = seen_write};

/* --- invalid accesses -------------------------------------------------------------------------------- */

enum { UNASSIGNED, REFUSED, WIDTH, UNALIGNED, PROTECTED, KINDS };

/* The contract's table: which status each kind has, and which policy member may replace it (0 none, 1 unassigned, 2 error). */
static const struct {
    const char *name;
    uint64_t addr;
    oryx_status status;
    int policy;
} kinds[KINDS] = {
    {"unassigned", 0x900000, ORYX_FAULT_DECODE, 1},   {"refused", DEV, ORYX_FAULT_DEVICE, 2},
    {"width", DEV + 0x1000, ORYX_FAULT_DEVICE, 2},    {"unaligned", DEV + 0x2001, ORYX_FAULT_DEVICE, 2},
    {"protected", DEV + 0x3000, ORYX_FAULT_PROT, 0},
};

static void test_invalid(void **state)
{
    (void)state;
    static oryx_io_ops wide, aligned;
    guest_up();
    wide = aligned = seen_ops;
    wide.valid = (oryx_limits){4, 4, 0, {0}};
    aligned.valid = (oryx_limits){1, 8, 0, {0}};
    seen.answer = ORYX_FAULT_DEVICE;
    put(made("io", (oryx_region_config){.name = "refuses", .last = 0xfff, .io = &seen_ops}), DEV, 0);
    put(made("io", (oryx_region_config){.name = "words", .last = 0xfff, .io = &wide}), DEV + 0x1000, 0);
    put(made("io", (oryx_region_config){.name = "aligned", .last = 0xfff, .io = &aligned}), DEV + 0x2000, 0);
    oryx_region *none = made("ram", (oryx_region_config){.name = "none", .last = 0xfff});
    assert_ok(oryx_region_protect(none, ORYX_PROT_EXEC, NULL));
    put(none, DEV + 0x3000, 0);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        /* An unaligned halfword is an address error on MIPS before Release 6, whatever lies there. */
        int align = mips && kind == UNALIGNED, policy = align ? 0 : kinds[kind].policy;
        oryx_status status = align ? ORYX_FAULT_ALIGN : kinds[kind].status;
        for (unsigned on_read = ORYX_ON_FAULT; on_read <= ORYX_ON_ZEROS; on_read++) {
            for (unsigned on_write = 0; on_write < 2; on_write++) {
                for (unsigned member = 1; member <= 2; member++) {
                    oryx_policy p = {.hdr = ORYX_HDR(oryx_policy)};
                    uint8_t w = on_write ? ORYX_ON_IGNORE : ORYX_ON_FAULT;
                    if (member == 1) {
                        p.read_unassigned = (uint8_t)on_read;
                        p.write_unassigned = w;
                    } else {
                        p.read_error = (uint8_t)on_read;
                        p.write_error = w;
                    }
                    assert_ok(oryx_space_set_policy(s, &p, NULL));
                    uint32_t size = kind == WIDTH || kind == UNALIGNED ? 2 : 4;
                    int applies = policy == (int)member;
                    uint64_t addr = kinds[kind].addr, value = 0;
                    oryx_status want = applies && on_read ? ORYX_OK : status;
                    oryx_status st = guest_read(addr, size, &value);
                    if (st != want)
                        fail_msg("read, %s, policy %u: %s", kinds[kind].name, on_read, oryx_status_text(st));
                    if (st == ORYX_OK)
                        assert_int_equal(value, on_read == ORYX_ON_ZEROS ? 0 : size == 2 ? 0xffff : 0xffffffff);
                    else
                        assert_true(last_exit.exc.addr == addr && last_exit.exc.kind == ORYX_EXC_MEMORY &&
                                    last_exit.exc.access == ORYX_ACCESS_READ && last_exit.exc.size == size &&
                                    last_exit.exc.pc == CODE && last_exit.insns == 0);
                    st = guest_write(addr, size, 0);
                    want = applies && on_write ? ORYX_OK : status;
                    if (st != want)
                        fail_msg("write, %s, policy %u: %s", kinds[kind].name, on_write, oryx_status_text(st));
                    if (st)
                        assert_true(last_exit.exc.addr == addr && last_exit.exc.access == ORYX_ACCESS_WRITE);
                    /* The API is always told. */
                    assert_int_equal(oryx_space_read(s, addr & ~3ull, &value, 4, ORYX_ATTR_DMA),
                                     kind == WIDTH || kind == UNALIGNED ? ORYX_FAULT_DEVICE : kinds[kind].status);
                }
            }
        }
    }
    guest_down();
}

/* --- probes ------------------------------------------------------------------------------------------ */

static unsigned events(const char *path, const char *what)
{
    static char text[4096];
    unsigned n = 0;
    FILE *f = fopen(path, "r");
    text[f ? fread(text, 1, sizeof(text) - 1, f) : 0] = 0;
    if (f)
        fclose(f);
    for (const char *at = text; (at = strchr(at, '[')); at++) /* "w8[0x3000]" but not "ldr w0, [x1]" */
        n += at > text && at[-1] >= '0' && at[-1] <= '9';
    if (!strstr(text, what))
        fail_msg("no %s in: %s", what, text);
    return n;
}

/* "One architectural access is one event to probes, whatever its width or alignment": also over a page, over two regions, and in
 * a device that takes single bytes. */
static void test_one_event(void **state)
{
    (void)state;
    static oryx_io_ops bytes;
    char path[] = "/tmp/oryx-events-XXXXXX", options[100], what[40];
    close(mkstemp(path));
    bytes = seen_ops;
    bytes.valid = (oryx_limits){1, 8, 1, {0}};
    bytes.impl = (oryx_limits){1, 1, 1, {0}};
    seen.answer = ORYX_OK;
    static const uint64_t at[] = {AREA + 0x100, AREA + 0x101, AREA + 0xffe, AREA + 0x1ffd, DEV + 3, RAM + 0x101, RAM + 0x1ffd};
    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        for (uint32_t size = 1; size <= 8; size *= 2) {
            for (unsigned write = 0; write < 2; write++) {
                if (arm32 && size == 8)
                    continue; /* two registers: two accesses of the architecture */
                if (mips && (at[i] % size || (size == 8 && !wide_regs)))
                    continue; /* an address error; no such instruction */
                guest_up();
                put(made("ram", (oryx_region_config){.name = "a", .last = 0x1fff}), AREA, 0);
                put(made("ram", (oryx_region_config){.name = "b", .last = 0x1fff}), AREA + 0x2000, 0);
                uint64_t offset;
                guest_memory("c", RAM, 0x2000, &offset);
                if (!guest_window)
                    put(made("ram", (oryx_region_config){.name = "d", .last = 0x1fff}), RAM + 0x2000, 0);
                put(made("io", (oryx_region_config){.name = "bytes", .last = 0xff, .io = &bytes}), DEV, 0);
                oryx_probe *p = NULL;
                oryx_error err = {0};
                snprintf(options, sizeof(options), "{\"output\":\"%s\",\"mem\":true}", path);
                if (oryx_probe_attach(m, "trace", options, &p, &err))
                    fail_msg("%s", err.text);
                uint64_t value;
                assert_ok(write ? guest_write(at[i], size, 5) : guest_read(at[i], size, &value));
                oryx_probe_finish_all(m);
                snprintf(what, sizeof(what), "%c%u[0x%llx]", write ? 'w' : 'r', size, (unsigned long long)at[i]);
                assert_int_equal(events(path, what), 1);
                guest_down();
            }
        }
    }
    /* 16 bytes: ldr q0, [x1]; movups xmm0, [rcx] */
    if (!arm32 && !mips) {
        static const uint32_t ldr_q = 0x3dc00020, movups = 0x9001100f;
        for (unsigned i = 0; i < 7; i++) {
            if (at[i] == DEV + 3)
                continue;
            guest_up();
            put(made("ram", (oryx_region_config){.name = "a", .last = 0x3fff}), AREA, 0);
            uint64_t offset;
            guest_memory("c", RAM, 0x4000, &offset);
            snprintf(options, sizeof(options), "{\"output\":\"%s\",\"mem\":true}", path);
            assert_ok(oryx_probe_attach(m, "trace", options, NULL, NULL));
            reg_set(reg_addr(), at[i]);
            assert_ok(run_words(x86 ? &movups : &ldr_q, 1, 1));
            oryx_probe_finish_all(m);
            snprintf(what, sizeof(what), "r16[0x%llx]", (unsigned long long)at[i]);
            assert_int_equal(events(path, what), 1);
            guest_down();
        }
    }
    unlink(path);
}

/* --- dirty pages --------------------------------------------------------------------------------------- */

/* Stores of a compiled loop and single ones, against a set kept here; two clients that take at different times. */
static void test_dirty(void **state)
{
    (void)state;
    guest_up();
    uint64_t offset;
    oryx_region *r = guest_memory("memory", RAM, 0x40000, &offset); /* 64 pages */
    const uint64_t first = offset / 4096;
    uint64_t bits, user = 0, display = 0, rng = 88172645463325252u;
    for (unsigned i = 0; i < 64; i++)
        guest_store(RAM + i * 4096, 4, i); /* fast entries first */
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_USER, NULL));
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_DISPLAY, NULL));
    for (unsigned i = 0; i < 2000; i++) {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        uint64_t addr = RAM + (rng >> 20) % 0x3fff8;
        uint32_t size = 1u << (rng >> 50) % 4;
        if (size == 8 && ((mips && !wide_regs) || (x86 && !wide_regs)))
            size = 4;
        if (mips || (arm32 && size == 8))
            addr &= ~(uint64_t)(size - 1);
        guest_store(addr, size, rng);
        for (uint64_t page = (addr - RAM) >> 12; page <= (addr - RAM + size - 1) >> 12; page++) {
            user |= 1ull << page;
            display |= 1ull << page;
        }
        if (i % 7 == 0) {
            oryx_dirty_take(r, ORYX_DIRTY_USER, first, 64, &bits, 1);
            assert_int_equal(bits, user);
            user = 0;
        }
        if (i % 31 == 0) {
            oryx_dirty_take(r, ORYX_DIRTY_DISPLAY, first, 64, &bits, 1);
            assert_int_equal(bits, display);
            display = 0;
        }
    }
    /* Not started, not set; and started again, clean. */
    assert_ok(oryx_dirty_stop(r, ORYX_DIRTY_USER, NULL));
    guest_store(RAM, 4, 1);
    assert_ok(oryx_dirty_start(r, ORYX_DIRTY_USER, NULL));
    assert_int_equal(oryx_dirty_take(r, ORYX_DIRTY_USER, first, 64, &bits, 1), 0);
    guest_down();
}

/* --- attributes, ROM devices, peeks ---------------------------------------------------------------------- */

static void test_attributes(void **state)
{
    (void)state;
    guest_up();
    seen.answer = ORYX_OK;
    put(made("io", (oryx_region_config){.name = "dev", .last = 0xfff, .io = &seen_ops}), DEV, 0);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = oryx_machine_vtime(m);
        guest_load(DEV + 8, 4);
        assert_ptr_equal(seen.last.vcpu, v);
        assert_int_equal(seen.last.attrs & (ORYX_ATTR_DMA | ORYX_ATTR_DEBUG | ORYX_ATTR_SECURE | ORYX_ATTR_FETCH), 0);
        assert_int_equal(seen.last.size, 4);
        assert_in_range(seen.last.vtime, before, before + 1);
    }
    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator), .attrs = ORYX_ATTR_DMA, .requester = 77};
    uint32_t word = 1;
    assert_ok(oryx_space_access(s, DEV, &word, 4, 1, &who));
    assert_null(seen.last.vcpu);
    assert_int_equal(seen.last.requester, 77);
    assert_int_equal(seen.last.attrs, ORYX_ATTR_DMA);
    /* peek and poke: no callback runs that could have a side effect. */
    seen.reads = seen.writes = 0;
    assert_ok(oryx_space_read(s, DEV, &word, 4, ORYX_ATTR_DEBUG));
    oryx_space_write(s, DEV, &word, 4, ORYX_ATTR_DEBUG);
    assert_int_equal(seen.reads + seen.writes, 0);
    guest_down();
}

static void test_rom(void **state)
{
    (void)state;
    guest_up();
    seen.answer = ORYX_OK;
    seen.reads = seen.writes = 0;
    oryx_region *romd = made("ram", (oryx_region_config){.name = "romd", .last = 0xfff, .io = &seen_ops, .options = "{\"writes\":\"callback\"}"});
    oryx_region *ignores = made("ram", (oryx_region_config){.name = "rom", .last = 0xfff, .options = "{\"writes\":\"ignore\"}"});
    oryx_region *rom = made("ram", (oryx_region_config){.name = "faults", .last = 0xfff});
    put(romd, DEV, 0);
    put(ignores, DEV + 0x1000, 0);
    put(rom, DEV + 0x2000, 0);
    assert_ok(oryx_region_protect(rom, ORYX_PROT_READ | ORYX_PROT_EXEC, NULL));
    uint32_t word = big ? 0x04030201 : 0x01020304;
    for (unsigned i = 0; i < 3; i++)
        assert_ok(oryx_space_write(s, DEV + i * 0x1000 + 0x10, &word, 4, ORYX_ATTR_DEBUG));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(guest_load(DEV + 0x10, 4), 0x01020304);
        guest_store(DEV + 0x10, 4, 9); /* to the callback, and nowhere else */
        assert_int_equal(seen.writes, i + 1);
        assert_int_equal(seen.last.value, big ? 0x09000000 : 9); /* the device is little-endian */
        assert_int_equal(seen.reads, 0);
        guest_store(DEV + 0x1010, 4, 9);
        assert_int_equal(guest_load(DEV + 0x1010, 4), 0x01020304);
        assert_int_equal(guest_write(DEV + 0x2010, 4, 9), ORYX_FAULT_PROT);
        assert_int_equal(guest_load(DEV + 0x2010, 4), 0x01020304);
    }
    assert_ok(oryx_region_set_mode(romd, ORYX_MODE_CALLBACK, NULL));
    assert_int_equal(guest_load(DEV + 0x10, 4), big ? 0x44332211 : 0x11223344);
    assert_int_equal(seen.reads, 1);
    assert_ok(oryx_region_set_mode(romd, ORYX_MODE_DIRECT, NULL));
    assert_int_equal(guest_load(DEV + 0x10, 4), 0x01020304);
    guest_down();
}

/* --- descriptors ----------------------------------------------------------------------------------------- */

static oryx_status mapped(int fd, uint64_t offset, uint64_t size, uint32_t prot, oryx_region **out, oryx_error *err)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = "mapped", .last = size - 1, .fd = fd, .use_fd = 1,
                            .fd_offset = offset, .prot = prot};
    *err = (oryx_error){0};
    return oryx_region_new(m, "ram_device", &c, out, err);
}

/* "ram_device takes a pointer, or a file descriptor and offset": POSIX shared memory that another process reads and writes, at an
 * offset off the page grid; and what cannot be mapped is refused with a reason. */
static void test_descriptors(void **state)
{
    (void)state;
    char name[64];
    oryx_region *r = NULL;
    oryx_error err;
    guest_up();
    snprintf(name, sizeof(name), "/oryx-test-%d", (int)getpid());
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 0x3000), 0);
    assert_ok(mapped(fd, 0x1010, 0x100, 0, &r, &err));
    put(r, DEV, 0);
    for (unsigned round = 0; round < 2; round++) {
        guest_store(DEV + 4, 4, 0xfeed0000 + round);
        pid_t pid = fork();
        if (!pid) {
            int mine = shm_open(name, O_RDWR, 0);
            uint8_t *p = mmap(NULL, 0x3000, PROT_READ | PROT_WRITE, MAP_SHARED, mine, 0);
            uint32_t got = 0, answer = 0xbead0000 + round;
            if (p == MAP_FAILED)
                _exit(2);
            memcpy(&got, p + 0x1014, 4);
            got = big ? __builtin_bswap32(got) : got;
            answer = big ? __builtin_bswap32(answer) : answer;
            memcpy(p + 0x1018, &answer, 4);
            _exit(got == 0xfeed0000 + round ? 0 : 1);
        }
        int status = 1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(guest_load(DEV + 8, 4), 0xbead0000 + round);
    }
    int read_only = shm_open(name, O_RDONLY, 0), null = open("/dev/null", O_RDWR), folder = open("/tmp", O_RDONLY);
    const struct {
        int fd;
        uint64_t offset, size;
        oryx_status status;
        const char *text;
    } bad[] = {
        {fd, 0x2f01, 0x100, ORYX_E_RANGE, "past the end"},  {fd, UINT64_MAX - 10, 0x100, ORYX_E_RANGE, "fd_offset"},
        {-1, 0, 0x100, ORYX_E_IO, "Bad file"},              {read_only, 0, 0x100, ORYX_E_IO, "prot must not exceed"},
        {null, 0, 0x100, ORYX_E_IO, "cannot map"},          {folder, 0, 0x100, ORYX_E_IO, "cannot map"},
        {999, 0, 0x100, ORYX_E_IO, "open one"},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        oryx_region *no = NULL;
        assert_int_equal(mapped(bad[i].fd, bad[i].offset, bad[i].size, ORYX_PROT_READ | ORYX_PROT_WRITE, &no, &err), bad[i].status);
        if (!strstr(err.text, bad[i].text) || !strstr(err.text, "mapped"))
            fail_msg("%u: %s", i, err.text);
        assert_null(no);
    }
    assert_ok(mapped(read_only, 0, 0x100, ORYX_PROT_READ, &r, &err));
    put(r, DEV + 0x1000, 0);
    assert_int_equal(guest_write(DEV + 0x1000, 1, 0), ORYX_FAULT_PROT);
    close(read_only);
    close(null);
    close(folder);
    close(fd);
    shm_unlink(name);
    guest_store(DEV, 4, 1); /* the mapping lives on */
    guest_down();
}

/* --- hot-plug while the guest runs --------------------------------------------------------------------------- */

static _Atomic uint32_t over;

static void *running(void *arg)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .timeout_us = 60000000};
    (void)arg;
    while (!atomic_load(&over)) {
        last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
        if (oryx_vcpu_run(v, &l, &last_exit) || last_exit.reason != ORYX_EXIT_STOP)
            break;
    }
    return NULL;
}

/* A guest polls an address while devices come and go there; between them the space reads as ones. It never faults, and
 * sees both a device and its absence. */
static void test_hotplug(void **state)
{
    (void)state;
    static const uint32_t a64[] = {0xb9400020, 0x8b000042, 0x91000463, 0x17fffffd}; /* ldr w0,[x1]; add x2,x2,x0; add x3,x3,1; b */
    static const uint32_t a32[] = {0xe5910000, 0xe0822000, 0xe2833001, 0xeafffffb};
    static const uint32_t ms[] = {0x8c820000, 0x24630001, 0x1000fffd, 0}; /* lw r2,0(r4); addiu r3,r3,1; b; nop */
    static const uint32_t xs[] = {0xc383018b, 0x90f9eb01, 0, 0};                   /* mov eax,[rcx]; add ebx,1; jmp */
    oryx_policy p = {.hdr = ORYX_HDR(oryx_policy), .read_unassigned = ORYX_ON_ONES};
    oryx_error err = {0};
    pthread_t thread;
    guest_up();
    const char *counter = x86 ? wide_regs ? "rbx" : "ebx" : mips || arm32 ? "r3" : "x3";
    /* In mode B the devices come and go over memory of the window, which holds ones, too. */
    const uint64_t at = guest_window ? RAM : DEV;
    uint32_t ones = 0xffffffff;
    oryx_space *plug = s;
    oryx_region *layer = NULL;
    if (guest_window) {
        assert_ok(oryx_space_write(s, at, &ones, 4, 0));
        assert_ok(oryx_space_new(m, "plug", &plug, &err));
        layer = made("alias", (oryx_region_config){.last = 0xfff, .target = oryx_space_root(plug), .target_offset = at});
        assert_ok(oryx_region_enable(layer, 0, NULL));
        put(layer, at, 1);
    }
    assert_ok(oryx_space_set_policy(s, &p, NULL));
    put_words(x86 ? xs : mips ? ms : arm32 ? a32 : a64, 4);
    reg_set(reg_addr(), at);
    reg_set(counter, 0);
    oryx_vcpu_set_pc(v, CODE);
    atomic_store(&over, 0);
    assert_int_equal(pthread_create(&thread, NULL, running, NULL), 0);
    for (unsigned i = 0; i < 100; i++) {
        oryx_device *d = NULL;
        if (oryx_device_new(m, i % 2 ? "timer" : "rtc", "plugged", NULL, &d, &err) || oryx_device_map(d, 0, plug, at, &err) ||
            (layer && oryx_region_enable(layer, 1, &err)))
            fail_msg("%s", err.text);
        usleep(i % 3 * 200);
        assert_ok(oryx_device_reset(d));
        if (i % 5 == 0)
            oryx_vcpu_stop(v);
        if (layer && i % 3)
            assert_ok(oryx_region_enable(layer, 0, &err));
        if (i % 2)
            assert_ok(oryx_device_unmap(d, &err));
        oryx_device_destroy(d);
    }
    atomic_store(&over, 1);
    oryx_vcpu_stop(v);
    pthread_join(thread, NULL);
    assert_int_equal(last_exit.reason, ORYX_EXIT_STOP);
    assert_true(reg_get(counter) > 0);
    uint64_t value = guest_load(at, 4);
    assert_int_equal(value, 0xffffffff);
    guest_down();
}

/* --- writes to code ---------------------------------------------------------------------------------------------- */

enum { BY_API, BY_DMA, BY_POKE, BY_MAPPING, BY_REGION, BY_POINTER, BY_ALIAS, BY_OTHER, BY_SELF, WRITERS };

/* "A write through the API, by DMA, by another vCPU and by the guest itself to a page with translated code takes effect at the next
 * fetch": `return n` is executed until it is warm, then n is changed by each kind of writer, four times over. */
static void test_code_written(void **state)
{
    (void)state;
    /* x0 or its like = 1; n is in the bits from `shift` on */
    const uint32_t a64 = 0xd2800000, a32 = 0xe3a00000, ms = 0x24020000, xs = 0xb8;
    guest_up();
    uint64_t offset, target = RAM + 0x100;
    oryx_region *r = guest_memory("memory", RAM, 0x1000, &offset);
    put(made("alias", (oryx_region_config){.name = "again", .last = 0xfff, .target = r, .target_offset = offset}), AREA, 0);
    oryx_vcpu *other = guest_vcpu(), *self = v;
    if (guest_window) { /* its owner sees to it that writes to code are noticed: no direct stores */
        oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = guest_window, .size = WINDOW_SIZE, .mmu = guest_flat, .prot = ORYX_PROT_READ};
        assert_ok(oryx_space_set_window(s, &w, NULL));
    }
    for (unsigned round = 0; round < 4 * WRITERS; round++) {
        unsigned n = 1 + round;
        uint32_t word = x86 ? xs | n << 8 : mips ? ms | n : arm32 ? a32 | n : a64 | n << 5;
        oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)};
        oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
        oryx_access a = {.hdr = ORYX_HDR(oryx_access), .offset = offset + 0x100, .value = word, .size = 4, .write = 1};
        uint64_t value = word;
        word = big ? __builtin_bswap32(word) : word;
        switch (round % WRITERS) {
        case BY_API:
            assert_ok(oryx_space_write(s, target, &word, 4, 0));
            break;
        case BY_DMA:
            assert_ok(oryx_space_write(s, target, &word, 4, ORYX_ATTR_DMA));
            break;
        case BY_POKE:
            assert_ok(oryx_space_write(s, target, &word, 4, ORYX_ATTR_DEBUG));
            break;
        case BY_MAPPING:
            assert_ok(oryx_space_map(s, target, 4, 1, NULL, &map, NULL));
            memcpy(map.host, &word, 4);
            assert_ok(oryx_space_unmap(&map, 4));
            break;
        case BY_REGION:
            a.value = word; /* the region's own order of bytes is little-endian */
            assert_ok(oryx_region_access(r, &a));
            break;
        case BY_POINTER:
            assert_ok(oryx_region_direct(r, offset + 0x100, &d));
            memcpy(d.host, &word, 4);
            oryx_region_written(r, offset + 0x100, 4);
            break;
        case BY_ALIAS:
            guest_store(AREA + 0x100, 4, value);
            break;
        case BY_OTHER:
            v = other;
            guest_store(target, 4, value);
            v = self;
            break;
        default:
            guest_store(target, 4, value);
        }
        for (unsigned again = 0; again < 3; again++) {
            oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
            reg_set(reg_value(4), 0);
            oryx_vcpu_set_pc(v, target);
            assert_ok(oryx_vcpu_run(v, &l, &last_exit));
            if (reg_get(reg_value(4)) != n)
                fail_msg("writer %u, round %u: %llu, not %u", round % WRITERS, round, (unsigned long long)reg_get(reg_value(4)), n);
        }
    }
    guest_down();
}

/* --- who waits for an interrupt is not waited for -------------------------------------------------------------- */

static void *sleeping(void *arg)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .timeout_us = 60000000, .idle = ORYX_IDLE_SLEEP};
    last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
    oryx_vcpu_run(arg, &l, &last_exit);
    return NULL;
}

/* Every change that waits until vCPUs have dropped what they cached comes back while one of them sleeps in WFI, which no interrupt
 * will end. WFI may end early (DDI 0487, D1.16), so the guest waits in a loop. */
static void test_asleep(void **state)
{
    (void)state;
    static const uint32_t wfi[] = {0xd503207f, 0x17ffffff}; /* wfi; b to it */
    oryx_error err = {0};
    oryx_vcpu_config vc = {.hdr = ORYX_HDR(oryx_vcpu_config), .mode = "el1"};
    oryx_vcpu *sleeper = NULL;
    pthread_t thread;
    guest_class();
    if (arm32 || mips || x86)
        skip(); /* one frontend's is enough: the core waits */
    guest_up();
    uint64_t offset;
    oryx_region *r = guest_memory("memory", RAM, 0x4000, &offset), *gone = made("ram", (oryx_region_config){.name = "gone", .last = 0xfff});
    put(gone, AREA, 0);
    put_words(wfi, 2);
    if (oryx_vcpu_new(m, &vc, &sleeper, &err))
        fail_msg("%s", err.text);
    if (guest_window)
        oryx_vcpu_set_mmu(sleeper, guest_flat, NULL);
    oryx_vcpu_set_pc(sleeper, CODE);
    assert_int_equal(pthread_create(&thread, NULL, sleeping, sleeper), 0);
    alarm(30); /* a hang ends the program */
    for (unsigned i = 0; i < 5; i++) {
        oryx_watch *w = NULL;
        oryx_watch_config wc = {.hdr = ORYX_HDR(oryx_watch_config), .addr = RAM, .size = 8, .flags = ORYX_WATCH_READ | ORYX_WATCH_WRITE, .space = s};
        usleep(10000); /* it sleeps, or does again */
        assert_ok(oryx_watch_add(m, &wc, &w, &err));
        usleep(2000);
        oryx_watch_remove(w);
        usleep(2000);
        assert_ok(oryx_dirty_start(r, ORYX_DIRTY_USER, &err));
        usleep(2000);
        oryx_dirty_take(r, ORYX_DIRTY_USER, offset / 4096, 4, NULL, 1);
        assert_ok(oryx_dirty_stop(r, ORYX_DIRTY_USER, &err));
        usleep(2000);
        assert_ok(oryx_region_enable(gone, i & 1, &err));
        oryx_vcpu_tlb_flush(sleeper, 0, 0);
    }
    usleep(2000);
    assert_ok(oryx_region_remove(gone, &err));
    usleep(2000);
    assert_ok(oryx_region_destroy(gone, &err));
    alarm(0);
    assert_in_range(oryx_vcpu_insns(sleeper), 1, 1000); /* it slept */
    oryx_vcpu_stop(sleeper);
    pthread_join(thread, NULL);
    assert_int_equal(last_exit.reason, ORYX_EXIT_STOP);
    guest_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invalid), cmocka_unit_test(test_one_event), cmocka_unit_test(test_dirty),
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_rom), cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_hotplug), cmocka_unit_test(test_asleep), cmocka_unit_test(test_code_written),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
