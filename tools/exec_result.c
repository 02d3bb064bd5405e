/* The answer of one `oryx exec` case: exit, instruction count, registers, memory. */
#include <string.h>

#include "exec_case.h"

static void add_hex(struct json_object *o, const char *key, uint64_t v)
{
    char text[20];
    g_snprintf(text, sizeof text, "0x%" PRIx64, v);
    json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *exit_object(const exec_case *c)
{
    struct json_object *o = json_object_new_object(), *d;
    const oryx_exc *e = &c->exit.exc;
    json_object_object_add(o, "reason", json_object_new_string(oryx_exit_text(c->exit.reason)));
    add_hex(o, "pc", c->exit.pc);
    if (c->exit.reason == ORYX_EXIT_ERROR) {
        d = json_object_new_object();
        json_object_object_add(d, "text", json_object_new_string(c->exit.error.text));
        json_object_object_add(o, "detail", d);
    } else if (e->kind != ORYX_EXC_NONE && c->exit.reason >= ORYX_EXIT_HALT && c->exit.reason <= ORYX_EXIT_FAULT) {
        static const char *const access[] = { "read", "write", "fetch" };
        d = json_object_new_object();
        json_object_object_add(d, "kind", json_object_new_string(oryx_exc_text(e->kind)));
        add_hex(d, "syndrome", e->syndrome);
        if (c->exit.reason == ORYX_EXIT_FAULT) {
            add_hex(d, "addr", e->addr);
            json_object_object_add(d, "access", json_object_new_string(access[e->access % 3]));
            json_object_object_add(d, "size", json_object_new_int((int)e->size));
            json_object_object_add(d, "status", json_object_new_string(oryx_status_text(e->status)));
        }
        json_object_object_add(o, "detail", d);
    }
    return o;
}

static bool add_reg(exec_case *c, struct json_object *o, int32_t r)
{
    const oryx_reg *row = oryx_reg_row(c->machine, r);
    uint8_t bytes[16] = { 0 };
    char text[36] = "0x";
    if (row->size > sizeof bytes || oryx_reg_read(c->vcpu, r, bytes, row->size))
        return exec_wrong(c, "read.regs: %s cannot be read", row->name);
    if (row->size <= 8) {
        uint64_t v;
        memcpy(&v, bytes, 8);
        add_hex(o, row->name, v);
        return true;
    }
    for (int i = row->size - 1, k = 2; i >= 0; i--, k += 2)
        g_snprintf(text + k, 3, "%02x", bytes[i]);
    json_object_object_add(o, row->name, json_object_new_string(text));
    return true;
}

static bool add_regs(exec_case *c, struct json_object *out, struct json_object *want)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(out, "regs", o);
    if (json_object_is_type(want, json_type_string) && !strcmp(json_object_get_string(want), "all")) {
        const oryx_reg *row;
        for (int32_t r = 0; (row = oryx_reg_row(c->machine, r)) != NULL; r++)
            if (!(row->flags & ORYX_REG_ALIAS) && !add_reg(c, o, r))
                return false;
        return true;
    }
    if (!json_object_is_type(want, json_type_array))
        return exec_wrong(c, "read.regs: a list of names or \"all\" is needed");
    for (size_t i = 0; i < json_object_array_length(want); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(want, i));
        int32_t r = name ? oryx_reg_find(c->machine, name) : -1;
        if (r < 0)
            return exec_wrong(c, "read.regs: no register '%s' ('oryx arch NAME' lists them)", name ? name : "null");
        if (!add_reg(c, o, r))
            return false;
    }
    return true;
}

static bool add_mem(exec_case *c, struct json_object *out, struct json_object *want)
{
    struct json_object *list = json_object_new_array();
    json_object_object_add(out, "mem", list);
    if (!json_object_is_type(want, json_type_array))
        return exec_wrong(c, "read.mem: a list of {addr, size} is needed");
    for (size_t i = 0; i < json_object_array_length(want); i++) {
        struct json_object *e = json_object_array_get_idx(want, i), *a = NULL, *n = NULL;
        uint64_t addr, size;
        if (!json_object_object_get_ex(e, "addr", &a) || !json_object_object_get_ex(e, "size", &n))
            return exec_wrong(c, "read.mem: a list of {addr, size} is needed");
        if (!exec_number(c, a, "read.mem.addr", &addr) || !exec_number(c, n, "read.mem.size", &size))
            return false;
        if (size > (64u << 20))
            return exec_wrong(c, "read.mem.size: at most 64 MiB");
        uint8_t *bytes = g_malloc(size + 1);
        oryx_status s = oryx_space_read(oryx_space_get(c->machine, "system"), addr, bytes, size, ORYX_ATTR_DEBUG);
        GString *hex = g_string_sized_new(size * 2 + 1);
        static const char digit[] = "0123456789abcdef";
        for (uint64_t k = 0; !s && k < size; k++) {
            g_string_append_c(hex, digit[bytes[k] >> 4]);
            g_string_append_c(hex, digit[bytes[k] & 15]);
        }
        struct json_object *o = json_object_new_object();
        add_hex(o, "addr", addr);
        json_object_object_add(o, s ? "error" : "hex", json_object_new_string(s ? oryx_status_text(s) : hex->str));
        json_object_array_add(list, o);
        g_string_free(hex, TRUE);
        g_free(bytes);
    }
    return true;
}

static bool fill(exec_case *c, struct json_object *o)
{
    struct json_object *read = NULL, *v = NULL;
    json_object_object_add(o, "exit", exit_object(c));
    json_object_object_add(o, "insns", json_object_new_uint64(c->insns));
    if (json_object_object_get_ex(c->in, "read", &read)) {
        if (!json_object_is_type(read, json_type_object))
            return exec_wrong(c, "read: an object of regs and mem is needed");
        json_object_object_foreach(read, key, unused)
        {
            (void)unused;
            if (strcmp(key, "regs") && strcmp(key, "mem"))
                return exec_wrong(c, "read.%s: unknown member (regs mem)", key);
        }
        if (json_object_object_get_ex(read, "regs", &v) && !add_regs(c, o, v))
            return false;
        if (json_object_object_get_ex(read, "mem", &v) && !add_mem(c, o, v))
            return false;
    }
    if (json_object_array_length(c->io_log))
        json_object_object_add(o, "io", json_object_get(c->io_log));
    if (c->hits)
        json_object_object_add(o, "hits", json_object_get(c->hits));
    if (c->trace)
        json_object_object_add(o, "trace", json_object_get(c->trace));
    return true;
}

struct json_object *exec_result(exec_case *c)
{
    struct json_object *o = json_object_new_object(), *id = NULL;
    bool has_id = c->in && json_object_is_type(c->in, json_type_object) && json_object_object_get_ex(c->in, "id", &id);
    if (has_id)
        json_object_object_add(o, "id", json_object_get(id));
    if (!c->error)
        fill(c, o);
    if (c->error) {
        struct json_object *bad = json_object_new_object();
        if (has_id)
            json_object_object_add(bad, "id", json_object_get(id));
        json_object_object_add(bad, "error", json_object_new_string(c->error));
        json_object_put(o);
        o = bad;
    }
    return o;
}
