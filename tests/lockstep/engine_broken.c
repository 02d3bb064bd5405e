/* Test engines that are wrong in one thing: "broken" is the interpreter with every AND an OR, "broken-region" the JIT with every
 * XOR an OR, in regions only. Lockstep must find both. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({"id": "engine-broken", "version": "1.0.0", "abi": {"major": 1, "minor": 0}, "licence": "MIT",
                         "provides": [{"interface": "oryx.engine/1", "class": "broken"},
                                      {"interface": "oryx.engine/1", "class": "broken-region"}], "requires": []}));

static const oryx_engine_ops *real;
static oryx_engine_ops ops, region_ops;

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    real = host->plugin_interface(m, ORYX_ENGINE_ID, "interp", err);
    if (!real)
        return ORYX_E_NOTFOUND;
    ops.frame_size = real->frame_size;
    return real->create(host, m, options, self, err);
}

static oryx_status create_region(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    real = host->plugin_interface(m, ORYX_ENGINE_ID, "x64", err);
    if (!real)
        return ORYX_E_NOTFOUND;
    region_ops.frame_size = real->frame_size;
    return real->create(host, m, options, self, err);
}

static void destroy(void *self)
{
    real->destroy(self);
}

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    bool region = tb->flags & ORYX_TB_REGION, jit = !strcmp(real->name, "x64");
    oryx_ir copy = *ir;
    copy.ops = malloc(ir->n * sizeof *copy.ops);
    if (!copy.ops)
        return ORYX_E_NOMEM;
    memcpy(copy.ops, ir->ops, ir->n * sizeof *copy.ops);
    for (uint32_t i = 0; i < copy.n; i++)
        if (jit ? region && copy.ops[i].op == ORYX_OP_XOR : copy.ops[i].op == ORYX_OP_AND)
            copy.ops[i].op = ORYX_OP_OR;
    oryx_status s = real->compile(self, &copy, tb, err);
    free(copy.ops);
    return s;
}

static void discard(void *self, oryx_tb *tb)
{
    real->discard(self, tb);
}

static uint32_t enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    return real->enter(self, cpu, tb, leave);
}

static oryx_status vcpu_init(void *self, oryx_cpu *cpu, oryx_error *err)
{
    return real->vcpu_init(self, cpu, err);
}

static void vcpu_fini(void *self, oryx_cpu *cpu)
{
    if (real->vcpu_fini)
        real->vcpu_fini(self, cpu);
}

static oryx_engine_ops ops = { .hdr = ORYX_HDR(oryx_engine_ops), .name = "broken", .create = create, .destroy = destroy,
                               .compile = compile, .discard = discard, .enter = enter, .vcpu_init = vcpu_init,
                               .vcpu_fini = vcpu_fini, .frame_size = 65536 };

static uint64_t recover(void *self, oryx_cpu *cpu, uint64_t host_pc, uint64_t *again)
{
    return real->recover ? real->recover(self, cpu, host_pc, again) : 0;
}

static oryx_engine_ops region_ops = { .hdr = ORYX_HDR(oryx_engine_ops), .name = "broken-region", .create = create_region,
                                      .destroy = destroy, .compile = compile, .discard = discard, .enter = enter,
                                      .vcpu_init = vcpu_init, .vcpu_fini = vcpu_fini, .frame_size = 65536, .recover = recover,
                                      .caps = ORYX_ENGINE_REGIONS };

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_ENGINE_ID) != 0)
        return NULL;
    return !strcmp(cls, "broken") ? &ops : !strcmp(cls, "broken-region") ? &region_ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
