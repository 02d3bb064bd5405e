/* SSE data movement: SDM 1 5.5.1.1, 5.6.1.1, 5.6.3, 5.10.9. */
#include "x86_sse.h"

static void store(x86_lift *l, unsigned type, oryx_val v, uint32_t memop)
{
    oryx_store(l->ir, type, x86_ea(l, 0), v, memop);
}

/* 128 bits between registers and memory; align: ORYX_MO_ALIGN(4) or 0. */
static void move(x86_lift *l, uint32_t align)
{
    if (x86_is_mem(l, 0))
        store(l, V128, x86_vec(l, 1), ORYX_MO_128 | align);
    else
        x86_set_vec(l, 0, align ? x86_vec(l, 1) : x86_vec_unaligned(l, 1));
}

ORYX_INSN(MOVAPS, "0f 28 /r Vps,Wps; 0f 29 /r Wps,Vps", SSE)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVAPD, "66 0f 28 /r Vpd,Wpd; 66 0f 29 /r Wpd,Vpd", SSE2)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVDQA, "66 0f 6f /r Vx,Wx; 66 0f 7f /r Wx,Vx", SSE2)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVUPS, "0f 10 /r Vps,Wps; 0f 11 /r Wps,Vps", SSE)
{
    move(l, 0);
}
ORYX_INSN(MOVUPD, "66 0f 10 /r Vpd,Wpd; 66 0f 11 /r Wpd,Vpd", SSE2)
{
    move(l, 0);
}
ORYX_INSN(MOVDQU, "F3 0f 6f /r Vx,Wx; F3 0f 7f /r Wx,Vx", SSE2)
{
    move(l, 0);
}
ORYX_INSN(LDDQU, "F2 0f f0 /r Vx,Mx", SSE3)
{
    move(l, 0);
}
ORYX_INSN(MOVNTPS, "0f 2b /r Mps,Vps", SSE)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVNTPD, "66 0f 2b /r Mpd,Vpd", SSE2)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVNTDQ, "66 0f e7 /r Mx,Vx", SSE2)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVNTDQA, "66 0f 38 2a /r Vx,Mx", SSE41)
{
    move(l, ORYX_MO_ALIGN(4));
}
ORYX_INSN(MOVNTI, "0f c3 /r My,Gy", SSE2)
{
    x86_write(l, 0, x86_read(l, 1));
}

/* A scalar: loads clear the rest of the register, moves between registers keep it. */
static void move_scalar(x86_lift *l, unsigned type)
{
    unsigned log2 = type == I32 ? ORYX_MO_32 : ORYX_MO_64;
    if (x86_is_mem(l, 0))
        store(l, type, x86_lane(l, type, x86_vec(l, 1), 0), log2);
    else if (x86_is_mem(l, 1))
        x86_set_vec(l, 0, x86_vec(l, 1));
    else
        x86_set_vec(l, 0,
                    x86_with_lane(l, type, x86_vec(l, 0), 0, x86_lane(l, type, x86_vec(l, 1), 0)));
}

ORYX_INSN(MOVSS, "F3 0f 10 /r Vss,Wss; F3 0f 11 /r Wss,Vss", SSE)
{
    move_scalar(l, I32);
}

void x86_movsd_sse(x86_lift *l)
{
    if (l->features & X86_FEAT(SSE2))
        move_scalar(l, I64);
    else
        x86_undefined(l);
}

/* The low part of operand 1 to operand 0, either of which may be a vector register, a general one or memory. */
static bool is_vec(const x86_lift *l, unsigned i)
{
    return x86_is_mmx(l, i) || (l->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
                                ZydisRegisterGetClass(l->op[i].reg.value) == ZYDIS_REGCLASS_XMM);
}

static void move_integer(x86_lift *l)
{
    if (!is_vec(l, 0)) {
        unsigned type = x86_op_type(l, 0);
        x86_write(l, 0, x86_lane(l, type, x86_vec(l, 1), 0));
        return;
    }
    oryx_val v = is_vec(l, 1) ? x86_lane(l, I64, x86_vec(l, 1), 0) : oryx_zext(l->ir, I64, x86_op_type(l, 1), x86_read(l, 1));
    x86_set_vec(l, 0, x86_with_lane(l, I64, x86_zero(l), 0, v));
}

ORYX_INSN(MOVD, "66 0f 6e /r Vy,Ey; 66 0f 7e /r Ey,Vy; 0f 6e /r Pd,Ey; 0f 7e /r Ey,Pd", MMX)
{
    move_integer(l);
}
ORYX_INSN(MOVQ,
          "66 REX.W 0f 6e /r Vy,Ey; 66 REX.W 0f 7e /r Ey,Vy; F3 0f 7e /r Vq,Wq; 66 0f d6 /r Wq,Vq; 0f 6f /r Pq,Qq; "
          "0f 7f /r Qq,Pq",
          MMX)
{
    move_integer(l);
}
ORYX_INSN(MOVNTQ, "0f e7 /r Mq,Pq", SSE)
{
    move_integer(l);
}
ORYX_INSN(MOVQ2DQ, "F3 0f d6 /r Vx,Nq", SSE2)
{
    move_integer(l);
}
ORYX_INSN(MOVDQ2Q, "F2 0f d6 /r Pq,Uq", SSE2)
{
    move_integer(l);
}
ORYX_INSN(EMMS, "0f 77", MMX)
{
    oryx_val tag = x86_imm(l, I32, 0);
    x86_call(l, X86_HELPER_MMX_BEGIN, ORYX_T_VOID, NULL, 0);
    x86_call(l, X86_HELPER_MMX_END, ORYX_T_VOID, &tag, 1);
}

/* Halves. to, from: lane of 64 bits. */
static void move_half(x86_lift *l, unsigned lane)
{
    if (x86_is_mem(l, 0))
        store(l, I64, x86_lane(l, I64, x86_vec(l, 1), lane), ORYX_MO_64);
    else
        x86_set_vec(l, 0, x86_with_lane(l, I64, x86_vec(l, 0), lane, x86_read(l, 1)));
}

ORYX_INSN(MOVLPS, "0f 12 /r Vq,Mq; 0f 13 /r Mq,Vq", SSE)
{
    move_half(l, 0);
}
ORYX_INSN(MOVLPD, "66 0f 12 /r Vq,Mq; 66 0f 13 /r Mq,Vq", SSE2)
{
    move_half(l, 0);
}
ORYX_INSN(MOVHPS, "0f 16 /r Vq,Mq; 0f 17 /r Mq,Vq", SSE)
{
    move_half(l, 1);
}
ORYX_INSN(MOVHPD, "66 0f 16 /r Vq,Mq; 66 0f 17 /r Mq,Vq", SSE2)
{
    move_half(l, 1);
}

ORYX_INSN(MOVHLPS, "0f 12 /r Vq,Uq", SSE)
{
    x86_set_vec(l, 0, x86_with_lane(l, I64, x86_vec(l, 0), 0, x86_lane(l, I64, x86_vec(l, 1), 1)));
}

ORYX_INSN(MOVLHPS, "0f 16 /r Vq,Uq", SSE)
{
    x86_set_vec(l, 0, x86_with_lane(l, I64, x86_vec(l, 0), 1, x86_lane(l, I64, x86_vec(l, 1), 0)));
}

ORYX_INSN(MOVDDUP, "F2 0f 12 /r Vx,Wx", SSE3)
{
    x86_set_vec(l, 0, x86_vop1(l, ORYX_OP_DUP, I64, x86_lane(l, I64, x86_vec(l, 1), 0), 0));
}

ORYX_INSN(MOVSLDUP, "F3 0f 12 /r Vx,Wx", SSE3)
{
    oryx_val v = x86_vec(l, 1);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_TRN1, I32, v, v, 0));
}

ORYX_INSN(MOVSHDUP, "F3 0f 16 /r Vx,Wx", SSE3)
{
    oryx_val v = x86_vec(l, 1);
    x86_set_vec(l, 0, x86_vop(l, ORYX_OP_TRN2, I32, v, v, 0));
}

/* --- Masks of sign bits
 * ---------------------------------------------------------------------------------------------------------
 */

static oryx_val sign(x86_lift *l, oryx_val v, unsigned lane, unsigned n, unsigned at)
{
    oryx_val b = x86_bini(l, ORYX_OP_SHR, I64, oryx_zext(l->ir, I64, lane, x86_lane(l, lane, v, n)),
                          x86_bits(lane) - 1);
    return at ? x86_bini(l, ORYX_OP_SHL, I64, b, at) : b;
}

static void mask(x86_lift *l, unsigned lane)
{
    unsigned n = 128 / x86_bits(lane);
    oryx_val v = x86_vec(l, 1), m = sign(l, v, lane, 0, 0);
    for (unsigned i = 1; i < n; i++)
        m = x86_bin(l, ORYX_OP_OR, I64, m, sign(l, v, lane, i, i));
    x86_write(l, 0, oryx_trunc(l->ir, x86_op_type(l, 0), I64, m));
}

ORYX_INSN(MOVMSKPS, "0f 50 /r Gy,Ups", SSE)
{
    mask(l, I32);
}
ORYX_INSN(MOVMSKPD, "66 0f 50 /r Gy,Upd", SSE2)
{
    mask(l, I64);
}

/* Bits 7 of eight bytes come together by one multiplication. */
ORYX_INSN(PMOVMSKB, "66 0f d7 /r Gd,Ux", SSE2)
{
    oryx_val v = x86_vec(l, 1), part[2];
    for (unsigned i = 0; i < (x86_is_mmx(l, 1) ? 1u : 2u); i++) {
        oryx_val bits = x86_bini(l, ORYX_OP_AND, I64, x86_lane(l, I64, v, i), 0x8080808080808080u);
        part[i] = x86_bini(l, ORYX_OP_SHR, I64,
                           x86_bini(l, ORYX_OP_MUL, I64, bits, 0x0002040810204081u), 56);
    }
    oryx_val m = part[0];
    if (!x86_is_mmx(l, 1))
        m = x86_bin(l, ORYX_OP_OR, I64, m, x86_bini(l, ORYX_OP_SHL, I64, part[1], 8));
    x86_write(l, 0, oryx_trunc(l->ir, x86_op_type(l, 0), I64, m));
}

/* Bytes whose mask has bit 7 set go to DS:rDI; a byte is an access of its own. Each is chosen by a branch, so masks and data
 * stay in locals. */
static void masked_store(x86_lift *l, unsigned n)
{
    unsigned type = l->insn->address_width == 64 ? I64 : I32;
    unsigned seg = l->insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_FS   ? X86_FS
                   : l->insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS ? X86_GS
                   : l->insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_ES ? X86_ES
                   : l->insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_CS ? X86_CS
                   : l->insn->attributes & ZYDIS_ATTRIB_HAS_SEGMENT_SS ? X86_SS
                                                                       : X86_DS;
    oryx_local_put(l->ir, V128, 0, x86_vec(l, 0));
    oryx_local_put(l->ir, V128, 1, x86_vec(l, 1));
    oryx_local_put(l->ir, I64, 2, x86_linear(l, seg, x86_r(l, type, X86_RDI), type));
    for (unsigned i = 0; i < n; i++) {
        uint32_t skip = x86_label(l);
        oryx_val m = x86_lane(l, I8, oryx_local_get(l->ir, V128, 1), i);
        oryx_brc(l->ir, oryx_cmp(l->ir, ORYX_CC_GES, I8, m, x86_imm(l, I8, 0)), skip);
        oryx_val at = x86_bini(l, ORYX_OP_ADD, I64, oryx_local_get(l->ir, I64, 2), i);
        oryx_store(l->ir, I8, at, x86_lane(l, I8, oryx_local_get(l->ir, V128, 0), i), ORYX_MO_8);
        x86_place(l, skip);
    }
}

ORYX_INSN(MASKMOVQ, "0f f7 /r Pq,Nq", SSE)
{
    masked_store(l, 8);
}
ORYX_INSN(MASKMOVDQU, "66 0f f7 /r Vx,Ux", SSE2)
{
    masked_store(l, 16);
}
