/* Snapshot-restore loops: rounds of 1,000 arm64 instructions that write 10 pages of 64 MiB, put back by liboryx, which finds
 * out which, and by libunicorn, which is told which and rewrites them with uc_mem_write. Interleaved in one run; the oracle of
 * both is the pattern the memory was filled with.
 *
 *   snapshot [--json] [--rounds N] [--batches N] [--engine NAME] [--check]
 *
 * Rounds a second are of CPU time.
 *
 * same: the guest writes the same 10 pages in every round. other: other pages in each of 64 rounds. restore, memcpy: what
 * oryx_snapshot_restore alone costs after such a round, and a bare memcpy of the 10 pages, after such a round too.
 * --check: few rounds, every byte compared after each; no time is judged. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <oryx.h>
#ifdef HAVE_UNICORN
#include <unicorn/unicorn.h>
#endif

#include "embed.h"

enum { RAM = 0x40000000, RAM_SIZE = 64 << 20, PAGE = 4096, PAGES = 10, ROUND = 1000, SEEDS = 64 };
#define MUL 6364136223846793005u
#define ADD 1442695040888963407u

/* x0 RAM, x2 seed, x4 MUL, x5 ADD. */
static const uint32_t code_round[] = {
    0x52800143, /* mov w3, #10 */
    0x9b041442, /* madd x2, x2, x4, x5 */
    0xd372fc46, /* lsr x6, x2, #50 */
    0xd374ccc6, /* lsl x6, x6, #12 */
    0xf8266802, /* str x2, [x0, x6] */
    0x71000463, /* subs w3, w3, #1 */
    0x54ffff61, /* b.ne the madd */
    0xd503201f, /* nop */
    0xd503201f, /* nop */
    0x52801d43, /* mov w3, #234 */
    0x8b0200e7, /* add x7, x7, x2 */
    0xca070108, /* eor x8, x8, x7 */
    0x71000463, /* subs w3, w3, #1 */
    0x54ffffa1, /* b.ne the add */
};

static uint8_t *pattern; /* what memory holds at the snapshot */

static void die(const char *what, const char *why)
{
    fprintf(stderr, "snapshot: %s: %s\n", what, why);
    exit(1);
}

static void pages_of(uint64_t seed, uint64_t at[PAGES])
{
    for (int i = 0; i < PAGES; i++) {
        seed = seed * MUL + ADD;
        at[i] = (seed >> 50) * PAGE;
    }
}

static uint64_t seed_of(uint64_t i, int other)
{
    return other ? 1 + i % SEEDS : 1;
}

/* Copies of the pages in the order in which they are written, what whoever is told them would keep. */
static uint8_t *keep(void)
{
    uint8_t *kept = aligned_alloc(PAGE, (size_t)SEEDS * PAGES * PAGE);
    uint64_t at[PAGES];
    for (uint64_t i = 0; kept && i < SEEDS; i++) {
        pages_of(seed_of(i, 1), at);
        for (int k = 0; k < PAGES; k++)
            memcpy(kept + (i * PAGES + (uint64_t)k) * PAGE, pattern + at[k], PAGE);
    }
    return kept;
}

static const uint8_t *kept_page(const uint8_t *kept, uint64_t i, int other, int k)
{
    return kept + ((other ? i % SEEDS : 0) * PAGES + (uint64_t)k) * PAGE;
}

/* --- liboryx ------------------------------------------------------------------------------------------------------------- */
typedef struct machine {
    oryx_machine *m;
    oryx_vcpu *cpu;
    oryx_snapshot *snap;
    int32_t seed;
    uint8_t *host;
} machine;

static oryx_region *region(oryx_machine *m, const char *name, uint64_t at, uint64_t size)
{
    oryx_error err;
    oryx_region *r;
    oryx_region_config c = { .hdr = ORYX_HDR(oryx_region_config), .name = name, .last = size - 1 };
    if (oryx_region_new(m, "ram", &c, &r, &err) ||
        oryx_region_add_exclusive(oryx_space_root(oryx_space_get(m, "system")), at, r, &err))
        die("memory", err.text);
    return r;
}

static void set(const machine *o, const char *name, uint64_t value)
{
    if (oryx_reg_write(o->cpu, oryx_reg_find(o->m, name), &value, sizeof value))
        die("register", name);
}

static machine oryx_open(const char *engine)
{
    machine o = { 0 };
    oryx_error err;
    oryx_machine_config c = { .hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = engine };
    oryx_vcpu_config vc = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    if (oryx_machine_new(&c, &o.m, &err))
        die("machine", err.text);
    region(o.m, "code", CODE, CODE_SIZE);
    region(o.m, "ram", RAM, RAM_SIZE);
    if (oryx_vcpu_new(o.m, &vc, &o.cpu, &err))
        die("vcpu", err.text);
    oryx_space *s = oryx_space_get(o.m, "system");
    if (oryx_space_write(s, CODE, code_round, sizeof code_round, 0) || oryx_space_write(s, RAM, pattern, RAM_SIZE, 0))
        die("memory", "cannot be written");
    uint64_t len = RAM_SIZE;
    oryx_direct d = { .hdr = ORYX_HDR(oryx_direct) };
    if (oryx_space_direct(s, RAM, &len, &d) || len != RAM_SIZE)
        die("memory", "is not direct");
    o.host = d.host;
    set(&o, "x0", RAM);
    set(&o, "x4", MUL);
    set(&o, "x5", ADD);
    o.seed = oryx_reg_find(o.m, "x2");
    oryx_vcpu_set_pc(o.cpu, CODE);
    return o;
}

static void oryx_round(const machine *o, uint64_t seed)
{
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run), .count = ROUND };
    oryx_exit why = { .hdr = ORYX_HDR(oryx_exit) };
    if (oryx_reg_write(o->cpu, o->seed, &seed, sizeof seed) || oryx_vcpu_run(o->cpu, &limits, &why) ||
        why.reason != ORYX_EXIT_COUNT || why.insns != ROUND)
        die("run", oryx_exit_text(why.reason));
}

static void oryx_back(const machine *o)
{
    oryx_error err;
    if (oryx_snapshot_restore(o->snap, &err))
        die("restore", err.text);
}

static double oryx_rounds(const machine *o, uint64_t n, int other)
{
    embed_clock from = embed_now();
    for (uint64_t i = 0; i < n; i++) {
        oryx_round(o, seed_of(i, other));
        oryx_back(o);
    }
    return (embed_now().cpu - from.cpu) / (double)n;
}

static int less(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, less);
    return v[n / 2];
}

static double *sample; /* medians of single restores: what else runs on the host does not count */

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds of the clock itself between two readings. */
static double clock_cost(void)
{
    for (int i = 0; i < 10000; i++) {
        double from = wall();
        sample[i] = wall() - from;
    }
    return median(sample, 10000);
}

static double oryx_restores(const machine *o, uint64_t n, int other, double clock)
{
    for (uint64_t i = 0; i < n; i++) {
        oryx_round(o, seed_of(i, other));
        double from = wall();
        oryx_back(o);
        sample[i] = wall() - from - clock;
    }
    return median(sample, (int)n);
}

/* The same rounds; the pages are put back by hand. o has no snapshot. */
static double bare_memcpy(const machine *o, const uint8_t *kept, uint64_t n, int other, double clock)
{
    uint64_t at[PAGES];
    for (uint64_t i = 0; i < n; i++) {
        pages_of(seed_of(i, other), at);
        oryx_round(o, seed_of(i, other));
        oryx_vcpu_set_pc(o->cpu, CODE);
        double from = wall();
        for (int k = 0; k < PAGES; k++)
            memcpy(o->host + at[k], kept_page(kept, i, other, k), PAGE);
        sample[i] = wall() - from - clock;
    }
    return median(sample, (int)n);
}

/* --- libunicorn ---------------------------------------------------------------------------------------------------------- */
#ifdef HAVE_UNICORN
static uc_engine *uc;
static uc_context *context;

/* Loaded apart: the library exports functions of glib's names, which liboryx must not meet. */
#define UC(name) __typeof__(&uc_##name)
static struct {
    UC(open) open;
    UC(mem_map) mem_map;
    UC(mem_write) mem_write;
    UC(mem_read) mem_read;
    UC(reg_write) reg_write;
    UC(emu_start) emu_start;
    UC(strerror) strerror;
    UC(context_alloc) context_alloc;
    UC(context_save) context_save;
    UC(context_restore) context_restore;
} un;

static int unicorn_load(void)
{
    void *lib = dlopen("libunicorn.so.2", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    int ok = lib != NULL;
#define LOAD(name) ok = ok && (un.name = (UC(name))(uintptr_t)dlsym(lib, "uc_" #name))
    LOAD(open);
    LOAD(mem_map);
    LOAD(mem_write);
    LOAD(mem_read);
    LOAD(reg_write);
    LOAD(emu_start);
    LOAD(strerror);
    LOAD(context_alloc);
    LOAD(context_save);
    LOAD(context_restore);
    return ok;
}

static void must(const char *what, uc_err err)
{
    if (err != UC_ERR_OK)
        die(what, un.strerror(err));
}

static void unicorn_open(void)
{
    uint64_t ram = RAM, mul = MUL, add = ADD, pc = CODE;
    must("uc_open", un.open(UC_ARCH_ARM64, UC_MODE_ARM, &uc));
    must("uc_mem_map", un.mem_map(uc, CODE, CODE_SIZE, UC_PROT_ALL));
    must("uc_mem_map", un.mem_map(uc, RAM, RAM_SIZE, UC_PROT_ALL));
    must("uc_mem_write", un.mem_write(uc, CODE, code_round, sizeof code_round));
    must("uc_mem_write", un.mem_write(uc, RAM, pattern, RAM_SIZE));
    must("uc_reg_write", un.reg_write(uc, UC_ARM64_REG_X0, &ram));
    must("uc_reg_write", un.reg_write(uc, UC_ARM64_REG_X4, &mul));
    must("uc_reg_write", un.reg_write(uc, UC_ARM64_REG_X5, &add));
    must("uc_reg_write", un.reg_write(uc, UC_ARM64_REG_PC, &pc));
    must("uc_context_alloc", un.context_alloc(uc, &context));
    must("uc_context_save", un.context_save(uc, context));
}

static double unicorn_rounds(const uint8_t *kept, uint64_t n, int other)
{
    uint64_t at[PAGES];
    embed_clock from = embed_now();
    for (uint64_t i = 0; i < n; i++) {
        uint64_t seed = seed_of(i, other);
        pages_of(seed, at);
        must("uc_reg_write", un.reg_write(uc, UC_ARM64_REG_X2, &seed));
        must("uc_emu_start", un.emu_start(uc, CODE, CODE + CODE_SIZE - 4, 0, ROUND));
        for (int k = 0; k < PAGES; k++)
            must("uc_mem_write", un.mem_write(uc, RAM + at[k], kept_page(kept, i, other, k), PAGE));
        must("uc_context_restore", un.context_restore(uc, context));
    }
    return (embed_now().cpu - from.cpu) / (double)n;
}

static int unicorn_right(void)
{
    uint8_t *now = malloc(RAM_SIZE);
    int same = now && !un.mem_read(uc, RAM, now, RAM_SIZE) && !memcmp(now, pattern, RAM_SIZE);
    free(now);
    return same;
}
#endif

/* --- main ---------------------------------------------------------------------------------------------------------------- */
static oryx_snapshot *take(const machine *o)
{
    oryx_error err;
    oryx_snapshot *s;
    if (oryx_snapshot_take(o->m, NULL, &s, &err))
        die("take", err.text);
    return s;
}

static void check(const machine *o)
{
    for (uint64_t i = 0; i < 30; i++) {
        uint64_t at[PAGES];
        pages_of(seed_of(i, 1), at);
        oryx_round(o, seed_of(i, 1));
        if (!memcmp(o->host + at[0], pattern + at[0], PAGE))
            die("check", "the round changed nothing");
        oryx_snapshot_info info = { .hdr = ORYX_HDR(oryx_snapshot_info) };
        oryx_snapshot_describe(o->m, &info);
        uint64_t distinct = 0;
        for (int k = 0; k < PAGES; k++) {
            int seen = 0;
            for (int j = 0; j < k; j++)
                seen |= at[j] == at[k];
            distinct += !seen;
        }
        if (info.dirty_pages != distinct)
            die("check", "it keeps more or fewer pages than were written");
        oryx_back(o);
        if (memcmp(o->host, pattern, RAM_SIZE) || oryx_vcpu_pc(o->cpu) != CODE)
            die("check", "memory or registers are not what they were");
    }
}

enum { MAX_BATCHES = 101 };

int main(int argc, char **argv)
{
    const char *engine = NULL;
    uint64_t rounds = 20000;
    int json = 0, only_check = 0, batches = 9;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = 1;
        else if (!strcmp(argv[i], "--check"))
            only_check = 1;
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
            rounds = strtoull(argv[++i], NULL, 0);
        else if (!strcmp(argv[i], "--batches") && i + 1 < argc)
            batches = atoi(argv[++i]);
        else if (!strcmp(argv[i], "--engine") && i + 1 < argc)
            engine = argv[++i];
        else
            batches = 0;
    }
    if (!rounds || batches < 1 || batches > MAX_BATCHES) {
        fprintf(stderr, "usage: snapshot [--json] [--rounds N] [--batches 1..%d] [--engine NAME] [--check]\n", MAX_BATCHES);
        return 2;
    }
    pattern = malloc(RAM_SIZE);
    if (!pattern)
        die("memory", "too little");
    for (uint64_t i = 0; i < RAM_SIZE; i += 8) {
        uint64_t v = (i + 1) * MUL;
        memcpy(pattern + i, &v, 8);
    }
    uint8_t *kept = keep();
    sample = malloc((rounds + 10000) * sizeof *sample);
    if (!kept || !sample)
        die("memory", "too little");
    machine o = oryx_open(engine);
    o.snap = take(&o);
    check(&o);
    if (only_check) {
        oryx_machine_destroy(o.m);
        free(kept);
        free(sample);
        free(pattern);
        puts("ok");
        return 0;
    }
    machine bare = oryx_open(engine);
    int has_unicorn = 0;
#ifdef HAVE_UNICORN
    has_unicorn = unicorn_load();
    if (has_unicorn)
        unicorn_open();
#endif
    double clock = clock_cost();
    for (int other = 0; other < 2; other++) {
        double t_oryx[MAX_BATCHES], t_uc[MAX_BATCHES], t_restore[MAX_BATCHES], t_memcpy[MAX_BATCHES], r_uc[MAX_BATCHES],
            r_mem[MAX_BATCHES];
        for (int b = -1; b < batches; b++) { /* the first warms up */
            int k = b < 0 ? 0 : b;
            t_oryx[k] = oryx_rounds(&o, rounds, other);
            t_uc[k] = 0;
#ifdef HAVE_UNICORN
            if (has_unicorn)
                t_uc[k] = unicorn_rounds(kept, rounds, other);
#endif
            t_restore[k] = oryx_restores(&o, rounds / 4 + 1, other, clock);
            t_memcpy[k] = bare_memcpy(&bare, kept, rounds / 4 + 1, other, clock);
            r_uc[k] = t_uc[k] / t_oryx[k];
            r_mem[k] = t_restore[k] / t_memcpy[k];
        }
        const char *name = other ? "other" : "same";
        double oryx = median(t_oryx, batches), unicorn = median(t_uc, batches), restore = median(t_restore, batches),
               copy = median(t_memcpy, batches);
        if (json) {
            printf("{\"measure\": \"snapshot\", \"pages\": \"%s\", \"engine\": \"%s\", \"oryx_rounds_per_s\": %.0f, ", name,
                   oryx_machine_engine(o.m), 1 / oryx);
            if (has_unicorn)
                printf("\"unicorn_rounds_per_s\": %.0f, \"speedup\": %.2f, ", 1 / unicorn, median(r_uc, batches));
            printf("\"restore_ns\": %.0f, \"memcpy_ns\": %.0f, \"restore_over_memcpy\": %.2f}\n", restore * 1e9, copy * 1e9,
                   median(r_mem, batches));
            continue;
        }
        printf("%-5s pages: oryx %7.0f rounds/s", name, 1 / oryx);
        if (has_unicorn)
            printf(", libunicorn, told the pages, %7.0f (%.2fx)", 1 / unicorn, median(r_uc, batches));
        printf("; restore %.0f ns, memcpy %.0f ns (%.2fx)\n", restore * 1e9, copy * 1e9, median(r_mem, batches));
    }
    check(&o);
    if (memcmp(bare.host, pattern, RAM_SIZE))
        die("memcpy", "the pages are not those the guest wrote");
#ifdef HAVE_UNICORN
    if (has_unicorn && !unicorn_right())
        die("libunicorn", "the pages are not those the guest wrote");
#endif
    oryx_machine_destroy(o.m);
    oryx_machine_destroy(bare.m);
    free(pattern);
    free(kept);
    free(sample);
    return 0;
}
