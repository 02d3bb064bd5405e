/* Decimal arithmetic, outside 64-bit code: SDM 1 7.3.4. Flags that the manual leaves undefined are
 * as x86_bcd_flags of x86_helpers.c makes them. */
#include "x86.h"

enum { BCD_AAA, BCD_AAS, BCD_DAA, BCD_DAS };

/* The helper takes AX and the packed flags, and gives AX and the flags at bit 16. */
static void adjust(x86_lift *l, unsigned what)
{
    oryx_val v[3] = {x86_imm(l, I32, what), oryx_zext(l->ir, I32, I16, x86_r(l, I16, X86_RAX)),
                     x86_flags_word(l, x86_flags(l))};
    oryx_val r = x86_call(l, X86_HELPER_BCD, I64, v, 3);
    x86_set_r(l, I16, X86_RAX, oryx_trunc(l->ir, I16, I64, r));
    oryx_val word = oryx_trunc(l->ir, I32, I64, x86_bini(l, ORYX_OP_SHR, I64, r, 16));
    x86_set_flags(l, oryx_ir_emit(l->ir, ORYX_OP_FLUNPACK, FL, I32, word, 0, 0, 0));
}

ORYX_INSN(AAA, "37", BASE)
{
    adjust(l, BCD_AAA);
}
ORYX_INSN(AAS, "3f", BASE)
{
    adjust(l, BCD_AAS);
}
ORYX_INSN(DAA, "27", BASE)
{
    adjust(l, BCD_DAA);
}
ORYX_INSN(DAS, "2f", BASE)
{
    adjust(l, BCD_DAS);
}

/* The base is an operand in every processor, though the manual's short form has 10. */
ORYX_INSN(AAM, "d4 ib Ib", BASE)
{
    uint64_t base = l->op[0].imm.value.u & 0xff;
    if (!base) {
        x86_raise(l, ORYX_EXC_ARITHMETIC, X86_VEC_DE);
        return;
    }
    oryx_val al = x86_r(l, I8, X86_RAX), by = x86_imm(l, I8, base);
    oryx_val q = x86_bin(l, ORYX_OP_DIVU, I8, al, by), r = x86_bin(l, ORYX_OP_REMU, I8, al, by);
    oryx_val ax =
        oryx_bfi(l->ir, I64, oryx_zext(l->ir, I64, I8, r), oryx_zext(l->ir, I64, I8, q), 8, 8);
    x86_set_r(l, I16, X86_RAX, oryx_trunc(l->ir, I16, I64, ax));
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, I8, r, 0, 0));
}

ORYX_INSN(AAD, "d5 ib Ib", BASE)
{
    oryx_val ax = x86_r(l, I64, X86_RAX), ah = oryx_bfx(l->ir, ORYX_OP_UBFX, I64, ax, 8, 8);
    oryx_val sum = x86_bin(l, ORYX_OP_ADD, I64, ax,
                           x86_bini(l, ORYX_OP_MUL, I64, ah, l->op[0].imm.value.u & 0xff));
    oryx_val al = oryx_trunc(l->ir, I8, I64, sum);
    x86_set_r(l, I16, X86_RAX, oryx_zext(l->ir, I16, I8, al));
    x86_set_flags(l, oryx_flmake(l->ir, ORYX_FL_LOGIC, I8, al, 0, 0));
}
