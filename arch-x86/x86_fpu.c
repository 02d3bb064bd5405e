/* The x87 unit: guest registers live in the host's own unit while guest code runs, and each instruction is the host's (an
 * x86-64 host; elsewhere CPUID has no FPU and the instructions are #UD). Called by helpers of x86_x87.c; oryx_cpu.host_fp
 * brings everything back to the state block. Invariant: r, sw, tag of x86_fpu are valid exactly when cpu->host_fp is NULL;
 * no waiting instruction is executed while an unmasked exception is pending, so none ever traps in the host. */
#include <string.h>

#include "x86_fpu.h"

#ifdef X86_HOST_FPU

#include <cpuid.h>

/* All instructions of the opcodes d8-df: [opcode & 7][modrm & 63] on registers, [opcode & 7][reg] on memory at rdi. */
__asm__(".text\n"
        ".p2align 4\n"
        "x86_x87_registers:\n"
        ".set x87_op, 0xd8\n"
        ".rept 8\n"
        ".set x87_rm, 0xc0\n"
        ".rept 64\n"
        ".byte x87_op, x87_rm, 0xc3, 0xcc\n"
        ".set x87_rm, x87_rm + 1\n"
        ".endr\n"
        ".set x87_op, x87_op + 1\n"
        ".endr\n"
        "x86_x87_memory:\n"
        ".set x87_op, 0xd8\n"
        ".rept 8\n"
        ".set x87_rm, 0x07\n"
        ".rept 8\n"
        ".byte x87_op, x87_rm, 0xc3, 0xcc\n"
        ".set x87_rm, x87_rm + 8\n"
        ".endr\n"
        ".set x87_op, x87_op + 1\n"
        ".endr\n");
extern const uint8_t x86_x87_registers[8 * 64 * 4] __attribute__((visibility("hidden")));
extern const uint8_t x86_x87_memory[8 * 8 * 4] __attribute__((visibility("hidden")));

/* code: (opcode & 7) << 8 | modrm. */
static const void *on_registers(uint32_t code)
{
    return &x86_x87_registers[((code >> 8 & 7) * 64 + (code & 63)) * 4];
}

static const void *on_memory(uint32_t code)
{
    return &x86_x87_memory[((code >> 8 & 7) * 8 + (code >> 3 & 7)) * 4];
}

/* The red zone is stepped over: the compiler does not see the call. */
static void run(const void *stub, const void *memory)
{
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tcall *%0\n\tlea 128(%%rsp), %%rsp" : : "r"(stub), "D"(memory) : "memory", "cc");
}

/* --- the host's registers ------------------------------------------------------------------------------------------------------ */

typedef struct image { /* FXSAVE's, and the XSAVE header */
    uint16_t cw, sw;
    uint8_t tag, reserved;
    uint16_t op;
    uint64_t ip, dp;
    uint32_t mxcsr, mxcsr_mask;
    oryx_v128 st[8];
    uint8_t xmm[256], rest[96];
    uint64_t header[8];
} image;
_Static_assert(offsetof(image, header) == 512, "XSAVE area");

static bool has_xsave(void)
{
    static int known; /* the same for every thread: 1 no, 2 yes */
    int k = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (!k) {
        unsigned a, b, c, d;
        k = __get_cpuid(1, &a, &b, &c, &d) && c & 1u << 27 ? 2 : 1;
        __atomic_store_n(&known, k, __ATOMIC_RELAXED);
    }
    return k == 2;
}

static void host_save(image *m)
{
    if (has_xsave())
        __asm__ volatile("xsave64 %0" : "+m"(*m) : "a"(1), "d"(0));
    else
        __asm__ volatile("fxsave64 %0" : "+m"(*m));
}

/* XMM registers keep what they are. */
static void host_restore(image *m)
{
    if (has_xsave()) {
        m->header[0] = 1;
        __asm__ volatile("xrstor64 %0" : : "m"(*m), "a"(1), "d"(0) : "memory");
        return;
    }
    image now;
    __asm__ volatile("fxsave64 %0" : "=m"(now));
    memcpy(&m->mxcsr, &now.mxcsr, 8);
    memcpy(m->xmm, now.xmm, sizeof m->xmm);
    __asm__ volatile("fxrstor64 %0" : : "m"(*m) : "memory");
}

static void unload(oryx_cpu *cpu)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    image m __attribute__((aligned(64)));
    m.header[0] = 0; /* all that is not saved is in its initial state: reads as below */
    m.cw = 0x37f;
    m.sw = m.tag = 0;
    memset(m.st, 0, sizeof m.st);
    host_save(&m);
    if (has_xsave() && !(m.header[0] & 1)) {
        m.sw = m.tag = 0;
        memset(m.st, 0, sizeof m.st);
    }
    cpu->host_fp = NULL;
    __asm__ volatile("fninit\n\tfldcw %0" : : "m"(f->host_cw));
    unsigned top = m.sw >> 11 & 7;
    for (unsigned i = 0; i < 8; i++)
        f->r[(top + i) & 7] = (oryx_v128){m.st[i].lo, m.st[i].hi & 0xffff};
    f->sw = m.sw;
    f->tag = m.tag;
    if (f->undo && cpu->exc.kind != ORYX_EXC_NONE) {
        f->undo = 0;
        top = (top - 1) & 7;
        f->tag |= (uint16_t)(1u << top);
        f->sw = (uint16_t)((f->sw & ~0x3800u) | top << 11);
    }
}

void x86_fpu_load(oryx_cpu *cpu)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    image m __attribute__((aligned(64)));
    if (cpu->host_fp)
        return;
    __asm__ volatile("fnstcw %0" : "=m"(f->host_cw));
    memset(&m, 0, sizeof m);
    m.cw = f->cw;
    m.sw = f->sw;
    m.tag = (uint8_t)f->tag;
    for (unsigned i = 0, top = f->sw >> 11 & 7; i < 8; i++)
        m.st[i] = f->r[(top + i) & 7];
    host_restore(&m);
    f->undo = 0;
    cpu->host_fp = unload;
}

void x86_fpu_save(oryx_cpu *cpu)
{
    if (cpu->host_fp)
        cpu->host_fp(cpu);
}

/* --- instructions ------------------------------------------------------------------------------------------------------------------ */

static uint16_t host_status(void)
{
    uint16_t sw;
    __asm__ volatile("fnstsw %0" : "=a"(sw));
    return sw;
}

void x86_x87_op(oryx_cpu *cpu, uint32_t code)
{
    x86_fpu_load(cpu);
    run(on_registers(code), NULL);
}

void x86_x87_load(oryx_cpu *cpu, uint32_t code, uint64_t lo, uint64_t hi)
{
    const uint64_t v[2] = {lo, hi};
    x86_fpu_load(cpu);
    run(on_memory(code), v);
}

uint64_t x86_x87_store(oryx_cpu *cpu, uint32_t code, uint32_t undo)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    x86_fpu_load(cpu);
    run(on_memory(code), f->out);
    f->undo = undo;
    return f->out[0];
}

/* IE, DE, ZE, OE, UE unmasked: nothing is stored, nothing popped. */
uint64_t x86_x87_store_unmasked(oryx_cpu *cpu, uint32_t code, uint32_t undo)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    uint64_t v = x86_x87_store(cpu, code, undo);
    f->skip = (host_status() & ~f->cw & 0x1f) != 0;
    if (f->skip)
        f->undo = 0;
    return v;
}

/* Z P C of a comparison. */
uint32_t x86_x87_flags(oryx_cpu *cpu, uint32_t code)
{
    uint32_t v;
    x86_fpu_load(cpu);
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\tcall *%1\n\tlahf\n\tlea 128(%%rsp), %%rsp"
                     : "=a"(v)
                     : "r"(on_registers(code))
                     : "memory", "cc");
    return v >> 8 & (X86_ZF | X86_PF | X86_CF);
}

/* FCMOV: code's is FCMOVE or FCMOVNE. */
void x86_x87_move_if(oryx_cpu *cpu, uint32_t i, uint32_t yes)
{
    x86_fpu_load(cpu);
    __asm__ volatile("lea -128(%%rsp), %%rsp\n\ttest %1, %1\n\tcall *%0\n\tlea 128(%%rsp), %%rsp"
                     :
                     : "r"(on_registers(3u << 8 | 0xc8 | i)), "r"(yes)
                     : "memory", "cc");
}

/* FLDCW. 1: another mode key. */
uint32_t x86_x87_control(oryx_cpu *cpu, uint32_t v)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    uint16_t old = f->cw, now = (uint16_t)v;
    x86_fpu_load(cpu);
    __asm__ volatile("fldcw %1\n\tfnstcw %0" : "=m"(f->cw) : "m"(now));
    return ((old & 0x3f) == 0x3f) != ((f->cw & 0x3f) == 0x3f);
}

uint32_t x86_x87_status(oryx_cpu *cpu)
{
    return cpu->host_fp ? host_status() : x86_state_of(cpu)->fpu.sw;
}

void x86_x87_clear(oryx_cpu *cpu)
{
    if (cpu->host_fp)
        __asm__ volatile("fnclex");
    else
        x86_state_of(cpu)->fpu.sw &= 0x7f00;
}

#endif

/* An exception that an earlier instruction left pending is raised by this one. */
void x86_x87_check(oryx_cpu *cpu)
{
    uint32_t sw = x86_x87_status(cpu);
    if (sw & 0x80)
        cpu->exc = (oryx_exc){.hdr = ORYX_HDR(oryx_exc),
                              .kind = ORYX_EXC_FP,
                              .syndrome = X86_VEC_MF | (uint64_t)(sw & ~x86_state_of(cpu)->fpu.cw & 0x3f) << 41,
                              .phys = ~(uint64_t)0};
}

/* --- MMX: SDM 1 9.6. Its instructions work on the state block. ------------------------------------------------------------------ */

void x86_mmx_begin(oryx_cpu *cpu)
{
    x86_fpu_save(cpu);
    x86_x87_check(cpu);
}

/* TOP is 0; all are valid, or empty after EMMS. */
void x86_mmx_end(oryx_cpu *cpu, uint32_t tag)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    x86_fpu_save(cpu);
    f->sw &= (uint16_t)~0x3800u;
    f->tag = (uint16_t)tag;
}
