/* Breakpoints and watchpoints: each is a watch of the core's, of all vCPUs' virtual addresses. Used by server.c. */
#include <string.h>

#include "gdb.h"

/* Where GDB steps over a data access itself before it looks, it wants to be told before the access (MIPS, Arm); elsewhere after it. */
static bool before(gdb *g)
{
    return !g_str_has_prefix(oryx_machine_arch(g->c.machine)->gdb_arch, "i386");
}

bool gdb_point_add(gdb *g, char kind, uint64_t addr, uint64_t size, oryx_error *err)
{
    static const uint32_t flags[] = { ORYX_WATCH_EXEC, ORYX_WATCH_EXEC, ORYX_WATCH_WRITE, ORYX_WATCH_READ, ORYX_WATCH_READ | ORYX_WATCH_WRITE };
    uint32_t what = flags[kind - '0'];
    gdb_point p = { .kind = kind, .addr = addr, .size = size };
    for (guint i = 0; i < g->points->len; i++) {
        gdb_point *old = &g_array_index(g->points, gdb_point, i);
        if (old->kind == kind && old->addr == addr && old->size == size)
            return true; /* packets may come twice */
    }
    oryx_watch_config c = { .hdr = ORYX_HDR(oryx_watch_config), .addr = addr, .size = what & ORYX_WATCH_EXEC ? 1 : MAX(size, 1), .flags = what };
    if (!(what & ORYX_WATCH_EXEC) && before(g))
        c.flags |= ORYX_WATCH_BEFORE;
    if (oryx_watch_add(g->c.machine, &c, &p.watch, err))
        return false;
    g_array_append_val(g->points, p);
    return true;
}

bool gdb_point_remove(gdb *g, char kind, uint64_t addr, uint64_t size)
{
    for (guint i = 0; i < g->points->len; i++) {
        gdb_point *p = &g_array_index(g->points, gdb_point, i);
        if (p->kind != kind || p->addr != addr || p->size != size)
            continue;
        oryx_watch_remove(p->watch);
        g_array_remove_index(g->points, i);
        return true;
    }
    return false;
}

void gdb_points_clear(gdb *g)
{
    for (guint i = 0; i < g->points->len; i++)
        oryx_watch_remove(g_array_index(g->points, gdb_point, i).watch);
    g_array_set_size(g->points, 0);
}

void gdb_point_tell(gdb *g, const gdb_thread *t, GString *out)
{
    static const char *const names[] = { "swbreak", "hwbreak", "watch", "rwatch", "awatch" };
    for (guint i = 0; i < g->points->len; i++) {
        const gdb_point *p = &g_array_index(g->points, gdb_point, i);
        if (p->watch != t->hit.watch)
            continue;
        if (p->kind < '2')
            g_string_append_printf(out, "%s:;", names[p->kind - '0']);
        else
            g_string_append_printf(out, "%s:%" PRIx64 ";", names[p->kind - '0'], p->addr);
        return;
    }
}
