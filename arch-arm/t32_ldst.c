/* T32, 32-bit loads and stores: DDI 0406C A6.3.5 to A6.3.10.
 *
 * Called through the decode tables only; the functions are those of a32_ldst.c. The table branches are here too. */
#include "a32_text.h"

static oryx_val imm(a32_lift *l, uint32_t v)
{
    return v ? a32_imm(l, v) : 0;
}

/* --- Multiple ------------------------------------------------------------------------------------------------- */

/* o: 1 IA, 2 DB. SP in the list, PC in a store's and single registers are UNPREDICTABLE. */
ORYX_INSN(T_LDM_w, "1110100oo0wlnnnniiiiiiiiiiiiiiii",
          "[(o == 1 || o == 2) && n != 15 && (i & (i - 1)) && !(i & 0x2000) && (l ? (i >> 14) != 3 : !(i & 0x8000)) && (!w || !(i >> n & 1))] "
          "{n == 13 && w && l && o == 1} ldmia%c().w\tsp!, %list(i) ;; {n == 13 && w && !l && o == 2} stmdb%c()\tsp!, %list(i) ;; "
          "%?(l){ldm}{stm}%?(o == 1){ia%c().w}{db%c()}\t%r(n)%?(w){!}, %list(i)", T2)
{
    a32_ldst_multi(l, f->l, f->n, f->i, f->o == 2, f->o == 1, f->w);
}

/* --- Doubleword -------------------------------------------------------------------------------------------------- */

ORYX_INSN(T_LDRD, "1110100pu1wlnnnnttttssssiiiiiiii",
          "[(p || w) && t != 15 && s != 15 && (!l || t != s) && (n != 15 || (l && !w))] "
          "%?(l){ldr}{str}d%c()\t%r(t), %r(s), %mem(n, p, u, w, i * 4)", T2)
{
    a32_ldstd(l, f, f->l, f->s, imm(l, f->i * 4));
}

/* --- Exclusives, ordered accesses ---------------------------------------------------------------------------------- */

ORYX_INSN(T_STREX, "111010000100nnnnttttddddiiiiiiii",
          "[n != 15 && t != 15 && d != 15 && d != n && d != t] strex%c()\t%r(d), %r(t), [%r(n)%?(i){, #%u(i * 4)}]", T2)
{
    a32_fields g = *f;
    g.z = 2;
    g.i = f->i * 4;
    a32_do_strex(l, &g);
}

ORYX_INSN(T_LDREX, "111010000101nnnntttt1111iiiiiiii", "[n != 15 && t != 15] ldrex%c()\t%r(t), [%r(n)%?(i){, #%u(i * 4)}]", T2)
{
    a32_fields g = *f;
    g.z = 2;
    g.i = f->i * 4;
    a32_do_ldrex(l, &g);
}

ORYX_INSN(T_STREXBH, "111010001100nnnntttt1111010zdddd",
          "[n != 15 && t != 15 && d != 15 && d != n && d != t] strex%?(z){h}{b}%c()\t%r(d), %r(t), [%r(n)]", T2)
{
    a32_do_strex(l, f);
}

ORYX_INSN(T_STREXD, "111010001100nnnnttttssss0111dddd",
          "[n != 15 && t != 15 && s != 15 && d != 15 && d != n && d != t && d != s] strexd%c()\t%r(d), %r(t), %r(s), [%r(n)]", T2)
{
    a32_do_strexd(l, f);
}

ORYX_INSN(T_LDREXBH, "111010001101nnnntttt1111010z1111", "[n != 15 && t != 15] ldrex%?(z){h}{b}%c()\t%r(t), [%r(n)]", T2)
{
    a32_do_ldrex(l, f);
}

ORYX_INSN(T_LDREXD, "111010001101nnnnttttssss01111111",
          "[n != 15 && t != 15 && s != 15 && t != s] ldrexd%c()\t%r(t), %r(s), [%r(n)]", T2)
{
    a32_do_ldrexd(l, f);
}

ORYX_INSN(T_STL, "111010001100nnnntttt111110zz1111", "[z < 3 && n != 15 && t != 15] stl%pick(z, \"b h _\")%c()\t%r(t), [%r(n)]", V8)
{
    a32_do_stl(l, f);
}

ORYX_INSN(T_LDA, "111010001101nnnntttt111110zz1111", "[z < 3 && n != 15 && t != 15] lda%pick(z, \"b h _\")%c()\t%r(t), [%r(n)]", V8)
{
    a32_do_lda(l, f);
}

ORYX_INSN(T_STLEX, "111010001100nnnnttttssss11zzdddd",
          "[n != 15 && t != 15 && d != 15 && d != n && d != t && ((z == 3) != (s == 15)) && (z < 3 || d != s)] "
          "stlex%pick(z, \"b h _ d\")%c()\t%r(d), %r(t), %?(z == 3){%r(s), }[%r(n)]", V8)
{
    a32_fields g = *f;
    g.r = 1;
    if (f->z == 3)
        a32_do_strexd(l, &g);
    else
        a32_do_strex(l, &g);
}

ORYX_INSN(T_LDAEX, "111010001101nnnnttttssss11zz1111",
          "[n != 15 && t != 15 && ((z == 3) != (s == 15)) && (z < 3 || s != t)] ldaex%pick(z, \"b h _ d\")%c()\t%r(t), %?(z == 3){%r(s), }[%r(n)]", V8)
{
    a32_fields g = *f;
    g.a = 1;
    if (f->z == 3)
        a32_do_ldrexd(l, &g);
    else
        a32_do_ldrex(l, &g);
}

/* --- Table branch ------------------------------------------------------------------------------------------------------ */

ORYX_INSN(T_TBB, "111010001101nnnn11110000000hmmmm", "[n != 13 && m != 13 && m != 15] tb%?(h){h}{b}%c()\t[%r(n), %r(m)%?(h){, lsl #1}]", T2)
{
    oryx_val m = a32_reg(l, f->m), n = f->n == 15 ? a32_imm(l, a32_pc(l)) : a32_reg(l, f->n);
    if (f->h)
        m = a32_bini(l, ORYX_OP_SHL, m, 1);
    oryx_val v = a32_load(l, a32_bin(l, ORYX_OP_ADD, n, m), f->h, 0);
    a32_branch_reg(l, a32_bini(l, ORYX_OP_ADD, a32_bini(l, ORYX_OP_SHL, v, 1), a32_pc(l)), ORYX_HINT_JUMP);
}

/* --- One register --------------------------------------------------------------------------------------------------------- */

ORYX_INSN(T_STR_imm12, "111110001zz0nnnnttttiiiiiiiiiiii",
          "[z < 3 && n != 15 && t != 15] str%pick(z, \"b h _\")%c().w\t%r(t), %mem(n, 1, 1, 0, i)", T2)
{
    a32_fields g = *f;
    g.p = g.u = 1;
    a32_ldst(l, &g, 0, 0, imm(l, f->i));
}

ORYX_INSN(T_STR_imm8, "111110000zz0nnnntttt1puwiiiiiiii",
          "[z < 3 && n != 15 && t != 15 && (p || w) && (!w || n != t)] "
          "str%pick(z, \"b h _\")%?(p && u && !w){t}%c()%?(!(p && u && !w)){.w}\t%r(t), %mem(n, p, u, w, i)", T2)
{
    a32_unprivileged(l, f->p && f->u && !f->w);
    a32_ldst(l, f, 0, 0, imm(l, f->i));
}

ORYX_INSN(T_STR_reg, "111110000zz0nnnntttt000000iimmmm",
          "[z < 3 && n != 15 && t != 15 && m != 15] str%pick(z, \"b h _\")%c().w\t%r(t), %memr(n, 1, 1, 0, m, 0, i)", T2)
{
    a32_fields g = *f;
    g.p = g.u = 1;
    a32_ldst(l, &g, 0, 0, a32_shift_imm(l, a32_reg(l, f->m), 0, f->i, NULL));
}

/* s: sign-extended. PC as the target of a byte or halfword is a preload hint: other rows. */
ORYX_INSN(T_LDR_imm12, "1111100s1zz1nnnnttttiiiiiiiiiiii",
          "[z + s < 3 && n != 15 && (t != 15 || z == 2)] ldr%?(s){s}%pick(z, \"b h _\")%c().w\t%r(t), %mem(n, 1, 1, 0, i)", T2)
{
    a32_fields g = *f;
    g.p = g.u = 1;
    a32_ldst(l, &g, 1, f->s, imm(l, f->i));
}

ORYX_INSN(T_LDR_lit_w, "1111100suzz11111ttttiiiiiiiiiiii",
          "[z + s < 3 && (t != 15 || z == 2)] ldr%?(s){s}%pick(z, \"b h _\")%c().w\t%r(t), %mem(15, 1, u, 0, i)", T2)
{
    a32_fields g = *f;
    g.p = 1;
    g.n = 15;
    a32_ldst(l, &g, 1, f->s, imm(l, f->i));
}

ORYX_INSN(T_LDR_imm8, "1111100s0zz1nnnntttt1puwiiiiiiii",
          "[z + s < 3 && n != 15 && (p || w) && (t != 15 || z == 2) && (!w || n != t)] "
          "ldr%?(s){s}%pick(z, \"b h _\")%?(p && u && !w){t}%c()%?(!(p && u && !w)){.w}\t%r(t), %mem(n, p, u, w, i)", T2)
{
    a32_unprivileged(l, f->p && f->u && !f->w);
    a32_ldst(l, f, 1, f->s, imm(l, f->i));
}

ORYX_INSN(T_LDR_reg, "1111100s0zz1nnnntttt000000iimmmm",
          "[z + s < 3 && n != 15 && (t != 15 || z == 2) && m != 15] ldr%?(s){s}%pick(z, \"b h _\")%c().w\t%r(t), %memr(n, 1, 1, 0, m, 0, i)", T2)
{
    a32_fields g = *f;
    g.p = g.u = 1;
    a32_ldst(l, &g, 1, f->s, a32_shift_imm(l, a32_reg(l, f->m), 0, f->i, NULL));
}

/* --- Preloads: hints without an access. s: PLI, w: PLDW ------------------------------------------------------------------------ */

ORYX_INSN(T_PLD_imm12, "1111100s10w1nnnn1111iiiiiiiiiiii", "[n != 15 && (!s || !w)] {s} pli\t%mem(n, 1, 1, 0, i) ;; pld%?(w){w}\t%mem(n, 1, 1, 0, i)", T2)
{
    (void)l, (void)f;
}

ORYX_INSN(T_PLD_imm8, "1111100s00w1nnnn11111100iiiiiiii", "[n != 15 && (!s || !w)] {s} pli\t%mem(n, 1, 0, 0, i) ;; pld%?(w){w}\t%mem(n, 1, 0, 0, i)", T2)
{
    (void)l, (void)f;
}

ORYX_INSN(T_PLD_reg, "1111100s00w1nnnn1111000000iimmmm", "[n != 15 && (!s || !w)] {s} pli\t%memr(n, 1, 1, 0, m, 0, i) ;; pld%?(w){w}\t%memr(n, 1, 1, 0, m, 0, i)", T2)
{
    (void)l, (void)f;
}

ORYX_INSN(T_PLD_lit, "1111100su0w111111111iiiiiiiiiiii", "[!s || !w] {s} pli\t%mem(15, 1, u, 0, i) ;; pld%?(w){w}\t%mem(15, 1, u, 0, i)", T2)
{
    (void)l, (void)f;
}
