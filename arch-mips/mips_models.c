/* The CPU models of the MIPS classes: what a row may do, the MMU, Config and the bits of Status that exist.
 *
 * Read by mips.c (features, identity) and mips_cp0.c (registers). Config names what this CPU has here: a core that has EJTAG, watch
 * registers or performance counters reads as one without. Byte order (Config0.BE) is the class's. */
#include "mips_sys.h"

#define OLD1 (MIPS_FEAT_BASE | MIPS_FEAT_BASE_5)
#define OLD2 (OLD1 | MIPS_FEAT_M2 | MIPS_FEAT_M2_5)
#define OLD3 (OLD2 | MIPS_FEAT_ERET | MIPS_FEAT_M3 | MIPS_FEAT_M3_5)
#define OLD4 (OLD3 | MIPS_FEAT_M4 | MIPS_FEAT_M4_5)
#define FP (MIPS_FEAT_FPU | MIPS_FEAT_FPU_5)
#define FP64 (FP | MIPS_FEAT_FPU_64)
#define M32R1 (OLD2 | MIPS_FEAT_ERET | MIPS_FEAT_M4 | MIPS_FEAT_M4_5 | MIPS_FEAT_R1 | MIPS_FEAT_R1_5)
#define M32R2 (M32R1 | MIPS_FEAT_R2)
#define M32R5 (M32R2 | MIPS_FEAT_MVH | MIPS_FEAT_EVA | MIPS_FEAT_EVA_5 | MIPS_FEAT_R5)
#define M64R1 (M32R1 | OLD4 | MIPS_FEAT_R1_64 | MIPS_FEAT_R1_64_5)
#define M64R2 (M64R1 | M32R2 | MIPS_FEAT_R2_64)
#define M32R6 (MIPS_FEAT_BASE | MIPS_FEAT_ERET | MIPS_FEAT_M2 | MIPS_FEAT_M4 | MIPS_FEAT_R1 | MIPS_FEAT_R2 | MIPS_FEAT_R6 | MIPS_FEAT_FPU | MIPS_FEAT_R5)
#define MSA (MIPS_FEAT_MSA | MIPS_FEAT_MSA_LSA)
#define MSA64 (MSA | MIPS_FEAT_MSA_64 | MIPS_FEAT_MSA_LSA_64)
#define DSP MIPS_FEAT_DSP
#define DSP2 (DSP | MIPS_FEAT_DSP2)
#define M64R6 (M32R6 | MIPS_FEAT_M3 | MIPS_FEAT_R1_64 | MIPS_FEAT_R2_64 | MIPS_FEAT_R6_64 | MIPS_FEAT_FPU_64 | MIPS_FEAT_MVH)

/* Status: CU0, BEV, SR, NMI, interrupt masks, UM or KSU, ERL, EXL, IE; and CU1, FR of an FPU; RP; KX, SX, UX; PX. */
#define ST_BASE (ST_CU(0) | ST_BEV | ST_SR | ST_NMI | ST_IM | 0x10u | ST_ERL | ST_EXL | ST_IE)
#define ST_FPU (ST_CU(1) | ST_FR)
#define ST_SUPER 0x8u
#define ST_RP 0x8000000u
#define ST_X (ST_KX | ST_SX | ST_UX | ST_SUPER)

/* Config0: M, architecture, MMU type. K0 is 2 after reset. */
#define C0(at, rel, mt) (0x80000002u | (at) << 13 | (rel) << 10 | (mt) << 7)
/* Config1: more, TLB entries, caches (sets, line, ways of I and D as encoded), FPU. */
#define C1(more, tlb, caches, fpu) ((more) << 31 | ((tlb)-1) << 25 | (caches) << 7 | (fpu))
#define CACHES(is, il, ia, ds, dl, da) ((is) << 15 | (il) << 12 | (ia) << 9 | (ds) << 6 | (dl) << 3 | (da))
#define K32 CACHES(2u, 4u, 3u, 2u, 4u, 3u) /* 32 KiB, four ways of 32-byte lines, each */
#define K16 CACHES(2u, 3u, 3u, 2u, 3u, 3u) /* 16 KiB, four ways of 16-byte lines, each */
#define C2 0x80000000u
#define C3_ULRI 0x2000u
#define C3_RXI 0x1000u
#define C3_VINT 0x20u
#define C3_LPA 0x80u
#define C3_DSP 0x400u
#define C3_DSP2 0xc00u
#define C3_MSA 0x10000000u
#define C4_IE 0x60000000u  /* TLBINV and TLBINVF */
#define C4_KSCR 0x00fc0000u
#define C5_NF 1u
#define C5_LLB 0x10u
#define C5_MVH 0x20u
#define C5_XNP 0x2000u
#define C5_CRCP 0x40000u
#define C5_EVA 0x10000000u
#define MORE 0x80000000u

/* The default comes first. */
const mips_model mips_models32[] = {
    { "24kf", "MIPS32 Release 2 with FPU", M32R2 | FP, 0x00019300, 0x00f30093, MIPS_MMU_TLB, 16, 31, 32, 2,
      { C0(0u, 1u, 1u), C1(1u, 16u, K32, 1u), C2, C3_VINT }, ST_BASE | ST_FPU | ST_SUPER | ST_RP, 0, 0, 0 },
    { "r3000", "MIPS I with FPU", OLD1 | FP | MIPS_FEAT_R3000, 0x00000220, 0x00000300, MIPS_MMU_R3000, 64, 31, 32, 0,
      { 0 }, 0xf045ff3f, 0, 0, 0 },
    { "4kc", "MIPS32 Release 1", M32R1, 0x00018000, 0, MIPS_MMU_TLB, 16, 31, 32, 1,
      { C0(0u, 0u, 1u), C1(0u, 16u, K16, 0u) }, ST_BASE | ST_RP, 0, 0, 0 },
    { "4km", "MIPS32 Release 1, fixed mapping", M32R1, 0x00018300, 0, MIPS_MMU_FIXED, 1, 31, 32, 1,
      { C0(0u, 0u, 3u) | 2u << 28 | 2u << 25, C1(0u, 1u, K16, 0u) }, ST_BASE | ST_RP, 0, 0, 0 },
    { "34kf", "MIPS32 Release 2 with FPU and DSP, no MT", M32R2 | FP | DSP, 0x00019500, 0x00f30095, MIPS_MMU_TLB, 64, 31, 32, 2,
      { C0(0u, 1u, 1u), C1(1u, 64u, K32, 1u), C2, C3_VINT | C3_ULRI | C3_DSP }, ST_BASE | ST_FPU | ST_SUPER | ST_RP | ST_MX, 0, 0, 0 },
    { "74kf", "MIPS32 Release 2 with FPU and DSP revision 2", M32R2 | FP | DSP2, 0x00019700, 0x00f30097, MIPS_MMU_TLB, 64, 31, 32, 2,
      { C0(0u, 1u, 1u), C1(1u, 64u, K32, 1u), C2, C3_VINT | C3_ULRI | C3_DSP2 }, ST_BASE | ST_FPU | ST_SUPER | ST_RP | ST_MX, 0, 0, 0 },
    { "mips32r5", "MIPS32 Release 5 with FPU and EVA", M32R5 | FP, 0x0001a800, 0x30f30000, MIPS_MMU_TLB, 64, 31, 32, 5,
      { C0(0u, 1u, 1u), C1(1u, 64u, K32, 1u), C2, MORE | C3_VINT | C3_ULRI | C3_RXI, MORE | C4_IE | C4_KSCR,
        C5_EVA | C5_MVH | C5_LLB | C5_NF }, ST_BASE | ST_FPU | ST_SUPER, C5_UFR | C5_FRE | C5_UFE, 0xfc, 0 },
    { "p5600", "MIPS32 Release 5 with FPU, MSA and EVA", M32R5 | FP | MSA, 0x0001a800, 0x30f30320, MIPS_MMU_TLB, 64, 31, 32, 5,
      { C0(0u, 1u, 1u), C1(1u, 64u, K32, 1u), C2, MORE | C3_VINT | C3_ULRI | C3_RXI | C3_MSA, MORE | C4_IE | C4_KSCR,
        C5_EVA | C5_MVH | C5_LLB | C5_NF }, ST_BASE | ST_FPU | ST_SUPER, C5_UFR | C5_FRE | C5_UFE | C5_MSAEN, 0xfc, 0x300 },
    { "mips32r6", "MIPS32 Release 6 with FPU", M32R6 | MIPS_FEAT_XNP | MIPS_FEAT_CRC, 0x00010000, 0x20f30000, MIPS_MMU_TLB, 32, 31, 32, 6,
      { C0(0u, 2u, 1u), C1(1u, 32u, K32, 1u), C2, MORE | C3_VINT | C3_ULRI | C3_RXI, MORE | C4_IE | C4_KSCR, C5_LLB | C5_NF | C5_CRCP },
      ST_BASE | ST_CU(1), C5_FRE | C5_UFE, 0xfc, 0 },
    { "mips32r6-generic", "mips32r6", M32R6 | MIPS_FEAT_XNP | MIPS_FEAT_CRC, 0x00010000, 0x20f30000, MIPS_MMU_TLB, 32, 31, 32, 6,
      { C0(0u, 2u, 1u), C1(1u, 32u, K32, 1u), C2, MORE | C3_VINT | C3_ULRI | C3_RXI, MORE | C4_IE | C4_KSCR, C5_LLB | C5_NF | C5_CRCP },
      ST_BASE | ST_CU(1), C5_FRE | C5_UFE, 0xfc, 0 },
};
const unsigned mips_n_models32 = sizeof mips_models32 / sizeof mips_models32[0];

const mips_model mips_models64[] = {
    { "mips64r2", "MIPS64 Release 2 with FPU", M64R2 | FP64 | MIPS_FEAT_PS, 0x00010000, 0x00f70000, MIPS_MMU_TLB, 64, 42, 36, 2,
      { C0(2u, 1u, 1u), C1(1u, 64u, K32, 1u), C2, C3_VINT | C3_LPA | C3_ULRI }, ST_BASE | ST_FPU | ST_X | ST_PX, 0, 0, 0 },
    { "r4000", "MIPS III with FPU", OLD3 | FP64, 0x00000400, 0x00000500, MIPS_MMU_TLB, 48, 40, 36, 0,
      { 0x00006412 }, 0xf840ff00 | ST_FPU | ST_X | ST_SR | 0x10u | ST_ERL | ST_EXL | ST_IE, 0, 0, 0 },
    { "5kf", "MIPS64 Release 1 with FPU", M64R1 | FP64, 0x00018100, 0x00f30081, MIPS_MMU_TLB, 32, 42, 36, 1,
      { C0(2u, 0u, 1u), C1(0u, 32u, K32, 1u) }, ST_BASE | ST_FPU | ST_X | ST_PX, 0, 0, 0 },
    { "20kc", "MIPS64 Release 1 with FPU and paired single", M64R1 | FP64 | MIPS_FEAT_PS, 0x00018200, 0x00f78200, MIPS_MMU_TLB, 48, 40,
      36, 1, { C0(2u, 0u, 1u), C1(0u, 48u, K32, 1u) }, ST_BASE | ST_FPU | ST_X | ST_PX, 0, 0, 0 },
    { "octeon", "MIPS64 Release 2 with Octeon's base instructions, no FPU", M64R2 | MIPS_FEAT_OCTEON, 0x000d0000, 0, MIPS_MMU_TLB, 64, 49,
      49, 2, { C0(2u, 1u, 1u), C1(1u, 64u, K32, 0u), C2, C3_VINT | C3_LPA | C3_ULRI }, ST_BASE | ST_CU(2) | ST_X | ST_PX, 0, 0, 0 },
    { "mips64r6", "MIPS64 Release 6 with FPU", M64R6 | MIPS_FEAT_XNP | MIPS_FEAT_XNP_64 | MIPS_FEAT_CRC | MIPS_FEAT_CRC_64, 0x00010000, 0x20f30000, MIPS_MMU_TLB, 64, 48, 48, 6,
      { C0(2u, 2u, 1u), C1(1u, 64u, K32, 1u), C2, MORE | C3_VINT | C3_ULRI | C3_RXI | C3_LPA, MORE | C4_IE | C4_KSCR,
        C5_LLB | C5_MVH | C5_NF | C5_CRCP }, ST_BASE | ST_CU(1) | ST_X, C5_FRE | C5_UFE, 0xfc, 0 },
    { "i6400", "MIPS64 Release 6 with FPU and MSA", M64R6 | MSA64, 0x0001a900, 0x20f30300, MIPS_MMU_TLB, 16, 48, 48, 6,
      { C0(2u, 2u, 1u), C1(1u, 16u, K32, 1u), C2, MORE | C3_VINT | C3_ULRI | C3_RXI | C3_LPA | C3_MSA, MORE | C4_IE | C4_KSCR,
        C5_LLB | C5_MVH | C5_NF | C5_XNP }, ST_BASE | ST_CU(1) | ST_X, C5_FRE | C5_UFE | C5_MSAEN, 0xfc, 0x300 },
};
const unsigned mips_n_models64 = sizeof mips_models64 / sizeof mips_models64[0];
