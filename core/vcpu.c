/* vCPUs: creation, registers, stop requests, virtual memory as a vCPU sees it.
 *
 * Embedders and OS personalities call it. Invariant: cpu, the state block and the engine's frame are one 64-byte
 * aligned allocation at constant distances, so engines address all three from one host register. */
#include <string.h>

#include "cold.h"
#include "exec.h"

#define ALIGN 64u

static const oryx_cpu_model *model_at(const oryx_arch_ops *a, uint32_t i)
{
    return (const oryx_cpu_model *)(const void *)((const char *)a->models + (size_t)i * a->model_stride);
}

static oryx_status find_model(const oryx_arch_ops *a, const char *name, const oryx_cpu_model **out, oryx_error *err)
{
    GString *known = g_string_new(NULL);
    oryx_status s = ORYX_OK;
    *out = a->n_models ? model_at(a, 0) : NULL;
    if (name) {
        *out = NULL;
        for (uint32_t i = 0; i < a->n_models && !*out; i++) {
            if (strcmp(model_at(a, i)->name, name) == 0)
                *out = model_at(a, i);
            g_string_append_printf(known, " %s", model_at(a, i)->name);
        }
        if (!*out)
            s = oryx__error(err, ORYX_E_NOTFOUND, "frontend '%s' has no CPU model '%s': use one of%s", a->name, name,
                            known && known->len ? known->str : " none");
    }
    g_string_free(known, TRUE);
    return s;
}

static oryx_status check_mode(const oryx_arch_ops *a, const char *name, oryx_error *err)
{
    if (!name)
        return ORYX_OK;
    GString *known = g_string_new(NULL);
    bool found = false;
    for (const char *const *p = a->modes; p && *p; p++) {
        found |= strcmp(*p, name) == 0;
        g_string_append_printf(known, " %s", *p);
    }
    oryx_status s = found ? ORYX_OK
                          : oryx__error(err, ORYX_E_NOTFOUND, "frontend '%s' has no mode '%s': use one of%s", a->name, name,
                                        known && known->len ? known->str : " none");
    g_string_free(known, TRUE);
    return s;
}

/* What v points to, made so far. */
static void vcpu_free(oryx_vcpu *v)
{
    oryx__cold_free(v);
    oryx__vcpu_owners_free(v);
    sem_destroy(&v->wake);
    oryx__free(v->jump_cache);
    oryx__free(v->block);
    oryx__free(v->step_cache);
    oryx__free(v->until);
    oryx__free(v);
}

static oryx_status vcpu_alloc(oryx_machine *m, oryx_vcpu **out)
{
    oryx_vcpu *v = oryx__alloc(sizeof(*v));
    if (!v)
        return ORYX_E_NOMEM;
    size_t cpu_size = (sizeof(oryx_cpu) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    v->machine = m;
    sem_init(&v->wake, 0, 0);
    size_t state_size = ((size_t)m->arch->state_size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    v->block = oryx__alloc(cpu_size + state_size + m->engine->frame_size + ALIGN);
    v->step_cache = oryx__alloc(ORYX__STEP_CACHE * sizeof(*v->step_cache));
    if (v->block) {
        v->cpu = (oryx_cpu *)(((uintptr_t)v->block + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1));
        v->cpu->hdr = (oryx_hdr)ORYX_HDR(oryx_cpu);
        v->cpu->state = (uint8_t *)v->cpu + cpu_size;
        v->cpu->frame = m->engine->frame_size ? v->cpu->state + state_size : NULL;
        v->cpu->vcpu = v;
        v->cpu->machine = m;
        v->cpu->jump_cache = v->jump_cache = oryx__alloc(((size_t)1 << ORYX_JUMP_CACHE_BITS) * sizeof(*v->jump_cache));
    }
    if (!v->block || !v->step_cache || !v->jump_cache) {
        vcpu_free(v);
        return ORYX_E_NOMEM;
    }
    v->fns = oryx__cpu_mem_fns;
    v->fns.hdr = (oryx_hdr)ORYX_HDR(oryx_cpu_fns);
    v->fns.tb_find = oryx__run_tb_find;
    v->cpu->fn = &v->fns;
    v->cpu->exc.hdr = (oryx_hdr)ORYX_HDR(oryx_exc);
    atomic_init(&v->seen, ~(uint64_t)0);
    *out = v;
    return ORYX_OK;
}

static void attach_waiting(oryx_vcpu *v);

oryx_status oryx_vcpu_new(oryx_machine *m, const oryx_vcpu_config *config, oryx_vcpu **out, oryx_error *err)
{
    static const oryx_vcpu_config plain = { .hdr = ORYX_HDR(oryx_vcpu_config) };
    const oryx_vcpu_config *c = config ? config : &plain;
    const oryx_cpu_model *model;
    oryx_vcpu *v;
    oryx_status s;
    if (!m || !out)
        return oryx__error(err, ORYX_E_INVALID, "vcpu: machine and out must be given");
    *out = NULL;
    const char *mode = ORYX_HAS(c, mode) ? c->mode : NULL;
    if ((s = find_model(m->arch, ORYX_HAS(c, model) ? c->model : NULL, &model, err)) != ORYX_OK ||
        (s = check_mode(m->arch, mode, err)) != ORYX_OK)
        return s;
    if (vcpu_alloc(m, &v) != ORYX_OK)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for a vCPU");
    v->space = ORYX_HAS(c, space) && c->space ? c->space : oryx_space_get(m, "system");
    v->model = model;
    v->default_mode = !mode || !m->arch->modes || !m->arch->modes[0] || strcmp(mode, m->arch->modes[0]) == 0;
    if ((s = oryx__tlb_create(v, err)) != ORYX_OK)
        goto no_tlb;
    if ((s = oryx__probes_vcpu_init(v, err)) != ORYX_OK)
        goto no_slots;
    if ((s = m->arch->reset(v->cpu, model, mode, err)) != ORYX_OK)
        goto no_engine;
    if (m->engine->vcpu_init && (s = m->engine->vcpu_init(m->engine_self, v->cpu, err)) != ORYX_OK)
        goto no_engine;
    pthread_mutex_lock(&m->lock);
    v->serial = ++m->serials;
    int added = oryx__tbs_vcpu_add(v);
    oryx__monitor_vcpu_added(m);
    /* Device accesses that are ready are one vCPU's alone (io_cache.h). */
    for (guint i = 0; m->vcpus->len == 2 && i < 2; i++)
        if (m->vcpus->pdata[i] != v)
            oryx__tlb_request(m->vcpus->pdata[i]);
    pthread_mutex_unlock(&m->lock);
    if (added) {
        if (m->attached)
            attach_waiting(v);
        *out = v;
        return ORYX_OK;
    }
    s = oryx__error(err, ORYX_E_NOMEM, "no memory for a vCPU");
    if (m->engine->vcpu_fini)
        m->engine->vcpu_fini(m->engine_self, v->cpu);
no_engine:
    oryx__probes_vcpu_fini(v);
no_slots:
    oryx__tlb_destroy(v);
no_tlb:
    vcpu_free(v);
    return s;
}

void oryx_vcpu_destroy(oryx_vcpu *v)
{
    if (!v)
        return;
    oryx_machine *m = v->machine;
    oryx_device_destroy(v->device);
    pthread_mutex_lock(&m->lock);
    oryx__timer_disarm(v);
    oryx__tbs_vcpu_remove(v);
    if (m->engine->vcpu_fini)
        m->engine->vcpu_fini(m->engine_self, v->cpu);
    oryx__probes_vcpu_fini(v);
    oryx__tlb_destroy(v);
    vcpu_free(v);
    pthread_mutex_unlock(&m->lock);
}

oryx_machine *oryx_vcpu_machine(oryx_vcpu *v)
{
    return v->machine;
}

oryx_space *oryx_vcpu_space(oryx_vcpu *v)
{
    return v->space;
}

oryx_cpu *oryx_vcpu_cpu(oryx_vcpu *v)
{
    return v->cpu;
}

/* --- state shared with device models ------------------------------------------------------------------------------------- */
struct oryx__attached {
    uint32_t vcpu;
    const char *id;
    void *shared;
    struct oryx__attached *next;
};

/* To the vCPU that was just made. */
static void attach_waiting(oryx_vcpu *v)
{
    uint32_t n = v->machine->vcpus->len - 1;
    for (struct oryx__attached *a = v->machine->attached; a; a = a->next)
        if (a->vcpu == n)
            v->machine->arch->attach(v->cpu, a->id, a->shared);
}

void oryx__attached_destroy(oryx_machine *m)
{
    for (struct oryx__attached *a; (a = m->attached) != NULL;) {
        m->attached = a->next;
        oryx__free((void *)(uintptr_t)a->id);
        oryx__free(a);
    }
}

static oryx_status attached_add(oryx_machine *m, uint32_t vcpu, const char *id, void *shared)
{
    struct oryx__attached *a = oryx__alloc(sizeof(*a));
    char *copy = a ? oryx__alloc(strlen(id) + 1) : NULL;
    if (!copy) {
        oryx__free(a);
        return ORYX_E_NOMEM;
    }
    *a = (struct oryx__attached){ vcpu, strcpy(copy, id), shared, m->attached };
    m->attached = a;
    return ORYX_OK;
}

oryx_status oryx_machine_attach(oryx_machine *m, uint32_t vcpu, const char *id, void *shared)
{
    if (!m || !id)
        return ORYX_E_INVALID;
    if (!ORYX_HAS(m->arch, attach) || !m->arch->attach)
        return ORYX_E_UNSUPPORTED;
    pthread_mutex_lock(&m->lock);
    struct oryx__attached **at = &m->attached;
    while (*at && ((*at)->vcpu != vcpu || strcmp((*at)->id, id)))
        at = &(*at)->next;
    oryx_vcpu *v = oryx_machine_vcpu(m, vcpu);
    oryx_status s = *at && shared ? ORYX_E_BUSY : v ? m->arch->attach(v->cpu, id, shared) : ORYX_OK;
    if (s == ORYX_OK && shared && (s = attached_add(m, vcpu, id, shared)) != ORYX_OK && v)
        m->arch->attach(v->cpu, id, NULL);
    if (s == ORYX_OK && !shared && *at) {
        struct oryx__attached *gone = *at;
        *at = gone->next;
        oryx__free((void *)(uintptr_t)gone->id);
        oryx__free(gone);
    }
    pthread_mutex_unlock(&m->lock);
    return s;
}

/* --- registers ------------------------------------------------------------------------------------------------------------ */
int32_t oryx_reg_find(oryx_machine *m, const char *name)
{
    guint at = m && name ? GPOINTER_TO_UINT(g_hash_table_lookup(m->reg_names, name)) : 0;
    return at ? (int32_t)(at - 1) : ORYX_E_NOTFOUND;
}

const oryx_reg *oryx_reg_row(oryx_machine *m, int32_t reg)
{
    if (!m || reg < 0 || (uint32_t)reg >= m->arch->n_regs)
        return NULL;
    return (const oryx_reg *)(const void *)((const char *)m->arch->regs + (size_t)reg * m->arch->reg_stride);
}

oryx_status oryx_reg_read(oryx_vcpu *v, int32_t reg, void *buf, uint32_t size)
{
    if (!v || !buf)
        return ORYX_E_INVALID;
    const oryx_reg *r = oryx_reg_row(v->machine, reg);
    if (!r)
        return ORYX_E_NOTFOUND;
    if (size != r->size)
        return ORYX_E_RANGE;
    if (r->flags & ORYX_REG_COMPUTED)
        return v->machine->arch->reg_read(v->cpu, (uint32_t)reg, buf);
    memcpy(buf, v->cpu->state + r->offset, size);
    return ORYX_OK;
}

oryx_status oryx_reg_write(oryx_vcpu *v, int32_t reg, const void *buf, uint32_t size)
{
    if (!v || !buf)
        return ORYX_E_INVALID;
    const oryx_reg *r = oryx_reg_row(v->machine, reg);
    if (!r)
        return ORYX_E_NOTFOUND;
    if (size != r->size)
        return ORYX_E_RANGE;
    if (r->flags & ORYX_REG_READONLY)
        return ORYX_E_PERM;
    if (r->flags & ORYX_REG_COMPUTED)
        return v->machine->arch->reg_write(v->cpu, (uint32_t)reg, buf);
    memcpy(v->cpu->state + r->offset, buf, size);
    return ORYX_OK;
}

uint64_t oryx_vcpu_pc(oryx_vcpu *v)
{
    return *oryx__pc_slot(v);
}

void oryx_vcpu_set_pc(oryx_vcpu *v, uint64_t pc)
{
    const oryx_arch_ops *a = v->machine->arch;
    *oryx__pc_slot(v) = pc;
    if (v->machine->pc_reg >= 0) /* the frontend wants to know */
        a->reg_write(v->cpu, (uint32_t)v->machine->pc_reg, &pc);
}

/* --- requests ------------------------------------------------------------------------------------------------------------- */
void oryx__vcpu_request(oryx_vcpu *v, uint32_t request)
{
    atomic_fetch_or(&v->requests, request);
    __atomic_store_n(&v->cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    oryx__vcpu_wake(v);
}

void oryx_vcpu_stop(oryx_vcpu *v)
{
    oryx__vcpu_request(v, ORYX__REQ_STOP);
}

/* --- translation of addresses ----------------------------------------------------------------------------------------------- */
void oryx_vcpu_set_mmu(oryx_vcpu *v, oryx_mmu_fn fn, void *opaque)
{
    v->mmu = fn;
    v->mmu_opaque = opaque;
    oryx__tlb_flush(v);
    oryx__tbs_unmap(v, 0, 0);
}

void oryx_vcpu_tlb_flush(oryx_vcpu *v, uint64_t addr, uint64_t size)
{
    bool elsewhere = !oryx__vcpu_inside(v) && oryx__vcpu_running(v);
    uint64_t span = oryx__tlb_span(v);
    if (size && span > ORYX_PAGE_SIZE) {
        /* Of a mapping larger than a page any part may be cached. */
        uint64_t last = (addr + size - 1) | (span - 1);
        addr &= ~(span - 1);
        size = last - addr + 1; /* 0 when that is everything */
    }
    if (elsewhere) {
        /* v may fill caches from the old mapping until it serves this: then once more. */
        oryx__tbs_unmap(v, addr, size);
        oryx__vcpu_request(v, ORYX__REQ_TLB_FLUSH | ORYX__REQ_UNMAP);
        return;
    }
    if (size)
        oryx__tlb_flush_range(v, addr, size);
    else
        oryx__tlb_flush(v);
    oryx__tbs_unmap(v, addr, size);
}
