/* Watchpoints and breakpoints: the tables of what is watched, and the hits.
 * Owns: struct oryx_watch, the published watch set, hits of vCPUs. Called by: the ABI (oryx_watch_*, oryx_vcpu_hits), and
 * by every place that could meet one (watch.h).
 * Invariant: while a byte is watched, no vCPU has a fast path to it that the watch would want to see, and a set that readers may
 * hold is not freed.
 *
 * An access of a vCPU that hits is not done at once: where the instruction is, only the engine knows. It leaves as if the
 * access had faulted (oryx__watch_gate), with the state of the instruction's start; the run loop tells what is to be told before,
 * executes that one instruction with all accesses done and noted (oryx__watch_note), and tells the rest. Accesses of the same
 * instruction before the one that hit are done twice; so that no device sees that, any access to a device that has watched bytes
 * starts it. (An instruction with accesses to two devices, of which the second one's hits, does the first one's twice.) */
#include <inttypes.h>
#include <string.h>

#include "exec.h"
#include "watch.h"

struct oryx_watch {
    oryx_machine *machine;
    struct oryx_watch *next;   /* of all, or of the removed */
    uint64_t lo, hi;
    uint32_t kind, flags;
    uint32_t attrs_mask, attrs;
    const void *of;
    oryx_watch_fn fn;
    void *opaque;
    _Atomic uint32_t refs;     /* hits that name it */
    _Atomic uint32_t removed;
};

/* --- tables --------------------------------------------------------------------------------------------------------------- */
static const void *of(const struct oryx__watch_row *r)
{
    return __atomic_load_n(&r->of, __ATOMIC_RELAXED); /* may become "nothing": oryx__watch_gone */
}

/* Rows that start at or before hi. */
static uint32_t upper(const struct oryx__watch_table *t, uint64_t hi)
{
    uint32_t a = 0, b = t->n;
    while (a < b) {
        uint32_t m = (a + b) / 2;
        if (t->rows[m].lo <= hi)
            a = m + 1;
        else
            b = m;
    }
    return a;
}

/* The next row of the table with a byte of [lo, hi], downwards from *i; NULL: no more. */
static const struct oryx__watch_row *next(const struct oryx__watch_table *t, uint64_t lo, uint32_t *i)
{
    while (*i && t->rows[*i - 1].reach >= lo) {
        const struct oryx__watch_row *r = &t->rows[--*i];
        if (r->hi >= lo)
            return r;
    }
    return NULL;
}

/* old with a row more (add) or without watch w. */
static struct oryx__watch_set *set_copy(const struct oryx__watch_set *old, const struct oryx__watch_row *add, const oryx_watch *w)
{
    uint32_t n = 0;
    for (uint32_t t = 0; old && t < 2 * ORYX__WATCH_KINDS; t++)
        n += old->of[t / ORYX__WATCH_KINDS][t % ORYX__WATCH_KINDS].n;
    /* A watch has a row for data, one for execution, or both. */
    struct oryx__watch_set *set = oryx__alloc(sizeof(*set) + (n + 2) * sizeof(set->rows[0]));
    struct oryx__watch_row *at = set ? set->rows : NULL;
    for (uint32_t t = 0; set && t < 2 * ORYX__WATCH_KINDS; t++) {
        static const struct oryx__watch_table none;
        uint32_t exec = t / ORYX__WATCH_KINDS, kind = t % ORYX__WATCH_KINDS;
        const struct oryx__watch_table *from = old ? &old->of[exec][kind] : &none;
        struct oryx__watch_table *to = &set->of[exec][kind];
        int put = add && w->kind == kind && w->flags & (exec ? ORYX_WATCH_EXEC : ORYX_WATCH_READ | ORYX_WATCH_WRITE);
        to->rows = at;
        for (uint32_t i = 0; i < from->n || put; i++) {
            if (put && (i == from->n || from->rows[i].lo > add->lo)) {
                to->rows[to->n++] = *add;
                put = 0;
            }
            if (i < from->n && from->rows[i].watch != w && !atomic_load(&from->rows[i].watch->removed))
                to->rows[to->n++] = from->rows[i];
        }
        for (uint32_t i = 0; i < to->n; i++) {
            struct oryx__watch_row *r = &to->rows[i];
            r->reach = i ? MAX(r[-1].reach, r->hi) : r->hi;
            set->data += !exec && !(r->watch->flags & ORYX_WATCH_HOST_ONLY);
            set->host += !exec && r->watch->flags & (ORYX_WATCH_HOST | ORYX_WATCH_HOST_ONLY);
        }
        at += to->n;
    }
    return set;
}

/* --- who has to be seen --------------------------------------------------------------------------------------------------- */
static bool wants(const struct oryx__watch_row *r, const void *who, uint32_t access)
{
    const void *o = of(r);
    return (!o || o == who) && r->watch->flags & access && !(r->watch->flags & ORYX_WATCH_HOST_ONLY);
}

static bool any(const struct oryx__watch_table *t, const void *who, uint64_t lo, uint64_t hi, uint32_t access)
{
    uint32_t i = upper(t, hi);
    for (const struct oryx__watch_row *r; (r = next(t, lo, &i)) != NULL;)
        if (wants(r, who, access))
            return true;
    return false;
}

static uint64_t down(uint64_t a, uint64_t n)
{
    return a < n ? 0 : a - n;
}

static uint64_t up(uint64_t a, uint64_t n)
{
    return a + n < a ? UINT64_MAX : a + n;
}

bool oryx__watch_page(oryx_vcpu *v, uint64_t addr, oryx_space *s, uint64_t phys, uint64_t n, const oryx__row *row, uint32_t access)
{
    const struct oryx__watch_set *set = oryx__watch_set(v->machine->mem);
    if (!set || !set->data)
        return false;
    uint64_t into = addr & ORYX__PAGE_MASK, more = (into + n - 1) | ORYX__PAGE_MASK; /* to the end of its last page */
    uint64_t a = addr - into, p = down(phys, into), before = 0;
    if (row && !(row->flags & ORYX_DIRECT_BULK)) {
        /* All of the device, as if it lay as it does physically. */
        access = ORYX_WATCH_READ | ORYX_WATCH_WRITE;
        before = p > row->first ? p - row->first : 0;
        more = MAX(more, down(row->last, p));
    }
    if (any(&set->of[0][ORYX__WATCH_VIRTUAL], v, down(a, before), up(a, more), access) ||
        any(&set->of[0][ORYX__WATCH_SPACE], s, p - before, up(p, more), access))
        return true;
    if (!row)
        return false;
    uint64_t first = row->offset + (MAX(row->first, p - before) - row->first);
    return any(&set->of[0][ORYX__WATCH_REGION], row->region, first, row->offset + (MIN(row->last, up(p, more)) - row->first), access);
}

uint32_t oryx__watch_window(struct oryx__mem *mem, const oryx_space *s, uint64_t size, const oryx_region *r)
{
    const struct oryx__watch_set *set = oryx__watch_set(mem);
    uint32_t found = 0;
    for (uint32_t kind = 0; set && kind < ORYX__WATCH_KINDS; kind++) {
        const struct oryx__watch_table *t = &set->of[0][kind];
        for (uint32_t i = 0; i < t->n; i++) {
            const struct oryx__watch_row *row = &t->rows[i];
            const void *o = of(row);
            bool here = kind == ORYX__WATCH_REGION ? o == r : row->lo < size && (kind == ORYX__WATCH_SPACE ? o == s : o != mem);
            if (here && !(row->watch->flags & ORYX_WATCH_HOST_ONLY))
                found |= row->watch->flags & (ORYX_WATCH_READ | ORYX_WATCH_WRITE);
        }
    }
    return found;
}

/* --- hits ------------------------------------------------------------------------------------------------------------------- */
static void hit_add(struct oryx__hits *h, const oryx_watch_hit *hit)
{
    if (h->n == h->cap) {
        uint32_t cap = h->cap ? h->cap * 2 : 16;
        oryx_watch_hit *more = oryx__realloc(h->at, cap * sizeof(*more));
        if (!more) {
            h->lost++;
            return;
        }
        h->at = more;
        h->cap = cap;
    }
    atomic_fetch_add(&hit->watch->refs, 1);
    h->at[h->n++] = *hit;
}

void oryx__hits_clear(struct oryx__hits *h)
{
    for (uint32_t i = 0; i < h->n; i++)
        atomic_fetch_sub(&h->at[i].watch->refs, 1);
    h->n = h->lost = 0;
}

/* One hit a watch and access, whatever parts it has. */
static void found(struct oryx__hits *h, uint32_t from, const struct oryx__watch_access *a, const struct oryx__watch_row *r,
                  const struct oryx__watch_part *p, uint64_t first, uint64_t last)
{
    if (!(a->access & r->watch->flags) || atomic_load_explicit(&r->watch->removed, memory_order_relaxed) ||
        (a->attrs & r->watch->attrs_mask) != r->watch->attrs)
        return;
    for (uint32_t i = from; i < h->n; i++)
        if (h->at[i].watch == r->watch) {
            h->at[i].first = MIN(h->at[i].first, first);
            h->at[i].last = MAX(h->at[i].last, last);
            return;
        }
    oryx_watch_hit hit = {.hdr = ORYX_HDR(oryx_watch_hit),
                          .watch = r->watch,
                          .vcpu = a->v,
                          .space = p->space,
                          .pc = a->v ? a->v->tlbs->watcher.pc : UINT64_MAX,
                          .addr = a->addr,
                          .phys = a->part[0].phys,
                          .first = first,
                          .last = last,
                          .size = a->size,
                          .access = a->access,
                          .after = a->after,
                          .known = a->known,
                          .attrs = a->attrs,
                          .requester = a->requester,
                          .value = a->value,
                          .old = a->old};
    hit_add(h, &hit);
}

/* Every watch with one of the flags that the access touches, into h. set NULL: the last one went meanwhile. */
static void match(const struct oryx__watch_set *set, struct oryx__hits *h, const struct oryx__watch_access *a, uint32_t with,
                  uint32_t without)
{
    uint32_t from = h->n;
    for (uint32_t kind = a->v ? 0 : 1; set && kind < ORYX__WATCH_KINDS; kind++) {
        const struct oryx__watch_table *t = &set->of[0][kind];
        uint64_t at = 0;
        for (uint32_t k = 0; t->n && k < a->n; at += a->part[k++].n) {
            const struct oryx__watch_part *p = &a->part[k];
            const oryx__row *row = p->row;
            uint64_t lo = kind == ORYX__WATCH_VIRTUAL ? a->addr + at
                          : kind == ORYX__WATCH_SPACE ? p->phys
                                                      : row ? row->offset + (p->phys - row->first) : 0;
            const void *who = kind == ORYX__WATCH_VIRTUAL ? (const void *)a->v
                              : kind == ORYX__WATCH_SPACE ? (const void *)p->space
                                                          : row ? (const void *)row->region : NULL;
            uint64_t hi = lo + (p->n - 1);
            hi = hi < lo ? UINT64_MAX : hi; /* virtual, over the end: the last byte stands for the rest */
            uint32_t i = upper(t, hi);
            for (const struct oryx__watch_row *r; who && (r = next(t, lo, &i)) != NULL;) {
                const void *o = of(r);
                if ((!o || o == who) && (!with || r->watch->flags & with) && !(r->watch->flags & without))
                    found(h, from, a, r, p, MAX(lo, r->lo), MIN(hi, r->hi));
            }
        }
    }
}

bool oryx__watch_gate(const struct oryx__watch_access *a)
{
    oryx_vcpu *v = a->v;
    const struct oryx__watch_set *set = oryx__watch_set(v->machine->mem);
    uint64_t at = 0;
    bool stop = false;
    /* A device in a watched page: before anything of the instruction is done twice. */
    for (uint32_t k = 0; k < a->n && !stop; at += a->part[k++].n)
        stop = !a->part[k].plain &&
               oryx__watch_page(v, a->addr + at, a->part[k].space, a->part[k].phys, a->part[k].n, a->part[k].row, 0);
    struct oryx__hits *h = &v->tlbs->watcher.now;
    oryx__hits_clear(h);
    match(set, h, a, 0, ORYX_WATCH_HOST_ONLY);
    stop |= h->n || h->lost;
    /* Those that want to know when it is done are found again then. */
    oryx__hits_clear(h);
    if (!stop)
        return false;
    match(set, h, a, ORYX_WATCH_BEFORE, ORYX_WATCH_HOST_ONLY);
    v->tlbs->watcher.gate_addr = a->addr;
    v->tlbs->watcher.gate_size = a->size;
    v->cpu->exc = (oryx_exc){.hdr = ORYX_HDR(oryx_exc),
                             .kind = ORYX_EXC_WATCH,
                             .access = a->access & ORYX_WATCH_WRITE ? ORYX_ACCESS_WRITE : ORYX_ACCESS_READ,
                             .addr = a->addr,
                             .phys = a->n ? a->part[0].phys : UINT64_MAX,
                             .size = (uint32_t)a->size,
                             .status = ORYX_FAULT_WATCH};
    return true;
}

void oryx__watch_note(const struct oryx__watch_access *a)
{
    const struct oryx__watch_set *set = oryx__watch_set(a->v->machine->mem);
    struct oryx__watcher *w = &a->v->tlbs->watcher;
    if (!set)
        return;
    uint32_t from = w->now.n;
    match(set, &w->now, a, 0, ORYX_WATCH_HOST_ONLY);
    /* What was told before the instruction is not told again: its first access that hits. */
    if (w->step != ORYX__STEP_TOLD || a->addr != w->gate_addr || a->size != w->gate_size)
        return;
    w->step = ORYX__STEP;
    for (uint32_t i = from; i < w->now.n;) {
        oryx_watch_hit *h = &w->now.at[i];
        if (h->watch->flags & ORYX_WATCH_BEFORE) {
            atomic_fetch_sub(&h->watch->refs, 1);
            *h = w->now.at[--w->now.n];
        } else {
            i++;
        }
    }
}

void oryx__watch_host(oryx_machine *m, oryx_space *s, oryx_region *region, uint64_t addr, const void *buf, uint64_t size, int write,
                      const oryx__who *who)
{
    struct oryx__mem *mem = m->mem;
    struct oryx__hits h = {0};
    if (!oryx__watch_set(mem) || !size || who->attrs & ORYX_ATTR_DEBUG)
        return;
    oryx__api_begin(mem);
    const struct oryx__watch_set *set = oryx__watch_set(mem);
    const oryx__view *view = s ? atomic_load_explicit(&s->view, memory_order_seq_cst) : NULL;
    struct oryx__watch_access a = {.addr = addr, .size = size, .access = write ? ORYX_WATCH_WRITE : ORYX_WATCH_READ, .attrs = who->attrs,
                                   .requester = who->requester, .n = 1, .known = buf ? ORYX_HIT_VALUE : 0, .after = 1};
    if (buf)
        memcpy(&a.value, buf, MIN(size, sizeof(a.value)));
    /* A region's bytes written behind its back are in no space, as far as is known here. */
    oryx__row whole = {.first = addr, .last = addr + (size - 1), .region = region, .offset = addr};
    uint64_t hint = 0;
    for (uint64_t at = 0; set && set->host && at < size;) {
        const oryx__row *row = s ? oryx__view_find(view, addr + at, &hint) : &whole;
        const oryx__row *ahead = row ? NULL : oryx__view_at(view, oryx__view_lower(view, addr + at));
        uint64_t n = row ? MIN(size - at - 1, row->last - (addr + at)) + 1
                         : ahead ? MIN(size - at, ahead->first - (addr + at)) : size - at;
        struct oryx__watch_part p = {.row = row, .phys = addr + at, .n = n, .space = s};
        a.part = &p;
        uint32_t from = h.n;
        struct oryx__hits one = {0};
        match(set, &one, &a, ORYX_WATCH_HOST | ORYX_WATCH_HOST_ONLY, 0);
        for (uint32_t i = 0; i < one.n; i++) {
            uint32_t k = 0;
            while (k < from && h.at[k].watch != one.at[i].watch)
                k++;
            one.at[i].phys = addr;
            if (k < from)
                h.at[k].last = one.at[i].last;
            else
                hit_add(&h, &one.at[i]);
        }
        oryx__hits_clear(&one);
        oryx__free(one.at);
        at += n;
    }
    oryx__api_end(mem);
    for (uint32_t i = 0; i < h.n; i++) {
        oryx_watch *w = h.at[i].watch;
        if (atomic_load(&w->removed) || (w->fn && !w->fn(w->opaque, &h.at[i])))
            continue;
        pthread_mutex_lock(&m->lock);
        oryx_vcpu *v = who->vcpu ? who->vcpu : m->vcpus->len ? m->vcpus->pdata[0] : NULL;
        if (v && v->tlbs) {
            hit_add(&v->tlbs->watcher.others, &h.at[i]);
            oryx__vcpu_request(v, ORYX__REQ_WATCH);
        }
        pthread_mutex_unlock(&m->lock);
    }
    oryx__hits_clear(&h);
    oryx__free(h.at);
}

bool oryx__watch_others(oryx_vcpu *v)
{
    struct oryx__watcher *w = &v->tlbs->watcher;
    pthread_mutex_lock(&v->machine->lock);
    oryx__hits_clear(&w->now);
    for (uint32_t i = 0; i < w->others.n; i++)
        if (!atomic_load(&w->others.at[i].watch->removed))
            hit_add(&w->now, &w->others.at[i]);
    oryx__hits_clear(&w->others);
    pthread_mutex_unlock(&v->machine->lock);
    return w->now.n != 0;
}

/* --- instructions ----------------------------------------------------------------------------------------------------------- */
bool oryx__watch_begins(const struct oryx__watch_set *set, const oryx_space *s, uint64_t phys, uint64_t pc)
{
    uint32_t i;
    if (!set)
        return false;
    const struct oryx__watch_table *t = &set->of[1][ORYX__WATCH_VIRTUAL];
    i = upper(t, pc);
    if (next(t, pc, &i)) /* of whatever vCPU: blocks are everybody's */
        return true;
    return any(&set->of[1][ORYX__WATCH_SPACE], s, phys, phys, ORYX_WATCH_EXEC);
}

bool oryx__watch_exec(oryx_vcpu *v, uint64_t pc, oryx_space *s, uint64_t phys)
{
    struct oryx__hits *h = &v->tlbs->watcher.now;
    oryx__hits_clear(h);
    oryx__vcpu_begin(v);
    const struct oryx__watch_set *set = oryx__watch_set(v->machine->mem);
    for (uint32_t kind = 0; set && kind < ORYX__WATCH_REGION; kind++) {
        const struct oryx__watch_table *t = &set->of[1][kind];
        uint64_t at = kind == ORYX__WATCH_VIRTUAL ? pc : phys;
        uint32_t i = upper(t, at);
        for (const struct oryx__watch_row *r; (r = next(t, at, &i)) != NULL;) {
            const void *o = of(r);
            if ((o && o != (kind == ORYX__WATCH_VIRTUAL ? (const void *)v : (const void *)s)) || atomic_load(&r->watch->removed))
                continue;
            oryx_watch_hit hit = {.hdr = ORYX_HDR(oryx_watch_hit), .watch = r->watch, .vcpu = v, .space = s, .pc = pc, .addr = pc,
                                  .phys = phys, .first = at, .last = at, .access = ORYX_WATCH_EXEC, .attrs = ORYX_ATTR_FETCH};
            hit_add(h, &hit);
        }
    }
    oryx__vcpu_end(v);
    return h->n != 0;
}

bool oryx__watch_tell(oryx_vcpu *v)
{
    struct oryx__hits *h = &v->tlbs->watcher.now;
    bool stop = h->lost != 0;
    for (uint32_t i = 0; i < h->n; i++) {
        oryx_watch_hit hit = h->at[i];
        if (!atomic_load(&hit.watch->removed) && (!hit.watch->fn || hit.watch->fn(hit.watch->opaque, &hit)))
            stop = true;
    }
    return stop;
}

uint32_t oryx_vcpu_hits(oryx_vcpu *v, oryx_watch_hit *hits, uint32_t n)
{
    if (!v)
        return 0;
    const struct oryx__hits *h = &v->tlbs->watcher.now;
    if (hits && h->n)
        memcpy(hits, h->at, MIN(n, h->n) * sizeof(*hits));
    return h->n + h->lost;
}

/* --- adding and removing ---------------------------------------------------------------------------------------------------- */
/* Under machine->lock. */
static void publish(oryx_machine *m, struct oryx__watch_set *set, const oryx_watch *w)
{
    struct oryx__mem *mem = m->mem;
    struct oryx__watch_set *old = atomic_exchange(&mem->watches, set);
    if (w->flags & ORYX_WATCH_EXEC)
        oryx__breaks_set(m, set, w->kind == ORYX__WATCH_SPACE ? (oryx_space *)(uintptr_t)w->of : NULL, w->lo, w->hi, true);
    else
        oryx__breaks_set(m, set, NULL, 0, 0, false);
    if (old) {
        old->next = mem->old_watches;
        mem->old_watches = old;
    }
    oryx__window_update(m);
}

/* Fast paths go, everywhere; what nobody can see any more is freed. Not under the lock. */
static void settle(oryx_machine *m, bool added)
{
    struct oryx__mem *mem = m->mem;
    pthread_mutex_lock(&m->lock);
    for (guint i = 0; added && i < m->vcpus->len; i++)
        if (((oryx_vcpu *)m->vcpus->pdata[i])->tlbs)
            oryx__tlb_request(m->vcpus->pdata[i]);
    /* A thread that runs a vCPU does not wait for others: one of them may wait for it. */
    bool inside = oryx__mem_inside(m);
    for (guint i = 0; i < m->vcpus->len && !inside; i++) {
        oryx_vcpu *v = m->vcpus->pdata[i];
        inside = oryx__vcpu_inside(v) != 0;
    }
    struct oryx__watch_set *sets = inside ? NULL : mem->old_watches;
    oryx_watch *dead = inside ? NULL : mem->dead_watches;
    if (!inside) {
        mem->old_watches = NULL;
        mem->dead_watches = NULL;
    }
    pthread_mutex_unlock(&m->lock);
    if (inside)
        return;
    oryx__mem_synchronize(m);
    while (sets) {
        struct oryx__watch_set *s = sets;
        sets = s->next;
        oryx__free(s);
    }
    while (dead) {
        oryx_watch *w = dead;
        dead = w->next;
        if (!atomic_load(&w->refs)) {
            oryx__free(w);
            continue;
        }
        pthread_mutex_lock(&m->lock);
        w->next = mem->dead_watches;
        mem->dead_watches = w;
        pthread_mutex_unlock(&m->lock);
    }
}

static oryx_status refuse(const oryx_machine *m, const oryx_watch_config *c, oryx_error *err)
{
    uint32_t known = ORYX_WATCH_READ | ORYX_WATCH_WRITE | ORYX_WATCH_EXEC | ORYX_WATCH_BEFORE | ORYX_WATCH_HOST | ORYX_WATCH_HOST_ONLY;
    if (!m || !c || !ORYX_HAS(c, opaque))
        return oryx__error(err, ORYX_E_INVALID, "watch: give a machine, a whole config and out");
    if (!(c->flags & (ORYX_WATCH_READ | ORYX_WATCH_WRITE | ORYX_WATCH_EXEC)) || c->flags & ~known)
        return oryx__error(err, ORYX_E_INVALID, "watch at 0x%" PRIx64 ": flags 0x%x need READ, WRITE or EXEC and may have BEFORE, HOST, HOST_ONLY",
                           c->addr, c->flags);
    if (!c->vcpu + !c->space + !c->region < 2)
        return oryx__error(err, ORYX_E_INVALID, "watch at 0x%" PRIx64 ": give one of vcpu, space and region, or none for every vCPU", c->addr);
    if ((c->vcpu && c->vcpu->machine != m) || (c->space && c->space->machine != m) || (c->region && c->region->machine != m))
        return oryx__error(err, ORYX_E_INVALID, "watch at 0x%" PRIx64 ": its vCPU, space or region is another machine's", c->addr);
    if (c->size && c->addr + (c->size - 1) < c->addr)
        return oryx__error(err, ORYX_E_RANGE, "watch at 0x%" PRIx64 ": 0x%" PRIx64 " bytes reach over the end; size 0 is all that is left",
                           c->addr, c->size);
    if (c->region && (!c->region->ops || c->flags & ORYX_WATCH_EXEC))
        return oryx__error(err, ORYX_E_INVALID, c->region->ops ? "watch: instructions of region '%s' are watched by address: give a space or a vCPU"
                           : "watch: region '%s' is structure only; watch the regions that hold memory", c->region->name);
    if (c->region && (c->addr > c->region->last || (c->size && c->size - 1 > c->region->last - c->addr)))
        return oryx__error(err, ORYX_E_RANGE, "watch: 0x%" PRIx64 " with 0x%" PRIx64 " bytes is not inside region '%s'", c->addr, c->size,
                           c->region->name);
    if (c->flags & (ORYX_WATCH_HOST | ORYX_WATCH_HOST_ONLY) && !c->space && !c->region)
        return oryx__error(err, ORYX_E_INVALID, "watch at 0x%" PRIx64 ": others than vCPUs have no virtual addresses: give a space or a region",
                           c->addr);
    if (c->flags & ORYX_WATCH_HOST_ONLY && c->flags & ORYX_WATCH_EXEC)
        return oryx__error(err, ORYX_E_INVALID, "watch at 0x%" PRIx64 ": only vCPUs execute; drop HOST_ONLY or EXEC", c->addr);
    return ORYX_OK;
}

oryx_status oryx_watch_add(oryx_machine *m, const oryx_watch_config *c, oryx_watch **out, oryx_error *err)
{
    oryx_status st = out ? refuse(m, c, err) : oryx__error(err, ORYX_E_INVALID, "watch: out must not be NULL");
    if (st)
        return st;
    *out = NULL;
    oryx_watch *w = oryx__alloc(sizeof(*w));
    if (!w)
        return oryx__error(err, ORYX_E_NOMEM, "watch at 0x%" PRIx64 ": out of memory", c->addr);
    w->machine = m;
    w->lo = c->addr;
    w->hi = c->size ? c->addr + (c->size - 1) : c->region ? c->region->last : UINT64_MAX;
    w->kind = c->region ? ORYX__WATCH_REGION : c->space ? ORYX__WATCH_SPACE : ORYX__WATCH_VIRTUAL;
    w->of = c->region ? (const void *)c->region : c->space ? (const void *)c->space : (const void *)c->vcpu;
    w->flags = c->flags;
    w->attrs_mask = c->attrs_mask;
    w->attrs = c->attrs;
    w->fn = c->fn;
    w->opaque = c->opaque;
    struct oryx__watch_row row = {.lo = w->lo, .hi = w->hi, .of = w->of, .watch = w};
    pthread_mutex_lock(&m->lock);
    struct oryx__watch_set *set = set_copy(atomic_load(&m->mem->watches), &row, w);
    if (set) {
        w->next = m->mem->all_watches;
        m->mem->all_watches = w;
        publish(m, set, w);
    }
    pthread_mutex_unlock(&m->lock);
    if (!set) {
        oryx__free(w);
        return oryx__error(err, ORYX_E_NOMEM, "watch at 0x%" PRIx64 ": out of memory", c->addr);
    }
    settle(m, true);
    *out = w;
    return ORYX_OK;
}

void oryx_watch_remove(oryx_watch *w)
{
    if (!w)
        return;
    oryx_machine *m = w->machine;
    pthread_mutex_lock(&m->lock);
    atomic_store(&w->removed, 1);
    struct oryx__watch_set *old = atomic_load(&m->mem->watches), *set = set_copy(old, NULL, w);
    bool empty = set && !set->data && !set->host;
    for (uint32_t k = 0; empty && k < ORYX__WATCH_KINDS; k++)
        empty = !set->of[1][k].n;
    if (empty) {
        oryx__free(set);
        set = NULL;
    }
    if (set || empty) {
        publish(m, set, w);
        oryx_watch **at = &m->mem->all_watches;
        while (*at != w)
            at = &(*at)->next;
        *at = w->next;
        w->next = m->mem->dead_watches;
        m->mem->dead_watches = w;
    } else {
        w->fn = NULL; /* no memory for another set: it stays in this one, and is told to nobody */
    }
    pthread_mutex_unlock(&m->lock);
    settle(m, false);
}

void oryx__watch_gone(oryx_machine *m, const void *gone)
{
    struct oryx__watch_set *set = atomic_load(&m->mem->watches);
    for (uint32_t t = 0; set && t < 2 * ORYX__WATCH_KINDS; t++) {
        struct oryx__watch_table *table = &set->of[t / ORYX__WATCH_KINDS][t % ORYX__WATCH_KINDS];
        for (uint32_t i = 0; i < table->n; i++)
            if (table->rows[i].of == gone)
                __atomic_store_n(&table->rows[i].of, m->mem, __ATOMIC_RELAXED);
    }
    for (oryx_watch *w = m->mem->all_watches; w; w = w->next)
        if (w->of == gone)
            w->of = m->mem;
}

void oryx__watch_vcpu_free(oryx_vcpu *v)
{
    oryx__hits_clear(&v->tlbs->watcher.now);
    oryx__hits_clear(&v->tlbs->watcher.others);
    oryx__free(v->tlbs->watcher.now.at);
    oryx__free(v->tlbs->watcher.others.at);
}

void oryx__watch_destroy(struct oryx__mem *mem)
{
    struct oryx__watch_set *set = atomic_load(&mem->watches);
    oryx_watch *lists[2] = {mem->all_watches, mem->dead_watches};
    oryx__free(set);
    while ((set = mem->old_watches) != NULL) {
        mem->old_watches = set->next;
        oryx__free(set);
    }
    for (int k = 0; k < 2; k++)
        for (oryx_watch *w = lists[k], *next; w; w = next) {
            next = w->next;
            oryx__free(w);
        }
}
