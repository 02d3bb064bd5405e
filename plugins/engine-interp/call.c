/* Helper calls: operands by signature, directly when all travel in integer registers, else through the core's libffi.
 *
 * Called by run.c for CALL. The invariant: when the helper raised an exception the result's place is untouched. */
#include "interp.h"

/* On these hosts every integer and pointer argument occupies one whole register of the same file, and a callee ignores
 * the ones it does not take. */
#if defined(__x86_64__) || defined(__aarch64__)
#define DIRECT_MAX 6
typedef uint64_t (*direct_fn)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
#else
#define DIRECT_MAX 0
#endif

void interp_call(const call_site *s, uint8_t *base, oryx_cpu *cpu)
{
    const oryx_helper_entry *e = s->entry;
    oryx_v128 vec[8], ret = { 0, 0 };
    uint64_t num[8];
    unsigned wide = e->ret == ORYX_T_V128;
    if (s->foreign && cpu->host_fp)
        cpu->host_fp(cpu);
    for (unsigned k = 0; k < e->n_args; k++) {
        switch (e->args[k]) {
        case ORYX_T_V128: /* copied: the helper may write the register it came from */
            vec[k].lo = R64(s->args[k]);
            vec[k].hi = R64(s->args[k] + 8);
            num[k] = (uint64_t)(uintptr_t)&vec[k];
            break;
        case ORYX_T_I64:
        case ORYX_T_F64:
        case ORYX_T_V64:
            num[k] = R64(s->args[k]);
            break;
        default:
            num[k] = R32(s->args[k]);
            break;
        }
    }
#if DIRECT_MAX
    if (s->direct && wide + e->takes_vcpu + e->n_args <= DIRECT_MAX) {
        uint64_t r[DIRECT_MAX] = { 0 };
        unsigned n = 0;
        if (wide)
            r[n++] = (uint64_t)(uintptr_t)&ret;
        if (e->takes_vcpu)
            r[n++] = (uint64_t)(uintptr_t)cpu;
        for (unsigned k = 0; k < e->n_args; k++)
            r[n++] = num[k];
        uint64_t v = ((direct_fn)e->helper->fn)(r[0], r[1], r[2], r[3], r[4], r[5]);
        if (!wide)
            ret.lo = v;
    } else
#endif
    {
        void *args[8] = { 0 };
        for (unsigned k = 0; k < e->n_args; k++)
            args[k] = e->args[k] == ORYX_T_V128 ? (void *)&vec[k] : (void *)&num[k];
        s->host->helper_call(e, cpu, args, &ret);
    }
    if (s->ret == ORYX_T_VOID || cpu->exc.kind != ORYX_EXC_NONE)
        return;
    switch (s->ret) {
    case ORYX_T_V128:
        memcpy(base + s->dest, &ret, 16);
        break;
    case ORYX_T_FL:
        memcpy(base + s->dest, &ret, 4);
        break;
    case ORYX_T_I64:
    case ORYX_T_F64:
    case ORYX_T_V64:
        memcpy(base + s->dest, &ret, 8);
        break;
    default: {
        static const uint64_t mask[5] = { 0, 0xff, 0xffff, 0, 0xffffffff };
        uint64_t v = s->ret == ORYX_T_I1 ? ret.lo & 1 : ret.lo & mask[oryx_type_size(s->ret) & 7];
        memcpy(base + s->dest, &v, 8);
        break;
    }
    }
}
