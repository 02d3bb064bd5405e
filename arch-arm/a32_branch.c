/* A32 branches, exception generation and system instructions of every mode: DDI 0406C A5.2.9 to A5.2.12, A5.5, A5.6, A5.7.
 *
 * Called through the decode tables; the a32_do_ functions by t32_*.c too. What needs privilege is in a32_system.c; CPS is
 * without effect in user mode. The thread registers and Armv6's barriers of coprocessor 15 have rows of their own here. */
#include "a32_system.h"

ORYX_INSN(B, "cccc1010iiiiiiiiiiiiiiiiiiiiiiii", "b%c()\t%label(a32_sx(i, 24) * 4)", BASE)
{
    uint32_t to = a32_pc(l) + (uint32_t)(a32_sx(f->i, 24) * 4);
    if (!l->pred) {
        a32_branch(l, to);
        return;
    }
    oryx_gotoc(l->ir, l->pred, to, l->pc + 4);
    l->own_cond = l->end = 1;
}

ORYX_INSN(BL, "cccc1011iiiiiiiiiiiiiiiiiiiiiiii", "bl%c()\t%label(a32_sx(i, 24) * 4)", BASE)
{
    a32_set_reg(l, 14, a32_imm(l, l->pc + 4));
    a32_branch(l, a32_pc(l) + (uint32_t)(a32_sx(f->i, 24) * 4));
}

ORYX_INSN(BLX_imm, "1111101hiiiiiiiiiiiiiiiiiiiiiiii", "blx\t%label(a32_sx(i, 24) * 4 + h * 2)", V5)
{
    a32_set_reg(l, 14, a32_imm(l, l->pc + 4));
    a32_branch_set(l, a32_pc(l) + (uint32_t)(a32_sx(f->i, 24) * 4) + f->h * 2, 1);
}

ORYX_INSN(BX, "cccc000100101111111111110001mmmm", "bx%c()\t%r(m)", BASE)
{
    a32_bx(l, a32_reg(l, f->m), f->m == 14 ? ORYX_HINT_RETURN : ORYX_HINT_JUMP);
}

/* Without Jazelle it is BX. */
ORYX_INSN(BXJ, "cccc000100101111111111110010mmmm", "bxj%c()\t%r(m)", V5E)
{
    a32_bx(l, a32_reg(l, f->m), ORYX_HINT_JUMP);
}

ORYX_INSN(BLX_reg, "cccc000100101111111111110011mmmm", "blx%c()\t%r(m)", V5)
{
    oryx_val to = a32_reg(l, f->m); /* before the link write: BLX LR */
    a32_set_reg(l, 14, a32_imm(l, l->pc + 4));
    a32_bx(l, to, ORYX_HINT_CALL);
}

void a32_do_svc(a32_lift *l, const a32_fields *f)
{
    a32_raise(l, ORYX_EXC_SYSCALL, f->i, l->pc + l->len);
}

ORYX_INSN(SVC, "cccc1111iiiiiiiiiiiiiiiiiiiiiiii", "svc%c()\t0x%hex8(i)", BASE)
{
    a32_do_svc(l, f);
}

void a32_do_bkpt(a32_lift *l, const a32_fields *f)
{
    a32_raise(l, ORYX_EXC_BREAKPOINT, f->i, l->pc);
}

ORYX_INSN(BKPT, "111000010010iiiiiiiiiiii0111iiii", "bkpt\t0x%hex4(i)", V5)
{
    a32_do_bkpt(l, f);
}

/* HLT is UNDEFINED without halting debug, but for the semihosting call. */
void a32_do_semihost(a32_lift *l, const a32_fields *f)
{
    if (f->i == (l->mode & A32_MODE_T ? 0x3cu : 0xf000u))
        a32_raise(l, ORYX_EXC_SEMIHOST, f->i, l->pc);
    else
        a32_undefined(l);
}

ORYX_INSN(HLT, "111000010000iiiiiiiiiiii0111iiii", "hlt\t0x%hex4(i)", V8)
{
    a32_do_semihost(l, f);
}

void a32_do_udf(a32_lift *l, const a32_fields *f)
{
    (void)f;
    a32_undefined(l);
}

ORYX_INSN(UDF, "111001111111iiiiiiiiiiii1111iiii", "udf\t#%u(i)", BASE)
{
    a32_do_udf(l, f);
}

/* --- Hints and barriers ------------------------------------------------------------------------------------- */

/* WFE may complete at once, and at user level WFI too. */
void a32_do_hint(a32_lift *l, const a32_fields *f)
{
    if (!(a32_system_bits(l) & A32_MODE_SYSTEM) || (f->i != 2 && f->i != 3))
        return;
    if (l->features & A32_FEAT_V8)
        a32_call(l, A32_HELPER_wfx_check, ORYX_T_VOID, a32_imm(l, f->i == 2), 0);
    if (f->i == 3)
        a32_raise(l, ORYX_EXC_WAIT, 0, l->pc + l->len);
}

ORYX_INSN(HINT, "cccc00110010000011110000iiiiiiii",
          "{i > 0 && i < 6} %pick(i, \"nop yield wfe wfi sev sevl\")%c() ;; {i >= 240} dbg%c()\t#%u(i - 240) ;; nop%c()\t{%u(i)}", V6K)
{
    a32_do_hint(l, f);
}

/* o: 4 DSB, 5 DMB, 6 ISB; a write to code is seen by the block that follows an ISB. */
void a32_do_barrier(a32_lift *l, const a32_fields *f)
{
    oryx_ir_emit(l->ir, ORYX_OP_FENCE, ORYX_T_VOID, ORYX_T_VOID, 0, 0, 0, f->o == 6 ? ORYX_ORDER_ISYNC : ORYX_ORDER_SEQ);
}

ORYX_INSN(BARRIER, "11110101011111111111000001ooiiii",
          "[o != 3] {o == 0 && (i == 0 || i == 4 || i == 12)} %pick(i / 4, \"ssbb pssbb ? dfb\") ;; %pick(o, \"dsb dmb isb\")\t%barrier(o, i)", V7)
{
    a32_fields g = *f;
    g.o = f->o + 4;
    a32_do_barrier(l, &g);
}

void a32_do_clrex(a32_lift *l, const a32_fields *f)
{
    (void)f;
    oryx_ir_emit(l->ir, ORYX_OP_CLREX, ORYX_T_VOID, ORYX_T_VOID, 0, 0, 0, 0);
}

ORYX_INSN(CLREX, "11110101011111111111000000011111", "clrex", V6K)
{
    a32_do_clrex(l, f);
}

/* --- Status register ------------------------------------------------------------------------------------------ */

/* APSR, E, and of a CPU above user level what its psr slot holds. */
void a32_do_mrs(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val p = oryx_ir_emit(ir, ORYX_OP_FLPACK, I32, ORYX_T_FL, a32_flags(l), 0, 0, 0);
    oryx_val v = a32_bini(l, ORYX_OP_SHL, a32_bini(l, ORYX_OP_AND, p, 0xc0), 24);
    v = oryx_bfi(ir, I32, v, p, 29, 1);
    v = oryx_bfi(ir, I32, v, a32_bini(l, ORYX_OP_SHR, p, 8), 28, 1);
    v = oryx_bfi(ir, I32, v, oryx_get(ir, I32, A32_OFF(q)), 27, 1);
    oryx_val ge = oryx_get(ir, I32, A32_OFF(ge));
    for (unsigned k = 0; k < 4; k++)
        v = oryx_bfi(ir, I32, v, a32_bini(l, ORYX_OP_SHR, ge, 8 * k), 16 + k, 1);
    if (a32_system_bits(l) & A32_MODE_SYSTEM)
        v = a32_bin(l, ORYX_OP_OR, v, oryx_get(ir, I32, A32_OFF(system.psr)));
    else
        v = a32_bini(l, ORYX_OP_OR, v, M_USR);
    a32_set_reg(l, f->d, l->mode & A32_MODE_E ? a32_bini(l, ORYX_OP_OR, v, PSR_E) : v);
}

ORYX_INSN(MRS, "cccc000100001111dddd000000000000", "mrs%c()\t%r(d), CPSR", BASE)
{
    a32_do_mrs(l, f);
}

/* m: the field mask; user mode writes flags (bit 3) and GE (bit 2) of v. */
static void write_apsr(a32_lift *l, unsigned m, oryx_val v)
{
    oryx_ir *ir = l->ir;
    if (m & 3 && a32_privileged(l)) {
        a32_msr_cpsr(l, m, v);
        return;
    }
    if (m & 8) {
        oryx_val p = a32_bini(l, ORYX_OP_AND, a32_bini(l, ORYX_OP_SHR, v, 24), 0xc0);
        p = oryx_bfi(ir, I32, p, a32_bini(l, ORYX_OP_SHR, v, 29), 0, 1);
        p = oryx_bfi(ir, I32, p, a32_bini(l, ORYX_OP_SHR, v, 28), 8, 1);
        a32_set_flags(l, oryx_ir_emit(ir, ORYX_OP_FLUNPACK, ORYX_T_FL, I32, p, 0, 0, 0));
        a32_put(l, A32_OFF(q), oryx_bfx(ir, ORYX_OP_UBFX, I32, v, 27, 1));
    }
    if (m & 4 && l->features & A32_FEAT_V6) {
        oryx_val ge = a32_imm(l, 0);
        for (unsigned k = 0; k < 4; k++)
            ge = oryx_bfi(ir, I32, ge, oryx_bfx(ir, ORYX_OP_SBFX, I32, v, 16 + k, 1), 8 * k, 8);
        a32_put(l, A32_OFF(ge), ge);
    }
}

void a32_do_msr(a32_lift *l, const a32_fields *f)
{
    write_apsr(l, f->m, a32_reg(l, f->n));
}

ORYX_INSN(MSR_reg, "cccc00010010mmmm111100000000nnnn", "msr%c()\tCPSR_%psr(m), %r(n)", BASE)
{
    a32_do_msr(l, f);
}

ORYX_INSN(MSR_imm, "cccc00110010mmmm1111iiiiiiiiiiii", "[m] msr%c()\tCPSR_%psr(m), %expand(i)", BASE)
{
    write_apsr(l, f->m, a32_imm(l, a32_expand_imm(f->i)));
}

static void set_endian(a32_lift *l, unsigned e)
{
    l->next_mode = (l->next_mode & ~A32_MODE_E) | (e ? A32_MODE_E : 0);
}

ORYX_INSN(SETEND, "1111000100000001000000e000000000", "setend\t%?(e){be}{le}", V6)
{
    set_endian(l, f->e);
}

ORYX_INSN(CPS, "111100010000iix00000000aaa0mmmmm",
          "[(i >= 2 && a && (x || m == 0)) || (i == 0 && x && a == 0)] @cps", V6)
{
    a32_do_cps(l, f);
}

/* --- Coprocessor 15 ---------------------------------------------------------------------------------------------- */

/* o: 0 TPIDRURW, 1 TPIDRURO. */
void a32_do_tls_read(a32_lift *l, const a32_fields *f)
{
    a32_set_reg(l, f->t, oryx_get(l->ir, I32, f->o ? A32_OFF(tpidruro) : A32_OFF(tpidrurw)));
}

ORYX_INSN(MRC_tls, "cccc111000011101tttt111101o10000", "[t != 15] mrc%c()\t15, 0, %r(t), cr13, cr0, {%u(o + 2)}", V6K)
{
    a32_do_tls_read(l, f);
}

void a32_do_tls_write(a32_lift *l, const a32_fields *f)
{
    a32_put(l, A32_OFF(tpidrurw), a32_reg(l, f->t));
}

ORYX_INSN(MCR_tls, "cccc111000001101tttt111101010000", "[t != 15] mcr%c()\t15, 0, %r(t), cr13, cr0, {2}", V6K)
{
    a32_do_tls_write(l, f);
}

/* o: 4 DSB, 5 DMB, 6 ISB. */
void a32_do_cp15_barrier(a32_lift *l, const a32_fields *f)
{
    a32_do_barrier(l, f);
}

ORYX_INSN(MCR_isb, "cccc111000000111tttt111110010101", "mcr%c()\t15, 0, %r(t), cr7, cr5, {4}", V6)
{
    a32_fields g = *f;
    g.o = 6;
    a32_do_cp15_barrier(l, &g);
}

ORYX_INSN(MCR_barrier, "cccc111000000111tttt111110o11010", "mcr%c()\t15, 0, %r(t), cr7, cr10, {%u(o + 4)}", V6)
{
    a32_fields g = *f;
    g.o = f->o + 4;
    a32_do_cp15_barrier(l, &g);
}

/* --- Checksums: UNPREDICTABLE with a condition ---------------------------------------------------------------------- */

/* z: log2 of the bytes, k: CRC32C. */
void a32_do_crc(a32_lift *l, const a32_fields *f)
{
    oryx_ir *ir = l->ir;
    oryx_val args[3] = { a32_reg(l, f->n), oryx_zext(ir, I64, I32, a32_reg(l, f->m)), a32_imm(l, 1u << f->z) };
    a32_set_reg(l, f->d, oryx_call(ir, l->helper_base + (f->k ? A32_HELPER_crc32c : A32_HELPER_crc32), I32, args, 3));
}

ORYX_INSN(CRC, "111000010zz0nnnndddd00k00100mmmm", "[z < 3] crc32%?(k){c}%pick(z, \"b h w\")\t%r(d), %r(n), %r(m)", CRC32)
{
    a32_do_crc(l, f);
}
