/* Every register of coprocessors 14 and 15 that can be read in privileged mode: which there are, and their values. */
#include "rt.h"

extern char vectors[];
static uint32_t code[4] __attribute__((aligned(32)));

static void show(unsigned cp, unsigned op1, unsigned crn, unsigned crm, unsigned op2, uint32_t v)
{
    static const char *const d[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15" };
    put("p");
    put(d[cp]);
    put(" c");
    put(d[crn]);
    put(" ");
    put(d[op1]);
    put(" c");
    put(d[crm]);
    put(" ");
    put(d[op2]);
    put(" ");
    hex(v);
    put("\n");
}

/* Left out: counters, operations, state of the board, what is IMPLEMENTATION DEFINED (c9 lockdown, c10 TLB lockdown, c11, c15),
 * debug and event counters (Oryx has none), Hyp mode's; where qemu decodes fewer bits than the manual, all but one encoding; and
 * two values in which qemu is not the TRM: SCTLR of arm926, CPACR of arm1176. max: only what its features are not in. */
static int skip(unsigned cp, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
    int v6 = flags & HAS_V6, v7 = flags & HAS_V7, max = flags & IS_MAX;
    if (cp == 14)
        return !v7 || op1 || crn || crm || op2;
    switch (crn) {
    case 0: return max && (crm == 0 || (crm == 1 && (op2 < 3 || op2 == 7)) || (crm == 2 && op2 > 4) || crm == 3);
    case 1: return op1 || (!v6 && crm == 0 && op2 == 0) || (!v7 && op2 == 2);
    case 2: return (!v6 && op2) || max;
    case 3: return crm || op1 || op2;
    case 5: return op1 || max;
    case 6: return op1 || max || (v7 && op2 == 1); /* the watchpoint register is of Armv6 */
    case 9: return (crm != 12 && crm != 14) || op1 || op2 > 3;
    case 10: return crm < 2 || crm > 3 || op1 || !v7;
    case 12: return op1 || (!v7 && crm == 1) || max;
    case 13: return op1;
    case 14: return crm == 0 || crm > 3 || op2 == 0;
    default: return 1;
    }
}

int main(void)
{
    set_vectors();
    quiet = 1;
    uint32_t (*fn)(void) = (uint32_t (*)(void))code;
    code[1] = 0xe12fff1e;
    for (unsigned cp = 15; cp > 13; cp--)
        for (unsigned crn = 0; crn < 16; crn++)
            for (unsigned op1 = 0; op1 < 8; op1++)
                for (unsigned crm = 0; crm < 16; crm++)
                    for (unsigned op2 = 0; op2 < 8; op2++) {
                        if (skip(cp, op1, crn, crm, op2))
                            continue;
                        code[0] = 0xee100010 | op1 << 21 | crn << 16 | cp << 8 | op2 << 5 | crm;
                        MCR(15, 0, 7, 5, 0, 0);
                        undefined = 0;
                        uint32_t v = fn();
                        if (crn == 9 && crm == 12 && op2 == 0)
                            v &= ~0xf800; /* event counters */
                        if (crn == 12 && crm == 0 && op2 == 0)
                            v = v == (uint32_t)vectors;
                        if (!undefined)
                            show(cp, op1, crn, crm, op2, v);
                    }
    title("end");
    finish();
}
