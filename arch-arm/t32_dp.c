/* T32, 32-bit data processing: DDI 0406C A6.3.1 to A6.3.3, A6.3.11 to A6.3.17.
 *
 * Called through the decode tables only. Semantics are those of the A32 instructions (a32_do_, a32_data). */
#include "a32_text.h"

uint32_t t32_expand_imm(uint32_t i)
{
    uint32_t v = i & 255;
    switch (i >> 8 & 15) {
    case 0: return v;
    case 1: return v << 16 | v;
    case 2: return v << 24 | v << 8;
    case 3: return v * 0x01010101u;
    default: {
        unsigned by = i >> 7 & 31;
        v = (i & 127) | 128;
        return v >> by | v << (32 - by);
    }
    }
}

/* Operation of the opcode field; 16 up: none. With d == 15 and S the comparison, with n == 15 the move. */
static unsigned operation(const a32_fields *f, unsigned *d)
{
    static const uint8_t ops[16] = { A32_AND, A32_BIC, A32_ORR, A32_ORN, A32_EOR, 99, 99, 99,
                                     A32_ADD, 99, A32_ADC, A32_SBC, 99, A32_SUB, A32_RSB, 99 };
    unsigned op = ops[f->o];
    *d = f->d;
    if (f->d == 15 && f->s) {
        *d = 0;
        return op == A32_AND ? A32_TST : op == A32_EOR ? A32_TEQ : op == A32_ADD ? A32_CMN : op == A32_SUB ? A32_CMP : 99;
    }
    if (f->n == 15 && op == A32_ORR)
        return A32_MOV;
    if (f->n == 15 && op == A32_ORN)
        return A32_MVN;
    return op;
}

ORYX_INSN(T_DP_reg, "1110101oooosnnnn0iiiddddiihhmmmm",
          "[(o < 5 || o == 8 || o == 10 || o == 11 || o == 13 || o == 14) && "
          "(d != 15 || (s && (o == 0 || o == 4 || o == 8 || o == 13)))] @t_dp_reg", T2)
{
    unsigned d, op = operation(f, &d);
    a32_data_reg(l, op, f->s, d, f->n, f->m, f->h, f->i);
}

ORYX_INSN(T_PKH, "111010101100nnnn0iiiddddiit0mmmm",
          "{t} pkhtb%c()\t%r(d), %r(n), %r(m)%shift(2, i) ;; pkhbt%c()\t%r(d), %r(n), %r(m)%shift(0, i)", T2)
{
    a32_do_pkh(l, f);
}

ORYX_INSN(T_DP_imm, "11110i0oooosnnnn0iiiddddiiiiiiii",
          "[(o < 5 || o == 8 || o == 10 || o == 11 || o == 13 || o == 14) && "
          "(d != 15 || (s && (o == 0 || o == 4 || o == 8 || o == 13)))] @t_dp_imm", T2)
{
    unsigned d, op = operation(f, &d);
    uint32_t imm = t32_expand_imm(f->i);
    a32_data_imm(l, op, f->s, d, f->n, imm, f->i >> 10 ? (int)(imm >> 31) : -1);
}

/* --- Plain immediates -------------------------------------------------------------------------------------------- */

/* o: SUBW. n == 15: ADR. */
ORYX_INSN(T_ADDW, "11110i10o0o0nnnn0iiiddddiiiiiiii",
          "[(o == 0 || o == 3) && d != 15] %?(o){sub}{add}w%c()\t%r(d), %r(n), #%u(i)", T2)
{
    oryx_val n = f->n == 15 ? a32_imm(l, a32_pc(l) & ~3u) : a32_reg(l, f->n);
    a32_set_reg(l, f->d, a32_bini(l, f->o ? ORYX_OP_SUB : ORYX_OP_ADD, n, f->i));
}

ORYX_INSN(T_MOVW, "11110i100100iiii0iiiddddiiiiiiii", "[d != 15] movw%c()\t%r(d), #%u((i & 0x7ff) | (i >> 15 & 1) << 11 | (i >> 11 & 15) << 12)", T2)
{
    uint32_t i = f->i; /* i:imm4:imm3:imm8, wanted imm4:i:imm3:imm8 */
    a32_set_reg(l, f->d, a32_imm(l, (i & 0x7ff) | (i >> 15 & 1) << 11 | (i >> 11 & 15) << 12));
}

ORYX_INSN(T_MOVT, "11110i101100iiii0iiiddddiiiiiiii", "[d != 15] movt%c()\t%r(d), #%u((i & 0x7ff) | (i >> 15 & 1) << 11 | (i >> 11 & 15) << 12)", T2)
{
    a32_fields g = *f;
    g.i = (f->i & 0x7ff) | (f->i >> 15 & 1) << 11 | (f->i >> 11 & 15) << 12;
    a32_do_movt(l, &g);
}

ORYX_INSN(T_SAT, "11110011u000nnnn0iiiddddii0wwwww",
          "[d != 15 && n != 15] %?(u){u}{s}sat%c()\t%r(d), #%u(u ? w : w + 1), %r(n)%shift(0, i)", T2)
{
    a32_do_sat(l, f);
}

/* ASR #0 is SSAT16, USAT16. */
ORYX_INSN(T_SAT_asr, "11110011u010nnnn0iiiddddii0wwwww",
          "[i && d != 15 && n != 15] %?(u){u}{s}sat%c()\t%r(d), #%u(u ? w : w + 1), %r(n)%shift(2, i)", T2)
{
    a32_fields g = *f;
    g.h = 1;
    a32_do_sat(l, &g);
}

ORYX_INSN(T_SAT16, "11110011u010nnnn0000dddd0000wwww",
          "[d != 15 && n != 15] %?(u){u}{s}sat16%c()\t%r(d), #%u(u ? w : w + 1), %r(n)", T2)
{
    a32_do_sat16(l, f);
}

ORYX_INSN(T_BFX, "11110011u100nnnn0iiiddddii0wwwww",
          "[i + w < 32 && d != 15 && n != 15] %?(u){u}{s}bfx%c()\t%r(d), %r(n), #%u(i), #%u(w + 1)", T2)
{
    a32_do_bfx(l, f);
}

ORYX_INSN(T_BFI, "111100110110nnnn0iiiddddii0wwwww",
          "[w >= i && d != 15] {n == 15} bfc%c()\t%r(d), #%u(i), #%u(w - i + 1) ;; bfi%c()\t%r(d), %r(n), #%u(i), #%u(w - i + 1)", T2)
{
    a32_do_bfi(l, f);
}

/* --- Registers: shifts, extension, SIMD32, miscellaneous --------------------------------------------------------- */

ORYX_INSN(T_SHIFT_reg, "111110100hhsnnnn1111dddd0000mmmm",
          "[d != 15] %pick(h, \"lsl lsr asr ror\")%?(s){s}%c().w\t%r(d), %r(n), %r(m)", T2)
{
    oryx_val c = 0, by = a32_reg(l, f->m), n = a32_reg(l, f->n);
    oryx_val v = a32_shift_reg(l, n, f->h, by, f->s ? &c : NULL);
    a32_data(l, A32_MOV, f->s, f->d, 0, v, c);
}

/* o: sxth uxth sxtb16 uxtb16 sxtb uxtb. */
ORYX_INSN(T_EXTEND_w, "111110100ooonnnn1111dddd10rrmmmm",
          "[o < 6 && d != 15] {n == 15} %pick(o, \"sxth uxth sxtb16 uxtb16 sxtb uxtb\")%c()%?(o < 2 || o > 3){.w}\t%r(d), %r(m)%?(r){, ror #%u(r * 8)} ;; "
          "%pick(o, \"sxtah uxtah sxtab16 uxtab16 sxtab uxtab\")%c()\t%r(d), %r(n), %r(m)%?(r){, ror #%u(r * 8)}", T2)
{
    static const uint8_t ops[6] = { 3, 7, 0, 4, 2, 6 };
    a32_fields g = *f;
    g.o = ops[f->o];
    a32_do_extend(l, &g);
}

/* o: add8 add16 asx - sub8 sub16 sax; p: s q sh - u uq uh. */
ORYX_INSN(T_PARALLEL, "111110101ooonnnn1111dddd0pppmmmm",
          "[o != 3 && o != 7 && (p & 3) != 3 && d != 15] %pick(p, \"s q sh ? u uq uh ?\")"
          "%pick(o, \"add8 add16 asx ? sub8 sub16 sax ?\")%c()\t%r(d), %r(n), %r(m)", T2)
{
    static const uint8_t ops[8] = { 4, 0, 1, 0, 7, 3, 2, 0 };
    a32_fields g = *f;
    g.o = ops[f->o];
    g.p = f->p + 1;
    a32_do_parallel(l, &g);
}

/* o: QADD QDADD QSUB QDSUB. */
ORYX_INSN(T_QADD, "111110101000nnnn1111dddd10oommmm",
          "[d != 15] %pick(o, \"qadd qdadd qsub qdsub\")%c()\t%r(d), %r(m), %r(n)", T2)
{
    a32_fields g = *f;
    g.o = (f->o & 1) << 1 | f->o >> 1;
    a32_do_qadd(l, &g);
}

ORYX_INSN(T_REV_w, "111110101001nnnn1111dddd10oommmm",
          "[d != 15 && n == m] %pick(o, \"rev.w rev16.w rbit revsh.w\")%c()\t%r(d), %r(m)", T2)
{
    a32_do_rev(l, f);
}

ORYX_INSN(T_SEL, "111110101010nnnn1111dddd1000mmmm",
          "[d != 15] sel%c()\t%r(d), %r(n), %r(m)", T2)
{
    a32_do_sel(l, f);
}

ORYX_INSN(T_CLZ, "111110101011nnnn1111dddd1000mmmm",
          "[d != 15 && n == m] clz%c()\t%r(d), %r(m)", T2)
{
    a32_do_clz(l, f);
}

ORYX_INSN(T_CRC, "11111010110knnnn1111dddd10zzmmmm",
          "[z < 3 && d != 15] crc32%?(k){c}%pick(z, \"b h w\")\t%r(d), %r(n), %r(m)", CRC32)
{
    a32_do_crc(l, f);
}

/* --- Multiplies ------------------------------------------------------------------------------------------------------ */

ORYX_INSN(T_MUL, "111110110000nnnn1111dddd0000mmmm",
          "[d != 15] mul.w%c()\t%r(d), %r(n), %r(m)", T2)
{
    a32_do_multiply(l, f);
}

ORYX_INSN(T_MLA, "111110110000nnnnaaaadddd0000mmmm",
          "[d != 15 && a != 15] mla%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_do_mla(l, f);
}

ORYX_INSN(T_MLS, "111110110000nnnnaaaadddd0001mmmm",
          "[d != 15] mls%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_do_mls(l, f);
}

ORYX_INSN(T_SMLAxy, "111110110001nnnnaaaadddd00xymmmm",
          "[d != 15] {a == 15} smul%?(x){t}{b}%?(y){t}{b}%c()\t%r(d), %r(n), %r(m) ;; smla%?(x){t}{b}%?(y){t}{b}%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_fields g = *f;
    g.o = f->a != 15;
    a32_do_sm_half(l, &g);
}

ORYX_INSN(T_SMLAD, "111110110010nnnnaaaadddd000xmmmm",
          "[d != 15] {a == 15} smuad%?(x){x}%c()\t%r(d), %r(n), %r(m) ;; smlad%?(x){x}%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_do_smlad(l, f);
}

ORYX_INSN(T_SMLSD, "111110110100nnnnaaaadddd000xmmmm",
          "[d != 15] {a == 15} smusd%?(x){x}%c()\t%r(d), %r(n), %r(m) ;; smlsd%?(x){x}%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_fields g = *f;
    g.o = 1;
    a32_do_smlad(l, &g);
}

ORYX_INSN(T_SMLAWy, "111110110011nnnnaaaadddd000ymmmm",
          "[d != 15] {a == 15} smulw%?(y){t}{b}%c()\t%r(d), %r(n), %r(m) ;; smlaw%?(y){t}{b}%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_fields g = *f;
    g.o = f->a != 15;
    a32_do_smlaw(l, &g);
}

ORYX_INSN(T_SMMLA, "111110110101nnnnaaaadddd000rmmmm",
          "[d != 15] {a == 15} smmul%?(r){r}%c()\t%r(d), %r(n), %r(m) ;; smmla%?(r){r}%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_do_smmla(l, f);
}

ORYX_INSN(T_SMMLS, "111110110110nnnnaaaadddd000rmmmm",
          "[d != 15] smmls%?(r){r}%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_fields g = *f;
    g.o = 1;
    a32_do_smmla(l, &g);
}

ORYX_INSN(T_USADA8, "111110110111nnnnaaaadddd0000mmmm",
          "[d != 15] {a == 15} usad8%c()\t%r(d), %r(n), %r(m) ;; usada8%c()\t%r(d), %r(n), %r(m), %r(a)", T2)
{
    a32_do_usada8(l, f);
}

/* u here: unsigned. */
ORYX_INSN(T_MULL, "1111101110u0nnnnaaaadddd0000mmmm",
          "[d != 15 && a != 15] %?(u){u}{s}mull%c()\t%r(a), %r(d), %r(n), %r(m)", T2)
{
    a32_fields g = *f;
    g.u = !f->u;
    a32_do_multiply_long(l, &g);
}

ORYX_INSN(T_MLAL, "1111101111u0nnnnaaaadddd0000mmmm",
          "[d != 15 && a != 15] %?(u){u}{s}mlal%c()\t%r(a), %r(d), %r(n), %r(m)", T2)
{
    a32_fields g = *f;
    g.u = !f->u, g.o = 1;
    a32_do_multiply_long(l, &g);
}

ORYX_INSN(T_DIV, "1111101110u1nnnn1111dddd1111mmmm",
          "[d != 15] %?(u){u}{s}div%c()\t%r(d), %r(n), %r(m)", IDIV)
{
    a32_do_divide(l, f);
}

ORYX_INSN(T_SMLALxy, "111110111100nnnnaaaadddd10xymmmm",
          "[d != 15 && a != 15] smlal%?(x){t}{b}%?(y){t}{b}%c()\t%r(a), %r(d), %r(n), %r(m)", T2)
{
    a32_do_smlal_half(l, f);
}

ORYX_INSN(T_SMLALD, "11111011110onnnnaaaadddd110xmmmm",
          "[d != 15 && a != 15] sml%?(o){s}{a}ld%?(x){x}%c()\t%r(a), %r(d), %r(n), %r(m)", T2)
{
    a32_do_smlald(l, f);
}

ORYX_INSN(T_UMAAL, "111110111110nnnnaaaadddd0110mmmm",
          "[d != 15 && a != 15] umaal%c()\t%r(a), %r(d), %r(n), %r(m)", T2)
{
    a32_do_umaal(l, f);
}
