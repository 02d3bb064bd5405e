/* An assigned device in three layers, as a hypervisor maps one: at the bottom an io region that reads and writes the device's file
 * (pread, pwrite); above it a ram_device, the same file mapped, so that the guest reaches the registers without a call; on
 * top a quirk that fixes up one register. The middle layer may be switched off and on while the guest runs, and the guest
 * sees the same: the io layer serves the same bytes, one system call an access.
 *
 * The device is a process of its own (server.c). The guest, a loop on arm64, gives it commands and
 * checks what it reads. When the device's process dies, its memory stays mapped: the guest waits for an answer until
 * SECONDS (60) are over. usage: three-layer NAME [ROUNDS [ENGINE [SECONDS]]] */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <oryx.h>

#include "registers.h"

#define DEVICE 0x10000000u /* where the guest finds it */
#define CODE   0x1000u
#define DATA   0x2000u     /* what the guest saw, for the report */

static int fd;
static uint64_t calls; /* accesses that came to the io layer */

/* --- the io layer ----------------------------------------------------------------------------------------------------- */
static oryx_status base_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = 0;
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    return pread(fd, &a->value, a->size, (off_t)a->offset) == (ssize_t)a->size ? ORYX_OK : ORYX_FAULT_DEVICE;
}

static oryx_status base_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    return pwrite(fd, &a->value, a->size, (off_t)a->offset) == (ssize_t)a->size ? ORYX_OK : ORYX_FAULT_DEVICE;
}

static const oryx_io_ops base_ops = { .hdr = ORYX_HDR(oryx_io_ops),
                                      .read = base_read,
                                      .write = base_write,
                                      .peek = base_read, /* this device's registers have no side effects on reading */
                                      .valid = { .min = 1, .max = 8, .unaligned = 1 },
                                      .impl = { .min = 1, .max = 8, .unaligned = 1 } };

/* --- the guest -------------------------------------------------------------------------------------------------------- */
/* x0 DEVICE, x1 round from 1, x2 rounds, x9 DATA, w10 rounds with a wrong answer; w8 the answer that is right. */
static const uint32_t code[] = {
    0xb9000801, /* again: str w1, [x0, #8]   COMMAND */
    0xb9400803, /* wait:  ldr w3, [x0, #8] */
    0x35ffffe3, /*        cbnz w3, wait */
    0xb9400c04, /*        ldr w4, [x0, #12]  RESULT */
    0x1b017c28, /*        mul w8, w1, w1 */
    0x6b08009f, /*        cmp w4, w8 */
    0x1a8a054a, /*        cinc w10, w10, ne */
    0xb9401005, /*        ldr w5, [x0, #16]  REVISION */
    0xb9000125, /*        str w5, [x9] */
    0xf8021001, /*        stur x1, [x0, #33] scratch, not aligned */
    0xf8421006, /*        ldur x6, [x0, #33] */
    0xeb0100df, /*        cmp x6, x1 */
    0x1a8a054a, /*        cinc w10, w10, ne */
    0x91000421, /*        add x1, x1, #1 */
    0xeb02003f, /*        cmp x1, x2 */
    0x54fffe29, /*        b.ls again */
    0xb900052a, /*        str w10, [x9, #4] */
    0xd4200000, /*        brk #0 */
};

static oryx_region *layers[3];

static int fail(const char *what, const oryx_error *err)
{
    fprintf(stderr, "three-layer: %s: %s\n", what, err->text);
    return 1;
}

/* io at the bottom, ram_device above it, both whole, and of the quirk only the register it is about, shown by an alias: the rest
 * stays as fast as the mapping is. The quirk's `lower` is the io layer, which is always there. */
static int build(oryx_machine *m, oryx_error *err)
{
    oryx_region *root = oryx_space_root(oryx_space_get(m, "system")), *quirk = NULL;
    oryx_region_config base = { .hdr = ORYX_HDR(oryx_region_config), .name = "base", .last = REG_SIZE - 1, .io = &base_ops };
    oryx_region_config mapped = { .hdr = ORYX_HDR(oryx_region_config), .name = "mapped", .last = REG_SIZE - 1, .use_fd = 1, .fd = fd,
                                  .prot = ORYX_PROT_READ | ORYX_PROT_WRITE };
    oryx_region_config fix = { .hdr = ORYX_HDR(oryx_region_config), .name = "revision-fix", .last = REG_SIZE - 1,
                               .options = "{\"kind\": \"mask\", \"offset\": 16, \"size\": 4, \"and\": 0, \"or\": 2, \"on\": \"read\"}" };
    oryx_region_config window = { .hdr = ORYX_HDR(oryx_region_config), .name = "revision", .last = 3, .target_offset = REVISION };
    if (oryx_region_new(m, "io", &base, &layers[0], err) || oryx_region_new(m, "ram_device", &mapped, &layers[1], err))
        return 1;
    fix.lower = layers[0];
    if (oryx_region_new(m, "quirk", &fix, &quirk, err))
        return 1;
    window.target = quirk;
    return oryx_region_new(m, "alias", &window, &layers[2], err) || oryx_region_add(root, DEVICE, layers[0], 0, err) ||
           oryx_region_add(root, DEVICE, layers[1], 1, err) || oryx_region_add(root, DEVICE + REVISION, layers[2], 2, err);
}

struct toggler {
    uint32_t stop, toggles;
};

/* Switches the middle layer off and on until told to stop. */
static void *toggle(void *opaque)
{
    struct toggler *t = opaque;
    oryx_error err;
    while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
        if (oryx_region_enable(layers[1], t->toggles % 2, &err))
            break;
        t->toggles++;
        nanosleep(&(struct timespec){ 0, 100000 }, NULL);
    }
    return NULL;
}

static uint64_t timeout_us = 60000000;

static int run(oryx_machine *m, oryx_vcpu *v, uint64_t rounds, int toggling, const uint32_t *data, const char *name)
{
    static const struct { const char *reg; uint64_t value; } start[] = { { "x0", DEVICE }, { "x1", 1 }, { "x9", DATA }, { "x10", 0 } };
    struct toggler t = { 0, 0 };
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .timeout_us = timeout_us };
    pthread_t thread;
    for (unsigned i = 0; i < 4; i++)
        oryx_reg_write(v, oryx_reg_find(m, start[i].reg), &start[i].value, 8);
    oryx_reg_write(v, oryx_reg_find(m, "x2"), &rounds, 8);
    oryx_vcpu_set_pc(v, CODE);
    __atomic_store_n(&calls, 0, __ATOMIC_RELAXED);
    if (toggling && pthread_create(&thread, NULL, toggle, &t))
        return 1;
    oryx_status s = oryx_vcpu_run(v, &limits, &e);
    if (toggling) {
        __atomic_store_n(&t.stop, 1, __ATOMIC_RELEASE);
        pthread_join(thread, NULL);
    }
    if (s || e.exc.kind != ORYX_EXC_BREAKPOINT) {
        fprintf(stderr, "three-layer: %s: %s at 0x%" PRIx64 "\n", name, oryx_exit_text(e.reason), e.pc);
        return 1;
    }
    printf("%s: %" PRIu64 " rounds, %u wrong, revision %u\n", name, rounds, data[1], data[0]);
    fprintf(stderr, "%s: %" PRIu64 " accesses came to the io layer, %u toggles\n", name, calls, t.toggles);
    return data[1] != 0;
}

int main(int argc, char **argv)
{
    oryx_error err = { 0 };
    oryx_machine *m = NULL;
    oryx_vcpu *v = NULL;
    oryx_region *ram = NULL;
    uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
    static uint8_t memory[0x4000] __attribute__((aligned(4096)));
    oryx_machine_config config = { .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = argc > 3 ? argv[3] : NULL };
    oryx_region_config rc = { .hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = sizeof memory - 1, .host = memory };
    if (argc < 2 || !rounds || (fd = shm_open(argv[1], O_RDWR, 0)) < 0) {
        perror(argc < 2 ? "usage: three-layer NAME [ROUNDS [ENGINE [SECONDS]]]" : argv[1]);
        return 1;
    }
    if (argc > 4)
        timeout_us = strtoull(argv[4], NULL, 0) * 1000000;
    memcpy(memory + CODE, code, sizeof code);
    int bad = 0;
    if (oryx_machine_new(&config, &m, &err) || oryx_region_new(m, "ram", &rc, &ram, &err) ||
        oryx_region_add(oryx_space_root(oryx_space_get(m, "system")), 0, ram, 0, &err) || build(m, &err) ||
        oryx_vcpu_new(m, NULL, &v, &err)) {
        bad = fail("building", &err);
    } else {
        const uint32_t *data = (const uint32_t *)(const void *)(memory + DATA);
        bad = run(m, v, rounds, 0, data, "mapped");
        if (!bad)
            bad = oryx_region_enable(layers[1], 0, &err) ? fail("off", &err) : run(m, v, rounds, 0, data, "by calls");
        bad = bad || run(m, v, rounds, 1, data, "toggled");
    }
    oryx_machine_destroy(m);
    close(fd);
    return bad;
}
