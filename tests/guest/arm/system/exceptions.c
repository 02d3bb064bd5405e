/* Exceptions of every kind from ARM and Thumb code in several modes: vector, LR, SPSR, CPSR, fault registers; banked registers;
 * MRS and MSR; CPS, SRS, RFE, LDM and STM with ^; IT blocks; the instructions that each mode is refused. */
#include "rt.h"

static uint32_t data[32] __attribute__((aligned(64)));
#define NOWHERE 0xf8000000u /* no memory on any of the boards */

static void both(uint32_t arg)
{
    say("cpsr", CPSR() & seen);
    TRY("svc #0x1234");
    TRY(".inst 0xe7f000f0");                       /* udf */
    TRY(".inst 0xe1200070");                       /* bkpt */
    if (!arg) /* reads and writes of nothing: boards differ in what they have there */
        return;
    TRY(".inst 0xee010f10");                       /* mcr p15, c1: SCTLR, in user mode */
    TRY(".inst 0xee110f10");
    TRY(".inst 0xe160006e");                       /* eret */
    TRY(".inst 0xe1600070");                       /* smc */
    TRY(".inst 0xe1400070");                       /* hvc */
    TRY(".inst 0xe14f0000");                       /* mrs r0, spsr */
    TRY(".inst 0xe169f000");                       /* msr spsr_fc, r0 */
    TRY(".inst 0xf8bd0a00");                       /* rfeia sp! */
    TRY(".inst 0xf96d0513");                       /* srsdb sp!, #19 */
    TRY(".inst 0xe8d00002");                       /* ldm r0, {r1}^ */
    TRY(".inst 0xe25ef004");                       /* subs pc, lr, #4 */
    TRY2("msr cpsr_c, #0xd3", "r0");               /* without effect */
    say("cpsr", CPSR() & seen);
}

static void mode_words(uint32_t mode)
{
    say("mode", CPSR() & 0x1ff & seen);
    both(0);
}

#define READ_REGISTERS(at) __asm__ volatile("stmia %0, {r8-r14}" : : "r"(at) : "memory")

/* What each mode sees of r8 to r14 after the other modes wrote theirs. */
static void banks(void)
{
    static const uint8_t modes[] = { FIQ, IRQ, ABT, UND, SYS, SVC };
    for (unsigned i = 0; i < 6; i++) {
        register uint32_t *at __asm__("r0") = data; /* low registers: no mode has others */
        register uint32_t to __asm__("r1") = modes[i], v __asm__("r2") = 0x60000010u | (i & 1) << 5;
        __asm__ volatile("mrs r4, cpsr\n bic r5, r4, #0x1f\n orr r5, r5, %1\n msr cpsr_c, r5\n"
                         "mov r6, r13\n mov r7, r14\n stmia %0, {r6, r7}\n"
                         "mov r14, %2\n msr spsr_fsxc, %2\n mov r14, r7\n add r5, %2, #0x100\n mov r13, r6\n"
                         "mrs r5, spsr\n str r5, [%0, #8]\n msr cpsr_c, r4\n"
                         : : "r"(at), "r"(to), "r"(v) : "r4", "r5", "r6", "r7", "memory", "cc");
        if (modes[i] != SYS)
            say("spsr", data[2]);
    }
    register uint32_t *at __asm__("r0") = data;
    /* r8 to r12 of fiq mode are its own. */
    __asm__ volatile("mov r8, #1\n mov r9, #2\n mov r10, #3\n mov r12, #5\n mrs r4, cpsr\n bic r5, r4, #0x1f\n orr r5, r5, #0x11\n"
                     "msr cpsr_c, r5\n mov r8, #0x11\n mov r9, #0x12\n mov r10, #0x13\n mov r12, #0x15\n stmia %0, {r8-r10, r12}\n"
                     "msr cpsr_c, r4\n add r5, %0, #16\n stmia r5, {r8-r10, r12}\n"
                     : : "r"(at) : "r4", "r5", "r8", "r9", "r10", "r12", "memory", "cc");
    for (unsigned i = 0; i < 8; i++)
        say("banked", data[i]);
    /* The user's registers from fiq mode: STM and LDM with ^. */
    data[16] = 0x88, data[17] = 0x99;
    at = data;
    __asm__ volatile("mov r8, #1\n mov r9, #2\n mrs r4, cpsr\n bic r5, r4, #0x1f\n orr r5, r5, #0x11\n msr cpsr_c, r5\n"
                     "mov r8, #0x31\n mov r9, #0x32\n stmia %0, {r8, r9}^\n nop\n add r5, %0, #64\n ldmia r5, {r8, r9}^\n nop\n"
                     "add r5, %0, #8\n stmia r5, {r8, r9}\n msr cpsr_c, r4\n add r5, %0, #16\n stmia r5, {r8, r9}\n"
                     : : "r"(at) : "r4", "r5", "r8", "r9", "memory", "cc");
    for (unsigned i = 0; i < 6; i++)
        say("user bank", data[i]);
}

/* SPSR's fields, CPSR's fields by MSR. */
static void fields(void)
{
    for (unsigned m = 0; m < 16; m++) {
        uint32_t v;
        switch (m) {
#define CASE(n, f) \
    case n: __asm__ volatile("msr spsr_fsxc, %1\n msr spsr_" f ", %2\n mrs %0, spsr" : "=r"(v) : "r"(0), "r"(0xffffffffu)); break;
            CASE(1, "c") CASE(2, "x") CASE(4, "s") CASE(8, "f") CASE(9, "fc") CASE(6, "sx") CASE(15, "fsxc")
        default: continue;
        }
        say("spsr by field", v & (flags & HAS_V6 ? 0xff0fffff : 0xff0ffeff)); /* A, and bits of Armv8 only: qemu keeps more */
    }
    for (unsigned i = 0; i < 3; i++) {
        uint32_t v, w[3] = { 0xf8000000, 0x000f0000, 0x08000000 };
        __asm__ volatile("msr cpsr_fs, %1\n mrs %0, cpsr" : "=r"(v) : "r"(w[i]) : "cc");
        say("cpsr by field", v & (seen | 0xf0000000));
    }
    uint32_t v;
    __asm__ volatile("mrs r4, cpsr\n msr cpsr_c, #0x93\n mrs %0, cpsr\n msr cpsr_c, r4" : "=r"(v) : : "r4", "cc");
    say("F clear", v & 0x1ff & seen);
    __asm__ volatile("mrs r4, cpsr\n msr cpsr_c, #0x53\n mrs %0, cpsr\n msr cpsr_c, r4" : "=r"(v) : : "r4", "cc");
    say("I clear", v & 0x1ff & seen);
    if (flags & HAS_V6) {
        __asm__ volatile("mrs r4, cpsr\n .inst 0xf10801c0\n mrs %0, cpsr\n msr cpsr_fsxc, r4" : "=r"(v) : : "r4", "cc"); /* cpsie aif */
        say("cpsie aif", v & 0x1ff & seen);
        __asm__ volatile("mrs r4, cpsr\n .inst 0xf102001b\n mrs %0, cpsr\n msr cpsr_c, r4" : "=r"(v) : : "r4", "cc");
        say("cps und", v & 0x1ff & seen);
        __asm__ volatile("mrs r4, cpsr\n .inst 0xf10e00df\n mrs %0, cpsr\n msr cpsr_c, r4" : "=r"(v) : : "r4", "cc");
        say("cpsid if, sys", v & 0x1ff & seen);
        __asm__ volatile(".inst 0xf1010200\n mrs %0, cpsr\n .inst 0xf1010000" : "=r"(v)); /* setend be */
        say("setend be", v & 0x3ff);
        __asm__ volatile(".inst 0xf1010200\n ldr %0, [%1]\n .inst 0xf1010000" : "=&r"(v) : "r"(data + 16));
        say("big-endian word", v);
    }
}

/* SRS and RFE in every addressing mode, on a stack of its own. */
static void saved_state(void)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t sp, back, *at = data + 8;
        for (unsigned k = 0; k < 16; k++)
            data[k] = 0;
        /* Of und mode from svc: SP_und is data + 8, the words land around it. */
#define SRS(n, word) \
    case n: \
        __asm__ volatile("mrs r4, cpsr\n msr cpsr_c, #0xdb\n mov r6, sp\n mov sp, %1\n msr cpsr_c, r4\n mov r5, lr\n ldr lr, =0x12345678\n" \
                         "msr spsr_fsxc, %2\n .inst " word "\n mov lr, r5\n msr cpsr_c, #0xdb\n mov %0, sp\n mov sp, r6\n msr cpsr_c, r4" \
                         : "=&r"(sp) : "r"(at), "r"(0x600001d0u) : "r4", "r5", "r6", "memory", "cc"); \
        break;
        switch (i) {
            SRS(0, "0xf86d051b") SRS(1, "0xf8ed051b") SRS(2, "0xf96d051b") SRS(3, "0xf9ed051b")
        }
        say("srs sp", sp - (uint32_t)at);
        for (unsigned k = 0; k < 16; k++)
            if (data[k]) {
                say("at", k);
                say("word", data[k]);
            }
        /* RFE to the label, in sys mode with Q set. */
#define RFE(n, word) \
    case n: \
        __asm__ volatile("mrs r4, cpsr\n adr r5, 1f\n ldr r6, =0x080001df\n mov r7, %2\n str r5, [r7]\n str r6, [r7, #4]\n mov r5, %3\n" \
                         ".inst " word "\n b 2f\n1: mrs %0, cpsr\n sub %1, r5, %3\n2: msr cpsr_fsxc, r4" \
                         : "=&r"(v), "=&r"(back) : "r"(data + 8), "r"(from) : "r4", "r5", "r6", "r7", "memory", "cc"); \
        break;
        uint32_t v, *from = i == 0 ? data + 9 : i == 1 ? data + 8 : i == 2 ? data + 10 : data + 7;
        switch (i) {
            RFE(0, "0xf8350a00") RFE(1, "0xf8b50a00") RFE(2, "0xf9350a00") RFE(3, "0xf9b50a00")
        }
        say("rfe cpsr", v & seen);
        say("rfe base", back);
    }
}

/* Returns by data processing and LDM with ^. */
static void returns(void)
{
    uint32_t v, w;
    __asm__ volatile("mrs r4, cpsr\n ldr r5, =0x080000df\n msr spsr_fsxc, r5\n adr r5, 1f\n movs pc, r5\n1: mrs %0, cpsr\n msr cpsr_fsxc, r4"
                     : "=&r"(v) : : "r4", "r5", "cc");
    say("movs pc", v & seen);
    __asm__ volatile("mrs r4, cpsr\n ldr r5, =0x200000d2\n msr spsr_fsxc, r5\n adr r5, 1f\n add r5, r5, #8\n subs pc, r5, #8\n1: mrs %0, cpsr\n msr cpsr_fsxc, r4"
                     : "=&r"(v) : : "r4", "r5", "cc");
    say("subs pc", v & (seen | 0xf0000000));
    __asm__ volatile("mrs r4, cpsr\n ldr r5, =0x400000df\n msr spsr_fsxc, r5\n adr r5, 1f\n str r5, [%2, #8]\n mov r6, %2\n"
                     "ldmia r6!, {r0, r1, pc}^\n b 2f\n1: mrs %0, cpsr\n sub %1, r6, %2\n2: msr cpsr_fsxc, r4"
                     : "=&r"(v), "=&r"(w) : "r"(data) : "r0", "r1", "r4", "r5", "r6", "memory", "cc");
    say("ldm pc^", v & (seen | 0xf0000000));
    say("base", w);
    /* To Thumb code and back. */
    __asm__ volatile("mrs r4, cpsr\n ldr r5, =0x080000f3\n msr spsr_fsxc, r5\n adr r5, 1f\n movs pc, r5\n .thumb\n1: mov r5, pc\n bx r5\n .balign 4\n .arm\n"
                     "mrs %0, cpsr\n msr cpsr_fsxc, r4" : "=&r"(v) : : "r4", "r5", "cc");
    say("by Thumb", v & seen);
}

/* Exceptions in Thumb code, in IT blocks: SPSR has ITSTATE, and the return goes on in the block. */
__asm__(".thumb\n .balign 4\n .thumb_func\n thumb_code: push {r4, lr}\n ldr r3, =expected\n"
        "adr r2, 1f\n str r2, [r3]\n .balign 4\n 1: svc #5\n nop\n"
        "adr r2, 2f\n str r2, [r3]\n .balign 4\n 2: .inst.n 0xde00\n nop\n"
        "adr r2, 3f\n str r2, [r3]\n .balign 4\n 3: bkpt #1\n nop\n"
        "pop {r4}\n pop {r3}\n bx r3\n .balign 4\n .ltorg\n .arm");
#ifdef IT
__asm__(".thumb\n .arch armv7-a\n .syntax unified\n .balign 4\n .thumb_func\n it_code: push {r4, lr}\n ldr r3, =expected\n movs r0, #0\n movs r1, #0\n"
        "adr r2, 1f\n str r2, [r3]\n .balign 4\n cmp r1, #0\n .inst.n 0xbf0c\n .balign 4\n 1: svc #5\n mov r0, #1\n"  /* ite eq: the second is not executed */
        "adr r2, 2f\n str r2, [r3]\n cmp r1, #0\n .balign 4\n .inst.n 0xbf01\n .inst.n 0x3101\n 2: .inst.n 0xde00\n .inst.n 0x3110\n .inst.n 0x3120\n" /* itttt eq.. */
        "adr r2, 3f\n str r2, [r3]\n movs r4, #0\n cmp r4, #1\n .balign 4\n .inst.n 0xbf18\n 3: .inst.w 0xf7f0a000\n nop\n" /* it ne: udf.w */
        "add r0, r0, r1\n pop {r4, pc}\n .balign 4\n .ltorg\n .arm");
uint32_t it_code(void);
#endif
void thumb_code(uint32_t);

static void aborts(uint32_t arg)
{
    TRY2("ldr r0, [%1]", "r0", "r"(NOWHERE + 0x100));
    TRY2("strb r0, [%1]", "r0", "r"(NOWHERE + 0x101));
    TRY2("ldrh r0, [%1]", "r0", "r"(NOWHERE + 0x102));
    TRY2("ldmia %1, {r0, r1}", "r0", "r"(NOWHERE + 0x104));
    TRY2("stmdb %1!, {r0, r1}", "r0", "r"(NOWHERE + 0x108));
    expected = NOWHERE + 0x200;
    __asm__ volatile("adr r0, 1f\n str r0, [%0]\n mov pc, %1\n1:" : : "r"(&resume_at), "r"(NOWHERE + 0x200) : "r0", "memory");
}

static void alignment(void)
{
    uint32_t sctlr = MRC(15, 0, 1, 0, 0);
    MCR(15, 0, 1, 0, 0, sctlr | 2);
    TRY2("ldr r0, [%1]", "r0", "r"((uint32_t)data + 1));
    TRY2("ldrh r0, [%1]", "r0", "r"((uint32_t)data + 3));
    TRY2("strh r0, [%1]", "r0", "r"((uint32_t)data + 5));
    TRY2("str r0, [%1]", "r0", "r"((uint32_t)data + 6));
    TRY2("ldmia %1, {r0, r1}", "r0", "r"((uint32_t)data + 6));
    TRY2("ldrb r0, [%1]", "r0", "r"((uint32_t)data + 7));
    MCR(15, 0, 1, 0, 0, sctlr);
    if (flags & HAS_V7) {
        for (unsigned k = 0; k < 4; k++)
            data[k] = 0x03020100 + 0x04040404 * k;
        uint32_t v;
        __asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"((uint32_t)data + 1));
        say("unaligned", v);
        TRY2("ldmia %1, {r0, r1}", "r0", "r"((uint32_t)data + 6));
        __asm__ volatile("adr r12, 1f\n str r12, [%0]\n mov r0, %1\n1: .inst 0xe1900f9f" : : "r"(&expected), "r"((uint32_t)data + 2) : "r0", "r12", "memory");
    }
}

static void fp(void)
{
    if (!(flags & HAS_V7))
        return;
    MCR(15, 0, 1, 0, 2, 0);
    say("cpacr", MRC(15, 0, 1, 0, 2));
    TRY(".inst 0xeeb00a40");                       /* vmov.f32 s0, s0 */
    TRY2(".inst 0xeef80a10", "r0");                /* vmrs r0, fpexc */
    MCR(15, 0, 1, 0, 2, 0xf << 20);
    say("cpacr", MRC(15, 0, 1, 0, 2));
    uint32_t v;
    TRY(".inst 0xeeb00a40");
    TRY2(".inst 0xeef10a10", "r0");                /* vmrs r0, fpscr */
    __asm__ volatile(".inst 0xeef80a10\n mov %0, r0" : "=r"(v) : : "r0");
    say("fpexc", v);
    __asm__ volatile("mov r0, #0x40000000\n .inst 0xeee80a10\n .inst 0xeef80a10\n mov %0, r0" : "=r"(v) : : "r0");
    say("fpexc", v);
    TRY(".inst 0xeeb00a40");
    TRY(".inst 0xf2200150");                       /* vorr q0, q0, q0 */
    __asm__ volatile(".inst 0xeef10a10\n mov %0, r0" : "=r"(v) : : "r0");
    say("fpscr", v);
    call_at((void (*)(uint32_t))both, 0, USR | 0xc0);
    MCR(15, 0, 1, 0, 2, 5 << 20);                  /* privileged only */
    TRY(".inst 0xeeb00a40");
}

static void user_fp(uint32_t arg)
{
    TRY(".inst 0xeeb00a40");
    TRY2(".inst 0xeef80a10", "r0");
}

static void banked_moves(uint32_t arg)
{
    if (!(flags & HAS_VIRT)) /* qemu has these only with Hyp mode */
        return;
    uint32_t v;
    __asm__ volatile("ldr r0, =0x1234\n .inst 0xe120f200\n .inst 0xe1000200\n mov %0, r0" : "=r"(v) : : "r0"); /* r8_usr, from svc: UNPREDICTABLE elsewhere */
    __asm__ volatile("ldr r0, =0x2345\n .inst 0xe12ef200\n mov r0, #0\n .inst 0xe10e0200\n mov %0, r0" : "=r"(v) : : "r0");
    say("lr_fiq", v);
    __asm__ volatile("ldr r0, =0x3456\n .inst 0xe128f200\n mov r0, #0\n .inst 0xe1080200\n mov %0, r0" : "=r"(v) : : "r0");
    say("r8_fiq", v);
    __asm__ volatile("ldr r0, =0x600001d0\n .inst 0xe16ef200\n mov r0, #0\n .inst 0xe14e0200\n mov %0, r0" : "=r"(v) : : "r0");
    say("spsr_fiq", v);
    __asm__ volatile("ldr r0, =0x600001d3\n .inst 0xe160f300\n mov r0, #0\n .inst 0xe1400300\n mov %0, r0" : "=r"(v) : : "r0");
    say("spsr_irq", v);
    __asm__ volatile("ldr r0, =0x4567\n .inst 0xe126f200\n mov r0, #0\n .inst 0xe1060200\n mov %0, r0" : "=r"(v) : : "r0");
    say("lr_usr", v);
}

int main(void)
{
    set_vectors();
    near = (uint32_t)data;
    title("svc");
    both(0);
    title("fields");
    fields();
    title("banks");
    banks();
    if (flags & HAS_V6) {
        title("saved state");
        saved_state();
    }
    title("returns");
    returns();
    title("Thumb");
    thumb_code(0);
#ifdef IT
    title("IT blocks");
    say("result", it_code());
#endif
    title("aborts");
    if (ABORTS)
        aborts(0);
    title("alignment");
    alignment();
    title("modes");
    static const uint8_t modes[] = { FIQ, IRQ, SYS };
    for (unsigned i = 0; i < 3; i++)
        call_at(mode_words, 0, modes[i] | 0xc0);
    title("usr");
    call_at(both, 1, USR);
    call_at(both, 1, USR | (flags & HAS_V6 ? 0x1c0 : 0xc0));
    title("Thumb in usr");
    call_at(thumb_code, 0, USR);
    title("fp");
    fp();
    if (flags & HAS_V7)
        call_at(user_fp, 0, USR);
    title("banked moves");
    banked_moves(0);
    title("end");
    finish();
}
