/* MSA and DSP: disabled, enabled, and the exceptions of MSA operations; where each goes and what it leaves. */
#include "rt.h"

#define ADDV ".word 0x7803100e"      /* addv.b $w0, $w2, $w3 */
#define ONE_W2 ".word 0x7b400887, 0x7b3c109e" /* ldi.w $w2, 1; ffint_s.w $w2, $w2 */
#define ZERO_W3 ".word 0x7b4000c7"   /* ldi.w $w3, 0 */
#define FDIV ".word 0x78c3101b"      /* fdiv.w $w0, $w2, $w3 */
#define CTCMSA ".word 0x783e4059"    /* ctcmsa $1, $8 */
#define BZ_V ".word 0x45630001"      /* bz.v $w3, to the end */
#define ADDQ ".word 0x7d091290"      /* addq.ph $2, $8, $9 */
#define MFHI_AC1 ".word 0x00201010"  /* mfhi $2, $ac1 */
#define BPOSGE32 ".word 0x041c0001"

static word csr(void)
{
    register word v __asm__("$2");
    __asm__ volatile(".word 0x787e0899" : "=r"(v)); /* cfcmsa $2, $1 */
    return v;
}

static void msa(void)
{
    RUN(ADDV, 0, 0);
    RUN("b 9f; " ADDV, 0, 0);
    RUN(BZ_V "; nop", 0, 0);
    SET(16, 5, CP0(16, 5) | 1ul << 27);
    say("MSAEn %x\n", CP0(16, 5) >> 27 & 1);
    RUN(ADDV, 0, 0);                /* without CU1, too */
    SET(12, 0, 0x20000000);
    RUN(ADDV, 0, 0);                /* FR = 0 */
    SET(12, 0, 0x24000000);
    RUN(ADDV, 0, 0);
    RUN(ONE_W2, 0, 0);
    RUN(ZERO_W3, 0, 0);
    RUN(CTCMSA, 0x400, 0);          /* division by zero is enabled */
    RUN(FDIV, 0, 0);
    say("csr %x\n", csr());
    RUN("b 9f; " FDIV, 0, 0);
    RUN(CTCMSA, 0x40400, 0);        /* NX */
    RUN(FDIV, 0, 0);
    say("csr %x\n", csr());
    RUN(CTCMSA, 0x8400, 0);         /* an enabled cause, written */
    RUN(CTCMSA, 0, 0);
    RUN(FDIV, 0, 0);
    say("csr %x\n", csr());
}

static void dsp(void)
{
    RUN(ADDQ, 1, 2);
    RUN("b 9f; " ADDQ, 1, 2);
    RUN(MFHI_AC1, 0, 0);
    RUN(BPOSGE32 "; nop", 0, 0);
    SET(12, 0, 0x1000000);
    RUN(ADDQ, 1, 2);
    RUN(MFHI_AC1, 0, 0);
    RUN(BPOSGE32 "; nop", 0, 0);
}

int main(void)
{
    init();
    say("config3 %x\n", CP0(16, 3) & 0x10000c00);
    if (CP0(16, 3) >> 28 & 1)
        msa();
    if (CP0(16, 3) >> 10 & 1)
        dsp();
    say("end\n");
    finish();
}
