/* Plugin manifests: JSON text to struct, every field checked. Called by plugin_host.c with the note of a file that is not
 * loaded yet. Unknown members are ignored, so a newer manifest still reads. */
#include <ctype.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_host.h"

#define MANIFEST_MAX 65536u

static bool word(const char *s, const char *also)
{
    size_t n = s ? strlen(s) : 0;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr(also, s[i]))
            return false;
    return n > 0 && n < 128;
}

static const char *text_of(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ? json_object_get_string(v)
                                                                                             : NULL;
}

/* major.minor.patch with missing parts zero; false when malformed. */
static bool version_parse(const char **s, uint32_t v[3])
{
    v[0] = v[1] = v[2] = 0;
    for (int i = 0; i < 3; i++) {
        char *end;
        if (!isdigit((unsigned char)**s))
            return false;
        unsigned long n = strtoul(*s, &end, 10);
        if (n > UINT32_MAX)
            return false;
        v[i] = (uint32_t)n;
        *s = end;
        if (*end != '.')
            return true;
        *s = end + 1;
    }
    return false;
}

int oryx__version_in(const char *version, const char *range)
{
    uint32_t v[3], w[3];
    if (!version_parse(&version, v) || *version)
        return -1;
    int in = 1;
    while (range && *range) {
        if (*range == ' ') {
            range++;
            continue;
        }
        char op = *range == '<' || *range == '>' || *range == '=' ? *range : 0;
        bool equal = op == '=' || (op && range[1] == '=');
        range += op ? 1 + (op != '=' && range[1] == '=') : 0;
        if (!version_parse(&range, w) || (*range && *range != ' '))
            return -1;
        int order = 0;
        for (int i = 0; i < 3 && !order; i++)
            order = (v[i] > w[i]) - (v[i] < w[i]);
        in &= (order == 0 && (equal || !op)) || (order < 0 && op == '<') || (order > 0 && op == '>');
    }
    return in;
}

static bool parse_abi(struct json_object *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    struct json_object *abi = NULL, *major = NULL, *minor = NULL;
    bool ok = json_object_object_get_ex(o, "abi", &abi) && json_object_object_get_ex(abi, "major", &major) &&
              json_object_is_type(major, json_type_int);
    if (!oryx__rule(r, ok, ORYX_E_FORMAT, "abi", "the manifest needs \"abi\": {\"major\": %u, \"minor\": N}", ORYX_ABI_MAJOR))
        return false;
    m->abi_major = (uint32_t)json_object_get_int(major);
    m->abi_minor = json_object_object_get_ex(abi, "minor", &minor) ? (uint32_t)json_object_get_int(minor) : 0;
    return oryx__rule(r, m->abi_major == ORYX_ABI_MAJOR && m->abi_minor <= ORYX_ABI_MINOR, ORYX_E_VERSION, "abi version",
                      "built for plugin ABI %u.%u, this Oryx speaks %u.0 to %u.%u (%s)", m->abi_major, m->abi_minor,
                      ORYX_ABI_MAJOR, ORYX_ABI_MAJOR, ORYX_ABI_MINOR,
                      m->abi_major < ORYX_ABI_MAJOR ? "rebuild the plugin" : "install a newer Oryx");
}

static bool parse_provides(struct json_object *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    struct json_object *list = NULL;
    bool ok = json_object_object_get_ex(o, "provides", &list) && json_object_is_type(list, json_type_array) &&
              json_object_array_length(list) > 0;
    uint32_t n = ok ? (uint32_t)json_object_array_length(list) : 0;
    ok = ok && (m->provides = oryx__alloc(n * sizeof *m->provides)) != NULL;
    for (uint32_t i = 0; ok && i < n; i++) {
        struct json_object *e = json_object_array_get_idx(list, i);
        const char *interface = text_of(e, "interface"), *cls = text_of(e, "class");
        ok = word(interface, "._-/") && word(cls, "._-") && (m->provides[i].interface = oryx__strdup(interface)) &&
             (m->provides[i].cls = oryx__strdup(cls));
        m->n_provides = i + 1;
    }
    return oryx__rule(r, ok, ORYX_E_FORMAT, "provides",
                      "the manifest needs \"provides\": [{\"interface\": \"oryx.device/1\", \"class\": \"name\"}, ...]");
}

static bool parse_requires(struct json_object *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    struct json_object *list = NULL, *optional = NULL;
    if (!json_object_object_get_ex(o, "requires", &list))
        return true;
    bool ok = json_object_is_type(list, json_type_array);
    uint32_t n = ok ? (uint32_t)json_object_array_length(list) : 0;
    ok = ok && (!n || (m->requires = oryx__alloc(n * sizeof *m->requires)) != NULL);
    for (uint32_t i = 0; ok && i < n; i++) {
        struct json_object *e = json_object_array_get_idx(list, i);
        const char *id = text_of(e, "id"), *range = text_of(e, "range");
        struct oryx__require *q = &m->requires[i];
        m->n_requires = i + 1;
        q->optional = json_object_object_get_ex(e, "optional", &optional) && json_object_get_boolean(optional);
        ok = word(id, "._-") && oryx__version_in("0", range) >= 0 && (q->id = oryx__strdup(id)) &&
             (!range || (q->range = oryx__strdup(range)));
    }
    return oryx__rule(r, ok, ORYX_E_FORMAT, "requires",
                      "\"requires\" must be [{\"id\": \"name\", \"range\": \">=1.0 <2\", \"optional\": false}, ...]");
}

/* "state": {"version": 2, "reads": [1, 2]}: saved state as it is written, and the versions that can be read. */
static bool parse_state(struct json_object *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    struct json_object *state = NULL, *version = NULL, *reads = NULL;
    m->state_version = m->state_low = m->state_high = 1;
    if (!json_object_object_get_ex(o, "state", &state))
        return true;
    int64_t v = json_object_object_get_ex(state, "version", &version) ? json_object_get_int64(version) : 0, low = v, high = v;
    if (json_object_object_get_ex(state, "reads", &reads) && json_object_is_type(reads, json_type_array) &&
        json_object_array_length(reads) == 2) {
        low = json_object_get_int64(json_object_array_get_idx(reads, 0));
        high = json_object_get_int64(json_object_array_get_idx(reads, 1));
    }
    if (!oryx__rule(r, v >= 1 && v <= INT32_MAX && low >= 1 && low <= v && high >= v && high <= INT32_MAX, ORYX_E_FORMAT, "state",
                    "\"state\" must be {\"version\": N, \"reads\": [LOW, HIGH]} with LOW <= N <= HIGH"))
        return false;
    m->state_version = (uint32_t)v;
    m->state_low = (uint32_t)low;
    m->state_high = (uint32_t)high;
    return true;
}

bool oryx__manifest_parse(const char *text, size_t n, struct oryx__manifest *m, struct oryx__rules *r)
{
    struct json_object *o = NULL;
    bool ok = n > 0 && n <= MANIFEST_MAX && text[n - 1] == 0 && strlen(text) + 4 >= n;
    if (!oryx__rule(r, ok, ORYX_E_FORMAT, "manifest text", "the manifest must be NUL-terminated text of at most %u bytes",
                    MANIFEST_MAX))
        return false;
    struct json_tokener *tokener = json_tokener_new_ex(16);
    if (tokener) {
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
        o = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    }
    ok = o && json_object_is_type(o, json_type_object);
    ok = oryx__rule(r, ok, ORYX_E_FORMAT, "manifest json", "the manifest must be one JSON object (%s at byte %zu)",
                    tokener ? json_tokener_error_desc(json_tokener_get_error(tokener)) : "out of memory",
                    tokener ? json_tokener_get_parse_end(tokener) : 0);
    if (ok) {
        const char *id = text_of(o, "id"), *version = text_of(o, "version"), *licence = text_of(o, "licence");
        ok = oryx__rule(r, word(id, "._-"), ORYX_E_FORMAT, "id", "\"id\" must be a word of letters, digits, '.', '_' and '-'") &&
             oryx__rule(r, version && oryx__version_in(version, NULL) == 1, ORYX_E_FORMAT, "version",
                        "\"version\" must read like \"1.2.3\"") &&
             (m->id = oryx__strdup(id)) && (m->version = oryx__strdup(version)) &&
             (m->licence = oryx__strdup(licence ? licence : "")) && (m->json = oryx__strdup(text)) && parse_abi(o, m, r) &&
             parse_provides(o, m, r) && parse_requires(o, m, r) && parse_state(o, m, r);
    }
    json_object_put(o);
    if (tokener)
        json_tokener_free(tokener);
    return ok;
}

void oryx__manifest_free(struct oryx__manifest *m)
{
    for (uint32_t i = 0; i < m->n_provides; i++) {
        oryx__free(m->provides[i].interface);
        oryx__free(m->provides[i].cls);
    }
    for (uint32_t i = 0; i < m->n_requires; i++) {
        oryx__free(m->requires[i].id);
        oryx__free(m->requires[i].range);
    }
    oryx__free(m->provides);
    oryx__free(m->requires);
    oryx__free(m->json);
    oryx__free(m->id);
    oryx__free(m->version);
    oryx__free(m->licence);
    memset(m, 0, sizeof *m);
}
