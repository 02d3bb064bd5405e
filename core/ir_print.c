/* The IR printer: one op a line, readable SSA, for people and golden tests.
 *
 * Tools and tests call it. Invariant: any op array prints, checked or not; operands print as %N. */
#include <inttypes.h>
#include <string.h>

#include "core.h"

static const char *type_name(unsigned t)
{
    static const char *const names[ORYX_T_COUNT] = { "void", "i1", "i8", "i16", "i32", "i64", "f32", "f64", "v64", "v128", "fl" };
    return t < ORYX_T_COUNT ? names[t] : "?";
}

static const char *pick(const char *const *names, size_t n, uint64_t i)
{
    return i < n ? names[i] : "?";
}

static void print_memop(GString *s, uint32_t mo)
{
    g_string_append_printf(s, " %u%s", 8u << ORYX_MO_SIZE(mo), mo & ORYX_MO_SIGN ? "s" : "");
    if (mo & ORYX_MO_BE)
        g_string_append(s, " be");
    if (ORYX_MO_ALIGN_OF(mo))
        g_string_append_printf(s, " align %u", 1u << ORYX_MO_ALIGN_OF(mo));
    if (mo & ORYX_MO_ACQUIRE)
        g_string_append(s, " acquire");
    if (mo & ORYX_MO_RELEASE)
        g_string_append(s, " release");
    if (mo & ORYX_MO_ATOMIC)
        g_string_append(s, " atomic");
    if (mo & ORYX_MO_USER)
        g_string_append(s, " user");
    if (ORYX_MO_MMU_OF(mo))
        g_string_append_printf(s, " mmu %u", ORYX_MO_MMU_OF(mo));
}

/* The immediate, in words where the op gives it meaning. */
static void print_imm(GString *s, const oryx_ir_op *o)
{
    static const char *const cc[] = { "eq", "ne", "ltu", "leu", "gtu", "geu", "lts", "les", "gts", "ges", "tst", "tstz" };
    static const char *const fl[] = { "add", "adc", "sub", "sbc", "subc", "sbcc", "logic" };
    static const char *const fc[] = { "z", "nz", "c", "nc", "s", "ns", "o", "no", "hi", "ls", "ge", "lt", "gt", "le", "a", "be", "p", "np" };
    static const char *const rmw[] = { "swap", "add", "and", "andn", "or", "xor", "mins", "maxs", "minu", "maxu" };
    uint64_t pair = (uint64_t)o->c << 32 | o->b;
    switch (o->op) {
    case ORYX_OP_INSN:
        g_string_append_printf(s, " 0x%" PRIx64 " len %u", o->imm, o->a);
        break;
    case ORYX_OP_LABEL:
    case ORYX_OP_BR:
    case ORYX_OP_BRC:
        g_string_append_printf(s, " L%" PRIu64, o->imm);
        break;
    case ORYX_OP_CONST:
    case ORYX_OP_GET:
    case ORYX_OP_PUT:
        g_string_append_printf(s, " 0x%" PRIx64, o->imm);
        break;
    case ORYX_OP_VCONST:
        g_string_append_printf(s, " 0x%016" PRIx64 "%016" PRIx64, pair, o->imm);
        break;
    case ORYX_OP_CMP:
    case ORYX_OP_VCMP:
    case ORYX_OP_VFCMP:
        g_string_append_printf(s, " %s", pick(cc, G_N_ELEMENTS(cc), o->imm));
        break;
    case ORYX_OP_FLMAKE:
        g_string_append_printf(s, " %s", pick(fl, G_N_ELEMENTS(fl), o->imm));
        break;
    case ORYX_OP_FLCOND:
        g_string_append_printf(s, " %s", pick(fc, G_N_ELEMENTS(fc), o->imm));
        break;
    case ORYX_OP_RMW:
        g_string_append_printf(s, " %s", pick(rmw, G_N_ELEMENTS(rmw), o->imm >> 32));
        print_memop(s, (uint32_t)o->imm);
        break;
    case ORYX_OP_LOAD:
    case ORYX_OP_STORE:
    case ORYX_OP_CAS:
    case ORYX_OP_LDX:
    case ORYX_OP_STX:
        print_memop(s, (uint32_t)o->imm);
        break;
    case ORYX_OP_UBFX:
    case ORYX_OP_SBFX:
    case ORYX_OP_BFI:
        g_string_append_printf(s, " [%u +%u]", (unsigned)(o->imm & 255), (unsigned)(o->imm >> 8));
        break;
    case ORYX_OP_GOTO:
        g_string_append_printf(s, " 0x%" PRIx64 " slot %u", o->imm, o->a);
        break;
    case ORYX_OP_GOTOC:
        g_string_append_printf(s, " 0x%" PRIx64 " : 0x%" PRIx64, o->imm, pair);
        break;
    case ORYX_OP_RESYNC:
        g_string_append_printf(s, " 0x%" PRIx64, o->imm);
        break;
    case ORYX_OP_BLOCK:
        g_string_append_printf(s, " 0x%" PRIx64 " insns %u%s%s%s", o->imm, o->a, o->b & ORYX_BLOCK_CHECK ? " check" : "",
                               o->b & ORYX_BLOCK_RETURN ? " return" : "", o->b & ORYX_BLOCK_LEAVES ? " leaves" : "");
        break;
    case ORYX_OP_RAISE:
        g_string_append_printf(s, " \"%s\" pc 0x%" PRIx64, oryx_exc_text((uint32_t)(o->imm & 65535)), pair);
        break;
    case ORYX_OP_CALL:
        g_string_append_printf(s, " #%" PRIu64, o->imm);
        break;
    case ORYX_OP_ARGS:
    case ORYX_OP_FNEG:
        break;
    default:
        if (o->imm)
            g_string_append_printf(s, " #%" PRIu64, o->imm);
        break;
    }
}

static void print_op(GString *s, const oryx_ir *ir, oryx_val i)
{
    const oryx_ir_op *o = &ir->ops[i];
    if (o->op >= ORYX_OP_COUNT) {
        g_string_append_printf(s, "  op %u?\n", o->op);
        return;
    }
    const oryx_ir_info *info = &oryx__ir_info[o->op];
    char name[16];
    g_strlcpy(name, info->name, sizeof(name));
    for (char *p = name; *p; p++)
        *p = g_ascii_tolower(*p);
    unsigned result = oryx__ir_type(ir, i);
    if (o->op != ORYX_OP_INSN && o->op != ORYX_OP_LABEL && o->op != ORYX_OP_BLOCK)
        g_string_append(s, "  ");
    if (result)
        g_string_append_printf(s, "%%%u = ", i);
    g_string_append(s, name);
    if (o->type) {
        g_string_append_printf(s, ".%s", type_name(o->type));
        if (o->lane && o->lane != o->type)
            g_string_append_printf(s, ".%s", type_name(o->lane));
    }
    print_imm(s, o);
    oryx_val v[8] = { o->a, o->b, o->c, (oryx_val)o->imm, (oryx_val)(o->imm >> 32) };
    size_t n = o->op == ORYX_OP_ARGS ? 5 : strlen(info->sig) - 1;
    const char *between = " ";
    for (size_t k = 0; k < n && k < 5; k++) {
        if (!v[k] && (o->op == ORYX_OP_CALL || o->op == ORYX_OP_ARGS || o->op == ORYX_OP_FLMAKE))
            continue;
        g_string_append_printf(s, "%s%%%u", between, v[k]);
        between = ", ";
    }
    g_string_append_c(s, '\n');
}

char *oryx__ir_print(const oryx_ir *ir)
{
    GString *s = g_string_new(NULL);
    for (oryx_val i = 1; i < ir->n; i++)
        if (ir->ops[i].op != ORYX_OP_NOP)
            print_op(s, ir, i);
    return g_string_free(s, FALSE);
}
