/* The liboryx side of the embedding measures, called by tests/bench/run: mmio_oryx MEASURE N
 * ENGINE. See embed.h; mmio_unicorn.c is its twin and must do the same work in the same order. */
#include <oryx.h>

#include "embed.h"

typedef struct machine {
    oryx_machine *m;
    oryx_vcpu *cpu;
} machine;

static uint64_t reads, written, device_at = DEVICE;

static oryx_status device_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = reads++ & 0xff;
    return ORYX_OK;
}

static oryx_status device_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    written += a->value;
    return ORYX_OK;
}

static const oryx_io_ops device = {
    .hdr = ORYX_HDR(oryx_io_ops),
    .read = device_read,
    .write = device_write,
    .valid = {.min = 1, .max = 8, .unaligned = 1},
    .impl = {.min = 1, .max = 8},
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "mmio_oryx: %s: %s\n", what, why);
    exit(1);
}

static machine open_machine(const char *engine, const uint32_t *code, size_t size, int with_device)
{
    machine out;
    oryx_error err = {.code = ORYX_OK};
    oryx_machine_config config = {
        .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = engine};
    if (oryx_machine_new(&config, &out.m, &err))
        die("machine", err.text);

    oryx_region *root = oryx_space_root(oryx_space_get(out.m, "system")), *ram, *io;
    oryx_region_config ram_config = {
        .hdr = ORYX_HDR(oryx_region_config), .name = "ram", .last = CODE_SIZE - 1};
    if (oryx_region_new(out.m, "ram", &ram_config, &ram, &err) ||
        oryx_region_add_exclusive(root, CODE, ram, &err))
        die("memory", err.text);
    if (with_device) {
        oryx_region_config io_config = {.hdr = ORYX_HDR(oryx_region_config),
                                        .name = "device",
                                        .last = DEVICE_SIZE - 1,
                                        .io = &device};
        if (oryx_region_new(out.m, "io", &io_config, &io, &err) ||
            oryx_region_add_exclusive(root, DEVICE, io, &err))
            die("device", err.text);
    }
    oryx_vcpu_config vcpu_config = {.hdr = ORYX_HDR(oryx_vcpu_config)};
    if (oryx_vcpu_new(out.m, &vcpu_config, &out.cpu, &err))
        die("vcpu", err.text);
    if (oryx_space_write(oryx_space_get(out.m, "system"), CODE, code, size, 0))
        die("memory", "the code cannot be written");
    return out;
}

static void set(machine m, const char *name, uint64_t value)
{
    if (oryx_reg_write(m.cpu, oryx_reg_find(m.m, name), &value, sizeof value))
        die("register", name);
}

static uint64_t get(machine m, const char *name)
{
    uint64_t value = 0;
    if (oryx_reg_read(m.cpu, oryx_reg_find(m.m, name), &value, sizeof value))
        die("register", name);
    return value;
}

static void run_to(machine m, uint64_t until, uint64_t turns)
{
    set(m, "x0", turns);
    set(m, "x1", device_at);
    oryx_vcpu_set_pc(m.cpu, CODE);
    oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .until = &until, .n_until = 1};
    oryx_exit why = {.hdr = ORYX_HDR(oryx_exit)};
    if (oryx_vcpu_run(m.cpu, &limits, &why) || why.reason != ORYX_EXIT_UNTIL)
        die("run", why.error.text[0] ? why.error.text : oryx_exit_text(why.reason));
}

static void mmio_read(const char *engine, uint64_t n)
{
    machine m = open_machine(engine, code_mmio, sizeof code_mmio, 1);
    run_to(m, CODE + sizeof code_mmio, 100); /* warm */
    embed_clock from = embed_now();
    run_to(m, CODE + sizeof code_mmio, n);
    embed_report(from, n * MMIO_READS, get(m, "x2"));
    oryx_machine_destroy(m.m);
}

static void mmio_write(const char *engine, uint64_t n)
{
    machine m = open_machine(engine, code_mmio_write, sizeof code_mmio_write, 1);
    run_to(m, CODE + sizeof code_mmio_write, 100);
    embed_clock from = embed_now();
    run_to(m, CODE + sizeof code_mmio_write, n);
    embed_report(from, n * MMIO_READS, written);
    oryx_machine_destroy(m.m);
}

/* x1 is the code: eight reads of its first word. */
static void ram_read(const char *engine, uint64_t n)
{
    device_at = CODE;
    machine m = open_machine(engine, code_mmio, sizeof code_mmio, 0);
    run_to(m, CODE + sizeof code_mmio, 100);
    embed_clock from = embed_now();
    run_to(m, CODE + sizeof code_mmio, n);
    embed_report(from, n * MMIO_READS, get(m, "x2"));
    oryx_machine_destroy(m.m);
}

static void run_one(const char *engine, uint64_t n)
{
    machine m = open_machine(engine, code_one, sizeof code_one, 0);
    oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
    oryx_exit why = {.hdr = ORYX_HDR(oryx_exit)};
    embed_clock from = {0};
    for (uint64_t i = 0; i < n + 100; i++) {
        if (i == 100)
            from = embed_now();
        oryx_vcpu_set_pc(m.cpu, CODE);
        if (oryx_vcpu_run(m.cpu, &limits, &why) || why.reason != ORYX_EXIT_COUNT)
            die("run", oryx_exit_text(why.reason));
    }
    embed_report(from, n, get(m, "x2"));
    oryx_machine_destroy(m.m);
}

static uint64_t open_run_close(const char *engine)
{
    machine m = open_machine(engine, code_one, sizeof code_one, 0);
    oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
    oryx_exit why = {.hdr = ORYX_HDR(oryx_exit)};
    oryx_vcpu_set_pc(m.cpu, CODE);
    if (oryx_vcpu_run(m.cpu, &limits, &why) || why.reason != ORYX_EXIT_COUNT)
        die("run", oryx_exit_text(why.reason));
    uint64_t x2 = get(m, "x2");
    oryx_machine_destroy(m.m);
    return x2;
}

static void open_close(const char *engine, uint64_t n)
{
    uint64_t sum = open_run_close(engine);
    embed_clock from = embed_now();
    for (uint64_t i = 0; i < n; i++)
        sum += open_run_close(engine);
    embed_report(from, n, sum);
}

static void machines(const char *engine)
{
    static machine all[MACHINES];
    uint64_t sum = 0;
    double before = 0;
    for (int i = -1; i < MACHINES; i++) { /* the first is the library's own cost */
        machine m = open_machine(engine, code_small, sizeof code_small, 0);
        run_to(m, CODE + sizeof code_small, SMALL_TURNS);
        sum += get(m, "x2");
        if (i < 0)
            before = embed_resident();
        else
            all[i] = m;
    }
    double each = (embed_resident() - before) / MACHINES;
    printf("%.3f %.3f %016" PRIx64 "\n", each, each, sum);
    for (int i = 0; i < MACHINES; i++)
        oryx_machine_destroy(all[i].m);
}

int main(int argc, char **argv)
{
    const char *measure = argc > 1 ? argv[1] : "", *engine = argc > 3 ? argv[3] : NULL;
    uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    if (!strcmp(measure, "--version"))
        puts(oryx_version());
    else if (!strcmp(measure, "mmio_read") && n)
        mmio_read(engine, n);
    else if (!strcmp(measure, "mmio_write") && n)
        mmio_write(engine, n);
    else if (!strcmp(measure, "ram_read") && n)
        ram_read(engine, n);
    else if (!strcmp(measure, "run_one") && n)
        run_one(engine, n);
    else if (!strcmp(measure, "open_close") && n)
        open_close(engine, n);
    else if (!strcmp(measure, "machines"))
        machines(engine);
    else {
        fprintf(stderr, "usage: mmio_oryx mmio_read|mmio_write|ram_read|run_one|open_close|machines N [ENGINE]\n");
        return 2;
    }
    return 0;
}
