/* Register access and text of the floating-point and AdvSIMD rows.
 *
 * Called by vfp_*.c and neon_*.c bodies and the generated text functions. Invariant: with l->pred set a register write is
 * a SELECT of the old value, as in a32_common.c. */
#include <stdio.h>
#include <string.h>

#include "vfp.h"

static uint32_t slot(a32_lift *l, unsigned p, unsigned n)
{
    if (p && n >= 16 && !(l->features & A32_FEAT_D32))
        l->refused = 1;
    return p ? A32_OFF_D(n & 31) : A32_OFF_S(n & 31);
}

static void put(a32_lift *l, unsigned type, uint32_t offset, oryx_val v)
{
    if (l->pred)
        v = oryx_select(l->ir, type, l->pred, v, oryx_get(l->ir, type, offset));
    oryx_put(l->ir, type, offset, v);
}

oryx_val vfp_get(a32_lift *l, unsigned p, unsigned n)
{
    return oryx_get(l->ir, flane(p), slot(l, p, n));
}

void vfp_set(a32_lift *l, unsigned p, unsigned n, oryx_val v)
{
    put(l, flane(p), slot(l, p, n), v);
}

oryx_val vfp_get_bits(a32_lift *l, unsigned p, unsigned n)
{
    return oryx_get(l->ir, lane(p + 2), slot(l, p, n));
}

void vfp_set_bits(a32_lift *l, unsigned p, unsigned n, oryx_val v)
{
    put(l, lane(p + 2), slot(l, p, n), v);
}

void vfp_data(a32_lift *l)
{
    if (l->mode & A32_FPSCR_VECTOR)
        l->refused = 1;
}

oryx_val vfp_call(a32_lift *l, unsigned helper, unsigned type, const oryx_val *args, unsigned n)
{
    return oryx_call(l->ir, l->helper_base + helper, type, args, n);
}

uint32_t vfp_memop(const a32_lift *l, unsigned z, unsigned align)
{
    return z | ORYX_MO_ALIGN(align) | (a32_big(l) ? ORYX_MO_BE : 0);
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

void a32_t_fp(a32_text *t, unsigned p, unsigned n)
{
    a32_t_str(t, p ? "d" : "s");
    a32_t_u(t, n);
}

void a32_t_fplist(a32_text *t, unsigned p, unsigned n, unsigned count)
{
    a32_t_str(t, "{");
    a32_t_fp(t, p, n);
    if (count > 1) {
        a32_t_str(t, "-");
        a32_t_fp(t, p, n + count - 1);
    }
    a32_t_str(t, "}");
}

void a32_t_v(a32_text *t, unsigned q, unsigned n)
{
    if (q && n & 1)
        t->undefined = 1;
    a32_t_str(t, q ? "q" : "d");
    a32_t_u(t, q ? n >> 1 : n);
}

void a32_t_vlist(a32_text *t, unsigned n, unsigned count)
{
    a32_t_fplist(t, 1, n, count);
}

void a32_t_neon_int(a32_text *t, uint64_t v)
{
    char text[24];
    snprintf(text, sizeof text, "%d", (int)(uint32_t)v);
    a32_t_str(t, text);
}

void a32_t_neon_float(a32_text *t, uint32_t v)
{
    char text[24];
    float f;
    memcpy(&f, &v, sizeof f);
    snprintf(text, sizeof text, "%.9g", (double)f);
    a32_t_str(t, text);
}

void a32_t_fpsys(a32_text *t, unsigned reg)
{
    a32_t_pick(t, reg, "fpsid fpscr ? ? ? mvfr2 mvfr1 mvfr0 fpexc fpinst fpinst2 ? ? ? ? ?");
}

void a32_t_fpmem(a32_text *t, unsigned n, unsigned u, unsigned imm)
{
    a32_t_mem(t, n, 1, u, 0, imm * 4);
}
