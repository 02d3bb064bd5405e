/* The A64 frontend as a plugin: registers, reset, lifting, disassembly, and the entry point.
 *
 * Called by the core through oryx_arch_ops. The frontend keeps no state but the vCPU's state block. */
#include <stdio.h>
#include <string.h>

#include "a64_text.h"
#include "helper/oryx_manifest.h"

const oryx_host *a64_host;
const void *a32_arch(void); /* a32.c: the class "arm" */

/* --- Registers ------------------------------------------------------------------------------------------ */

enum {
#define REG(name, ...) REG_##name,
#define IDREG(name, id) REG_##name,
#include "regs.def"
#undef REG
#undef IDREG
};

static const oryx_reg regs[] = {
#define REG(name, group, offset, size, kind, type, flags, gdb, reset) \
    { #name, group, offset, size, ORYX_REG_##kind, ORYX_T_##type, flags, gdb, reset },
#define IDREG(name, id) \
    { #name, "system", 0, 8, ORYX_REG_SYSTEM, ORYX_T_I64, ORYX_REG_COMPUTED | ORYX_REG_READONLY, -1, 0 },
#include "regs.def"
#undef REG
#undef IDREG
};

static const a64_model *model_of(const oryx_cpu *cpu)
{
    uint32_t n = ((const a64_state *)(const void *)cpu->state)->model;
    return &a64_models[n < a64_model_count() ? n : 0];
}

static oryx_status reg_read(oryx_cpu *cpu, uint32_t reg, void *buf)
{
    const a64_state *s = (const a64_state *)(const void *)cpu->state;
    uint32_t v;
    uint64_t id;
    switch (reg) {
    case REG_nzcv: v = a64_nzcv_from_packed(s->flags); break;
    case REG_fpsr: v = a64_fpsr_from_flags(cpu->fp.flags); break;
    case REG_fpcr: v = s->fpcr; break;
#define REG(...)
#define IDREG(name, id_)                         \
    case REG_##name:                             \
        id = a64_id_register(model_of(cpu), id_); \
        memcpy(buf, &id, sizeof id);             \
        return ORYX_OK;
#include "regs.def"
#undef REG
#undef IDREG
    default: return ORYX_E_NOTFOUND;
    }
    memcpy(buf, &v, sizeof v);
    return ORYX_OK;
}

static oryx_status reg_write(oryx_cpu *cpu, uint32_t reg, const void *buf)
{
    a64_state *s = (a64_state *)(void *)cpu->state;
    uint32_t v;
    if (reg != REG_nzcv && reg != REG_fpsr && reg != REG_fpcr)
        return reg < sizeof regs / sizeof regs[0] && regs[reg].flags & ORYX_REG_READONLY ? ORYX_E_PERM : ORYX_E_NOTFOUND;
    memcpy(&v, buf, sizeof v);
    if (reg == REG_nzcv) {
        s->flags = a64_packed_from_nzcv(v);
    } else if (reg == REG_fpsr) {
        cpu->fp.flags = a64_flags_from_fpsr(v);
    } else {
        s->fpcr = v & (A64_FPCR_MASK | A64_FPCR_FZ16);
        a64_fpcr_apply(cpu);
    }
    return ORYX_OK;
}

/* --- Reset, mode ------------------------------------------------------------------------------------------- */

static oryx_cpu_model models[8];
static const char *const modes[] = { "a64", NULL };

static oryx_status reset(oryx_cpu *cpu, const oryx_cpu_model *model, const char *mode, oryx_error *err)
{
    if (mode && strcmp(mode, modes[0])) {
        if (err) {
            err->code = ORYX_E_NOTFOUND;
            snprintf(err->text, sizeof err->text, "arm64 has no mode '%.64s'; use a64", mode);
        }
        return ORYX_E_NOTFOUND;
    }
    if (model && model->data)
        ((a64_state *)(void *)cpu->state)->model = (uint32_t)((const a64_model *)model->data - a64_models);
    cpu->fp.flags = 0;
    a64_fpcr_apply(cpu);
    return ORYX_OK;
}

static uint64_t mode_key(oryx_cpu *cpu)
{
    a64_fpcr_apply(cpu);
    return A64_MODE_FPCR(((const a64_state *)(const void *)cpu->state)->fpcr);
}

/* --- Lifting, disassembly ------------------------------------------------------------------------------------ */

static uint32_t word_at(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static oryx_status lift(oryx_lift *in)
{
    const a64_model *model = in->model && in->model->data ? in->model->data : &a64_models[0];
    a64_lift l = { .ir = in->ir, .pc = in->pc, .mode = in->mode, .helper_base = in->helper_base,
                   .features = a64_features(model), .model = model };
    a64_fields f;
    in->len = 4;
    if (in->pc & 3) {
        oryx_raise(in->ir, ORYX_EXC_PC_ALIGN, a64_imm(&l, ORYX_T_I64, 0), in->pc);
        in->end = 1;
        return in->ir->error;
    }
    if (in->n_bytes < 4)
        return ORYX_NEED_BYTES;
    l.insn = word_at(in->bytes);
    const a64_row *row = a64_decode(l.insn, &f);
    if (row && l.features & row->feature)
        row->lift(&l, &f);
    else
        a64_undefined(&l);
    in->end = l.end;
    return in->ir->error;
}

static oryx_status disasm(uint64_t pc, uint64_t mode, const uint8_t *bytes, uint32_t n_bytes, oryx_disasm *out)
{
    a64_fields f;
    a64_text t = { out->text, out->text + sizeof out->text, pc, 0 };
    (void)mode;
    if (n_bytes < 4)
        return ORYX_NEED_BYTES;
    uint32_t word = word_at(bytes);
    const a64_row *row = a64_decode(word, &f);
    out->len = 4;
    out->text[0] = 0;
    if (row && row->text(&t, &f))
        return ORYX_OK;
    snprintf(out->text, sizeof out->text, ".inst\t0x%08x ; undefined", word);
    return ORYX_E_FORMAT;
}

/* --- Helpers ---------------------------------------------------------------------------------------------------- */

/* The table holds untyped code pointers and each row's signature says how to call it, so the true types are not
 * needed here; the definitions are in a64_helpers.c, a64_fp_helpers.c and a64_crypto_helpers.c. */
#define HELPER(name, signature, effects) extern void a64_helper_##name(void);
#include "a64_helpers.def"
#undef HELPER

static const oryx_helper helpers[] = {
#define HELPER(name, signature, effects) { "a64_" #name, signature, effects, a64_helper_##name },
#include "a64_helpers.def"
#undef HELPER
};

/* --- The plugin ---------------------------------------------------------------------------------------------------- */

static oryx_arch_ops ops = {
    .hdr = ORYX_HDR(oryx_arch_ops),
    .name = "arm64",
    .text = "Arm AArch64, A64 instruction set at EL0",
    .state_size = sizeof(a64_state),
    .pc_offset = offsetof(a64_state, pc),
    .regs = regs,
    .reg_stride = sizeof(oryx_reg),
    .n_regs = sizeof regs / sizeof regs[0],
    .modes = modes,
    .models = models,
    .model_stride = sizeof(oryx_cpu_model),
    .helpers = helpers,
    .helper_stride = sizeof(oryx_helper),
    .n_helpers = sizeof helpers / sizeof helpers[0],
    .insn_align = 4,
    .insn_max = 4,
    .n_mmu_indexes = 1,
    .reset = reset,
    .mode_key = mode_key,
    .lift = lift,
    .reg_read = reg_read,
    .reg_write = reg_write,
    .disasm = disasm,
};

static const void *get(const char *interface, const char *cls)
{
    if (strcmp(interface, ORYX_ARCH_ID))
        return NULL;
    return !strcmp(cls, "arm64") ? &ops : !strcmp(cls, "arm") ? a32_arch() : NULL;
}

static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };

ORYX_MANIFEST("{\"id\": \"arch-arm\", \"version\": \"0.1.0\", \"abi\": {\"major\": 1, \"minor\": 0}, \"licence\": \"MIT\","
              " \"text\": \"Arm AArch64 and AArch32 frontends\","
              " \"provides\": [{\"interface\": \"oryx.arch/1\", \"class\": \"arm64\"},"
              " {\"interface\": \"oryx.arch/1\", \"class\": \"arm\"}]}");

oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    (void)err;
    a64_host = (const oryx_host *)(const void *)host;
    for (ops.n_models = 0; ops.n_models < a64_model_count(); ops.n_models++) {
        const a64_model *m = &a64_models[ops.n_models];
        models[ops.n_models] = (oryx_cpu_model){ m->name, m->text, m };
    }
    *out = &plugin;
    return ORYX_OK;
}
