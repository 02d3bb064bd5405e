/* Half-precision arithmetic (FEAT_FP16), one call for all lanes (DDI 0487, J1.3
 * shared/functions/float).
 *
 * Called by generated code through the rows of a64_helpers.def; bodies are in a64_fp16.c and
 * a64_simd_fp16.c, the arithmetic in arm_fpop.c. Invariant: FPCR.FZ16, not FZ, flushes here. */
#include "a64_fp16.h"
#include "a64_softfloat.h"

static const format *const half = &formats[1];

/* --- the helpers; control: H_CONTROL ---------------------------------------------------------- */
void a64_helper_fp16(oryx_v128 *out, oryx_cpu *cpu, const oryx_v128 *a, const oryx_v128 *b,
                     const oryx_v128 *c, uint32_t control)
{
    oryx_v128 r = { 0, 0 };
    oryx_fpenv fp = fp_enter(cpu, 1);
    for (unsigned i = 0; i < (control >> 8 & 15); i++) {
        uint64_t v[3] = { lane_get(a, 1, i), lane_get(b, 1, i), lane_get(c, 1, i) };
        lane_put(&r, 1, i, arm_fp_operate(&fp, half, control & 255, control >> 12 & 15, control >> 16 & 255, v));
    }
    fp_leave(cpu, &fp);
    *out = r;
}

/* To and from general registers; the lane count of control is 0 for W, 1 for X. */
uint64_t a64_helper_fp16_to_int(oryx_cpu *cpu, uint64_t v, uint32_t control)
{
    oryx_fpenv fp = fp_enter(cpu, 1);
    number x = unpack(&fp, half, v & 0xffff);
    v = arm_fp_to_fixed(&fp, x, control >> 12 & 15, control >> 16 & 255, control >> 8 & 15 ? 64 : 32);
    fp_leave(cpu, &fp);
    return v;
}

uint64_t a64_helper_fp16_from_int(oryx_cpu *cpu, uint64_t v, uint32_t control)
{
    oryx_fpenv fp = fp_enter(cpu, 1);
    v = arm_fp_from_fixed(&fp, half, v, control >> 12 & 15, control >> 16 & 255, control >> 8 & 15 ? 64 : 32);
    fp_leave(cpu, &fp);
    return v;
}

/* FCMP, FCMPE (signal_all): packed flags. */
uint32_t a64_helper_fp16_fcmp(oryx_cpu *cpu, uint32_t a, uint32_t b, uint32_t signal_all)
{
    oryx_fpenv fp = fp_enter(cpu, 1);
    number x[2] = { unpack(&fp, half, a & 0xffff), unpack(&fp, half, b & 0xffff) };
    if (x[0].kind >= QNAN || x[1].kind >= QNAN) {
        /* The only flag there is; a flushed half raises none. */
        if (signal_all || x[0].kind == SNAN || x[1].kind == SNAN)
            cpu->fp.flags |= ORYX_FPF_INVALID;
        return ORYX_FLAG_C | ORYX_FLAG_O;
    }
    int o = arm_fp_order(half, x[0].kind == ZERO ? 0 : a & 0xffff, x[1].kind == ZERO ? 0 : b & 0xffff);
    return o < 0 ? ORYX_FLAG_S : o ? ORYX_FLAG_C : ORYX_FLAG_Z | ORYX_FLAG_C;
}
