/* The plugin: an engine that runs two others side by side and stops at the first difference, which
 * it prints on stderr with the instructions, the accesses and the registers. Options: {"engines":
 * "interp,x64"}, the reference first; "every": "region" (blocks, and regions where the core makes
 * them), "block", "insn". A difference leaves the run with an INTERNAL exception. Invariant: memory
 * and devices see every access once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_json.h"
#include "helper/oryx_manifest.h"
#include "lockstep.h"

ORYX_MANIFEST(ORYX_JSON({
    "id" : "engine-lockstep",
    "version" : "0.1.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "provides" : [ {"interface" : "oryx.engine/1", "class" : "lockstep"} ],
    "requires" : [],
    "thread" : "any"
}));

#define FRAME_BYTES (256u << 10)

static oryx_status fail(oryx_error *err, oryx_status code, const char *text)
{
    if (err) {
        err->code = code;
        snprintf(err->text, sizeof err->text, "engine 'lockstep': %s", text);
    }
    return code;
}

static bool names(lockstep *l, const char *options)
{
    static const char *const everies[] = {"region", "block", "insn"};
    oryx_json *o = oryx_json_parse(options ? options : "{}", NULL);
    const oryx_json *engines = oryx_json_get(o, "engines"), *how = oryx_json_get(o, "every");
    const char *text = engines ? oryx_json_text(engines) : "interp,x64", *every = how ? oryx_json_text(how) : everies[0];
    const char *comma = text ? strchr(text, ',') : NULL;
    bool ok = oryx_json_is(o, ORYX_JSON_OBJECT) && every && comma && comma > text && comma - text < 32 && comma[1] && strlen(comma + 1) < 32 &&
              !strchr(comma + 1, ',');
    if (ok) {
        memcpy(l->name[REFERENCE], text, (size_t)(comma - text));
        strcpy(l->name[OTHER], comma + 1);
    }
    for (l->every = 0; ok && l->every < 3 && strcmp(every, everies[l->every]) != 0; l->every++)
        ;
    free(o);
    return ok && l->every < 3;
}

static void destroy(void *self)
{
    lockstep *l = self;
    for (int i = 0; i < SIDES; i++)
        if (l->engine[i])
            l->ops[i]->destroy(l->engine[i]);
    free(l);
}

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self,
                          oryx_error *err)
{
    lockstep *l = calloc(1, sizeof *l);
    if (!l)
        return fail(err, ORYX_E_NOMEM, "out of memory");
    l->host = host;
    l->machine = m;
    l->state_size = host->machine_arch(m)->state_size;
    oryx_status s =
        names(l, options)
            ? ORYX_OK
            : fail(err, ORYX_E_INVALID,
                   "name two engines, as in lockstep:interp,x64; every= takes region, block, insn");
    for (int i = 0; i < SIDES && !s; i++) {
        l->ops[i] = host->plugin_interface(m, ORYX_ENGINE_ID, l->name[i], err);
        s = l->ops[i] ? l->ops[i]->create(host, m, NULL, &l->engine[i], err) : ORYX_E_NOTFOUND;
    }
    if (!s && l->ops[0]->frame_size + l->ops[1]->frame_size + 64 > FRAME_BYTES)
        s = fail(err, ORYX_E_UNSUPPORTED, "the engines' frames do not fit");
    if (s) {
        destroy(l);
        return s;
    }
    *self = l;
    return ORYX_OK;
}

static void vcpu_fini(void *self, oryx_cpu *cpu)
{
    lockstep *l = self;
    vcpu_side *s = cpu->engine_data;
    if (!s)
        return;
    for (int i = 0; i < SIDES; i++) {
        cpu->engine_data = s->data[i];
        if (s->frame[i] && l->ops[i]->vcpu_fini)
            l->ops[i]->vcpu_fini(l->engine[i], cpu);
    }
    cpu->fn = s->core;
    cpu->engine_data = NULL;
    free(s->before.state);
    free(s->after[0].state);
    free(s->after[1].state);
    free(s->scratch_slots);
    free(s->log);
    free(s->bytes);
    free(s->path);
    free(s);
}

static oryx_status vcpu_init(void *self, oryx_cpu *cpu, oryx_error *err)
{
    lockstep *l = self;
    vcpu_side *s = calloc(1, sizeof *s);
    if (!s)
        return fail(err, ORYX_E_NOMEM, "out of memory");
    s->self = l;
    s->before.state = malloc(l->state_size);
    s->after[0].state = malloc(l->state_size);
    s->after[1].state = malloc(l->state_size);
    s->scratch_slots = calloc(SCRATCH_SLOTS, sizeof *s->scratch_slots);
    s->path = malloc(PATH * sizeof *s->path);
    memory_init(s, cpu);
    cpu->fn = &s->fns;
    uint8_t *frame = cpu->frame;
    oryx_status st =
        s->before.state && s->after[0].state && s->after[1].state && s->scratch_slots && s->path
            ? ORYX_OK
            : fail(err, ORYX_E_NOMEM, "out of memory");
    for (int i = 0; i < SIDES && !st; i++) {
        cpu->frame = frame + (i ? (l->ops[0]->frame_size + 63) / 64 * 64 : 0);
        s->frame[i] = cpu->frame;
        st = l->ops[i]->vcpu_init ? l->ops[i]->vcpu_init(l->engine[i], cpu, err) : ORYX_OK;
        s->data[i] = cpu->engine_data;
    }
    cpu->frame = frame;
    cpu->engine_data = s;
    if (st)
        vcpu_fini(l, cpu);
    return st;
}

static pair *pair_new(const oryx_ir *ir, const oryx_tb *tb)
{
    bool region = (tb->flags & ORYX_TB_REGION) != 0;
    pair *p = calloc(1, sizeof *p + (region ? ORYX_REGION_BLOCKS : 0) * sizeof p->block[0]);
    for (uint32_t v = 1; p && region && v < ir->n && p->n_blocks < ORYX_REGION_BLOCKS; v++)
        if (ir->ops[v].op == ORYX_OP_BLOCK) {
            p->block[p->n_blocks].pc = ir->ops[v].imm;
            p->block[p->n_blocks++].n = ir->ops[v].a;
        }
    return p;
}

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    lockstep *l = self;
    pair *p = pair_new(ir, tb);
    oryx_status s = p ? ORYX_OK : fail(err, ORYX_E_NOMEM, "out of memory");
    int first = p && p->n_blocks ? OTHER : REFERENCE, done = first;
    for (; done < SIDES && !s; done++) {
        p->tb[done] = *tb;
        p->tb[done].flags &= ~ORYX_TB_COUNT; /* enter counts */
        p->tb[done].code = NULL;
        s = l->ops[done]->compile(l->engine[done], ir, &p->tb[done], err);
    }
    if (s) {
        if (p && done > 1 && first == REFERENCE)
            l->ops[0]->discard(l->engine[0], &p->tb[0]);
        free(p);
        return s;
    }
    tb->n_insns = p->tb[OTHER].n_insns;
    tb->n_exits = p->tb[OTHER].n_exits;
    tb->code = p;
    return ORYX_OK;
}

static void discard(void *self, oryx_tb *tb)
{
    lockstep *l = self;
    pair *p = tb->code;
    for (int i = 0; i < SIDES && p; i++)
        if (p->tb[i].code)
            l->ops[i]->discard(l->engine[i], &p->tb[i]);
    free(p);
    tb->code = NULL;
}

static uint32_t enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    lockstep *l = self;
    pair *p = tb->code;
    uint32_t why = ORYX_LEAVE_BUDGET;
    if (cpu->slice.left >= tb->n_insns && !__atomic_load_n(&cpu->slice.kick, __ATOMIC_ACQUIRE)) {
        if (!(__atomic_load_n(&tb->flags, __ATOMIC_RELAXED) & ORYX_TB_COUNT) || ++p->entries < tb->exec_count)
            return drive(l, cpu, tb, leave);
        why = ORYX_LEAVE_HOT;
        p->entries = 0;
    }
    uint64_t pc = tb->pc;
    memcpy(cpu->state + l->host->machine_arch(l->machine)->pc_offset, &pc, sizeof pc);
    return why;
}

static void tune(void *self, uint32_t *caps, uint32_t *max_insns)
{
    const lockstep *l = self;
    const oryx_engine_ops *other = l->ops[OTHER];
    *caps = l->every == EVERY_REGION && ORYX_HAS(other, caps) ? other->caps & ORYX_ENGINE_REGIONS : 0;
    if (l->every == EVERY_INSN)
        *max_insns = 1;
}

static uint64_t recover(void *self, oryx_cpu *cpu, uint64_t host_pc, uint64_t *again)
{
    lockstep *l = self;
    const oryx_engine_ops *other = l->ops[OTHER];
    return ORYX_HAS(other, recover) && other->recover
               ? other->recover(l->engine[OTHER], cpu, host_pc, again)
               : 0;
}

static const oryx_engine_ops ops = {
    .hdr = ORYX_HDR(oryx_engine_ops),
    .name = "lockstep",
    .create = create,
    .destroy = destroy,
    .compile = compile,
    .discard = discard,
    .enter = enter,
    .vcpu_init = vcpu_init,
    .vcpu_fini = vcpu_fini,
    .frame_size = FRAME_BYTES,
    .recover = recover,
    .tune = tune,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ENGINE_ID) && !strcmp(cls, "lockstep") ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *h, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = {.hdr = ORYX_HDR(oryx_plugin_ops), .get = get};
    (void)h;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
