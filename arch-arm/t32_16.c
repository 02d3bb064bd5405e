/* T32, 16-bit encodings: DDI 0406C A6.2.
 *
 * Called through the decode tables only. Data processing sets the flags outside IT blocks only; comparisons always. */
#include "a32_system.h"

static unsigned sets_flags(const a32_lift *l)
{
    return !A32_MODE_IT(l->mode);
}

/* --- Shift, add, subtract, move, compare ---------------------------------------------------------------------- */

ORYX_INSN(T_SHIFT_imm, "000hhiiiiimmmddd",
          "[h < 3] {!h && !i} mov%s16()\t%r(d), %r(m) ;; %pick(h, \"lsl lsr asr\")%s16()\t%r(d), %r(m), #%u(i ? i : 32)", BASE)
{
    a32_data_reg(l, A32_MOV, sets_flags(l), f->d, 0, f->m, f->h, f->i);
}

ORYX_INSN(T_ADD_3, "000110ommmnnnddd", "%?(o){sub}{add}%s16()\t%r(d), %r(n), %r(m)", BASE)
{
    a32_data_reg(l, f->o ? A32_SUB : A32_ADD, sets_flags(l), f->d, f->n, f->m, 0, 0);
}

ORYX_INSN(T_ADD_imm3, "000111oiiinnnddd", "%?(o){sub}{add}%s16()\t%r(d), %r(n), #%u(i)", BASE)
{
    a32_data_imm(l, f->o ? A32_SUB : A32_ADD, sets_flags(l), f->d, f->n, f->i, -1);
}

ORYX_INSN(T_MOV_imm8, "00100dddiiiiiiii", "mov%s16()\t%r(d), #%u(i)", BASE)
{
    a32_data_imm(l, A32_MOV, sets_flags(l), f->d, 0, f->i, -1);
}

ORYX_INSN(T_CMP_imm8, "00101nnniiiiiiii", "cmp%c()\t%r(n), #%u(i)", BASE)
{
    a32_data_imm(l, A32_CMP, 1, 0, f->n, f->i, -1);
}

ORYX_INSN(T_ADD_imm8, "0011odddiiiiiiii", "%?(o){sub}{add}%s16()\t%r(d), #%u(i)", BASE)
{
    a32_data_imm(l, f->o ? A32_SUB : A32_ADD, sets_flags(l), f->d, f->d, f->i, -1);
}

/* --- Data processing -------------------------------------------------------------------------------------------- */

ORYX_INSN(T_DP, "010000oooommmddd",
          "{o == 8 || o == 10 || o == 11} %pick(o, \"? ? ? ? ? ? ? ? tst ? cmp cmn\")%c()\t%r(d), %r(m) ;; "
          "{o == 9} neg%s16()\t%r(d), %r(m) ;; "
          "%pick(o, \"and eor lsl lsr asr adc sbc ror ? ? ? ? orr mul bic mvn\")%s16()\t%r(d), %r(m)", BASE)
{
    /* 16: a shift of d by m. */
    static const uint8_t ops[16] = { A32_AND, A32_EOR, 16, 16, 16, A32_ADC, A32_SBC, 16,
                                     A32_TST, A32_RSB, A32_CMP, A32_CMN, A32_ORR, 16, A32_BIC, A32_MVN };
    unsigned s = sets_flags(l), op = ops[f->o];
    if (f->o == 13) {
        a32_fields g = { .d = f->d, .n = f->m, .m = f->d, .s = s };
        a32_do_multiply(l, &g);
    } else if (op == 16) {
        oryx_val c = 0, d = a32_reg(l, f->d), m = a32_reg(l, f->m);
        oryx_val v = a32_shift_reg(l, d, f->o == 7 ? 3 : f->o - 2, m, s ? &c : NULL);
        a32_data(l, A32_MOV, s, f->d, 0, v, c);
    } else if (f->o == 9) {
        a32_data_imm(l, A32_RSB, s, f->d, f->m, 0, -1);
    } else {
        a32_data_reg(l, op, s || (op >= A32_TST && op <= A32_CMN), f->d, f->d, f->m, 0, 0);
    }
}

/* --- Special data and branch exchange ------------------------------------------------------------------------------ */

ORYX_INSN(T_ADD_high, "01000100dmmmmddd", "add%c()\t%r(d), %r(m)", BASE)
{
    a32_data_reg(l, A32_ADD, 0, f->d, f->d, f->m, 0, 0);
}

ORYX_INSN(T_CMP_high, "01000101nmmmmnnn", "cmp%c()\t%r(n), %r(m)", BASE)
{
    a32_data_reg(l, A32_CMP, 1, 0, f->n, f->m, 0, 0);
}

ORYX_INSN(T_MOV_high, "01000110dmmmmddd", "{d == 8 && m == 8} nop%c() ;; mov%c()\t%r(d), %r(m)", BASE)
{
    a32_data_reg(l, A32_MOV, 0, f->d, 0, f->m, 0, 0);
}

ORYX_INSN(T_BX, "010001110mmmm000", "bx%c()\t%r(m)", BASE)
{
    a32_bx(l, a32_reg(l, f->m), f->m == 14 ? ORYX_HINT_RETURN : ORYX_HINT_JUMP);
}

ORYX_INSN(T_BLX, "010001111mmmm000", "[m != 15] blx%c()\t%r(m)", V5)
{
    oryx_val to = a32_reg(l, f->m);
    a32_set_reg(l, 14, a32_imm(l, (l->pc + 2) | 1));
    a32_bx(l, to, ORYX_HINT_CALL);
}

/* --- Loads and stores -------------------------------------------------------------------------------------------------- */

static void access(a32_lift *l, unsigned load, unsigned sign, unsigned z, unsigned t, unsigned n, oryx_val offset)
{
    a32_fields g = { .p = 1, .u = 1, .z = z, .t = t, .n = n };
    a32_ldst(l, &g, load, sign, offset);
}

static oryx_val imm(a32_lift *l, uint32_t v)
{
    return v ? a32_imm(l, v) : 0;
}

ORYX_INSN(T_LDR_lit, "01001tttiiiiiiii", "ldr%c()\t%r(t), [pc, #%u(i * 4)]", BASE)
{
    access(l, 1, 0, 2, f->t, 15, imm(l, f->i * 4));
}

ORYX_INSN(T_LDST_reg, "0101ooommmnnnttt",
          "%pick(o, \"str strh strb ldrsb ldr ldrh ldrb ldrsh\")%c()\t%r(t), [%r(n), %r(m)]", BASE)
{
    static const uint8_t z[8] = { 2, 1, 0, 0, 2, 1, 0, 1 };
    access(l, f->o >= 3, f->o == 3 || f->o == 7, z[f->o], f->t, f->n, a32_reg(l, f->m));
}

ORYX_INSN(T_LDST_imm, "011bliiiiinnnttt", "%?(l){ldr}{str}%?(b){b}%c()\t%r(t), [%r(n)%?(i){, #%u(b ? i : i * 4)}%?(!i){, #0}]", BASE)
{
    access(l, f->l, 0, f->b ? 0 : 2, f->t, f->n, imm(l, f->b ? f->i : f->i * 4));
}

ORYX_INSN(T_LDSTH_imm, "1000liiiiinnnttt", "%?(l){ldr}{str}h%c()\t%r(t), [%r(n), #%u(i * 2)]", BASE)
{
    access(l, f->l, 0, 1, f->t, f->n, imm(l, f->i * 2));
}

ORYX_INSN(T_LDST_sp, "1001ltttiiiiiiii", "%?(l){ldr}{str}%c()\t%r(t), [sp, #%u(i * 4)]", BASE)
{
    access(l, f->l, 0, 2, f->t, 13, imm(l, f->i * 4));
}

ORYX_INSN(T_PUSH, "1011010riiiiiiii", "[i || r] push%c()\t%list(i | r << 14)", BASE)
{
    a32_ldst_multi(l, 0, 13, f->i | f->r << 14, 1, 0, 1);
}

ORYX_INSN(T_POP, "1011110riiiiiiii", "[i || r] pop%c()\t%list(i | r << 15)", BASE)
{
    a32_ldst_multi(l, 1, 13, f->i | f->r << 15, 0, 1, 1);
}

/* A load writes the base back unless it is in the list. */
ORYX_INSN(T_LDM, "1100lnnniiiiiiii", "[i] %?(l){ldmia}{stmia}%c()\t%r(n)%?(!l || !(i >> n & 1)){!}, %list(i)", BASE)
{
    a32_ldst_multi(l, f->l, f->n, f->i, 0, 1, !f->l || !(f->i >> f->n & 1));
}

/* --- Addresses and the stack pointer ------------------------------------------------------------------------------------ */

ORYX_INSN(T_ADD_pc_sp, "1010sdddiiiiiiii", "add%c()\t%r(d), %?(s){sp}{pc}, #%u(i * 4)", BASE)
{
    oryx_val base = f->s ? a32_reg(l, 13) : a32_imm(l, a32_pc(l) & ~3u);
    a32_set_reg(l, f->d, a32_bini(l, ORYX_OP_ADD, base, f->i * 4));
}

ORYX_INSN(T_ADD_sp, "10110000siiiiiii", "%?(s){sub}{add}%c()\tsp, #%u(i * 4)", BASE)
{
    a32_set_reg(l, 13, a32_bini(l, f->s ? ORYX_OP_SUB : ORYX_OP_ADD, a32_reg(l, 13), f->i * 4));
}

/* --- Miscellaneous ---------------------------------------------------------------------------------------------------------- */

/* o: sxth sxtb uxth uxtb. */
ORYX_INSN(T_EXTEND, "10110010oommmddd", "%pick(o, \"sxth sxtb uxth uxtb\")%c()\t%r(d), %r(m)", V6)
{
    a32_fields g = { .d = f->d, .m = f->m, .n = 15, .o = (f->o & 2) * 2 | (f->o & 1 ? 2 : 3) };
    a32_do_extend(l, &g);
}

ORYX_INSN(T_REV, "10111010oommmddd", "[o != 2] %pick(o, \"rev rev16 ? revsh\")%c()\t%r(d), %r(m)", V6)
{
    a32_do_rev(l, f);
}

ORYX_INSN(T_HLT, "1011101010iiiiii", "hlt\t0x%hex4(i)", V8)
{
    a32_do_semihost(l, f);
}

ORYX_INSN(T_BKPT, "10111110iiiiiiii", "bkpt\t0x%hex4(i)", V5)
{
    a32_do_bkpt(l, f);
}

ORYX_INSN(T_SETEND, "101101100101e000", "setend\t%?(e){be}{le}", V6)
{
    l->refused = A32_MODE_IT(l->mode) != 0;
    l->next_mode = (l->next_mode & ~A32_MODE_E) | (f->e ? A32_MODE_E : 0);
}

ORYX_INSN(T_CPS, "10110110011i0aaa", "cpsi%?(i){d}{e}%c()\t%?(a & 4){a}%?(a & 2){i}%?(a & 1){f}", V6)
{
    a32_fields g = { .i = 2 | f->i, .a = f->a };
    l->refused = A32_MODE_IT(l->mode) != 0 && a32_privileged(l);
    a32_do_cps(l, &g);
}

ORYX_INSN(T_HINT, "10111111iiii0000", "{i < 6} %pick(i, \"nop yield wfe wfi sev sevl\")%c() ;; nop%c()\t{%u(i)}", T2)
{
    a32_do_hint(l, f);
}

ORYX_INSN(T_IT, "10111111ccccmmmm",
          "[m && c != 15 && (c != 14 || m == 8 || m == 4 || m == 2 || m == 1)] it%it(c, m)\t%pick(c, \"eq ne cs cc mi pl vs vc hi ls ge lt gt le al\")", T2)
{
    if (A32_MODE_IT(l->mode)) {
        l->refused = 1;
        return;
    }
    l->next_mode = (l->next_mode & ~A32_MODE_IT_MASK) | (f->c << 4 | f->m) << A32_MODE_IT_SHIFT;
}

/* --- Branches ------------------------------------------------------------------------------------------------------------------ */

ORYX_INSN(T_CBZ, "1011o0i1iiiiinnn", "cb%?(o){n}z\t%r(n), %label(i * 2)", T2)
{
    oryx_val zero = oryx_cmp(l->ir, f->o ? ORYX_CC_NE : ORYX_CC_EQ, I32, a32_reg(l, f->n), a32_imm(l, 0));
    oryx_gotoc(l->ir, zero, a32_pc(l) + f->i * 2, l->pc + 2);
    l->end = 1;
}

ORYX_INSN(T_B_cond, "1101cccciiiiiiii", "[c < 14] b%cond(c).n\t%label(a32_sx(i, 8) * 2)", BASE)
{
    if (A32_MODE_IT(l->mode)) {
        l->refused = 1;
        return;
    }
    oryx_gotoc(l->ir, a32_cond(l, f->c), a32_pc(l) + (uint32_t)(a32_sx(f->i, 8) * 2), l->pc + 2);
    l->end = 1;
}

ORYX_INSN(T_UDF, "11011110iiiiiiii", "udf%c()\t#%u(i)", BASE)
{
    a32_do_udf(l, f);
}

ORYX_INSN(T_SVC, "11011111iiiiiiii", "svc%c()\t%u(i)", BASE)
{
    a32_do_svc(l, f);
}

ORYX_INSN(T_B, "11100iiiiiiiiiii", "b%c().n\t%label(a32_sx(i, 11) * 2)", BASE)
{
    a32_branch(l, a32_pc(l) + (uint32_t)(a32_sx(f->i, 11) * 2));
}
