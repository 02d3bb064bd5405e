/* OS personalities: interface "oryx.os/1", one class an operating system ("linux"). A personality loads a program into a
 * machine, runs its vCPUs through the embedder's API and serves their system calls. */
#ifndef ORYX_OS_H
#define ORYX_OS_H

#include "oryx_machine.h"

ORYX_BEGIN

#define ORYX_OS_ID "oryx.os/1"

/* A debugger of the program. Its functions are called on the thread of the vCPU they name, which is not inside a run. */
typedef struct oryx_os_debug {
    oryx_hdr hdr;
    void *opaque;
    /* The thread (its id) goes on; may wait, and may say how far in limits. Nonzero: the program is to be killed. The first call
     * for a vCPU tells of a new thread. */
    int32_t (*enter)(void *opaque, oryx_vcpu *v, int32_t thread, oryx_limits_run *limits);
    /* The run ended; what it asks for is served after the call. */
    void (*left)(void *opaque, oryx_vcpu *v, const oryx_exit *exit);
    /* The thread is about to receive a signal (the host's number): which one it gets instead, 0 none. May wait. */
    int32_t (*signal)(void *opaque, oryx_vcpu *v, int32_t sig);
    /* The thread has ended. */
    void (*gone)(void *opaque, oryx_vcpu *v);
    /* In the new process of a fork, which is not debugged: give up what was inherited. Nothing else is called there. */
    void (*forked)(void *opaque);
} oryx_os_debug;

typedef struct oryx_os_config {
    oryx_hdr hdr;
    const char *program;          /* host path of the program, resolved against root or sysroot when given */
    const char *const *argv;      /* NULL-terminated; argv[0] as the guest sees it */
    const char *const *envp;      /* NULL-terminated */
    const char *sysroot;          /* tried first for absolute paths (qemu's -L), or NULL */
    const char *root;             /* strict jail, or NULL */
    uint32_t strace;              /* print system calls to strace_fd */
    int32_t strace_fd;
    const char *self_path;        /* the running command, for execve of foreign programs; may be NULL */
    const char *const *self_args; /* its options to repeat, NULL-terminated; may be NULL */
    const char *model;            /* CPU model of the frontend, or NULL: its first */
    const char *options;          /* JSON object text of the personality's own options, or NULL */
    const oryx_os_debug *debug;   /* lives as long as the personality; NULL: none */
} oryx_os_config;

/* How the program ended: exit code, or the guest signal that killed it (code is then meaningless). */
typedef struct oryx_os_status {
    oryx_hdr hdr;
    int32_t code;
    int32_t signal;               /* guest's number mapped to the host's; 0 none */
    uint64_t insns;
} oryx_os_status;

typedef struct oryx_os_ops {
    oryx_hdr hdr;
    const char *name;
    /* Tell which guest architecture a program file is for, without a machine: name of the arch class in `arch` (cap bytes).
     * ORYX_E_FORMAT with text for a file that is no program of this OS. [any] */
    oryx_status (*identify)(const char *path, char *arch, uint32_t cap, oryx_error *err);
    oryx_status (*create)(const oryx_host *host, oryx_machine *m, const oryx_os_config *config, void **self, oryx_error *err);
    void (*destroy)(void *self);
    /* Run to the end of the program. [vcpu] */
    oryx_status (*run)(void *self, oryx_os_status *status, oryx_error *err);
    /* Ask the program to stop as soon as possible. [any] */
    void (*stop)(void *self);
    /* A run that somebody else does has exited (oryx_os_serve). NULL: this personality runs programs itself. [vcpu] */
    oryx_status (*serve)(void *self, oryx_vcpu *v, const oryx_exit *exit, oryx_os_status *status);
} oryx_os_ops;

/* Make a personality of a class ("linux") for a machine; the machine owns it. [control] */
ORYX_API oryx_status oryx_os_new(oryx_machine *m, const char *cls, const oryx_os_config *config, oryx_error *err);
ORYX_API oryx_status oryx_os_run(oryx_machine *m, oryx_os_status *status, oryx_error *err);
/* For whoever runs a machine's vCPUs itself: give an exit to the personality. ORYX_OK: it was a request of the guest and is served,
 * run again. ORYX_E_STATE: the program has ended, status says how. ORYX_E_NOTFOUND: not the personality's, or there is none. [vcpu] */
ORYX_API oryx_status oryx_os_serve(oryx_machine *m, oryx_vcpu *v, const oryx_exit *exit, oryx_os_status *status);
/* identify over every personality that the search path has. arch: at least 32 bytes. [any] */
ORYX_API oryx_status oryx_os_identify(const char *plugin_path, const char *path, char *cls, char *arch, uint32_t cap, oryx_error *err);

ORYX_END
#endif
