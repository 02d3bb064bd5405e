/* Machine descriptions: JSON text with lines, validation by the published schema, and what is built from it. Used by
 * `oryx machine` and `oryx mtree`. */
#ifndef MACHINE_H
#define MACHINE_H

#include "tool.h"

/* machine_text.c: a description and where its values stand. */
typedef struct machine_file {
    char *path, *folder;
    struct json_object *root;
    GHashTable *lines; /* JSON pointer -> line number */
    GHashTable *sets;  /* JSON pointer -> "--set WORD" that gave the value */
    int code;          /* exit code of the first error, 0 none */
} machine_file;

/* Read a file and apply --set words. NULL: told on stderr, *code set. */
machine_file *machine_open(const char *path, char **sets, int *code);
void machine_close(machine_file *f);
/* "oryx: FILE:LINE: POINTER: text" once; always false. The pointer's nearest known ancestor gives the line. */
bool machine_wrong(machine_file *f, const char *pointer, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* POINTER/key with ~ and / escaped; g_free. */
char *machine_pointer(const char *parent, const char *key);

/* machine_schema.c: does the description follow docs/machine.schema.json? */
bool machine_validate(machine_file *f);

/* machine_build.c */
typedef struct machine_node { /* a region as it was placed, for mtree */
    char *name;
    const char *type;
    oryx_region *region;
    oryx_region *parent; /* NULL: not placed */
    oryx_region *target; /* alias */
    uint64_t addr;
    int32_t priority;
    bool enabled;
    uint32_t prot;
    char *note;          /* "device uart16550", "alias of ram" */
} machine_node;

typedef struct machine_build {
    machine_file *file;
    oryx_machine *machine;
    GPtrArray *nodes;    /* of machine_node */
    GPtrArray *spaces;   /* of char *, "system" first */
    GPtrArray *cpus;     /* of oryx_vcpu */
    GPtrArray *iommus;   /* windows of iommu regions */
    GArray *until;       /* of uint64_t */
    uint64_t entry;      /* of the first ELF image */
    bool has_entry;
    bool listens;        /* a device hears from outside: a guest that waits may be woken */
} machine_build;

/* tame: devices talk to nobody (chardev null): for --check and mtree. NULL: told on stderr. */
machine_build *machine_build_new(machine_file *f, const char *plugin_path, const char *engine, bool tame);
void machine_build_free(machine_build *b);
/* Members of an object: the value or what stands in for it. Validated before. */
uint64_t machine_number(struct json_object *o, const char *key, uint64_t otherwise);
const char *machine_string(struct json_object *o, const char *key, const char *otherwise);
struct json_object *machine_list(struct json_object *o, const char *key); /* NULL: none */
size_t machine_length(struct json_object *list);
char *machine_path(const machine_file *f, const char *path); /* relative to the description's folder; g_free */

/* A number, told on stderr when it does not fit; absent: *out stays. */
bool machine_member_number(machine_build *b, struct json_object *o, const char *pointer, const char *key, uint64_t *out);

/* machine_iommu.c: the windows of an iommu region into c. */
bool machine_windows(machine_build *b, struct json_object *o, const char *pointer, oryx_region_config *c);

/* machine_image.c: load images[i] of the description. */
bool machine_image(machine_build *b, size_t i);

#endif
