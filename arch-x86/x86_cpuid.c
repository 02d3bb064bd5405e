/* CPUID of a model, from its features: SDM 2A "CPUID". What is not among the features is not
 * advertised, and its instructions are #UD. */
#include <string.h>

#include "x86_helpers.h"

/* Leaf, register (0 eax, 1 ebx, 2 ecx, 3 edx), bit. */
typedef struct row {
    uint64_t feature;
    uint32_t leaf;
    uint8_t reg, bit;
} row;
enum { EAX, EBX, ECX, EDX };
static const row rows[] = {
    {X86_FEAT(I486), 1, EDX, 4}, /* TSC */
    {X86_FEAT(CX8), 1, EDX, 8},
    {X86_FEAT(CMOV), 1, EDX, 15},
    {X86_FEAT(SSE2), 1, EDX, 19}, /* CLFSH */
    {X86_FEAT(FPU), 1, EDX, 0},
    {X86_FEAT(MMX), 1, EDX, 23},
    {X86_FEAT(FXSR), 1, EDX, 24},
    {X86_FEAT(XSAVE), 1, ECX, 26},
    {X86_FEAT(XSAVE), 1, ECX, 27}, /* OSXSAVE */
    {X86_FEAT(FPU), 7, EBX, 13}, /* FCS and FDS are zero */
    {X86_FEAT(FPU), 0x80000001, EDX, 0},
    {X86_FEAT(MMX), 0x80000001, EDX, 23},
    {X86_FEAT(FXSR), 0x80000001, EDX, 24},
    {X86_FEAT(SSE), 1, EDX, 25},
    {X86_FEAT(SSE2), 1, EDX, 26},
    {X86_FEAT(SSE3), 1, ECX, 0},
    {X86_FEAT(SSSE3), 1, ECX, 9},
    {X86_FEAT(CX16), 1, ECX, 13},
    {X86_FEAT(SSE41), 1, ECX, 19},
    {X86_FEAT(SSE42), 1, ECX, 20},
    {X86_FEAT(MOVBE), 1, ECX, 22},
    {X86_FEAT(POPCNT), 1, ECX, 23},
    {X86_FEAT(RDRAND), 1, ECX, 30},
    {X86_FEAT(FSGSBASE), 7, EBX, 0},
    {X86_FEAT(BMI1), 7, EBX, 3},
    {X86_FEAT(BMI2), 7, EBX, 8},
    {X86_FEAT(RDSEED), 7, EBX, 18},
    {X86_FEAT(ADX), 7, EBX, 19},
    {X86_FEAT(CLFLUSHOPT), 7, EBX, 23},
    {X86_FEAT(CLWB), 7, EBX, 24},
    {X86_FEAT(RDPID), 7, ECX, 22},
    {X86_FEAT(LAHF64), 0x80000001, ECX, 0},
    {X86_FEAT(LZCNT), 0x80000001, ECX, 5},
    {X86_FEAT(LONG), 0x80000001, EDX, 11},
    {X86_FEAT(RDTSCP), 0x80000001, EDX, 27},
    {X86_FEAT(LONG), 0x80000001, EDX, 29},
    {X86_FEAT(LONG), 0x80000001, EDX, 20},
};

/* x87, SSE, AVX: the standard form's offsets and sizes. */
static void state_components(const x86_state *s, const x86_model *m, uint32_t sub, uint32_t v[4])
{
    bool avx = s->xcr0 & 4;
    if (sub == 0) {
        v[EAX] = (uint32_t)s->xcr0;
        v[EBX] = v[ECX] = avx ? 832 : 576;
    } else if (sub == 1) {
        v[EAX] = (m->features & X86_FEAT(XSAVEOPT) ? 1 : 0) | (m->features & X86_FEAT(XSAVEC) ? 6 : 0);
        v[EBX] = avx ? 832 : 576;
    } else if (sub == 2 && avx) {
        v[EAX] = 256;
        v[EBX] = 576;
    }
}

void x86_cpuid(oryx_cpu *cpu)
{
    x86_state *s = (x86_state *)(void *)cpu->state;
    const x86_model *m = x86_model_of(cpu);
    uint32_t leaf = (uint32_t)s->r[X86_RAX], sub = (uint32_t)s->r[X86_RCX], v[4] = {0};
    uint32_t top = m->features & X86_FEAT(XSAVE) ? 13 : m->features & X86_FEAT(BMI1) ? 7 : 1, etop = 0x80000008;
    if (leaf >= 0x80000000 ? leaf > etop : leaf > top)
        leaf = top;
    switch (leaf) {
    case 0:
        v[EAX] = top;
        memcpy(&v[EBX], "Genu", 4);
        memcpy(&v[EDX], "ineI", 4);
        memcpy(&v[ECX], "ntel", 4);
        break;
    case 1:
        v[EAX] = m->signature;
        v[EBX] = 0x00010800; /* one logical processor, lines of 64 bytes */
        v[EDX] = 1u << 13;   /* PGE */
        break;
    case 13: /* state components of XSAVE */
        state_components(s, m, sub, v);
        break;
    case 0x80000000:
        v[EAX] = etop;
        break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
        char name[48] = "";
        strncpy(name, m->text, sizeof name - 1);
        memcpy(v, name + 16 * (leaf - 0x80000002), 16);
        break;
    }
    case 0x80000008:
        v[EAX] = 0x3028;
        break; /* 48 linear, 40 physical address bits */
    default:
        break;
    }
    if ((leaf != 7 && leaf != 13) || sub == 0)
        for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (rows[i].leaf == leaf && m->features & rows[i].feature)
                v[rows[i].reg] |= 1u << rows[i].bit;
    s->r[X86_RAX] = v[EAX];
    s->r[X86_RBX] = v[EBX];
    s->r[X86_RCX] = v[ECX];
    s->r[X86_RDX] = v[EDX];
}
