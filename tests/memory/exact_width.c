/* The exact-width proof (docs/DESIGN.md, "Memory": "Each guest access of 1, 2, 4 or 8 bytes is
 * exactly one host access of that width, unaligned allowed, native endian; never memcpy, never
 * merged, split, widened or repeated; 16-byte and wider guest accesses become 8-byte ones in
 * address order; bulk host reads/writes use naturally aligned power-of-two pieces up to 8").
 *
 * The backing is mapped without access rights. Every touch raises SIGSEGV; the handler lets Zydis
 * (the oracle) say what the host instruction accesses, opens the pages for that one instruction by
 * the trap flag and closes them again. The same harness shows that ram may be copied in bulk.
 * On every architecture (exact_width_insns.h), under every engine, with and without a window, by guest, API and DMA. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <Zydis/Zydis.h>
#include <oryx.h>

#include "exact_width_insns.h"

#define PAGES  2
#define SIZE   (PAGES * 4096u)
#define CODE   0x10000u
#define DEVICE 0x900000u
#define RAM    0xa00000u
/* Other memory of the guest; of the window, in mode B. */
#define SCRATCH 0x20000u
#define WINDOW  0x100000u

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

static const struct class {
    const char *arch, *mode, *regs[4]; /* address, stack, source, target */
    const struct insn *insns;
    unsigned n;
    uint32_t size; /* of a register */
    int big;
} classes[] = {
#define N(list) list, sizeof(list) / sizeof(list[0])
    {"arm64", NULL, {"x0"}, N(insns_a64), 8, 0},
    {"arm", "arm", {"r0"}, N(insns_a32), 4, 0},
    {"arm", "thumb", {"r0"}, N(insns_t32), 4, 0},
    {"mips", NULL, {"r4"}, N(insns_mips), 4, 1},
    {"mipsel", NULL, {"r4"}, N(insns_mips), 4, 0},
    {"mips64", NULL, {"r4"}, N(insns_mips64), 8, 1},
    {"mips64el", NULL, {"r4"}, N(insns_mips64), 8, 0},
    {"amd64", NULL, {"rcx", "rsp", "rsi", "rdi"}, N(insns_amd64), 8, 0},
    {"i386", NULL, {"ecx", "esp", "esi", "edi"}, N(insns_i386), 4, 0},
#undef N
};

static oryx_status flat(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access, oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    (void)access;
    out->phys = addr;
    out->page_size = ORYX_PAGE_SIZE;
    out->prot = ORYX_PROT_ALL;
    return ORYX_OK;
}

static void reg_set(oryx_machine *m, oryx_vcpu *v, const struct class *c, unsigned which, uint64_t value)
{
    if (c->regs[which])
        oryx_reg_write(v, oryx_reg_find(m, c->regs[which]), &value, c->size);
}

/* LWL and its kin: a load reads the aligned word; a store writes the bytes from the address to the word's end, or from its start
 * to the address, in powers of two, larger ones first. */
static unsigned partial(const struct class *c, const struct insn *in, uint64_t offset, struct touch *out)
{
    uint32_t size = in->at[0].size, n = 0;
    uint64_t word = offset & ~(uint64_t)(size - 1), end = word + size;
    if (!in->at[0].write) {
        *out = (struct touch){word, size, 0, 0};
        return 1;
    }
    if ((in->how == LEFT) == c->big)
        word = offset;
    else
        end = offset + 1;
    for (uint32_t piece = size; piece; piece /= 2)
        if ((end - word) & piece & (2 * size - 1)) {
            out[n++] = (struct touch){word, piece, 1, 0};
            word += piece;
        }
    return n;
}

static void guest(oryx_machine *m, oryx_vcpu *v, const struct class *c, const char *how)
{
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    oryx_space *s = oryx_space_get(m, "system");
    static const uint64_t offsets[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 4080, 4088, 4093, 4095};
    for (unsigned i = 0; i < c->n; i++) {
        uint8_t bytes[12];
        for (unsigned k = 0; k < c->insns[i].n_bytes; k++)
            bytes[k] = c->insns[i].bytes[c->big ? k ^ 3 : k];
        oryx_space_write(s, CODE + 16 * i, bytes, c->insns[i].n_bytes, 0);
    }
    for (unsigned round = 0; round < 2; round++) { /* again: caches are warm */
        for (unsigned i = 0; i < c->n; i++) {
            const struct insn *in = &c->insns[i];
            for (unsigned k = 0; k < sizeof(offsets) / sizeof(offsets[0]); k++) {
                uint64_t addr = DEVICE + offsets[k], until = CODE + 16 * i + in->n_bytes;
                struct touch want[8];
                char what[100];
                uint32_t n = in->n;
                if (offsets[k] % in->align)
                    continue;
                for (uint32_t j = 0; j < n; j++)
                    want[j] = (struct touch){offsets[k] + in->at[j].offset, in->at[j].size, in->at[j].write, 0};
                if (in->how == LEFT || in->how == RIGHT)
                    n = partial(c, in, offsets[k], want);
                int string = in->how == SOURCE || in->how == TARGET;
                reg_set(m, v, c, 0, string ? 3 : addr);
                reg_set(m, v, c, 1, in->how == PUSH ? addr + 8 : in->how == POP ? addr : SCRATCH + 0x100);
                reg_set(m, v, c, 2, in->how == SOURCE ? addr : SCRATCH + 0x200);
                reg_set(m, v, c, 3, in->how == TARGET ? addr : SCRATCH + 0x300);
                oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .until = &until, .n_until = 1, .count = 50};
                oryx_vcpu_set_pc(v, CODE + 16 * i);
                n_touches = 0;
                oryx_status st = oryx_vcpu_run(v, &limits, &e);
                snprintf(what, sizeof(what), "%s %s at %llu", how, in->name, (unsigned long long)offsets[k]);
                if (st || e.reason != ORYX_EXIT_UNTIL) {
                    failures++;
                    printf("FAIL %s: %s\n", what, oryx_exit_text(e.reason));
                }
                expect(what, n, want);
            }
        }
    }
}

/* One machine: engine NULL is the best one, with a window. */
static int one(const struct class *c, const char *engine, const char *path)
{
    int windowed = !engine;
    char how[60];
    oryx_machine_config config = {.hdr = ORYX_HDR(oryx_machine_config),
                                  .arch = c->arch,
                                  .engine = engine ? engine : "x64",
                                  .plugin_path = path,
                                  .window = windowed ? "on" : "off"};
    oryx_vcpu_config vc = {.hdr = ORYX_HDR(oryx_vcpu_config), .mode = c->mode};
    oryx_machine *m = NULL;
    oryx_vcpu *v = NULL;
    oryx_error err = {0};
    size_t all = WINDOW + 2ull * ORYX_WINDOW_GUARD;
    uint8_t *reserved = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *memory = reserved + ORYX_WINDOW_GUARD;
    if (reserved == MAP_FAILED || mprotect(memory, WINDOW, PROT_READ | PROT_WRITE) || oryx_machine_new(&config, &m, &err)) {
        printf("FAIL %s %s\n", c->arch, err.text);
        return 1;
    }
    place(m, "ram", memory, WINDOW, 0, NULL);
    place(m, "ram_device", backing, SIZE, DEVICE, NULL);
    place(m, "ram", ram_backing, SIZE, RAM, NULL);
    oryx_status st = oryx_vcpu_new(m, &vc, &v, &err);
    if (!st && windowed) {
        oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = memory, .size = WINDOW, .mmu = flat, .prot = ORYX_PROT_WRITE};
        oryx_vcpu_set_mmu(v, flat, NULL);
        st = oryx_space_set_window(oryx_space_get(m, "system"), &w, &err);
    }
    if (st) {
        printf("FAIL %s %s\n", c->arch, err.text);
        return 1;
    }
    snprintf(how, sizeof(how), "%s%s%s, %s:", c->arch, c->mode ? " " : "", c->mode ? c->mode : "", windowed ? "window" : engine);
    guest(m, v, c, how);
    if (c == classes)
        api(m);
    oryx_machine_destroy(m);
    munmap(reserved, all);
    return 0;
}

int main(void)
{
    static const char *const engines[] = {"interp", "x64", NULL};
    char path[600];
    backing = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ram_backing = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD") ? getenv("ORYX_BUILD") : ".");
    struct sigaction act = {.sa_flags = SA_SIGINFO | SA_NODEFER, .sa_sigaction = on_segv};
    sigaction(SIGSEGV, &act, NULL);
    act.sa_sigaction = on_trap;
    sigaction(SIGTRAP, &act, NULL);
    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        for (unsigned k = 0; k < 3; k++)
            if (one(&classes[i], engines[k], path))
                return 1;
    printf("%u accesses checked, %u wrong\n", checks, failures);
    return failures || !checks;
}
