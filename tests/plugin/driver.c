/* The plugin host as a line protocol, so that a Python test can make the files and judge the answers. Reads commands from
 * standard input (words separated by tabs) and answers each with lines that end in "." alone. White-box: it links the
 * core's objects and reaches the checks under the file rules too. It decides nothing itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_host.h"

#define RAN "ORYX_TEST_RAN" /* test plugins set it when any of their code runs */

static void answer_status(oryx_status s, const oryx_error *err)
{
    printf("status\t%d\t%s\n", (int)s, s ? err->text : "");
}

static void on_rule(void *opaque, const char *rule, int32_t ok, const char *text)
{
    (void)opaque;
    printf("rule\t%s\t%d\t%s\n", rule, (int)ok, text);
}

static uint8_t *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = NULL;
    if (f && !fseek(f, 0, SEEK_END) && (*n = (size_t)ftell(f), 1) && !fseek(f, 0, SEEK_SET) && (p = malloc(*n + 1)) != NULL &&
        fread(p, 1, *n, f) != *n) {
        free(p);
        p = NULL;
    }
    if (f)
        fclose(f);
    return p;
}

/* Every rule of the bytes alone, in a block of exactly n bytes so that ASan sees one byte too many. */
static bool image_holds(const uint8_t *bytes, size_t n, oryx_error *err, oryx__rule_fn report)
{
    struct oryx__rules r = { report, NULL, "(bytes)", err, false };
    struct oryx__manifest m = { 0 };
    const char *note = NULL;
    size_t len = 0;
    uint8_t *copy = malloc(n ? n : 1);
    if (!copy)
        return false;
    memcpy(copy, bytes, n);
    struct oryx__file f = { .p = copy, .n = n, .fd = -1 };
    bool ok = oryx__elf_check(&f, &note, &len, &r) && oryx__manifest_parse(note, len, &m, &r);
    oryx__manifest_free(&m);
    free(copy);
    return ok;
}

/* truncate FILE: the lengths below the whole at which a prefix is accepted, as first-last; and which rules refused. */
static void truncations(const char *path)
{
    size_t n = 0, first = 0;
    uint8_t *p = read_file(path, &n);
    bool in = false;
    for (size_t i = 0; p && i <= n; i++) {
        oryx_error err = { 0 };
        bool ok = i < n && image_holds(p, i, &err, NULL);
        if (ok && !in)
            first = i;
        if (!ok && in)
            printf("accepted\t%zu\t%zu\n", first, i - 1);
        in = ok;
        if (!ok && i < n && (!err.code || !strstr(err.text, "refused by rule")))
            printf("silent\t%zu\n", i);
    }
    free(p);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void put(uint8_t *p, size_t n, size_t at, const void *from, size_t len)
{
    memmove(p + at, from, n - at < len ? n - at : len);
}

/* One to eight changes: a bit, a byte, an interesting 4- or 8-byte value, a copied piece; half of them in the headers. */
static void mutate(uint8_t *p, size_t n, size_t hot, uint64_t *rng)
{
    static const uint64_t edges[] = { 0, 1, 3, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 0xfffffff0, 1ull << 63, ~0ull, ~7ull };
    for (uint64_t k = next_random(rng) % 8 + 1; k; k--) {
        uint64_t r = next_random(rng);
        size_t at = (r >> 32) % (next_random(rng) & 1 ? hot : n);
        uint64_t v = edges[(r >> 8) % (sizeof edges / sizeof *edges)];
        size_t from = (r >> 16) % n;
        switch (r & 7) {
        case 0: p[at] ^= (uint8_t)(1u << ((r >> 16) & 7)); break;
        case 1: p[at] = (uint8_t)(r >> 16); break;
        case 2: put(p, n, at & ~(size_t)3, &v, 4); break;
        case 3: put(p, n, at & ~(size_t)7, &v, 8); break;
        case 4: v = n - (r >> 16) % 32; put(p, n, at & ~(size_t)7, &v, 8); break;
        case 5: put(p, n, at, p + from, n - from < 8 ? n - from : 8); break;
        case 6: p[at]++; break;
        default: p[at] = 0; break;
        }
    }
}

/* fuzz FILE SEED COUNT WORK: mutated images through the byte rules, every 16th as a file through the listing too. */
static void fuzz(const char *path, uint64_t seed, unsigned count, const char *work)
{
    size_t n = 0;
    unsigned held = 0, files = 0;
    uint64_t rng = seed;
    char name[512];
    uint8_t *p = read_file(path, &n), *q = p ? malloc(n) : NULL;
    snprintf(name, sizeof name, "%s/mutant.so", work);
    for (unsigned i = 0; q && i < count; i++) {
        memcpy(q, p, n);
        mutate(q, n, n < 4096 ? n : 4096, &rng);
        size_t len = next_random(&rng) % 8 ? n : next_random(&rng) % n;
        oryx_error err = { 0 };
        bool ok = image_holds(q, len, &err, NULL);
        held += ok;
        if (!ok && !err.text[0])
            printf("silent\t%u\n", i);
        if (i % 16)
            continue;
        FILE *f = fopen(name, "wb");
        if (f && fwrite(q, 1, len, f) == len && !fclose(f)) {
            oryx_plugin_info *list = NULL;
            uint32_t rows = 0;
            files++;
            if (oryx_plugin_list(work, &list, &rows, &err))
                printf("silent\tlist %u\n", i);
            for (uint32_t k = 0; k < rows; k++)
                if (!strcmp(list[k].path, name) && (list[k].refusal == NULL) != ok)
                    printf("differs\t%u\t%s\n", i, list[k].refusal ? list[k].refusal : "accepted");
            oryx_plugin_list_free(list, rows);
        }
    }
    printf("fuzzed\t%u\t%u\t%u\n", q ? count : 0, held, files);
    free(q);
    free(p);
}

static void machine(char **w)
{
    const char *pins[16] = { NULL };
    unsigned n = 0;
    for (char *save = NULL, *f = strtok_r(w[2], ",", &save); f && n < 15; f = strtok_r(NULL, ",", &save))
        pins[n++] = f;
    oryx_machine_config config = { .hdr = ORYX_HDR(oryx_machine_config), .plugin_path = *w[1] ? w[1] : NULL, .plugins = pins };
    oryx_machine m = { .plugins = NULL };
    oryx_error err = { 0 };
    oryx_status s = oryx__plugins_create(&m, &config, &err);
    if (!s) {
        const char *const *ops = oryx_plugin_interface(&m, w[3], w[4], &err);
        s = ops ? ORYX_OK : err.code;
        if (ops)
            printf("ops\t%s\n", *ops); /* test plugins' ops start with a text */
    }
    answer_status(s, &err);
    oryx__plugins_destroy(&m);
}

static void command(char **w, unsigned n)
{
    oryx_error err = { 0 };
    if (!strcmp(w[0], "verify") && n == 2) {
        answer_status(oryx_plugin_verify(w[1], on_rule, NULL, &err), &err);
    } else if (!strcmp(w[0], "image") && n == 2) {
        size_t len = 0;
        uint8_t *p = read_file(w[1], &len);
        if (p)
            image_holds(p, len, &err, on_rule);
        answer_status(err.code, &err);
        free(p);
    } else if (!strcmp(w[0], "range") && n == 3) {
        printf("in\t%d\n", oryx__version_in(w[1], w[2]));
    } else if (!strcmp(w[0], "dirs") && n == 2) {
        char **dirs = oryx__search_dirs(w[1]);
        for (char **d = dirs; d && *d; d++)
            printf("dir\t%s\n", *d);
        oryx__strv_free(dirs);
    } else if (!strcmp(w[0], "static") && n == 4) {
        const char *const *ops = oryx_plugin_static(w[1], w[2], w[3], &err);
        if (ops)
            printf("ops\t%s\n", *ops);
        answer_status(ops ? ORYX_OK : err.code, &err);
    } else if (!strcmp(w[0], "machine") && n == 5) {
        machine(w);
    } else if (!strcmp(w[0], "list") && n == 2) {
        oryx_plugin_info *list = NULL;
        uint32_t rows = 0;
        oryx_status s = oryx_plugin_list(w[1], &list, &rows, &err);
        for (uint32_t i = 0; i < rows; i++)
            printf("plugin\t%s\t%s\t%s\t%u\t%s\n", list[i].id ? list[i].id : "-", list[i].version ? list[i].version : "-",
                   list[i].path, list[i].loaded, list[i].refusal ? list[i].refusal : "");
        oryx_plugin_list_free(list, rows);
        answer_status(s, &err);
    } else if (!strcmp(w[0], "truncate") && n == 2) {
        truncations(w[1]);
    } else if (!strcmp(w[0], "fuzz") && n == 5) {
        fuzz(w[1], strtoull(w[2], NULL, 0), (unsigned)strtoul(w[3], NULL, 0), w[4]);
    } else if (!strcmp(w[0], "ran")) {
        printf("ran\t%s\n", getenv(RAN) ? getenv(RAN) : "");
        unsetenv(RAN);
    } else if (!strcmp(w[0], "env") && n == 3) {
        setenv(w[1], w[2], 1);
    } else {
        printf("what\t%s\n", w[0]);
    }
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, stdin) > 0) {
        char *w[8] = { line };
        unsigned n = 1;
        line[strcspn(line, "\n")] = 0;
        for (char *tab = line; n < 8 && (tab = strchr(tab, '\t')) != NULL; n++) {
            *tab++ = 0;
            w[n] = tab;
        }
        command(w, n);
        puts(".");
        fflush(stdout);
    }
    free(line);
    return 0;
}
