/* Plugins: the entry symbol, the manifest note, the host table, and what the host says of plugins.
 *
 * A plugin is a shared object with one exported function, oryx_plugin_open_v1, and a manifest: JSON in a read-only ELF
 * note (owner "Oryx", type 1), readable without loading. helper/oryx_manifest.h writes the note. */
#ifndef ORYX_PLUGIN_H
#define ORYX_PLUGIN_H

#include "oryx_device.h"
#include "oryx_engine.h"
#include "oryx_machine.h"
#include "oryx_os.h"
#include "oryx_probe.h"
#include "oryx_snapshot.h"
#include "oryx_watch.h"

ORYX_BEGIN

#define ORYX_NOTE_OWNER "Oryx"
#define ORYX_NOTE_MANIFEST 1u
#define ORYX_PLUGIN_ENTRY "oryx_plugin_open_v1"

typedef struct oryx_plugin_ops {
    oryx_hdr hdr;
    /* The ops struct for an interface id ("oryx.arch/1") and class ("arm64") of the manifest, or NULL. */
    const void *(*get)(const char *interface, const char *cls);
    /* Called before the object is unloaded; may be NULL. */
    void (*close)(void);
} oryx_plugin_ops;

typedef oryx_status (*oryx_plugin_open_fn)(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err);

#if defined(__GNUC__)
#define ORYX_EXPORT __attribute__((visibility("default")))
#else
#define ORYX_EXPORT
#endif
ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err);

/* What is known of a plugin file, loaded or not. Strings live until the list is freed. */
typedef struct oryx_plugin_info {
    oryx_hdr hdr;
    const char *path;
    const char *id;           /* NULL when the manifest cannot be read */
    const char *version;
    const char *manifest;     /* the JSON text */
    const char *refusal;      /* why it would not be loaded, or NULL */
    uint32_t loaded;
    uint32_t reserved;
} oryx_plugin_info;
/* Every plugin of the search path, sorted by id then path. plugin_path as in oryx_machine_config. Free with
 * oryx_plugin_list_free. [any] */
ORYX_API oryx_status oryx_plugin_list(const char *plugin_path, oryx_plugin_info **out, uint32_t *n, oryx_error *err);
ORYX_API void oryx_plugin_list_free(oryx_plugin_info *list, uint32_t n);
/* Check a file against every loading rule; report(opaque, rule, ok, text) is called for each. ORYX_OK when all hold. [any] */
ORYX_API oryx_status oryx_plugin_verify(const char *path, void (*report)(void *opaque, const char *rule, int32_t ok, const char *text),
                                        void *opaque, oryx_error *err);
/* Load a plugin file (a path, or an id looked up on the search path) into a machine. [control] */
ORYX_API oryx_status oryx_plugin_load(oryx_machine *m, const char *path_or_id, oryx_plugin **out, oryx_error *err);
/* What is known of a loaded plugin; the strings live until the process ends. [any] */
ORYX_API void oryx_plugin_describe(const oryx_plugin *p, oryx_plugin_info *out);
/* An ops struct of an interface and class from the plugins of a machine, loading on demand; NULL and *err when none. [control] */
ORYX_API const void *oryx_plugin_interface(oryx_machine *m, const char *interface, const char *cls, oryx_error *err);
/* Ops of an interface without a machine (disassemblers, lists): the plugin stays loaded until the process ends. [any] */
ORYX_API const void *oryx_plugin_static(const char *plugin_path, const char *interface, const char *cls, oryx_error *err);

/* Helpers that IR calls. add: registers n rows (copied), returns the first id or a negative status; the names must be new in the
 * machine. get: NULL when there is no such id. call: through a libffi call interface; args as pointers to each value, without vcpu.
 * entry fields are for engines that call directly. [control] add, [any] get, [vcpu] call */
typedef struct oryx_helper_entry {
    oryx_hdr hdr;
    const oryx_helper *helper;
    uint8_t n_args;           /* without vcpu */
    uint8_t takes_vcpu;
    uint8_t ret;              /* ORYX_T_* */
    uint8_t may_fault;
    uint8_t args[8];          /* ORYX_T_* */
    void *cif;                /* core's */
} oryx_helper_entry;
ORYX_API int32_t oryx_helper_add(oryx_machine *m, const oryx_helper *rows, uint32_t n, uint32_t stride, oryx_error *err);
ORYX_API const oryx_helper_entry *oryx_helper_get(oryx_machine *m, uint32_t id);
ORYX_API void oryx_helper_call(const oryx_helper_entry *e, oryx_cpu *cpu, void *const *args, void *ret);

/* Set *err (when not NULL) to a status and a printf-formatted line; returns code. [any] */
ORYX_API oryx_status oryx_error_set(oryx_error *err, oryx_status code, const char *text);

/* Functions of the core that plugins call; generated from oryx_host.def: append only. host->vcpu_run is oryx_vcpu_run of the
 * API, and so on. Lives as long as the plugin is loaded. */
struct oryx_host {
    oryx_hdr hdr;
    /* An interface of the core by id (extensions, drafts), or NULL. */
    const void *(*query)(const char *id);
#define FN(name) __typeof__(&oryx_##name) name;
#include "oryx_host.def"
#undef FN
};

ORYX_END
#endif
