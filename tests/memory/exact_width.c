/* The exact-width proof (docs/DESIGN.md, "Memory": "Each guest access of 1, 2, 4 or 8 bytes is
 * exactly one host access of that width, unaligned allowed, native endian; never memcpy, never
 * merged, split, widened or repeated; 16-byte and wider guest accesses become 8-byte ones in
 * address order; bulk host reads/writes use naturally aligned power-of-two pieces up to 8").
 *
 * The backing is mapped without access rights. Every touch raises SIGSEGV; the handler lets Zydis
 * (the oracle) say what the host instruction accesses, opens the pages for that one instruction by
 * the trap flag and closes them again. The same harness shows that ram may be copied in bulk. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <Zydis/Zydis.h>
#include <oryx.h>

#define PAGES  2
#define SIZE   (PAGES * 4096u)
#define CODE   0x10000u
#define DEVICE 0x900000u
#define RAM    0xa00000u

struct touch {
    uint64_t offset;
    uint32_t size, write, rep;
};

static uint8_t *backing, *ram_backing;
static struct touch touches[256];
static volatile unsigned n_touches;
static ZydisDecoder decoder;
static unsigned checks, failures;

static void lock_pages(int prot)
{
    mprotect(backing, SIZE, prot);
    mprotect(ram_backing, SIZE, prot);
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    greg_t *g = u->uc_mcontext.gregs;
    uint8_t *at = info->si_addr;
    (void)sig;
    uint8_t *base = at >= backing && at < backing + SIZE           ? backing
                    : at >= ram_backing && at < ram_backing + SIZE ? ram_backing
                                                                   : NULL;
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    if (!base ||
        !ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, (void *)g[REG_RIP], 15, &insn, ops))) {
        signal(SIGSEGV, SIG_DFL); /* a fault of another kind: die of it */
        return;
    }
    struct touch t = {.offset = (uint64_t)(at - base)};
    t.rep = (insn.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPNE)) != 0;
    for (unsigned i = 0; i < insn.operand_count; i++) {
        if (ops[i].type != ZYDIS_OPERAND_TYPE_MEMORY || ops[i].mem.type != ZYDIS_MEMOP_TYPE_MEM)
            continue;
        t.size += ops[i].size / 8;
        t.write |= (ops[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
    }
    if (n_touches < 256)
        touches[n_touches] = t;
    n_touches++;
    lock_pages(PROT_READ | PROT_WRITE);
    g[REG_EFL] |= 0x100;
}

static void on_trap(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100LL;
    lock_pages(PROT_NONE);
}

static void expect(const char *what, unsigned n, const struct touch *want)
{
    int ok = n_touches == n;
    checks++;
    for (unsigned i = 0; ok && i < n; i++)
        ok = touches[i].offset == want[i].offset && touches[i].size == want[i].size &&
             touches[i].write == want[i].write && !touches[i].rep;
    if (ok)
        return;
    failures++;
    printf("FAIL %s: %u host accesses", what, n_touches);
    for (unsigned i = 0; i < n_touches && i < 8; i++)
        printf(" %s%u@%llu", touches[i].write ? "w" : "r", touches[i].size,
               (unsigned long long)touches[i].offset);
    printf(", wanted");
    for (unsigned i = 0; i < n; i++)
        printf(" %s%u@%llu", want[i].write ? "w" : "r", want[i].size,
               (unsigned long long)want[i].offset);
    printf("\n");
}

static oryx_region *place(oryx_machine *m, const char *type, void *host, uint64_t size, uint64_t at,
                          const char *options)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = type,
                            .last = size - 1,
                            .host = host,
                            .options = options};
    oryx_region *r = NULL;
    oryx_error err = {0};
    if (oryx_region_new(m, type, &c, &r, &err) ||
        oryx_region_add_exclusive(oryx_space_root(oryx_space_get(m, "system")), at, r, &err)) {
        printf("FAIL %s\n", err.text);
        exit(1);
    }
    return r;
}

/* The naturally aligned powers of two up to 8 that make [offset, offset + n). */
static unsigned pieces(uint64_t offset, uint64_t n, uint32_t write, struct touch *out)
{
    unsigned k = 0;
    while (n) {
        uint32_t size = 8;
        while (size > n || offset % size)
            size /= 2;
        out[k++] = (struct touch){.offset = offset, .size = size, .write = write};
        offset += size;
        n -= size;
    }
    return k;
}

static void api(oryx_machine *m)
{
    oryx_space *s = oryx_space_get(m, "system");
    uint8_t buf[64] = {0};
    struct touch want[64];
    char what[80];
    static const uint32_t kinds[] = {0, ORYX_ATTR_DMA};
    for (unsigned k = 0; k < 2; k++) {
        for (uint64_t at = 0; at < 16; at++) {
            for (uint64_t n = 1; n <= 24; n++) {
                for (uint32_t write = 0; write < 2; write++) {
                    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator), .attrs = kinds[k]};
                    unsigned count = pieces(at, n, write, want);
                    n_touches = 0;
                    oryx_space_access(s, DEVICE + at, buf, n, write, &who);
                    snprintf(what, sizeof(what), "%s %s of %llu at %llu", k ? "DMA" : "API",
                             write ? "write" : "read", (unsigned long long)n,
                             (unsigned long long)at);
                    expect(what, count, want);
                }
            }
        }
    }
    /* A debugger's look does not touch the device at all. */
    n_touches = 0;
    oryx_space_read(s, DEVICE, buf, 8, ORYX_ATTR_DEBUG);
    expect("peek", 0, want);
    /* ram: wider than the rules above allow, or a string instruction (stepped by the trap flag). */
    n_touches = 0;
    oryx_space_read(s, RAM, buf, sizeof(buf), 0);
    unsigned bulk = 0;
    for (unsigned i = 0; i < n_touches && i < 256; i++)
        bulk |= touches[i].size > 8 || touches[i].rep;
    printf("ram: 64 bytes in %u host accesses:", n_touches);
    for (unsigned i = 0; i < n_touches && i < 16; i++)
        printf(" %s%u", touches[i].rep ? "rep " : "", touches[i].size);
    printf("\n");
    checks++;
    if (!bulk) {
        failures++;
        printf("FAIL ram was not copied in bulk\n");
    }
}

static const struct {
    const char *name;
    uint32_t insn, size, write;
} insns[] = {
    {"ldrb", 0x39400001, 1, 0},  {"ldrh", 0x79400001, 2, 0},   {"ldr w", 0xb9400001, 4, 0},
    {"ldr x", 0xf9400001, 8, 0}, {"ldrsb", 0x39800001, 1, 0},  {"ldrsw", 0xb9800001, 4, 0},
    {"strb", 0x39000001, 1, 1},  {"strh", 0x79000001, 2, 1},   {"str w", 0xb9000001, 4, 1},
    {"str x", 0xf9000001, 8, 1}, {"ldr b", 0x3d400001, 1, 0},  {"ldr d", 0xfd400001, 8, 0},
    {"str d", 0xfd000001, 8, 1}, {"ldr q", 0x3dc00001, 16, 0}, {"str q", 0x3d800001, 16, 1},
};

static void guest(oryx_machine *m, const char *engine)
{
    oryx_vcpu *v = NULL;
    oryx_error err = {0};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    if (oryx_vcpu_new(m, NULL, &v, &err)) {
        printf("FAIL %s\n", err.text);
        exit(1);
    }
    oryx_space *s = oryx_space_get(m, "system");
    int32_t x0 = oryx_reg_find(m, "x0");
    static const uint64_t offsets[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 4093, 4095};
    for (unsigned i = 0; i < sizeof(insns) / sizeof(insns[0]); i++)
        oryx_space_write(s, CODE + 4 * i, &insns[i].insn, 4, 0);
    for (unsigned round = 0; round < 2; round++) { /* again: caches are warm */
        for (unsigned i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
            for (unsigned k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
                uint64_t addr = DEVICE + offsets[k];
                struct touch want[2];
                char what[80];
                uint32_t size = insns[i].size, n = size == 16 ? 2 : 1;
                for (uint32_t j = 0; j < n; j++)
                    want[j] =
                        (struct touch){offsets[k] + 8 * j, n == 2 ? 8 : size, insns[i].write, 0};
                oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
                oryx_reg_write(v, x0, &addr, 8);
                oryx_vcpu_set_pc(v, CODE + 4 * i);
                n_touches = 0;
                oryx_status st = oryx_vcpu_run(v, &limits, &e);
                if (st || e.reason != ORYX_EXIT_COUNT) {
                    failures++;
                    printf("FAIL %s %s at %llu: %s\n", engine, insns[i].name,
                           (unsigned long long)offsets[k], oryx_exit_text(e.reason));
                }
                snprintf(what, sizeof(what), "%s %s at %llu", engine, insns[i].name,
                         (unsigned long long)offsets[k]);
                expect(what, n, want);
            }
        }
    }
    oryx_vcpu_destroy(v);
}

int main(void)
{
    static const char *const engines[] = {"interp", "x64"};
    char path[600];
    backing = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ram_backing = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD") ? getenv("ORYX_BUILD") : ".");
    struct sigaction act = {.sa_flags = SA_SIGINFO | SA_NODEFER, .sa_sigaction = on_segv};
    sigaction(SIGSEGV, &act, NULL);
    act.sa_sigaction = on_trap;
    sigaction(SIGTRAP, &act, NULL);
    for (unsigned i = 0; i < 2; i++) {
        oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                                 .arch = "arm64",
                                 .engine = engines[i],
                                 .plugin_path = path};
        oryx_machine *m = NULL;
        oryx_error err = {0};
        if (oryx_machine_new(&c, &m, &err)) {
            printf("FAIL %s\n", err.text);
            return 1;
        }
        place(m, "ram", NULL, 0x1000, CODE, NULL);
        place(m, "ram_device", backing, SIZE, DEVICE, NULL);
        place(m, "ram", ram_backing, SIZE, RAM, NULL);
        guest(m, engines[i]);
        if (!i)
            api(m);
        oryx_machine_destroy(m);
    }
    printf("%u accesses checked, %u wrong\n", checks, failures);
    return failures || !checks;
}
