/* The x86 frontends: classes "amd64" and "i386". Registers, models, reset, lifting, disassembly.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block.
 * Both classes share everything but their default mode and GDB's register numbers. Invariant: the
 * mode key holds all of the state that lifting asks for. */
#include <stdio.h>
#include <string.h>

#include "helper/oryx_manifest.h"
#include "x86_fpu.h"

const oryx_host *x86_host;

/* --- Models
 * ------------------------------------------------------------------------------------------------------------
 */

#define F(name)     X86_FEAT(name)
#ifdef __x86_64__
#define X87_SET F(FPU) /* the host's unit */
#else
#define X87_SET 0
#endif
#define I386_SET    (F(BASE) | F(I186) | F(I386) | X87_SET)
#define PENTIUM_SET (I386_SET | F(I486) | F(CX8))
#define CORE2_SET                                                                        \
    (PENTIUM_SET | F(CMOV) | F(NOPL) | F(MMX) | F(FXSR) | F(SSE) | F(SSE2) | F(SSE3) | F(SSSE3) | F(CX16) | \
     F(LAHF64) | F(LONG))
#define NEHALEM_SET (CORE2_SET | F(SSE41) | F(SSE42) | F(POPCNT) | F(RDTSCP))
#define HASWELL_SET \
    (NEHALEM_SET | F(XSAVE) | F(LZCNT) | F(BMI1) | F(BMI2) | F(MOVBE) | F(FSGSBASE) | F(RDRAND))
#define SKYLAKE_SET (HASWELL_SET | F(XSAVEOPT) | F(XSAVEC) | F(ADX) | F(RDSEED) | F(CLFLUSHOPT))
#define MAX_SET     (SKYLAKE_SET | F(CLWB) | F(RDPID))

/* The default comes first. */
static const x86_model models[] = {
    {"max", "Oryx x86 CPU, everything there is", MAX_SET, 0x000906ea},
    {"386", "Intel 386", I386_SET, 0x00000303},
    {"486", "Intel 486", I386_SET | F(I486), 0x00000403},
    {"pentium", "Intel Pentium", PENTIUM_SET, 0x00000543},
    {"core2", "Intel Core 2", CORE2_SET, 0x000006fb},
    {"nehalem", "Intel Core, Nehalem", NEHALEM_SET, 0x000106a5},
    {"haswell", "Intel Core, Haswell", HASWELL_SET, 0x000306c3},
    {"skylake", "Intel Core, Skylake", SKYLAKE_SET, 0x000506e3},
};
#undef F
#define COUNT(array) (sizeof array / sizeof array[0])
static oryx_cpu_model model_list[COUNT(models)];

const x86_model *x86_model_of(const oryx_cpu *cpu)
{
    return &models[((const x86_state *)(const void *)cpu->state)->model];
}

/* --- Registers
 * ---------------------------------------------------------------------------------------------------------
 */

static const char *const names64[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const names32[16] = {"eax",  "ecx",  "edx",  "ebx", "esp",  "ebp",
                                        "esi",  "edi",  "r8d",  "r9d", "r10d", "r11d",
                                        "r12d", "r13d", "r14d", "r15d"};
static const char *const names16[16] = {"ax",   "cx",   "dx",   "bx",  "sp",   "bp",
                                        "si",   "di",   "r8w",  "r9w", "r10w", "r11w",
                                        "r12w", "r13w", "r14w", "r15w"};
static const char *const names8[16] = {"al",   "cl",   "dl",   "bl",  "spl",  "bpl",
                                       "sil",  "dil",  "r8b",  "r9b", "r10b", "r11b",
                                       "r12b", "r13b", "r14b", "r15b"};
static const char *const names_high[4] = {"ah", "ch", "dh", "bh"};
static const char *const segment_names[6] = {"es", "cs", "ss", "ds", "fs", "gs"};
static const char *const base_names[6] = {"es_base", "cs_base", "ss_base",
                                          "ds_base", "fs_base", "gs_base"};
static const char *const xmm_names[16] = {"xmm0",  "xmm1",  "xmm2",  "xmm3", "xmm4",  "xmm5",
                                          "xmm6",  "xmm7",  "xmm8",  "xmm9", "xmm10", "xmm11",
                                          "xmm12", "xmm13", "xmm14", "xmm15"};
/* GDB's order, org.gnu.gdb.i386.core: numbers of rax rcx rdx rbx rsp rbp rsi rdi, of es cs ss ds fs
 * gs. */
static const int8_t gdb64[8] = {0, 2, 3, 1, 7, 6, 4, 5};
static const int8_t gdb_seg_order[6] = {3, 0, 1, 2, 4, 5}; /* es cs ss ds fs gs behind cs */

/* The x87 unit's other registers; GDB's ftag is the full tag word. */
enum { X87_CW, X87_SW, X87_TAG, X87_IP, X87_DP, X87_OP, X87_COUNT };
static const char *const x87_names[X87_COUNT] = {"fctrl", "fstat", "ftag", "fioff", "fooff", "fop"};
static const uint8_t x87_sizes[X87_COUNT] = {2, 2, 2, 8, 8, 2};
static const uint8_t x87_gdb[X87_COUNT] = {0, 1, 2, 4, 6, 7}; /* fiseg, foseg between */
static const char *const st_names[8] = {"st0", "st1", "st2", "st3", "st4", "st5", "st6", "st7"};
static const char *const mm_names[8] = {"mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7"};

enum {
    REG_RIP = 16,
    REG_EFLAGS,
    REG_SEG,
    REG_BASE = REG_SEG + 6,
    REG_XMM = REG_BASE + 6,
    REG_MXCSR = REG_XMM + 16,
    REG_32,
    REG_16 = REG_32 + 16,
    REG_8 = REG_16 + 16,
    REG_HIGH = REG_8 + 16,
    REG_EIP = REG_HIGH + 4,
    REG_ST,
    REG_MM = REG_ST + 8,
    REG_X87 = REG_MM + 8,
    REG_COUNT = REG_X87 + X87_COUNT
};

typedef struct x86_class {
    oryx_reg regs[REG_COUNT];
    oryx_arch_ops ops;
} x86_class;
static x86_class classes[2];

static void make_registers(x86_class *c, bool wide)
{
    for (unsigned n = 0; n < 16; n++) {
        uint32_t sp = n == X86_RSP ? ORYX_REG_IS_SP : 0;
        int32_t gdb = wide ? n < 8 ? gdb64[n] : (int32_t)n : n < 8 ? (int32_t)n : -1;
        c->regs[n] = (oryx_reg){names64[n],
                                "general",
                                X86_OFF_R(n),
                                8,
                                ORYX_REG_INT,
                                I64,
                                sp | (wide ? 0 : ORYX_REG_ALIAS),
                                wide ? gdb : -1,
                                0};
        c->regs[REG_32 + n] = (oryx_reg){names32[n],
                                         "general",
                                         X86_OFF_R(n),
                                         4,
                                         ORYX_REG_INT,
                                         I32,
                                         wide || n >= 8 ? ORYX_REG_ALIAS : sp,
                                         wide ? -1 : gdb,
                                         0};
        c->regs[REG_16 + n] = (oryx_reg){names16[n], "general",      X86_OFF_R(n), 2, ORYX_REG_INT,
                                         I16,        ORYX_REG_ALIAS, -1,           0};
        c->regs[REG_8 + n] = (oryx_reg){names8[n], "general",      X86_OFF_R(n), 1, ORYX_REG_INT,
                                        I8,        ORYX_REG_ALIAS, -1,           0};
        c->regs[REG_XMM + n] = (oryx_reg){xmm_names[n],
                                          "vector",
                                          X86_OFF_X(n),
                                          16,
                                          ORYX_REG_VECTOR,
                                          V128,
                                          wide || n < 8 ? 0 : ORYX_REG_ALIAS,
                                          wide    ? 40 + (int32_t)n
                                          : n < 8 ? 32 + (int32_t)n
                                                  : -1,
                                          0};
    }
    for (unsigned n = 0; n < 4; n++)
        c->regs[REG_HIGH + n] = (oryx_reg){
            names_high[n], "general", X86_OFF_R(n) + 1, 1, ORYX_REG_INT, I8, ORYX_REG_ALIAS, -1, 0};
    int32_t first = wide ? 16 : 8;
    c->regs[REG_RIP] = (oryx_reg){"rip",
                                  "general",
                                  X86_OFF(pc),
                                  8,
                                  ORYX_REG_INT,
                                  I64,
                                  ORYX_REG_IS_PC | (wide ? 0 : ORYX_REG_ALIAS),
                                  wide ? first : -1,
                                  0};
    c->regs[REG_EIP] = (oryx_reg){"eip",
                                  "general",
                                  X86_OFF(pc),
                                  4,
                                  ORYX_REG_INT,
                                  I32,
                                  wide ? ORYX_REG_ALIAS : 0,
                                  wide ? -1 : first,
                                  0};
    c->regs[REG_EFLAGS] =
        (oryx_reg){"eflags", "general", 0, 4, ORYX_REG_FLAGS, I32, ORYX_REG_COMPUTED, first + 1, 2};
    for (unsigned n = 0; n < 6; n++) {
        c->regs[REG_SEG + n] = (oryx_reg){segment_names[n],
                                          "segment",
                                          0,
                                          2,
                                          ORYX_REG_SYSTEM,
                                          I16,
                                          ORYX_REG_COMPUTED,
                                          first + 2 + gdb_seg_order[n],
                                          0};
        c->regs[REG_BASE + n] = (oryx_reg){
            base_names[n], "segment", X86_OFF_SEG(n, base), 8, ORYX_REG_SYSTEM, I64, 0, -1, 0};
    }
    int32_t st = wide ? 24 : 16;
    for (unsigned n = 0; n < 8; n++) {
        c->regs[REG_ST + n] = (oryx_reg){st_names[n], "x87", 0, 16, ORYX_REG_FLOAT, V128, ORYX_REG_COMPUTED, st + (int32_t)n, 0};
        c->regs[REG_MM + n] = (oryx_reg){mm_names[n], "x87", 0, 8, ORYX_REG_VECTOR, I64, ORYX_REG_COMPUTED | ORYX_REG_ALIAS, -1, 0};
    }
    for (unsigned n = 0; n < X87_COUNT; n++) {
        unsigned type = x87_sizes[n] == 2 ? I16 : I64;
        c->regs[REG_X87 + n] = (oryx_reg){
            x87_names[n], "x87", 0, x87_sizes[n], ORYX_REG_SYSTEM, (uint8_t)type, ORYX_REG_COMPUTED, st + 8 + x87_gdb[n], 0};
    }
    c->regs[REG_MXCSR] = (oryx_reg){"mxcsr", "vector", 0, 4,     ORYX_REG_SYSTEM,
                                    I32,     ORYX_REG_COMPUTED,        wide ? 56 : 40, 0x1f80};
}

static oryx_status x87_read(oryx_cpu *cpu, uint32_t n, void *buf)
{
    const x86_fpu *f = &x86_state_of(cpu)->fpu;
    uint64_t v = 0;
    x86_fpu_save(cpu);
    switch (n) {
    case X87_CW:
        v = f->cw;
        break;
    case X87_SW:
        v = f->sw;
        break;
    case X87_TAG:
        for (unsigned i = 0; i < 8; i++)
            v |= (uint64_t)x86_fpu_tag(f, i) << (2 * i);
        break;
    case X87_IP:
        v = f->last & 0xffffffffffffu;
        break;
    case X87_DP:
        v = f->data;
        break;
    default:
        v = f->last >> 48;
        break;
    }
    memcpy(buf, &v, x87_sizes[n]);
    return ORYX_OK;
}

static oryx_status x87_write(oryx_cpu *cpu, uint32_t n, const void *buf)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    uint64_t v = 0;
    memcpy(&v, buf, x87_sizes[n]);
    x86_fpu_save(cpu);
    switch (n) {
    case X87_CW:
        f->cw = (uint16_t)((v & 0x1f3f) | 0x40);
        x86_fpu_status(f, f->sw);
        break;
    case X87_SW:
        x86_fpu_status(f, (uint16_t)v);
        break;
    case X87_TAG:
        f->tag = 0;
        for (unsigned i = 0; i < 8; i++)
            f->tag |= (uint16_t)((v >> (2 * i) & 3) != 3 ? 1u << i : 0);
        break;
    case X87_IP:
        f->last = (f->last & ~0xffffffffffffu) | (v & 0xffffffffffffu);
        break;
    case X87_DP:
        f->data = v;
        break;
    default:
        f->last = (f->last & 0xffffffffffffu) | (v & 0x7ff) << 48;
        break;
    }
    return ORYX_OK;
}

/* Register stN or mmN; the physical one. */
static oryx_v128 *x87_at(oryx_cpu *cpu, uint32_t reg)
{
    x86_fpu *f = &x86_state_of(cpu)->fpu;
    x86_fpu_save(cpu);
    return &f->r[reg >= REG_MM ? reg - REG_MM : ((f->sw >> 11) + reg - REG_ST) & 7];
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    const x86_state *s = (const x86_state *)(const void *)cpu->state;
    if (reg >= REG_X87)
        return reg < REG_COUNT ? x87_read(cpu, reg - REG_X87, buf) : ORYX_E_NOTFOUND;
    if (reg >= REG_ST) {
        memcpy(buf, x87_at(cpu, reg), reg >= REG_MM ? 8 : 16);
        return ORYX_OK;
    }
    if (reg == REG_EFLAGS) {
        uint32_t v = x86_eflags(s);
        memcpy(buf, &v, 4);
        return ORYX_OK;
    }
    if (reg == REG_MXCSR) {
        uint32_t v = x86_stmxcsr(cpu, cpu->fp.flags);
        memcpy(buf, &v, 4);
        return ORYX_OK;
    }
    if (reg >= REG_SEG && reg < REG_SEG + 6) {
        memcpy(buf, &s->seg[reg - REG_SEG].selector, 2);
        return ORYX_OK;
    }
    return ORYX_E_NOTFOUND;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    x86_state *s = (x86_state *)(void *)cpu->state;
    if (reg >= REG_X87)
        return reg < REG_COUNT ? x87_write(cpu, reg - REG_X87, buf) : ORYX_E_NOTFOUND;
    if (reg >= REG_ST) {
        oryx_v128 *r = x87_at(cpu, reg);
        memcpy(r, buf, reg >= REG_MM ? 8 : 16);
        r->hi = reg >= REG_MM ? 0xffff : r->hi & 0xffff;
        return ORYX_OK;
    }
    if (reg == REG_EFLAGS) {
        uint32_t v;
        memcpy(&v, buf, 4);
        x86_set_eflags(s, v);
        return ORYX_OK;
    }
    if (reg == REG_MXCSR) {
        uint32_t v;
        memcpy(&v, buf, 4);
        x86_ldmxcsr(cpu, v & 0xffff);
        return ORYX_OK;
    }
    if (reg >= REG_SEG && reg < REG_SEG + 6) {
        memcpy(&s->seg[reg - REG_SEG].selector, buf, 2);
        return ORYX_OK;
    }
    return ORYX_E_NOTFOUND;
}

/* --- Reset, mode
 * ---------------------------------------------------------------------------------------------------------
 */

/* User programs under a flat memory model; selectors are Linux's. */
static const char *const modes64[] = {"64", "32", NULL}, *const modes32[] = {"32", NULL};

static oryx_status mode_code(const char *mode, uint32_t *code)
{
    if (mode && strcmp(mode, "64") && strcmp(mode, "32"))
        return ORYX_E_NOTFOUND;
    *code = mode && !strcmp(mode, "32") ? 1 : 2;
    return ORYX_OK;
}

static oryx_status mode_of_64(const char *mode, uint64_t *key)
{
    uint32_t code = 2;
    oryx_status st = mode_code(mode, &code);
    *key = code | X86_MODE_FLAT;
    return st;
}

static oryx_status mode_of_32(const char *mode, uint64_t *key)
{
    *key = 1 | X86_MODE_FLAT;
    return mode && strcmp(mode, "32") ? ORYX_E_NOTFOUND : ORYX_OK;
}

static void fpenv_apply(oryx_cpu *cpu)
{
    static const uint8_t rounding[4] = {ORYX_RM_NEAREST, ORYX_RM_DOWN, ORYX_RM_UP, ORYX_RM_ZERO};
    const x86_state *s = (const x86_state *)(const void *)cpu->state;
    cpu->fp.rounding = rounding[s->mxcsr >> 13 & 3];
    cpu->fp.flush_out = s->mxcsr >> 15 & 1;
    cpu->fp.flush_in = s->mxcsr >> 6 & 1;
    cpu->fp.nan_rule = ORYX_NAN_X86;
}

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode,
                         oryx_error *err)
{
    x86_state *s = (x86_state *)(void *)cpu->state;
    const x86_model *m = model && model->data ? model->data : &models[0];
    const oryx_arch_ops *ops = x86_host->machine_arch(cpu->machine);
    uint32_t code = 1;
    if (mode_code(mode ? mode : ops->modes[0], &code) ||
        (code == 2 && (!(m->features & X86_FEAT(LONG)) || ops->modes == modes32))) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "%s: CPU model '%s' has no mode '%.64s'",
                     ops->name, m->name, mode ? mode : "64");
        }
        return ORYX_E_NOTFOUND;
    }
    s->model = (uint32_t)(m - models);
    s->mode = code;
    s->step = 1;
    s->eflags = 2 | X86_IF;
    s->mxcsr = 0x1f80;
    s->xcr0 = 3;
    s->random = 0x6f727978;
    for (unsigned n = 0; n < 6; n++)
        s->seg[n] = (x86_seg){.limit = ~0u,
                              .selector = n == X86_CS                ? code == 2 ? 0x33 : 0x23
                                          : code == 2 && n != X86_SS ? 0
                                                                     : 0x2b};
    cpu->fp.flags = 0;
    x86_fpu_init(cpu);
    fpenv_apply(cpu);
    return ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    const x86_state *s = (const x86_state *)(const void *)cpu->state;
    uint64_t bases =
        s->seg[X86_ES].base | s->seg[X86_CS].base | s->seg[X86_SS].base | s->seg[X86_DS].base;
    uint64_t key = s->mode | (bases ? 0 : X86_MODE_FLAT) |
                   (uint64_t)(s->mxcsr >> 6 & 0x3ff) << X86_MODE_MXCSR_SHIFT;
    if ((s->fpu.cw & 0x3f) != 0x3f)
        key |= X86_MODE_X87_UNMASKED;
    fpenv_apply(cpu);
    return s->mode == 2 ? key | X86_MODE_FLAT : key | s->seg[X86_CS].base << 32;
}

/* --- Lifting
 * ----------------------------------------------------------------------------------------------------------------
 */

static void make_decoder(ZydisDecoder *d, uint64_t mode)
{
    unsigned code = mode & X86_MODE_CODE;
    if (code == 2)
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    else if (code == 1)
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_32,
                         mode & X86_MODE_STACK16 ? ZYDIS_STACK_WIDTH_16 : ZYDIS_STACK_WIDTH_32);
    else
        ZydisDecoderInit(d, ZYDIS_MACHINE_MODE_LEGACY_16,
                         mode & X86_MODE_STACK16 ? ZYDIS_STACK_WIDTH_16 : ZYDIS_STACK_WIDTH_32);
}

/* An MMX register among the operands: the registers are the x87 unit's, which comes to the state block before and has its
 * tags set behind. */
static bool uses_mmx(const x86_lift *l)
{
    for (unsigned i = 0; i < l->insn->operand_count_visible; i++)
        if (l->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER && ZydisRegisterGetClass(l->op[i].reg.value) == ZYDIS_REGCLASS_MMX)
            return true;
    return false;
}

static void lift_row(x86_lift *l, const x86_row *row)
{
    bool mmx = uses_mmx(l);
    if (mmx)
        x86_call(l, X86_HELPER_MMX_BEGIN, ORYX_T_VOID, NULL, 0);
    row->lift(l);
    if (mmx && !l->end) {
        oryx_val tag = x86_imm(l, I32, 0xff);
        x86_call(l, X86_HELPER_MMX_END, ORYX_T_VOID, &tag, 1);
    }
}

static oryx_status lift(oryx_lift *in)
{
    const x86_model *m = in->model && in->model->data ? in->model->data : &models[0];
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoder decoder;
    make_decoder(&decoder, in->mode);
    ZyanStatus st = ZydisDecoderDecodeFull(&decoder, in->bytes, in->n_bytes, &insn, op);
    if (st == ZYDIS_STATUS_NO_MORE_DATA && in->n_bytes < ZYDIS_MAX_INSTRUCTION_LENGTH)
        return ORYX_NEED_BYTES;
    x86_lift l = {.ir = in->ir,
                  .pc = in->pc,
                  .mode = in->mode,
                  .helper_base = in->helper_base,
                  .features = m->features,
                  .insn = &insn,
                  .op = op};
    in->len = ZYAN_SUCCESS(st) ? insn.length : 1;
    l.next = in->pc + in->len;
    if (!x86_is64(&l))
        l.next &= 0xffffffff;
    if (st == ZYDIS_STATUS_INSTRUCTION_TOO_LONG) {
        x86_protection(&l);
    } else if (!ZYAN_SUCCESS(st)) {
        x86_undefined(&l);
    } else {
        const x86_row *row = &x86_rows[insn.mnemonic];
        if (row->lift && m->features >> row->feature & 1)
            lift_row(&l, row);
        else
            x86_undefined(&l);
    }
    in->end = l.end;
    return in->ir->error;
}

/* --- Disassembly
 * --------------------------------------------------------------------------------------------------------------
 */

static oryx_status disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes,
                          oryx_disasm *out)
{
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecoder decoder;
    ZydisFormatter formatter;
    make_decoder(&decoder, mode);
    ZyanStatus st = ZydisDecoderDecodeFull(&decoder, bytes, n_bytes, &insn, op);
    if (st == ZYDIS_STATUS_NO_MORE_DATA && n_bytes < ZYDIS_MAX_INSTRUCTION_LENGTH)
        return ORYX_NEED_BYTES;
    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    out->len = ZYAN_SUCCESS(st) ? insn.length : 1;
    if (!ZYAN_SUCCESS(st) || !ZYAN_SUCCESS(ZydisFormatterFormatInstruction(
                                 &formatter, &insn, op, insn.operand_count_visible, out->text,
                                 sizeof out->text, pc, ZYAN_NULL))) {
        snprintf(out->text, sizeof out->text, ".byte\t0x%02x", bytes[0]);
        return ORYX_E_FORMAT;
    }
    char *space = strchr(out->text, ' ');
    if (space && insn.operand_count_visible)
        *space = '\t';
    return ORYX_OK;
}

/* --- The plugin
 * ------------------------------------------------------------------------------------------------------------------
 */

/* The table holds untyped code pointers; each row's signature says how to call it. */
static const oryx_helper helpers[X86_HELPER_COUNT] = {
#define HELPER(NAME, fn, signature, effects) {#fn, signature, effects, (void (*)(void))fn},
#include "x86_helpers.def"
#undef HELPER
};

static void make_class(unsigned i, const char *name, const char *text, bool wide)
{
    x86_class *c = &classes[i];
    make_registers(c, wide);
    c->ops = (oryx_arch_ops){
        .hdr = ORYX_HDR(oryx_arch_ops),
        .name = name,
        .text = text,
        .state_size = sizeof(x86_state),
        .pc_offset = offsetof(x86_state, pc),
        .regs = c->regs,
        .reg_stride = sizeof(oryx_reg),
        .n_regs = REG_COUNT,
        .modes = wide ? modes64 : modes32,
        .models = model_list,
        .model_stride = sizeof(oryx_cpu_model),
        .n_models = COUNT(models),
        .helpers = helpers,
        .helper_stride = sizeof(oryx_helper),
        .n_helpers = X86_HELPER_COUNT,
        .insn_align = 1,
        .insn_max = 15,
        .n_mmu_indexes = 1,
        .reset = reset,
        .mode_key = mode_key,
        .lift = lift,
        .reg_read = reg_read,
        .reg_write = reg_write,
        .disasm = disasm,
        .mode_of = wide ? mode_of_64 : mode_of_32,
    };
}

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_ARCH_ID))
        return NULL;
    for (unsigned i = 0; i < COUNT(classes); i++)
        if (!strcmp(classes[i].ops.name, cls))
            return &classes[i].ops;
    return NULL;
}

static const oryx_plugin_ops plugin = {.hdr = ORYX_HDR(oryx_plugin_ops), .get = get};

ORYX_MANIFEST(ORYX_JSON({
    "id" : "arch-x86",
    "version" : "0.1.0",
    "abi" : {"major" : 1, "minor" : 0},
    "licence" : "MIT",
    "text" : "x86 frontends, 32 and 64 bits",
    "provides" : [
        {"interface" : "oryx.arch/1", "class" : "amd64"},
        {"interface" : "oryx.arch/1", "class" : "i386"}
    ]
}));

oryx_status oryx_plugin_open_v1(const oryx_hdr *h, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)err;
    x86_host = (const oryx_host *)(const void *)h;
    for (unsigned i = 0; i < COUNT(models); i++)
        model_list[i] = (oryx_cpu_model){models[i].name, models[i].text, &models[i]};
    make_class(0, "amd64", "x86-64 in user mode", true);
    make_class(1, "i386", "x86, 32 bits, in user mode", false);
    *out = &plugin;
    return ORYX_OK;
}
