/* Plugin host, shared by its four files: plugin_host.c (registry, loading, interfaces), plugin_search.c (directories),
 * plugin_elf.c (ELF rules), manifest.c (JSON). */
#ifndef ORYX_PLUGIN_HOST_H
#define ORYX_PLUGIN_HOST_H

#include <stdbool.h>
#include <sys/stat.h>

#include "core.h"

/* Called for each loading rule as it is decided; NULL to check silently. */
typedef void (*oryx__rule_fn)(void *opaque, const char *rule, int32_t ok, const char *text);
struct oryx__rules {
    oryx__rule_fn report;
    void *opaque;
    const char *path;
    oryx_error *err; /* the first broken rule, in full */
    bool broken;
};
/* Decide one rule; the formatted text says what was found and, when broken, the remedy. Returns ok. */
bool oryx__rule(struct oryx__rules *r, bool ok, oryx_status code, const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

struct oryx__provide {
    char *interface, *cls;
};
struct oryx__require {
    char *id, *range;
    bool optional;
};
/* A parsed manifest; all strings are owned by it. */
struct oryx__manifest {
    char *json, *id, *version, *licence;
    uint32_t abi_major, abi_minor;
    struct oryx__provide *provides;
    uint32_t n_provides;
    struct oryx__require *requires;
    uint32_t n_requires;
    uint32_t state_version, state_low, state_high; /* of saved state: what it writes, what it reads; 1 when it says nothing */
};
/* manifest.c: every rule of the manifest; text need not be NUL-terminated. */
bool oryx__manifest_parse(const char *text, size_t n, struct oryx__manifest *out, struct oryx__rules *r);
void oryx__manifest_free(struct oryx__manifest *m);
/* Is version in range (">=1.2 <2", "" or NULL: any)? -1: malformed. */
int oryx__version_in(const char *version, const char *range);

/* A copy of a file in memory, read as far as it was asked for: code and debug information never are. */
struct oryx__file {
    uint8_t *p; /* n bytes; what was not read is zero */
    size_t n;
    int fd;
    uint8_t *have; /* one byte a block: read; NULL: all is there */
};
/* plugin_file.c: make [offset, offset + size), which lies in the file, present. False: it cannot be read. */
bool oryx__file_need(const struct oryx__file *f, uint64_t offset, uint64_t size);
/* plugin_elf.c: every rule of the file, which may be hostile. Gives the manifest note's text. */
bool oryx__elf_check(const struct oryx__file *f, const char **note, size_t *note_len, struct oryx__rules *r);

/* A plugin file known to this process. Entries live until the process ends: a machine's pointers into a plugin stay good. */
struct oryx_plugin {
    char *path; /* absolute */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
    struct oryx__manifest manifest;
    char *refusal; /* NULL: every rule holds */
    oryx_status refusal_code;
    void *handle;
    const oryx_plugin_ops *ops;
    int loading; /* a cycle of requirements comes back here */
};
/* A directory whose files are being looked at one after the other, its path free of symbolic links. */
struct oryx__listing {
    bool trusted; /* the rule of directories holds */
};
/* Check path against every rule and fill p (path, identity, manifest, refusal). in: path is no symbolic link and lies right
 * in that directory, NULL: nothing is known. */
void oryx__plugin_read(const char *path, oryx_plugin *p, struct oryx__listing *in, oryx__rule_fn report, void *opaque);
void oryx__plugin_clear(oryx_plugin *p);
/* The entry for a file, read on first sight or when the file changed; NULL: out of memory. Registry lock held. */
oryx_plugin *oryx__plugin_entry(const char *path);

/* The file of an entry that was not refused is the one that was read. */
bool oryx__plugin_unchanged(const oryx_plugin *p);

/* plugin_catalog.c: what earlier searches saw. get: of a search path, NULL: out of memory, do without. list: every file of
 * its directories in order, NULL: not known. keep: such a list (taken over). Registry lock held. */
struct oryx__catalog *oryx__catalog_get(const char *extra);
void oryx__catalog_put(struct oryx__catalog *c);
oryx_plugin *const *oryx__catalog_list(const struct oryx__catalog *c);
void oryx__catalog_keep(struct oryx__catalog *c, oryx_plugin **list);
void oryx__catalog_free_all(void);

/* plugin_host.c: every plugin file of the search path in order, NULL at the end, the reader's to free; NULL: out of memory. */
oryx_plugin **oryx__plugins_known(const char *extra);

/* The plugin that a machine has an interface from; NULL: none. */
const oryx_plugin *oryx__plugin_of(oryx_machine *m, const char *interface, const char *cls);

/* plugin_search.c: the directories in search order, each absolute; extra is ':' separated and comes first. Free with
 * oryx__strv_free. NULL: out of memory. */
char **oryx__search_dirs(const char *extra);
/* Sorted full paths of *.so files in a directory (missing directory: an empty list). */
char **oryx__search_files(const char *dir);
void oryx__strv_free(char **v);
/* Append s (taken over) to a NULL-terminated vector. On failure s and the vector are freed and NULL comes back. */
char **oryx__strv_add(char **v, char *s);
char *oryx__strf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
