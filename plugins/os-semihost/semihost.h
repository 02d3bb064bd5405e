/* Semihosting: requests of bare-metal programs to their host. plugin.c has the entry and options, files.c what is behind
 * handles, semihost_<abi>.c one calling convention each: it knows its exits, its numbers and where arguments lie. */
#ifndef SEMIHOST_H
#define SEMIHOST_H

#include <pthread.h>
#include <stddef.h>

#include "oryx.h"

#define HANDLES 64u

typedef struct handle {
    int used;           /* H_* */
    int fd;             /* of H_FILE and the console */
    uint64_t at;        /* of H_FEATURES */
} handle;
enum { H_FREE, H_FILE, H_CONSOLE, H_FEATURES };

typedef struct semihost {
    const oryx_host *host;
    oryx_machine *machine;
    const struct semihost_abi *abi;
    pthread_mutex_t lock; /* what follows: several vCPUs may ask */
    handle handles[HANDLES];
    int32_t error;      /* SYS_ERRNO */
    uint32_t stop;
    uint32_t temporary; /* names given so far */
    /* options */
    int root;           /* folder that files are in, -1: files are refused */
    char *cmdline;
    uint64_t heap[4];   /* heap base and limit, stack base and limit */
    int64_t time;       /* seconds since 1970 at virtual time 0; -1: the host's clock */
    int system;         /* SYS_SYSTEM runs commands on the host */
} semihost;

/* ORYX_OK, ORYX_E_STATE, ORYX_E_NOTFOUND as oryx_os_serve; called with the lock. */
typedef struct semihost_abi {
    const char *archs[4]; /* classes of frontends, NULL-terminated */
    oryx_status (*serve)(semihost *s, oryx_vcpu *v, const oryx_exit *exit, oryx_os_status *status);
} semihost_abi;
extern const semihost_abi semihost_arm;

/* files.c. Handles are 1 up; results are 0 or more, or -1 with s->error set. flags: of open(2). */
int64_t files_open(semihost *s, const char *name, int flags, uint32_t mode);
int64_t files_console(semihost *s, int fd);
int64_t files_features(semihost *s);
int64_t files_close(semihost *s, uint64_t handle);
int64_t files_read(semihost *s, uint64_t handle, void *to, size_t n);
int64_t files_write(semihost *s, uint64_t handle, const void *from, size_t n);
int64_t files_seek(semihost *s, uint64_t handle, uint64_t to);
int64_t files_length(semihost *s, uint64_t handle);
int64_t files_is_terminal(semihost *s, uint64_t handle);
int64_t files_remove(semihost *s, const char *name);
int64_t files_rename(semihost *s, const char *from, const char *to);
void files_close_all(semihost *s);

#endif
