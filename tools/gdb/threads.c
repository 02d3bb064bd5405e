/* Who runs, and why they stopped: the meeting place of the vCPUs' threads and the server's.
 *
 * vCPU threads call gdb_enter before each run, gdb_left after it and gdb_signal in between; they wait in them while all is
 * halted. Invariant: a thread that is RUNNING is inside a run or about to be, and only such threads touch their vCPU while the
 * server believes that all have stopped. */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <signal.h>

#include "gdb.h"

void gdb_wake(gdb *g)
{
    uint64_t one = 1;
    if (write(g->wake, &one, sizeof one) < 0)
        return; /* full: it is awake */
}

static gdb_thread *of_vcpu(gdb *g, oryx_vcpu *v)
{
    for (guint i = 0; i < g->threads->len; i++) {
        gdb_thread *t = g->threads->pdata[i];
        if (t->v == v)
            return t;
    }
    return NULL;
}

gdb_thread *gdb_find(gdb *g, int32_t id)
{
    gdb_thread *found = NULL;
    pthread_mutex_lock(&g->lock); /* a thread that comes out of a system call may be new */
    for (guint i = 0; i < g->threads->len && !found; i++) {
        gdb_thread *t = g->threads->pdata[i];
        if (id <= 0 || t->id == id)
            found = t;
    }
    pthread_mutex_unlock(&g->lock);
    return found;
}

/* The thread stops for a reason; everybody does. */
static void stop(gdb *g, gdb_thread *t, enum gdb_why why, int32_t sig)
{
    t->why = why;
    t->signal = sig;
    g->halted = true;
    gdb_wake(g);
}

/* Until it may go on. False: the program is killed. */
static bool park(gdb *g, gdb_thread *t)
{
    while (!g->kill && (g->halted || t->action == GDB_HOLD)) {
        t->at = GDB_PARKED;
        t->coming = false;
        pthread_cond_broadcast(&g->changed);
        pthread_cond_wait(&g->changed, &g->lock);
    }
    return !g->kill;
}

int32_t gdb_enter(void *opaque, oryx_vcpu *v, int32_t id, oryx_limits_run *limits)
{
    gdb *g = opaque;
    pthread_mutex_lock(&g->lock);
    gdb_thread *t = of_vcpu(g, v);
    if (!t) {
        t = g_new0(gdb_thread, 1);
        *t = (gdb_thread){ .v = v, .id = id, .action = GDB_GO };
        g_ptr_array_add(g->threads, t);
    }
    if (!g->seen_first) {
        g->seen_first = true;
        g->first_sp = gdb_sp(g, v);
        g->halted = true; /* until GDB is there */
        gdb_history_start(g);
    }
    if (t->stepped && !g->halted)
        stop(g, t, GDB_SIGNAL, SIGTRAP);
    bool go = park(g, t);
    t->stepped = t->coming = false;
    t->at = GDB_RUNNING;
    *limits = (oryx_limits_run){ .hdr = limits->hdr, .idle = limits->idle };
    limits->count = t->action == GDB_STEP ? 1 : 0;
    limits->skip_first = t->skip;
    if (g->marks)
        gdb_history_limit(g, v, limits);
    pthread_mutex_unlock(&g->lock);
    return !go;
}

void gdb_left(void *opaque, oryx_vcpu *v, const oryx_exit *exit)
{
    gdb *g = opaque;
    pthread_mutex_lock(&g->lock);
    gdb_thread *t = of_vcpu(g, v);
    t->at = GDB_OUTSIDE;
    t->skip = t->skip && !exit->insns;
    t->coming = exit->reason == ORYX_EXIT_DEBUG || exit->reason == ORYX_EXIT_STOP || exit->reason == ORYX_EXIT_COUNT;
    if (t->action == GDB_STEP && (exit->insns || exit->reason != ORYX_EXIT_STOP))
        t->stepped = true;
    if (exit->reason == ORYX_EXIT_DEBUG) {
        t->hit = (oryx_watch_hit){ .hdr = ORYX_HDR(oryx_watch_hit) };
        oryx_vcpu_hits(v, &t->hit, 1);
        t->skip = !t->hit.after;
        t->stepped = false;
        stop(g, t, GDB_POINT, SIGTRAP);
    }
    if (g->marks && exit->reason == ORYX_EXIT_COUNT)
        gdb_history_mark(g, v);
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

int32_t gdb_signal(void *opaque, oryx_vcpu *v, int32_t sig)
{
    gdb *g = opaque;
    pthread_mutex_lock(&g->lock);
    gdb_thread *t = of_vcpu(g, v);
    if (t && !g->kill && !g->detached && !(sig > 0 && sig < 128 && g->pass[sig / 64] >> (sig % 64) & 1)) {
        t->give = sig;
        t->in_signal = true;
        t->stepped = false;
        stop(g, t, GDB_SIGNAL, sig);
        park(g, t);
        t->at = GDB_OUTSIDE;
        t->in_signal = false;
        sig = t->give;
        t->stepped = sig && t->action == GDB_STEP; /* a step ends at its handler's first instruction */
    }
    pthread_mutex_unlock(&g->lock);
    return sig;
}

void gdb_gone(void *opaque, oryx_vcpu *v)
{
    gdb *g = opaque;
    pthread_mutex_lock(&g->lock);
    gdb_thread *t = of_vcpu(g, v);
    if (t)
        t->coming = false;
    pthread_cond_broadcast(&g->changed);
    while (g->halted && !g->kill) /* the server may be looking at it */
        pthread_cond_wait(&g->changed, &g->lock);
    if (t)
        g_ptr_array_remove(g->threads, t); /* frees */
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static bool any_runs(const gdb *g)
{
    for (guint i = 0; i < g->threads->len; i++)
        if (((gdb_thread *)g->threads->pdata[i])->at == GDB_RUNNING)
            return true;
    return false;
}

static bool any_comes(const gdb *g)
{
    for (guint i = 0; i < g->threads->len; i++)
        if (((gdb_thread *)g->threads->pdata[i])->coming)
            return true;
    return false;
}

void gdb_stop_all(gdb *g)
{
    pthread_mutex_lock(&g->lock);
    g->halted = true;
    for (guint i = 0; i < g->threads->len; i++) {
        gdb_thread *t = g->threads->pdata[i];
        if (t->at == GDB_RUNNING)
            oryx_vcpu_stop(t->v);
    }
    while (any_runs(g))
        pthread_cond_wait(&g->changed, &g->lock);
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_sec += 2; /* one that ends instead never waits */
    while (any_comes(g) && !pthread_cond_timedwait(&g->changed, &g->lock, &soon))
        continue;
    pthread_mutex_unlock(&g->lock);
}

gdb_thread *gdb_event(gdb *g)
{
    gdb_thread *found = NULL;
    pthread_mutex_lock(&g->lock);
    for (guint i = 0; i < g->threads->len && !found; i++) {
        gdb_thread *t = g->threads->pdata[i];
        if (t->why)
            found = t;
    }
    pthread_mutex_unlock(&g->lock);
    return found;
}

void gdb_resume(gdb *g)
{
    pthread_mutex_lock(&g->lock);
    g->halted = false;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* --- from start to end ------------------------------------------------------------------------------------------------- */
static void release(gdb *g)
{
    gdb_link_close(&g->link);
    if (g->wake >= 0)
        close(g->wake);
    gdb_target_free(g);
    gdb_files_free(g);
    gdb_history_free(g);
    g_ptr_array_free(g->threads, TRUE);
    g_array_free(g->points, TRUE);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
    g_free((char *)(uintptr_t)g->c.program);
    g_free((char *)(uintptr_t)g->c.sysroot);
    g_free(g);
}

gdb *gdb_start(const gdb_config *c, oryx_error *err)
{
    gdb *g = g_new0(gdb, 1);
    g->c = *c;
    g->c.program = g_strdup(c->program);
    g->c.sysroot = g_strdup(c->sysroot);
    g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g->link.in = NULL;
    g->link.listen = g->link.fd = -1;
    g->threads = g_ptr_array_new_with_free_func(g_free);
    g->points = g_array_new(FALSE, TRUE, sizeof(gdb_point));
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    sigset_t all, old;
    bool ok = gdb_listen(&g->link, c->where, err) && gdb_target_init(g, err);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the guest's */
    if (ok && pthread_create(&g->server, NULL, gdb_serve, g)) {
        err->code = ORYX_E_NOMEM;
        g_strlcpy(err->text, "--gdb: no thread can be made", sizeof err->text);
        ok = false;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (ok)
        return g;
    release(g);
    return NULL;
}

void gdb_forked(void *opaque)
{
    gdb *g = opaque; /* its memory stays: the server's thread does not exist here */
    for (guint i = 0; i < g->points->len; i++)
        oryx_watch_remove(g_array_index(g->points, gdb_point, i).watch);
    if (g->link.fd >= 0)
        close(g->link.fd);
    if (g->link.listen >= 0)
        close(g->link.listen);
    close(g->wake);
}

void gdb_end(gdb *g, int32_t code, int32_t sig)
{
    pthread_mutex_lock(&g->lock);
    g->exit_code = code;
    g->exit_signal = sig;
    g->over = true;
    gdb_wake(g);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->server, NULL);
    gdb_points_clear(g);
    release(g);
}
