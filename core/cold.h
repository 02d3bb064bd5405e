/* Between run.c, translate.c and cold.c: a block that is executed once, from its IR. Each vCPU has one; its thread's alone. */
#ifndef ORYX_COLD_H
#define ORYX_COLD_H

#include "exec.h"

#define ORYX__COLD_OPS 1024u

typedef struct oryx__cold oryx__cold;
struct oryx__cold {
    oryx_ir ir;                /* of the block that waits to be executed */
    bool ready;                /* one does */
    bool labels;
    oryx__page *page[2];       /* that its bytes lie on, held, and their versions when it was lifted */
    uint32_t version[2];
    uint64_t flushes;          /* of the machine then */
    oryx__page *kept;          /* held from block to block within a run: the next one is likely to be there */
    uint32_t label[256];
    uint64_t local[64];
    uint64_t val[ORYX__COLD_OPS];
};

/* Where to lift the block at pc to, empty: nothing of this pc and mode was asked about before, or that was long ago. It counts as
 * met from now on. NULL: compile it. Under machine->lock. */
oryx_ir *oryx__cold_ir(oryx_vcpu *v, uint64_t pc);
/* Every op of c->ir can be executed here. */
bool oryx__cold_fits(oryx__cold *c);
/* c->ir, made of len bytes, is to be executed; the pages' holds are taken over. */
void oryx__cold_take(oryx_vcpu *v, uint32_t len, oryx__page *const *page, const uint32_t *version);
/* Execute it: an ORYX_LEAVE_* as an engine's enter gives. */
uint32_t oryx__cold_run(oryx_vcpu *v);
void oryx__cold_release(oryx_vcpu *v);
void oryx__cold_end(oryx_vcpu *v); /* the run ends with a page held (v->cold->kept): no longer */
void oryx__cold_free(oryx_vcpu *v);

#endif
