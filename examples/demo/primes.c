/* The sieve of Eratosthenes: byte loads and stores in a tight loop, and divisions when the numbers are printed. */
#include "tiny.h"

#define LIMIT 500000u

static uint8_t composite[LIMIT];

static void __attribute__((noinline)) sieve(void)
{
    for (uint32_t i = 2; i * i < LIMIT; i++)
        if (!composite[i])
            for (uint32_t k = i * i; k < LIMIT; k += i)
                composite[k] = 1;
}

static uint32_t __attribute__((noinline)) count(void)
{
    uint32_t n = 0;
    for (uint32_t i = 2; i < LIMIT; i++)
        n += !composite[i];
    return n;
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    sieve();
    print_number(count(), 0);
    print(" primes below ");
    print_number(LIMIT, 0);
    print("; the last five:");
    uint32_t found = 0, i = LIMIT;
    while (found < 5 && --i > 1)
        if (!composite[i]) {
            print(" ");
            print_number(i, 0);
            found++;
        }
    print("\n");
    return 0;
}
