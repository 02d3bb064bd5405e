/* The fake machine of mem_fake.h.
 * Owns: the record of reported code writes. Called by: test_mem_*.c.
 * Invariant: nothing of the core but the memory files and error.c is linked; region plugins are
 * the built ones. */
#include <dlfcn.h>

#include "exec.h"
#include "mem_fake.h"
#include "watch.h"
#include "window.h"

struct fake_written fake_written[64];
unsigned fake_n_written;
int fake_drop;

void oryx__code_written(oryx_space *s, uint64_t phys, uint64_t size, oryx_cpu *cpu)
{
    (void)cpu;
    if (fake_n_written < 64)
        fake_written[fake_n_written] = (struct fake_written){s, phys, size};
    fake_n_written++;
    if (fake_drop)
        oryx__code_page_set(s, phys >> ORYX_PAGE_BITS, 0);
}

/* No window here. */
void oryx__window_update(oryx_machine *m)
{
    (void)m;
}

void oryx__window_exclusives(oryx_machine *m)
{
    (void)m;
}

void oryx__window_close(oryx_space *s)
{
    (void)s;
}

bool oryx__window_copy(const oryx_space *s, uint8_t *host, uint8_t *buf, uint64_t n, int write)
{
    (void)s;
    memcpy(write ? host : buf, write ? buf : host, n);
    return true;
}

void oryx__guard_arm(oryx__guard *g, const oryx_space *s)
{
    (void)g;
    (void)s;
}

void oryx__guard_disarm(oryx__guard *g)
{
    (void)g;
}

void oryx__breaks_set(oryx_machine *m, const struct oryx__watch_set *set, oryx_space *s, uint64_t lo, uint64_t hi, bool changed)
{
    (void)m;
    (void)set;
    (void)s;
    (void)lo;
    (void)hi;
    (void)changed;
}

void oryx__vcpu_request(oryx_vcpu *v, uint32_t request)
{
    atomic_fetch_or(&v->requests, request);
}

void oryx__vcpu_wake(oryx_vcpu *v)
{
    (void)v;
}

void oryx__tbs_flush(oryx_machine *m)
{
    (void)m;
    fake_n_written++;
}

uint64_t oryx_machine_vtime(oryx_machine *m)
{
    (void)m;
    return 12345;
}

void oryx_machine_advance(oryx_machine *m, uint64_t ns)
{
    (void)m;
    (void)ns;
}

uint64_t oryx_vcpu_pc(oryx_vcpu *v)
{
    (void)v;
    return 0x1000;
}

const oryx_host oryx__host = {
    .hdr = ORYX_HDR(oryx_host),
    .status_text = oryx_status_text,
    .error_set = oryx_error_set,
    .region_access = oryx_region_access,
    .region_direct = oryx_region_direct,
    .region_last = oryx_region_last,
    .region_machine = oryx_region_machine,
    .vcpu_pc = oryx_vcpu_pc,
    .machine_advance = oryx_machine_advance,
};

/* Type "prefix": a page whose first half is direct memory. */
static uint8_t prefix_bytes[4096] __attribute__((aligned(4096)));

static oryx_status prefix_create(const oryx_host *host, oryx_region *region,
                                 const oryx_region_config *config, void **self, oryx_error *err)
{
    (void)host;
    (void)region;
    (void)config;
    (void)err;
    *self = prefix_bytes;
    return ORYX_OK;
}

static void prefix_destroy(void *self)
{
    (void)self;
}

static oryx_status prefix_access(void *self, oryx_access *a)
{
    (void)self;
    a->value = 0;
    return ORYX_OK;
}

static oryx_status prefix_direct(void *self, uint64_t offset, oryx_direct *out)
{
    out->host = (uint8_t *)self + offset;
    out->last = 2047 - offset;
    out->flags = ORYX_DIRECT_BULK;
    out->prot = ORYX_PROT_ALL;
    return offset < 2048 ? ORYX_OK : ORYX_E_UNSUPPORTED;
}

static const oryx_region_ops prefix_ops = {
    .hdr = ORYX_HDR(oryx_region_ops),
    .type = "prefix",
    .create = prefix_create,
    .destroy = prefix_destroy,
    .access = prefix_access,
    .direct = prefix_direct,
};

/* class -> plugin file: the plugins of this build. */
const void *oryx_plugin_interface(oryx_machine *m, const char *interface, const char *cls,
                                  oryx_error *err)
{
    static const char *const files[][2] = {{"ram", "region-ram"},
                                           {"ram_device", "region-ram-device"},
                                           {"io", "region-io"},
                                           {"quirk", "region-quirk"}};
    static const oryx_plugin_ops *loaded[4];
    if (!strcmp(cls, "prefix"))
        return &prefix_ops;
    (void)m;
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(files[i][0], cls))
            continue;
        if (loaded[i])
            return loaded[i]->get(interface, cls);
        char path[512];
        snprintf(path, sizeof(path), "%s/plugins/%s.so",
                 getenv("ORYX_BUILD") ? getenv("ORYX_BUILD") : ".", files[i][1]);
        void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        oryx_plugin_open_fn open = so ? (oryx_plugin_open_fn)dlsym(so, ORYX_PLUGIN_ENTRY) : NULL;
        const oryx_plugin_ops *ops = NULL;
        if (open && !open(&oryx__host.hdr, &ops, err)) {
            loaded[i] = ops;
            return ops->get(interface, cls);
        }
        fprintf(stderr, "%s\n", dlerror());
    }
    oryx__error(err, ORYX_E_NOTFOUND, "no plugin provides %s %s", interface, cls);
    return NULL;
}

oryx_machine *fake_machine(void)
{
    static const oryx_arch_ops flat = {.hdr = ORYX_HDR(oryx_arch_ops), .name = "flat"};
    oryx_machine *m = calloc(1, sizeof(*m));
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    m->arch = &flat;
    m->vcpus = g_ptr_array_new();
    fake_n_written = 0;
    fake_drop = 0;
    assert_ok(oryx__mem_create(m, NULL));
    return m;
}

void fake_machine_free(oryx_machine *m)
{
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        oryx__tlb_destroy(v);
        free(v->cpu);
        free(v);
    }
    oryx__mem_destroy(m);
    g_ptr_array_free(m->vcpus, TRUE);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

oryx_vcpu *fake_vcpu(oryx_machine *m)
{
    oryx_vcpu *v = calloc(1, sizeof(*v));
    v->cpu = calloc(1, sizeof(*v->cpu));
    v->machine = v->cpu->machine = m;
    v->cpu->vcpu = v;
    v->cpu->fn = &oryx__cpu_mem_fns;
    v->space = oryx_space_get(m, "system");
    v->thread = pthread_self();
    v->running = 1;
    assert_ok(oryx__tlb_create(v, NULL));
    pthread_mutex_lock(&m->lock);
    g_ptr_array_add(m->vcpus, v);
    m->several = m->vcpus->len > 1;
    pthread_mutex_unlock(&m->lock);
    return v;
}

static oryx_region *make(oryx_machine *m, const char *type, const oryx_region_config *c)
{
    oryx_region *r = NULL;
    oryx_error err = {0};
    if (oryx_region_new(m, type, c, &r, &err))
        fail_msg("%s: %s", c->name, err.text);
    return r;
}

oryx_region *fake_region(oryx_machine *m, const char *type, const char *name, uint64_t size)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config), .name = name, .last = size - 1};
    return make(m, type, &c);
}

oryx_region *fake_ram(oryx_machine *m, const char *name, uint64_t size, void *host)
{
    oryx_region_config c = {
        .hdr = ORYX_HDR(oryx_region_config), .name = name, .last = size - 1, .host = host};
    return make(m, "ram", &c);
}

oryx_region *fake_alias(oryx_machine *m, const char *name, uint64_t size, oryx_region *target,
                        uint64_t offset)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = name,
                            .last = size - 1,
                            .target = target,
                            .target_offset = offset};
    return make(m, "alias", &c);
}

oryx_region *fake_io(oryx_machine *m, const char *name, uint64_t size, const oryx_io_ops *io,
                     void *opaque)
{
    oryx_region_config c = {.hdr = ORYX_HDR(oryx_region_config),
                            .name = name,
                            .last = size - 1,
                            .io = io,
                            .opaque = opaque};
    return make(m, "io", &c);
}

oryx_space *fake_space(oryx_machine *m)
{
    return oryx_space_get(m, "system");
}

oryx_region *fake_root(oryx_machine *m)
{
    return oryx_space_root(fake_space(m));
}

void fake_add(oryx_region *parent, uint64_t at, oryx_region *child, int32_t priority)
{
    oryx_error err = {0};
    if (oryx_region_add(parent, at, child, priority, &err))
        fail_msg("%s", err.text);
}
