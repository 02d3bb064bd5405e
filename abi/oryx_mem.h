/* Memory: regions, address spaces, accesses. See docs/DESIGN.md, "Memory".
 *
 * A region is a node of a tree; an address space shows a tree through its flat view. Region types are plugins
 * (interface "oryx.region/1": ram, ram_device, io, quirk); container and alias are structure in the core. */
#ifndef ORYX_MEM_H
#define ORYX_MEM_H

#include "oryx_types.h"

ORYX_BEGIN

#define ORYX_REGION_ID "oryx.region/1"

#define ORYX_PROT_READ 1u
#define ORYX_PROT_WRITE 2u
#define ORYX_PROT_EXEC 4u
#define ORYX_PROT_ALL 7u

/* Who does an access, and how. Zero: the vCPU of an unattributed API call. */
#define ORYX_ATTR_FETCH 1u
#define ORYX_ATTR_SECURE 2u
#define ORYX_ATTR_USER 4u
#define ORYX_ATTR_DEBUG 8u   /* peek, poke: no side effects */
#define ORYX_ATTR_DMA 16u

/* One access to a region backend. offset is region-relative; value in the low bytes, in host order of the number. */
typedef struct oryx_access {
    oryx_hdr hdr;
    uint64_t offset;
    uint64_t value;
    uint32_t size;            /* 1, 2, 4 or 8 */
    uint32_t write;
    uint32_t attrs;
    uint32_t requester;
    uint64_t vtime;           /* virtual time, ns */
    oryx_vcpu *vcpu;          /* NULL: not a vCPU's */
    uint32_t mmu_index;       /* of the vCPU's access */
    uint32_t reserved;
} oryx_access;

/* Memory that may be reached without a call. */
#define ORYX_DIRECT_BULK 1u   /* memcpy and merged accesses are allowed (ram); without it every access keeps its width */
typedef struct oryx_direct {
    oryx_hdr hdr;
    void *host;
    uint64_t last;            /* last region offset that host covers, counted from the offset asked for */
    uint32_t flags;
    uint32_t prot;
} oryx_direct;

typedef struct oryx_limits {
    uint8_t min, max;         /* bytes, powers of two; 0: 1 and 8 */
    uint8_t unaligned;
    uint8_t reserved[5];
} oryx_limits;

enum { ORYX_ENDIAN_LITTLE, ORYX_ENDIAN_BIG };

/* Callbacks of an io (or custom quirk) region. Return ORYX_OK, or ORYX_FAULT_DEVICE / ORYX_FAULT_DECODE. [vcpu] */
typedef struct oryx_io_ops {
    oryx_hdr hdr;
    oryx_status (*read)(void *opaque, oryx_access *a);  /* sets a->value */
    oryx_status (*write)(void *opaque, const oryx_access *a);
    oryx_status (*peek)(void *opaque, oryx_access *a);  /* read without side effects; NULL: reads as zero */
    oryx_limits valid, impl;
    uint32_t endian;
    uint32_t reserved;
} oryx_io_ops;

/* Where an IOMMU sends an access: to [addr, addr + last] of a space, for as long as nothing was said to oryx_iommu_unmapped. */
typedef struct oryx_iommu_entry {
    oryx_hdr hdr;
    oryx_space *space;
    uint64_t addr;            /* of the offset asked for */
    uint64_t last;            /* bytes after it that go the same way */
    uint32_t prot;            /* ORYX_PROT_*: what is allowed there */
    uint32_t reserved;
} oryx_iommu_entry;
typedef struct oryx_iommu_ops {
    oryx_hdr hdr;
    /* Where `offset` of the region leads for this access (its attrs and requester; size and value are not set); ORYX_OK and
     * *out, or the fault: ORYX_FAULT_TRANSLATE, _PROT, _DECODE, _DEVICE. A page walk may read memory. [any] */
    oryx_status (*translate)(void *opaque, const oryx_access *a, oryx_iommu_entry *out);
} oryx_iommu_ops;

/* What a new region is made of; zero what the type does not use.
 *   ram         host (the caller's memory, kept valid until the region is destroyed) or NULL: allocated; prot;
 *               io and opaque with options {"writes":"callback"}: a ROM device
 *   ram_device  host, or fd and fd_offset (mapped shared); prot
 *   io          io and opaque
 *   quirk       io and opaque (custom), or options naming a ready-made kind; lower is the region beneath
 *   container   nothing         alias: target and target_offset         iommu: iommu and opaque
 * options: JSON object text for the backend, or NULL. A refusal of a member begins with its JSON pointer and ':'. */
typedef struct oryx_region_config {
    oryx_hdr hdr;
    const char *name;         /* copied */
    uint64_t last;            /* size - 1 */
    uint32_t prot;            /* ORYX_PROT_*; 0: all */
    int32_t fd;               /* used when use_fd */
    uint32_t use_fd;
    uint32_t flags;           /* reserved, 0 */
    uint64_t fd_offset;
    void *host;
    const oryx_io_ops *io;    /* valid until the region is destroyed */
    void *opaque;
    oryx_region *target;      /* alias */
    uint64_t target_offset;
    oryx_region *lower;       /* quirk */
    const char *options;
    const oryx_iommu_ops *iommu; /* valid until the region is destroyed */
} oryx_region_config;

/* A region backend. self is the backend's own object of one region. */
typedef struct oryx_region_ops {
    oryx_hdr hdr;
    const char *type;
    oryx_status (*create)(const oryx_host *host, oryx_region *region, const oryx_region_config *config, void **self,
                          oryx_error *err);
    void (*destroy)(void *self);
    /* One access inside the region that obeys `impl`. [vcpu] */
    oryx_status (*access)(void *self, oryx_access *a);
    /* Direct memory at offset, or ORYX_E_UNSUPPORTED. Stays valid until the region is destroyed or host->region_changed. */
    oryx_status (*direct)(void *self, uint64_t offset, oryx_direct *out);
    /* Limits and endianness; NULL: 1..8 bytes, unaligned allowed, little-endian. */
    void (*describe)(void *self, oryx_limits *valid, oryx_limits *impl, uint32_t *endian);
    oryx_status (*reset)(void *self);
    /* The region's last byte becomes `last`; refuse what the backend has no room for. Memory that stays keeps its address. */
    oryx_status (*resize)(void *self, uint64_t last, oryx_error *err);
    /* How reads are served from now on: ORYX_MODE_*. The core asks for direct memory again afterwards. */
    oryx_status (*set_mode)(void *self, uint32_t mode);
    /* [offset, offset + size) reads as zero and gives its host memory back. */
    oryx_status (*discard)(void *self, uint64_t offset, uint64_t size);
    /* A descriptor and offset that another process can map (MAP_SHARED) to see the same bytes; it stays the backend's. */
    oryx_status (*share)(void *self, int32_t *fd, uint64_t *fd_offset);
    /* State beside the memory that accesses change (the index of an index/data window), as JSON object text: save gives it
     * malloc'ed, or NULL for none, load takes it and changes nothing when it refuses. Both NULL: there is none. [stopped] */
    oryx_status (*save)(void *self, char **json, oryx_error *err);
    oryx_status (*load)(void *self, const char *json, oryx_error *err);
    /* The function that access() calls for every read that is not DEBUG, and its first argument, when it adds nothing of its
     * own: the core then calls it directly. Constant for the region's life. ORYX_E_UNSUPPORTED: call access(). May be NULL. */
    oryx_status (*read_fn)(void *self, oryx_status (**fn)(void *opaque, oryx_access *a), void **opaque);
    /* The same of writes. */
    oryx_status (*write_fn)(void *self, oryx_status (**fn)(void *opaque, const oryx_access *a), void **opaque);
} oryx_region_ops;

/* Make a region of a type ("ram", "io", "container", ...). The machine owns it once added; destroy refuses while it is
 * in a tree or a target. [control] */
ORYX_API oryx_status oryx_region_new(oryx_machine *m, const char *type, const oryx_region_config *config,
                                     oryx_region **out, oryx_error *err);
ORYX_API oryx_status oryx_region_destroy(oryx_region *r, oryx_error *err);
/* Place child in parent at offset; among siblings the higher priority wins, on a tie the later added. Refuses cycles and
 * a child that already has a parent. [control] */
ORYX_API oryx_status oryx_region_add(oryx_region *parent, uint64_t offset, oryx_region *child, int32_t priority,
                                     oryx_error *err);
/* Like add with priority 0, but an overlap with an enabled sibling is ORYX_E_OVERLAP naming both. [control] */
ORYX_API oryx_status oryx_region_add_exclusive(oryx_region *parent, uint64_t offset, oryx_region *child, oryx_error *err);
ORYX_API oryx_status oryx_region_remove(oryx_region *child, oryx_error *err);
ORYX_API oryx_status oryx_region_enable(oryx_region *r, uint32_t enabled, oryx_error *err);
ORYX_API oryx_status oryx_region_move(oryx_region *r, uint64_t offset, oryx_error *err);
ORYX_API oryx_status oryx_region_protect(oryx_region *r, uint32_t prot, oryx_error *err);
ORYX_API const char *oryx_region_name(const oryx_region *r);
ORYX_API const char *oryx_region_type(const oryx_region *r);
ORYX_API oryx_machine *oryx_region_machine(const oryx_region *r);
ORYX_API uint64_t oryx_region_last(const oryx_region *r);
/* The backend's direct pointer or access path, region-relative: for quirks (lower) and devices. [vcpu] */
ORYX_API oryx_status oryx_region_access(oryx_region *r, oryx_access *a);
ORYX_API oryx_status oryx_region_direct(oryx_region *r, uint64_t offset, oryx_direct *out);
/* Change the size: what a shrinking region loses reads as zero when it grows again. ram grows up to its option "max"; of
 * other backends those that offer it. [control] */
ORYX_API oryx_status oryx_region_resize(oryx_region *r, uint64_t last, oryx_error *err);
/* A ROM device (ram with "writes":"callback") reads its memory (DIRECT, at first) or asks its callbacks (CALLBACK). [control] */
#define ORYX_MODE_DIRECT 0u
#define ORYX_MODE_CALLBACK 1u
ORYX_API oryx_status oryx_region_set_mode(oryx_region *r, uint32_t mode, oryx_error *err);
/* Drop the contents of [offset, offset + size): it reads as zero and costs no host memory until written. [control] */
ORYX_API oryx_status oryx_region_discard(oryx_region *r, uint64_t offset, uint64_t size, oryx_error *err);
/* Descriptor and offset of the region's memory, to be mapped by another process; it belongs to the region. ram needs the
 * option "memfd". [control] */
ORYX_API oryx_status oryx_region_share(oryx_region *r, int32_t *fd, uint64_t *fd_offset, oryx_error *err);
/* The caller changed [offset, offset + size) through a direct pointer: translated code there is dropped and the pages count
 * as dirty. [any] */
ORYX_API void oryx_region_written(oryx_region *r, uint64_t offset, uint64_t size);
/* The caller is going to change [offset, offset + size) through a direct pointer, and says so before: snapshots keep what is
 * there. Needed only while the machine has a snapshot; without it the change makes its snapshots useless (see
 * oryx_snapshot_restore). [any] */
ORYX_API void oryx_region_writing(oryx_region *r, uint64_t offset, uint64_t size);

/* Dirty logging: who wants to know which 4 KiB pages of a region were written. Each client has its own record; a region
 * that nobody logs pays nothing, and of one that is logged only writes to pages that are clean for somebody are slow. */
enum { ORYX_DIRTY_SNAPSHOT, ORYX_DIRTY_MIGRATION, ORYX_DIRTY_DISPLAY, ORYX_DIRTY_USER, ORYX_DIRTY_CLIENTS };
/* From now on, with every page clean. Of a leaf region. stop: when it was started. [control] */
ORYX_API oryx_status oryx_dirty_start(oryx_region *r, uint32_t client, oryx_error *err);
ORYX_API oryx_status oryx_dirty_stop(oryx_region *r, uint32_t client, oryx_error *err);
/* Pages [page, page + n) of the region into bits (bit i % 64 of word i / 64; NULL: only counted); clear: they are clean
 * again, and a write that is in no record yet will be in the next one. Returns how many were dirty, or a negative status.
 * Not from inside a region's callback. [control] */
ORYX_API int64_t oryx_dirty_take(oryx_region *r, uint32_t client, uint64_t page, uint64_t n, uint64_t *bits, uint32_t clear);

/* The backend's memory moved or its direct pointers must be asked for again. [any] */
ORYX_API void oryx_region_changed(oryx_region *r);

/* Group changes: the outermost commit makes them visible at once. [control] */
ORYX_API void oryx_txn_begin(oryx_machine *m);
ORYX_API oryx_status oryx_txn_commit(oryx_machine *m, oryx_error *err);

/* Address spaces. The machine has "system" from the start; others are made by name: "io" for ports, one for a device's DMA.
 * In a machine with a space "secure" (make it before vCPUs run), accesses to "system" with ORYX_ATTR_SECURE go there. [control] */
ORYX_API oryx_status oryx_space_new(oryx_machine *m, const char *name, oryx_space **out, oryx_error *err);
ORYX_API oryx_space *oryx_space_get(oryx_machine *m, const char *name);
ORYX_API oryx_region *oryx_space_root(oryx_space *s);
/* Physical access as a device or an API user sees it: split at borders, widths by the region's rules, code on written pages
 * invalidated. attrs: ORYX_ATTR_*. Returns ORYX_OK or ORYX_FAULT_*; bytes before the fault are done. [any] */
ORYX_API oryx_status oryx_space_read(oryx_space *s, uint64_t addr, void *buf, uint64_t size, uint32_t attrs);
ORYX_API oryx_status oryx_space_write(oryx_space *s, uint64_t addr, const void *buf, uint64_t size, uint32_t attrs);
/* The same with everything that is to be said of who does it. */
typedef struct oryx_initiator {
    oryx_hdr hdr;
    uint32_t attrs;           /* ORYX_ATTR_* */
    uint32_t requester;       /* of the device, as IOMMUs and regions see it */
} oryx_initiator;
ORYX_API oryx_status oryx_space_access(oryx_space *s, uint64_t addr, void *buf, uint64_t size, uint32_t write,
                                       const oryx_initiator *who);
/* What a guest's data access to an address without a region (unassigned), or one that a device refused (error), gives in
 * this space: the architecture's fault, or a value, or nothing. The API, DMA and fetches always get the status. [control] */
enum { ORYX_ON_FAULT, ORYX_ON_ONES, ORYX_ON_ZEROS, ORYX_ON_IGNORE };
typedef struct oryx_policy {
    oryx_hdr hdr;
    uint8_t read_unassigned;  /* ORYX_ON_FAULT, _ONES, _ZEROS */
    uint8_t write_unassigned; /* ORYX_ON_FAULT, _IGNORE */
    uint8_t read_error;
    uint8_t write_error;
    uint32_t reserved;
} oryx_policy;
ORYX_API oryx_status oryx_space_set_policy(oryx_space *s, const oryx_policy *policy, oryx_error *err);
/* Direct host pointer for [addr, addr + *len): *len shrinks to what is contiguous. ORYX_E_UNSUPPORTED: not direct. [any] */
ORYX_API oryx_status oryx_space_direct(oryx_space *s, uint64_t addr, uint64_t *len, oryx_direct *out);
/* Guest memory for bulk DMA: a direct pointer where the memory allows one, else a bounce buffer. */
typedef struct oryx_mapping {
    oryx_hdr hdr;
    void *host;
    uint64_t len;             /* may be less than asked for: map the rest next */
    uint32_t bounce;
    uint32_t reserved;
    void *core;               /* the core's */
} oryx_mapping;
/* Map up to len bytes at addr for a device that reads them (write 0) or writes them. A region that is mapped cannot be
 * destroyed or resized. Returns ORYX_FAULT_* as an access would, ORYX_E_BUSY when the bounce buffers are used up. [any] */
ORYX_API oryx_status oryx_space_map(oryx_space *s, uint64_t addr, uint64_t len, uint32_t write, const oryx_initiator *who,
                                    oryx_mapping *out, oryx_error *err);
/* The device is done and has written the first `done` bytes: they reach the guest now, code there is dropped, pages count as
 * dirty. Returns ORYX_OK or the fault of a bounced write. [any] */
ORYX_API oryx_status oryx_space_unmap(oryx_mapping *map, uint64_t done);
/* Who holds translations of an iommu region (devices with mapped memory, caches) hears when they end. listen, unlisten
 * [control]; unmapped is called by the IOMMU's model after its translations of [first, last] changed [any]. */
typedef void (*oryx_iommu_fn)(void *opaque, oryx_region *r, uint64_t first, uint64_t last);
ORYX_API oryx_status oryx_iommu_listen(oryx_region *r, oryx_iommu_fn fn, void *opaque, oryx_error *err);
ORYX_API void oryx_iommu_unlisten(oryx_region *r, oryx_iommu_fn fn, void *opaque);
ORYX_API void oryx_iommu_unmapped(oryx_region *r, uint64_t first, uint64_t last);
/* The caller changed [addr, addr + size) through a direct pointer: translated code there is dropped. [any] */
ORYX_API void oryx_space_written(oryx_space *s, uint64_t addr, uint64_t size);
/* The same before the change, for snapshots: see oryx_region_writing. [any] */
ORYX_API void oryx_space_writing(oryx_space *s, uint64_t addr, uint64_t size);

/* A row of the flat view, ascending and disjoint. */
typedef struct oryx_view_row {
    oryx_hdr hdr;
    uint64_t first, last;
    oryx_region *region;
    uint64_t offset;          /* in region */
    uint32_t prot;
    uint32_t reserved;
} oryx_view_row;
/* Copy up to n rows from row number `from`; returns how many the view has. [control] */
ORYX_API uint64_t oryx_space_view(oryx_space *s, uint64_t from, oryx_view_row *rows, uint64_t n);

/* Who wants to know how a space's flat view changes: begin, removed for each row that is no more (highest first), then in
 * ascending order added for each new row and unchanged for each row near a change that stayed, commit. Any may be NULL.
 * They run on the thread that commits, when the change is visible; rows live until they return. Changes they make to the
 * tree become visible after the last listener has heard of this one. [control] */
typedef struct oryx_listener_ops {
    oryx_hdr hdr;
    void (*begin)(void *opaque, oryx_space *s);
    void (*removed)(void *opaque, const oryx_view_row *row);
    void (*added)(void *opaque, const oryx_view_row *row);
    void (*unchanged)(void *opaque, const oryx_view_row *row);
    void (*commit)(void *opaque, oryx_space *s);
    /* Dirty logging for a client (ORYX_DIRTY_*) starts or stops in the region of this row; between begin and commit. */
    void (*log_start)(void *opaque, const oryx_view_row *row, uint32_t client);
    void (*log_stop)(void *opaque, const oryx_view_row *row, uint32_t client);
} oryx_listener_ops;
/* Hear of s from now on; the view as it is comes as additions at once. remove: the view comes as removals. Not from inside a
 * listener. [control] */
ORYX_API oryx_status oryx_listener_add(oryx_space *s, const oryx_listener_ops *ops, void *opaque, oryx_listener **out,
                                       oryx_error *err);
ORYX_API void oryx_listener_remove(oryx_listener *l);

ORYX_END
#endif
