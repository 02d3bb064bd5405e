/* Identification registers and FPSCR of class "arm".
 *
 * Called by a32.c (register reads and writes), a32_cp15.c and vfp_move.c. An ID register shows a feature exactly when the model has
 * it. Invariant: cpu->fp.flags is the only home of FPSCR's sticky bits, a32_state.fpscr of its control bits. */
#include "a32_sys.h"
#include "arm_fp.h"

static uint32_t field(uint32_t features, uint32_t feature, unsigned shift, uint32_t value)
{
    return features & feature ? value << shift : 0;
}

uint32_t a32_id_register(const a32_model *model, unsigned id)
{
    uint32_t f = model->features;
    switch (id) {
    case A32_MIDR:
        return model->midr;
    case A32_FPSID:
        return model->fpsid;
    case A32_MVFR0: /* registers, single, double, no traps, divide, square root, (no) short vectors, all roundings */
        return (f & A32_FEAT_D32 ? 2 : 1) | (f & A32_FEAT_VFP3 ? 0x220 : 0x110) | 0x10110000 |
               (f & A32_FEAT_VFP3 ? 0 : 0x01000000);
    case A32_MVFR1: /* flush and NaN choice, AdvSIMD, half precision, fused multiply-add */
        return field(f, A32_FEAT_VFP3, 0, 0x11) | field(f, A32_FEAT_NEON, 8, 0x111) |
               (f & A32_FEAT_NEON ? field(f, A32_FEAT_HALF, 20, 1) : 0) |
               field(f, A32_FEAT_HALF, 24, f & A32_FEAT_V8FP ? 2 : 1) | field(f, A32_FEAT_VFP4, 28, 1);
    case A32_MVFR2:
        return field(f, A32_FEAT_V8FP, 0, 0x43);
    case A32_ISAR0: /* divide, debug, coprocessor none, compare and branch, bit field, bit count, swap */
        return (f & A32_FEAT_IDIV ? 2u << 24 : 0) | field(f, A32_FEAT_V5, 20, 1) | field(f, A32_FEAT_T2, 12, 1) |
               field(f, A32_FEAT_T2, 8, 1) | field(f, A32_FEAT_V5, 4, 1) | (f & A32_FEAT_V8 ? 0 : 1);
    case A32_ISAR5: /* SEVL, AES with PMULL, SHA1, SHA2, CRC32, RDM, VCMA */
        return field(f, A32_FEAT_V8, 0, 1) | field(f, A32_FEAT_AES, 4, 2) | field(f, A32_FEAT_SHA1, 8, 1) |
               field(f, A32_FEAT_SHA256, 12, 1) | field(f, A32_FEAT_CRC32, 16, 1) | field(f, A32_FEAT_RDM, 24, 1) |
               field(f, A32_FEAT_FCMA, 28, 1);
    case A32_ISAR6:
        return field(f, A32_FEAT_JSCVT, 0, 1) | field(f, A32_FEAT_DOTPROD, 4, 1);
    default:
        return 0;
    }
}

uint32_t a32_fpscr_read(const oryx_cpu *cpu)
{
    const a32_state *s = (const a32_state *)(const void *)cpu->state;
    return s->fpscr | arm_fpsr_from_flags(cpu->fp.flags) | arm_nzcv_from_packed(s->fpflags);
}

void a32_fpscr_write(oryx_cpu *cpu, uint32_t v)
{
    a32_state *s = (a32_state *)(void *)cpu->state;
    s->fpscr = v & A32_FPSCR_CONTROL;
    s->fpflags = arm_packed_from_nzcv(v);
    cpu->fp.flags = arm_flags_from_fpsr(v);
    arm_fpenv_apply(cpu, v);
}

/* Rows of kind ID, and reset values: the model's column, with what its features decide. */
uint32_t a32_cp_id(const oryx_cpu *cpu, unsigned row)
{
    const a32_model *m = a32_model_of(cpu);
    const a32_state *s = (const a32_state *)(const void *)cpu->state;
    uint32_t v = 0;
    switch (row) {
#define ID(name, ...)                                        \
    case CP_##name: {                                        \
        static const uint32_t values[] = { __VA_ARGS__ };    \
        v = values[m->column < 7 ? m->column : 6];           \
        break;                                               \
    }
#include "a32_cp15_id.def"
#undef ID
    default: return 0;
    }
    switch (row) {
    case CP_id_isar5: return m->features & A32_FEAT_V6 ? a32_id_register(m, A32_ISAR5) : 0;
    case CP_id_isar6: return a32_id_register(m, A32_ISAR6);
    case CP_id_pfr1: /* the Security Extensions, where the mode has them */
        return m->features & A32_FEAT_SEC && m->features & A32_FEAT_V6 ? (v & ~0xf0u) | (s->system.tz ? 0x10 : 0) : v;
    case CP_mpidr: return m->features & A32_FEAT_MP ? v : m->features & A32_FEAT_V7 ? 0 : v;
    default: return v;
    }
}
