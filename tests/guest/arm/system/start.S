/* Entry, vectors and mode stacks of the bare-metal tests of class "arm". The handler's registers are saved on the stack of the
 * exception's mode and a C function decides what comes next. */
    .syntax unified
    .arm
    .section .text.start, "ax"
    .global _start
_start:
    msr cpsr_c, #0xd3
    ldr r4, =stacks
    mov r5, #0x4000
    .irp mode, 0xd1, 0xd2, 0xd7, 0xdb, 0xdf, 0xd3
    msr cpsr_c, #\mode
    add r4, r4, r5
    mov sp, r4
    .endr
    bl main
    .global finish
finish:
#ifdef QEMU
    mov r0, #0x18           /* semihosting: SYS_EXIT, ADP_Stopped_ApplicationExit */
    ldr r1, =0x20026
    svc 0x123456
#endif
    mov r0, #0
    mcr p15, 0, r0, c7, c0, 4   /* wait for an interrupt, with nothing that could make one: the CPU halts */
    .inst 0xe320f003
    b .

    .balign 32
    .global vectors, vector_words
vectors:
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7
    .word entry_\n
    .endr

/* Monitor vectors: the same handler, numbers from 8. */
    .balign 32
    .global monitor_vectors
monitor_vectors:
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    ldr pc, [pc, #24]
    .irp n, 8, 9, 10, 11, 12, 13, 14, 15
    .word entry_\n
    .endr

    .macro vector n
entry_\n:
    sub sp, sp, #64
    stmia sp, {r0-r12}
    mov r0, #\n
    b save
    .endm
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vector \n
    .endr

save:
    mrs r1, spsr
    str r1, [sp, #52]
    str lr, [sp, #56]
    mov r1, sp
#ifdef BIG
    setend be
#endif
    bl handler
    ldr r1, [sp, #52]
    msr spsr_fsxc, r1
    ldr lr, [sp, #56]
    ldmia sp, {r0-r12}
    add sp, sp, #64
    movs pc, lr

/* call_at(fn, arg, cpsr): fn(arg) with CPSR as given, on that mode's stack; back here when it executes svc #0x7f (or smc #0x7f from
 * the other world). */
    .global call_at, call_back
call_at:
    push {r4-r12, lr}
    mrs r4, cpsr
    ldr r5, =call_saved
    ldr r6, [r5]
    ldr r7, [r5, #4]
    push {r6, r7}
    str sp, [r5]
    str r4, [r5, #4]
    ldr r4, =call_landing
    mov r7, r0
    mov r0, r1
    push {r2, r4}           /* as RFE has it: cpsr behind pc */
    msr spsr_fsxc, r2
    add sp, sp, #8
    movs pc, r4
call_landing:
    mov lr, pc
    bx r7
    svc 0x7f
    b .
call_back:                  /* from the handler, in the caller's mode */
    ldr r5, =call_saved
    ldr sp, [r5]
    pop {r6, r7}
    str r6, [r5]
    str r7, [r5, #4]
    pop {r4-r12, lr}
    bx lr

    .bss
    .balign 8
    .global call_saved, stacks
call_saved:
    .word 0, 0
stacks:
    .skip 0x4000 * 8
