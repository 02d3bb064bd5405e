/* Runtime of the bare-metal tests: console, exceptions that are printed and stepped over, functions run at lower levels. */
#ifndef RT_H
#define RT_H

#include <stdint.h>

#define READ(reg) ({ uint64_t v_; __asm__ volatile("mrs %0, " #reg : "=r"(v_) : : "memory"); v_; })
#define WRITE(reg, value) __asm__ volatile("msr " #reg ", %0\n isb" : : "r"((uint64_t)(value)) : "memory")
#define ISB() __asm__ volatile("isb" : : : "memory")

void put(const char *s);
void hex(uint64_t v);
void say(const char *name, uint64_t v); /* "name value\n" */
void title(const char *s);
unsigned level(void);
/* Run fn(arg) one or more levels below the current one; it may take exceptions. sp: 1 for SP_ELx. */
void run_at(unsigned el, unsigned sp, void (*fn)(uint64_t), uint64_t arg);
extern uint64_t unmasked;               /* DAIF bits that the next run_at leaves clear */
extern volatile uint64_t resume_at;     /* where the next exception returns to; 0: behind the instruction (faults), at ELR (calls) */
extern volatile uint64_t exceptions;    /* taken so far */
extern volatile uint64_t last_esr, last_far; /* of the last abort */
/* Run code at EL0 from EL1: entry with x0 = arg; it ends with svc #0x7f. */
void run_user(uint64_t entry, uint64_t arg);
extern int (*irq_handler)(unsigned el, unsigned kind); /* kind 1 IRQ, 2 FIQ, 3 SError; nonzero: told nothing */
extern int quiet, brief; /* brief: no ELR, for expectations that must not depend on where code lies */
/* Do something that faults: the rest of the function goes on behind it. */
#define TRY(code, ...) __asm__ volatile(code "\n" : __VA_ARGS__)
void finish(void) __attribute__((noreturn));

#endif
