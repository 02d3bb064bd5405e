/* Reads one case of `oryx exec`, builds its memory map and vCPU, and runs it. Every field is checked; the first wrong one
 * ends the case with a text that names it. The machine is left as it was found: no region, no vCPU. */
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "exec_case.h"

#define MAP_MAX (1ull << 34)

bool exec_wrong(exec_case *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    if (c->error)
        g_free(text);
    else
        c->error = text;
    return false;
}

bool exec_number(exec_case *c, struct json_object *o, const char *what, uint64_t *out)
{
    if (json_object_is_type(o, json_type_int) && json_object_get_int64(o) >= 0) {
        *out = json_object_get_uint64(o);
        return true;
    }
    if (json_object_is_type(o, json_type_string) && tool_number(json_object_get_string(o), out))
        return true;
    return exec_wrong(c, "%s: a number or a \"0x..\" string of at most 64 bits is needed", what);
}

/* --- memory map --------------------------------------------------------------------------------------------------- */

static void log_access(exec_map *m, const oryx_access *a)
{
    struct json_object *o = json_object_new_object();
    char *addr = g_strdup_printf("0x%" PRIx64, m->addr + a->offset), *value = g_strdup_printf("0x%" PRIx64, a->value);
    json_object_object_add(o, "addr", json_object_new_string(addr));
    json_object_object_add(o, "size", json_object_new_int((int)a->size));
    json_object_object_add(o, "write", json_object_new_boolean(a->write != 0));
    json_object_object_add(o, "value", json_object_new_string(value));
    json_object_array_add(m->owner->io_log, o);
    g_free(addr);
    g_free(value);
}

static oryx_status io_peek(void *opaque, oryx_access *a)
{
    exec_map *m = opaque;
    a->value = 0;
    memcpy(&a->value, m->host + a->offset, a->size);
    return ORYX_OK;
}

static oryx_status io_read(void *opaque, oryx_access *a)
{
    io_peek(opaque, a);
    log_access(opaque, a);
    return ORYX_OK;
}

static oryx_status io_write(void *opaque, const oryx_access *a)
{
    exec_map *m = opaque;
    memcpy(m->host + a->offset, &a->value, a->size);
    log_access(m, a);
    return ORYX_OK;
}

static const oryx_io_ops io_ops = {
    .hdr = ORYX_HDR(oryx_io_ops), .read = io_read, .write = io_write, .peek = io_peek,
    .valid = { .min = 1, .max = 8, .unaligned = 1 }, .impl = { .min = 1, .max = 8, .unaligned = 1 },
};

static bool parse_prot(exec_case *c, const char *text, uint32_t *prot)
{
    *prot = 0;
    for (const char *p = text; *p; p++) {
        uint32_t bit = *p == 'r' ? ORYX_PROT_READ : *p == 'w' ? ORYX_PROT_WRITE : *p == 'x' ? ORYX_PROT_EXEC : 0;
        if (!bit && *p != '-')
            return exec_wrong(c, "map.prot: letters of \"rwx-\" are needed, not \"%s\"", text);
        *prot |= bit;
    }
    return true;
}

static bool fill_map(exec_case *c, exec_map *m, struct json_object *hex, struct json_object *file)
{
    uint8_t *data = NULL;
    gsize n = 0;
    if (hex) {
        GByteArray *bytes = json_object_get_string_len(hex) ? tool_hex(json_object_get_string(hex)) : g_byte_array_new();
        if (!bytes)
            return exec_wrong(c, "map.hex: an even number of hex digits is needed");
        n = bytes->len;
        data = g_byte_array_free(bytes, FALSE);
    } else if (file) {
        GError *e = NULL;
        if (!g_file_get_contents(json_object_get_string(file), (gchar **)&data, &n, &e)) {
            exec_wrong(c, "map.file: %s", e->message);
            g_error_free(e);
            return false;
        }
    }
    bool ok = n <= m->size || exec_wrong(c, "map: %" G_GSIZE_FORMAT " bytes of data do not fit in size 0x%" PRIx64, n, m->size);
    if (ok && n)
        memcpy(m->host, data, n);
    g_free(data);
    return ok;
}

static bool add_map(exec_case *c, exec_map *m, struct json_object *e)
{
    const char *type = "ram", *prot = NULL;
    struct json_object *hex = NULL, *file = NULL;
    if (!json_object_is_type(e, json_type_object))
        return exec_wrong(c, "map: a list of objects is needed");
    m->owner = c;
    json_object_object_foreach(e, key, v)
    {
        bool text = json_object_is_type(v, json_type_string);
        if (!strcmp(key, "addr") || !strcmp(key, "size")) {
            if (!exec_number(c, v, key[0] == 'a' ? "map.addr" : "map.size", key[0] == 'a' ? &m->addr : &m->size))
                return false;
        } else if (!strcmp(key, "type") && text)
            type = json_object_get_string(v);
        else if (!strcmp(key, "prot") && text)
            prot = json_object_get_string(v);
        else if (!strcmp(key, "hex") && text)
            hex = v;
        else if (!strcmp(key, "file") && text)
            file = v;
        else
            return exec_wrong(c, "map.%s: unknown member or wrong type (addr size type prot hex file)", key);
    }
    bool ram = !strcmp(type, "ram"), rom = !strcmp(type, "rom");
    m->io = !strcmp(type, "io");
    if (!ram && !rom && !m->io)
        return exec_wrong(c, "map.type: \"ram\", \"rom\" or \"io\", not \"%s\"", type);
    if (!m->size || m->size > MAP_MAX || m->addr + (m->size - 1) < m->addr)
        return exec_wrong(c, "map.size: 1 to 0x%llx bytes, ending below 2^64", MAP_MAX);
    if (!parse_prot(c, prot ? prot : rom ? "rx" : "rwx", &m->prot))
        return false;
    m->host = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m->host == MAP_FAILED) {
        m->host = NULL;
        return exec_wrong(c, "map.size: the host refuses 0x%" PRIx64 " bytes", m->size);
    }
    if (!fill_map(c, m, hex, file))
        return false;
    char name[40];
    g_snprintf(name, sizeof name, "%s@0x%" PRIx64, type, m->addr);
    oryx_region_config config = { .hdr = ORYX_HDR(oryx_region_config), .name = name, .last = m->size - 1, .prot = m->prot };
    config.host = m->io ? NULL : m->host;
    config.io = m->io ? &io_ops : NULL;
    config.opaque = m;
    oryx_error err = { .code = ORYX_OK };
    oryx_region *root = oryx_space_root(oryx_space_get(c->machine, "system"));
    if (m->prot == 0 && !m->io)
        return exec_wrong(c, "map.prot: at least one of \"rwx\" is needed (leave the range out to make it inaccessible)");
    if (oryx_region_new(c->machine, m->io ? "io" : "ram", &config, &m->region, &err) ||
        oryx_region_add_exclusive(root, m->addr, m->region, &err))
        return exec_wrong(c, "map: %s", err.text);
    return true;
}

static bool add_maps(exec_case *c, struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array))
        return exec_wrong(c, "map: a list is needed");
    size_t n = json_object_array_length(list);
    c->maps = g_new0(exec_map, n + 1);
    oryx_error err = { .code = ORYX_OK };
    oryx_txn_begin(c->machine);
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        c->n_maps = i + 1;
        ok = add_map(c, &c->maps[i], json_object_array_get_idx(list, i));
    }
    if (oryx_txn_commit(c->machine, &err) && ok)
        ok = exec_wrong(c, "map: %s", err.text);
    return ok;
}

/* --- registers and run ---------------------------------------------------------------------------------------------- */

/* Up to 128 bits of hex (or a decimal number) into little-endian bytes. */
static bool reg_bytes(exec_case *c, const char *name, struct json_object *v, uint32_t size, uint8_t out[16])
{
    uint64_t low;
    memset(out, 0, 16);
    const char *text = json_object_is_type(v, json_type_string) ? json_object_get_string(v) : "";
    size_t digits = strlen(text);
    if (text[0] == '0' && (text[1] | 32) == 'x' && digits > 2 && digits <= 34) {
        for (size_t i = 0; i < digits - 2; i++) {
            int d = g_ascii_xdigit_value(text[digits - 1 - i]);
            if (d < 0)
                return exec_wrong(c, "regs.%s: \"%s\" is not hexadecimal", name, text);
            out[i / 2] |= (uint8_t)(d << (i & 1) * 4);
        }
    } else {
        char what[64];
        g_snprintf(what, sizeof what, "regs.%s", name);
        if (!exec_number(c, v, what, &low))
            return false;
        memcpy(out, &low, 8);
    }
    for (uint32_t i = size; i < 16; i++)
        if (out[i])
            return exec_wrong(c, "regs.%s: the value does not fit in %u bytes", name, size);
    return true;
}

static bool set_regs(exec_case *c, struct json_object *regs)
{
    if (!json_object_is_type(regs, json_type_object))
        return exec_wrong(c, "regs: an object of name: value is needed");
    json_object_object_foreach(regs, name, v)
    {
        int32_t r = oryx_reg_find(c->machine, name);
        if (r < 0)
            return exec_wrong(c, "regs.%s: no such register ('oryx arch NAME' lists them)", name);
        uint8_t bytes[16];
        uint32_t size = oryx_reg_row(c->machine, r)->size;
        if (!reg_bytes(c, name, v, size, bytes))
            return false;
        oryx_status s = oryx_reg_write(c->vcpu, r, bytes, size);
        if (s)
            return exec_wrong(c, "regs.%s: %s", name, oryx_status_text(s));
    }
    return true;
}

static bool parse_until(exec_case *c, struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array))
        return exec_wrong(c, "until: a list of addresses is needed");
    c->n_until = json_object_array_length(list);
    c->until = g_new0(uint64_t, c->n_until + 1);
    for (size_t i = 0; i < c->n_until; i++)
        if (!exec_number(c, json_object_array_get_idx(list, i), "until", &c->until[i]))
            return false;
    return true;
}

static void trace_insn(exec_case *c)
{
    const oryx_arch_ops *a = oryx_machine_arch(c->machine);
    uint64_t pc = oryx_vcpu_pc(c->vcpu);
    uint8_t bytes[16];
    uint32_t n = a->insn_max < sizeof bytes ? a->insn_max : (uint32_t)sizeof bytes;
    oryx_disasm d = { .hdr = ORYX_HDR(oryx_disasm) };
    while (n && oryx_space_read(oryx_space_get(c->machine, "system"), pc, bytes, n, ORYX_ATTR_DEBUG))
        n--;
    if (n)
        a->disasm(pc, a->mode_key(oryx_vcpu_cpu(c->vcpu)), bytes, n, &d);
    struct json_object *o = json_object_new_object();
    char *text = g_strdup_printf("0x%" PRIx64, pc);
    json_object_object_add(o, "pc", json_object_new_string(text));
    json_object_object_add(o, "text", json_object_new_string(n ? d.text : "(not readable)"));
    json_object_array_add(c->trace, o);
    g_free(text);
}

static bool run_traced(exec_case *c, const oryx_limits_run *limits)
{
    oryx_limits_run one = *limits;
    one.count = 1;
    for (;;) {
        size_t before = json_object_array_length(c->trace);
        trace_insn(c);
        if (oryx_vcpu_run(c->vcpu, &one, &c->exit))
            return exec_wrong(c, "run: %s", c->exit.error.text);
        c->insns += c->exit.insns;
        if (c->exit.reason == ORYX_EXIT_UNTIL && !c->exit.insns)
            json_object_array_del_idx(c->trace, before, 1); /* stopped before it: not executed */
        if (c->exit.reason != ORYX_EXIT_COUNT || (limits->count && c->insns >= limits->count))
            return true;
    }
}

static bool run(exec_case *c, const oryx_limits_run *limits)
{
    if (c->trace)
        return run_traced(c, limits);
    if (oryx_vcpu_run(c->vcpu, limits, &c->exit))
        return exec_wrong(c, "run: %s", c->exit.error.text);
    c->insns = c->exit.insns;
    return true;
}

static uint32_t list_hit(void *opaque, const oryx_watch_hit *hit)
{
    exec_case *c = opaque;
    struct json_object *o = json_object_new_object();
    char text[40];
    g_snprintf(text, sizeof text, "0x%" PRIx64, hit->pc);
    json_object_object_add(o, "pc", json_object_new_string(text));
    json_object_object_add(o, "access", json_object_new_string(tool_watch_access(hit)));
    g_snprintf(text, sizeof text, "0x%" PRIx64, hit->addr);
    json_object_object_add(o, "addr", json_object_new_string(text));
    json_object_object_add(o, "size", json_object_new_uint64(hit->size));
    for (unsigned old = 0; old < 2; old++) {
        if (!(hit->known & (old ? ORYX_HIT_OLD : ORYX_HIT_VALUE)))
            continue;
        tool_watch_number(hit, old ? hit->old : hit->value, text);
        json_object_object_add(o, old ? "old" : "value", json_object_new_string(text));
    }
    json_object_array_add(c->hits, o);
    return 0;
}

static bool add_watches(exec_case *c, struct json_object *list)
{
    oryx_error err = { .code = ORYX_OK };
    if (!json_object_is_type(list, json_type_array))
        return exec_wrong(c, "watch: a list of \"ADDR[,LEN][,r|w|rw|x]\" is needed");
    c->hits = json_object_new_array();
    c->watches = g_new0(oryx_watch *, json_object_array_length(list) + 1);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        oryx_watch_config w = { .fn = list_hit, .opaque = c };
        if (!json_object_is_type(v, json_type_string) || !tool_watch(json_object_get_string(v), &w))
            return exec_wrong(c, "watch.%zu: \"ADDR[,LEN][,r|w|rw|x]\" is needed, not %s", i, json_object_to_json_string(v));
        w.vcpu = c->vcpu;
        if (oryx_watch_add(c->machine, &w, &c->watches[c->n_watches++], &err))
            return exec_wrong(c, "%s", err.text);
    }
    return true;
}

static bool known_members(exec_case *c)
{
    static const char *const known[] = { "id", "arch", "mode", "cpu", "engine", "map", "regs", "until", "count", "timeout_us",
                                         "read", "trace", "watch" };
    json_object_object_foreach(c->in, key, v)
    {
        bool found = false;
        (void)v;
        for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
            found |= !strcmp(key, known[i]);
        if (!found)
            return exec_wrong(c, "%s: unknown member (id arch mode cpu engine map regs until count timeout_us read trace watch)", key);
    }
    return true;
}

static bool text_member(exec_case *c, const char *key, const char **out)
{
    struct json_object *v = NULL;
    *out = NULL;
    if (!json_object_object_get_ex(c->in, key, &v))
        return true;
    if (!json_object_is_type(v, json_type_string))
        return exec_wrong(c, "%s: a string is needed", key);
    *out = json_object_get_string(v);
    return true;
}

static bool build_and_run(exec_case *c)
{
    const char *arch, *mode, *cpu, *engine;
    struct json_object *v = NULL;
    oryx_error err = { .code = ORYX_OK };
    oryx_limits_run limits = { .hdr = ORYX_HDR(oryx_limits_run) };
    if (!known_members(c) || !text_member(c, "arch", &arch) || !text_member(c, "mode", &mode) ||
        !text_member(c, "cpu", &cpu) || !text_member(c, "engine", &engine))
        return false;
    if (!arch)
        return exec_wrong(c, "arch: is needed ('oryx arch' lists them)");
    if (!(c->machine = exec_machine(c, arch, engine)))
        return false;
    if (json_object_object_get_ex(c->in, "map", &v) && !add_maps(c, v))
        return false;
    oryx_vcpu_config config = { .hdr = ORYX_HDR(oryx_vcpu_config), .model = cpu, .mode = mode };
    if (oryx_vcpu_new(c->machine, &config, &c->vcpu, &err))
        return exec_wrong(c, "%s", err.text);
    if (json_object_object_get_ex(c->in, "regs", &v) && !set_regs(c, v))
        return false;
    if (json_object_object_get_ex(c->in, "until", &v) && !parse_until(c, v))
        return false;
    if (json_object_object_get_ex(c->in, "watch", &v) && !add_watches(c, v))
        return false;
    if (json_object_object_get_ex(c->in, "count", &v) && !exec_number(c, v, "count", &limits.count))
        return false;
    if (json_object_object_get_ex(c->in, "timeout_us", &v) && !exec_number(c, v, "timeout_us", &limits.timeout_us))
        return false;
    if (json_object_object_get_ex(c->in, "trace", &v) && json_object_get_boolean(v))
        c->trace = json_object_new_array();
    limits.until = c->until;
    limits.n_until = (uint32_t)c->n_until;
    return run(c, &limits);
}

void exec_case_run(exec_case *c)
{
    c->exit.hdr = (oryx_hdr)ORYX_HDR(oryx_exit);
    c->io_log = json_object_new_array();
    build_and_run(c);
}

void exec_case_clear(exec_case *c)
{
    oryx_error err;
    for (size_t i = 0; i < c->n_watches; i++)
        oryx_watch_remove(c->watches[i]);
    if (c->vcpu)
        oryx_vcpu_destroy(c->vcpu);
    if (c->machine)
        oryx_txn_begin(c->machine);
    for (size_t i = 0; i < c->n_maps; i++)
        if (c->maps[i].region)
            oryx_region_remove(c->maps[i].region, &err);
    if (c->machine)
        oryx_txn_commit(c->machine, &err);
    for (size_t i = 0; i < c->n_maps; i++) {
        if (c->maps[i].region)
            oryx_region_destroy(c->maps[i].region, &err);
        if (c->maps[i].host)
            munmap(c->maps[i].host, c->maps[i].size);
    }
    json_object_put(c->io_log);
    json_object_put(c->trace);
    json_object_put(c->hits);
    g_free(c->watches);
    g_free(c->maps);
    g_free(c->until);
    g_free(c->error);
}
