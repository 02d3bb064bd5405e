/* Watches that are named by words: "ADDR[,LEN][,r|w|rw|x]", virtual addresses of every vCPU. `oryx run` and `oryx machine` print
 * what hits them (--watch), `oryx exec` lists it ("watch"); the run goes on. */
#include <string.h>

#include "tool.h"

bool tool_watch(const char *spec, oryx_watch_config *out)
{
    char **words = g_strsplit(spec, ",", -1);
    bool ok = words[0] && tool_number(words[0], &out->addr), sized = false, kind = false;
    out->hdr = (oryx_hdr)ORYX_HDR(oryx_watch_config);
    out->size = 1;
    out->flags = ORYX_WATCH_WRITE;
    for (char **w = words + 1; ok && *w; w++) {
        static const struct {
            const char *word;
            uint32_t flags;
        } kinds[] = { { "r", ORYX_WATCH_READ }, { "w", ORYX_WATCH_WRITE }, { "rw", ORYX_WATCH_READ | ORYX_WATCH_WRITE },
                      { "x", ORYX_WATCH_EXEC } };
        uint64_t size;
        uint32_t flags = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
            flags |= strcmp(*w, kinds[i].word) ? 0 : kinds[i].flags;
        if (flags && !kind) {
            out->flags = flags;
            kind = true;
        } else if (!sized && !kind && tool_number(*w, &size) && size) {
            out->size = size;
            sized = true;
        } else {
            ok = false;
        }
    }
    g_strfreev(words);
    return ok;
}

const char *tool_watch_access(const oryx_watch_hit *hit)
{
    switch (hit->access) {
    case ORYX_WATCH_EXEC: return "execute";
    case ORYX_WATCH_READ: return "read";
    case ORYX_WATCH_WRITE: return "write";
    default: return "read and write";
    }
}

void tool_watch_number(const oryx_watch_hit *hit, oryx_v128 v, char text[40])
{
    if (hit->size > 8)
        g_snprintf(text, 40, "0x%" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x", v.hi, v.lo);
    else
        g_snprintf(text, 40, "0x%" G_GINT64_MODIFIER "x", v.lo);
}

static uint32_t print(void *opaque, const oryx_watch_hit *hit)
{
    oryx_machine *m = opaque;
    GString *line = g_string_new("watch: ");
    char value[40];
    uint64_t base;
    uint32_t cpu = 0;
    while (oryx_machine_vcpu(m, cpu) && oryx_machine_vcpu(m, cpu) != hit->vcpu)
        cpu++;
    if (hit->access & ORYX_WATCH_EXEC)
        g_string_append_printf(line, "execute at 0x%" G_GINT64_MODIFIER "x", hit->pc);
    else
        g_string_append_printf(line, "%s of %u byte%s at 0x%" G_GINT64_MODIFIER "x", tool_watch_access(hit), (unsigned)hit->size,
                               hit->size == 1 ? "" : "s", hit->addr);
    if (hit->known & ORYX_HIT_VALUE) {
        tool_watch_number(hit, hit->value, value);
        g_string_append_printf(line, ": %s", value);
    }
    if (hit->known & ORYX_HIT_OLD && hit->access & ORYX_WATCH_WRITE) {
        tool_watch_number(hit, hit->old, value);
        g_string_append_printf(line, ", was %s", value);
    }
    if (!(hit->access & ORYX_WATCH_EXEC))
        g_string_append_printf(line, ", by 0x%" G_GINT64_MODIFIER "x", hit->pc);
    const char *name = oryx_symbol_find(m, hit->pc, &base);
    if (name)
        g_string_append_printf(line, " (%s+0x%" G_GINT64_MODIFIER "x)", name, hit->pc - base);
    if (oryx_machine_vcpu(m, 1))
        g_string_append_printf(line, " on cpu %u", cpu);
    fprintf(stderr, "%s\n", line->str);
    g_string_free(line, TRUE);
    return 0;
}

bool tool_watches_known(const char *command, char **specs)
{
    oryx_watch_config c = { .addr = 0 };
    for (char **s = specs; s && *s; s++)
        if (!tool_watch(*s, &c))
            return tool_fail(0, "%s: --watch takes ADDR[,LEN][,r|w|rw|x], not '%s'", command, *s);
    return true;
}

bool tool_watches_add(oryx_machine *m, char **specs, oryx_error *err)
{
    for (char **s = specs; s && *s; s++) {
        oryx_watch_config c = { .fn = print, .opaque = m };
        oryx_watch *w;
        if (tool_watch(*s, &c) && oryx_watch_add(m, &c, &w, err))
            return false;
    }
    return true;
}
