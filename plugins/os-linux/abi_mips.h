/* What the MIPS ABIs share: registers by handle, results, the start of a program, words of a frame, signals of exceptions. Included
 * once by each abi_mips*.c after ABI_DEF, ABI_BIG and ABI_REG, the type of a general register, are defined. */
#ifndef ABI_MIPS_H
#define ABI_MIPS_H

#include "abi_tables.h"

typedef ABI_REG mips_reg;

#ifndef FPE_FLTUNK
#define FPE_FLTUNK 14
#endif

enum { R_V0 = 2, R_A0 = 4, R_A3 = 7, R_T9 = 25, R_SP = 29, R_RA = 31, R_LO, R_HI, R_PC, R_FCSR, R_TLS, R_RESUME, R_F0,
       R_STATUS = R_F0 + 32, R_CONFIG, R_CONFIG3, R_CONFIG5, R_DSP, R_ACC, R_MSACSR = R_ACC + 6, R_W0, R_COUNT = R_W0 + 32 };

static mips_reg *rp(task *t, int n)
{
    return (mips_reg *)(void *)(t->state + t->o->off[n]);
}

static uint64_t reg_get(task *t, int n, uint32_t size)
{
    uint64_t v = 0;
    t->o->host->reg_read(t->v, t->o->regs[n], &v, size);
    return v;
}

static void reg_set(task *t, int n, uint64_t v, uint32_t size)
{
    t->o->host->reg_write(t->v, t->o->regs[n], &v, size);
}

static int init(os *o, oryx_error *err)
{
    static const char *const names[] = {"lo", "hi", "pc", "fcsr", "userlocal", "resume"};
    static const char *const more[] = {"status", "config", "config3", "config5", "dspctl", "hi1", "lo1", "hi2", "lo2", "hi3", "lo3", "msacsr"};
    char name[16], text[160];
    for (int i = 0; i < R_COUNT; i++) {
        if (i < 32)
            snprintf(name, sizeof(name), "r%d", i);
        else if (i < R_F0)
            snprintf(name, sizeof(name), "%s", names[i - R_LO]);
        else if (i < R_STATUS)
            snprintf(name, sizeof(name), "f%d", i - R_F0);
        else if (i < R_W0)
            snprintf(name, sizeof(name), "%s", more[i - R_STATUS]);
        else
            snprintf(name, sizeof(name), "w%d", i - R_W0);
        o->regs[i] = o->host->reg_find(o->m, name);
        if (o->regs[i] < 0) {
            snprintf(text, sizeof(text), "the mips frontend has no register '%s': update arch-mips and os-linux together", name);
            return o->host->error_set(err, ORYX_E_PLUGIN, text);
        }
        o->off[i] = o->host->reg_row(o->m, o->regs[i])->offset;
    }
    return 0;
}

static void set_result(task *t, int64_t r)
{
    int failed = r < 0 && r >= -1133;
    *rp(t, R_V0) = (mips_reg)(failed ? -r : r);
    *rp(t, R_A3) = (mips_reg)failed;
}

static void set_second(task *t, uint64_t v)
{
    *rp(t, 3) = (mips_reg)v;
}

/* Through the register, so that no delay slot is left open. */
static void set_pc(task *t, uint64_t pc)
{
    reg_set(t, R_PC, pc, sizeof(mips_reg));
}

/* Of a system call in a delay slot the slot is done, and pc is still at it: one back is the branch, to be done again. */
static void restart(task *t)
{
    set_pc(t, t->o->host->vcpu_pc(t->v) - 4);
}

/* The kernel's EPC: in a delay slot the branch. */
static uint64_t epc(task *t)
{
    return reg_get(t, R_RESUME, sizeof(mips_reg));
}

static void set_sp(task *t, uint64_t sp)
{
    *rp(t, R_SP) = (mips_reg)sp;
}

static uint64_t get_sp(task *t)
{
    return *rp(t, R_SP);
}

static void set_tls(task *t, uint64_t tls)
{
    reg_set(t, R_TLS, tls, sizeof(mips_reg));
}

static void start(task *t, uint64_t entry, uint64_t sp)
{
    for (int i = 1; i < 32; i++)
        *rp(t, i) = 0;
    for (int i = 0; i < 32; i++)
        reg_set(t, R_F0 + i, 0, 8);
    reg_set(t, R_LO, 0, sizeof(mips_reg));
    reg_set(t, R_HI, 0, sizeof(mips_reg));
    reg_set(t, R_FCSR, 0, 4);
    set_tls(t, 0);
    set_sp(t, sp);
    *rp(t, R_T9) = (mips_reg)entry;
    set_pc(t, entry);
}

/* --- what the CPU has ---------------------------------------------------------------------------------------------- */

static uint32_t config_of(task *t, int n)
{
    return (uint32_t)reg_get(t, n, sizeof(mips_reg));
}

#define HAS_MSA(t) (config_of(t, R_CONFIG3) >> 28 & 1)
#define HAS_DSP(t) (config_of(t, R_CONFIG3) >> 10 & 1)

static uint64_t hwcap(os *o, int which)
{
    if (which != 1 || !o->main)
        return 0;
    uint32_t config = config_of(o->main, R_CONFIG), config3 = config_of(o->main, R_CONFIG3), config5 = config_of(o->main, R_CONFIG5);
    return ((config >> 10 & 7) == 2 ? 1u : 0u) | (config3 >> 28 & 1) << 1 |                /* R6, MSA */
           (config5 >> 18 & 1) << 2 | (config3 >> 10 & 1) << 7 | (config3 >> 11 & 1) << 8; /* CRC32, DSP, DSP2 */
}

/* By EF_MIPS_ARCH and EF_MIPS_NAN2008: Release 6 is another instruction set, and only some CPUs have the NaNs of 2008. */
static const char *model_of(const Elf64_Ehdr *eh)
{
    switch (eh->e_flags >> 28) {
    case 9: return eh->e_ident[EI_CLASS] == ELFCLASS32 && !(eh->e_flags & 0x20) ? "mips32r6" : "i6400";
    case 10: return "i6400";
    default: return sizeof(mips_reg) == 4 && eh->e_flags & 0x400 ? "p5600" : NULL;
    }
}

#ifndef PT_MIPS_ABIFLAGS
#define PT_MIPS_ABIFLAGS 0x70000003
#endif

/* Status.FR as the program's FP ABI wants it: Elf_MIPS_ABIFlags.fp_abi, or EF_MIPS_FP64 of programs older than it. What runs in both
 * modes runs with FR = 0. A CPU whose FR is fixed keeps it. */
static inline void image(task *t, const Elf64_Ehdr *eh, const Elf64_Phdr *ph, int fd)
{
    uint8_t flags[24] = {0};
    int wide = eh->e_flags >> 9 & 1;
    for (int i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_MIPS_ABIFLAGS && pread(fd, flags, sizeof(flags), (off_t)ph[i].p_offset) == sizeof(flags))
            wide = flags[7] == 4 || flags[7] == 6 || flags[7] == 7; /* old -mfp64, -mfp64, the same without odd singles */
    reg_set(t, R_STATUS, wide ? 0x4000000u : 0, sizeof(mips_reg));
}

static void put(uint8_t *f, uint32_t at, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        f[at + (ABI_BIG ? n - 1 - i : i)] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *f, uint32_t at, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)f[at + (ABI_BIG ? n - 1 - i : i)] << (8 * i);
    return v;
}

/* --- behind a ucontext: the upper halves of the vector registers and MSACSR (struct msa_extcontext), and the end's mark --------- */

enum { EXT_MSA = 0x784d5341, EXT_END = 0x78454e44, EXT_CSR = 8 + 32 * 8, EXT_MSA_SIZE = EXT_CSR + 8, EXT_SIZE = EXT_MSA_SIZE + 8, USED_EXTCONTEXT = 8 };

static uint32_t ext_size(task *t)
{
    return HAS_MSA(t) ? EXT_SIZE : 0;
}

static void ext_put(task *t, uint8_t *f, uint32_t at)
{
    uint64_t v[2];
    put(f, at, EXT_MSA, 4);
    put(f, at + 4, EXT_MSA_SIZE, 4);
    for (int i = 0; i < 32; i++) {
        t->o->host->reg_read(t->v, t->o->regs[R_W0 + i], v, sizeof(v));
        put(f, at + 8 + 8 * (uint32_t)i, v[1], 8);
    }
    put(f, at + EXT_CSR, reg_get(t, R_MSACSR, 4), 4);
    put(f, at + EXT_MSA_SIZE, EXT_END, 4);
}

/* After the FPRs, whose upper halves these are. */
static void ext_get(task *t, const uint8_t *f, uint32_t at)
{
    uint64_t v[2];
    if (get(f, at, 4) != EXT_MSA)
        return;
    for (int i = 0; i < 32; i++) {
        t->o->host->reg_read(t->v, t->o->regs[R_W0 + i], v, sizeof(v));
        v[1] = get(f, at + 8 + 8 * (uint32_t)i, 8);
        t->o->host->reg_write(t->v, t->o->regs[R_W0 + i], v, sizeof(v));
    }
    reg_set(t, R_MSACSR, get(f, at + EXT_CSR, 4), 4);
}

static void fault(task *t, const oryx_exc *exc)
{
    t->fault_addr = exc->kind == ORYX_EXC_MEMORY || exc->kind == ORYX_EXC_FETCH ? exc->addr : 0;
}

/* What arch/mips makes of an exception: do_trap_or_bp's codes 6 and 7 are overflow and division by zero. 0: as everywhere. */
static int signal_of(task *t, const oryx_exc *exc, int *code, uint64_t *addr)
{
    uint32_t n = (uint32_t)exc->syndrome, fcsr;
    *addr = epc(t);
    switch (exc->kind) {
    case ORYX_EXC_BREAKPOINT:
        if (n >= 1024)
            n = (n & 1023) << 10 | n >> 10;
        *code = n == 6 ? FPE_INTOVF : n == 7 ? FPE_INTDIV : TRAP_BRKPT;
        return n == 6 || n == 7 ? SIGFPE : SIGTRAP;
    case ORYX_EXC_TRAP:
        *code = n == 6 ? FPE_INTOVF : n == 7 ? FPE_INTDIV : SI_KERNEL;
        if (n != 6 && n != 7)
            *addr = 0;
        return n == 6 || n == 7 ? SIGFPE : SIGTRAP;
    case ORYX_EXC_ARITHMETIC:
        *code = FPE_INTOVF;
        return SIGFPE;
    case ORYX_EXC_FP:
        fcsr = (uint32_t)reg_get(t, R_FCSR, 4);
        fcsr &= fcsr << 5 | 1u << 17; /* Cause at 12, Enables at 7 */
        *code = fcsr & 1u << 16 ? FPE_FLTINV : fcsr & 1u << 15 ? FPE_FLTDIV : fcsr & 1u << 14 ? FPE_FLTOVF :
                fcsr & 1u << 13 ? FPE_FLTUND : fcsr & 1u << 12 ? FPE_FLTRES : FPE_FLTUNK;
        return SIGFPE;
    case ORYX_EXC_UNDEFINED:
    case ORYX_EXC_PRIVILEGED:
        *code = SI_KERNEL;
        *addr = 0;
        return SIGILL;
    default:
        return 0;
    }
}

#endif
