/* A test engine that is the interpreter but for one thing: it makes every AND an OR. Lockstep must find it. */
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"

ORYX_MANIFEST(ORYX_JSON({"id": "engine-broken", "version": "1.0.0", "abi": {"major": 1, "minor": 0}, "licence": "MIT",
                         "provides": [{"interface": "oryx.engine/1", "class": "broken"}], "requires": []}));

static const oryx_engine_ops *real;
static oryx_engine_ops ops;

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    real = host->plugin_interface(m, ORYX_ENGINE_ID, "interp", err);
    if (!real)
        return ORYX_E_NOTFOUND;
    ops.frame_size = real->frame_size;
    return real->create(host, m, options, self, err);
}

static void destroy(void *self)
{
    real->destroy(self);
}

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    oryx_ir copy = *ir;
    copy.ops = malloc(ir->n * sizeof *copy.ops);
    if (!copy.ops)
        return ORYX_E_NOMEM;
    memcpy(copy.ops, ir->ops, ir->n * sizeof *copy.ops);
    for (uint32_t i = 0; i < copy.n; i++)
        if (copy.ops[i].op == ORYX_OP_AND)
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
    real->vcpu_fini(self, cpu);
}

static oryx_engine_ops ops = { .hdr = ORYX_HDR(oryx_engine_ops), .name = "broken", .create = create, .destroy = destroy,
                               .compile = compile, .discard = discard, .enter = enter, .vcpu_init = vcpu_init,
                               .vcpu_fini = vcpu_fini, .frame_size = 65536 };

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ENGINE_ID) && !strcmp(cls, "broken") ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
