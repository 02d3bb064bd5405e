/* Data movement, conversion, flag control: SDM 1 5.1.1, 5.1.7, 5.1.11, 5.1.12. */
#include "x86.h"

static bool is_class(const x86_lift *l, unsigned i, ZydisRegisterClass c)
{
    return l->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           ZydisRegisterGetClass(l->op[i].reg.value) == c;
}

static void load_segment(x86_lift *l, unsigned seg, oryx_val selector)
{
    oryx_val v[2] = {x86_imm(l, I32, seg), oryx_zext(l->ir, I32, I16, selector)};
    x86_call(l, X86_HELPER_SEGMENT, ORYX_T_VOID, v, 2);
    oryx_resync(l->ir, l->next);
    l->end = 1;
}

/* A segment register stored to memory is 16 bits, to a register zero-extended to the operand size.
 */
ORYX_INSN(MOV,
          "88 /r Eb,Gb; 89 /r Ev,Gv; 8a /r Gb,Eb; 8b /r Gv,Ev; 8c /r Ev,Sw; 8e /r Sw,Ew; a0 AL,Ob; "
          "a1 rAX,Ov; a2 Ob,AL; a3 Ov,rAX; "
          "b0+r Zb,Ib; b8+r Zv,Iv; c6 /0 ib Eb,Ib; c7 /0 iz Ev,Iz",
          BASE)
{
    for (unsigned i = 0; i < 2; i++)
        if (is_class(l, i, ZYDIS_REGCLASS_CONTROL) || is_class(l, i, ZYDIS_REGCLASS_DEBUG) ||
            is_class(l, i, ZYDIS_REGCLASS_TEST)) {
            x86_protection(l);
            return;
        }
    if (is_class(l, 0, ZYDIS_REGCLASS_SEGMENT)) {
        unsigned seg = x86_seg_number(l->op[0].reg.value);
        if (seg == X86_CS)
            x86_undefined(l);
        else
            load_segment(l, seg, oryx_trunc(l->ir, I16, x86_op_type(l, 1), x86_read(l, 1)));
        return;
    }
    if (is_class(l, 1, ZYDIS_REGCLASS_SEGMENT)) {
        oryx_val v =
            oryx_get(l->ir, I16, X86_OFF_SEG(x86_seg_number(l->op[1].reg.value), selector));
        x86_write(l, 0, oryx_zext(l->ir, x86_op_type(l, 0), I16, v));
        return;
    }
    x86_write(l, 0, x86_read(l, 1));
}

ORYX_INSN(MOVZX, "0f b6 /r Gv,Eb; 0f b7 /r Gv,Ew", I386)
{
    x86_write(l, 0, oryx_zext(l->ir, x86_op_type(l, 0), x86_op_type(l, 1), x86_read(l, 1)));
}

static void sign_extend(x86_lift *l)
{
    x86_write(l, 0, oryx_sext(l->ir, x86_op_type(l, 0), x86_op_type(l, 1), x86_read(l, 1)));
}

ORYX_INSN(MOVSX, "0f be /r Gv,Eb; 0f bf /r Gv,Ew", I386)
{
    sign_extend(l);
}

ORYX_INSN(MOVSXD, "63 /r Gv,Ez", LONG)
{
    unsigned to = x86_op_type(l, 0), from = x86_op_type(l, 1);
    oryx_val v = x86_read(l, 1);
    x86_write(l, 0,
              to == from  ? v
              : to < from ? oryx_trunc(l->ir, to, from, v)
                          : oryx_sext(l->ir, to, from, v));
}

ORYX_INSN(LEA, "8d /r Gv,M", BASE)
{
    unsigned to = x86_op_type(l, 0), from = l->insn->address_width == 64 ? I64 : I32;
    oryx_val v = x86_offset(l, 1);
    x86_write(l, 0, to < from ? oryx_trunc(l->ir, to, from, v) : oryx_zext(l->ir, to, from, v));
}

ORYX_INSN(MOVBE, "0f 38 f0 /r Gv,Mv; 0f 38 f1 /r Mv,Gv", MOVBE)
{
    x86_write(l, 0, oryx_un(l->ir, ORYX_OP_BSWAP, x86_op_type(l, 0), x86_read(l, 1)));
}

/* Of a 16-bit register it is undefined; the register becomes zero on every maker's processors. */
ORYX_INSN(BSWAP, "0f c8+r Zv", I486)
{
    unsigned type = x86_op_type(l, 0);
    x86_write(l, 0,
              type == I16 ? x86_imm(l, I16, 0)
                          : oryx_un(l->ir, ORYX_OP_BSWAP, type, x86_read(l, 0)));
}

ORYX_INSN(XLAT, "d7", BASE)
{
    unsigned type = l->insn->address_width == 64 ? I64 : l->insn->address_width == 16 ? I16 : I32;
    oryx_val at = x86_bin(l, ORYX_OP_ADD, type, x86_r(l, type, X86_RBX),
                          oryx_zext(l->ir, type, I8, x86_r(l, I8, X86_RAX)));
    unsigned seg = X86_DS;
    for (unsigned i = 0; i < l->insn->operand_count; i++)
        if (x86_is_mem(l, i))
            seg = x86_seg_number(l->op[i].mem.segment);
    x86_set_r(l, I8, X86_RAX, oryx_load(l->ir, I8, x86_linear(l, seg, at, type), ORYX_MO_8));
}

/* --- Conditional
 * -------------------------------------------------------------------------------------------------------
 */

/* A 32-bit destination is extended, and memory read, whether the condition holds or not. */
static void cmov(x86_lift *l, unsigned cc)
{
    oryx_val v = x86_read(l, 1);
    x86_write(l, 0, oryx_select(l->ir, x86_op_type(l, 0), x86_cond(l, cc), v, x86_read(l, 0)));
}

static void set_cc(x86_lift *l, unsigned cc)
{
    x86_write(l, 0, oryx_zext(l->ir, I8, I1, x86_cond(l, cc)));
}

ORYX_INSN(CMOVO, "0f 40 /r Gv,Ev", CMOV)
{
    cmov(l, 0);
}
ORYX_INSN(CMOVNO, "0f 41 /r Gv,Ev", CMOV)
{
    cmov(l, 1);
}
ORYX_INSN(CMOVB, "0f 42 /r Gv,Ev", CMOV)
{
    cmov(l, 2);
}
ORYX_INSN(CMOVNB, "0f 43 /r Gv,Ev", CMOV)
{
    cmov(l, 3);
}
ORYX_INSN(CMOVZ, "0f 44 /r Gv,Ev", CMOV)
{
    cmov(l, 4);
}
ORYX_INSN(CMOVNZ, "0f 45 /r Gv,Ev", CMOV)
{
    cmov(l, 5);
}
ORYX_INSN(CMOVBE, "0f 46 /r Gv,Ev", CMOV)
{
    cmov(l, 6);
}
ORYX_INSN(CMOVNBE, "0f 47 /r Gv,Ev", CMOV)
{
    cmov(l, 7);
}
ORYX_INSN(CMOVS, "0f 48 /r Gv,Ev", CMOV)
{
    cmov(l, 8);
}
ORYX_INSN(CMOVNS, "0f 49 /r Gv,Ev", CMOV)
{
    cmov(l, 9);
}
ORYX_INSN(CMOVP, "0f 4a /r Gv,Ev", CMOV)
{
    cmov(l, 10);
}
ORYX_INSN(CMOVNP, "0f 4b /r Gv,Ev", CMOV)
{
    cmov(l, 11);
}
ORYX_INSN(CMOVL, "0f 4c /r Gv,Ev", CMOV)
{
    cmov(l, 12);
}
ORYX_INSN(CMOVNL, "0f 4d /r Gv,Ev", CMOV)
{
    cmov(l, 13);
}
ORYX_INSN(CMOVLE, "0f 4e /r Gv,Ev", CMOV)
{
    cmov(l, 14);
}
ORYX_INSN(CMOVNLE, "0f 4f /r Gv,Ev", CMOV)
{
    cmov(l, 15);
}
ORYX_INSN(SETO, "0f 90 Eb", I386)
{
    set_cc(l, 0);
}
ORYX_INSN(SETNO, "0f 91 Eb", I386)
{
    set_cc(l, 1);
}
ORYX_INSN(SETB, "0f 92 Eb", I386)
{
    set_cc(l, 2);
}
ORYX_INSN(SETNB, "0f 93 Eb", I386)
{
    set_cc(l, 3);
}
ORYX_INSN(SETZ, "0f 94 Eb", I386)
{
    set_cc(l, 4);
}
ORYX_INSN(SETNZ, "0f 95 Eb", I386)
{
    set_cc(l, 5);
}
ORYX_INSN(SETBE, "0f 96 Eb", I386)
{
    set_cc(l, 6);
}
ORYX_INSN(SETNBE, "0f 97 Eb", I386)
{
    set_cc(l, 7);
}
ORYX_INSN(SETS, "0f 98 Eb", I386)
{
    set_cc(l, 8);
}
ORYX_INSN(SETNS, "0f 99 Eb", I386)
{
    set_cc(l, 9);
}
ORYX_INSN(SETP, "0f 9a Eb", I386)
{
    set_cc(l, 10);
}
ORYX_INSN(SETNP, "0f 9b Eb", I386)
{
    set_cc(l, 11);
}
ORYX_INSN(SETL, "0f 9c Eb", I386)
{
    set_cc(l, 12);
}
ORYX_INSN(SETNL, "0f 9d Eb", I386)
{
    set_cc(l, 13);
}
ORYX_INSN(SETLE, "0f 9e Eb", I386)
{
    set_cc(l, 14);
}
ORYX_INSN(SETNLE, "0f 9f Eb", I386)
{
    set_cc(l, 15);
}

/* --- Conversion of the accumulator
 * --------------------------------------------------------------------------------------- */

static void widen(x86_lift *l, unsigned to, unsigned from)
{
    x86_set_r(l, to, X86_RAX, oryx_sext(l->ir, to, from, x86_r(l, from, X86_RAX)));
}

ORYX_INSN(CBW, "98", BASE)
{
    widen(l, I16, I8);
}
ORYX_INSN(CWDE, "98", I386)
{
    widen(l, I32, I16);
}
ORYX_INSN(CDQE, "REX.W 98", LONG)
{
    widen(l, I64, I32);
}

static void sign_to_d(x86_lift *l, unsigned type)
{
    x86_set_r(l, type, X86_RDX,
              x86_bini(l, ORYX_OP_SAR, type, x86_r(l, type, X86_RAX), x86_bits(type) - 1));
}

ORYX_INSN(CWD, "99", BASE)
{
    sign_to_d(l, I16);
}
ORYX_INSN(CDQ, "99", I386)
{
    sign_to_d(l, I32);
}
ORYX_INSN(CQO, "REX.W 99", LONG)
{
    sign_to_d(l, I64);
}

/* --- Flags
 * ------------------------------------------------------------------------------------------------------------------
 */

static bool flag_transfer_ok(x86_lift *l)
{
    if (!x86_is64(l) || l->features & X86_FEAT(LAHF64))
        return true;
    x86_undefined(l);
    return false;
}

static void set_ah(x86_lift *l, oryx_val i32)
{
    oryx_val v = oryx_bfi(l->ir, I64, oryx_get(l->ir, I64, X86_OFF_R(X86_RAX)),
                          oryx_zext(l->ir, I64, I32, i32), 8, 8);
    oryx_put(l->ir, I64, X86_OFF_R(X86_RAX), v);
}

ORYX_INSN(LAHF, "9f", BASE)
{
    if (!flag_transfer_ok(l))
        return;
    oryx_val word = x86_bini(l, ORYX_OP_AND, I32, x86_flags_word(l, x86_flags(l)), X86_ARITH);
    set_ah(l, x86_bini(l, ORYX_OP_OR, I32, word, 2));
}

ORYX_INSN(SAHF, "9e", BASE)
{
    if (!flag_transfer_ok(l))
        return;
    oryx_val ah =
        oryx_bfx(l->ir, ORYX_OP_UBFX, I64, oryx_get(l->ir, I64, X86_OFF_R(X86_RAX)), 8, 8);
    x86_set_flags(l, x86_flags_mix(l, x86_flags(l), X86_ARITH, oryx_trunc(l->ir, I32, I64, ah)));
}

static void set_carry(x86_lift *l, oryx_val i32)
{
    x86_set_flags(l, x86_flags_mix(l, x86_flags(l), ORYX_FLAG_C, i32));
}

ORYX_INSN(CLC, "f8", BASE)
{
    set_carry(l, x86_imm(l, I32, 0));
}
ORYX_INSN(STC, "f9", BASE)
{
    set_carry(l, x86_imm(l, I32, 1));
}
ORYX_INSN(CMC, "f5", BASE)
{
    set_carry(l, oryx_zext(l->ir, I32, I1, x86_not(l, x86_carry(l))));
}
ORYX_INSN(CLD, "fc", BASE)
{
    oryx_put(l->ir, I64, X86_OFF(step), x86_imm(l, I64, 1));
}
ORYX_INSN(STD, "fd", BASE)
{
    oryx_put(l->ir, I64, X86_OFF(step), x86_imm(l, I64, ~(uint64_t)0));
}

/* AL = C ? ff : 0; undocumented, in every processor. */
ORYX_INSN(SALC, "d6", BASE)
{
    x86_set_r(l, I8, X86_RAX, oryx_sext(l->ir, I8, I1, x86_carry(l)));
}
