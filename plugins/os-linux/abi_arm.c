/* The Arm EABI of Linux, armel and armhf: registers of a call, start of a program, HWCAP, the kernel's helper page, its
 * private calls, signal frames as arch/arm lays out sigframe and rt_sigframe. Tables are in abi_arm.def; abi_armeb.c and abi_armbe32.c
 * compile this file again for big-endian data (BE8) and for big-endian data and code (BE-32, before Armv6). Called through
 * lx_abi_arm and so on, and by syscalls.def's arm_ rows. Invariant: a frame that frame() wrote and the guest left alone is restored
 * by unframe() bit for bit, Thumb state and IT block included. */
#include <sys/mman.h>

#ifndef ABI_BIG
#define ABI_BIG 0 /* 1: BE8, 2: BE-32 */
#endif

#define ABI_DEF "abi_arm.def"
#include "abi_tables.h"

enum { R_R0 = 0, R_SP = 13, R_LR = 14, R_CPSR = 16, R_TLS = 17, R_FPSCR = 18, R_BE32 = 19, R_D0 = 20 };
#define CPSR_T  0x20u
#define CPSR_E  0x200u
#define CPSR_IT 0x0600fc00u

static uint32_t *rp(task *t, int n)
{
    return (uint32_t *)(t->state + t->o->off[n]);
}

static uint32_t reg_get(task *t, int n)
{
    uint32_t v = 0;
    t->o->host->reg_read(t->v, t->o->regs[n], &v, 4);
    return v;
}

static void reg_set(task *t, int n, uint32_t v)
{
    t->o->host->reg_write(t->v, t->o->regs[n], &v, 4);
}

static int init(os *o, oryx_error *err)
{
    static const char *const single[] = {[R_SP] = "sp", [R_LR] = "lr", [R_CPSR] = "cpsr", [R_TLS] = "tpidruro", [R_FPSCR] = "fpscr",
                                         [R_BE32] = "be32"};
    char name[16], text[160];
    for (int i = 0; i < R_D0 + 32; i++) {
        const char *one = i < R_D0 ? single[i] : NULL;
        if (i == 15)
            continue;
        if (i >= R_D0)
            snprintf(name, sizeof(name), "d%d", i - R_D0);
        else if (one)
            snprintf(name, sizeof(name), "%s", one);
        else
            snprintf(name, sizeof(name), "r%d", i);
        o->regs[i] = o->host->reg_find(o->m, name);
        if (o->regs[i] < 0) {
            snprintf(text, sizeof(text), "the arm frontend has no register '%s': update arch-arm and os-linux together", name);
            return o->host->error_set(err, ORYX_E_PLUGIN, text);
        }
        o->off[i] = o->host->reg_row(o->m, o->regs[i])->offset;
    }
    return 0;
}

static void args(task *t, uint64_t *nr, uint64_t a[8])
{
    *nr = *rp(t, 7);
    for (int i = 0; i < 7; i++)
        a[i] = *rp(t, i);
    a[7] = 0;
}

static void set_result(task *t, int64_t r)
{
    *rp(t, 0) = (uint32_t)r;
}

static void set_pc(task *t, uint64_t pc)
{
    t->o->host->vcpu_set_pc(t->v, pc);
}

static void restart(task *t)
{
    *rp(t, 0) = (uint32_t)t->raw[0];
    set_pc(t, t->o->host->vcpu_pc(t->v) - (reg_get(t, R_CPSR) & CPSR_T ? 2 : 4));
}

/* An address with its lowest bit set is Thumb code. */
static void enter(task *t, uint32_t to, uint32_t cpsr)
{
    reg_set(t, R_CPSR, (cpsr & ~(CPSR_T | CPSR_E | CPSR_IT)) | (to & 1 ? CPSR_T : 0) | (ABI_BIG == 1 ? CPSR_E : 0));
    set_pc(t, to & 1 ? to & ~1u : to & ~3u);
}

static void start(task *t, uint64_t entry, uint64_t sp)
{
    uint64_t zero = 0;
    for (int i = 0; i < 15; i++)
        *rp(t, i) = 0;
    for (int i = 0; i < 32; i++)
        t->o->host->reg_write(t->v, t->o->regs[R_D0 + i], &zero, 8);
    reg_set(t, R_FPSCR, 0);
    reg_set(t, R_TLS, 0);
    reg_set(t, R_BE32, ABI_BIG == 2);
    *rp(t, R_SP) = (uint32_t)sp;
    enter(t, (uint32_t)entry, 0x10);
}

static void set_sp(task *t, uint64_t sp)
{
    *rp(t, R_SP) = (uint32_t)sp;
}

static uint64_t get_sp(task *t)
{
    return *rp(t, R_SP);
}

static void set_tls(task *t, uint64_t tls)
{
    reg_set(t, R_TLS, (uint32_t)tls);
}

/* --- HWCAP: what the frontend's ID registers say -------------------------------------------------------------------- */

static const struct {
    const char *reg, *feature;
    uint8_t shift, least, which, bit;
} caps[] = {
    {NULL, "half", 0, 0, 1, 1},
    {NULL, "thumb", 0, 0, 1, 2},
    {NULL, "fastmult", 0, 0, 1, 4},
    {"mvfr0", "vfp", 0, 1, 1, 6},
    {NULL, "edsp", 0, 0, 1, 7},
    {"mvfr1", "neon", 8, 1, 1, 12},
    {"mvfr0", "vfpv3", 4, 2, 1, 13},
    {NULL, "tls", 0, 0, 1, 15},
    {"mvfr1", "vfpv4", 28, 1, 1, 16},
    {"id_isar0", "idiva", 24, 2, 1, 17},
    {"id_isar0", "idivt", 24, 1, 1, 18},
    {"mvfr0", "vfpd32", 0, 2, 1, 19},
    {"id_isar5", "aes", 4, 1, 2, 0},
    {"id_isar5", "pmull", 4, 2, 2, 1},
    {"id_isar5", "sha1", 8, 1, 2, 2},
    {"id_isar5", "sha2", 12, 1, 2, 3},
    {"id_isar5", "crc32", 16, 1, 2, 4},
};
#define N_CAPS (sizeof(caps) / sizeof(caps[0]))

static int has(os *o, size_t i)
{
    uint32_t v = 0;
    if (!caps[i].reg)
        return 1;
    int32_t h = o->host->reg_find(o->m, caps[i].reg);
    if (h < 0 || o->host->reg_read(o->main->v, h, &v, 4) != ORYX_OK)
        return 0;
    return (v >> caps[i].shift & 15u) >= caps[i].least;
}

static uint64_t hwcap(os *o, int which)
{
    uint64_t cap = 0;
    for (size_t i = 0; i < N_CAPS; i++)
        if (caps[i].which == which && has(o, i))
            cap |= 1ull << caps[i].bit;
    return cap;
}

static void cpuinfo(os *o, FILE *out)
{
    uint32_t midr = 0;
    int32_t h = o->host->reg_find(o->m, "midr");
    if (h >= 0)
        o->host->reg_read(o->main->v, h, &midr, 4);
    fprintf(out, "processor\t: 0\nmodel name\t: ARMv7 Processor rev %u (v7l)\nBogoMIPS\t: 100.00\nFeatures\t:", midr & 15);
    for (size_t i = 0; i < N_CAPS; i++)
        if (has(o, i))
            fprintf(out, " %s", caps[i].feature);
    fprintf(out,
            "\nCPU implementer\t: 0x%02x\nCPU architecture: 7\nCPU variant\t: 0x%x\nCPU part\t: 0x%03x\nCPU revision\t: %u\n\n"
            "Hardware\t: Oryx\nRevision\t: 0000\nSerial\t\t: 0000000000000000\n",
            midr >> 24, midr >> 20 & 15, midr >> 4 & 0xfff, midr & 15);
}

/* --- the kernel's pages -------------------------------------------------------------------------------------------- */

/* An instruction as it lies in memory; two of T32. */
#define BYTES(word) (ABI_BIG == 2 ? __builtin_bswap32(word) : (word))
#define HALVES(a, b) (ABI_BIG == 2 ? __builtin_bswap32((uint32_t)(a) << 16 | (b)) : (uint32_t)(b) << 16 | (a))

/* Code that returns from a handler without SA_RESTORER: for each kind of frame in A32 and in T32. */
static const uint32_t tramp[] = {
    BYTES(0xe3a07077u), BYTES(0xef000000u), /* mov r7, #119 (sigreturn); svc #0 */
    BYTES(0xe3a070adu), BYTES(0xef000000u), /* mov r7, #173 (rt_sigreturn); svc #0 */
    HALVES(0x2777u, 0xdf00u),               /* movs r7, #119; svc #0, in T32 */
    HALVES(0x27adu, 0xdf00u),
};

/* Documentation/arm/kernel_user_helpers: functions at fixed addresses at the top of memory. */
#define HELPERS 0xffff0000u
static const struct {
    uint16_t at, n;
    uint32_t code[14];
} helpers[] = {
    {0xf60, 14, /* cmpxchg64(r0 old, r1 new, r2 where): 0 and C set when it was stored */
     {0xe92d00f0u /* push {r4-r7} */, 0xe1c040d0u /* ldrd r4, r5, [r0] */, 0xe1c160d0u /* ldrd r6, r7, [r1] */,
      0xee070fbau /* mcr p15, 0, r0, c7, c10, 5 (barrier) */, 0xe1b20f9fu /* ldrexd r0, r1, [r2] */,
      0xe0303004u /* eors r3, r0, r4 */, 0x00313005u /* eorseq r3, r1, r5 */, 0x01a23f96u /* strexdeq r3, r6, r7, [r2] */,
      0x03330001u /* teqeq r3, #1 */, 0x0afffff9u /* beq back to ldrexd */, 0xee070fbau, 0xe2730000u /* rsbs r0, r3, #0 */,
      0xe8bd00f0u /* pop {r4-r7} */, 0xe12fff1eu /* bx lr */}},
    {0xfa0, 2, {0xee070fbau, 0xe12fff1eu}}, /* memory barrier */
    {0xfc0, 8, /* cmpxchg(r0 old, r1 new, r2 where): 0 and C set when it was stored */
     {0xee070fbau, 0xe1923f9fu /* ldrex r3, [r2] */, 0xe0533000u /* subs r3, r3, r0 */, 0x01823f91u /* strexeq r3, r1, [r2] */,
      0x03330001u, 0x0afffffau /* beq back to ldrex */, 0xe2730000u, 0xeaffffefu /* b memory barrier */}},
    {0xfe0, 2, {0xee1d0f70u /* mrc p15, 0, r0, c13, c0, 3 */, 0xe12fff1eu}}, /* get_tls */
    {0xffc, 1, {5}}, /* how many 32-byte slots of helpers there are */
};

static int map_pages(os *o)
{
    int64_t r = mm_map(o, HELPERS, LX_PAGE, ORYX_PROT_READ | ORYX_PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0, "[vectors]");
    if (r < 0)
        return (int)r;
    for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
        for (unsigned k = 0; k < helpers[i].n; k++) {
            uint32_t word = helpers[i].code[k];
            int turned = ABI_BIG == 2 || (ABI_BIG == 1 && helpers[i].at == 0xffc); /* the last is data */
            if (turned)
                word = __builtin_bswap32(word);
            mm_put(o, HELPERS + helpers[i].at + 4ull * k, &word, 4);
        }
    return 0;
}

#if !ABI_BIG
/* Caches need no care here: the core drops code that is written. */
CALL(arm_cacheflush)
{
    (void)t;
    return a[1] < a[0] || a[2] ? -EINVAL : 0;
}

CALL(arm_set_tls)
{
    set_tls(t, a[0]);
    return 0;
}

CALL(arm_get_tls)
{
    (void)a;
    return reg_get(t, R_TLS);
}

CALL(arm_breakpoint)
{
    (void)a;
    signal_force(t, SIGTRAP, TRAP_BRKPT, t->o->host->vcpu_pc(t->v));
    return -LX_NORESULT;
}
#endif

/* --- signal frames ------------------------------------------------------------------------------------------------- */

#define VFP_MAGIC 0x56465001u

typedef struct vfp_frame { /* aligned to 8 */
    uint32_t magic, size;
    uint64_t d[32];
    uint32_t fpscr, pad0;
    uint32_t fpexc, fpinst, fpinst2, pad1;
} vfp_frame;

typedef struct sigframe {
    uint32_t uc_flags, uc_link;
    uint32_t stack_sp, stack_flags, stack_size;
    uint32_t trap_no, error_code, oldmask;
    uint32_t r[16], cpsr, fault_address;
    uint32_t sigmask[2], unused[30];
    union {
        uint32_t words[128];
        vfp_frame vfp;
    } regspace;
    uint32_t retcode[4];
} sigframe;
_Static_assert(offsetof(sigframe, sigmask) == 104 && offsetof(sigframe, regspace) == 232, "ucontext");
_Static_assert(sizeof(sigframe) == 232 + 512 + 16 && sizeof(vfp_frame) == 288, "sigframe");

typedef struct rt_sigframe {
    uint8_t info[128];
    sigframe sig;
} rt_sigframe;

#define SA_GUEST_SIGINFO  4u
#define SA_GUEST_RESTORER 0x04000000u

/* The frame in the guest's byte order, or back; siginfo is somebody else's. */
static void turn(sigframe *s)
{
#if ABI_BIG
    uint32_t *word = (uint32_t *)(void *)s;
    for (size_t i = 0; i < sizeof(*s) / 4; i++)
        word[i] = __builtin_bswap32(word[i]);
    for (int i = 0; i < 32; i++) { /* of two words */
        uint64_t *d = &s->regspace.vfp.d[i];
        *d = *d << 32 | *d >> 32;
    }
#else
    (void)s;
#endif
}

static int frame(task *t, int sig, const siginfo_t *info, const lx_sigaction *act, uint64_t mask)
{
    os *o = t->o;
    rt_sigframe f;
    int rt = (act->flags & SA_GUEST_SIGINFO) != 0;
    uint32_t skip = rt ? 0 : offsetof(rt_sigframe, sig), size = (uint32_t)sizeof(f) - skip, cpsr = reg_get(t, R_CPSR);
    uint64_t sp = signal_frame_sp(t, act, *rp(t, R_SP)), at = (sp - size) & ~7ull;
    sigframe *s = &f.sig;
    memset(&f, 0, sizeof(f));
    lx_siginfo_put(o, info, f.info);
    s->uc_flags = rt ? 0 : 0x5ac3c35au;
    s->stack_sp = (uint32_t)t->altstack.sp;
    s->stack_size = (uint32_t)t->altstack.size;
    s->stack_flags = (uint32_t)t->altstack.flags;
    if (!(t->altstack.flags & SS_DISABLE) && sp == t->altstack.sp + t->altstack.size)
        s->stack_flags &= ~(uint32_t)SS_ONSTACK;
    s->trap_no = (uint32_t)t->fault_trap;
    s->error_code = (uint32_t)t->fault_esr;
    s->fault_address = (uint32_t)t->fault_addr;
    s->oldmask = s->sigmask[0] = (uint32_t)mask;
    s->sigmask[1] = (uint32_t)(mask >> 32);
    for (int i = 0; i < 15; i++)
        s->r[i] = *rp(t, i);
    s->r[15] = (uint32_t)o->host->vcpu_pc(t->v);
    s->cpsr = cpsr;
    vfp_frame *v = &s->regspace.vfp;
    v->magic = VFP_MAGIC;
    v->size = sizeof(*v);
    for (int i = 0; i < 32; i++)
        o->host->reg_read(t->v, o->regs[R_D0 + i], &v->d[i], 8);
    v->fpscr = reg_get(t, R_FPSCR);
    v->fpexc = 0x40000000u; /* enabled */
    turn(s);
    if (u_out(o, at, (uint8_t *)&f + skip, size))
        return -EFAULT;
    uint32_t thumb = act->handler & 1, back;
    if (act->flags & SA_GUEST_RESTORER)
        back = (uint32_t)act->restorer;
    else
        back = (uint32_t)o->mm.tramp + (thumb ? 16u + 4u * (unsigned)rt + 1u : 8u * (unsigned)rt);
    *rp(t, 0) = (uint32_t)sig;
    if (rt) {
        *rp(t, 1) = (uint32_t)at;
        *rp(t, 2) = (uint32_t)at + offsetof(rt_sigframe, sig);
    }
    *rp(t, R_SP) = (uint32_t)at;
    *rp(t, R_LR) = back;
    enter(t, (uint32_t)act->handler, cpsr);
    return 0;
}

static int unframe(task *t, int rt, uint64_t *mask)
{
    os *o = t->o;
    sigframe s;
    uint64_t at = *rp(t, R_SP);
    if ((at & 7) || u_in(o, &s, at + (rt ? offsetof(rt_sigframe, sig) : 0), sizeof(s)))
        return -EFAULT;
    turn(&s);
    if ((s.cpsr & 0x1f) != 0x10 && (s.cpsr & 0x1f)) /* user mode only; 0 is the 26-bit user mode of old */
        return -EFAULT;
    for (int i = 0; i < 15; i++)
        *rp(t, i) = s.r[i];
    reg_set(t, R_CPSR, s.cpsr);
    set_pc(t, s.r[15] & (s.cpsr & CPSR_T ? ~1u : ~0u));
    const vfp_frame *v = &s.regspace.vfp;
    if (v->magic == VFP_MAGIC && v->size == sizeof(*v)) {
        for (int i = 0; i < 32; i++)
            o->host->reg_write(t->v, o->regs[R_D0 + i], &v->d[i], 8);
        reg_set(t, R_FPSCR, v->fpscr);
    }
    *mask = (uint64_t)s.sigmask[1] << 32 | s.sigmask[0];
    if (rt) {
        t->altstack = (lx_sigstack){.sp = s.stack_sp, .flags = (int32_t)s.stack_flags & ~SS_ONSTACK, .size = s.stack_size};
    }
    return 0;
}

/* The fault status register as the kernel shows it. */
static void fault(task *t, const oryx_exc *exc)
{
    t->fault_addr = t->fault_esr = t->fault_trap = 0;
    if (exc->kind != ORYX_EXC_MEMORY && exc->kind != ORYX_EXC_FETCH)
        return;
    t->fault_trap = 14;
    t->fault_addr = exc->addr;
    t->fault_esr = (exc->status == ORYX_FAULT_PROT ? 0x0f : exc->status == ORYX_FAULT_ALIGN ? 0x01 : 0x07) |
                   (exc->access == ORYX_ACCESS_WRITE ? 0x800 : 0) | (exc->kind == ORYX_EXC_FETCH ? 0x80000000u : 0);
}

#if ABI_BIG == 1
#define ABI_NAME lx_abi_armeb
#elif ABI_BIG == 2
#define ABI_NAME lx_abi_armbe32
#else
#define ABI_NAME lx_abi_arm
#endif

extern const lx_abi ABI_NAME;
const lx_abi ABI_NAME = {
    .arch = "arm",
    .machine = ABI_BIG == 2 ? "armv5teb" : ABI_BIG ? "armv7b" : "armv7l",
    .platform = ABI_BIG == 2 ? "v5b" : ABI_BIG ? "v7b" : "v7l",
    .elf_machine = 40, /* EM_ARM */
    .elf_class = 1,
    .elf_data = ABI_BIG ? 2 : 1,
    .elf_flags_mask = ABI_BIG ? 0x00800000 : 0, /* EF_ARM_BE8 */
    .elf_flags = ABI_BIG == 1 ? 0x00800000 : 0,
    .word = 4,
    .pairs = 2,
    .window = 1ull << 32,
    .map_top = HELPERS,
    .tag_mask = 0xffffffffu,
    .minsigstksz = 2048,
    .sigset_size = 8,
    ABI_TABLES,
    .tramp = tramp,
    .tramp_size = sizeof(tramp),
    .init = init,
    .map_pages = map_pages,
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
    .cpuinfo = cpuinfo,
};
