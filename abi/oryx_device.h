/* Device models: interface "oryx.device/1", one class a model ("uart16550"). (Completed by issue "Memory".) */
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
} oryx_device_ops;

/* Make a device of a class ("uart16550"). Its regions are placed with oryx_device_map. [control] */
ORYX_API oryx_status oryx_device_new(oryx_machine *m, const char *cls, const char *name, const char *options,
                                     oryx_device **out, oryx_error *err);
ORYX_API oryx_status oryx_device_map(oryx_device *d, uint32_t n, oryx_space *s, uint64_t addr, oryx_error *err);
ORYX_API oryx_status oryx_device_reset(oryx_device *d);
ORYX_API oryx_status oryx_device_save(oryx_device *d, char **json, oryx_error *err);
ORYX_API oryx_status oryx_device_load(oryx_device *d, const char *json, oryx_error *err);
/* Unmaps its regions and frees it. [control] */
ORYX_API void oryx_device_destroy(oryx_device *d);
/* Output lines: a device drives line n; fn (NULL: none) hears it. [any] */
typedef void (*oryx_irq_fn)(void *opaque, uint32_t line, uint32_t level);
ORYX_API void oryx_device_on_irq(oryx_device *d, oryx_irq_fn fn, void *opaque);
ORYX_API void oryx_device_set_irq(oryx_device *d, uint32_t line, uint32_t level);
ORYX_API oryx_machine *oryx_device_machine(oryx_device *d);
ORYX_API const char *oryx_device_name(oryx_device *d);

ORYX_END
#endif
