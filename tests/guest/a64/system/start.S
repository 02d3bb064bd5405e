/* Entry, vectors and level changes of the bare-metal tests. One image for every highest level: the entry looks at CurrentEL.
 * Each level has its own stack; the handler's registers are saved there and a C function decides what comes next. */
    .section .text.start, "ax"
    .global _start
_start:
    mrs x0, CurrentEL
    lsr x0, x0, #2
    ldr x1, =stacks
    add x2, x0, #1
    mov x3, #0x4000
    madd x1, x2, x3, x1
    mov sp, x1
    ldr x1, =vectors
    cmp x0, #3
    b.eq 3f
    cmp x0, #2
    b.eq 2f
    b 1f
3:  msr vbar_el3, x1
    mov x2, #0x531          /* NS, RW, HCE, RES1 */
    msr scr_el3, x2
    msr cptr_el3, xzr
    msr vbar_el2, x1
    mov x2, #0x33ff
    msr cptr_el2, x2
2:  msr vbar_el2, x1
    mov x2, #1 << 31
    msr hcr_el2, x2
    mov x2, #0x33ff
    msr cptr_el2, x2
    mov x2, #3
    msr cnthctl_el2, x2
    msr cntvoff_el2, xzr
1:  msr vbar_el1, x1
    mov x2, #3 << 20
    msr cpacr_el1, x2
    isb
    bl main
    /* Semihosting: SYS_EXIT, ADP_Stopped_ApplicationExit, 0. */
    .global finish
finish:
    mov x0, #0x18
    ldr x1, =exit_block
    hlt #0xf000
    b .

    .macro vector n
    .balign 128
    sub sp, sp, #288
    stp x0, x1, [sp]
    mov x0, #\n
    b save
    .endm

    .balign 2048
    .global vectors
vectors:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vector \n
    .endr

save:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    stp x28, x29, [sp, #224]
    str x30, [sp, #240]
    mov x1, sp
    bl handler
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldp x28, x29, [sp, #224]
    ldr x30, [sp, #240]
    ldp x0, x1, [sp]
    add sp, sp, #288
    eret

/* int save_context(uint64_t *ctx): 0 at first, 1 when load_context(ctx) brings it back. */
    .global save_context, load_context
save_context:
    stp x19, x20, [x0]
    stp x21, x22, [x0, #16]
    stp x23, x24, [x0, #32]
    stp x25, x26, [x0, #48]
    stp x27, x28, [x0, #64]
    stp x29, x30, [x0, #80]
    mov x1, sp
    str x1, [x0, #96]
    mov x0, #0
    ret
load_context:
    ldp x19, x20, [x0]
    ldp x21, x22, [x0, #16]
    ldp x23, x24, [x0, #32]
    ldp x25, x26, [x0, #48]
    ldp x27, x28, [x0, #64]
    ldp x29, x30, [x0, #80]
    ldr x1, [x0, #96]
    mov sp, x1
    mov x0, #1
    ret

/* Where run_at arrives: x0 the function, x1 its argument. Immediate 0x7f means "done" to the level above. */
    .global landing
landing:
    mov x19, x0
    mov x0, x1
    blr x19
    svc #0x7f
    b .
    .global landing_hvc, landing_smc
landing_hvc:
    mov x19, x0
    mov x0, x1
    blr x19
    hvc #0x7f
    b .
landing_smc:
    mov x19, x0
    mov x0, x1
    blr x19
    smc #0x7f
    b .

    .section .rodata
    .balign 8
exit_block:
    .quad 0x20026, 0
    .bss
    .balign 16
    .global stacks
stacks:
    .skip 0x4000 * 5
