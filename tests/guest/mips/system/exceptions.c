/* Every kind of exception in kernel and user mode, in and out of delay slots, nested; where it goes and what it leaves. */
#include "rt.h"

static uint32_t data[4];

static void user(const char *name, const uint32_t *code, unsigned n, word v0)
{
    say("user %s: ", name);
    user_code(code, n);
    enter(0x12, USER, v0, 0);
    say(".\n");
}
#define USER_RUN(name, v0, ...)                              \
    do {                                                     \
        static const uint32_t code_[] = { __VA_ARGS__ };     \
        user(name, code_, sizeof code_ / 4, v0);             \
    } while (0)

int main(void)
{
    init();
    RUN("syscall 5", 0, 0);
    RUN("break 3", 0, 0);
    RUN("teq $0, $0", 0, 0);
    RUN("tne $8, $9", 1, 2);
    RUN("add $2, $8, $9", 0x7fffffff, 1);
    RUN("sub $2, $8, $9", -0x7fffffffl - 1, 1);
    RUN(".word 0x0000003f|0x3f<<6", 0, 0);
    RUN("lw $2, 2($8)", data, 0);
    RUN("sw $2, 2($8)", data, 0);
    RUN("lh $2, 1($8)", data, 0);
    RUN("sh $2, 1($8)", data, 0);
    RUN("jr $8; nop", 0x80000002l, 0);
    RUN("b 9f; syscall", 0, 0);
    RUN("beq $8, $9, 9f; lw $2, 3($8)", data, data);
    RUN("bne $8, $9, 9f; lw $2, 3($8)", data, data);
    RUN("jalr $10, $8; break", data, 0);
    RUN("la $10, 9f; jr $10; teq $0, $0", 0, 0);
    RUN("bal 9f; .word 0x0000003f|0x3f<<6", 0, 0);
    RUN(".word 0x44020000", 0, 0);                  /* mfc1 */
    RUN("b 9f; .word 0x44020000", 0, 0);
    RUN(".word 0x48020000", 0, 0);                  /* mfc2 */
    SET(12, 0, 0x2);
    RUN("mfc0 $2, $12; ori $2, $2, 2; mtc0 $2, $12; nop; break", 0, 0); /* EXL set: the old EPC stays */
    SET(12, 0, 0);
    RUN("mfc0 $2, $12", 0, 0);
    USER_RUN("syscall", 0, 0x0000000c);
    USER_RUN("mfc0", 0, 0, 0x40026000);
    USER_RUN("eret in a slot", 0, 0x10000001, 0x42000018);
    USER_RUN("cache", 0, 0xbc400000);
    USER_RUN("lw of kseg0", data, 0x8c430000);
    USER_RUN("sw of kseg0", data, 0xac430000);
    USER_RUN("lw of kseg2", 0xc0000000l, 0x8c430000);
    USER_RUN("jump to kseg0", main, 0x00400008, 0);
    USER_RUN("mtc1", 0, 0x44820000);
    USER_RUN("lw unmapped", 0x10000004, 0x8c430000);
    USER_RUN("sb unmapped in a slot", 0x10000005, 0x10000002, 0xa0430000);
    USER_RUN("fall off the page", 0, 0x08000000 | (USER + 8192) >> 2, 0);
    say("end\n");
    finish();
}
