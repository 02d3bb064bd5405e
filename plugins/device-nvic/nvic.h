/* The model "nvic": its state, shared by its three files. */
#ifndef NVIC_H
#define NVIC_H

#include <pthread.h>

#include "helper/oryx_device_plugin.h"
#include "oryx_scs.h"

/* SysTick: a counter of `hz` that goes down. All times are ticks since virtual time 0. */
typedef struct systick {
    uint64_t hz, ref_hz;   /* of the processor clock; of the reference clock, 0: there is none */
    uint32_t csr, reload;  /* CSR: ENABLE, TICKINT, CLKSOURCE, and COUNTFLAG at 16 */
    uint64_t from;         /* tick at which the counter was `start` */
    uint64_t seen;         /* ticks up to here have had their effects */
    uint32_t start;
    uint32_t reserved;
} systick;

typedef struct nvic {
    oryx_scs scs;          /* first: shared with the vCPU */
    const oryx_host *host;
    oryx_device *dev;
    oryx_machine *machine;
    oryx_region *region;
    uint32_t cpu;
    uint32_t attached;
    pthread_mutex_t lock;  /* systick */
    systick tick;
    /* state as saved: ticks relative to now */
    uint64_t age, unseen;
    uint32_t calib_skew;
} nvic;

void nvic_kick(nvic *d);                        /* the CPU shall look */
void nvic_pend(nvic *d, uint32_t n, uint32_t on);
void nvic_flush(nvic *d);                       /* the MPU is another one */
void nvic_clear(nvic *d);                       /* registers as after a reset; levels of inputs stay */

/* registers.c: aligned words of 0xE000E000. */
uint32_t nvic_read(nvic *d, uint32_t offset, uint32_t peek);
void nvic_write(nvic *d, uint32_t offset, uint32_t mask, uint32_t v); /* mask: the bytes that are written */
/* systick.c */
uint32_t systick_read(nvic *d, uint32_t offset, uint32_t peek);
void systick_write(nvic *d, uint32_t offset, uint32_t v);
void systick_catch_up(nvic *d);                 /* with the lock */
void systick_arm(nvic *d);                      /* with the lock: the alarm to the next zero */
uint64_t systick_now(const nvic *d);            /* ticks */
uint32_t systick_value(const systick *t, uint64_t now);

#endif
