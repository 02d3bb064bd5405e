/* The host table handed to plugins: one row a function, generated from oryx_host.def, always complete. */
#include "core.h"

static const void *query(const char *id)
{
    (void)id; /* extensions and drafts get their rows here; the core offers none yet */
    return NULL;
}

const oryx_host oryx__host = {
    .hdr = ORYX_HDR(oryx_host),
    .query = query,
#define FN(name) .name = oryx_##name,
#include "oryx_host.def"
#undef FN
};
