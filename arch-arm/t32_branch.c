/* T32, 32-bit branches and system instructions of every mode: DDI 0406C A6.3.4, A6.3.18.
 *
 * Called through the decode tables only. Before Thumb-2 the two halfwords of BL and BLX are the only 32-bit encoding; they
 * are lifted as one instruction, which differs from the Armv4T pair only when an exception falls between them. */
#include "a32_system.h"

/* s, j, k and the low bits: S:I1:I2:imm, I = NOT(J EOR S). */
static uint32_t target(const a32_lift *l, const a32_fields *f, uint32_t imm, unsigned bits)
{
    uint32_t v = f->s << (bits + 2) | (!(f->j ^ f->s) ? 1u << (bits + 1) : 0) | (!(f->k ^ f->s) ? 1u << bits : 0) | imm;
    return (a32_pc(l)) + ((uint32_t)a32_sx(v, bits + 3) << 1);
}

ORYX_INSN(T_B_cond_w, "11110scccciiiiii10j0kiiiiiiiiiii",
          "[c < 14] b%cond(c).w\t%label(a32_sx(s << 19 | k << 18 | j << 17 | i, 20) * 2)", T2)
{
    if (A32_MODE_IT(l->mode)) {
        l->refused = 1;
        return;
    }
    int32_t offset = a32_sx(f->s << 19 | f->k << 18 | f->j << 17 | f->i, 20) * 2;
    oryx_gotoc(l->ir, a32_cond(l, f->c), a32_pc(l) + (uint32_t)offset, l->pc + 4);
    l->end = 1;
}

ORYX_INSN(T_B_w, "11110siiiiiiiiii10j1kiiiiiiiiiii",
          "b%c().w\t%label(a32_sx(s << 23 | !(j ^ s) << 22 | !(k ^ s) << 21 | i, 24) * 2)", T2)
{
    a32_branch(l, target(l, f, f->i, 21));
}

ORYX_INSN(T_BL, "11110siiiiiiiiii11j1kiiiiiiiiiii",
          "bl%c()\t%label(a32_sx(s << 23 | !(j ^ s) << 22 | !(k ^ s) << 21 | i, 24) * 2)", BASE)
{
    a32_set_reg(l, 14, a32_imm(l, (l->pc + 4) | 1));
    a32_branch(l, target(l, f, f->i, 21));
}

ORYX_INSN(T_BLX_imm, "11110siiiiiiiiii11j0kiiiiiiiiii0",
          "blx%c()\t%label4(a32_sx(s << 23 | !(j ^ s) << 22 | !(k ^ s) << 21 | i << 1, 24) * 2)", V5)
{
    a32_set_reg(l, 14, a32_imm(l, (l->pc + 4) | 1));
    a32_branch_set(l, target(l, f, f->i << 1, 21) & ~3u, 0);
}

/* --- System ------------------------------------------------------------------------------------------------------ */

ORYX_INSN(T_MSR, "111100111000nnnn1000mmmm00000000", "[n != 15] msr%c()\tCPSR_%psr(m), %r(n)", T2)
{
    a32_do_msr(l, f);
}

ORYX_INSN(T_MRS, "11110011111011111000dddd00000000", "[d != 15] mrs%c()\t%r(d), CPSR", T2)
{
    a32_do_mrs(l, f);
}

ORYX_INSN(T_HINT_w, "111100111010111110000000iiiiiiii",
          "{i < 6} %pick(i, \"nop yield wfe wfi sev sevl\")%c().w ;; {i >= 240} dbg%c()\t#%u(i - 240) ;; nop%c().w\t{%u(i)}", T2)
{
    a32_do_hint(l, f);
}

ORYX_INSN(T_CPS_w, "111100111010111110000iixaaammmmm",
          "[(i >= 2 && a && (x || m == 0)) || (i == 0 && x && a == 0)] "
          "{i > 1} cps%pick(i & 1, \"ie id\")%?(!x){.w}\t%?(a & 4){a}%?(a & 2){i}%?(a & 1){f}%?(x){, #%u(m)} ;; cps\t#%u(m)", T2)
{
    a32_do_cps(l, f);
}

ORYX_INSN(T_BARRIER, "11110011101111111000111101ooiiii", "[o != 3] {o == 0 && (i == 0 || i == 4 || i == 12)} %pick(i / 4, \"ssbb pssbb ? dfb\")%c() ;; %pick(o, \"dsb dmb isb\")%c()\t%barrier(o, i)", V7)
{
    a32_fields g = *f;
    g.o = f->o + 4;
    a32_do_barrier(l, &g);
}

ORYX_INSN(T_CLREX, "11110011101111111000111100101111", "clrex%c()", T2)
{
    a32_do_clrex(l, f);
}

ORYX_INSN(T_BXJ, "111100111100mmmm1000111100000000", "[m != 15] bxj%c()\t%r(m)", T2)
{
    a32_bx(l, a32_reg(l, f->m), ORYX_HINT_JUMP);
}

ORYX_INSN(T_UDF_w, "111101111111iiii1010iiiiiiiiiiii", "udf%c().w\t#%u(i)", T2)
{
    a32_do_udf(l, f);
}

/* --- Coprocessor 15 -------------------------------------------------------------------------------------------------- */

ORYX_INSN(T_MRC_tls, "1110111000011101tttt111101o10000", "[t != 15] mrc%c()\t15, 0, %r(t), cr13, cr0, {%u(o + 2)}", T2)
{
    a32_do_tls_read(l, f);
}

ORYX_INSN(T_MCR_tls, "1110111000001101tttt111101010000", "[t != 15] mcr%c()\t15, 0, %r(t), cr13, cr0, {2}", T2)
{
    a32_do_tls_write(l, f);
}

ORYX_INSN(T_MCR_isb, "1110111000000111tttt111110010101", "mcr%c()\t15, 0, %r(t), cr7, cr5, {4}", T2)
{
    a32_fields g = *f;
    g.o = 6;
    a32_do_cp15_barrier(l, &g);
}

ORYX_INSN(T_MCR_barrier, "1110111000000111tttt111110o11010", "mcr%c()\t15, 0, %r(t), cr7, cr10, {%u(o + 4)}", T2)
{
    a32_fields g = *f;
    g.o = f->o + 4;
    a32_do_cp15_barrier(l, &g);
}
