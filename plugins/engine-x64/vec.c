/* Vector ops on the host's SIMD unit (SSE4.2 with SSSE3 underneath; without them the reference functions run). Called by
 * compile.c. A v64, f32 or f64 value has undefined bits above its own. Scratch: XS0-XS2, RAX, RCX. Lane numbers: 0 i8, 1 i16,
 * 2 i32 f32, 3 i64 f64. */
#include "simd.h"

static int lane_of(unsigned lane)
{
    switch (lane) {
    case ORYX_T_I8: return 0;
    case ORYX_T_I16: return 1;
    case ORYX_T_I32:
    case ORYX_T_F32: return 2;
    case ORYX_T_I64:
    case ORYX_T_F64: return 3;
    default: return -1;
    }
}

#define P(op) (OP_66 | (op)) /* 66 prefix */

static void movaps(emit *e, unsigned d, unsigned s)
{
    if (d != s)
        emit_rr(e, 0x0f28, W32, d, s);
}

static void zero(emit *e, unsigned d)
{
    emit_rr(e, P(0x0fef), W32, d, d);
}

static void ones(emit *e, unsigned d)
{
    emit_rr(e, P(0x0f76), W32, d, d);
}

void vec_literal(jit *j, unsigned d, uint64_t lo, uint64_t hi)
{
    emit *e = &j->e;
    if (!lo && !hi) {
        zero(e, d);
    } else if (lo == ~0ull && hi == ~0ull) {
        ones(e, d);
    } else {
        stub *s = stub_new(j, STUB_LIT);
        if (!s)
            return;
        emit_opcode(e, 0x0f28, W32, d, 0, 0, false);
        emit8(e, (d & 7) << 3 | 5);
        emit32(e, 0);
        s->from = emit_at(e);
        s->pc = lo;
        s->imm = hi;
    }
}

void vec_const(jit *j, oryx_val v, unsigned d)
{
    const oryx_ir_op *o = op_of(j, v);
    if (o->op == ORYX_OP_CONST)
        vec_literal(j, d, o->imm, 0);
    else
        vec_literal(j, d, o->imm, o->type == ORYX_T_V128 ? (uint64_t)o->c << 32 | o->b : 0);
}

/* d = a op b, two-operand SSE form. */
static bool binary(jit *j, oryx_val v, unsigned op, bool commutes)
{
    const oryx_ir_op *o = op_of(j, v);
    oryx_val a = o->a, b = o->b;
    if (j->en->avx) {
        unsigned x = xmm_use(j, a), y = xmm_use(j, b);
        x3(j, op, xmm_def(j, v), x, y);
        return true;
    }
    if (commutes && !gpr_is_last(j, a) && gpr_is_last(j, b)) {
        a = o->b;
        b = o->a;
    }
    unsigned s = xmm_use(j, b), d = xmm_def_copy(j, v, a);
    emit_rr(&j->e, op, W32, d, s);
    return true;
}

static bool not_op(jit *j, oryx_val v)
{
    unsigned d = xmm_def_copy(j, v, op_of(j, v)->a);
    ones(&j->e, XS0);
    emit_rr(&j->e, P(0x0fef), W32, d, XS0);
    return true;
}

static bool compare(jit *j, oryx_val v)
{
    static const unsigned eq[4] = { P(0x0f74), P(0x0f75), P(0x0f76), P(0x0f3829) };
    static const unsigned gt[4] = { P(0x0f64), P(0x0f65), P(0x0f66), P(0x0f3837) };
    static const unsigned maxu[3] = { P(0x0fde), P(0x0f383e), P(0x0f383f) }, minu[3] = { P(0x0fda), P(0x0f383a), P(0x0f383b) };
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    int lane = lane_of(o->lane);
    unsigned cc = (unsigned)o->imm;
    bool wide_unsigned = lane == 3 && (cc == ORYX_CC_LTU || cc == ORYX_CC_LEU || cc == ORYX_CC_GTU || cc == ORYX_CC_GEU);
    if (lane < 0 || wide_unsigned)
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    bool invert = false;
    switch (cc) {
    case ORYX_CC_NE: invert = true; /* fall through */
    case ORYX_CC_EQ:
        movaps(e, d, a);
        emit_rr(e, eq[lane], W32, d, b);
        break;
    case ORYX_CC_LES: invert = true; /* fall through */
    case ORYX_CC_GTS:
        movaps(e, d, a);
        emit_rr(e, gt[lane], W32, d, b);
        break;
    case ORYX_CC_GES: invert = true; /* fall through */
    case ORYX_CC_LTS:
        movaps(e, d, b);
        emit_rr(e, gt[lane], W32, d, a);
        break;
    case ORYX_CC_LTU: invert = true; /* fall through */
    case ORYX_CC_GEU:
        movaps(e, d, a);
        emit_rr(e, maxu[lane], W32, d, b);
        emit_rr(e, eq[lane], W32, d, a);
        break;
    case ORYX_CC_GTU: invert = true; /* fall through */
    case ORYX_CC_LEU:
        movaps(e, d, a);
        emit_rr(e, minu[lane], W32, d, b);
        emit_rr(e, eq[lane], W32, d, a);
        break;
    default: /* TST, TSTZ */
        invert = cc == ORYX_CC_TST;
        movaps(e, d, a);
        emit_rr(e, P(0x0fdb), W32, d, b);
        zero(e, XS0);
        emit_rr(e, eq[lane], W32, d, XS0);
        break;
    }
    if (invert) {
        ones(e, XS0);
        emit_rr(e, P(0x0fef), W32, d, XS0);
    }
    return true;
}

static bool dup(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    int lane = lane_of(o->lane);
    if (lane < 0)
        return false;
    unsigned d;
    if (T_IS_VEC(o->lane)) {
        d = xmm_def_copy(j, v, o->a);
    } else {
        unsigned s = gpr_use(j, o->a);
        d = xmm_def(j, v);
        emit_rr(e, P(0x0f6e), lane == 3 ? W64 : W32, d, s);
    }
    switch (lane) {
    case 0:
        zero(e, XS0);
        emit_rr(e, P(0x0f3800), W32, d, XS0);
        break;
    case 1:
        emit_rr(e, OP_F2 | 0x0f70, W32, d, d);
        emit8(e, 0);
        emit_rr(e, P(0x0f70), W32, d, d);
        emit8(e, 0);
        break;
    case 2:
        emit_rr(e, P(0x0f70), W32, d, d);
        emit8(e, 0);
        break;
    default: emit_rr(e, P(0x0f6c), W32, d, d); break;
    }
    return true;
}

static bool get_lane(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    int lane = lane_of(o->lane);
    unsigned n = (unsigned)o->imm;
    if (T_IS_VEC(o->lane)) {
        unsigned d = xmm_def_copy(j, v, o->a);
        if (n) {
            emit_rr(e, P(0x0f70), W32, d, d);
            emit8(e, lane == 3 ? 0xee : n);
        }
        return true;
    }
    unsigned s = xmm_use(j, o->a), d = gpr_def(j, v);
    if (lane == 1) {
        emit_rr(e, P(0x0fc5), W32, d, s);
    } else if (n == 0 && lane >= 2) {
        emit_rr(e, P(0x0f7e), lane == 3 ? W64 : W32, s, d);
        return true;
    } else {
        emit_rr(e, P(lane == 0 ? 0x0f3a14 : 0x0f3a16), lane == 3 ? W64 : W32, s, d);
    }
    emit8(e, n);
    return true;
}

static bool is_zero_vec(const jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    return o->op == ORYX_OP_VCONST && !o->imm && !o->b && !o->c;
}

static bool set_lane(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    int lane = lane_of(o->lane);
    unsigned n = (unsigned)o->imm;
    if (T_IS_VEC(o->lane)) {
        unsigned s = xmm_use(j, o->b);
        if (is_zero_vec(j, o->a) && n == 0) {
            unsigned d = xmm_def(j, v);
            if (lane == 3) {
                emit_rr(e, OP_F3 | 0x0f7e, W32, d, s);
            } else {
                x3(j, P(0x0f3a21), d, s, s); /* insertps: lane 0, the others zero */
                emit8(e, 0x0e);
            }
            return true;
        }
        unsigned d = xmm_def_copy(j, v, o->a);
        if (lane == 2) {
            emit_rr(e, P(0x0f3a21), W32, d, s); /* insertps */
            emit8(e, n << 4);
        } else {
            emit_rr(e, n ? P(0x0f6c) : OP_F2 | 0x0f10, W32, d, s);
        }
        return true;
    }
    unsigned s = gpr_use(j, o->b);
    if (is_zero_vec(j, o->a) && n == 0 && lane >= 2) {
        unsigned d = xmm_def(j, v);
        emit_rr(e, P(0x0f6e), lane == 3 ? W64 : W32, d, s);
        return true;
    }
    unsigned d = xmm_def_copy(j, v, o->a);
    emit_rr(e, P(lane == 0 ? 0x0f3a20 : lane == 1 ? 0x0fc4 : 0x0f3a22), lane == 3 ? W64 : W32, d, s);
    emit8(e, n);
    return true;
}

static bool zip(jit *j, oryx_val v, bool high)
{
    static const unsigned lo[4] = { P(0x0f60), P(0x0f61), P(0x0f62), P(0x0f6c) }, hi[4] = { P(0x0f68), P(0x0f69), P(0x0f6a), P(0x0f6d) };
    const oryx_ir_op *o = op_of(j, v);
    int lane = lane_of(o->lane);
    bool v64 = o->type == ORYX_T_V64;
    if (lane < 0 || (v64 && lane == 3))
        return false;
    unsigned b = xmm_use(j, o->b), d = xmm_def_copy(j, v, o->a);
    emit_rr(&j->e, high && !v64 ? hi[lane] : lo[lane], W32, d, b);
    if (high && v64) {
        emit_rr(&j->e, P(0x0f70), W32, d, d);
        emit8(&j->e, 0xee);
    }
    return true;
}

static bool unzip(jit *j, oryx_val v, bool odd)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    int lane = lane_of(o->lane);
    bool v64 = o->type == ORYX_T_V64;
    if (lane < 2 || (v64 && lane == 3))
        return false;
    unsigned b = xmm_use(j, o->b), d = xmm_def_copy(j, v, o->a);
    if (lane == 3) {
        emit_rr(e, odd ? P(0x0f6d) : P(0x0f6c), W32, d, b);
    } else if (v64) { /* a0 b0 or a1 b1 */
        emit_rr(e, P(0x0f62), W32, d, b);
        if (odd) {
            emit_rr(e, P(0x0f70), W32, d, d);
            emit8(e, 0xee);
        }
    } else {
        emit_rr(e, 0x0fc6, W32, d, b);
        emit8(e, odd ? 0xdd : 0x88);
    }
    return true;
}

static bool widen(jit *j, oryx_val v)
{
    static const unsigned op[2][3] = { { P(0x0f3830), P(0x0f3833), P(0x0f3835) }, { P(0x0f3820), P(0x0f3823), P(0x0f3825) } };
    const oryx_ir_op *o = op_of(j, v);
    int lane = lane_of(o->lane);
    if (lane < 0 || lane > 2)
        return false;
    unsigned s = xmm_use(j, o->a), d = xmm_def(j, v);
    if (o->imm & 2) {
        emit_rr(&j->e, P(0x0f70), W32, d, s);
        emit8(&j->e, 0xee);
        s = d;
    }
    emit_rr(&j->e, op[o->imm & 1][lane], W32, d, s);
    return true;
}

/* Products of 32-bit lanes: the two lanes of the chosen half spread to the even places. Narrower: extend, then multiply. */
static bool mul_wide(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    int lane = lane_of(o->lane);
    bool sign = o->imm & 1, high = o->imm & 2;
    if (lane > 2 || lane < 0)
        return false;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    if (lane == 2) {
        emit_rr(e, P(0x0f70), W32, d, a);
        emit8(e, high ? 0xfa : 0x50);
        emit_rr(e, P(0x0f70), W32, XS0, b);
        emit8(e, high ? 0xfa : 0x50);
        emit_rr(e, sign ? P(0x0f3828) : P(0x0ff4), W32, d, XS0);
        return true;
    }
    unsigned op = lane == 0 ? (sign ? P(0x0f3820) : P(0x0f3830)) : (sign ? P(0x0f3823) : P(0x0f3833));
    unsigned x = a, y = b;
    if (high) {
        emit_rr(e, P(0x0f70), W32, XS1, a);
        emit8(e, 0xee);
        emit_rr(e, P(0x0f70), W32, XS0, b);
        emit8(e, 0xee);
        x = XS1;
        y = XS0;
    }
    emit_rr(e, op, W32, XS0, y);
    emit_rr(e, op, W32, d, x);
    emit_rr(e, lane == 0 ? P(0x0fd5) : P(0x0f3840), W32, d, XS0);
    return true;
}

/* Cut only: gather the low halves of the lanes with one shuffle. */
static bool narrow(jit *j, oryx_val v)
{
    static const uint64_t low[3] = { 0x0e0c0a0806040200u, 0x0d0c090805040100u, 0x0b0a090803020100u };
    const oryx_ir_op *o = op_of(j, v);
    int lane = lane_of(o->lane);
    if (lane < 0 || lane > 2 || (o->imm & 12))
        return false;
    vec_literal(j, XS0, low[lane], 0x8080808080808080u);
    unsigned d = xmm_def_copy(j, v, o->a);
    emit_rr(&j->e, P(0x0f3800), W32, d, XS0);
    return true;
}

static bool reverse(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    int lane = lane_of(o->lane);
    unsigned group = (unsigned)o->imm / 8, size = 1u << lane;
    uint8_t index[16];
    uint64_t half[2];
    if (lane < 0 || group < size || group > 16)
        return false;
    for (unsigned i = 0; i < 16; i++) {
        unsigned base = i / group * group, at = (i - base) / size, lanes = group / size;
        index[i] = (uint8_t)(base + (lanes - 1 - at) * size + i % size);
    }
    memcpy(half, index, 16);
    vec_literal(j, XS0, half[0], half[1]);
    unsigned d = xmm_def_copy(j, v, o->a);
    emit_rr(&j->e, P(0x0f3800), W32, d, XS0);
    return true;
}

static bool table(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b), d = xmm_def(j, v);
    vec_literal(j, XS0, 0x7070707070707070u, 0x7070707070707070u);
    emit_rr(e, P(0x0fdc), W32, XS0, b); /* paddusb: 16 and more get bit 7 */
    movaps(e, d, a);
    emit_rr(e, P(0x0f3800), W32, d, XS0);
    return true;
}

static bool bit_select(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned m = xmm_use(j, o->a), c = xmm_use(j, o->c), d = xmm_def_copy(j, v, o->b);
    emit_rr(&j->e, P(0x0fef), W32, d, c);
    emit_rr(&j->e, P(0x0fdb), W32, d, m);
    emit_rr(&j->e, P(0x0fef), W32, d, c);
    return true;
}

static bool bitcast(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    bool to = T_IS_VEC(o->type), from = T_IS_VEC(o->lane);
    unsigned w = oryx_type_size(o->type) == 8 ? W64 : W32;
    if (to == from) {
        val_alias(j, v, o->a);
    } else if (to) {
        unsigned s = gpr_use(j, o->a), d = xmm_def(j, v);
        emit_rr(&j->e, P(0x0f6e), w, d, s);
    } else {
        unsigned s = xmm_use(j, o->a), d = gpr_def(j, v);
        emit_rr(&j->e, P(0x0f7e), w, s, d);
    }
    return true;
}

static bool negate(jit *j, oryx_val v)
{
    static const unsigned sub[4] = { P(0x0ff8), P(0x0ff9), P(0x0ffa), P(0x0ffb) };
    const oryx_ir_op *o = op_of(j, v);
    int lane = lane_of(o->lane);
    if (lane < 0)
        return false;
    unsigned a = xmm_use(j, o->a), d = xmm_def(j, v);
    zero(&j->e, d);
    emit_rr(&j->e, sub[lane], W32, d, a);
    return true;
}

static bool and_not(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned a = xmm_use(j, o->a), d = xmm_def_copy(j, v, o->b);
    emit_rr(&j->e, P(0x0fdf), W32, d, a);
    return true;
}

static bool or_not(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned a = xmm_use(j, o->a), d = xmm_def_copy(j, v, o->b);
    ones(&j->e, XS0);
    emit_rr(&j->e, P(0x0fef), W32, d, XS0);
    emit_rr(&j->e, P(0x0feb), W32, d, a);
    return true;
}

static bool concat(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (is_zero_vec(j, o->b)) {
        unsigned s = xmm_use(j, o->a), d = xmm_def(j, v);
        emit_rr(&j->e, OP_F3 | 0x0f7e, W32, d, s);
        return true;
    }
    unsigned b = xmm_use(j, o->b), d = xmm_def_copy(j, v, o->a);
    emit_rr(&j->e, P(0x0f6c), W32, d, b);
    return true;
}

/* Two-operand forms by lane; 0: none on the host. */
static const struct {
    uint16_t op;
    bool commutes;
    unsigned code[4];
} table2[] = {
    { ORYX_OP_ADD, true, { P(0x0ffc), P(0x0ffd), P(0x0ffe), P(0x0fd4) } },
    { ORYX_OP_SUB, false, { P(0x0ff8), P(0x0ff9), P(0x0ffa), P(0x0ffb) } },
    { ORYX_OP_MUL, true, { 0, P(0x0fd5), P(0x0f3840), 0 } },
    { ORYX_OP_AND, true, { P(0x0fdb), P(0x0fdb), P(0x0fdb), P(0x0fdb) } },
    { ORYX_OP_OR, true, { P(0x0feb), P(0x0feb), P(0x0feb), P(0x0feb) } },
    { ORYX_OP_XOR, true, { P(0x0fef), P(0x0fef), P(0x0fef), P(0x0fef) } },
    { ORYX_OP_MINU, true, { P(0x0fda), P(0x0f383a), P(0x0f383b), 0 } },
    { ORYX_OP_MAXU, true, { P(0x0fde), P(0x0f383e), P(0x0f383f), 0 } },
    { ORYX_OP_MINS, true, { P(0x0f3838), P(0x0fea), P(0x0f3839), 0 } },
    { ORYX_OP_MAXS, true, { P(0x0f383c), P(0x0fee), P(0x0f383d), 0 } },
};

bool vec_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    bool scalar_op = o->op == ORYX_OP_BITCAST;
    if (o->op == ORYX_OP_CONST || o->op == ORYX_OP_VCONST)
        return true; /* regs.c loads it where it is used */
    if (!j->en->sse42 || !(T_IS_VEC(o->type) || scalar_op))
        return false;
    switch (o->op) {
    case ORYX_OP_BITCAST: return bitcast(j, v);
    case ORYX_OP_NOT: return not_op(j, v);
    case ORYX_OP_NEG: return negate(j, v);
    case ORYX_OP_ANDN: return and_not(j, v);
    case ORYX_OP_ORN: return or_not(j, v);
    case ORYX_OP_ABS: {
        static const unsigned code[4] = { P(0x0f381c), P(0x0f381d), P(0x0f381e), 0 };
        int lane = lane_of(o->lane);
        if (lane < 0 || lane > 2)
            return false;
        unsigned s = xmm_use(j, o->a), d = xmm_def(j, v);
        emit_rr(&j->e, code[lane], W32, d, s);
        return true;
    }
    case ORYX_OP_VCMP: return compare(j, v) || vec_int_op(j, v, lane_of(o->lane));
    case ORYX_OP_DUP: return dup(j, v);
    case ORYX_OP_VGET: return get_lane(j, v);
    case ORYX_OP_VSET: return set_lane(j, v);
    case ORYX_OP_ZIP1: return zip(j, v, false);
    case ORYX_OP_ZIP2: return zip(j, v, true);
    case ORYX_OP_UZP1: return unzip(j, v, false) || vec_shuffle_op(j, v, lane_of(o->lane));
    case ORYX_OP_UZP2: return unzip(j, v, true) || vec_shuffle_op(j, v, lane_of(o->lane));
    case ORYX_OP_WIDEN: return widen(j, v);
    case ORYX_OP_MULW: return mul_wide(j, v);
    case ORYX_OP_NARROW: return narrow(j, v) || vec_int_op(j, v, lane_of(o->lane));
    case ORYX_OP_VREV: return reverse(j, v);
    case ORYX_OP_TBL: return table(j, v);
    case ORYX_OP_BITSEL: return bit_select(j, v);
    case ORYX_OP_VLOW: val_alias(j, v, o->a); return true;
    case ORYX_OP_VHIGH: {
        unsigned s = xmm_use(j, o->a), d = xmm_def(j, v);
        emit_rr(&j->e, P(0x0f70), W32, d, s);
        emit8(&j->e, 0xee);
        return true;
    }
    case ORYX_OP_VCAT: return concat(j, v);
    default: break;
    }
    int lane = lane_of(o->lane);
    for (unsigned i = 0; i < sizeof table2 / sizeof table2[0]; i++)
        if (table2[i].op == o->op && lane >= 0 && table2[i].code[lane])
            return binary(j, v, table2[i].code[lane], table2[i].commutes);
    return vec_int_op(j, v, lane) || vec_shuffle_op(j, v, lane);
}
