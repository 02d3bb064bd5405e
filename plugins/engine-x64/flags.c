/* Flags and conditions. CMP, FLCOND and FLMAKE emit nothing where they stand: whoever uses them emits the comparison again and
 * takes its host flags directly (compare and branch fuse, dead flags cost nothing). Their operands stay alive until the last
 * user is done: val_done hands the uses down. A token used as data becomes the packed word. Called by compile.c and by every
 * user of a condition. Scratch: RAX, RCX. */
#include "x64.h"

static unsigned width_of(unsigned type)
{
    switch (type) {
    case ORYX_T_I1:
    case ORYX_T_I8: return W8;
    case ORYX_T_I16: return W16;
    case ORYX_T_I64: return W64;
    default: return W32;
    }
}

static bool small_const(const jit *j, oryx_val v, unsigned type, int32_t *out)
{
    if (!v || !is_const(j, v))
        return false;
    uint64_t c = const_of(j, v);
    int64_t s = type == ORYX_T_I64 ? (int64_t)c : type == ORYX_T_I32 ? (int32_t)c : type == ORYX_T_I16 ? (int16_t)c : (int8_t)c;
    *out = (int32_t)s;
    return s == (int32_t)s;
}

/* cmp or test a, b (group 7, or 8 for test). */
static void compare(jit *j, unsigned group, oryx_val a, oryx_val b, unsigned type)
{
    unsigned w = width_of(type);
    int32_t imm;
    unsigned ra = gpr_use(j, a);
    bool is_imm = small_const(j, b, type, &imm);
    if (is_imm && imm == 0 && group == 7) {
        emit_rr(&j->e, w & W8 ? 0x84 : 0x85, w, ra, ra);
    } else if (is_imm && group == 7) {
        emit_alu_ri(&j->e, 7, w, ra, imm);
    } else if (is_imm) {
        emit_opcode(&j->e, w & W8 ? 0xf6 : 0xf7, w, 0, 0, ra, true);
        emit8(&j->e, 0xc0 | (ra & 7));
        emit8(&j->e, (uint8_t)imm);
        if (w & W16) {
            emit8(&j->e, (uint8_t)(imm >> 8));
        } else if (!(w & W8)) {
            j->e.p--;
            emit32(&j->e, (uint32_t)imm);
        }
    } else {
        unsigned rb = gpr_use(j, b);
        if (group == 7)
            emit_rr(&j->e, w & W8 ? 0x3a : 0x3b, w, ra, rb);
        else
            emit_rr(&j->e, w & W8 ? 0x84 : 0x85, w, rb, ra);
    }
}

/* The host's flags are still those of the comparison a, b. */
static bool compared(const jit *j, oryx_val a, oryx_val b, unsigned type)
{
    if (!j->flags_of || j->flags_at != emit_at(&j->e))
        return false;
    const oryx_ir_op *t = op_of(j, j->flags_of);
    return (t->imm == ORYX_FL_SUB || t->imm == ORYX_FL_SUBC) && t->a == a && t->b == b && t->lane == type;
}

static unsigned cmp_cond(jit *j, const oryx_ir_op *o)
{
    static const uint8_t cc[] = { CC_E, CC_NE, CC_B, CC_BE, CC_A, CC_AE, CC_L, CC_LE, CC_G, CC_GE, CC_NE, CC_E };
    static const uint8_t swapped[] = { CC_E, CC_NE, CC_A, CC_AE, CC_B, CC_BE, CC_G, CC_GE, CC_L, CC_LE, CC_NE, CC_E };
    bool test = o->imm >= ORYX_CC_TST;
    if (!test && compared(j, o->a, o->b, o->lane))
        return cc[o->imm];
    if (is_const(j, o->a) && !is_const(j, o->b)) {
        compare(j, test ? 8 : 7, o->b, o->a, o->lane);
        return swapped[o->imm];
    }
    compare(j, test ? 8 : 7, o->a, o->b, o->lane);
    return cc[o->imm];
}

/* CF = carry operand, or its inverse. */
static void load_carry(jit *j, oryx_val c, bool invert)
{
    unsigned r = gpr_use(j, c);
    emit_rr(&j->e, 0x0fba, W32, 4, r); /* bt r, 0 */
    emit8(&j->e, 0);
    if (invert)
        emit8(&j->e, 0xf5);
}

/* Host flags of a token's operation. *inverted: CF is the inverse of the guest's carry. */
static void make(jit *j, const oryx_ir_op *o, bool *inverted)
{
    emit *e = &j->e;
    unsigned w = width_of(o->lane), kind = (unsigned)o->imm;
    int32_t imm;
    *inverted = kind == ORYX_FL_SUBC || kind == ORYX_FL_SBCC;
    switch (kind) {
    case ORYX_FL_LOGIC: {
        unsigned r = gpr_use(j, o->a);
        emit_rr(e, w & W8 ? 0x84 : 0x85, w, r, r);
        return;
    }
    case ORYX_FL_SUB:
    case ORYX_FL_SUBC: {
        unsigned r = gpr_use(j, o->a);
        if (small_const(j, o->b, o->lane, &imm))
            emit_alu_ri(e, 7, w, r, imm);
        else
            emit_rr(e, w & W8 ? 0x3a : 0x3b, w, r, gpr_use(j, o->b));
        return;
    }
    default: break;
    }
    unsigned group = kind == ORYX_FL_ADD ? 0 : kind == ORYX_FL_ADC ? 2 : 3;
    bool carry = group != 0;
    if (carry)
        gpr_use(j, o->c);
    unsigned a = gpr_use(j, o->a);
    bool is_imm = small_const(j, o->b, o->lane, &imm);
    unsigned b = is_imm ? 0 : gpr_use(j, o->b);
    emit_mov_rr(e, W64, RAX, a);
    if (carry)
        load_carry(j, o->c, kind == ORYX_FL_SBCC);
    if (is_imm)
        emit_alu_ri(e, group, w, RAX, imm);
    else
        emit_rr(e, (group << 3) | (w & W8 ? 2 : 3), w, RAX, b);
}

/* Condition on host flags made by make(). */
static unsigned token_cond(jit *j, unsigned fc, bool inverted, bool logic)
{
    static const uint8_t plain[] = { CC_E, CC_NE, CC_B, CC_AE, CC_S, CC_NS, CC_O, CC_NO, 0, 0, CC_GE, CC_L, CC_G, CC_LE,
                                     CC_A, CC_BE, CC_P, CC_NP };
    switch (fc) {
    case ORYX_FC_C: return inverted ? CC_AE : CC_B;
    case ORYX_FC_NC: return inverted ? CC_B : CC_AE;
    case ORYX_FC_HI:
    case ORYX_FC_LS:
        if (!inverted && !logic)
            emit8(&j->e, 0xf5); /* cmc: C && !Z is "above" of the inverse carry */
        if (logic)
            return fc == ORYX_FC_HI ? CC_B : CC_AE;
        return fc == ORYX_FC_HI ? CC_A : CC_BE;
    case ORYX_FC_A:
    case ORYX_FC_BE:
        if (inverted)
            emit8(&j->e, 0xf5);
        return fc == ORYX_FC_A ? CC_A : CC_BE;
    default: return plain[fc];
    }
}

static unsigned test_bits(jit *j, unsigned r, uint32_t mask, bool any_means_true)
{
    if (mask < 0x100) {
        emit_opcode(&j->e, 0xf6, W8, 0, 0, r, true);
        emit8(&j->e, 0xc0 | (r & 7));
        emit8(&j->e, mask);
    } else {
        emit_opcode(&j->e, 0xf7, W32, 0, 0, r, true);
        emit8(&j->e, 0xc0 | (r & 7));
        emit32(&j->e, mask);
    }
    return any_means_true ? CC_NE : CC_E;
}

/* Condition on a packed word. */
static unsigned packed_cond(jit *j, unsigned fc, unsigned r)
{
    emit *e = &j->e;
    bool odd = fc & 1;
    switch (fc & ~1u) {
    case ORYX_FC_Z: return test_bits(j, r, ORYX_FLAG_Z, !odd);
    case ORYX_FC_C: return test_bits(j, r, ORYX_FLAG_C, !odd);
    case ORYX_FC_S: return test_bits(j, r, ORYX_FLAG_S, !odd);
    case ORYX_FC_O: return test_bits(j, r, ORYX_FLAG_O, !odd);
    case ORYX_FC_P: return test_bits(j, r, ORYX_FLAG_P, !odd);
    case ORYX_FC_A: return test_bits(j, r, ORYX_FLAG_C | ORYX_FLAG_Z, odd);
    case ORYX_FC_HI:
        emit_mov_rr(e, W32, RAX, r);
        emit_alu_ri(e, 4, W32, RAX, ORYX_FLAG_C | ORYX_FLAG_Z);
        emit_alu_ri(e, 7, W32, RAX, ORYX_FLAG_C);
        return odd ? CC_NE : CC_E;
    default: /* GE GT: S ^ O at bit 7, for GT with Z in as well */
        emit_mov_rr(e, W32, RAX, r);
        emit_shift_ri(e, 5, W32, RAX, 1);
        emit_alu_rr(e, 6, W32, RAX, r);
        emit_alu_ri(e, 4, W32, RAX, ORYX_FLAG_S);
        if ((fc & ~1u) == ORYX_FC_GT) {
            emit_mov_rr(e, W32, RCX, r);
            emit_alu_ri(e, 4, W32, RCX, ORYX_FLAG_Z);
            emit_alu_rr(e, 1, W32, RAX, RCX);
        }
        return odd ? CC_NE : CC_E;
    }
}

unsigned cond_emit(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (!is_deferred(j, v) || j->place[v].reg != NO_REG || j->place[v].spill >= 0) {
        unsigned r = gpr_use(j, v);
        return test_bits(j, r, 1, true);
    }
    if (o->op == ORYX_OP_CMP)
        return cmp_cond(j, o);
    const oryx_ir_op *t = op_of(j, o->a);
    if (t->op == ORYX_OP_FLMAKE && j->place[o->a].reg == NO_REG) {
        bool inverted = t->imm == ORYX_FL_SUBC || t->imm == ORYX_FL_SBCC;
        if (j->flags_of != o->a || j->flags_at != emit_at(&j->e))
            make(j, t, &inverted);
        return token_cond(j, (unsigned)o->imm, inverted, t->imm == ORYX_FL_LOGIC);
    }
    if (t->op == ORYX_OP_FLFCMP && fcmp_deferred(j) && fcmp_direct(j, o->a, (unsigned)o->imm))
        return fcmp_cond(j, t, (unsigned)o->imm);
    return packed_cond(j, (unsigned)o->imm, gpr_use(j, o->a));
}

void flags_pack(jit *j, oryx_val fl, unsigned reg)
{
    emit *e = &j->e;
    const oryx_ir_op *o = op_of(j, fl);
    bool inverted = false;
    if (o->op == ORYX_OP_FLFCMP && fcmp_deferred(j) && j->place[fl].reg == NO_REG) {
        fcmp_pack(j, o, reg);
        return;
    }
    if (o->op != ORYX_OP_FLMAKE || j->place[fl].reg != NO_REG) {
        emit_mov_rr(e, W32, reg, gpr_use(j, fl));
        return;
    }
    make(j, o, &inverted);
    if (inverted)
        emit8(e, 0xf5);
    emit8(e, 0x9f); /* lahf */
    emit_rr(e, 0x0f90 | CC_O, W8, 0, RAX);
    emit_shift_ri(e, 0, W16, RAX, 8);
    /* lahf sets bit 1; the auxiliary carry of a logic operation is undefined on the host and 0 in the IR. */
    emit_alu_ri(e, 4, W32, RAX, (o->imm == ORYX_FL_LOGIC ? 0 : ORYX_FLAG_A) | ORYX_FLAG_C | ORYX_FLAG_P | ORYX_FLAG_Z | ORYX_FLAG_S | ORYX_FLAG_O);
    if (reg != RAX)
        emit_mov_rr(e, W32, reg, RAX);
}

/* --- the flags slot of a region ---------------------------------------------------------------------------------------------
 * AX as lahf and seto al leave it: S Z A P C in AH, O in AL; C inverted when fl_inverted. Turned by 8 it is the packed word. */
#define PACKED (ORYX_FLAG_C | ORYX_FLAG_P | ORYX_FLAG_A | ORYX_FLAG_Z | ORYX_FLAG_S | ORYX_FLAG_O)

static void raw_store(jit *j, unsigned reg)
{
    emit_rm(&j->e, 0x89, W16, reg, SB, FRAME_DISP(j, raw_flags));
}

static void packed_to_raw(jit *j, unsigned reg)
{
    emit_shift_ri(&j->e, 1, W16, reg, 8);
    if (j->fl_inverted)
        emit_alu_ri(&j->e, 6, W32, reg, ORYX_FLAG_C << 8);
    raw_store(j, reg);
}

void fl_load(jit *j) /* RAX may hold what a helper returned */
{
    emit_rm(&j->e, 0x8b, W32, RCX, SB, state_disp((uint32_t)j->fl_slot));
    packed_to_raw(j, RCX);
}

void fl_get(jit *j, unsigned reg)
{
    emit *e = &j->e;
    emit_rm(e, 0x0fb7, W32, reg, SB, FRAME_DISP(j, raw_flags));
    emit_shift_ri(e, 0, W16, reg, 8);
    emit_alu_ri(e, 4, W32, reg, PACKED);
    if (j->fl_inverted)
        emit_alu_ri(e, 6, W32, reg, ORYX_FLAG_C);
}

void fl_flush(jit *j)
{
    fl_get(j, RAX);
    emit_rm(&j->e, 0x89, W32, RAX, SB, state_disp((uint32_t)j->fl_slot));
}

void fl_keep(jit *j, bool inverted, bool logic)
{
    emit *e = &j->e;
    if (inverted != j->fl_inverted)
        emit8(e, 0xf5);
    emit8(e, 0x9f);
    emit_rr(e, 0x0f90 | CC_O, W8, 0, RAX);
    if (logic)
        emit_alu_ri(e, 4, W32, RAX, ~(int32_t)(ORYX_FLAG_A << 8));
    raw_store(j, RAX);
}

void fl_put(jit *j, oryx_val fl)
{
    emit *e = &j->e;
    const oryx_ir_op *o = op_of(j, fl);
    bool inverted;
    j->fl_dirty = true;
    if (j->fl_loop) {
        j->fl_loop = FL_OWN;
        return;
    }
    if (o->op != ORYX_OP_FLMAKE || j->place[fl].reg != NO_REG || j->place[fl].spill >= 0) {
        flags_pack(j, fl, RAX);
        packed_to_raw(j, RAX);
        return;
    }
    make(j, o, &inverted);
    fl_keep(j, inverted, o->imm == ORYX_FL_LOGIC);
    if (inverted == j->fl_inverted && o->imm != ORYX_FL_LOGIC) {
        j->flags_at = emit_at(e);
        j->flags_of = fl;
    }
}

/* A deferred value becomes data in reg: 0 or 1, packed flags, or an address. */
void deferred_emit(jit *j, oryx_val v, unsigned reg)
{
    if (op_of(j, v)->op == ORYX_OP_ADD) { /* mem.c: an address that its access cannot use as it is */
        emit_rm(&j->e, 0x8d, W64, reg, gpr_use(j, op_of(j, v)->a), (int32_t)const_of(j, op_of(j, v)->b));
        return;
    }
    if (op_of(j, v)->op == ORYX_OP_FLMAKE || op_of(j, v)->op == ORYX_OP_FLFCMP) {
        flags_pack(j, v, reg);
        return;
    }
    unsigned cc = cond_emit(j, v);
    emit_rr(&j->e, 0x0f90 | cc, W8, 0, RAX);
    emit_rr(&j->e, 0x0fb6, W32 | W8, reg, RAX);
}

static void select_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    emit *e = &j->e;
    if (T_IS_VEC(o->type)) {
        unsigned b = xmm_use(j, o->b), d = xmm_def_copy(j, v, o->c);
        uint32_t skip = emit_jcc(e, cond_emit(j, o->a) ^ 1);
        emit_rr(e, 0x0f28, W32, d, b);
        emit_here(e, skip);
        return;
    }
    unsigned b = gpr_use(j, o->b);
    gpr_use(j, o->c);
    unsigned d = gpr_def_copy(j, v, o->c);
    unsigned cc = cond_emit(j, o->a);
    emit_rr(e, 0x0f40 | cc, o->type == ORYX_T_I64 ? W64 : W32, d, b);
}

bool flags_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    switch (o->op) {
    case ORYX_OP_CMP:
    case ORYX_OP_FLCOND: return true;
    case ORYX_OP_FLMAKE: /* a carry in becomes data now: a chain of carries must not nest */
        if (o->c && is_deferred(j, o->c))
            gpr_use(j, o->c);
        return true;
    case ORYX_OP_FLPACK: {
        unsigned d = gpr_def(j, v);
        flags_pack(j, o->a, d);
        return true;
    }
    case ORYX_OP_FLUNPACK: {
        unsigned d = gpr_def_copy(j, v, o->a);
        emit_alu_ri(&j->e, 4, W32, d, ORYX_FLAG_C | ORYX_FLAG_P | ORYX_FLAG_A | ORYX_FLAG_Z | ORYX_FLAG_S | ORYX_FLAG_O);
        return true;
    }
    case ORYX_OP_SELECT: select_op(j, v); return true;
    default: return false;
    }
}
