/* GDB's remote protocol (GDB manual, appendix "Remote Serial Protocol") for `oryx run --gdb` and `oryx machine --gdb`. All threads
 * stop together ("all-stop"). Files: link.c the connection, target.c registers and memory, points.c breakpoints, threads.c who
 * runs and why they stopped, history.c going back, files.c the guest's files, server.c the commands. */
#ifndef GDB_H
#define GDB_H

#include <pthread.h>

#include "tool.h"

#define GDB_PACKET 16384 /* bytes of a packet at most, as told to GDB */

/* --- link.c */
typedef struct gdb_link {
    int listen, fd;          /* fd: -1 nobody is connected */
    bool no_ack;
    char *unix_path;
    GByteArray *in;          /* received, not yet read */
} gdb_link;

/* "[HOST]:PORT", "PORT" or "unix:PATH"; port 0: one that is free. Says on stderr where it listens. */
bool gdb_listen(gdb_link *l, const char *where, oryx_error *err);
void gdb_link_close(gdb_link *l);
bool gdb_accept(gdb_link *l);
void gdb_hang_up(gdb_link *l);
/* One packet without its frame; NULL: the connection is gone, or (*interrupt) Ctrl-C came, or nothing is there within `wait` ms. */
GString *gdb_receive(gdb_link *l, int wait, bool *interrupt);
void gdb_send(gdb_link *l, const char *data, size_t n);
void gdb_send_text(gdb_link *l, const char *text);

/* --- threads.c */
enum gdb_action { GDB_HOLD, GDB_GO, GDB_STEP };
enum gdb_where { GDB_OUTSIDE, GDB_RUNNING, GDB_PARKED };
enum gdb_why { GDB_NONE, GDB_SIGNAL, GDB_POINT, GDB_REPLAY };

typedef struct gdb_thread {
    oryx_vcpu *v;
    int32_t id;
    enum gdb_where at;
    enum gdb_action action;
    enum gdb_why why;        /* it stopped: not yet told to GDB */
    int32_t signal;          /* the host's number */
    int32_t give;            /* what signal() returns */
    bool in_signal;
    bool skip;               /* it goes on where a point stopped it */
    bool stepped;
    bool coming;             /* its run ended for GDB's sake: it is about to wait */
    oryx_watch_hit hit;
} gdb_thread;

typedef struct gdb_point {
    oryx_watch *watch;
    char kind;               /* '0'..'4' of Z packets */
    uint64_t addr, size;
} gdb_point;

typedef struct gdb_mark gdb_mark;

/* What `oryx run` or `oryx machine` gives. */
typedef struct gdb_config {
    oryx_machine *machine;
    const char *where;
    const char *program;     /* file GDB may read symbols from; NULL none */
    const char *sysroot;     /* of the guest's files, or NULL */
    bool attached;           /* GDB leaves it running when it quits */
    /* Runs the only vCPU for exactly n instructions, or to a point; NULL: no going back. */
    void (*advance)(void *opaque, oryx_vcpu *v, oryx_limits_run *limits, oryx_exit *exit);
    void *opaque;
} gdb_config;

typedef struct gdb {
    gdb_config c;
    gdb_link link;
    pthread_t server;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GPtrArray *threads;      /* of gdb_thread, under lock */
    GArray *points;          /* of gdb_point; the server's */
    bool halted;             /* nobody may run */
    bool kill, over, detached;
    int wake;                /* eventfd: something happened */
    int32_t exit_code, exit_signal;
    int32_t general, resume; /* threads of Hg and Hc; 0 any */
    uint64_t pass[2];        /* signals GDB need not hear of (QPassSignals), by the host's number */
    uint64_t first_sp;       /* of the program's first thread */
    bool seen_first;
    GPtrArray *marks;        /* history.c: of gdb_mark, oldest first; NULL: no going back */
    uint64_t interval;
    GArray *features;        /* target.c */
    GString *xml;
    GHashTable *open;        /* files.c */
    char buffer[GDB_PACKET + 1];
} gdb;

/* Listen and start the server's thread; the vCPUs stop at their first instruction. The functions below are the ones of oryx_os_debug. */
gdb *gdb_start(const gdb_config *c, oryx_error *err);
int32_t gdb_enter(void *g, oryx_vcpu *v, int32_t id, oryx_limits_run *limits);
void gdb_left(void *g, oryx_vcpu *v, const oryx_exit *exit);
int32_t gdb_signal(void *g, oryx_vcpu *v, int32_t sig);
void gdb_gone(void *g, oryx_vcpu *v);
void gdb_forked(void *g);
/* The program is over: tell GDB, and wait until it has heard. Frees. */
void gdb_end(gdb *g, int32_t code, int32_t sig);

/* For the server: stop all and wait; the thread to tell of (its `why` is set), NULL none; let them go. */
void gdb_stop_all(gdb *g);
gdb_thread *gdb_event(gdb *g);
void gdb_resume(gdb *g);
gdb_thread *gdb_find(gdb *g, int32_t id); /* 0: the first */
void gdb_wake(gdb *g);

/* --- target.c */
bool gdb_target_init(gdb *g, oryx_error *err);
void gdb_target_free(gdb *g);
/* Register values as hex behind out; n: GDB's number. False: there is none, or it cannot be had. */
bool gdb_register_read(gdb *g, gdb_thread *t, int32_t n, GString *out);
bool gdb_register_write(gdb *g, gdb_thread *t, int32_t n, const GByteArray *value);
void gdb_registers_read(gdb *g, gdb_thread *t, GString *out);
bool gdb_registers_write(gdb *g, gdb_thread *t, const GByteArray *all);
uint64_t gdb_sp(gdb *g, oryx_vcpu *v);
bool gdb_auxv(gdb *g, GByteArray *out);

/* --- points.c */
bool gdb_point_add(gdb *g, char kind, uint64_t addr, uint64_t size, oryx_error *err);
bool gdb_point_remove(gdb *g, char kind, uint64_t addr, uint64_t size);
void gdb_points_clear(gdb *g);
/* "watch:ADDR;" or "hwbreak:;" behind out, for a thread that a point stopped. */
void gdb_point_tell(gdb *g, const gdb_thread *t, GString *out);

/* --- history.c */
void gdb_history_start(gdb *g);
void gdb_history_limit(gdb *g, oryx_vcpu *v, oryx_limits_run *limits); /* before a run */
void gdb_history_mark(gdb *g, oryx_vcpu *v);                         /* after one, when it is time */
bool gdb_history_back(gdb *g, gdb_thread *t, bool step, oryx_error *err);
void gdb_history_free(gdb *g);

/* --- files.c: vFile packets and the program's name */
void gdb_files(gdb *g, char *request, GString *out);
void gdb_files_free(gdb *g);

/* --- server.c */
void *gdb_serve(void *g);
/* Shared by the files that read packets. */
int32_t gdb_signal_number(int32_t host); /* GDB's number for one of the host's */
int32_t gdb_signal_host(int32_t gdbs);
uint64_t gdb_hex(char **at); /* a number; *at behind it */
void gdb_hex_out(GString *out, const void *bytes, size_t n);
GByteArray *gdb_hex_in(const char *text);

#endif
