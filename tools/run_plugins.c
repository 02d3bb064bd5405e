/* --plugin P[,k=v...]: P is a file, a plugin id or a probe's class; the options go to the probes it provides as one JSON
 * object. Used by `oryx run`. */
#include <string.h>

#include "tool.h"

/* k=v words to a JSON object: true, false and numbers keep their type, a lone word is true. */
static struct json_object *options_of(char **words)
{
    struct json_object *o = json_object_new_object();
    for (; words && *words; words++) {
        char *equals = strchr(*words, '=');
        const char *value = equals ? equals + 1 : "true";
        uint64_t n;
        char *key = equals ? g_strndup(*words, (gsize)(equals - *words)) : g_strdup(*words);
        struct json_object *v = !strcmp(value, "true") || !strcmp(value, "false")
                                    ? json_object_new_boolean(value[0] == 't')
                                    : tool_number(value, &n) && value[1] != 'x' ? json_object_new_int64((int64_t)n)
                                                                                : json_object_new_string(value);
        json_object_object_add(o, key, v);
        g_free(key);
    }
    return o;
}

static bool is_file(const char *spec)
{
    return strchr(spec, '/') || g_str_has_suffix(spec, ".so");
}

char **tool_plugin_files(char **specs)
{
    GPtrArray *files = g_ptr_array_new();
    for (; specs && *specs; specs++) {
        char **words = g_strsplit(*specs, ",", 2);
        if (words[0] && is_file(words[0]))
            g_ptr_array_add(files, g_strdup(words[0]));
        g_strfreev(words);
    }
    g_ptr_array_add(files, NULL);
    return (char **)g_ptr_array_free(files, FALSE);
}

static bool attach_provided(oryx_machine *m, const char *name, const char *manifest, const char *options, oryx_error *err)
{
    struct json_object *o = json_tokener_parse(manifest), *list = NULL, *v = NULL;
    bool ok = true;
    json_object_object_get_ex(o, "provides", &list);
    unsigned probes = 0;
    for (size_t i = 0; ok && i < json_object_array_length(list); i++) {
        struct json_object *e = json_object_array_get_idx(list, i);
        json_object_object_get_ex(e, "interface", &v);
        if (strcmp(json_object_get_string(v), ORYX_PROBE_ID) != 0)
            continue;
        json_object_object_get_ex(e, "class", &v);
        probes++;
        ok = oryx_probe_attach(m, json_object_get_string(v), options, NULL, err) == ORYX_OK;
    }
    if (ok && !probes && strcmp(options, "{ }") != 0) {
        oryx_error_set(err, ORYX_E_INVALID, "options were given to a plugin that provides no probe");
        ok = false;
    }
    (void)name;
    json_object_put(o);
    return ok;
}

bool tool_plugins_attach(oryx_machine *m, char **specs, oryx_error *err)
{
    bool ok = true;
    for (; ok && specs && *specs; specs++) {
        char **words = g_strsplit(*specs, ",", 0);
        struct json_object *o = options_of(words[0] ? words + 1 : NULL);
        const char *options = json_object_to_json_string(o), *name = words[0] ? words[0] : "";
        oryx_plugin *p = NULL;
        oryx_plugin_info info;
        ok = oryx_plugin_load(m, name, &p, err) == ORYX_OK;
        if (ok) {
            oryx_plugin_describe(p, &info);
            ok = attach_provided(m, name, info.manifest, options, err);
        } else if (err->code == ORYX_E_NOTFOUND && !is_file(name)) {
            oryx_error first = *err; /* not an id: perhaps a probe's class */
            ok = oryx_probe_attach(m, name, options, NULL, err) == ORYX_OK;
            if (!ok && err->code == ORYX_E_NOTFOUND)
                *err = first;
        }
        json_object_put(o);
        g_strfreev(words);
    }
    return ok;
}
