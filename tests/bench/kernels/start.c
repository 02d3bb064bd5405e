/* Entry and system calls of every kernel program: PROG N prints kernel(N) in hexadecimal and ends
 * with status 0. Linked into each kernel for the guest and for the host by build.sh; nothing here
 * takes time that depends on N. A new guest architecture is one more #if below. */
#include "bench.h"

#if defined(__aarch64__)
enum { NR_write = 64, NR_exit_group = 94, NR_mmap = 222 };
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x0, sp\n bl start_c\n brk #1\n");
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c, x3 __asm__("x3") = d, x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory", "cc");
    return x0;
}
#elif defined(__arm__)
enum { NR_write = 4, NR_exit_group = 248, NR_mmap = 192 };
__asm__(".globl _start\n_start:\n mov fp, #0\n mov r0, sp\n bic sp, sp, #7\n bl start_c\n udf #1\n");
int raise(int number) __attribute__((used)); /* libgcc's answer to a division by zero */
int raise(int number)
{
    return number;
}
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r7 __asm__("r7") = nr, r0 __asm__("r0") = a, r1 __asm__("r1") = b;
    register long r2 __asm__("r2") = c, r3 __asm__("r3") = d, r4 __asm__("r4") = e;
    register long r5 __asm__("r5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(r0)
                     : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
                     : "memory", "cc");
    return r0;
}
#elif defined(__mips__) && !defined(__mips64)
enum { NR_write = 4004, NR_exit_group = 4246, NR_mmap = 4210, MAP_FLAGS = 0x802 };
__asm__(".globl _start\n.set push\n.set noreorder\n_start:\n move $4, $29\n addiu $29, $29, -32\n li $8, -8\n"
        " and $29, $29, $8\n jal start_c\n nop\n break\n.set pop\n");
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long v0 __asm__("$2") = nr, a0 __asm__("$4") = a, a1 __asm__("$5") = b;
    register long a2 __asm__("$6") = c, a3 __asm__("$7") = d;
    __asm__ volatile(".set push\n.set noreorder\n addiu $29, $29, -32\n sw %6, 16($29)\n sw %7, 20($29)\n"
                     " syscall\n addiu $29, $29, 32\n.set pop"
                     : "+r"(v0), "+r"(a3)
                     : "r"(a0), "r"(a1), "r"(a2), "0"(v0), "r"(e), "r"(f)
                     : "memory", "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25", "hi", "lo");
    return a3 ? -v0 : v0;
}
#elif defined(__x86_64__)
enum { NR_write = 1, NR_exit_group = 231, NR_mmap = 9 };
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n"
        " call start_c\n ud2\n");
static long call(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result = nr;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory", "cc");
    return result;
}
#else
#    error "start.c has no system calls for this architecture: add its numbers, entry and call()"
#endif

#ifndef __mips__
enum { MAP_FLAGS = 0x22 }; /* private, anonymous */
#endif

void start_c(uintptr_t *stack) __attribute__((noreturn, used));

static void end(int status) __attribute__((noreturn));
static void end(int status)
{
    for (;;)
        call(NR_exit_group, status, 0, 0, 0, 0, 0);
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    unsigned char *t = to;
    const unsigned char *f = from;
    while (size--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    unsigned char *t = to;
    while (size--)
        *t++ = (unsigned char)byte;
    return to;
}

void bench_print(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    call(NR_write, 1, (long)text, (long)length, 0, 0, 0);
}

void *bench_code_memory(size_t size)
{
    long at = call(NR_mmap, 0, (long)size, 7, MAP_FLAGS, -1, 0); /* RWX */
    if (at < 0 && at > -4096) {
        bench_print("mmap of code memory was refused\n");
        end(1);
    }
    return (void *)at;
}

void start_c(uintptr_t *stack)
{
    uint64_t n = 0;
    if (stack[0] > 1)
        for (const char *p = (const char *)stack[2]; *p >= '0' && *p <= '9'; p++)
            n = n * 10 + (uint64_t)(*p - '0');

    uint64_t sum = kernel(n);
    char text[18];
    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[sum >> (60 - 4 * i) & 15];
    text[16] = '\n';
    text[17] = 0;
    bench_print(text);
    end(0);
}
