/* Interrupts: software lines, the timer, masks, EXL, one vector and several, WAIT. */
#include "rt.h"

static volatile int taken, last_vector, last_ip;
static volatile word keep;

static int service(unsigned vector)
{
    if (frame[F_CAUSE] & 0x7c)
        return 0;
    taken++;
    last_vector = (int)vector;
    last_ip = (int)(frame[F_CAUSE] >> 8 & CP0(12, 0) >> 8 & 0xff);
    SET(13, 0, CP0(13, 0) & ~0x300);
    if (last_ip & 0x80)
        SET(11, 0, CP0(9, 0) + 100000000);
    return 1;
}

static void wait_for_one(void)
{
    for (word t = CP0(9, 0); !taken && (uint32_t)(CP0(9, 0) - t) < 0x40000000;)
        keep++;
}

static void report(const char *what)
{
    say("%s: taken %d vector %x lines %x\n", what, taken, (word)last_vector, (word)last_ip);
    taken = last_vector = last_ip = 0;
}

int main(void)
{
    init();
    hook = service;
    SET(11, 0, CP0(9, 0) + 100000000);
    SET(12, 0, 0x301);
    SET(13, 0, 0x100);
    report("software 0");
    SET(13, 0, 0x200);
    report("software 1");
    SET(12, 0, 0x101);
    SET(13, 0, 0x200);
    report("masked");
    SET(12, 0, 0x301);
    report("unmasked");
    SET(12, 0, 0x300);
    SET(13, 0, 0x300);
    report("disabled");
    SET(12, 0, 0x303);
    report("EXL");
    SET(12, 0, 0x301);
    report("enabled");
#if __mips_isa_rev >= 1 || __mips == 32
    SET(13, 0, 0x800000);
    SET(12, 0, 0x301);
    SET(13, 0, 0x800200);
    report("IV");
#endif
#if __mips_isa_rev >= 2
    __asm__ volatile("di; ehb");
    SET(13, 0, 0x800100);
    report("di");
    __asm__ volatile("ei; ehb");
    report("ei");
    SET(12, 0, 0x400301); /* EBase and IntCtl while BEV is set */
    SET(12, 1, 1 << 5);
    SET(12, 0, 0x301);
    SET(13, 0, 0x800200);
    report("VI 1");
    SET(13, 0, 0x800300);
    report("VI both");
    SET(12, 1, 0);
#endif
    SET(13, 0, 0);
    SET(12, 0, 0x8001);
    SET(11, 0, CP0(9, 0) + TICKS);
    wait_for_one();
    report("timer");
#if __mips_isa_rev >= 1 || __mips == 32
    SET(11, 0, CP0(9, 0) + TICKS);
    __asm__ volatile(".set push\n.set mips32r2\n wait\n.set pop");
    wait_for_one();
    report("wait");
#endif
    SET(12, 0, 0x8000);
    SET(11, 0, CP0(9, 0) + TICKS);
    for (word t = CP0(9, 0); !(CP0(13, 0) & 0x8000) && (uint32_t)(CP0(9, 0) - t) < 0x40000000;)
        keep++;
    say("pending %x\n", CP0(13, 0) >> 15 & 1);
    SET(11, 0, CP0(9, 0) + 100000000);
    say("cleared %x\n", CP0(13, 0) >> 15 & 1);
    word a = CP0(9, 0);
    SET(9, 0, 5);
    word b = CP0(9, 0);
    say("count %x %x\n", (word)(b >= 5 && b < 100000), (word)(a != b));
    say("end\n");
    finish();
}
