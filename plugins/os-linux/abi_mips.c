/* The MIPS O32 ABI of Linux: registers of a call, its error flag, start of a program, signal frames as arch/mips lays out
 * sigframe and rt_sigframe. Tables are in abi_mips.def; abi_mipsel.c compiles this file again for the other byte order. Called
 * through lx_abi_mips, lx_abi_mipsel, and by syscalls.def's mips_ rows. Invariant: frames are written word by word in the
 * guest's byte order, and one that the guest left alone is restored as it was. */
#ifndef ABI_BIG
#define ABI_BIG 1
#endif
#define ABI_N64 0
#define ABI_DEF "abi_mips.def"
#define ABI_REG uint32_t
#include "abi_mips.h"

/* Four arguments in registers, the others on the stack above the room for those; call 4000 has its number among them. */
static void args(task *t, uint64_t *nr, uint64_t a[8])
{
    uint32_t more[5] = {0};
    u_u32s_in(t->o, *rp(t, R_SP) + 16u, more, 4);
    *nr = *rp(t, R_V0);
    int skip = *nr == 4000;
    if (skip) {
        *nr = *rp(t, R_A0);
        u_u32s_in(t->o, *rp(t, R_SP) + 16u, more, 5);
    }
    for (int i = 0; i < 8; i++) {
        int k = i + skip;
        a[i] = k < 4 ? *rp(t, R_A0 + k) : more[k - 4];
    }
}

#if ABI_BIG
CALL(mips_cacheflush)
{
    (void)t;
    return a[2] & ~3ull ? -EINVAL : 0;
}

CALL(mips_set_thread_area)
{
    t->o->abi->set_tls(t, a[0]);
    return 0;
}

CALL(mips_sigsuspend)
{
    const uint64_t b[2] = {a[0], t->o->abi->sigset_size};
    return sys_rt_sigsuspend(t, b);
}
#endif

/* --- signal frames ------------------------------------------------------------------------------------------------- */

static const uint8_t tramp[] = { /* li v0, 4119 (sigreturn); syscall; li v0, 4193 (rt_sigreturn); syscall */
#if ABI_BIG
    0x24, 0x02, 0x10, 0x17, 0, 0, 0, 0x0c, 0x24, 0x02, 0x10, 0x61, 0, 0, 0, 0x0c
#else
    0x17, 0x10, 0x02, 0x24, 0x0c, 0, 0, 0, 0x61, 0x10, 0x02, 0x24, 0x0c, 0, 0, 0
#endif
};

/* Both frames begin with room for four arguments and two words. Then sigframe has a sigcontext and a set of signals, rt_sigframe
 * a siginfo and a ucontext: flags, link, stack, sigcontext, set. */
enum { SC_PC = 8, SC_REGS = 16, SC_FPREGS = 272, SC_FCSR = 532, SC_USED = 540, SC_DSP = 544, SC_HI = 552, SC_LO = 560, SC_ACC = 568, SC_SIZE = 592 };
enum { SF_SC = 24, SF_MASK = SF_SC + SC_SIZE, SF_SIZE = SF_MASK + 16 };
enum { RS_INFO = 24, RS_UC = RS_INFO + 128, UC_STACK = RS_UC + 8, RS_SC = RS_UC + 24, RS_MASK = RS_SC + SC_SIZE, RS_SIZE = RS_MASK + 16 };

/* Whether the FP registers are 32 of 64 bits (Status.FR). If not they keep 32 bits each, and a double is an even one and the
 * next, in the place of the even one in a frame. */
static int wide_fpu(task *t)
{
    uint64_t f0 = reg_get(t, R_F0, 8);
    reg_set(t, R_F0, ~0ull, 8);
    int wide = reg_get(t, R_F0, 8) == ~0ull;
    reg_set(t, R_F0, f0, 8);
    return wide;
}

static int frame(task *t, int sig, const siginfo_t *info, const lx_sigaction *act, uint64_t mask)
{
    os *o = t->o;
    uint8_t f[RS_SIZE + EXT_SIZE] = {0};
    int rt = (act->flags & SA_SIGINFO) != 0;
    uint32_t size = rt ? RS_SIZE : SF_SIZE, sc = rt ? RS_SC : SF_SC, set = rt ? RS_MASK : SF_MASK;
    uint64_t sp = signal_frame_sp(t, act, *rp(t, R_SP));
    uint32_t ext = ext_size(t), at = (uint32_t)(sp - 32 - size - ext) & ~7u;
    if (rt) {
        lx_sigstack stack = t->altstack;
        if (!(stack.flags & SS_DISABLE) && sp == stack.sp + stack.size)
            stack.flags &= ~SS_ONSTACK;
        lx_siginfo_put(o, info, f + RS_INFO);
        lx_struct_put(o, LX_S_sigstack, &stack, f + UC_STACK);
    }
    put(f, sc + SC_PC, epc(t), 8);
    for (int i = 1; i < 32; i++) /* registers are kept with their sign */
        put(f, sc + SC_REGS + 8u * (unsigned)i, (uint64_t)(int32_t)*rp(t, i), 8);
    int wide = wide_fpu(t);
    for (int i = 0; i < 32; i += wide ? 1 : 2)
        put(f, sc + SC_FPREGS + 8u * (unsigned)i, reg_get(t, R_F0 + i, 8) | (wide ? 0 : reg_get(t, R_F0 + i + 1, 8) << 32), 8);
    put(f, sc + SC_FCSR, reg_get(t, R_FCSR, 4), 4);
    put(f, sc + SC_USED, 1 | (ext ? USED_EXTCONTEXT : 0), 4);
    if (ext)
        ext_put(t, f, size);
    put(f, sc + SC_HI, (uint64_t)(int32_t)reg_get(t, R_HI, 4), 8);
    put(f, sc + SC_LO, (uint64_t)(int32_t)reg_get(t, R_LO, 4), 8);
    for (unsigned i = 0; i < 6 && HAS_DSP(t); i++)
        put(f, sc + SC_ACC + 4 * i, reg_get(t, R_ACC + (int)i, 4), 4);
    put(f, sc + SC_DSP, HAS_DSP(t) ? reg_get(t, R_DSP, 4) : 0, 4);
    put(f, set, mask & 0xffffffffu, 4); /* words of 32 signals, the first first */
    put(f, set + 4, mask >> 32, 4);
    if (u_out(o, at, f, size + ext))
        return -EFAULT;
    *rp(t, R_A0) = (uint32_t)sig;
    *rp(t, R_A0 + 1) = rt ? at + RS_INFO : 0;
    *rp(t, R_A0 + 2) = at + (rt ? RS_UC : SF_SC);
    *rp(t, R_SP) = at;
    *rp(t, R_RA) = (uint32_t)o->mm.tramp + (rt ? 8 : 0);
    *rp(t, R_T9) = (uint32_t)act->handler;
    set_pc(t, (uint32_t)act->handler);
    return 0;
}

static int unframe(task *t, int rt, uint64_t *mask)
{
    os *o = t->o;
    uint8_t f[RS_SIZE + EXT_SIZE];
    uint32_t size = rt ? RS_SIZE : SF_SIZE, sc = rt ? RS_SC : SF_SC, set = rt ? RS_MASK : SF_MASK;
    if (u_in(o, f, *rp(t, R_SP), size + ext_size(t)))
        return -EFAULT;
    for (int i = 1; i < 32; i++)
        *rp(t, i) = (uint32_t)get(f, sc + SC_REGS + 8u * (unsigned)i, 8);
    int wide = wide_fpu(t);
    for (int i = 0; i < 32; i += wide ? 1 : 2) {
        uint64_t v = get(f, sc + SC_FPREGS + 8u * (unsigned)i, 8);
        reg_set(t, R_F0 + i, v, 8);
        if (!wide)
            reg_set(t, R_F0 + i + 1, v >> 32, 8);
    }
    if (ext_size(t) && get(f, sc + SC_USED, 4) & USED_EXTCONTEXT)
        ext_get(t, f, size);
    reg_set(t, R_FCSR, get(f, sc + SC_FCSR, 4), 4);
    reg_set(t, R_HI, get(f, sc + SC_HI, 8), 4);
    reg_set(t, R_LO, get(f, sc + SC_LO, 8), 4);
    for (unsigned i = 0; i < 6 && HAS_DSP(t); i++)
        reg_set(t, R_ACC + (int)i, get(f, sc + SC_ACC + 4 * i, 4), 4);
    if (HAS_DSP(t))
        reg_set(t, R_DSP, get(f, sc + SC_DSP, 4), 4);
    set_pc(t, (uint32_t)get(f, sc + SC_PC, 8));
    *mask = get(f, set, 4) | get(f, set + 4, 4) << 32;
    if (rt) {
        lx_struct_get(o, LX_S_sigstack, &t->altstack, f + UC_STACK);
        t->altstack.flags &= ~SS_ONSTACK;
    }
    return 0;
}

#if ABI_BIG
extern const lx_abi lx_abi_mips;
const lx_abi lx_abi_mips = {
    .arch = "mips",
#else
extern const lx_abi lx_abi_mipsel;
const lx_abi lx_abi_mipsel = {
    .arch = "mipsel",
#endif
    .machine = "mips",
    .platform = "mips",
    .elf_machine = 8, /* EM_MIPS */
    .elf_class = 1,
    .elf_data = ABI_BIG ? 2 : 1,
    .elf_flags_mask = 0x20, /* EF_MIPS_ABI2: N32 */
    .word = 4,
    .pairs = 2,
    .window = 1ull << 31,
    .map_top = 0x7fff7000u,
    .tag_mask = 0xffffffffu,
    .minsigstksz = 2048,
    .sigset_size = 16,
    ABI_TABLES,
    .tramp = tramp,
    .tramp_size = sizeof(tramp),
    .init = init,
    .args = args,
    .set_result = set_result,
    .set_second = set_second,
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
    .model_of = model_of,
    .image = image,
};
