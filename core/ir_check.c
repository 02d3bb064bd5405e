/* The IR checker: refuses a block that an engine could not execute faithfully, saying which op breaks which rule.
 *
 * translate.c runs it on every block in debug builds and on a sample in release builds, before simplification; tests and
 * tools on any block. Rules come from the columns of oryx_ir.def plus the few per-op rules below. Invariant: a block that
 * passes has every operand defined before use in its own straight line, every offset inside the state block, and ends on
 * every path. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "core.h"

static const char *const type_names[ORYX_T_COUNT] = { "void", "i1", "i8", "i16", "i32", "i64", "f32", "f64", "v64", "v128", "fl" };

typedef struct ctx {
    const oryx_ir *ir;
    const oryx_arch_ops *arch;
    oryx_error *err;
    oryx_val i;              /* op being checked */
    oryx_val line;           /* first op of the straight line: earlier values are dead */
    oryx_val insn;           /* the INSN that opened the instruction, 0 before the first */
    uint8_t local_type[64];  /* of locals put in this instruction, VOID: not put */
    /* Labels: op index where placed, instruction of the first branch. */
    oryx_val placed[256], wanted[256];
    oryx_val want_insn[256], place_insn[256];
} ctx;

static const char *op_name(unsigned op)
{
    return op < ORYX_OP_COUNT ? oryx__ir_info[op].name : "?";
}

static oryx_status fail(ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static oryx_status fail(ctx *c, const char *fmt, ...)
{
    char what[320];
    va_list ap;
    va_start(ap, fmt);
    g_vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    const oryx_ir_op *o = &c->ir->ops[c->i];
    return oryx__error(c->err, ORYX_E_IR, "IR of the block at 0x%" PRIx64 ", op %u (%s): %s", c->ir->pc, c->i, op_name(o->op), what);
}

static bool is_int(unsigned t)
{
    return t >= ORYX_T_I8 && t <= ORYX_T_I64;
}

static bool is_fp(unsigned t)
{
    return t == ORYX_T_F32 || t == ORYX_T_F64;
}

static bool is_vec(unsigned t)
{
    return t == ORYX_T_V64 || t == ORYX_T_V128;
}

static bool type_in(unsigned t, const char *set)
{
    for (; *set; set++) {
        switch (*set) {
        case 'i':
            if (is_int(t))
                return true;
            break;
        case 'b':
            if (t == ORYX_T_I1)
                return true;
            break;
        case 's':
            if (is_fp(t))
                return true;
            break;
        case 'v':
            if (is_vec(t))
                return true;
            break;
        case 'f':
            if (t == ORYX_T_FL)
                return true;
            break;
        case '-':
            if (t == ORYX_T_VOID)
                return true;
            break;
        }
    }
    return false;
}

/* Operand v (named a, b, c) exists and has type `want`; VOID: any. */
static oryx_status operand(ctx *c, char name, oryx_val v, unsigned want)
{
    if (v == 0)
        return fail(c, "operand %c is missing", name);
    if (v >= c->i)
        return fail(c, "operand %c is %u, which comes later: values are defined before use", name, v);
    unsigned t = oryx__ir_type(c->ir, v);
    if (t == ORYX_T_VOID)
        return fail(c, "operand %c is %u (%s), which makes no value", name, v, op_name(c->ir->ops[v].op));
    if (v < c->line)
        return fail(c, "operand %c is %u, made before a label: put it in a local to carry it across", name, v);
    if (want != ORYX_T_VOID && t != want)
        return fail(c, "operand %c is %u of type %s, want %s", name, v, type_names[t], type_names[want]);
    return ORYX_OK;
}

/* The type a signature letter asks for; the few ops whose letters cannot say it are spelt out. */
static unsigned letter_type(const oryx_ir_op *o, char letter, char name)
{
    switch (o->op) {
    case ORYX_OP_VLOW:
    case ORYX_OP_VHIGH:
        return ORYX_T_V128;
    case ORYX_OP_VCAT:
        return ORYX_T_V64;
    case ORYX_OP_TBL:
        return name == 'a' ? ORYX_T_V128 : o->type;
    default:
        break;
    }
    switch (letter) {
    case 'T':
        return o->type;
    case 'L':
        return o->lane;
    case 'b':
        return ORYX_T_I1;
    case 'a':
    case 'w':
        return ORYX_T_I64;
    case 'f':
        return ORYX_T_FL;
    case 'n':
        return ORYX_T_I32;
    default:
        return ORYX_T_VOID;
    }
}

static bool lane_is_bits(unsigned op)
{
    switch (op) {
    case ORYX_OP_AND:
    case ORYX_OP_OR:
    case ORYX_OP_XOR:
    case ORYX_OP_ANDN:
    case ORYX_OP_ORN:
    case ORYX_OP_NOT:
    case ORYX_OP_BITSEL:
    case ORYX_OP_SELECT:
    case ORYX_OP_GET:
    case ORYX_OP_PUT:
    case ORYX_OP_LGET:
    case ORYX_OP_LPUT:
    case ORYX_OP_LOAD:
    case ORYX_OP_STORE:
    case ORYX_OP_CAS:
    case ORYX_OP_LDX:
    case ORYX_OP_STX:
    case ORYX_OP_CALL:
    case ORYX_OP_VCONST:
    case ORYX_OP_VLOW:
    case ORYX_OP_VHIGH:
    case ORYX_OP_VCAT:
    case ORYX_OP_VEXT:
    case ORYX_OP_TBL:
        return true;
    default:
        return false;
    }
}

static bool is_vec_lane(unsigned t)
{
    return is_int(t) || is_fp(t);
}

static unsigned bits(unsigned t)
{
    return t == ORYX_T_I1 ? 1 : oryx_type_size(t) * 8;
}

static oryx_status check_lane(ctx *c, const oryx_ir_op *o)
{
    if (is_vec(o->type) && !lane_is_bits(o->op) && o->op != ORYX_OP_BITCAST && !is_vec_lane(o->lane))
        return fail(c, "lane is %s, want an element type i8..i64, f32 or f64", type_names[o->lane]);
    switch (o->op) {
    case ORYX_OP_ZEXT:
    case ORYX_OP_SEXT:
        if ((o->lane != ORYX_T_I1 && !is_int(o->lane)) || bits(o->lane) >= bits(o->type))
            return fail(c, "extends %s to %s: the source must be a narrower integer", type_names[o->lane], type_names[o->type]);
        break;
    case ORYX_OP_TRUNC:
        if (!is_int(o->lane) || bits(o->lane) <= bits(o->type))
            return fail(c, "cuts %s to %s: the source must be a wider integer", type_names[o->lane], type_names[o->type]);
        break;
    case ORYX_OP_BITCAST:
        if (oryx_type_size(o->lane) != oryx_type_size(o->type) || o->lane == ORYX_T_I1 || o->lane == ORYX_T_FL)
            return fail(c, "casts %s to %s: sizes must be equal", type_names[o->lane], type_names[o->type]);
        break;
    case ORYX_OP_CMP:
        if (!is_int(o->lane) && o->lane != ORYX_T_I1)
            return fail(c, "compares %s: lane must be an integer", type_names[o->lane]);
        break;
    case ORYX_OP_FLMAKE:
        if (!is_int(o->lane))
            return fail(c, "lane is %s: flags are made of integers", type_names[o->lane]);
        break;
    case ORYX_OP_FLFCMP:
        if (!is_fp(o->lane))
            return fail(c, "lane is %s, want f32 or f64", type_names[o->lane]);
        break;
    case ORYX_OP_FTOI:
        if (!is_fp(o->lane) || (o->type != ORYX_T_I32 && o->type != ORYX_T_I64))
            return fail(c, "%s to %s: want f32 or f64 to i32 or i64", type_names[o->lane], type_names[o->type]);
        break;
    case ORYX_OP_ITOF:
        if (o->lane != ORYX_T_I32 && o->lane != ORYX_T_I64)
            return fail(c, "lane is %s, want i32 or i64", type_names[o->lane]);
        break;
    case ORYX_OP_FCVT:
        if (o->lane == o->type || (!is_fp(o->lane) && o->lane != ORYX_T_I16))
            return fail(c, "%s to %s: want different ones of i16 (half), f32, f64", type_names[o->lane], type_names[o->type]);
        break;
    case ORYX_OP_WIDEN:
    case ORYX_OP_NARROW:
    case ORYX_OP_MULW:
    case ORYX_OP_PMULW:
        if (o->type != ORYX_T_V128)
            return fail(c, "type is %s, want v128", type_names[o->type]);
        break;
    default:
        break;
    }
    return ORYX_OK;
}

static oryx_status check_state(ctx *c, uint64_t offset, unsigned size)
{
    if (offset + size < offset || (c->arch && offset + size > c->arch->state_size))
        return fail(c, "offset 0x%" PRIx64 " with %u bytes lies outside the state block of %u bytes", offset, size,
                    c->arch ? c->arch->state_size : 0);
    return ORYX_OK;
}

static oryx_status check_memop(ctx *c, const oryx_ir_op *o)
{
    uint32_t mo = (uint32_t)o->imm;
    unsigned bytes = 1u << ORYX_MO_SIZE(mo);
    if (ORYX_MO_SIZE(mo) > ORYX_MO_128)
        return fail(c, "memop 0x%x: size code %u, want 0..4", mo, ORYX_MO_SIZE(mo));
    if (bytes > oryx_type_size(o->type))
        return fail(c, "memop 0x%x moves %u bytes, more than type %s holds", mo, bytes, type_names[o->type]);
    if (mo & ORYX_MO_SIGN && (o->op != ORYX_OP_LOAD || !is_int(o->type)))
        return fail(c, "memop 0x%x: only an integer LOAD sign-extends", mo);
    if (ORYX_MO_MMU_OF(mo) >= ORYX_MMU_INDEXES)
        return fail(c, "memop 0x%x: mmu index %u, want 0..%d", mo, ORYX_MO_MMU_OF(mo), ORYX_MMU_INDEXES - 1);
    if (o->op == ORYX_OP_RMW && o->imm >> 32 > ORYX_RMW_MAXU)
        return fail(c, "unknown atomic operation %" PRIu64, o->imm >> 32);
    return ORYX_OK;
}

/* Ranges of immediates. */
static oryx_status check_imm(ctx *c, const oryx_ir_op *o)
{
    unsigned width = bits(o->type), pos = (unsigned)(o->imm & 255), len = (unsigned)(o->imm >> 8);
    switch (o->op) {
    case ORYX_OP_UBFX:
    case ORYX_OP_SBFX:
    case ORYX_OP_BFI:
        if (o->imm >> 16 || !len || pos + len > width)
            return fail(c, "bits [%u, +%u) do not fit in %s", pos, len, type_names[o->type]);
        break;
    case ORYX_OP_FUNNEL:
        if (o->imm >= width)
            return fail(c, "shift %" PRIu64 ", want less than %u", o->imm, width);
        break;
    case ORYX_OP_CMP:
    case ORYX_OP_VCMP:
        if (o->imm > ORYX_CC_TSTZ)
            return fail(c, "unknown comparison %" PRIu64, o->imm);
        break;
    case ORYX_OP_FLMAKE:
        if (o->imm > ORYX_FL_LOGIC)
            return fail(c, "unknown flags kind %" PRIu64, o->imm);
        break;
    case ORYX_OP_FLCOND:
        if (o->imm > ORYX_FC_NP)
            return fail(c, "unknown condition %" PRIu64, o->imm);
        break;
    case ORYX_OP_SHLI:
        if (o->imm >= bits(o->lane))
            return fail(c, "shift %" PRIu64 ", want less than %u", o->imm, bits(o->lane));
        break;
    case ORYX_OP_SHRI:
    case ORYX_OP_SARI:
        if ((o->imm & 255) > bits(o->lane))
            return fail(c, "shift %u, want at most %u", pos, bits(o->lane));
        break;
    case ORYX_OP_VGET:
    case ORYX_OP_VSET:
        if (o->imm >= oryx_type_size(o->type) / oryx_type_size(o->lane))
            return fail(c, "lane number %" PRIu64 " of %s in %s", o->imm, type_names[o->lane], type_names[o->type]);
        break;
    case ORYX_OP_VEXT:
        if (o->imm > oryx_type_size(o->type))
            return fail(c, "byte %" PRIu64 " of a %s", o->imm, type_names[o->type]);
        break;
    case ORYX_OP_REDUCE:
        if (o->imm > 4)
            return fail(c, "unknown reduction %" PRIu64, o->imm);
        break;
    case ORYX_OP_RAISE:
        if ((o->imm & 65535) >= ORYX_EXC_COUNT || (o->imm & 65535) == ORYX_EXC_NONE)
            return fail(c, "unknown exception %u", (unsigned)(o->imm & 65535));
        break;
    case ORYX_OP_GOTO:
        if (o->a > 1)
            return fail(c, "link slot %u, want 0 or 1", o->a);
        break;
    case ORYX_OP_LGET:
    case ORYX_OP_LPUT:
        if (o->imm > 63)
            return fail(c, "local %" PRIu64 ", want 0..63", o->imm);
        break;
    case ORYX_OP_GET:
    case ORYX_OP_PUT:
        return check_state(c, o->imm, oryx_type_size(o->type));
    case ORYX_OP_LOAD:
    case ORYX_OP_STORE:
    case ORYX_OP_RMW:
    case ORYX_OP_CAS:
    case ORYX_OP_LDX:
    case ORYX_OP_STX:
        return check_memop(c, o);
    default:
        break;
    }
    return ORYX_OK;
}

static oryx_status check_operands(ctx *c, const oryx_ir_op *o)
{
    const char *sig = oryx__ir_info[o->op].sig;
    oryx_val v[3] = { o->a, o->b, o->c };
    oryx_status s;
    if (o->op == ORYX_OP_FLMAKE) {
        bool carry = o->imm == ORYX_FL_ADC || o->imm == ORYX_FL_SBC || o->imm == ORYX_FL_SBCC;
        if ((s = operand(c, 'a', o->a, o->lane)) != ORYX_OK)
            return s;
        if (o->imm != ORYX_FL_LOGIC && (s = operand(c, 'b', o->b, o->lane)) != ORYX_OK)
            return s;
        return carry ? operand(c, 'c', o->c, ORYX_T_I1) : ORYX_OK;
    }
    if (o->op == ORYX_OP_ARGS || o->op == ORYX_OP_CALL) {
        oryx_val more[5] = { o->a, o->b, o->c, (oryx_val)o->imm, (oryx_val)(o->imm >> 32) };
        for (int k = 0; k < (o->op == ORYX_OP_ARGS ? 5 : 3); k++)
            if (more[k] && (s = operand(c, (char)('a' + k), more[k], ORYX_T_VOID)) != ORYX_OK)
                return s;
        return ORYX_OK;
    }
    for (int k = 0; k < 3 && sig[k + 1]; k++)
        if ((s = operand(c, (char)('a' + k), v[k], letter_type(o, sig[k + 1], (char)('a' + k)))) != ORYX_OK)
            return s;
    return ORYX_OK;
}

static oryx_status check_type(ctx *c, const oryx_ir_op *o)
{
    const char *types = oryx__ir_info[o->op].types;
    if (o->type >= ORYX_T_COUNT || o->lane >= ORYX_T_COUNT)
        return fail(c, "type %u, lane %u: no such type", o->type, o->lane);
    if (o->op == ORYX_OP_FCVT && o->type == ORYX_T_I16)
        return ORYX_OK; /* a half is an i16 */
    if (types[0] == '-' && !types[1])
        return ORYX_OK; /* builders leave 0; nothing reads it */
    if (!type_in(o->type, types))
        return fail(c, "type %s is not allowed here", type_names[o->type]);
    return ORYX_OK;
}

static bool ends(unsigned op)
{
    return op == ORYX_OP_GOTO || op == ORYX_OP_GOTOC || op == ORYX_OP_GOTOI || op == ORYX_OP_RAISE || op == ORYX_OP_RESYNC;
}

static bool faults(const oryx_ir_op *o)
{
    const char *e = oryx__ir_info[o->op].effects;
    return strchr(e, 'R') || strchr(e, 'W');
}

static oryx_status check_structure(ctx *c, const oryx_ir_op *o)
{
    switch (o->op) {
    case ORYX_OP_INSN:
        if (o->a == 0 || o->a > 16)
            return fail(c, "length %u, want 1..16", o->a);
        c->insn = c->i;
        memset(c->local_type, 0, sizeof(c->local_type));
        break;
    case ORYX_OP_LABEL:
        if (o->imm > 255)
            return fail(c, "label %" PRIu64 ", want 0..255", o->imm);
        if (c->placed[o->imm])
            return fail(c, "label %" PRIu64 " is placed twice, first at op %u", o->imm, c->placed[o->imm]);
        c->placed[o->imm] = c->i;
        c->place_insn[o->imm] = c->insn;
        c->line = c->i;
        break;
    case ORYX_OP_BR:
    case ORYX_OP_BRC:
        if (o->imm > 255)
            return fail(c, "label %" PRIu64 ", want 0..255", o->imm);
        if (c->wanted[o->imm] && c->want_insn[o->imm] != c->insn)
            return fail(c, "label %" PRIu64 " is a target from two instructions", o->imm);
        c->wanted[o->imm] = c->i;
        c->want_insn[o->imm] = c->insn;
        break;
    case ORYX_OP_BLOCK:
        if (c->ir->ops[1].op != ORYX_OP_BLOCK)
            return fail(c, "the region's first block has no BLOCK");
        c->line = c->insn = c->i; /* values, locals and labels stay inside a block */
        break;
    case ORYX_OP_LPUT:
        c->local_type[o->imm] = o->type;
        break;
    case ORYX_OP_LGET:
        if (c->local_type[o->imm] != o->type)
            return fail(c, "local %" PRIu64 " was not put as %s in this instruction", o->imm, type_names[o->type]);
        break;
    case ORYX_OP_ARGS:
        if (c->i + 1 >= c->ir->n || c->ir->ops[c->i + 1].op != ORYX_OP_CALL)
            return fail(c, "must stand right before a CALL");
        break;
    default:
        break;
    }
    if (c->i > 1) {
        const oryx_ir_op *before = &c->ir->ops[c->i - 1];
        if (o->op == ORYX_OP_BLOCK && !ends(before->op) && before->op != ORYX_OP_BR)
            return fail(c, "the block before it does not end");
        if ((before->op == ORYX_OP_BR || ends(before->op)) && o->op != ORYX_OP_LABEL && o->op != ORYX_OP_BLOCK)
            return fail(c, "cannot be reached: only a LABEL or a BLOCK may follow %s", op_name(before->op));
    }
    return ORYX_OK;
}

/* No op that can fault after a PUT on any path inside one instruction. dirty[l]: a PUT may precede label l. Repeats while
 * backward branches bring news. */
static oryx_status check_faults(ctx *c)
{
    bool dirty_at[256] = { false }, changed = true;
    while (changed) {
        changed = false;
        bool dirty = false;
        oryx_val put = 0;
        for (c->i = 1; c->i < c->ir->n; c->i++) {
            const oryx_ir_op *o = &c->ir->ops[c->i];
            switch (o->op) {
            case ORYX_OP_INSN:
                dirty = false;
                break;
            case ORYX_OP_PUT:
            case ORYX_OP_SETMODE:
                dirty = true;
                put = c->i;
                break;
            case ORYX_OP_LABEL:
                dirty |= dirty_at[o->imm];
                break;
            case ORYX_OP_BR:
            case ORYX_OP_BRC:
                if (dirty && !dirty_at[o->imm]) {
                    dirty_at[o->imm] = true;
                    changed |= c->placed[o->imm] < c->i; /* backward: look again */
                }
                if (o->op == ORYX_OP_BR)
                    dirty = false;
                break;
            default:
                if (dirty && faults(o))
                    return fail(c, "can fault after op %u (%s) changed the state: move the change behind it", put,
                                op_name(c->ir->ops[put].op));
                if (ends(o->op))
                    dirty = false;
                break;
            }
        }
    }
    return ORYX_OK;
}

oryx_status oryx__ir_check(const oryx_ir *ir, const oryx_arch_ops *arch, oryx_error *err)
{
    ctx c;
    memset(&c, 0, sizeof(c));
    c.ir = ir;
    c.arch = arch;
    c.err = err;
    oryx_status s;
    if (ir->error)
        return oryx__error(err, ir->error, "IR of the block at 0x%" PRIx64 ": the builder failed: %s", ir->pc,
                           oryx_status_text(ir->error));
    if (ir->n < 2 || ir->ops[0].op != ORYX_OP_NOP)
        return oryx__error(err, ORYX_E_IR, "IR of the block at 0x%" PRIx64 ": op 0 must be a NOP and others must follow", ir->pc);
    for (c.i = 1; c.i < ir->n; c.i++) {
        const oryx_ir_op *o = &ir->ops[c.i];
        if (o->op >= ORYX_OP_COUNT)
            return fail(&c, "number %u is no op", o->op);
        if ((s = check_type(&c, o)) != ORYX_OK || (s = check_lane(&c, o)) != ORYX_OK || (s = check_imm(&c, o)) != ORYX_OK ||
            (s = check_operands(&c, o)) != ORYX_OK || (s = check_structure(&c, o)) != ORYX_OK)
            return s;
    }
    c.i = ir->n - 1;
    if (!ends(ir->ops[c.i].op) && ir->ops[c.i].op != ORYX_OP_BR)
        return fail(&c, "is the last op: a block ends with GOTO, GOTOC, GOTOI, RAISE or RESYNC");
    for (unsigned l = 0; l < 256; l++) {
        c.i = c.wanted[l];
        if (c.i && !c.placed[l])
            return fail(&c, "label %u is never placed", l);
        if (c.i && c.want_insn[l] != c.place_insn[l])
            return fail(&c, "label %u lies in another instruction: branches stay inside one", l);
    }
    return check_faults(&c);
}
