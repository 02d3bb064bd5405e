/* Self-modifying code: writes a function's body anew, does the cache maintenance the architecture
 * asks for and calls it, 20 times a piece of work. Nothing else is on the page, the writer is not
 * in the code it writes. */
#include "bench.h"

typedef uint32_t (*function)(uint32_t);

#if defined(__aarch64__)
/* eor w0, w0, #imm-by-register: movz w1, #k; eor w0, w0, w1; add w0, w0, #1; ror w0, w0, #k%32; ret
 */
static void write_body(void *at, uint32_t key)
{
    uint32_t *p = at;
    p[0] = 0x52800001u | (key & 0xffff) << 5;
    p[1] = 0x4a010000u;
    p[2] = 0x11000400u;
    p[3] = 0x13800000u | (key & 31) << 10;
    p[4] = 0xd65f03c0u;
    /* 16 bytes is the shortest line there is. */
    for (uintptr_t a = (uintptr_t)at; a < (uintptr_t)at + 20; a += 16)
        __asm__ volatile("dc cvau, %0" ::"r"(a) : "memory");
    __asm__ volatile("dsb ish" ::: "memory");
    for (uintptr_t a = (uintptr_t)at; a < (uintptr_t)at + 20; a += 16)
        __asm__ volatile("ic ivau, %0" ::"r"(a) : "memory");
    __asm__ volatile("dsb ish\n isb" ::: "memory");
}
#elif defined(__arm__)
/* movw r1, #k; eor r0, r0, r1; add r0, r0, #1; ror r0, r0, #k%32 (by 0: mov); bx lr */
static void write_body(void *at, uint32_t key)
{
    uint32_t *p = at;
    p[0] = 0xe3001000u | (key & 0xf000) << 4 | (key & 0xfff);
    p[1] = 0xe0200001u;
    p[2] = 0xe2800001u;
    p[3] = key & 31 ? 0xe1a00060u | (key & 31) << 7 : 0xe1a00000u;
    p[4] = 0xe12fff1eu;
    register uintptr_t r0 __asm__("r0") = (uintptr_t)at, r1 __asm__("r1") = (uintptr_t)at + 20;
    register long r2 __asm__("r2") = 0, r7 __asm__("r7") = 0xf0002; /* cacheflush */
    __asm__ volatile("svc #0" : "+r"(r0) : "r"(r1), "r"(r2), "r"(r7) : "memory");
}
#elif defined(__mips__)
/* ori v1, zero, k; xor v0, a0, v1; addiu v0, v0, 1; rotr v0, v0, k%32; jr ra; nop */
static void write_body(void *at, uint32_t key)
{
    uint32_t *p = at;
    p[0] = 0x34030000u | (key & 0xffff);
    p[1] = 0x00831026u;
    p[2] = 0x24420001u;
    p[3] = 0x00200002u | 2u << 16 | 2u << 11 | (key & 31) << 6;
    p[4] = 0x03e00008u;
    p[5] = 0;
    for (uintptr_t a = (uintptr_t)at; a < (uintptr_t)at + 24; a += 16)
        __asm__ volatile("synci 0(%0)" ::"r"(a) : "memory");
    __asm__ volatile("sync" ::: "memory");
}
#elif defined(__x86_64__)
/* mov eax, edi; xor eax, k; inc eax; ror eax, k%32; ret */
static void write_body(void *at, uint32_t key)
{
    volatile uint8_t *p = at;
    const uint8_t body[] = {0x89, 0xf8,     0x35, (uint8_t)key, (uint8_t)(key >> 8),
                            0,    0,        0xff, 0xc0,         0xc1,
                            0xc8, key & 31, 0xc3};
    for (size_t i = 0; i < sizeof body; i++)
        p[i] = body[i];
}
#else
#    error "smc.c writes machine code: add this architecture's"
#endif

uint64_t kernel(uint64_t n)
{
    void *code = bench_code_memory(4096);
    uint32_t x = 1, key = 1;
    for (; n; n--)
        for (int i = 0; i < 20; i++) {
            write_body(code, bench_random(&key) & 0xffff);
            union {
                void *p;
                function f;
            } body = {.p = code};
            x = body.f(x);
        }
    return x;
}
