/* Engine "toy-eval" (oryx.engine/1) and the toy plugin's entry: the plain evaluator behind the engine contract, so the
 * run loop and the TB cache are tested against an engine that does exactly what oryx_engine.h says and nothing more. */
#include <stdlib.h>
#include <string.h>

#include "../mini_eval.h"
#include "helper/oryx_manifest.h"
#include "toy_plugin.h"

ORYX_MANIFEST(ORYX_JSON({"id" : "toy",
                         "version" : "1.0.0",
                         "abi" : {"major" : 1, "minor" : 0},
                         "licence" : "MIT",
                         "provides" : [ {"interface" : "oryx.arch/1", "class" : "toy"},
                                        {"interface" : "oryx.engine/1", "class" : "toy-eval"} ],
                         "requires" : [],
                         "thread" : "any"}));

typedef struct code {
    uint32_t n;
    oryx_ir_op ops[];
} code;

typedef struct engine {
    const oryx_host *host;
    oryx_machine *machine;
    uint32_t pc_offset;
    int refuse_brk; /* option "refuse": no breakpoints, as an engine that lacks an op */
} engine;

typedef struct where {
    engine *e;
    oryx_cpu *cpu;
    oryx_tb *tb;
} where;

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    engine *e = calloc(1, sizeof(*e));
    if (!e)
        return ORYX_E_NOMEM;
    if (options && strstr(options, "fail")) {
        free(e);
        return host->error_set(err, ORYX_E_PLUGIN, "toy-eval was asked to fail");
    }
    e->host = host;
    e->machine = m;
    e->pc_offset = host->machine_arch(m)->pc_offset;
    e->refuse_brk = options && strstr(options, "refuse");
    *self = e;
    return ORYX_OK;
}

static void destroy(void *self)
{
    free(self);
}

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    engine *e = self;
    for (uint32_t i = 0; e->refuse_brk && i < ir->n; i++)
        if (ir->ops[i].op == ORYX_OP_RAISE && ir->ops[i].imm == ORYX_EXC_BREAKPOINT)
            return e->host->error_set(err, ORYX_E_UNSUPPORTED, "toy-eval was asked to refuse breakpoints");
    code *c = malloc(sizeof(*c) + ir->n * sizeof(*ir->ops));
    if (!c)
        return ORYX_E_NOMEM;
    c->n = ir->n;
    memcpy(c->ops, ir->ops, ir->n * sizeof(*ir->ops));
    tb->code = c;
    return ORYX_OK;
}

static void discard(void *self, oryx_tb *tb)
{
    (void)self;
    free(tb->code);
    tb->code = NULL;
}

static int load(void *opaque, uint64_t addr, uint32_t memop, uint64_t *out)
{
    where *w = opaque;
    oryx_v128 v = { 0, 0 };
    if (w->cpu->fn->load(w->cpu, addr, memop, &v) != ORYX_OK)
        return 1;
    *out = v.lo;
    return 0;
}

static int store(void *opaque, uint64_t addr, uint32_t memop, uint64_t value)
{
    where *w = opaque;
    oryx_v128 v = { value, 0 };
    return w->cpu->fn->store(w->cpu, addr, memop, &v) != ORYX_OK;
}

static int call(void *opaque, const oryx_ir_op *o, const uint64_t *args, uint64_t *out)
{
    where *w = opaque;
    const oryx_helper_entry *h = w->e->host->helper_get(w->e->machine, (uint32_t)o->imm);
    void *p[8];
    uint64_t copy[8];
    for (int i = 0; i < 8; i++) {
        copy[i] = args[i];
        p[i] = &copy[i];
    }
    *out = 0;
    w->e->host->helper_call(h, w->cpu, p, out);
    return h->may_fault && w->cpu->exc.kind != ORYX_EXC_NONE;
}

static int stale(void *opaque)
{
    where *w = opaque;
    return (__atomic_load_n(&w->tb->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID) != 0;
}

static void setmode(void *opaque, uint64_t mode)
{
    ((where *)opaque)->cpu->mode = mode;
}

static uint32_t enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    engine *e = self;
    uint64_t *pc = (uint64_t *)(void *)(cpu->state + e->pc_offset);
    uint64_t val[4096];
    for (;;) {
        where w = { e, cpu, tb };
        const code *c = tb->code;
        leave->tb = tb;
        if (cpu->slice.left < tb->n_insns || __atomic_load_n(&cpu->slice.kick, __ATOMIC_RELAXED)) {
            *pc = tb->pc;
            return ORYX_LEAVE_BUDGET;
        }
        cpu->slice.left -= tb->n_insns;
        mini m = { .ops = c->ops, .n = c->n, .val = val, .state = cpu->state, .slots = cpu->slots, .opaque = &w, .load = load,
                   .store = store, .call = call, .stale = stale, .setmode = setmode };
        int how = c->n > 4096 ? MINI_UNKNOWN : mini_run(&m);
        *pc = m.pc;
        leave->slot = m.slot;
        switch (how) {
        case MINI_GOTO: {
            oryx_tb *next = __atomic_load_n(&tb->link[m.slot], __ATOMIC_ACQUIRE);
            cpu->slice.left += tb->n_insns - m.insns;
            if (!next)
                return ORYX_LEAVE_LINK;
            tb = next;
            break;
        }
        case MINI_GOTOI: {
            cpu->slice.left += tb->n_insns - m.insns;
            oryx_tb *next = cpu->fn->tb_find(cpu, m.pc);
            if (!next)
                return ORYX_LEAVE_LOOKUP;
            tb = next;
            break;
        }
        case MINI_STALE:
            cpu->slice.left += tb->n_insns - m.insns;
            return ORYX_LEAVE_LOOKUP;
        case MINI_RESYNC:
            cpu->slice.left += tb->n_insns - m.insns;
            return ORYX_LEAVE_RESYNC;
        case MINI_RAISE:
            cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = m.exc, .pc = m.pc, .syndrome = m.syndrome, .phys = ~0ull };
            cpu->slice.left += tb->n_insns - (m.insns - 1);
            return ORYX_LEAVE_EXC;
        case MINI_FAULT:
            cpu->exc.pc = m.pc;
            cpu->slice.left += tb->n_insns - (m.insns - 1);
            return ORYX_LEAVE_EXC;
        default:
            cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = ORYX_EXC_INTERNAL, .pc = m.insn_pc };
            *pc = m.insn_pc;
            cpu->slice.left += tb->n_insns;
            return ORYX_LEAVE_EXC;
        }
    }
}

const oryx_engine_ops toy_engine = {
    .hdr = ORYX_HDR(oryx_engine_ops),
    .name = "toy-eval",
    .create = create,
    .destroy = destroy,
    .compile = compile,
    .discard = discard,
    .enter = enter,
};

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_ARCH_ID) == 0 && strcmp(cls, "toy") == 0)
        return &toy_arch;
    if (strcmp(interface, ORYX_ENGINE_ID) == 0 && strcmp(cls, "toy-eval") == 0)
        return &toy_engine;
    return NULL;
}

static const oryx_plugin_ops ops = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)host;
    (void)err;
    *out = &ops;
    return ORYX_OK;
}
