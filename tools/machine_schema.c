/* Validation by docs/machine.schema.json, which is compiled in: one list of members for users, editors and the command.
 * The keywords it uses are understood here: $ref to $defs, type, properties, required, additionalProperties false, items,
 * minItems, minLength, enum, const, pattern, minimum, maximum, allOf, if and then. */
#include <string.h>

#include "machine.h"

static const char schema_text[] = {
#include "machine_schema_bytes.h"
};

static struct json_object *get(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;
    return json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static bool is_type(struct json_object *v, const char *type)
{
    return !strcmp(type, json_type_to_name(json_object_get_type(v))) ||
           ((!strcmp(type, "integer") || !strcmp(type, "number")) && json_object_is_type(v, json_type_int)) ||
           (!strcmp(type, "number") && json_object_is_type(v, json_type_double));
}

/* "type" is one name or a list of them. */
static bool has_type(struct json_object *v, struct json_object *type)
{
    if (json_object_is_type(type, json_type_string))
        return is_type(v, json_object_get_string(type));
    for (size_t i = 0; i < json_object_array_length(type); i++)
        if (is_type(v, json_object_get_string(json_object_array_get_idx(type, i))))
            return true;
    return false;
}

/* What is allowed, for messages: names of an enum or of an object's members. */
static char *names(struct json_object *o)
{
    GString *s = g_string_new(NULL);
    if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", json_object_get_string(json_object_array_get_idx(o, i)));
    } else if (o) {
        json_object_object_foreach(o, key, v)
        {
            (void)v;
            if (*key != '$')
                g_string_append_printf(s, "%s%s", s->len ? ", " : "", key);
        }
    }
    return g_string_free(s, FALSE);
}

static bool wrong_with(machine_file *f, const char *pointer, const char *what, struct json_object *allowed)
{
    char *list = names(allowed);
    machine_wrong(f, pointer, "%s: %s", what, list);
    g_free(list);
    return false;
}

static bool check(machine_file *f, struct json_object *root, struct json_object *rule, struct json_object *v, const char *pointer);

static bool check_object(machine_file *f, struct json_object *root, struct json_object *rule, struct json_object *v,
                         const char *pointer)
{
    struct json_object *properties = get(rule, "properties"), *required = get(rule, "required"), *more = get(rule, "additionalProperties");
    for (size_t i = 0; required && i < json_object_array_length(required); i++) {
        const char *key = json_object_get_string(json_object_array_get_idx(required, i));
        if (!json_object_object_get_ex(v, key, NULL))
            return machine_wrong(f, pointer, "member \"%s\" is missing", key);
    }
    bool ok = true;
    json_object_object_foreach(v, key, member)
    {
        struct json_object *below = get(properties, key);
        char *p = machine_pointer(pointer, key);
        if (below)
            ok = check(f, root, below, member, p);
        else if (more && !json_object_get_boolean(more))
            ok = wrong_with(f, p, "unknown member; known are", properties);
        g_free(p);
        if (!ok)
            break;
    }
    return ok;
}

/* Does the value match the rule of an "if"? It has required members and constants of members only. */
static bool matches(struct json_object *rule, struct json_object *v)
{
    struct json_object *required = get(rule, "required"), *properties = get(rule, "properties");
    for (size_t i = 0; required && i < json_object_array_length(required); i++)
        if (!get(v, json_object_get_string(json_object_array_get_idx(required, i))))
            return false;
    json_object_object_foreach(properties, key, one)
    {
        struct json_object *is = get(v, key);
        if (is && !json_object_equal(get(one, "const"), is))
            return false;
    }
    return true;
}

static bool check_conditions(machine_file *f, struct json_object *root, struct json_object *rule, struct json_object *v,
                             const char *pointer)
{
    struct json_object *all = get(rule, "allOf"), *condition = get(rule, "if");
    for (size_t i = 0; all && i < json_object_array_length(all); i++)
        if (!check(f, root, json_object_array_get_idx(all, i), v, pointer))
            return false;
    return !condition || !matches(condition, v) || check(f, root, get(rule, "then"), v, pointer);
}

static bool check_string(machine_file *f, struct json_object *rule, const char *text, const char *pointer)
{
    struct json_object *pattern = get(rule, "pattern"), *least = get(rule, "minLength"), *about = get(rule, "description");
    if (least && strlen(text) < (size_t)json_object_get_int(least))
        return machine_wrong(f, pointer, "must not be empty");
    if (pattern && !g_regex_match_simple(json_object_get_string(pattern), text, G_REGEX_DOLLAR_ENDONLY, 0))
        return machine_wrong(f, pointer, "\"%s\" does not look like %s%s%s%s", text, json_object_get_string(pattern), about ? " (" : "",
                             about ? json_object_get_string(about) : "", about ? ")" : "");
    return true;
}

static bool check(machine_file *f, struct json_object *root, struct json_object *rule, struct json_object *v, const char *pointer)
{
    struct json_object *ref = get(rule, "$ref"), *o;
    if (ref) {
        const char *name = strrchr(json_object_get_string(ref), '/');
        rule = get(get(root, "$defs"), name ? name + 1 : "");
    }
    if ((o = get(rule, "type")) && !has_type(v, o)) {
        if (json_object_is_type(o, json_type_string))
            return machine_wrong(f, pointer, "must be of type %s, not %s", json_object_get_string(o),
                                 json_type_to_name(json_object_get_type(v)));
        return wrong_with(f, pointer, "must be one of these types", o);
    }
    if ((o = get(rule, "enum"))) {
        size_t i = 0;
        while (i < json_object_array_length(o) && !json_object_equal(json_object_array_get_idx(o, i), v))
            i++;
        if (i == json_object_array_length(o))
            return wrong_with(f, pointer, "must be one of", o);
    }
    switch (json_object_get_type(v)) {
    case json_type_double:
        if (((o = get(rule, "minimum")) && json_object_get_double(v) < json_object_get_double(o)) ||
            ((o = get(rule, "maximum")) && json_object_get_double(v) > json_object_get_double(o)))
            return machine_wrong(f, pointer, "must be from %g to %g", json_object_get_double(get(rule, "minimum")),
                                 json_object_get_double(get(rule, "maximum")));
        return true;
    case json_type_int:
        if ((o = get(rule, "minimum")) && json_object_get_int64(v) < json_object_get_int64(o))
            return machine_wrong(f, pointer, "must be at least %" G_GINT64_FORMAT, (gint64)json_object_get_int64(o));
        if ((o = get(rule, "maximum")) && json_object_get_int64(v) > json_object_get_int64(o))
            return machine_wrong(f, pointer, "must be at most %" G_GINT64_FORMAT, (gint64)json_object_get_int64(o));
        return true;
    case json_type_string:
        return check_string(f, rule, json_object_get_string(v), pointer);
    case json_type_object:
        return check_object(f, root, rule, v, pointer) && check_conditions(f, root, rule, v, pointer);
    case json_type_array:
        if ((o = get(rule, "minItems")) && json_object_array_length(v) < (size_t)json_object_get_int(o))
            return machine_wrong(f, pointer, "needs at least %d elements", json_object_get_int(o));
        o = get(rule, "items");
        for (size_t i = 0; o && i < json_object_array_length(v); i++) {
            char *p = g_strdup_printf("%s/%zu", pointer, i);
            bool ok = check(f, root, o, json_object_array_get_idx(v, i), p);
            g_free(p);
            if (!ok)
                return false;
        }
        return true;
    default:
        return true;
    }
}

bool machine_validate(machine_file *f)
{
    struct json_object *root = json_tokener_parse(schema_text);
    bool ok = check(f, root, root, f->root, "");
    json_object_put(root);
    return ok;
}
