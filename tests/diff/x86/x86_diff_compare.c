/* x86_diff: what of a case must be the same on the host and under Oryx, and what is printed when it is not. Called by
 * x86_diff.c after both made their step. Invariant: what is left out is listed in README.md. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "x86_diff.h"

typedef struct undefined {
    ZydisMnemonic m;
    uint32_t flags;
} undefined;
#define F_C 1u
#define F_P 4u
#define F_A 0x10u
#define F_Z 0x40u
#define F_S 0x80u
#define F_O 0x800u
/* Flags that the manual leaves undefined and the host's makers do not agree on: not compared.
 * README.md has the list. */
static const undefined undefined_flags[] = {
    {ZYDIS_MNEMONIC_DIV, F_C | F_P | F_A | F_Z | F_S | F_O},
    {ZYDIS_MNEMONIC_IDIV, F_C | F_P | F_A | F_Z | F_S | F_O},
};

static uint32_t compared_flags(const insn *i)
{
    uint32_t mask = COMPARED;
    for (unsigned n = 0; n < sizeof undefined_flags / sizeof undefined_flags[0]; n++)
        if (undefined_flags[n].m == i->d.mnemonic)
            mask &= ~undefined_flags[n].flags;
    return mask;
}

/* SHLD and SHRD of 16 bits by 16 (OF) and more: undefined, and the host's makers differ. */
bool undefined_result(const insn *i, const state *s)
{
    if ((i->d.mnemonic != ZYDIS_MNEMONIC_SHLD && i->d.mnemonic != ZYDIS_MNEMONIC_SHRD) ||
        i->op[0].size != 16)
        return false;
    uint64_t count = i->op[2].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ? i->op[2].imm.value.u : s->r[1];
    return (count & 31) >= 16;
}

bool same(const insn *i, const state *h, const state *g, const uint8_t *data)
{
    if (memcmp(h->r, g->r, sizeof h->r) || memcmp(h->x, g->x, sizeof h->x) ||
        ((h->mxcsr ^ g->mxcsr) & ~2u) || h->cw != g->cw || h->sw != g->sw || h->tag != g->tag || memcmp(h->st, g->st, sizeof h->st) || h->rip != g->rip || h->signal != g->signal ||
        memcmp((void *)DATA, data, DATA_SIZE))
        return false;
    return !((h->eflags ^ g->eflags) & compared_flags(i));
}

/* What is up to the processor. At an x87 store that faults: its sticky flags and C1 (here set already), the tag of an empty
 * register that it would pop, whether an unmasked stack underflow comes before the fault, how much is written of what crosses
 * into the page that faults. MASKMOV: whether bytes that are masked off fault, and whether TOP is 0 by then. The last
 * instruction's pointers, which AMD's processors lose at a task switch. README.md has the list. True: nothing is compared. */
bool forgive(const insn *i, const state *h, state *g, uint8_t *data)
{
    const uint8_t *want = (const uint8_t *)DATA;
    bool environment = i->d.mnemonic == ZYDIS_MNEMONIC_FNSAVE || i->d.mnemonic == ZYDIS_MNEMONIC_FNSTENV;
    if (environment && !h->signal && !g->signal) {
        unsigned lost = 0;
        for (unsigned n = 0; n < DATA_SIZE; n++)
            lost += data[n] != want[n] ? want[n] ? 16u : 1u : 0;
        if (lost <= 10)
            memcpy(data, want, DATA_SIZE);
    }
    if (h->signal != SIGSEGV)
        return false;
    if (i->d.mnemonic == ZYDIS_MNEMONIC_MASKMOVQ || i->d.mnemonic == ZYDIS_MNEMONIC_MASKMOVDQU) {
        memcpy(data, want, DATA_SIZE);
        return true;
    }
    if (!in_x87(&i->d))
        return false;
    if (g->signal == SIGSEGV && ((h->sw ^ g->sw) & 0x3800) == 0)
        g->sw = h->sw, g->tag = h->tag;
    if (environment || i->op[0].size == 80)
        memcpy(data, want, DATA_SIZE);
    return !g->signal && g->sw & 0x80;
}

void show(const insn *i, const state *before, const state *h, const state *g, const uint8_t *data)
{
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    ZydisFormatter f;
    char text[160] = "";
    ZydisFormatterInit(&f, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterFormatInstruction(&f, &i->d, i->op, i->d.operand_count_visible, text, sizeof text,
                                    before->rip, ZYAN_NULL);
    printf("%s\n  bytes ", text);
    for (unsigned n = 0; n < i->d.length; n++)
        printf("%02x", i->bytes[n]);
    printf(" at %#" PRIx64 "\n", before->rip);
    for (unsigned n = 0; n < 16; n++)
        if (h->r[n] != g->r[n])
            printf("  %-6s before %016" PRIx64 " host %016" PRIx64 " oryx %016" PRIx64 "\n",
                   names[n], before->r[n], h->r[n], g->r[n]);
    for (unsigned n = 0; n < 16; n++)
        if (memcmp(&h->x[n], &g->x[n], 16))
            printf("  xmm%-3u before %016" PRIx64 "%016" PRIx64 "\n         host   %016" PRIx64
                   "%016" PRIx64 "\n         oryx   %016" PRIx64 "%016" PRIx64 "\n",
                   n, before->x[n].hi, before->x[n].lo, h->x[n].hi, h->x[n].lo, g->x[n].hi,
                   g->x[n].lo);
    for (unsigned n = 0; n < 8; n++)
        if (memcmp(&h->st[n], &g->st[n], 16))
            printf("  st%u    before %04" PRIx64 " %016" PRIx64 " host %04" PRIx64 " %016" PRIx64 " oryx %04" PRIx64 " %016" PRIx64 "\n", n,
                   before->st[n].hi, before->st[n].lo, h->st[n].hi, h->st[n].lo, g->st[n].hi, g->st[n].lo);
    if (h->cw != g->cw || h->sw != g->sw || h->tag != g->tag)
        printf("  x87    before cw %04x sw %04x tag %02x host %04x %04x %02x oryx %04x %04x %02x\n", before->cw, before->sw, before->tag,
               h->cw, h->sw, h->tag, g->cw, g->sw, g->tag);
    if (h->mxcsr != g->mxcsr)
        printf("  mxcsr  before %04x host %04x oryx %04x\n", before->mxcsr, h->mxcsr, g->mxcsr);
    if (h->rip != g->rip)
        printf("  rip    host %" PRIx64 " oryx %" PRIx64 "\n", h->rip, g->rip);
    if ((h->eflags ^ g->eflags) & COMPARED)
        printf("  eflags before %06" PRIx64 " host %06" PRIx64 " oryx %06" PRIx64
               " differ %06" PRIx64 "\n",
               before->eflags, h->eflags, g->eflags, (h->eflags ^ g->eflags) & COMPARED);
    if (h->signal != g->signal)
        printf("  signal host %d (%#" PRIx64 ") oryx %d (%#" PRIx64 ")\n", h->signal, h->addr,
               g->signal, g->addr);
    for (unsigned n = 0; n < DATA_SIZE; n++)
        if (((uint8_t *)DATA)[n] != data[n]) {
            printf("  memory first differs at %#llx: host %02x oryx %02x\n", DATA + n,
                   ((uint8_t *)DATA)[n], data[n]);
            break;
        }
    printf("  before:");
    for (unsigned n = 0; n < 16; n++)
        printf(" %s=%" PRIx64, names[n], before->r[n]);
    printf("\n");
}
