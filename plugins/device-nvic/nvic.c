/* Device model "nvic": the system control space of an Arm M-profile CPU (class "armm") at 0xE000E000: interrupt controller, system
 * control block, MPU registers, SysTick.
 * Owns: the struct oryx_scs that it shares with its vCPU, one io region of 4 KiB, the device's alarm. Called by: the core
 * through oryx_device_ops (irq_in from any thread), region-io for accesses.
 * Invariant: whatever makes an exception possible is followed by nvic_kick, so the CPU looks before its next block.
 *
 * Input n is interrupt n (exception 16 + n), a level; a pulse pends as an edge does. Output 0 is SYSRESETREQ, a pulse: the CPU and
 * this device start over by themselves, whoever else shall hears the line.
 *
 * Options: "cpu", the number of the vCPU (0); "interrupts", 0 to 496 (32); "priority_bits", 2 to 8 (8, v6-M has 2); "hz", of the
 * processor clock (1000000000: a tick a virtual nanosecond, which is an instruction); "ref_hz", of SysTick's reference clock (0: none);
 * "vtor", of the vector table after reset (0); "mpu_regions" (as the CPU model has).
 * Accesses: words; bytes and halfwords of priorities and CFSR too. Unprivileged ones are refused, but for STIR as CCR says. */

#include "helper/oryx_manifest.h"
#include "nvic.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "device-nvic",
    "version" : "1.0.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.device/1", "class" : "nvic"} ],
    "requires" : [ {"id" : "region-io", "range" : ">=1.0.0"} ],
    "thread" : "any"
}));

/* Options, as they are after every reset. */
typedef struct options {
    uint64_t cpu, interrupts, priority_bits, hz, ref_hz, vtor, mpu_regions;
} options;

typedef struct model {
    nvic d; /* first */
    options o;
} model;

/* --- The vCPU -------------------------------------------------------------------------------------------------------- */

static void line(nvic *d, uint32_t n)
{
    oryx_vcpu *v = d->host->machine_vcpu(d->machine, d->cpu);
    if (v)
        d->host->vcpu_irq(v, n, 1);
}

void nvic_kick(nvic *d)
{
    line(d, ORYX_SCS_LINE_SCS);
}

void nvic_flush(nvic *d)
{
    oryx_vcpu *v = d->host->machine_vcpu(d->machine, d->cpu);
    if (v)
        d->host->vcpu_tlb_flush(v, 0, 0);
}

void nvic_pend(nvic *d, uint32_t n, uint32_t on)
{
    uint32_t was = oryx_scs_get(d->scs.pending, n);
    oryx_scs_put(d->scs.pending, n, on);
    if (on && !was && d->scs.scr & 16) /* SEVONPEND */
        line(d, ORYX_SCS_LINE_EVENT);
    nvic_kick(d);
}

static void nvic_in(void *self, uint32_t n, uint32_t level)
{
    nvic *d = self;
    n += 16;
    if (n >= d->scs.n_exceptions)
        return;
    oryx_scs_put(d->scs.line, n, level);
    if (level)
        nvic_pend(d, n, 1);
}

static void nvic_alarm(void *self, uint64_t now)
{
    nvic *d = self;
    (void)now;
    pthread_mutex_lock(&d->lock);
    systick_catch_up(d);
    systick_arm(d);
    pthread_mutex_unlock(&d->lock);
}

/* --- Accesses ----------------------------------------------------------------------------------------------------------- */

static int allowed(const nvic *d, const oryx_access *a, int write)
{
    uint32_t at = (uint32_t)a->offset;
    if (a->attrs & ORYX_ATTR_USER && !(write && at == 0xf00 && d->scs.ccr & 2))
        return 0;
    return a->size == 4 || (at >= 0x400 && at < 0x600) || (at >= 0xd18 && at < 0xd24) || (at >= 0xd28 && at < 0xd2c);
}

static uint32_t mask_of(const oryx_access *a)
{
    return (a->size == 4 ? UINT32_MAX : (1u << 8 * a->size) - 1) << 8 * (a->offset & 3);
}

static oryx_status read_word(nvic *d, oryx_access *a, uint32_t peek)
{
    uint32_t v = nvic_read(d, (uint32_t)a->offset & ~3u, peek) & mask_of(a);
    a->value = v >> 8 * (a->offset & 3);
    return ORYX_OK;
}

static oryx_status io_read(void *self, oryx_access *a)
{
    return allowed(self, a, 0) ? read_word(self, a, 0) : ORYX_FAULT_DEVICE;
}

static oryx_status io_peek(void *self, oryx_access *a)
{
    return read_word(self, a, 1);
}

static oryx_status io_write(void *self, const oryx_access *a)
{
    if (!allowed(self, a, 1))
        return ORYX_FAULT_DEVICE;
    nvic_write(self, (uint32_t)a->offset & ~3u, mask_of(a), (uint32_t)a->value << 8 * (a->offset & 3));
    return ORYX_OK;
}

static const oryx_io_ops io_ops = { .hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write, .peek = io_peek,
                                    .valid = { .min = 1, .max = 4 }, .impl = { .min = 1, .max = 4 } };

/* --- Life --------------------------------------------------------------------------------------------------------------- */

void nvic_clear(nvic *d)
{
    const options *o = &((model *)(void *)d)->o;
    oryx_scs *s = &d->scs;
    uint32_t main = s->features & ORYX_SCS_MAIN, v8 = s->arch == 8;
    memset(s->priority, 0, sizeof s->priority);
    for (uint32_t w = 0; w < ORYX_SCS_WORDS; w++) {
        /* Levels that are there pend again. */
        __atomic_store_n(&s->pending[w], __atomic_load_n(&s->line[w], __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
        s->active[w] = s->enabled[w] = 0;
    }
    s->enabled[0] = 1u << 2 | 1u << 3 | 1u << 11 | 1u << 14 | 1u << 15;
    s->current = s->lockup = 0;
    s->vtor = (uint32_t)o->vtor;
    s->aircr = s->scr = s->cfsr = s->hfsr = s->dfsr = s->mmfar = s->bfar = s->cpacr = s->demcr = 0;
    s->ccr = !main && !v8 ? 0x208 : v8 ? 0x201 | (main ? 0 : 8) : 0x200;
    s->fpccr = s->features & ORYX_SCS_FP ? 0xc0000000 : 0;
    s->fpcar = s->fpdscr = 0;
    s->mpu_ctrl = s->mpu_rnr = 0;
    memset(s->mpu_rbar, 0, sizeof s->mpu_rbar);
    memset(s->mpu_rasr, 0, sizeof s->mpu_rasr);
    memset(s->mpu_mair, 0, sizeof s->mpu_mair);
    s->priority_mask = 0xff00u >> (main ? o->priority_bits : 2) & 0xff;
    s->n_regions = o->mpu_regions < s->mpu_regions ? (uint32_t)o->mpu_regions : s->mpu_regions;
    pthread_mutex_lock(&d->lock);
    d->tick.csr = d->tick.ref_hz ? 0 : 4;
    d->tick.reload = d->tick.start = 0;
    d->tick.from = d->tick.seen = systick_now(d);
    systick_arm(d);
    pthread_mutex_unlock(&d->lock);
    nvic_flush(d);
}

/* The CPU is there: what it has decides what registers begin with. */
static void identified(oryx_scs *s)
{
    nvic_clear((nvic *)(void *)s);
}

static oryx_status nvic_reset(void *self)
{
    nvic *d = self;
    nvic_clear(d);
    d->scs.reset_request = 1;
    nvic_kick(d);
    return ORYX_OK;
}

static void nvic_destroy(void *self)
{
    nvic *d = self;
    if (d->attached)
        d->host->machine_attach(d->machine, d->cpu, ORYX_SCS_ID, NULL);
    if (d->region)
        d->host->region_destroy(d->region, NULL);
    pthread_mutex_destroy(&d->lock);
    free(self);
}

static oryx_status parse(model *m, const char *text, oryx_error *err)
{
#define ROW(member, min, max) ORYX_OPTION(options, member, #member, ORYX_OPTION_NUMBER, min, max, NULL)
    static const oryx_option known[] = { ROW(cpu, 0, 255),           ROW(interrupts, 0, 496), ROW(priority_bits, 2, 8), ROW(hz, 1, 10000000000),
                                         ROW(ref_hz, 0, 10000000000), ROW(vtor, 0, UINT32_MAX), ROW(mpu_regions, 0, 16) };
#undef ROW
    oryx_json *tree;
    oryx_status st = oryx_options_read(m->d.host, m->d.dev, "nvic", text, known, sizeof known / sizeof known[0], &m->o, &tree, err);
    free(tree);
    return st;
}

static oryx_status nvic_create(const oryx_host *host, oryx_device *dev, const char *text, void **self, oryx_error *err)
{
    model *m = calloc(1, sizeof *m);
    if (!m)
        return host->error_set(err, ORYX_E_NOMEM, "nvic: out of memory");
    nvic *d = &m->d;
    *d = (nvic){ .scs = { .hdr = ORYX_HDR(oryx_scs), .identified = identified }, .host = host, .dev = dev, .machine = host->device_machine(dev) };
    m->o = (options){ .interrupts = 32, .priority_bits = 8, .hz = 1000000000, .mpu_regions = 16 };
    pthread_mutex_init(&d->lock, NULL);
    oryx_region_config c = { .hdr = ORYX_HDR(oryx_region_config), .name = host->device_name(dev), .last = 0xfff,
                             .prot = ORYX_PROT_READ | ORYX_PROT_WRITE, .io = &io_ops, .opaque = d };
    oryx_status st = parse(m, text, err);
    if (!st)
        st = host->region_new(d->machine, "io", &c, &d->region, err);
    if (!st) {
        d->cpu = (uint32_t)m->o.cpu;
        d->tick.hz = m->o.hz;
        d->tick.ref_hz = m->o.ref_hz;
        d->scs.n_exceptions = 16 + (uint32_t)m->o.interrupts;
        st = host->machine_attach(d->machine, d->cpu, ORYX_SCS_ID, &d->scs);
        d->attached = !st;
        if (st)
            oryx_device_fail(host, dev, "nvic", err, st,
                             st == ORYX_E_BUSY ? "that CPU has another one; give each its own \"cpu\"" : "only CPUs of class 'armm' have one");
    }
    if (st) {
        nvic_destroy(m);
        return st;
    }
    nvic_clear(d);
    *self = m;
    return ORYX_OK;
}

static oryx_region *nvic_region(void *self, uint32_t n)
{
    return n == 0 ? ((nvic *)self)->region : NULL;
}

/* --- State ---------------------------------------------------------------------------------------------------------------- */

static const oryx_state_row rows[] = {
    ORYX_STATE_ARRAY(nvic, scs.pending, 16), ORYX_STATE_ARRAY(nvic, scs.active, 16), ORYX_STATE_ARRAY(nvic, scs.enabled, 16),
    ORYX_STATE_ARRAY(nvic, scs.line, 16), ORYX_STATE_ARRAY(nvic, scs.priority, 512), ORYX_STATE(nvic, scs.current),
    ORYX_STATE(nvic, scs.lockup), ORYX_STATE(nvic, scs.reset_request), ORYX_STATE(nvic, scs.vtor), ORYX_STATE(nvic, scs.aircr),
    ORYX_STATE(nvic, scs.scr), ORYX_STATE(nvic, scs.ccr), ORYX_STATE(nvic, scs.cfsr), ORYX_STATE(nvic, scs.hfsr),
    ORYX_STATE(nvic, scs.dfsr), ORYX_STATE(nvic, scs.mmfar), ORYX_STATE(nvic, scs.bfar), ORYX_STATE(nvic, scs.cpacr),
    ORYX_STATE(nvic, scs.demcr), ORYX_STATE(nvic, scs.fpccr), ORYX_STATE(nvic, scs.fpcar), ORYX_STATE(nvic, scs.fpdscr),
    ORYX_STATE(nvic, scs.mpu_ctrl), ORYX_STATE(nvic, scs.mpu_rnr), ORYX_STATE_ARRAY(nvic, scs.mpu_rbar, 16),
    ORYX_STATE_ARRAY(nvic, scs.mpu_rasr, 16), ORYX_STATE_ARRAY(nvic, scs.mpu_mair, 2), ORYX_STATE(nvic, tick.csr),
    ORYX_STATE(nvic, tick.reload), ORYX_STATE(nvic, tick.start), ORYX_STATE(nvic, age), ORYX_STATE(nvic, unseen),
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static oryx_status nvic_save(void *self, char **json, oryx_error *err)
{
    nvic *d = self;
    pthread_mutex_lock(&d->lock);
    uint64_t now = systick_now(d);
    d->age = now - d->tick.from;
    d->unseen = now - d->tick.seen;
    *json = oryx_state_save(d, rows, N_ROWS, 1);
    pthread_mutex_unlock(&d->lock);
    return *json ? ORYX_OK : oryx_device_fail(d->host, d->dev, "nvic", err, ORYX_E_NOMEM, "out of memory");
}

static oryx_status nvic_load(void *self, const char *json, oryx_error *err)
{
    nvic *d = self, *s = malloc(sizeof *s);
    char text[160];
    if (!s)
        return oryx_device_fail(d->host, d->dev, "nvic", err, ORYX_E_NOMEM, "out of memory");
    *s = *d;
    const char *bad = oryx_state_load(s, rows, N_ROWS, 1, json);
    for (uint32_t n = d->scs.n_exceptions; n < ORYX_SCS_EXCEPTIONS && !bad; n++)
        bad = oryx_scs_get(s->scs.pending, n) || oryx_scs_get(s->scs.active, n) ? "interrupts" : NULL;
    if (bad) {
        snprintf(text, sizeof text, "state: field '%s' is missing or out of range; use a state that save wrote", bad);
        free(s);
        return oryx_device_fail(d->host, d->dev, "nvic", err, ORYX_E_FORMAT, text);
    }
    pthread_mutex_lock(&d->lock);
    d->scs = s->scs;
    d->tick = s->tick;
    uint64_t now = systick_now(d);
    d->tick.from = now - s->age; /* may be before virtual time began: differences are what counts */
    d->tick.seen = now - s->unseen;
    systick_arm(d);
    pthread_mutex_unlock(&d->lock);
    free(s);
    nvic_flush(d);
    nvic_kick(d);
    return ORYX_OK;
}

static const oryx_device_ops ops = {
    .hdr = ORYX_HDR(oryx_device_ops),
    .name = "nvic",
    .options = "{\"type\":\"object\",\"properties\":{"
               "\"cpu\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"number of the vCPU\"},"
               "\"interrupts\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":496},"
               "\"priority_bits\":{\"type\":\"integer\",\"minimum\":2,\"maximum\":8},"
               "\"hz\":{\"type\":\"integer\",\"minimum\":1,\"description\":\"processor clock\"},"
               "\"ref_hz\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"reference clock of SysTick, 0: none\"},"
               "\"vtor\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"vector table after reset\"},"
               "\"mpu_regions\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":16}}}",
    .create = nvic_create,
    .destroy = nvic_destroy,
    .reset = nvic_reset,
    .region = nvic_region,
    .save = nvic_save,
    .load = nvic_load,
    .irq_in = nvic_in,
    .alarm = nvic_alarm,
};
ORYX_DEVICE_PLUGIN(ops)
