/* Big-endian data (SCTLR_ELx.EE): loads and stores of every width and kind, vectors, exclusives, atomics, pairs, big-endian
 * translation tables. The switch is on for the accesses alone; code, stack and console stay little-endian. */
#include "rt.h"

static uint8_t buffer[256] __attribute__((aligned(64)));
static uint64_t out[64] __attribute__((aligned(64)));

static void fill(void)
{
    for (unsigned i = 0; i < sizeof buffer; i++)
        buffer[i] = (uint8_t)(i * 7 + 1);
}

static void show(const char *name, unsigned n)
{
    put(name);
    for (unsigned i = 0; i < n; i++) {
        put(" ");
        hex(out[i]);
    }
    put("\n");
}

static void bytes(const char *name, unsigned n)
{
    put(name);
    for (unsigned i = 0; i < n; i++) {
        put(" ");
        hex(buffer[i]);
    }
    put("\n");
    fill();
}

/* x0: buffer, x1: out; code between leaves its results in x2..x7 or v0..v3. */
#define ENTER "mrs x9, sctlr_el1\n orr x10, x9, #1 << 25\n msr sctlr_el1, x10\n isb\n"
#define LEAVE "msr sctlr_el1, x9\n isb\n"
#define CLOBBER "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x9", "x10", "v0", "v1", "v2", "v3", "memory", "cc"
#define GENERAL(name, code, n) \
    do { \
        __asm__ volatile("mov x0, %0\n mov x1, %1\n" ENTER code LEAVE "stp x2, x3, [x1]\n stp x4, x5, [x1, #16]\n stp x6, x7, [x1, #32]\n" \
                         : : "r"(buffer), "r"(out) : CLOBBER); \
        show(name, n); \
    } while (0)
#define VECTOR(name, code, n) \
    do { \
        __asm__ volatile("mov x0, %0\n mov x1, %1\n" ENTER code LEAVE "stp q0, q1, [x1]\n stp q2, q3, [x1, #32]\n" \
                         : : "r"(buffer), "r"(out) : CLOBBER); \
        show(name, 2 * (n)); \
    } while (0)
#define VALUES "mov x2, #0x1122\n movk x2, #0x3344, lsl #16\n movk x2, #0x5566, lsl #32\n movk x2, #0x7788, lsl #48\n rev x3, x2\n" \
               "mov v0.d[0], x2\n mov v0.d[1], x3\n ror x4, x2, #12\n ror x5, x3, #20\n mov v1.d[0], x4\n mov v1.d[1], x5\n" \
               "eor v2.16b, v0.16b, v1.16b\n add v3.4s, v0.4s, v1.4s\n"
#define STORE(name, code, n) \
    do { \
        __asm__ volatile("mov x0, %0\n mov x1, %1\n" VALUES ENTER code LEAVE : : "r"(buffer), "r"(out) : CLOBBER); \
        bytes(name, n); \
    } while (0)

static void test(uint64_t arg)
{
    (void)arg;
    fill();
    GENERAL("widths", "ldrb w2, [x0, #1]\n ldrh w3, [x0, #2]\n ldr w4, [x0, #4]\n ldr x5, [x0, #8]\n ldrsh x6, [x0, #40]\n ldrsw x7, [x0, #44]\n", 6);
    GENERAL("unaligned", "ldr x2, [x0, #3]\n ldr w3, [x0, #5]\n ldrh w4, [x0, #1]\n", 3);
    GENERAL("pairs", "ldp x2, x3, [x0]\n ldp w4, w5, [x0, #16]\n ldpsw x6, x7, [x0, #24]\n", 6);
    GENERAL("acquire", "ldar x2, [x0]\n ldarh w3, [x0]\n ldxr w4, [x0]\n ldxr x5, [x0]\n clrex\n", 4);
    GENERAL("exclusive pairs", "ldxp x2, x3, [x0]\n ldxp w4, w5, [x0]\n clrex\n", 4);
    GENERAL("atomics", "mov x2, #1\n ldadd x2, x3, [x0]\n add x0, x0, #8\n ldset w2, w4, [x0]\n mov x5, #0x55\n add x0, x0, #8\n swp x5, x6, [x0]\n add x0, x0, #8\n ldeorh w2, w7, [x0]\n", 6);
    bytes("after", 32);
    GENERAL("compare and swap", "ldr x2, [x0]\n mov x3, #0x77\n cas x2, x3, [x0]\n ldp x4, x5, [x0]\n mov x6, #1\n mov x7, #2\n casp x4, x5, x6, x7, [x0]\n", 6);
    bytes("after", 16);
    STORE("stores", "strb w2, [x0]\n strh w2, [x0, #2]\n str w2, [x0, #4]\n str x2, [x0, #8]\n stp x2, x3, [x0, #16]\n stp w2, w3, [x0, #32]\n add x0, x0, #40\n stlr x2, [x0]\n", 48);
    STORE("exclusive stores", "ldxr x6, [x0]\n stxr w7, x2, [x0]\n add x0, x0, #16\n ldxp x4, x5, [x0]\n stxp w6, x2, x3, [x0]\n add x0, x0, #16\n ldxp w4, w5, [x0]\n stxp w6, w2, w3, [x0]\n", 40);
    VECTOR("scalars", "ldr b0, [x0]\n ldr h1, [x0]\n ldr s2, [x0]\n ldr d3, [x0]\n", 4);
    VECTOR("whole", "ldr q0, [x0]\n ldp q1, q2, [x0, #16]\n ldur q3, [x0, #1]\n", 4);
    VECTOR("ld1 bytes", "ld1 {v0.16b, v1.16b}, [x0]\n ld1 {v2.8b, v3.8b}, [x0]\n", 4);
    VECTOR("ld1 halves", "ld1 {v0.8h, v1.8h}, [x0]\n ld1 {v2.4h, v3.4h}, [x0]\n", 4);
    VECTOR("ld1 words", "ld1 {v0.4s, v1.4s}, [x0]\n ld1 {v2.2s, v3.2s}, [x0]\n", 4);
    VECTOR("ld1 doubles", "ld1 {v0.2d, v1.2d}, [x0]\n ld1 {v2.1d, v3.1d}, [x0]\n", 4);
    VECTOR("ld2", "ld2 {v0.8h, v1.8h}, [x0]\n ld2 {v2.4s, v3.4s}, [x0]\n", 4);
    VECTOR("ld3", "ld3 {v0.4s, v1.4s, v2.4s}, [x0]\n", 3);
    VECTOR("ld4", "ld4 {v0.4h, v1.4h, v2.4h, v3.4h}, [x0]\n", 4);
    VECTOR("lanes", "movi v0.16b, #0\n movi v1.16b, #0\n ld1 {v0.s}[1], [x0]\n ld2 {v0.h, v1.h}[6], [x0]\n ld1r {v2.4s}, [x0]\n ld1r {v3.8h}, [x0]\n", 4);
    STORE("st1", "st1 {v0.4s, v1.4s}, [x0]\n", 32);
    STORE("st2", "st2 {v0.8h, v1.8h}, [x0]\n", 32);
    STORE("st3", "st3 {v0.2s, v1.2s, v2.2s}, [x0]\n", 24);
    STORE("st4", "st4 {v0.2d, v1.2d, v2.2d, v3.2d}, [x0]\n", 64);
    STORE("st lanes", "st1 {v0.s}[2], [x0]\n add x0, x0, #8\n st2 {v1.h, v2.h}[3], [x0]\n", 16);
    STORE("st vectors", "str q0, [x0]\n stp d0, d1, [x0, #16]\n str s2, [x0, #32]\n str h3, [x0, #36]\n stp q1, q2, [x0, #48]\n", 80);
    STORE("zero", "dc zva, x0\n", 64);
}

int main(void)
{
    if (level() == 1)
        test(0);
    title("end");
    return 0;
}
