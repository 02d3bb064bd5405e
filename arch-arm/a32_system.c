/* A32 instructions of privileged modes: status registers, exception return, secure monitor call, coprocessor registers.
 * DDI 0406C A5.2.12, A5.4, A5.6, A5.7, B9.3; the functions are T32's too.
 *
 * Called through the decode tables. On a user-level CPU all of it is UNDEFINED. Invariant: a body that changes CPSR leaves
 * through the run loop, so how code is lifted and which interrupts are let in are looked at anew. */
#include "a32_system.h"
#include "a32_text.h"

void a32_resync(a32_lift *l)
{
    a32_leave(l, l->next_mode);
    oryx_resync(l->ir, l->pc + l->len);
    l->end = 1;
}

/* Exception return: a helper has made the state and gave the address. */
static void go(a32_lift *l, oryx_val pc)
{
    oryx_val mode = a32_call(l, A32_HELPER_new_mode, I64, 0, 0);
    oryx_ir_emit(l->ir, ORYX_OP_SETMODE, 0, 0, mode, 0, 0, 0);
    oryx_gotoi(l->ir, pc, ORYX_HINT_JUMP);
    l->end = 1;
}

void a32_return_spsr(a32_lift *l, oryx_val pc)
{
    go(l, a32_call(l, A32_HELPER_return_spsr, I64, pc, 0));
}

/* The bits of a field mask. */
static uint32_t bytes_of(unsigned m)
{
    return (m & 1 ? 0xffu : 0) | (m & 2 ? 0xff00u : 0) | (m & 4 ? 0xff0000u : 0) | (m & 8 ? 0xff000000u : 0);
}

void a32_write_cpsr(a32_lift *l, oryx_val v, uint32_t mask)
{
    a32_call(l, A32_HELPER_write_cpsr, ORYX_T_VOID, v, a32_imm(l, mask));
    /* E may have changed, and execution state lives beside it. */
    uint32_t advance = (l->next_mode ^ l->mode) & A32_MODE_IT_MASK;
    if (advance)
        oryx_put(l->ir, I32, A32_OFF(exec), a32_bini(l, ORYX_OP_XOR, oryx_get(l->ir, I32, A32_OFF(exec)), advance));
    oryx_resync(l->ir, l->pc + l->len);
    l->end = 1;
}

/* MSR to CPSR by a field mask, beyond the flags. */
void a32_msr_cpsr(a32_lift *l, unsigned m, oryx_val v)
{
    a32_write_cpsr(l, v, bytes_of(m));
}

/* o: 0 IE, 1 ID (i & 2 set: change), a: AIF, x: mode m. */
void a32_do_cps(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l))
        return;
    uint32_t masks = (f->a & 4 ? PSR_A : 0) | (f->a & 2 ? PSR_I : 0) | (f->a & 1 ? PSR_F : 0), mask = 0, v = 0;
    if (f->i & 2) {
        mask = masks;
        v = f->i & 1 ? masks : 0;
    }
    if (f->x) {
        mask |= PSR_M;
        v |= f->m;
    }
    a32_write_cpsr(l, a32_imm(l, v), mask);
}

/* --- Status registers ---------------------------------------------------------------------------------------------------- */

void a32_do_mrs_spsr(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l))
        a32_undefined(l);
    else
        a32_set_reg(l, f->d, a32_call(l, A32_HELPER_get_spsr, I32, 0, 0));
}

ORYX_INSN(MRS_spsr, "cccc000101001111dddd000000000000", "mrs%c()\t%r(d), SPSR", BASE)
{
    a32_do_mrs_spsr(l, f);
}

static void msr_spsr(a32_lift *l, unsigned m, oryx_val v)
{
    if (!a32_privileged(l))
        a32_undefined(l);
    else
        a32_call(l, A32_HELPER_set_spsr, ORYX_T_VOID, v, a32_imm(l, bytes_of(m)));
}

void a32_do_msr_spsr(a32_lift *l, const a32_fields *f)
{
    msr_spsr(l, f->m, a32_reg(l, f->n));
}

ORYX_INSN(MSR_spsr_reg, "cccc00010110mmmm111100000000nnnn", "msr%c()\tSPSR_%psr(m), %r(n)", BASE)
{
    a32_do_msr_spsr(l, f);
}

ORYX_INSN(MSR_spsr_imm, "cccc00110110mmmm1111iiiiiiiiiiii", "[m] msr%c()\tSPSR_%psr(m), %expand(i)", BASE)
{
    msr_spsr(l, f->m, a32_imm(l, a32_expand_imm(f->i)));
}

/* SYSm: which register of which mode; r: its SPSR. */
int a32_banked_ok(unsigned r, unsigned m)
{
    return r ? m == 14 || m == 28 || m == 30 || (m >= 16 && m < 24 && !(m & 1)) : m < 7 || (m >= 8 && m < 24 && m != 15) || m >= 28;
}

void a32_t_banked(a32_text *t, unsigned r, unsigned m)
{
    static const char *const modes[16] = { "usr", "usr", "usr", "usr", "fiq", "fiq", "fiq", "fiq",
                                           "irq", "svc", "abt", "und", "?", "?", "mon", "hyp" };
    static const char *const low[8] = { "R8", "R9", "R10", "R11", "R12", "SP", "LR", "?" };
    a32_t_str(t, r ? "SPSR" : m == 30 ? "ELR" : m < 16 ? low[m & 7] : m & 1 ? "SP" : "LR");
    a32_t_str(t, "_");
    a32_t_str(t, modes[m >> 1 & 15]);
}

void a32_do_mrs_banked(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l))
        a32_undefined(l);
    else
        a32_set_reg(l, f->d, a32_call(l, A32_HELPER_get_banked, I32, a32_imm(l, f->r << 5 | f->m), 0));
}

/* m: M1 and M, high bit last in the word. */
static a32_fields sysm(const a32_fields *f)
{
    a32_fields g = *f;
    g.m = f->s << 4 | f->m;
    return g;
}

ORYX_INSN(MRS_banked, "cccc00010r00mmmmdddd001s00000000", "[a32_banked_ok(r, s << 4 | m)] mrs%c()\t%r(d), %banked(r, s << 4 | m)", VIRT)
{
    a32_fields g = sysm(f);
    a32_do_mrs_banked(l, &g);
}

void a32_do_msr_banked(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l) || f->n == 15)
        a32_undefined(l);
    else
        a32_call(l, A32_HELPER_set_banked, ORYX_T_VOID, a32_imm(l, f->r << 5 | f->m), a32_reg(l, f->n));
}

ORYX_INSN(MSR_banked, "cccc00010r10mmmm1111001s0000nnnn", "[a32_banked_ok(r, s << 4 | m)] msr%c()\t%banked(r, s << 4 | m), %r(n)", VIRT)
{
    a32_fields g = sysm(f);
    a32_do_msr_banked(l, &g);
}

/* --- Exception return, saved state ----------------------------------------------------------------------------------------- */

/* p: before, u: up, w: write back. */
void a32_do_rfe(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l) || f->n == 15) {
        a32_undefined(l);
        return;
    }
    oryx_val from = a32_reg(l, f->n);
    uint32_t at = f->u ? (f->p ? 4 : 0) : (f->p ? 0u - 8 : 0u - 4);
    oryx_val pc = oryx_load(l->ir, I32, a32_addr(l, at ? a32_bini(l, ORYX_OP_ADD, from, at) : from), a32_mem_a(l, 2));
    oryx_val cpsr = oryx_load(l->ir, I32, a32_addr(l, a32_bini(l, ORYX_OP_ADD, from, at + 4)), a32_mem_a(l, 2));
    if (f->w)
        a32_set_reg(l, f->n, a32_bini(l, f->u ? ORYX_OP_ADD : ORYX_OP_SUB, from, 8));
    go(l, a32_call(l, A32_HELPER_return, I64, pc, cpsr));
}

ORYX_INSN(RFE, "1111100pu0w1nnnn0000101000000000", "[n != 15] rfe%pick(p << 1 | u, \"da ia db ib\")\t%r(n)%?(w){!}", V6)
{
    a32_do_rfe(l, f);
}

void a32_do_srs(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l)) {
        a32_undefined(l);
        return;
    }
    oryx_val from = a32_call(l, A32_HELPER_srs_base, I32, a32_imm(l, f->m), 0);
    uint32_t at = f->u ? (f->p ? 4 : 0) : (f->p ? 0u - 8 : 0u - 4);
    oryx_val spsr = a32_call(l, A32_HELPER_get_spsr, I32, 0, 0);
    oryx_store(l->ir, I32, a32_addr(l, at ? a32_bini(l, ORYX_OP_ADD, from, at) : from), a32_reg(l, 14), a32_mem_a(l, 2));
    oryx_store(l->ir, I32, a32_addr(l, a32_bini(l, ORYX_OP_ADD, from, at + 4)), spsr, a32_mem_a(l, 2));
    if (f->w)
        a32_call(l, A32_HELPER_srs_back, ORYX_T_VOID, a32_imm(l, f->m), a32_bini(l, f->u ? ORYX_OP_ADD : ORYX_OP_SUB, from, 8));
}

ORYX_INSN(SRS, "1111100pu1w0110100000101000mmmmm", "srs%pick(p << 1 | u, \"da ia db ib\")\tsp%?(w){!}, #%u(m)", V6)
{
    a32_do_srs(l, f);
}

/* LDM and STM with ^: the user's registers, or, a load with PC in its list, exception return. */
ORYX_INSN(LDM_user, "cccc100pu1wlnnnniiiiiiiiiiiiiiii",
          "[i && n != 15 && (!w || (l && (i >> 15)))] "
          "%?(l){ldm}{stm}%pick(p << 1 | u, \"da _ db ib\")%?(!l && w && u && !p){ia}%c()\t%r(n)%?(w){!}, %list(i)^", BASE)
{
    unsigned count = (unsigned)__builtin_popcount(f->i), back = f->l && f->i >> 15;
    oryx_val from = a32_base_aligned(l, a32_reg(l, f->n)), v[16] = { 0 };
    uint32_t at = f->u ? (f->p ? 4 : 0) : 0u - 4 * count + (f->p ? 0 : 4);
    if (!a32_privileged(l)) {
        a32_undefined(l);
        return;
    }
    for (unsigned k = 0; k < 16; k++) {
        if (!(f->i >> k & 1))
            continue;
        oryx_val addr = a32_addr(l, at ? a32_bini(l, ORYX_OP_ADD, from, at) : from);
        if (f->l)
            v[k] = oryx_load(l->ir, I32, addr, a32_mem_a(l, 2));
        else
            oryx_store(l->ir, I32, addr, k < 8 || k == 15 ? a32_reg(l, k) : a32_call(l, A32_HELPER_get_user, I32, a32_imm(l, k), 0),
                       a32_mem_a(l, 2));
        at += 4;
    }
    if (f->w)
        a32_set_reg(l, f->n, a32_bini(l, f->u ? ORYX_OP_ADD : ORYX_OP_SUB, a32_reg(l, f->n), 4 * count));
    for (unsigned k = 0; f->l && k < 15; k++) {
        if (!(f->i >> k & 1))
            continue;
        if (back || k < 8)
            a32_set_reg(l, k, v[k]);
        else
            a32_call(l, A32_HELPER_set_user, ORYX_T_VOID, a32_imm(l, k), v[k]);
    }
    if (back)
        a32_return_spsr(l, v[15]);
}

/* Without Hyp mode: SUBS PC, LR, #0. */
void a32_do_eret(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l))
        a32_undefined(l);
    else
        a32_return_spsr(l, f->i ? a32_bini(l, ORYX_OP_SUB, a32_reg(l, 14), f->i) : a32_reg(l, 14));
}

ORYX_INSN(ERET, "cccc0001011000000000000001101110", "eret%c()", VIRT)
{
    a32_do_eret(l, f);
}

/* --- Calls ------------------------------------------------------------------------------------------------------------------ */

void a32_do_smc(a32_lift *l, const a32_fields *f)
{
    if (!a32_privileged(l)) {
        a32_undefined(l);
        return;
    }
    a32_call(l, A32_HELPER_smc_check, ORYX_T_VOID, 0, 0);
    a32_raise(l, ORYX_EXC_MONITORCALL, f->i, l->pc + l->len);
}

ORYX_INSN(SMC, "cccc000101100000000000000111iiii", "smc%c()\t%u(i)", SEC)
{
    a32_do_smc(l, f);
}

/* There is no Hyp mode: UNDEFINED, as without the Virtualization Extensions. */
ORYX_INSN(HVC, "111000010100iiiiiiiiiiii0111iiii", "hvc\t%u(i)", VIRT)
{
    (void)f;
    a32_undefined(l);
}

/* --- Coprocessors 14 and 15 -------------------------------------------------------------------------------------------------- */

/* p: coprocessor 15; n: CRn, o: opc1, m: CRm, q: opc2, t: Rt. */
static int find(a32_lift *l, const a32_fields *f, unsigned wide, int write)
{
    if (!(a32_system_bits(l) & A32_MODE_SYSTEM))
        return -1;
    int row = a32_cp_find(l->model, 14 + f->p, f->n, f->o, f->m, f->q, wide);
    if (row < 0)
        return -1;
    unsigned access = a32_cps[row].access, user = a32_system_bits(l) & A32_MODE_USER;
    if (user && (access == CPA_P1 || access == CPA_P1R || access == CPA_P1W || access == CPA_SEC || access == CPA_SECW || access == CPA_PMP1))
        return -1;
    if (write ? access == CPA_P1R || access == CPA_URO || (access == CPA_PMR) || (access == CPA_CNT) || (user && access == CPA_UR)
              : access == CPA_P1W || access == CPA_UW)
        return -1;
    return row;
}

void a32_do_mrc(a32_lift *l, const a32_fields *f)
{
    int row = find(l, f, 0, 0);
    if (row < 0) {
        a32_undefined(l);
        return;
    }
    oryx_val v = oryx_trunc(l->ir, I32, I64, a32_call(l, A32_HELPER_cp_read, I64, a32_imm(l, (uint32_t)row), 0));
    if (f->t != 15) {
        a32_set_reg(l, f->t, v);
        return;
    }
    oryx_val p = a32_bini(l, ORYX_OP_AND, a32_bini(l, ORYX_OP_SHR, v, 24), 0xc0); /* NZCV */
    p = oryx_bfi(l->ir, I32, p, a32_bini(l, ORYX_OP_SHR, v, 29), 0, 1);
    p = oryx_bfi(l->ir, I32, p, a32_bini(l, ORYX_OP_SHR, v, 28), 8, 1);
    a32_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, ORYX_T_FL, I32, p, 0, 0, 0));
}

ORYX_INSN(MRC, "cccc1110ooo1nnnntttt111pqqq1mmmm",
          "{t == 15} mrc%c()\t%u(14 + p), %u(o), APSR_nzcv, cr%u(n), cr%u(m), {%u(q)} ;; mrc%c()\t%u(14 + p), %u(o), %r(t), cr%u(n), cr%u(m), {%u(q)}",
          BASE)
{
    a32_do_mrc(l, f);
}

void a32_do_mcr(a32_lift *l, const a32_fields *f)
{
    int row = find(l, f, 0, 1);
    if (row < 0 || f->t == 15) {
        a32_undefined(l);
        return;
    }
    oryx_val v = oryx_zext(l->ir, I64, I32, a32_reg(l, f->t));
    a32_call(l, A32_HELPER_cp_write, ORYX_T_VOID, v, a32_imm(l, (uint32_t)row));
    if (row == CP_wfi) {
        a32_raise(l, ORYX_EXC_WAIT, 0, l->pc + l->len);
        return;
    }
    a32_resync(l);
}

ORYX_INSN(MCR, "cccc1110ooo0nnnntttt111pqqq1mmmm", "mcr%c()\t%u(14 + p), %u(o), %r(t), cr%u(n), cr%u(m), {%u(q)}", BASE)
{
    a32_do_mcr(l, f);
}

/* u: the second register. */
void a32_do_mrrc(a32_lift *l, const a32_fields *f)
{
    int row = find(l, f, 1, 0);
    if (row < 0 || f->t == 15 || f->u == 15) {
        a32_undefined(l);
        return;
    }
    oryx_val v = a32_call(l, A32_HELPER_cp_read, I64, a32_imm(l, (uint32_t)row), 0);
    a32_set_reg(l, f->t, oryx_trunc(l->ir, I32, I64, v));
    a32_set_reg(l, f->u, oryx_trunc(l->ir, I32, I64, oryx_bin(l->ir, ORYX_OP_SHR, I64, v, oryx_const(l->ir, I64, 32))));
}

ORYX_INSN(MRRC, "cccc11000101uuuutttt111poooommmm", "mrrc%c()\t%u(14 + p), %u(o), %r(t), %r(u), cr%u(m)", V5E)
{
    a32_do_mrrc(l, f);
}

void a32_do_mcrr(a32_lift *l, const a32_fields *f)
{
    int row = find(l, f, 1, 1);
    if (row < 0 || f->t == 15 || f->u == 15) {
        a32_undefined(l);
        return;
    }
    oryx_val v = oryx_bfi(l->ir, I64, oryx_zext(l->ir, I64, I32, a32_reg(l, f->t)), oryx_zext(l->ir, I64, I32, a32_reg(l, f->u)), 32, 32);
    a32_call(l, A32_HELPER_cp_write, ORYX_T_VOID, v, a32_imm(l, (uint32_t)row));
    a32_resync(l);
}

ORYX_INSN(MCRR, "cccc11000100uuuutttt111poooommmm", "mcrr%c()\t%u(14 + p), %u(o), %r(t), %r(u), cr%u(m)", V5E)
{
    a32_do_mcrr(l, f);
}
