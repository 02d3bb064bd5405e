/* Lane-wise integer ops that need more than one instruction: shifts, halving, saturation, products, sums over lanes, bit counts.
 * Called by vec.c. Lane numbers as there: 0 i8 .. 3 i64. Scratch: XS0-XS2, RAX. Invariant: saturation sets the sticky flag in
 * cpu->fp.flags only for lanes of the value, never for the undefined upper half of a v64. */
#include "simd.h"

static const unsigned op_add[4] = { P66(0x0ffc), P66(0x0ffd), P66(0x0ffe), P66(0x0fd4) };
static const unsigned op_sub[4] = { P66(0x0ff8), P66(0x0ff9), P66(0x0ffa), P66(0x0ffb) };
static const unsigned op_eq[4] = { P66(0x0f74), P66(0x0f75), P66(0x0f76), P66(0x0f3829) };
#define OP_AND P66(0x0fdb)
#define OP_ANDN P66(0x0fdf)
#define OP_OR P66(0x0feb)
#define OP_XOR P66(0x0fef)

static uint64_t every(int lane, uint64_t v)
{
    switch (lane) {
    case 0: return (v & 0xff) * 0x0101010101010101u;
    case 1: return (v & 0xffff) * 0x0001000100010001u;
    case 2: return (v & 0xffffffffu) * 0x0000000100000001u;
    default: return v;
    }
}

static void splat(jit *j, unsigned d, int lane, uint64_t v)
{
    vec_literal(j, d, every(lane, v), every(lane, v));
}

/* --- shifts by a constant --------------------------------------------------------------------------------------------------- */
enum { RIGHT = 2, SIGNED = 4, LEFT_SHIFT = 6 }; /* the host's /reg */

/* d = s shifted; 16-, 32- and 64-bit lanes the host has. */
static void host_shift(jit *j, unsigned group, int lane, unsigned d, unsigned s, unsigned n)
{
    static const unsigned op[4] = { 0, P66(0x0f71), P66(0x0f72), P66(0x0f73) };
    if (j->en->avx) {
        vex_rr(&j->e, op[lane], W32, group, d, s);
    } else {
        x_mov(&j->e, d, s);
        emit_rr(&j->e, op[lane], W32, group, d);
    }
    emit8(&j->e, n);
}

/* d = s shifted by n <= width, any lane; d is not XS2. */
static void shift(jit *j, unsigned group, int lane, unsigned d, unsigned s, unsigned n)
{
    unsigned width = 8u << lane;
    if (group == SIGNED && n >= width)
        n = width - 1;
    if (n >= width) {
        emit_rr(&j->e, OP_XOR, W32, d, d);
    } else if (n == 0) {
        x_mov(&j->e, d, s);
    } else if (lane == 0) {
        host_shift(j, group == LEFT_SHIFT ? LEFT_SHIFT : RIGHT, 1, d, s, n);
        splat(j, XS2, 0, group == LEFT_SHIFT ? 0xffu << n : 0xffu >> n);
        x3(j, OP_AND, d, d, XS2);
    } else if (group == SIGNED && lane == 3) {
        host_shift(j, RIGHT, 3, d, s, n);
    } else {
        host_shift(j, group, lane, d, s, n);
        return;
    }
    if (group == SIGNED && n) { /* extend from the moved sign bit */
        splat(j, XS2, lane, 1ull << (width - 1 - n));
        x3(j, OP_XOR, d, d, XS2);
        x3(j, op_sub[lane], d, d, XS2);
    }
}

static bool shift_imm(jit *j, oryx_val v, int lane, unsigned group)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned n = o->imm & 255;
    bool round = group != LEFT_SHIFT && (o->imm & 0x100) && n;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    if (!round) {
        shift(j, group, lane, d, a, n);
    } else { /* t = a >> (n - 1): t - (t >> 1) is t >> 1 plus the last bit */
        shift(j, group, lane, d, a, n - 1);
        shift(j, group, lane, XS0, d, 1);
        x3(j, op_sub[lane], d, d, XS0);
    }
    return true;
}

/* By a vector of signed bytes: left and right by the amount and its negative modulo 256; the wrong one shifts everything out. */
static bool shift_var(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    bool is_signed = o->imm & 1;
    if (!j->en->avx2 || lane < 2 || (o->imm & 12) || (is_signed && lane == 3))
        return false;
    unsigned w = lane == 3 ? W64 : W32;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    splat(j, XS1, lane, 0xff);
    emit_rr(&j->e, OP_XOR, W32, XS0, XS0);
    x3(j, op_sub[lane], XS0, XS0, b);
    x3(j, OP_AND, XS0, XS0, XS1);
    x3(j, OP_AND, XS1, XS1, b);
    vex_rr(&j->e, P66(0x0f3847), w, XS1, a, XS1);
    vex_rr(&j->e, is_signed ? P66(0x0f3846) : P66(0x0f3845), w, XS0, a, XS0);
    if (is_signed) {
        host_shift(j, LEFT_SHIFT, 2, XS2, b, 24);
        vex_rr(&j->e, P66(0x0f3a4a), W32, d, XS1, XS0); /* vblendvps by the amount's sign */
        emit8(&j->e, XS2 << 4);
    } else {
        x3(j, OP_OR, d, XS0, XS1);
    }
    return true;
}

/* --- halving, difference ------------------------------------------------------------------------------------------------------ */
static bool halving(jit *j, oryx_val v, int lane, bool sub)
{
    const oryx_ir_op *o = op_of(j, v);
    bool is_signed = o->imm & 1, round = o->imm & 4;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    if (!sub && round && !is_signed && lane < 2) {
        x3(j, lane ? P66(0x0fe3) : P66(0x0fe0), d, a, b);
        return true;
    }
    x3(j, OP_XOR, XS0, a, b);
    shift(j, is_signed ? SIGNED : RIGHT, lane, d, XS0, 1);
    if (sub) {
        x3(j, OP_ANDN, XS0, a, b);
        x3(j, op_sub[lane], d, d, XS0);
    } else if (round) {
        x3(j, OP_OR, XS0, a, b);
        x3(j, op_sub[lane], XS0, XS0, d);
        x_mov(&j->e, d, XS0);
    } else {
        x3(j, OP_AND, XS0, a, b);
        x3(j, op_add[lane], d, d, XS0);
    }
    return true;
}

static const unsigned op_minmax[5][3] = { /* REDUCE's numbers less one: minu mins maxu maxs */
    { P66(0x0fda), P66(0x0f383a), P66(0x0f383b) }, { P66(0x0f3838), P66(0x0fea), P66(0x0f3839) },
    { P66(0x0fde), P66(0x0f383e), P66(0x0f383f) }, { P66(0x0f383c), P66(0x0fee), P66(0x0f383d) },
};

static bool difference(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned is_signed = o->imm & 1;
    if (lane > 2)
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    x3(j, op_minmax[is_signed][lane], XS0, a, b);
    x3(j, op_minmax[2 + is_signed][lane], d, a, b);
    x3(j, op_sub[lane], d, d, XS0);
    return true;
}

/* --- saturation --------------------------------------------------------------------------------------------------------------- */
/* The sticky flag, when a byte of XS0 inside the value is (or, with `equal`, is not) set. */
static void sticky(jit *j, bool half, bool equal)
{
    emit *e = &j->e;
    emit_rr(e, P66(0x0fd7), W32, RAX, XS0);
    if (equal && half)
        emit_alu_ri(e, 7, W8, RAX, -1);
    else if (equal)
        emit_alu_ri(e, 7, W32, RAX, 0xffff);
    else
        emit_rr(e, half ? 0x84 : 0x85, half ? W8 : W32, RAX, RAX);
    uint32_t over = emit_jcc8(e, CC_E);
    emit_rm(e, 0x83, W32, 1, SB, CPU_DISP(j, fp.flags));
    emit8(e, ORYX_FPF_SATURATED);
    emit_here8(e, over);
}

static bool add_sub_sat(jit *j, oryx_val v, int lane, bool sub)
{
    static const unsigned narrow[2][2][2] = { { { P66(0x0fdc), P66(0x0fdd) }, { P66(0x0fec), P66(0x0fed) } },
                                              { { P66(0x0fd8), P66(0x0fd9) }, { P66(0x0fe8), P66(0x0fe9) } } };
    const oryx_ir_op *o = op_of(j, v);
    bool is_signed = o->imm & 1, half = o->type == ORYX_T_V64, flag = o->imm & 2;
    unsigned wrap = sub ? op_sub[lane] : op_add[lane];
    if (!j->en->avx || (lane == 3 && !is_signed))
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    if (lane < 2) {
        x3(j, narrow[sub][is_signed][lane], d, a, b);
    } else if (!is_signed) {
        if (sub) { /* max(a, b) - b */
            x3(j, op_minmax[2][2], d, a, b);
        } else { /* min(a, ~b) + b */
            x3(j, op_eq[2], XS0, XS0, XS0);
            x3(j, OP_XOR, XS0, XS0, b);
            x3(j, op_minmax[0][2], d, a, XS0);
        }
        x3(j, wrap, d, d, b);
    } else { /* overflow in the sign of XS0: then the extreme of a's sign */
        x3(j, wrap, XS1, a, b);
        x3(j, OP_XOR, XS0, a, b);
        x3(j, OP_XOR, XS2, a, XS1);
        x3(j, sub ? OP_AND : OP_ANDN, XS0, XS0, XS2);
        if (lane == 2) {
            host_shift(j, SIGNED, 2, d, a, 31);
        } else {
            emit_rr(&j->e, OP_XOR, W32, d, d);
            x3(j, P66(0x0f3837), d, d, a);
        }
        splat(j, XS2, lane, ~0ull >> 1 >> (lane == 2 ? 32 : 0));
        x3(j, OP_XOR, d, d, XS2);
        vex_rr(&j->e, lane == 2 ? P66(0x0f3a4a) : P66(0x0f3a4b), W32, d, XS1, d);
        emit8(&j->e, XS0 << 4);
        if (flag) { /* spread the sign over the lane */
            host_shift(j, SIGNED, 2, XS0, XS0, 31);
            if (lane == 3) {
                emit_rr(&j->e, P66(0x0f70), W32, XS0, XS0);
                emit8(&j->e, 0xf5);
            }
            sticky(j, half, false);
        }
        return true;
    }
    if (flag) {
        x3(j, wrap, XS0, a, b);
        x3(j, op_eq[lane], XS0, XS0, d);
        sticky(j, half, true);
    }
    return true;
}

/* From lanes of twice the width, high half zero: the host's packs saturate signed sources only. */
static bool narrow_sat(jit *j, oryx_val v, int lane)
{
    static const unsigned pack[2][2] = { { P66(0x0f63), P66(0x0f6b) }, { P66(0x0f67), P66(0x0f382b) } };
    static const unsigned widen[2][2] = { { P66(0x0f3830), P66(0x0f3833) }, { P66(0x0f3820), P66(0x0f3823) } };
    const oryx_ir_op *o = op_of(j, v);
    unsigned mode = o->imm >> 2 & 3;
    if (lane > 1 || !mode)
        return false;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v), s = a;
    emit_rr(&j->e, OP_XOR, W32, XS0, XS0);
    if (mode == 2) {
        splat(j, XS1, lane + 1, lane ? 0xffff : 0xff);
        x3(j, op_minmax[0][lane + 1], XS1, XS1, a);
        s = XS1;
    }
    x3(j, pack[mode != 1][lane], d, s, XS0);
    if (o->imm & 2) {
        x2(j, widen[mode == 1][lane], XS0, d);
        x3(j, op_eq[lane + 1], XS0, XS0, a);
        sticky(j, false, true);
    }
    return true;
}

/* 16-bit lanes; the most negative value squared is the one product that gives 0x8000, and saturates. */
static bool double_high(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    if (lane != 1)
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    if (o->imm & 4) {
        x3(j, P66(0x0f380b), d, a, b);
    } else {
        x3(j, P66(0x0fd5), XS0, a, b);
        x3(j, P66(0x0fe5), d, a, b);
        host_shift(j, RIGHT, 1, XS0, XS0, 15);
        x3(j, op_add[1], d, d, d);
        x3(j, OP_OR, d, d, XS0);
    }
    splat(j, XS0, 1, 0x8000);
    x3(j, op_eq[1], XS0, XS0, d);
    x3(j, OP_XOR, d, d, XS0);
    if (o->imm & 2)
        sticky(j, o->type == ORYX_T_V64, false);
    return true;
}

/* --- products ------------------------------------------------------------------------------------------------------------------ */
static bool multiply8(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    host_shift(j, RIGHT, 1, XS0, a, 8);
    host_shift(j, RIGHT, 1, XS1, b, 8);
    x3(j, P66(0x0fd5), XS0, XS0, XS1);
    host_shift(j, LEFT_SHIFT, 1, XS0, XS0, 8);
    x3(j, P66(0x0fd5), d, a, b);
    splat(j, XS1, 1, 0xff);
    x3(j, OP_AND, d, d, XS1);
    x3(j, OP_OR, d, d, XS0);
    return true;
}

static bool carryless(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    if (lane != 3 || !j->en->pclmul)
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    x3(j, P66(0x0f3a44), d, a, b);
    emit8(&j->e, o->imm & 2 ? 0x11 : 0);
    return true;
}

/* --- all lanes to one ------------------------------------------------------------------------------------------------------------ */
static bool reduce(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned kind = (unsigned)o->imm;
    bool half = o->type == ORYX_T_V64;
    if (T_IS_VEC(o->lane) || (kind && lane == 3))
        return false;
    unsigned op = kind ? op_minmax[kind - 1][lane] : op_add[lane];
    unsigned a = xmm_use(j, o->a), d = gpr_def(j, v), from = a;
    if (!half) {
        emit_rr(e, P66(0x0f70), W32, XS0, a);
        emit8(e, 0xee);
        x3(j, op, XS0, XS0, a);
        from = XS0;
    }
    if (lane == 0 && !kind) { /* the sum of eight bytes at once */
        emit_rr(e, OP_XOR, W32, XS1, XS1);
        x3(j, P66(0x0ff6), XS0, from, XS1);
        from = XS0;
    } else {
        if (lane < 3) {
            emit_rr(e, P66(0x0f70), W32, XS1, from);
            emit8(e, 0x55);
            x3(j, op, XS0, from, XS1);
            from = XS0;
        }
        if (lane < 2) {
            host_shift(j, RIGHT, 2, XS1, from, 16);
            x3(j, op, XS0, from, XS1);
        }
        if (lane < 1) {
            host_shift(j, RIGHT, 1, XS1, XS0, 8);
            x3(j, op, XS0, XS0, XS1);
        }
    }
    emit_rr(e, P66(0x0f7e), lane == 3 ? W64 : W32, from, d);
    return true;
}

/* --- bits, by tables of sixteen -------------------------------------------------------------------------------------------------- */
/* low[x & 15] op high[x >> 4] for every byte. */
static void by_nibbles(jit *j, unsigned d, unsigned a, const uint64_t *low, const uint64_t *high, unsigned op)
{
    splat(j, XS2, 0, 15);
    host_shift(j, RIGHT, 1, XS1, a, 4);
    x3(j, OP_AND, XS1, XS1, XS2);
    x3(j, OP_AND, XS2, XS2, a);
    vec_literal(j, XS0, low[0], low[1]);
    x3(j, P66(0x0f3800), XS0, XS0, XS2);
    vec_literal(j, d, high[0], high[1]);
    x3(j, P66(0x0f3800), d, d, XS1);
    x3(j, op, d, d, XS0);
}

static bool bits(jit *j, oryx_val v, int lane)
{
    static const uint64_t count[2] = { 0x0302020102010100u, 0x0403030203020201u };
    static const uint64_t low[2] = { 0xe060a020c0408000u, 0xf070b030d0509010u }, high[2] = { 0x0e060a020c040800u, 0x0f070b030d050901u };
    const oryx_ir_op *o = op_of(j, v);
    if (lane)
        return false;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    if (o->op == ORYX_OP_POPCNT)
        by_nibbles(j, d, a, count, count, op_add[0]);
    else
        by_nibbles(j, d, a, low, high, OP_OR);
    return true;
}

/* Unsigned comparison of 64-bit lanes: with the signs exchanged. */
static bool compare64(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    bool exchange = o->imm == ORYX_CC_LTU || o->imm == ORYX_CC_GEU, invert = o->imm == ORYX_CC_LEU || o->imm == ORYX_CC_GEU;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    x3k(j, OP_XOR, XS0, a, K_SIGN64);
    x3k(j, OP_XOR, XS1, b, K_SIGN64);
    x3(j, P66(0x0f3837), d, exchange ? XS1 : XS0, exchange ? XS0 : XS1);
    if (invert) {
        x3(j, op_eq[2], XS0, XS0, XS0);
        x3(j, OP_XOR, d, d, XS0);
    }
    return true;
}

bool vec_int_op(jit *j, oryx_val v, int lane)
{
    const oryx_ir_op *o = op_of(j, v);
    if (lane < 0)
        return false;
    switch (o->op) {
    case ORYX_OP_SHLI: return shift_imm(j, v, lane, LEFT_SHIFT);
    case ORYX_OP_SHRI: return shift_imm(j, v, lane, RIGHT);
    case ORYX_OP_SARI: return shift_imm(j, v, lane, SIGNED);
    case ORYX_OP_VSHL: return shift_var(j, v, lane);
    case ORYX_OP_HADD: return halving(j, v, lane, false);
    case ORYX_OP_HSUB: return halving(j, v, lane, true);
    case ORYX_OP_ABSD: return difference(j, v, lane);
    case ORYX_OP_QADD: return add_sub_sat(j, v, lane, false);
    case ORYX_OP_QSUB: return add_sub_sat(j, v, lane, true);
    case ORYX_OP_NARROW: return narrow_sat(j, v, lane);
    case ORYX_OP_QDMULH: return double_high(j, v, lane);
    case ORYX_OP_MUL: return lane == 0 && multiply8(j, v);
    case ORYX_OP_PMULW: return carryless(j, v, lane);
    case ORYX_OP_REDUCE: return reduce(j, v, lane);
    case ORYX_OP_POPCNT:
    case ORYX_OP_BITREV: return bits(j, v, lane);
    case ORYX_OP_VCMP: return lane == 3 && compare64(j, v);
    default: return false;
    }
}
