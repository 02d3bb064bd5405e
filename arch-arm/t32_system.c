/* T32 instructions of privileged modes: DDI 0406C A6.3.4, A6.3.6, B9.3.
 *
 * Called through the decode tables only; the functions are those of a32_system.c. */
#include "a32_system.h"

ORYX_INSN(T_MRS_spsr, "11110011111111111000dddd00000000", "[d != 15] mrs%c()\t%r(d), SPSR", T2)
{
    a32_do_mrs_spsr(l, f);
}

ORYX_INSN(T_MSR_spsr, "111100111001nnnn1000mmmm00000000", "[n != 15] msr%c()\tSPSR_%psr(m), %r(n)", T2)
{
    a32_do_msr_spsr(l, f);
}

/* s: M. */
ORYX_INSN(T_MRS_banked, "11110011111rmmmm1000dddd001s0000", "[d != 15 && a32_banked_ok(r, s << 4 | m)] mrs%c()\t%r(d), %banked(r, s << 4 | m)", VIRT)
{
    a32_fields g = *f;
    g.m = f->s << 4 | f->m;
    a32_do_mrs_banked(l, &g);
}

ORYX_INSN(T_MSR_banked, "11110011100rnnnn1000mmmm001s0000", "[n != 15 && a32_banked_ok(r, s << 4 | m)] msr%c()\t%banked(r, s << 4 | m), %r(n)", VIRT)
{
    a32_fields g = *f;
    g.m = f->s << 4 | f->m;
    a32_do_msr_banked(l, &g);
}

/* o: 0 DB, 3 IA. */
ORYX_INSN(T_RFE, "1110100oo0w1nnnn1100000000000000", "[(o == 0 || o == 3) && n != 15] rfe%?(o){ia}{db}%c()\t%r(n)%?(w){!}", T2)
{
    a32_fields g = *f;
    g.p = !f->o, g.u = f->o != 0;
    a32_do_rfe(l, &g);
}

ORYX_INSN(T_SRS, "1110100oo0w0110111000000000mmmmm", "[o == 0 || o == 3] srs%?(o){ia}{db}%c()\tsp%?(w){!}, #%u(m)", T2)
{
    a32_fields g = *f;
    g.p = !f->o, g.u = f->o != 0;
    a32_do_srs(l, &g);
}

/* With #0 it is ERET. */
ORYX_INSN(T_SUBS_pc, "111100111101111010001111iiiiiiii", "subs%c()\tpc, lr, #%u(i)", T2)
{
    a32_do_eret(l, f);
}

ORYX_INSN(T_SMC, "111101111111iiii1000000000000000", "smc%c()\t#%u(i)", SEC)
{
    a32_do_smc(l, f);
}

ORYX_INSN(T_HVC, "111101111110iiii1000iiiiiiiiiiii", "hvc\t#%u(i)", VIRT)
{
    (void)f;
    a32_undefined(l);
}

ORYX_INSN(T_MRC, "11101110ooo1nnnntttt111pqqq1mmmm",
          "{t == 15} mrc%c()\t%u(14 + p), %u(o), APSR_nzcv, cr%u(n), cr%u(m), {%u(q)} ;; mrc%c()\t%u(14 + p), %u(o), %r(t), cr%u(n), cr%u(m), {%u(q)}",
          T2)
{
    a32_do_mrc(l, f);
}

ORYX_INSN(T_MCR, "11101110ooo0nnnntttt111pqqq1mmmm", "mcr%c()\t%u(14 + p), %u(o), %r(t), cr%u(n), cr%u(m), {%u(q)}", T2)
{
    a32_do_mcr(l, f);
}

ORYX_INSN(T_MRRC, "111011000101uuuutttt111poooommmm", "mrrc%c()\t%u(14 + p), %u(o), %r(t), %r(u), cr%u(m)", T2)
{
    a32_do_mrrc(l, f);
}

ORYX_INSN(T_MCRR, "111011000100uuuutttt111poooommmm", "mcrr%c()\t%u(14 + p), %u(o), %r(t), %r(u), cr%u(m)", T2)
{
    a32_do_mcrr(l, f);
}
