/* Enter a test slot with every register set, and come back from one with every register saved.
 *
 * No register may be spared for the harness, SP and X30 included. So a slot is entered by BR X30 with
 * the wanted X30 in TPIDR_EL0, which the slot's first instruction (MRS X30, TPIDR_EL0) fetches; and it
 * leaves by a direct branch to ret_0..ret_7, which hide X30 in TPIDR_EL0 again before using it as a base.
 */
#include "layout.h"
        .text
        .globl _start, enter, ret_0, ret_sig, sigreturn_stub
_start: mov     x0, sp
        bl      runtime_main
        mov     x8, #94
        svc     #0

/* void enter(uint64_t entry) */
enter:  stp     x29, x30, [sp, #-96]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        mov     x30, x0
        movz    x0, #(LAY_IN >> 16), lsl #16
        mov     x1, sp
        str     x1, [x0, #(LAY_HOST - LAY_IN)]
        .irp n, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30
        ldr     q\n, [x0, #(C_V * 8 + \n * 16)]
        .endr
        .irp n, 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31
        ldr     q\n, [x0, #(C_V * 8 + \n * 16)]
        .endr
        ldr     x1, [x0, #(C_FPCR * 8)]
        msr     fpcr, x1
        ldr     x1, [x0, #(C_FPSR * 8)]
        msr     fpsr, x1
        ldr     x1, [x0, #(C_NZCV * 8)]
        msr     nzcv, x1
        ldr     x1, [x0, #(30 * 8)]
        msr     tpidr_el0, x1
        ldr     x1, [x0, #(C_SP * 8)]
        mov     sp, x1
        clrex
        ldp     x2, x3, [x0, #16]
        ldp     x4, x5, [x0, #32]
        ldp     x6, x7, [x0, #48]
        ldp     x8, x9, [x0, #64]
        ldp     x10, x11, [x0, #80]
        ldp     x12, x13, [x0, #96]
        ldp     x14, x15, [x0, #112]
        ldp     x16, x17, [x0, #128]
        ldp     x18, x19, [x0, #144]
        ldp     x20, x21, [x0, #160]
        ldp     x22, x23, [x0, #176]
        ldp     x24, x25, [x0, #192]
        ldp     x26, x27, [x0, #208]
        ldp     x28, x29, [x0, #224]
        ldp     x0, x1, [x0]
        br      x30

        .macro  landing name, k
\name:  msr     tpidr_el0, x30
        movz    x30, #(LAY_OUT >> 16), lsl #16
        movk    x30, #(LAY_OUT & 0xffff)
        str     x29, [x30, #(29 * 8)]
        mov     x29, #\k
        b       save
        .endm
        landing ret_0, 0                /* six instructions each: ret_k = ret_0 + 24 k */
        landing ret_1, 1
        landing ret_2, 2
        landing ret_3, 3
        landing ret_4, 4
        landing ret_5, 5
        landing ret_6, 6
        landing ret_7, 7
        landing ret_sig, 8

save:   stp     x0, x1, [x30]
        stp     x2, x3, [x30, #16]
        stp     x4, x5, [x30, #32]
        stp     x6, x7, [x30, #48]
        stp     x8, x9, [x30, #64]
        stp     x10, x11, [x30, #80]
        stp     x12, x13, [x30, #96]
        stp     x14, x15, [x30, #112]
        stp     x16, x17, [x30, #128]
        stp     x18, x19, [x30, #144]
        stp     x20, x21, [x30, #160]
        stp     x22, x23, [x30, #176]
        stp     x24, x25, [x30, #192]
        stp     x26, x27, [x30, #208]
        str     x28, [x30, #224]
        str     x29, [x30, #(C_RET * 8)]
        mrs     x1, tpidr_el0
        str     x1, [x30, #(30 * 8)]
        mov     x1, sp
        str     x1, [x30, #(C_SP * 8)]
        mrs     x1, nzcv
        str     x1, [x30, #(C_NZCV * 8)]
        mrs     x1, fpcr
        str     x1, [x30, #(C_FPCR * 8)]
        mrs     x1, fpsr
        str     x1, [x30, #(C_FPSR * 8)]
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        str     q\n, [x30, #(C_V * 8 + \n * 16)]
        .endr
        .irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        str     q\n, [x30, #(C_V * 8 + \n * 16)]
        .endr
        ldr     x1, [x30, #(LAY_HOST - LAY_OUT)]
        mov     sp, x1
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x29, x30, [sp], #96
        ret

sigreturn_stub:
        mov     x8, #139
        svc     #0
