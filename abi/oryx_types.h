/* Fixed-width types, handles and the small structs every other ABI header uses.
 *
 * Rules (docs/DESIGN.md, "The ABI"): fixed-width integers and pointers only; a struct that may grow starts
 * with oryx_hdr and grows only at its end; the reader uses the smaller of the two sizes; a missing member
 * reads as zero. Thread tags on functions: [control] the thread that owns the machine while no vCPU needs it,
 * [vcpu] the thread that runs the vCPU, [any] every thread (and signal handlers where said), [stopped] only
 * while no vCPU of the machine runs. */
#ifndef ORYX_TYPES_H
#define ORYX_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ORYX_BEGIN extern "C" {
#define ORYX_END }
#else
#define ORYX_BEGIN
#define ORYX_END
#endif

#if defined(ORYX_BUILDING_CORE)
#define ORYX_API __attribute__((visibility("default")))
#else
#define ORYX_API
#endif

ORYX_BEGIN

#define ORYX_ABI_MAJOR 1
#define ORYX_ABI_MINOR 0

/* First member of every struct that crosses the ABI and may grow. size: sizeof the struct as its writer knew it. */
typedef struct oryx_hdr {
    uint32_t size;
    uint16_t major;
    uint16_t minor;
} oryx_hdr;

#define ORYX_HDR(type) { (uint32_t)sizeof(type), ORYX_ABI_MAJOR, ORYX_ABI_MINOR }

/* True when `member` lies inside the struct that the other side filled in. */
#define ORYX_HAS(ptr, member) \
    ((ptr)->hdr.size >= offsetof(__typeof__(*(ptr)), member) + sizeof((ptr)->member))

/* Status codes: 0 or negative. Rows in oryx_status.def. */
typedef int32_t oryx_status;
#define STATUS(name, value, text) static const oryx_status ORYX_##name = value;
#include "oryx_status.def"
#undef STATUS

/* Caller-owned error text. A function that fails fills it when the pointer is not NULL.
 * text: one line, UTF-8, NUL-terminated, names the file, address or field, the rule and the remedy. */
typedef struct oryx_error {
    oryx_status code;
    uint32_t reserved;
    char text[504];
} oryx_error;

/* A 128-bit value, byte 0 least significant on every host. */
typedef struct oryx_v128 {
    uint64_t lo;
    uint64_t hi;
} oryx_v128;

typedef struct oryx_machine oryx_machine; /* one emulated machine: spaces, vCPUs, devices, plugins in use */
typedef struct oryx_vcpu oryx_vcpu;       /* one guest CPU of a machine */
typedef struct oryx_space oryx_space;     /* an address space: a root region and its flat view */
typedef struct oryx_region oryx_region;   /* a node of a region tree */
typedef struct oryx_listener oryx_listener; /* who hears what changes in an address space */
typedef struct oryx_plugin oryx_plugin;   /* a loaded plugin */
typedef struct oryx_probe oryx_probe;     /* an attached instrumentation plugin */
typedef struct oryx_device oryx_device;   /* a device model in a machine */
typedef struct oryx_host oryx_host;       /* the table of core functions handed to plugins: oryx_plugin.h */
typedef struct oryx_cpu oryx_cpu;         /* execution context of a vCPU as engines see it: oryx_cpu.h */
typedef struct oryx_tb oryx_tb;           /* a translation block: oryx_engine.h */
typedef struct oryx_ir oryx_ir;           /* an IR block being built or compiled: oryx_ir.h */

ORYX_END
#endif
