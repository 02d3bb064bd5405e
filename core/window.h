/* Host accesses of the core to memory whose protections follow a guest's: another thread of the guest may take a page away
 * between the check and the access. Used by access.c, vcpu_access.c and address_space.c; window.c has the handler. */
#ifndef ORYX_WINDOW_H
#define ORYX_WINDOW_H

#include <setjmp.h>
#include <stdbool.h>

#include "mem_internal.h"

/* Armed, it brings a fault of this thread at [host, host + n) back to sigsetjmp(env, 0), sig set. */
typedef struct oryx__guard {
    sigjmp_buf env;
    const uint8_t *host;
    uint64_t n;
    struct oryx__guard *outer;
    volatile int sig;
} oryx__guard;

void oryx__guard_arm(oryx__guard *g, const oryx_space *s);
void oryx__guard_disarm(oryx__guard *g);

/* Copies that touch a window's memory whatever the guest may do there (debuggers), or fail. False: there is no memory. */
bool oryx__window_copy(const oryx_space *s, uint8_t *host, uint8_t *buf, uint64_t n, int write);

/* Does the space have a window with these bytes? */
static inline bool oryx__window_has(const oryx_space *s, const uint8_t *host)
{
    return s->window.host && host >= s->window.host && (uint64_t)(host - s->window.host) < s->window.size;
}

#endif
