/* From a valid description to a machine: spaces, regions, devices, wires, images, CPUs, in that order, so that every name
 * is known when it is used. Stops at the first thing that is wrong and says where it stands. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

/* --- members ---------------------------------------------------------------------------------------------------------- */
static struct json_object *member(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

uint64_t machine_number(struct json_object *o, const char *key, uint64_t otherwise)
{
    struct json_object *v = member(o, key);
    uint64_t n = otherwise;
    if (v && json_object_is_type(v, json_type_string))
        tool_number(json_object_get_string(v), &n);
    else if (v)
        n = json_object_get_uint64(v);
    return n;
}

const char *machine_string(struct json_object *o, const char *key, const char *otherwise)
{
    struct json_object *v = member(o, key);
    return v ? json_object_get_string(v) : otherwise;
}

struct json_object *machine_list(struct json_object *o, const char *key)
{
    struct json_object *v = member(o, key);
    return json_object_is_type(v, json_type_array) ? v : NULL;
}

size_t machine_length(struct json_object *list)
{
    return list ? json_object_array_length(list) : 0;
}

char *machine_path(const machine_file *f, const char *path)
{
    return g_path_is_absolute(path) ? g_strdup(path) : g_build_filename(f->folder, path, NULL);
}

/* A decimal string may be of 20 digits and still too big. */
static bool number(machine_build *b, struct json_object *o, const char *pointer, const char *key, uint64_t *out)
{
    struct json_object *v = member(o, key);
    if (v && json_object_is_type(v, json_type_string) && !tool_number(json_object_get_string(v), out)) {
        char *p = machine_pointer(pointer, key);
        const char *text = json_object_get_string(v);
        bool digits = *text && strspn(text, "0123456789") == strlen(text);
        machine_wrong(b->file, p, digits ? "\"%s\" does not fit into 64 bits" : "\"%s\" is no number of at most 64 bits", text);
        g_free(p);
        return false;
    }
    *out = machine_number(o, key, *out);
    return true;
}

static bool wrong_at(machine_build *b, const char *pointer, const char *key, const char *text)
{
    char *p = machine_pointer(pointer, key);
    machine_wrong(b->file, p, "%s", text);
    g_free(p);
    return false;
}

/* What a plugin refused: its text begins with the JSON pointer in its options when it is about a member. */
static bool refused(machine_build *b, const char *pointer, const char *text)
{
    const char *end = *text == '/' ? strstr(text, ": ") : NULL;
    if (!end)
        return machine_wrong(b->file, pointer, "%s", text);
    char *p = g_strdup_printf("%s/options%.*s", pointer, end - text > 1 ? (int)(end - text) : 0, text);
    machine_wrong(b->file, p, "%s", end + 2);
    g_free(p);
    return false;
}

static bool unknown(machine_build *b, const char *pointer, const char *key, const char *kind, const char *name)
{
    char *text = g_strdup_printf("there is no %s '%s' above; names are used after they are given", kind, name);
    wrong_at(b, pointer, key, text);
    g_free(text);
    return false;
}

/* See machine.h. */
bool machine_member_number(machine_build *b, struct json_object *o, const char *pointer, const char *key, uint64_t *out)
{
    return number(b, o, pointer, key, out);
}

/* --- names ------------------------------------------------------------------------------------------------------------ */
static machine_node *node_find(machine_build *b, const char *name)
{
    for (guint i = 0; i < b->nodes->len; i++)
        if (!strcmp(((machine_node *)b->nodes->pdata[i])->name, name))
            return b->nodes->pdata[i];
    return NULL;
}

static bool fresh(machine_build *b, const char *pointer, const char *key, const char *name)
{
    if (!node_find(b, name) && !oryx_space_get(b->machine, name) && !oryx_device_find(b->machine, name))
        return true;
    char *text = g_strdup_printf("the name '%s' is given already; choose another", name);
    wrong_at(b, pointer, key, text);
    g_free(text);
    return false;
}

static machine_node *node_add(machine_build *b, const char *name, oryx_region *r, char *note)
{
    machine_node *n = g_new0(machine_node, 1);
    n->name = g_strdup(name);
    n->type = oryx_region_type(r);
    n->region = r;
    n->enabled = true;
    n->prot = ORYX_PROT_ALL;
    n->note = note;
    g_ptr_array_add(b->nodes, n);
    return n;
}

static void node_free(gpointer p)
{
    machine_node *n = p;
    g_free(n->name);
    g_free(n->note);
    g_free(n);
}

/* Options of a model or region as text; paths of files start at the description's folder. */
static char *options_of(machine_build *b, struct json_object *options, bool tame)
{
    struct json_object *copy = NULL, *v = NULL;
    if (!options)
        return g_strdup("{}");
    json_object_deep_copy(options, &copy, NULL);
    if (json_object_object_get_ex(copy, "file", &v) && json_object_is_type(v, json_type_string)) {
        char *path = machine_path(b->file, json_object_get_string(v));
        json_object_object_add(copy, "file", json_object_new_string(path));
        g_free(path);
    }
    if (json_object_object_get_ex(copy, "chardev", &v) && json_object_is_type(v, json_type_string)) {
        const char *spec = json_object_get_string(v);
        static const char *const prefixes[] = { "file:", "socket:" };
        bool named = !strcmp(spec, "stdio") || !strcmp(spec, "pty");
        for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
            if (g_str_has_prefix(spec, prefixes[i]) && spec[strlen(prefixes[i])]) {
                char *path = machine_path(b->file, spec + strlen(prefixes[i])), *with = g_strconcat(prefixes[i], path, NULL);
                json_object_object_add(copy, "chardev", json_object_new_string(with));
                g_free(path);
                g_free(with);
                named = true;
                break;
            }
        if (tame && named) /* another word is the model's to refuse */
            json_object_object_add(copy, "chardev", json_object_new_string("null"));
    }
    char *text = g_strdup(json_object_to_json_string_ext(copy, JSON_C_TO_STRING_PLAIN));
    json_object_put(copy);
    return text;
}

/* --- regions ---------------------------------------------------------------------------------------------------------- */
static uint32_t prot_of(const char *text)
{
    return (strchr(text, 'r') ? ORYX_PROT_READ : 0) | (strchr(text, 'w') ? ORYX_PROT_WRITE : 0) |
           (strchr(text, 'x') ? ORYX_PROT_EXEC : 0);
}

/* "target" and "lower" to regions. */
static bool link_of(machine_build *b, struct json_object *o, const char *pointer, const char *key, oryx_region **out)
{
    const char *name = machine_string(o, key, NULL);
    machine_node *n = name ? node_find(b, name) : NULL;
    if (name && !n)
        return unknown(b, pointer, key, "region", name);
    *out = n ? n->region : NULL;
    return true;
}

static bool place(machine_build *b, struct json_object *o, const char *pointer, machine_node *n)
{
    const char *in = machine_string(o, "in", "system");
    oryx_space *space = oryx_space_get(b->machine, in);
    machine_node *parent = space ? NULL : node_find(b, in);
    oryx_error err = { .code = ORYX_OK };
    if (!space && !parent)
        return unknown(b, pointer, "in", "space or region", in);
    n->parent = space ? oryx_space_root(space) : parent->region;
    struct json_object *p = member(o, "priority");
    n->priority = p ? (int32_t)json_object_get_int64(p) : 0;
    return oryx_region_add(n->parent, n->addr, n->region, n->priority, &err) == ORYX_OK || wrong_at(b, pointer, "addr", err.text);
}

static bool region(machine_build *b, struct json_object *o, const char *pointer)
{
    const char *name = machine_string(o, "name", ""), *type = machine_string(o, "type", ""), *file = machine_string(o, "file", NULL);
    bool iommu = !strcmp(type, "iommu");
    bool rom = !strcmp(type, "rom"), ram = rom || !strcmp(type, "ram"), device = !strcmp(type, "ram_device"),
         alias = !strcmp(type, "alias"), ok;
    struct json_object *options = member(o, "options"), *placed = member(o, "addr");
    uint64_t size = 0, addr = 0;
    uint32_t prot = prot_of(machine_string(o, "prot", rom ? "rx" : "rwx"));
    oryx_error err = { .code = ORYX_OK };
    oryx_region_config c = { .hdr = ORYX_HDR(oryx_region_config), .name = name };
    oryx_region *r = NULL;
    if (!fresh(b, pointer, "name", name) || !number(b, o, pointer, "size", &size) || !number(b, o, pointer, "addr", &addr) ||
        !number(b, o, pointer, "target_offset", &c.target_offset) || !number(b, o, pointer, "file_offset", &c.fd_offset) ||
        !link_of(b, o, pointer, "target", &c.target) || !link_of(b, o, pointer, "lower", &c.lower))
        return false;
    if (!size)
        return wrong_at(b, pointer, "size", "must be at least 1");
    if (alias && !c.target)
        return machine_wrong(b->file, pointer, "an alias needs \"target\", the region it shows");
    if (member(o, "in") && !placed)
        return machine_wrong(b->file, pointer, "\"in\" needs \"addr\", where in it");
    if (file && !device)
        return wrong_at(b, pointer, "file", "is for ram_device; images are loaded by \"images\"");
    if (member(o, "windows") && !iommu)
        return wrong_at(b, pointer, "windows", "is for iommu");
    if (iommu && !machine_windows(b, o, pointer, &c))
        return false;
    if (device && !file)
        return machine_wrong(b->file, pointer, "a ram_device needs \"file\", what is mapped");
    c.last = size - 1;
    c.prot = ram ? ORYX_PROT_ALL : prot; /* ram is written by images first: machine_build_new protects it */
    if (file) {
        char *path = machine_path(b->file, file);
        c.fd = open(path, (prot & ORYX_PROT_WRITE ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        c.use_fd = 1;
        char *trouble = c.fd < 0 ? g_strdup_printf("%s: %s", path, g_strerror(errno)) : NULL;
        g_free(path);
        if (trouble) {
            wrong_at(b, pointer, "file", trouble);
            g_free(trouble);
            return false;
        }
    }
    char *text = options ? options_of(b, options, false) : NULL;
    c.options = text;
    ok = oryx_region_new(b->machine, rom ? "ram" : type, &c, &r, &err) == ORYX_OK;
    g_free(text);
    if (file)
        close(c.fd);
    if (!ok)
        return refused(b, pointer, err.text);
    char *note = alias     ? g_strdup_printf("shows %s + 0x%" PRIx64, machine_string(o, "target", ""), c.target_offset)
                 : c.lower ? g_strdup_printf("above %s", machine_string(o, "lower", ""))
                 : rom     ? g_strdup("rom")
                 : file    ? g_strdup(file)
                           : NULL;
    machine_node *n = node_add(b, name, r, note);
    struct json_object *enabled = member(o, "enabled");
    n->prot = prot;
    n->addr = addr;
    n->target = c.target;
    n->enabled = !enabled || json_object_get_boolean(enabled);
    if (!n->enabled && oryx_region_enable(r, 0, &err))
        return machine_wrong(b->file, pointer, "%s", err.text);
    return !placed || place(b, o, pointer, n);
}

/* --- devices ---------------------------------------------------------------------------------------------------------- */
static bool map_one(machine_build *b, oryx_device *d, const char *cls, struct json_object *o, const char *pointer)
{
    const char *in = machine_string(o, "in", "system");
    oryx_space *space = oryx_space_get(b->machine, in);
    uint32_t n = (uint32_t)machine_number(o, "region", 0);
    uint64_t addr = 0;
    oryx_error err = { .code = ORYX_OK };
    if (!space)
        return unknown(b, pointer, "in", "space", in);
    if (!number(b, o, pointer, "addr", &addr))
        return false;
    if (oryx_device_map(d, n, space, addr, &err))
        return wrong_at(b, pointer, oryx_device_region(d, n) ? "addr" : "region", err.text);
    char *name = n ? g_strdup_printf("%s.%u", oryx_device_name(d), n) : g_strdup(oryx_device_name(d));
    machine_node *node = node_add(b, name, oryx_device_region(d, n), g_strdup_printf("device %s", cls));
    node->parent = oryx_space_root(space);
    node->addr = addr;
    node->prot = ORYX_PROT_READ | ORYX_PROT_WRITE;
    g_free(name);
    return true;
}

static bool device(machine_build *b, struct json_object *o, const char *pointer, bool tame)
{
    const char *name = machine_string(o, "name", ""), *cls = machine_string(o, "class", ""), *dma = machine_string(o, "dma", NULL);
    oryx_space *space = dma ? oryx_space_get(b->machine, dma) : NULL;
    oryx_error err = { .code = ORYX_OK };
    oryx_device *d = NULL;
    if (!fresh(b, pointer, "name", name))
        return false;
    if (dma && !space)
        return unknown(b, pointer, "dma", "space", dma);
    if (!oryx_plugin_interface(b->machine, ORYX_DEVICE_ID, cls, &err))
        return wrong_at(b, pointer, "class", err.code ? err.text : "no plugin provides this class of device; 'oryx plugins' lists them");
    char *options = options_of(b, member(o, "options"), tame);
    struct json_object *to = member(o, "options") ? member(member(o, "options"), "chardev") : NULL;
    const char *chardev = to ? json_object_get_string(to) : "null";
    b->listens |= !strcmp(chardev, "stdio") || !strcmp(chardev, "pty") || !strncmp(chardev, "socket:", 7);
    oryx_status s = oryx_device_new(b->machine, cls, name, options, &d, &err);
    g_free(options);
    if (s)
        return *err.text == '/' || !member(o, "options") ? refused(b, pointer, err.text) : wrong_at(b, pointer, "options", err.text);
    if (space)
        oryx_device_set_space(d, space);
    uint64_t requester = 0;
    struct json_object *secure = member(o, "secure");
    if (!number(b, o, pointer, "requester", &requester))
        return false;
    if (requester > UINT32_MAX)
        return wrong_at(b, pointer, "requester", "must fit into 32 bits");
    oryx_initiator who = { .hdr = ORYX_HDR(oryx_initiator), .requester = (uint32_t)requester,
                           .attrs = secure && json_object_get_boolean(secure) ? ORYX_ATTR_SECURE : 0 };
    oryx_device_set_initiator(d, &who);
    struct json_object *maps = machine_list(o, "map");
    bool ok = true;
    for (size_t i = 0; ok && i < machine_length(maps); i++) {
        char *p = g_strdup_printf("%s/map/%zu", pointer, i);
        ok = map_one(b, d, cls, json_object_array_get_idx(maps, i), p);
        g_free(p);
    }
    return ok;
}

/* The number of a line: as it stands, or of a CPU's by name. */
static bool line_of(machine_build *b, struct json_object *o, const char *pointer, const char *key, oryx_device *d,
                    const char *const *names, uint32_t *out)
{
    struct json_object *v = member(o, key);
    *out = 0;
    if (!json_object_is_type(v, json_type_string)) {
        *out = (uint32_t)machine_number(o, key, 0);
        return true;
    }
    bool is_cpu = false;
    oryx_vcpu *cpu;
    for (uint32_t i = 0; (cpu = oryx_machine_vcpu(b->machine, i)) != NULL; i++)
        is_cpu |= oryx_vcpu_device(cpu) == d;
    for (; is_cpu && names && names[*out]; ++*out)
        if (!strcmp(names[*out], json_object_get_string(v)))
            return true;
    GString *text = g_string_new(is_cpu ? "a line of a CPU is a number or one of" : "is a number; only lines of CPUs have names");
    for (uint32_t i = 0; is_cpu && names && names[i]; i++)
        g_string_append_printf(text, " %s", names[i]);
    wrong_at(b, pointer, key, text->str);
    g_string_free(text, TRUE);
    return false;
}

static bool irq(machine_build *b, struct json_object *o, const char *pointer)
{
    const char *from = machine_string(o, "from", ""), *to = machine_string(o, "to", "");
    oryx_device *a = oryx_device_find(b->machine, from), *z = oryx_device_find(b->machine, to);
    const oryx_arch_ops *arch = oryx_machine_arch(b->machine);
    oryx_error err = { .code = ORYX_OK };
    uint32_t line, input;
    if (!a || !z)
        return unknown(b, pointer, a ? "to" : "from", "device", a ? to : from);
    if (!line_of(b, o, pointer, "line", a, arch->irq_outs, &line) || !line_of(b, o, pointer, "input", z, arch->irqs, &input))
        return false;
    return oryx_device_connect(a, line, z, input, &err) == ORYX_OK || machine_wrong(b->file, pointer, "%s", err.text);
}

/* --- CPUs ------------------------------------------------------------------------------------------------------------- */
static bool set_register(machine_build *b, oryx_vcpu *v, struct json_object *regs, const char *pointer, const char *name)
{
    uint8_t bytes[16] = { 0 };
    uint64_t value = 0;
    int32_t reg = oryx_reg_find(b->machine, name);
    struct json_object *o = member(regs, name);
    if (reg < 0)
        return wrong_at(b, pointer, name, "there is no such register; 'oryx arch' lists them");
    if (!json_object_is_type(o, json_type_int) && !json_object_is_type(o, json_type_string))
        return wrong_at(b, pointer, name, "must be a number, or a string with one");
    if (json_object_is_type(o, json_type_int) && json_object_get_int64(o) < 0)
        value = (uint64_t)json_object_get_int64(o);
    else if (!number(b, regs, pointer, name, &value))
        return false;
    const oryx_reg *row = oryx_reg_row(b->machine, reg);
    if (row->size < 8 && value >> (8 * row->size) && (int64_t)value >= 0)
        return wrong_at(b, pointer, name, "does not fit into the register");
    memcpy(bytes, &value, sizeof value);
    oryx_status s = oryx_reg_write(v, reg, bytes, row->size);
    return s == ORYX_OK || wrong_at(b, pointer, name, oryx_status_text(s));
}

static bool cpu(machine_build *b, struct json_object *o, const char *pointer)
{
    const char *space = machine_string(o, "space", NULL);
    oryx_error err = { .code = ORYX_OK };
    oryx_vcpu *v = NULL;
    oryx_vcpu_config c = { .hdr = ORYX_HDR(oryx_vcpu_config), .model = machine_string(o, "model", NULL),
                           .mode = machine_string(o, "mode", NULL), .space = space ? oryx_space_get(b->machine, space) : NULL };
    if (space && !c.space)
        return unknown(b, pointer, "space", "space", space);
    char own[16];
    snprintf(own, sizeof own, "cpu%u", b->cpus->len);
    if (oryx_machine_arch(b->machine)->irqs && oryx_device_find(b->machine, own))
        return machine_wrong(b->file, pointer, "a device is named '%s', which is the name of this CPU; rename it", own);
    if (oryx_vcpu_new(b->machine, &c, &v, &err))
        return machine_wrong(b->file, pointer, "%s", err.text);
    g_ptr_array_add(b->cpus, v);
    oryx_vcpu_device(v); /* from now on wires find it by name */
    struct json_object *regs = member(o, "regs");
    char *p = machine_pointer(pointer, "regs");
    bool ok = true;
    if (regs) {
        json_object_object_foreach(regs, name, value)
        {
            (void)value;
            ok = ok && set_register(b, v, regs, p, name);
        }
    }
    g_free(p);
    uint64_t pc = b->has_entry ? b->entry : oryx_vcpu_pc(v);
    if (!ok || !number(b, o, pointer, "pc", &pc))
        return false;
    if (b->has_entry || member(o, "pc"))
        oryx_vcpu_set_pc(v, pc);
    return true;
}

/* --- all -------------------------------------------------------------------------------------------------------------- */
/* What a machine could not be made of: the member that named it. */
static bool not_made(machine_build *b, char *const *files, const char *engine, const char *text)
{
    struct json_object *list = machine_list(b->file->root, "plugins");
    for (size_t i = 0; *files && i < machine_length(list); i++) {
        const char *spec = json_object_get_string(json_object_array_get_idx(list, i));
        char **words = g_strsplit(spec, ",", 2), *path = machine_path(b->file, words[0]);
        char *shortest = g_canonicalize_filename(path, NULL);
        bool this = g_str_has_prefix(text, path) || g_str_has_prefix(text, shortest);
        g_free(shortest);
        g_free(path);
        g_strfreev(words);
        if (!this)
            continue;
        char *p = g_strdup_printf("/plugins/%zu", i);
        machine_wrong(b->file, p, "%s", text);
        g_free(p);
        return false;
    }
    bool about = strstr(text, ORYX_ENGINE_ID), options = g_str_has_prefix(text, "engine '");
    if (engine && (about || options)) {
        b->file->code = EXIT_CANNOT_RUN;
        tool_fail(0, "--engine %s: %s", engine, text);
        return false;
    }
    bool given = member(b->file->root, "engine_options");
    return machine_wrong(b->file, about ? "/engine" : options && given ? "/engine_options" : options ? "/engine" : "/arch", "%s", text);
}

static bool make_machine(machine_build *b, const char *plugin_path, const char *engine)
{
    struct json_object *root = b->file->root, *options = member(root, "engine_options"), *list = machine_list(root, "plugins");
    oryx_error err = { .code = ORYX_OK };
    char *own, *own_options;
    tool_engine(engine, &own, &own_options);
    GPtrArray *specs = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < machine_length(list); i++) {
        const char *spec = json_object_get_string(json_object_array_get_idx(list, i));
        char **words = g_strsplit(spec, ",", 2);
        bool file = strchr(words[0], '/') || g_str_has_suffix(words[0], ".so");
        char *path = file ? machine_path(b->file, words[0]) : g_strdup(words[0]);
        g_ptr_array_add(specs, words[1] ? g_strdup_printf("%s,%s", path, words[1]) : g_strdup(path));
        g_free(path);
        g_strfreev(words);
    }
    g_ptr_array_add(specs, NULL);
    char **files = tool_plugin_files((char **)specs->pdata);
    oryx_machine_config c = { .hdr = ORYX_HDR(oryx_machine_config), .arch = machine_string(root, "arch", ""),
                              .engine = own ? own : machine_string(root, "engine", NULL), .plugin_path = plugin_path,
                              .engine_options = own ? own_options : options ? json_object_to_json_string(options) : NULL,
                              .plugins = (const char *const *)files };
    bool ok = oryx_machine_new(&c, &b->machine, &err) == ORYX_OK || not_made(b, files, engine, err.text);
    g_free(own);
    g_free(own_options);
    for (guint i = 0; ok && specs->pdata[i]; i++) {
        char *one[] = { specs->pdata[i], NULL }, *p = g_strdup_printf("/plugins/%u", i);
        ok = tool_plugins_attach(b->machine, one, &err) || machine_wrong(b->file, p, "%s", err.text);
        g_free(p);
    }
    g_strfreev(files);
    g_ptr_array_unref(specs);
    return ok;
}

static bool spaces(machine_build *b)
{
    struct json_object *list = machine_list(b->file->root, "spaces");
    bool ok = true;
    g_ptr_array_add(b->spaces, g_strdup("system"));
    for (size_t i = 0; ok && i < machine_length(list); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(list, i));
        char *p = g_strdup_printf("/spaces/%zu", i);
        oryx_error err = { .code = ORYX_OK };
        oryx_space *s;
        if (oryx_space_get(b->machine, name))
            ok = machine_wrong(b->file, p, "there is a space '%s' already; choose another name", name);
        else
            ok = oryx_space_new(b->machine, name, &s, &err) == ORYX_OK || machine_wrong(b->file, p, "%s", err.text);
        g_ptr_array_add(b->spaces, g_strdup(name));
        g_free(p);
    }
    return ok;
}

static bool policy(machine_build *b, struct json_object *o, const char *pointer)
{
    static const struct {
        const char *key;
        size_t at;
    } rows[] = { { "read_unassigned", offsetof(oryx_policy, read_unassigned) }, { "write_unassigned", offsetof(oryx_policy, write_unassigned) },
                 { "read_error", offsetof(oryx_policy, read_error) }, { "write_error", offsetof(oryx_policy, write_error) } };
    static const char *const words[] = { "fault", "ones", "zeros", "ignore" }; /* ORYX_ON_* */
    const char *in = machine_string(o, "space", "system");
    oryx_space *space = oryx_space_get(b->machine, in);
    oryx_policy p = { .hdr = ORYX_HDR(oryx_policy) };
    oryx_error err = { .code = ORYX_OK };
    if (!space)
        return unknown(b, pointer, "space", "space", in);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        for (uint8_t k = 0; k < G_N_ELEMENTS(words); k++)
            if (!strcmp(machine_string(o, rows[i].key, "fault"), words[k]))
                ((uint8_t *)&p)[rows[i].at] = k;
    return oryx_space_set_policy(space, &p, &err) == ORYX_OK || machine_wrong(b->file, pointer, "%s", err.text);
}

static bool each(machine_build *b, const char *key, bool (*fn)(machine_build *b, struct json_object *o, const char *pointer))
{
    struct json_object *list = machine_list(b->file->root, key);
    bool ok = true;
    for (size_t i = 0; ok && i < machine_length(list); i++) {
        char *p = g_strdup_printf("/%s/%zu", key, i);
        ok = fn(b, json_object_array_get_idx(list, i), p);
        g_free(p);
    }
    return ok;
}

static bool tame_device(machine_build *b, struct json_object *o, const char *pointer)
{
    return device(b, o, pointer, true);
}

static bool wild_device(machine_build *b, struct json_object *o, const char *pointer)
{
    return device(b, o, pointer, false);
}

static bool images(machine_build *b)
{
    bool ok = true;
    for (size_t i = 0; ok && i < machine_length(machine_list(b->file->root, "images")); i++)
        ok = machine_image(b, i);
    return ok;
}

/* ram took every write while images were loaded; from now on what the description says. */
static bool protect(machine_build *b)
{
    oryx_error err = { .code = ORYX_OK };
    for (guint i = 0; i < b->nodes->len; i++) {
        machine_node *n = b->nodes->pdata[i];
        if (!strcmp(n->type, "ram") && n->prot != ORYX_PROT_ALL && oryx_region_protect(n->region, n->prot, &err))
            return machine_wrong(b->file, "/regions", "%s", err.text);
    }
    return true;
}

/* The personality that serves requests to the host. */
static bool semihosting(machine_build *b)
{
    struct json_object *o = member(b->file->root, "semihosting"), *copy = NULL, *v = NULL;
    oryx_error err = { .code = ORYX_OK };
    if (!o || (json_object_is_type(o, json_type_boolean) && !json_object_get_boolean(o)))
        return true;
    if (json_object_is_type(o, json_type_object)) {
        json_object_deep_copy(o, &copy, NULL);
        if (json_object_object_get_ex(copy, "root", &v)) {
            char *path = machine_path(b->file, json_object_get_string(v));
            json_object_object_add(copy, "root", json_object_new_string(path));
            g_free(path);
        }
    }
    oryx_os_config c = { .hdr = ORYX_HDR(oryx_os_config), .options = copy ? json_object_to_json_string(copy) : NULL };
    oryx_status s = oryx_os_new(b->machine, "semihost", &c, &err);
    json_object_put(copy);
    return s == ORYX_OK || wrong_at(b, "", "semihosting", err.text);
}

/* Addresses at which CPUs end. */
static bool ends(machine_build *b)
{
    struct json_object *list = machine_list(b->file->root, "until");
    for (size_t i = 0; i < machine_length(list); i++) {
        struct json_object *v = json_object_array_get_idx(list, i);
        uint64_t addr = json_object_get_uint64(v);
        if (json_object_is_type(v, json_type_string) && !tool_number(json_object_get_string(v), &addr)) {
            char *p = g_strdup_printf("/until/%zu", i);
            machine_wrong(b->file, p, "\"%s\" does not fit into 64 bits", json_object_get_string(v));
            g_free(p);
            return false;
        }
        g_array_append_val(b->until, addr);
    }
    return true;
}

machine_build *machine_build_new(machine_file *f, const char *plugin_path, const char *engine, bool tame)
{
    machine_build *b = g_new0(machine_build, 1);
    b->file = f;
    b->nodes = g_ptr_array_new_with_free_func(node_free);
    b->spaces = g_ptr_array_new_with_free_func(g_free);
    b->cpus = g_ptr_array_new();
    b->iommus = g_ptr_array_new_with_free_func(g_free);
    b->until = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    if (make_machine(b, plugin_path, engine) && spaces(b) && each(b, "policies", policy) && each(b, "regions", region) &&
        each(b, "devices", tame ? tame_device : wild_device) && images(b) && protect(b) && ends(b) && semihosting(b) && each(b, "cpus", cpu) &&
        each(b, "irqs", irq))
        return b;
    machine_build_free(b);
    return NULL;
}

void machine_build_free(machine_build *b)
{
    if (!b)
        return;
    oryx_machine_destroy(b->machine);
    g_ptr_array_unref(b->nodes);
    g_ptr_array_unref(b->spaces);
    g_ptr_array_unref(b->cpus);
    g_ptr_array_unref(b->iommus);
    g_array_unref(b->until);
    g_free(b);
}
