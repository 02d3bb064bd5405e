/* Documents on standard input, each ended by a byte 0: each is read and written again by abi/helper/oryx_json.h, a line each, or
 * "bad: WHY at N". tests/abi/json_read.py compares with Python's json. */
#include <stdio.h>
#include <stdlib.h>

#include "helper/oryx_json.h"

static void write_again(oryx_json_out *w, const char *key, const oryx_json *v)
{
    char text[64];
    switch (v->type) {
    case ORYX_JSON_STRING:
        oryx_json_add_text(w, key, v->text);
        break;
    case ORYX_JSON_INT:
        if (v->negative)
            oryx_json_add_signed(w, key, (int64_t)v->u);
        else
            oryx_json_add(w, key, v->u);
        break;
    case ORYX_JSON_ARRAY:
    case ORYX_JSON_OBJECT:
        oryx_json_open(w, key, v->type == ORYX_JSON_ARRAY ? "[" : "{");
        for (const oryx_json *m = v->first; m; m = m->next)
            write_again(w, m->key, m);
        oryx_json_close(w, v->type == ORYX_JSON_ARRAY ? "]" : "}");
        break;
    default:
        snprintf(text, sizeof(text), "%.17g", v->d);
        if (v->type != ORYX_JSON_DOUBLE)
            snprintf(text, sizeof(text), "%s", v->type == ORYX_JSON_NULL ? "null" : v->u ? "true" : "false");
        else if (!strpbrk(text, ".e"))
            strcat(text, ".0");
        oryx_json_key(w, key);
        oryx_json_bytes(w, text, strlen(text));
    }
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getdelim(&line, &cap, 0, stdin)) > 0;) {
        oryx_json_error why;
        char *exact = strdup(line); /* so that a sanitizer sees one byte too far */
        oryx_json *v = exact ? oryx_json_parse(exact, &why) : NULL;
        oryx_json_out w = {0};
        if (!exact)
            return 1;
        if (v)
            write_again(&w, NULL, v);
        char *text = oryx_json_done(&w);
        if (v && text)
            puts(text);
        else
            printf("bad: %s at %zu\n", why.what, why.at);
        free(text);
        free(v);
        free(exact);
    }
    free(line);
    return 0;
}
