/* Branch target identification: DDI 0487, D8.4.5.1 (guarded pages), C6.2.41 (BTI), D1.3.6 (PSTATE.BTYPE).
 *
 * Whole CPUs whose model has FEAT_BTI only. Called by a64.c (check, end), by the bodies of indirect branches (next) and by every
 * body that ends a block (done). BTYPE is a part of the mode key, so the instruction an indirect branch leads to is lifted as a
 * block of its own, and all others pay nothing. Invariant: whoever changes BTYPE in the pstate slot sets the mode key with it. */
#include "a64_sys.h"

#define MODE_BTYPE (UINT64_C(3) << 49)

enum { CHECK_LABEL = 1 }; /* STACK_LABEL of a64.c is 0 */

/* Which values of BTYPE the instruction may be entered with, a bit each; dynamic: SCTLR_ELx.BT decides about 3. */
static unsigned compatible(uint32_t word, int *dynamic)
{
    static const uint8_t bti[4] = { 0, 1 << 1 | 1 << 2, 1 << 1 | 1 << 3, 1 << 1 | 1 << 2 | 1 << 3 };
    *dynamic = 0;
    if ((word & 0xffffff3f) == 0xd503241f) /* BTI: none, c, j, jc */
        return bti[word >> 6 & 3];
    if ((word & 0xffffffbf) == 0xd503233f) { /* PACIASP, PACIBSP */
        *dynamic = 1;
        return bti[1];
    }
    if ((word & 0xffe0001f) == 0xd4200000 || (word & 0xffe0001f) == 0xd4400000) /* BRK, HLT */
        return bti[3];
    return 0;
}

static oryx_val btype_mode(a64_lift *l, unsigned btype)
{
    return a64_imm(l, ORYX_T_I64, (l->mode & ~MODE_BTYPE) | (uint64_t)btype << 49);
}

static oryx_val pstate_without(a64_lift *l)
{
    oryx_val ps = oryx_get(l->ir, ORYX_T_I32, A64_OFF(pstate));
    return oryx_bin(l->ir, ORYX_OP_AND, ORYX_T_I32, ps, a64_imm(l, ORYX_T_I32, ~PS_BTYPE));
}

static void put(a64_lift *l, oryx_val pstate, oryx_val mode)
{
    oryx_put(l->ir, ORYX_T_I32, A64_OFF(pstate), pstate);
    oryx_ir_emit(l->ir, ORYX_OP_SETMODE, ORYX_T_VOID, ORYX_T_VOID, mode, 0, 0, 0);
}

void a64_btype_check(a64_lift *l)
{
    int dynamic;
    if (!A64_MODE_BTYPE(l->mode) || compatible(l->insn, &dynamic) >> A64_MODE_BTYPE(l->mode) & 1)
        return;
    /* Nothing is looked up before the first guarded page has been seen. */
    oryx_val seen = oryx_get(l->ir, ORYX_T_I8, A64_OFF(guards));
    oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_EQ, ORYX_T_I8, seen, a64_imm(l, ORYX_T_I8, 0)), CHECK_LABEL);
    oryx_val args[2] = { a64_imm(l, ORYX_T_I64, l->pc), a64_imm(l, ORYX_T_I32, A64_MODE_BTYPE(l->mode) | (dynamic ? 4u : 0)) };
    a64_call(l, A64_HELPER_bti_check, ORYX_T_VOID, args, 2);
    oryx_label(l->ir, CHECK_LABEL);
}

void a64_btype_done(a64_lift *l)
{
    if (A64_MODE_BTYPE(l->mode))
        put(l, pstate_without(l), btype_mode(l, 0));
}

void a64_btype_end(a64_lift *l)
{
    if (!A64_MODE_BTYPE(l->mode) || l->end)
        return;
    a64_btype_done(l);
    oryx_goto(l->ir, l->pc + 4, 0);
    l->end = 1;
}

void a64_btype_next(a64_lift *l, unsigned n, int link)
{
    if (!(l->features & A64_FEAT_BTI))
        return;
    if (link || n == 16 || n == 17) {
        unsigned btype = link ? 2 : 1;
        put(l, oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I32, pstate_without(l), a64_imm(l, ORYX_T_I32, btype << 10)), btype_mode(l, btype));
        return;
    }
    oryx_val pc = a64_imm(l, ORYX_T_I64, l->pc);
    oryx_val btype = a64_call(l, A64_HELPER_bti_jump, ORYX_T_I64, &pc, 1);
    oryx_val high = oryx_bin(l->ir, ORYX_OP_SHL, ORYX_T_I32, oryx_trunc(l->ir, ORYX_T_I32, ORYX_T_I64, btype), a64_imm(l, ORYX_T_I32, 10));
    oryx_val mode = oryx_bin(l->ir, ORYX_OP_SHL, ORYX_T_I64, btype, a64_imm(l, ORYX_T_I64, 49));
    put(l, oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I32, pstate_without(l), high),
        oryx_bin(l->ir, ORYX_OP_OR, ORYX_T_I64, mode, btype_mode(l, 0)));
}

static int guarded(oryx_cpu *cpu, uint64_t pc)
{
    const a64_state *s = a64_state_of(cpu);
    a64_walk w;
    return s->guards && !a64_translate(cpu, pc, ORYX_ACCESS_FETCH, a64_el(s), A64_WALK_PEEK, &w) && w.guarded;
}

/* BTYPE of BR from pc by another register than X16 and X17. */
uint64_t a64_helper_bti_jump(oryx_cpu *cpu, uint64_t pc)
{
    return guarded(cpu, pc) ? 3 : 1;
}

/* An instruction that BTYPE (bits 0 and 1 of what) does not agree with; bit 2: PACIASP and the like. */
void a64_helper_bti_check(oryx_cpu *cpu, uint64_t pc, uint32_t what)
{
    const a64_state *s = a64_state_of(cpu);
    unsigned el = a64_el(s);
    uint64_t strict = SYS_EL(s, sctlr, a64_regime(el)) & (el ? SCTLR_BT1 : SCTLR_BT0);
    if (guarded(cpu, pc) && !(what & 4 && !strict))
        a64_raise_trap(cpu, 0, ESR(0x0d) | (what & 3));
}
