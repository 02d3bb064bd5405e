/* Every register of coprocessors 14 and 15 that can be read in privileged mode: which there are, and their values. */
#include "rt.h"

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

/* Counters, what executes rather than reads, and state that depends on the board. */
static int skip(unsigned cp, unsigned op1, unsigned crn, unsigned crm, unsigned op2)
{
    if (cp == 14)
        return 0;
    if (crn == 14 && (crm == 0 || (crm == 2 && op2 == 0) || (crm == 3 && op2 == 0)))
        return 1;
    if (crn == 9 && crm == 13)
        return 1;
    if (crn == 15 && op1 == 4 && crm == 0 && op2 == 0) /* a9, a15: CBAR of the board */
        return 1;
    (void)op1;
    return crn == 7 && !(crm == 4 && op2 == 0);
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
                        if (!undefined)
                            show(cp, op1, crn, crm, op2, v);
                    }
    title("end");
    finish();
}
