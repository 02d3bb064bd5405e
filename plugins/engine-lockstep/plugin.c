/* The plugin: an engine that runs two others block by block and stops at the first difference, which it prints on stderr with
 * the block, the accesses and the registers. Options: {"engines": "interp,x64"}, the reference first. A difference leaves the
 * run with an INTERNAL exception. Invariant: memory and devices see only the reference engine's accesses, once each. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "lockstep.h"

ORYX_MANIFEST(ORYX_JSON({"id": "engine-lockstep", "version": "0.1.0", "abi": {"major": 1, "minor": 0}, "licence": "MIT",
                         "provides": [{"interface": "oryx.engine/1", "class": "lockstep"}], "requires": [], "thread": "any"}));

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
    struct json_object *o = options ? json_tokener_parse(options) : NULL, *v = NULL;
    const char *text = "interp,x64";
    if (o && json_object_object_get_ex(o, "engines", &v))
        text = json_object_get_string(v);
    const char *comma = strchr(text, ',');
    bool ok = comma && comma > text && comma - text < 32 && comma[1] && strlen(comma + 1) < 32 && !strchr(comma + 1, ',');
    if (ok) {
        memcpy(l->name[REFERENCE], text, (size_t)(comma - text));
        strcpy(l->name[OTHER], comma + 1);
    }
    json_object_put(o);
    return ok;
}

static void destroy(void *self)
{
    lockstep *l = self;
    for (int i = 0; i < SIDES; i++)
        if (l->engine[i])
            l->ops[i]->destroy(l->engine[i]);
    free(l);
}

static oryx_status create(const oryx_host *host, oryx_machine *m, const char *options, void **self, oryx_error *err)
{
    lockstep *l = calloc(1, sizeof *l);
    if (!l)
        return fail(err, ORYX_E_NOMEM, "out of memory");
    l->host = host;
    l->machine = m;
    l->state_size = host->machine_arch(m)->state_size;
    oryx_status s = names(l, options) ? ORYX_OK : fail(err, ORYX_E_INVALID, "name two engines, as in lockstep:interp,x64");
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
    memory_init(s, cpu);
    cpu->fn = &s->fns;
    uint8_t *frame = cpu->frame;
    oryx_status st = s->before.state && s->after[0].state && s->after[1].state && s->scratch_slots ? ORYX_OK : fail(err, ORYX_E_NOMEM, "out of memory");
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

static oryx_status compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    lockstep *l = self;
    pair *p = calloc(1, sizeof *p);
    oryx_status s = p ? ORYX_OK : fail(err, ORYX_E_NOMEM, "out of memory");
    int done = 0;
    for (; done < SIDES && !s; done++) {
        p->tb[done] = *tb;
        p->tb[done].code = NULL;
        s = l->ops[done]->compile(l->engine[done], ir, &p->tb[done], err);
    }
    if (s) {
        if (p && done > 1)
            l->ops[0]->discard(l->engine[0], &p->tb[0]);
        free(p);
        return s;
    }
    tb->code = p;
    return ORYX_OK;
}

static void discard(void *self, oryx_tb *tb)
{
    lockstep *l = self;
    pair *p = tb->code;
    for (int i = 0; i < SIDES && p; i++)
        l->ops[i]->discard(l->engine[i], &p->tb[i]);
    free(p);
    tb->code = NULL;
}

static void take(const lockstep *l, const oryx_cpu *cpu, picture *p)
{
    memcpy(p->state, cpu->state, l->state_size);
    p->exc = cpu->exc;
    p->fp = cpu->fp;
    p->mode = cpu->mode;
    p->left = cpu->slice.left;
}

static void put_back(const lockstep *l, oryx_cpu *cpu, const picture *p)
{
    memcpy(cpu->state, p->state, l->state_size);
    cpu->exc = p->exc;
    cpu->fp = p->fp;
    cpu->mode = p->mode;
    cpu->slice.left = p->left;
}

static uint32_t enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    lockstep *l = self;
    vcpu_side *s = cpu->engine_data;
    pair *p = tb->code;
    oryx_tb **jump = cpu->jump_cache;
    uint64_t *slots = cpu->slots;
    oryx_leave why = { 0 };
    __typeof__(cpu->monitor) monitor = cpu->monitor;
    if (cpu->slice.left < tb->n_insns || __atomic_load_n(&cpu->slice.kick, __ATOMIC_ACQUIRE)) {
        uint64_t pc = tb->pc;
        memcpy(cpu->state + l->host->machine_arch(l->machine)->pc_offset, &pc, sizeof pc);
        return ORYX_LEAVE_BUDGET;
    }
    /* No hit inline, no block found, and budget for this block alone. */
    uint32_t rest = cpu->slice.left - tb->n_insns;
    cpu->slice.left = tb->n_insns;
    cpu->held = rest;
    take(l, cpu, &s->before);
    memory_hide(s, cpu);
    cpu->jump_cache = s->jump;
    s->n = s->at = 0;
    s->differs = false;
    s->outer = tb;
    int32_t kicked = 0;
    s->direct = cpu->window.rd && tb->flags & (ORYX_TB_WINDOW_RD | ORYX_TB_WINDOW_WR);
    s->rd = cpu->window.rd;
    s->wr = cpu->window.wr;
    cpu->window.rd = cpu->window.wr = 0;
    for (int i = 0; i < SIDES; i++) {
        /* What side 0 kicks (an interrupt line, a new mode) must not stop side 1 before it began. */
        kicked |= __atomic_exchange_n(&cpu->slice.kick, 0, __ATOMIC_SEQ_CST);
        if (i) {
            if (s->direct)
                memory_undo(s, cpu);
            cpu->window.rd = s->rd;
            cpu->window.wr = s->wr;
            put_back(l, cpu, &s->before);
            cpu->monitor = monitor;
            cpu->slots = s->scratch_slots;
        }
        s->side = i;
        s->running = &p->tb[i];
        p->tb[i].flags = tb->flags & ~ORYX_TB_INVALID;
        cpu->engine_data = s->data[i];
        s->after[i].reason = l->ops[i]->enter(l->engine[i], cpu, &p->tb[i], &why);
        s->after[i].slot = s->after[i].reason == ORYX_LEAVE_LINK ? why.slot : 0;
        take(l, cpu, &s->after[i]);
    }
    if (kicked)
        __atomic_store_n(&cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    if (s->direct)
        memory_compare(s, cpu);
    cpu->engine_data = s;
    cpu->jump_cache = jump;
    l->blocks++;
    cpu->slice.left += rest;
    cpu->held = 0;
    memory_show(s, cpu);
    cpu->slots = slots;
    leave->tb = tb;
    leave->slot = why.slot;
    char *text = compare_pictures(l, s, tb);
    if (!text)
        return s->after[OTHER].reason;
    fputs(text, stderr);
    free(text);
    cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = ORYX_EXC_INTERNAL, .pc = tb->pc, .phys = ~0ull };
    return ORYX_LEAVE_EXC;
}

static uint64_t recover(void *self, oryx_cpu *cpu, uint64_t host_pc, uint64_t *again)
{
    lockstep *l = self;
    const oryx_engine_ops *other = l->ops[OTHER];
    return ORYX_HAS(other, recover) && other->recover ? other->recover(l->engine[OTHER], cpu, host_pc, again) : 0;
}

static const oryx_engine_ops ops = {
    .hdr = ORYX_HDR(oryx_engine_ops), .name = "lockstep", .create = create, .destroy = destroy, .compile = compile,
    .discard = discard, .enter = enter, .vcpu_init = vcpu_init, .vcpu_fini = vcpu_fini, .frame_size = FRAME_BYTES, .recover = recover,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ENGINE_ID) && !strcmp(cls, "lockstep") ? &ops : NULL;
}

oryx_status oryx_plugin_open_v1(const oryx_hdr *h, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)h;
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
