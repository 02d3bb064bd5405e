/* The MIPS N64 and N32 ABIs of Linux, both byte orders: eight arguments in registers, 64-bit registers, the sigframe of arch/mips
 * with its 64-bit sigcontext. Tables are in abi_mips64.def and abi_mipsn32.def; three small files compile this one again. Called
 * through lx_abi_mips64 and its kin. Invariant: frames are written word by word in the guest's byte order, and one that the guest
 * left alone is restored as it was. */
#ifndef ABI_BIG
#define ABI_BIG 1
#define ABI_N64 1
#endif
#if ABI_N64
#define ABI_DEF "abi_mips64.def"
#else
#define ABI_DEF "abi_mipsn32.def"
#endif
#define ABI_REG uint64_t
#include "abi_mips.h"

#define WORD (ABI_N64 ? 8u : 4u)

/* Call 5000 (6000) is read: there is no indirect call. */
static void args(task *t, uint64_t *nr, uint64_t a[8])
{
    *nr = *rp(t, R_V0);
    for (int i = 0; i < 8; i++)
        a[i] = *rp(t, R_A0 + i);
}

/* --- signal frames ------------------------------------------------------------------------------------------------- */

static const uint8_t tramp[] = { /* li v0, 5211 or 6211 (rt_sigreturn); syscall */
#if ABI_BIG
    0x24, 0x02, ABI_N64 ? 0x14 : 0x18, ABI_N64 ? 0x5b : 0x43, 0, 0, 0, 0x0c
#else
    ABI_N64 ? 0x5b : 0x43, ABI_N64 ? 0x14 : 0x18, 0x02, 0x24, 0x0c, 0, 0, 0
#endif
};

/* Room for four arguments and two words, a siginfo, and a ucontext: flags, link, stack, sigcontext, set of signals. */
enum { SC_REGS = 0, SC_FPREGS = 256, SC_HI = 512, SC_LO = 544, SC_PC = 576, SC_FCSR = 584, SC_USED = 588, SC_SIZE = 600 };
enum { RS_INFO = 24, RS_UC = RS_INFO + 128, UC_STACK = RS_UC + (ABI_N64 ? 16 : 8), RS_SC = RS_UC + (ABI_N64 ? 40 : 24),
       RS_MASK = RS_SC + SC_SIZE, RS_SIZE = RS_MASK + 16 };

static int frame(task *t, int sig, const siginfo_t *info, const lx_sigaction *act, uint64_t mask)
{
    os *o = t->o;
    uint8_t f[RS_SIZE + EXT_SIZE] = {0};
    uint64_t sp = signal_frame_sp(t, act, *rp(t, R_SP)), at = (sp - 32 - RS_SIZE - ext_size(t)) & ~15ull;
    lx_sigstack stack = t->altstack;
    if (!(stack.flags & SS_DISABLE) && sp == stack.sp + stack.size)
        stack.flags &= ~SS_ONSTACK;
    lx_siginfo_put(o, info, f + RS_INFO);
    lx_struct_put(o, LX_S_sigstack, &stack, f + UC_STACK);
    put(f, RS_SC + SC_PC, epc(t), 8);
    for (int i = 1; i < 32; i++)
        put(f, RS_SC + SC_REGS + 8u * (unsigned)i, *rp(t, i), 8);
    for (int i = 0; i < 32; i++)
        put(f, RS_SC + SC_FPREGS + 8u * (unsigned)i, reg_get(t, R_F0 + i, 8), 8);
    put(f, RS_SC + SC_FCSR, reg_get(t, R_FCSR, 4), 4);
    put(f, RS_SC + SC_USED, 1 | (ext_size(t) ? USED_EXTCONTEXT : 0), 4);
    if (ext_size(t))
        ext_put(t, f, RS_SIZE);
    put(f, RS_SC + SC_HI, reg_get(t, R_HI, 8), 8);
    put(f, RS_SC + SC_LO, reg_get(t, R_LO, 8), 8);
    for (uint32_t i = 0; i < 8; i += WORD)
        put(f, RS_MASK + i, mask >> (8 * i), WORD);
    if (u_out(o, at, f, RS_SIZE + ext_size(t)))
        return -EFAULT;
    *rp(t, R_A0) = (uint64_t)sig;
    *rp(t, R_A0 + 1) = at + RS_INFO;
    *rp(t, R_A0 + 2) = at + RS_UC;
    *rp(t, R_SP) = at;
    *rp(t, R_RA) = o->mm.tramp;
    *rp(t, R_T9) = act->handler;
    set_pc(t, act->handler);
    return 0;
}

static int unframe(task *t, int rt, uint64_t *mask)
{
    os *o = t->o;
    uint8_t f[RS_SIZE + EXT_SIZE];
    (void)rt;
    if (u_in(o, f, *rp(t, R_SP), RS_SIZE + ext_size(t)))
        return -EFAULT;
    for (int i = 1; i < 32; i++)
        *rp(t, i) = get(f, RS_SC + SC_REGS + 8u * (unsigned)i, 8);
    for (int i = 0; i < 32; i++)
        reg_set(t, R_F0 + i, get(f, RS_SC + SC_FPREGS + 8u * (unsigned)i, 8), 8);
    if (ext_size(t) && get(f, RS_SC + SC_USED, 4) & USED_EXTCONTEXT)
        ext_get(t, f, RS_SIZE);
    reg_set(t, R_FCSR, get(f, RS_SC + SC_FCSR, 4), 4);
    reg_set(t, R_HI, get(f, RS_SC + SC_HI, 8), 8);
    reg_set(t, R_LO, get(f, RS_SC + SC_LO, 8), 8);
    set_pc(t, get(f, RS_SC + SC_PC, 8));
    *mask = 0;
    for (uint32_t i = 0; i < 8; i += WORD)
        *mask |= get(f, RS_MASK + i, WORD) << (8 * i);
    lx_struct_get(o, LX_S_sigstack, &t->altstack, f + UC_STACK);
    t->altstack.flags &= ~SS_ONSTACK;
    return 0;
}

#if ABI_BIG && ABI_N64
#define ABI_NAME lx_abi_mips64
#elif ABI_N64
#define ABI_NAME lx_abi_mips64el
#elif ABI_BIG
#define ABI_NAME lx_abi_mipsn32
#else
#define ABI_NAME lx_abi_mipsn32el
#endif
extern const lx_abi ABI_NAME;
const lx_abi ABI_NAME = {
    .arch = ABI_BIG ? "mips64" : "mips64el",
    .machine = "mips64",
    .platform = "mips",
    .elf_machine = 8, /* EM_MIPS */
    .elf_class = ABI_N64 ? 2 : 1,
    .elf_data = ABI_BIG ? 2 : 1,
    .elf_flags_mask = 0x20, /* EF_MIPS_ABI2 */
    .elf_flags = ABI_N64 ? 0 : 0x20,
    .word = WORD,
    .pairs = 0,
    .window = ABI_N64 ? 1ull << 40 : 1ull << 31,
    .map_top = ABI_N64 ? 0xfffff80000ull : 0x7fff7000u,
    .tag_mask = ~0ull,
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
};
