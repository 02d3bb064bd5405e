/* Aligned tables, colours and JSON output. Colours only on a terminal and without NO_COLOR (no-color.org). */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

struct tool_table {
    char **columns;
    guint n;
    GPtrArray *cells; /* of char *, n a row */
};

static bool coloured(FILE *f)
{
    const char *no = getenv("NO_COLOR");
    return !(no && *no) && isatty(fileno(f));
}

const char *tool_bold(FILE *f)
{
    return coloured(f) ? "\033[1m" : "";
}

const char *tool_dim(FILE *f)
{
    return coloured(f) ? "\033[2m" : "";
}

const char *tool_plain(FILE *f)
{
    return coloured(f) ? "\033[0m" : "";
}

tool_table *table_new(const char *columns)
{
    tool_table *t = g_new0(tool_table, 1);
    t->columns = g_strsplit(columns, "|", 0);
    t->n = g_strv_length(t->columns);
    t->cells = g_ptr_array_new_with_free_func(g_free);
    return t;
}

void table_row(tool_table *t, ...)
{
    va_list ap;
    va_start(ap, t);
    const char *s = "";
    for (guint i = 0; i < t->n; i++) {
        s = s ? va_arg(ap, const char *) : NULL;
        g_ptr_array_add(t->cells, g_strdup(s ? s : ""));
    }
    va_end(ap);
}

static void print_cell(FILE *f, const char *text, glong width, bool right, bool last)
{
    int pad = (int)(width - g_utf8_strlen(text, -1));
    if (right)
        fprintf(f, "%*s%s", pad, "", text);
    else
        fprintf(f, "%s%*s", text, last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", f);
}

void table_free(tool_table *t)
{
    g_strfreev(t->columns);
    g_ptr_array_unref(t->cells);
    g_free(t);
}

void table_print(tool_table *t, FILE *f)
{
    glong *width = g_new0(glong, t->n);
    for (guint i = 0; i < t->n; i++)
        width[i] = g_utf8_strlen(t->columns[i], -1) - (t->columns[i][0] == '>');
    for (guint i = 0; i < t->cells->len; i++)
        width[i % t->n] = MAX(width[i % t->n], g_utf8_strlen(t->cells->pdata[i], -1));
    fputs(tool_bold(f), f);
    for (guint i = 0; i < t->n; i++) {
        bool right = t->columns[i][0] == '>', last = i + 1 == t->n;
        if (last)
            fprintf(f, "%s", tool_bold(f));
        print_cell(f, t->columns[i] + right, width[i], right, last);
    }
    fputs(tool_plain(f), f);
    for (guint i = 0; i < t->cells->len; i++) {
        guint k = i % t->n;
        print_cell(f, t->cells->pdata[i], width[k], t->columns[k][0] == '>', k + 1 == t->n);
    }
    g_free(width);
    table_free(t);
}

void tool_json(struct json_object *o, FILE *f)
{
    int style = isatty(fileno(f)) ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;
    fprintf(f, "%s\n", json_object_to_json_string_ext(o, style | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
}
