/* A machine with memory and nothing else, for white-box tests of the memory files: the region
 * plugins are the real ones, what the memory files call of the rest of the core is recorded. */
#ifndef MEM_FAKE_H
#define MEM_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mem_internal.h"

/* What oryx__code_written was told, newest last; `fake_drop` makes it take the page's mark away as
 * tb_cache.c does. */
struct fake_written {
    oryx_space *space;
    uint64_t phys, size;
};
extern struct fake_written fake_written[64];
extern unsigned fake_n_written;
extern int fake_drop;

oryx_machine *fake_machine(void);
void fake_machine_free(oryx_machine *m);
oryx_vcpu *fake_vcpu(oryx_machine *m);

/* Regions without ceremony; the test fails when they cannot be made. */
oryx_region *fake_region(oryx_machine *m, const char *type, const char *name, uint64_t size);
oryx_region *fake_ram(oryx_machine *m, const char *name, uint64_t size, void *host);
oryx_region *fake_alias(oryx_machine *m, const char *name, uint64_t size, oryx_region *target,
                        uint64_t offset);
oryx_region *fake_io(oryx_machine *m, const char *name, uint64_t size, const oryx_io_ops *io,
                     void *opaque);
void fake_add(oryx_region *parent, uint64_t at, oryx_region *child, int32_t priority);
oryx_region *fake_root(oryx_machine *m);
oryx_space *fake_space(oryx_machine *m);

#define assert_ok(call) assert_int_equal((call), ORYX_OK)

#endif
