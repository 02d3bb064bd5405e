/* Snapshots: the state of a machine, kept in memory and put back, or saved to a file and loaded.
 *
 * A snapshot holds memory (copy on write: what it costs is what was changed since), the registers, counts and exclusive monitor
 * of every vCPU, virtual time, the state of devices, interrupt lines and quirks, and of the region tree where each region is,
 * its size, protection and mode. It does not hold what is outside: files and disks behind devices, sockets, the embedder's own
 * objects, counters of probes. Example: examples/snapshot-fuzz.c. */
#ifndef ORYX_SNAPSHOT_H
#define ORYX_SNAPSHOT_H

#include "oryx_machine.h"

ORYX_BEGIN

typedef struct oryx_snapshot oryx_snapshot;

/* Leave out memory and devices that cannot be captured, instead of refusing: they stay as they are. */
#define ORYX_SNAPSHOT_SKIP 1u

typedef struct oryx_snapshot_config {
    oryx_hdr hdr;
    uint32_t flags;             /* ORYX_SNAPSHOT_* */
    uint32_t reserved;
    const char *const *exclude; /* names of regions and devices whose contents stay as they are, NULL-terminated; NULL none */
} oryx_snapshot_config;

/* Keep the machine's state as it is now. Snapshots nest: each one is taken on top of the one that was taken or restored last,
 * and they form a tree. config NULL: everything. What is excluded is the same for all snapshots of a machine: the first one
 * says it, later ones pass NULL. Refused, with what to do, while a vCPU runs, another thread is inside a memory function, memory
 * is mapped for writing, for a machine with an OS personality, and when something cannot be captured: memory that is a real
 * device (ram_device) or is shared with another process, a device that cannot save its state. [stopped] */
ORYX_API oryx_status oryx_snapshot_take(oryx_machine *m, const oryx_snapshot_config *config, oryx_snapshot **out,
                                        oryx_error *err);
/* Put the machine back. Every snapshot stays: an inner one can still be restored after an outer one, and the other way round.
 * Costs what has changed. Regions that were moved, removed, resized, protected or enabled since are put back; regions made
 * since are taken out of the tree and stay the caller's. Refused, and nothing has changed: as for take; when a region, device
 * or vCPU was destroyed, or a device, vCPU or wire made, since the snapshot; when memory was changed through a direct pointer
 * without oryx_region_writing or oryx_space_writing, or there was no memory to keep a page. [stopped] */
ORYX_API oryx_status oryx_snapshot_restore(oryx_snapshot *s, oryx_error *err);
/* The handle is no longer valid; the machine and its other snapshots stay as they are. NULL is allowed. [stopped] */
ORYX_API void oryx_snapshot_drop(oryx_snapshot *s);

typedef struct oryx_snapshot_info {
    oryx_hdr hdr;
    uint64_t dirty_pages;       /* of 4 KiB, changed since a snapshot was taken or restored last */
    uint64_t kept_bytes;        /* of memory that all snapshots of the machine keep copies of */
    uint32_t snapshots;         /* of the machine, not dropped */
    uint32_t reserved;
} oryx_snapshot_info;
/* What the snapshots of a machine hold. [stopped] */
ORYX_API void oryx_snapshot_describe(oryx_machine *m, oryx_snapshot_info *out);

/* Save the machine's state as it is now to a file, which is replaced only when all of it is written. config as for take, and
 * independent of any snapshot. [stopped] */
ORYX_API oryx_status oryx_snapshot_save(oryx_machine *m, const oryx_snapshot_config *config, const char *path, oryx_error *err);
/* Load a file into a machine that was made as the saved one was: the same frontend, vCPUs, regions and devices in the same
 * order of creation. Refused, naming file and section, and nothing has changed: a file that is damaged, cut off, of another
 * format or machine, or has state that a plugin cannot read (its manifest's "state" says which). Snapshots taken before
 * stay. [stopped] */
ORYX_API oryx_status oryx_snapshot_load(oryx_machine *m, const char *path, oryx_error *err);

ORYX_END
#endif
