/* What the MIPS ABIs share: registers by handle, results, the start of a program, words of a frame, signals of exceptions. Included
 * once by each abi_mips*.c after ABI_DEF, ABI_BIG and ABI_REG, the type of a general register, are defined. */
#ifndef ABI_MIPS_H
#define ABI_MIPS_H

#include "abi_tables.h"

typedef ABI_REG mips_reg;

#ifndef FPE_FLTUNK
#define FPE_FLTUNK 14
#endif

enum { R_V0 = 2, R_A0 = 4, R_A3 = 7, R_T9 = 25, R_SP = 29, R_RA = 31, R_LO, R_HI, R_PC, R_FCSR, R_TLS, R_RESUME, R_F0 };

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
    char name[16], text[160];
    for (int i = 0; i < R_F0 + 32; i++) {
        if (i < 32)
            snprintf(name, sizeof(name), "r%d", i);
        else if (i < R_F0)
            snprintf(name, sizeof(name), "%s", names[i - R_LO]);
        else
            snprintf(name, sizeof(name), "f%d", i - R_F0);
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

static uint64_t hwcap(os *o, int which)
{
    (void)o;
    (void)which;
    return 0;
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
