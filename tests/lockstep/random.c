/* Random programs under two engines: rows of the frontend with random fields, short loops, pointers
 * into memory, holes, and sometimes the program itself, run in slices of random length. The oracle
 * is engine-interp.
 *
 *   lockstep-random ROWS --arch CLASS [--mode M] [--model M] [--seed S] [--count N] [--window
 * off|r|rw] [--case C]
 *                   [--every region|block|insn|run]
 *
 * every: what engine-lockstep compares after; "run": two machines, one an engine, links, jump and
 * translation caches as ever, state and memory compared when a run ends, whose length is random. N:
 * instructions to execute. --window r: loads use it; rw: stores too, and the program may not write
 * to itself. --case: that one alone, every case begins anew. Exit status 0 equal, 1 a difference
 * (printed), 2 not run. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "oryx.h"

#define SIZE      0x40000u
#define CODE      0x10000u /* 2 pages; the next ones are data */
#define CODE_SIZE 0x2000u
#define DATA      0x20000u
#define DATA_SIZE 0x10000u /* a hole behind it */
#define MOST      96u

typedef struct row {
    uint32_t mask, value;
} row;

static row *rows[3];
static uint32_t n_rows[3];
static uint64_t x = 1;
/* The machine under test, and with --every run the one it is compared with. */
static struct side {
    oryx_machine *m;
    oryx_space *space;
    oryx_vcpu *v;
    uint8_t *base;
} side[2];
static int sides = 1;
static const char *arch = "arm64", *mode, *model;
static bool thumb, big, mips, a64;
static const char *window = "off";

static uint64_t rnd(void)
{
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x * 0x2545f4914f6cdd1dull;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)((rnd() >> 32) * n >> 32);
}

static void die(const char *what, const oryx_error *err)
{
    fprintf(stderr, "lockstep-random: %s: %s\n", what, err ? err->text : "");
    exit(2);
}

static void read_rows(const char *path)
{
    FILE *f = fopen(path, "re");
    char kind;
    row r;
    if (!f)
        die("no file of rows", NULL);
    while (fscanf(f, " %c %x %x", &kind, &r.mask, &r.value) == 3) {
        int k = kind == 'm' ? 1 : kind == 'b' ? 2 : 0;
        rows[k] = realloc(rows[k], (n_rows[k] + 1) * sizeof r);
        if (!rows[k])
            die("out of memory", NULL);
        rows[k][n_rows[k]++] = r;
    }
    fclose(f);
    if (!n_rows[0] || !n_rows[1] || !n_rows[2])
        die("rows are missing", NULL);
}

/* --- instructions
 * ------------------------------------------------------------------------------------------------------------
 */
/* Store-exclusives may fail for reasons of the host; with two machines in the process each has its own. */
static bool store_exclusive(uint32_t w)
{
    if (a64)
        return (w & 0x3fc00000) == 0x08000000;
    if (mips)
        return w >> 26 == 0x38 || w >> 26 == 0x3c || (w >> 26 == 0x1f && (w & 0x3e) == 0x26);
    if (thumb)
        return (w & 0xfff00000) == 0xe8400000 || ((w & 0xfff00000) == 0xe8c00000 && (w & 0x40));
    return (w & 0x0f900cf0) == 0x01800c90;
}

static uint32_t random_word(void)
{
    uint32_t d = below(100), k = d < 76 ? 0 : d < 97 ? 1 : 2;
    row r = rows[k][below(n_rows[k])];
    uint32_t bits = (uint32_t)(rnd() >> 32);
    if (below(3) == 0)
        bits &= (uint32_t)(rnd() >> 32);
    if (!strcmp(arch, "arm") && !thumb && !(r.mask >> 28) && below(4))
        bits = (bits & 0x0fffffff) | 0xe0000000;
    uint32_t word = (bits & ~r.mask) | r.value;
    return sides > 1 && store_exclusive(word) ? random_word() : word;
}

/* A branch over `distance` instructions (negative: back), in bytes from the instruction itself. */
static uint32_t branch_word(int32_t distance)
{
    uint32_t d = (uint32_t)distance, reg = below(16), cond = below(15);
    if (a64)
        switch (below(4)) {
        case 0:
            return 0x54000000u | (d >> 2 & 0x7ffff) << 5 | cond;
        case 1:
            return 0x34000000u | below(2) << 31 | below(2) << 24 | (d >> 2 & 0x7ffff) << 5 | reg;
        case 2:
            return 0x36000000u | below(2) << 24 | below(32) << 19 | (d >> 2 & 0x3fff) << 5 | reg;
        default:
            return (below(4) ? 0x14000000u : 0x94000000u) | (d >> 2 & 0x3ffffff);
        }
    if (mips)
        return (4 + below(2)) << 26 | below(32) << 21 | below(32) << 16 | ((d - 4) >> 2 & 0xffff);
    if (thumb)
        return (0xd000u | below(14) << 8 | ((d - 4) >> 1 & 0xff)) << 16;
    return (below(8) ? 0x0a000000u : 0x0b000000u) | cond << 28 | ((d - 8) >> 2 & 0xffffff);
}

static uint32_t put16(uint8_t *p, uint32_t half)
{
    p[0] = (uint8_t)half;
    p[1] = (uint8_t)(half >> 8);
    return 2;
}

static uint32_t put_word(uint8_t *p, uint32_t word)
{
    if (thumb)
        return put16(p, word >> 16) + (word >> 27 >= 0x1d ? put16(p + 2, word & 0xffff) : 0);
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(word >> 8 * (big ? 3 - i : i));
    return 4;
}

static uint32_t program(uint8_t *code)
{
    uint32_t n = 4 + below(MOST - 8), at = 0, start[MOST];
    for (uint32_t i = 0; i < n; i++) {
        start[i] = at;
        uint32_t back = i ? start[below(i)] - at : 0, on = (1 + below(6)) * 4;
        uint32_t k = below(14);
        at += put_word(code + at, k == 0 && i ? branch_word((int32_t)back)
                                  : k == 1    ? branch_word((int32_t)on)
                                              : random_word());
        if (mips && k <= 1)
            at += put_word(code + at,
                           0x24210001u +
                               below(4) * 0x210000u); /* a delay slot that may stand there */
    }
    return at;
}

/* --- state
 * ----------------------------------------------------------------------------------------------------------------------
 */
static uint64_t value(void)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x7fff,
                                     0x8000,
                                     0x7fffffff,
                                     0x80000000,
                                     0xffffffff,
                                     0x100000000,
                                     0x7fffffffffffffff,
                                     0x8000000000000000,
                                     ~0ull,
                                     0x3ff0000000000000,
                                     0x7ff0000000000000,
                                     0x3f8000003f800000,
                                     0x7f8000017fc00000,
                                     0x7ff8000000000001,
                                     0x7ff0000000000001};
    switch (below(8)) {
    case 0:
        return edges[below(sizeof edges / sizeof *edges)];
    case 1:
        return rnd();
    case 2:
        return rnd() >> below(64);
    case 3:
        return below(40) ? DATA + below(DATA_SIZE) : CODE + below(CODE_SIZE);
    default:
        return DATA + (below(DATA_SIZE) & ~15u);
    }
}

static void registers(uint32_t pc)
{
    for (int32_t r = 0;; r++) {
        const oryx_reg *reg = oryx_reg_row(side[0].m, r);
        uint64_t val[2] = {0, 0};
        if (!reg)
            break;
        if (reg->flags & (ORYX_REG_READONLY | ORYX_REG_ALIAS | ORYX_REG_IS_PC) || reg->size > 16)
            continue;
        if (reg->kind == ORYX_REG_INT || reg->kind == ORYX_REG_FLOAT ||
            reg->kind == ORYX_REG_VECTOR) {
            val[0] = value();
            val[1] = value();
            if (mips && reg->size == 8 && below(4) && reg->kind == ORYX_REG_INT)
                val[0] = (uint64_t)(int64_t)(int32_t)val[0];
            if (reg->flags & ORYX_REG_IS_SP)
                val[0] = DATA + DATA_SIZE / 2;
        } else if (!strcmp(reg->name, "nzcv")) {
            val[0] = (uint64_t)below(16) << 28;
        } else if (!strcmp(reg->name, "cpsr")) {
            val[0] = (uint64_t)below(16) << 28 | 0x10 | (thumb ? 0x20 : 0);
        } else if (!strcmp(reg->name, "fpcr") || !strcmp(reg->name, "fpscr")) {
            val[0] = below(3) ? 0 : (uint64_t)below(32) << 22;
        } else if (!strcmp(reg->name, "fcsr")) {
            val[0] = below(4);
        } else {
            continue;
        }
        for (int k = 0; k < sides; k++)
            oryx_reg_write(side[k].v, r, val, reg->size);
    }
    for (int k = 0; k < sides; k++)
        oryx_vcpu_set_pc(side[k].v, pc);
}

static void write_memory(uint32_t at, const void *bytes, uint32_t n)
{
    for (int k = 0; k < sides; k++)
        oryx_space_write(side[k].space, at, bytes, n, 0);
}

/* --- comparing
 * ---------------------------------------------------------------------------------------------------------------
 */
static bool differ(const oryx_exit *a, const oryx_exit *b)
{
    const oryx_cpu *p = oryx_vcpu_cpu(side[0].v), *q = oryx_vcpu_cpu(side[1].v);
    bool bad = false;
    if (a->reason != b->reason || a->insns != b->insns || a->pc != b->pc ||
        a->exc.kind != b->exc.kind || a->exc.pc != b->exc.pc || a->exc.addr != b->exc.addr ||
        a->exc.syndrome != b->exc.syndrome || a->exc.status != b->exc.status ||
        p->fp.flags != q->fp.flags) {
        fprintf(stderr,
                "exit, instructions, pc, FP flags: x64 %u %llu 0x%llx 0x%x, interp %u %llu 0x%llx "
                "0x%x\n",
                a->reason, (unsigned long long)a->insns, (unsigned long long)a->pc, p->fp.flags,
                b->reason, (unsigned long long)b->insns, (unsigned long long)b->pc, q->fp.flags);
        bad = true;
    }
    for (int32_t r = 0; memcmp(p->state, q->state, oryx_machine_arch(side[0].m)->state_size); r++) {
        const oryx_reg *reg = oryx_reg_row(side[0].m, r);
        uint64_t u[2] = {0, 0}, w[2] = {0, 0};
        bad = true;
        if (!reg)
            break;
        if (reg->flags & ORYX_REG_ALIAS || reg->size > 16 ||
            oryx_reg_read(side[0].v, r, u, reg->size) ||
            oryx_reg_read(side[1].v, r, w, reg->size) || (u[0] == w[0] && u[1] == w[1]))
            continue;
        fprintf(stderr, "%s: x64 0x%llx:%016llx, interp 0x%llx:%016llx\n", reg->name,
                (unsigned long long)u[1], (unsigned long long)u[0], (unsigned long long)w[1],
                (unsigned long long)w[0]);
    }
    bool memory = memcmp(side[0].base, side[1].base, SIZE) != 0;
    for (uint32_t i = 0; i < SIZE && !bad && memory; i++)
        if (side[0].base[i] != side[1].base[i] && (bad = true))
            fprintf(stderr, "memory at 0x%x: x64 %02x, interp %02x\n", i, side[0].base[i],
                    side[1].base[i]);
    return bad;
}

/* --- a case
 * ----------------------------------------------------------------------------------------------------------------------
 */
static uint64_t run_case(uint64_t seed, uint64_t number)
{
    static uint8_t code[MOST * 8], data[DATA_SIZE];
    x = (seed * 0x9e3779b97f4a7c15ull ^ number * 0xd1342543de82ef95ull) | 1;
    rnd();
    uint32_t n = program(code), at = CODE + (below(8) ? below(64) * 4 : 0x1000 - 4 * below(32)),
             align = thumb ? 2 : 4;
    for (uint32_t i = 0; i < DATA_SIZE; i += 8) {
        uint64_t word = i & 8 ? rnd() : 0;
        memcpy(data + i, &word, 8);
    }
    for (uint32_t i = 0; i < 64; i++) {
        uint64_t word = value();
        memcpy(data + below(DATA_SIZE / 8) * 8, &word, 8);
    }
    write_memory(DATA, data, DATA_SIZE);
    write_memory(at, code, n);
    registers(at);
    uint64_t done = 0, most = 40 + below(400);
    for (uint32_t stops = 0; done < most && stops < 60; stops++) {
        oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run),
                             .count = 1 + (below(3) ? below(300) : below(6))};
        oryx_exit es[2] = {{.hdr = ORYX_HDR(oryx_exit)}, {.hdr = ORYX_HDR(oryx_exit)}}, e;
        oryx_status st = ORYX_OK;
        for (int k = 0; k < sides && !st; k++)
            st = oryx_vcpu_run(side[k].v, &l, &es[k]);
        e = es[0];
        if (st || e.reason == ORYX_EXIT_ERROR ||
            (e.reason == ORYX_EXIT_EXCEPTION && e.exc.kind == ORYX_EXC_INTERNAL) ||
            (sides > 1 && differ(&es[0], &es[1]))) {
            fprintf(stderr, "FAIL %s%s%s, window %s: seed %llu, case %llu, run %u of 0x%x, %s\n",
                    arch, mode ? " " : "", mode ? mode : "", window, (unsigned long long)seed,
                    (unsigned long long)number, stops, at, e.error.text);
            exit(1);
        }
        done += e.insns;
        uint64_t pc = oryx_vcpu_pc(side[0].v) & ~1ull;
        if (pc < at || pc >= at + n)
            pc = at + (below(n) & ~(align - 1)); /* out of the program: anywhere in it */
        else if (e.reason != ORYX_EXIT_COUNT && e.reason != ORYX_EXIT_SYSCALL)
            pc += align;
        else
            continue;
        if (below(4) == 0)
            registers((uint32_t)pc);
        for (int k = 0; k < sides; k++)
            oryx_vcpu_set_pc(side[k].v, pc);
    }
    return done;
}

static oryx_status flat(void *opaque, oryx_cpu *cpu, uint64_t addr, uint32_t access,
                        oryx_mmu_result *out)
{
    (void)opaque;
    (void)cpu;
    out->phys = addr;
    out->page_size = ORYX_PAGE_SIZE;
    out->prot = strcmp(window, "rw") != 0
                    ? ORYX_PROT_ALL
                    : ORYX_PROT_READ | (addr >= DATA ? ORYX_PROT_WRITE : ORYX_PROT_EXEC);
    uint32_t want = access == ORYX_ACCESS_WRITE   ? ORYX_PROT_WRITE
                    : access == ORYX_ACCESS_FETCH ? ORYX_PROT_EXEC
                                                  : ORYX_PROT_READ;
    return out->prot & want ? ORYX_OK : ORYX_FAULT_PROT;
}

static void machine(struct side *k, const char *engine, const char *options, bool windowed)
{
    char path[512];
    oryx_error err = {0};
    bool stores = !strcmp(window, "rw");
    snprintf(path, sizeof path, "%s/plugins",
             getenv("ORYX_BUILD") ? getenv("ORYX_BUILD") : "build");
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config),
                             .arch = arch,
                             .engine = engine,
                             .engine_options = options,
                             .plugin_path = path,
                             .window = windowed ? "on" : "off"};
    if (oryx_machine_new(&c, &k->m, &err))
        die("machine", &err);
    k->space = oryx_space_get(k->m, "system");
    uint8_t *all = mmap(NULL, SIZE + 2ull * ORYX_WINDOW_GUARD, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    k->base = all + ORYX_WINDOW_GUARD;
    if (all == MAP_FAILED || mprotect(k->base, SIZE, PROT_READ | PROT_WRITE) ||
        (windowed && stores && mprotect(k->base, DATA, PROT_READ)))
        die("no host memory", NULL);
    oryx_region *ram = NULL;
    oryx_region_config rc = {
        .hdr = ORYX_HDR(oryx_region_config), .name = "memory", .last = SIZE - 1, .host = k->base};
    if (oryx_region_new(k->m, "ram", &rc, &ram, &err) ||
        oryx_region_add(oryx_space_root(k->space), 0, ram, 0, &err))
        die("memory", &err);
    oryx_vcpu_config vc = {.hdr = ORYX_HDR(oryx_vcpu_config), .mode = mode, .model = model};
    if (oryx_vcpu_new(k->m, &vc, &k->v, &err))
        die("vcpu", &err);
    if (!strcmp(window, "off"))
        return;
    oryx_vcpu_set_mmu(k->v, flat, NULL);
    oryx_window w = {.hdr = ORYX_HDR(oryx_window),
                     .host = k->base,
                     .size = SIZE,
                     .mmu = flat,
                     .prot = ORYX_PROT_READ | (stores ? ORYX_PROT_WRITE : 0)};
    if (windowed && oryx_space_set_window(k->space, &w, &err))
        die("window", &err);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, count = 100000, only = ~0ull, done = 0, number = 0;
    const char *every = "region";
    if (argc < 2)
        die("name a file of rows", NULL);
    read_rows(argv[1]);
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *o = argv[i], *a = argv[i + 1];
        if (!strcmp(o, "--arch"))
            arch = a;
        else if (!strcmp(o, "--mode"))
            mode = a;
        else if (!strcmp(o, "--model"))
            model = a;
        else if (!strcmp(o, "--seed"))
            seed = strtoull(a, NULL, 0);
        else if (!strcmp(o, "--count"))
            count = strtoull(a, NULL, 0);
        else if (!strcmp(o, "--case"))
            only = strtoull(a, NULL, 0);
        else if (!strcmp(o, "--every"))
            every = a;
        else if (!strcmp(o, "--window"))
            window = a;
        else
            die(o, NULL);
    }
    thumb = mode && !strcmp(mode, "thumb");
    mips = !strncmp(arch, "mips", 4);
    big = mips && !strstr(arch, "el");
    a64 = !strcmp(arch, "arm64");
    bool windowed = strcmp(window, "off") != 0;
    if (!strcmp(every, "run")) {
        sides = 2;
        machine(&side[0], "x64", NULL, windowed);
        machine(&side[1], "interp", NULL, false);
    } else {
        char options[100];
        snprintf(options, sizeof options, "{\"engines\": \"interp,x64\", \"every\": \"%s\"}",
                 every);
        machine(&side[0], "lockstep", options, windowed);
    }
    if (only != ~0ull) {
        done = run_case(seed, only);
        number = 1;
    }
    for (; only == ~0ull && done < count; number++)
        done += run_case(seed, number);
    oryx_stats st = {.hdr = ORYX_HDR(oryx_stats)};
    oryx_machine_stats(side[0].m, &st);
    printf("ok   %s%s%s%s%s, window %s, every %s: %llu cases, %llu instructions executed, %llu "
           "translated, %llu regions, %llu faults of the window, seed %llu\n",
           arch, mode ? " " : "", mode ? mode : "", model ? " " : "", model ? model : "", window,
           every, (unsigned long long)number, (unsigned long long)done,
           (unsigned long long)st.tb_insns, (unsigned long long)st.regions,
           (unsigned long long)st.window_faults, (unsigned long long)seed);
    for (int k = 0; k < sides; k++)
        oryx_machine_destroy(side[k].m);
    return 0;
}
