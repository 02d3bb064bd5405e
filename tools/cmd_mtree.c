/* `oryx mtree`: the region tree and the flat view of a machine description, as tables, JSON, or a picture (SVG) of the
 * address map. The tree is what the description placed; the flat view is what the core made of it. */
#include <errno.h>
#include <string.h>

#include "machine.h"

static struct {
    char *plugin_path, *svg;
    char **sets;
    gboolean json;
} opt;

static const GOptionEntry entries[] = {
    { "set", 's', 0, G_OPTION_ARG_STRING_ARRAY, &opt.sets, "override a value, as in oryx machine", "PATH=VALUE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &opt.json, "JSON output", NULL },
    { "svg", 0, 0, G_OPTION_ARG_FILENAME, &opt.svg, "draw the address map to FILE (- is standard output)", "FILE" },
    { "plugin-path", 0, 0, G_OPTION_ARG_STRING, &opt.plugin_path, "more plugin directories, ':' between", "DIRS" },
    { 0 },
};

static const char help[] = "Examples:\n"
                           "  oryx mtree board.json\n"
                           "  oryx mtree --json board.json | jq .spaces[0].view\n"
                           "  oryx mtree --svg map.svg board.json\n";

static char *hex(uint64_t n)
{
    return g_strdup_printf("0x%016" PRIx64, n);
}

static char *prot_text(uint32_t prot)
{
    return g_strdup_printf("%c%c%c", prot & ORYX_PROT_READ ? 'r' : '-', prot & ORYX_PROT_WRITE ? 'w' : '-',
                           prot & ORYX_PROT_EXEC ? 'x' : '-');
}

/* 4 KiB, 1.5 MiB, 300 B */
static char *size_text(uint64_t last)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double n = (double)last + 1;
    unsigned u = 0;
    for (; n >= 1024 && u < 6; u++)
        n /= 1024;
    return g_strdup_printf(n == (double)(uint64_t)n ? "%.0f %s" : "%.1f %s", n, units[u]);
}

/* --- the tree --------------------------------------------------------------------------------------------------------- */
static gint by_place(gconstpointer a, gconstpointer b)
{
    const machine_node *x = *(machine_node *const *)a, *y = *(machine_node *const *)b;
    return x->addr != y->addr ? (x->addr < y->addr ? -1 : 1) : y->priority - x->priority > 0 ? 1 : x->priority > y->priority ? -1 : 0;
}

static GPtrArray *children(machine_build *b, const oryx_region *parent)
{
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < b->nodes->len; i++)
        if (((machine_node *)b->nodes->pdata[i])->parent == parent)
            g_ptr_array_add(list, b->nodes->pdata[i]);
    g_ptr_array_sort(list, by_place);
    return list;
}

static void tree_rows(machine_build *b, tool_table *t, const oryx_region *parent, uint64_t base, int depth)
{
    GPtrArray *list = children(b, parent);
    for (guint i = 0; i < list->len; i++) {
        const machine_node *n = list->pdata[i];
        uint64_t at = base + n->addr, last = at + oryx_region_last(n->region);
        char *name = g_strdup_printf("%*s%s", 2 * depth, "", n->name), *from = hex(at), *to = hex(last < at ? UINT64_MAX : last),
             *size = size_text(oryx_region_last(n->region)), *prot = prot_text(n->prot), *prio = g_strdup_printf("%d", n->priority),
             *note = g_strdup_printf("%s%s", n->note ? n->note : "", n->enabled ? "" : n->note ? ", disabled" : "disabled");
        table_row(t, name, from, to, size, n->type, prot, prio, note, NULL);
        g_free(name);
        g_free(from);
        g_free(to);
        g_free(size);
        g_free(prot);
        g_free(prio);
        g_free(note);
        tree_rows(b, t, n->region, at, depth + 1);
    }
    g_ptr_array_unref(list);
}

static struct json_object *text_json(char *text)
{
    struct json_object *o = json_object_new_string(text);
    g_free(text);
    return o;
}

static struct json_object *tree_json(machine_build *b, const oryx_region *parent)
{
    struct json_object *all = json_object_new_array();
    GPtrArray *list = children(b, parent);
    for (guint i = 0; i < list->len; i++) {
        const machine_node *n = list->pdata[i];
        struct json_object *o = json_object_new_object(), *below = tree_json(b, n->region);
        json_object_object_add(o, "name", json_object_new_string(n->name));
        json_object_object_add(o, "type", json_object_new_string(n->type));
        json_object_object_add(o, "addr", text_json(g_strdup_printf("0x%" PRIx64, n->addr)));
        json_object_object_add(o, "last", text_json(g_strdup_printf("0x%" PRIx64, oryx_region_last(n->region))));
        json_object_object_add(o, "priority", json_object_new_int(n->priority));
        json_object_object_add(o, "enabled", json_object_new_boolean(n->enabled));
        json_object_object_add(o, "prot", text_json(prot_text(n->prot)));
        if (n->note)
            json_object_object_add(o, "note", json_object_new_string(n->note));
        if (json_object_array_length(below))
            json_object_object_add(o, "children", below);
        else
            json_object_put(below);
        json_object_array_add(all, o);
    }
    g_ptr_array_unref(list);
    return all;
}

/* --- the flat view ---------------------------------------------------------------------------------------------------- */
static oryx_view_row *view_of(oryx_space *s, uint64_t *n)
{
    *n = oryx_space_view(s, 0, NULL, 0);
    oryx_view_row *rows = g_new0(oryx_view_row, *n + 1);
    for (uint64_t i = 0; i < *n; i++)
        rows[i].hdr = (oryx_hdr)ORYX_HDR(oryx_view_row);
    oryx_space_view(s, 0, rows, *n);
    return rows;
}

static void view_table(oryx_space *s)
{
    uint64_t n;
    oryx_view_row *rows = view_of(s, &n);
    tool_table *t = table_new(">First|>Last|>Size|Region|>Offset|Type|Prot");
    for (uint64_t i = 0; i < n; i++) {
        char *from = hex(rows[i].first), *to = hex(rows[i].last), *size = size_text(rows[i].last - rows[i].first),
             *offset = g_strdup_printf("0x%" PRIx64, rows[i].offset), *prot = prot_text(rows[i].prot);
        table_row(t, from, to, size, oryx_region_name(rows[i].region), offset, oryx_region_type(rows[i].region), prot, NULL);
        g_free(from);
        g_free(to);
        g_free(size);
        g_free(offset);
        g_free(prot);
    }
    table_print(t, stdout);
    g_free(rows);
}

static struct json_object *view_json(oryx_space *s)
{
    uint64_t n;
    oryx_view_row *rows = view_of(s, &n);
    struct json_object *all = json_object_new_array();
    for (uint64_t i = 0; i < n; i++) {
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "first", text_json(g_strdup_printf("0x%" PRIx64, rows[i].first)));
        json_object_object_add(o, "last", text_json(g_strdup_printf("0x%" PRIx64, rows[i].last)));
        json_object_object_add(o, "region", json_object_new_string(oryx_region_name(rows[i].region)));
        json_object_object_add(o, "offset", text_json(g_strdup_printf("0x%" PRIx64, rows[i].offset)));
        json_object_object_add(o, "type", json_object_new_string(oryx_region_type(rows[i].region)));
        json_object_object_add(o, "prot", text_json(prot_text(rows[i].prot)));
        json_object_array_add(all, o);
    }
    g_free(rows);
    return all;
}

/* --- the picture ------------------------------------------------------------------------------------------------------ */
#define ROW_MIN 22.0
#define ROW_MAX 90.0
#define WIDTH   300
#define MARGIN  20
#define PER_SPACE 640

/* Taller for more bytes, by the logarithm, so that a register block and a GiB fit one page. */
static double height_of(uint64_t size_minus_1)
{
    double h = ROW_MIN;
    for (uint64_t n = size_minus_1; n >= 4096 && h < ROW_MAX; n >>= 3)
        h += 8;
    return h;
}

static const char *colour_of(const char *type)
{
    static const char *const colours[][2] = { { "ram", "#b7d7f0" }, { "ram_device", "#c9b8e8" }, { "io", "#f7d9a0" }, { "quirk", "#f0b7b7" } };
    for (size_t i = 0; i < G_N_ELEMENTS(colours); i++)
        if (!strcmp(type, colours[i][0]))
            return colours[i][1];
    return "#d8e8c8";
}

/* One space as a column, highest address on top; returns its height. */
static double draw_space(GString *out, const char *name, oryx_space *s, double x)
{
    uint64_t n;
    oryx_view_row *rows = view_of(s, &n);
    double y = MARGIN + 20;
    char *title = g_markup_escape_text(name, -1);
    g_string_append_printf(out, "<text x=\"%.0f\" y=\"%d\" font-weight=\"bold\">%s</text>\n", x, MARGIN + 8, title);
    g_free(title);
    for (uint64_t i = n; i-- > 0;) {
        const oryx_view_row *r = &rows[i];
        uint64_t above = i + 1 < n ? rows[i + 1].first : 0;
        if (i + 1 < n ? above - 1 > r->last : r->last != UINT64_MAX) { /* a gap */
            g_string_append_printf(out, "<rect x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"14\" fill=\"none\" stroke=\"#bbb\" stroke-dasharray=\"3 3\"/>\n",
                                   x, y, WIDTH);
            y += 14;
        }
        double h = height_of(r->last - r->first);
        bool writable = r->prot & ORYX_PROT_WRITE;
        char *label = g_markup_escape_text(oryx_region_name(r->region), -1), *size = size_text(r->last - r->first),
             *prot = prot_text(r->prot);
        g_string_append_printf(out, "<rect x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\" stroke=\"#333\"%s><title>%s + 0x%" PRIx64
                                    ": 0x%" PRIx64 "-0x%" PRIx64 " %s</title></rect>\n",
                               x, y, WIDTH, h, colour_of(oryx_region_type(r->region)), writable ? "" : " stroke-width=\"2.5\"", label,
                               r->offset, r->first, r->last, prot);
        g_string_append_printf(out, "<text x=\"%.0f\" y=\"%.1f\">%s (%s, %s, %s)</text>\n", x + 6, y + h / 2 + 4, label,
                               oryx_region_type(r->region), size, prot);
        g_string_append_printf(out, "<text x=\"%.0f\" y=\"%.1f\" class=\"a\">0x%" PRIx64 "</text>\n<text x=\"%.0f\" y=\"%.1f\" class=\"a\">0x%" PRIx64
                                    "</text>\n",
                               x + WIDTH + 6, y + 9, r->last, x + WIDTH + 6, y + h - 2, r->first);
        g_free(label);
        g_free(size);
        g_free(prot);
        y += h;
    }
    if (n && rows[0].first) {
        g_string_append_printf(out, "<rect x=\"%.0f\" y=\"%.1f\" width=\"%d\" height=\"14\" fill=\"none\" stroke=\"#bbb\" stroke-dasharray=\"3 3\"/>\n",
                               x, y, WIDTH);
        y += 14;
    }
    g_free(rows);
    return y + MARGIN;
}

static int draw(machine_build *b)
{
    GString *body = g_string_new(NULL);
    double height = 0;
    for (guint i = 0; i < b->spaces->len; i++) {
        double h = draw_space(body, b->spaces->pdata[i], oryx_space_get(b->machine, b->spaces->pdata[i]), MARGIN + (double)i * PER_SPACE);
        height = MAX(height, h);
    }
    bool out = !strcmp(opt.svg, "-");
    FILE *f = out ? stdout : fopen(opt.svg, "we");
    int code = f ? 0 : tool_fail(EXIT_TOOL, "%s: cannot be written: %s", opt.svg, g_strerror(errno));
    if (f) {
        fprintf(f,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%.0f\" font-family=\"sans-serif\" font-size=\"12\">\n"
                "<style>.a{font-family:monospace;font-size:10px;fill:#444}</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
                "%s</svg>\n",
                b->spaces->len * PER_SPACE, height, body->str);
        bool bad = !out && (ferror(f) || fflush(f));
        if (!out)
            bad |= fclose(f) != 0;
        if (bad)
            code = tool_fail(EXIT_TOOL, "%s: cannot be written: %s", opt.svg, g_strerror(errno));
    }
    g_string_free(body, TRUE);
    return code;
}

/* --- the command ------------------------------------------------------------------------------------------------------ */
static void print(machine_build *b)
{
    for (guint i = 0; i < b->spaces->len; i++) {
        oryx_space *s = oryx_space_get(b->machine, b->spaces->pdata[i]);
        printf("%s%sSpace %s: regions%s\n", i ? "\n" : "", tool_bold(stdout), (char *)b->spaces->pdata[i], tool_plain(stdout));
        tool_table *t = table_new("Name|>First|>Last|>Size|Type|Prot|>Priority|Note");
        tree_rows(b, t, oryx_space_root(s), 0, 0);
        table_print(t, stdout);
        printf("\n%sSpace %s: flat view%s\n", tool_bold(stdout), (char *)b->spaces->pdata[i], tool_plain(stdout));
        view_table(s);
    }
    GPtrArray *loose = children(b, NULL);
    if (loose->len) {
        printf("\n%sNot placed (targets of aliases)%s\n", tool_bold(stdout), tool_plain(stdout));
        tool_table *t = table_new("Name|>First|>Last|>Size|Type|Prot|>Priority|Note");
        tree_rows(b, t, NULL, 0, 0);
        table_print(t, stdout);
    }
    g_ptr_array_unref(loose);
}

static void print_json(machine_build *b)
{
    struct json_object *all = json_object_new_object(), *list = json_object_new_array();
    for (guint i = 0; i < b->spaces->len; i++) {
        oryx_space *s = oryx_space_get(b->machine, b->spaces->pdata[i]);
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "name", json_object_new_string(b->spaces->pdata[i]));
        json_object_object_add(o, "regions", tree_json(b, oryx_space_root(s)));
        json_object_object_add(o, "view", view_json(s));
        json_object_array_add(list, o);
    }
    json_object_object_add(all, "spaces", list);
    json_object_object_add(all, "unplaced", tree_json(b, NULL));
    tool_json(all, stdout);
}

int cmd_mtree(int argc, char **argv)
{
    int code = 0;
    if (!tool_options(&argc, &argv, entries, "FILE", help))
        return EXIT_USAGE;
    if (argc != 2 || (opt.json && opt.svg))
        return tool_fail(EXIT_USAGE, "mtree: name one description, and --json or --svg but not both: 'oryx mtree --help'");
    machine_file *f = machine_open(argv[1], opt.sets, &code);
    machine_build *b = f && machine_validate(f) ? machine_build_new(f, opt.plugin_path, NULL, true) : NULL;
    if (f && !b)
        code = f->code;
    else if (b && opt.svg)
        code = draw(b);
    else if (b && opt.json)
        print_json(b);
    else if (b)
        print(b);
    machine_build_free(b);
    machine_close(f);
    return code;
}
