/* The TB cache: every translated block of a machine, found by what it was made from, dropped when that changes.
 *
 * run.c looks blocks up and links them, translate.c inserts them, memory reports writes and remappings. Key: (space, model,
 * physical pc, pc, mode, limit). Three ways lead to a block besides the hash table: vCPUs' jump caches, direct links of other
 * blocks, and pointers a running vCPU holds. Dropping a block closes the first two at once (links have back-pointers);
 * the third by epochs: the block goes to the retired list and is freed when every running vCPU has passed the run loop's
 * top since (seen >= retired), or does not run.
 *
 * A region is one entry like a block, but its bytes are several extents on up to four pages, and vCPUs can loop in it: who
 * drops one kicks them.
 *
 * Stop addresses (`until` of a run): no block contains one but at its start, and blocks that start at one are in no jump
 * cache and behind no link, so only the run loop enters them, after comparing with its own list. Addresses stay
 * registered between runs (vcpu->until), so repeated runs with the same list do nothing, another list drops only the
 * blocks around its addresses, and runs without `until` pay nothing at all.
 *
 * Invariant: under tbs->lock, a block is in the hash table, its page lists and vpages together, or retired and in none. */
#include <string.h>
#include <xxhash.h>

#include "exec.h"
#include "watch.h"

#define PAGE_MASK (~(uint64_t)(ORYX_PAGE_SIZE - 1))

/* --- lists ---------------------------------------------------------------------------------------------------------------- */
static void node_insert(oryx__node **head, oryx__node *n, oryx__tb *tb)
{
    n->tb = tb;
    n->next = *head;
    n->pprev = head;
    if (n->next)
        n->next->pprev = &n->next;
    *head = n;
}

static void node_remove(oryx__node *n)
{
    if (!n->pprev)
        return;
    *n->pprev = n->next;
    if (n->next)
        n->next->pprev = n->pprev;
    n->pprev = NULL;
    n->next = NULL;
}

static uint32_t vpage_hash(uint64_t pc)
{
    uint64_t page = pc >> ORYX_PAGE_BITS;
    return (uint32_t)(page ^ page >> 12) & (ORYX__VPAGES - 1);
}

/* --- key ------------------------------------------------------------------------------------------------------------------ */
static uint64_t key_hash(const oryx_space *space, const oryx_cpu_model *model, uint64_t phys, uint64_t pc, uint64_t mode,
                         uint32_t limit)
{
    uint64_t key[6] = { (uintptr_t)space, (uintptr_t)model, phys, pc, mode, limit };
    return XXH3_64bits(key, sizeof(key));
}

static guint page_key_hash(gconstpointer p)
{
    const oryx__page *a = p;
    uint64_t h = (a->number ^ (uintptr_t)a->space >> 4) * 0x9e3779b97f4a7c15u;
    return (guint)(h >> 32);
}

static gboolean page_key_equal(gconstpointer p, gconstpointer q)
{
    const oryx__page *a = p, *b = q;
    return a->number == b->number && a->space == b->space;
}

static oryx__page *page_find(struct oryx__tbs *tbs, oryx_space *space, uint64_t number)
{
    oryx__page key = { .space = space, .number = number };
    return g_hash_table_lookup(tbs->pages, &key);
}

/* --- life of the cache ------------------------------------------------------------------------------------------------ */
#define STOP_KEY(pc) ((void *)(uintptr_t)(pc))
_Static_assert(sizeof(void *) >= sizeof(uint64_t), "addresses of guests are keys of tables");

oryx_status oryx__tbs_create(oryx_machine *m, oryx_error *err)
{
    struct oryx__tbs *tbs = oryx__alloc(sizeof(*tbs));
    if (!tbs)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the code cache of a machine");
    tbs->n_buckets = 1024;
    tbs->buckets = oryx__alloc(tbs->n_buckets * sizeof(*tbs->buckets));
    if (!tbs->buckets || oryx__ir_init(&tbs->ir) != ORYX_OK || oryx__ir_init(&tbs->ir2) != ORYX_OK) {
        oryx__ir_fini(&tbs->ir);
        oryx__free(tbs->buckets);
        oryx__free(tbs);
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the code cache of a machine");
    }
    pthread_mutex_init(&tbs->lock, NULL);
    m->tbs = tbs;
    tbs->pages = g_hash_table_new(page_key_hash, page_key_equal);
    tbs->stops = g_hash_table_new(NULL, NULL);
    if (!tbs->pages || !tbs->stops)
        return oryx__error(err, ORYX_E_NOMEM, "no memory for the code cache of a machine");
    atomic_init(&tbs->epoch, 1);
    tbs->max_bytes = oryx__env_number("ORYX_TB_CACHE_MB", 64, 1, 1 << 20) << 20;
    tbs->max_insns = (uint32_t)oryx__env_number("ORYX_TB_MAX_INSNS", 64, 1, 256);
    uint32_t caps = ORYX_HAS(m->engine, caps) ? m->engine->caps : 0;
    if (ORYX_HAS(m->engine, tune) && m->engine->tune)
        m->engine->tune(m->engine_self, &caps, &tbs->max_insns);
    /* An engine's counters are shared by blocks, so one count says little: a block must be hit several times. */
    uint32_t hot = caps & ORYX_ENGINE_REGIONS ? (uint32_t)oryx__env_number("ORYX_REGION_HOT", 8000, 0, 1u << 30) : 0;
    tbs->heat = (uint32_t)oryx__env_number("ORYX_REGION_HEAT", hot < 1000 ? 1 : 8, 1, 100);
    tbs->hot = hot / tbs->heat;
    tbs->dump = oryx__dump_wanted();
    uint64_t cold = oryx__env_number("ORYX_COLD", 1, 0, 2);
    if (caps & ORYX_ENGINE_COLD && cold && !tbs->dump)
        tbs->seen = oryx__cold_create(); /* without: all is compiled */
    tbs->cold_always = cold == 2;
    tbs->no_links = oryx__env_number("ORYX_LINKS", 1, 0, 1) == 0;
    tbs->region_all = oryx__env_number("ORYX_REGION_ALL", 0, 0, 1) != 0;
#ifdef NDEBUG
    tbs->check_all = oryx__env_number("ORYX_IR_CHECK", 0, 0, 1) != 0;
#else
    tbs->check_all = true;
#endif
    return ORYX_OK;
}

oryx__tb *oryx__tb_new(uint32_t n, uint32_t n_pages)
{
    size_t more = n ? 2u * n * sizeof(oryx__node) + n_pages * (2 * sizeof(oryx__node) + sizeof(oryx__page *) + 2 * sizeof(uint64_t)) +
                          n * sizeof(oryx__extent) : 0;
    oryx__tb *tb = oryx__alloc(sizeof(*tb) + more);
    if (!tb)
        return NULL;
    tb->phys2 = ~(uint64_t)0;
    tb->bytes = (uint32_t)(sizeof(*tb) + more);
    tb->n_out = n ? 2 * n : 2;
    tb->n_pages = n ? n_pages : 2;
    tb->n_extents = n;
    tb->out = tb->own.out;
    tb->on_page = tb->own.on_page;
    tb->vpage = tb->own.vpage;
    tb->page = tb->own.page;
    if (n) {
        tb->out = (oryx__node *)(tb + 1);
        tb->on_page = tb->out + 2 * n;
        tb->vpage = tb->on_page + n_pages;
        tb->extent = (oryx__extent *)(void *)(tb->vpage + n_pages);
        tb->vpage_of = (uint64_t *)(void *)(tb->extent + n);
        tb->ppage_of = tb->vpage_of + n_pages;
        tb->page = (oryx__page **)(void *)(tb->ppage_of + n_pages);
    }
    return tb;
}

static void tb_free(oryx_machine *m, oryx__tb *tb)
{
    m->engine->discard(m->engine_self, &tb->pub);
    oryx__free(tb);
}

/* --- links ---------------------------------------------------------------------------------------------------------------- */
static void link_set(oryx_machine *m, oryx__tb *from, uint32_t slot, oryx__tb *to)
{
    if (slot < 2)
        __atomic_store_n(&from->pub.link[slot], to ? &to->pub : NULL, __ATOMIC_RELEASE);
    if (m->engine->link)
        m->engine->link(m->engine_self, &from->pub, slot, to ? &to->pub : NULL);
}

static void unlink_out(oryx_machine *m, oryx__tb *from, uint32_t slot)
{
    if (!from->out[slot].pprev)
        return;
    node_remove(&from->out[slot]);
    link_set(m, from, slot, NULL);
}

static void unlink_in(oryx_machine *m, oryx__tb *to)
{
    while (to->in) {
        oryx__node *n = to->in;
        unlink_out(m, n->tb, (uint32_t)(n - n->tb->out));
    }
}

/* Whether a link between virtual pages means the same to every vCPU that may run it. Links within a page always do: the
 * physical page is in the key. */
static bool shared_mapping(oryx_machine *m)
{
    oryx_vcpu *first = m->vcpus->len ? g_ptr_array_index(m->vcpus, 0) : NULL;
    for (guint i = 1; i < m->vcpus->len; i++) {
        oryx_vcpu *v = g_ptr_array_index(m->vcpus, i);
        if (v->mmu != first->mmu || v->mmu_opaque != first->mmu_opaque || v->space != first->space)
            return false;
    }
    return m->vcpus->len <= 1 || first->mmu || !m->arch->mmu;
}

void oryx__tb_link(oryx_machine *m, oryx__tb *from, uint32_t slot, oryx__tb *to)
{
    struct oryx__tbs *tbs = m->tbs;
    if (slot >= from->n_out || to->limit || tbs->no_links)
        return;
    pthread_mutex_lock(&tbs->lock);
    bool same_page = ((from->pub.pc ^ to->pub.pc) & PAGE_MASK) == 0 && to->phys2 == ~(uint64_t)0 && (!to->n_extents || to->n_pages == 1);
    if (!(from->pub.flags & (ORYX_TB_INVALID | ORYX_TB_NO_LINK)) && !(to->pub.flags & ORYX_TB_INVALID) && !to->at_stop && !from->out[slot].pprev &&
        from->pub.mode == to->pub.mode && from->space == to->space && from->model == to->model &&
        (same_page || shared_mapping(m))) {
        node_insert(&to->in, &from->out[slot], from);
        link_set(m, from, slot, to);
        m->stats.tb_links++;
    }
    pthread_mutex_unlock(&tbs->lock);
}

/* --- dropping --------------------------------------------------------------------------------------------------------- */
static void purge_jumps(oryx_machine *m, const oryx__tb *tb)
{
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = g_ptr_array_index(m->vcpus, i);
        oryx_tb **at = tb->limit ? &v->step_cache[oryx__step_hash(tb->pub.pc)]
                                 : &v->jump_cache[oryx_jump_hash(tb->pub.pc)];
        if (__atomic_load_n(at, __ATOMIC_RELAXED) == &tb->pub)
            __atomic_store_n(at, NULL, __ATOMIC_RELAXED);
    }
}

static void page_drop_if_empty(struct oryx__tbs *tbs, oryx__page *p)
{
    if (p->tbs || p->holds)
        return;
    g_hash_table_remove(tbs->pages, p);
    oryx__code_page_set(p->space, p->number, 0);
    oryx__free(p);
}

/* A vCPU may loop in a dropped region: it has to look up again. */
static void kick_running(oryx_machine *m)
{
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = g_ptr_array_index(m->vcpus, i); /* one that does not run may be about to */
        __atomic_store_n(&v->cpu->slice.kick, -1, __ATOMIC_SEQ_CST);
    }
}

/* Takes tb out of everything. keep: a page whose entry must survive, its list is being walked. */
static void tb_drop(oryx_machine *m, oryx__tb *tb, const oryx__page *keep)
{
    struct oryx__tbs *tbs = m->tbs;
    __atomic_fetch_or(&tb->pub.flags, ORYX_TB_INVALID, __ATOMIC_RELEASE);
    oryx__tb **at = &tbs->buckets[tb->hash & (tbs->n_buckets - 1)];
    while (*at != tb)
        at = &(*at)->hash_next;
    *at = tb->hash_next;
    tbs->n--;
    for (uint32_t k = 0; k < (tb->n_extents ? tb->n_pages : 1); k++)
        node_remove(&tb->vpage[k]);
    unlink_in(m, tb);
    for (uint32_t k = 0; k < tb->n_out; k++)
        unlink_out(m, tb, k);
    purge_jumps(m, tb);
    if (tb->n_extents)
        kick_running(m);
    for (uint32_t k = 0; k < tb->n_pages; k++) {
        if (!tb->page[k])
            continue;
        node_remove(&tb->on_page[k]);
        if (tb->page[k] != keep)
            page_drop_if_empty(tbs, tb->page[k]);
        tb->page[k] = NULL;
    }
    tbs->bytes -= tb->bytes;
    tb->retired = atomic_fetch_add(&tbs->epoch, 1) + 1;
    tb->retired_next = tbs->retired;
    tbs->retired = tb;
    tbs->n_retired++;
    tbs->retired_bytes += tb->bytes;
    m->stats.tb_invalidated++;
}

/* Frees retired blocks that no running vCPU can hold any more. A vCPU that stays in linked code while others drop blocks is
 * kicked, so that what waits stays below the bound of what lives. */
static void reclaim(oryx_machine *m)
{
    struct oryx__tbs *tbs = m->tbs;
    if (!tbs->retired)
        return;
    uint64_t oldest = ~(uint64_t)0;
    bool kick = tbs->retired_bytes > tbs->max_bytes / 2;
    for (guint i = 0; i < m->vcpus->len; i++) {
        oryx_vcpu *v = g_ptr_array_index(m->vcpus, i);
        /* Ordered behind the epoch that tb_drop advanced: who does not run yet cannot find what was dropped before. Who
         * runs and has not said since when (it is on its way in, or out) may hold anything. */
        if (!oryx__vcpu_running(v))
            continue;
        uint64_t seen = atomic_load(&v->seen);
        if (seen == ~(uint64_t)0)
            seen = 0;
        oldest = MIN(oldest, seen);
        if (kick)
            __atomic_store_n(&v->cpu->slice.kick, -1, __ATOMIC_RELEASE);
    }
    for (oryx__tb **at = &tbs->retired; *at;) {
        oryx__tb *tb = *at;
        if (tb->retired <= oldest) {
            *at = tb->retired_next;
            tbs->n_retired--;
            tbs->retired_bytes -= tb->bytes;
            tb_free(m, tb);
        } else {
            at = &tb->retired_next;
        }
    }
    tbs->reclaim_at = MAX(64, tbs->n_retired * 2);
}

static void flush_locked(oryx_machine *m)
{
    struct oryx__tbs *tbs = m->tbs;
    for (uint32_t i = 0; i < tbs->n_buckets; i++)
        while (tbs->buckets[i])
            tb_drop(m, tbs->buckets[i], NULL);
    __atomic_fetch_add(&m->stats.tb_flushes, 1, __ATOMIC_RELAXED);
    reclaim(m);
}

void oryx__tbs_flush(oryx_machine *m)
{
    if (!m->tbs)
        return;
    pthread_mutex_lock(&m->tbs->lock);
    flush_locked(m);
    pthread_mutex_unlock(&m->tbs->lock);
}

void oryx__tbs_destroy(oryx_machine *m)
{
    struct oryx__tbs *tbs = m->tbs;
    if (!tbs)
        return;
    oryx__tbs_flush(m); /* no vCPU is left: reclaim frees every block */
    g_hash_table_destroy(tbs->pages);
    g_hash_table_destroy(tbs->stops);
    oryx__ir_fini(&tbs->ir);
    oryx__ir_fini(&tbs->ir2);
    pthread_mutex_destroy(&tbs->lock);
    oryx__free(tbs->seen);
    oryx__free(tbs->buckets);
    oryx__free(tbs);
    m->tbs = NULL;
}

/* --- lookup and insertion ----------------------------------------------------------------------------------------------- */
static void cache_jump(oryx_vcpu *v, oryx__tb *tb)
{
    oryx_tb **at = tb->limit ? &v->step_cache[oryx__step_hash(tb->pub.pc)] : &v->jump_cache[oryx_jump_hash(tb->pub.pc)];
    if (!tb->at_stop)
        __atomic_store_n(at, &tb->pub, __ATOMIC_RELEASE);
}

oryx_status oryx__tb_find(oryx_vcpu *v, uint64_t pc, uint32_t limit, oryx__tb **out)
{
    oryx_machine *m = v->machine;
    struct oryx__tbs *tbs = m->tbs;
    uint8_t byte;
    uint32_t got;
    uint64_t phys;
    oryx_space *space, *space2;
    *out = NULL;
    oryx_status s = oryx__fetch(v, pc, &byte, 1, &got, &phys, &space);
    if (s != ORYX_OK)
        return s;
    uint64_t mode = v->cpu->mode;
    uint64_t hash = key_hash(space, v->model, phys, pc, mode, limit);
    pthread_mutex_lock(&tbs->lock);
    m->stats.tb_lookups++;
    oryx__tb *tb = tbs->buckets[hash & (tbs->n_buckets - 1)];
    while (tb && !(tb->hash == hash && tb->pub.pc == pc && tb->pub.phys == phys && tb->pub.mode == mode &&
                   tb->limit == limit && tb->space == space && tb->model == v->model))
        tb = tb->hash_next;
    if (tb && (tb->phys2 != ~(uint64_t)0 || (tb->n_extents && tb->n_pages > 1))) {
        /* The key names the first page only: the block is this one if the other pages are still what they were. */
        uint64_t phys2;
        bool same = true;
        pthread_mutex_unlock(&tbs->lock);
        for (uint32_t k = 1; same && k < tb->n_pages; k++) {
            s = oryx__fetch(v, tb->n_extents ? tb->vpage_of[k] : (pc & PAGE_MASK) + ORYX_PAGE_SIZE, &byte, 1, &got, &phys2, &space2);
            same = s == ORYX_OK && space2 == space && (phys2 & PAGE_MASK) == (tb->n_extents ? tb->ppage_of[k] : tb->phys2);
        }
        pthread_mutex_lock(&tbs->lock);
        if (tb->pub.flags & ORYX_TB_INVALID) {
            tb = NULL; /* dropped while unlocked; not freed, this vCPU has not passed a quiet point */
        } else if (!same) {
            tb_drop(m, tb, NULL);
            tb = NULL;
        }
        v->cpu->exc.kind = ORYX_EXC_NONE; /* a fault there is the translation's to find, with the right pc */
    }
    if (tb)
        cache_jump(v, tb);
    pthread_mutex_unlock(&tbs->lock);
    *out = tb;
    return ORYX_OK;
}

bool oryx__tb_known(oryx_vcpu *v, oryx_space *space, uint64_t pc, uint64_t phys, uint32_t heat)
{
    struct oryx__tbs *tbs = v->machine->tbs;
    uint64_t hash = key_hash(space, v->model, phys, pc, v->cpu->mode, 0);
    pthread_mutex_lock(&tbs->lock);
    const oryx__tb *tb = tbs->buckets[hash & (tbs->n_buckets - 1)];
    while (tb && tb->hash != hash)
        tb = tb->hash_next;
    bool known = tb && (tb->heat >= heat || tb->n_extents);
    pthread_mutex_unlock(&tbs->lock);
    return known;
}

oryx__page *oryx__page_hold(struct oryx__tbs *tbs, oryx_space *space, uint64_t phys, uint32_t *version, bool *fresh)
{
    pthread_mutex_lock(&tbs->lock);
    oryx__page *p = page_find(tbs, space, phys >> ORYX_PAGE_BITS);
    *fresh = !p;
    if (!p && (p = oryx__alloc(sizeof(*p)))) {
        p->space = space;
        p->number = phys >> ORYX_PAGE_BITS;
        if (g_hash_table_add(tbs->pages, p)) {
            oryx__code_page_set(space, p->number, 1);
        } else {
            oryx__free(p);
            p = NULL;
        }
    }
    if (p) {
        p->holds++;
        *version = p->version;
    }
    pthread_mutex_unlock(&tbs->lock);
    return p;
}

void oryx__page_release(struct oryx__tbs *tbs, oryx__page *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&tbs->lock);
    p->holds--;
    page_drop_if_empty(tbs, p);
    pthread_mutex_unlock(&tbs->lock);
}

static uint64_t granules_of(uint32_t first, uint32_t last)
{
    uint64_t low = ~(uint64_t)0 << (first / 64);
    return low & (~(uint64_t)0 >> (63 - last / 64));
}

/* The granules of tb's bytes on its k-th page. *touched: some of them lie in [first, last]. */
static uint64_t bytes_on_page(const oryx__tb *tb, uint32_t k, uint32_t first, uint32_t last, bool *touched)
{
    uint64_t granules = 0;
    *touched = false;
    for (uint32_t i = 0; i < MAX(tb->n_extents, 1u); i++) {
        uint64_t pc = tb->n_extents ? tb->extent[i].pc : tb->pub.pc;
        uint32_t at = (uint32_t)(pc & ~PAGE_MASK), end = at + MAX(tb->n_extents ? tb->extent[i].len : tb->pub.guest_len, 1u) - 1;
        if (tb->n_extents && tb->extent[i].page != k)
            continue;
        if (!tb->n_extents && k) {
            at = 0;
            end -= ORYX_PAGE_SIZE;
        }
        end = MIN(end, ORYX_PAGE_SIZE - 1);
        granules |= granules_of(at, end);
        *touched |= at <= last && first <= end;
    }
    return granules;
}

static void rehash(struct oryx__tbs *tbs)
{
    uint32_t n = tbs->n_buckets * 4;
    oryx__tb **to = oryx__alloc(n * sizeof(*to));
    if (!to)
        return; /* longer chains, nothing worse */
    for (uint32_t i = 0; i < tbs->n_buckets; i++) {
        for (oryx__tb *tb = tbs->buckets[i], *next; tb; tb = next) {
            next = tb->hash_next;
            tb->hash_next = to[tb->hash & (n - 1)];
            to[tb->hash & (n - 1)] = tb;
        }
    }
    oryx__free(tbs->buckets);
    tbs->buckets = to;
    tbs->n_buckets = n;
}

static bool region_covers(const oryx__tb *tb, uint64_t pc)
{
    for (uint32_t i = 0; i < tb->n_extents; i++)
        if (pc - tb->extent[i].pc < tb->extent[i].len)
            return true;
    return false;
}

/* A stop address lies in tb where the run loop would not see it: anywhere in a region, behind the start of a block. */
static bool stop_inside(struct oryx__tbs *tbs, const oryx__tb *tb)
{
    GHashTableIter i;
    gpointer key;
    if (!g_hash_table_size(tbs->stops))
        return false;
    g_hash_table_iter_init(&i, tbs->stops);
    while (g_hash_table_iter_next(&i, &key, NULL)) {
        uint64_t pc = (uint64_t)(uintptr_t)key;
        if (tb->n_extents ? region_covers(tb, pc) : pc != tb->pub.pc && pc - tb->pub.pc < tb->pub.guest_len)
            return true;
    }
    return false;
}

static oryx__tb *same_key(struct oryx__tbs *tbs, const oryx__tb *like)
{
    oryx__tb *tb = tbs->buckets[like->hash & (tbs->n_buckets - 1)];
    while (tb && !(tb->hash == like->hash && tb->pub.pc == like->pub.pc && tb->pub.phys == like->pub.phys &&
                   tb->pub.mode == like->pub.mode && tb->limit == like->limit && tb->space == like->space && tb->model == like->model))
        tb = tb->hash_next;
    return tb;
}

bool oryx__tb_insert(oryx_vcpu *v, oryx__tb *tb, oryx__page *const *held, const uint32_t *version)
{
    oryx_machine *m = v->machine;
    struct oryx__tbs *tbs = m->tbs;
    pthread_mutex_lock(&tbs->lock);
    for (uint32_t k = 0; k < tb->n_pages; k++) {
        if (held[k] && held[k]->version != version[k]) {
            pthread_mutex_unlock(&tbs->lock);
            return false;
        }
    }
    if (tbs->stops_changed && stop_inside(tbs, tb)) { /* registered while this was translated */
        pthread_mutex_unlock(&tbs->lock);
        return false;
    }
    if (tbs->bytes + tb->bytes > tbs->max_bytes)
        flush_locked(m); /* a new generation */
    else if (tbs->n_retired >= tbs->reclaim_at)
        reclaim(m);
    if (tbs->n >= tbs->n_buckets / 2) /* a miss, the common case here, shall find an empty bucket and touch no block */
        rehash(tbs);
    tb->hash = key_hash(tb->space, tb->model, tb->pub.phys, tb->pub.pc, tb->pub.mode, tb->limit);
    oryx__tb *before = same_key(tbs, tb); /* a region takes the place of the block it grew from */
    if (before) {
        tb_drop(m, before, NULL);
        m->stats.tb_invalidated--;
    }
    oryx__tb **at = &tbs->buckets[tb->hash & (tbs->n_buckets - 1)];
    tb->hash_next = *at;
    *at = tb;
    tbs->n++;
    tbs->bytes += tb->bytes;
    for (uint32_t k = 0; k < (tb->n_extents ? tb->n_pages : 1); k++)
        node_insert(&tbs->vpages[vpage_hash(tb->n_extents ? tb->vpage_of[k] : tb->pub.pc)], &tb->vpage[k], tb);
    for (uint32_t k = 0; k < tb->n_pages; k++) {
        bool touched;
        if (!held[k])
            continue;
        tb->page[k] = held[k];
        held[k]->granules |= bytes_on_page(tb, k, 0, 0, &touched);
        node_insert(&held[k]->tbs, &tb->on_page[k], tb);
    }
    uint64_t pc = tb->pub.pc;
    tb->at_stop = oryx__stop_at(tbs, tb->space, tb->pub.phys, pc);
    m->stats.tbs++;
    m->stats.tb_insns += tb->pub.n_insns;
    cache_jump(v, tb);
    pthread_mutex_unlock(&tbs->lock);
    return true;
}

/* --- what memory reports -------------------------------------------------------------------------------------------- */
static void page_written(oryx_machine *m, oryx__page *p, uint32_t first, uint32_t last)
{
    __atomic_fetch_add(&p->version, 1, __ATOMIC_RELAXED); /* cold.c looks without the lock */
    for (unsigned k = 0; k < G_N_ELEMENTS(p->cold); k++)
        if (p->cold[k].seen && p->cold[k].first <= last && p->cold[k].last >= first) {
            oryx__cold_forget(m->tbs, p->cold[k].seen);
            p->cold[k].seen = 0;
        }
    if (!(p->granules & granules_of(first, last)))
        return;
    uint64_t left = 0;
    for (oryx__node *n = p->tbs, *next; n; n = next) {
        next = n->next;
        oryx__tb *tb = n->tb;
        bool touched;
        uint64_t granules = bytes_on_page(tb, (uint32_t)(n - tb->on_page), first, last, &touched);
        if (touched) {
            /* More nodes of a block may be in this list when virtual pages show one physical page: next to each other, as
             * they were inserted together. */
            while (next && next->tb == tb)
                next = next->next;
            oryx__cold_forget(m->tbs, oryx__cold_bit(tb->pub.pc, tb->pub.mode));
            tb_drop(m, tb, p);
        } else {
            left |= granules;
        }
    }
    p->granules = left;
}

/* The part of [phys, end] on page `number`, if the page has code. */
static void page_range_written(oryx_machine *m, oryx_space *s, uint64_t number, uint64_t phys, uint64_t end)
{
    oryx__page *p = page_find(m->tbs, s, number);
    if (!p)
        return;
    page_written(m, p, number == phys >> ORYX_PAGE_BITS ? (uint32_t)(phys & ~PAGE_MASK) : 0,
                 number == end >> ORYX_PAGE_BITS ? (uint32_t)(end & ~PAGE_MASK) : ORYX_PAGE_SIZE - 1);
    page_drop_if_empty(m->tbs, p);
}

void oryx__code_written(oryx_space *s, uint64_t phys, uint64_t size, oryx_cpu *cpu)
{
    /* cpu: its block is marked ORYX_TB_INVALID like any other: engines look at the flag after slow stores. */
    oryx_machine *m = s->machine;
    struct oryx__tbs *tbs = m->tbs;
    if (!size || !tbs)
        return;
    pthread_mutex_lock(&tbs->lock);
    uint64_t end = phys + size - 1;
    if (end < phys)
        end = ~(uint64_t)0;
    uint64_t pages = (end >> ORYX_PAGE_BITS) - (phys >> ORYX_PAGE_BITS) + 1;
    if (pages <= g_hash_table_size(tbs->pages)) {
        for (uint64_t number = phys >> ORYX_PAGE_BITS; pages--; number++)
            page_range_written(m, s, number, phys, end);
    } else {
        /* More pages written than hold code: walk the code. Dropping blocks may free pages, so hold them first. */
        oryx__page *list = NULL;
        GHashTableIter i;
        gpointer key;
        g_hash_table_iter_init(&i, tbs->pages);
        while (g_hash_table_iter_next(&i, &key, NULL)) {
            oryx__page *p = key;
            if (p->space == s && p->number >= phys >> ORYX_PAGE_BITS && p->number <= end >> ORYX_PAGE_BITS) {
                p->holds++;
                p->next = list;
                list = p;
            }
        }
        for (oryx__page *p = list, *next; p; p = next) {
            next = p->next;
            page_range_written(m, s, p->number, phys, end);
            p->holds--;
            page_drop_if_empty(tbs, p);
        }
    }
    if (!cpu)
        reclaim(m);
    pthread_mutex_unlock(&tbs->lock);
}

/* The virtual mapping below tb may have changed: what found it by virtual address must ask again. So must who runs a region,
 * before it comes to another page of it; the look-up compares all pages, so that regions outlive a guest's context switches. */
static void tb_unmapped(oryx_machine *m, oryx__tb *tb)
{
    if (tb->phys2 != ~(uint64_t)0) {
        tb_drop(m, tb, NULL);
        return;
    }
    unlink_in(m, tb);
    purge_jumps(m, tb);
    if (tb->n_extents)
        kick_running(m);
}

static void bucket_unmapped(oryx_machine *m, uint32_t bucket, uint64_t first, uint64_t last)
{
    for (oryx__node *n = m->tbs->vpages[bucket], *next; n; n = next) {
        next = n->next;
        uint64_t pc = n->tb->pub.pc;
        if (n->tb->n_extents) {
            uint64_t page = n->tb->vpage_of[n - n->tb->vpage];
            oryx__tb *tb = n->tb;
            if (page <= last && page + ORYX_PAGE_SIZE - 1 >= first) {
                while (next && next->tb == tb)
                    next = next->next;
                tb_unmapped(m, tb);
            }
            continue;
        }
        if (pc <= last && pc + MAX(n->tb->pub.guest_len, 1u) - 1 >= first)
            tb_unmapped(m, n->tb);
    }
}

void oryx__tbs_unmap(oryx_vcpu *v, uint64_t addr, uint64_t size)
{
    oryx_machine *m = v->machine;
    struct oryx__tbs *tbs = m->tbs;
    if (!tbs)
        return;
    uint64_t last = size ? addr + size - 1 : ~(uint64_t)0;
    if (!size || last < addr) {
        addr = size ? addr : 0;
        last = ~(uint64_t)0;
    }
    pthread_mutex_lock(&tbs->lock);
    uint64_t pages = (last >> ORYX_PAGE_BITS) - (addr >> ORYX_PAGE_BITS) + 1;
    if (pages < ORYX__VPAGES) {
        /* From one page before: a block there may reach into the range. */
        for (uint64_t i = 0; i <= pages; i++)
            bucket_unmapped(m, vpage_hash(addr + (i - 1) * ORYX_PAGE_SIZE), addr, last);
    } else {
        for (uint32_t i = 0; i < ORYX__VPAGES; i++)
            bucket_unmapped(m, i, addr, last);
    }
    pthread_mutex_unlock(&tbs->lock);
}

/* --- stop addresses --------------------------------------------------------------------------------------------------- */
bool oryx__stop_at(struct oryx__tbs *tbs, const oryx_space *space, uint64_t phys, uint64_t pc)
{
    return (g_hash_table_size(tbs->stops) && g_hash_table_contains(tbs->stops, STOP_KEY(pc))) ||
           oryx__watch_begins(tbs->breaks, space, phys, pc);
}

/* Translation under machine->lock reads the same set from its first to its last instruction: it is changed under that, too. */
void oryx__breaks_set(oryx_machine *m, const struct oryx__watch_set *set, oryx_space *s, uint64_t lo, uint64_t hi, bool changed)
{
    struct oryx__tbs *tbs = m->tbs;
    if (!tbs)
        return;
    pthread_mutex_lock(&tbs->lock);
    tbs->breaks = set;
    for (uint32_t i = 0; changed && !s && i < tbs->n_buckets; i++)
        for (oryx__tb *tb = tbs->buckets[i], *next; tb; tb = next) {
            next = tb->hash_next;
            bool in = false;
            for (uint32_t k = 0; k < MAX(tb->n_extents, 1u) && !in; k++) {
                uint64_t pc = tb->n_extents ? tb->extent[k].pc : tb->pub.pc, len = tb->n_extents ? tb->extent[k].len : tb->pub.guest_len;
                in = pc <= hi && pc + (MAX(len, 1u) - 1) >= lo;
            }
            if (in)
                tb_drop(m, tb, NULL);
        }
    kick_running(m);
    reclaim(m);
    pthread_mutex_unlock(&tbs->lock);
    if (changed && s)
        oryx__code_written(s, lo, hi - lo + 1 ? hi - lo + 1 : hi, NULL);
}

/* Blocks around pc as a stop address begins or ends to be one. */
static void stop_changed(oryx_machine *m, uint64_t pc, bool now)
{
    struct oryx__tbs *tbs = m->tbs;
    for (int before = 0; before < 2; before++) {
        uint64_t page = (pc & PAGE_MASK) - (before ? ORYX_PAGE_SIZE : 0);
        for (oryx__node *n = tbs->vpages[vpage_hash(page)], *next; n; n = next) {
            next = n->next;
            oryx__tb *tb = n->tb;
            if (tb->n_extents) {
                if (now && region_covers(tb, pc)) {
                    while (next && next->tb == tb)
                        next = next->next;
                    tb_drop(m, tb, NULL);
                }
                continue;
            }
            if (tb->pub.pc == pc) {
                tb->at_stop = now || oryx__watch_begins(tbs->breaks, tb->space, tb->pub.phys, pc);
                if (now) {
                    unlink_in(m, tb);
                    purge_jumps(m, tb);
                }
            } else if (now && tb->pub.pc < pc && pc - tb->pub.pc < tb->pub.guest_len) {
                tb_drop(m, tb, NULL);
            }
        }
    }
}

/* One vCPU more or less keeps pc registered. 0: out of memory. */
static int stop_ref(oryx_machine *m, uint64_t pc, int more)
{
    struct oryx__tbs *tbs = m->tbs;
    guint refs = GPOINTER_TO_UINT(g_hash_table_lookup(tbs->stops, STOP_KEY(pc))), now = refs + (guint)more;
    if (!now)
        g_hash_table_remove(tbs->stops, STOP_KEY(pc));
    else if (!g_hash_table_insert(tbs->stops, STOP_KEY(pc), GUINT_TO_POINTER(now)))
        return 0;
    tbs->stops_changed = true;
    if (!refs || !now)
        stop_changed(m, pc, now != 0);
    return 1;
}

oryx_status oryx__stops_set(oryx_vcpu *v, const uint64_t *until, uint32_t n)
{
    oryx_machine *m = v->machine;
    struct oryx__tbs *tbs = m->tbs;
    if (n == v->n_until && (!n || memcmp(until, v->until, n * sizeof(*until)) == 0))
        return ORYX_OK;
    if (n > v->until_cap) {
        uint64_t *to = oryx__realloc(v->until, n * sizeof(*to));
        if (!to)
            return ORYX_E_NOMEM;
        v->until = to;
        v->until_cap = n;
    }
    pthread_mutex_lock(&tbs->lock);
    /* Add before removing: what stays registered needs no work. */
    for (uint32_t i = 0; i < n; i++) {
        if (stop_ref(m, until[i], 1))
            continue;
        while (i--)
            stop_ref(m, until[i], -1);
        pthread_mutex_unlock(&tbs->lock);
        return ORYX_E_NOMEM;
    }
    for (uint32_t i = 0; i < v->n_until; i++)
        stop_ref(m, v->until[i], -1);
    if (n)
        memcpy(v->until, until, n * sizeof(*until));
    v->n_until = n;
    reclaim(m);
    pthread_mutex_unlock(&tbs->lock);
    return ORYX_OK;
}

/* --- vCPUs -------------------------------------------------------------------------------------------------------------- */
int oryx__tbs_vcpu_add(oryx_vcpu *v)
{
    struct oryx__tbs *tbs = v->machine->tbs;
    pthread_mutex_lock(&tbs->lock);
    bool was = shared_mapping(v->machine);
    int ok = g_ptr_array_add(v->machine->vcpus, v);
    atomic_store(&v->machine->several, v->machine->vcpus->len > 1);
    if (was && !shared_mapping(v->machine))
        for (uint32_t i = 0; i < tbs->n_buckets; i++)
            for (oryx__tb *tb = tbs->buckets[i]; tb; tb = tb->hash_next)
                unlink_in(v->machine, tb);
    pthread_mutex_unlock(&tbs->lock);
    return ok;
}

void oryx__tbs_vcpu_remove(oryx_vcpu *v)
{
    struct oryx__tbs *tbs = v->machine->tbs;
    oryx__stops_set(v, NULL, 0);
    pthread_mutex_lock(&tbs->lock);
    g_ptr_array_remove(v->machine->vcpus, v);
    atomic_store(&v->machine->several, v->machine->vcpus->len > 1);
    v->machine->stats.insns += v->insns;
    reclaim(v->machine);
    pthread_mutex_unlock(&tbs->lock);
}
