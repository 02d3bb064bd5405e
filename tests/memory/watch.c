/* Watches (oryx_watch.h) against a naive model: random watches, random accesses of every shape and to every kind of memory; the
 * model is a list of ranges, a byte array and a table of what each instruction accesses, written from the manual. Every engine
 * (MEM_ENGINE), with and without a window (MEM_WINDOW); argument: rounds. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define RAM_SIZE 0x200000u
#define RAM 0x100000u      /* where the accesses go */
#define REAL 0x200000u     /* ram_device */
#define IO 0x300000u
#define ALIAS 0x400000u    /* of RAM */
#define AREA 0x3000u       /* of each */

static uint8_t *reserved, *host, real[AREA] __attribute__((aligned(4096)));
static oryx_region *ram, *device, *io;
static unsigned rounds = 1500;
static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint8_t io_bytes[AREA];
static unsigned io_calls;
static oryx_status io_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    io_calls++;
    a->value = 0;
    memcpy(&a->value, io_bytes + a->offset, a->size);
    return ORYX_OK;
}
static oryx_status io_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    io_calls++;
    memcpy(io_bytes + a->offset, &a->value, a->size);
    return ORYX_OK;
}
static const oryx_io_ops io_ops = {.hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write, .valid = {1, 8, 1, {0}},
                                   .impl = {1, 8, 1, {0}}};

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

static int windowed;
static void watch_up(void)
{
    char path[512];
    oryx_error err = {0};
    const char *mode = getenv("MEM_WINDOW");
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = getenv("MEM_ENGINE"),
                             .plugin_path = path, .window = mode};
    if (oryx_machine_new(&c, &m, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    size_t all = RAM_SIZE + 2ull * ORYX_WINDOW_GUARD;
    reserved = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(reserved != MAP_FAILED);
    host = reserved + ORYX_WINDOW_GUARD;
    assert_int_equal(mprotect(host, RAM_SIZE, PROT_READ | PROT_WRITE), 0);
    memset(real, 0, sizeof real);
    memset(io_bytes, 0, sizeof io_bytes);
    io_calls = 0;
    put(ram = made("ram", (oryx_region_config){.name = "memory", .last = RAM_SIZE - 1, .host = host}), 0, 0);
    put(device = made("ram_device", (oryx_region_config){.name = "real", .last = AREA - 1, .host = real}), REAL, 0);
    put(io = made("io", (oryx_region_config){.name = "io", .last = AREA - 1, .io = &io_ops}), IO, 0);
    put(made("alias", (oryx_region_config){.name = "again", .last = AREA - 1, .target = ram, .target_offset = RAM}), ALIAS, 0);
    if (oryx_vcpu_new(m, NULL, &v, &err))
        fail_msg("%s", err.text);
    oryx_vcpu_set_mmu(v, flat, NULL);
    oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = host, .size = RAM_SIZE, .mmu = flat, .prot = ORYX_PROT_WRITE};
    oryx_status st = mode ? oryx_space_set_window(s, &w, &err) : ORYX_E_UNSUPPORTED;
    windowed = !st;
    if (mode && !strcmp(mode, "on") && st)
        fail_msg("%s", err.text);
}

static void watch_down(void)
{
    oryx_machine_destroy(m);
    munmap(reserved, RAM_SIZE + 2ull * ORYX_WINDOW_GUARD);
}

/* --- the model ------------------------------------------------------------------------------------------------------------ */
enum { R = ORYX_WATCH_READ, W = ORYX_WATCH_WRITE };
/* What an instruction at x1 accesses, in order: (R, W or both, offset, size). */
static const struct insn {
    uint32_t word, align;
    const char *text;
    struct {
        uint8_t access, off, size;
    } a[4];
} insns[] = {
    {0x39400020, 1, "ldrb w0, [x1]", {{R, 0, 1}}},
    {0x79400020, 1, "ldrh w0, [x1]", {{R, 0, 2}}},
    {0xb9400020, 1, "ldr w0, [x1]", {{R, 0, 4}}},
    {0xf9400020, 1, "ldr x0, [x1]", {{R, 0, 8}}},
    {0x39000020, 1, "strb w0, [x1]", {{W, 0, 1}}},
    {0x79000020, 1, "strh w0, [x1]", {{W, 0, 2}}},
    {0xb9000020, 1, "str w0, [x1]", {{W, 0, 4}}},
    {0xf9000020, 1, "str x0, [x1]", {{W, 0, 8}}},
    {0xb9800022, 1, "ldrsw x2, [x1]", {{R, 0, 4}}},
    {0xf8408422, 1, "ldr x2, [x1], #8", {{R, 0, 8}}},
    {0xf81f8c20, 1, "str x0, [x1, #-8]!", {{W, 0xf8, 8}}},
    {0x3dc00020, 1, "ldr q0, [x1]", {{R, 0, 16}}},
    {0x3d800020, 1, "str q0, [x1]", {{W, 0, 16}}},
    {0xa9400c22, 1, "ldp x2, x3, [x1]", {{R, 0, 8}, {R, 8, 8}}},
    {0xa9000c22, 1, "stp x2, x3, [x1]", {{W, 0, 8}, {W, 8, 8}}},
    {0x29400c22, 1, "ldp w2, w3, [x1]", {{R, 0, 4}, {R, 4, 4}}},
    {0xad400420, 1, "ldp q0, q1, [x1]", {{R, 0, 16}, {R, 16, 16}}},
    {0xad000420, 1, "stp q0, q1, [x1]", {{W, 0, 16}, {W, 16, 16}}},
    {0xb8208022, 4, "swp w0, w2, [x1]", {{R | W, 0, 4}}},
    {0xf8200022, 8, "ldadd x0, x2, [x1]", {{R | W, 0, 8}}},
    {0x78200022, 2, "ldaddh w0, w2, [x1]", {{R | W, 0, 2}}},
    {0xc8a07c22, 8, "cas x0, x2, [x1]", {{R | W, 0, 8}}}, /* R alone when [x1] != x0 */
    {0xc8dffc22, 8, "ldar x2, [x1]", {{R, 0, 8}}},
    {0xc89ffc20, 8, "stlr x0, [x1]", {{W, 0, 8}}},
    {0xc85f7c22, 8, "ldxr x2, [x1]", {{R, 0, 8}}},
    {0xc8037c20, 8, "stxr w3, x0, [x1]", {{W, 0, 8}}}, /* nothing when the monitor is lost */
};
#define N_INSNS (sizeof insns / sizeof insns[0])

#define MAX_WATCHES 24
static struct {
    oryx_watch *w;
    uint64_t lo, hi;
    uint32_t kind, flags; /* kind: 0 virtual, 1 space, 2 region ram, 3 region real, 4 region io */
    int told, answer;     /* has a function; what it returns */
} watches[MAX_WATCHES];

/* Hits told so far of the step under way. */
static oryx_watch_hit log_of[256];
static unsigned n_log;

static uint32_t on_hit(void *opaque, const oryx_watch_hit *hit)
{
    unsigned k = (unsigned)(uintptr_t)opaque;
    assert_ptr_equal(hit->watch, watches[k].w);
    assert_true(n_log < 256);
    log_of[n_log++] = *hit;
    return (uint32_t)watches[k].answer;
}

/* Virtual and physical are the same here; the region and offset that a byte is in. */
static int region_of(uint64_t addr, uint64_t *offset)
{
    *offset = addr;
    if (addr < RAM_SIZE)
        return 2;
    *offset = addr % 0x100000u;
    if (addr >= ALIAS) {
        *offset += RAM;
        return 2;
    }
    return addr < IO ? 3 : 4;
}

static uint8_t *byte_at(uint64_t addr)
{
    uint64_t o;
    int r = region_of(addr, &o);
    return r == 2 ? host + o : r == 3 ? real + o : io_bytes + o;
}

/* The watched bytes of [addr, addr + n) as the watch counts; 0: none. */
static int touched(unsigned k, uint64_t addr, uint32_t n, uint64_t *first, uint64_t *last)
{
    int any = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = addr + i, o;
        int r = region_of(at, &o);
        if (watches[k].kind >= 2) {
            if ((int)watches[k].kind != r)
                continue;
            at = o;
        }
        if (at < watches[k].lo || at > watches[k].hi)
            continue;
        *first = any ? *first : at;
        *last = at;
        any = 1;
    }
    return any;
}

static int plain(uint64_t addr, uint32_t n)
{
    uint64_t o;
    return region_of(addr, &o) == 2 && region_of(addr + n - 1, &o) == 2;
}

/* Has the device any watched bytes? */
static int device_watched(uint64_t addr)
{
    uint64_t first, last, o;
    for (unsigned k = 0; k < MAX_WATCHES; k++)
        if (watches[k].w && (watches[k].kind < 2 || region_of(addr, &o) == (int)watches[k].kind) &&
            touched(k, addr - addr % 0x100000u, AREA, &first, &last))
            return 1;
    return 0;
}

static void random_watch(unsigned k)
{
    oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config)};
    oryx_error err = {0};
    uint64_t base[] = {RAM, REAL, IO, ALIAS}, in = rnd() % 3 ? 0x1000 * (1 + rnd() % 2) - 40 + rnd() % 80 : rnd() % (AREA - 64);
    unsigned where = (unsigned)(rnd() % 4);
    watches[k].kind = (uint32_t)(rnd() % 5);
    c.size = rnd() % 4 ? 1 + rnd() % 20 : 1 + rnd() % 3000;
    if (in + c.size > AREA)
        c.size = AREA - in;
    c.addr = in + (watches[k].kind < 2 ? base[where] : watches[k].kind == 2 ? RAM : 0);
    c.flags = (uint32_t)(1 + rnd() % 3) | (rnd() % 3 ? 0 : ORYX_WATCH_BEFORE);
    watches[k].told = rnd() % 2;
    watches[k].answer = rnd() % 2;
    c.fn = watches[k].told ? on_hit : NULL;
    c.opaque = (void *)(uintptr_t)k;
    if (watches[k].kind == 0 && rnd() % 2)
        c.vcpu = v;
    c.space = watches[k].kind == 1 ? s : NULL;
    c.region = watches[k].kind == 2 ? ram : watches[k].kind == 3 ? device : watches[k].kind == 4 ? io : NULL;
    watches[k].lo = c.addr;
    watches[k].hi = c.addr + c.size - 1;
    watches[k].flags = c.flags;
    if (oryx_watch_add(m, &c, &watches[k].w, &err))
        fail_msg("%s", err.text);
}

static void expect(const struct insn *in, unsigned round, const oryx_watch_hit *want)
{
    for (unsigned i = 0; i < n_log; i++) {
        const oryx_watch_hit *h = &log_of[i];
        if (h->watch != want->watch || h->addr != want->addr || h->size != want->size || h->access != want->access)
            continue;
        int same = h->first == want->first && h->last == want->last && h->after == want->after && h->pc == want->pc && h->vcpu == v &&
                   h->space == s && h->phys == want->phys && (h->known & want->known) == want->known &&
                   (!(want->known & ORYX_HIT_VALUE) || !memcmp(&h->value, &want->value, sizeof h->value)) &&
                   (!(want->known & ORYX_HIT_OLD) || !memcmp(&h->old, &want->old, sizeof h->old));
        if (!same)
            fail_msg("round %u, %s at 0x%llx: a hit at 0x%llx..0x%llx after %u value %llx old %llx known %u, expected 0x%llx..0x%llx after %u value %llx old "
                     "%llx known %u", round, in->text, (unsigned long long)want->addr, (unsigned long long)h->first,
                     (unsigned long long)h->last, h->after, (unsigned long long)h->value.lo, (unsigned long long)h->old.lo, h->known,
                     (unsigned long long)want->first, (unsigned long long)want->last, want->after, (unsigned long long)want->value.lo,
                     (unsigned long long)want->old.lo, want->known);
        log_of[i] = log_of[--n_log];
        return;
    }
    fail_msg("round %u: %s at 0x%llx did not tell of 0x%llx..0x%llx (access %u after %u)", round, in->text, (unsigned long long)want->addr,
             (unsigned long long)want->first, (unsigned long long)want->last, want->access, want->after);
}

static void take_hits(int fresh_only_null)
{
    oryx_watch_hit hits[64];
    uint32_t n = oryx_vcpu_hits(v, hits, 64);
    assert_true(n && n <= 64);
    for (uint32_t i = 0; i < n; i++) {
        unsigned k = 0;
        while (k < MAX_WATCHES && watches[k].w != hits[i].watch)
            k++;
        assert_true(k < MAX_WATCHES);
        if (!watches[k].told || !fresh_only_null)
            log_of[n_log++] = hits[i];
    }
}

static void v128_set(const char *name, const uint8_t *bytes)
{
    int32_t r = oryx_reg_find(m, name);
    assert_ok(oryx_reg_write(v, r, bytes, 16));
}

static void test_property(void **state)
{
    (void)state;
    watch_up();
    uint64_t armed = 0; /* address the monitor is armed for, 0 none: there is one vCPU, and nothing else writes */
    for (unsigned round = 0; round < rounds; round++) {
        unsigned k = (unsigned)(rnd() % MAX_WATCHES);
        if (round % 3 == 0) {
            oryx_watch_remove(watches[k].w);
            watches[k].w = NULL;
            if (rnd() % 3)
                random_watch(k);
        }
        /* An instruction at an address near a watch. */
        const struct insn *in = &insns[rnd() % N_INSNS];
        if (in->word == 0xc8037c20 && !armed)
            continue;
        static const uint64_t base[] = {RAM, REAL, IO, ALIAS};
        k = (unsigned)(rnd() % MAX_WATCHES);
        uint64_t at = watches[k].w && rnd() % 4 ? (watches[k].lo & 0x3fff) + rnd() % 48 - 24 : rnd() % AREA;
        if ((int64_t)at < 64)
            at = 64;
        if (at > AREA - 64)
            at = AREA - 64;
        at = (at + base[rnd() % 4]) & ~(uint64_t)(in->align - 1);
        if (in->word == 0xc8037c20)
            at = armed;
        uint64_t reg[4] = {rnd(), at, rnd(), rnd()};
        uint8_t vec[32];
        for (unsigned i = 0; i < 32; i++)
            vec[i] = (uint8_t)rnd();
        if (in->word == 0xc8a07c22 && rnd() % 2)
            memcpy(&reg[0], byte_at(at), 8); /* this compare succeeds */
        reg_set("x0", reg[0]);
        reg_set("x1", reg[1]);
        reg_set("x2", reg[2]);
        reg_set("x3", reg[3]);
        v128_set("v0", vec);
        v128_set("v1", vec + 16);
        /* What the model says: accesses, values, hits. */
        oryx_watch_hit want[MAX_WATCHES * 4];
        unsigned n_want = 0, stops = 0;
        int gate = 0;
        uint8_t after_bytes[4][16];
        unsigned calls = 0;
        for (unsigned a = 0; a < 4 && in->a[a].size; a++) {
            uint64_t addr = at + (uint64_t)(int64_t)(int8_t)in->a[a].off;
            uint32_t n = in->a[a].size, access = in->a[a].access;
            uint8_t old[16] = {0}, now[16] = {0};
            for (uint32_t i = 0; i < n; i++)
                old[i] = *byte_at(addr + i);
            memcpy(now, old, 16);
            if (in->word == 0xc8a07c22) {
                if (memcmp(old, &reg[0], 8))
                    access = R;
                else
                    memcpy(now, &reg[2], 8);
            } else if (in->word == 0xf8200022 || in->word == 0x78200022) {
                uint64_t x = 0;
                memcpy(&x, old, n);
                x += reg[0];
                memcpy(now, &x, n);
            } else if (access & W) {
                if (n == 16)
                    memcpy(now, vec + 16 * a, 16);
                else
                    memcpy(now, &reg[in->word == 0xa9000c22 ? 2 + a : 0], n);
            }
            memcpy(after_bytes[a], now, 16);
            uint64_t o;
            uint32_t device_access = in->word == 0xc8037c20 ? R | W : access; /* compares, then writes */
            calls += region_of(addr, &o) == 4 ? (n == 16 ? 2 : 1) * ((device_access & R ? 1 : 0) + (device_access & W ? 1 : 0)) : 0;
            int any = 0;
            /* The access is held back by what it could hit. */
            for (unsigned j = 0; j < MAX_WATCHES; j++) {
                uint64_t first, last;
                any |= watches[j].w && watches[j].flags & in->a[a].access && touched(j, addr, n, &first, &last);
            }
            int opens = !gate && (any || (!plain(addr, n) && device_watched(addr)));
            for (unsigned j = 0; j < MAX_WATCHES; j++) {
                uint64_t first = 0, last = 0;
                int before = opens && watches[j].flags & ORYX_WATCH_BEFORE;
                uint32_t acc = before ? in->a[a].access : access;
                if (!watches[j].w || !(watches[j].flags & acc) || !touched(j, addr, n, &first, &last))
                    continue;
                want[n_want] = (oryx_watch_hit){.watch = watches[j].w, .pc = CODE, .addr = addr, .phys = addr, .first = first, .last = last,
                                                .size = n, .access = acc, .after = !before};
                oryx_watch_hit *h = &want[n_want++];
                int atomic = in->a[a].access == (R | W);
                if (!before || (access == W && in->word != 0xc8037c20) || (acc == R && plain(addr, n))) {
                    memcpy(&h->value, access & W ? now : old, n);
                    h->known = ORYX_HIT_VALUE;
                }
                if (plain(addr, n) && (access & W || atomic)) {
                    memcpy(&h->old, old, n);
                    h->known |= ORYX_HIT_OLD;
                }
                stops += !watches[j].told || watches[j].answer;
            }
            gate |= opens;
        }
        /* And what happens. */
        n_log = 0;
        unsigned io_before = io_calls;
        oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
        uint64_t insns_before = oryx_vcpu_insns(v);
        assert_ok(oryx_space_write(s, CODE, &in->word, 4, 0));
        oryx_vcpu_set_pc(v, CODE);
        unsigned ends = 0;
        for (;;) {
            last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
            assert_ok(oryx_vcpu_run(v, &l, &last_exit));
            if (last_exit.reason == ORYX_EXIT_ERROR)
                fail_msg("%s", last_exit.error.text);
            if (last_exit.reason != ORYX_EXIT_DEBUG)
                break;
            take_hits(1);
            ends++;
            if (oryx_vcpu_pc(v) != CODE)
                break;
            l.skip_first = 1;
            assert_int_equal(last_exit.insns, 0);
            assert_true(ends < 3);
        }
        if (last_exit.reason != ORYX_EXIT_DEBUG && last_exit.reason != ORYX_EXIT_COUNT)
            fail_msg("round %u: %s at 0x%llx ends with %s", round, in->text, (unsigned long long)at, oryx_exit_text(last_exit.reason));
        assert_int_equal(oryx_vcpu_pc(v), CODE + 4);
        assert_int_equal(oryx_vcpu_insns(v), insns_before + 1);
        if (in->word == 0xc8037c20 && reg_get("x3")) {
            armed = 0; /* it may always fail */
            continue;
        }
        assert_int_equal(!stops, !ends);
        for (unsigned i = 0; i < n_want; i++)
            expect(in, round, &want[i]);
        if (n_log)
            fail_msg("round %u: %s at 0x%llx tells of 0x%llx..0x%llx, which it should not", round, in->text, (unsigned long long)at,
                     (unsigned long long)log_of[0].first, (unsigned long long)log_of[0].last);
        /* Memory is what the instruction makes of it, and devices saw it once. */
        for (unsigned a = 0; a < 4 && in->a[a].size; a++)
            for (uint32_t i = 0; i < in->a[a].size; i++)
                if (*byte_at(at + (uint64_t)(int64_t)(int8_t)in->a[a].off + i) != after_bytes[a][i])
                    fail_msg("round %u: %s at 0x%llx leaves a wrong byte %u", round, in->text, (unsigned long long)at, i);
        if (io_calls - io_before != calls)
            fail_msg("round %u: %s at 0x%llx: %u accesses of the device, expected %u", round, in->text, (unsigned long long)at,
                     io_calls - io_before, calls);
        /* A store to what is armed may end that, or not: that is the architecture's to leave open. */
        for (unsigned a = 0; a < 4 && in->a[a].size && in->word != 0xc8037c20; a++)
            armed = in->a[a].access & W ? 0 : armed;
        if (in->word == 0xc85f7c22)
            armed = at;
        else if (in->word == 0xc8037c20) {
            assert_int_equal(reg_get("x3"), 0);
            armed = 0;
        }
    }
    watch_down();
    memset(watches, 0, sizeof watches);
}

/* --- instructions --------------------------------------------------------------------------------------------------------- */

/* Two loops with calls between them, in two pages. Breakpoints of every kind come and go; the trace with none is the model. */
static const uint32_t program[] = {
    0xd2800142, /* 0: mov x2, #10 */
    0x91000400, /* 1: add x0, x0, #1 */
    0x94000007, /* 2: bl 9 */
    0xf1000442, /* 3: subs x2, x2, #1 */
    0x54ffffa1, /* 4: b.ne 1 */
    0xd503201f, /* 5: nop */
    0x91000800, /* 6: add x0, x0, #2 */
    0x17fffff9, /* 7: b 0 */
    0xd503201f,
    0x91000c00, /* 9: add x0, x0, #3 */
    0xf240001f, /* 10: tst x0, #1 */
    0x54000040, /* 11: b.eq 13 */
    0x91001000, /* 12: add x0, x0, #4 */
    0xd65f03c0, /* 13: ret */
};

static void test_breakpoints(void **state)
{
    (void)state;
    enum { N = 3000, M = 12 };
    static uint64_t trace[N + 1];
    watch_up();
    assert_ok(oryx_space_write(s, CODE, program, sizeof program, 0));
    oryx_vcpu_set_pc(v, CODE);
    oryx_limits_run one = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
    for (unsigned i = 0; i < N; i++) {
        trace[i] = oryx_vcpu_pc(v);
        assert_ok(oryx_vcpu_run(v, &one, &last_exit));
        assert_int_equal(last_exit.reason, ORYX_EXIT_COUNT);
    }
    uint64_t end = reg_get("x0");
    for (unsigned round = 0; round < rounds / 50 + 4; round++) {
        struct {
            oryx_watch *w;
            uint64_t lo, hi;
        } b[M] = {{0}};
        reg_set("x0", 0);
        reg_set("x2", 0);
        oryx_vcpu_set_pc(v, CODE);
        uint64_t at = 0;
        int skip = 0;
        while (at < N) {
            unsigned k = (unsigned)(rnd() % M);
            if (rnd() % 2) {
                oryx_watch_remove(b[k].w);
                b[k].w = NULL;
            }
            if (!b[k].w && rnd() % 4 == 0) {
                oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .flags = ORYX_WATCH_EXEC};
                c.addr = CODE + 4 * (rnd() % 14) + (rnd() % 4 ? 0 : rnd() % 4);
                c.size = rnd() % 4 ? 1 + rnd() % 4 : 1 + rnd() % 20;
                c.vcpu = rnd() % 3 ? NULL : v;
                c.space = !c.vcpu && rnd() % 2 ? s : NULL;
                assert_ok(oryx_watch_add(m, &c, &b[k].w, NULL));
                b[k].lo = c.addr;
                b[k].hi = c.addr + c.size - 1;
            }
            /* Where does the trace meet one next? */
            uint64_t limit = 1 + rnd() % 400, stop = at + (skip ? 1 : 0), n_hits = 0;
            limit = limit > N - at ? N - at : limit;
            for (; stop < at + limit; stop++) {
                for (unsigned i = 0; i < M; i++)
                    n_hits += b[i].w && trace[stop] >= b[i].lo && trace[stop] <= b[i].hi;
                if (n_hits)
                    break;
            }
            if (stop > at + limit)
                stop = at + limit;
            oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = limit, .skip_first = (uint32_t)skip};
            last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
            assert_ok(oryx_vcpu_run(v, &l, &last_exit));
            if (last_exit.reason != (uint32_t)(n_hits ? ORYX_EXIT_DEBUG : ORYX_EXIT_COUNT) || last_exit.insns != stop - at)
                fail_msg("round %u, instruction %llu: %s after %llu, expected %s after %llu", round, (unsigned long long)at,
                         oryx_exit_text(last_exit.reason), (unsigned long long)last_exit.insns, n_hits ? "debug" : "count",
                         (unsigned long long)(stop - at));
            if (n_hits) {
                oryx_watch_hit hits[M];
                assert_int_equal(oryx_vcpu_hits(v, hits, M), n_hits);
                assert_int_equal(hits[0].pc, trace[stop]);
                assert_int_equal(hits[0].access, ORYX_WATCH_EXEC);
                assert_int_equal(hits[0].after, 0);
                assert_int_equal(last_exit.exc.pc, trace[stop]);
            }
            at = stop;
            assert_true(at == N || oryx_vcpu_pc(v) == trace[at]);
            skip = n_hits != 0;
        }
        assert_int_equal(reg_get("x0"), end);
        for (unsigned i = 0; i < M; i++)
            oryx_watch_remove(b[i].w);
    }
    watch_down();
}

/* --- threads -------------------------------------------------------------------------------------------------------------- */
static _Atomic uint64_t seen_last, seen_n, gaps;

static uint32_t on_store(void *opaque, const oryx_watch_hit *hit)
{
    (void)opaque;
    uint64_t last = atomic_load(&seen_last);
    if (last && hit->value.lo != last + 1)
        atomic_fetch_add(&gaps, 1);
    atomic_store(&seen_last, hit->value.lo);
    atomic_fetch_add(&seen_n, 1);
    return 0;
}

static void *runner(void *arg)
{
    oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .timeout_us = 60000000};
    (void)arg;
    last_exit = (oryx_exit){.hdr = ORYX_HDR(oryx_exit)};
    oryx_vcpu_run(v, &l, &last_exit);
    return NULL;
}

/* A guest counts in memory; while a watch is there it tells every count, from the first after add returned to the last before
 * remove; and breakpoints are met by a guest that never leaves its loop. */
static void test_while_running(void **state)
{
    (void)state;
    static const uint32_t loop[] = {0xf9000020, 0x91000400, 0x17fffffe}; /* str x0, [x1]; add x0, x0, #1; b .-8 */
    pthread_t t;
    watch_up();
    assert_ok(oryx_space_write(s, CODE, loop, sizeof loop, 0));
    reg_set("x1", RAM);
    reg_set("x0", 1);
    oryx_vcpu_set_pc(v, CODE);
    assert_int_equal(pthread_create(&t, NULL, runner, NULL), 0);
    volatile uint64_t *count = (volatile uint64_t *)(void *)(host + RAM);
    while (*count < 100)
        usleep(10);
    for (unsigned i = 0; i < 20; i++) {
        oryx_watch *w = NULL, *other = NULL;
        oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .addr = RAM + i % 8, .size = 1, .flags = ORYX_WATCH_WRITE,
                               .space = i % 2 ? s : NULL, .fn = on_store};
        atomic_store(&seen_last, 0);
        atomic_store(&seen_n, 0);
        assert_ok(oryx_watch_add(m, &c, &w, NULL));
        uint64_t from = *count; /* at least the ones after this are told */
        c.addr = RAM + 8;
        assert_ok(oryx_watch_add(m, &c, &other, NULL)); /* beside it: nothing to tell */
        usleep(300);
        uint64_t to = *count;
        while (atomic_load(&seen_last) < to)
            usleep(10); /* its function is told when the instruction is over */
        uint64_t n = atomic_load(&seen_n);
        assert_true(n + from >= to);
        assert_int_equal(atomic_load(&gaps), 0);
        oryx_watch_remove(w);
        oryx_watch_remove(other);
    }
    for (unsigned i = 0; i < 20; i++) {
        oryx_watch *w = NULL;
        oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .addr = CODE + 4 * (i % 3), .size = 1, .flags = ORYX_WATCH_EXEC,
                               .space = i % 2 ? s : NULL};
        uint64_t before = *count;
        while (*count == before)
            usleep(10); /* it runs */
        assert_ok(oryx_watch_add(m, &c, &w, NULL));
        pthread_join(t, NULL);
        assert_int_equal(last_exit.reason, ORYX_EXIT_DEBUG);
        assert_int_equal(oryx_vcpu_pc(v), c.addr);
        oryx_watch_remove(w);
        assert_int_equal(pthread_create(&t, NULL, runner, NULL), 0);
    }
    oryx_vcpu_stop(v);
    pthread_join(t, NULL);
    assert_int_equal(last_exit.reason, ORYX_EXIT_STOP);
    watch_down();
}

/* --- others than vCPUs, refusals, ends ------------------------------------------------------------------------------------- */
static oryx_watch_hit host_hit;
static unsigned host_hits;
static uint32_t on_host(void *opaque, const oryx_watch_hit *hit)
{
    host_hit = *hit;
    host_hits++;
    return (uint32_t)(uintptr_t)opaque;
}

static void test_host(void **state)
{
    (void)state;
    watch_up();
    oryx_watch *w[2] = {NULL};
    oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .addr = RAM + 0x1ff8, .size = 16, .flags = ORYX_WATCH_WRITE | ORYX_WATCH_HOST_ONLY,
                           .space = s, .fn = on_host};
    uint8_t buf[0x2800];
    memset(buf, 0x5a, sizeof buf);
    assert_ok(oryx_watch_add(m, &c, &w[0], NULL));
    host_hits = 0;
    assert_ok(oryx_space_write(s, RAM + 0x1000, buf, sizeof buf, ORYX_ATTR_DMA)); /* three pages, one access */
    assert_int_equal(host_hits, 1);
    assert_int_equal(host_hit.addr, RAM + 0x1000);
    assert_int_equal(host_hit.size, sizeof buf);
    assert_int_equal(host_hit.first, RAM + 0x1ff8);
    assert_int_equal(host_hit.last, RAM + 0x2007);
    assert_int_equal(host_hit.attrs, ORYX_ATTR_DMA);
    assert_int_equal(host_hit.value.lo, 0x5a5a5a5a5a5a5a5a);
    assert_null(host_hit.vcpu);
    assert_ok(oryx_space_write(s, RAM + 0x2008, buf, 8, 0)); /* beside it */
    assert_ok(oryx_space_read(s, RAM + 0x1ff8, buf, 8, 0));  /* no write */
    assert_ok(oryx_space_write(s, RAM + 0x1ff8, buf, 8, ORYX_ATTR_DEBUG)); /* a poke */
    guest_store(RAM + 0x1ff8, 8, 1);                         /* a vCPU's */
    assert_int_equal(host_hits, 1);
    oryx_watch_remove(w[0]);
    /* Only some of them. */
    c.attrs_mask = c.attrs = ORYX_ATTR_DMA;
    c.region = ram;
    c.space = NULL;
    c.flags = ORYX_WATCH_READ | ORYX_WATCH_WRITE | ORYX_WATCH_HOST_ONLY;
    assert_ok(oryx_watch_add(m, &c, &w[0], NULL));
    assert_ok(oryx_space_write(s, RAM + 0x2000, buf, 1, 0));
    assert_int_equal(host_hits, 1);
    oryx_initiator who = {.hdr = ORYX_HDR(oryx_initiator), .attrs = ORYX_ATTR_DMA, .requester = 9};
    assert_ok(oryx_space_access(s, ALIAS + 0x1ff9, buf, 2, 0, &who)); /* elsewhere in the space, the same region */
    assert_int_equal(host_hits, 2);
    assert_int_equal(host_hit.requester, 9);
    assert_int_equal(host_hit.first, RAM + 0x1ff9);
    assert_int_equal(host_hit.access, ORYX_WATCH_READ);
    /* Mapped for DMA, direct and bounced. */
    oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)};
    assert_ok(oryx_space_map(s, RAM + 0x1f00, 0x200, 0, &who, &map, NULL)); /* read */
    assert_int_equal(host_hits, 3);
    assert_ok(oryx_space_unmap(&map, 0x200));
    assert_int_equal(host_hits, 3);
    assert_ok(oryx_space_map(s, RAM + 0x1f00, 0x200, 1, &who, &map, NULL));
    assert_ok(oryx_space_unmap(&map, 0xf8)); /* one byte short of it */
    assert_int_equal(host_hits, 3);
    assert_ok(oryx_space_map(s, RAM + 0x1f00, 0x200, 1, &who, &map, NULL));
    assert_ok(oryx_space_unmap(&map, 0xf9));
    assert_int_equal(host_hits, 4);
    assert_int_equal(host_hit.size, 0xf9);
    oryx_watch_remove(w[0]);
    c.region = io;
    c.addr = 0x10;
    assert_ok(oryx_watch_add(m, &c, &w[0], NULL));
    assert_ok(oryx_space_map(s, IO, 0x20, 1, &who, &map, NULL)); /* bounced */
    assert_true(map.bounce);
    assert_ok(oryx_space_unmap(&map, 0x20));
    assert_int_equal(host_hits, 5);
    assert_int_equal(host_hit.first, 0x10);
    oryx_watch_remove(w[0]);
    /* A hit that nobody answers ends the vCPU's run. */
    c = (oryx_watch_config){.hdr = ORYX_HDR(oryx_watch_config), .addr = RAM, .size = 8, .flags = ORYX_WATCH_WRITE | ORYX_WATCH_HOST, .space = s};
    assert_ok(oryx_watch_add(m, &c, &w[0], NULL));
    assert_ok(oryx_space_write(s, RAM, buf, 8, 0));
    uint32_t nop = 0xd503201f;
    run_words(&nop, 1, 1);
    assert_int_equal(last_exit.reason, ORYX_EXIT_DEBUG);
    oryx_watch_hit hit;
    assert_int_equal(oryx_vcpu_hits(v, &hit, 1), 1);
    assert_null(hit.vcpu);
    assert_int_equal(hit.addr, RAM);
    guest_store(RAM, 8, 1); /* a vCPU's counts as well */
    assert_int_equal(last_exit.reason, ORYX_EXIT_DEBUG);
    oryx_watch_remove(w[0]);
    watch_down();
}

static void test_ends(void **state)
{
    (void)state;
    watch_up();
    oryx_error err = {0};
    oryx_watch *w = NULL, *dead = NULL;
    oryx_machine_config mc = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .plugin_path = NULL};
    (void)mc;
    const struct {
        oryx_watch_config c;
        oryx_status st;
        const char *text;
    } bad[] = {
        {{.addr = 1, .size = 1}, ORYX_E_INVALID, "READ, WRITE or EXEC"},
        {{.addr = 1, .size = 1, .flags = 0x101}, ORYX_E_INVALID, "0x101"},
        {{.addr = 1, .size = 1, .flags = 1, .vcpu = v, .space = s}, ORYX_E_INVALID, "one of"},
        {{.addr = ~0ull, .size = 2, .flags = 1}, ORYX_E_RANGE, "over the end"},
        {{.addr = 0, .size = 8, .flags = 4, .region = ram}, ORYX_E_INVALID, "memory"},
        {{.addr = 0, .size = 8, .flags = 1, .region = oryx_space_root(s)}, ORYX_E_INVALID, "structure only"},
        {{.addr = AREA, .size = 1, .flags = 1, .region = device}, ORYX_E_RANGE, "real"},
        {{.addr = 0, .size = 8, .flags = 1 | ORYX_WATCH_HOST}, ORYX_E_INVALID, "virtual"},
        {{.addr = 0, .size = 8, .flags = 5 | ORYX_WATCH_HOST_ONLY, .space = s}, ORYX_E_INVALID, "only vCPUs"},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        oryx_watch_config c = bad[i].c;
        c.hdr = (oryx_hdr)ORYX_HDR(oryx_watch_config);
        assert_int_equal(oryx_watch_add(m, &c, &w, &err), bad[i].st);
        if (!strstr(err.text, bad[i].text))
            fail_msg("%u: %s", i, err.text);
    }
    /* A region that goes leaves its watch without effect; so does a vCPU. */
    oryx_region *r = made("ram", (oryx_region_config){.name = "short-lived", .last = 0xfff});
    oryx_vcpu *other = NULL;
    put(r, 0x500000, 0);
    oryx_watch_config c = {.hdr = ORYX_HDR(oryx_watch_config), .addr = 0, .size = 0, .flags = 3, .region = r};
    assert_ok(oryx_watch_add(m, &c, &w, NULL));
    guest_store(0x500800, 4, 1);
    assert_int_equal(last_exit.reason, ORYX_EXIT_DEBUG);
    assert_ok(oryx_region_remove(r, &err));
    assert_ok(oryx_region_destroy(r, &err));
    put(made("ram", (oryx_region_config){.name = "next", .last = 0xfff}), 0x500000, 0);
    guest_store(0x500800, 4, 1);
    assert_int_equal(last_exit.reason, ORYX_EXIT_COUNT);
    assert_ok(oryx_vcpu_new(m, NULL, &other, &err));
    c = (oryx_watch_config){.hdr = ORYX_HDR(oryx_watch_config), .addr = RAM, .size = 8, .flags = 7, .vcpu = other};
    assert_ok(oryx_watch_add(m, &c, &dead, NULL));
    guest_store(RAM, 4, 1); /* not that vCPU */
    assert_int_equal(last_exit.reason, ORYX_EXIT_COUNT);
    oryx_vcpu_destroy(other);
    guest_store(RAM, 4, 1);
    assert_int_equal(last_exit.reason, ORYX_EXIT_COUNT);
    oryx_watch_remove(w);
    oryx_watch_remove(dead);
    oryx_watch_remove(NULL);
    /* The whole address space; what is beside a watch in the page is right, and fast again when the watch is gone. */
    c = (oryx_watch_config){.hdr = ORYX_HDR(oryx_watch_config), .flags = ORYX_WATCH_WRITE};
    assert_ok(oryx_watch_add(m, &c, &w, NULL));
    guest_store(RAM + 0x40, 4, 77);
    assert_int_equal(last_exit.reason, ORYX_EXIT_DEBUG);
    assert_int_equal(guest_load(RAM + 0x40, 4), 77);
    oryx_watch_remove(w);
    oryx_stats st = {.hdr = ORYX_HDR(oryx_stats)};
    guest_store(RAM + 0x40, 4, 1);
    oryx_machine_stats(m, &st);
    uint64_t fills = st.tlb_fills;
    for (unsigned i = 0; i < 10; i++)
        guest_store(RAM + 0x40, 4, i);
    oryx_machine_stats(m, &st);
    assert_int_equal(st.tlb_fills, fills);
    /* An access that faults tells nothing and is the guest's fault. */
    c = (oryx_watch_config){.hdr = ORYX_HDR(oryx_watch_config), .addr = 0x600000, .size = 8, .flags = 3};
    assert_ok(oryx_watch_add(m, &c, &w, NULL));
    assert_int_equal(guest_write(0x600000, 4, 1), ORYX_FAULT_DECODE);
    assert_int_equal(oryx_vcpu_hits(v, NULL, 0), 0);
    watch_down(); /* what is left goes with the machine */
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_property), cmocka_unit_test(test_breakpoints), cmocka_unit_test(test_while_running),
        cmocka_unit_test(test_host), cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
