/* Private to the snapshot files: the parts that a snapshot is made of. */
#ifndef ORYX_SNAPSHOT_INTERNAL_H
#define ORYX_SNAPSHOT_INTERNAL_H

#include "mem_internal.h"

/* --- snapshot_tree.c: where regions are ------------------------------------------------------------ */
struct oryx__tree_row {
    oryx_region *region;
    uint64_t serial;
    char *name;
    oryx_region *parent;
    uint64_t offset, added, last;
    int32_t priority;
    uint32_t enabled, prot, mode;
    char *json; /* the backend's own state, malloc'ed; NULL: none */
};
struct oryx__tree {
    uint32_t users; /* snapshots that share it */
    uint64_t version;
    uint64_t n;
    struct oryx__tree_row *rows; /* in creation order */
    struct oryx__tree_root {
        oryx_region *region;
        uint32_t enabled, prot;
    } *roots;                    /* of the spaces there were */
    guint n_roots;
    int has_state;               /* a row has json */
    int foreign;                 /* not taken from this machine: places are checked */
};
oryx_status oryx__tree_take(oryx_machine *m, struct oryx__tree **out, oryx_error *err);
void oryx__tree_drop(struct oryx__tree *t);
/* Put regions back; on failure everything is as before. *undo: what was there, to be put back or dropped; NULL: no change. */
oryx_status oryx__tree_put(oryx_machine *m, struct oryx__tree *t, struct oryx__tree **undo, oryx_error *err);
/* After the pages: what shrunk by put gives its memory back. */
void oryx__tree_trim(const struct oryx__tree *before);

/* --- device_state.c ----------------------------------------------------------------------------------- */
struct oryx__device_row {
    oryx_device *device;
    uint64_t serial;
    char *name, *cls;
    char *json; /* malloc'ed; NULL: excluded */
    uint64_t alarm;
    GArray *outputs; /* of struct oryx__out_row */
    GArray *inputs;  /* of struct oryx__in_row */
};
struct oryx__out_row {
    uint32_t line, level;
};
struct oryx__in_row {
    uint32_t line, outside, high, told, rose;
};
struct oryx__wire_row {
    uint32_t from, to; /* rows */
    uint32_t line, input, level;
};
struct oryx__device_states {
    uint64_t version;
    guint n, n_wires;
    struct oryx__device_row *rows;
    struct oryx__wire_row *wires;
};
/* leave_out: names that are not captured; skip: devices that cannot save are left out too. */
oryx_status oryx__device_states_take(oryx_machine *m, const char *const *leave_out, int skip,
                                     struct oryx__device_states **out, oryx_error *err);
void oryx__device_states_drop(struct oryx__device_states *s);
/* Are these the devices and wires that the machine has? */
oryx_status oryx__device_states_check(oryx_machine *m, const struct oryx__device_states *s, oryx_error *err);
/* Load them all; on failure everything is as before. Virtual time is already what it was then. */
oryx_status oryx__device_states_put(oryx_machine *m, struct oryx__device_states *s, oryx_error *err);

/* --- snapshot.c ----------------------------------------------------------------------------------------- */
struct oryx__vcpu_state {
    oryx_vcpu *vcpu;
    uint64_t serial, insns;
    oryx_fpenv fp;
    __typeof__(((oryx_cpu *)NULL)->monitor) monitor;
    struct oryx__slot *slot; /* of monitor.c; NULL with an active monitor: found by its address */
    uint64_t mode, irq;
    uint32_t alarm; /* ORYX__REQ_ALARM when it was still to be served */
    uint8_t *state;
};
/* May a snapshot be taken or restored now? what: "take", "restore", ... */
oryx_status oryx__snapshot_quiet(oryx_machine *m, const char *what, oryx_error *err);
/* Is this region's memory part of snapshots? 1 yes, 0 it has none or it is left out; negative: refused. */
int oryx__snapshot_region(oryx_region *r, const char *const *leave_out, int skip, oryx_error *err);
int oryx__snapshot_named(const char *const *names, const char *name);
void oryx__vcpu_state_get(oryx_vcpu *v, struct oryx__vcpu_state *to);
void oryx__vcpu_state_put(const struct oryx__vcpu_state *from);
/* The memory of a region that oryx__snapshot_region says 1 of, whatever mode it is in; NULL: none. */
uint8_t *oryx__region_host(oryx_region *r);
/* Devices by the time that the state is of. */
oryx_status oryx__devices_at(oryx_machine *m, struct oryx__device_states *s, uint64_t skipped,
                             const struct oryx__vcpu_state *vcpus, uint32_t n, oryx_error *err);

#endif
