/* Address spaces: what is dirty, when a new flat view becomes visible, and host access to
 * guest-physical memory.
 * Owns: struct oryx__mem, spaces and their views. Called by: the ABI (oryx_space_*,
 * oryx_txn_*), region.c, machine.c.
 * Invariant: a view is replaced whole, all spaces of a commit together or none, and freed only
 * when no reader can hold it. */
#include <sched.h>
#include <string.h>

#include "watch.h"
#include "window.h"

/* Read sections that this thread has open through the API, of any machine. */
static _Thread_local uint32_t api_nest;

/* --- life ------------------------------------------------------------------------------------- */

oryx_status oryx__mem_create(oryx_machine *m, oryx_error *err)
{
    struct oryx__mem *mem = oryx__alloc(sizeof(*mem));
    if (!mem)
        return oryx__error(err, ORYX_E_NOMEM, "machine: out of memory for its address spaces");
    mem->machine = m;
    mem->spaces = g_ptr_array_new();
    if (!mem->spaces) {
        oryx__free(mem);
        return oryx__error(err, ORYX_E_NOMEM, "machine: out of memory for its address spaces");
    }
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(
        &attr, PTHREAD_MUTEX_RECURSIVE); /* a device may do atomics from its callback */
    pthread_mutex_init(&mem->split_lock, &attr);
    pthread_mutexattr_destroy(&attr);
    m->mem = mem;
    oryx_space *system;
    oryx_status st = oryx__code_create(mem, err);
    if (!st)
        st = oryx_space_new(m, "system", &system, err);
    if (st)
        oryx__mem_destroy(m);
    return st;
}

void oryx__mem_destroy(oryx_machine *m)
{
    struct oryx__mem *mem = m->mem;
    if (!mem)
        return;
    /* Users before what they use: a region can only name regions that were there before it. */
    for (oryx_region *r = mem->newest, *older; r; r = older) {
        older = r->made.older;
        oryx__region_free(r);
    }
    for (guint i = 0; i < mem->spaces->len; i++) {
        oryx_space *s = mem->spaces->pdata[i];
        oryx__window_close(s);
        oryx__view_free(atomic_load(&s->view));
        oryx__known_pages_free(s);
        oryx__region_free(s->root);
        oryx__listeners_free(s);
        if (s->dirty != s->dirty_inline)
            oryx__free(s->dirty);
        oryx__free(s->name);
        oryx__free(s);
    }
    for (oryx__view *v = mem->retired, *next; v; v = next) {
        next = v->next;
        oryx__view_free(v);
    }
    oryx__free(atomic_load(&mem->monitors));
    oryx__watch_destroy(mem);
    oryx__code_destroy(mem);
    g_ptr_array_free(mem->spaces, TRUE);
    pthread_mutex_destroy(&mem->split_lock);
    oryx__free(mem);
    m->mem = NULL;
}

oryx_status oryx_space_new(oryx_machine *m, const char *name, oryx_space **out, oryx_error *err)
{
    if (!m || !name || !out)
        return oryx__error(err, ORYX_E_INVALID,
                           "space_new: machine, name and out must not be NULL");
    *out = NULL;
    pthread_mutex_lock(&m->lock);
    oryx_status st = ORYX_OK;
    oryx_space *s = NULL;
    if (oryx_space_get(m, name)) {
        st =
            oryx__error(err, ORYX_E_EXISTS, "space '%s' exists already; choose another name", name);
    } else {
        s = oryx__alloc(sizeof(*s));
        oryx__view *view = oryx__view_new();
        if (s)
            s->name = oryx__alloc(strlen(name) + 1);
        if (s && s->name)
            s->root = oryx__region_root(m, name, NULL);
        if (!s || !view || !s->name || !s->root || !g_ptr_array_add(m->mem->spaces, s)) {
            st = oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory", name);
            oryx__view_free(view);
            if (s && s->root)
                oryx__region_free(s->root);
            if (s)
                oryx__free(s->name);
            oryx__free(s);
        } else {
            strcpy(s->name, name);
            s->machine = m;
            s->root->space = s;
            s->dirty = s->dirty_inline;
            s->dirty_cap = ORYX__DIRTY_INLINE;
            atomic_store(&s->view, view);
            *out = s;
        }
    }
    if (*out && !strcmp(name, "secure")) {
        atomic_store(&m->mem->secure, s);
        for (guint i = 0; i < m->vcpus->len; i++)
            oryx__tlb_request(m->vcpus->pdata[i]);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

oryx_space *oryx_space_get(oryx_machine *m, const char *name)
{
    oryx_space *found = NULL;
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; i < m->mem->spaces->len && !found; i++) {
        oryx_space *s = m->mem->spaces->pdata[i];
        if (!strcmp(s->name, name))
            found = s;
    }
    pthread_mutex_unlock(&m->lock);
    return found;
}

oryx_region *oryx_space_root(oryx_space *s)
{
    return s->root;
}

/* --- readers ---------------------------------------------------------------------------------- */

void oryx__api_begin(struct oryx__mem *mem)
{
    api_nest++;
    atomic_fetch_add_explicit(&mem->api_readers, 1, memory_order_seq_cst);
}

void oryx__api_end(struct oryx__mem *mem)
{
    atomic_fetch_sub_explicit(&mem->api_readers, 1, memory_order_release);
    api_nest--;
}

int oryx__mem_inside(oryx_machine *m)
{
    int inside = api_nest != 0;
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; i < m->vcpus->len && !inside; i++) {
        const struct oryx__tlb_set *set = ((oryx_vcpu *)m->vcpus->pdata[i])->tlbs;
        const oryx_vcpu *v = m->vcpus->pdata[i];
        inside = set && (atomic_load_explicit(&set->owner, memory_order_relaxed) ==
                             (uintptr_t)pthread_self() ||
                         (__atomic_load_n(&v->cpu->io.depth, __ATOMIC_RELAXED) &&
                          pthread_equal(atomic_load(&v->thread), pthread_self())));
    }
    pthread_mutex_unlock(&m->lock);
    return inside;
}

static int quiet(oryx_machine *m)
{
    if (atomic_load_explicit(&m->mem->api_readers, memory_order_seq_cst))
        return 0;
    for (guint i = 0; i < m->vcpus->len; i++) {
        const struct oryx__tlb_set *set = ((oryx_vcpu *)m->vcpus->pdata[i])->tlbs;
        if (set && (atomic_load_explicit(&set->sections, memory_order_seq_cst) & 1))
            return 0;
    }
    return 1;
}

/* Wait until no other thread can use what was unlinked before the call: readers have left their
 * sections once and running vCPUs have flushed. Not called with the lock held or from inside a
 * section. */
void oryx__mem_synchronize(oryx_machine *m)
{
    while (atomic_load(&m->mem->api_readers))
        sched_yield();
    for (guint i = 0;; i++) {
        pthread_mutex_lock(&m->lock);
        oryx_vcpu *v = i < m->vcpus->len ? m->vcpus->pdata[i] : NULL;
        pthread_mutex_unlock(&m->lock);
        if (!v)
            return;
        /* A vCPU whose helper called us cannot go on while we wait; it flushed at once when it was
         * asked to. */
        if (!v->tlbs || oryx__vcpu_inside(v))
            continue;
        uint64_t seen = atomic_load(&v->tlbs->sections);
        while ((seen & 1) && atomic_load(&v->tlbs->sections) == seen)
            sched_yield();
        while (oryx__vcpu_running(v) && (atomic_load(&v->requests) & ORYX__REQ_TLB_FLUSH))
            sched_yield();
    }
}

/* --- commit ----------------------------------------------------------------------------------- */

/* Ranges are kept apart, so that a change here and one there cost what they are and not what lies
 * between. Without memory for another range the last one is stretched. */
static void space_dirty(oryx_space *s, uint64_t lo, uint64_t hi)
{
    oryx__range *p = s->n_dirty ? &s->dirty[s->n_dirty - 1] : NULL;
    if (p && lo <= p->hi && p->lo <= hi) {
        *p = (oryx__range){MIN(p->lo, lo), MAX(p->hi, hi)};
        return;
    }
    if (s->n_dirty == s->dirty_cap) {
        oryx__range *more = oryx__realloc(NULL, 2 * s->dirty_cap * sizeof(*more));
        if (!more) {
            *p = (oryx__range){MIN(p->lo, lo), MAX(p->hi, hi)};
            return;
        }
        memcpy(more, s->dirty, s->n_dirty * sizeof(*more));
        if (s->dirty != s->dirty_inline)
            oryx__free(s->dirty);
        s->dirty = more;
        s->dirty_cap *= 2;
    }
    s->dirty[s->n_dirty++] = (oryx__range){lo, hi};
}

/* budget: aliases of aliases make many ways up; a tree with more of them is rendered whole. */
static void dirty_up(oryx_region *r, uint64_t lo, uint64_t hi, uint32_t *budget)
{
    if (lo > r->last || !*budget)
        return;
    --*budget;
    hi = MIN(hi, r->last);
    if (r->space)
        space_dirty(r->space, lo, hi);
    if (r->parent) {
        uint64_t a = r->offset + lo, b = r->offset + hi;
        if (a >= lo)
            dirty_up(r->parent, a, b < a ? UINT64_MAX : b, budget);
    }
    for (guint i = 0; r->users && i < r->users->len; i++) {
        oryx_region *user = r->users->pdata[i];
        if (user->target != r || hi < user->target_offset)
            continue;
        uint64_t a = lo > user->target_offset ? lo - user->target_offset : 0;
        dirty_up(user, a, hi - user->target_offset, budget);
    }
}

void oryx__region_dirty(oryx_region *r, uint64_t lo, uint64_t hi)
{
    uint32_t budget = 1u << 16;
    r->machine->mem->tree_version++;
    dirty_up(r, lo, hi, &budget);
    GPtrArray *spaces = r->machine->mem->spaces;
    for (guint i = 0; !budget && i < spaces->len; i++)
        space_dirty(spaces->pdata[i], 0, UINT64_MAX);
}

static void reap(oryx_machine *m)
{
    struct oryx__mem *mem = m->mem;
    if (!mem->retired || !quiet(m))
        return;
    for (oryx__view *v = mem->retired, *next; v; v = next) {
        next = v->next;
        oryx__view_free(v);
    }
    mem->retired = NULL;
}

/* The new view becomes visible; what was cached of rows that are no more is dropped. */
static void publish(oryx_space *s)
{
    oryx_machine *m = s->machine;
    s->built->version = ++s->versions;
    oryx__known_pages_grow(s, s->built->n);
    oryx__view *old = atomic_exchange_explicit(&s->view, s->built, memory_order_seq_cst);
    int any = 0;
    for (uint32_t k = 0; k < s->n_dirty; k++) {
        /* Additions need no flush: nothing can have been cached of an address that had no
         * region. */
        oryx__range *r = &s->dirty[k];
        if (oryx__view_lost(old, s->built, &r->lo, &r->hi))
            any = 1;
        else
            *r = (oryx__range){1, 0};
    }
    if (any) {
        for (guint i = 0; i < m->vcpus->len; i++) {
            oryx_vcpu *v = m->vcpus->pdata[i];
            if (v->space == s && v->tlbs)
                oryx__tlb_request(v);
        }
    }
    for (uint32_t k = 0; k < s->n_dirty; k++)
        if (s->dirty[k].lo <= s->dirty[k].hi)
            oryx__code_unmap(s, s->dirty[k].lo, s->dirty[k].hi);
    s->n_dirty = 0;
    if (s->dirty_cap > 4096) { /* a burst is over */
        oryx__free(s->dirty);
        s->dirty = s->dirty_inline;
        s->dirty_cap = ORYX__DIRTY_INLINE;
    }
    old->next = m->mem->retired;
    m->mem->retired = old;
}

/* Render what is dirty, in all spaces or in none. */
static oryx_status build(struct oryx__mem *mem, oryx_error *err)
{
    oryx_status st = ORYX_OK;
    for (guint i = 0; i < mem->spaces->len && !st; i++) {
        oryx_space *s = mem->spaces->pdata[i];
        if (s->n_dirty)
            st = oryx__view_build(s, &s->built, err);
        if (s->built && s->listeners && s->listeners->len && !oryx__listeners_prepare(s))
            st = oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory for what its listeners are told", s->name);
    }
    for (guint i = 0; i < mem->spaces->len && st; i++) {
        oryx_space *s = mem->spaces->pdata[i];
        oryx__view_free(s->built);
        s->built = NULL;
        oryx__listeners_forget(s);
    }
    return st;
}

oryx_status oryx__mem_update(oryx_machine *m, oryx_error *err)
{
    struct oryx__mem *mem = m->mem;
    if (mem->txn)
        return ORYX_OK;
    oryx_status st = build(mem, err);
    for (guint i = 0; i < mem->spaces->len && !st; i++) {
        oryx_space *s = mem->spaces->pdata[i];
        if (s->built)
            publish(s);
        s->built = NULL;
    }
    oryx__window_update(m);
    /* After the last space is visible, so that a listener sees all of them as they are now. What
     * it changes becomes visible when every listener was told of this change. */
    int told = 0;
    mem->txn++;
    for (guint i = 0; i < mem->spaces->len && !st; i++) {
        oryx_space *s = mem->spaces->pdata[i];
        if (s->removed) {
            oryx__listeners_tell(s);
            told = 1;
        }
    }
    mem->txn--;
    reap(m);
    return st || !told ? st : oryx__mem_update(m, err);
}

void oryx_txn_begin(oryx_machine *m)
{
    pthread_mutex_lock(&m->lock);
    m->mem->txn++;
    pthread_mutex_unlock(&m->lock);
}

oryx_status oryx_txn_commit(oryx_machine *m, oryx_error *err)
{
    pthread_mutex_lock(&m->lock);
    oryx_status st;
    if (!m->mem->txn) {
        st = oryx__error(err, ORYX_E_STATE, "txn_commit without txn_begin; pair them");
    } else {
        m->mem->txn--;
        st = oryx__mem_update(m, err);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

uint64_t oryx_space_view(oryx_space *s, uint64_t from, oryx_view_row *rows, uint64_t n)
{
    pthread_mutex_lock(&s->machine->lock);
    const oryx__view *view = atomic_load(&s->view);
    uint64_t total = view->n;
    uint32_t c = 0;
    for (; c < view->n_chunks && from >= view->slots[c].chunk->n; c++)
        from -= view->slots[c].chunk->n;
    uint64_t at = (uint64_t)c << ORYX__CHUNK_BITS | from;
    const oryx__row *r;
    for (uint64_t i = 0; rows && i < n && c < view->n_chunks && (r = oryx__view_at(view, at));
         i++) {
        at = oryx__view_next(view, at);
        rows[i] = (oryx_view_row){.hdr = ORYX_HDR(oryx_view_row),
                                  .first = r->first,
                                  .last = r->last,
                                  .region = r->region,
                                  .offset = r->offset,
                                  .prot = r->prot};
    }
    pthread_mutex_unlock(&s->machine->lock);
    return total;
}

/* --- host access ------------------------------------------------------------------------------ */

/* How many bytes the next piece of a bulk access to something without bulk memory has. */
static uint32_t piece_size(const oryx__row *row, uint64_t offset, uint64_t left)
{
    uint32_t max = row->host ? 8 : row->region->valid.max;
    uint32_t n = max < 8 ? max : 8;
    while (n > left || offset % n)
        n /= 2;
    return n;
}

oryx_status oryx__space_rw(oryx_space *s, uint64_t addr, uint8_t *buf, uint64_t size, int write,
                           const oryx__who *who)
{
    uint32_t attrs = who->attrs;
    oryx_status st = ORYX_OK;
    uint64_t hint = 0, all = size, begin = addr;
    s = oryx__space_of(s, attrs);
    uint32_t need = write ? ORYX_PROT_WRITE : ORYX_PROT_READ;
    if (size && addr + (size - 1) < addr)
        return ORYX_FAULT_DECODE;
    struct oryx__known_page *known = write ? NULL : oryx__known_page_of(s, addr);
    oryx__api_begin(s->machine->mem);
    const oryx__view *view = atomic_load_explicit(&s->view, memory_order_seq_cst);
    const uint8_t *there = known ? oryx__known_page_hit(known, view, addr, size) : NULL;
    if (there && !oryx__window_has(s, there)) {
        memcpy(buf, there, size);
        buf += size;
        size = 0;
    }
    while (size && !st) {
        const oryx__row *row = oryx__view_find(view, addr, &hint);
        if (!row) {
            st = ORYX_FAULT_DECODE;
            break;
        }
        if (!(row->prot & need) && !(attrs & ORYX_ATTR_DEBUG)) {
            st = ORYX_FAULT_PROT;
            break;
        }
        uint64_t n = MIN(size - 1, row->last - addr) + 1;
        int direct =
            row->host && addr <= row->host_last && (!write || (row->dprot & ORYX_PROT_WRITE));
        if (direct && (row->flags & ORYX_DIRECT_BULK)) { /* the common case looks at the row and nothing else */
            /* A page at a time: marks of code and other writers are seen at page grain. */
            n = MIN(n - 1, row->host_last - addr) + 1;
            n = MIN(n, ORYX_PAGE_SIZE - (addr & ORYX__PAGE_MASK));
            uint8_t *host = row->host + (addr - row->first);
            if (write)
                oryx__write_begin(s, row, addr, n, NULL);
            else if (known && (row->prot & ORYX_PROT_READ))
                oryx__known_page_fill(known, view, row, addr);
            if (!oryx__window_has(s, host))
                memcpy(write ? host : buf, write ? buf : host, n);
            else if (!oryx__window_copy(s, host, buf, n, write))
                st = ORYX_FAULT_DEVICE;
            if (write) {
                atomic_thread_fence(memory_order_seq_cst);
                oryx__code_touch(s, row, addr, n, NULL);
            }
        } else if (row->region->iommu) {
            st = oryx__iommu_rw(row->region, row->offset + (addr - row->first), buf, n, write, who);
        } else {
            n = piece_size(row, row->offset + (addr - row->first), n);
            if (write)
                oryx__write_begin(s, row, addr, n, NULL);
            st = oryx__row_access(row, addr, buf, (uint32_t)n, write, who);
        }
        if (write)
            oryx__dirty_mark(row->region, row->offset + (addr - row->first), n);
        known = NULL; /* it was the first page's */
        if (st)
            break; /* what is done is what was before */
        addr += n;
        buf += n;
        size -= n;
    }
    oryx__api_end(s->machine->mem);
    oryx__watch_host(s->machine, s, NULL, begin, buf - (all - size), all - size, write, who);
    return st;
}

oryx_status oryx_space_read(oryx_space *s, uint64_t addr, void *buf, uint64_t size, uint32_t attrs)
{
    return oryx__space_rw(s, addr, buf, size, 0, &(oryx__who){.attrs = attrs});
}

oryx_status oryx_space_write(oryx_space *s, uint64_t addr, const void *buf, uint64_t size,
                             uint32_t attrs)
{
    return oryx__space_rw(s, addr, (uint8_t *)(uintptr_t)buf, size, 1,
                          &(oryx__who){.attrs = attrs});
}

oryx_status oryx_space_access(oryx_space *s, uint64_t addr, void *buf, uint64_t size,
                              uint32_t write, const oryx_initiator *who)
{
    if (!s || !buf || !who || !ORYX_HAS(who, requester))
        return ORYX_E_INVALID;
    return oryx__space_rw(s, addr, buf, size, write != 0,
                          &(oryx__who){.attrs = who->attrs, .requester = who->requester});
}

oryx_status oryx_space_set_policy(oryx_space *s, const oryx_policy *p, oryx_error *err)
{
    if (!s || !p || !ORYX_HAS(p, write_error))
        return oryx__error(err, ORYX_E_INVALID, "space_set_policy: give a space and a policy");
    if (p->read_unassigned > ORYX_ON_ZEROS || p->read_error > ORYX_ON_ZEROS ||
        (p->write_unassigned && p->write_unassigned != ORYX_ON_IGNORE) ||
        (p->write_error && p->write_error != ORYX_ON_IGNORE))
        return oryx__error(
            err, ORYX_E_INVALID,
            "space '%s': reads can FAULT or give ONES or ZEROS, writes can FAULT or be "
            "IGNOREd",
            s->name);
    atomic_store(&s->policy, p->read_unassigned | p->write_unassigned << 8 | p->read_error << 16 |
                                 (uint32_t)p->write_error << 24);
    return ORYX_OK;
}

uint32_t oryx__policy(const oryx_space *s, oryx_status st, uint32_t need)
{
    uint32_t p = atomic_load_explicit(&s->policy, memory_order_relaxed);
    if (!p || (st != ORYX_FAULT_DECODE && st != ORYX_FAULT_DEVICE) || (need & ORYX_PROT_EXEC))
        return 0;
    if (st == ORYX_FAULT_DEVICE)
        p >>= 16;
    uint32_t rd = p & 0xff, wr = p >> 8 & 0xff;
    if (((need & ORYX_PROT_READ) && !rd) || ((need & ORYX_PROT_WRITE) && !wr))
        return 0;
    return 1 + rd;
}

oryx_status oryx_space_direct(oryx_space *s, uint64_t addr, uint64_t *len, oryx_direct *out)
{
    oryx_status st = ORYX_E_UNSUPPORTED;
    uint64_t hint = 0;
    oryx__api_begin(s->machine->mem);
    const oryx__view *view = atomic_load_explicit(&s->view, memory_order_seq_cst);
    const oryx__row *row = oryx__view_find(view, addr, &hint);
    if (row && row->host && addr <= row->host_last && *len) {
        uint64_t last = MIN(*len - 1, row->host_last - addr);
        *len = last + 1;
        out->host = row->host + (addr - row->first);
        out->last = last;
        out->flags = row->flags;
        out->prot = row->prot & row->dprot;
        st = ORYX_OK;
    }
    oryx__api_end(s->machine->mem);
    return st;
}

/* The caller is about to write, or has written, [addr, addr + size) through a direct pointer. */
static void announce(oryx_space *s, uint64_t addr, uint64_t size, int done)
{
    uint64_t hint = 0;
    atomic_thread_fence(memory_order_seq_cst);
    oryx__api_begin(s->machine->mem);
    const oryx__view *view = atomic_load_explicit(&s->view, memory_order_seq_cst);
    while (size) {
        const oryx__row *row = oryx__view_find(view, addr, &hint);
        uint64_t n = MIN(size, ORYX_PAGE_SIZE - (addr & ORYX__PAGE_MASK));
        if (row) {
            n = MIN(n - 1, row->last - addr) + 1;
        } else {
            /* A hole: go on at the next row. */
            const oryx__row *next = oryx__view_at(view, oryx__view_lower(view, addr));
            if (!next || next->first - addr >= size)
                break;
            n = next->first - addr;
        }
        uint64_t offset = row ? row->offset + (addr - row->first) : 0;
        if (row && !done) {
            oryx__cow_keep(row->region, offset, n);
        } else if (row) {
            if (atomic_load(&row->region->cow))
                oryx__cow_missed(row->region, offset, n);
            oryx__code_touch(s, row, addr, n, NULL);
            oryx__dirty_mark(row->region, offset, n);
        }
        addr += n;
        size -= n;
    }
    oryx__api_end(s->machine->mem);
}

void oryx_space_writing(oryx_space *s, uint64_t addr, uint64_t size)
{
    if (s->machine->mem->cows)
        announce(s, addr, size, 0);
}

void oryx_space_written(oryx_space *s, uint64_t addr, uint64_t size)
{
    announce(s, addr, size, 1);
    oryx__watch_host(s->machine, s, NULL, addr, NULL, size, 1, &(oryx__who){0});
}
