/* Private to the memory files: regions, spaces, flat views, TLB storage, code-page marks. See
 * core.h for what the rest of the core may use.
 *
 * Locks and lifetimes. Control functions hold machine->lock. Readers hold no lock: they enter a
 * read section (a counter of their vCPU, or the shared one for API threads), load the space's view
 * pointer and leave. A commit swaps the pointer and frees an old view only when every reader was
 * seen outside a section after the swap. Cached host pointers (TLB entries) outlive sections; they
 * are dropped by a flush of the vCPU, asked for before the region may be destroyed. */
#ifndef ORYX_MEM_INTERNAL_H
#define ORYX_MEM_INTERNAL_H

#include "core.h"
#include "oryx_watch.h"

#define ORYX__MAX_DEPTH 128u /* nesting of a region tree, aliases included */
#define ORYX__TLB_MIN   256u
#define ORYX__TLB_MAX   4096u
#define ORYX__TLB_NONE  UINT64_MAX /* a tag that no page-aligned address equals */
#define ORYX__PAGE_MASK ((uint64_t)ORYX_PAGE_SIZE - 1)

struct oryx_region {
    oryx_machine *machine;
    char *name;
    char *type;
    const oryx_region_ops *ops; /* NULL: container, alias */
    void *self;
    uint64_t last;
    uint32_t enabled, prot;
    oryx_limits valid, impl; /* zeros replaced */
    uint32_t endian;
    int32_t priority;
    oryx_region *parent;
    uint64_t offset;       /* in parent */
    uint64_t added;        /* rises with every addition: of equal priorities the higher wins */
    oryx_region *children; /* root of their index (region_index.c); NULL: none */
    struct {
        oryx_region *below, *above; /* siblings that start before, after this one */
        uint64_t reach;             /* last byte of this and of all below it in the index */
        uint32_t heap;
    } index;                     /* place in parent->children */
    const oryx_iommu_ops *iommu; /* NULL: none */
    void *iommu_opaque;
    GArray *iommu_listeners;
    _Atomic uint32_t pins;       /* mappings of its memory */
    _Atomic uint32_t logging;    /* bit a dirty client */
    struct oryx__dirty_log *log; /* made by the first client, kept; dirty.c */
    _Atomic(struct oryx__cow *) cow; /* a snapshot holds its memory; cow.c. Changes while stopped */
    _Atomic uint32_t write_pins;     /* mappings that may write */
    uint64_t serial;                 /* no other region of the machine ever had it */
    uint32_t mode;                   /* ORYX_MODE_* set last */
    uint32_t shared;                 /* its descriptor was given away */
    struct {
        oryx_region *older, *newer;
    } made;              /* every region of the machine, in creation order */
    oryx_region *target; /* alias */
    uint64_t target_offset;
    oryx_region *lower; /* quirk */
    GPtrArray *users;   /* aliases and quirks that name this region; NULL: none */
    oryx_space *space;  /* whose root this is */
    uint32_t mark;      /* visit number of the last graph walk */
    uint32_t height;    /* what that walk found */
};

/* One range of a flat view. host covers [first, host_last] when not NULL. */
typedef struct oryx__row {
    uint64_t first, last;
    oryx_region *region;
    uint64_t offset;
    uint8_t *host;
    uint64_t host_last;
    uint32_t prot;  /* of the tree */
    uint32_t dprot; /* of the direct memory; a write it lacks goes to the backend */
    uint32_t flags; /* ORYX_DIRECT_* */
    uint32_t fresh; /* direct memory not asked for yet (while building) */
} oryx__row;

/* Rows live in chunks; views that differ in a few rows share the other chunks. A place in a view
 * is chunk number << CHUNK_BITS | row in it. */
#define ORYX__CHUNK_BITS 6u
#define ORYX__CHUNK_ROWS (1u << ORYX__CHUNK_BITS)
typedef struct oryx__chunk {
    uint32_t n;
    uint32_t views; /* that show it; control functions only */
    void *block;    /* the allocation: rows begin at a cache line */
    uint8_t pad[48];
    oryx__row rows[ORYX__CHUNK_ROWS]; /* those from n on hold no address: first > last */
} oryx__chunk;

/* Where a page was found last, by hash; a wrong or old answer costs a search. */
typedef struct oryx__hints {
    uint32_t views;
    uint32_t shift;
    _Atomic uint32_t at[];
} oryx__hints;

typedef struct oryx__view {
    struct oryx__view *next; /* in the retired list */
    uint64_t version;        /* which publication of its space, from 1 */
    uint64_t n;              /* rows */
    uint32_t n_chunks, cap;
    oryx__hints *hints; /* NULL: a small view */
    struct {
        uint64_t first;
        oryx__chunk *chunk;
    } slots[];
} oryx__view;

typedef struct oryx__range {
    uint64_t lo, hi;
} oryx__range;

/* What a listener is told of one row. */
typedef struct oryx__change {
    const oryx__row *row;
    uint32_t same; /* added: it was there before */
} oryx__change;

struct oryx_listener {
    oryx_space *space;
    oryx_listener_ops ops; /* as much as the caller knew, the rest zero */
    void *opaque;
};

/* window.c. state: ORYX_PROT_* that are served now, and above them a count of changes. */
struct oryx__window {
    uint8_t *host; /* NULL: none */
    uint64_t size;
    oryx_mmu_fn mmu;
    void *opaque;
    uint32_t prot; /* its owner's wish */
    _Atomic uint32_t state;
};

#define ORYX__DIRTY_INLINE 8u
struct oryx_space {
    oryx_machine *machine;
    char *name;
    oryx_region *root;
    _Atomic(oryx__view *) view;
    oryx__range *dirty; /* what must be rendered again; sorted and disjoint once built */
    uint32_t n_dirty, dirty_cap;
    oryx__range dirty_inline[ORYX__DIRTY_INLINE];
    oryx__view *built; /* the new view between build and publish */
    _Atomic uint32_t
        policy; /* ORYX_ON_* by byte: read and write unassigned, read and write error */
    struct oryx__window window;
    uint64_t versions;                          /* views published */
    _Atomic(struct oryx__known_pages *) known;  /* known_page.c; NULL: none, yet */
    GPtrArray *listeners;
    GArray *removed, *added; /* of oryx__change, between build and publish; NULL: nobody listens */
};

struct oryx__mem {
    oryx_machine *machine;
    GPtrArray *spaces;         /* "system" first */
    _Atomic(oryx_space *) secure; /* "secure": where secure accesses to "system" go; NULL: none */
    oryx_region *newest; /* every region but the roots, linked in creation order */
    uint32_t txn;
    uint32_t mark;
    uint64_t additions;
    oryx__view *retired;
    _Atomic uint32_t api_readers;
    _Atomic uint64_t bounced; /* bytes of bounce buffers in use */
    _Atomic uint32_t write_maps; /* mappings that may write */
    struct oryx__cows *cows;  /* cow.c; NULL: no snapshot. Changes while stopped */
    uint64_t tree_version;    /* rises with every change of a tree, a size, a mode */
    pthread_mutex_t
        split_lock; /* atomics that no host instruction can do: across pages, regions, devices */
    /* Code marks (code_page.c). filter counts the marks by hash: zero means surely none. */
    pthread_mutex_t code_lock;
    GHashTable *code_pages;    /* (space, page) -> struct code_page */
    GHashTable *code_granules; /* host granule -> GSList of struct code_page */
    _Atomic uint32_t *filter;
    _Atomic(struct oryx__monitors *) monitors; /* monitor.c; NULL before the first load-exclusive */
    _Atomic uint32_t code_all; /* a mark could not be kept: every page counts as marked */
    /* watch.c; the lists under machine->lock */
    _Atomic(struct oryx__watch_set *) watches; /* NULL: none */
    struct oryx__watch_set *old_watches;
    struct oryx_watch *all_watches, *dead_watches;
};

#define ORYX__FILTER_BITS 14

/* Watches: what a vCPU keeps of them (watch.c, run.c). */
struct oryx__hits {
    oryx_watch_hit *at;
    uint32_t n, cap, lost;
};
enum { ORYX__STEP = 1, ORYX__STEP_TOLD };
struct oryx__watcher {
    struct oryx__hits now, others; /* of its last run; of others, to end the next */
    uint64_t pc;                   /* of the instruction that is executed */
    uint32_t step;                 /* its accesses are done, and noted when they hit */
    uint32_t told;                 /* the last run ended before one: */
    uint64_t told_pc, told_insns;
    uint64_t gate_addr, gate_size; /* the access it began with */
};

struct oryx__tlb_set {
    _Atomic uint64_t sections; /* odd: inside a read section */
    uint32_t nest;
    _Atomic uintptr_t owner; /* thread of the section, 0 outside */
    _Atomic uint32_t
        lock;     /* tables are written under it; other threads only make write entries slow */
    uint64_t most; /* entries a table may grow to */
    oryx_tlb own[ORYX_MMU_INDEXES]; /* the tables, also while an engine is shown others in cpu->tlb */
    uint64_t row; /* place of the row found last */
    struct oryx__monitor {
        struct oryx__slot *slot; /* NULL: the value alone decides */
        uint32_t version;        /* of the slot when it was armed */
        uint32_t stores;         /* to tracked pages since the last sweep */
    } monitor;                   /* beside cpu->monitor; monitor.c */
    struct oryx__watcher watcher;
    uint64_t span; /* largest mapping that was translated: a flush of one address covers as much */
    struct {
        uint32_t used;    /* entries filled since the last flush */
        uint32_t clashes; /* fills that threw out a live entry since the last resize */
    } index[ORYX_MMU_INDEXES];
    /* Every write entry to memory of a snapshot; more than fit: all are looked at (tlb.c). */
    struct oryx__tlb_writes *writes;
};

#define ORYX__TLB_VICTIMS 8u /* behind each table */
#define ORYX__TLB_WRITES 256u
struct oryx__tlb_writes {
    uint32_t n; /* more than fit: it overflowed */
    struct {
        uint64_t page;
        uint32_t index;
    } at[ORYX__TLB_WRITES];
};

/* Who does a physical access. */
typedef struct oryx__who {
    oryx_vcpu *vcpu;
    uint32_t attrs, requester, mmu_index;
} oryx__who;

extern _Thread_local int64_t oryx__alloc_left;

/* region.c */
oryx_region *oryx__region_root(oryx_machine *m, const char *name, oryx_error *err);
void oryx__region_free(oryx_region *r);
/* May child be placed there? */
oryx_status oryx__region_place_check(oryx_region *parent, uint64_t offset, oryx_region *child,
                                     oryx_error *err);
/* Into and out of its parent, another size: nothing is checked, nothing is rendered yet. */
void oryx__region_link(oryx_region *parent, oryx_region *child);
void oryx__region_unlink(oryx_region *child);
void oryx__region_set_last(oryx_region *r, uint64_t last);

/* region_index.c: the children of a region by address */
void oryx__child_insert(oryx_region *parent, oryx_region *child);
void oryx__child_erase(oryx_region *parent, oryx_region *child);
/* Calls fn for the children of parent that touch [lo, hi], in address order, until it returns
 * nonzero, which is returned. */
int oryx__child_each(const oryx_region *parent, uint64_t lo, uint64_t hi,
                     int (*fn)(void *opaque, oryx_region *child), void *opaque);
static inline uint64_t oryx__child_last(const oryx_region *child)
{
    uint64_t last = child->offset + child->last;
    return last < child->offset ? UINT64_MAX : last;
}
/* True when a wins over b, both children of one region. */
static inline int oryx__child_wins(const oryx_region *a, const oryx_region *b)
{
    return a->priority != b->priority ? a->priority > b->priority : a->added > b->added;
}

/* view_build.c */
oryx_status oryx__view_build(oryx_space *s, oryx__view **out, oryx_error *err);
/* The leaf that region r shows at offset, found by walking the tree. */
oryx_region *oryx__region_resolve(oryx_region *r, uint64_t *offset, uint32_t *prot);

/* flat_view.c */
oryx__view *oryx__view_new(void);
oryx__chunk *oryx__chunk_new(const oryx__row *rows, uint64_t n);
void oryx__chunk_drop(oryx__chunk *c); /* one view less shows it */
void oryx__view_free(oryx__view *view);
/* Lookup hints for a new view, the old one's while they are enough. */
void oryx__view_hints(oryx__view *view, const oryx__view *old);
/* Row that holds addr, or NULL; *hint is tried first and updated. */
const oryx__row *oryx__view_find(const oryx__view *view, uint64_t addr, uint64_t *hint);
/* Place of the first row that ends at or after addr; past the end when none. */
uint64_t oryx__view_lower(const oryx__view *view, uint64_t addr);
/* True when a row of the old view that overlaps [*lo, *hi] is not in the new one as it was; then
 * *lo, *hi enclose those. */
int oryx__view_lost(const oryx__view *old, const oryx__view *new_view, uint64_t *lo, uint64_t *hi);
/* What changed between the views in the space's dirty ranges, into s->removed and s->added. */
int oryx__view_diff(oryx_space *s, const oryx__view *old, const oryx__view *new_view);

/* The row at a place when it holds addr, else NULL. A lookup that is right touches its row and
 * nothing else of the chunk. */
static inline const oryx__row *oryx__view_hit(const oryx__view *view, uint64_t at, uint64_t addr)
{
    uint64_t c = at >> ORYX__CHUNK_BITS;
    if (c >= view->n_chunks)
        return NULL;
    const oryx__row *row = &view->slots[c].chunk->rows[at & (ORYX__CHUNK_ROWS - 1)];
    return addr >= row->first && addr <= row->last ? row : NULL;
}

/* The row at a place, or NULL when the view has none there. */
static inline const oryx__row *oryx__view_at(const oryx__view *view, uint64_t at)
{
    uint64_t c = at >> ORYX__CHUNK_BITS, r = at & (ORYX__CHUNK_ROWS - 1);
    return c < view->n_chunks && r < view->slots[c].chunk->n ? &view->slots[c].chunk->rows[r]
                                                             : NULL;
}

static inline uint64_t oryx__view_next(const oryx__view *view, uint64_t at)
{
    at++;
    return oryx__view_at(view, at) ? at : ((at - 1) | (ORYX__CHUNK_ROWS - 1)) + 1;
}

/* known_page.c */
struct oryx__known_page {
    _Atomic uint64_t number; /* odd: being filled; rises with every change */
    _Atomic uint64_t version, page, host;
};
struct oryx__known_pages {
    struct oryx__known_pages *older;
    void *block; /* the allocation */
    uint64_t shift;
    uint8_t pad[40];
    struct oryx__known_page at[];
};
/* Under machine->lock, when a view of that many rows is published. */
void oryx__known_pages_grow(oryx_space *s, uint64_t rows);
void oryx__known_pages_free(oryx_space *s);
/* addr was found in a row of the view, in host memory that may be read and copied. */
void oryx__known_page_fill(struct oryx__known_page *e, const oryx__view *view, const oryx__row *row, uint64_t addr);

/* The entry for addr, on its way into the host's cache; NULL: there are none. Needs no read section. */
static inline struct oryx__known_page *oryx__known_page_of(oryx_space *s, uint64_t addr)
{
    struct oryx__known_pages *t = atomic_load_explicit(&s->known, memory_order_acquire);
    if (!t)
        return NULL;
    struct oryx__known_page *e = &t->at[(addr >> ORYX_PAGE_BITS) * 0x9e3779b97f4a7c15u >> t->shift];
    __builtin_prefetch(e);
    return e;
}

/* Inside the read section of view: host memory of [addr, addr + size), or NULL. */
static inline const uint8_t *oryx__known_page_hit(const struct oryx__known_page *e, const oryx__view *view, uint64_t addr,
                                                  uint64_t size)
{
    uint64_t n = atomic_load_explicit(&e->number, memory_order_acquire);
    uint64_t version = atomic_load_explicit(&e->version, memory_order_acquire);
    uint64_t page = atomic_load_explicit(&e->page, memory_order_acquire);
    uint64_t host = atomic_load_explicit(&e->host, memory_order_acquire);
    if ((n & 1) || version != view->version || page != (addr & ~ORYX__PAGE_MASK) ||
        size - 1 > ORYX__PAGE_MASK - (addr & ORYX__PAGE_MASK) ||
        atomic_load_explicit(&e->number, memory_order_relaxed) != n)
        return NULL;
    return (const uint8_t *)(uintptr_t)(host + (addr & ORYX__PAGE_MASK));
}

/* address_space.c */
void oryx__region_dirty(oryx_region *r, uint64_t lo, uint64_t hi);
/* Publish what is dirty unless a transaction is open. On failure nothing is visible and everything
 * stays dirty. */
oryx_status oryx__mem_update(oryx_machine *m, oryx_error *err);
void oryx__mem_synchronize(oryx_machine *m);

/* listener.c */
int oryx__listeners_prepare(oryx_space *s); /* after the build: what they will be told; 0: out of memory */
void oryx__listeners_forget(oryx_space *s);
void oryx__listeners_tell(oryx_space *s); /* after the publication, under machine->lock */
void oryx__listeners_free(oryx_space *s);
void oryx__listeners_log(oryx_region *r, uint32_t client, int start);

int oryx__mem_inside(oryx_machine *m);
void oryx__api_begin(struct oryx__mem *mem);
void oryx__api_end(struct oryx__mem *mem);

/* Where an access that was meant for s goes by its attributes. */
static inline oryx_space *oryx__space_of(oryx_space *s, uint32_t attrs)
{
    struct oryx__mem *mem = s->machine->mem;
    oryx_space *secure = attrs & ORYX_ATTR_SECURE ? atomic_load_explicit(&mem->secure, memory_order_acquire) : NULL;
    return secure && s == mem->spaces->pdata[0] ? secure : s;
}

/* address_space.c: any bytes of a space, as a device or the API sees them */
oryx_status oryx__space_rw(oryx_space *s, uint64_t addr, uint8_t *buf, uint64_t size, int write,
                           const oryx__who *who);

/* iommu.c */
extern const oryx_region_ops oryx__iommu_ops;
/* Where an access to offset of an iommu region leads; *n shrinks to what goes the same way. */
oryx_status oryx__iommu_translate(oryx_region *r, uint64_t offset, int write, const oryx__who *who,
                                  oryx_iommu_entry *out, uint64_t *n);
oryx_status oryx__iommu_rw(oryx_region *r, uint64_t offset, uint8_t *buf, uint64_t n, int write,
                           const oryx__who *who);

/* dirty.c */
void oryx__dirty_set(oryx_region *r, uint64_t offset, uint64_t n);
int oryx__dirty_clean(oryx_region *r, uint64_t offset, uint64_t n);
void oryx__dirty_free(oryx_region *r);
/* After [offset, offset + n) of a leaf region was written. */
static inline void oryx__dirty_mark(oryx_region *r, uint64_t offset, uint64_t n)
{
    if (atomic_load_explicit(&r->logging, memory_order_relaxed))
        oryx__dirty_set(r, offset, n);
}
/* Does a write there have to be seen, because a page is clean for somebody? */
static inline int oryx__dirty_wanted(oryx_region *r, uint64_t offset, uint64_t n)
{
    return atomic_load_explicit(&r->logging, memory_order_relaxed) &&
           oryx__dirty_clean(r, offset, n);
}

/* cow.c: what snapshots keep of memory. A list holds pages that differ between two states, with
 * the bytes of the one that memory is not in. */
struct oryx__cow_list {
    struct oryx__cow_page *first;
    uint64_t n;
    struct oryx__cow_list *older, *newer; /* all lists of the machine */
};
oryx_status oryx__cow_start(oryx_machine *m, oryx_error *err);
void oryx__cow_end(oryx_machine *m);
oryx_status oryx__cow_track(oryx_region *r, uint8_t *host, oryx_error *err);
void oryx__cow_forget(oryx_region *r); /* it is about to be freed */
void oryx__cow_moved(oryx_region *r);  /* its direct memory may be another */
void oryx__cow_reach(oryx_region *r, uint64_t last); /* it is that large now */
/* [offset, offset + n) is about to change: keep what is there. */
void oryx__cow_keep(oryx_region *r, uint64_t offset, uint64_t n);
/* A write there comes: what will be asked about the page is on its way. */
void oryx__cow_soon(const oryx_region *r, uint64_t offset);
/* It has changed, and nobody said so before. */
void oryx__cow_missed(oryx_region *r, uint64_t offset, uint64_t n);
void oryx__cow_lose(oryx_region *r, uint64_t number, const char *what);
/* NULL, or why no snapshot of the machine can be restored any more. */
const char *oryx__cow_lost(oryx_machine *m);
void oryx__cow_list_init(oryx_machine *m, struct oryx__cow_list *l);
void oryx__cow_list_free(oryx_machine *m, struct oryx__cow_list *l);
/* Pages changed since the last call of these three go to l (with their old bytes), are put back,
 * or are joined by those of l, which differ from an earlier state that becomes the last one. */
void oryx__cow_take(oryx_machine *m, struct oryx__cow_list *l);
void oryx__cow_revert(oryx_machine *m);
void oryx__cow_join(oryx_machine *m, struct oryx__cow_list *l);
/* Memory and list change places; nothing may be dirty. reserve first: swap cannot fail then. */
oryx_status oryx__cow_reserve(oryx_machine *m, const struct oryx__cow_list *l, uint64_t *more);
void oryx__cow_swap(oryx_machine *m, struct oryx__cow_list *l);
/* Pages of b that a lacks go to a; b is empty then. 0: out of memory, nothing has changed. */
int oryx__cow_merge(oryx_machine *m, struct oryx__cow_list *a, struct oryx__cow_list *b);
/* The bytes of a whole page of a tracked region, NULL: zeros; as a write by the machine's owner. */
void oryx__cow_write(oryx_region *r, uint64_t number, const uint8_t *bytes);
uint64_t oryx__cow_dirty(oryx_machine *m, uint64_t *kept_bytes);

/* Before a write to [addr, addr + n) through a row (NULL: hole) becomes visible: snapshots keep the
 * old bytes, translated code is dropped. Every write path begins with it. */
void oryx__write_begin(oryx_space *s, const oryx__row *row, uint64_t addr, uint64_t n,
                       oryx_cpu *cpu);

/* io_access.c: n bytes in memory order. A row access stays inside the row; n <= 16. */
oryx_status oryx__row_check(const oryx__row *row, uint64_t addr, uint32_t n, uint32_t need);
oryx_status oryx__row_access(const oryx__row *row, uint64_t addr, uint8_t *buf, uint32_t n,
                             int write, const oryx__who *who);
void oryx__host_read(const uint8_t *host, uint8_t *buf, uint32_t n, uint64_t align, int bulk);
void oryx__host_write(uint8_t *host, const uint8_t *buf, uint32_t n, uint64_t align, int bulk);

/* What the policy of a space makes of a guest's failed data access: 0 when it stays a fault, else
 * 1 + the ORYX_ON_* of the read. need: ORYX_PROT_*. */
uint32_t oryx__policy(const oryx_space *s, oryx_status st, uint32_t need);
/* A leaf region's bytes are about to be written past the flat view, and were: code and dirty pages. */
void oryx__region_writing(oryx_region *r, uint64_t offset, uint64_t n);
void oryx__region_touch(oryx_region *r, uint64_t offset, uint64_t n);

/* code_page.c */
oryx_status oryx__code_create(struct oryx__mem *mem, oryx_error *err);
void oryx__code_destroy(struct oryx__mem *mem);
/* A write to [addr, addr + n) of s through row (NULL: hole) comes: translated code of that memory,
 * whatever address it was translated at, is dropped. */
void oryx__code_touch(oryx_space *s, const oryx__row *row, uint64_t addr, uint64_t n,
                      oryx_cpu *cpu);
/* The same for memory known by its host address. */
void oryx__code_touch_host(oryx_machine *m, const uint8_t *host, uint64_t n);
/* Any translated code in [host, host + n)? */
int oryx__code_in_host(struct oryx__mem *mem, const uint8_t *host, uint64_t n);
/* Index of the filter counter for the page of memory at host, or (NULL) at phys of s: zero there means no mark. */
uint16_t oryx__code_filter(const oryx_space *s, const uint8_t *host, uint64_t phys);
/* Every mark of s in [lo, hi] is dropped with its code: the mapping changed. */
void oryx__code_unmap(oryx_space *s, uint64_t lo, uint64_t hi);

/* tlb.c */
void oryx__tlb_serve(oryx_vcpu *v);
void oryx__tlb_fill(oryx_cpu *cpu, uint32_t idx, uint64_t addr, uint8_t *host, int write,
                    oryx_region *r, uint64_t offset);
void oryx__tlb_slow_host(oryx_vcpu *v, const uint8_t *host, uint64_t n);
/* Write entries to the page of host become tracked (monitor.c), or one of them plain again. */
void oryx__tlb_track(oryx_vcpu *v, const uint8_t *host);
void oryx__tlb_untrack(oryx_vcpu *v, oryx_tlb_entry *e, const uint8_t *host);
/* After a miss: true when the page's entry was among those thrown out last, and is in the table again. */
int oryx__tlb_victim(oryx_cpu *cpu, uint32_t idx, uint64_t addr, uint32_t size, int write);
/* Every vCPU's write entries to memory of a snapshot go; begin: there is a record of them from now
 * on (without memory for it, every write entry goes each time). */
void oryx__tlb_writes_begin(oryx_vcpu *v);
void oryx__tlb_writes_end(oryx_vcpu *v);
void oryx__tlb_writes_drop(oryx_vcpu *v);

static inline uint32_t oryx__mo_index(uint32_t memop)
{
    return ORYX_MO_MMU_OF(memop) & (ORYX_MMU_INDEXES - 1);
}

/* Enter a read section on the vCPU's thread; the view loaded inside stays valid to the end. */
static inline const oryx__view *oryx__vcpu_begin(oryx_vcpu *v)
{
    struct oryx__tlb_set *set = v->tlbs;
    if (set->nest++ == 0) {
        atomic_store_explicit(&set->owner, (uintptr_t)pthread_self(), memory_order_relaxed);
        uint64_t n = atomic_load_explicit(&set->sections, memory_order_relaxed);
        atomic_store_explicit(&set->sections, n + 1, memory_order_seq_cst);
    }
    return atomic_load_explicit(&v->space->view, memory_order_seq_cst);
}

static inline void oryx__vcpu_end(oryx_vcpu *v)
{
    struct oryx__tlb_set *set = v->tlbs;
    if (--set->nest == 0) {
        uint64_t n = atomic_load_explicit(&set->sections, memory_order_relaxed);
        atomic_store_explicit(&set->owner, 0, memory_order_relaxed);
        atomic_store_explicit(&set->sections, n + 1, memory_order_release);
    }
}

#endif
