/* Scalar floating-point comparison. FLFCMP is deferred like the integer tokens of flags.c: where it stands only its sticky flag
 * is raised (by the host's own quiet or signalling comparison), and whoever uses the token compares again and takes the
 * host's flags, or packs them. Called by fp.c and flags.c. Invariant: a comparison made again raises nothing new, because a
 * block that writes the sticky flags does not defer (jit.fp_eager). */
#include "simd.h"

bool fcmp_deferred(const jit *j)
{
    return fp_simple(j) && !j->fp_eager && !fp_legacy(j);
}

static void compare(jit *j, const oryx_ir_op *o, bool exchanged)
{
    unsigned a = xmm_use(j, o->a), b = xmm_use(j, o->b);
    unsigned code = (o->lane == ORYX_T_F64 ? OP_66 : 0) | (o->imm & 1 ? 0x0f2f : 0x0f2e);
    emit_rr(&j->e, code, W32, exchanged ? b : a, exchanged ? a : b);
}

/* Packed flags into reg (not RCX). Host: less C, equal Z, greater none, unordered Z P C. */
void fcmp_pack(jit *j, const oryx_ir_op *o, unsigned reg)
{
    static const struct {
        uint8_t cc;
        uint16_t flags;
    } rest[3] = { { CC_E, ORYX_FLAG_Z | ORYX_FLAG_C }, { CC_B, ORYX_FLAG_S }, { CC_P, ORYX_FLAG_C | ORYX_FLAG_O } };
    emit *e = &j->e;
    compare(j, o, false);
    emit_mov_ri_keep(e, reg, ORYX_FLAG_C);
    for (unsigned i = 0; i < 3; i++) { /* unordered last: it has the others' flags too, and less only where equal is not */
        emit_mov_ri_keep(e, RCX, rest[i].flags);
        emit_rr(e, 0x0f40 | rest[i].cc, W32, reg, RCX);
    }
}

/* Better than a test of the packed word: the token is in no register, or the condition needs two of its bits. */
bool fcmp_direct(const jit *j, oryx_val token, unsigned fc)
{
    unsigned pair = fc & ~1u;
    if (pair == ORYX_FC_P)
        return false;
    bool packed = j->place[token].reg != NO_REG;
    return !packed || pair == ORYX_FC_HI || pair == ORYX_FC_GE || pair == ORYX_FC_GT;
}

/* Host condition for guest condition fc. Less and its kin without unordered come from the exchanged comparison. */
unsigned fcmp_cond(jit *j, const oryx_ir_op *o, unsigned fc)
{
    static const struct {
        uint8_t cc, exchanged;
    } t[] = {
        [ORYX_FC_C] = { CC_BE, 1 }, [ORYX_FC_NC] = { CC_A, 1 },  [ORYX_FC_S] = { CC_A, 1 },  [ORYX_FC_NS] = { CC_BE, 1 },
        [ORYX_FC_O] = { CC_P, 0 },  [ORYX_FC_NO] = { CC_NP, 0 }, [ORYX_FC_HI] = { CC_B, 1 }, [ORYX_FC_LS] = { CC_AE, 1 },
        [ORYX_FC_GE] = { CC_AE, 0 }, [ORYX_FC_LT] = { CC_B, 0 }, [ORYX_FC_GT] = { CC_A, 0 }, [ORYX_FC_LE] = { CC_BE, 0 },
        [ORYX_FC_A] = { CC_A, 1 },  [ORYX_FC_BE] = { CC_BE, 1 },
    };
    emit *e = &j->e;
    if (fc == ORYX_FC_Z || fc == ORYX_FC_NZ) { /* equal and ordered */
        compare(j, o, false);
        emit_rr(e, 0x0f90 | CC_NP, W8, 0, RAX);
        emit_rr(e, 0x0f90 | CC_E, W8, 0, RCX);
        emit_rr(e, 0x84, W8, RAX, RCX);
        return fc == ORYX_FC_Z ? CC_NE : CC_E;
    }
    compare(j, o, t[fc].exchanged);
    return t[fc].cc;
}

bool fcmp_op(jit *j, oryx_val v)
{
    const oryx_ir_op *o = op_of(j, v);
    if (!fcmp_deferred(j)) {
        xmm_use(j, o->a);
        xmm_use(j, o->b);
        unsigned d = gpr_def(j, v);
        uint32_t slow = fp_legacy(j) ? slow_begin(j, v, 2) : ~0u;
        fcmp_pack(j, o, d);
        if (slow != ~0u)
            slow_jump(j, slow, emit_jcc(&j->e, CC_P)); /* the comparison's, still */
        slow_end(j, slow);
        return true;
    }
    const oryx_ir_op *next = v + 1 < j->ir->n ? op_of(j, v + 1) : o;
    if (!(next->op == ORYX_OP_PUT && next->a == v)) /* a PUT packs at once, which compares */
        compare(j, o, false);
    if (!j->uses[v]) {
        val_done(j, o->a);
        val_done(j, o->b);
    }
    return true;
}
