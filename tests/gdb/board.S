// Counts in memory and in registers; the end is a request to the host.
.globl _start
_start: mov x0, #0
        adr x1, cell
1:      add x0, x0, #1
        str x0, [x1]
        bl f
        mov x4, #25000
        cmp x0, x4
        b.eq mark
3:      mov x4, #30000
        cmp x0, x4
        b.ne 1b
2:      hlt #0xf000
        b 2b
f:      mul x2, x0, x0
        add x3, x3, x2
        ret
mark:   b 3b
.data
cell: .quad 0
