/* A bare-metal arm64 program for board.json: prints over the UART, reads the clock, lets the timer tick three times and hears
 * of it from the interrupt controller. Ends at 0x40010000, where
 * board.json stops it. Built by build.sh: no library, no MMU. */
#include <stdint.h>

#define REG(base, offset) (*(volatile uint32_t *)(uintptr_t)((base) + (offset)))
#define UART  0x09000000u /* uart16550, one byte a register, 4 bytes apart */
#define TIMER 0x09010000u
#define PIC   0x09020000u
#define RTC   0x09030000u
#define TIMER_INPUT 1u

static void put(char c)
{
    while (!(REG(UART, 5 * 4) & 0x20))
        ;
    REG(UART, 0) = (uint8_t)c;
}

static void print(const char *s)
{
    for (; *s; s++)
        put(*s);
}

static void number(uint64_t n, unsigned digits)
{
    char text[20];
    unsigned i = 0;
    for (; n || i < digits; n /= 10)
        text[i++] = (char)('0' + n % 10);
    while (i)
        put(text[--i]);
}

/* Days since 1970 to a date, by the proleptic Gregorian calendar; years begin in March. */
static void date(uint64_t seconds)
{
    uint64_t days = seconds / 86400 + 719468, era = days / 146097, of_era = days % 146097;
    uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t day = of_era - (365 * year + year / 4 - year / 100), month = (5 * day + 2) / 153;
    number(era * 400 + year + (month >= 10), 4);
    put('-');
    number(month < 10 ? month + 3 : month - 9, 2);
    put('-');
    number(day - (153 * month + 2) / 5 + 1, 2);
    put(' ');
    number(seconds % 86400 / 3600, 2);
    put(':');
    number(seconds % 3600 / 60, 2);
    put(':');
    number(seconds % 60, 2);
}

/* The time now, to milliseconds; reading the low half latches the rest. */
static void clock(void)
{
    uint32_t low = REG(RTC, 0);
    date((uint64_t)REG(RTC, 4) << 32 | low);
    put('.');
    number(REG(RTC, 8) / 1000000, 3);
}

void start_c(void)
{
    print("Hello from a machine without a system.\nIt is ");
    clock();
    print(" UTC.\n");
    REG(PIC, 0x08) = 1u << TIMER_INPUT; /* enable */
    REG(TIMER, 0x08) = 1000000;         /* one virtual millisecond */
    REG(TIMER, 0x0c) = 0;
    REG(TIMER, 0x10) = 7; /* enable, periodic, interrupt */
    for (unsigned i = 1; i <= 3; i++) {
        while (REG(PIC, 0x1c) != TIMER_INPUT)
            ;                   /* arm64 has no interrupt input yet: claim until there is one */
        REG(TIMER, 0x14) = 1;   /* acknowledge at the timer, then at the controller */
        REG(PIC, 0x20) = TIMER_INPUT;
        print("tick ");
        number(i, 1);
        print(" at ");
        clock();
        put('\n');
    }
    REG(TIMER, 0x10) = 0;
    print("Good bye.\n");
}

/* The CPU of board.json begins here, with sp set by it. */
__asm__(".text\n.globl _start\n_start:\n\tbl start_c\n\tb the_end\n"
        ".section .end,\"ax\"\nthe_end:\n\tb the_end\n");
