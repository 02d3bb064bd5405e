/* Windows (oryx_space_set_window) as an embedder meets them: what they serve and what they leave alone, who gets the host's
 * faults, when they close. The owner's part, host protections, is played by the test; what a guest sees is compared with
 * what the same machine does without a window. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "guest.h"

#define SIZE 0x200000u
#define DATA 0x100000u

static uint8_t *reserved, *base;
static oryx_region *ram;
static int had_window;

static const char *arch = "arm64";

static void window_up(const char *mode)
{
    char path[512];
    oryx_error err = {0};
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = arch, .engine = getenv("MEM_ENGINE"),
                             .plugin_path = path, .window = mode};
    if (oryx_machine_new(&c, &m, &err))
        fail_msg("%s", err.text);
    s = oryx_space_get(m, "system");
    size_t all = SIZE + 2ull * ORYX_WINDOW_GUARD;
    reserved = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(reserved != MAP_FAILED);
    base = reserved + ORYX_WINDOW_GUARD;
    assert_int_equal(mprotect(base, SIZE, PROT_READ | PROT_WRITE), 0);
    ram = made("ram", (oryx_region_config){.name = "memory", .last = SIZE - 1, .host = base});
    put(ram, 0, 0);
    if (oryx_vcpu_new(m, NULL, &v, &err))
        fail_msg("%s", err.text);
}

/* Every address on itself: arm64's own MMU would do, but an embedder's is what a window asks for. */
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

static oryx_status open_window(uint32_t prot, oryx_error *err)
{
    oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = base, .size = SIZE, .mmu = flat, .prot = prot};
    oryx_vcpu_set_mmu(v, flat, NULL);
    oryx_status st = oryx_space_set_window(s, &w, err);
    had_window = st == ORYX_OK;
    return st;
}

static void down(void)
{
    oryx_machine_destroy(m);
    munmap(reserved, SIZE + 2ull * ORYX_WINDOW_GUARD);
}

static uint64_t faults(void)
{
    oryx_stats st = {.hdr = ORYX_HDR(oryx_stats)};
    oryx_machine_stats(m, &st);
    return st.window_faults;
}

static uint64_t fills(void)
{
    oryx_stats st = {.hdr = ORYX_HDR(oryx_stats)};
    oryx_machine_stats(m, &st);
    return st.tlb_fills;
}

static int jit(void)
{
    return !strcmp(oryx_machine_engine(m), "x64");
}

static void modes(void **state)
{
    (void)state;
    oryx_error err = {0};
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .window = "perhaps"};
    oryx_machine *none = NULL;
    assert_int_equal(oryx_machine_new(&c, &none, &err), ORYX_E_INVALID);
    assert_non_null(strstr(err.text, "perhaps"));
    struct sigaction before, now;
    sigaction(SIGSEGV, NULL, &before);
    static const char *const off[] = {NULL, "off"};
    for (int i = 0; i < 2; i++) {
        window_up(off[i]);
        assert_int_equal(open_window(ORYX_PROT_WRITE, &err), ORYX_E_UNSUPPORTED);
        guest_store(DATA, 8, 5);
        sigaction(SIGSEGV, NULL, &now);
        assert_true(now.sa_handler == before.sa_handler); /* no handler behind the caller's back */
        down();
    }
    window_up("auto");
    oryx_status st = open_window(ORYX_PROT_WRITE, &err);
    assert_int_equal(st, jit() ? ORYX_OK : ORYX_E_UNSUPPORTED);
    guest_store(DATA, 8, 5);
    assert_int_equal(base[DATA], 5);
    down();
    window_up("on");
    st = open_window(ORYX_PROT_WRITE, &err);
    assert_true(jit() ? st == ORYX_OK : st != ORYX_OK && st != ORYX_E_UNSUPPORTED && strstr(err.text, "engine"));
    oryx_window odd = {.hdr = ORYX_HDR(oryx_window), .host = base + 8, .size = SIZE, .prot = 1};
    assert_int_equal(oryx_space_set_window(s, &odd, &err), ORYX_E_INVALID);
    down();
    sigaction(SIGSEGV, NULL, &now);
    assert_true(now.sa_handler == before.sa_handler);
}

/* Direct accesses need no translation-cache entry; faulting ones are exact. */
static void serves(void **state)
{
    (void)state;
    window_up("auto");
    open_window(ORYX_PROT_READ | ORYX_PROT_WRITE, NULL);
    uint64_t n = fills(), value;
    for (unsigned size = 1; size <= 8; size *= 2) {
        guest_store(DATA + 16 * size, size, 0x8877665544332211u);
        value = 0;
        memcpy(&value, base + DATA + 16 * size, 8);
        assert_int_equal(value, size == 8 ? 0x8877665544332211u : 0x8877665544332211u & ((1ull << 8 * size) - 1));
        assert_int_equal(guest_load(DATA + 16 * size, size), value);
    }
    if (had_window)
        assert_int_equal(fills(), n);
    guest_store(DATA + 4092, 8, 0x1111111122222222u); /* over a page border */
    assert_int_equal(guest_load(DATA + 4096, 4), 0x11111111);
    /* Beyond it, and before it; far away; where nothing of the host's may be touched. */
    static const uint64_t bad[] = {SIZE, SIZE + 8, SIZE - 4 + 4096, 1ull << 31, 1ull << 32, 1ull << 39, 1ull << 46, 1ull << 47,
                                   1ull << 63, ~7ull, ~4095ull, ~(uint64_t)SIZE};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t own = (uint64_t)(uintptr_t)&had_window - (uint64_t)(uintptr_t)base;
        int keep = had_window;
        assert_int_equal(guest_read(bad[i], 8, &value), ORYX_FAULT_DECODE);
        assert_int_equal(last_exit.exc.addr, bad[i]);
        assert_int_equal(last_exit.exc.access, ORYX_ACCESS_READ);
        assert_int_equal(guest_write(bad[i], 4, 1), ORYX_FAULT_DECODE);
        assert_int_equal(last_exit.exc.access, ORYX_ACCESS_WRITE);
        assert_int_equal(guest_write(own, 4, 77), ORYX_FAULT_DECODE); /* a variable of this program */
        assert_int_equal(had_window, keep);
    }
    /* An access that begins inside and ends outside. */
    uint8_t last[4] = {1, 2, 3, 4};
    memcpy(base + SIZE - 4, last, 4);
    assert_int_equal(guest_write(SIZE - 4, 8, 0), ORYX_FAULT_DECODE);
    assert_memory_equal(base + SIZE - 4, last, 4);
    down();
}

/* What the owner forbids on the host faults there and is then asked of the core, whose own access ends the same way. */
static void owner_protects(void **state)
{
    (void)state;
    uint64_t value;
    window_up("auto");
    if (open_window(ORYX_PROT_READ | ORYX_PROT_WRITE, NULL)) {
        down();
        return; /* no window, no handler: the owner may not take pages away */
    }
    base[DATA] = 9;
    mprotect(base + DATA, 4096, PROT_READ);
    uint64_t n = faults();
    assert_int_equal(guest_load(DATA, 1), 9);
    assert_int_equal(faults(), n);
    assert_int_equal(guest_write(DATA, 1, 1), ORYX_FAULT_PROT);
    assert_int_equal(last_exit.pc, CODE);
    assert_true(faults() > n);
    mprotect(base + DATA, 4096, PROT_NONE);
    assert_int_equal(guest_read(DATA, 4, &value), ORYX_FAULT_PROT);
    assert_int_equal(guest_write(DATA - 4, 8, ~0ull), ORYX_FAULT_PROT); /* nothing of it is done */
    assert_int_equal(guest_load(DATA - 4, 4), 0);
    /* Debuggers are not stopped by it. */
    uint32_t poke = 0x12345678, peek = 0;
    assert_ok(oryx_space_write(s, DATA, &poke, 4, ORYX_ATTR_DEBUG));
    assert_ok(oryx_space_read(s, DATA, &peek, 4, ORYX_ATTR_DEBUG));
    assert_int_equal(peek, poke);
    mprotect(base + DATA, 4096, PROT_READ | PROT_WRITE);
    assert_int_equal(guest_load(DATA, 4), poke);
    guest_store(DATA, 4, 1);
    /* An instruction that faults again and again is compiled without the window, and stays exact. */
    mprotect(base + DATA, 4096, PROT_READ);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(guest_write(DATA, 4, (uint64_t)i), ORYX_FAULT_PROT);
        guest_store(DATA + 4096, 4, (uint64_t)i);
        assert_int_equal(guest_load(DATA + 4096, 4), (uint64_t)i);
    }
    mprotect(base + DATA, 4096, PROT_READ | PROT_WRITE);
    guest_store(DATA, 4, 55);
    assert_int_equal(base[DATA], 55);
    down();
}

/* A fault of the core's own access, in the middle of a block, leaves the guest's part of the host's FP units alone: sticky flags
 * not collected yet, and an x87 register that lives in the host's. (The kernel gives handlers a fresh unit.) */
static void fp_survives(void **state)
{
    (void)state;
    static const uint32_t divide[] = {0x1e621820 /* fdiv d0, d1, d2 */, 0xf9400023 /* ldr x3, [x1] */};
    static const uint32_t x87[] = {0x018be8d9 /* fld1; mov eax, [rcx] */};
    window_up("auto");
    if (open_window(ORYX_PROT_READ | ORYX_PROT_WRITE, NULL)) {
        down();
        return;
    }
    double one = 1, three = 3;
    uint64_t bits[2];
    memcpy(&bits[0], &one, 8);
    memcpy(&bits[1], &three, 8);
    reg_set("d1", bits[0]);
    reg_set("d2", bits[1]);
    reg_set("x1", DATA);
    mprotect(base + DATA, 4096, PROT_NONE);
    assert_int_equal(run_words(divide, 2, 2), ORYX_FAULT_PROT);
    assert_int_equal(last_exit.pc, CODE + 4);
    assert_int_equal(reg_get("fpsr"), 0x10); /* inexact */
    down();
    arch = "amd64";
    window_up("auto");
    open_window(ORYX_PROT_READ | ORYX_PROT_WRITE, NULL);
    mprotect(base + DATA, 4096, PROT_NONE);
    reg_set("rcx", DATA);
    assert_int_equal(run_words(x87, 1, 2), ORYX_FAULT_PROT);
    assert_int_equal(last_exit.insns, 1);
    assert_int_equal(reg_get("st0"), 0x8000000000000000u); /* 1.0: the low 64 bits */
    down();
    arch = "arm64";
}

static oryx_status device_read(void *opaque, oryx_access *a)
{
    ++*(unsigned *)opaque;
    a->value = 0x5a;
    return ORYX_OK;
}
static oryx_status device_write(void *opaque, const oryx_access *a)
{
    (void)a;
    *(unsigned *)opaque += 100;
    return ORYX_OK;
}

/* A device over the window closes it, its going opens it; logged memory takes no direct stores. */
static void closes(void **state)
{
    (void)state;
    unsigned calls = 0;
    oryx_error err = {0};
    oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops), .read = device_read, .write = device_write};
    window_up("auto");
    open_window(ORYX_PROT_READ | ORYX_PROT_WRITE, NULL);
    guest_store(DATA, 4, 7);
    oryx_region *device = made("io", (oryx_region_config){.name = "device", .last = 15, .io = &io, .opaque = &calls});
    put(device, DATA, 1);
    assert_int_equal(guest_load(DATA, 4), 0x5a);
    guest_store(DATA, 4, 1);
    assert_int_equal(calls, 101);
    assert_ok(oryx_region_remove(device, &err));
    assert_int_equal(guest_load(DATA, 4), 7);
    guest_store(DATA, 4, 8);
    assert_int_equal(calls, 101);
    uint64_t bits[SIZE / 4096 / 64];
    assert_ok(oryx_dirty_start(ram, ORYX_DIRTY_USER, &err));
    guest_store(DATA, 4, 9);
    assert_int_equal(guest_load(DATA, 4), 9);
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, DATA / 4096, 1, bits, 1), 1);
    guest_store(DATA + 8, 4, 10);
    assert_int_equal(oryx_dirty_take(ram, ORYX_DIRTY_USER, DATA / 4096, 1, bits, 1), 1);
    assert_ok(oryx_dirty_stop(ram, ORYX_DIRTY_USER, &err));
    /* Another MMU function than the window's: it is not for this vCPU. */
    oryx_vcpu_set_mmu(v, NULL, NULL);
    uint64_t n = fills();
    guest_store(DATA, 4, 11);
    assert_true(fills() > n);
    oryx_vcpu_set_mmu(v, flat, NULL);
    guest_store(DATA, 4, 12);
    assert_ok(oryx_space_set_window(s, NULL, NULL));
    guest_store(DATA, 4, 13);
    assert_int_equal(base[DATA], 13);
    down();
}

/* What is no plain memory of whole pages is reached over the window like anywhere: each lies over it in turn, takes the guest's
 * accesses, leaves the bytes beneath alone, and goes. */
static void never_in_it(void **state)
{
    (void)state;
    static uint8_t real[4096] __attribute__((aligned(4096)));
    unsigned calls = 0;
    oryx_error err = {0};
    oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops), .read = device_read, .write = device_write};
    window_up("auto");
    open_window(ORYX_PROT_READ | ORYX_PROT_WRITE, NULL);
    oryx_region *under = made("ram", (oryx_region_config){.name = "under", .last = 0xfff});
    oryx_region *const layers[] = {
        made("io", (oryx_region_config){.name = "io", .last = 0xfff, .io = &io, .opaque = &calls}),
        made("ram_device", (oryx_region_config){.name = "real", .last = 0xfff, .host = real}),
        made("quirk", (oryx_region_config){.name = "quirk", .last = 0xfff, .lower = under, .options = "{\"kind\":\"mask\",\"size\":4,\"and\":255}"}),
        made("ram", (oryx_region_config){.name = "small", .last = 15}), /* less than a page */
        made("ram", (oryx_region_config){.name = "other", .last = 0xfff}),
    };
    for (unsigned i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
        guest_store(DATA, 4, 0x11110000 + i); /* compiled with the window */
        assert_int_equal(guest_load(DATA, 4), 0x11110000 + i);
        put(layers[i], DATA, 1);
        guest_store(DATA, 4, 0x22);
        uint64_t got = guest_load(DATA, 4);
        assert_int_equal(got, i == 0 ? 0x5a : 0x22);
        assert_int_equal(*(uint32_t *)(void *)(base + DATA), 0x11110000 + i);
        guest_store(DATA + 0x2000, 4, i); /* the rest of the window's memory is there */
        assert_int_equal(guest_load(DATA + 0x2000, 4), i);
        assert_ok(oryx_region_remove(layers[i], &err));
        assert_int_equal(guest_load(DATA, 4), 0x11110000 + i);
        uint64_t n = fills();
        guest_store(DATA + 0x4000 + 0x1000 * i, 4, 1);
        if (had_window)
            assert_int_equal(fills(), n); /* open again */
    }
    assert_int_equal(calls, 101);
    assert_int_equal(real[0], 0x22);
    down();
}

/* --- whose fault it is ---------------------------------------------------------------------------------------------------- */
static sigjmp_buf back;
static volatile int caught;

static void mine(int sig, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    caught += sig;
    siglongjmp(back, 1);
}
static void simple(int sig)
{
    caught += 1000 + sig;
    siglongjmp(back, 1);
}

static int own_fault(void)
{
    volatile char *nothing = (volatile char *)reserved;
    caught = 0;
    if (!sigsetjmp(back, 1))
        *nothing = 1;
    return caught;
}

static void chains(void **state)
{
    (void)state;
    struct sigaction sa = {.sa_sigaction = mine, .sa_flags = SA_SIGINFO}, was, now;
    uint64_t value;
    sigaction(SIGSEGV, &sa, &was);
    window_up("auto");
    int open = !open_window(ORYX_PROT_WRITE, NULL);
    assert_int_equal(own_fault(), SIGSEGV); /* the program's own goes to its own handler */
    assert_int_equal(guest_read(SIZE + 0x10000, 4, &value), ORYX_FAULT_DECODE);
    assert_int_equal(own_fault(), SIGSEGV);
    caught = 0;
    if (!sigsetjmp(back, 1))
        raise(SIGSEGV); /* and so does one that is sent */
    assert_int_equal(caught, SIGSEGV);
    /* A handler behind the window's can be changed, and is told as it was set. */
    struct sigaction next = {.sa_handler = simple}, old;
    assert_int_equal(oryx_fault_action(SIGSEGV, &next, &old), 0);
    assert_true(old.sa_sigaction == mine);
    assert_int_equal(own_fault(), 1000 + SIGSEGV);
    guest_store(DATA, 4, 3);
    assert_int_equal(guest_load(DATA, 4), 3);
    /* Two machines: the handler stays until the last window goes. */
    oryx_machine *first = m;
    uint8_t *first_reserved = reserved;
    window_up("auto");
    open_window(ORYX_PROT_WRITE, NULL);
    guest_store(DATA, 4, 4);
    down();
    m = first;
    reserved = first_reserved;
    assert_int_equal(own_fault(), 1000 + SIGSEGV);
    sigaction(SIGSEGV, NULL, &now);
    assert_true(!open || now.sa_handler != simple);
    down();
    sigaction(SIGSEGV, NULL, &now);
    assert_true(now.sa_handler == simple);
    assert_int_equal(oryx_fault_action(SIGINT, NULL, &old), -EINVAL);
    assert_int_equal(oryx_fault_action(SIGSEGV, &was, NULL), 0); /* without a window it is sigaction */
    sigaction(SIGSEGV, NULL, &now);
    assert_true(now.sa_handler == was.sa_handler);
}

/* --- threads: each runs its own machine with faults of all kinds, while others come and go --------------------------------- */
static void *thread(void *arg)
{
    /* The helpers of guest.h keep their machine in statics: here everything is local. */
    char path[512];
    oryx_machine *own;
    oryx_vcpu *cpu;
    oryx_region *r;
    snprintf(path, sizeof(path), "%s/plugins", getenv("ORYX_BUILD"));
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = getenv("MEM_ENGINE"), .plugin_path = path, .window = "auto"};
    for (int round = 0; round < 5; round++) {
        if (oryx_machine_new(&c, &own, NULL))
            return arg;
        oryx_space *space = oryx_space_get(own, "system");
        uint8_t *all = mmap(NULL, SIZE + 2ull * ORYX_WINDOW_GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        uint8_t *at = all + ORYX_WINDOW_GUARD;
        mprotect(at, SIZE, PROT_READ | PROT_WRITE);
        oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config), .name = "memory", .last = SIZE - 1, .host = at};
        oryx_window w = {.hdr = ORYX_HDR(oryx_window), .host = at, .size = SIZE, .mmu = flat, .prot = ORYX_PROT_WRITE};
        if (oryx_region_new(own, "ram", &rc, &r, NULL) || oryx_region_add(oryx_space_root(space), 0, r, 0, NULL) ||
            oryx_vcpu_new(own, NULL, &cpu, NULL))
            return arg;
        oryx_vcpu_set_mmu(cpu, flat, NULL);
        oryx_space_set_window(space, &w, NULL);
        uint32_t words[] = {0xf9000020 /* str x0, [x1] */, 0xf9400022 /* ldr x2, [x1] */, 0x17fffffe /* b .-8 */};
        memcpy(at + CODE, words, sizeof words);
        int32_t x0 = oryx_reg_find(own, "x0"), x1 = oryx_reg_find(own, "x1"), x2 = oryx_reg_find(own, "x2");
        for (uint64_t i = 0; i < 200; i++) {
            uint64_t addr = i % 3 ? DATA + 8 * i : SIZE + 8 * i, got = 0;
            oryx_limits_run l = {.hdr = ORYX_HDR(oryx_limits_run), .count = 300};
            oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
            oryx_reg_write(cpu, x0, &i, 8);
            oryx_reg_write(cpu, x1, &addr, 8);
            oryx_vcpu_set_pc(cpu, CODE);
            oryx_vcpu_run(cpu, &l, &e);
            oryx_reg_read(cpu, x2, &got, 8);
            if (i % 3 ? e.reason != ORYX_EXIT_COUNT || got != i : e.reason != ORYX_EXIT_FAULT || e.exc.addr != addr)
                return arg;
        }
        oryx_machine_destroy(own);
        munmap(all, SIZE + 2ull * ORYX_WINDOW_GUARD);
    }
    return NULL;
}

static void threads(void **state)
{
    (void)state;
    static char failed[] = "failed";
    void *const what = failed;
    pthread_t t[4];
    void *bad;
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, thread, what);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes), cmocka_unit_test(serves), cmocka_unit_test(owner_protects), cmocka_unit_test(fp_survives),
        cmocka_unit_test(closes), cmocka_unit_test(never_in_it), cmocka_unit_test(chains), cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
