/* Machines: creation in dependency order, exact unwinding, destruction, statistics.
 *
 * Embedders call it. Order: plugins, frontend and engine rows, helpers, memory, engine, TB cache, probes; destruction is the
 * reverse. Invariant: every subsystem's destroy function accepts a machine whose creation stopped before it. */
#include <string.h>

#include "exec.h"

/* A full-size copy of an ops struct of another version: members it does not know read as zero. */
static void *ops_copy(const void *from, size_t size)
{
    const oryx_hdr *hdr = from;
    void *to = oryx__alloc(size);
    if (to)
        memcpy(to, from, MIN(hdr->size, size));
    return to;
}

static const oryx_reg *reg_at(const oryx_arch_ops *a, uint32_t i)
{
    return (const oryx_reg *)(const void *)((const char *)a->regs + (size_t)i * a->reg_stride);
}

static oryx_status bad_arch(oryx_error *err, const oryx_arch_ops *a, const char *what)
{
    return oryx__error(err, ORYX_E_PLUGIN, "frontend '%s' is refused: %s", a->name ? a->name : "?", what);
}

static oryx_status check_arch(const oryx_arch_ops *a, oryx_error *err)
{
    if (!a->reset || !a->lift)
        return bad_arch(err, a, "reset and lift must be set");
    if (a->state_size < 8 || a->state_size > 1u << 20 || a->pc_offset > a->state_size - 8 || a->pc_offset % 8)
        return bad_arch(err, a, "state_size must be 8 bytes to 1 MiB and hold the 8-byte aligned pc slot");
    if (a->n_regs && (!a->regs || a->reg_stride < sizeof(oryx_reg)))
        return bad_arch(err, a, "reg_stride is smaller than a register row");
    if (a->n_models && (!a->models || a->model_stride < sizeof(oryx_cpu_model)))
        return bad_arch(err, a, "model_stride is smaller than a CPU model row");
    if (a->n_helpers && (!a->helpers || a->helper_stride < sizeof(oryx_helper)))
        return bad_arch(err, a, "helper_stride is smaller than a helper row");
    if (!a->insn_align || a->insn_align & (a->insn_align - 1) || a->insn_max < a->insn_align || a->insn_max > 16)
        return bad_arch(err, a, "insn_align must be a power of two, insn_max at least that and at most 16");
    if (a->n_mmu_indexes > ORYX_MMU_INDEXES)
        return bad_arch(err, a, "it has more mmu indexes than the core");
    for (uint32_t i = 0; i < a->n_regs; i++) {
        const oryx_reg *r = reg_at(a, i);
        if (!r->name || !r->size || r->size > 16 || r->size & (r->size - 1))
            return oryx__error(err, ORYX_E_PLUGIN, "frontend '%s' is refused: register %u ('%s') needs a name and 1, 2, 4, 8 or 16 bytes",
                               a->name, i, r->name ? r->name : "?");
        if (!(r->flags & ORYX_REG_COMPUTED) && (uint64_t)r->offset + r->size > a->state_size)
            return oryx__error(err, ORYX_E_PLUGIN, "frontend '%s' is refused: register '%s' lies outside the state block", a->name,
                               r->name);
        if (r->flags & ORYX_REG_COMPUTED && (!a->reg_read || !a->reg_write))
            return oryx__error(err, ORYX_E_PLUGIN, "frontend '%s' is refused: register '%s' is computed but reg_read or reg_write is missing",
                               a->name, r->name);
    }
    return ORYX_OK;
}

/* Register names of a frontend, made once in a process: a loaded plugin stays, and its rows with it. */
struct names {
    const void *regs;
    uint32_t n, stride;
    GHashTable *table; /* name -> row + 1 */
    struct names *next;
};

static GHashTable *reg_names(const oryx_arch_ops *a)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct names *all;
    pthread_mutex_lock(&lock);
    struct names *l = all;
    while (l && (l->regs != a->regs || l->n != a->n_regs || l->stride != a->reg_stride))
        l = l->next;
    if (!l && (l = oryx__alloc(sizeof(*l))) != NULL) {
        *l = (struct names){ a->regs, a->n_regs, a->reg_stride, g_hash_table_new(g_str_hash, g_str_equal), all };
        int ok = l->table != NULL;
        for (uint32_t i = 0; i < a->n_regs && ok; i++)
            if (!g_hash_table_contains(l->table, reg_at(a, i)->name))
                ok = g_hash_table_insert(l->table, (char *)reg_at(a, i)->name, GUINT_TO_POINTER(i + 1));
        if (ok) {
            all = l;
        } else {
            g_hash_table_destroy(l->table);
            oryx__free(l);
            l = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return l ? l->table : NULL;
}

static oryx_status find_arch(oryx_machine *m, const char *name, oryx_error *err)
{
    const void *ops = oryx_plugin_interface(m, ORYX_ARCH_ID, name, err);
    if (!ops)
        return err && err->code ? err->code : ORYX_E_NOTFOUND;
    m->arch = ops_copy(ops, sizeof(oryx_arch_ops));
    if (!m->arch)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for a machine");
    oryx_status s = check_arch(m->arch, err);
    if (s != ORYX_OK)
        return s;
    m->reg_names = reg_names(m->arch);
    if (!m->reg_names)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for a machine");
    m->pc_reg = -1;
    for (uint32_t i = 0; i < m->arch->n_regs; i++)
        if (reg_at(m->arch, i)->flags & ORYX_REG_IS_PC && reg_at(m->arch, i)->flags & ORYX_REG_COMPUTED)
            m->pc_reg = (int32_t)i;
    return ORYX_OK;
}

static oryx_status find_engine(oryx_machine *m, const char *name, oryx_error *err)
{
    const void *ops = NULL;
    if (name)
        ops = oryx_plugin_interface(m, ORYX_ENGINE_ID, name, err);
    else if (!(ops = oryx_plugin_interface(m, ORYX_ENGINE_ID, "x64", NULL)))
        ops = oryx_plugin_interface(m, ORYX_ENGINE_ID, "interp", err);
    if (!ops)
        return err && err->code ? err->code : ORYX_E_NOTFOUND;
    m->engine = ops_copy(ops, sizeof(oryx_engine_ops));
    if (!m->engine)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for a machine");
    if (!m->engine->create || !m->engine->destroy || !m->engine->compile || !m->engine->discard || !m->engine->enter)
        return oryx__error(err, ORYX_E_PLUGIN, "engine '%s' is refused: create, destroy, compile, discard and enter must be set",
                           m->engine->name ? m->engine->name : "?");
    return ORYX_OK;
}

/* engine_self tells destroy that create succeeded; an engine without an object of its own gets a placeholder. Where the default
 * engine is refused its executable memory, the portable one takes its place, and *err says why beside ORYX_OK. */
static oryx_status make_engine(oryx_machine *m, const char *name, const char *options, oryx_error *err)
{
    oryx_error why = { .code = ORYX_OK };
    oryx_status s = m->engine->create(&oryx__host, m, options, &m->engine_self, &why);
    if (s == ORYX_E_PERM && !name) {
        const oryx_engine_ops *refused = m->engine;
        m->engine = NULL;
        m->engine_self = NULL;
        oryx__free((void *)refused);
        s = find_engine(m, "interp", err);
        if (s == ORYX_OK)
            s = m->engine->create(&oryx__host, m, options, &m->engine_self, err);
        if (s == ORYX_OK && err) {
            oryx__error(err, ORYX_OK, "%s; running under engine 'interp'", why.text);
            err->code = ORYX_OK;
        }
    } else if (s != ORYX_OK && err) {
        *err = why;
    }
    m->engine_made = s == ORYX_OK;
    return s;
}

static oryx_status build(oryx_machine *m, const oryx_machine_config *c, oryx_error *err)
{
    const char *engine = ORYX_HAS(c, engine) ? c->engine : NULL;
    const char *options = ORYX_HAS(c, engine_options) ? c->engine_options : NULL;
    oryx_status s = oryx__window_config(m, ORYX_HAS(c, window) ? c->window : NULL, err);
    if (s != ORYX_OK)
        return s;
    if ((s = oryx__plugins_create(m, c, err)) != ORYX_OK || (s = find_arch(m, c->arch, err)) != ORYX_OK ||
        (s = find_engine(m, engine, err)) != ORYX_OK || (s = oryx__helpers_create(m, err)) != ORYX_OK)
        return s;
    if ((s = oryx__helpers_base(m, m->arch->helpers, m->arch->n_helpers, m->arch->helper_stride, err)) != ORYX_OK)
        return s;
    m->helper_base = 0;
    if ((s = oryx__mem_create(m, err)) != ORYX_OK)
        return s;
    if ((s = make_engine(m, engine, options, err)) != ORYX_OK)
        return s;
    if ((s = oryx__tbs_create(m, err)) != ORYX_OK)
        return s;
    return oryx__probes_create(m, err);
}

oryx_status oryx_machine_new(const oryx_machine_config *config, oryx_machine **out, oryx_error *err)
{
    if (out)
        *out = NULL;
    if (err) {
        err->code = ORYX_OK;
        err->text[0] = 0;
    }
    if (!config || !out || !ORYX_HAS(config, arch) || !config->arch)
        return oryx__error(err, ORYX_E_INVALID, "machine: give a config with its hdr filled (ORYX_HDR) and an arch name");
    oryx_machine *m = oryx__alloc(sizeof(*m));
    if (m && !(m->vcpus = g_ptr_array_new())) {
        oryx__free(m);
        m = NULL;
    }
    if (!m)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for a machine");
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    atomic_init(&m->next_alarm, ~(uint64_t)0);
    oryx_status s = build(m, config, err);
    if (s != ORYX_OK) {
        oryx_machine_destroy(m);
        return s;
    }
    *out = m;
    return ORYX_OK;
}

void oryx_machine_destroy(oryx_machine *m)
{
    if (!m)
        return;
    oryx__snapshots_destroy(m);
    oryx__os_destroy(m);
    oryx__devices_destroy(m);
    while (m->vcpus->len)
        oryx_vcpu_destroy(g_ptr_array_index(m->vcpus, m->vcpus->len - 1));
    oryx__timer_destroy(m);
    oryx__probes_destroy(m);
    oryx__tbs_destroy(m);
    if (m->engine_made)
        m->engine->destroy(m->engine_self);
    oryx__mem_destroy(m);
    oryx__helpers_destroy(m);
    oryx__symbols_destroy(m);
    oryx__attached_destroy(m);
    oryx__free((void *)m->engine);
    oryx__free((void *)m->arch);
    oryx__plugins_destroy(m);
    g_ptr_array_free(m->vcpus, TRUE);
    pthread_mutex_destroy(&m->lock);
    oryx__free(m);
}

const oryx_arch_ops *oryx_machine_arch(oryx_machine *m)
{
    return m->arch;
}

const char *oryx_machine_engine(oryx_machine *m)
{
    return m->engine->name;
}

/* Virtual time: one instruction is one nanosecond, and the vCPU that is furthest ahead tells; idle time that was skipped comes
 * on top. */
uint64_t oryx_machine_vtime(oryx_machine *m)
{
    uint64_t t = 0;
    for (guint i = 0; i < m->vcpus->len; i++) {
        uint64_t n = oryx_vcpu_insns(g_ptr_array_index(m->vcpus, i));
        t = MAX(t, n);
    }
    return t + atomic_load_explicit(&m->skipped, memory_order_relaxed);
}

void oryx_machine_stats(oryx_machine *m, oryx_stats *out)
{
    if (!m || !out)
        return;
    pthread_mutex_lock(&m->lock);
    pthread_mutex_lock(&m->tbs->lock);
    oryx_stats all = m->stats;
    for (guint i = 0; i < m->vcpus->len; i++)
        all.insns += oryx_vcpu_insns(g_ptr_array_index(m->vcpus, i));
    all.code_bytes = m->tbs->bytes;
    pthread_mutex_unlock(&m->tbs->lock);
    pthread_mutex_unlock(&m->lock);
    uint32_t size = MIN(out->hdr.size ? out->hdr.size : (uint32_t)sizeof(all), (uint32_t)sizeof(all));
    all.hdr = (oryx_hdr)ORYX_HDR(oryx_stats);
    all.hdr.size = size;
    memcpy(out, &all, size);
}
