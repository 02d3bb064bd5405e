/* Entry, the exception frame, and returns to user mode. Vectors are stubs that jump to `exception` with their offset in k1. */
#ifdef __mips64
#define L ld
#define S sd
#define MF dmfc0
#define MT dmtc0
#define Z 8
#else
#define L lw
#define S sw
#define MF mfc0
#define MT mtc0
#define Z 4
#endif
    .set noreorder
    .set noat
    .section .start, "ax"
    .globl start
start:
    mtc0 $0, $12
    mtc0 $0, $13
    la $sp, stack_top - 64
    jal main
    nop
    .globl finish
finish: /* Malta's reset register ends qemu -no-reboot, a semihosting call ends Oryx */
    li $8, 0xbf000500
    li $9, 0x42
    sw $9, 0($8)
1:
#if __mips_isa_rev >= 6
    sdbbp 1
#elif __mips >= 32
    sdbbp 1
#endif /* R4000 has none: it runs out of its count */
    b 1b
    nop

    .text
    .globl stub
stub: /* 5 words, copied to each vector; the immediate of the third is patched */
    lui $26, %hi(exception)
    addiu $26, $26, %lo(exception)
    jr $26
    li $27, 0

    .globl exception
exception:
    la $26, frame
    S $1, (1 * Z)($26)
    .irp n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,27,28,29,30,31
    S $\n, (\n * Z)($26)
    .endr
    MF $8, $14
    S $8, (32 * Z)($26)
    mfc0 $8, $13
    S $8, (33 * Z)($26)
    mfc0 $8, $12
    S $8, (34 * Z)($26)
    MF $8, $8
    S $8, (35 * Z)($26)
    la $sp, handler_top - 64
    jal handler
    nop
    la $26, frame
    L $8, (34 * Z)($26)
    mtc0 $8, $12
    L $8, (32 * Z)($26)
    MT $8, $14
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,28,29,30,31
    L $\n, (\n * Z)($26)
    .endr
    sll $0, $0, 3
    eret

/* void enter(status, pc): ERET there; the handler comes back to `left` with the caller's registers. */
    .globl enter
enter:
    la $8, saved
    S $16, 0($8)
    S $17, (1 * Z)($8)
    S $18, (2 * Z)($8)
    S $19, (3 * Z)($8)
    S $28, (4 * Z)($8)
    S $29, (5 * Z)($8)
    S $30, (6 * Z)($8)
    S $31, (7 * Z)($8)
    S $20, (8 * Z)($8)
    S $21, (9 * Z)($8)
    S $22, (10 * Z)($8)
    S $23, (11 * Z)($8)
    la $9, left
    la $10, catch_pc
    S $9, 0($10)
    mtc0 $4, $12
    MT $5, $14
    move $2, $6
    move $3, $7
    sll $0, $0, 3
    eret
left:
    la $8, saved
    L $16, 0($8)
    L $17, (1 * Z)($8)
    L $18, (2 * Z)($8)
    L $19, (3 * Z)($8)
    L $28, (4 * Z)($8)
    L $29, (5 * Z)($8)
    L $30, (6 * Z)($8)
    L $31, (7 * Z)($8)
    L $20, (8 * Z)($8)
    L $21, (9 * Z)($8)
    L $22, (10 * Z)($8)
    L $23, (11 * Z)($8)
    jr $31
    nop
    .bss
    .align 3
saved: .space 128
