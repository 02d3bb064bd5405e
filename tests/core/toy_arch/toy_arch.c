/* Frontend "toy" (oryx.arch/1) of the core's tests: the smallest ISA that reaches every path of run.c and translate.c.
 * The core loads it through the plugin host like any other. Invariant: it keeps no state but the state block. */
#include <stdio.h>
#include <string.h>

#include "toy.h"
#include "toy_plugin.h"

#define R(n, i) { .name = n, .group = "general", .offset = (i) * 8, .size = 8, .kind = ORYX_REG_INT, .type = ORYX_T_I64, .gdb = (i) }
static const oryx_reg regs[] = {
    R("r0", 0), R("r1", 1), R("r2", 2), R("r3", 3), R("r4", 4), R("r5", 5), R("r6", 6), R("r7", 7),
    R("r8", 8), R("r9", 9), R("r10", 10), R("r11", 11), R("r12", 12), R("r13", 13), R("r14", 14), R("r15", 15),
    { .name = "pc", .group = "general", .offset = TOY_PC, .size = 8, .type = ORYX_T_I64, .flags = ORYX_REG_IS_PC, .gdb = 16 },
    { .name = "mode", .group = "system", .offset = TOY_MODE_AT, .size = 8, .type = ORYX_T_I64, .gdb = -1 },
    { .name = "w0", .group = "general", .size = 4, .type = ORYX_T_I32, .flags = ORYX_REG_COMPUTED | ORYX_REG_ALIAS, .gdb = -1 },
    { .name = "id", .group = "system", .offset = 0, .size = 8, .type = ORYX_T_I64, .flags = ORYX_REG_READONLY, .gdb = -1 },
};
#define REG_W0 18

static uint64_t mul3(oryx_cpu *cpu, uint64_t a)
{
    (void)cpu;
    return a * 3;
}

static const oryx_helper helpers[] = { { "toy_mul3", "u64(vcpu,u64)", "P", (void (*)(void))mul3 } };

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    (void)model;
    (void)mode;
    (void)err;
    memset(cpu->state, 0, TOY_STATE);
    return ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    uint64_t mode;
    memcpy(&mode, cpu->state + TOY_MODE_AT, 8);
    return mode;
}

static oryx_status lift(oryx_lift *l)
{
    oryx_ir *ir = l->ir;
    const uint8_t *b = l->bytes;
    uint32_t len = b[0] & 0x80 ? 4 : 2;
    if (l->n_bytes < len)
        return ORYX_NEED_BYTES;
    uint32_t rd = (uint32_t)(b[1] >> 4) * 8, rs = (uint32_t)(b[1] & 15) * 8;
    int64_t imm = len == 4 ? (int16_t)(b[2] | b[3] << 8) : 0;
    uint64_t next = l->pc + len, target = l->pc + (uint64_t)(2 * imm);
    unsigned t = ORYX_T_I64;
    l->len = len;
    switch (b[0]) {
    case TOY_NOP:
        break;
    case TOY_ADD:
        oryx_put(ir, t, rd, oryx_bin(ir, ORYX_OP_ADD, t, oryx_get(ir, t, rd), oryx_get(ir, t, rs)));
        break;
    case TOY_SUB:
        oryx_put(ir, t, rd, oryx_bin(ir, ORYX_OP_SUB, t, oryx_get(ir, t, rd), oryx_get(ir, t, rs)));
        break;
    case TOY_MOV:
        oryx_put(ir, t, rd, oryx_get(ir, t, rs));
        break;
    case TOY_LOAD: {
        oryx_val v = oryx_load(ir, t, oryx_get(ir, t, rs), ORYX_MO_64);
        oryx_put(ir, t, rd, v);
        break;
    }
    case TOY_STORE:
        oryx_store(ir, t, oryx_get(ir, t, rs), oryx_get(ir, t, rd), ORYX_MO_64);
        break;
    case TOY_STORE8:
        oryx_store(ir, t, oryx_get(ir, t, rs), oryx_get(ir, t, rd), ORYX_MO_8);
        break;
    case TOY_PAIR: {
        oryx_val a = oryx_get(ir, t, rs), v = oryx_get(ir, t, rd);
        oryx_store(ir, t, a, v, ORYX_MO_64);
        oryx_store(ir, t, oryx_bin(ir, ORYX_OP_ADD, t, a, oryx_const(ir, t, 4096)), v, ORYX_MO_64);
        break;
    }
    case TOY_JR:
        oryx_gotoi(ir, oryx_get(ir, t, rs), ORYX_HINT_JUMP);
        l->end = 1;
        break;
    case TOY_SYS:
        oryx_raise(ir, ORYX_EXC_SYSCALL, oryx_const(ir, t, rs / 8), next);
        l->end = 1;
        break;
    case TOY_HALT:
        oryx_raise(ir, ORYX_EXC_HALT, oryx_const(ir, t, 0), l->pc);
        l->end = 1;
        break;
    case TOY_BRK:
        oryx_raise(ir, ORYX_EXC_BREAKPOINT, oryx_const(ir, t, rs / 8), l->pc);
        l->end = 1;
        break;
    case TOY_HELP: {
        oryx_val a = oryx_get(ir, t, rd);
        oryx_val r = oryx_call(ir, l->helper_base, t, &a, 1);
        oryx_put(ir, t, rd, oryx_bin(ir, ORYX_OP_ADD, t, r, oryx_get(ir, t, rs)));
        break;
    }
    case TOY_FLIP:
        oryx_put(ir, t, TOY_MODE_AT, oryx_bin(ir, ORYX_OP_XOR, t, oryx_get(ir, t, TOY_MODE_AT), oryx_const(ir, t, 1)));
        oryx_resync(ir, next);
        l->end = 1;
        break;
    case TOY_MAX:
        oryx_brc(ir, oryx_cmp(ir, ORYX_CC_GEU, t, oryx_get(ir, t, rd), oryx_get(ir, t, rs)), 0);
        oryx_put(ir, t, rd, oryx_get(ir, t, rs));
        oryx_label(ir, 0);
        break;
    case TOY_MODE:
        oryx_put(ir, t, rd, oryx_const(ir, t, l->mode));
        break;
    case TOY_MOVI:
        oryx_put(ir, t, rd, oryx_const(ir, t, (uint64_t)imm & 0xffff));
        break;
    case TOY_ADDI:
        oryx_put(ir, t, rd, oryx_bin(ir, ORYX_OP_ADD, t, oryx_get(ir, t, rd), oryx_const(ir, t, (uint64_t)imm)));
        break;
    case TOY_B:
        oryx_goto(ir, target, 0);
        l->end = 1;
        break;
    case TOY_BNZ:
        oryx_gotoc(ir, oryx_cmp(ir, ORYX_CC_NE, t, oryx_get(ir, t, rd), oryx_const(ir, t, 0)), target, next);
        l->end = 1;
        break;
    default:
        oryx_raise(ir, ORYX_EXC_UNDEFINED, oryx_const(ir, t, b[0]), l->pc);
        l->end = 1;
        break;
    }
    return ORYX_OK;
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    if (reg != REG_W0)
        return ORYX_E_NOTFOUND;
    memcpy(buf, cpu->state, 4);
    return ORYX_OK;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    if (reg != REG_W0)
        return ORYX_E_NOTFOUND;
    memset(cpu->state, 0, 8);
    memcpy(cpu->state, buf, 4);
    return ORYX_OK;
}

static oryx_status disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n, oryx_disasm *out)
{
    (void)pc;
    (void)mode;
    out->len = bytes[0] & 0x80 ? 4 : 2;
    if (n < out->len)
        return ORYX_NEED_BYTES;
    snprintf(out->text, sizeof(out->text), "op%02x\tr%u, r%u", bytes[0], bytes[1] >> 4, bytes[1] & 15);
    return ORYX_OK;
}

static const char *const modes[] = { "plain", "flipped", NULL };
static const oryx_cpu_model models[] = { { "toy1", "the first toy", NULL }, { "toy2", "the second toy", NULL } };

const oryx_arch_ops toy_arch = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "toy",
    .text = "toy architecture of the core's tests",
    .state_size = TOY_STATE,
    .pc_offset = TOY_PC,
    .regs = regs,
    .reg_stride = sizeof(oryx_reg),
    .n_regs = sizeof(regs) / sizeof(regs[0]),
    .modes = modes,
    .models = models,
    .model_stride = sizeof(oryx_cpu_model),
    .n_models = 2,
    .helpers = helpers,
    .helper_stride = sizeof(oryx_helper),
    .n_helpers = 1,
    .insn_align = 2,
    .insn_max = 4,
    .n_mmu_indexes = 1,
    .reset = reset,
    .mode_key = mode_key,
    .lift = lift,
    .reg_read = reg_read,
    .reg_write = reg_write,
    .disasm = disasm,
};
