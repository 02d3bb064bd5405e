/* A bare-metal Cortex-M3 program for m3.json: prints over the UART, counts SysTick interrupts asleep, sets a bit through the
 * bit-band alias, and ends by semihosting with its exit status. Built by build.sh: no library. */
#include <stdint.h>

#define REG(a) (*(volatile uint32_t *)(uintptr_t)(a))
#define UART 0x4000c000u

static volatile uint32_t ticks, word;

static void print(const char *s)
{
    for (; *s; s++)
        REG(UART) = (uint8_t)*s;
}

static void number(uint32_t n)
{
    char text[12];
    unsigned i = sizeof text - 1;
    text[i] = 0;
    do
        text[--i] = (char)('0' + n % 10);
    while (n /= 10);
    print(text + i);
}

static void tick(void)
{
    ticks++;
}

static void fault(void)
{
    print("a fault\n");
    for (;;)
        ;
}

static void leave(uint32_t code)
{
    const uint32_t block[2] = { 0x20026, code };
    register uint32_t r0 __asm__("r0") = 0x20; /* SYS_EXIT_EXTENDED */
    register const uint32_t *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void reset(void);
void reset(void)
{
    print("Hello from a Cortex-M3.\n");
    REG(0xe000e014) = 49999; /* SysTick: a millisecond at 50 MHz */
    REG(0xe000e018) = 0;
    REG(0xe000e010) = 7;
    while (ticks < 3)
        __asm__ volatile("wfi");
    REG(0xe000e010) = 0;
    number(ticks);
    print(" ticks\n");
    word = 0;
    REG(0x22000000 + ((uintptr_t)&word - 0x20000000) * 32 + 4 * 10) = 1;
    print("bit 10 makes ");
    number(word);
    print("\nGood bye.\n");
    leave(7);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))0x20010000, reset, fault, fault, fault, fault, fault, [11] = fault, [15] = tick,
};
