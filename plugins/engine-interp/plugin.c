/* engine-interp: manifest, plugin entry, engine life cycle.
 *
 * The core loads it and calls these functions; compile.c and run.c do the work. The invariant: no state outside the engine
 * object of a machine and the data of a vCPU. */
#include <stdlib.h>

#include "interp.h"
#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({"id": "engine-interp", "version": "1.0.0", "abi": {"major": 1, "minor": 0}, "licence": "MIT",
                         "provides": [{"interface": "oryx.engine/1", "class": "interp"}], "requires": [],
                         "thread": "any"}));

static oryx_status refuse(const oryx_host *host, oryx_error *err, oryx_status status, const char *text)
{
    return host->error_set ? host->error_set(err, status, text) : status;
}

static oryx_status create(const oryx_host *host, oryx_machine *machine, const char *options, void **self, oryx_error *err)
{
    static const union {
        uint16_t v;
        uint8_t first;
    } order = { 1 };
    (void)options; /* it has none */
    if (!order.first)
        return refuse(host, err, ORYX_E_UNSUPPORTED, "engine-interp: this build needs a little-endian host");
    engine *e = calloc(1, sizeof *e);
    if (!e || !interp_scratch_new(e)) {
        free(e);
        return refuse(host, err, ORYX_E_NOMEM, "engine-interp: out of memory");
    }
    e->host = host;
    e->machine = machine;
    interp_run(NULL, NULL, NULL, NULL, &e->labels);
    *self = e;
    return ORYX_OK;
}

static void destroy(void *self)
{
    interp_scratch_free(self);
    free(self);
}

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    return interp_compile(self, ir, tb, err);
}

static void discard(void *self, oryx_tb *tb)
{
    (void)self;
    free(tb->code);
    tb->code = NULL;
}

static uint32_t enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    return interp_run(self, cpu, tb, leave, NULL);
}

static oryx_status vcpu_init(void *self, oryx_cpu *cpu, oryx_error *err)
{
    engine *e = self;
    vcpu_data *vd = calloc(1, sizeof *vd);
    if (!vd)
        return refuse(e->host, err, ORYX_E_NOMEM, "engine-interp: out of memory for a vCPU");
    int given = ORYX_HAS(cpu, frame) && cpu->frame;
    if (given) {
        vd->frame = cpu->frame;
    } else {
        vd->own_frame = calloc(1, FRAME_SIZE + 64);
        vd->frame = (uint8_t *)(((uintptr_t)vd->own_frame + 63) & ~(uintptr_t)63);
        if (!vd->own_frame) {
            free(vd);
            return refuse(e->host, err, ORYX_E_NOMEM, "engine-interp: out of memory for a vCPU's frame");
        }
    }
    int64_t delta = given ? (int64_t)((intptr_t)cpu->state - (intptr_t)cpu->frame) : 0;
    if (e->have_vcpu && (given != e->fold || (given && delta != e->state_delta))) {
        free(vd->own_frame);
        free(vd);
        return refuse(e->host, err, ORYX_E_INTERNAL,
                      "engine-interp: cpu->frame must lie at the same distance from the state in every vCPU");
    }
    e->have_vcpu = 1;
    e->fold = given;
    e->state_delta = (int32_t)delta;
    e->pc_offset = e->host->machine_arch(e->machine)->pc_offset;
    cpu->engine_data = vd;
    return ORYX_OK;
}

static void vcpu_fini(void *self, oryx_cpu *cpu)
{
    vcpu_data *vd = cpu->engine_data;
    (void)self;
    if (!vd)
        return;
    free(vd->copy);
    free(vd->own_frame);
    free(vd);
    cpu->engine_data = NULL;
}

static const oryx_engine_ops ops = {
    .hdr = ORYX_HDR(oryx_engine_ops),
    .name = "interp",
    .create = create,
    .destroy = destroy,
    .compile = compile,
    .discard = discard,
    .enter = enter,
    .vcpu_init = vcpu_init,
    .vcpu_fini = vcpu_fini,
    .frame_size = FRAME_SIZE,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ENGINE_ID) && !strcmp(cls, "interp") ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
