/* The probes, one routine each, and the routine that calls one with every register set. */
        .arch   armv8.1-a+simd
        .text
        .globl  _start, run_probe, probe_back, probe_table, sigreturn_stub

_start: mov     x0, sp
        bl      faults_main
        mov     x8, #94
        svc     #0

sigreturn_stub:
        mov     x8, #139
        svc     #0

/* void run_probe(const struct registers *r): x[0..30] at 0, sp saved by us, v at 256.
 * X16 is the probe's address, X30 comes from us: the probe returns to probe_back, and so does the handler. */
run_probe:
        stp     x29, x30, [sp, #-96]!
        stp     x19, x20, [sp, #16]
        stp     x21, x22, [sp, #32]
        stp     x23, x24, [sp, #48]
        stp     x25, x26, [sp, #64]
        stp     x27, x28, [sp, #80]
        mov     x1, sp
        str     x1, [x0, #248]
        adr     x1, probe_back
        str     x1, [x0, #240]
        .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
        ldr     q\n, [x0, #(256 + 16 * \n)]
        .endr
        .irp n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        ldr     q\n, [x0, #(256 + 16 * \n)]
        .endr
        mov     x1, #0xb0000000
        msr     nzcv, x1
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
        ldr     x30, [x0, #240]
        ldp     x0, x1, [x0]
        br      x16
probe_back:
        ldp     x19, x20, [sp, #16]
        ldp     x21, x22, [sp, #32]
        ldp     x23, x24, [sp, #48]
        ldp     x25, x26, [sp, #64]
        ldp     x27, x28, [sp, #80]
        ldp     x29, x30, [sp], #96
        ret

/* build.sh makes probes.inc of faults.def: each probe is its instructions and RET, its address goes into
 * the table. */
        .section .rodata.table, "a"
        .balign 8
probe_table:
        .text
        .include "probes.inc"
