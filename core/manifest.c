/* Plugin manifests: JSON text to struct, every field checked. Called by plugin_host.c with the note of a file that is not
 * loaded yet. Unknown members are ignored, so a newer manifest still reads. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "helper/oryx_json.h"
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

static const char *text_of(const oryx_json *o, const char *key)
{
    return oryx_json_text(oryx_json_get(o, key));
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

static bool parse_abi(const oryx_json *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    const oryx_json *abi = oryx_json_get(o, "abi"), *minor = oryx_json_get(abi, "minor");
    uint64_t high = 0, low = 0;
    bool ok = oryx_json_unsigned(oryx_json_get(abi, "major"), UINT64_MAX, &high) && (!minor || oryx_json_unsigned(minor, UINT64_MAX, &low));
    if (!oryx__rule(r, ok, ORYX_E_FORMAT, "abi", "the manifest needs \"abi\": {\"major\": %u, \"minor\": N}", ORYX_ABI_MAJOR))
        return false;
    m->abi_major = high > UINT32_MAX ? UINT32_MAX : (uint32_t)high;
    m->abi_minor = low > UINT32_MAX ? UINT32_MAX : (uint32_t)low;
    return oryx__rule(r, m->abi_major == ORYX_ABI_MAJOR && m->abi_minor <= ORYX_ABI_MINOR, ORYX_E_VERSION, "abi version",
                      "built for plugin ABI %u.%u, this Oryx speaks %u.0 to %u.%u (%s)", m->abi_major, m->abi_minor,
                      ORYX_ABI_MAJOR, ORYX_ABI_MAJOR, ORYX_ABI_MINOR,
                      m->abi_major < ORYX_ABI_MAJOR ? "rebuild the plugin" : "install a newer Oryx");
}

static bool parse_provides(const oryx_json *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    const oryx_json *list = oryx_json_get(o, "provides"), *e = list ? list->first : NULL;
    bool ok = oryx_json_is(list, ORYX_JSON_ARRAY) && list->n > 0;
    uint32_t n = ok ? list->n : 0;
    ok = ok && (m->provides = oryx__alloc(n * sizeof *m->provides)) != NULL;
    for (uint32_t i = 0; ok && i < n; i++, e = e->next) {
        const char *interface = text_of(e, "interface"), *cls = text_of(e, "class");
        ok = word(interface, "._-/") && word(cls, "._-") && (m->provides[i].interface = oryx__strdup(interface)) &&
             (m->provides[i].cls = oryx__strdup(cls));
        m->n_provides = i + 1;
    }
    return oryx__rule(r, ok, ORYX_E_FORMAT, "provides",
                      "the manifest needs \"provides\": [{\"interface\": \"oryx.device/1\", \"class\": \"name\"}, ...]");
}

static bool parse_requires(const oryx_json *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    const oryx_json *list = oryx_json_get(o, "requires"), *e = list ? list->first : NULL;
    if (!list)
        return true;
    bool ok = list->type == ORYX_JSON_ARRAY;
    uint32_t n = ok ? list->n : 0;
    ok = ok && (!n || (m->requires = oryx__alloc(n * sizeof *m->requires)) != NULL);
    for (uint32_t i = 0; ok && i < n; i++, e = e->next) {
        const oryx_json *optional = oryx_json_get(e, "optional");
        const char *id = text_of(e, "id"), *range = text_of(e, "range");
        struct oryx__require *q = &m->requires[i];
        m->n_requires = i + 1;
        q->optional = oryx_json_is(optional, ORYX_JSON_BOOL) && optional->u;
        ok = word(id, "._-") && oryx__version_in("0", range) >= 0 && (q->id = oryx__strdup(id)) &&
             (!range || (q->range = oryx__strdup(range)));
    }
    return oryx__rule(r, ok, ORYX_E_FORMAT, "requires",
                      "\"requires\" must be [{\"id\": \"name\", \"range\": \">=1.0 <2\", \"optional\": false}, ...]");
}

/* "state": {"version": 2, "reads": [1, 2]}: saved state as it is written, and the versions that can be read. */
static bool parse_state(const oryx_json *o, struct oryx__manifest *m, struct oryx__rules *r)
{
    const oryx_json *state = oryx_json_get(o, "state"), *reads = oryx_json_get(state, "reads");
    uint64_t v = 0, low, high;
    m->state_version = m->state_low = m->state_high = 1;
    if (!state)
        return true;
    bool ok = oryx_json_unsigned(oryx_json_get(state, "version"), INT32_MAX, &v);
    low = high = v;
    if (oryx_json_is(reads, ORYX_JSON_ARRAY) && reads->n == 2)
        ok = ok && oryx_json_unsigned(reads->first, INT32_MAX, &low) && oryx_json_unsigned(reads->first->next, INT32_MAX, &high);
    if (!oryx__rule(r, ok && v >= 1 && low >= 1 && low <= v && high >= v, ORYX_E_FORMAT, "state",
                    "\"state\" must be {\"version\": N, \"reads\": [LOW, HIGH]} with LOW <= N <= HIGH"))
        return false;
    m->state_version = (uint32_t)v;
    m->state_low = (uint32_t)low;
    m->state_high = (uint32_t)high;
    return true;
}

bool oryx__manifest_parse(const char *text, size_t n, struct oryx__manifest *m, struct oryx__rules *r)
{
    bool ok = n > 0 && n <= MANIFEST_MAX && text[n - 1] == 0 && strlen(text) + 4 >= n;
    if (!oryx__rule(r, ok, ORYX_E_FORMAT, "manifest text", "the manifest must be NUL-terminated text of at most %u bytes",
                    MANIFEST_MAX))
        return false;
    oryx_json_error why;
    oryx_json *o = oryx_json_parse(text, &why);
    if (!o && why.no_memory)
        return oryx__rule(r, false, ORYX_E_NOMEM, "manifest json", "out of memory");
    ok = oryx__rule(r, oryx_json_is(o, ORYX_JSON_OBJECT), ORYX_E_FORMAT, "manifest json", "the manifest must be one JSON object (%s at byte %zu)",
                    o || !why.what ? "it is none" : why.what, why.at);
    if (ok) {
        const char *id = text_of(o, "id"), *version = text_of(o, "version"), *licence = text_of(o, "licence");
        ok = oryx__rule(r, word(id, "._-"), ORYX_E_FORMAT, "id", "\"id\" must be a word of letters, digits, '.', '_' and '-'") &&
             oryx__rule(r, version && oryx__version_in(version, NULL) == 1, ORYX_E_FORMAT, "version",
                        "\"version\" must read like \"1.2.3\"") &&
             (m->id = oryx__strdup(id)) && (m->version = oryx__strdup(version)) &&
             (m->licence = oryx__strdup(licence ? licence : "")) && (m->json = oryx__strdup(text)) && parse_abi(o, m, r) &&
             parse_provides(o, m, r) && parse_requires(o, m, r) && parse_state(o, m, r);
    }
    free(o);
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
