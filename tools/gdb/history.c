/* Going back: snapshots while a machine of one CPU runs forward, and running forward again from one of them to where the
 * debugger wants to be. Exact instruction counts make the way there the same as it was. What devices say to the outside on that
 * way is said again, and what came from outside does not come again. Used by threads.c (marks) and server.c.
 * Invariant: marks are ordered by their count, and none is later than the vCPU's count. */
#include <string.h>

#include "gdb.h"

#define MARKS 64u           /* snapshots that are kept */
#define FIRST_INTERVAL 100000u /* instructions between two, at first */

struct gdb_mark {
    uint64_t insns;
    oryx_snapshot *snapshot;
};

static void drop(gpointer p)
{
    gdb_mark *m = p;
    oryx_snapshot_drop(m->snapshot);
    g_free(m);
}

static uint64_t last(const gdb *g)
{
    return ((const gdb_mark *)g->marks->pdata[g->marks->len - 1])->insns;
}

void gdb_history_mark(gdb *g, oryx_vcpu *v)
{
    uint64_t now = oryx_vcpu_insns(v);
    oryx_error err = { .code = ORYX_OK };
    oryx_snapshot *s = NULL;
    if ((g->marks->len && now - last(g) < g->interval) || oryx_snapshot_take(g->c.machine, NULL, &s, &err))
        return;
    gdb_mark *m = g_new(gdb_mark, 1);
    *m = (gdb_mark){ .insns = now, .snapshot = s };
    g_ptr_array_add(g->marks, m);
    if (g->marks->len < MARKS)
        return;
    for (guint i = 1; i + 1 < g->marks->len; i++) /* every second one goes, the first stays */
        g_ptr_array_remove_index(g->marks, i);
    g->interval *= 2;
}

void gdb_history_start(gdb *g)
{
    if (!g->c.advance || oryx_machine_vcpu(g->c.machine, 1))
        return;
    g->marks = g_ptr_array_new_with_free_func(drop);
    g->interval = FIRST_INTERVAL;
    gdb_history_mark(g, oryx_machine_vcpu(g->c.machine, 0));
    if (!g->marks->len) { /* there is something that cannot be captured */
        g_ptr_array_free(g->marks, TRUE);
        g->marks = NULL;
    }
}

void gdb_history_limit(gdb *g, oryx_vcpu *v, oryx_limits_run *limits)
{
    uint64_t now = oryx_vcpu_insns(v), next = last(g) + g->interval;
    if (!limits->count)
        limits->count = next > now ? next - now : 1;
}

/* Forward to a count, over every point on the way; *hit: the count at the last that stopped it. */
static bool forward(gdb *g, gdb_thread *t, uint64_t to, uint64_t *hit)
{
    oryx_limits_run l = { .hdr = ORYX_HDR(oryx_limits_run), .skip_first = 1 };
    uint64_t now;
    while ((now = oryx_vcpu_insns(t->v)) < to) {
        oryx_exit exit = { .hdr = ORYX_HDR(oryx_exit) };
        l.count = to - now;
        g->c.advance(g->c.opaque, t->v, &l, &exit);
        if (exit.reason == ORYX_EXIT_DEBUG && hit && oryx_vcpu_insns(t->v) < to) {
            *hit = oryx_vcpu_insns(t->v);
            t->hit = (oryx_watch_hit){ .hdr = ORYX_HDR(oryx_watch_hit) };
            oryx_vcpu_hits(t->v, &t->hit, 1);
        } else if (exit.reason != ORYX_EXIT_DEBUG && exit.reason != ORYX_EXIT_COUNT && oryx_vcpu_insns(t->v) < to) {
            return false;
        }
    }
    return true;
}

/* The state at an earlier count, from mark i on. */
static bool go_to(gdb *g, gdb_thread *t, guint i, uint64_t to, oryx_error *err)
{
    const gdb_mark *m = g->marks->pdata[i];
    if (oryx_snapshot_restore(m->snapshot, err))
        return false;
    return forward(g, t, to, NULL);
}

static bool wrong(oryx_error *err, const char *text)
{
    err->code = ORYX_E_UNSUPPORTED;
    g_strlcpy(err->text, text, sizeof err->text);
    return false;
}

bool gdb_history_back(gdb *g, gdb_thread *t, bool step, oryx_error *err)
{
    if (!g->marks)
        return wrong(err, "going back needs a machine with one CPU whose devices can be captured");
    uint64_t now = oryx_vcpu_insns(t->v), found = UINT64_MAX;
    const gdb_mark *first = g->marks->pdata[0];
    guint i = g->marks->len;
    t->why = GDB_REPLAY;
    if (now <= first->insns)
        return true;
    while (i && ((const gdb_mark *)g->marks->pdata[i - 1])->insns >= now)
        i--;
    if (step)
        found = now - 1;
    for (uint64_t end = now; !step && i && found == UINT64_MAX; i--) {
        const gdb_mark *m = g->marks->pdata[i - 1];
        if (oryx_snapshot_restore(m->snapshot, err) || !forward(g, t, end, &found))
            return err->code == ORYX_OK ? wrong(err, "the way here could not be gone again") : false;
        end = m->insns;
        if (found != UINT64_MAX)
            break;
    }
    t->why = step ? GDB_SIGNAL : found == UINT64_MAX ? GDB_REPLAY : GDB_POINT;
    t->signal = 5;
    if (!i)
        i = 1;
    oryx_watch_hit hit = t->hit;
    if (!go_to(g, t, i - 1, found == UINT64_MAX ? first->insns : found, err))
        return err->code == ORYX_OK ? wrong(err, "the way here could not be gone again") : false;
    t->hit = hit;
    /* What follows is made anew. */
    while (g->marks->len > 1 && last(g) > oryx_vcpu_insns(t->v))
        g_ptr_array_remove_index(g->marks, g->marks->len - 1);
    return true;
}

void gdb_history_free(gdb *g)
{
    if (g->marks)
        g_ptr_array_free(g->marks, TRUE);
}
