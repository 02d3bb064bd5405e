/* Listeners of address spaces: who hears of rows that come and go.
 * Owns: the listener objects and the lists of changes between build and publication. Called by:
 * address_space.c at commit, the ABI (oryx_listener_*).
 * Invariant: the additions a listener heard of, less the removals, are the flat view. */
#include <string.h>

#include "mem_internal.h"

static oryx_view_row row_of(const oryx__row *r)
{
    return (oryx_view_row){.hdr = ORYX_HDR(oryx_view_row),
                           .first = r->first,
                           .last = r->last,
                           .region = r->region,
                           .offset = r->offset,
                           .prot = r->prot};
}

static void say(void (*fn)(void *, const oryx_view_row *), void *opaque, const oryx__row *r)
{
    oryx_view_row row = row_of(r);
    if (fn)
        fn(opaque, &row);
}

int oryx__listeners_prepare(oryx_space *s)
{
    s->removed = g_array_new(FALSE, FALSE, sizeof(oryx__change));
    s->added = g_array_new(FALSE, FALSE, sizeof(oryx__change));
    return s->removed && s->added && oryx__view_diff(s, atomic_load(&s->view), s->built);
}

void oryx__listeners_forget(oryx_space *s)
{
    if (s->removed)
        g_array_free(s->removed, TRUE);
    if (s->added)
        g_array_free(s->added, TRUE);
    s->removed = s->added = NULL;
}

void oryx__listeners_tell(oryx_space *s)
{
    for (guint k = 0; k < s->listeners->len; k++) {
        const oryx_listener *l = s->listeners->pdata[k];
        if (l->ops.begin)
            l->ops.begin(l->opaque, s);
        for (guint i = s->removed->len; i-- > 0;)
            say(l->ops.removed, l->opaque, g_array_index(s->removed, oryx__change, i).row);
        for (guint i = 0; i < s->added->len; i++) {
            const oryx__change *c = &g_array_index(s->added, oryx__change, i);
            say(c->same ? l->ops.unchanged : l->ops.added, l->opaque, c->row);
        }
        if (l->ops.commit)
            l->ops.commit(l->opaque, s);
    }
    oryx__listeners_forget(s);
}

void oryx__listeners_free(oryx_space *s)
{
    oryx__listeners_forget(s);
    for (guint i = 0; s->listeners && i < s->listeners->len; i++)
        oryx__free(s->listeners->pdata[i]);
    if (s->listeners)
        g_ptr_array_free(s->listeners, TRUE);
    s->listeners = NULL;
}

void oryx__listeners_log(oryx_region *r, uint32_t client, int start)
{
    struct oryx__mem *mem = r->machine->mem;
    mem->txn++;
    for (guint i = 0; i < mem->spaces->len; i++) {
        oryx_space *s = mem->spaces->pdata[i];
        const oryx__view *view = atomic_load(&s->view);
        for (guint k = 0; s->listeners && k < s->listeners->len; k++) {
            const oryx_listener *l = s->listeners->pdata[k];
            void (*fn)(void *, const oryx_view_row *, uint32_t) =
                start ? l->ops.log_start : l->ops.log_stop;
            const oryx__row *row;
            if (!fn)
                continue;
            if (l->ops.begin)
                l->ops.begin(l->opaque, s);
            for (uint64_t at = 0; (row = oryx__view_at(view, at)); at = oryx__view_next(view, at)) {
                oryx_view_row told = row_of(row);
                if (row->region == r)
                    fn(l->opaque, &told, client);
            }
            if (l->ops.commit)
                l->ops.commit(l->opaque, s);
        }
    }
    mem->txn--;
    oryx__mem_update(r->machine, NULL);
}

oryx_status oryx_listener_add(oryx_space *s, const oryx_listener_ops *ops, void *opaque,
                              oryx_listener **out, oryx_error *err)
{
    if (!s || !ops || !out)
        return oryx__error(err, ORYX_E_INVALID,
                           "listener_add: space, ops and out must not be NULL");
    *out = NULL;
    oryx_listener *l = oryx__alloc(sizeof(*l));
    if (!l)
        return oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory for a listener", s->name);
    /* The caller may be older or newer than we are: take what both know, the rest is zero. */
    memcpy(&l->ops, ops, MIN(ops->hdr.size, sizeof(l->ops)));
    l->space = s;
    l->opaque = opaque;
    struct oryx__mem *mem = s->machine->mem;
    pthread_mutex_lock(&s->machine->lock);
    if (!s->listeners)
        s->listeners = g_ptr_array_new();
    /* Its place first: once it was told of the view, nothing may fail. The commit it would be told of is not begun. */
    if (!g_ptr_array_add(s->listeners, l)) {
        pthread_mutex_unlock(&s->machine->lock);
        oryx__free(l);
        return oryx__error(err, ORYX_E_NOMEM, "space '%s': out of memory for a listener", s->name);
    }
    /* Changes that wait for a commit are told by that commit. */
    const oryx__view *view = atomic_load(&s->view);
    const oryx__row *r;
    mem->txn++;
    if (l->ops.begin)
        l->ops.begin(opaque, s);
    for (uint64_t at = 0; (r = oryx__view_at(view, at)); at = oryx__view_next(view, at))
        say(l->ops.added, opaque, r);
    if (l->ops.commit)
        l->ops.commit(opaque, s);
    mem->txn--;
    *out = l;
    /* What the listener changed meanwhile; out of memory leaves it to the next commit. */
    oryx__mem_update(s->machine, NULL);
    pthread_mutex_unlock(&s->machine->lock);
    return ORYX_OK;
}

void oryx_listener_remove(oryx_listener *l)
{
    if (!l)
        return;
    oryx_space *s = l->space;
    pthread_mutex_lock(&s->machine->lock);
    const oryx__view *view = atomic_load(&s->view);
    g_ptr_array_remove(s->listeners, l);
    s->machine->mem->txn++;
    if (l->ops.begin)
        l->ops.begin(l->opaque, s);
    for (uint32_t c = view->n_chunks; c-- > 0;)
        for (uint32_t i = view->slots[c].chunk->n; i-- > 0;)
            say(l->ops.removed, l->opaque, &view->slots[c].chunk->rows[i]);
    if (l->ops.commit)
        l->ops.commit(l->opaque, s);
    s->machine->mem->txn--;
    oryx__mem_update(s->machine, NULL);
    pthread_mutex_unlock(&s->machine->lock);
    oryx__free(l);
}
