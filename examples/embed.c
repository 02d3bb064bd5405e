/* An embedder: makes an arm64 machine, gives it memory and a device of its own, executes five instructions and looks at
 * the result.
 *
 *   cc embed.c -o embed $(pkg-config --cflags --libs oryx) && ./embed
 *
 * Every call may fail and says why in `err`; nothing here ends up on standard output but what this program prints. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <oryx.h>

/* movz x0, #0x21            the character '!'
 * movz x1, #0x900, lsl #16  the device
 * str  w0, [x1, #8]         MMIO write
 * ldr  w2, [x1]             MMIO read
 * add  x3, x0, x2 */
static const uint32_t program[] = { 0xd2800420, 0xd2a12001, 0xb9000820, 0xb9400022, 0x8b020003 };

/* The device: reading it anywhere gives 0x5a, writing is shown. Callbacks run on the vCPU's thread. */
static oryx_status device_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    printf("device: read of %" PRIu32 " bytes at offset 0x%" PRIx64 "\n", a->size, a->offset);
    a->value = 0x5a;
    return ORYX_OK;
}

static oryx_status device_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    printf("device: 0x%" PRIx64 " written to offset 0x%" PRIx64 "\n", a->value, a->offset);
    return ORYX_OK;
}

static const oryx_io_ops device = {
    .hdr = ORYX_HDR(oryx_io_ops),
    .read = device_read,
    .write = device_write,
    .valid = { .min = 1, .max = 8, .unaligned = 1 },
    .impl = { .min = 4, .max = 4 }, /* the core turns other widths into these */
};

static int fail(const char *what, const oryx_error *err)
{
    fprintf(stderr, "embed: %s: %s\n", what, err->text);
    return 1;
}

/* Memory at 0x1000 and the device at 0x9000000, in the space every machine starts with. */
static int add_regions(oryx_machine *m, oryx_error *err)
{
    oryx_region *root = oryx_space_root(oryx_space_get(m, "system")), *ram, *io;
    oryx_region_config ram_config = { .hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = 0xffff };
    oryx_region_config io_config = { .hdr = ORYX_HDR(oryx_region_config), .name = "demo device", .last = 0xfff, .io = &device };
    if (oryx_region_new(m, "ram", &ram_config, &ram, err) || oryx_region_add_exclusive(root, 0x1000, ram, err))
        return fail("memory", err);
    if (oryx_region_new(m, "io", &io_config, &io, err) || oryx_region_add_exclusive(root, 0x9000000, io, err))
        return fail("device", err);
    return 0;
}

static int run(oryx_machine *m, oryx_error *err)
{
    oryx_vcpu_config config = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    oryx_vcpu *cpu;
    if (oryx_vcpu_new(m, &config, &cpu, err))
        return fail("vcpu", err);
    if (oryx_space_write(oryx_space_get(m, "system"), 0x1000, program, sizeof program, 0)) {
        fprintf(stderr, "embed: the program does not fit\n");
        return 1;
    }
    oryx_vcpu_set_pc(cpu, 0x1000);

    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .count = 5 };
    oryx_exit why = { .hdr = ORYX_HDR(oryx_exit) };
    oryx_status s = oryx_vcpu_run(cpu, &limits, &why);
    if (s || why.reason == ORYX_EXIT_ERROR) {
        fprintf(stderr, "embed: run: %s\n", s ? oryx_status_text(s) : why.error.text);
        return 1;
    }
    printf("exit: %s at pc 0x%" PRIx64 " after %" PRIu64 " instructions\n", oryx_exit_text(why.reason), why.pc, why.insns);
    static const char *const names[] = { "x0", "x1", "x2", "x3", "pc" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint64_t value = 0;
        int32_t reg = oryx_reg_find(m, names[i]); /* once; the handle stays good for the machine's life */
        if (reg < 0 || oryx_reg_read(cpu, reg, &value, sizeof value)) {
            fprintf(stderr, "embed: no register %s\n", names[i]);
            return 1;
        }
        printf("%s = 0x%" PRIx64 "\n", names[i], value);
    }
    return 0;
}

int main(int argc, char **argv)
{
    oryx_machine_config config = { .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = argc > 1 ? argv[1] : NULL };
    oryx_machine *m = NULL;
    oryx_error err = { .code = ORYX_OK };
    if (oryx_machine_new(&config, &m, &err))
        return fail("machine", &err);
    int failed = add_regions(m, &err) || run(m, &err);
    oryx_machine_destroy(m); /* and with it vCPUs, regions and plugins */
    return failed;
}
