/* An engine from nothing: "tiny" executes the scalar integer part of the IR, one op after the other, and refuses the rest
 * by name. It runs the toy CPU of arch-toy.c and is the smallest engine that keeps the whole contract of oryx_engine.h:
 *
 *   - a block takes its instructions from the budget on entry, all or none;
 *   - whenever it leaves, the pc slot is set and instructions that were not executed are given back;
 *   - a fault leaves the state as it was when the faulting instruction began (the IR's order of ops sees to that);
 *   - a store that changes the running block's own code ends the block at the next instruction.
 *
 * oryx run --engine tiny ..., or .engine = "tiny" in oryx_machine_config. The plugin engine-interp does the same for every
 * op, faster. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oryx.h>
#include <helper/oryx_manifest.h>

ORYX_MANIFEST(ORYX_JSON({
    "id": "example.engine-tiny",
    "version": "1.0.0",
    "abi": {"major": 1, "minor": 0},
    "licence": "MIT",
    "provides": [{"interface": "oryx.engine/1", "class": "tiny"}]
}));

/* --- what is supported -------------------------------------------------------------------------------------------------- */

#define SUPPORTED(OP, w)                                                                                                      \
    OP(NOP, w) OP(INSN, w) OP(LABEL, w) OP(BR, w) OP(BRC, w) OP(ARGS, w) OP(CONST, w) OP(GET, w) OP(PUT, w) OP(LGET, w)        \
    OP(LPUT, w) OP(ADD, w) OP(SUB, w) OP(MUL, w) OP(DIVU, w) OP(REMU, w) OP(NEG, w) OP(NOT, w) OP(AND, w) OP(OR, w)           \
    OP(XOR, w) OP(ANDN, w) OP(ORN, w) OP(SHL, w) OP(SHR, w) OP(SAR, w) OP(MINU, w) OP(MAXU, w) OP(ZEXT, w) OP(SEXT, w)        \
    OP(TRUNC, w) OP(UBFX, w) OP(SBFX, w) OP(CMP, w) OP(SELECT, w) OP(LOAD, w) OP(STORE, w) OP(FENCE, w) OP(CALL, w)           \
    OP(SLOTADD, w) OP(GOTO, w) OP(GOTOC, w) OP(GOTOI, w) OP(RAISE, w) OP(RESYNC, w)

/* One bit an op, for the core and for tools that choose an engine. */
#define BIT(name, w) | (ORYX_OP_##name / 64 == (w) ? 1ull << ORYX_OP_##name % 64 : 0)
static const uint64_t supports[] = { 0 SUPPORTED(BIT, 0), 0 SUPPORTED(BIT, 1), 0 SUPPORTED(BIT, 2), 0 SUPPORTED(BIT, 3) };
_Static_assert(ORYX_OP_COUNT <= 256, "one word more of supports is needed");

static const char *const op_names[] = {
#define OP(name, sig, types, effects, meaning) #name,
#include <oryx_ir.def>
#undef OP
};

/* One engine a machine. */
typedef struct engine {
    const oryx_host *host;
    oryx_machine *machine;
    uint32_t pc_offset;
} engine;

/* A compiled block: the ops, with branch targets as op numbers. "Compiling" is copying: the core keeps the IR for the
 * duration of the call only. */
typedef struct code {
    uint32_t n;
    oryx_ir_op ops[];
} code;

/* Per vCPU: a value for each op of the block that runs. */
typedef struct frame {
    uint64_t locals[64];
    uint64_t *values;
    uint32_t room;
} frame;

static oryx_status tiny_create(const oryx_host *host, oryx_machine *machine, const char *options, void **self, oryx_error *err)
{
    (void)options;
    engine *e = calloc(1, sizeof *e);
    if (!e)
        return host->error_set(err, ORYX_E_NOMEM, "engine tiny: out of memory");
    e->host = host;
    e->machine = machine;
    e->pc_offset = host->machine_arch(machine)->pc_offset;
    *self = e;
    return ORYX_OK;
}

static void tiny_destroy(void *self)
{
    free(self);
}

static oryx_status tiny_vcpu_init(void *self, oryx_cpu *cpu, oryx_error *err)
{
    const engine *e = self;
    cpu->engine_data = calloc(1, sizeof(frame));
    return cpu->engine_data ? ORYX_OK : e->host->error_set(err, ORYX_E_NOMEM, "engine tiny: out of memory");
}

static void tiny_vcpu_fini(void *self, oryx_cpu *cpu)
{
    (void)self;
    frame *f = cpu->engine_data;
    if (f)
        free(f->values);
    free(f);
    cpu->engine_data = NULL;
}

/* --- compile ---------------------------------------------------------------------------------------------------------------- */

static int is_scalar(unsigned type)
{
    return type <= ORYX_T_I64; /* void, i1, i8 .. i64 */
}

static oryx_status refuse(const engine *e, const oryx_ir_op *o, uint64_t pc, oryx_error *err)
{
    static const char *const types[ORYX_T_COUNT] = { "nothing", "i1", "i8", "i16", "i32", "i64", "f32", "f64", "v64", "v128", "flags" };
    char text[160];
    snprintf(text, sizeof text, "engine tiny has no %s on %s (block at 0x%llx): use --engine interp",
             o->op < ORYX_OP_COUNT ? op_names[o->op] : "such op", o->type < ORYX_T_COUNT ? types[o->type] : "such a type",
             (unsigned long long)pc);
    return e->host->error_set(err, ORYX_E_UNSUPPORTED, text);
}

static oryx_status tiny_compile(void *self, const oryx_ir *ir, oryx_tb *tb, oryx_error *err)
{
    const engine *e = self;
    uint32_t labels[256] = { 0 };
    for (uint32_t i = 0; i < ir->n; i++) {
        const oryx_ir_op *o = &ir->ops[i];
        int known = o->op < ORYX_OP_COUNT && (supports[o->op / 64] >> (o->op % 64) & 1);
        if (!known || !is_scalar(o->type) || !is_scalar(o->lane))
            return refuse(e, o, ir->pc, err);
        if (o->op == ORYX_OP_CALL) {
            /* Helpers are called through the core; this engine passes integers only. */
            const oryx_helper_entry *h = e->host->helper_get(e->machine, (uint32_t)o->imm);
            for (uint32_t k = 0; h && k < h->n_args; k++)
                if (h->args[k] != ORYX_T_I32 && h->args[k] != ORYX_T_I64)
                    return refuse(e, o, ir->pc, err);
            if (!h)
                return refuse(e, o, ir->pc, err);
        }
        if (o->op == ORYX_OP_LABEL)
            labels[o->imm & 255] = i;
    }
    code *c = malloc(sizeof *c + ir->n * sizeof *c->ops);
    if (!c)
        return e->host->error_set(err, ORYX_E_NOMEM, "engine tiny: out of memory");
    c->n = ir->n;
    memcpy(c->ops, ir->ops, ir->n * sizeof *c->ops);
    for (uint32_t i = 0; i < c->n; i++)
        if (c->ops[i].op == ORYX_OP_BR || c->ops[i].op == ORYX_OP_BRC)
            c->ops[i].imm = labels[c->ops[i].imm & 255];
    tb->code = c;
    return ORYX_OK;
}

static void tiny_discard(void *self, oryx_tb *tb)
{
    (void)self;
    free(tb->code);
    tb->code = NULL;
}

/* --- execute ---------------------------------------------------------------------------------------------------------------- */

static unsigned bits_of(unsigned type)
{
    return type == ORYX_T_I1 ? 1 : 8 * oryx_type_size(type);
}

static uint64_t cut(uint64_t v, unsigned bits)
{
    return bits >= 64 ? v : v & ((1ull << bits) - 1);
}

static int64_t sign(uint64_t v, unsigned bits)
{
    return bits >= 64 ? (int64_t)v : (int64_t)(v << (64 - bits)) >> (64 - bits);
}

/* Arithmetic of one type; values are kept zero-extended, the caller cuts the result. */
static uint64_t arithmetic(const oryx_ir_op *o, uint64_t a, uint64_t b)
{
    unsigned w = bits_of(o->type), shift = (unsigned)(b & (w - 1));
    switch (o->op) {
    case ORYX_OP_ADD: return a + b;
    case ORYX_OP_SUB: return a - b;
    case ORYX_OP_MUL: return a * b;
    case ORYX_OP_DIVU: return b ? a / b : 0;
    case ORYX_OP_REMU: return b ? a % b : a;
    case ORYX_OP_NEG: return 0 - a;
    case ORYX_OP_NOT: return ~a;
    case ORYX_OP_AND: return a & b;
    case ORYX_OP_OR: return a | b;
    case ORYX_OP_XOR: return a ^ b;
    case ORYX_OP_ANDN: return a & ~b;
    case ORYX_OP_ORN: return a | ~b;
    case ORYX_OP_SHL: return a << shift;
    case ORYX_OP_SHR: return a >> shift;
    case ORYX_OP_SAR: return (uint64_t)(sign(a, w) >> shift);
    case ORYX_OP_MINU: return a < b ? a : b;
    case ORYX_OP_MAXU: return a > b ? a : b;
    case ORYX_OP_SEXT: return (uint64_t)sign(a, bits_of(o->lane));
    case ORYX_OP_UBFX: return cut(a >> (o->imm & 255), (unsigned)(o->imm >> 8));
    case ORYX_OP_SBFX: return (uint64_t)sign(a >> (o->imm & 255), (unsigned)(o->imm >> 8));
    default: return a; /* ZEXT, TRUNC: values are zero-extended already */
    }
}

static uint64_t compare(const oryx_ir_op *o, uint64_t a, uint64_t b)
{
    unsigned w = bits_of(o->lane);
    switch (o->imm) {
    case ORYX_CC_EQ: return a == b;
    case ORYX_CC_NE: return a != b;
    case ORYX_CC_LTU: return a < b;
    case ORYX_CC_LEU: return a <= b;
    case ORYX_CC_GTU: return a > b;
    case ORYX_CC_GEU: return a >= b;
    case ORYX_CC_LTS: return sign(a, w) < sign(b, w);
    case ORYX_CC_LES: return sign(a, w) <= sign(b, w);
    case ORYX_CC_GTS: return sign(a, w) > sign(b, w);
    case ORYX_CC_GES: return sign(a, w) >= sign(b, w);
    case ORYX_CC_TST: return (a & b) != 0;
    default: return (a & b) == 0;
    }
}

static uint64_t call(const engine *e, oryx_cpu *cpu, const oryx_ir_op *o, const oryx_ir_op *more, uint64_t *v)
{
    uint64_t ret = 0;
    oryx_val at[8] = { o->a, o->b, o->c, 0, 0, 0, 0, 0 };
    void *args[8];
    if (more) {
        at[3] = more->a;
        at[4] = more->b;
        at[5] = more->c;
        at[6] = (uint32_t)more->imm;
        at[7] = (uint32_t)(more->imm >> 32);
    }
    for (int i = 0; i < 8; i++)
        args[i] = &v[at[i]]; /* value 0 is "none": helper_call reads as many as the helper has */
    e->host->helper_call(e->host->helper_get(e->machine, (uint32_t)o->imm), cpu, args, &ret);
    return ret;
}

/* The run of one block, told to its caller. */
typedef struct where {
    uint64_t pc;   /* of the current instruction; when the block has ended, of the next block */
    uint32_t done; /* instructions completed */
    uint32_t slot; /* link slot, for ORYX_LEAVE_LINK */
} where;

/* Execute a block to one of its ends. `pc` of the way out is in w, nothing is given back here. */
static uint32_t run_block(const engine *e, oryx_cpu *cpu, const oryx_tb *tb, uint64_t *v, where *w)
{
    const code *c = tb->code;
    const oryx_ir_op *more = NULL;
    frame *f = cpu->engine_data;
    uint32_t begun = 0;
    int stale = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const oryx_ir_op *o = &c->ops[i];
        unsigned bits = bits_of(o->type);
        uint64_t a = o->a < i ? v[o->a] : 0, b = o->b < i ? v[o->b] : 0;
        switch (o->op) {
        case ORYX_OP_NOP:
        case ORYX_OP_LABEL:
            break;
        case ORYX_OP_INSN:
            w->pc = o->imm;
            w->done = begun++;
            if (stale) /* our own code changed: the core makes a new block from here */
                return ORYX_LEAVE_LOOKUP;
            break;
        case ORYX_OP_BR:
            i = (uint32_t)o->imm;
            break;
        case ORYX_OP_BRC:
            i = a & 1 ? (uint32_t)o->imm : i;
            break;
        case ORYX_OP_ARGS:
            more = o;
            break;
        case ORYX_OP_CONST:
            v[i] = cut(o->imm, bits);
            break;
        case ORYX_OP_GET:
            v[i] = 0;
            memcpy(&v[i], cpu->state + o->imm, oryx_type_size(o->type));
            break;
        case ORYX_OP_PUT:
            memcpy(cpu->state + o->imm, &v[o->a], oryx_type_size(o->type));
            break;
        case ORYX_OP_LGET:
            v[i] = f->locals[o->imm];
            break;
        case ORYX_OP_LPUT:
            f->locals[o->imm] = a;
            break;
        case ORYX_OP_CMP:
            v[i] = compare(o, a, b);
            break;
        case ORYX_OP_SELECT:
            v[i] = a & 1 ? b : v[o->c];
            break;
        case ORYX_OP_LOAD: {
            oryx_v128 got;
            if (cpu->fn->load(cpu, a, (uint32_t)o->imm, &got) != ORYX_OK)
                return ORYX_LEAVE_EXC; /* cpu->exc says everything but the pc, which is w->pc */
            unsigned size = 8u << ORYX_MO_SIZE(o->imm);
            v[i] = cut(o->imm & ORYX_MO_SIGN ? (uint64_t)sign(got.lo, size) : cut(got.lo, size), bits);
            break;
        }
        case ORYX_OP_STORE: {
            oryx_v128 put = { b, 0 };
            if (cpu->fn->store(cpu, a, (uint32_t)o->imm, &put) != ORYX_OK)
                return ORYX_LEAVE_EXC;
            stale |= __atomic_load_n(&tb->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID;
            break;
        }
        case ORYX_OP_FENCE:
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
            break;
        case ORYX_OP_CALL:
            v[i] = cut(call(e, cpu, o, more, v), bits ? bits : 64);
            more = NULL;
            if (cpu->exc.kind != ORYX_EXC_NONE)
                return ORYX_LEAVE_EXC;
            break;
        case ORYX_OP_SLOTADD:
            cpu->slots[o->imm] += a;
            break;
        case ORYX_OP_GOTO:
            w->pc = o->imm;
            w->slot = o->a;
            w->done = begun;
            return ORYX_LEAVE_LINK;
        case ORYX_OP_GOTOC:
            w->pc = a & 1 ? o->imm : (uint64_t)o->c << 32 | o->b;
            w->slot = !(a & 1);
            w->done = begun;
            return ORYX_LEAVE_LINK;
        case ORYX_OP_GOTOI:
            w->pc = a;
            w->done = begun;
            return ORYX_LEAVE_LOOKUP;
        case ORYX_OP_RESYNC:
            w->pc = o->imm;
            w->done = begun;
            return ORYX_LEAVE_RESYNC;
        case ORYX_OP_RAISE:
            /* The core decides whether the raising instruction counts as executed; here it does not. */
            w->pc = (uint64_t)o->c << 32 | o->b;
            cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = (uint32_t)o->imm & 65535, .syndrome = a, .phys = ~0ull };
            return ORYX_LEAVE_EXC;
        default:
            v[i] = cut(arithmetic(o, a, b), bits);
            break;
        }
    }
    return ORYX_LEAVE_LOOKUP; /* not reached: the checker refuses IR without an end */
}

/* Room for the values of a block. */
static uint64_t *values(oryx_cpu *cpu, const oryx_tb *tb)
{
    frame *f = cpu->engine_data;
    const code *c = tb->code;
    if (f->room < c->n) {
        uint64_t *grown = realloc(f->values, c->n * sizeof *grown);
        if (!grown)
            return NULL;
        f->values = grown;
        f->room = c->n;
    }
    f->values[0] = 0;
    return f->values;
}

static uint32_t tiny_enter(void *self, oryx_cpu *cpu, oryx_tb *tb, oryx_leave *leave)
{
    const engine *e = self;
    for (;;) {
        where w = { .pc = tb->pc };
        uint32_t reason;
        uint64_t *v = values(cpu, tb);
        leave->tb = tb;
        if (!v) {
            cpu->exc = (oryx_exc){ .hdr = ORYX_HDR(oryx_exc), .kind = ORYX_EXC_INTERNAL, .phys = ~0ull };
            reason = ORYX_LEAVE_EXC;
        } else if (__atomic_load_n(&tb->flags, __ATOMIC_ACQUIRE) & ORYX_TB_INVALID) {
            reason = ORYX_LEAVE_LOOKUP;
        } else if (__atomic_load_n(&cpu->slice.kick, __ATOMIC_RELAXED) || cpu->slice.left < tb->n_insns) {
            reason = ORYX_LEAVE_BUDGET;
        } else {
            cpu->slice.left -= tb->n_insns;
            reason = run_block(e, cpu, tb, v, &w);
            cpu->slice.left += tb->n_insns - w.done;
        }
        memcpy(cpu->state + e->pc_offset, &w.pc, sizeof w.pc);
        if (reason == ORYX_LEAVE_EXC)
            cpu->exc.pc = w.pc;
        leave->slot = w.slot;
        if (reason != ORYX_LEAVE_LINK)
            return reason;
        /* Linked by the core after the first time: go on without leaving. */
        oryx_tb *next = __atomic_load_n(&tb->link[w.slot], __ATOMIC_ACQUIRE);
        if (!next)
            return reason;
        tb = next;
    }
}

/* --- the plugin ----------------------------------------------------------------------------------------------------------------- */

static const oryx_engine_ops ops = {
    .hdr = ORYX_HDR(oryx_engine_ops),
    .name = "tiny",
    .create = tiny_create,
    .destroy = tiny_destroy,
    .compile = tiny_compile,
    .discard = tiny_discard,
    .enter = tiny_enter,
    .vcpu_init = tiny_vcpu_init,
    .vcpu_fini = tiny_vcpu_fini,
    .supports = supports,
};

static const void *get(const char *interface, const char *cls)
{
    return !strcmp(interface, ORYX_ENGINE_ID) && !strcmp(cls, "tiny") ? &ops : NULL;
}

ORYX_EXPORT oryx_status oryx_plugin_open_v1(const oryx_hdr *host, const oryx_plugin_ops **out, oryx_error *err)
{
    static const oryx_plugin_ops plugin = { .hdr = ORYX_HDR(oryx_plugin_ops), .get = get };
    (void)host; /* create is given the host table */
    (void)err;
    *out = &plugin;
    return ORYX_OK;
}
