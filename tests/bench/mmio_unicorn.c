/* The libunicorn side of the embedding measures, called by tests/bench/run: mmio_unicorn MEASURE N.
 * See embed.h; mmio_oryx.c is its twin and must do the same work in the same order. */
#include <unicorn/unicorn.h>

#include "embed.h"

static uint64_t reads, written, device_at = DEVICE;

static uint64_t device_read(uc_engine *uc, uint64_t offset, unsigned size, void *opaque)
{
    (void)uc;
    (void)offset;
    (void)size;
    (void)opaque;
    return reads++ & 0xff;
}

static void device_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value,
                         void *opaque)
{
    (void)uc;
    (void)offset;
    (void)size;
    (void)opaque;
    written += value;
}

static void must(const char *what, uc_err err)
{
    if (err == UC_ERR_OK)
        return;
    fprintf(stderr, "mmio_unicorn: %s: %s\n", what, uc_strerror(err));
    exit(1);
}

static uc_engine *open_machine(const uint32_t *code, size_t size, int with_device)
{
    uc_engine *uc;
    must("open", uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc));
    must("memory", uc_mem_map(uc, CODE, CODE_SIZE, UC_PROT_ALL));
    if (with_device)
        must("device", uc_mmio_map(uc, DEVICE, DEVICE_SIZE, device_read, NULL, device_write, NULL));
    must("code", uc_mem_write(uc, CODE, code, size));
    return uc;
}

static uint64_t get(uc_engine *uc, int reg)
{
    uint64_t value = 0;
    must("register", uc_reg_read(uc, reg, &value));
    return value;
}

static void run_to(uc_engine *uc, uint64_t until, uint64_t turns)
{
    uint64_t address = device_at;
    must("register", uc_reg_write(uc, UC_ARM64_REG_X0, &turns));
    must("register", uc_reg_write(uc, UC_ARM64_REG_X1, &address));
    must("run", uc_emu_start(uc, CODE, until, 0, 0));
}

static void mmio_read(uint64_t n)
{
    uc_engine *uc = open_machine(code_mmio, sizeof code_mmio, 1);
    run_to(uc, CODE + sizeof code_mmio, 100); /* warm */
    embed_clock from = embed_now();
    run_to(uc, CODE + sizeof code_mmio, n);
    embed_report(from, n * MMIO_READS, get(uc, UC_ARM64_REG_X2));
    uc_close(uc);
}

static void mmio_write(uint64_t n)
{
    uc_engine *uc = open_machine(code_mmio_write, sizeof code_mmio_write, 1);
    run_to(uc, CODE + sizeof code_mmio_write, 100);
    embed_clock from = embed_now();
    run_to(uc, CODE + sizeof code_mmio_write, n);
    embed_report(from, n * MMIO_READS, written);
    uc_close(uc);
}

/* x1 is the code: eight reads of its first word. */
static void ram_read(uint64_t n)
{
    device_at = CODE;
    uc_engine *uc = open_machine(code_mmio, sizeof code_mmio, 0);
    run_to(uc, CODE + sizeof code_mmio, 100);
    embed_clock from = embed_now();
    run_to(uc, CODE + sizeof code_mmio, n);
    embed_report(from, n * MMIO_READS, get(uc, UC_ARM64_REG_X2));
    uc_close(uc);
}

static void run_one(uint64_t n)
{
    uc_engine *uc = open_machine(code_one, sizeof code_one, 0);
    embed_clock from = {0};
    for (uint64_t i = 0; i < n + 100; i++) {
        if (i == 100)
            from = embed_now();
        must("run", uc_emu_start(uc, CODE, 0, 0, 1));
    }
    embed_report(from, n, get(uc, UC_ARM64_REG_X2));
    uc_close(uc);
}

static uint64_t open_run_close(void)
{
    uc_engine *uc = open_machine(code_one, sizeof code_one, 0);
    must("run", uc_emu_start(uc, CODE, 0, 0, 1));
    uint64_t x2 = get(uc, UC_ARM64_REG_X2);
    uc_close(uc);
    return x2;
}

static void open_close(uint64_t n)
{
    uint64_t sum = open_run_close();
    embed_clock from = embed_now();
    for (uint64_t i = 0; i < n; i++)
        sum += open_run_close();
    embed_report(from, n, sum);
}

static void machines(void)
{
    static uc_engine *all[MACHINES];
    uint64_t sum = 0;
    double before = 0;
    for (int i = -1; i < MACHINES; i++) { /* the first is the library's own cost */
        uc_engine *uc = open_machine(code_small, sizeof code_small, 0);
        run_to(uc, CODE + sizeof code_small, SMALL_TURNS);
        sum += get(uc, UC_ARM64_REG_X2);
        if (i < 0)
            before = embed_resident();
        else
            all[i] = uc;
    }
    double each = (embed_resident() - before) / MACHINES;
    printf("%.3f %.3f %016" PRIx64 "\n", each, each, sum);
    for (int i = 0; i < MACHINES; i++)
        uc_close(all[i]);
}

int main(int argc, char **argv)
{
    const char *measure = argc > 1 ? argv[1] : "";
    uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    if (!strcmp(measure, "mmio_read") && n)
        mmio_read(n);
    else if (!strcmp(measure, "mmio_write") && n)
        mmio_write(n);
    else if (!strcmp(measure, "ram_read") && n)
        ram_read(n);
    else if (!strcmp(measure, "run_one") && n)
        run_one(n);
    else if (!strcmp(measure, "open_close") && n)
        open_close(n);
    else if (!strcmp(measure, "machines"))
        machines();
    else {
        fprintf(stderr, "usage: mmio_unicorn mmio_read|mmio_write|ram_read|run_one|open_close|machines N\n");
        return 2;
    }
    return 0;
}
