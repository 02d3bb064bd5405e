/* x86 against the CPU it runs on: random instructions and states, one step on the host (by its trap
 * flag) and one under Oryx, then every register, flag and byte of memory compared.
 *
 *   x86_diff [--group NAME] [--count N] [--seed S] [--engine E] [--only MNEMONIC] [--keep-going]
 *
 * Code and data stand at the same addresses for both; the host's copies are this process's own
 * pages. A host instruction runs with all registers as the case says, because a signal handler puts
 * them into the context it returns to; the trap that follows brings them back. Exit status: 0 all
 * equal, 1 differences, 2 usage. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "x86_diff.h"

typedef struct options {
    const char *group, *engine, *only;
    uint64_t count, seed;
    bool keep_going;
} options;

/* --- Random numbers
 * ------------------------------------------------------------------------------------------------------
 */

static uint64_t seed;

static uint64_t random64(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
    return (uint32_t)(random64() % n);
}

/* Values that matter: small, all ones, single bits, borders of each width, anything. */
static uint64_t value(void)
{
    uint64_t v = random64();
    switch (below(8)) {
    case 0:
        return v & 0xff;
    case 1:
        return 0 - (v & 0xff);
    case 2:
        return 1ull << (v & 63);
    case 3:
        return (1ull << (v & 63)) - 1;
    case 4:
        return v & 0xffffffff;
    case 5:
        return ((uint64_t)(v & 0xff) << (v >> 8 & 63)) | (v >> 16 & 1 ? 1ull << 63 : 0);
    default:
        return v;
    }
}

/* --- The host
 * -----------------------------------------------------------------------------------------------------------------
 */

static struct {
    volatile int phase;
    state *now;
    gregset_t back;
    uint8_t back_fp[1024]; /* FXSAVE area, XSAVE header */
} host;

/* gregs of rax rcx rdx rbx rsp rbp rsi rdi r8.. */
static const int greg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                             REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                             REG_R12, REG_R13, REG_R14, REG_R15};

static void handler(int sig, siginfo_t *info, void *context)
{
    mcontext_t *mc = &((ucontext_t *)context)->uc_mcontext;
    greg_t *g = mc->gregs;
    uint8_t *fp = (uint8_t *)mc->fpregs;
    state *s = host.now;
    if (host.phase == 0) {
        memcpy(host.back, g, sizeof host.back);
        memcpy(host.back_fp, fp, 576);
        memcpy(fp + 160, s->x, sizeof s->x);
        memcpy(fp + 24, &s->mxcsr, 4);
        memcpy(fp, &s->cw, 2);
        memcpy(fp + 2, &s->sw, 2);
        memcpy(fp + 4, &s->tag, 2);
        memcpy(fp + 6, &s->fop, 2);
        memcpy(fp + 8, &s->fip, 8);
        memcpy(fp + 16, &s->fdp, 8);
        memcpy(fp + 32, s->st, sizeof s->st);
        fp[512] |= 3; /* XSTATE_BV: the x87 and SSE parts count */
        for (unsigned n = 0; n < 16; n++)
            g[greg[n]] = (greg_t)s->r[n];
        g[REG_RIP] = (greg_t)s->rip;
        g[REG_EFL] = (greg_t)(s->eflags | EFLAGS_TF);
        host.phase = 1;
        return;
    }
    for (unsigned n = 0; n < 16; n++)
        s->r[n] = (uint64_t)g[greg[n]];
    memcpy(s->x, fp + 160, sizeof s->x);
    memcpy(&s->mxcsr, fp + 24, 4);
    memcpy(&s->cw, fp, 2);
    memcpy(&s->sw, fp + 2, 2);
    s->tag = fp[4];
    memcpy(s->st, fp + 32, sizeof s->st);
    for (unsigned n = 0; n < 8; n++)
        s->st[n].hi &= 0xffff;
    if (!(fp[512] & 1)) { /* in its initial state */
        s->cw = 0x37f;
        s->sw = s->tag = 0;
        memset(s->st, 0, sizeof s->st);
    }
    s->rip = (uint64_t)g[REG_RIP];
    s->eflags = (uint64_t)g[REG_EFL] & ~(uint64_t)EFLAGS_RF;
    s->signal = sig == SIGTRAP && (info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT) &&
                        g[REG_TRAPNO] == 1
                    ? 0
                    : sig;
    s->addr = (uint64_t)(uintptr_t)info->si_addr;
    memcpy(g, host.back, sizeof host.back);
    memcpy(fp, host.back_fp, 576);
    host.phase = 0;
}

static void host_start(void)
{
    static char stack[1 << 16];
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction act = {.sa_sigaction = handler,
                            .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaltstack(&alt, NULL);
    const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &act, NULL);
}

static void host_step(state *s)
{
    host.now = s;
    host.phase = 0;
    __asm__ volatile("int3" ::: "memory");
}

/* --- Oryx
 * ------------------------------------------------------------------------------------------------------------------------
 */

static struct {
    oryx_machine *m;
    oryx_vcpu *v;
    int32_t r[16], x[16], st[8], rip, eflags, mxcsr, cw, sw, tag, fop, fip, fdp;
    uint8_t *code, *data;
} guest;

static void die(const char *what, const oryx_error *err)
{
    fprintf(stderr, "x86_diff: %s: %s\n", what, err ? err->text : strerror(errno));
    exit(1);
}

static uint8_t *guest_ram(const char *name, uint64_t addr, uint64_t size)
{
    oryx_error err = {0};
    oryx_region_config rc = {.hdr = ORYX_HDR(oryx_region_config), .name = name, .last = size - 1};
    oryx_direct direct = {.hdr = ORYX_HDR(oryx_direct)};
    oryx_region *r;
    if (oryx_region_new(guest.m, "ram", &rc, &r, &err) ||
        oryx_region_add(oryx_space_root(oryx_space_get(guest.m, "system")), addr, r, 0, &err) ||
        oryx_region_direct(r, 0, &direct))
        die(name, &err);
    return direct.host;
}

static void guest_start(const char *engine)
{
    static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    oryx_error err = {0};
    oryx_machine_config mc = {
        .hdr = ORYX_HDR(oryx_machine_config), .arch = "amd64", .engine = engine};
    oryx_vcpu_config vc = {.hdr = ORYX_HDR(oryx_vcpu_config)};
    if (oryx_machine_new(&mc, &guest.m, &err) || oryx_vcpu_new(guest.m, &vc, &guest.v, &err))
        die("cannot make the machine", &err);
    guest.code = guest_ram("code", CODE, 4096);
    guest.data = guest_ram("data", DATA, DATA_SIZE);
    for (unsigned n = 0; n < 16; n++)
        guest.r[n] = oryx_reg_find(guest.m, names[n]);
    for (unsigned n = 0; n < 16; n++) {
        char name[8];
        snprintf(name, sizeof name, "xmm%u", n);
        guest.x[n] = oryx_reg_find(guest.m, name);
    }
    for (unsigned n = 0; n < 8; n++) {
        char name[8];
        snprintf(name, sizeof name, "st%u", n);
        guest.st[n] = oryx_reg_find(guest.m, name);
    }
    guest.cw = oryx_reg_find(guest.m, "fctrl");
    guest.sw = oryx_reg_find(guest.m, "fstat");
    guest.tag = oryx_reg_find(guest.m, "ftag");
    guest.fop = oryx_reg_find(guest.m, "fop");
    guest.fip = oryx_reg_find(guest.m, "fioff");
    guest.fdp = oryx_reg_find(guest.m, "fooff");
    guest.rip = oryx_reg_find(guest.m, "rip");
    guest.eflags = oryx_reg_find(guest.m, "eflags");
    guest.mxcsr = oryx_reg_find(guest.m, "mxcsr");
}

/* Tag words: GDB's has two bits a register, FXSAVE's one. */
static uint16_t tags_of(uint16_t full)
{
    uint16_t v = 0;
    for (unsigned n = 0; n < 8; n++)
        v |= (uint16_t)((full >> (2 * n) & 3) != 3 ? 1u << n : 0);
    return v;
}

static void guest_x87(state *s, bool write)
{
    uint16_t tag = 0;
    if (write) {
        for (unsigned n = 0; n < 8; n++)
            tag |= (uint16_t)(s->tag >> n & 1 ? 0 : 3u << (2 * n));
        oryx_reg_write(guest.v, guest.cw, &s->cw, 2);
        oryx_reg_write(guest.v, guest.sw, &s->sw, 2);
        oryx_reg_write(guest.v, guest.tag, &tag, 2);
        oryx_reg_write(guest.v, guest.fop, &s->fop, 2);
        oryx_reg_write(guest.v, guest.fip, &s->fip, 8);
        oryx_reg_write(guest.v, guest.fdp, &s->fdp, 8);
        for (unsigned n = 0; n < 8; n++)
            oryx_reg_write(guest.v, guest.st[n], &s->st[n], 16);
        return;
    }
    oryx_reg_read(guest.v, guest.cw, &s->cw, 2);
    oryx_reg_read(guest.v, guest.sw, &s->sw, 2);
    oryx_reg_read(guest.v, guest.tag, &tag, 2);
    for (unsigned n = 0; n < 8; n++)
        oryx_reg_read(guest.v, guest.st[n], &s->st[n], 16);
    s->tag = tags_of(tag);
}

static void guest_step(state *s)
{
    oryx_limits_run limits = {.hdr = ORYX_HDR(oryx_limits_run), .count = 1};
    oryx_exit exit_ = {.hdr = ORYX_HDR(oryx_exit)};
    uint32_t eflags = (uint32_t)s->eflags | EFLAGS_TF;
    for (unsigned n = 0; n < 16; n++)
        oryx_reg_write(guest.v, guest.r[n], &s->r[n], 8),
            oryx_reg_write(guest.v, guest.x[n], &s->x[n], 16);
    oryx_reg_write(guest.v, guest.rip, &s->rip, 8);
    oryx_reg_write(guest.v, guest.eflags, &eflags, 4);
    oryx_reg_write(guest.v, guest.mxcsr, &s->mxcsr, 4);
    guest_x87(s, true);
    if (oryx_vcpu_run(guest.v, &limits, &exit_) || exit_.reason == ORYX_EXIT_ERROR) {
        fprintf(stderr, "x86_diff: run failed: %s\n", exit_.error.text);
        s->signal = -1;
        return;
    }
    for (unsigned n = 0; n < 16; n++)
        oryx_reg_read(guest.v, guest.r[n], &s->r[n], 8),
            oryx_reg_read(guest.v, guest.x[n], &s->x[n], 16);
    oryx_reg_read(guest.v, guest.rip, &s->rip, 8);
    oryx_reg_read(guest.v, guest.eflags, &eflags, 4);
    oryx_reg_read(guest.v, guest.mxcsr, &s->mxcsr, 4);
    guest_x87(s, false);
    s->eflags = eflags;
    s->signal = 0;
    if (exit_.reason == ORYX_EXIT_COUNT)
        return;
    s->addr = exit_.exc.addr;
    switch (exit_.exc.kind) {
    case ORYX_EXC_UNDEFINED:
        s->signal = SIGILL;
        break;
    case ORYX_EXC_ARITHMETIC:
    case ORYX_EXC_FP:
        s->signal = SIGFPE;
        break;
    case ORYX_EXC_BREAKPOINT:
        s->signal = SIGTRAP;
        break;
    default:
        s->signal = SIGSEGV;
        break;
    }
}

/* --- Cases
 * ---------------------------------------------------------------------------------------------------------------------------
 */


/* SSE to SSE4.2 but floating-point arithmetic, on xmm registers. */
static bool in_sse(const ZydisDecodedInstruction *d)
{
    static const char *const others[] = {
        "add",     "sub",     "mul",     "div",    "sqrt",     "min",      "max",     "cmp",
        "cvt",     "comi",    "ucomi",   "round",  "dpp",      "hadd",
        "hsub",    "ldmxcsr", "stmxcsr", "fx",     "aes",
        "pclmul",  "sha",     "gf2p8",   "crc32",  "popcnt",   "extrq",    "insertq", "movntss",
        "movntsd", "mfence",  "sfence",  "lfence", "fisttp"};
    switch (d->meta.isa_set) {
    case ZYDIS_ISA_SET_SSE:
    case ZYDIS_ISA_SET_SSE2:
    case ZYDIS_ISA_SET_SSE3:
    case ZYDIS_ISA_SET_SSSE3:
    case ZYDIS_ISA_SET_SSE4:
    case ZYDIS_ISA_SET_SSE42:
        break;
    default:
        return false;
    }
    const char *name = ZydisMnemonicGetString(d->mnemonic);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        if (!strncmp(name, others[i], strlen(others[i])))
            return false;
    return true;
}

/* SSE's floating-point arithmetic. */
static bool in_fp(const ZydisDecodedInstruction *d)
{
    static const char *const names[] = {"adds",  "addp",  "subs", "subp", "mul",   "div",
                                        "sqrt",  "dpp",   "min",   "max",  "cmp",  "cvt",   "comi",
                                        "ucomi", "round", "hadd", "hsub", "addsub"};
    switch (d->meta.isa_set) {
    case ZYDIS_ISA_SET_SSE:
    case ZYDIS_ISA_SET_SSE2:
    case ZYDIS_ISA_SET_SSE3:
    case ZYDIS_ISA_SET_SSE4:
        break;
    default:
        return false;
    }
    if (d->mnemonic == ZYDIS_MNEMONIC_CVTPI2PS || d->mnemonic == ZYDIS_MNEMONIC_CVTPI2PD)
        return false; /* MMX */
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!strncmp(ZydisMnemonicGetString(d->mnemonic), names[i], strlen(names[i])))
            return true;
    return false;
}

/* Numbers where rounding, flags and NaNs differ. */
static uint64_t fp_value(void)
{
    uint64_t v = random64(), s = v & 0x8000000080000000u;
    switch (below(10)) {
    case 0:
        return s;
    case 1:
        return s | 0x7ff0000000000000u | (v & 0x7f800000u ? 0x7f800000u : 0);
    case 2:
        return s | 0x7ff0000000000000u | (v & 0xfffff) | 0x7f800001u;
    case 3:
        return s | 0x7ff8000000000000u | (v & 0x3fffff) | 0x7fc00000u;
    case 4:
        return s | (v & 0x000fffff007fffffu);
    case 5:
        return s | 0x3ff0000000000000u | 0x3f800000u | (v & 0x700000);
    case 6:
        return s | (0x41dull << 52) | (v & 0x000fffffffe00000u) | 0x4effffffu;
    case 7:
        return s | (uint64_t)(0x3fe + below(40)) << 52 | (v & 0x000fffff00000000u) |
               (uint64_t)(126 + below(40)) << 23 | (v & 0x7fffff);
    default:
        return v;
    }
}

static bool has_mmx(const ZydisDecodedInstruction *d, const ZydisDecodedOperand *op)
{
    for (unsigned i = 0; i < d->operand_count; i++)
        if (op[i].type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(op[i].reg.value) == ZYDIS_REGCLASS_MMX)
            return true;
    return false;
}

bool in_x87(const ZydisDecodedInstruction *d)
{
    return (d->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && d->opcode >= 0xd8 && d->opcode <= 0xdf) || d->mnemonic == ZYDIS_MNEMONIC_FWAIT;
}

/* Numbers of 80 bits of every class: zeros, infinities, NaNs, denormals, those the unit does not support, integers, ordinary
 * ones of near and far exponents. */
static oryx_v128 x87_value(void)
{
    uint64_t m = random64(), s = random64() & 0x8000, one = 1ull << 63;
    if (below(3) == 0) /* few digits */
        m &= ~0ull << (32 + below(31));
    switch (below(16)) {
    case 0:
        return (oryx_v128){0, s};
    case 1:
        return (oryx_v128){one, s | 0x7fff};
    case 2:
        return (oryx_v128){m | one, s | 0x7fff};
    case 3:
        return (oryx_v128){m & ~one, s};
    case 4:
        return (oryx_v128){m, s | (random64() & 0x7fff)};
    case 5:
        return (oryx_v128){one, s | (0x3fff - 2 + below(5))};
    case 6:
        return (oryx_v128){m | one, s | (0x3fff + below(70))};
    case 7:
        return (oryx_v128){m | one, s | (below(2) ? 0x7ffe - below(80) : 1 + below(80))};
    case 8:
        return (oryx_v128){m | one, s | (0x3fff + (below(2) ? 1023u : 127u) - 5 + below(10))};
    case 9:
        return (oryx_v128){m | one, s | (0x3fff - (below(2) ? 1074u : 149u) + below(60))};
    default:
        return (oryx_v128){m | one, s | (0x3fff - 20 + below(40))};
    }
}

static bool in_group(const char *group, const ZydisDecodedInstruction *d, const ZydisDecodedOperand *op)
{
    switch (d->mnemonic) { /* time, chance, identity, the system: no oracle, or no return */
    case ZYDIS_MNEMONIC_CPUID:
    case ZYDIS_MNEMONIC_RDTSC:
    case ZYDIS_MNEMONIC_RDTSCP:
    case ZYDIS_MNEMONIC_RDRAND:
    case ZYDIS_MNEMONIC_RDSEED:
    case ZYDIS_MNEMONIC_RDPID:
    case ZYDIS_MNEMONIC_XGETBV:
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT1:
    case ZYDIS_MNEMONIC_INT3:
    case ZYDIS_MNEMONIC_WRFSBASE:
    case ZYDIS_MNEMONIC_WRGSBASE:
    case ZYDIS_MNEMONIC_RDFSBASE:
    case ZYDIS_MNEMONIC_RDGSBASE:
    case ZYDIS_MNEMONIC_MONITORX:
    case ZYDIS_MNEMONIC_MWAITX:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_RDSSPD:
    case ZYDIS_MNEMONIC_RDSSPQ:
    case ZYDIS_MNEMONIC_XLAT:
    case ZYDIS_MNEMONIC_ENTER:
        return false;
    default:
        break;
    }
    if (d->mnemonic == ZYDIS_MNEMONIC_NOP && d->opcode == 0x0d)
        return false; /* a prefetch of a register: #UD on AMD's processors, nothing on Intel's */
    if (d->attributes & (ZYDIS_ATTRIB_IS_PRIVILEGED | ZYDIS_ATTRIB_HAS_SEGMENT_FS |
                         ZYDIS_ATTRIB_HAS_SEGMENT_GS) ||
        d->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR)
        return false;
    if (!strcmp(group, "mmx"))
        return has_mmx(d, op) || d->mnemonic == ZYDIS_MNEMONIC_EMMS;
    if (!strcmp(group, "x87"))
        return in_x87(d);
    if (has_mmx(d, op) || in_x87(d))
        return false;
    if (!strcmp(group, "fp"))
        return in_fp(d);
    if (!strcmp(group, "sse"))
        return in_sse(d);
    switch (d->meta.category) {
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_SHIFT:
    case ZYDIS_CATEGORY_ROTATE:
    case ZYDIS_CATEGORY_BITBYTE:
    case ZYDIS_CATEGORY_DATAXFER:
    case ZYDIS_CATEGORY_FLAGOP:
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_POP:
    case ZYDIS_CATEGORY_PUSH:
    case ZYDIS_CATEGORY_STRINGOP:
    case ZYDIS_CATEGORY_SEMAPHORE:
    case ZYDIS_CATEGORY_MISC:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_WIDENOP:
        if (d->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
            return false;
        if (d->meta.isa_set == ZYDIS_ISA_SET_SSE || d->meta.isa_set == ZYDIS_ISA_SET_SSE2 ||
            d->meta.isa_set >= ZYDIS_ISA_SET_SSE3)
            if (d->meta.category != ZYDIS_CATEGORY_STRINGOP &&
                d->meta.isa_set != ZYDIS_ISA_SET_SSE42)
                return d->mnemonic == ZYDIS_MNEMONIC_POPCNT ? !strcmp(group, "integer") : false;
        return !strcmp(group, "integer");
    case ZYDIS_CATEGORY_BMI1:
    case ZYDIS_CATEGORY_BMI2:
    case ZYDIS_CATEGORY_ADOX_ADCX:
    case ZYDIS_CATEGORY_LZCNT:
        return !strcmp(group, "bmi") || !strcmp(group, "integer");
    default:
        return false;
    }
}

static bool is_known(ZydisRegister reg)
{
    ZydisRegisterClass c = ZydisRegisterGetClass(reg);
    return c == ZYDIS_REGCLASS_XMM || c == ZYDIS_REGCLASS_X87 || c == ZYDIS_REGCLASS_MMX || c == ZYDIS_REGCLASS_GPR8 || c == ZYDIS_REGCLASS_GPR16 ||
           c == ZYDIS_REGCLASS_GPR32 || c == ZYDIS_REGCLASS_GPR64;
}

static bool acceptable(const insn *i)
{
    for (unsigned n = 0; n < i->d.operand_count; n++) {
        const ZydisDecodedOperand *o = &i->op[n];
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            o->visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT && !is_known(o->reg.value))
            return false;
        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER && i->d.meta.category == ZYDIS_CATEGORY_POP &&
            !is_known(o->reg.value) && o->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
            ZydisRegisterGetClass(o->reg.value) == ZYDIS_REGCLASS_SEGMENT)
            return false;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && i->d.address_width != 64 &&
            o->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            return false; /* the data is above 4 GiB */
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base != ZYDIS_REGISTER_NONE &&
            o->mem.base == o->mem.index)
            return false;
        if (o->type == ZYDIS_OPERAND_TYPE_MEMORY && o->mem.base == ZYDIS_REGISTER_NONE &&
            o->mem.index != ZYDIS_REGISTER_NONE)
            return false;
    }
    return true;
}

static bool draw(const options *opt, const ZydisDecoder *decoder, insn *i)
{
    static const uint8_t prefix[] = {0x66, 0xf2, 0xf3, 0xf0, 0x67, 0x66, 0x2e, 0x3e};
    for (unsigned tries = 0; tries < (opt->only ? 5000000u : 300000u); tries++) {
        unsigned n = 0;
        memset(i->bytes, 0, sizeof i->bytes);
        for (unsigned k = below(8) < 3 ? 1 + below(2) : 0; k--;)
            i->bytes[n++] = prefix[below(sizeof prefix)];
        if (!strcmp(opt->group, "x87")) {
            if (below(4) == 0)
                i->bytes[n++] = (uint8_t)(0x40 | below(16));
            i->bytes[n++] = below(100) ? (uint8_t)(0xd8 | below(8)) : 0x9b;
        } else if (below(8) == 0) {
            i->bytes[n++] = 0xc4;
            i->bytes[n++] = (uint8_t)((random64() & 0xe0) | (1 + below(3)));
            i->bytes[n++] = (uint8_t)random64();
        } else {
            if (below(2))
                i->bytes[n++] = (uint8_t)(0x40 | below(16));
            unsigned map = below(8);
            if (map >= 4) {
                i->bytes[n++] = 0x0f;
                if (map == 7)
                    i->bytes[n++] = below(3) ? 0x38 : 0x3a;
            }
        }
        for (; n < 15; n++)
            i->bytes[n] = (uint8_t)random64();
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(decoder, i->bytes, 15, &i->d, i->op)))
            continue;
        if (memchr(i->bytes, 0x66, i->d.raw.prefix_count) &&
            i->d.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
            continue; /* AMD's processors cut the target, Intel's ignore the prefix */
        if ((i->d.mnemonic == ZYDIS_MNEMONIC_LOOPE || i->d.mnemonic == ZYDIS_MNEMONIC_LOOPNE) &&
            (memchr(i->bytes, 0xf2, i->d.raw.prefix_count) ||
             memchr(i->bytes, 0xf3, i->d.raw.prefix_count)))
            continue; /* the prefix chooses the condition on AMD's processors, means nothing on
                         Intel's */
        if (!in_group(opt->group, &i->d, i->op) || !acceptable(i))
            continue;
        if (opt->only && strcasecmp(ZydisMnemonicGetString(i->d.mnemonic), opt->only))
            continue;
        memset(i->bytes + i->d.length, 0xcc, sizeof i->bytes - i->d.length);
        return true;
    }
    return false;
}

static unsigned number64(ZydisRegister reg)
{
    return (unsigned)(reg - ZYDIS_REGISTER_RAX);
}

/* A jump to an address that is none faults at the jump on the host, behind it here: see README.md.
 */
static void canonical(uint64_t at)
{
    if (at < DATA || at > DATA + DATA_SIZE - 8)
        return;
    uint64_t v;
    memcpy(&v, (void *)(uintptr_t)at, 8);
    v &= 0x7fffffffffff;
    memcpy((void *)(uintptr_t)at, &v, 8);
    memcpy(guest.data + (at - DATA), &v, 8);
}

/* Registers such that memory operands mostly lie in the data. */
static void state_for(insn *i, state *s)
{
    for (unsigned n = 0; n < 16; n++)
        s->r[n] = value();
    for (unsigned n = 0; n < 16; n++)
        s->x[n] = (oryx_v128){value(), value()};
    if (i->d.meta.category == ZYDIS_CATEGORY_SSE || in_fp(&i->d))
        for (unsigned n = 0; n < 16; n++)
            s->x[n] = (oryx_v128){fp_value(), fp_value()};
    s->mxcsr = 0x1f80 | (below(2) ? below(4) << 13 : 0) | (below(8) ? 0 : 0x8000) |
               (below(8) ? 0 : 0x40) | (below(64) & below(64));
    bool x87 = in_x87(&i->d), mmx = has_mmx(&i->d, i->op) || i->d.mnemonic == ZYDIS_MNEMONIC_EMMS;
    s->cw = 0x37f;
    if (x87 || mmx) {
        s->cw = (uint16_t)(0x7f | below(4) << 8 | below(4) << 10);
        if (below(8) == 0)
            s->cw &= (uint16_t)~below(64);
        s->sw = (uint16_t)((random64() & 0x7f00) | (below(4) ? 0 : below(128)));
        if (s->sw & ~s->cw & 0x3f)
            s->sw |= 0x8080;
        s->tag = below(4) ? 0xff : (uint16_t)(random64() & 0xff);
        s->fop = (uint16_t)below(2048);
        s->fip = value() & 0xffffffffffff;
        s->fdp = value() & 0x7fffffffffff;
        for (unsigned n = 0; n < 8; n++)
            s->st[n] = x87 || below(2) ? x87_value() : (oryx_v128){value(), random64() & 0xffff};
    }
    s->eflags = (random64() & (0xcd5u)) | 0x202;
    s->rip = CODE + (below(16) == 0 ? 4096u - i->d.length : 64u + below(256));
    s->r[4] = DATA + 1024 + below(DATA_SIZE - 2048);
    if (i->d.meta.category == ZYDIS_CATEGORY_STRINGOP) {
        s->r[6] = DATA + below(DATA_SIZE - 64);
        s->r[7] = below(4) ? DATA + below(DATA_SIZE - 64) : s->r[6];
        s->r[1] = below(4);
        return;
    }
    for (unsigned n = 0; n < i->d.operand_count; n++) {
        const ZydisDecodedOperand *o = &i->op[n];
        if (o->type != ZYDIS_OPERAND_TYPE_MEMORY || o->mem.type == ZYDIS_MEMOP_TYPE_AGEN ||
            o->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
            continue;
        uint64_t to = DATA + (below(16)   ? 256u + below(DATA_SIZE - 512)
                              : below(64) ? below(2) * DATA_SIZE - 8u + below(16)
                                          : random64());
        if (below(2))
            to &= ~(uint64_t)15;
        if (i->d.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
            canonical(to);
        if (o->mem.base == ZYDIS_REGISTER_RIP) {
            int64_t disp = (int64_t)(to - (s->rip + i->d.length));
            int32_t d32 = (int32_t)disp;
            memcpy(i->bytes + i->d.raw.disp.offset, &d32, 4);
            continue;
        }
        if (i->op[1 - (n == 1)].type == ZYDIS_OPERAND_TYPE_REGISTER &&
            i->d.meta.category == ZYDIS_CATEGORY_BITBYTE && n == 0) {
            const ZydisDecodedOperand *bit = &i->op[1];
            unsigned b = number64(
                ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, bit->reg.value));
            s->r[b] = (uint64_t)((int64_t)below(2000) - 1000);
        }
        if (o->mem.base != ZYDIS_REGISTER_NONE) {
            uint64_t index = o->mem.index != ZYDIS_REGISTER_NONE
                                 ? s->r[number64(o->mem.index)] * o->mem.scale
                                 : 0;
            s->r[number64(o->mem.base)] = to - index - (uint64_t)o->mem.disp.value;
        }
    }
    if (i->d.mnemonic == ZYDIS_MNEMONIC_POPFQ || i->d.mnemonic == ZYDIS_MNEMONIC_POPF) {
        uint64_t v = random64() & 0xcd5; /* alignment checks would hit the handler */
        memcpy((void *)s->r[4], &v, 8);
        memcpy(guest.data + (s->r[4] - DATA), &v, 8);
    }
    if (i->d.meta.category == ZYDIS_CATEGORY_RET)
        canonical(s->r[4]);
    if (i->d.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
        i->d.meta.category == ZYDIS_CATEGORY_CALL || i->d.meta.category == ZYDIS_CATEGORY_RET) {
        if (i->op[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
            s->r[number64(i->op[0].reg.value)] &= 0x7fffffffffff;
    }
}

static int usage(const char *what)
{
    fprintf(stderr,
            "x86_diff: %s\nusage: x86_diff [--group integer|bmi|sse|fp|x87|mmx] [--count N] [--seed S] "
            "[--engine "
            "E] [--only MNEMONIC] [--keep-going]\n",
            what);
    return 2;
}

int main(int argc, char **argv)
{
    options opt = {.group = "integer", .engine = NULL, .count = 20000, .seed = 1};
    for (int a = 1; a < argc; a++) {
        const char *next = a + 1 < argc ? argv[a + 1] : NULL;
        if (!strcmp(argv[a], "--keep-going"))
            opt.keep_going = true;
        else if (!next)
            return usage(argv[a]);
        else if (!strcmp(argv[a], "--group"))
            opt.group = next, a++;
        else if (!strcmp(argv[a], "--count"))
            opt.count = strtoull(next, NULL, 0), a++;
        else if (!strcmp(argv[a], "--seed"))
            opt.seed = strtoull(next, NULL, 0), a++;
        else if (!strcmp(argv[a], "--engine"))
            opt.engine = next, a++;
        else if (!strcmp(argv[a], "--only"))
            opt.only = next, a++;
        else
            return usage(argv[a]);
    }
    seed = opt.seed * 0x2545f4914f6cdd1dull;
    uint8_t *code = mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    uint8_t *data = mmap((void *)DATA, DATA_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (code == MAP_FAILED || data == MAP_FAILED)
        die("cannot map the pages of the cases", NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    guest_start(opt.engine);
    host_start();
    for (unsigned n = 0; n < DATA_SIZE; n++)
        data[n] = guest.data[n] = (uint8_t)random64();
    memset(code, 0xcc, 4096);
    memset(guest.code, 0xcc, 4096);
    ZydisDecoder decoder;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);

    uint64_t done = 0, bad = 0;
    static uint32_t wrong[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    static bool seen[ZYDIS_MNEMONIC_MAX_VALUE + 1];
    unsigned kinds = 0;
    while (done < opt.count) {
        insn i;
        if (!draw(&opt, &decoder, &i))
            return usage("no instruction found for these words");
        kinds += !seen[i.d.mnemonic];
        seen[i.d.mnemonic] = true;
        for (unsigned k = 0; k < 4 && done < opt.count; k++, done++) {
            state before = {.signal = 0}, h, g;
            state_for(&i, &before);
            before.eflags |= EFLAGS_TF;
            if (undefined_result(&i, &before))
                continue;
            h = g = before;
            memcpy((void *)(uintptr_t)before.rip, i.bytes, i.d.length);
            oryx_vcpu_write(guest.v, before.rip, i.bytes, i.d.length);
            host_step(&h);
            guest_step(&g);
            if (h.signal == SIGTRAP)
                h.signal = 0;
            if (h.signal == SIGBUS) /* the stack segment's way to say it */
                h.signal = SIGSEGV;
            if (!forgive(&i, &h, &g, guest.data) && !same(&i, &h, &g, guest.data)) {
                bad++;
                if (wrong[i.d.mnemonic]++ == 0)
                    show(&i, &before, &h, &g, guest.data);
                memcpy(guest.data, data, DATA_SIZE);
                if (!opt.keep_going)
                    return 1;
            }
            memset((void *)(uintptr_t)before.rip, 0xcc, i.d.length);
        }
    }
    printf("x86_diff: group %s, seed %" PRIu64 ", engine %s: %" PRIu64
           " cases of %u mnemonics, %" PRIu64 " differ\n",
           opt.group, opt.seed, oryx_machine_engine(guest.m), done, kinds, bad);
    for (unsigned m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++)
        if (wrong[m])
            printf("  %-10s %u\n", ZydisMnemonicGetString((ZydisMnemonic)m), wrong[m]);
    return bad != 0;
}
