/* T32 of the M profile: what t32_*.c has not or has otherwise. DDI 0403E.e, A7.7 and B5.2; DDI 0553B, C2.
 *
 * Called through the decode tables; armm_decode looks here first. Without a system control space WFI and WFE are NOPs. SG is a
 * NOP and BXNS, BLXNS are UNDEFINED, as on a CPU without the security extension. */
#include "armm.h"

/* --- Special registers ------------------------------------------------------------------------------------------- */

/* objdump's names. */
void a32_t_sysm(a32_text *t, unsigned n)
{
    static const char *const names[32] = { "CPSR", "IAPSR", "EAPSR", "PSR", NULL, "IPSR", "EPSR", "IEPSR", "MSP", "PSP", "MSPLIM", "PSPLIM",
                                           [16] = "PRIMASK", [17] = "BASEPRI", [18] = "BASEPRI_MAX", [19] = "FAULTMASK", [20] = "CONTROL" };
    if (n < 32 && names[n]) {
        a32_t_str(t, names[n]);
    } else {
        a32_t_str(t, "<UNDEF: ");
        a32_t_u(t, n);
        a32_t_str(t, ">");
    }
}

ORYX_INSN(M_MRS, "11110011111011111000ddddssssssss", "[d != 15 && d != 13] mrs%c()\t%r(d), %sysm(s)", BASE)
{
    oryx_val args[1] = { a32_imm(l, f->s) };
    a32_set_reg(l, f->d, oryx_call(l->ir, l->helper_base + ARMM_HELPER_mrs, I32, args, 1));
}

/* After a change of privilege, stack pointer or masks the code that follows is another one; interrupts may come in. */
static void change(a32_lift *l, unsigned sysm, oryx_val v)
{
    oryx_val args[2] = { a32_imm(l, sysm), v };
    oryx_call(l->ir, l->helper_base + ARMM_HELPER_msr, ORYX_T_VOID, args, 2);
    if (l->next_mode != l->mode)
        oryx_put(l->ir, I32, A32_OFF(exec), a32_imm(l, l->next_mode & A32_MODE_EXEC));
    oryx_resync(l->ir, l->pc + l->len);
    l->end = 1;
}

/* m: bit 1 the flags, bit 0 GE. */
ORYX_INSN(M_MSR, "111100111000nnnn1000mm00ssssssss",
          "[n != 15 && n != 13] {s == 0} msr%c()\tCPSR_%psr(m << 2), %r(n) ;; msr%c()\t%sysm(s), %r(n)", BASE)
{
    if (f->s < 4) { /* APSR alone is writable in these */
        a32_fields g = { .n = f->n, .m = f->m << 2 };
        a32_do_msr(l, &g);
    } else if (f->s >= 8) {
        change(l, f->s, a32_reg(l, f->n));
    }
}

/* i: disable; a: PRIMASK, FAULTMASK. */
ORYX_INSN(M_CPS, "10110110011i00aa", "[a] cpsi%?(i){d}{e}\t%?(a & 2){i}%?(a & 1){f}", BASE)
{
    change(l, 0x100 | f->a, a32_imm(l, f->i));
}

/* --- Hints and barriers --------------------------------------------------------------------------------------------- */

static void wait(a32_lift *l)
{
    a32_leave(l, l->next_mode);
    oryx_raise(l->ir, ORYX_EXC_WAIT, oryx_const(l->ir, I64, 0), l->pc + l->len);
    l->end = 1;
}

/* 2 WFE, 3 WFI, 4 SEV. */
static void hint(a32_lift *l, unsigned n)
{
    oryx_ir *ir = l->ir;
    if (n == 4) {
        a32_put(l, ARMM_OFF(event), a32_imm(l, 1));
    } else if (n == 3 && l->mode & ARMM_MODE_SYSTEM) {
        wait(l);
    } else if (n == 2 && l->mode & ARMM_MODE_SYSTEM) {
        /* The event register set: clear it and go on. */
        uint32_t over = a32_label_new(l), mode = l->next_mode;
        oryx_val event = oryx_get(ir, I32, ARMM_OFF(event));
        oryx_put(ir, I32, ARMM_OFF(event), a32_imm(l, 0));
        oryx_brc(ir, oryx_cmp(ir, ORYX_CC_NE, I32, event, a32_imm(l, 0)), over);
        wait(l);
        oryx_label(ir, over);
        l->end = 0;
        l->next_mode = mode;
        a32_branch(l, l->pc + l->len);
    }
}

ORYX_INSN(M_HINT, "10111111iiii0000", "{i < 5} %pick(i, \"nop yield wfe wfi sev\")%c() ;; nop%c()\t{%u(i)}", BASE)
{
    hint(l, f->i);
}

ORYX_INSN(M_HINT_w, "111100111010111110000000iiiiiiii",
          "{i < 5} %pick(i, \"nop yield wfe wfi sev\")%c().w ;; {i >= 240} dbg%c()\t#%u(i - 240) ;; nop%c().w\t{%u(i)}", T2)
{
    hint(l, f->i);
}

/* What a store to the system control space configured counts from here on: DDI 0403, A3.7.3. */
ORYX_INSN(M_BARRIER, "11110011101111111000111101ooiiii", "[o != 3] %pick(o, \"dsb dmb isb\")%c()\t%barrier(o, i)", BASE)
{
    a32_fields g = *f;
    g.o = f->o + 4;
    a32_do_barrier(l, &g);
    if (f->o == 1)
        return;
    if (l->next_mode != l->mode)
        oryx_put(l->ir, I32, A32_OFF(exec), a32_imm(l, l->next_mode & A32_MODE_EXEC));
    oryx_resync(l->ir, l->pc + l->len);
    l->end = 1;
}

/* --- Exceptions ------------------------------------------------------------------------------------------------------- */

ORYX_INSN(M_BKPT, "10111110iiiiiiii", "bkpt\t0x%hex4(i)", BASE)
{
    if (f->i == 0xab)
        a32_raise(l, ORYX_EXC_SEMIHOST, f->i, l->pc);
    else
        a32_do_bkpt(l, f);
}

/* --- Division ----------------------------------------------------------------------------------------------------------- */

ORYX_INSN(M_DIV, "1111101110u1nnnn1111dddd1111mmmm", "[d != 15] %?(u){u}{s}div%c()\t%r(d), %r(n), %r(m)", IDIV)
{
    if (l->mode & ARMM_MODE_DIV0) {
        uint32_t over = a32_label_new(l);
        oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_NE, I32, a32_reg(l, f->m), a32_imm(l, 0)), over);
        oryx_raise(l->ir, ORYX_EXC_TRAP, oryx_const(l->ir, I64, ARMM_TRAP(ARMM_TRAP_DIV0)), l->pc);
        oryx_label(l->ir, over);
    }
    a32_do_divide(l, f);
}

/* --- Armv8-M ------------------------------------------------------------------------------------------------------------- */

ORYX_INSN(M_SG, "11101001011111111110100101111111", "sg%c()", V8)
{
    (void)l, (void)f;
}

/* a: TTA, secure state's. t: as an unprivileged access. */
ORYX_INSN(M_TT, "111010000100nnnn1111ddddat000000", "[n != 15 && d != 15 && d != 13] tt%?(a){a}%?(t){t}%c()\t%r(d), %r(n)", V8)
{
    if (f->a) {
        l->refused = 1;
        return;
    }
    oryx_val args[2] = { a32_reg(l, f->n), a32_imm(l, f->t) };
    a32_set_reg(l, f->d, oryx_call(l->ir, l->helper_base + ARMM_HELPER_tt, I32, args, 2));
}

ORYX_INSN(M_BXNS, "01000111kmmmm100", "[m != 15] b%?(k){l}xns%c()\t%r(m)", V8)
{
    (void)f;
    l->refused = 1;
}

/* --- FPSCR: no short vectors in the M profile ------------------------------------------------------------------------------ */

ORYX_INSN(M_VMSR, "1110111011100001tttt101000010000", "[t != 15 && t != 13] vmsr%c()\tfpscr, %r(t)", VFP)
{
    change(l, 0x200, a32_reg(l, f->t));
}
