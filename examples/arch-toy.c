/* A frontend from nothing: "toy", a 64-bit CPU of ten instructions.
 *
 *   cc -shared -fPIC -fvisibility=hidden $(pkg-config --cflags oryx) arch-toy.c -o arch-toy.so
 *   ORYX_PLUGIN_PATH=. oryx arch toy
 *
 * A frontend says what its registers are (rows), turns one instruction at a time into IR (lift) and into text (disasm).
 * It executes nothing: the core splits code into blocks, checks and simplifies the IR, and an engine runs it. The one
 * invariant here: what can fault (LOAD, STORE) is emitted before the first PUT, so a faulting instruction changes nothing.
 *
 * Eight registers r0..r7 and a pc. Every instruction is one little-endian 32-bit word:
 *   31..24 opcode   23..20 rd   19..16 ra   15..0 imm (signed), or rb in its low bits */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({
    "id": "example.arch-toy",
    "version": "1.0.0",
    "abi": {"major": 1, "minor": 0},
    "licence": "MIT",
    "provides": [{"interface": "oryx.arch/1", "class": "toy"}]
}));

/* --- state and registers --------------------------------------------------------------------------------------------- */

/* The state block: the core allocates one a vCPU, GET and PUT name bytes of it by offset. */
typedef struct toy_state {
    uint64_t r[8];
    uint64_t pc;
} toy_state;

#define R(n) ((uint32_t)(offsetof(toy_state, r) + 8 * (n)))

/* One row a register: tools list them, embedders find them by name, save and load copy them. */
#define GENERAL(n) { "r" #n, "general", (uint32_t)(offsetof(toy_state, r) + 8 * n), 8, ORYX_REG_INT, ORYX_T_I64, 0, n, 0 }
static const oryx_reg regs[] = {
    GENERAL(0), GENERAL(1), GENERAL(2), GENERAL(3), GENERAL(4), GENERAL(5), GENERAL(6), GENERAL(7),
    { "pc", "general", (uint32_t)offsetof(toy_state, pc), 8, ORYX_REG_INT, ORYX_T_I64, ORYX_REG_IS_PC, 8, 0 },
};

static const char *const modes[] = { "toy", NULL };
static const oryx_cpu_model models[] = { { "toy-1", "the only one ever made", NULL } };

/* The state arrives zeroed and the rows' reset values are zero too, so there is nothing to do. */
static oryx_status toy_reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    (void)cpu;
    (void)model;
    (void)mode;
    (void)err;
    return ORYX_OK;
}

/* Nothing in the state changes how instructions are lifted. (A CPU with, say, two instruction sets would say which.) */
static uint64_t toy_mode_key(oryx_cpu *cpu)
{
    (void)cpu;
    return 0;
}

/* --- instructions ------------------------------------------------------------------------------------------------------ */

/* INSN(name, opcode, operand shape, what it does): enum, names and shapes come from these rows. Opcode 0 is none of them,
 * so that running into zeroed memory is an undefined instruction. */
#define INSNS(INSN)                                             \
    INSN(halt, 1, "",     "stop; pc stays here")                \
    INSN(li,   2, "d,i",  "rd = imm")                           \
    INSN(add,  3, "d,a,b", "rd = ra + rb")                      \
    INSN(sub,  4, "d,a,b", "rd = ra - rb")                      \
    INSN(mul,  5, "d,a,b", "rd = ra * rb")                      \
    INSN(ld,   6, "d,m",  "rd = the 8 bytes at ra + imm")       \
    INSN(st,   7, "d,m",  "the 8 bytes at ra + imm = rd")       \
    INSN(bnz,  8, "a,t",  "go to pc + imm when ra is not 0")    \
    INSN(jal,  9, "d,t",  "rd = pc + 4, go to pc + imm")        \
    INSN(jr,  10, "a",    "go to ra")

enum {
#define INSN(name, opcode, shape, text) OP_##name = opcode,
    INSNS(INSN)
#undef INSN
};

typedef struct fields {
    uint32_t word, op, d, a, b;
    int64_t imm;
    const char *name, *shape; /* NULL: undefined */
} fields;

static fields decode(const uint8_t *bytes)
{
    uint32_t w = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    fields f = { w, w >> 24, w >> 20 & 15, w >> 16 & 15, w & 7, (int16_t)w, NULL, NULL };
    switch (f.op) {
#define INSN(n, opcode, operands, text) \
    case opcode:                        \
        f.name = #n;                    \
        f.shape = operands;             \
        break;
        INSNS(INSN)
#undef INSN
    default:
        break;
    }
    if (f.d > 7 || f.a > 7) /* there are eight registers */
        f.name = f.shape = NULL;
    return f;
}

static oryx_status toy_lift(oryx_lift *l)
{
    if (l->n_bytes < 4)
        return ORYX_NEED_BYTES; /* the core reads the next page, or raises the fetch fault there */
    oryx_ir *ir = l->ir;
    fields f = decode(l->bytes);
    uint64_t next = l->pc + 4, target = l->pc + (uint64_t)f.imm;
    l->len = 4;
    if (!f.name) {
        oryx_raise(ir, ORYX_EXC_UNDEFINED, oryx_const(ir, ORYX_T_I64, f.word), l->pc);
        l->end = 1;
        return ORYX_OK;
    }
    switch (f.op) {
    case OP_halt:
        oryx_raise(ir, ORYX_EXC_HALT, oryx_const(ir, ORYX_T_I64, 0), l->pc);
        l->end = 1;
        break;
    case OP_li:
        oryx_put(ir, ORYX_T_I64, R(f.d), oryx_const(ir, ORYX_T_I64, (uint64_t)f.imm));
        break;
    case OP_add:
    case OP_sub:
    case OP_mul: {
        unsigned op = f.op == OP_add ? ORYX_OP_ADD : f.op == OP_sub ? ORYX_OP_SUB : ORYX_OP_MUL;
        oryx_val a = oryx_get(ir, ORYX_T_I64, R(f.a)), b = oryx_get(ir, ORYX_T_I64, R(f.b));
        oryx_put(ir, ORYX_T_I64, R(f.d), oryx_bin(ir, op, ORYX_T_I64, a, b));
        break;
    }
    case OP_ld:
    case OP_st: {
        oryx_val addr = oryx_bin(ir, ORYX_OP_ADD, ORYX_T_I64, oryx_get(ir, ORYX_T_I64, R(f.a)),
                                 oryx_const(ir, ORYX_T_I64, (uint64_t)f.imm));
        if (f.op == OP_ld)
            oryx_put(ir, ORYX_T_I64, R(f.d), oryx_load(ir, ORYX_T_I64, addr, ORYX_MO_64));
        else
            oryx_store(ir, ORYX_T_I64, addr, oryx_get(ir, ORYX_T_I64, R(f.d)), ORYX_MO_64);
        break;
    }
    case OP_bnz: {
        oryx_val zero = oryx_const(ir, ORYX_T_I64, 0), a = oryx_get(ir, ORYX_T_I64, R(f.a));
        oryx_gotoc(ir, oryx_cmp(ir, ORYX_CC_NE, ORYX_T_I64, a, zero), target, next);
        l->end = 1;
        break;
    }
    case OP_jal:
        oryx_put(ir, ORYX_T_I64, R(f.d), oryx_const(ir, ORYX_T_I64, next));
        oryx_goto(ir, target, 0);
        l->end = 1;
        break;
    case OP_jr:
        oryx_gotoi(ir, oryx_get(ir, ORYX_T_I64, R(f.a)), ORYX_HINT_RETURN);
        l->end = 1;
        break;
    default:
        break;
    }
    return ORYX_OK;
}

/* Append printf text to out->text, which always stays one terminated line. */
#define APPEND(out, ...) \
    snprintf((out)->text + strlen((out)->text), sizeof (out)->text - strlen((out)->text), __VA_ARGS__)

static oryx_status toy_disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out)
{
    (void)mode;
    out->len = 4;
    out->text[0] = 0;
    if (n_bytes < 4)
        return ORYX_NEED_BYTES;
    fields f = decode(bytes);
    if (!f.name) {
        APPEND(out, ".inst\t0x%08x ; undefined", (unsigned)f.word);
        return ORYX_E_FORMAT;
    }
    APPEND(out, "%s%s", f.name, *f.shape ? "\t" : "");
    for (const char *s = f.shape; *s; s++)
        switch (*s) {
        case 'd': APPEND(out, "r%u", (unsigned)f.d); break;
        case 'a': APPEND(out, "r%u", (unsigned)f.a); break;
        case 'b': APPEND(out, "r%u", (unsigned)f.b); break;
        case 'i': APPEND(out, "#%d", (int)f.imm); break;
        case 'm': APPEND(out, "[r%u, #%d]", (unsigned)f.a, (int)f.imm); break;
        case 't': APPEND(out, "0x%" PRIx64, pc + (uint64_t)f.imm); break;
        default: APPEND(out, ", "); break;
        }
    return ORYX_OK;
}

/* --- the plugin ----------------------------------------------------------------------------------------------------------- */

static const oryx_arch_ops ops = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "toy",
    .text = "a toy CPU of ten instructions",
    .state_size = sizeof(toy_state),
    .pc_offset = offsetof(toy_state, pc),
    .regs = regs,
    .reg_stride = sizeof(oryx_reg),
    .n_regs = sizeof regs / sizeof *regs,
    .modes = modes,
    .models = models,
    .model_stride = sizeof(oryx_cpu_model),
    .n_models = 1,
    .insn_align = 4,
    .insn_max = 4,
    .n_mmu_indexes = 1,
    .reset = toy_reset,
    .mode_key = toy_mode_key,
    .lift = toy_lift,
    .disasm = toy_disasm,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ARCH_ID) && !strcmp(cls, "toy") ? &ops : NULL;
}

ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host; /* a frontend needs nothing of the host: it only describes */
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
