/* The states of all devices of a machine together, with the lines between them, for snapshots.
 * Owns: struct oryx__device_states. Called by: snapshot.c, snapshot_file.c, while the machine is
 * stopped.
 * Invariant: while states are loaded no device hears another (devices->frozen): a line that a
 * model drives while its own state is half of the old world would latch edges that never were.
 * Levels are put back as a whole afterwards. */
#include <stdlib.h>
#include <string.h>

#include "device_internal.h"
#include "snapshot.h"

static oryx_device *device_at(oryx_machine *m, guint i)
{
    return m->devices->all->pdata[i];
}

/* 0: out of memory. */
static int lines_take(oryx_device *d, struct oryx__device_row *row)
{
    GHashTableIter it;
    gpointer key, value;
    if (!row->outputs)
        row->outputs = g_array_new(FALSE, FALSE, sizeof(struct oryx__out_row));
    if (!row->inputs)
        row->inputs = g_array_new(FALSE, FALSE, sizeof(struct oryx__in_row));
    int ok = row->outputs && row->inputs;
    if (ok)
        row->outputs->len = row->inputs->len = 0;
    g_hash_table_iter_init(&it, d->outputs);
    while (ok && g_hash_table_iter_next(&it, &key, &value)) {
        struct oryx__out_row out = {GPOINTER_TO_UINT(key), GPOINTER_TO_UINT(value) & ORYX__OUT_LEVEL};
        ok = g_array_append_val(row->outputs, out);
    }
    for (guint i = 0; ok && i < d->inputs->len; i++) {
        const struct input *in = d->inputs->pdata[i];
        struct oryx__in_row one = {in->line, in->outside, in->high, in->told, in->rose};
        ok = g_array_append_val(row->inputs, one);
    }
    return ok;
}

static uint32_t row_of(const struct oryx__device_states *s, const oryx_device *d)
{
    uint32_t i = 0;
    while (i < s->n && s->rows[i].device != d)
        i++;
    return i;
}

static oryx_status wires_take(oryx_machine *m, struct oryx__device_states *s)
{
    const GPtrArray *wires = m->devices->wires;
    s->wires = oryx__alloc((wires->len + 1) * sizeof(*s->wires));
    if (!s->wires)
        return ORYX_E_NOMEM;
    s->n_wires = wires->len;
    for (guint i = 0; i < wires->len; i++) {
        const struct wire *w = wires->pdata[i];
        s->wires[i] = (struct oryx__wire_row){row_of(s, w->from), row_of(s, w->to), w->line, w->in->line, w->level};
    }
    return ORYX_OK;
}

static oryx_status row_take(oryx_device *d, struct oryx__device_row *row, int left_out, int skip, oryx_error *err)
{
    int can = ORYX_HAS(d->ops, load) && d->ops->save && d->ops->load;
    row->device = d;
    row->serial = d->serial;
    row->name = oryx__strdup(d->name);
    row->cls = oryx__strdup(d->cls);
    if (!row->name || !row->cls)
        return oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory for device '%s'", d->name);
    if (left_out || (!can && skip))
        return ORYX_OK;
    if (!can)
        return oryx__error(err, ORYX_E_UNSUPPORTED,
                           "device '%s': its model '%s' cannot save and load its state; exclude it", d->name, d->cls);
    return d->ops->save(d->self, &row->json, err);
}

void oryx__device_states_drop(struct oryx__device_states *s)
{
    if (!s)
        return;
    for (guint i = 0; s->rows && i < s->n; i++) {
        struct oryx__device_row *row = &s->rows[i];
        oryx__free(row->name);
        oryx__free(row->cls);
        free(row->json);
        if (row->outputs)
            g_array_free(row->outputs, TRUE);
        if (row->inputs)
            g_array_free(row->inputs, TRUE);
    }
    oryx__free(s->rows);
    oryx__free(s->wires);
    oryx__free(s);
}

static void freeze(oryx_machine *m, uint32_t on)
{
    pthread_mutex_lock(&m->devices->lock);
    m->devices->frozen = on;
    pthread_mutex_unlock(&m->devices->lock);
}

oryx_status oryx__device_states_take(oryx_machine *m, const char *const *leave_out, int skip,
                                     struct oryx__device_states **out, oryx_error *err)
{
    *out = NULL;
    if (!m->devices || !m->devices->all->len)
        return ORYX_OK;
    struct oryx__device_states *s = oryx__alloc(sizeof(*s));
    oryx_status st = s ? ORYX_OK : ORYX_E_NOMEM;
    if (s) {
        s->version = m->devices->version;
        s->rows = oryx__alloc(m->devices->all->len * sizeof(*s->rows));
        s->n = s->rows ? m->devices->all->len : 0;
        st = s->rows ? ORYX_OK : ORYX_E_NOMEM;
    }
    /* A model may bring itself up to date in save and drive a line: before any level is noted. */
    for (guint i = 0; i < m->devices->all->len && !st; i++) {
        oryx_device *d = device_at(m, i);
        st = row_take(d, &s->rows[i], oryx__snapshot_named(leave_out, d->name), skip, err);
        if (st)
            goto failed;
    }
    for (guint i = 0; !st && i < s->n; i++) {
        pthread_mutex_lock(&m->devices->lock);
        st = lines_take(device_at(m, i), &s->rows[i]) ? ORYX_OK : ORYX_E_NOMEM;
        s->rows[i].alarm = atomic_load(&device_at(m, i)->alarm);
        pthread_mutex_unlock(&m->devices->lock);
    }
    if (!st)
        st = wires_take(m, s);
    if (st)
        oryx__error(err, st, "snapshot: out of memory for devices");
failed:
    if (st)
        oryx__device_states_drop(s);
    else
        *out = s;
    return st;
}

oryx_status oryx__device_states_check(oryx_machine *m, const struct oryx__device_states *s, oryx_error *err)
{
    guint n = s ? s->n : 0, now = m->devices ? m->devices->all->len : 0;
    if (!n && !now)
        return ORYX_OK;
    if (s && s->version == m->devices->version)
        return ORYX_OK;
    for (guint i = 0; i < n; i++)
        if (i >= now || device_at(m, i) != s->rows[i].device || device_at(m, i)->serial != s->rows[i].serial)
            return oryx__error(err, ORYX_E_STATE,
                               "device '%s' was destroyed after the snapshot was taken, which cannot be restored; "
                               "unmap devices instead of destroying them while there are snapshots",
                               s->rows[i].name);
    if (now > n)
        return oryx__error(err, ORYX_E_STATE,
                           "device '%s' was made after the snapshot was taken; destroy it before restoring",
                           device_at(m, n)->name);
    const GPtrArray *wires = m->devices->wires;
    int same = wires->len == s->n_wires;
    for (guint i = 0; same && i < wires->len; i++) {
        const struct wire *w = wires->pdata[i];
        const struct oryx__wire_row *row = &s->wires[i];
        same = w->from == s->rows[row->from].device && w->to == s->rows[row->to].device && w->line == row->line &&
               w->in->line == row->input;
    }
    return same ? ORYX_OK
                : oryx__error(err, ORYX_E_STATE,
                              "devices were wired otherwise when the snapshot was taken; connect them as they were, in that order");
}

/* Tell the listener of one output that it has not heard of. 0: there is none. */
static int tell_one(oryx_device *d)
{
    GHashTableIter it;
    gpointer key, value;
    g_hash_table_iter_init(&it, d->outputs);
    while (g_hash_table_iter_next(&it, &key, &value)) {
        uint32_t bits = GPOINTER_TO_UINT(value);
        if (!(bits & ORYX__OUT_LEVEL) != !(bits & ORYX__OUT_HEARD)) {
            oryx__output_tell(d, GPOINTER_TO_UINT(key));
            return 1;
        }
    }
    return 0;
}

/* Room for every line that the states know, so that putting them back cannot fail. */
static int lines_room(oryx_machine *m, const struct oryx__device_states *s)
{
    int ok = 1;
    pthread_mutex_lock(&m->devices->lock);
    for (guint i = 0; i < s->n; i++) {
        oryx_device *d = s->rows[i].device;
        for (guint k = 0; ok && k < s->rows[i].inputs->len; k++)
            ok = oryx__input_of(d, g_array_index(s->rows[i].inputs, struct oryx__in_row, k).line) != NULL;
        for (guint k = 0; ok && k < s->rows[i].outputs->len; k++) {
            gpointer line = GUINT_TO_POINTER(g_array_index(s->rows[i].outputs, struct oryx__out_row, k).line);
            ok = g_hash_table_contains(d->outputs, line) || g_hash_table_insert(d->outputs, line, NULL);
        }
    }
    pthread_mutex_unlock(&m->devices->lock);
    return ok;
}

static void lines_put(oryx_machine *m, struct oryx__device_states *s)
{
    struct oryx__devices *all = m->devices;
    pthread_mutex_lock(&all->lock);
    for (guint i = 0; i < s->n; i++) {
        oryx_device *d = s->rows[i].device;
        GHashTableIter it;
        gpointer key, value;
        g_hash_table_iter_init(&it, d->outputs); /* what was never driven then is low */
        while (s->rows[i].json && g_hash_table_iter_next(&it, &key, &value)) /* keys stay: nothing moves */
            oryx__output_set(d, GPOINTER_TO_UINT(key), GPOINTER_TO_UINT(value) & ORYX__OUT_HEARD);
        for (guint k = 0; s->rows[i].json && k < s->rows[i].outputs->len; k++) {
            const struct oryx__out_row *out = &g_array_index(s->rows[i].outputs, struct oryx__out_row, k);
            oryx__output_set(d, out->line, (oryx__output(d, out->line) & ORYX__OUT_HEARD) | out->level);
        }
        for (guint k = 0; k < d->inputs->len; k++) {
            struct input *in = d->inputs->pdata[k];
            in->outside = in->high = in->told = in->rose = 0;
        }
        for (guint k = 0; k < s->rows[i].inputs->len; k++) {
            const struct oryx__in_row *row = &g_array_index(s->rows[i].inputs, struct oryx__in_row, k);
            struct input *in = oryx__input_of(d, row->line);
            in->outside = row->outside;
            in->high = row->high;
            in->told = row->told;
            in->rose = row->rose;
        }
    }
    for (guint i = 0; i < s->n_wires; i++)
        ((struct wire *)all->wires->pdata[i])->level = s->wires[i].level;
    all->frozen = 0;
    /* The lines of what was left out are as they are, and their wires follow. Listeners outside the machine hear what is
     * different now. Both give the lock up meanwhile. */
    for (guint i = 0; i < s->n; i++) {
        for (guint k = 0; !s->rows[i].json && k < s->rows[i].outputs->len; k++)
            oryx__wires_tell(all, s->rows[i].device, g_array_index(s->rows[i].outputs, struct oryx__out_row, k).line);
        while (tell_one(s->rows[i].device))
            ;
    }
    pthread_mutex_unlock(&all->lock);
}

/* The core's own device of a vCPU's lines: its alarm is the frontend's, who knows nothing of loading. */
static int is_vcpu(const oryx_device *d)
{
    int is = 0;
    for (guint i = 0; i < d->machine->vcpus->len; i++)
        is |= ((oryx_vcpu *)d->machine->vcpus->pdata[i])->device == d;
    return is;
}

static int mapped_put(oryx_device *d)
{
    g_ptr_array_set_size(d->mapped, 0);
    for (uint32_t n = 0;; n++) {
        oryx_region *r = d->ops->region ? d->ops->region(d->self, n) : NULL;
        if (!r)
            return 1;
        if (r->parent && !g_ptr_array_add(d->mapped, r))
            return 0;
    }
}

oryx_status oryx__device_states_put(oryx_machine *m, struct oryx__device_states *s, oryx_error *err)
{
    if (!s)
        return ORYX_OK;
    /* What they are now: to leave alone what is the same, and to go back when one refuses. */
    char **now = oryx__alloc(s->n * sizeof(*now));
    oryx_status st =
        now && lines_room(m, s) ? ORYX_OK : oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory for devices");
    guint done = 0;
    freeze(m, 1);
    for (; done < s->n && !st; done++) {
        const struct oryx__device_row *row = &s->rows[done];
        oryx_device *d = row->device;
        if (!row->json)
            continue;
        st = d->ops->save(d->self, &now[done], err);
        if (st || !strcmp(now[done], row->json)) {
            free(now[done]);
            now[done] = NULL;
        } else {
            st = d->ops->load(d->self, row->json, err);
        }
    }
    for (guint i = 0; !st && i < s->n; i++) {
        if (!mapped_put(s->rows[i].device))
            st = oryx__error(err, ORYX_E_NOMEM, "snapshot: out of memory for device '%s'", s->rows[i].name);
        /* A model that loaded a state has asked for its alarm itself. */
        if (s->rows[i].json && (!now[i] || is_vcpu(s->rows[i].device)))
            atomic_store(&s->rows[i].device->alarm, s->rows[i].alarm);
    }
    for (guint i = 0; st && i < done; i++)
        if (now[i])
            s->rows[i].device->ops->load(s->rows[i].device->self, now[i], NULL);
    for (guint i = 0; i < done; i++)
        free(now[i]);
    oryx__free(now);
    if (st) {
        freeze(m, 0);
        return st;
    }
    lines_put(m, s);
    s->version = m->devices->version;
    atomic_store(&m->next_alarm, ~(uint64_t)0);
    oryx__alarms_look(m);
    return ORYX_OK;
}
