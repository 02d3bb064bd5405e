/* Runtime of the bare-metal tests: console, exceptions that are printed and stepped over, code run in other modes. */
#ifndef RT_H
#define RT_H

#include <stdint.h>

#define MRC(cp, op1, crn, crm, op2) \
    ({ uint32_t v_; __asm__ volatile("mrc p" #cp ", " #op1 ", %0, c" #crn ", c" #crm ", " #op2 : "=r"(v_) : : "memory"); v_; })
#define MCR(cp, op1, crn, crm, op2, value) \
    __asm__ volatile("mcr p" #cp ", " #op1 ", %0, c" #crn ", c" #crm ", " #op2 : : "r"((uint32_t)(value)) : "memory")
#define CPSR() ({ uint32_t v_; __asm__ volatile("mrs %0, cpsr" : "=r"(v_) : : "memory"); v_; })

enum { USR = 0x10, FIQ = 0x11, IRQ = 0x12, SVC = 0x13, MON = 0x16, ABT = 0x17, UND = 0x1b, SYS = 0x1f };

void put(const char *s);
void hex(uint32_t v);
void say(const char *name, uint32_t v); /* "name value\n" */
void title(const char *s);
/* fn(arg) with this CPSR, on its mode's stack; it may take exceptions. From svc mode. */
void call_at(void (*fn)(uint32_t), uint32_t arg, uint32_t cpsr);
extern volatile uint32_t expected;     /* address of the instruction that is tried: LR is printed relative to it */
extern volatile uint32_t resume_at;    /* where the next exception returns to; 0: behind the instruction */
extern volatile uint32_t exceptions, last_kind, last_fsr, last_far, undefined;
extern uint32_t near;                  /* fault addresses a page behind it are printed relative to it */
extern int quiet;
extern int (*irq_handler)(unsigned kind, uint32_t *frame); /* kind 6 IRQ, 7 FIQ (and monitor's 14, 15); nonzero: told nothing */
extern int (*smc_handler)(uint32_t *frame);
void set_vectors(void);
extern unsigned flags;                 /* of the model: below */
enum { HAS_VBAR = 1, HAS_V6 = 2, HAS_V7 = 4, HAS_LPAE = 8, HAS_VIRT = 16, HAS_TZ = 32, IS_MAX = 64 };
extern uint32_t seen;                  /* bits of CPSR and SPSR that are printed */
/* Something that faults: the rest of the function goes on behind it. Operands by name only. */
#define TRY(code, ...) \
    __asm__ volatile("adr r12, 771f\n str r12, [%0]\n771: " code "\n" : : "r"(&expected), ##__VA_ARGS__ : "r12", "memory", "cc")
#define TRY2(code, clobbers, ...) \
    __asm__ volatile("adr r12, 771f\n str r12, [%0]\n771: " code "\n" : : "r"(&expected), ##__VA_ARGS__ : "r12", "memory", "cc", clobbers)
void finish(void) __attribute__((noreturn));

#endif
