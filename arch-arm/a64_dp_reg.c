/* Data processing, register: DDI 0487, C4.1.89 (semantics C6.2).
 *
 * Rows and bodies of the two-, one- and three-source groups, shifted and extended forms, carry forms,
 * conditional compare and select. Called through the decode tables only. Flags are stored as one fl
 * value (SUBC, SBCC: Arm's carry is the inverse of the borrow). */
#include "a64_text.h"

static unsigned gpr(unsigned s)
{
    return s ? ORYX_T_I64 : ORYX_T_I32;
}

/* --- Two source -------------------------------------------------------------------------------------- */

static void two_source(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned type = gpr(f->s);
    a64_set_reg(l, type, f->d, oryx_bin(l->ir, op, type, a64_reg(l, type, f->n), a64_reg(l, type, f->m)));
}

ORYX_INSN(UDIV, "s0011010110mmmmm000010nnnnnddddd", "udiv\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    two_source(l, f, ORYX_OP_DIVU);
}

ORYX_INSN(SDIV, "s0011010110mmmmm000011nnnnnddddd", "sdiv\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    two_source(l, f, ORYX_OP_DIVS);
}

ORYX_INSN(LSLV, "s0011010110mmmmm001000nnnnnddddd", "lsl\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    two_source(l, f, ORYX_OP_SHL);
}

ORYX_INSN(LSRV, "s0011010110mmmmm001001nnnnnddddd", "lsr\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    two_source(l, f, ORYX_OP_SHR);
}

ORYX_INSN(ASRV, "s0011010110mmmmm001010nnnnnddddd", "asr\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    two_source(l, f, ORYX_OP_SAR);
}

ORYX_INSN(RORV, "s0011010110mmmmm001011nnnnnddddd", "ror\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    two_source(l, f, ORYX_OP_ROR);
}

/* CRC32, CRC32C of 1 << z bytes. */
static void crc32(a64_lift *l, const a64_fields *f, unsigned helper)
{
    oryx_val args[3] = { a64_reg(l, ORYX_T_I32, f->n), a64_reg(l, ORYX_T_I64, f->m), a64_imm(l, ORYX_T_I32, 1u << f->z) };
    a64_set_reg(l, ORYX_T_I32, f->d, a64_call(l, helper, ORYX_T_I32, args, 3));
}

ORYX_INSN(CRC32, "s0011010110mmmmm0100zznnnnnddddd",
          "[s == (z == 3)] crc32%pick(z, \"b h w x\")\t%w(d), %w(n), %r(s,m)", CRC32)
{
    crc32(l, f, A64_HELPER_crc32);
}

ORYX_INSN(CRC32C, "s0011010110mmmmm0101zznnnnnddddd",
          "[s == (z == 3)] crc32c%pick(z, \"b h w x\")\t%w(d), %w(n), %r(s,m)", CRC32)
{
    crc32(l, f, A64_HELPER_crc32c);
}

/* --- One source --------------------------------------------------------------------------------------- */

static void one_source(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned type = gpr(f->s);
    a64_set_reg(l, type, f->d, oryx_un(l->ir, op, type, a64_reg(l, type, f->n)));
}

ORYX_INSN(RBIT, "s101101011000000000000nnnnnddddd", "rbit\t%r(s,d), %r(s,n)", BASE)
{
    one_source(l, f, ORYX_OP_BITREV);
}

ORYX_INSN(REV16, "s101101011000000000001nnnnnddddd", "rev16\t%r(s,d), %r(s,n)", BASE)
{
    unsigned type = gpr(f->s);
    oryx_val v = a64_reg(l, type, f->n);
    if (f->s) {
        oryx_val mask = a64_imm(l, type, UINT64_C(0x00ff00ff00ff00ff)), by = a64_imm(l, type, 8);
        oryx_val up = oryx_bin(l->ir, ORYX_OP_SHL, type, oryx_bin(l->ir, ORYX_OP_AND, type, v, mask), by);
        oryx_val down = oryx_bin(l->ir, ORYX_OP_AND, type, oryx_bin(l->ir, ORYX_OP_SHR, type, v, by), mask);
        v = oryx_bin(l->ir, ORYX_OP_OR, type, up, down);
    } else { /* reversing all four bytes and swapping the halves back leaves each half reversed */
        v = oryx_bin(l->ir, ORYX_OP_ROR, type, oryx_un(l->ir, ORYX_OP_BSWAP, type, v), a64_imm(l, type, 16));
    }
    a64_set_reg(l, type, f->d, v);
}

ORYX_INSN(REV, "0101101011000000000010nnnnnddddd", "rev\t%w(d), %w(n)", BASE)
{
    one_source(l, f, ORYX_OP_BSWAP);
}

ORYX_INSN(REV32, "1101101011000000000010nnnnnddddd", "rev32\t%x(d), %x(n)", BASE)
{
    oryx_val v = oryx_un(l->ir, ORYX_OP_BSWAP, ORYX_T_I64, a64_reg(l, ORYX_T_I64, f->n));
    a64_set_reg(l, ORYX_T_I64, f->d, oryx_bin(l->ir, ORYX_OP_ROR, ORYX_T_I64, v, a64_imm(l, ORYX_T_I64, 32)));
}

ORYX_INSN(REV_64, "1101101011000000000011nnnnnddddd", "rev\t%x(d), %x(n)", BASE)
{
    a64_set_reg(l, ORYX_T_I64, f->d, oryx_un(l->ir, ORYX_OP_BSWAP, ORYX_T_I64, a64_reg(l, ORYX_T_I64, f->n)));
}

ORYX_INSN(CLZ, "s101101011000000000100nnnnnddddd", "clz\t%r(s,d), %r(s,n)", BASE)
{
    one_source(l, f, ORYX_OP_CLZ);
}

ORYX_INSN(CLS, "s101101011000000000101nnnnnddddd", "cls\t%r(s,d), %r(s,n)", BASE)
{
    one_source(l, f, ORYX_OP_CLS);
}

/* --- Logical (shifted register) ------------------------------------------------------------------------- */

/* ShiftReg: register m shifted by a constant; type LSL LSR ASR ROR. */
static oryx_val shift_reg(a64_lift *l, unsigned type, unsigned m, unsigned shift, unsigned amount)
{
    static const uint16_t ops[4] = { ORYX_OP_SHL, ORYX_OP_SHR, ORYX_OP_SAR, ORYX_OP_ROR };
    oryx_val v = a64_reg(l, type, m);
    return amount && m != 31 ? oryx_bin(l->ir, ops[shift], type, v, a64_imm(l, type, amount)) : v;
}

static oryx_val logical(a64_lift *l, const a64_fields *f, unsigned op)
{
    unsigned type = gpr(f->s);
    oryx_val b = shift_reg(l, type, f->m, f->h, f->i);
    if (f->n == 31 && (op == ORYX_OP_OR || op == ORYX_OP_XOR)) /* mov */
        return b;
    if (f->n == 31 && op == ORYX_OP_ORN) /* mvn */
        return oryx_un(l->ir, ORYX_OP_NOT, type, b);
    return oryx_bin(l->ir, op, type, a64_reg(l, type, f->n), b);
}

ORYX_INSN(AND_reg, "s0001010hh0mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] and\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    a64_set_reg(l, gpr(f->s), f->d, logical(l, f, ORYX_OP_AND));
}

ORYX_INSN(BIC_reg, "s0001010hh1mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] bic\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    a64_set_reg(l, gpr(f->s), f->d, logical(l, f, ORYX_OP_ANDN));
}

ORYX_INSN(ORR_reg, "s0101010hh0mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] {n == 31 && !h && !i} mov\t%r(s,d), %r(s,m) ;; "
          "orr\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    a64_set_reg(l, gpr(f->s), f->d, logical(l, f, ORYX_OP_OR));
}

ORYX_INSN(ORN_reg, "s0101010hh1mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] {n == 31} mvn\t%r(s,d), %r(s,m)%shift(h,i) ;; "
          "orn\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    a64_set_reg(l, gpr(f->s), f->d, logical(l, f, ORYX_OP_ORN));
}

ORYX_INSN(EOR_reg, "s1001010hh0mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] eor\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    a64_set_reg(l, gpr(f->s), f->d, logical(l, f, ORYX_OP_XOR));
}

ORYX_INSN(EON_reg, "s1001010hh1mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] eon\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    a64_set_reg(l, gpr(f->s), f->d, oryx_un(l->ir, ORYX_OP_NOT, gpr(f->s), logical(l, f, ORYX_OP_XOR)));
}

static void logical_flags(a64_lift *l, const a64_fields *f, unsigned op)
{
    oryx_val v = logical(l, f, op);
    a64_set_reg(l, gpr(f->s), f->d, v);
    a64_set_flags(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, gpr(f->s), v, 0, 0));
}

ORYX_INSN(ANDS_reg, "s1101010hh0mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] {d == 31} tst\t%r(s,n), %r(s,m)%shift(h,i) ;; "
          "ands\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    logical_flags(l, f, ORYX_OP_AND);
}

ORYX_INSN(BICS_reg, "s1101010hh1mmmmmiiiiiinnnnnddddd",
          "[s || i < 32] bics\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    logical_flags(l, f, ORYX_OP_ANDN);
}

/* --- Add and subtract (shifted register, extended register) ----------------------------------------------- */

static oryx_val add_sub(a64_lift *l, unsigned type, oryx_val a, oryx_val b, unsigned sub)
{
    return oryx_bin(l->ir, sub ? ORYX_OP_SUB : ORYX_OP_ADD, type, a, b);
}

static void add_sub_flags(a64_lift *l, unsigned type, unsigned d, oryx_val a, oryx_val b, unsigned sub)
{
    if (d != 31)
        a64_set_reg(l, type, d, add_sub(l, type, a, b, sub));
    a64_set_flags(l, oryx_flmake(l->ir, sub ? ORYX_FL_SUBC : ORYX_FL_ADD, type, a, b, 0));
}

static void add_sub_shift(a64_lift *l, const a64_fields *f, unsigned sub, unsigned set_flags)
{
    unsigned type = gpr(f->s);
    oryx_val b = shift_reg(l, type, f->m, f->h, f->i);
    if (set_flags)
        add_sub_flags(l, type, f->d, a64_reg(l, type, f->n), b, sub);
    else if (f->n == 31)
        a64_set_reg(l, type, f->d, sub ? oryx_un(l->ir, ORYX_OP_NEG, type, b) : b);
    else
        a64_set_reg(l, type, f->d, add_sub(l, type, a64_reg(l, type, f->n), b, sub));
}

ORYX_INSN(ADD_shift, "s0001011hh0mmmmmiiiiiinnnnnddddd",
          "[h < 3 && (s || i < 32)] add\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    add_sub_shift(l, f, 0, 0);
}

ORYX_INSN(ADDS_shift, "s0101011hh0mmmmmiiiiiinnnnnddddd",
          "[h < 3 && (s || i < 32)] {d == 31} cmn\t%r(s,n), %r(s,m)%shift(h,i) ;; "
          "adds\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    add_sub_shift(l, f, 0, 1);
}

ORYX_INSN(SUB_shift, "s1001011hh0mmmmmiiiiiinnnnnddddd",
          "[h < 3 && (s || i < 32)] {n == 31} neg\t%r(s,d), %r(s,m)%shift(h,i) ;; "
          "sub\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    add_sub_shift(l, f, 1, 0);
}

ORYX_INSN(SUBS_shift, "s1101011hh0mmmmmiiiiiinnnnnddddd",
          "[h < 3 && (s || i < 32)] {d == 31} cmp\t%r(s,n), %r(s,m)%shift(h,i) ;; "
          "{n == 31} negs\t%r(s,d), %r(s,m)%shift(h,i) ;; subs\t%r(s,d), %r(s,n), %r(s,m)%shift(h,i)", BASE)
{
    add_sub_shift(l, f, 1, 1);
}

/* ExtendReg: option 0-3 zero-extends, 4-7 sign-extends 8 << (option & 3) bits; then shifted left. */
static oryx_val extend_reg(a64_lift *l, unsigned type, unsigned m, unsigned option, unsigned amount)
{
    unsigned bits = 8u << (option & 3), width = type == ORYX_T_I64 ? 64 : 32;
    oryx_val v;
    if (m == 31)
        return a64_imm(l, type, 0);
    if (type == ORYX_T_I64 && bits == 32) {
        v = a64_reg(l, ORYX_T_I32, m);
        v = option & 4 ? oryx_sext(l->ir, type, ORYX_T_I32, v) : oryx_zext(l->ir, type, ORYX_T_I32, v);
    } else {
        v = a64_reg(l, type, m);
        if (bits < width)
            v = oryx_bfx(l->ir, option & 4 ? ORYX_OP_SBFX : ORYX_OP_UBFX, type, v, 0, bits);
    }
    return amount ? oryx_bin(l->ir, ORYX_OP_SHL, type, v, a64_imm(l, type, amount)) : v;
}

static void add_sub_ext(a64_lift *l, const a64_fields *f, unsigned sub, unsigned set_flags)
{
    unsigned type = gpr(f->s);
    oryx_val a = a64_reg_sp(l, type, f->n), b = extend_reg(l, type, f->m, f->o, f->i);
    if (set_flags)
        add_sub_flags(l, type, f->d, a, b, sub);
    else
        a64_set_reg_sp(l, type, f->d, add_sub(l, type, a, b, sub));
}

ORYX_INSN(ADD_ext, "s0001011001mmmmmoooiiinnnnnddddd",
          "[i <= 4] add\t%rsp(s,d), %rsp(s,n), %extend(s, m, o, i, d == 31 || n == 31)", BASE)
{
    add_sub_ext(l, f, 0, 0);
}

ORYX_INSN(ADDS_ext, "s0101011001mmmmmoooiiinnnnnddddd",
          "[i <= 4] {d == 31} cmn\t%rsp(s,n), %extend(s, m, o, i, n == 31) ;; "
          "adds\t%r(s,d), %rsp(s,n), %extend(s, m, o, i, n == 31)", BASE)
{
    add_sub_ext(l, f, 0, 1);
}

ORYX_INSN(SUB_ext, "s1001011001mmmmmoooiiinnnnnddddd",
          "[i <= 4] sub\t%rsp(s,d), %rsp(s,n), %extend(s, m, o, i, d == 31 || n == 31)", BASE)
{
    add_sub_ext(l, f, 1, 0);
}

ORYX_INSN(SUBS_ext, "s1101011001mmmmmoooiiinnnnnddddd",
          "[i <= 4] {d == 31} cmp\t%rsp(s,n), %extend(s, m, o, i, n == 31) ;; "
          "subs\t%r(s,d), %rsp(s,n), %extend(s, m, o, i, n == 31)", BASE)
{
    add_sub_ext(l, f, 1, 1);
}

/* --- Add and subtract with carry ---------------------------------------------------------------------------- */

/* a + b + C, or a - b - !C. */
static void carry(a64_lift *l, const a64_fields *f, unsigned sub, unsigned set_flags)
{
    unsigned type = gpr(f->s);
    oryx_val a = a64_reg(l, type, f->n), b = a64_reg(l, type, f->m), fl = a64_flags(l);
    oryx_val in = oryx_zext(l->ir, type, ORYX_T_I1, oryx_flcond(l->ir, sub ? ORYX_FC_NC : ORYX_FC_C, fl));
    oryx_val v = add_sub(l, type, f->n == 31 && !sub ? b : add_sub(l, type, a, b, sub), in, sub);
    a64_set_reg(l, type, f->d, v);
    if (set_flags)
        a64_set_flags(l, oryx_flmake(l->ir, sub ? ORYX_FL_SBCC : ORYX_FL_ADC, type, a, b,
                                     oryx_flcond(l->ir, ORYX_FC_C, fl)));
}

ORYX_INSN(ADC, "s0011010000mmmmm000000nnnnnddddd", "adc\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    carry(l, f, 0, 0);
}

ORYX_INSN(ADCS, "s0111010000mmmmm000000nnnnnddddd", "adcs\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    carry(l, f, 0, 1);
}

ORYX_INSN(SBC, "s1011010000mmmmm000000nnnnnddddd",
          "{n == 31} ngc\t%r(s,d), %r(s,m) ;; sbc\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    carry(l, f, 1, 0);
}

ORYX_INSN(SBCS, "s1111010000mmmmm000000nnnnnddddd",
          "{n == 31} ngcs\t%r(s,d), %r(s,m) ;; sbcs\t%r(s,d), %r(s,n), %r(s,m)", BASE)
{
    carry(l, f, 1, 1);
}

/* --- Flag manipulation (FEAT_FlagM) ---------------------------------------------------------------------------- */

static oryx_val flags_packed(a64_lift *l)
{
    return oryx_ir_emit(l->ir, ORYX_OP_FLPACK, ORYX_T_I32, ORYX_T_FL, a64_flags(l), 0, 0, 0);
}

static void set_flags_packed(a64_lift *l, oryx_val v)
{
    a64_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, ORYX_T_FL, ORYX_T_I32, v, 0, 0, 0));
}

ORYX_INSN(RMIF, "10111010000iiiiii00001nnnnn0mmmm", "rmif\t%x(n), #%u(i), #%u(m)", FLAGM)
{
    static const uint8_t at[4] = { 8, 0, 6, 7 }; /* packed bit of V, C, Z, N */
    oryx_val v = a64_reg(l, ORYX_T_I64, f->n), p = flags_packed(l);
    if (f->i)
        v = oryx_bin(l->ir, ORYX_OP_ROR, ORYX_T_I64, v, a64_imm(l, ORYX_T_I64, f->i));
    v = oryx_trunc(l->ir, ORYX_T_I32, ORYX_T_I64, v);
    for (unsigned bit = 0; bit < 4; bit++) {
        if (!(f->m >> bit & 1))
            continue;
        oryx_val from = bit ? oryx_bin(l->ir, ORYX_OP_SHR, ORYX_T_I32, v, a64_imm(l, ORYX_T_I32, bit)) : v;
        p = oryx_bfi(l->ir, ORYX_T_I32, p, from, at[bit], 1);
    }
    set_flags_packed(l, p);
}

/* N, Z of the low bits; V: the bit above differs from the sign; C stays. */
static void setf(a64_lift *l, const a64_fields *f, unsigned bits)
{
    oryx_ir *ir = l->ir;
    unsigned type = bits == 8 ? ORYX_T_I8 : ORYX_T_I16;
    oryx_val v = a64_reg(l, ORYX_T_I32, f->n), p = flags_packed(l);
    oryx_val zero = oryx_cmp(ir, ORYX_CC_EQ, type, oryx_trunc(ir, type, ORYX_T_I32, v), a64_imm(l, type, 0));
    oryx_val above = oryx_bin(ir, ORYX_OP_SHR, ORYX_T_I32, v, a64_imm(l, ORYX_T_I32, bits));
    oryx_val sign = oryx_bin(ir, ORYX_OP_SHR, ORYX_T_I32, v, a64_imm(l, ORYX_T_I32, bits - 1));
    p = oryx_bfi(ir, ORYX_T_I32, p, sign, 7, 1);
    p = oryx_bfi(ir, ORYX_T_I32, p, oryx_zext(ir, ORYX_T_I32, ORYX_T_I1, zero), 6, 1);
    p = oryx_bfi(ir, ORYX_T_I32, p, oryx_bin(ir, ORYX_OP_XOR, ORYX_T_I32, above, sign), 8, 1);
    set_flags_packed(l, p);
}

ORYX_INSN(SETF8, "0011101000000000000010nnnnn01101", "setf8\t%w(n)", FLAGM)
{
    setf(l, f, 8);
}

ORYX_INSN(SETF16, "0011101000000000010010nnnnn01101", "setf16\t%w(n)", FLAGM)
{
    setf(l, f, 16);
}

/* --- Conditional compare ------------------------------------------------------------------------------------------ */

static void cond_compare(a64_lift *l, const a64_fields *f, oryx_val b, unsigned sub)
{
    unsigned type = gpr(f->s), v = f->v;
    oryx_val compared = oryx_flmake(l->ir, sub ? ORYX_FL_SUBC : ORYX_FL_ADD, type, a64_reg(l, type, f->n), b, 0);
    if (f->c < 14) {
        uint32_t packed = (v & 8 ? ORYX_FLAG_S : 0) | (v & 4 ? ORYX_FLAG_Z : 0) | (v & 2 ? ORYX_FLAG_C : 0) |
                          (v & 1 ? ORYX_FLAG_O : 0);
        oryx_val other = oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, ORYX_T_FL, ORYX_T_I32,
                                      a64_imm(l, ORYX_T_I32, packed), 0, 0, 0);
        compared = oryx_select(l->ir, ORYX_T_FL, a64_cond(l, f->c), compared, other);
    }
    a64_set_flags(l, compared);
}

ORYX_INSN(CCMN_reg, "s0111010010mmmmmcccc00nnnnn0vvvv", "ccmn\t%r(s,n), %r(s,m), #%hex(v), %cond(c)", BASE)
{
    cond_compare(l, f, a64_reg(l, gpr(f->s), f->m), 0);
}

ORYX_INSN(CCMP_reg, "s1111010010mmmmmcccc00nnnnn0vvvv", "ccmp\t%r(s,n), %r(s,m), #%hex(v), %cond(c)", BASE)
{
    cond_compare(l, f, a64_reg(l, gpr(f->s), f->m), 1);
}

ORYX_INSN(CCMN_imm, "s0111010010iiiiicccc10nnnnn0vvvv", "ccmn\t%r(s,n), #%hex(i), #%hex(v), %cond(c)", BASE)
{
    cond_compare(l, f, a64_imm(l, gpr(f->s), f->i), 0);
}

ORYX_INSN(CCMP_imm, "s1111010010iiiiicccc10nnnnn0vvvv", "ccmp\t%r(s,n), #%hex(i), #%hex(v), %cond(c)", BASE)
{
    cond_compare(l, f, a64_imm(l, gpr(f->s), f->i), 1);
}

/* --- Conditional select ------------------------------------------------------------------------------------------- */

/* Rd = cond ? Rn : other form of Rm. */
static void cond_select(a64_lift *l, const a64_fields *f, oryx_val m)
{
    unsigned type = gpr(f->s);
    oryx_val n = a64_reg(l, type, f->n);
    a64_set_reg(l, type, f->d, f->c >= 14 ? n : oryx_select(l->ir, type, a64_cond(l, f->c), n, m));
}

ORYX_INSN(CSEL, "s0011010100mmmmmcccc00nnnnnddddd", "csel\t%r(s,d), %r(s,n), %r(s,m), %cond(c)", BASE)
{
    cond_select(l, f, a64_reg(l, gpr(f->s), f->m));
}

ORYX_INSN(CSINC, "s0011010100mmmmmcccc01nnnnnddddd",
          "{n == m && n == 31 && c < 14} cset\t%r(s,d), %cond(c ^ 1) ;; "
          "{n == m && n != 31 && c < 14} cinc\t%r(s,d), %r(s,n), %cond(c ^ 1) ;; "
          "csinc\t%r(s,d), %r(s,n), %r(s,m), %cond(c)", BASE)
{
    unsigned type = gpr(f->s);
    if (f->n == 31 && f->m == 31 && f->c < 14)
        a64_set_reg(l, type, f->d, oryx_zext(l->ir, type, ORYX_T_I1, a64_cond(l, f->c ^ 1)));
    else
        cond_select(l, f, f->m == 31 ? a64_imm(l, type, 1)
                                     : oryx_bin(l->ir, ORYX_OP_ADD, type, a64_reg(l, type, f->m), a64_imm(l, type, 1)));
}

ORYX_INSN(CSINV, "s1011010100mmmmmcccc00nnnnnddddd",
          "{n == m && n == 31 && c < 14} csetm\t%r(s,d), %cond(c ^ 1) ;; "
          "{n == m && n != 31 && c < 14} cinv\t%r(s,d), %r(s,n), %cond(c ^ 1) ;; "
          "csinv\t%r(s,d), %r(s,n), %r(s,m), %cond(c)", BASE)
{
    unsigned type = gpr(f->s);
    if (f->n == 31 && f->m == 31 && f->c < 14)
        a64_set_reg(l, type, f->d, oryx_sext(l->ir, type, ORYX_T_I1, a64_cond(l, f->c ^ 1)));
    else
        cond_select(l, f, f->m == 31 ? a64_imm(l, type, ~UINT64_C(0))
                                     : oryx_un(l->ir, ORYX_OP_NOT, type, a64_reg(l, type, f->m)));
}

ORYX_INSN(CSNEG, "s1011010100mmmmmcccc01nnnnnddddd",
          "{n == m && c < 14} cneg\t%r(s,d), %r(s,n), %cond(c ^ 1) ;; "
          "csneg\t%r(s,d), %r(s,n), %r(s,m), %cond(c)", BASE)
{
    cond_select(l, f, oryx_un(l->ir, ORYX_OP_NEG, gpr(f->s), a64_reg(l, gpr(f->s), f->m)));
}

/* --- Three source ----------------------------------------------------------------------------------------------------- */

static void multiply_add(a64_lift *l, unsigned type, const a64_fields *f, oryx_val product, unsigned sub)
{
    if (f->a == 31)
        a64_set_reg(l, type, f->d, sub ? oryx_un(l->ir, ORYX_OP_NEG, type, product) : product);
    else
        a64_set_reg(l, type, f->d, add_sub(l, type, a64_reg(l, type, f->a), product, sub));
}

static oryx_val multiply(a64_lift *l, const a64_fields *f)
{
    unsigned type = gpr(f->s);
    return oryx_bin(l->ir, ORYX_OP_MUL, type, a64_reg(l, type, f->n), a64_reg(l, type, f->m));
}

ORYX_INSN(MADD, "s0011011000mmmmm0aaaaannnnnddddd",
          "{a == 31} mul\t%r(s,d), %r(s,n), %r(s,m) ;; madd\t%r(s,d), %r(s,n), %r(s,m), %r(s,a)", BASE)
{
    multiply_add(l, gpr(f->s), f, multiply(l, f), 0);
}

ORYX_INSN(MSUB, "s0011011000mmmmm1aaaaannnnnddddd",
          "{a == 31} mneg\t%r(s,d), %r(s,n), %r(s,m) ;; msub\t%r(s,d), %r(s,n), %r(s,m), %r(s,a)", BASE)
{
    multiply_add(l, gpr(f->s), f, multiply(l, f), 1);
}

/* The 64-bit product of two W registers; op: SEXT or ZEXT. */
static oryx_val multiply_long(a64_lift *l, const a64_fields *f, unsigned op)
{
    oryx_val n = oryx_ir_emit(l->ir, op, ORYX_T_I64, ORYX_T_I32, a64_reg(l, ORYX_T_I32, f->n), 0, 0, 0);
    oryx_val m = oryx_ir_emit(l->ir, op, ORYX_T_I64, ORYX_T_I32, a64_reg(l, ORYX_T_I32, f->m), 0, 0, 0);
    return oryx_bin(l->ir, ORYX_OP_MUL, ORYX_T_I64, n, m);
}

ORYX_INSN(SMADDL, "10011011001mmmmm0aaaaannnnnddddd",
          "{a == 31} smull\t%x(d), %w(n), %w(m) ;; smaddl\t%x(d), %w(n), %w(m), %x(a)", BASE)
{
    multiply_add(l, ORYX_T_I64, f, multiply_long(l, f, ORYX_OP_SEXT), 0);
}

ORYX_INSN(SMSUBL, "10011011001mmmmm1aaaaannnnnddddd",
          "{a == 31} smnegl\t%x(d), %w(n), %w(m) ;; smsubl\t%x(d), %w(n), %w(m), %x(a)", BASE)
{
    multiply_add(l, ORYX_T_I64, f, multiply_long(l, f, ORYX_OP_SEXT), 1);
}

/* SMULH, UMULH: the Ra field should be ones; other values are CONSTRAINED UNPREDICTABLE and ignored here. */
ORYX_INSN(SMULH, "10011011010mmmmm0-----nnnnnddddd", "smulh\t%x(d), %x(n), %x(m)", BASE)
{
    a64_set_reg(l, ORYX_T_I64, f->d,
                oryx_bin(l->ir, ORYX_OP_MULHS, ORYX_T_I64, a64_reg(l, ORYX_T_I64, f->n), a64_reg(l, ORYX_T_I64, f->m)));
}

ORYX_INSN(UMADDL, "10011011101mmmmm0aaaaannnnnddddd",
          "{a == 31} umull\t%x(d), %w(n), %w(m) ;; umaddl\t%x(d), %w(n), %w(m), %x(a)", BASE)
{
    multiply_add(l, ORYX_T_I64, f, multiply_long(l, f, ORYX_OP_ZEXT), 0);
}

ORYX_INSN(UMSUBL, "10011011101mmmmm1aaaaannnnnddddd",
          "{a == 31} umnegl\t%x(d), %w(n), %w(m) ;; umsubl\t%x(d), %w(n), %w(m), %x(a)", BASE)
{
    multiply_add(l, ORYX_T_I64, f, multiply_long(l, f, ORYX_OP_ZEXT), 1);
}

ORYX_INSN(UMULH, "10011011110mmmmm0-----nnnnnddddd", "umulh\t%x(d), %x(n), %x(m)", BASE)
{
    a64_set_reg(l, ORYX_T_I64, f->d,
                oryx_bin(l->ir, ORYX_OP_MULHU, ORYX_T_I64, a64_reg(l, ORYX_T_I64, f->n), a64_reg(l, ORYX_T_I64, f->m)));
}
