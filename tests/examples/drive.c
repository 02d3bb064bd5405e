/* Drives the example plugins through the public API and prints what happens; examples.py knows what must come out. The
 * plugins are found on ORYX_PLUGIN_PATH. usage: drive
 * toy ENGINE | probe ENGINE | disasm | device | region | refuse */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oryx.h>

static oryx_error err;

static void must(oryx_status s, const char *what)
{
    if (s) {
        printf("%s: %s\n", what, err.code ? err.text : oryx_status_text(s));
        exit(1);
    }
}

static oryx_machine *machine(const char *arch, const char *engine)
{
    oryx_machine_config config = { .hdr = ORYX_HDR(oryx_machine_config), .arch = arch, .engine = engine };
    oryx_machine *m = NULL;
    must(oryx_machine_new(&config, &m, &err), "machine");
    return m;
}

static oryx_region *add(oryx_machine *m, const char *type, oryx_region_config config, uint64_t addr)
{
    oryx_region *r = NULL;
    config.hdr = (oryx_hdr)ORYX_HDR(oryx_region_config);
    must(oryx_region_new(m, type, &config, &r, &err), type);
    must(oryx_region_add_exclusive(oryx_space_root(oryx_space_get(m, "system")), addr, r, &err), type);
    return r;
}

static void poke(oryx_machine *m, uint64_t addr, const void *bytes, uint64_t n)
{
    must(oryx_space_write(oryx_space_get(m, "system"), addr, bytes, n, 0), "write");
}

/* --- toy ------------------------------------------------------------------------------------------------------------------- */

enum { HALT = 1, LI, ADD, SUB, MUL, LD, ST, BNZ, JAL, JR };
#define W(op, d, a, imm) ((uint32_t)(op) << 24 | (uint32_t)(d) << 20 | (uint32_t)(a) << 16 | ((uint32_t)(imm) & 0xffff))

/* 0x1000: r2 = 1 + 4 + 9 + ... + 100, stored at 0x4008. */
static const uint32_t squares[] = {
    W(LI, 1, 0, 10), W(LI, 2, 0, 0), W(LI, 5, 0, 1),
    W(JAL, 7, 0, 28), /* 0x100c: square of r1 in r3 */
    W(ADD, 2, 2, 3), W(SUB, 1, 1, 5), W(BNZ, 0, 1, -12),
    W(LI, 4, 0, 0x4000), W(ST, 2, 4, 8), W(HALT, 0, 0, 0),
    W(MUL, 3, 1, 1), W(JR, 0, 7, 0), /* 0x1028 */
};
/* 0x2000: replaces the instruction at 0x2010 of its own block by "li r2, #7; halt", which the host puts at 0x4010. */
static const uint32_t modify[] = {
    W(LI, 4, 0, 0x4000), W(LD, 1, 4, 0x10), W(LI, 6, 0, 0x2010), W(ST, 1, 6, 0), W(LI, 2, 0, 1), W(HALT, 0, 0, 0),
};
static const uint32_t modified[] = { W(LI, 2, 0, 7), W(HALT, 0, 0, 0) };
/* 0x3000: a load from nowhere; 0x3010: a store to nowhere; 0x3020: no instruction. */
static const uint32_t bad_load[] = { W(LI, 1, 0, -8), W(LI, 3, 0, 3), W(LD, 3, 1, 0) };
static const uint32_t bad_store[] = { W(LI, 1, 0, -4096), W(ST, 1, 1, 16) };
static const uint32_t bad_insn[] = { W(LI, 1, 0, 9), W(77, 0, 0, 0) };

static void run(oryx_vcpu *v, const char *what, uint64_t pc, uint64_t count)
{
    static const char *const names[] = { "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7" };
    oryx_machine *m = oryx_vcpu_machine(v);
    uint64_t zero = 0, value, insns = 0;
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .count = count };
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    for (int i = 0; i < 8; i++)
        oryx_reg_write(v, oryx_reg_find(m, names[i]), &zero, 8);
    oryx_vcpu_set_pc(v, pc);
    do {
        must(oryx_vcpu_run(v, &limits, &e), "run");
        insns += e.insns;
    } while (e.reason == ORYX_EXIT_COUNT);
    printf("%s: %s %s pc=0x%" PRIx64 " insns=%" PRIu64, what, oryx_exit_text(e.reason), oryx_exc_text(e.exc.kind), e.pc, insns);
    if (e.reason == ORYX_EXIT_ERROR)
        printf(" %s", e.error.text);
    if (e.reason == ORYX_EXIT_FAULT)
        printf(" access=%" PRIu32 " addr=0x%" PRIx64 " size=%" PRIu32 " status=%d", e.exc.access, e.exc.addr, e.exc.size,
               (int)e.exc.status);
    if (e.reason == ORYX_EXIT_EXCEPTION)
        printf(" syndrome=0x%" PRIx64, e.exc.syndrome);
    for (int i = 0; i < 8; i++) {
        must(oryx_reg_read(v, oryx_reg_find(m, names[i]), &value, 8), "register");
        printf(" %" PRId64, (int64_t)value);
    }
    printf("\n");
}

static void toy(const char *engine)
{
    oryx_machine *m = machine("toy", engine);
    oryx_vcpu_config config = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    oryx_vcpu *v;
    oryx_probe *probe;
    uint64_t sum = 0;
    add(m, "ram", (oryx_region_config){ .name = "ram", .last = 0xffff }, 0);
    must(oryx_vcpu_new(m, &config, &v, &err), "vcpu");
    poke(m, 0x1000, squares, sizeof squares);
    poke(m, 0x3000, bad_load, sizeof bad_load);
    poke(m, 0x3010, bad_store, sizeof bad_store);
    poke(m, 0x3020, bad_insn, sizeof bad_insn);
    poke(m, 0x4010, modified, sizeof modified);
    run(v, "squares", 0x1000, 0);
    must(oryx_space_read(oryx_space_get(m, "system"), 0x4008, &sum, 8, 0), "read");
    printf("stored: %" PRIu64 "\n", sum);
    run(v, "one by one", 0x1000, 1);
    run(v, "by sevens", 0x1000, 7);
    for (int i = 0; i < 2; i++) {
        poke(m, 0x2000, modify, sizeof modify);
        run(v, "own code", 0x2000, i);
    }
    run(v, "bad load", 0x3000, 0);
    run(v, "bad store", 0x3010, 0);
    run(v, "bad instruction", 0x3020, 0);
    run(v, "no memory", 0x20000, 0);
    /* Helpers and slots: the probe knows nothing of this CPU, but its counts must not depend on the engine. */
    must(oryx_probe_attach(m, "classes", NULL, &probe, &err), "probe");
    run(v, "with a probe", 0x1000, 0);
    fflush(stdout);
    oryx_probe_finish_all(m);
    oryx_machine_destroy(m);
}

static void disasm(void)
{
    const oryx_arch_ops *a = oryx_plugin_static(NULL, ORYX_ARCH_ID, "toy", &err);
    must(a ? ORYX_OK : err.code, "disasm");
    for (size_t i = 0; i < sizeof squares / sizeof *squares + 2; i++) {
        static const uint32_t more[] = { W(SUB, 1, 9, 0), 0 };
        const uint32_t *w = i < sizeof squares / sizeof *squares ? &squares[i] : &more[i - sizeof squares / sizeof *squares];
        oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
        oryx_status s = a->disasm(0x1000 + 4 * i, 0, (const uint8_t *)w, 4, &d);
        printf("%s%s\n", d.text, s == ORYX_OK ? "" : s == ORYX_E_FORMAT ? " (refused)" : " (wrong status)");
    }
}

/* --- probe ------------------------------------------------------------------------------------------------------------------ */

static void probe(const char *engine)
{
    oryx_machine *m = machine("arm64", engine);
    oryx_vcpu_config config = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    oryx_vcpu *v;
    oryx_probe *p;
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .count = 23 };
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    static const uint32_t code[] = {
        0xd2800060, /* mov x0, #3         immediate */
        0xd2880001, /* mov x1, #0x4000    immediate */
        0xd503201f, /* nop                branch, system */
        0xf8010420, /* str x0, [x1], #16  load, store */
        0x8b000042, /* add x2, x2, x0     register */
        0x9e620022, /* scvtf d2, x1       FP */
        0xf1000400, /* subs x0, x0, #1    immediate */
        0x54ffff81, /* b.ne .-16          branch, system */
        0xd503201f, /* nop                branch, system */
        0x17ffffff, /* b .-4              branch, system */
    };
    add(m, "ram", (oryx_region_config){ .name = "ram", .last = 0xffff }, 0);
    must(oryx_vcpu_new(m, &config, &v, &err), "vcpu");
    poke(m, 0x1000, code, sizeof code);
    must(oryx_probe_attach(m, "classes", NULL, &p, &err), "probe");
    oryx_vcpu_set_pc(v, 0x1000);
    must(oryx_vcpu_run(v, &limits, &e), "run");
    printf("%s after %" PRIu64 "\n", oryx_exit_text(e.reason), e.insns);
    fflush(stdout);
    oryx_probe_finish_all(m);
    oryx_machine_destroy(m);
}

/* --- device ---------------------------------------------------------------------------------------------------------------- */

static void on_irq(void *opaque, uint32_t line, uint32_t level)
{
    printf("%s line %" PRIu32 " is %" PRIu32 "\n", (const char *)opaque, line, level);
}

static void reg32(oryx_machine *m, uint64_t addr, int write, uint32_t value)
{
    oryx_space *s = oryx_space_get(m, "system");
    oryx_status st = write ? oryx_space_write(s, addr, &value, 4, 0) : oryx_space_read(s, addr, &value, 4, 0);
    if (st)
        printf("%s 0x%" PRIx64 ": %s\n", write ? "write" : "read", addr, oryx_status_text(st));
    else if (!write)
        printf("0x%" PRIx64 " holds %" PRIu32 "\n", addr, value);
}

static void device(void)
{
    oryx_machine *m = machine("toy", "interp");
    oryx_space *s = oryx_space_get(m, "system");
    oryx_device *d, *e, *f;
    char *state;
    must(oryx_device_new(m, "counter", "one", "{\"compare\": 5}", &d, &err), "device");
    must(oryx_device_map(d, 0, s, 0x1000, &err), "map");
    oryx_device_on_irq(d, on_irq, "one");
    reg32(m, 0x1000, 1, 0x15); /* LED: lines 1 and 3 */
    reg32(m, 0x100c, 1, 4);    /* STEP */
    reg32(m, 0x1004, 0, 0);
    reg32(m, 0x100c, 1, 3);    /* past COMPARE */
    reg32(m, 0x1004, 0, 0);
    reg32(m, 0x1008, 0, 0);
    reg32(m, 0x100c, 0, 0);    /* STEP is for writing only */
    uint16_t half = 1;
    printf("a 2-byte write: %s\n", oryx_status_text(oryx_space_write(s, 0x1004, &half, 2, 0)));
    must(oryx_device_save(d, &state, &err), "save");
    printf("saved %s\n", state);
    reg32(m, 0x1010, 1, 1);    /* ACK */
    must(oryx_device_new(m, "counter", "two", NULL, &e, &err), "device");
    must(oryx_device_new(m, "counter", "three", NULL, &f, &err), "device");
    oryx_device_on_irq(e, on_irq, "two");
    must(oryx_device_map(e, 0, s, 0x2000, &err), "map");
    must(oryx_device_load(e, state, &err), "load");
    free(state);
    reg32(m, 0x2004, 0, 0);
    printf("a state that is none: %s\n", oryx_status_text(oryx_device_load(e, "{}", &err)));
    must(oryx_device_reset(d), "reset");
    reg32(m, 0x1004, 0, 0);
    printf("region number 1: %s\n", oryx_status_text(oryx_device_map(e, 1, s, 0x3000, &err)));
    printf("mapped over the first: %s\n", oryx_status_text(oryx_device_map(f, 0, s, 0x1010, &err)));
    oryx_device_destroy(d);
    reg32(m, 0x1004, 0, 0);
    oryx_machine_destroy(m);
}

/* --- region ---------------------------------------------------------------------------------------------------------------- */

static void dump(oryx_machine *m, const char *what, uint64_t addr)
{
    uint8_t b[8] = { 0 };
    must(oryx_space_read(oryx_space_get(m, "system"), addr, b, sizeof b, 0), what);
    printf("%s:", what);
    for (unsigned i = 0; i < sizeof b; i++)
        printf(" %02x", b[i]);
    printf("\n");
}

static void region(void)
{
    oryx_machine *m = machine("toy", "interp");
    oryx_region *ram = add(m, "ram", (oryx_region_config){ .name = "ram", .last = 0xfff }, 0x4000);
    add(m, "xor", (oryx_region_config){ .name = "plain", .last = 0xfff, .lower = ram, .options = "{\"key\": 60}" }, 0x1000);
    add(m, "xor", (oryx_region_config){ .name = "usual key", .last = 0xff, .lower = ram }, 0x8000);
    static const uint8_t text[8] = "oryx\1\2\3\4";
    poke(m, 0x1000, text, sizeof text);
    dump(m, "through the key", 0x1000);
    dump(m, "in memory", 0x4000);
    dump(m, "through another key", 0x8000);
    poke(m, 0x1003, "Z", 1);
    dump(m, "one byte changed", 0x1000);
    poke(m, 0x1801, "unaligned", 9);
    dump(m, "unaligned", 0x1801);
    /* A CPU fetches its instructions through it too. */
    oryx_vcpu_config config = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    oryx_vcpu *v;
    must(oryx_vcpu_new(m, &config, &v, &err), "vcpu");
    static const uint32_t code[] = { W(LI, 4, 0, 0x1000), W(LD, 1, 4, 0), W(ST, 1, 4, 0x20), W(HALT, 0, 0, 0) };
    poke(m, 0x1100, code, sizeof code);
    run(v, "code behind the key", 0x1100, 0);
    dump(m, "stored by it", 0x1020);
    oryx_region *r = NULL;
    oryx_region_config config2 = { .hdr = ORYX_HDR(oryx_region_config), .name = "bad", .last = 0xfff };
    oryx_status st = oryx_region_new(m, "xor", &config2, &r, &err);
    printf("without lower: %s\n", st ? err.text : "accepted");
    config2.lower = ram;
    config2.options = "{\"key\": 256}";
    st = oryx_region_new(m, "xor", &config2, &r, &err);
    printf("key 256: %s\n", st ? err.text : "accepted");
    /* A custom quirk: four banks of 16 bytes, the byte at 15 selects what 16 to 31 show. */
    uint8_t banks[64], select = 2;
    for (unsigned i = 0; i < sizeof banks; i++)
        banks[i] = (uint8_t)i;
    poke(m, 0x4400, banks, sizeof banks);
    oryx_region *flash = NULL;
    oryx_region_config config3 = { .hdr = ORYX_HDR(oryx_region_config), .name = "flash", .last = 63, .target = ram, .target_offset = 0x400 };
    must(oryx_region_new(m, "alias", &config3, &flash, &err), "alias");
    oryx_region *bank = add(m, "bank", (oryx_region_config){ .name = "bank", .last = 31, .lower = flash }, 0x9000);
    dump(m, "bank 0", 0x9010);
    poke(m, 0x900f, &select, 1);
    dump(m, "bank 2", 0x9010);
    poke(m, 0x9011, "Z", 1);
    dump(m, "beneath", 0x4420);
    must(oryx_region_enable(bank, 0, &err), "enable");
    printf("switched off: %s\n", oryx_status_text(oryx_space_read(oryx_space_get(m, "system"), 0x9000, banks, 1, 0)));
    oryx_machine_destroy(m);
}

/* --- an engine that lacks something ------------------------------------------------------------------------------------------- */

static void refuse(void)
{
    oryx_machine *m = machine("arm64", "tiny");
    oryx_vcpu_config config = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    oryx_vcpu *v;
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .count = 10 };
    oryx_exit e = { .hdr = ORYX_HDR(oryx_exit) };
    static const uint32_t code[] = { 0xd2800020 /* mov x0, #1 */, 0x14000001 /* b .+4 */, 0x1e612800 /* fadd d0, d0, d1 */ };
    uint64_t x0 = 0;
    add(m, "ram", (oryx_region_config){ .name = "ram", .last = 0xffff }, 0);
    must(oryx_vcpu_new(m, &config, &v, &err), "vcpu");
    poke(m, 0x1000, code, sizeof code);
    oryx_vcpu_set_pc(v, 0x1000);
    must(oryx_vcpu_run(v, &limits, &e), "run");
    oryx_reg_read(v, oryx_reg_find(m, "x0"), &x0, 8);
    printf("%s pc=0x%" PRIx64 " insns=%" PRIu64 " x0=%" PRIu64 ": %s\n", oryx_exit_text(e.reason), e.pc, e.insns, x0, e.error.text);
    oryx_machine_destroy(m);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "toy") && argc == 3)
        toy(argv[2]);
    else if (!strcmp(what, "probe") && argc == 3)
        probe(argv[2]);
    else if (!strcmp(what, "disasm"))
        disasm();
    else if (!strcmp(what, "device"))
        device();
    else if (!strcmp(what, "region"))
        region();
    else if (!strcmp(what, "refuse"))
        refuse();
    else {
        fprintf(stderr, "usage: drive toy ENGINE | probe ENGINE | disasm | device | region | refuse\n");
        return 2;
    }
    return 0;
}
