/* A C library of one page for the demo programs: they are freestanding, so that each is a few kilobytes, needs no sysroot
 * and shows every system call it makes. arm64 Linux only. */
#ifndef TINY_H
#define TINY_H

#include <stdint.h>

enum { SYS_write = 64, SYS_exit_group = 94, SYS_rt_sigaction = 134 };

static inline long syscall4(long number, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory", "cc");
    return x0;
}

int main(int argc, char **argv);
void print(const char *text);
void print_number(uint64_t n, unsigned width); /* decimal, padded with spaces */
void print_hex(uint64_t n);
void flush(void); /* print collects; the end of main and a full buffer flush too */

#endif
