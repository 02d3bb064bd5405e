/* Integer scalars, state and locals. Called by compile.c for each op. i8 and i16 values have undefined upper bits, i32 values
 * have undefined bits 32-63 unless their producer is a 32-bit host instruction (zero_extends); i1 is 0 or 1 in 32 bits. */
#include "x64.h"

#define IMM32(x) ((int64_t)(x) == (int32_t)(x))

static unsigned width_of(unsigned type)
{
    return type == ORYX_T_I64 ? W64 : W32;
}

static unsigned bits_of(unsigned type)
{
    return oryx_type_size(type) * 8;
}

/* The constant as the op sees it, sign-extended from its width so that small negative numbers fit in an immediate. */
static int64_t signed_const(const jit *j, oryx_val v)
{
    uint64_t c = const_of(j, v);
    switch (j->types[v]) {
    case ORYX_T_I8: return (int8_t)c;
    case ORYX_T_I16: return (int16_t)c;
    case ORYX_T_I32: return (int32_t)c;
    default: return (int64_t)c;
    }
}

static bool imm_ok(const jit *j, oryx_val v)
{
    return is_const(j, v) && IMM32(signed_const(j, v));
}

/* d = v extended from its type to 32 or 64 bits. */
static void extend(jit *j, unsigned d, unsigned s, unsigned type, bool sign, unsigned w)
{
    emit *e = &j->e;
    switch (type) {
    case ORYX_T_I1:
        if (sign) {
            if (d != s)
                emit_mov_rr(e, W32, d, s);
            emit_group3(e, 3, w, d);
        } else {
            emit_mov_rr(e, W32, d, s);
        }
        break;
    case ORYX_T_I8: emit_rr(e, sign ? 0x0fbe : 0x0fb6, (sign ? w : W32) | W8, d, s); break;
    case ORYX_T_I16: emit_rr(e, sign ? 0x0fbf : 0x0fb7, sign ? w : W32, d, s); break;
    case ORYX_T_I32:
        if (sign)
            emit_rr(e, 0x63, W64, d, s);
        else
            emit_mov_rr(e, W32, d, s);
        break;
    default:
        if (d != s)
            emit_mov_rr(e, W64, d, s);
        break;
    }
}

/* v in a register with its upper bits made defined when the type is narrow; wide types come as they are. */
static unsigned use_extended(jit *j, oryx_val v, bool sign)
{
    unsigned type = j->types[v], reg = gpr_use(j, v);
    if (type != ORYX_T_I8 && type != ORYX_T_I16)
        return reg;
    unsigned t = gpr_temp(j);
    extend(j, t, reg, type, sign, W32);
    return t;
}

bool zero_extends(const jit *j, oryx_val v)
{
    switch (op_of(j, v)->op) {
    case ORYX_OP_GET:
    case ORYX_OP_LGET:
    case ORYX_OP_TRUNC:
    case ORYX_OP_CALL:
    case ORYX_OP_BITCAST:
    case ORYX_OP_CONST:
        return false;
    default:
        return j->types[v] == ORYX_T_I32;
    }
}

/* Two-operand group 1 op on a commutative or not pair. */
static void alu(jit *j, oryx_val v, unsigned group, bool commutes)
{
    const oryx_ir_op *o = op_of(j, v);
    oryx_val a = o->a, b = o->b;
    unsigned w = width_of(o->type);
    if (commutes && is_const(j, a) && !is_const(j, b)) {
        a = o->b;
        b = o->a;
    }
    bool b_home = commutes && j->n_blocks && j->hint[v] != NO_REG && j->place[b].reg == j->hint[v];
    if (commutes && !is_const(j, b) && gpr_is_last(j, b) && (b_home || !gpr_is_last(j, a))) {
        oryx_val t = a;
        a = b;
        b = t;
    }
    if (imm_ok(j, b)) {
        unsigned d = gpr_def_copy(j, v, a);
        emit_alu_ri(&j->e, group, w, d, (int32_t)signed_const(j, b));
        return;
    }
    unsigned s = gpr_use(j, b);
    unsigned d = gpr_def_copy(j, v, a);
    emit_alu_rr(&j->e, group, w, d, s);
}

static void add(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    oryx_val a = o->a, b = o->b;
    unsigned w = width_of(o->type);
    if (is_const(j, a) && !is_const(j, b)) {
        a = o->b;
        b = o->a;
    }
    if (imm_ok(j, b)) {
        unsigned s = gpr_use(j, a), d = gpr_def_over(j, v, a, 0);
        if (d == s)
            emit_alu_ri(&j->e, 0, w, d, (int32_t)signed_const(j, b));
        else
            emit_rm(&j->e, 0x8d, w, d, s, (int32_t)signed_const(j, b));
        return;
    }
    unsigned s = gpr_use(j, a), t = gpr_use(j, b), d = gpr_def_over(j, v, a, b);
    if (d == s)
        emit_alu_rr(&j->e, 0, w, d, t);
    else if (d == t)
        emit_alu_rr(&j->e, 0, w, d, s);
    else
        emit_rx(&j->e, 0x8d, w, d, s, t, 0, 0);
}

static void sub(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (imm_ok(j, o->b) && signed_const(j, o->b) != INT32_MIN) {
        unsigned s = gpr_use(j, o->a), d = gpr_def_over(j, v, o->a, 0);
        if (d == s)
            emit_alu_ri(&j->e, 5, width_of(o->type), d, (int32_t)signed_const(j, o->b));
        else
            emit_rm(&j->e, 0x8d, width_of(o->type), d, s, -(int32_t)signed_const(j, o->b));
        return;
    }
    alu(j, v, 5, false);
}

static void mul(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned w = width_of(o->type);
    if (imm_ok(j, o->b)) {
        unsigned s = gpr_use(j, o->a), d = gpr_def_over(j, v, o->a, 0);
        emit_rr(&j->e, 0x69, w, d, s);
        emit32(&j->e, (uint32_t)signed_const(j, o->b));
        return;
    }
    unsigned s = gpr_use(j, o->b), d = gpr_def_copy(j, v, o->a);
    emit_rr(&j->e, 0x0faf, w, d, s);
}

/* High half of a product, through RAX and RDX. Narrow types: the full product fits in 64 bits. */
static void mul_high(jit *j, oryx_val v, bool sign)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned a = gpr_use(j, o->a), b = gpr_use(j, o->b), d = gpr_def(j, v);
    if (o->type == ORYX_T_I64) {
        emit_mov_rr(e, W64, RAX, a);
        emit_group3(e, sign ? 5 : 4, W64, b);
        emit_mov_rr(e, W64, d, RDX);
        return;
    }
    extend(j, RAX, a, o->type, sign, W64);
    extend(j, RDX, b, o->type, sign, W64);
    emit_rr(e, 0x0faf, W64, RAX, RDX);
    emit_shift_ri(e, 5, W64, RAX, bits_of(o->type));
    emit_mov_rr(e, W32, d, RAX);
}

/* Quotient or remainder with the IR's results for zero divisors and overflow. */
static void divide(jit *j, oryx_val v, bool sign, bool rem)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned w = width_of(o->type);
    unsigned a = use_extended(j, o->a, sign), b = use_extended(j, o->b, sign), d = gpr_def(j, v);
    emit_mov_rr(e, W64, RAX, a);
    emit_rr(e, 0x85, w, b, b);
    uint32_t zero = emit_jcc(e, CC_E), minus = 0;
    if (sign) {
        emit_alu_ri(e, 7, w, b, -1);
        minus = emit_jcc(e, CC_E);
        emit_opcode(e, 0x99, w, 0, 0, 0, false);
        emit_group3(e, 7, w, b);
    } else {
        emit_rr(e, 0x33, W32, RDX, RDX);
        emit_group3(e, 6, w, b);
    }
    emit_mov_rr(e, w, d, rem ? RDX : RAX);
    uint32_t done = emit_jmp(e), done2 = 0;
    emit_here(e, zero); /* quotient 0, remainder a */
    if (rem)
        emit_mov_rr(e, w, d, RAX);
    else
        emit_mov_ri(e, d, 0);
    if (sign) {
        done2 = emit_jmp(e);
        emit_here(e, minus); /* quotient -a, remainder 0 */
        if (rem) {
            emit_mov_ri(e, d, 0);
        } else {
            emit_group3(e, 3, w, RAX);
            emit_mov_rr(e, w, d, RAX);
        }
        emit_here(e, done2);
    }
    emit_here(e, done);
}

static void unary(jit *j, oryx_val v, unsigned group3)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned d = gpr_def_copy(j, v, o->a);
    if (o->type == ORYX_T_I1)
        emit_alu_ri(&j->e, 6, W32, d, 1);
    else
        emit_group3(&j->e, group3, width_of(o->type), d);
}

/* a & ~b, a | ~b */
static void and_not(jit *j, oryx_val v, unsigned group)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned w = width_of(o->type);
    if (is_const(j, o->b) && IMM32(~signed_const(j, o->b))) {
        unsigned d = gpr_def_copy(j, v, o->a);
        emit_alu_ri(&j->e, group, w, d, (int32_t)~signed_const(j, o->b));
        return;
    }
    unsigned a = gpr_use(j, o->a);
    if (group == 4 && j->en->bmi1) {
        unsigned b = gpr_use(j, o->b), d = gpr_def_over(j, v, o->a, o->b);
        emit_vex_rr(&j->e, 2, 0, w, 0, 0xf2, d, b, a);
        return;
    }
    unsigned d = gpr_def_copy(j, v, o->b);
    emit_group3(&j->e, 2, w, d);
    emit_alu_rr(&j->e, group, w, d, a);
}

/* v = its operand a turned right by n. */
static void rotate(jit *j, oryx_val v, unsigned n)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned w = width_of(o->type);
    if (j->en->bmi2) {
        unsigned s = gpr_use(j, o->a), d = gpr_def_over(j, v, o->a, 0);
        emit_vex_rr(&j->e, 3, 3, w, 0, 0xf0, d, 0, s);
        emit8(&j->e, n);
        return;
    }
    unsigned d = gpr_def_copy(j, v, o->a);
    emit_shift_ri(&j->e, 1, w, d, n);
    if (!n && w == W32)
        emit_mov_rr(&j->e, W32, d, d);
}

/* SHL SHR SAR ROR: group 4 5 7 1. */
static void shift(jit *j, oryx_val v, unsigned group)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned bits = bits_of(o->type), w = width_of(o->type);
    bool narrow = bits < 32;
    if (is_const(j, o->b) && !narrow) {
        unsigned n = (unsigned)const_of(j, o->b) & (bits - 1);
        if (group == 1) {
            rotate(j, v, n);
            return;
        }
        unsigned d = gpr_def_copy(j, v, o->a);
        emit_shift_ri(e, group, w, d, n);
        if (!n && w == W32)
            emit_mov_rr(e, W32, d, d);
        return;
    }
    if (narrow) { /* on extended copies; rotates by the 8- and 16-bit forms */
        unsigned n = gpr_use(j, o->b), a = group == 1 ? gpr_use(j, o->a) : use_extended(j, o->a, group == 7), d = gpr_def(j, v);
        emit_mov_rr(e, W32, RCX, n);
        emit_alu_ri(e, 4, W32, RCX, (int32_t)bits - 1);
        emit_mov_rr(e, W32, d, a);
        emit_rr(e, group == 1 && bits == 8 ? 0xd2 : 0xd3, group == 1 ? (bits == 8 ? W8 : W16) : W32, group, d);
        return;
    }
    if (j->en->bmi2 && group != 1) {
        unsigned n = gpr_use(j, o->b), s = gpr_use(j, o->a), d = gpr_def_over(j, v, o->a, o->b);
        emit_vex_rr(e, 2, group == 4 ? 1 : group == 5 ? 3 : 2, w, 0, 0xf7, d, n, s);
        return;
    }
    unsigned n = gpr_use(j, o->b), d = gpr_def_copy(j, v, o->a);
    emit_mov_rr(e, W32, RCX, n);
    emit_rr(e, 0xd3, w, group, d);
}

static void count_zeros(jit *j, oryx_val v, bool leading)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned bits = bits_of(o->type), w = width_of(o->type);
    unsigned a = use_extended(j, o->a, false), d = gpr_def(j, v);
    if (leading && j->en->lzcnt) {
        emit_rr(e, OP_F3 | 0x0fbd, w, d, a);
        if (bits < 32)
            emit_alu_ri(e, 5, W32, d, 32 - (int32_t)bits);
        return;
    }
    if (!leading && bits < 32) { /* a bit beyond the top stops the count */
        emit_mov_rr(e, W32, RAX, a);
        emit_alu_ri(e, 1, W32, RAX, 1 << bits);
        emit_rr(e, 0x0fbc, W32, d, RAX);
        return;
    }
    emit_mov_ri(e, RCX, leading ? 2 * bits - 1 : bits);
    emit_rr(e, leading ? 0x0fbd : 0x0fbc, w, RAX, a);
    emit_rr(e, 0x0f44, w, RAX, RCX); /* cmove: zero input */
    if (leading)
        emit_alu_ri(e, 6, W32, RAX, (int32_t)bits - 1);
    emit_mov_rr(e, W32, d, RAX);
}

static void popcnt(jit *j, oryx_val v)
{
    unsigned a = use_extended(j, op_of(j, v)->a, false), d = gpr_def(j, v);
    emit_rr(&j->e, OP_F3 | 0x0fb8, width_of(j->types[v]), d, a);
}

/* a ^ (a >> 1) with the sign shifted in: its leading zeros are CLS + 1. */
static void cls(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned bits = bits_of(o->type), w = width_of(o->type), a = use_extended(j, o->a, true), d = gpr_def(j, v);
    emit_mov_rr(e, w, RAX, a);
    emit_shift_ri(e, 7, w, RAX, 1);
    emit_alu_rr(e, 6, w, RAX, a);
    emit_alu_rr(e, 0, w, RAX, RAX);
    emit_alu_ri(e, 1, w, RAX, 1);
    if (j->en->lzcnt) {
        emit_rr(e, OP_F3 | 0x0fbd, w, d, RAX);
    } else {
        emit_rr(e, 0x0fbd, w, d, RAX);
        emit_alu_ri(e, 6, W32, d, w == W64 ? 63 : 31);
    }
    if (bits < 32)
        emit_alu_ri(e, 5, W32, d, 32 - (int32_t)bits);
}

static void bswap(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned d = gpr_def_copy(j, v, o->a), w = width_of(o->type);
    if (o->type == ORYX_T_I8)
        return;
    emit_opcode(&j->e, 0x0fc8 | (d & 7), w, 0, 0, d, false);
    if (o->type == ORYX_T_I16)
        emit_shift_ri(&j->e, 5, W32, d, 16);
}

/* Bit reversal: swap neighbours at distance 1, 2, 4, then the bytes. */
static void bitrev(jit *j, oryx_val v)
{
    static const uint64_t mask[3] = { 0x5555555555555555u, 0x3333333333333333u, 0x0f0f0f0f0f0f0f0fu };
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned w = width_of(o->type), bits = bits_of(o->type), d = gpr_def_copy(j, v, o->a);
    for (unsigned i = 0; i < 3; i++) {
        emit_mov_ri(e, RCX, w == W64 ? mask[i] : (uint32_t)mask[i]);
        emit_mov_rr(e, w, RAX, d);
        emit_shift_ri(e, 5, w, RAX, 1u << i);
        emit_alu_rr(e, 4, w, RAX, RCX);
        emit_alu_rr(e, 4, w, d, RCX);
        emit_shift_ri(e, 4, w, d, 1u << i);
        emit_alu_rr(e, 1, w, d, RAX);
    }
    if (bits > 8)
        emit_opcode(e, 0x0fc8 | (d & 7), w, 0, 0, d, false);
    if (bits == 16)
        emit_shift_ri(e, 5, W32, d, 16);
}

static void absolute(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned w = width_of(o->type), a = use_extended(j, o->a, true), d = gpr_def(j, v);
    emit_mov_rr(&j->e, w, d, a);
    emit_group3(&j->e, 3, w, d);
    emit_rr(&j->e, 0x0f48, w, d, a); /* cmovs: it was positive */
}

static void min_max(jit *j, oryx_val v, bool sign, unsigned cc)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned w = width_of(o->type), a = use_extended(j, o->a, sign), b = use_extended(j, o->b, sign), d = gpr_def(j, v);
    emit_mov_rr(&j->e, w, d, a);
    emit_alu_rr(&j->e, 7, w, a, b);
    emit_rr(&j->e, 0x0f40 | cc, w, d, b);
}

static void bit_field(jit *j, oryx_val v, bool sign)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned pos = o->imm & 255, len = o->imm >> 8 & 255, w = width_of(o->type), full = w == W64 ? 64 : 32;
    if (pos == 0 && (len == 8 || len == 16 || len == 32)) {
        unsigned s = gpr_use(j, o->a), d = gpr_def(j, v);
        extend(j, d, s, len == 8 ? ORYX_T_I8 : len == 16 ? ORYX_T_I16 : ORYX_T_I32, sign, w);
        return;
    }
    if (!sign && pos == 0 && len < 32) {
        unsigned d = gpr_def_copy(j, v, o->a);
        emit_alu_ri(e, 4, W32, d, (int32_t)((1u << len) - 1));
        return;
    }
    unsigned d = gpr_def_copy(j, v, o->a);
    if (full - pos - len)
        emit_shift_ri(e, 4, w, d, full - pos - len);
    if (full - len)
        emit_shift_ri(e, sign ? 7 : 5, w, d, full - len);
    else if (w == W32)
        emit_mov_rr(e, W32, d, d);
}

static void bit_insert(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    unsigned pos = o->imm & 255, len = o->imm >> 8 & 255, w = width_of(o->type);
    if (len >= bits_of(o->type)) {
        unsigned d = gpr_def_copy(j, v, o->b);
        emit_mov_rr(e, w, d, d);
        return;
    }
    uint64_t field = ((1ull << len) - 1) << pos;
    unsigned b = gpr_use(j, o->b), d = gpr_def_copy(j, v, o->a);
    emit_mov_rr(e, w, RAX, b);
    if (len < 32) {
        emit_alu_ri(e, 4, W32, RAX, (int32_t)((1u << len) - 1));
    } else {
        emit_shift_ri(e, 4, w, RAX, 64 - len);
        emit_shift_ri(e, 5, w, RAX, 64 - len);
    }
    if (pos)
        emit_shift_ri(e, 4, w, RAX, pos);
    uint64_t keep = w == W64 ? ~field : (uint32_t)~field;
    if (IMM32(w == W64 ? (int64_t)keep : (int64_t)(int32_t)keep)) {
        emit_alu_ri(e, 4, w, d, (int32_t)keep);
    } else {
        emit_mov_ri(e, RCX, keep);
        emit_alu_rr(e, 4, w, d, RCX);
    }
    emit_alu_rr(e, 1, w, d, RAX);
}

static void funnel(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (o->a == o->b) {
        rotate(j, v, (unsigned)o->imm);
        return;
    }
    unsigned hi = gpr_use(j, o->a), d = gpr_def_copy(j, v, o->b);
    if (!o->imm) {
        emit_mov_rr(&j->e, width_of(o->type), d, d);
        return;
    }
    emit_rr(&j->e, 0x0fac, width_of(o->type), hi, d);
    emit8(&j->e, (unsigned)o->imm);
}

static void zext(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (o->lane == ORYX_T_I32 && zero_extends(j, o->a)) {
        val_alias(j, v, o->a);
        return;
    }
    unsigned s = gpr_use(j, o->a), d = gpr_def(j, v);
    extend(j, d, s, o->lane, false, W64);
}

static void sext(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    unsigned s = gpr_use(j, o->a), d = gpr_def(j, v);
    extend(j, d, s, o->lane, true, width_of(o->type));
}

static void local(jit *j, oryx_val v, bool get)
{
    const oryx_ir_op *o = op_of(j, v);
    int32_t at = FRAME_DISP(j, local) + (int32_t)o->imm * 16;
    bool vec = T_IS_VEC(o->type);
    if (get && vec)
        emit_rm(&j->e, 0x0f10, W32, xmm_def(j, v), SB, at);
    else if (get)
        emit_rm(&j->e, 0x8b, W64, gpr_def(j, v), SB, at);
    else if (vec)
        emit_rm(&j->e, 0x0f11, W32, xmm_use(j, o->a), SB, at);
    else if (o->type == ORYX_T_FL)
        flags_pack(j, o->a, RAX), emit_rm(&j->e, 0x89, W64, RAX, SB, at);
    else
        emit_rm(&j->e, 0x89, W64, gpr_use(j, o->a), SB, at);
}

static void put(jit *j, const oryx_ir_op *o)
{
    if (o->type == ORYX_T_FL && is_deferred(j, o->a)) {
        /* Overlapping caches first: the packed word goes straight to memory. */
        slot_put(j, ORYX_T_FL, (uint32_t)o->imm, o->a);
        return;
    }
    slot_put(j, o->type, (uint32_t)o->imm, o->a);
}

bool int_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (T_IS_VEC(o->type) && o->op != ORYX_OP_GET && o->op != ORYX_OP_PUT && o->op != ORYX_OP_LGET && o->op != ORYX_OP_LPUT)
        return false;
    switch (o->op) {
    case ORYX_OP_NOP:
    case ORYX_OP_CONST: return true;
    case ORYX_OP_GET: slot_get(j, v); return true;
    case ORYX_OP_PUT: put(j, o); return true;
    case ORYX_OP_LGET: local(j, v, true); return true;
    case ORYX_OP_LPUT: local(j, v, false); return true;
    case ORYX_OP_SETMODE: emit_rm(&j->e, 0x89, W64, gpr_use(j, o->a), SB, CPU_DISP(j, mode)); return true;
    case ORYX_OP_ADD: add(j, v); return true;
    case ORYX_OP_SUB: sub(j, v); return true;
    case ORYX_OP_MUL: mul(j, v); return true;
    case ORYX_OP_MULHU: mul_high(j, v, false); return true;
    case ORYX_OP_MULHS: mul_high(j, v, true); return true;
    case ORYX_OP_DIVU: divide(j, v, false, false); return true;
    case ORYX_OP_DIVS: divide(j, v, true, false); return true;
    case ORYX_OP_REMU: divide(j, v, false, true); return true;
    case ORYX_OP_REMS: divide(j, v, true, true); return true;
    case ORYX_OP_NEG: unary(j, v, 3); return true;
    case ORYX_OP_NOT: unary(j, v, 2); return true;
    case ORYX_OP_AND: alu(j, v, 4, true); return true;
    case ORYX_OP_OR: alu(j, v, 1, true); return true;
    case ORYX_OP_XOR: alu(j, v, 6, true); return true;
    case ORYX_OP_ANDN: and_not(j, v, 4); return true;
    case ORYX_OP_ORN: and_not(j, v, 1); return true;
    case ORYX_OP_SHL: shift(j, v, 4); return true;
    case ORYX_OP_SHR: shift(j, v, 5); return true;
    case ORYX_OP_SAR: shift(j, v, 7); return true;
    case ORYX_OP_ROR: shift(j, v, 1); return true;
    case ORYX_OP_CLZ: count_zeros(j, v, true); return true;
    case ORYX_OP_CTZ: count_zeros(j, v, false); return true;
    case ORYX_OP_CLS: cls(j, v); return true;
    case ORYX_OP_POPCNT: popcnt(j, v); return true;
    case ORYX_OP_BSWAP: bswap(j, v); return true;
    case ORYX_OP_BITREV: bitrev(j, v); return true;
    case ORYX_OP_ABS: absolute(j, v); return true;
    case ORYX_OP_MINU: min_max(j, v, false, CC_A); return true;
    case ORYX_OP_MINS: min_max(j, v, true, CC_G); return true;
    case ORYX_OP_MAXU: min_max(j, v, false, CC_B); return true;
    case ORYX_OP_MAXS: min_max(j, v, true, CC_L); return true;
    case ORYX_OP_ZEXT: zext(j, v); return true;
    case ORYX_OP_SEXT: sext(j, v); return true;
    case ORYX_OP_TRUNC:
        if (o->type == ORYX_T_I1)
            emit_alu_ri(&j->e, 4, W32, gpr_def_copy(j, v, o->a), 1);
        else
            val_alias(j, v, o->a);
        return true;
    case ORYX_OP_UBFX: bit_field(j, v, false); return true;
    case ORYX_OP_SBFX: bit_field(j, v, true); return true;
    case ORYX_OP_BFI: bit_insert(j, v); return true;
    case ORYX_OP_FUNNEL: funnel(j, v); return true;
    default: return false;
    }
}
