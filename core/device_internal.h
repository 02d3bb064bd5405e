/* Devices as device.c and device_state.c see them. */
#ifndef ORYX_DEVICE_INTERNAL_H
#define ORYX_DEVICE_INTERNAL_H

#include "core.h"
#include "mem_internal.h"

/* An input line: the OR of its sources, told to the model by one thread at a time, so in order. */
struct input {
    uint32_t line;
    uint32_t outside; /* level given by oryx_device_irq */
    uint32_t high;    /* wires that are high */
    uint32_t told;
    uint32_t rose; /* it was high for a moment while another thread was telling */
    uint32_t telling;
};

struct wire {
    oryx_device *from, *to;
    uint32_t line;
    struct input *in;
    uint32_t level;
};

struct oryx_device {
    oryx_machine *machine;
    uint64_t serial; /* no other device of the machine ever had it */
    char *name, *cls;
    const oryx_device_ops *ops;
    void *self;
    GPtrArray *mapped;           /* regions placed by map */
    GPtrArray *inputs;           /* of struct input; live as long as the device */
    GHashTable *outputs;         /* line -> level, of lines ever driven */
    _Atomic(oryx_space *) space; /* of its DMA */
    _Atomic uint32_t attrs, requester; /* of its DMA, beside ORYX_ATTR_DMA */
    _Atomic uint64_t alarm;      /* ~0: none */
    _Atomic uint32_t calls;      /* threads inside irq_in or alarm, or about to be */
    oryx_irq_fn irq_fn;
    void *irq_opaque;
};

struct oryx__devices {
    GPtrArray *all;       /* in creation order */
    pthread_mutex_t lock; /* inputs, outputs, wires, listeners; nothing is called and no other lock
                             taken inside */
    GPtrArray *wires;
    uint64_t version; /* rises when a device or a wire comes or goes */
    uint32_t frozen;  /* a snapshot is being put back: outputs change, nobody is told */
};

/* device.c, under devices->lock */
struct input *oryx__input_of(oryx_device *d, uint32_t line); /* made when it is new */
#define ORYX__OUT_LEVEL 1u /* of an output, and what its listener heard */
#define ORYX__OUT_HEARD 2u
uint32_t oryx__output(const oryx_device *d, uint32_t line);
void oryx__output_set(oryx_device *d, uint32_t line, uint32_t bits);
void oryx__wires_tell(struct oryx__devices *all, oryx_device *d, uint32_t line); /* gives the lock up meanwhile */
void oryx__output_tell(oryx_device *d, uint32_t line); /* to its listener, without the lock */
/* The machine's next alarm is at most the earliest of its devices'. */
void oryx__alarms_look(oryx_machine *m);

#endif
