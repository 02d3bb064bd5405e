/* Exclusive monitors: a load-exclusive watches 64 bytes until the store-exclusive, and any write to them by somebody else in
 * between, of whatever value, makes the store fail.
 * Owns: mem->monitors. Called by: access.c for exclusives and for stores to tracked pages, code_page.c before every other
 * write that passes the core.
 * Invariant: a write by another vCPU, a device or the API raises the version of its granule's slot, under the slot's lock,
 * before it becomes visible; a store-exclusive compares the version and stores under the same lock.
 *
 * Writers must be seen for that, so in a machine with several vCPUs a page that exclusives use is *tracked*: its write entries
 * in the translation caches carry a tag that never hits (page | 1), and the store is done by access.c with one look at the
 * slot. Slots and page states are found by hash: who shares one with another granule or page pays a little or fails once more,
 * never less often. A page that no exclusive used for two sweeps is tracked no longer; a sweep comes every 65536 tracked stores of a
 * vCPU and makes every store-exclusive under way fail once. A machine with one vCPU has no tracked pages: all others who
 * write pass the core.
 *
 * Stores through a window (window.c) do not pass here: it takes none from the first load-exclusive on that finds several vCPUs.
 * A fast store whose tag was compared before its page was tracked for the first time may come later and is not seen; as it
 * is with marks of code. */
#include "monitor.h"

#define PAGE_STATES (1u << ORYX__MONITOR_PAGE_BITS)
enum { UNTRACKED, OLD, USED };

static void slot_lock(struct oryx__slot *s)
{
    while (atomic_exchange_explicit(&s->lock, 1, memory_order_seq_cst))
        while (atomic_load_explicit(&s->lock, memory_order_relaxed))
            ;
}

static void slot_unlock(struct oryx__slot *s)
{
    atomic_store_explicit(&s->lock, 0, memory_order_release);
}

static uint32_t version(const struct oryx__monitors *mon, const struct oryx__slot *s)
{
    return atomic_load_explicit(&s->version, memory_order_acquire) +
           atomic_load_explicit(&mon->epoch, memory_order_acquire);
}

/* Under the lock. */
static void next_version(struct oryx__slot *s)
{
    uint32_t n = atomic_load_explicit(&s->version, memory_order_relaxed);
    atomic_store_explicit(&s->version, n + 1, memory_order_release);
}

static struct oryx__monitors *made(struct oryx__mem *mem)
{
    struct oryx__monitors *mon = atomic_load_explicit(&mem->monitors, memory_order_acquire), *none = NULL;
    if (mon)
        return mon;
    mon = oryx__alloc(sizeof(*mon));
    if (mon && !atomic_compare_exchange_strong(&mem->monitors, &none, mon)) {
        oryx__free(mon);
        mon = none;
    }
    return mon;
}

/* --- tracked pages --------------------------------------------------------------------------------- */

static _Atomic uint8_t *state_of(struct oryx__monitors *mon, const uint8_t *host)
{
    return &mon->page[((uint64_t)(uintptr_t)host >> ORYX_PAGE_BITS) * 0x9e3779b97f4a7c15u >>
                      (64 - ORYX__MONITOR_PAGE_BITS)];
}

int oryx__monitor_tracks(struct oryx__mem *mem, const uint8_t *host)
{
    struct oryx__monitors *mon = atomic_load_explicit(&mem->monitors, memory_order_acquire);
    return mon && atomic_load_explicit(state_of(mon, host), memory_order_seq_cst) != UNTRACKED;
}

/* The page of a load-exclusive. Not inside a read section: the machine's lock may be waited for. */
static void track(oryx_machine *m, struct oryx__monitors *mon, uint8_t *host)
{
    _Atomic uint8_t *state = state_of(mon, host);
    uint8_t is = atomic_load_explicit(state, memory_order_relaxed);
    if (is == USED || (is == OLD && atomic_compare_exchange_strong(state, &is, USED)))
        return;
    pthread_mutex_lock(&m->lock);
    atomic_store(state, USED);
    oryx__window_exclusives(m);
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        if (v->tlbs)
            oryx__tlb_track(v, host);
    }
    pthread_mutex_unlock(&m->lock);
}

static void sweep(struct oryx__monitors *mon)
{
    /* Whoever is between a load- and a store-exclusive begins again: its page may be tracked no longer. */
    for (uint32_t i = 0; i < PAGE_STATES; i++) {
        uint8_t is = atomic_load_explicit(&mon->page[i], memory_order_relaxed);
        if (is != UNTRACKED)
            atomic_compare_exchange_strong(&mon->page[i], &is, (uint8_t)(is - 1));
    }
    atomic_fetch_add(&mon->epoch, 1u << 16);
}

/* --- writers ----------------------------------------------------------------------------------------- */

static struct oryx__slot *slot_of(struct oryx__monitors *mon, uint64_t key)
{
    return &mon->slot[(key >> ORYX__GRANULE_BITS) * 0x9e3779b97f4a7c15u >> (64 - ORYX__SLOT_BITS)];
}

/* cpu: who writes, whose own monitor stays; NULL: no vCPU. */
static void raise_version(struct oryx__monitors *mon, struct oryx__slot *s, oryx_cpu *cpu)
{
    struct oryx__monitor *own = cpu ? &cpu->vcpu->tlbs->monitor : NULL;
    slot_lock(s);
    int mine = own && own->slot == s && own->version == version(mon, s);
    next_version(s);
    if (mine)
        own->version = version(mon, s);
    else
        atomic_store_explicit(&s->armed, 0, memory_order_relaxed);
    slot_unlock(s);
}

/* No fence: a look at the slot may be older than stores before it, which others may see after this one unless the guest
 * orders them; the barriers and releases that do so are fences of the host. */
void oryx__monitor_store(oryx_cpu *cpu, const uint8_t *host, uint32_t n)
{
    struct oryx__monitors *mon = atomic_load_explicit(&cpu->vcpu->machine->mem->monitors, memory_order_relaxed);
    if (++cpu->vcpu->tlbs->monitor.stores >> 16) {
        cpu->vcpu->tlbs->monitor.stores = 0;
        sweep(mon);
    }
    uint64_t first = (uint64_t)(uintptr_t)host, last = first + n - 1;
    struct oryx__slot *s = slot_of(mon, first);
    if (atomic_load_explicit(&s->armed, memory_order_seq_cst))
        raise_version(mon, s, cpu);
    if (first >> ORYX__GRANULE_BITS != last >> ORYX__GRANULE_BITS) {
        s = slot_of(mon, last);
        if (atomic_load_explicit(&s->armed, memory_order_seq_cst))
            raise_version(mon, s, cpu);
    }
}

static uint64_t key_of(const oryx__row *row, uint64_t addr)
{
    uint64_t offset = row->offset + (addr - row->first);
    if (row->host && addr <= row->host_last)
        return (uint64_t)(uintptr_t)row->host + (addr - row->first);
    return (uint64_t)(uintptr_t)row->region * 0x9e3779b97f4a7c15u + offset;
}

void oryx__monitor_written(struct oryx__monitors *mon, const oryx__row *row, uint64_t addr, uint64_t n, oryx_cpu *cpu)
{
    if (!row || (cpu && cpu->vcpu->machine->vcpus->len < 2))
        return;
    if (n > 1u << 16) {
        atomic_fetch_add(&mon->epoch, 1u << 16);
        return;
    }
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t step = 1u << ORYX__GRANULE_BITS;
    for (uint64_t at = 0; at < n; at += step - (key_of(row, addr + at) & (step - 1))) {
        struct oryx__slot *s = slot_of(mon, key_of(row, addr + at));
        if (atomic_load_explicit(&s->armed, memory_order_seq_cst))
            raise_version(mon, s, cpu);
    }
}

/* --- exclusives ---------------------------------------------------------------------------------------- */

static void arm(oryx_vcpu *v, struct oryx__monitors *mon, uint64_t key)
{
    struct oryx__slot *s = slot_of(mon, key);
    v->tlbs->monitor.slot = s;
    v->tlbs->monitor.version = version(mon, s);
    /* A locked instruction: who does not see it has made its earlier stores visible to what follows. */
    if (!atomic_load_explicit(&s->armed, memory_order_acquire))
        atomic_exchange_explicit(&s->armed, 1, memory_order_seq_cst);
}

void oryx__monitor_arm_host(oryx_vcpu *v, uint8_t *host)
{
    struct oryx__monitors *mon = made(v->machine->mem);
    v->tlbs->monitor.slot = NULL;
    if (!mon)
        return; /* without memory for them the value alone decides */
    if (v->machine->vcpus->len > 1)
        track(v->machine, mon, host);
    arm(v, mon, (uint64_t)(uintptr_t)host);
}

void oryx__monitor_arm(oryx_vcpu *v, uint64_t addr, uint32_t mmu_index)
{
    struct oryx__monitors *mon = made(v->machine->mem);
    oryx_mmu_result t;
    uint64_t hint = 0, key = 0;
    uint8_t *host = NULL;
    v->tlbs->monitor.slot = NULL;
    if (!mon || oryx__translate(v, addr, ORYX_ACCESS_READ, mmu_index, &t))
        return;
    const oryx__view *view = oryx__vcpu_begin(v);
    const oryx__row *row = oryx__view_find(view, t.phys, &hint);
    if (row)
        key = key_of(row, t.phys);
    if (row && row->host && t.phys <= row->host_last && (row->flags & ORYX_DIRECT_BULK))
        host = row->host + (t.phys - row->first);
    oryx__vcpu_end(v);
    if (host && v->machine->vcpus->len > 1)
        track(v->machine, mon, host);
    if (row)
        arm(v, mon, key);
}

int oryx__monitor_begin(oryx_vcpu *v)
{
    struct oryx__slot *s = v->tlbs->monitor.slot;
    struct oryx__monitors *mon = atomic_load_explicit(&v->machine->mem->monitors, memory_order_relaxed);
    if (!s)
        return 1;
    slot_lock(s);
    if (version(mon, s) != v->tlbs->monitor.version) {
        slot_unlock(s);
        return 0;
    }
    if (v->machine->vcpus->len > 1)
        next_version(s);
    return 1;
}

void oryx__monitor_end(oryx_vcpu *v)
{
    if (v->tlbs->monitor.slot)
        slot_unlock(v->tlbs->monitor.slot);
}

int oryx__monitor_valid(const oryx_vcpu *v)
{
    const struct oryx__slot *s = v->tlbs->monitor.slot;
    const struct oryx__monitors *mon = atomic_load(&v->machine->mem->monitors);
    return v->cpu->monitor.active && (!s || version(mon, s) == v->tlbs->monitor.version);
}

void oryx__monitor_again(oryx_vcpu *v)
{
    struct oryx__slot *s = v->tlbs->monitor.slot;
    if (s) {
        v->tlbs->monitor.version = version(atomic_load(&v->machine->mem->monitors), s);
        atomic_store(&s->armed, 1);
    }
}

void oryx__monitor_vcpu_added(oryx_machine *m)
{
    struct oryx__monitors *mon = atomic_load(&m->mem->monitors);
    if (mon)
        atomic_fetch_add(&mon->epoch, 1u << 16);
}
