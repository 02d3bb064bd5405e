@ The guest's half of arm_diff.py: runs every case between two full sets of registers.
@
@ A case's record (SIZE bytes): target, bit 0 of flags = copy the window; r0-r14 at 8, CPSR 68, FPSCR 72, D0-D31 80,
@ 64 words of the window 336. The result has the signal number and its address in the first two words, then the same.
@ A slot is entered through CELLS[0] with every register set and comes back at ret (A32) or ret_t (T32).
    .arch armv8-a
    .fpu crypto-neon-fp-armv8
    .arm
    .equ SIZE, 592
    .equ WINDOW, 0x80f80
    .text
    .global _start
_start:
    b start
    b ret               @ 0x10004
    .thumb
    .thumb_func
ret_t:                  @ 0x10008
    bx pc
    nop
    .arm
    b ret
start:
    ldr r0, =stack_t
    mov r1, #0
    mov r7, #186        @ sigaltstack
    svc #0
    ldr r5, =signals
1:  ldrb r0, [r5], #1
    cmp r0, #0
    beq loop
    ldr r1, =action
    mov r2, #0
    mov r3, #8
    mov r7, #174        @ rt_sigaction
    svc #0
    b 1b
loop:
    ldr r0, =cells
    ldr r2, [r0, #12]
    subs r2, r2, #1
    blt done
    str r2, [r0, #12]
    ldr r1, [r0, #4]
    ldr r3, [r1]
    str r3, [r0]
    ldr r2, [r1, #4]
    tst r2, #1
    beq 3f
    add r2, r1, #336
    ldr r4, =WINDOW
    mov r5, #64
2:  ldr r3, [r2], #4
    str r3, [r4], #4
    subs r5, r5, #1
    bne 2b
3:  clrex
    add r3, r1, #80
    vldmia r3!, {d0-d15}
    vldmia r3!, {d16-d31}
    ldr r3, [r1, #72]
    vmsr fpscr, r3
    ldr r3, [r1, #68]
    msr APSR_nzcvqg, r3
    ldr sp, [r1, #60]
    ldr lr, [r1, #64]
    add r0, r1, #8
    ldmia r0, {r0-r12}
    ldr pc, cells
ret:
    setend le
    mcr p15, 0, r0, c13, c0, 2
    ldr r0, cells + 8
    add r0, r0, #12
    stmia r0, {r1-r14}
    mrc p15, 0, r1, c13, c0, 2
    str r1, [r0, #-4]
    mrs r1, CPSR
    str r1, [r0, #56]
    vmrs r1, fpscr
    str r1, [r0, #60]
    mov r1, #0
    vmsr fpscr, r1
    add r1, r0, #68
    vstmia r1!, {d0-d15}
    vstmia r1!, {d16-d31}
    ldr r0, =cells
    ldr r2, [r0, #4]
    ldr r3, [r2, #4]
    add r2, r2, #SIZE
    str r2, [r0, #4]
    ldr r2, [r0, #8]
    add r2, r2, #SIZE
    str r2, [r0, #8]
    tst r3, #1
    beq loop
    ldr r4, =WINDOW
    mov r5, #64
4:  ldr r3, [r4], #4
    str r3, [r1], #4
    subs r5, r5, #1
    bne 4b
    b loop
done:
    ldr r6, =cells
    ldr r5, [r6, #8]
    ldr r4, =0x6000000
5:  subs r2, r5, r4
    beq 6f
    mov r1, r4
    mov r0, #1
    mov r7, #4          @ write
    svc #0
    cmp r0, #0
    ble 6f
    add r4, r4, r0
    b 5b
6:  mov r0, #0
    mov r7, #1
    svc #0
    udf #0

@ (signal, siginfo, ucontext): r0 of the ucontext is at 32, pc at 92, cpsr at 96.
handler:
    ldr r3, cells + 8
    str r0, [r3]
    ldr r0, [r1, #12]
    str r0, [r3, #4]
    ldr r3, =ret
    str r3, [r2, #92]
    ldr r3, [r2, #96]
    bic r3, r3, #0x220
    bic r3, r3, #0x06000000
    bic r3, r3, #0xfc00
    str r3, [r2, #96]
    bx lr
signals:
    .byte 4, 5, 7, 8, 11, 0
    .balign 4
action:
    .word handler, 0x48000004, 0, 0, 0      @ SA_SIGINFO SA_ONSTACK SA_NODEFER
stack_t:
    .word 0x90000, 0, 0x8000
    .ltorg
    .org 0x1000
cells:                  @ target, input record, output record, cases left
    .word 0, 0x1000000, 0x6000000, 0
