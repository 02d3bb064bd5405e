/* The core's one allocation seam.
 * Owns: nothing but the test countdown. Called by: every core file that needs memory of its
 * own.
 * Invariant: memory is zeroed, a refusal is NULL and never ends the process, and a test can
 * make allocation n fail. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "mem_internal.h"

/* Allocations of this thread that still succeed; negative: all of them. Thread-local, so that a
 * test which makes its own allocations fail leaves other machines of the process alone. */
_Thread_local int64_t oryx__alloc_left = -1;

static int refused(void)
{
    if (oryx__alloc_left < 0)
        return 0;
    if (oryx__alloc_left == 0)
        return 1;
    oryx__alloc_left--;
    return 0;
}

void *oryx__alloc(size_t size)
{
    return refused() ? NULL : calloc(1, size ? size : 1);
}

void *oryx__realloc(void *p, size_t size)
{
    return refused() ? NULL : realloc(p, size ? size : 1);
}

void oryx__free(void *p)
{
    free(p);
}
