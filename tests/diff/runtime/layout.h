/* Where everything lies in a generated test program. elf.py and gen_a64.py repeat these numbers;
 * build.sh writes them into runtime.sym so that a disagreement is found when a program is made. */
#define LAY_TEXT   0x00400000   /* this runtime, read and execute */
#define LAY_IN     0x00500000   /* context before a case, 104 words */
#define LAY_OUT    0x00500400   /* context after it */
#define LAY_SIG    0x00500800   /* context the signal handler saw */
#define LAY_HOST   0x00500c00   /* the runtime's own sp while a case runs */
#define LAY_BSS    0x00501000
#define LAY_TABLE  0x00600000   /* header, records, overrides: read only */
#define LAY_SLOTS  0x02000000   /* the instructions under test: read and execute */
#define LAY_ARENA  0x0a000000   /* scratch memory, 256 KiB; the window is at its middle */
#define LAY_FAULT  0x0b000000   /* pages of every protection, group `fault` */
#define ARENA_SIZE 0x40000

/* A context, as an array of 64-bit words. 0..30 are X0..X30. */
#define C_SP    31
#define C_NZCV  32
#define C_FPCR  33
#define C_FPSR  34
#define C_RET   35              /* which landing was reached; 8 is the signal handler's */
#define C_SIGNO 36
#define C_CODE  37
#define C_ADDR  38
#define C_PC    39
#define C_V     40              /* V0 low, V0 high, V1 low, ... */
#define C_WORDS 104
