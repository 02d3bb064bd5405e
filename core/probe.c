/* Probes: attached instrumentation plugins, their per-vCPU slots, and the hooks translation calls.
 *
 * Embedders attach and detach while no vCPU runs; translate.c calls the hooks under machine->lock. Invariant: attaching
 * and detaching drop all translated code, so every block carries exactly the IR of the probes attached now. */
#include <string.h>

#include "exec.h"
#include "plugin_host.h"

struct oryx_probe {
    oryx_machine *machine;
    oryx_probe_ops ops; /* full size: members the plugin does not know are NULL */
    void *self;
    uint32_t helper_first, helper_end; /* registered while it was created */
    int finished;
};

struct oryx__probes {
    uint32_t n_attached; /* first: oryx__probes_any reads it */
    GPtrArray *list;     /* of oryx_probe, in order of attachment */
    uint32_t n_slots, slot_cap;
    uint64_t *gone;      /* slot_cap sums over destroyed vCPUs; NULL: none counted yet */
    bool memory;         /* someone listens to memory ops */
    uint64_t pc;         /* of the instruction being lifted */
};

oryx_status oryx__probes_create(oryx_machine *m, oryx_error *err)
{
    m->probes = oryx__alloc(sizeof(*m->probes));
    if (!m->probes)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the probes of a machine");
    m->probes->list = g_ptr_array_new();
    if (!m->probes->list) {
        oryx__free(m->probes);
        m->probes = NULL;
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the probes of a machine");
    }
    m->probes->slot_cap = 64;
    return ORYX_OK;
}

static void probe_free(oryx_probe *p)
{
    if (p->ops.destroy)
        p->ops.destroy(p->self);
    oryx__free(p);
}

void oryx__probes_destroy(oryx_machine *m)
{
    if (!m->probes)
        return;
    for (guint i = m->probes->list->len; i--;)
        probe_free(g_ptr_array_index(m->probes->list, i));
    g_ptr_array_free(m->probes->list, TRUE);
    oryx__free(m->probes->gone);
    oryx__free(m->probes);
    m->probes = NULL;
}

/* --- slots ---------------------------------------------------------------------------------------------------------------- */
oryx_status oryx__probes_vcpu_init(oryx_vcpu *v, oryx_error *err)
{
    v->cpu->slots = oryx__alloc(v->machine->probes->slot_cap * sizeof(uint64_t));
    return v->cpu->slots ? ORYX_OK : oryx__error(err, ORYX_E_NOMEM, "no memory for the probe slots of a vCPU");
}

void oryx__probes_vcpu_fini(oryx_vcpu *v)
{
    struct oryx__probes *p = v->machine->probes;
    if (!v->cpu->slots)
        return;
    for (guint i = 0; i < p->list->len; i++) {
        oryx_probe *probe = g_ptr_array_index(p->list, i);
        if (probe->ops.vcpu_gone)
            probe->ops.vcpu_gone(probe->self, v->cpu);
    }
    if (p->n_slots && !p->gone)
        p->gone = oryx__alloc(p->slot_cap * sizeof(uint64_t));
    for (uint32_t i = 0; p->gone && i < p->n_slots; i++)
        p->gone[i] += v->cpu->slots[i];
    oryx__free(v->cpu->slots);
    v->cpu->slots = NULL;
}

/* Give every vCPU room for cap slots, or none. */
static oryx_status grow_slots(oryx_machine *m, uint32_t cap)
{
    guint n = m->vcpus->len;
    uint64_t **made = g_new0(uint64_t *, n + 1);
    if (!made)
        return ORYX_E_NOMEM;
    for (guint i = 0; i < n; i++) {
        made[i] = oryx__alloc(cap * sizeof(uint64_t));
        if (!made[i]) {
            while (i--)
                oryx__free(made[i]);
            g_free(made);
            return ORYX_E_NOMEM;
        }
    }
    for (guint i = 0; i < n; i++) {
        oryx_vcpu *v = g_ptr_array_index(m->vcpus, i);
        memcpy(made[i], v->cpu->slots, m->probes->n_slots * sizeof(uint64_t));
        oryx__free(v->cpu->slots);
        v->cpu->slots = made[i];
    }
    g_free(made);
    if (m->probes->gone) {
        uint64_t *gone = oryx__alloc(cap * sizeof(uint64_t));
        if (gone)
            memcpy(gone, m->probes->gone, m->probes->n_slots * sizeof(uint64_t));
        oryx__free(m->probes->gone);
        m->probes->gone = gone;
    }
    m->probes->slot_cap = cap;
    return ORYX_OK;
}

int32_t oryx_slots_alloc(oryx_machine *m, uint32_t n)
{
    if (!m)
        return ORYX_E_INVALID;
    struct oryx__probes *p = m->probes;
    int32_t first = ORYX_E_RANGE;
    pthread_mutex_lock(&m->lock);
    if (n <= (1u << 24) && p->n_slots + n <= 1u << 24) {
        uint32_t cap = p->slot_cap;
        while (cap < p->n_slots + n)
            cap *= 2;
        oryx_status s = cap == p->slot_cap ? ORYX_OK : grow_slots(m, cap);
        first = s == ORYX_OK ? (int32_t)p->n_slots : s;
        if (s == ORYX_OK)
            p->n_slots += n;
    }
    pthread_mutex_unlock(&m->lock);
    return first;
}

uint64_t oryx_slots_sum(oryx_machine *m, uint32_t slot)
{
    uint64_t sum = 0;
    if (slot >= m->probes->n_slots)
        return 0;
    if (m->probes->gone)
        sum = m->probes->gone[slot];
    for (guint i = 0; i < m->vcpus->len; i++)
        sum += __atomic_load_n(&((oryx_vcpu *)g_ptr_array_index(m->vcpus, i))->cpu->slots[slot], __ATOMIC_RELAXED);
    return sum;
}

/* --- attach and detach ---------------------------------------------------------------------------------------------------- */
static void recount(oryx_machine *m)
{
    struct oryx__probes *p = m->probes;
    p->n_attached = p->list->len;
    p->memory = false;
    for (guint i = 0; i < p->list->len; i++)
        p->memory |= ((oryx_probe *)g_ptr_array_index(p->list, i))->ops.mem != NULL;
    oryx__tbs_flush(m);
}

/* By class, else by plugin id or file: the first probe class it provides. */
static const oryx_probe_ops *find_ops(oryx_machine *m, const char *name, oryx_error *err)
{
    const void *ops = oryx_plugin_interface(m, ORYX_PROBE_ID, name, err);
    oryx_plugin *plugin;
    if (ops || oryx_plugin_load(m, name, &plugin, NULL) != ORYX_OK)
        return ops;
    for (uint32_t i = 0; i < plugin->manifest.n_provides; i++)
        if (strcmp(plugin->manifest.provides[i].interface, ORYX_PROBE_ID) == 0 &&
            (ops = plugin->ops->get(ORYX_PROBE_ID, plugin->manifest.provides[i].cls)))
            return ops;
    oryx__error(err, ORYX_E_NOTFOUND, "plugin '%s' provides no %s: it is no probe", name, ORYX_PROBE_ID);
    return NULL;
}

oryx_status oryx_probe_attach(oryx_machine *m, const char *name, const char *options, oryx_probe **out, oryx_error *err)
{
    if (!m || !name)
        return oryx__error(err, ORYX_E_INVALID, "probe: machine and name must be given");
    if (out)
        *out = NULL;
    if (err)
        err->code = ORYX_OK;
    const oryx_probe_ops *ops = find_ops(m, name, err);
    if (!ops)
        return err && err->code ? err->code : ORYX_E_NOTFOUND;
    oryx_probe *p = oryx__alloc(sizeof(*p));
    if (!p)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for probe '%s'", name);
    memcpy(&p->ops, ops, MIN(ops->hdr.size, sizeof(p->ops)));
    p->machine = m;
    oryx_status s = ORYX_OK;
    pthread_mutex_lock(&m->lock);
    p->helper_first = oryx__helpers_count(m);
    if (!p->ops.create || !p->ops.destroy)
        s = oryx__error(err, ORYX_E_PLUGIN, "probe '%s' is refused: create and destroy must be set", name);
    else
        s = p->ops.create(&oryx__host, m, options ? options : "{}", &p->self, err);
    p->helper_end = oryx__helpers_count(m);
    if (s == ORYX_OK && !g_ptr_array_add(m->probes->list, p)) {
        p->ops.destroy(p->self);
        s = oryx__error(err, ORYX_E_NOMEM, "no memory for probe '%s'", name);
    }
    if (s == ORYX_OK) {
        recount(m);
        if (out)
            *out = p;
    } else {
        oryx__helpers_forget(m, p->helper_first, p->helper_end);
        oryx__free(p);
    }
    pthread_mutex_unlock(&m->lock);
    return s;
}

void oryx_probe_detach(oryx_probe *p)
{
    if (!p)
        return;
    oryx_machine *m = p->machine;
    pthread_mutex_lock(&m->lock);
    g_ptr_array_remove(m->probes->list, p);
    recount(m); /* before the helpers' code may go */
    oryx__helpers_forget(m, p->helper_first, p->helper_end);
    probe_free(p);
    pthread_mutex_unlock(&m->lock);
}

void oryx_probe_finish_all(oryx_machine *m)
{
    if (!m || !m->probes)
        return;
    for (guint i = 0; i < m->probes->list->len; i++) {
        oryx_probe *p = g_ptr_array_index(m->probes->list, i);
        if (p->ops.finish && !p->finished)
            p->ops.finish(p->self);
        p->finished = 1;
    }
}

/* --- hooks ------------------------------------------------------------------------------------------------------------------ */
void oryx__probes_block(oryx_machine *m, oryx_ir *ir, const oryx_probe_insn *first)
{
    for (guint i = 0; i < m->probes->list->len; i++) {
        oryx_probe *p = g_ptr_array_index(m->probes->list, i);
        if (p->ops.block)
            p->ops.block(p->self, ir, first);
    }
}

/* After a memory op of the frontend. The hook is off meanwhile: probes' own accesses are not the guest's. */
static void mem_hook(oryx_ir *ir, oryx_val v)
{
    oryx_machine *m = ir->hook_arg;
    oryx_ir_op o = ir->ops[v];
    oryx_probe_mem e = { .hdr = ORYX_HDR(oryx_probe_mem), .pc = m->probes->pc, .addr = o.a, .type = o.type,
                         .size = 1u << ORYX_MO_SIZE(o.imm) };
    switch (o.op) {
    case ORYX_OP_LOAD:
    case ORYX_OP_LDX:
        e.value = v;
        break;
    case ORYX_OP_STORE:
    case ORYX_OP_STX:
        e.value = o.b;
        e.write = 1;
        break;
    default: /* RMW, CAS: the value that was there */
        e.value = v;
        e.write = 2;
        break;
    }
    ir->mem_hook = NULL;
    for (guint i = 0; i < m->probes->list->len; i++) {
        oryx_probe *p = g_ptr_array_index(m->probes->list, i);
        if (p->ops.mem)
            p->ops.mem(p->self, ir, &e);
    }
    ir->mem_hook = mem_hook;
}

void oryx__probes_insn(oryx_machine *m, oryx_ir *ir, const oryx_probe_insn *insn)
{
    ir->mem_hook = NULL;
    for (guint i = 0; i < m->probes->list->len; i++) {
        oryx_probe *p = g_ptr_array_index(m->probes->list, i);
        if (p->ops.insn)
            p->ops.insn(p->self, ir, insn);
    }
    m->probes->pc = insn->pc;
    ir->hook_arg = m;
    ir->mem_hook = m->probes->memory ? mem_hook : NULL;
}

void oryx__probes_exception(oryx_machine *m, oryx_cpu *cpu, const oryx_exc *exc)
{
    for (guint i = 0; i < m->probes->list->len; i++) {
        oryx_probe *p = g_ptr_array_index(m->probes->list, i);
        if (p->ops.exception)
            p->ops.exception(p->self, cpu, exc);
    }
}
