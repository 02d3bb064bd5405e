/* One case of `oryx exec`: JSON in, JSON out. exec_case.c reads and runs it, exec_result.c writes the answer. */
#ifndef EXEC_CASE_H
#define EXEC_CASE_H

#include "tool.h"

/* One "map" entry. ram and rom live in `host`; io reads from it and logs every access. */
typedef struct exec_map {
    uint64_t addr, size;
    uint32_t prot;
    bool io;
    uint8_t *host;
    oryx_region *region;
    struct exec_case *owner;
} exec_map;

typedef struct exec_case {
    struct json_object *in;
    struct json_object *io_log; /* accesses to io maps, in order */
    struct json_object *trace;  /* or NULL */
    oryx_machine *machine;      /* shared by cases of the same kind */
    oryx_vcpu *vcpu;
    exec_map *maps;
    size_t n_maps;
    uint64_t *until;
    size_t n_until;
    struct json_object *hits;   /* or NULL */
    oryx_watch **watches;
    size_t n_watches;
    oryx_exit exit;
    uint64_t insns;
    char *error;                /* set once: the first thing that was wrong */
} exec_case;

/* Record an error of the case; always false. */
bool exec_wrong(exec_case *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A JSON number or "0x.." / decimal string of at most 64 bits. */
bool exec_number(exec_case *c, struct json_object *o, const char *what, uint64_t *out);
/* Run the case in `in` (not taken over) on a machine out of the pool. */
void exec_case_run(exec_case *c);
void exec_case_clear(exec_case *c);
/* The answer object of a case that ran or failed. */
struct json_object *exec_result(exec_case *c);
/* Machines by "arch engine", made on first use; NULL with c->error set when it cannot be made. */
oryx_machine *exec_machine(exec_case *c, const char *arch, const char *engine);
extern char *exec_plugin_path;

#endif
