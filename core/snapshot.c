/* Snapshots of a machine in memory: taking, restoring, dropping.
 * Owns: struct oryx__snapshots and the tree of snapshots. Called by: the ABI (oryx_snapshot_*),
 * snapshot_file.c, machine.c at the end.
 * Invariant: memory differs from the state of snapshots->base in exactly the dirty pages of cow.c.
 * Every other snapshot is reached from base over edges; an edge between a snapshot and its parent
 * lists the pages in which the two differ, with the bytes of the one that is farther from base.
 *
 * To restore a snapshot, dirty pages are put back, then each edge on the way is swapped with
 * memory: it then holds the bytes of the side that was left. So any snapshot can be restored from
 * any other, at the cost of what differs, and nothing is copied twice. A snapshot that was dropped
 * but is still needed as a way to others stays without a handle until they go. */
#include <string.h>

#include "exec.h"
#include "monitor.h"
#include "plugin_host.h"
#include "snapshot.h"

struct oryx_snapshot {
    oryx_machine *machine;
    oryx_snapshot *parent, *child, *next; /* first child, next sibling */
    oryx_snapshot *way;                   /* while a path is walked */
    struct oryx__cow_list edge;           /* to parent */
    uint32_t n_children;
    uint32_t dropped;
    uint64_t skipped;
    struct oryx__tree *tree;
    struct oryx__device_states *devices;
    uint32_t n_vcpus;
    struct oryx__vcpu_state vcpus[];
};

struct oryx__snapshots {
    oryx_snapshot *base;
    uint32_t n; /* not dropped */
    int skip;
    char **exclude;
    uint64_t looked; /* tree version whose memory is tracked */
};

/* --- what may be captured ----------------------------------------------------------------------- */

oryx_status oryx__snapshot_quiet(oryx_machine *m, const char *what, oryx_error *err)
{
    for (guint i = 0; i < m->vcpus->len; i++)
        if (oryx__vcpu_running(m->vcpus->pdata[i]))
            return oryx__error(err, ORYX_E_STATE, "cannot %s a snapshot while vCPU %u runs; stop it first", what, i);
    if (m->os)
        return oryx__error(err, ORYX_E_UNSUPPORTED,
                           "cannot %s a snapshot of a program under an OS personality: its files and signals are the host's",
                           what);
    if (m->mem->txn)
        return oryx__error(err, ORYX_E_STATE, "cannot %s a snapshot inside a transaction; commit it first", what);
    if (atomic_load(&m->mem->api_readers))
        return oryx__error(err, ORYX_E_BUSY,
                           "cannot %s a snapshot from inside a memory access or while another thread does one", what);
    for (oryx_region *r = atomic_load(&m->mem->write_maps) ? m->mem->newest : NULL; r; r = r->made.older)
        if (atomic_load(&r->write_pins))
            return oryx__error(err, ORYX_E_BUSY, "cannot %s a snapshot: region '%s' is mapped for writing; unmap it first",
                               what, r->name);
    return ORYX_OK;
}

int oryx__snapshot_named(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (!strcmp(*names, name))
            return 1;
    return 0;
}

int oryx__snapshot_region(oryx_region *r, const char *const *leave_out, int skip, oryx_error *err)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    if (!r->ops || !ORYX_HAS(r->ops, direct) || !r->ops->direct || oryx__snapshot_named(leave_out, r->name))
        return 0;
    if (r->mode == ORYX_MODE_DIRECT && (r->ops->direct(r->self, 0, &d) || !d.host))
        return 0;
    const char *why = NULL;
    if (r->mode == ORYX_MODE_DIRECT && !(d.flags & ORYX_DIRECT_BULK))
        why = "its memory is a device's, which changes by itself";
    else if (r->mode == ORYX_MODE_DIRECT && d.last < r->last)
        why = "its memory is not direct as a whole";
    else if (r->shared)
        why = "its memory is shared with another process, which may change it at any time";
    if (!why)
        return 1;
    return skip ? 0 : oryx__error(err, ORYX_E_UNSUPPORTED, "region '%s' cannot be captured: %s; exclude it", r->name, why);
}

uint8_t *oryx__region_host(oryx_region *r)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    /* A ROM device gives no pointer while its callbacks are read. */
    if (r->mode == ORYX_MODE_CALLBACK)
        r->ops->set_mode(r->self, ORYX_MODE_DIRECT);
    oryx_status st = r->ops->direct(r->self, 0, &d);
    if (r->mode == ORYX_MODE_CALLBACK)
        r->ops->set_mode(r->self, ORYX_MODE_CALLBACK);
    return st || d.last < r->last || !(d.flags & ORYX_DIRECT_BULK) ? NULL : d.host;
}

/* Keep the pages of every region that has memory to keep. */
static oryx_status track_all(oryx_machine *m, oryx_error *err)
{
    struct oryx__snapshots *all = m->snapshots;
    oryx_status st = ORYX_OK;
    int fresh = 0;
    if (all->looked == m->mem->tree_version)
        return ORYX_OK;
    for (oryx_region *r = m->mem->newest; r && !st; r = r->made.older) {
        if (atomic_load(&r->cow))
            continue;
        int one = oryx__snapshot_region(r, (const char *const *)all->exclude, all->skip, err);
        if (one < 0)
            st = one;
        else if (one && !(st = oryx__cow_track(r, oryx__region_host(r), err)))
            fresh = 1;
    }
    for (guint i = 0; fresh && i < m->vcpus->len; i++)
        oryx__tlb_writes_begin(m->vcpus->pdata[i]);
    if (fresh)
        oryx__window_update(m);
    if (!st)
        all->looked = m->mem->tree_version;
    return st;
}

/* --- vCPUs ---------------------------------------------------------------------------------------- */

void oryx__vcpu_state_get(oryx_vcpu *v, struct oryx__vcpu_state *to)
{
    to->vcpu = v;
    to->serial = v->serial;
    to->insns = v->insns;
    to->fp = v->cpu->fp;
    to->monitor = v->cpu->monitor;
    to->monitor.active = (uint32_t)oryx__monitor_valid(v);
    to->slot = v->tlbs->monitor.slot;
    to->mode = v->cpu->mode;
    to->irq = __atomic_load_n(&v->cpu->irq, __ATOMIC_SEQ_CST);
    to->alarm = atomic_load(&v->requests) & ORYX__REQ_ALARM;
    memcpy(to->state, v->cpu->state, v->machine->arch->state_size);
}

/* Does every address lead to itself, because nothing translates? Page tables would refuse this one, which lies in no half of
 * a 64-bit address space and beyond a 32-bit one. */
static int flat(oryx_vcpu *v)
{
    const oryx_arch_ops *arch = v->machine->arch;
    const uint64_t nowhere = 0x8421000000001000;
    oryx_mmu_result t;
    if (v->mmu) /* the embedder's: it may read anything */
        return 0;
    if (!ORYX_HAS(arch, mmu) || !arch->mmu)
        return 1;
    for (uint32_t i = 0; i <= arch->n_mmu_indexes; i++)
        if (oryx__translate(v, nowhere, ORYX_ACCESS_READ, i < arch->n_mmu_indexes ? i : ORYX_MMU_CURRENT, &t) ||
            t.phys != nowhere || t.prot != ORYX_PROT_ALL || t.attrs || t.page_size != ORYX_PAGE_SIZE)
            return 0;
    return 1;
}

void oryx__vcpu_state_put(const struct oryx__vcpu_state *from)
{
    oryx_vcpu *v = from->vcpu;
    oryx_machine *m = v->machine;
    int was_flat = flat(v);
    memcpy(v->cpu->state, from->state, m->arch->state_size);
    v->cpu->fp = from->fp;
    v->cpu->monitor = from->monitor;
    v->tlbs->monitor.slot = from->slot;
    if (from->monitor.active)
        oryx__monitor_again(v);
    v->cpu->mode = from->mode;
    __atomic_store_n(&v->cpu->irq, from->irq, __ATOMIC_SEQ_CST);
    /* A stop or a flush that somebody asked for is not the guest's. */
    if (atomic_load(&v->requests) & ORYX__REQ_ALARM)
        atomic_fetch_and(&v->requests, ~ORYX__REQ_ALARM);
    if (from->alarm)
        oryx__vcpu_request(v, ORYX__REQ_ALARM);
    v->cpu->exc.kind = ORYX_EXC_NONE;
    m->stats.insns += v->insns - from->insns; /* what was executed stays counted there */
    v->insns = v->cpu->io.base = from->insns;
    /* Page tables and the registers that name them are others now. */
    if (!was_flat || !flat(v)) {
        oryx__tlb_flush(v);
        oryx__tbs_unmap(v, 0, 0);
    }
}

static oryx_status vcpus_check(const oryx_snapshot *s, oryx_error *err)
{
    const GPtrArray *vcpus = s->machine->vcpus;
    for (guint i = 0; i < vcpus->len || i < s->n_vcpus; i++) {
        if (i >= vcpus->len || (i < s->n_vcpus && ((oryx_vcpu *)vcpus->pdata[i])->serial != s->vcpus[i].serial))
            return oryx__error(err, ORYX_E_STATE,
                               "vCPU %u was destroyed after the snapshot was taken, which cannot be restored", i);
        if (i >= s->n_vcpus)
            return oryx__error(err, ORYX_E_STATE,
                               "vCPU %u was made after the snapshot was taken; destroy it before restoring", i);
    }
    return ORYX_OK;
}

/* --- taking ----------------------------------------------------------------------------------------- */

static void snapshot_free(oryx_snapshot *s)
{
    oryx__tree_drop(s->tree);
    oryx__device_states_drop(s->devices);
    oryx__free(s);
}

static void all_free(oryx_machine *m)
{
    oryx__cow_end(m);
    oryx__window_update(m);
    oryx__strv_free(m->snapshots->exclude);
    oryx__free(m->snapshots);
    m->snapshots = NULL;
}

static oryx_status all_made(oryx_machine *m, const oryx_snapshot_config *c, oryx_error *err)
{
    const char *const *exclude = c && ORYX_HAS(c, exclude) ? c->exclude : NULL;
    uint32_t flags = c && ORYX_HAS(c, flags) ? c->flags : 0;
    if (flags & ~ORYX_SNAPSHOT_SKIP)
        return oryx__error(err, ORYX_E_INVALID, "snapshot: flags 0x%x are unknown; use ORYX_SNAPSHOT_*", flags);
    if (m->snapshots)
        return exclude || flags ? oryx__error(err, ORYX_E_STATE,
                                              "snapshot: what is left out was said by the machine's first snapshot; pass none")
                                : ORYX_OK;
    m->snapshots = oryx__alloc(sizeof(*m->snapshots));
    if (!m->snapshots)
        return oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory");
    m->snapshots->skip = (flags & ORYX_SNAPSHOT_SKIP) != 0;
    for (; exclude && *exclude; exclude++)
        if (!(m->snapshots->exclude = oryx__strv_add(m->snapshots->exclude, oryx__strdup(*exclude))))
            return oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory");
    return oryx__cow_start(m, err);
}

static oryx_status snapshot_new(oryx_machine *m, oryx_snapshot **out, oryx_error *err)
{
    const struct oryx__snapshots *all = m->snapshots;
    size_t n = m->vcpus->len, size = m->arch->state_size;
    oryx_snapshot *s = oryx__alloc(sizeof(*s) + n * (sizeof(s->vcpus[0]) + size));
    if (!s)
        return oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory");
    s->machine = m;
    s->n_vcpus = (uint32_t)n;
    s->skipped = atomic_load(&m->skipped);
    for (guint i = 0; i < n; i++) {
        s->vcpus[i].state = (uint8_t *)&s->vcpus[n] + i * size;
        oryx__vcpu_state_get(m->vcpus->pdata[i], &s->vcpus[i]);
    }
    oryx_status st = ORYX_OK;
    /* Devices first: one that brings itself up to date in save may switch a region. */
    st = oryx__device_states_take(m, (const char *const *)all->exclude, all->skip, &s->devices, err);
    if (!st && all->base && all->base->tree->version == m->mem->tree_version && !all->base->tree->has_state) {
        s->tree = all->base->tree;
        s->tree->users++;
    } else if (!st) {
        st = oryx__tree_take(m, &s->tree, err);
    }
    if (st)
        snapshot_free(s);
    else
        *out = s;
    return st;
}

oryx_status oryx_snapshot_take(oryx_machine *m, const oryx_snapshot_config *config, oryx_snapshot **out, oryx_error *err)
{
    if (!m || !out)
        return oryx__error(err, ORYX_E_INVALID, "snapshot_take: machine and out must not be NULL");
    *out = NULL;
    oryx_snapshot *s = NULL;
    pthread_mutex_lock(&m->lock);
    oryx_status st = oryx__snapshot_quiet(m, "take", err);
    if (!st && oryx__cow_lost(m))
        st = oryx__error(err, ORYX_E_STATE, "%s", oryx__cow_lost(m));
    if (!st)
        st = all_made(m, config, err);
    if (!st)
        st = snapshot_new(m, &s, err);
    if (!st && (st = track_all(m, err)) != ORYX_OK)
        snapshot_free(s);
    struct oryx__snapshots *all = m->snapshots;
    if (!st) {
        oryx__cow_list_init(m, &s->edge);
        oryx__cow_take(m, &s->edge);
        s->parent = all->base;
        if (s->parent) {
            s->next = s->parent->child;
            s->parent->child = s;
            s->parent->n_children++;
        }
        all->base = s;
        all->n++;
        *out = s;
    } else if (all && !all->base) {
        all_free(m);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

/* --- restoring -------------------------------------------------------------------------------------- */

/* Where the way from base to s turns from up to down. */
static oryx_snapshot *common(oryx_snapshot *base, oryx_snapshot *s)
{
    uint64_t a = 0, b = 0;
    for (oryx_snapshot *n = base; n; n = n->parent)
        a++;
    for (oryx_snapshot *n = s; n; n = n->parent)
        b++;
    for (; a > b; a--)
        base = base->parent;
    for (; b > a; b--)
        s = s->parent;
    while (base != s) {
        base = base->parent;
        s = s->parent;
    }
    return base;
}

static oryx_status pages_reserve(oryx_snapshot *s, oryx_snapshot *top, oryx_error *err)
{
    oryx_machine *m = s->machine;
    uint64_t more = 0;
    oryx_status st = ORYX_OK;
    for (oryx_snapshot *n = m->snapshots->base; n != top && !st; n = n->parent)
        st = oryx__cow_reserve(m, &n->edge, &more);
    for (oryx_snapshot *n = s; n != top && !st; n = n->parent)
        st = oryx__cow_reserve(m, &n->edge, &more);
    return st ? oryx__error(err, st, "snapshot: out of memory for the pages it differs in") : ORYX_OK;
}

static void pages_put(oryx_snapshot *s, oryx_snapshot *top)
{
    oryx_machine *m = s->machine;
    oryx_snapshot *down = NULL;
    oryx__cow_revert(m);
    for (oryx_snapshot *n = m->snapshots->base; n != top; n = n->parent)
        oryx__cow_swap(m, &n->edge);
    for (oryx_snapshot *n = s; n != top; n = n->parent) {
        n->way = down;
        down = n;
    }
    for (; down; down = down->way)
        oryx__cow_swap(m, &down->edge);
    m->snapshots->base = s;
}

oryx_status oryx__devices_at(oryx_machine *m, struct oryx__device_states *s, uint64_t skipped,
                             const struct oryx__vcpu_state *vcpus, uint32_t n, oryx_error *err)
{
    if (!s)
        return ORYX_OK;
    uint64_t *insns = oryx__alloc((n + 1) * sizeof(*insns));
    if (!insns)
        return oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory");
    skipped = atomic_exchange(&m->skipped, skipped);
    for (uint32_t i = 0; i < n; i++) {
        insns[i] = vcpus[i].vcpu->insns;
        vcpus[i].vcpu->insns = vcpus[i].insns;
    }
    oryx_status st = oryx__device_states_put(m, s, err);
    for (uint32_t i = 0; i < n; i++)
        vcpus[i].vcpu->insns = insns[i];
    if (st)
        atomic_store(&m->skipped, skipped);
    oryx__free(insns);
    return st;
}

static oryx_snapshot *prune(oryx_snapshot *s);

static oryx_status restore(oryx_snapshot *s, oryx_error *err)
{
    oryx_machine *m = s->machine;
    const char *lost = oryx__cow_lost(m);
    oryx_status st = lost ? oryx__error(err, ORYX_E_STATE, "%s", lost) : vcpus_check(s, err);
    if (!st)
        st = oryx__device_states_check(m, s->devices, err);
    oryx_snapshot *top = common(m->snapshots->base, s);
    struct oryx__tree *before = NULL;
    if (!st)
        st = pages_reserve(s, top, err);
    if (!st)
        st = oryx__tree_put(m, s->tree, &before, err);
    if (!st && (st = oryx__devices_at(m, s->devices, s->skipped, s->vcpus, s->n_vcpus, err)) != ORYX_OK &&
        before) {
        struct oryx__tree *undone = NULL;
        oryx__tree_put(m, before, &undone, NULL);
        oryx__tree_drop(undone);
    }
    if (!st) {
        oryx_snapshot *old = m->snapshots->base;
        pages_put(s, top);
        while (old) /* dropped before, and needed as base until now */
            old = prune(old);
        if (before)
            oryx__tree_trim(before);
        for (uint32_t i = 0; i < s->n_vcpus; i++)
            oryx__vcpu_state_put(&s->vcpus[i]);
        atomic_store(&m->skipped, s->skipped);
    }
    oryx__tree_drop(before);
    return st;
}

oryx_status oryx_snapshot_restore(oryx_snapshot *s, oryx_error *err)
{
    if (!s || s->dropped)
        return oryx__error(err, ORYX_E_INVALID, "snapshot_restore: give a snapshot that was not dropped");
    oryx_machine *m = s->machine;
    pthread_mutex_lock(&m->lock);
    oryx_status st = oryx__snapshot_quiet(m, "restore", err);
    if (!st)
        st = restore(s, err);
    pthread_mutex_unlock(&m->lock);
    return st;
}

/* --- dropping --------------------------------------------------------------------------------------- */

static int below(const oryx_snapshot *s, const oryx_snapshot *top)
{
    while (s && s != top)
        s = s->parent;
    return s != NULL;
}

static void unlink_child(oryx_snapshot *s)
{
    oryx_snapshot **at = &s->parent->child;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->parent->n_children--;
}

/* Take a dropped snapshot out of the tree if nothing needs it. Returns who may be next. */
static oryx_snapshot *prune(oryx_snapshot *s)
{
    oryx_machine *m = s->machine;
    struct oryx__snapshots *all = m->snapshots;
    oryx_snapshot *parent = s->parent, *child = s->child;
    if (!s->dropped || s->n_children > 1 || (child && all->base == s) || (!child && !parent))
        return NULL;
    if (child && !parent) {
        /* The first of all, and memory is on the child's side. */
        oryx__cow_list_free(m, &child->edge);
        oryx__cow_list_init(m, &child->edge);
        child->parent = NULL;
    } else if (child) {
        /* Between two. The list on base's far side has the bytes that count. */
        int inside = below(all->base, child);
        if (!oryx__cow_merge(m, inside ? &s->edge : &child->edge, inside ? &child->edge : &s->edge))
            return NULL; /* it stays on the way */
        if (inside) {
            child->edge.first = s->edge.first;
            child->edge.n = s->edge.n;
            s->edge.first = NULL;
        }
        unlink_child(s);
        child->parent = parent;
        child->next = parent->child;
        parent->child = child;
        parent->n_children++;
    } else {
        if (all->base == s) {
            oryx__cow_join(m, &s->edge);
            all->base = parent;
        }
        unlink_child(s);
    }
    oryx__cow_list_free(m, &s->edge);
    snapshot_free(s);
    return parent ? parent : child;
}

void oryx_snapshot_drop(oryx_snapshot *s)
{
    if (!s || s->dropped)
        return;
    oryx_machine *m = s->machine;
    pthread_mutex_lock(&m->lock);
    s->dropped = 1;
    if (--m->snapshots->n == 0) {
        oryx__snapshots_destroy(m);
    } else {
        while (s)
            s = prune(s);
    }
    pthread_mutex_unlock(&m->lock);
}

/* Children before parents, without recursion: chains may be long. */
void oryx__snapshots_destroy(oryx_machine *m)
{
    if (!m->snapshots)
        return;
    oryx_snapshot *s = m->snapshots->base;
    while (s && s->parent)
        s = s->parent;
    while (s) {
        while (s->child)
            s = s->child;
        oryx_snapshot *parent = s->parent;
        if (parent)
            unlink_child(s);
        snapshot_free(s); /* its pages go with all others */
        s = parent;
    }
    all_free(m);
}

void oryx_snapshot_describe(oryx_machine *m, oryx_snapshot_info *out)
{
    oryx_snapshot_info all = {.hdr = ORYX_HDR(oryx_snapshot_info)};
    if (!m || !out)
        return;
    pthread_mutex_lock(&m->lock);
    all.dirty_pages = oryx__cow_dirty(m, &all.kept_bytes);
    all.snapshots = m->snapshots ? m->snapshots->n : 0;
    pthread_mutex_unlock(&m->lock);
    uint32_t size = MIN(out->hdr.size ? out->hdr.size : (uint32_t)sizeof(all), (uint32_t)sizeof(all));
    all.hdr.size = size;
    memcpy(out, &all, size);
}
