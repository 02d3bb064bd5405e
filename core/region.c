/* Region trees: making, placing, moving and destroying regions.
 * Owns: the region objects. Called by: the ABI (oryx_region_*), address_space.c for roots.
 * Invariant: the graph of children, alias targets and quirk lowers has no cycle, and a call
 * that fails leaves it as it was. */
#include <string.h>

#include "watch.h"

static char *copy_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = oryx__alloc(n);
    if (p)
        memcpy(p, text, n);
    return p;
}

static oryx_region *region_alloc(oryx_machine *m, const char *name, const char *type, uint64_t last)
{
    oryx_region *r = oryx__alloc(sizeof(*r));
    if (!r)
        return NULL;
    r->machine = m;
    r->last = last;
    r->prot = ORYX_PROT_ALL;
    r->enabled = 1;
    r->valid = r->impl = (oryx_limits){.min = 1, .max = 8, .unaligned = 1};
    r->name = copy_text(name);
    r->type = copy_text(type);
    if (!r->name || !r->type) {
        oryx__region_free(r);
        return NULL;
    }
    return r;
}

void oryx__region_free(oryx_region *r)
{
    if (!r)
        return;
    oryx__watch_gone(r->machine, r);
    if (r->ops && r->self)
        r->ops->destroy(r->self);
    oryx__dirty_free(r);
    if (r->iommu_listeners)
        g_array_free(r->iommu_listeners, TRUE);
    if (r->users)
        g_ptr_array_free(r->users, TRUE);
    oryx__free(r->name);
    oryx__free(r->type);
    oryx__free(r);
}

oryx_region *oryx__region_root(oryx_machine *m, const char *name, oryx_error *err)
{
    oryx_region *r = region_alloc(m, name, "container", UINT64_MAX);
    if (!r)
        oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory", name);
    return r;
}

static int limits_fix(oryx_limits *l)
{
    if (!l->min)
        l->min = 1;
    if (!l->max)
        l->max = 8;
    return !(l->min & (l->min - 1)) && !(l->max & (l->max - 1)) && l->min <= l->max && l->max <= 8;
}

static int use_add(oryx_region *used, oryx_region *user)
{
    if (!used->users)
        used->users = g_ptr_array_new();
    return g_ptr_array_add(used->users, user);
}

static void use_drop(oryx_region *used, oryx_region *user)
{
    if (used && used->users)
        g_ptr_array_remove_fast(used->users, user);
}

static oryx_status backend_open(oryx_region *r, const oryx_region_config *c, oryx_error *err)
{
    r->ops = oryx_plugin_interface(r->machine, ORYX_REGION_ID, r->type, err);
    if (!r->ops)
        return err && err->code ? err->code
                                : oryx__error(err, ORYX_E_NOTFOUND,
                                              "region '%s': no plugin provides region type '%s'; "
                                              "put one on the plugin path",
                                              r->name, r->type);
    const oryx_region_ops *ops = r->ops;
    if (!ORYX_HAS(ops, access) || !ops->create || !ops->destroy || !ops->access) {
        r->ops = NULL;
        return oryx__error(err, ORYX_E_PLUGIN,
                           "region '%s': the backend of type '%s' lacks create, destroy or access; "
                           "update the plugin",
                           r->name, r->type);
    }
    oryx_status st = ops->create(&oryx__host, r, c, &r->self, err);
    if (st) {
        r->self = NULL;
        return st;
    }
    if (ORYX_HAS(ops, describe) && ops->describe) {
        ops->describe(r->self, &r->valid, &r->impl, &r->endian);
        if (!limits_fix(&r->valid) || !limits_fix(&r->impl))
            return oryx__error(
                err, ORYX_E_INVALID,
                "region '%s': access limits must be powers of two from 1 to 8 with min <= max",
                r->name);
        if (r->endian > ORYX_ENDIAN_BIG)
            return oryx__error(err, ORYX_E_INVALID,
                               "region '%s': endian must be little (0) or big (1)", r->name);
        if (r->last != UINT64_MAX && (r->last + 1) % r->impl.min)
            return oryx__error(
                err, ORYX_E_INVALID,
                "region '%s': its size is no multiple of impl.min = %u; round the size up", r->name,
                (unsigned)r->impl.min);
    }
    return ORYX_OK;
}

static oryx_status links_check(const oryx_region *r, const oryx_region_config *c, oryx_error *err)
{
    int alias = !strcmp(r->type, "alias");
    if (alias && !c->target)
        return oryx__error(err, ORYX_E_INVALID,
                           "alias '%s': target is missing; give the region it shows", r->name);
    if (alias && c->target_offset > c->target->last)
        return oryx__error(
            err, ORYX_E_RANGE,
            "alias '%s': target_offset 0x%llx lies beyond '%s', whose last byte is 0x%llx", r->name,
            (unsigned long long)c->target_offset, c->target->name,
            (unsigned long long)c->target->last);
    if ((c->target && c->target->machine != r->machine) ||
        (c->lower && c->lower->machine != r->machine))
        return oryx__error(err, ORYX_E_INVALID,
                           "region '%s': target and lower must belong to the same machine",
                           r->name);
    return ORYX_OK;
}

oryx_status oryx_region_new(oryx_machine *m, const char *type, const oryx_region_config *config,
                            oryx_region **out, oryx_error *err)
{
    if (!m || !type || !config || !out)
        return oryx__error(err, ORYX_E_INVALID,
                           "region_new: machine, type, config and out must not be NULL");
    if (err)
        err->code = ORYX_OK;
    *out = NULL;
    /* The caller may be older or newer than we are: take what both know, the rest is zero. */
    oryx_region_config c;
    memset(&c, 0, sizeof(c));
    memcpy(&c, config, config->hdr.size < sizeof(c) ? config->hdr.size : sizeof(c));
    c.hdr.size = sizeof(c);
    if (c.flags)
        return oryx__error(err, ORYX_E_INVALID, "region '%s': flags 0x%x are reserved; pass 0",
                           c.name ? c.name : type, c.flags);
    if (c.prot & ~ORYX_PROT_ALL)
        return oryx__error(err, ORYX_E_INVALID,
                           "region '%s': prot 0x%x has unknown bits; use ORYX_PROT_*",
                           c.name ? c.name : type, c.prot);
    if (!c.name)
        c.name = type;
    if (!c.prot)
        c.prot = ORYX_PROT_ALL;
    pthread_mutex_lock(&m->lock);
    oryx_region *r = region_alloc(m, c.name, type, c.last);
    oryx_status st = r ? links_check(r, &c, err)
                       : oryx__error(err, ORYX_E_NOMEM, "region '%s': out of memory", c.name);
    int iommu = !strcmp(type, "iommu");
    if (!st && iommu && (!c.iommu || !ORYX_HAS(c.iommu, translate) || !c.iommu->translate))
        st = oryx__error(err, ORYX_E_INVALID,
                         "iommu region '%s': config.iommu must name its translate", c.name);
    if (!st && iommu) {
        r->ops = &oryx__iommu_ops;
        r->self = r;
        r->iommu = c.iommu;
        r->iommu_opaque = c.opaque;
    } else if (!st && strcmp(type, "container") && strcmp(type, "alias")) {
        st = backend_open(r, &c, err);
    }
    if (!st && !r->ops && c.target && !strcmp(type, "alias")) {
        r->target = c.target;
        r->target_offset = c.target_offset;
    }
    if (!st && r->ops)
        r->lower = c.lower;
    if (!st && ((r->target && !use_add(r->target, r)) || (r->lower && !use_add(r->lower, r))))
        st = oryx__error(err, ORYX_E_NOMEM, "region '%s': out of memory", r->name);
    if (st) {
        oryx__region_free(r);
    } else {
        r->prot = c.prot;
        r->serial = ++m->serials;
        m->mem->tree_version++;
        r->made.older = m->mem->newest;
        if (m->mem->newest)
            m->mem->newest->made.newer = r;
        m->mem->newest = r;
        *out = r;
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

oryx_status oryx_region_destroy(oryx_region *r, oryx_error *err)
{
    if (!r)
        return ORYX_OK;
    oryx_machine *m = r->machine;
    if (oryx__mem_inside(m))
        return oryx__error(
            err, ORYX_E_STATE,
            "region '%s': cannot be destroyed from inside a region's callback; do it later",
            r->name);
    /* Who found the region before it was removed has left its read section, or pinned it, after
     * this. Not under the lock: a vCPU that waits for it could not reach the boundary where it
     * drops its host pointers. */
    oryx__mem_synchronize(m);
    pthread_mutex_lock(&m->lock);
    oryx_status st = ORYX_OK;
    if (r->space)
        st = oryx__error(err, ORYX_E_BUSY,
                         "region '%s' is the root of a space; it goes with its machine", r->name);
    else if (r->parent)
        st = oryx__error(err, ORYX_E_BUSY, "region '%s' is in '%s'; remove it first", r->name,
                         r->parent->name);
    else if (r->pins)
        st =
            oryx__error(err, ORYX_E_BUSY, "region '%s' is mapped for DMA; unmap it first", r->name);
    else if (r->users && r->users->len)
        st = oryx__error(err, ORYX_E_BUSY, "region '%s' is used by '%s'; destroy that first",
                         r->name, ((oryx_region *)r->users->pdata[0])->name);
    else if (r->children)
        st = oryx__error(err, ORYX_E_BUSY, "region '%s' still holds '%s'; remove that first",
                         r->name, r->children->name);
    else if (m->mem->txn)
        st = oryx__error(err, ORYX_E_STATE,
                         "region '%s': commit the open transaction before destroying it", r->name);
    if (!st) {
        oryx__cow_forget(r);
        m->mem->tree_version++;
        if (r->made.newer)
            r->made.newer->made.older = r->made.older;
        else
            m->mem->newest = r->made.older;
        if (r->made.older)
            r->made.older->made.newer = r->made.newer;
        use_drop(r->target, r);
        use_drop(r->lower, r);
    }
    pthread_mutex_unlock(&m->lock);
    if (st)
        return st;
    oryx__region_free(r);
    return ORYX_OK;
}

struct height {
    const oryx_region *find;
    uint32_t mark, below;
    int found;
};

static int height_of_child(void *opaque, oryx_region *child);

/* Height of what hangs below r (1: a leaf); sets h->found when `find` is part of it. A region is
 * visited once. */
static uint32_t height(oryx_region *r, struct height *h)
{
    if (r == h->find)
        h->found = 1;
    if (h->found || r->mark == h->mark)
        return r->height;
    r->mark = h->mark;
    r->height = ORYX__MAX_DEPTH; /* seen again before it is known: a loop, which `found` reports */
    uint32_t outer = h->below;
    h->below = 0;
    oryx__child_each(r, 0, UINT64_MAX, height_of_child, h);
    uint32_t below = h->below;
    h->below = outer;
    if (r->target && !h->found)
        below = MAX(below, height(r->target, h));
    if (r->lower && !h->found)
        below = MAX(below, height(r->lower, h));
    r->height = below + 1;
    return r->height;
}

static int height_of_child(void *opaque, oryx_region *child)
{
    struct height *h = opaque;
    uint32_t one = height(child, h);
    h->below = MAX(h->below, one);
    return h->found;
}

static uint32_t depth_above(oryx_region *r, uint32_t mark)
{
    if (r->mark == mark)
        return r->height;
    r->mark = mark;
    uint32_t up = r->parent ? depth_above(r->parent, mark) : 0;
    for (guint i = 0; r->users && i < r->users->len; i++)
        up = MAX(up, depth_above(r->users->pdata[i], mark));
    r->height = up + 1;
    return r->height;
}

oryx_status oryx__region_place_check(oryx_region *parent, uint64_t offset, oryx_region *child,
                                     oryx_error *err)
{
    if (parent->machine != child->machine)
        return oryx__error(err, ORYX_E_INVALID, "region '%s' and '%s' belong to different machines",
                           child->name, parent->name);
    if (child->space)
        return oryx__error(err, ORYX_E_INVALID,
                           "region '%s' is the root of a space; show it through an alias",
                           child->name);
    if (child->parent)
        return oryx__error(err, ORYX_E_BUSY,
                           "region '%s' is already in '%s'; remove it first, or add an alias of it",
                           child->name, child->parent->name);
    if (offset > parent->last)
        return oryx__error(err, ORYX_E_RANGE,
                           "region '%s' at 0x%llx lies beyond '%s', whose last byte is 0x%llx",
                           child->name, (unsigned long long)offset, parent->name,
                           (unsigned long long)parent->last);
    struct oryx__mem *mem = parent->machine->mem;
    struct height h = {.find = parent, .mark = ++mem->mark};
    uint32_t below = height(child, &h);
    if (h.found)
        return oryx__error(err, ORYX_E_INVALID,
                           "region '%s' cannot be placed in '%s': that would be a cycle",
                           child->name, parent->name);
    if (below + depth_above(parent, ++mem->mark) > ORYX__MAX_DEPTH)
        return oryx__error(err, ORYX_E_RANGE,
                           "region '%s' in '%s': nested deeper than %u levels; flatten the tree",
                           child->name, parent->name, ORYX__MAX_DEPTH);
    return ORYX_OK;
}

static void child_dirty(oryx_region *child)
{
    oryx__region_dirty(child->parent, child->offset, oryx__child_last(child));
}

void oryx__region_link(oryx_region *parent, oryx_region *child)
{
    child->parent = parent;
    oryx__child_insert(parent, child);
    child_dirty(child);
}

void oryx__region_unlink(oryx_region *child)
{
    child_dirty(child);
    oryx__child_erase(child->parent, child);
    child->parent = NULL;
}

static void place_child(oryx_region *child, uint64_t offset)
{
    oryx__child_erase(child->parent, child);
    child->offset = offset;
    oryx__child_insert(child->parent, child);
    child_dirty(child);
}

oryx_status oryx_region_add(oryx_region *parent, uint64_t offset, oryx_region *child,
                            int32_t priority, oryx_error *err)
{
    if (!parent || !child)
        return oryx__error(err, ORYX_E_INVALID, "region_add: parent and child must not be NULL");
    oryx_machine *m = parent->machine;
    pthread_mutex_lock(&m->lock);
    oryx_status st = oryx__region_place_check(parent, offset, child, err);
    if (!st) {
        child->offset = offset;
        child->priority = priority;
        child->added = ++m->mem->additions;
        oryx__region_link(parent, child);
        st = oryx__mem_update(m, err);
        if (st)
            oryx__region_unlink(child);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

static int enabled_child(void *opaque, oryx_region *child)
{
    if (child->enabled)
        *(oryx_region **)opaque = child;
    return (int)child->enabled;
}

oryx_status oryx_region_add_exclusive(oryx_region *parent, uint64_t offset, oryx_region *child,
                                      oryx_error *err)
{
    if (!parent || !child)
        return oryx__error(err, ORYX_E_INVALID,
                           "region_add_exclusive: parent and child must not be NULL");
    oryx_machine *m = parent->machine;
    uint64_t last = offset + child->last < offset ? UINT64_MAX : offset + child->last;
    oryx_status st = ORYX_OK;
    oryx_region *c = NULL;
    pthread_mutex_lock(&m->lock);
    if (oryx__child_each(parent, offset, last, enabled_child, &c))
        st = oryx__error(err, ORYX_E_OVERLAP,
                         "region '%s' [0x%llx, 0x%llx] overlaps '%s' [0x%llx, 0x%llx] in '%s'; "
                         "move one of them",
                         child->name, (unsigned long long)offset, (unsigned long long)last, c->name,
                         (unsigned long long)c->offset, (unsigned long long)oryx__child_last(c),
                         parent->name);
    if (!st)
        st = oryx_region_add(parent, offset, child, 0, err);
    pthread_mutex_unlock(&m->lock);
    return st;
}

oryx_status oryx_region_remove(oryx_region *child, oryx_error *err)
{
    if (!child)
        return oryx__error(err, ORYX_E_INVALID, "region_remove: child must not be NULL");
    oryx_machine *m = child->machine;
    oryx_status st;
    pthread_mutex_lock(&m->lock);
    oryx_region *parent = child->parent;
    if (!parent) {
        st = oryx__error(err, ORYX_E_STATE, "region '%s' is in no region; nothing to remove",
                         child->name);
    } else {
        oryx__region_unlink(child);
        st = oryx__mem_update(m, err);
        if (st)
            oryx__region_link(parent, child);
    }
    pthread_mutex_unlock(&m->lock);
    return st;
}

oryx_status oryx_region_enable(oryx_region *r, uint32_t enabled, oryx_error *err)
{
    if (!r)
        return oryx__error(err, ORYX_E_INVALID, "region_enable: region must not be NULL");
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&r->machine->lock);
    uint32_t before = r->enabled;
    if (before != !!enabled) {
        r->enabled = !!enabled;
        oryx__region_dirty(r, 0, r->last);
        st = oryx__mem_update(r->machine, err);
        if (st)
            r->enabled = before;
    }
    pthread_mutex_unlock(&r->machine->lock);
    return st;
}

oryx_status oryx_region_move(oryx_region *r, uint64_t offset, oryx_error *err)
{
    if (!r)
        return oryx__error(err, ORYX_E_INVALID, "region_move: region must not be NULL");
    oryx_status st;
    pthread_mutex_lock(&r->machine->lock);
    if (!r->parent) {
        st = oryx__error(err, ORYX_E_STATE, "region '%s' is in no region; add it first", r->name);
    } else if (offset > r->parent->last) {
        st = oryx__error(err, ORYX_E_RANGE,
                         "region '%s' at 0x%llx lies beyond '%s', whose last byte is 0x%llx",
                         r->name, (unsigned long long)offset, r->parent->name,
                         (unsigned long long)r->parent->last);
    } else {
        uint64_t before = r->offset;
        child_dirty(r);
        place_child(r, offset);
        st = oryx__mem_update(r->machine, err);
        if (st)
            place_child(r, before);
    }
    pthread_mutex_unlock(&r->machine->lock);
    return st;
}

oryx_status oryx_region_protect(oryx_region *r, uint32_t prot, oryx_error *err)
{
    if (!r || (prot & ~ORYX_PROT_ALL))
        return oryx__error(err, ORYX_E_INVALID,
                           "region_protect: give a region and a combination of ORYX_PROT_*");
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&r->machine->lock);
    uint32_t before = r->prot;
    if (before != prot) {
        r->prot = prot;
        oryx__region_dirty(r, 0, r->last);
        st = oryx__mem_update(r->machine, err);
        if (st)
            r->prot = before;
    }
    pthread_mutex_unlock(&r->machine->lock);
    return st;
}

/* The new size and what goes with it: the place in the parent, what is shown. */
void oryx__region_set_last(oryx_region *r, uint64_t last)
{
    oryx__region_dirty(r, 0, r->last);
    oryx__cow_reach(r, last);
    if (r->parent)
        oryx__child_erase(r->parent, r);
    r->last = last;
    if (r->parent)
        oryx__child_insert(r->parent, r);
    oryx__region_dirty(r, 0, r->last);
}

oryx_status oryx_region_resize(oryx_region *r, uint64_t last, oryx_error *err)
{
    if (!r)
        return oryx__error(err, ORYX_E_INVALID, "region_resize: region must not be NULL");
    oryx_machine *m = r->machine;
    oryx_status st = ORYX_OK;
    pthread_mutex_lock(&m->lock);
    uint64_t before = r->last;
    int offers = r->ops && ORYX_HAS(r->ops, resize) && r->ops->resize;
    if (r->space)
        st = oryx__error(err, ORYX_E_INVALID,
                         "region '%s' is the root of a space; its size is fixed", r->name);
    else if (r->ops && !offers)
        st = oryx__error(err, ORYX_E_UNSUPPORTED,
                         "region '%s': a backend of type '%s' cannot change its size", r->name,
                         r->type);
    else if (r->ops && last != UINT64_MAX && (last + 1) % r->impl.min)
        st = oryx__error(err, ORYX_E_INVALID,
                         "region '%s': its size is no multiple of impl.min = %u; round the size up",
                         r->name, (unsigned)r->impl.min);
    else if (r->pins)
        st =
            oryx__error(err, ORYX_E_BUSY, "region '%s' is mapped for DMA; unmap it first", r->name);
    else if (r->logging)
        st = oryx__error(err, ORYX_E_BUSY,
                         "region '%s' is being logged; stop that before resizing it", r->name);
    else if (offers)
        st = r->ops->resize(r->self, last, err);
    if (!st && last != before) {
        oryx__region_set_last(r, last);
        st = oryx__mem_update(m, err);
        if (st) {
            oryx__region_set_last(r, before);
            if (offers)
                r->ops->resize(r->self, before, NULL);
        }
    }
    pthread_mutex_unlock(&m->lock);
    if (!st && last < before && offers && ORYX_HAS(r->ops, discard) && r->ops->discard) {
        /* Nobody can store there once every reader of the old view has left. */
        if (!oryx__mem_inside(m))
            oryx__mem_synchronize(m);
        oryx__cow_keep(r, last + 1, before - last);
        r->ops->discard(r->self, last + 1, before - last);
    }
    return st;
}

oryx_status oryx_region_set_mode(oryx_region *r, uint32_t mode, oryx_error *err)
{
    if (!r || mode > ORYX_MODE_CALLBACK)
        return oryx__error(err, ORYX_E_INVALID,
                           "region_set_mode: give a region and ORYX_MODE_DIRECT or _CALLBACK");
    oryx_status st;
    pthread_mutex_lock(&r->machine->lock);
    if (!r->ops || !ORYX_HAS(r->ops, set_mode) || !r->ops->set_mode ||
        r->ops->set_mode(r->self, mode)) {
        st = oryx__error(err, ORYX_E_UNSUPPORTED,
                         "region '%s' is no ROM device; make it with config.io and "
                         "{\"writes\":\"callback\"}",
                         r->name);
    } else {
        uint32_t before = r->mode;
        r->mode = mode;
        oryx__region_dirty(r, 0, r->last);
        st = oryx__mem_update(r->machine, err);
        if (st)
            r->ops->set_mode(r->self, r->mode = before);
    }
    pthread_mutex_unlock(&r->machine->lock);
    return st;
}

static oryx_status range_check(const oryx_region *r, uint64_t offset, uint64_t size,
                               oryx_error *err)
{
    if (size && (offset > r->last || size - 1 > r->last - offset))
        return oryx__error(err, ORYX_E_RANGE, "region '%s': [0x%llx, +0x%llx) reaches past 0x%llx",
                           r->name, (unsigned long long)offset, (unsigned long long)size,
                           (unsigned long long)r->last);
    return ORYX_OK;
}

oryx_status oryx_region_discard(oryx_region *r, uint64_t offset, uint64_t size, oryx_error *err)
{
    if (!r)
        return oryx__error(err, ORYX_E_INVALID, "region_discard: region must not be NULL");
    oryx_status st = range_check(r, offset, size, err);
    if (st || !size)
        return st;
    if (!r->ops || !ORYX_HAS(r->ops, discard) || !r->ops->discard)
        return oryx__error(err, ORYX_E_UNSUPPORTED,
                           "region '%s': a backend of type '%s' cannot discard memory", r->name,
                           r->type);
    oryx__region_writing(r, offset, size);
    st = r->ops->discard(r->self, offset, size);
    oryx__region_touch(r, offset, size);
    return st ? oryx__error(err, st,
                            "region '%s': its memory belongs to the caller or the host "
                            "refused; nothing was discarded",
                            r->name)
              : ORYX_OK;
}

oryx_status oryx_region_share(oryx_region *r, int32_t *fd, uint64_t *fd_offset, oryx_error *err)
{
    if (!r || !fd || !fd_offset)
        return oryx__error(err, ORYX_E_INVALID,
                           "region_share: region, fd and fd_offset must not be NULL");
    if (!r->ops || !ORYX_HAS(r->ops, share) || !r->ops->share ||
        r->ops->share(r->self, fd, fd_offset))
        return oryx__error(err, ORYX_E_UNSUPPORTED,
                           "region '%s' has no descriptor; make a ram region with {\"memfd\":true}",
                           r->name);
    r->shared = 1;
    oryx__cow_lose(r, 0, "may be written by another process since the region was shared");
    return ORYX_OK;
}

void oryx__region_touch(oryx_region *r, uint64_t offset, uint64_t n)
{
    oryx_direct d = {.hdr = ORYX_HDR(oryx_direct)};
    if (!n || !r->ops)
        return;
    atomic_thread_fence(memory_order_seq_cst);
    /* Marks of direct memory are found by its host address, whatever space they are in. */
    if (ORYX_HAS(r->ops, direct) && r->ops->direct && !r->ops->direct(r->self, offset, &d) &&
        d.host)
        oryx__code_touch_host(r->machine, d.host, MIN(d.last, n - 1) + 1);
    oryx__dirty_mark(r, offset, n);
}

void oryx__region_writing(oryx_region *r, uint64_t offset, uint64_t n)
{
    oryx__cow_keep(r, offset, n);
    oryx__region_touch(r, offset, n);
}

void oryx_region_writing(oryx_region *r, uint64_t offset, uint64_t size)
{
    if (r && size && offset <= r->last)
        oryx__cow_keep(r, offset, MIN(size - 1, r->last - offset) + 1);
}

void oryx_region_written(oryx_region *r, uint64_t offset, uint64_t size)
{
    if (r && size && offset <= r->last) {
        uint64_t n = MIN(size - 1, r->last - offset) + 1;
        oryx__cow_missed(r, offset, n);
        oryx__region_touch(r, offset, n);
        oryx__watch_host(r->machine, NULL, r, offset, NULL, n, 1, &(oryx__who){0});
    }
}

const char *oryx_region_name(const oryx_region *r)
{
    return r->name;
}

oryx_machine *oryx_region_machine(const oryx_region *r)
{
    return r->machine;
}

const char *oryx_region_type(const oryx_region *r)
{
    return r->type;
}

uint64_t oryx_region_last(const oryx_region *r)
{
    return r->last;
}

void oryx_region_changed(oryx_region *r)
{
    pthread_mutex_lock(&r->machine->lock);
    oryx__cow_moved(r);
    oryx__region_dirty(r, 0, r->last);
    oryx__mem_update(r->machine, NULL);
    pthread_mutex_unlock(&r->machine->lock);
}
