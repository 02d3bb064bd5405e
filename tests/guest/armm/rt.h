/* Run-time of the bare-metal M-profile programs: text over semihosting, vectors, one reporting handler for all faults. */
#ifndef RT_H
#define RT_H

typedef unsigned int u32;
typedef unsigned char u8;

#define REG(a) (*(volatile u32 *)(a))
#define ICSR REG(0xe000ed04)
#define VTOR REG(0xe000ed08)
#define AIRCR REG(0xe000ed0c)
#define SCR REG(0xe000ed10)
#define CCR REG(0xe000ed14)
#define SHPR2 REG(0xe000ed1c)
#define SHPR3 REG(0xe000ed20)
#define SHPR1 REG(0xe000ed18)
#define SHCSR REG(0xe000ed24)
#define CFSR REG(0xe000ed28)
#define HFSR REG(0xe000ed2c)
#define MMFAR REG(0xe000ed34)
#define BFAR REG(0xe000ed38)
#define CPACR REG(0xe000ed88)
#define ISER REG(0xe000e100)
#define ICER REG(0xe000e180)
#define ISPR REG(0xe000e200)
#define ICPR REG(0xe000e280)
#define IABR REG(0xe000e300)
#define IPR(n) REG(0xe000e400 + 4 * (n))
#define STIR REG(0xe000ef00)
#define SYST_CSR REG(0xe000e010)
#define SYST_RVR REG(0xe000e014)
#define SYST_CVR REG(0xe000e018)
#define FPCCR REG(0xe000ef34)
#define FPCAR REG(0xe000ef38)
#define FPDSCR REG(0xe000ef3c)
#define MPU_TYPE REG(0xe000ed90)
#define MPU_CTRL REG(0xe000ed94)
#define MPU_RNR REG(0xe000ed98)
#define MPU_RBAR REG(0xe000ed9c)
#define MPU_RASR REG(0xe000eda0)

#define BARRIER() __asm__ volatile("dsb\n isb" ::: "memory")
#define MRS(name) ({ u32 v_; __asm__ volatile("mrs %0, " #name : "=r"(v_) :: "memory"); v_; })
#define MSR(name, v) __asm__ volatile("msr " #name ", %0\n isb" :: "r"((u32)(v)) : "memory")

/* The frame at the stack pointer of the interrupted code. */
struct frame {
    u32 r[4], r12, lr, pc, psr;
};

void text(const char *s);
void hex(u32 v);
void field(const char *name, u32 v); /* " name=v" */
void line(void);
void finish(void) __attribute__((noreturn));
void test(void);

extern volatile u32 resume;    /* where the code after a fault goes on; 0: behind nothing, the frame is as it is */
extern volatile u32 hide_bits; /* of CFSR and HFSR: what the oracle has otherwise than the manual */
typedef void handler(struct frame *f, u32 excret);
extern handler *volatile hooks[48]; /* by exception number, instead of the report */

/* Executes code; what it raises is reported, and execution goes on behind it. */
#define TRY(what, code)                                                                                                     \
    do {                                                                                                                    \
        text(what);                                                                                                         \
        text(":");                                                                                                          \
        __asm__ volatile(".balign 4\n adr r3, 9f\n adds r3, #1\n str r3, [%0]\n" code "\n .balign 4\n9:\n"                  \
                         :: "l"(&resume) : "r0", "r1", "r2", "r3", "r4", "r5", "r12", "lr", "memory", "cc");                \
        resume = 0;                                                                                                         \
        line();                                                                                                             \
    } while (0)

#endif
