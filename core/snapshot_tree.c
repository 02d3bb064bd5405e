/* The region trees of a machine as they were: where each region is, its size, protection, mode and
 * the state its backend keeps.
 * Owns: struct oryx__tree. Called by: snapshot.c, snapshot_file.c.
 * Invariant: putting one back succeeds as a whole or leaves the trees as they were; contents of
 * memory are cow.c's. */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

static oryx_status backend_save(oryx_region *r, char **json, oryx_error *err)
{
    *json = NULL;
    if (!r->ops || !ORYX_HAS(r->ops, load) || !r->ops->save || !r->ops->load)
        return ORYX_OK;
    return r->ops->save(r->self, json, err);
}

static void rows_free(struct oryx__tree *t)
{
    for (uint64_t i = 0; t->rows && i < t->n; i++) {
        oryx__free(t->rows[i].name);
        free(t->rows[i].json);
    }
    oryx__free(t->rows);
    oryx__free(t->roots);
    oryx__free(t);
}

void oryx__tree_drop(struct oryx__tree *t)
{
    if (t && !--t->users)
        rows_free(t);
}

oryx_status oryx__tree_take(oryx_machine *m, struct oryx__tree **out, oryx_error *err)
{
    struct oryx__tree *t = oryx__alloc(sizeof(*t));
    uint64_t n = 0;
    oryx_status st = t ? ORYX_OK : ORYX_E_NOMEM;
    *out = NULL;
    for (oryx_region *r = m->mem->newest; r; r = r->made.older)
        n++;
    if (t) {
        t->users = 1;
        t->version = m->mem->tree_version;
        t->rows = oryx__alloc((n + 1) * sizeof(*t->rows));
        t->n = n;
        t->roots = oryx__alloc(m->mem->spaces->len * sizeof(*t->roots));
        t->n_roots = t->roots ? m->mem->spaces->len : 0;
    }
    if (t && (!t->rows || !t->roots))
        st = ORYX_E_NOMEM;
    for (guint i = 0; !st && i < t->n_roots; i++) {
        oryx_region *r = ((oryx_space *)m->mem->spaces->pdata[i])->root;
        t->roots[i] = (struct oryx__tree_root){r, r->enabled, r->prot};
    }
    if (st)
        oryx__error(err, st, "snapshot: out of memory for the region tree");
    for (oryx_region *r = m->mem->newest; r && !st; r = r->made.older) {
        struct oryx__tree_row *row = &t->rows[--n];
        size_t len = strlen(r->name) + 1;
        *row = (struct oryx__tree_row){.region = r,
                                       .serial = r->serial,
                                       .name = oryx__alloc(len),
                                       .parent = r->parent,
                                       .offset = r->offset,
                                       .added = r->added,
                                       .last = r->last,
                                       .priority = r->priority,
                                       .enabled = r->enabled,
                                       .prot = r->prot,
                                       .mode = r->mode};
        if (row->name)
            memcpy(row->name, r->name, len);
        else
            st = oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory for the region tree");
        if (!st)
            st = backend_save(r, &row->json, err);
        t->has_state |= row->json != NULL;
    }
    if (st) {
        if (t)
            rows_free(t);
        return st;
    }
    *out = t;
    return ORYX_OK;
}

/* Every region of the tree is still there. */
static oryx_status all_there(oryx_machine *m, const struct oryx__tree *t, oryx_error *err)
{
    /* Both in creation order: what is missing here was destroyed. */
    uint64_t i = t->n;
    for (oryx_region *r = m->mem->newest; r && i; r = r->made.older)
        if (r == t->rows[i - 1].region && r->serial == t->rows[i - 1].serial)
            i--;
    return i ? oryx__error(err, ORYX_E_STATE,
                           "region '%s' was destroyed after the snapshot was taken, which cannot be restored; "
                           "remove regions instead of destroying them while there are snapshots",
                           t->rows[i - 1].name)
             : ORYX_OK;
}

static int in_tree(const struct oryx__tree *t, const oryx_region *r)
{
    return t->n && r->serial <= t->rows[t->n - 1].serial;
}

static int misplaced(const struct oryx__tree_row *row)
{
    const oryx_region *r = row->region;
    return r->parent != row->parent ||
           (row->parent && (r->offset != row->offset || r->priority != row->priority || r->added != row->added));
}

static oryx_status resize(oryx_region *r, uint64_t last, oryx_error *err)
{
    oryx_status st = ORYX_OK;
    if (r->last == last)
        return ORYX_OK;
    if (r->pins || r->logging)
        return oryx__error(err, ORYX_E_BUSY, "region '%s' must get its old size back, but it is %s; stop that first",
                           r->name, r->pins ? "mapped for DMA" : "being logged");
    if (r->ops && last != UINT64_MAX && (last + 1) % r->impl.min)
        return oryx__error(err, ORYX_E_FORMAT, "region '%s': a last byte of 0x%llx is no multiple of its access size", r->name,
                           (unsigned long long)last);
    if (r->ops)
        st = ORYX_HAS(r->ops, resize) && r->ops->resize ? r->ops->resize(r->self, last, err) : ORYX_E_UNSUPPORTED;
    if (!st)
        oryx__region_set_last(r, last);
    else if (err && !err->code)
        oryx__error(err, st, "region '%s' cannot get the size back that it had", r->name);
    return st;
}

/* The steps, without rendering. Stops at the first that fails. */
static oryx_status put_rows(oryx_machine *m, const struct oryx__tree *t, oryx_error *err)
{
    oryx_status st = ORYX_OK;
    for (oryx_region *r = m->mem->newest; r; r = r->made.older)
        if (!in_tree(t, r) && r->parent && (r->parent->space || in_tree(t, r->parent)))
            oryx__region_unlink(r);
    for (uint64_t i = 0; i < t->n; i++)
        if (t->rows[i].region->parent && misplaced(&t->rows[i]))
            oryx__region_unlink(t->rows[i].region);
    for (guint i = 0; i < t->n_roots; i++) {
        const struct oryx__tree_root *was = &t->roots[i];
        if (was->region->enabled == was->enabled && was->region->prot == was->prot)
            continue;
        was->region->enabled = was->enabled;
        was->region->prot = was->prot;
        oryx__region_dirty(was->region, 0, UINT64_MAX);
    }
    for (uint64_t i = 0; i < t->n && !st; i++)
        st = resize(t->rows[i].region, t->rows[i].last, err);
    for (uint64_t i = 0; i < t->n && !st; i++) {
        const struct oryx__tree_row *row = &t->rows[i];
        oryx_region *r = row->region;
        if (row->parent && misplaced(row)) {
            /* What comes from a file may be anything. */
            st = t->foreign ? oryx__region_place_check(row->parent, row->offset, r, err) : ORYX_OK;
            if (st)
                break;
            r->offset = row->offset;
            r->priority = row->priority;
            r->added = row->added;
            oryx__region_link(row->parent, r);
        }
        if (r->enabled != row->enabled || r->prot != row->prot || r->mode != row->mode) {
            r->enabled = row->enabled;
            r->prot = row->prot;
            if (r->mode != row->mode) {
                if (!r->ops || !ORYX_HAS(r->ops, set_mode) || !r->ops->set_mode || r->ops->set_mode(r->self, row->mode))
                    st = oryx__error(err, ORYX_E_FORMAT, "region '%s' is no ROM device, it has no mode %u", r->name, row->mode);
                else
                    r->mode = row->mode;
            }
            oryx__region_dirty(r, 0, r->last);
        }
    }
    return st;
}

/* Backends' own state, where it differs. */
static oryx_status put_states(const struct oryx__tree *t, const struct oryx__tree *before, oryx_error *err)
{
    oryx_status st = ORYX_OK;
    uint64_t k = 0;
    for (uint64_t i = 0; i < t->n && !st; i++) {
        const struct oryx__tree_row *row = &t->rows[i];
        while (k < before->n && before->rows[k].region != row->region)
            k++;
        const char *now = k < before->n ? before->rows[k].json : NULL;
        if (row->json && (!now || strcmp(row->json, now)))
            st = row->region->ops->load(row->region->self, row->json, err);
    }
    return st;
}

static oryx_status put(oryx_machine *m, const struct oryx__tree *t, const struct oryx__tree *before, oryx_error *err)
{
    m->mem->txn++;
    oryx_status st = put_rows(m, t, err);
    m->mem->txn--;
    if (!st)
        st = oryx__mem_update(m, err);
    return st ? st : put_states(t, before, err);
}

oryx_status oryx__tree_put(oryx_machine *m, struct oryx__tree *t, struct oryx__tree **undo, oryx_error *err)
{
    *undo = NULL;
    if (t->version == m->mem->tree_version && !t->has_state)
        return ORYX_OK;
    oryx_status st = all_there(m, t, err);
    if (!st)
        st = oryx__tree_take(m, undo, err);
    if (st)
        return st;
    st = put(m, t, *undo, err);
    if (st) {
        put(m, *undo, t, NULL);
        oryx__tree_drop(*undo);
        *undo = NULL;
    } else {
        t->version = m->mem->tree_version;
    }
    return st;
}

void oryx__tree_trim(const struct oryx__tree *before)
{
    for (uint64_t i = 0; i < before->n; i++) {
        oryx_region *r = before->rows[i].region;
        if (r->last < before->rows[i].last && r->ops && ORYX_HAS(r->ops, discard) && r->ops->discard)
            r->ops->discard(r->self, r->last + 1, before->rows[i].last - r->last);
    }
}
