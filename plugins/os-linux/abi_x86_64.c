/* The x86-64 Linux ABI: registers of a call, TLS through FS.base, start of a program, signal frames as arch/x86's rt_sigframe lays
 * them out, with the FXSAVE image. Tables are in abi_x86_64.def. Called through lx_abi_x86_64, and by syscalls.def's x86_ rows.
 * Invariant: a frame that frame() wrote and the guest left alone is restored by unframe() bit for bit. */
#define ABI_DEF "abi_x86_64.def"
#include "abi_tables.h"

enum { R_RAX, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI, R_R8, R_R15 = 15, R_EFLAGS, R_MXCSR, R_FS, R_GS, R_CS, R_SS, R_FCTRL, R_FSTAT, R_FTAG,
       R_FIOFF, R_FOOFF, R_FOP, R_XMM0, R_ST0 = R_XMM0 + 16, R_COUNT = R_ST0 + 8 };

static uint64_t *rp(task *t, int n)
{
    return (uint64_t *)(t->state + t->o->off[n]);
}

static int init(os *o, oryx_error *err)
{
    static const char *const names[R_XMM0] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
                                              "r13", "r14", "r15", "eflags", "mxcsr", "fs_base", "gs_base", "cs", "ss",
                                              "fctrl", "fstat", "ftag", "fioff", "fooff", "fop"};
    char name[16], text[160];
    for (int i = 0; i < R_COUNT; i++) {
        if (i < R_XMM0)
            snprintf(name, sizeof(name), "%s", names[i]);
        else if (i < R_ST0)
            snprintf(name, sizeof(name), "xmm%d", i - R_XMM0);
        else
            snprintf(name, sizeof(name), "st%d", i - R_ST0);
        o->regs[i] = o->host->reg_find(o->m, name);
        if (o->regs[i] < 0) {
            snprintf(text, sizeof(text), "the amd64 frontend has no register '%s': update arch-x86 and os-linux together", name);
            return o->host->error_set(err, ORYX_E_PLUGIN, text);
        }
        o->off[i] = o->host->reg_row(o->m, o->regs[i])->offset;
    }
    return 0;
}

static uint64_t reg_get(task *t, int n)
{
    uint64_t v = 0;
    t->o->host->reg_read(t->v, t->o->regs[n], &v, t->o->host->reg_row(t->o->m, t->o->regs[n])->size);
    return v;
}

static void reg_set(task *t, int n, uint64_t v)
{
    t->o->host->reg_write(t->v, t->o->regs[n], &v, t->o->host->reg_row(t->o->m, t->o->regs[n])->size);
}

static void args(task *t, uint64_t *nr, uint64_t a[8])
{
    static const uint8_t order[6] = {R_RDI, R_RSI, R_RDX, 10, R_R8, 9};
    *nr = (uint32_t)*rp(t, R_RAX);
    for (int i = 0; i < 8; i++)
        a[i] = i < 6 ? *rp(t, order[i]) : 0;
}

static void set_result(task *t, int64_t r)
{
    *rp(t, R_RAX) = (uint64_t)r;
}

/* SYSCALL is two bytes long. */
static void restart(task *t)
{
    *rp(t, R_RAX) = t->nr;
    t->o->host->vcpu_set_pc(t->v, t->o->host->vcpu_pc(t->v) - 2);
}

/* As a program and a signal handler find it. */
static void fp_reset(task *t)
{
    oryx_v128 zero = {0, 0};
    for (int i = R_XMM0; i < R_COUNT; i++)
        t->o->host->reg_write(t->v, t->o->regs[i], &zero, 16);
    reg_set(t, R_FCTRL, 0x37f);
    reg_set(t, R_FSTAT, 0);
    reg_set(t, R_FTAG, 0xffff);
    reg_set(t, R_FIOFF, 0);
    reg_set(t, R_FOOFF, 0);
    reg_set(t, R_FOP, 0);
    reg_set(t, R_MXCSR, 0x1f80);
}

static void start(task *t, uint64_t entry, uint64_t sp)
{
    for (int i = R_RAX; i <= R_R15; i++)
        *rp(t, i) = 0;
    reg_set(t, R_EFLAGS, 0x202);
    fp_reset(t);
    reg_set(t, R_FS, 0);
    reg_set(t, R_GS, 0);
    *rp(t, R_RSP) = sp;
    t->o->host->vcpu_set_pc(t->v, entry);
}

static void set_sp(task *t, uint64_t sp)
{
    *rp(t, R_RSP) = sp;
}

static uint64_t get_sp(task *t)
{
    return *rp(t, R_RSP);
}

static void set_tls(task *t, uint64_t tls)
{
    reg_set(t, R_FS, tls);
}

/* CPUID.1 EDX: FPU, TSC, CX8, CMOV, CLFSH, FXSR, SSE, SSE2. */
static uint64_t hwcap(os *o, int which)
{
    (void)o;
    return which == 1 ? 0x07088111u : 0;
}

enum { ARCH_SET_GS_ = 0x1001, ARCH_SET_FS_, ARCH_GET_FS_, ARCH_GET_GS_ };

CALL(x86_arch_prctl)
{
    os *o = t->o;
    uint64_t v;
    switch ((int)a[0]) {
    case ARCH_SET_GS_:
    case ARCH_SET_FS_:
        if (a[1] >= o->abi->window)
            return -EPERM;
        reg_set(t, (int)a[0] == ARCH_SET_FS_ ? R_FS : R_GS, a[1]);
        return 0;
    case ARCH_GET_FS_:
    case ARCH_GET_GS_:
        v = reg_get(t, (int)a[0] == ARCH_GET_FS_ ? R_FS : R_GS);
        return u_out(o, a[1], &v, 8) ? -EFAULT : 0;
    default: return -EINVAL;
    }
}

/* The last two arguments change places on this architecture. */
CALL(x86_clone)
{
    const uint64_t b[5] = {a[0], a[1], a[2], a[4], a[3]};
    return sys_clone(t, b);
}

/* --- signal frames -------------------------------------------------------------------------------------------------------- */

typedef struct fxsave {
    uint16_t fcw, fsw, ftw, fop; /* ftw: bit n, physical register n is not empty */
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    oryx_v128 st[8];
    oryx_v128 xmm[16];
    uint8_t reserved[96];
} fxsave;
_Static_assert(sizeof(fxsave) == 512, "FXSAVE image");

typedef struct rt_sigframe {
    uint64_t restorer;
    uint64_t uc_flags, uc_link;
    lx_sigstack uc_stack;
    uint64_t r8[8], rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
    uint64_t uc_sigmask;
    uint8_t info[128];
} rt_sigframe;
_Static_assert(offsetof(rt_sigframe, uc_sigmask) == 8 + 296, "ucontext");

enum { RED_ZONE = 128, UC_FLAGS = 6 /* SIGCONTEXT_SS, STRICT_RESTORE_SS */ };

/* Tag words: two bits a register, one in the image. */
static void fp_out(task *t, fxsave *fx)
{
    const oryx_host *h = t->o->host;
    uint64_t tag = reg_get(t, R_FTAG);
    memset(fx, 0, sizeof(*fx));
    fx->fcw = (uint16_t)reg_get(t, R_FCTRL);
    fx->fsw = (uint16_t)reg_get(t, R_FSTAT);
    for (int i = 0; i < 8; i++)
        fx->ftw |= (uint16_t)((tag >> (2 * i) & 3) != 3 ? 1 << i : 0);
    fx->fop = (uint16_t)reg_get(t, R_FOP);
    fx->fip = reg_get(t, R_FIOFF);
    fx->fdp = reg_get(t, R_FOOFF);
    fx->mxcsr = (uint32_t)reg_get(t, R_MXCSR);
    fx->mxcsr_mask = 0xffff;
    for (int i = 0; i < 8; i++)
        h->reg_read(t->v, t->o->regs[R_ST0 + i], &fx->st[i], 16);
    for (int i = 0; i < 16; i++)
        h->reg_read(t->v, t->o->regs[R_XMM0 + i], &fx->xmm[i], 16);
}

/* The status word holds TOP, which says what st0 is. */
static void fp_in(task *t, const fxsave *fx)
{
    const oryx_host *h = t->o->host;
    uint64_t tag = 0;
    for (int i = 0; i < 8; i++)
        tag |= fx->ftw >> i & 1 ? 0 : 3ull << (2 * i);
    reg_set(t, R_FCTRL, fx->fcw);
    reg_set(t, R_FSTAT, fx->fsw);
    reg_set(t, R_FTAG, tag);
    reg_set(t, R_FOP, fx->fop);
    reg_set(t, R_FIOFF, fx->fip);
    reg_set(t, R_FOOFF, fx->fdp);
    reg_set(t, R_MXCSR, fx->mxcsr & 0xffff);
    for (int i = 0; i < 8; i++)
        h->reg_write(t->v, t->o->regs[R_ST0 + i], &fx->st[i], 16);
    for (int i = 0; i < 16; i++)
        h->reg_write(t->v, t->o->regs[R_XMM0 + i], &fx->xmm[i], 16);
}

static int frame(task *t, int sig, const siginfo_t *info, const lx_sigaction *act, uint64_t mask)
{
    os *o = t->o;
    rt_sigframe f = {0};
    fxsave fx;
    uint64_t now = *rp(t, R_RSP), sp = signal_frame_sp(t, act, now);
    if (sp == now)
        sp -= RED_ZONE;
    uint64_t fp = (sp - sizeof(fx)) & ~63ull, at = ((fp - sizeof(f)) & ~15ull) - 8;
    if (!(act->flags & 0x04000000u /* SA_RESTORER */))
        return -EFAULT;
    f.restorer = act->restorer;
    f.uc_flags = UC_FLAGS;
    f.uc_stack = t->altstack;
    if (!(t->altstack.flags & SS_DISABLE) && sp == t->altstack.sp + t->altstack.size)
        f.uc_stack.flags &= ~SS_ONSTACK;
    for (int i = 0; i < 8; i++)
        f.r8[i] = *rp(t, R_R8 + i);
    f.rdi = *rp(t, R_RDI);
    f.rsi = *rp(t, R_RSI);
    f.rbp = *rp(t, R_RBP);
    f.rbx = *rp(t, R_RBX);
    f.rdx = *rp(t, R_RDX);
    f.rax = *rp(t, R_RAX);
    f.rcx = *rp(t, R_RCX);
    f.rsp = now;
    f.rip = o->host->vcpu_pc(t->v);
    f.eflags = reg_get(t, R_EFLAGS);
    f.cs = (uint16_t)reg_get(t, R_CS);
    f.ss = (uint16_t)reg_get(t, R_SS);
    f.err = (uint32_t)(t->fault_esr >> 8);
    f.trapno = t->fault_esr & 0xff;
    f.cr2 = t->fault_addr;
    f.oldmask = f.uc_sigmask = mask;
    f.fpstate = fp;
    fp_out(t, &fx);
    lx_siginfo_put(o, info, f.info);
    if (u_out(o, fp, &fx, sizeof(fx)) || u_out(o, at, &f, sizeof(f)))
        return -EFAULT;
    *rp(t, R_RAX) = 0;
    *rp(t, R_RDI) = (uint64_t)sig;
    *rp(t, R_RSI) = at + offsetof(rt_sigframe, info);
    *rp(t, R_RDX) = at + offsetof(rt_sigframe, uc_flags);
    *rp(t, R_RSP) = at;
    reg_set(t, R_EFLAGS, f.eflags & ~0x10500ull); /* RF, DF, TF */
    fp_reset(t);
    o->host->vcpu_set_pc(t->v, act->handler);
    return 0;
}

/* The restorer's return address has been popped. */
static int unframe(task *t, int rt, uint64_t *mask)
{
    os *o = t->o;
    rt_sigframe f;
    fxsave fx;
    (void)rt;
    if (u_in(o, &f, *rp(t, R_RSP) - 8, sizeof(f)) || (f.fpstate && u_in(o, &fx, f.fpstate, sizeof(fx))))
        return -EFAULT;
    for (int i = 0; i < 8; i++)
        *rp(t, R_R8 + i) = f.r8[i];
    *rp(t, R_RDI) = f.rdi;
    *rp(t, R_RSI) = f.rsi;
    *rp(t, R_RBP) = f.rbp;
    *rp(t, R_RBX) = f.rbx;
    *rp(t, R_RDX) = f.rdx;
    *rp(t, R_RAX) = f.rax;
    *rp(t, R_RCX) = f.rcx;
    *rp(t, R_RSP) = f.rsp;
    o->host->vcpu_set_pc(t->v, f.rip);
    reg_set(t, R_EFLAGS, (reg_get(t, R_EFLAGS) & ~0x50dd5ull) | (f.eflags & 0x50dd5u)); /* arithmetic, TF, DF, RF, AC */
    if (f.fpstate)
        fp_in(t, &fx);
    else
        fp_reset(t);
    *mask = f.uc_sigmask;
    t->altstack = f.uc_stack;
    t->altstack.flags &= ~SS_ONSTACK;
    return 0;
}

/* trapno in bits 0-7, the error code above: of page faults present, write, user, fetch. */
static void fault(task *t, const oryx_exc *exc)
{
    t->fault_addr = 0;
    t->fault_esr = exc->syndrome & 0xff;
    if (exc->kind != ORYX_EXC_MEMORY && exc->kind != ORYX_EXC_FETCH)
        return;
    if (exc->status == ORYX_FAULT_ALIGN) { /* of 16 bytes: #GP(0) */
        t->fault_esr = 13;
        return;
    }
    uint64_t code = 4 | (exc->status == ORYX_FAULT_PROT ? 1 : 0) | (exc->access == ORYX_ACCESS_WRITE ? 2 : 0) |
                    (exc->kind == ORYX_EXC_FETCH ? 16 : 0);
    t->fault_addr = exc->addr;
    t->fault_esr = 14 | code << 8;
}

/* What Linux sends for what is not a page fault: by vector. */
static int signal_of(task *t, const oryx_exc *exc, int *code, uint64_t *addr)
{
    enum { SI_KERNEL_ = 0x80 };
    uint32_t raised = (uint32_t)(exc->syndrome >> 41) & 0x3f;
    (void)t;
    switch (exc->syndrome & 0xff) {
    case 3: /* #BP */
        *code = SI_KERNEL_;
        *addr = 0;
        return SIGTRAP;
    case 4:  /* #OF */
    case 5:  /* #BR */
    case 13: /* #GP */
        *code = SI_KERNEL_;
        *addr = 0;
        return SIGSEGV;
    case 6: /* #UD */
        *code = ILL_ILLOPN;
        return SIGILL;
    case 16: /* #MF, #XM: which exceptions, behind the vector */
    case 19:
        *code = raised & 1      ? FPE_FLTINV
                : raised & 4    ? FPE_FLTDIV
                : raised & 8    ? FPE_FLTOVF
                : raised & 0x12 ? FPE_FLTUND
                                : FPE_FLTRES;
        return SIGFPE;
    default:
        return 0;
    }
}

extern const lx_abi lx_abi_x86_64;
const lx_abi lx_abi_x86_64 = {
    .arch = "amd64",
    .machine = "x86_64",
    .platform = "x86_64",
    .elf_machine = 62, /* EM_X86_64 */
    .elf_class = 2,
    .elf_data = 1,
    .word = 8,
    .window = 1ull << 47,
    .tag_mask = ~0ull,
    .minsigstksz = 2048,
    .sigset_size = 8,
    ABI_TABLES,
    .init = init,
    .args = args,
    .set_result = set_result,
    .restart = restart,
    .start = start,
    .set_sp = set_sp,
    .get_sp = get_sp,
    .set_tls = set_tls,
    .hwcap = hwcap,
    .frame = frame,
    .unframe = unframe,
    .fault = fault,
    .signal_of = signal_of,
};
