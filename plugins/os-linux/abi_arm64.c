/* The arm64 Linux ABI: registers of a call, start of a program, HWCAP, signal frames as
 * arch/arm64's rt_sigframe lays them out. Tables are in abi_arm64.def. Called through lx_abi_arm64
 * only. Invariant: a frame that frame() wrote and the guest left alone is restored by unframe() bit
 * for bit. */
#define ABI_DEF "abi_arm64.def"
#include "abi_tables.h"

enum {
    R_X0 = 0,
    R_SP = 31,
    R_PC = 32,
    R_NZCV = 33,
    R_FPSR = 34,
    R_FPCR = 35,
    R_TPIDR = 36,
    R_V0 = 40
};

static const uint32_t tramp[] = {0xd2801168u /* mov x8, #139 */, 0xd4000001u /* svc #0 */};

static uint64_t *xp(task *t, int n)
{
    return (uint64_t *)(t->state + t->o->off[n]);
}

static int init(os *o, oryx_error *err)
{
    static const struct {
        int index;
        const char *name;
    } named[] = {{R_SP, "sp"},     {R_PC, "pc"},     {R_NZCV, "nzcv"},
                 {R_FPSR, "fpsr"}, {R_FPCR, "fpcr"}, {R_TPIDR, "tpidr_el0"}};
    char name[16], text[160];
    for (int i = 0; i < 31 + 6 + 32; i++) {
        int index = i < 31 ? i : i < 37 ? named[i - 31].index : R_V0 + i - 37;
        if (i < 31)
            snprintf(name, sizeof(name), "x%d", i);
        else if (i < 37)
            snprintf(name, sizeof(name), "%s", named[i - 31].name);
        else
            snprintf(name, sizeof(name), "v%d", i - 37);
        o->regs[index] = o->host->reg_find(o->m, name);
        if (o->regs[index] < 0) {
            snprintf(
                text, sizeof(text),
                "the arm64 frontend has no register '%s': update arch-arm and os-linux together",
                name);
            return o->host->error_set(err, ORYX_E_PLUGIN, text);
        }
        o->off[index] = o->host->reg_row(o->m, o->regs[index])->offset;
    }
    return 0;
}

static uint64_t reg_get(task *t, int n, uint32_t size)
{
    uint64_t v = 0;
    const oryx_reg *row = t->o->host->reg_row(t->o->m, t->o->regs[n]);
    (void)size;
    t->o->host->reg_read(t->v, t->o->regs[n], &v, row->size);
    return v;
}

static void reg_set(task *t, int n, uint64_t v)
{
    const oryx_reg *row = t->o->host->reg_row(t->o->m, t->o->regs[n]);
    t->o->host->reg_write(t->v, t->o->regs[n], &v, row->size);
}

static void args(task *t, uint64_t *nr, uint64_t a[8])
{
    *nr = *xp(t, 8);
    for (int i = 0; i < 8; i++)
        a[i] = *xp(t, i);
}

static void set_result(task *t, int64_t r)
{
    *xp(t, 0) = (uint64_t)r;
}

static void restart(task *t)
{
    *xp(t, 0) = t->raw[0];
    t->o->host->vcpu_set_pc(t->v, t->o->host->vcpu_pc(t->v) - 4);
}

static void start(task *t, uint64_t entry, uint64_t sp)
{
    oryx_v128 zero = {0, 0};
    for (int i = 0; i < 31; i++)
        *xp(t, i) = 0;
    for (int i = 0; i < 32; i++)
        t->o->host->reg_write(t->v, t->o->regs[R_V0 + i], &zero, 16);
    reg_set(t, R_NZCV, 0);
    reg_set(t, R_FPCR, 0);
    reg_set(t, R_FPSR, 0);
    reg_set(t, R_TPIDR, 0);
    *xp(t, R_SP) = sp;
    t->o->host->vcpu_set_pc(t->v, entry);
}

static void set_sp(task *t, uint64_t sp)
{
    *xp(t, R_SP) = sp;
}

static uint64_t get_sp(task *t)
{
    return *xp(t, R_SP);
}

static void set_tls(task *t, uint64_t tls)
{
    reg_set(t, R_TPIDR, tls);
}

/* --- HWCAP: what the frontend's ID registers say; without them floating point and AdvSIMD only
 * -------------------------- */

static unsigned id_field(os *o, const char *reg, unsigned shift)
{
    int32_t h = o->host->reg_find(o->m, reg);
    uint64_t v = 0;
    if (h < 0 || o->host->reg_read(o->main->v, h, &v, 8) != ORYX_OK)
        return 0;
    return (unsigned)(v >> shift) & 15u;
}

static uint64_t hwcap(os *o, int which)
{
    static const struct {
        const char *reg;
        uint8_t shift, least, bit;
    } rows[] = {
        {"id_aa64isar0_el1", 4, 1, 3},   /* AES */
        {"id_aa64isar0_el1", 4, 2, 4},   /* PMULL */
        {"id_aa64isar0_el1", 8, 1, 5},   /* SHA1 */
        {"id_aa64isar0_el1", 12, 1, 6},  /* SHA2 */
        {"id_aa64isar0_el1", 16, 1, 7},  /* CRC32 */
        {"id_aa64isar0_el1", 20, 2, 8},  /* ATOMICS */
        {"id_aa64isar0_el1", 28, 1, 12}, /* ASIMDRDM */
        {"id_aa64isar1_el1", 12, 1, 13}, /* JSCVT */
        {"id_aa64isar1_el1", 16, 1, 14}, /* FCMA */
        {"id_aa64isar1_el1", 20, 1, 15}, /* LRCPC */
        {"id_aa64isar0_el1", 32, 1, 17}, /* SHA3 */
        {"id_aa64isar0_el1", 44, 1, 20}, /* ASIMDDP */
        {"id_aa64isar0_el1", 12, 2, 21}, /* SHA512 */
        {"id_aa64isar0_el1", 52, 1, 27}, /* FLAGM */
    };
    uint64_t cap = 3; /* FP, ASIMD */
    if (which != 1)
        return 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (id_field(o, rows[i].reg, rows[i].shift) >= rows[i].least)
            cap |= 1ull << rows[i].bit;
    return cap;
}

/* --- signal frames
 * -------------------------------------------------------------------------------------------------------
 */

#define FPSIMD_MAGIC 0x46508001u
#define ESR_MAGIC    0x45535201u

typedef struct fpsimd_context {
    uint32_t magic, size, fpsr, fpcr;
    oryx_v128 v[32];
} fpsimd_context;

typedef struct rt_sigframe {
    uint8_t info[128];
    uint64_t uc_flags, uc_link;
    lx_sigstack uc_stack;
    uint64_t uc_sigmask;
    uint8_t unused[120 + 8]; /* to 1024 bits of mask, then the mcontext's alignment to 16 */
    uint64_t fault_address;
    uint64_t x[31], sp, pc, pstate;
    uint64_t align;
    uint8_t reserved[4096];
    uint64_t fp, lr; /* frame record: what unwinders follow */
} rt_sigframe;
_Static_assert(offsetof(rt_sigframe, fault_address) == 128 + 176, "mcontext");
_Static_assert(offsetof(rt_sigframe, reserved) == 128 + 176 + 288, "__reserved");

static int frame(task *t, int sig, const siginfo_t *info, const lx_sigaction *act, uint64_t mask)
{
    os *o = t->o;
    rt_sigframe f;
    uint64_t sp = signal_frame_sp(t, act, *xp(t, R_SP));
    uint64_t at = (sp - sizeof(f)) & ~15ull;
    fpsimd_context *fp = (fpsimd_context *)f.reserved;
    memset(&f, 0, offsetof(rt_sigframe, reserved) + sizeof(*fp) + 64);
    lx_siginfo_put(o, info, f.info);
    f.uc_stack = t->altstack;
    if (!(t->altstack.flags & SS_DISABLE) && sp == t->altstack.sp + t->altstack.size)
        f.uc_stack.flags &= ~SS_ONSTACK;
    f.uc_sigmask = mask;
    f.fault_address = t->fault_addr;
    for (int i = 0; i < 31; i++)
        f.x[i] = *xp(t, i);
    f.sp = *xp(t, R_SP);
    f.pc = o->host->vcpu_pc(t->v);
    f.pstate = reg_get(t, R_NZCV, 4);
    fp->magic = FPSIMD_MAGIC;
    fp->size = sizeof(*fp);
    fp->fpsr = (uint32_t)reg_get(t, R_FPSR, 4);
    fp->fpcr = (uint32_t)reg_get(t, R_FPCR, 4);
    for (int i = 0; i < 32; i++)
        o->host->reg_read(t->v, o->regs[R_V0 + i], &fp->v[i], 16);
    if (t->fault_esr) {
        uint32_t head[2] = {ESR_MAGIC, 16};
        memcpy(f.reserved + sizeof(*fp), head, 8);
        memcpy(f.reserved + sizeof(*fp) + 8, &t->fault_esr, 8);
    }
    f.fp = f.x[29];
    f.lr = f.x[30];
    /* The tail of __reserved is as the stack had it, as under Linux. */
    uint64_t head = offsetof(rt_sigframe, reserved) + sizeof(*fp) + 64;
    if (u_out(o, at, &f, head) || u_out(o, at + offsetof(rt_sigframe, fp), &f.fp, 16))
        return -EFAULT;
    *xp(t, 0) = (uint64_t)sig;
    *xp(t, 1) = at;
    *xp(t, 2) = at + offsetof(rt_sigframe, uc_flags);
    *xp(t, 29) = at + offsetof(rt_sigframe, fp);
    *xp(t, 30) = act->flags & 0x04000000u /* SA_RESTORER */ ? act->restorer : o->mm.tramp;
    *xp(t, R_SP) = at;
    o->host->vcpu_set_pc(t->v, act->handler);
    return 0;
}

static int unframe(task *t, int rt, uint64_t *mask)
{
    (void)rt;
    os *o = t->o;
    rt_sigframe f;
    fpsimd_context fp;
    uint64_t at = *xp(t, R_SP);
    if ((at & 15) || u_in(o, &f, at, offsetof(rt_sigframe, fp)))
        return -EFAULT;
    for (int i = 0; i < 31; i++)
        *xp(t, i) = f.x[i];
    *xp(t, R_SP) = f.sp;
    o->host->vcpu_set_pc(t->v, f.pc);
    reg_set(t, R_NZCV, f.pstate & 0xf0000000u);
    for (size_t i = 0; i + 16 <= sizeof(f.reserved);) {
        uint32_t head[2];
        memcpy(head, f.reserved + i, 8);
        if (head[1] < 16 || (head[1] & 15) || head[1] > sizeof(f.reserved) - i)
            break;
        if (head[0] == FPSIMD_MAGIC && head[1] == sizeof(fp)) {
            memcpy(&fp, f.reserved + i, sizeof(fp));
            reg_set(t, R_FPSR, fp.fpsr);
            reg_set(t, R_FPCR, fp.fpcr);
            for (int k = 0; k < 32; k++)
                o->host->reg_write(t->v, o->regs[R_V0 + k], &fp.v[k], 16);
        }
        i += head[1];
    }
    *mask = f.uc_sigmask;
    /* As restore_altstack does: flags and area come back, errors do not matter. */
    t->altstack = f.uc_stack;
    t->altstack.flags &= ~SS_ONSTACK;
    return 0;
}

/* ESR_EL1 as the kernel shows it for a fault from EL0. */
static void fault(task *t, const oryx_exc *exc)
{
    t->fault_addr = 0;
    t->fault_esr = 0;
    if (exc->kind != ORYX_EXC_MEMORY && exc->kind != ORYX_EXC_FETCH)
        return;
    uint64_t class = exc->kind == ORYX_EXC_FETCH ? 0x20 : 0x24;
    uint64_t code = exc->status == ORYX_FAULT_PROT    ? 0x0f
                    : exc->status == ORYX_FAULT_ALIGN ? 0x21
                                                      : 0x07;
    t->fault_addr = exc->addr;
    t->fault_esr = class << 26 | 1u << 25 | (exc->access == ORYX_ACCESS_WRITE ? 1u << 6 : 0) | code;
}

extern const lx_abi lx_abi_arm64;
const lx_abi lx_abi_arm64 = {
    .arch = "arm64",
    .machine = "aarch64",
    .platform = "aarch64",
    .elf_machine = 183, /* EM_AARCH64 */
    .elf_class = 2,
    .elf_data = 1,
    .word = 8,
    .window = 1ull << 39,
    .tag_mask = 0x00ffffffffffffffull,
    .minsigstksz = 5120,
    .sigset_size = 8,
    ABI_TABLES,
    .tramp = tramp,
    .tramp_size = sizeof(tramp),
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
};
