/* Device models: interface "oryx.device/1", one class a model ("uart16550").
 *
 * A model makes regions, drives output lines, hears input lines, is woken at a virtual time, and reaches memory through the
 * space that the machine gave it. It may be added and removed while vCPUs run. */
#ifndef ORYX_DEVICE_H
#define ORYX_DEVICE_H

#include "oryx_machine.h"

ORYX_BEGIN

#define ORYX_DEVICE_ID "oryx.device/1"

typedef struct oryx_device_ops {
    oryx_hdr hdr;
    const char *name;
    const char *options;      /* JSON schema text of its options, or NULL */
    /* Make the model and its regions; options: JSON object text. [control] */
    oryx_status (*create)(const oryx_host *host, oryx_device *dev, const char *options, void **self, oryx_error *err);
    void (*destroy)(void *self);
    oryx_status (*reset)(void *self);
    /* Region number n of the device, or NULL. [control] */
    oryx_region *(*region)(void *self, uint32_t n);
    /* State as JSON object text, malloc'ed, the caller frees it; load takes the same. [stopped] */
    oryx_status (*save)(void *self, char **json, oryx_error *err);
    oryx_status (*load)(void *self, const char *json, oryx_error *err);
    /* Input line n is driven to level. [any] */
    void (*irq_in)(void *self, uint32_t n, uint32_t level);
    /* The virtual time asked for with device_alarm is reached; now: the time it is. Called once an alarm. [vcpu] */
    void (*alarm)(void *self, uint64_t now);
    /* How many lines it has: a wire to or from another is refused. 0: not said; an input of a model without irq_in is refused
     * either way. */
    uint32_t outputs, inputs;
} oryx_device_ops;

/* Make a device of a class ("uart16550"). Its regions are placed with oryx_device_map. [control] */
ORYX_API oryx_status oryx_device_new(oryx_machine *m, const char *cls, const char *name, const char *options,
                                     oryx_device **out, oryx_error *err);
ORYX_API oryx_status oryx_device_map(oryx_device *d, uint32_t n, oryx_space *s, uint64_t addr, oryx_error *err);
ORYX_API oryx_status oryx_device_reset(oryx_device *d);
ORYX_API oryx_status oryx_device_save(oryx_device *d, char **json, oryx_error *err);
ORYX_API oryx_status oryx_device_load(oryx_device *d, const char *json, oryx_error *err);
/* Unmaps its regions at once, cuts its wires and frees it. Running vCPUs see it from their next block on; an access under way
 * ends first. Not from inside a device's callback. [control] */
ORYX_API void oryx_device_destroy(oryx_device *d);
/* Output lines: a device drives line n; fn (NULL: none) hears its changes from now on, after the wires. [any] */
typedef void (*oryx_irq_fn)(void *opaque, uint32_t line, uint32_t level);
ORYX_API void oryx_device_on_irq(oryx_device *d, oryx_irq_fn fn, void *opaque);
ORYX_API void oryx_device_set_irq(oryx_device *d, uint32_t line, uint32_t level);
/* Drive input line `line`: the embedder is one more source of it. An input's level is the OR of its sources; the model hears
 * changes only, in order. ORYX_E_UNSUPPORTED: the model has no inputs. [any] */
ORYX_API oryx_status oryx_device_irq(oryx_device *d, uint32_t line, uint32_t level);
/* Wire output line `line` of from to input line `input` of to, which hears the present level; any number of wires at either
 * end. ORYX_E_EXISTS, ORYX_E_NOTFOUND: the wire is there already, is not there. [control] */
ORYX_API oryx_status oryx_device_connect(oryx_device *from, uint32_t line, oryx_device *to, uint32_t input, oryx_error *err);
ORYX_API oryx_status oryx_device_disconnect(oryx_device *from, uint32_t line, oryx_device *to, uint32_t input, oryx_error *err);
/* Take all its regions out of their spaces in one transaction; the device lives on. [control] */
ORYX_API oryx_status oryx_device_unmap(oryx_device *d, oryx_error *err);
/* The space its DMA goes through; "system" when never set or NULL. [control] */
ORYX_API void oryx_device_set_space(oryx_device *d, oryx_space *s);
/* How its DMA is marked beside ORYX_ATTR_DMA: ORYX_ATTR_SECURE or _USER, and the requester that IOMMUs see; 0 at first. [control] */
ORYX_API oryx_status oryx_device_set_initiator(oryx_device *d, const oryx_initiator *who);
/* DMA: bytes as in oryx_space_read and _write, marked ORYX_ATTR_DMA. For models; not while holding a lock that one of the
 * device's own callbacks takes. Returns ORYX_OK or ORYX_FAULT_*. [any] */
ORYX_API oryx_status oryx_device_read(oryx_device *d, uint64_t addr, void *buf, uint64_t size);
ORYX_API oryx_status oryx_device_write(oryx_device *d, uint64_t addr, const void *buf, uint64_t size);
/* Ask for ops->alarm at virtual time `when` (ns), ~0: no more. A device has one; a later call replaces it. It comes at an
 * instruction boundary exactly then, or at the next block's when it was asked for too late. [any] */
ORYX_API void oryx_device_alarm(oryx_device *d, uint64_t when);
/* No vCPU has anything to do: skip virtual time to the next alarm and deliver it. ORYX_E_NOTFOUND: none is set. [stopped] */
ORYX_API oryx_status oryx_machine_skip(oryx_machine *m);
/* ns of virtual time pass without instructions: what a slow access takes. Alarms that become due ring at the next block of a
 * running vCPU. [any] Since 1.0. */
ORYX_API void oryx_machine_advance(oryx_machine *m, uint64_t ns);
/* A device by name, or NULL; region n of a device, or NULL. [control] */
ORYX_API oryx_device *oryx_device_find(oryx_machine *m, const char *name);
ORYX_API oryx_region *oryx_device_region(oryx_device *d, uint32_t n);
ORYX_API oryx_machine *oryx_device_machine(oryx_device *d);
ORYX_API const char *oryx_device_name(oryx_device *d);

ORYX_END
#endif
