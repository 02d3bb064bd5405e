/* Output, the record of exceptions, coprocessor 0 by number. */
#ifndef RT_H
#define RT_H
#include <stdint.h>

typedef unsigned long word;
extern word frame[36], catch_pc, base_pc; /* frame: registers, EPC, Cause, Status, BadVAddr */
enum { F_EPC = 32, F_CAUSE, F_STATUS, F_BAD };
extern int fixups;                        /* exceptions that hook() took care of */
extern int (*hook)(unsigned vector);      /* 1: served, go on where EPC says */

void say(const char *fmt, ...);           /* %x word, %d int, %s */
void init(void);
void finish(void);
void enter(word status, word pc, word v0, word v1);
void user_code(const uint32_t *code, unsigned n); /* at USER, one page mapped there and one for data behind it */
word page_of(unsigned n);                 /* physical address of free page n */
#define USER 0x00400000ul
#define BEV 0x400000ul

#define STR_(x) #x
#define STR(x) STR_(x)
#ifdef __mips64
#define MFC "dmfc0"
#define MTC "dmtc0"
#define STW "sd"
#else
#define MFC "mfc0"
#define MTC "mtc0"
#define STW "sw"
#endif
#define CP0(reg, sel) ({ word v_; __asm__ volatile(".set push\n.set mips32r2\n mfc0 %0, $" #reg ", " #sel "\n.set pop" : "=r"(v_)); v_; })
#define SET(reg, sel, v) __asm__ volatile(".set push\n.set mips32r2\n mtc0 %0, $" #reg ", " #sel "\n ehb\n.set pop" :: "r"((word)(v)) : "memory")
#define CP0L(reg) ({ word v_; __asm__ volatile(MFC " %0, $" #reg : "=r"(v_)); v_; })
#define SETL(reg, v) __asm__ volatile(MTC " %0, $" #reg "\n sll $0, $0, 3" :: "r"((word)(v)) : "memory")
#define OP(name) __asm__ volatile(".word " STR(name) "\n sll $0, $0, 3" ::: "memory")
#define TLBR OP(0x42000001)
#define TLBWI OP(0x42000002)
#define TLBWR OP(0x42000006)
#define TLBP OP(0x42000008)

/* Runs an instruction or a few; an exception is printed and leaves to the end. $8 is a, $9 is b. */
#define RUN(text, a, b)                                                                                                     \
    do {                                                                                                                    \
        register word a_ __asm__("$8") = (word)(a);                                                                         \
        register word b_ __asm__("$9") = (word)(b);                                                                         \
        say("%s: ", text);                                                                                                  \
        a_ = (word)(a);                                                                                                     \
        b_ = (word)(b);                                                                                                     \
        __asm__ volatile(".set push\n.set noreorder\n.set noat\n la $2, 9f\n la $3, catch_pc\n " STW " $2, 0($3)\n"         \
                         " la $2, 7f\n la $3, base_pc\n " STW " $2, 0($3)\n7: " text "\n nop\n9: .set pop"                  \
                         : "+r"(a_), "+r"(b_) :: "$2", "$3", "$4", "$5", "$6", "$7", "$10", "$11", "$12", "memory");         \
        say(".\n");                                                                                                         \
    } while (0)
#endif
