/* Options of ready-made quirks: numbers, words and what is wrong with them.
 * Owns: nothing. Called by: the kinds while a region is made.
 * Invariant: every refusal begins with the JSON pointer of the member, so that who read the options
 * from a file can tell the line. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "quirk.h"

oryx_status quirk_refuse(quirk *q, quirk_obj at, const char *key, oryx_status st, const char *fmt,
                         ...)
{
    char what[300], text[480];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    snprintf(text, sizeof(text), "%s%s%s: quirk region '%.63s': %s",
             *at.pointer || *key ? at.pointer : "/", *key ? "/" : "", key, q->name, what);
    return q->host->error_set(q->err, st, text);
}

oryx_status quirk_known(quirk *q, quirk_obj at, const char *const *keys)
{
    for (const oryx_json *v = at.json->first; v; v = v->next) {
        const char *const *k = keys, *key = v->key;
        while (*k && strcmp(*k, key))
            k++;
        if (*k)
            continue;
        char list[200] = "";
        for (k = keys; *k && strlen(list) + strlen(*k) + 3 < sizeof(list); k++) {
            strcat(list, k == keys ? "" : ", ");
            strcat(list, *k);
        }
        return quirk_refuse(q, at, key, ORYX_E_FORMAT, "unknown member; known are %s", list);
    }
    return ORYX_OK;
}

oryx_status quirk_number(quirk *q, quirk_obj at, const char *key, int needed, uint64_t min,
                         uint64_t max, uint64_t *out)
{
    const oryx_json *v = oryx_json_get(at.json, key);
    if (!v)
        return needed ? quirk_refuse(q, at, "", ORYX_E_FORMAT, "member \"%s\" is missing", key)
                      : ORYX_OK;
    uint64_t n = 0;
    if (!oryx_json_address(v, UINT64_MAX, &n))
        return quirk_refuse(q, at, key, ORYX_E_FORMAT,
                            "must be a number from 0, or a string such as \"0x1000\"");
    if (n < min || n > max)
        return quirk_refuse(q, at, key, ORYX_E_RANGE,
                            "must be %" PRIu64 " to %" PRIu64 ", not %" PRIu64, min, max, n);
    *out = n;
    return ORYX_OK;
}

oryx_status quirk_word(quirk *q, quirk_obj at, const char *key, const char *const *words, int *out)
{
    const oryx_json *v = oryx_json_get(at.json, key);
    const char *text = oryx_json_text(v);
    if (!v)
        return ORYX_OK;
    char list[200] = "";
    for (int i = 0; words[i]; i++) {
        if (text && !strcmp(words[i], text)) {
            *out = i;
            return ORYX_OK;
        }
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? ", " : "", words[i]);
    }
    return quirk_refuse(q, at, key, ORYX_E_FORMAT, "must be one of %s", list);
}
