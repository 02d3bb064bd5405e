/* "allocation failure at every allocation in a scenario unwinds cleanly": a whole scenario (machine, spaces, regions of every
 * type, listener, devices and wires, dirty logging, mappings, probe, vCPU, run with self-modifying code and exclusives,
 * hot-unplug, saved state, destruction) is run again and again, and malloc fails at the n-th call of the process, whoever calls
 * it: the core, a plugin, a library. Once as a single failure, once for good. Nothing may crash or end the process, every
 * block must be given back, and the next run must work.
 *
 * malloc is this program's own, so libraries use it too; glibc's is behind it. Options: ENGINE STEP (every STEP-th call).
 * With sanitizers, which have a malloc of their own (OOM_SEAM), the core's allocations fail, by its seam; leaks are theirs to tell. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <oryx.h>

#ifdef OOM_SEAM
extern _Thread_local int64_t oryx__alloc_left;
#define left oryx__alloc_left
static int for_good;
static int64_t live, fired;
#else
#define EXPORT __attribute__((visibility("default"))) /* libraries call these */

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static _Thread_local int64_t left = -1; /* calls that still succeed; negative: all */
static int for_good;
static int64_t live, fired;

static int refused(void)
{
    if (left < 0)
        return 0;
    if (left > 0) {
        left--;
        return 0;
    }
    fired++;
    if (!for_good)
        left = -1;
    errno = ENOMEM;
    return 1;
}

EXPORT void *malloc(size_t n)
{
    void *p = refused() ? NULL : __libc_malloc(n);
    live += p != NULL;
    return p;
}

EXPORT void *calloc(size_t n, size_t size)
{
    void *p = refused() ? NULL : __libc_calloc(n, size);
    live += p != NULL;
    return p;
}

EXPORT void *realloc(void *p, size_t n)
{
    if (refused())
        return NULL;
    void *q = __libc_realloc(p, n);
    live += q && !p;
    return q;
}

EXPORT char *strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = refused() ? NULL : __libc_malloc(n);
    live += p != NULL;
    return p ? memcpy(p, text, n) : NULL;
}

EXPORT void free(void *p)
{
    live -= p != NULL;
    __libc_free(p);
}

#endif

static const char *engine;
static char plugins[512], file[64];

static oryx_status io_read(void *opaque, oryx_access *a)
{
    (void)opaque;
    a->value = 7;
    return ORYX_OK;
}

static oryx_status io_write(void *opaque, const oryx_access *a)
{
    (void)opaque;
    (void)a;
    return ORYX_OK;
}

static oryx_status translate(void *opaque, const oryx_access *a, oryx_iommu_entry *out)
{
    out->space = opaque;
    out->addr = a->offset;
    out->last = 0xfff;
    out->prot = ORYX_PROT_READ | ORYX_PROT_WRITE;
    return ORYX_OK;
}

static void row_told(void *opaque, const oryx_view_row *row)
{
    (void)opaque;
    (void)row;
}

/* A fetch of 0x1000: str w3, [x2] rewrites the nop behind it; exclusives; a device; then the same again. */
static const uint32_t code[] = {0xb9000043, 0xd503201f, 0xc85f7c20, 0xc8047c20, 0xf9400085, 0x91000400, 0x17fffffa};

static oryx_status region(oryx_machine *m, const char *type, oryx_region_config c, uint64_t addr, oryx_region **out, oryx_error *err)
{
    oryx_space *s = oryx_space_get(m, "system");
    c.hdr = (oryx_hdr)ORYX_HDR(oryx_region_config);
    c.name = type;
    oryx_status st = oryx_region_new(m, type, &c, out, err);
    return st ? st : oryx_region_add(oryx_space_root(s), addr, *out, 0, err);
}

#define TRY(call)          \
    do {                   \
        if ((st = (call))) \
            goto out;      \
    } while (0)

static void set(oryx_machine *m, oryx_vcpu *v, const char *name, uint64_t value)
{
    oryx_reg_write(v, oryx_reg_find(m, name), &value, 8);
}

static oryx_status scenario(oryx_error *err)
{
    static const oryx_io_ops io = {.hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write};
    static const oryx_iommu_ops iommu = {.hdr = ORYX_HDR(oryx_iommu_ops), .translate = translate};
    static const oryx_listener_ops listener = {.hdr = ORYX_HDR(oryx_listener_ops), .added = row_told, .removed = row_told};
    static uint8_t device_memory[4096];
    oryx_machine_config c = {.hdr = ORYX_HDR(oryx_machine_config), .arch = "arm64", .engine = engine, .plugin_path = plugins};
    oryx_machine *m = NULL;
    oryx_vcpu *v = NULL;
    oryx_region *ram = NULL, *dev = NULL, *r = NULL;
    oryx_space *bus = NULL;
    oryx_listener *l = NULL;
    oryx_device *pic = NULL, *timer = NULL;
    oryx_probe *probe = NULL;
    oryx_snapshot *snap = NULL, *inner = NULL;
    oryx_watch *watch = NULL, *other = NULL;
    char *json = NULL;
    oryx_status st;
    *err = (oryx_error){0};
    TRY(oryx_machine_new(&c, &m, err));
    oryx_space *s = oryx_space_get(m, "system");
    TRY(oryx_listener_add(s, &listener, NULL, &l, err));
    TRY(region(m, "ram", (oryx_region_config){.last = 0xffff}, 0, &ram, err));
    TRY(region(m, "io", (oryx_region_config){.last = 0xff, .io = &io}, 0x100000, &dev, err));
    TRY(region(m, "ram_device", (oryx_region_config){.last = 0xfff, .host = device_memory}, 0x101000, &r, err));
    TRY(region(m, "quirk", (oryx_region_config){.last = 0xff, .lower = dev, .options =
        "{\"kind\":\"register\",\"registers\":[{\"offset\":0,\"size\":4,\"value\":5}]}"}, 0x102000, &r, err));
    TRY(region(m, "alias", (oryx_region_config){.last = 0xfff, .target = ram}, 0x200000, &r, err));
    TRY(region(m, "container", (oryx_region_config){.last = 0xfff}, 0x300000, &r, err));
    TRY(oryx_space_new(m, "bus", &bus, err));
    TRY(region(m, "iommu", (oryx_region_config){.last = 0xffff, .iommu = &iommu, .opaque = s}, 0x400000, &r, err));
    oryx_txn_begin(m);
    oryx_status moved = oryx_region_move(r, 0x500000, err);
    st = oryx_txn_commit(m, err);
    TRY(moved ? moved : st);
    TRY(oryx_device_new(m, "irqchip", "pic", NULL, &pic, err));
    TRY(oryx_device_new(m, "timer", "timer", NULL, &timer, err));
    TRY(oryx_device_map(pic, 0, s, 0x600000, err));
    TRY(oryx_device_map(timer, 0, s, 0x601000, err));
    TRY(oryx_device_connect(timer, 0, pic, 3, err));
    TRY(oryx_probe_attach(m, "probe-count", "{\"output\":\"/dev/null\"}", &probe, err));
    TRY(oryx_vcpu_new(m, NULL, &v, err));
    TRY(oryx_symbol_add(m, "loop", 0x1000, sizeof(code)));
    TRY(oryx_space_write(s, 0x1000, code, sizeof(code), 0));
    TRY(oryx_dirty_start(ram, ORYX_DIRTY_USER, err));
    set(m, v, "x1", 0x3000);
    set(m, v, "x2", 0x1004);
    set(m, v, "x3", 0xd503201f);
    set(m, v, "x4", 0x100000);
    oryx_vcpu_set_pc(v, 0x1000);
    const uint64_t until = 0x9000;
    oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .count = 60, .until = &until, .n_until = 1};
    oryx_exit e = {.hdr = ORYX_HDR(oryx_exit)};
    TRY(oryx_vcpu_run(v, &limits, &e));
    if (e.reason == ORYX_EXIT_ERROR) {
        *err = e.error;
        st = e.error.code ? e.error.code : ORYX_E_INTERNAL;
        goto out;
    }
    if (e.reason == ORYX_EXIT_EXCEPTION && e.exc.kind == ORYX_EXC_INTERNAL && e.exc.status == ORYX_E_NOMEM) {
        st = ORYX_E_NOMEM; /* an engine without memory for what a store to the running block needs */
        goto out;
    }
    if (e.reason != ORYX_EXIT_COUNT || e.insns != 60) {
        left = -1;
        printf("FAIL the run left by %s (%s at 0x%" PRIx64 ") after %" PRIu64 ", failures: %" PRId64 "\n", oryx_exit_text(e.reason),
               oryx_exc_text(e.exc.kind), e.exc.pc, e.insns, fired);
        exit(1);
    }
    /* Watched, and between two snapshots, whose pages are kept as it stores; then back. */
    oryx_watch_config wc = {.hdr = ORYX_HDR(oryx_watch_config), .addr = 0x3000, .size = 4, .flags = ORYX_WATCH_READ | ORYX_WATCH_WRITE, .space = s};
    TRY(oryx_dirty_stop(ram, ORYX_DIRTY_USER, err));
    const oryx_snapshot_config skip = {.hdr = ORYX_HDR(oryx_snapshot_config), .flags = ORYX_SNAPSHOT_SKIP};
    TRY(oryx_snapshot_take(m, &skip, &snap, err));
    TRY(oryx_watch_add(m, &wc, &watch, err));
    wc.flags = ORYX_WATCH_EXEC;
    wc.addr = 0x1014;
    TRY(oryx_watch_add(m, &wc, &other, err));
    for (unsigned i = 0, hits = 0; i < 4; i++) {
        oryx_limits_run few = {.hdr = ORYX_HDR(oryx_limits_run), .count = 14, .skip_first = i > 0};
        TRY(oryx_vcpu_run(v, &few, &e));
        if (e.reason == ORYX_EXIT_ERROR) {
            *err = e.error;
            st = e.error.code ? e.error.code : ORYX_E_INTERNAL;
            goto out;
        }
        if (e.reason == ORYX_EXIT_EXCEPTION && e.exc.kind == ORYX_EXC_INTERNAL) {
            st = ORYX_E_NOMEM;
            goto out;
        }
        hits += oryx_vcpu_hits(v, NULL, 0);
        if (i == 1)
            TRY(oryx_snapshot_take(m, NULL, &inner, err));
        if (i == 3 && !hits) {
            left = -1;
            printf("FAIL nothing was told of a watch\n");
            exit(1);
        }
    }
    st = oryx_snapshot_restore(inner, err);
    if (!st)
        st = oryx_snapshot_restore(snap, err);
    if (!st && oryx_vcpu_insns(v) != 60) {
        left = -1;
        printf("FAIL a restored vCPU has executed %" PRIu64 " instructions\n", oryx_vcpu_insns(v));
        exit(1);
    }
    TRY(st);
    oryx_snapshot_drop(snap);
    oryx_snapshot_drop(inner);
    oryx_watch_remove(watch);
    oryx_watch_remove(other);
    oryx_mapping map = {.hdr = ORYX_HDR(oryx_mapping)};
    TRY(oryx_space_map(s, 0x100000, 64, 0, NULL, &map, err));
    oryx_space_unmap(&map, 0);
    TRY(oryx_region_enable(ram, 0, err));
    TRY(oryx_region_enable(ram, 1, err));
    /* A file of it all, and back. */
    TRY(oryx_snapshot_save(m, &skip, file, err));
    TRY(oryx_snapshot_load(m, file, err));
    TRY(oryx_device_save(timer, &json, err));
    TRY(oryx_device_load(timer, json, err));
    TRY(oryx_device_unmap(timer, err));
    oryx_device_destroy(timer);
    oryx_listener_remove(l);
    l = NULL;
out:
#ifdef OOM_SEAM
    fired = left == 0;
#endif
    left = -1; /* what destroys must not need memory; a failure for good ends here so that the next run starts well */
    free(json);
    oryx_machine_destroy(m);
    return st;
}

int main(int argc, char **argv)
{
    oryx_error err;
    engine = argc > 1 ? argv[1] : NULL;
    int64_t step = argc > 2 ? atoll(argv[2]) : 1, runs = 0, told = 0, last = 0, texts = 0;
    char *build = realpath(getenv("ORYX_BUILD") ? getenv("ORYX_BUILD") : ".", NULL);
    snprintf(plugins, sizeof(plugins), "%s/plugins", build ? build : ".");
    free(build);
    /* A snapshot is synced: where that costs nothing. */
    snprintf(file, sizeof(file), "%s/oryx-oom-%ld.snap", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
    /* Twice: what is made once in a process is made now. */
    for (int i = 0; i < 2; i++) {
        if (scenario(&err)) {
            printf("FAIL without failures: %s\n", err.text);
            return 1;
        }
    }
    for (for_good = 0; for_good < 2; for_good++) {
        for (int64_t n = 0;; n += step) {
            int64_t before = live;
            fired = 0;
            left = n;
            oryx_status st = scenario(&err);
            left = -1;
            if (!fired)
                break;
            runs++;
            told += st != ORYX_OK;
            texts += st != ORYX_OK && *err.text;
            last = n;
            if (live != before) {
                printf("FAIL call %" PRId64 "%s: %" PRId64 " blocks are not given back (%s)\n", n, for_good ? " and later" : "",
                       live - before, err.text);
                return 1;
            }
            if (n % 64 < step && scenario(&err)) {
                printf("FAIL after a failure of call %" PRId64 " the scenario does not work: %s\n", n, err.text);
                return 1;
            }
        }
    }
    unlink(file);
    printf("%" PRId64 " failures up to call %" PRId64 ": %" PRId64 " told by a status, %" PRId64 " with text, the rest did without\n", runs,
           last, told, texts);
    return runs < 100 || !told;
}
