/* Start-up, buffered output and the four functions that a compiler may call by itself. Every demo program links this. */
#include "tiny.h"

#include <stddef.h>

/* The kernel enters with argc at sp and argv above it; main wants them in x0 and x1. */
__asm__(".globl _start\n"
        ".type _start, %function\n"
        "_start:\n"
        "    mov x29, xzr\n"
        "    mov x30, xzr\n"
        "    ldr x0, [sp]\n"
        "    add x1, sp, #8\n"
        "    bl tiny_main\n"
        ".size _start, . - _start\n");

static char buffer[4096];
static size_t used;

void flush(void)
{
    for (size_t done = 0; done < used;) {
        long n = syscall4(SYS_write, 1, (long)(buffer + done), (long)(used - done), 0);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    used = 0;
}

void print(const char *text)
{
    for (; *text; text++) {
        if (used == sizeof buffer)
            flush();
        buffer[used++] = *text;
    }
}

void print_number(uint64_t n, unsigned width)
{
    char text[24], *p = text + sizeof text - 1;
    *p = 0;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    while (p > text && (unsigned)(text + sizeof text - 1 - p) < width)
        *--p = ' ';
    print(p);
}

void print_hex(uint64_t n)
{
    char text[19], *p = text + sizeof text - 1;
    *p = 0;
    do
        *--p = "0123456789abcdef"[n & 15];
    while (n >>= 4);
    *--p = 'x';
    *--p = '0';
    print(p);
}

__attribute__((used, noreturn)) void tiny_main(long argc, char **argv)
{
    int code = main((int)argc, argv);
    flush();
    for (;;)
        syscall4(SYS_exit_group, code, 0, 0, 0);
}

void *memcpy(void *to, const void *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to <= (uintptr_t)from)
        return memcpy(to, from, n);
    while (n--)
        ((char *)to)[n] = ((const char *)from)[n];
    return to;
}

void *memset(void *to, int value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((char *)to)[i] = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i])
            return ((const uint8_t *)a)[i] - ((const uint8_t *)b)[i];
    return 0;
}
