/* x86-64 encoder: one inline function an encoding shape (Intel SDM volume 2, chapter 2). Used by every file of this engine
 * that emits code. The cursor writes through the writable view of the code cache; positions are offsets from the start of
 * the block, so nothing here knows where the code will run. Running over `end` sets `full`; what is written then counts no
 * more. */
#ifndef X64_EMIT_H
#define X64_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NO_REG = 255 };

/* Condition codes as in Jcc, SETcc, CMOVcc; the low bit negates. */
enum { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

typedef struct emit {
    uint8_t *p, *start, *end;
    bool full;
} emit;

static inline uint32_t emit_at(const emit *e)
{
    return (uint32_t)(e->p - e->start);
}

static inline void emit8(emit *e, unsigned b)
{
    if (e->p < e->end)
        *e->p++ = (uint8_t)b;
    else
        e->full = true;
}

static inline void emit32(emit *e, uint32_t v)
{
    if (e->end - e->p >= 4) {
        memcpy(e->p, &v, 4);
        e->p += 4;
    } else {
        e->full = true;
    }
}

/* Once an instruction, before its bytes are put without another look: room for the longest, or else they go to the start of
 * what is given up anyway. A buffer has at least EMIT_MOST bytes. */
#define EMIT_MOST 32
static inline void emit_room(emit *e)
{
    if (e->end - e->p < EMIT_MOST) {
        e->full = true;
        e->p = e->start;
    }
}

static inline void put8(emit *e, unsigned b)
{
    *e->p++ = (uint8_t)b;
}

static inline void put32(emit *e, uint32_t v)
{
    memcpy(e->p, &v, 4);
    e->p += 4;
}

static inline void emit64(emit *e, uint64_t v)
{
    emit32(e, (uint32_t)v);
    emit32(e, (uint32_t)(v >> 32));
}

/* Opcodes carry their map and mandatory prefix: 0x0F.. two bytes, 0x0F38.., 0x0F3A.., and prefix << 24 (0x66, 0xF2, 0xF3). */
#define OP_66 0x66000000u
#define OP_F2 0xF2000000u
#define OP_F3 0xF3000000u

/* What the operand-size needs. W64: REX.W. W8: byte registers, so that SIL, DIL need a REX. */
enum { W32 = 0, W64 = 1, W8 = 2, W16 = 4 };

static inline void emit_opcode(emit *e, unsigned op, unsigned w, unsigned reg, unsigned index, unsigned rm, bool rm_is_byte_reg)
{
    unsigned rex = (w & W64 ? 8u : 0u) | (reg & 8) >> 1 | (index & 8) >> 2 | (rm & 8) >> 3;
    bool force = (w & W8) && ((reg >= RSP && reg <= RDI) || (rm_is_byte_reg && rm >= RSP && rm <= RDI));
    emit_room(e);
    if (w & W16)
        put8(e, 0x66);
    if (op >> 24)
        put8(e, op >> 24);
    if (rex || force)
        put8(e, 0x40 | rex);
    if (op & 0xff0000)
        put8(e, op >> 16 & 0xff);
    if (op & 0xffff00)
        put8(e, op >> 8 & 0xff);
    put8(e, op & 0xff);
}

static inline void emit_rr(emit *e, unsigned op, unsigned w, unsigned reg, unsigned rm)
{
    emit_opcode(e, op, w, reg, 0, rm, true);
    put8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

static inline void emit_rm(emit *e, unsigned op, unsigned w, unsigned reg, unsigned base, int32_t disp)
{
    emit_opcode(e, op, w, reg, 0, base, false);
    unsigned mod = disp == 0 && (base & 7) != RBP ? 0 : disp == (int8_t)disp ? 1 : 2;
    put8(e, mod << 6 | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == RSP)
        put8(e, 0x24);
    if (mod == 1)
        put8(e, (uint8_t)disp);
    else if (mod == 2)
        put32(e, (uint32_t)disp);
}

/* [base + index << scale + disp]; index is not RSP. */
static inline void emit_rx(emit *e, unsigned op, unsigned w, unsigned reg, unsigned base, unsigned index, unsigned scale,
                           int32_t disp)
{
    emit_opcode(e, op, w, reg, index, base, false);
    unsigned mod = disp == 0 && (base & 7) != RBP ? 0 : disp == (int8_t)disp ? 1 : 2;
    put8(e, mod << 6 | (reg & 7) << 3 | 4);
    put8(e, scale << 6 | (index & 7) << 3 | (base & 7));
    if (mod == 1)
        put8(e, (uint8_t)disp);
    else if (mod == 2)
        put32(e, (uint32_t)disp);
}

/* Group 1 (add or adc sbb and sub xor cmp = 0..7) with an immediate that fits in 32 signed bits. */
static inline void emit_alu_ri(emit *e, unsigned group, unsigned w, unsigned rm, int32_t imm)
{
    bool small = imm == (int8_t)imm;
    emit_opcode(e, w & W8 ? 0x80 : small ? 0x83 : 0x81, w, 0, 0, rm, true);
    put8(e, 0xc0 | group << 3 | (rm & 7));
    if (small || (w & W8)) {
        put8(e, (uint8_t)imm);
    } else if (w & W16) {
        put8(e, (uint8_t)imm);
        put8(e, (uint8_t)(imm >> 8));
    } else {
        put32(e, (uint32_t)imm);
    }
}

static inline void emit_alu_rr(emit *e, unsigned group, unsigned w, unsigned reg, unsigned rm_source)
{
    emit_rr(e, (group << 3) | (w & W8 ? 2 : 3), w, reg, rm_source);
}

static inline void emit_mov_rr(emit *e, unsigned w, unsigned d, unsigned s)
{
    emit_rr(e, 0x8b, w & W64, d, s);
}

static inline void emit_mov_ri(emit *e, unsigned d, uint64_t imm)
{
    if (!imm) {
        emit_rr(e, 0x33, W32, d, d); /* clobbers flags: callers that hold flags use emit_mov_ri_keep */
    } else if (imm <= UINT32_MAX) {
        emit_opcode(e, 0xb8 | (d & 7), W32, 0, 0, d, false);
        put32(e, (uint32_t)imm);
    } else if ((int64_t)imm == (int32_t)imm) {
        emit_rr(e, 0xc7, W64, 0, d);
        put32(e, (uint32_t)imm);
    } else {
        emit_opcode(e, 0xb8 | (d & 7), W64, 0, 0, d, false);
        put32(e, (uint32_t)imm);
        put32(e, (uint32_t)(imm >> 32));
    }
}

static inline void emit_mov_ri_keep(emit *e, unsigned d, uint64_t imm)
{
    if (imm) {
        emit_mov_ri(e, d, imm);
    } else {
        emit_opcode(e, 0xb8 | (d & 7), W32, 0, 0, d, false);
        put32(e, 0);
    }
}

/* Shift group 2 (rol ror rcl rcr shl shr - sar = 0..7) by an immediate. */
static inline void emit_shift_ri(emit *e, unsigned group, unsigned w, unsigned rm, unsigned count)
{
    emit_opcode(e, w & W8 ? 0xc0 : 0xc1, w, 0, 0, rm, true);
    put8(e, 0xc0 | group << 3 | (rm & 7));
    put8(e, count);
}

/* Group 3 (test - not neg mul imul div idiv = 0..7). */
static inline void emit_group3(emit *e, unsigned group, unsigned w, unsigned rm)
{
    emit_rr(e, w & W8 ? 0xf6 : 0xf7, w, group, rm);
}

/* VEX, three-byte form: map 1..3 (0F, 0F38, 0F3A), pp 0..3 (none, 66, F3, F2). vvvv: the extra register. */
static inline void emit_vex_rr(emit *e, unsigned map, unsigned pp, unsigned w, unsigned l, unsigned op, unsigned reg,
                               unsigned vvvv, unsigned rm)
{
    emit_room(e);
    put8(e, 0xc4);
    put8(e, (~reg & 8) << 4 | 0x40 | (~rm & 8) << 2 | map);
    put8(e, (w & W64 ? 0x80u : 0u) | (~vvvv & 15) << 3 | l << 2 | pp);
    put8(e, op);
    put8(e, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

/* Jumps. A forward jump returns the offset just after its rel32; emit_here patches it. */
static inline uint32_t emit_jcc(emit *e, unsigned cc)
{
    emit_room(e);
    put8(e, 0x0f);
    put8(e, 0x80 | cc);
    put32(e, 0);
    return emit_at(e);
}

static inline uint32_t emit_jmp(emit *e)
{
    emit_room(e);
    put8(e, 0xe9);
    put32(e, 0);
    return emit_at(e);
}

static inline void emit_patch(emit *e, uint32_t after, uint32_t target)
{
    int32_t rel = (int32_t)(target - after);
    if (!e->full)
        memcpy(e->start + after - 4, &rel, 4);
}

static inline void emit_here(emit *e, uint32_t after)
{
    emit_patch(e, after, emit_at(e));
}

/* Short forward jump over less than 128 bytes. */
static inline uint32_t emit_jcc8(emit *e, unsigned cc)
{
    emit8(e, 0x70 | cc);
    emit8(e, 0);
    return emit_at(e);
}

static inline void emit_here8(emit *e, uint32_t after)
{
    if (!e->full)
        e->start[after - 1] = (uint8_t)(emit_at(e) - after);
}

#endif
