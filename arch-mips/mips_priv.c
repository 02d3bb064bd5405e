/* Coprocessor 0: moves, the TLB, ERET, WAIT, interrupts on and off, caches, RDHWR: MD00087 tables 3.30-3.33.
 *
 * mips.c refuses them before they come here where coprocessor 0 may not be used. Whatever may change the mode key, the translation of
 * addresses or what interrupts do ends its block with RESYNC. */
#include "mips_sys.h"

static oryx_val call(mips_lift *l, unsigned helper, unsigned type, const oryx_val *v, unsigned n)
{
    return oryx_call(l->ir, l->helper_base + helper, type, v, n);
}

static oryx_val call1(mips_lift *l, unsigned helper, unsigned type, uint32_t arg)
{
    oryx_val v = mips_imm32(l, arg);
    return call(l, helper, type, &v, 1);
}

static oryx_val narrow(mips_lift *l, oryx_val v)
{
    return l->w == I64 ? v : oryx_trunc(l->ir, I32, I64, v);
}

/* --- moves --------------------------------------------------------------------------------------------------------------- */

/* A read of what time or lines change ends the block, so that it is exact. */
static void move_from(mips_lift *l, const mips_fields *f, uint32_t how)
{
    int n = mips_cp0_find(l->model, l->w, f->d, f->k);
    if (n < 0) {
        mips_set(l, f->t, mips_imm(l, 0));
        return;
    }
    mips_set(l, f->t, narrow(l, call1(l, MIPS_HELPER_MFC0, I64, (uint32_t)n | how)));
    if (n == CP0_count || n == CP0_random || n == CP0_cause)
        mips_resync(l);
}

static void move_to(mips_lift *l, const mips_fields *f, uint32_t how)
{
    int n = mips_cp0_find(l->model, l->w, f->d, f->k);
    if (n < 0)
        return;
    oryx_val v[2] = { oryx_zext(l->ir, I64, l->w, mips_r(l, f->t)), mips_imm32(l, (uint32_t)n | how) };
    call(l, MIPS_HELPER_MTC0, ORYX_T_VOID, v, 2);
    mips_resync(l);
}

ORYX_INSN(MFC0, "01000000000tttttddddd00000000kkk", "mfc0\t%r(t),$%u(d)%?(k){,%u(k)}", BASE)
{
    move_from(l, f, 0);
}

ORYX_INSN(DMFC0, "01000000001tttttddddd00000000kkk", "dmfc0\t%r(t),$%u(d)%?(k){,%u(k)}", M3)
{
    move_from(l, f, MTC0_WIDE);
}

ORYX_INSN(MFHC0, "01000000010tttttddddd00000000kkk", "mfhc0\t%r(t),$%u(d)%?(k){,%u(k)}", MVH)
{
    move_from(l, f, MTC0_HIGH);
}

ORYX_INSN(MTC0, "01000000100tttttddddd00000000kkk", "mtc0\t%r(t),$%u(d)%?(k){,%u(k)}", BASE)
{
    move_to(l, f, 0);
}

ORYX_INSN(DMTC0, "01000000101tttttddddd00000000kkk", "dmtc0\t%r(t),$%u(d)%?(k){,%u(k)}", M3)
{
    move_to(l, f, MTC0_WIDE);
}

ORYX_INSN(MTHC0, "01000000110tttttddddd00000000kkk", "mthc0\t%r(t),$%u(d)%?(k){,%u(k)}", MVH)
{
    move_to(l, f, MTC0_HIGH);
}

/* There are no shadow sets: the previous set is this one. */
ORYX_INSN(RDPGPR, "01000001010tttttddddd00000000000", "rdpgpr\t%r(d),%r(t)", R2)
{
    mips_set(l, f->d, mips_r(l, f->t));
}

ORYX_INSN(WRPGPR, "01000001110tttttddddd00000000000", "wrpgpr\t%r(d),%r(t)", R2)
{
    mips_set(l, f->d, mips_r(l, f->t));
}

/* --- interrupts ------------------------------------------------------------------------------------------------------------ */

static void enable(mips_lift *l, const mips_fields *f, unsigned on)
{
    mips_set32(l, f->t, oryx_trunc(l->ir, I32, I64, call1(l, MIPS_HELPER_IE, I64, on)));
    mips_resync(l);
}

ORYX_INSN(DI, "01000001011ttttt0110000000000000", "di%?(t){\t%r(t)}", R2)
{
    enable(l, f, 0);
}

ORYX_INSN(EI, "01000001011ttttt0110000000100000", "ei%?(t){\t%r(t)}", R2)
{
    enable(l, f, 1);
}

/* One virtual processor: nothing to disable or enable (Config5.VP = 0). */
ORYX_INSN(DVP, "01000001011ttttt0000000000100100", "dvp%?(t){\t%r(t)}", R6)
{
    (void)l;
    (void)f;
}

ORYX_INSN(EVP, "01000001011ttttt0000000000000100", "evp%?(t){\t%r(t)}", R6)
{
    (void)l;
    (void)f;
}

ORYX_INSN(WAIT, "0100001iiiiiiiiiiiiiiiiiii100000", "wait%?(i){\t%x(i)}", R1)
{
    (void)f;
    uint64_t next = mips_next(l);
    oryx_raise(l->ir, ORYX_EXC_WAIT, oryx_const(l->ir, I64, 0), next);
    l->end = 1;
}

/* --- return from exceptions -------------------------------------------------------------------------------------------------- */

static void return_from(mips_lift *l, unsigned nc)
{
    oryx_ir *ir = l->ir;
    if (MIPS_MODE_SLOT(l->mode) != MIPS_SLOT_NONE) {
        mips_reserved(l); /* UNPREDICTABLE in a slot */
        return;
    }
    oryx_val to = call1(l, MIPS_HELPER_ERET, I64, nc);
    oryx_ir_emit(ir, ORYX_OP_SETMODE, 0, 0, call(l, MIPS_HELPER_NEW_MODE, I64, NULL, 0), 0, 0, 0);
    oryx_gotoi(ir, to, ORYX_HINT_JUMP);
    l->end = 1;
}

ORYX_INSN(ERET, "01000010000000000000000000011000", "eret", ERET)
{
    (void)f;
    return_from(l, 0);
}

ORYX_INSN(ERETNC, "01000010000000000000000001011000", "eretnc", R5)
{
    (void)f;
    return_from(l, 1);
}

ORYX_INSN(RFE, "01000010000000000000000000010000", "rfe", R3000)
{
    (void)f;
    call(l, MIPS_HELPER_RFE, ORYX_T_VOID, NULL, 0);
    mips_resync(l);
}

/* No debug mode (Config1.EP = 0): DERET is reserved. */
ORYX_INSN(DERET, "01000010000000000000000000011111", "deret", R1)
{
    (void)f;
    mips_reserved(l);
}

/* --- the TLB: reserved with a fixed mapping --------------------------------------------------------------------------------- */

static void tlb(mips_lift *l, unsigned op)
{
    if (l->model->mmu == MIPS_MMU_FIXED) {
        mips_reserved(l);
        return;
    }
    call1(l, MIPS_HELPER_TLB, ORYX_T_VOID, op);
    mips_resync(l);
}

ORYX_INSN(TLBR, "01000010000000000000000000000001", "tlbr", BASE)
{
    (void)f;
    tlb(l, TLB_R);
}

ORYX_INSN(TLBWI, "01000010000000000000000000000010", "tlbwi", BASE)
{
    (void)f;
    tlb(l, TLB_WI);
}

ORYX_INSN(TLBINV, "01000010000000000000000000000011", "tlbinv", R5)
{
    (void)f;
    tlb(l, TLB_INV);
}

ORYX_INSN(TLBINVF, "01000010000000000000000000000100", "tlbinvf", R5)
{
    (void)f;
    tlb(l, TLB_INVF);
}

ORYX_INSN(TLBWR, "01000010000000000000000000000110", "tlbwr", BASE)
{
    (void)f;
    tlb(l, TLB_WR);
}

ORYX_INSN(TLBP, "01000010000000000000000000001000", "tlbp", BASE)
{
    (void)f;
    tlb(l, TLB_P);
}

/* --- caches ------------------------------------------------------------------------------------------------------------------- */

static void cache(mips_lift *l, const mips_fields *f, oryx_val addr)
{
    oryx_val v[2] = { addr, mips_imm32(l, f->h) };
    call(l, MIPS_HELPER_CACHE, ORYX_T_VOID, v, 2);
}

ORYX_INSN(CACHE, "101111ssssshhhhhiiiiiiiiiiiiiiii", "cache\t%x(h),%s16(i)(%r(s))", M2_5)
{
    cache(l, f, mips_ea(l, f->s, mips_sx(f->i, 16)));
}

ORYX_INSN(CACHE_R6, "011111ssssshhhhhiiiiiiiii0100101", "cache\t%x(h),%s9(i)(%r(s))", R6)
{
    cache(l, f, mips_ea(l, f->s, mips_sx(f->i, 9)));
}

ORYX_INSN(CACHEE, "011111ssssshhhhhiiiiiiiii0011011", "cachee\t%x(h),%s9(i)(%r(s))", EVA)
{
    cache(l, f, mips_ea(l, f->s, mips_sx(f->i, 9)));
}

/* --- RDHWR --------------------------------------------------------------------------------------------------------------------- */

/* Select is of register 4, the performance counters, which are not here. */
ORYX_INSN(RDHWR, "01111100000tttttddddd00kkk111011", "[k == 0]rdhwr\t%r(t),%h(d)", R2)
{
    if (!(l->mode & MIPS_MODE_SYSTEM) && f->d == 29) { /* the thread pointer, everywhere in a program */
        mips_set(l, f->t, oryx_get(l->ir, l->w, MIPS_OFF(userlocal)));
        return;
    }
    mips_set(l, f->t, narrow(l, call1(l, MIPS_HELPER_RDHWR, I64, f->d)));
    if (f->d == 2)
        mips_resync(l);
}

/* --- the rest of coprocessor 0 -------------------------------------------------------------------------------------------------- */

ORYX_INSN(COP0, "010000iiiiiiiiiiiiiiiiiiiiiiiiii", "{i >> 25}c0\t%x(i & 0x1ffffff)", BASE)
{
    (void)f;
    mips_reserved(l);
}
