/* What the exact-width proof executes on each architecture, and which accesses the manual gives each instruction: DDI 0487 (A64;
 * AArch32: a list is a sequence of words, E2.2.1), MD00087, SDM volume 2. Two choices of the frontends are written here as they
 * are: a doubleword register of AArch32's VFP is one access of 8, and LDRD one of 4 for each register. */
#ifndef EXACT_WIDTH_INSNS_H
#define EXACT_WIDTH_INSNS_H

#include <stdint.h>

struct touch {
    uint64_t offset;
    uint32_t size, write, rep;
};

/* Where the address goes beside the first register (x0, r0, r4, rcx): for x86 the stack's top after a push of 8 or before a
 * pop, the source or the destination of a string; for MIPS whose bytes of the aligned word it accesses, left or right. */
enum { PLAIN, PUSH, POP, SOURCE, TARGET, LEFT, RIGHT };

struct insn {
    const char *name;
    uint8_t how, align, n_bytes, n;
    uint8_t bytes[12]; /* or words, lowest byte first */
    struct {
        uint8_t offset, size, write;
    } at[6];
};

#define W1(w) {(w) & 0xff, (w) >> 8 & 0xff, (w) >> 16 & 0xff, (w) >> 24}
#define RD(size) {{0, size, 0}}
#define WR(size) {{0, size, 1}}
#define RW(size) {{0, size, 0}, {0, size, 1}}

#define WORD_RD(name, word, size, align) {name, PLAIN, align, 4, 1, W1(word), RD(size)}
#define WORD_WR(name, word, size, align) {name, PLAIN, align, 4, 1, W1(word), WR(size)}

static const struct insn insns_a64[] = {
    WORD_RD("ldrb", 0x39400001u, 1, 1),
    WORD_RD("ldrh", 0x79400001u, 2, 1),
    WORD_RD("ldr w", 0xb9400001u, 4, 1),
    WORD_RD("ldr x", 0xf9400001u, 8, 1),
    WORD_RD("ldrsb", 0x39800001u, 1, 1),
    WORD_RD("ldrsw", 0xb9800001u, 4, 1),
    WORD_WR("strb", 0x39000001u, 1, 1),
    WORD_WR("strh", 0x79000001u, 2, 1),
    WORD_WR("str w", 0xb9000001u, 4, 1),
    WORD_WR("str x", 0xf9000001u, 8, 1),
    WORD_RD("ldr b", 0x3d400001u, 1, 1),
    WORD_RD("ldr d", 0xfd400001u, 8, 1),
    WORD_WR("str d", 0xfd000001u, 8, 1),
    {"ldr q", PLAIN, 1, 4, 2, W1(0x3dc00001u), {{0, 8, 0}, {8, 8, 0}}},
    {"str q", PLAIN, 1, 4, 2, W1(0x3d800001u), {{0, 8, 1}, {8, 8, 1}}},
    {"ldp x", PLAIN, 1, 4, 2, W1(0xa9400801u), {{0, 8, 0}, {8, 8, 0}}},
    {"stp x", PLAIN, 1, 4, 2, W1(0xa9000801u), {{0, 8, 1}, {8, 8, 1}}},
    {"ldp w", PLAIN, 1, 4, 2, W1(0x29400801u), {{0, 4, 0}, {4, 4, 0}}},
    {"ldp q", PLAIN, 1, 4, 4, W1(0xad400801u), {{0, 8, 0}, {8, 8, 0}, {16, 8, 0}, {24, 8, 0}}},
    {"swp w", PLAIN, 4, 4, 2, W1(0xb8218002u), RW(4)},
    {"ldadd x", PLAIN, 8, 4, 2, W1(0xf8210002u), RW(8)},
    WORD_RD("ldar", 0xc8dffc01u, 8, 8),
    WORD_WR("stlr", 0xc89ffc01u, 8, 8),
    WORD_RD("ldxr", 0xc85f7c01u, 8, 8),
};

static const struct insn insns_a32[] = {
    WORD_RD("ldrb", 0xe5d01000u, 1, 1),
    WORD_RD("ldrh", 0xe1d010b0u, 2, 1),
    WORD_RD("ldr", 0xe5901000u, 4, 1),
    WORD_RD("ldrsb", 0xe1d010d0u, 1, 1),
    WORD_RD("ldrsh", 0xe1d010f0u, 2, 1),
    WORD_WR("strb", 0xe5c01000u, 1, 1),
    WORD_WR("strh", 0xe1c010b0u, 2, 1),
    WORD_WR("str", 0xe5801000u, 4, 1),
    {"ldrd", PLAIN, 4, 4, 2, W1(0xe1c020d0u), {{0, 4, 0}, {4, 4, 0}}},
    {"strd", PLAIN, 4, 4, 2, W1(0xe1c020f0u), {{0, 4, 1}, {4, 4, 1}}},
    {"ldm", PLAIN, 4, 4, 3, W1(0xe890000eu), {{0, 4, 0}, {4, 4, 0}, {8, 4, 0}}},
    {"stm", PLAIN, 4, 4, 3, W1(0xe880000eu), {{0, 4, 1}, {4, 4, 1}, {8, 4, 1}}},
    WORD_RD("vldr s", 0xed900a00u, 4, 4),
    WORD_RD("vldr d", 0xed900b00u, 8, 4),
    WORD_WR("vstr d", 0xed800b00u, 8, 4),
    {"vldm s", PLAIN, 4, 4, 3, W1(0xec900a03u), {{0, 4, 0}, {4, 4, 0}, {8, 4, 0}}},
    {"vldm d", PLAIN, 4, 4, 2, W1(0xec900b04u), {{0, 8, 0}, {8, 8, 0}}},
    {"vstm d", PLAIN, 4, 4, 2, W1(0xec800b04u), {{0, 8, 1}, {8, 8, 1}}},
    WORD_RD("ldrexd", 0xe1b02f9fu, 8, 8),
    WORD_RD("ldrex", 0xe1901f9fu, 4, 4),
};

#define HALF(name, insn, size, write) {name, PLAIN, 1, 2, 1, {(insn) & 0xff, (insn) >> 8}, {{0, size, write}}}
/* 32-bit encodings: the first halfword comes first. */
#define T32(hi, lo) {(hi) & 0xff, (hi) >> 8, (lo) & 0xff, (lo) >> 8}
static const struct insn insns_t32[] = {
    HALF("ldrb", 0x7801, 1, 0),
    HALF("ldrh", 0x8801, 2, 0),
    HALF("ldr", 0x6801, 4, 0),
    HALF("strb", 0x7001, 1, 1),
    HALF("strh", 0x8001, 2, 1),
    HALF("str", 0x6001, 4, 1),
    {"ldm", PLAIN, 4, 2, 2, {0x06, 0xc8}, {{0, 4, 0}, {4, 4, 0}}},
    {"stm", PLAIN, 4, 2, 2, {0x06, 0xc0}, {{0, 4, 1}, {4, 4, 1}}},
    {"ldr.w", PLAIN, 1, 4, 1, T32(0xf8d0, 0x1000), RD(4)},
    {"ldrsh.w", PLAIN, 1, 4, 1, T32(0xf9b0, 0x1000), RD(2)},
    {"ldrd", PLAIN, 4, 4, 2, T32(0xe9d0, 0x2300), {{0, 4, 0}, {4, 4, 0}}},
    {"strd", PLAIN, 4, 4, 2, T32(0xe9c0, 0x2300), {{0, 4, 1}, {4, 4, 1}}},
    {"ldm.w", PLAIN, 4, 4, 3, T32(0xe890, 0x000e), {{0, 4, 0}, {4, 4, 0}, {8, 4, 0}}},
    {"vldm d", PLAIN, 4, 4, 2, T32(0xec90, 0x0b04), {{0, 8, 0}, {8, 8, 0}}},
};

/* A branch, and a load or store in its delay slot. */
#define IN_SLOT(name, word, size, write) \
    {name, PLAIN, size, 8, 1, {1, 0, 0, 0x10, (word) & 0xff, (word) >> 8 & 0xff, (word) >> 16 & 0xff, (word) >> 24}, {{0, size, write}}}
#define MIPS_COMMON \
    WORD_RD("lb", 0x80820000u, 1, 1), WORD_RD("lbu", 0x90820000u, 1, 1), WORD_RD("lh", 0x84820000u, 2, 2), \
        WORD_RD("lhu", 0x94820000u, 2, 2), WORD_RD("lw", 0x8c820000u, 4, 4), WORD_WR("sb", 0xa0820000u, 1, 1), \
        WORD_WR("sh", 0xa4820000u, 2, 2), WORD_WR("sw", 0xac820000u, 4, 4), WORD_RD("lwc1", 0xc4820000u, 4, 4), \
        WORD_RD("ldc1", 0xd4820000u, 8, 8), WORD_WR("sdc1", 0xf4820000u, 8, 8), WORD_RD("ll", 0xc0820000u, 4, 4), \
        IN_SLOT("b; lw", 0x8c820000u, 4, 0), IN_SLOT("b; sh", 0xa4820000u, 2, 1), \
        {"lwl", LEFT, 1, 4, 0, W1(0x88820000u), RD(4)}, {"lwr", RIGHT, 1, 4, 0, W1(0x98820000u), RD(4)}, \
        {"swl", LEFT, 1, 4, 0, W1(0xa8820000u), WR(4)}, {"swr", RIGHT, 1, 4, 0, W1(0xb8820000u), WR(4)}
static const struct insn insns_mips[] = {MIPS_COMMON};
static const struct insn insns_mips64[] = {
    MIPS_COMMON,
    WORD_RD("lwu", 0x9c820000u, 4, 4),
    WORD_RD("ld", 0xdc820000u, 8, 8),
    WORD_WR("sd", 0xfc820000u, 8, 8),
    IN_SLOT("b; ld", 0xdc820000u, 8, 0),
    {"ldl", LEFT, 1, 4, 0, W1(0x68820000u), RD(8)},
    {"ldr", RIGHT, 1, 4, 0, W1(0x6c820000u), RD(8)},
    {"sdl", LEFT, 1, 4, 0, W1(0xb0820000u), WR(8)},
    {"sdr", RIGHT, 1, 4, 0, W1(0xb4820000u), WR(8)},
};

#define THREE(size, w) {{0, size, w}, {size, size, w}, {2 * size, size, w}}
#define X86_COMMON \
    {"mov al, m", PLAIN, 1, 2, 1, {0x8a, 0x01}, RD(1)}, {"mov ax, m", PLAIN, 1, 3, 1, {0x66, 0x8b, 0x01}, RD(2)}, \
        {"mov eax, m", PLAIN, 1, 2, 1, {0x8b, 0x01}, RD(4)}, {"movzx eax, m8", PLAIN, 1, 3, 1, {0x0f, 0xb6, 0x01}, RD(1)}, \
        {"movzx eax, m16", PLAIN, 1, 3, 1, {0x0f, 0xb7, 0x01}, RD(2)}, {"movsx eax, m8", PLAIN, 1, 3, 1, {0x0f, 0xbe, 0x01}, RD(1)}, \
        {"mov m, al", PLAIN, 1, 2, 1, {0x88, 0x01}, WR(1)}, {"mov m, ax", PLAIN, 1, 3, 1, {0x66, 0x89, 0x01}, WR(2)}, \
        {"mov m, eax", PLAIN, 1, 2, 1, {0x89, 0x01}, WR(4)}, {"mov m32, imm", PLAIN, 1, 6, 1, {0xc7, 0x01, 1, 2, 3, 4}, WR(4)}, \
        {"cmp m, eax", PLAIN, 1, 2, 1, {0x39, 0x01}, RD(4)}, {"add m, eax", PLAIN, 1, 2, 2, {0x01, 0x01}, RW(4)}, \
        {"inc m8", PLAIN, 1, 2, 2, {0xfe, 0x01}, RW(1)}, {"xchg m, eax", PLAIN, 1, 2, 2, {0x87, 0x01}, RW(4)}, \
        {"lock add m, eax", PLAIN, 1, 3, 2, {0xf0, 0x01, 0x01}, RW(4)}, {"lodsb", SOURCE, 1, 1, 1, {0xac}, RD(1)}, \
        {"lodsd", SOURCE, 1, 1, 1, {0xad}, RD(4)}, {"stosw", TARGET, 1, 2, 1, {0x66, 0xab}, WR(2)}, \
        {"rep lodsw", SOURCE, 1, 3, 3, {0xf3, 0x66, 0xad}, THREE(2, 0)}, {"rep stosb", TARGET, 1, 2, 3, {0xf3, 0xaa}, THREE(1, 1)}, \
        {"rep stosd", TARGET, 1, 2, 3, {0xf3, 0xab}, THREE(4, 1)}, {"rep movsb from m", SOURCE, 1, 2, 3, {0xf3, 0xa4}, THREE(1, 0)}, \
        {"rep movsb to m", TARGET, 1, 2, 3, {0xf3, 0xa4}, THREE(1, 1)}, {"rep movsd from m", SOURCE, 1, 2, 3, {0xf3, 0xa5}, THREE(4, 0)}, \
        {"rep movsd to m", TARGET, 1, 2, 3, {0xf3, 0xa5}, THREE(4, 1)}, {"movd xmm0, m", PLAIN, 1, 4, 1, {0x66, 0x0f, 0x6e, 0x01}, RD(4)}, \
        {"movss xmm0, m", PLAIN, 1, 4, 1, {0xf3, 0x0f, 0x10, 0x01}, RD(4)}, {"movsd m, xmm0", PLAIN, 1, 4, 1, {0xf2, 0x0f, 0x11, 0x01}, WR(8)}, \
        {"movq xmm0, m", PLAIN, 1, 4, 1, {0xf3, 0x0f, 0x7e, 0x01}, RD(8)}, \
        {"movups xmm0, m", PLAIN, 1, 3, 2, {0x0f, 0x10, 0x01}, {{0, 8, 0}, {8, 8, 0}}}, \
        {"movups m, xmm0", PLAIN, 1, 3, 2, {0x0f, 0x11, 0x01}, {{0, 8, 1}, {8, 8, 1}}}, \
        {"movdqa xmm0, m", PLAIN, 16, 4, 2, {0x66, 0x0f, 0x6f, 0x01}, {{0, 8, 0}, {8, 8, 0}}}, \
        {"movntdq m, xmm0", PLAIN, 16, 4, 2, {0x66, 0x0f, 0xe7, 0x01}, {{0, 8, 1}, {8, 8, 1}}}, \
        {"paddb xmm0, m", PLAIN, 16, 4, 2, {0x66, 0x0f, 0xfc, 0x01}, {{0, 8, 0}, {8, 8, 0}}}
static const struct insn insns_i386[] = {
    X86_COMMON,
    {"push eax", PUSH, 1, 1, 1, {0x50}, {{4, 4, 1}}},
    {"pop eax", POP, 1, 1, 1, {0x58}, RD(4)},
    {"push m", PLAIN, 1, 2, 1, {0xff, 0x31}, RD(4)},
};
static const struct insn insns_amd64[] = {
    X86_COMMON,
    {"mov rax, m", PLAIN, 1, 3, 1, {0x48, 0x8b, 0x01}, RD(8)},
    {"mov m, rax", PLAIN, 1, 3, 1, {0x48, 0x89, 0x01}, WR(8)},
    {"movsxd rax, m", PLAIN, 1, 3, 1, {0x48, 0x63, 0x01}, RD(4)},
    {"xadd m, rax", PLAIN, 1, 4, 2, {0x48, 0x0f, 0xc1, 0x01}, RW(8)},
    {"push rax", PUSH, 1, 1, 1, {0x50}, WR(8)},
    {"pop rax", POP, 1, 1, 1, {0x58}, RD(8)},
    {"push m", PLAIN, 1, 2, 1, {0xff, 0x31}, RD(8)},
    {"rep movsq from m", SOURCE, 1, 3, 3, {0xf3, 0x48, 0xa5}, THREE(8, 0)},
    {"rep movsq to m", TARGET, 1, 3, 3, {0xf3, 0x48, 0xa5}, THREE(8, 1)},
};

#endif
