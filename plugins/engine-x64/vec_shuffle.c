/* Moves of lanes between vectors: unzip, transpose, extract. Called by vec.c. Lane numbers as there. Scratch: XS0, XS1. */
#include "simd.h"

#define OP_AND P66(0x0fdb)
#define OP_OR P66(0x0feb)

static void host_shift(jit *j, unsigned op, unsigned group, unsigned d, unsigned s, unsigned n)
{
    if (j->en->avx) {
        vex_rr(&j->e, op, W32, group, d, s);
    } else {
        x_mov(&j->e, d, s);
        emit_rr(&j->e, op, W32, group, d);
    }
    emit8(&j->e, n);
}

/* 8- and 16-bit lanes: cut to the wanted half of each pair, then pack. v64: both operands in one register first. */
static bool unzip(jit *j, oryx_val v, int lane, bool odd)
{
    const oryx_ir_op *o = op_of(j, v);
    if (lane > 1)
        return false;
    unsigned wide = lane ? P66(0x0f72) : P66(0x0f71), pack = lane ? P66(0x0f382b) : P66(0x0f67), width = 8u << lane;
    uint64_t mask = lane ? 0x0000ffff0000ffffu : 0x00ff00ff00ff00ffu;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    bool half = o->type == ORYX_T_V64;
    if (half) {
        x3(j, P66(0x0f6c), XS0, a, b);
        a = XS0;
    }
    if (odd) {
        host_shift(j, wide, 2, d, a, width);
        if (!half)
            host_shift(j, wide, 2, XS1, b, width);
    } else {
        vec_literal(j, XS1, mask, mask);
        x3(j, OP_AND, d, a, XS1);
        if (!half)
            x3(j, OP_AND, XS1, XS1, b);
    }
    x3(j, pack, d, d, half ? d : XS1);
    return true;
}

static bool transpose(jit *j, oryx_val v, int lane, bool odd)
{
    static const unsigned wide[3] = { P66(0x0f71), P66(0x0f72), P66(0x0f73) };
    const oryx_ir_op *o = op_of(j, v);
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    if (lane == 3) {
        x3(j, odd ? P66(0x0f6d) : P66(0x0f6c), d, a, b);
        return true;
    }
    unsigned x = a, y = b;
    if (odd) {
        host_shift(j, wide[lane], 2, XS0, a, 8u << lane);
        x = XS0;
    } else {
        host_shift(j, wide[lane], 6, XS0, b, 8u << lane);
        y = XS0;
    }
    if (lane) {
        x3(j, P66(0x0f3a0e), d, x, y); /* pblendw */
        emit8(&j->e, lane == 1 ? 0xaa : 0xcc);
        return true;
    }
    uint64_t mask = odd ? 0xff00ff00ff00ff00u : 0x00ff00ff00ff00ffu;
    vec_literal(j, XS1, mask, mask);
    x3(j, OP_AND, d, odd ? y : x, XS1);
    x3(j, OP_OR, d, d, XS0);
    return true;
}

static bool extract(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    if (o->type == ORYX_T_V64) {
        x3(j, P66(0x0f6c), d, a, b);
        host_shift(j, P66(0x0f73), 3, d, d, (unsigned)o->imm); /* psrldq */
    } else {
        x3(j, P66(0x0f3a0f), d, b, a);
        emit8(&j->e, (unsigned)o->imm);
    }
    return true;
}

bool vec_shuffle_op(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    if (o->op == ORYX_OP_VEXT)
        return extract(j, v);
    if (lane < 0 || (lane == 3 && o->type == ORYX_T_V64))
        return false;
    switch (o->op) {
    case ORYX_OP_UZP1: return unzip(j, v, lane, false);
    case ORYX_OP_UZP2: return unzip(j, v, lane, true);
    case ORYX_OP_TRN1: return transpose(j, v, lane, false);
    case ORYX_OP_TRN2: return transpose(j, v, lane, true);
    default: return false;
    }
}
